/* SPDX-License-Identifier: GPL-2.0-only */
#include "codec_ops.h"

#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#define WINDOW_LOG_MAX	27	/* what zstd's own command line takes by default */

_Static_assert(1u << WINDOW_LOG_MAX == CODEC_MEMORY_MAX, "window");

/* A frame, or a skippable one, of which there are sixteen kinds. */
static bool probe(const unsigned char *start, size_t bytes)
{
	return bytes >= 4 && (memcmp(start, "\x28\xb5\x2f\xfd", 4) == 0 ||
			      ((start[0] & 0xf0) == 0x50 && memcmp(start + 1, "\x2a\x4d\x18", 3) == 0));
}

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

const struct codec_ops codec_zstd = {
	.name = "zstd", .frames = true, .probe = probe, .open = zstd_open, .close = zstd_close, .run = run,
};
