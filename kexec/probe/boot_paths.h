/* SPDX-License-Identifier: GPL-2.0-only */
/* Boot entries name files of a file system; where that is mounted here, and whether they are there. Everything is only read. */
#ifndef BOOT_PATHS_H
#define BOOT_PATHS_H

#include "entry.h"
#include "sys.h"

/*
 * Make all paths those of this system, and check them. mountinfo: the text of /proc/self/mountinfo; null: it is not known, and whichever file there
 * is counts. False: out of memory.
 */
bool boot_paths_find(struct sys *sys, const char *mountinfo, struct boot_entries *entries);

/* An entry whose files are not there, or are on another file system than it says, is broken. */
void boot_paths_check(struct sys *sys, const char *mountinfo, struct boot_entry *e);

#endif
