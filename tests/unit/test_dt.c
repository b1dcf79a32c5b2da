/* SPDX-License-Identifier: GPL-2.0-only */
/* The next kernel's device tree, on trees made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dt.h"
#include "dt_make.h"
#include "seed.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define TIMELINE	"kexec-fast,timeline"

static const char *const stale[] = {
	"linux,initrd-start", "linux,initrd-end", "linux,elfcorehdr", "linux,usable-memory-range", "linux,dmcryptkeys",
	"linux,ima-kexec-buffer", "linux,kho-fdt", "linux,kho-scratch",
};

/* A tree that an earlier kexec and its crash kernel left everything in. */
static void old_tree(struct tree *t)
{
	size_t i;

	open_tree(t, 2, 2);
	node(t, "psci");
	string(t, "compatible", "arm,psci-1.0");
	string(t, "method", "smc");
	end_node(t);
	node(t, "chosen");
	string(t, "bootargs", "root=/dev/vda1");
	string(t, "stdout-path", "/pl011@9000000");
	for (i = 0; i < COUNT(stale); i++)
		property(t, stale[i], "12345678", 8);
	property(t, "kaslr-seed", "\0\0\0\0\0\0\0", 8);
	property(t, "rng-seed", "old seed", 8);
	property(t, TIMELINE, "old record", 11);
	end_node(t);
	close_tree(t);
}

static const void *chosen(const void *fdt, const char *name, int *bytes)
{
	return fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), name, bytes);
}

static void assert_u64(const void *fdt, const char *name, uint64_t want)
{
	int bytes;
	const fdt64_t *value = chosen(fdt, name, &bytes);

	assert_non_null(value);
	assert_int_equal(bytes, 8);
	assert_true(fdt64_ld(value) == want);
}

static struct dt_edit full_edit(void)
{
	struct dt_edit edit = {
		.cmdline = "console=ttyAMA0", .seeds = true, .initrd = { 0x123456789000, 4097 }, .property = TIMELINE,
		.value = "0123456789abcdef", .value_bytes = 16,
	};

	memset(edit.kaslr_seed, 0x5a, sizeof(edit.kaslr_seed));
	memset(edit.rng_seed, 0xa5, sizeof(edit.rng_seed));
	return edit;
}

/* dt_check() on a copy of exactly that size. */
static enum kx_err check_bytes(const void *fdt, size_t bytes, size_t *total)
{
	void *copy = malloc(bytes ? bytes : 1);
	enum kx_err err;

	memcpy(copy, fdt, bytes);
	err = dt_check(copy, bytes, total);
	free(copy);
	return err;
}

static void test_check(void **state)
{
	struct tree t;
	size_t bytes, total = 0;

	(void)state;
	old_tree(&t);
	assert_int_equal(check_bytes(t.fdt, t.bytes, &total), KX_OK);
	assert_int_equal(total, t.bytes);
	/* More behind it is none of its. */
	assert_int_equal(dt_check(t.fdt, DT_MAKE_ROOM, &total), KX_OK);
	assert_int_equal(total, t.bytes);
	for (bytes = 0; bytes < t.bytes; bytes++)
		assert_int_equal(check_bytes(t.fdt, bytes, &total), KX_DTB_BAD);
}

/* What passes the check can be read and edited without harm. */
static void use_tree(const void *fdt)
{
	struct range_set memory = { 0 };
	struct dt_edit edit = full_edit();
	_Alignas(8) static unsigned char out[2 * DT_MAKE_ROOM];
	size_t out_bytes, value_at, bytes;

	dt_psci(fdt);
	dt_chosen(fdt, "bootargs", &bytes);
	dt_memory(fdt, &memory);
	range_set_free(&memory);
	if (dt_edit(fdt, &edit, out, sizeof(out), &out_bytes, &value_at) != KX_OK)
		return;
	assert_int_equal(fdt_check_full(out, sizeof(out)), 0);
	assert_in_range(out_bytes, 1, sizeof(out));
	assert_true(value_at + edit.value_bytes <= out_bytes);
	assert_memory_equal(out + value_at, edit.value, edit.value_bytes);
}

/* Packed in memory of just its size. */
static void pack_tree(const void *fdt)
{
	size_t total = fdt_totalsize(fdt);
	void *copy = malloc(total);

	memcpy(copy, fdt, total);
	assert_in_range(dt_pack(copy), 1, total);
	free(copy);
}

/* A list of reserved memory without an end of its own goes on in the structure. */
static void test_reserved_without_end(void **state)
{
	struct tree t;
	size_t total;
	unsigned char *entry;

	(void)state;
	old_tree(&t);
	assert_int_equal(check_bytes(t.fdt, t.bytes, &total), KX_OK);
	entry = t.fdt + fdt_off_mem_rsvmap(t.fdt) + 16 * (size_t)fdt_num_mem_rsv(t.fdt);
	memset(entry, 1, 16);
	assert_int_equal(check_bytes(t.fdt, t.bytes, &total), KX_DTB_BAD);
}

static void test_damaged(void **state)
{
	uint64_t seed = seed_get("test_damaged"), rounds = seed_number("ROUNDS", 30000), i, good = 0;
	struct tree t;

	(void)state;
	old_tree(&t);
	for (i = 0; i < rounds; i++) {
		uint64_t rng = seed + i, changes = 1 + seed_below(&rng, 4);
		unsigned char *copy = malloc(t.bytes);
		size_t total;

		memcpy(copy, t.fdt, t.bytes);
		while (changes--)
			copy[seed_below(&rng, t.bytes)] = seed_below(&rng, 3) ? (unsigned char)seed_below(&rng, 8)
									      : (unsigned char)seed_next(&rng);
		if (dt_check(copy, t.bytes, &total) == KX_OK) {
			assert_true(total <= t.bytes);
			use_tree(copy);
			pack_tree(copy);
			good++;
		}
		free(copy);
	}
	printf("%llu of %llu trees were taken\n", (unsigned long long)good, (unsigned long long)rounds);
}

static void test_edit(void **state)
{
	struct dt_edit edit = full_edit();
	_Alignas(8) unsigned char out[DT_MAKE_ROOM];
	size_t out_bytes, value_at, i;
	struct tree t;
	const void *value;
	int bytes;

	(void)state;
	old_tree(&t);
	assert_int_equal(dt_edit(t.fdt, &edit, out, DT_MAKE_ROOM, &out_bytes, &value_at), KX_OK);
	assert_int_equal(fdt_check_full(out, out_bytes), 0);
	assert_int_equal(fdt_totalsize(out), out_bytes);
	assert_string_equal(chosen(out, "bootargs", &bytes), "console=ttyAMA0");
	assert_int_equal(bytes, 16);
	assert_u64(out, "linux,initrd-start", 0x123456789000);
	assert_u64(out, "linux,initrd-end", 0x123456789000 + 4097);
	value = chosen(out, "kaslr-seed", &bytes);
	assert_int_equal(bytes, 8);
	assert_memory_equal(value, edit.kaslr_seed, 8);
	value = chosen(out, "rng-seed", &bytes);
	assert_int_equal(bytes, sizeof(edit.rng_seed));
	assert_memory_equal(value, edit.rng_seed, sizeof(edit.rng_seed));
	for (i = 2; i < COUNT(stale); i++)
		assert_null(chosen(out, stale[i], NULL));
	value = chosen(out, TIMELINE, &bytes);
	assert_int_equal(bytes, 16);
	assert_ptr_equal(value, out + value_at);
	assert_int_equal(value_at % 4, 0);
	assert_memory_equal(value, edit.value, 16);
	/* What is not ours stays. */
	assert_string_equal(chosen(out, "stdout-path", NULL), "/pl011@9000000");
	assert_int_equal(dt_psci(out), DT_PSCI_SMC);
}

static void test_edit_little(void **state)
{
	struct dt_edit edit = full_edit();
	_Alignas(8) unsigned char out[DT_MAKE_ROOM];
	size_t out_bytes, value_at = 99, i;
	struct tree t;

	(void)state;
	edit.cmdline = NULL;
	edit.seeds = false;
	edit.initrd.bytes = 0;
	edit.property = NULL;
	old_tree(&t);
	assert_int_equal(dt_edit(t.fdt, &edit, out, DT_MAKE_ROOM, &out_bytes, &value_at), KX_OK);
	assert_string_equal(chosen(out, "bootargs", NULL), "root=/dev/vda1");
	for (i = 0; i < COUNT(stale); i++)
		assert_null(chosen(out, stale[i], NULL));
	assert_null(chosen(out, "kaslr-seed", NULL));
	assert_null(chosen(out, "rng-seed", NULL));
	assert_int_equal(value_at, 0);
}

static void test_no_chosen(void **state)
{
	struct dt_edit edit = full_edit();
	_Alignas(8) unsigned char out[DT_MAKE_ROOM];
	size_t out_bytes, value_at;
	struct tree t;

	(void)state;
	open_tree(&t, 1, 1);
	node(&t, "cpus");
	end_node(&t);
	close_tree(&t);
	assert_int_equal(dt_edit(t.fdt, &edit, out, DT_MAKE_ROOM, &out_bytes, &value_at), KX_OK);
	assert_int_equal(fdt_check_full(out, out_bytes), 0);
	assert_string_equal(chosen(out, "bootargs", NULL), "console=ttyAMA0");
	/* 64 bits, though the tree has cells of 32. */
	assert_u64(out, "linux,initrd-start", 0x123456789000);
	assert_memory_equal(out + value_at, edit.value, 16);
	assert_null(dt_chosen(t.fdt, "bootargs", &value_at));
}

static void test_reserve(void **state)
{
	struct dt_edit edit = full_edit();
	_Alignas(8) unsigned char out[DT_MAKE_ROOM], again[DT_MAKE_ROOM];
	size_t out_bytes, again_bytes, value_at;
	struct range_set reserve = { 0 };
	uint64_t address, size;
	struct tree t;

	(void)state;
	range_set_add(&reserve, (struct range){ 0x881060000, 0x10000 });
	range_set_add(&reserve, (struct range){ 0x90000000, 0x20000 });
	edit.reserve = &reserve;
	old_tree(&t);
	assert_int_equal(dt_edit(t.fdt, &edit, out, DT_MAKE_ROOM, &out_bytes, &value_at), KX_OK);
	assert_int_equal(fdt_num_mem_rsv(out), 2);
	assert_int_equal(fdt_get_mem_rsv(out, 0, &address, &size), 0);
	assert_true(address == 0x90000000 && size == 0x20000);
	/* The next kexec finds them there already. */
	assert_int_equal(dt_edit(out, &edit, again, DT_MAKE_ROOM, &again_bytes, &value_at), KX_OK);
	assert_int_equal(fdt_num_mem_rsv(again), 2);
	assert_int_equal(again_bytes, out_bytes);
	range_set_free(&reserve);
}

static bool reserves(const void *fdt, uint64_t start, uint64_t bytes)
{
	uint64_t address, size;
	int i;

	for (i = 0; i < fdt_num_mem_rsv(fdt); i++)
		if (fdt_get_mem_rsv(fdt, i, &address, &size) == 0 && address == start && size == bytes)
			return true;
	return false;
}

/* Twenty kernels one after the other, each with tables of its own beside one that stays, and the firmware's own entry. */
static void test_chain(void **state)
{
	_Alignas(8) unsigned char tree[2][DT_MAKE_ROOM];
	size_t bytes, first_bytes = 0, value_at;
	struct dt_edit edit = full_edit();
	struct tree t;
	uint64_t hop;

	(void)state;
	old_tree(&t);
	assert_int_equal(fdt_open_into(t.fdt, tree[0], DT_MAKE_ROOM), 0);
	assert_int_equal(fdt_add_mem_rsv(tree[0], 0x4000000, 0x1000), 0);
	for (hop = 0; hop < 20; hop++) {
		const void *from = tree[hop % 2];
		unsigned char *to = tree[(hop + 1) % 2];
		struct range_set reserve = { 0 };

		range_set_add(&reserve, (struct range){ 0x50000000, 0x10000 });
		range_set_add(&reserve, (struct range){ 0x60000000 + hop * 0x100000, 0x20000 });
		range_set_add(&reserve, (struct range){ 0x4000000, 0x800 });	/* inside what firmware reserves */
		edit.reserve = &reserve;
		assert_int_equal(dt_edit(from, &edit, to, DT_MAKE_ROOM, &bytes, &value_at), KX_OK);
		range_set_free(&reserve);
		assert_int_equal(fdt_check_full(to, bytes), 0);
		assert_int_equal(fdt_num_mem_rsv(to), 3);
		assert_true(reserves(to, 0x4000000, 0x1000));
		assert_true(reserves(to, 0x50000000, 0x10000));
		assert_true(reserves(to, 0x60000000 + hop * 0x100000, 0x20000));
		/* The kernel uses up its seed. */
		assert_int_equal(fdt_nop_property(to, fdt_path_offset(to, "/chosen"), "rng-seed"), 0);
		bytes = dt_pack(to);
		assert_int_equal(fdt_check_full(to, bytes), 0);
		first_bytes = hop ? first_bytes : bytes;
		assert_int_equal(bytes, first_bytes);
	}
	/* Where it is not known which are in use, all stay. */
	edit.reserve = NULL;
	edit.keep_reserved = true;
	assert_int_equal(dt_edit(tree[0], &edit, tree[1], DT_MAKE_ROOM, &bytes, &value_at), KX_OK);
	assert_int_equal(fdt_num_mem_rsv(tree[1]), 3);
	assert_non_null(dt_chosen(tree[1], DT_RESERVED_PROPERTY, &bytes));
	assert_int_equal(bytes, 32);
	/* None any more: nor is anything said of any. */
	edit.keep_reserved = false;
	assert_int_equal(dt_edit(tree[0], &edit, tree[1], DT_MAKE_ROOM, &bytes, &value_at), KX_OK);
	assert_int_equal(fdt_num_mem_rsv(tree[1]), 1);
	assert_true(reserves(tree[1], 0x4000000, 0x1000));
	assert_null(dt_chosen(tree[1], DT_RESERVED_PROPERTY, &bytes));
}

/* A property that says half an entry, or one that is not there, takes nothing out. */
static void test_foreign_reserved(void **state)
{
	_Alignas(8) unsigned char tree[DT_MAKE_ROOM], out[DT_MAKE_ROOM];
	struct dt_edit edit = full_edit();
	size_t bytes, value_at;
	struct tree t;

	(void)state;
	old_tree(&t);
	assert_int_equal(fdt_open_into(t.fdt, tree, DT_MAKE_ROOM), 0);
	assert_int_equal(fdt_add_mem_rsv(tree, 0x4000000, 0x1000), 0);
	assert_int_equal(fdt_setprop(tree, fdt_path_offset(tree, "/chosen"), DT_RESERVED_PROPERTY,
				     "\0\0\0\0\x04\0\0\0\0\0\0\0\0\0\x20\0\0\0\0\0\x04\0\0\0", 24), 0);
	assert_int_equal(dt_edit(tree, &edit, out, DT_MAKE_ROOM, &bytes, &value_at), KX_OK);
	assert_true(reserves(out, 0x4000000, 0x1000));
}

static void test_same_length(void **state)
{
	struct dt_edit edit = full_edit();
	_Alignas(8) unsigned char out[DT_MAKE_ROOM], out2[DT_MAKE_ROOM];
	size_t bytes, bytes2, at, at2;
	struct tree t;

	(void)state;
	old_tree(&t);
	edit.initrd.start = 0;
	assert_int_equal(dt_edit(t.fdt, &edit, out, DT_MAKE_ROOM, &bytes, &at), KX_OK);
	edit.initrd.start = 0xfffffffff000;
	edit.value = "fedcba9876543210";
	memset(edit.kaslr_seed, 0, sizeof(edit.kaslr_seed));
	assert_int_equal(dt_edit(t.fdt, &edit, out2, DT_MAKE_ROOM, &bytes2, &at2), KX_OK);
	assert_int_equal(bytes, bytes2);
	assert_int_equal(at, at2);
}

/* Every component that is too small is refused, none is overrun; how much is needed beside the result is no matter. */
static void test_too_small(void **state)
{
	struct dt_edit edit = full_edit();
	_Alignas(8) unsigned char whole[DT_MAKE_ROOM];
	size_t need, room, bytes, at;
	struct tree t;

	(void)state;
	old_tree(&t);
	assert_int_equal(dt_edit(t.fdt, &edit, whole, DT_MAKE_ROOM, &need, &at), KX_OK);
	for (room = 0; room <= need + 1024; room += room < need - 8 ? 8 : 1) {
		unsigned char *out = malloc(room ? room : 1);
		enum kx_err err = dt_edit(t.fdt, &edit, out, room, &bytes, &at);

		if (room < need)
			assert_int_equal(err, KX_DTB_TOO_BIG);
		else if (err == KX_OK)
			assert_memory_equal(out, whole, need);
		else
			assert_int_equal(err, KX_DTB_TOO_BIG);
		free(out);
	}
	assert_int_equal(dt_edit(t.fdt, &edit, whole, need + 1024, &bytes, &at), KX_OK);
}

static void expect_psci(const char *compatible, size_t bytes, const char *method, enum dt_psci want)
{
	struct tree t;

	open_tree(&t, 2, 2);
	node(&t, "firmware");
	node(&t, "psci");
	property(&t, "compatible", compatible, bytes);
	if (method)
		string(&t, "method", method);
	end_node(&t);
	end_node(&t);
	close_tree(&t);
	assert_int_equal(dt_psci(t.fdt), want);
}

static void test_psci(void **state)
{
	(void)state;
	expect_psci("arm,psci-1.0\0arm,psci-0.2\0arm,psci", 35, "hvc", DT_PSCI_HVC);
	expect_psci("arm,psci-0.2", 13, "smc", DT_PSCI_SMC);
	expect_psci("arm,psci-1.0", 13, "hv", DT_PSCI_NONE);
	expect_psci("arm,psci-1.0", 13, NULL, DT_PSCI_NONE);
	/* 0.1 has no SYSTEM_RESET. */
	expect_psci("arm,psci", 9, "smc", DT_PSCI_NONE);
	expect_psci("linux,dummy", 12, "smc", DT_PSCI_NONE);
}

static void memory_node(struct tree *t, const char *name, const void *reg, size_t bytes)
{
	node(t, name);
	string(t, "device_type", "memory");
	property(t, "reg", reg, bytes);
	end_node(t);
}

static void memory_is(struct tree *t, const char *want)
{
	struct range_set memory = { 0 };
	char text[512] = "";
	size_t i, at = 0;

	close_tree(t);
	assert_int_equal(dt_memory(t->fdt, &memory), KX_OK);
	for (i = 0; i < memory.count; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%llx+%llx", i ? " " : "",
				       (unsigned long long)memory.v[i].start, (unsigned long long)memory.v[i].bytes);
	range_set_free(&memory);
	assert_string_equal(text, want);
}

static void test_memory(void **state)
{
	static const uint8_t two[] = { 0, 0, 0, 8, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0,
				       0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0 };
	static const uint8_t one[] = { 0x40, 0, 0, 0, 0x20, 0, 0, 0 };
	static const uint8_t mixed[] = { 0, 0, 0, 1, 0, 0, 0, 0, 0x20, 0, 0, 0 };
	struct tree t;

	(void)state;
	open_tree(&t, 2, 2);
	memory_node(&t, "memory@40000000", two, sizeof(two));
	memory_is(&t, "40000000+10000000 880000000+100000000");
	open_tree(&t, 1, 1);
	memory_node(&t, "memory", one, sizeof(one));
	memory_is(&t, "40000000+20000000");
	open_tree(&t, 2, 1);
	memory_node(&t, "memory@100000000", mixed, sizeof(mixed));
	memory_is(&t, "100000000+20000000");
	/* Without the properties Linux takes 1 and 1 (the Devicetree Specification, 2.3.5: 2 and 1). */
	open_tree(&t, 0, 0);
	memory_node(&t, "memory@40000000", one, sizeof(one));
	memory_is(&t, "40000000+20000000");
	/* Two nodes, and one that is no memory. */
	open_tree(&t, 1, 1);
	memory_node(&t, "memory@40000000", one, sizeof(one));
	node(&t, "flash@0");
	property(&t, "reg", "\0\0\0\0\x10\0\0", 8);
	end_node(&t);
	memory_node(&t, "memory@60000000", "\x60\0\0\0\x10\0\0", 8);
	memory_is(&t, "40000000+30000000");
	/* A piece of an entry is none; nothing at all is nothing. */
	open_tree(&t, 2, 2);
	memory_node(&t, "memory@40000000", two + 16, 15);
	memory_is(&t, "");
	open_tree(&t, 1, 1);
	memory_node(&t, "memory", one, 0);
	memory_is(&t, "");
}

/* Debian's kernels drop EFI where it is missing. */
static void test_secure_boot(void **state)
{
	const struct dt_edit edit = full_edit();
	unsigned char out[DT_MAKE_ROOM];
	size_t bytes, at;
	struct tree t;
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		const fdt32_t *value;
		int n;

		open_tree(&t, 2, 2);
		node(&t, "chosen");
		if (i)
			property(&t, "linux,uefi-system-table", "12345678", 8);
		if (i == 2)
			property(&t, "linux,uefi-secure-boot", "\0\0\0\3", 4);
		end_node(&t);
		close_tree(&t);
		assert_int_equal(dt_edit(t.fdt, &edit, out, sizeof(out), &bytes, &at), KX_OK);
		value = chosen(out, "linux,uefi-secure-boot", &n);
		assert_int_equal(value != NULL, i > 0);
		if (value) {
			assert_int_equal(n, 4);
			assert_int_equal(fdt32_ld(value), i == 2 ? 3 : 0);
		}
	}
}

/* EFI has its own memory map, and the tree's is not looked at. */
static void test_memory_of_efi(void **state)
{
	static const uint8_t one[] = { 0x40, 0, 0, 0, 0x20, 0, 0, 0 };
	struct tree t;

	(void)state;
	open_tree(&t, 1, 1);
	memory_node(&t, "memory", one, sizeof(one));
	node(&t, "chosen");
	property(&t, "linux,uefi-system-table", "12345678", 8);
	end_node(&t);
	memory_is(&t, "");
}

/* Nonsense about memory must not become a range that no other code can hold. */
static void test_memory_of_nonsense(void **state)
{
	static const uint8_t huge[] = { 0, 0, 0, 0, 0x40, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0 };
	struct range_set memory = { 0 };
	struct tree t;
	pa_t end = 0;

	(void)state;
	open_tree(&t, 2, 2);
	memory_node(&t, "memory@40000000", huge, sizeof(huge));
	close_tree(&t);
	assert_int_equal(dt_memory(t.fdt, &memory), KX_OK);
	if (memory.count)
		end = range_end(memory.v[memory.count - 1]);
	range_set_free(&memory);
	/* range.h: no range reaches beyond PA_END. */
	assert_true(end <= PA_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_reserved_without_end),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_edit),
		cmocka_unit_test(test_edit_little),
		cmocka_unit_test(test_no_chosen),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_foreign_reserved),
		cmocka_unit_test(test_same_length),
		cmocka_unit_test(test_too_small),
		cmocka_unit_test(test_psci),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_memory_of_efi),
		cmocka_unit_test(test_secure_boot),
		cmocka_unit_test(test_memory_of_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
