/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that hold a kernel without being one: where in them it lies. Pure: looks at the first bytes of a file, or of a part of
 * one, and reads nothing itself.
 */
#ifndef CONTAINER_H
#define CONTAINER_H

#include "err.h"
#include "range.h"

#define CONTAINER_LOOK_BYTES	65536	/* enough for every header that container_parse() wants to see */
#define CONTAINER_SEGMENTS	16

enum container_kind {
	CONTAINER_NONE,		/* nothing that is known here */
	CONTAINER_VMLINUX,	/* ELF, as the kernel is linked */
	CONTAINER_UIMAGE,	/* U-Boot's legacy image */
	CONTAINER_ZBOOT,	/* vmlinuz: a compressed Image in an EFI program (CONFIG_EFI_ZBOOT) */
	CONTAINER_UKI,		/* unified kernel image: Image, initrd, command line in the sections of an EFI program */
	CONTAINER_KINDS
};

/* A part of the file. bytes 0: there is none. */
struct extent {
	uint64_t at, bytes;
};

struct elf_segment {
	uint64_t image_at;	/* from the Image's first byte */
	struct extent file;
};

struct container {
	enum container_kind kind;
	struct extent kernel;		/* all but CONTAINER_VMLINUX: what holds the kernel, in whatever format */
	struct extent initrd, cmdline, dtb;	/* CONTAINER_UKI */
	char compression[16];		/* CONTAINER_ZBOOT: "gzip", ... as the kernel's build calls it */
	uint32_t data_crc;		/* CONTAINER_UIMAGE: CRC-32 of what .kernel says */
	struct elf_segment segment[CONTAINER_SEGMENTS];	/* CONTAINER_VMLINUX: in order, not overlapping */
	unsigned int segments;
};

/* "vmlinux", "uImage", ...: what kexec-tools' --type calls it; "Image" for CONTAINER_NONE */
const char *container_name(enum container_kind kind);
bool container_is_type(const char *name);

/*
 * Look at the first bytes of something file_bytes long. What is a container, and not one of an arm64 kernel, or whose parts
 * do not lie in the file, is an error.
 *
 * Errors: KX_IMAGE_TRUNCATED, KX_CONTAINER_BAD, KX_CONTAINER_ARCH. *container is CONTAINER_NONE then
 */
enum kx_err container_parse(struct container *container, const unsigned char *head, size_t head_bytes, uint64_t file_bytes);

#endif
