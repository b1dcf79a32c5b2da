/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two functions that a C compiler may call even in freestanding code. Byte by byte: they also run with the MMU off,
 * where an unaligned access faults, and only ever on a few words.
 */
#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t bytes);
void *memset(void *dst, int value, size_t bytes);

void *memcpy(void *restrict dst, const void *restrict src, size_t bytes)
{
	unsigned char *to = dst;
	const unsigned char *from = src;

	while (bytes--)
		*to++ = *from++;
	return dst;
}

void *memset(void *dst, int value, size_t bytes)
{
	unsigned char *to = dst;

	while (bytes--)
		*to++ = (unsigned char)value;
	return dst;
}
