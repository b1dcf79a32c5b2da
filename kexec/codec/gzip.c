/* SPDX-License-Identifier: GPL-2.0-only */
#include "codec_ops.h"

#include <stdlib.h>
#include <zlib.h>

#define GZIP_ONLY	16	/* added to the window's size: no other framing than gzip's (zlib.h, inflateInit2) */

static void *gzip_open(void)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (z && inflateInit2(z, GZIP_ONLY + MAX_WBITS) != Z_OK) {
		free(z);
		return NULL;
	}
	return z;
}

static void gzip_close(void *state)
{
	inflateEnd(state);
	free(state);
}

static enum kx_err run(void *state, const unsigned char *in, size_t *in_bytes, unsigned char *out, size_t *out_bytes, bool *end)
{
	z_stream *z = state;
	int result;

	z->next_in = (unsigned char *)(uintptr_t)in;
	z->avail_in = (uInt)*in_bytes;
	z->next_out = out;
	z->avail_out = (uInt)*out_bytes;
	result = inflate(z, Z_NO_FLUSH);
	*in_bytes -= z->avail_in;
	*out_bytes -= z->avail_out;
	*end = result == Z_STREAM_END;
	if (result == Z_MEM_ERROR)
		return KX_NO_MEMORY;
	return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR ? KX_OK : KX_COMPRESSED_BAD;
}

const struct codec_ops codec_gzip = { .open = gzip_open, .close = gzip_close, .run = run };
