/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that the loader asks of the kernel, as one struct of functions: the only way out of the program. sys_linux()
 * gives the real ones; tests give their own, so a whole load runs against a recorded machine without root.
 *
 * Functions that return int give 0 (or a count) or a negative errno. None prints, none exits.
 */
#ifndef SYS_H
#define SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "range.h"
#include "request.h"

/* As kexec_load(2) takes it: bytes at buf go to pa; memory up to memory_bytes is zeroed. */
struct sys_segment {
	const void *buf;
	size_t bytes;
	pa_t pa;
	size_t memory_bytes;
};

/* What tells whether a file is still as it was when it was opened. Times in nanoseconds since 1970. */
struct sys_stamp {
	uint64_t inode, links, bytes;
	int64_t mtime_ns, ctime_ns;
	bool named;		/* its path still leads to it */
};

struct sys_shm {
	int key, id;
	uint64_t bytes;
	unsigned int attached;	/* processes, this one included */
};

enum sys_cpu_feature { CPU_CRC32 = 1, CPU_SHA2 = 2, CPU_SME = 4, CPU_GCS = 8 };	/* GCS: since Linux 6.13 */

struct sys_workers;

struct sys {
	void *ctx;

	uint32_t pid;			/* of this process */
	uint64_t page_bytes;
	uint64_t line_bytes;		/* the smallest data cache line of all CPUs; a power of two */
	unsigned int cpu_features;	/* enum sys_cpu_feature */

	bool (*may_boot)(struct sys *sys);	/* root, or CAP_SYS_BOOT */
	bool (*is_root)(struct sys *sys);
	bool (*is_arm64)(struct sys *sys);
	uint64_t (*now)(struct sys *sys);	/* seconds since 1970 */
	uint64_t (*now_ms)(struct sys *sys);	/* monotonic */
	uint64_t (*counter)(struct sys *sys);	/* CNTVCT_EL0, which goes on counting in purgatory and the next kernel; 0: not arm64 */
	uint64_t (*boot_ns)(struct sys *sys);	/* CLOCK_BOOTTIME: since this kernel's clocks started */
	int (*random)(struct sys *sys, void *out, size_t bytes);

	/* One loader that stages at a time, until unlock() or the end of the process. With wait, another one is waited for, ten
	   seconds; then, or without, -EWOULDBLOCK. -EINTR: interrupted. Anything else: there is nothing that could be locked. */
	int (*lock)(struct sys *sys, bool wait);
	void (*unlock)(struct sys *sys);

	/* Should this process die, however, text is written to path; until restore_cancel(). */
	void (*restore_if_killed)(struct sys *sys, const char *path, const char *text);
	void (*restore_cancel)(struct sys *sys);

	/* Should memory run out meanwhile, this process is the one that is killed, and nobody else; until it is said again with false. */
	void (*die_first)(struct sys *sys, bool yes);

	/* A whole file of at most max bytes, in memory that the caller frees; a null is put behind it. -EFBIG: longer. */
	int (*read_file)(struct sys *sys, const char *path, size_t max, char **text, size_t *bytes);
	int (*write_file)(struct sys *sys, const char *path, const char *text);
	int (*read_link)(struct sys *sys, const char *path, char *out, size_t room);

	/* Names in a directory, for a device tree in /proc: calls each(arg, name, is_directory). Stops when that is not 0. */
	int (*list_dir)(struct sys *sys, const char *path, int (*each)(void *arg, const char *name, bool is_dir), void *arg);

	/* The kernel's own messages, a line each without time stamp, in memory that the caller frees. dmesg -c does not
	   take anything away from them. */
	int (*kernel_log)(struct sys *sys, char **text, size_t *bytes);

	/*
	 * A reading of the clock that the kernel log is stamped with, in nanoseconds, and of CNTVCT_EL0 at that time. It runs with the counter almost
	 * from the kernel's beginning, while CLOCK_BOOTTIME counts ticks at first, and loses those that nobody was there to count: a virtual machine
	 * that had to wait, interrupts that were off. -EACCES, -ENOTSUP: the kernel does not show it.
	 */
	int (*log_clock)(struct sys *sys, uint64_t *counter, uint64_t *ns);

	/* When the kernel logged the first line that begins and goes on so, in microseconds since its clocks started. -ENOENT: none is there. */
	int (*kernel_log_time)(struct sys *sys, const char *begins, const char *holds, uint64_t *us);

	/* What another program prints, with a null behind it; it is killed after most_ms. -EIO: it ended with another status than 0; -ETIMEDOUT;
	   -EFBIG: there is no room for that much. */
	int (*run)(struct sys *sys, const char *const *argv, unsigned int most_ms, char *text, size_t room);

	/* A payload file. What is not a regular file (a pipe, a device) is read into memory first, so its length is
	   known; of at most most bytes, else -EFBIG. Returns a descriptor. */
	int (*open_file)(struct sys *sys, const char *path, uint64_t most, uint64_t *bytes);
	int (*stamp)(struct sys *sys, int fd, const char *path, struct sys_stamp *stamp);
	ssize_t (*read)(struct sys *sys, int fd, uint64_t at, void *out, size_t bytes);
	/* An empty file in memory, for what cannot be read where it is. Returns a descriptor; write() writes all of it. */
	int (*make_file)(struct sys *sys);
	int (*write)(struct sys *sys, int fd, const void *data, size_t bytes);
	void (*close)(struct sys *sys, int fd);

	/*
	 * System V segments that user 0 owns and made. shm_create(): -EEXIST: there is one with that key; whoever else sits on it loses it.
	 * huge: of 2 MiB pages, and sparse: pages come when they are touched. shm_find(): -ENOENT: there is none. shm_list(): all whose key
	 * is first_key or one of the next, keys of them; stops when each() returns other than 0. One that was removed is not found
	 * any more, though processes may be attached to it.
	 */
	int (*shm_create)(struct sys *sys, int key, uint64_t bytes, bool huge, int *id);
	int (*shm_find)(struct sys *sys, int key, struct sys_shm *shm);
	void (*shm_list)(struct sys *sys, int first_key, int keys, int (*each)(void *arg, const struct sys_shm *shm), void *arg);
	int (*shm_attach)(struct sys *sys, int id, void **addr);
	void (*shm_detach)(struct sys *sys, void *addr);
	int (*shm_remove)(struct sys *sys, int id);

	/* Pages that are touched from now on come from that node of memory while it has any (set_mempolicy(2), MPOL_PREFERRED); -1: from the node
	   that this process runs on, as usual. A kernel that knows no nodes, or forbids this one to this process, leaves it at that. */
	void (*prefer_node)(struct sys *sys, int node);
	/* Write to the page at addr so that it is there, or read it so that it is mapped; -EFAULT if the kernel has none (SIGBUS). */
	int (*touch)(struct sys *sys, void *addr);
	int (*peek)(struct sys *sys, const void *addr);
	/* Call run(arg); -EFAULT: it read memory that the kernel cannot give any more (SIGBUS), and was left where it was. On any thread; not inside itself. */
	int (*try_memory)(struct sys *sys, void (*run)(void *arg), void *arg);
	/* The flags of the page at pa, as in /proc/kpageflags: SYS_PAGE_*. */
	int (*page_flags)(struct sys *sys, pa_t pa, uint64_t *flags);
	/* Keep so many free huge pages of the machine's own pool from being touched, until pool_release(); null: they cannot be. */
	void *(*pool_hold)(struct sys *sys, uint64_t pages);
	void (*pool_release)(struct sys *sys, void *hold, uint64_t pages);
	/* Make pages that were touched lie where the kernel has no reason to move them from: out of CMA areas and movable
	   zones. Before their addresses are read. An error is why they may lie there still. */
	int (*leave_cma)(struct sys *sys, void *addr, uint64_t bytes);
	/* Physical address of the page at addr; -EPERM if the kernel hides it. */
	int (*page_pa)(struct sys *sys, const void *addr, pa_t *pa);
	int (*punch)(struct sys *sys, void *addr, uint64_t bytes);
	/* DC CIVAC over memory of ours, to the point of coherency. */
	void (*clean)(struct sys *sys, const void *addr, uint64_t bytes);

	/*
	 * Other CPUs work on a row of jobs while it grows: work(arg, first, count) is called once for each job, for one or two
	 * of them that follow one another, on any thread. workers_ready() says how many there are by now, and lends a hand when
	 * the others fall behind; workers_close() returns when all those are done, or with abandon, when nobody works any more.
	 * Null: out of memory.
	 */
	struct sys_workers *(*workers_open)(struct sys *sys, void (*work)(void *arg, size_t first, size_t count), void *arg);
	void (*workers_ready)(struct sys *sys, struct sys_workers *workers, size_t count);
	void (*workers_close)(struct sys *sys, struct sys_workers *workers, bool abandon);

	bool (*interrupted)(struct sys *sys);	/* a SIGINT, SIGQUIT, SIGTERM or SIGHUP came in */
	void (*heed_signals)(struct sys *sys, bool yes);	/* with false, interrupted() says no until it is said again with true */
	/* Whether standard output is open, and not a pipe that nobody reads. */
	bool (*can_print)(struct sys *sys);

	int (*kexec_load)(struct sys *sys, pa_t entry, const struct sys_segment *segments, size_t count, unsigned long flags);
	/* flags: SYS_FILE_*. Descriptors of -1: there is none; cmdline may be null. */
	int (*kexec_file_load)(struct sys *sys, int kernel_fd, int initrd_fd, const char *cmdline, unsigned long flags);
	/* Ask for one of the two with arguments that every kernel refuses, so that nothing comes of it. 0: it would take others.
	   Where kernel.kexec_load_limit_reboot is set this counts as a load. */
	int (*kexec_probe)(struct sys *sys, bool by_file);
	int (*reboot_kexec)(struct sys *sys);
	void (*sync)(struct sys *sys);
	void (*ifdown)(struct sys *sys);
	int (*shutdown)(struct sys *sys);	/* shutdown -r now in place of this process; returns only on failure */
};

/* Of the huge pages that shm_create(), touch() and pool_hold() are about. */
#define SYS_HUGE_PAGE_BYTES	MIB(2)

/* include/uapi/linux/kernel-page-flags.h */
#define SYS_PAGE_HWPOISON	(1ull << 19)

/* The lock's file that is there to be written to. */
#define SYS_LOCK_FILE		"/run/kexec-fast.lock"

/* include/uapi/linux/kexec.h */
#define SYS_KEXEC_ON_CRASH	0x1
#define SYS_FILE_UNLOAD		0x1
#define SYS_FILE_ON_CRASH	0x2
#define SYS_FILE_NO_INITRAMFS	0x4
#define SYS_FILE_NO_CMA		0x10

/* The first number of a small file (base as for strtoull); false if it cannot be read. */
bool sys_read_u64(struct sys *sys, const char *path, int base, uint64_t *value);

/* Tell the kernel to drop what is loaded for the next reboot or for a panic, by that system call or by either. Returns 0 or a negative errno. */
int sys_unload(struct sys *sys, bool crash, enum syscall_choice by);

/* Files of a directory by their names, in order; freed by sys_names_free(), also after an error. */
#define SYS_NAMES_MAX	256
struct sys_names {
	char *name[SYS_NAMES_MAX];
	size_t count;
};

/* Those that wanted() takes; subdirectories are none. Returns 0 or a negative errno: -E2BIG: there are more. */
int sys_list_files(struct sys *sys, const char *path, bool (*wanted)(const char *name), struct sys_names *names);
void sys_names_free(struct sys_names *names);

/* The running system. Catches SIGINT, SIGQUIT, SIGTERM, SIGHUP from then on; and nothing that is opened later gets the number
 * of a standard stream that is closed. */
void sys_linux(struct sys *sys);

#endif
