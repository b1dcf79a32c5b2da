/* SPDX-License-Identifier: GPL-2.0-only */
/* Machines that kexec --doctor is asked about in more than one file. */
#ifndef DOCTOR_MACHINES_H
#define DOCTOR_MACHINES_H

#include "doctor.h"
#include "job.h"

#include <errno.h>

static inline void set_cpus(struct fake *f, unsigned int cpus)
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
static inline void good(struct job *job)
{
	struct fake *f = job->fake;

	f->log = LOG_BEGINS LOG_TABLES LOG_ENDS;
	set_cpus(f, 4);
	fake_text(f, "/sys/class/watchdog/watchdog0/identity", "SBSA Generic Watchdog\n");
	fake_text(f, "/sys/class/watchdog/watchdog0/state", "active\n");
	fake_text(f, "/sys/class/watchdog/watchdog0/timeout", "30\n");
	fake_text(f, "/sys/module/watchdog/parameters/stop_on_reboot", "0\n");
	fake_text(f, "/run/systemd/system/x", "");
	fake_text(f, "/etc/systemd/system.conf", "[Manager]\n#KExecWatchdogSec=5min\nKExecWatchdogSec=off\n");
	fake_text(f, "/etc/systemd/system.conf.d/50-watchdog.conf", "[Manager]\nKExecWatchdogSec = 2min\nRuntimeWatchdogSec=default\n");
	/* The same name in a later directory does not count, nor does another section. */
	fake_text(f, "/usr/lib/systemd/system.conf.d/50-watchdog.conf", "[Manager]\nKExecWatchdogSec=9min\n");
	fake_text(f, "/usr/lib/systemd/system.conf.d/60-other.conf", "[Other]\nKExecWatchdogSec=0\n");
	fake_text(f, "/sys/module/pstore/parameters/backend", "efi_pstore\n");
}

static inline void lockdown(struct job *job)
{
	fake_text(job->fake, "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	job->fake->file_load_error = FAKE_FILE_LOAD_WORKS;
}

static inline void lockdown_alone(struct job *job)
{
	fake_text(job->fake, "/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
}

static inline void switched_off(struct job *job)
{
	fake_text(job->fake, "/proc/sys/kernel/kexec_load_disabled", "1\n");
}

static inline void limited_loads(struct job *job)
{
	fake_text(job->fake, "/proc/sys/kernel/kexec_load_limit_reboot", "2\n");
	fake_text(job->fake, "/proc/kallsyms", "0000000000000000 T __arm64_sys_kexec_load\n0000000000000000 W __arm64_sys_kexec_file_load\n");
}

/* Built without CONFIG_KALLSYMS. */
static inline void unknown_calls(struct job *job)
{
	fake_text(job->fake, "/proc/sys/kernel/kexec_load_limit_reboot", "2\n");
}

static inline void crash_kernel_missing(struct job *job)
{
	fake_text(job->fake, "/proc/iomem", "09000000-09000fff : pl011@9000000\n40000000-bfffffff : System RAM\n"
					    "  40210000-4183ffff : Kernel code\n  42140000-4277ffff : Kernel data\n  70000000-7fffffff : Crash kernel\n");
}

/* Of a hardened machine, say, where nothing else is in the way. */
static inline void crash_loads_exhausted(struct job *job)
{
	crash_kernel_missing(job);
	fake_text(job->fake, "/proc/sys/kernel/kexec_load_limit_panic", "0\n");
}

static inline struct doctor examine(struct job *job)
{
	struct doctor d;

	job->request.fast = FAST_AUTO;
	assert_int_equal(doctor_examine(&d, &job->fake->sys, &job->request, &job->fail), KX_OK);
	return d;
}

#endif
