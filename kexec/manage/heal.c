/* SPDX-License-Identifier: GPL-2.0-only */
/* Making what is staged true again: planned anew from the staged memory itself, and loaded again; or undone. */
#include "manage.h"

#include "probe.h"
#include "stages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A load without its files: what they gave is staged. */
struct reload {
	struct sys *sys;
	struct staged *staged;
	struct report *report;
	struct load_request request;	/* as it was */
	struct machine machine;
	struct choices choices;
	struct tree tree;
	struct placement placement;
	struct payload payload;
	struct control control;
};

static enum check_kind kind_of(uint32_t check)
{
	return check == PURG_CHECK_NONE ? CHECK_NONE : check == PURG_CHECK_SHA256 ? CHECK_SHA256 : CHECK_CRC32C;
}

static uint64_t initrd_bytes(const struct reload *r)
{
	return r->payload.file_bytes[OBJECT_INITRD];
}

static enum kx_err read_machine(struct reload *r, struct fail *fail)
{
	const struct ledger *ledger = &r->staged->ledger;
	char *dtb = malloc(ledger->dtb_bytes + 1);
	struct range_set tables = { 0 };
	enum kx_err err = dtb ? KX_OK : fail_set(fail, KX_NO_MEMORY, "device tree");
	uint32_t i;

	for (i = 0; !err && i < ledger->tables; i++)
		if (!range_set_add(&tables, ledger->table[i]))
			err = fail_set(fail, KX_NO_MEMORY, "memory map");
	if (err) {
		free(dtb);
	} else {
		memcpy(dtb, ledger->dtb, ledger->dtb_bytes);
		/* Once all were known, they are: the log has lost them in the meantime. */
		err = machine_read(&r->machine, r->sys, &r->request, ledger->flags & LEDGER_HAS_TABLES ? &tables : NULL, dtb, ledger->dtb_bytes,
				   "the device tree in the ledger", fail);
	}
	range_set_free(&tables);
	return err;
}

static enum kx_err take_payload(struct reload *r, struct fail *fail)
{
	const struct ledger *ledger = &r->staged->ledger;
	unsigned int o;

	for (o = 0; o < PLAN_OBJECTS; o++) {
		const struct ledger_object *from = &ledger->object[o];

		r->payload.slot[o] = calloc((size_t)from->slots + 1, sizeof(*r->payload.slot[o]));
		if (!r->payload.slot[o])
			return fail_set(fail, KX_NO_MEMORY, "lists");
		memcpy(r->payload.slot[o], from->slot, from->slots * sizeof(*from->slot));
		r->payload.file_bytes[o] = from->file_bytes;
	}
	return KX_OK;
}

/* All up to the plan, which is made of what the machine is now: memory may have gone since the load. */
static enum kx_err prepare(struct reload *r, struct fail *fail)
{
	const struct ledger *ledger = &r->staged->ledger;
	struct plan_object object[PLAN_OBJECTS];
	unsigned int o;
	enum kx_err err;

	r->request = (struct load_request){
		.kernel = ledger->file[0].path, .cmdline = ledger->cmdline, .serial = ledger->serial, .fast = FAST_REQUIRE,
		.check = kind_of(ledger->check), .cpus = ledger->cpus, .no_mmu = (ledger->flags & LEDGER_NO_MMU) != 0,
		.dtb_is_complete = true,
		.through_file_load = (ledger->flags & LEDGER_BY_FILE) != 0,
	};
	err = take_payload(r, fail);
	if (!err)
		err = read_machine(r, fail);
	if (err)
		return err;
	choices_make(&r->choices, r->sys, &r->request, &r->machine, r->payload.file_bytes[OBJECT_KERNEL] + initrd_bytes(r), r->report);
	err = tree_open(&r->tree, r->sys, &r->machine, ledger->cmdline, initrd_bytes(r), false, r->report, fail);
	if (err)
		return err;
	for (o = 0; o < PLAN_OBJECTS; o++)
		object[o] = (struct plan_object){ o == OBJECT_KERNEL ? "kernel" : "initrd", ledger->object[o].offset_bytes,
						  ledger->object[o].memory_bytes, ledger->object[o].file_bytes };
	return plan_input_make(&r->placement.input, r->sys, &r->machine, &r->request, object, r->tree.placed_bytes, fail);
}

/* The new ledger names the staging that the old one has; so neither is without one, whenever this ends. */
static enum kx_err open_ledger(struct reload *r, struct fail *fail)
{
	const struct ledger_header *old = &r->staged->header;
	enum kx_err err = ledger_create(&r->placement.ledger, r->sys, r->staged->header.staging_kind, ledger_bytes_max(&r->staged->ledger), fail);

	if (err)
		return err;
	r->placement.ledger.header->staging_number = old->staging_number;
	memcpy(r->placement.ledger.header->stamp, old->stamp, sizeof(old->stamp));
	return KX_OK;
}

static enum kx_err plan_and_commit(struct reload *r, struct fail *fail)
{
	struct control_facts facts = { &r->request, &r->machine, &r->choices, &r->tree, &r->staged->ledger.image };
	struct ledger ledger = r->staged->ledger;
	struct ledger_page *page_list = calloc(r->placement.staging.pages + 1, sizeof(*page_list));
	enum kx_err err = page_list ? KX_OK : fail_set(fail, KX_NO_MEMORY, "lists");

	if (!err)
		err = placement_again(&r->placement, r->sys, &facts, &r->payload, r->report, fail);
	/* From here on the old image is not even nearly true, and nobody stops half way. */
	if (!err && r->sys->interrupted(r->sys))
		err = fail_with(fail, KX_INTERRUPTED);
	if (!err)
		err = payload_rearrange(&r->payload, r->sys, &r->placement, &r->staged->store, &r->staged->ledger, fail);
	if (!err)
		err = placement_mark(&r->placement, fail);
	if (!err)
		err = control_finish(&r->control, r->sys, &facts, &r->tree, ledger.cmdline, &r->placement, &r->payload, fail);
	if (!err) {
		ledger_describe(&ledger, &r->placement, &r->payload, page_list);
		ledger_describe_tree(&ledger, r->sys, &r->placement, &r->tree);
		/* Unloaded meanwhile, or something else was loaded: then there is nothing to be healed. */
		if (loaded_is_anothers(r->staged))
			err = fail_with(fail, KX_NOT_STAGED);
	}
	if (!err)
		err = commit(r->sys, &r->request, &r->machine, &r->placement, &ledger, &r->tree, &r->payload, &r->control, NULL, fail);
	free(page_list);
	/* Only now: until then the old ledger counts, and names them. */
	if (!err)
		staging_keep(&r->placement.staging, r->placement.keep);
	return err;
}

#define ATTEMPTS	3

static enum kx_err reload(struct staged *staged, struct report *report, struct fail *fail)
{
	struct reload r = { .sys = staged->sys, .staged = staged, .report = report };
	unsigned int attempt;
	int number;
	enum kx_err err;

	if (staged->ledger.flags & LEDGER_RELOCATED)
		return fail_set(fail, KX_MOVED, "part of the payload is not staged");
	err = prepare(&r, fail);
	if (!err)
		err = open_ledger(&r, fail);
	if (!err) {
		number = r.placement.ledger.number;
		/* Whoever has the staging closes it. */
		r.placement.staging = staged->staging;
		staged->staging = (struct staging){ 0 };
		err = plan_and_commit(&r, fail);
		for (attempt = 1; err == KX_MOVED && attempt < ATTEMPTS; attempt++)
			err = plan_and_commit(&r, fail);
		staging_close(&r.placement.staging, false);
		ledger_close(&r.placement.ledger, err != KX_OK);
		if (!err)
			ledgers_remove(r.sys, number, false);
	}
	placement_close(&r.placement, false);
	payload_free(&r.payload);
	control_free(&r.control);
	tree_free(&r.tree);
	machine_free(&r.machine);
	return err;
}

/* Nothing that is not true may be started. */
static enum kx_err undo(struct sys *sys, struct heal *heal, struct fail *fail)
{
	char why[sizeof(heal->check.why)];
	int err = sys_unload(sys, false, SYSCALL_AUTO);

	memcpy(why, heal->check.why, sizeof(why));
	if (err && kernel_is_loaded(sys, false) != 0)
		return fail_set(fail, KX_NOT_UNDONE, "%s (%s)", why, strerror(-err));
	heal->undone = true;
	ledgers_remove(sys, -1, false);
	return fail_set(fail, KX_UNDONE, "%s", why);
}

static enum kx_err nobodys(struct heal *heal)
{
	heal->check = (struct staged_check){ .truth = STAGED_NOTHING };
	return KX_OK;
}

static enum kx_err make_true(struct staged *staged, struct heal *heal, struct fail *fail)
{
	struct sys *sys = staged->sys;
	struct fail reason;
	enum kx_err err = staged_verify(staged, true, &heal->check, fail);

	if (err || (heal->check.truth == STAGED_TRUE && staged->header.state == LEDGER_LOADED))
		return err;
	if (loaded_is_anothers(staged))
		return nobodys(heal);
	if (heal->check.truth == STAGED_DAMAGED) {
		staged_close(staged);
		return undo(sys, heal, fail);
	}
	/* Nothing moves there, so a loader was killed in the middle, and whether it came to its end is not to be seen. */
	if (!staging_is_shared(&staged->staging)) {
		snprintf(heal->check.why, sizeof(heal->check.why), "kexec was killed while it loaded what is staged in the crash kernel's memory");
		staged_close(staged);
		return undo(sys, heal, fail);
	}
	err = reload(staged, &heal->report, &reason);
	heal->healed = !err;
	if (!err)
		return KX_OK;
	if (err == KX_NOT_STAGED)
		return nobodys(heal);
	if (err == KX_INTERRUPTED)
		return fail_with(fail, err);
	snprintf(heal->check.why, sizeof(heal->check.why), "%u pages have moved, and planning anew failed: %.80s%s%s", heal->check.moved,
		 reason.detail, reason.detail[0] ? ": " : "", err_text(err));
	staged_close(staged);
	return undo(sys, heal, fail);
}

static enum kx_err heal_locked(struct sys *sys, struct heal *heal, struct fail *fail)
{
	struct ledgers_found found = ledgers_find(sys, 0);
	pa_t entry_pa = found.doubtful ? loaded_entry_pa(sys) : 0;
	int loaded = kernel_is_loaded(sys, false);
	struct staged staged;
	enum kx_err err;

	ledgers_tidy(sys, loaded, entry_pa);
	if (loaded == 0)
		return KX_OK;
	err = staged_open(&staged, sys, entry_pa, fail);
	if (err == KX_NOT_STAGED)
		return staged_is_lost(sys, &heal->check) ? undo(sys, heal, fail) : KX_OK;
	if (err == KX_LEDGER_VERSION) {
		/* Purgatory will hold it against its digests all the same. */
		report_note(&heal->report, "%s", err_text(err));
		return KX_OK;
	}
	if (err)
		return err;
	err = make_true(&staged, heal, fail);
	staged_close(&staged);
	/* Somebody may have unloaded meanwhile, and left to us what was staged. */
	ledgers_tidy(sys, kernel_is_loaded(sys, false), 0);
	return err;
}

enum kx_err staged_heal(struct sys *sys, struct heal *heal, struct fail *fail)
{
	uint64_t start_ms = sys->now_ms(sys);
	enum kx_err err = staged_preflight(sys, fail);
	struct ledgers_found found;
	int locked;

	*heal = (struct heal){ .check = { .truth = STAGED_NOTHING } };
	if (err)
		return err;
	found = ledgers_find(sys, 0);
	if (!found.count && !found.at_work && !found.unread && !staging_claimed(sys))
		return KX_OK;
	locked = sys->lock(sys, true);
	if (locked == -EWOULDBLOCK)
		return fail_with(fail, KX_LOCKED);
	if (locked == -EINTR)
		return fail_with(fail, KX_INTERRUPTED);
	err = heal_locked(sys, heal, fail);
	if (!locked)
		sys->unlock(sys);
	heal->ms = sys->now_ms(sys) - start_ms;
	return err;
}
