/* SPDX-License-Identifier: GPL-2.0-only */
/* What is done with a load: look at it, hold it against what is true, heal it, undo it, start it, and look back at it from the next
 * kernel. Nobody here prints. */
#ifndef MANAGE_H
#define MANAGE_H

#include "err.h"
#include "request.h"
#include "staged.h"
#include "sys.h"

/* Unload what is loaded, and give all staged memory back; or unload the crash kernel. By that system call, or by either. *note: null,
 * or why staged memory is not given back yet. */
enum kx_err unload_kernel(struct sys *sys, bool crash, enum syscall_choice by, const char **note, struct fail *fail);

/*
 * Start what is loaded, healed if need be. With do_sync, write out disks first; with do_ifdown, take the network down. Only returns on
 * failure. heal tells what was found and done, for a word on it before the jump: tell() is called with it, and may be null.
 */
enum kx_err exec_kernel(struct sys *sys, bool do_sync, bool do_ifdown, void (*tell)(const struct heal *heal), struct fail *fail);

/* The record that purgatory left for this kernel, in memory that the caller frees. Errors: KX_NO_TIMELINE, KX_NO_TIMELINE_TREE */
enum kx_err last_timeline(struct sys *sys, char **record, size_t *bytes, struct fail *fail);

#endif
