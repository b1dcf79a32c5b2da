/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of this component. */
#ifndef SYS_LINUX_H
#define SYS_LINUX_H

#include "sys.h"

void sys_linux_files(struct sys *sys);
void sys_linux_lock(struct sys *sys);
void sys_linux_shm(struct sys *sys);
void sys_linux_workers(struct sys *sys);

/* As sys->write_file. */
int sys_linux_write_file(struct sys *sys, const char *path, const char *text);

#endif
