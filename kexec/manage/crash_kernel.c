/* SPDX-License-Identifier: GPL-2.0-only */
#include "crash_kernel.h"

#include "load.h"
#include "probe.h"
#include "stages.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_KEY	0x4b585200	/* "KXR" */
#define RECORD_MAGIC	"KXCRASH1"
#define RECORD_BYTES	KIB(64)		/* the command line has 2 KiB, and there are 18 files */

/* What a request has of texts and numbers, one after the other behind the magic: each is a text with its null. */
struct writer {
	char *at, *end;
	bool full;
};

static void put(struct writer *w, const char *text)
{
	size_t bytes = text ? strlen(text) + 2 : 1;

	if (w->full || bytes > (size_t)(w->end - w->at)) {
		w->full = true;
		return;
	}
	/* A mark before those that are there: none is not the same as an empty one. */
	if (text) {
		*w->at = '=';
		memcpy(w->at + 1, text, bytes - 1);
	} else {
		*w->at = '\0';
	}
	w->at += bytes;
}

/* Whoever reads it may be elsewhere by then. */
static void put_path(struct writer *w, struct sys *sys, const char *path)
{
	char cwd[2048], whole[4096];

	if (path && path[0] != '/' && sys->read_link(sys, "/proc/self/cwd", cwd, sizeof(cwd)) >= 0)
		snprintf(whole, sizeof(whole), "%s/%s", cwd, path);
	else if (path)
		snprintf(whole, sizeof(whole), "%s", path);
	put(w, path ? whole : NULL);
}

static void put_number(struct writer *w, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	put(w, text);
}

static const char *take(char **at, const char *end)
{
	char *text = *at, *null = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;

	if (!null) {
		*at = (char *)(uintptr_t)end;
		return NULL;
	}
	*at = null + 1;
	return *text == '=' ? text + 1 : NULL;
}

static uint64_t take_number(char **at, const char *end)
{
	const char *text = take(at, end);

	return text ? strtoull(text, NULL, 10) : 0;
}

static void write_request(struct writer *w, struct sys *sys, const struct load_request *r)
{
	unsigned int i;

	put_path(w, sys, r->kernel);
	put_number(w, r->initrds);
	for (i = 0; i < r->initrds; i++)
		put_path(w, sys, r->initrd[i]);
	put(w, r->cmdline);
	put_path(w, sys, r->dtb);
	put(w, r->type);
	put(w, r->serial);
	put_number(w, (r->reuse_cmdline ? 1u : 0u) | (r->boot_loader_cmdline ? 2u : 0u) | (r->no_cma ? 4u : 0u) | (r->no_mmu ? 8u : 0u));
	put_number(w, (uint64_t)r->syscall);
	put_number(w, (uint64_t)r->check);
	put_number(w, r->mem_min);
	put_number(w, r->mem_max);
	put_number(w, r->entry);
}

static void read_request(struct load_request *r, char *at, const char *end)
{
	uint64_t initrds, flags, number;
	unsigned int i;

	*r = (struct load_request){ .crash = true, .kernel = take(&at, end) };
	initrds = take_number(&at, end);
	r->initrds = initrds < INITRDS_MAX ? (unsigned int)initrds : INITRDS_MAX;
	for (i = 0; i < r->initrds; i++)
		r->initrd[i] = take(&at, end);
	r->cmdline = take(&at, end);
	r->dtb = take(&at, end);
	r->type = take(&at, end);
	r->serial = take(&at, end);
	flags = take_number(&at, end);
	r->reuse_cmdline = flags & 1;
	r->boot_loader_cmdline = flags & 2;
	r->no_cma = flags & 4;
	r->no_mmu = flags & 8;
	number = take_number(&at, end);
	r->syscall = number <= SYSCALL_FILE ? (enum syscall_choice)number : SYSCALL_AUTO;
	number = take_number(&at, end);
	r->check = number <= CHECK_SHA256 ? (enum check_kind)number : CHECK_DEFAULT;
	r->mem_min = take_number(&at, end);
	r->mem_max = take_number(&at, end);
	r->entry = take_number(&at, end);
}

void crash_kernel_forget(struct sys *sys)
{
	struct sys_shm shm;

	if (sys->shm_find(sys, RECORD_KEY, &shm) == 0)
		sys->shm_remove(sys, shm.id);
}

void crash_kernel_remember(struct sys *sys, const struct load_request *request)
{
	struct writer w = { .full = false };
	void *memory;
	int id;

	crash_kernel_forget(sys);
	if (sys->shm_create(sys, RECORD_KEY, RECORD_BYTES, false, &id))
		return;
	if (sys->shm_attach(sys, id, &memory)) {
		sys->shm_remove(sys, id);
		return;
	}
	w.at = (char *)memory + strlen(RECORD_MAGIC);
	w.end = (char *)memory + RECORD_BYTES;
	write_request(&w, sys, request);
	if (!w.full)
		memcpy(memory, RECORD_MAGIC, strlen(RECORD_MAGIC));
	sys->shm_detach(sys, memory);
	if (w.full)
		sys->shm_remove(sys, id);
}

bool crash_kernel_recall(struct sys *sys, struct load_request *request, char **memory)
{
	struct sys_shm shm;
	void *record;

	*memory = NULL;
	if (sys->shm_find(sys, RECORD_KEY, &shm) || shm.bytes < RECORD_BYTES || sys->shm_attach(sys, shm.id, &record))
		return false;
	*memory = malloc(RECORD_BYTES);
	if (*memory)
		memcpy(*memory, record, RECORD_BYTES);
	sys->shm_detach(sys, record);
	if (*memory && memcmp(*memory, RECORD_MAGIC, strlen(RECORD_MAGIC)) == 0) {
		read_request(request, *memory + strlen(RECORD_MAGIC), *memory + RECORD_BYTES);
		if (request->kernel)
			return true;
	}
	free(*memory);
	*memory = NULL;
	return false;
}

struct crash_kernel_before crash_kernel_look(struct sys *sys)
{
	return (struct crash_kernel_before){ kernel_is_loaded(sys, true) == 1, ledgers_use_crash_memory(sys, -1) };
}

bool crash_kernel_restore(struct sys *sys, const struct crash_kernel_before *before, char *kernel, size_t room, struct fail *fail)
{
	struct load_request request;
	struct report report;
	char *memory;
	bool known;

	*kernel = '\0';
	*fail = (struct fail){ 0 };
	if (!before->loaded || kernel_is_loaded(sys, true) != 0)
		return false;
	known = crash_kernel_recall(sys, &request, &memory);
	/* Where only ours was loaded, and nobody remembers another, there was none. */
	if (!known && before->staged)
		return false;
	if (known) {
		snprintf(kernel, room, "%s", request.kernel);
		if (!load_kernel(sys, &request, &report, fail))
			*fail = (struct fail){ 0 };
	} else {
		fail_with(fail, KX_CRASH_KERNEL_LOST);
	}
	free(memory);
	return true;
}
