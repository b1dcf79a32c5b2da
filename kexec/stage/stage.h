/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Huge pages of 2 MiB in one System V segment, with their physical addresses. They stay when the process is gone.
 */
#ifndef STAGE_H
#define STAGE_H

#include "err.h"
#include "sys.h"

struct stage {
	struct sys *sys;
	int shm_id;		/* SYS_NO_SHM: there is none */
	unsigned char *base;
	uint32_t room;		/* huge pages that the segment could hold */
	uint32_t pages;	/* that were touched */
	pa_t *pa;		/* of each */
	int limit_error;	/* negative errno: why the limit on surplus huge pages could not be raised */
	int cma_error;	/* the same of sys->leave_cma() */
};

/*
 * Make an empty segment for up to room huge pages.
 *
 * Errors: KX_SHM, KX_NO_IPC_LOCK, KX_NO_HUGE_PAGES (no such size in this kernel), KX_NO_MEMORY
 */
enum kx_err stage_open(struct stage *stage, struct sys *sys, uint32_t room, struct fail *fail);

/*
 * Take huge pages until there are as many as wanted or no more are to be had; the latter is not an error. They are no pages of the
 * machine's own pool, if those can be kept out of it: see stage_pool_pages(). The machine's
 * limit on surplus huge pages is raised meanwhile and restored before this returns, whatever happens.
 *
 * Errors: KX_NO_PFN, KX_INTERRUPTED
 */
enum kx_err stage_grow(struct stage *stage, uint32_t wanted, struct fail *fail);

/* Huge pages in the machine's own pool of huge pages that nobody has a claim to. */
uint64_t stage_pool_pages(struct sys *sys);

/* Whether the kernel has moved any of the huge pages whose keep[] is true since their addresses were read. */
bool stage_moved(const struct stage *stage, const bool *keep);

/* Give back every huge page whose keep[] is false. Their memory must not be touched again. */
void stage_keep(struct stage *stage, const bool *keep);

static inline unsigned char *stage_page(const struct stage *stage, uint32_t page)
{
	return stage->base + (uint64_t)page * HUGE_PAGE_BYTES;
}

/* Detach; with discard the memory goes back to the system, without it waits for the jump. */
void stage_close(struct stage *stage, bool discard);

#endif
