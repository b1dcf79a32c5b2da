/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmcore.h"

#include "bytes.h"
#include "elf64.h"

#include <stdlib.h>
#include <string.h>

#define NOTES_MAX	MIB(16)		/* one of a few hundred bytes for each CPU */
#define INFO_MAX	KIB(64)		/* a page, in kernels */
#define INFO_NAME	"VMCOREINFO"

static enum kx_err add_info(struct vmcore *core, const unsigned char *text, size_t bytes)
{
	char *info;

	if (bytes > INFO_MAX - core->info_bytes)
		return KX_OK;
	info = realloc(core->info, core->info_bytes + bytes + 2);
	if (!info)
		return KX_NO_MEMORY;
	memcpy(info + core->info_bytes, text, bytes);
	bytes = strnlen(info + core->info_bytes, bytes);
	core->info = info;
	core->info_bytes += bytes;
	info[core->info_bytes++] = '\n';	/* between two */
	info[core->info_bytes] = '\0';
	return KX_OK;
}

/* Notes: name length, description length, type, then both, each padded to four bytes. */
static enum kx_err find_info(struct vmcore *core, const unsigned char *notes, size_t bytes)
{
	enum kx_err err = KX_OK;
	size_t at = 0;

	while (!err && bytes - at >= sizeof(Elf64_Nhdr)) {
		uint64_t name_bytes = elf64_load(Elf64_Nhdr, notes + at, n_namesz), desc_bytes = elf64_load(Elf64_Nhdr, notes + at, n_descsz);
		uint64_t name_at = at + sizeof(Elf64_Nhdr), desc_at = name_at + align_up(name_bytes, 4), end = desc_at + align_up(desc_bytes, 4);

		if (desc_at > bytes || desc_bytes > bytes - desc_at)
			break;
		/* With its null: there is a VMCOREINFO_XEN, too. */
		if (name_bytes == sizeof(INFO_NAME) && memcmp(notes + name_at, INFO_NAME, sizeof(INFO_NAME)) == 0)
			err = add_info(core, notes + desc_at, desc_bytes);
		if (end > bytes)
			break;
		at = end;
	}
	return err;
}

static enum kx_err read_notes(struct vmcore *core, uint64_t at, uint64_t bytes)
{
	unsigned char *notes;
	enum kx_err err = KX_OK;

	if (!bytes || bytes > NOTES_MAX)
		return KX_OK;
	notes = malloc(bytes);
	if (!notes)
		return KX_NO_MEMORY;
	if (core->source.read(core->source.arg, at, notes, bytes))
		err = find_info(core, notes, bytes);
	free(notes);
	return err;
}

static enum kx_err read_headers(struct vmcore *core)
{
	struct core_source *s = &core->source;
	unsigned char ehdr[sizeof(Elf64_Ehdr)], phdr[sizeof(Elf64_Phdr)];
	uint64_t at, count, i;
	enum kx_err err = KX_OK;

	if (!s->read(s->arg, 0, ehdr, sizeof(ehdr)) || !elf64_is_le(ehdr, sizeof(ehdr)) ||
	    elf64_load(Elf64_Ehdr, ehdr, e_type) != ET_CORE || elf64_load(Elf64_Ehdr, ehdr, e_machine) != EM_AARCH64 ||
	    elf64_load(Elf64_Ehdr, ehdr, e_phentsize) != sizeof(phdr))
		return KX_NOT_VMCORE;
	at = elf64_load(Elf64_Ehdr, ehdr, e_phoff);
	count = elf64_load(Elf64_Ehdr, ehdr, e_phnum);
	core->loads = calloc(count ? count : 1, sizeof(*core->loads));
	if (!core->loads)
		return KX_NO_MEMORY;
	for (i = 0; !err && i < count; i++) {
		struct vmcore_load load;

		if (!s->read(s->arg, at + i * sizeof(phdr), phdr, sizeof(phdr)))
			return KX_NOT_VMCORE;
		load = (struct vmcore_load){
			.at = elf64_load(Elf64_Phdr, phdr, p_offset), .va = elf64_load(Elf64_Phdr, phdr, p_vaddr),
			.pa = elf64_load(Elf64_Phdr, phdr, p_paddr), .file_bytes = elf64_load(Elf64_Phdr, phdr, p_filesz),
			.bytes = elf64_load(Elf64_Phdr, phdr, p_memsz),
		};
		if (elf64_load(Elf64_Phdr, phdr, p_type) == PT_NOTE)
			err = read_notes(core, load.at, load.file_bytes);
		if (elf64_load(Elf64_Phdr, phdr, p_type) == PT_LOAD)
			core->loads[core->load_count++] = load;
	}
	for (i = 0; i < core->load_count; i++)
		if (core->loads[i].bytes < core->loads[i].file_bytes)
			core->loads[i].bytes = core->loads[i].file_bytes;
	return err ? err : core->info ? KX_OK : KX_NOT_VMCORE;
}

void vmcore_close(struct vmcore *core)
{
	free(core->loads);
	free(core->info);
	*core = (struct vmcore){ 0 };
}

/* What stands behind "NAME=", the last time; null: nowhere. */
static const char *find_line(const struct vmcore *core, const char *name)
{
	const char *line = core->info, *found = NULL;
	size_t bytes = strlen(name);

	for (; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (strncmp(line, name, bytes) == 0 && line[bytes] == '=')
			found = line + bytes + 1;
	return found;
}

bool vmcore_info(const struct vmcore *core, const char *name, uint64_t *value)
{
	const char *at = find_line(core, name);
	bool negative = false;
	unsigned int base = strncmp(name, "SYMBOL(", 7) == 0 ? 16 : 10;

	if (!at)
		return false;
	if (*at == '-') {
		negative = true;
		at++;
	}
	if (strncmp(at, "0x", 2) == 0) {
		base = 16;
		at += 2;
	}
	for (*value = 0; *at && *at != '\n' && *at != '\r'; at++) {
		unsigned int digit = *at >= '0' && *at <= '9' ? (unsigned int)(*at - '0')
				     : *at >= 'a' && *at <= 'f' ? (unsigned int)(*at - 'a' + 10) : 16;

		if (digit >= base)
			return false;
		*value = *value * base + digit;
	}
	if (negative)
		*value = 0 - *value;
	return true;
}

/* Which part of memory an address lies in, and how far in it; null: none. */
static const struct vmcore_load *find(const struct vmcore *core, bool physical, uint64_t address, uint64_t *offset)
{
	size_t i;

	for (i = 0; i < core->load_count; i++) {
		const struct vmcore_load *l = &core->loads[i];

		*offset = address - (physical ? l->pa : l->va);
		/* A virtual address of 0 is one that is not known. */
		if (*offset < l->bytes && (physical || l->va))
			return l;
	}
	return NULL;
}

/*
 * Documentation/arch/arm64/memory.rst: the linear map is the lower half of the kernel's addresses, the image lies above; in a
 * kernel of 52 bits it ends where it would with 48 (asm/memory.h, PAGE_END by VA_BITS_MIN). Before 5.4 the halves were the other
 * way round, which the address of anything in the image tells.
 */
static struct vmcore_layout find_layout(const struct vmcore *core)
{
	struct vmcore_layout layout = { .linear_known = false };
	uint64_t va_bits, middle, symbol = UINT64_MAX;

	if (!vmcore_info(core, "NUMBER(VA_BITS)", &va_bits) || va_bits < 36 || va_bits > 52)
		return layout;
	middle = 0 - (1ull << (va_bits < 48 ? va_bits - 1 : 47));
	if (!vmcore_info(core, "SYMBOL(_stext)", &symbol))
		vmcore_info(core, "SYMBOL(log_buf)", &symbol);
	layout.linear_va = symbol < middle ? middle : 0 - (1ull << va_bits);
	layout.linear_end_va = symbol < middle ? UINT64_MAX : middle - 1;
	layout.linear_known = vmcore_info(core, "NUMBER(PHYS_OFFSET)", &layout.linear_pa);
	layout.image_known = vmcore_info(core, "NUMBER(kimage_voffset)", &layout.image_voffset);
	return layout;
}

enum kx_err vmcore_open(struct vmcore *core, struct core_source source)
{
	enum kx_err err;

	*core = (struct vmcore){ .source = source };
	err = read_headers(core);
	if (err)
		vmcore_close(core);
	else
		core->layout = find_layout(core);
	return err;
}

static bool to_physical(const struct vmcore_layout *layout, uint64_t va, uint64_t *pa)
{
	bool linear = va >= layout->linear_va && va <= layout->linear_end_va;

	*pa = linear ? va - layout->linear_va + layout->linear_pa : va - layout->image_voffset;
	return linear ? layout->linear_known : layout->image_known;
}

bool vmcore_read(const struct vmcore *core, uint64_t va, void *out, size_t bytes)
{
	const struct vmcore_load *load;
	unsigned char *to = out;
	uint64_t offset, pa, n;

	for (; bytes; bytes -= n, va += n, to += n) {
		load = find(core, false, va, &offset);
		if (!load && to_physical(&core->layout, va, &pa))
			load = find(core, true, pa, &offset);
		if (!load)
			return false;
		n = (offset < load->file_bytes ? load->file_bytes : load->bytes) - offset;
		if (n > bytes)
			n = bytes;
		if (offset >= load->file_bytes)
			memset(to, 0, n);
		else if (!core->source.read(core->source.arg, load->at + offset, to, n))
			return false;
	}
	return true;
}

bool vmcore_read_u64(const struct vmcore *core, uint64_t va, uint64_t *value)
{
	unsigned char raw[8];

	if (!vmcore_read(core, va, raw, sizeof(raw)))
		return false;
	*value = load_le(raw, 8);
	return true;
}

bool vmcore_read_u32(const struct vmcore *core, uint64_t va, uint32_t *value)
{
	unsigned char raw[4];

	if (!vmcore_read(core, va, raw, sizeof(raw)))
		return false;
	*value = (uint32_t)load_le(raw, 4);
	return true;
}
