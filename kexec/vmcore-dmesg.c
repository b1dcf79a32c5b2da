/* SPDX-License-Identifier: GPL-2.0-only */
/* vmcore-dmesg FILE: print the kernel log that is in a dump. */
#include "printk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As kexec-tools has them. */
#define EXIT_USAGE	1
#define EXIT_OPEN	2
#define EXIT_FORMAT	3
#define EXIT_LOG	10

static bool read_file(void *arg, uint64_t at, void *out, size_t bytes)
{
	const int *fd = arg;
	char *to = out;
	ssize_t n;

	for (; bytes; bytes -= (size_t)n, at += (size_t)n, to += n) {
		n = pread(*fd, to, bytes, (off_t)at);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct vmcore core;
	enum kx_err err;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: vmcore-dmesg FILE\n");
		return EXIT_USAGE;
	}
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "Cannot open %s: %s\n", argv[1], strerror(errno));
		return EXIT_OPEN;
	}
	err = vmcore_open(&core, (struct core_source){ &fd, read_file });
	if (!err) {
		err = printk_print(&core, stdout);
		vmcore_close(&core);
	}
	close(fd);
	if (err)
		fprintf(stderr, "vmcore-dmesg: %s %s\n", argv[1], err_text(err));
	if ((fflush(stdout) == EOF || ferror(stdout)) && !err) {
		perror("vmcore-dmesg: standard output");
		return EXIT_LOG;
	}
	return !err ? 0 : err == KX_NOT_VMCORE ? EXIT_FORMAT : EXIT_LOG;
}
