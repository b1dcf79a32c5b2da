/* SPDX-License-Identifier: GPL-2.0-only */
/* A cpio archive, "newc", as a stream: only its structure is looked at. By the states of init/initramfs.c. */
#ifndef CPIO_H
#define CPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPIO_ALIGN_BYTES	4
#define CPIO_HEADER_BYTES	110

struct cpio {
	uint64_t at;			/* offset of the next byte, which alignment is counted by */
	uint64_t entry_end;		/* where the next header may begin, once this one is read */
	unsigned char header[CPIO_HEADER_BYTES];
	size_t have;			/* bytes of the header; 0 between entries */
	size_t name_have;		/* and of the name, as far as it is looked at */
	bool bad;			/* it is no such archive */
	bool acpi;			/* it holds a file that the kernel looks for in plain archives only */
};

/* At offset at, which is where an entry may begin if it is aligned. */
static inline struct cpio cpio_begin(uint64_t at)
{
	return (struct cpio){ .at = at };
}

/* Whether it may end here, or another archive begin. */
static inline bool cpio_may_end(const struct cpio *c)
{
	return !c->bad && !c->have;
}

/* Take bytes, up to the first one between entries that neither pads nor begins an entry. Returns how many were taken; all, if bad. */
size_t cpio_feed(struct cpio *c, const unsigned char *data, size_t bytes);

/* Of at most so many bytes that come next, how many are content of a file, which need not be looked at; they count as fed. */
uint64_t cpio_skip(struct cpio *c, uint64_t bytes);

#endif
