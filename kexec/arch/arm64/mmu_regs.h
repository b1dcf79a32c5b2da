/* SPDX-License-Identifier: GPL-2.0-only */
/* The values that purgatory loads into the translation registers, as data. Pure. */
#ifndef MMU_REGS_H
#define MMU_REGS_H

#include "pgtable.h"
#include "purgatory_abi.h"

struct purg_mmu_regs mmu_regs(enum pgtable_kind kind, const struct pgtable_geometry *geometry, pa_t ttbr_pa);

#endif
