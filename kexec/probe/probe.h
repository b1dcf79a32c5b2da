/* SPDX-License-Identifier: GPL-2.0-only */
/* Questions about the running system: what forbids a load, how much memory there is, what is loaded. */
#ifndef PROBE_H
#define PROBE_H

#include "err.h"
#include "range.h"
#include "sys.h"

/* Refusals that hold for every load and unload. Errors: KX_WRONG_ARCH, KX_NOT_ROOT, KX_CONTAINER, KX_USER_NS, KX_LOAD_DISABLED,
 * KX_LOAD_LIMIT, KX_LOAD_LIMIT_PANIC */
enum kx_err preflight(struct sys *sys, bool crash, struct fail *fail);

/* Its two halves: what this process may do, and what the administrator has switched off. */
enum kx_err preflight_rights(struct sys *sys, struct fail *fail);
enum kx_err preflight_switches(struct sys *sys, bool crash, struct fail *fail);

/* Refusals that hold for kexec_load(2) only. Errors: KX_LOCKDOWN */
enum kx_err preflight_kexec_load(struct sys *sys, struct fail *fail);

/* Whether memory under these addresses has failed, as far as the kernel shows it (/proc/kpageflags). */
bool memory_has_failed(struct sys *sys, pa_t pa, uint64_t bytes);

/* Refusals that hold for staging only. Errors: KX_STAGE_NOT_ROOT, KX_OTHER_IPC_NS, KX_SHM_RMID_FORCED */
enum kx_err preflight_staging(struct sys *sys, struct fail *fail);

/* Whether the running kernel is of that release or a later one, by /proc/sys/kernel/osrelease; false: it is not known, too. */
bool kernel_is_from(struct sys *sys, unsigned int wanted_major, unsigned int wanted_minor);

/* How often something can still be loaded until the next boot. */
struct load_limit {
	bool limited;
	uint64_t left;
	bool unknown;		/* it cannot be read */
};

/* Read kernel.kexec_load_limit_reboot or _panic, by the path of its file. */
void load_limit_read(struct sys *sys, const char *path, struct load_limit *limit);
#define LOAD_LIMIT_REBOOT	"/proc/sys/kernel/kexec_load_limit_reboot"
#define LOAD_LIMIT_PANIC	"/proc/sys/kernel/kexec_load_limit_panic"

/* Whether the kernel may be asked for a call (sys->kexec_probe()), which counts as a load. */
static inline bool loads_are_uncounted(const struct load_limit *limit)
{
	return !limit->limited && !limit->unknown;
}

/* Whether a process has a session of a live update open, or kexec handover was finalized: only the kernel's own kexec_file_load(2) hands that
 * over. who: which it is, in room bytes; else empty. */
bool live_update_session(struct sys *sys, char *who, size_t room);

/* Whether the kernel can take all CPUs but one offline, without which it does not come to the jump. Errors: KX_CPUS_STAY */
enum kx_err preflight_cpus(struct sys *sys, struct fail *fail);

/* The node of memory that is next to the CPU which makes the jump and boots the next kernel; -1: it is not known, or there is one node only. */
int boot_node(struct sys *sys);

/* Staged memory is in the IPC namespace of the host; from others it is not seen. */
bool in_host_ipc_ns(struct sys *sys);

/* Whether a small file has this word in it; false as well if it cannot be read. */
bool file_says(struct sys *sys, const char *path, const char *word);

/* Why that file of /proc could not be read: err is a negative errno. Returns KX_NO_PROC or KX_READ. */
enum kx_err proc_error(struct fail *fail, const char *path, int err);

/* Whether /proc has what the next two read. Errors: KX_NO_PROC */
enum kx_err check_proc(struct sys *sys, struct fail *fail);

/* Bytes of the last "Crash kernel" in /proc/iomem; 0: none. */
uint64_t crash_kernel_bytes(struct sys *sys);

/* Whether the running kernel was told to keep its initrd. */
bool initrd_is_retained(struct sys *sys);

/* Whether a kernel is loaded: /sys/kernel/kexec_loaded, or for the crash kernel /sys/kernel/kexec_crash_loaded.
 * 1, 0, or -1 when that cannot be read. */
int kernel_is_loaded(struct sys *sys, bool crash);

/* Whether this kernel was built with a system call, by its symbols; for where the call itself must not be tried.
 * 1, 0, or -1 when they do not say: there is no /proc/kallsyms without CONFIG_KALLSYMS. */
int kernel_has_call(struct sys *sys, const char *name);

/*
 * The entry point of the image that the kernel holds, as kexec_load(2) was given it: by it one load is told from another, a stock kexec's
 * too. 0: none is loaded, or the kernel does not show it: that takes /proc/kcore and data symbols in /proc/kallsyms (CONFIG_KALLSYMS_ALL),
 * so not Debian's before 6.12. Takes a while: /proc/kallsyms is long.
 */
pa_t loaded_entry_pa(struct sys *sys);

/* The same of the image that is started at a panic. */
pa_t loaded_crash_entry_pa(struct sys *sys);

/* How much memory there is. */
struct budget {
	uint64_t ram_bytes;		/* MemTotal */
	uint64_t unused_bytes;		/* MemFree */
	uint64_t free_bytes;		/* MemAvailable */
	uint64_t unmovable_bytes;	/* of free_bytes, less what is free in CMA areas: that is for pages that can be moved only, the kernel's own cannot */
	uint64_t cma_bytes;		/* CmaTotal: memory that drivers may claim back from whoever has it */
	uint64_t swap_used_bytes;
	uint64_t available_bytes;	/* of free_bytes, what may be taken: less what the shutdown itself needs */
};

/* As it is now. Read again after every step that takes memory or gives it back: others do the same meanwhile, and what was true before
 * the initrd was read is not any more. Errors: KX_READ, KX_NO_PROC */
enum kx_err budget_read(struct budget *budget, struct sys *sys, struct fail *fail);

/* How much of a file may be read into memory now, since as much again is needed to stage it. Reads the budget again; should that fail,
 * what was read before counts. */
uint64_t budget_spool_bytes(struct budget *budget, struct sys *sys);

#endif
