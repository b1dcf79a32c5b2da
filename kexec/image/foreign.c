/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign.h"

#include <string.h>

static const struct {
	size_t offset;
	const char *magic;
	size_t bytes;
	const char *name;
} kinds[] = {
	{ 514, "HdrS", 4, "an x86 bzImage" },
	{ 36, "\x18\x28\x6f\x01", 4, "a 32-bit Arm zImage" },
	{ 56, "RSC\x05", 4, "a RISC-V Image" },
	{ 0, "\xd0\x0d\xfe\xed", 4, "a device tree or FIT image" },
	{ 0, "070701", 6, "a cpio archive (an initrd?)" },
	{ 0, "!<arch>", 7, "an ar archive or Debian package" },
	{ 0, "#!", 2, "a script" },
	{ 0, "MZ", 2, "an EFI program" },
};

const char *foreign_name(const unsigned char *start, size_t bytes)
{
	size_t i;

	if (!bytes)
		return "empty";
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (bytes >= kinds[i].offset + kinds[i].bytes &&
		    memcmp(start + kinds[i].offset, kinds[i].magic, kinds[i].bytes) == 0)
			return kinds[i].name;
	for (i = 0; i < bytes && i < 512; i++)
		if (start[i] != '\n' && start[i] != '\t' && start[i] != '\r' && (start[i] < ' ' || start[i] > '~'))
			return "of no known kind";
	return "a text file";
}
