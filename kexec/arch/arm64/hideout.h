/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hide-out as bytes: work area, purgatory, parameters, lists, digests, page tables, sealed. Pure. The layout is
 * abi/purgatory_abi.h's.
 */
#ifndef HIDEOUT_H
#define HIDEOUT_H

#include "pgtable.h"
#include "purgatory_abi.h"

struct hideout {
	pa_t pa;			/* 64 KiB aligned */
	const unsigned char *blob;	/* purgatory */
	size_t blob_bytes;

	unsigned int granule_shift;
	const struct map_region *regions;	/* everything purgatory touches, itself included; sorted */
	size_t region_count;

	const struct purg_move *moves;
	size_t move_count;
	const struct purg_run *checks;
	size_t check_count;
	const struct purg_run *cleans;
	size_t clean_count;
	const unsigned char *digests;
	size_t digests_bytes;

	uint32_t check;		/* PURG_CHECK_* */
	uint32_t flags;		/* PURG_FLAG_* */
	uint32_t conduit;	/* PURG_CONDUIT_* */
	pa_t kernel_pa, dtb_pa, timeline_pa;
	pa_t uart_pa;
	uint32_t uart_kind, uart_reg_shift;
	uint32_t kernel_page_shift;	/* 0: not known */
};

/*
 * Prove that the lists keep the rules of the ABI: units, alignment, everything inside the map, no destination on a source,
 * on another destination or on the hide-out, the kernel's entry among what is verified. The last gate for what purgatory
 * will do, as plan_check() is for where things lie. Returns null if all is well, else a word on what is not.
 */
const char *hideout_check(const struct hideout *hideout);

/*
 * Build it into out, room bytes of zeros. *bytes is how much was used, *table_bytes how much of that is page tables (both sets).
 * *entry_pa is where purgatory is to be entered. With out null nothing is built and only the sizes are told; the lists may
 * be null then, their counts are what matters.
 *
 * Errors: KX_NO_ROOM: it does not fit; KX_INTERNAL: the blob is not of this ABI, or the regions are not in order
 */
enum kx_err hideout_build(const struct hideout *hideout, unsigned char *out, size_t room, size_t *bytes,
			  size_t *table_bytes, pa_t *entry_pa);

#endif
