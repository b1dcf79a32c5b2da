/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In the place of the old kernel: sets the exception level's regime as asked for, leaves everything that purgatory must not
 * rely on as junk, writes down what it leaves, and jumps to purgatory.
 */
#include "bare.h"

	ldr	x19, =BARE_CONFIG_PA
	mrs	x0, CurrentEL
	lsr	x0, x0, #2
	str	x0, [x19, #BARE_SEEN_EL]
	cmp	x0, #2
	b.ne	1f
	ldr	x1, [x19, #BARE_HCR]
	cbz	x1, 2f
	msr	hcr_el2, x1
	isb
2:	mrs	x1, hcr_el2
	str	x1, [x19, #BARE_SEEN_HCR]
1:
	/* Junk, as a dead kernel leaves it: vectors and TTBR1 point nowhere, nothing is enabled. */
	movn	x9, #0xfff
	cmp	x0, #2
	b.eq	3f
	msr	vbar_el1, x9
	msr	ttbr1_el1, x9
	msr	mair_el1, x9
	msr	cpacr_el1, xzr
	b	4f
3:	msr	vbar_el2, x9
	msr	mair_el2, x9
4:	mov	sp, x9
	msr	tpidr_el0, x9
	msr	daifset, #0xf
	ldr	x21, [x19, #BARE_QUIRKS]
	tbz	x21, #QUIRK_STREAMING_BIT, 13f
	/* Let through, entered, and trapped again */
	mrs	x2, CurrentEL
	cmp	x2, #(2 << 2)
	b.ne	11f
	mrs	x2, hcr_el2
	tbnz	x2, #34, 11f		/* E2H */
	mov	x2, #0x23ff
	msr	cptr_el2, x2
	isb
	.inst	0xd503437f		/* smstart sm */
	mov	x2, #0x33ff
	msr	cptr_el2, x2
	b	12f
11:	mov	x2, #0x03000000
	msr	cpacr_el1, x2
	isb
	.inst	0xd503437f		/* smstart sm */
	msr	cpacr_el1, xzr
12:	isb
13:	/* No IC: a crash comes without. */
	ldr	x30, [x19, #BARE_ENTRY]
	tbz	x21, #QUIRK_NO_HZ_BIT, 7f
	msr	cntfrq_el0, xzr
7:	tbz	x21, #QUIRK_CPU_ON_BIT, 8f
	ldr	x0, =0xc4000003		/* PSCI CPU_ON, of CPU 1 */
	mov	x1, #1
	adr	x2, other
	ldr	x3, [x19, #BARE_CONDUIT]
	cbz	x3, 9f
	hvc	#0
	b	10f
9:	smc	#0
	/* Until it really does: for QEMU a CPU that is on its way up is off, and may be called once more. */
10:	ldr	x0, [x19, #BARE_OTHER_RUNS]
	cbz	x0, 10b
8:	mov	x0, xzr
	mov	x1, x9
	mov	x2, x9
	mov	x3, x9
	ldr	x10, =0x80000000	/* HCR_EL2: RW */
	tbnz	x21, #QUIRK_SERROR_BIT, 15f
	tbz	x21, #QUIRK_NO_ZVA_BIT, 5f
	orr	x10, x10, #(1 << 28)	/* TDZ */
	b	6f
	/* A virtual SError that waits for PSTATE.A to be clear. VSESR_EL2 is there with FEAT_RAS. */
15:	ldr	x0, =0x120		/* VSE, AMO */
	orr	x10, x10, x0
	mrs	x0, id_aa64pfr0_el1
	ubfx	x0, x0, #28, #4		/* RAS */
	cbz	x0, 6f
	mov	w1, w21
	msr	S3_4_C5_C2_3, x1	/* VSESR_EL2 */
	/* Down to EL1. */
6:	mov	x0, #1
	str	x0, [x19, #BARE_SEEN_EL]
	msr	hcr_el2, x10
	ldr	x0, =0x30500800
	isb
	msr	sctlr_el1, x0
	isb
	mov	x0, #0x33ff
	msr	cptr_el2, x0
	msr	cpacr_el1, xzr
	movn	x9, #0xfff
	msr	vbar_el1, x9
	mov	x0, #0x3c5		/* EL1h, DAIF */
	msr	spsr_el2, x0
	msr	elr_el2, x30
	mov	x0, xzr
	eret
5:	br	x30
other:	ldr	x1, =BARE_CONFIG_PA
	mov	x0, #1
	str	x0, [x1, #BARE_OTHER_RUNS]
14:	wfe
	b	14b
	.ltorg
