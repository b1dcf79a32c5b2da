/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The crash kernel that was loaded by this program, remembered: should its memory be staged in, it is loaded again when that is given back.
 * What is remembered is the request, in a System V segment, which lasts as long as the crash kernel itself: until the next boot. So a later run
 * does what one that was killed did not come to.
 */
#ifndef CRASH_KERNEL_H
#define CRASH_KERNEL_H

#include "err.h"
#include "report.h"
#include "request.h"
#include "sys.h"

/* Around a load of a crash kernel: it is about to be, and was; request null: the load failed. What cannot be remembered is forgotten. */
void crash_kernel_loading(struct sys *sys);
void crash_kernel_loaded(struct sys *sys, const struct load_request *request);

/* It was unloaded, and is to stay so. */
void crash_kernel_forget(struct sys *sys);

/* Its memory is about to be staged in. Returns whether one is loaded there, by whatever program, which will have to come back. */
bool crash_kernel_take(struct sys *sys);

/* The request that is remembered. Its texts are in *memory, which the caller frees. False: there is none, and *memory is null. */
bool crash_kernel_recall(struct sys *sys, struct load_request *request, char **memory);

/*
 * Where its memory was taken, and is free again, load it, whatever signals came in. Returns whether that was to be done; fail->err is how it went:
 * KX_OK; KX_CRASH_KERNEL_LOST: another program had loaded it; or as load_kernel(), and then the next run tries again. kernel: its file, in room
 * bytes; report: notes of that load.
 */
bool crash_kernel_restore(struct sys *sys, char *kernel, size_t room, struct report *report, struct fail *fail);

#endif
