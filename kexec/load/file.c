/* SPDX-License-Identifier: GPL-2.0-only */
/* kexec_file_load(2): the kernel reads the files itself, and starts the next one without purgatory. */
#include "payload.h"

#include "dt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What kexec-tools takes as a sign that the kernel has no such call, or none for this file. */
bool file_load_is_missing(int err)
{
	return err == -ENOSYS || err == -EINVAL || err == -ENOEXEC || err == -EOPNOTSUPP;
}

/* As kexec-tools, and where it is memory that lacks. Not when a signature was refused: that is a decision, not a lack. */
bool file_load_may_fall_back(int err)
{
	return file_load_is_missing(err) || err == -ENOMEM || err == -EADDRNOTAVAIL;
}

/* Where none was named this call clears the one in the device tree; kexec_load(2) keeps it. Ours does as that one. */
static void keep_cmdline(struct payload *p, char **kept, struct fail *fail)
{
	const char *bootargs;
	size_t bytes;
	char *dtb;

	if (p->cmdline || p->request->cmdline || device_tree_read(p->sys, &dtb, &bytes, fail))
		return;
	/* Nothing to keep is as the kernel would have it. */
	bootargs = dt_check(dtb, bytes, &bytes) ? NULL : dt_chosen(dtb, "bootargs", &bytes);
	if (bootargs && bytes && !bootargs[bytes - 1])
		*kept = strdup(bootargs);
	free(dtb);
}

static enum kx_err file_load(struct payload *p, int *result, struct fail *fail)
{
	const struct load_request *request = p->request;
	bool has_initrd;
	unsigned long flags = (request->crash ? SYS_FILE_ON_CRASH : 0ul) | (request->no_cma ? SYS_FILE_NO_CMA : 0ul);
	int kernel_fd = -1, initrd_fd = -1;
	const char *cmdline;
	char *kept = NULL;
	enum kx_err err = payload_open_files(p, fail);

	*result = 0;
	has_initrd = p->input.object[OBJECT_INITRD].file_bytes != 0;
	/* One whole plain file by its own descriptor: IMA wants to see what was signed. */
	if (!err)
		err = source_fd(&p->source[OBJECT_KERNEL], machine_spool_limit(&p->machine, p->sys), &kernel_fd, fail);
	if (!err && has_initrd)
		err = source_fd(&p->source[OBJECT_INITRD], machine_spool_limit(&p->machine, p->sys), &initrd_fd, fail);
	if (err)
		return err;
	keep_cmdline(p, &kept, fail);
	cmdline = kept ? kept : p->cmdline ? p->cmdline : p->request->cmdline;	/* "" stays that */
	flags |= has_initrd ? 0 : SYS_FILE_NO_INITRAMFS;
	*result = p->sys->kexec_file_load(p->sys, kernel_fd, initrd_fd, cmdline, flags);
	/* Kernels before 6.17 do not know this flag, and use no CMA anyway. */
	if (*result == -EINVAL && flags & SYS_FILE_NO_CMA)
		*result = p->sys->kexec_file_load(p->sys, kernel_fd, initrd_fd, cmdline, flags & ~(unsigned long)SYS_FILE_NO_CMA);
	free(kept);
	return *result ? fail_set(fail, KX_FILE_LOAD, "%s", strerror(-*result)) : KX_OK;
}

enum kx_err load_by_file(struct payload *p, int *result, struct fail *fail)
{
	struct report *report = p->report;
	uint64_t start_ms = p->sys->now_ms(p->sys);
	enum kx_err err = file_load(p, result, fail);

	if (err)
		return err;
	if (p->uki_dtb.bytes)
		report_note(report, "the kernel's own device tree is not used: kexec_file_load takes none");
	/* Whatever was staged for an earlier load is unreachable now. */
	payload_sweep(p, p->stage.shm_id);
	snprintf(report->kernel, sizeof(report->kernel), "%s", p->request->kernel);
	snprintf(report->format, sizeof(report->format), "%s", p->format);
	strcpy(report->check, "none");
	report->by_file = report->loaded = true;
	report->load_ms = p->sys->now_ms(p->sys) - start_ms;
	return KX_OK;
}
