/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GRUB's script language, as far as a menu depends on it. Private to this folder.
 *
 * The language is that of "Writing full configuration files directly" in GRUB's manual: simple commands, if, while, until, for, function,
 * and commands that take a block in braces. Much of what a script asks only GRUB can answer: which device a file system is found on,
 * whether a key is held down. Therefore every value and every condition may be unknown, and what is done on an unknown condition only
 * may have happened.
 */
#ifndef GRUB_H
#define GRUB_H

#include "entry.h"

#define GRUB_WORD_CHARS		4096	/* a longer word is unknown: more than a kernel's command line takes (2048, arm64's COMMAND_LINE_SIZE) */
#define GRUB_WORDS_MAX		1024
#define GRUB_ROOT		"?root"	/* the value of $root here ... */
#define GRUB_DIRECTORY		"(prefix)"	/* the value of $prefix and $config_directory here, whichever device they really are on */

/* Whether commands run: their text is only passed over; only GRUB knows; they do. */
enum grub_mode { GRUB_SKIP, GRUB_MAYBE, GRUB_RUN };

enum grub_truth { GRUB_FALSE, GRUB_TRUE, GRUB_UNKNOWN };

struct grub_word {
	char *text;		/* quotes taken off, variables put in; what is unknown of it is left out */
	bool unknown;		/* a variable in it has a value that only GRUB knows */
	bool unset;		/* a variable in it has no value */
	bool device;		/* it holds GRUB's name of a device, which is not known: it can only be the beginning of a path */
	bool bare;		/* as the file has it: it may be a reserved word */
};

struct grub_variable {
	char *name, *value;	/* value is null: it has none */
	bool unknown;		/* value is not the truth */
	bool exported;		/* seen in submenus */
	bool device;		/* value stands for a device, or a directory on one */
};

/*
 * What was set last is last. Whoever opens a scope keeps the count and puts it back: what was set in between is forgotten. Below
 * menu_base only what is exported is seen: a submenu's scope.
 */
struct grub_variables {
	struct grub_variable *v;
	size_t count, room, scope_base, menu_base;
	bool unset_is_unknown;	/* variables were read from a file that is not known */
	size_t work;		/* done so far, in bytes and variables looked at */
};

/* Where in the text the script is, the words of the command there, and what words are made with. */
struct grub_text {
	const char *at;
	bool skipping;		/* variables are not looked up */
	struct grub_word *word;
	size_t words, room;
	struct grub_variables *variables;
	bool no_memory;
	char buffer[GRUB_WORD_CHARS];
};

/* Up to the next word, past what separates commands. */
void grub_skip_separators(struct grub_text *t);

/* Add the next word of the command to the words; several or none where a variable outside quotes is split at its spaces. False: the command
 * has no more; t->at is at what ended it, "\n", ";", "{", "}" or the end. */
bool grub_take_word(struct grub_text *t);

void grub_clear_words(struct grub_text *t);
void grub_free_words(struct grub_text *t);

/* Text in which only variables are replaced, as blscfg does it in *to. What happened to them is or-ed to *unknown. */
void grub_expand(struct grub_text *t, char **to, bool *unknown);

/* Null: it was never set. A variable without a value may be told from that by value. */
const struct grub_variable *grub_look_up(const struct grub_variables *variables, const char *name, size_t name_bytes);

/* value: null for none. In a mode of GRUB_MAYBE it is unknown from then on, unless it has that value already. False: out of memory. */
bool grub_set(struct grub_variables *variables, enum grub_mode mode, const char *name, size_t name_bytes, const char *value, bool unknown);
bool grub_export(struct grub_variables *variables, const char *name);
void grub_forget(struct grub_variables *variables, size_t count);

/* Whether GRUB takes a text for an environment block: it begins with its signature, and each line assigns, is a comment, or pads, and ends. */
bool grub_env_is_block(const char *text);

/*
 * Take a line off the block at *at. *name, name_bytes long, points into it; *value is the caller's to free, and null where the line assigns
 * nothing. False: the block ends, or *no_memory.
 */
bool grub_env_next(const char **at, const char **name, size_t *name_bytes, char **value, bool *no_memory);

/* A text that a script asks for, if it is of GRUB's directory; else null, with *known false: whether it is there is not known. The caller
 * frees it. */
char *grub_read(const struct grub_files *files, const struct grub_word *path, bool *known);

/* GRUB's command "test", without its name and a closing bracket. */
enum grub_truth grub_test(const struct grub_word *word, size_t words, const struct grub_files *files);

#endif
