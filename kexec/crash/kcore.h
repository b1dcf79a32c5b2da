/* SPDX-License-Identifier: GPL-2.0-only */
/* What the beginning of /proc/kcore tells of how the running kernel maps memory. Pure. */
#ifndef KCORE_H
#define KCORE_H

#include "range.h"

#include <stddef.h>

#define KCORE_LOOK_BYTES	(256u << 10)	/* headers and notes */

struct kcore {
	bool linear_known;
	uint64_t linear_offset;		/* virtual less physical address, of the linear map */
	bool kimage_known;
	uint64_t kimage_voffset;	/* the same, of the kernel's own image: NUMBER(kimage_voffset) of vmcoreinfo */
};

/* Look at the first bytes. What cannot be found stays unknown. ram: what a linear mapping maps. */
void kcore_parse(struct kcore *kcore, const unsigned char *head, size_t bytes, const struct range_set *ram);

/* Where in the file this memory lies, by the same first bytes; false if the kernel does not show all of it there in one piece. */
bool kcore_find(const unsigned char *head, size_t head_bytes, struct range memory, uint64_t *file_offset);

/* The same for memory at a virtual address of the kernel's. */
bool kcore_find_va(const unsigned char *head, size_t head_bytes, uint64_t va, uint64_t bytes, uint64_t *file_offset);

#endif
