/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program, its threads and everything that it forks under ptrace(2), counted and killed by system calls. Only those count that change
 * what others see: killed anywhere between two of them, a program leaves the same behind, but for what it stores to memory that it
 * shares. (That is for tests/unit/test_heal_killed.c.)
 */
#include "tool.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS_MAX	512	/* numbers of system calls */
#define TASKS_MAX	1024	/* threads of the family at one time */
#define KILLED		9

#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL	0x404
#endif

#define NAME(call) [SYS_##call] = #call
static const char *const names[CALLS_MAX] = {
	NAME(brk), NAME(clone), NAME(clone3), NAME(clock_nanosleep), NAME(close), NAME(copy_file_range), NAME(dup), NAME(dup3),
	NAME(execve), NAME(exit), NAME(exit_group), NAME(faccessat), NAME(fadvise64), NAME(fallocate), NAME(fchmod), NAME(fchown),
	NAME(fcntl), NAME(fdatasync), NAME(flock), NAME(fstat), NAME(fsync), NAME(ftruncate), NAME(futex), NAME(getdents64),
	NAME(geteuid), NAME(getpid), NAME(getppid), NAME(getrandom), NAME(gettid), NAME(getuid), NAME(io_uring_register),
	NAME(io_uring_setup), NAME(ioctl), NAME(kexec_file_load), NAME(kexec_load), NAME(kill), NAME(linkat), NAME(lseek),
	NAME(madvise), NAME(memfd_create), NAME(mincore), NAME(mkdirat), NAME(mlock), NAME(mlockall), NAME(mmap), NAME(mount),
	NAME(mprotect), NAME(mremap), NAME(munmap), NAME(nanosleep), NAME(newfstatat), NAME(openat), NAME(pidfd_open), NAME(pipe2),
	NAME(ppoll), NAME(prctl), NAME(pread64), NAME(preadv), NAME(prlimit64), NAME(pwrite64), NAME(read), NAME(readlinkat),
	NAME(readv), NAME(reboot), NAME(renameat), NAME(renameat2), NAME(rseq), NAME(rt_sigaction), NAME(rt_sigprocmask),
	NAME(rt_sigreturn), NAME(rt_sigsuspend), NAME(rt_sigtimedwait), NAME(sched_getaffinity), NAME(sched_setaffinity),
	NAME(sched_yield), NAME(semctl), NAME(semget), NAME(semop), NAME(sendfile), NAME(set_robust_list), NAME(set_tid_address),
	NAME(setpgid), NAME(setsid), NAME(shmat), NAME(shmctl), NAME(shmdt), NAME(shmget), NAME(recvfrom), NAME(sendto), NAME(socket), NAME(socketpair), NAME(statfs), NAME(statx),
	NAME(sync), NAME(sysinfo), NAME(tgkill), NAME(uname), NAME(unlinkat), NAME(unshare), NAME(userfaultfd), NAME(wait4),
	NAME(waitid), NAME(write), NAME(writev),
};

struct family {
	unsigned long at;	/* the call to be killed at, 0: none */
	bool after, one;	/* let that call finish first; kill only the process that makes it */
	unsigned long calls, all, of_number[CALLS_MAX];	/* of those that count */
	pid_t main, task[TASKS_MAX];
	size_t tasks;
	pid_t waits_for;	/* the task whose call is the last one that may finish */
	unsigned long long number;	/* of that call */
	bool killed;
	int status;		/* of the program itself */
};

static const char *name_of(unsigned long long number)
{
	static char unknown[32];

	if (number < CALLS_MAX && names[number])
		return names[number];
	snprintf(unknown, sizeof(unknown), "%llu", number);
	return unknown;
}

/* Nobody else sees that they happened. */
static bool is_private(const struct __ptrace_syscall_info *info)
{
	static const unsigned short quiet[] = {
		SYS_brk, SYS_fstat, SYS_futex, SYS_geteuid, SYS_getpid, SYS_getppid, SYS_getrandom, SYS_gettid, SYS_getuid, SYS_lseek, SYS_mprotect,
		SYS_mremap, SYS_munmap, SYS_newfstatat, SYS_pread64, SYS_prlimit64, SYS_read, SYS_readlinkat, SYS_rseq, SYS_rt_sigaction,
		SYS_rt_sigprocmask, SYS_sched_getaffinity, SYS_set_robust_list, SYS_set_tid_address, SYS_statx, SYS_sysinfo, SYS_uname,
	};
	size_t i;

	for (i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++)
		if (info->entry.nr == quiet[i])
			return true;
	switch (info->entry.nr) {
	case SYS_mmap:		/* of files, to read them */
		return true;
	case SYS_openat:
		return !(info->entry.args[2] & (O_ACCMODE | O_CREAT | O_TRUNC));
	case SYS_shmget:
		return !(info->entry.args[2] & IPC_CREAT);
	case SYS_shmctl:
		return info->entry.args[1] == IPC_STAT || info->entry.args[1] == SHM_STAT || info->entry.args[1] == SHM_INFO;
	default:
		return false;
	}
}

static void remember(struct family *f, pid_t task)
{
	size_t i;

	for (i = 0; i < f->tasks; i++)
		if (f->task[i] == task)
			return;
	if (f->tasks < TASKS_MAX)
		f->task[f->tasks++] = task;
}

static void forget(struct family *f, pid_t task)
{
	size_t i;

	for (i = 0; i < f->tasks; i++)
		if (f->task[i] == task) {
			f->task[i] = f->task[--f->tasks];
			return;
		}
}

/*
 * The caller stands still, so it goes last: whoever watches it sees it end only after being killed too. A stopped system call is
 * made into none first, since not every kernel forgets it for a signal.
 */
static void kill_family(struct family *f, pid_t caller, bool entering)
{
	int none = -1;
	struct iovec io = { &none, sizeof(none) };
	long group = f->one ? status_number(caller, "Tgid:") : 0;
	size_t i;

	if (entering)
		ptrace(PTRACE_SETREGSET, caller, (void *)NT_ARM_SYSTEM_CALL, &io);
	for (i = 0; i < f->tasks && !f->one; i++)
		if (f->task[i] != caller)
			kill(f->task[i], SIGKILL);
	/* A program and its threads have one number to be killed by. */
	kill(f->one ? (pid_t)group : caller, SIGKILL);
	f->killed = true;
	f->waits_for = 0;
}

/* Returns true if the task is dead now and is not to be told to go on. */
static bool on_call(struct family *f, pid_t task)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, task, (void *)sizeof(info), &info) <= 0)
		return false;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT && f->waits_for == task) {
		kill_family(f, task, false);
		return true;
	}
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY || f->killed)
		return false;
	f->all++;
	if (is_private(&info))
		return false;
	f->calls++;
	if (info.entry.nr < CALLS_MAX)
		f->of_number[info.entry.nr]++;
	if (f->calls != f->at)
		return false;
	f->number = info.entry.nr;
	if (f->after) {
		f->waits_for = task;
		return false;
	}
	kill_family(f, task, true);
	return true;
}

static void on_stop(struct family *f, pid_t task, int status, bool *started)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	remember(f, task);
	if (f->killed && !f->one) {
		/* A child that was being made while its parent was killed. */
		kill(task, SIGKILL);
		return;
	}
	if (event == PTRACE_EVENT_EXEC)
		*started = true;
	if (event == PTRACE_EVENT_STOP && sig != SIGTRAP) {
		/* It was stopped by a signal, and stays so. */
		ptrace(PTRACE_LISTEN, task, NULL, NULL);
		return;
	}
	if (event)
		sig = 0;
	else if (sig == (SIGTRAP | 0x80)) {
		sig = 0;
		if (*started && on_call(f, task))
			return;
	}
	ptrace(*started ? PTRACE_SYSCALL : PTRACE_CONT, task, NULL, (void *)(long)sig);
}

/* Run it to the end of all its processes, which may be what is made of it. */
static int run(struct family *f, char **command)
{
	const unsigned long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
				      PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	bool started = false;
	int go[2], status;
	char byte;
	pid_t task;

	/* Orphans come to this process, so that its waiting ends when the last one is really gone. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (pipe2(go, O_CLOEXEC) < 0)
		return -1;
	f->main = fork();
	if (f->main == 0) {
		if (read(go[0], &byte, 1) == 1)
			execvp(command[0], command);
		_exit(127);
	}
	if (f->main < 0 || ptrace(PTRACE_SEIZE, f->main, NULL, (void *)options) < 0 || write(go[1], "", 1) != 1) {
		perror("tool: ptrace");
		return -1;
	}
	close(go[0]);
	close(go[1]);
	for (;;) {
		task = waitpid(-1, &status, __WALL);
		if (task < 0 && errno == EINTR)
			continue;
		if (task < 0)
			return 0;
		if (WIFSTOPPED(status)) {
			on_stop(f, task, status, &started);
			continue;
		}
		forget(f, task);
		if (task == f->main)
			f->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		/* The call that should finish first does not return. */
		if (task == f->waits_for)
			kill_family(f, task, false);
	}
}

int kill_at(unsigned long at, const char *how, char **command)
{
	static struct family f;

	f.at = at;
	f.after = strcmp(how, "after") == 0;
	f.one = strcmp(how, "one") == 0;
	if (run(&f, command) < 0)
		return 1;
	if (f.killed)
		printf("killed %s call %lu: %s\n", f.after ? "after" : "at", f.at, name_of(f.number));
	else
		printf("ended after %lu calls, status %d\n", f.calls, f.status);
	return f.killed ? KILLED : 0;
}

int count_calls(char **command)
{
	static struct family f;
	size_t i;

	if (run(&f, command) < 0)
		return 1;
	printf("%lu calls of %lu, status %d\n", f.calls, f.all, f.status);
	for (i = 0; i < CALLS_MAX; i++)
		if (f.of_number[i])
			printf("%6lu %zu %s\n", f.of_number[i], i, names[i] ? names[i] : "");
	return f.status;
}
