/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which memory the next kernel knows when it boots. Memory that was added while this one ran is System RAM like any other in
 * /proc/iomem, but the next kernel only learns of it when its drivers run: booted from there, it dies when it sets up its page
 * tables. By the same rule huge pages from there are sources at most.
 */
#include "machine.h"

#include "dt.h"
#include "kcore.h"
#include "known.h"

#include <stdlib.h>

unsigned char *kcore_open(struct sys *sys, int *fd, size_t *bytes)
{
	unsigned char *head = malloc(KCORE_LOOK_BYTES);
	uint64_t ignored;
	ssize_t n = 1;

	*bytes = 0;
	*fd = head ? sys->open_file(sys, "/proc/kcore", UINT64_MAX, &ignored) : -1;
	/* Looked at by position: the file is as large as the address space. */
	while (*fd >= 0 && n > 0 && *bytes < KCORE_LOOK_BYTES) {
		n = sys->read(sys, *fd, *bytes, head + *bytes, KCORE_LOOK_BYTES - *bytes);
		*bytes += n > 0 ? (size_t)n : 0;
	}
	return head;
}

/* The bytes of physical memory, which the caller frees; null if the kernel does not show them. */
static unsigned char *read_memory(struct sys *sys, struct range memory)
{
	unsigned char *head, *out = malloc(memory.bytes);
	uint64_t at;
	size_t bytes, got = 0;
	ssize_t n = 1;
	int fd;

	head = kcore_open(sys, &fd, &bytes);
	if (out && bytes && kcore_find(head, bytes, memory, &at))
		while (n > 0 && got < memory.bytes) {
			n = sys->read(sys, fd, at + got, out + got, memory.bytes - got);
			got += n > 0 ? (size_t)n : 0;
		}
	if (fd >= 0)
		sys->close(sys, fd);
	free(head);
	if (got == memory.bytes)
		return out;
	free(out);
	return NULL;
}

/* The map that EFI gave at boot, which each kernel passes on to the next where it lies. KX_IOMEM_BAD: it cannot be read. */
static enum kx_err ask_efi(struct range_set *known, struct sys *sys, struct range map, uint64_t desc_bytes)
{
	unsigned char *bytes;
	enum kx_err err;

	if (!map.bytes || map.bytes > EFI_MAP_BYTES_MAX || map.start >= PA_END)
		return KX_IOMEM_BAD;
	bytes = read_memory(sys, map);
	if (!bytes)
		return KX_IOMEM_BAD;
	err = known_from_efi(known, bytes, map.bytes, desc_bytes);
	free(bytes);
	return err;
}

static enum kx_err ask_log(struct range_set *known, struct sys *sys)
{
	enum kx_err err;
	size_t bytes;
	char *log;

	if (sys->kernel_log(sys, &log, &bytes) < 0)
		return KX_OK;
	err = known_from_log(known, log, bytes);
	free(log);
	return err;
}

/* The System RAM that the running kernel lies in was there when it booted; of the rest nothing is known. */
static bool only_the_kernels(struct range_set *known, const struct memmap *map)
{
	size_t i;

	for (i = 0; i < map->ram.count; i++)
		if (map->kernel.bytes && range_set_contains(&map->ram, map->kernel) && range_overlaps(map->ram.v[i], map->kernel))
			return range_set_add(known, map->ram.v[i]);
	return true;
}

static enum kx_err find_known(struct range_set *known, struct machine *machine, struct sys *sys)
{
	struct range map;
	uint64_t desc_bytes;
	enum kx_err err;

	if (!dt_efi_map(machine->dtb, &map, &desc_bytes))
		return dt_memory(machine->dtb, known);
	err = ask_efi(known, sys, map, desc_bytes);
	if (err != KX_IOMEM_BAD)
		return err;
	range_set_free(known);
	err = ask_log(known, sys);
	if (err || known->count)
		return err;
	machine->memory_guess = "neither /proc/kcore nor the kernel log tells which memory was there at boot, so only the memory around "
				"the running kernel is used";
	if (!only_the_kernels(known, &machine->memmap))
		return KX_NO_MEMORY;
	if (!known->count)
		machine->memory_guess = "nothing tells which memory was there at boot: should some have been added since, the next "
					"kernel may be booted from where it knows no memory";
	return KX_OK;
}

enum kx_err drop_unknown_memory(struct machine *machine, struct sys *sys, struct fail *fail)
{
	struct range_set known = { 0 };
	enum kx_err err = find_known(&known, machine, sys);

	if (!err && known.count &&
	    (!range_set_intersect(&machine->memmap.ram, &known) || !range_set_intersect(&machine->memmap.spare, &known)))
		err = KX_NO_MEMORY;
	range_set_free(&known);
	return err ? fail_set(fail, err, "memory map") : KX_OK;
}
