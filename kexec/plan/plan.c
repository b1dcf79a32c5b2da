/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Making the plan. Memory is looked at in slots of 2 MiB: a slot that is usable is either owned (a frame of ours lies
 * there and may be booted from) or spare. The usable slots form runs; a window slides over every run, and the number of
 * owned slots in it is kept up to date on the way.
 */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#define NO_COST	UINT32_MAX

/* An owned frame, sorted by address. */
struct owned {
	pa_t pa;
	uint32_t frame;
	bool placeable;	/* may be booted from */
	bool used;	/* by a window, the hide-out or as a source */
};

struct planner {
	const struct plan_input *input;
	struct owned *owned;		/* all frames, by address */
	struct range_set usable;	/* whole slots: placeable frames and spare memory */
	struct range_set taken;		/* windows already chosen */
};

uint32_t plan_slots(const struct plan_object *object)
{
	if (!object->memory_bytes)
		return 0;
	return (uint32_t)((object->offset_bytes + object->memory_bytes + FRAME_BYTES - 1) / FRAME_BYTES);
}

/* The device tree lies at the end of the hide-out's frame, or in one of its own. */
static bool dtb_fits_beside(const struct plan_input *input)
{
	return align_up(input->hideout_bytes, KIB(64)) + align_up(input->dtb_bytes, KIB(64)) <= FRAME_BYTES;
}

static uint32_t small_frames(const struct plan_input *input)
{
	return dtb_fits_beside(input) ? 1 : 2;
}

uint32_t plan_frames_wanted(const struct plan_input *input)
{
	return plan_slots(&input->object[0]) + plan_slots(&input->object[1]) + small_frames(input);
}

static int by_pa(const void *a, const void *b)
{
	const struct owned *x = a, *y = b;

	return (x->pa > y->pa) - (x->pa < y->pa);
}

/* Index of the first owned frame at or above pa. */
static uint32_t owned_from(const struct planner *p, pa_t pa)
{
	uint32_t low = 0, high = p->input->frames;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (p->owned[middle].pa < pa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The frame at pa that may be booted from and is not used yet; null if there is none. */
static struct owned *placeable_at(const struct planner *p, pa_t pa)
{
	uint32_t i = owned_from(p, pa);

	if (i < p->input->frames && p->owned[i].pa == pa && p->owned[i].placeable && !p->owned[i].used)
		return &p->owned[i];
	return NULL;
}

static bool planner_open(struct planner *p, const struct plan_input *input)
{
	struct range below = { 0, input->rules.pa_limit };
	uint32_t i;
	size_t k;

	*p = (struct planner){ .input = input };
	p->owned = calloc(input->frames ? input->frames : 1, sizeof(*p->owned));
	if (!p->owned)
		return false;
	for (k = 0; k < input->spare->count; k++) {
		struct range r = input->spare->v[k];
		pa_t start = align_up(r.start, FRAME_BYTES), end = range_end(r);

		if (end > range_end(below))
			end = range_end(below);
		end = align_down(end, FRAME_BYTES);
		if (start >= r.start && start < end && !range_set_add(&p->usable, (struct range){ start, end - start }))
			return false;
	}
	for (i = 0; i < input->frames; i++) {
		struct range frame = { input->frame_pa[i], FRAME_BYTES };

		p->owned[i] = (struct owned){ .pa = frame.start, .frame = i };
		if (frame.start >= below.bytes || below.bytes - frame.start < FRAME_BYTES) {
			p->owned[i].used = true;	/* out of purgatory's reach */
			continue;
		}
		p->owned[i].placeable = range_set_contains(input->ram, frame);
		if (p->owned[i].placeable) {
			if (!range_set_add(&p->usable, frame))
				return false;
		} else if (!range_set_remove(&p->usable, frame)) {
			return false;
		}
	}
	qsort(p->owned, input->frames, sizeof(*p->owned), by_pa);
	return true;
}

static void planner_close(struct planner *p)
{
	free(p->owned);
	range_set_free(&p->usable);
	range_set_free(&p->taken);
}

/* Whether two windows lie within one span. */
static bool span_allows(const struct planner *p, struct range a, struct range b)
{
	const struct plan_rules *rules = &p->input->rules;
	pa_t start = a.start < b.start ? a.start : b.start;
	pa_t end = range_end(a) > range_end(b) ? range_end(a) : range_end(b);

	return end - align_down(start, rules->span_align_bytes) <= rules->span_bytes;
}

/* The best window of so many slots: the fewest slots that are not owned, then the lowest address. Returns its cost. */
static uint32_t best_window(const struct planner *p, uint32_t slots, const struct range *other, pa_t *best_pa)
{
	uint64_t bytes = (uint64_t)slots * FRAME_BYTES;
	uint32_t best = NO_COST;
	size_t k;

	for (k = 0; k < p->usable.count && best > 0; k++) {
		struct range run = p->usable.v[k];
		uint32_t first, next, owned = 0;
		pa_t pa;

		if (run.bytes < bytes)
			continue;
		/* [first, next) are the frames inside the window. A frame in a run is placeable: others were taken out. */
		first = next = owned_from(p, run.start);
		for (pa = run.start; pa + bytes <= range_end(run); pa += FRAME_BYTES) {
			struct range window = { pa, bytes };

			for (; next < p->input->frames && p->owned[next].pa < range_end(window); next++)
				owned += !p->owned[next].used;
			for (; first < next && p->owned[first].pa < pa; first++)
				owned -= !p->owned[first].used;
			if (slots - owned >= best)
				continue;
			if (range_set_overlaps(&p->taken, window) || (other && !span_allows(p, window, *other)))
				continue;
			best = slots - owned;
			*best_pa = pa;
			if (!best)
				break;
		}
	}
	return best;
}

/* Choose the windows in the given order of objects. Returns the total cost; on NO_COST nothing is chosen. */
static uint32_t choose_windows(struct planner *p, const unsigned int *order, pa_t *pa)
{
	struct range previous = { 0, 0 };
	uint32_t total = 0;
	unsigned int i;

	range_set_free(&p->taken);
	for (i = 0; i < PLAN_OBJECTS; i++) {
		uint32_t slots = plan_slots(&p->input->object[order[i]]);
		uint32_t cost;

		if (!slots)
			continue;
		cost = best_window(p, slots, previous.bytes ? &previous : NULL, &pa[order[i]]);
		if (cost == NO_COST)
			return NO_COST;
		total += cost;
		previous = (struct range){ pa[order[i]], (uint64_t)slots * FRAME_BYTES };
		if (!range_set_add(&p->taken, previous))
			return NO_COST;
	}
	return total;
}

/* The larger object first finds places for both in place whenever there are any; the other order is tried where it does
 * not, and the cheaper one is taken. */
static bool place_windows(struct planner *p, pa_t *pa)
{
	static const unsigned int orders[2][PLAN_OBJECTS] = { { 0, 1 }, { 1, 0 } };
	unsigned int larger = plan_slots(&p->input->object[1]) > plan_slots(&p->input->object[0]);
	pa_t other_pa[PLAN_OBJECTS] = { 0 };
	uint32_t cost, other_cost;

	cost = choose_windows(p, orders[larger], pa);
	if (cost == 0)
		return true;
	other_cost = choose_windows(p, orders[!larger], other_pa);
	if (other_cost < cost) {
		memcpy(pa, other_pa, sizeof(other_pa));
		return true;
	}
	return cost != NO_COST && choose_windows(p, orders[larger], pa) == cost;
}

/* An owned frame that no window uses: for the hide-out it must be bootable RAM, for a source it need not be. */
static struct owned *take_spare_frame(struct planner *p, bool placeable)
{
	uint32_t i;

	for (i = 0; i < p->input->frames; i++) {
		struct owned *owned = &p->owned[i];

		if (owned->used || (placeable && !owned->placeable) ||
		    range_set_overlaps(&p->taken, (struct range){ owned->pa, FRAME_BYTES }))
			continue;
		owned->used = true;
		return owned;
	}
	return NULL;
}

/* A place of 2 MiB for the hide-out or the device tree: ours if there is a frame to be had, else spare memory. */
static bool place_small(struct planner *p, pa_t *pa, uint32_t *frame)
{
	struct owned *owned = take_spare_frame(p, true);
	size_t k;

	if (owned) {
		*pa = owned->pa;
		*frame = owned->frame;
		return true;
	}
	*frame = PLAN_NO_FRAME;
	for (k = 0; k < p->usable.count; k++) {
		struct range run = p->usable.v[k];

		for (*pa = run.start; *pa < range_end(run); *pa += FRAME_BYTES) {
			struct range slot = { *pa, FRAME_BYTES };
			uint32_t i = owned_from(p, *pa);

			if (range_set_overlaps(&p->taken, slot) || (i < p->input->frames && p->owned[i].pa == *pa))
				continue;
			return range_set_add(&p->taken, slot);
		}
	}
	return false;
}

static bool place_hideout(struct planner *p, struct plan *plan)
{
	uint64_t dtb_bytes = align_up(p->input->dtb_bytes, KIB(64));

	if (!place_small(p, &plan->hideout_pa, &plan->hideout_frame))
		return false;
	if (dtb_fits_beside(p->input)) {
		plan->dtb_pa = plan->hideout_pa + FRAME_BYTES - dtb_bytes;
		plan->dtb_frame = plan->hideout_frame;
		return true;
	}
	return place_small(p, &plan->dtb_pa, &plan->dtb_frame);
}

struct hole {
	unsigned int object;
	uint32_t slot, slots;	/* a run of slots without a frame */
};

static int by_length(const void *a, const void *b)
{
	const struct hole *x = a, *y = b;

	if (x->slots != y->slots)
		return x->slots < y->slots ? 1 : -1;
	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	return (x->slot > y->slot) - (x->slot < y->slot);
}

/* All runs of slots that are not in place, longest first. */
static struct hole *find_holes(const struct plan *plan, size_t *count)
{
	struct hole *holes = calloc((size_t)plan->window[0].slots + plan->window[1].slots + 1, sizeof(*holes));
	unsigned int o;
	uint32_t i;

	*count = 0;
	if (!holes)
		return NULL;
	for (o = 0; o < PLAN_OBJECTS; o++) {
		for (i = 0; i < plan->window[o].slots; i++) {
			if (plan->window[o].slot[i].kind == SLOT_IN_PLACE)
				continue;
			if (i == 0 || plan->window[o].slot[i - 1].kind == SLOT_IN_PLACE)
				holes[(*count)++] = (struct hole){ o, i, 0 };
			holes[*count - 1].slots++;
		}
	}
	qsort(holes, *count, sizeof(*holes), by_length);
	return holes;
}

/* Give every slot that is not in place a source. What sources there are not frames for goes to the kernel, in as few
 * segments as possible: the longest runs first. */
static enum kx_err fill_holes(struct planner *p, struct plan *plan)
{
	unsigned int segments = 2;	/* the hide-out and the device tree */
	uint32_t sources = 0, holes_slots = 0, lacking, i;
	struct hole *holes;
	size_t count, h;

	for (i = 0; i < p->input->frames; i++)
		sources += !p->owned[i].used &&
			   !range_set_overlaps(&p->taken, (struct range){ p->owned[i].pa, FRAME_BYTES });
	holes = find_holes(plan, &count);
	if (!holes)
		return KX_NO_MEMORY;
	for (h = 0; h < count; h++)
		holes_slots += holes[h].slots;
	lacking = holes_slots > sources ? holes_slots - sources : 0;

	for (h = 0; h < count; h++) {
		struct plan_window *window = &plan->window[holes[h].object];
		uint32_t relocated = holes[h].slots < lacking ? holes[h].slots : lacking;

		lacking -= relocated;
		segments += relocated > 0;
		for (i = 0; i < holes[h].slots; i++) {
			struct plan_slot *slot = &window->slot[holes[h].slot + i];

			if (i < relocated) {
				*slot = (struct plan_slot){ SLOT_RELOCATED, PLAN_NO_FRAME };
				plan->relocated++;
			} else {
				struct owned *owned = take_spare_frame(p, false);

				*slot = (struct plan_slot){ SLOT_MOVED, owned ? owned->frame : PLAN_NO_FRAME };
				plan->moved++;
			}
		}
	}
	free(holes);
	return segments <= p->input->rules.segments_max ? KX_OK : KX_NO_ROOM;
}

enum kx_err plan_make(struct plan *plan, const struct plan_input *input)
{
	struct planner planner;
	pa_t pa[PLAN_OBJECTS] = { 0 };
	enum kx_err err = KX_NO_MEMORY;
	unsigned int o;
	uint32_t i;

	*plan = (struct plan){ .hideout_frame = PLAN_NO_FRAME, .dtb_frame = PLAN_NO_FRAME };
	if (!planner_open(&planner, input))
		goto out;
	err = KX_NO_ROOM;
	if (!place_windows(&planner, pa))
		goto out;

	for (o = 0; o < PLAN_OBJECTS; o++) {
		struct plan_window *window = &plan->window[o];

		window->pa = pa[o];
		window->slots = plan_slots(&input->object[o]);
		window->slot = calloc(window->slots ? window->slots : 1, sizeof(*window->slot));
		err = KX_NO_MEMORY;
		if (!window->slot)
			goto out;
		for (i = 0; i < window->slots; i++) {
			struct owned *owned = placeable_at(&planner, window->pa + i * FRAME_BYTES);

			window->slot[i] = (struct plan_slot){ SLOT_RELOCATED, PLAN_NO_FRAME };
			if (!owned)
				continue;
			window->slot[i] = (struct plan_slot){ SLOT_IN_PLACE, owned->frame };
			owned->used = true;
			plan->in_place++;
		}
	}
	err = KX_NO_ROOM;
	if (!place_hideout(&planner, plan))
		goto out;
	err = fill_holes(&planner, plan);
out:
	planner_close(&planner);
	if (err)
		plan_free(plan);
	return err;
}

void plan_free(struct plan *plan)
{
	unsigned int o;

	for (o = 0; o < PLAN_OBJECTS; o++)
		free(plan->window[o].slot);
	*plan = (struct plan){ .hideout_frame = PLAN_NO_FRAME, .dtb_frame = PLAN_NO_FRAME };
}

struct slot_piece plan_piece(const struct plan_window *window, const struct plan_object *object, uint32_t slot)
{
	struct slot_piece piece = { .slot_pa = window->pa + slot * FRAME_BYTES };
	uint64_t slot_start = slot * FRAME_BYTES, slot_end = slot_start + FRAME_BYTES;
	uint64_t start = object->offset_bytes, end = object->offset_bytes + object->file_bytes;

	if (start < slot_start)
		start = slot_start;
	if (end > slot_end)
		end = slot_end;
	if (start >= end)
		return piece;
	piece.slot_offset = start - slot_start;
	piece.file_offset = start - object->offset_bytes;
	piece.file_bytes = end - start;
	return piece;
}

size_t plan_segments(const struct plan *plan, const struct plan_input *input, unsigned int object, struct range *out,
		     size_t room)
{
	const struct plan_window *window = &plan->window[object];
	const struct plan_object *o = &input->object[object];
	pa_t first = window->pa + o->offset_bytes, end = first + o->file_bytes;
	size_t count = 0;
	uint32_t i, stop;

	for (i = 0; i < window->slots; i = stop) {
		pa_t from, to;

		stop = i + 1;
		if (window->slot[i].kind != SLOT_RELOCATED)
			continue;
		while (stop < window->slots && window->slot[stop].kind == SLOT_RELOCATED)
			stop++;
		from = window->pa + i * FRAME_BYTES;
		to = window->pa + stop * FRAME_BYTES;
		if (from < first)
			from = first;
		if (to > end)
			to = align_up(end, input->rules.page_bytes);
		if (to <= from)
			continue;	/* BSS only: nobody needs to write it */
		if (count < room)
			out[count] = (struct range){ from, to - from };
		count++;
	}
	return count;
}
