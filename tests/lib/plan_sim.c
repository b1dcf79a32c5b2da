/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory is a sorted list of slots, each with a tag for what lies in it. Only slots that the plan or the input names
 * are in the list: to write to any other is an error in itself.
 */
#include "plan_sim.h"

#include <stdlib.h>
#include <string.h>

#define SLOT		PLAN_SLOT_BYTES
#define TAG_OLD		0u	/* of no concern */
#define TAG_SMALL	1u	/* control segment, device tree or both */
#define SMALL_UNIT	KIB(64)

struct cell {
	pa_t pa;
	uint32_t tag;
};

struct memory {
	struct cell *cell;
	size_t count;
};

/* Own and slow: the sets are sorted and no two ranges touch, so one range must hold it all. */
static bool covers(const struct range_set *set, pa_t pa, uint64_t bytes)
{
	size_t i;

	for (i = 0; i < set->count; i++)
		if (pa >= set->v[i].start && pa - set->v[i].start < set->v[i].bytes &&
		    bytes <= set->v[i].bytes - (pa - set->v[i].start))
			return true;
	return false;
}

static bool below_limit(const struct plan_input *input, pa_t pa, uint64_t bytes)
{
	return pa < input->rules.pa_limit && bytes <= input->rules.pa_limit - pa;
}

static bool span_keeps(const struct plan_input *input, pa_t low, pa_t high)
{
	const struct plan_rules *rules = &input->rules;

	return high - low / rules->span_align_bytes * rules->span_align_bytes <= rules->span_bytes;
}

/* A huge page of ours that may be booted from. */
static bool bootable(const struct plan_input *input, uint32_t page)
{
	return below_limit(input, input->page_pa[page], SLOT) && covers(input->ram, input->page_pa[page], SLOT);
}

static bool ours_at(const struct plan_input *input, pa_t pa)
{
	uint32_t i;

	for (i = 0; i < input->pages; i++)
		if (input->page_pa[i] == pa && bootable(input, i))
			return true;
	return false;
}

static uint32_t tag_of(unsigned int object, uint32_t slot)
{
	return ((object + 1) << 24) + slot;
}

static int cell_order(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;

	return x->pa < y->pa ? -1 : x->pa > y->pa;
}

static void sort_cells(struct memory *m)
{
	size_t i, kept = 0;

	qsort(m->cell, m->count, sizeof(*m->cell), cell_order);
	for (i = 0; i < m->count; i++)
		if (!kept || m->cell[kept - 1].pa != m->cell[i].pa)
			m->cell[kept++] = m->cell[i];
	m->count = kept;
}

static struct cell *cell_at(const struct memory *m, pa_t pa)
{
	struct cell key = { .pa = pa };

	return bsearch(&key, m->cell, m->count, sizeof(key), cell_order);
}

static uint64_t object_end(const struct plan_object *object)
{
	return object->memory_bytes ? object->offset_bytes + object->memory_bytes : 0;
}

static const char *check_shape(const struct plan *plan, const struct plan_input *input)
{
	uint32_t sum[SLOT_EMPTY + 1] = { 0, 0, 0 }, i;
	unsigned int o, segments = 2;

	for (o = 0; o < PLAN_OBJECTS; o++) {
		const struct plan_window *w = &plan->window[o];
		uint64_t file_end = input->object[o].offset_bytes + input->object[o].file_bytes;
		bool before = false;

		if (w->pa % SLOT)
			return "sim: a window between two slots";
		if (w->slots != (object_end(&input->object[o]) + SLOT - 1) / SLOT)
			return "sim: a window of another size";
		for (i = 0; i < w->slots; i++) {
			bool relocated = w->slot[i].kind == SLOT_RELOCATED, empty = w->slot[i].kind == SLOT_EMPTY;

			if ((unsigned int)w->slot[i].kind > SLOT_EMPTY)
				return "sim: a slot of no kind";
			if (empty && i * SLOT < file_end && (i + 1) * SLOT > input->object[o].offset_bytes)
				return "sim: a piece of a file is left out";
			if (relocated || empty ? w->slot[i].page != PLAN_NO_PAGE : w->slot[i].page >= input->pages)
				return "sim: a huge page too many or too few";
			sum[w->slot[i].kind]++;
			segments += relocated && !before;
			before = relocated;
		}
	}
	if (sum[SLOT_IN_PLACE] != plan->in_place || sum[SLOT_MOVED] != plan->moved ||
	    sum[SLOT_RELOCATED] != plan->relocated || sum[SLOT_EMPTY] != plan->empty)
		return "sim: wrong sums";
	return segments > input->rules.segments_max ? "sim: too many segments" : NULL;
}

static const char *check_span(const struct plan *plan, const struct plan_input *input)
{
	pa_t low = UINT64_MAX, high = 0;
	unsigned int o;

	for (o = 0; o < PLAN_OBJECTS; o++) {
		const struct plan_window *w = &plan->window[o];

		if (!w->slots)
			continue;
		if (!below_limit(input, w->pa, w->slots * SLOT))
			return "sim: a window above the limit";
		low = w->pa < low ? w->pa : low;
		high = w->pa + w->slots * SLOT > high ? w->pa + w->slots * SLOT : high;
	}
	return high && !span_keeps(input, low, high) ? "sim: the span is too long" : NULL;
}

static bool memory_open(struct memory *m, const struct plan *plan, const struct plan_input *input)
{
	unsigned int o;
	uint32_t i;

	m->count = 0;
	m->cell = calloc((size_t)input->pages + plan->window[0].slots + plan->window[1].slots + 2, sizeof(*m->cell));
	if (!m->cell)
		return false;
	for (i = 0; i < input->pages; i++)
		m->cell[m->count++].pa = input->page_pa[i];
	for (o = 0; o < PLAN_OBJECTS; o++)
		for (i = 0; i < plan->window[o].slots; i++)
			m->cell[m->count++].pa = plan->window[o].pa + i * SLOT;
	m->cell[m->count++].pa = plan->control_pa / SLOT * SLOT;
	m->cell[m->count++].pa = plan->dtb_pa / SLOT * SLOT;
	sort_cells(m);
	return true;
}

/* Before the jump: nothing may be written twice. */
static bool put(struct memory *m, pa_t pa, uint32_t tag)
{
	struct cell *cell = cell_at(m, pa);

	if (!cell || cell->tag != TAG_OLD)
		return false;
	cell->tag = tag;
	return true;
}

static const char *fill(struct memory *m, const struct plan *plan, const struct plan_input *input)
{
	unsigned int o;
	uint32_t i;

	for (o = 0; o < PLAN_OBJECTS; o++) {
		for (i = 0; i < plan->window[o].slots; i++) {
			const struct plan_slot *slot = &plan->window[o].slot[i];

			if (slot->kind == SLOT_RELOCATED || slot->kind == SLOT_EMPTY)
				continue;
			if (slot->kind == SLOT_IN_PLACE && !bootable(input, slot->page))
				return "sim: booted from a huge page that may not be";
			if (!below_limit(input, input->page_pa[slot->page], SLOT))
				return "sim: a payload above the limit";
			if (!put(m, input->page_pa[slot->page], tag_of(o, i)))
				return "sim: two payloads in one huge page";
		}
	}
	return NULL;
}

static const char *place_small(const struct plan_input *input, uint32_t page, pa_t pa, uint64_t bytes)
{
	if (pa % SMALL_UNIT || pa % SLOT + bytes > SLOT)
		return "sim: control segment or dtb in two slots";
	if (!below_limit(input, pa, bytes))
		return "sim: control segment or dtb above the limit";
	if (input->rules.small == (page == PLAN_NO_PAGE ? PLAN_SMALL_OURS : PLAN_SMALL_SPARE))
		return "sim: control segment or dtb in memory of the other kind";
	if (page == PLAN_NO_PAGE)
		return covers(input->spare, pa, bytes) ? NULL : "sim: control segment or dtb not in spare memory";
	if (page >= input->pages || !bootable(input, page) || input->page_pa[page] != pa / SLOT * SLOT)
		return "sim: control segment or dtb not in its huge page";
	return NULL;
}

/* What kexec_load's segments do. BSS is not copied, but its place is taken all the same. */
static const char *relocate(struct memory *m, const struct plan *plan, const struct plan_input *input)
{
	pa_t control = plan->control_pa / SLOT * SLOT, dtb = plan->dtb_pa / SLOT * SLOT;
	const char *why;
	unsigned int o;
	uint32_t i;

	for (o = 0; o < PLAN_OBJECTS; o++) {
		for (i = 0; i < plan->window[o].slots; i++) {
			pa_t pa = plan->window[o].pa + i * SLOT;

			if (plan->window[o].slot[i].kind != SLOT_RELOCATED && plan->window[o].slot[i].kind != SLOT_EMPTY)
				continue;
			if (input->rules.pages_alone && plan->window[o].slot[i].kind == SLOT_RELOCATED)
				return "sim: the kernel is to write a piece of a file";
			if (!covers(input->spare, pa, SLOT) && !(plan->window[o].slot[i].kind == SLOT_EMPTY && ours_at(input, pa)))
				return "sim: the kernel writes where it may not";
			if (!put(m, pa, tag_of(o, i)))
				return "sim: the kernel overwrites something";
		}
	}
	why = place_small(input, plan->control_page, plan->control_pa, input->control_bytes);
	if (!why)
		why = place_small(input, plan->dtb_page, plan->dtb_pa, input->dtb_bytes);
	if (why)
		return why;
	if (!put(m, control, TAG_SMALL) || (dtb != control && !put(m, dtb, TAG_SMALL)))
		return "sim: control segment or dtb overwrites something";
	if (dtb == control && plan->control_pa < plan->dtb_pa + input->dtb_bytes &&
	    plan->dtb_pa < plan->control_pa + input->control_bytes)
		return "sim: control segment and dtb overwrite each other";
	return NULL;
}

/* What purgatory does. It looks at nothing: a move that destroys something is found by what memory then holds. */
static const char *move(struct memory *m, const struct plan *plan, const struct plan_input *input, bool backwards)
{
	uint32_t first = plan->window[0].slots, all = first + plan->window[1].slots, n;

	for (n = 0; n < all; n++) {
		uint32_t i = backwards ? all - 1 - n : n;
		const struct plan_window *w = &plan->window[i >= first];
		pa_t dest;

		i -= i >= first ? first : 0;
		dest = w->pa + i * SLOT;
		if (w->slot[i].kind != SLOT_MOVED)
			continue;
		if (!covers(input->spare, dest, SLOT))
			return "sim: a move to where it may not go";
		cell_at(m, dest)->tag = cell_at(m, input->page_pa[w->slot[i].page])->tag;
	}
	return NULL;
}

static const char *judge(const struct memory *m, const struct plan *plan)
{
	unsigned int o;
	uint32_t i;

	for (o = 0; o < PLAN_OBJECTS; o++)
		for (i = 0; i < plan->window[o].slots; i++)
			if (cell_at(m, plan->window[o].pa + i * SLOT)->tag != tag_of(o, i))
				return "sim: a slot ends with the wrong bytes";
	if (cell_at(m, plan->control_pa / SLOT * SLOT)->tag != TAG_SMALL ||
	    cell_at(m, plan->dtb_pa / SLOT * SLOT)->tag != TAG_SMALL)
		return "sim: control segment or dtb destroyed";
	return NULL;
}

const char *plan_sim(const struct plan *plan, const struct plan_input *input)
{
	struct memory m[2] = { { NULL, 0 }, { NULL, 0 } };
	const char *why;
	unsigned int k;
	size_t i;

	why = check_shape(plan, input);
	if (!why)
		why = check_span(plan, input);
	for (k = 0; !why && k < 2; k++) {
		why = memory_open(&m[k], plan, input) ? fill(&m[k], plan, input) : "sim: out of memory";
		if (!why)
			why = relocate(&m[k], plan, input);
		if (!why)
			why = move(&m[k], plan, input, k == 1);
		if (!why)
			why = judge(&m[k], plan);
	}
	for (i = 0; !why && i < m[0].count; i++)
		why = m[0].cell[i].tag == m[1].cell[i].tag ? NULL : "sim: the order of moves matters";
	free(m[0].cell);
	free(m[1].cell);
	return why;
}

enum covered { OUTSIDE, BY_FILE, BY_BSS };

static enum covered covered_by(const struct plan *plan, pa_t pa)
{
	unsigned int o;

	for (o = 0; o < PLAN_OBJECTS; o++) {
		const struct plan_window *w = &plan->window[o];

		if (pa >= w->pa && pa - w->pa < w->slots * SLOT)
			return w->slot[(pa - w->pa) / SLOT].kind == SLOT_EMPTY ? BY_BSS : BY_FILE;
	}
	return OUTSIDE;
}

const char *plan_sim_waste(const struct plan *plan, const struct plan_input *input)
{
	bool kernel_places_small = input->rules.small != PLAN_SMALL_SPARE && (plan->control_page == PLAN_NO_PAGE || plan->dtb_page == PLAN_NO_PAGE);
	uint32_t f, i;
	unsigned int o;

	for (f = 0; f < input->pages; f++) {
		bool used = f == plan->control_page || f == plan->dtb_page, in_place = false;
		enum covered covered = covered_by(plan, input->page_pa[f]);

		for (o = 0; o < PLAN_OBJECTS; o++) {
			for (i = 0; i < plan->window[o].slots; i++) {
				if (plan->window[o].slot[i].page != f)
					continue;
				used = true;
				in_place |= plan->window[o].slot[i].kind == SLOT_IN_PLACE;
			}
		}
		if (bootable(input, f) && covered == BY_FILE && !in_place)
			return "waste: a huge page in a window is not used in place";
		if (!used && covered == OUTSIDE && plan->relocated && below_limit(input, input->page_pa[f], SLOT))
			return "waste: a huge page lies idle while the kernel copies";
		if (!used && covered == OUTSIDE && kernel_places_small && bootable(input, f))
			return "waste: control segment or dtb could lie in a huge page of ours";
	}
	return NULL;
}

/* --- every pair of windows --- */

/* A slot that a window may cover; tag 1 if it is ours. */
struct ground {
	struct memory slots;
	uint32_t *ours;		/* of the slots before this one */
	uint32_t reachable;	/* huge pages below the limit */
};

static bool ground_open(struct ground *g, const struct plan_input *input, size_t slots_max)
{
	size_t k, room = input->pages + 1;
	uint32_t i;
	pa_t pa;

	*g = (struct ground){ .reachable = 0 };
	for (k = 0; k < input->spare->count; k++)
		room += input->spare->v[k].bytes / SLOT;
	g->slots.cell = room > slots_max ? NULL : calloc(room, sizeof(*g->slots.cell));
	g->ours = room > slots_max ? NULL : calloc(room + 1, sizeof(*g->ours));
	if (!g->slots.cell || !g->ours)
		return false;
	for (i = 0; i < input->pages; i++) {
		g->reachable += below_limit(input, input->page_pa[i], SLOT);
		if (bootable(input, i))
			g->slots.cell[g->slots.count++] = (struct cell){ input->page_pa[i], 1 };
	}
	for (k = 0; k < input->spare->count; k++) {
		const struct range *r = &input->spare->v[k];

		for (pa = (r->start + SLOT - 1) / SLOT * SLOT; pa + SLOT <= r->start + r->bytes; pa += SLOT) {
			for (i = 0; i < input->pages && input->page_pa[i] != pa; i++)
				;
			if (i == input->pages && below_limit(input, pa, SLOT))
				g->slots.cell[g->slots.count++] = (struct cell){ pa, 0 };
		}
	}
	sort_cells(&g->slots);
	for (k = 0; k < g->slots.count; k++)
		g->ours[k + 1] = g->ours[k] + g->slots.cell[k].tag;
	return true;
}

/* Whether n slots in one piece begin with the k-th. */
static bool piece_at(const struct ground *g, size_t k, uint32_t n)
{
	return k + n <= g->slots.count && g->slots.cell[k + n - 1].pa - g->slots.cell[k].pa == (n - 1) * SLOT;
}

static uint32_t file_slots(const struct plan_object *object)
{
	return object->memory_bytes && object->file_bytes ? (uint32_t)((object->offset_bytes + object->file_bytes + SLOT - 1) / SLOT) : 0;
}

static int longer(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x > *y ? -1 : *x < *y;
}

/*
 * Whether this pair can be loaded. Where sources lack, the longest holes go to the kernel: the number of segments is limited.
 */
static bool pair_loads(const struct ground *g, const struct plan_input *input, const size_t *at, const uint32_t *n)
{
	uint64_t units = (input->control_bytes + SMALL_UNIT - 1) / SMALL_UNIT +
			 (input->dtb_bytes + SMALL_UNIT - 1) / SMALL_UNIT;
	uint32_t small = units * SMALL_UNIT > SLOT ? 2 : 1, in_place = 0, under_bss = 0, holes = 0, unplaced = 0;
	uint32_t outside, spare, owned, sources;
	uint32_t *hole = calloc((size_t)n[0] + n[1] + 1, sizeof(*hole));
	unsigned int segments = 2, o;
	size_t i;

	if (!hole)
		return false;
	for (o = 0; o < PLAN_OBJECTS; o++) {
		for (i = 0; i < n[o]; i++) {
			if (i >= file_slots(&input->object[o])) {
				under_bss += g->slots.cell[at[o] + i].tag;
				continue;
			}
			if (g->slots.cell[at[o] + i].tag) {
				in_place++;
				continue;
			}
			holes += i == 0 || g->slots.cell[at[o] + i - 1].tag;
			hole[holes - 1]++;
			unplaced++;
		}
	}
	if (g->slots.count < (size_t)n[0] + n[1] + small) {
		free(hole);
		return false;
	}
	/* Control segment and device tree lie in huge pages that no payload needs, else in spare memory, else in huge pages all the same. */
	outside = g->ours[g->slots.count] - in_place - under_bss;
	spare = (uint32_t)g->slots.count - n[0] - n[1] - outside;
	sources = g->reachable - in_place - under_bss;
	owned = sources > unplaced ? sources - unplaced : 0;
	owned = owned < outside ? owned : outside;
	owned = owned < small ? owned : small;
	if (input->rules.small != PLAN_SMALL_ANYWHERE)
		owned = input->rules.small == PLAN_SMALL_OURS ? small : 0;
	else if (small - owned > spare)
		owned = small - spare;
	if (owned > outside || small - owned > spare || (input->rules.pages_alone && unplaced > sources - owned)) {
		free(hole);
		return false;
	}
	sources -= owned;
	qsort(hole, holes, sizeof(*hole), longer);
	for (i = 0; i < holes && unplaced > sources; i++, segments++)
		unplaced -= hole[i] < unplaced - sources ? hole[i] : unplaced - sources;
	free(hole);
	return segments <= input->rules.segments_max;
}

static void try_pair(const struct ground *g, const struct plan_input *input, const size_t *at, const uint32_t *n,
		     bool ask_loads, struct plan_sim_best *best)
{
	pa_t pa[PLAN_OBJECTS] = { 0, 0 }, low = UINT64_MAX, high = 0;
	uint32_t unplaced = 0;
	unsigned int o;

	for (o = 0; o < PLAN_OBJECTS; o++) {
		if (!n[o])
			continue;
		pa[o] = g->slots.cell[at[o]].pa;
		low = pa[o] < low ? pa[o] : low;
		high = pa[o] + n[o] * SLOT > high ? pa[o] + n[o] * SLOT : high;
		unplaced += file_slots(&input->object[o]) - (g->ours[at[o] + file_slots(&input->object[o])] - g->ours[at[o]]);
	}
	if (n[0] && n[1] && pa[0] < pa[1] + n[1] * SLOT && pa[1] < pa[0] + n[0] * SLOT)
		return;
	if (high && !span_keeps(input, low, high))
		return;
	if (!best->fits || unplaced < best->unplaced) {
		best->unplaced = unplaced;
		memcpy(best->pa, pa, sizeof(pa));
	}
	best->fits = true;
	if (ask_loads && !best->loads)
		best->loads = pair_loads(g, input, at, n);
}

bool plan_sim_min_unplaced(const struct plan_input *input, size_t slots_max, bool ask_loads,
			   struct plan_sim_best *best)
{
	struct ground g;
	uint32_t n[PLAN_OBJECTS];
	size_t at[PLAN_OBJECTS], end[PLAN_OBJECTS];
	unsigned int o;
	bool small = ground_open(&g, input, slots_max);

	*best = (struct plan_sim_best){ .fits = false };
	for (o = 0; o < PLAN_OBJECTS; o++) {
		n[o] = (uint32_t)((object_end(&input->object[o]) + SLOT - 1) / SLOT);
		end[o] = n[o] ? g.slots.count : 1;	/* nothing has one place, which does not matter */
	}
	for (at[0] = 0; small && at[0] < end[0]; at[0]++) {
		if (n[0] && !piece_at(&g, at[0], n[0]))
			continue;
		for (at[1] = 0; at[1] < end[1]; at[1]++)
			if (!n[1] || piece_at(&g, at[1], n[1]))
				try_pair(&g, input, at, n, ask_loads, best);
	}
	free(g.slots.cell);
	free(g.ours);
	return small;
}

bool plan_sim_span_binds(const struct plan_input *input)
{
	pa_t low = UINT64_MAX, high = 0;
	uint32_t i;
	size_t k;

	for (i = 0; i < input->pages; i++) {
		low = input->page_pa[i] < low ? input->page_pa[i] : low;
		high = input->page_pa[i] + SLOT > high ? input->page_pa[i] + SLOT : high;
	}
	for (k = 0; k < input->spare->count; k++) {
		const struct range *r = &input->spare->v[k];

		low = r->start < low ? r->start : low;
		high = r->start + r->bytes > high ? r->start + r->bytes : high;
	}
	return high && !span_keeps(input, low, high);
}
