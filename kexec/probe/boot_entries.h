/* SPDX-License-Identifier: GPL-2.0-only */
/* The boot entries of this machine, from where boot loaders keep theirs. Everything is only read. */
#ifndef BOOT_ENTRIES_H
#define BOOT_ENTRIES_H

#include "entry.h"
#include "request.h"
#include "sys.h"

/*
 * All of them, by source, paths made absolute, with the default marked: that of the first source that has one, whether or not it can be loaded.
 * In this order: /etc/default/kexec, if it names another kernel than Debian's preset; GRUB; entries and UKIs of the Boot Loader Specification,
 * before GRUB if another boot loader started this system; /etc/default/kexec. Errors: KX_NO_MEMORY
 */
enum kx_err boot_entries_read(struct boot_entries *entries, struct sys *sys, struct fail *fail);

/*
 * What a load of that entry asks for, as if it had been typed; null for name: the default. What the request says already goes before: its
 * initrds replace the entry's, its command line comes behind the entry's, or a UKI's own, and the reused one replaces it. The request points
 * into entries, and into *cmdline, which the caller frees. Errors: KX_NO_ENTRY, KX_ENTRY_UNDECIDED, KX_ENTRY_UNKNOWN, KX_ENTRY_AMBIGUOUS, KX_ENTRY_BROKEN, KX_NO_MEMORY
 */
enum kx_err boot_entry_request(const struct boot_entries *entries, const char *name, struct load_request *request, char **cmdline,
			       struct fail *fail);

#endif
