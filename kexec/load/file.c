/* SPDX-License-Identifier: GPL-2.0-only */
/* kexec_file_load(2): the kernel reads the files itself, and starts the next one without purgatory. */
#include "payload.h"

#include "dt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *file_load_hindrance(const struct load_request *request)
{
	if (request->fast != FAST_NO)
		return "--fast-reloc";
	if (request->check == CHECK_CRC32C || request->check == CHECK_SHA256)
		return "--check";
	if (request->cpus)
		return "--cpus";
	if (request->dtb)
		return "--dtb";
	if (request->serial)
		return "--serial";
	if (request->mem_min || request->mem_max)
		return "--mem-min and --mem-max";
	if (request->entry)
		return "--entry";
	if (request->plan_only)
		return "--plan";
	return NULL;
}

bool file_load_may_fall_back(int err)
{
	switch (err) {
	case -EPERM:		/* lockdown, or not root: the other call is refused as well, or should be */
	case -EACCES:
	case -EKEYREJECTED:	/* a signature is wrong, or missing */
	case -ENOKEY:
	case -EBADMSG:
	case -EBUSY:
	case -EINTR:
		return false;
	default:
		return true;
	}
}

/* Without a command line this call clears the one in the device tree; kexec_load(2) keeps it. Ours does as that one. */
static enum kx_err keep_cmdline(struct payload *p, struct fail *fail)
{
	const char *bootargs;
	enum kx_err err;
	size_t bytes;

	if (p->cmdline)
		return KX_OK;
	err = device_tree_read(p->sys, &p->machine.dtb, &p->machine.dtb_bytes, fail);
	if (err || dt_check(p->machine.dtb, p->machine.dtb_bytes, &bytes))
		return KX_OK;	/* nothing to keep: as the kernel would have it */
	bootargs = dt_chosen(p->machine.dtb, "bootargs", &bytes);
	if (bootargs && bytes && !bootargs[bytes - 1])
		p->cmdline = bootargs;
	return KX_OK;
}

static enum kx_err file_load(struct payload *p, int *result, struct fail *fail)
{
	const struct load_request *request = p->request;
	bool has_initrd;
	unsigned long flags = (request->crash ? SYS_FILE_ON_CRASH : 0ul) | (request->no_cma ? SYS_FILE_NO_CMA : 0ul);
	int kernel_fd = -1, initrd_fd = -1;
	enum kx_err err = payload_open_files(p, fail);

	*result = 0;
	has_initrd = p->input.object[OBJECT_INITRD].file_bytes != 0;
	/* One whole plain file by its own descriptor: IMA wants to see what was signed. */
	if (!err)
		err = source_fd(&p->source[OBJECT_KERNEL], p->machine.free_bytes / 2, &kernel_fd, fail);
	if (!err && has_initrd)
		err = source_fd(&p->source[OBJECT_INITRD], p->machine.free_bytes / 2, &initrd_fd, fail);
	if (!err)
		err = keep_cmdline(p, fail);
	if (err)
		return err;
	flags |= has_initrd ? 0 : SYS_FILE_NO_INITRAMFS;
	*result = p->sys->kexec_file_load(p->sys, kernel_fd, initrd_fd, p->cmdline, flags);
	/* Kernels before 6.17 do not know this flag, and use no CMA anyway. */
	if (*result == -EINVAL && flags & SYS_FILE_NO_CMA)
		*result = p->sys->kexec_file_load(p->sys, kernel_fd, initrd_fd, p->cmdline, flags & ~(unsigned long)SYS_FILE_NO_CMA);
	return *result ? fail_set(fail, KX_FILE_LOAD, "%s", strerror(-*result)) : KX_OK;
}

enum kx_err load_by_file(struct sys *sys, const struct load_request *request, struct report *report, int *result,
			 struct fail *fail)
{
	struct payload p = { .sys = sys, .request = request, .report = report };
	uint64_t start_ms = sys->now_ms(sys);
	enum kx_err err = file_load(&p, result, fail);

	if (!err) {
		/* Whatever was staged for an earlier load is unreachable now. */
		if (!request->crash)
			sys->shm_sweep(sys, SYS_NO_SHM, false);
		snprintf(report->kernel, sizeof(report->kernel), "%s", request->kernel);
		snprintf(report->format, sizeof(report->format), "%s", p.format);
		strcpy(report->check, "none");
		report->by_file = report->loaded = true;
		report->load_ms = sys->now_ms(sys) - start_ms;
	}
	payload_free(&p);
	return err;
}
