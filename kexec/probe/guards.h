/* SPDX-License-Identifier: GPL-2.0-only */
/* What this system has around a jump: who resets the machine should the next kernel hang, where last words survive, and whose state the
 * jump loses. */
#ifndef GUARDS_H
#define GUARDS_H

#include "sys.h"

#define WATCHDOGS_MAX	4

struct watchdog {
	char name[32], identity[48];
	bool active;
	uint64_t timeout_s;
};

struct guards {
	struct watchdog watchdog[WATCHDOGS_MAX];
	unsigned int watchdogs;
	bool systemd;			/* it is PID 1 */
	char kexec_watchdog[32];	/* systemd's KExecWatchdogSec=, as written; empty: nowhere, so off */
	bool kexec_watchdog_on;
	char pstore[32];		/* the backend; empty: there is none */
	bool liveupdate;		/* /dev/liveupdate: what is preserved goes by kexec_file_load(2) only */
	bool kho;			/* kexec handover was switched on */
};

/* What cannot be read is not there. */
void guards_read(struct guards *guards, struct sys *sys);

#endif
