/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The closed list of what can go wrong. Each has one sentence that says what is wrong and what to do about it; what it
 * is about (a file, a number) goes into struct fail beside it. Functions return an enum kx_err, and none of them
 * prints it: that is main.c's.
 */
#ifndef ERR_H
#define ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum kx_err {
	KX_OK = 0,

	/* The request or a file is bad. */
	KX_OPEN,
	KX_OPEN_INITRD,
	KX_READ,
	KX_WRITE,
	KX_CHANGED,
	KX_EMPTY,
	KX_TOO_BIG,
	KX_TOO_MANY_FILES,
	KX_UNPACK,
	KX_NOT_IMAGE,
	KX_IMAGE_TRUNCATED,
	KX_IMAGE_BIG_ENDIAN,
	KX_IMAGE_HEADER,
	KX_UNKNOWN_TYPE,
	KX_WRONG_TYPE,
	KX_CONTAINER_BAD,
	KX_CONTAINER_ARCH,
	KX_CODEC_LEFT_OUT,
	KX_COMPRESSED_BAD,
	KX_COMPRESSED_SHORT,
	KX_DTB_BAD,
	KX_DTB_TOO_BIG,
	KX_DTB_NO_MEMORY,
	KX_NO_DTB,
	KX_CMDLINE_TOO_LONG,
	KX_SERIAL,
	KX_IOMEM_BAD,
	KX_NO_PROC,
	KX_NOT_VMCORE,
	KX_NO_LOG,
	KX_FILE_OPTION,
	KX_NO_ENTRY,
	KX_ENTRY_UNDECIDED,
	KX_ENTRY_UNKNOWN,
	KX_ENTRY_AMBIGUOUS,
	KX_ENTRY_BROKEN,

	/* This machine or this moment cannot do it. */
	KX_NOT_ROOT,
	KX_WRONG_ARCH,
	KX_LOAD_DISABLED,
	KX_LOCKDOWN,
	KX_NO_SYSCALL,
	KX_BUSY,
	KX_LOCKED,
	KX_LOAD_LIMIT,
	KX_LOAD_LIMIT_PANIC,
	KX_NOT_PERMITTED,
	KX_OTHER_IPC_NS,
	KX_CONTAINER,
	KX_USER_NS,
	KX_SHM_RMID_FORCED,
	KX_STAGE_NOT_ROOT,
	KX_NO_PSCI,
	KX_CPUS_STAY,
	KX_LIVE_UPDATE,
	KX_NO_PFN,
	KX_NO_HUGE_PAGES,
	KX_NO_IPC_LOCK,
	KX_LIMIT_READ_ONLY,
	KX_NO_MEMORY,
	KX_NO_ROOM,
	KX_NOTHING_LOADED,
	KX_NO_TIMELINE,
	KX_NO_TIMELINE_TREE,
	KX_TIMELINE_FOREIGN,
	KX_INTERRUPTED,
	KX_INTERRUPTED_UNLOADED,
	KX_NOT_STARTED,
	KX_NO_STDOUT,
	KX_REPORT_LOST,
	KX_MOVED,
	KX_NOT_STAGED,
	KX_STAGED_GONE,
	KX_LEDGER_BAD,
	KX_LEDGER_VERSION,
	KX_UNDONE,
	KX_NOT_UNDONE,
	KX_NO_CRASH_MEMORY,
	KX_NO_CRASH_NOTES,
	KX_CRASH_MEMORY_SMALL,
	KX_CRASH_MEMORY_TAKEN,
	KX_CRASH_MEMORY_STAGED,
	KX_CRASH_KERNEL_LOST,
	KX_CRASH_KERNEL_LOADED,
	KX_NO_RETAINED_INITRD,

	/* The kernel said no. */
	KX_FILE_LOAD,
	KX_FILE_UNAVAILABLE,
	KX_KEXEC_LOAD,
	KX_UNLOAD,
	KX_REBOOT,
	KX_SHUTDOWN,
	KX_SHM,

	/* We are wrong. */
	KX_PLAN_CHECK,
	KX_INTERNAL,

	KX_ERR_COUNT
};

/* What failed, for the person. detail is a file name, a number or nothing. */
struct fail {
	enum kx_err err;
	char detail[256];
};

/* The sentence of an error, without a full stop. Never null. */
const char *err_text(enum kx_err err);

/* Record what failed and return err, so that a caller can write: return fail_set(fail, KX_OPEN, "%s", path). */
enum kx_err fail_set(struct fail *fail, enum kx_err err, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same where there is nothing to say but the error's own sentence. */
enum kx_err fail_with(struct fail *fail, enum kx_err err);

/* The whole sentence, as it is printed: what failed, and why. Without a full stop. */
void fail_sentence(const struct fail *fail, char *out, size_t room);
#define FAIL_SENTENCE_CHARS	512

#endif
