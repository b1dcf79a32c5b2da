/* SPDX-License-Identifier: GPL-2.0-only */
/* The arm64 Image header and the boot protocol's rules about places. Pure. Source: Documentation/arch/arm64/booting.rst */
#ifndef ARM64_IMAGE_H
#define ARM64_IMAGE_H

#include "err.h"
#include "plan.h"

#define ARM64_IMAGE_HEADER_BYTES	64	/* the least that is needed ... */
#define ARM64_IMAGE_LOOK_BYTES		4096	/* ... and what lets it be checked in full */

struct arm64_image {
	uint64_t text_offset;	/* from a 2 MiB aligned base */
	uint64_t image_size;	/* memory to be left to it from there on, BSS included */
	unsigned int page_shift;	/* 12, 14, 16; 0: not said */
	bool anywhere;		/* may lie anywhere in memory, not only near its start */
};

/*
 * Read the first bytes of a decompressed kernel; file_bytes is how long all of it is, or 0 if that is not known yet.
 *
 * Errors: KX_NOT_IMAGE, KX_IMAGE_TRUNCATED, KX_IMAGE_BIG_ENDIAN, KX_IMAGE_HEADER
 */
enum kx_err arm64_image_parse(struct arm64_image *image, const unsigned char *header, size_t header_bytes,
			      uint64_t file_bytes);

/* The rules for the planner on a kernel whose pages are page_bytes long. */
struct plan_rules arm64_plan_rules(uint64_t page_bytes);

#define ARM64_DTB_BYTES_MAX	MIB(2)	/* booting.rst: "must not exceed 2 megabytes in size" */
#define ARM64_CMDLINE_MAX	2047	/* COMMAND_LINE_SIZE less the null */

#endif
