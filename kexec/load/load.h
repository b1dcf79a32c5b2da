/* SPDX-License-Identifier: GPL-2.0-only */
/* The order of steps: what is done in which order. They call everybody; nobody but main.c calls them. None prints. */
#ifndef LOAD_H
#define LOAD_H

#include "report.h"
#include "request.h"
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

/* Unload what is loaded, and give all staged memory back; or unload the crash kernel. By that system call, or by either. *note: null,
 * or why staged memory is not given back yet. */
enum kx_err unload_kernel(struct sys *sys, bool crash, enum syscall_choice by, const char **note, struct fail *fail);

/* Whether /proc has what the next two read. Errors: KX_NO_PROC */
enum kx_err check_proc(struct sys *sys, struct fail *fail);

/* Why what others staged may not be given back now, by what sys->lock() said; null: it may. */
const char *sweep_hindrance(struct sys *sys, int lock_error);

/* Bytes of the last "Crash kernel" in /proc/iomem; 0: none. */
uint64_t crash_kernel_bytes(struct sys *sys);

/* Whether the running kernel was told to keep its initrd. */
bool initrd_is_retained(struct sys *sys);

/* Whether a kernel is loaded: /sys/kernel/kexec_loaded, or for the crash kernel /sys/kernel/kexec_crash_loaded.
 * 1, 0, or -1 when that cannot be read. */
int kernel_is_loaded(struct sys *sys, bool crash);

/* Jump. With sync, write out disks first; with ifdown, take the network down. Only returns on failure. */
enum kx_err exec_kernel(struct sys *sys, bool do_sync, bool do_ifdown, struct fail *fail);

/* The record that purgatory left for this kernel, in memory that the caller frees. Errors: KX_NO_TIMELINE, KX_NO_TIMELINE_TREE */
enum kx_err last_timeline(struct sys *sys, char **record, size_t *bytes, struct fail *fail);

#endif
