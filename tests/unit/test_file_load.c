/* SPDX-License-Identifier: GPL-2.0-only */
/* kexec_file_load(2): when it is used, what it is given, and when the other call takes over. */
#include "job.h"

#include <errno.h>
#include <libfdt.h>
#include <zlib.h>

#define SLOT(n)		((n) * PLAN_SLOT_BYTES)
#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static struct job *job_of(enum syscall_choice preference, int error)
{
	struct job *job = job_whole();

	job->request.fast = FAST_NO;
	job->request.syscall = preference;
	job->fake->file_load_error = error;
	return job;
}

static void assert_given(const struct job *job)
{
	const struct fake *f = job->fake;

	assert_int_equal(f->file_load_hash[0], fake_hash(job->kernel, job->kernel_bytes));
	if (job->request.initrds)
		assert_int_equal(f->file_load_hash[1], fake_hash(job->initrd, job->initrd_bytes));
	else
		assert_int_equal(f->file_load_initrd.bytes, 0);
	assert_clean(f);
	assert_null(fake_leak(f));
}

static void test_works(void **state)
{
	struct job *job = job_of(SYSCALL_AUTO, FAKE_FILE_LOAD_WORKS);

	(void)state;
	assert_int_equal(load(job), KX_OK);
	assert_given(job);
	assert_int_equal(job->fake->kexec_loads, 0);
	assert_int_equal(job->fake->file_load_flags, 0);
	assert_string_equal(job->fake->file_load_cmdline, CMDLINE);
	assert_true(job->report.by_file && job->report.loaded);
	assert_int_equal(job->report.notes, 0);
	/* The file itself, and not a copy of it. */
	assert_string_equal(job->fake->file_load_kernel.path, KERNEL);

	job->request.initrds = 0;
	job->request.syscall = SYSCALL_FILE;
	job->request.crash = true;
	assert_int_equal(load(job), KX_OK);
	assert_given(job);
	assert_int_equal(job->fake->file_load_flags, SYS_FILE_NO_INITRAMFS | SYS_FILE_ON_CRASH);
	job_free(job);
}

/* What the kernel does not unpack itself, it is given unpacked; several initrds, as one. */
static void test_unpacked(void **state)
{
	struct job *job = job_of(SYSCALL_FILE, FAKE_FILE_LOAD_WORKS);
	unsigned char *packed = malloc(MIB(4)), *both = calloc(1, 2 * INITRD_BYTES + 8);
	z_stream z = { .next_in = job->kernel, .avail_in = (uInt)job->kernel_bytes, .next_out = packed, .avail_out = MIB(4) };
	size_t second = (INITRD_BYTES + 3) / 4 * 4;

	(void)state;
	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	fake_file(job->fake, KERNEL, packed, MIB(4) - z.avail_out);
	deflateEnd(&z);
	free(packed);
	memcpy(both, job->initrd, INITRD_BYTES);
	memcpy(both + second, job->initrd, INITRD_BYTES);
	job->request.initrd[1] = INITRD;
	job->request.initrds = 2;
	free(job->initrd);
	job->initrd = both;
	job->initrd_bytes = second + INITRD_BYTES;
	assert_int_equal(load(job), KX_OK);
	assert_given(job);
	assert_string_equal(job->report.format, "gzip");
	job_free(job);
}

static void test_falls_back(void **state)
{
	enum { FAILS, FALLS_BACK, MISSING };	/* the last falls back, too */
	static const struct { int error; int then; bool noted; } v[] = {
		{ -ENOSYS, MISSING, false }, { -EINVAL, MISSING, true }, { -ENOEXEC, MISSING, true }, { -EOPNOTSUPP, MISSING, true },
		{ -EADDRNOTAVAIL, FALLS_BACK, true }, { -ENOMEM, FALLS_BACK, true }, { -EPERM, FAILS, false },
		/* Signatures: wrong, missing, of an unknown kind. */
		{ -EKEYREJECTED, FAILS, false }, { -ENODATA, FAILS, false }, { -ENOPKG, FAILS, false }, { -ELIBBAD, FAILS, false },
		{ -EBUSY, FAILS, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_of(SYSCALL_AUTO, v[i].error);
		struct purg_model m;

		if (v[i].then != FAILS) {
			assert_loads(job, &m);
			assert_int_equal(noted(job, "kexec_file_load failed"), v[i].noted);
			assert_false(job->report.by_file);
			purg_model_free(&m);
		} else {
			assert_int_equal(load(job), KX_FILE_LOAD);
			assert_int_equal(job->fake->kexec_loads, 0);
		}
		assert_int_equal(job->fake->file_loads, 1);
		/* With -s, never. */
		job->request.syscall = SYSCALL_FILE;
		job->fake->kexec_loads = 0;
		assert_int_equal(load(job), v[i].then == MISSING ? KX_FILE_UNAVAILABLE : KX_FILE_LOAD);
		assert_int_equal(job->fake->kexec_loads, 0);
		/* With -c, not even tried. */
		job->request.syscall = SYSCALL_LOAD;
		assert_int_equal(load(job), KX_OK);
		assert_int_equal(job->fake->file_loads, 2);
		assert_clean(job->fake);
		job_free(job);
	}
}

/* What it cannot do is done by the other call; if -s insists, refused. */
static void test_hindrances(void **state)
{
	enum { FAST, DTB, CHECK, CPUS, MEM, ENTRY, PLAN, SERIAL, KINDS };
	unsigned char tree[4096];
	size_t tree_bytes = fake_dtb(tree, sizeof(tree), "hvc");
	int kind;

	(void)state;
	for (kind = 0; kind < KINDS; kind++) {
		struct job *job = job_of(SYSCALL_AUTO, FAKE_FILE_LOAD_WORKS);

		fake_file(job->fake, "/my.dtb", tree, tree_bytes);
		job->request.fast = kind == FAST ? FAST_AUTO : FAST_NO;
		job->request.dtb = kind == DTB ? "/my.dtb" : NULL;
		job->request.check = kind == CHECK ? CHECK_SHA256 : CHECK_DEFAULT;
		job->request.cpus = kind == CPUS ? 1 : 0;
		job->request.mem_min = kind == MEM ? 0x50000000 : 0;
		job->request.entry = kind == ENTRY ? 0x12340000 : 0;
		job->request.plan_only = kind == PLAN;
		job->request.serial = kind == SERIAL ? "ttyAMA0" : NULL;
		assert_int_equal(load(job), KX_OK);
		assert_int_equal(job->fake->file_loads, 0);
		assert_int_equal(job->fake->kexec_loads, kind != PLAN);
		if (kind == ENTRY)
			assert_int_equal(job->fake->load.entry, 0x12340000);
		if (kind == MEM)
			assert_true(job->report.object[0].place.start >= 0x50000000);
		job->request.syscall = SYSCALL_FILE;
		/* With staging it is another matter: purgatory does all of this. */
		assert_int_equal(load(job), kind == FAST ? KX_OK : KX_FILE_OPTION);
		assert_int_equal(job->fake->file_loads, kind == FAST);
		assert_clean(job->fake);
		job_free(job);
	}
}

/* Lockdown forbids kexec_load(2) alone: what is signed may be loaded by the other. */
static void test_lockdown(void **state)
{
	struct job *job = job_of(SYSCALL_AUTO, FAKE_FILE_LOAD_WORKS);

	(void)state;
	fake_text(job->fake, "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	assert_int_equal(load(job), KX_OK);
	assert_true(job->report.by_file);
	job->fake->file_load_error = -EINVAL;
	assert_int_equal(load(job), KX_LOCKDOWN);
	assert_int_equal(job->fake->kexec_loads, 0);
	assert_clean(job->fake);
	job_free(job);
}

/* Under lockdown only what is signed may be loaded: preferences are left, and demands are not. */
static void test_wishes(void **state)
{
	enum { FAST, CONFIG, FAST_DEMAND, CHECK_DEMAND, KINDS };
	int kind;

	(void)state;
	for (kind = 0; kind < KINDS; kind++) {
		struct job *job = job_of(SYSCALL_AUTO, FAKE_FILE_LOAD_WORKS);

		fake_text(job->fake, "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
		job->request.fast = kind == FAST ? FAST_AUTO : kind == FAST_DEMAND ? FAST_REQUIRE : FAST_NO;
		job->request.check = kind == FAST || kind == FAST_DEMAND ? CHECK_DEFAULT : CHECK_SHA256;
		job->request.cpus = kind == CONFIG ? CPUS_AUTO : 0;
		job->request.check_is_preference = job->request.cpus_is_preference = kind == CONFIG;
		if (kind < FAST_DEMAND) {
			assert_int_equal(load(job), KX_OK);
			assert_true(job->report.by_file);
			assert_true(noted(job, "nothing is staged or verified"));
			job->fake->file_load_error = -ENOSYS;
		}
		assert_int_equal(load(job), KX_LOCKDOWN);
		assert_int_equal(fake_shms(job->fake, true), 0);
		assert_int_equal(fake_pages_taken(job->fake), 0);
		assert_clean(job->fake);
		job_free(job);
	}
}

/* A kernel with kexec_file_load(2) alone: all is staged, verified, healed, unloaded as with the other. */
static struct job *job_without_kexec_load(enum fast_mode fast)
{
	struct job *job = job_whole();

	job->fake->kexec_error = -ENOSYS;
	job->fake->file_load_error = FAKE_FILE_LOAD_WORKS;
	job->request.fast = fast;
	return job;
}

static void assert_loads_by_file(struct job *job)
{
	struct purg_model m;

	if (load(job))
		fail_msg("%s: %s", job->fail.detail, err_text(job->fail.err));
	assert_true(job->report.through_file_load && !job->report.by_file);
	assert_int_equal(job->fake->kexec_loads, 0);
	assert_boots(job, &m);
	purg_model_free(&m);
	assert_clean(job->fake);
}

static void test_staged(void **state)
{
	struct job *job;
	struct heal h;
	int fast;

	(void)state;
	for (fast = FAST_AUTO; fast <= FAST_REQUIRE; fast++) {
		job = job_without_kexec_load((enum fast_mode)fast);
		assert_loads_by_file(job);
		assert_int_equal(job->report.notes, 0);
		assert_int_equal(job->fake->file_load_flags, SYS_FILE_NO_INITRAMFS);
		assert_true_and_boots(job);
		/* The device tree is staged, too. */
		fake_page_memory(job->fake, job->report.dtb.start & ~(PLAN_SLOT_BYTES - 1), NULL)[job->report.dtb.start % PLAN_SLOT_BYTES + 60] ^= 1;
		assert_int_equal(look(job, true).truth, STAGED_DAMAGED);
		fake_page_memory(job->fake, job->report.dtb.start & ~(PLAN_SLOT_BYTES - 1), NULL)[job->report.dtb.start % PLAN_SLOT_BYTES + 60] ^= 1;
		assert_int_equal(look(job, true).truth, STAGED_TRUE);
		/* Healed by the same call. */
		assert_true(fake_move_page(job->fake, job->report.dtb.start & ~(PLAN_SLOT_BYTES - 1)));
		assert_int_equal(look(job, false).truth, STAGED_MOVED);
		assert_int_equal(heal(job, &h), KX_OK);
		assert_true(h.healed);
		assert_true_and_boots(job);
		assert_int_equal(job->fake->file_loads, 2);
		assert_int_equal(unload_kernel(&job->fake->sys, false, SYSCALL_AUTO, &job->unload_note, &job->fail), KX_OK);
		assert_int_equal(fake_pages_taken(job->fake), 0);
		job_free(job);
	}
	/* Asked for by name, where there are both. */
	job = job_whole();
	job->fake->file_load_error = FAKE_FILE_LOAD_WORKS;
	job->request.syscall = SYSCALL_FILE;
	assert_loads_by_file(job);
	job_free(job);
}

/* The kernel puts its Image into the lowest hole of memory and its device tree into the highest, whoever is there. */
static void test_staged_keeps_clear(void **state)
{
	static const pa_t first[] = { 0x42c00000 - SLOT(4), 0xbbc00000 - SLOT(8) };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(first); i++) {
		struct job *job = job_new(first[i], PLAN_SLOT_BYTES, 16);

		job->fake->kexec_error = -ENOSYS;
		job->fake->file_load_error = FAKE_FILE_LOAD_WORKS;
		assert_loads_by_file(job);
		job_free(job);
	}
}

/* What cannot be staged to the last byte goes by the plain call, and that is said; or not at all. */
static void test_staged_in_part(void **state)
{
	struct job *job = job_new(0x60000000, PLAN_SLOT_BYTES, FILE_SLOTS);

	(void)state;
	job->fake->kexec_error = -ENOSYS;
	job->fake->file_load_error = FAKE_FILE_LOAD_WORKS;
	job->request.fast = FAST_AUTO;
	assert_int_equal(load(job), KX_OK);
	assert_true(job->report.by_file && !job->report.through_file_load);
	assert_true(noted(job, "staging was not possible"));
	assert_int_equal(fake_pages_taken(job->fake), 0);
	job->request.fast = FAST_REQUIRE;
	assert_int_equal(load(job), KX_NO_HUGE_PAGES);
	/* Signatures are enforced. */
	job_free(job);
	job = job_without_kexec_load(FAST_AUTO);
	job->fake->file_load_error = -EKEYREJECTED;
	assert_int_equal(load(job), KX_FILE_LOAD);
	assert_int_equal(fake_pages_taken(job->fake), 0);
	assert_clean(job->fake);
	job_free(job);
}

/* Which call unloads, and what is said of it. */
static void test_unload_by(void **state)
{
	static const struct { enum syscall_choice by; int load_error, file_error; enum kx_err want; unsigned int files; } v[] = {
		{ SYSCALL_AUTO, 0, -ENOSYS, KX_OK, 0 }, { SYSCALL_LOAD, 0, -ENOSYS, KX_OK, 0 },
		{ SYSCALL_FILE, 0, -ENOSYS, KX_FILE_UNAVAILABLE, 1 }, { SYSCALL_FILE, 0, FAKE_FILE_LOAD_WORKS, KX_OK, 1 },
		{ SYSCALL_AUTO, -ENOSYS, FAKE_FILE_LOAD_WORKS, KX_OK, 1 }, { SYSCALL_AUTO, -EPERM, -ENOSYS, KX_NOT_PERMITTED, 1 },
		{ SYSCALL_LOAD, -ENOSYS, FAKE_FILE_LOAD_WORKS, KX_UNLOAD, 0 }, { SYSCALL_AUTO, -EBUSY, -ENOSYS, KX_UNLOAD, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_of(SYSCALL_AUTO, v[i].file_error);

		job->fake->kexec_error = v[i].load_error;
		assert_int_equal(unload_kernel(&job->fake->sys, false, v[i].by, &job->unload_note, &job->fail), v[i].want);
		assert_int_equal(job->fake->file_loads, v[i].files);
		assert_clean(job->fake);
		job_free(job);
	}
}

/* A try that failed has read the files; a pipe could not be read twice. */
static void test_files_are_opened_once(void **state)
{
	struct job *job = job_of(SYSCALL_AUTO, -ENOSYS);
	unsigned char *packed = malloc(MIB(4));
	z_stream z = { .next_in = job->kernel, .avail_in = (uInt)job->kernel_bytes, .next_out = packed, .avail_out = MIB(4) };
	struct purg_model m;

	(void)state;
	job->fake->open_once = true;
	assert_loads(job, &m);
	purg_model_free(&m);
	/* Unpacked by then, too. */
	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	fake_file(job->fake, KERNEL, packed, MIB(4) - z.avail_out);
	fake_file(job->fake, INITRD, job->initrd, job->initrd_bytes);
	deflateEnd(&z);
	free(packed);
	job->fake->kexec_loads = 0;
	assert_loads(job, &m);
	assert_string_equal(job->report.format, "gzip");
	purg_model_free(&m);
	job_free(job);
}

static void test_flags(void **state)
{
	struct job *job = job_of(SYSCALL_FILE, -EINVAL);
	unsigned char tree[4096];

	(void)state;
	/* A kernel that does not know the flag is asked again without it. */
	job->request.no_cma = true;
	assert_int_equal(load(job), KX_FILE_UNAVAILABLE);
	assert_int_equal(job->fake->file_loads, 2);
	assert_int_equal(job->fake->file_load_flags, 0);
	/* No command line: the one of the device tree stays. */
	fake_dtb(tree, sizeof(tree), "hvc");
	assert_int_equal(fdt_open_into(tree, tree, sizeof(tree)), 0);
	assert_int_equal(fdt_setprop_string(tree, fdt_path_offset(tree, "/chosen"), "bootargs", "root=/dev/old"), 0);
	fake_file(job->fake, "/sys/firmware/fdt", tree, fdt_totalsize(tree));
	job->fake->file_load_error = FAKE_FILE_LOAD_WORKS;
	job->request.cmdline = NULL;
	assert_int_equal(load(job), KX_OK);
	assert_string_equal(job->fake->file_load_cmdline, "root=/dev/old");
	/* An empty one is one, too. */
	job->request.cmdline = "";
	assert_int_equal(load(job), KX_OK);
	assert_string_equal(job->fake->file_load_cmdline, "");
	assert_clean(job->fake);
	job_free(job);
}

/* What was staged for an earlier load goes, when this one has taken its place; not when it has not. */
static void test_replaces_staged(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;

	(void)state;
	assert_loads(job, &m);
	purg_model_free(&m);
	assert_true(fake_pages_taken(job->fake) > 0);
	job->request.fast = FAST_NO;
	job->request.syscall = SYSCALL_FILE;
	job->fake->file_load_error = -EBUSY;
	assert_int_equal(load(job), KX_FILE_LOAD);
	assert_true(fake_pages_taken(job->fake) > 0);
	job->fake->file_load_error = FAKE_FILE_LOAD_WORKS;
	job->request.crash = true;
	assert_int_equal(load(job), KX_OK);
	assert_true(fake_pages_taken(job->fake) > 0);
	job->request.crash = false;
	assert_int_equal(load(job), KX_OK);
	assert_int_equal(fake_pages_taken(job->fake), 0);
	job_free(job);
}

/* What somebody preserves for a live update goes by the kernel's own call only: preferred, demanded, and dropped. */
static void test_live_update(void **state)
{
	static const struct { bool finalized; enum fast_mode fast; bool drop; enum kx_err want; } v[] = {
		{ false, FAST_AUTO, false, KX_OK }, { false, FAST_REQUIRE, false, KX_LIVE_UPDATE }, { false, FAST_REQUIRE, true, KX_OK },
		{ true, FAST_REQUIRE, false, KX_LIVE_UPDATE }, { true, FAST_AUTO, true, KX_OK },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_of(SYSCALL_AUTO, FAKE_FILE_LOAD_WORKS);
		struct fake *f = job->fake;
		bool by_file = v[i].fast == FAST_AUTO && !v[i].drop;

		if (v[i].finalized) {
			fake_text(f, "/sys/kernel/debug/kho/out/finalize", "1\n");
		} else {
			fake_text(f, "/sys/class/misc/liveupdate/dev", "10:120\n");
			fake_text(f, "/proc/77/fd/x", "");
			fake_link(f, "/proc/77/fd/3", "/dev/null");
			fake_link(f, "/proc/77/fd/4", "anon_inode:[luo_session] vm-1");
		}
		job->request.fast = v[i].fast;
		job->request.drop_live_update = v[i].drop;
		assert_int_equal(load(job), v[i].want);
		if (v[i].want)
			assert_string_equal(job->fail.detail, v[i].finalized ? "kexec handover was finalized" : "process 77 has the session vm-1");
		assert_int_equal(job->report.by_file, by_file);
		assert_int_equal(noted(job, "would be lost"), by_file);
		assert_int_equal(f->kexec_loads, !v[i].want && !by_file);
		assert_clean(f);
		job_free(job);
	}
	/* No session is open. */
	{
		struct job *job = job_of(SYSCALL_LOAD, 0);

		fake_text(job->fake, "/sys/class/misc/liveupdate/dev", "10:120\n");
		fake_text(job->fake, "/sys/kernel/debug/kho/out/finalize", "0\n");
		fake_link(job->fake, "/proc/77/fd/4", "anon_inode:[eventfd]");
		job->request.fast = FAST_REQUIRE;
		assert_int_equal(load(job), KX_OK);
		job_free(job);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_works),
		cmocka_unit_test(test_unpacked),
		cmocka_unit_test(test_falls_back),
		cmocka_unit_test(test_hindrances),
		cmocka_unit_test(test_staged),
		cmocka_unit_test(test_staged_keeps_clear),
		cmocka_unit_test(test_staged_in_part),
		cmocka_unit_test(test_lockdown),
		cmocka_unit_test(test_wishes),
		cmocka_unit_test(test_unload_by),
		cmocka_unit_test(test_files_are_opened_once),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_live_update),
		cmocka_unit_test(test_replaces_staged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
