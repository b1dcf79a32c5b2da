/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking huge pages and making the plan: more huge pages as long as that helps, fewer things to ask for as long as it must. */
#include "payload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Huge pages beyond what is needed, to find a place where nothing has to move: as many again at most, or as the request says, and no
 * more than half of what is unused and a sixteenth of all memory, so that nobody's page cache goes for it. They are taken in three
 * steps, for about two seconds, and go back at once.
 */
#define EXTRA_STEPS		3
#define EXTRA_MS		2000
#define EXTRA_RAM_SHARE		16

static uint32_t extra_pages(const struct payload *p, uint32_t wanted)
{
	uint64_t extra = (uint64_t)wanted * (p->request->extra_given ? p->request->extra_percent : 100) / 100;
	uint64_t most = p->machine.unused_bytes / 2 / HUGE_PAGE_BYTES;

	if (most > p->machine.ram_bytes / EXTRA_RAM_SHARE / HUGE_PAGE_BYTES)
		most = p->machine.ram_bytes / EXTRA_RAM_SHARE / HUGE_PAGE_BYTES;
	return (uint32_t)(extra < most ? extra : most);
}

static enum kx_err plan_again(struct payload *p)
{
	plan_free(&p->plan);
	p->input.page_pa = p->stage.pa;
	p->input.pages = p->stage.pages;
	return plan_make(&p->plan, &p->input);
}

static enum kx_err why_no_more(const struct stage *stage)
{
	int err = stage->limit_error;

	return err == -EROFS || err == -EACCES || err == -EPERM ? KX_LIMIT_READ_ONLY : KX_NO_HUGE_PAGES;
}

/* Huge pages that lie in no CMA area stay where they are. Where the kernel could not be asked to see to that, some may not. */
static void note_cma(struct payload *p)
{
	if (p->stage.pages && p->stage.cma_error && p->machine.cma_bytes)
		report_note(p->report, "staged memory may lie in a CMA area, which a driver may claim until the start; then only the "
			    "check before the jump would notice (io_uring, to move it out of there: %s)", strerror(-p->stage.cma_error));
}

static bool nothing_moves(const struct payload *p)
{
	return p->plan.in_place == plan_slots(&p->input.object[0]) + plan_slots(&p->input.object[1]);
}

/* No more than there is memory for now; what is staged already counts as taken. */
static enum kx_err grow(struct payload *p, uint32_t pages, struct fail *fail)
{
	enum kx_err err = machine_budget(&p->machine, p->sys, fail);
	uint64_t most = p->stage.pages + p->machine.available_bytes / HUGE_PAGE_BYTES;

	if (err)
		return err;
	return stage_grow(&p->stage, pages < most ? pages : (uint32_t)most, fail);
}

/* What comes out of the pool is missing there as long as the load stands. */
static void note_pool(struct payload *p, uint64_t pool_before)
{
	uint64_t pool = stage_pool_pages(p->sys);

	if (pool < pool_before)
		report_note(p->report, "%llu huge pages were taken out of this machine's own pool (vm.nr_hugepages)",
			    (unsigned long long)(pool_before - pool));
}

/* Take huge pages, a few more each time, until a plan moves nothing, or more of them would be of no use. */
static enum kx_err place_in_pages(struct payload *p, struct fail *fail)
{
	uint32_t wanted = plan_pages_wanted(&p->input), extra, step, before;
	uint64_t until_ms = 0, pool = stage_pool_pages(p->sys);
	enum kx_err err = preflight_staging(p->sys, fail), planned = KX_NO_ROOM;

	if (!err)
		err = machine_budget(&p->machine, p->sys, fail);
	if (err)
		return err;
	extra = extra_pages(p, wanted);
	if (p->machine.available_bytes < HUGE_PAGE_BYTES)
		return fail_with(fail, KX_NO_HUGE_PAGES);
	for (step = 0; step <= EXTRA_STEPS; step++) {
		/* A segment stays as large as it was made, and is accounted so (kernel.shmall). The first has room for what is needed;
		   only where that does not do one with room for more is made in its place. */
		if (step <= 1) {
			stage_close(&p->stage, true);
			err = stage_open(&p->stage, p->sys, step ? wanted + extra : wanted, fail);
			if (err && step) {
				extra = 0;
				err = stage_open(&p->stage, p->sys, wanted, fail);
			}
			if (err)
				return err;
		}
		if (step == 1)
			until_ms = p->sys->now_ms(p->sys) + EXTRA_MS;
		before = p->stage.pages;
		err = grow(p, wanted + extra * step / EXTRA_STEPS, fail);
		if (err)
			return err;
		if (step && p->stage.pages == before)
			break;
		planned = plan_again(p);
		if (planned == KX_NO_MEMORY)
			return fail_set(fail, planned, "planning");
		if ((!planned && nothing_moves(p)) || p->stage.pages < wanted || !extra ||
		    (step && p->sys->now_ms(p->sys) > until_ms))
			break;
	}
	note_pool(p, pool);
	if (!p->stage.pages)
		return fail_with(fail, why_no_more(&p->stage));
	err = planned ? planned : payload_try_control(p);
	return err ? fail_set(fail, err, "kernel and initrd") : KX_OK;
}

/* Everything but the control segment goes to the kernel as ordinary segments: stock kexec with a fast check. */
static enum kx_err place_without_pages(struct payload *p, struct fail *fail)
{
	enum kx_err err;

	stage_close(&p->stage, true);
	err = plan_again(p);
	if (!err)
		err = payload_try_control(p);
	return err ? fail_set(fail, err, "kernel and initrd") : KX_OK;
}

static enum kx_err give_back(struct payload *p, struct fail *fail)
{
	bool *keep = p->keep = calloc(p->stage.pages ? p->stage.pages : 1, sizeof(*keep));
	unsigned int o;
	uint32_t i;

	if (!keep)
		return fail_set(fail, KX_NO_MEMORY, "planning");
	for (o = 0; o < PLAN_OBJECTS; o++)
		for (i = 0; i < p->plan.window[o].slots; i++)
			if (p->plan.window[o].slot[i].page != PLAN_NO_PAGE)
				keep[p->plan.window[o].slot[i].page] = true;
	if (p->plan.control_page != PLAN_NO_PAGE)
		keep[p->plan.control_page] = true;
	if (p->plan.dtb_page != PLAN_NO_PAGE)
		keep[p->plan.dtb_page] = true;
	p->report->pages_tried = p->stage.pages;
	for (i = 0; i < p->stage.pages; i++)
		p->report->staged_bytes += keep[i] * HUGE_PAGE_BYTES;
	stage_keep(&p->stage, keep);
	return KX_OK;
}

enum kx_err payload_place(struct payload *p, struct fail *fail)
{
	enum fast_mode fast = p->request->fast;
	const char *why;
	enum kx_err err;

	if (!p->machine.psci && fast == FAST_REQUIRE)
		return fail_with(fail, KX_NO_PSCI);
	if (!p->machine.psci)
		report_note(p->report, "%s", err_text(KX_NO_PSCI));
	err = fast == FAST_NO ? place_without_pages(p, fail) : place_in_pages(p, fail);
	if (err == KX_INTERRUPTED || err == KX_NO_MEMORY)
		return err;
	if (err && fast == FAST_AUTO) {
		report_note(p->report, "staging was not possible: %s%s%s", fail->detail, fail->detail[0] ? ": " : "",
			    err_text(err));
		err = place_without_pages(p, fail);
	}
	if (err)
		return err;
	if (fast == FAST_REQUIRE && p->plan.relocated)
		return fail_set(fail, why_no_more(&p->stage), "%u of %u huge pages are missing", p->plan.relocated,
				p->plan.in_place + p->plan.moved + p->plan.relocated);
	if (fast == FAST_AUTO && p->stage.pages && p->plan.relocated)
		report_note(p->report, "%u huge pages go through the kernel instead: %s", p->plan.relocated,
			    err_text(why_no_more(&p->stage)));
	note_cma(p);
	if (p->machine.memory_guess && !p->request->crash)
		report_note(p->report, "%s", p->machine.memory_guess);
	if (p->machine.tables_unknown)
		report_note(p->report, "the kernel log does not reach back to the boot, so the tables of the interrupt "
			    "controller are not known and not reserved for the next kernel");

	why = plan_check(&p->plan, &p->input);
	if (why)
		return fail_set(fail, KX_PLAN_CHECK, "%s", why);
	return give_back(p, fail);
}
