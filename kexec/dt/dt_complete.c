/* SPDX-License-Identifier: GPL-2.0-only */
#include "dt_complete.h"

#include "bytes.h"
#include "dt.h"
#include "dt_node.h"

#include <stdio.h>

#define REG_MAX		1024	/* bytes of a reg property */

struct cells {
	unsigned int address, size;	/* 0: of a kind that there is not on arm64 */
};

static struct cells cells_of(const void *dtb, int node)
{
	return (struct cells){ dt_cells(dtb, node, "#address-cells"), dt_cells(dtb, node, "#size-cells") };
}

/* Memory that is not for the kernel, the secure world's for one, has status "disabled" (drivers/of/fdt.c, of_fdt_device_is_available()). */
static bool is_available(const void *dtb, int node)
{
	return !fdt_getprop(dtb, node, "status", NULL) || dt_says(dtb, node, "status", "okay") || dt_says(dtb, node, "status", "ok");
}

/* What Linux takes for a memory node's ranges. */
static const char *ranges_of(const void *dtb, int node)
{
	return fdt_getprop(dtb, node, "linux,usable-memory", NULL) ? "linux,usable-memory" : "reg";
}

static bool names_efi(const void *dtb)
{
	size_t ignored;

	return dt_chosen(dtb, "linux,uefi-system-table", &ignored) != NULL;
}

/* Any of a length other than 0: kernel builds have nodes whose reg is all zero, for firmware to fill in. */
static bool names_memory(const void *dtb)
{
	struct cells cells = cells_of(dtb, 0);
	unsigned int entry = 4 * (cells.address + cells.size), at;
	int node, bytes;

	if (!cells.address || !cells.size)
		return false;
	fdt_for_each_subnode(node, dtb, 0) {
		const unsigned char *reg = dt_is_memory(dtb, node) && is_available(dtb, node) ? fdt_getprop(dtb, node, ranges_of(dtb, node), &bytes) : NULL;

		for (at = 0; reg && at + entry <= (unsigned int)bytes; at += entry)
			if (load_be(reg + at + 4 * cells.address, 4 * cells.size))
				return true;
	}
	return false;
}

/* Ranges of a node of the running tree as reg of a node of out, whose cells may be others. An address that does not fit is an error. */
static int copy_reg(const void *running, int node, const char *name, struct cells from, void *out, int to_node, struct cells to)
{
	unsigned char value[REG_MAX], *end = value;
	int bytes, at, entry = 4 * (int)(from.address + from.size);
	const unsigned char *reg = fdt_getprop(running, node, name, &bytes);

	if (!reg || !from.address || !from.size || !to.address || !to.size || bytes % entry || bytes / entry > REG_MAX / 16)
		return -FDT_ERR_BADNCELLS;
	for (at = 0; at < bytes; at += entry) {
		uint64_t address = load_be(reg + at, 4 * from.address), size = load_be(reg + at + 4 * from.address, 4 * from.size);

		if ((to.address == 1 && address >> 32) || (to.size == 1 && size >> 32))
			return -FDT_ERR_BADNCELLS;
		end = store_be(store_be(end, address, 4 * to.address), size, 4 * to.size);
	}
	return fdt_setprop(out, to_node, "reg", value, (int)(end - value));
}

/* Or what would be one, if it said so by device_type. */
static bool is_named_memory(const void *dtb, int node)
{
	const char *name = fdt_get_name(dtb, node, NULL);

	return name && strncmp(name, "memory", 6) == 0 && (!name[6] || name[6] == '@');
}

static int delete_memory_nodes(void *out)
{
	int node, err;

	for (;;) {
		fdt_for_each_subnode(node, out, 0)
			if (dt_is_memory(out, node) || is_named_memory(out, node))
				break;
		if (node < 0)
			return 0;
		err = fdt_del_node(out, node);
		if (err)
			return err;
	}
}

static int put_memory(const void *running, void *out)
{
	struct cells from = cells_of(running, 0), to = cells_of(out, 0);
	int node, copy, bytes, err = delete_memory_nodes(out);

	fdt_for_each_subnode(node, running, 0) {
		const unsigned char *ranges;
		const void *numa;
		char name[32];

		if (err || !dt_is_memory(running, node) || !is_available(running, node))
			continue;
		ranges = fdt_getprop(running, node, ranges_of(running, node), &bytes);
		if (!ranges || (unsigned int)bytes < 4 * from.address)
			continue;
		snprintf(name, sizeof(name), "memory@%llx", (unsigned long long)load_be(ranges, 4 * from.address));
		copy = fdt_add_subnode(out, 0, name);
		err = copy < 0 ? copy : fdt_setprop_string(out, copy, "device_type", "memory");
		if (!err)
			err = copy_reg(running, node, ranges_of(running, node), from, out, copy, to);
		numa = fdt_getprop(running, node, "numa-node-id", &bytes);
		if (!err && numa)
			err = fdt_setprop(out, copy, "numa-node-id", numa, bytes);
	}
	return err;
}

/* Entries that a load of ours has added are no firmware's: those that still count are added again (dt_edit()), if that is known. */
static bool is_own_reserve(const void *running, uint64_t address, uint64_t size)
{
	size_t bytes, at;
	const unsigned char *own = dt_chosen(running, DT_RESERVED_PROPERTY, &bytes);

	for (at = 0; own && at + 16 <= bytes; at += 16)
		if (load_be(own + at, 8) == address && load_be(own + at + 8, 8) == size)
			return true;
	return false;
}

static int put_reserve_list(const void *running, bool keep_own, void *out, unsigned int *count)
{
	uint64_t address, size, other_address, other_size;
	int i, k, err = 0;

	for (i = 0; !err && i < fdt_num_mem_rsv(running); i++) {
		if (fdt_get_mem_rsv(running, i, &address, &size) || (!keep_own && is_own_reserve(running, address, size)))
			continue;
		for (k = 0; k < fdt_num_mem_rsv(out); k++)
			if (fdt_get_mem_rsv(out, k, &other_address, &other_size) == 0 && address == other_address && size == other_size)
				break;
		if (k < fdt_num_mem_rsv(out))
			continue;
		err = fdt_add_mem_rsv(out, address, size);
		*count += !err;
	}
	return err;
}

/* /reserved-memory of out; made like the root if there is none (reserved-memory.yaml asks for the same cells). */
static int open_reserved_memory(void *out)
{
	struct cells root = cells_of(out, 0);
	int node = fdt_path_offset(out, "/reserved-memory"), err;

	if (node != -FDT_ERR_NOTFOUND)
		return node;
	node = fdt_add_subnode(out, 0, "reserved-memory");
	err = node < 0 ? node : fdt_setprop_u32(out, node, "#address-cells", root.address);
	if (!err)
		err = fdt_setprop_u32(out, node, "#size-cells", root.size);
	if (!err)
		err = fdt_setprop(out, node, "ranges", NULL, 0);
	return err ? err : node;
}

/* Whether a node of out has just the ranges of one of the running tree; a scratch node shows how they look there. */
static int has_ranges(const void *running, int node, struct cells from, void *out, int parent, int to_node, bool *same)
{
	unsigned char wanted[REG_MAX];
	int bytes, found_bytes, scratch = fdt_add_subnode(out, parent, "kexec-fast-scratch"), err;
	const char *name = fdt_get_name(running, node, NULL);
	const void *value;

	err = scratch < 0 ? scratch : copy_reg(running, node, "reg", from, out, scratch, cells_of(out, parent));
	if (err)
		return err;
	value = fdt_getprop(out, scratch, "reg", &bytes);
	memcpy(wanted, value, (size_t)bytes);
	err = fdt_del_node(out, scratch);
	to_node = fdt_subnode_offset(out, parent, name);
	value = fdt_getprop(out, to_node, "reg", &found_bytes);
	*same = value && found_bytes == bytes && memcmp(value, wanted, (size_t)bytes) == 0;
	return err;
}

/* Both trees have the node, with different places: both are reserved, that of the running tree by the list. */
static int reserve_ranges(const void *running, int node, struct cells from, void *out)
{
	int bytes, at, err = 0, entry = 4 * (int)(from.address + from.size);
	const unsigned char *reg = fdt_getprop(running, node, "reg", &bytes);

	for (at = 0; !err && at + entry <= bytes; at += entry)
		err = fdt_add_mem_rsv(out, load_be(reg + at, 4 * from.address), load_be(reg + at + 4 * from.address, 4 * from.size));
	return err;
}

static int put_reserved_node(const void *running, int node, struct cells from, void *out, int parent, unsigned int *count)
{
	int copy = fdt_subnode_offset(out, parent, fdt_get_name(running, node, NULL)), bytes, err;
	const void *status = fdt_getprop(running, node, "status", &bytes);
	bool same;

	if (copy >= 0) {
		err = has_ranges(running, node, from, out, parent, copy, &same);
		if (err || same)
			return err;
		(*count)++;
		return reserve_ranges(running, node, from, out);
	}
	copy = fdt_add_subnode(out, parent, fdt_get_name(running, node, NULL));
	err = copy < 0 ? copy : copy_reg(running, node, "reg", from, out, copy, cells_of(out, parent));
	if (!err && fdt_getprop(running, node, "no-map", NULL))
		err = fdt_setprop(out, copy, "no-map", NULL, 0);
	if (!err && status)
		err = fdt_setprop(out, copy, "status", status, bytes);
	*count += !err;
	return err;
}

/* What firmware keeps for itself, or for a device. */
static int put_reserved_nodes(const void *running, void *out, unsigned int *count)
{
	int from = fdt_path_offset(running, "/reserved-memory"), node, to, err = 0;

	if (from < 0)
		return 0;
	fdt_for_each_subnode(node, running, from) {
		if (err || !fdt_getprop(running, node, "reg", NULL))
			continue;
		to = open_reserved_memory(out);
		err = to < 0 ? to : put_reserved_node(running, node, cells_of(running, from), out, to, count);
	}
	return err;
}

static int open_chosen(void *out)
{
	int chosen = fdt_path_offset(out, "/chosen");

	return chosen == -FDT_ERR_NOTFOUND ? fdt_add_subnode(out, 0, "chosen") : chosen;
}

static int put_efi(const void *running, void *out)
{
	int from = fdt_path_offset(running, "/chosen"), property, bytes, chosen = open_chosen(out), err = chosen < 0 ? chosen : 0;
	const char *name;

	fdt_for_each_property_offset(property, running, from) {
		const void *value = fdt_getprop_by_offset(running, property, &name, &bytes);

		if (!err && value && strncmp(name, "linux,uefi-", 11) == 0)
			err = fdt_setprop(out, chosen, name, value, bytes);
	}
	return err;
}

/* The list of what we have reserved, for the load after this one to take out. */
static int put_own_list(const void *running, void *out)
{
	size_t bytes;
	const void *own = dt_chosen(running, DT_RESERVED_PROPERTY, &bytes);
	int chosen = own ? open_chosen(out) : 0;

	return !own ? 0 : chosen < 0 ? chosen : fdt_setprop(out, chosen, DT_RESERVED_PROPERTY, own, (int)bytes);
}

static int put_all_memory(const void *running, bool keep_own, void *out, struct dt_completed *done)
{
	int err;

	done->efi = names_efi(running);
	done->memory = !done->efi;
	err = done->efi ? put_efi(running, out) : put_memory(running, out);
	if (!err && done->memory)
		err = put_reserve_list(running, keep_own, out, &done->reserved);
	if (!err && done->memory && keep_own)
		err = put_own_list(running, out);
	/* Under EFI, too: what may be mapped is free memory in the map of U-Boot's, and reserved by its node alone. */
	return err ? err : put_reserved_nodes(running, out, &done->reserved);
}

/* The node of an absolute path, or of an alias for one. By hand: libfdt before 1.7.1 follows an alias that names itself without end. */
static int find_node(const void *dtb, const char *path, int path_bytes)
{
	int aliases = fdt_path_offset(dtb, "/aliases"), bytes;

	if (path_bytes && path[0] != '/') {
		path = aliases < 0 ? NULL : fdt_getprop_namelen(dtb, aliases, path, path_bytes, &bytes);
		if (!path || bytes < 2 || path[0] != '/' || path[bytes - 1])
			return -FDT_ERR_NOTFOUND;
		path_bytes = (int)strlen(path);
	}
	return path_bytes ? fdt_path_offset_namelen(dtb, path, path_bytes) : -FDT_ERR_NOTFOUND;
}

/* "serial0:115200n8", or a path: only where the node is there. */
static int put_console(const void *running, void *out, bool *done)
{
	size_t bytes, path_bytes;
	const char *path = dt_chosen(running, "stdout-path", &bytes);
	int chosen, err;

	if (!path || !bytes || path[bytes - 1] || dt_chosen(out, "stdout-path", &path_bytes))
		return 0;
	path_bytes = strcspn(path, ":");
	if (find_node(out, path, (int)path_bytes) < 0)
		return 0;
	chosen = open_chosen(out);
	err = chosen < 0 ? chosen : fdt_setprop(out, chosen, "stdout-path", path, (int)bytes);
	*done = !err;
	return err;
}

static int put_serial_number(const void *running, void *out, bool *done)
{
	int bytes, err;
	const void *value = fdt_getprop(running, 0, "serial-number", &bytes);

	if (!value || fdt_getprop(out, 0, "serial-number", NULL))
		return 0;
	err = fdt_setprop(out, 0, "serial-number", value, bytes);
	*done = !err;
	return err;
}

static bool is_set(const void *dtb, int node, const char *name)
{
	int bytes, i;
	const unsigned char *value = fdt_getprop(dtb, node, name, &bytes);

	for (i = 0; value && i < bytes; i++)
		if (value[i])
			return true;
	return false;
}

/* One node that both trees have an alias for. Boards without a store of their own for it get their address from firmware so. */
static int put_addresses_of(const void *running, int from, void *out, int to, unsigned int *count)
{
	static const char *const names[] = { "mac-address", "local-mac-address", "local-bd-address" };
	int bytes, err = 0;
	size_t i;

	for (i = 0; !err && i < sizeof(names) / sizeof(names[0]); i++) {
		const void *value = fdt_getprop(running, from, names[i], &bytes);

		if (!value || !is_set(running, from, names[i]) || is_set(out, to, names[i]))
			continue;
		err = fdt_setprop(out, to, names[i], value, bytes);
		*count += !err;
	}
	return err;
}

static int put_addresses(const void *running, void *out, unsigned int *count)
{
	int aliases = fdt_path_offset(running, "/aliases"), property, err = 0;
	const char *alias;

	if (aliases < 0)
		return 0;
	fdt_for_each_property_offset(property, running, aliases) {
		int bytes, from, to;

		if (err || !fdt_getprop_by_offset(running, property, &alias, &bytes))
			continue;
		from = find_node(running, alias, (int)strlen(alias));
		to = find_node(out, alias, (int)strlen(alias));
		if (from >= 0 && to >= 0 && alias[0] != '/')
			err = put_addresses_of(running, from, out, to, count);
	}
	return err;
}

enum kx_err dt_complete(const void *dtb, const void *running, bool keep_own, void *out, size_t room, struct dt_completed *done)
{
	bool lacks_memory = !names_efi(dtb) && !names_memory(dtb);
	int err;

	*done = (struct dt_completed){ 0 };
	if (lacks_memory && (!running || (!names_efi(running) && !names_memory(running))))
		return KX_DTB_NO_MEMORY;
	err = fdt_open_into(dtb, out, (int)(room < INT32_MAX ? room : INT32_MAX));
	if (!err && lacks_memory)
		err = put_all_memory(running, keep_own, out, done);
	if (!err && running)
		err = put_console(running, out, &done->console);
	if (!err && running)
		err = put_serial_number(running, out, &done->serial_number);
	if (!err && running)
		err = put_addresses(running, out, &done->addresses);
	if (!err)
		err = fdt_pack(out);
	return !err ? KX_OK : err == -FDT_ERR_NOSPACE ? KX_DTB_TOO_BIG : KX_DTB_BAD;
}

void dt_completed_text(const struct dt_completed *done, char *out, size_t room)
{
	char reserved[32], addresses[40];
	const char *const parts[] = {
		done->memory ? "memory" : NULL, done->reserved ? reserved : NULL, done->efi ? "EFI" : NULL, done->console ? "stdout-path" : NULL,
		done->serial_number ? "serial-number" : NULL, done->addresses ? addresses : NULL,
	};
	size_t used = 0, i;

	snprintf(reserved, sizeof(reserved), "%u reserved region%s", done->reserved, done->reserved == 1 ? "" : "s");
	snprintf(addresses, sizeof(addresses), "%u MAC address%s", done->addresses, done->addresses == 1 ? "" : "es");
	out[0] = '\0';
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i] && used < room)
			used += (size_t)snprintf(out + used, room - used, "%s%s", used ? ", " : "", parts[i]);
}
