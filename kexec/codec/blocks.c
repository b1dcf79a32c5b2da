/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two formats that their libraries only know the blocks of: lz4's legacy one, and lzop's.
 *
 * Input is gathered until the part that is due is whole: a header, a length, a block. A step per part takes it, and says what is
 * due next. What a block unpacks to is handed out before anything else is gathered.
 */
#include "bytes.h"
#include "codec_ops.h"

#include <lz4.h>
#include <lzo/lzo1x.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* lz4, doc/lz4_Frame_format.md, "Legacy frame": blocks of 8 MiB, the last one shorter. */
#define LZ4_BLOCK_BYTES		(8u << 20)
#define LZ4_MAGIC		0x184c2102u
/* lzop's BLOCK_SIZE; lib/decompress_unlzo.c takes no more either. */
#define LZO_BLOCK_BYTES		(256u << 10)

#define IN_BYTES		LZ4_COMPRESSBOUND(LZ4_BLOCK_BYTES)
#define OUT_BYTES		LZ4_BLOCK_BYTES

struct blocks {
	enum kx_err (*step)(struct blocks *b);	/* takes in[0..due) once it is there */
	size_t due, in_used;
	size_t out_at, out_end;
	bool ended;
	uint32_t lzo_flags;
	size_t lzo_sums_bytes;			/* checksums between a block's lengths and the block */
	unsigned char in[IN_BYTES], out[OUT_BYTES];
};

/* What is due next: so many bytes, and in front of them still what was taken last if keep. */
static enum kx_err next(struct blocks *b, size_t bytes, bool keep, enum kx_err (*step)(struct blocks *b))
{
	if (!keep)
		b->in_used = 0;
	b->due = b->in_used + bytes;
	b->step = step;
	return b->due <= IN_BYTES ? KX_OK : KX_COMPRESSED_BAD;
}

/* --- lz4, legacy --- */

static enum kx_err lz4_length(struct blocks *b);

static enum kx_err lz4_block(struct blocks *b)
{
	int made = LZ4_decompress_safe((const char *)b->in, (char *)b->out, (int)b->due, LZ4_BLOCK_BYTES);

	if (made <= 0)
		return KX_COMPRESSED_BAD;
	b->out_at = 0;
	b->out_end = (size_t)made;
	b->ended = made < (int)LZ4_BLOCK_BYTES;
	return next(b, 4, false, lz4_length);
}

/* The format has no end mark: a full block is followed by another one, by another stream's magic number, or by the end of the
 * input. What follows the last one in a vmlinuz (its length, padding) looks like a block that is too long or empty, and ends it. */
static enum kx_err lz4_length(struct blocks *b)
{
	uint64_t bytes = load_le(b->in, 4);

	if (bytes == LZ4_MAGIC)
		return next(b, 4, false, lz4_length);
	b->ended = !bytes || bytes > IN_BYTES;
	return b->ended ? KX_OK : next(b, bytes, false, lz4_block);
}

/* --- lzop: big-endian numbers, and a header whose length shows as it is read --- */

#define LZO_MAGIC		"\x89LZO\0\r\n\x1a\n"
#define LZO_MAGIC_BYTES		9
#define LZO_VERSION_AT		9	/* then the library's version */
#define LZO_VERSION_LEVELS	0x0940	/* from here on there are: the version needed, the level, and 64 bits of time */
#define LZO_METHOD_LAST		3	/* 1 to 3 are LZO1X, by whichever compressor */

/* What was summed up, by Adler-32 or CRC-32: D what a block unpacks to, C what it is packed as, H the header */
#define LZO_ADLER32_D		0x0001u
#define LZO_ADLER32_C		0x0002u
#define LZO_EXTRA_FIELD		0x0040u
#define LZO_CRC32_D		0x0100u
#define LZO_CRC32_C		0x0200u
#define LZO_FILTER		0x0800u
#define LZO_H_CRC32		0x1000u
#define LZO_UNKNOWN		(LZO_EXTRA_FIELD | LZO_FILTER)	/* lzop writes neither unless it is told to */

static uint32_t sum(bool crc, const unsigned char *data, size_t bytes)
{
	return (uint32_t)(crc ? crc32_z(0, data, bytes) : adler32_z(1, data, bytes));
}

/* Those of the two sums that are there, one behind another at *at. */
static bool sums_hold(const unsigned char **at, bool adler, bool crc, const unsigned char *data, size_t bytes)
{
	bool hold = true;

	if (adler) {
		hold = load_be(*at, 4) == sum(false, data, bytes);
		*at += 4;
	}
	if (crc) {
		hold = hold && load_be(*at, 4) == sum(true, data, bytes);
		*at += 4;
	}
	return hold;
}

static enum kx_err lzop_length(struct blocks *b);

static enum kx_err lzop_block(struct blocks *b)
{
	size_t out_bytes = (size_t)load_be(b->in, 4), packed_bytes = (size_t)load_be(b->in + 4, 4);
	const unsigned char *sums = b->in + 8, *packed = sums + b->lzo_sums_bytes;
	lzo_uint made = out_bytes;

	b->out_at = 0;
	b->out_end = out_bytes;
	if (packed_bytes == out_bytes)
		memcpy(b->out, packed, out_bytes);
	else if (lzo1x_decompress_safe(packed, packed_bytes, b->out, &made, NULL) != LZO_E_OK || made != out_bytes)
		return KX_COMPRESSED_BAD;
	if (!sums_hold(&sums, b->lzo_flags & LZO_ADLER32_D, b->lzo_flags & LZO_CRC32_D, b->out, out_bytes))
		return KX_COMPRESSED_BAD;
	if (packed_bytes < out_bytes &&
	    !sums_hold(&sums, b->lzo_flags & LZO_ADLER32_C, b->lzo_flags & LZO_CRC32_C, packed, packed_bytes))
		return KX_COMPRESSED_BAD;
	return next(b, 4, false, lzop_length);
}

static size_t sums_bytes(uint32_t flags, uint32_t adler, uint32_t crc)
{
	return (flags & adler ? 4u : 0) + (flags & crc ? 4u : 0);
}

/* A block that would not get smaller is there as it was, and summed up once. */
static enum kx_err lzop_packed_length(struct blocks *b)
{
	size_t out_bytes = (size_t)load_be(b->in, 4), packed_bytes = (size_t)load_be(b->in + 4, 4);

	if (!packed_bytes || packed_bytes > out_bytes)
		return KX_COMPRESSED_BAD;
	b->lzo_sums_bytes = sums_bytes(b->lzo_flags, LZO_ADLER32_D, LZO_CRC32_D);
	if (packed_bytes < out_bytes)
		b->lzo_sums_bytes += sums_bytes(b->lzo_flags, LZO_ADLER32_C, LZO_CRC32_C);
	return next(b, b->lzo_sums_bytes + packed_bytes, true, lzop_block);
}

static enum kx_err lzop_length(struct blocks *b)
{
	uint64_t bytes = load_be(b->in, 4);

	b->ended = !bytes;
	if (bytes > LZO_BLOCK_BYTES)
		return KX_COMPRESSED_BAD;
	return b->ended ? KX_OK : next(b, 4, true, lzop_packed_length);
}

/* The name, and the sum of all from the version on. */
static enum kx_err lzop_header_end(struct blocks *b)
{
	size_t summed = b->due - 4 - LZO_MAGIC_BYTES;

	if (load_be(b->in + b->due - 4, 4) != sum(b->lzo_flags & LZO_H_CRC32, b->in + LZO_MAGIC_BYTES, summed))
		return KX_COMPRESSED_BAD;
	return next(b, 4, false, lzop_length);
}

static enum kx_err lzop_name(struct blocks *b)
{
	return next(b, (size_t)b->in[b->due - 1] + 4, true, lzop_header_end);
}

/* Behind the flags: mode, time (32 bits, or 64), length of the name */
static enum kx_err lzop_flags(struct blocks *b)
{
	bool levels = load_be(b->in + LZO_VERSION_AT, 2) >= LZO_VERSION_LEVELS;
	unsigned char method = b->in[b->due - (levels ? 6 : 5)];

	b->lzo_flags = (uint32_t)load_be(b->in + b->due - 4, 4);
	if (!method || method > LZO_METHOD_LAST || b->lzo_flags & LZO_UNKNOWN)
		return KX_COMPRESSED_BAD;
	return next(b, 4 + (levels ? 8 : 4) + 1, true, lzop_name);
}

/* Behind the version: the library's, (the one needed,) method, (level,) flags */
static enum kx_err lzop_version(struct blocks *b)
{
	bool levels = load_be(b->in + LZO_VERSION_AT, 2) >= LZO_VERSION_LEVELS;

	if (memcmp(b->in, LZO_MAGIC, LZO_MAGIC_BYTES) != 0)
		return KX_COMPRESSED_BAD;
	return next(b, levels ? 2 + 2 + 1 + 1 + 4 : 2 + 1 + 4, true, lzop_flags);
}

/* --- both --- */

static void *start(size_t due, enum kx_err (*step)(struct blocks *b))
{
	struct blocks *b = malloc(sizeof(*b));

	if (!b)
		return NULL;
	/* The rest is only touched as far as it is used. */
	memset(b, 0, offsetof(struct blocks, in));
	next(b, due, false, step);
	return b;
}

static enum kx_err run(void *state, const unsigned char *in, size_t *in_bytes, unsigned char *out, size_t *out_bytes, bool *end)
{
	struct blocks *b = state;
	size_t at = 0, made = 0, n;
	enum kx_err err = KX_OK;

	while (!err) {
		n = b->out_end - b->out_at < *out_bytes - made ? b->out_end - b->out_at : *out_bytes - made;
		memcpy(out + made, b->out + b->out_at, n);
		b->out_at += n;
		made += n;
		if (b->out_at < b->out_end || b->ended)
			break;
		n = b->due - b->in_used < *in_bytes - at ? b->due - b->in_used : *in_bytes - at;
		memcpy(b->in + b->in_used, in + at, n);
		b->in_used += n;
		at += n;
		if (b->in_used < b->due)
			break;
		err = b->step(b);
	}
	*in_bytes = at;
	*out_bytes = made;
	*end = b->ended && b->out_at == b->out_end;
	return err;
}

static bool probe_lz4(const unsigned char *head, size_t bytes)
{
	return bytes >= 4 && load_le(head, 4) == LZ4_MAGIC;
}

static void *open_lz4(void)
{
	return start(4, lz4_length);
}

/* Where another block could follow. */
static bool lz4_may_end(const void *state)
{
	const struct blocks *b = state;

	return b->step == lz4_length && !b->in_used && b->out_at == b->out_end;
}

static bool probe_lzo(const unsigned char *head, size_t bytes)
{
	return bytes >= CODEC_PROBE_BYTES && memcmp(head, LZO_MAGIC, CODEC_PROBE_BYTES) == 0;
}

static void *open_lzo(void)
{
	return start(LZO_VERSION_AT + 2, lzop_version);
}

const struct codec_ops codec_lz4_legacy = {
	.name = "lz4", .frames = true, .probe = probe_lz4, .open = open_lz4, .close = free, .run = run, .may_end = lz4_may_end,
};
const struct codec_ops codec_lzo = { .name = "lzo", .probe = probe_lzo, .open = open_lzo, .close = free, .run = run };
