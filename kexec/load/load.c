/* SPDX-License-Identifier: GPL-2.0-only */
/* The order of a load. */
#include "order.h"

#include "crash_kernel.h"
#include "dt.h"
#include "file_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM	"kexec-fast"

const char *lock_hindrance(const struct load_lock *lock)
{
	if (lock->error == -EWOULDBLOCK || lock->error == -EINTR)
		return "another kexec is at work";
	/* Where there is nothing to lock there is nobody to wait for; but what is staged is root's. */
	return lock->error && !lock->sys->is_root(lock->sys) ? "only user 0 can do that" : NULL;
}

void load_remove_others(const struct load *l, int keep)
{
	const char *hindrance;

	/* A crash kernel replaces no other one. */
	if (l->request->crash)
		return;
	hindrance = lock_hindrance(&l->lock);
	if (hindrance)
		report_note(l->report, "what was staged before could not be given back: %s; kexec -u does it", hindrance);
	else if (ledgers_remove(l->sys, keep, false))
		report_note(l->report, "a process holds memory that was staged before: it is given back when that ends");
	if (!hindrance && !l->placement.panic_pa && ledgers_use_crash_memory(l->sys))
		report_note(l->report, "the crash kernel's memory may still hold what was staged in it, which this kernel does not show: kexec -u empties it");
}

void load_tidy(const struct load *l)
{
	if (!l->request->crash && !lock_hindrance(&l->lock))
		ledgers_tidy(l->sys, kernel_is_loaded(l->sys, false), 0);
}

static struct control_facts facts_of(const struct load *l)
{
	return (struct control_facts){ l->request, &l->machine, &l->choices, &l->tree, &l->inputs.image };
}

/* All but what depends on where things lie. */
static struct ledger describe(const struct load *l)
{
	const struct inputs *in = &l->inputs;
	struct ledger ledger = {
		.made_at = l->sys->now(l->sys), .pid = l->sys->pid, .program = PROGRAM, .format = in->format, .cmdline = in->cmdline,
		.serial = l->request->serial, .image = in->image, .check = l->choices.check, .digest = l->choices.digest,
		.cpus = l->request->cpus, .dtb = l->machine.dtb, .dtb_bytes = l->machine.dtb_bytes,
		.table = l->machine.gic_tables.v, .tables = (uint32_t)l->machine.gic_tables.count,
		.flags = (l->request->no_mmu ? LEDGER_NO_MMU : 0u) | (l->machine.log_cut ? 0u : LEDGER_HAS_TABLES) |
			 (l->request->through_file_load ? LEDGER_BY_FILE : 0u),
	};
	unsigned int o, i;

	for (o = 0; o < PLAN_OBJECTS; o++) {
		const struct source *source = &in->source[o];

		for (i = 0; source->sys && i < source->files && ledger.files < LEDGER_FILES; i++)
			if (source->file[i].stamped && !source->file[i].borrowed)
				ledger.file[ledger.files++] = (struct ledger_file){
					source->file[i].whole_path ? source->file[i].whole_path : source->file[i].path, source->file[i].stamp.inode, source->file[i].stamp.bytes,
					source->file[i].stamp.ctime_ns,
				};
		ledger.object[o] = (struct ledger_object){ in->object[o].offset_bytes, in->object[o].memory_bytes,
							   in->object[o].file_bytes, plan_slots(&in->object[o]), NULL };
	}
	return ledger;
}

static enum kx_err unpack_initrd(struct load *l, struct fail *fail)
{
	const struct range_set *ram = &l->machine.memmap.ram;
	size_t bytes, i;
	const char *cmdline = dt_chosen(l->machine.dtb, "bootargs", &bytes);
	uint64_t ram_bytes = 0;

	for (i = 0; i < ram->count; i++)
		ram_bytes += ram->v[i].bytes;
	return inputs_unpack_initrd(&l->inputs, ram_bytes, cmdline && bytes && !cmdline[bytes - 1] ? cmdline : NULL, fail);
}

/* Files, machine, and how long the device tree will be. */
static enum kx_err open_all(struct load *l, struct fail *fail)
{
	size_t dtb_bytes = 0;
	char *dtb = NULL;
	enum kx_err err = inputs_open(&l->inputs, l->sys, l->request, l->report, fail);

	if (!err)
		err = inputs_uki_dtb(&l->inputs, &dtb, &dtb_bytes, fail);
	if (!err)
		err = machine_read(&l->machine, l->sys, l->request, NULL, dtb, dtb_bytes, "the kernel's .dtb section", fail);
	if (!err)
		err = unpack_initrd(l, fail);
	if (err)
		return err;
	if (l->machine.completed[0])
		report_note(l->report, "the device tree that was given lacks what firmware fills in; from this machine's: %s", l->machine.completed);
	/* As with kexec-tools, no reason to fail. */
	if (l->request->serial && !l->machine.serial_found)
		report_note(l->report, "%s %s", l->request->serial, err_text(KX_SERIAL));
	choices_make(&l->choices, l->sys, l->request, &l->machine,
		     l->inputs.object[OBJECT_KERNEL].file_bytes + l->inputs.object[OBJECT_INITRD].file_bytes, l->report);
	err = tree_open(&l->tree, l->sys, &l->machine, l->inputs.cmdline, l->inputs.object[OBJECT_INITRD].file_bytes, l->request->crash,
			l->report, fail);
	return err ? err : plan_input_make(&l->placement.input, l->sys, &l->machine, l->request, l->inputs.object, l->tree.placed_bytes, fail);
}

static enum kx_err place(struct load *l, struct fail *fail)
{
	struct control_facts facts = facts_of(l);
	struct ledger ledger = describe(l);
	enum kx_err err = placement_make(&l->placement, l->sys, &facts, &ledger, l->report, fail);

	/* What the kernel would have to relocate costs more between the kernels than unpacking does behind them: the packed one is tried. */
	if (!err && l->inputs.initrd_packed_bytes && l->request->fast != FAST_NO && l->request->unpack_initrd != UNPACK_YES &&
	    l->placement.plan.relocated)
		err = fail_set(fail, KX_NO_HUGE_PAGES, "%u of them are missing for it", l->placement.plan.relocated);
	return err ? err : placement_trim(&l->placement, fail);
}

static enum kx_err finish(struct load *l, struct fail *fail)
{
	struct control_facts facts = facts_of(l);

	return control_finish(&l->control, l->sys, &facts, &l->tree, l->inputs.cmdline, &l->placement, &l->payload, fail);
}

static enum kx_err commit_it(struct load *l, struct fail *fail)
{
	struct ledger_page *page_list = calloc(l->placement.staging.pages + 1, sizeof(*page_list));
	struct control_facts facts = facts_of(l);
	struct control panic = { .bytes = NULL };
	bool hand_over = l->placement.staging.ops && !staging_is_shared(&l->placement.staging);
	struct ledger ledger = describe(l);
	enum kx_err err = page_list ? KX_OK : fail_set(fail, KX_NO_MEMORY, "lists");

	if (!err && hand_over)
		err = panic_image_make(&panic, l->sys, &facts, &l->placement, fail);
	if (!err && hand_over)
		l->took_crash_kernel = crash_kernel_take(l->sys);

	if (!err) {
		ledger_describe(&ledger, &l->placement, &l->payload, page_list);
		ledger_describe_tree(&ledger, l->sys, &l->placement, &l->tree);
		err = commit(l->sys, l->request, &l->machine, &l->placement, &ledger, &l->tree, &l->payload, &l->control,
			     hand_over ? &panic : NULL, fail);
	}
	control_free(&panic);
	free(page_list);
	return err;
}

#define ATTEMPTS	3

/* Pages that have moved since the plan was made are planned anew: what is in them is not read again. */
static enum kx_err commit_or_plan_again(struct load *l, struct fail *fail)
{
	struct control_facts facts = facts_of(l);
	enum kx_err err = commit_it(l, fail);
	unsigned int attempt;

	for (attempt = 1; err == KX_MOVED && !l->payload.runs && attempt < ATTEMPTS; attempt++) {
		l->placement.input.object[OBJECT_KERNEL].file_bytes = l->payload.file_bytes[OBJECT_KERNEL];
		err = placement_again(&l->placement, l->sys, &facts, &l->payload, l->report, fail);
		if (!err)
			err = payload_rearrange(&l->payload, l->sys, &l->placement, NULL, NULL, fail);
		if (!err)
			err = placement_trim(&l->placement, fail);
		if (!err)
			err = finish(l, fail);
		if (!err)
			err = commit_it(l, fail);
	}
	return err == KX_NO_ROOM ? fail_with(fail, KX_MOVED) : err;
}

static void fill_report(const struct load *l)
{
	const struct plan *plan = &l->placement.plan;
	struct report *r = l->report;
	static const char *const checks[] = {
		[PURG_CHECK_NONE] = "none", [PURG_CHECK_CRC32C] = "crc32c", [PURG_CHECK_SHA256] = "sha256",
	};
	unsigned int o;
	uint32_t i;

	r->fast = l->request->fast != FAST_NO;
	snprintf(r->kernel, sizeof(r->kernel), "%s", l->request->kernel);
	snprintf(r->boot_entry, sizeof(r->boot_entry), "%s", l->request->boot_entry ? l->request->boot_entry : "");
	snprintf(r->format, sizeof(r->format), "%s", l->inputs.format);
	r->initrd_packed_bytes = l->inputs.initrd_packed_bytes;
	r->initrd_unpacked_bytes = r->initrd_packed_bytes ? l->inputs.object[OBJECT_INITRD].file_bytes : 0;
	snprintf(r->initrd_compression, sizeof(r->initrd_compression), "%s", l->inputs.initrd_compression);
	for (o = 0; o < PLAN_OBJECTS; o++) {
		const struct plan_object *object = &l->inputs.object[o];
		const struct plan_window *window = &plan->window[o];
		struct report_object *to = &r->object[r->objects];

		if (!object->memory_bytes)
			continue;
		r->objects++;
		snprintf(to->name, sizeof(to->name), "%s", object->name);
		to->place = (struct range){ window->pa + object->offset_bytes, object->memory_bytes };
		to->file_bytes = l->payload.file_bytes[o];
		for (i = 0; i < window->slots; i++) {
			to->slots += window->slot[i].kind != SLOT_EMPTY;
			to->in_place += window->slot[i].kind == SLOT_IN_PLACE;
			to->moved += window->slot[i].kind == SLOT_MOVED;
			to->relocated += window->slot[i].kind == SLOT_RELOCATED;
		}
	}
	r->control = (struct range){ plan->control_pa, l->control.count };
	r->dtb = (struct range){ plan->dtb_pa, l->tree.dtb_bytes };
	r->table_bytes = l->control.table_bytes;
	r->through_file_load = l->request->through_file_load;
	r->in_crash_memory = l->placement.staging.ops && l->placement.staging.ops->kind == STAGING_CRASH_MEMORY;
	r->segments = r->through_file_load ? 1 : 2 + (unsigned int)l->payload.runs + (l->tree.elfcore != NULL);
	r->segment_bytes = r->through_file_load ? file_image_bytes(l->control.count) :
			   l->control.count + l->tree.dtb_bytes + l->tree.elfcore_bytes + payload_relocated_bytes(&l->payload, l->request->crash);
	r->slot_bytes = PLAN_SLOT_BYTES;
	r->staged_bytes = l->placement.staging.ops ? staging_bytes(&l->placement.staging) : 0;
	r->pages_tried = l->placement.pages_tried;
	snprintf(r->check, sizeof(r->check), "%s", checks[l->choices.check]);
	r->cpus = l->placement.cpus;
	snprintf(r->console, sizeof(r->console), "%s", l->machine.uart.name);
	snprintf(r->cmdline, sizeof(r->cmdline), "%s", l->inputs.cmdline ? l->inputs.cmdline : "");
	r->loaded = !l->request->plan_only;
}

/* Everything but the inputs, which a second try reads again. */
static void drop_stages(struct load *l)
{
	placement_close(&l->placement, true);
	payload_free(&l->payload);
	control_free(&l->control);
	tree_free(&l->tree);
	machine_free(&l->machine);
}

static enum kx_err run_stages(struct load *l, struct fail *fail)
{
	enum kx_err err = open_all(l, fail);

	if (!err)
		err = place(l, fail);
	if (!err)
		err = payload_fill(&l->payload, l->sys, &l->inputs, &l->placement, l->choices.digest, fail);
	if (!err)
		err = finish(l, fail);
	if (!err && !l->request->plan_only)
		err = commit_or_plan_again(l, fail);
	return err;
}

/* The kernel counts on it from here on. */
static void keep_staging(struct load *l)
{
	if (l->took_crash_kernel)
		report_note(l->report, "the crash kernel that was loaded is not any more, so a panic leaves no dump, until kexec -u");
	int keep = l->placement.ledger.sys ? l->placement.ledger.number : -1;

	staging_close(&l->placement.staging, false);
	ledger_close(&l->placement.ledger, false);
	load_remove_others(l, keep);
}

/* Staged, or without staging if that is allowed. */
static enum kx_err run_either_way(struct load *l, struct fail *fail)
{
	const struct load_request *request = l->request;
	struct load_request plain = *request;
	enum kx_err err = run_stages(l, fail);

	if ((err != KX_MOVED && err != KX_STAGED_GONE) || request->fast != FAST_AUTO)
		return err;
	report_note(l->report, "staging was not possible: %s", err_text(err));
	drop_stages(l);
	plain.fast = FAST_NO;
	l->request = &plain;
	err = run_stages(l, fail);
	l->request = request;
	return err;
}

enum kx_err load_in_stages(struct load *l, struct fail *fail)
{
	const struct load_request *request = l->request;
	struct load_request packed = *request;
	uint64_t start_ms = l->sys->now_ms(l->sys);
	char who[128];
	enum kx_err err;

	load_tidy(l);
	/* Neither call hands over what the kernel has for its own device tree: the next kernel gets ours. */
	if (!request->crash && !request->drop_live_update && live_update_session(l->sys, who, sizeof(who)))
		return fail_set(fail, KX_LIVE_UPDATE, "%s", who);
	err = run_either_way(l, fail);
	/* What does not work with the larger initrd may with the smaller one; nobody is to lose a load to what nobody asked for. */
	if (err && err != KX_INTERRUPTED && err != KX_NO_SYSCALL && err != KX_FILE_LOAD && l->inputs.initrd_packed_bytes &&
	    request->unpack_initrd != UNPACK_YES) {
		report_note(l->report, "the initrd is left as it is, since unpacked it could not be staged: %s", err_text(err));
		drop_stages(l);
		err = inputs_pack_initrd(&l->inputs, fail);
		packed.unpack_initrd = UNPACK_NO;
		l->request = l->inputs.request = &packed;
		if (!err)
			err = run_either_way(l, fail);
		l->request = l->inputs.request = request;
	}
	if (!err) {
		fill_report(l);
		if (!request->plan_only)
			keep_staging(l);
		l->report->load_ms = l->sys->now_ms(l->sys) - start_ms;
	}
	drop_stages(l);
	return err;
}
