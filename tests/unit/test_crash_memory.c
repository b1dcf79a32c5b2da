/* SPDX-License-Identifier: GPL-2.0-only */
/* A kernel for the next reboot in the memory that is reserved for a crash kernel. */
#include "job.h"

#include "crash_kernel.h"

#include <errno.h>

#define RESERVED	0x90000000ull
#define RESERVED_BYTES	MIB(32)

static const char iomem[] =
	"09000000-09000fff : pl011@9000000\n"
	"40000000-bfffffff : System RAM\n"
	"  40210000-4183ffff : Kernel code\n"
	"  41840000-4213ffff : reserved\n"
	"  42140000-4277ffff : Kernel data\n"
	"  90000000-91ffffff : Crash kernel\n"
	"  bc000000-bfdfffff : reserved\n";

static const struct range reserved = { RESERVED, RESERVED_BYTES };

/* shows: the kernel's images can be told apart. */
static struct job *job_reserved(bool shows)
{
	struct job *job = job_whole();

	fake_text(job->fake, "/proc/iomem", iomem);
	fake_text(job->fake, "/sys/devices/system/cpu/cpu0/crash_notes", "bf000000\n");
	fake_text(job->fake, "/sys/devices/system/cpu/cpu0/crash_notes_size", "424\n");
	fake_text(job->fake, "/sys/kernel/vmcoreinfo", "42333000 1024\n");
	fake_text(job->fake, "/sys/kernel/kexec_crash_loaded", "0\n");
	job->fake->show_images = shows;
	job->request.fast = FAST_REQUIRE;
	job->request.stage = STAGE_CRASH_KERNEL;
	return job;
}

static enum kx_err load_crash_kernel(struct job *job)
{
	struct load_request request = job->request;
	struct report report;
	enum kx_err err;

	request.fast = FAST_NO;
	request.stage = STAGE_AUTO;
	request.crash = true;
	err = load_kernel(&job->fake->sys, &request, &report, &job->fail);
	if (!err)
		crash_kernel_remember(&job->fake->sys, &request);
	return err;
}

static enum kx_err unload(struct job *job, bool crash)
{
	return unload_kernel(&job->fake->sys, crash, SYSCALL_AUTO, &job->unload_note, &job->fail);
}

static void assert_ok(const struct fail *fail)
{
	if (fail->err)
		fail_msg("%s: %s", fail->detail, err_text(fail->err));
}

/* The image for a panic is purgatory, told to reset. */
static void assert_panics_well(const struct fake *f)
{
	const struct sys_segment *s = &f->crash.segment[0];
	const unsigned char *bytes = s->buf;
	struct purg_header header;
	struct purg_params params;
	uint64_t base = f->crash.entry - s->pa;

	assert_true(s->pa + s->memory_bytes <= range_end(reserved) && s->pa >= range_end(reserved) - MIB(2));
	memcpy(&header, bytes + base, sizeof(header));
	memcpy(&params, bytes + base + PURG_PARAMS_OFFSET, sizeof(params));
	assert_true(header.magic == PURG_HEADER_MAGIC && params.base_pa == f->crash.entry);
	assert_int_equal(params.flags, PURG_FLAG_PANIC);
	assert_int_equal(params.uart_pa, 0x09000000);
	assert_int_equal(params.piece_count, 0);
}

static void test_load(void **state)
{
	static const uint64_t pages[] = { 4096, 16384, 65536 };
	size_t i, p;

	(void)state;
	for (p = 0; p < 2 * COUNT(pages); p++) {
		struct job *job = job_reserved(p % 2);
		struct fake *f = job->fake;
		struct staged_status status;
		struct purg_model m;
		struct heal h;

		f->sys.page_bytes = pages[p / 2];
		assert_int_equal(load(job), KX_OK);
		assert_clean(f);
		assert_boots(job, &m);
		/* Nothing is left to do for anybody, and no huge page was taken. */
		assert_int_equal(m.moves, 0);
		assert_int_equal(f->shm_creates, 1);
		assert_int_equal(fake_pages_taken(f), 0);
		assert_int_equal(job->report.staged_bytes, FILE_SLOTS * MIB(2));
		assert_true(job->report.in_crash_memory);
		for (i = 0; i < job->report.objects; i++) {
			assert_true(range_set_contains(&(struct range_set){ (struct range *)(uintptr_t)&reserved, 1, 1 }, job->report.object[i].place));
			assert_int_equal(job->report.object[i].in_place, job->report.object[i].slots);
		}
		assert_int_equal(f->load.count, 2);
		assert_panics_well(f);
		assert_int_equal(staged_status(&f->sys, &status, &job->fail), KX_OK);
		assert_true(status.staged && status.counted && status.certain == (p % 2 == 1));
		assert_int_equal(status.check.truth, STAGED_TRUE);
		assert_string_equal(status.backend, "pages of the crash kernel's memory");
		assert_int_equal(look(job, true).truth, STAGED_TRUE);
		assert_int_equal(heal(job, &h), KX_OK);
		assert_false(h.healed || h.undone);
		/* Neither a crash kernel may be loaded over it now, nor be unloaded. */
		assert_int_equal(load_crash_kernel(job), KX_CRASH_MEMORY_STAGED);
		assert_int_equal(unload(job, true), KX_CRASH_MEMORY_STAGED);
		assert_int_equal(look(job, true).truth, STAGED_TRUE);
		assert_int_equal(unload(job, false), KX_OK);
		assert_false(f->loaded || f->crash.count);
		assert_clean(f);
		purg_model_free(&m);
		job_free(job);
	}
}

/* A plan takes nothing away. */
static void test_plan(void **state)
{
	struct job *job = job_reserved(true);
	struct fake_load crash;

	(void)state;
	assert_int_equal(load_crash_kernel(job), KX_OK);
	crash = job->fake->crash;
	job->request.plan_only = true;
	assert_int_equal(load(job), KX_OK);
	assert_memory_equal(&crash, &job->fake->crash, sizeof(crash));
	assert_false(job->fake->loaded);
	assert_clean(job->fake);
	job_free(job);
}

/* It does not fit, or there is none: told, and nothing is touched. */
static void test_too_small(void **state)
{
	static const char *const lines[] = { "", "  90000000-909fffff : Crash kernel\n", "  90000000-900fffff : Crash kernel\n",
					     "  90100000-904fffff : Crash kernel\n" };
	char text[sizeof(iomem)];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(lines); i++) {
		struct job *job = job_reserved(true);
		struct purg_model m;

		snprintf(text, sizeof(text), "40000000-bfffffff : System RAM\n  40210000-4277ffff : Kernel code\n%s", lines[i]);
		fake_text(job->fake, "/proc/iomem", text);
		assert_int_equal(load(job), KX_CRASH_MEMORY_SMALL);
		assert_int_equal(job->fake->kexec_loads, 0);
		assert_clean(job->fake);
		job->request.fast = FAST_AUTO;
		assert_int_equal(load(job), KX_OK);
		assert_true(noted(job, "does not fit into the crash kernel's memory"));
		assert_false(job->report.in_crash_memory);
		assert_clean(job->fake);
		assert_boots(job, &m);
		purg_model_free(&m);
		job_free(job);
	}
}

/* A page for each slot, and one for the image for a panic. */
static void test_just_fits(void **state)
{
	struct job *job = job_reserved(true);
	struct purg_model m;

	(void)state;
	fake_text(job->fake, "/proc/iomem", "40000000-bfffffff : System RAM\n  40210000-4277ffff : Kernel code\n"
					    "  90000000-90bfffff : Crash kernel\n");
	assert_int_equal(load(job), KX_OK);
	assert_clean(job->fake);
	assert_boots(job, &m);
	purg_model_free(&m);
	job_free(job);
}

/* A load over a load: huge pages over it, it over huge pages, and it over itself, which cannot keep the first one. */
static void test_load_over_load(void **state)
{
	enum stage_choice first, second;

	(void)state;
	for (first = STAGE_HUGE_PAGES; first <= STAGE_CRASH_KERNEL; first++)
		for (second = STAGE_HUGE_PAGES; second <= STAGE_CRASH_KERNEL; second++) {
			struct job *job = job_reserved(second == STAGE_CRASH_KERNEL);
			struct purg_model m;

			job->request.stage = first;
			assert_int_equal(load(job), KX_OK);
			job->request.stage = second;
			assert_int_equal(load(job), KX_OK);
			assert_clean(job->fake);
			assert_boots(job, &m);
			purg_model_free(&m);
			assert_int_equal(job->fake->crash.count != 0, second == STAGE_CRASH_KERNEL);
			assert_int_equal(fake_pages_taken(job->fake) != 0, second == STAGE_HUGE_PAGES);
			assert_int_equal(fake_ledgers(job->fake), 1);
			job_free(job);
		}
}

/* The crash kernel that was there comes back, by whoever's load it was. */
static void test_restore(void **state)
{
	static const struct { bool ours, over; } v[] = { { true, false }, { true, true }, { false, false } };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_reserved(i != 1);
		struct fake *f = job->fake;
		struct crash_kernel_before before;
		char kernel[64];
		pa_t entry;

		assert_int_equal(load_crash_kernel(job), KX_OK);
		if (!v[i].ours)
			crash_kernel_forget(&f->sys);
		entry = f->crash.entry;
		assert_int_equal(load(job), KX_OK);
		assert_true(noted(job, "the crash kernel that was loaded is not any more"));
		assert_int_not_equal(f->crash.entry, entry);
		if (v[i].over) {
			/* The second one replaces no crash kernel. */
			assert_int_equal(load(job), KX_OK);
			assert_false(noted(job, "the crash kernel that was loaded is not any more"));
		}
		before = crash_kernel_look(&f->sys);
		assert_true(before.loaded && before.staged);
		assert_int_equal(unload(job, false), KX_OK);
		assert_int_equal(f->crash.count, 0);
		assert_int_equal(crash_kernel_restore(&f->sys, &before, kernel, sizeof(kernel), &job->fail), v[i].ours);
		assert_ok(&job->fail);
		assert_string_equal(kernel, v[i].ours ? KERNEL : "");
		assert_int_equal(f->crash.count != 0, v[i].ours);
		assert_true(!v[i].ours || f->crash.entry == entry);
		job_free(job);
	}
}

/* The kernel takes neither call, the first or the second, at some moment: what was loaded is, but for the crash kernel, which comes back. */
static void test_failures(void **state)
{
	unsigned int at;
	bool shows;

	(void)state;
	for (at = 1; at <= 2; at++)
		for (shows = false;; shows = true) {
			struct job *job = job_reserved(shows);
			struct fake *f = job->fake;
			struct crash_kernel_before before;
			char kernel[64];
			pa_t entry;

			job->request.stage = STAGE_HUGE_PAGES;
			assert_int_equal(load(job), KX_OK);
			assert_int_equal(load_crash_kernel(job), KX_OK);
			entry = f->load.entry;
			before = crash_kernel_look(&f->sys);
			assert_true(before.loaded && !before.staged);
			job->request.stage = STAGE_CRASH_KERNEL;
			f->kexec_fails_at = f->kexec_loads + at;
			assert_int_equal(load(job), at == 1 ? KX_KEXEC_LOAD : KX_NO_MEMORY);
			assert_clean(f);
			assert_true(f->loaded && f->load.entry == entry);
			assert_int_equal(look(job, true).truth, STAGED_TRUE);
			assert_int_equal(f->crash.count, 0);
			assert_true(crash_kernel_restore(&f->sys, &before, kernel, sizeof(kernel), &job->fail));
			assert_ok(&job->fail);
			assert_true(f->crash.count != 0);
			job_free(job);
			if (shows)
				break;
		}
}

/* Another program loads a crash kernel over it, or unloads what lies there: seen before the jump, where the kernel shows which one it is. */
static void test_taken(void **state)
{
	int kind;

	(void)state;
	for (kind = 0; kind < 3; kind++) {
		struct job *job = job_reserved(kind != 1);
		struct fake *f = job->fake;
		struct sys_segment segment = { "x", 1, RESERVED, 4096 };
		struct heal h;

		assert_int_equal(load(job), KX_OK);
		assert_int_equal(f->sys.kexec_load(&f->sys, RESERVED, kind == 2 ? &segment : NULL, kind == 2, SYS_KEXEC_ON_CRASH), 0);
		assert_int_equal(look(job, true).truth, STAGED_DAMAGED);
		assert_int_equal(heal(job, &h), KX_UNDONE);
		assert_false(f->loaded);
		assert_clean(f);
		/* What the other one has loaded is his. */
		assert_int_equal(f->crash.count, kind == 2);
		job_free(job);
	}
}

/* A loader is killed at that call, of one over a staged load and a crash kernel. False: it ended before. */
static bool killed_at(struct job *job, uint64_t call)
{
	struct fake *f = job->fake;
	jmp_buf killed;

	job->request.stage = STAGE_HUGE_PAGES;
	assert_int_equal(load(job), KX_OK);
	assert_int_equal(load_crash_kernel(job), KX_OK);
	job->request.stage = STAGE_CRASH_KERNEL;
	f->step_calls = 0;
	f->kill_call = call;
	f->killed = &killed;
	if (!setjmp(killed)) {
		load(job);
		f->killed = NULL;
		return false;
	}
	f->killed = NULL;
	f->kill_call = 0;
	fake_died(f, call % 2);
	return true;
}

/* At each: what is loaded is true, and the next run leaves nothing of it. Where the kernel does not show what it holds, what is in doubt is undone. */
static void kill_at_each(bool shows)
{
	bool killed = true;
	uint64_t call;

	for (call = 1; killed; call++) {
		struct job *job = job_reserved(shows);
		struct fake *f = job->fake;
		struct purg_model m;
		struct heal h;

		killed = killed_at(job, call);
		if (heal(job, &h)) {
			assert_true(h.undone && !shows);
			assert_false(f->loaded);
		} else {
			assert_true(f->loaded);
			assert_int_equal(look(job, true).truth, STAGED_TRUE);
			if (purg_model_run(&m, f))
				fail_msg("killed at %llu: %s", (unsigned long long)call, m.problem);
			purg_model_free(&m);
		}
		assert_int_equal(unload(job, false), KX_OK);
		assert_clean(f);
		assert_int_equal(fake_pages_taken(f), 0);
		assert_int_equal(fake_ledgers(f), 0);
		job_free(job);
	}
	assert_true(call > 50);
}

static void test_killed(void **state)
{
	(void)state;
	kill_at_each(true);
	kill_at_each(false);
}

/* What is remembered of a crash kernel comes back as it was asked for. */
static void test_remember(void **state)
{
	struct job *job = job_reserved(true);
	struct load_request r, from = {
		.kernel = "boot/Image", .initrd = { "/a", "b" }, .initrds = 2, .cmdline = "", .dtb = "/x.dtb", .reuse_cmdline = true, .syscall = SYSCALL_LOAD,
		.check = CHECK_SHA256, .mem_min = 0x123456789abc, .mem_max = UINT64_MAX, .crash = true,
	};
	static char large[70000];
	char *memory;

	(void)state;
	assert_false(crash_kernel_recall(&job->fake->sys, &r, &memory));
	assert_null(memory);
	fake_link(job->fake, "/proc/self/cwd", "/srv");
	crash_kernel_remember(&job->fake->sys, &from);
	assert_true(crash_kernel_recall(&job->fake->sys, &r, &memory));
	assert_string_equal(r.kernel, "/srv/boot/Image");
	assert_int_equal(r.initrds, 2);
	assert_string_equal(r.initrd[0], "/a");
	assert_string_equal(r.initrd[1], "/srv/b");
	assert_string_equal(r.cmdline, "");
	assert_string_equal(r.dtb, "/x.dtb");
	assert_null(r.serial);
	assert_null(r.type);
	assert_true(r.reuse_cmdline && r.crash && !r.no_cma && !r.boot_loader_cmdline);
	assert_int_equal(r.syscall, SYSCALL_LOAD);
	assert_int_equal(r.check, CHECK_SHA256);
	assert_true(r.mem_min == 0x123456789abc && r.mem_max == UINT64_MAX);
	free(memory);
	/* Too long to be remembered is not remembered in part. */
	memset(large, 'x', sizeof(large) - 1);
	from.cmdline = large;
	crash_kernel_remember(&job->fake->sys, &from);
	assert_false(crash_kernel_recall(&job->fake->sys, &r, &memory));
	crash_kernel_remember(&job->fake->sys, &job->request);
	crash_kernel_forget(&job->fake->sys);
	assert_false(crash_kernel_recall(&job->fake->sys, &r, &memory));
	assert_clean(job->fake);
	job_free(job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load), cmocka_unit_test(test_plan), cmocka_unit_test(test_too_small), cmocka_unit_test(test_just_fits),
		cmocka_unit_test(test_load_over_load), cmocka_unit_test(test_restore), cmocka_unit_test(test_failures), cmocka_unit_test(test_taken),
		cmocka_unit_test(test_killed), cmocka_unit_test(test_remember),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
