/* SPDX-License-Identifier: GPL-2.0-only */
/* GRUB's commands, as far as they decide what the menu holds and what an entry starts. */
#include "grub_state.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_MAX	64		/* files that it reads */

/* Behind any option of the first words of a command: its first operand; words: none. */
static size_t first_operand(const struct grub *g)
{
	size_t i = 1;

	while (i < g->t.words && g->t.word[i].text[0] == '-')
		i++;
	return i;
}

/* "name=value" */
static void assign(struct grub *g, enum grub_mode mode, const struct grub_word *word)
{
	const char *equals = strchr(word->text, '=');

	if (equals && strncmp(word->text, "root=", 5) == 0)
		grub_let(g, mode, GRUB_ROOT_IS, strcmp(equals + 1, GRUB_ROOT) == 0 ? "" : GRUB_ROOT_UNKNOWN, false);
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
	if (!known || (block && !grub_env_is_block(block)))
		forget_all(g);
	at = block && grub_env_is_block(block) ? block : "";
	while (grub_env_next(&at, &name, &bytes, &value, &g->t.no_memory)) {
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
			grub_let(g, mode, GRUB_ROOT_IS, GRUB_ROOT_UNKNOWN, false);
		else if (name)
			grub_let(g, mode, name, "", true);
	}
}

/* search --fs-uuid --set=root UUID, search.fs_uuid UUID root: then $root is known by that. Anything else that sets it is not. */
static void search(struct grub *g, enum grub_mode mode)
{
	const struct grub_word *uuid = NULL;
	bool by_uuid = grub_is_command(g, "search.fs_uuid"), sets_root = by_uuid && g->t.words > 2 && strcmp(g->t.word[2].text, "root") == 0;
	size_t i;

	set_by_option(g, mode);
	for (i = 1; i < g->t.words; i++) {
		const char *text = g->t.word[i].text;

		by_uuid |= strcmp(text, "--fs-uuid") == 0 || strcmp(text, "-u") == 0;
		sets_root |= strcmp(text, "--set=root") == 0 || (grub_is_command(g, "search") && strcmp(text, "--set") == 0);
		if (strcmp(text, "--hint") == 0)
			i++;
		else if (text[0] != '-' && !uuid)
			uuid = &g->t.word[i];
	}
	if (sets_root)
		grub_let(g, mode, GRUB_ROOT_IS, by_uuid && uuid && !uuid->unknown ? uuid->text : GRUB_ROOT_UNKNOWN, false);
}

void grub_take_root(struct grub *g, struct boot_entry *e)
{
	const struct grub_variable *root = grub_look_up(&g->variables, GRUB_ROOT_IS, strlen(GRUB_ROOT_IS));

	if (root && (root->unknown || strcmp(root->value, GRUB_ROOT_UNKNOWN) == 0))
		entry_break(e, "its files are on a device that only GRUB knows");
	else if (root && root->value[0])
		g->t.no_memory |= !entry_set(&e->fs_uuid, root->value, strlen(root->value));
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
		entry_break(g->entry, "its files are on a device that only GRUB knows");
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
	bool kernel = false, initrd = false, dtb = grub_is_command(g, "devicetree");
	size_t i, first = first_operand(g);

	for (i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		kernel |= grub_is_command(g, kernels[i]);
		initrd |= grub_is_command(g, initrds[i]);
	}
	if (!kernel && !initrd && !dtb)
		return false;
	if (mode == GRUB_MAYBE)
		entry_break(e, "what it starts depends on a condition that only GRUB can judge");
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
				entry_break(e, "its command line has a variable that only GRUB knows");
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

static struct grub_item *add_item(struct grub *g, const char *id, const char *title)
{
	struct grub_item *grown;

	if (g->items == GRUB_ITEMS_MAX) {
		g->given_up = true;
		return NULL;
	}
	grown = realloc(g->item, (g->items + 1) * sizeof(*grown));
	g->t.no_memory |= !grown;
	if (!grown)
		return NULL;
	g->item = grown;
	grown[g->items] = (struct grub_item){ .menu = g->menu };
	if (!entry_set(&grown[g->items].id, id, strlen(id)) || !entry_set(&grown[g->items].title, title, strlen(title))) {
		free(grown[g->items].id);
		g->t.no_memory = true;
		return NULL;
	}
	return &grown[g->items++];
}

/* The options of menuentry that have an argument, and its title, which is the first word that is none. */
void grub_define_item(struct grub *g, enum grub_mode mode, bool submenu)
{
	static const char *const with_argument[] = { "--class", "--users", "--hotkey", "--source" };
	const struct grub_word *title = NULL, *id = NULL;
	const char *id_text = NULL;
	struct grub_item *item;
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

/* An item that may be any number of them, of any name: nobody knows the numbers of those behind it. */
static void add_unknown_items(struct grub *g)
{
	struct grub_item *item = g->entry ? NULL : add_item(g, "", "");

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
	grub_run_there(g, mode, text);
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
		struct grub_item *item = e->kernel ? add_item(g, e->id, e->title) : NULL;
		bool unknown = false;
		unsigned int k;

		/* One without a kernel is none of GRUB's. */
		if (!item)
			continue;
		grub_take_root(g, e);
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
			entry_break(e, "it has a variable that only GRUB knows");
	}
}

/* A command that is no function's. */
void grub_run_builtin(struct grub *g, enum grub_mode mode)
{
	static const char *const flow[] = { "return", "exit", "boot", "shift", "setparams", "break", "continue" };
	static const char *const others[] = { "configfile", "normal", "eval", "extract_entries_source", "extract_entries_configfile",
					      "legacy_source", "legacy_configfile", "syslinux_source", "syslinux_configfile", "blsuki" };
	const struct grub_word *word = g->t.word;
	size_t i, words = g->t.words, first = first_operand(g);

	g->status = GRUB_UNKNOWN;
	if (grub_is_command(g, "[") && words > 1 && strcmp(word[words - 1].text, "]") == 0) {
		g->status = grub_test(word + 1, words - 2, g->files);
	} else if (grub_is_command(g, "test")) {
		g->status = grub_test(word + 1, words - 1, g->files);
	} else if (grub_is_command(g, "true") || grub_is_command(g, "false")) {
		g->status = grub_is_command(g, "true") ? GRUB_TRUE : GRUB_FALSE;
	} else if (grub_is_command(g, "set")) {
		g->status = GRUB_TRUE;
		if (words > 1)
			assign(g, mode, &word[1]);
	} else if (words == 1 && strchr(word[0].text, '=')) {
		g->status = GRUB_TRUE;
		assign(g, mode, &word[0]);
	} else if (grub_is_command(g, "unset") || grub_is_command(g, "read") || grub_is_command(g, "increment") || grub_is_command(g, "decrement")) {
		for (i = first; i < words; i++)
			grub_let(g, mode, word[i].text, NULL, !grub_is_command(g, "unset"));
	} else if (grub_is_command(g, "export")) {
		for (i = first; i < words; i++)
			g->t.no_memory |= !grub_export(&g->variables, word[i].text);
	} else if (grub_is_command(g, "load_env")) {
		load_env(g, mode);
	} else if (grub_is_command(g, "source") || grub_is_command(g, ".")) {
		source(g, mode);
	} else if (grub_is_command(g, "blscfg")) {
		take_bls(g, mode);
	} else if (grub_is_command(g, "search") || grub_is_command(g, "search.fs_uuid") || grub_is_command(g, "search.file") ||
		   grub_is_command(g, "search.fs_label")) {
		search(g, mode);
	} else if (grub_is_command(g, "menuentry") && !g->entry) {
		add_unknown_items(g);	/* with --source, and no block */
	} else if (!g->entry || !set_what_starts(g, mode)) {
		set_by_option(g, mode);
	}
	for (i = 0; i < sizeof(flow) / sizeof(flow[0]) && g->t.words; i++)
		if (grub_is_command(g, flow[i])) {
			if (g->entry)
				entry_break(g->entry, "it uses a command that changes the order of commands");
			else
				g->unsure = true;
		}
	for (i = 0; i < sizeof(others) / sizeof(others[0]) && g->t.words; i++)
		if (grub_is_command(g, others[i]))
			add_unknown_items(g);
}

/* GRUB looks for commands before functions. */
bool grub_is_builtin(const char *name)
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
