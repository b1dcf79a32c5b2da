/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Physical address ranges. A range is [start, start + bytes): half-open, everywhere. Inclusive text, as in
 * /proc/iomem, enters through range_from_inclusive() only.
 */
#ifndef RANGE_H
#define RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t pa_t;

#define KIB(n)	((uint64_t)(n) << 10)
#define MIB(n)	((uint64_t)(n) << 20)
#define GIB(n)	((uint64_t)(n) << 30)

struct range {
	pa_t start;
	uint64_t bytes;
};

/* Sorted, disjoint, and never two that touch. v belongs to the set. */
struct range_set {
	struct range *v;
	size_t count;
	size_t room;
};

static inline pa_t range_end(struct range r)
{
	return r.start + r.bytes;
}

static inline uint64_t align_up(uint64_t x, uint64_t unit)
{
	return (x + unit - 1) & ~(unit - 1);
}

static inline uint64_t align_down(uint64_t x, uint64_t unit)
{
	return x & ~(unit - 1);
}

/* No range reaches beyond this: physical addresses have at most 56 bits, and so no end ever wraps around. */
#define PA_END	(1ull << 56)

/* [first, last]: last is part of it. first must not be above last, last must be below PA_END. */
struct range range_from_inclusive(pa_t first, pa_t last);

bool range_overlaps(struct range a, struct range b);

void range_set_free(struct range_set *set);

/* Add or take away [r.start, r.end). Empty ranges change nothing. False when out of memory: the set is unchanged. */
bool range_set_add(struct range_set *set, struct range r);
bool range_set_remove(struct range_set *set, struct range r);

/* Take away what is not in with. False when out of memory: some may be gone. */
bool range_set_intersect(struct range_set *set, const struct range_set *with);

/* Whether all, or any, of r is in the set. An empty r is contained and does not overlap. */
bool range_set_contains(const struct range_set *set, struct range r);
bool range_set_overlaps(const struct range_set *set, struct range r);

uint64_t range_set_bytes(const struct range_set *set);

#endif
