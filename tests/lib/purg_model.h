/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens after the jump, as abi/purgatory_abi.h tells it and independently of the loader and of purgatory.c: the
 * kernel copies its segments, purgatory looks at its parameters and works on its pieces, on a simulated physical
 * memory. Memory that nobody owns holds the old kernel's garbage. Tables are walked, so that what is touched is mapped
 * and nothing else is.
 */
#ifndef PURG_MODEL_H
#define PURG_MODEL_H

#include "purgatory_abi.h"
#include "sys_fake.h"

#define MODEL_BLOCKS	128

struct purg_model {
	const struct fake *fake;
	struct { pa_t pa; unsigned char *data; } block[MODEL_BLOCKS];	/* 2 MiB each, that were written to */
	size_t blocks;
	pa_t control;
	pa_t base;			/* where purgatory is entered */
	pa_t end;			/* of the control segment, tables included */
	struct purg_header header;
	struct purg_params params;
	struct range_set verified, cleaned;	/* memory that is */
	uint64_t moved_bytes, moves;
	char problem[200];
};

/* Play through the jump into what the fake machine has loaded. Null if purgatory would enter the kernel, else why not,
 * or which rule the load broke. To be given back with purg_model_free() in any case. */
const char *purg_model_run(struct purg_model *model, const struct fake *fake);
void purg_model_free(struct purg_model *model);

/* What the next kernel is given, and where; bytes 0: there is none. */
struct purg_next {
	struct range kernel;		/* with its BSS, by its own header */
	struct range initrd, dtb;
	unsigned char *tree;		/* a copy of the device tree, for the caller to free */
};

/* Judge that by the boot protocol (booting.rst): after purg_model_run(). Null if it boots, else why not. */
const char *purg_model_next(struct purg_model *model, struct purg_next *next);

/* Memory as the next kernel finds it. */
void purg_model_read(struct purg_model *model, pa_t pa, void *out, uint64_t bytes);
bool purg_model_equal(struct purg_model *model, pa_t pa, const void *want, uint64_t bytes);

#endif
