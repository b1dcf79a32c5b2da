/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPU that this runs on, and the memory that purgatory has: what every other part stands on, and itself uses none of them. Physical
 * addresses are pointers in purgatory: the map is the identity. */
#ifndef CPU_H
#define CPU_H

#include "arm64_regs.h"
#include "purgatory_abi.h"

/* Hidden: so that taking a function's address needs no global offset table, which purgatory has not. */
#pragma GCC visibility push(hidden)

static inline struct purg_shared *purg_shared(const struct purg_params *params)
{
	return (struct purg_shared *)(uintptr_t)(params->base_pa - PURG_WORK_BYTES(params->cpus));
}

static inline uint64_t read_counter(void)
{
	uint64_t value;

	/* The ISB keeps the read from moving up before the work that it ends. */
	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(value) : : "memory");
	return value;
}

static inline uint64_t read_counter_hz(void)
{
	uint64_t value;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(value));
	return value;
}

/* For waits: CNTFRQ_EL0 is what firmware wrote, and some forgets to. Of this order it is everywhere. */
#define COUNTER_HZ_USUAL	100000000

static inline uint64_t counter_hz_for_waits(void)
{
	uint64_t hz = read_counter_hz();

	return hz ? hz : COUNTER_HZ_USUAL;
}

/* The step for cleaning: the loader told the smallest line of all CPUs; should it be wrong, this one's own counts. */
static inline uint64_t clean_line_bytes(const struct purg_params *params)
{
	uint64_t ctr, own;

	__asm__ volatile("mrs %0, ctr_el0" : "=r"(ctr));
	own = 4ull << (ctr >> 16 & 0xf);	/* DminLine: log2 of the words in the smallest data cache line */
	return params->line_bytes && params->line_bytes < own ? params->line_bytes : own;
}

/* Whether DC ZVA may be used here, and zeroes as much as mmu_copy_zva() thinks: on all of Arm's own cores it does. */
static inline int copies_by_zva(void)
{
	uint64_t dczid;

	__asm__ volatile("mrs %0, dczid_el0" : "=r"(dczid));
	return (dczid & (DCZID_DZP | DCZID_BS_MASK)) == DCZID_BS_64_BYTES;
}

/* All accesses and cache maintenance of this CPU up to here are complete, for every observer. */
static inline void data_sync(void)
{
	__asm__ volatile("dsb sy" : : : "memory");
}

void cache_clean_inval_poc(uint64_t pa, uint64_t bytes, uint64_t line_bytes);	/* complete after data_sync() */

/* On return memory holds what the caches held. */
static inline void flush(const struct purg_params *params, uint64_t pa, uint64_t bytes)
{
	cache_clean_inval_poc(pa, bytes, clean_line_bytes(params));
	data_sync();
}

/* Instructions from here on are those that memory holds: the I-cache is invalidated, which the first DSB waits for, and the
 * pipeline refetches (Arm ARM, "Synchronization and coherency issues between data and instruction accesses"). */
static inline void instruction_sync(void)
{
	__asm__ volatile("ic iallu\n\tdsb nsh\n\tisb" : : : "memory");
}

/* Whether the tables of a regime map the page at pa to itself, readable and executable, with the MMU off. map.c */
int map_holds_code(const struct purg_params *params, uint64_t regime, uint64_t pa);

/* Whether this CPU has a translation granule of 2^shift bytes. */
int cpu_has_granule(unsigned int shift);

/* The arm64 routines. purg_fatal() never returns: a console line, and the machine is reset. */
void purg_fatal(uint64_t reason, uint64_t a, uint64_t b, uint64_t c, uint64_t d) __attribute__((noreturn));
void purg_other_cpu(void);	/* where CPUs that were called begin */
void mmu_copy(void *dst, const void *src, size_t bytes);
void mmu_copy_zva(void *dst, const void *src, size_t bytes);	/* needs the cache, and copies_by_zva() */
uint64_t take_ticket(uint64_t *next, uint64_t count);	/* needs the cache */
uint64_t psci_call(uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t conduit);

#pragma GCC visibility pop

#endif
