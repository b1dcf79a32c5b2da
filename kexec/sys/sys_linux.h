/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the two files of this room. */
#ifndef SYS_LINUX_H
#define SYS_LINUX_H

#include "sys.h"

void sys_linux_shm(struct sys *sys);

#endif
