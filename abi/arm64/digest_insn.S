/* SPDX-License-Identifier: GPL-2.0-only */
/* The inner loops of the digests, by instruction. Shared by the loader (EL0) and purgatory (EL1, EL2). */
#include "asm.h"
#include "crc_lanes.h"

	.arch	armv8-a+crc+crypto

/*
 * void crc32c_lanes_insn(uint32_t lane[4], const void *data, size_t bytes)
 *
 * Four independent CRC32C streams hide the 3-cycle latency of CRC32CX. 384 bytes a turn: 78 instructions, of which the
 * loads and CRCs are 72.
 *
 * Inputs:   x0 = lanes, 4-byte aligned; x1 = data, 8-byte aligned; x2 = bytes, a multiple of 32
 * Returns:  nothing; the lanes are updated
 * Clobbers: x1-x15, flags
 * MMU and caches: any state, unchanged. With the MMU off the 8-byte alignment of x1 is what Device memory asks for, and a
 *           PRFM does nothing
 * Stack:    none
 */
func crc32c_lanes_insn
	crc_begin
	cmp	x1, x2
	b.eq	4f
3:	crc_32_bytes 0, x8, x9, x10, x11
	add	x1, x1, #32
	cmp	x1, x2
	b.ne	3b
4:	crc_end
endfunc crc32c_lanes_insn

/* Four rounds on the state in v0 and v1. Corrupts v16, v17. */
.macro sha256_rounds message, key
	add	v16.4s, \message\().4s, \key\().4s
	mov	v17.16b, v0.16b
	sha256h	q0, q1, v16.4s
	sha256h2 q1, q17, v16.4s
.endm

/* Message schedule: m0 becomes the words sixteen further on. */
.macro sha256_schedule m0, m1, m2, m3
	sha256su0 \m0\().4s, \m1\().4s
	sha256su1 \m0\().4s, \m2\().4s, \m3\().4s
.endm

/*
 * void sha256_blocks_insn(uint32_t state[8], const void *data, size_t blocks)
 *
 * Inputs:   x0 = state, 4-byte aligned; x1 = data; x2 = blocks. LD1 and ST1 ask for element alignment at most
 * Returns:  nothing; the state is updated
 * Clobbers: x1-x4, v0-v7, v16-v19, flags
 * MMU and caches: any state, unchanged; needs SIMD enabled
 * Stack:    none
 */
func sha256_blocks_insn
	cbz	x2, 2f
	ld1	{v0.4s, v1.4s}, [x0]
1:	mov	v18.16b, v0.16b
	mov	v19.16b, v1.16b
	ld1	{v4.16b-v7.16b}, [x1], #64
	adr	x3, sha256_k
	rev32	v4.16b, v4.16b
	rev32	v5.16b, v5.16b
	rev32	v6.16b, v6.16b
	rev32	v7.16b, v7.16b
	mov	x4, #3
	/* Rounds 0 to 47: sixteen a turn, the schedule for the next turn made on the way. */
3:	ld1	{v2.4s, v3.4s}, [x3], #32
	sha256_rounds v4, v2
	sha256_schedule v4, v5, v6, v7
	sha256_rounds v5, v3
	sha256_schedule v5, v6, v7, v4
	ld1	{v2.4s, v3.4s}, [x3], #32
	sha256_rounds v6, v2
	sha256_schedule v6, v7, v4, v5
	sha256_rounds v7, v3
	sha256_schedule v7, v4, v5, v6
	subs	x4, x4, #1
	b.ne	3b
	/* Rounds 48 to 63. */
	ld1	{v2.4s, v3.4s}, [x3], #32
	sha256_rounds v4, v2
	sha256_rounds v5, v3
	ld1	{v2.4s, v3.4s}, [x3], #32
	sha256_rounds v6, v2
	sha256_rounds v7, v3
	add	v0.4s, v0.4s, v18.4s
	add	v1.4s, v1.4s, v19.4s
	subs	x2, x2, #1
	b.ne	1b
	st1	{v0.4s, v1.4s}, [x0]
2:	ret

endfunc sha256_blocks_insn

/*
 * Four rounds of both messages, a in v0, v1 and b in v16, v17. Corrupts v24 to v27. The instructions of one message stand
 * between those of the other, so that none waits for the one right before it.
 */
.macro sha256_rounds_2x message_a, message_b, key
	add	v24.4s, \message_a\().4s, \key\().4s
	add	v26.4s, \message_b\().4s, \key\().4s
	mov	v25.16b, v0.16b
	mov	v27.16b, v16.16b
	sha256h	q0, q1, v24.4s
	sha256h	q16, q17, v26.4s
	sha256h2 q1, q25, v24.4s
	sha256h2 q17, q27, v26.4s
.endm

/* The same, and the message schedule of both: a0 and b0 become the words sixteen further on. */
.macro sha256_both_2x a0, a1, a2, a3, b0, b1, b2, b3, key
	sha256_rounds_2x \a0, \b0, \key
	sha256su0 \a0\().4s, \a1\().4s
	sha256su0 \b0\().4s, \b1\().4s
	sha256su1 \a0\().4s, \a2\().4s, \a3\().4s
	sha256su1 \b0\().4s, \b2\().4s, \b3\().4s
.endm

/*
 * void sha256_blocks_2x_insn(uint32_t state_a[8], const void *a, uint32_t state_b[8], const void *b, size_t blocks)
 *
 * register	purpose
 * v0, v1	state of a		v16, v17	state of b
 * v2, v3	state of a before	v18, v19	state of b before
 * v4-v7	message of a		v20-v23		message of b
 * v24, v25	temporaries of a	v26, v27	temporaries of b
 * v28-v31	sixteen round constants, shared
 *
 * Inputs:   x0, x2 = states, 4-byte aligned; x1, x3 = data; x4 = blocks
 * Returns:  nothing; the states are updated
 * Clobbers: x1, x3-x6, v0-v7, v16-v31, flags
 * MMU and caches: any state, unchanged; needs SIMD enabled
 * Stack:    none
 */
func sha256_blocks_2x_insn
	cbz	x4, 2f
	ld1	{v0.4s, v1.4s}, [x0]
	ld1	{v16.4s, v17.4s}, [x2]
1:	mov	v2.16b, v0.16b
	mov	v18.16b, v16.16b
	mov	v3.16b, v1.16b
	mov	v19.16b, v17.16b
	prfm	pldl1keep, [x1, #512]
	prfm	pldl1keep, [x3, #512]
	ld1	{v4.16b-v7.16b}, [x1], #64
	ld1	{v20.16b-v23.16b}, [x3], #64
	adr	x5, sha256_k
	mov	x6, #3
	rev32	v4.16b, v4.16b
	rev32	v20.16b, v20.16b
	rev32	v5.16b, v5.16b
	rev32	v21.16b, v21.16b
	rev32	v6.16b, v6.16b
	rev32	v22.16b, v22.16b
	rev32	v7.16b, v7.16b
	rev32	v23.16b, v23.16b
3:	ld1	{v28.4s-v31.4s}, [x5], #64
	sha256_both_2x v4, v5, v6, v7, v20, v21, v22, v23, v28
	sha256_both_2x v5, v6, v7, v4, v21, v22, v23, v20, v29
	sha256_both_2x v6, v7, v4, v5, v22, v23, v20, v21, v30
	sha256_both_2x v7, v4, v5, v6, v23, v20, v21, v22, v31
	subs	x6, x6, #1
	b.ne	3b
	ld1	{v28.4s-v31.4s}, [x5]
	sha256_rounds_2x v4, v20, v28
	sha256_rounds_2x v5, v21, v29
	sha256_rounds_2x v6, v22, v30
	sha256_rounds_2x v7, v23, v31
	add	v0.4s, v0.4s, v2.4s
	add	v16.4s, v16.4s, v18.4s
	add	v1.4s, v1.4s, v3.4s
	add	v17.4s, v17.4s, v19.4s
	subs	x4, x4, #1
	b.ne	1b
	st1	{v0.4s, v1.4s}, [x0]
	st1	{v16.4s, v17.4s}, [x2]
2:	ret
endfunc sha256_blocks_2x_insn

/* FIPS 180-4, 4.2.2 */
	.balign	16
sha256_k:
	.word	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5
	.word	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174
	.word	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
	.word	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967
	.word	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85
	.word	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
	.word	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3
	.word	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2

no_exec_stack
