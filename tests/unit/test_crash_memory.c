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
static struct job *reserve_for_crash(struct job *job, bool shows)
{
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

static struct job *job_reserved(bool shows)
{
	return reserve_for_crash(job_whole(), shows);
}

static enum kx_err load_crash_kernel(struct job *job)
{
	struct load_request request = job->request;
	struct report report;

	request.fast = FAST_NO;
	request.stage = STAGE_AUTO;
	request.crash = true;
	return load_kernel(&job->fake->sys, &request, &report, &job->fail);
}

/* Another program's, which lies elsewhere in the reservation. */
static void load_anothers(struct job *job)
{
	struct sys_segment segment = { "x", 1, RESERVED, 65536 };

	assert_int_equal(job->fake->sys.kexec_load(&job->fake->sys, RESERVED, &segment, 1, SYS_KEXEC_ON_CRASH), 0);
}

static bool is_anothers(const struct fake *f)
{
	return f->crash.count == 1 && f->crash.entry == RESERVED;
}

/* What every run of the program does at its end. */
static bool restore(struct job *job)
{
	struct report report;
	char kernel[64];
	bool tried = crash_kernel_restore(&job->fake->sys, kernel, sizeof(kernel), &report, &job->fail);

	assert_true(!tried || job->fail.err || strcmp(kernel, KERNEL) == 0);
	return tried;
}

static enum kx_err load_in(struct job *job, enum stage_choice stage)
{
	job->request.stage = stage;
	return load(job);
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
			struct job *job = job_reserved(true);
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

/* The crash kernel that was there comes back: over nothing, over a load in it, in any later run. */
static void test_restore(void **state)
{
	int kind;

	(void)state;
	for (kind = 0; kind < 4; kind++) {
		struct job *job = job_reserved(kind % 2);
		struct fake *f = job->fake;
		pa_t entry;

		assert_int_equal(load_crash_kernel(job), KX_OK);
		entry = f->crash.entry;
		assert_int_equal(load(job), KX_OK);
		assert_false(restore(job));
		assert_true(noted(job, "the crash kernel that was loaded is not any more"));
		assert_int_not_equal(f->crash.entry, entry);
		if (kind & 2) {
			/* The second one replaces no crash kernel. */
			assert_int_equal(load(job), KX_OK);
			assert_false(noted(job, "the crash kernel that was loaded is not any more"));
			assert_false(restore(job));
		}
		assert_int_equal(unload(job, false), KX_OK);
		assert_int_equal(f->crash.count, 0);
		/* A signal that came in meanwhile keeps nobody's dumps away. */
		f->interrupt_at = 1;
		assert_true(restore(job));
		assert_ok(&job->fail);
		f->interrupt_at = 0;
		assert_true(f->crash.count && f->crash.entry == entry);
		assert_false(restore(job));
		/* Unloaded for good. */
		assert_int_equal(unload(job, true), KX_OK);
		assert_int_equal(load(job), KX_OK);
		assert_int_equal(unload(job, false), KX_OK);
		assert_false(restore(job));
		assert_clean(f);
		job_free(job);
	}
}

/* What another program has loaded does not come back, and that is said; nor does one of ours that was not loaded any more. */
static void test_not_ours(void **state)
{
	int kind;

	(void)state;
	for (kind = 0; kind < 4; kind++) {
		struct job *job = job_reserved(true);
		struct fake *f = job->fake;

		if (kind)
			assert_int_equal(load_crash_kernel(job), KX_OK);
		if (kind == 2)
			sys_unload(&f->sys, true, SYSCALL_AUTO);
		else if (kind < 2)
			load_anothers(job);
		if (kind == 3) {
			/* Ours failed when the kernel had dropped the one before. */
			f->kexec_fails_at = f->kexec_loads + 1;
			assert_int_equal(load_crash_kernel(job), KX_NO_MEMORY);
			assert_int_equal(f->crash.count, 0);
		}
		assert_int_equal(load(job), KX_OK);
		assert_int_equal(noted(job, "the crash kernel that was loaded is not any more"), kind < 2);
		assert_int_equal(unload(job, false), KX_OK);
		assert_int_equal(restore(job), kind < 2);
		assert_int_equal(job->fail.err, kind < 2 ? KX_CRASH_KERNEL_LOST : KX_OK);
		assert_int_equal(f->crash.count, 0);
		assert_false(restore(job));
		job_free(job);
	}
}

/* The kernel does not take the first call or the second: what was loaded is, but for the crash kernel, which comes back. */
static void test_failures(void **state)
{
	unsigned int at;

	(void)state;
	for (at = 1; at <= 4; at++) {
		struct job *job = job_reserved(at % 2);
		struct fake *f = job->fake;
		pa_t entry;

		assert_int_equal(load_in(job, STAGE_HUGE_PAGES), KX_OK);
		assert_int_equal(load_crash_kernel(job), KX_OK);
		entry = f->load.entry;
		f->kexec_fails_at = f->kexec_loads + (at + 1) / 2;
		assert_int_equal(load_in(job, STAGE_CRASH_KERNEL), at < 3 ? KX_KEXEC_LOAD : KX_NO_MEMORY);
		assert_clean(f);
		assert_true(f->loaded && f->load.entry == entry);
		assert_int_equal(look(job, true).truth, STAGED_TRUE);
		assert_int_equal(f->crash.count, 0);
		assert_true(restore(job));
		assert_ok(&job->fail);
		assert_true(f->crash.count != 0);
		job_free(job);
	}
}

/* It is refused before anything is taken: then the crash kernel is still the one that will have to come back. */
static void test_refused(void **state)
{
	static const char *const limits[] = { "1\n", "2\n" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(limits) + 2; i++) {
		struct job *job = job_reserved(i % 2);
		struct fake *f = job->fake;

		assert_int_equal(load_crash_kernel(job), KX_OK);
		if (i < COUNT(limits))
			fake_text(f, "/proc/sys/kernel/kexec_load_limit_panic", limits[i]);
		else
			f->interrupt_at = f->interrupted_calls + 2;
		assert_int_equal(load(job), i < COUNT(limits) ? KX_LOAD_LIMIT_PANIC : KX_INTERRUPTED);
		assert_true(f->crash.count != 0);
		assert_false(restore(job));
		fake_text(f, "/proc/sys/kernel/kexec_load_limit_panic", "3\n");
		f->interrupt_at = 0;
		assert_int_equal(load(job), KX_OK);
		fake_text(f, "/proc/sys/kernel/kexec_load_limit_panic", "-1\n");
		assert_int_equal(unload(job, false), KX_OK);
		assert_true(restore(job));
		assert_ok(&job->fail);
		job_free(job);
	}
}

/* Interrupted at any time: what was loaded is, and the crash kernel too, in the end. */
static void test_interrupted(void **state)
{
	unsigned int at;
	enum kx_err err = KX_INTERRUPTED;

	(void)state;
	for (at = 1; err == KX_INTERRUPTED; at++) {
		struct job *job = job_reserved(true);
		struct fake *f = job->fake;

		assert_int_equal(load_in(job, STAGE_HUGE_PAGES), KX_OK);
		assert_int_equal(load_crash_kernel(job), KX_OK);
		f->interrupt_at = f->interrupted_calls + at;
		err = load_in(job, STAGE_CRASH_KERNEL);
		restore(job);
		assert_true(f->loaded && f->crash.count);
		assert_int_equal(f->crash.entry < range_end(reserved) - MIB(2), err != KX_OK);
		assert_clean(f);
		job_free(job);
	}
	assert_int_equal(err, KX_OK);
	assert_true(at > 5);
}

/* In doubt whose image it is, only kexec -u empties the memory. */
static void test_in_doubt(void **state)
{
	int kind;

	(void)state;
	for (kind = 0; kind < 3; kind++) {
		struct job *job = job_reserved(false);
		struct fake *f = job->fake;

		assert_int_equal(load(job), KX_OK);
		load_anothers(job);
		if (kind < 2) {
			job->request.fast = kind ? FAST_REQUIRE : FAST_NO;
			assert_int_equal(load_in(job, kind ? STAGE_HUGE_PAGES : STAGE_AUTO), KX_OK);
			assert_true(noted(job, "the crash kernel's memory may still hold what was staged in it"));
			assert_true(is_anothers(f) && f->loaded);
			/* Nobody counts on it any more, so a crash kernel may be loaded; and then it is known whose that is. */
			assert_int_equal(load_crash_kernel(job), KX_OK);
			assert_int_equal(unload(job, false), KX_OK);
			assert_true(f->crash.count != 0);
			assert_null(job->unload_note);
		} else {
			assert_int_equal(unload(job, false), KX_OK);
			assert_int_equal(f->crash.count, 0);
			assert_non_null(strstr(job->unload_note, "whether another program had loaded a crash kernel since"));
		}
		assert_clean(f);
		assert_int_equal(fake_ledgers(f), 0);
		job_free(job);
	}
}

/* Memory of the reservation that has failed: not used, or found before the jump. */
static void test_failed_memory(void **state)
{
	static const uint64_t offsets[] = { 0, 4096, MIB(4) - 4096, MIB(6) + 8192, MIB(4) };
	size_t i;

	(void)state;
	for (i = 0; i < 2 * COUNT(offsets); i++) {
		struct job *job = job_reserved(true);
		struct fake *f = job->fake;
		pa_t pa = RESERVED + offsets[i / 2];
		struct purg_model m;
		struct heal h;
		unsigned int o;
		bool found;

		if (i % 2)
			f->failed_pa = pa;
		assert_int_equal(load(job), KX_OK);
		for (o = 0; o < job->report.objects; o++)
			assert_true(!f->failed_pa || !range_overlaps(job->report.object[o].place, (struct range){ pa, 1 }));
		assert_boots(job, &m);
		purg_model_free(&m);
		f->failed_pa = pa;
		/* Nothing waits under BSS. */
		found = i % 2 == 0 && i / 2 < 4;
		assert_int_equal(look(job, false).truth, found ? STAGED_DAMAGED : STAGED_TRUE);
		assert_int_equal(heal(job, &h), found ? KX_UNDONE : KX_OK);
		job_free(job);
	}
}

/* Of two areas it is the last one, as for crash kernels. */
static void test_two_areas(void **state)
{
	struct job *job = job_reserved(true);
	struct purg_model m;

	(void)state;
	fake_text(job->fake, "/proc/iomem", "40000000-bfffffff : System RAM\n  40210000-4277ffff : Kernel code\n  50000000-51ffffff : Crash kernel\n"
					    "  90000000-91ffffff : Crash kernel\n");
	assert_int_equal(load(job), KX_OK);
	assert_true(job->report.object[0].place.start >= RESERVED);
	assert_boots(job, &m);
	assert_int_equal(m.params.stamps_pa, 0);
	purg_model_free(&m);
	job_free(job);
}

/* Hardly any memory for what is read into it first. */
static void test_little_memory(void **state)
{
	struct job *job = job_reserved(true);

	(void)state;
	job->fake->memory_bytes = MIB(70);
	assert_int_equal(load(job), KX_NO_MEMORY);
	assert_clean(job->fake);
	job_free(job);
}

/* Another program loads a crash kernel over it, or unloads what lies there: seen before the jump, where the kernel shows which one it is. */
static void test_taken(void **state)
{
	int kind;

	(void)state;
	for (kind = 0; kind < 3; kind++) {
		struct job *job = job_reserved(kind != 1);
		struct fake *f = job->fake;
		struct heal h;

		assert_int_equal(load(job), KX_OK);
		if (kind == 2)
			load_anothers(job);
		else
			sys_unload(&f->sys, true, SYSCALL_AUTO);
		assert_int_equal(look(job, true).truth, STAGED_DAMAGED);
		assert_int_equal(heal(job, &h), KX_UNDONE);
		assert_false(f->loaded);
		assert_clean(f);
		/* What the other one has loaded is his. */
		assert_int_equal(is_anothers(f), kind == 2);
		job_free(job);
	}
}

static void load_again(struct job *job)
{
	load(job);
}

/* A loader is killed at each call of a load over a staged load and a crash kernel: what is loaded is true, and the next run leaves nothing of it.
 * Where the kernel does not show what it holds, what is in doubt is undone. */
static void kill_at_each(bool shows)
{
	bool killed = true;
	uint64_t call;

	for (call = 1; killed; call++) {
		struct job *job = reserve_for_crash(job_small(), shows);
		struct fake *f = job->fake;
		struct purg_model m;
		struct heal h;

		assert_int_equal(load_crash_kernel(job), KX_OK);
		killed = job_killed_at(job, load_again, call, call % 2);
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
		/* And the crash kernel is back, or never was away. */
		restore(job);
		assert_ok(&job->fail);
		assert_true(f->crash.count && f->crash.entry < range_end(reserved) - MIB(2));
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
	crash_kernel_loaded(&job->fake->sys, &from);
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
	crash_kernel_loaded(&job->fake->sys, &from);
	assert_false(crash_kernel_recall(&job->fake->sys, &r, &memory));
	crash_kernel_loaded(&job->fake->sys, &job->request);
	crash_kernel_forget(&job->fake->sys);
	assert_false(crash_kernel_recall(&job->fake->sys, &r, &memory));
	assert_clean(job->fake);
	job_free(job);
}

/* As with kexec-tools: its memory, emptied, and named by --mem-min and --mem-max. It is no place for anything otherwise. */
static void test_named_range(void **state)
{
	static const enum fast_mode fast[] = { FAST_NO, FAST_AUTO, FAST_REQUIRE };
	size_t i, o;

	(void)state;
	for (i = 0; i < COUNT(fast); i++) {
		struct job *job = job_reserved(true);
		struct fake *f = job->fake;
		struct purg_model m;

		job->request.stage = STAGE_AUTO;
		assert_int_equal(load_crash_kernel(job), KX_OK);
		job->request.fast = fast[i];
		job->request.mem_min = reserved.start;
		job->request.mem_max = range_end(reserved) - 1;
		assert_int_equal(load(job), KX_CRASH_KERNEL_LOADED);
		assert_false(f->loaded);
		assert_int_equal(unload(job, true), KX_OK);
		assert_int_equal(load(job), KX_OK);
		assert_clean(f);
		assert_boots(job, &m);
		purg_model_free(&m);
		assert_true(noted(job, "load no crash kernel"));
		for (o = 0; o < job->report.objects; o++)
			assert_true(job->report.object[o].place.start >= reserved.start && range_end(job->report.object[o].place) <= range_end(reserved));
		/* Half in it is not in it. */
		job->request.mem_min = reserved.start - MIB(2);
		job->request.mem_max = reserved.start + MIB(8);
		assert_int_equal(load(job), KX_NO_ROOM);
		job_free(job);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load), cmocka_unit_test(test_plan), cmocka_unit_test(test_too_small), cmocka_unit_test(test_just_fits),
		cmocka_unit_test(test_load_over_load), cmocka_unit_test(test_restore), cmocka_unit_test(test_not_ours), cmocka_unit_test(test_failures),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_interrupted), cmocka_unit_test(test_in_doubt), cmocka_unit_test(test_failed_memory),
		cmocka_unit_test(test_two_areas), cmocka_unit_test(test_little_memory), cmocka_unit_test(test_taken), cmocka_unit_test(test_killed),
		cmocka_unit_test(test_remember), cmocka_unit_test(test_named_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
