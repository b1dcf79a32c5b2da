/* SPDX-License-Identifier: GPL-2.0-only */
/* What forbids a load on this machine at this moment, found out before anything is touched. */
#include "probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool file_says(struct sys *sys, const char *path, const char *word)
{
	char *text;
	size_t bytes;
	bool found;

	if (sys->read_file(sys, path, 65536, &text, &bytes) < 0)
		return false;
	found = memmem(text, bytes, word, strlen(word)) != NULL;
	free(text);
	return found;
}

/* The first namespaces of a system have these numbers: PROC_IPC_INIT_INO and PROC_USER_INIT_INO, linux/proc_ns.h. Not
 * /proc/1's: inside a container that is the container's own PID 1. */
#define IPC_NS_INIT	"ipc:[4026531839]"
#define USER_NS_INIT	"user:[4026531837]"

static bool in_first_namespace(struct sys *sys, const char *path, const char *first)
{
	char ours[64];

	return sys->read_link(sys, path, ours, sizeof(ours)) < 0 || strcmp(ours, first) == 0;
}

bool in_host_ipc_ns(struct sys *sys)
{
	return in_first_namespace(sys, "/proc/self/ns/ipc", IPC_NS_INIT);
}

static bool in_container(struct sys *sys)
{
	char *text, *at;
	size_t bytes;
	bool found = false;

	if (file_says(sys, "/run/systemd/container", ""))
		return true;
	if (sys->read_file(sys, "/proc/1/environ", 65536, &text, &bytes) < 0)
		return false;
	for (at = text; at < text + bytes; at += strlen(at) + 1)
		found |= strncmp(at, "container=", 10) == 0;
	free(text);
	return found;
}

enum kx_err preflight_rights(struct sys *sys, struct fail *fail)
{
	if (!sys->is_arm64(sys))
		return fail_with(fail, KX_WRONG_ARCH);
	if (!sys->may_boot(sys))
		return fail_with(fail, KX_NOT_ROOT);
	if (in_container(sys))
		return fail_with(fail, KX_CONTAINER);
	if (!in_first_namespace(sys, "/proc/self/ns/user", USER_NS_INIT))
		return fail_with(fail, KX_USER_NS);
	return KX_OK;
}

enum kx_err preflight_switches(struct sys *sys, bool crash, struct fail *fail)
{
	uint64_t value;

	if (sys_read_u64(sys, "/proc/sys/kernel/kexec_load_disabled", 0, &value) && value)
		return fail_with(fail, KX_LOAD_DISABLED);
	/* -1: as many as one likes */
	if (sys_read_u64(sys, crash ? LOAD_LIMIT_PANIC : LOAD_LIMIT_REBOOT, 0,
			 &value) && !value)
		return fail_with(fail, crash ? KX_LOAD_LIMIT_PANIC : KX_LOAD_LIMIT);
	return KX_OK;
}

enum kx_err preflight(struct sys *sys, bool crash, struct fail *fail)
{
	enum kx_err err = preflight_rights(sys, fail);

	return err ? err : preflight_switches(sys, crash, fail);
}

/* kexec_file_load(2) is another matter: it takes what is signed. */
enum kx_err preflight_kexec_load(struct sys *sys, struct fail *fail)
{
	if (file_says(sys, "/sys/kernel/security/lockdown", "[integrity]") ||
	    file_says(sys, "/sys/kernel/security/lockdown", "[confidentiality]"))
		return fail_with(fail, KX_LOCKDOWN);
	return KX_OK;
}

bool memory_has_failed(struct sys *sys, pa_t pa, uint64_t bytes)
{
	uint64_t at, flags = 0;

	for (at = 0; at < bytes; at += sys->page_bytes)
		if (sys->page_flags(sys, pa + at, &flags) == 0 && flags & SYS_PAGE_HWPOISON)
			return true;
	return false;
}

enum kx_err preflight_staging(struct sys *sys, struct fail *fail)
{
	uint64_t forced;

	if (!sys->is_root(sys))
		return fail_with(fail, KX_STAGE_NOT_ROOT);
	if (!in_host_ipc_ns(sys))
		return fail_with(fail, KX_OTHER_IPC_NS);
	if (sys_read_u64(sys, "/proc/sys/kernel/shm_rmid_forced", 0, &forced) && forced)
		return fail_with(fail, KX_SHM_RMID_FORCED);
	return KX_OK;
}

static int stop(void *arg, const char *name, bool is_dir)
{
	(void)arg;
	(void)name;
	(void)is_dir;
	return 1;
}

/*
 * Kernels before 6.3 have no such limit, and no file for it. Where it is not to be read for another reason, or nothing of /proc/sys is to be
 * seen (systemd: ProcSubset=pid), there may be one.
 */
void load_limit_read(struct sys *sys, const char *path, struct load_limit *limit)
{
	char *text, *end;
	size_t bytes;
	int err = sys->read_file(sys, path, 64, &text, &bytes);

	*limit = (struct load_limit){ 0 };
	if (err < 0) {
		limit->unknown = err != -ENOENT || sys->list_dir(sys, "/proc/sys/kernel", stop, NULL) < 0;
		return;
	}
	/* -1: as many as one likes */
	limit->left = strtoull(text, &end, 0);
	limit->unknown = end == text;
	limit->limited = !limit->unknown && (int64_t)limit->left >= 0;
	free(text);
}

enum kx_err proc_error(struct fail *fail, const char *path, int err)
{
	return err == -ENOENT ? fail_set(fail, KX_NO_PROC, "%s", path) : fail_set(fail, KX_READ, "%s: %s", path, strerror(-err));
}

enum kx_err check_proc(struct sys *sys, struct fail *fail)
{
	char *text;
	size_t bytes;
	int err = sys->read_file(sys, "/proc/cmdline", 65536, &text, &bytes);

	if (!err)
		free(text);
	return err == -ENOENT ? proc_error(fail, "/proc/cmdline", err) : KX_OK;
}
