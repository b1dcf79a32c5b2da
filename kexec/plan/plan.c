/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Making the plan. Memory is looked at in slots of 2 MiB: a slot that is usable is either owned (a huge page of ours lies
 * there and may be booted from) or spare. The usable slots form runs; windows slide over every run, and the number of
 * owned slots in them is kept up to date on the way.
 */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#define NO_COST	UINT32_MAX

/* An owned huge page, sorted by address. */
struct owned {
	pa_t pa;
	uint32_t page;
	bool placeable;	/* may be booted from */
	bool used;	/* by a window, the control segment or as a source */
};

struct planner {
	const struct plan_input *input;
	struct owned *owned;		/* all huge pages, by address */
	struct range_set usable;	/* whole slots: placeable huge pages and spare memory */
	struct range_set taken;		/* windows already chosen */
};

static uint32_t slots_up_to(uint64_t bytes)
{
	return (uint32_t)((bytes + PLAN_SLOT_BYTES - 1) / PLAN_SLOT_BYTES);
}

uint32_t plan_slots(const struct plan_object *object)
{
	return object->memory_bytes ? slots_up_to(object->offset_bytes + object->memory_bytes) : 0;
}

/* Of them those that a piece of the file lies in. They are the first ones: what is behind the file is BSS. */
static uint32_t file_slots(const struct plan_object *object)
{
	return object->memory_bytes && object->file_bytes ? slots_up_to(object->offset_bytes + object->file_bytes) : 0;
}

/* The device tree lies at the end of the control segment's huge page, or in one of its own. */
static bool dtb_fits_beside(const struct plan_input *input)
{
	return align_up(input->control_bytes, KIB(64)) + align_up(input->dtb_bytes, KIB(64)) <= PLAN_SLOT_BYTES;
}

static uint32_t small_pages(const struct plan_input *input)
{
	return dtb_fits_beside(input) ? 1 : 2;
}

uint32_t plan_pages_wanted(const struct plan_input *input)
{
	return plan_slots(&input->object[0]) + plan_slots(&input->object[1]) + small_pages(input);
}

static int by_pa(const void *a, const void *b)
{
	const struct owned *x = a, *y = b;

	return (x->pa > y->pa) - (x->pa < y->pa);
}

/* Index of the first owned huge page at or above pa. */
static uint32_t owned_from(const struct planner *p, pa_t pa)
{
	uint32_t low = 0, high = p->input->pages;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (p->owned[middle].pa < pa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The huge page at pa that may be booted from and is not used yet; null if there is none. */
static struct owned *placeable_at(const struct planner *p, pa_t pa)
{
	uint32_t i = owned_from(p, pa);

	if (i < p->input->pages && p->owned[i].pa == pa && p->owned[i].placeable && !p->owned[i].used)
		return &p->owned[i];
	return NULL;
}

static bool planner_open(struct planner *p, const struct plan_input *input)
{
	struct range below = { 0, input->rules.pa_limit };
	uint32_t i;
	size_t k;

	*p = (struct planner){ .input = input };
	p->owned = calloc(input->pages ? input->pages : 1, sizeof(*p->owned));
	if (!p->owned)
		return false;
	for (k = 0; k < input->spare->count; k++) {
		struct range r = input->spare->v[k];
		pa_t start = align_up(r.start, PLAN_SLOT_BYTES), end = range_end(r);

		if (end > range_end(below))
			end = range_end(below);
		end = align_down(end, PLAN_SLOT_BYTES);
		if (start >= r.start && start < end && !range_set_add(&p->usable, (struct range){ start, end - start }))
			return false;
	}
	for (i = 0; i < input->pages; i++) {
		struct range page = { input->page_pa[i], PLAN_SLOT_BYTES };

		p->owned[i] = (struct owned){ .pa = page.start, .page = i };
		if (page.start >= below.bytes || below.bytes - page.start < PLAN_SLOT_BYTES) {
			p->owned[i].used = true;	/* out of purgatory's reach */
			continue;
		}
		p->owned[i].placeable = range_set_contains(input->ram, page);
		if (p->owned[i].placeable) {
			if (!range_set_add(&p->usable, page))
				return false;
		} else if (!range_set_remove(&p->usable, page)) {
			return false;
		}
	}
	qsort(p->owned, input->pages, sizeof(*p->owned), by_pa);
	return true;
}

static void planner_close(struct planner *p)
{
	free(p->owned);
	range_set_free(&p->usable);
	range_set_free(&p->taken);
}

/*
 * All places where an object's window could lie, in order of address: the windows inside every run of usable slots inside
 * limit. cost is how many slots of the present one would hold a piece of the file and are not owned.
 */
struct cursor {
	const struct planner *p;
	struct range limit;
	uint64_t bytes, file_bytes;	/* of the window; of its slots with a piece of the file */
	size_t run;		/* the next one to enter */
	pa_t pa, stop;		/* present window; end of the present run */
	uint32_t first, next;	/* the huge pages inside file_bytes: a huge page in a run is placeable, others were taken out */
	uint32_t cost;
};

static struct cursor cursor_open(const struct planner *p, unsigned int object, struct range limit)
{
	const struct plan_object *o = &p->input->object[object];

	return (struct cursor){ .p = p, .limit = limit, .bytes = plan_slots(o) * PLAN_SLOT_BYTES, .file_bytes = file_slots(o) * PLAN_SLOT_BYTES };
}

static bool cursor_next(struct cursor *c)
{
	const struct planner *p = c->p;

	c->pa += PLAN_SLOT_BYTES;
	while (!c->stop || c->stop - c->pa < c->bytes || c->pa > c->stop) {
		pa_t start, stop;

		if (c->run == p->usable.count)
			return false;
		start = p->usable.v[c->run].start;
		stop = range_end(p->usable.v[c->run++]);
		if (start < c->limit.start)
			start = c->limit.start;
		if (stop > range_end(c->limit))
			stop = range_end(c->limit);
		if (start >= stop)
			continue;
		c->pa = start;
		c->stop = stop;
		c->first = c->next = owned_from(p, start);
	}
	while (c->next < p->input->pages && p->owned[c->next].pa < c->pa + c->file_bytes)
		c->next++;
	while (c->first < c->next && p->owned[c->first].pa < c->pa)
		c->first++;
	c->cost = (uint32_t)(c->file_bytes / PLAN_SLOT_BYTES) - (c->next - c->first);
	return true;
}

struct choice {
	uint32_t cost;
	pa_t pa[PLAN_OBJECTS];
};

static void keep_better(struct choice *best, uint32_t cost, unsigned int a, pa_t a_pa, unsigned int b, pa_t b_pa)
{
	if (cost >= best->cost)
		return;
	best->cost = cost;
	best->pa[a] = a_pa;
	best->pa[b] = b_pa;
}

/* The cheapest place for one object alone. least: what no place can be cheaper than. */
static void search_one(const struct planner *p, unsigned int object, struct range limit, uint32_t least, struct choice *best)
{
	struct cursor c = cursor_open(p, object, limit);

	while (best->cost > least && cursor_next(&c))
		keep_better(best, c.cost, object, c.pa, object, c.pa);
}

/* The cheapest pair of windows with one object below the other: on the way up with the upper one, the best window that
 * lies wholly below it is always known. Exact, and one pass. */
static void search_pair(const struct planner *p, unsigned int lower, unsigned int upper, struct range limit,
			uint32_t least, struct choice *best)
{
	struct cursor low = cursor_open(p, lower, limit);
	struct cursor up = cursor_open(p, upper, limit);
	bool more = cursor_next(&low);
	uint32_t low_cost = NO_COST;
	pa_t low_pa = 0;

	while (best->cost > least && cursor_next(&up)) {
		for (; more && low.pa + low.bytes <= up.pa; more = cursor_next(&low)) {
			if (low.cost >= low_cost)
				continue;
			low_cost = low.cost;
			low_pa = low.pa;
		}
		if (low_cost != NO_COST)
			keep_better(best, low_cost + up.cost, lower, low_pa, upper, up.pa);
	}
}

static bool holds_pages(const struct planner *p, struct range span)
{
	uint32_t first = owned_from(p, span.start);

	return first < p->input->pages && p->owned[first].pa < range_end(span);
}

/* What a span could give at best. Without a huge page of ours in it every place costs the same: one of those is enough, and the machine may
 * have thousands of such spans. */
static void search_span(const struct planner *p, struct range span, struct choice *best)
{
	const struct plan_object *object = p->input->object;
	uint32_t least = holds_pages(p, span) ? 0 : file_slots(&object[0]) + file_slots(&object[1]);

	if (!object[0].memory_bytes || !object[1].memory_bytes) {
		search_one(p, object[1].memory_bytes != 0, span, least, best);
	} else {
		search_pair(p, 0, 1, span, least, best);
		search_pair(p, 1, 0, span, least, best);
	}
}

/* Look through every span that memory begins in, lowest first. */
static bool place_windows(const struct planner *p, struct choice *best)
{
	const struct plan_rules *rules = &p->input->rules;
	struct range span = { 0, rules->span_bytes };
	pa_t end;
	size_t k;

	*best = (struct choice){ .cost = NO_COST };
	if (!p->input->object[0].memory_bytes && !p->input->object[1].memory_bytes) {
		best->cost = 0;
		return true;
	}
	if (!p->usable.count)
		return false;
	end = range_end(p->usable.v[p->usable.count - 1]);
	for (k = 0; k < p->usable.count; k++) {
		struct range run = p->usable.v[k];
		pa_t base = align_down(run.start, rules->span_align_bytes);

		if (base <= span.start && k)
			base = span.start + rules->span_align_bytes;
		for (; base < range_end(run) && best->cost; base += rules->span_align_bytes) {
			span.start = base;
			search_span(p, span, best);
			if (range_end(span) >= end)
				return best->cost != NO_COST;	/* all the others would see less */
		}
	}
	return best->cost != NO_COST;
}

/* Not in use, and outside every window: not where BSS will be, either. */
static bool is_free(const struct planner *p, const struct owned *owned)
{
	return !owned->used && !range_set_overlaps(&p->taken, (struct range){ owned->pa, PLAN_SLOT_BYTES });
}

static uint32_t free_pages(const struct planner *p)
{
	uint32_t i, count = 0;

	for (i = 0; i < p->input->pages; i++)
		count += is_free(p, &p->owned[i]);
	return count;
}

/* For the control segment it must be bootable RAM, for a source it need not be. */
static struct owned *take_free_page(struct planner *p, bool placeable)
{
	uint32_t i;

	for (i = 0; i < p->input->pages; i++) {
		struct owned *owned = &p->owned[i];

		if (!is_free(p, owned) || (placeable && !owned->placeable))
			continue;
		owned->used = true;
		return owned;
	}
	return NULL;
}

static bool place_small_in_page(struct planner *p, pa_t *pa, uint32_t *page)
{
	struct owned *owned = take_free_page(p, true);

	if (!owned)
		return false;
	*pa = owned->pa;
	*page = owned->page;
	return true;
}

static bool place_small_in_spare(struct planner *p, pa_t *pa, uint32_t *page)
{
	size_t k;

	*page = PLAN_NO_PAGE;
	for (k = 0; k < p->usable.count; k++) {
		struct range run = p->usable.v[k];

		for (*pa = run.start; *pa < range_end(run); *pa += PLAN_SLOT_BYTES) {
			struct range slot = { *pa, PLAN_SLOT_BYTES };
			uint32_t i = owned_from(p, *pa);

			if (range_set_overlaps(&p->taken, slot) || (i < p->input->pages && p->owned[i].pa == *pa))
				continue;
			return range_set_add(&p->taken, slot);
		}
	}
	return false;
}

/*
 * A place of 2 MiB for the control segment or the device tree, which the kernel relocates anyway: a huge page of ours if no payload has to do
 * without it, else spare memory.
 */
static bool place_small(struct planner *p, const struct plan *plan, pa_t *pa, uint32_t *page)
{
	if (p->input->rules.small == PLAN_SMALL_OURS)
		return place_small_in_page(p, pa, page);
	if (p->input->rules.small == PLAN_SMALL_SPARE)
		return place_small_in_spare(p, pa, page);
	return (free_pages(p) > plan->relocated && place_small_in_page(p, pa, page)) || place_small_in_spare(p, pa, page) ||
	       place_small_in_page(p, pa, page);
}

static bool place_control(struct planner *p, struct plan *plan)
{
	uint64_t dtb_bytes = align_up(p->input->dtb_bytes, KIB(64));

	if (!place_small(p, plan, &plan->control_pa, &plan->control_page))
		return false;
	if (dtb_fits_beside(p->input)) {
		plan->dtb_pa = plan->control_pa + PLAN_SLOT_BYTES - dtb_bytes;
		plan->dtb_page = plan->control_page;
		return true;
	}
	return place_small(p, plan, &plan->dtb_pa, &plan->dtb_page);
}

struct hole {
	unsigned int object;
	uint32_t slot, slots;	/* a run of slots that need a source */
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

/* All runs of slots that need a source, longest first. */
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
			if (plan->window[o].slot[i].kind != SLOT_RELOCATED)
				continue;
			if (i == 0 || plan->window[o].slot[i - 1].kind != SLOT_RELOCATED)
				holes[(*count)++] = (struct hole){ o, i, 0 };
			holes[*count - 1].slots++;
		}
	}
	qsort(holes, *count, sizeof(*holes), by_length);
	return holes;
}

/* Give every slot that needs one a source. What sources there are not huge pages for goes to the kernel, in as few
 * segments as possible: the longest runs first. */
static enum kx_err fill_holes(struct planner *p, struct plan *plan)
{
	unsigned int segments = 2;	/* the control segment and the device tree */
	uint32_t sources = free_pages(p), lacking = plan->relocated > sources ? plan->relocated - sources : 0, i;
	struct hole *holes;
	size_t count, h;

	if (lacking && p->input->rules.pages_alone)
		return KX_NO_ROOM;
	holes = find_holes(plan, &count);
	if (!holes)
		return KX_NO_MEMORY;
	for (h = 0; h < count; h++) {
		struct plan_window *window = &plan->window[holes[h].object];
		uint32_t relocated = holes[h].slots < lacking ? holes[h].slots : lacking;

		lacking -= relocated;
		segments += relocated > 0;
		for (i = relocated; i < holes[h].slots; i++) {
			struct owned *source = take_free_page(p, false);

			window->slot[holes[h].slot + i] = (struct plan_slot){ SLOT_MOVED, source ? source->page : PLAN_NO_PAGE };
			plan->relocated--;
			plan->moved++;
		}
	}
	free(holes);
	return segments <= p->input->rules.segments_max ? KX_OK : KX_NO_ROOM;
}

/* What every slot of a window is before sources are handed out: what is not in place is the kernel's. */
static bool open_window(struct planner *p, struct plan *plan, unsigned int object, pa_t pa)
{
	struct plan_window *window = &plan->window[object];
	uint32_t i;

	window->pa = pa;
	window->slots = plan_slots(&p->input->object[object]);
	window->slot = calloc(window->slots ? window->slots : 1, sizeof(*window->slot));
	if (!window->slot ||
	    !range_set_add(&p->taken, (struct range){ pa, (uint64_t)window->slots * PLAN_SLOT_BYTES }))
		return false;
	for (i = 0; i < window->slots; i++) {
		struct owned *owned;

		window->slot[i] = (struct plan_slot){ SLOT_EMPTY, PLAN_NO_PAGE };
		if (i >= file_slots(&p->input->object[object])) {
			plan->empty++;
			continue;
		}
		owned = placeable_at(p, pa + i * PLAN_SLOT_BYTES);
		if (owned) {
			window->slot[i] = (struct plan_slot){ SLOT_IN_PLACE, owned->page };
			owned->used = true;
			plan->in_place++;
		} else {
			window->slot[i].kind = SLOT_RELOCATED;
			plan->relocated++;
		}
	}
	return true;
}

static enum kx_err make(struct plan *plan, const struct plan_input *input)
{
	struct planner planner;
	struct choice best;
	enum kx_err err = KX_NO_MEMORY;

	*plan = (struct plan){ .control_page = PLAN_NO_PAGE, .dtb_page = PLAN_NO_PAGE };
	if (!planner_open(&planner, input))
		goto out;
	err = KX_NO_ROOM;
	if (!place_windows(&planner, &best))
		goto out;
	err = KX_NO_MEMORY;
	if (!open_window(&planner, plan, 0, best.pa[0]) || !open_window(&planner, plan, 1, best.pa[1]))
		goto out;
	err = KX_NO_ROOM;
	if (!place_control(&planner, plan))
		goto out;
	err = fill_holes(&planner, plan);
out:
	planner_close(&planner);
	if (err)
		plan_free(plan);
	return err;
}

enum kx_err plan_make(struct plan *plan, const struct plan_input *input)
{
	struct plan_input without = *input;
	enum kx_err err = make(plan, input);

	if (input->rules.pages_alone)
		return err;
	/* Huge pages scattered so badly that the holes between them need more segments than there are: then none is better. */
	without.pages = 0;
	return err == KX_NO_ROOM && input->pages ? make(plan, &without) : err;
}

void plan_free(struct plan *plan)
{
	unsigned int o;

	for (o = 0; o < PLAN_OBJECTS; o++)
		free(plan->window[o].slot);
	*plan = (struct plan){ .control_page = PLAN_NO_PAGE, .dtb_page = PLAN_NO_PAGE };
}

struct slot_piece plan_piece(const struct plan_window *window, const struct plan_object *object, uint32_t slot)
{
	struct slot_piece piece = { .slot_pa = window->pa + slot * PLAN_SLOT_BYTES };
	uint64_t slot_start = slot * PLAN_SLOT_BYTES, slot_end = slot_start + PLAN_SLOT_BYTES;
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

bool plan_slack(const struct plan_object *object, uint64_t bytes, uint32_t *slot, uint64_t *slot_offset)
{
	uint64_t end = align_up(object->offset_bytes + object->file_bytes, PLAN_SLACK_ALIGN_BYTES);

	if (!object->file_bytes || !(end % PLAN_SLOT_BYTES) || PLAN_SLOT_BYTES - end % PLAN_SLOT_BYTES < bytes)
		return false;
	*slot = (uint32_t)(end / PLAN_SLOT_BYTES);
	*slot_offset = end % PLAN_SLOT_BYTES;
	return true;
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
		from = window->pa + i * PLAN_SLOT_BYTES;
		to = window->pa + stop * PLAN_SLOT_BYTES;
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
