/* SPDX-License-Identifier: GPL-2.0-only */
/* The fake's files: those that a test puts there, those that follow the machine's state, and descriptors. */
#include "plan.h"
#include "fake_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fake_file *find(struct fake *f, const char *path)
{
	size_t i;

	for (i = 0; i < f->files; i++)
		if (strcmp(f->file[i].path, path) == 0)
			return &f->file[i];
	return NULL;
}

/* Memory goes to huge pages, and to files in memory. */
static void meminfo(const struct fake *f, char text[128])
{
	uint64_t taken = fake_pages_taken(f) * PLAN_SLOT_BYTES;
	unsigned int i;

	for (i = 0; i < FAKE_FDS; i++)
		taken += f->fd[i].open && f->fd[i].made ? f->fd[i].made->bytes : 0;
	taken = (f->memory_bytes > taken ? f->memory_bytes - taken : 0) >> 10;
	snprintf(text, 128, "MemTotal: 2097152 kB\nMemFree: %llu kB\nMemAvailable: %llu kB\n", (unsigned long long)taken,
		 (unsigned long long)taken);
}

/* Files whose text follows the machine's state. */
static bool made_up(struct fake *f, const char *path, char text[128])
{
	if (f->no_huge_pages && strncmp(path, FAKE_POOL, strlen(FAKE_POOL)) == 0)
		return false;
	if (strcmp(path, FAKE_OVERCOMMIT) == 0)
		snprintf(text, 128, "%llu\n", (unsigned long long)f->overcommit);
	else if (strcmp(path, FAKE_POOL "surplus_hugepages") == 0)
		snprintf(text, 128, "%u\n", fake_pages_taken(f));
	else if (f->pool && strcmp(path, FAKE_POOL "free_hugepages") == 0)
		snprintf(text, 128, "%llu\n", (unsigned long long)f->pool);
	else if (f->pool && strcmp(path, FAKE_POOL "resv_hugepages") == 0)
		snprintf(text, 128, "%llu\n", (unsigned long long)f->pool_held);
	else if (f->memory_bytes && strcmp(path, "/proc/meminfo") == 0)
		meminfo(f, text);
	else if (strcmp(path, "/sys/kernel/kexec_loaded") == 0 && !f->loaded_hidden)
		snprintf(text, 128, "%d\n", f->loaded);
	else if (strcmp(path, "/sys/kernel/kexec_crash_loaded") == 0 && f->crash.count)
		snprintf(text, 128, "1\n");
	else
		return false;
	return true;
}

static int read_file(struct sys *sys, const char *path, size_t max, char **text, size_t *bytes)
{
	struct fake *f = fake_of(sys);
	const struct fake_file *file = find(f, path);
	char number[128];
	const void *from;

	if (fake_fails(f, "read_file"))
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

	/* Written to, not made. */
	if (strcmp(path, SYS_LOCK_FILE) == 0) {
		if (fake_fails(f, "write_file"))
			return -f->fail_errno;
		fake_text(f, path, text);
		return 0;
	}
	f->writes++;
	if (strcmp(path, FAKE_OVERCOMMIT) != 0)
		fake_breach(f, "writes to %s", path);
	if (fake_fails(f, "write_file")) {
		f->overcommit_stuck = true;
		return -f->fail_errno;
	}
	if (f->write_error)
		return f->write_error;
	f->overcommit = strtoull(text, NULL, 10);
	return 0;
}

static int read_link(struct sys *sys, const char *path, char *out, size_t room)
{
	struct fake *f = fake_of(sys);
	const struct fake_file *file = find(f, path);

	if (fake_fails(f, "read_link"))
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

	if (fake_fails(f, "list_dir"))
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

static int open_file(struct sys *sys, const char *path, uint64_t most, uint64_t *bytes)
{
	struct fake *f = fake_of(sys);
	const struct fake_file *file = find(f, path);
	int fd;

	if (fake_fails(f, "open_file"))
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
	if (f->opened)
		f->opened(f);
	return fd;
}

static int stamp_fd(struct sys *sys, int fd, const char *path, struct sys_stamp *stamp)
{
	struct fake *f = fake_of(sys);
	struct fake_file *file;

	(void)path;
	if (!fake_is_open(f, fd, "stamp"))
		return -EBADF;
	if (fake_fails(f, "stamp"))
		return -f->fail_errno;
	file = (struct fake_file *)(uintptr_t)f->fd[fd].file;
	*stamp = file->stamp;
	stamp->bytes = file->bytes;
	if (file->once_opened)
		file->once_opened(file);
	return 0;
}

bool fake_is_open(struct fake *f, int fd, const char *what)
{
	if (fd >= 0 && fd < FAKE_FDS && f->fd[fd].open)
		return true;
	fake_breach(f, "%s of descriptor %d, which is not open", what, fd);
	return false;
}

static ssize_t read_fd(struct sys *sys, int fd, uint64_t at, void *out, size_t bytes)
{
	struct fake *f = fake_of(sys);
	const struct fake_file *file;
	size_t i;

	if (!fake_is_open(f, fd, "read"))
		return -EBADF;
	if (fake_fails(f, "read"))
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

	if (fake_fails(f, "make_file"))
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

	if (!fake_is_open(f, fd, "write"))
		return -EBADF;
	if (fake_fails(f, "write"))
		return -f->fail_errno;
	file = f->fd[fd].made;
	if (!file) {
		fake_breach(f, "writes to a file that is somebody's");
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
	else if (fake_is_open(f, fd, "close")) {
		f->fd[fd].open = false;
		if (f->fd[fd].made)
			free(f->fd[fd].made->data);
		free(f->fd[fd].made);
		f->fd[fd].made = NULL;
	}
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
	*file = (struct fake_file){ .bytes = bytes, .cut = bytes, .stamp = { .links = 1, .named = true } };
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

void fake_files(struct fake *f)
{
	f->sys.read_file = read_file;
	f->sys.write_file = write_file;
	f->sys.read_link = read_link;
	f->sys.list_dir = list_dir;
	f->sys.open_file = open_file;
	f->sys.stamp = stamp_fd;
	f->sys.read = read_fd;
	f->sys.make_file = make_file;
	f->sys.write = write_fd;
	f->sys.close = close_fd;
}

void fake_files_free(struct fake *f)
{
	size_t i;

	for (i = 0; i < f->files; i++)
		free(f->file[i].data);
}
