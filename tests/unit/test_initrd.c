/* SPDX-License-Identifier: GPL-2.0-only */
/* An initrd without its compression means the same to a kernel, by the model of it; or it stays what it is, and it is said why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"
#include "codec.h"
#include "initramfs_model.h"
#include "initrd.h"
#include "pack.h"
#include "seed.h"

#define ROOM	(1u << 20)
#define WINDOW	((size_t)256 << 10)	/* what is read at a time */

/* What is being put together, and what is made of it. */
static unsigned char made[ROOM], result[2 * ROOM];
static size_t made_bytes, written_bytes;
static struct initrd_unpacked unpacked;

/* An archive in memory, which others may be put behind. */
static unsigned char archive[ROOM];
static size_t archive_bytes;

static void begin_archive(void)
{
	memset(archive, 0, sizeof(archive));
	archive_bytes = 0;
}

static void add_entry(const char *name, unsigned int mode, unsigned int ino, unsigned int links, const void *data, size_t bytes)
{
	unsigned char *at = archive + archive_bytes;
	size_t body_at = (110 + strlen(name) + 1 + 3) / 4 * 4;

	sprintf((char *)at, "070701%08X%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", ino, mode, 12u, 34u, links, 1000000000u, bytes, 8u, 1u, 4u, 5u,
		strlen(name) + 1, 0u);
	strcpy((char *)at + 110, name);
	if (bytes)
		memcpy(at + body_at, data, bytes);
	archive_bytes += (body_at + bytes + 3) / 4 * 4;
}

static void end_archive(void)
{
	add_entry("TRAILER!!!", 0, 0, 1, NULL, 0);
}

static void add_files(const char *prefix, size_t bytes)
{
	static unsigned char data[100003];
	char name[200];
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 7 + (i >> 8));
	snprintf(name, sizeof(name), "%sdir", prefix);
	add_entry(name, 0040755, 1, 2, NULL, 0);
	snprintf(name, sizeof(name), "%sdir/one", prefix);
	add_entry(name, 0100644, 2, 2, NULL, 0);
	snprintf(name, sizeof(name), "%sdir/same", prefix);
	add_entry(name, 0100644, 2, 2, data, bytes);
	snprintf(name, sizeof(name), "%slink", prefix);
	add_entry(name, 0120777, 3, 1, "dir/one", 7);
	snprintf(name, sizeof(name), "%snull", prefix);
	add_entry(name, 0020666, 4, 1, NULL, 0);
	snprintf(name, sizeof(name), "%s%0120d", prefix, 5);
	add_entry(name, 0100644, 5, 1, data, 1);
}

static void begin(void)
{
	memset(made, 0, sizeof(made));
	made_bytes = 0;
}

static void add(const void *data, size_t bytes)
{
	assert_true(made_bytes + bytes <= sizeof(made));
	memcpy(made + made_bytes, data, bytes);
	made_bytes += bytes;
}

static void add_packed(enum codec codec)
{
	made_bytes += pack(codec, archive, archive_bytes, made + made_bytes, sizeof(made) - made_bytes);
}

static void align(void)
{
	made_bytes = (made_bytes + 3) / 4 * 4;
}

static void add_bootconfig(unsigned int wrong, size_t padding)
{
	static const char text[] = "a.key = 1";
	unsigned char numbers[8];
	uint32_t sum = wrong;
	size_t i;

	for (i = 0; i < sizeof(text); i++)
		sum += (unsigned char)text[i];
	add(text, sizeof(text));
	store_le(numbers, sizeof(text), 4);
	store_le(numbers + 4, sum, 4);
	add(numbers, 8);
	add("#BOOTCONFIG\n", 12);
	made_bytes += padding;
}

static unsigned int fail_at, calls;
static size_t read_bytes;

static enum kx_err read_made(void *arg, uint64_t at, void *out, size_t bytes)
{
	(void)arg;
	if (++calls == fail_at)
		return KX_READ;
	assert_true(bytes <= made_bytes && at <= made_bytes - bytes);
	memcpy(out, made + at, bytes);
	read_bytes += bytes;
	return KX_OK;
}

static enum kx_err write_result(void *arg, const void *data, size_t bytes)
{
	(void)arg;
	if (++calls == fail_at)
		return KX_NO_MEMORY;
	assert_true(written_bytes + bytes <= sizeof(result));
	memcpy(result + written_bytes, data, bytes);
	written_bytes += bytes;
	return KX_OK;
}

static enum kx_err run(uint64_t most)
{
	static const struct initrd_io io = { read_made, write_result, NULL };

	written_bytes = calls = 0;
	read_bytes = 0;
	return initrd_unpack(&io, made_bytes, most, &unpacked);
}

/* Returns whether it was unpacked. In any case it means the same. */
static bool same(void)
{
	char *before, *after;
	size_t tail;

	assert_int_equal(run(ROOM), KX_OK);
	if (unpacked.left[0] || !unpacked.members)
		return false;
	assert_int_equal(unpacked.written_bytes, written_bytes);
	tail = made_bytes - unpacked.trailer_at;
	memmove(result + unpacked.plain_bytes, result, written_bytes);
	memcpy(result, made, unpacked.plain_bytes);
	memcpy(result + unpacked.plain_bytes + written_bytes, made + unpacked.trailer_at, tail);
	before = initramfs_model(made, made_bytes);
	after = initramfs_model(result, unpacked.plain_bytes + written_bytes + tail);
	if (strcmp(before, after) != 0 || strstr(before, "error"))
		fail_msg("before:\n%s\nafter:\n%s", before, after);
	free(before);
	free(after);
	return true;
}

static void left_because(const char *why)
{
	assert_false(same());
	if (!strstr(unpacked.left, why))
		fail_msg("not because of \"%s\": %s", why, unpacked.left);
}

static const enum codec codecs[] = { CODEC_GZIP, CODEC_BZIP2, CODEC_LZMA, CODEC_XZ, CODEC_LZO, CODEC_LZ4_LEGACY, CODEC_ZSTD };
#define CODECS_KNOWN	(sizeof(codecs) / sizeof(codecs[0]))

static enum codec some_codec(void)
{
	return CODEC_GZIP;
}

static void make_archive(const char *prefix, size_t bytes)
{
	begin_archive();
	add_files(prefix, bytes);
	end_archive();
}

static void test_plain(void **state)
{
	(void)state;
	make_archive("", 100);
	begin();
	add(archive, archive_bytes);
	add(archive, archive_bytes);
	assert_false(same());
	assert_string_equal(unpacked.left, "");
	assert_int_equal(unpacked.members, 0);
	begin();
	assert_false(same());
}

/* By every method: alone, behind an early archive, several with NULs between, with and without a boot configuration. */
static void test_members(void **state)
{
	size_t i, zeros, config;

	(void)state;
	for (i = 0; i < CODECS_KNOWN; i++) {
		if (!codec_is_built_in(codecs[i]))
			continue;
		for (zeros = 0; zeros < 9; zeros++)
			for (config = 0; config < 5; config++) {
				begin();
				make_archive("kernel/firmware/acpi/", 5);
				add(archive, archive_bytes);
				made_bytes += 4 * zeros;
				make_archive("", 70001);
				add_packed(codecs[i]);
				/* lz4 takes four NULs for its end. */
				made_bytes += codecs[i] == CODEC_LZ4_LEGACY ? 4 + zeros : zeros;
				make_archive("second/", 3);
				add_packed(some_codec());
				align();
				make_archive("third/", 2);
				add(archive, archive_bytes);
				if (config)
					add_bootconfig(0, config - 1);
				if (!same())
					fail_msg("%s, %zu: %s", codec_name(codecs[i]), zeros, unpacked.left);
				assert_int_equal(unpacked.members, 2);
				assert_non_null(strstr(unpacked.compression, codec_name(codecs[i])));
			}
		begin();
		make_archive("", 99999);
		add_packed(codecs[i]);
		assert_true(same());
		assert_int_equal(unpacked.plain_bytes, 0);
		assert_string_equal(unpacked.compression, codec_name(codecs[i]));
	}
}

/* What a large file holds is not read, wherever it ends; cut off, it is seen all the same. */
static void test_large_files(void **state)
{
	static unsigned char data[700000];
	size_t bytes, cut;

	(void)state;
	for (bytes = WINDOW - 130; bytes < sizeof(data); bytes += bytes < WINDOW ? 1 : 98765) {
		begin_archive();
		add_entry("kernel/firmware/acpi/large", 0100644, 1, 1, data, bytes);
		add_entry("kernel", 0100644, 2, 1, data, 3);
		end_archive();
		begin();
		add(archive, archive_bytes);
		for (cut = 1; cut < 4; cut++) {
			size_t whole = made_bytes;

			made_bytes = cut * (whole / 4);
			left_because("cut off");
			made_bytes = whole;
		}
		make_archive("", 5);
		add_packed(some_codec());
		assert_true(same());
		assert_true(read_bytes < 3 * WINDOW);
	}
}

/* Two archives in one member; one without an end. */
static void test_inside(void **state)
{
	(void)state;
	begin();
	make_archive("", 10);
	add_files("more/", 20);
	end_archive();
	archive_bytes += 512;
	add_packed(some_codec());
	assert_true(same());
	begin();
	begin_archive();
	add_files("", 1);
	add_packed(some_codec());
	assert_true(same());
}

static void test_left(void **state)
{
	size_t whole, cut, i;
	unsigned int left = 0;

	(void)state;
	/* A file system for /dev/ram; and one that is compressed. */
	begin();
	memset(made, 0, 4096);
	memset(made + 1024, 7, 100);
	made_bytes = 65536;
	left_because("no cpio archive");
	begin();
	begin_archive();
	memset(archive + 1024, 7, 100);
	archive_bytes = 65536;
	add_packed(some_codec());
	left_because("no cpio archive");
	/* Junk behind. */
	begin();
	make_archive("", 10);
	add_packed(some_codec());
	add("junk", 4);
	left_because("no cpio archive");
	/* A boot configuration whose sum is wrong is junk. */
	begin();
	add_packed(some_codec());
	add_bootconfig(1, 0);
	left_because("no cpio archive");
	/* Plain behind a compressed one, where no kernel would look for it. */
	begin();
	add_packed(some_codec());
	align();
	made_bytes += 2;
	add(archive, archive_bytes);
	left_because("no cpio archive");
	/* Padding behind a plain one that is no multiple of four. */
	begin();
	add(archive, archive_bytes);
	made_bytes += 2;
	add_packed(some_codec());
	left_because("not aligned");
	/* What the kernel would not find, and suddenly would. */
	begin();
	make_archive("kernel/firmware/acpi/", 10);
	add_packed(some_codec());
	left_because("ACPI");
	/* Other archives of that family. */
	begin();
	make_archive("", 10);
	memcpy(archive, "070707", 6);
	add_packed(some_codec());
	left_because("is no cpio archive");
	begin();
	make_archive("", 10);
	archive[50] = 'x';
	add_packed(some_codec());
	left_because("is no cpio archive");
	/* Cut off anywhere. */
	begin();
	make_archive("", 1000);
	add(archive, archive_bytes);
	add_packed(some_codec());
	whole = made_bytes;
	for (cut = 1; cut < whole; cut++) {
		made_bytes = cut;
		left += !same() && unpacked.left[0];
		assert_true(!unpacked.members || unpacked.left[0]);
	}
	assert_true(left > whole / 2);
	/* Changed anywhere: it means the same, or is left. */
	made_bytes = whole;
	for (i = 0; i < whole; i += 7) {
		made[i] ^= 0x11;
		if (run(ROOM) == KX_OK && unpacked.members && !unpacked.left[0])
			(void)same();
		made[i] ^= 0x11;
	}
}

static void test_bounds(void **state)
{
	uint64_t whole;
	unsigned int n;

	(void)state;
	begin();
	make_archive("", 100000);
	add(archive, archive_bytes);
	add_packed(some_codec());
	align();
	add_bootconfig(0, 0);
	assert_true(same());
	whole = unpacked.plain_bytes + written_bytes + made_bytes - unpacked.trailer_at;
	assert_int_equal(run(whole), KX_OK);
	assert_string_equal(unpacked.left, "");
	assert_int_equal(run(whole - 1), KX_OK);
	assert_non_null(strstr(unpacked.left, "no room"));
	assert_int_equal(run(1000), KX_OK);
	assert_non_null(strstr(unpacked.left, "no room"));
	/* Whatever fails is handed on. */
	for (n = 1; ; n++) {
		enum kx_err err;

		fail_at = n;
		err = run(ROOM);
		fail_at = 0;
		if (!err)
			break;
		assert_true(err == KX_READ || err == KX_NO_MEMORY);
	}
	assert_true(n > 3);
}

/* Put together at random, of what there is, and of what there should not be. */
static void test_random(void **state)
{
	uint64_t seed = seed_get("test_random"), rounds = seed_number("ROUNDS", 400), round;
	unsigned int taken = 0;

	(void)state;
	for (round = 0; round < rounds; round++) {
		unsigned int parts = 1 + (unsigned int)(seed_next(&seed) % 5), i;

		begin();
		for (i = 0; i < parts; i++) {
			enum codec codec = codecs[seed_next(&seed) % CODECS_KNOWN];
			char prefix[16];

			snprintf(prefix, sizeof(prefix), "%u/", i);
			make_archive(prefix, (size_t)(seed_next(&seed) % 3000));
			if (seed_next(&seed) % 8 == 0)
				archive[seed_next(&seed) % archive_bytes] ^= (unsigned char)(1 << seed_next(&seed) % 8);
			if (seed_next(&seed) % 3 == 0)
				add(archive, archive_bytes);
			else if (codec_is_built_in(codec))
				add_packed(codec);
			made_bytes += seed_next(&seed) % 3 ? (4 - made_bytes % 4) % 4 + 4 * (seed_next(&seed) % 3) : seed_next(&seed) % 9;
		}
		if (seed_next(&seed) % 4 == 0)
			add_bootconfig(seed_next(&seed) % 4 == 0, (size_t)(seed_next(&seed) % 4));
		taken += same();
	}
	assert_true(taken > rounds / 8);
}

#define M	(1ull << 20)

static void test_room(void **state)
{
	static const struct { const char *cmdline; uint64_t ram, kernel, room; } v[] = {
		{ NULL, 1024 * M, 64 * M, (1024 - 64 - 64 - 64) / 2 * M },
		{ "", 1024 * M, 64 * M, (1024 - 64 - 64 - 64) / 2 * M },
		{ "quiet mem=512M", 1024 * M, 64 * M, (512 - 64 - 64 - 32) / 2 * M },
		{ "mem=0x20000000 quiet", 1024 * M, 64 * M, (512 - 64 - 64 - 32) / 2 * M },
		{ "mem=2G", 1024 * M, 64 * M, (1024 - 64 - 64 - 64) / 2 * M },
		{ "xmem=512M lsm=mem=5 \"a mem=16M\"", 1024 * M, 64 * M, (1024 - 64 - 64 - 64) / 2 * M },
		{ "crashkernel=256M", 1024 * M, 64 * M, (1024 - 64 - 64 - 64 - 256) / 2 * M },
		{ "crashkernel=256M@0x50000000", 1024 * M, 64 * M, (1024 - 64 - 64 - 64 - 256) / 2 * M },
		{ "crashkernel=128M,high", 1024 * M, 64 * M, (1024 - 64 - 64 - 64 - 256) / 2 * M },
		{ "crashkernel=128M,high crashkernel=64M,low", 1024 * M, 64 * M, (1024 - 64 - 64 - 64 - 256 - 64) / 2 * M },
		{ "crashkernel=512M-2G:64M,2G-:128M", 1024 * M, 64 * M, (1024 - 64 - 64 - 64 - 64) / 2 * M },
		{ "crashkernel=512M-1G:64M,1G-:128M", 1024 * M, 64 * M, (1024 - 64 - 64 - 64 - 128) / 2 * M },
		{ "crashkernel=2G-:128M", 1024 * M, 64 * M, (1024 - 64 - 64 - 64) / 2 * M },
		{ "crashkernel=1G", 1024 * M, 64 * M, 0 },
		{ "crashkernel=99999999999999999999999", 1024 * M, 64 * M, 0 },
		{ "crashkernel=1-", 1024 * M, 64 * M, (1024 - 64 - 64 - 64) / 2 * M },
		{ "crashkernel= mem= mem crashkernel", 1024 * M, 64 * M, (1024 - 64 - 64 - 64) / 2 * M },
		{ "mem=16E", 1024 * M, 64 * M, (1024 - 64 - 64 - 64) / 2 * M },
		{ NULL, 128 * M, 64 * M, 0 },
		{ NULL, UINT64_MAX, UINT64_MAX, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		uint64_t room = initrd_room_bytes(v[i].cmdline, v[i].ram, v[i].kernel);

		if (room != v[i].room)
			fail_msg("%s: %llu MiB, not %llu", v[i].cmdline ? v[i].cmdline : "-", (unsigned long long)(room >> 20),
				 (unsigned long long)(v[i].room >> 20));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain), cmocka_unit_test(test_members), cmocka_unit_test(test_large_files), cmocka_unit_test(test_inside), cmocka_unit_test(test_left),
		cmocka_unit_test(test_bounds), cmocka_unit_test(test_random), cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
