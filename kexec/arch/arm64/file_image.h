/* SPDX-License-Identifier: GPL-2.0-only */
/* The Image that carries the control segment through kexec_file_load(2). Pure. The layout is abi/file_stub_abi.h's. */
#ifndef FILE_IMAGE_H
#define FILE_IMAGE_H

#include "err.h"
#include "range.h"

struct file_image {
	const unsigned char *stub;	/* as the build made it */
	size_t stub_bytes;
	const unsigned char *control;
	size_t control_bytes;
	pa_t control_pa, entry_pa;	/* where it is to be, and purgatory in it */
	uint64_t text_offset;		/* 64 KiB aligned, below 2 MiB: the kernel starts it so far behind a 2 MiB boundary */
	uint32_t conduit;		/* PURG_CONDUIT_* */
	uint32_t line_bytes;		/* of the data cache */
};

/* How long it is. */
size_t file_image_bytes(size_t control_bytes);

/* Make it in out, of so many bytes. Errors: KX_INTERNAL: the stub is not of this layout */
enum kx_err file_image_make(const struct file_image *image, unsigned char *out);

/* What the kernel looks for room for at most: image_size and text_offset, 2 MiB aligned. */
#define FILE_IMAGE_HOLE_BYTES	MIB(4)

#endif
