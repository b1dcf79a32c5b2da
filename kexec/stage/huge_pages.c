/* SPDX-License-Identifier: GPL-2.0-only */
#include "huge_pages.h"

#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define POOL		"/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define OVERCOMMIT	POOL "nr_overcommit_hugepages"
#define SURPLUS		POOL "surplus_hugepages"

#define PAGE_BYTES	SYS_HUGE_PAGE_BYTES
_Static_assert(PAGE_BYTES == PLAN_SLOT_BYTES, "a page holds what the planner places as a whole");

static unsigned char *memory_of(const struct staging *staging, uint32_t page)
{
	return staging->base + page * PAGE_BYTES;
}

static enum kx_err open_failed(struct sys *sys, int err, struct fail *fail)
{
	uint64_t surplus;

	if (err == -EPERM)
		return fail_set(fail, KX_NO_IPC_LOCK, "%s", strerror(-err));
	/* EINVAL is a size of huge page that there is not, or more than kernel.shmmax. */
	return fail_set(fail, err == -ENOENT || (err == -EINVAL && !sys_read_u64(sys, SURPLUS, 10, &surplus)) ? KX_NO_HUGE_PAGES : KX_SHM,
			"%s", strerror(-err));
}

static enum kx_err open_segment(struct staging *staging, uint32_t room, struct fail *fail)
{
	struct sys *sys = staging->sys;
	void *base;
	int err = sys->shm_create(sys, STAGING_KEY + staging->number, (uint64_t)room * PAGE_BYTES, true, &staging->shm_id);

	if (err)
		return open_failed(sys, err, fail);
	err = sys->shm_attach(sys, staging->shm_id, &base);
	if (err) {
		sys->shm_remove(sys, staging->shm_id);
		return open_failed(sys, err, fail);
	}
	staging->base = base;
	return KX_OK;
}

static enum kx_err attach_segment(struct staging *staging, uint32_t room, struct fail *fail)
{
	struct sys *sys = staging->sys;
	struct sys_shm shm;
	void *base;
	int err = sys->shm_find(sys, STAGING_KEY + staging->number, &shm);

	if (!err && shm.bytes < (uint64_t)room * PAGE_BYTES)
		err = -ENOENT;	/* another one that happens to have its key */
	if (!err)
		err = sys->shm_attach(sys, shm.id, &base);
	if (err)
		return fail_set(fail, KX_STAGED_GONE, "%s", strerror(-err));
	staging->shm_id = shm.id;
	staging->base = base;
	return KX_OK;
}

static int write_number(struct sys *sys, const char *path, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return sys->write_file(sys, path, text);
}

int huge_page_limit_restore(struct sys *sys, uint64_t before, uint64_t written)
{
	uint64_t now;

	if (sys_read_u64(sys, OVERCOMMIT, 10, &now) && now != written)
		return 0;
	return write_number(sys, OVERCOMMIT, before);
}

bool huge_page_limit_try(struct sys *sys, struct huge_page_limit *limit)
{
	*limit = (struct huge_page_limit){ 0 };
	if (!sys_read_u64(sys, OVERCOMMIT, 10, &limit->limit) || !sys_read_u64(sys, SURPLUS, 10, &limit->surplus))
		return false;
	sys_read_u64(sys, POOL "nr_hugepages", 10, &limit->pool);
	limit->write_error = write_number(sys, OVERCOMMIT, limit->limit);
	return true;
}

/*
 * Huge pages that are in use beyond the pool count against the limit, those of an earlier load too. Twice it is seen to that the limit is
 * put back: at once, by a process that waits for this one's end; and, should both be killed together, by the next run, from the ledger.
 */
static bool raise_limit(struct staging *staging, uint64_t more)
{
	struct sys *sys = staging->sys;
	uint64_t surplus, before;
	char text[24];

	if (!sys_read_u64(sys, OVERCOMMIT, 10, &before) || !sys_read_u64(sys, SURPLUS, 10, &surplus))
		return false;
	if (surplus + more <= before)
		return false;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)before);
	*staging->journal.limit_before = before;
	*staging->journal.limit_written = surplus + more;
	__atomic_store_n(staging->journal.limit_raised, 1, __ATOMIC_RELEASE);
	sys->restore_if_killed(sys, OVERCOMMIT, text);
	staging->limit_error = write_number(sys, OVERCOMMIT, surplus + more);
	if (!staging->limit_error)
		return true;
	sys->restore_cancel(sys);
	__atomic_store_n(staging->journal.limit_raised, 0, __ATOMIC_RELEASE);
	return false;
}

static void lower_limit(struct staging *staging)
{
	struct sys *sys = staging->sys;

	/* If it cannot be written now, a later run may: the ledger keeps it. */
	if (!huge_page_limit_restore(sys, *staging->journal.limit_before, *staging->journal.limit_written))
		__atomic_store_n(staging->journal.limit_raised, 0, __ATOMIC_RELEASE);
	sys->restore_cancel(sys);
}

/* Touch pages from the first untouched one on; returns how many there are then. */
static uint32_t touch_pages(struct staging *staging, uint32_t wanted)
{
	uint32_t i;

	for (i = staging->pages; i < wanted && !staging->sys->interrupted(staging->sys); i++)
		if (staging->sys->touch(staging->sys, memory_of(staging, i)) < 0)
			break;
	return i;
}

/* The administrator's pool is for others: what is free in it is held meanwhile. */
static void look(struct staging *staging, bool begin)
{
	struct sys *sys = staging->sys;

	if (!begin) {
		if (staging->pool)
			sys->pool_release(sys, staging->pool, staging->pool_pages);
		staging->pool = NULL;
		return;
	}
	staging->pool_pages = huge_page_pool_pages(sys);
	if (staging->pool_pages)
		staging->pool = sys->pool_hold(sys, staging->pool_pages);
}

static void grow(struct staging *staging, uint32_t wanted)
{
	struct sys *sys = staging->sys;
	uint32_t touched;
	bool raised;
	int err;

	raised = raise_limit(staging, wanted - staging->pages);
	look(staging, true);
	sys->prefer_node(sys, staging->node);
	touched = touch_pages(staging, wanted);
	sys->prefer_node(sys, -1);
	look(staging, false);
	err = sys->leave_cma(sys, memory_of(staging, staging->pages), (touched - staging->pages) * PAGE_BYTES);
	if (err)
		staging->cma_error = err;
	if (raised)
		lower_limit(staging);
	staging->pages = touched;
}

/* In /proc/self/pagemap it is only once it was looked at. */
static int address(struct staging *staging, uint32_t page, pa_t *pa)
{
	struct sys *sys = staging->sys;
	int err = sys->peek(sys, memory_of(staging, page));

	return err ? err : sys->page_pa(sys, memory_of(staging, page), pa);
}

static void release(struct staging *staging, uint32_t first, uint32_t count)
{
	staging->sys->punch(staging->sys, memory_of(staging, first), count * PAGE_BYTES);
}

static bool exists(struct staging *staging)
{
	struct sys_shm shm;

	return staging->sys->shm_find(staging->sys, STAGING_KEY + staging->number, &shm) == 0 && shm.id == staging->shm_id;
}

static void close_segment(struct staging *staging, bool discard)
{
	staging->sys->shm_detach(staging->sys, staging->base);
	if (discard)
		staging->sys->shm_remove(staging->sys, staging->shm_id);
}

uint64_t huge_page_pool_pages(struct sys *sys)
{
	uint64_t free_pages, reserved;

	if (!sys_read_u64(sys, POOL "free_hugepages", 10, &free_pages) || !sys_read_u64(sys, POOL "resv_hugepages", 10, &reserved))
		return 0;
	return free_pages > reserved ? free_pages - reserved : 0;
}

bool huge_pages_remove(struct sys *sys, int number)
{
	struct sys_shm shm;

	if (sys->shm_find(sys, STAGING_KEY + number, &shm))
		return false;
	return sys->shm_remove(sys, shm.id) || shm.attached;
}

const struct staging_ops huge_pages_staging = {
	.name = "huge pages", .kind = STAGING_HUGE_PAGES, .page_bytes = PAGE_BYTES,
	.open = open_segment, .attach = attach_segment, .grow = grow, .address = address, .memory = memory_of, .release = release,
	.exists = exists, .look = look, .close = close_segment,
};
