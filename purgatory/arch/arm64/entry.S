/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way through purgatory: from the old kernel's jump to the new kernel's first instruction, and the way out when
 * something is wrong. What is done on the way, with the MMU on, is purgatory.c's and work.c's. And the way in and out of
 * CPUs that were called to help.
 *
 * Entry state, as Linux leaves it (5.10 to 7.3): EL1 or EL2, MMU and data cache off, I-cache maybe off, DAIF maybe
 * masked, no usable stack, VBAR pointing into the dead kernel, TTBR1 still live. The exception level and, at EL2,
 * HCR_EL2.E2H are found out here and left as they are: booting.rst wants the next kernel entered at the level that
 * this one had, with the MMU off, x0 = device tree and x1 to x3 = 0.
 *
 * register	scope			purpose
 * x19		entry to br		header: the address purgatory was entered at
 * x20		entry to br		exception level, 1 or 2
 * x21		entry to br		PURG_REGIME_*: which register names and descriptors apply
 * x22		entry to leave		SCTLR as the old kernel left it; written back before the jump
 * x23		entry to purg_payload	CNTVCT at entry
 * x24		entry to br		parameters
 * x25		entry to purg_payload	1 when the MMU was turned on
 * x26, x27	leave to br		kernel entry, device tree
 * x28		leave to br		flags
 * x29		around purg_payload	HCR_EL2 as it was
 *
 * Before mmu_on and after leave, memory is only read where the loader or the kernel's relocation wrote it (clean to the
 * point of coherency), and of purgatory's own memory only the cold stack is written. With the MMU on only the warm stack
 * and the shared state are. So nothing of purgatory's own that is stored with the MMU off is read through the cache, or the
 * reverse.
 */
#include "arm64_regs.h"
#include "asm.h"
#include "purgatory_abi.h"

#define COLD_STACK_TOP	(-PURG_WARM_STACK_BYTES)	/* of the first CPU, from the header */
#define WARM_STACK_TOP	0

/* TPIDR_EL0: which CPU this is, 0 for the first, and how often purg_fatal was entered on it. */
#define CPU_SHIFT	8
#define STEPS_MASK	0xff

	.arch	armv8-a+crc+crypto

/*
 * x20 = exception level, x21 = regime. Clobbers \tmp, flags. Any MMU and cache state.
 *
 * E2H is read, never assumed: hVHE leaves E2H=1 with TGE=0. Where ID_AA64MMFR4_EL1.E2H0 is negative E2H is RES1 but
 * may read as 0 (Arm ARM, ID_AA64MMFR4_EL1).
 */
.macro find_regime tmp
	mrs	x20, CurrentEL
	lsr	x20, x20, #2
	mov	x21, #PURG_REGIME_EL1
	cmp	x20, #2
	b.ne	.Lregime\@
	mrs	\tmp, hcr_el2
	tbnz	\tmp, #HCR_E2H_BIT, .Lregime\@
	mrs	\tmp, S3_0_C0_C7_4		/* ID_AA64MMFR4_EL1 */
	sbfx	\tmp, \tmp, #ID_AA64MMFR4_E2H0_SHIFT, #4
	tbnz	\tmp, #63, .Lregime\@
	mov	x21, #PURG_REGIME_EL2
.Lregime\@:
.endm

/*
 * Forget all translations of the current regime. At EL2 it is ALLE2 whatever E2H says: with E2H=1 and TGE=0, VMALLE1
 * would reach the EL1&0 regime (Arm ARM, "TLB maintenance instructions"). Needs x20. Clobbers flags.
 */
.macro tlbi_all
	cmp	x20, #2
	b.eq	.Ltlbi_el2_\@
	tlbi	vmalle1
	b	.Ltlbi_end_\@
.Ltlbi_el2_\@:
	tlbi	alle2
.Ltlbi_end_\@:
	dsb	nsh			/* the invalidation is complete before anything that follows; an ISB follows anyway */
.endm

/* sp = top of the warm stack of CPU \cpu. Needs x19. Clobbers \tmp. */
.macro warm_stack cpu, tmp
	mov	\tmp, #PURG_STACKS_BYTES
	msub	\tmp, \cpu, \tmp, x19
	mov	sp, \tmp
.endm

/* Write SCTLR of the regime in x21. Clobbers nothing. */
.macro write_sctlr reg
	cbnz	x21, .Lsctlr_el2_\@
	isb				/* earlier system register writes hold now; right before M=0 also Falkor erratum 1041 */
	msr	sctlr_el1, \reg
	isb				/* everything after it runs under the new setting */
	b	.Lsctlr_end_\@
.Lsctlr_el2_\@:
	isb				/* the same */
	msr	sctlr_el2, \reg
	isb
.Lsctlr_end_\@:
.endm

/*
 * Write HCR_EL2. AmpereOne erratum AC04_CPU_23 (Linux, ARM64 silicon errata): a write to it may corrupt the translation of a data
 * access that is in flight. None is behind the DSB, and none begins before the ISB, which the new value takes anyway.
 */
.macro write_hcr reg
	dsb	nsh
	msr	hcr_el2, \reg
	isb
.endm

/*
 * Take SError interrupts. At EL2 with HCR_EL2.AMO and TGE 0 they are not deliverable (Arm ARM, "Establishing the target Exception
 * level of an asynchronous exception"), so AMO is set meanwhile; with either of them there is nothing to do. \hcr = HCR_EL2 as it was.
 * Needs x20. Clobbers \tmp, flags. Any MMU and cache state.
 */
.macro serror_on hcr, tmp
	cmp	x20, #2
	b.ne	.Lserror_on_\@
	mrs	\hcr, hcr_el2
	tbnz	\hcr, #HCR_AMO_BIT, .Lserror_on_\@
	tbnz	\hcr, #HCR_TGE_BIT, .Lserror_on_\@
	orr	\tmp, \hcr, #HCR_AMO
	write_hcr \tmp			/* AMO holds before SErrors are let in */
.Lserror_on_\@:
	msr	daifclr, #4
.endm

/* The reverse. Clobbers flags. */
.macro serror_off hcr
	msr	daifset, #0xf
	cmp	x20, #2
	b.ne	.Lserror_off_\@
	tbnz	\hcr, #HCR_AMO_BIT, .Lserror_off_\@
	tbnz	\hcr, #HCR_TGE_BIT, .Lserror_off_\@
	write_hcr \hcr
.Lserror_off_\@:
.endm

	.section .head, "ax"
	.global	purgatory_start
purgatory_start:
	b	entry
	.word	PURG_ABI_VERSION
	.quad	PURG_HEADER_MAGIC
	.space	PURG_HEADER_BYTES - 0x10
	.space	PURG_PARAMS_BYTES

/*
 * Every exception is the end but one: nothing here is expected to fault, and the old kernel's vectors are gone.
 * Sixteen entries, 128 bytes apart, in a table aligned to 2 KiB (Arm ARM, "Exception vectors"). The eighth is SError from
 * the current level, with the stack pointer in use.
 */
	.balign	0x800
vectors:
	.rept	7
	.balign	128
	b	exception
	.endr
	.balign	128
	b	serror
	.rept	8
	.balign	128
	b	exception
	.endr
	.balign	128

/*
 * Hardware may report an error that it has corrected, or that nothing was affected by. Linux goes on then, and so do we.
 *
 * Inputs:   an SError interrupt was taken, with FEAT_RAS or without
 * Returns:  to where it was taken, or never
 * Clobbers: nothing
 * MMU and caches: any state, unchanged
 * Stack:    the one in use, 16 bytes
 */
func serror
	stp	x9, x10, [sp, #-16]!
	mrs	x9, CurrentEL
	cmp	x9, #(2 << 2)
	b.eq	1f
	mrs	x9, esr_el1
	b	2f
1:	mrs	x9, esr_el2
2:	tbnz	x9, #ESR_IDS_BIT, 4f
	and	x10, x9, #ESR_DFSC_MASK
	cmp	x10, #ESR_DFSC_SERROR
	b.ne	4f
	ubfx	x10, x9, #ESR_AET_SHIFT, #ESR_AET_BITS
	cmp	x10, #ESR_AET_CE
	b.eq	3f
	cmp	x10, #ESR_AET_UEO
	b.ne	4f
3:	ldp	x9, x10, [sp], #16
	eret
4:	b	exception
endfunc serror

/*
 * Inputs:   an exception was taken to the current level
 * Returns:  never
 * MMU and caches: any state
 * Stack:    none
 */
func exception
	find_regime x9
	cbnz	x21, 1f
	mrs	x1, esr_el1
	mrs	x2, elr_el1
	mrs	x3, far_el1
	b	2f
1:	mrs	x1, esr_el2
	mrs	x2, elr_el2
	mrs	x3, far_el2
2:	mov	x0, #PURG_FATAL_EXCEPTION
	b	purg_fatal
endfunc exception

/*
 * Inputs:   see the top of the file
 * Returns:  never: jumps to the next kernel, or resets the machine
 * MMU and caches: before: MMU and data cache off. After: the same, I-cache as the old kernel had it
 * Stack:    cold with the MMU off, warm with it on
 */
func entry
	isb				/* the counter is not read early */
	mrs	x23, cntvct_el0
	msr	daifset, #0xf
	adr	x19, purgatory_start
	add	x24, x19, #PURG_PARAMS_OFFSET
	msr	tpidr_el0, xzr
	find_regime x9
	bl	cpu_setup

	/* A store that the old kernel should not have made may still be a dirty line: a crash kernel's memory can stay mapped, and nobody
	   cleaned it since. First what is read before the seal can be checked, and the stack for that; purg_check_seal does the rest. */
	add	x0, x19, #COLD_STACK_TOP - PURG_COLD_STACK_BYTES
	mov	x1, #PURG_STACKS_BYTES + PURG_PARAMS_OFFSET + PURG_PARAMS_BYTES
	mov	x2, #CACHE_LINE_BYTES_MIN
	bl	cache_clean_inval_poc
	dsb	sy			/* it is in memory, or gone, before the first access with the MMU off */

	/* Is this our parameter block, and are we where it was made for? Registers only, and no literal pool: that is not clean yet. */
	mov	x0, #PURG_FATAL_HEADER
	ldr	x9, [x19, #PURG_H_MAGIC]
	mov64	x10, PURG_HEADER_MAGIC
	cmp	x9, x10
	b.ne	purg_fatal
	ldr	x9, [x24, #PURG_P_MAGIC]
	mov64	x10, PURG_PARAMS_MAGIC
	cmp	x9, x10
	b.ne	purg_fatal
	ldp	w9, w10, [x24, #PURG_P_VERSION]
	cmp	w9, #PURG_ABI_VERSION
	b.ne	purg_fatal
	cmp	w10, #PURG_PARAMS_BYTES
	b.ne	purg_fatal
	mov	x0, #PURG_FATAL_PLACE
	ldr	x9, [x24, #PURG_P_BASE_PA]
	cmp	x9, x19
	b.ne	purg_fatal

	/* In streaming SVE mode most SIMD instructions are undefined; a panic can come from there. Only where the old
	   kernel used SME: elsewhere firmware may trap it though the ID register shows it. */
	ldr	w9, [x24, #PURG_P_FLAGS]
	tbz	w9, #PURG_FLAG_SME_BIT, 3f
	cbnz	x21, 1f
	mrs	x9, cpacr_el1
	orr	x9, x9, #CPACR_SMEN
	msr	cpacr_el1, x9
	b	2f
1:	mrs	x9, cptr_el2
	bic	x9, x9, #CPTR_EL2_TSM
	msr	cptr_el2, x9
2:	isb				/* SMSTOP is not trapped any more */
	.inst	0xd503467f		/* smstop */
3:
	/* Tables and lists are trusted only after this. */
	add	sp, x19, #COLD_STACK_TOP
	mov	x0, x19
	mov	x1, x21
	bl	purg_check_seal

	/* Without the MMU everything goes the same way, only cold and slow. */
	mov	w25, #0
	ldr	w9, [x24, #PURG_P_FLAGS]
	tbnz	w9, #PURG_FLAG_NO_MMU_BIT, 4f
	ldr	w0, [x24, #PURG_P_GRANULE_SHIFT]
	bl	cpu_has_granule
	mov	w25, w0
	cbz	w25, 4f
	bl	mmu_on
	mov	sp, x19			/* WARM_STACK_TOP */
4:	mov	x0, x24
	mov	x1, x23
	mov	x2, x20
	cmp	x20, #2
	b.ne	5f
	eor	x9, x21, #PURG_REGIME_EL2
	orr	x2, x2, x9, lsl #PURG_EL_E2H_BIT
5:	mov	x3, x25
	/* An SError from here on is most likely of our making: better said here than by a kernel that knows nothing of it. */
	serror_on x29, x9
	bl	purg_payload
	serror_off x29

	/* Everything the way out needs, into registers: after this only what is clean is read, text and sealed memory. */
leave:	ldr	x26, [x24, #PURG_P_KERNEL_PA]
	ldr	x27, [x24, #PURG_P_DTB_PA]
	ldr	w28, [x24, #PURG_P_FLAGS]

	/* booting.rst: "The MMU must be off", the I-cache "must not hold any stale entries corresponding to the loaded
	   kernel image": not in CPUs either that the kernel starts later, whose caches may outlive their being off. purg_payload
	   has cleaned the image and waited for it. */
	bic	x22, x22, #SCTLR_M
	bic	x22, x22, #SCTLR_C
	write_sctlr x22
	tlbi_all
	ic	ialluis
	dsb	ish			/* the invalidation is complete on all CPUs ... */
	isb				/* ... and our pipeline refetches */
	tbz	w28, #PURG_FLAG_VERBOSE_BIT, 6f
	add	sp, x19, #COLD_STACK_TOP
	mov	x0, x24
	bl	purg_say_jump
6:	mov	x0, x27
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	br	x26
endfunc entry

/*
 * void purg_other_cpu(uint64_t cpu)
 *
 * Where a CPU begins that cpus_call() called. DEN0022, "Initial core configuration": MMU and caches off, DAIF masked, the
 * caller's exception level or the only one there is below EL3, x0 = context id. The rest is found out. Its page tables have
 * the granule of the old kernel, which this CPU ran.
 *
 * Inputs:   x0 = which CPU state and stacks, 1 to PURG_CPUS_MAX - 1
 * Returns:  never
 * MMU and caches: before: off. Then on
 * Stack:    warm
 */
func purg_other_cpu
	msr	daifset, #0xf
	mov	x26, x0
	lsl	x9, x26, #CPU_SHIFT
	msr	tpidr_el0, x9
	adr	x19, purgatory_start
	add	x24, x19, #PURG_PARAMS_OFFSET
	find_regime x9
	bl	cpu_setup

	/* TCR2 and SCTLR2 are UNKNOWN out of reset below the highest exception level (Arm ARM, TCR2_EL1, SCTLR2_EL1), and change
	   how our tables are read. The first CPU has them as Linux set them. */
	mrs	x9, S3_0_C0_C7_3		/* ID_AA64MMFR3_EL1 */
	tst	x9, #ID_AA64MMFR3_TCRX_MASK
	b.eq	2f
	cbnz	x21, 1f
	msr	S3_0_C2_C0_3, xzr		/* TCR2_EL1 */
	b	2f
1:	msr	S3_4_C2_C0_3, xzr		/* TCR2_EL2 */
2:	tst	x9, #ID_AA64MMFR3_SCTLRX_MASK
	b.eq	4f
	cbnz	x21, 3f
	msr	S3_0_C1_C0_3, xzr		/* SCTLR2_EL1 */
	b	4f
3:	msr	S3_4_C1_C0_3, xzr		/* SCTLR2_EL2 */
4:	bl	mmu_on
	warm_stack x26, x9
	mov	x0, x24
	mov	x1, x26
	serror_on x29, x9
	bl	purg_help
	b	cpu_off
endfunc purg_other_cpu

/*
 * PSCI CPU_OFF. What the next kernel reads uncached this CPU has cleaned by address already; the rest is only read through caches that
 * are coherent with this one. So it does not matter whether firmware cleans them (docs/memory-model.md).
 *
 * Inputs:   x20, x24
 * Returns:  never. Should firmware refuse, the first CPU sees it and resets the machine
 * MMU and caches: any state
 * Stack:    none
 */
func cpu_off
	msr	daifset, #0xf
	mov32	x0, PSCI_CPU_OFF
	ldr	w4, [x24, #PURG_P_CONDUIT]
	cmp	x20, #2
	csel	w4, w4, wzr, ne		/* PURG_CONDUIT_SMC */
	bl	psci_call
1:	wfe
	b	1b
endfunc cpu_off

/*
 * uint64_t cpu_setup(void)
 *
 * Vectors, SIMD for everybody (no trap control is touched of what a CPU may lack), and the I-cache, stale lines dropped first: a crash entry comes without IC IALLU.
 *
 * Inputs:   x21
 * Returns:  x22 = SCTLR as it was
 * Clobbers: x9-x11
 * MMU and caches: before: MMU and data cache off. After: the same, I-cache on
 * Stack:    none
 */
func cpu_setup
	ic	iallu
	dsb	nsh			/* the invalidation is complete; write_sctlr's ISB refetches */
	adr	x9, vectors
	cbnz	x21, 1f
	msr	vbar_el1, x9
	mrs	x22, sctlr_el1
	mov32	x10, CPACR_SIMD
	msr	cpacr_el1, x10
	mov32	x11, SCTLR_EL1_COLD
	b	2f
1:	msr	vbar_el2, x9
	mrs	x22, sctlr_el2
	mov32	x10, CPTR_EL2_SIMD
	msr	cptr_el2, x10
	mov32	x11, SCTLR_EL2_COLD
2:	write_sctlr x11
	ret
endfunc cpu_setup

/*
 * void mmu_on(void)
 *
 * Turns the MMU and the data cache on with the loader's tables for the regime in x21. The caller has made sure that this
 * CPU has their granule and that they map purgatory.
 *
 * Inputs:   x20, x21, x24 as in the table at the top
 * Returns:  nothing
 * Clobbers: x1-x7, flags
 * MMU and caches: before: off. After: M, C and I on, everything in the tables Normal Write-Back
 * Stack:    none
 */
func mmu_on
	/* (I)PS: what this CPU has, at most 48 bits, since nothing above is ever mapped. */
	mrs	x4, id_aa64mmfr0_el1
	ubfx	x4, x4, #ID_AA64MMFR0_PARANGE_SHIFT, #4
	mov	x5, #PARANGE_48_BITS
	cmp	x4, x5
	csel	x4, x4, x5, lo

	dsb	sy			/* all earlier accesses, made with Device attributes, are done */
	add	x1, x24, #PURG_P_REGIME
	cbnz	x21, 4f
	ldp	x2, x3, [x1, #PURG_R_MAIR]
	ldp	x6, x7, [x1, #PURG_R_TTBR0]
	orr	x3, x3, x4, lsl #TCR_EL1_IPS_SHIFT
	msr	mair_el1, x2
	msr	tcr_el1, x3
	msr	ttbr0_el1, x6
	msr	ttbr1_el1, xzr
	b	5f
4:	ldp	x2, x3, [x1, #PURG_R_MAIR + PURG_MMU_REGS_BYTES]
	ldp	x6, x7, [x1, #PURG_R_TTBR0 + PURG_MMU_REGS_BYTES]
	orr	x3, x3, x4, lsl #TCR_EL2_PS_SHIFT
	msr	mair_el2, x2
	msr	tcr_el2, x3
	msr	ttbr0_el2, x6
5:	tlbi_all			/* KVM may have left EL2 entries behind */
	write_sctlr x7			/* its ISB: the walker sees all of the above before the MMU goes on */
	ret
endfunc mmu_on

/*
 * void purg_fatal(uint64_t reason, uint64_t a, uint64_t b, uint64_t c, uint64_t d) __attribute__((noreturn))
 *
 * One console line, then PSCI SYSTEM_RESET. Turns the MMU off first: the console is never mapped. An exception in here
 * comes back here and goes on with the next step; the steps are the line, SYSTEM_RESET by the conduit that firmware
 * named, SYSTEM_RESET by the other one (at EL2 both are SMC). TPIDR_EL0 counts them. Only when firmware answers on
 * neither does the CPU stop, in WFE: there is nothing else left to do. On CPUs that were called: other_fatal.
 *
 * Inputs:   x0 = PURG_FATAL_*, x1 to x4 = its details
 * Returns:  never
 * MMU and caches: before: any state. After: MMU and data cache off
 * Stack:    cold
 */
func purg_fatal
	msr	daifset, #0xf
	mov	x22, x0
	mov	x23, x1
	mov	x25, x2
	mov	x26, x3
	mov	x27, x4
	adr	x19, purgatory_start
	add	x24, x19, #PURG_PARAMS_OFFSET
	find_regime x9
	mrs	x28, tpidr_el0
	lsr	x9, x28, #CPU_SHIFT
	cbnz	x9, other_fatal
	cbnz	x21, 1f
	mov32	x9, SCTLR_EL1_COLD
	b	2f
1:	mov32	x9, SCTLR_EL2_COLD
2:	write_sctlr x9
	cbnz	x28, 3f
	mov	x28, #1
	msr	tpidr_el0, x28
	add	sp, x19, #COLD_STACK_TOP
	mov	x0, x24
	mov	x1, x22
	mov	x2, x23
	mov	x3, x25
	mov	x4, x26
	mov	x5, x27
	bl	purg_report

	/* PSCI, DEN0022: callers at EL2 use SMC. */
3:	cmp	x28, #2
	b.hi	6f
	ldr	w4, [x24, #PURG_P_CONDUIT]
	cset	w9, eq			/* x28 = 2: the other one */
	eor	w4, w4, w9
	and	w4, w4, #1		/* the parameters may be what is damaged */
	cmp	x20, #2
	csel	w4, w4, wzr, ne		/* PURG_CONDUIT_SMC */
	add	x28, x28, #1
	msr	tpidr_el0, x28
	mov32	x0, PSCI_SYSTEM_RESET
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	bl	psci_call
	b	3b
6:	wfe
	b	6b
endfunc purg_fatal

/*
 * The rest of purg_fatal on a CPU that was called: it leaves word for the first one, which has the console, and goes. If it
 * cannot, because it comes here again, or before its MMU was on, it only goes, and the first one gives up waiting.
 *
 * Inputs:   x9 = CPU, x28 = TPIDR_EL0; x19, x20, x21, x24; x22 = PURG_FATAL_*, x23, x25, x26, x27 = its details
 * Returns:  never
 * MMU and caches: any state, unchanged
 * Stack:    warm
 */
func other_fatal
	tst	x28, #STEPS_MASK
	b.ne	cpu_off
	add	x28, x28, #1
	msr	tpidr_el0, x28
	cbnz	x21, 1f
	mrs	x10, sctlr_el1
	b	2f
1:	mrs	x10, sctlr_el2
2:	tbz	x10, #SCTLR_M_BIT, cpu_off
	warm_stack x9, x10
	mov	x0, x24
	mov	x1, x9
	mov	x2, x22
	mov	x3, x23
	mov	x4, x25
	mov	x5, x26
	mov	x6, x27
	bl	purg_give_up
	b	cpu_off
endfunc other_fatal

	.ltorg
no_exec_stack
