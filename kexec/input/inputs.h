/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of a load and what they say: kernel, initrd, command line, and what a UKI brings along. */
#ifndef INPUTS_H
#define INPUTS_H

#include "image.h"
#include "plan.h"
#include "probe.h"
#include "report.h"
#include "request.h"
#include "source.h"

#define OBJECT_KERNEL	0
#define OBJECT_INITRD	1

struct inputs {
	struct sys *sys;		/* null: not open */
	const struct load_request *request;
	struct report *report;		/* for notes */
	struct budget budget;

	struct source source[PLAN_OBJECTS];
	struct plan_object object[PLAN_OBJECTS];	/* what is to be placed; how long a compressed kernel is, is known when it was read */
	struct arm64_image image;
	const char *type;		/* what the kernel file is at the outermost: "Image", "uki" */
	char format[64];		/* and all that was found on the way to the Image: "uki, vmlinuz, zstd" */
	const char *cmdline;		/* null: keep the device tree's */
	char *cmdline_buf;
	struct source_part packed_part[SOURCE_PARTS];	/* of the initrd, as they were */
	unsigned int packed_parts;
	uint64_t initrd_packed_bytes;	/* what was decompressed, and how long it was before; 0: nothing was */
	char initrd_compression[40];
	struct source_part uki_initrd, uki_cmdline, uki_dtb;	/* of the kernel's source; bytes 0: there is none */
};

/*
 * Open the files, and look at them as far as their first bytes tell. Inputs that are open already are read again from their beginning:
 * what came out of a pipe lies in memory.
 *
 * Errors: KX_OPEN, KX_OPEN_INITRD, KX_READ, KX_CHANGED, KX_EMPTY, KX_TOO_BIG, KX_TOO_MANY_FILES, KX_NO_MEMORY, KX_INTERRUPTED,
 * KX_NO_PROC, KX_CMDLINE_TOO_LONG, KX_UNKNOWN_TYPE, KX_WRONG_TYPE, and all that is wrong with a kernel in err.h
 */
enum kx_err inputs_open(struct inputs *inputs, struct sys *sys, const struct load_request *request, struct report *report,
			struct fail *fail);

/* The device tree that a UKI brings along, in allocated memory; null if there is none that could be used, which is noted.
 * Errors: those of reading, KX_TOO_BIG, KX_NO_MEMORY */
enum kx_err inputs_uki_dtb(struct inputs *inputs, char **dtb, size_t *bytes, struct fail *fail);

/*
 * Decompress the initrd into memory, if the request and the room for it say so: the next kernel has ram_bytes of memory, and tree_cmdline is
 * what it is told if the request says nothing, or null. What stays as it is though it was to be decompressed is noted.
 *
 * Errors: those of reading, KX_NO_MEMORY, KX_TOO_MANY_FILES, KX_UNPACK: it had to be, and could not
 */
enum kx_err inputs_unpack_initrd(struct inputs *inputs, uint64_t ram_bytes, const char *tree_cmdline, struct fail *fail);

/* Undo it: the initrd is as its files have it. Errors: KX_READ, KX_NO_MEMORY */
enum kx_err inputs_pack_initrd(struct inputs *inputs, struct fail *fail);

/* Whether all files are still as they were opened, once all was read. Errors: KX_CHANGED, KX_READ */
enum kx_err inputs_check(struct inputs *inputs, struct fail *fail);

void inputs_close(struct inputs *inputs);

/* A step of inputs_open(): find the arm64 Image in the kernel's source, through compressions and containers, and leave the source at
 * its beginning. head gets its first bytes, at most room of them. */
enum kx_err inputs_find_kernel(struct inputs *inputs, unsigned char *head, size_t room, size_t *got, struct fail *fail);

#endif
