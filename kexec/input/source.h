/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A payload as a stream of bytes: parts of files, one behind another, each decompressed on the way if it is compressed. Most
 * are one whole file; a vmlinux is its segments with zeros between, several initrds are one with padding between.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include "codec.h"
#include "sys.h"

#define SOURCE_IN_BYTES	(256u << 10)
#define SOURCE_FILES	18	/* sixteen initrds, and what is unpacked */
#define SOURCE_PARTS	(2 * 18)	/* each with padding before it */
#define SOURCE_ZEROS	(-1)

struct source_file {
	const char *path;		/* as it was given */
	char *whole_path;		/* from the root, without links; null: not known */
	int fd;
	uint64_t bytes;
	bool borrowed;			/* another source closes it */
	bool stamped;			/* not one that we made in memory: */
	struct sys_stamp stamp;		/* as it was when it was opened */
};

struct source_part {
	int file;			/* index; SOURCE_ZEROS: so many zeros */
	uint64_t at, bytes;		/* of the file, as it is */
	enum codec codec;
};

struct source {
	struct sys *sys;		/* null: not open */
	const char *path;		/* of the first file, for messages */
	struct source_file file[SOURCE_FILES];
	unsigned int files;
	struct source_part part[SOURCE_PARTS];
	unsigned int parts;

	/* Where reading is. */
	unsigned int at_part;
	uint64_t part_done;		/* bytes of the part as it is, that were read from the file */
	struct decoder *decoder;
	unsigned char *in;		/* SOURCE_IN_BYTES, once something is compressed */
	size_t in_at, in_end;
	bool part_ended;		/* the decompressed part is complete */
};

/*
 * Open path, as one part, as it is. A pipe or a device may give most_bytes.
 *
 * Errors: KX_OPEN, KX_READ, KX_TOO_BIG, KX_NO_MEMORY, KX_INTERRUPTED; *fail says which file
 */
enum kx_err source_open(struct source *source, struct sys *sys, const char *path, uint64_t most_bytes, struct fail *fail);

/* Another file behind what there is, at the next multiple of align_bytes. Errors: as above, KX_TOO_MANY_FILES */
enum kx_err source_append(struct source *source, const char *path, uint64_t most_bytes, uint64_t align_bytes,
			  struct fail *fail);

/* A part of what another source has open; that one must stay open as long. Errors: KX_NO_MEMORY */
enum kx_err source_borrow(struct source *source, const struct source *from, struct source_part part, struct fail *fail);
void source_close(struct source *source);

/* Read these parts instead, from their beginning. Errors: KX_READ, KX_NO_MEMORY; KX_TOO_MANY_FILES: too many parts */
enum kx_err source_set(struct source *source, const struct source_part *parts, unsigned int count, struct fail *fail);

/* Start again from the beginning. Errors: KX_READ, KX_NO_MEMORY */
enum kx_err source_rewind(struct source *source, struct fail *fail);

/* Read bytes into out; *got is less only at the end. Errors: KX_READ, KX_CHANGED, KX_COMPRESSED_BAD,
 * KX_COMPRESSED_SHORT, KX_NO_MEMORY, KX_INTERRUPTED */
enum kx_err source_read(struct source *source, void *out, size_t bytes, size_t *got, struct fail *fail);

/* The bytes at that offset of all of it, none of which is compressed and all of which are there; where reading is does not change.
 * Errors: KX_READ, KX_CHANGED, KX_INTERRUPTED */
enum kx_err source_read_at(const struct source *source, uint64_t at, void *out, size_t bytes, struct fail *fail);

/* Let the bytes from from_at to to_at be those of a file in memory instead, which is the source's from now on, on failure too. None of the
 * parts is compressed. Errors: KX_TOO_MANY_FILES, KX_READ, KX_NO_MEMORY */
enum kx_err source_replace(struct source *source, uint64_t from_at, uint64_t to_at, int fd, uint64_t bytes, struct fail *fail);

/* Close the last file, which no part is of any more. */
void source_drop_last(struct source *source);

/* A descriptor of a file that holds all of it and nothing else: the file itself if it is one whole, else one in memory, of at
 * most most_bytes. The source keeps it. Errors: as for source_spool() */
enum kx_err source_fd(struct source *source, uint64_t most_bytes, int *fd, struct fail *fail);

/* Whether the files are still as they were opened, once all was read. Errors: KX_CHANGED, KX_READ */
enum kx_err source_check(struct source *source, struct fail *fail);

/* How long all of it is; 0: only reading tells, since something is compressed. */
uint64_t source_bytes(const struct source *source);

/* Read everything, and let it be one part of one more file, in memory. At most most_bytes. Errors: as above, KX_TOO_BIG */
enum kx_err source_spool(struct source *source, uint64_t most_bytes, struct fail *fail);

#endif
