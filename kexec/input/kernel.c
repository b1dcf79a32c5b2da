/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding the kernel in a file: through compressions and containers, whichever way round, down to an arm64 Image. */
#include "inputs.h"

#include "container.h"
#include "foreign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX	6	/* a compressed UKI that holds a vmlinuz that holds an Image, and then some */

/* One look at what the source gives now. */
struct look {
	unsigned char head[CONTAINER_LOOK_BYTES];
	size_t head_bytes;
	uint64_t bytes;		/* 0: not known, it is compressed */
};

static enum kx_err take_look(struct source *source, struct look *look, struct fail *fail)
{
	enum kx_err err = source_rewind(source, fail);

	if (!err)
		err = source_read(source, look->head, sizeof(look->head), &look->head_bytes, fail);
	look->bytes = source_bytes(source);
	return err;
}

/* "uki, vmlinuz, zstd" */
static void found(struct inputs *in, const char *what)
{
	size_t used = strlen(in->format);

	snprintf(in->format + used, sizeof(in->format) - used, "%s%s", used ? ", " : "", what);
}

static struct source_part part_in(const struct source_part *outer, struct extent inner, enum codec codec)
{
	return (struct source_part){ outer->file, outer->at + inner.at, inner.bytes, codec };
}

static enum kx_err check_uimage(struct source *source, uint32_t expected, struct fail *fail)
{
	unsigned char *chunk = malloc(SOURCE_IN_BYTES);
	enum kx_err err = chunk ? source_rewind(source, fail) : fail_set(fail, KX_NO_MEMORY, "%s", source->path);
	uint32_t crc = 0;
	size_t got = 1;

	while (!err && got) {
		err = source_read(source, chunk, SOURCE_IN_BYTES, &got, fail);
		if (!err)
			crc = codec_crc32(crc, chunk, got);
	}
	free(chunk);
	if (!err && crc != expected)
		err = fail_set(fail, KX_CONTAINER_BAD, "%s", source->path);
	return err;
}

/* What a UKI brings along, for whom no option says otherwise. */
static void remember_extras(struct inputs *in, const struct container *c, const struct source_part *outer)
{
	in->uki_initrd = part_in(outer, c->initrd, CODEC_NONE);
	in->uki_cmdline = part_in(outer, c->cmdline, CODEC_NONE);
	in->uki_dtb = part_in(outer, c->dtb, CODEC_NONE);
}

static enum kx_err open_vmlinux(struct source *source, const struct container *c, struct fail *fail)
{
	struct source_part outer = source->part[0], parts[2 * CONTAINER_SEGMENTS];
	uint64_t at = 0;
	unsigned int i, count = 0;

	for (i = 0; i < c->segments; i++) {
		const struct elf_segment *segment = &c->segment[i];

		if (segment->image_at > at)
			parts[count++] = (struct source_part){ SOURCE_ZEROS, 0, segment->image_at - at, CODEC_NONE };
		parts[count++] = part_in(&outer, segment->file, CODEC_NONE);
		at = segment->image_at + segment->file.bytes;
	}
	return source_set(source, parts, count, fail);
}

/* The names that the kernel's build gives the compressions of vmlinuz (scripts/Makefile.lib, zboot-method). */
static enum codec zboot_codec(const char *name, const unsigned char *head, size_t head_bytes)
{
	enum codec probed = codec_probe(head, head_bytes);

	if (strcmp(name, "lzma") == 0)
		return CODEC_LZMA;
	return probed;
}

static enum kx_err open_container(struct inputs *in, struct source *source, const struct container *c, struct fail *fail)
{
	struct source_part outer = source->part[0], inner = part_in(&outer, c->kernel, CODEC_NONE);
	unsigned char head[CODEC_PROBE_BYTES];
	enum kx_err err;
	size_t got;

	found(in, container_name(c->kind));
	if (!in->type)
		in->type = container_name(c->kind);
	if (c->kind == CONTAINER_VMLINUX)
		return open_vmlinux(source, c, fail);
	err = source_set(source, &inner, 1, fail);
	if (!err && c->kind == CONTAINER_UIMAGE)
		err = check_uimage(source, c->data_crc, fail);
	if (!err && c->kind == CONTAINER_UKI)
		remember_extras(in, c, &outer);
	if (err || c->kind != CONTAINER_ZBOOT)
		return err;
	err = source_read(source, head, sizeof(head), &got, fail);
	if (err)
		return err;
	inner.codec = zboot_codec(c->compression, head, got);
	if (inner.codec == CODEC_NONE)
		return fail_set(fail, KX_CONTAINER_BAD, "%s (compressed with %s)", source->path, c->compression);
	found(in, codec_name(inner.codec));
	return source_set(source, &inner, 1, fail);
}

static bool is_image(const struct look *look)
{
	struct arm64_image image;

	return arm64_image_parse(&image, look->head, look->head_bytes, 0) != KX_NOT_IMAGE;
}

/* Something compressed that is no Image is put into memory: containers are not read from front to back. */
static enum kx_err open_compressed(struct inputs *in, struct source *source, enum codec codec, struct look *look,
				   struct fail *fail)
{
	enum kx_err err;

	source->part[0].codec = codec;
	found(in, codec_name(codec));
	err = take_look(source, look, fail);
	if (!err && !is_image(look))
		err = source_spool(source, budget_spool_bytes(&in->budget, in->sys), fail);
	return err;
}

static enum kx_err no_kernel(const struct inputs *in, const struct look *look, struct fail *fail)
{
	return fail_set(fail, KX_NOT_IMAGE, "%s%s%s%s is %s", in->request->kernel, in->format[0] ? " (" : "", in->format,
			in->format[0] ? ")" : "", foreign_name(look->head, look->head_bytes));
}

static enum kx_err find(struct inputs *in, struct source *source, struct look *look, struct fail *fail)
{
	struct container container;
	enum kx_err err;
	enum codec codec;
	unsigned int depth;

	for (depth = 0; depth < DEPTH_MAX; depth++) {
		err = take_look(source, look, fail);
		if (err)
			return err;
		if (is_image(look)) {
			if (!in->type)
				in->type = container_name(CONTAINER_NONE);
			return KX_OK;
		}
		if (source->parts > 1)
			return no_kernel(in, look, fail);	/* a vmlinux without an Image header */
		err = look->bytes ? container_parse(&container, look->head, look->head_bytes, look->bytes) : KX_OK;
		if (err == KX_CONTAINER_ARCH && foreign_kernel(look->head, look->head_bytes))
			return no_kernel(in, look, fail);
		if (err)
			return fail_set(fail, err, "%s", in->request->kernel);
		codec = codec_probe(look->head, look->head_bytes);
		if (look->bytes && container.kind != CONTAINER_NONE)
			err = open_container(in, source, &container, fail);
		else if (look->bytes && codec != CODEC_NONE)
			err = open_compressed(in, source, codec, look, fail);
		else if (!look->bytes && look->head_bytes)
			err = source_spool(source, budget_spool_bytes(&in->budget, in->sys), fail);
		else
			return no_kernel(in, look, fail);
		if (err)
			return err;
	}
	return no_kernel(in, look, fail);
}

enum kx_err inputs_find_kernel(struct inputs *in, unsigned char *head, size_t room, size_t *got, struct fail *fail)
{
	struct source *source = &in->source[OBJECT_KERNEL];
	struct look *look = malloc(sizeof(*look));
	enum kx_err err;

	if (!look)
		return fail_set(fail, KX_NO_MEMORY, "%s", in->request->kernel);
	err = find(in, source, look, fail);
	if (!err)
		err = source_rewind(source, fail);
	*got = look->head_bytes < room ? look->head_bytes : room;
	memcpy(head, look->head, *got);
	free(look);
	return err;
}
