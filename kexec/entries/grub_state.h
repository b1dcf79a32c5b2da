/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A grub.cfg that is being run: what its commands have left so far. grub.c runs the script and its menus, grub_script.c the language,
 * grub_commands.c the commands, grub_default.c finds the default in what they left. Private to this folder.
 */
#ifndef GRUB_STATE_H
#define GRUB_STATE_H

#include "grub.h"

#include <string.h>

#define GRUB_DEPTH_MAX	16			/* of functions in functions, and of submenus */
#define GRUB_ITEMS_MAX	(2 * ENTRIES_MAX)
#define GRUB_TOP_MENU	((size_t)-1)		/* the menu of an item that lies in no submenu */

/* Which file system $root is: a variable that no script can name. Empty: GRUB's own; GRUB_ROOT_UNKNOWN: a device; else a UUID. */
#define GRUB_ROOT_IS		"root is"
#define GRUB_ROOT_UNKNOWN	"?"

struct grub_item {
	char *id, *title;
	size_t menu;		/* the submenu it lies in, by its index; or GRUB_TOP_MENU */
	const char *body;	/* behind the opening brace; null: an entry of blscfg */
	size_t entry;		/* its number among the entries; those of a submenu: count */
	bool submenu;
	bool sets_default;	/* a submenu with a default of its own */
	bool maybe;		/* its name, or whether it is there at all, is not known */
};

struct grub_function {
	char *name;
	const char *body;
};

struct grub {
	struct boot_entries *entries, *bls;
	const struct grub_files *files;
	char **text;		/* of the files that were read, which bodies point into */
	size_t texts;
	struct grub_text t;
	struct grub_variables variables;
	struct grub_item *item;
	size_t items, menu;	/* how many, and the menu that is being collected */
	struct grub_function *function;
	size_t functions;
	struct boot_entry *entry;	/* whose commands are run; null: a menu's */
	enum grub_truth status;		/* of the last command */
	unsigned int depth, blocks, commands;
	bool given_up;		/* a limit was met */
	bool unsure;		/* something was done to the order of commands that is not followed here */
	bool fedora;		/* its GRUB, which looks for names before numbers */
};

/* Run a whole file. */
void grub_run(struct grub *g, const char *text);

/* Run the commands of a block, behind its opening brace. */
void grub_run_body(struct grub *g, const char *body);

/* The same from within a command, after which the script goes on where it was. */
void grub_run_there(struct grub *g, enum grub_mode mode, const char *body);

/* Run the command whose words are read, and which is no function's. GRUB looks for commands before functions. */
void grub_run_builtin(struct grub *g, enum grub_mode mode);
bool grub_is_builtin(const char *name);

/* Whether the words that are read are that command's. There is one, at least. */
static inline bool grub_is_command(const struct grub *g, const char *name)
{
	return strcmp(g->t.word[0].text, name) == 0;
}

/* menuentry or submenu, whose words are read; its block begins at t.at. */
void grub_define_item(struct grub *g, enum grub_mode mode, bool submenu);

/* grub_set() of a whole name. */
void grub_let(struct grub *g, enum grub_mode mode, const char *name, const char *value, bool unknown);

/* Where the files of an entry are, by what $root is now. */
void grub_take_root(struct grub *g, struct boot_entry *e);

/* The default, once all menus are there. */
void grub_choose_default(struct grub *g);

#endif
