/* SPDX-License-Identifier: GPL-2.0-only */
#include "pack.h"

#include "bytes.h"
#include "build_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zlib.h>

#ifdef WITH_BZIP2
#include <bzlib.h>
#endif
#ifdef WITH_LZ4
#include <lz4.h>
#include <lz4frame.h>
#endif
#ifdef WITH_LZMA
#include <lzma.h>
#endif
#ifdef WITH_LZO
#include <lzo/lzo1x.h>
#endif
#ifdef WITH_ZSTD
#include <zstd.h>
#endif

static size_t pack_gzip(const void *data, size_t bytes, unsigned char *out, size_t room)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)data;
	z.avail_in = (uInt)bytes;
	z.next_out = out;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

#ifdef WITH_ZSTD
static size_t pack_zstd(const void *data, size_t bytes, unsigned char *out, size_t room)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t used;

	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	used = ZSTD_compress2(c, out, room, data, bytes);
	assert_false(ZSTD_isError(used));
	ZSTD_freeCCtx(c);
	return used;
}
#endif

#ifdef WITH_LZMA
static size_t pack_xz(const void *data, size_t bytes, unsigned char *out, size_t room)
{
	size_t used = 0;

	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, data, bytes, out, &used, room), LZMA_OK);
	return used;
}

static size_t pack_lzma(const void *data, size_t bytes, unsigned char *out, size_t room)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_options_lzma lzma;
	size_t used;

	assert_false(lzma_lzma_preset(&lzma, 1));
	assert_int_equal(lzma_alone_encoder(&stream, &lzma), LZMA_OK);
	stream.next_in = data;
	stream.avail_in = bytes;
	stream.next_out = out;
	stream.avail_out = room;
	assert_int_equal(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
	used = room - stream.avail_out;
	lzma_end(&stream);
	return used;
}
#endif

#ifdef WITH_BZIP2
static size_t pack_bzip2(const void *data, size_t bytes, unsigned char *out, size_t room)
{
	unsigned int used = (unsigned int)room;

	assert_int_equal(BZ2_bzBuffToBuffCompress((char *)out, &used, (char *)(uintptr_t)data, (unsigned int)bytes, 1, 0, 0), BZ_OK);
	return used;
}
#endif

#ifdef WITH_LZ4
static size_t pack_lz4(const void *data, size_t bytes, unsigned char *out, size_t room)
{
	LZ4F_preferences_t lz4 = { 0 };
	size_t used;

	lz4.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
	lz4.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
	used = LZ4F_compressFrame(out, room, data, bytes, &lz4);
	assert_false(LZ4F_isError(used));
	return used;
}

/* As "lz4 -l" writes it: blocks of 8 MiB, so one here. */
static size_t pack_lz4_legacy(const void *data, size_t bytes, unsigned char *out, size_t room)
{
	int n;

	assert_in_range(bytes, 1, 8u << 20);
	n = LZ4_compress_default(data, (char *)out + 8, (int)bytes, (int)room - 8);
	assert_true(n > 0);
	store_le(out, 0x184c2102, 4);
	store_le(out + 4, (uint64_t)n, 4);
	return 8 + (size_t)n;
}
#endif

#ifdef WITH_LZO
#define LZO_BLOCK_BYTES	(256u << 10)

static size_t put_be(unsigned char *out, size_t at, uint64_t value, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		out[at + i] = (unsigned char)(value >> 8 * (bytes - 1 - i));
	return at + bytes;
}

static size_t put_sums(unsigned char *out, size_t at, bool adler, bool crc, const void *data, size_t bytes)
{
	if (adler)
		at = put_be(out, at, adler32(1, data, (uInt)bytes), 4);
	return crc ? put_be(out, at, crc32(0, data, (uInt)bytes), 4) : at;
}

size_t pack_lzop(const void *data, size_t bytes, unsigned char *out, size_t room, uint32_t version, uint32_t flags)
{
	static unsigned char packed[LZO_BLOCK_BYTES + LZO_BLOCK_BYTES / 16 + 64 + 3];
	unsigned char *work = malloc(LZO1X_1_MEM_COMPRESS);
	const unsigned char *from = data, *block;
	bool levels = version >= 0x0940;
	size_t at = 9, n;
	lzo_uint packed_bytes;

	assert_true(room > bytes + 1000);
	memcpy(out, "\x89LZO\0\r\n\x1a\n", 9);
	at = put_be(out, at, version, 2);
	at = put_be(out, at, 0x20a0, 2);
	if (levels)
		at = put_be(out, at, 0x0940, 2);
	at = put_be(out, at, 1, 1);
	if (levels)
		at = put_be(out, at, 5, 1);
	at = put_be(out, at, 0x03000000 | flags, 4);
	at = put_be(out, at, 0100644, 4);
	at = put_be(out, at, 1700000000, levels ? 8 : 4);
	at = put_be(out, at, 5, 1);
	memcpy(out + at, "Image", 5);
	at = put_sums(out, at + 5, !(flags & PACK_LZO_H_CRC32), flags & PACK_LZO_H_CRC32, out + 9, at + 5 - 9);
	for (; bytes; from += n, bytes -= n) {
		n = bytes < LZO_BLOCK_BYTES ? bytes : LZO_BLOCK_BYTES;
		assert_int_equal(lzo1x_1_compress(from, n, packed, &packed_bytes, work), LZO_E_OK);
		block = packed_bytes < n ? packed : from;
		packed_bytes = packed_bytes < n ? packed_bytes : n;
		at = put_be(out, at, n, 4);
		at = put_be(out, at, packed_bytes, 4);
		at = put_sums(out, at, flags & PACK_LZO_ADLER32_D, flags & PACK_LZO_CRC32_D, from, n);
		if (packed_bytes < n)
			at = put_sums(out, at, flags & PACK_LZO_ADLER32_C, flags & PACK_LZO_CRC32_C, block, packed_bytes);
		memcpy(out + at, block, packed_bytes);
		at += packed_bytes;
	}
	free(work);
	return put_be(out, at, 0, 4);
}

static size_t pack_lzo(const void *data, size_t bytes, unsigned char *out, size_t room)
{
	return pack_lzop(data, bytes, out, room, 0x1040, PACK_LZO_ADLER32_D);
}
#else
size_t pack_lzop(const void *data, size_t bytes, unsigned char *out, size_t room, uint32_t version, uint32_t flags)
{
	(void)data, (void)bytes, (void)out, (void)room, (void)version, (void)flags;
	fail_msg("lzo was left out");
	return 0;
}
#endif

typedef size_t packer(const void *data, size_t bytes, unsigned char *out, size_t room);

static packer *const packers[CODECS] = {
	[CODEC_GZIP] = pack_gzip,
#ifdef WITH_ZSTD
	[CODEC_ZSTD] = pack_zstd,
#endif
#ifdef WITH_LZMA
	[CODEC_XZ] = pack_xz,
	[CODEC_LZMA] = pack_lzma,
#endif
#ifdef WITH_BZIP2
	[CODEC_BZIP2] = pack_bzip2,
#endif
#ifdef WITH_LZ4
	[CODEC_LZ4] = pack_lz4,
	[CODEC_LZ4_LEGACY] = pack_lz4_legacy,
#endif
#ifdef WITH_LZO
	[CODEC_LZO] = pack_lzo,
#endif
};

size_t pack(enum codec codec, const void *data, size_t bytes, unsigned char *out, size_t room)
{
	assert_non_null(packers[codec]);
	return packers[codec](data, bytes, out, room);
}

size_t pack_start(enum codec codec, unsigned char *out)
{
	static const struct { const char *bytes; size_t count; } start[CODECS] = {
		[CODEC_GZIP] = { "\x1f\x8b\x08\0\0\0", 6 },
		[CODEC_ZSTD] = { "\x28\xb5\x2f\xfd\x24\x09", 6 },
		[CODEC_XZ] = { "\xfd" "7zXZ\0", 6 },
		[CODEC_LZMA] = { "\x5d\0\0\x80\0\xff", 6 },
		[CODEC_BZIP2] = { "BZh91A", 6 },
		[CODEC_LZ4] = { "\x04\x22\x4d\x18\x64\x40", 6 },
		[CODEC_LZ4_LEGACY] = { "\x02\x21\x4c\x18\x0b\0", 6 },
		[CODEC_LZO] = { "\x89LZO\0\r", 6 },
	};

	memcpy(out, start[codec].bytes, start[codec].count);
	return start[codec].count;
}
