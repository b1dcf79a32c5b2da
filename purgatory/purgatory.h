/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of purgatory call of one another. Physical addresses are pointers here: the map is the identity. */
#ifndef PURGATORY_H
#define PURGATORY_H

#include "purgatory_abi.h"

/* Hidden: so that taking a function's address needs no global offset table, which purgatory has not. */
#pragma GCC visibility push(hidden)

/* Called by entry.S. */
void purg_check_seal(const struct purg_header *header, uint64_t regime);
void purg_payload(const struct purg_params *params, uint64_t entry_stamp, uint64_t el, uint64_t mmu);
void purg_say_jump(const struct purg_params *params);
void purg_report(const struct purg_params *params, uint64_t reason, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* Whether the tables of a regime map the page at pa to itself, readable and executable, with the MMU off. map.c */
int map_holds_code(const struct purg_params *params, uint64_t regime, uint64_t pa);

/* Whether this CPU has a translation granule of 2^shift bytes. */
int cpu_has_granule(unsigned int shift);

/* The arm64 routines. */
void purg_fatal(uint64_t reason, uint64_t a, uint64_t b, uint64_t c, uint64_t d) __attribute__((noreturn));
void mmu_copy(void *dst, const void *src, size_t bytes);
void cache_clean_inval_poc(uint64_t pa, uint64_t bytes);

/* Console: bounded waits, so that a UART that never gets ready costs time and not the machine. */
void console_text(const struct purg_params *params, const char *text);
void console_hex(const struct purg_params *params, uint64_t value);
/* Wait until all of it has left the FIFO: what follows may be a reset. */
void console_flush(const struct purg_params *params);
void console_digest(const struct purg_params *params, const uint8_t *digest, size_t bytes);

#pragma GCC visibility pop

#endif
