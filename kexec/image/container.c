/* SPDX-License-Identifier: GPL-2.0-only */
#include "container.h"

#include "bytes.h"
#include "codec.h"
#include "elf64.h"
#include "pe.h"

#include <stdlib.h>
#include <string.h>

/* What is looked at: everything is read through field(), which knows where it ends. */
struct view {
	const unsigned char *head;
	size_t head_bytes;
	uint64_t file_bytes;
	bool short_of;		/* something was to be read that is not there */
};

static bool has(const struct view *v, uint64_t at, uint64_t bytes)
{
	return at <= v->head_bytes && bytes <= v->head_bytes - at;
}

static uint64_t field(struct view *v, uint64_t at, unsigned int bytes)
{
	if (!has(v, at, bytes)) {
		v->short_of = true;
		return 0;
	}
	return load_le(v->head + at, bytes);
}

static uint32_t field_be32(struct view *v, uint64_t at)
{
	return __builtin_bswap32((uint32_t)field(v, at, 4));
}

static bool in_file(const struct view *v, struct extent e)
{
	return e.at <= v->file_bytes && e.bytes <= v->file_bytes - e.at;
}

const char *container_name(enum container_kind kind)
{
	static const char *const names[CONTAINER_KINDS] = {
		[CONTAINER_NONE] = "Image", [CONTAINER_VMLINUX] = "vmlinux", [CONTAINER_UIMAGE] = "uImage",
		[CONTAINER_ZBOOT] = "vmlinuz", [CONTAINER_UKI] = "uki",
	};

	return names[kind];
}

bool container_is_type(const char *name)
{
	enum container_kind kind;

	for (kind = CONTAINER_NONE; kind < CONTAINER_KINDS; kind++)
		if (strcmp(name, container_name(kind)) == 0)
			return true;
	return false;
}

#define elf_field(view, at, type, member)	field(view, (at) + offsetof(type, member), ELF64_FIELD_BYTES(type, member))

static int by_place(const void *a, const void *b)
{
	const struct elf_segment *x = a, *y = b;

	return (x->image_at > y->image_at) - (x->image_at < y->image_at);
}

/*
 * The Image is what "objcopy -O binary" makes of vmlinux: its segments at the distances that their virtual addresses have. It
 * begins with the Image header, where e_entry is; what lies below that is not part of it.
 */
static enum kx_err parse_elf(struct container *c, struct view *v)
{
	uint64_t entry = elf_field(v, 0, Elf64_Ehdr, e_entry), at = elf_field(v, 0, Elf64_Ehdr, e_phoff);
	uint64_t count = elf_field(v, 0, Elf64_Ehdr, e_phnum), step = elf_field(v, 0, Elf64_Ehdr, e_phentsize);
	uint64_t type = elf_field(v, 0, Elf64_Ehdr, e_type);
	unsigned int i;

	if (v->head_bytes > EI_DATA && !elf64_is_le(v->head, v->head_bytes))
		return KX_CONTAINER_ARCH;
	if (elf_field(v, 0, Elf64_Ehdr, e_machine) != EM_AARCH64)
		return v->short_of ? KX_IMAGE_TRUNCATED : KX_CONTAINER_ARCH;
	if ((type != ET_EXEC && type != ET_DYN) || step < sizeof(Elf64_Phdr) || at > UINT64_MAX / 2)
		return KX_CONTAINER_BAD;
	for (; count && !v->short_of; count--, at += step) {
		uint64_t kind = elf_field(v, at, Elf64_Phdr, p_type), vaddr = elf_field(v, at, Elf64_Phdr, p_vaddr);
		struct elf_segment s = {
			vaddr - entry, { elf_field(v, at, Elf64_Phdr, p_offset), elf_field(v, at, Elf64_Phdr, p_filesz) },
		};

		if (kind == PT_INTERP)
			return KX_CONTAINER_BAD;
		if (kind != PT_LOAD || !s.file.bytes)
			continue;
		if (!in_file(v, s.file))
			return KX_IMAGE_TRUNCATED;
		if (vaddr < entry && entry - vaddr >= s.file.bytes)
			continue;
		if (vaddr < entry) {	/* the entry is inside: from there on */
			s.file.at += entry - vaddr;
			s.file.bytes -= entry - vaddr;
			s.image_at = 0;
		}
		if (c->segments == CONTAINER_SEGMENTS || s.image_at > GIB(4))
			return KX_CONTAINER_BAD;
		c->segment[c->segments++] = s;
	}
	if (v->short_of)
		return KX_IMAGE_TRUNCATED;
	qsort(c->segment, c->segments, sizeof(*c->segment), by_place);
	if (!c->segments || c->segment[0].image_at)
		return KX_CONTAINER_BAD;
	for (i = 1; i < c->segments; i++)
		if (c->segment[i].image_at - c->segment[i - 1].image_at < c->segment[i - 1].file.bytes)
			return KX_CONTAINER_BAD;
	c->kind = CONTAINER_VMLINUX;
	return KX_OK;
}

/* U-Boot, include/image.h: struct legacy_img_hdr, big-endian */
#define UIMAGE_BYTES		64
#define UIMAGE_HEADER_CRC	4
#define UIMAGE_SIZE		12
#define UIMAGE_DATA_CRC		24
#define UIMAGE_ARCH		29
#define UIMAGE_TYPE		30
#define UIMAGE_ARCH_ARM64	22
#define UIMAGE_TYPE_KERNEL	2
#define UIMAGE_TYPE_NOLOAD	14

/* With its own field, which lies in it, taken as 0. */
static uint32_t crc32_of_header(const unsigned char *header)
{
	static const unsigned char zeros[4];
	uint32_t crc = codec_crc32(0, header, UIMAGE_HEADER_CRC);

	crc = codec_crc32(crc, zeros, sizeof(zeros));
	return codec_crc32(crc, header + UIMAGE_HEADER_CRC + 4, UIMAGE_BYTES - UIMAGE_HEADER_CRC - 4);
}

static enum kx_err parse_uimage(struct container *c, struct view *v)
{
	uint64_t type = field(v, UIMAGE_TYPE, 1);

	if (!has(v, 0, UIMAGE_BYTES))
		return KX_IMAGE_TRUNCATED;
	if (field_be32(v, UIMAGE_HEADER_CRC) != crc32_of_header(v->head))
		return KX_CONTAINER_BAD;
	if (field(v, UIMAGE_ARCH, 1) != UIMAGE_ARCH_ARM64)
		return KX_CONTAINER_ARCH;
	if (type != UIMAGE_TYPE_KERNEL && type != UIMAGE_TYPE_NOLOAD)
		return KX_CONTAINER_BAD;
	c->kernel = (struct extent){ UIMAGE_BYTES, field_be32(v, UIMAGE_SIZE) };
	c->data_crc = field_be32(v, UIMAGE_DATA_CRC);
	if (!in_file(v, c->kernel))
		return KX_IMAGE_TRUNCATED;
	c->kind = CONTAINER_UIMAGE;
	return c->kernel.bytes ? KX_OK : KX_CONTAINER_BAD;
}

/* drivers/firmware/efi/libstub/zboot-header.S */
#define ZBOOT_MAGIC		4
#define ZBOOT_AT		8
#define ZBOOT_BYTES		12
#define ZBOOT_COMPRESSION	24

static enum kx_err parse_zboot(struct container *c, struct view *v)
{
	size_t i;

	c->kernel = (struct extent){ field(v, ZBOOT_AT, 4), field(v, ZBOOT_BYTES, 4) };
	if (!has(v, ZBOOT_COMPRESSION, sizeof(c->compression)))
		return KX_IMAGE_TRUNCATED;
	for (i = 0; i < sizeof(c->compression) - 1; i++)
		c->compression[i] = (char)v->head[ZBOOT_COMPRESSION + i];
	if (!in_file(v, c->kernel))
		return KX_IMAGE_TRUNCATED;
	c->kind = CONTAINER_ZBOOT;
	return c->kernel.bytes ? KX_OK : KX_CONTAINER_BAD;
}

/* The UAPI Group's Unified Kernel Image specification. Sections behind a ".profile" belong to another profile than the first. */
static enum kx_err parse_uki(struct container *c, const struct view *v, struct pe *pe)
{
	static const struct {
		char name[PE_NAME_BYTES];
		size_t offset;
	} wanted[] = {
		{ ".linux\0", offsetof(struct container, kernel) }, { ".initrd", offsetof(struct container, initrd) },
		{ { '.', 'c', 'm', 'd', 'l', 'i', 'n', 'e' }, offsetof(struct container, cmdline) },
		{ ".dtb\0\0\0", offsetof(struct container, dtb) },
	};
	struct pe_section section;
	size_t i;

	while (pe_next(pe, &section)) {
		/* In the file a section is padded; in memory it has its own length. */
		struct extent e = { section.file_at, section.memory_bytes < section.file_bytes ? section.memory_bytes : section.file_bytes };

		if (memcmp(section.name, ".profile", PE_NAME_BYTES) == 0)
			break;
		for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
			struct extent *to = (struct extent *)(void *)((char *)c + wanted[i].offset);

			if (memcmp(section.name, wanted[i].name, PE_NAME_BYTES) != 0 || to->bytes)
				continue;
			if (!in_file(v, e))
				return KX_IMAGE_TRUNCATED;
			*to = e;
		}
	}
	if (c->kernel.bytes)
		c->kind = CONTAINER_UKI;
	return KX_OK;
}

static enum kx_err parse_pe(struct container *c, struct view *v)
{
	struct pe pe;

	if (has(v, ZBOOT_MAGIC, 4) && memcmp(v->head + ZBOOT_MAGIC, "zimg", 4) == 0)
		return parse_zboot(c, v);
	if (!pe_open(&pe, v->head, v->head_bytes))
		return KX_OK;
	if (pe.machine != PE_MACHINE_ARM64)
		return KX_CONTAINER_ARCH;
	return parse_uki(c, v, &pe);
}

enum kx_err container_parse(struct container *container, const unsigned char *head, size_t head_bytes, uint64_t file_bytes)
{
	struct view v = { head, head_bytes, file_bytes, false };
	enum kx_err err = KX_OK;

	*container = (struct container){ 0 };
	if (has(&v, 0, 4) && memcmp(head, ELFMAG, SELFMAG) == 0)
		err = parse_elf(container, &v);
	else if (has(&v, 0, 4) && memcmp(head, "\x27\x05\x19\x56", 4) == 0)
		err = parse_uimage(container, &v);
	else if (has(&v, 0, 2) && memcmp(head, "MZ", 2) == 0)
		err = parse_pe(container, &v);
	if (err)
		*container = (struct container){ 0 };
	return err;
}
