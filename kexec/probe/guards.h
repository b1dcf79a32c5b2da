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

/*
 * What becomes of an armed watchdog when the kernel shuts down for a jump. Many drivers, i6300esb among them, ask the kernel to stop theirs at
 * every reboot, a kexec included (watchdog_stop_on_reboot(), SYS_RESTART in watchdog_core.c); no file shows which ones do.
 */
enum watchdog_at_reboot {
	WATCHDOG_DRIVER_DECIDES,	/* what the kernel parameter watchdog.stop_on_reboot was left at; kernels before 5.9 have none */
	WATCHDOG_GOES_ON,		/* watchdog.stop_on_reboot=0 */
	WATCHDOG_STOPS,			/* watchdog.stop_on_reboot=1 */
};

struct guards {
	struct watchdog watchdog[WATCHDOGS_MAX];
	unsigned int watchdogs;
	enum watchdog_at_reboot at_reboot;
	bool systemd;			/* it is PID 1 */
	char kexec_watchdog[32];	/* systemd's KExecWatchdogSec=, as written; empty: nowhere, so off */
	bool kexec_watchdog_on;
	char runtime_watchdog[32];	/* RuntimeWatchdogSec=, the same: by it the next system's systemd takes over the watchdog that it finds armed */
	bool runtime_watchdog_on;
	char pstore[32];		/* the backend; empty: there is none */
	bool liveupdate;		/* /dev/liveupdate: what is preserved goes by kexec_file_load(2) only */
	bool kho;			/* kexec handover was switched on */
};

/* Whether a next kernel that hangs is reset, whatever the watchdog's driver does. */
static inline bool guards_jump(const struct guards *g)
{
	return g->watchdogs && g->systemd && g->kexec_watchdog_on && g->at_reboot == WATCHDOG_GOES_ON;
}

/* Whether it then leaves alone a next kernel that does not hang, should that system be set up as this one; its driver may, too. */
static inline bool watchdog_is_taken_over(const struct guards *g)
{
	return g->runtime_watchdog_on;
}

/* What cannot be read is not there. */
void guards_read(struct guards *guards, struct sys *sys);

#endif
