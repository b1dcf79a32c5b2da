/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * This kernel's device tree. /sys/firmware/fdt is the blob it was booted with; it is missing when the kernel found that
 * something had changed the blob since. /proc/device-tree holds the same tree, unpacked: it is put together again here.
 */
#include "machine.h"

#include "image.h"

#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TREE	"/proc/device-tree"
#define DEPTH_MAX	32

struct unflatten {
	struct sys *sys;
	void *fdt;
	char path[512];
	size_t path_bytes;
	unsigned int depth;
	bool directories;	/* properties come first in a flat tree, subnodes after them */
};

static int add_directory(struct unflatten *u);

static int add_entry(void *arg, const char *name, bool is_dir)
{
	struct unflatten *u = arg;
	size_t before = u->path_bytes, bytes;
	char *value;
	int err;

	/* "name" is made by the kernel; the flat tree has it in the node. */
	if (is_dir != u->directories || (!is_dir && strcmp(name, "name") == 0))
		return 0;
	if (before + 1 + strlen(name) >= sizeof(u->path))
		return -ENAMETOOLONG;
	u->path_bytes += (size_t)snprintf(u->path + before, sizeof(u->path) - before, "/%s", name);
	if (is_dir) {
		err = fdt_begin_node(u->fdt, name);
		if (!err)
			err = add_directory(u);
		if (!err)
			err = fdt_end_node(u->fdt);
	} else {
		err = u->sys->read_file(u->sys, u->path, ARM64_DTB_BYTES_MAX, &value, &bytes);
		if (!err) {
			err = fdt_property(u->fdt, name, value, (int)bytes);
			free(value);
		}
	}
	u->path_bytes = before;
	u->path[before] = '\0';
	u->directories = is_dir;
	return err;
}

static int add_directory(struct unflatten *u)
{
	int err;

	if (++u->depth > DEPTH_MAX)
		return -ELOOP;
	u->directories = false;
	err = u->sys->list_dir(u->sys, u->path, add_entry, u);
	u->directories = true;
	if (!err)
		err = u->sys->list_dir(u->sys, u->path, add_entry, u);
	u->depth--;
	return err;
}

enum kx_err device_tree_read(struct sys *sys, char **dtb, size_t *bytes, struct fail *fail)
{
	struct unflatten u = { .sys = sys, .path = TREE, .path_bytes = strlen(TREE) };
	int err;

	if (sys->read_file(sys, "/sys/firmware/fdt", ARM64_DTB_BYTES_MAX, dtb, bytes) == 0)
		return KX_OK;
	u.fdt = calloc(1, ARM64_DTB_BYTES_MAX);
	if (!u.fdt)
		return fail_set(fail, KX_NO_MEMORY, "device tree");
	err = fdt_create(u.fdt, (int)ARM64_DTB_BYTES_MAX);
	if (!err)
		err = fdt_finish_reservemap(u.fdt);
	if (!err)
		err = fdt_begin_node(u.fdt, "");
	if (!err)
		err = add_directory(&u);
	if (!err)
		err = fdt_end_node(u.fdt);
	if (!err)
		err = fdt_finish(u.fdt);
	if (err) {
		free(u.fdt);
		return fail_with(fail, err == -FDT_ERR_NOSPACE ? KX_DTB_TOO_BIG : KX_NO_DTB);
	}
	*dtb = u.fdt;
	*bytes = fdt_totalsize(u.fdt);
	return KX_OK;
}
