/* SPDX-License-Identifier: GPL-2.0-only */
/* What kexec --doctor asks a machine, and what it does not; and that it stands each call that fails. */
#include "doctor_machines.h"

#include <errno.h>
#include <unistd.h>

#include "pack.h"

/* The kernel is not asked where that would count. */
static void test_limit_is_not_spent(void **state)
{
	struct job *job = job_whole();
	struct doctor d;

	(void)state;
	limited_loads(job);
	d = examine(job);
	assert_int_equal(job->fake->probes, 0);
	assert_int_equal(d.load_call.err, KX_OK);
	assert_int_equal(d.file_call.err, KX_FILE_UNAVAILABLE);
	/* Neither is there to be seen: nothing is said of them. */
	fake_text(job->fake, "/proc/kallsyms", "0000000000000000 T __arm64_sys_kexec_load_not\n");
	d = examine(job);
	assert_int_equal(job->fake->probes, 0);
	assert_true(d.load_unknown && d.file_unknown);
	assert_int_equal(d.load_call.err + d.file_call.err, KX_OK);
	assert_int_equal(d.way, DOCTOR_UNKNOWN);
	/* kexec_load(2) is out of the question: what is left is not known. */
	lockdown_alone(job);
	d = examine(job);
	assert_true(!d.load_unknown && d.file_unknown);
	assert_int_equal(d.way, DOCTOR_UNKNOWN);
	assert_int_equal(d.verdict[DOCTOR_KEXEC_FILE_LOAD].mark, DOCTOR_WARNING);
	fake_text(job->fake, "/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	/* What cannot be read is no permission to ask. */
	fake_text(job->fake, "/proc/sys/kernel/kexec_load_limit_reboot", "\n");
	d = examine(job);
	assert_int_equal(job->fake->probes, 0);
	assert_true(d.limit.unknown);
	assert_int_equal(d.verdict[DOCTOR_SWITCHES].mark, DOCTOR_WARNING);
	/* -1: as many as one likes */
	fake_text(job->fake, "/proc/sys/kernel/kexec_load_limit_reboot", "-1\n");
	d = examine(job);
	assert_int_equal(job->fake->probes, 3);
	assert_false(d.limit.limited || d.limit.unknown);
	/* Nothing of /proc/sys is to be seen. */
	fake_drop(job->fake, "/proc/sys/kernel/kexec_load_limit_reboot");
	fake_drop(job->fake, "/proc/sys/kernel/kexec_load_disabled");
	fake_drop(job->fake, "/proc/sys/kernel/shm_rmid_forced");
	d = examine(job);
	assert_int_equal(job->fake->probes, 3);
	assert_true(d.limit.unknown);
	job_free(job);
}

/* The kernel's own configuration, with this many bytes cut from its end. */
static void put_config(struct job *job, const char *text, size_t cut_bytes)
{
	unsigned char packed[1024];
	size_t bytes = pack(CODEC_GZIP, text, strlen(text), packed, sizeof(packed));

	fake_file(job->fake, "/proc/config.gz", packed, bytes - cut_bytes);
}

#define FORCED		"CONFIG_KEXEC_SIG=y\nCONFIG_KEXEC_SIG_FORCE=y\n"
#define NOT_FORCED	"CONFIG_KEXEC_SIG=y\n# CONFIG_KEXEC_SIG_FORCE is not set\n"

/* Whether kexec_file_load(2) takes unsigned kernels: what the kernel itself says counts, then what lies beside it. */
static void test_signatures(void **state)
{
	static const struct {
		const char *own, *boot, *modules;
		size_t cut_bytes;
		bool lockdown;
		enum doctor_signatures want;
	} v[] = {
		{ NULL, NULL, NULL, 0, false, SIGNATURES_UNKNOWN },
		{ NULL, NULL, NULL, 0, true, SIGNATURES_LOCKDOWN },
		{ FORCED, NULL, NULL, 0, false, SIGNATURES_FORCED },
		{ FORCED, NULL, NULL, 0, true, SIGNATURES_FORCED },
		{ FORCED, NOT_FORCED, NOT_FORCED, 0, false, SIGNATURES_FORCED },
		{ NOT_FORCED, FORCED, FORCED, 0, false, SIGNATURES_FREE },
		{ NOT_FORCED, NULL, NULL, 0, true, SIGNATURES_LOCKDOWN },
		{ "CONFIG_KEXEC_FILE=y\n", NULL, NULL, 0, false, SIGNATURES_FREE },
		{ "CONFIG_KEXEC_SIG_FORCE=y\n", NULL, NULL, 0, false, SIGNATURES_FORCED },
		{ "#CONFIG_KEXEC_SIG_FORCE=y\n", NULL, NULL, 0, false, SIGNATURES_FREE },
		{ NOT_FORCED "CONFIG_IMA_ARCH_POLICY=y\n", NULL, NULL, 0, false, SIGNATURES_UNKNOWN },
		/* Half of one does not count. */
		{ NOT_FORCED, FORCED, NULL, 9, false, SIGNATURES_FORCED },
		{ NOT_FORCED, NULL, NULL, 9, false, SIGNATURES_UNKNOWN },
		{ NULL, NOT_FORCED, FORCED, 0, false, SIGNATURES_FREE },
		{ NULL, NULL, FORCED, 0, false, SIGNATURES_FORCED },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_small();
		struct fake *f = job->fake;
		struct doctor d;

		f->file_load_error = FAKE_FILE_LOAD_WORKS;
		fake_text(f, "/proc/sys/kernel/osrelease", "6.12.0\n");
		if (v[i].own)
			put_config(job, v[i].own, v[i].cut_bytes);
		if (v[i].boot)
			fake_text(f, "/boot/config-6.12.0", v[i].boot);
		if (v[i].modules)
			fake_text(f, "/lib/modules/6.12.0/config", v[i].modules);
		if (v[i].lockdown)
			lockdown(job);
		d = examine(job);
		if (d.signatures != v[i].want)
			fail_msg("%zu: %u, not %u", i, d.signatures, v[i].want);
		assert_clean(f);
		job_free(job);
	}
}

/* Where neither the kernel nor its symbols can be asked. */
static void test_calls_by_config(void **state)
{
	struct job *job = job_small();
	struct doctor d;

	(void)state;
	unknown_calls(job);
	put_config(job, "CONFIG_KEXEC=y\n# CONFIG_KEXEC_FILE is not set\n", 0);
	d = examine(job);
	assert_true(!d.load_unknown && !d.file_unknown && !d.load_call.err);
	assert_int_equal(d.file_call.err, KX_FILE_UNAVAILABLE);
	assert_int_equal(doctor_exit_status(&d), 0);
	put_config(job, "CONFIG_KEXEC_FILE=y\n", 0);
	d = examine(job);
	assert_int_equal(d.load_call.err, KX_NO_SYSCALL);
	assert_int_equal(d.file_call.err, KX_OK);
	assert_int_equal(d.way, DOCTOR_STAGED);
	assert_clean(job->fake);
	job_free(job);
}

static bool says_of_crash_kernel(const struct doctor *d, const char *words)
{
	char *text, *line;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	bool found;

	doctor_text(d, out);
	fclose(out);
	line = strstr(text, " crash_kernel ");
	assert_non_null(line);
	line[strcspn(line, "\n")] = '\0';
	found = strstr(line, words) != NULL;
	free(text);
	return found;
}

/* Loads with -p have a limit of their own, and what is said is what one then gives. */
static void test_crash_limit(void **state)
{
	static const char limit[] = "/proc/sys/kernel/kexec_load_limit_panic";
	static const char exhausted[] = "kernel.kexec_load_limit_panic allows no further load of a crash kernel until the next boot";
	struct job *job = job_whole();
	struct fake *f = job->fake;
	struct doctor d;

	(void)state;
	/* No memory is reserved: it is said, and is no fault. */
	fake_text(f, limit, "0\n");
	d = examine(job);
	assert_true(says_of_crash_kernel(&d, exhausted));
	assert_int_equal(d.verdict[DOCTOR_CRASH_KERNEL].mark, DOCTOR_OK);

	crash_loads_exhausted(job);
	d = examine(job);
	assert_int_equal(d.verdict[DOCTOR_CRASH_KERNEL].mark, DOCTOR_PROBLEM);
	assert_int_equal(d.verdict[DOCTOR_CRASH_KERNEL].remedy, REMEDY_FIRMWARE);
	/* Other loads are not concerned, and may be asked for. */
	assert_int_equal(f->probes, 6);
	assert_int_equal(d.switches.err, KX_OK);
	assert_int_equal(doctor_exit_status(&d), 0);
	job->request.crash = true;
	job->request.fast = FAST_NO;
	assert_int_equal(load(job), d.crash_switches.err);
	assert_int_equal(job->fail.err, KX_LOAD_LIMIT_PANIC);
	job->request.crash = false;

	/* What is loaded stays, though no other one can be. */
	fake_text(f, "/sys/kernel/kexec_crash_loaded", "1\n");
	d = examine(job);
	assert_int_equal(d.verdict[DOCTOR_CRASH_KERNEL].mark, DOCTOR_OK);
	assert_true(says_of_crash_kernel(&d, exhausted));

	fake_text(f, limit, "3\n");
	d = examine(job);
	assert_true(says_of_crash_kernel(&d, "3 more loads of one until the next boot"));
	fake_text(f, limit, "-1\n");
	d = examine(job);
	assert_false(says_of_crash_kernel(&d, "kexec_load_limit_panic"));
	fake_text(f, limit, "\n");
	d = examine(job);
	assert_true(says_of_crash_kernel(&d, "cannot be read"));

	/* The switch for all loads: kexec -p is no way out. */
	fake_text(f, limit, "-1\n");
	fake_text(f, "/sys/kernel/kexec_crash_loaded", "0\n");
	switched_off(job);
	d = examine(job);
	assert_int_equal(d.crash_switches.err, KX_LOAD_DISABLED);
	assert_int_equal(d.verdict[DOCTOR_CRASH_KERNEL].remedy, REMEDY_FIRMWARE);
	assert_clean(f);
	job_free(job);
}

/* What is printed of it: something, whatever was found. */
static void assert_reports(const struct doctor *d, void (*print)(const struct doctor *d, FILE *out))
{
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	print(d, out);
	fclose(out);
	assert_true(bytes > 100);
	free(text);
}

/* Machines on which there is something to change, or to lose. */
static void plain(struct job *job)
{
	(void)job;
}

static void with_a_load(struct job *job)
{
	load_first(job);
}

static void with_everything(struct job *job)
{
	good(job);
	limited_loads(job);
	job->fake->pool = 3;
	fake_text(job->fake, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "8\n");
	unpack_tree(job);
	put_gzip(job, job->kernel, job->kernel_bytes);
	job->request.reuse_cmdline = true;
	job->request.serial = "ttyAMA0";
}

static void by_file_only(struct job *job)
{
	lockdown(job);
	fake_text(job->fake, "/proc/sys/kernel/osrelease", "6.12.0\n");
	put_config(job, NOT_FORCED, 0);
}

/* Every call fails once, from the first to the last; what was there before stays, and there is a report of what could be found out. Not with
 * ENOENT: that is what a kernel without a limit on loads says of its file. */
static void inject(void (*make)(struct job *job), bool named, int number)
{
	uint64_t call;

	for (call = 1;; call++) {
		struct job *job = job_sized(0x60000000, PLAN_SLOT_BYTES, 44, 70001, MIB(2) + 1, 90001);
		struct fake *f = job->fake;
		struct fake_load before;
		struct doctor d;
		uint32_t pages;
		unsigned int shms;
		bool loaded, all_failed;
		enum kx_err err;
		int status;

		make(job);
		if (!named) {
			job->request.kernel = NULL;
			job->request.initrds = 0;
		}
		job->request.fast = FAST_AUTO;
		loaded = f->loaded;
		before = f->load;
		pages = fake_pages_taken(f);
		shms = fake_shms(f, true);
		f->fail_calls = 0;
		f->fail_call = call;
		f->fail_errno = number;
		err = doctor_examine(&d, &f->sys, &job->request, &job->fail);
		status = err ? 255 : doctor_exit_status(&d);
		if (f->breach[0])
			fail_msg("call %llu, %s: %s", (unsigned long long)call, f->failed, f->breach);
		if (fake_leak(f))
			fail_msg("call %llu, %s: %s", (unsigned long long)call, f->failed, fake_leak(f));
		if (f->kexec_loads + f->file_loads + f->unloads + f->reboots + f->shutdowns + f->syncs + f->ifdowns)
			fail_msg("call %llu, %s: something is done", (unsigned long long)call, f->failed);
		if (f->loaded != loaded || memcmp(&f->load, &before, sizeof(before)) != 0 || fake_shms(f, true) != shms ||
		    (fake_pages_taken(f) != pages && (!f->failed || strcmp(f->failed, "punch") != 0)))
			fail_msg("call %llu, %s: what was loaded is not what it was", (unsigned long long)call, f->failed);
		/* A lock that somebody holds, and a signal, are the only reasons to say nothing. */
		if (err && err != KX_LOCKED && err != KX_INTERRUPTED)
			fail_msg("call %llu, %s: no report, but error %d", (unsigned long long)call, f->failed, err);
		if (!err) {
			assert_reports(&d, doctor_text);
#ifdef WITH_JSON
			assert_reports(&d, doctor_json);
#endif
			assert_true(d.verdict[DOCTOR_WAY].shown);
			assert_true(status == 0 || status == 1 || status == 2 || status == 255);
		}
		all_failed = !f->failed;
		job_free(job);
		if (all_failed) {
			assert_true(call > 20);
			return;
		}
	}
}

#define LONGEST_S	120	/* for all of them; it takes a few seconds */

static void test_failures(void **state)
{
	static const struct { void (*make)(struct job *job); bool named; int number; } v[] = {
		{ plain, true, EIO }, { plain, false, ENOMEM }, { with_a_load, true, EPERM }, { with_a_load, false, EIO },
		{ with_everything, true, EIO }, { with_everything, false, EACCES }, { by_file_only, true, EIO },
	};
	size_t i;

	(void)state;
	alarm(LONGEST_S);	/* it ends the program: nothing may wait for what never comes */
	for (i = 0; i < COUNT(v); i++)
		inject(v[i].make, v[i].named, v[i].number);
	alarm(0);
}

static void test_at_work(void **state)
{
	struct job *job = job_whole();
	struct doctor d;

	(void)state;
	job->request.fast = FAST_AUTO;
	job->fake->locked = true;
	assert_int_equal(doctor_examine(&d, &job->fake->sys, &job->request, &job->fail), KX_LOCKED);
	job->fake->locked = false;
	assert_clean(job->fake);
	job_free(job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit_is_not_spent),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_calls_by_config),
		cmocka_unit_test(test_crash_limit),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_at_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
