/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine that exists only in memory, behind struct sys: its files, its 2 MiB huge pages with the physical addresses that
 * a test gives them, its System V segments and its kexec_load(2). It keeps to the kernel's rules, notes every breach of
 * them, and fails any call that a test names.
 */
#ifndef SYS_FAKE_H
#define SYS_FAKE_H

#include "sys.h"

#include <setjmp.h>

#define FAKE_FILES	96
#define FAKE_SEGMENTS	16
#define FAKE_SHMS	16
#define FAKE_FDS	24
#define FAKE_NO_PAGE	UINT32_MAX
#define FAKE_FILE_LOAD_WORKS	1	/* as file_load_error */

struct fake_file {
	char path[96];
	unsigned char *data;
	size_t bytes;
	size_t cut;		/* reading ends here, whatever open_file() said; grown files: above bytes, then zeros */
	bool link;		/* data is where it points */
	bool opened;
	struct sys_stamp stamp;
	void (*once_opened)(struct fake_file *file);	/* what happens to it while it is read */
};

struct fake_page {
	pa_t pa;
	bool taken;
	bool failed;		/* its memory has */
	bool cleaned;		/* and not written since: */
	uint64_t hash;
};

struct fake_shm {
	bool alive, removed, huge;
	int key;
	unsigned int attached;	/* how often */
	unsigned char *base;
	uint64_t bytes;
	uint32_t slots;
	uint32_t *slot;		/* of huge ones: index of the huge page behind each 2 MiB, FAKE_NO_PAGE */
};

/* What the kernel holds after kexec_load(2): copies, as it makes them. */
struct fake_load {
	pa_t entry;
	unsigned long flags;
	size_t count;
	struct sys_segment segment[FAKE_SEGMENTS];	/* buf is the copy */
};

struct fake {
	struct sys sys;

	struct fake_file file[FAKE_FILES];
	size_t files;
	struct { const struct fake_file *file; struct fake_file *made; bool open; } fd[FAKE_FDS];
	unsigned int bad_closes;	/* of what open_file() gave as an error: harmless, and a slip */
	bool open_once;			/* a payload file can be opened once, and is gone then: a pipe */
	size_t read_most;		/* bytes that one read() gives at most; 0: no limit */

	struct fake_page *page;	/* given out in this order */
	uint32_t pages;
	struct fake_shm shm[FAKE_SHMS];
	uint64_t pool, pool_held;	/* free huge pages of the machine's own, and of those, with a claim to them */
	uint64_t overcommit;		/* of surplus huge pages */
	int write_error;		/* negative errno that every write to it gives */
	bool overcommit_stuck;		/* a write to it was made to fail */
	pa_t failed_pa;			/* of a page of memory, no huge one, that has failed; 0: none */
	bool no_huge_pages;		/* the kernel has none of this size */
	bool hide_pfn;
	pa_t node1_pa;			/* pages from here on are on node 1; 0: all are on node 0 */
	int preferred_node;		/* -1: none */
	struct range cma;		/* leave_cma() gets huge pages out of here */
	int cma_error;		/* negative errno that it gives instead */

	bool not_user_0;		/* root's rights, but not its user number */
	bool root, arm64, random_works;
	const char *log;		/* null: cannot be read */
	uint64_t clock_ms;
	uint64_t counter;		/* CNTVCT_EL0 */
	uint64_t log_ns;		/* the log's clock; 0: the kernel does not show it */
	uint64_t boot_ns, init_us;	/* CLOCK_BOOTTIME; when /init was run, 0: the log does not say */
	const char *systemctl;		/* what it prints; null: there is none */

	/* Called once, when the kernel has taken a load and its loader does not know yet: somebody else's moment. */
	void (*meanwhile)(struct fake *fake, void *arg);
	void *meanwhile_arg;

	/* Called when a payload file was opened. */
	void (*opened)(struct fake *fake);

	bool no_lock;			/* there was nothing to lock */
	bool locked;			/* by a loader that is at work */
	bool dies_first;
	uint64_t memory_bytes;		/* not 0: MemAvailable and MemFree, less what was staged and read into memory */
	bool guarded;			/* the limit would be put back if the loader died */
	unsigned int shutdowns;
	unsigned int workers;		/* at work */

	bool file_load_signed;		/* kexec_file_load(2) takes what is signed only: no Image of ours */
	bool loaded;			/* a kernel is */
	bool loaded_hidden;		/* /sys/kernel/kexec_loaded cannot be read */
	struct fake_load load;
	struct fake_load crash;		/* the same of the image for a panic; count 0: there is none */
	bool show_images;		/* /proc/kallsyms and /proc/kcore show where both start */
	int kexec_error;		/* negative errno that kexec_load(2) gives */
	unsigned int kexec_fails_at;	/* that load, counted from 1, fails with ENOMEM when the kernel has dropped what it replaces; 0: none */

	int file_load_error;		/* the same of kexec_file_load(2); 0: -ENOSYS */
	unsigned int file_loads, probes;
	unsigned long file_load_flags;
	char file_load_cmdline[256];
	struct fake_file file_load_kernel, file_load_initrd;	/* what it was given; the data may be gone */
	uint64_t file_load_hash[2];

	unsigned int kexec_loads, unloads, shm_creates, shm_removes, cleans, writes, reboots, syncs, ifdowns, interrupted_calls;
	bool deaf;			/* interrupted() says no */
	unsigned int interrupt_at;	/* that call of interrupted(), and all later ones, say yes; 0: never */

	/* Fail the call number fail_call, counted from 1; of functions called fail_name only, if that is not null. */
	const char *fail_name;
	uint64_t fail_call, fail_calls;
	int fail_errno;
	const char *failed;		/* the function that was made to fail */

	/* The process is killed at call number kill_call, counted from 1: by a longjmp to killed. Null: it is not. */
	jmp_buf *killed;
	uint64_t kill_call, step_calls;

	char breach[160];		/* the first thing that no caller may do */
};

/* An arm64 machine with 2 GiB at 0x40000000, PSCI by HVC, a PL011, root, nothing loaded, and these huge pages. */
struct fake *fake_new(const pa_t *page_pa, uint32_t pages);
void fake_free(struct fake *fake);

/* What is started by the next reboot, or if there is no such thing by a panic. */
const struct fake_load *fake_image(const struct fake *fake);

/* Put a file there, or replace it; both copy. A link is only read by read_link(). */
struct fake_file *fake_file(struct fake *fake, const char *path, const void *data, size_t bytes);
void fake_text(struct fake *fake, const char *path, const char *text);
void fake_link(struct fake *fake, const char *path, const char *to);
void fake_drop(struct fake *fake, const char *path);

/* That device tree; null method: no /psci. Returns its length. */
size_t fake_dtb(void *out, size_t room, const char *psci_method);

/* The owned huge page whose memory holds pa, and that memory; null if nobody owns it. */
unsigned char *fake_page_memory(const struct fake *fake, pa_t pa, const struct fake_page **page);
uint64_t fake_page_hash(const unsigned char *memory);
uint64_t fake_hash(const void *data, size_t bytes);	/* as file_load_hash */
uint32_t fake_pages_taken(const struct fake *fake);
/* CPUs as /sys has them: online is "0-3,6"; each can be taken offline. */
void fake_cpus_online(struct fake *fake, const char *online);
/* Segments of huge pages that a ledger calls loaded, or that none does. */
unsigned int fake_shms(const struct fake *fake, bool loaded);
/* Of ledgers. */
unsigned int fake_ledgers(const struct fake *fake);
/* Of them, those of what is staged in the crash kernel's memory, and loaded. */
unsigned int fake_crash_ledgers(const struct fake *fake);
/* What becomes of a killed process: its memory and descriptors are gone, its lock is free. together: so is the one that would have put the
 * limit back. */
void fake_died(struct fake *fake, bool together);
/* The kernel moves the huge page at pa to a free one of the fake's; false: there is none. */
bool fake_move_page(struct fake *fake, pa_t pa);
bool fake_move_page_to(struct fake *fake, pa_t pa, uint32_t to);	/* that is free */

/* What is left behind that should not be: descriptors, attachments, segments that belong to no load, a changed limit.
 * Null if nothing. */
const char *fake_leak(const struct fake *fake);

#endif
