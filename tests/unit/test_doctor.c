/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kexec --doctor says of machines in memory: text and JSON held against tests/golden/doctor-*, and each of them against what a load
 * there then does.
 */
#include "doctor_machines.h"

#include <errno.h>

#include "golden.h"

/* No kernel is named; and what could be better is. */
static void improvable(struct job *job)
{
	struct fake *f = job->fake;

	job->request.kernel = NULL;
	job->request.initrds = 0;
	job->request.cmdline = "console=tty0 console=ttyAMA0,9600n8 earlycon root=/dev/vda2";
	f->log = LOG_BEGINS "a line of thirty-one characters\n" LOG_ENDS;
	f->pool = 3;
	fake_text(f, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "8\n");
	fake_text(f, "/sys/class/watchdog/watchdog0/state", "inactive\n");
	fake_text(f, "/run/systemd/system/x", "");
	fake_text(f, "/proc/meminfo", "MemTotal:        2097152 kB\nMemFree:         1000000 kB\nMemAvailable:    1100000 kB\n"
				      "SwapTotal:       2000000 kB\nSwapFree:        1400000 kB\n");
	fake_text(f, "/sys/class/misc/liveupdate/dev", "10:120\n");
	fake_text(f, "/proc/cmdline", "root=/dev/vda2 kho=on\n");
	fake_text(f, "/sys/module/pstore/parameters/backend", "(null)\n");
}

/* systemd arms the watchdog, and its driver may stop it again. */
static void watchdog_of_a_driver(struct job *job)
{
	good(job);
	fake_text(job->fake, "/sys/module/watchdog/parameters/stop_on_reboot", "-1\n");
}

/* What is armed for the jump would reset a next system that runs, too. */
static void watchdog_for_ever(struct job *job)
{
	good(job);
	fake_text(job->fake, "/etc/systemd/system.conf.d/70-other.conf", "[Manager]\nRuntimeWatchdogSec = 0\n");
}

static void watchdog_stops(struct job *job)
{
	good(job);
	fake_text(job->fake, "/sys/module/watchdog/parameters/stop_on_reboot", "1\n");
}

static void no_huge_pages(struct job *job)
{
	job->fake->no_huge_pages = true;
}

static void container(struct job *job)
{
	fake_text(job->fake, "/run/systemd/container", "podman");
}

static void file_load_only(struct job *job)
{
	job->fake->kexec_error = -ENOSYS;
	job->fake->file_load_error = FAKE_FILE_LOAD_WORKS;
	fake_text(job->fake, "/proc/sys/kernel/osrelease", "6.12.0\n");
	fake_text(job->fake, "/boot/config-6.12.0", "CONFIG_KEXEC_FILE=y\nCONFIG_KEXEC_SIG_FORCE=y\nCONFIG_EFI=y\n");
	job->fake->file_load_signed = true;
}

static void file_load_of_anything(struct job *job)
{
	file_load_only(job);
	fake_text(job->fake, "/boot/config-6.12.0", "CONFIG_KEXEC_FILE=y\n");
	job->fake->file_load_signed = false;
}

static void no_call(struct job *job)
{
	job->fake->kexec_error = -ENOSYS;
}

/* A security module, say. */
static void refused(struct job *job)
{
	job->fake->kexec_error = -EPERM;
	job->fake->file_load_error = FAKE_FILE_LOAD_WORKS;
}

static void other_ipc_ns(struct job *job)
{
	fake_link(job->fake, "/proc/self/ns/ipc", "ipc:[4026532000]");
}

static void rmid_forced(struct job *job)
{
	fake_text(job->fake, "/proc/sys/kernel/shm_rmid_forced", "1\n");
}

static void not_root(struct job *job)
{
	job->fake->root = false;
	job->fake->not_user_0 = true;
	fake_text(job->fake, "/proc/iomem", "00000000-00000000 : System RAM\n");
}

static void gcs(struct job *job)
{
	set_cpus(job->fake, 8);
	job->fake->sys.cpu_features |= CPU_GCS;
	job->request.cpus = 4;
}

/* The log is a ring; no PSCI; a console that purgatory does not know. */
static void old_board(struct job *job)
{
	job->fake->log = "a late line\n";
	drop_psci(job);
	fake_text(job->fake, "/sys/class/tty/ttyAMA0/type", "999\n");
}

static void cpu_that_stays(struct job *job)
{
	fake_cpus_online(job->fake, "0-1");
	fake_drop(job->fake, "/sys/devices/system/cpu/cpu1/online");
}

static void read_only_limit(struct job *job)
{
	job->fake->write_error = -EROFS;
}

static void little_memory(struct job *job)
{
	job->fake->memory_bytes = MIB(132);
}

static void few_pages(struct job *job)
{
	job->fake->pages = 3;
}

static const struct {
	const char *name;
	void (*make)(struct job *job);
	int status;		/* what --doctor exits with */
	enum kx_err load;	/* what a load with --fast-reloc then gives */
} machines[] = {
	{ "good", good, 0, KX_OK },
	{ "watchdog-of-a-driver", watchdog_of_a_driver, 0, KX_OK },
	{ "watchdog-stops", watchdog_stops, 0, KX_OK },
	{ "watchdog-for-ever", watchdog_for_ever, 0, KX_OK },
	{ "improvable", improvable, 0, KX_OK },
	{ "lockdown", lockdown, 1, KX_OK },
	{ "lockdown-alone", lockdown_alone, 2, KX_LOCKDOWN },
	{ "no-huge-pages", no_huge_pages, 1, KX_OK },
	{ "container", container, 2, KX_CONTAINER },
	{ "file-load-only", file_load_only, 1, KX_OK },
	{ "file-load-of-anything", file_load_of_anything, 0, KX_OK },
	{ "no-call", no_call, 2, KX_NO_SYSCALL },
	{ "refused", refused, 1, KX_NOT_PERMITTED },
	{ "switched-off", switched_off, 2, KX_LOAD_DISABLED },
	{ "other-ipc-ns", other_ipc_ns, 1, KX_OK },
	{ "rmid-forced", rmid_forced, 1, KX_OK },
	{ "not-root", not_root, 2, KX_NOT_ROOT },
	{ "gcs", gcs, 0, KX_OK },
	{ "old-board", old_board, 0, KX_OK },
	{ "cpu-that-stays", cpu_that_stays, 2, KX_CPUS_STAY },
	{ "read-only-limit", read_only_limit, 0, KX_OK },
	{ "limited-loads", limited_loads, 0, KX_OK },
	{ "unknown-calls", unknown_calls, 255, KX_OK },
	{ "little-memory", little_memory, 0, KX_OK },
	{ "few-pages", few_pages, 0, KX_OK },
	{ "crash-kernel-missing", crash_kernel_missing, 0, KX_OK },
	{ "crash-loads-exhausted", crash_loads_exhausted, 0, KX_OK },
};

static void hold(const char *name, const struct doctor *d)
{
	struct golden golden;

	doctor_text(d, golden_begin(&golden));
	golden_end(&golden, "doctor", name, "txt");
	doctor_json(d, golden_begin(&golden));
	golden_end(&golden, "doctor", name, "json");
}

static void assert_same_plan(const struct doctor *d, const struct report *loaded)
{
	uint32_t in_place = 0, moved = 0, relocated = 0;
	unsigned int o;

	for (o = 0; o < loaded->objects; o++) {
		in_place += loaded->object[o].in_place;
		moved += loaded->object[o].moved;
		relocated += loaded->object[o].relocated;
	}
	assert_int_equal(d->in_place, in_place);
	assert_int_equal(d->moved, moved);
	assert_int_equal(d->relocated, relocated);
	assert_int_equal(d->planned.staged_bytes, loaded->staged_bytes);
	assert_int_equal(d->cpus, loaded->cpus);
	assert_string_equal(d->console, loaded->console);
}

/* Nothing is changed by looking, and the load that follows goes the way that was said. */
static void test_machines(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(machines); i++) {
		struct job *job = job_whole();
		struct fake *f = job->fake;
		struct doctor d;
		enum kx_err err;

		machines[i].make(job);
		d = examine(job);
		hold(machines[i].name, &d);
		assert_clean(f);
		assert_false(f->loaded);
		assert_int_equal(f->kexec_loads + f->file_loads, 0);
		assert_int_equal(fake_pages_taken(f), 0);
		assert_int_equal(doctor_exit_status(&d), machines[i].status);

		job->request.kernel = KERNEL;
		err = load(job);
		assert_int_equal(err, machines[i].load);
		assert_clean(f);
		if (!err) {
			if (d.way != DOCTOR_UNKNOWN)
				assert_int_equal(d.way, job->report.by_file ? DOCTOR_BY_FILE : job->report.staged_bytes ? DOCTOR_STAGED : DOCTOR_BY_LOAD);
			if (d.kernel_named && !job->report.by_file)
				assert_same_plan(&d, &job->report);
		}
		job_free(job);
	}
}

/* What the next kernel's command line says of its console, and what this kernel's log would cost there. */
static void test_boot_log(void **state)
{
	static const struct {
		const char *cmdline, *tty;
		uint32_t baud;
		bool quiet, earlycon;
	} v[] = {
		{ "", "", 0, false, false },
		{ "console=tty0", "", 0, false, false },
		{ "console=hvc0 quiet", "", 0, true, false },
		{ "console=ttyS1,115200n8 root=/dev/vda1", "ttyS1", 115200, false, false },
		{ "console=ttyS1,115200 console=tty0 console=ttyAMA0", "ttyAMA0", 0, false, false },
		{ "root=/dev/quiet console=ttyAMA0,9600 loglevel=4", "ttyAMA0", 9600, true, false },
		{ "quiet loglevel=7 console=ttyAMA0", "ttyAMA0", 0, false, false },
		{ "quiet ignore_loglevel", "", 0, false, false },
		{ "quiet debug", "", 0, false, false },
		{ "earlycon=pl011,0x9000000 -- quiet console=ttyS0", "", 0, false, true },
		{ "console=ttyAMA0,", "ttyAMA0", 0, false, false },
		{ "console=tty console=", "", 0, false, false },
	};
	struct fake *f = fake_new(NULL, 0);
	struct boot_log log;
	size_t i;

	(void)state;
	f->log = LOG_BEGINS LOG_ENDS "more of it\n";
	for (i = 0; i < COUNT(v); i++) {
		boot_log_read(&log, &f->sys, v[i].cmdline);
		assert_string_equal(log.tty, v[i].tty);
		assert_int_equal(log.baud, v[i].baud);
		assert_int_equal(log.quiet, v[i].quiet);
		assert_int_equal(log.earlycon, v[i].earlycon);
		assert_true(log.whole);
		/* Two lines, with a time stamp in front and two bytes behind. */
		assert_int_equal(log.bytes, strlen(LOG_BEGINS) - 1 + strlen("Run /init as init process") + 2 * 17);
		assert_int_equal(log.ms, v[i].tty[0] ? log.bytes * 10000 / (v[i].baud ? v[i].baud : 115200) : 0);
	}
	f->log = "no beginning\n";
	boot_log_read(&log, &f->sys, "");
	assert_false(log.whole);
	f->log = NULL;
	boot_log_read(&log, &f->sys, "console=ttyAMA0");
	assert_true(!log.whole && !log.bytes && !log.ms);
	fake_free(f);
}

/* What it says can be staged can be, and four pages more can not. */
static void test_payload_limit(void **state)
{
	const uint64_t more[] = { 0, 4 * PLAN_SLOT_BYTES };
	unsigned char *zeros = calloc(1, MIB(80));
	uint64_t initrd_bytes;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(more); i++) {
		struct job *job = job_new(0x60000000, PLAN_SLOT_BYTES, 100);
		struct doctor d;

		job->fake->memory_bytes = MIB(150);
		job->request.kernel = NULL;
		d = examine(job);
		job->request.kernel = KERNEL;
		assert_true(d.payload_bytes_max > MIB(32));
		initrd_bytes = d.payload_bytes_max - align_up(job->image_size, PLAN_SLOT_BYTES) + more[i];
		fake_file(job->fake, INITRD, zeros, initrd_bytes);
		assert_int_equal(load(job), KX_OK);
		assert_clean(job->fake);
		assert_int_equal(job->report.object[1].relocated + job->report.object[0].relocated != 0, i);
		job_free(job);
	}
	free(zeros);
}

/* What was loaded before is told, and stays. */
static void test_loaded_before(void **state)
{
	struct job *job = job_whole();
	struct doctor d;
	uint32_t taken;

	(void)state;
	load_first(job);
	taken = fake_pages_taken(job->fake);
	d = examine(job);
	hold("loaded", &d);
	assert_true(job->fake->loaded);
	assert_int_equal(fake_pages_taken(job->fake), taken);
	assert_int_equal(d.staged.check.truth, STAGED_TRUE);
	assert_true(fake_move_page(job->fake, job->report.object[0].place.start));
	d = examine(job);
	hold("moved", &d);
	assert_int_equal(d.verdict[DOCTOR_LOADED].mark, DOCTOR_WARNING);
	assert_int_equal(look(job, true).truth, STAGED_MOVED);
	job_free(job);
}

/* A file that is no kernel is told, and says nothing about the machine. */
static void test_bad_kernel(void **state)
{
	struct job *job = job_whole();
	struct doctor d;

	(void)state;
	fake_text(job->fake, KERNEL, "no kernel");
	d = examine(job);
	assert_int_equal(d.plan.err, KX_NOT_IMAGE);
	assert_int_equal(d.verdict[DOCTOR_PLAN].mark, DOCTOR_PROBLEM);
	assert_int_equal(d.way, DOCTOR_STAGED);
	assert_int_equal(doctor_exit_status(&d), 255);
	assert_clean(job->fake);
	/* Of no kernel is that the exit status. */
	fake_drop(job->fake, "/sys/firmware/fdt");
	d = examine(job);
	assert_true(d.machine.err && d.plan.err);
	assert_int_equal(d.way, DOCTOR_NOWHERE);
	assert_int_equal(doctor_exit_status(&d), 2);
	assert_clean(job->fake);
	job_free(job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_machines),
		cmocka_unit_test(test_boot_log),
		cmocka_unit_test(test_payload_limit),
		cmocka_unit_test(test_loaded_before),
		cmocka_unit_test(test_bad_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
