/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the payload into its place. Every byte goes from the file straight into the frame (or the segment buffer)
 * that the plan gave it; its digest is made while it is in the cache, and then it is cleaned to memory, so that even a
 * purgatory that cannot turn its MMU on reads the right bytes.
 */
#include "payload.h"

#include "digest.h"
#include "purgatory_abi.h"

#include <stdlib.h>
#include <string.h>

#ifdef __aarch64__
#define CRC32C_LANES_BEST	crc32c_lanes_insn
#define SHA256_BLOCKS_BEST	sha256_blocks_insn
#else
#define CRC32C_LANES_BEST	crc32c_lanes_c
#define SHA256_BLOCKS_BEST	sha256_blocks_c
#endif

/* Memory for what the kernel relocates. */
static enum kx_err open_runs(struct payload *p, struct fail *fail)
{
	struct range segments[RELOCATED_RUNS_MAX];
	uint64_t total = 0;
	unsigned int o;
	size_t i, n;

	for (o = 0; o < PLAN_OBJECTS; o++) {
		n = plan_segments(&p->plan, &p->input, o, segments, RELOCATED_RUNS_MAX - p->runs);
		if (n > RELOCATED_RUNS_MAX - p->runs)
			return fail_set(fail, KX_NO_ROOM, "too many pieces");
		for (i = 0; i < n; i++) {
			struct relocated_run *run = &p->run[p->runs];

			run->range = segments[i];
			run->slots_pa = align_down(segments[i].start, FRAME_BYTES);
			run->buf_bytes = align_up(range_end(segments[i]), FRAME_BYTES) - run->slots_pa;
			/* The kernel takes half of its RAM at most (kexec_core.c, sanity_check_segment_list), and makes a
			   copy of what we give it. */
			total += run->buf_bytes;
			if (total + p->input.hideout_bytes + p->input.dtb_bytes > p->machine.ram_bytes / 2)
				return fail_set(fail, KX_TOO_BIG, "%s", p->input.object[o].name);
			if (2 * total > p->machine.free_bytes)
				return fail_set(fail, KX_NO_MEMORY, "%s", p->input.object[o].name);
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

	if (slot->frame != PLAN_NO_FRAME)
		return stage_frame(&p->stage, slot->frame);
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

/* Make the digest of a piece that lies at from and will lie at pa. Pieces are at most one chunk long, and a run goes on
 * only behind a whole chunk, so that purgatory, which cuts runs into chunks, meets the same pieces. */
static void add_check(struct payload *p, pa_t pa, const void *from, uint64_t bytes)
{
	struct purg_run *last = p->check_count ? &p->checks[p->check_count - 1] : NULL;
	unsigned char *out = p->digests + p->digests_bytes;
	unsigned int cpu = p->sys->cpu_features;

	if (p->check == PURG_CHECK_NONE)
		return;
	if (p->check == PURG_CHECK_CRC32C && !dry(p))
		digest_crc32c(out, from, bytes, cpu & CPU_CRC32 ? CRC32C_LANES_BEST : crc32c_lanes_c);
	else if (!dry(p))
		digest_sha256(out, from, bytes, cpu & CPU_SHA2 ? SHA256_BLOCKS_BEST : sha256_blocks_c);
	p->digests_bytes += p->check == PURG_CHECK_CRC32C ? PURG_CRC_BYTES : PURG_SHA_BYTES;
	if (last && last->pa + last->bytes == pa && last->bytes % PURG_CHUNK_BYTES == 0)
		last->bytes += bytes;
	else
		p->checks[p->check_count++] = (struct purg_run){ pa, bytes };
}

/* One slot. *got is what the file still had for it. */
static enum kx_err fill_slot(struct payload *p, unsigned int o, uint32_t i, size_t *got, struct fail *fail)
{
	const struct plan_slot *slot = &p->plan.window[o].slot[i];
	struct slot_piece piece = plan_piece(&p->plan.window[o], &p->input.object[o], i);
	unsigned char *memory = slot_memory(p, slot, piece.slot_pa);
	uint64_t padded;
	enum kx_err err;

	*got = dry(p) ? piece.file_bytes : 0;
	if (piece.file_bytes && !dry(p)) {
		if (!memory)
			return fail_set(fail, KX_INTERNAL, "a slot has no memory");
		err = source_read(&p->source[o], memory + piece.slot_offset, piece.file_bytes, got, fail);
		if (err)
			return err;
	}
	padded = align_up(*got, PURG_UNIT_BYTES);
	if (padded) {
		add_check(p, piece.slot_pa + piece.slot_offset, memory + piece.slot_offset, padded);
		if (slot->kind == SLOT_MOVED)
			p->moves[p->move_count++] = (struct purg_move){
				.dst_pa = piece.slot_pa + piece.slot_offset,
				.src_pa = p->stage.pa[slot->frame] + piece.slot_offset,
				.bytes = padded,
			};
	}
	if (slot->frame != PLAN_NO_FRAME && !dry(p))
		p->sys->clean(p->sys, memory, FRAME_BYTES);
	return KX_OK;
}

static enum kx_err fill_object(struct payload *p, unsigned int o, uint64_t *read_bytes, struct fail *fail)
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
		*read_bytes += got;
		p->filled_bytes += got;
		if (p->request->progress && !dry(p))
			p->request->progress(p->request->progress_arg, p->filled_bytes, p->total_bytes);
	}
	if (dry(p))
		return KX_OK;
	err = source_read(&p->source[o], &beyond, 1, &got, fail);
	if (err)
		return err;
	if (got)
		return fail_set(fail, o == OBJECT_KERNEL ? KX_IMAGE_HEADER : KX_READ, "%s", p->source[o].path);
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
	if (p->source[OBJECT_KERNEL].codec == CODEC_NONE && read_bytes != kernel->file_bytes)
		return fail_set(fail, KX_READ, "%s", p->request->kernel);
	kernel->file_bytes = read_bytes;
	err = arm64_image_parse(&image, memory + head.slot_offset,
				read_bytes < ARM64_IMAGE_LOOK_BYTES ? (size_t)read_bytes : ARM64_IMAGE_LOOK_BYTES, read_bytes);
	if (!err && (image.image_size != p->image.image_size || image.text_offset != p->image.text_offset))
		err = KX_IMAGE_HEADER;	/* the file was changed while we read it */
	return err ? fail_set(fail, err, "%s", p->request->kernel) : KX_OK;
}

enum kx_err payload_fill(struct payload *p, struct fail *fail)
{
	uint32_t slots = p->plan.window[0].slots + p->plan.window[1].slots;
	uint64_t read_bytes;
	enum kx_err err;

	p->digests = calloc(slots + 1, PURG_SHA_BYTES);
	p->checks = calloc(slots + 1, sizeof(*p->checks));
	p->moves = calloc(slots + 1, sizeof(*p->moves));
	if (!p->digests || !p->checks || !p->moves)
		return fail_set(fail, KX_NO_MEMORY, "lists");
	err = open_runs(p, fail);
	if (err)
		return err;

	p->total_bytes = p->input.object[0].file_bytes + p->input.object[1].file_bytes;
	err = fill_object(p, OBJECT_KERNEL, &read_bytes, fail);
	if (!err)
		err = check_kernel(p, read_bytes, fail);
	if (!err && p->plan.window[OBJECT_INITRD].slots) {
		err = fill_object(p, OBJECT_INITRD, &read_bytes, fail);
		if (!err && read_bytes != p->input.object[OBJECT_INITRD].file_bytes)
			err = fail_set(fail, KX_READ, "%s", p->request->initrd);
	}
	return err;
}

static int by_start(const void *a, const void *b)
{
	const struct map_region *x = a, *y = b;

	return (x->range.start > y->range.start) - (x->range.start < y->range.start);
}

/* Everything that purgatory touches: windows, sources, hide-out, device tree. Whole slots of 2 MiB, each either ours or
 * wholly spare RAM, so whole blocks. */
static size_t collect_regions(struct payload *p, struct map_region *regions)
{
	size_t count = 0;
	unsigned int o;
	uint32_t i;

	for (o = 0; o < PLAN_OBJECTS; o++) {
		const struct plan_window *window = &p->plan.window[o];

		for (i = 0; i < window->slots; i++) {
			regions[count++].range = (struct range){ window->pa + i * FRAME_BYTES, FRAME_BYTES };
			if (window->slot[i].kind == SLOT_MOVED)
				regions[count++].range = (struct range){ p->stage.pa[window->slot[i].frame], FRAME_BYTES };
		}
	}
	regions[count].range = (struct range){ align_down(p->plan.hideout_pa, FRAME_BYTES), FRAME_BYTES };
	regions[count++].kind = MAP_CODE;
	if (align_down(p->plan.dtb_pa, FRAME_BYTES) != align_down(p->plan.hideout_pa, FRAME_BYTES))
		regions[count++].range = (struct range){ align_down(p->plan.dtb_pa, FRAME_BYTES), FRAME_BYTES };
	qsort(regions, count, sizeof(*regions), by_start);
	return count;
}

/* What does not depend on the lists, which are made while the payload is read. */
static struct hideout describe(struct payload *p, struct map_region *regions)
{
	struct hideout h = {
		.pa = p->plan.hideout_pa,
		.blob = purgatory_blob, .blob_bytes = purgatory_blob_bytes,
		.regions = regions, .region_count = collect_regions(p, regions),
		.check = p->check,
		.flags = (p->request->no_mmu ? PURG_FLAG_NO_MMU : 0u) | (p->request->serial ? PURG_FLAG_VERBOSE : 0u) |
			 (p->sys->cpu_features & CPU_SME ? PURG_FLAG_SME : 0u),
		.conduit = p->machine.conduit,
		.kernel_pa = p->plan.window[OBJECT_KERNEL].pa + p->image.text_offset,
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

enum kx_err payload_try_hideout(struct payload *p)
{
	struct map_region *regions = open_regions(p);
	struct hideout h;
	size_t table_bytes;
	enum kx_err err;
	pa_t entry_pa;

	if (!regions)
		return KX_NO_MEMORY;
	h = describe(p, regions);
	h.move_count = p->plan.moved;
	h.check_count = h.clean_count = (size_t)p->plan.window[0].slots + p->plan.window[1].slots + 1;
	h.digests_bytes = h.check_count * PURG_SHA_BYTES;
	err = hideout_build(&h, NULL, p->input.hideout_bytes, &p->hideout_room, &table_bytes, &entry_pa);
	free(regions);
	return err;
}

enum kx_err payload_make_hideout(struct payload *p, struct fail *fail)
{
	struct map_region *regions = open_regions(p);
	struct purg_run clean;
	struct hideout h;
	const char *why;
	enum kx_err err;

	p->hideout = calloc(1, p->hideout_room);
	if (!regions || !p->hideout) {
		free(regions);
		return fail_set(fail, KX_NO_MEMORY, "hide-out");
	}
	add_check(p, p->plan.dtb_pa, p->dtb, p->dtb_padded_bytes);
	h = describe(p, regions);
	clean = (struct purg_run){ h.kernel_pa, p->image.image_size };
	h.cleans = &clean;
	h.clean_count = 1;
	h.moves = p->moves;
	h.move_count = p->move_count;
	h.checks = p->checks;
	h.check_count = p->check_count;
	h.digests = p->digests;
	h.digests_bytes = p->digests_bytes;
	why = hideout_check(&h);
	if (why)
		err = fail_set(fail, KX_PLAN_CHECK, "%s", why);
	else
		err = hideout_build(&h, p->hideout, p->hideout_room, &p->hideout_bytes, &p->table_bytes, &p->entry_pa);
	free(regions);
	return err && !why ? fail_set(fail, err, "hide-out") : err;
}
