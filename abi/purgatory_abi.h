/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one contract between the loader and purgatory. Compiled on both sides and included by assembly.
 *
 * The control segment is the memory that purgatory runs in: one kexec segment, 64 KiB aligned, inside one 2 MiB block.
 *
 *   control segment + 0x0000   work area, zero when purgatory starts, neither sealed nor verified: struct purg_shared, then the
 *                       stacks of each CPU, the last CPU's first
 *   base     = control segment + PURG_WORK_BYTES(cpus), where purgatory is entered
 *   base     + 0x000    struct purg_header      made by the purgatory build, seal filled in by the loader
 *            + 0x040    struct purg_params      filled in by the loader
 *            + 0x800    exception vectors, text, read-only data: the end of the blob
 *            + ...      pieces, written by the loader
 *            + ...      page tables, a set for each regime
 *
 * Everything from PURG_PARAMS_OFFSET up to header.sealed_bytes, the pieces' end, is covered by header.seal; each set of tables by the seal in the
 * parameters. Of the sets purgatory checks and uses only the one of its regime. None of it is ever written by purgatory. All addresses are physical, all integers little-endian, all lengths in bytes.
 *
 * The payload is a list of pieces. What is done with one, in this order: it is copied to where it is booted from, unless it
 * lies there; verified there; cleaned there to the point of coherency. Pieces are worked on in any order, by any CPU, so:
 *
 *  - A piece is at most PURG_CHUNK_BYTES long. Its length and its addresses are multiples of PURG_UNIT_BYTES. What pads a
 *    payload up to that unit is zero.
 *  - No piece's source or destination overlaps another piece's destination; none touches the control segment.
 */
#ifndef PURGATORY_ABI_H
#define PURGATORY_ABI_H

#define PURG_ABI_VERSION	6

#define PURG_HEADER_MAGIC	0x475054534146584b	/* "KXFASTPG" */
#define PURG_PARAMS_MAGIC	0x524150545341464b	/* "KFASTPAR" */
#define PURG_STAMPS_MAGIC	0x53504d4154535846	/* "FXSTAMPS" */

#define PURG_HEADER_BYTES	0x40
#define PURG_PARAMS_OFFSET	0x40
#define PURG_PARAMS_BYTES	0x180
#define PURG_VECTORS_OFFSET	0x800	/* VBAR_ELx[10:0] are RES0 */

#define PURG_UNIT_BYTES		128
#define PURG_CHUNK_BYTES	0x200000
#define PURG_CONTROL_BYTES_MAX	0x200000
#define PURG_CRC_BYTES		16	/* four CRC32C lanes, abi/digest.h */
#define PURG_SHA_BYTES		32
#define PURG_CPUS_MAX		8	/* the first one included; more would only wait for the memory */

/* The work area. Each CPU has a stack that is only ever used with the MMU off, and above it one only used with it on. Keeping
 * them apart means that nothing stored with the MMU off is ever read through the cache, nor the reverse. CPU 0 is the one
 * that purgatory is entered on; its stacks end where the header begins, those of the others lie below. */
#define PURG_COLD_STACK_BYTES	0x1000
#define PURG_WARM_STACK_BYTES	0x1000
#define PURG_STACKS_BYTES	(PURG_COLD_STACK_BYTES + PURG_WARM_STACK_BYTES)
#define PURG_SHARED_BYTES	0x1000
#define PURG_WORK_BYTES(cpus)	(PURG_SHARED_BYTES + (cpus) * PURG_STACKS_BYTES)

/* header offsets */
#define PURG_H_MAGIC		0x08
#define PURG_H_SEALED_BYTES	0x10
#define PURG_H_SEAL		0x20

/* params offsets, from the start of struct purg_params */
#define PURG_P_MAGIC		0x000
#define PURG_P_VERSION		0x008
#define PURG_P_BYTES		0x00c
#define PURG_P_BASE_PA		0x010
#define PURG_P_KERNEL_PA	0x020
#define PURG_P_DTB_PA		0x028
#define PURG_P_FLAGS		0x030
#define PURG_P_CHECK		0x034
#define PURG_P_CONDUIT		0x038
#define PURG_P_GRANULE_SHIFT	0x03c
#define PURG_P_REGIME		0x040	/* two of struct purg_mmu_regs */
#define PURG_MMU_REGS_BYTES	0x20
#define PURG_R_MAIR		0x00
#define PURG_R_TCR		0x08
#define PURG_R_TTBR0		0x10
#define PURG_R_SCTLR_ON		0x18

/* flags */
#define PURG_FLAG_NO_MMU_BIT	0	/* do everything with the MMU off: slow, for machines and tests that need it */
#define PURG_FLAG_VERBOSE_BIT	1	/* say on the console that purgatory runs and that it jumps */
#define PURG_FLAG_SME_BIT	2	/* the old kernel used SME: leave streaming mode */
#define PURG_FLAG_MMFR3_BIT	3	/* the old kernel sets TCR2 and SCTLR2, so firmware lets them be written */
#define PURG_FLAG_PANIC_BIT	4	/* the kernel panicked while its crash kernel's memory was staged in: say so, and reset */
#define PURG_FLAG_NO_MMU	(1 << PURG_FLAG_NO_MMU_BIT)
#define PURG_FLAG_VERBOSE	(1 << PURG_FLAG_VERBOSE_BIT)
#define PURG_FLAG_SME		(1 << PURG_FLAG_SME_BIT)
#define PURG_FLAG_MMFR3		(1 << PURG_FLAG_MMFR3_BIT)
#define PURG_FLAG_PANIC		(1 << PURG_FLAG_PANIC_BIT)

/* check */
#define PURG_CHECK_NONE		0
#define PURG_CHECK_CRC32C	1
#define PURG_CHECK_SHA256	2

/* conduit: how PSCI is called at EL1; at EL2 it is always SMC (PSCI, DEN0022: "Conduit") */
#define PURG_CONDUIT_SMC	0
#define PURG_CONDUIT_HVC	1

/* regimes: which system registers and descriptor bits are used */
#define PURG_REGIME_EL1		0	/* EL1, or EL2 with HCR_EL2.E2H=1, where the _EL1 names reach the EL2 registers */
#define PURG_REGIME_EL2		1	/* EL2 with HCR_EL2.E2H=0 */
#define PURG_REGIMES		2

/* How an exception level is said in one number: the level, and whether HCR_EL2.E2H is 1 */
#define PURG_EL_MASK		0xf
#define PURG_EL_E2H_BIT		8
#define PURG_EL_E2H		(1 << PURG_EL_E2H_BIT)

/* uart_kind */
#define PURG_UART_NONE		0
#define PURG_UART_PL011		1
#define PURG_UART_8250		2	/* registers uart_reg_shift apart, accessed as bytes */
#define PURG_UART_8250_MMIO32	3	/* the same, accessed as 32-bit words */

/* Why purgatory gave up. Each ends in a console line and PSCI SYSTEM_RESET. */
#define PURG_FATAL_HEADER	1	/* magic, version or size of the parameter block is not ours */
#define PURG_FATAL_PLACE	2	/* the blob does not lie where it was planned to be */
#define PURG_FATAL_SEAL		3	/* parameters, lists, tables or text changed since the load */
#define PURG_FATAL_CHECK	4	/* payload changed since the load */
#define PURG_FATAL_EXCEPTION	5	/* an exception, ours or in the new kernel before it has vectors of its own */
#define PURG_FATAL_MAP		6	/* the page tables do not map purgatory itself */
#define PURG_FATAL_UNCHECKED	7	/* a check was asked for and there was nothing to check */
#define PURG_FATAL_PAGE_SIZE	8	/* the CPU lacks the page size of the kernel, which would only park itself */
#define PURG_FATAL_CPU		9	/* a CPU that was called did not come, or does not go */
#define PURG_FATAL_PANIC	10	/* PURG_FLAG_PANIC */

/* work, of a piece */
#define PURG_WORK_CHECK		1	/* hold it against its digest, by params.check */
#define PURG_WORK_CLEAN		2	/* clean and invalidate it to the point of coherency */

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct purg_header {
	uint32_t branch;		/* an instruction: branches over the parameters to the entry code */
	uint32_t version;		/* PURG_ABI_VERSION */
	uint64_t magic;			/* PURG_HEADER_MAGIC */
	uint64_t sealed_bytes;		/* from the base, up to the tables; a multiple of PURG_UNIT_BYTES. Filled in by the loader */
	uint64_t reserved0;
	uint8_t seal[PURG_CRC_BYTES];	/* CRC32C lanes of [PURG_PARAMS_OFFSET, sealed_bytes). Filled in by the loader */
	uint64_t reserved1[2];
};

/* Values for one regime. TCR carries 0 in (I)PS: purgatory puts in the PARange of the CPU that it runs on. */
struct purg_mmu_regs {
	uint64_t mair;
	uint64_t tcr;
	uint64_t ttbr0_pa;
	uint64_t sctlr_on;
};

/* The tables of one regime, behind what header.seal covers. */
struct purg_tables {
	uint64_t pa;			/* a multiple of the granule */
	uint64_t bytes;			/* a multiple of PURG_UNIT_BYTES */
	uint8_t seal[PURG_CRC_BYTES];	/* CRC32C lanes of them */
};

/* As long as a cache line of most CPUs, or two. */
struct purg_piece {
	uint64_t dst_pa;		/* where it is booted from */
	uint64_t src_pa;		/* where it lies; dst_pa: there already */
	uint64_t bytes;
	uint32_t work;			/* PURG_WORK_* */
	uint32_t reserved;
	uint8_t digest[PURG_SHA_BYTES];	/* with PURG_WORK_CHECK: PURG_CRC_BYTES or PURG_SHA_BYTES of it, by params.check */
};

struct purg_params {
	uint64_t magic;			/* PURG_PARAMS_MAGIC */
	uint32_t version;		/* PURG_ABI_VERSION */
	uint32_t bytes;			/* PURG_PARAMS_BYTES */
	uint64_t base_pa;		/* of the header */
	uint64_t reserved0;
	uint64_t kernel_pa;		/* where to jump */
	uint64_t dtb_pa;		/* handed over in x0 */
	uint32_t flags;			/* PURG_FLAG_* */
	uint32_t check;			/* PURG_CHECK_* */
	uint32_t conduit;		/* PURG_CONDUIT_* */
	uint32_t granule_shift;		/* of the tables: 12, 14 or 16 */
	struct purg_mmu_regs regime[PURG_REGIMES];
	uint64_t pieces_pa;		/* of an array of purg_piece, 8-byte aligned */
	uint64_t piece_count;
	uint64_t timeline_pa;		/* of struct purg_timeline inside the device tree; 4-byte aligned; 0: none */
	uint64_t uart_pa;
	uint32_t uart_kind;		/* PURG_UART_* */
	uint32_t uart_reg_shift;
	uint32_t kernel_page_shift;	/* of the kernel to be booted; 0: not known. The CPU must have that granule */
	uint32_t cpus;			/* 1 to PURG_CPUS_MAX: how many may work */
	uint32_t mpidr_count;		/* 0 to PURG_CPUS_MAX */
	uint32_t line_bytes;		/* the smallest data cache line of all CPUs; a power of two */
	uint64_t mpidr[PURG_CPUS_MAX];	/* affinity fields of CPUs that may be called; the first one may be among them */
	uint64_t stamps_pa;		/* of struct purg_stamps, mapped and 8-byte aligned; 0: none */
	struct purg_tables tables[PURG_REGIMES];
	uint64_t reserved2[8];		/* 0. Room for more up to PURG_PARAMS_BYTES, with which entry.S lays out the blob */
};

/*
 * What the old kernel's side does between load and jump, for the record: it comes after the seal was made, so nothing vouches for it, and
 * purgatory copies it and draws no conclusion. Behind the initrd's last bytes, in the same 2 MiB page: there it goes wherever the page goes,
 * and is no part of what is verified.
 */
#define PURG_STAMPS		3

struct purg_stamps {
	uint64_t magic;			/* PURG_STAMPS_MAGIC */
	uint64_t stamp[PURG_STAMPS];	/* CNTVCT_EL0, in the order of PURG_T_ASKED and the next ones; 0: not known */
};

/* What the CPUs tell one another, through the cache. (Where the MMU stays off there is only one CPU, and it uses the shared state
 * uncached.) The first one wipes it before it calls another. A CPU state is written by its CPU, state last. */
struct purg_cpu {
	uint64_t state;			/* PURG_CPU_STATE_* */
	uint64_t mpidr;			/* whose it is; written by the first CPU */
	uint64_t reason;		/* PURG_FATAL_*, and what goes with it */
	uint64_t detail[4];
	uint64_t ticks[3];		/* PURG_TALLY_* */
	uint64_t bytes[3];
	uint64_t reserved[3];
};

struct purg_shared {
	uint64_t next;			/* piece */
	uint64_t reserved[15];
	struct purg_cpu cpu[PURG_CPUS_MAX];
};

#define PURG_CPU_STATE_EMPTY		0	/* nobody came yet */
#define PURG_CPU_STATE_WORKING	1
#define PURG_CPU_STATE_DONE		2	/* nothing is left to do, and this CPU goes */
#define PURG_CPU_STATE_FAILED	3	/* for this reason */

/* What is tallied, of time and bytes */
#define PURG_TALLY_MOVE		0
#define PURG_TALLY_CHECK	1
#define PURG_TALLY_CLEAN	2	/* bytes: all; time: of what was not cleaned while it was verified */
#define PURG_TALLIES		3

/*
 * The record that purgatory leaves in the next kernel's device tree, property PURG_TIMELINE_PROPERTY of /chosen. Every
 * cell is big-endian, as in any device tree. Stamps are CNTVCT_EL0. The loader fills in the cells from cpus_wanted
 * up to loaded_at; purgatory fills in the others.
 *
 * Who reads it may be another version of this program than who wrote it: kernels outlive updates. So cells are only ever added at
 * the end, and none changes its meaning; a reader takes those that are there, and passes over those that it does not know. The
 * version only says who wrote: raise it with each new cell. It begins at 4 since PURG_ABI_VERSION, which was 3 at last, stood
 * in its place, in records of the same 22 cells.
 */
#define PURG_TIMELINE_PROPERTY	"kexec-fast,timeline"
#define PURG_TIMELINE_MAGIC	0x4b58544c		/* "KXTL", cell 0, upper half; lower half is PURG_TIMELINE_VERSION */
#define PURG_TIMELINE_VERSION	5
#define PURG_TIMELINE_VERSION_OLDEST	1

enum purg_timeline_cell {
	PURG_T_MAGIC,
	PURG_T_RESULT,		/* PURG_RESULT_* */
	PURG_T_HZ,		/* CNTFRQ_EL0 */
	PURG_T_ENTRY,		/* stamps, in order of time */
	PURG_T_MMU_ON,
	PURG_T_DONE,		/* all pieces are; the other CPUs are off again */
	PURG_T_MOVE_TICKS,	/* how long it took, summed up over all CPUs */
	PURG_T_CHECK_TICKS,
	PURG_T_CLEAN_TICKS,
	PURG_T_MOVE_BYTES,
	PURG_T_CHECK_BYTES,
	PURG_T_CLEAN_BYTES,
	PURG_T_EL,		/* exception level, and PURG_EL_E2H */
	PURG_T_MMU,		/* 1: the MMU was on */
	PURG_T_METHOD,		/* PURG_METHOD_* */
	PURG_T_CPUS,		/* how many worked */
	PURG_T_CPUS_WANTED,	/* from here on: the loader's */
	PURG_T_PAYLOAD_BYTES,
	PURG_T_RELOCATED_BYTES,	/* of them, what the kernel relocates */
	PURG_T_PAGES,		/* 2 MiB slots of the payload */
	PURG_T_PAGES_IN_PLACE,
	PURG_T_LOADED_AT,	/* wall clock of the load, seconds since 1970 */
	PURG_T_ASKED,		/* stamps of the old kernel's side, 0 if not known: somebody asked for the reboot; */
	PURG_T_STOPPED,		/* services are stopped and file systems unmounted; */
	PURG_T_JUMP,		/* reboot(2) is next */
	/* New ones go here. */
	PURG_T_CELLS
};

#define PURG_RESULT_NONE	0	/* never reached: as the loader wrote it */
#define PURG_RESULT_VERIFIED	1
#define PURG_RESULT_UNCHECKED	2	/* --check=none */

#define PURG_METHOD_NONE	0
#define PURG_METHOD_CRC32C	1	/* CRC32CX instructions */
#define PURG_METHOD_CRC32C_C	2	/* the CPU has none: C */
#define PURG_METHOD_SHA256	3	/* SHA2 instructions */
#define PURG_METHOD_SHA256_C	4

#define PURG_ASSERT_AT(type, field, offset) \
	_Static_assert(offsetof(struct type, field) == (offset), #type "." #field " moved")

PURG_ASSERT_AT(purg_header, magic, PURG_H_MAGIC);
PURG_ASSERT_AT(purg_header, sealed_bytes, PURG_H_SEALED_BYTES);
PURG_ASSERT_AT(purg_header, seal, PURG_H_SEAL);
_Static_assert(sizeof(struct purg_header) == PURG_HEADER_BYTES, "purg_header");

PURG_ASSERT_AT(purg_mmu_regs, mair, PURG_R_MAIR);
PURG_ASSERT_AT(purg_mmu_regs, tcr, PURG_R_TCR);
PURG_ASSERT_AT(purg_mmu_regs, ttbr0_pa, PURG_R_TTBR0);
PURG_ASSERT_AT(purg_mmu_regs, sctlr_on, PURG_R_SCTLR_ON);
_Static_assert(sizeof(struct purg_mmu_regs) == PURG_MMU_REGS_BYTES, "purg_mmu_regs");

PURG_ASSERT_AT(purg_params, magic, PURG_P_MAGIC);
PURG_ASSERT_AT(purg_params, version, PURG_P_VERSION);
PURG_ASSERT_AT(purg_params, bytes, PURG_P_BYTES);
PURG_ASSERT_AT(purg_params, base_pa, PURG_P_BASE_PA);
PURG_ASSERT_AT(purg_params, kernel_pa, PURG_P_KERNEL_PA);
PURG_ASSERT_AT(purg_params, dtb_pa, PURG_P_DTB_PA);
PURG_ASSERT_AT(purg_params, flags, PURG_P_FLAGS);
PURG_ASSERT_AT(purg_params, check, PURG_P_CHECK);
PURG_ASSERT_AT(purg_params, conduit, PURG_P_CONDUIT);
PURG_ASSERT_AT(purg_params, granule_shift, PURG_P_GRANULE_SHIFT);
PURG_ASSERT_AT(purg_params, regime, PURG_P_REGIME);
_Static_assert(sizeof(struct purg_params) == PURG_PARAMS_BYTES, "purg_params");
_Static_assert(PURG_PARAMS_OFFSET + PURG_PARAMS_BYTES <= PURG_VECTORS_OFFSET, "parameters reach into the vectors");
/* entry.S computes with these values: it flips one into the other, and counts on EL1 being the first. */
_Static_assert(PURG_CONDUIT_SMC == 0 && PURG_CONDUIT_HVC == 1, "conduit");
_Static_assert(PURG_REGIME_EL1 == 0 && PURG_REGIME_EL2 == 1, "regime");
_Static_assert(PURG_CHUNK_BYTES % PURG_UNIT_BYTES == 0, "chunk");
_Static_assert(sizeof(struct purg_tables) == 32, "purg_tables");
_Static_assert(sizeof(struct purg_piece) == 64, "purg_piece");
_Static_assert(sizeof(struct purg_cpu) == 128, "purg_cpu");
_Static_assert(sizeof(struct purg_shared) <= PURG_SHARED_BYTES, "purg_shared");
_Static_assert(PURG_T_JUMP - PURG_T_ASKED == PURG_STAMPS - 1, "stamps");
_Static_assert(PURG_T_CLEAN_TICKS - PURG_T_MOVE_TICKS == PURG_TALLIES - 1, "tallies");
#endif /* __ASSEMBLER__ */
#endif
