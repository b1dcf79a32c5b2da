/* SPDX-License-Identifier: GPL-2.0-only */
/* lz4's legacy format, which the kernel's build writes. */
#include "blocks.h"
#include "bytes.h"

#include <lz4.h>
#include <stdlib.h>

/* lz4, doc/lz4_Frame_format.md, "Legacy frame": blocks of 8 MiB, the last one shorter. */
#define LZ4_BLOCK_BYTES		(8u << 20)
#define LZ4_MAGIC		0x184c2102u

_Static_assert(LZ4_BLOCK_BYTES <= BLOCKS_OUT_BYTES && LZ4_COMPRESSBOUND(LZ4_BLOCK_BYTES) <= BLOCKS_IN_BYTES, "room");

static enum kx_err lz4_length(struct blocks *b);

static enum kx_err lz4_block(struct blocks *b)
{
	int made = LZ4_decompress_safe((const char *)b->in, (char *)b->out, (int)b->due, LZ4_BLOCK_BYTES);

	if (made <= 0)
		return KX_COMPRESSED_BAD;
	b->out_at = 0;
	b->out_end = (size_t)made;
	b->ended = made < (int)LZ4_BLOCK_BYTES;
	return blocks_next(b, 4, false, lz4_length);
}

/* The format has no end mark: a full block is followed by another one, by another stream's magic number, or by the end of the
 * input. What follows the last one in a vmlinuz (its length, padding) looks like a block that is too long or empty, and ends it. */
static enum kx_err lz4_length(struct blocks *b)
{
	uint64_t bytes = load_le(b->in, 4);

	if (bytes == LZ4_MAGIC)
		return blocks_next(b, 4, false, lz4_length);
	b->ended = !bytes || bytes > BLOCKS_IN_BYTES;
	return b->ended ? KX_OK : blocks_next(b, bytes, false, lz4_block);
}

static void *lz4_legacy_open(void)
{
	return blocks_open(4, lz4_length);
}

/* Where another block could follow. */
static bool may_end(const void *state)
{
	const struct blocks *b = state;

	return b->step == lz4_length && !b->in_used && b->out_at == b->out_end;
}

const struct codec_ops codec_lz4_legacy = { .open = lz4_legacy_open, .close = free, .run = blocks_run, .may_end = may_end };
