/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One recursive function builds a table: for every entry it asks how much of the entry's span the regions cover. All of
 * it by one kind: a block or page. Some of it: a table one level down. None: nothing.
 */
#include "pgtable.h"

#include "arm64_regs.h"

#include <string.h>

#define LAST_LEVEL	3
#define VA_BITS_MIN	25	/* T0SZ is at most 39 without FEAT_TTST, Arm ARM, TCR_EL1.T0SZ */
#define VA_BITS_MAX	48

struct builder {
	const struct pgtable_geometry *geometry;
	enum pgtable_kind kind;
	const struct map_region *regions;
	size_t count;
	pa_t table_pa;
	unsigned char *out;	/* null: only count */
	size_t room;
	size_t used;		/* by whole tables */
};

static unsigned int level_shift(const struct pgtable_geometry *geometry, unsigned int level)
{
	return geometry->granule_shift + (LAST_LEVEL - level) * (geometry->granule_shift - 3);
}

/* Arm ARM, "Translation table descriptor formats": with 4 KiB granules blocks are at levels 1 and 2, with 16 and 64 KiB
 * only at level 2 (no LPA2). */
static bool leaf_allowed(const struct pgtable_geometry *geometry, unsigned int level)
{
	return level == LAST_LEVEL || level == 2 || (level == 1 && geometry->granule_shift == 12);
}

/*
 * The only place that knows descriptor bits.
 *
 * EL1 and E2H=1: UXN=1, DBM=1, AP[2:1]=0 with PXN as asked is what Linux gives PAGE_KERNEL and PAGE_KERNEL_EXEC. Where a
 * kernel left TCR2.PIE=1 the same bits are an index into its PIR (10 and 14) and mean the same there.
 * E2H=0: one privilege level, so AP[1] is RES1, and bit 54 is XN.
 */
static uint64_t leaf_descriptor(const struct builder *b, unsigned int level, pa_t pa, enum map_kind kind)
{
	uint64_t desc = pa | (level == LAST_LEVEL ? DESC_PAGE : DESC_BLOCK) | DESC_AF | DESC_SH_INNER;

	if (b->kind == PGTABLE_EL1) {
		desc |= 1ull << DESC_UXN_BIT | 1ull << DESC_DBM_BIT;
		if (kind != MAP_CODE)
			desc |= 1ull << DESC_PXN_BIT;
	} else {
		desc |= DESC_AP1;
		if (kind != MAP_CODE)
			desc |= 1ull << DESC_UXN_BIT;
	}
	return desc;
}

/* How much of a span the regions cover. */
enum cover { COVER_NONE, COVER_SOME, COVER_DATA, COVER_CODE };

static enum cover cover(const struct builder *b, struct range span)
{
	pa_t at = span.start;
	size_t low = 0, high = b->count, i;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (range_end(b->regions[middle].range) <= span.start)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == b->count || b->regions[low].range.start >= range_end(span))
		return COVER_NONE;
	for (i = low; i < b->count; i++) {
		if (b->regions[i].range.start > at || b->regions[i].kind != b->regions[low].kind)
			return COVER_SOME;
		at = range_end(b->regions[i].range);
		if (at >= range_end(span))
			return b->regions[low].kind == MAP_CODE ? COVER_CODE : COVER_DATA;
	}
	return COVER_SOME;
}

static void store_entry(struct builder *b, size_t table_at, uint64_t index, uint64_t desc)
{
	unsigned char *to;
	unsigned int i;

	if (!b->out)
		return;
	to = b->out + table_at + index * sizeof(desc);
	for (i = 0; i < sizeof(desc); i++)
		to[i] = (unsigned char)(desc >> (8 * i));
}

/* Fill the table at offset table_at, which spans so many entries from base on. False if room runs out. */
static bool fill_table(struct builder *b, unsigned int level, pa_t base, uint64_t entries, size_t table_at)
{
	unsigned int shift = level_shift(b->geometry, level);
	size_t granule = (size_t)1 << b->geometry->granule_shift;
	uint64_t i;

	for (i = 0; i < entries; i++) {
		struct range span = { base + (i << shift), 1ull << shift };
		enum cover covered = cover(b, span);
		size_t next_at;

		if (covered == COVER_NONE)
			continue;
		if (covered != COVER_SOME && leaf_allowed(b->geometry, level)) {
			store_entry(b, table_at, i,
				    leaf_descriptor(b, level, span.start, covered == COVER_CODE ? MAP_CODE : MAP_DATA));
			continue;
		}
		if (level == LAST_LEVEL)
			return false;	/* a region that is not aligned to the granule */
		next_at = b->used;
		b->used += granule;
		if (b->out && b->used > b->room)
			return false;
		store_entry(b, table_at, i, (b->table_pa + next_at) | DESC_TABLE);
		if (!fill_table(b, level + 1, span.start, granule / sizeof(uint64_t), next_at))
			return false;
	}
	return true;
}

enum kx_err pgtable_geometry(struct pgtable_geometry *geometry, unsigned int granule_shift,
			     const struct map_region *regions, size_t count)
{
	uint64_t mask;
	unsigned int bits = VA_BITS_MIN, level_bits;
	pa_t last = 0;
	size_t i;

	if (granule_shift != 12 && granule_shift != 14 && granule_shift != 16)
		return KX_INTERNAL;
	mask = (1ull << granule_shift) - 1;
	for (i = 0; i < count; i++) {
		struct range r = regions[i].range;

		if (!r.bytes || (r.start | r.bytes) & mask || range_end(r) < r.start)
			return KX_INTERNAL;
		if (range_end(r) - 1 > last)
			last = range_end(r) - 1;
	}
	while (bits < 64 && last >> bits)
		bits++;
	if (bits > VA_BITS_MAX)
		return KX_INTERNAL;

	*geometry = (struct pgtable_geometry){ .granule_shift = granule_shift, .va_bits = bits };
	level_bits = granule_shift - 3;
	geometry->start_level = 4 - (bits - granule_shift + level_bits - 1) / level_bits;
	geometry->top_bytes = sizeof(uint64_t) << (bits - level_shift(geometry, geometry->start_level));
	return KX_OK;
}

enum kx_err pgtable_build(const struct pgtable_geometry *geometry, enum pgtable_kind kind, const struct map_region *regions,
			  size_t count, pa_t table_pa, void *out, size_t room, size_t *bytes, pa_t *ttbr_pa)
{
	struct builder b = {
		.geometry = geometry, .kind = kind, .regions = regions, .count = count,
		.table_pa = table_pa, .out = out, .room = room,
	};
	uint64_t top_entries = geometry->top_bytes / sizeof(uint64_t);
	size_t i, top_at;

	for (i = 1; i < count; i++)
		if (regions[i].range.start < range_end(regions[i - 1].range))
			return KX_INTERNAL;
	if (count && (range_end(regions[count - 1].range) - 1) >> geometry->va_bits)
		return KX_INTERNAL;	/* a geometry of other regions */

	/* The short top table goes behind the whole ones, so that these stay aligned. A first pass tells where that is.
	   A table is aligned to its size, and to 64 bytes at least (Arm ARM, TTBR0_EL1.BADDR); behind whole granules it is. */
	b.out = NULL;
	if (!fill_table(&b, geometry->start_level, 0, top_entries, 0))
		return KX_INTERNAL;
	top_at = b.used;
	*bytes = (size_t)align_up(top_at + geometry->top_bytes, 64);
	*ttbr_pa = table_pa + top_at;
	if (!out)
		return KX_OK;
	if (*bytes > room)
		return KX_INTERNAL;
	memset(out, 0, *bytes);
	b.out = out;
	b.used = 0;
	return fill_table(&b, geometry->start_level, 0, top_entries, top_at) ? KX_OK : KX_INTERNAL;
}
