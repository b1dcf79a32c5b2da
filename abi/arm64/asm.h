/* SPDX-License-Identifier: GPL-2.0-only */
/* What every assembly file here begins with. */
#ifndef ASM_H
#define ASM_H

.macro func name
	.text
	.balign	16
	.global	\name
	.type	\name, %function
\name:
.endm

.macro endfunc name
	.size	\name, . - \name
.endm

/* Load a 32-bit constant without a literal pool. */
.macro mov32 reg, value
	movz	\reg, #((\value) & 0xffff)
	movk	\reg, #((\value) >> 16 & 0xffff), lsl #16
.endm

/* The same for 64 bits. */
.macro mov64 reg, value
	movz	\reg, #((\value) & 0xffff)
	movk	\reg, #((\value) >> 16 & 0xffff), lsl #16
	movk	\reg, #((\value) >> 32 & 0xffff), lsl #32
	movk	\reg, #((\value) >> 48 & 0xffff), lsl #48
.endm

/* Objects linked into the loader must not ask for an executable stack. */
.macro no_exec_stack
	.section .note.GNU-stack, "", %progbits
.endm

#endif
