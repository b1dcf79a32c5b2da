/* SPDX-License-Identifier: GPL-2.0-only */
/* What entry.S calls on the first CPU. */
#ifndef PURGATORY_H
#define PURGATORY_H

#include "purgatory_abi.h"

/* Hidden: so that taking a function's address needs no global offset table, which purgatory has not. */
#pragma GCC visibility push(hidden)

/* el: as PURG_T_EL has it. mmu: whether it is on. */
void purg_check_seal(const struct purg_header *header, uint64_t regime);
void purg_payload(const struct purg_params *params, uint64_t entry_stamp, uint64_t el, uint64_t mmu);

/* The console's lines, with the MMU off. report.c: it uses nothing of what may fail. */
void purg_say_jump(const struct purg_params *params);
void purg_report(const struct purg_params *params, uint64_t reason, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

#pragma GCC visibility pop

#endif
