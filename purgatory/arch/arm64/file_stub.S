/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An Image for kexec_file_load(2): abi/file_stub_abi.h. It runs once, wherever it was put, and touches nothing but itself and the place of the
 * control segment.
 *
 * Inputs:   as booting.rst has it: EL1 or EL2, x0 = the device tree that the kernel made, which is not used; no stack
 * Returns:  never: to purgatory, or by PSCI SYSTEM_RESET
 * Clobbers: all
 * MMU and caches: MMU off, unchanged. The I-cache is as the kernel left it
 */
#include "arm64_regs.h"
#include "asm.h"
#include "file_stub_abi.h"

	.section .head, "ax"
	.global	file_stub
file_stub:
	b	1f			/* code0 */
	.long	0			/* code1 */
	.quad	0			/* text_offset */
	.quad	0			/* image_size */
	.quad	1 << 3			/* flags: little-endian, pages of any size, anywhere in memory */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0			/* no PE header */
	.quad	0, 0, 0, 0, 0		/* STUB_DST_PA and on */

/* DC CIVAC over [\start, \end). Corrupts x9. */
.macro clean start, end
	mov	x9, \start
2:	dc	civac, x9
	add	x9, x9, x14
	cmp	x9, \end
	b.lo	2b
.endm

1:	adr	x20, file_stub
	ldr	x10, [x20, #STUB_DST_PA]
	ldr	x11, [x20, #STUB_BYTES]
	ldr	x12, [x20, #STUB_ENTRY_PA]
	ldr	x14, [x20, #STUB_LINE_BYTES]
	add	x13, x20, #STUB_CONTROL_OFFSET
	add	x15, x13, x11		/* end of this Image */
	add	x16, x10, x11		/* end of the place */
	/* The loader keeps clear of where the kernel may put this; should that have failed, nothing is overwritten on the way. */
	cmp	x20, x16
	b.hs	3f
	cmp	x10, x15
	b.lo	reset
	/* Uncached loads below see what was stored through a cache, and no dirty line falls on the copy later (Arm ARM, "Mismatched memory
	   attributes"). */
3:	clean	x13, x15
	clean	x10, x16
	dsb	sy			/* before the first uncached access */
4:	ldp	x0, x1, [x13], #16
	stp	x0, x1, [x10], #16
	cmp	x13, x15
	b.ne	4b
	dsb	sy			/* the copy is in memory */
	/* Instruction fetches may have brought old bytes of that place into a unified cache: they are clean, so this only drops them. */
	ldr	x10, [x20, #STUB_DST_PA]
	clean	x10, x16
	dsb	sy
	ic	ialluis			/* and into the I-caches, of CPUs that purgatory calls, too: they may have kept theirs */
	dsb	ish			/* that is complete on all CPUs */
	isb				/* the branch fetches what is there now */
	br	x12

	/* PSCI, DEN0022: callers at EL2 use SMC. */
reset:	mov32	x0, PSCI_SYSTEM_RESET
	mrs	x1, CurrentEL
	cmp	x1, #(2 << 2)
	b.eq	5f
	ldr	x1, [x20, #STUB_CONDUIT]
	cbz	x1, 5f
	hvc	#0
	b	6f
5:	smc	#0
6:	wfe
	b	6b
