/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walks AArch64 stage 1 translation tables as the CPU would, and tells everything they map and everything in them that
 * is malformed. Written from the Arm Architecture Reference Manual (DDI 0487, chapter D8), independently of the code
 * that builds tables: it is what that code is judged by. Knows 48-bit addresses, little-endian tables, no LPA or LPA2.
 */
#ifndef TABLE_WALK_H
#define TABLE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum walk_regime {
	WALK_EL1,	/* EL1&0, and EL2&0 (HCR_EL2.E2H=1): two privilege levels */
	WALK_EL2,	/* EL2 with E2H=0: one privilege level */
};

struct walk_input {
	const void *image;	/* memory that holds the tables ... */
	size_t image_bytes;
	uint64_t image_pa;	/* ... and where it lies */
	uint64_t ttbr;
	uint64_t tcr;
	enum walk_regime regime;
};

struct walk_access {
	bool read, write, execute;	/* by the code that turns the MMU on: EL1 or EL2, never EL0 */
};

struct walk_map {
	uint64_t va, pa, bytes;
	struct walk_access direct;	/* by AP, PXN, UXN */
	struct walk_access indirect;	/* FEAT_S1PIE with Linux's PIR; EL2 with E2H=0: the same as direct */
	bool el0;			/* EL0 may touch it too */
	bool af;
	unsigned int attr_index;
	unsigned int shareability;	/* 0 none, 2 outer, 3 inner */
};

/* What can be wrong, as bits. */
enum walk_fault {
	WALK_TCR		= 1 << 0,	/* reserved or unexpected TCR value */
	WALK_TTBR		= 1 << 1,	/* misaligned or not a table of the image */
	WALK_TYPE		= 1 << 2,	/* reserved type, or a block where the granule has none */
	WALK_STRAY_BITS		= 1 << 3,	/* RES0 set, RES1 not, address beyond 2^48, nonzero invalid entry */
	WALK_BLOCK_ALIGN	= 1 << 4,	/* output address of a block not aligned to the block */
	WALK_TABLE_ADDRESS	= 1 << 5,	/* next table misaligned, or not inside the image */
	WALK_TABLE_TWICE	= 1 << 6,	/* two walks reach the same table bytes */
	WALK_UNREACHED		= 1 << 7,	/* nonzero bytes that no walk reaches */
	WALK_CONTIGUOUS		= 1 << 8,	/* hint on entries that are not a group */
	WALK_EMPTY_TABLE	= 1 << 9,	/* a table below the top that maps nothing */
	WALK_COULD_BE_BLOCK	= 1 << 10,	/* not an error: a table that one block could replace */
};

struct walk_result {
	struct walk_map *map;		/* by address; neighbours that differ in nothing are one */
	size_t maps;
	unsigned int faults;		/* enum walk_fault */
	char first_fault[160];
	unsigned int start_level;
	unsigned int tables;
	size_t leaves[4];		/* by level */
};

/* The result is to be given back with table_walk_free(), whatever the faults. */
struct walk_result table_walk(const struct walk_input *input);
void table_walk_free(struct walk_result *result);

#endif
