/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image.h"
#include "seed.h"

/* Debian's 6.12, linked to run anywhere, 4 KiB pages, signed: 1472 bytes of certificates follow its last section. */
#define FLAGS_6_12	0xa
#define SIZE_6_12	0x1e70000
#define FILE_6_12	30894016
#define PE_END_6_12	0x1d76200

struct head {
	unsigned char bytes[4096];
};

static void put(struct head *head, size_t at, uint64_t value, size_t bytes)
{
	for (; bytes--; value >>= 8)
		head->bytes[at++] = (unsigned char)value;
}

/* Documentation/arch/arm64/booting.rst, "Call the kernel image" */
static struct head bare_head(uint64_t text_offset, uint64_t image_size, uint64_t flags)
{
	struct head head = { { 0 } };

	put(&head, 0, 0x14000010, 4);	/* code0: branch */
	put(&head, 8, text_offset, 8);
	put(&head, 16, image_size, 8);
	put(&head, 24, flags, 8);
	put(&head, 56, 0x644d5241, 4);	/* "ARM\x64" */
	return head;
}

/* The same with an EFI stub: a PE header with sections .text and .data. */
static struct head efi_head(size_t pe)
{
	struct head head = bare_head(0, SIZE_6_12, FLAGS_6_12);

	put(&head, 0, 0xfa405a4d, 4);	/* "MZ", and an instruction that does nothing */
	put(&head, 60, pe, 4);
	put(&head, pe, 0x4550, 4);
	put(&head, pe + 4, 0xaa64, 2);
	put(&head, pe + 6, 2, 2);
	put(&head, pe + 20, 0xa0, 2);
	memcpy(head.bytes + pe + 24 + 0xa0, ".text", 5);
	put(&head, pe + 24 + 0xa0 + 16, 0x1960000, 4);
	put(&head, pe + 24 + 0xa0 + 20, 0x10000, 4);
	memcpy(head.bytes + pe + 24 + 0xa0 + 40, ".data", 5);
	put(&head, pe + 24 + 0xa0 + 40 + 16, 0x406200, 4);
	put(&head, pe + 24 + 0xa0 + 40 + 20, 0x1970000, 4);
	return head;
}

/* Parse so many bytes of a copy that ends there, for the sanitizer to watch. */
static enum kx_err parse(struct arm64_image *image, const struct head *head, size_t bytes, uint64_t file_bytes)
{
	unsigned char *copy = malloc(bytes ? bytes : 1);
	enum kx_err err;

	assert_non_null(copy);
	memcpy(copy, head->bytes, bytes);
	err = arm64_image_parse(image, copy, bytes, file_bytes);
	free(copy);
	return err;
}

static void expect(struct head head, uint64_t file_bytes, enum kx_err want)
{
	struct arm64_image image;

	assert_int_equal(parse(&image, &head, sizeof(head.bytes), file_bytes), want);
}

static void test_good_kernel(void **state)
{
	struct head head = efi_head(64);
	struct arm64_image image;
	size_t bytes;

	(void)state;
	/* All of the first page, only the header, and with the length not known yet: all the same. */
	for (bytes = 64; bytes <= 4096; bytes *= 8) {
		assert_int_equal(parse(&image, &head, bytes, bytes == 64 ? 0 : FILE_6_12), KX_OK);
		assert_int_equal(image.text_offset, 0);
		assert_int_equal(image.image_size, SIZE_6_12);
		assert_int_equal(image.page_shift, 12);
		assert_true(image.anywhere);
	}
}

static void test_flags(void **state)
{
	static const unsigned int shift[] = { 0, 12, 14, 16 };
	struct arm64_image image;
	struct head head;
	unsigned int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		head = bare_head(0x80000, MIB(20), (i & 3) << 1 | (i & 4) << 1);
		assert_int_equal(parse(&image, &head, 64, MIB(18)), KX_OK);
		assert_int_equal(image.page_shift, shift[i & 3]);
		assert_int_equal(image.anywhere, i & 4 ? 1 : 0);
		assert_int_equal(image.text_offset, 0x80000);
	}
	/* "Bits 4-63: Reserved." */
	head = bare_head(0, MIB(20), 0xfffffffffffffff0);
	assert_int_equal(parse(&image, &head, 64, MIB(18)), KX_OK);
	assert_int_equal(image.page_shift, 0);
	assert_false(image.anywhere);
}

static void test_not_an_image(void **state)
{
	struct head head = bare_head(0, MIB(20), FLAGS_6_12);
	size_t i;

	(void)state;
	for (i = 56; i < 60; i++) {
		struct head bad = head;

		bad.bytes[i] ^= 0x20;
		expect(bad, 0, KX_NOT_IMAGE);
	}
	memset(head.bytes, 0, sizeof(head.bytes));
	expect(head, MIB(20), KX_NOT_IMAGE);
	memcpy(head.bytes, "\x1f\x8b\x08", 3);
	expect(head, MIB(20), KX_NOT_IMAGE);
	memcpy(head.bytes, "\x7f" "ELF", 4);
	expect(head, MIB(20), KX_NOT_IMAGE);
}

static void test_big_endian(void **state)
{
	(void)state;
	expect(bare_head(0, MIB(20), FLAGS_6_12 | 1), MIB(18), KX_IMAGE_BIG_ENDIAN);
	expect(bare_head(0, MIB(20), 1), 0, KX_IMAGE_BIG_ENDIAN);
}

/* booting.rst: "Where image_size is zero, text_offset can be assumed to be 0x80000", whatever its endianness. */
static void test_before_3_17(void **state)
{
	static const uint64_t offsets[] = { 0x80000, 0x0000080000000000, 0 };
	struct arm64_image image;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct head head = bare_head(offsets[i], 0, 0);

		assert_int_equal(parse(&image, &head, 64, MIB(9)), KX_OK);
		assert_int_equal(image.text_offset, 0x80000);
		assert_true(image.image_size >= MIB(9));
		assert_int_equal(image.page_shift, 0);
		assert_false(image.anywhere);
	}
}

/* "a bootloader should attempt to keep as much memory as possible free for use by the kernel immediately after the end
   of the kernel image": the BSS of such a kernel must not fall on what is loaded behind it. */
static void test_before_3_17_leaves_room_for_bss(void **state)
{
	struct head head = bare_head(0x80000, 0, 0);
	struct arm64_image image;

	(void)state;
	assert_int_equal(parse(&image, &head, 64, MIB(20)), KX_OK);
	assert_true(image.image_size > MIB(20));
}

static void test_text_offset(void **state)
{
	(void)state;
	expect(bare_head(0x80000, MIB(20), 2), MIB(18), KX_OK);
	expect(bare_head(0x1ff000, MIB(20), 2), MIB(18), KX_OK);
	expect(bare_head(0x200000, MIB(20), 2), MIB(18), KX_IMAGE_HEADER);
	expect(bare_head(0x80010, MIB(20), 2), MIB(18), KX_IMAGE_HEADER);
	expect(bare_head(1, MIB(20), 2), MIB(18), KX_IMAGE_HEADER);
	expect(bare_head(UINT64_MAX, MIB(20), 2), MIB(18), KX_IMAGE_HEADER);
	expect(bare_head(UINT64_MAX - 0xfff, MIB(20), 2), MIB(18), KX_IMAGE_HEADER);
	expect(bare_head(0x0000080000000000, MIB(20), 2), MIB(18), KX_IMAGE_HEADER);
}

static void test_image_size(void **state)
{
	(void)state;
	expect(bare_head(0, MIB(20), 2), MIB(20), KX_OK);
	expect(bare_head(0, MIB(20), 2), MIB(20) + 1, KX_IMAGE_HEADER);
	expect(bare_head(0, MIB(20), 2), UINT64_MAX, KX_IMAGE_HEADER);
	expect(bare_head(0, GIB(5), 2), MIB(20), KX_IMAGE_HEADER);
	expect(bare_head(0, UINT64_MAX, 2), MIB(20), KX_IMAGE_HEADER);
	expect(bare_head(0, 1, 2), 4096, KX_IMAGE_HEADER);
}

static void test_truncated(void **state)
{
	struct head head = efi_head(64);
	size_t pe;

	(void)state;
	expect(head, FILE_6_12, KX_OK);
	expect(head, PE_END_6_12, KX_OK);	/* not signed */
	expect(head, PE_END_6_12 - 1, KX_IMAGE_TRUNCATED);
	expect(head, 4096, KX_IMAGE_TRUNCATED);
	expect(head, 0, KX_OK);			/* not known yet */
	/* The header may lie anywhere in the page. */
	for (pe = 64; pe + 24 + 0xa0 + 80 <= sizeof(head.bytes); pe += 8)
		expect(efi_head(pe), PE_END_6_12 - 1, KX_IMAGE_TRUNCATED);
	/* A section that is only BSS says nothing, whichever is last. */
	head = efi_head(64);
	put(&head, 64 + 24 + 0xa0 + 40 + 16, 0, 8);
	expect(head, 0x1970000, KX_OK);
	expect(head, 0x1970000 - 1, KX_IMAGE_TRUNCATED);
	/* No sum of 32 bits overflows. */
	head = efi_head(64);
	put(&head, 64 + 24 + 0xa0 + 40 + 16, 0xffffffff, 4);
	put(&head, 64 + 24 + 0xa0 + 40 + 20, 0xffffffff, 4);
	expect(head, FILE_6_12, KX_IMAGE_TRUNCATED);
}

/* What lies outside of what was read says nothing, and is not read. */
static void test_silly_pe(void **state)
{
	static const uint64_t offsets[] = { 0, 1, 63, 4071, 4072, 4073, 4092, 4095, 4096, 4097, 0x7fffffff,
					    0xffffffff };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		struct head head = efi_head(64);

		put(&head, 60, offsets[i], 4);
		expect(head, MIB(20), KX_OK);
		if (offsets[i] >= 64 && offsets[i] <= 4092)
			put(&head, offsets[i], 0x4550, 4);
		expect(head, MIB(20), KX_OK);
	}
	for (i = 0; i <= 0xffff; i += 0x333) {
		struct arm64_image image;
		struct head head = efi_head(64);

		put(&head, 64 + 6, i, 2);		/* number of sections */
		assert_true(parse(&image, &head, 512, FILE_6_12) != KX_NOT_IMAGE);
		put(&head, 64 + 20, i, 2);		/* length of the optional header */
		assert_true(parse(&image, &head, 4096, FILE_6_12) != KX_NOT_IMAGE);
	}
	/* An instruction that is not "MZ": no PE header, even if it looks so. */
	for (i = 0; i < 2; i++) {
		struct head head = efi_head(64);

		head.bytes[i] ^= 1;
		expect(head, MIB(1), KX_OK);
	}
}

static void test_every_length(void **state)
{
	struct head head = efi_head(64);
	struct arm64_image image;
	size_t bytes;

	(void)state;
	for (bytes = 0; bytes < 64; bytes++) {
		assert_int_equal(parse(&image, &head, bytes, bytes), KX_NOT_IMAGE);
		assert_int_equal(parse(&image, &head, bytes, FILE_6_12), KX_NOT_IMAGE);
	}
	for (; bytes <= 1024; bytes++)
		assert_int_equal(parse(&image, &head, bytes, FILE_6_12), KX_OK);
	assert_int_equal(arm64_image_parse(&image, NULL, 0, 0), KX_NOT_IMAGE);
}

/* Whatever is accepted is fit for the planner, and nothing is read that is not there. */
static void test_random_heads(void **state)
{
	uint64_t seed = seed_get("test_random_heads"), rounds = seed_number("ROUNDS", 100000), round;

	(void)state;
	for (round = 0; round < rounds; round++) {
		uint64_t rng = seed + round, file = seed_below(&rng, 4) ? FILE_6_12 : seed_next(&rng) >> 30;
		struct head head = efi_head(64 + seed_below(&rng, 512));
		size_t changes = 1 + seed_below(&rng, 4), bytes = 64 + seed_below(&rng, 961);
		struct arm64_image image;

		while (changes--) {
			size_t at = seed_below(&rng, seed_below(&rng, 2) ? 64 : bytes);

			head.bytes[at] = seed_below(&rng, 3) ? (unsigned char)seed_next(&rng) : 0xff;
		}
		if (parse(&image, &head, bytes, file) != KX_OK)
			continue;
		assert_true(image.text_offset < PLAN_SLOT_BYTES && image.text_offset % KIB(4) == 0);
		assert_true(image.image_size && image.image_size <= GIB(64) && image.image_size >= file);
		assert_true(image.page_shift == 0 || image.page_shift == 12 || image.page_shift == 14 ||
			    image.page_shift == 16);
	}
}

static void test_plan_rules(void **state)
{
	struct plan_rules rules = arm64_plan_rules(KIB(64));

	(void)state;
	assert_int_equal(rules.span_align_bytes, GIB(1));
	assert_int_equal(rules.span_bytes, GIB(32));
	assert_int_equal(rules.pa_limit, 1ull << 48);
	assert_int_equal(rules.page_bytes, KIB(64));
	assert_int_equal(rules.segments_max, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_kernel),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_not_an_image),
		cmocka_unit_test(test_big_endian),
		cmocka_unit_test(test_before_3_17),
		cmocka_unit_test(test_before_3_17_leaves_room_for_bss),
		cmocka_unit_test(test_text_offset),
		cmocka_unit_test(test_image_size),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_silly_pe),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_random_heads),
		cmocka_unit_test(test_plan_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
