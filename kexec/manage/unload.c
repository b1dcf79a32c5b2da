/* SPDX-License-Identifier: GPL-2.0-only */
#include "manage.h"

#include "crash_kernel.h"
#include "load.h"
#include "probe.h"
#include "stages.h"

#include <errno.h>
#include <string.h>

static enum kx_err unload_error(enum syscall_choice by, int err, struct fail *fail)
{
	if (by == SYSCALL_FILE && file_load_is_missing(err))
		return fail_set(fail, KX_FILE_UNAVAILABLE, "%s", strerror(-err));
	return fail_set(fail, err == -EPERM ? KX_NOT_PERMITTED : KX_UNLOAD, "%s", strerror(-err));
}

/* Give back what was staged. */
static const char *sweep_all(struct sys *sys, int lock_error, bool was_loaded)
{
	struct load_lock lock = { sys, lock_error };
	const char *hindrance = lock_hindrance(&lock);
	bool emptied;

	/* A load that is at work gives back what is left when it ends. */
	if (hindrance && sys->is_root(sys))
		return "another kexec is loading: what was staged is given back when it is done";
	if (hindrance)
		return "what was staged is not given back: only user 0 can do that";
	emptied = ledgers_use_crash_memory(sys) && !ledgers_hold_crash_memory(sys);
	if (ledgers_remove(sys, -1, true))
		return "a process holds staged memory: it is given back when that ends";
	if (ledgers_use_crash_memory(sys))
		return "the crash kernel's memory still holds what was staged in it: the kernel does not let go of it (kexec -p -u)";
	if (emptied)
		return "the crash kernel's memory is empty now; whether another program had loaded a crash kernel since, this kernel does not show";
	if (was_loaded && !in_host_ipc_ns(sys))
		return "memory that was staged in the host's IPC namespace is given back by kexec -u there";
	return NULL;
}

enum kx_err unload_kernel(struct sys *sys, bool crash, enum syscall_choice by, const char **note, struct fail *fail)
{
	enum kx_err refused = preflight(sys, crash, fail);
	bool was_loaded;
	int err, lock_error;

	*note = NULL;
	if (refused)
		return refused;
	if (crash && crash_memory_is_staged(sys))
		return fail_with(fail, KX_CRASH_MEMORY_STAGED);
	lock_error = crash ? -EWOULDBLOCK : sys->lock(sys, false);
	was_loaded = kernel_is_loaded(sys, crash) == 1;
	err = sys_unload(sys, crash, by);
	/* Two at once: the kernel may tell this one that it is busy with the other. */
	if (!crash && (!err || kernel_is_loaded(sys, false) == 0))
		*note = sweep_all(sys, lock_error, was_loaded);
	if (!lock_error)
		sys->unlock(sys);
	if (crash && !err)
		crash_kernel_forget(sys);
	return err ? unload_error(by, err, fail) : KX_OK;
}
