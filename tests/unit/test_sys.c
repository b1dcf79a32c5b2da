/* SPDX-License-Identifier: GPL-2.0-only */
/* The running system behind struct sys, where it needs no root: files that change, signals, standard streams. */
#include "sys.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void put(const char *path, const char *mode, const char *text)
{
	FILE *file = fopen(path, mode);

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* A write in place shows in the times; a rename(2) over the file in its names, and in ctime alone. */
static void test_stamp(void **state)
{
	char dir[] = "/tmp/kexec-sys.XXXXXX", path[64], other[64];
	struct sys_stamp first, written, replaced;
	struct sys sys;
	uint64_t bytes;
	int fd;

	(void)state;
	sys_linux(&sys);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/K", dir);
	snprintf(other, sizeof(other), "%s/new", dir);
	put(path, "w", "kernel");
	fd = sys.open_file(&sys, path, 100, &bytes);
	assert_true(fd >= 0);
	assert_int_equal(bytes, 6);
	assert_int_equal(sys.stamp(&sys, fd, path, &first), 0);
	assert_int_equal(first.bytes, 6);
	assert_true(first.named);
	usleep(20000);		/* time stamps of files go by the tick */
	put(path, "r+", "KERNEL");
	assert_int_equal(sys.stamp(&sys, fd, path, &written), 0);
	assert_int_equal(written.bytes, 6);
	assert_true(written.mtime_ns > first.mtime_ns && written.ctime_ns > first.ctime_ns);
	usleep(20000);
	put(other, "w", "another");
	assert_int_equal(rename(other, path), 0);
	assert_int_equal(sys.stamp(&sys, fd, path, &replaced), 0);
	assert_int_equal(replaced.inode, first.inode);
	assert_int_equal(replaced.mtime_ns, written.mtime_ns);
	assert_false(replaced.named);
	sys.close(&sys, fd);
	unlink(path);
	rmdir(dir);
}

static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

static int exit_of(void (*child)(struct sys *sys), int closed)
{
	struct sys sys;
	int status;
	pid_t pid = fork();
	size_t i;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (closed >= 0)
			close(closed);
		/* What is ignored stays so, and a shell's background job is told to ignore some, by nohup or by itself. */
		for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
			signal(signals[i], SIG_DFL);
		sys_linux(&sys);
		child(&sys);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static void ask_whether_interrupted(struct sys *sys)
{
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			raise(signals[i]);
			_exit(sys->interrupted(sys));
		}
		waitpid(pid, &status, 0);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 1)
			_exit((int)i + 1);
	}
}

/* None of them ends a load in the middle; SIGQUIT (Ctrl-\\) would leave a core file, the raised limit and staged memory as well. */
static void test_signals(void **state)
{
	(void)state;
	assert_int_equal(exit_of(ask_whether_interrupted, -1), 0);
}

static void print_to_what_is_there(struct sys *sys)
{
	_exit(sys->can_print(sys));
}

static void print_to_a_pipe_without_a_reader(struct sys *sys)
{
	int ends[2];

	if (pipe(ends) < 0 || dup2(ends[1], 1) < 0)
		_exit(99);
	if (!sys->can_print(sys))
		_exit(98);
	close(ends[0]);
	_exit(sys->can_print(sys));
}

static void open_with_a_stream_closed(struct sys *sys)
{
	uint64_t bytes;

	_exit(sys->open_file(sys, "/proc/self/exe", 0, &bytes));
}

static void test_standard_streams(void **state)
{
	(void)state;
	assert_int_equal(exit_of(print_to_what_is_there, -1), 1);
	assert_int_equal(exit_of(print_to_what_is_there, 1), 0);
	assert_int_equal(exit_of(print_to_a_pipe_without_a_reader, -1), 0);
	/* What is read does not take the number of a stream that is written to. */
	assert_true(exit_of(open_with_a_stream_closed, 1) > 2);
	assert_true(exit_of(open_with_a_stream_closed, 2) > 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stamp),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_standard_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
