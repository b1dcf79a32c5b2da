/* SPDX-License-Identifier: GPL-2.0-only */
/* Purgatory, as the build made it, inside the loader. PURGATORY_BIN comes from the makefile. */
	.section .rodata, "a"
	.balign	16
	.global	purgatory_blob
	.type	purgatory_blob, %object
purgatory_blob:
	.incbin	PURGATORY_BIN
purgatory_blob_end:
	.size	purgatory_blob, . - purgatory_blob
	.balign	8
	.global	purgatory_blob_bytes
	.type	purgatory_blob_bytes, %object
purgatory_blob_bytes:
	.quad	purgatory_blob_end - purgatory_blob
	.size	purgatory_blob_bytes, 8

	.section .note.GNU-stack, "", %progbits
