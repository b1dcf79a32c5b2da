/* SPDX-License-Identifier: GPL-2.0-only */
#include "source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static enum kx_err read_error(const struct source *s, int err, struct fail *fail)
{
	return fail_set(fail, err == -EINTR ? KX_INTERRUPTED : KX_READ, "%s (%s)", s->path, strerror(-err));
}

static enum kx_err start(struct source *s, bool probe, struct fail *fail)
{
	unsigned char first[CODEC_PROBE_BYTES];
	size_t have = 0;
	ssize_t n;

	while (probe && have < sizeof(first)) {
		n = s->sys->read(s->sys, s->fd, first + have, sizeof(first) - have);
		if (n < 0)
			return read_error(s, (int)n, fail);
		if (n == 0)
			break;
		have += (size_t)n;
	}
	if (probe)
		s->codec = codec_probe(first, have);
	if (s->sys->rewind(s->sys, s->fd) < 0)
		return fail_set(fail, KX_READ, "%s", s->path);
	s->in_at = s->in_end = 0;
	s->in_over = s->ended = false;
	decoder_close(s->decoder);
	s->decoder = NULL;
	if (s->codec == CODEC_NONE)
		return KX_OK;
	if (!s->in)
		s->in = malloc(SOURCE_IN_BYTES);
	s->decoder = decoder_open(s->codec);
	if (!s->in || !s->decoder)
		return fail_set(fail, KX_NO_MEMORY, "%s", s->path);
	return KX_OK;
}

enum kx_err source_open(struct source *source, struct sys *sys, const char *path, uint64_t most_bytes, bool decompress,
			struct fail *fail)
{
	enum kx_err err;
	int fd;

	*source = (struct source){ .path = path };
	fd = sys->open_file(sys, path, most_bytes, &source->file_bytes);
	if (fd == -EFBIG || fd == -EINTR)
		return fail_set(fail, fd == -EFBIG ? KX_TOO_BIG : KX_INTERRUPTED, "%s", path);
	if (fd == -EIO || fd == -ENOSPC)
		return fail_set(fail, KX_READ, "%s (%s)", path, strerror(-fd));
	if (fd < 0)
		return fail_set(fail, KX_OPEN, "%s (%s)", path, strerror(-fd));
	source->sys = sys;
	source->fd = fd;
	err = start(source, decompress, fail);
	if (err)
		source_close(source);
	return err;
}

void source_close(struct source *source)
{
	if (!source->sys)
		return;
	decoder_close(source->decoder);
	free(source->in);
	source->sys->close(source->sys, source->fd);
	*source = (struct source){ 0 };
}

enum kx_err source_rewind(struct source *source, struct fail *fail)
{
	return start(source, false, fail);
}

static enum kx_err read_plain(struct source *s, unsigned char *out, size_t bytes, size_t *got, struct fail *fail)
{
	while (*got < bytes) {
		ssize_t n = s->sys->read(s->sys, s->fd, out + *got, bytes - *got);

		if (n < 0)
			return read_error(s, (int)n, fail);
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	return KX_OK;
}

/* Have at least so many bytes of input at hand, unless the file ends before. */
static enum kx_err refill(struct source *s, size_t wanted, struct fail *fail)
{
	ssize_t n;

	if (s->in_end - s->in_at >= wanted)
		return KX_OK;
	memmove(s->in, s->in + s->in_at, s->in_end - s->in_at);
	s->in_end -= s->in_at;
	s->in_at = 0;
	while (s->in_end < wanted && !s->in_over) {
		n = s->sys->read(s->sys, s->fd, s->in + s->in_end, SOURCE_IN_BYTES - s->in_end);
		if (n < 0)
			return read_error(s, (int)n, fail);
		s->in_over = n == 0;
		s->in_end += (size_t)n;
	}
	return KX_OK;
}

/* A member is complete. Files of all these formats may hold another one; anything else behind it is padding. */
static enum kx_err next_member(struct source *s, struct fail *fail)
{
	enum kx_err err = refill(s, CODEC_PROBE_BYTES, fail);

	if (err)
		return err;
	s->ended = codec_probe(s->in + s->in_at, s->in_end - s->in_at) != s->codec;
	if (s->ended)
		return KX_OK;
	decoder_close(s->decoder);
	s->decoder = decoder_open(s->codec);
	return s->decoder ? KX_OK : fail_set(fail, KX_NO_MEMORY, "%s", s->path);
}

enum kx_err source_read(struct source *source, void *out, size_t bytes, size_t *got, struct fail *fail)
{
	enum kx_err err;

	*got = 0;
	if (source->codec == CODEC_NONE)
		return read_plain(source, out, bytes, got, fail);
	while (*got < bytes && !source->ended) {
		size_t in_bytes, out_bytes = bytes - *got;
		bool end;

		err = refill(source, 1, fail);
		if (err)
			return err;
		in_bytes = source->in_end - source->in_at;
		err = decoder_run(source->decoder, source->in + source->in_at, &in_bytes, (unsigned char *)out + *got,
				  &out_bytes, &end);
		if (err)
			return fail_set(fail, err, "%s", source->path);
		source->in_at += in_bytes;
		*got += out_bytes;
		if (end)
			err = next_member(source, fail);
		if (err)
			return err;
		/* The file is over, the stream is not, and nothing moves any more: it was cut off. */
		if (source->in_over && !in_bytes && !out_bytes && !end)
			return fail_set(fail, KX_COMPRESSED_BAD, "%s: it ends in the middle", source->path);
	}
	return KX_OK;
}
