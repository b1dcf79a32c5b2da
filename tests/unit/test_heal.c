/* SPDX-License-Identifier: GPL-2.0-only */
/* What is staged is looked at, healed or undone; and whenever a run is killed, what the kernel counts on stays true. */
#include "job.h"
#include "seed.h"

#include <elf.h>
#include <errno.h>

/* A machine with huge pages to spare, for others to move to; the last ones lie far from the others. */
static struct job *job_loaded(void)
{
	struct job *job = job_whole();

	assert_int_equal(load(job), KX_OK);
	assert_clean(job->fake);
	return job;
}

static void test_true(void **state)
{
	struct job *job = job_loaded();
	struct staged_check check = look(job, true);
	struct heal h;

	(void)state;
	assert_int_equal(check.truth, STAGED_TRUE);
	assert_int_equal(check.pages, SLOTS + 1);
	assert_int_equal(check.digested_bytes, job->kernel_bytes + job->initrd_bytes);
	assert_int_equal(heal(job, &h), KX_OK);
	assert_false(h.healed || h.undone);
	assert_int_equal(job->fake->kexec_loads, 1);
	assert_true_and_boots(job);
	/* Nothing staged, nothing loaded. */
	assert_int_equal(unload_kernel(&job->fake->sys, false, SYSCALL_AUTO, &job->unload_note, &job->fail), KX_OK);
	assert_int_equal(look(job, true).truth, STAGED_NOTHING);
	assert_int_equal(heal(job, &h), KX_OK);
	assert_int_equal(h.check.truth, STAGED_NOTHING);
	job->request.fast = FAST_NO;
	assert_int_equal(load(job), KX_OK);
	assert_int_equal(look(job, true).truth, STAGED_NOTHING);
	job_free(job);
}

static struct ledger_header header_of(struct job *job)
{
	struct ledgers_found found = ledgers_find(&job->fake->sys, 0);
	struct ledger_header header;
	struct ledger_store store;

	assert_true(found.newest >= 0);
	assert_int_equal(ledger_attach(&store, &job->fake->sys, found.newest, &job->fail), KX_OK);
	header = *store.header;
	ledger_close(&store, false);
	return header;
}

/* What purgatory finds. */
static void assert_stamps(struct job *job, uint64_t asked, uint64_t stopped, uint64_t jump)
{
	struct purg_stamps stamps;
	struct purg_model m;

	assert_null(purg_model_run(&m, job->fake));
	assert_int_not_equal(m.params.stamps_pa, 0);
	purg_model_read(&m, m.params.stamps_pa, &stamps, sizeof(stamps));
	assert_true(stamps.magic == PURG_STAMPS_MAGIC);
	assert_int_equal(stamps.stamp[LEDGER_STAMP_ASKED], asked);
	assert_int_equal(stamps.stamp[LEDGER_STAMP_STOPPED], stopped);
	assert_int_equal(stamps.stamp[LEDGER_STAMP_JUMP], jump);
	purg_model_free(&m);
}

/* What happens before the jump is written down beside what is staged, which stays true; a heal takes it along. */
static void test_stamps(void **state)
{
	struct job *job = job_loaded();
	struct ledger_header header = header_of(job);
	struct heal h;
	pa_t pa = job->fake->load.segment[0].pa & ~(PLAN_SLOT_BYTES - 1);

	(void)state;
	assert_int_equal(header.stamp[LEDGER_STAMP_ASKED] | header.stamp[LEDGER_STAMP_STOPPED] | header.stamp[LEDGER_STAMP_JUMP], 0);
	job->fake->counter = 1000000;
	staged_stamp(&job->fake->sys, LEDGER_STAMP_STOPPED);
	assert_stamps(job, 0, 1001000, 0);
	assert_true(fake_move_page(job->fake, pa));
	assert_int_equal(heal(job, &h), KX_OK);
	assert_true(h.healed);
	assert_stamps(job, 0, 1001000, 0);
	staged_stamp(&job->fake->sys, LEDGER_STAMP_JUMP);
	header = header_of(job);
	assert_int_equal(header.stamp[LEDGER_STAMP_ASKED], 0);
	assert_int_equal(header.stamp[LEDGER_STAMP_STOPPED], 1001000);
	assert_int_equal(header.stamp[LEDGER_STAMP_JUMP], 1002000);
	assert_stamps(job, 0, 1001000, 1002000);
	assert_int_equal(look(job, true).truth, STAGED_TRUE);
	assert_true_and_boots(job);
	assert_int_equal(unload_kernel(&job->fake->sys, false, SYSCALL_AUTO, &job->unload_note, &job->fail), KX_OK);
	staged_stamp(&job->fake->sys, LEDGER_STAMP_JUMP);
	assert_clean(job->fake);
	job_free(job);
}

/* Moved and back again: nothing is to be planned, but the kernel copied it through its caches. */
static void test_moved_and_back(void **state)
{
	struct job *job = job_loaded();
	struct fake *f = job->fake;
	unsigned int dirty = 0;
	struct heal h;
	uint32_t i;

	(void)state;
	for (i = 0; i < f->pages; i++) {
		dirty += f->page[i].taken;
		f->page[i].cleaned = false;
	}
	assert_int_equal(dirty, SLOTS + 1);
	assert_int_equal(heal(job, &h), KX_OK);
	assert_false(h.healed || h.undone);
	assert_true_and_boots(job);
	job_free(job);
}

/* Each of the pages elsewhere, then all of them. One of them holds nothing: it may move as it likes. */
static void test_moved(void **state)
{
	uint32_t first, count, unused = 0;

	(void)state;
	for (count = 1; count <= SLOTS + 1; count += SLOTS)
		for (first = 0; first + count <= SLOTS + 1; first++) {
			struct job *job = job_loaded();
			struct fake *f = job->fake;
			pa_t pa[SLOTS + 1];
			uint32_t i, n = 0;
			struct heal h;

			for (i = 0; i < f->pages && n < SLOTS + 1; i++)
				if (f->page[i].taken)
					pa[n++] = f->page[i].pa;
			assert_int_equal(n, SLOTS + 1);
			for (i = first; i < first + count; i++)
				assert_true(fake_move_page(f, pa[i]));
			if (count == 1 && look(job, false).truth == STAGED_TRUE) {
				unused++;
				assert_true_and_boots(job);
				job_free(job);
				continue;
			}
			assert_int_equal(look(job, false).truth, STAGED_MOVED);
			assert_int_equal(look(job, true).moved, count == 1 ? 1 : count - 1);
			assert_int_equal(heal(job, &h), KX_OK);
			assert_true(h.healed);
			assert_int_equal(f->kexec_loads, 2);
			assert_int_equal(fake_pages_taken(f), SLOTS + 1);
			assert_int_equal(fake_ledgers(f), 1);
			assert_true_and_boots(job);
			/* Again, from what the heal has written. */
			assert_true(fake_move_page(f, f->page[f->pages - 1].taken ? f->page[f->pages - 1].pa : pa[0]) ||
				    fake_move_page(f, f->load.segment[0].pa & ~(PLAN_SLOT_BYTES - 1)));
			assert_int_equal(heal(job, &h), KX_OK);
			assert_true(h.healed);
			assert_true_and_boots(job);
			job_free(job);
		}
	assert_int_equal(unused, 1);
}

/* Tables of the interrupt controller are named by the kernel log, once, at boot; a heal is for later. */
static void test_log_is_gone(void **state)
{
	struct job *job = job_whole();
	const struct range table = { 0x60230000, KIB(64) };
	struct purg_model m;
	struct heal h;

	(void)state;
	job->fake->log = "[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd070]\n"
			 "[    0.000000] GICv3: using LPI property table @0x0000000060230000\n";
	assert_int_equal(load(job), KX_OK);
	job->fake->log = "[  999.000000] something else\n";
	assert_true(fake_move_page(job->fake, job->fake->load.segment[0].pa & ~(PLAN_SLOT_BYTES - 1)));
	assert_int_equal(heal(job, &h), KX_OK);
	assert_true(h.healed);
	assert_null(purg_model_run(&m, job->fake));
	assert_reserved(&m, table);
	assert_false(range_overlaps((struct range){ m.params.kernel_pa, job->kernel_bytes }, table));
	purg_model_free(&m);
	job_free(job);
}

static void test_shuffled(void **state)
{
	uint64_t seed = seed_get("test_shuffled"), rounds = seed_number("ROUNDS", 40), round;
	unsigned int copied = 0;

	(void)state;
	for (round = 0; round < rounds; round++) {
		struct job *job = job_sized(0x60000000, PLAN_SLOT_BYTES, 10, MIB(6) + 5, MIB(7), MIB(5) + 77);
		struct fake *f = job->fake;
		struct heal h;
		enum kx_err err;

		assert_int_equal(load(job), KX_OK);
		shuffle(f, &seed);
		f->cleans = 0;
		err = heal(job, &h);
		if (err)
			fail_msg("%s: %s", job->fail.detail, err_text(err));
		copied += h.healed;
		assert_true_and_boots(job);
		assert_int_equal(fake_ledgers(f), 1);
		job_free(job);
	}
	assert_true(copied > 0);
}

enum harm { HARM_BIT, HARM_REMOVED, HARM_ALL_REMOVED, HARM_FAILED, HARM_LEDGER, HARM_MOVING, HARMS };

static void do_harm(struct job *job, enum harm harm)
{
	struct fake *f = job->fake;
	struct ledger_store store;
	pa_t kernel_pa = 0;
	unsigned int i;

	for (i = 0; i < f->pages && !kernel_pa; i++)
		if (f->page[i].taken && memcmp(fake_page_memory(f, f->page[i].pa, NULL) + 56, "ARM\x64", 4) == 0)
			kernel_pa = f->page[i].pa;
	assert_int_not_equal(kernel_pa, 0);
	f->no_lock = true;
	switch (harm) {
	case HARM_BIT:
		fake_page_memory(f, kernel_pa, NULL)[MIB(1)] ^= 4;
		break;
	case HARM_REMOVED:
		for (i = 0; i < FAKE_SHMS; i++)
			if (f->shm[i].alive && f->shm[i].huge)
				f->sys.shm_remove(&f->sys, 32768 + (int)i);
		break;
	case HARM_ALL_REMOVED:		/* kernel.shm_rmid_forced */
		for (i = 0; i < FAKE_SHMS; i++)
			if (f->shm[i].alive)
				f->sys.shm_remove(&f->sys, 32768 + (int)i);
		break;
	case HARM_FAILED:
		for (i = 0; i < f->pages; i++)
			f->page[i].failed |= f->page[i].pa == kernel_pa;
		break;
	case HARM_LEDGER:
	case HARM_MOVING:
		assert_int_equal(ledger_attach(&store, &f->sys, 0, &job->fail), KX_OK);
		if (harm == HARM_LEDGER)
			((unsigned char *)store.header)[LEDGER_BODY_OFFSET + 9] ^= 1;
		else
			ledger_set_state(&store, LEDGER_MOVING);
		ledger_close(&store, false);
		break;
	default:
		break;
	}
	f->no_lock = false;
}

/* Each to any page that is free. */
static void scatter(struct fake *f, uint64_t *seed)
{
	uint32_t i, to;

	for (i = 0; i < f->pages; i++) {
		to = (uint32_t)seed_below(seed, f->pages);
		if (f->page[i].taken && !f->page[to].taken)
			fake_move_page_to(f, f->page[i].pa, to);
	}
}

/* A heal keeps as many pages as the next one may need, if these come to lie where BSS will be. */
static void test_scattered_again(void **state)
{
	uint64_t seed = seed_get("test_scattered_again"), rounds = seed_number("ROUNDS", 10), round;

	(void)state;
	for (round = 0; round < rounds; round++) {
		struct job *job = job_sized(0x60000000, PLAN_SLOT_BYTES, 24, 70000, MIB(5), MIB(5) + 77);
		unsigned int times;
		struct heal h;

		assert_int_equal(load(job), KX_OK);
		for (times = 0; times < 20; times++) {
			scatter(job->fake, &seed);
			if (heal(job, &h))
				fail_msg("heal %u: %s: %s", times + 1, job->fail.detail, err_text(job->fail.err));
		}
		assert_true_and_boots(job);
		job_free(job);
	}
}

/* Again and again: each heal starts from what the one before has left, which may have given pages back. */
static void test_shuffled_again(void **state)
{
	uint64_t seed = seed_get("test_shuffled_again"), rounds = seed_number("ROUNDS", 20), round;

	(void)state;
	for (round = 0; round < rounds; round++) {
		struct job *job = job_sized(0x60000000, PLAN_SLOT_BYTES, 14, MIB(6) + 5, MIB(9), MIB(5) + 77);
		unsigned int times;
		struct heal h;

		assert_int_equal(load(job), KX_OK);
		for (times = 0; times < 6; times++) {
			shuffle(job->fake, &seed);
			if (heal(job, &h))
				fail_msg("heal %u: %s: %s", times + 1, job->fail.detail, err_text(job->fail.err));
		}
		assert_true_and_boots(job);
		job_free(job);
	}
}

/* Nothing that is damaged is started: it is unloaded, and said why. */
static void test_damaged(void **state)
{
	static const char *const why[HARMS] = {
		[HARM_BIT] = "is not what was loaded", [HARM_REMOVED] = "taken away", [HARM_ALL_REMOVED] = "taken away", [HARM_FAILED] = "memory error",
		[HARM_LEDGER] = "record of what is staged", [HARM_MOVING] = "record of what is staged",
	};
	enum harm harm;

	(void)state;
	for (harm = 0; harm < HARMS; harm++) {
		struct job *job = job_loaded();
		struct heal h;

		do_harm(job, harm);
		assert_int_equal(look(job, true).truth, STAGED_DAMAGED);
		assert_true(job->fake->loaded);
		if (harm % 2) {
			assert_int_equal(heal(job, &h), KX_UNDONE);
			assert_true(h.undone);
		} else {
			assert_int_equal(exec_kernel(&job->fake->sys, false, false, NULL, &job->fail), KX_UNDONE);
			assert_int_equal(job->fake->reboots, 0);
		}
		assert_non_null(strstr(job->fail.detail, why[harm]));
		assert_false(job->fake->loaded);
		assert_int_equal(fake_pages_taken(job->fake), 0);
		assert_int_equal(fake_ledgers(job->fake), 0);
		assert_clean(job->fake);

		/* The kernel does not let go: nothing is given back that it counts on. */
		job_free(job);
		job = job_loaded();
		do_harm(job, harm);
		job->fake->kexec_error = -EBUSY;
		assert_int_equal(heal(job, &h), KX_NOT_UNDONE);
		assert_int_equal(fake_ledgers(job->fake), harm != HARM_ALL_REMOVED);
		job_free(job);
	}
}

/* What /proc/kallsyms and /proc/kcore show of the image that the kernel holds. */
static void show_image(struct fake *f, pa_t entry_pa)
{
	unsigned char *core = calloc(1, 0x3000);
	Elf64_Ehdr ehdr = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB }, .e_phoff = sizeof(ehdr), .e_phnum = 1 };
	Elf64_Phdr phdr = { .p_type = PT_LOAD, .p_offset = 0x1000, .p_vaddr = 0xffff800081000000, .p_paddr = 0x42000000, .p_filesz = 0x2000 };

	memcpy(core, &ehdr, sizeof(ehdr));
	memcpy(core + sizeof(ehdr), &phdr, sizeof(phdr));
	store_le64(core + 0x1040, entry_pa ? 0xffff800081001100 : 0);	/* kexec_image */
	store_le64(core + 0x2100 + 24, entry_pa);			/* its start */
	fake_file(f, "/proc/kcore", core, 0x3000);
	fake_text(f, "/proc/kallsyms", "ffff800080000000 T _text\nffff800081000048 B not_kexec_image\n"
				       "ffff800081000040 B kexec_image\nffff800081000048 B kexec_image_\n");
	free(core);
}

/* A stock kexec loads over ours: then ours is nobody's any more, and what is loaded is left alone. */
static void test_anothers(void **state)
{
	enum harm harm;

	(void)state;
	for (harm = 0; harm < HARMS; harm++) {
		struct job *job = job_loaded();
		struct fake *f = job->fake;
		struct staged_status status;
		struct heal h;

		show_image(f, f->load.entry);
		assert_int_equal(loaded_entry_pa(&f->sys), f->load.entry);
		assert_int_equal(staged_status(&f->sys, &status, &job->fail), KX_OK);
		assert_true(status.staged && status.counted && status.certain);
		assert_int_equal(status.files, 2);
		assert_string_equal(status.file[0].path, KERNEL);
		assert_string_equal(status.cmdline, CMDLINE);
		assert_false(status.file[0].changed);

		show_image(f, f->load.entry + 4096);
		do_harm(job, harm);
		assert_int_equal(look(job, true).truth, STAGED_NOTHING);
		assert_int_equal(heal(job, &h), KX_OK);
		assert_true(f->loaded);
		assert_int_equal(exec_kernel(&f->sys, false, false, NULL, &job->fail), KX_REBOOT);
		assert_int_equal(f->unloads, 0);
		job_free(job);
	}
}

static unsigned int told;

static void tell(const struct heal *h)
{
	assert_true(h->healed);
	told++;
}

static void test_exec_heals(void **state)
{
	struct job *job = job_loaded();
	struct purg_model m;

	(void)state;
	told = 0;
	assert_true(fake_move_page(job->fake, job->fake->page[1].pa));
	assert_int_equal(exec_kernel(&job->fake->sys, false, false, tell, &job->fail), KX_REBOOT);
	assert_int_equal(told, 1);
	assert_int_equal(job->fake->reboots, 1);
	assert_clean(job->fake);
	assert_boots(job, &m);
	purg_model_free(&m);
	job_free(job);
}

static struct fake *moving;
static unsigned int moves_left;

static void move_one(enum load_phase phase, uint64_t done_bytes, uint64_t total_bytes)
{
	uint32_t i;

	(void)phase;
	(void)total_bytes;
	if (!moves_left || done_bytes < MIB(2))
		return;
	moves_left--;
	for (i = 0; i < moving->pages && !moving->page[i].taken; i++)
		;
	assert_true(fake_move_page(moving, moving->page[i].pa));
}

/* Pages that move while the payload is read. */
static void test_moved_while_loading(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;

	(void)state;
	moving = job->fake;
	moves_left = 2;
	job->request.progress = move_one;
	assert_loads(job, &m);
	assert_int_equal(moves_left, 0);
	assert_int_equal(fake_pages_taken(job->fake), SLOTS + 1);
	purg_model_free(&m);
	assert_true_and_boots(job);
	job_free(job);
}

/* What the administrator has set since is not overwritten with what was there before a killed load. */
static void test_limit_is_the_administrators(void **state)
{
	struct job *job = job_small();
	struct fake *f = job->fake;
	struct ledger_store store;

	(void)state;
	assert_int_equal(ledger_attach(&store, &f->sys, 0, &job->fail), KX_OK);
	store.header->limit_before = 3;
	store.header->limit_written = 40;
	store.header->limit_raised = 1;
	ledger_close(&store, false);
	f->overcommit = 4321;
	assert_int_equal(load(job), KX_OK);
	assert_int_equal(f->overcommit, 4321);
	f->overcommit = 3;
	assert_clean(f);
	job_free(job);
}

/* Unloaded by another program while this one looked: nothing is loaded again. */
static void unload_it(struct fake *f, void *arg)
{
	(void)arg;
	f->loaded = false;
}

static void test_unloaded_meanwhile(void **state)
{
	struct job *job = job_small();
	struct fake *f = job->fake;
	struct staged_check check;
	struct heal h;
	void *addr;

	(void)state;
	/* Somebody is attached to the ledger, so that it cannot be tidied away. */
	assert_int_equal(f->sys.shm_attach(&f->sys, 32768, &addr), 0);
	assert_true(fake_move_page(f, f->page[1].pa));
	unload_it(f, NULL);
	assert_int_equal(heal(job, &h), KX_OK);
	assert_int_equal(h.check.truth, STAGED_NOTHING);
	assert_false(f->loaded);
	assert_int_equal(staged_look(&f->sys, true, &check, &job->fail), KX_OK);
	assert_int_equal(check.truth, STAGED_NOTHING);
	f->sys.shm_detach(&f->sys, addr);
	job_free(job);
}

/* Asked to stop: what could be healed before still can be. */
static void test_interrupted_heal(void **state)
{
	unsigned int at;
	enum kx_err err = KX_INTERRUPTED;

	(void)state;
	for (at = 1; err == KX_INTERRUPTED; at++) {
		struct job *job = job_small();
		struct heal h;

		assert_true(fake_move_page(job->fake, job->fake->page[1].pa));
		job->fake->interrupted_calls = 0;
		job->fake->interrupt_at = at;
		err = heal(job, &h);
		assert_true(job->fake->loaded);
		job->fake->interrupt_at = 0;
		assert_int_equal(heal(job, &h), KX_OK);
		assert_true_and_boots(job);
		job_free(job);
	}
	assert_int_equal(err, KX_OK);
	assert_true(at > 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_true),
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_moved_and_back),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_log_is_gone),
		cmocka_unit_test(test_shuffled),
		cmocka_unit_test(test_shuffled_again), cmocka_unit_test(test_scattered_again),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_anothers),
		cmocka_unit_test(test_exec_heals),
		cmocka_unit_test(test_moved_while_loading),
		cmocka_unit_test(test_limit_is_the_administrators),
		cmocka_unit_test(test_unloaded_meanwhile),
		cmocka_unit_test(test_interrupted_heal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
