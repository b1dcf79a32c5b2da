/* SPDX-License-Identifier: GPL-2.0-only */
#include "codec.h"

#include "codec_ops.h"
#include "build_config.h"

#include <stdlib.h>
#include <zlib.h>

struct decoder {
	const struct codec_ops *ops;
	void *state;
};

/* Null: configure was told to leave it out. */
static const struct codec_ops *const codecs[CODECS] = {
	[CODEC_GZIP] = &codec_gzip,
#ifdef WITH_ZSTD
	[CODEC_ZSTD] = &codec_zstd,
#endif
#ifdef WITH_LZMA
	[CODEC_XZ] = &codec_xz,
	[CODEC_LZMA] = &codec_lzma,
#endif
#ifdef WITH_BZIP2
	[CODEC_BZIP2] = &codec_bzip2,
#endif
#ifdef WITH_LZ4
	[CODEC_LZ4] = &codec_lz4,
	[CODEC_LZ4_LEGACY] = &codec_lz4_legacy,
#endif
#ifdef WITH_LZO
	[CODEC_LZO] = &codec_lzo,
#endif
};

uint32_t codec_crc32(uint32_t crc, const void *data, size_t bytes)
{
	return (uint32_t)crc32_z(crc, data, bytes);
}

bool codec_is_built_in(enum codec codec)
{
	return codecs[codec];
}

struct decoder *decoder_open(enum codec codec)
{
	struct decoder *d = malloc(sizeof(*d));

	if (!d)
		return NULL;
	d->ops = codecs[codec];
	d->state = d->ops->open();
	if (!d->state) {
		free(d);
		return NULL;
	}
	return d;
}

void decoder_close(struct decoder *d)
{
	if (!d)
		return;
	d->ops->close(d->state);
	free(d);
}

bool decoder_may_end(const struct decoder *d)
{
	return d->ops->may_end && d->ops->may_end(d->state);
}

enum kx_err decoder_run(struct decoder *d, const unsigned char *in, size_t *in_bytes, unsigned char *out,
			size_t *out_bytes, bool *end)
{
	const size_t most = 1u << 30;	/* zlib and bzip2 count in 32 bits */

	*end = false;
	if (*in_bytes > most)
		*in_bytes = most;
	if (*out_bytes > most)
		*out_bytes = most;
	return d->ops->run(d->state, in, in_bytes, out, out_bytes, end);
}
