/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps of the CRC32C loops: x1 points to the data, w4 to w7 are the lanes, x8 to x15 are corrupted. */
#ifndef CRC_LANES_H
#define CRC_LANES_H

/* 32 bytes at offset at into the four lanes. The loads of one call and the CRCs of the one before overlap in the core. */
.macro crc_32_bytes at, a, b, c, d
	ldp	\a, \b, [x1, #\at]
	ldp	\c, \d, [x1, #\at + 16]
	crc32cx	w4, w4, \a
	crc32cx	w5, w5, \b
	crc32cx	w6, w6, \c
	crc32cx	w7, w7, \d
.endm

/* 128 bytes, and a prefetch of what is needed in a while. */
.macro crc_128_bytes at
	prfm	pldl1keep, [x1, #\at + 1024]
	crc_32_bytes \at, x8, x9, x10, x11
	crc_32_bytes \at + 32, x12, x13, x14, x15
	crc_32_bytes \at + 64, x8, x9, x10, x11
	crc_32_bytes \at + 96, x12, x13, x14, x15
.endm

/* The beginning of a routine (x0 = lanes, x1 = data, x2 = bytes): its lanes, and turns of 384 bytes as long as there are so many. behind: a macro
 * for each 128 bytes that were read, by their offset. x2 is the end then; x3 and the flags are corrupted. */
.macro crc_begin behind:vararg
	ldp	w4, w5, [x0]
	ldp	w6, w7, [x0, #8]
	add	x2, x1, x2
	sub	x3, x2, #384
	cmp	x1, x3
	b.hi	2f
1:	.irp	at, 0, 128, 256
	crc_128_bytes \at
	.ifnb	\behind
	\behind	\at
	.endif
	.endr
	add	x1, x1, #384
	cmp	x1, x3
	b.ls	1b
2:
.endm

.macro crc_end
	stp	w4, w5, [x0]
	stp	w6, w7, [x0, #8]
	ret
.endm

#endif
