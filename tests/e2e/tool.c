/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an end-to-end test does to a guest that no ordinary program can: damage a staged huge page behind the loader's back,
 * leave memory so fragmented that staging finds no two huge pages side by side, measure memory, write down what is handed to kexec_load(2). Static, runs as root in the guest.
 */
#include <asm/ptrace.h>
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HUGE_PAGE	(2ul << 20)
#define KEY_OF_KEXEC	0x4b584600	/* kexec/sys/sys_shm.c */

static sigjmp_buf no_page;

static void on_sigbus(int number)
{
	(void)number;
	siglongjmp(no_page, 1);
}

/* Flip one bit in the middle of the huge page that holds the beginning of the kernel. */
static int corrupt(void)
{
	struct shmid_ds ds;
	int id = shmget(KEY_OF_KEXEC, 0, 0);
	volatile unsigned char *base;
	size_t at;

	if (id < 0 || shmctl(id, IPC_STAT, &ds) < 0) {
		perror("no staged segment");
		return 1;
	}
	ds.shm_perm.mode = 0600;
	shmctl(id, IPC_SET, &ds);
	base = shmat(id, NULL, 0);
	if (base == (void *)-1) {
		perror("shmat");
		return 1;
	}
	signal(SIGBUS, on_sigbus);
	for (at = 0; at < ds.shm_segsz; at += HUGE_PAGE) {
		if (sigsetjmp(no_page, 1))
			continue;	/* a hole */
		if (memcmp((const void *)(base + at + 56), "ARM\x64", 4) != 0)
			continue;
		base[at + HUGE_PAGE / 2] ^= 0x10;
		printf("one bit flipped in huge page %zu\n", at / HUGE_PAGE);
		return 0;
	}
	fprintf(stderr, "no huge page holds a kernel\n");
	return 1;
}

struct page {
	uint64_t pfn;
	size_t index;
};

static int by_pfn(const void *a, const void *b)
{
	const struct page *x = a, *y = b;

	return (x->pfn > y->pfn) - (x->pfn < y->pfn);
}

/* Take all the huge pages there are and give back every other one, by physical address. */
static int fragment(size_t most)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), i;
	volatile size_t count = 0;	/* survives the longjmp */
	struct page *pages = calloc(most, sizeof(*pages));
	int id = shmget(IPC_PRIVATE, most * HUGE_PAGE, IPC_CREAT | SHM_HUGETLB | 21 << 26 | 010000 | 0600);
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	unsigned char *base = id < 0 ? (void *)-1 : shmat(id, NULL, 0);

	if (!pages || base == (void *)-1 || pagemap < 0) {
		perror("fragment");
		return 1;
	}
	signal(SIGBUS, on_sigbus);
	if (!sigsetjmp(no_page, 1))
		for (; count < most; count++)
			*(volatile unsigned char *)(base + count * HUGE_PAGE) = 1;
	for (i = 0; i < count; i++) {
		uint64_t entry = 0;

		if (pread(pagemap, &entry, 8, (off_t)((uintptr_t)(base + i * HUGE_PAGE) / page * 8)) != 8)
			return 1;
		pages[i] = (struct page){ entry & ((1ull << 55) - 1), i };
	}
	qsort(pages, count, sizeof(*pages), by_pfn);
	for (i = 0; i < count; i += 2)
		madvise(base + pages[i].index * HUGE_PAGE, HUGE_PAGE, MADV_REMOVE);
	printf("%zu huge pages taken, every other one given back\n", count);
	return 0;
}

static long status_kib(pid_t pid, const char *name)
{
	char path[64], line[256];
	long kib = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	in = fopen(path, "r");
	while (in && fgets(line, sizeof(line), in))
		if (strncmp(line, name, strlen(name)) == 0)
			kib = strtol(line + strlen(name), NULL, 10);
	if (in)
		fclose(in);
	return kib;
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
	fprintf(out, "%ld\n", status_kib(child, "VmHWM:"));
	return 0;
}

/*
 * Run a command and leave the most memory that it had, in KiB, in a file: its high-water mark, its program's own pages
 * included, huge pages not. Read when it is about to exit.
 */
static int peak(const char *file, char **command)
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

/* kexec_load(entry, nr_segments, segments, flags) by its registers: a line for each segment, and its bytes in a file. */
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

/* Run a command, and write down what it hands to kexec_load(2): DIRECTORY/segments has lines of number, bytes, address, memory. */
static int record(char *directory, char **command)
{
	return trace(command, PTRACE_O_TRACESYSGOOD, PTRACE_SYSCALL, note_load, directory);
}

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

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "boot") == 0)
		return boot();
	if (argc == 2 && strcmp(argv[1], "counter") == 0)
		return counter();
	if (argc >= 4 && strcmp(argv[1], "peak") == 0)
		return peak(argv[2], argv + 3);
	if (argc >= 4 && strcmp(argv[1], "record") == 0)
		return record(argv[2], argv + 3);
	if (argc == 2 && strcmp(argv[1], "corrupt") == 0)
		return corrupt();
	if (argc == 3 && strcmp(argv[1], "fragment") == 0)
		return fragment(strtoul(argv[2], NULL, 10));
	if (argc == 3 && strcmp(argv[1], "squat") == 0)
		return squat((unsigned int)strtoul(argv[2], NULL, 10));
	if (argc == 3 && strcmp(argv[1], "hog") == 0)
		return hog(strtoul(argv[2], NULL, 10));
	fprintf(stderr, "usage: tool corrupt | tool squat USER | tool hog KIB-LEFT | tool fragment PAGES | tool peak FILE COMMAND... | tool counter |\n"
			"       tool boot | tool record DIRECTORY COMMAND...\n");
	return 2;
}
