/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stage 1 translation tables as plain data: from a list of regions to bytes, with no effect on any CPU. The map is the
 * identity, and it holds exactly the regions and not one byte more: a cacheable mapping of memory that is secure,
 * reserved or no memory at all can be speculated into and kill the machine.
 *
 * Two kinds of tables, because permission bits mean different things (Arm ARM, "Memory access control"):
 *   PGTABLE_EL1  EL1, and EL2 with HCR_EL2.E2H=1
 *   PGTABLE_EL2  EL2 with E2H=0
 */
#ifndef PGTABLE_H
#define PGTABLE_H

#include "err.h"
#include "range.h"

enum pgtable_kind { PGTABLE_EL1, PGTABLE_EL2 };

enum map_kind {
	MAP_DATA,	/* read and write, never executed */
	MAP_CODE,	/* read, write and execute: the control segment */
};

struct map_region {
	struct range range;	/* aligned to the granule */
	enum map_kind kind;
};

struct pgtable_geometry {
	unsigned int granule_shift;	/* 12, 14 or 16 */
	unsigned int va_bits;		/* T0SZ = 64 - va_bits */
	unsigned int start_level;	/* of the walk */
	uint64_t top_bytes;		/* of the table the walk starts at; the others are one granule each */
};

/*
 * The smallest geometry that reaches all regions: as few address bits as they need, so that the top table is short too.
 *
 * Errors: KX_INTERNAL: no such granule, a region that is empty, not aligned, or reaches over 2^48
 */
enum kx_err pgtable_geometry(struct pgtable_geometry *geometry, unsigned int granule_shift,
			     const struct map_region *regions, size_t count);

/*
 * Build the tables of one kind, to lie at table_pa, into out, which has room for room bytes. With out null nothing is
 * written and only the size is told. The regions are sorted by address and do not overlap; neighbours may touch.
 * table_pa is aligned to the granule. *bytes is what the tables take: a multiple of 64.
 * *ttbr_pa is where the walk starts.
 *
 * Errors: KX_INTERNAL: room too small, or regions out of order
 */
enum kx_err pgtable_build(const struct pgtable_geometry *geometry, enum pgtable_kind kind, const struct map_region *regions,
			  size_t count, pa_t table_pa, void *out, size_t room, size_t *bytes, pa_t *ttbr_pa);

#endif
