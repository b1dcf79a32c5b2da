/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether this machine can stage and start fast, found out before anybody depends on it. Asked are the functions that a load asks, so that
 * it cannot go otherwise than is said here; whatever is taken for that is given back.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "boot_log.h"
#include "guards.h"
#include "load.h"
#include "manage.h"
#include "probe.h"

enum doctor_mark { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_PROBLEM };

/* In the order in which they are shown. */
enum doctor_check {
	DOCTOR_WAY,		/* the sum of it */
	DOCTOR_RIGHTS,
	DOCTOR_SWITCHES,
	DOCTOR_KEXEC_LOAD,
	DOCTOR_KEXEC_FILE_LOAD,
	DOCTOR_STAGING,
	DOCTOR_HUGE_PAGES,
	DOCTOR_MEMORY,
	DOCTOR_SWAP,
	DOCTOR_LOADED,
	DOCTOR_PLAN,
	DOCTOR_VERIFICATION,
	DOCTOR_CPUS,
	DOCTOR_RESET,
	DOCTOR_CONSOLE,
	DOCTOR_BOOT_LOG,
	DOCTOR_GIC,
	DOCTOR_WATCHDOG,
	DOCTOR_PSTORE,
	DOCTOR_LIVE_UPDATE,
	DOCTOR_CRASH_KERNEL,
	DOCTOR_FIRMWARE,
	DOCTOR_CHECKS
};

/* What is to be typed; doctor_report.c has the commands. */
enum doctor_remedy {
	REMEDY_NONE,
	REMEDY_ROOT,
	REMEDY_HOST,
	REMEDY_IPC_NS,
	REMEDY_FIRMWARE,	/* reboot, since a switch only goes back then */
	REMEDY_SECURE_BOOT,
	REMEDY_FILE_LOAD,
	REMEDY_RMID,
	REMEDY_LIMIT,
	REMEDY_SHMMAX,
	REMEDY_FREE_MEMORY,
	REMEDY_SWAP,
	REMEDY_HEAL,
	REMEDY_NAME_KERNEL,
	REMEDY_AUTO_CPUS,
	REMEDY_SERIAL,
	REMEDY_QUIET,
	REMEDY_LOG,
	REMEDY_WATCHDOG,
	REMEDY_WATCHDOG_GOES_ON,
	REMEDY_CRASH_KERNEL,
};

struct doctor_verdict {
	bool shown;		/* it could be looked at */
	enum doctor_mark mark;
	enum doctor_remedy remedy;
};

/* How a load with --fast-reloc would go. Not known is that where it depends on a call that the kernel may not have. */
enum doctor_way { DOCTOR_NOWHERE, DOCTOR_UNKNOWN, DOCTOR_BY_FILE, DOCTOR_BY_LOAD, DOCTOR_STAGED };

enum doctor_signatures { SIGNATURES_UNKNOWN, SIGNATURES_FREE, SIGNATURES_LOCKDOWN, SIGNATURES_FORCED };

enum doctor_gic { GIC_LEAVES_NOTHING, GIC_BY_EFI, GIC_RESERVED, GIC_UNKNOWN };

/* Facts. A struct fail whose err is KX_OK: nothing speaks against it. */
struct doctor {
	struct doctor_verdict verdict[DOCTOR_CHECKS];
	enum doctor_way way;

	struct fail rights, switches;
	struct fail load_call, file_call;
	bool load_asked;		/* the kernel itself; else its symbols and its configuration were looked at */
	bool load_unknown, file_unknown;	/* and did not say whether there is the call; the rest is looked at as if it were there */
	struct load_limit limit;	/* kernel.kexec_load_limit_reboot */
	enum doctor_signatures signatures;

	struct fail staging;
	struct staging_trial trial;
	uint64_t pool_free_pages;
	struct fail memory;
	struct budget budget;
	uint64_t payload_bytes_max;	/* that can be staged now */
	bool shm_is_limit, limit_is_limit;	/* what it is bounded by, other than memory: kernel.shmmax or shmall; a limit that is read-only */

	struct fail loaded;
	bool is_loaded;
	struct staged_status staged;

	bool kernel_named;
	struct fail plan;
	struct report planned;
	uint32_t slots, in_place, moved, relocated;	/* sums over it */
	uint64_t payload_bytes;

	struct fail machine;
	const char *memory_guess;	/* as in struct machine */
	uint32_t check;			/* PURG_CHECK_* */
	uint64_t crc32c_ms, sha256_ms;	/* for 100 MiB */
	struct fail cpus_stay;		/* one of them keeps the kernel from jumping at all */
	uint32_t cpus, cpus_online, cpus_auto;
	char one_cpu[128];		/* why no more may be used; empty: nothing speaks against it */
	bool psci;
	char console[32], unknown_console[32];
	bool serial_missing;		/* --serial names none */
	struct boot_log boot_log;
	enum doctor_gic gic;
	uint64_t gic_table_bytes;	/* of its LPIs and ITS, that the log names */
	struct guards guards;
	uint64_t crash_kernel_bytes;
	bool crash_kernel_is_loaded;
	struct fail crash_switches;	/* what the administrator has switched off of such loads */
	struct load_limit crash_limit;	/* kernel.kexec_load_limit_panic */
	bool efi, acpi;
};

/*
 * Look at everything. The request: as for a load; kernel may be null, and plan_only and fast are to be set. Errors are those that keep it
 * from finding out: KX_LOCKED, KX_INTERRUPTED
 */
enum kx_err doctor_examine(struct doctor *doctor, struct sys *sys, const struct load_request *request, struct fail *fail);

/* 0: a load with --fast-reloc stages here; 1: one goes another way; 2: none does; 255: it is not known, or the kernel that was named cannot be
 * planned, which says nothing of the machine. */
int doctor_exit_status(const struct doctor *doctor);

/* A line for each check, and a second one with the command where something is to be changed; all of it. */
void doctor_text(const struct doctor *doctor, FILE *out);
void doctor_json(const struct doctor *doctor, FILE *out);

#endif
