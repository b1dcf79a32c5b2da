/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One loader that stages at a time. flock(2) on a file that only root can make or open, so that nobody else can hold it; it ends with
 * the last process that has the descriptor: the loader, or its guard.
 */
#include "sys_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_FILE	"/run/kexec-fast.lock"
/* Where /run is read-only or missing, as in services with ProtectSystem=strict and in rescue systems: root's alone, too (mode 0200). */
#define LOCK_FALLBACK	"/proc/sysrq-trigger"
#define LOCK_WAIT_MS	10000

static int lock_fd = -1;

/* A file of somebody else's could be locked by them. */
static int open_own(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 && !(st.st_mode & (S_IRWXG | S_IRWXO)))
		return fd;
	close(fd);
	return -EPERM;
}

static int open_lock(void)
{
	int fd = open_own(LOCK_FILE, O_RDWR | O_CREAT);

	if (fd == -EROFS)
		fd = open_own(LOCK_FILE, O_RDONLY);
	return fd >= 0 ? fd : open_own(LOCK_FALLBACK, O_RDONLY);
}

static int lock(struct sys *sys, bool wait)
{
	uint64_t until_ms = sys->now_ms(sys) + LOCK_WAIT_MS;
	struct timespec pause = { 0, 50000000 };
	int err = 0;

	lock_fd = open_lock();
	if (lock_fd < 0)
		return lock_fd;
	while (!err && flock(lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			err = -errno;
		else if (sys->interrupted(sys))
			err = -EINTR;
		else if (!wait || sys->now_ms(sys) > until_ms)
			err = -EWOULDBLOCK;
		else
			nanosleep(&pause, NULL);
	}
	if (err) {
		close(lock_fd);
		lock_fd = -1;
	}
	return err;
}

static void unlock(struct sys *sys)
{
	(void)sys;
	if (lock_fd >= 0)
		close(lock_fd);
	lock_fd = -1;
}

void sys_linux_lock(struct sys *sys)
{
	sys->lock = lock;
	sys->unlock = unlock;
}
