/* SPDX-License-Identifier: GPL-2.0-only */
#include "codec_ops.h"

#include <bzlib.h>
#include <stdlib.h>

static void *bzip2_open(void)
{
	bz_stream *bz = calloc(1, sizeof(*bz));

	if (bz && BZ2_bzDecompressInit(bz, 0, 0) != BZ_OK) {
		free(bz);
		return NULL;
	}
	return bz;
}

static void bzip2_close(void *state)
{
	BZ2_bzDecompressEnd(state);
	free(state);
}

static enum kx_err run(void *state, const unsigned char *in, size_t *in_bytes, unsigned char *out, size_t *out_bytes, bool *end)
{
	bz_stream *bz = state;
	int result;

	bz->next_in = (char *)(uintptr_t)in;
	bz->avail_in = (unsigned int)*in_bytes;
	bz->next_out = (char *)out;
	bz->avail_out = (unsigned int)*out_bytes;
	result = BZ2_bzDecompress(bz);
	*in_bytes -= bz->avail_in;
	*out_bytes -= bz->avail_out;
	*end = result == BZ_STREAM_END;
	if (result == BZ_MEM_ERROR)
		return KX_NO_MEMORY;
	return result == BZ_OK || result == BZ_STREAM_END ? KX_OK : KX_COMPRESSED_BAD;
}

const struct codec_ops codec_bzip2 = { .open = bzip2_open, .close = bzip2_close, .run = run };
