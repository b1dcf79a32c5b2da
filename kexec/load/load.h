/* SPDX-License-Identifier: GPL-2.0-only */
/* A load, whole. Prints nothing. */
#ifndef LOAD_H
#define LOAD_H

#include "report.h"
#include "request.h"
#include "staging.h"
#include "sys.h"

/*
 * Load a kernel, or with plan_only find out how it would be loaded. *report is filled in on success. On an error nothing
 * that was loaded before is lost, and nothing is left behind; *fail says what is wrong. (But for a crash kernel: the kernel itself
 * drops the old one before it takes the new one, whatever becomes of that.)
 *
 * Which system call: kexec_file_load(2) knows no check, no staging, no other device tree; where any of that is asked for it is
 * kexec_load(2), and KX_FILE_OPTION if kexec_file_load(2) is insisted on. Should the kernel not have kexec_load(2), or be locked
 * down against it, what is only a preference (FAST_AUTO, *_is_preference) is left, and it is kexec_file_load(2) with a note.
 */
enum kx_err load_kernel(struct sys *sys, const struct load_request *request, struct report *report, struct fail *fail);

/*
 * Whether something can be staged here and now: a page is staged as a load does it, and given back. Errors: those of staging, KX_LOCKED,
 * KX_INTERRUPTED
 */
struct staging_trial {
	bool has_limit;			/* there are such huge pages: */
	struct huge_page_limit limit;
	struct report report;		/* notes */
};
enum kx_err load_trial(struct sys *sys, struct staging_trial *trial, struct fail *fail);

/* Whether a kernel for the next reboot is staged in the crash kernel's memory, as far as can be told: loads and unloads of a crash kernel would
 * take it away. */
bool crash_memory_is_staged(struct sys *sys);

/* Whether kexec_load(2) failed so that a load which only prefers what the other call cannot do goes by that one. */
bool load_may_go_by_file(enum kx_err err);

/* What kexec-tools takes as a sign that the kernel has no kexec_file_load(2), or none for this file: err of the call. */
bool file_load_is_missing(int err);

#endif
