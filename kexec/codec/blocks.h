/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two formats that their libraries only know the blocks of: lz4's legacy one, and lzop's. As streams, for codec.c: the
 * decoder's contract is told in codec.h.
 */
#ifndef BLOCKS_H
#define BLOCKS_H

#include "codec.h"

struct blocks;

/* For CODEC_LZ4_LEGACY and CODEC_LZO. Null when out of memory. */
struct blocks *blocks_open(enum codec codec);
void blocks_close(struct blocks *blocks);

/* As decoder_run() and decoder_may_end(). Errors: KX_COMPRESSED_BAD */
enum kx_err blocks_run(struct blocks *blocks, const unsigned char *in, size_t *in_bytes, unsigned char *out, size_t *out_bytes,
		       bool *end);
bool blocks_may_end(const struct blocks *blocks);

#endif
