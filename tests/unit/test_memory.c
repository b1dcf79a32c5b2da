/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that was added after boot: the next kernel does not know it, so nothing is booted from there. */
#include "job.h"

#include "bytes.h"
#include "kcore.h"
#include "known.h"

#include <libfdt.h>

#define HOT		0x100000000ull	/* added */
#define HOT_PAGES	12
#define MAP_PA		0xb0000000ull
#define DESC		48u

static const char iomem[] =
	"40000000-bfffffff : System RAM\n"
	"  40210000-4183ffff : Kernel code\n"
	"  42140000-4277ffff : Kernel data\n"
	"  b0000000-b0000fff : reserved\n"
	"100000000-17fffffff : System RAM\n";

struct descriptor { uint32_t type; uint64_t pa, pages, attribute; };

static size_t make_map(unsigned char *out, const struct descriptor *d, size_t count)
{
	size_t i;

	memset(out, 0xa5, count * DESC);
	for (i = 0; i < count; i++, out += DESC) {
		store_le(out, d[i].type, 4);
		store_le(out + 8, d[i].pa, 8);
		store_le(out + 24, d[i].pages, 8);
		store_le(out + 32, d[i].attribute, 8);
	}
	return count * DESC;
}

static void test_efi_types(void **state)
{
	static const struct descriptor d[] = {
		{ 0, 0x00000000, 1, 8 }, { 1, 0x10000000, 1, 8 }, { 2, 0x10001000, 2, 0xf }, { 3, 0x20000000, 1, 8 },
		{ 4, 0x30000000, 1, 8 }, { 5, 0x40000000, 1, 8 }, { 6, 0x50000000, 1, 8 }, { 7, 0x60000000, 0x100000, 8 },
		{ 7, 0x200000000, 1, 7 }, { 7, 0x300000000, 1, 8 | 1 << 18 }, { 9, 0x400000000, 1, 8 }, { 10, 0x500000000, 1, 8 },
		{ 11, 0x600000000, 1, 1 }, { 14, 0x700000000, 1, 8 },
	};
	static const struct range want[] = {
		{ 0x10000000, 0x3000 }, { 0x20000000, 0x1000 }, { 0x30000000, 0x1000 }, { 0x60000000, 0x100000000 },
		{ 0x400000000, 0x1000 }, { 0x700000000, 0x1000 },
	};
	unsigned char map[COUNT(d) * DESC];
	size_t bytes = make_map(map, d, COUNT(d)), i;
	struct range_set known = { 0 };

	(void)state;
	assert_int_equal(known_from_efi(&known, map, bytes, DESC), KX_OK);
	assert_int_equal(known.count, COUNT(want));
	for (i = 0; i < COUNT(want); i++) {
		assert_int_equal(known.v[i].start, want[i].start);
		assert_int_equal(known.v[i].bytes, want[i].bytes);
	}
	range_set_free(&known);
	/* What is no map. */
	assert_int_equal(known_from_efi(&known, map, bytes, 39), KX_IOMEM_BAD);
	assert_int_equal(known_from_efi(&known, map, bytes - 1, DESC), KX_IOMEM_BAD);
	assert_int_equal(known_from_efi(&known, map, 0, DESC), KX_IOMEM_BAD);
	memset(map, 0, bytes);
	assert_int_equal(known_from_efi(&known, map, bytes, DESC), KX_IOMEM_BAD);
	make_map(map, d, COUNT(d));
	store_le(map + DESC + 24, 1ull << 52, 8);
	assert_int_equal(known_from_efi(&known, map, bytes, DESC), KX_IOMEM_BAD);
	range_set_free(&known);
}

static void test_log(void **state)
{
	static const char log[] = "Movable zone start for each node\nEarly memory node ranges\n"
		"  node   0: [mem 0x0000000040000000-0x000000005fffffff]\n  node  11: [mem 0x00000000c0000000-0x00000000ffffffff]\n"
		"Initmem setup node 0 [mem 0x0000000040000000-0x00000000ffffffff]\n";
	static const char *const none[] = {
		"", "Early memory node ranges\n", "Early memory node ranges\n  node   0: [mem 0x40000000-0x5fffffff",
		"Early memory node ranges\n  node   0: [mem 0x5fffffff-0x40000000]\n",
		"Early memory node ranges\n  node   0: [mem 0x0-0xffffffffffffffff]\n",
		"Early memory node ranges\n  node   0: [mem 0x00000000000000000-0x1]\n", "Early memory node ranges\nnode 0: [mem 0x-0x1]\n",
	};
	struct range_set known = { 0 };
	size_t i;

	(void)state;
	assert_int_equal(known_from_log(&known, log, strlen(log)), KX_OK);
	assert_int_equal(known.count, 2);
	assert_int_equal(known.v[0].start, 0x40000000);
	assert_int_equal(range_end(known.v[0]), 0x60000000);
	assert_int_equal(known.v[1].start, 0xc0000000);
	assert_int_equal(range_end(known.v[1]), 0x100000000);
	range_set_free(&known);
	for (i = 0; i < COUNT(none); i++) {
		assert_int_equal(known_from_log(&known, none[i], strlen(none[i])), KX_OK);
		assert_int_equal(known.count, 0);
	}
}

/* /proc/kcore with one piece of linear map; the EFI memory map lies in it, at MAP_PA. */
static void put_kcore(struct job *job, const unsigned char *map, size_t map_bytes)
{
	size_t bytes = 4096 + 0x1000 + map_bytes;
	unsigned char *kcore = calloc(1, bytes), *phdr = kcore + 64;

	memcpy(kcore, "\x7f" "ELF\2\1\1", 7);
	store_le(kcore + 32, 64, 8);
	store_le(kcore + 56, 1, 2);
	store_le(phdr, 1, 4);
	store_le(phdr + 8, 4096, 8);
	store_le(phdr + 24, MAP_PA - 0x1000, 8);
	store_le(phdr + 32, 0x1000 + map_bytes, 8);
	memcpy(kcore + 4096 + 0x1000, map, map_bytes);
	fake_file(job->fake, "/proc/kcore", kcore, bytes);
	free(kcore);
}

/* An EFI machine with memory that was added, from where the first huge pages come. */
static struct job *job_hot(uint32_t pages)
{
	struct job *job = job_new(0x60000000, PLAN_SLOT_BYTES, pages);
	char dtb[8192];
	int chosen;
	uint32_t i;

	fake_text(job->fake, "/proc/iomem", iomem);
	for (i = 0; i < HOT_PAGES; i++)
		job->fake->page[i].pa = HOT + i * PLAN_SLOT_BYTES;
	fake_dtb(dtb, sizeof(dtb), "hvc");
	fdt_open_into(dtb, dtb, sizeof(dtb));
	chosen = fdt_path_offset(dtb, "/chosen");
	fdt_setprop_u64(dtb, chosen, "linux,uefi-system-table", 0xbf000000);
	fdt_setprop_u64(dtb, chosen, "linux,uefi-mmap-start", MAP_PA);
	fdt_setprop_u32(dtb, chosen, "linux,uefi-mmap-size", 2 * DESC);
	fdt_setprop_u32(dtb, chosen, "linux,uefi-mmap-desc-size", DESC);
	fake_file(job->fake, "/sys/firmware/fdt", dtb, fdt_totalsize(dtb));
	job->fake->log = "nothing of the boot\n";
	return job;
}

static void assert_boots_low(struct job *job)
{
	struct purg_model m;

	assert_loads(job, &m);
	assert_in_range(m.params.kernel_pa, 0x40000000, 0xbfffffff);
	assert_in_range(m.params.dtb_pa, 0x40000000, 0xbfffffff);
	assert_in_range(job->fake->load.entry, 0x40000000, 0xbfffffff);
	purg_model_free(&m);
}

static void test_map_of_efi(void **state)
{
	static const struct descriptor d[] = { { 7, 0x40000000, 0x70000, 8 }, { 7, MAP_PA, 0x10000, 8 } };
	unsigned char map[2 * DESC];
	struct job *job;
	uint32_t pages;

	(void)state;
	make_map(map, d, 2);
	/* Enough others; and none but those, which may only be sources. */
	for (pages = HOT_PAGES; pages <= 60; pages += 48) {
		job = job_hot(pages);
		put_kcore(job, map, sizeof(map));
		assert_boots_low(job);
		assert_false(noted(job, "memory around the running kernel"));
		job_free(job);
	}
	/* A map that names it: it was there at boot. */
	job = job_hot(HOT_PAGES);
	store_le(map + 8, HOT, 8);
	put_kcore(job, map, sizeof(map));
	assert_int_equal(load(job), KX_OK);
	assert_true(job->fake->load.entry >= HOT);
	job_free(job);
}

static void test_without_map(void **state)
{
	static const struct descriptor d[] = { { 7, 0x40000000, 1ull << 52, 8 }, { 7, MAP_PA, 0x10000, 8 } };
	struct job *job = job_hot(60);
	unsigned char map[2 * DESC];

	(void)state;
	/* The log knows. */
	job->fake->log = "Early memory node ranges\n  node   0: [mem 0x0000000040000000-0x00000000bfffffff]\nBooting\n";
	assert_boots_low(job);
	assert_false(noted(job, "memory around the running kernel"));
	job_free(job);
	/* Nobody knows. */
	job = job_hot(60);
	assert_boots_low(job);
	assert_true(noted(job, "memory around the running kernel"));
	job_free(job);
	/* A map that makes no sense is none; nor one that the kernel does not show in whole. */
	job = job_hot(60);
	make_map(map, d, 2);
	put_kcore(job, map, sizeof(map));
	assert_boots_low(job);
	assert_true(noted(job, "memory around the running kernel"));
	job_free(job);
	job = job_hot(60);
	put_kcore(job, map, sizeof(map) - 1);
	assert_boots_low(job);
	assert_true(noted(job, "memory around the running kernel"));
	job_free(job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_efi_types),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_map_of_efi),
		cmocka_unit_test(test_without_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
