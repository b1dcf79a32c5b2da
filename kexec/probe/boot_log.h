/* SPDX-License-Identifier: GPL-2.0-only */
/* What the next kernel's messages cost: it waits for a serial console to send each of them. */
#ifndef BOOT_LOG_H
#define BOOT_LOG_H

#include "sys.h"

struct boot_log {
	char tty[32];		/* the serial console that the command line names last; empty: none */
	uint32_t baud;		/* 0: the command line does not say */
	bool quiet;		/* only warnings and what is worse are printed */
	bool earlycon;		/* what is said before the console is there is printed, too, by polling */
	uint64_t bytes;		/* what this kernel's own boot logged, as a console prints it */
	bool whole;		/* the log reaches from the beginning to the first process */
	uint64_t ms;		/* to send it, at BOOT_LOG_BAUD_GUESS where baud is not known */
};

#define BOOT_LOG_BAUD_GUESS	115200

/* By the next kernel's command line, and this kernel's log: the next one is taken to say as much. */
void boot_log_read(struct boot_log *to, struct sys *sys, const char *cmdline);

#endif
