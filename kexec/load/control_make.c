/* SPDX-License-Identifier: GPL-2.0-only */
/* From what is decided and what was read to the control segment: the pieces that purgatory works on, and what it is told. */
#include "stages.h"

#include <stdlib.h>
#include <string.h>

/* Purgatory, embedded at build time. */
extern const unsigned char purgatory_blob[];
extern const size_t purgatory_blob_bytes;

static int by_start(const void *a, const void *b)
{
	const struct map_region *x = a, *y = b;

	return (x->range.start > y->range.start) - (x->range.start < y->range.start);
}

/* Everything that purgatory touches: windows, sources, control segment, device tree. Whole slots of 2 MiB, each either ours or
 * wholly spare RAM, so whole blocks. */
static size_t collect_regions(const struct placement *placement, struct map_region *regions)
{
	const struct plan *plan = &placement->plan;
	size_t count = 0;
	unsigned int o;
	uint32_t i;

	for (o = 0; o < PLAN_OBJECTS; o++) {
		const struct plan_window *window = &plan->window[o];

		for (i = 0; i < window->slots; i++) {
			regions[count++].range = (struct range){ window->pa + i * PLAN_SLOT_BYTES, PLAN_SLOT_BYTES };
			if (window->slot[i].kind == SLOT_MOVED)
				regions[count++].range = (struct range){ placement->input.page_pa[window->slot[i].page], PLAN_SLOT_BYTES };
		}
	}
	regions[count].range = (struct range){ align_down(plan->control_pa, PLAN_SLOT_BYTES), PLAN_SLOT_BYTES };
	regions[count++].kind = MAP_CODE;
	if (align_down(plan->dtb_pa, PLAN_SLOT_BYTES) != align_down(plan->control_pa, PLAN_SLOT_BYTES))
		regions[count++].range = (struct range){ align_down(plan->dtb_pa, PLAN_SLOT_BYTES), PLAN_SLOT_BYTES };
	qsort(regions, count, sizeof(*regions), by_start);
	return count;
}

/* Behind the initrd, in the page that it waits in. Only what is staged stays where somebody can write to it. */
static pa_t find_stamps(const struct placement *placement)
{
	const struct plan_window *window = &placement->plan.window[OBJECT_INITRD];
	uint64_t offset;
	uint32_t slot;

	if (!plan_slack(&placement->input.object[OBJECT_INITRD], sizeof(struct purg_stamps), &slot, &offset) ||
	    window->slot[slot].page == PLAN_NO_PAGE || !staging_is_shared(&placement->staging))
		return 0;
	return placement->input.page_pa[window->slot[slot].page] + offset;
}

/* All but the pieces. */
static struct control_segment describe(const struct placement *placement, const struct sys *sys, const struct control_facts *facts,
				       struct map_region *regions)
{
	const struct plan *plan = &placement->plan;
	const struct machine *machine = facts->machine;
	struct control_segment c = {
		.pa = plan->control_pa,
		.blob = purgatory_blob, .blob_bytes = purgatory_blob_bytes,
		.regions = regions, .region_count = collect_regions(placement, regions),
		.check = facts->choices->check,
		.cpus = placement->cpus, .mpidr = machine->mpidr, .mpidr_count = placement->cpus > 1 ? machine->mpidr_count : 0,
		.flags = (facts->request->no_mmu ? PURG_FLAG_NO_MMU : 0u) | (machine->serial_found ? PURG_FLAG_VERBOSE : 0u) |
			 (sys->cpu_features & CPU_SME ? PURG_FLAG_SME : 0u) |
			 (machine->knows_mmfr3 ? PURG_FLAG_MMFR3 : 0u),
		.conduit = machine->conduit,
		.kernel_pa = plan->window[OBJECT_KERNEL].pa + facts->image->text_offset,
		.kernel_bytes = facts->image->image_size,
		.kernel_file_bytes = placement->input.object[OBJECT_KERNEL].file_bytes,
		.initrd = { plan->window[OBJECT_INITRD].pa, placement->input.object[OBJECT_INITRD].file_bytes },
		.dtb_bytes = facts->tree->padded_bytes,
		.line_bytes = (uint32_t)sys->line_bytes,
		.dtb_pa = plan->dtb_pa,
		.timeline_pa = plan->dtb_pa + facts->tree->timeline_at, .stamps_pa = find_stamps(placement),
		.uart_pa = machine->uart.pa, .uart_kind = machine->uart.kind,
		.uart_reg_shift = machine->uart.reg_shift,
		.kernel_page_shift = facts->image->page_shift,
	};

	while (1ull << c.granule_shift < sys->page_bytes)
		c.granule_shift++;
	return c;
}

static struct map_region *open_regions(const struct plan *plan)
{
	return calloc(2 * ((size_t)plan->window[0].slots + plan->window[1].slots) + 2, sizeof(struct map_region));
}

/* Each slot gives a piece for its bytes and one for its BSS at most; and there are the device tree and the ELF header. */
static size_t pieces_max(const struct plan *plan)
{
	return 2 * (size_t)plan->window[OBJECT_KERNEL].slots + plan->window[OBJECT_INITRD].slots + 2;
}

enum kx_err control_measure(struct placement *placement, const struct sys *sys, const struct control_facts *facts, struct report *report)
{
	struct map_region *regions = open_regions(&placement->plan);
	size_t table_bytes, room = (size_t)placement->input.control_bytes;
	struct control_segment c;
	enum kx_err err;
	pa_t entry_pa;

	if (!regions)
		return KX_NO_MEMORY;
	c = describe(placement, sys, facts, regions);
	c.piece_count = pieces_max(&placement->plan);
	err = control_build(&c, NULL, room, &placement->control_room, &table_bytes, &entry_pa);
	if (err == KX_NO_ROOM && placement->cpus > 1) {
		report_note(report, "purgatory uses one CPU: there is no room for the stacks of others");
		c.cpus = placement->cpus = 1;
		c.mpidr_count = 0;
		err = control_build(&c, NULL, room, &placement->control_room, &table_bytes, &entry_pa);
	}
	free(regions);
	return err;
}

struct pieces {
	struct purg_piece *piece;
	size_t count;
};

static struct purg_piece *add_piece(struct pieces *p, pa_t dst_pa, pa_t src_pa, uint64_t bytes, uint32_t work)
{
	struct purg_piece *piece = &p->piece[p->count++];

	*piece = (struct purg_piece){ .dst_pa = dst_pa, .src_pa = src_pa, .bytes = bytes, .work = work };
	return piece;
}

/* Where the kernel's memory ends in this slot or before; its BSS is cleaned, and not verified. */
static void add_bss(struct pieces *p, pa_t kernel_end_pa, pa_t slot_pa, pa_t from_pa)
{
	pa_t end_pa = align_up(kernel_end_pa, PURG_UNIT_BYTES);

	if (end_pa > slot_pa + PLAN_SLOT_BYTES)
		end_pa = slot_pa + PLAN_SLOT_BYTES;
	if (from_pa < end_pa)
		add_piece(p, from_pa, from_pa, end_pa - from_pa, PURG_WORK_CLEAN);
}

static void add_object(struct pieces *p, const struct placement *placement, const struct control_facts *facts, unsigned int o,
		       const struct ledger_slot *slots)
{
	const struct plan_window *window = &placement->plan.window[o];
	pa_t kernel_end_pa = window->pa + facts->image->text_offset + facts->image->image_size;
	uint32_t check = facts->choices->check != PURG_CHECK_NONE ? PURG_WORK_CHECK : 0u, i;
	uint32_t work = check | (o == OBJECT_KERNEL ? PURG_WORK_CLEAN : 0u);

	for (i = 0; i < window->slots; i++) {
		struct slot_piece part = plan_piece(window, &placement->input.object[o], i);
		pa_t dst_pa = part.slot_pa + part.slot_offset, src_pa = dst_pa;
		uint64_t padded = align_up(slots[i].bytes, PURG_UNIT_BYTES);

		if (padded && window->slot[i].kind == SLOT_MOVED)
			src_pa = placement->input.page_pa[window->slot[i].page] + part.slot_offset;
		if (padded && (work || src_pa != dst_pa)) {
			struct purg_piece *piece = add_piece(p, dst_pa, src_pa, padded, work);

			if (check)
				memcpy(piece->digest, slots[i].digest, sizeof(piece->digest));
		}
		if (o == OBJECT_KERNEL)
			add_bss(p, kernel_end_pa, part.slot_pa, dst_pa + padded);
	}
}

static void add_checked(struct pieces *p, const struct sys *sys, uint32_t check, pa_t pa, const void *bytes, size_t count)
{
	struct purg_piece *piece = add_piece(p, pa, pa, count, PURG_WORK_CHECK);

	digest_make(sys, check, piece->digest, bytes, count);
}

static enum kx_err control_make(struct control *control, const struct sys *sys, const struct control_facts *facts,
			 const struct placement *placement, const struct payload *payload, struct fail *fail)
{
	struct map_region *regions = open_regions(&placement->plan);
	struct pieces pieces = { calloc(pieces_max(&placement->plan), sizeof(*pieces.piece)), 0 };
	const struct tree *tree = facts->tree;
	struct control_segment c;
	enum kx_err err = KX_NO_MEMORY;
	const char *why = NULL;
	unsigned int o;

	*control = (struct control){ .pa = placement->plan.control_pa, .bytes = calloc(1, placement->control_room) };
	if (regions && pieces.piece && control->bytes) {
		for (o = 0; o < PLAN_OBJECTS; o++)
			add_object(&pieces, placement, facts, o, payload->slot[o]);
		if (facts->choices->check != PURG_CHECK_NONE)
			add_checked(&pieces, sys, facts->choices->check, placement->plan.dtb_pa, tree->dtb, tree->padded_bytes);
		if (facts->choices->check != PURG_CHECK_NONE && tree->elfcore)
			add_checked(&pieces, sys, facts->choices->check, tree_elfcore_pa(tree, &placement->plan), tree->elfcore,
				    tree->elfcore_bytes);
		c = describe(placement, sys, facts, regions);
		c.kernel_file_bytes = payload->file_bytes[OBJECT_KERNEL];
		c.pieces = pieces.piece;
		c.piece_count = pieces.count;
		why = control_check(&c);
		err = why ? KX_PLAN_CHECK : control_build(&c, control->bytes, placement->control_room, &control->count,
							  &control->table_bytes, &control->entry_pa);
	}
	free(regions);
	free(pieces.piece);
	return err ? fail_set(fail, err, "%s", why ? why : "control segment") : KX_OK;
}

enum kx_err control_finish(struct control *control, struct sys *sys, const struct control_facts *facts, struct tree *tree,
			   const char *cmdline, const struct placement *placement, const struct payload *payload, struct fail *fail)
{
	const struct plan *plan = &placement->plan;
	uint64_t initrd_bytes = payload->file_bytes[OBJECT_INITRD];
	bool crash = facts->request->crash;
	struct jump_facts jump = {
		.payload_bytes = payload->file_bytes[OBJECT_KERNEL] + initrd_bytes,
		.relocated_bytes = payload_relocated_bytes(payload, crash),
		.slots = plan->in_place + plan->moved + plan->relocated,
		.slots_in_place = plan->in_place + (crash ? plan->relocated : 0),
		.cpus = placement->cpus,
	};
	enum kx_err err = tree_make(tree, sys, facts->machine, cmdline, plan,
				    (struct range){ plan->window[OBJECT_INITRD].pa, initrd_bytes }, &jump, fail);

	if (err)
		return err;
	control_free(control);
	return control_make(control, sys, facts, placement, payload, fail);
}

/* Two images are told apart by where they are entered (crash_memory_holds()). */
#define PANIC_PLACES	8

enum kx_err panic_image_make(struct control *image, struct sys *sys, const struct control_facts *facts, const struct placement *placement,
			     struct fail *fail)
{
	const struct machine *machine = facts->machine;
	struct map_region region = { .range = { placement->panic_pa, PLAN_SLOT_BYTES }, .kind = MAP_CODE };
	struct control_segment c = {
		.pa = placement->panic_pa + placement->ledger.header->generation % PANIC_PLACES * KIB(64),
		.blob = purgatory_blob, .blob_bytes = purgatory_blob_bytes, .regions = &region, .region_count = 1,
		.check = PURG_CHECK_NONE, .cpus = 1, .flags = PURG_FLAG_PANIC, .conduit = machine->conduit, .line_bytes = (uint32_t)sys->line_bytes,
		.uart_pa = machine->uart.pa, .uart_kind = machine->uart.kind, .uart_reg_shift = machine->uart.reg_shift,
	};
	size_t room = PLAN_SLOT_BYTES - (PANIC_PLACES - 1) * KIB(64);
	enum kx_err err;

	*image = (struct control){ .pa = c.pa, .bytes = calloc(1, room) };
	if (!image->bytes)
		return fail_set(fail, KX_NO_MEMORY, "control segment");
	while (1ull << c.granule_shift < sys->page_bytes)
		c.granule_shift++;
	err = control_build(&c, image->bytes, room, &image->count, &image->table_bytes, &image->entry_pa);
	return err ? fail_set(fail, err, "the image for a panic") : KX_OK;
}

void control_free(struct control *control)
{
	free(control->bytes);
	*control = (struct control){ 0 };
}
