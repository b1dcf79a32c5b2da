/* SPDX-License-Identifier: GPL-2.0-only */
/* What a load did, or would do, and what the last jump cost: as facts, and from facts to text or JSON. Pure. */
#ifndef REPORT_H
#define REPORT_H

#include "err.h"
#include "range.h"
#include "reboot.h"

#include <stdio.h>

#define REPORT_NOTES	8
#define REPORT_OBJECTS	2

struct report_object {
	char name[16];		/* "kernel", "initrd" */
	struct range place;	/* what it takes in memory */
	uint64_t file_bytes;
	uint32_t slots, in_place, moved, relocated;
};

struct report {
	bool fast;		/* --fast-reloc was asked for */
	bool loaded;		/* else it is only a plan */
	bool by_file;		/* by kexec_file_load(2): the rest of this is empty */
	char kernel[128];	/* file name as given */
	char boot_entry[128];	/* "", or the ID of the boot entry that it came from */
	char format[64];	/* "", or what the Image was in: "gzip", "uki, vmlinuz, zstd" */
	uint64_t initrd_packed_bytes, initrd_unpacked_bytes;	/* decompressed at load; 0: it was not */
	char initrd_compression[40];	/* "zstd" */
	struct report_object object[REPORT_OBJECTS];
	unsigned int objects;
	struct range control, dtb;
	uint64_t table_bytes;
	bool through_file_load;	/* what is staged was handed over by kexec_file_load(2), in an Image of ours; else by kexec_load(2) */
	bool in_crash_memory;	/* it is staged there, and not in huge pages */
	unsigned int segments;	/* handed to the kernel ... */
	uint64_t segment_bytes;	/* ... and their sum */
	uint64_t slot_bytes;	/* that a slot of the objects takes */
	uint64_t staged_bytes;	/* kept until the jump */
	uint32_t pages_tried;	/* how many were looked at to find a place */
	char check[24];		/* "crc32c", ... */
	unsigned int cpus;	/* that purgatory may use */
	char console[32];	/* "" if there is none */
	char cmdline[2048];	/* "": the device tree's is kept. Not printed. */
	uint64_t load_ms;
	char note[REPORT_NOTES][320];	/* what is not as asked for, and why */
	unsigned int notes;
};

void report_note(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line for each note: what is not as asked for, and why. */
void report_notes(const struct report *report, FILE *out);

/* The table of --plan. */
void report_table(const struct report *report, FILE *out);
/* One or two sentences after a load. */
void report_sentence(const struct report *report, FILE *out);
void report_json(const struct report *report, FILE *out);

/* The record purgatory left: bytes of the device tree property. One of an older version, or of a newer one, is told as far as it goes
 * and is understood; what rests on a cell that it has not is left out. Errors: KX_TIMELINE_FOREIGN */
enum kx_err timeline_text(const void *record, size_t bytes, FILE *out);
/* reboot: of the same record, becomes a member of it; null: it is left out. */
enum kx_err timeline_json(const void *record, size_t bytes, const struct reboot *reboot, FILE *out);

/* The same as metrics in Prometheus' text format. record: null, or one that is not ours: then this kernel was not started by us, which is
 * a metric too. */
void timeline_prometheus(const void *record, size_t bytes, FILE *out);

#endif
