/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Staging: memory that is ours from the load to the jump, whatever becomes of this process, with its physical addresses. What it is made
 * of is a backend's business; nobody else knows. It comes in pages of page_bytes, which are what the planner places.
 */
#ifndef STAGING_H
#define STAGING_H

#include "err.h"
#include "range.h"
#include "sys.h"

struct staging;

/* What the kernel starts should it panic while its crash kernel's memory is staged in: an image of ours in it, that is entered at entry_pa. */
struct staging_panic {
	const unsigned char *bytes;
	size_t count;
	pa_t pa, entry_pa;
};

/*
 * A backend. All that takes a struct staging is called on an open one. Errors are described at the functions below that call it. A new
 * backend is a file with these, and a line in staging.c's table.
 */
struct staging_ops {
	const char *name;		/* as --staged shows it */
	uint32_t kind;			/* STAGING_*, in ledgers */
	uint64_t page_bytes;
	enum kx_err (*open)(struct staging *staging, uint32_t room, struct fail *fail);
	enum kx_err (*attach)(struct staging *staging, uint32_t room, struct fail *fail);
	void (*grow)(struct staging *staging, uint32_t wanted);
	/* The physical address of a page now. Returns 0 or a negative errno: -EFAULT: it is gone, -EPERM: the kernel hides it. */
	int (*address)(struct staging *staging, uint32_t page, pa_t *pa);
	/* Its memory; null: no process can reach it any more. */
	unsigned char *(*memory)(const struct staging *staging, uint32_t page);
	/* Null: memory() is what waits for the jump. Else it is memory of this process, which the first gives for the pages whose keep[] is
	   true, and the second brings to their addresses. */
	enum kx_err (*reserve)(struct staging *staging, const bool *keep, struct fail *fail);
	enum kx_err (*hand_over)(struct staging *staging, const bool *keep, const struct staging_panic *panic, struct fail *fail);
	void (*release)(struct staging *staging, uint32_t first, uint32_t count);
	bool (*exists)(struct staging *staging);
	/* Between true and false, looking at a page that is gone takes none from the machine's pool. */
	void (*look)(struct staging *staging, bool begin);
	void (*close)(struct staging *staging, bool discard);
};

#define STAGING_HUGE_PAGES	1
#define STAGING_CRASH_MEMORY	2

/*
 * What a change that outlives this process is written down in before it is made, so that a later run can take it back: the record is in
 * the ledger. raised: 1 while the limit on surplus huge pages is not what it was.
 */
struct staging_journal {
	uint64_t *limit_before, *limit_written;
	uint32_t *limit_raised;
};

struct staging {
	const struct staging_ops *ops;	/* null: not open */
	struct sys *sys;
	struct staging_journal journal;
	int number;		/* which one of its kind it is, for a ledger to find it by */
	struct range area;	/* where its pages are, for a backend that has no choice; bytes 0: anywhere */
	int node;		/* of memory, that pages should come from, for a backend that has the choice; -1: any */
	uint32_t room;		/* pages that it could hold */
	uint32_t pages;		/* that were taken: the first so many */
	pa_t *pa;		/* of each, as it was read last; STAGING_NO_PA: it was given back, or never taken */
	int limit_error;	/* negative errno: why the limit on huge pages could not be raised */
	int cma_error;		/* the same: why pages may lie in CMA areas */

	unsigned char *base;	/* the first page's memory, of the backends alone */

	/* Of crash_memory.c alone. */
	bool handed_over;
	uint32_t first_page;	/* that base is the memory of */
	pa_t panic_entry_pa;

	/* Of huge_pages.c alone. */
	int shm_id;
	void *pool;		/* while its pages are held */
	uint64_t pool_pages;
};

#define STAGING_NO_PA	UINT64_MAX

/* The backend of a kind; null: there is none, as in the ledger of a later version. */
const struct staging_ops *staging_backend(uint32_t kind);

/* Which one, and where its pages are. */
struct staging_place {
	const struct staging_ops *ops;
	int number;
	struct range area;
	int node;
	struct staging_journal journal;
};

/* Staging that is new and empty, and may grow up to room pages. Errors: KX_SHM, KX_NO_IPC_LOCK, KX_NO_HUGE_PAGES, KX_NO_MEMORY */
enum kx_err staging_open(struct staging *staging, struct sys *sys, const struct staging_place *place, uint32_t room, struct fail *fail);

/*
 * Staging of an earlier load; the pages that it has are those whose present[] is true, room of them. Their addresses are read anew, and
 * are STAGING_NO_PA for those that are gone. Errors: KX_STAGED_GONE, KX_NO_PFN, KX_NO_MEMORY
 */
enum kx_err staging_attach(struct staging *staging, struct sys *sys, const struct staging_place *place, uint32_t room, const bool *present,
			   struct fail *fail);

/*
 * Take pages until there are as many as wanted or no more are to be had; the latter is not an error. They are no pages of the machine's
 * own pool of huge pages, if those can be kept out of it. The machine's limits are as before when this returns, whatever happens.
 * Errors: KX_NO_PFN, KX_INTERRUPTED
 */
enum kx_err staging_grow(struct staging *staging, uint32_t wanted, struct fail *fail);

/* Read all addresses anew. *moved: whether one is another than before. Errors: KX_STAGED_GONE, KX_NO_PFN */
enum kx_err staging_refresh(struct staging *staging, bool *moved, struct fail *fail);

/* Whether nobody has removed it: then it would be gone with this process, under the loaded kernel. */
bool staging_exists(struct staging *staging);

/* Null: no process can reach it. */
static inline unsigned char *staging_memory(const struct staging *staging, uint32_t page)
{
	return staging->ops->memory(staging, page);
}

/* Whether what is written to staging_memory() is there for a later process, and for purgatory. */
static inline bool staging_is_shared(const struct staging *staging)
{
	return staging->ops && !staging->ops->hand_over;
}

/* Where staging is not shared: memory for the pages whose keep[] is true. Errors: KX_NO_MEMORY */
static inline enum kx_err staging_reserve(struct staging *staging, const bool *keep, struct fail *fail)
{
	return staging->ops->reserve(staging, keep, fail);
}

/* Bring the pages whose keep[] is true to their addresses. Errors: KX_NOT_PERMITTED, KX_BUSY, KX_KEXEC_LOAD, KX_INTERNAL */
static inline enum kx_err staging_hand_over(struct staging *staging, const bool *keep, const struct staging_panic *panic, struct fail *fail)
{
	return staging->ops->hand_over(staging, keep, panic, fail);
}

/* Give back every page whose keep[] is false. Their memory must not be touched again. */
void staging_keep(struct staging *staging, const bool *keep);

/* Bytes that the pages which are there take. */
uint64_t staging_bytes(const struct staging *staging);

/* With discard the memory goes back to the system, without it waits for the jump. */
void staging_close(struct staging *staging, bool discard);

/* Huge pages in the machine's own pool that nobody has a claim to. */
uint64_t huge_page_pool_pages(struct sys *sys);

/* The limit on surplus huge pages, how many there are, and whether it can be written to: what it is already. False: this kernel has no
 * huge pages of this size. */
struct huge_page_limit {
	uint64_t limit, surplus, pool;	/* pool: nr_hugepages, the machine's own */
	int write_error;		/* negative errno */
};
bool huge_page_limit_try(struct sys *sys, struct huge_page_limit *limit);

/* Put the limit on surplus huge pages back to what it was, if it still is what was written. Returns 0 or a negative errno. */
int huge_page_limit_restore(struct sys *sys, uint64_t before, uint64_t written);

/* Remove what lies in the System V segment of that number, and is nobody's any more: what a ledger names. Returns whether it still takes
 * memory, since a process is attached to it. */
bool huge_pages_remove(struct sys *sys, int number);

#endif
