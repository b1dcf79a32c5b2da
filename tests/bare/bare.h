/* SPDX-License-Identifier: GPL-2.0-only */
/* What the composer, the stub and the fake kernel of the bare rig know of one another. C and assembly. */
#ifndef BARE_H
#define BARE_H

#define BARE_STUB_PA	0x40400000	/* where the CPU starts */
#define BARE_CONFIG_PA	0x40500000
#define BARE_UART_PA	0x09000000	/* QEMU virt */

/* struct bare_config offsets */
#define BARE_ENTRY	0x00
#define BARE_HCR	0x08
#define BARE_DTB	0x10
#define BARE_KERNEL	0x18
#define BARE_SEEN_EL	0x20
#define BARE_SEEN_HCR	0x28
#define BARE_TIMELINE	0x30
#define BARE_WORDS_PA	0x38	/* a pattern: every 64-bit word holds its offset from the kernel's start */
#define BARE_WORDS_END	0x40
#define BARE_CONDUIT	0x48
#define BARE_CPUS	0x50	/* that the machine has */
#define BARE_QUIRKS	0x58	/* what the machine is to have besides: */
#define QUIRK_SERROR_BIT	32	/* go down to EL1 with an SError pending; the lower 32 bits are its syndrome */
#define QUIRK_NO_HZ_BIT	33	/* CNTFRQ_EL0 is 0 */
#define QUIRK_CPU_ON_BIT	34	/* CPU 1 runs already */
#define QUIRK_STREAMING_BIT	35	/* in streaming SVE mode, where SIMD is undefined */
#define QUIRK_NO_ZVA_BIT	36	/* go down to EL1 with DC ZVA trapped, so prohibited */
#define BARE_OTHER_RUNS	0x800	/* behind the struct, zero at first: set when it does */
#define BARE_GUARDS	0x60	/* how many; their addresses follow */
#define BARE_GUARD_LIST	0x68

#define BARE_GUARD_BYTES	0x10000
#define BARE_GUARD_WORD		0xa5a5a5a5a5a5a5a5

#endif
