/* SPDX-License-Identifier: GPL-2.0-only */
/* From what the kernel says about memory to where a payload may lie. Pure. */
#ifndef IOMEM_H
#define IOMEM_H

#include "err.h"
#include "range.h"

#define MEMMAP_CRASH_MAX	4

struct memmap {
	struct range_set ram;	/* top-level "System RAM" of the boot: memory that we own may be booted from here */
	struct range_set spare;	/* ram minus everything reserved in it: memory we do not own may be overwritten at boot */
	/* "Crash kernel", in order; two that touch stay two. The last is the large one, a low one before it is for DMA. */
	struct range crash[MEMMAP_CRASH_MAX];
	unsigned int crash_count;
	struct range kernel;	/* the running kernel's image, code to data; bytes 0: not shown */
};

/*
 * Read the text of /proc/iomem (bytes long, need not end in a null). Only entries named exactly "System RAM" at the top
 * level count: driver-managed memory has other names. Inside them every nested entry is kept out of spare, except the
 * dying kernel's own "Kernel code" and "Kernel data" (and bss).
 *
 * Errors: KX_IOMEM_BAD: no System RAM, or a line that is not iomem's, or all addresses zero, as the unprivileged see it.
 *         KX_NO_MEMORY. On error the map is empty.
 */
enum kx_err memmap_parse(struct memmap *map, const char *text, size_t bytes);

void memmap_free(struct memmap *map);

/*
 * Where kexec_file_load(2) may put what it is given (kernel/kexec_file.c, kexec_walk_memblock()): the lowest hole of low_bytes, 2 MiB
 * aligned, that nothing is reserved in, and for a device tree, with what IMA hands over before it, the highest of high_bytes. Memory in use
 * counts as a hole, so nothing of ours may lie below *low_end or from *high_start on. Reserved memory that was freed since the boot is not
 * told apart here: the real holes may only lie further out. False: there is none, or *no_memory.
 */
bool memmap_file_load_bounds(const struct memmap *map, uint64_t low_bytes, uint64_t high_bytes, pa_t *low_end, pa_t *high_start, bool *no_memory);

/*
 * Tables that the GIC of the dying kernel keeps reading and writing: LPI property and pending tables, as the kernel log
 * names them ("using LPI property table @0x...", "using allocated LPI pending table @0x..."), 64 KiB each, and the
 * ITS's first-level tables (it names no others). Without EFI nothing else records them. log is the kernel log, bytes long.
 *
 * Errors: KX_NO_MEMORY
 */
enum kx_err memmap_gic_tables(struct range_set *tables, const char *log, size_t bytes);

#endif
