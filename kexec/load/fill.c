/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the payload into its place. Every byte goes from the file straight into the staged page (or the segment buffer)
 * that the plan gave it. Behind the reading, on all CPUs, its digest is made while it is in the cache, and then it is cleaned
 * to memory, so that even a purgatory that cannot turn its MMU on reads the right bytes.
 */
#include "stages.h"

#include <stdlib.h>
#include <string.h>

/* Memory that was filled: make the digest of a slot's bytes in it, and clean it to memory where it stays until the jump. */
struct job {
	struct ledger_slot *slot;	/* its digest is wanted ... */
	const void *bytes;		/* ... of these */
	size_t count;			/* 0: there is none */
	const void *page;		/* null: nothing is cleaned */
};

struct filling {
	struct payload *to;
	struct sys *sys;
	struct inputs *inputs;
	const struct placement *placement;
	uint32_t digest;
	bool dry;			/* --plan: nothing is read */
	struct job *job;		/* other CPUs do them meanwhile */
	size_t jobs;
	uint64_t done_bytes, total_bytes;
};

/* Memory for what the kernel relocates, beside what is staged and what was read into memory already. */
static enum kx_err open_runs(struct filling *f, struct fail *fail)
{
	const struct plan_input *input = &f->placement->input;
	struct range segments[RELOCATED_RUNS_MAX];
	struct payload *to = f->to;
	struct budget budget;
	enum kx_err err = budget_read(&budget, f->sys, fail);
	uint64_t total = 0;
	unsigned int o;
	size_t i, n;

	if (err)
		return err;
	for (o = 0; o < PLAN_OBJECTS; o++) {
		n = plan_segments(&f->placement->plan, input, o, segments, RELOCATED_RUNS_MAX - to->runs);
		if (n > RELOCATED_RUNS_MAX - to->runs)
			return fail_set(fail, KX_NO_ROOM, "too many pieces");
		for (i = 0; i < n; i++) {
			struct relocated_run *run = &to->run[to->runs];

			run->range = segments[i];
			run->slots_pa = align_down(segments[i].start, PLAN_SLOT_BYTES);
			run->buf_bytes = align_up(range_end(segments[i]), PLAN_SLOT_BYTES) - run->slots_pa;
			/* The kernel takes half of its RAM at most (kexec_core.c, sanity_check_segment_list), and makes a
			   copy of what we give it, which may not lie in CMA areas; nor does what we give it, for the most part. */
			total += run->buf_bytes;
			if (total + input->control_bytes + input->dtb_bytes > budget.ram_bytes / 2)
				return fail_set(fail, KX_TOO_BIG, "%s", input->object[o].name);
			if (2 * total > budget.unmovable_bytes)
				return fail_set(fail, KX_NO_MEMORY, "%s: %llu MiB are to be relocated by the kernel, which takes twice as "
						"much, and %llu MiB are available", input->object[o].name,
						(unsigned long long)(total >> 20), (unsigned long long)(budget.unmovable_bytes >> 20));
			run->buf = calloc(1, run->buf_bytes);
			if (!run->buf)
				return fail_set(fail, KX_NO_MEMORY, "%s", input->object[o].name);
			to->runs++;
		}
	}
	return KX_OK;
}

/* Where a slot's bytes are until the jump. Null: nobody keeps them, it is BSS. */
static unsigned char *slot_memory(const struct filling *f, const struct plan_slot *slot, pa_t slot_pa)
{
	const struct payload *to = f->to;
	size_t i;

	if (slot->page != PLAN_NO_PAGE)
		return staging_memory(&f->placement->staging, slot->page);
	for (i = 0; i < to->runs; i++)
		if (slot_pa >= to->run[i].slots_pa && slot_pa - to->run[i].slots_pa < to->run[i].buf_bytes)
			return to->run[i].buf + (slot_pa - to->run[i].slots_pa);
	return NULL;
}

/* Work on jobs that are ready, as struct sys's workers do. */
static void do_jobs(void *arg, size_t first, size_t count)
{
	struct filling *f = arg;
	struct job *job = &f->job[first];
	size_t i;

	if (count == 2 && job[0].count && job[0].count == job[1].count)
		digest_make_2(f->sys, f->digest, job[0].slot->digest, job[0].bytes, job[1].slot->digest, job[1].bytes, job[0].count);
	else
		for (i = 0; i < count; i++)
			if (job[i].count)
				digest_make(f->sys, f->digest, job[i].slot->digest, job[i].bytes, job[i].count);
	for (i = 0; i < count; i++)
		if (job[i].page)
			f->sys->clean(f->sys, job[i].page, PLAN_SLOT_BYTES);
}

/* One slot. What the file still had for it is noted. */
static enum kx_err fill_slot(struct filling *f, unsigned int o, uint32_t i, struct fail *fail)
{
	const struct plan_window *window = &f->placement->plan.window[o];
	const struct plan_slot *slot = &window->slot[i];
	struct slot_piece part = plan_piece(window, &f->placement->input.object[o], i);
	unsigned char *memory = slot_memory(f, slot, part.slot_pa);
	struct ledger_slot *to = &f->to->slot[o][i];
	size_t got = (size_t)part.file_bytes;
	enum kx_err err;

	to->page = slot->page;
	if (part.file_bytes && !f->dry) {
		if (!memory)
			return fail_set(fail, KX_INTERNAL, "a slot has no memory");
		err = source_read(&f->inputs->source[o], memory + part.slot_offset, part.file_bytes, &got, fail);
		if (err)
			return err;
	}
	to->bytes = (uint32_t)got;
	if (!f->dry)
		f->job[f->jobs++] = (struct job){ to, memory + part.slot_offset, (size_t)align_up(got, PURG_UNIT_BYTES),
						  slot->page != PLAN_NO_PAGE && staging_is_shared(&f->placement->staging) ? memory : NULL };
	return KX_OK;
}

static enum kx_err fill_object(struct filling *f, struct sys_workers *workers, unsigned int o, struct fail *fail)
{
	struct source *source = &f->inputs->source[o];
	uint64_t *file_bytes = &f->to->file_bytes[o];
	unsigned char beyond;
	enum kx_err err;
	size_t got;
	uint32_t i;

	for (i = 0; i < f->placement->plan.window[o].slots; i++) {
		if (f->sys->interrupted(f->sys))
			return fail_set(fail, KX_INTERRUPTED, "%s", source->path);
		err = fill_slot(f, o, i, fail);
		if (err)
			return err;
		f->sys->workers_ready(f->sys, workers, f->jobs);
		*file_bytes += f->to->slot[o][i].bytes;
		f->done_bytes += f->to->slot[o][i].bytes;
		if (f->inputs->request->progress && !f->dry)
			f->inputs->request->progress(PHASE_READING, f->done_bytes, f->total_bytes);
	}
	if (f->dry)
		return KX_OK;
	err = source_read(source, &beyond, 1, &got, fail);
	if (err)
		return err;
	if (got)
		return fail_set(fail, o == OBJECT_KERNEL ? KX_IMAGE_HEADER : KX_CHANGED, "%s", source->path);
	return KX_OK;
}

/* What came out of a compressed kernel is held against its header only now. */
static enum kx_err check_kernel(const struct filling *f, struct fail *fail)
{
	const struct inputs *in = f->inputs;
	const struct plan_window *window = &f->placement->plan.window[OBJECT_KERNEL];
	struct slot_piece head = plan_piece(window, &f->placement->input.object[OBJECT_KERNEL], 0);
	const unsigned char *memory = slot_memory(f, &window->slot[0], window->pa);
	uint64_t read_bytes = f->to->file_bytes[OBJECT_KERNEL];
	struct arm64_image image;
	enum kx_err err;

	if (f->dry)
		return KX_OK;
	if (source_bytes(&in->source[OBJECT_KERNEL]) && read_bytes != in->object[OBJECT_KERNEL].file_bytes)
		return fail_set(fail, KX_CHANGED, "%s", in->request->kernel);
	err = arm64_image_parse(&image, memory + head.slot_offset,
				read_bytes < ARM64_IMAGE_LOOK_BYTES ? (size_t)read_bytes : ARM64_IMAGE_LOOK_BYTES, read_bytes);
	if (!err && (image.image_size != in->image.image_size || image.text_offset != in->image.text_offset))
		err = KX_CHANGED;
	return err ? fail_set(fail, err, "%s", in->request->kernel) : KX_OK;
}

static enum kx_err fill_all(struct filling *f, struct sys_workers *workers, struct fail *fail)
{
	enum kx_err err = fill_object(f, workers, OBJECT_KERNEL, fail);

	if (!err)
		err = check_kernel(f, fail);
	if (!err && f->placement->plan.window[OBJECT_INITRD].slots) {
		err = fill_object(f, workers, OBJECT_INITRD, fail);
		if (!err && f->to->file_bytes[OBJECT_INITRD] != f->inputs->object[OBJECT_INITRD].file_bytes)
			err = fail_set(fail, KX_CHANGED, "%s", f->inputs->source[OBJECT_INITRD].path);
	}
	return err ? err : inputs_check(f->inputs, fail);
}

static enum kx_err fill_with_workers(struct filling *f, struct fail *fail)
{
	struct sys_workers *workers = f->sys->workers_open(f->sys, do_jobs, f);
	enum kx_err err;

	if (!workers)
		return fail_set(fail, KX_NO_MEMORY, "digests");
	err = fill_all(f, workers, fail);
	f->sys->workers_close(f->sys, workers, err != KX_OK);
	return err;
}

enum kx_err payload_fill(struct payload *payload, struct sys *sys, struct inputs *inputs, const struct placement *placement,
			 uint32_t digest, struct fail *fail)
{
	struct filling f = {
		.to = payload, .sys = sys, .inputs = inputs, .placement = placement, .digest = digest,
		.dry = inputs->request->plan_only,
		.total_bytes = inputs->object[OBJECT_KERNEL].file_bytes + inputs->object[OBJECT_INITRD].file_bytes,
	};
	size_t slots = 0;
	enum kx_err err;
	unsigned int o;

	*payload = (struct payload){ .runs = 0 };
	for (o = 0; o < PLAN_OBJECTS; o++) {
		uint32_t count = placement->plan.window[o].slots;

		slots += count;
		payload->slot[o] = calloc(count ? count : 1, sizeof(*payload->slot[o]));
		if (!payload->slot[o])
			return fail_set(fail, KX_NO_MEMORY, "lists");
	}
	f.job = calloc(slots, sizeof(*f.job));
	if (!f.job)
		return fail_set(fail, KX_NO_MEMORY, "lists");
	err = open_runs(&f, fail);
	if (!err)
		err = fill_with_workers(&f, fail);
	free(f.job);
	return err;
}

uint64_t payload_relocated_bytes(const struct payload *payload, bool crash)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < payload->runs && !crash; i++)
		bytes += payload->run[i].range.bytes;
	return bytes;
}

void payload_free(struct payload *payload)
{
	unsigned int o;
	size_t i;

	for (i = 0; i < payload->runs; i++)
		free(payload->run[i].buf);
	for (o = 0; o < PLAN_OBJECTS; o++)
		free(payload->slot[o]);
	*payload = (struct payload){ .runs = 0 };
}
