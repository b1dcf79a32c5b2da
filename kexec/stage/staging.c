/* SPDX-License-Identifier: GPL-2.0-only */
#include "crash_memory.h"
#include "huge_pages.h"
#include "staging.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct staging_ops *const backends[] = { &huge_pages_staging, &crash_memory_staging };

const struct staging_ops *staging_backend(uint32_t kind)
{
	size_t i;

	for (i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		if (backends[i]->kind == kind)
			return backends[i];
	return NULL;
}

static enum kx_err prepare(struct staging *staging, struct sys *sys, const struct staging_place *place, uint32_t room, struct fail *fail)
{
	uint32_t i;

	*staging = (struct staging){
		.ops = place->ops, .sys = sys, .number = place->number, .area = place->area, .node = place->node, .journal = place->journal, .room = room,
	};
	staging->pa = calloc(room ? room : 1, sizeof(*staging->pa));
	if (!staging->pa) {
		staging->ops = NULL;
		return fail_set(fail, KX_NO_MEMORY, "staging");
	}
	for (i = 0; i < room; i++)
		staging->pa[i] = STAGING_NO_PA;
	return KX_OK;
}

static enum kx_err opened(struct staging *staging, enum kx_err err)
{
	if (err) {
		free(staging->pa);
		*staging = (struct staging){ 0 };
	}
	return err;
}

enum kx_err staging_open(struct staging *staging, struct sys *sys, const struct staging_place *place, uint32_t room, struct fail *fail)
{
	enum kx_err err = prepare(staging, sys, place, room, fail);

	return err ? err : opened(staging, place->ops->open(staging, room, fail));
}

static enum kx_err no_address(int err, struct fail *fail)
{
	return fail_set(fail, KX_NO_PFN, "/proc/self/pagemap: %s", strerror(-err));
}

enum kx_err staging_attach(struct staging *staging, struct sys *sys, const struct staging_place *place, uint32_t room, const bool *present,
			   struct fail *fail)
{
	const struct staging_ops *ops = place->ops;
	enum kx_err err = prepare(staging, sys, place, room, fail);
	uint32_t i;

	if (!err)
		err = opened(staging, ops->attach(staging, room, fail));
	if (err)
		return err;
	staging->pages = room;
	ops->look(staging, true);
	for (i = 0; i < room && !err; i++) {
		int result = present[i] ? ops->address(staging, i, &staging->pa[i]) : -EFAULT;

		if (!result)
			continue;
		staging->pa[i] = STAGING_NO_PA;
		if (present[i] && result != -EFAULT)
			err = no_address(result, fail);
	}
	ops->look(staging, false);
	if (err)
		staging_close(staging, false);
	return err;
}

enum kx_err staging_grow(struct staging *staging, uint32_t wanted, struct fail *fail)
{
	uint32_t before = staging->pages, i;
	enum kx_err err = KX_OK;

	if (wanted > staging->room)
		wanted = staging->room;
	if (staging->pages >= wanted)
		return KX_OK;
	staging->ops->grow(staging, wanted);
	for (i = before; !err && i < staging->pages; i++) {
		int result = staging->ops->address(staging, i, &staging->pa[i]);

		if (result)
			err = no_address(result, fail);
	}
	if (err)
		return err;
	return staging->sys->interrupted(staging->sys) ? fail_set(fail, KX_INTERRUPTED, "staging") : KX_OK;
}

enum kx_err staging_refresh(struct staging *staging, bool *moved, struct fail *fail)
{
	int result = 0;
	uint32_t i;

	*moved = false;
	staging->ops->look(staging, true);
	for (i = 0; i < staging->pages && !result; i++) {
		pa_t pa = staging->pa[i];

		if (pa == STAGING_NO_PA)
			continue;
		result = staging->ops->address(staging, i, &pa);
		*moved |= pa != staging->pa[i];
		staging->pa[i] = pa;
	}
	staging->ops->look(staging, false);
	if (result == -EFAULT)
		return fail_with(fail, KX_STAGED_GONE);
	return result ? no_address(result, fail) : KX_OK;
}

bool staging_exists(struct staging *staging)
{
	return staging->ops->exists(staging);
}

void staging_keep(struct staging *staging, const bool *keep)
{
	uint32_t i, run;

	for (i = 0; i < staging->pages; i += run) {
		for (run = 1; i + run < staging->pages && keep[i + run] == keep[i]; run++)
			;
		if (keep[i])
			continue;
		staging->ops->release(staging, i, run);
		memset(&staging->pa[i], 0xff, run * sizeof(*staging->pa));
	}
}

uint64_t staging_bytes(const struct staging *staging)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < staging->pages; i++)
		bytes += staging->pa[i] == STAGING_NO_PA ? 0 : staging->ops->page_bytes;
	return bytes;
}

void staging_close(struct staging *staging, bool discard)
{
	if (staging->ops)
		staging->ops->close(staging, discard);
	free(staging->pa);
	*staging = (struct staging){ 0 };
}
