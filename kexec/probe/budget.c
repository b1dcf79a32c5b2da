/* SPDX-License-Identifier: GPL-2.0-only */
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t meminfo(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	unsigned long long kib;

	return at && sscanf(at + strlen(name), ": %llu kB", &kib) == 1 && kib < (1ull << 52) ? kib << 10 : 0;
}

/* What may be taken for staging: what the kernel could give without swapping, less what the shutdown itself needs:
 * room to read swap back in, and a reserve. */
enum kx_err budget_read(struct budget *budget, struct sys *sys, struct fail *fail)
{
	uint64_t keep, cma_free;
	char *text;
	size_t bytes;
	int err = sys->read_file(sys, "/proc/meminfo", 65536, &text, &bytes);

	if (err)
		return proc_error(fail, "/proc/meminfo", err);
	budget->ram_bytes = meminfo(text, "MemTotal");
	budget->unused_bytes = meminfo(text, "MemFree");
	budget->cma_bytes = meminfo(text, "CmaTotal");
	budget->free_bytes = meminfo(text, "MemAvailable");
	cma_free = meminfo(text, "CmaFree");
	budget->unmovable_bytes = budget->free_bytes > cma_free ? budget->free_bytes - cma_free : 0;
	budget->swap_used_bytes = meminfo(text, "SwapTotal") - meminfo(text, "SwapFree");
	keep = budget->ram_bytes / 32 + MIB(32) + budget->swap_used_bytes;
	budget->available_bytes = budget->free_bytes > keep ? budget->free_bytes - keep : 0;
	free(text);
	return KX_OK;
}

uint64_t budget_spool_bytes(struct budget *budget, struct sys *sys)
{
	struct fail ignored;

	/* What was known before is better than nothing. */
	budget_read(budget, sys, &ignored);
	return budget->available_bytes / 2;
}
