/* SPDX-License-Identifier: GPL-2.0-only */
/* What a crash kernel is given besides: the ELF header that describes the dying kernel's memory. */
#include "stages.h"

#include "elfcore.h"
#include "kcore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPU_DIR		"/sys/devices/system/cpu"
#define CPUS_MAX	8192
#define NOTES_ROOM	(CPUS_MAX + 1)

struct gather {
	struct sys *sys;
	struct range *notes;
	size_t count;
	uint32_t numbers[CPUS_MAX];
	size_t numbers_count;
};

/* "cpu17" */
static int add_number(void *arg, const char *name, bool is_dir)
{
	struct gather *g = arg;

	(void)is_dir;
	if (strncmp(name, "cpu", 3) == 0 && name[3] >= '0' && name[3] <= '9' && strlen(name) < 12 && g->numbers_count < CPUS_MAX)
		g->numbers[g->numbers_count++] = (uint32_t)strtoul(name + 3, NULL, 10);
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The memory that each CPU's registers are written to at the crash, in the order of their numbers: readers count on it. */
static void add_cpus(struct gather *g)
{
	uint64_t pa, bytes;
	char path[80];
	size_t i;

	g->sys->list_dir(g->sys, CPU_DIR, add_number, g);
	qsort(g->numbers, g->numbers_count, sizeof(*g->numbers), by_number);
	for (i = 0; i < g->numbers_count; i++) {
		snprintf(path, sizeof(path), CPU_DIR "/cpu%u/crash_notes", g->numbers[i]);
		if (!sys_read_u64(g->sys, path, 16, &pa))
			continue;
		snprintf(path, sizeof(path), CPU_DIR "/cpu%u/crash_notes_size", g->numbers[i]);
		if (sys_read_u64(g->sys, path, 10, &bytes) && bytes)
			g->notes[g->count++] = (struct range){ pa, bytes };
	}
}

/* "482e000 1024", both in hexadecimal */
static bool add_vmcoreinfo(struct gather *g)
{
	unsigned long long pa, size;
	char *text;
	size_t bytes;
	bool ok;

	if (g->sys->read_file(g->sys, "/sys/kernel/vmcoreinfo", 64, &text, &bytes) < 0)
		return false;
	ok = sscanf(text, "%llx %llx", &pa, &size) == 2 && size;
	if (ok)
		g->notes[g->count++] = (struct range){ pa, size };
	free(text);
	return ok;
}

static void read_kcore(struct kcore *kcore, struct sys *sys, const struct machine *machine)
{
	size_t bytes;
	int fd;
	unsigned char *head = kcore_open(sys, &fd, &bytes);

	*kcore = (struct kcore){ 0 };
	if (bytes)
		kcore_parse(kcore, head, bytes, &machine->dump);
	if (fd >= 0)
		sys->close(sys, fd);
	free(head);
}

/* All memory, the kernel's own image once more first, with its own addresses: a debugger that follows a symbol finds it. */
static size_t describe_memory(struct core_load *loads, struct sys *sys, const struct machine *machine, struct report *report)
{
	const struct range_set *dump = &machine->dump;
	struct range image = machine->memmap.kernel;
	struct kcore kcore;
	size_t count = 0, i;

	read_kcore(&kcore, sys, machine);
	if (kcore.kimage_known && image.bytes)
		loads[count++] = (struct core_load){ image, image.start + kcore.kimage_voffset };
	for (i = 0; i < dump->count; i++)
		loads[count++] = (struct core_load){
			dump->v[i], kcore.linear_known ? dump->v[i].start + kcore.linear_offset : 0,
		};
	if (!kcore.linear_known || !kcore.kimage_known)
		report_note(report, "/proc/kcore does not tell how memory is mapped: the dump has physical addresses only");
	return count;
}

enum kx_err elfcore_make(struct tree *tree, struct sys *sys, const struct machine *machine, struct report *report, struct fail *fail)
{
	struct range *notes = calloc(NOTES_ROOM, sizeof(*notes));
	struct core_load *loads = calloc(machine->dump.count + 1, sizeof(*loads));
	struct gather *g = calloc(1, sizeof(*g));
	struct elfcore core = { .notes = notes, .loads = loads };
	enum kx_err err = KX_OK;

	if (!notes || !loads || !g) {
		err = fail_set(fail, KX_NO_MEMORY, "elfcorehdr");
	} else {
		g->sys = sys;
		g->notes = notes;
		add_cpus(g);
		if (!g->count || !add_vmcoreinfo(g))
			err = fail_with(fail, KX_NO_CRASH_NOTES);
	}
	if (!err) {
		core.note_count = g->count;
		core.load_count = describe_memory(loads, sys, machine, report);
		if (core.note_count + core.load_count > ELFCORE_HEADERS_MAX)
			err = fail_set(fail, KX_INTERNAL, "more than 65535 program headers");
	}
	if (!err) {
		tree->elfcore_bytes = (size_t)align_up(elfcore_bytes(&core), PURG_UNIT_BYTES);
		tree->elfcore = calloc(1, tree->elfcore_bytes);
		if (tree->elfcore)
			elfcore_build(&core, tree->elfcore);
		else
			err = fail_set(fail, KX_NO_MEMORY, "elfcorehdr");
	}
	free(notes);
	free(loads);
	free(g);
	return err;
}
