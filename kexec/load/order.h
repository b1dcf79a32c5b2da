/* SPDX-License-Identifier: GPL-2.0-only */
/* A load on its way, for the two files that share it: load.c has the order of its stages, calls.c by which system call it goes. */
#ifndef ORDER_H
#define ORDER_H

#include "stages.h"

/* One load on its way: its stages, each made by a step below and read-only after it. */
struct load {
	struct sys *sys;
	const struct load_request *request;
	struct report *report;
	struct load_lock lock;
	struct inputs inputs;
	struct machine machine;
	struct choices choices;
	struct tree tree;
	struct placement placement;
	struct payload payload;
	struct control control;
	bool took_crash_kernel;	/* what was loaded for a panic */
};

/*
 * All stages, one after the other, staged or not as the request says, and the kernel is told. The files may be open already. What an unpacked
 * initrd does not let succeed is tried with the packed one. Errors: those of all stages
 */
enum kx_err load_in_stages(struct load *l, struct fail *fail);

/* What other loads have staged is unreachable once the kernel has this one. keep: the number of its ledger; negative: none. */
void load_remove_others(const struct load *l, int keep);

/* What an earlier loader left behind when it was killed; all of it, if nothing is loaded at all. */
void load_tidy(const struct load *l);

#endif
