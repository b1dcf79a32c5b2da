/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System register bits that the loader computes with and purgatory loads. One list for both sides, C and assembly.
 * Names and positions: Arm Architecture Reference Manual for A-profile (DDI 0487), "AArch64 System Register
 * Descriptions" and "The AArch64 Virtual Memory System Architecture". Chapters are cited by name: their numbers move.
 */
#ifndef ARM64_REGS_H
#define ARM64_REGS_H

/*
 * SCTLR_ELx, written whole and never read-modify-written: a 5.10 kernel leaves SPAN, ATA, TCF and others set.
 * RES1 bits as Linux's INIT_SCTLR_ELx_MMU_OFF has them. WXN, A, SA, EE stay 0.
 */
#define SCTLR_M_BIT		0
#define SCTLR_M			0x0001
#define SCTLR_C			0x0004
#define SCTLR_EL1_COLD		0x30501800	/* MMU off, I-cache on */
#define SCTLR_EL2_COLD		0x30c51830
#define SCTLR_EL1_ON		0x30501805	/* M, C, I */
#define SCTLR_EL2_ON		0x30c51835

/* CPACR_EL1, or CPTR_EL2 when E2H=1: FPEN = 3, floating point and SIMD are not trapped; and SMEN, which is RES0 where there is no SME, as
 * ZEN is without SVE. */
#define CPACR_SIMD		0x00300000
#define CPACR_SMEN		0x03000000
/* CPTR_EL2 when E2H=0: the RES1 bits, with TFP 0. TZ and TSM are RES1 where there is no SVE or SME. */
#define CPTR_EL2_SIMD		0x33ff
#define CPTR_EL2_TSM		0x1000

#define HCR_E2H_BIT		34
#define HCR_AMO_BIT		5
#define HCR_AMO			(1 << HCR_AMO_BIT)
#define HCR_TGE_BIT		27
#define ID_AA64MMFR0_PARANGE_SHIFT	0
#define ID_AA64MMFR0_TGRAN16_SHIFT	20	/* 0: absent, 1: yes, 2: yes with 52 bits */
#define ID_AA64MMFR0_TGRAN64_SHIFT	24	/* 0: yes, 15: absent */
#define ID_AA64MMFR0_TGRAN4_SHIFT	28	/* 0: yes, 1: yes with 52 bits, 15: absent */
#define ID_AA64PFR1_GCS_MASK	0xf00000000000	/* FEAT_GCS */
#define ID_AA64MMFR3_TCRX_MASK	0x0f	/* TCR2_ELx */
#define ID_AA64MMFR3_SCTLRX_MASK	0xf0	/* SCTLR2_ELx */
#define ID_AA64MMFR4_E2H0_SHIFT		24	/* signed; negative: E2H is RES1 */
#define ID_AA64ISAR0_SHA2_SHIFT		12
#define ID_AA64ISAR0_CRC32_SHIFT	16

/* No line is shorter: CCSIDR_EL1.LineSize is log2 of its bytes, less 4 (Arm ARM, CCSIDR_EL1). */
#define CACHE_LINE_BYTES_MIN	16

/* MAIR attribute 0: Normal, Inner and Outer Write-Back, Read- and Write-Allocate. */
#define MAIR_NORMAL_WB		0xff

/* TCR_EL1 and TCR_EL2 with E2H=1 */
#define TCR_T0SZ(bits)		(64 - (bits))
#define TCR_IRGN0_WBWA		(1 << 8)
#define TCR_ORGN0_WBWA		(1 << 10)
#define TCR_SH0_INNER		(3 << 12)
#define TCR_TG0_4K		(0 << 14)
#define TCR_TG0_64K		(1 << 14)
#define TCR_TG0_16K		(2 << 14)
#define TCR_T1SZ_16		(16 << 16)
#define TCR_EPD1		(1 << 23)	/* no walks through TTBR1: it still points to the old kernel */
#define TCR_TG1_4K		0x80000000	/* TG1 = 2: a valid value; unused, EPD1 is set */
#define TCR_EL1_IPS_SHIFT	32
/* TCR_EL2 with E2H=0 */
#define TCR_EL2_RES1		0x80800000
#define TCR_EL2_PS_SHIFT	16

#define PARANGE_48_BITS		5

/* Translation table descriptors, "Translation table descriptor formats" */
#define DESC_BLOCK		0x1
#define DESC_TABLE		0x3
#define DESC_PAGE		0x3
#define DESC_AP1		(1 << 6)	/* EL0 access; RES1 where the regime has one privilege level */
#define DESC_SH_INNER		(3 << 8)
#define DESC_AF			(1 << 10)
#define DESC_DBM_BIT		51
#define DESC_PXN_BIT		53
#define DESC_UXN_BIT		54		/* XN at EL2 with E2H=0 */

/* ESR_ELx of an SError interrupt, "SError interrupt": with FEAT_RAS, and IDS 0 and DFSC 0x11, AET says how bad it is. */
#define ESR_IDS_BIT		24
#define ESR_AET_SHIFT		10
#define ESR_AET_BITS		3
#define ESR_AET_UEO		2	/* restartable: nothing has used the bad data */
#define ESR_AET_CE		6	/* corrected */
#define ESR_DFSC_MASK		0x3f
#define ESR_DFSC_SERROR		0x11

/* PSCI (DEN0022): SMC64 calls where they take an address */
#define PSCI_CPU_OFF		0x84000002
#define PSCI_CPU_ON		0xc4000003
#define PSCI_AFFINITY_INFO	0xc4000004
#define PSCI_SYSTEM_RESET	0x84000009
#define PSCI_SUCCESS		0
#define PSCI_ALREADY_ON		(-4)
#define PSCI_ON_PENDING		(-5)
#define PSCI_AFFINITY_OFF	1

/* DCZID_EL0: DC ZVA is prohibited; log2 of the words that it zeroes */
#define DCZID_DZP		0x10
#define DCZID_BS_MASK		0xf
#define DCZID_BS_64_BYTES	4

#endif
