/* SPDX-License-Identifier: GPL-2.0-only */
#include "codec_ops.h"

#include <zstd.h>
#include <zstd_errors.h>

#define WINDOW_LOG_MAX	27	/* what zstd's own command line takes by default */

_Static_assert(1u << WINDOW_LOG_MAX == CODEC_MEMORY_MAX, "window");

static void *zstd_open(void)
{
	ZSTD_DStream *zstd = ZSTD_createDStream();

	if (zstd && ZSTD_isError(ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
		ZSTD_freeDStream(zstd);
		return NULL;
	}
	return zstd;
}

static void zstd_close(void *state)
{
	ZSTD_freeDStream(state);
}

static enum kx_err run(void *state, const unsigned char *in, size_t *in_bytes, unsigned char *out, size_t *out_bytes, bool *end)
{
	ZSTD_inBuffer from = { in, *in_bytes, 0 };
	ZSTD_outBuffer to = { out, *out_bytes, 0 };
	size_t result = ZSTD_decompressStream(state, &to, &from);

	*in_bytes = from.pos;
	*out_bytes = to.pos;
	*end = result == 0;
	if (!ZSTD_isError(result))
		return KX_OK;
	switch (ZSTD_getErrorCode(result)) {
	case ZSTD_error_frameParameter_windowTooLarge:
	case ZSTD_error_memory_allocation:
		return KX_NO_MEMORY;
	default:
		return KX_COMPRESSED_BAD;
	}
}

const struct codec_ops codec_zstd = { .open = zstd_open, .close = zstd_close, .run = run };
