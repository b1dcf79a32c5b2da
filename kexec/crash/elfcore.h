/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ELF header of /proc/vmcore, made when the crash kernel is loaded: where the dying kernel's memory is, and the notes that
 * it will write its registers and its vmcoreinfo to. Pure. Read by fs/proc/vmcore.c of the crash kernel.
 */
#ifndef ELFCORE_H
#define ELFCORE_H

#include "err.h"
#include "range.h"

#include <stddef.h>

struct core_load {
	struct range memory;
	uint64_t va;		/* where the dying kernel has it; 0: not known */
};

struct elfcore {
	const struct range *notes;	/* one a CPU, and the vmcoreinfo */
	size_t note_count;
	const struct core_load *loads;
	size_t load_count;
};

#define ELFCORE_HEADERS_MAX	0xfff0	/* e_phnum is 16 bits */

size_t elfcore_bytes(const struct elfcore *core);
/* Into out, elfcore_bytes() long. */
void elfcore_build(const struct elfcore *core, unsigned char *out);

#endif
