/* SPDX-License-Identifier: GPL-2.0-only */
#include "fake_parts.h"

#include <errno.h>
#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OVERCOMMIT_AT_FIRST	3

void fake_breach(struct fake *f, const char *format, ...)
{
	va_list args;

	if (f->breach[0])
		return;
	va_start(args, format);
	vsnprintf(f->breach, sizeof(f->breach), format, args);
	va_end(args);
}

void fake_step(struct fake *f)
{
	if (f->killed && ++f->step_calls == f->kill_call)
		longjmp(*f->killed, 1);
}

bool fake_fails(struct fake *f, const char *name)
{
	fake_step(f);
	if ((f->fail_name && strcmp(f->fail_name, name) != 0) || ++f->fail_calls != f->fail_call)
		return false;
	f->failed = name;
	return true;
}

static bool may_boot(struct sys *sys)
{
	return fake_of(sys)->root;
}

static bool is_root(struct sys *sys)
{
	return !fake_of(sys)->not_user_0;
}

static bool is_arm64(struct sys *sys)
{
	return fake_of(sys)->arm64;
}

static uint64_t now(struct sys *sys)
{
	(void)sys;
	return 1700000000;
}

static uint64_t now_ms(struct sys *sys)
{
	return fake_of(sys)->clock_ms += 7;
}

static uint64_t counter(struct sys *sys)
{
	return fake_of(sys)->counter += 1000;
}

static int get_random(struct sys *sys, void *out, size_t bytes)
{
	struct fake *f = fake_of(sys);
	size_t i;

	if (fake_fails(f, "random"))
		return -f->fail_errno;
	if (!f->random_works)
		return -EAGAIN;
	for (i = 0; i < bytes; i++)
		((unsigned char *)out)[i] = (unsigned char)(0x11 + 7 * i);
	return 0;
}

static int kernel_log(struct sys *sys, char **text, size_t *bytes)
{
	struct fake *f = fake_of(sys);

	if (fake_fails(f, "kernel_log"))
		return -f->fail_errno;
	if (!f->log)
		return -EPERM;
	*text = strdup(f->log);
	*bytes = strlen(f->log);
	return 0;
}

static uint64_t boot_ns(struct sys *sys)
{
	return fake_of(sys)->boot_ns;
}

static int log_clock(struct sys *sys, uint64_t *counter, uint64_t *ns)
{
	struct fake *f = fake_of(sys);

	if (fake_fails(f, "log_clock"))
		return -f->fail_errno;
	*counter = f->counter;
	*ns = f->log_ns;
	return f->log_ns ? 0 : -EACCES;
}

static int kernel_log_time(struct sys *sys, const char *begins, const char *holds, uint64_t *us)
{
	struct fake *f = fake_of(sys);

	if (fake_fails(f, "kernel_log_time"))
		return -f->fail_errno;
	*us = f->init_us;
	return begins && holds && f->init_us ? 0 : -ENOENT;
}

static int run(struct sys *sys, const char *const *argv, unsigned int most_ms, char *text, size_t room)
{
	struct fake *f = fake_of(sys);

	if (fake_fails(f, "run"))
		return -f->fail_errno;
	if (!f->systemctl || strcmp(argv[0], "systemctl") != 0 || !most_ms)
		return -ENOENT;
	snprintf(text, room, "%s", f->systemctl);
	return 0;
}

static int lock(struct sys *sys, bool wait)
{
	struct fake *f = fake_of(sys);

	if (fake_fails(f, "lock")) {
		f->no_lock = true;
		return -f->fail_errno;
	}
	(void)wait;
	if (f->locked)
		return -EWOULDBLOCK;
	f->locked = true;
	return 0;
}

static void unlock(struct sys *sys)
{
	struct fake *f = fake_of(sys);

	fake_step(f);
	if (!f->locked)
		fake_breach(f, "unlocks what is not locked");
	f->locked = false;
}

static void die_first(struct sys *sys, bool yes)
{
	struct fake *f = fake_of(sys);

	fake_step(f);
	if (f->dies_first == yes)
		fake_breach(f, "asks twice for the same");
	f->dies_first = yes;
}

static void restore_if_killed(struct sys *sys, const char *path, const char *text)
{
	struct fake *f = fake_of(sys);

	fake_step(f);
	(void)path;
	if (f->guarded || strtoull(text, NULL, 10) != f->overcommit)
		fake_breach(f, "guards the limit twice, or another value");
	f->guarded = true;
}

static void restore_cancel(struct sys *sys)
{
	struct fake *f = fake_of(sys);

	fake_step(f);
	if (!f->guarded)
		fake_breach(f, "ends a guard that there is not");
	f->guarded = false;
}

static int run_shutdown(struct sys *sys)
{
	fake_of(sys)->shutdowns++;
	return -ENOENT;
}

/* Does jobs as late as it may, and in pairs: what looks at a job's result before the workers is closed sees nothing. */
struct sys_workers {
	void (*work)(void *arg, size_t first, size_t count);
	void *arg;
	size_t ready;
};

static struct sys_workers *workers_open(struct sys *sys, void (*work)(void *arg, size_t first, size_t count), void *arg)
{
	struct sys_workers *workers;

	if (fake_fails(fake_of(sys), "workers_open"))
		return NULL;
	workers = malloc(sizeof(*workers));
	fake_of(sys)->workers++;
	*workers = (struct sys_workers){ work, arg, 0 };
	return workers;
}

static void workers_ready(struct sys *sys, struct sys_workers *workers, size_t count)
{
	if (count < workers->ready)
		fake_breach(fake_of(sys), "jobs that were ready are not any more");
	workers->ready = count;
}

static void workers_close(struct sys *sys, struct sys_workers *workers, bool abandon)
{
	size_t i;

	fake_of(sys)->workers--;
	for (i = 0; !abandon && i + 1 < workers->ready; i += 2)
		workers->work(workers->arg, i, 2);
	if (!abandon && i < workers->ready)
		workers->work(workers->arg, i, 1);
	free(workers);
}

static bool interrupted(struct sys *sys)
{
	struct fake *f = fake_of(sys);

	f->interrupted_calls++;
	return f->interrupt_at && f->interrupted_calls >= f->interrupt_at && !f->deaf;
}

static void heed_signals(struct sys *sys, bool yes)
{
	fake_of(sys)->deaf = !yes;
}

static void sync_disks(struct sys *sys)
{
	fake_of(sys)->syncs++;
}

static void ifdown(struct sys *sys)
{
	fake_of(sys)->ifdowns++;
}

void fake_cpus_online(struct fake *f, const char *online)
{
	char path[80], *end;

	fake_text(f, "/sys/devices/system/cpu/online", online);
	for (; *online >= '0' && *online <= '9'; online = *end == ',' ? end + 1 : end) {
		unsigned long cpu = strtoul(online, &end, 10), last = cpu;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (; cpu <= last; cpu++) {
			snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%lu/online", cpu);
			fake_text(f, path, "1\n");
		}
	}
}

size_t fake_dtb(void *out, size_t room, const char *psci_method)
{
	static const char psci[] = "arm,psci-1.0\0arm,psci-0.2";
	const uint32_t reg[] = { 0, cpu_to_fdt32(0x40000000), 0, cpu_to_fdt32(0x80000000) };
	int err = fdt_create(out, (int)room);

	err |= fdt_finish_reservemap(out);
	err |= fdt_begin_node(out, "");
	err |= fdt_property_u32(out, "#address-cells", 2);
	err |= fdt_property_u32(out, "#size-cells", 2);
	err |= fdt_property_string(out, "compatible", "linux,dummy-virt");
	if (psci_method) {
		err |= fdt_begin_node(out, "psci");
		err |= fdt_property(out, "compatible", psci, sizeof(psci));
		err |= fdt_property(out, "method", psci_method, (int)strlen(psci_method) + 1);
		err |= fdt_end_node(out);
	}
	err |= fdt_begin_node(out, "interrupt-controller");
	err |= fdt_property_string(out, "compatible", "arm,gic-v3");
	err |= fdt_end_node(out);
	err |= fdt_begin_node(out, "memory@40000000");
	err |= fdt_property_string(out, "device_type", "memory");
	err |= fdt_property(out, "reg", reg, sizeof(reg));
	err |= fdt_end_node(out);
	err |= fdt_begin_node(out, "chosen");
	err |= fdt_property_string(out, "bootargs", "console=ttyAMA0 root=/dev/vda1");
	err |= fdt_property_u32(out, "linux,initrd-start", 0x48000000);
	err |= fdt_property_u32(out, "linux,initrd-end", 0x48100000);
	err |= fdt_property_u64(out, "kaslr-seed", 0);
	err |= fdt_end_node(out);
	err |= fdt_end_node(out);
	err |= fdt_finish(out);
	return err ? 0 : fdt_totalsize(out);
}

static const char iomem[] =
	"09000000-09000fff : pl011@9000000\n"
	"40000000-bfffffff : System RAM\n"
	"  40210000-4183ffff : Kernel code\n"
	"  41840000-4213ffff : reserved\n"
	"  42140000-4277ffff : Kernel data\n"
	"  48000000-480fffff : reserved\n"
	"  bc000000-bfdfffff : reserved\n";

struct fake *fake_new(const pa_t *page_pa_, uint32_t pages)
{
	struct fake *f = calloc(1, sizeof(*f));
	unsigned char dtb[4096];
	uint32_t i;

	f->sys = (struct sys){
		.ctx = f, .page_bytes = 4096, .line_bytes = 64, .cpu_features = CPU_CRC32 | CPU_SHA2,
		.may_boot = may_boot, .is_root = is_root, .is_arm64 = is_arm64, .now = now, .now_ms = now_ms, .counter = counter, .random = get_random,
		.lock = lock, .unlock = unlock, .die_first = die_first, .restore_if_killed = restore_if_killed, .restore_cancel = restore_cancel, .shutdown = run_shutdown,
		.kernel_log = kernel_log, .kernel_log_time = kernel_log_time, .log_clock = log_clock, .boot_ns = boot_ns, .run = run,
		.workers_open = workers_open, .workers_ready = workers_ready, .workers_close = workers_close, .interrupted = interrupted,
		.heed_signals = heed_signals,
		.sync = sync_disks, .ifdown = ifdown,
	};
	fake_kexec(f);
	fake_files(f);
	fake_pages(f);
	f->root = f->arm64 = f->random_works = true;
	f->log = "[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd070]\n";
	f->overcommit = OVERCOMMIT_AT_FIRST;
	f->preferred_node = -1;
	f->fail_errno = EIO;
	f->page = calloc(pages ? pages : 1, sizeof(*f->page));
	f->pages = pages;
	for (i = 0; i < pages; i++)
		f->page[i].pa = page_pa_[i];

	fake_text(f, "/proc/iomem", iomem);
	fake_text(f, "/proc/meminfo", "MemTotal:        2097152 kB\nMemFree:         1800000 kB\n"
				      "MemAvailable:    1900000 kB\nSwapTotal:       0 kB\nSwapFree:        0 kB\n");
	fake_text(f, "/proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz console=ttyAMA0 quiet\n");
	fake_text(f, "/proc/self/uid_map", "         0          0 4294967295\n");
	fake_file(f, "/proc/1/environ", "HOME=/\0TERM=linux", 18);
	fake_text(f, "/proc/sys/kernel/kexec_load_disabled", "0\n");
	fake_text(f, "/proc/sys/kernel/shm_rmid_forced", "0\n");
	fake_text(f, "/sys/kernel/kexec_crash_loaded", "0\n");
	fake_text(f, "/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	fake_link(f, "/proc/self/ns/ipc", "ipc:[4026531839]");
	fake_link(f, "/proc/self/ns/user", "user:[4026531837]");
	fake_text(f, "/sys/class/tty/console/active", "tty0 ttyAMA0\n");
	fake_text(f, "/sys/class/tty/ttyAMA0/iomem_base", "0x9000000\n");
	fake_text(f, "/sys/class/tty/ttyAMA0/type", "32\n");
	fake_text(f, "/sys/class/tty/ttyAMA0/io_type", "2\n");
	fake_text(f, "/sys/class/tty/ttyAMA0/iomem_reg_shift", "0\n");
	fake_file(f, "/sys/firmware/fdt", dtb, fake_dtb(dtb, sizeof(dtb), "hvc"));
	return f;
}

void fake_free(struct fake *f)
{
	fake_files_free(f);
	fake_pages_free(f);
	fake_kexec_free(f);
	free(f);
}

void fake_died(struct fake *f, bool together)
{
	unsigned int i;

	if (f->guarded && !together)
		f->overcommit = OVERCOMMIT_AT_FIRST;
	f->guarded = f->locked = f->no_lock = f->dies_first = false;
	f->pool_held = 0;
	f->preferred_node = -1;
	f->workers = 0;
	for (i = 0; i < FAKE_FDS; i++)
		f->fd[i].open = false;
	fake_pages_died(f);
}

const char *fake_leak(const struct fake *f)
{
	unsigned int i;

	if (f->deaf)
		return "signals are not heeded";
	if (f->locked || f->guarded)
		return "the lock or the guard";
	if (f->dies_first || f->pool_held)
		return "the preference to be killed first, or a claim to the pool";
	if (f->preferred_node != -1)
		return "the preference for a node";
	if (f->workers)
		return "threads";
	for (i = 0; i < FAKE_FDS; i++)
		if (f->fd[i].open)
			return "a file is still open";
	for (i = 0; i < FAKE_SHMS; i++)
		if (f->shm[i].alive && f->shm[i].attached)
			return "a segment is still attached";
	if (fake_shms(f, false))
		return "a segment was left that no load needs";
	if (fake_ledgers(f) != fake_shms(f, true) + fake_crash_ledgers(f))
		return "a ledger was left that names nothing";
	if (f->overcommit != OVERCOMMIT_AT_FIRST && !f->overcommit_stuck)
		return "nr_overcommit_hugepages was not put back";
	return NULL;
}
