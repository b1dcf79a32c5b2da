/* SPDX-License-Identifier: GPL-2.0-only */
#include "file_image.h"

#include "bytes.h"
#include "file_stub_abi.h"
#include "purgatory_abi.h"

#include <string.h>

size_t file_image_bytes(size_t control_bytes)
{
	return STUB_CONTROL_OFFSET + (size_t)align_up(control_bytes, PURG_UNIT_BYTES);
}

enum kx_err file_image_make(const struct file_image *image, unsigned char *out)
{
	size_t bytes = file_image_bytes(image->control_bytes);

	if (image->stub_bytes < STUB_LINE_BYTES + 8 || image->stub_bytes > STUB_CONTROL_OFFSET || memcmp(image->stub + 56, "ARM\x64", 4) != 0 ||
	    align_up(bytes, KIB(64)) + image->text_offset > FILE_IMAGE_HOLE_BYTES)
		return KX_INTERNAL;
	memset(out, 0, bytes);
	memcpy(out, image->stub, image->stub_bytes);
	memcpy(out + STUB_CONTROL_OFFSET, image->control, image->control_bytes);
	store_le(out + STUB_TEXT_OFFSET, image->text_offset, 8);
	store_le(out + STUB_IMAGE_SIZE, align_up(bytes, KIB(64)), 8);
	store_le(out + STUB_DST_PA, image->control_pa, 8);
	store_le(out + STUB_BYTES, align_up(image->control_bytes, PURG_UNIT_BYTES), 8);
	store_le(out + STUB_ENTRY_PA, image->entry_pa, 8);
	store_le(out + STUB_CONDUIT, image->conduit, 8);
	store_le(out + STUB_LINE_BYTES, image->line_bytes, 8);
	return KX_OK;
}
