/* SPDX-License-Identifier: GPL-2.0-only */
#include "dt_complete.h"

#include "bytes.h"
#include "dt.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#define CELLS_DEFAULT	1	/* of Linux (drivers/of/of_private.h); libfdt's are others */
#define REG_MAX		1024	/* bytes of a reg property */

struct cells {
	unsigned int address, size;	/* 0: of a kind that there is not on arm64 */
};

static unsigned int cell_count(const void *dtb, int node, const char *name)
{
	int bytes;
	const fdt32_t *value = fdt_getprop(dtb, node, name, &bytes);

	return !value ? CELLS_DEFAULT : bytes == 4 && fdt32_ld(value) >= 1 && fdt32_ld(value) <= 2 ? fdt32_ld(value) : 0;
}

static struct cells cells_of(const void *dtb, int node)
{
	return (struct cells){ cell_count(dtb, node, "#address-cells"), cell_count(dtb, node, "#size-cells") };
}

static bool is_memory(const void *dtb, int node)
{
	int bytes;
	const char *type = fdt_getprop(dtb, node, "device_type", &bytes);

	return type && bytes == 7 && memcmp(type, "memory", 7) == 0;
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
		const unsigned char *reg = is_memory(dtb, node) ? fdt_getprop(dtb, node, "reg", &bytes) : NULL;

		for (at = 0; reg && at + entry <= (unsigned int)bytes; at += entry)
			if (load_be(reg + at + 4 * cells.address, 4 * cells.size))
				return true;
	}
	return false;
}

/* reg of a node of the running tree as a node below parent of out has it, whose cells may be others. An address that does not fit is an error. */
static int copy_reg(const void *running, int node, struct cells from, void *out, int to_node, struct cells to)
{
	unsigned char value[REG_MAX], *end = value;
	int bytes, at, entry = 4 * (int)(from.address + from.size);
	const unsigned char *reg = fdt_getprop(running, node, "reg", &bytes);

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
			if (is_memory(out, node) || is_named_memory(out, node))
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
		const void *numa;

		if (err || !is_memory(running, node))
			continue;
		copy = fdt_add_subnode(out, 0, fdt_get_name(running, node, NULL));
		err = copy < 0 ? copy : fdt_setprop_string(out, copy, "device_type", "memory");
		if (!err)
			err = copy_reg(running, node, from, out, copy, to);
		numa = fdt_getprop(running, node, "numa-node-id", &bytes);
		if (!err && numa)
			err = fdt_setprop(out, copy, "numa-node-id", numa, bytes);
	}
	return err;
}

/* Entries that a load of ours has added are no firmware's: those that still count are added again (dt_edit()). */
static bool is_own_reserve(const void *running, uint64_t address, uint64_t size)
{
	size_t bytes, at;
	const unsigned char *own = dt_chosen(running, DT_RESERVED_PROPERTY, &bytes);

	for (at = 0; own && at + 16 <= bytes; at += 16)
		if (load_be(own + at, 8) == address && load_be(own + at + 8, 8) == size)
			return true;
	return false;
}

static int put_reserve_list(const void *running, void *out, unsigned int *count)
{
	uint64_t address, size, other_address, other_size;
	int i, k, err = 0;

	for (i = 0; !err && i < fdt_num_mem_rsv(running); i++) {
		if (fdt_get_mem_rsv(running, i, &address, &size) || is_own_reserve(running, address, size))
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

/* What firmware keeps for itself, or for a device: nodes with a place that the build's tree does not have. */
static int put_reserved_nodes(const void *running, void *out, unsigned int *count)
{
	int from = fdt_path_offset(running, "/reserved-memory"), node, to, copy, err = 0;

	if (from < 0)
		return 0;
	fdt_for_each_subnode(node, running, from) {
		const char *name = fdt_get_name(running, node, NULL);

		if (err || !fdt_getprop(running, node, "reg", NULL))
			continue;
		to = open_reserved_memory(out);
		if (to < 0)
			return to;
		if (fdt_subnode_offset(out, to, name) >= 0)
			continue;
		copy = fdt_add_subnode(out, to, name);
		err = copy < 0 ? copy : copy_reg(running, node, cells_of(running, from), out, copy, cells_of(out, to));
		if (!err && fdt_getprop(running, node, "no-map", NULL))
			err = fdt_setprop(out, copy, "no-map", NULL, 0);
		*count += !err;
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

static int put_all_memory(const void *running, void *out, struct dt_completed *done)
{
	int err;

	if (names_efi(running)) {
		done->efi = true;
		return put_efi(running, out);
	}
	done->memory = true;
	err = put_memory(running, out);
	if (!err)
		err = put_reserve_list(running, out, &done->reserved);
	return err ? err : put_reserved_nodes(running, out, &done->reserved);
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
	if (fdt_path_offset_namelen(out, path, (int)path_bytes) < 0)
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
	const char *alias, *path;

	if (aliases < 0)
		return 0;
	fdt_for_each_property_offset(property, running, aliases) {
		int bytes, from, to;

		path = fdt_getprop_by_offset(running, property, &alias, &bytes);
		if (err || !path || !bytes || path[bytes - 1])
			continue;
		from = fdt_path_offset(running, path);
		path = fdt_get_alias(out, alias);
		to = path ? fdt_path_offset(out, path) : -1;
		if (from >= 0 && to >= 0)
			err = put_addresses_of(running, from, out, to, count);
	}
	return err;
}

enum kx_err dt_complete(const void *dtb, const void *running, void *out, size_t room, struct dt_completed *done)
{
	bool lacks_memory = !names_efi(dtb) && !names_memory(dtb);
	int err;

	*done = (struct dt_completed){ 0 };
	if (lacks_memory && (!running || (!names_efi(running) && !names_memory(running))))
		return KX_DTB_NO_MEMORY;
	err = fdt_open_into(dtb, out, (int)(room < INT32_MAX ? room : INT32_MAX));
	if (!err && lacks_memory)
		err = put_all_memory(running, out, done);
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
