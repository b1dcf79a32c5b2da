/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ledger: what is staged, described by itself, so that any later run can show, verify, heal or undo it. It lies in memory that
 * outlives its maker as the staged pages do. Pure: bytes in, bytes out. What is read is held against every rule, as hostile input is.
 *
 * The header keeps its layout for ever, and is all that a program needs to clean up behind one of another version. The body is of the
 * version that the header names. Both are in the byte order of the machine, which it never leaves: memory does not outlive a boot, so no
 * boot ID is needed either.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include "err.h"
#include "image.h"
#include "plan.h"
#include "purgatory_abi.h"

#define LEDGER_MAGIC	0x52474445544c584b	/* "KXLTEDGR" */
#define LEDGER_VERSION	3	/* 2: the GIC's tables; 3: a device tree that is staged */

enum ledger_state {
	LEDGER_STAGING,		/* its maker is at work; once that is dead, it is to be undone */
	LEDGER_COMMITTING,	/* all is written, and the kernel has been told, or was just about to be */
	LEDGER_LOADED,		/* the kernel counts on it */
	LEDGER_MOVING,		/* payload is being copied from page to page: where each slot's is by now, ledger_moves() has */
};

/* What happens between the load and the jump, by the order in which it happens. */
enum ledger_stamp {
	LEDGER_STAMP_ASKED,	/* somebody asked for the reboot */
	LEDGER_STAMP_STOPPED,	/* services are stopped and file systems unmounted */
	LEDGER_STAMP_JUMP,	/* reboot(2) is next */
	LEDGER_STAMPS
};

/* Written by plain stores, state last: a process may be killed between any two of them. */
struct ledger_header {
	uint64_t magic;
	uint32_t version;
	uint32_t state;			/* enum ledger_state */
	uint64_t generation;		/* the later one of two is the larger */
	uint32_t staging_kind;		/* STAGING_* of stage/staging.h */
	uint32_t staging_number;
	uint64_t limit_before;		/* while limit_raised: what the limit on surplus huge pages was before it was raised ... */
	uint64_t limit_written;		/* ... and to what: should it be something else by now, it is the administrator's */
	uint32_t limit_raised;
	uint32_t entry_is_offset;	/* of entry_pa only the part below LEDGER_ENTRY_UNIT is known: kexec_file_load(2) chose the rest */
	uint64_t entry_pa;		/* that kexec_load(2) was given: by it the kernel's image is recognized (ledger_is_entry()) */
	uint64_t body_bytes;
	uint8_t body_digest[PURG_CRC_BYTES];	/* CRC32C lanes of the body, padded with zeros to PURG_UNIT_BYTES */
	uint64_t stamp[LEDGER_STAMPS];	/* CNTVCT_EL0 then; 0: not known. A program that knows none of them leaves 0 */
	uint64_t area_pa;		/* where the staging's first page is, of a kind that has no choice; else 0 */
	uint64_t crash_entry_pa;	/* written before the crash kernel's memory is staged in: that image's entry point; 0: it is not */
};

#define LEDGER_ENTRY_UNIT	MIB(2)
#define LEDGER_BODY_OFFSET	PURG_UNIT_BYTES
#define LEDGER_FILES		(1 + 16)
#define LEDGER_BYTES_MAX	MIB(64)
#define LEDGER_PAGES_MAX	65536	/* 128 GiB */
#define LEDGER_TABLES_MAX	65536

/* A file that was loaded: enough to tell whether it is still that one. */
struct ledger_file {
	const char *path;
	uint64_t inode, bytes;
	int64_t ctime_ns;
};

/* What the file gave for one slot of an object's window. */
struct ledger_slot {
	uint32_t page;			/* where it waits; PLAN_NO_PAGE: nowhere, it is BSS or went through the kernel */
	uint32_t bytes;			/* of the file; what pads them to PURG_UNIT_BYTES is zero */
	uint8_t digest[PURG_SHA_BYTES];	/* of the padded bytes */
};

struct ledger_object {
	uint64_t offset_bytes, memory_bytes, file_bytes;	/* as in struct plan_object */
	uint32_t slots;
	const struct ledger_slot *slot;
};

#define LEDGER_PAGE_EXTRA	0x1	/* nothing lies in it: it is there for planning anew, and may move or go */

struct ledger_page {
	uint64_t pa;
	uint32_t page;			/* of the staging */
	uint32_t flags;			/* LEDGER_PAGE_* */
};

#define LEDGER_RELOCATED	0x1	/* part of the payload is in the kernel's hands alone: nothing of it can be planned anew */
#define LEDGER_NO_MMU		0x2
#define LEDGER_HAS_CMDLINE	0x4
#define LEDGER_HAS_SERIAL	0x8
#define LEDGER_HAS_TABLES	0x10	/* all of them were known */
#define LEDGER_BY_FILE		0x20	/* handed over by kexec_file_load(2): nothing is in the kernel's hands but the control segment */

struct ledger {
	uint64_t made_at;		/* seconds since 1970 */
	uint32_t pid, flags;		/* of the loader; LEDGER_* */
	const char *program;		/* that wrote it, by name */
	struct ledger_file file[LEDGER_FILES];	/* the kernel first */
	uint32_t files;
	const char *format;		/* of the kernel file, as a report has it */
	const char *cmdline, *serial;	/* null: none was given */
	struct arm64_image image;
	struct ledger_object object[PLAN_OBJECTS];
	uint32_t check, digest;		/* PURG_CHECK_*: for purgatory, and by what the digests were made */
	uint32_t cpus;			/* as was asked for */
	uint32_t room;			/* pages of the staging, present or not */
	uint32_t pages;			/* that are present, and counted on */
	const struct ledger_page *page;	/* by their number */
	pa_t control_pa, dtb_pa;
	struct ledger_slot tree;	/* with LEDGER_BY_FILE: the next kernel's device tree, which waits at dtb_pa in this page */
	const void *dtb;		/* the device tree that the next kernel's was made of */
	size_t dtb_bytes;
	/* The GIC's tables, which stay where they are as long as the kernel lives, while its log, which alone names them, loses what it said. */
	uint32_t tables;
	const struct range *table;
};

/* What a ledger takes at most, header included, for a load of these objects. */
size_t ledger_bytes_max(const struct ledger *ledger);

/*
 * Write the body behind the header at out, of room bytes, and its length and digest into the header, whose other members stay as they
 * are. Errors: KX_NO_ROOM
 */
enum kx_err ledger_write(const struct ledger *ledger, void *out, size_t room);

/*
 * Behind the body: a page number for each slot, of one object after the other, to be kept up to date while payload is copied from page to
 * page. All of them are to be there before the state says LEDGER_MOVING. Null: there is no room.
 */
uint32_t *ledger_moves(void *bytes, size_t count, const struct ledger *ledger);

/* Make the body's digest anew. For tests: the body was changed. */
void ledger_digest(struct ledger_header *header);

/* Whether an image that starts there is the one that this header is about. */
static inline bool ledger_is_entry(const struct ledger_header *header, pa_t entry_pa)
{
	return (header->entry_is_offset ? entry_pa % LEDGER_ENTRY_UNIT : entry_pa) == header->entry_pa;
}

/* Whether there is a header of ours at the beginning of these bytes, of whatever version. */
bool ledger_is_header(const void *bytes, size_t count);

/*
 * Read a whole ledger: header and body, 8-byte aligned, which must stay as they are for as long as *ledger is used: a copy, since slots
 * whose payload was copied meanwhile are brought up to date in it. On success every
 * number in it is within its bounds: slots are those that the objects need, pages are in ascending order, and each slot's is one of them
 * and no other slot's.
 *
 * Errors: KX_LEDGER_BAD; KX_LEDGER_VERSION: the body is of another version of this program
 */
enum kx_err ledger_read(struct ledger *ledger, void *bytes, size_t count);

/* Where the stamps lie that purgatory copies (struct purg_stamps): the page, and where in it. False: there are none. */
bool ledger_stamps(const struct ledger *ledger, uint32_t *page, uint64_t *page_offset);

/* The present page of that number; null: none. */
const struct ledger_page *ledger_page(const struct ledger *ledger, uint32_t page);

#endif
