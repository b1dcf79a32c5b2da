/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of the running system that outlives a process: System V segments, their pages' physical addresses, their caches.
 */
#include "sys_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MODE		0600

#ifndef SHM_HUGETLB
#define SHM_HUGETLB	04000
#endif
#define SHM_HUGE_2M	(21 << 26)	/* asked for by name: the default size is 32 MiB or 512 MiB on other granules */
#ifndef SHM_NORESERVE
#define SHM_NORESERVE	010000
#endif

#define MAP_HUGE_2M		(21u << 26)

/* Values of asm-generic/mman-common.h, for older headers. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23
#endif

#define PAGEMAP_PRESENT		(1ull << 63)
#define PAGEMAP_PFN_MASK	((1ull << 55) - 1)

/* Whose a segment is: one that root neither owns nor made can be changed by others. */
static bool is_ours(const struct shmid_ds *ds)
{
	return ds->shm_perm.cuid == 0 && ds->shm_perm.uid == 0;
}

static int make_segment(int key, uint64_t bytes, bool huge)
{
	return shmget(key, bytes, IPC_CREAT | IPC_EXCL | (huge ? SHM_HUGETLB | SHM_HUGE_2M | SHM_NORESERVE : 0) | MODE);
}

/* Keys are anybody's to use. Whoever sits on one of ours without being root loses it. */
static void evict_stranger(int key)
{
	struct shmid_ds ds;
	int id = shmget(key, 0, 0);

	if (id >= 0 && shmctl(id, IPC_STAT, &ds) == 0 && !is_ours(&ds))
		shmctl(id, IPC_RMID, NULL);
}

static int shm_create(struct sys *sys, int key, uint64_t bytes, bool huge, int *id)
{
	(void)sys;
	*id = make_segment(key, bytes, huge);
	if (*id < 0 && errno == EEXIST) {
		evict_stranger(key);
		*id = make_segment(key, bytes, huge);
	}
	return *id < 0 ? -errno : 0;
}

static void describe(struct sys_shm *shm, int key, int id, const struct shmid_ds *ds)
{
	*shm = (struct sys_shm){ key, id, ds->shm_segsz, (unsigned int)ds->shm_nattch };
}

static int shm_find(struct sys *sys, int key, struct sys_shm *shm)
{
	struct shmid_ds ds;
	int id = shmget(key, 0, 0);

	(void)sys;
	if (id < 0 || shmctl(id, IPC_STAT, &ds) < 0)
		return errno == EIDRM || errno == EINVAL ? -ENOENT : -errno;
	if (!is_ours(&ds))
		return -ENOENT;
	describe(shm, key, id, &ds);
	return 0;
}

static void shm_list(struct sys *sys, int first_key, int keys, int (*each)(void *arg, const struct sys_shm *shm), void *arg)
{
	struct shm_info info;
	int last = shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info), i;

	(void)sys;
	for (i = 0; i <= last; i++) {
		struct sys_shm shm;
		struct shmid_ds ds;
		int id = shmctl(i, SHM_STAT, &ds);

		if (id < 0 || !is_ours(&ds) || ds.shm_perm.__key < first_key || ds.shm_perm.__key - first_key >= keys)
			continue;
		describe(&shm, ds.shm_perm.__key, id, &ds);
		if (each(arg, &shm))
			break;
	}
}

static int shm_attach(struct sys *sys, int id, void **addr)
{
	(void)sys;
	*addr = shmat(id, NULL, 0);
	return *addr == (void *)-1 ? -errno : 0;
}

static void shm_detach(struct sys *sys, void *addr)
{
	(void)sys;
	shmdt(addr);
}

static int shm_remove(struct sys *sys, int id)
{
	(void)sys;
	return shmctl(id, IPC_RMID, NULL) < 0 ? -errno : 0;
}

/*
 * The administrator's pool is for others. A mapping that is reserved and never touched has a claim to its free pages, so that what is
 * touched elsewhere without a claim (SHM_NORESERVE) comes from ordinary memory, as surplus pages.
 */
static void *pool_hold(struct sys *sys, uint64_t pages)
{
	void *hold = mmap(NULL, pages * SYS_HUGE_PAGE_BYTES, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | (int)MAP_HUGE_2M, -1, 0);

	(void)sys;
	return hold == MAP_FAILED ? NULL : hold;
}

static void pool_release(struct sys *sys, void *hold, uint64_t pages)
{
	(void)sys;
	munmap(hold, pages * SYS_HUGE_PAGE_BYTES);
}

/* SIGBUS comes to the thread that touched the memory. */
static __thread sigjmp_buf no_page;
static __thread volatile sig_atomic_t trying;

/* Where nobody tries anything there is nowhere to go on: the touch is made again, and ends the process as it would have without us. */
static void on_sigbus(int number)
{
	if (trying)
		siglongjmp(no_page, 1);
	signal(number, SIG_DFL);
}

static int try_memory(struct sys *sys, void (*run)(void *arg), void *arg)
{
	struct sigaction ours = { .sa_handler = on_sigbus };
	int err = 0;

	(void)sys;
	/* The handler stays: other threads may be at it. */
	sigaction(SIGBUS, &ours, NULL);
	if (sigsetjmp(no_page, 1) == 0) {
		trying = 1;
		run(arg);
	} else {
		err = -EFAULT;
	}
	trying = 0;
	return err;
}

static void write_first(void *arg)
{
	*(volatile unsigned char *)arg = 0;
}

static void read_first(void *arg)
{
	(void)*(volatile unsigned char *)arg;
}

/* include/uapi/linux/mempolicy.h */
#define MPOL_DEFAULT	0
#define MPOL_PREFERRED	1
#define NODES_MAX	1024	/* CONFIG_NODES_SHIFT is 10 at most */

/* A huge page that is taken when it is touched goes by the process's own policy, since nobody gives the segment one. */
static void prefer_node(struct sys *sys, int node)
{
	const unsigned int bits = 8 * sizeof(unsigned long);
	unsigned long nodes[NODES_MAX / (8 * sizeof(unsigned long))] = { 0 };

	(void)sys;
	if (node >= NODES_MAX)
		return;
	if (node >= 0)
		nodes[(unsigned int)node / bits] = 1ul << (unsigned int)node % bits;
	/* The kernel takes one less than it is told for the number of bits (mm/mempolicy.c, get_nodes()). */
	syscall(SYS_set_mempolicy, node < 0 ? MPOL_DEFAULT : MPOL_PREFERRED, node < 0 ? NULL : nodes, node < 0 ? 0ul : NODES_MAX + 1ul);
}

/*
 * A huge page that cannot be had (pool, hugetlb limit) is a SIGBUS at the first touch; one that a memory limit forbids is
 * a fault that the kernel retries for ever. So the kernel is asked for it, which it knows since 5.14; before that there
 * are no such memory limits.
 */
static int touch(struct sys *sys, void *addr)
{
	if (madvise(addr, SYS_HUGE_PAGE_BYTES, MADV_POPULATE_WRITE) == 0)
		return 0;
	return errno != EINVAL ? -EFAULT : try_memory(sys, write_first, addr);
}

static int peek(struct sys *sys, const void *addr)
{
	return try_memory(sys, read_first, (void *)(uintptr_t)addr);
}

static int page_flags(struct sys *sys, pa_t pa, uint64_t *flags)
{
	int *fd = &linux_state(sys)->kpageflags_fd;

	if (*fd < 0)
		*fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return -errno;
	if (pread(*fd, flags, sizeof(*flags), (off_t)(pa / sys->page_bytes * sizeof(*flags))) != (ssize_t)sizeof(*flags))
		return -EIO;
	return 0;
}

static int page_pa(struct sys *sys, const void *addr, pa_t *pa)
{
	int *fd = &linux_state(sys)->pagemap_fd;
	uint64_t entry;

	if (*fd < 0)
		*fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return -errno;
	if (pread(*fd, &entry, sizeof(entry), (off_t)((uintptr_t)addr / sys->page_bytes * sizeof(entry))) !=
	    (ssize_t)sizeof(entry))
		return -EIO;
	if (!(entry & PAGEMAP_PRESENT))
		return -ENOENT;
	if (!(entry & PAGEMAP_PFN_MASK))
		return -EPERM;
	*pa = (entry & PAGEMAP_PFN_MASK) * sys->page_bytes;
	return 0;
}

/*
 * Huge pages come from anywhere, also from CMA areas, whose owner may want them back, and then they move. A long-term
 * pin makes the kernel migrate them out of there first; registering them as io_uring buffers is such a pin, and closing
 * the ring ends it. Where there is no io_uring nothing is lost but this: purgatory's check still stands.
 */
static int leave_cma(struct sys *sys, void *addr, uint64_t bytes)
{
	struct io_uring_params params = { 0 };
	struct iovec buffer = { addr, 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 1, &params), err = 0;
	uint64_t done;

	(void)sys;
	if (ring < 0)
		return -errno;
	for (done = 0; done < bytes; done += buffer.iov_len) {
		buffer.iov_base = (char *)addr + done;
		buffer.iov_len = bytes - done < GIB(1) ? bytes - done : GIB(1);	/* the most that one buffer may be */
		if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1) == 0)
			syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0);
		else
			err = -errno;
	}
	close(ring);
	return err;
}

/* Gives huge pages back at once: a hole in a shared mapping is freed memory. */
static int punch(struct sys *sys, void *addr, uint64_t bytes)
{
	(void)sys;
	return madvise(addr, bytes, MADV_REMOVE) < 0 ? -errno : 0;
}

/* Linux lets EL0 do this (SCTLR_EL1.UCI). Only arm64 has a boot-time reader that bypasses the cache. */
static void clean(struct sys *sys, const void *addr, uint64_t bytes)
{
#ifdef __aarch64__
	uint64_t at, line = sys->line_bytes;

	for (at = (uintptr_t)addr & ~(line - 1); at < (uintptr_t)addr + bytes; at += line)
		__asm__ volatile("dc civac, %0" : : "r"(at) : "memory");
	__asm__ volatile("dsb sy" : : : "memory");
#else
	(void)sys;
	(void)addr;
	(void)bytes;
#endif
}

void sys_linux_shm(struct sys *sys)
{
	sys->shm_create = shm_create;
	sys->shm_find = shm_find;
	sys->shm_list = shm_list;
	sys->shm_attach = shm_attach;
	sys->shm_detach = shm_detach;
	sys->shm_remove = shm_remove;
	sys->pool_hold = pool_hold;
	sys->pool_release = pool_release;
	sys->prefer_node = prefer_node;
	sys->touch = touch;
	sys->peek = peek;
	sys->try_memory = try_memory;
	sys->page_flags = page_flags;
	sys->leave_cma = leave_cma;
	sys->page_pa = page_pa;
	sys->punch = punch;
	sys->clean = clean;
}
