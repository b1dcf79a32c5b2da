/* SPDX-License-Identifier: GPL-2.0-only */
/* What both files here ask of a node. Private to this folder. */
#ifndef DT_NODE_H
#define DT_NODE_H

#include <libfdt.h>
#include <stdbool.h>
#include <string.h>

/* "#address-cells" or "#size-cells" of a node. Without the property Linux takes one (drivers/of/of_private.h, OF_ROOT_NODE_*_CELLS_DEFAULT);
 * libfdt, two and one. 0: as many as there are not on arm64. */
static inline unsigned int dt_cells(const void *dtb, int node, const char *name)
{
	int bytes;
	const fdt32_t *value = fdt_getprop(dtb, node, name, &bytes);

	return !value ? 1 : bytes == 4 && fdt32_ld(value) >= 1 && fdt32_ld(value) <= 2 ? fdt32_ld(value) : 0;
}

/* Whether a property is just this text. */
static inline bool dt_says(const void *dtb, int node, const char *name, const char *text)
{
	int bytes;
	const char *value = fdt_getprop(dtb, node, name, &bytes);

	return value && bytes == (int)strlen(text) + 1 && memcmp(value, text, (size_t)bytes) == 0;
}

static inline bool dt_is_memory(const void *dtb, int node)
{
	return dt_says(dtb, node, "device_type", "memory");
}

#endif
