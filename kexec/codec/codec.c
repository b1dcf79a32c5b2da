/* SPDX-License-Identifier: GPL-2.0-only */
#include "codec.h"

#include "blocks.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define MEMORY_MAX	(128u << 20)
#define ZSTD_WINDOW_LOG_MAX_HERE	27	/* 128 MiB, what zstd's own command line takes by default */

struct decoder {
	enum codec codec;
	z_stream gzip;
	lzma_stream lzma;
	ZSTD_DStream *zstd;
	bz_stream bzip2;
	LZ4F_dctx *lz4;
	struct blocks *blocks;
};

uint32_t codec_crc32(uint32_t crc, const void *data, size_t bytes)
{
	return (uint32_t)crc32_z(crc, data, bytes);
}

enum codec codec_probe(const unsigned char *start, size_t bytes)
{
	if (bytes >= 2 && start[0] == 0x1f && start[1] == 0x8b)
		return CODEC_GZIP;
	if (bytes >= 4 && memcmp(start, "\x28\xb5\x2f\xfd", 4) == 0)
		return CODEC_ZSTD;
	if (bytes >= 4 && (start[0] & 0xf0) == 0x50 && memcmp(start + 1, "\x2a\x4d\x18", 3) == 0)
		return CODEC_ZSTD;
	if (bytes >= 6 && memcmp(start, "\xfd" "7zXZ\0", 6) == 0)
		return CODEC_XZ;
	if (bytes >= 3 && memcmp(start, "\x5d\0\0", 3) == 0)
		return CODEC_LZMA;
	if (bytes >= 4 && memcmp(start, "BZh", 3) == 0 && start[3] >= '1' && start[3] <= '9')
		return CODEC_BZIP2;
	if (bytes >= 4 && memcmp(start, "\x04\x22\x4d\x18", 4) == 0)
		return CODEC_LZ4;
	if (bytes >= 4 && memcmp(start, "\x02\x21\x4c\x18", 4) == 0)
		return CODEC_LZ4_LEGACY;
	if (bytes >= 6 && memcmp(start, "\x89LZO\0\r", 6) == 0)
		return CODEC_LZO;
	return CODEC_NONE;
}

static bool has_frames(enum codec codec)
{
	return codec == CODEC_ZSTD || codec == CODEC_LZ4 || codec == CODEC_LZ4_LEGACY;
}

enum codec codec_next(enum codec codec, const unsigned char *start, size_t bytes)
{
	enum codec next = codec_probe(start, bytes);

	return next == codec || (has_frames(next) && has_frames(codec)) ? next : CODEC_NONE;
}

const char *codec_name(enum codec codec)
{
	static const char *const names[] = {
		[CODEC_NONE] = "", [CODEC_GZIP] = "gzip", [CODEC_ZSTD] = "zstd", [CODEC_XZ] = "xz", [CODEC_LZMA] = "lzma",
		[CODEC_BZIP2] = "bzip2", [CODEC_LZ4] = "lz4", [CODEC_LZ4_LEGACY] = "lz4", [CODEC_LZO] = "lzo",
	};

	return names[codec];
}

static bool start(struct decoder *d)
{
	switch (d->codec) {
	case CODEC_GZIP:
		return inflateInit2(&d->gzip, 16 + MAX_WBITS) == Z_OK;	/* 16: gzip framing only */
	case CODEC_ZSTD:
		d->zstd = ZSTD_createDStream();
		return d->zstd &&
		       !ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX_HERE));
	case CODEC_XZ:
		return lzma_stream_decoder(&d->lzma, MEMORY_MAX, 0) == LZMA_OK;
	case CODEC_LZMA:
		return lzma_alone_decoder(&d->lzma, MEMORY_MAX) == LZMA_OK;
	case CODEC_BZIP2:
		return BZ2_bzDecompressInit(&d->bzip2, 0, 0) == BZ_OK;
	case CODEC_LZ4:
		return !LZ4F_isError(LZ4F_createDecompressionContext(&d->lz4, LZ4F_VERSION));
	case CODEC_LZ4_LEGACY:
	case CODEC_LZO:
		d->blocks = blocks_open(d->codec);
		return d->blocks != NULL;
	default:
		return false;
	}
}

struct decoder *decoder_open(enum codec codec)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->codec = codec;
	d->lzma = (lzma_stream)LZMA_STREAM_INIT;
	if (!start(d)) {
		decoder_close(d);
		return NULL;
	}
	return d;
}

void decoder_close(struct decoder *d)
{
	if (!d)
		return;
	if (d->codec == CODEC_GZIP)
		inflateEnd(&d->gzip);
	ZSTD_freeDStream(d->zstd);
	if (d->codec == CODEC_BZIP2)
		BZ2_bzDecompressEnd(&d->bzip2);
	LZ4F_freeDecompressionContext(d->lz4);
	blocks_close(d->blocks);
	lzma_end(&d->lzma);
	free(d);
}

static enum kx_err run_gzip(struct decoder *d, const unsigned char *in, size_t *in_bytes, unsigned char *out,
			    size_t *out_bytes, bool *end)
{
	int result;

	d->gzip.next_in = (unsigned char *)(uintptr_t)in;
	d->gzip.avail_in = (uInt)*in_bytes;
	d->gzip.next_out = out;
	d->gzip.avail_out = (uInt)*out_bytes;
	result = inflate(&d->gzip, Z_NO_FLUSH);
	*in_bytes -= d->gzip.avail_in;
	*out_bytes -= d->gzip.avail_out;
	*end = result == Z_STREAM_END;
	if (result == Z_MEM_ERROR)
		return KX_NO_MEMORY;
	return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR ? KX_OK : KX_COMPRESSED_BAD;
}

static enum kx_err run_zstd(struct decoder *d, const unsigned char *in, size_t *in_bytes, unsigned char *out,
			    size_t *out_bytes, bool *end)
{
	ZSTD_inBuffer from = { in, *in_bytes, 0 };
	ZSTD_outBuffer to = { out, *out_bytes, 0 };
	size_t result = ZSTD_decompressStream(d->zstd, &to, &from);

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

static enum kx_err run_lzma(struct decoder *d, const unsigned char *in, size_t *in_bytes, unsigned char *out,
			    size_t *out_bytes, bool *end)
{
	lzma_ret result;

	d->lzma.next_in = in;
	d->lzma.avail_in = *in_bytes;
	d->lzma.next_out = out;
	d->lzma.avail_out = *out_bytes;
	result = lzma_code(&d->lzma, LZMA_RUN);
	*in_bytes -= d->lzma.avail_in;
	*out_bytes -= d->lzma.avail_out;
	if (result == LZMA_STREAM_END)
		*end = true;
	if (result == LZMA_MEM_ERROR || result == LZMA_MEMLIMIT_ERROR)
		return KX_NO_MEMORY;
	return result == LZMA_OK || result == LZMA_STREAM_END || result == LZMA_BUF_ERROR ? KX_OK : KX_COMPRESSED_BAD;
}

static enum kx_err run_bzip2(struct decoder *d, const unsigned char *in, size_t *in_bytes, unsigned char *out,
			     size_t *out_bytes, bool *end)
{
	int result;

	d->bzip2.next_in = (char *)(uintptr_t)in;
	d->bzip2.avail_in = (unsigned int)*in_bytes;
	d->bzip2.next_out = (char *)out;
	d->bzip2.avail_out = (unsigned int)*out_bytes;
	result = BZ2_bzDecompress(&d->bzip2);
	*in_bytes -= d->bzip2.avail_in;
	*out_bytes -= d->bzip2.avail_out;
	*end = result == BZ_STREAM_END;
	if (result == BZ_MEM_ERROR)
		return KX_NO_MEMORY;
	return result == BZ_OK || result == BZ_STREAM_END ? KX_OK : KX_COMPRESSED_BAD;
}

static enum kx_err run_lz4(struct decoder *d, const unsigned char *in, size_t *in_bytes, unsigned char *out,
			   size_t *out_bytes, bool *end)
{
	size_t result = LZ4F_decompress(d->lz4, out, out_bytes, in, in_bytes, NULL);

	if (LZ4F_isError(result)) {
		*in_bytes = *out_bytes = 0;
		return KX_COMPRESSED_BAD;
	}
	*end = result == 0;
	return KX_OK;
}

bool decoder_may_end(const struct decoder *d)
{
	return d->blocks && blocks_may_end(d->blocks);
}

enum kx_err decoder_run(struct decoder *d, const unsigned char *in, size_t *in_bytes, unsigned char *out,
			size_t *out_bytes, bool *end)
{
	const size_t most = 1u << 30;	/* zlib counts in 32 bits */

	*end = false;
	if (*in_bytes > most)
		*in_bytes = most;
	if (*out_bytes > most)
		*out_bytes = most;
	switch (d->codec) {
	case CODEC_GZIP:
		return run_gzip(d, in, in_bytes, out, out_bytes, end);
	case CODEC_ZSTD:
		return run_zstd(d, in, in_bytes, out, out_bytes, end);
	case CODEC_BZIP2:
		return run_bzip2(d, in, in_bytes, out, out_bytes, end);
	case CODEC_LZ4:
		return run_lz4(d, in, in_bytes, out, out_bytes, end);
	case CODEC_LZ4_LEGACY:
	case CODEC_LZO:
		return blocks_run(d->blocks, in, in_bytes, out, out_bytes, end);
	default:
		return run_lzma(d, in, in_bytes, out, out_bytes, end);
	}
}
