/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control segment as bytes: work area, purgatory, parameters, lists, digests, page tables, sealed. Pure. The layout is
 * abi/purgatory_abi.h's.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "pgtable.h"
#include "purgatory_abi.h"

struct control_segment {
	pa_t pa;			/* 64 KiB aligned */
	const unsigned char *blob;	/* purgatory */
	size_t blob_bytes;

	unsigned int granule_shift;
	const struct map_region *regions;	/* everything purgatory touches, itself included; sorted */
	size_t region_count;

	const struct purg_piece *pieces;
	size_t piece_count;

	uint32_t check;		/* PURG_CHECK_* */
	uint32_t flags;		/* PURG_FLAG_* */
	uint32_t conduit;	/* PURG_CONDUIT_* */
	pa_t kernel_pa, dtb_pa, timeline_pa;
	pa_t stamps_pa;		/* 0: none */
	uint64_t kernel_bytes;	/* in memory: image_size ... */
	uint64_t kernel_file_bytes;	/* ... and what of it comes from the file */
	struct range initrd;	/* bytes 0: none */
	uint64_t dtb_bytes;
	pa_t uart_pa;
	uint32_t uart_kind, uart_reg_shift;
	uint32_t kernel_page_shift;	/* 0: not known */
	uint32_t line_bytes;		/* of the data cache */
	uint32_t cpus;			/* 1 to PURG_CPUS_MAX */
	const uint64_t *mpidr;		/* of CPUs that may be called, at most PURG_CPUS_MAX */
	uint32_t mpidr_count;
};

/*
 * Prove that the pieces keep the rules of the ABI: units, alignment, everything inside the map, no destination on a source,
 * on another destination or on the control segment; that kernel, initrd and device tree are verified to the last byte, and so is all
 * that is moved; that all of the kernel's memory is cleaned. The last gate for what purgatory will do, as plan_check() is for where things lie. Returns null if all is well, else a word on what is not.
 */
const char *control_check(const struct control_segment *control);

/*
 * Build it into out, room bytes of zeros. *bytes is how much was used, *table_bytes how much of that is page tables (both sets).
 * *entry_pa is where purgatory is to be entered. With out null nothing is built and only the sizes are told; pieces may be
 * null then, their number is what matters.
 *
 * Errors: KX_NO_ROOM: it does not fit; KX_INTERNAL: the blob is not of this ABI, or the regions are not in order
 */
enum kx_err control_build(const struct control_segment *control, unsigned char *out, size_t room, size_t *bytes,
			  size_t *table_bytes, pa_t *entry_pa);

#endif
