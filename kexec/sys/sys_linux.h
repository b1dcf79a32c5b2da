/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of this component. */
#ifndef SYS_LINUX_H
#define SYS_LINUX_H

#include "sys.h"

#define LOCK_FILES	2

/* What lasts from one call to the next; the sys's ctx. (But for the signal that came in, which its handler has to find.) */
struct linux_state {
	int restorer_fd;		/* -1: there is none */
	pid_t restorer_pid;
	char oom_score_before[16];	/* empty: it was not changed */
	int lock_fd[LOCK_FILES];
	bool deaf;			/* to signals, for a while */
	int pagemap_fd, kpageflags_fd;	/* -1: not open yet */
};

static inline struct linux_state *linux_state(struct sys *sys)
{
	return sys->ctx;
}

void sys_linux_files(struct sys *sys);
void sys_linux_lock(struct sys *sys);
void sys_linux_shm(struct sys *sys);
void sys_linux_workers(struct sys *sys);
void sys_linux_run(struct sys *sys);
void sys_linux_clock(struct sys *sys);

/* As sys->write_file. */
int sys_linux_write_file(struct sys *sys, const char *path, const char *text);

#endif
