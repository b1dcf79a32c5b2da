/* SPDX-License-Identifier: GPL-2.0-only */
/* Whatever fails, and whenever a run is killed: what the kernel counts on stays true, and the next run leaves nothing behind. */
#include "job.h"

#include <errno.h>

static void fail_each_call(int error)
{
	uint64_t call;
	bool failed = true;

	for (call = 1; failed; call++) {
		struct job *job = job_small();
		struct fake *f = job->fake;
		struct staged_check check;
		struct purg_model m;
		struct heal h;
		const char *failed_at;
		enum kx_err err;

		assert_true(fake_move_page(f, f->page[2].pa));
		assert_true(fake_move_page(f, f->page[0].pa));
		f->fail_errno = error;
		f->fail_call = call;
		f->fail_calls = 0;
		f->failed = NULL;
		err = heal(job, &h);
		failed = f->failed != NULL;
		f->fail_call = 0;
		f->no_lock = false;
		/* What could not be attached could not be removed; the next run does that. */
		if (f->failed && strcmp(f->failed, "shm_attach") == 0 && !h.undone)
			if (heal(job, &h))
				fail_msg("%u: shm_attach failed; then: %s: %s", (unsigned int)call, job->fail.detail, err_text(job->fail.err));
		if (f->breach[0] || fake_leak(f))
			fail_msg("%s fails: %s", f->failed, f->breach[0] ? f->breach : fake_leak(f));
		if (err == KX_OK && h.healed) {
			assert_boots(job, &m);
			purg_model_free(&m);
		} else if (h.undone) {
			assert_false(f->loaded);
			assert_int_equal(fake_pages_taken(f), 0);
		} else if (look(job, false).truth == STAGED_MOVED) {
			/* Not even looked at: the next run does it. */
			assert_int_equal(staged_look(&f->sys, true, &check, &job->fail), KX_OK);
			assert_int_equal(check.truth, STAGED_MOVED);
			failed_at = f->failed;
			if (heal(job, &h))
				fail_msg("%s failed; then: %s: %s", failed_at, job->fail.detail, err_text(job->fail.err));
			assert_true_and_boots(job);
		}
		job_free(job);
	}
	assert_true(call > 10);
}

static void test_failing_calls(void **state)
{
	static const int errors[] = { EIO, EPERM, ENOMEM, EINVAL, EBUSY };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(errors); i++)
		fail_each_call(errors[i]);
}

static void load_again(struct job *job)
{
	load(job);
}

static void load_plain(struct job *job)
{
	job->request.fast = FAST_NO;
	load(job);
}

static void unload(struct job *job)
{
	unload_kernel(&job->fake->sys, false, SYSCALL_AUTO, &job->unload_note, &job->fail);
}

static void heal_it(struct job *job)
{
	struct heal h;

	heal(job, &h);
}

enum deed { DEED_LOAD, DEED_PLAIN, DEED_UNLOAD, DEED_HEAL, DEED_HEAL_COPYING, DEEDS };

/*
 * A loaded kernel is loaded over, unloaded or healed, by a process that is killed at every system call. Afterwards the kernel has the old
 * image or the new one, or none if that was asked for, and what it counts on is true. The next run leaves nothing behind.
 */
static void test_killed(void **state)
{
	static void (*const run[DEEDS])(struct job *job) = { load_again, load_plain, unload, heal_it, heal_it };
	unsigned int copied = 0;
	enum deed deed;
	uint64_t at;
	bool killed = true;

	(void)state;
	for (deed = 0; deed < DEEDS; deed++)
		for (at = 1, killed = true; killed; at++) {
			struct job *job = deed == DEED_HEAL_COPYING ? job_tight() : job_small();
			struct fake *f = job->fake;
			uint64_t seed = 1;
			uint32_t taken;
			struct purg_model m;
			const char *problem;

			taken = fake_pages_taken(f);
			if (deed == DEED_HEAL)
				assert_true(fake_move_page(f, f->page[1].pa));
			else if (deed == DEED_HEAL_COPYING)
				shuffle(f, &seed);
			f->cleans = 0;
			killed = job_killed_at(job, run[deed], at, at % 2);
			if (!killed) {
				job_free(job);
				break;
			}
			copied += deed == DEED_HEAL_COPYING && f->cleans;
			/* A heal that was killed left what was not true before, and loses nothing: so it must end in a jump. */
			assert_true(f->loaded || deed == DEED_UNLOAD);
			problem = f->loaded && deed < DEED_HEAL ? purg_model_run(&m, f) : NULL;
			if (problem)
				fail_msg("deed %u killed at call %u: %s", deed, (unsigned int)at, problem);
			if (f->loaded && deed < DEED_HEAL)
				purg_model_free(&m);
			/* What was interrupted is put right before the jump, or the jump is not made. */
			job->request.fast = FAST_REQUIRE;
			exec_kernel(&f->sys, false, false, NULL, &job->fail);
			if (!f->reboots && deed != DEED_UNLOAD)
				fail_msg("deed %u killed at call %u: %s: %s", deed, (unsigned int)at, job->fail.detail, err_text(job->fail.err));
			if (f->reboots) {
				problem = purg_model_run(&m, f);
				if (problem)
					fail_msg("deed %u killed at call %u, jump: %s", deed, (unsigned int)at, problem);
				purg_model_free(&m);
			}
			/* There is no room for another one beside it. */
			if (deed != DEED_HEAL_COPYING) {
				f->kexec_loads = 0;
				assert_loads(job, &m);
				purg_model_free(&m);
			}
			assert_int_equal(fake_pages_taken(f), taken);
			assert_int_equal(fake_ledgers(f), 1);
			assert_int_equal(fake_shms(f, true), 1);
			job_free(job);
		}
	assert_true(at > 10 && copied > 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failing_calls),
		cmocka_unit_test(test_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
