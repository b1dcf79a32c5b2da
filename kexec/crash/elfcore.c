/* SPDX-License-Identifier: GPL-2.0-only */
#include "elfcore.h"

#include "elf64.h"

size_t elfcore_bytes(const struct elfcore *core)
{
	return sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) * (core->note_count + core->load_count);
}

/* p_offset is a physical address: that is what vmcore.c takes it for. */
static unsigned char *store_phdr(unsigned char *out, uint32_t type, uint32_t flags, uint64_t va, uint64_t pa,
				 struct range memory)
{
	memset(out, 0, sizeof(Elf64_Phdr));
	elf64_store(Elf64_Phdr, out, p_type, type);
	elf64_store(Elf64_Phdr, out, p_flags, flags);
	elf64_store(Elf64_Phdr, out, p_offset, memory.start);
	elf64_store(Elf64_Phdr, out, p_vaddr, va);
	elf64_store(Elf64_Phdr, out, p_paddr, pa);
	elf64_store(Elf64_Phdr, out, p_filesz, memory.bytes);
	elf64_store(Elf64_Phdr, out, p_memsz, memory.bytes);
	return out + sizeof(Elf64_Phdr);
}

void elfcore_build(const struct elfcore *core, unsigned char *out)
{
	unsigned char *at = out + sizeof(Elf64_Ehdr);
	size_t i;

	/* No sections, and no entry: what is not set is 0. */
	memset(out, 0, sizeof(Elf64_Ehdr));
	memcpy(out, ELFMAG, SELFMAG);
	out[EI_CLASS] = ELFCLASS64;
	out[EI_DATA] = ELFDATA2LSB;
	out[EI_VERSION] = EV_CURRENT;
	elf64_store(Elf64_Ehdr, out, e_type, ET_CORE);
	elf64_store(Elf64_Ehdr, out, e_machine, EM_AARCH64);
	elf64_store(Elf64_Ehdr, out, e_version, EV_CURRENT);
	elf64_store(Elf64_Ehdr, out, e_phoff, sizeof(Elf64_Ehdr));
	elf64_store(Elf64_Ehdr, out, e_ehsize, sizeof(Elf64_Ehdr));
	elf64_store(Elf64_Ehdr, out, e_phentsize, sizeof(Elf64_Phdr));
	elf64_store(Elf64_Ehdr, out, e_phnum, core->note_count + core->load_count);
	for (i = 0; i < core->note_count; i++)
		at = store_phdr(at, PT_NOTE, 0, 0, core->notes[i].start, core->notes[i]);
	for (i = 0; i < core->load_count; i++)
		at = store_phdr(at, PT_LOAD, PF_R | PF_W | PF_X, core->loads[i].va, core->loads[i].memory.start, core->loads[i].memory);
}
