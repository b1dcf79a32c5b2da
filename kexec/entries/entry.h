/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Boot entries: what the boot loader's menu holds, read from its files. Pure: texts in, a list out, which owns its strings. Paths are as the
 * files have them; whoever reads the files knows what they are relative to, and finds out whether they exist.
 */
#ifndef ENTRY_H
#define ENTRY_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define ENTRY_INITRDS		16
#define ENTRIES_MAX		1024
#define ENTRY_FILE_BYTES	65536		/* of one that describes an entry */
#define GRUB_CFG_BYTES		(4u << 20)

enum entry_source { ENTRY_BLS, ENTRY_UKI, ENTRY_GRUB, ENTRY_DEFAULT_KEXEC };

struct boot_entry {
	enum entry_source source;
	char *id;		/* what --boot-entry= takes; never null, nor is title */
	char *title;
	char *version, *sort_key, *machine_id;	/* null: the file says none */
	char *kernel;		/* null: it is broken */
	char *initrd[ENTRY_INITRDS];
	unsigned int initrds;
	char *cmdline;		/* null: the kernel brings its own (UKI), or this kernel's is used (/etc/default/kexec) */
	char *dtb;
	bool bad;		/* boot counting has found it so: last in order */
	char broken[96];	/* empty, or why it cannot be loaded */
};

struct boot_entries {
	struct boot_entry *entry;
	size_t count;
	size_t preferred;	/* index of the default; count: there is none */
};

void entries_free(struct boot_entries *entries);

/* The last one was none after all. */
void entries_drop_last(struct boot_entries *entries);

/* A new entry at the end, with copies of these. Null: out of memory, or ENTRIES_MAX are there. */
struct boot_entry *entries_add(struct boot_entries *entries, enum entry_source source, const char *id, const char *title);

/* Put all of from behind what is in to; from is empty then. False: out of memory, or they would be too many. The default stays to's. */
bool entries_take(struct boot_entries *to, struct boot_entries *from);

/* Copies, or a null pointer for one. False: out of memory. */
bool entry_set(char **to, const char *text, size_t bytes);
/* A word more behind what there is. */
bool entry_append(char **to, const char *text);

/* "bls", "uki", "grub", "default-kexec" */
const char *entry_source_name(enum entry_source source);

/*
 * A file of the Boot Loader Specification, type #1: keys of the lines, unknown ones left. name: of the file, without directory.
 * architecture other than arm64: nothing is added. grubenv: null, or what GRUB's variables ($kernelopts, $tuned_params) are looked up in.
 * Errors: KX_NO_MEMORY
 */
enum kx_err entry_parse_bls(struct boot_entries *entries, const char *name, const char *text, const char *grubenv);

/* By the specification's order: sort-key, machine-id, version; the newest first, and what boot counting has given up last. */
void entries_sort_bls(struct boot_entries *entries);

/* Its "Version Format Specification": less than, equal to, or greater than 0. */
int entry_version_compare(const char *a, const char *b);

/* A line "default ..." of loader.conf or the value of an EFI variable: a pattern of ids, with or without suffix. Returns the index of the first
 * entry that it fits; entries->count: none. */
size_t entries_match(const struct boot_entries *entries, const char *pattern);

/* The value of "default" in loader.conf, in *to; null: there is none. False: out of memory. */
bool loader_conf_default(const char *text, char **to);

/*
 * grub.cfg: menu entries in their order, with those in submenus, and in *preferred the default, by what the file sets or grubenv has saved.
 * Variables are looked up in the file's own assignments and then in grubenv, and are empty otherwise, as GRUB has them; no condition is
 * evaluated. grubenv may be null. Errors: KX_NO_MEMORY
 */
enum kx_err entries_parse_grub(struct boot_entries *entries, const char *text, const char *grubenv);

/* The value of a variable in GRUB's environment block, in *to; null: there is none. False: out of memory. */
bool grubenv_get(const char *grubenv, const char *name, size_t name_bytes, char **to);

/* Debian's /etc/default/kexec, a shell fragment of assignments, and those of /etc/default/kexec.d. A value is null if it is not assigned. */
struct default_kexec {
	char *kernel, *initrd, *append;
	bool use_grub;
	int bad_line;		/* not 0: the first of the last file that has one, that is more than an assignment of text */
};

/* One of these files, over what those before have said. Errors: KX_NO_MEMORY */
enum kx_err default_kexec_parse(struct default_kexec *d, const char *text);
void default_kexec_free(struct default_kexec *d);

/*
 * The entry that a name means: its id, id without suffix, title or version; the only one of that, or the first of the same id. Returns
 * entries->count if there is none, and with *ambiguous if there are several.
 */
size_t entries_find(const struct boot_entries *entries, const char *name, bool *ambiguous);

/* --list-boot-entries, and that with --json. */
void entries_text(const struct boot_entries *entries, FILE *out);
void entries_json(const struct boot_entries *entries, FILE *out);

#endif
