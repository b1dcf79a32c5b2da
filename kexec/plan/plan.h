/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The heart: which payload byte goes into which huge page, so that as much as possible already lies where it is booted from.
 * Pure, and knows no architecture: the rules of the boot protocol come in as data.
 *
 * Every object (the kernel with its BSS, the initrd) gets a window: consecutive 2 MiB slots. A slot is
 *   in place  when the huge page at that address is ours: the payload is written there and stays;
 *   moved     when it is not: the payload waits in a huge page outside every window and purgatory copies it;
 *   relocated when no huge page is left for it: it becomes part of a kexec segment, and the kernel copies it;
 *   empty     when nothing of the file lies in it: BSS, which the next kernel clears itself and which needs no huge page.
 * Sources lie outside every window and windows do not overlap, so moves need no order and cannot form cycles.
 */
#ifndef PLAN_H
#define PLAN_H

#include "err.h"
#include "range.h"

#define PLAN_OBJECTS	2

/* The unit of the plan. booting.rst wants an Image at a 2 MiB aligned base; a staging backend's pages are as long (staging.h). */
#define PLAN_SLOT_BYTES	MIB(2)

#define PLAN_NO_PAGE	UINT32_MAX

/* What is to be placed. */
struct plan_object {
	const char *name;
	uint64_t offset_bytes;	/* from the start of the window to the first byte: text_offset of an Image */
	uint64_t memory_bytes;	/* from there, what must be free: image_size, BSS included; 0: no such object */
	uint64_t file_bytes;	/* of it, what is loaded */
};

/* Where the control segment and the device tree may lie. */
enum plan_small {
	PLAN_SMALL_ANYWHERE,	/* in a huge page of ours if no payload has to do without it, else in spare memory */
	PLAN_SMALL_OURS,	/* in huge pages of ours only */
	PLAN_SMALL_SPARE,	/* in spare memory only: the kernel does not write to our pages at the jump */
};

/* The boot protocol, as far as it is about places. booting.rst for arm64. */
struct plan_rules {
	uint64_t span_align_bytes;	/* all objects lie in one window that is so aligned ... */
	uint64_t span_bytes;		/* ... and so long */
	pa_t pa_limit;			/* nothing lies at or above it */
	uint64_t page_bytes;		/* of the running kernel: kexec segments are so aligned */
	unsigned int segments_max;	/* that kexec_load takes */
	bool pages_alone;		/* no piece of a file goes through the kernel */
	enum plan_small small;
};

struct plan_input {
	const pa_t *page_pa;		/* of the owned huge pages, by their index; 2 MiB aligned */
	uint32_t pages;
	/* Where an owned huge page may be booted from. Others only serve as sources, and are never a destination. */
	const struct range_set *ram;
	const struct range_set *spare;	/* what may be overwritten though it is not ours */
	struct plan_object object[PLAN_OBJECTS];
	uint64_t control_bytes;		/* 1 to PLAN_SLOT_BYTES */
	uint64_t dtb_bytes;		/* 1 to PLAN_SLOT_BYTES */
	struct plan_rules rules;
};

enum slot_kind { SLOT_IN_PLACE, SLOT_MOVED, SLOT_RELOCATED, SLOT_EMPTY };

struct plan_slot {
	enum slot_kind kind;
	uint32_t page;		/* that holds the payload until the jump; PLAN_NO_PAGE if relocated or empty */
};

struct plan_window {
	pa_t pa;		/* of the first slot, 2 MiB aligned */
	struct plan_slot *slot;
	uint32_t slots;
};

struct plan {
	struct plan_window window[PLAN_OBJECTS];
	/* The control segment and the device tree go through the kernel. They are sent to huge pages of ours where some are left over. */
	pa_t control_pa;
	uint32_t control_page;	/* PLAN_NO_PAGE: not ours */
	pa_t dtb_pa;
	uint32_t dtb_page;	/* the control segment's, if both fit into it */
	uint32_t in_place, moved, relocated, empty;	/* slots */
};

/* Slots that an object needs. */
uint32_t plan_slots(const struct plan_object *object);

/*
 * Huge pages that let the whole input lie in place, if they come in long enough runs; with one for each slot of BSS. A load that keeps so many
 * can be planned anew wherever they have moved to: however many of them come to lie under BSS, the others are enough for all files.
 */
uint32_t plan_pages_wanted(const struct plan_input *input);

/*
 * Make the plan with the fewest slots that hold a piece of a file and are not ours; among equals one at a low address. If the holes between the
 * huge pages would need more segments than the kernel takes, the plan does without huge pages. What the plan allocates is the
 * caller's to give back with plan_free().
 *
 * Errors: KX_NO_ROOM: no window fits, or more segments would be needed than the kernel takes; KX_NO_MEMORY
 * On error the plan is empty.
 */
enum kx_err plan_make(struct plan *plan, const struct plan_input *input);
void plan_free(struct plan *plan);

/*
 * Prove that a plan keeps every rule: what production runs before every load, and the fuzzers' oracle. It looks at the
 * plan as made, not at how.
 *
 * Returns null if all is well, else a word on what is not.
 */
const char *plan_check(const struct plan *plan, const struct plan_input *input);

/* Contiguous runs of relocated slots of an object: what becomes kexec segments. Returns their number; fills at most
 * room of them. Each is cut to the file's own bytes, rounded up to a page: BSS needs no copy. */
size_t plan_segments(const struct plan *plan, const struct plan_input *input, unsigned int object, struct range *out,
		     size_t room);

/* Where in the last of an object's slots there are bytes free behind its file, aligned to PLAN_SLACK_ALIGN_BYTES; false: there are none. */
#define PLAN_SLACK_ALIGN_BYTES	128
bool plan_slack(const struct plan_object *object, uint64_t bytes, uint32_t *slot, uint64_t *slot_offset);

/* Where slot i of an object's window lies, and which bytes of the object's file belong into it. */
struct slot_piece {
	pa_t slot_pa;
	uint64_t slot_offset;	/* from the slot's start to the first byte of the file that lies in it */
	uint64_t file_offset;
	uint64_t file_bytes;	/* 0: nothing of the file lies in it, it is BSS or padding */
};
struct slot_piece plan_piece(const struct plan_window *window, const struct plan_object *object, uint32_t slot);

#endif
