/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a kernel makes of an initrd, by the rules of init/initramfs.c, for tests: not a root file system, but a text of all that would be made
 * of it, in order, so that two initrds that mean the same give the same text. Written without a look at kexec/initrd.
 */
#ifndef INITRAMFS_MODEL_H
#define INITRAMFS_MODEL_H

#include <stddef.h>

/* The caller frees the text. A line for each entry and end of an archive; one for the boot configuration, those of ACPI files that are looked for
 * in plain archives at the beginning, and the kernel's complaint, if it has one: "error: ...". */
char *initramfs_model(const unsigned char *initrd, size_t bytes);

#endif
