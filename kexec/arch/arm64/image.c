/* SPDX-License-Identifier: GPL-2.0-only */
#include "image.h"

#include "bytes.h"
#include "kexec_abi.h"
#include "pe.h"

#include <string.h>

#define OFF_TEXT_OFFSET		8
#define OFF_IMAGE_SIZE		16
#define OFF_FLAGS		24
#define OFF_MAGIC		56

#define FLAG_BIG_ENDIAN		0x1
#define FLAG_PAGE_SHIFT		1
#define FLAG_PAGE_MASK		0x3
#define FLAG_ANYWHERE		0x8

#define IMAGE_SIZE_MAX		GIB(4)	/* far beyond any kernel; keeps sums from overflowing */

/*
 * How long the file is, by the PE header that a kernel with an EFI stub carries: the end of its last section. The Image
 * header itself does not say, since image_size counts the BSS. 0 if there is no such header in reach.
 */
static uint64_t pe_file_bytes(const unsigned char *header, size_t header_bytes)
{
	struct pe_section section;
	uint64_t end = 0;
	struct pe pe;

	if (!pe_open(&pe, header, header_bytes))
		return 0;
	while (pe_next(&pe, &section))
		if (section.file_at + section.file_bytes > end)
			end = section.file_at + section.file_bytes;
	return end;
}

enum kx_err arm64_image_parse(struct arm64_image *image, const unsigned char *header, size_t header_bytes,
			      uint64_t file_bytes)
{
	uint64_t flags;

	if (header_bytes < ARM64_IMAGE_HEADER_BYTES || memcmp(header + OFF_MAGIC, "ARM\x64", 4) != 0)
		return KX_NOT_IMAGE;
	flags = load_le(header + OFF_FLAGS, 8);
	*image = (struct arm64_image){
		.text_offset = load_le(header + OFF_TEXT_OFFSET, 8),
		.image_size = load_le(header + OFF_IMAGE_SIZE, 8),
		.anywhere = flags & FLAG_ANYWHERE,
	};

	/* booting.rst: "Prior to v3.17, the endianness of text_offset was not specified. In these cases image_size is
	   zero and text_offset is 0x80000 in the endianness of the kernel." The size of such a kernel is not known:
	   16 MiB is what kexec-tools leaves it; one whose file is long gets half as much again for its BSS. */
	if (!image->image_size) {
		if (file_bytes > IMAGE_SIZE_MAX / 2)
			return KX_IMAGE_HEADER;
		image->text_offset = KIB(512);
		image->image_size = align_up(file_bytes + file_bytes / 2, KIB(64));
		if (image->image_size < MIB(16))
			image->image_size = MIB(16);
		return KX_OK;
	}
	if (flags & FLAG_BIG_ENDIAN)
		return KX_IMAGE_BIG_ENDIAN;
	/* "Bit 1-2: Kernel Page size. 0 - Unspecified. 1 - 4K, 2 - 16K, 3 - 64K" */
	if (flags >> FLAG_PAGE_SHIFT & FLAG_PAGE_MASK)
		image->page_shift = 10 + 2 * (unsigned int)(flags >> FLAG_PAGE_SHIFT & FLAG_PAGE_MASK);
	if (image->image_size > IMAGE_SIZE_MAX || image->text_offset >= MIB(2) || image->text_offset % KIB(4))
		return KX_IMAGE_HEADER;
	if (file_bytes > image->image_size)
		return KX_IMAGE_HEADER;
	if (file_bytes && file_bytes < pe_file_bytes(header, header_bytes))
		return KX_IMAGE_TRUNCATED;
	return KX_OK;
}

struct plan_rules arm64_plan_rules(uint64_t page_bytes)
{
	return (struct plan_rules){
		/* booting.rst: "If an initrd/initramfs is passed to the kernel at boot, it must reside entirely within
		   a 1 GB aligned physical memory window of up to 32 GB in size that fully covers the kernel Image as
		   well." */
		.span_align_bytes = GIB(1),
		.span_bytes = GIB(32),
		/* Purgatory's tables reach 48 bits. */
		.pa_limit = 1ull << 48,
		.page_bytes = page_bytes,
		.segments_max = KEXEC_SEGMENT_MAX,
	};
}
