/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What firmware fills in, for a device tree that comes straight from a kernel build (--dtb, a UKI's .dtb): its memory node is empty or
 * missing, and a kernel that is given it without EFI dies before it has a console. Pure.
 */
#ifndef DT_COMPLETE_H
#define DT_COMPLETE_H

#include "err.h"

struct dt_completed {
	bool memory;			/* memory nodes were put in */
	bool efi;			/* or linux,uefi-*, by which the next kernel finds EFI's memory map */
	unsigned int reserved;		/* regions of reserved memory */
	bool console, serial_number;	/* stdout-path; serial-number of the root */
	unsigned int addresses;		/* of network and Bluetooth interfaces, by their aliases */
};

/*
 * Make the tree to be used in out (room bytes, 8-byte aligned; the lengths of both trees and 4 KiB do) from a checked one and that of the
 * running kernel, also checked; null: there is none. Where the tree names no memory and no EFI, memory and what is reserved of it, or EFI, are
 * the running kernel's. Of the rest only what the tree leaves out, or leaves at zero, is put in, and only where it has the nodes for it. A
 * tree that lacks nothing comes out as it is. keep_own: what an earlier load has added to the list of reserved memory is kept, too: which of it
 * still counts is not known (dt_edit(), keep_reserved).
 *
 * Errors: KX_DTB_NO_MEMORY: neither tree names any; KX_DTB_BAD, KX_DTB_TOO_BIG
 */
enum kx_err dt_complete(const void *dtb, const void *running, bool keep_own, void *out, size_t room, struct dt_completed *done);

/* "memory, 2 reserved regions, the console"; empty if nothing was put in */
void dt_completed_text(const struct dt_completed *done, char *out, size_t room);

#endif
