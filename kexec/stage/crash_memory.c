/* SPDX-License-Identifier: GPL-2.0-only */
#include "crash_memory.h"

#include "kexec_abi.h"
#include "plan.h"
#include "probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES	PLAN_SLOT_BYTES

struct range crash_memory_area(struct range reserved, pa_t *panic_pa)
{
	pa_t start = align_up(reserved.start, PAGE_BYTES), end = align_down(range_end(reserved), PAGE_BYTES);

	if (!reserved.bytes || end < start || end - start < 2 * PAGE_BYTES)
		return (struct range){ 0 };
	*panic_pa = end - PAGE_BYTES;
	return (struct range){ start, *panic_pa - start };
}

int crash_memory_holds(struct sys *sys, const struct ledger_header *header)
{
	pa_t entry_pa;

	if (!header->crash_entry_pa || kernel_is_loaded(sys, true) == 0)
		return 0;
	entry_pa = loaded_crash_entry_pa(sys);
	return entry_pa ? entry_pa == header->crash_entry_pa : -1;
}

bool crash_memory_remove(struct sys *sys, const struct ledger_header *header, bool in_doubt)
{
	int holds = crash_memory_holds(sys, header);

	if (!holds)
		return true;
	return (holds == 1 || in_doubt) && (!sys_unload(sys, true, SYSCALL_AUTO) || kernel_is_loaded(sys, true) == 0);
}

static enum kx_err open_area(struct staging *staging, uint32_t room, struct fail *fail)
{
	(void)staging;
	(void)room;
	(void)fail;
	return KX_OK;
}

/* Until it is handed over, what is staged waits in memory of this process. */
static enum kx_err reserve(struct staging *staging, const bool *keep, struct fail *fail)
{
	uint32_t first = 0, end = staging->pages;

	while (first < end && !keep[first])
		first++;
	while (end > first && !keep[end - 1])
		end--;
	free(staging->base);
	staging->first_page = first;
	/* From calloc() it takes no memory before it is written to. */
	staging->base = calloc(end - first + 1, PAGE_BYTES);
	return staging->base ? KX_OK : fail_set(fail, KX_NO_MEMORY, "kernel and initrd, which are read into memory first");
}

/* Of an earlier load, which has handed it over. */
static enum kx_err attach_area(struct staging *staging, uint32_t room, struct fail *fail)
{
	(void)room;
	staging->handed_over = true;
	if (!staging->area.bytes)
		return fail_with(fail, KX_STAGED_GONE);
	return KX_OK;
}

static void grow(struct staging *staging, uint32_t wanted)
{
	uint64_t most = staging->area.bytes / PAGE_BYTES;

	staging->pages = wanted < most ? wanted : (uint32_t)most;
}

static int address(struct staging *staging, uint32_t page, pa_t *pa)
{
	if (page >= staging->area.bytes / PAGE_BYTES)
		return -EFAULT;
	*pa = staging->area.start + page * PAGE_BYTES;
	return 0;
}

static unsigned char *memory(const struct staging *staging, uint32_t page)
{
	return staging->base ? staging->base + (page - staging->first_page) * PAGE_BYTES : NULL;
}

/* Runs of pages that lie behind one another are one segment. */
static enum kx_err hand_over(struct staging *staging, const bool *keep, const struct staging_panic *panic, struct fail *fail)
{
	struct sys_segment segment[KEXEC_SEGMENT_MAX];
	struct sys *sys = staging->sys;
	size_t count = 0;
	uint32_t i, run;
	int err;

	segment[count++] = (struct sys_segment){ panic->bytes, panic->count, panic->pa, align_up(panic->count, sys->page_bytes) };
	for (i = 0; i < staging->pages; i += run) {
		for (run = 1; i + run < staging->pages && keep[i + run] == keep[i]; run++)
			;
		if (!keep[i])
			continue;
		if (count == KEXEC_SEGMENT_MAX)
			return fail_set(fail, KX_INTERNAL, "more segments than the kernel takes");
		segment[count++] = (struct sys_segment){ memory(staging, i), run * PAGE_BYTES, staging->area.start + i * PAGE_BYTES, run * PAGE_BYTES };
	}
	err = sys->kexec_load(sys, panic->entry_pa, segment, count, SYS_KEXEC_ON_CRASH);
	if (err)
		return fail_set(fail, err == -EPERM ? KX_NOT_PERMITTED : err == -EBUSY ? KX_BUSY : KX_KEXEC_LOAD,
				"the crash kernel's memory: %s", strerror(-err));
	staging->handed_over = true;
	staging->panic_entry_pa = panic->entry_pa;
	return KX_OK;
}

static void release(struct staging *staging, uint32_t first, uint32_t count)
{
	(void)staging;
	(void)first;
	(void)count;
}

/* What was handed over is there as long as a crash kernel is loaded; whether it is this one, crash_memory_holds() tells. */
static bool exists(struct staging *staging)
{
	return !staging->handed_over || kernel_is_loaded(staging->sys, true) != 0;
}

static void look(struct staging *staging, bool begin)
{
	(void)staging;
	(void)begin;
}

static void close_area(struct staging *staging, bool discard)
{
	/* Another program may have loaded its own over it in the meantime. */
	const struct ledger_header ours = { .crash_entry_pa = staging->panic_entry_pa };

	if (discard && staging->handed_over)
		crash_memory_remove(staging->sys, &ours, true);
	free(staging->base);
}

const struct staging_ops crash_memory_staging = {
	.name = "pages of the crash kernel's memory", .kind = STAGING_CRASH_MEMORY, .page_bytes = PAGE_BYTES,
	.open = open_area, .attach = attach_area, .grow = grow, .address = address, .memory = memory, .reserve = reserve, .hand_over = hand_over,
	.release = release, .exists = exists, .look = look, .close = close_area,
};
