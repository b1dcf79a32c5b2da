/* SPDX-License-Identifier: GPL-2.0-only */
/* What a load needs to know of the machine that it runs on, read once. */
#ifndef MACHINE_H
#define MACHINE_H

#include "iomem.h"
#include "load.h"
#include "purgatory_abi.h"
#include "sys.h"

struct uart {
	pa_t pa;
	uint32_t kind, reg_shift;	/* PURG_UART_*; NONE: there is none */
	char name[32];
};

struct machine {
	struct memmap memmap;		/* spare without the GIC's tables */
	struct range_set dump;		/* for a crash kernel: all memory that there is but its own */
	struct range_set gic_tables;
	bool tables_unknown;		/* there may be such tables, and the log that would name them is not whole */
	uint64_t ram_bytes;		/* MemTotal */
	uint64_t free_bytes;		/* MemAvailable */
	uint64_t cma_bytes;		/* CmaTotal: memory that drivers may claim back from whoever has it */
	uint64_t available_bytes;	/* of it, less what should stay free */
	char *dtb;			/* this kernel's, or the one asked for */
	size_t dtb_bytes;
	uint32_t conduit;		/* PURG_CONDUIT_* */
	bool psci;
	struct uart uart;
	bool serial_found;		/* it is the one that --serial names */
	bool knows_mmfr3;		/* this kernel writes TCR2 and SCTLR2, where ID_AA64MMFR3_EL1 shows them */
	uint32_t cpus_online;
	uint64_t mpidr[PURG_CPUS_MAX];	/* of CPUs that are online: all, or as many as fit; none if that is not known for all */
	uint32_t mpidr_count;
};

/* Refusals that hold for every load and unload. Errors: KX_WRONG_ARCH, KX_NOT_ROOT, KX_CONTAINER, KX_USER_NS, KX_OTHER_IPC_NS (what
 * was staged could not be given back), KX_LOAD_DISABLED, KX_LOAD_LIMIT, KX_LOAD_LIMIT_PANIC */
enum kx_err preflight(struct sys *sys, bool crash, struct fail *fail);

/* Refusals that hold for kexec_load(2) only. Errors: KX_LOCKDOWN */
enum kx_err preflight_kexec_load(struct sys *sys, struct fail *fail);

/* Have sys->lock() for the caller. Errors: KX_LOCKED, KX_INTERRUPTED, KX_SHM */
enum kx_err lock_loads(struct sys *sys, struct fail *fail);

/* Refusals that hold for staging only. Errors: KX_SHM_RMID_FORCED */
enum kx_err preflight_staging(struct sys *sys, struct fail *fail);

/* Why that file of /proc could not be read: err is a negative errno. Returns KX_NO_PROC or KX_READ. */
enum kx_err proc_error(struct fail *fail, const char *path, int err);

/* How much memory there is: what is needed to judge the files. Errors: KX_READ, KX_NO_PROC */
enum kx_err machine_open(struct machine *machine, struct sys *sys, struct fail *fail);

/*
 * The rest, into an open machine, whose dtb may be there already: what the request is about decides on the device tree, the
 * console and the legal memory. On error the machine is empty.
 *
 * Errors: KX_IOMEM_BAD, KX_READ, KX_NO_PROC, KX_EMPTY, KX_OPEN, KX_NO_DTB, KX_DTB_BAD, KX_NO_MEMORY, KX_NO_CRASH_MEMORY
 */
enum kx_err machine_read(struct machine *machine, struct sys *sys, const struct load_request *request, struct fail *fail);
/* A step of machine_read(): the last four. */
void machine_read_cpus(struct machine *machine, struct sys *sys);
void machine_free(struct machine *machine);

/* This kernel's device tree: /sys/firmware/fdt, else put together from /proc/device-tree. The caller frees it. */
enum kx_err device_tree_read(struct sys *sys, char **dtb, size_t *bytes, struct fail *fail);

#endif
