/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads that take jobs off the front of a row while its end still grows. */
#include "sys_linux.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#define THREADS_MAX	15
#define AT_ONCE		2
/* Digests need little. And a stack of the usual 8 MiB is aligned such that its first touch may take a whole huge page. */
#define STACK_BYTES	(256u << 10)

struct sys_workers {
	void (*work)(void *arg, size_t first, size_t count);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t grown;
	size_t next, ready;		/* jobs: taken, and there */
	bool closing;
	pthread_t thread[THREADS_MAX];
	unsigned int threads;
};

/* Take jobs and do them, until no more than left are left; with wait, until the workers is closed. */
static void do_jobs(struct sys_workers *workers, size_t left, bool wait)
{
	size_t first, count;

	pthread_mutex_lock(&workers->lock);
	for (;;) {
		count = workers->ready - workers->next;
		if (count <= left && (!wait || workers->closing))
			break;
		if (count <= left) {
			pthread_cond_wait(&workers->grown, &workers->lock);
			continue;
		}
		if (count > AT_ONCE)
			count = AT_ONCE;
		first = workers->next;
		workers->next += count;
		pthread_mutex_unlock(&workers->lock);
		workers->work(workers->arg, first, count);
		pthread_mutex_lock(&workers->lock);
	}
	pthread_mutex_unlock(&workers->lock);
}

static void *run(void *arg)
{
	do_jobs(arg, 0, true);
	return NULL;
}

/* One thread less than this process may use CPUs: the one that reads is the last. */
static unsigned int threads_wanted(void)
{
	cpu_set_t set;
	int cpus = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	if (cpus <= 1)
		return 0;
	return cpus - 1 < THREADS_MAX ? (unsigned int)(cpus - 1) : THREADS_MAX;
}

static struct sys_workers *workers_open(struct sys *sys, void (*work)(void *arg, size_t first, size_t count), void *arg)
{
	struct sys_workers *workers = calloc(1, sizeof(*workers));
	unsigned int wanted = threads_wanted();
	sigset_t all, before;
	pthread_attr_t attr;

	(void)sys;
	if (!workers)
		return NULL;
	workers->work = work;
	workers->arg = arg;
	pthread_mutex_init(&workers->lock, NULL);
	pthread_cond_init(&workers->grown, NULL);
	/* Signals are for the thread that asks interrupted(); but a thread that reads memory which has failed must get its own, or the kernel
	   kills the process: see try_memory(). Fewer threads than wanted, or none, only take longer. */
	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	while (workers->threads < wanted && pthread_create(&workers->thread[workers->threads], &attr, run, workers) == 0)
		workers->threads++;
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return workers;
}

static void workers_ready(struct sys *sys, struct sys_workers *workers, size_t count)
{
	(void)sys;
	pthread_mutex_lock(&workers->lock);
	workers->ready = count;
	pthread_cond_signal(&workers->grown);
	pthread_mutex_unlock(&workers->lock);
	/* Alone: all of it, at once. Else do not run far ahead: what was read is in the cache now. */
	do_jobs(workers, (size_t)workers->threads * 2 * AT_ONCE, false);
}

static void workers_close(struct sys *sys, struct sys_workers *workers, bool abandon)
{
	(void)sys;
	pthread_mutex_lock(&workers->lock);
	workers->closing = true;
	if (abandon)
		workers->ready = workers->next;
	pthread_cond_broadcast(&workers->grown);
	pthread_mutex_unlock(&workers->lock);
	do_jobs(workers, 0, false);
	while (workers->threads)
		pthread_join(workers->thread[--workers->threads], NULL);
	pthread_cond_destroy(&workers->grown);
	pthread_mutex_destroy(&workers->lock);
	free(workers);
}

void sys_linux_workers(struct sys *sys)
{
	sys->workers_open = workers_open;
	sys->workers_ready = workers_ready;
	sys->workers_close = workers_close;
}
