/* SPDX-License-Identifier: GPL-2.0-only */
/* When what happened since this kernel started, by its own clock. */
#include "this_boot.h"

#include <stdlib.h>
#include <string.h>

/* A long time for a service manager to answer; who asks is a person, or a program that collects metrics. */
#define SYSTEMCTL_MS	3000

/* "InitRDTimestampMonotonic=1234": microseconds; 0: none, or systemd does not know. */
static uint64_t property(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at && at[strlen(name)] == '=' ? strtoull(at + strlen(name) + 1, NULL, 10) : 0;
}

void this_boot_read(struct reboot_now *now, struct sys *sys)
{
	static const char *const argv[] = {
		"systemctl", "show", "--property=UserspaceTimestampMonotonic", "--property=FinishTimestampMonotonic", NULL,
	};
	char text[512];

	*now = (struct reboot_now){ 0 };
	if (sys->kernel_log_time(sys, "Run /", " as init process", &now->init_us) < 0)
		now->init_us = 0;
	if (sys->run(sys, argv, SYSTEMCTL_MS, text, sizeof(text)) == 0) {
		now->root_us = property(text, "UserspaceTimestampMonotonic");
		now->target_us = property(text, "FinishTimestampMonotonic");
	}
	if (sys->log_clock(sys, &now->log_counter, &now->log_ns) < 0)
		now->log_ns = 0;
	/* Last, and close together. */
	now->boot_ns = sys->boot_ns(sys);
	now->counter = sys->counter(sys);
}
