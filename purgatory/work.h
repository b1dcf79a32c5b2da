/* SPDX-License-Identifier: GPL-2.0-only */
/* One CPU's share of the pieces. */
#ifndef WORK_H
#define WORK_H

#include "purgatory_abi.h"

/* Hidden: so that taking a function's address needs no global offset table, which purgatory has not. */
#pragma GCC visibility push(hidden)

/* Work on pieces until none is left, at CPU state cpu. On return everything cleaned has reached memory. */
void work(const struct purg_params *params, unsigned int cpu, uint64_t mmu);

#pragma GCC visibility pop

#endif
