/* SPDX-License-Identifier: GPL-2.0-only */
/* Purgatory, and the stub for kexec_file_load(2), as the build made them, inside the loader. The names of the files come from the makefile. */
.macro blob name, file
	.balign	16
	.global	\name
	.type	\name, %object
\name:
	.incbin	"\file"
\name\()_end:
	.size	\name, . - \name
	.balign	8
	.global	\name\()_bytes
	.type	\name\()_bytes, %object
\name\()_bytes:
	.quad	\name\()_end - \name
	.size	\name\()_bytes, 8
.endm

	.section .rodata, "a"
	blob	purgatory_blob, PURGATORY_BIN
	blob	file_stub_blob, FILE_STUB_BIN

	.section .note.GNU-stack, "", %progbits
