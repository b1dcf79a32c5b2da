/* SPDX-License-Identifier: GPL-2.0-only */
/* The next kernel's device tree: this kernel's, edited in memory with libfdt. Pure. */
#ifndef DT_H
#define DT_H

#include "err.h"
#include "range.h"

#define DT_USABLE_MAX	4

/* Pairs of address and length, 64 bits each, big-endian: entries of the list of reserved memory that are ours. */
#define DT_RESERVED_PROPERTY	"kexec-fast,reserved"

struct dt_edit {
	const char *cmdline;		/* null: keep what the tree has */
	struct range initrd;		/* bytes 0: none */
	bool seeds;			/* there are any; without them the next kernel must not count on one */
	uint8_t kaslr_seed[8];
	uint8_t rng_seed[128];
	const struct range *usable;	/* of a crash kernel: all memory that it may use, linux,usable-memory-range, at most */
	size_t usable_count;		/* DT_USABLE_MAX; kernels before 5.19 only look at the first. 0: it is none ... */
	struct range elfcore;		/* ... and linux,elfcorehdr */
	/* Added to the list of reserved memory (/memreserve/); may be null. What is added is written down in /chosen as
	   DT_RESERVED_PROPERTY, so that the load after it takes out again what its kernel has no more use for. */
	const struct range_set *reserve;
	bool keep_reserved;	/* they may not be all that is in use: nothing is taken out */
	const char *property;		/* room to be left in /chosen for purgatory's record, filled with: */
	const void *value;
	size_t value_bytes;
};

/* Whether bytes at dtb are a whole, well-formed tree; its real length, at most bytes. Errors: KX_DTB_BAD */
enum kx_err dt_check(const void *dtb, size_t bytes, size_t *total);

/* Take out of a checked tree what says nothing: free space, of which firmware often leaves a megabyte, and the no-operations that a
 * kernel puts where it has used up a seed. Returns its new length. */
size_t dt_pack(void *dtb);

/*
 * Make the next tree in out (room bytes, 8-byte aligned) from a checked one. What belongs to the old boot is deleted:
 * its initrd, seeds, crash kernel, KHO, IMA and dm-crypt properties. *out_bytes is its length, and depends on nothing
 * but the lengths of what goes in, so that a second call with other addresses gives as many bytes. *value_at is where
 * value lies in out; 4-byte aligned.
 *
 * Errors: KX_DTB_BAD, KX_DTB_TOO_BIG (out is too small)
 */
enum kx_err dt_edit(const void *dtb, const struct dt_edit *edit, void *out, size_t room, size_t *out_bytes,
		    size_t *value_at);

/* How PSCI is called, by the tree's /psci node. */
enum dt_psci { DT_PSCI_NONE, DT_PSCI_SMC, DT_PSCI_HVC };
enum dt_psci dt_psci(const void *dtb);

/* Whether the kernel that this tree is for has a GICv3 whose tables nothing records for its successor: no EFI. */
bool dt_leaves_gic_tables(const void *dtb);

/* A property of /chosen of a checked tree; null if there is none. */
const void *dt_chosen(const void *dtb, const char *property, size_t *bytes);

/* Where the EFI memory map that the kernel of this tree goes by lies, and how long each descriptor of it is; false: it goes by none. */
bool dt_efi_map(const void *dtb, struct range *map, uint64_t *desc_bytes);

/* The memory that a tree's /memory nodes name, added to a set; none on EFI systems. Errors: KX_NO_MEMORY */
enum kx_err dt_memory(const void *dtb, struct range_set *memory);

#endif
