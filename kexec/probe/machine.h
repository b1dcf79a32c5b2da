/* SPDX-License-Identifier: GPL-2.0-only */
/* What a load needs to know of the machine that it runs on: read once, and read-only afterwards. */
#ifndef MACHINE_H
#define MACHINE_H

#include "iomem.h"
#include "probe.h"
#include "purgatory_abi.h"
#include "request.h"

struct uart {
	pa_t pa;
	uint32_t kind, reg_shift;	/* PURG_UART_*; NONE: there is none */
	char name[32];
};

struct machine {
	struct memmap memmap;		/* spare without the GIC's tables */
	struct range_set dump;		/* for a crash kernel: all memory that there is but its own */
	bool in_crash_memory;		/* the request's range is a crash kernel's memory, where none is loaded */
	struct range_set gic_tables;
	bool log_cut;			/* the kernel log does not reach back to the boot: gic_tables may lack some */
	bool tables_unknown;		/* there may be such tables, and the log that would name them is not whole */
	const char *memory_guess;	/* null, or why the memory that the next kernel will know had to be guessed */
	char *dtb;			/* this kernel's, or the one asked for */
	size_t dtb_bytes;
	char completed[128];		/* what that lacked, and this machine's tree has; empty: nothing */
	uint32_t conduit;		/* PURG_CONDUIT_* */
	bool psci;
	struct uart uart;
	char unknown_console[32];	/* one of the kernel's that is none of these; empty: there is none */
	bool serial_found;		/* it is the one that --serial names */
	bool knows_mmfr3;		/* this kernel writes TCR2 and SCTLR2, where ID_AA64MMFR3_EL1 shows them */
	uint64_t ima_bytes;		/* that kexec_file_load(2) may put above its device tree, for IMA's list of measurements */
	uint32_t cpus_online;
	uint64_t mpidr[PURG_CPUS_MAX];	/* of CPUs that are online: all, or as many as fit; none if that is not known for all */
	uint32_t mpidr_count;
};

/*
 * Read it, for this request: what it is about decides on the device tree, the console and the memory that may be used. tables: the GIC's, by
 * an earlier reading that found them all; null: the kernel log is asked. dtb: null, or a
 * device tree in allocated memory to be used instead of this machine's, which becomes the machine's own, on failure too; dtb_name is
 * what an error calls it. On error the machine is empty.
 *
 * Errors: KX_IOMEM_BAD, KX_READ, KX_NO_PROC, KX_EMPTY, KX_OPEN, KX_NO_DTB, KX_DTB_BAD, KX_DTB_TOO_BIG, KX_DTB_NO_MEMORY, KX_NO_MEMORY, KX_NO_ROOM,
 * KX_NO_CRASH_MEMORY, KX_CRASH_KERNEL_LOADED
 */
enum kx_err machine_read(struct machine *machine, struct sys *sys, const struct load_request *request, const struct range_set *tables,
			 char *dtb, size_t dtb_bytes, const char *dtb_name, struct fail *fail);
void machine_free(struct machine *machine);

/* Steps of machine_read(): CPUs and the next ones; the console, serial may be null; and what the next kernel does not know of when it
 * boots is taken out of the memory map. Errors of the last: KX_NO_MEMORY */
void machine_read_cpus(struct machine *machine, struct sys *sys);
void machine_find_console(struct machine *machine, struct sys *sys, const char *serial);
enum kx_err drop_unknown_memory(struct machine *machine, struct sys *sys, struct fail *fail);

/* The first bytes of /proc/kcore, in KCORE_LOOK_BYTES that the caller frees, and the open file, -1 if there is none; 0 bytes then. */
unsigned char *kcore_open(struct sys *sys, int *fd, size_t *bytes);

/* This kernel's device tree: /sys/firmware/fdt, else put together from /proc/device-tree. The caller frees it.
 * Errors: KX_NO_DTB, KX_DTB_TOO_BIG, KX_NO_MEMORY */
enum kx_err device_tree_read(struct sys *sys, char **dtb, size_t *bytes, struct fail *fail);

#endif
