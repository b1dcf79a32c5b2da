/* SPDX-License-Identifier: GPL-2.0-only */
#include "err.h"

#include <stdio.h>

static const char *const texts[KX_ERR_COUNT] = {
	[KX_OK] = "no error",

	[KX_OPEN] = "cannot be opened; check the name and the permissions",
	[KX_OPEN_INITRD] = "Could not open initrd file; check the name and the permissions",
	[KX_READ] = "cannot be read to its end; check the file and its disk",
	[KX_WRITE] = "cannot be written; check the directory and its disk",
	[KX_CHANGED] = "changed while it was read; try again when nothing writes to it",
	[KX_EMPTY] = "is empty; make or copy it again",
	[KX_TOO_BIG] = "is larger than this machine can hold; make it smaller",
	[KX_UNPACK] = "cannot be unpacked; leave out --unpack-initrd=yes, and the next kernel does what it can",
	[KX_TOO_MANY_FILES] = "is one file too many; put initrds together with cat",
	[KX_NOT_IMAGE] = "it is not an arm64 Linux kernel (Image, compressed or not; vmlinux, uImage, EFI zboot or UKI)",
	[KX_IMAGE_TRUNCATED] = "is truncated: it ends before its own header says; copy it again",
	[KX_IMAGE_BIG_ENDIAN] = "is a big-endian kernel, which this little-endian system cannot start",
	[KX_IMAGE_HEADER] = "has an arm64 Image header that makes no sense; build or copy it again",
	[KX_UNKNOWN_TYPE] = "Unsupported kernel type",
	[KX_WRONG_TYPE] = "leave --type out, or name the right one",
	[KX_CONTAINER_BAD] = "is damaged, or holds no arm64 kernel; build or copy it again",
	[KX_CONTAINER_ARCH] = "holds no kernel for arm64; take one built for this machine",
	[KX_CODEC_LEFT_OUT] = "this kexec was built without the decompressor for it; take a file that is compressed in another way, or not at "
			      "all, or build kexec without that --without option",
	[KX_COMPRESSED_BAD] = "is damaged: decompression failed; copy it again",
	[KX_COMPRESSED_SHORT] = "ends in the middle of what is compressed in it; copy it again",
	[KX_DTB_BAD] = "is not a valid device tree; make it again with dtc",
	[KX_DTB_TOO_BIG] = "grows over 2 MiB, the most that arm64 Linux takes as a device tree",
	[KX_DTB_NO_MEMORY] = "names no memory, and neither does this machine's device tree, nor is there EFI: the next kernel would find none; put "
			     "a memory node into it",
	[KX_NO_DTB] = "no device tree in /sys/firmware/fdt nor /proc/device-tree; name one with --dtb",
	[KX_CMDLINE_TOO_LONG] = "the kernel command line is longer than 2047 bytes; shorten it",
	[KX_SERIAL] = "has no memory-mapped registers that purgatory could write to, so it only gives bad news, on the kernel's own "
		      "console; name another tty with --serial",
	[KX_IOMEM_BAD] = "/proc/iomem names no System RAM; run as root, or with CAP_SYS_ADMIN, in the initial user namespace",
	[KX_NO_PROC] = "is not there, since /proc is not mounted, or only in part (systemd: ProcSubset=pid); run kexec where all of it is",

	[KX_NOT_ROOT] = "only root may load or start a kernel; run as root (without --fast-reloc CAP_SYS_BOOT and CAP_SYS_ADMIN "
			"are enough)",
	[KX_WRONG_ARCH] = "this is a kexec for arm64, and this machine is none",
	[KX_LOAD_DISABLED] = "kexec is switched off until the next boot (kernel.kexec_load_disabled=1)",
	[KX_LOCKDOWN] = "the kernel's lockdown mode forbids kexec_load; switch off Secure Boot or lockdown, or reboot "
			"through the firmware",
	[KX_NO_SYSCALL] = "this kernel has no kexec_load system call (CONFIG_KEXEC is not set)",
	[KX_BUSY] = "the kernel is busy with another load, or its CPUs cannot be taken offline for kexec",
	[KX_LOCKED] = "another kexec is loading or unloading; try again when it is done",
	[KX_LOAD_LIMIT] = "kernel.kexec_load_limit_reboot allows no further load until the next boot",
	[KX_LOAD_LIMIT_PANIC] = "kernel.kexec_load_limit_panic allows no further load of a crash kernel until the next boot",
	[KX_NOT_PERMITTED] = "the kernel does not permit it; run with CAP_SYS_BOOT, and check lockdown and "
			     "kernel.kexec_load_disabled",
	[KX_OTHER_IPC_NS] = "staged memory belongs to the host's IPC namespace; run kexec in that of the host's PID 1",
	[KX_CONTAINER] = "a container cannot start a kernel; run kexec on the host",
	[KX_USER_NS] = "a kernel cannot be started from a user namespace of its own (a container, or systemd's PrivateUsers=); run kexec "
		       "outside of it",
	[KX_SHM_RMID_FORCED] = "staged memory would vanish when kexec exits; set kernel.shm_rmid_forced=0",
	[KX_STAGE_NOT_ROOT] = "staged memory must be root's, so that nobody else can take it away; run as user 0",
	[KX_NO_PSCI] = "this machine names no PSCI firmware, so a failed check could not reset it; reset it by "
		       "hand if the new kernel does not come up",
	[KX_CPUS_STAY] = "cannot be taken offline, so this kernel would stop at kexec -e (\"Non-boot CPUs are not disabled\"); boot with maxcpus=1 to "
			 "use kexec here, or reboot through the firmware",
	[KX_LIVE_UPDATE] = "what is preserved for the next kernel would be lost, since only the kernel's own kexec_file_load hands that over; use kexec -s "
			   "without --fast-reloc, or add --drop-live-update",
	[KX_NO_PFN] = "the kernel hides physical addresses; run with CAP_SYS_ADMIN in the initial user namespace",
	[KX_NO_HUGE_PAGES] = "no 2 MiB huge pages to be had; free memory, or load earlier after boot",
	[KX_NO_IPC_LOCK] = "huge pages in shared memory are for CAP_IPC_LOCK and the group in vm.hugetlb_shm_group only; run with "
			   "one of them",
	[KX_LIMIT_READ_ONLY] = "vm.nr_overcommit_hugepages cannot be raised for the load, since /sys is read-only; set it before, or "
			       "make /sys writable (systemd: ProtectKernelTunables=no)",
	[KX_NO_MEMORY] = "out of memory; free some and try again",
	[KX_NO_ROOM] = "no place in memory where it may lie; free memory or make it smaller",
	[KX_NOTHING_LOADED] = "Nothing has been loaded!",
	[KX_NO_TIMELINE] = "this kernel was not started by this kexec, so there is no timeline",
	[KX_NO_TIMELINE_TREE] = "no device tree in /sys/firmware/fdt nor /proc/device-tree that a timeline could be in; mount /sys and "
				"/proc, and run as root",
	[KX_TIMELINE_FOREIGN] = "/chosen/kexec-fast,timeline in the device tree is not a record that purgatory left; if --dtb or the "
				"firmware brings it along, take it out of there",
	[KX_INTERRUPTED] = "interrupted; what was loaded before still is",
	[KX_INTERRUPTED_UNLOADED] = "interrupted; what was loaded before is unloaded, as -u asked for",
	[KX_NOT_STARTED] = "interrupted; the kernel is loaded and was not started, which kexec -e does",
	[KX_NO_STDOUT] = "standard output cannot be written to, so nothing was loaded; with -q nothing is written to it",
	[KX_REPORT_LOST] = "the kernel is loaded, but the report on it could not be written",
	[KX_NOT_STAGED] = "nothing is staged; kexec --fast-reloc -l does that",
	[KX_STAGED_GONE] = "the memory that was staged has been taken away (ipcrm, kernel.shm_rmid_forced, or a memory error); load again",
	[KX_LEDGER_BAD] = "the record of what is staged is damaged; load again",
	[KX_LEDGER_VERSION] = "what is staged was staged by another version of kexec; load again with this one",
	[KX_UNDONE] = "what was staged could not be started any more, so the load was undone; load again, or reboot through the firmware",
	[KX_NOT_UNDONE] = "what was staged could not be started any more, and the kernel does not let go of it; do not start it, and "
			  "reboot through the firmware",
	[KX_MOVED] = "the kernel moved staged memory while it was being loaded; try again",

	[KX_NOT_VMCORE] = "is no dump of an arm64 kernel; take /proc/vmcore or a copy of it",
	[KX_NO_LOG] = "does not hold the kernel log, or not whole; take an unfiltered dump",
	[KX_NO_CRASH_MEMORY] = "Memory for crashkernel is not reserved\n"
			       "Please reserve memory by passing\"crashkernel=Y@X\" parameter to kernel\n"
			       "Then try to loading kdump kernel",
	[KX_NO_CRASH_NOTES] = "this kernel does not say where it writes its registers at a crash; it needs CONFIG_CRASH_DUMP",
	[KX_CRASH_MEMORY_SMALL] = "does not fit into the crash kernel's memory; reserve more (crashkernel=), or leave out --stage=crashkernel",
	[KX_CRASH_MEMORY_TAKEN] = "a crash kernel was loaded over what was staged in its memory, or it was unloaded; load again",
	[KX_CRASH_MEMORY_STAGED] = "the crash kernel's memory holds the kernel that is staged for the next reboot; kexec -u gives it back",
	[KX_CRASH_KERNEL_LOST] = "the crash kernel that was loaded is not any more, and this kexec did not load it; load it again (kdump-config load, or "
				 "kexec -p)",
	[KX_CRASH_KERNEL_LOADED] = "a crash kernel is loaded in the memory that --mem-min and --mem-max name; unload it (kexec -p -u), or name another range",
	[KX_NO_RETAINED_INITRD] = "unrecoverable error: current boot didn't retain the initrd for reuse; boot with retain_initrd",
	[KX_FILE_OPTION] = "that is nothing kexec_file_load can do; leave out -s",
	[KX_NO_ENTRY] = "no boot entry was found that can be loaded; kexec --list-boot-entries says why, or give the kernel's file",
	[KX_ENTRY_UNDECIDED] = "which boot entry is the default cannot be told from the boot loader's files; name one that kexec --list-boot-entries shows",
	[KX_ENTRY_UNKNOWN] = "there is no such boot entry; kexec --list-boot-entries shows them",
	[KX_ENTRY_AMBIGUOUS] = "several boot entries have that title or version; give an ID that kexec --list-boot-entries shows",
	[KX_ENTRY_BROKEN] = "this boot entry cannot be loaded; choose another, or put it right",
	[KX_FILE_LOAD] = "kexec_file_load failed",
	[KX_FILE_UNAVAILABLE] = "syscall kexec_file_load not available.",
	[KX_KEXEC_LOAD] = "kexec_load failed",
	[KX_UNLOAD] = "kexec unload failed",
	[KX_REBOOT] = "kexec failed",
	[KX_SHUTDOWN] = "cannot start shutdown; the kernel is loaded, start it with kexec -e",
	[KX_SHM] = "cannot get shared memory for staging; check kernel.shmmax and kernel.shmall",

	[KX_PLAN_CHECK] = "the plan broke one of its own rules and was not used; please report this",
	[KX_INTERNAL] = "internal error; please report this",
};

const char *err_text(enum kx_err err)
{
	if ((unsigned int)err >= KX_ERR_COUNT || !texts[err])
		return "unknown error";
	return texts[err];
}

enum kx_err fail_set(struct fail *fail, enum kx_err err, const char *format, ...)
{
	va_list args;

	fail->err = err;
	va_start(args, format);
	vsnprintf(fail->detail, sizeof(fail->detail), format, args);
	va_end(args);
	return err;
}

enum kx_err fail_with(struct fail *fail, enum kx_err err)
{
	*fail = (struct fail){ .err = err };
	return err;
}

void fail_sentence(const struct fail *fail, char *out, size_t room)
{
	snprintf(out, room, "%s%s%s", fail->detail, fail->detail[0] ? ": " : "", err_text(fail->err));
}
