/* SPDX-License-Identifier: GPL-2.0-only */
#include "sys_fake.h"

#include <errno.h>
#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define POOL		"/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define OVERCOMMIT	POOL "nr_overcommit_hugepages"
#define OVERCOMMIT_AT_FIRST	3

static struct fake *fake_of(struct sys *sys)
{
	return sys->ctx;
}

__attribute__((format(printf, 2, 3)))
static void breach(struct fake *f, const char *format, ...)
{
	va_list args;

	if (f->breach[0])
		return;
	va_start(args, format);
	vsnprintf(f->breach, sizeof(f->breach), format, args);
	va_end(args);
}

/* Every fallible call asks here first. */
static bool fails(struct fake *f, const char *name)
{
	if ((f->fail_name && strcmp(f->fail_name, name) != 0) || ++f->fail_calls != f->fail_call)
		return false;
	f->failed = name;
	return true;
}

static bool is_root(struct sys *sys)
{
	return fake_of(sys)->root;
}

static bool is_arm64(struct sys *sys)
{
	return fake_of(sys)->arm64;
}

static uint64_t now(struct sys *sys)
{
	(void)sys;
	return 1700000000;
}

static uint64_t now_ms(struct sys *sys)
{
	return fake_of(sys)->clock_ms += 7;
}

static int get_random(struct sys *sys, void *out, size_t bytes)
{
	struct fake *f = fake_of(sys);
	size_t i;

	if (fails(f, "random"))
		return -f->fail_errno;
	if (!f->random_works)
		return -EAGAIN;
	for (i = 0; i < bytes; i++)
		((unsigned char *)out)[i] = (unsigned char)(0x11 + 7 * i);
	return 0;
}

static struct fake_file *find(struct fake *f, const char *path)
{
	size_t i;

	for (i = 0; i < f->files; i++)
		if (strcmp(f->file[i].path, path) == 0)
			return &f->file[i];
	return NULL;
}

/* Files whose text follows the machine's state. */
static bool made_up(struct fake *f, const char *path, char text[32])
{
	if (strcmp(path, OVERCOMMIT) == 0)
		snprintf(text, 32, "%llu\n", (unsigned long long)f->overcommit);
	else if (strcmp(path, POOL "surplus_hugepages") == 0)
		snprintf(text, 32, "%u\n", fake_frames_taken(f));
	else if (strcmp(path, "/sys/kernel/kexec_loaded") == 0 && !f->loaded_hidden)
		snprintf(text, 32, "%d\n", f->loaded);
	else
		return false;
	return true;
}

static int read_file(struct sys *sys, const char *path, size_t max, char **text, size_t *bytes)
{
	struct fake *f = fake_of(sys);
	const struct fake_file *file = find(f, path);
	char number[32];
	const void *from;

	if (fails(f, "read_file"))
		return -f->fail_errno;
	if (made_up(f, path, number)) {
		from = number;
		*bytes = strlen(number);
	} else if (file && !file->link) {
		from = file->data;
		*bytes = file->bytes;
	} else {
		return -ENOENT;
	}
	if (*bytes > max)
		return -EFBIG;
	*text = malloc(*bytes + 1);
	memcpy(*text, from, *bytes);
	(*text)[*bytes] = '\0';
	return 0;
}

static int write_file(struct sys *sys, const char *path, const char *text)
{
	struct fake *f = fake_of(sys);

	f->writes++;
	if (strcmp(path, OVERCOMMIT) != 0)
		breach(f, "writes to %s", path);
	if (fails(f, "write_file")) {
		f->overcommit_stuck = true;
		return -f->fail_errno;
	}
	f->overcommit = strtoull(text, NULL, 10);
	return 0;
}

static int read_link(struct sys *sys, const char *path, char *out, size_t room)
{
	struct fake *f = fake_of(sys);
	const struct fake_file *file = find(f, path);

	if (fails(f, "read_link"))
		return -f->fail_errno;
	if (!file || !file->link)
		return -ENOENT;
	snprintf(out, room, "%s", (const char *)file->data);
	return 0;
}

/* Directories are what the paths of files have in common. */
static int list_dir(struct sys *sys, const char *path, int (*each)(void *arg, const char *name, bool is_dir), void *arg)
{
	struct fake *f = fake_of(sys);
	size_t bytes = strlen(path), i, j, n;
	bool any = false;
	int err = 0;

	if (fails(f, "list_dir"))
		return -f->fail_errno;
	for (i = 0; i < f->files && !err; i++) {
		const char *name = f->file[i].path + bytes + 1;
		char first[96];

		if (strncmp(f->file[i].path, path, bytes) != 0 || f->file[i].path[bytes] != '/')
			continue;
		any = true;
		n = strcspn(name, "/");
		for (j = 0; j < i; j++)	/* told already? */
			if (strncmp(f->file[j].path, f->file[i].path, bytes + 1 + n) == 0 &&
			    (f->file[j].path[bytes + 1 + n] == '/'))
				break;
		if (j < i)
			continue;
		snprintf(first, sizeof(first), "%.*s", (int)n, name);
		err = each(arg, first, name[n] == '/');
	}
	return any ? err : -ENOENT;
}

static int kernel_log(struct sys *sys, char **text, size_t *bytes)
{
	struct fake *f = fake_of(sys);

	if (fails(f, "kernel_log"))
		return -f->fail_errno;
	if (!f->log)
		return -EPERM;
	*text = strdup(f->log);
	*bytes = strlen(f->log);
	return 0;
}

static int lock(struct sys *sys)
{
	struct fake *f = fake_of(sys);

	if (fails(f, "lock"))
		return -f->fail_errno;
	if (f->locked)
		return -EWOULDBLOCK;
	f->locked = true;
	return 0;
}

static void unlock(struct sys *sys)
{
	struct fake *f = fake_of(sys);

	if (!f->locked)
		breach(f, "unlocks what is not locked");
	f->locked = false;
}

static void guard(struct sys *sys, const char *path, const char *text)
{
	struct fake *f = fake_of(sys);

	(void)path;
	if (f->guarded || strtoull(text, NULL, 10) != f->overcommit)
		breach(f, "guards the limit twice, or another value");
	f->guarded = true;
}

static void unguard(struct sys *sys)
{
	struct fake *f = fake_of(sys);

	if (!f->guarded)
		breach(f, "ends a guard that there is not");
	f->guarded = false;
}

static int run_shutdown(struct sys *sys)
{
	fake_of(sys)->shutdowns++;
	return -ENOENT;
}

static int open_file(struct sys *sys, const char *path, uint64_t most, uint64_t *bytes)
{
	struct fake *f = fake_of(sys);
	const struct fake_file *file = find(f, path);
	int fd;

	if (fails(f, "open_file"))
		return -f->fail_errno;
	if (!file)
		return -ENOENT;
	if (f->open_once && strncmp(path, "/boot/", 6) == 0) {
		if (file->opened)
			return -ENXIO;
		((struct fake_file *)(uintptr_t)file)->opened = true;
	}
	(void)most;	/* all files here are regular ones */
	for (fd = 0; fd < FAKE_FDS && f->fd[fd].open; fd++)
		;
	if (fd == FAKE_FDS)
		return -EMFILE;
	f->fd[fd].file = file;
	f->fd[fd].open = true;
	*bytes = file->bytes;
	return fd;
}

static bool is_open(struct fake *f, int fd, const char *what)
{
	if (fd >= 0 && fd < FAKE_FDS && f->fd[fd].open)
		return true;
	breach(f, "%s of descriptor %d, which is not open", what, fd);
	return false;
}

static ssize_t read_fd(struct sys *sys, int fd, uint64_t at, void *out, size_t bytes)
{
	struct fake *f = fake_of(sys);
	const struct fake_file *file;
	size_t i;

	if (!is_open(f, fd, "read"))
		return -EBADF;
	if (fails(f, "read"))
		return -f->fail_errno;
	file = f->fd[fd].file;
	if (at > file->cut)
		return 0;
	if (f->read_most && bytes > f->read_most)
		bytes = f->read_most;
	if (bytes > file->cut - at)
		bytes = file->cut - at;
	for (i = 0; i < bytes && at + i >= file->bytes; i++)
		((unsigned char *)out)[i] = 0;
	if (at < file->bytes) {
		if (bytes > file->bytes - at)
			bytes = file->bytes - at;
		memcpy(out, file->data + at, bytes);
	}
	return (ssize_t)bytes;
}

static int make_file(struct sys *sys)
{
	struct fake *f = fake_of(sys);
	struct fake_file *file;
	int fd;

	if (fails(f, "make_file"))
		return -f->fail_errno;
	for (fd = 0; fd < FAKE_FDS && f->fd[fd].open; fd++)
		;
	if (fd == FAKE_FDS)
		return -EMFILE;
	file = calloc(1, sizeof(*file));
	f->fd[fd].file = f->fd[fd].made = file;
	f->fd[fd].open = true;
	return fd;
}

static int write_fd(struct sys *sys, int fd, const void *data, size_t bytes)
{
	struct fake *f = fake_of(sys);
	struct fake_file *file;

	if (!is_open(f, fd, "write"))
		return -EBADF;
	if (fails(f, "write"))
		return -f->fail_errno;
	file = f->fd[fd].made;
	if (!file) {
		breach(f, "writes to a file that is somebody's");
		return -EBADF;
	}
	file->data = realloc(file->data, file->bytes + bytes + 1);
	memcpy(file->data + file->bytes, data, bytes);
	file->cut = file->bytes += bytes;
	return 0;
}

static void close_fd(struct sys *sys, int fd)
{
	struct fake *f = fake_of(sys);

	if (fd < 0)
		f->bad_closes++;
	else if (is_open(f, fd, "close")) {
		f->fd[fd].open = false;
		if (f->fd[fd].made)
			free(f->fd[fd].made->data);
		free(f->fd[fd].made);
		f->fd[fd].made = NULL;
	}
}

static struct fake_shm *shm_at(struct fake *f, const void *addr)
{
	const unsigned char *at = addr;
	unsigned int i;

	for (i = 0; i < FAKE_SHMS; i++)
		if (f->shm[i].alive && f->shm[i].attached && at >= f->shm[i].base &&
		    at < f->shm[i].base + (uint64_t)f->shm[i].slots * FRAME_BYTES)
			return &f->shm[i];
	breach(f, "an address outside every attached segment");
	return NULL;
}

/* A segment's number is its index and a constant, so that 0 and small numbers are none. */
#define ID_BASE	32768

static struct fake_shm *shm_by_id(struct fake *f, int id, const char *what)
{
	int i = id - ID_BASE;

	if (i >= 0 && i < FAKE_SHMS && f->shm[i].alive)
		return &f->shm[i];
	breach(f, "%s of segment %d, which does not exist", what, id);
	return NULL;
}

static int shm_create(struct sys *sys, uint64_t bytes, int *id, void **addr)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm;
	int i;

	f->shm_creates++;
	if (fails(f, "shm_create"))
		return -f->fail_errno;
	if (!bytes || bytes % FRAME_BYTES)
		return -EINVAL;
	for (i = 0; i < FAKE_SHMS && f->shm[i].alive; i++)
		;
	if (i == FAKE_SHMS)
		return -EEXIST;
	shm = &f->shm[i];
	*shm = (struct fake_shm){ .alive = true, .attached = true, .slots = (uint32_t)(bytes / FRAME_BYTES) };
	shm->base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	shm->slot = malloc(shm->slots * sizeof(*shm->slot));
	memset(shm->slot, 0xff, shm->slots * sizeof(*shm->slot));
	*id = ID_BASE + i;
	*addr = shm->base;
	return 0;
}

static void give_up(struct fake *f, struct fake_shm *shm)
{
	uint32_t i;

	for (i = 0; i < shm->slots; i++)
		if (shm->slot[i] != FAKE_NO_FRAME)
			f->frame[shm->slot[i]] = (struct fake_frame){ .pa = f->frame[shm->slot[i]].pa };
	munmap(shm->base, (uint64_t)shm->slots * FRAME_BYTES);
	free(shm->slot);
	*shm = (struct fake_shm){ 0 };
}

static void shm_detach(struct sys *sys, void *addr)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm = shm_at(f, addr);

	if (!shm)
		return;
	if (shm->base != addr)
		breach(f, "detached in the middle");
	shm->attached = false;
	if (shm->removed)
		give_up(f, shm);
}

static void shm_remove(struct sys *sys, int id)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm = shm_by_id(f, id, "remove");

	if (!shm)
		return;
	shm->removed = true;
	if (!shm->attached)
		give_up(f, shm);
}

static int shm_mark_loaded(struct sys *sys, int id)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm = shm_by_id(f, id, "mark");

	if (!shm)
		return -EINVAL;
	if (fails(f, "shm_mark_loaded"))
		return -f->fail_errno;
	shm->loaded = true;
	return 0;
}

static int shm_sweep(struct sys *sys, int keep, bool unloaded_only)
{
	struct fake *f = fake_of(sys);
	int i, removed = 0;

	f->sweeps++;
	if (fails(f, "shm_sweep"))
		return -f->fail_errno;
	for (i = 0; i < FAKE_SHMS; i++) {
		struct fake_shm *shm = &f->shm[i];

		if (!shm->alive || ID_BASE + i == keep || shm->attached || (unloaded_only && shm->loaded))
			continue;
		give_up(f, shm);
		removed++;
	}
	return removed;
}

static int touch(struct sys *sys, void *addr)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm = shm_at(f, addr);
	uint32_t slot, i;

	if (!shm)
		return -EFAULT;
	if (fails(f, "touch"))
		return -f->fail_errno;
	slot = (uint32_t)((uint64_t)((unsigned char *)addr - shm->base) / FRAME_BYTES);
	if (shm->slot[slot] != FAKE_NO_FRAME)
		return 0;
	if (fake_frames_taken(f) >= f->overcommit)
		return -EFAULT;
	for (i = 0; i < f->frames && f->frame[i].taken; i++)
		;
	if (i == f->frames)
		return -EFAULT;
	f->frame[i].taken = true;
	shm->slot[slot] = i;
	*(volatile unsigned char *)addr = 0;
	return 0;
}

static bool in_cma(const struct fake *f, uint32_t frame)
{
	return range_overlaps(f->cma, (struct range){ f->frame[frame].pa, 1 });
}

/* What lies in the CMA area goes elsewhere, as long as there is an elsewhere. */
static void settle(struct sys *sys, void *addr, uint64_t bytes)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm = bytes ? shm_at(f, addr) : NULL;
	uint64_t first, i;
	uint32_t k;

	if (!shm)
		return;
	first = (uint64_t)((unsigned char *)addr - shm->base) / FRAME_BYTES;
	for (i = first; i < first + bytes / FRAME_BYTES; i++) {
		if (i >= shm->slots || shm->slot[i] == FAKE_NO_FRAME) {
			breach(f, "settles memory that is not there");
			return;
		}
		for (k = 0; k < f->frames && in_cma(f, shm->slot[i]); k++) {
			if (f->frame[k].taken || in_cma(f, k))
				continue;
			f->frame[k].taken = true;
			f->frame[shm->slot[i]].taken = false;
			shm->slot[i] = k;
		}
	}
}

static int frame_pa(struct sys *sys, const void *addr, pa_t *pa)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm = shm_at(f, addr);
	uint32_t frame;

	if (!shm)
		return -EFAULT;
	if (fails(f, "frame_pa"))
		return -f->fail_errno;
	frame = shm->slot[(uint64_t)((const unsigned char *)addr - shm->base) / FRAME_BYTES];
	if (frame == FAKE_NO_FRAME)
		return -ENOENT;
	if (f->hide_pfn)
		return -EPERM;
	*pa = f->frame[frame].pa;
	return 0;
}

static int punch(struct sys *sys, void *addr, uint64_t bytes)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm = shm_at(f, addr);
	uint64_t first, i;

	if (!shm)
		return -EINVAL;
	first = (uint64_t)((unsigned char *)addr - shm->base) / FRAME_BYTES;
	if ((uintptr_t)addr % 4096 || bytes % FRAME_BYTES || first + bytes / FRAME_BYTES > shm->slots) {
		breach(f, "a hole that is no whole frames");
		return -EINVAL;
	}
	if (fails(f, "punch"))
		return -f->fail_errno;
	for (i = first; i < first + bytes / FRAME_BYTES; i++) {
		if (shm->slot[i] == FAKE_NO_FRAME)
			continue;
		f->frame[shm->slot[i]] = (struct fake_frame){ .pa = f->frame[shm->slot[i]].pa };
		shm->slot[i] = FAKE_NO_FRAME;
	}
	/* Whoever touches it now would have new memory; here he dies. */
	mprotect(addr, bytes, PROT_NONE);
	return 0;
}

static void clean(struct sys *sys, const void *addr, uint64_t bytes)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm = shm_at(f, addr);
	uint64_t i, first;

	if (!shm)
		return;
	first = (uint64_t)((const unsigned char *)addr - shm->base) / FRAME_BYTES;
	for (i = first; i < first + bytes / FRAME_BYTES; i++) {
		if (shm->slot[i] == FAKE_NO_FRAME) {
			breach(f, "cleans memory that is not there");
			continue;
		}
		f->frame[shm->slot[i]].cleaned = true;
		f->frame[shm->slot[i]].hash = fake_frame_hash(shm->base + i * FRAME_BYTES);
	}
}

/* Does jobs as late as it may, and in pairs: what looks at a job's result before the crew is closed sees nothing. */
struct sys_crew {
	void (*work)(void *arg, size_t first, size_t count);
	void *arg;
	size_t ready;
};

static struct sys_crew *crew_open(struct sys *sys, void (*work)(void *arg, size_t first, size_t count), void *arg)
{
	struct sys_crew *crew;

	if (fails(fake_of(sys), "crew_open"))
		return NULL;
	crew = malloc(sizeof(*crew));
	fake_of(sys)->crews++;
	*crew = (struct sys_crew){ work, arg, 0 };
	return crew;
}

static void crew_ready(struct sys *sys, struct sys_crew *crew, size_t count)
{
	if (count < crew->ready)
		breach(fake_of(sys), "jobs that were ready are not any more");
	crew->ready = count;
}

static void crew_close(struct sys *sys, struct sys_crew *crew, bool abandon)
{
	size_t i;

	fake_of(sys)->crews--;
	for (i = 0; !abandon && i + 1 < crew->ready; i += 2)
		crew->work(crew->arg, i, 2);
	if (!abandon && i < crew->ready)
		crew->work(crew->arg, i, 1);
	free(crew);
}

static bool interrupted(struct sys *sys)
{
	struct fake *f = fake_of(sys);

	f->interrupted_calls++;
	return f->interrupt_at && f->interrupted_calls >= f->interrupt_at;
}

/* Any sum will do to tell contents apart. */
static uint64_t crc_of(const unsigned char *data, size_t bytes)
{
	uint64_t sum = 1469598103934665603ull;
	size_t i;

	for (i = 0; i < bytes; i++)
		sum = (sum ^ data[i]) * 1099511628211ull;
	return sum;
}

uint64_t fake_hash(const void *data, size_t bytes)
{
	return crc_of(data, bytes);
}

static void drop_load(struct fake *f)
{
	size_t i;

	for (i = 0; i < f->load.count; i++)
		free((void *)(uintptr_t)f->load.segment[i].buf);
	f->load = (struct fake_load){ 0 };
	f->loaded = false;
}

/* kernel/kexec_core.c, sanity_check_segment_list(): what every caller must keep. */
static int sane(struct fake *f, const struct sys_segment *s, size_t count)
{
	size_t i, j;

	for (i = 0; i < count; i++) {
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

static int kexec_load(struct sys *sys, pa_t entry, const struct sys_segment *segments, size_t count,
		      unsigned long flags)
{
	struct fake *f = fake_of(sys);
	void (*meanwhile)(struct fake *fake, void *arg) = f->meanwhile;
	size_t i;
	int err;

	if (count)
		f->kexec_loads++;
	else
		f->unloads++;
	if (fails(f, "kexec_load"))
		return -f->fail_errno;
	if (f->kexec_error)
		return f->kexec_error;
	if (count > FAKE_SEGMENTS)
		return -EINVAL;
	err = sane(f, segments, count);
	if (err) {
		breach(f, "segments that the kernel refuses");
		return err;
	}
	drop_load(f);
	if (!count)
		return 0;
	f->load.entry = entry;
	f->load.flags = flags;
	f->load.count = count;
	for (i = 0; i < count; i++) {
		void *copy = malloc(segments[i].bytes ? segments[i].bytes : 1);

		memcpy(copy, segments[i].buf, segments[i].bytes);
		f->load.segment[i] = segments[i];
		f->load.segment[i].buf = copy;
	}
	f->loaded = true;
	f->meanwhile = NULL;
	if (meanwhile)
		meanwhile(f, f->meanwhile_arg);
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
	f->file_load_kernel = kernel_fd >= 0 && is_open(f, kernel_fd, "kexec_file_load") ? *f->fd[kernel_fd].file : (struct fake_file){ 0 };
	f->file_load_initrd = initrd_fd >= 0 && is_open(f, initrd_fd, "kexec_file_load") ? *f->fd[initrd_fd].file : (struct fake_file){ 0 };
	f->file_load_hash[0] = f->file_load_kernel.bytes ? crc_of(f->file_load_kernel.data, f->file_load_kernel.bytes) : 0;
	f->file_load_hash[1] = f->file_load_initrd.bytes ? crc_of(f->file_load_initrd.data, f->file_load_initrd.bytes) : 0;
	if (f->file_load_error == FAKE_FILE_LOAD_WORKS) {
		drop_load(f);
		return 0;
	}
	return f->file_load_error;
}

static int reboot_kexec(struct sys *sys)
{
	fake_of(sys)->reboots++;
	return -EINVAL;
}

static void sync_disks(struct sys *sys)
{
	fake_of(sys)->syncs++;
}

static void ifdown(struct sys *sys)
{
	fake_of(sys)->ifdowns++;
}

struct fake_file *fake_file(struct fake *f, const char *path, const void *data, size_t bytes)
{
	struct fake_file *file = find(f, path);

	if (!file) {
		if (f->files == FAKE_FILES)
			abort();
		file = &f->file[f->files++];
	}
	free(file->data);
	*file = (struct fake_file){ .bytes = bytes, .cut = bytes };
	snprintf(file->path, sizeof(file->path), "%s", path);
	file->data = malloc(bytes + 1);
	if (bytes)
		memcpy(file->data, data, bytes);
	file->data[bytes] = '\0';
	return file;
}

void fake_text(struct fake *f, const char *path, const char *text)
{
	fake_file(f, path, text, strlen(text));
}

void fake_link(struct fake *f, const char *path, const char *to)
{
	fake_file(f, path, to, strlen(to))->link = true;
}

void fake_drop(struct fake *f, const char *path)
{
	struct fake_file *file = find(f, path);

	if (!file)
		return;
	free(file->data);
	*file = f->file[--f->files];
	f->file[f->files].data = NULL;
}

size_t fake_dtb(void *out, size_t room, const char *psci_method)
{
	static const char psci[] = "arm,psci-1.0\0arm,psci-0.2";
	const uint32_t reg[] = { 0, cpu_to_fdt32(0x40000000), 0, cpu_to_fdt32(0x80000000) };
	int err = fdt_create(out, (int)room);

	err |= fdt_finish_reservemap(out);
	err |= fdt_begin_node(out, "");
	err |= fdt_property_u32(out, "#address-cells", 2);
	err |= fdt_property_u32(out, "#size-cells", 2);
	err |= fdt_property_string(out, "compatible", "linux,dummy-virt");
	if (psci_method) {
		err |= fdt_begin_node(out, "psci");
		err |= fdt_property(out, "compatible", psci, sizeof(psci));
		err |= fdt_property(out, "method", psci_method, (int)strlen(psci_method) + 1);
		err |= fdt_end_node(out);
	}
	err |= fdt_begin_node(out, "interrupt-controller");
	err |= fdt_property_string(out, "compatible", "arm,gic-v3");
	err |= fdt_end_node(out);
	err |= fdt_begin_node(out, "memory@40000000");
	err |= fdt_property_string(out, "device_type", "memory");
	err |= fdt_property(out, "reg", reg, sizeof(reg));
	err |= fdt_end_node(out);
	err |= fdt_begin_node(out, "chosen");
	err |= fdt_property_string(out, "bootargs", "console=ttyAMA0 root=/dev/vda1");
	err |= fdt_property_u32(out, "linux,initrd-start", 0x48000000);
	err |= fdt_property_u32(out, "linux,initrd-end", 0x48100000);
	err |= fdt_property_u64(out, "kaslr-seed", 0);
	err |= fdt_end_node(out);
	err |= fdt_end_node(out);
	err |= fdt_finish(out);
	return err ? 0 : fdt_totalsize(out);
}

static const char iomem[] =
	"09000000-09000fff : pl011@9000000\n"
	"40000000-bfffffff : System RAM\n"
	"  40210000-4183ffff : Kernel code\n"
	"  41840000-4213ffff : reserved\n"
	"  42140000-4277ffff : Kernel data\n"
	"  48000000-480fffff : reserved\n"
	"  bc000000-bfdfffff : reserved\n";

struct fake *fake_new(const pa_t *frame_pa_, uint32_t frames)
{
	struct fake *f = calloc(1, sizeof(*f));
	unsigned char dtb[4096];
	uint32_t i;

	f->sys = (struct sys){
		.ctx = f, .page_bytes = 4096, .line_bytes = 64, .cpu_features = CPU_CRC32 | CPU_SHA2,
		.is_root = is_root, .is_arm64 = is_arm64, .now = now, .now_ms = now_ms, .random = get_random,
		.read_file = read_file, .write_file = write_file, .read_link = read_link, .list_dir = list_dir,
		.lock = lock, .unlock = unlock, .guard = guard, .unguard = unguard, .shutdown = run_shutdown,
		.kernel_log = kernel_log, .open_file = open_file, .read = read_fd, .make_file = make_file, .write = write_fd,
		.close = close_fd,
		.shm_create = shm_create, .shm_detach = shm_detach, .shm_remove = shm_remove,
		.shm_mark_loaded = shm_mark_loaded, .shm_sweep = shm_sweep, .touch = touch, .settle = settle,
		.frame_pa = frame_pa, .punch = punch, .clean = clean,
		.crew_open = crew_open, .crew_ready = crew_ready, .crew_close = crew_close, .interrupted = interrupted,
		.kexec_load = kexec_load, .kexec_file_load = kexec_file_load,
		.reboot_kexec = reboot_kexec, .sync = sync_disks, .ifdown = ifdown,
	};
	f->root = f->arm64 = f->random_works = true;
	f->log = "[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd070]\n";
	f->overcommit = OVERCOMMIT_AT_FIRST;
	f->fail_errno = EIO;
	f->frame = calloc(frames ? frames : 1, sizeof(*f->frame));
	f->frames = frames;
	for (i = 0; i < frames; i++)
		f->frame[i].pa = frame_pa_[i];

	fake_text(f, "/proc/iomem", iomem);
	fake_text(f, "/proc/meminfo", "MemTotal:        2097152 kB\nMemFree:         1800000 kB\n"
				      "MemAvailable:    1900000 kB\nSwapTotal:       0 kB\nSwapFree:        0 kB\n");
	fake_text(f, "/proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz console=ttyAMA0 quiet\n");
	fake_text(f, "/proc/self/uid_map", "         0          0 4294967295\n");
	fake_file(f, "/proc/1/environ", "HOME=/\0TERM=linux", 18);
	fake_text(f, "/proc/sys/kernel/kexec_load_disabled", "0\n");
	fake_text(f, "/proc/sys/kernel/shm_rmid_forced", "0\n");
	fake_text(f, "/sys/kernel/kexec_crash_loaded", "0\n");
	fake_text(f, "/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	fake_link(f, "/proc/self/ns/ipc", "ipc:[4026531839]");
	fake_link(f, "/proc/self/ns/user", "user:[4026531837]");
	fake_text(f, "/sys/class/tty/console/active", "tty0 ttyAMA0\n");
	fake_text(f, "/sys/class/tty/ttyAMA0/iomem_base", "0x9000000\n");
	fake_text(f, "/sys/class/tty/ttyAMA0/type", "32\n");
	fake_text(f, "/sys/class/tty/ttyAMA0/io_type", "2\n");
	fake_text(f, "/sys/class/tty/ttyAMA0/iomem_reg_shift", "0\n");
	fake_file(f, "/sys/firmware/fdt", dtb, fake_dtb(dtb, sizeof(dtb), "hvc"));
	return f;
}

void fake_free(struct fake *f)
{
	size_t i;

	for (i = 0; i < f->files; i++)
		free(f->file[i].data);
	for (i = 0; i < FAKE_SHMS; i++)
		if (f->shm[i].alive)
			give_up(f, &f->shm[i]);
	drop_load(f);
	free(f->frame);
	free(f);
}

unsigned char *fake_frame_memory(const struct fake *f, pa_t pa, const struct fake_frame **frame)
{
	unsigned int i;
	uint32_t k;

	for (i = 0; i < FAKE_SHMS; i++)
		for (k = 0; f->shm[i].alive && k < f->shm[i].slots; k++) {
			uint32_t at = f->shm[i].slot[k];

			if (at == FAKE_NO_FRAME || pa < f->frame[at].pa || pa - f->frame[at].pa >= FRAME_BYTES)
				continue;
			if (frame)
				*frame = &f->frame[at];
			return f->shm[i].base + k * FRAME_BYTES + (pa - f->frame[at].pa);
		}
	return NULL;
}

uint64_t fake_frame_hash(const unsigned char *memory)
{
	uint64_t hash = 0xcbf29ce484222325, word;
	size_t i;

	for (i = 0; i < FRAME_BYTES; i += sizeof(word)) {
		memcpy(&word, memory + i, sizeof(word));
		hash = (hash ^ word) * 0x100000001b3;
		hash ^= hash >> 29;
	}
	return hash;
}

uint32_t fake_frames_taken(const struct fake *f)
{
	uint32_t i, n = 0;

	for (i = 0; i < f->frames; i++)
		n += f->frame[i].taken;
	return n;
}

unsigned int fake_shms(const struct fake *f, bool loaded)
{
	unsigned int i, n = 0;

	for (i = 0; i < FAKE_SHMS; i++)
		n += f->shm[i].alive && f->shm[i].loaded == loaded;
	return n;
}

const char *fake_leak(const struct fake *f)
{
	unsigned int i;

	if (f->locked || f->guarded)
		return "the lock or the guard";
	if (f->crews)
		return "threads";
	for (i = 0; i < FAKE_FDS; i++)
		if (f->fd[i].open)
			return "a file is still open";
	for (i = 0; i < FAKE_SHMS; i++) {
		if (f->shm[i].alive && f->shm[i].attached)
			return "a segment is still attached";
		if (f->shm[i].alive && !f->shm[i].loaded)
			return "a segment was left that no load needs";
	}
	if (f->overcommit != OVERCOMMIT_AT_FIRST && !f->overcommit_stuck)
		return "nr_overcommit_hugepages was not put back";
	return NULL;
}
