/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decompression by the formats' own libraries, as a stream: bytes in, bytes out, never more than asked for. Pure: no
 * file is touched here.
 */
#ifndef CODEC_H
#define CODEC_H

#include "err.h"

#include <stddef.h>
#include <stdint.h>

enum codec {
	CODEC_NONE, CODEC_GZIP, CODEC_ZSTD, CODEC_XZ, CODEC_LZMA, CODEC_BZIP2, CODEC_LZ4, CODEC_LZ4_LEGACY, CODEC_LZO,
	CODECS
};

/* What a file is compressed with, by its first bytes. A skippable frame is zstd's, too. */
#define CODEC_PROBE_BYTES	6
enum codec codec_probe(const unsigned char *start, size_t bytes);

/* What the next member of a stream is compressed with, by its first bytes: most formats may continue themselves, and zstd's and
 * lz4's frames each other. CODEC_NONE: it is no member. */
enum codec codec_next(enum codec codec, const unsigned char *start, size_t bytes);

/* "gzip", "zstd", ...; "" for CODEC_NONE */
const char *codec_name(enum codec codec);

/* Whether this build has its decompressor: configure may have left it out. Not for CODEC_NONE. */
bool codec_is_built_in(enum codec codec);

/* Continue a CRC-32 of ISO 3309; 0 to begin with. */
uint32_t codec_crc32(uint32_t crc, const void *data, size_t bytes);

struct decoder;

/* Null when out of memory. For what is built in only. */
struct decoder *decoder_open(enum codec codec);
void decoder_close(struct decoder *decoder);

/*
 * Decompress from in to out until one of them is used up or the stream ends. *in_bytes and *out_bytes say how much there
 * is and come back as how much was used and made. *end is set when one member is complete: what follows
 * it (another member, padding) is not looked at. Then the decoder is used up.
 *
 * Errors: KX_COMPRESSED_BAD, KX_NO_MEMORY (a stream that wants a window of more than 128 MiB included)
 */
enum kx_err decoder_run(struct decoder *decoder, const unsigned char *in, size_t *in_bytes, unsigned char *out,
			size_t *out_bytes, bool *end);

/* Whether the input may be over here though no end was seen: lz4's legacy format has no mark for it. */
bool decoder_may_end(const struct decoder *decoder);

#endif
