/* SPDX-License-Identifier: GPL-2.0-only */
/* The order of a load. */
#include "payload.h"

#include <errno.h>
#include <string.h>

/* They begin as kexec-tools' message does. */
static enum kx_err kexec_load_error(int err, struct fail *fail)
{
	switch (err) {
	case -EPERM:
		return fail_set(fail, KX_NOT_PERMITTED, "kexec_load failed: %s", strerror(-err));
	case -EBUSY:
		return fail_set(fail, KX_BUSY, "kexec_load failed: %s", strerror(-err));
	case -ENOSYS:
		return fail_set(fail, KX_NO_SYSCALL, "kexec_load failed: %s", strerror(-err));
	case -ENOMEM:
		return fail_set(fail, KX_NO_MEMORY, "kexec_load failed: %s", strerror(-err));
	default:
		return fail_set(fail, KX_KEXEC_LOAD, "%s", strerror(-err));
	}
}

const char *sweep_hindrance(struct sys *sys, int lock_error)
{
	if (lock_error == -EWOULDBLOCK || lock_error == -EINTR)
		return "another kexec is at work";
	/* Where there is nothing to lock there is nobody to wait for; but what is staged is root's. */
	return lock_error && !sys->is_root(sys) ? "only user 0 can do that" : NULL;
}

void payload_sweep(struct payload *p, int keep)
{
	const char *hindrance;

	/* A crash kernel replaces no other one. */
	if (p->request->crash)
		return;
	hindrance = sweep_hindrance(p->sys, p->lock_error);
	if (hindrance)
		report_note(p->report, "what was staged before could not be given back: %s; kexec -u does it", hindrance);
	else if (p->sys->shm_sweep(p->sys, keep, false))
		report_note(p->report, "a process holds memory that was staged before: it is given back when that ends");
}

/*
 * The only call that changes anything for good. Before it, the new segment is marked as loaded, so that a loader killed
 * right behind it leaves no segment that a later one would sweep away while the kernel counts on it. After it, whatever
 * other loads have staged is unreachable, and goes.
 */
enum kx_err payload_commit(struct payload *p, struct fail *fail)
{
	struct sys *sys = p->sys;
	struct sys_segment segments[3 + RELOCATED_RUNS_MAX] = {
		{ p->control, p->control_bytes, p->plan.control_pa,
		  align_up(p->control_bytes, sys->page_bytes) },
		{ p->dtb, p->dtb_padded_bytes, p->plan.dtb_pa, align_up(p->dtb_padded_bytes, sys->page_bytes) },
	};
	size_t count = 2, i;
	int keep = p->stage.shm_id, err = 0;

	if (p->elfcore)
		segments[count++] = (struct sys_segment){ p->elfcore, p->elfcore_bytes, payload_elfcore_pa(p),
							  align_up(p->elfcore_bytes, sys->page_bytes) };
	for (i = 0; i < p->runs; i++)
		segments[count++] = (struct sys_segment){
			p->run[i].buf + (p->run[i].range.start - p->run[i].slots_pa), p->run[i].range.bytes,
			p->run[i].range.start, align_up(p->run[i].range.bytes, sys->page_bytes),
		};
	if (keep != SYS_NO_SHM)
		err = sys->shm_mark_loaded(sys, keep);
	if (err)
		return fail_set(fail, KX_SHM, "%s", strerror(-err));
	if (stage_moved(&p->stage, p->keep))
		return fail_with(fail, KX_MOVED);
	if (sys->interrupted(sys))
		return fail_set(fail, KX_INTERRUPTED, "%s", p->request->kernel);
	err = sys->kexec_load(sys, p->request->entry ? p->request->entry : p->entry_pa, segments, count,
			      p->request->crash ? SYS_KEXEC_ON_CRASH : 0);
	if (err)
		return kexec_load_error(err, fail);
	stage_close(&p->stage, false);
	payload_sweep(p, keep);
	return KX_OK;
}

/* What an earlier loader left behind when it was killed; all of it, if nothing is loaded at all. */
static void sweep_leftovers(struct payload *p)
{
	if (!p->request->crash && !sweep_hindrance(p->sys, p->lock_error))
		p->sys->shm_sweep(p->sys, SYS_NO_SHM, kernel_is_loaded(p->sys, false) != 0);
}

/* By kexec_load(2). The files may be open already. */
static enum kx_err load_by_load(struct payload *p, struct fail *fail)
{
	struct sys *sys = p->sys;
	struct report *report = p->report;
	uint64_t start_ms = sys->now_ms(sys);
	enum kx_err err = preflight_kexec_load(sys, fail);

	if (err)
		return err;
	sweep_leftovers(p);
	err = payload_open(p, fail);
	if (!err)
		err = payload_place(p, fail);
	if (!err)
		err = payload_fill(p, fail);
	if (!err)
		err = payload_finish(p, fail);
	if (!err && !p->request->plan_only)
		err = payload_commit(p, fail);
	if (!err) {
		payload_report(p);
		report->loaded = !p->request->plan_only;
		report->load_ms = sys->now_ms(sys) - start_ms;
	}
	return err;
}

/* The request without what is a preference and no demand: --fast-reloc without =require, and what kexec.conf says. */
static struct load_request without_preferences(const struct load_request *request)
{
	struct load_request plain = *request;

	if (plain.fast == FAST_AUTO)
		plain.fast = FAST_NO;
	if (plain.check_is_preference)
		plain.check = CHECK_DEFAULT;
	if (plain.cpus_is_preference)
		plain.cpus = 0;
	return plain;
}

/* kexec_load(2) is not to be had, and only preferences speak against the other call. Without that, the first reason stands. */
static enum kx_err load_without_preferences(struct payload *p, struct fail *fail)
{
	const struct load_request *request = p->request;
	struct load_request plain = without_preferences(request);
	struct fail first = *fail;
	enum kx_err err;
	int result;

	if (request_excludes_file_load(&plain))
		return first.err;
	p->request = &plain;
	err = load_by_file(p, &result, fail);
	p->request = request;
	if (!err)
		report_note(p->report, "nothing is staged or verified: %s; so it was kexec_file_load", err_text(first.err));
	if (err && result == -ENOSYS)
		*fail = first;
	return err ? fail->err : KX_OK;
}

/* By the call that was asked for, or by kexec_file_load(2) and, should that fail, by the other. */
static enum kx_err load_either(struct payload *p, struct fail *fail)
{
	const struct load_request *request = p->request;
	const char *hindrance = request_excludes_file_load(request);
	struct fail first;
	enum kx_err err;
	int result;

	if (request->syscall == SYSCALL_FILE && hindrance)
		return fail_set(fail, KX_FILE_OPTION, "%s", hindrance);
	if (request->syscall == SYSCALL_LOAD)
		return load_by_load(p, fail);
	if (hindrance) {
		err = load_by_load(p, fail);
		return err == KX_LOCKDOWN || err == KX_NO_SYSCALL ? load_without_preferences(p, fail) : err;
	}
	err = load_by_file(p, &result, fail);
	if (request->syscall == SYSCALL_FILE)
		return err && file_load_is_missing(result) ? fail_set(fail, KX_FILE_UNAVAILABLE, "%s", strerror(-result)) : err;
	if (!err || !file_load_may_fall_back(result))
		return err;
	first = *fail;
	/* That there is no such call is how most kernels are; any other reason is worth a word. */
	if (result != -ENOSYS)
		report_note(p->report, "kexec_file_load failed (%s), so it was kexec_load", strerror(-result));
	err = load_by_load(p, fail);
	/* Where there is only the first call, its reason is the one that counts. */
	if (err == KX_NO_SYSCALL && result != -ENOSYS) {
		*fail = first;
		err = first.err;
	}
	return err;
}

/*
 * Loads that stage are made one after the other: what one of them sweeps away must not be what another one has just staged. Others
 * wait for nobody: a crash kernel has nothing to do with staging, and an ordinary load only gives back what was staged before it,
 * which it leaves to whoever is at work.
 */
static enum kx_err lock_loads(struct payload *p, struct fail *fail)
{
	bool stages = p->request->fast != FAST_NO && !p->request->crash;
	int err = p->request->crash ? -EWOULDBLOCK : p->sys->lock(p->sys, stages);

	p->lock_error = err;
	if (!err || !stages)
		return KX_OK;
	if (err == -EWOULDBLOCK)
		return fail_with(fail, KX_LOCKED);
	if (err == -EINTR)
		return fail_with(fail, KX_INTERRUPTED);
	report_note(p->report, "nothing keeps another kexec from staging at the same time: there is no lock (%s)", strerror(-err));
	return KX_OK;
}

enum kx_err load_kernel(struct sys *sys, const struct load_request *request, struct report *report, struct fail *fail)
{
	struct payload p = {
		.sys = sys, .request = request, .report = report, .stage = { .sys = sys, .shm_id = SYS_NO_SHM },
	};
	enum kx_err err = preflight(sys, request->crash, fail);

	*report = (struct report){ 0 };
	if (!err)
		err = lock_loads(&p, fail);
	if (err)
		return err;
	sys->die_first(sys, true);
	err = load_either(&p, fail);
	payload_free(&p);
	sys->die_first(sys, false);
	/* Somebody may have unloaded meanwhile, and left to us what was staged. */
	sweep_leftovers(&p);
	if (!p.lock_error)
		sys->unlock(sys);
	return err;
}
