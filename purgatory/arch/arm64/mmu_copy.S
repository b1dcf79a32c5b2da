/* SPDX-License-Identifier: GPL-2.0-only */
/* Moving and cleaning memory, and calling firmware. The same routines run with the MMU on and off. */
#include "asm.h"
#include "purgatory_abi.h"

/* 128 bytes of the copies below, and on to the next. */
.macro copy_128_bytes
	ldp	q0, q1, [x1]
	ldp	q2, q3, [x1, #32]
	ldp	q4, q5, [x1, #64]
	ldp	q6, q7, [x1, #96]
	add	x1, x1, #PURG_UNIT_BYTES
	stp	q0, q1, [x0]
	stp	q2, q3, [x0, #32]
	stp	q4, q5, [x0, #64]
	stp	q6, q7, [x0, #96]
	add	x0, x0, #PURG_UNIT_BYTES
	subs	x2, x2, #PURG_UNIT_BYTES
.endm

/*
 * void mmu_copy(void *dst, const void *src, size_t bytes)
 *
 * Q-register pairs, 128 bytes a turn. Prefetch pays on cores without a good prefetcher and costs nothing elsewhere;
 * no non-temporal pairs: equal at best, a third slower on small cores.
 *
 * Inputs:   x0 = dst, x1 = src, both 16-byte aligned, not overlapping; x2 = bytes, a multiple of PURG_UNIT_BYTES, may be 0
 * Returns:  nothing
 * Clobbers: x0-x2, v0-v7, flags
 * MMU and caches: any state, unchanged; needs SIMD enabled. With the MMU off a PRFM is a hint that does nothing
 * Stack:    none
 */
func mmu_copy
	cbz	x2, 2f
1:	prfm	pldl1keep, [x1, #384]
	prfm	pldl1keep, [x1, #448]
	copy_128_bytes
	b.ne	1b
2:	ret
endfunc mmu_copy

/*
 * void mmu_copy_zva(void *dst, const void *src, size_t bytes)
 *
 * The same, with DC ZVA over the destination first: its lines are taken without being fetched from memory, also on a core that
 * does not detect streams of stores.
 *
 * Inputs:   x0 = dst, PURG_UNIT_BYTES aligned; x1 = src, 16-byte aligned, not overlapping; x2 = bytes, a multiple of PURG_UNIT_BYTES,
 *           may be 0
 * Returns:  nothing
 * Clobbers: x0-x3, v0-v7, flags
 * MMU and caches: MMU and cache on, unchanged: DC ZVA faults on Device memory, which all memory is with the MMU off. DCZID_EL0 must
 *           allow it, for blocks of 64 bytes. Orders nothing: a store of this CPU to what it zeroed comes behind (Arm ARM, "DC ZVA")
 * Stack:    none
 */
func mmu_copy_zva
	cbz	x2, 2f
1:	prfm	pldl1keep, [x1, #384]
	prfm	pldl1keep, [x1, #448]
	add	x3, x0, #64
	dc	zva, x0
	dc	zva, x3
	copy_128_bytes
	b.ne	1b
2:	ret
endfunc mmu_copy_zva

/*
 * void cache_clean_inval_poc(uint64_t pa, uint64_t bytes, uint64_t line_bytes)
 *
 * DC CIVAC over every line that the range touches. CIVAC and not CVAC, because early Cortex-A53 need it (errata 826319,
 * 827319, 824069, 819472) and nothing here is read again. No DSB: one ends many ranges. line_bytes is the
 * smallest line of any CPU that may hold one: this CPU's own CTR_EL0 need not tell.
 *
 * Inputs:   x0 = pa; x1 = bytes, may be 0; x2 = line_bytes, a power of two
 * Returns:  nothing
 * Clobbers: x0, x1, x3, flags
 * MMU and caches: any state, unchanged; the identity map must hold the range if the MMU is on. After a
 *           DSB of this CPU: no dirty line of the range is in any cache up to the point of coherency
 * Stack:    none
 */
func cache_clean_inval_poc
	cbz	x1, 2f
	sub	x3, x2, #1
	add	x1, x0, x1
	bic	x0, x0, x3
1:	dc	civac, x0
	add	x0, x0, x2
	cmp	x0, x1
	b.lo	1b
2:	ret
endfunc cache_clean_inval_poc

/*
 * uint64_t take_ticket(uint64_t *next, uint64_t count)
 *
 * Adds count to what all CPUs add to. An exclusive pair, which every armv8 has.
 *
 * Inputs:   x0 = next, 8-byte aligned; x1 = count
 * Returns:  *next as it was
 * Clobbers: x2-x4
 * MMU and caches: MMU and cache on, unchanged: exclusives are for Normal memory ("Synchronization and semaphores"). Orders
 *           nothing: what a ticket is for is read-only, and what is made of it is nobody else's
 * Stack:    none
 */
func take_ticket
1:	ldxr	x2, [x0]
	add	x3, x2, x1
	stxr	w4, x3, [x0]
	cbnz	w4, 1b
	mov	x0, x2
	ret
endfunc take_ticket

/*
 * uint64_t psci_call(uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t conduit)
 *
 * Inputs:   x0 = function, x1 to x3 = its arguments; x4 = PURG_CONDUIT_*
 * Returns:  what firmware does
 * Clobbers: x0-x17: SMC Calling Convention 1.0 (DEN0028), as AAPCS64 allows anyway. SIMD registers are kept
 * MMU and caches: any state, unchanged
 * Stack:    none
 */
func psci_call
	cbnz	x4, 1f
	smc	#0
	ret
1:	hvc	#0
	ret
endfunc psci_call

no_exec_stack
