/* SPDX-License-Identifier: GPL-2.0-only */
/* A kernel's memory in an ELF core file: /proc/vmcore, or a copy of it. Pure: bytes come through a function of the caller's. */
#ifndef VMCORE_H
#define VMCORE_H

#include "err.h"
#include "range.h"

#include <stddef.h>

struct core_source {
	void *arg;
	/* Exactly bytes from at on; false if they are not there. */
	bool (*read)(void *arg, uint64_t at, void *out, size_t bytes);
};

struct vmcore_load {
	uint64_t va, pa, at, file_bytes;	/* at: in the file */
	uint64_t bytes;				/* of memory; what the file has not of it is zeros, as makedumpfile leaves them out */
};

/* Where the kernel's addresses point to without the program headers, by VMCOREINFO. */
struct vmcore_layout {
	bool linear_known, image_known;
	uint64_t linear_va, linear_end_va;	/* inclusive: it may reach to the last address */
	uint64_t linear_pa;
	uint64_t image_voffset;			/* of everything else */
};

struct vmcore {
	struct core_source source;
	struct vmcore_load *loads;
	size_t load_count;
	char *info;			/* the text of all VMCOREINFO notes */
	size_t info_bytes;
	struct vmcore_layout layout;
};

/* Errors: KX_NOT_VMCORE, KX_NO_MEMORY. To be given back with vmcore_close() if it went well. */
enum kx_err vmcore_open(struct vmcore *core, struct core_source source);
void vmcore_close(struct vmcore *core);

/* A line of VMCOREINFO, the last of that name: "SYMBOL(prb)" is hexadecimal, "SIZE(printk_info)", "OFFSET(...)", "NUMBER(...)"
 * are decimal unless they begin with 0x. False if there is none. */
bool vmcore_info(const struct vmcore *core, const char *name, uint64_t *value);

/*
 * Memory by its virtual address: by the program headers' addresses, or where those are missing or do not reach, by what
 * VMCOREINFO says of arm64's address space (kimage_voffset, PHYS_OFFSET, VA_BITS). False if it is not in the dump.
 */
bool vmcore_read(const struct vmcore *core, uint64_t va, void *out, size_t bytes);
bool vmcore_read_u64(const struct vmcore *core, uint64_t va, uint64_t *value);
bool vmcore_read_u32(const struct vmcore *core, uint64_t va, uint32_t *value);

#endif
