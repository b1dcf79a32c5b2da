/* SPDX-License-Identifier: GPL-2.0-only */
/* vmlinux, uImage, zboot, UKI headers: whatever is accepted lies in the file. */
#include "container.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check(struct extent e, uint64_t file_bytes)
{
	if (e.at > file_bytes || e.bytes > file_bytes - e.at)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	uint64_t sizes[] = { bytes, 2 * (uint64_t)bytes, GIB(1) };
	struct container c;
	unsigned int s, i;

	for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		if (container_parse(&c, data, bytes, sizes[s]) != KX_OK) {
			if (c.kind != CONTAINER_NONE)
				abort();
			continue;
		}
		if (!container_name(c.kind)[0])
			abort();
		check(c.kernel, sizes[s]);
		check(c.initrd, sizes[s]);
		check(c.cmdline, sizes[s]);
		check(c.dtb, sizes[s]);
		if ((c.kind == CONTAINER_UIMAGE || c.kind == CONTAINER_ZBOOT || c.kind == CONTAINER_UKI) && !c.kernel.bytes)
			abort();
		if (c.kind == CONTAINER_VMLINUX && (!c.segments || c.segment[0].image_at))
			abort();
		for (i = 0; i < c.segments; i++) {
			check(c.segment[i].file, sizes[s]);
			if (i && c.segment[i].image_at < c.segment[i - 1].image_at + c.segment[i - 1].file.bytes)
				abort();
		}
	}
	return 0;
}
