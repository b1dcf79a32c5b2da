/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs under ptrace(2): the memory that they take, what they hand to kexec_load(2). */
#include "tool.h"

#include <asm/ptrace.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* A number of /proc/PID/status. */
long status_number(pid_t pid, const char *name)
{
	char path[64], line[256];
	long number = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	in = fopen(path, "r");
	while (in && fgets(line, sizeof(line), in))
		if (strncmp(line, name, strlen(name)) == 0)
			number = strtol(line + strlen(name), NULL, 10);
	if (in)
		fclose(in);
	return number;
}

/* Run a command under ptrace(2) with that option, going on by that request. stopped() sees each stop, and says which signal the
 * child gets then. Returns its exit status. */
static int trace(char **command, unsigned long option, enum __ptrace_request go_on,
		 int (*stopped)(pid_t child, int status, void *arg), void *arg)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execvp(command[0], command);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)option) < 0)
		return 1;
	for (ptrace(go_on, child, NULL, NULL); waitpid(child, &status, 0) == child && WIFSTOPPED(status);)
		ptrace(go_on, child, NULL, (void *)(long)stopped(child, status, arg));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int note_peak(pid_t child, int status, void *out)
{
	if (status >> 8 != (SIGTRAP | PTRACE_EVENT_EXIT << 8))
		return WSTOPSIG(status);
	fprintf(out, "%ld\n", status_number(child, "VmHWM:"));
	return 0;
}

/*
 * Run a command and leave the most memory that it had, in KiB, in a file: its high-water mark, its program's own pages
 * included, huge pages not. Read when it is about to exit.
 */
int peak(const char *file, char **command)
{
	FILE *out = fopen(file, "w");
	int result = out ? trace(command, PTRACE_O_TRACEEXIT, PTRACE_CONT, note_peak, out) : 1;

	if (out)
		fclose(out);
	return result;
}

/* Copy a child's memory into a file. */
static void dump(pid_t child, unsigned long from, unsigned long bytes, const char *path)
{
	static char chunk[1 << 16];
	FILE *out = fopen(path, "w");

	while (out && bytes) {
		unsigned long n = bytes < sizeof(chunk) ? bytes : sizeof(chunk);
		struct iovec to = { chunk, n }, at = { (void *)from, n };

		if (process_vm_readv(child, &to, 1, &at, 1, 0) != (ssize_t)n || fwrite(chunk, 1, n, out) != n)
			break;
		from += n;
		bytes -= n;
	}
	if (out)
		fclose(out);
}

/* kexec_load(entry, nr_segments, segments, flags) by its registers: a line for each segment, its bytes in a file, and the entry. */
static void record_load(pid_t child, const struct user_pt_regs *regs, const char *directory)
{
	unsigned long segment[16][4], count = regs->regs[1], i;
	struct iovec to = { segment, count * sizeof(segment[0]) }, at = { (void *)(uintptr_t)regs->regs[2], to.iov_len };
	char path[256];
	FILE *out;

	if (!count || count > 16 || process_vm_readv(child, &to, 1, &at, 1, 0) != (ssize_t)to.iov_len)
		return;
	snprintf(path, sizeof(path), "%s/segments", directory);
	out = fopen(path, "w");
	for (i = 0; out && i < count; i++) {
		fprintf(out, "%lu %lu %lu %lu\n", i, segment[i][1], segment[i][2], segment[i][3]);
		snprintf(path, sizeof(path), "%s/%lu", directory, i);
		dump(child, segment[i][0], segment[i][1], path);
	}
	if (out)
		fclose(out);
	snprintf(path, sizeof(path), "%s/entry", directory);
	out = fopen(path, "w");
	if (!out)
		return;
	fprintf(out, "%#lx\n", (unsigned long)regs->regs[0]);
	fclose(out);
}

static int note_load(pid_t child, int status, void *directory)
{
	struct user_pt_regs regs;
	struct iovec io = { &regs, sizeof(regs) };
	int sig = WSTOPSIG(status);

	if (sig != (SIGTRAP | 0x80))
		return sig == SIGTRAP ? 0 : sig;
	/* On the way in x7 is 0 (arch/arm64/kernel/ptrace.c, report_syscall). */
	if (ptrace(PTRACE_GETREGSET, child, (void *)NT_PRSTATUS, &io) == 0 && regs.regs[8] == SYS_kexec_load && regs.regs[7] == 0)
		record_load(child, &regs, directory);
	return 0;
}

/* Run a command, and write down what it hands to kexec_load(2): DIRECTORY/segments has lines of number, bytes, address, memory;
 * DIRECTORY/entry is where the kernel would jump. */
int record(char *directory, char **command)
{
	return trace(command, PTRACE_O_TRACESYSGOOD, PTRACE_SYSCALL, note_load, directory);
}
