/* SPDX-License-Identifier: GPL-2.0-only */
/* Verifying and cleaning in one go: a line is cleaned when it has just been read, and the core does both at a time. */
#include "asm.h"
#include "crc_lanes.h"

	.arch	armv8-a+crc

/* The two lines of 64 bytes at offset at. */
.macro clean_128_bytes at
	add	x16, x1, #\at
	add	x17, x1, #\at + 64
	dc	civac, x16
	dc	civac, x17
.endm

/*
 * void crc32c_lanes_clean_insn(uint32_t lane[4], const void *data, size_t bytes)
 *
 * crc32c_lanes_insn(), and DC CIVAC over what it has read. For lines of 64 bytes or more: a step that is shorter than the line
 * cleans it more than once, which is of no harm. A line that is fetched once more, because a prefetcher runs behind, is clean.
 * DC CIVAC, as in cache_clean_inval_poc(). No DSB: one ends many ranges.
 *
 * Inputs:   x0 = lanes, 4-byte aligned; x1 = data, 128-byte aligned; x2 = bytes, a multiple of 128
 * Returns:  nothing; the lanes are updated
 * Clobbers: x1-x17, flags
 * MMU and caches: any state, unchanged; the identity map must hold the range if the MMU is on. After a DSB of this CPU: no dirty
 *           line of the range is in any cache up to the point of coherency
 * Stack:    none
 */
func crc32c_lanes_clean_insn
	crc_begin clean_128_bytes
	cmp	x1, x2
	b.eq	4f
3:	crc_128_bytes 0
	clean_128_bytes 0
	add	x1, x1, #128
	cmp	x1, x2
	b.ne	3b
4:	crc_end
endfunc crc32c_lanes_clean_insn

no_exec_stack
