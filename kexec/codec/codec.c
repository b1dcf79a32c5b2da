/* SPDX-License-Identifier: GPL-2.0-only */
#include "codec.h"

#include "codec_ops.h"

#include <stdlib.h>
#include <zlib.h>

struct decoder {
	const struct codec_ops *ops;
	void *state;
};

static const struct codec_ops *const codecs[CODECS] = {
	[CODEC_GZIP] = &codec_gzip,
	[CODEC_ZSTD] = &codec_zstd,
	[CODEC_XZ] = &codec_xz,
	[CODEC_LZMA] = &codec_lzma,
	[CODEC_BZIP2] = &codec_bzip2,
	[CODEC_LZ4] = &codec_lz4,
	[CODEC_LZ4_LEGACY] = &codec_lz4_legacy,
	[CODEC_LZO] = &codec_lzo,
};

uint32_t codec_crc32(uint32_t crc, const void *data, size_t bytes)
{
	return (uint32_t)crc32_z(crc, data, bytes);
}

enum codec codec_probe(const unsigned char *start, size_t bytes)
{
	enum codec codec;

	for (codec = CODEC_NONE + 1; codec < CODECS; codec++)
		if (codecs[codec]->probe(start, bytes))
			return codec;
	return CODEC_NONE;
}

enum codec codec_next(enum codec codec, const unsigned char *start, size_t bytes)
{
	enum codec next = codec_probe(start, bytes);

	if (next == CODEC_NONE || next == codec)
		return next;
	return codecs[next]->frames && codecs[codec]->frames ? next : CODEC_NONE;
}

const char *codec_name(enum codec codec)
{
	return codec == CODEC_NONE ? "" : codecs[codec]->name;
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
