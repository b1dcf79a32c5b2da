/* SPDX-License-Identifier: GPL-2.0-only */
/* How the formats are called, and what their files begin with: known of those too whose decompressor was left out. */
#include "bytes.h"
#include "codec.h"

#include <string.h>

static bool is_gzip(const unsigned char *head, size_t bytes)
{
	return bytes >= 2 && head[0] == 0x1f && head[1] == 0x8b;
}

/* A frame, or a skippable one, of which there are sixteen kinds. */
static bool is_zstd(const unsigned char *head, size_t bytes)
{
	return bytes >= 4 && (memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0 ||
			      ((head[0] & 0xf0) == 0x50 && memcmp(head + 1, "\x2a\x4d\x18", 3) == 0));
}

static bool is_xz(const unsigned char *head, size_t bytes)
{
	return bytes >= 6 && memcmp(head, "\xfd" "7zXZ\0", 6) == 0;
}

/* It has no magic number: this is what every kernel's build and xz --format=lzma begin with. */
static bool is_lzma(const unsigned char *head, size_t bytes)
{
	return bytes >= 3 && memcmp(head, "\x5d\0\0", 3) == 0;
}

static bool is_bzip2(const unsigned char *head, size_t bytes)
{
	return bytes >= 4 && memcmp(head, "BZh", 3) == 0 && head[3] >= '1' && head[3] <= '9';
}

static bool is_lz4(const unsigned char *head, size_t bytes)
{
	return bytes >= 4 && load_le(head, 4) == 0x184d2204;
}

static bool is_lz4_legacy(const unsigned char *head, size_t bytes)
{
	return bytes >= 4 && load_le(head, 4) == 0x184c2102;
}

static bool is_lzo(const unsigned char *head, size_t bytes)
{
	return bytes >= 6 && memcmp(head, "\x89LZO\0\r", 6) == 0;
}

static const struct format {
	const char *name;
	bool (*probe)(const unsigned char *head, size_t bytes);
	bool frames;	/* a stream may go on with a frame of any other format that has this set */
} formats[CODECS] = {
	[CODEC_GZIP] = { "gzip", is_gzip, false },
	[CODEC_ZSTD] = { "zstd", is_zstd, true },
	[CODEC_XZ] = { "xz", is_xz, false },
	[CODEC_LZMA] = { "lzma", is_lzma, false },
	[CODEC_BZIP2] = { "bzip2", is_bzip2, false },
	[CODEC_LZ4] = { "lz4", is_lz4, true },
	[CODEC_LZ4_LEGACY] = { "lz4", is_lz4_legacy, true },
	[CODEC_LZO] = { "lzo", is_lzo, false },
};

enum codec codec_probe(const unsigned char *start, size_t bytes)
{
	enum codec codec;

	for (codec = CODEC_NONE + 1; codec < CODECS; codec++)
		if (formats[codec].probe(start, bytes))
			return codec;
	return CODEC_NONE;
}

enum codec codec_next(enum codec codec, const unsigned char *start, size_t bytes)
{
	enum codec next = codec_probe(start, bytes);

	if (next == CODEC_NONE || next == codec)
		return next;
	return formats[next].frames && formats[codec].frames ? next : CODEC_NONE;
}

const char *codec_name(enum codec codec)
{
	return codec == CODEC_NONE ? "" : formats[codec].name;
}
