/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign.h"

#include <string.h>

static const struct {
	size_t offset;
	const char *magic;
	size_t bytes;
	const char *name;
} kinds[] = {
	{ 0, "\x7f" "ELF", 4, "an ELF file (vmlinux?); make an Image of it with objcopy -O binary" },
	{ 514, "HdrS", 4, "an x86 bzImage" },
	{ 4, "zimg", 4, "an EFI zboot image" },
	{ 36, "\x18\x28\x6f\x01", 4, "a 32-bit Arm zImage" },
	{ 56, "RSC\x05", 4, "a RISC-V Image" },
	{ 0, "\x27\x05\x19\x56", 4, "a U-Boot uImage" },
	{ 0, "\xd0\x0d\xfe\xed", 4, "a device tree or FIT image" },
	{ 0, "070701", 6, "a cpio archive (an initrd?)" },
	{ 0, "!<arch>", 7, "an ar archive or Debian package" },
	{ 0, "BZh", 3, "compressed with bzip2, which is not supported" },
	{ 0, "\x04\x22\x4d\x18", 4, "compressed with lz4, which is not supported" },
	{ 0, "\x02\x21\x4c\x18", 4, "compressed with lz4, which is not supported" },
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
