/* SPDX-License-Identifier: GPL-2.0-only */
/* lz4's frames. Its legacy format, which the kernel's build uses, is in lz4_legacy.c. */
#include "codec_ops.h"

#include <lz4frame.h>

static void *lz4_open(void)
{
	LZ4F_dctx *lz4;

	return LZ4F_isError(LZ4F_createDecompressionContext(&lz4, LZ4F_VERSION)) ? NULL : lz4;
}

static void lz4_close(void *state)
{
	LZ4F_freeDecompressionContext(state);
}

static enum kx_err run(void *state, const unsigned char *in, size_t *in_bytes, unsigned char *out, size_t *out_bytes, bool *end)
{
	size_t result = LZ4F_decompress(state, out, out_bytes, in, in_bytes, NULL);

	if (LZ4F_isError(result)) {
		*in_bytes = *out_bytes = 0;
		return KX_COMPRESSED_BAD;
	}
	*end = result == 0;
	return KX_OK;
}

const struct codec_ops codec_lz4 = { .open = lz4_open, .close = lz4_close, .run = run };
