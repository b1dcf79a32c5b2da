/* SPDX-License-Identifier: GPL-2.0-only */
#include "manage.h"

#include "dt.h"
#include "load.h"
#include "machine.h"
#include "purgatory_abi.h"
#include "stages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static enum kx_err unload_error(enum syscall_choice by, int err, struct fail *fail)
{
	if (by == SYSCALL_FILE && file_load_is_missing(err))
		return fail_set(fail, KX_FILE_UNAVAILABLE, "%s", strerror(-err));
	return fail_set(fail, err == -EPERM ? KX_NOT_PERMITTED : KX_UNLOAD, "%s", strerror(-err));
}

int kexec_unload(struct sys *sys, bool crash, enum syscall_choice by)
{
	int err = -ENOSYS, other;

	if (by != SYSCALL_FILE)
		err = sys->kexec_load(sys, 0, NULL, 0, crash ? SYS_KEXEC_ON_CRASH : 0);
	/* A kernel may have only the other call, or be locked down against this one; either unloads what the other has loaded. */
	if (by == SYSCALL_FILE || (by == SYSCALL_AUTO && (err == -ENOSYS || err == -EPERM))) {
		other = sys->kexec_file_load(sys, -1, -1, NULL, SYS_FILE_UNLOAD | (crash ? SYS_FILE_ON_CRASH : 0));
		err = other == -ENOSYS ? err : other;
	}
	return err;
}

/* Give back what was staged. */
static const char *sweep_all(struct sys *sys, int lock_error, bool was_loaded)
{
	struct load_lock lock = { sys, lock_error };
	const char *hindrance = lock_hindrance(&lock);

	/* A load that is at work gives back what is left when it ends. */
	if (hindrance && sys->is_root(sys))
		return "another kexec is loading: what was staged is given back when it is done";
	if (hindrance)
		return "what was staged is not given back: only user 0 can do that";
	if (ledgers_remove(sys, -1))
		return "a process holds staged memory: it is given back when that ends";
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
	lock_error = crash ? -EWOULDBLOCK : sys->lock(sys, false);
	was_loaded = kernel_is_loaded(sys, crash) == 1;
	err = kexec_unload(sys, crash, by);
	/* Two at once: the kernel may tell this one that it is busy with the other. */
	if (!crash && (!err || kernel_is_loaded(sys, false) == 0))
		*note = sweep_all(sys, lock_error, was_loaded);
	if (!lock_error)
		sys->unlock(sys);
	return err ? unload_error(by, err, fail) : KX_OK;
}

enum kx_err exec_kernel(struct sys *sys, bool do_sync, bool do_ifdown, void (*tell)(const struct heal *heal), struct fail *fail)
{
	struct heal heal;
	enum kx_err err;
	int result;

	/* As in kexec-tools: only a clear no stops us. */
	if (kernel_is_loaded(sys, false) == 0)
		return fail_with(fail, KX_NOTHING_LOADED);
	if (do_sync)
		sys->sync(sys);
	/* Late, so that what is true then is true at the jump; but as long as somebody could still be told that it is not. */
	err = staged_heal(sys, &heal, fail);
	/* Whoever may not look at what is staged may start it all the same: purgatory verifies it. And a loader that hangs keeps nobody from a
	   reboot. */
	if (err == KX_LOCKED)
		report_note(&heal.report, "another kexec is at work, so only purgatory verifies what is started");
	else if (err && err != KX_STAGE_NOT_ROOT && err != KX_OTHER_IPC_NS)
		return err;
	if (tell)
		tell(&heal);
	if (sys->interrupted(sys))
		return fail_with(fail, KX_NOT_STARTED);
	if (do_ifdown)
		sys->ifdown(sys);
	result = sys->reboot_kexec(sys);
	return fail_set(fail, KX_REBOOT, "%s", strerror(-result));
}

enum kx_err last_timeline(struct sys *sys, char **record, size_t *bytes, struct fail *fail)
{
	const void *value;
	char *dtb;
	size_t dtb_bytes;
	enum kx_err err = device_tree_read(sys, &dtb, &dtb_bytes, fail);

	if (err)
		return err == KX_NO_DTB ? fail_with(fail, KX_NO_TIMELINE_TREE) : err;
	*record = NULL;
	value = dt_check(dtb, dtb_bytes, &dtb_bytes) ? NULL : dt_chosen(dtb, PURG_TIMELINE_PROPERTY, bytes);
	if (value) {
		*record = malloc(*bytes ? *bytes : 1);
		if (*record)
			memcpy(*record, value, *bytes);
	}
	free(dtb);
	return *record ? KX_OK : fail_with(fail, KX_NO_TIMELINE);
}
