/* SPDX-License-Identifier: GPL-2.0-only */
/* Trusts nothing of how the lists were made: every byte that purgatory will touch is held against the map and booked. */
#include "hideout.h"

static bool is_units(struct range r)
{
	return r.bytes && (r.start | r.bytes) % PURG_UNIT_BYTES == 0 && range_end(r) > r.start;
}

static const char *check_moves(const struct hideout *h, const struct range_set *map, struct range_set *written)
{
	size_t i;

	for (i = 0; i < h->move_count; i++) {
		struct range to = { h->moves[i].dst_pa, h->moves[i].bytes };

		if (!is_units(to) || !is_units((struct range){ h->moves[i].src_pa, to.bytes }))
			return "a move is not of whole units";
		if (!range_set_contains(map, to) || !range_set_contains(map, (struct range){ h->moves[i].src_pa, to.bytes }))
			return "a move leaves the map";
		if (range_set_overlaps(written, to))
			return "two moves write to the same place, or one to the hide-out";
		if (!range_set_add(written, to))
			return "out of memory";
	}
	for (i = 0; i < h->move_count; i++)
		if (range_set_overlaps(written, (struct range){ h->moves[i].src_pa, h->moves[i].bytes }))
			return "a move reads what another one writes";
	return NULL;
}

static const char *check_runs(const struct hideout *h, const struct range_set *map, struct range_set *verified)
{
	size_t i, chunks = 0, digest_bytes = h->check == PURG_CHECK_CRC32C ? PURG_CRC_BYTES : PURG_SHA_BYTES;

	for (i = 0; i < h->check_count; i++) {
		struct range r = { h->checks[i].pa, h->checks[i].bytes };

		if (!is_units(r) || !range_set_contains(map, r))
			return "what is to be verified leaves the map, or is not of whole units";
		if (!range_set_add(verified, r))
			return "out of memory";
		chunks += (r.bytes + PURG_CHUNK_BYTES - 1) / PURG_CHUNK_BYTES;
	}
	if (h->check == PURG_CHECK_NONE)
		return h->check_count ? "something is to be verified though nothing should" : NULL;
	if (chunks * digest_bytes != h->digests_bytes)
		return "there are more or fewer digests than chunks";
	if (!range_set_contains(verified, (struct range){ h->kernel_pa, PURG_UNIT_BYTES }) ||
	    !range_set_contains(verified, (struct range){ h->dtb_pa, PURG_UNIT_BYTES }))
		return "the kernel or the device tree is not verified";
	for (i = 0; i < h->move_count; i++)
		if (!range_set_contains(verified, (struct range){ h->moves[i].dst_pa, h->moves[i].bytes }))
			return "something is moved and not verified";
	return NULL;
}

static const char *check_all(const struct hideout *h, struct range_set *map, struct range_set *written,
			     struct range_set *verified)
{
	struct range own = { h->pa, align_down(h->pa, FRAME_BYTES) + FRAME_BYTES - h->pa };
	bool kernel_cleaned = false;
	const char *why;
	size_t i;

	for (i = 0; i < h->region_count; i++)
		if (!range_set_add(map, h->regions[i].range))
			return "out of memory";
	if (h->pa % KIB(64) || !range_set_contains(map, (struct range){ h->pa, KIB(64) }))
		return "the hide-out is not aligned or not mapped";
	/* The device tree may share the hide-out's frame; it is the kernel that writes both. */
	if (h->dtb_pa > h->pa && h->dtb_pa < range_end(own))
		own.bytes = h->dtb_pa - h->pa;
	if (!range_set_add(written, own))
		return "out of memory";
	why = check_moves(h, map, written);
	if (!why)
		why = check_runs(h, map, verified);
	if (why)
		return why;
	if (range_set_overlaps(verified, own))
		return "a payload lies on the hide-out";
	for (i = 0; i < h->clean_count; i++) {
		struct range r = { h->cleans[i].pa, h->cleans[i].bytes };

		if (!range_set_contains(map, r))
			return "what is to be cleaned leaves the map";
		kernel_cleaned |= r.start <= h->kernel_pa && h->kernel_pa < range_end(r);
	}
	return kernel_cleaned ? NULL : "the kernel is not cleaned to memory";
}

const char *hideout_check(const struct hideout *hideout)
{
	struct range_set map = { 0 }, written = { 0 }, verified = { 0 };
	const char *why = check_all(hideout, &map, &written, &verified);

	range_set_free(&map);
	range_set_free(&written);
	range_set_free(&verified);
	return why;
}
