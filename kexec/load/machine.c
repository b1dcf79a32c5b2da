/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include "dt.h"
#include "image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX	MIB(16)		/* /proc/iomem of the largest machines is far smaller */

static bool file_says(struct sys *sys, const char *path, const char *word)
{
	char *text;
	size_t bytes;
	bool found;

	if (sys->read_file(sys, path, 65536, &text, &bytes) < 0)
		return false;
	found = memmem(text, bytes, word, strlen(word)) != NULL;
	free(text);
	return found;
}

/* The first namespaces of a system have these numbers: PROC_IPC_INIT_INO and PROC_USER_INIT_INO, linux/proc_ns.h. Not
 * /proc/1's: inside a container that is the container's own PID 1. */
#define IPC_NS_INIT	"ipc:[4026531839]"
#define USER_NS_INIT	"user:[4026531837]"

static bool in_first_namespace(struct sys *sys, const char *path, const char *first)
{
	char ours[64];

	return sys->read_link(sys, path, ours, sizeof(ours)) < 0 || strcmp(ours, first) == 0;
}

bool in_host_ipc_ns(struct sys *sys)
{
	return in_first_namespace(sys, "/proc/self/ns/ipc", IPC_NS_INIT);
}

static bool in_container(struct sys *sys)
{
	char *text, *at;
	size_t bytes;
	bool found = false;

	if (file_says(sys, "/run/systemd/container", ""))
		return true;
	if (sys->read_file(sys, "/proc/1/environ", 65536, &text, &bytes) < 0)
		return false;
	for (at = text; at < text + bytes; at += strlen(at) + 1)
		found |= strncmp(at, "container=", 10) == 0;
	free(text);
	return found;
}

enum kx_err preflight(struct sys *sys, bool crash, struct fail *fail)
{
	uint64_t value;

	if (!sys->is_arm64(sys))
		return fail_with(fail, KX_WRONG_ARCH);
	if (!sys->may_boot(sys))
		return fail_with(fail, KX_NOT_ROOT);
	if (in_container(sys))
		return fail_with(fail, KX_CONTAINER);
	if (!in_first_namespace(sys, "/proc/self/ns/user", USER_NS_INIT))
		return fail_with(fail, KX_USER_NS);
	if (sys_read_u64(sys, "/proc/sys/kernel/kexec_load_disabled", 0, &value) && value)
		return fail_with(fail, KX_LOAD_DISABLED);
	/* -1: as many as one likes */
	if (sys_read_u64(sys, crash ? "/proc/sys/kernel/kexec_load_limit_panic" : "/proc/sys/kernel/kexec_load_limit_reboot", 0,
			 &value) && !value)
		return fail_with(fail, crash ? KX_LOAD_LIMIT_PANIC : KX_LOAD_LIMIT);
	return KX_OK;
}

/* kexec_file_load(2) is another matter: it takes what is signed. */
enum kx_err preflight_kexec_load(struct sys *sys, struct fail *fail)
{
	if (file_says(sys, "/sys/kernel/security/lockdown", "[integrity]") ||
	    file_says(sys, "/sys/kernel/security/lockdown", "[confidentiality]"))
		return fail_with(fail, KX_LOCKDOWN);
	return KX_OK;
}

enum kx_err preflight_staging(struct sys *sys, struct fail *fail)
{
	uint64_t forced;

	if (!sys->is_root(sys))
		return fail_with(fail, KX_STAGE_NOT_ROOT);
	if (!in_host_ipc_ns(sys))
		return fail_with(fail, KX_OTHER_IPC_NS);
	if (sys_read_u64(sys, "/proc/sys/kernel/shm_rmid_forced", 0, &forced) && forced)
		return fail_with(fail, KX_SHM_RMID_FORCED);
	return KX_OK;
}

enum kx_err proc_error(struct fail *fail, const char *path, int err)
{
	return err == -ENOENT ? fail_set(fail, KX_NO_PROC, "%s", path) : fail_set(fail, KX_READ, "%s: %s", path, strerror(-err));
}

enum kx_err check_proc(struct sys *sys, struct fail *fail)
{
	char *text;
	size_t bytes;
	int err = sys->read_file(sys, "/proc/cmdline", 65536, &text, &bytes);

	if (!err)
		free(text);
	return err == -ENOENT ? proc_error(fail, "/proc/cmdline", err) : KX_OK;
}

static uint64_t meminfo(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	unsigned long long kib;

	return at && sscanf(at + strlen(name), ": %llu kB", &kib) == 1 && kib < (1ull << 52) ? kib << 10 : 0;
}

/* What may be taken for staging: what the kernel could give without swapping, less what the shutdown itself needs:
 * room to read swap back in, and a reserve. */
enum kx_err machine_budget(struct machine *machine, struct sys *sys, struct fail *fail)
{
	uint64_t keep;
	char *text;
	size_t bytes;
	int err = sys->read_file(sys, "/proc/meminfo", 65536, &text, &bytes);

	if (err)
		return proc_error(fail, "/proc/meminfo", err);
	machine->ram_bytes = meminfo(text, "MemTotal");
	machine->unused_bytes = meminfo(text, "MemFree");
	machine->cma_bytes = meminfo(text, "CmaTotal");
	machine->free_bytes = meminfo(text, "MemAvailable");
	keep = machine->ram_bytes / 32 + MIB(32) + meminfo(text, "SwapTotal") - meminfo(text, "SwapFree");
	machine->available_bytes = machine->free_bytes > keep ? machine->free_bytes - keep : 0;
	free(text);
	return KX_OK;
}

uint64_t machine_spool_limit(struct machine *machine, struct sys *sys)
{
	struct fail ignored;

	/* What was known before is better than nothing. */
	machine_budget(machine, sys, &ignored);
	return machine->available_bytes / 2;
}

enum kx_err machine_open(struct machine *machine, struct sys *sys, struct fail *fail)
{
	*machine = (struct machine){ 0 };
	return machine_budget(machine, sys, fail);
}

static enum kx_err read_memmap(struct machine *machine, struct sys *sys, struct fail *fail)
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

	machine->tables_unknown = true;
	if (sys->kernel_log(sys, &text, &bytes) == 0) {
		/* The log is a ring: what was said at boot may be gone. */
		machine->tables_unknown = !memmem(text, bytes, "Booting Linux on physical CPU", 29);
		err = memmap_gic_tables(&named, text, bytes);
		free(text);
	}
	for (i = 0; !err && i < named.count; i++)
		if (range_set_contains(&machine->memmap.ram, named.v[i]) &&
		    (!range_set_add(&machine->gic_tables, named.v[i]) ||
		     !range_set_remove(&machine->memmap.spare, named.v[i])))
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

static bool tty_number(struct sys *sys, const char *tty, const char *attribute, int base, uint64_t *value)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/tty/%s/%s", tty, attribute);
	return sys_read_u64(sys, path, base, value);
}

/* Values of include/uapi/linux/serial_core.h and include/linux/serial_core.h. Types up to PORT_MAX_8250 are the 8250 driver's; those it
 * was given later have numbers among the others'. */
#define PORT_8250	1
#define PORT_MAX_8250	30
#define PORT_AMBA	32
#define PORT_NPCM	40
#define PORT_SUNIX	121
#define UPIO_MEM	2
#define UPIO_MEM32	3

/* Other drivers have the same kinds of access and other registers. */
static bool is_8250(uint64_t type)
{
	return (type >= PORT_8250 && type <= PORT_MAX_8250) || type == PORT_NPCM || type == PORT_SUNIX;
}

/* With the MMU off memory is Device, and a word that is not aligned faults (Arm ARM, "Device memory"). */
#define REG_SHIFT_WORDS	2
#define REG_SHIFT_MAX	4

static bool uart_read(struct uart *uart, struct sys *sys, const char *tty)
{
	uint64_t base, type, io_type = 0, reg_shift = 0;

	if (strlen(tty) >= sizeof(uart->name) || strchr(tty, '/'))
		return false;
	if (!tty_number(sys, tty, "iomem_base", 16, &base) || !base || !tty_number(sys, tty, "type", 0, &type))
		return false;
	tty_number(sys, tty, "io_type", 0, &io_type);
	tty_number(sys, tty, "iomem_reg_shift", 0, &reg_shift);
	if (type == PORT_AMBA)
		uart->kind = PURG_UART_PL011;
	else if (!is_8250(type) || reg_shift > REG_SHIFT_MAX)
		return false;
	else if (io_type == UPIO_MEM)
		uart->kind = PURG_UART_8250;
	else if (io_type == UPIO_MEM32 && reg_shift >= REG_SHIFT_WORDS && base % 4 == 0)
		uart->kind = PURG_UART_8250_MMIO32;
	else
		return false;
	uart->pa = base;
	uart->reg_shift = (uint32_t)reg_shift;
	strcpy(uart->name, tty);
	return true;
}

/* tty0, tty1: screens, which nobody expects purgatory on */
static bool is_screen(const char *tty)
{
	return strncmp(tty, "tty", 3) == 0 && tty[3] >= '0' && tty[3] <= '9';
}

/* The kernel's own consoles; the last one named is the one that /dev/console is. */
static void find_console(struct machine *machine, struct sys *sys)
{
	char *text, *word, *save;
	size_t bytes;

	if (sys->read_file(sys, "/sys/class/tty/console/active", 4096, &text, &bytes) < 0)
		return;
	for (word = strtok_r(text, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
		if (!uart_read(&machine->uart, sys, word) && !is_screen(word))
			snprintf(machine->unknown_console, sizeof(machine->unknown_console), "%s", word);
	free(text);
}

static enum kx_err read_dtb(struct machine *machine, struct sys *sys, const char *path, struct fail *fail)
{
	enum kx_err err;
	char *packed;
	int result;

	if (machine->dtb) {
		path = "the kernel's .dtb section";
	} else if (!path) {
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
	err = dt_check(machine->dtb, machine->dtb_bytes, &machine->dtb_bytes);
	if (err)
		return fail_set(fail, err, "%s", path);
	machine->dtb_bytes = dt_pack(machine->dtb);
	packed = realloc(machine->dtb, machine->dtb_bytes);
	if (packed)
		machine->dtb = packed;
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

/* Memory that may be used, by the request: the crash kernel's own, and what lies between --mem-min and --mem-max. */
static enum kx_err limit_memory(struct machine *machine, const struct load_request *request, struct fail *fail)
{
	struct memmap *map = &machine->memmap;
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
		ok = keep_only(&map->ram, limit) && keep_only(&map->spare, limit);
	}
	return ok ? KX_OK : fail_set(fail, KX_NO_MEMORY, "memory map");
}

enum kx_err machine_read(struct machine *machine, struct sys *sys, const struct load_request *request, struct fail *fail)
{
	const char *serial = request->serial;
	enum kx_err err = read_memmap(machine, sys, fail);

	if (serial && strncmp(serial, "/dev/", 5) == 0)
		serial += 5;
	if (!err && request->crash)
		err = note_dump(machine, fail);
	if (!err)
		err = read_dtb(machine, sys, request->dtb, fail);
	if (!err)
		err = drop_unknown_memory(machine, sys, fail);
	if (!err)
		err = limit_memory(machine, request, fail);
	if (!err) {
		/* EFI kernels record the tables in EFI's own memory map, and older GICs have none. A crash kernel lies where they
		   are not. */
		machine->log_cut = machine->tables_unknown;
		machine->tables_unknown &= dt_leaves_gic_tables(machine->dtb) && !request->crash;
		read_psci(machine, sys);
		machine_read_cpus(machine, sys);
		machine->serial_found = serial && uart_read(&machine->uart, sys, serial);
		if (!machine->serial_found)
			find_console(machine, sys);
	}
	if (err)
		machine_free(machine);
	return err;
}

void machine_free(struct machine *machine)
{
	memmap_free(&machine->memmap);
	range_set_free(&machine->gic_tables);
	range_set_free(&machine->dump);
	free(machine->dtb);
	*machine = (struct machine){ 0 };
}
