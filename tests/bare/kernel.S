/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In the place of the new kernel: checks everything that booting.rst demands of whoever starts one, that the payload is
 * whole, that not one byte of the guards around everything was touched, and that all other CPUs are off and come when they are
 * called. Says "bare: PASS" and the result, MMU and CPUs cells of the timeline, or "bare: FAIL" and a letter; then resets.
 */
#include "bare.h"

.macro fail letter
	mov	w25, #\letter
	b	failed
.endm

	mov	x20, x0			/* device tree */
	mov	x21, x1
	orr	x21, x21, x2
	orr	x21, x21, x3
	ldr	x19, =BARE_CONFIG_PA

	/* "x0 = physical address of device tree blob", "x1 to x3 = 0" */
	ldr	x0, [x19, #BARE_DTB]
	cmp	x0, x20
	b.eq	1f
	fail	'x'
1:	cbz	x21, 2f
	fail	'r'
2:	/* The same exception level */
	mrs	x22, CurrentEL
	lsr	x22, x22, #2
	ldr	x0, [x19, #BARE_SEEN_EL]
	cmp	x0, x22
	b.eq	3f
	fail	'e'
3:	/* "All forms of interrupts must be masked in PSTATE.DAIF" */
	mrs	x0, daif
	cmp	x0, #0x3c0
	b.eq	4f
	fail	'd'
4:	/* "The MMU must be off", and so is the data cache; HCR_EL2 is as it was */
	cmp	x22, #2
	b.eq	5f
	mrs	x0, sctlr_el1
	b	6f
5:	mrs	x0, hcr_el2
	ldr	x1, [x19, #BARE_SEEN_HCR]
	cmp	x0, x1
	b.eq	7f
	fail	'h'
7:	mrs	x0, sctlr_el2
6:	mov	x1, #5			/* M, C */
	tst	x0, x1
	b.eq	8f
	fail	'm'
8:	/* Trap controls of SVE and SME are as they must be where there is none: ZEN and SMEN RES0, TZ and TSM RES1 */
	mrs	x0, id_aa64pfr0_el1
	ubfx	x0, x0, #32, #4		/* SVE */
	mrs	x1, id_aa64pfr1_el1
	ubfx	x1, x1, #24, #4		/* SME */
	cmp	x22, #2
	b.ne	23f
	mrs	x2, hcr_el2
	tbnz	x2, #34, 23f		/* E2H */
	mrs	x2, cptr_el2
	mvn	x2, x2
	ubfx	x3, x2, #8, #1		/* TZ */
	ubfx	x4, x2, #12, #1		/* TSM */
	b	24f
23:	mrs	x2, cpacr_el1
	ubfx	x3, x2, #16, #2		/* ZEN */
	ubfx	x4, x2, #24, #2		/* SMEN */
24:	cbz	x3, 25f
	cbnz	x0, 25f
	fail	'v'
25:	cbz	x4, 26f
	cbnz	x1, 26f
	fail	's'
26:	/* The payload */
	ldr	x0, [x19, #BARE_WORDS_PA]
	ldr	x1, [x19, #BARE_WORDS_END]
	ldr	x3, [x19, #BARE_KERNEL]
9:	ldr	x2, [x0]
	sub	x4, x0, x3
	cmp	x2, x4
	b.eq	10f
	fail	'p'
10:	add	x0, x0, #8
	cmp	x0, x1
	b.lo	9b
	/* The guards */
	ldr	x5, [x19, #BARE_GUARDS]
	add	x6, x19, #BARE_GUARD_LIST
	ldr	x7, =BARE_GUARD_WORD
11:	ldr	x0, [x6], #8
	mov	x1, #BARE_GUARD_BYTES
12:	ldr	x2, [x0], #8
	cmp	x2, x7
	b.eq	13f
	fail	'g'
13:	subs	x1, x1, #8
	b.ne	12b
	subs	x5, x5, #1
	b.ne	11b

	/* All other CPUs are off: AFFINITY_INFO says 1. And they can be called. */
	ldr	x23, [x19, #BARE_CPUS]
18:	subs	x23, x23, #1
	b.eq	21f
	ldr	x0, =0xc4000004		/* PSCI AFFINITY_INFO */
	mov	x1, x23
	mov	x2, xzr
	bl	psci
	cmp	x0, #1
	b.eq	19f
	fail	'o'
19:	ldr	x0, =0xc4000003		/* PSCI CPU_ON */
	mov	x1, x23
	adr	x2, other_cpu
	mov	x3, x23
	bl	psci
	cbz	x0, 20f
	fail	'c'
20:	ldr	x0, =BARE_CONFIG_PA
	ldr	x0, [x0, #BARE_CPUS]
	cmp	x0, x23
	b.ne	20b
	b	18b
21:
	adr	x0, passed_text
	bl	print
	mov	w10, #1			/* PURG_T_RESULT */
	bl	print_cell
	mov	w10, #13		/* PURG_T_MMU */
	bl	print_cell
	mov	w10, #15		/* PURG_T_CPUS */
	bl	print_cell
	b	reset

	/* Another CPU: says that it is here, by its number in the place where there was how many. */
other_cpu:
	ldr	x1, =BARE_CONFIG_PA
	str	x0, [x1, #BARE_CPUS]
22:	wfe
	b	22b

failed:	adr	x0, failed_text
	bl	print
	ldr	x9, =BARE_UART_PA
	str	w25, [x9]
reset:	ldr	x9, =BARE_UART_PA
	mov	w0, #'\n'
	str	w0, [x9]
	mov	w0, #9
	movk	w0, #0x8400, lsl #16	/* PSCI SYSTEM_RESET */
	bl	psci
15:	wfe
	b	15b

	/* x0 to x3, by the conduit of this machine and level */
psci:	cmp	x22, #2
	b.eq	14f
	ldr	x9, [x19, #BARE_CONDUIT]
	cbz	x9, 14f
	hvc	#0
	ret
14:	smc	#0
	ret

print:	ldr	x9, =BARE_UART_PA
16:	ldrb	w1, [x0], #1
	cbz	w1, 17f
	str	w1, [x9]
	b	16b
17:	ret

	/* Cell w10 of the timeline: its lower half, big-endian */
print_cell:
	ldr	x9, [x19, #BARE_TIMELINE]
	add	x9, x9, x10, lsl #3
	ldr	w1, [x9, #4]
	rev	w1, w1
	add	w1, w1, #'0'
	ldr	x9, =BARE_UART_PA
	mov	w0, #' '
	str	w0, [x9]
	str	w1, [x9]
	ret

	.ltorg
passed_text:	.asciz "bare: PASS"
failed_text:	.asciz "bare: FAIL "
