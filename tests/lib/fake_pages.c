/* SPDX-License-Identifier: GPL-2.0-only */
/* The fake's staged memory: huge pages at addresses that a test chose, in System V segments. */
#include "fake_parts.h"

#include "huge_pages.h"
#include "ledgers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The segment of huge pages. */
static struct fake_shm *shm_at(struct fake *f, const void *addr)
{
	const unsigned char *at = addr;
	unsigned int i;

	for (i = 0; i < FAKE_SHMS; i++)
		if (f->shm[i].alive && f->shm[i].huge && f->shm[i].attached && at >= f->shm[i].base &&
		    at < f->shm[i].base + f->shm[i].bytes)
			return &f->shm[i];
	fake_breach(f, "an address outside every attached segment");
	return NULL;
}

/* A segment's number is its index and a constant, so that 0 and small numbers are none. */
#define ID_BASE	32768

static struct fake_shm *shm_by_id(struct fake *f, int id, const char *what)
{
	int i = id - ID_BASE;

	if (i >= 0 && i < FAKE_SHMS && f->shm[i].alive)
		return &f->shm[i];
	fake_breach(f, "%s of segment %d, which does not exist", what, id);
	return NULL;
}

static struct fake_shm *shm_by_key(struct fake *f, int key)
{
	int i;

	for (i = 0; i < FAKE_SHMS; i++)
		if (f->shm[i].alive && !f->shm[i].removed && f->shm[i].key == key)
			return &f->shm[i];
	return NULL;
}

/* What the lock is for. */
static bool is_staging(int key)
{
	return (key >= STAGING_KEY && key < STAGING_KEY + STAGING_NUMBERS) || (key >= LEDGER_KEY && key < LEDGER_KEY + STAGING_NUMBERS);
}

static int shm_create(struct sys *sys, int key, uint64_t bytes, bool huge, int *id)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm;
	int i;

	f->shm_creates++;
	if (fake_fails(f, "shm_create"))
		return -f->fail_errno;
	if (!f->locked && !f->no_lock && is_staging(key))
		fake_breach(f, "stages without the lock");
	if (!bytes || (huge && (f->no_huge_pages || bytes % PLAN_SLOT_BYTES)))
		return -EINVAL;
	if (shm_by_key(f, key))
		return -EEXIST;
	for (i = 0; i < FAKE_SHMS && f->shm[i].alive; i++)
		;
	if (i == FAKE_SHMS)
		return -ENOSPC;
	shm = &f->shm[i];
	*shm = (struct fake_shm){ .alive = true, .huge = huge, .key = key, .bytes = bytes };
	shm->base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (huge) {
		shm->slots = (uint32_t)(bytes / PLAN_SLOT_BYTES);
		shm->slot = malloc(shm->slots * sizeof(*shm->slot));
		memset(shm->slot, 0xff, shm->slots * sizeof(*shm->slot));
	}
	*id = ID_BASE + i;
	return 0;
}

static void give_up(struct fake *f, struct fake_shm *shm)
{
	uint32_t i;

	for (i = 0; i < shm->slots; i++)
		if (shm->slot[i] != FAKE_NO_PAGE)
			f->page[shm->slot[i]] = (struct fake_page){ .pa = f->page[shm->slot[i]].pa };
	munmap(shm->base, shm->bytes);
	free(shm->slot);
	*shm = (struct fake_shm){ 0 };
}

static void describe(const struct fake *f, const struct fake_shm *from, struct sys_shm *shm)
{
	*shm = (struct sys_shm){ from->key, ID_BASE + (int)(from - f->shm), from->bytes, from->attached };
}

static int shm_find(struct sys *sys, int key, struct sys_shm *shm)
{
	struct fake *f = fake_of(sys);
	const struct fake_shm *found = shm_by_key(f, key);

	fake_step(f);
	if (!found)
		return -ENOENT;
	describe(f, found, shm);
	return 0;
}

static void shm_list(struct sys *sys, int first_key, int keys, int (*each)(void *arg, const struct sys_shm *shm), void *arg)
{
	struct fake *f = fake_of(sys);
	int i;

	fake_step(f);
	for (i = 0; i < FAKE_SHMS; i++) {
		struct sys_shm shm;

		if (!f->shm[i].alive || f->shm[i].removed || f->shm[i].key < first_key || f->shm[i].key - first_key >= keys)
			continue;
		describe(f, &f->shm[i], &shm);
		if (each(arg, &shm))
			break;
	}
}

static int shm_attach(struct sys *sys, int id, void **addr)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm = shm_by_id(f, id, "attach");

	if (!shm)
		return -EINVAL;
	if (fake_fails(f, "shm_attach"))
		return -f->fail_errno;
	shm->attached++;
	*addr = shm->base;
	return 0;
}

static void shm_detach(struct sys *sys, void *addr)
{
	struct fake *f = fake_of(sys);
	unsigned int i;

	fake_step(f);
	for (i = 0; i < FAKE_SHMS && !(f->shm[i].alive && f->shm[i].attached && f->shm[i].base == addr); i++)
		;
	if (i == FAKE_SHMS) {
		fake_breach(f, "detached where nothing is attached");
		return;
	}
	f->shm[i].attached--;
	if (f->shm[i].removed && !f->shm[i].attached)
		give_up(f, &f->shm[i]);
}

static int shm_remove(struct sys *sys, int id)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm = shm_by_id(f, id, "remove");

	fake_step(f);
	f->shm_removes++;
	if (!shm)
		return -EINVAL;
	if (!f->locked && !f->no_lock && is_staging(shm->key))
		fake_breach(f, "removes without the lock");
	shm->removed = true;
	if (!shm->attached)
		give_up(f, shm);
	return 0;
}

static void *pool_hold(struct sys *sys, uint64_t pages)
{
	struct fake *f = fake_of(sys);

	if (fake_fails(f, "pool_hold"))
		return NULL;
	if (pages > f->pool - f->pool_held)
		fake_breach(f, "claims more than there is in the pool");
	f->pool_held += pages;
	return f;
}

static void pool_release(struct sys *sys, void *hold, uint64_t pages)
{
	struct fake *f = fake_of(sys);

	if (hold != f || pages > f->pool_held)
		fake_breach(f, "gives up a claim that it does not have");
	f->pool_held -= pages;
}

static void prefer_node(struct sys *sys, int node)
{
	fake_of(sys)->preferred_node = node;
}

static int node_of(const struct fake *f, uint32_t page)
{
	return f->node1_pa && f->page[page].pa >= f->node1_pa;
}

/* The first of the preferred node, or else of all. f->pages: there is none. */
static uint32_t free_page(const struct fake *f)
{
	uint32_t i, any = f->pages;

	for (i = f->pages; i-- > 0;)
		if (!f->page[i].taken && (any == f->pages || node_of(f, i) == f->preferred_node || node_of(f, any) != f->preferred_node))
			any = i;
	return any;
}

static int touch(struct sys *sys, void *addr)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm = shm_at(f, addr);
	uint32_t slot, i;

	if (!shm)
		return -EFAULT;
	if (fake_fails(f, "touch"))
		return -f->fail_errno;
	slot = (uint32_t)((uint64_t)((unsigned char *)addr - shm->base) / PLAN_SLOT_BYTES);
	if (shm->slot[slot] != FAKE_NO_PAGE)
		return 0;
	if (f->pool > f->pool_held)
		f->pool--;
	else if (fake_pages_taken(f) >= f->overcommit)
		return -EFAULT;
	i = free_page(f);
	if (i == f->pages)
		return -EFAULT;
	f->page[i].taken = true;
	shm->slot[slot] = i;
	*(volatile unsigned char *)addr = 0;
	return 0;
}

static bool in_cma(const struct fake *f, uint32_t page)
{
	return range_overlaps(f->cma, (struct range){ f->page[page].pa, 1 });
}

static int peek(struct sys *sys, const void *addr)
{
	struct fake_shm *shm = shm_at(fake_of(sys), addr);
	uint32_t page = shm ? shm->slot[(uint64_t)((const unsigned char *)addr - shm->base) / PLAN_SLOT_BYTES] : FAKE_NO_PAGE;

	return page == FAKE_NO_PAGE || fake_of(sys)->page[page].failed ? -EFAULT : 0;
}

static int try_memory(struct sys *sys, void (*run)(void *arg), void *arg)
{
	if (fake_fails(fake_of(sys), "try_memory"))
		return -EFAULT;
	run(arg);
	return 0;
}

static int page_flags(struct sys *sys, pa_t pa, uint64_t *flags)
{
	struct fake *f = fake_of(sys);
	uint32_t i;

	if (fake_fails(f, "page_flags"))
		return -f->fail_errno;
	*flags = 0;
	for (i = 0; i < f->pages; i++)
		if (f->page[i].pa == pa && f->page[i].failed)
			*flags |= SYS_PAGE_HWPOISON;
	if (f->failed_pa && f->failed_pa == pa)
		*flags |= SYS_PAGE_HWPOISON;
	return 0;
}

/* What lies in the CMA area goes elsewhere, as long as there is an elsewhere. */
static int leave_cma(struct sys *sys, void *addr, uint64_t bytes)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm = bytes ? shm_at(f, addr) : NULL;
	uint64_t first, i;
	uint32_t k;

	if (!shm || f->cma_error)
		return f->cma_error;
	first = (uint64_t)((unsigned char *)addr - shm->base) / PLAN_SLOT_BYTES;
	for (i = first; i < first + bytes / PLAN_SLOT_BYTES; i++) {
		if (i >= shm->slots || shm->slot[i] == FAKE_NO_PAGE) {
			fake_breach(f, "moves out of CMA memory that is not there");
			return 0;
		}
		for (k = 0; k < f->pages && in_cma(f, shm->slot[i]); k++) {
			if (f->page[k].taken || in_cma(f, k))
				continue;
			f->page[k].taken = true;
			f->page[shm->slot[i]].taken = false;
			shm->slot[i] = k;
		}
	}
	return 0;
}

static int page_pa(struct sys *sys, const void *addr, pa_t *pa)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm = shm_at(f, addr);
	uint32_t page;

	if (!shm)
		return -EFAULT;
	if (fake_fails(f, "page_pa"))
		return -f->fail_errno;
	page = shm->slot[(uint64_t)((const unsigned char *)addr - shm->base) / PLAN_SLOT_BYTES];
	if (page == FAKE_NO_PAGE)
		return -ENOENT;
	if (f->hide_pfn)
		return -EPERM;
	*pa = f->page[page].pa;
	return 0;
}

static int punch(struct sys *sys, void *addr, uint64_t bytes)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm = shm_at(f, addr);
	uint64_t first, i;

	if (!shm)
		return -EINVAL;
	first = (uint64_t)((unsigned char *)addr - shm->base) / PLAN_SLOT_BYTES;
	if ((uintptr_t)addr % 4096 || bytes % PLAN_SLOT_BYTES || first + bytes / PLAN_SLOT_BYTES > shm->slots) {
		fake_breach(f, "a hole that is no whole huge pages");
		return -EINVAL;
	}
	if (fake_fails(f, "punch"))
		return -f->fail_errno;
	for (i = first; i < first + bytes / PLAN_SLOT_BYTES; i++) {
		if (shm->slot[i] == FAKE_NO_PAGE)
			continue;
		f->page[shm->slot[i]] = (struct fake_page){ .pa = f->page[shm->slot[i]].pa };
		shm->slot[i] = FAKE_NO_PAGE;
	}
	/* Whoever touches it now would have new memory; here he dies. */
	mprotect(addr, bytes, PROT_NONE);
	return 0;
}

static void clean(struct sys *sys, const void *addr, uint64_t bytes)
{
	struct fake *f = fake_of(sys);
	struct fake_shm *shm = shm_at(f, addr);
	uint64_t i, first, offset;

	fake_step(f);
	f->cleans++;
	if (!shm)
		return;
	offset = (uint64_t)((const unsigned char *)addr - shm->base);
	first = offset / PLAN_SLOT_BYTES;
	for (i = first; i * PLAN_SLOT_BYTES < offset + bytes; i++) {
		if (shm->slot[i] == FAKE_NO_PAGE) {
			fake_breach(f, "cleans memory that is not there");
			continue;
		}
		/* A part of a page is all that was written since the page was cleaned. */
		if (bytes % PLAN_SLOT_BYTES && !f->page[shm->slot[i]].cleaned)
			continue;
		f->page[shm->slot[i]].cleaned = true;
		f->page[shm->slot[i]].hash = fake_page_hash(shm->base + i * PLAN_SLOT_BYTES);
	}
}

unsigned char *fake_page_memory(const struct fake *f, pa_t pa, const struct fake_page **page)
{
	unsigned int i;
	uint32_t k;

	for (i = 0; i < FAKE_SHMS; i++)
		for (k = 0; f->shm[i].alive && k < f->shm[i].slots; k++) {
			uint32_t at = f->shm[i].slot[k];

			if (at == FAKE_NO_PAGE || pa < f->page[at].pa || pa - f->page[at].pa >= PLAN_SLOT_BYTES)
				continue;
			if (page)
				*page = &f->page[at];
			return f->shm[i].base + k * PLAN_SLOT_BYTES + (pa - f->page[at].pa);
		}
	return NULL;
}

/* FNV-1a over words, in eight lanes that the compiler can work on side by side: tests do this often. */
uint64_t fake_page_hash(const unsigned char *memory)
{
	uint64_t lane[8] = { 0 }, hash = 0xcbf29ce484222325, word;
	size_t i, l;

	for (i = 0; i < PLAN_SLOT_BYTES; i += sizeof(lane))
		for (l = 0; l < 8; l++) {
			memcpy(&word, memory + i + l * sizeof(word), sizeof(word));
			lane[l] = (lane[l] ^ word) * 0x100000001b3 + l;
		}
	for (l = 0; l < 8; l++)
		hash = (hash ^ lane[l] ^ lane[l] >> 29) * 0x100000001b3;
	return hash;
}

uint32_t fake_pages_taken(const struct fake *f)
{
	uint32_t i, n = 0;

	for (i = 0; i < f->pages; i++)
		n += f->page[i].taken;
	return n;
}

/* The ledger that names a segment of huge pages, and says that the kernel may count on it. */
static bool is_loaded(const struct fake *f, const struct fake_shm *shm)
{
	unsigned int i;

	for (i = 0; i < FAKE_SHMS; i++) {
		const struct ledger_header *header = (const void *)f->shm[i].base;

		if (f->shm[i].alive && !f->shm[i].huge && !f->shm[i].removed && header->magic == LEDGER_MAGIC &&
		    (int)header->staging_number == shm->key - STAGING_KEY && header->state == LEDGER_LOADED)
			return true;
	}
	return false;
}

unsigned int fake_shms(const struct fake *f, bool loaded)
{
	unsigned int i, n = 0;

	for (i = 0; i < FAKE_SHMS; i++)
		n += f->shm[i].alive && f->shm[i].huge && is_loaded(f, &f->shm[i]) == loaded;
	return n;
}

unsigned int fake_ledgers(const struct fake *f)
{
	unsigned int i, n = 0;

	for (i = 0; i < FAKE_SHMS; i++)
		n += f->shm[i].alive && !f->shm[i].huge && f->shm[i].key >= LEDGER_KEY && f->shm[i].key < LEDGER_KEY + STAGING_NUMBERS;
	return n;
}

unsigned int fake_crash_ledgers(const struct fake *f)
{
	unsigned int i, n = 0;

	for (i = 0; i < FAKE_SHMS; i++) {
		const struct ledger_header *header = (const void *)f->shm[i].base;

		n += f->shm[i].alive && !f->shm[i].huge && header->magic == LEDGER_MAGIC && header->state == LEDGER_LOADED &&
		     header->staging_kind == STAGING_CRASH_MEMORY && f->crash.count;
	}
	return n;
}

bool fake_move_page(struct fake *f, pa_t pa)
{
	uint32_t to;

	for (to = 0; to < f->pages && (f->page[to].taken || f->page[to].failed); to++)
		;
	return to < f->pages && fake_move_page_to(f, pa, to);
}

bool fake_move_page_to(struct fake *f, pa_t pa, uint32_t to)
{
	unsigned int i;
	uint32_t k;

	for (i = 0; i < FAKE_SHMS; i++)
		for (k = 0; f->shm[i].alive && f->shm[i].huge && k < f->shm[i].slots; k++) {
			uint32_t from = f->shm[i].slot[k];

			if (from == FAKE_NO_PAGE || f->page[from].pa != pa)
				continue;
			/* The kernel copies it through its caches, so what was cleaned is not any more. */
			f->page[to] = (struct fake_page){ .pa = f->page[to].pa, .taken = true };
			f->page[from] = (struct fake_page){ .pa = pa };
			f->shm[i].slot[k] = to;
			return true;
		}
	return false;
}

void fake_pages(struct fake *f)
{
	f->sys.shm_create = shm_create;
	f->sys.shm_find = shm_find;
	f->sys.shm_list = shm_list;
	f->sys.shm_attach = shm_attach;
	f->sys.shm_detach = shm_detach;
	f->sys.shm_remove = shm_remove;
	f->sys.pool_hold = pool_hold;
	f->sys.pool_release = pool_release;
	f->sys.prefer_node = prefer_node;
	f->sys.touch = touch;
	f->sys.peek = peek;
	f->sys.try_memory = try_memory;
	f->sys.page_flags = page_flags;
	f->sys.leave_cma = leave_cma;
	f->sys.page_pa = page_pa;
	f->sys.punch = punch;
	f->sys.clean = clean;
}

void fake_pages_died(struct fake *f)
{
	unsigned int i;

	for (i = 0; i < FAKE_SHMS; i++) {
		f->shm[i].attached = 0;
		if (f->shm[i].alive && f->shm[i].removed)
			give_up(f, &f->shm[i]);
	}
}

void fake_pages_free(struct fake *f)
{
	size_t i;

	for (i = 0; i < FAKE_SHMS; i++)
		if (f->shm[i].alive)
			give_up(f, &f->shm[i]);
	free(f->page);
}
