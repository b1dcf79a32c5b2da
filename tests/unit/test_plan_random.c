/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The planner on random machines, judged by plan_check(), by a simulator that carries the plan out, and by trying every pair of
 * windows.
 *
 * Environment: SEED and ROUNDS. A failure names the SEED that gives it with ROUNDS=1.
 */
#include "kexec_abi.h"
#include "plan_machine.h"
#include "plan_sim.h"
#include "seed.h"

static uint64_t rng_state;

static uint64_t rng(void)
{
	uint64_t z = rng_state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Of [low, high]. */
static uint32_t between(uint32_t low, uint32_t high)
{
	return low + (uint32_t)(rng() % (high - low + 1));
}

static bool percent(unsigned int n)
{
	return rng() % 100 < n;
}

static uint32_t size_in_slots(void)
{
	return percent(80) ? between(1, 7) : between(1, 40);
}

static void random_object(struct plan_object *o, uint32_t slots)
{
	uint64_t all = SLOT(slots) - (percent(30) ? 0 : rng() % PLAN_SLOT_BYTES);	/* 1 at least */

	o->offset_bytes = percent(60) ? 0 : percent(50) ? 0x80000 : between(0, 31) * KIB(64);
	if (o->offset_bytes >= all)
		o->offset_bytes = 0;
	o->memory_bytes = all - o->offset_bytes;
	o->file_bytes = percent(30) ? o->memory_bytes : 1 + rng() % o->memory_bytes;
}

static void add_page(struct machine *m, pa_t pa)
{
	uint32_t i, at = between(0, m->input.pages);

	for (i = 0; i < m->input.pages; i++)
		if (m->page_pa[i] == pa)
			return;
	if (m->input.pages == PAGES_MAX)
		return;
	/* Anywhere in the list. */
	m->page_pa[m->input.pages] = m->page_pa[at];
	m->page_pa[at] = pa;
	m->input.pages++;
}

static void random_machine(struct machine *m)
{
	static const pa_t bases[] = { 0, GIB(1), GIB(2), GIB(512) };
	static const uint64_t gaps[] = { PLAN_SLOT_BYTES, SLOT(3), GIB(1), GIB(20), GIB(40) };
	static const uint64_t pages[] = { KIB(4), KIB(16), KIB(64) };
	uint32_t banks = between(1, 3), slots = percent(70) ? between(6, 60) : between(30, 160), i, k;
	unsigned int dense = between(0, 3) * 33, absent = between(0, 9);
	uint64_t gap = gaps[between(0, 4)], unit = PLAN_SLOT_BYTES << between(0, 5);
	pa_t bank = bases[between(0, 3)], pa = 0, first = bank;
	struct plan_rules *rules = &m->input.rules;

	*m = (struct machine){ .input = { .page_pa = m->page_pa, .ram = &m->ram, .spare = &m->spare } };
	/* One random number per expression, else the compiler chooses their order, and SEED means little. */
	for (i = 0; i < banks; i++, bank += align_up(SLOT(slots), gap) + gap) {
		uint32_t n = i + 1 < banks ? slots / banks : slots - (banks - 1) * (slots / banks);
		uint64_t ragged = percent(50) ? 0 : rng() % (PLAN_SLOT_BYTES / KIB(4)) * KIB(4);

		if (!n)
			continue;
		if (ragged && percent(50))
			add(&m->ram, bank + ragged, SLOT(n) - ragged);
		else
			add(&m->ram, bank, SLOT(n) - ragged);
		if (percent(90))
			add(&m->spare, m->ram.v[m->ram.count - 1].start, m->ram.v[m->ram.count - 1].bytes);
		for (k = between(0, 5); k > 0; k--) {
			uint32_t hole = between(1, 1000);

			hole = between(1, hole);
			cut(&m->spare, bank + rng() % SLOT(n) / KIB(4) * KIB(4), hole * KIB(4));
		}
		for (k = 0; k < n && dense; k++) {
			/* By runs and scattered; never where something is reserved. */
			if (percent(dense == 33 ? 25 : 12))
				pa = percent(dense) ? bank : 0;
			if (pa && range_set_contains(percent(90) ? &m->spare : &m->ram,
						     (struct range){ bank + SLOT(k), PLAN_SLOT_BYTES }))
				add_page(m, bank + SLOT(k));
		}
		pa = bank + SLOT(n);
	}
	/* Hot-added memory and the like: huge pages may come from it, but nothing may be booted from it. */
	for (k = percent(40) ? between(1, 6) : 0; k > 0; k--) {
		pa_t outside = percent(50) ? bank + SLOT(k) : first + SLOT(between(0, slots));

		cut(&m->ram, outside, PLAN_SLOT_BYTES);
		if (percent(80))
			cut(&m->spare, outside, PLAN_SLOT_BYTES);
		add_page(m, outside);
	}
	if (percent(50))
		for (i = 0; i < m->input.pages; i++)
			cut(&m->spare, m->page_pa[i], PLAN_SLOT_BYTES);

	if (absent != 0)
		random_object(&m->input.object[0], size_in_slots());
	if (absent > 1)
		random_object(&m->input.object[1], size_in_slots());
	m->input.control_bytes = percent(80) ? KIB(100) : 1 + rng() % PLAN_SLOT_BYTES;
	m->input.dtb_bytes = percent(80) ? between(1, 99999) : 1 + rng() % PLAN_SLOT_BYTES;
	rules->span_align_bytes = percent(70) ? GIB(1) : unit;
	rules->span_bytes = percent(70) ? GIB(32) : unit * between(1, 20);
	rules->pa_limit = percent(80) ? (pa_t)1 << 48 : pa + KIB(4) - rng() % SLOT(slots) / KIB(4) * KIB(4);
	if (rules->pa_limit > (pa_t)1 << 48)	/* went below 0 */
		rules->pa_limit = SLOT(slots);
	rules->page_bytes = pages[between(0, 2)];
	/* What is staged elsewhere than in huge pages, or handed over in another way. */
	if (percent(30))
		rules->small = percent(50) ? PLAN_SMALL_SPARE : PLAN_SMALL_OURS;
	rules->pages_alone = rules->small != PLAN_SMALL_ANYWHERE && percent(80);
	rules->segments_max = percent(80) ? KEXEC_SEGMENT_MAX : between(2, 5);
}

/* Pieces must give the file, and segments all of it that no huge page holds. */
static const char *check_bytes(const struct plan *plan, const struct plan_input *input, unsigned int object)
{
	const struct plan_object *o = &input->object[object];
	const struct plan_window *w = &plan->window[object];
	pa_t first = w->pa + o->offset_bytes, end = first + o->file_bytes;
	struct range out[64];
	size_t count = plan_segments(plan, input, object, out, 64), s = 0;
	uint64_t file = 0;
	uint32_t i;

	for (i = 0; i < w->slots; i++) {
		struct slot_piece piece = plan_piece(w, o, i);
		pa_t from = w->pa + SLOT(i) < first ? first : w->pa + SLOT(i);
		pa_t to = w->pa + SLOT(i + 1) > end ? end : w->pa + SLOT(i + 1);

		if (piece.slot_pa != w->pa + SLOT(i) || piece.slot_offset + piece.file_bytes > PLAN_SLOT_BYTES)
			return "a piece leaves its slot";
		if (piece.file_bytes &&
		    (piece.file_offset != file || piece.slot_pa + piece.slot_offset != first + file))
			return "a piece at the wrong place";
		file += piece.file_bytes;
		if (w->slot[i].kind != SLOT_RELOCATED || from >= to)
			continue;
		while (s < count && range_end(out[s]) <= from)
			s++;
		if (s == count || out[s].start > from || range_end(out[s]) < to)
			return "a segment is missing";
		if ((out[s].start | out[s].bytes) % input->rules.page_bytes)
			return "a segment is not of whole pages";
		if (range_end(out[s]) > w->pa + SLOT(i + 1) &&
		    (i + 1 == w->slots || w->slot[i + 1].kind != SLOT_RELOCATED))
			return "a segment runs into what the kernel does not copy";
	}
	if (s + 1 < count)
		return "a segment for nothing";
	return file == o->file_bytes || !o->memory_bytes ? NULL : "the file is not all there";
}

enum flaw {
	FLAW_CHECK, FLAW_SIM, FLAW_WASTE, FLAW_BYTES, FLAW_ERR, FLAW_MISSED, FLAW_MISSED_SPAN, FLAW_SINGLE,
	FLAW_BETTER, FLAW_NO_ROOM, FLAW_NO_ROOM_SPAN, FLAWS
};

static const char *const flaw_names[FLAWS] = {
	[FLAW_CHECK] = "plan_check() refuses what plan_make() made",
	[FLAW_SIM] = "the simulator ends with something else",
	[FLAW_WASTE] = "wasteful",
	[FLAW_BYTES] = "pieces or segments are wrong",
	[FLAW_ERR] = "another error than KX_NO_ROOM",
	[FLAW_MISSED] = "all could lie in place, and does not",
	[FLAW_MISSED_SPAN] = "all could lie in place, and does not; the span rule binds",
	[FLAW_SINGLE] = "a single object does not lie at the lowest best place",
	[FLAW_BETTER] = "better than the best: the test is wrong",
	[FLAW_NO_ROOM] = "KX_NO_ROOM though it could be loaded",
	[FLAW_NO_ROOM_SPAN] = "KX_NO_ROOM though it could be loaded; the span rule binds",
};

struct tally {
	uint64_t rounds, made, no_room, tried, worse, worse_slots, without, segments_bind, segments_need_not, tight;
	uint64_t flaw[FLAWS];
};

static void note(struct tally *t, enum flaw flaw, uint64_t seed, const char *why)
{
	if (!t->flaw[flaw]++)
		print_error("SEED=%llu ROUNDS=1: %s%s%s\n", (unsigned long long)seed, flaw_names[flaw], why ? ": " : "",
			    why ? why : "");
}

/* The planner may do without huge pages where with them there is no room or are too many segments: rarely, see below. */
static bool does_without(const struct plan *plan)
{
	return !plan->in_place && !plan->moved && plan->control_page == PLAN_NO_PAGE && plan->dtb_page == PLAN_NO_PAGE;
}

static void judge_made(struct tally *t, uint64_t seed, const struct plan *plan, const struct plan_input *given)
{
	uint32_t unplaced = plan->moved + plan->relocated;
	struct plan_input seen = *given;
	const struct plan_input *input = &seen;
	struct plan_sim_best best;
	const char *why;
	unsigned int o;

	t->made++;
	why = plan_check(plan, input);
	if (given->pages && does_without(plan)) {
		seen.pages = 0;
		if (plan_sim(plan, &seen))
			seen.pages = given->pages;	/* BSS lies in a huge page */
		else
			t->without++;
	}
	if (why)
		note(t, FLAW_CHECK, seed, why);
	why = plan_sim(plan, given);
	if (why) {
		note(t, FLAW_SIM, seed, why);
		return;	/* not to be compared with plans that keep the rules */
	}
	why = plan_sim_waste(plan, input);
	if (why)
		note(t, FLAW_WASTE, seed, why);
	for (o = 0; o < PLAN_OBJECTS; o++) {
		why = check_bytes(plan, input, o);
		if (why)
			note(t, FLAW_BYTES, seed, why);
	}
	if (!plan_sim_min_unplaced(input, TRY_SLOTS_MAX, false, &best))
		return;
	t->tried++;
	if (!best.fits || unplaced < best.unplaced) {
		note(t, FLAW_BETTER, seed, NULL);
	} else if (!best.unplaced && unplaced) {
		note(t, plan_sim_span_binds(input) ? FLAW_MISSED_SPAN : FLAW_MISSED, seed, NULL);
	} else if (unplaced > best.unplaced) {
		t->worse++;
		t->worse_slots += unplaced - best.unplaced;
	} else {
		for (o = 0; o < PLAN_OBJECTS; o++)
			if (!plan->window[!o].slots && plan->window[o].slots && plan->window[o].pa != best.pa[o])
				note(t, FLAW_SINGLE, seed, NULL);
	}
}

static void judge_no_room(struct tally *t, uint64_t seed, struct plan_input *input)
{
	unsigned int segments_max = input->rules.segments_max;
	struct plan_sim_best best;
	struct plan plan;
	bool segments_bind;

	t->no_room++;
	if (!plan_sim_min_unplaced(input, TRY_SLOTS_MAX, true, &best))
		return;
	t->tried++;
	input->rules.segments_max = 1000;
	segments_bind = plan_make(&plan, input) == KX_OK;
	plan_free(&plan);
	input->rules.segments_max = segments_max;
	t->segments_bind += segments_bind;
	/* The planner looks for the fewest slots, not for the fewest segments: counted, and no flaw. */
	if (best.loads && segments_bind)
		t->segments_need_not++;
	/* Where nothing may go through the kernel the cheapest windows may leave no page for the rest, and dearer ones some: then it is told that it
	   does not fit, though just so it would. */
	else if (best.loads && input->rules.small != PLAN_SMALL_ANYWHERE)
		t->tight++;
	else if (best.loads)
		note(t, plan_sim_span_binds(input) ? FLAW_NO_ROOM_SPAN : FLAW_NO_ROOM, seed, NULL);
}

static void show(const struct plan_input *input, enum kx_err err, const struct plan *plan)
{
	unsigned int o;
	uint32_t i;
	size_t k;

	for (i = 0; i < input->pages; i++)
		print_message("huge page %u %#llx\n", i, (unsigned long long)input->page_pa[i]);
	for (k = 0; k < input->ram->count; k++)
		print_message("ram   %#llx-%#llx\n", (unsigned long long)input->ram->v[k].start,
			      (unsigned long long)range_end(input->ram->v[k]));
	for (k = 0; k < input->spare->count; k++)
		print_message("spare %#llx-%#llx\n", (unsigned long long)input->spare->v[k].start,
			      (unsigned long long)range_end(input->spare->v[k]));
	print_message("control %#llx dtb %#llx span %#llx/%#llx limit %#llx page %#llx segments %u: error %d\n",
		      (unsigned long long)input->control_bytes, (unsigned long long)input->dtb_bytes,
		      (unsigned long long)input->rules.span_align_bytes, (unsigned long long)input->rules.span_bytes,
		      (unsigned long long)input->rules.pa_limit, (unsigned long long)input->rules.page_bytes,
		      input->rules.segments_max, (int)err);
	for (o = 0; o < PLAN_OBJECTS; o++) {
		print_message("object %u: offset %#llx memory %#llx: window %#llx, %u slots:", o,
			      (unsigned long long)input->object[o].offset_bytes,
			      (unsigned long long)input->object[o].memory_bytes,
			      (unsigned long long)plan->window[o].pa, plan_slots(&input->object[o]));
		for (i = 0; i < plan->window[o].slots; i++)
			print_message(" %c", "PMR"[plan->window[o].slot[i].kind]);
		print_message("\n");
	}
}

static void test_random(void **state)
{
	uint64_t seed = seed_number("SEED", 20240601), rounds = seed_number("ROUNDS", 100000), r, flaws = 0;
	struct tally t = { .rounds = rounds };
	unsigned int f;

	(void)state;
	print_message("SEED=%llu ROUNDS=%llu\n", (unsigned long long)seed, (unsigned long long)rounds);
	for (r = 0; r < rounds; r++) {
		struct machine m;
		struct plan plan;
		enum kx_err err;

		rng_state = (seed + r) * 0x632be59bd9b4e019;
		random_machine(&m);
		err = plan_make(&plan, &m.input);
		if (rounds == 1)
			show(&m.input, err, &plan);
		if (err == KX_OK)
			judge_made(&t, seed + r, &plan, &m.input);
		else if (err == KX_NO_ROOM)
			judge_no_room(&t, seed + r, &m.input);
		else
			note(&t, FLAW_ERR, seed + r, NULL);
		plan_free(&plan);
		machine_close(&m);
	}
	print_message("%llu machines, %llu of them tried out: %llu plans, %llu without room (%llu by segments, "
		      "of which %llu have other windows that load)\n",
		      (unsigned long long)t.rounds, (unsigned long long)t.tried, (unsigned long long)t.made,
		      (unsigned long long)t.no_room, (unsigned long long)t.segments_bind,
		      (unsigned long long)t.segments_need_not);
	print_message("%llu plans are worse than the best, by %.2f slots\n", (unsigned long long)t.worse,
		      t.worse ? (double)t.worse_slots / (double)t.worse : 0.0);
	for (f = 0; f < FLAWS; f++) {
		if (t.flaw[f])
			print_error("%llu times: %s\n", (unsigned long long)t.flaw[f], flaw_names[f]);
		flaws += t.flaw[f];
	}
	print_message("%llu times nothing was found where it could just be loaded in pages of ours alone\n", (unsigned long long)t.tight);
	assert_int_equal(flaws, 0);
	assert_true(rounds < 1000 || t.tight * 200 < rounds);
	assert_int_equal(t.worse, 0);
	assert_true(rounds < 1000 || t.without * 20 < t.made);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("plan, random", tests, NULL, NULL);
}
