/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A walk of the loader's tables by software, before the MMU is turned on. If they did not map the next instruction, the
 * fetch would fault, and so would the fetch of the vector, for ever. (AT instructions tell nothing while M is 0.)
 * And what the CPU's translation can do at all.
 */
#include "arm64_regs.h"
#include "cpu.h"

#define PA_MASK		0x0000fffffffff000	/* output address bits 47:12; no LPA2 */

static int leaf_holds_code(uint64_t desc, uint64_t regime, uint64_t pa, unsigned int shift)
{
	unsigned int never_bit = regime == PURG_REGIME_EL1 ? DESC_PXN_BIT : DESC_UXN_BIT;
	uint64_t page = ~((1ull << shift) - 1);

	return (desc & PA_MASK & page) == (pa & page) && desc & DESC_AF && !(desc >> never_bit & 1);
}

int map_holds_code(const struct purg_params *params, uint64_t regime, uint64_t pa)
{
	const struct purg_mmu_regs *regs = &params->regime[regime];
	unsigned int granule_shift = params->granule_shift, level_bits = granule_shift - 3;
	unsigned int va_bits = 64 - (unsigned int)(regs->tcr & 0x3f);
	unsigned int shift = granule_shift;
	uint64_t table_pa = regs->ttbr0_pa;

	if (granule_shift < 12 || granule_shift > 16 || va_bits > 48 || va_bits <= granule_shift || pa >> va_bits)
		return 0;
	while (shift + level_bits < va_bits)
		shift += level_bits;	/* of the level that the walk starts at */

	for (;; shift -= level_bits) {
		uint64_t index = pa >> shift & ((1ull << level_bits) - 1);
		uint64_t desc = ((const uint64_t *)(uintptr_t)table_pa)[index];

		if (shift == granule_shift)
			return (desc & 3) == DESC_PAGE && leaf_holds_code(desc, regime, pa, shift);
		if ((desc & 3) != DESC_TABLE)
			return (desc & 3) == DESC_BLOCK && leaf_holds_code(desc, regime, pa, shift);
		table_pa = desc & PA_MASK & ~((1ull << granule_shift) - 1);
	}
}

int cpu_has_granule(unsigned int shift)
{
	uint64_t mmfr0;

	__asm__ volatile("mrs %0, id_aa64mmfr0_el1" : "=r"(mmfr0));
	/* TGran4 and TGran64 are signed, absent is 15; TGran16 absent is 0. */
	switch (shift) {
	case 12:
		return (mmfr0 >> ID_AA64MMFR0_TGRAN4_SHIFT & 0xf) < 8;
	case 14:
		return (mmfr0 >> ID_AA64MMFR0_TGRAN16_SHIFT & 0xf) != 0;
	case 16:
		return (mmfr0 >> ID_AA64MMFR0_TGRAN64_SHIFT & 0xf) < 8;
	default:
		return 0;
	}
}
