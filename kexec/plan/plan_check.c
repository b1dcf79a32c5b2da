/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last gate before kexec_load(2). It trusts nothing of how the plan was made: it writes down every byte range that the
 * plan says will be read or written at boot and looks whether any two collide, and whether each is where it may be.
 */
#include "plan.h"

#include <stdlib.h>

/* Every use of memory is booked once; booking the same byte twice is a collision. */
static bool book(struct range_set *booked, struct range r)
{
	return !range_set_overlaps(booked, r) && range_set_add(booked, r);
}

static const char *check_slot(const struct plan_input *input, const struct plan_slot *slot, struct range dest,
			      struct range_set *booked, bool *frame_used, uint32_t *counts)
{
	if ((unsigned int)slot->kind > SLOT_EMPTY)
		return "a slot is of no kind";
	counts[slot->kind]++;
	if (!book(booked, dest))
		return "two things lie in the same place";
	if (slot->kind == SLOT_RELOCATED || slot->kind == SLOT_EMPTY) {
		if (slot->frame != PLAN_NO_FRAME)
			return "a slot has a frame that it does not need";
		return range_set_contains(input->spare, dest) ? NULL : "a segment or BSS goes where it may not";
	}
	if (slot->frame >= input->frames)
		return "a slot has no frame";
	if (frame_used[slot->frame])
		return "a frame is used twice";
	frame_used[slot->frame] = true;
	if (slot->kind == SLOT_IN_PLACE) {
		if (input->frame_pa[slot->frame] != dest.start)
			return "a slot in place is not";
		return range_set_contains(input->ram, dest) ? NULL : "a slot in place is not in RAM";
	}
	if (!range_set_contains(input->spare, dest))
		return "a move goes where it may not";
	return NULL;
}

/* The hide-out or the device tree: a piece of a slot of 2 MiB that is ours or wholly spare, since all of it is mapped. */
static const char *check_small(const struct plan_input *input, uint32_t frame, pa_t pa, uint64_t bytes)
{
	struct range r = { pa, align_up(bytes, input->rules.page_bytes) };	/* segments are whole pages */
	struct range slot = { align_down(pa, FRAME_BYTES), FRAME_BYTES };

	if (!bytes)
		return "there is no hide-out or no device tree";
	if (pa % KIB(64) || range_end(r) > range_end(slot))
		return "the hide-out or the device tree straddles 2 MiB";
	if (range_end(slot) > input->rules.pa_limit)
		return "the hide-out or the device tree lies above the address limit";
	if (frame == PLAN_NO_FRAME)
		return range_set_contains(input->spare, slot) ? NULL : "the hide-out or the device tree lies where it may not";
	if (frame >= input->frames || slot.start != input->frame_pa[frame])
		return "the hide-out or the device tree is not in its frame";
	return range_set_contains(input->ram, slot) ? NULL : "the hide-out or the device tree is not in RAM";
}

/* Both of them, and that nothing else lies in their slots. */
static const char *check_hideout(const struct plan *plan, const struct plan_input *input, struct range_set *booked)
{
	struct range hideout = { plan->hideout_pa, align_up(input->hideout_bytes, input->rules.page_bytes) };
	struct range dtb = { plan->dtb_pa, align_up(input->dtb_bytes, input->rules.page_bytes) };
	pa_t hideout_slot = align_down(plan->hideout_pa, FRAME_BYTES), dtb_slot = align_down(plan->dtb_pa, FRAME_BYTES);
	const char *why = check_small(input, plan->hideout_frame, plan->hideout_pa, input->hideout_bytes);

	if (!why)
		why = check_small(input, plan->dtb_frame, plan->dtb_pa, input->dtb_bytes);
	if (why)
		return why;
	if (range_overlaps(hideout, dtb))
		return "the hide-out and the device tree lie on one another";
	if (!book(booked, (struct range){ hideout_slot, FRAME_BYTES }) ||
	    (dtb_slot != hideout_slot && !book(booked, (struct range){ dtb_slot, FRAME_BYTES })))
		return "the hide-out or the device tree lies on something else";
	return NULL;
}

static const char *check_all(const struct plan *plan, const struct plan_input *input, struct range_set *booked,
			     bool *frame_used)
{
	const struct plan_rules *rules = &input->rules;
	pa_t lowest = UINT64_MAX, highest = 0;
	uint32_t counts[SLOT_EMPTY + 1] = { 0 }, i;
	struct range segment[16];
	size_t segments = 2, n;
	const char *why;
	unsigned int o;

	for (o = 0; o < PLAN_OBJECTS; o++) {
		const struct plan_window *window = &plan->window[o];
		uint64_t bytes = input->object[o].offset_bytes + input->object[o].memory_bytes;

		if (!input->object[o].memory_bytes) {
			if (window->slots)
				return "a window for nothing";
			continue;
		}
		if (window->pa % FRAME_BYTES)
			return "a window is not aligned to 2 MiB";
		if (window->slots * FRAME_BYTES < bytes || window->slots * FRAME_BYTES - bytes >= FRAME_BYTES)
			return "a window has the wrong length";
		if (input->object[o].file_bytes > input->object[o].memory_bytes)
			return "a file is longer than its memory";
		for (i = 0; i < window->slots; i++) {
			struct range dest = { window->pa + i * FRAME_BYTES, FRAME_BYTES };

			why = check_slot(input, &window->slot[i], dest, booked, frame_used, counts);
			if (why)
				return why;
			if (window->slot[i].kind == SLOT_EMPTY && plan_piece(window, &input->object[o], i).file_bytes)
				return "a slot with a piece of the file is empty";
		}
		if (window->pa < lowest)
			lowest = window->pa;
		if (window->pa + window->slots * FRAME_BYTES > highest)
			highest = window->pa + window->slots * FRAME_BYTES;
		n = plan_segments(plan, input, o, segment, sizeof(segment) / sizeof(segment[0]));
		segments += n;
		if (segments > rules->segments_max || n > sizeof(segment) / sizeof(segment[0]))
			return "more segments than the kernel takes";
		while (n--)
			if ((segment[n].start | segment[n].bytes) % rules->page_bytes)
				return "a segment is not whole pages";
	}
	if (highest > rules->pa_limit)
		return "something lies above the address limit";
	if (highest && highest - align_down(lowest, rules->span_align_bytes) > rules->span_bytes)
		return "kernel and initrd are too far apart";
	if (counts[SLOT_IN_PLACE] != plan->in_place || counts[SLOT_MOVED] != plan->moved ||
	    counts[SLOT_RELOCATED] != plan->relocated || counts[SLOT_EMPTY] != plan->empty)
		return "the sums are wrong";

	/* Sources are read at boot: nobody may write there, and they are within purgatory's reach. */
	for (o = 0; o < PLAN_OBJECTS; o++) {
		for (i = 0; i < plan->window[o].slots; i++) {
			const struct plan_slot *slot = &plan->window[o].slot[i];
			struct range source;

			if (slot->kind != SLOT_MOVED)
				continue;
			source = (struct range){ input->frame_pa[slot->frame], FRAME_BYTES };
			if (range_end(source) > rules->pa_limit)
				return "a source lies above the address limit";
			if (!book(booked, source))
				return "a source is overwritten";
		}
	}
	return check_hideout(plan, input, booked);
}

/* What we do not own must not be written where a frame of ours waits with a payload. Frames outside every window that
 * are neither source nor hide-out are given back before the load, so they may be overwritten. */
const char *plan_check(const struct plan *plan, const struct plan_input *input)
{
	struct range_set booked = { 0 };
	bool *frame_used = calloc(input->frames ? input->frames : 1, sizeof(*frame_used));
	const char *why;

	why = frame_used ? check_all(plan, input, &booked, frame_used) : "out of memory";
	range_set_free(&booked);
	free(frame_used);
	return why;
}
