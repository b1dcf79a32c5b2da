/* SPDX-License-Identifier: GPL-2.0-only */
/* Device trees for tests, node by node: open, properties and nodes, close. Include it behind cmocka.h. */
#ifndef DT_MAKE_H
#define DT_MAKE_H

#include <libfdt.h>
#include <stdint.h>
#include <string.h>

#define DT_MAKE_ROOM	16384

struct tree {
	_Alignas(8) unsigned char fdt[DT_MAKE_ROOM];
	size_t bytes;
	int err;
};

static inline void open_tree(struct tree *t, uint32_t address_cells, uint32_t size_cells)
{
	t->err = fdt_create(t->fdt, DT_MAKE_ROOM);
	t->err |= fdt_finish_reservemap(t->fdt);
	t->err |= fdt_begin_node(t->fdt, "");
	if (address_cells)
		t->err |= fdt_property_u32(t->fdt, "#address-cells", address_cells);
	if (size_cells)
		t->err |= fdt_property_u32(t->fdt, "#size-cells", size_cells);
}

static inline void property(struct tree *t, const char *name, const void *value, size_t bytes)
{
	t->err |= fdt_property(t->fdt, name, value, (int)bytes);
}

static inline void string(struct tree *t, const char *name, const char *value)
{
	property(t, name, value, strlen(value) + 1);
}

static inline void node(struct tree *t, const char *name)
{
	t->err |= fdt_begin_node(t->fdt, name);
}

/* With cells of its own, as the binding asks. */
static inline void reserved_memory(struct tree *t, uint32_t address_cells, uint32_t size_cells)
{
	node(t, "reserved-memory");
	t->err |= fdt_property_u32(t->fdt, "#address-cells", address_cells);
	t->err |= fdt_property_u32(t->fdt, "#size-cells", size_cells);
	property(t, "ranges", "", 0);
}

static inline void end_node(struct tree *t)
{
	t->err |= fdt_end_node(t->fdt);
}

static inline void close_tree(struct tree *t)
{
	end_node(t);
	t->err |= fdt_finish(t->fdt);
	assert_int_equal(t->err, 0);
	t->bytes = fdt_totalsize(t->fdt);
}

#endif
