/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel log in a dump, whatever generation of the buffer the kernel had. Pure. */
#ifndef PRINTK_H
#define PRINTK_H

#include "vmcore.h"

#include <stdio.h>

/*
 * Print the log as dmesg does, "[    1.234567] text", what is not printable as \xNN. Records that are damaged, or were just being
 * written, are left out.
 *
 * Errors: KX_NO_LOG: VMCOREINFO does not tell where it is, or it is not in the dump; KX_NO_MEMORY
 */
enum kx_err printk_print(const struct vmcore *core, FILE *out);

#endif
