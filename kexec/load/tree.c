/* SPDX-License-Identifier: GPL-2.0-only */
/* The next kernel's device tree. */
#include "stages.h"

#include "bytes.h"
#include "dt.h"

#include <stdlib.h>
#include <string.h>

/* The region that the crash kernel lies in first: old kernels look no further. */
static void usable_memory(const struct memmap *map, struct range *out)
{
	unsigned int i;

	for (i = 0; i < map->crash_count; i++)
		out[i] = map->crash[map->crash_count - 1 - i];
}

static void make_record(unsigned char *record, const struct jump_facts *facts, uint64_t loaded_at)
{
	uint64_t cell[PURG_T_CELLS] = {
		[PURG_T_MAGIC] = (uint64_t)PURG_TIMELINE_MAGIC << 32 | PURG_TIMELINE_VERSION,
		[PURG_T_PAYLOAD_BYTES] = facts->payload_bytes,
		[PURG_T_RELOCATED_BYTES] = facts->relocated_bytes,
		[PURG_T_PAGES] = facts->slots,
		[PURG_T_PAGES_IN_PLACE] = facts->slots_in_place,
		[PURG_T_CPUS_WANTED] = facts->cpus,
		[PURG_T_LOADED_AT] = loaded_at,
	};
	size_t i;

	for (i = 0; i < PURG_T_CELLS; i++)
		store_be(record + i * sizeof(cell[i]), cell[i], sizeof(cell[i]));
}

enum kx_err tree_make(struct tree *tree, struct sys *sys, const struct machine *machine, const char *cmdline, const struct plan *plan,
		      struct range initrd, const struct jump_facts *facts, struct fail *fail)
{
	unsigned char record[PURG_T_CELLS * sizeof(uint64_t)];
	struct range usable[MEMMAP_CRASH_MAX];
	size_t before = tree->padded_bytes;
	struct dt_edit edit = {
		.cmdline = cmdline,
		.seeds = tree->seeded,
		.initrd = initrd,
		.reserve = &machine->gic_tables,
		.keep_reserved = machine->log_cut,
		.property = PURG_TIMELINE_PROPERTY,
		.value = record,
		.value_bytes = sizeof(record),
	};
	enum kx_err err;

	if (tree->elfcore) {
		usable_memory(&machine->memmap, usable);
		edit.usable = usable;
		edit.usable_count = machine->memmap.crash_count;
		edit.elfcore = (struct range){ tree_elfcore_pa(tree, plan), tree->elfcore_bytes };
	}
	make_record(record, facts, sys->now(sys));
	memcpy(edit.kaslr_seed, tree->seeds, sizeof(edit.kaslr_seed));
	memcpy(edit.rng_seed, tree->seeds + sizeof(edit.kaslr_seed), sizeof(edit.rng_seed));

	memset(tree->dtb, 0, tree->room);
	err = dt_edit(machine->dtb, &edit, tree->dtb, tree->room, &tree->dtb_bytes, &tree->timeline_at);
	tree->padded_bytes = (size_t)align_up(tree->dtb_bytes, PURG_UNIT_BYTES);
	if (!err && tree->dtb_bytes > ARM64_DTB_BYTES_MAX)
		err = KX_DTB_TOO_BIG;
	if (err)
		return fail_set(fail, err, "device tree");
	if (before && tree->padded_bytes != before)
		return fail_set(fail, KX_INTERNAL, "the device tree changed its length");
	return KX_OK;
}

enum kx_err tree_open(struct tree *tree, struct sys *sys, const struct machine *machine, const char *cmdline, uint64_t initrd_bytes,
		      bool crash, struct report *report, struct fail *fail)
{
	const struct plan nowhere = { .dtb_pa = 0 };
	const struct jump_facts nothing = { 0 };
	enum kx_err err;

	*tree = (struct tree){ 0 };
	tree->seeded = sys->random(sys, tree->seeds, sizeof(tree->seeds)) == 0;
	if (!tree->seeded)
		report_note(report, "the kernel has no random numbers yet, so the next one starts without a seed");
	/* The old tree, what is put into it, and room for libfdt to shift things about in. */
	tree->room = (size_t)align_up(machine->dtb_bytes + 32 * machine->gic_tables.count, KIB(4)) + KIB(16);
	tree->dtb = calloc(1, tree->room);
	if (!tree->dtb)
		return fail_set(fail, KX_NO_MEMORY, "device tree");
	err = crash ? elfcore_make(tree, sys, machine, report, fail) : KX_OK;
	if (!err)
		err = tree_make(tree, sys, machine, cmdline, &nowhere, (struct range){ 0, initrd_bytes }, &nothing, fail);
	if (err)
		return err;
	/* The ELF header goes with the device tree: on a page of its own, behind it. */
	tree->placed_bytes = tree->padded_bytes;
	if (tree->elfcore)
		tree->placed_bytes = (size_t)align_up(tree->padded_bytes, KIB(64)) + tree->elfcore_bytes;
	return KX_OK;
}

void tree_free(struct tree *tree)
{
	free(tree->dtb);
	free(tree->elfcore);
	*tree = (struct tree){ 0 };
}
