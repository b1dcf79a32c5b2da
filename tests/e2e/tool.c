/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an end-to-end test does to a guest that no ordinary program can. Static, runs as root in the guest. What it does to
 * staged memory is in tool_staged.c, to programs in tool_trace.c and tool_kill.c, and what it reads of the kernel in tool_kcore.c.
 */
#include "tool.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The virtual counter: what purgatory's stamps are counted in. */
static int counter(void)
{
	uint64_t now;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(now));
	printf("%llu\n", (unsigned long long)now);
	return 0;
}

/* What the counter showed when this kernel's clocks started. */
static int boot(void)
{
	struct timespec since;
	uint64_t now, hz;

	clock_gettime(CLOCK_BOOTTIME, &since);
	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(now));
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	printf("%llu\n", (unsigned long long)(now - (uint64_t)since.tv_sec * hz - (uint64_t)since.tv_nsec * hz / 1000000000));
	return 0;
}

/* As a user without rights: take every key that staged memory could have, and the lock of earlier versions. */
static int squat(unsigned int user)
{
	int key;

	if (setgid(user) < 0 || setuid(user) < 0)
		return 1;
	for (key = KEY_OF_KEXEC; key < KEY_OF_KEXEC + 0x100; key++)
		if (shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0666) < 0) {
			perror("shmget");
			return 1;
		}
	return semget(KEY_OF_KEXEC + 0xff, 1, IPC_CREAT | IPC_EXCL | 0666) < 0;
}

/* A number of /proc/meminfo, in KiB. */
static unsigned long meminfo(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			kib = strtoul(line + strlen(name) + 1, NULL, 10);
	if (file)
		fclose(file);
	return kib;
}

/* An innocent process that uses memory: all but so much. It runs on; its number is printed when it has what it wants. */
static int hog(unsigned long left_kib)
{
	int ready[2];
	char byte;
	pid_t child;

	if (pipe(ready) < 0)
		return 1;
	child = fork();
	if (child == 0) {
		close(ready[0]);
		close(1);
		while (meminfo("MemAvailable") > left_kib) {
			unsigned char *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			size_t at;

			if (memory == MAP_FAILED)
				return 1;
			for (at = 0; at < 1 << 20; at += 4096)
				memory[at] = 1;
		}
		if (write(ready[1], "", 1) != 1)
			return 1;
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		return 1;
	printf("%d\n", (int)child);
	return 0;
}

/* include/uapi/linux/liveupdate.h */
#define LIVEUPDATE_IOCTL_CREATE_SESSION	_IO(0xba, 0)
struct create_session {
	uint32_t size;
	int32_t fd;
	char name[64];
};

/* Run a command while this process has a session for a live update open. */
static int run_session(char **o)
{
	struct create_session session = { .size = sizeof(session) };
	int fd = open("/dev/liveupdate", O_RDWR | O_CLOEXEC), status;
	pid_t child;

	snprintf(session.name, sizeof(session.name), "%s", o[0]);
	if (fd < 0 || ioctl(fd, LIVEUPDATE_IOCTL_CREATE_SESSION, &session) < 0) {
		perror("/dev/liveupdate");
		return 1;
	}
	child = fork();
	if (child == 0) {
		execvp(o[1], o + 1);
		_exit(127);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

struct command {
	const char *name, *operands;
	int least, most;	/* operands; most < 0: any number */
	int (*run)(char **operands);
};

static int run_boot(char **o)
{
	(void)o;
	return boot();
}

static int run_counter(char **o)
{
	(void)o;
	return counter();
}

static int run_corrupt(char **o)
{
	return corrupt(o[0] ? o[0] : "kernel");
}

static int run_peak(char **o)
{
	return peak(o[0], o + 1);
}

static int run_record(char **o)
{
	return record(o[0], o + 1);
}

static int run_fragment(char **o)
{
	return fragment(strtoul(o[0], NULL, 10));
}

static int run_squat(char **o)
{
	return squat((unsigned int)strtoul(o[0], NULL, 10));
}

static int run_hog(char **o)
{
	return hog(strtoul(o[0], NULL, 10));
}

static int run_kcore_map(char **o)
{
	return kcore_map(strtoul(o[0], NULL, 16));
}

static int run_kcore_u64(char **o)
{
	return kcore_u64(strtoul(o[0], NULL, 16), o[1] ? strtoul(o[1], NULL, 10) : 1);
}

static int run_kexec_image(char **o)
{
	(void)o;
	return kexec_image();
}

static int run_kill_at(char **o)
{
	return kill_at(strtoul(o[0], NULL, 10), "at", o + 1);
}

static int run_kill_after(char **o)
{
	return kill_at(strtoul(o[0], NULL, 10), "after", o + 1);
}

static int run_kill_one_at(char **o)
{
	return kill_at(strtoul(o[0], NULL, 10), "one", o + 1);
}

static int run_soft_offline(char **o)
{
	return soft_offline(o[0] ? o[0] : "all");
}

static int run_hwpoison(char **o)
{
	return hwpoison(o[0]);
}

static int run_move_page(char **o)
{
	return move_page(o[0], atoi(o[1]));
}

static int run_present(char **o)
{
	(void)o;
	return present();
}

static int run_rmid(char **o)
{
	(void)o;
	return rmid();
}

/* As systemd-shutdown jumps: nobody looks at what is staged before. */
static int run_jump(char **o)
{
	(void)o;
	reboot((int)0x45584543);	/* LINUX_REBOOT_CMD_KEXEC */
	perror("reboot");
	return 1;
}

/* To standard output, with each FROM that a null byte follows made into TO, of the same length: text and names in a device tree. */
static int run_replace(char **o)
{
	size_t length = strlen(o[1]), bytes, i;
	static char text[4 << 20];
	FILE *file = fopen(o[0], "rb");
	unsigned int found = 0;

	if (!file || length != strlen(o[2])) {
		fprintf(stderr, "tool: replace\n");
		return 1;
	}
	bytes = fread(text, 1, sizeof(text), file);
	fclose(file);
	for (i = 0; i + length < bytes; i++)
		if (memcmp(text + i, o[1], length + 1) == 0) {
			memcpy(text + i, o[2], length);
			found++;
		}
	return found && fwrite(text, 1, bytes, stdout) == bytes ? 0 : 1;
}

static const struct command commands[] = {
	{ "replace", "FILE FROM TO", 3, 3, run_replace },
	{ "jump", "", 0, 0, run_jump },
	{ "boot", "", 0, 0, run_boot },
	{ "counter", "", 0, 0, run_counter },
	{ "peak", "FILE COMMAND...", 2, -1, run_peak },
	{ "record", "DIRECTORY COMMAND...", 2, -1, run_record },
	{ "fragment", "PAGES", 1, 1, run_fragment },
	{ "session", "NAME COMMAND...", 2, -1, run_session },
	{ "squat", "USER", 1, 1, run_squat },
	{ "hog", "KIB-LEFT", 1, 1, run_hog },
	{ "kill-at", "CALL COMMAND...", 2, -1, run_kill_at },
	{ "kill-after", "CALL COMMAND...", 2, -1, run_kill_after },
	{ "kill-one-at", "CALL COMMAND...", 2, -1, run_kill_one_at },
	{ "count-calls", "COMMAND...", 1, -1, count_calls },
	{ "corrupt", "[first|kernel|all|PAGE]", 0, 1, run_corrupt },
	{ "present", "", 0, 0, run_present },
	{ "soft-offline", "[first|kernel|all|PAGE]", 0, 1, run_soft_offline },
	{ "hwpoison", "first|kernel|all|PAGE", 1, 1, run_hwpoison },
	{ "move-page", "first|kernel|all|PAGE NODE", 2, 2, run_move_page },
	{ "rmid", "", 0, 0, run_rmid },
	{ "kexec-image", "", 0, 0, run_kexec_image },
	{ "kcore-map", "ADDRESS", 1, 1, run_kcore_map },
	{ "kcore-u64", "ADDRESS [COUNT]", 1, 2, run_kcore_u64 },
};

int main(int argc, char **argv)
{
	const size_t count = sizeof(commands) / sizeof(commands[0]);
	size_t i;

	for (i = 0; argc > 1 && i < count; i++)
		if (strcmp(argv[1], commands[i].name) == 0 && argc - 2 >= commands[i].least &&
		    (commands[i].most < 0 || argc - 2 <= commands[i].most))
			return commands[i].run(argv + 2);
	for (i = 0; i < count; i++)
		fprintf(stderr, "%s tool %s %s\n", i ? "      " : "usage:", commands[i].name, commands[i].operands);
	return 2;
}
