/* SPDX-License-Identifier: GPL-2.0-only */
#include "control.h"

#include "digest.h"
#include "mmu_regs.h"

#include <string.h>

/* Puts one piece after another into the control segment; once something does not fit, nothing does. */
struct writer {
	unsigned char *out;
	size_t used, room;
	pa_t pa;
	bool full;
};

static pa_t append(struct writer *w, const void *from, size_t bytes, size_t align)
{
	size_t at = (size_t)align_up(w->used, align);

	if (w->full || at > w->room || bytes > w->room - at) {
		w->full = true;
		return 0;
	}
	if (bytes && w->out)
		memcpy(w->out + at, from, bytes);
	w->used = at + bytes;
	return w->pa + at;
}

static enum kx_err append_tables(struct writer *w, const struct control_segment *h, struct purg_params *params)
{
	struct pgtable_geometry geometry;
	enum pgtable_kind kind;
	enum kx_err err = pgtable_geometry(&geometry, h->granule_shift, h->regions, h->region_count);

	if (err)
		return err;
	for (kind = PGTABLE_EL1; kind <= PGTABLE_EL2; kind++) {
		unsigned int regime = kind == PGTABLE_EL1 ? PURG_REGIME_EL1 : PURG_REGIME_EL2;
		pa_t table_pa = append(w, NULL, 0, (size_t)1 << h->granule_shift), ttbr_pa;
		size_t bytes;

		if (w->full)
			return KX_NO_ROOM;
		err = pgtable_build(&geometry, kind, h->regions, h->region_count, table_pa, NULL, 0, &bytes, &ttbr_pa);
		if (err)
			return err;
		if (bytes > w->room - w->used)
			return KX_NO_ROOM;
		if (w->out)
			err = pgtable_build(&geometry, kind, h->regions, h->region_count, table_pa, w->out + w->used,
					    w->room - w->used, &bytes, &ttbr_pa);
		if (err)
			return err;
		w->used += bytes;
		/* The table that the walk starts at, the last, can be shorter than the unit of digests; zeros pad it. */
		bytes = (size_t)(append(w, NULL, 0, PURG_UNIT_BYTES) - table_pa);
		if (w->full)
			return KX_NO_ROOM;
		params->regime[regime] = mmu_regs(kind, &geometry, ttbr_pa);
		params->tables[regime] = (struct purg_tables){ .pa = table_pa, .bytes = bytes };
		if (w->out)
			digest_crc32c(params->tables[regime].seal, w->out + (table_pa - w->pa), bytes, crc32c_lanes_c);
	}
	return KX_OK;
}

enum kx_err control_build(const struct control_segment *h, unsigned char *out, size_t room, size_t *bytes, size_t *table_bytes,
			  pa_t *entry_pa)
{
	size_t work_bytes = PURG_WORK_BYTES(h->cpus);
	struct writer w = { .out = out, .used = work_bytes, .room = room, .pa = h->pa };
	struct purg_header header;
	struct purg_params params = {
		.magic = PURG_PARAMS_MAGIC, .version = PURG_ABI_VERSION, .bytes = PURG_PARAMS_BYTES,
		.base_pa = h->pa + work_bytes,
		.kernel_pa = h->kernel_pa, .dtb_pa = h->dtb_pa, .timeline_pa = h->timeline_pa, .stamps_pa = h->stamps_pa,
		.flags = h->flags, .check = h->check, .conduit = h->conduit, .granule_shift = h->granule_shift,
		.uart_pa = h->uart_pa, .uart_kind = h->uart_kind, .uart_reg_shift = h->uart_reg_shift,
		.kernel_page_shift = h->kernel_page_shift, .cpus = h->cpus, .mpidr_count = h->mpidr_count,
		.line_bytes = h->line_bytes,
	};
	unsigned char *base;
	size_t tables_at;
	enum kx_err err;

	if (h->blob_bytes < PURG_VECTORS_OFFSET || h->cpus < 1 || h->cpus > PURG_CPUS_MAX ||
	    h->mpidr_count > PURG_CPUS_MAX || room < work_bytes || h->pa % KIB(64))
		return KX_INTERNAL;
	memcpy(&header, h->blob, sizeof(header));
	if (header.magic != PURG_HEADER_MAGIC || header.version != PURG_ABI_VERSION)
		return KX_INTERNAL;

	append(&w, h->blob, h->blob_bytes, PURG_UNIT_BYTES);
	params.pieces_pa = append(&w, h->pieces, h->piece_count * sizeof(*h->pieces), sizeof(*h->pieces));
	params.piece_count = h->piece_count;
	if (h->mpidr_count)
		memcpy(params.mpidr, h->mpidr, h->mpidr_count * sizeof(*h->mpidr));
	append(&w, NULL, 0, PURG_UNIT_BYTES);
	tables_at = w.used;
	err = append_tables(&w, h, &params);
	if (err)
		return err;
	*table_bytes = w.used - tables_at;
	w.used = (size_t)align_up(w.used, PURG_UNIT_BYTES);
	if (w.full || w.used > room)
		return KX_NO_ROOM;

	*bytes = w.used;
	*entry_pa = h->pa + work_bytes;
	if (!out)
		return KX_OK;

	base = out + work_bytes;
	memcpy(base + PURG_PARAMS_OFFSET, &params, sizeof(params));
	header.sealed_bytes = tables_at - work_bytes;
	digest_crc32c(header.seal, base + PURG_PARAMS_OFFSET, header.sealed_bytes - PURG_PARAMS_OFFSET, crc32c_lanes_c);
	memcpy(base, &header, sizeof(header));
	return KX_OK;
}
