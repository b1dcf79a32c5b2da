/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which CPUs the kernel can take offline for the jump, which it must; and which purgatory could call: those that are online now, by the
 * number that PSCI knows them by, the affinity fields of their MPIDR_EL1. Linux shows that nowhere (EL0 reads a constant), but the device
 * tree has it as each CPU's reg, and ACPI in the MADT.
 */
#include "machine.h"

#include "bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPU_DIR	"/sys/devices/system/cpu"

static void add_cpu(struct machine *machine, uint64_t mpidr)
{
	if (machine->mpidr_count < PURG_CPUS_MAX)
		machine->mpidr[machine->mpidr_count++] = mpidr;
}

/* Documentation/devicetree/bindings/arm/cpus.yaml: reg is one or two cells */
static bool add_cpu_of_tree(struct machine *machine, struct sys *sys, unsigned int cpu)
{
	char path[80], *method, *reg;
	size_t bytes;
	bool ok;

	snprintf(path, sizeof(path), CPU_DIR "/cpu%u/of_node/enable-method", cpu);
	if (sys->read_file(sys, path, 64, &method, &bytes) < 0)
		return false;
	ok = strcmp(method, "psci") == 0;
	free(method);
	snprintf(path, sizeof(path), CPU_DIR "/cpu%u/of_node/reg", cpu);
	if (!ok || sys->read_file(sys, path, 64, &reg, &bytes) < 0)
		return false;
	ok = bytes == 4 || bytes == 8;
	if (ok)
		add_cpu(machine, load_be(reg, (unsigned int)bytes));
	free(reg);
	return ok;
}

/* ACPI 6.5, 5.2.12 and 5.2.12.14: the MADT and its GICC structures. */
#define MADT_BYTES		44
#define MADT_GICC		0x0b
#define MADT_GICC_BYTES		76
#define MADT_GICC_FLAGS		12	/* bit 0: enabled */
#define MADT_GICC_MPIDR		68

/* The MADT does not say which of its CPUs are online; so only if all are. */
static bool add_cpus_of_madt(struct machine *machine, struct sys *sys, uint32_t online)
{
	char *madt;
	size_t bytes, at, length;
	uint32_t enabled = 0;

	if (sys->read_file(sys, "/sys/firmware/acpi/tables/APIC", MIB(1), &madt, &bytes) < 0)
		return false;
	for (at = MADT_BYTES; at + 2 <= bytes; at += length) {
		length = (unsigned char)madt[at + 1];
		if (length < 2 || length > bytes - at)
			break;
		if (madt[at] != MADT_GICC || length < MADT_GICC_BYTES || !(madt[at + MADT_GICC_FLAGS] & 1))
			continue;
		enabled++;
		add_cpu(machine, load_le(madt + at + MADT_GICC_MPIDR, 8));
	}
	free(madt);
	return enabled == online;
}

bool kernel_is_from(struct sys *sys, unsigned int wanted_major, unsigned int wanted_minor)
{
	unsigned int major, minor;
	char *release;
	size_t bytes;
	bool ok;

	if (sys->read_file(sys, "/proc/sys/kernel/osrelease", 256, &release, &bytes) < 0)
		return false;
	ok = sscanf(release, "%u.%u", &major, &minor) == 2 &&
	     (major > wanted_major || (major == wanted_major && minor >= wanted_minor));
	free(release);
	return ok;
}

#define CPUS_MAX	65536

/* Those that are online, by their numbers. Returns how many; the list is the caller's to free. None: it is not shown. */
static uint32_t list_online(struct sys *sys, uint32_t **cpu)
{
	char *list, *at, *end;
	uint32_t count = 0;
	size_t bytes;

	*cpu = NULL;
	if (sys->read_file(sys, CPU_DIR "/online", 65536, &list, &bytes) < 0)
		return 0;
	*cpu = malloc(CPUS_MAX * sizeof(**cpu));
	/* Ranges and numbers with commas between, as 0-3,6 */
	for (at = list; *cpu && *at >= '0' && *at <= '9'; at = *end == ',' ? end + 1 : end) {
		unsigned long first = strtoul(at, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (; first <= last && count < CPUS_MAX; first++)
			(*cpu)[count++] = (uint32_t)first;
	}
	free(list);
	return count;
}

/* The one that the kernel keeps for the jump (kernel/cpu.c, smp_shutdown_nonboot_cpus()); before 5.11 nothing shows it. */
static uint32_t kept_cpu(struct sys *sys, const uint32_t *cpu, uint32_t count)
{
	uint64_t wanted = 0;
	uint32_t i;

	(void)sys_read_u64(sys, "/sys/kernel/reboot/cpu", 10, &wanted);
	for (i = 0; i < count; i++)
		if (cpu[i] == wanted)
			return cpu[i];
	return count ? cpu[0] : 0;
}

/* A CPU that the kernel can take offline has a switch for it (drivers/base/cpu.c, register_cpu()). */
enum kx_err preflight_cpus(struct sys *sys, struct fail *fail)
{
	uint32_t *cpu, count = list_online(sys, &cpu), kept = kept_cpu(sys, cpu, count), i;
	enum kx_err err = KX_OK;
	char path[80], *text;
	size_t bytes;
	int result;

	for (i = 0; i < count && !err; i++) {
		if (cpu[i] == kept)
			continue;
		snprintf(path, sizeof(path), CPU_DIR "/cpu%u/online", cpu[i]);
		result = sys->read_file(sys, path, 64, &text, &bytes);
		if (result == -ENOENT)
			err = fail_set(fail, KX_CPUS_STAY, "CPU %u", cpu[i]);
		else if (!result)
			free(text);
	}
	free(cpu);
	return err;
}

/* A CPU's directory has a link to its node (drivers/base/node.c, register_cpu_under_node()), where the kernel knows of nodes. */
static int note_node(void *arg, const char *name, bool is_dir)
{
	int node;
	char rest;

	(void)is_dir;
	if (sscanf(name, "node%d%c", &node, &rest) == 1 && node >= 0)
		*(int *)arg = node;
	return 0;
}

int boot_node(struct sys *sys)
{
	uint32_t *cpu, count = list_online(sys, &cpu), kept = kept_cpu(sys, cpu, count);
	char path[80];
	int node = -1;

	free(cpu);
	snprintf(path, sizeof(path), CPU_DIR "/cpu%u", kept);
	(void)sys->list_dir(sys, path, note_node, &node);
	return node;
}

void machine_read_cpus(struct machine *machine, struct sys *sys)
{
	uint32_t *cpu, i;
	bool of_tree = true;

	/* Linux writes TCR2 since 6.5 and SCTLR2 since 6.17 (arch/arm64/include/asm/el2_setup.h). */
	machine->knows_mmfr3 = kernel_is_from(sys, 6, 17);
	machine->cpus_online = list_online(sys, &cpu);
	for (i = 0; i < machine->cpus_online; i++)
		of_tree = of_tree && add_cpu_of_tree(machine, sys, cpu[i]);
	free(cpu);
	if (of_tree)
		return;
	machine->mpidr_count = 0;
	if (!add_cpus_of_madt(machine, sys, machine->cpus_online))
		machine->mpidr_count = 0;
}
