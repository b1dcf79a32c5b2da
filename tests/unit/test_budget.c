/* SPDX-License-Identifier: GPL-2.0-only */
/* What a load may take: no more than there is, whoever else takes some meanwhile, and nothing that is kept for others. */
#include "job.h"

#include <errno.h>

#define KEEP	(MIB(2048) / 32 + MIB(32))	/* of the machine in memory: load/machine.c, machine_budget() */

/* From much too little to more than enough: it loads within its means, or is refused with what was loaded before in place. */
static void test_within_means(void **state)
{
	unsigned char *big = calloc(1, MIB(64) + 5);
	uint64_t mib, relocated, loads = 0, refusals = 0;

	(void)state;
	for (mib = 8; mib <= 248; mib += 16) {
		struct job *job = job_new(0x60000000, PLAN_SLOT_BYTES, 200);
		struct fake *f = job->fake;
		unsigned int o;
		enum kx_err err;

		fake_file(f, INITRD, big, MIB(64) + 5);
		job->request.fast = FAST_AUTO;
		f->memory_bytes = MIB(mib);
		f->loaded = true;
		err = load(job);
		assert_clean(f);
		assert_true(f->loaded);
		if (err) {
			refusals++;
			assert_int_equal(err, KX_NO_MEMORY);
			assert_int_equal(f->kexec_loads, 0);
			assert_int_equal(fake_pages_taken(f), 0);
			job_free(job);
			continue;
		}
		loads++;
		for (o = 0, relocated = 0; o < job->report.objects; o++)
			relocated += job->report.object[o].relocated * PLAN_SLOT_BYTES;
		assert_true(job->report.staged_bytes + 2 * relocated <= f->memory_bytes);
		if (relocated < job->report.object[0].slots)
			assert_true(job->report.staged_bytes + KEEP <= f->memory_bytes);
		job_free(job);
	}
	free(big);
	assert_true(loads > 3);
	assert_true(refusals > 3);
}

/* What is there when the load begins is gone when it comes to staging. */
static void hog(struct fake *fake)
{
	fake->memory_bytes = MIB(4);
}

static void test_gone_meanwhile(void **state)
{
	struct job *job = job_whole();

	(void)state;
	job->fake->memory_bytes = MIB(600);
	job->fake->opened = hog;
	assert_int_equal(load(job), KX_NO_HUGE_PAGES);
	job->fake->memory_bytes = MIB(600);
	job->request.fast = FAST_NO;
	assert_int_equal(load(job), KX_NO_MEMORY);
	assert_int_equal(job->fake->kexec_loads, 0);
	assert_clean(job->fake);
	job_free(job);
}

/* Scattered huge pages: more of them are looked at, and how many more is bounded. */
static void test_extra(void **state)
{
	static const struct { bool given; uint32_t percent; uint64_t mib; uint32_t most; } v[] = {
		{ false, 0, 600, 2 * (SLOTS + 1) }, { true, 0, 600, SLOTS + 1 }, { true, 50, 600, (SLOTS + 1) * 3 / 2 },
		{ true, 1000, 600, SLOTS + 1 + 2048 / 16 / 2 }, { true, 1000, 130, SLOTS + 1 + 130 / 2 / 2 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_new(0x60000000, 2 * PLAN_SLOT_BYTES, 200);

		job->request.extra_given = v[i].given;
		job->request.extra_percent = v[i].percent;
		job->fake->memory_bytes = MIB(v[i].mib);
		assert_int_equal(load(job), KX_OK);
		assert_in_range(job->report.pages_tried, v[i].percent == 1000 ? SLOTS + 2 : v[i].most, v[i].most);
		assert_clean(job->fake);
		job_free(job);
	}
}

/* What is accounted is what may be looked at, or where that is not allowed what is kept. */
static void test_segment_size(void **state)
{
	static const struct { uint64_t step; uint32_t slots; } v[] = { { PLAN_SLOT_BYTES, 2 * (SLOTS + 1) }, { 2 * PLAN_SLOT_BYTES, 2 * (SLOTS + 1) },
								      { 2 * PLAN_SLOT_BYTES, SLOTS + 1 } };
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_new(0x60000000, v[i].step, 200);

		/* The larger one is not to be had: then it is a smaller one. */
		if (i == COUNT(v) - 1) {
			job->fake->fail_name = "shm_create";
			job->fake->fail_call = 2;	/* behind the ledger */
			job->fake->fail_errno = ENOSPC;
		}
		assert_int_equal(load(job), KX_OK);
		for (k = 0; k < FAKE_SHMS; k++)
			assert_true(!job->fake->shm[k].huge || job->fake->shm[k].slots == v[i].slots);
		assert_int_equal(fake_shms(job->fake, true), 1);
		assert_clean(job->fake);
		job_free(job);
	}
}

static void test_pool_is_others(void **state)
{
	struct job *job = job_whole();
	struct fake *f = job->fake;
	struct purg_model m;

	(void)state;
	f->pool = 100;
	assert_loads(job, &m);
	assert_int_equal(f->pool, 100);
	assert_int_equal(f->pool_held, 0);
	assert_int_equal(job->report.notes, 0);
	purg_model_free(&m);
	f->kexec_loads = 0;
	f->fail_calls = 0;
	f->fail_name = "pool_hold";
	f->fail_call = 1;
	assert_loads(job, &m);
	assert_true(f->pool < 100);
	assert_true(noted(job, "out of this machine's own pool"));
	purg_model_free(&m);
	job_free(job);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_within_means),
		cmocka_unit_test(test_gone_meanwhile),
		cmocka_unit_test(test_extra),
		cmocka_unit_test(test_segment_size),
		cmocka_unit_test(test_pool_is_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
