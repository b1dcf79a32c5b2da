/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of a machine to plan for. For cmocka's tests. */
#ifndef PLAN_MACHINE_H
#define PLAN_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan.h"

#define PAGES_MAX	512u
#define TRY_SLOTS_MAX	300	/* machines up to this are tried out, by plan_sim_min_unplaced() */
#define SLOT(n)		((uint64_t)(n) * PLAN_SLOT_BYTES)

struct machine {
	struct plan_input input;
	struct range_set ram, spare;
	pa_t page_pa[PAGES_MAX];
};

static inline void machine_close(struct machine *m)
{
	range_set_free(&m->ram);
	range_set_free(&m->spare);
}

static inline void add(struct range_set *set, pa_t start, uint64_t bytes)
{
	assert_true(range_set_add(set, (struct range){ start, bytes }));
}

static inline void cut(struct range_set *set, pa_t start, uint64_t bytes)
{
	assert_true(range_set_remove(set, (struct range){ start, bytes }));
}

#endif
