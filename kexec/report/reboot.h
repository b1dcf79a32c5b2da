/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The whole reboot that led to this kernel, on one clock: CNTVCT_EL0, which goes on counting from one kernel to the next. The old kernel's side
 * and purgatory have their stamps in purgatory's record; this kernel's are its own clock's, which both clocks' readings of now put beside
 * them. Pure.
 */
#ifndef REBOOT_H
#define REBOOT_H

#include "range.h"

#include <stdio.h>

enum reboot_point {
	REBOOT_ASKED,		/* somebody asked for it */
	REBOOT_STOPPED,		/* services are stopped, file systems unmounted */
	REBOOT_JUMP,		/* reboot(2) is next */
	REBOOT_PURGATORY,	/* the old kernel is gone */
	REBOOT_DONE,		/* so is purgatory */
	REBOOT_CLOCK,		/* this kernel's clocks start */
	REBOOT_INIT,		/* its first process does: /init of the initrd, or what the root file system has */
	REBOOT_ROOT,		/* systemd does, from the root file system */
	REBOOT_TARGET,		/* and has reached its default target */
	REBOOT_POINTS
};

/* What this kernel says. 0: not known. */
struct reboot_now {
	uint64_t counter, boot_ns;		/* CNTVCT_EL0 and CLOCK_BOOTTIME, read at one time */
	uint64_t log_counter, log_ns;		/* CNTVCT_EL0 and the kernel log's clock; log_ns 0: taken for the other one */
	uint64_t init_us;			/* by the log's clock */
	uint64_t root_us, target_us;		/* by CLOCK_BOOTTIME */
};

struct reboot {
	uint64_t ns[REBOOT_POINTS];	/* since the first one that is known */
	bool known[REBOOT_POINTS];
	const char *note;		/* null, or why something is left out that might have been known */
};

/* By purgatory's record. False: it is none of ours, or tells no time. */
bool reboot_make(struct reboot *reboot, const void *record, size_t bytes, const struct reboot_now *now);

/* From point to point: a table with a bar each. */
void reboot_text(const struct reboot *reboot, FILE *out);
/* Metrics in Prometheus' text format: one for each phase, and their sum. */
void reboot_prometheus(const struct reboot *reboot, FILE *out);
/* One bar, for a browser: light or dark as that is. */
void reboot_svg(const struct reboot *reboot, FILE *out);

/* The same for JSON: of the phase that ends at this point its names and length; false: it is not known. name is what people read, key is for
 * programs; where points between are not known, they are those of all phases in it, joined by room bytes at most. */
bool reboot_phase(const struct reboot *reboot, enum reboot_point to, char *name, char *key, size_t room, uint64_t *start_ns, uint64_t *ns);

#endif
