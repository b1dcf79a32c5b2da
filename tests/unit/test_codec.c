/* SPDX-License-Identifier: GPL-2.0-only */
/* What the formats' own libraries compress comes back, whole or not at all, however it is fed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec.h"
#include "pack.h"
#include "source.h"
#include "seed.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define NO_LIMIT	SIZE_MAX

/* Those that are built in. */
static enum codec codecs[CODECS];
static size_t codec_count;

static int find_codecs(void **state)
{
	enum codec codec;

	(void)state;
	for (codec = CODEC_NONE + 1; codec < CODECS; codec++)
		if (codec_is_built_in(codec))
			codecs[codec_count++] = codec;
		else
			print_message("%s was left out: only the complaint is tested\n", codec_name(codec));
	return 0;
}

/* Skip a test of what is not built in. */
static void need(enum codec codec)
{
	if (codec_is_built_in(codec))
		return;
	print_message("skipped for want of %s\n", codec_name(codec));
	skip();
}

/* Compressible, but not so that a whole stream is a few bytes. */
static unsigned char *text(size_t bytes)
{
	unsigned char *out = malloc(bytes + 1);
	uint64_t rng = 42;
	size_t i;

	assert_non_null(out);
	for (i = 0; i < bytes; i++)
		out[i] = (unsigned char)("etaoin shrdlu\n\0\xff\x80"[seed_below(&rng, 17)]);
	return out;
}

/* What came of a stream. */
struct result {
	enum kx_err err;
	bool end;
	size_t out_bytes, in_bytes;
};

/* Feed at most in_most at a time and take at most out_most, from and to memory of exactly that size. */
static struct result feed(enum codec codec, const unsigned char *in, size_t bytes, unsigned char *out, size_t room,
			  size_t in_most, size_t out_most)
{
	struct decoder *d = decoder_open(codec);
	struct result r = { 0 };
	unsigned int still = 0;

	assert_non_null(d);
	while (!r.err && !r.end && still < 3 && r.out_bytes < room) {
		size_t n = bytes - r.in_bytes < in_most ? bytes - r.in_bytes : in_most;
		size_t made = room - r.out_bytes < out_most ? room - r.out_bytes : out_most, had_n = n, had_made = made;
		unsigned char *in_copy = malloc(n + 1), *out_copy = malloc(made + 1);
		unsigned char *in_at = in_copy + 1, *out_at = out_copy + 1;	/* odd addresses, ends at the redzone */

		if (n)
			memcpy(in_at, in + r.in_bytes, n);
		r.err = decoder_run(d, in_at, &n, out_at, &made, &r.end);
		assert_true(n <= had_n && made <= had_made);
		memcpy(out + r.out_bytes, out_at, made);
		free(in_copy);
		free(out_copy);
		r.in_bytes += n;
		r.out_bytes += made;
		still = n || made ? 0 : still + 1;
	}
	decoder_close(d);
	return r;
}

static void expect(enum codec codec, const unsigned char *in, size_t bytes, const unsigned char *want,
		   size_t want_bytes, size_t in_most, size_t out_most)
{
	unsigned char *out = malloc(want_bytes + 100);
	struct result r = feed(codec, in, bytes, out, want_bytes + 100, in_most, out_most);
	bool same = r.out_bytes == want_bytes && memcmp(out, want, want_bytes) == 0;

	free(out);
	assert_int_equal(r.err, KX_OK);
	assert_true(r.end);
	assert_int_equal(r.out_bytes, want_bytes);
	assert_true(same);
}

static void test_probe(void **state)
{
	unsigned char out[2048];
	size_t i, bytes;

	(void)state;
	for (i = 0; i < codec_count; i++) {
		bytes = pack(codecs[i], "some text", 9, out, sizeof(out));
		assert_int_equal(codec_probe(out, bytes), codecs[i]);
		assert_int_equal(codec_probe(out, 6), codecs[i]);
		assert_int_equal(codec_probe(out, 1), CODEC_NONE);
		assert_true(codec_name(codecs[i])[0]);
	}
	assert_int_equal(codec_probe(out, 0), CODEC_NONE);
	assert_int_equal(codec_probe((const unsigned char *)"MZ@\xfa" "ab", 6), CODEC_NONE);
	assert_int_equal(codec_probe((const unsigned char *)"\x7f" "ELF\2\1", 6), CODEC_NONE);
	assert_string_equal(codec_name(CODEC_NONE), "");
}

static void test_round_trips(void **state)
{
	static const size_t sizes[] = { 0, 1, 63, 4096, 300001 };
	unsigned char *data = text(300001), *packed = malloc(400000);
	size_t c, s, bytes;

	(void)state;
	for (c = 0; c < codec_count; c++)
		for (s = 0; s < COUNT(sizes); s++) {
			if (codecs[c] == CODEC_LZ4_LEGACY && !sizes[s])
				continue;	/* then there is no block whose end it could be */
			bytes = pack(codecs[c], data, sizes[s], packed, 400000);
			expect(codecs[c], packed, bytes, data, sizes[s], NO_LIMIT, NO_LIMIT);
			expect(codecs[c], packed, bytes, data, sizes[s], 4096, 100);
			expect(codecs[c], packed, bytes, data, sizes[s], 7, 65536);
			if (sizes[s] <= 4096)
				expect(codecs[c], packed, bytes, data, sizes[s], 1, 1);
		}
	free(data);
	free(packed);
}

/* What follows the stream is not its business. */
static void test_padding(void **state)
{
	unsigned char *data = text(5000), *packed = calloc(1, 10000);
	size_t c, bytes;

	(void)state;
	for (c = 0; c < codec_count; c++) {
		memset(packed, 0, 10000);
		bytes = pack(codecs[c], data, 5000, packed, 9000);
		expect(codecs[c], packed, bytes + 512, data, 5000, NO_LIMIT, NO_LIMIT);
		expect(codecs[c], packed, bytes + 512, data, 5000, 1, 1);
	}
	free(data);
	free(packed);
}

/* Never more than asked for, and all that was asked for. */
static void test_bounded_output(void **state)
{
	static unsigned char packed[2 << 20];	/* as much as packing ever asks for */
	unsigned char *zeros = calloc(1, 1 << 20), out[1000];
	size_t c, bytes, room;

	(void)state;
	for (c = 0; c < codec_count; c++) {
		bytes = pack(codecs[c], zeros, 1 << 20, packed, sizeof(packed));
		for (room = 0; room <= sizeof(out); room += 250) {
			struct result r;

			memset(out, 1, sizeof(out));
			r = feed(codecs[c], packed, bytes, out, room, NO_LIMIT, NO_LIMIT);
			assert_int_equal(r.err, KX_OK);
			assert_int_equal(r.out_bytes, room);
			assert_false(r.end);
		}
	}
	free(zeros);
}

/* Cut anywhere: never the end, never a crash, and what came out is the beginning. */
static void test_truncated(void **state)
{
	unsigned char *data = text(700), packed[2048], out[1000];
	size_t c, cut, bytes;

	(void)state;
	for (c = 0; c < codec_count; c++) {
		bytes = pack(codecs[c], data, 700, packed, sizeof(packed));
		for (cut = 0; cut < bytes; cut++) {
			struct result r = feed(codecs[c], packed, cut, out, sizeof(out), cut % 3 ? NO_LIMIT : 1,
					       NO_LIMIT);

			assert_false(r.end && r.err == KX_OK);
			assert_in_range(r.out_bytes, 0, 700);
			assert_memory_equal(out, data, r.out_bytes);
		}
	}
	free(data);
}

/* One byte wrong: all have a sum but .lzma and lz4's legacy format, which must only survive. */
static void test_damaged(void **state)
{
	uint64_t seed = seed_get("test_damaged"), rounds = seed_number("ROUNDS", 1500), i;
	unsigned char *data = text(3000), packed[8192], out[4000];
	size_t c;

	(void)state;
	for (c = 0; c < codec_count; c++) {
		size_t bytes = pack(codecs[c], data, 3000, packed, sizeof(packed));

		for (i = 0; i < rounds; i++) {
			uint64_t rng = seed + i;
			size_t at = seed_below(&rng, bytes);
			unsigned char flip = (unsigned char)(1 + seed_below(&rng, 255));
			struct result r;

			packed[at] ^= flip;
			r = feed(codecs[c], packed, bytes, out, sizeof(out), NO_LIMIT, 1000);
			packed[at] ^= flip;
			if (codecs[c] == CODEC_LZMA || codecs[c] == CODEC_LZ4_LEGACY || r.err || !r.end)
				continue;
			/* Bytes that say nothing, such as gzip's time, may be anything. */
			assert_int_equal(r.out_bytes, 3000);
			assert_memory_equal(out, data, 3000);
		}
	}
	free(data);
}

/* A file in memory, read in pieces of in_most. */
struct memory_file {
	const unsigned char *data;
	size_t bytes, in_most;
};

static int memory_open(struct sys *sys, const char *path, uint64_t most, uint64_t *bytes)
{
	(void)path;
	(void)most;
	*bytes = ((struct memory_file *)sys->ctx)->bytes;
	return 3;
}

static int no_link(struct sys *sys, const char *path, char *out, size_t room)
{
	(void)sys;
	(void)path;
	(void)out;
	(void)room;
	return -2;	/* ENOENT */
}

static int memory_stamp(struct sys *sys, int fd, const char *path, struct sys_stamp *stamp)
{
	(void)fd;
	(void)path;
	*stamp = (struct sys_stamp){ .bytes = ((struct memory_file *)sys->ctx)->bytes };
	return 0;
}

static ssize_t memory_read(struct sys *sys, int fd, uint64_t at, void *out, size_t bytes)
{
	struct memory_file *file = sys->ctx;

	(void)fd;
	if (bytes > file->in_most)
		bytes = file->in_most;
	if (bytes > file->bytes - at)
		bytes = file->bytes - at;
	memcpy(out, file->data + at, bytes);
	return (ssize_t)bytes;
}

static void memory_close(struct sys *sys, int fd)
{
	(void)sys;
	(void)fd;
}

/* Three members in one file, with zeros between and behind them, read as a source in pieces. */
static void expect_members(enum codec first, enum codec second, enum codec third, size_t zeros, size_t in_most, size_t out_most)
{
	static unsigned char data[9000], packed[20000], out[9001];
	unsigned char *made = text(sizeof(data));
	struct memory_file file = { .data = packed, .in_most = in_most };
	struct sys sys = {
		.ctx = &file, .open_file = memory_open, .stamp = memory_stamp, .read = memory_read, .close = memory_close,
		.read_link = no_link,
	};
	struct source source;
	struct fail fail;
	size_t bytes, got, had = 0;

	memcpy(data, made, sizeof(data));
	free(made);
	memset(packed, 0, sizeof(packed));
	bytes = pack(first, data, 4000, packed, 20000) + zeros;
	bytes += pack(second, data + 4000, 1, packed + bytes, 20000 - bytes) + zeros;
	bytes += pack(third, data + 4001, 4999, packed + bytes, 20000 - bytes);
	file.bytes = bytes + 8;
	assert_int_equal(source_open(&source, &sys, "members", UINT64_MAX, &fail), KX_OK);
	source.part[0].codec = first;
	assert_int_equal(source_rewind(&source, &fail), KX_OK);
	do {
		size_t want = sizeof(out) - had < out_most ? sizeof(out) - had : out_most;

		assert_int_equal(source_read(&source, out + had, want, &got, &fail), KX_OK);
		had += got;
	} while (got);
	source_close(&source);
	assert_int_equal(had, 9000);
	assert_memory_equal(out, data, 9000);
}

static void test_members(void **state)
{
	size_t c;

	(void)state;
	for (c = 0; c < codec_count; c++) {
		if (codecs[c] == CODEC_LZMA)
			continue;	/* that has none */
		expect_members(codecs[c], codecs[c], codecs[c], 0, NO_LIMIT, NO_LIMIT);
		expect_members(codecs[c], codecs[c], codecs[c], 0, NO_LIMIT, 100);
		/* The same when a member ends where a piece of input does. */
		expect_members(codecs[c], codecs[c], codecs[c], 0, 1, NO_LIMIT);
	}
}

static void test_members_of_xz_with_padding(void **state)
{
	(void)state;
	need(CODEC_XZ);
	expect_members(CODEC_XZ, CODEC_XZ, CODEC_XZ, 4, NO_LIMIT, NO_LIMIT);
	expect_members(CODEC_XZ, CODEC_XZ, CODEC_XZ, 400, 1, 100);
}

static void test_frames_of_different_kinds(void **state)
{
	(void)state;
	need(CODEC_ZSTD);
	need(CODEC_LZ4);
	expect_members(CODEC_ZSTD, CODEC_LZ4, CODEC_LZ4_LEGACY, 0, NO_LIMIT, NO_LIMIT);
	expect_members(CODEC_LZ4_LEGACY, CODEC_ZSTD, CODEC_LZ4, 0, 1, NO_LIMIT);
}

/* Behind a full block there is no sign that a stream of lz4's legacy format is over. */
static void test_full_blocks_of_lz4(void **state)
{
	const size_t block_bytes = 8u << 20;
	unsigned char *data, *packed, *out;
	struct result r;
	size_t bytes;

	(void)state;
	need(CODEC_LZ4_LEGACY);
	data = calloc(1, block_bytes);
	packed = malloc(block_bytes);
	out = malloc(block_bytes + 100);
	bytes = pack(CODEC_LZ4_LEGACY, data, block_bytes, packed, block_bytes);
	bytes += pack(CODEC_LZ4_LEGACY, "more", 4, packed + bytes, 100);
	r = feed(CODEC_LZ4_LEGACY, packed, bytes, out, block_bytes + 100, 1000, NO_LIMIT);
	assert_int_equal(r.err, KX_OK);
	assert_true(r.end);
	assert_int_equal(r.out_bytes, block_bytes + 4);
	assert_memory_equal(out + block_bytes, "more", 4);
	free(data);
	free(packed);
	free(out);
}

/* All headers and sums that lzop ever wrote, of blocks that get smaller and of one that does not. */
static void test_kinds_of_lzop(void **state)
{
	static const uint32_t sums[] = {
		0, PACK_LZO_ADLER32_D, PACK_LZO_ADLER32_D | PACK_LZO_ADLER32_C, PACK_LZO_CRC32_D | PACK_LZO_H_CRC32,
		PACK_LZO_ADLER32_C | PACK_LZO_CRC32_D | PACK_LZO_CRC32_C,
	};
	unsigned char *data, *packed, *out;
	uint64_t rng = 7;
	uint32_t version;
	size_t i, bytes;

	(void)state;
	need(CODEC_LZO);
	data = text(700000);
	packed = malloc(800000);
	out = malloc(700001);
	for (i = 262144; i < 2 * 262144; i++)
		data[i] = (unsigned char)seed_next(&rng);
	for (i = 0; i < COUNT(sums); i++)
		for (version = 0x0900; version <= 0x1040; version += 0x0140) {
			bytes = pack_lzop(data, 700000, packed, 800000, version, sums[i]);
			expect(CODEC_LZO, packed, bytes, data, 700000, NO_LIMIT, NO_LIMIT);
			expect(CODEC_LZO, packed, bytes, data, 700000, 1009, 65536);
			/* Each sum is looked at. */
			packed[400000] ^= 1;
			assert_int_equal(feed(CODEC_LZO, packed, bytes, out, 700001, NO_LIMIT, NO_LIMIT).err,
					 sums[i] & (PACK_LZO_ADLER32_D | PACK_LZO_CRC32_D) ? KX_COMPRESSED_BAD : KX_OK);
		}
	free(data);
	free(packed);
	free(out);
}

/* What lzop 1.04 itself wrote: "printf 'one two one two one two one two' | lzop -9" */
static void test_lzop_itself(void **state)
{
	static const unsigned char file[] = {
		0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a, 0x10, 0x40, 0x20, 0xa0, 0x09, 0x40, 0x03,
		0x09, 0x03, 0x00, 0x00, 0x0d, 0x00, 0x00, 0x00, 0x00, 0x6b, 0x03, 0x0a, 0x40, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x25, 0x6b, 0x02, 0x2e, 0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00, 0x0f, 0xb4, 0x9b,
		0x0b, 0x51, 0x19, 0x6f, 0x6e, 0x65, 0x20, 0x74, 0x77, 0x6f, 0x20, 0x35, 0x1c, 0x00, 0x11, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00,
	};

	(void)state;
	need(CODEC_LZO);
	expect(CODEC_LZO, file, sizeof(file), (const unsigned char *)"one two one two one two one two", 31, NO_LIMIT, NO_LIMIT);
	expect(CODEC_LZO, file, sizeof(file), (const unsigned char *)"one two one two one two one two", 31, 1, 1);
}

/* A stream that asks for a window of gigabytes (2 and 3 here) gets none, and is not called damaged for it. */
static void test_huge_window_of_zstd(void **state)
{
	static const unsigned char frame[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 1, 0, 0, 0, 0, 0 };	/* 2 GiB */
	unsigned char out[16];

	(void)state;
	need(CODEC_ZSTD);
	assert_int_equal(feed(CODEC_ZSTD, frame, sizeof(frame), out, sizeof(out), NO_LIMIT, NO_LIMIT).err,
			 KX_NO_MEMORY);
}

static void test_huge_window_of_lzma(void **state)
{
	unsigned char stream[32] = { 0x5d, 0, 0, 0, 0xc0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	unsigned char out[16];

	(void)state;
	need(CODEC_LZMA);
	assert_int_equal(feed(CODEC_LZMA, stream, sizeof(stream), out, sizeof(out), NO_LIMIT, NO_LIMIT).err,
			 KX_NO_MEMORY);
}

/* All are known by their first bytes, and read or refused by name: as a file, and as a member behind another one. */
static void test_left_out(void **state)
{
	unsigned char start[64];
	struct memory_file file = { .data = start, .in_most = NO_LIMIT };
	struct sys sys = {
		.ctx = &file, .open_file = memory_open, .stamp = memory_stamp, .read = memory_read, .close = memory_close,
		.read_link = no_link,
	};
	char want[32], sentence[FAIL_SENTENCE_CHARS];
	struct source source;
	struct fail fail;
	enum codec codec;

	(void)state;
	for (codec = CODEC_NONE + 1; codec < CODECS; codec++) {
		file.bytes = pack_start(codec, start);
		assert_int_equal(codec_probe(start, file.bytes), codec);
		assert_int_equal(source_open(&source, &sys, "K", UINT64_MAX, &fail), KX_OK);
		source.part[0].codec = codec;
		if (codec_is_built_in(codec)) {
			assert_int_equal(source_rewind(&source, &fail), KX_OK);
		} else {
			assert_int_equal(source_rewind(&source, &fail), KX_CODEC_LEFT_OUT);
			snprintf(want, sizeof(want), "K (%s): ", codec_name(codec));
			fail_sentence(&fail, sentence, sizeof(sentence));
			assert_memory_equal(sentence, want, strlen(want));
			assert_non_null(strstr(sentence, "--without"));
		}
		source_close(&source);
	}
}

static void test_member_left_out(void **state)
{
	static unsigned char packed[2048], out[100];
	struct memory_file file = { .data = packed, .in_most = NO_LIMIT };
	struct sys sys = {
		.ctx = &file, .open_file = memory_open, .stamp = memory_stamp, .read = memory_read, .close = memory_close,
		.read_link = no_link,
	};
	struct source source;
	struct fail fail;
	size_t got;

	(void)state;
	if (codec_is_built_in(CODEC_ZSTD) == codec_is_built_in(CODEC_LZ4)) {
		print_message("skipped: of zstd and lz4, whose frames may follow each other, both or none were left out\n");
		skip();
	}
	file.bytes = pack(codec_is_built_in(CODEC_ZSTD) ? CODEC_ZSTD : CODEC_LZ4, "text", 4, packed, sizeof(packed));
	file.bytes += pack_start(codec_is_built_in(CODEC_ZSTD) ? CODEC_LZ4 : CODEC_ZSTD, packed + file.bytes);
	assert_int_equal(source_open(&source, &sys, "K", UINT64_MAX, &fail), KX_OK);
	source.part[0].codec = codec_probe(packed, file.bytes);
	assert_int_equal(source_rewind(&source, &fail), KX_OK);
	assert_int_equal(source_read(&source, out, sizeof(out), &got, &fail), KX_CODEC_LEFT_OUT);
	source_close(&source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_bounded_output),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_members_of_xz_with_padding),
		cmocka_unit_test(test_frames_of_different_kinds),
		cmocka_unit_test(test_full_blocks_of_lz4),
		cmocka_unit_test(test_kinds_of_lzop),
		cmocka_unit_test(test_lzop_itself),
		cmocka_unit_test(test_huge_window_of_zstd),
		cmocka_unit_test(test_huge_window_of_lzma),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_member_left_out),
	};

	return cmocka_run_group_tests(tests, find_codecs, NULL);
}
