/* SPDX-License-Identifier: GPL-2.0-only */
/* What kexec_load(2) takes, as far as more than its caller must know it: include/uapi/linux/kexec.h, under the same names. */
#ifndef KEXEC_ABI_H
#define KEXEC_ABI_H

#define KEXEC_SEGMENT_MAX	16

#endif
