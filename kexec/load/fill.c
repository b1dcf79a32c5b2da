/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the payload into its place. Every byte goes from the file straight into the huge page (or the segment buffer)
 * that the plan gave it. Behind the reading, on all CPUs, its digest is made while it is in the cache, and then it is cleaned
 * to memory, so that even a purgatory that cannot turn its MMU on reads the right bytes.
 */
#include "payload.h"

#include "digest.h"
#include "purgatory_abi.h"

#include <stdlib.h>
#include <string.h>

#ifdef __aarch64__
#define CRC32C_LANES_BEST	crc32c_lanes_insn
#define SHA256_BLOCKS_BEST	sha256_blocks_insn
#define SHA256_2X_BEST(...)	digest_sha256_2x(__VA_ARGS__, sha256_blocks_2x_insn, sha256_blocks_insn)
#else
#define CRC32C_LANES_BEST	crc32c_lanes_c
#define SHA256_BLOCKS_BEST	sha256_blocks_c
/* For the tests: two messages one after the other. */
static void digest_pair_c(uint8_t *out_a, const void *a, uint8_t *out_b, const void *b, size_t bytes)
{
	digest_sha256(out_a, a, bytes, sha256_blocks_c);
	digest_sha256(out_b, b, bytes, sha256_blocks_c);
}
#define SHA256_2X_BEST		digest_pair_c
#endif

/* Memory for what the kernel relocates, beside what is staged and what was read into memory already. */
static enum kx_err open_runs(struct payload *p, struct fail *fail)
{
	struct range segments[RELOCATED_RUNS_MAX];
	enum kx_err err = machine_budget(&p->machine, p->sys, fail);
	uint64_t total = 0;
	unsigned int o;
	size_t i, n;

	if (err)
		return err;

	for (o = 0; o < PLAN_OBJECTS; o++) {
		n = plan_segments(&p->plan, &p->input, o, segments, RELOCATED_RUNS_MAX - p->runs);
		if (n > RELOCATED_RUNS_MAX - p->runs)
			return fail_set(fail, KX_NO_ROOM, "too many pieces");
		for (i = 0; i < n; i++) {
			struct relocated_run *run = &p->run[p->runs];

			run->range = segments[i];
			run->slots_pa = align_down(segments[i].start, HUGE_PAGE_BYTES);
			run->buf_bytes = align_up(range_end(segments[i]), HUGE_PAGE_BYTES) - run->slots_pa;
			/* The kernel takes half of its RAM at most (kexec_core.c, sanity_check_segment_list), and makes a
			   copy of what we give it. */
			total += run->buf_bytes;
			if (total + p->input.control_bytes + p->input.dtb_bytes > p->machine.ram_bytes / 2)
				return fail_set(fail, KX_TOO_BIG, "%s", p->input.object[o].name);
			if (2 * total > p->machine.free_bytes)
				return fail_set(fail, KX_NO_MEMORY, "%s: %llu MiB are to be relocated by the kernel, which takes twice as "
						"much, and %llu MiB are available", p->input.object[o].name,
						(unsigned long long)(total >> 20), (unsigned long long)(p->machine.free_bytes >> 20));
			run->buf = calloc(1, run->buf_bytes);
			if (!run->buf)
				return fail_set(fail, KX_NO_MEMORY, "%s", p->input.object[o].name);
			p->runs++;
		}
	}
	return KX_OK;
}

/* Where a slot's bytes are until the jump. Null: nobody keeps them, it is BSS. */
static unsigned char *slot_memory(struct payload *p, const struct plan_slot *slot, pa_t slot_pa)
{
	size_t i;

	if (slot->page != PLAN_NO_PAGE)
		return stage_page(&p->stage, slot->page);
	for (i = 0; i < p->runs; i++)
		if (slot_pa >= p->run[i].slots_pa && slot_pa - p->run[i].slots_pa < p->run[i].buf_bytes)
			return p->run[i].buf + (slot_pa - p->run[i].slots_pa);
	return NULL;
}

/* With --plan nothing is read, but the lists get their real lengths. */
static bool dry(const struct payload *p)
{
	return p->request->plan_only;
}

/* Work on jobs that are ready, as struct sys's workers. */
static void do_jobs(void *arg, size_t first, size_t count)
{
	struct payload *p = arg;
	struct fill_job *job = &p->jobs[first];
	unsigned int cpu = p->sys->cpu_features;
	size_t i;

	if (p->check == PURG_CHECK_SHA256 && cpu & CPU_SHA2 && count == 2 && job[0].piece && job[1].piece &&
	    job[0].piece->bytes == job[1].piece->bytes) {
		SHA256_2X_BEST(job[0].piece->digest, job[0].bytes, job[1].piece->digest, job[1].bytes, job[0].piece->bytes);
	} else {
		for (i = 0; i < count; i++) {
			struct purg_piece *piece = job[i].piece;

			if (piece && p->check == PURG_CHECK_CRC32C)
				digest_crc32c(piece->digest, job[i].bytes, piece->bytes,
					      cpu & CPU_CRC32 ? CRC32C_LANES_BEST : crc32c_lanes_c);
			else if (piece)
				digest_sha256(piece->digest, job[i].bytes, piece->bytes,
					      cpu & CPU_SHA2 ? SHA256_BLOCKS_BEST : sha256_blocks_c);
		}
	}
	for (i = 0; i < count; i++)
		if (job[i].page)
			p->sys->clean(p->sys, job[i].page, HUGE_PAGE_BYTES);
}

/* A piece of what was read: lies at src_pa until the jump, then at dst_pa. */
static struct purg_piece *add_piece(struct payload *p, pa_t dst_pa, pa_t src_pa, uint64_t bytes, uint32_t work)
{
	struct purg_piece *piece = &p->pieces[p->piece_count++];

	*piece = (struct purg_piece){ .dst_pa = dst_pa, .src_pa = src_pa, .bytes = bytes, .work = work };
	return piece;
}

/* Where the kernel's memory ends in this slot or before; its BSS is cleaned, and not verified. */
static void add_bss(struct payload *p, pa_t slot_pa, pa_t from_pa)
{
	pa_t end_pa = align_up(p->plan.window[OBJECT_KERNEL].pa + p->image.text_offset + p->image.image_size, PURG_UNIT_BYTES);

	if (end_pa > slot_pa + HUGE_PAGE_BYTES)
		end_pa = slot_pa + HUGE_PAGE_BYTES;
	if (from_pa < end_pa)
		add_piece(p, from_pa, from_pa, end_pa - from_pa, PURG_WORK_CLEAN);
}

/* One slot. *got is what the file still had for it. */
static enum kx_err fill_slot(struct payload *p, unsigned int o, uint32_t i, size_t *got, struct fail *fail)
{
	const struct plan_slot *slot = &p->plan.window[o].slot[i];
	struct slot_piece part = plan_piece(&p->plan.window[o], &p->input.object[o], i);
	unsigned char *memory = slot_memory(p, slot, part.slot_pa);
	pa_t dst_pa = part.slot_pa + part.slot_offset, src_pa = dst_pa;
	struct fill_job job = { .page = slot->page != PLAN_NO_PAGE ? memory : NULL };
	uint32_t work = (p->check != PURG_CHECK_NONE ? PURG_WORK_CHECK : 0u) | (o == OBJECT_KERNEL ? PURG_WORK_CLEAN : 0u);
	uint64_t padded;
	enum kx_err err;

	*got = dry(p) ? part.file_bytes : 0;
	if (part.file_bytes && !dry(p)) {
		if (!memory)
			return fail_set(fail, KX_INTERNAL, "a slot has no memory");
		err = source_read(&p->source[o], memory + part.slot_offset, part.file_bytes, got, fail);
		if (err)
			return err;
	}
	padded = align_up(*got, PURG_UNIT_BYTES);
	if (padded && slot->kind == SLOT_MOVED)
		src_pa = p->stage.pa[slot->page] + part.slot_offset;
	if (padded && (work || src_pa != dst_pa)) {
		job.piece = add_piece(p, dst_pa, src_pa, padded, work);
		job.bytes = memory + part.slot_offset;
		if (!(work & PURG_WORK_CHECK))
			job.piece = NULL;
	}
	if (o == OBJECT_KERNEL)
		add_bss(p, part.slot_pa, dst_pa + padded);
	if (!dry(p))
		p->jobs[p->job_count++] = job;
	return KX_OK;
}

static enum kx_err fill_object(struct payload *p, struct sys_workers *workers, unsigned int o, uint64_t *read_bytes,
			       struct fail *fail)
{
	unsigned char beyond;
	enum kx_err err;
	size_t got;
	uint32_t i;

	*read_bytes = 0;
	for (i = 0; i < p->plan.window[o].slots; i++) {
		if (p->sys->interrupted(p->sys))
			return fail_set(fail, KX_INTERRUPTED, "%s", p->source[o].path);
		err = fill_slot(p, o, i, &got, fail);
		if (err)
			return err;
		p->sys->workers_ready(p->sys, workers, p->job_count);
		*read_bytes += got;
		p->filled_bytes += got;
		if (p->request->progress && !dry(p))
			p->request->progress(p->filled_bytes, p->total_bytes);
	}
	if (dry(p))
		return KX_OK;
	err = source_read(&p->source[o], &beyond, 1, &got, fail);
	if (err)
		return err;
	if (got)
		return fail_set(fail, o == OBJECT_KERNEL ? KX_IMAGE_HEADER : KX_CHANGED, "%s", p->source[o].path);
	return KX_OK;
}

/* What came out of a compressed kernel is held against its header only now. */
static enum kx_err check_kernel(struct payload *p, uint64_t read_bytes, struct fail *fail)
{
	struct plan_object *kernel = &p->input.object[OBJECT_KERNEL];
	struct plan_window *window = &p->plan.window[OBJECT_KERNEL];
	struct slot_piece head = plan_piece(window, kernel, 0);
	const unsigned char *memory = slot_memory(p, &window->slot[0], window->pa);
	struct arm64_image image;
	enum kx_err err;

	if (dry(p))
		return KX_OK;
	if (source_bytes(&p->source[OBJECT_KERNEL]) && read_bytes != kernel->file_bytes)
		return fail_set(fail, KX_CHANGED, "%s", p->request->kernel);
	kernel->file_bytes = read_bytes;
	err = arm64_image_parse(&image, memory + head.slot_offset,
				read_bytes < ARM64_IMAGE_LOOK_BYTES ? (size_t)read_bytes : ARM64_IMAGE_LOOK_BYTES, read_bytes);
	if (!err && (image.image_size != p->image.image_size || image.text_offset != p->image.text_offset))
		err = KX_CHANGED;
	return err ? fail_set(fail, err, "%s", p->request->kernel) : KX_OK;
}

static enum kx_err fill_all(struct payload *p, struct sys_workers *workers, struct fail *fail)
{
	uint64_t read_bytes;
	enum kx_err err = fill_object(p, workers, OBJECT_KERNEL, &read_bytes, fail);

	if (!err)
		err = check_kernel(p, read_bytes, fail);
	if (!err && p->plan.window[OBJECT_INITRD].slots) {
		err = fill_object(p, workers, OBJECT_INITRD, &read_bytes, fail);
		if (!err && read_bytes != p->input.object[OBJECT_INITRD].file_bytes)
			err = fail_set(fail, KX_CHANGED, "%s", p->source[OBJECT_INITRD].path);
	}
	if (!err)
		err = source_check(&p->source[OBJECT_KERNEL], fail);
	if (!err && p->plan.window[OBJECT_INITRD].slots)
		err = source_check(&p->source[OBJECT_INITRD], fail);
	return err;
}

/* Each slot gives a piece for its bytes and one for its BSS at most; and there are the device tree and the ELF header. */
static size_t pieces_max(const struct payload *p)
{
	return 2 * (size_t)p->plan.window[OBJECT_KERNEL].slots + p->plan.window[OBJECT_INITRD].slots + 2;
}

enum kx_err payload_fill(struct payload *p, struct fail *fail)
{
	struct sys_workers *workers;
	enum kx_err err;

	p->pieces = calloc(pieces_max(p), sizeof(*p->pieces));
	p->jobs = calloc(pieces_max(p), sizeof(*p->jobs));
	if (!p->pieces || !p->jobs)
		return fail_set(fail, KX_NO_MEMORY, "lists");
	err = open_runs(p, fail);
	if (err)
		return err;
	p->total_bytes = p->input.object[0].file_bytes + p->input.object[1].file_bytes;
	workers = p->sys->workers_open(p->sys, do_jobs, p);
	if (!workers)
		return fail_set(fail, KX_NO_MEMORY, "digests");
	err = fill_all(p, workers, fail);
	p->sys->workers_close(p->sys, workers, err != KX_OK);
	return err;
}

static int by_start(const void *a, const void *b)
{
	const struct map_region *x = a, *y = b;

	return (x->range.start > y->range.start) - (x->range.start < y->range.start);
}

/* Everything that purgatory touches: windows, sources, control segment, device tree. Whole slots of 2 MiB, each either ours or
 * wholly spare RAM, so whole blocks. */
static size_t collect_regions(struct payload *p, struct map_region *regions)
{
	size_t count = 0;
	unsigned int o;
	uint32_t i;

	for (o = 0; o < PLAN_OBJECTS; o++) {
		const struct plan_window *window = &p->plan.window[o];

		for (i = 0; i < window->slots; i++) {
			regions[count++].range = (struct range){ window->pa + i * HUGE_PAGE_BYTES, HUGE_PAGE_BYTES };
			if (window->slot[i].kind == SLOT_MOVED)
				regions[count++].range = (struct range){ p->stage.pa[window->slot[i].page], HUGE_PAGE_BYTES };
		}
	}
	regions[count].range = (struct range){ align_down(p->plan.control_pa, HUGE_PAGE_BYTES), HUGE_PAGE_BYTES };
	regions[count++].kind = MAP_CODE;
	if (align_down(p->plan.dtb_pa, HUGE_PAGE_BYTES) != align_down(p->plan.control_pa, HUGE_PAGE_BYTES))
		regions[count++].range = (struct range){ align_down(p->plan.dtb_pa, HUGE_PAGE_BYTES), HUGE_PAGE_BYTES };
	qsort(regions, count, sizeof(*regions), by_start);
	return count;
}

/* What does not depend on the lists, which are made while the payload is read. */
static struct control_segment describe(struct payload *p, struct map_region *regions)
{
	struct control_segment h = {
		.pa = p->plan.control_pa,
		.blob = purgatory_blob, .blob_bytes = purgatory_blob_bytes,
		.regions = regions, .region_count = collect_regions(p, regions),
		.check = p->check,
		.cpus = p->cpus, .mpidr = p->machine.mpidr, .mpidr_count = p->cpus > 1 ? p->machine.mpidr_count : 0,
		.flags = (p->request->no_mmu ? PURG_FLAG_NO_MMU : 0u) | (p->machine.serial_found ? PURG_FLAG_VERBOSE : 0u) |
			 (p->sys->cpu_features & CPU_SME ? PURG_FLAG_SME : 0u) |
			 (p->machine.knows_mmfr3 ? PURG_FLAG_MMFR3 : 0u),
		.conduit = p->machine.conduit,
		.kernel_pa = p->plan.window[OBJECT_KERNEL].pa + p->image.text_offset,
		.kernel_bytes = p->image.image_size,
		.kernel_file_bytes = p->input.object[OBJECT_KERNEL].file_bytes,
		.initrd = { p->plan.window[OBJECT_INITRD].pa, p->input.object[OBJECT_INITRD].file_bytes },
		.dtb_bytes = p->dtb_padded_bytes,
		.line_bytes = (uint32_t)p->sys->line_bytes,
		.dtb_pa = p->plan.dtb_pa,
		.timeline_pa = p->plan.dtb_pa + p->timeline_at,
		.uart_pa = p->machine.uart.pa, .uart_kind = p->machine.uart.kind,
		.uart_reg_shift = p->machine.uart.reg_shift,
		.kernel_page_shift = p->image.page_shift,
	};

	while (1ull << h.granule_shift < p->sys->page_bytes)
		h.granule_shift++;
	return h;
}

static struct map_region *open_regions(const struct payload *p)
{
	return calloc(2 * ((size_t)p->plan.window[0].slots + p->plan.window[1].slots) + 2, sizeof(struct map_region));
}

enum kx_err payload_try_control(struct payload *p)
{
	struct map_region *regions = open_regions(p);
	struct control_segment h;
	size_t table_bytes;
	enum kx_err err;
	pa_t entry_pa;

	if (!regions)
		return KX_NO_MEMORY;
	h = describe(p, regions);
	h.piece_count = pieces_max(p);
	err = control_build(&h, NULL, p->input.control_bytes, &p->control_room, &table_bytes, &entry_pa);
	if (err == KX_NO_ROOM && p->cpus > 1) {
		report_note(p->report, "purgatory uses one CPU: there is no room for the stacks of others");
		h.cpus = p->cpus = 1;
		h.mpidr_count = 0;
		err = control_build(&h, NULL, p->input.control_bytes, &p->control_room, &table_bytes, &entry_pa);
	}
	free(regions);
	return err;
}

enum kx_err payload_make_control(struct payload *p, struct fail *fail)
{
	struct map_region *regions = open_regions(p);
	struct fill_job dtb = { .bytes = p->dtb };
	struct control_segment h;
	const char *why;
	enum kx_err err;

	p->control = calloc(1, p->control_room);
	if (!regions || !p->control) {
		free(regions);
		return fail_set(fail, KX_NO_MEMORY, "control segment");
	}
	if (p->check != PURG_CHECK_NONE) {
		dtb.piece = add_piece(p, p->plan.dtb_pa, p->plan.dtb_pa, p->dtb_padded_bytes, PURG_WORK_CHECK);
		p->jobs[p->job_count++] = dtb;
		do_jobs(p, p->job_count - 1, 1);
	}
	if (p->check != PURG_CHECK_NONE && p->elfcore) {
		pa_t pa = payload_elfcore_pa(p);
		struct fill_job elfcore = { .piece = add_piece(p, pa, pa, p->elfcore_bytes, PURG_WORK_CHECK), .bytes = p->elfcore };

		p->jobs[p->job_count++] = elfcore;
		do_jobs(p, p->job_count - 1, 1);
	}
	h = describe(p, regions);
	h.pieces = p->pieces;
	h.piece_count = p->piece_count;
	why = control_check(&h);
	if (why)
		err = fail_set(fail, KX_PLAN_CHECK, "%s", why);
	else
		err = control_build(&h, p->control, p->control_room, &p->control_bytes, &p->table_bytes, &p->entry_pa);
	free(regions);
	return err && !why ? fail_set(fail, err, "control segment") : err;
}
