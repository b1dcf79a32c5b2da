/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of the running system: small ones whole, payload files as streams, directories, the kernel log. */
#include "sys_linux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static ssize_t read_fd(struct sys *sys, int fd, void *out, size_t bytes)
{
	ssize_t n;

	(void)sys;
	do
		n = read(fd, out, bytes);
	while (n < 0 && errno == EINTR && !sys->interrupted(sys));
	return n < 0 ? -errno : n;
}

static int read_file(struct sys *sys, const char *path, size_t max, char **text, size_t *bytes)
{
	size_t used = 0, room = 4096;
	char *buf;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	buf = malloc(room);
	if (!buf)
		goto no_memory;
	while ((n = read_fd(sys, fd, buf + used, room - used - 1)) > 0) {
		used += (size_t)n;
		if (used > max) {
			n = -EFBIG;
			break;
		}
		if (used + 1 == room) {
			char *grown = realloc(buf, room * 2);

			if (!grown)
				goto no_memory;
			buf = grown;
			room *= 2;
		}
	}
	close(fd);
	if (n < 0) {
		free(buf);
		return (int)n;
	}
	buf[used] = '\0';
	*text = buf;
	*bytes = used;
	return 0;
no_memory:
	free(buf);
	close(fd);
	return -ENOMEM;
}

int sys_linux_write_file(struct sys *sys, const char *path, const char *text)
{
	size_t bytes = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	(void)sys;
	if (fd < 0)
		return -errno;
	errno = 0;
	if (write(fd, text, bytes) != (ssize_t)bytes)
		err = errno ? -errno : -EIO;
	close(fd);
	return err;
}

static int read_link(struct sys *sys, const char *path, char *out, size_t room)
{
	ssize_t n = readlink(path, out, room - 1);

	(void)sys;
	if (n < 0)
		return -errno;
	out[n] = '\0';
	return 0;
}

static int list_dir(struct sys *sys, const char *path, int (*each)(void *arg, const char *name, bool is_dir), void *arg)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int err = 0;

	(void)sys;
	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		err = each(arg, entry->d_name, entry->d_type == DT_DIR);
	}
	closedir(dir);
	return err;
}

#define LOG_RECORD_BYTES	8192	/* CONSOLE_EXT_LOG_MAX of the kernel, the most that one read of /dev/kmsg gives */

/* The next record. False: there are no more. */
static bool read_record(int fd, char *record)
{
	ssize_t bytes;

	do	/* EPIPE: records were overwritten meanwhile; the next read goes on behind them */
		bytes = read(fd, record, LOG_RECORD_BYTES - 1);
	while (bytes < 0 && errno == EPIPE);
	if (bytes <= 0)
		return false;
	record[bytes] = '\0';
	return true;
}

/* "6,339,5140900,-;message", and lines of annotations. Facilities other than 0 are userspace's words. */
static int kernel_log(struct sys *sys, char **text, size_t *bytes)
{
	char record[LOG_RECORD_BYTES];
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	const char *message;
	FILE *out;

	(void)sys;
	if (fd < 0)
		return -errno;
	out = open_memstream(text, bytes);
	while (out && read_record(fd, record)) {
		message = strchr(record, ';');
		if (message && strtoul(record, NULL, 10) < 8)
			fprintf(out, "%.*s\n", (int)strcspn(message + 1, "\n"), message + 1);
	}
	close(fd);
	return out && fclose(out) == 0 ? 0 : -ENOMEM;
}

/* "6,412,1234567,-;message": priority, sequence, microseconds (Documentation/ABI/testing/dev-kmsg) */
static int kernel_log_time(struct sys *sys, const char *begins, const char *holds, uint64_t *us)
{
	char record[LOG_RECORD_BYTES];
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC), result = -ENOENT;

	(void)sys;
	if (fd < 0)
		return -errno;
	while (result && read_record(fd, record)) {
		const char *message;
		char *comma;

		message = strchr(record, ';');
		comma = strchr(record, ',');
		comma = comma ? strchr(comma + 1, ',') : NULL;
		if (!message || !comma || strncmp(message + 1, begins, strlen(begins)) != 0 || !strstr(message, holds))
			continue;
		*us = strtoull(comma + 1, NULL, 10);
		result = 0;
	}
	close(fd);
	return result;
}

/* A pipe or a device has no length before it is read. */
static int spool(struct sys *sys, int fd, uint64_t most, uint64_t *bytes)
{
	char chunk[65536];
	ssize_t n;
	int spool_fd = memfd_create("kexec", MFD_CLOEXEC), err = 0;

	if (spool_fd < 0)
		err = -errno;
	*bytes = 0;
	while (!err && (n = read_fd(sys, fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0)
			err = (int)n;
		else if ((*bytes += (uint64_t)n) > most)
			err = -EFBIG;
		else if (write(spool_fd, chunk, (size_t)n) != n)
			err = -ENOSPC;
	}
	close(fd);
	if (err && spool_fd >= 0)
		close(spool_fd);
	return err ? err : spool_fd;
}

static int open_file(struct sys *sys, const char *path, uint64_t most, uint64_t *bytes)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	if (S_ISDIR(st.st_mode)) {
		close(fd);
		return -EISDIR;
	}
	if (!S_ISREG(st.st_mode))
		return spool(sys, fd, most, bytes);
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	*bytes = (uint64_t)st.st_size;
	return fd;
}

static int64_t in_ns(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int stamp_fd(struct sys *sys, int fd, const char *path, struct sys_stamp *stamp)
{
	struct stat st, at_path;

	(void)sys;
	if (fstat(fd, &st) < 0)
		return -errno;
	*stamp = (struct sys_stamp){
		.inode = st.st_ino,
		.links = st.st_nlink,
		.bytes = (uint64_t)st.st_size,
		.mtime_ns = in_ns(st.st_mtim),
		.ctime_ns = in_ns(st.st_ctim),
		.named = stat(path, &at_path) == 0 && at_path.st_ino == st.st_ino && at_path.st_dev == st.st_dev,
	};
	return 0;
}

static ssize_t read_at(struct sys *sys, int fd, uint64_t at, void *out, size_t bytes)
{
	ssize_t n;

	(void)sys;
	do
		n = pread(fd, out, bytes, (off_t)at);
	while (n < 0 && errno == EINTR && !sys->interrupted(sys));
	return n < 0 ? -errno : n;
}

static int make_file(struct sys *sys)
{
	int fd = memfd_create("kexec", MFD_CLOEXEC);

	(void)sys;
	return fd < 0 ? -errno : fd;
}

static int write_fd(struct sys *sys, int fd, const void *data, size_t bytes)
{
	const char *from = data;
	ssize_t n;

	(void)sys;
	for (; bytes; bytes -= (size_t)n, from += n) {
		n = write(fd, from, bytes);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return -errno;
	}
	return 0;
}

static void close_fd(struct sys *sys, int fd)
{
	(void)sys;
	close(fd);
}

void sys_linux_files(struct sys *sys)
{
	sys->read_file = read_file;
	sys->write_file = sys_linux_write_file;
	sys->read_link = read_link;
	sys->list_dir = list_dir;
	sys->kernel_log = kernel_log;
	sys->open_file = open_file;
	sys->kernel_log_time = kernel_log_time;
	sys->stamp = stamp_fd;
	sys->read = read_at;
	sys->make_file = make_file;
	sys->write = write_fd;
	sys->close = close_fd;
}
