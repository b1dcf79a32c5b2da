/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens to staged huge pages behind the loader's back. */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_HWPOISON
#define MADV_HWPOISON		100
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

static sigjmp_buf no_page;

static void on_sigbus(int number)
{
	(void)number;
	siglongjmp(no_page, 1);
}

static const char kernel_mark[] = "ARM\x64";	/* at byte 56 of an Image */

struct staged {
	int id;
	unsigned char *base;
	size_t bytes;
};

/* Whether a mapping is of huge pages. */
static bool is_huge(const void *at)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	bool here = false, huge = false;
	unsigned long from, end, kib;
	char line[256];

	while (smaps && fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &from, &end) == 2)
			here = (uintptr_t)at >= from && (uintptr_t)at < end;
		else if (here && sscanf(line, "KernelPageSize: %lu kB", &kib) == 1)
			huge = kib == HUGE_PAGE >> 10;
	}
	if (smaps)
		fclose(smaps);
	return huge;
}

/*
 * Let holes be holes: the segment is sparse, and reading where no page is would make one. With this a fault there is a SIGBUS,
 * whatever the pool has, and nothing that others see is changed.
 */
static int faults_are_sigbus(const struct staged *s)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_SIGBUS };
	struct uffdio_register range = {
		.range = { (uintptr_t)s->base, s->bytes },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0 || ioctl(fd, UFFDIO_REGISTER, &range) < 0) {
		perror("tool: userfaultfd");
		return -1;
	}
	return fd;
}

/*
 * Map the segment's file instead of the segment: newer kernels let userfaultfd(2) watch only mappings that a file system made. Without
 * MAP_NORESERVE it would want a page for every hole.
 */
static int map_file(struct staged *s)
{
	void *attached = s->base;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)s->base, (unsigned long)s->base + s->bytes);
	fd = open(path, O_RDWR | O_CLOEXEC);
	s->base = fd < 0 ? MAP_FAILED : mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (s->base == MAP_FAILED) {
		perror(path);
		return -1;
	}
	close(fd);
	shmdt(attached);
	return 0;
}

/* The staged segment: root's, of huge pages, with one of the loader's keys. Its mode, which says that it is loaded, stays as it is. */
static int attach(struct staged *s)
{
	int key;

	for (key = KEY_OF_KEXEC; key < KEY_OF_KEXEC + KEYS_OF_KEXEC; key++) {
		struct shmid_ds ds;

		s->id = shmget(key, 0, 0);
		if (s->id < 0 || shmctl(s->id, IPC_STAT, &ds) < 0 || ds.shm_perm.uid != 0 || ds.shm_perm.cuid != 0)
			continue;
		s->base = shmat(s->id, NULL, 0);
		s->bytes = (ds.shm_segsz + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
		if (s->base == (void *)-1)
			continue;
		if (is_huge(s->base))
			return 0;
		shmdt(s->base);
	}
	fprintf(stderr, "tool: nothing is staged\n");
	return -1;
}

/* Whether a page is there, which maps it here if so. */
static bool is_present(const struct staged *s, size_t index)
{
	if (sigsetjmp(no_page, 1))
		return false;
	(void)*(volatile unsigned char *)(s->base + index * HUGE_PAGE);
	return true;
}

/* Its physical address, 0 if it is not mapped here. */
static unsigned long page_pa(const struct staged *s, size_t index)
{
	static int pagemap = -1;
	unsigned long page = (unsigned long)sysconf(_SC_PAGESIZE);
	uint64_t entry;

	if (pagemap < 0)
		pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pread(pagemap, &entry, sizeof(entry), (off_t)((uintptr_t)(s->base + index * HUGE_PAGE) / page * 8)) != 8 ||
	    !(entry >> 63))
		return 0;
	return (entry & ((1ull << 55) - 1)) * page;
}

/* How many of a huge page's pages the kernel holds for broken (/proc/kpageflags, KPF_HWPOISON). */
static unsigned int broken_pages(unsigned long pa)
{
	unsigned long page = (unsigned long)sysconf(_SC_PAGESIZE), at;
	int flags_fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	unsigned int count = 0;
	uint64_t flags;

	for (at = 0; flags_fd >= 0 && at < HUGE_PAGE; at += page)
		if (pread(flags_fd, &flags, sizeof(flags), (off_t)((pa + at) / page * 8)) == 8)
			count += flags >> 19 & 1;
	if (flags_fd >= 0)
		close(flags_fd);
	return count;
}

/*
 * Call one() for each of the pages that are meant and there, counting in all the pages of the segment, holes too. Which is a
 * number, "first", "all", or "kernel" for all that hold the beginning of a kernel. Returns how many, or -1.
 */
static int for_pages(struct staged *s, const char *which, int (*one)(const struct staged *s, size_t index, void *arg), void *arg)
{
	size_t count, i, found = 0;
	size_t *index;
	int holes, err = 0;

	if (attach(s) < 0 || map_file(s) < 0)
		return -1;
	holes = faults_are_sigbus(s);
	count = s->bytes / HUGE_PAGE;
	index = calloc(count, sizeof(*index));
	if (holes < 0 || !index)
		return -1;
	signal(SIGBUS, on_sigbus);
	for (i = 0; i < count; i++) {
		if (!is_present(s, i))
			continue;
		if (strcmp(which, "kernel") == 0 && memcmp(s->base + i * HUGE_PAGE + 56, kernel_mark, 4) != 0)
			continue;
		if (*which >= '0' && *which <= '9' && strtoul(which, NULL, 10) != i)
			continue;
		index[found++] = i;
		/* A page that is only kept may still have a copy of the kernel's beginning. */
		if (strcmp(which, "all") != 0 && strcmp(which, "kernel") != 0)
			break;
	}
	close(holes);
	signal(SIGBUS, SIG_DFL);
	for (i = 0; i < found && !err; i++)
		err = one(s, index[i], arg);
	free(index);
	if (!found)
		fprintf(stderr, "tool: no such page is staged\n");
	return err || !found ? -1 : (int)found;
}

static int flip(const struct staged *s, size_t index, void *arg)
{
	(void)arg;
	s->base[index * HUGE_PAGE + HUGE_PAGE / 2] ^= 0x10;
	printf("one bit flipped in huge page %zu\n", index);
	return 0;
}

/* Flip one bit in the middle of the huge page that holds the beginning of the kernel, or of another one. */
int corrupt(const char *which)
{
	struct staged s;

	return for_pages(&s, which, flip, NULL) < 0;
}

static int show(const struct staged *s, size_t index, void *arg)
{
	(void)arg;
	printf("page %zu: %#lx\n", index, page_pa(s, index));
	return 0;
}

/* What pages there are, and where. */
int present(void)
{
	struct staged s;

	return for_pages(&s, "all", show, NULL) < 0;
}

/*
 * The kernel is told that the page had a correctable error: it moves what is in it elsewhere and uses it no more. EINVAL is a
 * kernel without CONFIG_MEMORY_FAILURE. Page 0 of the huge page stays out of use, the others are free again.
 */
static int offline(const struct staged *s, size_t index, void *moved)
{
	unsigned long before = page_pa(s, index), after;
	int err = madvise(s->base + index * HUGE_PAGE, HUGE_PAGE, MADV_SOFT_OFFLINE) < 0 ? errno : 0;

	/* Migration puts it back into the page tables at once; the touch is for kernels that do not. */
	(void)*(volatile unsigned char *)(s->base + index * HUGE_PAGE);
	after = page_pa(s, index);
	printf("page %zu: %#lx -> %#lx%s%s, %u broken in the old one\n", index, before, after, err ? ", " : "",
	       err ? strerror(err) : "", broken_pages(before));
	*(int *)moved += before != after;
	return err && err != EBUSY;
}

int soft_offline(const char *which)
{
	struct staged s;
	int moved = 0, count = for_pages(&s, which, offline, &moved);

	printf("%d of %d pages moved\n", moved, count);
	return count < 0 || moved != count;
}

static volatile sig_atomic_t sigbus_code;

static void on_poison(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	sigbus_code = info->si_code;
	siglongjmp(no_page, 1);
}

/* The kernel is told that the page is broken, as a memory controller would. */
static int poison(const struct staged *s, size_t index, void *arg)
{
	struct sigaction on = { .sa_sigaction = on_poison, .sa_flags = SA_SIGINFO };
	unsigned long pa = page_pa(s, index);
	volatile int told = 0, read_back = 0;	/* survive the longjmp */

	(void)arg;
	sigaction(SIGBUS, &on, NULL);
	if (sigsetjmp(no_page, 1) == 0) {
		int err = madvise(s->base + index * HUGE_PAGE, (size_t)sysconf(_SC_PAGESIZE), MADV_HWPOISON) < 0 ? errno : 0;

		printf("page %zu: %#lx: madvise: %s\n", index, pa, err ? strerror(err) : "done");
		if (err)
			return 1;
	} else {
		told = sigbus_code;
	}
	printf("page %zu: signalled: %s\n", index, told == BUS_MCEERR_AR ? "BUS_MCEERR_AR" : told == BUS_MCEERR_AO ? "BUS_MCEERR_AO" : told ? "SIGBUS" : "no");
	sigbus_code = 0;
	if (sigsetjmp(no_page, 1) == 0)
		read_back = 1 + *(volatile unsigned char *)(s->base + index * HUGE_PAGE);
	if (read_back)
		printf("page %zu: reads, now at %#lx\n", index, page_pa(s, index));
	else
		printf("page %zu: reading is a SIGBUS, code %d\n", index, (int)sigbus_code);
	printf("page %zu: %u pages broken at %#lx\n", index, broken_pages(pa), pa);
	return 0;
}

int hwpoison(const char *which)
{
	struct staged s;

	return for_pages(&s, which, poison, NULL) < 0;
}

/* Onto another node of memory, as an administrator's migratepages(8) would move it. */
static int to_node(const struct staged *s, size_t index, void *node)
{
	void *page = s->base + index * HUGE_PAGE;
	unsigned long before = page_pa(s, index);
	int status = 0;
	long err = syscall(SYS_move_pages, 0, 1ul, &page, node, &status, 2 /* MPOL_MF_MOVE */);

	printf("page %zu: %#lx -> %#lx, status %d%s%s\n", index, before, page_pa(s, index), status, err < 0 ? ", " : "",
	       err < 0 ? strerror(errno) : "");
	return err < 0 || status < 0;
}

int move_page(const char *which, int node)
{
	struct staged s;

	return for_pages(&s, which, to_node, &node) < 0;
}

int rmid(void)
{
	struct staged s;

	if (attach(&s) < 0)
		return 1;
	shmdt(s.base);
	if (shmctl(s.id, IPC_RMID, NULL) < 0) {
		perror("tool: IPC_RMID");
		return 1;
	}
	return 0;
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
int fragment(size_t most)
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
