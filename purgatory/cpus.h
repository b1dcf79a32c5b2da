/* SPDX-License-Identifier: GPL-2.0-only */
/* Other CPUs. */
#ifndef CPUS_H
#define CPUS_H

#include "purgatory_abi.h"

/* Hidden: so that taking a function's address needs no global offset table, which purgatory has not. */
#pragma GCC visibility push(hidden)

/* Call CPUs to help; how many work now, this one included. And wait until they have finished and are off; does not return if
 * one failed. */
unsigned int cpus_call(const struct purg_params *params, uint64_t el);
void cpus_wait(const struct purg_params *params, uint64_t el, unsigned int cpus);

/* Called by entry.S on CPUs that were called, MMU on: take part, and leave word for the first CPU why this one gave up. */
void purg_help(const struct purg_params *params, unsigned int cpu);
void purg_give_up(const struct purg_params *params, unsigned int cpu, uint64_t reason, uint64_t a, uint64_t b, uint64_t c,
		  uint64_t d);

#pragma GCC visibility pop

#endif
