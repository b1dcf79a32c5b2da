/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One format of codec.c's table, each in a file of its own. open gives the state that the others are called with, or null when
 * out of memory; what run and may_end are to do is told in codec.h, at decoder_run() and decoder_may_end().
 */
#ifndef CODEC_OPS_H
#define CODEC_OPS_H

#include "codec.h"

struct codec_ops {
	void *(*open)(void);
	void (*close)(void *state);
	enum kx_err (*run)(void *state, const unsigned char *in, size_t *in_bytes, unsigned char *out, size_t *out_bytes, bool *end);
	bool (*may_end)(const void *state);	/* null: never */
};

extern const struct codec_ops codec_gzip, codec_zstd, codec_xz, codec_lzma, codec_bzip2, codec_lz4, codec_lz4_legacy, codec_lzo;

#define CODEC_MEMORY_MAX	(128u << 20)	/* for a stream's window, where the library lets that be said */

#endif
