/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers in files and tables, of either byte order and any length up to eight, aligned or not. */
#ifndef BYTES_H
#define BYTES_H

#include <stdint.h>

static inline uint64_t load_le(const void *from, unsigned int bytes)
{
	const unsigned char *at = from;
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | at[bytes];
	return value;
}

static inline uint64_t load_be(const void *from, unsigned int bytes)
{
	const unsigned char *at = from;
	uint64_t value = 0;

	for (; bytes; bytes--)
		value = value << 8 | *at++;
	return value;
}

/* These return where the number ends. */
static inline unsigned char *store_le(void *to, uint64_t value, unsigned int bytes)
{
	unsigned char *at = to;

	for (; bytes; bytes--, value >>= 8)
		*at++ = (unsigned char)value;
	return at;
}

static inline unsigned char *store_be(void *to, uint64_t value, unsigned int bytes)
{
	unsigned char *at = to;

	while (bytes--)
		*at++ = (unsigned char)(value >> 8 * bytes);
	return at;
}

#endif
