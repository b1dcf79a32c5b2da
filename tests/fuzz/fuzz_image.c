/* SPDX-License-Identifier: GPL-2.0-only */
/* Image headers, compressed or not: what is accepted makes sense, what is not has a name. */
#include "codec.h"
#include "foreign.h"
#include "image.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void decompress(enum codec codec, const uint8_t *data, size_t bytes)
{
	struct decoder *decoder = decoder_open(codec);
	unsigned char out[4096];
	size_t at = 0, made = 0;
	bool end = false;

	while (decoder && !end) {
		size_t in = bytes - at, room = sizeof(out);

		if (decoder_run(decoder, data + at, &in, out, &room, &end))
			break;
		if (in > bytes - at || room > sizeof(out))
			abort();
		at += in;
		made += room;
		if ((!in && !room) || made > MIB(16))
			break;
	}
	decoder_close(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	enum codec codec = codec_probe(data, bytes);
	struct arm64_image image;
	uint64_t file_bytes;

	for (file_bytes = 0; file_bytes <= bytes; file_bytes += bytes ? bytes : 1) {
		if (arm64_image_parse(&image, data, bytes, file_bytes) != KX_OK)
			continue;
		if (!image.image_size || image.image_size < file_bytes || image.image_size > GIB(4) ||
		    image.text_offset >= PLAN_SLOT_BYTES)
			abort();
	}
	if (!foreign_name(data, bytes)[0])
		abort();
	if (codec != CODEC_NONE && codec_is_built_in(codec))
		decompress(codec, data, bytes);
	return 0;
}
