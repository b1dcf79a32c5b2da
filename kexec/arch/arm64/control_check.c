/* SPDX-License-Identifier: GPL-2.0-only */
/* Trusts nothing of how the pieces were made: every byte that purgatory will touch is held against the map and booked. */
#include "control.h"

#include "plan.h"

struct books {
	struct range_set map, written, verified, cleaned;
};

static bool is_units(struct range r)
{
	return r.bytes && (r.start | r.bytes) % PURG_UNIT_BYTES == 0 && range_end(r) > r.start;
}

static struct range destination(const struct purg_piece *piece)
{
	return (struct range){ piece->dst_pa, piece->bytes };
}

static struct range origin(const struct purg_piece *piece)
{
	return (struct range){ piece->src_pa, piece->bytes };
}

static bool moves(const struct purg_piece *piece)
{
	return piece->src_pa != piece->dst_pa;
}

static const char *book(struct books *b, const struct control_segment *h, const struct purg_piece *piece)
{
	struct range to = destination(piece), from = origin(piece);

	if (!is_units(to) || !is_units(from) || piece->bytes > PURG_CHUNK_BYTES)
		return "a piece is not of whole units, or too long";
	if (!range_set_contains(&b->map, to) || !range_set_contains(&b->map, from))
		return "a piece leaves the map";
	if (range_set_overlaps(&b->written, to))
		return "two pieces lie in the same place, or one on the control segment";
	if (piece->work & ~(uint32_t)(PURG_WORK_CHECK | PURG_WORK_CLEAN))
		return "a piece asks for work that there is not";
	if (h->check == PURG_CHECK_NONE && piece->work & PURG_WORK_CHECK)
		return "something is to be verified though nothing should";
	if (h->check != PURG_CHECK_NONE && moves(piece) && !(piece->work & PURG_WORK_CHECK))
		return "something is moved and not verified";
	if (!range_set_add(&b->written, to) || (piece->work & PURG_WORK_CHECK && !range_set_add(&b->verified, to)) ||
	    (piece->work & PURG_WORK_CLEAN && !range_set_add(&b->cleaned, to)))
		return "out of memory";
	return NULL;
}

static const char *check_all(const struct control_segment *h, struct books *b)
{
	struct range own = { h->pa, align_down(h->pa, PLAN_SLOT_BYTES) + PLAN_SLOT_BYTES - h->pa };
	struct range kernel = { h->kernel_pa, h->kernel_bytes }, kernel_file = { h->kernel_pa, h->kernel_file_bytes };
	struct range dtb = { h->dtb_pa, h->dtb_bytes }, stamps = { h->stamps_pa, sizeof(struct purg_stamps) };
	const char *why = NULL;
	size_t i;

	if (h->check != PURG_CHECK_NONE && h->check != PURG_CHECK_CRC32C && h->check != PURG_CHECK_SHA256)
		return "there is no such check";
	if (h->flags & PURG_FLAG_NO_MMU && h->cpus > 1)
		return "several CPUs are to work with the MMU off";
	if (!kernel.bytes || !kernel_file.bytes || kernel_file.bytes > kernel.bytes || !dtb.bytes)
		return "there is no kernel or no device tree";
	if (h->timeline_pa && (h->timeline_pa < dtb.start || h->timeline_pa % 4 ||
			       h->timeline_pa + PURG_T_CELLS * sizeof(uint64_t) > range_end(dtb)))
		return "the timeline is not in the device tree";

	if (h->stamps_pa % sizeof(uint64_t))
		return "the stamps are not aligned";

	for (i = 0; i < h->region_count; i++)
		if (!range_set_add(&b->map, h->regions[i].range))
			return "out of memory";
	if (h->pa % KIB(64) || !range_set_contains(&b->map, (struct range){ h->pa, KIB(64) }))
		return "the control segment is not aligned or not mapped";
	/* The device tree may share the control segment's huge page; it is the kernel that writes both. */
	if (h->dtb_pa > h->pa && h->dtb_pa < range_end(own))
		own.bytes = h->dtb_pa - h->pa;
	if (!range_set_add(&b->written, own))
		return "out of memory";
	/* Where nothing is verified, the device tree is nobody's piece. */
	if (h->check == PURG_CHECK_NONE && (range_set_overlaps(&b->written, dtb) || !range_set_add(&b->written, dtb)))
		return "the device tree lies on the control segment";
	for (i = 0; !why && i < h->piece_count; i++)
		why = book(b, h, &h->pieces[i]);
	if (why)
		return why;
	for (i = 0; i < h->piece_count; i++)
		if (moves(&h->pieces[i]) && range_set_overlaps(&b->written, origin(&h->pieces[i])))
			return "a piece is moved from where another one goes, or from the control segment";
	if (h->check != PURG_CHECK_NONE &&
	    (!range_set_contains(&b->verified, kernel_file) || !range_set_contains(&b->verified, dtb) ||
	     (h->initrd.bytes && !range_set_contains(&b->verified, h->initrd))))
		return "not all of kernel, initrd and device tree is verified";
	if (h->stamps_pa && !range_set_contains(&b->map, stamps))
		return "the stamps are not mapped";
	/* They change after the load. */
	for (i = 0; h->stamps_pa && i < h->piece_count; i++)
		if (range_overlaps(stamps, origin(&h->pieces[i])) || range_overlaps(stamps, destination(&h->pieces[i])))
			return "the stamps lie in a piece";
	if (!range_set_contains(&b->cleaned, kernel))
		return "not all of the kernel is cleaned to memory";
	return NULL;
}

const char *control_check(const struct control_segment *control)
{
	struct books books = { 0 };
	const char *why = check_all(control, &books);

	range_set_free(&books.map);
	range_set_free(&books.written);
	range_set_free(&books.verified);
	range_set_free(&books.cleaned);
	return why;
}
