/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's side of kexec_load(2) and kexec_file_load(2): what it refuses, and what it holds then. */
#include "bytes.h"
#include "fake_parts.h"
#include "file_stub_abi.h"
#include "iomem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Any sum will do to tell contents apart. */
uint64_t fake_hash(const void *data, size_t bytes)
{
	const unsigned char *from = data;
	uint64_t sum = 1469598103934665603ull;
	size_t i;

	for (i = 0; i < bytes; i++)
		sum = (sum ^ from[i]) * 1099511628211ull;
	return sum;
}

/* What kexec_file_load(2) reads of a descriptor: none for -1. */
static void note_file(struct fake *f, int fd, struct fake_file *file, uint64_t *hash)
{
	*file = fd >= 0 && fake_is_open(f, fd, "kexec_file_load") ? *f->fd[fd].file : (struct fake_file){ 0 };
	*hash = file->bytes ? fake_hash(file->data, file->bytes) : 0;
}

static void drop(struct fake_load *load)
{
	size_t i;

	for (i = 0; i < load->count; i++)
		free((void *)(uintptr_t)load->segment[i].buf);
	*load = (struct fake_load){ 0 };
}

static void drop_loaded(struct fake *f)
{
	drop(&f->load);
	f->loaded = false;
}

void fake_kexec_free(struct fake *f)
{
	drop_loaded(f);
	drop(&f->crash);
}

const struct fake_load *fake_image(const struct fake *f)
{
	return f->loaded ? &f->load : &f->crash;
}

/* struct kimage and the pointers to it, where /proc/kallsyms says that they are. */
static void show_images(struct fake *f)
{
	unsigned char core[0x3000] = { 0x7f, 'E', 'L', 'F', 2, 1 }, *phdr = core + 64;

	if (!f->show_images)
		return;
	store_le(core + 32, 64, 8);
	store_le(core + 56, 1, 2);
	store_le(phdr, 1, 4);
	store_le(phdr + 8, 0x1000, 8);
	store_le(phdr + 16, 0xffff800081000000, 8);
	store_le(phdr + 24, 0x42000000, 8);
	store_le(phdr + 32, 0x2000, 8);
	store_le(core + 0x1040, f->load.count ? 0xffff800081001100 : 0, 8);
	store_le(core + 0x2100 + 24, f->load.entry, 8);
	store_le(core + 0x1048, f->crash.count ? 0xffff800081001200 : 0, 8);
	store_le(core + 0x2200 + 24, f->crash.entry, 8);
	fake_file(f, "/proc/kcore", core, sizeof(core));
	fake_text(f, "/proc/kallsyms", "ffff800081000040 B kexec_image\nffff800081000048 B kexec_crash_image\n");
}

/* kernel/kexec_core.c, sanity_check_segment_list(): what every caller must keep. */
static int sane(struct fake *f, const struct sys_segment *s, size_t count)
{
	size_t i, j;

	for (i = 0; i < count; i++) {
		if (s[i].pa + s[i].memory_bytes < s[i].pa)
			return -EADDRNOTAVAIL;
		if (s[i].pa % f->sys.page_bytes || s[i].memory_bytes % f->sys.page_bytes || !s[i].memory_bytes)
			return -EADDRNOTAVAIL;
		if (s[i].bytes > s[i].memory_bytes)
			return -EINVAL;
		for (j = 0; j < i; j++)
			if (range_overlaps((struct range){ s[i].pa, s[i].memory_bytes },
					   (struct range){ s[j].pa, s[j].memory_bytes }))
				return -EINVAL;
	}
	return 0;
}

/* The same: what is for a crash kernel lies in its memory, of which the largest counts, named last. */
static int in_crash_memory(struct fake *f, const struct sys_segment *s, size_t count)
{
	struct memmap map;
	char *text;
	size_t bytes, i;
	int err = f->sys.read_file(&f->sys, "/proc/iomem", MIB(16), &text, &bytes);

	if (err)
		return err;
	err = memmap_parse(&map, text, bytes) || !map.crash_count ? -EADDRNOTAVAIL : 0;
	for (i = 0; !err && i < count; i++) {
		struct range r = map.crash[map.crash_count - 1];

		if (s[i].pa < r.start || s[i].pa + s[i].memory_bytes > range_end(r))
			err = -EADDRNOTAVAIL;
	}
	memmap_free(&map);
	free(text);
	return err;
}

/* What a crash kernel's image has is taken out of the kernel's own map, so at the jump it cannot write there. */
static void check_mapped(struct fake *f, const struct sys_segment *s, size_t count)
{
	size_t i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < f->crash.count; j++)
			if (range_overlaps((struct range){ s[i].pa, s[i].memory_bytes },
					   (struct range){ f->crash.segment[j].pa, f->crash.segment[j].memory_bytes }))
				fake_breach(f, "a segment where the kernel cannot write at the jump");
}

static int kexec_load(struct sys *sys, pa_t entry, const struct sys_segment *segments, size_t count,
		      unsigned long flags)
{
	struct fake *f = fake_of(sys);
	void (*meanwhile)(struct fake *fake, void *arg) = f->meanwhile;
	bool on_crash = flags & SYS_KEXEC_ON_CRASH;
	struct fake_load *to = on_crash ? &f->crash : &f->load;
	size_t i;
	int err;

	if (count)
		f->kexec_loads++;
	else
		f->unloads++;
	if (fake_fails(f, "kexec_load"))
		return -f->fail_errno;
	if (f->kexec_error)
		return f->kexec_error;
	err = count > FAKE_SEGMENTS ? -EINVAL : sane(f, segments, count);
	if (!err && count && on_crash)
		err = in_crash_memory(f, segments, count);
	if (!err && !on_crash)
		check_mapped(f, segments, count);
	if (err) {
		fake_breach(f, "segments that the kernel refuses");
		return err;
	}
	/* A crash kernel's memory is that of the one before, which is dropped first; of others, only once the new one is whole. */
	if (count && f->kexec_loads == f->kexec_fails_at) {
		if (on_crash)
			drop(&f->crash);
		show_images(f);
		return -ENOMEM;
	}
	if (on_crash)
		drop(&f->crash);
	else
		drop_loaded(f);
	if (!count) {
		show_images(f);
		return 0;
	}
	to->entry = entry;
	to->flags = flags;
	to->count = count;
	for (i = 0; i < count; i++) {
		void *copy = malloc(segments[i].bytes ? segments[i].bytes : 1);

		memcpy(copy, segments[i].buf, segments[i].bytes);
		to->segment[i] = segments[i];
		to->segment[i].buf = copy;
	}
	f->loaded |= !on_crash;
	show_images(f);
	f->meanwhile = NULL;
	if (meanwhile)
		meanwhile(f, f->meanwhile_arg);
	return 0;
}

/* What the kernel puts its Image and its device tree over at the jump: whoever has memory there loses it. */
static void overwrite(struct fake *f, pa_t pa)
{
	unsigned char *memory = fake_page_memory(f, pa, NULL);

	if (memory)
		memset(memory, 0xdd, SYS_HUGE_PAGE_BYTES);
}

/* The Image of ours: its stub copies the control segment, and enters purgatory. */
static int load_stub(struct fake *f, const struct fake_file *file)
{
	const unsigned char *image = file->data;
	uint64_t bytes = load_le(image + STUB_BYTES, 8), text_offset = load_le(image + STUB_TEXT_OFFSET, 8);
	struct sys_segment segment = { .pa = load_le(image + STUB_DST_PA, 8), .bytes = bytes, .memory_bytes = align_up(bytes, f->sys.page_bytes) };
	unsigned char *copy;

	if (load_le(image + 24, 8) & 7 || text_offset % KIB(64) || text_offset >= MIB(2) || load_le(image + STUB_IMAGE_SIZE, 8) < file->bytes ||
	    STUB_CONTROL_OFFSET + bytes > file->bytes) {
		fake_breach(f, "an Image that the kernel refuses");
		return -EINVAL;
	}
	drop_loaded(f);
	copy = malloc(bytes);
	memcpy(copy, image + STUB_CONTROL_OFFSET, bytes);
	segment.buf = copy;
	f->load = (struct fake_load){ .entry = load_le(image + STUB_ENTRY_PA, 8), .count = 1, .segment = { segment } };
	f->loaded = true;
	/* By /proc/iomem above. */
	overwrite(f, 0x40000000);
	overwrite(f, 0xbfe00000);
	return 0;
}

/* As most kernels: there is no such call, unless a test says otherwise. */
static int kexec_file_load(struct sys *sys, int kernel_fd, int initrd_fd, const char *cmdline, unsigned long flags)
{
	struct fake *f = fake_of(sys);

	if (!f->file_load_error)
		f->file_load_error = -ENOSYS;
	f->file_loads++;
	f->file_load_flags = flags;
	snprintf(f->file_load_cmdline, sizeof(f->file_load_cmdline), "%s", cmdline ? cmdline : "");
	note_file(f, kernel_fd, &f->file_load_kernel, &f->file_load_hash[0]);
	note_file(f, initrd_fd, &f->file_load_initrd, &f->file_load_hash[1]);
	if (f->file_load_error == FAKE_FILE_LOAD_WORKS && kernel_fd >= 0 && f->file_load_kernel.bytes > STUB_CONTROL_OFFSET &&
	    load_le(f->file_load_kernel.data, 4) == 0x14000020 && f->file_load_kernel.data[0xff] == 0x66)	/* fake_blob.c */
		return f->file_load_signed ? -EKEYREJECTED : load_stub(f, &f->file_load_kernel);
	if (f->file_load_error == FAKE_FILE_LOAD_WORKS) {
		drop_loaded(f);
		return 0;
	}
	return f->file_load_error;
}

/* Whatever calls are made to fail. */
static bool loads_are_limited(const struct fake *f)
{
	size_t i;

	for (i = 0; i < f->files; i++)
		if (strcmp(f->file[i].path, "/proc/sys/kernel/kexec_load_limit_reboot") == 0)
			return strtoll((const char *)f->file[i].data, NULL, 0) >= 0;
	return false;
}

static int kexec_probe(struct sys *sys, bool by_file)
{
	struct fake *f = fake_of(sys);

	f->probes++;
	if (loads_are_limited(f))
		fake_breach(f, "asks where that counts as a load");
	if (fake_fails(f, "kexec_probe"))
		return -f->fail_errno;
	if (by_file)
		return f->file_load_error == FAKE_FILE_LOAD_WORKS ? 0 : f->file_load_error ? f->file_load_error : -ENOSYS;
	return f->kexec_error;
}

static int reboot_kexec(struct sys *sys)
{
	fake_of(sys)->reboots++;
	return -EINVAL;
}

void fake_kexec(struct fake *f)
{
	f->sys.kexec_load = kexec_load;
	f->sys.kexec_file_load = kexec_file_load;
	f->sys.kexec_probe = kexec_probe;
	f->sys.reboot_kexec = reboot_kexec;
}
