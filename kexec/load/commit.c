/* SPDX-License-Identifier: GPL-2.0-only */
/* Telling the kernel. */
#include "stages.h"

#include <errno.h>
#include <string.h>

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
			page_list[ledger->pages++] = (struct ledger_page){ staging->pa[i], i, 0 };
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
	store->header->entry_pa = entry_pa;
	ledger_set_state(store, LEDGER_COMMITTING);
	return KX_OK;
}

enum kx_err commit(struct sys *sys, const struct load_request *request, struct placement *placement, const struct ledger *ledger,
		   const struct tree *tree, const struct payload *payload, const struct control *control, struct fail *fail)
{
	struct sys_segment segments[3 + RELOCATED_RUNS_MAX];
	size_t count = make_segments(segments, sys, &placement->plan, tree, payload, control);
	pa_t entry_pa = request->entry ? request->entry : control->entry_pa;
	bool staged = placement->staging.ops != NULL;
	enum kx_err err = staged ? seal_ledger(placement, ledger, entry_pa, fail) : KX_OK;
	int result;

	if (err)
		return err;
	if (sys->interrupted(sys)) {
		err = fail_set(fail, KX_INTERRUPTED, "%s", request->kernel);
	} else {
		result = sys->kexec_load(sys, entry_pa, segments, count, request->crash ? SYS_KEXEC_ON_CRASH : 0);
		err = result ? kexec_load_error(result, fail) : KX_OK;
	}
	if (staged)
		ledger_set_state(&placement->ledger, err ? LEDGER_STAGING : LEDGER_LOADED);
	if (staged && !err)
		staging_claim(sys, entry_pa);
	return err;
}
