/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The crash kernel that was loaded by this program, remembered: should its memory be staged in, it is loaded again when that is given back.
 * What is remembered is the request, in a System V segment, which lasts as long as the crash kernel itself: until the next boot.
 */
#ifndef CRASH_KERNEL_H
#define CRASH_KERNEL_H

#include "err.h"
#include "request.h"
#include "sys.h"

/* request was loaded (request->crash). What cannot be remembered is forgotten. */
void crash_kernel_remember(struct sys *sys, const struct load_request *request);
void crash_kernel_forget(struct sys *sys);

/*
 * The request again. Its texts are in *memory, which the caller frees. False: there is none, *memory is null.
 */
bool crash_kernel_recall(struct sys *sys, struct load_request *request, char **memory);

/* What there was before this run does something about a load. */
struct crash_kernel_before {
	bool loaded;		/* an image for a panic ... */
	bool staged;		/* ... which is ours, since something is staged in its memory */
};
struct crash_kernel_before crash_kernel_look(struct sys *sys);

/*
 * Where that run has taken the crash kernel away, load it again. Returns whether it was to be; fail->err is how that went: KX_OK;
 * KX_CRASH_KERNEL_LOST: nobody remembers it; or as load_kernel(). kernel: its file, in room bytes; empty if that is not known.
 */
bool crash_kernel_restore(struct sys *sys, const struct crash_kernel_before *before, char *kernel, size_t room, struct fail *fail);

#endif
