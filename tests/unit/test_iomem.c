/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "iomem.h"
#include "seed.h"

/* A set as text: inclusive, as in /proc/iomem, "40000000-bfffffff c0000000-c0ffffff". */
static void assert_set(const struct range_set *set, const char *want)
{
	char text[2048] = "";
	size_t i, at = 0;

	for (i = 0; i < set->count && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%llx-%llx", i ? " " : "",
				       (unsigned long long)set->v[i].start,
				       (unsigned long long)range_end(set->v[i]) - 1);
	assert_string_equal(text, want);
}

/* Of a copy of exactly that size, with no null behind it, for the sanitizer to watch. */
static enum kx_err parse_bytes(struct memmap *map, const char *text, size_t bytes)
{
	char *copy = malloc(bytes ? bytes : 1);
	enum kx_err err;

	assert_non_null(copy);
	memcpy(copy, text, bytes);
	err = memmap_parse(map, copy, bytes);
	free(copy);
	return err;
}

static void expect(const char *text, const char *ram, const char *spare, const char *crash)
{
	struct memmap map;
	char regions[256] = "";
	size_t used = 0;
	unsigned int i;

	assert_int_equal(parse_bytes(&map, text, strlen(text)), KX_OK);
	assert_set(&map.ram, ram);
	assert_set(&map.spare, spare);
	for (i = 0; i < map.crash_count; i++)
		used += (size_t)snprintf(regions + used, sizeof(regions) - used, "%s%llx-%llx", i ? " " : "",
					 (unsigned long long)map.crash[i].start, (unsigned long long)range_end(map.crash[i]) - 1);
	assert_string_equal(regions, crash);
	memmap_free(&map);
}

static void expect_bad(const char *text)
{
	struct memmap map;

	memset(&map, 0xa5, sizeof(map));
	assert_int_equal(parse_bytes(&map, text, strlen(text)), KX_IOMEM_BAD);
	assert_int_equal(map.ram.count | map.spare.count | map.crash_count, 0);
	assert_null(map.ram.v);
	memmap_free(&map);
}

static const char qemu_virt[] =
	"00000000-03ffffff : 0.flash flash@0\n"
	"04000000-07ffffff : 0.flash flash@0\n"
	"08000000-0800ffff : GICD\n"
	"08080000-0809ffff : GITS\n"
	"080a0000-08ffffff : GICR\n"
	"09000000-09000fff : pl011@9000000\n"
	"  09000000-09000fff : 9000000.pl011 pl011@9000000\n"
	"10000000-3efeffff : pcie@10000000\n"
	"  10000000-1003ffff : 0000:00:01.0\n"
	"40000000-bfffffff : System RAM\n"
	"  40210000-4183ffff : Kernel code\n"
	"  41840000-4213ffff : reserved\n"
	"  42140000-4277ffff : Kernel data\n"
	"  42800000-42ffffff : reserved\n"
	"  48000000-480fffff : reserved\n"
	"  bc000000-bfdfffff : reserved\n"
	"  bfe2c000-bfffffff : reserved\n"
	"8000000000-ffffffffff : pcie@10000000\n";

static void test_qemu_virt(void **state)
{
	(void)state;
	/* The dying kernel's code and data may be overwritten; what is reserved beside them may not. */
	expect(qemu_virt, "40000000-bfffffff",
	       "40000000-4183ffff 42140000-427fffff 43000000-47ffffff 48100000-bbffffff bfe00000-bfe2bfff", "");
}

static void test_crash_kernel(void **state)
{
	(void)state;
	expect("40000000-7fffffff : System RAM\n"
	       "  40200000-411fffff : Kernel code\n"
	       "  41200000-418fffff : Kernel rodata\n"
	       "  41900000-41bfffff : Kernel data\n"
	       "  41c00000-41cfffff : Kernel bss\n"
	       "  60000000-6fffffff : Crash kernel\n"
	       "100000000-2ffffffff : System RAM\n"
	       "  2e0000000-2efffffff : Crash kernel\n",
	       "40000000-7fffffff 100000000-2ffffffff",
	       "40000000-5fffffff 70000000-7fffffff 100000000-2dfffffff 2f0000000-2ffffffff",
	       "60000000-6fffffff 2e0000000-2efffffff");
}

static void test_efi_machine(void **state)
{
	(void)state;
	/* Runtime services, ACPI and no-map memory: "reserved" at the top level, and many reserved children. */
	expect("80300000-83ffffff : reserved\n"
	       "84000000-91ffffff : System RAM\n"
	       "  84010000-85d2ffff : Kernel code\n"
	       "  85d30000-8661ffff : reserved\n"
	       "  86620000-86ceffff : Kernel data\n"
	       "  88000000-88000fff : reserved\n"
	       "  88002000-88002fff : reserved\n"
	       "92000000-928fffff : reserved\n"
	       "92900000-fffaffff : System RAM\n"
	       "  94360000-9436ffff : reserved\n"
	       "  943a0000-943affff : reserved\n"
	       "  fe000000-ffefffff : reserved\n"
	       "  fff1a018-fff1b457 : reserved\n"
	       "fffb0000-ffffffff : reserved\n"
	       "880000000-ffffffffff : System RAM\n"
	       "  881030000-8813effff : reserved\n"
	       "    881080000-8810fffff : GICv3\n"
	       "  ffbf000000-ffffffffff : reserved\n",
	       "84000000-91ffffff 92900000-fffaffff 880000000-ffffffffff",
	       "84000000-85d2ffff 86620000-87ffffff 88001000-88001fff 88003000-91ffffff 92900000-9435ffff "
	       "94370000-9439ffff 943b0000-fdffffff fff00000-fff1a017 fff1b458-fffaffff 880000000-88102ffff "
	       "8813f0000-ffbeffffff", "");
}

static void test_driver_managed_memory(void **state)
{
	(void)state;
	expect("40000000-bfffffff : System RAM\n"
	       "140000000-333ffffff : virtio0\n"
	       "  140000000-147ffffff : System RAM (virtio_mem)\n"
	       "  148000000-14fffffff : System RAM (virtio_mem)\n"
	       "400000000-7ffffffff : Persistent Memory\n"
	       "  400000000-7ffffffff : namespace0.0\n"
	       "    400000000-7ffffffff : dax0.0\n"
	       "      400000000-7ffffffff : System RAM (kmem)\n"
	       "800000000-83fffffff : System RAM (hmem)\n"
	       "  820000000-82fffffff : Crash kernel\n"
	       "840000000-87fffffff : system ram\n"
	       "880000000-8bfffffff : System RAM \n"
	       "8c0000000-8ffffffff : System RAM\r\n",
	       "40000000-bfffffff", "40000000-bfffffff", "820000000-82fffffff");
	/* Nested "System RAM" is not the boot's, whatever its exact name. */
	expect("40000000-bfffffff : System RAM\n140000000-17fffffff : virtio0\n  140000000-17fffffff : System RAM\n",
	       "40000000-bfffffff", "40000000-bfffffff", "");
}

static void test_children(void **state)
{
	(void)state;
	/* Kept out at every depth, and inside the kernel's own as well. */
	expect("40000000-7fffffff : System RAM\n"
	       "  40000000-40ffffff : Kernel code\n"
	       "    40800000-408fffff : reserved\n"
	       "  50000000-50ffffff : reserved\n"
	       "    50000000-500fffff : Kernel data\n"
	       "  60000000-600fffff : Kernel code and more\n"
	       "  7ff00000-7fffffff : \n",
	       "40000000-7fffffff",
	       "40000000-407fffff 40900000-4fffffff 51000000-5fffffff 60100000-7fefffff", "");
	/* RAM that touches is one; a child of the second does not change the first. */
	expect("40000000-5fffffff : System RAM\n60000000-7fffffff : System RAM\n  60000000-600fffff : reserved\n",
	       "40000000-7fffffff", "40000000-5fffffff 60100000-7fffffff", "");
	/* A line of one byte; RAM from address 0. */
	expect("00000000-3fffffff : System RAM\n  00000000-00000000 : reserved\n  3fffffff-3fffffff : reserved\n",
	       "0-3fffffff", "1-3ffffffe", "");
}

static void test_text_form(void **state)
{
	(void)state;
	expect("40000000-bfffffff : System RAM", "40000000-bfffffff", "40000000-bfffffff", "");
	expect("\n\n40000000-bfffffff : System RAM\n\n", "40000000-bfffffff", "40000000-bfffffff", "");
	expect("0000000040000000-00000000bfffffff : System RAM\n", "40000000-bfffffff", "40000000-bfffffff", "");
	expect("fffffc000000-ffffffffffff : System RAM\n", "fffffc000000-ffffffffffff",
	       "fffffc000000-ffffffffffff", "");
}

static void test_unprivileged(void **state)
{
	(void)state;
	expect_bad("00000000-00000000 : GICD\n"
		   "00000000-00000000 : System RAM\n"
		   "  00000000-00000000 : Kernel code\n"
		   "  00000000-00000000 : reserved\n"
		   "00000000-00000000 : System RAM\n");
}

static void test_not_iomem(void **state)
{
	static const char *const lines[] = {
		"hello", "40000000", "40000000-", "40000000-bfffffff", "40000000-bfffffff ", "40000000-bfffffff :",
		"40000000-bfffffff:System RAM", "40000000 - bfffffff : System RAM", "-bfffffff : System RAM",
		"0x40000000-0xbfffffff : System RAM", "4000000G-bfffffff : System RAM", "\t40000000-bfffffff : x",
		"bfffffff-40000000 : System RAM", "10000000000000000-1ffffffffffffffff : System RAM",
		"00000000040000000-bfffffff : System RAM", "   ", "40000000-bfffffff : reserved\n : ",
		"40000000-bfffffff : x\n\x01\x02\xff",
	};
	size_t i;

	(void)state;
	expect_bad("");
	expect_bad("\n");
	expect_bad("09000000-09000fff : pl011@9000000\n");
	expect_bad("40000000-400fffff : System RAM\n");		/* not one huge page */
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[256];

		expect_bad(lines[i]);
		/* Not made good by what is around it. */
		snprintf(text, sizeof(text), "40000000-bfffffff : System RAM\n%s\nc0000000-c0000fff : x\n", lines[i]);
		expect_bad(text);
	}
}

/* What any answer must be, however wild the text was. */
static void assert_sane(const struct memmap *map)
{
	const struct range_set *sets[] = { &map->ram, &map->spare };
	size_t s, i;

	for (s = 0; s < 2; s++)
		for (i = 0; i < sets[s]->count; i++) {
			struct range r = sets[s]->v[i];

			assert_true(r.bytes && range_end(r) > r.start);
			assert_true(!i || range_end(sets[s]->v[i - 1]) < r.start);
		}
	for (i = 0; i < map->spare.count; i++)
		assert_true(range_set_contains(&map->ram, map->spare.v[i]));
}

/* RAM at the end of 64 bits, that half-open ranges cannot tell: refused, or left out, but never a broken map. */
static void test_huge_numbers(void **state)
{
	static const char *const texts[] = {
		"ffffffff00000000-ffffffffffffffff : System RAM\n",
		"40000000-bfffffff : System RAM\nffffffff00000000-ffffffffffffffff : System RAM\n",
		"40000000-bfffffff : System RAM\n  50000000-ffffffffffffffff : reserved\n",
		"00000000-ffffffffffffffff : System RAM\n  40000000-4fffffff : reserved\n",
		"40000000-bfffffff : System RAM\n  00000001-ffffffffffffffff : reserved\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct memmap map;

		if (parse_bytes(&map, texts[i], strlen(texts[i])) != KX_OK)
			continue;
		assert_sane(&map);
		/* Where it says so, 0x60000000 is reserved. */
		if (i == 2 || i == 4)
			assert_false(range_set_overlaps(&map.spare, (struct range){ 0x60000000, 1 }));
		memmap_free(&map);
	}
}

/* Cut anywhere: refused, or a map of the lines that are whole. */
static void test_cut_text(void **state)
{
	size_t bytes;

	(void)state;
	for (bytes = 0; bytes < sizeof(qemu_virt); bytes++) {
		struct memmap map;
		const char *line = qemu_virt + bytes;

		while (line > qemu_virt && line[-1] != '\n')
			line--;
		if (parse_bytes(&map, qemu_virt, bytes) == KX_OK) {
			assert_sane(&map);
			/* A line cut before its name is not a line. */
			assert_true(line == qemu_virt + bytes || strstr(line, " : ") + 3 <= qemu_virt + bytes);
			memmap_free(&map);
		}
	}
}

static void test_random_damage(void **state)
{
	uint64_t seed = seed_get("test_random_damage"), rounds = seed_number("ROUNDS", 20000), round, good = 0;
	static const char letters[] = "0123456789abcdf-: \nSystem RAM";

	(void)state;
	for (round = 0; round < rounds; round++) {
		uint64_t rng = seed + round, changes = 1 + seed_below(&rng, 3);
		char text[sizeof(qemu_virt)];
		struct memmap map;

		memcpy(text, qemu_virt, sizeof(text));
		while (changes--)
			text[seed_below(&rng, sizeof(text) - 1)] = seed_below(&rng, 4) ?
				letters[seed_below(&rng, sizeof(letters) - 1)] : (char)seed_next(&rng);
		if (parse_bytes(&map, text, sizeof(text) - 1) != KX_OK)
			continue;
		assert_sane(&map);
		memmap_free(&map);
		good++;
	}
	printf("%llu of %llu texts were taken\n", (unsigned long long)good, (unsigned long long)rounds);
}

static void expect_gic(const char *log, const char *want)
{
	struct range_set tables = { 0 };
	size_t bytes = strlen(log);
	char *copy = malloc(bytes ? bytes : 1);

	assert_non_null(copy);
	memcpy(copy, log, bytes);
	assert_int_equal(memmap_gic_tables(&tables, copy, bytes), KX_OK);
	assert_set(&tables, want);
	range_set_free(&tables);
	free(copy);
}

#define BOOT	"[    0.000000] "

/* Lines of real machines. */
static void test_gic_of_real_machines(void **state)
{
	(void)state;
	/* QEMU virt */
	expect_gic(BOOT "GICv3: 256 SPIs implemented\n"
		   BOOT "GICv3: CPU0: found redistributor 0 region 0:0x00000000080a0000\n"
		   BOOT "ITS [mem 0x08080000-0x0809ffff]\n"
		   BOOT "ITS@0x0000000008080000: allocated 8192 Devices @426c0000 (indirect, esz 8, psz 64K, shr 1)\n"
		   BOOT "ITS@0x0000000008080000: allocated 8192 Interrupt Collections @426d0000 "
		   "(flat, esz 8, psz 64K, shr 1)\n"
		   BOOT "GICv3: using LPI property table @0x0000000042700000\n"
		   BOOT "GICv3: CPU0: using allocated LPI pending table @0x0000000042720000\n"
		   "[    0.058345] GICv3: CPU1: using allocated LPI pending table @0x0000000042740000\n",
		   "426c0000-426dffff 42700000-4270ffff 42720000-4272ffff 42740000-4274ffff");
	/* A server: flat tables of 512 KiB; pages of 16 KiB, whose table is rounded to what lies around it */
	expect_gic(BOOT "ITS@0x0000000400100000: allocated 65536 Devices @881080000 (flat, esz 8, psz 64K, shr 0)\n"
		   BOOT "ITS@0x0000000400100000: allocated 8192 Interrupt Collections @881034000 "
		   "(flat, esz 2, psz 16K, shr 0)\n"
		   BOOT "ITS: using cache flushing for cmd queue\n"
		   BOOT "GICv3: using LPI property table @0x0000000881060000\n"
		   BOOT "GIC: using cache flushing for LPI property table\n",
		   "881030000-88103ffff 881060000-88106ffff 881080000-8810fffff");
	/* 4 MiB of devices; a 1 MiB table of virtual CPUs */
	expect_gic(BOOT "ITS@0x0000801000020000: Devices too large, reduce ids 21->19\n"
		   BOOT "ITS@0x0000801000020000: allocated 524288 Devices @100800000 (flat, esz 8, psz 64K, shr 1)\n"
		   BOOT "ITS@0x000000c660000000: allocated 32768 Virtual CPUs @821c0400000 "
		   "(flat, esz 32, psz 4K, shr 1)\n",
		   "100800000-100bfffff 821c0400000-821c04fffff");
	/* After a kexec, and as older kernels say it */
	expect_gic(BOOT "GICv3: Using preallocated redistributor tables\n"
		   BOOT "GICv3: CPU0: using reserved LPI pending table @0x0000009fc0630000\n"
		   BOOT "GIC: using LPI property table @0x00000000dc830000\n"
		   BOOT "CPU0: using LPI pending table @0x00000000dc840000\n",
		   "dc830000-dc84ffff 9fc0630000-9fc063ffff");
}

static void test_gic_line_forms(void **state)
{
	(void)state;
	expect_gic("", "");
	expect_gic("\n\n", "");
	/* /dev/kmsg, syslog priority, and none; no newline at the end */
	expect_gic("6,412,0,-;GICv3: using LPI property table @0x00000000425e0000", "425e0000-425effff");
	expect_gic("<6>[    0.000000] GICv3: using LPI property table @0x00000000425e0000", "425e0000-425effff");
	expect_gic("GICv3: using LPI property table @0x00000000425e0000", "425e0000-425effff");
}

/* Lines that say nothing sound say nothing, and nothing is read behind the text. */
static void test_gic_garbage(void **state)
{
	static const char whole[] =
		"ITS@0x0000000008080000: allocated 8192 Devices @426c0000 (indirect, esz 8, psz 64K, shr 1)";
	static const char property[] = "GICv3: using LPI property table @0x00000000425e0000";
	size_t bytes;

	(void)state;
	expect_gic("GICv3: using LPI property table @", "");
	expect_gic("GICv3: using LPI property table @0x", "");
	expect_gic("GICv3: using LPI property table @0xzz", "");
	expect_gic("GICv3: using LPI property table @0x425e1000", "");		/* GICR_PROPBASER: 64 KiB for Linux */
	expect_gic("GICv3: using LPI property table @0x00000000000425e0000", "");	/* 19 digits */
	expect_gic("GICv3: using LPI property table @0xffffffffffff0000", "");
	expect_gic("ITS@0x0000000008080000: allocated 8192 Devices", "");
	expect_gic("ITS@0x0000000008080000: allocated 8192 Devices @", "");
	expect_gic("ITS@0x8080000: allocated 8192 Devices @ffffffffffff0000 (flat, esz 8, psz 64K, shr 1)", "");
	expect_gic("ITS: allocated 8192 Devices @426c0000 (flat, esz 8, psz 64K, shr 1)", "");
	expect_gic("ITS@0x1: allocated 99999999999999999999 Devices @426c0000 (flat, esz 99999999999, psz 4K)", "");
	expect_gic("usb 1-1: allocated 8192 Devices @426c0000 (flat, esz 8)", "");
	/* Cut anywhere: nothing, or a table of some place. Its true size needs "esz". */
	for (bytes = 0; bytes < sizeof(whole) + sizeof(property) - 2; bytes++) {
		bool its = bytes < sizeof(whole);
		const char *text = its ? whole : property;
		size_t cut = its ? bytes : bytes - sizeof(whole) + 1;
		char *copy = malloc(cut ? cut : 1);
		struct range_set tables = { 0 };

		assert_non_null(copy);
		memcpy(copy, text, cut);
		assert_int_equal(memmap_gic_tables(&tables, copy, cut), KX_OK);
		assert_true(tables.count <= 1);
		range_set_free(&tables);
		free(copy);
	}
}

/* Whatever its address, all of a table is covered: rounding down moves the start, not the end. */
static void test_gic_table_at_an_odd_place(void **state)
{
	(void)state;
	expect_gic("ITS@0x8080000: allocated 8192 Devices @426c8000 (flat, esz 8, psz 4K, shr 1)", "426c0000-426dffff");
}

/*
 * kernel/kexec_file.c, locate_mem_hole_callback(), as it goes through memory that memblock holds unreserved: up from the lowest range for an
 * Image, down from the highest for a device tree, 2 MiB aligned. Here unit by unit of 64 KiB, of memory drawn at random.
 */
#define UNIT		KIB(64)
#define UNITS		(MIB(128) / UNIT)
#define HOLE_UNITS	(MIB(4) / UNIT)

static bool is_hole(const bool *unreserved, size_t at)
{
	size_t i;

	for (i = 0; i < HOLE_UNITS; i++)
		if (at + i >= UNITS || !unreserved[at + i])
			return false;
	return true;
}

static void test_file_load_bounds(void **state)
{
	uint64_t seed = seed_get("test_file_load_bounds"), round;

	(void)state;
	for (round = 0; round < 2000; round++) {
		bool unreserved[UNITS] = { false }, no_memory, found = false;
		struct memmap map = { .kernel = { UNIT * seed_below(&seed, UNITS), UNIT * seed_below(&seed, 200) } };
		pa_t low_end = 0, high_start = 0, lowest = 0, highest = 0;
		size_t i, n;

		for (n = 1 + (size_t)seed_below(&seed, 12); n; n--) {
			struct range r = { UNIT * seed_below(&seed, UNITS), UNIT * (1 + seed_below(&seed, 300)) };

			if (range_end(r) > MIB(128))
				continue;
			assert_true(range_set_add(&map.spare, r));
		}
		for (i = 0; i < UNITS; i++)
			unreserved[i] = range_set_contains(&map.spare, (struct range){ i * UNIT, UNIT }) &&
					!range_overlaps(map.kernel, (struct range){ i * UNIT, UNIT });
		for (i = 0; i < UNITS; i += MIB(2) / UNIT)
			if (is_hole(unreserved, i)) {
				lowest = found ? lowest : i * UNIT;
				highest = i * UNIT;
				found = true;
			}
		assert_int_equal(memmap_file_load_bounds(&map, MIB(4), MIB(4), &low_end, &high_start, &no_memory), found);
		assert_false(no_memory);
		if (found) {
			assert_int_equal(low_end, lowest + MIB(4));
			assert_int_equal(high_start, highest);
		}
		range_set_free(&map.spare);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_qemu_virt),
		cmocka_unit_test(test_crash_kernel),
		cmocka_unit_test(test_efi_machine),
		cmocka_unit_test(test_driver_managed_memory),
		cmocka_unit_test(test_children),
		cmocka_unit_test(test_text_form),
		cmocka_unit_test(test_unprivileged),
		cmocka_unit_test(test_not_iomem),
		cmocka_unit_test(test_huge_numbers),
		cmocka_unit_test(test_cut_text),
		cmocka_unit_test(test_random_damage),
		cmocka_unit_test(test_gic_of_real_machines),
		cmocka_unit_test(test_gic_line_forms),
		cmocka_unit_test(test_gic_garbage),
		cmocka_unit_test(test_gic_table_at_an_odd_place),
		cmocka_unit_test(test_file_load_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
