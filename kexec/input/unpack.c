/* SPDX-License-Identifier: GPL-2.0-only */
/* The initrd without its compression: what one CPU of the next kernel would do before it starts anything, done while this one runs. */
#include "inputs.h"

#include "initrd.h"

#include <errno.h>
#include <string.h>

struct unpacking {
	struct inputs *in;
	const struct source *source;
	int fd;
	struct fail *fail;
};

static enum kx_err read_part(void *arg, uint64_t at, void *out, size_t bytes)
{
	const struct unpacking *u = arg;
	const struct load_request *request = u->in->request;

	if (request->progress)
		request->progress(PHASE_UNPACKING, at, source_bytes(u->source));
	return source_read_at(u->source, at, out, bytes, u->fail);
}

static enum kx_err write_part(void *arg, const void *data, size_t bytes)
{
	const struct unpacking *u = arg;
	struct sys *sys = u->in->sys;
	int err;

	if (sys->interrupted(sys))
		return fail_set(u->fail, KX_INTERRUPTED, "%s", u->source->path);
	err = sys->write(sys, u->fd, data, bytes);
	return err < 0 ? fail_set(u->fail, KX_NO_MEMORY, "%s (%s)", u->source->path, strerror(-err)) : KX_OK;
}

/* How long it may become: by what the next kernel has room for, and by what this one can hold twice, in memory and then staged. */
static uint64_t most_bytes(struct inputs *in, uint64_t ram_bytes, const char *cmdline)
{
	uint64_t here = budget_spool_bytes(&in->budget, in->sys);
	uint64_t there = initrd_room_bytes(cmdline, ram_bytes, in->object[OBJECT_KERNEL].memory_bytes);

	return in->request->unpack_initrd == UNPACK_YES || here < there ? here : there;
}

/* The parts that stay, and what takes the place of the others. */
static enum kx_err replace(struct inputs *in, const struct initrd_unpacked *unpacked, int fd, struct fail *fail)
{
	struct source *source = &in->source[OBJECT_INITRD];
	struct plan_object *object = &in->object[OBJECT_INITRD];
	enum kx_err err;

	memcpy(in->packed_part, source->part, sizeof(in->packed_part));
	in->packed_parts = source->parts;
	err = source_replace(source, unpacked->plain_bytes, unpacked->trailer_at, fd, unpacked->written_bytes, fail);
	if (err)
		return err;
	in->initrd_packed_bytes = object->file_bytes;
	memcpy(in->initrd_compression, unpacked->compression, sizeof(in->initrd_compression));
	object->file_bytes = object->memory_bytes = source_bytes(source);
	return KX_OK;
}

/* Whoever asked for it is not satisfied with less; else it is said, and the next kernel does it. */
static enum kx_err leave(struct inputs *in, const char *why, struct fail *fail)
{
	if (in->request->unpack_initrd == UNPACK_YES)
		return fail_set(fail, KX_UNPACK, "%s (%s)", in->source[OBJECT_INITRD].path, why);
	report_note(in->report, "the initrd is left as it is: %s", why);
	return KX_OK;
}

static bool is_wanted(const struct inputs *in)
{
	const struct load_request *request = in->request;

	if (!in->source[OBJECT_INITRD].sys || in->initrd_packed_bytes || request->crash)
		return false;
	return request->unpack_initrd == UNPACK_DEFAULT ? request->fast != FAST_NO : request->unpack_initrd != UNPACK_NO;
}

enum kx_err inputs_unpack_initrd(struct inputs *inputs, uint64_t ram_bytes, const char *tree_cmdline, struct fail *fail)
{
	struct source *source = &inputs->source[OBJECT_INITRD];
	struct unpacking u = { .in = inputs, .source = source, .fail = fail };
	const struct initrd_io io = { read_part, write_part, &u };
	struct initrd_unpacked unpacked;
	enum kx_err err;

	if (!is_wanted(inputs))
		return KX_OK;
	u.fd = inputs->sys->make_file(inputs->sys);
	if (u.fd < 0)
		return fail_set(fail, KX_NO_MEMORY, "%s (%s)", source->path, strerror(-u.fd));
	fail->err = KX_OK;
	err = initrd_unpack(&io, source_bytes(source), most_bytes(inputs, ram_bytes, inputs->cmdline ? inputs->cmdline : tree_cmdline),
			    &unpacked);
	if (err && !fail->err)
		fail_set(fail, err, "%s", source->path);
	if (err || unpacked.left[0] || !unpacked.members) {
		inputs->sys->close(inputs->sys, u.fd);
		return err ? err : unpacked.left[0] ? leave(inputs, unpacked.left, fail) : KX_OK;
	}
	return replace(inputs, &unpacked, u.fd, fail);
}

enum kx_err inputs_pack_initrd(struct inputs *inputs, struct fail *fail)
{
	struct plan_object *object = &inputs->object[OBJECT_INITRD];
	struct source *source = &inputs->source[OBJECT_INITRD];
	enum kx_err err = source_set(source, inputs->packed_part, inputs->packed_parts, fail);

	if (err)
		return err;
	source_drop_last(source);
	object->file_bytes = object->memory_bytes = inputs->initrd_packed_bytes;
	inputs->initrd_packed_bytes = 0;
	return KX_OK;
}
