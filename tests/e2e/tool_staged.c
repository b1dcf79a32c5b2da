/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens to staged huge pages behind the loader's back. */
#include "tool.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

static sigjmp_buf no_page;

static void on_sigbus(int number)
{
	(void)number;
	siglongjmp(no_page, 1);
}

/* Flip one bit in the middle of the huge page that holds the beginning of the kernel. */
int corrupt(void)
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
