/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Planning anew with a payload that is staged already, because the kernel has moved some of its pages. Most of it stays where it is: a page
 * that went elsewhere becomes the source of a move. Only where a window has to lie elsewhere is payload copied from page to page.
 */
#include "stages.h"

#include <stdlib.h>
#include <string.h>

#define NO_SLOT	UINT32_MAX

/* All slots of both windows, one behind another. */
struct slots {
	struct plan_slot **plan;
	struct ledger_slot **holds;	/* what is in its page now */
	uint32_t count;
};

static void slots_free(struct slots *s)
{
	free(s->plan);
	free(s->holds);
}

static bool slots_open(struct slots *s, struct plan *plan, struct payload *payload)
{
	uint32_t all = plan->window[0].slots + plan->window[1].slots, i;
	unsigned int o;

	*s = (struct slots){ calloc(all + 1, sizeof(*s->plan)), calloc(all + 1, sizeof(*s->holds)), 0 };
	if (!s->plan || !s->holds) {
		slots_free(s);
		return false;
	}
	for (o = 0; o < PLAN_OBJECTS; o++)
		for (i = 0; i < plan->window[o].slots; i++, s->count++) {
			s->plan[s->count] = &plan->window[o].slot[i];
			s->holds[s->count] = &payload->slot[o][i];
		}
	return true;
}

/* Any page that purgatory moves from will do for any slot that it moves: so let it be the one that has the bytes already. */
static void keep_sources(struct slots *s, uint32_t pages)
{
	uint32_t *source_of = malloc((pages + 1) * sizeof(*source_of)), i;

	if (!source_of)
		return;		/* more is copied than need be */
	memset(source_of, 0xff, (pages + 1) * sizeof(*source_of));
	for (i = 0; i < s->count; i++)
		if (s->plan[i]->kind == SLOT_MOVED)
			source_of[s->plan[i]->page] = i;
	for (i = 0; i < s->count; i++) {
		uint32_t has = s->holds[i]->page, had = s->plan[i]->page;

		if (s->plan[i]->kind != SLOT_MOVED || has >= pages || has == had || source_of[has] == NO_SLOT)
			continue;
		s->plan[source_of[has]]->page = had;
		source_of[had] = source_of[has];
		s->plan[i]->page = has;
		source_of[has] = i;
	}
	free(source_of);
}

/* The same for a page that the control segment or the device tree was sent to, since nothing waits in those. */
static void trade(struct placement *placement, uint32_t *page, pa_t *pa, uint32_t has, uint32_t other)
{
	if (*page != has)
		return;
	*pa = *pa - placement->input.page_pa[has] + placement->input.page_pa[other];
	*page = other;
}

static void keep_out_of_control(struct slots *s, struct placement *placement)
{
	struct plan *plan = &placement->plan;
	uint32_t i;

	for (i = 0; i < s->count; i++) {
		uint32_t has = s->holds[i]->page, other = s->plan[i]->page;
		struct range page;

		if (s->plan[i]->kind != SLOT_MOVED || has == other || has == PLAN_NO_PAGE || (has != plan->control_page && has != plan->dtb_page))
			continue;
		page = (struct range){ placement->input.page_pa[other], PLAN_SLOT_BYTES };
		if (!range_set_contains(placement->input.ram, page) || range_end(page) > placement->input.rules.pa_limit)
			continue;
		trade(placement, &plan->control_page, &plan->control_pa, has, other);
		trade(placement, &plan->dtb_page, &plan->dtb_pa, has, other);
		s->plan[i]->page = has;
	}
}

enum kx_err placement_again(struct placement *placement, struct sys *sys, const struct control_facts *facts, struct payload *payload,
			    struct report *report, struct fail *fail)
{
	struct slots slots;
	const char *why;
	enum kx_err err;

	placement->cpus = facts->choices->cpus;
	err = placement_plan(placement, facts);
	if (!err && placement->plan.relocated)
		err = KX_NO_ROOM;	/* what waits in pages can only go where there are pages */
	if (!err && !slots_open(&slots, &placement->plan, payload))
		err = KX_NO_MEMORY;
	if (err)
		return fail_set(fail, err, "kernel and initrd");
	keep_sources(&slots, placement->staging.pages);
	keep_out_of_control(&slots, placement);
	slots_free(&slots);
	err = control_measure(placement, sys, facts, report);
	if (err)
		return fail_set(fail, err, "kernel and initrd");
	why = plan_check(&placement->plan, &placement->input);
	return why ? fail_set(fail, KX_PLAN_CHECK, "%s", why) : KX_OK;
}

/* A copy from page to page, and the slot that it is for. */
struct copying {
	struct slots slots;
	struct placement *placement;
	struct sys *sys;
	uint32_t outside;	/* a slot that is in spare meanwhile; NO_SLOT */
	uint32_t *holder;	/* for each page: the slot whose bytes are in it and still wanted; NO_SLOT */
	uint32_t *moves;	/* null, or where a later run finds out which page a slot's bytes are in */
	unsigned char *spare;	/* memory for rings of pages that each want the next one ... */
	uint32_t spare_page;	/* ... which is this staged page, so that nothing is ever in this process alone; NO_SLOT: it is not */
};

static bool is_right(const struct copying *c, uint32_t i)
{
	return i == c->outside || !c->slots.holds[i]->bytes || c->slots.holds[i]->page == c->slots.plan[i]->page;
}

static unsigned char *page_memory(const struct copying *c, uint32_t page)
{
	return staging_memory(&c->placement->staging, page);
}

/* The bytes are in two places until this is written. */
static void note_move(struct copying *c, uint32_t i, uint32_t page)
{
	c->slots.holds[i]->page = page;
	if (c->moves)
		__atomic_store_n(&c->moves[i], page, __ATOMIC_RELEASE);
}

static void copy_to_place(struct copying *c, uint32_t i, const void *from)
{
	uint32_t page = c->slots.plan[i]->page;

	memcpy(page_memory(c, page), from, PLAN_SLOT_BYTES);
	note_move(c, i, page);
	c->holder[page] = i;
}

/* Follow the slots back from one whose page is free: each leaves a page that the next one may want. */
static void fill_free_page(struct copying *c, uint32_t i)
{
	while (i != NO_SLOT && !is_right(c, i) && c->holder[c->slots.plan[i]->page] == NO_SLOT) {
		uint32_t left = c->slots.holds[i]->page, k;

		copy_to_place(c, i, page_memory(c, left));
		c->holder[left] = NO_SLOT;
		for (k = 0; k < c->slots.count && (is_right(c, k) || c->slots.plan[k]->page != left); k++)
			;
		i = k < c->slots.count ? k : NO_SLOT;
	}
}

static void copy_all(void *arg)
{
	struct copying *c = arg;
	uint32_t i;

	for (i = 0; i < c->slots.count; i++)
		fill_free_page(c, i);
	/* Only rings are left. One goes outside, and its page is free. */
	for (i = 0; i < c->slots.count; i++) {
		uint32_t from = c->slots.holds[i]->page, k;

		if (is_right(c, i))
			continue;
		memcpy(c->spare, page_memory(c, from), PLAN_SLOT_BYTES);
		if (c->spare_page != NO_SLOT)
			note_move(c, i, c->spare_page);
		c->holder[from] = NO_SLOT;
		c->outside = i;
		for (k = 0; k < c->slots.count && (is_right(c, k) || c->slots.plan[k]->page != from); k++)
			;
		if (k < c->slots.count)
			fill_free_page(c, k);
		c->outside = NO_SLOT;
		copy_to_place(c, i, c->spare);
	}
}

/* A page that is ours and that no slot's bytes are in or go to: the control segment's will do, which is empty until the jump. */
static uint32_t find_spare_page(const struct copying *c)
{
	const struct staging *staging = &c->placement->staging;
	uint32_t page, i;

	for (page = 0; page < staging->pages; page++) {
		for (i = 0; i < c->slots.count && c->slots.plan[i]->page != page && c->slots.holds[i]->page != page; i++)
			;
		if (i == c->slots.count && staging->pa[page] != STAGING_NO_PA)
			return page;
	}
	return NO_SLOT;
}

/* All of it is there before the state says that it counts. */
static void open_moves(struct copying *c, struct ledger_store *store, const struct ledger *ledger)
{
	uint32_t i;

	c->moves = ledger_moves(store->header, store->bytes, ledger);
	for (i = 0; c->moves && i < c->slots.count; i++)
		c->moves[i] = c->slots.holds[i]->page;
	ledger_set_state(store, LEDGER_MOVING);
}

enum kx_err payload_rearrange(struct payload *payload, struct sys *sys, struct placement *placement, struct ledger_store *store,
			      const struct ledger *ledger, struct fail *fail)
{
	struct copying c = { .placement = placement, .sys = sys, .outside = NO_SLOT };
	uint32_t pages = placement->staging.pages, i, wrong = 0;
	unsigned char *memory = malloc(PLAN_SLOT_BYTES);
	enum kx_err err = KX_OK;

	c.holder = malloc((pages + 1) * sizeof(*c.holder));
	if (!c.holder || !memory || !slots_open(&c.slots, &placement->plan, payload)) {
		free(c.holder);
		free(memory);
		return fail_set(fail, KX_NO_MEMORY, "planning");
	}
	memset(c.holder, 0xff, (pages + 1) * sizeof(*c.holder));
	for (i = 0; i < c.slots.count; i++) {
		wrong += !is_right(&c, i);
		if (c.slots.holds[i]->bytes)
			c.holder[c.slots.holds[i]->page] = i;
		else
			c.slots.holds[i]->page = c.slots.plan[i]->page;
	}
	/* The old image is overwritten from here on: its payload, or next its device tree, where that is staged. */
	if (store && (wrong || placement->input.rules.pages_alone))
		open_moves(&c, store, ledger);
	if (wrong) {
		c.spare_page = find_spare_page(&c);
		c.spare = c.spare_page == NO_SLOT ? memory : page_memory(&c, c.spare_page);
		if (sys->try_memory(sys, copy_all, &c))
			err = fail_with(fail, KX_STAGED_GONE);
	}
	/* The kernel copies a page that it moves through its caches. */
	for (i = 0; i < c.slots.count && !err; i++)
		if (c.slots.holds[i]->bytes)
			sys->clean(sys, page_memory(&c, c.slots.holds[i]->page), PLAN_SLOT_BYTES);
	slots_free(&c.slots);
	free(c.holder);
	free(memory);
	return err;
}

struct putting {
	unsigned char *to;
	const struct tree *tree;
};

static void put_tree(void *arg)
{
	const struct putting *p = arg;

	memcpy(p->to, p->tree->dtb, p->tree->padded_bytes);
}

enum kx_err payload_put_tree(struct sys *sys, const struct placement *placement, const struct tree *tree, struct fail *fail)
{
	const struct plan *plan = &placement->plan;
	unsigned char *page = staging_memory(&placement->staging, plan->dtb_page);
	struct putting p = { page + plan->dtb_pa % PLAN_SLOT_BYTES, tree };

	if (sys->try_memory(sys, put_tree, &p))
		return fail_with(fail, KX_STAGED_GONE);
	/* A purgatory whose MMU stays off reads it uncached. */
	sys->clean(sys, page, PLAN_SLOT_BYTES);
	return KX_OK;
}
