/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "range.h"
#include "seed.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static struct range from_to(pa_t start, pa_t end)
{
	return (struct range){ start, end - start };
}

/* The set as text: "10-20 30-40", half-open, hexadecimal. */
static void assert_set(const struct range_set *set, const char *want)
{
	char text[1024] = "";
	size_t i, at = 0;

	for (i = 0; i < set->count && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%llx-%llx", i ? " " : "",
				       (unsigned long long)set->v[i].start, (unsigned long long)range_end(set->v[i]));
	assert_string_equal(text, want);
}

static void test_inclusive_text(void **state)
{
	struct range r = range_from_inclusive(0x40000000, 0xbfffffff);

	(void)state;
	assert_int_equal(r.start, 0x40000000);
	assert_int_equal(r.bytes, 0x80000000);
	assert_int_equal(range_from_inclusive(0, 0).bytes, 1);
	assert_int_equal(range_from_inclusive(1, UINT64_MAX).bytes, UINT64_MAX);
	assert_int_equal(range_from_inclusive(UINT64_MAX, UINT64_MAX).bytes, 1);
}

static void test_overlap_of_two(void **state)
{
	static const struct {
		struct range a, b;
		bool overlap;
	} cases[] = {
		{ { 10, 10 }, { 20, 10 }, false },	/* touching is not overlapping */
		{ { 10, 10 }, { 19, 1 }, true },	{ { 10, 10 }, { 9, 1 }, false },
		{ { 10, 10 }, { 9, 2 }, true },		{ { 10, 10 }, { 10, 10 }, true },
		{ { 10, 10 }, { 12, 2 }, true },	{ { 10, 10 }, { 0, 100 }, true },
		{ { 10, 0 }, { 0, 100 }, false },	{ { 10, 10 }, { 15, 0 }, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		assert_int_equal(range_overlaps(cases[i].a, cases[i].b), cases[i].overlap);
		assert_int_equal(range_overlaps(cases[i].b, cases[i].a), cases[i].overlap);
	}
}

static void test_add(void **state)
{
	struct range_set set = { 0 };

	(void)state;
	assert_true(range_set_add(&set, from_to(0x30, 0x40)));
	assert_true(range_set_add(&set, from_to(0x10, 0x20)));
	assert_set(&set, "10-20 30-40");
	assert_true(range_set_add(&set, (struct range){ 0x25, 0 }));
	assert_set(&set, "10-20 30-40");
	assert_true(range_set_add(&set, from_to(0x20, 0x28)));		/* touches the left */
	assert_set(&set, "10-28 30-40");
	assert_true(range_set_add(&set, from_to(0x2c, 0x30)));		/* touches the right */
	assert_set(&set, "10-28 2c-40");
	assert_true(range_set_add(&set, from_to(0x28, 0x2c)));		/* both */
	assert_set(&set, "10-40");
	assert_true(range_set_add(&set, from_to(0x18, 0x20)));		/* inside */
	assert_true(range_set_add(&set, from_to(0x50, 0x60)));
	assert_true(range_set_add(&set, from_to(0x70, 0x80)));
	assert_set(&set, "10-40 50-60 70-80");
	assert_true(range_set_add(&set, from_to(0x00, 0x75)));		/* over several */
	assert_set(&set, "0-80");
	assert_int_equal(range_set_bytes(&set), 0x80);
	range_set_free(&set);
	assert_int_equal(set.count, 0);
	assert_null(set.v);
	range_set_free(&set);
}

static void test_remove(void **state)
{
	struct range_set set = { 0 };

	(void)state;
	assert_true(range_set_remove(&set, from_to(0, 0x100)));
	assert_true(range_set_add(&set, from_to(0x10, 0x40)));
	assert_true(range_set_remove(&set, from_to(0, 0x10)));		/* beside it */
	assert_true(range_set_remove(&set, from_to(0x40, 0x50)));
	assert_true(range_set_remove(&set, (struct range){ 0x20, 0 }));
	assert_set(&set, "10-40");
	assert_true(range_set_remove(&set, from_to(0x20, 0x28)));	/* the middle */
	assert_set(&set, "10-20 28-40");
	assert_true(range_set_remove(&set, from_to(0x20, 0x28)));	/* the hole */
	assert_true(range_set_remove(&set, from_to(0x00, 0x14)));
	assert_true(range_set_remove(&set, from_to(0x3c, 0x60)));
	assert_set(&set, "14-20 28-3c");
	assert_true(range_set_add(&set, from_to(0x50, 0x60)));
	assert_true(range_set_remove(&set, from_to(0x18, 0x58)));	/* over several */
	assert_set(&set, "14-18 58-60");
	assert_true(range_set_remove(&set, from_to(0x14, 0x18)));	/* exactly one */
	assert_set(&set, "58-60");
	assert_true(range_set_remove(&set, from_to(0, UINT64_MAX)));
	assert_set(&set, "");
	range_set_free(&set);
}

static void test_contains_and_overlaps(void **state)
{
	struct range_set set = { 0 };

	(void)state;
	assert_true(range_set_contains(&set, (struct range){ 5, 0 }));
	assert_false(range_set_contains(&set, from_to(5, 6)));
	assert_false(range_set_overlaps(&set, from_to(0, UINT64_MAX)));
	assert_true(range_set_add(&set, from_to(0x10, 0x20)));
	assert_true(range_set_add(&set, from_to(0x30, 0x40)));
	assert_true(range_set_contains(&set, from_to(0x10, 0x20)));
	assert_true(range_set_contains(&set, from_to(0x3f, 0x40)));
	assert_false(range_set_contains(&set, from_to(0x0f, 0x11)));
	assert_false(range_set_contains(&set, from_to(0x1f, 0x21)));
	assert_false(range_set_contains(&set, from_to(0x10, 0x40)));
	assert_true(range_set_contains(&set, (struct range){ 0x28, 0 }));
	assert_true(range_set_overlaps(&set, from_to(0x00, 0x11)));
	assert_true(range_set_overlaps(&set, from_to(0x1f, 0x31)));
	assert_false(range_set_overlaps(&set, from_to(0x20, 0x30)));
	assert_false(range_set_overlaps(&set, from_to(0x40, 0x80)));
	assert_false(range_set_overlaps(&set, (struct range){ 0x18, 0 }));
	range_set_free(&set);
}

/* A range that goes around contains nothing that could be meant: a sum has overflown somewhere. */
static void test_a_range_that_goes_around_is_not_contained(void **state)
{
	struct range_set set = { 0 };

	(void)state;
	assert_true(range_set_add(&set, from_to(0x1000, 0x8000)));
	assert_false(range_set_contains(&set, (struct range){ UINT64_MAX - 0xfff, 0x3000 }));
	range_set_free(&set);
}

#define UNITS	400

static void assert_as_model(const struct range_set *set, const bool *model, pa_t base, uint64_t unit)
{
	size_t i, u = 0;
	uint64_t bytes = 0;

	assert_true(set->count <= set->room);
	for (i = 0; i < set->count; i++) {
		pa_t start;

		while (u < UNITS && !model[u])
			u++;
		start = base + u * unit;
		while (u < UNITS && model[u])
			u++;
		assert_int_equal(set->v[i].start, start);
		assert_int_equal(range_end(set->v[i]), base + u * unit);
		bytes += set->v[i].bytes;
	}
	while (u < UNITS)
		assert_false(model[u++]);
	assert_int_equal(range_set_bytes(set), bytes);
}

/* Every range of whole units between base and base + UNITS * unit is one that a bitmap can tell. */
static void test_random_against_bitmap(void **state)
{
	uint64_t seed = seed_get("test_random_against_bitmap"), rounds = seed_number("ROUNDS", 300), round;

	(void)state;
	for (round = 0; round < rounds; round++) {
		uint64_t rng = seed + round, unit = 1ull << seed_below(&rng, 40);
		pa_t base = seed_below(&rng, 2) ? 0 : UINT64_MAX - (UNITS + 1) * unit;
		uint64_t longest = 1 + seed_below(&rng, 60), op;
		bool model[UNITS] = { 0 };
		struct range_set set = { 0 };

		for (op = 0; op < 400; op++) {
			size_t first = seed_below(&rng, UNITS), n = seed_below(&rng, longest), i, in = 0;
			struct range r;

			if (n > UNITS - first)
				n = UNITS - first;
			r = (struct range){ base + first * unit, n * unit };
			for (i = first; i < first + n; i++)
				in += model[i];
			assert_int_equal(range_set_contains(&set, r), in == n);
			assert_int_equal(range_set_overlaps(&set, r), in > 0);
			switch (seed_below(&rng, 5)) {
			case 0:
			case 1:
				assert_true(range_set_add(&set, r));
				memset(model + first, true, n);
				break;
			case 2:
			case 3:
				assert_true(range_set_remove(&set, r));
				memset(model + first, false, n);
				break;
			default:
				continue;
			}
			assert_as_model(&set, model, base, unit);
		}
		range_set_free(&set);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inclusive_text),
		cmocka_unit_test(test_overlap_of_two),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_contains_and_overlaps),
		cmocka_unit_test(test_a_range_that_goes_around_is_not_contained),
		cmocka_unit_test(test_random_against_bitmap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
