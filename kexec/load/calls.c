/* SPDX-License-Identifier: GPL-2.0-only */
/* By which system call a load goes, and what is tried where the first one does not do. */
#include "order.h"

#include "crash_kernel.h"

#include <errno.h>
#include <string.h>

/* Before anything is staged for it. Where loads are counted, asking would count. */
static bool has_no_call(struct sys *sys, bool by_file)
{
	struct load_limit limit;

	load_limit_read(sys, LOAD_LIMIT_REBOOT, &limit);
	if (!loads_are_uncounted(&limit))
		return kernel_has_call(sys, by_file ? "kexec_file_load" : "kexec_load") == 0;
	return sys->kexec_probe(sys, by_file) == -ENOSYS;
}

/* By kexec_load(2). */
static enum kx_err load_by_load(struct load *l, struct fail *fail)
{
	enum kx_err err = preflight_kexec_load(l->sys, fail);

	if (err)
		return err;
	return l->request->fast != FAST_NO && has_no_call(l->sys, false) ? kexec_load_error(-ENOSYS, fail) : load_in_stages(l, fail);
}

static enum kx_err by_file(struct load *l, const struct load_request *request, int *result, struct fail *fail)
{
	enum kx_err err = load_by_file(&l->inputs, l->sys, request, l->report, result, fail);

	if (!err)
		load_remove_others(l, -1);
	return err;
}

/* The request without what is a preference and no demand: --fast-reloc without =require, and what kexec.conf says. */
static struct load_request without_preferences(const struct load_request *request)
{
	struct load_request plain = *request;

	if (plain.fast == FAST_AUTO)
		plain.fast = FAST_NO, plain.stage = STAGE_AUTO;
	if (plain.check_is_preference)
		plain.check = CHECK_DEFAULT;
	if (plain.cpus_is_preference)
		plain.cpus = 0;
	if (plain.unpack_is_preference)
		plain.unpack_initrd = UNPACK_DEFAULT;
	return plain;
}

/* kexec_load(2) is not to be had, and only preferences speak against the other call. Without that, the first reason stands. */
static enum kx_err load_without_preferences(struct load *l, struct fail *fail)
{
	struct load_request plain = without_preferences(l->request);
	struct fail first = *fail;
	enum kx_err err;
	int result;

	if (request_excludes_file_load(&plain))
		return first.err;
	err = by_file(l, &plain, &result, fail);
	if (!err)
		report_note(l->report, "nothing is staged or verified: %s; so it was kexec_file_load", err_text(first.err));
	if (err && result == -ENOSYS)
		*fail = first;
	return err ? fail->err : KX_OK;
}

/* What is staged is handed over by kexec_file_load(2), in an Image of ours. All of it has to be staged: the kernel relocates nothing for us. */
static enum kx_err load_staged_by_file(struct load *l, struct fail *fail)
{
	const struct load_request *request = l->request;
	struct load_request through = *request;
	enum kx_err err;

	if (request->stage == STAGE_CRASH_KERNEL)
		return fail_set(fail, KX_FILE_OPTION, "--stage=crashkernel");
	if (request->crash || request->entry || request->mem_min || request->mem_max)
		return fail_set(fail, KX_FILE_OPTION, "%s", request->crash ? "--load-panic with --fast-reloc" : request->entry ? "--entry" : "--mem-min, --mem-max");
	if (has_no_call(l->sys, true))
		return fail_set(fail, KX_FILE_UNAVAILABLE, "%s", strerror(ENOSYS));
	/* Memory that can be unplugged is not looked at for holes then (mm/memblock.c), which /proc/iomem does not show. */
	if (file_says(l->sys, "/proc/cmdline", "movable_node"))
		return fail_set(fail, KX_NO_ROOM, "movable_node: where kexec_file_load puts its files is not known");
	through.fast = FAST_REQUIRE;
	through.through_file_load = true;
	l->request = &through;
	if (l->inputs.request)
		l->inputs.request = &through;
	err = load_in_stages(l, fail);
	l->request = request;
	if (l->inputs.request)
		l->inputs.request = request;
	return err;
}

/* Where the kernel has no kexec_load(2); else without what is only a preference. */
static enum kx_err load_without_load(struct load *l, struct fail *fail)
{
	struct fail first = *fail, staged;
	enum kx_err err;

	if (first.err == KX_NO_SYSCALL && l->request->fast != FAST_NO && l->request->stage != STAGE_NONE) {
		bool tried;

		err = load_staged_by_file(l, &staged);
		tried = err != KX_FILE_OPTION && err != KX_FILE_UNAVAILABLE;
		if (!err || err == KX_INTERRUPTED || (tried && (l->request->fast == FAST_REQUIRE || l->request->plan_only))) {
			*fail = staged;
			return err;
		}
		if (tried)
			report_note(l->report, "staging was not possible: %s%s%s", staged.detail, staged.detail[0] ? ": " : "", err_text(err));
	}
	*fail = first;
	return load_without_preferences(l, fail);
}

bool load_may_go_by_file(enum kx_err err)
{
	return err == KX_LOCKDOWN || err == KX_NO_SYSCALL || err == KX_LIVE_UPDATE;
}

/* By the call that was asked for, or by kexec_file_load(2) and, should that fail, by the other. */
static enum kx_err load_either(struct load *l, struct fail *fail)
{
	const struct load_request *request = l->request;
	const char *hindrance = request_excludes_file_load(request);
	struct fail first;
	enum kx_err err;
	int result;

	if (request->syscall == SYSCALL_FILE && request->fast != FAST_NO && !request->crash)
		return load_staged_by_file(l, fail);
	if (request->syscall == SYSCALL_FILE && hindrance)
		return fail_set(fail, KX_FILE_OPTION, "%s", hindrance);
	if (request->syscall == SYSCALL_LOAD)
		return load_by_load(l, fail);
	if (hindrance) {
		err = load_by_load(l, fail);
		return load_may_go_by_file(err) ? load_without_load(l, fail) : err;
	}
	err = by_file(l, request, &result, fail);
	if (request->syscall == SYSCALL_FILE)
		return err && file_load_is_missing(result) ? fail_set(fail, KX_FILE_UNAVAILABLE, "%s", strerror(-result)) : err;
	if (!err || !file_load_may_fall_back(result))
		return err;
	first = *fail;
	/* That there is no such call is how most kernels are; any other reason is worth a word. */
	if (result != -ENOSYS)
		report_note(l->report, "kexec_file_load failed (%s), so it was kexec_load", strerror(-result));
	err = load_by_load(l, fail);
	/* Where there is only the first call, its reason is the one that counts. */
	if (err == KX_NO_SYSCALL && result != -ENOSYS) {
		*fail = first;
		err = first.err;
	}
	return err;
}

/*
 * Loads that stage are made one after the other: what one of them gives back must not be what another one has just staged. Others
 * wait for nobody: a crash kernel has nothing to do with staging, and an ordinary load only gives back what was staged before it,
 * which it leaves to whoever is at work.
 */
static enum kx_err lock_loads(struct load *l, struct fail *fail)
{
	bool stages = l->request->fast != FAST_NO && !l->request->crash;
	int err = l->request->crash ? -EWOULDBLOCK : l->sys->lock(l->sys, stages);

	l->lock = (struct load_lock){ l->sys, err };
	if (!err || !stages)
		return KX_OK;
	if (err == -EWOULDBLOCK)
		return fail_with(fail, KX_LOCKED);
	if (err == -EINTR)
		return fail_with(fail, KX_INTERRUPTED);
	report_note(l->report, "nothing keeps another kexec from staging at the same time: there is no lock (%s)", strerror(-err));
	return KX_OK;
}

bool crash_memory_is_staged(struct sys *sys)
{
	return kernel_is_loaded(sys, false) != 0 && ledgers_count_on_crash_memory(sys);
}

enum kx_err load_kernel(struct sys *sys, const struct load_request *request, struct report *report, struct fail *fail)
{
	struct load l = { .sys = sys, .request = request, .report = report };
	enum kx_err err = preflight(sys, request->crash, fail);

	/* A crash kernel would take the place of what is staged in its memory. */
	if (!err && request->crash && crash_memory_is_staged(sys))
		err = fail_with(fail, KX_CRASH_MEMORY_STAGED);
	/* A crash kernel starts though others stay where they are. */
	if (!err && !request->crash)
		err = preflight_cpus(sys, fail);

	*report = (struct report){ 0 };
	if (!err)
		err = lock_loads(&l, fail);
	if (err)
		return err;
	sys->die_first(sys, true);
	if (request->crash && !request->plan_only)
		crash_kernel_loading(sys);
	err = load_either(&l, fail);
	if (request->crash && !request->plan_only)
		crash_kernel_loaded(sys, err ? NULL : request);
	inputs_close(&l.inputs);
	sys->die_first(sys, false);
	/* Somebody may have unloaded meanwhile, and left to us what was staged. */
	load_tidy(&l);
	if (!l.lock.error)
		sys->unlock(sys);
	return err;
}

enum kx_err load_trial(struct sys *sys, struct staging_trial *trial, struct fail *fail)
{
	const struct load_request request = { .fast = FAST_REQUIRE };
	struct load l = { .sys = sys, .request = &request, .report = &trial->report };
	enum kx_err err;

	*trial = (struct staging_trial){ 0 };
	err = lock_loads(&l, fail);
	if (err)
		return err;
	sys->die_first(sys, true);
	err = staging_trial(sys, trial, fail);
	sys->die_first(sys, false);
	load_tidy(&l);
	if (!l.lock.error)
		sys->unlock(sys);
	return err;
}
