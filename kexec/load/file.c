/* SPDX-License-Identifier: GPL-2.0-only */
/* kexec_file_load(2): the kernel reads the files itself, and starts the next one without purgatory. */
#include "stages.h"

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
static char *kept_cmdline(const struct inputs *in, struct sys *sys)
{
	const char *bootargs;
	char *dtb, *kept = NULL;
	struct fail ignored;
	size_t bytes;

	if (in->cmdline || in->request->cmdline || device_tree_read(sys, &dtb, &bytes, &ignored))
		return NULL;
	/* Nothing to keep is as the kernel would have it. */
	bootargs = dt_check(dtb, bytes, &bytes) ? NULL : dt_chosen(dtb, "bootargs", &bytes);
	if (bootargs && bytes && !bootargs[bytes - 1])
		kept = strdup(bootargs);
	free(dtb);
	return kept;
}

static enum kx_err file_load(struct inputs *in, struct sys *sys, const struct load_request *request, int *result, struct fail *fail)
{
	bool has_initrd = in->object[OBJECT_INITRD].file_bytes != 0;
	unsigned long flags = (request->crash ? SYS_FILE_ON_CRASH : 0ul) | (request->no_cma ? SYS_FILE_NO_CMA : 0ul);
	int kernel_fd = -1, initrd_fd = -1;
	const char *cmdline;
	char *kept;
	enum kx_err err;

	/* One whole plain file by its own descriptor: IMA wants to see what was signed. */
	err = source_fd(&in->source[OBJECT_KERNEL], budget_spool_bytes(&in->budget, sys), &kernel_fd, fail);
	if (!err && has_initrd)
		err = source_fd(&in->source[OBJECT_INITRD], budget_spool_bytes(&in->budget, sys), &initrd_fd, fail);
	if (err)
		return err;
	kept = kept_cmdline(in, sys);
	cmdline = kept ? kept : in->cmdline ? in->cmdline : request->cmdline;	/* "" stays that */
	flags |= has_initrd ? 0 : SYS_FILE_NO_INITRAMFS;
	*result = sys->kexec_file_load(sys, kernel_fd, initrd_fd, cmdline, flags);
	/* Kernels before 6.17 do not know this flag, and use no CMA anyway. */
	if (*result == -EINVAL && flags & SYS_FILE_NO_CMA)
		*result = sys->kexec_file_load(sys, kernel_fd, initrd_fd, cmdline, flags & ~(unsigned long)SYS_FILE_NO_CMA);
	free(kept);
	return *result ? fail_set(fail, KX_FILE_LOAD, "%s", strerror(-*result)) : KX_OK;
}

enum kx_err load_by_file(struct inputs *inputs, struct sys *sys, const struct load_request *request, struct report *report, int *result,
			 struct fail *fail)
{
	uint64_t start_ms = sys->now_ms(sys);
	enum kx_err err = inputs_open(inputs, sys, request, report, fail);

	*result = 0;
	if (!err)
		err = file_load(inputs, sys, request, result, fail);
	if (err)
		return err;
	if (inputs->uki_dtb.bytes)
		report_note(report, "the kernel's own device tree is not used: kexec_file_load takes none");
	snprintf(report->kernel, sizeof(report->kernel), "%s", request->kernel);
	snprintf(report->boot_entry, sizeof(report->boot_entry), "%s", request->boot_entry ? request->boot_entry : "");
	snprintf(report->format, sizeof(report->format), "%s", inputs->format);
	strcpy(report->check, "none");
	report->by_file = report->loaded = true;
	report->load_ms = sys->now_ms(sys) - start_ms;
	return KX_OK;
}
