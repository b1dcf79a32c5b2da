/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last gate before kexec_load(2). It trusts nothing of how the plan was made: it writes down every byte range that the
 * plan says will be read or written at boot and looks whether any two collide, and whether each is where it may be.
 */
#include "plan.h"

#include "kexec_abi.h"

#include <stdlib.h>

/* Every use of memory is booked once; booking the same byte twice is a collision. */
static bool book(struct range_set *booked, struct range r)
{
	return !range_set_overlaps(booked, r) && range_set_add(booked, r);
}

/* A huge page that may be booted from. */
static bool is_ours(const struct plan_input *input, struct range r)
{
	uint32_t i;

	for (i = 0; i < input->pages; i++)
		if (input->page_pa[i] == r.start)
			return range_set_contains(input->ram, r);
	return false;
}

static const char *check_slot(const struct plan_input *input, const struct plan_slot *slot, struct range dest,
			      struct range_set *booked, bool *page_used, uint32_t *counts)
{
	if ((unsigned int)slot->kind > SLOT_EMPTY)
		return "a slot is of no kind";
	counts[slot->kind]++;
	if (!book(booked, dest))
		return "two things lie in the same place";
	if (slot->kind == SLOT_RELOCATED || slot->kind == SLOT_EMPTY) {
		if (slot->page != PLAN_NO_PAGE)
			return "a slot has a huge page that it does not need";
		if (slot->kind == SLOT_EMPTY && is_ours(input, dest))
			return NULL;
		return range_set_contains(input->spare, dest) ? NULL : "a segment or BSS goes where it may not";
	}
	if (slot->page >= input->pages)
		return "a slot has no huge page";
	if (page_used[slot->page])
		return "a huge page is used twice";
	page_used[slot->page] = true;
	if (slot->kind == SLOT_IN_PLACE) {
		if (input->page_pa[slot->page] != dest.start)
			return "a slot in place is not";
		return range_set_contains(input->ram, dest) ? NULL : "a slot in place is not in RAM";
	}
	if (!range_set_contains(input->spare, dest))
		return "a move goes where it may not";
	return NULL;
}

/* The control segment or the device tree: a piece of a slot of 2 MiB that is ours or wholly spare, since all of it is mapped. */
static const char *check_small(const struct plan_input *input, uint32_t page, pa_t pa, uint64_t bytes)
{
	struct range r = { pa, align_up(bytes, input->rules.page_bytes) };	/* segments are whole pages */
	struct range slot = { align_down(pa, PLAN_SLOT_BYTES), PLAN_SLOT_BYTES };

	if (!bytes)
		return "there is no control segment or no device tree";
	if (pa % KIB(64) || range_end(r) > range_end(slot))
		return "the control segment or the device tree straddles 2 MiB";
	if (range_end(slot) > input->rules.pa_limit)
		return "the control segment or the device tree lies above the address limit";
	if (page == PLAN_NO_PAGE && input->rules.small == PLAN_SMALL_OURS)
		return "the control segment or the device tree is not ours";
	if (page != PLAN_NO_PAGE && input->rules.small == PLAN_SMALL_SPARE)
		return "the control segment or the device tree lies where the kernel cannot write";
	if (page == PLAN_NO_PAGE)
		return range_set_contains(input->spare, slot) ? NULL : "the control segment or the device tree lies where it may not";
	if (page >= input->pages || slot.start != input->page_pa[page])
		return "the control segment or the device tree is not in its huge page";
	return range_set_contains(input->ram, slot) ? NULL : "the control segment or the device tree is not in RAM";
}

/* Both of them, and that nothing else lies in their slots. */
static const char *check_control(const struct plan *plan, const struct plan_input *input, struct range_set *booked)
{
	struct range control = { plan->control_pa, align_up(input->control_bytes, input->rules.page_bytes) };
	struct range dtb = { plan->dtb_pa, align_up(input->dtb_bytes, input->rules.page_bytes) };
	pa_t control_slot = align_down(plan->control_pa, PLAN_SLOT_BYTES), dtb_slot = align_down(plan->dtb_pa, PLAN_SLOT_BYTES);
	const char *why = check_small(input, plan->control_page, plan->control_pa, input->control_bytes);

	if (!why)
		why = check_small(input, plan->dtb_page, plan->dtb_pa, input->dtb_bytes);
	if (why)
		return why;
	if (range_overlaps(control, dtb))
		return "the control segment and the device tree lie on one another";
	if (!book(booked, (struct range){ control_slot, PLAN_SLOT_BYTES }) ||
	    (dtb_slot != control_slot && !book(booked, (struct range){ dtb_slot, PLAN_SLOT_BYTES })))
		return "the control segment or the device tree lies on something else";
	return NULL;
}

static const char *check_all(const struct plan *plan, const struct plan_input *input, struct range_set *booked,
			     bool *page_used)
{
	const struct plan_rules *rules = &input->rules;
	pa_t lowest = UINT64_MAX, highest = 0;
	uint32_t counts[SLOT_EMPTY + 1] = { 0 }, i;
	struct range segment[KEXEC_SEGMENT_MAX];
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
		if (window->pa % PLAN_SLOT_BYTES)
			return "a window is not aligned to 2 MiB";
		if (window->slots * PLAN_SLOT_BYTES < bytes || window->slots * PLAN_SLOT_BYTES - bytes >= PLAN_SLOT_BYTES)
			return "a window has the wrong length";
		if (input->object[o].file_bytes > input->object[o].memory_bytes)
			return "a file is longer than its memory";
		for (i = 0; i < window->slots; i++) {
			struct range dest = { window->pa + i * PLAN_SLOT_BYTES, PLAN_SLOT_BYTES };

			why = check_slot(input, &window->slot[i], dest, booked, page_used, counts);
			if (why)
				return why;
			if (window->slot[i].kind == SLOT_EMPTY && plan_piece(window, &input->object[o], i).file_bytes)
				return "a slot with a piece of the file is empty";
		}
		if (window->pa < lowest)
			lowest = window->pa;
		if (window->pa + window->slots * PLAN_SLOT_BYTES > highest)
			highest = window->pa + window->slots * PLAN_SLOT_BYTES;
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
	if (rules->pages_alone && counts[SLOT_RELOCATED])
		return "the kernel is to relocate what it is not given";
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
			source = (struct range){ input->page_pa[slot->page], PLAN_SLOT_BYTES };
			if (range_end(source) > rules->pa_limit)
				return "a source lies above the address limit";
			if (!book(booked, source))
				return "a source is overwritten";
		}
	}
	return check_control(plan, input, booked);
}

/* What we do not own must not be written where a huge page of ours waits with a payload. Huge pages outside every window that
 * are neither source nor control segment are given back before the load, so they may be overwritten. */
const char *plan_check(const struct plan *plan, const struct plan_input *input)
{
	struct range_set booked = { 0 };
	bool *page_used = calloc(input->pages ? input->pages : 1, sizeof(*page_used));
	const char *why;

	why = page_used ? check_all(plan, input, &booked, page_used) : "out of memory";
	range_set_free(&booked);
	free(page_used);
	return why;
}
