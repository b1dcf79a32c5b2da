/* SPDX-License-Identifier: GPL-2.0-only */
/* From a request to what is to be placed, and from what was placed to a report: check, CPUs, device tree. */
#include "payload.h"

#include "bytes.h"
#include "dt.h"
#include "purgatory_abi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void choose_check(struct payload *p)
{
	unsigned int cpu = p->sys->cpu_features;

	switch (p->request->check) {
	case CHECK_NONE:
		p->check = PURG_CHECK_NONE;
		break;
	case CHECK_SHA256:
		p->check = PURG_CHECK_SHA256;
		break;
	case CHECK_CRC32C:
		p->check = PURG_CHECK_CRC32C;
		break;
	default:
		p->check = cpu & CPU_CRC32 || !(cpu & CPU_SHA2) ? PURG_CHECK_CRC32C : PURG_CHECK_SHA256;
		break;
	}
	if ((p->check == PURG_CHECK_CRC32C && !(cpu & CPU_CRC32)) || (p->check == PURG_CHECK_SHA256 && !(cpu & CPU_SHA2)))
		report_note(p->report, "this CPU has no instructions for the check, so it is done in C and takes longer");
}

/* Calling a CPU takes as long as verifying a few MiB. Reading for a CRC soon waits for the memory; SHA-256 waits for the CPU. */
#define AUTO_FROM_BYTES		MIB(256)
#define AUTO_CPUS_CRC32C	4
#define AUTO_CPUS_SHA256	PURG_CPUS_MAX

static void choose_cpus(struct payload *p)
{
	const struct machine *m = &p->machine;
	unsigned int wanted = p->request->cpus ? p->request->cpus : 1, most = m->cpus_online;
	const char *why = NULL;

	if (wanted == CPUS_AUTO) {
		wanted = 1;
		if (p->check != PURG_CHECK_NONE && !p->request->crash &&
		    p->input.object[0].file_bytes + p->input.object[1].file_bytes >= AUTO_FROM_BYTES)
			wanted = p->check == PURG_CHECK_SHA256 ? AUTO_CPUS_SHA256 : AUTO_CPUS_CRC32C;
		if (wanted > most && most)
			wanted = most;
	}
	p->cpus = 1;
	if (wanted == 1)
		return;
	if (p->request->crash)
		/* Purgatory resets the machine when one that it called does not come, and then there is no dump. */
		why = "after a panic another one may be stuck";
	else if (!m->psci)
		why = "there is no PSCI 0.2 firmware to call others with";
	else if (!m->mpidr_count)
		why = "it is not known how firmware numbers the others";
	else if (p->request->no_mmu)
		why = "with the MMU off CPUs cannot share work";
	if (why) {
		report_note(p->report, "purgatory uses one CPU: %s", why);
		return;
	}
	p->cpus = wanted;
	if (wanted > most && most <= PURG_CPUS_MAX) {
		p->cpus = most;
		report_note(p->report, "purgatory uses %u CPU%s: there are no more", most, most == 1 ? "" : "s");
	} else if (wanted > PURG_CPUS_MAX) {
		p->cpus = PURG_CPUS_MAX;
		report_note(p->report, "purgatory uses %u CPUs: more would only wait for the memory", PURG_CPUS_MAX);
	}
}

/* Bad news that nobody would see: then at least that. */
static void note_console(struct payload *p)
{
	const struct machine *m = &p->machine;

	if (m->uart.kind == PURG_UART_NONE && m->unknown_console[0])
		report_note(p->report, "purgatory is silent: it does not know the console %s", m->unknown_console);
}

static uint64_t relocated_bytes(const struct payload *p)
{
	uint64_t bytes = 0;
	size_t i;

	/* A crash kernel is put into its place when it is loaded. */
	for (i = 0; i < p->runs && !p->request->crash; i++)
		bytes += p->run[i].range.bytes;
	return bytes;
}

/* The region that the crash kernel lies in first: old kernels look no further. */
static void usable_memory(const struct payload *p, struct range *out)
{
	const struct memmap *map = &p->machine.memmap;
	unsigned int i;

	for (i = 0; i < map->crash_count; i++)
		out[i] = map->crash[map->crash_count - 1 - i];
}

pa_t payload_elfcore_pa(const struct payload *p)
{
	return p->plan.dtb_pa + p->input.dtb_bytes - p->elfcore_bytes;
}

/* The device tree's length does not depend on the addresses in it, so this is also how long the real one will be. */
static enum kx_err make_dtb(struct payload *p, struct fail *fail)
{
	unsigned char record[PURG_T_CELLS * sizeof(uint64_t)] = { 0 };
	const struct plan_window *initrd = &p->plan.window[OBJECT_INITRD];
	struct dt_edit edit = {
		.cmdline = p->cmdline,
		.seeds = p->seeded,
		.initrd = { initrd->pa, p->input.object[OBJECT_INITRD].file_bytes },
		.reserve = &p->machine.gic_tables,
		.keep_reserved = p->machine.log_cut,
		.property = PURG_TIMELINE_PROPERTY,
		.value = record,
		.value_bytes = sizeof(record),
	};
	const struct plan_object *kernel = &p->input.object[OBJECT_KERNEL];
	struct range usable[MEMMAP_CRASH_MAX];
	enum kx_err err;
	size_t i;

	if (p->request->crash) {
		usable_memory(p, usable);
		edit.usable = usable;
		edit.usable_count = p->machine.memmap.crash_count;
		edit.elfcore = (struct range){ payload_elfcore_pa(p), p->elfcore_bytes };
	}
	for (i = 0; i < PURG_T_CELLS; i++) {
		uint64_t value = i == PURG_T_MAGIC		? (uint64_t)PURG_TIMELINE_MAGIC << 32 | PURG_TIMELINE_VERSION
				 : i == PURG_T_PAYLOAD_BYTES	? kernel->file_bytes + edit.initrd.bytes
				 : i == PURG_T_RELOCATED_BYTES	? relocated_bytes(p)
				 : i == PURG_T_PAGES		? p->plan.in_place + p->plan.moved + p->plan.relocated
				 : i == PURG_T_PAGES_IN_PLACE	? p->plan.in_place + (p->request->crash ? p->plan.relocated : 0)
				 : i == PURG_T_CPUS_WANTED	? p->cpus
				 : i == PURG_T_LOADED_AT	? p->sys->now(p->sys)
								: 0;

		store_be(record + i * sizeof(value), value, sizeof(value));
	}
	memcpy(edit.kaslr_seed, p->seeds, sizeof(edit.kaslr_seed));
	memcpy(edit.rng_seed, p->seeds + sizeof(edit.kaslr_seed), sizeof(edit.rng_seed));

	memset(p->dtb, 0, p->dtb_room);
	err = dt_edit(p->machine.dtb, &edit, p->dtb, p->dtb_room, &p->dtb_bytes, &p->timeline_at);
	p->dtb_padded_bytes = (size_t)align_up(p->dtb_bytes, PURG_UNIT_BYTES);
	if (!err && p->dtb_bytes > ARM64_DTB_BYTES_MAX)
		err = KX_DTB_TOO_BIG;
	return err ? fail_set(fail, err, "device tree") : KX_OK;
}

enum kx_err payload_open(struct payload *p, struct fail *fail)
{
	enum kx_err err = payload_open_files(p, fail);

	if (!err && !p->request->dtb && p->uki_dtb.bytes)
		err = payload_take_uki_dtb(p, fail);
	if (!err)
		err = machine_read(&p->machine, p->sys, p->request, fail);
	if (err)
		return err;
	/* As with kexec-tools, no reason to fail. */
	if (p->request->serial && !p->machine.serial_found)
		report_note(p->report, "%s %s", p->request->serial, err_text(KX_SERIAL));
	choose_check(p);
	choose_cpus(p);
	note_console(p);
	p->seeded = p->sys->random(p->sys, p->seeds, sizeof(p->seeds)) == 0;
	if (!p->seeded)
		report_note(p->report, "the kernel has no random numbers yet, so the next one starts without a seed");
	/* The old tree, what is put into it, and room for libfdt to shift things about in. */
	p->dtb_room = (size_t)align_up(p->machine.dtb_bytes + 32 * p->machine.gic_tables.count, KIB(4)) + KIB(16);
	p->dtb = calloc(1, p->dtb_room);
	if (!p->dtb)
		return fail_set(fail, KX_NO_MEMORY, "device tree");
	err = p->request->crash ? payload_describe_crash(p, fail) : KX_OK;
	if (!err)
		err = make_dtb(p, fail);
	if (err)
		return err;
	p->input.ram = &p->machine.memmap.ram;
	p->input.spare = &p->machine.memmap.spare;
	p->input.dtb_bytes = p->dtb_padded_bytes;
	p->dtb_planned_bytes = p->dtb_padded_bytes;
	/* The ELF header goes with the device tree: on a page of its own, behind it. */
	if (p->request->crash)
		p->input.dtb_bytes = align_up(p->dtb_padded_bytes, KIB(64)) + p->elfcore_bytes;
	if (p->input.dtb_bytes > HUGE_PAGE_BYTES)
		return fail_set(fail, KX_DTB_TOO_BIG, "device tree, with what describes memory behind it");
	/* All of a huge page, less the device tree if that is small. Tables of 16K and 64K granules can take that much. */
	p->input.control_bytes = HUGE_PAGE_BYTES;
	if (p->input.dtb_bytes <= KIB(512))
		p->input.control_bytes -= align_up(p->input.dtb_bytes, KIB(64));
	p->input.rules = arm64_plan_rules(p->sys->page_bytes);
	return KX_OK;
}

enum kx_err payload_finish(struct payload *p, struct fail *fail)
{
	enum kx_err err = make_dtb(p, fail);

	if (!err && p->dtb_padded_bytes != p->dtb_planned_bytes)
		err = fail_set(fail, KX_INTERNAL, "the device tree changed its length");
	return err ? err : payload_make_control(p, fail);
}

void payload_report(struct payload *p)
{
	struct report *r = p->report;
	static const char *const checks[] = {
		[PURG_CHECK_NONE] = "none", [PURG_CHECK_CRC32C] = "crc32c", [PURG_CHECK_SHA256] = "sha256",
	};
	unsigned int o;
	uint32_t i;

	r->fast = p->request->fast != FAST_NO;
	snprintf(r->kernel, sizeof(r->kernel), "%s", p->request->kernel);
	snprintf(r->format, sizeof(r->format), "%s", p->format);
	for (o = 0; o < PLAN_OBJECTS; o++) {
		const struct plan_object *object = &p->input.object[o];
		const struct plan_window *window = &p->plan.window[o];
		struct report_object *to = &r->object[r->objects];

		if (!object->memory_bytes)
			continue;
		r->objects++;
		snprintf(to->name, sizeof(to->name), "%s", object->name);
		to->place = (struct range){ window->pa + object->offset_bytes, object->memory_bytes };
		to->file_bytes = object->file_bytes;
		to->slots = window->slots;
		for (i = 0; i < window->slots; i++) {
			to->in_place += window->slot[i].kind == SLOT_IN_PLACE;
			to->moved += window->slot[i].kind == SLOT_MOVED;
			to->relocated += window->slot[i].kind == SLOT_RELOCATED;
		}
	}
	r->control = (struct range){ p->plan.control_pa, p->control_bytes };
	r->dtb = (struct range){ p->plan.dtb_pa, p->dtb_bytes };
	r->table_bytes = p->table_bytes;
	r->segments = 2 + (unsigned int)p->runs + (p->elfcore != NULL);
	r->segment_bytes = p->control_bytes + p->dtb_bytes + p->elfcore_bytes + relocated_bytes(p);
	snprintf(r->check, sizeof(r->check), "%s", checks[p->check]);
	r->cpus = p->cpus;
	snprintf(r->console, sizeof(r->console), "%s", p->machine.uart.name);
}

void payload_free(struct payload *p)
{
	size_t i;

	for (i = 0; i < PLAN_OBJECTS; i++)
		source_close(&p->source[i]);
	for (i = 0; i < p->runs; i++)
		free(p->run[i].buf);
	stage_close(&p->stage, true);
	plan_free(&p->plan);
	machine_free(&p->machine);
	free(p->keep);
	free(p->cmdline_buf);
	free(p->pieces);
	free(p->jobs);
	free(p->dtb);
	free(p->elfcore);
	free(p->control);
}
