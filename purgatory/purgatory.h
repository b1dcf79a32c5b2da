/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of purgatory call of one another. Physical addresses are pointers here: the map is the identity. */
#ifndef PURGATORY_H
#define PURGATORY_H

#include "digest.h"
#include "purgatory_abi.h"

/* Hidden: so that taking a function's address needs no global offset table, which purgatory has not. */
#pragma GCC visibility push(hidden)

/* Called by entry.S. el: as PURG_T_EL has it. mmu: whether it is on. */
void purg_check_seal(const struct purg_header *header, uint64_t regime);
void purg_payload(const struct purg_params *params, uint64_t entry_stamp, uint64_t el, uint64_t mmu);
void purg_say_jump(const struct purg_params *params);
void purg_report(const struct purg_params *params, uint64_t reason, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* The same on CPUs that were called, MMU on: take part, and leave word for the first CPU why this one gave up. cpus.c */
void purg_help(const struct purg_params *params, unsigned int cpu);
void purg_give_up(const struct purg_params *params, unsigned int cpu, uint64_t reason, uint64_t a, uint64_t b, uint64_t c,
		  uint64_t d);

/* Call CPUs to help; how many work now, this one included. And wait until they have finished and are off; does not return if
 * one failed. */
unsigned int cpus_call(const struct purg_params *params, uint64_t el);
void cpus_wait(const struct purg_params *params, uint64_t el, unsigned int cpus);

/* Work on pieces until none is left, at CPU state cpu. On return everything cleaned has reached memory. work.c */
void work(const struct purg_params *params, unsigned int cpu, uint64_t mmu);
uint64_t work_method(const struct purg_params *params);	/* PURG_METHOD_* of this CPU */
crc32c_lanes_fn *best_crc32c_lanes(void);

int digests_differ(const uint8_t *a, const uint8_t *b, size_t bytes);
/* Eight bytes of a digest as a register: what was found lies on the warm stack, and the console runs cold. */
uint64_t digest_word(const uint8_t *digest);

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

/* All accesses and cache maintenance of this CPU up to here are complete, for every observer. */
static inline void data_sync(void)
{
	__asm__ volatile("dsb sy" : : : "memory");
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

/* The arm64 routines. */
void purg_fatal(uint64_t reason, uint64_t a, uint64_t b, uint64_t c, uint64_t d) __attribute__((noreturn));
void purg_other_cpu(void);	/* where CPUs that were called begin */
void mmu_copy(void *dst, const void *src, size_t bytes);
void cache_clean_inval_poc(uint64_t pa, uint64_t bytes, uint64_t line_bytes);	/* complete after data_sync() */
uint64_t take_ticket(uint64_t *next, uint64_t count);	/* needs the cache */
uint64_t psci_call(uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t conduit);

/* Console: bounded waits, so that a UART that never gets ready costs time and not the machine. */
void console_text(const struct purg_params *params, const char *text);
void console_hex(const struct purg_params *params, uint64_t value);
/* Wait until all of it has left the FIFO: what follows may be a reset. */
void console_flush(const struct purg_params *params);
void console_digest(const struct purg_params *params, const uint8_t *digest, size_t bytes);

#pragma GCC visibility pop

#endif
