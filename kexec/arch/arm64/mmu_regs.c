/* SPDX-License-Identifier: GPL-2.0-only */
#include "mmu_regs.h"

#include "arm64_regs.h"

static uint64_t tg0(unsigned int granule_shift)
{
	switch (granule_shift) {
	case 14:
		return TCR_TG0_16K;
	case 16:
		return TCR_TG0_64K;
	default:
		return TCR_TG0_4K;
	}
}

struct purg_mmu_regs mmu_regs(enum pgtable_kind kind, const struct pgtable_geometry *geometry, pa_t ttbr_pa)
{
	uint64_t tcr = TCR_T0SZ(geometry->va_bits) | TCR_IRGN0_WBWA | TCR_ORGN0_WBWA | TCR_SH0_INNER |
		       tg0(geometry->granule_shift);

	if (kind == PGTABLE_EL1)
		return (struct purg_mmu_regs){ MAIR_NORMAL_WB, tcr | TCR_T1SZ_16 | TCR_EPD1 | TCR_TG1_4K, ttbr_pa,
					       SCTLR_EL1_ON };
	return (struct purg_mmu_regs){ MAIR_NORMAL_WB, tcr | TCR_EL2_RES1, ttbr_pa, SCTLR_EL2_ON };
}
