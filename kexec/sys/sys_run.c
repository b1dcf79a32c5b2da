/* SPDX-License-Identifier: GPL-2.0-only */
/* Another program, for what only it can tell. */
#include "sys_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* What comes out of it until it is over, the time is, or there is too much. Returns bytes, or a negative errno. */
static ssize_t collect(struct sys *sys, int fd, char *text, size_t room, uint64_t until_ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	size_t used = 0;
	ssize_t n;

	for (;;) {
		uint64_t now_ms = sys->now_ms(sys);

		if (now_ms >= until_ms || poll(&pollfd, 1, (int)(until_ms - now_ms)) == 0)
			return -ETIMEDOUT;
		n = read(fd, text + used, room - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		used += (size_t)n;
		if (!n)
			return (ssize_t)used;
		if (used == room)
			return -EFBIG;
	}
}

static int run(struct sys *sys, const char *const *argv, unsigned int most_ms, char *text, size_t room)
{
	posix_spawn_file_actions_t actions;
	int pipe_fds[2], status, err;
	ssize_t bytes;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	err = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_fds[1]);
	if (err) {
		close(pipe_fds[0]);
		return -err;
	}
	bytes = collect(sys, pipe_fds[0], text, room - 1, sys->now_ms(sys) + most_ms);
	close(pipe_fds[0]);
	if (bytes < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (bytes < 0)
		return (int)bytes;
	text[bytes] = '\0';
	return status ? -EIO : 0;
}

void sys_linux_run(struct sys *sys)
{
	sys->run = run;
}
