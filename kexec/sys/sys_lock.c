/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One loader that stages at a time. flock(2) on files that only root can make or open, so that nobody else can hold it; it ends with
 * the last process that has the descriptors: the loader, or the one that puts limits back should the loader be killed.
 */
#include "sys_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/*
 * Both files, as far as they can be had. /run is read-only in services with ProtectSystem=strict, is missing in rescue systems, and is
 * another one in other roots; the file in /proc (mode 0200) needs CONFIG_MAGIC_SYSRQ. Always in this order, so that two never wait for
 * each other.
 */
static const struct { const char *path; int flags; } files[] = {
	{ "/proc/sysrq-trigger", O_RDONLY },
	{ SYS_LOCK_FILE, O_RDWR | O_CREAT },
};
#define FILES		(sizeof(files) / sizeof(files[0]))
#define LOCK_WAIT_MS	10000

_Static_assert(FILES == LOCK_FILES, "descriptors of locks");

/* A file of somebody else's could be locked by them. */
static int open_own(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd < 0 && errno == EROFS)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 && !(st.st_mode & (S_IRWXG | S_IRWXO)))
		return fd;
	close(fd);
	return -EPERM;
}

static void unlock(struct sys *sys)
{
	int *lock_fd = linux_state(sys)->lock_fd;
	size_t i;

	for (i = 0; i < FILES; i++) {
		if (lock_fd[i] >= 0)
			close(lock_fd[i]);
		lock_fd[i] = -1;
	}
}

static int lock_one(struct sys *sys, int fd, uint64_t until_ms)
{
	struct timespec pause = { 0, 50000000 };

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (sys->interrupted(sys))
			return -EINTR;
		if (sys->now_ms(sys) >= until_ms)
			return -EWOULDBLOCK;
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int lock(struct sys *sys, bool wait)
{
	int *lock_fd = linux_state(sys)->lock_fd;
	uint64_t until_ms = sys->now_ms(sys) + (wait ? LOCK_WAIT_MS : 0);
	bool locked = false;
	int err = 0;
	size_t i;

	for (i = 0; i < FILES && !err; i++) {
		lock_fd[i] = open_own(files[i].path, files[i].flags);
		if (lock_fd[i] < 0)
			continue;
		err = lock_one(sys, lock_fd[i], until_ms);
		locked = !err;
	}
	if (!err && !locked)
		return lock_fd[FILES - 1];	/* why there is none */
	if (err)
		unlock(sys);
	return err;
}

void sys_linux_lock(struct sys *sys)
{
	sys->lock = lock;
	sys->unlock = unlock;
}
