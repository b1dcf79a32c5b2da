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

struct sys_crew {
	void (*work)(void *arg, size_t first, size_t count);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t grown;
	size_t next, ready;		/* jobs: taken, and there */
	bool closing;
	pthread_t thread[THREADS_MAX];
	unsigned int threads;
};

/* Take jobs and do them, until no more than left are left; with wait, until the crew is closed. */
static void do_jobs(struct sys_crew *crew, size_t left, bool wait)
{
	size_t first, count;

	pthread_mutex_lock(&crew->lock);
	for (;;) {
		count = crew->ready - crew->next;
		if (count <= left && (!wait || crew->closing))
			break;
		if (count <= left) {
			pthread_cond_wait(&crew->grown, &crew->lock);
			continue;
		}
		if (count > AT_ONCE)
			count = AT_ONCE;
		first = crew->next;
		crew->next += count;
		pthread_mutex_unlock(&crew->lock);
		crew->work(crew->arg, first, count);
		pthread_mutex_lock(&crew->lock);
	}
	pthread_mutex_unlock(&crew->lock);
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

static struct sys_crew *crew_open(struct sys *sys, void (*work)(void *arg, size_t first, size_t count), void *arg)
{
	struct sys_crew *crew = calloc(1, sizeof(*crew));
	unsigned int wanted = threads_wanted();
	sigset_t all, before;
	pthread_attr_t attr;

	(void)sys;
	if (!crew)
		return NULL;
	crew->work = work;
	crew->arg = arg;
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->grown, NULL);
	/* Signals are for the thread that asks interrupted(). Fewer threads than wanted, or none, only take longer. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	while (crew->threads < wanted && pthread_create(&crew->thread[crew->threads], &attr, run, crew) == 0)
		crew->threads++;
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return crew;
}

static void crew_ready(struct sys *sys, struct sys_crew *crew, size_t count)
{
	(void)sys;
	pthread_mutex_lock(&crew->lock);
	crew->ready = count;
	pthread_cond_signal(&crew->grown);
	pthread_mutex_unlock(&crew->lock);
	/* Alone: all of it, at once. Else do not run far ahead: what was read is in the cache now. */
	do_jobs(crew, (size_t)crew->threads * 2 * AT_ONCE, false);
}

static void crew_close(struct sys *sys, struct sys_crew *crew, bool abandon)
{
	(void)sys;
	pthread_mutex_lock(&crew->lock);
	crew->closing = true;
	if (abandon)
		crew->ready = crew->next;
	pthread_cond_broadcast(&crew->grown);
	pthread_mutex_unlock(&crew->lock);
	do_jobs(crew, 0, false);
	while (crew->threads)
		pthread_join(crew->thread[--crew->threads], NULL);
	pthread_cond_destroy(&crew->grown);
	pthread_mutex_destroy(&crew->lock);
	free(crew);
}

void sys_linux_crew(struct sys *sys)
{
	sys->crew_open = crew_open;
	sys->crew_ready = crew_ready;
	sys->crew_close = crew_close;
}
