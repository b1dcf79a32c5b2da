/* SPDX-License-Identifier: GPL-2.0-only */
/* Either call unloads what the other has loaded. Knows the kernel by struct sys alone. */
#include "sys.h"

#include <errno.h>

int sys_unload(struct sys *sys, bool crash, enum syscall_choice by)
{
	int err = -ENOSYS, other;

	if (by != SYSCALL_FILE)
		err = sys->kexec_load(sys, 0, NULL, 0, crash ? SYS_KEXEC_ON_CRASH : 0);
	/* A kernel may have only the other call, or be locked down against this one. */
	if (by == SYSCALL_FILE || (by == SYSCALL_AUTO && (err == -ENOSYS || err == -EPERM))) {
		other = sys->kexec_file_load(sys, -1, -1, NULL, SYS_FILE_UNLOAD | (crash ? SYS_FILE_ON_CRASH : 0));
		err = other == -ENOSYS ? err : other;
	}
	return err;
}
