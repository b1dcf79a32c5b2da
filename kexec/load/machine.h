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
	bool log_cut;			/* the kernel log does not reach back to the boot: gic_tables may lack some */
	bool tables_unknown;		/* there may be such tables, and the log that would name them is not whole */
	const char *memory_guess;	/* null, or why the memory that the next kernel will know had to be guessed */
	/* As machine_budget() read it last: */
	uint64_t ram_bytes;		/* MemTotal */
	uint64_t unused_bytes;		/* MemFree */
	uint64_t free_bytes;		/* MemAvailable */
	uint64_t cma_bytes;		/* CmaTotal: memory that drivers may claim back from whoever has it */
	uint64_t available_bytes;	/* of it, less what should stay free */
	char *dtb;			/* this kernel's, or the one asked for */
	size_t dtb_bytes;
	uint32_t conduit;		/* PURG_CONDUIT_* */
	bool psci;
	struct uart uart;
	char unknown_console[32];	/* one of the kernel's that is none of these; empty: there is none */
	bool serial_found;		/* it is the one that --serial names */
	bool knows_mmfr3;		/* this kernel writes TCR2 and SCTLR2, where ID_AA64MMFR3_EL1 shows them */
	uint32_t cpus_online;
	uint64_t mpidr[PURG_CPUS_MAX];	/* of CPUs that are online: all, or as many as fit; none if that is not known for all */
	uint32_t mpidr_count;
};

/* Refusals that hold for every load and unload. Errors: KX_WRONG_ARCH, KX_NOT_ROOT, KX_CONTAINER, KX_USER_NS, KX_LOAD_DISABLED,
 * KX_LOAD_LIMIT, KX_LOAD_LIMIT_PANIC */
enum kx_err preflight(struct sys *sys, bool crash, struct fail *fail);

/* Refusals that hold for kexec_load(2) only. Errors: KX_LOCKDOWN */
enum kx_err preflight_kexec_load(struct sys *sys, struct fail *fail);

/* Refusals that hold for staging only. Errors: KX_STAGE_NOT_ROOT, KX_OTHER_IPC_NS, KX_SHM_RMID_FORCED */
enum kx_err preflight_staging(struct sys *sys, struct fail *fail);

/* Staged memory is in the IPC namespace of the host; from others it is not seen. */
bool in_host_ipc_ns(struct sys *sys);

/* Why that file of /proc could not be read: err is a negative errno. Returns KX_NO_PROC or KX_READ. */
enum kx_err proc_error(struct fail *fail, const char *path, int err);

/* How much memory there is now. Read again after every step that takes memory or gives it back: others do the same meanwhile, and
 * what was true before the initrd was read is not any more. Errors: KX_READ, KX_NO_PROC */
enum kx_err machine_budget(struct machine *machine, struct sys *sys, struct fail *fail);

/* How much of a file may be read into memory now, since as much again is needed to stage it. */
uint64_t machine_spool_limit(struct machine *machine, struct sys *sys);

/* The same, of a machine that nothing is known of yet: what is needed to judge the files. Errors: KX_READ, KX_NO_PROC */
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
/* Another: take out of the memory map what the next kernel does not know when it boots. dtb is the one that it is given. */
enum kx_err drop_unknown_memory(struct machine *machine, struct sys *sys, struct fail *fail);
void machine_free(struct machine *machine);

/* The first bytes of /proc/kcore, in KCORE_LOOK_BYTES that the caller frees, and the open file, -1 if there is none; 0 bytes then. */
unsigned char *kcore_open(struct sys *sys, int *fd, size_t *bytes);

/* This kernel's device tree: /sys/firmware/fdt, else put together from /proc/device-tree. The caller frees it. */
enum kx_err device_tree_read(struct sys *sys, char **dtb, size_t *bytes, struct fail *fail);

#endif
