/* SPDX-License-Identifier: GPL-2.0-only */
/* The running system behind struct sys, where it needs no root: files that change. */
#include "sys.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stamp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
