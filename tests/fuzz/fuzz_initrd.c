/* SPDX-License-Identifier: GPL-2.0-only */
/* An initrd of anybody's making: without its compression it means the same to a kernel, or it is left as it is. */
#include "initramfs_model.h"
#include "initrd.h"

#include <stdlib.h>
#include <string.h>

#define MOST_BYTES	(4u << 20)

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes);

struct io {
	const unsigned char *data;
	size_t bytes, written_bytes;
	unsigned char *written;
};

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static enum kx_err read_data(void *arg, uint64_t at, void *out, size_t bytes)
{
	const struct io *io = arg;

	demand(bytes <= io->bytes && at <= io->bytes - bytes);
	memcpy(out, io->data + at, bytes);
	return KX_OK;
}

static enum kx_err write_data(void *arg, const void *data, size_t bytes)
{
	struct io *io = arg;

	demand(bytes <= MOST_BYTES - io->written_bytes);
	memcpy(io->written + io->written_bytes, data, bytes);
	io->written_bytes += bytes;
	return KX_OK;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes)
{
	struct io io = { .data = data, .bytes = bytes, .written = malloc(MOST_BYTES) };
	const struct initrd_io calls = { read_data, write_data, &io };
	struct initrd_unpacked unpacked;
	unsigned char *whole;
	char *before, *after;
	size_t tail;

	demand(io.written != NULL);
	demand(initrd_unpack(&calls, bytes, MOST_BYTES, &unpacked) == KX_OK);
	(void)initrd_room_bytes(NULL, bytes, bytes);
	if (unpacked.members && !unpacked.left[0]) {
		demand(unpacked.written_bytes == io.written_bytes && unpacked.plain_bytes % 4 == 0 && unpacked.plain_bytes <= bytes &&
		       unpacked.trailer_at <= bytes);
		tail = bytes - (size_t)unpacked.trailer_at;
		whole = malloc(unpacked.plain_bytes + io.written_bytes + tail + 1);
		demand(whole != NULL);
		memcpy(whole, data, unpacked.plain_bytes);
		memcpy(whole + unpacked.plain_bytes, io.written, io.written_bytes);
		memcpy(whole + unpacked.plain_bytes + io.written_bytes, data + unpacked.trailer_at, tail);
		before = initramfs_model(data, bytes);
		after = initramfs_model(whole, unpacked.plain_bytes + io.written_bytes + tail);
		demand(strcmp(before, after) == 0 && !strstr(before, "error"));
		free(before);
		free(after);
		free(whole);
	}
	free(io.written);
	return 0;
}
