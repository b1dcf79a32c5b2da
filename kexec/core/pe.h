/* SPDX-License-Identifier: GPL-2.0-only */
/* The sections of an EFI program (Microsoft PE/COFF), as far as they are described in its first bytes. */
#ifndef PE_H
#define PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PE_MACHINE_ARM64	0xaa64
#define PE_NAME_BYTES		8

struct pe {
	unsigned int machine;
	const unsigned char *head;
	size_t head_bytes;
	uint64_t at, left;	/* the next section header, and how many there are from it on */
};

struct pe_section {
	const unsigned char *name;	/* PE_NAME_BYTES, padded with null bytes */
	uint64_t memory_bytes;
	uint64_t file_at, file_bytes;	/* file_bytes is padded */
};

/* False if it is none, or its header is not in reach. */
bool pe_open(struct pe *pe, const unsigned char *head, size_t head_bytes);

/* One section after the other; false behind the last one that is in reach. */
bool pe_next(struct pe *pe, struct pe_section *section);

#endif
