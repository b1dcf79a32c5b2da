/* SPDX-License-Identifier: GPL-2.0-only */
/* Compression, by the formats' own libraries. For cmocka's tests. */
#ifndef PACK_H
#define PACK_H

#include "codec.h"

/* How many bytes came out. Only what codec_is_built_in() can be made. */
size_t pack(enum codec codec, const void *data, size_t bytes, unsigned char *out, size_t room);

/* As lzop of that version (0x1040 is 1.04, 0x0900 had a shorter header) with those of its flags. */
#define PACK_LZO_ADLER32_D	0x0001u
#define PACK_LZO_ADLER32_C	0x0002u
#define PACK_LZO_CRC32_D	0x0100u
#define PACK_LZO_CRC32_C	0x0200u
#define PACK_LZO_H_CRC32	0x1000u
size_t pack_lzop(const void *data, size_t bytes, unsigned char *out, size_t room, uint32_t version, uint32_t flags);

/* The first bytes of a file of that kind, as its own tool writes them: of what was left out as well. */
size_t pack_start(enum codec codec, unsigned char *out);

#endif
