/* SPDX-License-Identifier: GPL-2.0-only */
#include "ledgers.h"

#include "crash_memory.h"
#include "huge_pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One that is there, as far as is known without being at work on it. */
struct entry {
	int number, id;
	unsigned int attached;		/* living processes */
	struct ledger_header header;	/* a copy; magic 0: its maker died before it wrote one */
	int unread;			/* negative errno: it could not be read, so it may name anything, and stays */
	bool gone;
};

struct list {
	struct sys *sys;
	struct entry entry[STAGING_NUMBERS];
	unsigned int count;
};

static int add(void *arg, const struct sys_shm *shm)
{
	struct list *list = arg;
	struct entry *entry = &list->entry[list->count];
	void *memory;

	if (list->count == STAGING_NUMBERS || shm->bytes < LEDGER_BODY_OFFSET)
		return 0;
	*entry = (struct entry){ .number = shm->key - LEDGER_KEY, .id = shm->id, .attached = shm->attached };
	entry->unread = list->sys->shm_attach(list->sys, shm->id, &memory);
	if (entry->unread) {
		list->count++;
		return 0;
	}
	memcpy(&entry->header, memory, sizeof(entry->header));
	list->sys->shm_detach(list->sys, memory);
	/* Something else, by the same key, is not ours to judge. */
	if (entry->header.magic == LEDGER_MAGIC || entry->header.magic == 0)
		list->count++;
	return 0;
}

static void make_list(struct list *list, struct sys *sys)
{
	*list = (struct list){ .sys = sys };
	sys->shm_list(sys, LEDGER_KEY, STAGING_NUMBERS, add, list);
}

static bool is_free(const struct list *list, int number)
{
	struct sys_shm shm;
	unsigned int i;

	for (i = 0; i < list->count; i++)
		if (list->entry[i].number == number)
			return false;
	return list->sys->shm_find(list->sys, STAGING_KEY + number, &shm) == -ENOENT;
}

static enum kx_err attach(struct ledger_store *store, struct fail *fail)
{
	void *memory;
	int err = store->sys->shm_attach(store->sys, store->id, &memory);

	if (err) {
		store->sys = NULL;
		return fail_set(fail, KX_SHM, "%s", strerror(-err));
	}
	store->header = memory;
	return KX_OK;
}

enum kx_err ledger_create(struct ledger_store *store, struct sys *sys, uint32_t kind, size_t bytes, struct fail *fail)
{
	uint64_t generation = 0;
	struct list list;
	enum kx_err failed;
	unsigned int i;
	int number, err = -EEXIST;

	*store = (struct ledger_store){ 0 };
	make_list(&list, sys);
	for (i = 0; i < list.count; i++) {
		/* Whether this one is later than that could not be told. */
		if (list.entry[i].unread)
			return fail_set(fail, KX_SHM, "%s", strerror(-list.entry[i].unread));
		if (list.entry[i].header.generation > generation)
			generation = list.entry[i].header.generation;
	}
	*store = (struct ledger_store){ .sys = sys, .bytes = bytes };
	for (number = 0; number < STAGING_NUMBERS && err == -EEXIST; number++) {
		store->number = number;
		if (is_free(&list, number))
			err = sys->shm_create(sys, LEDGER_KEY + number, bytes, false, &store->id);
	}
	if (err) {
		store->sys = NULL;
		return fail_set(fail, err == -EPERM ? KX_NO_IPC_LOCK : KX_SHM, "%s", strerror(-err));
	}
	failed = attach(store, fail);
	if (failed) {
		sys->shm_remove(sys, store->id);
		return failed;
	}
	*store->header = (struct ledger_header){
		.version = LEDGER_VERSION, .state = LEDGER_STAGING, .generation = generation + 1,
		.staging_kind = kind, .staging_number = (uint32_t)store->number,
	};
	__atomic_store_n(&store->header->magic, LEDGER_MAGIC, __ATOMIC_RELEASE);
	return KX_OK;
}

enum kx_err ledger_attach(struct ledger_store *store, struct sys *sys, int number, struct fail *fail)
{
	struct sys_shm shm;
	enum kx_err err;

	*store = (struct ledger_store){ 0 };
	if (sys->shm_find(sys, LEDGER_KEY + number, &shm))
		return fail_with(fail, KX_NOT_STAGED);
	*store = (struct ledger_store){ .sys = sys, .number = number, .id = shm.id, .bytes = (size_t)shm.bytes };
	err = attach(store, fail);
	if (!err && !ledger_is_header(store->header, store->bytes)) {
		ledger_close(store, false);
		err = fail_with(fail, KX_NOT_STAGED);
	}
	return err;
}

void ledger_set_state(struct ledger_store *store, enum ledger_state state)
{
	__atomic_store_n(&store->header->state, (uint32_t)state, __ATOMIC_RELEASE);
	/* And before whatever is written next: only a signal, not another CPU, ends this process in between. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

void ledger_put_stamp(struct ledger_store *store, enum ledger_stamp stamp)
{
	__atomic_store_n(&store->header->stamp[stamp], store->sys->counter(store->sys), __ATOMIC_RELAXED);
}

void ledger_close(struct ledger_store *store, bool discard)
{
	if (!store->sys)
		return;
	discard = discard && !store->header->limit_raised;	/* which a later run has to put back */
	store->sys->shm_detach(store->sys, store->header);
	if (discard)
		store->sys->shm_remove(store->sys, store->id);
	*store = (struct ledger_store){ 0 };
}

struct staging_journal ledger_journal(struct ledger_store *store)
{
	return (struct staging_journal){ &store->header->limit_before, &store->header->limit_written, &store->header->limit_raised };
}

/* A living process is at something that it has not finished. */
static bool is_at_work(const struct entry *entry)
{
	return entry->attached && (entry->header.magic != LEDGER_MAGIC || entry->header.state != LEDGER_LOADED);
}

/* Whether the kernel may count on it. */
static bool may_count(const struct entry *entry)
{
	return entry->header.magic == LEDGER_MAGIC && entry->header.state != LEDGER_STAGING;
}

/* Of a process that is dead, whatever killed it. False: the limit cannot be put back now. */
static bool put_limit_back(struct sys *sys, const struct entry *entry)
{
	struct ledger_store store;
	struct fail ignored;

	if (!entry->header.limit_raised)
		return true;
	if (huge_page_limit_restore(sys, entry->header.limit_before, entry->header.limit_written) ||
	    ledger_attach(&store, sys, entry->number, &ignored))
		return false;
	store.header->limit_raised = 0;
	ledger_close(&store, false);
	return true;
}

/* Whoever finds it from now on takes it for what a killed loader left. */
static void disown(struct sys *sys, const struct entry *entry)
{
	struct ledger_store store;
	struct fail ignored;

	if (!may_count(entry) || ledger_attach(&store, sys, entry->number, &ignored))
		return;
	ledger_set_state(&store, LEDGER_STAGING);
	ledger_close(&store, false);
}

enum removed { REMOVED, REMOVED_AND_HELD, NOT_REMOVED };	/* held: it takes memory as long as a process is attached; not: nobody may, or can */

static enum removed remove_staging(struct sys *sys, const struct ledger_header *header, bool in_doubt)
{
	if (header->staging_kind == STAGING_CRASH_MEMORY)
		return crash_memory_remove(sys, header, in_doubt) ? REMOVED : NOT_REMOVED;
	if (header->staging_kind == STAGING_HUGE_PAGES && header->staging_number < STAGING_NUMBERS)
		return huge_pages_remove(sys, (int)header->staging_number) ? REMOVED_AND_HELD : REMOVED;
	return REMOVED;
}

/* The ledger, and its staging unless another ledger names it. The staging goes first: what is named can still be found. */
static bool remove_entry(struct list *list, struct entry *entry, bool in_doubt)
{
	enum removed removed = REMOVED;
	bool shared = false;
	unsigned int i;

	for (i = 0; i < list->count; i++) {
		const struct entry *other = &list->entry[i];

		if (other != entry && other->unread)
			return false;	/* it may name the same; a later run knows */
		shared |= other != entry && !other->gone && other->header.magic == LEDGER_MAGIC &&
			  other->header.staging_number == entry->header.staging_number;
	}
	disown(list->sys, entry);
	if (!shared && entry->header.magic == LEDGER_MAGIC)
		removed = remove_staging(list->sys, &entry->header, in_doubt);
	/* Nobody counts on it any more, and it is still known whose it is. */
	if (removed == NOT_REMOVED)
		return false;
	list->sys->shm_remove(list->sys, entry->id);
	entry->gone = true;
	return removed == REMOVED_AND_HELD;
}

static bool is_dead(const struct entry *entry)
{
	return !entry->gone && !entry->attached && !entry->unread;
}

static const struct entry *newest_loaded(const struct list *list)
{
	const struct entry *newest = NULL;
	unsigned int i;

	for (i = 0; i < list->count; i++) {
		const struct entry *entry = &list->entry[i];

		if (!entry->gone && may_count(entry) && entry->header.state != LEDGER_COMMITTING &&
		    (!newest || entry->header.generation > newest->header.generation))
			newest = entry;
	}
	return newest;
}

/* The entry point tells two images apart, unless both have the same: then it only tells others from them. */
static unsigned int count_entries(const struct list *list, pa_t entry_pa)
{
	unsigned int i, count = 0;

	for (i = 0; i < list->count; i++)
		count += !list->entry[i].gone && may_count(&list->entry[i]) && ledger_is_entry(&list->entry[i].header, entry_pa);
	return count;
}

static void commit_was_made(struct sys *sys, struct entry *entry)
{
	struct ledger_store store;
	struct fail ignored;

	if (ledger_attach(&store, sys, entry->number, &ignored))
		return;
	ledger_set_state(&store, LEDGER_LOADED);
	ledger_close(&store, false);
	entry->header.state = LEDGER_LOADED;
}

#define CLAIM	"staged at 0x%016llx\n"

void staging_claim(struct sys *sys, pa_t entry_pa)
{
	char text[64];

	/* As many bytes every time: what was there before is overwritten whole. */
	snprintf(text, sizeof(text), CLAIM, (unsigned long long)entry_pa);
	sys->write_file(sys, SYS_LOCK_FILE, text);
}

pa_t staging_claimed(struct sys *sys)
{
	unsigned long long entry_pa = 0;
	char *text;
	size_t bytes;

	if (sys->read_file(sys, SYS_LOCK_FILE, 4096, &text, &bytes) < 0)
		return 0;
	if (sscanf(text, CLAIM, &entry_pa) != 1)
		entry_pa = 0;
	free(text);
	return entry_pa;
}

void ledgers_tidy(struct sys *sys, int loaded, pa_t entry_pa)
{
	const struct entry *newest;
	struct list list;
	unsigned int i;

	if (loaded == 0 && staging_claimed(sys))
		staging_claim(sys, 0);
	make_list(&list, sys);
	for (i = 0; i < list.count; i++) {
		struct entry *entry = &list.entry[i];

		if (!is_dead(entry))
			continue;
		if (!put_limit_back(sys, entry))
			continue;
		if (!may_count(entry) || loaded == 0 || (entry_pa && !ledger_is_entry(&entry->header, entry_pa)))
			remove_entry(&list, entry, false);
	}
	for (i = 0; i < list.count; i++) {
		struct entry *entry = &list.entry[i];

		if (is_dead(entry) && entry->header.state == LEDGER_COMMITTING && entry_pa && ledger_is_entry(&entry->header, entry_pa) &&
		    count_entries(&list, entry_pa) == 1)
			commit_was_made(sys, entry);
	}
	/* A load that was killed when it was done, and before it removed what it replaced. */
	newest = newest_loaded(&list);
	for (i = 0; newest && i < list.count; i++) {
		struct entry *entry = &list.entry[i];

		if (is_dead(entry) && entry != newest && entry->header.generation < newest->header.generation)
			remove_entry(&list, entry, false);
	}
}

unsigned int ledgers_remove(struct sys *sys, int keep, bool in_doubt)
{
	unsigned int i, stay = 0;
	struct list list;

	if (keep < 0 && staging_claimed(sys))
		staging_claim(sys, 0);
	make_list(&list, sys);
	for (i = 0; i < list.count; i++) {
		if (list.entry[i].number == keep || list.entry[i].unread)
			continue;
		/* Its maker is at work, and no lock kept it from that. */
		if (is_at_work(&list.entry[i]) || !put_limit_back(sys, &list.entry[i]))
			continue;
		stay += remove_entry(&list, &list.entry[i], in_doubt);
	}
	return stay;
}

static bool is_in_crash_memory(const struct entry *entry)
{
	return !entry->unread && entry->header.magic == LEDGER_MAGIC && entry->header.staging_kind == STAGING_CRASH_MEMORY;
}

bool ledgers_use_crash_memory(struct sys *sys)
{
	struct list list;
	unsigned int i;

	make_list(&list, sys);
	for (i = 0; i < list.count; i++)
		if (is_in_crash_memory(&list.entry[i]) && crash_memory_holds(sys, &list.entry[i].header))
			return true;
	return false;
}

bool ledgers_hold_crash_memory(struct sys *sys)
{
	struct list list;
	unsigned int i;

	make_list(&list, sys);
	for (i = 0; i < list.count; i++)
		if (is_in_crash_memory(&list.entry[i]) && crash_memory_holds(sys, &list.entry[i].header) == 1)
			return true;
	return false;
}

bool ledgers_count_on_crash_memory(struct sys *sys)
{
	const struct entry *newest = NULL;
	struct list list;
	unsigned int i;

	make_list(&list, sys);
	for (i = 0; i < list.count; i++)
		if (may_count(&list.entry[i]) && (!newest || list.entry[i].header.generation > newest->header.generation))
			newest = &list.entry[i];
	return newest && is_in_crash_memory(newest) && crash_memory_holds(sys, &newest->header);
}

void ledgers_leave_crash_memory(struct sys *sys, int except)
{
	struct list list;
	unsigned int i;

	make_list(&list, sys);
	for (i = 0; i < list.count; i++)
		if (is_in_crash_memory(&list.entry[i]) && list.entry[i].number != except && !is_at_work(&list.entry[i])) {
			disown(sys, &list.entry[i]);
			sys->shm_remove(sys, list.entry[i].id);
		}
}

struct ledgers_found ledgers_find(struct sys *sys, pa_t entry_pa)
{
	struct ledgers_found found = { .newest = -1 };
	const struct entry *newest = NULL;
	struct list list;
	unsigned int i;

	make_list(&list, sys);
	for (i = 0; i < list.count; i++) {
		const struct entry *entry = &list.entry[i];

		found.unread += entry->unread != 0;
		if (entry->unread)
			continue;
		found.at_work |= is_at_work(entry);
		if (!may_count(entry))
			continue;
		found.count++;
		found.doubtful += entry->header.state == LEDGER_COMMITTING;
		if (entry_pa && !ledger_is_entry(&entry->header, entry_pa))
			continue;
		if (!newest || entry->header.generation > newest->header.generation)
			newest = entry;
	}
	found.newest = newest ? newest->number : -1;
	return found;
}
