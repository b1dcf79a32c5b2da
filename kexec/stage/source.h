/* SPDX-License-Identifier: GPL-2.0-only */
/* A payload file, read in order, decompressed on the way if it is compressed. */
#ifndef SOURCE_H
#define SOURCE_H

#include "codec.h"
#include "sys.h"

#define SOURCE_IN_BYTES	(256u << 10)

struct source {
	struct sys *sys;
	int fd;
	const char *path;
	uint64_t file_bytes;		/* of the file as it is */
	enum codec codec;
	struct decoder *decoder;
	unsigned char *in;		/* SOURCE_IN_BYTES, when compressed */
	size_t in_at, in_end;
	bool in_over;			/* the file is read to its end */
	bool ended;			/* the decompressed stream is complete */
};

/*
 * Open path. With decompress, a compressed file is read as what is in it, all its members one after another; without, as
 * it is. A pipe or a device may give most_bytes.
 *
 * Errors: KX_OPEN, KX_READ, KX_TOO_BIG, KX_NO_MEMORY, KX_INTERRUPTED; *fail says which file
 */
enum kx_err source_open(struct source *source, struct sys *sys, const char *path, uint64_t most_bytes, bool decompress,
			struct fail *fail);
void source_close(struct source *source);

/* Start again from the beginning. Errors: KX_READ, KX_NO_MEMORY */
enum kx_err source_rewind(struct source *source, struct fail *fail);

/* Read bytes into out; *got is less only at the end. Errors: KX_READ, KX_COMPRESSED_BAD, KX_NO_MEMORY */
enum kx_err source_read(struct source *source, void *out, size_t bytes, size_t *got, struct fail *fail);

#endif
