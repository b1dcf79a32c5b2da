/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One load on its way: the files, the huge pages, the plan, and what is made of them. load.c says what is done in which
 * order; files.c, kernel.c, payload.c, place.c, fill.c and crash.c do it.
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include "control.h"
#include "image.h"
#include "load.h"
#include "machine.h"
#include "plan.h"
#include "source.h"
#include "stage.h"

#define OBJECT_KERNEL	0
#define OBJECT_INITRD	1

/* A run of slots that the kernel relocates, and the memory it is read into meanwhile. */
struct relocated_run {
	struct range range;	/* the segment */
	pa_t slots_pa;		/* of the first slot */
	unsigned char *buf;	/* of whole slots */
	uint64_t buf_bytes;
};

/* Memory that was filled: make the digest of a piece in it, and clean it to memory where it stays until the jump. */
struct fill_job {
	struct purg_piece *piece;	/* null: no digest */
	const void *bytes;		/* of the piece */
	const void *page;		/* null: none; else HUGE_PAGE_BYTES */
};

/* Purgatory, embedded at build time. */
extern const unsigned char purgatory_blob[];
extern const size_t purgatory_blob_bytes;

#define RELOCATED_RUNS_MAX	14	/* KEXEC_SEGMENT_MAX less the control segment and the device tree; a crash kernel has two at most */

struct payload {
	struct sys *sys;
	const struct load_request *request;
	struct machine machine;
	struct report *report;

	struct source source[PLAN_OBJECTS];
	struct arm64_image image;
	const char *type;		/* what the kernel file is at the outermost: "Image", "uki" */
	char format[64];		/* and all that was found on the way to the Image: "uki, vmlinuz, zstd" */
	struct source_part uki_initrd, uki_cmdline, uki_dtb;	/* of the kernel's source; bytes 0: there is none */
	const char *cmdline;		/* null: keep the device tree's */
	char *cmdline_buf;

	int lock_error;			/* of sys->lock(): 0, no other loader is staging */
	struct stage stage;
	bool *keep;			/* the huge pages that the plan uses */
	struct plan_input input;
	struct plan plan;

	struct relocated_run run[RELOCATED_RUNS_MAX];
	size_t runs;

	uint32_t check;			/* PURG_CHECK_* */
	uint32_t cpus;			/* for purgatory */
	struct purg_piece *pieces;
	size_t piece_count;
	struct fill_job *jobs;		/* what is left to do with what was read; other CPUs do it meanwhile */
	size_t job_count;
	uint64_t filled_bytes, total_bytes;

	unsigned char *dtb;		/* padded with zeros to a multiple of PURG_UNIT_BYTES */
	size_t dtb_room, dtb_bytes, dtb_padded_bytes, dtb_planned_bytes, timeline_at;
	bool seeded;
	uint8_t seeds[8 + 128];

	unsigned char *elfcore;		/* of a crash kernel; lies behind the device tree */
	size_t elfcore_bytes;

	unsigned char *control;
	size_t control_room, control_bytes, table_bytes;
	pa_t entry_pa;
};

/* In this order; each says in its errors what is wrong, and payload_free() puts everything back, staged memory
 * included, unless payload_commit() was reached. */
enum kx_err payload_find_kernel(struct payload *p, unsigned char *head, size_t room, size_t *got, struct fail *fail);	/* a step of: */
enum kx_err payload_open_files(struct payload *p, struct fail *fail);	/* files and command line: the first half of: */
enum kx_err payload_take_uki_dtb(struct payload *p, struct fail *fail);	/* a step of: */
enum kx_err payload_open(struct payload *p, struct fail *fail);		/* files, command line, check */
pa_t payload_elfcore_pa(const struct payload *p);
enum kx_err payload_describe_crash(struct payload *p, struct fail *fail);	/* a step of payload_open() */
enum kx_err payload_place(struct payload *p, struct fail *fail);	/* huge pages and plan */
enum kx_err payload_fill(struct payload *p, struct fail *fail);		/* read everything into its place */
enum kx_err payload_finish(struct payload *p, struct fail *fail);	/* device tree and control segment */
enum kx_err payload_commit(struct payload *p, struct fail *fail);	/* kexec_load */
enum kx_err payload_try_control(struct payload *p);	/* a step of payload_place(): how much room it needs at most; KX_NO_ROOM: it does not fit */
enum kx_err payload_make_control(struct payload *p, struct fail *fail);	/* a step of payload_finish() */
void payload_sweep(struct payload *p, int keep);	/* a step of payload_commit(): give back what others have staged */
void payload_report(struct payload *p);
void payload_free(struct payload *p);


/* kexec_file_load(2), file.c. *result is what the call said, 0 if it was not made. Should it fail, the files stay open, so that
 * a pipe need not be read twice. */
enum kx_err load_by_file(struct payload *p, int *result, struct fail *fail);
bool file_load_is_missing(int err);	/* of *result: the kernel has no such call */
bool file_load_may_fall_back(int err);

#endif
