/* SPDX-License-Identifier: GPL-2.0-only */
#include "elfcore.h"

#include "bytes.h"

#include <string.h>

/* ELF-64 Object File Format */
#define EHDR_BYTES	64
#define PHDR_BYTES	56
#define ET_CORE		4
#define EM_AARCH64	183
#define PT_LOAD		1
#define PT_NOTE		4
#define PF_RWX		7

size_t elfcore_bytes(const struct elfcore *core)
{
	return EHDR_BYTES + PHDR_BYTES * (core->note_count + core->load_count);
}

/* p_offset is a physical address: that is what vmcore.c takes it for. */
static unsigned char *store_phdr(unsigned char *out, uint32_t type, uint32_t flags, uint64_t va, uint64_t pa,
				 struct range memory)
{
	out = store_le(out, type, 4);
	out = store_le(out, flags, 4);
	out = store_le(out, memory.start, 8);
	out = store_le(out, va, 8);
	out = store_le(out, pa, 8);
	out = store_le(out, memory.bytes, 8);
	out = store_le(out, memory.bytes, 8);
	return store_le(out, 0, 8);
}

void elfcore_build(const struct elfcore *core, unsigned char *out)
{
	unsigned char *at = out;
	size_t i;

	memcpy(at, "\x7f" "ELF\2\1\1\0\0\0\0\0\0\0\0\0", 16);
	at = store_le(at + 16, ET_CORE, 2);
	at = store_le(at, EM_AARCH64, 2);
	at = store_le(at, 1, 4);
	at = store_le(at, 0, 8);			/* e_entry */
	at = store_le(at, EHDR_BYTES, 8);		/* e_phoff */
	at = store_le(at, 0, 8);
	at = store_le(at, 0, 4);
	at = store_le(at, EHDR_BYTES, 2);
	at = store_le(at, PHDR_BYTES, 2);
	at = store_le(at, core->note_count + core->load_count, 2);
	at = store_le(at, 0, 6);			/* no sections */
	for (i = 0; i < core->note_count; i++)
		at = store_phdr(at, PT_NOTE, 0, 0, core->notes[i].start, core->notes[i]);
	for (i = 0; i < core->load_count; i++)
		at = store_phdr(at, PT_LOAD, PF_RWX, core->loads[i].va, core->loads[i].memory.start, core->loads[i].memory);
}
