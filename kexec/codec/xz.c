/* SPDX-License-Identifier: GPL-2.0-only */
/* xz, and the format of its forerunner, lzma. */
#include "codec_ops.h"

#include <lzma.h>
#include <stdlib.h>

static void xz_close(void *state)
{
	lzma_end(state);
	free(state);
}

static void *start(bool alone)
{
	lzma_stream *lzma = malloc(sizeof(*lzma));

	if (!lzma)
		return NULL;
	*lzma = (lzma_stream)LZMA_STREAM_INIT;
	if ((alone ? lzma_alone_decoder(lzma, CODEC_MEMORY_MAX) : lzma_stream_decoder(lzma, CODEC_MEMORY_MAX, 0)) != LZMA_OK) {
		xz_close(lzma);
		return NULL;
	}
	return lzma;
}

static void *open_xz(void)
{
	return start(false);
}

static void *open_lzma(void)
{
	return start(true);
}

static enum kx_err run(void *state, const unsigned char *in, size_t *in_bytes, unsigned char *out, size_t *out_bytes, bool *end)
{
	lzma_stream *lzma = state;
	lzma_ret result;

	lzma->next_in = in;
	lzma->avail_in = *in_bytes;
	lzma->next_out = out;
	lzma->avail_out = *out_bytes;
	result = lzma_code(lzma, LZMA_RUN);
	*in_bytes -= lzma->avail_in;
	*out_bytes -= lzma->avail_out;
	*end = result == LZMA_STREAM_END;
	if (result == LZMA_MEM_ERROR || result == LZMA_MEMLIMIT_ERROR)
		return KX_NO_MEMORY;
	return result == LZMA_OK || result == LZMA_STREAM_END || result == LZMA_BUF_ERROR ? KX_OK : KX_COMPRESSED_BAD;
}

const struct codec_ops codec_xz = { .open = open_xz, .close = xz_close, .run = run };
const struct codec_ops codec_lzma = { .open = open_lzma, .close = xz_close, .run = run };
