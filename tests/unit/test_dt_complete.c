/* SPDX-License-Identifier: GPL-2.0-only */
/* A device tree of a kernel build, completed from the one that firmware gave the running kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dt.h"
#include "dt_complete.h"
#include "dt_make.h"

static _Alignas(8) unsigned char out[4 * DT_MAKE_ROOM];
static struct dt_completed done;
static char text[128];
static bool keep_own;

static enum kx_err complete(const struct tree *built, const struct tree *running)
{
	enum kx_err err = dt_complete(built->fdt, running ? running->fdt : NULL, keep_own, out, sizeof(out), &done);
	size_t total;

	dt_completed_text(&done, text, sizeof(text));
	if (!err)
		assert_int_equal(dt_check(out, fdt_totalsize(out), &total), KX_OK);
	return err;
}

static const void *at(const char *path, const char *name, int *bytes)
{
	int offset = fdt_path_offset(out, path);

	return offset < 0 ? NULL : fdt_getprop(out, offset, name, bytes);
}

static void assert_has(const char *path, const char *name, const void *value, int bytes)
{
	const void *found;
	int n;

	found = at(path, name, &n);
	if (!found)
		fail_msg("%s has no %s", path, name);
	assert_int_equal(n, bytes);
	assert_memory_equal(found, value, (size_t)bytes);
}

static void assert_has_not(const char *path, const char *name)
{
	int n;

	assert_null(at(path, name, &n));
}

/* As arch/arm64/boot/dts has them; size_cells of one, where the running tree has two. */
static void build(struct tree *t, uint32_t size_cells)
{
	static const uint8_t zero[16];

	open_tree(t, 2, size_cells);
	node(t, "aliases");
	string(t, "serial0", "/soc/serial@1000");
	string(t, "ethernet0", "/soc/ethernet@2000");
	string(t, "ethernet1", "/soc/ethernet@3000");
	string(t, "ethernet2", "/soc/gone");
	end_node(t);
	node(t, "memory@0");
	string(t, "device_type", "memory");
	property(t, "reg", zero, 8 + 4 * size_cells);
	end_node(t);
	node(t, "memory@40000000");	/* says not what it is, and has the name of one that does */
	property(t, "reg", zero, 8 + 4 * size_cells);
	end_node(t);
	reserved_memory(t, 2, size_cells);
	node(t, "framebuffer@50000000");
	property(t, "reg", "\0\0\0\0\x50\0\0\0\0\0\x10\0\0\0\0\0", 8 + 4 * size_cells);
	end_node(t);
	end_node(t);
	node(t, "soc");
	node(t, "serial@1000");
	end_node(t);
	node(t, "ethernet@2000");
	property(t, "local-mac-address", zero, 6);
	end_node(t);
	node(t, "ethernet@3000");
	property(t, "local-mac-address", "\2\0\0\0\0\7", 6);
	end_node(t);
	end_node(t);
	close_tree(t);
}

enum running { WITH_EFI = 1, WITHOUT_MEMORY = 2, ABOVE_4_GIB = 4 };

static void run(struct tree *t, unsigned int how)
{
	t->err = fdt_create(t->fdt, DT_MAKE_ROOM);
	t->err |= fdt_add_reservemap_entry(t->fdt, 0x40000000, 0x10000);	/* a spin table, say */
	t->err |= fdt_add_reservemap_entry(t->fdt, 0x66000000, 0x10000);	/* ours */
	t->err |= fdt_finish_reservemap(t->fdt);
	t->err |= fdt_begin_node(t->fdt, "");
	t->err |= fdt_property_u32(t->fdt, "#address-cells", 2);
	t->err |= fdt_property_u32(t->fdt, "#size-cells", 2);
	string(t, "serial-number", "K123");
	node(t, "aliases");
	string(t, "serial0", "/soc/serial@1000");
	string(t, "ethernet0", "/soc/ethernet@2000");
	string(t, "ethernet1", "/soc/ethernet@3000");
	string(t, "ethernet2", "/soc/ethernet@2000");
	end_node(t);
	if (!(how & WITHOUT_MEMORY)) {
		node(t, "memory@e000000");	/* the secure world's */
		string(t, "device_type", "memory");
		property(t, "reg", "\0\0\0\0\x0e\0\0\0\0\0\0\0\1\0\0\0", 16);
		string(t, "status", "disabled");
		end_node(t);
		node(t, "memory");
		string(t, "device_type", "memory");
		property(t, "reg", "\0\0\0\0\x40\0\0\0\0\0\0\0\x80\0\0\0", 16);
		property(t, "numa-node-id", "\0\0\0\0", 4);
		end_node(t);
	}
	if (how & ABOVE_4_GIB) {
		node(t, "memory@100000000");
		string(t, "device_type", "memory");
		property(t, "reg", "\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0", 16);
		end_node(t);
	}
	reserved_memory(t, 2, 2);
	node(t, "optee@be000000");
	property(t, "reg", "\0\0\0\0\xbe\0\0\0\0\0\0\0\0\x20\0\0", 16);
	property(t, "no-map", "", 0);
	end_node(t);
	node(t, "framebuffer@50000000");
	property(t, "reg", "\0\0\0\0\x50\0\0\0\0\0\0\0\0\x10\0\0", 16);
	end_node(t);
	node(t, "cma");		/* without a place of its own */
	property(t, "size", "\0\0\0\0\x10\0\0\0", 8);
	end_node(t);
	end_node(t);
	node(t, "soc");
	node(t, "serial@1000");
	end_node(t);
	node(t, "ethernet@2000");
	property(t, "local-mac-address", "\2\1\1\1\1\1", 6);
	end_node(t);
	node(t, "ethernet@3000");
	property(t, "local-mac-address", "\2\1\1\1\1\2", 6);
	end_node(t);
	end_node(t);
	node(t, "chosen");
	string(t, "stdout-path", "serial0:115200n8");
	string(t, "bootargs", "quiet");
	property(t, DT_RESERVED_PROPERTY, "\0\0\0\0\x66\0\0\0\0\0\0\0\0\1\0\0", 16);
	if (how & WITH_EFI) {
		property(t, "linux,uefi-system-table", "\0\0\0\0\xbf\0\0\0", 8);
		property(t, "linux,uefi-mmap-start", "\0\0\0\0\xbe\0\0\0", 8);
	}
	end_node(t);
	close_tree(t);
}

static void test_completed(void **state)
{
	struct tree built, running;
	uint64_t address, size;

	(void)state;
	build(&built, 1);
	run(&running, 0);
	assert_int_equal(complete(&built, &running), KX_OK);
	assert_string_equal(text, "memory, 3 reserved regions, stdout-path, serial-number, 1 MAC address");
	assert_int_equal(fdt_path_offset(out, "/memory@0"), -FDT_ERR_NOTFOUND);
	assert_int_equal(fdt_path_offset(out, "/memory@e000000"), -FDT_ERR_NOTFOUND);
	assert_has("/memory@40000000", "reg", "\0\0\0\0\x40\0\0\0\x80\0\0\0", 12);
	assert_has("/memory@40000000", "device_type", "memory", 7);
	assert_has("/memory@40000000", "numa-node-id", "\0\0\0\0", 4);
	assert_int_equal(fdt_num_mem_rsv(out), 2);
	assert_int_equal(fdt_get_mem_rsv(out, 0, &address, &size), 0);
	assert_true(address == 0x40000000 && size == 0x10000);
	/* Both trees have it, with other lengths. */
	assert_int_equal(fdt_get_mem_rsv(out, 1, &address, &size), 0);
	assert_true(address == 0x50000000 && size == 0x100000);
	assert_has("/reserved-memory/optee@be000000", "reg", "\0\0\0\0\xbe\0\0\0\0\x20\0\0", 12);
	assert_has("/reserved-memory/optee@be000000", "no-map", "", 0);
	assert_has("/reserved-memory/framebuffer@50000000", "reg", "\0\0\0\0\x50\0\0\0\0\0\x10\0", 12);
	assert_int_equal(fdt_path_offset(out, "/reserved-memory/cma"), -FDT_ERR_NOTFOUND);
	assert_has("/chosen", "stdout-path", "serial0:115200n8", 17);
	assert_has_not("/chosen", "bootargs");
	assert_has("/", "serial-number", "K123", 5);
	assert_has("/soc/ethernet@2000", "local-mac-address", "\2\1\1\1\1\1", 6);
	assert_has("/soc/ethernet@3000", "local-mac-address", "\2\0\0\0\0\7", 6);
}

/* Again: nothing is missing, and nothing changes. */
static void test_whole(void **state)
{
	struct tree built, running;

	(void)state;
	build(&built, 2);
	run(&running, 0);
	assert_int_equal(complete(&built, &running), KX_OK);
	memcpy(built.fdt, out, fdt_totalsize(out));
	assert_int_equal(complete(&built, &running), KX_OK);
	assert_string_equal(text, "");
	assert_int_equal(fdt_totalsize(out), fdt_totalsize(built.fdt));
	assert_memory_equal(out, built.fdt, fdt_totalsize(out));
	/* Its own tree: not even that is touched. */
	assert_int_equal(complete(&running, &running), KX_OK);
	assert_string_equal(text, "");
	/* One that names memory needs none. */
	assert_int_equal(complete(&running, NULL), KX_OK);
}

static void test_efi(void **state)
{
	struct tree built, running;

	(void)state;
	build(&built, 2);
	run(&running, WITH_EFI | WITHOUT_MEMORY);
	assert_int_equal(complete(&built, &running), KX_OK);
	assert_true(done.efi && !done.memory);
	assert_has("/chosen", "linux,uefi-system-table", "\0\0\0\0\xbf\0\0\0", 8);
	assert_has("/chosen", "linux,uefi-mmap-start", "\0\0\0\0\xbe\0\0\0", 8);
	assert_has("/reserved-memory/optee@be000000", "no-map", "", 0);
}

static void test_not_possible(void **state)
{
	struct tree built, running;

	(void)state;
	build(&built, 2);
	run(&running, WITHOUT_MEMORY);
	assert_int_equal(complete(&built, &running), KX_DTB_NO_MEMORY);
	assert_int_equal(complete(&built, NULL), KX_DTB_NO_MEMORY);
	/* 4 GiB in one cell. */
	build(&built, 1);
	run(&running, ABOVE_4_GIB);
	assert_int_equal(complete(&built, &running), KX_DTB_BAD);
	/* No room, at any length. */
	build(&built, 2);
	assert_int_equal(complete(&built, &running), KX_OK);
	assert_has("/memory@100000000", "reg", "\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0", 16);
	{
		size_t room, whole = fdt_totalsize(out);

		for (room = 0; room < whole; room++) {
			unsigned char *small = aligned_alloc(8, (room + 8) / 8 * 8);

			assert_int_not_equal(dt_complete(built.fdt, running.fdt, false, small, room, &done), KX_OK);
			free(small);
		}
	}
}

/* Where it is not known which of what we have reserved still counts, all of it stays; the load after that can take it out. */
static void test_own_reserves(void **state)
{
	struct tree built, running;

	(void)state;
	build(&built, 2);
	run(&running, 0);
	keep_own = true;
	assert_int_equal(complete(&built, &running), KX_OK);
	keep_own = false;
	assert_int_equal(fdt_num_mem_rsv(out), 3);
	assert_has("/chosen", DT_RESERVED_PROPERTY, "\0\0\0\0\x66\0\0\0\0\0\0\0\0\1\0\0", 16);
	assert_int_equal(complete(&built, &running), KX_OK);
	assert_int_equal(fdt_num_mem_rsv(out), 2);
	assert_has_not("/chosen", DT_RESERVED_PROPERTY);
}

/* An alias for itself, and for nothing; firmware has moved a region. */
static void test_odd(void **state)
{
	struct tree built, running;

	(void)state;
	run(&running, 0);
	open_tree(&built, 2, 2);
	node(&built, "aliases");
	string(&built, "serial0", "serial0");
	string(&built, "ethernet0", "ethernet1");
	string(&built, "ethernet1", "ethernet0");
	property(&built, "ethernet2", "", 0);
	end_node(&built);
	reserved_memory(&built, 2, 2);
	node(&built, "optee@be000000");
	property(&built, "reg", "\0\0\0\0\xbe\0\0\0\0\0\0\0\0\x10\0\0", 16);
	end_node(&built);
	end_node(&built);
	close_tree(&built);
	assert_int_equal(complete(&built, &running), KX_OK);
	assert_string_equal(text, "memory, 3 reserved regions, serial-number");
	assert_has("/reserved-memory/optee@be000000", "reg", "\0\0\0\0\xbe\0\0\0\0\0\0\0\0\x10\0\0", 16);
	assert_int_equal(fdt_num_mem_rsv(out), 2);
	/* The other way round. */
	build(&running, 2);
	assert_int_equal(complete(&built, &running), KX_DTB_NO_MEMORY);
}

/* A tree without the nodes that something is for. */
static void test_nothing_to_put_it_into(void **state)
{
	struct tree built, running;

	(void)state;
	open_tree(&built, 2, 2);
	close_tree(&built);
	run(&running, 0);
	assert_int_equal(complete(&built, &running), KX_OK);
	assert_string_equal(text, "memory, 3 reserved regions, serial-number");
	assert_has("/reserved-memory/framebuffer@50000000", "reg", "\0\0\0\0\x50\0\0\0\0\0\0\0\0\x10\0\0", 16);
	assert_has("/reserved-memory", "#size-cells", "\0\0\0\2", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_completed), cmocka_unit_test(test_whole), cmocka_unit_test(test_efi), cmocka_unit_test(test_not_possible),
		cmocka_unit_test(test_nothing_to_put_it_into), cmocka_unit_test(test_own_reserves), cmocka_unit_test(test_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
