/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign.h"

#include <string.h>

/* Kernels are often EFI programs as well, so they come first. */
static const struct kind {
	size_t offset;
	const char *magic;
	size_t bytes;
	const char *name;
	bool kernel, boot_sector;
} kinds[] = {
	/* Documentation/arch/x86/boot.rst: "HdrS" at 0x202, and 0xaa55 at 0x1fe, as boot sectors have it. */
	{ 0x202, "HdrS", 4, "an x86 kernel (bzImage)", true, true },
	{ 36, "\x18\x28\x6f\x01", 4, "a kernel for 32-bit Arm (zImage)", true, false },
	{ 56, "RSC\x05", 4, "a RISC-V kernel (Image)", true, false },
	{ 0, "\xd0\x0d\xfe\xed", 4, "a device tree or FIT image", false, false },
	{ 0, "070701", 6, "a cpio archive (an initrd?)", false, false },
	{ 0, "!<arch>", 7, "an ar archive or Debian package", false, false },
	{ 0, "#!", 2, "a script", false, false },
	{ 0, "MZ", 2, "an EFI program", false, false },
};

static bool has(const unsigned char *start, size_t bytes, size_t offset, const char *magic, size_t magic_bytes)
{
	return bytes >= offset + magic_bytes && memcmp(start + offset, magic, magic_bytes) == 0;
}

static const struct kind *find(const unsigned char *start, size_t bytes)
{
	const struct kind *kind;

	for (kind = kinds; kind < kinds + sizeof(kinds) / sizeof(kinds[0]); kind++)
		if (has(start, bytes, kind->offset, kind->magic, kind->bytes) &&
		    (!kind->boot_sector || has(start, bytes, 0x1fe, "\x55\xaa", 2)))
			return kind;
	return NULL;
}

bool foreign_kernel(const unsigned char *start, size_t bytes)
{
	const struct kind *kind = find(start, bytes);

	return kind && kind->kernel;
}

const char *foreign_name(const unsigned char *start, size_t bytes)
{
	const struct kind *kind = find(start, bytes);
	size_t i;

	if (!bytes)
		return "empty";
	if (kind)
		return kind->name;
	for (i = 0; i < bytes && i < 512; i++)
		if (start[i] != '\n' && start[i] != '\t' && start[i] != '\r' && (start[i] < ' ' || start[i] > '~'))
			return "of no known kind";
	return "a text file";
}
