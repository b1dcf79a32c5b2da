/* SPDX-License-Identifier: GPL-2.0-only */
/* Staging and planning: more pages as long as that helps, fewer things to ask for as long as it must. */
#include "stages.h"

#include "crash_memory.h"
#include "file_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Pages beyond what is needed, to find a place where nothing has to move: as many again at most, or as the request says, and no
 * more than half of what is unused and a sixteenth of all memory, so that nobody's page cache goes for it. They are taken in three
 * steps, for about two seconds, and go back at once.
 */
#define EXTRA_STEPS		3
#define EXTRA_MS		2000
#define EXTRA_RAM_SHARE		16

/* One attempt at staging. */
struct attempt {
	struct placement *to;
	struct sys *sys;
	const struct control_facts *facts;
	const struct staging_ops *backend;
	struct budget budget;
	struct report *report;
};

enum kx_err plan_input_make(struct plan_input *input, const struct sys *sys, const struct machine *machine, const struct load_request *request,
			    const struct plan_object *objects, size_t tree_bytes, struct fail *fail)
{
	*input = (struct plan_input){
		.ram = &machine->memmap.ram, .spare = &machine->memmap.spare, .dtb_bytes = tree_bytes,
		.object = { objects[OBJECT_KERNEL], objects[OBJECT_INITRD] },
		/* All of a page, less the device tree if that is small. Tables of 16K and 64K granules can take that much. */
		.control_bytes = PLAN_SLOT_BYTES, .rules = arm64_plan_rules(sys->page_bytes),
	};
	input->rules.pages_alone = request->through_file_load || request_stages_in_crash_memory(request);
	/* What lies in the crash kernel's memory is not mapped any more when the kernel relocates the control segment. */
	input->rules.small = request_stages_in_crash_memory(request) ? PLAN_SMALL_SPARE :
			     request->through_file_load ? PLAN_SMALL_OURS : PLAN_SMALL_ANYWHERE;
	if (tree_bytes > PLAN_SLOT_BYTES)
		return fail_set(fail, KX_DTB_TOO_BIG, "device tree, with what describes memory behind it");
	if (tree_bytes <= KIB(512))
		input->control_bytes -= align_up(tree_bytes, KIB(64));
	return KX_OK;
}

static uint32_t extra_pages(const struct attempt *a, uint32_t wanted)
{
	const struct load_request *request = a->facts->request;
	uint64_t extra = (uint64_t)wanted * (request->extra_given ? request->extra_percent : 100) / 100;
	uint64_t most = a->budget.unused_bytes / 2 / a->backend->page_bytes;

	if (most > a->budget.ram_bytes / EXTRA_RAM_SHARE / a->backend->page_bytes)
		most = a->budget.ram_bytes / EXTRA_RAM_SHARE / a->backend->page_bytes;
	return (uint32_t)(extra < most ? extra : most);
}

/* Where kexec_file_load(2) may put its Image and its device tree nothing of ours can wait. */
static enum kx_err keep_clear(struct placement *to, const struct machine *machine)
{
	pa_t low_end, high_start;
	bool no_memory;
	uint32_t i;

	if (!memmap_file_load_bounds(&machine->memmap, FILE_IMAGE_HOLE_BYTES, FILE_IMAGE_HOLE_BYTES + machine->ima_bytes, &low_end, &high_start, &no_memory))
		return no_memory ? KX_NO_MEMORY : KX_NO_ROOM;
	for (i = 0; i < to->staging.pages; i++)
		if (to->page_pa[i] < low_end || to->page_pa[i] > high_start - PLAN_SLOT_BYTES)
			to->page_pa[i] = STAGING_NO_PA;
	return KX_OK;
}

enum kx_err placement_plan(struct placement *to, const struct control_facts *facts)
{
	size_t bytes = to->staging.pages * sizeof(*to->page_pa);
	enum kx_err err = KX_OK;

	plan_free(&to->plan);
	free(to->page_pa);
	to->page_pa = malloc(bytes + 1);
	if (!to->page_pa)
		return KX_NO_MEMORY;
	if (bytes)
		memcpy(to->page_pa, to->staging.pa, bytes);
	if (facts->request->through_file_load)
		err = keep_clear(to, facts->machine);
	to->input.page_pa = to->page_pa;
	to->input.pages = to->staging.pages;
	return err ? err : plan_make(&to->plan, &to->input);
}

/* What is planned anew may come to lie where kexec_file_load(2) must find nothing of ours: as a rule no more than a few. */
#define PAGES_KEPT_CLEAR	4

static uint32_t pages_wanted(const struct placement *placement)
{
	return plan_pages_wanted(&placement->input) + (placement->input.rules.small == PLAN_SMALL_OURS ? PAGES_KEPT_CLEAR : 0);
}

static enum kx_err why_no_more(const struct staging *staging)
{
	int err = staging->limit_error;

	return err == -EROFS || err == -EACCES || err == -EPERM ? KX_LIMIT_READ_ONLY : KX_NO_HUGE_PAGES;
}

/* Pages that lie in no CMA area stay where they are. Where the kernel could not be asked to see to that, some may not. */
static void note_cma(const struct attempt *a)
{
	if (a->to->staging.pages && a->to->staging.cma_error && a->budget.cma_bytes)
		report_note(a->report, "staged memory may lie in a CMA area, which a driver may claim until the start; then only the "
			    "check before the jump would notice (io_uring, to move it out of there: %s)", strerror(-a->to->staging.cma_error));
}

static bool nothing_moves(const struct placement *to)
{
	return !to->plan.moved && !to->plan.relocated;
}

/* No more than there is memory for now; what is staged already counts as taken. */
static enum kx_err grow(struct attempt *a, uint32_t pages, struct fail *fail)
{
	enum kx_err err = budget_read(&a->budget, a->sys, fail);
	uint64_t most = a->to->staging.pages + pages_to_be_had(&a->budget, a->backend);

	if (err)
		return err;
	return staging_grow(&a->to->staging, pages < most ? pages : (uint32_t)most, fail);
}

/* What comes out of the pool is missing there as long as the load stands. */
static void note_pool(const struct attempt *a, uint64_t pool_before)
{
	uint64_t pool = huge_page_pool_pages(a->sys);

	if (pool < pool_before)
		report_note(a->report, "%llu huge pages were taken out of this machine's own pool (vm.nr_hugepages)",
			    (unsigned long long)(pool_before - pool));
}

/*
 * With room for all that may be looked at, which takes no memory until it is. Staging stays as large as it was made, and is accounted so
 * (kernel.shmall, kernel.shmmax): where these do not allow it, there is room for what is needed.
 */
static enum kx_err open_staging(struct attempt *a, uint32_t wanted, uint32_t *extra, struct fail *fail)
{
	struct placement *to = a->to;
	struct staging_place place = { .ops = a->backend, .number = to->ledger.number, .node = boot_node(a->sys), .journal = ledger_journal(&to->ledger) };
	enum kx_err err = staging_open(&to->staging, a->sys, &place, wanted + *extra, fail);

	if (err && *extra) {
		*extra = 0;
		err = staging_open(&to->staging, a->sys, &place, wanted, fail);
	}
	return err;
}

/* All that has to be so before the first page is taken, and the ledger. */
static enum kx_err begin_staging(struct attempt *a, const struct ledger *ledger, struct fail *fail)
{
	enum kx_err err = preflight_staging(a->sys, fail);

	if (!err)
		err = budget_read(&a->budget, a->sys, fail);
	if (err)
		return err;
	if (!pages_to_be_had(&a->budget, a->backend))
		return fail_with(fail, a->backend->hand_over ? KX_NO_MEMORY : KX_NO_HUGE_PAGES);
	return ledger_create(&a->to->ledger, a->sys, a->backend->kind, ledger_bytes_max(ledger), fail);
}

enum kx_err staging_trial(struct sys *sys, struct staging_trial *trial, struct fail *fail)
{
	const struct ledger ledger = { .program = "", .format = "" };
	struct placement placement = { 0 };
	struct attempt a = { .to = &placement, .sys = sys, .report = &trial->report, .backend = staging_backend(STAGING_HUGE_PAGES) };
	uint32_t extra = 0;
	enum kx_err err;

	trial->has_limit = huge_page_limit_try(sys, &trial->limit);
	err = begin_staging(&a, &ledger, fail);

	if (!err)
		err = open_staging(&a, 1, &extra, fail);
	if (!err)
		err = grow(&a, 1, fail);
	if (!err && !placement.staging.pages)
		err = fail_with(fail, why_no_more(&placement.staging));
	if (!err)
		note_cma(&a);
	placement_close(&placement, true);
	return err;
}

/* Take pages, a few more each time, until a plan moves nothing, or more of them would be of no use. */
static enum kx_err place_in_pages(struct attempt *a, const struct ledger *ledger, struct fail *fail)
{
	struct placement *to = a->to;
	uint32_t wanted = pages_wanted(to), extra, step, before;
	uint64_t until_ms = 0, pool = huge_page_pool_pages(a->sys);
	enum kx_err err = begin_staging(a, ledger, fail), planned = KX_NO_ROOM;

	if (err)
		return err;
	extra = extra_pages(a, wanted);
	err = open_staging(a, wanted, &extra, fail);
	if (err)
		return err;
	for (step = 0; step <= EXTRA_STEPS; step++) {
		if (step == 1)
			until_ms = a->sys->now_ms(a->sys) + EXTRA_MS;
		before = to->staging.pages;
		err = grow(a, wanted + extra * step / EXTRA_STEPS, fail);
		if (err)
			return err;
		if (step && to->staging.pages == before)
			break;
		planned = placement_plan(to, a->facts);
		if (planned == KX_NO_MEMORY)
			return fail_set(fail, planned, "planning");
		if ((!planned && nothing_moves(to)) || to->staging.pages < wanted || !extra ||
		    (step && a->sys->now_ms(a->sys) > until_ms))
			break;
	}
	note_pool(a, pool);
	if (!to->staging.pages)
		return fail_with(fail, why_no_more(&to->staging));
	if (planned == KX_NO_ROOM && to->input.rules.pages_alone && to->staging.pages < wanted)
		return fail_set(fail, why_no_more(&to->staging), "%u of %u huge pages are missing", wanted - to->staging.pages, wanted);
	err = planned ? planned : control_measure(to, a->sys, a->facts, a->report);
	return err ? fail_set(fail, err, "kernel and initrd") : KX_OK;
}

/* kernel.kexec_load_limit_panic counts taking the memory, giving it back, and the crash kernel that comes back then. */
#define PANIC_LOADS	3

static enum kx_err preflight_crash_memory(struct sys *sys, struct fail *fail)
{
	struct load_limit limit;
	enum kx_err err = preflight_switches(sys, true, fail);

	if (err)
		return err;
	load_limit_read(sys, LOAD_LIMIT_PANIC, &limit);
	return limit.limited && limit.left < PANIC_LOADS ? fail_with(fail, KX_LOAD_LIMIT_PANIC) : KX_OK;
}

/* A page in a window whose memory has failed, under BSS as well; PLAN_NO_PAGE: none. */
static uint32_t failed_page(const struct placement *placement, struct sys *sys)
{
	const struct staging *staging = &placement->staging;
	unsigned int o;
	uint32_t i;

	for (i = 0; i < staging->pages; i++)
		for (o = 0; o < PLAN_OBJECTS; o++) {
			const struct plan_window *window = &placement->plan.window[o];
			pa_t pa = staging->pa[i];

			if (pa >= window->pa && pa - window->pa < window->slots * PLAN_SLOT_BYTES && memory_has_failed(sys, pa, PLAN_SLOT_BYTES))
				return i;
		}
	return PLAN_NO_PAGE;
}

/* All that is reserved is there to be planned with, and nothing has to be taken. */
static enum kx_err place_in_crash_memory(struct attempt *a, const struct ledger *ledger, struct fail *fail)
{
	struct placement *to = a->to;
	const struct memmap *map = &a->facts->machine->memmap;
	struct range reserved = map->crash_count ? map->crash[map->crash_count - 1] : (struct range){ 0 };
	struct staging_place place = { .ops = a->backend, .area = crash_memory_area(reserved, &to->panic_pa), .node = -1 };
	uint32_t wanted = plan_slots(&to->input.object[OBJECT_KERNEL]) + plan_slots(&to->input.object[OBJECT_INITRD]);
	uint32_t pages = (uint32_t)(place.area.bytes / a->backend->page_bytes), failed;
	enum kx_err err = preflight_crash_memory(a->sys, fail);

	if (!err)
		err = begin_staging(a, ledger, fail);
	if (err)
		return err;
	place.number = to->ledger.number;
	place.journal = ledger_journal(&to->ledger);
	to->ledger.header->area_pa = place.area.start;
	err = staging_open(&to->staging, a->sys, &place, pages, fail);
	if (!err)
		err = staging_grow(&to->staging, pages, fail);
	if (err)
		return err;
	while (!(err = placement_plan(to, a->facts)) && (failed = failed_page(to, a->sys)) != PLAN_NO_PAGE)
		to->staging.pa[failed] = STAGING_NO_PA;
	if (err == KX_NO_ROOM && pages < wanted)
		return fail_set(fail, KX_CRASH_MEMORY_SMALL, "%u MiB are wanted, and %llu MiB reserved",
				(wanted + 1) * (unsigned int)(a->backend->page_bytes >> 20), (unsigned long long)(reserved.bytes >> 20));
	if (!err && to->plan.in_place + to->plan.moved > pages_to_be_had(&a->budget, a->backend))
		return fail_set(fail, KX_NO_MEMORY, "kernel and initrd, which are read into memory first");
	if (!err)
		err = control_measure(to, a->sys, a->facts, a->report);
	return err ? fail_set(fail, err, "kernel and initrd") : KX_OK;
}

static enum kx_err place_in_stage(struct attempt *a, const struct ledger *ledger, struct fail *fail)
{
	return a->backend->kind == STAGING_CRASH_MEMORY ? place_in_crash_memory(a, ledger, fail) : place_in_pages(a, ledger, fail);
}

/* Everything but the control segment goes to the kernel as ordinary segments: stock kexec with a fast check. */
static enum kx_err place_without_pages(struct attempt *a, struct fail *fail)
{
	struct placement *to = a->to;
	enum kx_err err;

	staging_close(&to->staging, true);
	ledger_close(&to->ledger, true);
	err = placement_plan(to, a->facts);
	if (!err)
		err = control_measure(to, a->sys, a->facts, a->report);
	return err ? fail_set(fail, err, "kernel and initrd") : KX_OK;
}

enum kx_err placement_make(struct placement *placement, struct sys *sys, const struct control_facts *facts, const struct ledger *ledger,
			   struct report *report, struct fail *fail)
{
	struct attempt a = { .to = placement, .sys = sys, .facts = facts, .report = report };
	const struct machine *machine = facts->machine;
	enum fast_mode fast = facts->request->fast;
	const char *why;
	enum kx_err err;

	a.backend = staging_backend(request_stages_in_crash_memory(facts->request) ? STAGING_CRASH_MEMORY : STAGING_HUGE_PAGES);
	if (facts->request->stage == STAGE_NONE)
		fast = FAST_NO;
	placement->cpus = facts->choices->cpus;
	if (!machine->psci && fast == FAST_REQUIRE)
		return fail_with(fail, KX_NO_PSCI);
	if (!machine->psci)
		report_note(report, "%s", err_text(KX_NO_PSCI));
	err = fast == FAST_NO ? place_without_pages(&a, fail) : place_in_stage(&a, ledger, fail);
	if (err == KX_INTERRUPTED || err == KX_NO_MEMORY)
		return err;
	if (err && fast == FAST_AUTO) {
		report_note(report, "staging was not possible: %s%s%s", fail->detail, fail->detail[0] ? ": " : "", err_text(err));
		placement->input.rules.pages_alone = facts->request->through_file_load;
		err = place_without_pages(&a, fail);
	}
	if (err)
		return err;
	if (fast == FAST_REQUIRE && placement->plan.relocated)
		return fail_set(fail, why_no_more(&placement->staging), "%u of %u huge pages are missing", placement->plan.relocated,
				placement->plan.in_place + placement->plan.moved + placement->plan.relocated);
	if (fast == FAST_AUTO && placement->staging.pages && placement->plan.relocated)
		report_note(report, "%u huge pages go through the kernel instead: %s", placement->plan.relocated,
			    err_text(why_no_more(&placement->staging)));
	note_cma(&a);
	if (machine->memory_guess && !facts->request->crash)
		report_note(report, "%s", machine->memory_guess);
	if (machine->in_crash_memory)
		report_note(report, "it will boot from the crash kernel's memory: load no crash kernel until then");
	if (machine->tables_unknown)
		report_note(report, "the kernel log does not reach back to the boot, so the tables of the interrupt "
			    "controller are not known and not reserved for the next kernel");
	why = plan_check(&placement->plan, &placement->input);
	return why ? fail_set(fail, KX_PLAN_CHECK, "%s", why) : KX_OK;
}

enum kx_err placement_mark(struct placement *placement, struct fail *fail)
{
	const struct plan *plan = &placement->plan;
	const struct staging *staging = &placement->staging;
	uint32_t i, kept = 0;
	unsigned int o;
	bool *keep;

	free(placement->keep);
	free(placement->extra);
	placement->keep = keep = calloc(staging->pages ? staging->pages : 1, sizeof(*keep));
	placement->extra = calloc(staging->pages ? staging->pages : 1, sizeof(*placement->extra));
	if (!keep || !placement->extra)
		return fail_set(fail, KX_NO_MEMORY, "planning");
	for (o = 0; o < PLAN_OBJECTS; o++)
		for (i = 0; i < plan->window[o].slots; i++)
			if (plan->window[o].slot[i].page != PLAN_NO_PAGE)
				keep[plan->window[o].slot[i].page] = true;
	if (plan->control_page != PLAN_NO_PAGE)
		keep[plan->control_page] = true;
	if (plan->dtb_page != PLAN_NO_PAGE)
		keep[plan->dtb_page] = true;
	/* Of the others so many that planning anew finds enough, wherever the kernel moves them to (plan.h). What is relocated cannot be planned anew,
	   and what is handed over need not be. */
	for (i = 0; i < staging->pages; i++)
		kept += keep[i];
	for (i = 0; i < staging->pages && kept < pages_wanted(placement) && !plan->relocated && staging_is_shared(staging); i++)
		if (!keep[i] && placement->page_pa[i] != STAGING_NO_PA) {
			keep[i] = placement->extra[i] = true;
			kept++;
		}
	placement->pages_tried = staging->pages;
	return KX_OK;
}

enum kx_err placement_trim(struct placement *placement, struct fail *fail)
{
	enum kx_err err = placement_mark(placement, fail);

	if (!err && placement->staging.ops)
		staging_keep(&placement->staging, placement->keep);
	if (!err && placement->staging.ops && !staging_is_shared(&placement->staging))
		err = staging_reserve(&placement->staging, placement->keep, fail);
	return err;
}

void placement_close(struct placement *placement, bool discard)
{
	staging_close(&placement->staging, discard);
	ledger_close(&placement->ledger, discard);
	plan_free(&placement->plan);
	free(placement->page_pa);
	free(placement->keep);
	free(placement->extra);
	*placement = (struct placement){ 0 };
}
