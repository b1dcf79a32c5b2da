/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One CPU's share of the pieces: take one, copy it, verify what arrived, clean it behind the cursor. Steps are small enough
 * that what was copied is verified and cleaned while it is in the cache. CRC32C by instruction cleans what it reads by itself.
 */
#include "work.h"

#include "cpu.h"
#include "verify.h"

/* Source and destination, of two pieces at most: in any L2. 170 whole turns of crc32c_lanes_insn. */
#define STEP_BYTES	(170 * 384)

_Static_assert(STEP_BYTES % PURG_UNIT_BYTES == 0, "step");

struct worker {
	const struct purg_params *params;
	struct purg_cpu *cpu;	/* this one's state */
	uint64_t mmu, line_bytes;
	int zva;		/* copies may use DC ZVA */
	int fused;		/* what is verified is cleaned on the way */
	uint64_t stamp;		/* up to here time is accounted for */
};

/* A digest on its way. */
union digest_state {
	uint32_t lane[CRC_LANES];
	uint32_t sha256[SHA256_WORDS];
};

/* The time since the last call went into this. */
static void tally(struct worker *w, unsigned int what, uint64_t bytes)
{
	uint64_t now = read_counter();

	w->cpu->ticks[what] += now - w->stamp;
	w->cpu->bytes[what] += bytes;
	w->stamp = now;
}

/*
 * With the MMU off, what is loaded and stored passes the caches by: loads must see what was stored through them, a stray
 * store of the old kernel included; stores must not be overwritten later by a dirty line of the memory's last owner.
 */
static void flush_if_cold(const struct worker *w, uint64_t pa, uint64_t bytes)
{
	if (!w->mmu)
		flush(w->params, pa, bytes);
}

static void move(struct worker *w, const struct purg_piece *piece, uint64_t at, uint64_t bytes)
{
	flush_if_cold(w, piece->dst_pa + at, bytes);
	if (piece->src_pa == piece->dst_pa)
		return;
	flush_if_cold(w, piece->src_pa + at, bytes);
	(w->zva ? mmu_copy_zva : mmu_copy)((void *)(uintptr_t)(piece->dst_pa + at), (const void *)(uintptr_t)(piece->src_pa + at), bytes);
	tally(w, PURG_TALLY_MOVE, bytes);
}

static const void *bytes_at(const struct purg_piece *piece, uint64_t at)
{
	return (const void *)(uintptr_t)(piece->dst_pa + at);
}

static int is_cleaned_by_check(const struct worker *w, const struct purg_piece *piece)
{
	return w->fused && piece->work & PURG_WORK_CHECK && piece->work & PURG_WORK_CLEAN;
}

/* Go on with the digests of one piece, or of two side by side, over bytes from at. */
static void check(struct worker *w, const struct purg_piece *piece, unsigned int count, union digest_state *state, uint64_t at,
		  uint64_t bytes)
{
	if (!(piece->work & PURG_WORK_CHECK))
		return;
	if (count == 2)
		sha256_blocks_2x_insn(state[0].sha256, bytes_at(&piece[0], at), state[1].sha256, bytes_at(&piece[1], at),
				      bytes / SHA256_BLOCK_BYTES);
	else if (w->params->check == PURG_CHECK_SHA256)
		best_sha256_blocks()(state->sha256, bytes_at(piece, at), bytes / SHA256_BLOCK_BYTES);
	else if (is_cleaned_by_check(w, piece))
		crc32c_lanes_clean_insn(state->lane, bytes_at(piece, at), bytes);
	else
		best_crc32c_lanes()(state->lane, bytes_at(piece, at), bytes);
	tally(w, PURG_TALLY_CHECK, count * bytes);
	/* Its time is in that of the check. */
	if (is_cleaned_by_check(w, piece))
		w->cpu->bytes[PURG_TALLY_CLEAN] += bytes;
}

/* DSB once, when this CPU has no more to do. */
static void clean(struct worker *w, const struct purg_piece *piece, uint64_t at, uint64_t bytes)
{
	if (!(piece->work & PURG_WORK_CLEAN) || is_cleaned_by_check(w, piece))
		return;
	cache_clean_inval_poc(piece->dst_pa + at, bytes, w->line_bytes);
	tally(w, PURG_TALLY_CLEAN, bytes);
}

static void start(const struct worker *w, union digest_state *state)
{
	if (w->params->check == PURG_CHECK_SHA256)
		sha256_start(state->sha256);
	else
		crc32c_start(state->lane);
}

/* The piece against its digest: no way on if it is not what it was. */
static void judge(const struct worker *w, const struct purg_piece *piece, union digest_state *state)
{
	uint8_t found[PURG_SHA_BYTES];
	size_t bytes = PURG_CRC_BYTES;

	if (!(piece->work & PURG_WORK_CHECK))
		return;
	if (w->params->check == PURG_CHECK_SHA256) {
		sha256_finish(found, state->sha256, piece->bytes, best_sha256_blocks());
		bytes = PURG_SHA_BYTES;
	} else {
		crc32c_finish(found, state->lane);
	}
	if (digests_differ(found, piece->digest, bytes))
		purg_fatal(PURG_FATAL_CHECK, piece->dst_pa, (uintptr_t)piece->digest, digest_word(found),
			   digest_word(found + 8));
}

/* One piece, or two of the same length that are both verified by the SHA2 instructions. */
static void work_on(struct worker *w, const struct purg_piece *piece, unsigned int count)
{
	union digest_state state[2];
	uint64_t at, bytes;
	unsigned int i;

	for (i = 0; i < count; i++)
		start(w, &state[i]);
	for (at = 0; at < piece->bytes; at += bytes) {
		bytes = piece->bytes - at < STEP_BYTES ? piece->bytes - at : STEP_BYTES;
		for (i = 0; i < count; i++)
			move(w, &piece[i], at, bytes);
		check(w, piece, count, state, at, bytes);
		for (i = 0; i < count; i++)
			clean(w, &piece[i], at, bytes);
	}
	for (i = 0; i < count; i++)
		judge(w, &piece[i], &state[i]);
}

static int are_a_pair(const struct purg_piece *piece)
{
	return piece[0].bytes == piece[1].bytes && piece[0].work & piece[1].work & PURG_WORK_CHECK;
}

/* Exclusives need the cache: with the MMU off a CPU is alone with the shared state. */
static uint64_t take(const struct worker *w, uint64_t count)
{
	uint64_t *next = &purg_shared(w->params)->next, first;

	if (w->mmu)
		return take_ticket(next, count);
	first = *next;
	*next += count;
	return first;
}

void work(const struct purg_params *params, unsigned int cpu, uint64_t mmu)
{
	const struct purg_piece *pieces = (const void *)(uintptr_t)params->pieces_pa;
	struct worker w = { .params = params, .cpu = &purg_shared(params)->cpu[cpu], .mmu = mmu, .line_bytes = clean_line_bytes(params),
			    .zva = mmu && copies_by_zva(), .stamp = read_counter() };
	uint64_t method = check_method(params), at_once = method == PURG_METHOD_SHA256 ? 2 : 1, i, end;

	w.fused = method == PURG_METHOD_CRC32C && w.line_bytes >= LINE_BYTES_FUSED;
	while ((i = take(&w, at_once)) < params->piece_count) {
		end = i + at_once < params->piece_count ? i + at_once : params->piece_count;
		if (end - i == 2 && are_a_pair(&pieces[i])) {
			work_on(&w, &pieces[i], 2);
			continue;
		}
		for (; i < end; i++)
			work_on(&w, &pieces[i], 1);
	}
	data_sync();	/* all that was cleaned has reached memory, and all that was copied is seen by others */
	tally(&w, PURG_TALLY_CLEAN, 0);
}
