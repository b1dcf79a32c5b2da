/* SPDX-License-Identifier: GPL-2.0-only */
/* lzop's format: big-endian numbers, and a header whose length shows as it is read. */
#include "blocks.h"
#include "bytes.h"

#include <lzo/lzo1x.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* lzop's BLOCK_SIZE; lib/decompress_unlzo.c takes no more either. */
#define LZO_BLOCK_BYTES		(256u << 10)

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
	return blocks_next(b, 4, false, lzop_length);
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
	return blocks_next(b, b->lzo_sums_bytes + packed_bytes, true, lzop_block);
}

static enum kx_err lzop_length(struct blocks *b)
{
	uint64_t bytes = load_be(b->in, 4);

	b->ended = !bytes;
	if (bytes > LZO_BLOCK_BYTES)
		return KX_COMPRESSED_BAD;
	return b->ended ? KX_OK : blocks_next(b, 4, true, lzop_packed_length);
}

/* The name, and the sum of all from the version on. */
static enum kx_err lzop_header_end(struct blocks *b)
{
	size_t summed = b->due - 4 - LZO_MAGIC_BYTES;

	if (load_be(b->in + b->due - 4, 4) != sum(b->lzo_flags & LZO_H_CRC32, b->in + LZO_MAGIC_BYTES, summed))
		return KX_COMPRESSED_BAD;
	return blocks_next(b, 4, false, lzop_length);
}

static enum kx_err lzop_name(struct blocks *b)
{
	return blocks_next(b, (size_t)b->in[b->due - 1] + 4, true, lzop_header_end);
}

/* Behind the flags: mode, time (32 bits, or 64), length of the name */
static enum kx_err lzop_flags(struct blocks *b)
{
	bool levels = load_be(b->in + LZO_VERSION_AT, 2) >= LZO_VERSION_LEVELS;
	unsigned char method = b->in[b->due - (levels ? 6 : 5)];

	b->lzo_flags = (uint32_t)load_be(b->in + b->due - 4, 4);
	if (!method || method > LZO_METHOD_LAST || b->lzo_flags & LZO_UNKNOWN)
		return KX_COMPRESSED_BAD;
	return blocks_next(b, 4 + (levels ? 8 : 4) + 1, true, lzop_name);
}

/* Behind the version: the library's, (the one needed,) method, (level,) flags */
static enum kx_err lzop_version(struct blocks *b)
{
	bool levels = load_be(b->in + LZO_VERSION_AT, 2) >= LZO_VERSION_LEVELS;

	if (memcmp(b->in, LZO_MAGIC, LZO_MAGIC_BYTES) != 0)
		return KX_COMPRESSED_BAD;
	return blocks_next(b, levels ? 2 + 2 + 1 + 1 + 4 : 2 + 1 + 4, true, lzop_flags);
}

static void *lzo_open(void)
{
	return blocks_open(LZO_VERSION_AT + 2, lzop_version);
}

const struct codec_ops codec_lzo = { .open = lzo_open, .close = free, .run = blocks_run };
