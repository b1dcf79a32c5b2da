/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmcore.h"

#include "bytes.h"

#include <stdlib.h>
#include <string.h>

/* ELF-64 Object File Format */
#define EHDR_BYTES	64
#define EHDR_TYPE	16
#define EHDR_MACHINE	18
#define EHDR_PHOFF	32
#define EHDR_PHENTSIZE	54
#define EHDR_PHNUM	56
#define PHDR_BYTES	56
#define ET_CORE		4
#define EM_AARCH64	183
#define PT_LOAD		1
#define PT_NOTE		4
#define NOTES_MAX	MIB(16)		/* one of a few hundred bytes for each CPU */
#define INFO_MAX	KIB(64)		/* a page, in kernels */
#define INFO_NAME	"VMCOREINFO"

/* Notes: name length, description length, type, then both, each padded to four bytes. */
static enum kx_err find_info(struct vmcore *core, const unsigned char *notes, size_t bytes)
{
	size_t at = 0;

	while (!core->info && bytes - at >= 12) {
		uint64_t name_bytes = load_le(notes + at, 4), desc_bytes = load_le(notes + at + 4, 4);
		uint64_t name_at = at + 12, desc_at = name_at + align_up(name_bytes, 4), end = desc_at + align_up(desc_bytes, 4);

		if (desc_at > bytes || desc_bytes > bytes - desc_at)
			break;
		if (name_bytes >= sizeof(INFO_NAME) - 1 && memcmp(notes + name_at, INFO_NAME, sizeof(INFO_NAME) - 1) == 0) {
			if (desc_bytes > INFO_MAX)
				return KX_OK;
			core->info = calloc(1, desc_bytes + 1);
			if (!core->info)
				return KX_NO_MEMORY;
			memcpy(core->info, notes + desc_at, desc_bytes);
		}
		if (end > bytes)
			break;
		at = end;
	}
	return KX_OK;
}

static enum kx_err read_notes(struct vmcore *core, uint64_t at, uint64_t bytes)
{
	unsigned char *notes;
	enum kx_err err = KX_OK;

	if (core->info || !bytes || bytes > NOTES_MAX)
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
	unsigned char ehdr[EHDR_BYTES], phdr[PHDR_BYTES];
	uint64_t at, count, i;
	enum kx_err err = KX_OK;

	if (!s->read(s->arg, 0, ehdr, sizeof(ehdr)) || memcmp(ehdr, "\x7f" "ELF\2\1", 6) != 0 ||
	    load_le(ehdr + EHDR_TYPE, 2) != ET_CORE || load_le(ehdr + EHDR_MACHINE, 2) != EM_AARCH64 ||
	    load_le(ehdr + EHDR_PHENTSIZE, 2) != PHDR_BYTES)
		return KX_NOT_VMCORE;
	at = load_le(ehdr + EHDR_PHOFF, 8);
	count = load_le(ehdr + EHDR_PHNUM, 2);
	core->loads = calloc(count ? count : 1, sizeof(*core->loads));
	if (!core->loads)
		return KX_NO_MEMORY;
	for (i = 0; !err && i < count; i++) {
		if (!s->read(s->arg, at + i * PHDR_BYTES, phdr, sizeof(phdr)))
			return KX_NOT_VMCORE;
		if (load_le(phdr, 4) == PT_NOTE)
			err = read_notes(core, load_le(phdr + 8, 8), load_le(phdr + 32, 8));
		if (load_le(phdr, 4) == PT_LOAD)
			core->loads[core->load_count++] = (struct vmcore_load){
				.at = load_le(phdr + 8, 8), .va = load_le(phdr + 16, 8), .pa = load_le(phdr + 24, 8),
				.bytes = load_le(phdr + 32, 8),
			};
	}
	return err ? err : core->info ? KX_OK : KX_NOT_VMCORE;
}

enum kx_err vmcore_open(struct vmcore *core, struct core_source source)
{
	enum kx_err err;

	*core = (struct vmcore){ .source = source };
	err = read_headers(core);
	if (err)
		vmcore_close(core);
	return err;
}

void vmcore_close(struct vmcore *core)
{
	free(core->loads);
	free(core->info);
	*core = (struct vmcore){ 0 };
}

bool vmcore_info(const struct vmcore *core, const char *name, uint64_t *value)
{
	size_t bytes = strlen(name);
	const char *at = core->info;
	bool negative = false;
	unsigned int base = strncmp(name, "SYMBOL(", 7) == 0 ? 16 : 10;

	while (strncmp(at, name, bytes) != 0 || at[bytes] != '=') {
		at = strchr(at, '\n');
		if (!at++)
			return false;
	}
	at += bytes + 1;
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

/* Where in the file a virtual or physical address lies, and how much follows it there. */
static bool find(const struct vmcore *core, bool physical, uint64_t address, uint64_t *at, uint64_t *left)
{
	size_t i;

	for (i = 0; i < core->load_count; i++) {
		const struct vmcore_load *l = &core->loads[i];
		uint64_t start = physical ? l->pa : l->va;

		if (!physical && !l->va)
			continue;	/* not known */
		if (address >= start && address - start < l->bytes) {
			*at = l->at + (address - start);
			*left = l->bytes - (address - start);
			return true;
		}
	}
	return false;
}

/* Documentation/arch/arm64/memory.rst: the linear map is the lower half of the kernel's addresses, the image lies above; in a kernel
 * of 52 bits it ends where it would with 48 (asm/memory.h, PAGE_END by VA_BITS_MIN). */
static bool to_physical(const struct vmcore *core, uint64_t va, uint64_t *pa)
{
	uint64_t va_bits, end_bits, phys_offset, voffset, page_offset;

	if (!vmcore_info(core, "NUMBER(VA_BITS)", &va_bits) || va_bits < 36 || va_bits > 52)
		return false;
	page_offset = 0 - (1ull << va_bits);
	end_bits = va_bits < 48 ? va_bits - 1 : 47;
	if (va >= page_offset && va < 0 - (1ull << end_bits)) {
		if (!vmcore_info(core, "NUMBER(PHYS_OFFSET)", &phys_offset))
			return false;
		*pa = va - page_offset + phys_offset;
		return true;
	}
	if (!vmcore_info(core, "NUMBER(kimage_voffset)", &voffset))
		return false;
	*pa = va - voffset;
	return true;
}

bool vmcore_read(const struct vmcore *core, uint64_t va, void *out, size_t bytes)
{
	unsigned char *to = out;
	uint64_t at, left, pa, n;

	for (; bytes; bytes -= n, va += n, to += n) {
		if (!find(core, false, va, &at, &left) && !(to_physical(core, va, &pa) && find(core, true, pa, &at, &left)))
			return false;
		n = bytes < left ? bytes : left;
		if (!core->source.read(core->source.arg, at, to, n))
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
