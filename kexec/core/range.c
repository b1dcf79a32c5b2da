/* SPDX-License-Identifier: GPL-2.0-only */
#include "range.h"

#include <stdlib.h>
#include <string.h>

struct range range_from_inclusive(pa_t first, pa_t last)
{
	return (struct range){ first, last - first + 1 };
}

bool range_overlaps(struct range a, struct range b)
{
	return a.bytes && b.bytes && a.start < range_end(b) && b.start < range_end(a);
}

void range_set_free(struct range_set *set)
{
	free(set->v);
	*set = (struct range_set){ 0 };
}

/* Index of the first range that ends at or after pa; count if there is none. */
static size_t first_ending_from(const struct range_set *set, pa_t pa)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (range_end(set->v[middle]) < pa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Replace count ranges at index by n new ones. */
static bool splice(struct range_set *set, size_t index, size_t count, const struct range *with, size_t n)
{
	size_t new_count = set->count - count + n;

	if (new_count > set->room) {
		size_t room = set->room ? set->room * 2 : 16;
		struct range *v = realloc(set->v, room * sizeof(*v));

		if (!v)
			return false;
		set->v = v;
		set->room = room;
	}
	if (set->count > index + count)
		memmove(set->v + index + n, set->v + index + count, (set->count - index - count) * sizeof(*set->v));
	if (n)
		memcpy(set->v + index, with, n * sizeof(*with));
	set->count = new_count;
	return true;
}

bool range_set_add(struct range_set *set, struct range r)
{
	size_t first, end;
	pa_t start = r.start, stop = range_end(r);

	if (!r.bytes)
		return true;
	first = first_ending_from(set, start);
	for (end = first; end < set->count && set->v[end].start <= stop; end++) {
		if (set->v[end].start < start)
			start = set->v[end].start;
		if (range_end(set->v[end]) > stop)
			stop = range_end(set->v[end]);
	}
	return splice(set, first, end - first, &(struct range){ start, stop - start }, 1);
}

bool range_set_remove(struct range_set *set, struct range r)
{
	struct range left[2];
	size_t first, end, n = 0;
	pa_t stop = range_end(r);

	if (!r.bytes)
		return true;
	first = first_ending_from(set, r.start);
	if (first < set->count && range_end(set->v[first]) == r.start)
		first++;
	for (end = first; end < set->count && set->v[end].start < stop; end++)
		;
	if (first == end)
		return true;
	if (set->v[first].start < r.start)
		left[n++] = (struct range){ set->v[first].start, r.start - set->v[first].start };
	if (range_end(set->v[end - 1]) > stop)
		left[n++] = (struct range){ stop, range_end(set->v[end - 1]) - stop };
	return splice(set, first, end - first, left, n);
}

bool range_set_contains(const struct range_set *set, struct range r)
{
	size_t i;

	if (!r.bytes)
		return true;
	if (range_end(r) < r.start)
		return false;
	i = first_ending_from(set, range_end(r));
	return i < set->count && set->v[i].start <= r.start;
}

bool range_set_overlaps(const struct range_set *set, struct range r)
{
	size_t i;

	for (i = first_ending_from(set, r.start); i < set->count && set->v[i].start < range_end(r); i++)
		if (range_overlaps(set->v[i], r))
			return true;
	return false;
}

uint64_t range_set_bytes(const struct range_set *set)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < set->count; i++)
		bytes += set->v[i].bytes;
	return bytes;
}

bool range_set_intersect(struct range_set *set, const struct range_set *with)
{
	pa_t at = 0;
	size_t i;

	for (i = 0; i < with->count; i++) {
		if (!range_set_remove(set, (struct range){ at, with->v[i].start - at }))
			return false;
		at = range_end(with->v[i]);
	}
	return range_set_remove(set, (struct range){ at, PA_END - at });
}
