/* SPDX-License-Identifier: GPL-2.0-only */
#include "plan.h"
#include "purg_model.h"

#include "bytes.h"
#include "digest.h"
#include "iomem.h"
#include "table_walk.h"

#include <libfdt.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GARBAGE	0xdb

__attribute__((format(printf, 2, 3)))
static bool no(struct purg_model *m, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(m->problem, sizeof(m->problem), format, args);
	va_end(args);
	return false;
}

/* The memory at pa, up to the end of its block of 2 MiB. */
static unsigned char *at(struct purg_model *m, pa_t pa, bool write)
{
	pa_t start = align_down(pa, PLAN_SLOT_BYTES);
	const struct fake_page *page;
	unsigned char *owned;
	size_t i;

	for (i = 0; i < m->blocks; i++)
		if (m->block[i].pa == start)
			return m->block[i].data + (pa - start);
	owned = fake_page_memory(m->fake, start, &page);
	if (owned && !write) {
		if (!page->cleaned || page->hash != fake_page_hash(owned))
			no(m, "huge page %#llx was not cleaned after it was filled", (unsigned long long)start);
		return owned + (pa - start);
	}
	if (m->blocks == MODEL_BLOCKS)
		abort();
	m->block[m->blocks].pa = start;
	m->block[m->blocks].data = malloc(PLAN_SLOT_BYTES);
	if (owned)
		memcpy(m->block[m->blocks].data, owned, PLAN_SLOT_BYTES);
	else
		memset(m->block[m->blocks].data, GARBAGE, PLAN_SLOT_BYTES);
	return m->block[m->blocks++].data + (pa - start);
}

static uint64_t in_block(pa_t pa, uint64_t bytes)
{
	uint64_t left = PLAN_SLOT_BYTES - pa % PLAN_SLOT_BYTES;

	return bytes < left ? bytes : left;
}

void purg_model_read(struct purg_model *m, pa_t pa, void *out, uint64_t bytes)
{
	unsigned char *to = out;
	uint64_t n;

	for (; bytes; bytes -= n, pa += n, to += n) {
		n = in_block(pa, bytes);
		memcpy(to, at(m, pa, false), n);
	}
}

bool purg_model_equal(struct purg_model *m, pa_t pa, const void *want, uint64_t bytes)
{
	const unsigned char *from = want;
	uint64_t n;

	for (; bytes; bytes -= n, pa += n, from += n) {
		n = in_block(pa, bytes);
		if (memcmp(from, at(m, pa, false), n) != 0)
			return false;
	}
	return true;
}

/* from null: zeros */
static void model_write(struct purg_model *m, pa_t pa, const unsigned char *from, uint64_t bytes)
{
	uint64_t n;

	for (; bytes; bytes -= n, pa += n) {
		n = in_block(pa, bytes);
		if (from)
			memcpy(at(m, pa, true), from, n);
		else
			memset(at(m, pa, true), 0, n);
		from = from ? from + n : NULL;
	}
}

static void write_segments(struct purg_model *m, const struct fake_load *load)
{
	size_t i;

	for (i = 0; i < load->count; i++) {
		const struct sys_segment *s = &load->segment[i];

		model_write(m, s->pa, s->buf, s->bytes);
		model_write(m, s->pa + s->bytes, NULL, s->memory_bytes - s->bytes);
	}
}

/* Each regime's tables lie behind what the header's seal covers, apart from the other's, and are as they were sealed. */
static bool check_table_seals(struct purg_model *m)
{
	static unsigned char table[MIB(2)];
	uint8_t seal[PURG_CRC_BYTES];
	unsigned int r;

	m->end = m->base + m->header.sealed_bytes;
	for (r = 0; r < PURG_REGIMES; r++) {
		const struct purg_tables *t = &m->params.tables[r];

		if (t->pa < m->end || !t->bytes || t->pa % (1ull << m->params.granule_shift) || t->bytes % PURG_UNIT_BYTES || t->bytes > sizeof(table))
			return no(m, "the extent of a regime's tables");
		purg_model_read(m, t->pa, table, t->bytes);
		digest_crc32c(seal, table, t->bytes, crc32c_lanes_c);
		if (memcmp(seal, t->seal, sizeof(seal)) != 0)
			return no(m, "the seal of a regime's tables is broken");
		m->end = t->pa + t->bytes;
	}
	if (align_down(m->base, PLAN_SLOT_BYTES) != align_down(m->end - 1, PLAN_SLOT_BYTES))
		return no(m, "the control segment crosses 2 MiB");
	return true;
}

static bool enter(struct purg_model *m)
{
	const struct fake_load *load = fake_image(m->fake);
	unsigned char work[PURG_WORK_BYTES(PURG_CPUS_MAX)], sealed[MIB(2)];
	size_t work_bytes;
	uint8_t seal[PURG_CRC_BYTES];
	size_t i;

	if (!load->count)
		return no(m, "nothing is loaded");
	/* A crash kernel's image lies in its place since the load. */
	write_segments(m, &m->fake->crash);
	write_segments(m, load);
	m->base = load->entry;
	purg_model_read(m, m->base, &m->header, sizeof(m->header));
	if (m->header.magic != PURG_HEADER_MAGIC || m->header.version != PURG_ABI_VERSION)
		return no(m, "no header where purgatory is entered");
	if (m->header.sealed_bytes % PURG_UNIT_BYTES || m->header.sealed_bytes > sizeof(sealed) ||
	    m->header.sealed_bytes < PURG_VECTORS_OFFSET)
		return no(m, "sealed_bytes");
	purg_model_read(m, m->base, sealed, m->header.sealed_bytes);
	digest_crc32c(seal, sealed + PURG_PARAMS_OFFSET, m->header.sealed_bytes - PURG_PARAMS_OFFSET, crc32c_lanes_c);
	if (memcmp(seal, m->header.seal, sizeof(seal)) != 0)
		return no(m, "the seal is broken");
	memcpy(&m->params, sealed + PURG_PARAMS_OFFSET, sizeof(m->params));
	if (m->params.magic != PURG_PARAMS_MAGIC || m->params.version != PURG_ABI_VERSION ||
	    m->params.bytes != PURG_PARAMS_BYTES)
		return no(m, "the parameters are not of this ABI");
	if (m->params.base_pa != m->base)
		return no(m, "purgatory is not where it was planned");
	if (!check_table_seals(m))
		return false;
	if (m->params.cpus < 1 || m->params.cpus > PURG_CPUS_MAX || m->params.mpidr_count > PURG_CPUS_MAX)
		return no(m, "so many CPUs");
	work_bytes = PURG_WORK_BYTES(m->params.cpus);
	m->control = m->base - work_bytes;
	if (m->control % KIB(64))
		return no(m, "the control segment is not 64 KiB aligned");
	purg_model_read(m, m->control, work, work_bytes);
	for (i = 0; i < work_bytes; i++)
		if (work[i])
			return no(m, "the work area is not zero");
	if (align_down(m->control, PLAN_SLOT_BYTES) != align_down(m->base, PLAN_SLOT_BYTES))
		return no(m, "the work area lies in another block");
	return true;
}

static bool is_sealed(const struct purg_model *m, pa_t pa, uint64_t bytes)
{
	return pa % 8 == 0 && pa >= m->base && pa + bytes <= m->base + m->header.sealed_bytes;
}

static struct purg_piece *read_pieces(struct purg_model *m)
{
	struct purg_piece *pieces;
	uint64_t count = m->params.piece_count;

	if (count > 8192 || !is_sealed(m, m->params.pieces_pa, count * sizeof(*pieces))) {
		no(m, "the pieces are not in the sealed part");
		return NULL;
	}
	pieces = malloc(count * sizeof(*pieces) + 1);
	purg_model_read(m, m->params.pieces_pa, pieces, count * sizeof(*pieces));
	return pieces;
}

static bool apart(struct range a, struct range b)
{
	return !range_overlaps(a, b);
}

/* Any order of pieces must do, so each is held against each. */
static bool check_rules(struct purg_model *m, const struct purg_piece *pieces)
{
	struct range control = { m->control, m->end - m->control };
	uint64_t i, j;

	for (i = 0; i < m->params.piece_count; i++) {
		const struct purg_piece *piece = &pieces[i];
		struct range dst = { piece->dst_pa, piece->bytes }, src = { piece->src_pa, piece->bytes };

		if (!dst.bytes || dst.bytes > PURG_CHUNK_BYTES || (dst.start | src.start | dst.bytes) % PURG_UNIT_BYTES)
			return no(m, "a piece of odd bytes");
		if (!apart(dst, control) || !apart(src, control))
			return no(m, "a piece touches the control segment");
		if (src.start != dst.start && !apart(src, dst))
			return no(m, "a piece is moved onto itself");
		for (j = 0; j < m->params.piece_count; j++)
			if (j != i && (!apart(dst, (struct range){ pieces[j].src_pa, pieces[j].bytes }) ||
				       !apart(dst, (struct range){ pieces[j].dst_pa, pieces[j].bytes })))
				return no(m, "pieces overlap");
		if (piece->work & PURG_WORK_CHECK && m->params.check == PURG_CHECK_NONE)
			return no(m, "a check that nobody asked for");
	}
	return true;
}

static bool check_piece(struct purg_model *m, const struct purg_piece *piece, const unsigned char *data)
{
	bool crc = m->params.check == PURG_CHECK_CRC32C;
	uint8_t found[PURG_SHA_BYTES];

	if (crc)
		digest_crc32c(found, data, piece->bytes, crc32c_lanes_c);
	else
		digest_sha256(found, data, piece->bytes, sha256_blocks_c);
	if (memcmp(found, piece->digest, crc ? PURG_CRC_BYTES : PURG_SHA_BYTES) != 0)
		return no(m, "the payload changed at %#llx", (unsigned long long)piece->dst_pa);
	range_set_add(&m->verified, (struct range){ piece->dst_pa, piece->bytes });
	return true;
}

static bool do_pieces(struct purg_model *m)
{
	struct purg_piece *pieces = read_pieces(m);
	bool ok = pieces && check_rules(m, pieces);
	uint64_t i;

	/* Backwards: the order means nothing. */
	for (i = ok ? m->params.piece_count : 0; ok && i-- > 0;) {
		const struct purg_piece *piece = &pieces[i];
		unsigned char *data = NULL;

		/* What is only cleaned, such as a large BSS, need not be looked at. */
		if (piece->src_pa != piece->dst_pa || piece->work & PURG_WORK_CHECK) {
			data = malloc(piece->bytes);
			purg_model_read(m, piece->src_pa, data, piece->bytes);
		}
		if (piece->src_pa != piece->dst_pa) {
			model_write(m, piece->dst_pa, data, piece->bytes);
			m->moved_bytes += piece->bytes;
			m->moves++;
		}
		if (piece->work & PURG_WORK_CHECK)
			ok = check_piece(m, piece, data);
		if (piece->work & PURG_WORK_CLEAN)
			range_set_add(&m->cleaned, (struct range){ piece->dst_pa, piece->bytes });
		free(data);
	}
	free(pieces);
	return ok && !m->problem[0];
}

/* Blocks of 2 MiB that purgatory has business with. */
static bool touched(struct range_set *blocks, pa_t pa, uint64_t bytes)
{
	pa_t start = align_down(pa, PLAN_SLOT_BYTES);

	return !bytes || range_set_add(blocks, (struct range){ start, align_up(pa + bytes, PLAN_SLOT_BYTES) - start });
}

/* What is mapped is used, or at least ours. */
static void check_use(struct purg_model *m, const struct range_set *blocks, struct range map)
{
	pa_t pa;

	for (pa = map.start; pa < range_end(map); pa += PLAN_SLOT_BYTES)
		if (!range_set_overlaps(blocks, (struct range){ pa, 1 }) && !fake_page_memory(m->fake, pa, NULL))
			no(m, "tables: %#llx is mapped and never used", (unsigned long long)pa);
}

static bool walk_tables(struct purg_model *m, const struct range_set *blocks)
{
	unsigned int r;
	size_t i;

	for (r = 0; r < PURG_REGIMES; r++) {
		const struct purg_mmu_regs *regs = &m->params.regime[r];
		const struct purg_tables *t = &m->params.tables[r];
		unsigned char *image = malloc(t->bytes);
		struct range_set mapped = { 0 };
		struct walk_result w;

		/* Of its own tables, which are all that is checked before they are walked. */
		purg_model_read(m, t->pa, image, t->bytes);
		w = table_walk(&(struct walk_input){
			.image = image, .image_bytes = t->bytes, .image_pa = t->pa, .ttbr = regs->ttbr0_pa,
			.tcr = regs->tcr, .regime = r == PURG_REGIME_EL1 ? WALK_EL1 : WALK_EL2,
		});
		if (w.faults & ~(unsigned int)WALK_COULD_BE_BLOCK)
			no(m, "tables: faults %#x, %s", w.faults, w.first_fault);
		for (i = 0; i < w.maps; i++) {
			const struct walk_map *map = &w.map[i];
			bool here = range_overlaps((struct range){ map->pa, map->bytes }, (struct range){ m->base, 1 });

			range_set_add(&mapped, (struct range){ map->pa, map->bytes });
			if (map->va != map->pa || !map->direct.read || !map->direct.write ||
			    map->direct.execute != here)
				no(m, "tables: %#llx is not mapped as it should be", (unsigned long long)map->pa);
			check_use(m, blocks, (struct range){ map->pa, map->bytes });
		}
		for (i = 0; i < blocks->count; i++)
			if (!range_set_contains(&mapped, blocks->v[i]))
				no(m, "tables: %#llx is used and not mapped", (unsigned long long)blocks->v[i].start);
		range_set_free(&mapped);
		table_walk_free(&w);
		free(image);
	}
	return !m->problem[0];
}

static bool check_tables(struct purg_model *m)
{
	struct purg_piece *pieces = read_pieces(m);
	struct range_set blocks = { 0 };
	bool ok = pieces != NULL;
	size_t i;

	for (i = 0; ok && i < m->params.piece_count; i++)
		ok = touched(&blocks, pieces[i].dst_pa, pieces[i].bytes) && touched(&blocks, pieces[i].src_pa, pieces[i].bytes);
	ok = ok && touched(&blocks, m->base, m->end - m->base) && touched(&blocks, m->params.timeline_pa, 1);
	/* Without checks the initrd is not touched, and may still be mapped. */
	if (ok && m->params.check != PURG_CHECK_NONE)
		ok = walk_tables(m, &blocks);
	range_set_free(&blocks);
	free(pieces);
	return ok;
}

const char *purg_model_run(struct purg_model *m, const struct fake *fake)
{
	*m = (struct purg_model){ .fake = fake };
	if (enter(m) && check_tables(m))
		do_pieces(m);
	return m->problem[0] ? m->problem : NULL;
}

/* booting.rst, "Call the kernel image": text_offset behind a 2 MiB boundary, image_size of memory from there */
static bool find_kernel(struct purg_model *m, struct purg_next *next)
{
	unsigned char header[64];

	purg_model_read(m, m->params.kernel_pa, header, sizeof(header));
	next->kernel = (struct range){ m->params.kernel_pa, load_le(header + 16, 8) };
	if (memcmp(header + 56, "ARM\x64", 4) != 0)
		return no(m, "there is no kernel where it is entered");
	if (next->kernel.bytes && m->params.kernel_pa % PLAN_SLOT_BYTES != load_le(header + 8, 8) % PLAN_SLOT_BYTES)
		return no(m, "the kernel is not text_offset behind a boundary of 2 MiB");
	/* Before 3.17 it was 0 (and text_offset of unknown byte order). */
	next->kernel.bytes = next->kernel.bytes ? next->kernel.bytes : sizeof(header);
	return true;
}

/* booting.rst, "Setup the device tree": 8 byte aligned, at most 2 MiB */
static bool find_tree(struct purg_model *m, struct purg_next *next)
{
	fdt32_t header[2];

	purg_model_read(m, m->params.dtb_pa, header, sizeof(header));
	next->dtb = (struct range){ m->params.dtb_pa, fdt32_to_cpu(header[1]) };
	if (fdt32_to_cpu(header[0]) != FDT_MAGIC || next->dtb.bytes > MIB(2) || next->dtb.start % 8)
		return no(m, "there is no device tree, or it is too long or not aligned");
	next->tree = malloc(next->dtb.bytes);
	purg_model_read(m, next->dtb.start, next->tree, next->dtb.bytes);
	return fdt_check_full(next->tree, next->dtb.bytes) == 0 || no(m, "the device tree is damaged");
}

static bool find_initrd(struct purg_model *m, struct purg_next *next)
{
	int chosen = fdt_path_offset(next->tree, "/chosen"), start_bytes = 0, end_bytes = 0;
	const void *start = fdt_getprop(next->tree, chosen, "linux,initrd-start", &start_bytes);
	const void *end = fdt_getprop(next->tree, chosen, "linux,initrd-end", &end_bytes);

	if (!start && !end)
		return true;
	if (!start || !end || start_bytes != 8 || end_bytes != 8)
		return no(m, "the initrd's place is not told well");
	next->initrd.start = load_be(start, 8);
	next->initrd.bytes = load_be(end, 8) - next->initrd.start;
	return true;
}

/* Where the next kernel may find things: memory, or if this is a crash kernel its own. */
static bool find_memory(struct purg_model *m, struct range_set *memory)
{
	struct memmap map;
	size_t i;
	bool ok = true;

	for (i = 0; i < m->fake->files && strcmp(m->fake->file[i].path, "/proc/iomem") != 0; i++)
		;
	if (memmap_parse(&map, (const char *)m->fake->file[i].data, m->fake->file[i].bytes))
		return no(m, "there is no memory");
	if (fake_image(m->fake)->flags & SYS_KEXEC_ON_CRASH)
		ok = map.crash_count && range_set_add(memory, map.crash[map.crash_count - 1]);
	for (i = 0; !(fake_image(m->fake)->flags & SYS_KEXEC_ON_CRASH) && i < map.ram.count; i++)
		ok = range_set_add(memory, map.ram.v[i]) && ok;
	memmap_free(&map);
	return ok || no(m, "there is no memory for a crash kernel");
}

static bool check_next(struct purg_model *m, const struct purg_next *next, const struct range_set *memory)
{
	bool checked = m->params.check != PURG_CHECK_NONE;

	if (!range_set_contains(memory, next->kernel) || !range_set_contains(memory, next->dtb) ||
	    (next->initrd.bytes && !range_set_contains(memory, next->initrd)))
		return no(m, "something lies outside memory");
	if (!apart(next->kernel, next->initrd) || !apart(next->kernel, next->dtb) || !apart(next->initrd, next->dtb))
		return no(m, "kernel, initrd and device tree overlap");
	if (!range_set_contains(&m->cleaned, next->kernel))
		return no(m, "the kernel is not cleaned to the point of coherency");
	if (checked && (!range_set_contains(&m->verified, (struct range){ next->kernel.start, 64 }) ||
			!range_set_contains(&m->verified, next->dtb) ||
			(next->initrd.bytes && !range_set_contains(&m->verified, next->initrd))))
		return no(m, "not all was verified");
	return true;
}

const char *purg_model_next(struct purg_model *m, struct purg_next *next)
{
	struct range_set memory = { 0 };

	*next = (struct purg_next){ .tree = NULL };
	if (find_kernel(m, next) && find_tree(m, next) && find_initrd(m, next) && find_memory(m, &memory))
		check_next(m, next, &memory);
	range_set_free(&memory);
	return m->problem[0] ? m->problem : NULL;
}

void purg_model_free(struct purg_model *m)
{
	size_t i;

	for (i = 0; i < m->blocks; i++)
		free(m->block[i].data);
	range_set_free(&m->verified);
	range_set_free(&m->cleaned);
}
