/* SPDX-License-Identifier: GPL-2.0-only */
#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define QUIET_MS	700	/* most loads are over before that */
#define STEP_MS		100
#define LINE_CHARS	60

static bool shown;

static void show(enum load_phase phase, uint64_t done_bytes, uint64_t total_bytes)
{
	static const char *const names[] = { [PHASE_UNPACKING] = "Unpacking the initrd", [PHASE_READING] = "Loading" };
	static struct timespec start, last;
	struct timespec now;
	long since_start, since_last;
	char line[LINE_CHARS];

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!start.tv_sec)
		start = last = now;
	since_start = (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
	since_last = (now.tv_sec - last.tv_sec) * 1000 + (now.tv_nsec - last.tv_nsec) / 1000000;
	if (since_start < QUIET_MS || since_last < STEP_MS)
		return;
	last = now;
	shown = true;
	snprintf(line, sizeof(line), "%s: %3llu %% of %llu MiB", names[phase],
		 (unsigned long long)(total_bytes ? done_bytes * 100 / total_bytes : 100), (unsigned long long)(total_bytes >> 20));
	/* All of the line before, which may have been longer. */
	fprintf(stderr, "\r%-*s", LINE_CHARS, line);
}

void progress_attach(struct load_request *request)
{
	if (isatty(STDERR_FILENO))
		request->progress = show;
}

void progress_end(void)
{
	if (shown)
		fprintf(stderr, "\r%*s\r", LINE_CHARS, "");
}
