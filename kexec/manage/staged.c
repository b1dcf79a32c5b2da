/* SPDX-License-Identifier: GPL-2.0-only */
#include "staged.h"

#include "crash_memory.h"
#include "huge_pages.h"
#include "probe.h"
#include "stages.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The pages that its ledger names; where the staging is gone, it stays closed. */
static enum kx_err attach_staging(struct staged *staged, struct fail *fail)
{
	const struct ledger *ledger = &staged->ledger;
	const struct staging_ops *ops = staging_backend(staged->header.staging_kind);
	struct staging_place place = {
		.ops = ops, .number = (int)staged->header.staging_number, .area = { staged->header.area_pa, ops ? ledger->room * ops->page_bytes : 0 },
		.node = boot_node(staged->sys), .journal = ledger_journal(&staged->store),
	};
	bool *present = calloc(ledger->room ? ledger->room : 1, sizeof(*present));
	enum kx_err err;
	uint32_t i;

	if (!present)
		return fail_set(fail, KX_NO_MEMORY, "lists");
	for (i = 0; i < ledger->pages; i++)
		present[ledger->page[i].page] = true;
	err = !ops || staged->header.staging_number >= STAGING_NUMBERS ? KX_STAGED_GONE :
	      staging_attach(&staged->staging, staged->sys, &place, ledger->room, present, fail);
	free(present);
	return err == KX_STAGED_GONE ? KX_OK : err;
}

/* What is read may change while it is: so it is read once. */
static enum kx_err read_ledger(struct staged *staged, struct fail *fail)
{
	enum kx_err err;

	if (staged->store.bytes > LEDGER_BYTES_MAX)
		return KX_OK;
	staged->copy = malloc(staged->store.bytes);
	if (!staged->copy)
		return fail_set(fail, KX_NO_MEMORY, "ledger");
	memcpy(staged->copy, staged->store.header, staged->store.bytes);
	err = ledger_read(&staged->ledger, staged->copy, staged->store.bytes);
	memcpy(&staged->header, staged->copy, sizeof(staged->header));
	if (err == KX_LEDGER_VERSION)
		return fail_with(fail, err);
	staged->ledger_good = !err;
	return staged->ledger_good ? attach_staging(staged, fail) : KX_OK;
}

enum kx_err staged_open(struct staged *staged, struct sys *sys, pa_t entry_pa, struct fail *fail)
{
	struct ledgers_found found = ledgers_find(sys, entry_pa);
	enum kx_err err;

	*staged = (struct staged){ .sys = sys };
	if (found.unread)
		return fail_set(fail, KX_SHM, "a ledger cannot be read");
	if (found.newest < 0)
		return fail_with(fail, KX_NOT_STAGED);
	err = ledger_attach(&staged->store, sys, found.newest, fail);
	if (!err)
		err = read_ledger(staged, fail);
	if (err)
		staged_close(staged);
	return err;
}

void staged_close(struct staged *staged)
{
	staging_close(&staged->staging, false);
	ledger_close(&staged->store, false);
	free(staged->copy);
	*staged = (struct staged){ 0 };
}

static void damaged(struct staged_check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void damaged(struct staged_check *check, const char *format, ...)
{
	va_list args;

	check->truth = STAGED_DAMAGED;
	va_start(args, format);
	vsnprintf(check->why, sizeof(check->why), format, args);
	va_end(args);
}

/* Where the pages are, and whether the memory under them is sound. */
static void check_pages(const struct staged *staged, struct staged_check *check)
{
	const struct ledger *ledger = &staged->ledger;
	/* A huge page has its flags in front. */
	uint64_t flagged_bytes = staged->header.staging_kind == STAGING_HUGE_PAGES ? staged->sys->page_bytes : PLAN_SLOT_BYTES;
	uint32_t i;

	for (i = 0; i < ledger->pages; i++) {
		pa_t pa = staged->staging.pa[ledger->page[i].page];

		if (ledger->page[i].flags & LEDGER_PAGE_EXTRA)
			continue;
		if (pa == STAGING_NO_PA) {
			damaged(check, "a page that was at %#llx is gone: a memory error, or somebody took it away",
				(unsigned long long)ledger->page[i].pa);
			return;
		}
		check->moved += pa != ledger->page[i].pa;
		/* No /proc/kpageflags (CONFIG_PROC_PAGE_MONITOR): then reading tells. */
		if (memory_has_failed(staged->sys, pa, flagged_bytes)) {
			damaged(check, "the memory at %#llx has failed", (unsigned long long)pa);
			return;
		}
	}
	/* What was being copied from page to page is not where the kernel's image has it. */
	check->truth = check->moved || staged->header.state == LEDGER_MOVING ? STAGED_MOVED : STAGED_TRUE;
}

/* Digests of staged slots, on all CPUs. */
struct digesting {
	const struct staged *staged;
	struct digest_job {
		const struct ledger_slot *slot;
		const unsigned char *page, *bytes;
		pa_t pa;
	} *job;
	size_t jobs;
	const struct digest_job *bad;	/* the first one that was found */
};

struct one_digest {
	const struct digesting *d;
	const struct digest_job *job;
	uint8_t digest[PURG_SHA_BYTES];
};

static void run_digest(void *arg)
{
	struct one_digest *one = arg;

	digest_make(one->d->staged->sys, one->d->staged->ledger.digest, one->digest, one->job->bytes,
		    (size_t)align_up(one->job->slot->bytes, PURG_UNIT_BYTES));
	/* The kernel may have moved the page, through its caches, and back again: so it lies where it was, but not as clean. Whoever looks at
	   it with the MMU off (the no-MMU purgatory) must find the same. */
	one->d->staged->sys->clean(one->d->staged->sys, one->job->page, PLAN_SLOT_BYTES);
}

static void do_digests(void *arg, size_t first, size_t count)
{
	struct digesting *d = arg;
	size_t i;

	for (i = first; i < first + count; i++) {
		struct one_digest one = { .d = d, .job = &d->job[i] };
		size_t bytes = d->staged->ledger.digest == PURG_CHECK_SHA256 ? PURG_SHA_BYTES : PURG_CRC_BYTES;

		if (d->staged->sys->try_memory(d->staged->sys, run_digest, &one) || memcmp(one.digest, d->job[i].slot->digest, bytes) != 0)
			__atomic_store_n(&d->bad, &d->job[i], __ATOMIC_RELAXED);
	}
}

static bool list_jobs(struct digesting *d)
{
	const struct ledger *ledger = &d->staged->ledger;
	unsigned int o;
	uint32_t i;

	d->job = calloc((size_t)ledger->object[0].slots + ledger->object[1].slots + 2, sizeof(*d->job));
	if (!d->job)
		return false;
	for (o = 0; o < PLAN_OBJECTS; o++)
		for (i = 0; i < ledger->object[o].slots; i++) {
			const struct ledger_slot *slot = &ledger->object[o].slot[i];
			uint64_t offset = i ? 0 : ledger->object[o].offset_bytes;
			const unsigned char *page;

			if (slot->page == PLAN_NO_PAGE || !slot->bytes || !staging_is_shared(&d->staged->staging))
				continue;
			page = staging_memory(&d->staged->staging, slot->page);
			d->job[d->jobs++] = (struct digest_job){ slot, page, page + offset, d->staged->staging.pa[slot->page] };
		}
	/* While payload is being copied, it may be another one's by now. */
	if (ledger->tree.bytes && d->staged->header.state != LEDGER_MOVING) {
		const unsigned char *page = staging_memory(&d->staged->staging, ledger->tree.page);

		d->job[d->jobs++] = (struct digest_job){ &ledger->tree, page, page + ledger->dtb_pa % PLAN_SLOT_BYTES,
							 d->staged->staging.pa[ledger->tree.page] };
	}
	return true;
}

static enum kx_err check_digests(const struct staged *staged, struct staged_check *check, struct fail *fail)
{
	struct digesting d = { .staged = staged };
	struct sys *sys = staged->sys;
	struct sys_workers *workers = list_jobs(&d) ? sys->workers_open(sys, do_digests, &d) : NULL;
	size_t i;

	if (!workers) {
		free(d.job);
		return fail_set(fail, KX_NO_MEMORY, "digests");
	}
	for (i = 0; i < d.jobs && !sys->interrupted(sys); i++) {
		sys->workers_ready(sys, workers, i + 1);
		check->digested_bytes += d.job[i].slot->bytes;
	}
	sys->workers_close(sys, workers, i < d.jobs);
	if (d.bad)
		damaged(check, "the payload at %#llx is not what was loaded", (unsigned long long)d.bad->pa);
	free(d.job);
	return i < d.jobs ? fail_set(fail, KX_INTERRUPTED, "verification") : KX_OK;
}

enum kx_err staged_verify(struct staged *staged, bool digests, struct staged_check *check, struct fail *fail)
{
	uint64_t start_ms = staged->sys->now_ms(staged->sys);
	enum kx_err err = KX_OK;

	*check = (struct staged_check){ .truth = STAGED_TRUE, .pages = staged->ledger.pages };
	if (!staged->ledger_good)
		damaged(check, "%s", err_text(KX_LEDGER_BAD));
	else if (!staged->staging.ops)
		damaged(check, "%s", err_text(KX_STAGED_GONE));
	else if (staged->header.staging_kind == STAGING_CRASH_MEMORY && crash_memory_holds(staged->sys, &staged->header) == 0)
		damaged(check, "%s", err_text(KX_CRASH_MEMORY_TAKEN));
	else
		check_pages(staged, check);
	if (digests && check->truth != STAGED_DAMAGED)
		err = check_digests(staged, check, fail);
	check->ms = staged->sys->now_ms(staged->sys) - start_ms;
	return err;
}

enum kx_err staged_preflight(struct sys *sys, struct fail *fail)
{
	if (!sys->is_root(sys))
		return fail_with(fail, KX_STAGE_NOT_ROOT);
	return in_host_ipc_ns(sys) ? KX_OK : fail_with(fail, KX_OTHER_IPC_NS);
}

bool loaded_is_anothers(const struct staged *staged)
{
	pa_t entry_pa = loaded_entry_pa(staged->sys);

	return (entry_pa && !ledger_is_entry(&staged->header, entry_pa)) || kernel_is_loaded(staged->sys, false) == 0;
}

bool staged_is_lost(struct sys *sys, struct staged_check *check)
{
	pa_t claimed_pa = staging_claimed(sys), entry_pa;

	if (!claimed_pa || kernel_is_loaded(sys, false) != 1)
		return false;
	entry_pa = loaded_entry_pa(sys);
	if (entry_pa && entry_pa != claimed_pa && (claimed_pa >= LEDGER_ENTRY_UNIT || entry_pa % LEDGER_ENTRY_UNIT != claimed_pa))
		return false;
	damaged(check, "%s", err_text(KX_STAGED_GONE));
	return true;
}

enum kx_err staged_look(struct sys *sys, bool digests, struct staged_check *check, struct fail *fail)
{
	struct staged staged;
	bool at_work;
	pa_t entry_pa;
	enum kx_err err = staged_preflight(sys, fail);

	*check = (struct staged_check){ .truth = STAGED_NOTHING };
	if (err)
		return err;
	if (kernel_is_loaded(sys, false) == 0)
		return KX_OK;
	entry_pa = loaded_entry_pa(sys);
	at_work = ledgers_find(sys, entry_pa).at_work;	/* this process not yet among them */
	err = staged_open(&staged, sys, entry_pa, fail);
	if (err == KX_NOT_STAGED) {
		staged_is_lost(sys, check);
		return KX_OK;
	}
	if (err)
		return err;
	/* What changes while it is looked at is neither true nor false. */
	if (staged.header.state != LEDGER_LOADED && at_work)
		err = fail_with(fail, KX_LOCKED);
	if (!err)
		err = staged_verify(&staged, digests, check, fail);
	/* Whether the kernel was told is not known: a heal settles it. */
	if (!err && check->truth == STAGED_TRUE && staged.header.state == LEDGER_COMMITTING && !entry_pa)
		check->truth = STAGED_MOVED;
	staged_close(&staged);
	return err;
}

/* A copy of the stamps where purgatory finds them. */
static void show_purgatory(const struct staged *staged)
{
	struct purg_stamps *to;
	uint64_t offset;
	uint32_t page;

	if (!ledger_stamps(&staged->ledger, &page, &offset) || !ledger_page(&staged->ledger, page) ||
	    staged->staging.pa[page] == STAGING_NO_PA || !staging_is_shared(&staged->staging))
		return;
	to = (struct purg_stamps *)(void *)(staging_memory(&staged->staging, page) + offset);
	memcpy(to->stamp, staged->store.header->stamp, sizeof(to->stamp));
	to->magic = PURG_STAMPS_MAGIC;
	/* Purgatory may read it with the MMU off. */
	staged->sys->clean(staged->sys, to, sizeof(*to));
}

void staged_stamp(struct sys *sys, enum ledger_stamp stamp)
{
	/* Of several, that of the image that the kernel holds, if it shows that: asking takes a while, of a reboot. */
	pa_t entry_pa = ledgers_find(sys, 0).count > 1 ? loaded_entry_pa(sys) : 0;
	struct staged staged;
	struct fail fail;

	if (staged_open(&staged, sys, entry_pa, &fail))
		return;
	ledger_put_stamp(&staged.store, stamp);
	if (staged.ledger_good && staged.staging.ops)
		show_purgatory(&staged);
	staged_close(&staged);
}

static void show_files(struct staged_status *status, const struct staged *staged)
{
	const struct ledger *ledger = &staged->ledger;
	struct sys *sys = staged->sys;
	uint32_t i;

	for (i = 0; i < ledger->files; i++) {
		struct sys_stamp stamp;
		uint64_t bytes;
		int fd = sys->open_file(sys, ledger->file[i].path, 0, &bytes);

		snprintf(status->file[i].path, sizeof(status->file[i].path), "%s", ledger->file[i].path);
		status->file[i].bytes = ledger->file[i].bytes;
		status->file[i].changed = fd < 0 || sys->stamp(sys, fd, ledger->file[i].path, &stamp) < 0 ||
					  stamp.inode != ledger->file[i].inode || stamp.bytes != ledger->file[i].bytes ||
					  stamp.ctime_ns != ledger->file[i].ctime_ns;
		if (fd >= 0)
			sys->close(sys, fd);
	}
	status->files = ledger->files;
}

static void show(struct staged_status *status, const struct staged *staged)
{
	const struct ledger *ledger = &staged->ledger;
	pa_t entry_pa = loaded_entry_pa(staged->sys);

	status->staged = true;
	status->certain = !status->loaded || entry_pa != 0;
	status->counted = status->loaded && (!entry_pa || ledger_is_entry(&staged->header, entry_pa));
	if (!staged->ledger_good)
		return;
	status->made_at = ledger->made_at;
	status->pid = ledger->pid;
	status->staged_bytes = staged->staging.ops ? staging_bytes(&staged->staging) : 0;
	snprintf(status->backend, sizeof(status->backend), "%s", staged->staging.ops ? staged->staging.ops->name : "");
	snprintf(status->format, sizeof(status->format), "%s", ledger->format);
	snprintf(status->cmdline, sizeof(status->cmdline), "%s", ledger->cmdline ? ledger->cmdline : "");
	status->control_pa = ledger->control_pa;
	show_files(status, staged);
}

enum kx_err staged_status(struct sys *sys, struct staged_status *status, struct fail *fail)
{
	struct staged staged;
	enum kx_err err = staged_preflight(sys, fail);

	*status = (struct staged_status){ .loaded = kernel_is_loaded(sys, false) != 0 };
	if (err)
		return err;
	status->at_work = ledgers_find(sys, 0).at_work;
	err = staged_open(&staged, sys, 0, fail);
	if (err == KX_NOT_STAGED) {
		status->staged = status->counted = staged_is_lost(sys, &status->check);
		return KX_OK;
	}
	if (err)
		return err;
	err = staged_verify(&staged, false, &status->check, fail);
	if (!err)
		show(status, &staged);
	staged_close(&staged);
	return err;
}
