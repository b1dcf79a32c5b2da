/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * grub.cfg is a script, and the menu is what it leaves behind. It is run here with all that can be known: its own variables, GRUB's
 * features, the environment block. What only GRUB knows stays unknown, and an entry or a default that depends on it is not guessed.
 *
 * As GRUB does it: the script first, which collects the items of the top menu; then, for an entry that is started, the commands in its
 * braces, with the variables as the script left them; a submenu's commands collect items of its own, and see exported variables only.
 */
#include "grub.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX	16		/* of functions in functions, and of submenus */
#define BLOCKS_MAX	64		/* of conditions, loops and braces in one another */
#define COMMANDS_MAX	1000000		/* that are run, functions' and skipped ones included */
#define WORK_MAX	(256u << 20)	/* bytes of words and variables looked at: some seconds */
#define TEXTS_MAX	64		/* files that it reads */
#define ITEMS_MAX	(2 * ENTRIES_MAX)
#define TOP		((size_t)-1)	/* the menu of an item that lies in no submenu */

struct item {
	char *id, *title;
	size_t menu;		/* the submenu it lies in, by its index; or TOP */
	const char *body;	/* behind the opening brace; null: an entry of blscfg */
	size_t entry;		/* its number among the entries; those of a submenu: count */
	bool submenu;
	bool sets_default;	/* a submenu with a default of its own */
	bool maybe;		/* its name, or whether it is there at all, is not known */
};

struct function {
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
	struct item *item;
	size_t items, menu;	/* how many, and the menu that is being collected */
	struct function *function;
	size_t functions;
	struct boot_entry *entry;	/* whose commands are run; null: a menu's */
	enum grub_truth status;		/* of the last command */
	unsigned int depth, blocks, commands;
	bool given_up;		/* one of the limits above was met */
	bool unsure;		/* something was done to the order of commands that is not followed here */
	bool fedora;		/* its GRUB, which looks for names before numbers */
};

enum keyword { K_COMMAND, K_IF, K_LOOP, K_FOR, K_FUNCTION, K_THEN, K_ELIF, K_ELSE, K_FI, K_DO, K_DONE, K_OPEN, K_CLOSE, K_END };

static enum keyword run_list(struct grub *g, enum grub_mode mode);

/* The next character of a value in the environment block, where a backslash stands before what is meant as it is; -1: its line ends. */
static int next_char(const char **at)
{
	if (**at == '\\' && (*at)[1])
		(*at)++;
	else if (!**at || **at == '\n')
		return -1;
	return (unsigned char)*(*at)++;
}

/* What GRUB takes for one: it begins with this line, and each line assigns, is a comment, or pads, and ends. */
static bool is_block(const char *text)
{
	static const char signature[] = "# GRUB Environment Block\n";

	if (strncmp(text, signature, sizeof(signature) - 1) != 0)
		return false;
	for (; *text && *text != '#'; text += strcspn(text, "\n") + 1)
		if (!strchr(text, '\n') || !memchr(text, '=', strcspn(text, "\n")))
			return false;
	for (text += strcspn(text, "\n"); *text == '\n'; text += strcspn(text, "\n")) {
		text++;
		if (*text && *text != '#' && (!strchr(text, '\n') || !memchr(text, '=', strcspn(text, "\n"))))
			return false;
	}
	return true;
}

/* A line of the environment block. *value is null if it assigns nothing. False: the block ends, or no memory. */
static bool next_assignment(const char **at, const char **name, size_t *name_bytes, char **value, bool *no_memory)
{
	const char *line = *at;
	size_t used = 0;
	int c;

	*value = NULL;
	if (!*line)
		return false;
	*name = line;
	*name_bytes = strcspn(line, "=\n");
	if (*line == '#' || line[*name_bytes] != '=') {
		*at = line + strcspn(line, "\n");
	} else {
		*at = line + *name_bytes + 1;
		*value = malloc(strlen(*at) + 1);
		*no_memory |= !*value;
		if (!*value)
			return false;
		while ((c = next_char(at)) >= 0)
			(*value)[used++] = (char)c;
		(*value)[used] = '\0';
	}
	*at += **at == '\n';
	return true;
}

bool grubenv_get(const char *grubenv, const char *name, char **to)
{
	const char *at = grubenv ? grubenv : "", *found;
	bool no_memory = false;
	size_t bytes;
	char *value;

	*to = NULL;
	while (next_assignment(&at, &found, &bytes, &value, &no_memory)) {
		if (value && bytes == strlen(name) && strncmp(found, name, bytes) == 0) {
			free(*to);
			*to = value;
		} else {
			free(value);
		}
	}
	return !no_memory;
}

static void set(struct grub *g, enum grub_mode mode, const char *name, const char *value, bool unknown)
{
	g->t.no_memory |= !grub_set(&g->variables, mode, name, strlen(name), value, unknown);
}

static bool is_command(const struct grub *g, const char *name)
{
	return strcmp(g->t.word[0].text, name) == 0;
}

/* Behind any option of the first words of a command: its first operand; words: none. */
static size_t first_operand(const struct grub *g)
{
	size_t i = 1;

	while (i < g->t.words && g->t.word[i].text[0] == '-')
		i++;
	return i;
}

/* Which file system $root is: a variable that no script can name. GRUB's own at first; ROOT_UNKNOWN: a device; else a UUID. */
#define ROOT_IS		"root is"
#define ROOT_UNKNOWN	"?"

/* "name=value" */
static void assign(struct grub *g, enum grub_mode mode, const struct grub_word *word)
{
	const char *equals = strchr(word->text, '=');

	if (equals && strncmp(word->text, "root=", 5) == 0)
		set(g, mode, ROOT_IS, strcmp(equals + 1, GRUB_ROOT) == 0 ? "" : ROOT_UNKNOWN, false);
	else if (equals)
		g->t.no_memory |= !grub_set(&g->variables, mode, word->text, (size_t)(equals - word->text), equals + 1, word->unknown);
}

/* Some of them have been set, and nobody knows which. */
static void forget_all(struct grub *g)
{
	size_t i;

	g->variables.unset_is_unknown = true;
	for (i = 0; i < g->variables.count; i++)
		g->variables.v[i].unknown = true;
}

/* load_env [-f FILE] [NAME...] */
static void load_env(struct grub *g, enum grub_mode mode)
{
	struct grub_word file = { .text = (char[]){ GRUB_DIRECTORY "/grubenv" } };
	const char *at, *name;
	size_t bytes, first = 1, i;
	char *value, *block;
	bool known;

	for (; first < g->t.words && g->t.word[first].text[0] == '-'; first++) {
		const char *text = g->t.word[first].text;

		if ((strcmp(text, "-f") == 0 || strcmp(text, "--file") == 0) && first + 1 < g->t.words)
			file = g->t.word[++first];
		else if (strncmp(text, "--file=", 7) == 0)
			file = (struct grub_word){ .text = g->t.word[first].text + 7, .unknown = g->t.word[first].unknown };
	}
	block = grub_read(g->files, &file, &known);
	if (!known || (block && !is_block(block)))
		forget_all(g);
	at = block && is_block(block) ? block : "";
	while (next_assignment(&at, &name, &bytes, &value, &g->t.no_memory)) {
		bool wanted = first == g->t.words;

		for (i = first; i < g->t.words; i++)
			wanted |= strlen(g->t.word[i].text) == bytes && strncmp(g->t.word[i].text, name, bytes) == 0;
		if (value && wanted)
			g->t.no_memory |= !grub_set(&g->variables, mode, name, bytes, value, false);
		free(value);
	}
	free(block);
}

/* Whatever a command does that is not known here, it may set the variable that it is told to. */
static void set_by_option(struct grub *g, enum grub_mode mode)
{
	size_t i;

	for (i = 1; i < g->t.words; i++) {
		const char *text = g->t.word[i].text, *name = NULL;

		if (strncmp(text, "--set=", 6) == 0)
			name = text + 6;
		else if ((strcmp(text, "--set") == 0 || strcmp(text, "-s") == 0) && i + 1 < g->t.words)
			name = g->t.word[i + 1].text;
		if (name && strrchr(name, ':'))	/* regexp's "1:name" */
			name = strrchr(name, ':') + 1;
		if (name && strcmp(name, "root") == 0)
			set(g, mode, ROOT_IS, ROOT_UNKNOWN, false);
		else if (name)
			set(g, mode, name, "", true);
	}
}

/* search --fs-uuid --set=root UUID, search.fs_uuid UUID root: then $root is known by that. Anything else that sets it is not. */
static void search(struct grub *g, enum grub_mode mode)
{
	const struct grub_word *uuid = NULL;
	bool by_uuid = is_command(g, "search.fs_uuid"), sets_root = by_uuid && g->t.words > 2 && strcmp(g->t.word[2].text, "root") == 0;
	size_t i;

	set_by_option(g, mode);
	for (i = 1; i < g->t.words; i++) {
		const char *text = g->t.word[i].text;

		by_uuid |= strcmp(text, "--fs-uuid") == 0 || strcmp(text, "-u") == 0;
		sets_root |= strcmp(text, "--set=root") == 0 || (is_command(g, "search") && strcmp(text, "--set") == 0);
		if (strcmp(text, "--hint") == 0)
			i++;
		else if (text[0] != '-' && !uuid)
			uuid = &g->t.word[i];
	}
	if (sets_root)
		set(g, mode, ROOT_IS, by_uuid && uuid && !uuid->unknown ? uuid->text : ROOT_UNKNOWN, false);
}

static void breaks(struct boot_entry *e, const char *why)
{
	snprintf(e->broken, sizeof(e->broken), "%s", why);
}

/* "($root)/boot/vmlinuz": paths here are all of the device that GRUB calls root. */
static const char *without_device(const char *path)
{
	const char *end = path[0] == '(' ? strchr(path, ')') : NULL;

	return end ? end + 1 : path;
}

static void set_path(struct grub *g, char **to, const struct grub_word *word, const char *what)
{
	const char *path = without_device(word->text);

	if (word->text[0] == '(' && strncmp(word->text, "(" GRUB_ROOT ")", strlen(GRUB_ROOT) + 2) != 0)
		breaks(g->entry, "its files are on a device that only GRUB knows");
	if (word->unknown || word->unset)
		snprintf(g->entry->broken, sizeof(g->entry->broken), "%s is named by a variable that is not known", what);
	g->t.no_memory |= !entry_set(to, path, strlen(path));
}

static bool is_hex_escape(const char *c)
{
	return c[0] == '\\' && c[1] == 'x' && isxdigit((unsigned char)c[2]) && isxdigit((unsigned char)c[3]);
}

/* As GRUB hands it to the kernel: quoted where it has a space, and backslashes and quotes behind a backslash. */
static void add_argument(struct grub *g, const char *word)
{
	char *text = malloc(2 * strlen(word) + 3), *to = text;
	bool quoted = strchr(word, ' ');

	g->t.no_memory |= !text;
	if (!text)
		return;
	if (quoted)
		*to++ = '"';
	for (; *word; word++) {
		if (strchr("\\'\"", *word) && !is_hex_escape(word))
			*to++ = '\\';
		*to++ = *word;
	}
	if (quoted)
		*to++ = '"';
	*to = '\0';
	g->t.no_memory |= !entry_append(&g->entry->cmdline, text);
	free(text);
}

static void clear_initrds(struct boot_entry *e)
{
	while (e->initrds) {
		free(e->initrd[--e->initrds]);
		e->initrd[e->initrds] = NULL;
	}
}

/* A second kernel or list of initrds takes the place of the first. */
static bool set_what_starts(struct grub *g, enum grub_mode mode)
{
	static const char *const kernels[] = { "linux", "linuxefi", "linux16" }, *const initrds[] = { "initrd", "initrdefi", "initrd16" };
	struct boot_entry *e = g->entry;
	bool kernel = false, initrd = false, dtb = is_command(g, "devicetree");
	size_t i, first = first_operand(g);

	for (i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		kernel |= is_command(g, kernels[i]);
		initrd |= is_command(g, initrds[i]);
	}
	if (!kernel && !initrd && !dtb)
		return false;
	if (mode == GRUB_MAYBE)
		breaks(e, "what it starts depends on a condition that only GRUB can judge");
	if (first == g->t.words)
		return true;
	if (dtb) {
		set_path(g, &e->dtb, &g->t.word[first], "its device tree");
		return true;
	}
	clear_initrds(e);
	if (kernel) {
		set_path(g, &e->kernel, &g->t.word[first], "its kernel");
		g->t.no_memory |= !entry_set(&e->cmdline, "", 0);
	}
	for (i = first + kernel; i < g->t.words && !g->t.no_memory; i++) {
		if (kernel) {
			if (g->t.word[i].unknown || g->t.word[i].device)
				breaks(e, "its command line has a variable that only GRUB knows");
			add_argument(g, g->t.word[i].text);
		} else if (e->initrds == ENTRY_INITRDS) {
			snprintf(e->broken, sizeof(e->broken), "it has more than %u initrds", ENTRY_INITRDS);
			break;
		} else {
			set_path(g, &e->initrd[e->initrds], &g->t.word[i], "an initrd");
			e->initrds += !!e->initrd[e->initrds];
		}
	}
	return true;
}

static struct item *add_item(struct grub *g, const char *id, const char *title)
{
	struct item *grown;

	if (g->items == ITEMS_MAX) {
		g->given_up = true;
		return NULL;
	}
	grown = realloc(g->item, (g->items + 1) * sizeof(*grown));
	g->t.no_memory |= !grown;
	if (!grown)
		return NULL;
	g->item = grown;
	grown[g->items] = (struct item){ .menu = g->menu };
	if (!entry_set(&grown[g->items].id, id, strlen(id)) || !entry_set(&grown[g->items].title, title, strlen(title))) {
		free(grown[g->items].id);
		g->t.no_memory = true;
		return NULL;
	}
	return &grown[g->items++];
}

/* The options of menuentry that have an argument, and its title, which is the first word that is none. */
static void define_item(struct grub *g, enum grub_mode mode, bool submenu)
{
	static const char *const with_argument[] = { "--class", "--users", "--hotkey", "--source" };
	const struct grub_word *title = NULL, *id = NULL;
	const char *id_text = NULL;
	struct item *item;
	size_t i, k;

	for (i = 1; i < g->t.words; i++) {
		const char *text = g->t.word[i].text;

		if (strcmp(text, "--id") == 0 && i + 1 < g->t.words) {
			id = &g->t.word[++i];
			id_text = id->text;
		} else if (strncmp(text, "--id=", 5) == 0) {
			id = &g->t.word[i];
			id_text = id->text + 5;
		} else if (text[0] != '-' && !title) {
			title = &g->t.word[i];
		}
		for (k = 0; k < sizeof(with_argument) / sizeof(with_argument[0]); k++)
			if (strcmp(text, with_argument[k]) == 0)
				i++;
	}
	if (!title)
		return;
	item = add_item(g, id ? id_text : title->text, title->text);
	if (!item)
		return;
	item->submenu = submenu;
	item->maybe = mode == GRUB_MAYBE || title->unknown || (id && id->unknown);
	item->body = g->t.at + 1;	/* behind the brace */
}

/* The text of a block, whose opening brace is at t->at; run_list stops behind its end. */
static void skip_block(struct grub *g)
{
	g->t.at++;
	run_list(g, GRUB_SKIP);
}

/* Commands of another place, after which it goes on here. */
static void run_there(struct grub *g, enum grub_mode mode, const char *body)
{
	const char *at = g->t.at;

	if (g->depth == DEPTH_MAX) {
		g->given_up = true;
		return;
	}
	g->t.at = body;
	g->depth++;
	run_list(g, mode);
	g->depth--;
	g->t.at = at;
}

static void call(struct grub *g, enum grub_mode mode, const char *body)
{
	char name[2] = "1";
	size_t i;

	for (i = 1; i < g->t.words && i < 10; i++, name[0]++)
		set(g, mode, name, g->t.word[i].text, g->t.word[i].unknown);
	run_there(g, mode, body);
	/* Those of whoever called this one are gone. */
	for (name[0] = '1'; name[0] <= '9'; name[0]++)
		set(g, GRUB_RUN, name, "", true);
}

/* An item that may be any number of them, of any name: nobody knows the numbers of those behind it. */
static void add_unknown_items(struct grub *g)
{
	struct item *item = g->entry ? NULL : add_item(g, "", "");

	if (item)
		item->maybe = true;
}

/* source FILE */
static void source(struct grub *g, enum grub_mode mode)
{
	bool known = false;
	char *text = g->t.words == 2 ? grub_read(g->files, &g->t.word[1], &known) : NULL, **grown;

	if (!known)
		add_unknown_items(g);
	if (!text)
		return;
	g->given_up |= g->texts == TEXTS_MAX;
	g->variables.work += strlen(text);
	grown = g->given_up ? NULL : realloc(g->text, (g->texts + 1) * sizeof(*grown));
	g->t.no_memory |= !grown && !g->given_up;
	if (!grown) {
		free(text);
		return;
	}
	g->text = grown;
	g->text[g->texts++] = text;
	run_there(g, mode, text);
}

static void take_bls(struct grub *g, enum grub_mode mode)
{
	size_t i, base = g->entries->count, count = 0;

	/* Within an entry, or a second time, there are none to take. */
	g->fedora = true;
	if (g->t.words > 1) {	/* one of them, or some */
		add_unknown_items(g);
		return;
	}
	for (i = 0; g->bls && i < g->bls->count; i++)
		count += g->bls->entry[i].source == ENTRY_BLS;
	if (!count || g->entry)
		return;
	entries_sort_by_id(g->bls);
	if (!entries_take(g->entries, g->bls, ENTRY_BLS)) {
		g->t.no_memory = true;
		return;
	}
	for (i = base; i < base + count; i++) {
		struct boot_entry *e = &g->entries->entry[i];
		const struct grub_variable *root = grub_look_up(&g->variables, ROOT_IS, strlen(ROOT_IS));
		struct item *item = e->kernel ? add_item(g, e->id, e->title) : NULL;
		bool unknown = false;
		unsigned int k;

		/* One without a kernel is none of GRUB's. */
		if (!item)
			continue;
		if (root && root->value[0] && strcmp(root->value, ROOT_UNKNOWN) != 0 && !root->unknown)
			g->t.no_memory |= !entry_set(&e->fs_uuid, root->value, strlen(root->value));
		/* GRUB knows it without ".conf". */
		if (strrchr(item->id, '.'))
			*strrchr(item->id, '.') = '\0';
		item->entry = i;
		item->maybe = mode == GRUB_MAYBE;
		grub_expand(&g->t, &e->kernel, &unknown);
		grub_expand(&g->t, &e->cmdline, &unknown);
		grub_expand(&g->t, &e->dtb, &unknown);
		for (k = 0; k < e->initrds; k++)
			grub_expand(&g->t, &e->initrd[k], &unknown);
		entry_drop_empty_initrds(e);
		if (unknown)
			breaks(e, "it has a variable that only GRUB knows");
	}
}

/* A command that is no function's. */
static void run_builtin(struct grub *g, enum grub_mode mode)
{
	static const char *const flow[] = { "return", "exit", "boot", "shift", "setparams", "break", "continue" };
	static const char *const others[] = { "configfile", "normal", "eval", "extract_entries_source", "extract_entries_configfile",
					      "legacy_source", "legacy_configfile", "syslinux_source", "syslinux_configfile", "blsuki" };
	const struct grub_word *word = g->t.word;
	size_t i, words = g->t.words, first = first_operand(g);

	g->status = GRUB_UNKNOWN;
	if (is_command(g, "[") && words > 1 && strcmp(word[words - 1].text, "]") == 0) {
		g->status = grub_test(word + 1, words - 2, g->files);
	} else if (is_command(g, "test")) {
		g->status = grub_test(word + 1, words - 1, g->files);
	} else if (is_command(g, "true") || is_command(g, "false")) {
		g->status = is_command(g, "true") ? GRUB_TRUE : GRUB_FALSE;
	} else if (is_command(g, "set")) {
		g->status = GRUB_TRUE;
		if (words > 1)
			assign(g, mode, &word[1]);
	} else if (words == 1 && strchr(word[0].text, '=')) {
		g->status = GRUB_TRUE;
		assign(g, mode, &word[0]);
	} else if (is_command(g, "unset") || is_command(g, "read") || is_command(g, "increment") || is_command(g, "decrement")) {
		for (i = first; i < words; i++)
			set(g, mode, word[i].text, NULL, !is_command(g, "unset"));
	} else if (is_command(g, "export")) {
		for (i = first; i < words; i++)
			g->t.no_memory |= !grub_export(&g->variables, word[i].text);
	} else if (is_command(g, "load_env")) {
		load_env(g, mode);
	} else if (is_command(g, "source") || is_command(g, ".")) {
		source(g, mode);
	} else if (is_command(g, "blscfg")) {
		take_bls(g, mode);
	} else if (is_command(g, "search") || is_command(g, "search.fs_uuid") || is_command(g, "search.file") || is_command(g, "search.fs_label")) {
		search(g, mode);
	} else if (is_command(g, "menuentry") && !g->entry) {
		add_unknown_items(g);	/* with --source, and no block */
	} else if (!g->entry || !set_what_starts(g, mode)) {
		set_by_option(g, mode);
	}
	for (i = 0; i < sizeof(flow) / sizeof(flow[0]) && g->t.words; i++)
		if (is_command(g, flow[i])) {
			if (g->entry)
				breaks(g->entry, "it uses a command that changes the order of commands");
			else
				g->unsure = true;
		}
	for (i = 0; i < sizeof(others) / sizeof(others[0]) && g->t.words; i++)
		if (is_command(g, others[i]))
			add_unknown_items(g);
}

static const char *find_function(const struct grub *g, const char *name)
{
	size_t i;

	for (i = g->functions; i; i--)
		if (strcmp(g->function[i - 1].name, name) == 0)
			return g->function[i - 1].body;
	return NULL;
}

/* GRUB looks for commands before functions. */
static bool is_builtin(const char *name)
{
	static const char *const names[] = {
		"[", "test", "true", "false", "set", "unset", "export", "source", ".", "load_env", "blscfg", "search", "linux", "initrd", "devicetree",
		"configfile", "normal", "eval", "menuentry", "submenu", "echo", "insmod", "save_env",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* The words of the command are read. */
static void run_command(struct grub *g, enum grub_mode mode)
{
	bool block = *g->t.at == '{';
	const char *body;

	if (block) {
		bool submenu = g->t.words && is_command(g, "submenu");

		if (mode != GRUB_SKIP && !g->entry && g->t.words && (submenu || is_command(g, "menuentry")))
			define_item(g, mode, submenu);
		skip_block(g);
	} else if (mode != GRUB_SKIP && g->t.words) {
		body = is_builtin(g->t.word[0].text) ? NULL : find_function(g, g->t.word[0].text);
		if (body)
			call(g, mode, body);
		else
			run_builtin(g, mode);
	}
}

static void define_function(struct grub *g, enum grub_mode mode)
{
	struct function *grown;

	grub_clear_words(&g->t);
	grub_take_word(&g->t);
	grub_skip_separators(&g->t);
	if (*g->t.at != '{')
		return;
	if (mode != GRUB_SKIP && g->t.words && g->functions < ENTRIES_MAX) {
		grown = realloc(g->function, (g->functions + 1) * sizeof(*grown));
		g->t.no_memory |= !grown;
		if (!grown)
			return;
		g->function = grown;
		grown[g->functions] = (struct function){ .body = g->t.at + 1 };
		g->t.no_memory |= !entry_set(&grown[g->functions].name, g->t.word[0].text, strlen(g->t.word[0].text));
		if (g->t.no_memory)
			return;
		g->functions++;
	}
	skip_block(g);
}

/* What runs only if a condition holds. */
static enum grub_mode when(enum grub_mode mode, enum grub_truth condition)
{
	if (mode == GRUB_SKIP || condition == GRUB_FALSE)
		return GRUB_SKIP;
	return condition == GRUB_UNKNOWN ? GRUB_MAYBE : mode;
}

static void run_if(struct grub *g, enum grub_mode mode)
{
	enum grub_mode rest = mode, now;
	enum keyword keyword;

	do {
		keyword = run_list(g, rest);
		if (keyword != K_THEN)
			break;
		now = when(rest, g->status);
		rest = when(rest, g->status == GRUB_UNKNOWN ? GRUB_UNKNOWN : g->status == GRUB_FALSE ? GRUB_TRUE : GRUB_FALSE);
		keyword = run_list(g, now);
	} while (keyword == K_ELIF);
	if (keyword == K_ELSE)
		keyword = run_list(g, rest);
	g->status = GRUB_UNKNOWN;
}

/* How often is not known: as if it might have been once, with every variable that it sets unknown. */
static void run_loop(struct grub *g, enum grub_mode mode)
{
	mode = when(mode, GRUB_UNKNOWN);
	if (run_list(g, mode) == K_DO)
		run_list(g, mode);
	g->status = GRUB_UNKNOWN;
}

static void run_for(struct grub *g, enum grub_mode mode)
{
	grub_clear_words(&g->t);
	while (grub_take_word(&g->t))
		;
	if (g->t.words && mode != GRUB_SKIP)
		set(g, GRUB_RUN, g->t.word[0].text, "", true);
	run_loop(g, mode);
}

static enum keyword next_keyword(struct grub *g)
{
	static const struct { const char *name; enum keyword keyword; } reserved[] = {
		{ "if", K_IF }, { "while", K_LOOP }, { "until", K_LOOP }, { "for", K_FOR }, { "function", K_FUNCTION }, { "then", K_THEN },
		{ "elif", K_ELIF }, { "else", K_ELSE }, { "fi", K_FI }, { "do", K_DO }, { "done", K_DONE },
	};
	size_t i;

	grub_clear_words(&g->t);
	grub_skip_separators(&g->t);
	if (!*g->t.at)
		return K_END;
	if (*g->t.at == '{' || *g->t.at == '}')
		return *g->t.at++ == '{' ? K_OPEN : K_CLOSE;
	grub_take_word(&g->t);
	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]) && g->t.words; i++)
		if (g->t.word[0].bare && strcmp(g->t.word[0].text, reserved[i].name) == 0)
			return reserved[i].keyword;
	while (grub_take_word(&g->t))
		;
	return K_COMMAND;
}

/* Commands up to the reserved word, brace or end that is none of theirs, which is returned. */
static enum keyword run_list(struct grub *g, enum grub_mode mode)
{
	bool skipping = g->t.skipping;
	enum keyword keyword;

	if (++g->blocks > BLOCKS_MAX)
		g->given_up = true;
	for (;;) {
		g->t.skipping = mode == GRUB_SKIP;
		if (g->given_up || g->t.no_memory || ++g->commands > COMMANDS_MAX || g->variables.work > WORK_MAX) {
			g->given_up = true;
			keyword = K_END;
			break;
		}
		keyword = next_keyword(g);
		if (keyword == K_COMMAND)
			run_command(g, mode);
		else if (keyword == K_IF)
			run_if(g, mode);
		else if (keyword == K_LOOP)
			run_loop(g, mode);
		else if (keyword == K_FOR)
			run_for(g, mode);
		else if (keyword == K_FUNCTION)
			define_function(g, mode);
		else if (keyword == K_OPEN)
			run_list(g, mode);
		else
			break;
	}
	g->blocks--;
	g->t.skipping = skipping;
	return keyword;
}

static void run_from(struct grub *g, const char *at)
{
	g->t.at = at;
	run_list(g, GRUB_RUN);
}

static void run_entry(struct grub *g, size_t item)
{
	size_t count = g->variables.count, base = g->variables.scope_base, functions = g->functions;
	const struct grub_variable *root;
	char name[2] = "1";
	struct boot_entry *e = entries_add(g->entries, ENTRY_GRUB, g->item[item].id, g->item[item].title);

	g->t.no_memory |= !e;
	if (!e)
		return;
	g->item[item].entry = g->entries->count - 1;
	g->variables.scope_base = count;
	g->entry = e;
	for (; name[0] <= '9'; name[0]++)
		set(g, GRUB_RUN, name, "", true);	/* its title, and what follows */
	run_from(g, g->item[item].body);
	g->entry = NULL;
	root = grub_look_up(&g->variables, ROOT_IS, strlen(ROOT_IS));
	if (root && (root->unknown || strcmp(root->value, ROOT_UNKNOWN) == 0))
		breaks(e, "its files are on a device that only GRUB knows");
	else if (root && root->value[0])
		g->t.no_memory |= !entry_set(&e->fs_uuid, root->value, strlen(root->value));
	while (g->functions > functions)
		free(g->function[--g->functions].name);
	if (!e->kernel && !e->broken[0])
		breaks(e, "it starts no kernel");
	if (strncmp(e->id, "osprober-", strlen("osprober-")) == 0)
		breaks(e, "it is another system's, whose files are not here");
	grub_forget(&g->variables, count);
	g->variables.scope_base = base;
}

/* Entries come in the order in which a person meets them, those of a submenu where it stands. */
static void run_menu(struct grub *g, size_t menu)
{
	size_t i, items = g->items;

	for (i = 0; i < items && !g->t.no_memory && !g->given_up; i++) {
		size_t count = g->variables.count, menu_base = g->variables.menu_base, base = g->variables.scope_base;
		const struct grub_variable *dflt;

		if (g->item[i].menu != menu || !g->item[i].body)
			continue;
		if (!g->item[i].submenu) {
			run_entry(g, i);
			continue;
		}
		if (g->depth == DEPTH_MAX) {
			g->given_up = true;
			return;
		}
		g->variables.scope_base = g->variables.menu_base = count;
		g->menu = i;
		g->depth++;
		run_from(g, g->item[i].body);
		dflt = grub_look_up(&g->variables, "default", strlen("default"));
		g->item[i].sets_default = dflt && (size_t)(dflt - g->variables.v) >= count;
		run_menu(g, i);
		g->depth--;
		grub_forget(&g->variables, count);
		g->variables.menu_base = menu_base;
		g->variables.scope_base = base;
	}
}

/* Whether an item is what the first part of a default says, where ">" separates parts and ">>" is ">" itself. *rest: behind that part. */
static bool is_named(const char *name, const char *spec, const char **rest)
{
	for (;;) {
		bool end = !*spec || (spec[0] == '>' && spec[1] != '>');

		if (end) {
			*rest = spec + (*spec == '>');
			return !*name;
		}
		spec += *spec == '>';
		if (*name++ != *spec++)
			return false;
	}
}

enum found { FOUND, FOUND_NOT, FOUND_UNKNOWN };

/* strtoul(3) of base 0 without what it asks of the system. */
static unsigned long number_of(const char *text, char **end)
{
	static const char digits[] = "0123456789abcdef";
	unsigned int base = 10;
	unsigned long value = 0;
	const char *digit;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && isxdigit((unsigned char)text[2])) {
		base = 16;
		text += 2;
	} else if (text[0] == '0' && isdigit((unsigned char)text[1])) {
		base = 8;
	}
	while (*text && (digit = memchr(digits, *text >= 'A' && *text <= 'F' ? *text | 0x20 : *text, base)) != NULL) {
		value = value > ITEMS_MAX ? value : value * base + (unsigned long)(digit - digits);
		text++;
	}
	*end = (char *)(uintptr_t)text;
	return value;
}

/* As strtoul(3) with any base reads the beginning of spec; *rest is behind it and the spaces that follow. False: no number. */
static bool take_number(const char *spec, unsigned long *number, const char **rest)
{
	char *end;

	spec += strspn(spec, " \t");
	*number = number_of(spec, &end);
	*rest = end + strspn(end, " \t");
	return end > spec;
}

/*
 * The item of a menu that the first part of spec means: by number, or the first of that title or id. Whatever begins with digits is a number,
 * whatever follows them; but for Fedora's GRUB it is a number only where it is no name.
 */
static enum found find_item(const struct grub *g, size_t menu, const char *spec, size_t *item, const char **rest)
{
	const char *behind, *behind_name;
	unsigned long number;
	bool by_number = take_number(spec, &number, &behind);
	size_t i;

	for (i = 0; i < g->items && (!by_number || g->fedora); i++) {
		const struct item *it = &g->item[i];

		if (it->menu != menu)
			continue;
		if (it->maybe && !it->id[0])
			return FOUND_UNKNOWN;
		if (is_named(it->id, spec, &behind_name) || is_named(it->title, spec, &behind_name)) {
			*item = i;
			*rest = behind_name;
			return it->maybe ? FOUND_UNKNOWN : FOUND;
		}
	}
	*rest = by_number ? behind + (*behind == '>') : "";
	for (i = 0; i < g->items && by_number; i++) {
		if (g->item[i].menu != menu)
			continue;
		if (g->item[i].maybe)
			return FOUND_UNKNOWN;
		if (!number--) {
			*item = i;
			return FOUND;
		}
	}
	*rest = "";
	return FOUND_NOT;
}

/* GRUB starts the first item where the default is none; and a submenu's first, where it names only the submenu. */
static void choose(struct grub *g)
{
	const struct grub_variable *dflt = grub_look_up(&g->variables, "default", strlen("default"));
	const char *spec = dflt && dflt->value && dflt->value[0] ? dflt->value : "0", *rest;
	enum found found;
	size_t menu = TOP, item = 0;

	g->entries->preferred = g->entries->count;
	if (!g->items && !g->given_up)
		return;
	if (g->given_up || g->unsure || (dflt ? dflt->unknown : g->variables.unset_is_unknown)) {
		snprintf(g->entries->undecided, sizeof(g->entries->undecided), "which of GRUB's is the default, only GRUB can tell");
		return;
	}
	do {
		found = find_item(g, menu, spec, &item, &rest);
		if (found == FOUND_NOT)
			found = find_item(g, menu, "0", &item, &rest);
		if (found != FOUND)
			break;
		if (g->item[item].submenu && !*rest && g->item[item].sets_default) {
			found = FOUND_UNKNOWN;
			break;
		}
		spec = *rest ? rest : "0";
		menu = item;
	} while (g->item[item].submenu);
	if (found == FOUND)
		g->entries->preferred = g->item[item].entry;
	else
		snprintf(g->entries->undecided, sizeof(g->entries->undecided), "GRUB's default, %.60s, is not among what grub.cfg is known to hold",
			 dflt && dflt->value ? dflt->value : "the first");
}

/* What GRUB's own modules set on arm64 with EFI. */
static void set_features(struct grub *g)
{
	static const char *const features[] = {
		"feature_chainloader_bpb", "feature_ntldr", "feature_platform_search_hint", "feature_default_font_path", "feature_all_video_module",
		"feature_menuentry_id", "feature_menuentry_options", "feature_200_final", "feature_nativedisk_cmd", "feature_timeout_style",
	};
	static const struct { const char *name, *value; } known[] = {
		{ "grub_cpu", "arm64" }, { "grub_platform", "efi" }, { "root", GRUB_ROOT }, { "prefix", GRUB_DIRECTORY },
		{ "config_directory", GRUB_DIRECTORY },
	};
	static const char *const only_grub[] = {
		"cmdpath", "config_file", "chosen", "lockdown", "shim_lock", "secure_boot",
	};
	size_t i;

	for (i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		set(g, GRUB_RUN, features[i], "y", false);
		g->t.no_memory |= !grub_export(&g->variables, features[i]);
	}
	for (i = 0; i < sizeof(only_grub) / sizeof(only_grub[0]); i++) {
		set(g, GRUB_RUN, only_grub[i], "", true);
		g->t.no_memory |= !grub_export(&g->variables, only_grub[i]);
	}
	set(g, GRUB_RUN, ROOT_IS, "", false);
	g->t.no_memory |= !grub_export(&g->variables, ROOT_IS);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		set(g, GRUB_RUN, known[i].name, known[i].value, false);
		g->t.no_memory |= !grub_export(&g->variables, known[i].name);
		if ((known[i].value[0] == '(' || known[i].value[0] == '?') && g->variables.count)
			g->variables.v[g->variables.count - 1].device = true;
	}
}

enum kx_err entries_parse_grub(struct boot_entries *entries, const char *text, const struct grub_files *files, struct boot_entries *bls)
{
	struct grub *g = calloc(1, sizeof(*g));
	bool no_memory;
	size_t i;

	if (!g)
		return KX_NO_MEMORY;
	g->entries = entries;
	g->bls = bls;
	g->files = files;
	g->menu = TOP;
	g->t.variables = &g->variables;
	set_features(g);
	for (g->t.at = text; *g->t.at && !g->given_up;)
		run_list(g, GRUB_RUN);	/* a brace or a reserved word too many stops it early */
	run_menu(g, TOP);
	choose(g);
	for (i = 0; i < g->items; i++) {
		free(g->item[i].id);
		free(g->item[i].title);
	}
	for (i = 0; i < g->functions; i++)
		free(g->function[i].name);
	for (i = 0; i < g->texts; i++)
		free(g->text[i]);
	free(g->text);
	free(g->item);
	free(g->function);
	grub_free_words(&g->t);
	grub_forget(&g->variables, 0);
	free(g->variables.v);
	no_memory = g->t.no_memory;
	free(g);
	return no_memory ? KX_NO_MEMORY : KX_OK;
}
