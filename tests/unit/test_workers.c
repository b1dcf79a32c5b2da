/* SPDX-License-Identifier: GPL-2.0-only */
/* The threads that work on a growing row of jobs: each once, none before it is ready, all before the end. */
#include "sys_linux.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define JOBS	1000

static struct sys sys;
static atomic_uint done[JOBS];
static atomic_size_t ready, finished;
static atomic_bool wrong;

static void work(void *arg, size_t first, size_t count)
{
	size_t i;

	if (arg != done || count < 1 || count > 2 || first + count > ready)
		wrong = true;
	for (i = first; i < first + count && i < JOBS; i++)
		done[i]++;
	finished += count;
}

static struct sys_workers *begin(void)
{
	struct sys_workers *workers;
	size_t i;

	for (i = 0; i < JOBS; i++)
		done[i] = 0;
	ready = finished = 0;
	wrong = false;
	workers = sys.workers_open(&sys, work, done);
	assert_non_null(workers);
	return workers;
}

static void grow(struct sys_workers *workers, size_t step)
{
	size_t count;

	for (count = step; count <= JOBS; count += step) {
		ready = count;
		sys.workers_ready(&sys, workers, count);
	}
}

static void test_all_done(void **state)
{
	static const size_t steps[] = { 1, 2, 10, JOBS };
	size_t i, s, round;

	(void)state;
	for (round = 0; round < 50; round++)
		for (s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
			struct sys_workers *workers = begin();

			grow(workers, steps[s]);
			sys.workers_close(&sys, workers, false);
			assert_false(wrong);
			for (i = 0; i < JOBS; i++)
				assert_int_equal(done[i], 1);
		}
}

static void test_abandoned(void **state)
{
	struct sys_workers *workers;
	size_t i, after;
	int round;

	(void)state;
	for (round = 0; round < 200; round++) {
		workers = begin();
		grow(workers, JOBS / 2);
		sys.workers_close(&sys, workers, true);
		after = finished;
		assert_false(wrong);
		for (i = 0; i < JOBS; i++)
			assert_true(done[i] <= 1);
		assert_int_equal(finished, after);
	}
	/* Nothing was ever ready. */
	sys.workers_close(&sys, begin(), false);
	assert_int_equal(finished, 0);
}

/* One CPU: jobs are done by whoever says that they are ready, at once. */
static void test_alone(void **state)
{
	cpu_set_t before, one;
	struct sys_workers *workers;
	size_t cpu;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	for (cpu = 0; !CPU_ISSET(cpu, &before); cpu++)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	workers = begin();
	ready = 7;
	sys.workers_ready(&sys, workers, 7);
	assert_int_equal(finished, 7);
	sys.workers_close(&sys, workers, false);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

static void read_byte(void *arg)
{
	(void)*(volatile unsigned char *)arg;
}

static atomic_uint survived;

static void read_what_is_gone(void *arg, size_t first, size_t count)
{
	(void)first;
	while (count--)
		survived += sys.try_memory(&sys, read_byte, arg) == -EFAULT;
}

/* Memory that has failed is a SIGBUS, on whichever thread reads it: here a mapping beyond the end of its file. */
static void test_memory_is_gone(void **state)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	void *gone = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	struct sys_workers *workers;
	size_t count;

	(void)state;
	assert_true(gone != MAP_FAILED);
	survived = 0;
	workers = sys.workers_open(&sys, read_what_is_gone, gone);
	assert_non_null(workers);
	for (count = 1; count <= 200; count++)
		sys.workers_ready(&sys, workers, count);
	sys.workers_close(&sys, workers, false);
	assert_int_equal(survived, 200);
	munmap(gone, 4096);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_done),
		cmocka_unit_test(test_abandoned),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_memory_is_gone),
	};

	sys_linux_workers(&sys);
	sys_linux_shm(&sys);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
