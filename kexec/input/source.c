/* SPDX-License-Identifier: GPL-2.0-only */
#include "source.h"

#include "bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum kx_err file_error(const struct source *s, int err, const char *path, struct fail *fail)
{
	switch (err) {
	case -EINTR:
		return fail_set(fail, KX_INTERRUPTED, "%s", path ? path : s->path);
	case -EFBIG:
		return fail_set(fail, KX_TOO_BIG, "%s", path ? path : s->path);
	case -ENOMEM:
		return fail_set(fail, KX_NO_MEMORY, "%s", path ? path : s->path);
	default:
		return fail_set(fail, KX_READ, "%s (%s)", path ? path : s->path, strerror(-err));
	}
}

static const struct source_part *part_of(const struct source *s)
{
	return &s->part[s->at_part];
}

static const char *path_of(const struct source *s)
{
	return s->at_part < s->parts && part_of(s)->file != SOURCE_ZEROS ? s->file[part_of(s)->file].path : s->path;
}

static enum kx_err begin_member(struct source *s, enum codec codec, struct fail *fail)
{
	decoder_close(s->decoder);
	s->decoder = NULL;
	if (!codec_is_built_in(codec))
		return fail_set(fail, KX_CODEC_LEFT_OUT, "%s (%s)", path_of(s), codec_name(codec));
	s->decoder = decoder_open(codec);
	return s->in && s->decoder ? KX_OK : fail_set(fail, KX_NO_MEMORY, "%s", path_of(s));
}

/* Begin the part that reading is at, if there is one. */
static enum kx_err begin_part(struct source *s, struct fail *fail)
{
	const struct source_part *part = part_of(s);

	decoder_close(s->decoder);
	s->decoder = NULL;
	s->part_done = 0;
	s->in_at = s->in_end = 0;
	s->part_ended = false;
	if (s->at_part >= s->parts || part->codec == CODEC_NONE)
		return KX_OK;
	if (!s->in)
		s->in = malloc(SOURCE_IN_BYTES);
	return begin_member(s, part->codec, fail);
}

enum kx_err source_rewind(struct source *source, struct fail *fail)
{
	source->at_part = 0;
	return begin_part(source, fail);
}

enum kx_err source_set(struct source *source, const struct source_part *parts, unsigned int count, struct fail *fail)
{
	if (count > SOURCE_PARTS)
		return fail_set(fail, KX_TOO_MANY_FILES, "%s", source->path);
	memmove(source->part, parts, count * sizeof(*parts));
	source->parts = count;
	return source_rewind(source, fail);
}

/* Whoever looks at it later is in another directory. */
static char *find_whole_path(struct sys *sys, int fd)
{
	char link[32], path[4096];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return sys->read_link(sys, link, path, sizeof(path)) < 0 || path[0] != '/' ? NULL : strdup(path);
}

static enum kx_err add_file(struct source *s, const char *path, uint64_t most_bytes, struct fail *fail)
{
	struct source_file *file = &s->file[s->files];
	int fd, err;

	if (s->files == SOURCE_FILES || s->parts == SOURCE_PARTS)
		return fail_set(fail, KX_TOO_MANY_FILES, "%s", path);
	fd = s->sys->open_file(s->sys, path, most_bytes, &file->bytes);
	if (fd == -EFBIG || fd == -EINTR || fd == -EIO || fd == -ENOSPC)
		return file_error(s, fd, path, fail);
	if (fd < 0)
		return fail_set(fail, KX_OPEN, "%s (%s)", path, strerror(-fd));
	file->path = path;
	file->fd = fd;
	file->borrowed = false;
	file->stamped = true;
	err = s->sys->stamp(s->sys, fd, path, &file->stamp);
	if (err) {
		s->sys->close(s->sys, fd);
		return file_error(s, err, path, fail);
	}
	file->bytes = file->stamp.bytes;
	file->whole_path = find_whole_path(s->sys, fd);
	s->part[s->parts++] = (struct source_part){ (int)s->files++, 0, file->bytes, CODEC_NONE };
	return KX_OK;
}

enum kx_err source_open(struct source *source, struct sys *sys, const char *path, uint64_t most_bytes, struct fail *fail)
{
	enum kx_err err;

	*source = (struct source){ .sys = sys, .path = path };
	err = add_file(source, path, most_bytes, fail);
	if (!err)
		err = source_rewind(source, fail);
	if (err)
		source_close(source);
	return err;
}

enum kx_err source_append(struct source *source, const char *path, uint64_t most_bytes, uint64_t align_bytes,
			  struct fail *fail)
{
	uint64_t bytes = source_bytes(source), padding = align_up(bytes, align_bytes) - bytes;

	if (padding && source->parts == SOURCE_PARTS)
		return fail_set(fail, KX_TOO_MANY_FILES, "%s", path);
	if (padding)
		source->part[source->parts++] = (struct source_part){ SOURCE_ZEROS, 0, padding, CODEC_NONE };
	return add_file(source, path, most_bytes, fail);
}

enum kx_err source_borrow(struct source *source, const struct source *from, struct source_part part, struct fail *fail)
{
	*source = (struct source){ .sys = from->sys, .path = from->path, .files = 1, .parts = 1 };
	source->file[0] = from->file[part.file];
	source->file[0].borrowed = true;
	part.file = 0;
	source->part[0] = part;
	return source_rewind(source, fail);
}

void source_close(struct source *source)
{
	unsigned int i;

	if (!source->sys)
		return;
	decoder_close(source->decoder);
	free(source->in);
	for (i = 0; i < source->files; i++)
		if (!source->file[i].borrowed) {
			source->sys->close(source->sys, source->file[i].fd);
			free(source->file[i].whole_path);
		}
	*source = (struct source){ 0 };
}

uint64_t source_bytes(const struct source *source)
{
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; i < source->parts; i++) {
		if (source->part[i].codec != CODEC_NONE)
			return 0;
		bytes += source->part[i].bytes;
	}
	return bytes;
}

/* Bytes of the part as it is. *got is less only at its end, or at the file's, should that have become shorter. */
static enum kx_err read_raw(struct source *s, unsigned char *out, size_t bytes, size_t *got, struct fail *fail)
{
	const struct source_part *part = part_of(s);
	ssize_t n;

	*got = 0;
	if (bytes > part->bytes - s->part_done)
		bytes = part->bytes - s->part_done;
	if (part->file == SOURCE_ZEROS) {
		memset(out, 0, bytes);
		*got = bytes;
	}
	while (*got < bytes) {
		n = s->sys->read(s->sys, s->file[part->file].fd, part->at + s->part_done + *got, out + *got,
				 bytes - *got);
		if (n < 0)
			return file_error(s, (int)n, path_of(s), fail);
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	s->part_done += *got;
	return KX_OK;
}

/* Have at least so many bytes of input at hand, unless the part ends before. */
static enum kx_err refill(struct source *s, size_t wanted, struct fail *fail)
{
	enum kx_err err;
	size_t got;

	if (s->in_end - s->in_at >= wanted)
		return KX_OK;
	memmove(s->in, s->in + s->in_at, s->in_end - s->in_at);
	s->in_end -= s->in_at;
	s->in_at = 0;
	err = read_raw(s, s->in + s->in_end, SOURCE_IN_BYTES - s->in_end, &got, fail);
	s->in_end += got;
	return err;
}

/* xz, "Stream Padding": zeros, four at a time */
#define XZ_PADDING_BYTES	4

static enum kx_err skip_padding(struct source *s, struct fail *fail)
{
	enum kx_err err = refill(s, CODEC_PROBE_BYTES, fail);

	while (!err && part_of(s)->codec == CODEC_XZ && s->in_end - s->in_at >= XZ_PADDING_BYTES &&
	       !load_le(s->in + s->in_at, XZ_PADDING_BYTES)) {
		s->in_at += XZ_PADDING_BYTES;
		err = refill(s, CODEC_PROBE_BYTES, fail);
	}
	return err;
}

/* A member is complete. Files of most formats may hold another one; anything else behind it is padding. */
static enum kx_err next_member(struct source *s, struct fail *fail)
{
	enum kx_err err = skip_padding(s, fail);
	enum codec next;

	if (err)
		return err;
	next = codec_next(part_of(s)->codec, s->in + s->in_at, s->in_end - s->in_at);
	s->part_ended = next == CODEC_NONE;
	if (s->part_ended)
		return KX_OK;
	return begin_member(s, next, fail);
}

static enum kx_err read_decoded(struct source *s, unsigned char *out, size_t bytes, size_t *got, struct fail *fail)
{
	enum kx_err err;

	*got = 0;
	while (*got < bytes && !s->part_ended) {
		size_t in_bytes, out_bytes = bytes - *got;
		bool end;

		err = refill(s, 1, fail);
		if (err)
			return err;
		in_bytes = s->in_end - s->in_at;
		err = decoder_run(s->decoder, s->in + s->in_at, &in_bytes, out + *got, &out_bytes, &end);
		if (err)
			return fail_set(fail, err, "%s", path_of(s));
		s->in_at += in_bytes;
		*got += out_bytes;
		if (end)
			err = next_member(s, fail);
		if (err)
			return err;
		if (s->in_at == s->in_end && s->part_done == part_of(s)->bytes && decoder_may_end(s->decoder)) {
			s->part_ended = true;
			break;
		}
		/* The input is over, the stream is not, and nothing moves any more: it was cut off. */
		if (s->in_at == s->in_end && s->part_done == part_of(s)->bytes && !in_bytes && !out_bytes && !end)
			return fail_set(fail, KX_COMPRESSED_SHORT, "%s", path_of(s));
		/* A file that became shorter than it was when it was opened. */
		if (!in_bytes && !out_bytes && !end && s->in_at == s->in_end)
			return fail_set(fail, KX_CHANGED, "%s", path_of(s));
	}
	return KX_OK;
}

/* A part that is over ended where its file did when it was opened: so it should still. */
static enum kx_err check_end(struct source *s, struct fail *fail)
{
	const struct source_part *part = part_of(s);
	unsigned char beyond;
	ssize_t n = 0;

	if (s->decoder || part->file == SOURCE_ZEROS)
		return KX_OK;
	if (s->part_done == part->bytes && part->at + part->bytes == s->file[part->file].bytes)
		n = s->sys->read(s->sys, s->file[part->file].fd, part->at + part->bytes, &beyond, 1);
	if (n < 0)
		return file_error(s, (int)n, path_of(s), fail);
	return n || s->part_done < part->bytes ? fail_set(fail, KX_CHANGED, "%s", path_of(s)) : KX_OK;
}

enum kx_err source_read(struct source *source, void *out, size_t bytes, size_t *got, struct fail *fail)
{
	enum kx_err err;
	size_t n;

	*got = 0;
	while (*got < bytes && source->at_part < source->parts) {
		unsigned char *to = (unsigned char *)out + *got;

		if (source->decoder)
			err = read_decoded(source, to, bytes - *got, &n, fail);
		else
			err = read_raw(source, to, bytes - *got, &n, fail);
		if (err)
			return err;
		*got += n;
		if (*got == bytes)
			break;
		err = check_end(source, fail);
		if (err)
			return err;
		source->at_part++;
		err = begin_part(source, fail);
		if (err)
			return err;
	}
	return KX_OK;
}

enum kx_err source_read_at(const struct source *source, uint64_t at, void *out, size_t bytes, struct fail *fail)
{
	unsigned char *to = out;
	unsigned int i;

	for (i = 0; i < source->parts && bytes; at -= source->part[i++].bytes) {
		const struct source_part *part = &source->part[i];
		size_t n = bytes, done = 0;

		if (at >= part->bytes)
			continue;
		if (n > part->bytes - at)
			n = (size_t)(part->bytes - at);
		if (part->file == SOURCE_ZEROS)
			memset(to, 0, n);
		while (part->file != SOURCE_ZEROS && done < n) {
			const struct source_file *file = &source->file[part->file];
			ssize_t got = source->sys->read(source->sys, file->fd, part->at + at + done, to + done, n - done);

			if (got < 0)
				return file_error(source, (int)got, file->path, fail);
			if (!got)
				return fail_set(fail, KX_CHANGED, "%s", file->path);
			done += (size_t)got;
		}
		to += n;
		bytes -= n;
		at = part->bytes;
	}
	return KX_OK;
}

/* What lies between two offsets of all parts, behind the count parts that are there already. */
static unsigned int cut_parts(const struct source *s, uint64_t from_at, uint64_t to_at, struct source_part *to, unsigned int count)
{
	uint64_t at = 0;
	unsigned int i;

	for (i = 0; i < s->parts && count < SOURCE_PARTS; at += s->part[i++].bytes) {
		struct source_part part = s->part[i];
		uint64_t start = from_at > at ? from_at - at : 0;
		uint64_t end = to_at < at + part.bytes ? to_at - at : part.bytes;

		if (to_at <= at || start >= end)
			continue;
		part.at += start;
		part.bytes = end - start;
		to[count++] = part;
	}
	return count;
}

enum kx_err source_replace(struct source *source, uint64_t from_at, uint64_t to_at, int fd, uint64_t bytes, struct fail *fail)
{
	struct source_part part[SOURCE_PARTS];
	unsigned int count = cut_parts(source, 0, from_at, part, 0);

	if (source->files == SOURCE_FILES || count == SOURCE_PARTS) {
		source->sys->close(source->sys, fd);
		return fail_set(fail, KX_TOO_MANY_FILES, "%s", source->path);
	}
	part[count++] = (struct source_part){ (int)source->files, 0, bytes, CODEC_NONE };
	source->file[source->files++] = (struct source_file){ .path = source->path, .fd = fd, .bytes = bytes };
	count = cut_parts(source, to_at, source_bytes(source), part, count);
	return source_set(source, part, count, fail);
}

void source_drop_last(struct source *source)
{
	source->sys->close(source->sys, source->file[--source->files].fd);
}

/*
 * Whoever writes to a file in place changes its times. A file that is replaced while it is read (rename(2), as package managers
 * do it) is whole all the same; but giving and taking names changes the inode's ctime, so then the last write decides.
 */
static bool is_changed(const struct sys_stamp *before, const struct sys_stamp *now)
{
	bool same_names = now->named == before->named && now->links == before->links;

	return now->inode != before->inode || now->bytes != before->bytes || now->mtime_ns != before->mtime_ns ||
	       (same_names && now->ctime_ns != before->ctime_ns);
}

enum kx_err source_check(struct source *source, struct fail *fail)
{
	struct sys_stamp now;
	unsigned int i;
	int err;

	for (i = 0; i < source->files; i++) {
		const struct source_file *file = &source->file[i];

		if (!file->stamped)
			continue;
		err = source->sys->stamp(source->sys, file->fd, file->path, &now);
		if (err)
			return file_error(source, err, file->path, fail);
		if (is_changed(&file->stamp, &now))
			return fail_set(fail, KX_CHANGED, "%s", file->path);
	}
	return KX_OK;
}

/* Copy what is read into a file in memory. */
static enum kx_err copy_to(struct source *s, int fd, uint64_t most_bytes, uint64_t *bytes, struct fail *fail)
{
	unsigned char *chunk = malloc(SOURCE_IN_BYTES);
	enum kx_err err = chunk ? source_rewind(s, fail) : fail_set(fail, KX_NO_MEMORY, "%s", s->path);
	size_t got = 1;
	int written;

	*bytes = 0;
	while (!err && got) {
		err = source_read(s, chunk, SOURCE_IN_BYTES, &got, fail);
		*bytes += got;
		if (!err && *bytes > most_bytes)
			err = fail_set(fail, KX_TOO_BIG, "%s", s->path);
		if (!err && s->sys->interrupted(s->sys))
			err = fail_set(fail, KX_INTERRUPTED, "%s", s->path);
		written = err ? 0 : s->sys->write(s->sys, fd, chunk, got);
		if (written < 0)
			err = file_error(s, written, s->path, fail);
	}
	free(chunk);
	return err ? err : source_check(s, fail);
}

enum kx_err source_spool(struct source *source, uint64_t most_bytes, struct fail *fail)
{
	struct source_part whole = { 0, 0, 0, CODEC_NONE };
	int fd = source->sys->make_file(source->sys);
	enum kx_err err;

	if (fd < 0)
		return file_error(source, fd, source->path, fail);
	err = copy_to(source, fd, most_bytes, &whole.bytes, fail);
	if (err) {
		source->sys->close(source->sys, fd);
		return err;
	}
	if (source->files == SOURCE_FILES) {
		source->sys->close(source->sys, fd);
		return fail_set(fail, KX_TOO_MANY_FILES, "%s", source->path);
	}
	whole.file = (int)source->files;
	source->file[source->files++] = (struct source_file){ .path = source->path, .fd = fd, .bytes = whole.bytes };
	return source_set(source, &whole, 1, fail);
}

enum kx_err source_fd(struct source *source, uint64_t most_bytes, int *fd, struct fail *fail)
{
	const struct source_part *part = &source->part[0];
	enum kx_err err = KX_OK;

	if (source->parts != 1 || part->file == SOURCE_ZEROS || part->at || part->codec != CODEC_NONE ||
	    part->bytes != source->file[part->file].bytes)
		err = source_spool(source, most_bytes, fail);
	if (!err)
		*fd = source->file[source->part[0].file].fd;
	return err;
}
