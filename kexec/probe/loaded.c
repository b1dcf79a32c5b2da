/* SPDX-License-Identifier: GPL-2.0-only */
/* What is loaded, and what this kernel was booted with. */
#include "probe.h"

#include "bytes.h"
#include "iomem.h"
#include "kcore.h"
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool initrd_is_retained(struct sys *sys)
{
	char *text;
	size_t bytes;
	bool found;

	if (sys->read_file(sys, "/proc/cmdline", 65536, &text, &bytes) < 0)
		return false;
	found = strstr(text, "retain_initrd") != NULL;
	free(text);
	return found;
}

uint64_t crash_kernel_bytes(struct sys *sys)
{
	struct memmap map = { 0 };
	uint64_t bytes = 0;
	char *text;
	size_t text_bytes;

	if (sys->read_file(sys, "/proc/iomem", MIB(16), &text, &text_bytes) < 0)
		return 0;
	if (memmap_parse(&map, text, text_bytes) == KX_OK && map.crash_count)
		bytes = map.crash[map.crash_count - 1].bytes;
	memmap_free(&map);
	free(text);
	return bytes;
}

int kernel_is_loaded(struct sys *sys, bool crash)
{
	uint64_t loaded;

	if (!sys_read_u64(sys, crash ? "/sys/kernel/kexec_crash_loaded" : "/sys/kernel/kexec_loaded", 10, &loaded))
		return -1;
	return loaded != 0;
}

#define KALLSYMS_MAX	MIB(64)

/* "ffffb1c0b2a0d6d8 B kexec_image"; addresses are 0 for those who may not know them. */
static uint64_t symbol_va(struct sys *sys, const char *line_end)
{
	unsigned long long va = 0;
	char *text, *at;
	size_t bytes;

	if (sys->read_file(sys, "/proc/kallsyms", KALLSYMS_MAX, &text, &bytes) < 0)
		return 0;
	at = strstr(text, line_end);
	while (at && at > text && at[-1] != '\n')
		at--;
	if (at && sscanf(at, "%llx", &va) != 1)
		va = 0;
	free(text);
	return va;
}

/* What there is not is a weak symbol for sys_ni_syscall() (arch/arm64/include/asm/syscall_wrapper.h); a list with neither is none. */
int kernel_has_call(struct sys *sys, const char *name)
{
	char symbol[64], *text, *at;
	size_t bytes;
	int has;

	if (sys->read_file(sys, "/proc/kallsyms", KALLSYMS_MAX, &text, &bytes) < 0)
		return -1;
	/* One character before it is the kind. */
	snprintf(symbol, sizeof(symbol), " __arm64_sys_%s\n", name);
	at = strstr(text, symbol);
	has = !at || at == text ? -1 : at[-1] == 'T';
	free(text);
	return has;
}

static bool read_kernel(struct sys *sys, int fd, const unsigned char *head, size_t head_bytes, uint64_t va, uint64_t *value)
{
	unsigned char raw[8];
	uint64_t at;

	if (!va || !kcore_find_va(head, head_bytes, va, sizeof(raw), &at) || sys->read(sys, fd, at, raw, sizeof(raw)) != sizeof(raw))
		return false;
	*value = load_le(raw, sizeof(raw));
	return true;
}

/* struct kimage, include/linux/kexec.h: head, entry and last_entry stand before it, since 2.6.13. */
#define KIMAGE_START	24

/* symbol: of a pointer to a struct kimage, as /proc/kallsyms has it. */
static pa_t entry_pa_of(struct sys *sys, const char *symbol)
{
	uint64_t image_va = 0, start = 0, va = symbol_va(sys, symbol);
	unsigned char *head;
	size_t bytes;
	int fd;

	if (!va)
		return 0;
	head = kcore_open(sys, &fd, &bytes);
	if (bytes && read_kernel(sys, fd, head, bytes, va, &image_va) && image_va)
		read_kernel(sys, fd, head, bytes, image_va + KIMAGE_START, &start);
	if (fd >= 0)
		sys->close(sys, fd);
	free(head);
	return start < PA_END ? start : 0;
}

pa_t loaded_entry_pa(struct sys *sys)
{
	return entry_pa_of(sys, " kexec_image\n");
}

pa_t loaded_crash_entry_pa(struct sys *sys)
{
	return entry_pa_of(sys, " kexec_crash_image\n");
}
