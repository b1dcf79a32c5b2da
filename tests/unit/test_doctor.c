/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kexec --doctor says of machines in memory: text and JSON held against tests/golden/doctor-*, and each of them against what a load
 * there then does.
 */
#include "job.h"

#include <errno.h>
#include <unistd.h>

#include "doctor.h"
#include "golden.h"
#include "pack.h"

static void set_cpus(struct fake *f, unsigned int cpus)
{
	char path[80], online[16];
	unsigned int i;

	snprintf(online, sizeof(online), "0-%u\n", cpus - 1);
	fake_cpus_online(f, online);
	for (i = 0; i < cpus; i++) {
		unsigned char reg[4] = { 0, 0, 0, (unsigned char)i };

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/of_node/reg", i);
		fake_file(f, path, reg, 4);
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/of_node/enable-method", i);
		fake_file(f, path, "psci", 5);
	}
}

#define LOG_BEGINS	"Booting Linux on physical CPU 0x0000000000 [0x411fd070]\n"
#define LOG_TABLES	"GICv3: using LPI property table @0x000000004a000000\n" \
			"GICv3: CPU0: using allocated LPI pending table @0x000000004a010000\n"
#define LOG_ENDS	"Run /init as init process\nwhat comes from processes does not count\n"

/* Everything that one could wish for. */
static void good(struct job *job)
{
	struct fake *f = job->fake;

	f->log = LOG_BEGINS LOG_TABLES LOG_ENDS;
	set_cpus(f, 4);
	fake_text(f, "/sys/class/watchdog/watchdog0/identity", "SBSA Generic Watchdog\n");
	fake_text(f, "/sys/class/watchdog/watchdog0/state", "active\n");
	fake_text(f, "/sys/class/watchdog/watchdog0/timeout", "30\n");
	fake_text(f, "/run/systemd/system/x", "");
	fake_text(f, "/etc/systemd/system.conf", "[Manager]\n#KExecWatchdogSec=5min\nKExecWatchdogSec=off\n");
	fake_text(f, "/etc/systemd/system.conf.d/50-watchdog.conf", "[Manager]\nKExecWatchdogSec = 2min\n");
	/* The same name in a later directory does not count, nor does another section. */
	fake_text(f, "/usr/lib/systemd/system.conf.d/50-watchdog.conf", "[Manager]\nKExecWatchdogSec=9min\n");
	fake_text(f, "/usr/lib/systemd/system.conf.d/60-other.conf", "[Other]\nKExecWatchdogSec=0\n");
	fake_text(f, "/sys/module/pstore/parameters/backend", "efi_pstore\n");
}

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

static void lockdown(struct job *job)
{
	fake_text(job->fake, "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	job->fake->file_load_error = FAKE_FILE_LOAD_WORKS;
}

static void lockdown_alone(struct job *job)
{
	fake_text(job->fake, "/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
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

static void switched_off(struct job *job)
{
	fake_text(job->fake, "/proc/sys/kernel/kexec_load_disabled", "1\n");
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

static void limited_loads(struct job *job)
{
	fake_text(job->fake, "/proc/sys/kernel/kexec_load_limit_reboot", "2\n");
	fake_text(job->fake, "/proc/kallsyms", "0000000000000000 T __arm64_sys_kexec_load\n0000000000000000 W __arm64_sys_kexec_file_load\n");
}

/* Built without CONFIG_KALLSYMS. */
static void unknown_calls(struct job *job)
{
	fake_text(job->fake, "/proc/sys/kernel/kexec_load_limit_reboot", "2\n");
}

static void little_memory(struct job *job)
{
	job->fake->memory_bytes = MIB(132);
}

static void few_pages(struct job *job)
{
	job->fake->pages = 3;
}

static void crash_kernel_missing(struct job *job)
{
	fake_text(job->fake, "/proc/iomem", "09000000-09000fff : pl011@9000000\n40000000-bfffffff : System RAM\n"
					    "  40210000-4183ffff : Kernel code\n  42140000-4277ffff : Kernel data\n  70000000-7fffffff : Crash kernel\n");
}

/* Of a hardened machine, say, where nothing else is in the way. */
static void crash_loads_exhausted(struct job *job)
{
	crash_kernel_missing(job);
	fake_text(job->fake, "/proc/sys/kernel/kexec_load_limit_panic", "0\n");
}

static const struct {
	const char *name;
	void (*make)(struct job *job);
	int status;		/* what --doctor exits with */
	enum kx_err load;	/* what a load with --fast-reloc then gives */
} machines[] = {
	{ "good", good, 0, KX_OK },
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

static struct doctor examine(struct job *job)
{
	struct doctor d;

	job->request.fast = FAST_AUTO;
	assert_int_equal(doctor_examine(&d, &job->fake->sys, &job->request, &job->fail), KX_OK);
	return d;
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
		cmocka_unit_test(test_machines),
		cmocka_unit_test(test_boot_log),
		cmocka_unit_test(test_limit_is_not_spent),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_calls_by_config),
		cmocka_unit_test(test_crash_limit),
		cmocka_unit_test(test_payload_limit),
		cmocka_unit_test(test_loaded_before),
		cmocka_unit_test(test_bad_kernel),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_at_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
