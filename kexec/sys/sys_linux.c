/* SPDX-License-Identifier: GPL-2.0-only */
/* The running system, but for its files (sys_files.c), staged memory (sys_shm.c), threads (sys_workers.c) and other programs (sys_run.c) and the log's clock (sys_clock.c): no system call is anywhere else. */
#include "sys_linux.h"

#include "kexec_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REBOOT_CMD_KEXEC	0x45584543	/* LINUX_REBOOT_CMD_KEXEC */
#define KEXEC_ARCH_AARCH64	(183ul << 16)

/* Bits of AT_HWCAP, asm/hwcap.h of arm64 */
#define ARM64_HWCAP_SHA2	(1ul << 6)
#define ARM64_HWCAP_CRC32	(1ul << 7)
#define ARM64_HWCAP_GCS		(1ul << 32)
#define ARM64_HWCAP2_SME	(1ul << 23)

static volatile sig_atomic_t signal_seen;

/* What a service without root's other rights may be given. capget(2) by itself, since libcap is for more than one bit. */
static bool may_boot(struct sys *sys)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	(void)sys;
	return geteuid() == 0 || (syscall(SYS_capget, &header, data) == 0 && data[0].effective & 1u << CAP_SYS_BOOT);
}

/* What others than root have staged, they and nobody else could take away again. */
static bool is_root(struct sys *sys)
{
	(void)sys;
	return geteuid() == 0;
}

static bool is_arm64(struct sys *sys)
{
	struct utsname uts;

	(void)sys;
	return uname(&uts) == 0 && strcmp(uts.machine, "aarch64") == 0;
}

static uint64_t now(struct sys *sys)
{
	(void)sys;
	return (uint64_t)time(NULL);
}

static uint64_t counter(struct sys *sys)
{
	uint64_t now = 0;

	(void)sys;
#ifdef __aarch64__
	/* ISB: the counter is not read ahead of what comes before (Arm ARM, Generic Timer: CNTVCT_EL0 can be read speculatively). */
	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(now) : : "memory");
#endif
	return now;
}

static uint64_t now_ms(struct sys *sys)
{
	struct timespec ts;

	(void)sys;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static uint64_t boot_ns(struct sys *sys)
{
	struct timespec ts;

	(void)sys;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int get_random(struct sys *sys, void *out, size_t bytes)
{
	ssize_t n;

	/* Early after boot this waits a moment: since 5.4 the kernel makes entropy for whoever waits. */
	(void)sys;
	do
		n = getrandom(out, bytes, 0);
	while (n < 0 && errno == EINTR && !signal_seen);
	return n == (ssize_t)bytes ? 0 : -EAGAIN;
}

static int kexec_load(struct sys *sys, pa_t entry, const struct sys_segment *segments, size_t count, unsigned long flags)
{
	struct {
		const void *buf;
		size_t bytes;
		unsigned long pa;
		size_t memory_bytes;
	} raw[KEXEC_SEGMENT_MAX];
	size_t i;

	(void)sys;
	if (count > sizeof(raw) / sizeof(raw[0]))
		return -EINVAL;
	for (i = 0; i < count; i++) {
		raw[i].buf = segments[i].buf;
		raw[i].bytes = segments[i].bytes;
		raw[i].pa = (unsigned long)segments[i].pa;
		raw[i].memory_bytes = segments[i].memory_bytes;
	}
	if (syscall(SYS_kexec_load, (unsigned long)entry, count, count ? raw : NULL, flags | KEXEC_ARCH_AARCH64) < 0)
		return -errno;
	return 0;
}

static int kexec_file_load(struct sys *sys, int kernel_fd, int initrd_fd, const char *cmdline, unsigned long flags)
{
	(void)sys;
	if (syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, cmdline ? strlen(cmdline) + 1 : 0, cmdline, flags) < 0)
		return -errno;
	return 0;
}

/* A flag that there is not, and more segments than there may be, or no file: each of them is refused before anything is done. */
#define UNKNOWN_FLAG	0x8000ul

static int kexec_probe(struct sys *sys, bool by_file)
{
	long result;

	(void)sys;
	if (by_file)
		result = syscall(SYS_kexec_file_load, -1, -1, 0ul, NULL, UNKNOWN_FLAG);
	else
		result = syscall(SYS_kexec_load, 0ul, KEXEC_SEGMENT_MAX + 1ul, NULL, UNKNOWN_FLAG | KEXEC_ARCH_AARCH64);
	/* What it says to such arguments when it would take others. */
	return result < 0 && errno != EINVAL && errno != EBADF && errno != EBUSY ? -errno : 0;
}

static int reboot_kexec(struct sys *sys)
{
	(void)sys;
	reboot((int)REBOOT_CMD_KEXEC);
	return -errno;	/* it only returns when it failed */
}

static void sync_disks(struct sys *sys)
{
	(void)sys;
	sync();
}

/* What kexec-tools does before the jump: every interface but loopback goes down, so that nothing is received into
 * memory that is about to be somebody else's. */
static void ifdown(struct sys *sys)
{
	struct if_nameindex *list = if_nameindex(), *at;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)sys;
	for (at = list; at && fd >= 0 && at->if_index; at++) {
		struct ifreq request = { 0 };

		if (strcmp(at->if_name, "lo") == 0 || strchr(at->if_name, ':') ||
		    strlen(at->if_name) >= sizeof(request.ifr_name))
			continue;
		strcpy(request.ifr_name, at->if_name);
		if (ioctl(fd, SIOCGIFFLAGS, &request) < 0 || !(request.ifr_flags & IFF_UP))
			continue;
		request.ifr_flags = (short)(request.ifr_flags & ~IFF_UP);
		if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
			break;
	}
	if (fd >= 0)
		close(fd);
	if (list)
		if_freenameindex(list);
}

#define OOM_SCORE_ADJ	"/proc/self/oom_score_adj"	/* proc_pid_oom_score_adj(5): 1000 is the first to go */

static void die_first(struct sys *sys, bool yes)
{
	char *before = linux_state(sys)->oom_score_before, *text;
	size_t bytes;

	if (!yes) {
		if (before[0])
			sys_linux_write_file(sys, OOM_SCORE_ADJ, before);
		before[0] = '\0';
		return;
	}
	if (sys->read_file(sys, OOM_SCORE_ADJ, sizeof(linux_state(sys)->oom_score_before) - 1, &text, &bytes) < 0)
		return;
	strcpy(before, text);
	free(text);
	sys_linux_write_file(sys, OOM_SCORE_ADJ, "1000");
}

/* The child's side, which holds the lock too: say that it is there, and wait for a word or for the end. */
static void restorer_main(struct sys *sys, int fd, const char *path, const char *text)
{
	char byte = 0;

	die_first(sys, false);	/* it is what puts things right when the loader has gone */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 0)
		sys_linux_write_file(sys, path, text);
	_exit(0);
}

static void restore_if_killed(struct sys *sys, const char *path, const char *text)
{
	struct linux_state *state = linux_state(sys);
	int ends[2];
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return;
	state->restorer_pid = fork();
	if (state->restorer_pid == 0) {
		close(ends[0]);
		restorer_main(sys, ends[1], path, text);
	}
	close(ends[1]);
	state->restorer_fd = ends[0];
	while (state->restorer_pid > 0 && recv(state->restorer_fd, &byte, 1, 0) < 0 && errno == EINTR)
		;
}

static void restore_cancel(struct sys *sys)
{
	struct linux_state *state = linux_state(sys);

	if (state->restorer_fd < 0)
		return;
	if (state->restorer_pid > 0) {
		send(state->restorer_fd, "", 1, MSG_NOSIGNAL);
		waitpid(state->restorer_pid, NULL, 0);
	}
	close(state->restorer_fd);
	state->restorer_fd = -1;
}

static int run_shutdown(struct sys *sys)
{
	static const char *const paths[] = { "/sbin/shutdown", "/etc/shutdown", "/bin/shutdown" };
	size_t i;

	(void)sys;
	signal(SIGPIPE, SIG_DFL);	/* what is ignored stays so across exec */
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		execl(paths[i], "shutdown", "-r", "now", (char *)NULL);
	return -errno;
}

static void on_signal(int number)
{
	signal_seen = number;
}

static bool interrupted(struct sys *sys)
{
	return signal_seen != 0 && !linux_state(sys)->deaf;
}

static void heed_signals(struct sys *sys, bool yes)
{
	linux_state(sys)->deaf = !yes;
}

static bool can_print(struct sys *sys)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	(void)sys;
	return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY &&
	       (poll(&out, 1, 0) <= 0 || !(out.revents & (POLLERR | POLLNVAL)));
}

/* A payload file that became descriptor 1 or 2 would have messages written into it. Writing to these still fails, as it should. */
static void occupy_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Where CPUs differ Linux shows EL0 the smallest (Documentation/arch/arm64/cpu-feature-registers.rst, CTR_EL0). */
static uint64_t line_bytes(void)
{
#ifdef __aarch64__
	uint64_t ctr;

	__asm__("mrs %0, ctr_el0" : "=r"(ctr));
	return 4ull << (ctr >> 16 & 0xf);
#else
	return 64;
#endif
}

static unsigned int cpu_features(void)
{
	unsigned int features = 0;

#ifdef __aarch64__
	unsigned long hwcap = getauxval(AT_HWCAP);

	if (hwcap & ARM64_HWCAP_CRC32)
		features |= CPU_CRC32;
	if (hwcap & ARM64_HWCAP_SHA2)
		features |= CPU_SHA2;
	if (hwcap & ARM64_HWCAP_GCS)
		features |= CPU_GCS;
	if (getauxval(AT_HWCAP2) & ARM64_HWCAP2_SME)
		features |= CPU_SME;
#endif
	return features;
}

void sys_linux(struct sys *sys)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };
	static struct linux_state state;
	struct sigaction action = { .sa_handler = on_signal }, before;
	size_t i;

	occupy_standard_fds();
	/* A closed pipe is an error of a write, and no reason to leave things half done. */
	signal(SIGPIPE, SIG_IGN);
	/* What is ignored stays so: nohup. */
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);

	state = (struct linux_state){ .restorer_fd = -1, .lock_fd = { -1, -1 }, .pagemap_fd = -1, .kpageflags_fd = -1 };
	*sys = (struct sys){
		.ctx = &state,
		.pid = (uint32_t)getpid(),
		.page_bytes = (uint64_t)sysconf(_SC_PAGESIZE),
		.line_bytes = line_bytes(),
		.cpu_features = cpu_features(),
		.may_boot = may_boot,
		.is_root = is_root,
		.is_arm64 = is_arm64,
		.now = now,
		.now_ms = now_ms,
		.counter = counter,
		.boot_ns = boot_ns,
		.random = get_random,
		.die_first = die_first,
		.restore_if_killed = restore_if_killed,
		.restore_cancel = restore_cancel,
		.interrupted = interrupted, .heed_signals = heed_signals,
		.can_print = can_print,
		.kexec_load = kexec_load,
		.kexec_file_load = kexec_file_load,
		.kexec_probe = kexec_probe,
		.reboot_kexec = reboot_kexec,
		.sync = sync_disks,
		.ifdown = ifdown,
		.shutdown = run_shutdown,
	};
	sys_linux_files(sys);
	sys_linux_lock(sys);
	sys_linux_shm(sys);
	sys_linux_workers(sys);
	sys_linux_run(sys);
	sys_linux_clock(sys);
}
