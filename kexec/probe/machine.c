/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include "dt.h"
#include "dt_complete.h"
#include "image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX	MIB(16)		/* /proc/iomem of the largest machines is far smaller */

/* From the kernel log, which is a ring: what was said at boot may be gone. */
static enum kx_err find_tables(struct range_set *tables, struct sys *sys, bool *unknown)
{
	enum kx_err err;
	size_t bytes;
	char *text;

	*unknown = true;
	if (sys->kernel_log(sys, &text, &bytes) < 0)
		return KX_OK;
	*unknown = !memmem(text, bytes, "Booting Linux on physical CPU", 29);
	err = memmap_gic_tables(tables, text, bytes);
	free(text);
	return err;
}

static enum kx_err read_memmap(struct machine *machine, struct sys *sys, const struct range_set *tables, struct fail *fail)
{
	struct range_set named = { 0 };
	enum kx_err err;
	char *text;
	size_t bytes, i;
	int result = sys->read_file(sys, "/proc/iomem", TEXT_MAX, &text, &bytes);

	if (result)
		return proc_error(fail, "/proc/iomem", result);
	err = memmap_parse(&machine->memmap, text, bytes);
	free(text);
	if (err)
		return fail_with(fail, err);

	if (!tables) {
		err = find_tables(&named, sys, &machine->tables_unknown);
		tables = &named;
	}
	for (i = 0; !err && i < tables->count; i++)
		if (range_set_contains(&machine->memmap.ram, tables->v[i]) &&
		    (!range_set_add(&machine->gic_tables, tables->v[i]) ||
		     !range_set_remove(&machine->memmap.spare, tables->v[i])))
			err = KX_NO_MEMORY;
	range_set_free(&named);
	return err ? fail_set(fail, err, "memory map") : KX_OK;
}

/* ACPI 6.5, 5.2.9: the FADT's ARM Boot Architecture Flags: bit 0 PSCI, bit 1 by HVC. */
#define FADT_ARM_BOOT_ARCH	129

static void read_psci(struct machine *machine, struct sys *sys)
{
	enum dt_psci psci = dt_psci(machine->dtb);
	char *fadt;
	size_t bytes;

	if (psci == DT_PSCI_NONE && sys->read_file(sys, "/sys/firmware/acpi/tables/FACP", 65536, &fadt, &bytes) == 0) {
		if (bytes > FADT_ARM_BOOT_ARCH && fadt[FADT_ARM_BOOT_ARCH] & 1)
			psci = fadt[FADT_ARM_BOOT_ARCH] & 2 ? DT_PSCI_HVC : DT_PSCI_SMC;
		free(fadt);
	}
	machine->psci = psci != DT_PSCI_NONE;
	machine->conduit = psci == DT_PSCI_HVC ? PURG_CONDUIT_HVC : PURG_CONDUIT_SMC;
}

static enum kx_err check_dtb(struct machine *machine, const char *name, struct fail *fail)
{
	enum kx_err err = dt_check(machine->dtb, machine->dtb_bytes, &machine->dtb_bytes);
	char *packed;

	if (err)
		return fail_set(fail, err, "%s", name);
	machine->dtb_bytes = dt_pack(machine->dtb);
	packed = realloc(machine->dtb, machine->dtb_bytes);
	if (packed)
		machine->dtb = packed;
	return KX_OK;
}

static enum kx_err read_dtb(struct machine *machine, struct sys *sys, const char *path, struct fail *fail)
{
	enum kx_err err;
	int result;

	if (!path) {
		err = device_tree_read(sys, &machine->dtb, &machine->dtb_bytes, fail);
		if (err)
			return err;
		path = "/sys/firmware/fdt";
	} else {
		result = sys->read_file(sys, path, ARM64_DTB_BYTES_MAX, &machine->dtb, &machine->dtb_bytes);
		if (result)
			return fail_set(fail, result == -EFBIG ? KX_DTB_TOO_BIG : KX_OPEN, "%s (%s)", path, strerror(-result));
		if (!machine->dtb_bytes)
			return fail_set(fail, KX_EMPTY, "%s", path);
	}
	return check_dtb(machine, path, fail);
}

/* A tree that firmware has not seen: with what this machine's own has of it. */
static enum kx_err complete_dtb(struct machine *machine, struct sys *sys, const char *name, struct fail *fail)
{
	char *running = NULL, *out;
	size_t bytes = 0, room;
	struct dt_completed done;
	struct fail ignored;
	enum kx_err err;

	if (device_tree_read(sys, &running, &bytes, &ignored) || dt_check(running, bytes, &bytes)) {
		free(running);
		running = NULL;
		bytes = 0;
	}
	room = machine->dtb_bytes + bytes + KIB(4);
	out = malloc(room);
	err = out ? dt_complete(machine->dtb, running, machine->tables_unknown, out, room, &done) : KX_NO_MEMORY;
	free(running);
	if (err) {
		free(out);
		return fail_set(fail, err, err == KX_DTB_BAD ? "%s, with what this machine's device tree adds," : "%s", name);
	}
	dt_completed_text(&done, machine->completed, sizeof(machine->completed));
	free(machine->dtb);
	machine->dtb = out;
	machine->dtb_bytes = dt_pack(out);
	return KX_OK;
}

static bool keep_only(struct range_set *set, struct range r)
{
	struct range_set limit = { .v = &r, .count = 1, .room = 1 };

	return range_set_intersect(set, &limit);
}

/* What a crash kernel's dump is to show: all memory, also what only this kernel knows of, but not its own. */
static enum kx_err note_dump(struct machine *machine, struct fail *fail)
{
	struct memmap *map = &machine->memmap;
	bool ok = true;
	size_t i;

	if (!map->crash_count)
		return fail_with(fail, KX_NO_CRASH_MEMORY);
	for (i = 0; ok && i < map->ram.count; i++)
		ok = range_set_add(&machine->dump, map->ram.v[i]);
	for (i = 0; ok && i < map->crash_count; i++)
		ok = range_set_remove(&machine->dump, map->crash[i]);
	return ok ? KX_OK : fail_set(fail, KX_NO_MEMORY, "memory map");
}

/*
 * The memory of a crash kernel that the range lies in as a whole; null: in none. The kernel moves what is loaded for a reboot there as to any
 * other place. But while a crash kernel is loaded it does not map that memory (arch/arm64/mm/mmu.c, arch_kexec_protect_crashkres()).
 */
static const struct range *crash_memory_around(const struct memmap *map, struct range r)
{
	unsigned int i;

	for (i = 0; i < map->crash_count; i++)
		if (r.start >= map->crash[i].start && range_end(r) <= range_end(map->crash[i]))
			return &map->crash[i];
	return NULL;
}

/* Memory that may be used, by the request: the crash kernel's own, and what lies between --mem-min and --mem-max. */
static enum kx_err limit_memory(struct machine *machine, struct sys *sys, const struct load_request *request, struct fail *fail)
{
	struct memmap *map = &machine->memmap;
	const struct range *crash;
	bool ok = true;

	if (request->crash) {
		range_set_free(&map->ram);
		range_set_free(&map->spare);
		ok = range_set_add(&map->ram, map->crash[map->crash_count - 1]) &&
		     range_set_add(&map->spare, map->crash[map->crash_count - 1]);
	}
	if (ok && (request->mem_max || request->mem_min)) {
		struct range limit = { request->mem_min, (request->mem_max ? request->mem_max : PA_END) - request->mem_min };

		if (request->mem_max && request->mem_min >= request->mem_max)
			return fail_set(fail, KX_NO_ROOM, "--mem-min is not below --mem-max");
		crash = request->crash ? NULL : crash_memory_around(map, limit);
		if (crash && kernel_is_loaded(sys, true))
			return fail_with(fail, KX_CRASH_KERNEL_LOADED);
		machine->in_crash_memory = crash;
		ok = (!crash || range_set_add(&map->spare, *crash)) && keep_only(&map->ram, limit) && keep_only(&map->spare, limit);
	}
	return ok ? KX_OK : fail_set(fail, KX_NO_MEMORY, "memory map");
}

enum kx_err machine_read(struct machine *machine, struct sys *sys, const struct load_request *request, const struct range_set *tables,
			 char *dtb, size_t dtb_bytes, const char *dtb_name, struct fail *fail)
{
	uint64_t measurements;
	enum kx_err err;

	*machine = (struct machine){ .dtb = dtb, .dtb_bytes = dtb_bytes };
	err = read_memmap(machine, sys, tables, fail);
	if (!err && request->crash)
		err = note_dump(machine, fail);
	if (!err)
		err = dtb ? check_dtb(machine, dtb_name, fail) : read_dtb(machine, sys, request->dtb, fail);
	if (!err && (dtb || request->dtb) && !request->dtb_is_complete)
		err = complete_dtb(machine, sys, dtb ? dtb_name : request->dtb, fail);
	if (!err)
		err = drop_unknown_memory(machine, sys, fail);
	if (!err)
		err = limit_memory(machine, sys, request, fail);
	if (err) {
		machine_free(machine);
		return err;
	}
	/* EFI kernels record the tables in EFI's own memory map, and older GICs have none. A crash kernel lies where they are not. */
	machine->log_cut = machine->tables_unknown;
	machine->tables_unknown &= dt_leaves_gic_tables(machine->dtb) && !request->crash;
	read_psci(machine, sys);
	/* An entry has a digest or two, and a path (security/integrity/ima/ima_kexec.c). */
	if (sys_read_u64(sys, "/sys/kernel/security/ima/runtime_measurements_count", 10, &measurements) && measurements < UINT32_MAX)
		machine->ima_bytes = align_up(measurements * KIB(1) + MIB(1), MIB(2));
	machine_read_cpus(machine, sys);
	machine_find_console(machine, sys, request->serial);
	return KX_OK;
}

void machine_free(struct machine *machine)
{
	memmap_free(&machine->memmap);
	range_set_free(&machine->gic_tables);
	range_set_free(&machine->dump);
	free(machine->dtb);
	*machine = (struct machine){ 0 };
}
