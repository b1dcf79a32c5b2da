/* SPDX-License-Identifier: GPL-2.0-only */
/* Loads that are refused, that fail at any call, that others disturb: what was loaded before stays, and nothing leaks. */
#include "job.h"

#include <errno.h>

enum refusal {
	NOT_ROOT, NOT_ARM64, LOCKED, LOCKED_MORE, DISABLED, LIMIT, CONTAINER_ENV, CONTAINER_FILE, USER_NS, BUSY,
	IPC_NS, NOT_USER_0, RMID, NO_PSCI, HIDDEN_PFN, REFUSALS
};

static void make_refusal(struct job *job, enum refusal refusal)
{
	struct fake *f = job->fake;

	switch (refusal) {
	case NOT_ROOT: f->root = false; break;
	case NOT_ARM64: f->arm64 = false; break;
	case LOCKED: fake_text(f, "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n"); break;
	case LOCKED_MORE: fake_text(f, "/sys/kernel/security/lockdown", "none integrity [confidentiality]\n"); break;
	case DISABLED: fake_text(f, "/proc/sys/kernel/kexec_load_disabled", "1\n"); break;
	case CONTAINER_ENV: fake_file(f, "/proc/1/environ", "PATH=/\0container=lxc", 21); break;
	case CONTAINER_FILE: fake_text(f, "/run/systemd/container", "docker\n"); break;
	case USER_NS: fake_link(f, "/proc/self/ns/user", "user:[4026532777]"); break;
	case LIMIT: fake_text(f, "/proc/sys/kernel/kexec_load_limit_reboot", "0\n"); break;
	case BUSY: f->locked = true; break;
	case IPC_NS: fake_link(f, "/proc/self/ns/ipc", "ipc:[4026532222]"); break;
	case NOT_USER_0: f->not_user_0 = true; break;
	case RMID: fake_text(f, "/proc/sys/kernel/shm_rmid_forced", "1\n"); break;
	case NO_PSCI: drop_psci(job); break;
	case HIDDEN_PFN: f->hide_pfn = true; break;
	default: break;
	}
}

static void test_refusals(void **state)
{
	static const enum kx_err want[] = {
		[NOT_ROOT] = KX_NOT_ROOT, [NOT_ARM64] = KX_WRONG_ARCH, [LOCKED] = KX_LOCKDOWN,
		[LOCKED_MORE] = KX_LOCKDOWN,
		[DISABLED] = KX_LOAD_DISABLED, [LIMIT] = KX_LOAD_LIMIT, [BUSY] = KX_LOCKED, [CONTAINER_ENV] = KX_CONTAINER, [CONTAINER_FILE] = KX_CONTAINER,
		[USER_NS] = KX_USER_NS, [IPC_NS] = KX_OTHER_IPC_NS, [NOT_USER_0] = KX_STAGE_NOT_ROOT, [RMID] = KX_SHM_RMID_FORCED,
		[NO_PSCI] = KX_NO_PSCI,
		[HIDDEN_PFN] = KX_NO_PFN,
	};
	enum refusal i;

	(void)state;
	for (i = 0; i < REFUSALS; i++) {
		struct job *job = job_whole();

		make_refusal(job, i);
		assert_int_equal(load(job), want[i]);
		assert_int_equal(job->fail.err, want[i]);
		assert_int_equal(job->fake->kexec_loads + job->fake->unloads, 0);
		if (i != HIDDEN_PFN)
			assert_int_equal(job->fake->shm_creates + job->fake->writes, 0);
		if (i <= BUSY && i != LOCKED && i != LOCKED_MORE)
			assert_int_equal(job->fake->shm_removes, 0);
		job->fake->locked &= i != BUSY;
		assert_int_equal(fake_pages_taken(job->fake), 0);
		assert_clean(job->fake);
		job_free(job);
	}
	/* What only forbids staging leaves the ordinary way, and it is said. */
	for (i = IPC_NS; i < REFUSALS; i++) {
		struct job *job = job_whole();
		struct purg_model m;

		make_refusal(job, i);
		job->request.fast = FAST_AUTO;
		assert_loads(job, &m);
		assert_true(noted(job, err_text(want[i])));
		assert_int_equal(fake_pages_taken(job->fake), i == NO_PSCI ? SLOTS + 1 : 0);
		purg_model_free(&m);
		job_free(job);
	}
}

/* Each names what is in the way, not its neighbour. */
static void test_remedies(void **state)
{
	struct job *job = job_whole();

	(void)state;
	job->request.crash = true;
	fake_text(job->fake, "/proc/sys/kernel/kexec_load_limit_panic", "0\n");
	assert_int_equal(load(job), KX_LOAD_LIMIT_PANIC);
	assert_says(&job->fail, "kernel.kexec_load_limit_panic allows no further load of a crash kernel until the next boot");
	job_free(job);

	job = job_whole();
	make_refusal(job, USER_NS);
	load(job);
	assert_says(&job->fail, "a kernel cannot be started from a user namespace of its own (a container, or systemd's PrivateUsers=); "
		    "run kexec outside of it");
	job_free(job);

	job = job_whole();
	make_refusal(job, NOT_ROOT);
	load(job);
	assert_says(&job->fail, "only root may load or start a kernel; run as root (without --fast-reloc CAP_SYS_BOOT and CAP_SYS_ADMIN "
		    "are enough)");
	job_free(job);

	/* What the kernel shows to those who have CAP_SYS_BOOT alone. */
	job = job_whole();
	fake_text(job->fake, "/proc/iomem", "00000000-00000000 : System RAM\n");
	load(job);
	assert_says(&job->fail, "/proc/iomem names no System RAM; run as root, or with CAP_SYS_ADMIN, in the initial user "
		    "namespace");
	job_free(job);

	job = job_whole();
	job->fake->fail_name = "shm_create";
	job->fake->fail_call = 1;
	job->fake->fail_errno = EPERM;
	assert_int_equal(load(job), KX_NO_IPC_LOCK);
	assert_says(&job->fail, "Operation not permitted: huge pages in shared memory are for CAP_IPC_LOCK and the group in "
		    "vm.hugetlb_shm_group only; run with one of them");
	assert_clean(job->fake);
	job_free(job);
}

/* systemd's ProcSubset=pid, or no /proc at all. */
static void test_part_of_proc(void **state)
{
	static const char *const paths[] = { "/proc/meminfo", "/proc/iomem", "/proc/cmdline" };
	char want[FAIL_SENTENCE_CHARS];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(paths); i++) {
		struct job *job = job_whole();

		fake_drop(job->fake, paths[i]);
		job->request.reuse_cmdline = true;
		snprintf(want, sizeof(want), "%s: is not there, since /proc is not mounted, or only in part (systemd: ProcSubset=pid); "
			 "run kexec where all of it is", paths[i]);
		assert_int_equal(load(job), KX_NO_PROC);
		assert_says(&job->fail, want);
		assert_clean(job->fake);
		/* Before --reuseinitrd or -p is told that this kernel has kept nothing. */
		assert_int_equal(check_proc(&job->fake->sys, &job->fail), i == 2 ? KX_NO_PROC : KX_OK);
		job_free(job);
	}
}

/* ProtectKernelTunables= of systemd, and containers, have /sys read-only: no memory need be freed for that. */
static void test_read_only_limit(void **state)
{
	static const char sentence[] = "vm.nr_overcommit_hugepages cannot be raised for the load, since /sys is read-only; set it before, "
				       "or make /sys writable (systemd: ProtectKernelTunables=no)";
	struct job *job = job_whole();
	struct purg_model m;
	char with_count[FAIL_SENTENCE_CHARS];

	(void)state;
	job->fake->write_error = -EROFS;
	snprintf(with_count, sizeof(with_count), "1 of 4 huge pages are missing: %s", sentence);
	assert_int_equal(load(job), KX_LIMIT_READ_ONLY);
	assert_says(&job->fail, with_count);
	assert_clean(job->fake);
	job->request.fast = FAST_AUTO;
	assert_loads(job, &m);
	assert_true(noted(job, sentence));
	purg_model_free(&m);
	job_free(job);
}

static void test_kernel_says_no(void **state)
{
	static const struct { int err; enum kx_err want; } v[] = {
		{ -EPERM, KX_NOT_PERMITTED }, { -EBUSY, KX_BUSY }, { -ENOSYS, KX_NO_SYSCALL }, { -ENOMEM, KX_NO_MEMORY },
		{ -EINVAL, KX_KEXEC_LOAD }, { -EADDRNOTAVAIL, KX_KEXEC_LOAD },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_whole();

		job->fake->kexec_error = v[i].err;
		assert_int_equal(load(job), v[i].want);
		/* That there is no such call is found out before anything is staged. */
		assert_int_equal(job->fake->kexec_loads, v[i].err != -ENOSYS);
		assert_int_equal(fake_shms(job->fake, true), 0);
		assert_clean(job->fake);
		job_free(job);
	}
}

/* One more failure in every call that can fail, from the first to the last; with a load before it and without. */
static void inject(enum fast_mode fast, bool plan_only, bool before, uint32_t step, bool rare, int number)
{
	uint64_t call;

	for (call = 1;; call++) {
		struct job *job = job_sized(0x60000000, step * PLAN_SLOT_BYTES, 44, 70001, MIB(2) + 1, 90001);
		struct fake *f = job->fake;
		struct purg_model m;
		enum kx_err err;
		uint32_t old_pages;

		job->request.fast = fast;
		job->request.plan_only = plan_only;
		if (before)
			load_first(job);
		if (rare) {
			put_gzip(job, job->kernel, job->kernel_bytes);
			unpack_tree(job);
			job->request.reuse_cmdline = true;
			job->request.serial = "ttyAMA0";
		}
		old_pages = fake_pages_taken(f);
		f->fail_calls = 0;
		f->fail_call = call;
		f->fail_errno = number;
		err = load(job);
		if (!f->failed) {
			/* All calls have had their turn. */
			assert_int_equal(err, KX_OK);
			job_free(job);
			assert_true(call > 20);
			return;
		}
		if (f->breach[0])
			fail_msg("call %llu, %s: %s", (unsigned long long)call, f->failed, f->breach);
		if (fake_leak(f))
			fail_msg("call %llu, %s: %s", (unsigned long long)call, f->failed, fake_leak(f));
		if (f->kexec_loads > 1 || f->unloads || (plan_only && f->kexec_loads))
			fail_msg("call %llu, %s: loaded %u times", (unsigned long long)call, f->failed, f->kexec_loads);
		if (err && (err != job->fail.err || !err_text(err)[0]))
			fail_msg("call %llu, %s: the error says nothing", (unsigned long long)call, f->failed);
		if (err || plan_only) {
			/* As it was. */
			assert_int_equal(f->loaded, before);
			assert_int_equal(fake_shms(f, true), before);
			if (strcmp(f->failed, "punch") != 0)
				assert_int_equal(fake_pages_taken(f), old_pages);
		}
		if (f->loaded) {
			job->fake->kexec_loads = 1;
			assert_boots(job, &m);
			purg_model_free(&m);
		}
		job_free(job);
	}
}

static void test_failures_fast(void **state)
{
	(void)state;
	inject(FAST_REQUIRE, false, false, 1, false, EIO);
	inject(FAST_AUTO, false, false, 2, false, ENOMEM);
}

static void test_failures_with_a_load_before(void **state)
{
	(void)state;
	inject(FAST_REQUIRE, false, true, 1, false, EIO);
	inject(FAST_AUTO, false, true, 1, false, EFAULT);
	inject(FAST_NO, false, true, 1, false, EIO);
}

static void test_failures_of_a_plan(void **state)
{
	(void)state;
	inject(FAST_AUTO, true, true, 1, false, EIO);
	inject(FAST_REQUIRE, true, false, 2, false, ENOMEM);
}

static void test_failures_on_rare_ways(void **state)
{
	(void)state;
	inject(FAST_REQUIRE, false, true, 1, true, EIO);
}

static void test_second_load_replaces(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;
	unsigned char *other = image(KERNEL_BYTES, IMAGE_SIZE, 0);

	(void)state;
	load_first(job);
	assert_int_equal(fake_pages_taken(job->fake), SLOTS + 1);
	other[5000] ^= 0xff;
	free(job->kernel);
	job->kernel = other;
	fake_file(job->fake, KERNEL, other, KERNEL_BYTES);
	assert_loads(job, &m);
	assert_int_equal(fake_pages_taken(job->fake), SLOTS + 1);
	assert_int_equal(fake_shms(job->fake, true), 1);
	purg_model_free(&m);
	/* A load that stages nothing replaces it as well. */
	job->request.fast = FAST_NO;
	job->fake->kexec_loads = 0;
	assert_loads(job, &m);
	assert_int_equal(fake_pages_taken(job->fake), 0);
	assert_int_equal(fake_shms(job->fake, true), 0);
	purg_model_free(&m);
	job_free(job);
}

static void load_again(struct fake *fake, void *arg)
{
	struct load_request request = *(struct load_request *)arg;
	struct report report;
	struct fail fail;

	load_kernel(&fake->sys, &request, &report, &fail);
}

/* Two loaders at once: whichever load the kernel ends up with still has its memory. */
static void test_two_loaders(void **state)
{
	struct job *job = job_new(0x60000000, PLAN_SLOT_BYTES, 90);
	struct purg_model m = { 0 };
	bool boots;

	(void)state;
	job->fake->meanwhile = load_again;
	job->fake->meanwhile_arg = &job->request;
	load(job);
	assert_clean(job->fake);
	boots = job->fake->loaded && !purg_model_run(&m, job->fake);
	purg_model_free(&m);
	job_free(job);
	assert_true(boots);
}

static void test_unload(void **state)
{
	struct job *job = job_whole();

	(void)state;
	load_first(job);
	assert_int_equal(unload_kernel(&job->fake->sys, false, SYSCALL_AUTO, &job->unload_note, &job->fail), KX_OK);
	assert_false(job->fake->loaded);
	assert_int_equal(job->fake->unloads, 1);
	assert_int_equal(fake_pages_taken(job->fake), 0);
	assert_clean(job->fake);
	/* Nothing loaded: as upstream, that is no error. */
	assert_int_equal(unload_kernel(&job->fake->sys, false, SYSCALL_AUTO, &job->unload_note, &job->fail), KX_OK);

	/* The kernel refuses: then it still counts on the memory. */
	load_first(job);
	job->fake->kexec_error = -EBUSY;
	assert_int_equal(unload_kernel(&job->fake->sys, false, SYSCALL_AUTO, &job->unload_note, &job->fail), KX_UNLOAD);
	assert_int_equal(fake_shms(job->fake, true), 1);
	job_free(job);
}

/* While somebody else stages, everything that does not stage goes on. */
static void test_somebody_stages(void **state)
{
	struct job *job = job_whole();
	struct fake *f = job->fake;

	(void)state;
	load_first(job);
	f->locked = true;
	assert_int_equal(load(job), KX_LOCKED);
	assert_true(f->loaded);
	job->request.fast = FAST_NO;
	assert_int_equal(load(job), KX_OK);
	assert_true(noted(job, "another kexec is at work"));
	assert_true(f->locked);
	assert_int_equal(fake_shms(f, true), 1);
	assert_int_equal(unload_kernel(&f->sys, false, SYSCALL_AUTO, &job->unload_note, &job->fail), KX_OK);
	assert_false(f->loaded);
	assert_non_null(strstr(job->unload_note, "another kexec is loading"));
	assert_int_equal(unload_kernel(&f->sys, true, SYSCALL_AUTO, &job->unload_note, &job->fail), KX_OK);
	assert_null(job->unload_note);
	assert_int_equal(fake_shms(f, true), 1);
	/* It fails, and gives back what it finds. */
	f->locked = false;
	job->request.fast = FAST_REQUIRE;
	f->kexec_error = -EBUSY;
	assert_int_equal(load(job), KX_BUSY);
	assert_int_equal(fake_shms(f, true), 0);
	assert_clean(f);
	job_free(job);
}

/* What a loader would leave that was killed in this state. */
static void make_orphan(struct fake *f, struct ledger_store *store, enum ledger_state state, int *id)
{
	struct fail fail;

	f->no_lock = true;
	assert_int_equal(ledger_create(store, &f->sys, STAGING_HUGE_PAGES, KIB(4), &fail), KX_OK);
	assert_int_equal(f->sys.shm_create(&f->sys, STAGING_KEY + store->number, 4 * PLAN_SLOT_BYTES, true, id), 0);
	ledger_set_state(store, state);
	f->no_lock = false;
}

/* In a service that has its own IPC namespace, or where there is nothing to lock, or with somebody's debugger at the memory. */
static void test_said(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;
	struct fake *f = job->fake;
	struct ledger_store old;
	void *addr;
	int id;

	(void)state;
	f->fail_name = "lock";
	f->fail_call = 1;
	f->fail_errno = EROFS;
	assert_int_equal(load(job), KX_OK);
	assert_true(noted(job, "there is no lock (Read-only file system)"));
	f->fail_name = NULL;
	assert_clean(f);
	f->no_lock = false;

	fake_link(f, "/proc/self/ns/ipc", "ipc:[4026532222]");
	assert_int_equal(unload_kernel(&f->sys, false, SYSCALL_AUTO, &job->unload_note, &job->fail), KX_OK);
	assert_non_null(strstr(job->unload_note, "IPC namespace"));
	job->request.fast = FAST_NO;
	assert_int_equal(load(job), KX_OK);
	fake_drop(f, "/proc/self/ns/ipc");

	job->request.fast = FAST_REQUIRE;
	make_orphan(f, &old, LEDGER_LOADED, &id);
	ledger_close(&old, false);
	assert_int_equal(f->sys.shm_attach(&f->sys, id, &addr), 0);
	f->loaded = true;
	f->kexec_loads = 0;
	assert_int_equal(load(job), KX_OK);
	assert_true(noted(job, "a process holds memory"));
	f->sys.shm_detach(&f->sys, addr);
	assert_clean(f);
	assert_boots(job, &m);
	purg_model_free(&m);
	assert_int_equal(unload_kernel(&f->sys, false, SYSCALL_AUTO, &job->unload_note, &job->fail), KX_OK);
	assert_null(job->unload_note);
	assert_int_equal(fake_pages_taken(f), 0);
	job_free(job);
}

/* What killed loaders left: what no kernel can count on goes with the next load, whatever becomes of that. */
static void test_orphans(void **state)
{
	static const struct { bool loaded_before, hidden; enum ledger_state state; bool stays; } v[] = {
		{ false, false, LEDGER_STAGING, false }, { false, false, LEDGER_LOADED, false }, { false, false, LEDGER_COMMITTING, false },
		{ true, false, LEDGER_STAGING, false }, { true, false, LEDGER_LOADED, true }, { true, false, LEDGER_COMMITTING, true },
		{ true, true, LEDGER_LOADED, true }, { true, true, LEDGER_STAGING, false }, { false, true, LEDGER_COMMITTING, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_whole();
		struct fake *f = job->fake;
		struct ledger_store store;
		int id;

		make_orphan(f, &store, v[i].state, &id);
		store.header->limit_before = f->overcommit;
		store.header->limit_written = f->overcommit + 44;
		store.header->limit_raised = 1;
		ledger_close(&store, false);
		f->overcommit += 44;
		f->loaded = v[i].loaded_before;
		f->loaded_hidden = v[i].hidden;
		/* A load that fails late must not have taken what the kernel counts on. */
		f->kexec_error = -EBUSY;
		assert_int_equal(load(job), KX_BUSY);
		assert_int_equal(fake_ledgers(f), v[i].stays);
		assert_int_equal(fake_shms(f, true) + fake_shms(f, false), v[i].stays);
		/* And one that works leaves its own alone. */
		f->kexec_error = 0;
		assert_int_equal(load(job), KX_OK);
		assert_int_equal(fake_ledgers(f), 1);
		assert_clean(f);
		job_free(job);
	}
}

/* A plan changes nothing: not even what a killed loader left. */
static void test_plan_sweeps_nothing_that_is_loaded(void **state)
{
	struct job *job = job_whole();

	(void)state;
	load_first(job);
	job->request.plan_only = true;
	assert_int_equal(load(job), KX_OK);
	assert_int_equal(fake_shms(job->fake, true), 1);
	assert_true(job->fake->loaded);
	assert_clean(job->fake);
	job_free(job);
}

static void test_interrupted(void **state)
{
	unsigned int at;

	(void)state;
	for (at = 1;; at++) {
		struct job *job = job_whole();
		enum kx_err err;

		load_first(job);
		job->fake->interrupted_calls = 0;
		job->fake->interrupt_at = at;
		err = load(job);
		assert_clean(job->fake);
		assert_int_equal(fake_shms(job->fake, true), 1);
		if (!err) {
			job_free(job);
			assert_true(at > SLOTS);
			return;
		}
		assert_int_equal(err, KX_INTERRUPTED);
		assert_int_equal(job->fake->kexec_loads, 0);
		assert_int_equal(fake_pages_taken(job->fake), SLOTS + 1);
		job_free(job);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_remedies),
		cmocka_unit_test(test_part_of_proc),
		cmocka_unit_test(test_read_only_limit),
		cmocka_unit_test(test_kernel_says_no),
		cmocka_unit_test(test_failures_fast),
		cmocka_unit_test(test_failures_with_a_load_before),
		cmocka_unit_test(test_failures_of_a_plan),
		cmocka_unit_test(test_failures_on_rare_ways),
		cmocka_unit_test(test_second_load_replaces),
		cmocka_unit_test(test_two_loaders),
		cmocka_unit_test(test_unload),
		cmocka_unit_test(test_somebody_stages),
		cmocka_unit_test(test_said),
		cmocka_unit_test(test_orphans),
		cmocka_unit_test(test_plan_sweeps_nothing_that_is_loaded),
		cmocka_unit_test(test_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
