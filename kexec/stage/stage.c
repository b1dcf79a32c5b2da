/* SPDX-License-Identifier: GPL-2.0-only */
#include "stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL		"/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define OVERCOMMIT	POOL "nr_overcommit_hugepages"
#define SURPLUS		POOL "surplus_hugepages"

enum kx_err stage_open(struct stage *stage, struct sys *sys, uint32_t room, struct fail *fail)
{
	uint64_t surplus;
	void *base;
	int err;

	*stage = (struct stage){ .sys = sys, .shm_id = SYS_NO_SHM, .room = room };
	stage->pa = calloc(room ? room : 1, sizeof(*stage->pa));
	if (!stage->pa)
		return fail_set(fail, KX_NO_MEMORY, "staging");
	err = sys->shm_create(sys, (uint64_t)room * HUGE_PAGE_BYTES, &stage->shm_id, &base);
	if (err) {
		free(stage->pa);
		*stage = (struct stage){ .sys = sys, .shm_id = SYS_NO_SHM };
		if (err == -EPERM)
			return fail_set(fail, KX_NO_IPC_LOCK, "%s", strerror(-err));
		/* EINVAL is a size of huge page that there is not, or more than kernel.shmmax. */
		return fail_set(fail, err == -ENOENT || (err == -EINVAL && !sys_read_u64(sys, SURPLUS, 10, &surplus)) ?
			KX_NO_HUGE_PAGES : KX_SHM, "%s", strerror(-err));
	}
	stage->base = base;
	return KX_OK;
}

static int write_number(struct sys *sys, const char *path, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return sys->write_file(sys, path, text);
}

/* Huge pages that are in use beyond the pool count against the limit, those of an earlier load too. */
static bool raise_overcommit(struct stage *stage, uint64_t more, uint64_t *before)
{
	struct sys *sys = stage->sys;
	uint64_t surplus;
	char text[24];

	if (!sys_read_u64(sys, OVERCOMMIT, 10, before) || !sys_read_u64(sys, SURPLUS, 10, &surplus))
		return false;
	if (surplus + more <= *before)
		return false;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)*before);
	sys->restore_if_killed(sys, OVERCOMMIT, text);
	stage->limit_error = write_number(sys, OVERCOMMIT, surplus + more);
	if (!stage->limit_error)
		return true;
	sys->restore_cancel(sys);
	return false;
}

static void restore_overcommit(struct sys *sys, uint64_t before)
{
	write_number(sys, OVERCOMMIT, before);
	sys->restore_cancel(sys);
}

/* Touch huge pages from the first untouched one on; returns how many there are then. */
static uint32_t touch_pages(struct stage *stage, uint32_t wanted)
{
	uint32_t i;

	for (i = stage->pages; i < wanted && !stage->sys->interrupted(stage->sys); i++)
		if (stage->sys->touch(stage->sys, stage_page(stage, i)) < 0)
			break;
	return i;
}

enum kx_err stage_grow(struct stage *stage, uint32_t wanted, struct fail *fail)
{
	struct sys *sys = stage->sys;
	uint64_t before, pool_pages = stage_pool_pages(sys);
	void *pool = NULL;
	uint32_t touched;
	bool raised;
	int err;

	if (wanted > stage->room)
		wanted = stage->room;
	if (stage->pages >= wanted)
		return KX_OK;
	raised = raise_overcommit(stage, wanted - stage->pages, &before);
	if (pool_pages)
		pool = sys->pool_hold(sys, pool_pages);
	touched = touch_pages(stage, wanted);
	if (pool)
		sys->pool_release(sys, pool, pool_pages);
	err = sys->leave_cma(sys, stage_page(stage, stage->pages), (touched - stage->pages) * HUGE_PAGE_BYTES);
	if (err)
		stage->cma_error = err;
	if (raised)
		restore_overcommit(sys, before);
	for (; stage->pages < touched; stage->pages++) {
		int result = sys->page_pa(sys, stage_page(stage, stage->pages), &stage->pa[stage->pages]);

		if (result < 0)
			return fail_set(fail, KX_NO_PFN, "/proc/self/pagemap: %s", strerror(-result));
	}
	return sys->interrupted(sys) ? fail_set(fail, KX_INTERRUPTED, "staging") : KX_OK;
}

uint64_t stage_pool_pages(struct sys *sys)
{
	uint64_t free_pages, reserved;

	if (!sys_read_u64(sys, POOL "free_hugepages", 10, &free_pages) || !sys_read_u64(sys, POOL "resv_hugepages", 10, &reserved))
		return 0;
	return free_pages > reserved ? free_pages - reserved : 0;
}

bool stage_moved(const struct stage *stage, const bool *keep)
{
	uint32_t i;
	pa_t pa;

	for (i = 0; i < stage->pages; i++)
		if (keep[i] && (stage->sys->page_pa(stage->sys, stage_page(stage, i), &pa) < 0 || pa != stage->pa[i]))
			return true;
	return false;
}

void stage_keep(struct stage *stage, const bool *keep)
{
	uint32_t i, run;

	for (i = 0; i < stage->pages; i += run) {
		for (run = 1; i + run < stage->pages && keep[i + run] == keep[i]; run++)
			;
		if (!keep[i])
			stage->sys->punch(stage->sys, stage_page(stage, i), run * HUGE_PAGE_BYTES);
	}
}

void stage_close(struct stage *stage, bool discard)
{
	if (stage->shm_id != SYS_NO_SHM) {
		stage->sys->shm_detach(stage->sys, stage->base);
		if (discard)
			stage->sys->shm_remove(stage->sys, stage->shm_id);
	}
	free(stage->pa);
	*stage = (struct stage){ .sys = stage->sys, .shm_id = SYS_NO_SHM };
}
