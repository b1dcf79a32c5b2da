/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Formats whose libraries only know their blocks: lz4's legacy one, and lzop's.
 *
 * Input is gathered until the part that is due is whole: a header, a length, a block. A step per part takes it, and says what is
 * due next. What a block unpacks to is handed out before anything else is gathered.
 */
#ifndef BLOCKS_H
#define BLOCKS_H

#include "codec_ops.h"

/* The larger of the two formats' blocks is lz4's, and a block that does not get smaller may grow by so much. */
#define BLOCKS_OUT_BYTES	(8u << 20)
#define BLOCKS_IN_BYTES		(BLOCKS_OUT_BYTES + BLOCKS_OUT_BYTES / 255 + 16)

struct blocks;
typedef enum kx_err blocks_step(struct blocks *b);

struct blocks {
	blocks_step *step;			/* takes in[0..due) once it is there */
	size_t due, in_used;
	size_t out_at, out_end;
	bool ended;
	uint32_t lzo_flags;
	size_t lzo_sums_bytes;			/* checksums between a block's lengths and the block */
	unsigned char in[BLOCKS_IN_BYTES], out[BLOCKS_OUT_BYTES];
};

/* Null when out of memory. What is due first, and who takes it. */
struct blocks *blocks_open(size_t due, blocks_step *step);

/* What is due next: so many bytes, and in front of them still what was taken last if keep. */
enum kx_err blocks_next(struct blocks *b, size_t bytes, bool keep, blocks_step *step);

/* As decoder_run(). state is a struct blocks, which free() closes. */
enum kx_err blocks_run(void *state, const unsigned char *in, size_t *in_bytes, unsigned char *out, size_t *out_bytes, bool *end);

#endif
