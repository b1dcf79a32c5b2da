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
#define RECORD_MAGIC	0x324853415243584b	/* "KXCRASH2" */
#define RECORD_BYTES	KIB(64)		/* the command line has 2 KiB, and there are 18 files */

enum record_state {
	RECORD_LOADING,		/* a load is at work on it, or was killed: which crash kernel is loaded is not known */
	RECORD_LOADED,
	RECORD_TAKEN,		/* its memory was taken, or is about to be */
};

struct record {
	uint64_t magic;		/* written last */
	uint32_t state;		/* enum record_state */
	uint32_t has_request;	/* 0: another program had loaded it */
	uint64_t entry_pa;	/* of its image; 0: the kernel does not show that */
	char text[RECORD_BYTES - 24];	/* of the request, if there is one */
};
_Static_assert(sizeof(struct record) == RECORD_BYTES, "struct record");

/* What a request has of texts and numbers, one after the other: each is a text with its null. */
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

/* Null: there is none. To be detached. */
static struct record *attach(struct sys *sys)
{
	struct sys_shm shm;
	void *memory;

	if (sys->shm_find(sys, RECORD_KEY, &shm) || shm.bytes < RECORD_BYTES || sys->shm_attach(sys, shm.id, &memory))
		return NULL;
	if (((struct record *)memory)->magic == RECORD_MAGIC)
		return memory;
	sys->shm_detach(sys, memory);
	return NULL;
}

/* request null: of another program. */
static void write_record(struct sys *sys, enum record_state state, const struct load_request *request)
{
	struct record *record;
	struct writer w;
	void *memory;
	int id;

	crash_kernel_forget(sys);
	if (sys->shm_create(sys, RECORD_KEY, RECORD_BYTES, false, &id))
		return;
	if (sys->shm_attach(sys, id, &memory)) {
		sys->shm_remove(sys, id);
		return;
	}
	record = memory;
	*record = (struct record){ .state = (uint32_t)state, .has_request = request != NULL, .entry_pa = loaded_crash_entry_pa(sys) };
	w = (struct writer){ record->text, record->text + sizeof(record->text), false };
	if (request)
		write_request(&w, sys, request);
	if (!w.full)
		__atomic_store_n(&record->magic, RECORD_MAGIC, __ATOMIC_RELEASE);
	sys->shm_detach(sys, memory);
	if (w.full)
		sys->shm_remove(sys, id);
}

static void set_state(struct sys *sys, enum record_state state)
{
	struct record *record = attach(sys);

	if (!record)
		return;
	record->state = (uint32_t)state;
	sys->shm_detach(sys, record);
}

/* Ledgers of what was staged in its memory, and is not any more. */
static void leave_memory(struct sys *sys)
{
	if (!ledgers_use_crash_memory(sys) || sys->lock(sys, false))
		return;
	ledgers_leave_crash_memory(sys, -1);
	sys->unlock(sys);
}

void crash_kernel_loading(struct sys *sys)
{
	set_state(sys, RECORD_LOADING);
}

void crash_kernel_loaded(struct sys *sys, const struct load_request *request)
{
	if (request) {
		write_record(sys, RECORD_LOADED, request);
		leave_memory(sys);
	} else if (kernel_is_loaded(sys, true) == 1) {
		set_state(sys, RECORD_LOADED);	/* it was refused before the kernel dropped the old one */
	} else {
		crash_kernel_forget(sys);
	}
}

bool crash_kernel_take(struct sys *sys)
{
	struct record *record;
	bool known;
	pa_t entry_pa;

	/* Not for the first time: what is remembered is what has to come back. */
	if (ledgers_use_crash_memory(sys))
		return false;
	if (kernel_is_loaded(sys, true) != 1) {
		crash_kernel_forget(sys);
		return false;
	}
	record = attach(sys);
	entry_pa = loaded_crash_entry_pa(sys);
	known = record && record->state == RECORD_LOADED && (!entry_pa || !record->entry_pa || record->entry_pa == entry_pa);
	if (record)
		sys->shm_detach(sys, record);
	if (known)
		set_state(sys, RECORD_TAKEN);
	else
		write_record(sys, RECORD_TAKEN, NULL);
	return true;
}

bool crash_kernel_recall(struct sys *sys, struct load_request *request, char **memory)
{
	struct record *record = attach(sys);
	bool known = record && record->has_request;

	*memory = NULL;
	if (known)
		*memory = malloc(sizeof(record->text));
	if (*memory)
		memcpy(*memory, record->text, sizeof(record->text));
	if (record)
		sys->shm_detach(sys, record);
	if (!*memory)
		return false;
	read_request(request, *memory, *memory + sizeof(record->text));
	if (request->kernel)
		return true;
	free(*memory);
	*memory = NULL;
	return false;
}

/* Something is loaded for a panic though the memory was taken: what had been, after a load that did not come that far, or another program's. */
static void settle(struct sys *sys, const struct record *record)
{
	pa_t entry_pa = loaded_crash_entry_pa(sys);

	if (ledgers_use_crash_memory(sys))
		return;
	if (record->has_request && (!entry_pa || !record->entry_pa || entry_pa == record->entry_pa))
		set_state(sys, RECORD_LOADED);
	else
		crash_kernel_forget(sys);
}

bool crash_kernel_restore(struct sys *sys, char *kernel, size_t room, struct report *report, struct fail *fail)
{
	struct record *record = attach(sys);
	bool taken = record && record->state == RECORD_TAKEN;
	struct load_request request;
	char *memory;

	*kernel = '\0';
	*fail = (struct fail){ 0 };
	*report = (struct report){ 0 };
	if (taken && kernel_is_loaded(sys, true) != 0) {
		settle(sys, record);
		taken = false;
	}
	if (record)
		sys->shm_detach(sys, record);
	if (!taken)
		return false;
	if (!crash_kernel_recall(sys, &request, &memory)) {
		crash_kernel_forget(sys);
		fail_with(fail, KX_CRASH_KERNEL_LOST);
		return true;
	}
	snprintf(kernel, room, "%s", request.kernel);
	/* Whoever was interrupted is not to be without a crash kernel for it. */
	sys->heed_signals(sys, false);
	if (!load_kernel(sys, &request, report, fail))
		*fail = (struct fail){ 0 };
	else if (kernel_is_loaded(sys, true) == 0)
		write_record(sys, RECORD_TAKEN, &request);
	sys->heed_signals(sys, true);
	free(memory);
	return true;
}
