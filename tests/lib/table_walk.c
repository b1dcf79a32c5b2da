/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Section names are those of DDI 0487, chapter D8 "The AArch64 Virtual Memory System Architecture". Where the manual
 * says that hardware ignores a bit, it must still be zero here: such bits get meanings (bit 10 of a table descriptor is
 * AF since FEAT_HAFT, bit 52 Protected since FEAT_THE), and nobody had reason to set them.
 */
#include "table_walk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIT(n)			(1ull << (n))
#define FIELD(value, high, low)	((value) >> (low) & ((1ull << ((high) - (low) + 1)) - 1))
#define OA_BITS			48

/* What table descriptors above a leaf take away: "Hierarchical control of ... access permissions" */
struct limits {
	bool no_write, no_el0, pxn, uxn;
};

struct walker {
	const struct walk_input *in;
	struct walk_result *out;
	unsigned char *reached;		/* one per 8 bytes of the image */
	unsigned int granule_shift;
	unsigned int level_bits;	/* that one whole table resolves */
	size_t room;			/* of out->map */
};

__attribute__((format(printf, 3, 4)))
static void fault(struct walker *w, enum walk_fault kind, const char *format, ...)
{
	va_list args;

	w->out->faults |= kind;
	if (w->out->first_fault[0] || kind == WALK_COULD_BE_BLOCK)
		return;
	va_start(args, format);
	vsnprintf(w->out->first_fault, sizeof(w->out->first_fault), format, args);
	va_end(args);
}

static uint64_t read_entry(const struct walker *w, size_t offset)
{
	const unsigned char *from = (const unsigned char *)w->in->image + offset;
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < 8; i++)
		value |= (uint64_t)from[i] << (8 * i);
	return value;
}

/* Bytes of address space that one entry of a level spans. */
static uint64_t entry_span(const struct walker *w, unsigned int level)
{
	unsigned int shift = w->granule_shift;

	for (; level < 3; level++)
		shift += w->level_bits;
	return BIT(shift);
}

/* "Block descriptor and Page descriptor formats": without FEAT_LPA2 and FEAT_LPA only these levels have blocks. */
static bool has_block(const struct walker *w, unsigned int level)
{
	switch (w->granule_shift) {
	case 12:
		return level == 1 || level == 2;
	default:
		return level == 2;
	}
}

/* "The Contiguous bit": how many entries make one group. */
static unsigned int contiguous_entries(const struct walker *w, unsigned int level)
{
	switch (w->granule_shift) {
	case 12:
		return 16;
	case 14:
		return level == 3 ? 128 : 32;
	default:
		return 32;
	}
}

/*
 * "Stage 1 Indirect permissions" (FEAT_S1PIE): the index is bits 54, 53, 51, 6. Linux, arch/arm64/include/asm/
 * pgtable-prot.h, PIE_E1: what EL1 may do. Indexes that Linux leaves 0 mean no access. Those with bit 6 are of user
 * pages: EL1 reads and writes them but never executes, and what EL0 may do is in PIRE0.
 */
static struct walk_access linux_pir(unsigned int index)
{
	static const struct walk_access may[16] = {
		[0x5] = { .read = true },						/* READONLY_EXEC */
		[0x7] = { .read = true, .write = true },				/* SHARED_EXEC */
		[0x8] = { .read = true, .execute = true },				/* KERNEL_ROX */
		[0xa] = { .read = true, .write = true, .execute = true },		/* KERNEL_EXEC */
		[0xc] = { .read = true },						/* KERNEL_RO */
		[0xd] = { .read = true },						/* READONLY */
		[0xe] = { .read = true, .write = true },				/* KERNEL */
		[0xf] = { .read = true, .write = true },				/* SHARED */
	};

	return may[index];
}

/* "Memory access control", with SCTLR.WXN 0, PAN 0 and no hardware update of AF or dirty state. */
static void decode_access(const struct walker *w, uint64_t desc, struct limits above, struct walk_map *map)
{
	bool ap1 = desc & BIT(6), ap2 = desc & BIT(7);
	unsigned int index = (unsigned int)(FIELD(desc, 54, 53) << 2 | FIELD(desc, 51, 51) << 1 | FIELD(desc, 6, 6));

	map->direct.read = true;
	map->direct.write = !ap2 && !above.no_write;
	if (w->in->regime == WALK_EL2) {
		/* One privilege level: AP[1] is RES1 and bit 54 is XN. */
		map->direct.execute = !(desc & BIT(54)) && !above.uxn;
		map->indirect = map->direct;
		return;
	}
	map->el0 = ap1 && !above.no_el0;
	/* "A region that is writable at EL0 is not executable at EL1", PXN or not. */
	map->direct.execute = !(desc & BIT(53)) && !above.pxn && !(map->el0 && map->direct.write);
	/* With indirect permissions bit 7 is nDirty, which stops writes, and table descriptors take nothing away. */
	map->indirect = linux_pir(index);
	map->indirect.write = map->indirect.write && !ap2;
}

static bool same_access(struct walk_access a, struct walk_access b)
{
	return a.read == b.read && a.write == b.write && a.execute == b.execute;
}

static bool same_attributes(const struct walk_map *a, const struct walk_map *b)
{
	return same_access(a->direct, b->direct) && same_access(a->indirect, b->indirect) && a->el0 == b->el0 &&
	       a->af == b->af && a->attr_index == b->attr_index && a->shareability == b->shareability;
}

static void record(struct walker *w, const struct walk_map *map)
{
	struct walk_map *last = w->out->maps ? &w->out->map[w->out->maps - 1] : NULL;

	if (last && last->va + last->bytes == map->va && last->pa + last->bytes == map->pa &&
	    same_attributes(last, map)) {
		last->bytes += map->bytes;
		return;
	}
	if (w->out->maps == w->room) {
		w->room = w->room ? w->room * 2 : 64;
		w->out->map = realloc(w->out->map, w->room * sizeof(*w->out->map));
		if (!w->out->map)
			abort();
	}
	w->out->map[w->out->maps++] = *map;
}

/* All entries of a group have the hint, one kind of attributes, and one run of addresses that starts aligned. */
static void check_contiguous(struct walker *w, size_t table_at, size_t entries, size_t index, unsigned int level)
{
	unsigned int group = contiguous_entries(w, level), i;
	size_t first = index - index % group;
	uint64_t span = entry_span(w, level), lead;

	if (first + group > entries) {
		fault(w, WALK_CONTIGUOUS, "level %u entry %zu: contiguous group leaves the table", level, index);
		return;
	}
	lead = read_entry(w, table_at + first * 8);
	for (i = 0; i < group; i++)
		if (read_entry(w, table_at + (first + i) * 8) != lead + i * span || (lead & BIT(52)) == 0 ||
		    (FIELD(lead, 47, 0) & ~0xfffull) % (group * span)) {
			fault(w, WALK_CONTIGUOUS, "level %u entry %zu: not contiguous", level, index);
			return;
		}
}

/* "Block descriptor and Page descriptor formats", "Other fields in VMSAv8-64 block and page descriptors" */
static void walk_leaf(struct walker *w, uint64_t desc, unsigned int level, uint64_t va, struct limits above)
{
	uint64_t span = entry_span(w, level);
	uint64_t address = desc & (BIT(OA_BITS) - 1) & ~(BIT(w->granule_shift) - 1);
	/* NS (5; Non-secure state), between attributes and address, 49:48, GP (50; no BTI here), and 63:55, that are
	   for software, PBHA and POIndex. EL2: nG (11), PXN (53), and DBM (51), as TCR.HD is 0. */
	uint64_t zero = BIT(5) | ((BIT(w->granule_shift) - 1) & ~0xfffull) | FIELD(~0ull, 50, 48) << 48 |
			FIELD(~0ull, 63, 55) << 55;
	struct walk_map map = { .va = va, .pa = address, .bytes = span };

	if (w->in->regime == WALK_EL2)
		zero |= BIT(11) | BIT(51) | BIT(53);
	if (desc & zero)
		fault(w, WALK_STRAY_BITS, "level %u leaf %#llx: stray bits", level, (unsigned long long)desc);
	if (w->in->regime == WALK_EL2 && !(desc & BIT(6)))
		fault(w, WALK_STRAY_BITS, "level %u leaf %#llx: AP[1] is RES1", level, (unsigned long long)desc);
	if (address % span)
		fault(w, WALK_BLOCK_ALIGN, "level %u leaf %#llx: output address", level, (unsigned long long)desc);
	map.af = desc & BIT(10);
	map.attr_index = (unsigned int)FIELD(desc, 4, 2);
	map.shareability = (unsigned int)FIELD(desc, 9, 8);
	if (map.shareability == 1)
		fault(w, WALK_STRAY_BITS, "level %u leaf %#llx: reserved SH", level, (unsigned long long)desc);
	decode_access(w, desc, above, &map);
	w->out->leaves[level]++;
	record(w, &map);
}

static void walk_table(struct walker *w, uint64_t pa, size_t entries, unsigned int level, uint64_t va,
		       struct limits above);

/* "Table descriptor format" */
static void walk_next(struct walker *w, uint64_t desc, unsigned int level, uint64_t va, struct limits above)
{
	uint64_t granule = BIT(w->granule_shift);
	uint64_t address = desc & (BIT(OA_BITS) - 1) & ~0xfffull;
	/* All but type, address, APTable (62:61), UXNTable (60), PXNTable (59). EL2: 61 and 59 are RES0 */
	uint64_t zero = FIELD(desc, 11, 2) | FIELD(desc, 58, 48) | FIELD(desc, 63, 63);
	size_t leaves = w->out->leaves[1] + w->out->leaves[2] + w->out->leaves[3];

	if (zero || (w->in->regime == WALK_EL2 && desc & (BIT(59) | BIT(61))))
		fault(w, WALK_STRAY_BITS, "level %u table %#llx: stray bits", level, (unsigned long long)desc);
	above.uxn |= !!(desc & BIT(60));
	above.pxn |= !!(desc & BIT(59));
	above.no_el0 |= !!(desc & BIT(61));
	above.no_write |= !!(desc & BIT(62));
	if (address % granule || address < w->in->image_pa || w->in->image_bytes < granule ||
	    address - w->in->image_pa > w->in->image_bytes - granule) {
		fault(w, WALK_TABLE_ADDRESS, "level %u table %#llx: address", level, (unsigned long long)desc);
		return;
	}
	walk_table(w, address, granule / 8, level + 1, va, above);
	if (leaves == w->out->leaves[1] + w->out->leaves[2] + w->out->leaves[3])
		fault(w, WALK_EMPTY_TABLE, "level %u table %#llx: maps nothing", level, (unsigned long long)desc);
}

/* The bytes are inside the image. A table reached twice is not walked again: it may be a loop. */
static void walk_table(struct walker *w, uint64_t pa, size_t entries, unsigned int level, uint64_t va,
		       struct limits above)
{
	size_t at = (size_t)(pa - w->in->image_pa), i, same = 0;
	uint64_t span = entry_span(w, level), lead = 0;

	for (i = 0; i < entries; i++)
		if (w->reached[at / 8 + i]) {
			fault(w, WALK_TABLE_TWICE, "level %u table at %#llx: twice", level, (unsigned long long)pa);
			return;
		}
	memset(w->reached + at / 8, 1, entries);
	w->out->tables++;
	for (i = 0; i < entries; i++, va += span) {
		uint64_t desc = read_entry(w, at + i * 8);
		bool leaf = level == 3 ? (desc & 3) == 3 : (desc & 3) == 1;

		/* "VMSAv8-64 descriptor formats": bit 0 clear is invalid; 0b01 is a block, at level 3 reserved; 0b11
		   is a table, at level 3 a page. */
		if (!(desc & 1)) {
			if (desc)
				fault(w, WALK_STRAY_BITS, "level %u: invalid %#llx", level, (unsigned long long)desc);
			continue;
		}
		if (leaf && level < 3 && !has_block(w, level)) {
			fault(w, WALK_TYPE, "level %u: block %#llx", level, (unsigned long long)desc);
		} else if (leaf) {
			if (desc & BIT(52))
				check_contiguous(w, at, entries, i, level);
			walk_leaf(w, desc, level, va, above);
			if (!i)
				lead = desc;
			same += desc == lead + i * span;
		} else if (level == 3) {
			fault(w, WALK_TYPE, "level 3: reserved type %#llx", (unsigned long long)desc);
		} else {
			walk_next(w, desc, level, va, above);
		}
	}
	if (same == entries && level > w->out->start_level && has_block(w, level - 1) &&
	    !((lead & (BIT(OA_BITS) - 1) & ~0xfffull) % entry_span(w, level - 1)))
		fault(w, WALK_COULD_BE_BLOCK, "level %u", level);
}

/* "TCR_EL1", "TCR_EL2": what else is set must be what walks of a plain 48-bit map need. */
static bool read_tcr(struct walker *w, unsigned int *va_bits)
{
	uint64_t tcr = w->in->tcr, t0sz = FIELD(tcr, 5, 0), other;

	switch (FIELD(tcr, 15, 14)) {
	case 0:
		w->granule_shift = 12;
		break;
	case 1:
		w->granule_shift = 16;
		break;
	case 2:
		w->granule_shift = 14;
		break;
	default:
		fault(w, WALK_TCR, "TG0 is reserved");
		return false;
	}
	w->level_bits = w->granule_shift - 3;
	/* 16 without FEAT_LVA, 39 without FEAT_TTST. */
	if (t0sz < 16 || t0sz > 39) {
		fault(w, WALK_TCR, "T0SZ is %u", (unsigned int)t0sz);
		return false;
	}
	*va_bits = 64 - (unsigned int)t0sz;
	if (w->in->regime == WALK_EL1) {
		/* Only T1SZ, EPD1, IRGN1, ORGN1, SH1, TG1 and IPS: no A1, AS, TBI, HA, HD, HPD, DS ... */
		other = tcr & ~FIELD(~0ull, 34, 0);
		if (other || tcr & (BIT(22) | BIT(7) | BIT(6)))
			fault(w, WALK_TCR, "TCR %#llx: features that no table here needs", (unsigned long long)tcr);
		if (!(tcr & BIT(23)))
			fault(w, WALK_TCR, "EPD1 is 0: TTBR1 is walked too");
	} else {
		other = tcr & ~(FIELD(~0ull, 15, 0) | FIELD(~0ull, 18, 16) << 16 | BIT(23) | BIT(31));
		if (other || tcr & (BIT(7) | BIT(6)))
			fault(w, WALK_TCR, "TCR %#llx: features that no table here needs", (unsigned long long)tcr);
		if (!(tcr & BIT(31)) || !(tcr & BIT(23)))
			fault(w, WALK_TCR, "TCR_EL2 %#llx: bits 31 and 23 are RES1", (unsigned long long)tcr);
	}
	return true;
}

static void walk_all(struct walker *w)
{
	unsigned int va_bits, level = 3, reach;
	uint64_t pa = w->in->ttbr;
	size_t entries;

	if (!read_tcr(w, &va_bits))
		return;
	/* "The initial lookup level": the first at which one table, or a part of one, resolves what is left. */
	for (reach = w->granule_shift + w->level_bits; reach < va_bits; reach += w->level_bits)
		level--;
	w->out->start_level = level;
	entries = (size_t)1 << (va_bits - (reach - w->level_bits));
	/* "TTBR0_EL1": ASID (63:48) and CnP (0) are 0 here; BADDR is aligned to the size of the table, and to 64 bytes
	   in case the CPU takes bits 5:2 for address bits 51:48. */
	if (pa >> OA_BITS || pa % (entries * 8) || pa % 64 || pa < w->in->image_pa ||
	    w->in->image_bytes < entries * 8 || pa - w->in->image_pa > w->in->image_bytes - entries * 8) {
		fault(w, WALK_TTBR, "TTBR %#llx", (unsigned long long)pa);
		return;
	}
	walk_table(w, pa, entries, level, 0, (struct limits){ 0 });
}

struct walk_result table_walk(const struct walk_input *input)
{
	struct walk_result result = { 0 };
	struct walker w = { .in = input, .out = &result };
	const unsigned char *image = input->image;
	size_t i;

	w.reached = calloc(input->image_bytes / 8 + 1, 1);
	if (!w.reached)
		abort();
	if (input->image_pa % 8)
		fault(&w, WALK_TTBR, "the image lies at %#llx", (unsigned long long)input->image_pa);
	else
		walk_all(&w);
	for (i = 0; i < input->image_bytes; i++)
		if (image[i] && !w.reached[i / 8]) {
			fault(&w, WALK_UNREACHED, "byte %#zx is not zero and no walk reaches it", i);
			break;
		}
	free(w.reached);
	return result;
}

void table_walk_free(struct walk_result *result)
{
	free(result->map);
	*result = (struct walk_result){ 0 };
}
