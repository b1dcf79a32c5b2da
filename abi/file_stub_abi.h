/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arm64 Image that kexec_file_load(2) is given in the place of a kernel: a stub with the control segment behind it. The kernel puts it
 * wherever it finds room; the stub copies the control segment to the place that it was made for, and enters purgatory there. What is loaded
 * lies in staged memory, as with kexec_load(2). C and assembly.
 */
#ifndef FILE_STUB_ABI_H
#define FILE_STUB_ABI_H

/* Offsets in the stub: the Image header (booting.rst) ... */
#define STUB_TEXT_OFFSET	0x08
#define STUB_IMAGE_SIZE		0x10
/* ... and what the loader writes behind it, 64 bits each. */
#define STUB_DST_PA		0x40	/* of the control segment; PURG_UNIT_BYTES aligned */
#define STUB_BYTES		0x48	/* of it, a multiple of PURG_UNIT_BYTES */
#define STUB_ENTRY_PA		0x50	/* of purgatory, in it */
#define STUB_CONDUIT		0x58	/* PURG_CONDUIT_* */
#define STUB_LINE_BYTES		0x60	/* the smallest line of a data cache */

#define STUB_CONTROL_OFFSET	0x1000	/* where the control segment lies in the Image */

#endif
