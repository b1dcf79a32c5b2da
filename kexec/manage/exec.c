/* SPDX-License-Identifier: GPL-2.0-only */
#include "manage.h"

#include "dt.h"
#include "machine.h"
#include "purgatory_abi.h"

#include <stdlib.h>
#include <string.h>

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
	staged_stamp(sys, LEDGER_STAMP_JUMP);
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
