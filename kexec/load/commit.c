/* SPDX-License-Identifier: GPL-2.0-only */
/* Telling the kernel. */
#include "stages.h"

#include "file_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The stub for kexec_file_load(2), embedded at build time. */
extern const unsigned char file_stub_blob[];
extern const size_t file_stub_blob_bytes;

/* The kernel starts it so far behind a 2 MiB boundary: where, is its choice; by that two images can be told apart (ledger_is_entry()). Only
 * multiples of the largest page; and no kernel's own text_offset, which was 0x80000 before Linux 5.8. */
static uint64_t text_offset_of(const struct placement *placement)
{
	return MIB(1) + placement->ledger.header->generation % 15 * KIB(64);
}

/* They begin as kexec-tools' message does. */
enum kx_err kexec_load_error(int err, struct fail *fail)
{
	switch (err) {
	case -EPERM:
		return fail_set(fail, KX_NOT_PERMITTED, "kexec_load failed: %s", strerror(-err));
	case -EBUSY:
		return fail_set(fail, KX_BUSY, "kexec_load failed: %s", strerror(-err));
	case -ENOSYS:
		return fail_set(fail, KX_NO_SYSCALL, "kexec_load failed: %s", strerror(-err));
	case -ENOMEM:
		return fail_set(fail, KX_NO_MEMORY, "kexec_load failed: %s", strerror(-err));
	default:
		return fail_set(fail, KX_KEXEC_LOAD, "%s", strerror(-err));
	}
}

void ledger_describe(struct ledger *ledger, const struct placement *placement, const struct payload *payload,
		     struct ledger_page *page_list)
{
	const struct staging *staging = &placement->staging;
	unsigned int o;
	uint32_t i;

	ledger->room = staging->room;
	ledger->pages = 0;
	ledger->page = page_list;
	for (i = 0; i < staging->pages; i++)
		if (placement->keep[i])
			page_list[ledger->pages++] = (struct ledger_page){ staging->pa[i], i, placement->extra[i] ? LEDGER_PAGE_EXTRA : 0u };
	for (o = 0; o < PLAN_OBJECTS; o++) {
		const struct plan_object *object = &placement->input.object[o];

		ledger->object[o] = (struct ledger_object){
			object->offset_bytes, object->memory_bytes, payload->file_bytes[o], placement->plan.window[o].slots, payload->slot[o],
		};
	}
	if (payload->runs)
		ledger->flags |= LEDGER_RELOCATED;
	ledger->control_pa = placement->plan.control_pa;
	ledger->dtb_pa = placement->plan.dtb_pa;
}

void ledger_describe_tree(struct ledger *ledger, const struct sys *sys, const struct placement *placement, const struct tree *tree)
{
	if (!(ledger->flags & LEDGER_BY_FILE))
		return;
	ledger->tree = (struct ledger_slot){ .page = placement->plan.dtb_page, .bytes = (uint32_t)tree->padded_bytes };
	digest_make(sys, ledger->digest, ledger->tree.digest, tree->dtb, tree->padded_bytes);
}

static size_t make_segments(struct sys_segment *segment, const struct sys *sys, const struct plan *plan, const struct tree *tree,
			    const struct payload *payload, const struct control *control)
{
	size_t count = 0, i;

	segment[count++] = (struct sys_segment){ control->bytes, control->count, plan->control_pa,
						 align_up(control->count, sys->page_bytes) };
	segment[count++] = (struct sys_segment){ tree->dtb, tree->padded_bytes, plan->dtb_pa,
						 align_up(tree->padded_bytes, sys->page_bytes) };
	if (tree->elfcore)
		segment[count++] = (struct sys_segment){ tree->elfcore, tree->elfcore_bytes, tree_elfcore_pa(tree, plan),
							 align_up(tree->elfcore_bytes, sys->page_bytes) };
	for (i = 0; i < payload->runs; i++) {
		const struct relocated_run *run = &payload->run[i];

		segment[count++] = (struct sys_segment){ run->buf + (run->range.start - run->slots_pa), run->range.bytes,
							 run->range.start, align_up(run->range.bytes, sys->page_bytes) };
	}
	return count;
}

/* Up to the last moment, everything is as it was planned; and what would tell a later run so is written. */
static enum kx_err seal_ledger(struct placement *placement, const struct ledger *ledger, pa_t entry_pa, struct fail *fail)
{
	struct ledger_store *store = &placement->ledger;
	enum kx_err err;
	bool moved;

	if (!staging_exists(&placement->staging))
		return fail_with(fail, KX_STAGED_GONE);
	err = ledger_write(ledger, store->header, store->bytes);
	if (err)
		return fail_set(fail, KX_INTERNAL, "the ledger is longer than was thought");
	err = staging_refresh(&placement->staging, &moved, fail);
	if (!err && moved)
		err = fail_with(fail, KX_MOVED);
	if (err)
		return err;
	store->header->entry_is_offset = (ledger->flags & LEDGER_BY_FILE) != 0;
	store->header->entry_pa = entry_pa;
	ledger_set_state(store, LEDGER_COMMITTING);
	return KX_OK;
}

/* By kexec_file_load(2). */
static enum kx_err hand_over_file(struct sys *sys, const struct machine *machine, const struct placement *placement,
				  const struct control *control, struct fail *fail)
{
	struct file_image image = {
		.stub = file_stub_blob, .stub_bytes = file_stub_blob_bytes, .control = control->bytes, .control_bytes = control->count,
		.control_pa = placement->plan.control_pa, .entry_pa = control->entry_pa, .text_offset = text_offset_of(placement),
		.conduit = machine->conduit, .line_bytes = (uint32_t)sys->line_bytes,
	};
	size_t count = file_image_bytes(control->count);
	unsigned char *bytes = malloc(count);
	int fd = bytes ? sys->make_file(sys) : -ENOMEM, result;
	enum kx_err err = fd < 0 ? fail_set(fail, KX_NO_MEMORY, "%s", strerror(-fd)) : KX_OK;

	if (!err && file_image_make(&image, bytes))
		err = fail_set(fail, KX_INTERNAL, "the stub for kexec_file_load");
	if (!err && (result = sys->write(sys, fd, bytes, count)) < 0)
		err = fail_set(fail, KX_NO_MEMORY, "%s", strerror(-result));
	if (!err) {
		/* A CMA area, where kernels from 6.17 on look first, need not give them 2 MiB boundaries. */
		result = sys->kexec_file_load(sys, fd, -1, "", SYS_FILE_NO_INITRAMFS | (kernel_is_from(sys, 6, 17) ? SYS_FILE_NO_CMA : 0ul));
		if (result)
			err = fail_set(fail, KX_FILE_LOAD, "%s", strerror(-result));
	}
	if (fd >= 0)
		sys->close(sys, fd);
	free(bytes);
	return err;
}

/*
 * Into the crash kernel's memory, which holds one image at a time. What was staged in it before is lost from here on, so first nothing is
 * loaded that counts on that. Written down before, so that a later run knows whose it is.
 */
static enum kx_err hand_over(struct sys *sys, struct placement *placement, const struct control *panic, struct fail *fail)
{
	struct ledger_store *store = &placement->ledger;
	const struct staging_panic image = { panic->bytes, panic->count, panic->pa, panic->entry_pa };
	bool *holds = calloc(placement->staging.pages + 1, sizeof(*holds));
	enum kx_err err = holds ? KX_OK : fail_set(fail, KX_NO_MEMORY, "lists");
	uint32_t i;

	for (i = 0; holds && i < placement->staging.pages; i++)
		holds[i] = placement->keep[i] && !placement->extra[i];
	if (!err && sys->interrupted(sys))
		err = fail_set(fail, KX_INTERRUPTED, "staging");
	if (!err && crash_memory_is_staged(sys)) {
		int result = sys_unload(sys, false, SYSCALL_AUTO);

		if (result)
			err = kexec_load_error(result, fail);
	}
	if (!err) {
		store->header->crash_entry_pa = panic->entry_pa;
		err = staging_hand_over(&placement->staging, holds, &image, fail);
	}
	/* What had been there is not any more. */
	if (!err)
		ledgers_leave_crash_memory(sys, store->number);
	free(holds);
	return err;
}

enum kx_err commit(struct sys *sys, const struct load_request *request, const struct machine *machine, struct placement *placement, const struct ledger *ledger,
		   const struct tree *tree, const struct payload *payload, const struct control *control, const struct control *panic, struct fail *fail)
{
	struct sys_segment segments[3 + RELOCATED_RUNS_MAX];
	size_t count = make_segments(segments, sys, &placement->plan, tree, payload, control);
	bool staged = placement->staging.ops != NULL, by_file = request->through_file_load;
	pa_t entry_pa = by_file ? text_offset_of(placement) : request->entry ? request->entry : control->entry_pa, loaded_pa;
	enum kx_err err = by_file ? payload_put_tree(sys, placement, tree, fail) : KX_OK;
	int result;

	if (!err && panic)
		err = hand_over(sys, placement, panic, fail);
	if (!err && staged)
		err = seal_ledger(placement, ledger, entry_pa, fail);
	if (err)
		return err;
	/* Once the crash kernel's memory is taken nobody stops half way. */
	if (!panic && sys->interrupted(sys)) {
		err = fail_set(fail, KX_INTERRUPTED, "%s", request->kernel);
	} else if (by_file) {
		err = hand_over_file(sys, machine, placement, control, fail);
	} else {
		result = sys->kexec_load(sys, entry_pa, segments, count, request->crash ? SYS_KEXEC_ON_CRASH : 0);
		err = result ? kexec_load_error(result, fail) : KX_OK;
	}
	if (staged)
		ledger_set_state(&placement->ledger, err ? LEDGER_STAGING : LEDGER_LOADED);
	if (staged && !err) {
		loaded_pa = by_file ? loaded_entry_pa(sys) : 0;
		staging_claim(sys, loaded_pa ? loaded_pa : entry_pa);
	}
	return err;
}
