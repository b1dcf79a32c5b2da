/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An initrd as the kernel reads it (init/initramfs.c; Documentation/driver-api/early-userspace/buffer-format.rst), and how to give the kernel
 * the same without its compression: cpio archives, "newc", plain or compressed, in a row, each aligned to 4 bytes, NULs between; and at the
 * very end there may be a boot configuration (Documentation/admin-guide/bootconfig.rst). Pure: bytes come and go by the caller's functions.
 */
#ifndef INITRD_H
#define INITRD_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct initrd_io {
	/* So many bytes at that offset of the initrd, never beyond its end. What they return other than KX_OK ends the run. */
	enum kx_err (*read)(void *arg, uint64_t at, void *out, size_t bytes);
	/* The next bytes of what takes the place of what is compressed. */
	enum kx_err (*write)(void *arg, const void *data, size_t bytes);
	void *arg;
};

/* What an initrd becomes: its first plain_bytes, what was written, and its bytes from trailer_at on. */
struct initrd_unpacked {
	uint64_t plain_bytes;		/* a multiple of 4 */
	uint64_t written_bytes;
	uint64_t trailer_at;		/* of the boot configuration, or the initrd's end: there is none */
	unsigned int members;		/* that were decompressed; 0: it is plain, and stays as it is */
	char compression[40];		/* "zstd", or several: "zstd, gzip" */
	char left[160];			/* not empty: it is to stay as it is, all of it, and this is why */
};

/*
 * Decompress it. most_bytes: how long all of it may become. What the kernel would not read in full, or read as something else, is left: a
 * file system image, junk between archives, an archive that is cut off, a method that no kernel has. The kernel's own tables for ACPI are
 * looked for in plain archives only, so what has such files within a compressed one is left as well.
 *
 * Errors: those of the functions; KX_NO_MEMORY
 */
enum kx_err initrd_unpack(const struct initrd_io *io, uint64_t bytes, uint64_t most_bytes, struct initrd_unpacked *out);

/*
 * How long an unpacked initrd may be, by the next kernel's command line, of ram_bytes of memory that this one has, with a kernel of
 * kernel_bytes. While it is unpacked into the root file system, the archive and its contents are there at once. Left for the rest are
 * 64 MiB and a sixteenth of what the next kernel may use, which is less than ram_bytes by mem= and crashkernel=. cmdline may be null.
 */
uint64_t initrd_room_bytes(const char *cmdline, uint64_t ram_bytes, uint64_t kernel_bytes);

#endif
