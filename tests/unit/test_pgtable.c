/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables are judged by tests/lib/table_walk.c, which reads them as the CPU would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mmu_regs.h"
#include "pgtable.h"
#include "seed.h"
#include "table_walk.h"

#define TIB(n)		GIB((uint64_t)(n) << 10)
#define TOP		(1ull << 48)
#define TABLE_PA	0x7fe0010000ull		/* as any granule has it aligned */
#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define GUARD		64

static const unsigned int granules[] = { 12, 14, 16 };
static const enum pgtable_kind kinds[] = { PGTABLE_EL1, PGTABLE_EL2 };

static struct map_region data(pa_t start, uint64_t bytes)
{
	return (struct map_region){ { start, bytes }, MAP_DATA };
}

static struct map_region code(pa_t start, uint64_t bytes)
{
	return (struct map_region){ { start, bytes }, MAP_CODE };
}

/* One set of tables, as built, and the walker's view of it. */
struct set {
	struct pgtable_geometry geometry;
	struct purg_mmu_regs regs;
	unsigned char *image;
	size_t bytes;
	struct walk_result walk;
};

static struct walk_result walk(const struct set *set, enum pgtable_kind kind)
{
	return table_walk(&(struct walk_input){
		.image = set->image, .image_bytes = set->bytes, .image_pa = TABLE_PA, .ttbr = set->regs.ttbr0_pa,
		.tcr = set->regs.tcr, .regime = kind == PGTABLE_EL1 ? WALK_EL1 : WALK_EL2,
	});
}

/* Count, build into exactly as much room, walk. */
static void set_make(struct set *set, unsigned int granule, enum pgtable_kind kind, const struct map_region *regions,
		     size_t count)
{
	size_t bytes = 0, i;
	pa_t ttbr = 0, counted_ttbr = 1;

	*set = (struct set){ 0 };
	assert_int_equal(pgtable_geometry(&set->geometry, granule, regions, count), KX_OK);
	assert_int_equal(pgtable_build(&set->geometry, kind, regions, count, TABLE_PA, NULL, 0, &set->bytes,
				       &counted_ttbr), KX_OK);
	assert_int_equal(set->bytes % 64, 0);
	set->image = malloc(set->bytes + GUARD);
	assert_non_null(set->image);
	memset(set->image, 0xa5, set->bytes + GUARD);
	assert_int_equal(pgtable_build(&set->geometry, kind, regions, count, TABLE_PA, set->image, set->bytes, &bytes,
				       &ttbr), KX_OK);
	assert_int_equal(bytes, set->bytes);
	assert_int_equal(ttbr, counted_ttbr);
	for (i = 0; i < GUARD; i++)
		assert_int_equal(set->image[set->bytes + i], 0xa5);
	set->regs = mmu_regs(kind, &set->geometry, ttbr);
	set->walk = walk(set, kind);
}

static void set_free(struct set *set)
{
	table_walk_free(&set->walk);
	free(set->image);
}

/* Nothing but the regions is mapped, all of them, to themselves, and with the right permissions. */
static void assert_exact(const struct set *set, const struct map_region *regions, size_t count)
{
	size_t i = 0, m;

	if (set->walk.faults & ~(unsigned int)WALK_COULD_BE_BLOCK)
		fail_msg("faults %#x: %s", set->walk.faults, set->walk.first_fault);
	if (set->walk.faults & WALK_COULD_BE_BLOCK)
		fail_msg("a table could be a block");
	for (m = 0; m < set->walk.maps; m++) {
		const struct walk_map *map = &set->walk.map[m];
		struct map_region want;

		assert_in_range(i, 0, count - 1);
		for (want = regions[i++]; i < count && regions[i].kind == want.kind &&
		     regions[i].range.start == range_end(want.range); i++)
			want.range.bytes += regions[i].range.bytes;
		assert_int_equal(map->va, want.range.start);
		assert_int_equal(map->pa, want.range.start);
		assert_int_equal(map->bytes, want.range.bytes);
		assert_true(map->direct.read && map->direct.write && map->indirect.read && map->indirect.write);
		assert_int_equal(map->direct.execute, want.kind == MAP_CODE);
		assert_int_equal(map->indirect.execute, want.kind == MAP_CODE);
		assert_false(map->el0);
		assert_true(map->af);
		assert_int_equal(map->shareability, 3);
		/* Of MAIR, the byte that the index selects: Normal, write-back. */
		assert_int_equal(set->regs.mair >> (8 * map->attr_index) & 0xff, 0xff);
	}
	assert_int_equal(i, count);
}

/* Both kinds map exactly this, with so many leaves at each level. */
static void expect(unsigned int granule, const struct map_region *regions, size_t count, const size_t leaves[4])
{
	size_t k;

	for (k = 0; k < COUNT(kinds); k++) {
		struct set set;

		set_make(&set, granule, kinds[k], regions, count);
		assert_exact(&set, regions, count);
		if (leaves)
			assert_memory_equal(set.walk.leaves, leaves, sizeof(set.walk.leaves));
		set_free(&set);
	}
}

#define LEAVES(...)	((const size_t[4]){ __VA_ARGS__ })
#define REGIONS(...)	(const struct map_region[]){ __VA_ARGS__ }, \
			sizeof((const struct map_region[]){ __VA_ARGS__ }) / sizeof(struct map_region)

static void test_one_page(void **state)
{
	(void)state;
	expect(12, REGIONS(data(MIB(1026), MIB(2))), LEAVES(0, 0, 1, 0));
	expect(14, REGIONS(data(MIB(1026), MIB(2))), LEAVES(0, 0, 0, 128));
	expect(16, REGIONS(data(MIB(1026), MIB(2))), LEAVES(0, 0, 0, 32));
	expect(12, REGIONS(data(0, MIB(2))), LEAVES(0, 0, 1, 0));
}

static void test_touching_pages_become_one_block(void **state)
{
	/* As the planner has them: one region a huge page. */
	struct map_region pages[512];
	size_t i;

	(void)state;
	for (i = 0; i < 512; i++)
		pages[i] = data(GIB(5) + i * MIB(2), MIB(2));
	expect(12, pages, 512, LEAVES(0, 1, 0, 0));
	expect(12, pages, 511, LEAVES(0, 0, 511, 0));
	expect(14, pages, 16, LEAVES(0, 0, 1, 0));
	expect(14, pages + 1, 31, LEAVES(0, 0, 1, 15 * 128));
	expect(16, pages, 256, LEAVES(0, 0, 1, 0));
	expect(16, pages, 512, LEAVES(0, 0, 2, 0));
	pages[300].kind = MAP_CODE;
	expect(12, pages, 512, LEAVES(0, 0, 512, 0));
	expect(16, pages, 512, LEAVES(0, 0, 1, 256 * 32));
}

static void test_code_beside_data(void **state)
{
	pa_t pa = GIB(3) + MIB(2);

	(void)state;
	/* The control segment in the middle of a huge page. */
	expect(12, REGIONS(data(pa, KIB(64)), code(pa + KIB(64), KIB(64)), data(pa + KIB(128), MIB(2) - KIB(128))),
	       LEAVES(0, 0, 0, 512));
	expect(16, REGIONS(data(pa, KIB(64)), code(pa + KIB(64), KIB(64)), data(pa + KIB(128), MIB(2) - KIB(128))),
	       LEAVES(0, 0, 0, 32));
	expect(12, REGIONS(code(pa, MIB(2)), data(pa + MIB(2), MIB(2))), LEAVES(0, 0, 2, 0));
	expect(12, REGIONS(data(pa, MIB(2)), code(pa + MIB(2), KIB(4)), code(pa + MIB(2) + KIB(4), MIB(2) - KIB(4))),
	       LEAVES(0, 0, 2, 0));
	/* A hole of one page. */
	expect(12, REGIONS(data(pa, KIB(4)), data(pa + KIB(8), MIB(2) - KIB(8))), LEAVES(0, 0, 0, 511));
}

static void test_ends_of_the_address_space(void **state)
{
	size_t g;

	(void)state;
	for (g = 0; g < COUNT(granules); g++) {
		uint64_t granule = 1ull << granules[g];

		expect(granules[g], REGIONS(data(TOP - granule, granule)), LEAVES(0, 0, 0, 1));
		expect(granules[g], REGIONS(data(0, granule), code(TOP - GIB(1), GIB(1))), NULL);
		expect(granules[g], REGIONS(data(GIB(512), GIB(2))), NULL);
		expect(granules[g], REGIONS(data(GIB(512) - MIB(2), MIB(4)), code(TIB(9) + MIB(64), MIB(64))), NULL);
		expect(granules[g], REGIONS(data(TIB(128) - granule, 2 * granule)), LEAVES(0, 0, 0, 2));
		expect(granules[g], NULL, 0, LEAVES(0, 0, 0, 0));
	}
	/* Whole entries of levels that have no blocks, and all there is. */
	expect(12, REGIONS(data(GIB(512), TIB(1))), LEAVES(0, 1024, 0, 0));
	expect(14, REGIONS(data(GIB(64), GIB(128))), LEAVES(0, 0, 4096, 0));
	expect(16, REGIONS(data(0, TOP)), LEAVES(0, 0, TOP / MIB(512), 0));
	expect(12, REGIONS(data(0, GIB(512))), LEAVES(0, 512, 0, 0));
}

static void test_addresses_are_as_short_as_can_be(void **state)
{
	static const struct {
		unsigned int granule;
		pa_t last_page;
		unsigned int va_bits, start_level;
		uint64_t top_bytes;
	} cases[] = {
		{ 12, 0, 25, 2, 128 },		{ 12, GIB(1) - MIB(2), 30, 2, 4096 },	{ 12, GIB(1), 31, 1, 16 },
		{ 12, GIB(512) - MIB(2), 39, 1, 4096 },	{ 12, GIB(512), 40, 0, 16 },
		{ 12, TOP - MIB(2), 48, 0, 4096 },
		{ 14, 0, 25, 3, 16384 },	{ 14, MIB(32), 26, 2, 16 },		{ 14, GIB(64), 37, 1, 16 },
		{ 14, TOP / 2 - MIB(2), 47, 1, 16384 },	{ 14, TOP - MIB(2), 48, 0, 16 },
		{ 16, 0, 25, 3, 4096 },		{ 16, MIB(512), 30, 2, 16 },		{ 16, TIB(4), 43, 1, 16 },
		{ 16, TOP - MIB(2), 48, 1, 512 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct map_region page = data(cases[i].last_page, MIB(2));
		struct pgtable_geometry g;

		assert_int_equal(pgtable_geometry(&g, cases[i].granule, &page, 1), KX_OK);
		assert_int_equal(g.va_bits, cases[i].va_bits);
		assert_int_equal(g.start_level, cases[i].start_level);
		assert_int_equal(g.top_bytes, cases[i].top_bytes);
	}
}

static void test_bad_regions(void **state)
{
	static const struct map_region bad[] = {
		{ { MIB(2), 0 }, MAP_DATA },				/* empty */
		{ { MIB(2) + KIB(2), MIB(2) }, MAP_DATA },
		{ { MIB(2), KIB(6) }, MAP_DATA },
		{ { TOP, KIB(64) }, MAP_DATA },
		{ { TOP - KIB(64), KIB(128) }, MAP_DATA },
		{ { 0, TOP + KIB(64) }, MAP_DATA },
		{ { UINT64_MAX - KIB(64) + 1, KIB(64) }, MAP_DATA },	/* ends at 2^64 */
		{ { UINT64_MAX - KIB(64) + 1, MIB(2) }, MAP_DATA },	/* goes around */
	};
	static const unsigned int no_granule[] = { 0, 1, 11, 13, 15, 17, 21, 63 };
	struct map_region good = data(MIB(2), MIB(2));
	struct pgtable_geometry geometry;
	size_t i, g;

	(void)state;
	for (g = 0; g < COUNT(granules); g++)
		for (i = 0; i < COUNT(bad); i++) {
			assert_int_equal(pgtable_geometry(&geometry, granules[g], &bad[i], 1), KX_INTERNAL);
			assert_int_equal(pgtable_geometry(&geometry, granules[g],
							  REGIONS(data(MIB(64), MIB(2)), bad[i])), KX_INTERNAL);
		}
	for (g = 0; g < COUNT(no_granule); g++)
		assert_int_equal(pgtable_geometry(&geometry, no_granule[g], &good, 1), KX_INTERNAL);
	/* What is aligned at 4 KiB need not be at 64. */
	good = data(MIB(2) + KIB(16), KIB(16));
	assert_int_equal(pgtable_geometry(&geometry, 14, &good, 1), KX_OK);
	assert_int_equal(pgtable_geometry(&geometry, 16, &good, 1), KX_INTERNAL);
}

/* Undefined behaviour if it is shifted by before it is looked at. */
static void test_granule_beyond_64_bits(void **state)
{
	struct map_region good = data(MIB(2), MIB(2));
	struct pgtable_geometry geometry;

	(void)state;
	assert_int_equal(pgtable_geometry(&geometry, 64, &good, 1), KX_INTERNAL);
	assert_int_equal(pgtable_geometry(&geometry, UINT32_MAX, &good, 1), KX_INTERNAL);
}

static enum kx_err count_with(const struct pgtable_geometry *geometry, const struct map_region *regions, size_t count)
{
	size_t bytes;
	pa_t ttbr;

	return pgtable_build(geometry, PGTABLE_EL1, regions, count, TABLE_PA, NULL, 0, &bytes, &ttbr);
}

static void test_regions_out_of_order(void **state)
{
	struct map_region last = data(GIB(3), MIB(2));
	struct pgtable_geometry geometry;

	(void)state;
	assert_int_equal(pgtable_geometry(&geometry, 12, &last, 1), KX_OK);
	assert_int_equal(count_with(&geometry, REGIONS(data(GIB(2), MIB(2)), data(GIB(1), MIB(2)))), KX_INTERNAL);
	assert_int_equal(count_with(&geometry, REGIONS(data(GIB(2), MIB(2)), code(GIB(2) + KIB(4), MIB(2)))),
			 KX_INTERNAL);
	assert_int_equal(count_with(&geometry, REGIONS(data(GIB(2), MIB(2)), data(GIB(2), MIB(2)))), KX_INTERNAL);
	assert_int_equal(count_with(&geometry, REGIONS(data(GIB(2), MIB(2)), data(GIB(2) + MIB(2), MIB(2)))), KX_OK);
	/* Not aligned, though no pgtable_geometry() was asked. */
	assert_int_equal(count_with(&geometry, REGIONS(data(GIB(2), KIB(6)))), KX_INTERNAL);
}

/* A region that the tables do not reach must not go missing without a word. */
static void test_geometry_of_other_regions(void **state)
{
	struct map_region low = data(MIB(2), MIB(2));
	struct pgtable_geometry geometry;

	(void)state;
	assert_int_equal(pgtable_geometry(&geometry, 12, &low, 1), KX_OK);
	assert_int_equal(count_with(&geometry, REGIONS(data(MIB(2), MIB(2)), data(GIB(2), MIB(2)))), KX_INTERNAL);
}

static void test_room_too_small(void **state)
{
	struct map_region regions[] = { data(GIB(1), KIB(192)), code(GIB(700), MIB(2)) };
	size_t g, room;

	(void)state;
	for (g = 0; g < COUNT(granules); g++) {
		struct pgtable_geometry geometry;
		size_t bytes, need;
		pa_t ttbr;

		assert_int_equal(pgtable_geometry(&geometry, granules[g], regions, 2), KX_OK);
		assert_int_equal(pgtable_build(&geometry, PGTABLE_EL2, regions, 2, TABLE_PA, NULL, 0, &need, &ttbr),
				 KX_OK);
		for (room = 0; room < need; room = room < need - 1 && room + 61 >= need ? need - 1 : room + 61) {
			/* Of exactly that size, for the sanitizer to watch. */
			unsigned char *image = malloc(room ? room : 1);

			assert_int_equal(pgtable_build(&geometry, PGTABLE_EL2, regions, 2, TABLE_PA, image, room,
						       &bytes, &ttbr), KX_INTERNAL);
			free(image);
		}
	}
}

/* What a usual payload costs in the control segment: both sets together. */
static size_t both_sets(unsigned int granule, const struct map_region *regions, size_t count)
{
	size_t total = 0, k;

	for (k = 0; k < COUNT(kinds); k++) {
		struct set set;

		set_make(&set, granule, kinds[k], regions, count);
		assert_exact(&set, regions, count);
		total += set.bytes;
		set_free(&set);
	}
	return total;
}

static void test_usual_payload_is_cheap(void **state)
{
	pa_t base;

	(void)state;
	for (base = 0; base <= GIB(2); base += GIB(1)) {
		/* Huge pages, with holes between them, and the control segment a huge page too. */
		assert_in_range(both_sets(12, REGIONS(data(base, MIB(64)), data(base + MIB(100), MIB(2)),
						      code(base + MIB(102), MIB(2)), data(base + MIB(512), MIB(400)))),
				0, KIB(16));
		/* Control segment of 64 KiB: one more table a set. */
		assert_in_range(both_sets(12, REGIONS(data(base, MIB(64)), code(base + MIB(102), KIB(64)),
						      data(base + MIB(512), MIB(400)))), 0, KIB(16) + 128);
	}
}

/* facts/linux-kernel.md 1.4: written down there from the kernel's own values and a dump of hardware. */
static void test_register_values(void **state)
{
	struct map_region top = data(TOP - MIB(2), MIB(2));
	static const uint64_t tcr[][2] = {	/* EL1, EL2; TG0 is 0, 2, 1 for 4, 16, 64 KiB */
		{ 0x80903510, 0x80803510 }, { 0x8090b510, 0x8080b510 }, { 0x80907510, 0x80807510 },
	};
	struct pgtable_geometry geometry;
	struct purg_mmu_regs regs;
	size_t g;

	(void)state;
	for (g = 0; g < COUNT(granules); g++) {
		assert_int_equal(pgtable_geometry(&geometry, granules[g], &top, 1), KX_OK);
		assert_int_equal(geometry.va_bits, 48);
		regs = mmu_regs(PGTABLE_EL1, &geometry, 0x12340000);
		assert_int_equal(regs.tcr, tcr[g][0]);
		assert_int_equal(regs.sctlr_on, 0x30501805);
		assert_int_equal(regs.mair & 0xff, 0xff);
		assert_int_equal(regs.ttbr0_pa, 0x12340000);
		regs = mmu_regs(PGTABLE_EL2, &geometry, 0x12340000);
		assert_int_equal(regs.tcr, tcr[g][1]);
		assert_int_equal(regs.sctlr_on, 0x30c51835);
		assert_int_equal(regs.mair & 0xff, 0xff);
		assert_int_equal(regs.ttbr0_pa, 0x12340000);
	}
	/* Fewer bits: only T0SZ changes. */
	top = data(GIB(1), MIB(2));
	assert_int_equal(pgtable_geometry(&geometry, 12, &top, 1), KX_OK);
	assert_int_equal(mmu_regs(PGTABLE_EL1, &geometry, 0).tcr, 0x80903500 | (64 - 31));
	assert_int_equal(mmu_regs(PGTABLE_EL2, &geometry, 0).tcr, 0x80803500 | (64 - 31));
}

/* The judge is judged: every kind of damage is seen. */
static void test_walker_sees_damage(void **state)
{
	struct map_region regions[] = { data(GIB(1), MIB(2) * 3), code(GIB(2) + KIB(64), KIB(64)) };
	/* Three whole tables: level 2 of GiB 1, level 2 of GiB 2, its level 3. Then the top, of 4 entries. */
	enum { L2 = 0, L2_NEXT = 0x1000, L3 = 0x2000 + 16 * 8, TOP_TABLE = 0x3000 };
	static const struct {
		size_t at;
		uint64_t flip;
		unsigned int fault;
	} damage[] = {
		{ L2, 1 << 0, WALK_STRAY_BITS },		{ L2, 1 << 1, WALK_TABLE_ADDRESS },
		{ L2, 1 << 5, WALK_STRAY_BITS },		{ L2, 1 << 9, WALK_STRAY_BITS },
		{ L2, 1 << 12, WALK_BLOCK_ALIGN },		{ L2, 1 << 20, WALK_BLOCK_ALIGN },
		{ L2, 1ull << 48, WALK_STRAY_BITS },		{ L2, 1ull << 50, WALK_STRAY_BITS },
		{ L2, 1ull << 52, WALK_CONTIGUOUS },		{ L2, 1ull << 59, WALK_STRAY_BITS },
		{ L2, 1ull << 63, WALK_STRAY_BITS },		{ L3, 1 << 1, WALK_TYPE },
		{ L3, 1ull << 52, WALK_CONTIGUOUS },		{ L2_NEXT, 1 << 0, WALK_UNREACHED },
		{ L2_NEXT, 1 << 13, WALK_TABLE_TWICE },		{ L2_NEXT, 1ull << 47, WALK_TABLE_ADDRESS },
		{ L2_NEXT, 1 << 2, WALK_STRAY_BITS },		{ L2_NEXT, 1ull << 63, WALK_STRAY_BITS },
		{ TOP_TABLE + 8, 1 << 1, WALK_BLOCK_ALIGN },	{ TOP_TABLE + 16, 1 << 12, WALK_TABLE_TWICE },
		{ TOP_TABLE + 32, 4, WALK_UNREACHED },
	};
	struct walk_result result;
	struct set set;
	size_t i;

	(void)state;
	set_make(&set, 12, PGTABLE_EL1, regions, COUNT(regions));
	assert_exact(&set, regions, COUNT(regions));
	assert_int_equal(set.bytes, TOP_TABLE + 64);
	assert_int_equal(set.regs.ttbr0_pa, TABLE_PA + TOP_TABLE);
	for (i = 0; i < COUNT(damage); i++) {
		uint64_t was, is;

		memcpy(&was, set.image + damage[i].at, 8);
		is = was ^ damage[i].flip;
		memcpy(set.image + damage[i].at, &is, 8);
		result = walk(&set, PGTABLE_EL1);
		if (!(result.faults & damage[i].fault))
			fail_msg("damage %zu: faults %#x %s", i, result.faults, result.first_fault);
		table_walk_free(&result);
		memcpy(set.image + damage[i].at, &was, 8);
	}
	/* Permission bits are no faults, but are told. */
	for (i = 0; i < 6; i++) {
		static const unsigned int bits[] = { 6, 7, 10, 51, 53, 2 };
		struct walk_map *map;

		set.image[L2 + bits[i] / 8] ^= (unsigned char)(1 << bits[i] % 8);
		result = walk(&set, PGTABLE_EL1);
		map = &result.map[0];
		assert_int_equal(result.faults, 0);
		assert_int_equal(map->bytes, MIB(2));
		assert_int_equal(map->el0, bits[i] == 6);
		assert_int_equal(map->direct.write, bits[i] != 7);
		assert_int_equal(map->direct.execute, bits[i] == 53);
		assert_int_equal(map->indirect.execute, bits[i] == 53);
		assert_int_equal(map->indirect.write, bits[i] != 7 && bits[i] != 51);
		assert_int_equal(map->af, bits[i] != 10);
		assert_int_equal(map->attr_index, bits[i] == 2);
		table_walk_free(&result);
		set.image[L2 + bits[i] / 8] ^= (unsigned char)(1 << bits[i] % 8);
	}
	/* Tables of one kind do not pass for the other. */
	result = walk(&set, PGTABLE_EL2);
	assert_true(result.faults & WALK_STRAY_BITS);
	assert_true(result.faults & WALK_TCR);
	table_walk_free(&result);
	set.regs.ttbr0_pa += 8;
	result = walk(&set, PGTABLE_EL1);
	assert_true(result.faults & WALK_TTBR);
	table_walk_free(&result);
	set_free(&set);
}

/* Regions as ragged and as wild as they may be. Sorted, disjoint; some touch. */
static size_t random_regions(uint64_t *rng, unsigned int granule, struct map_region *out, size_t room)
{
	static const unsigned int spans[] = { 25, 31, 36, 40, 44, 48 };
	uint64_t unit = 1ull << granule, limit = 1ull << spans[seed_below(rng, COUNT(spans))];
	size_t want = 1 + seed_below(rng, room), count;
	pa_t at = seed_below(rng, 4) ? seed_below(rng, limit >> granule) << granule : 0;

	for (count = 0; count < want; count++) {
		/* Lengths of all orders, up to 8 GiB; now and then an end on a block. */
		uint64_t bytes = (1 + seed_below(rng, 1ull << seed_below(rng, 34 - granule))) << granule;
		static const uint64_t blocks[] = { MIB(2), MIB(32), MIB(512), GIB(1) };
		uint64_t block = blocks[seed_below(rng, COUNT(blocks))];

		if (!seed_below(rng, 3))
			at = align_up(at, block);
		if (!seed_below(rng, 3))
			bytes = align_up(at + bytes, block) - at;
		if (at >= TOP)
			break;
		if (bytes > TOP - at)
			bytes = TOP - at;
		out[count] = seed_below(rng, 4) ? data(at, bytes) : code(at, bytes);
		at += bytes;
		if (seed_below(rng, 3))
			at += seed_below(rng, 1ull << seed_below(rng, 38 - granule)) * unit;
		if (!seed_below(rng, 8))
			at += seed_below(rng, limit >> granule) * unit;
	}
	return count;
}

static void test_random_regions(void **state)
{
	uint64_t seed = seed_get("test_random_regions"), rounds = seed_number("ROUNDS", 3000), round;
	struct map_region regions[12];
	uint64_t leaves = 0;

	(void)state;
	for (round = 0; round < rounds; round++) {
		uint64_t rng = seed + round;
		unsigned int granule = granules[rng % COUNT(granules)];
		size_t count = random_regions(&rng, granule, regions, granule == 12 ? COUNT(regions) : 6), k;

		if (!count)
			continue;
		for (k = 0; k < COUNT(kinds); k++) {
			pa_t last = range_end(regions[count - 1].range) - 1;
			struct set set;

			set_make(&set, granule, kinds[k], regions, count);
			assert_exact(&set, regions, count);
			assert_int_equal(last >> set.geometry.va_bits, 0);
			assert_true(set.geometry.va_bits == 25 || last >> (set.geometry.va_bits - 1));
			assert_int_equal(set.walk.start_level, set.geometry.start_level);
			leaves += set.walk.leaves[1] + set.walk.leaves[2] + set.walk.leaves[3];
			set_free(&set);
		}
	}
	printf("%llu leaves in %llu rounds\n", (unsigned long long)leaves, (unsigned long long)rounds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_page),
		cmocka_unit_test(test_touching_pages_become_one_block),
		cmocka_unit_test(test_code_beside_data),
		cmocka_unit_test(test_ends_of_the_address_space),
		cmocka_unit_test(test_addresses_are_as_short_as_can_be),
		cmocka_unit_test(test_bad_regions),
		cmocka_unit_test(test_granule_beyond_64_bits),
		cmocka_unit_test(test_regions_out_of_order),
		cmocka_unit_test(test_geometry_of_other_regions),
		cmocka_unit_test(test_room_too_small),
		cmocka_unit_test(test_usual_payload_is_cheap),
		cmocka_unit_test(test_register_values),
		cmocka_unit_test(test_walker_sees_damage),
		cmocka_unit_test(test_random_regions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
