/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/iomem and the kernel log: whatever they say, spare memory lies in RAM and nothing wraps around. */
#include "iomem.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct range_set tables = { 0 };
	struct memmap map;
	size_t i;

	if (memmap_parse(&map, (const char *)data, bytes) == KX_OK) {
		demand(map.ram.count > 0);
		for (i = 0; i < map.spare.count; i++)
			demand(range_set_contains(&map.ram, map.spare.v[i]));
		for (i = 0; i < map.ram.count; i++)
			demand(map.ram.v[i].bytes && range_end(map.ram.v[i]) > map.ram.v[i].start);
		memmap_free(&map);
	}
	demand(memmap_gic_tables(&tables, (const char *)data, bytes) == KX_OK);
	for (i = 0; i < tables.count; i++)
		demand(tables.v[i].start % KIB(64) == 0 && range_end(tables.v[i]) > tables.v[i].start);
	range_set_free(&tables);
	return 0;
}
