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

enum entry_source { ENTRY_BLS, ENTRY_UKI, ENTRY_GRUB, ENTRY_DEFAULT_KEXEC, ENTRY_SOURCES };

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
	const char *mount;	/* where the file system is mounted that it was found on, and its paths are of; not its own; null: GRUB's */
	char *fs_uuid;		/* of GRUB's: the file system that its paths are of; null: it names none */
	bool bad;		/* boot counting has found it so: last in order */
	char broken[96];	/* empty, or why it cannot be loaded */
};

struct boot_entries {
	struct boot_entry *entry;
	size_t count;
	size_t preferred;	/* index of the default, which may be broken; count: there is none */
	char undecided[160];	/* empty, or why there is none, though there are entries */
};

void entries_free(struct boot_entries *entries);

/* The last one was none after all. */
void entries_drop_last(struct boot_entries *entries);

/* A new entry at the end, with copies of these. Null: out of memory, or ENTRIES_MAX are there. */
struct boot_entry *entries_add(struct boot_entries *entries, enum entry_source source, const char *id, const char *title);

/* Put those of one source, or of all with ENTRY_SOURCES, behind what is in to; from is without them then. No default changes. False: out of
 * memory, or they would be too many. */
bool entries_take(struct boot_entries *to, struct boot_entries *from, enum entry_source source);

/* Those that were named by a variable without a value. */
void entry_drop_empty_initrds(struct boot_entry *e);

/* Copies, or a null pointer for one. False: out of memory. */
bool entry_set(char **to, const char *text, size_t bytes);
/* A word more behind what there is. */
bool entry_append(char **to, const char *text);
/* It cannot be loaded; the last reason counts. */
void entry_break(struct boot_entry *e, const char *why);

/* "bls", "uki", "grub", "default-kexec" */
const char *entry_source_name(enum entry_source source);

/*
 * A file of the Boot Loader Specification, type #1: keys of the lines, unknown ones left. name: of the file, without directory.
 * architecture other than arm64: nothing is added. Variables of GRUB's stay as they are until blscfg takes the entry. Errors: KX_NO_MEMORY
 */
enum kx_err entry_parse_bls(struct boot_entries *entries, const char *name, const char *text);

/* The ID that a file's name stands for, in *id, which the caller frees: without what boot counting writes into it, "+LEFT" or "+LEFT-DONE"
 * before the suffix. *given_up: no try is left. False: out of memory. */
bool entry_name_id(const char *name, char **id, bool *given_up);

/* Entries that no GRUB has taken, but that have its variables in them, are broken. */
void entries_reject_variables(struct boot_entries *entries);

/* By the specification's order: sort-key, machine-id, version; the newest first, and what boot counting has given up last. */
void entries_sort_bls(struct boot_entries *entries);

/* As Fedora's GRUB sorts them: by their IDs alone, the newest first. */
void entries_sort_by_id(struct boot_entries *entries);

/* Its "Version Format Specification": less than, equal to, or greater than 0. */
int entry_version_compare(const char *a, const char *b);

/* A line "default ..." of loader.conf or the value of an EFI variable: a pattern of ids, with or without boot counting. Returns the
 * index of the first entry that it fits; entries->count: none. */
size_t entries_match(const struct boot_entries *entries, const char *pattern);

/* The value of "default" in loader.conf, in *to; null: there is none. False: out of memory. */
bool loader_conf_default(const char *text, char **to);

/* The directory of grub.cfg. name: below it. read() gives a text, which the caller frees; null: there is none. is_there(): there is such a file,
 * and it is not empty. */
struct grub_files {
	char *(*read)(void *arg, const char *name);
	bool (*is_there)(void *arg, const char *name);
	void *arg;
};

/*
 * grub.cfg, which is run: menu entries in their order, with those in submenus, and in entries->preferred what GRUB would start by itself. What
 * depends on more than files of its directory is broken, or undecided. The list is empty at first. blscfg in it takes all entries of the Boot
 * Loader Specification, which are sorted, out of bls; null: there are none. Errors: KX_NO_MEMORY
 */
enum kx_err entries_parse_grub(struct boot_entries *entries, const char *text, const struct grub_files *files, struct boot_entries *bls);

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
