/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What purgatory does between the kernels: check the seal, have the pieces worked on, leave the timeline. Freestanding, no
 * writable data, no library. entry.S calls in here with a stack and decides nothing else.
 *
 * It must never return from a failure: purg_fatal() does not.
 */
#include "purgatory.h"

#include "console.h"
#include "cpu.h"
#include "cpus.h"
#include "verify.h"
#include "work.h"

#define TIMELINE_BYTES	(PURG_T_CELLS * sizeof(uint64_t))

/* Whole units of the control segment. */
static int is_extent(uint64_t base_pa, uint64_t pa, uint64_t bytes)
{
	const uint64_t most = PURG_CONTROL_BYTES_MAX - PURG_WORK_BYTES(1);

	return pa >= base_pa && pa - base_pa <= most && bytes <= most - (pa - base_pa) && (pa | bytes) % PURG_UNIT_BYTES == 0;
}

static void hold_against(const uint8_t *seal, uint64_t pa, uint64_t bytes, uint64_t base_pa)
{
	uint8_t found[PURG_CRC_BYTES];

	digest_crc32c(found, (const void *)(uintptr_t)pa, bytes, best_crc32c_lanes());
	if (digests_differ(found, seal, sizeof(found)))
		purg_fatal(PURG_FATAL_SEAL, base_pa, (uintptr_t)seal, digest_word(found), digest_word(found + 8));
}

/*
 * Seals are checked in memory, and what they cover is used through the cache. A dirty line, of a store that the old kernel should
 * not have made, would be seen by the second only, so it must become seen by the first. Should line_bytes be what is damaged: any
 * step up to the CPU's own line reaches each of its lines. With the MMU off each read goes to memory, so of the tables only those are
 * checked, and read, that are walked: the other regime's have as many granules.
 */
void purg_check_seal(const struct purg_header *header, uint64_t regime)
{
	const struct purg_params *params = (const void *)((uintptr_t)header + PURG_PARAMS_OFFSET);
	const struct purg_tables *tables = &params->tables[regime];
	uint64_t base_pa = (uintptr_t)header, bytes = header->sealed_bytes;

	/* Not verified yet: whatever they say, nothing beyond the control segment is flushed or read. */
	if (bytes <= PURG_PARAMS_OFFSET || !is_extent(base_pa, base_pa, bytes) || !is_extent(base_pa, tables->pa, tables->bytes))
		purg_fatal(PURG_FATAL_SEAL, base_pa, (uintptr_t)header->seal, 0, 0);
	flush(params, base_pa, bytes);
	flush(params, tables->pa, tables->bytes);
	instruction_sync();	/* the text, too, is from here on what is checked */
	hold_against(header->seal, (uintptr_t)params, bytes - PURG_PARAMS_OFFSET, base_pa);
	hold_against(tables->seal, tables->pa, tables->bytes, base_pa);

	if (params->flags & PURG_FLAG_PANIC)
		purg_fatal(PURG_FATAL_PANIC, 0, 0, 0, 0);
	if (params->flags & PURG_FLAG_VERBOSE)
		console_text(params, "kexec-fast: in purgatory\n");
	if (!map_holds_code(params, regime, base_pa) || !map_holds_code(params, regime, base_pa + bytes - 1))
		purg_fatal(PURG_FATAL_MAP, base_pa, params->regime[regime].ttbr0_pa, 0, 0);
	if (params->kernel_page_shift && !cpu_has_granule(params->kernel_page_shift))
		purg_fatal(PURG_FATAL_PAGE_SIZE, 1ull << params->kernel_page_shift, 0, 0, 0);
}

/* A device tree property is only 4-byte aligned (Devicetree Specification 5.4.1), and with the MMU off that matters. */
static void store_cell(const struct purg_params *params, unsigned int cell, uint64_t value)
{
	volatile uint32_t *be32 = (volatile uint32_t *)(uintptr_t)params->timeline_pa + 2 * cell;

	be32[0] = __builtin_bswap32((uint32_t)(value >> 32));
	be32[1] = __builtin_bswap32((uint32_t)value);
}

/* Shared state that nothing has been written on: it is not sealed, and what lies there must not skip a piece. */
static void wipe_shared(struct purg_shared *shared)
{
	uint64_t *word = (uint64_t *)shared;
	size_t i;

	for (i = 0; i < sizeof(*shared) / sizeof(*word); i++)
		word[i] = 0;
}

/* What all CPU states tallied into the first. Every byte that was to be verified must have been, whoever did it. */
static void add_up(const struct purg_params *params, struct purg_shared *shared)
{
	const struct purg_piece *piece = (const void *)(uintptr_t)params->pieces_pa;
	struct purg_cpu *first = &shared->cpu[0];
	uint64_t wanted = 0, i;
	unsigned int cpu, tally;

	for (cpu = 1; cpu < PURG_CPUS_MAX; cpu++)
		for (tally = 0; tally < PURG_TALLIES; tally++) {
			first->ticks[tally] += shared->cpu[cpu].ticks[tally];
			first->bytes[tally] += shared->cpu[cpu].bytes[tally];
		}
	for (i = 0; i < params->piece_count; i++)
		wanted += piece[i].work & PURG_WORK_CHECK ? piece[i].bytes : 0;
	if (params->check != PURG_CHECK_NONE && (!wanted || first->bytes[PURG_TALLY_CHECK] != wanted))
		purg_fatal(PURG_FATAL_UNCHECKED, first->bytes[PURG_TALLY_CHECK], wanted, 0, 0);
}

/* Before a piece may be moved to where they lie. Whoever wrote them has cleaned them, so with the MMU off they are the same. */
static void read_stamps(const struct purg_params *params, uint64_t *stamp)
{
	const volatile struct purg_stamps *stamps = (const volatile void *)(uintptr_t)params->stamps_pa;
	unsigned int i;

	for (i = 0; i < PURG_STAMPS; i++)
		stamp[i] = params->stamps_pa && stamps->magic == PURG_STAMPS_MAGIC ? stamps->stamp[i] : 0;
}

void purg_payload(const struct purg_params *params, uint64_t entry_stamp, uint64_t el, uint64_t mmu)
{
	struct purg_shared *shared = purg_shared(params);
	const struct purg_cpu *all = &shared->cpu[0];
	uint64_t mmu_on_stamp = read_counter(), done_stamp, old_stamp[PURG_STAMPS];
	unsigned int cpus, i;

	read_stamps(params, old_stamp);
	if (!mmu)
		flush(params, (uintptr_t)shared, sizeof(*shared));
	wipe_shared(shared);
	/* Exclusives, and what others wrote, need the cache. */
	cpus = mmu ? cpus_call(params, el) : 1;
	work(params, 0, mmu);
	if (cpus > 1)
		cpus_wait(params, el, cpus);
	add_up(params, shared);
	done_stamp = read_counter();

	if (!params->timeline_pa)
		return;
	if (!mmu)
		flush(params, params->timeline_pa, TIMELINE_BYTES);
	store_cell(params, PURG_T_RESULT,
		   params->check == PURG_CHECK_NONE ? PURG_RESULT_UNCHECKED : PURG_RESULT_VERIFIED);
	store_cell(params, PURG_T_HZ, read_counter_hz());
	store_cell(params, PURG_T_ENTRY, entry_stamp);
	store_cell(params, PURG_T_MMU_ON, mmu_on_stamp);
	store_cell(params, PURG_T_DONE, done_stamp);
	for (i = 0; i < PURG_TALLIES; i++) {
		store_cell(params, PURG_T_MOVE_TICKS + i, all->ticks[i]);
		store_cell(params, PURG_T_MOVE_BYTES + i, all->bytes[i]);
	}
	store_cell(params, PURG_T_EL, el);
	store_cell(params, PURG_T_MMU, mmu);
	store_cell(params, PURG_T_METHOD, check_method(params));
	store_cell(params, PURG_T_CPUS, cpus);
	for (i = 0; i < PURG_STAMPS; i++)
		store_cell(params, PURG_T_ASKED + i, old_stamp[i]);

	/* The next kernel reads its device tree through the cache, so this is for readers that do not: debuggers,
	   boot stages that look at it with the MMU off. */
	flush(params, params->timeline_pa, TIMELINE_BYTES);
}
