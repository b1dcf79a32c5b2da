/* SPDX-License-Identifier: GPL-2.0-only */
/* What of the machine's memory the next kernel may use, by its command line. */
#include "initrd.h"

#include <string.h>

#define REST_BYTES		(64u << 20)
#define REST_SHARE		16
#define CRASH_LOW_BYTES		(128u << 20)	/* DEFAULT_CRASH_KERNEL_LOW_SIZE, which "high" brings along */

/* Null: none of those digits. */
static const char *find_digit(const char *digits, char c)
{
	return c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;
}

/* lib/cmdline.c, memparse(): decimal, or hexadecimal behind 0x, and a suffix. *at is behind it. */
static uint64_t take_size(const char **at)
{
	static const char suffixes[] = "KMGTPE";
	const char *digits = "0123456789", *digit, *suffix;
	uint64_t value = 0;
	unsigned int base = 10;

	if ((*at)[0] == '0' && ((*at)[1] | 0x20) == 'x') {
		digits = "0123456789abcdef";
		base = 16;
		*at += 2;
	}
	for (; (digit = find_digit(digits, **at)) != NULL; ++*at) {
		if (value > UINT64_MAX / base - base)
			return UINT64_MAX;
		value = value * base + (uint64_t)(digit - digits);
	}
	suffix = **at ? strchr(suffixes, **at >= 'a' ? **at - 0x20 : **at) : NULL;
	if (suffix) {
		unsigned int shift = 10 * (unsigned int)(suffix - suffixes + 1);

		++*at;
		value = value > UINT64_MAX >> shift ? UINT64_MAX : value << shift;
	}
	return value;
}

/* crashkernel=SIZE[@OFFSET] or SIZE,high|low|cma or START-[END]:SIZE,...[@OFFSET] (Documentation/admin-guide/kdump/kdump.rst) */
static uint64_t crash_bytes(const char *value, uint64_t ram_bytes)
{
	const char *at = value;
	uint64_t size = take_size(&at), end;

	if (*at != '-')
		return strncmp(at, ",high", 5) == 0 ? (size > UINT64_MAX - CRASH_LOW_BYTES ? UINT64_MAX : size + CRASH_LOW_BYTES) : size;
	for (;;) {
		uint64_t start = size;

		at++;
		end = *at == ':' ? UINT64_MAX : take_size(&at);
		if (*at != ':')
			return 0;
		at++;
		size = take_size(&at);
		if (ram_bytes >= start && ram_bytes < end)
			return size;
		if (*at != ',')
			return 0;
		at++;
		size = take_size(&at);
		if (*at != '-')
			return 0;
	}
}

/* The value of a word of that name at text; null: it is another. */
static const char *value_of(const char *word, const char *name)
{
	size_t bytes = strlen(name);

	return strncmp(word, name, bytes) == 0 && word[bytes] == '=' ? word + bytes + 1 : NULL;
}

uint64_t initrd_room_bytes(const char *cmdline, uint64_t ram_bytes, uint64_t kernel_bytes)
{
	uint64_t usable = ram_bytes, taken = kernel_bytes > UINT64_MAX - REST_BYTES ? UINT64_MAX : kernel_bytes + REST_BYTES, limit, crash;
	const char *word, *value;
	bool quoted = false;

	for (word = cmdline ? cmdline : ""; *word; word++) {
		quoted ^= *word == '"';
		if (quoted || (word > cmdline && word[-1] != ' '))
			continue;
		value = value_of(word, "mem");
		if (value) {
			limit = take_size(&value);
			usable = limit && limit < usable ? limit : usable;
		}
		value = value_of(word, "crashkernel");
		crash = value ? crash_bytes(value, ram_bytes) : 0;
		taken = crash > UINT64_MAX - taken ? UINT64_MAX : taken + crash;
	}
	if (taken > UINT64_MAX - usable / REST_SHARE)
		return 0;
	taken += usable / REST_SHARE;
	return taken < usable ? (usable - taken) / 2 : 0;
}
