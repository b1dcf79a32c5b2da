/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second opinion on plans. It shares no code with the planner: a plan is carried out on a model of memory, and the
 * best plan is found by trying every pair of windows.
 */
#ifndef PLAN_SIM_H
#define PLAN_SIM_H

#include "plan.h"

/*
 * Carry the plan out: write the payload into the huge pages, let the kernel copy its segments, do the moves in the listed
 * order and, on a second machine, backwards. Returns null if all of it ends where it is booted from and nothing else
 * was written, else a word on what is wrong.
 */
const char *plan_sim(const struct plan *plan, const struct plan_input *input);

/* What a right plan still does worse than plan.h says, its windows taken as given. Null if nothing. */
const char *plan_sim_waste(const struct plan *plan, const struct plan_input *input);

struct plan_sim_best {
	bool fits;		/* some pair of windows keeps the rules */
	uint32_t unplaced;	/* the fewest slots with a piece of a file that are not in place, of all of them */
	pa_t pa[PLAN_OBJECTS];	/* a pair that has so few; with one object only, the lowest */
	bool loads;		/* some pair also leaves room for control segment and dtb, within the segments there are */
};

/*
 * Try every pair of windows. loads is only looked for if ask_loads: it costs more. False if the machine has more than
 * slots_max slots to try.
 */
bool plan_sim_min_unplaced(const struct plan_input *input, size_t slots_max, bool ask_loads,
			   struct plan_sim_best *best);

/* Whether the span rule can keep two windows of this machine apart at all. */
bool plan_sim_span_binds(const struct plan_input *input);

#endif
