/* SPDX-License-Identifier: GPL-2.0-only */
/* Fields of little-endian ELF-64 headers, by the names of elf.h, at any address: files need not be aligned in memory, nor honest. */
#ifndef ELF64_H
#define ELF64_H

#include "bytes.h"

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define ELF64_FIELD_BYTES(type, field)	((unsigned int)sizeof(((const type *)0)->field))

/* Whether the whole header is there is the caller's business. */
#define elf64_load(type, header, field) \
	load_le((const unsigned char *)(header) + offsetof(type, field), ELF64_FIELD_BYTES(type, field))
#define elf64_store(type, header, field, value) \
	store_le((unsigned char *)(header) + offsetof(type, field), (value), ELF64_FIELD_BYTES(type, field))

/* Whether the class and the byte order are those that are read here; what follows the identification need not be there. */
static inline bool elf64_is_le(const unsigned char *head, size_t bytes)
{
	return bytes > EI_DATA && memcmp(head, ELFMAG, SELFMAG) == 0 && head[EI_CLASS] == ELFCLASS64 && head[EI_DATA] == ELFDATA2LSB;
}

#endif
