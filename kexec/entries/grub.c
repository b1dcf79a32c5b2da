/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * grub.cfg is a script. It is not run: menu entries are found by their words, at whatever depth of braces, and conditions are taken as if
 * both ways were gone. What grub-mkconfig writes reads right that way; what somebody else has written need not, and is told apart by a kernel
 * file that is not there. The list is empty at first.
 */
#include "entry.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX	256
#define WORD_CHARS	4096
#define DEPTH_MAX	16
#define VARIABLES_MAX	256

struct variable {
	char *name, *value;
};

struct menu {
	unsigned int depth;	/* of braces, inside it */
	unsigned int next;	/* number of the next item in it */
};

struct grub {
	struct boot_entries *entries;
	const char *at, *grubenv;
	struct variable variable[VARIABLES_MAX];
	unsigned int variables;
	/* A command: its words, expanded. ends: by the character it ended with, 0 at the end of the file. */
	char *word[WORDS_MAX];
	bool unknown[WORDS_MAX];	/* a variable in it has no value */
	unsigned int words;
	char *dflt;			/* as the file sets it, not expanded; null: it does not */
	char **position;		/* of each of the first positions entries: "0", "1>2" */
	size_t positions;
	struct menu menu[DEPTH_MAX];
	unsigned int menus, depth;
	bool in_entry;
	unsigned int entry_depth;
	bool no_memory;
};

bool grubenv_get(const char *grubenv, const char *name, size_t name_bytes, char **to)
{
	entry_set(to, NULL, 0);
	for (; grubenv && *grubenv; grubenv += strcspn(grubenv, "\n"), grubenv += *grubenv == '\n')
		if (strncmp(grubenv, name, name_bytes) == 0 && grubenv[name_bytes] == '=')
			return entry_set(to, grubenv + name_bytes + 1, strcspn(grubenv + name_bytes + 1, "\n"));
	return true;
}

/* Of the file's own, the last one that was set so far. */
static const char *look_up(struct grub *g, const char *name, size_t bytes, char **found)
{
	unsigned int i;

	for (i = g->variables; i; i--)
		if (strncmp(g->variable[i - 1].name, name, bytes) == 0 && !g->variable[i - 1].name[bytes])
			return g->variable[i - 1].value;
	g->no_memory |= !grubenv_get(g->grubenv, name, bytes, found);
	return *found;
}

/* "$name" or "${name}" at text. Returns what is behind it. */
static const char *take_variable(struct grub *g, const char *text, char *out, size_t *used, bool *unknown)
{
	bool braces = text[1] == '{';
	const char *name = text + 1 + braces, *value;
	char *found = NULL;
	size_t bytes = 0;

	while (isalnum((unsigned char)name[bytes]) || name[bytes] == '_' || name[bytes] == '?')
		bytes++;
	value = look_up(g, name, bytes, &found);
	*unknown |= !value;
	if (value && *used + strlen(value) + 1 < WORD_CHARS) {
		memcpy(out + *used, value, strlen(value));
		*used += strlen(value);
	}
	free(found);
	return name + bytes + (braces && name[bytes] == '}');
}

/* One word of a command, with quotes taken off. False: there is none before the command ends. */
static bool take_word(struct grub *g, char *out, bool *unknown, bool *quoted)
{
	size_t used = 0;
	char quote = 0;

	*unknown = *quoted = false;
	for (;;) {
		if (*g->at == '\\' && g->at[1] == '\n')
			g->at += 2;
		else if (*g->at == ' ' || *g->at == '\t' || *g->at == '\r')
			g->at++;
		else
			break;
	}
	if (!*g->at || strchr("\n;{}", *g->at) || *g->at == '#')
		return false;
	while (*g->at && (quote || !strchr(" \t\r\n;{}", *g->at))) {
		if (*g->at == quote) {
			quote = 0;
			g->at++;
		} else if (!quote && (*g->at == '"' || *g->at == '\'')) {
			quote = *g->at++;
			*quoted = true;
		} else if (quote != '\'' && *g->at == '$' && (isalnum((unsigned char)g->at[1]) || g->at[1] == '_' || g->at[1] == '{')) {
			g->at = take_variable(g, g->at, out, &used, unknown);
		} else {
			if (quote != '\'' && *g->at == '\\' && g->at[1] && (!quote || strchr("$\"\\\n", g->at[1])))
				g->at++;
			if (used + 1 < WORD_CHARS)
				out[used++] = *g->at;
			g->at++;
		}
	}
	out[used] = '\0';
	return true;
}

/* The next command. Returns the character that ended it; 0: the file is over. */
static char take_command(struct grub *g)
{
	char word[WORD_CHARS], end;
	bool quoted;
	unsigned int i;

	for (i = 0; i < g->words; i++)
		free(g->word[i]);
	for (g->words = 0; g->words < WORDS_MAX && take_word(g, word, &g->unknown[g->words], &quoted);) {
		/* A word that is a variable without a value is none, as in a shell. */
		if (!word[0] && g->unknown[g->words] && !quoted)
			continue;
		g->word[g->words] = NULL;
		g->no_memory |= !entry_set(&g->word[g->words], word, strlen(word));
		if (!g->word[g->words])
			break;
		g->words++;
	}
	if (*g->at == '#')
		g->at += strcspn(g->at, "\n");
	end = *g->at;
	if (end)
		g->at++;
	return end;
}

static void set_variable(struct grub *g, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	struct variable *v = &g->variable[g->variables];

	if (!equals || g->variables == VARIABLES_MAX)
		return;
	*v = (struct variable){ 0 };
	g->no_memory |= !entry_set(&v->name, assignment, (size_t)(equals - assignment)) || !entry_set(&v->value, equals + 1, strlen(equals + 1));
	g->variables++;
}

/* What is behind --id or the variable that says so; null: none. */
static const char *option_id(const struct grub *g)
{
	unsigned int i;

	for (i = 2; i + 1 < g->words; i++)
		if (strcmp(g->word[i], "--id") == 0)
			return g->word[i + 1];
	return NULL;
}

static void begin_menu(struct grub *g)
{
	g->menu[g->menus].next++;
	if (g->menus + 1 < DEPTH_MAX)
		g->menu[++g->menus] = (struct menu){ .depth = g->depth };
}

static void begin_entry(struct grub *g)
{
	const char *id = option_id(g);
	struct boot_entry *e;
	char position[DEPTH_MAX * 12] = "", **grown;
	unsigned int i;

	for (i = 0; i <= g->menus; i++)
		snprintf(position + strlen(position), sizeof(position) - strlen(position), "%s%u", i ? ">" : "",
			 g->menu[i].next - (i < g->menus));
	g->menu[g->menus].next++;
	g->in_entry = true;
	g->entry_depth = g->depth;
	e = entries_add(g->entries, ENTRY_GRUB, id ? id : g->word[1], g->word[1]);
	grown = e ? realloc(g->position, g->entries->count * sizeof(*grown)) : NULL;
	if (!grown) {
		g->no_memory = true;
		return;
	}
	g->position = grown;
	g->position[g->positions] = NULL;
	g->no_memory |= !entry_set(&g->position[g->positions], position, strlen(position));
	g->positions++;
}

/* "($root)/boot/vmlinuz": paths here are all of the device that GRUB calls root. */
static const char *without_device(const char *path)
{
	const char *end = path[0] == '(' ? strchr(path, ')') : NULL;

	return end ? end + 1 : path;
}

/* As GRUB hands them on: a word with a space in it is quoted. */
static void add_argument(struct grub *g, struct boot_entry *e, const char *word)
{
	char *quoted;

	if (!strchr(word, ' ')) {
		g->no_memory |= !entry_append(&e->cmdline, word);
		return;
	}
	quoted = malloc(strlen(word) + 3);
	g->no_memory |= !quoted;
	if (!quoted)
		return;
	snprintf(quoted, strlen(word) + 3, "\"%s\"", word);
	g->no_memory |= !entry_append(&e->cmdline, quoted);
	free(quoted);
}

static void in_entry(struct grub *g)
{
	struct boot_entry *e = &g->entries->entry[g->entries->count - 1];
	unsigned int i;

	if (g->words < 2)
		return;
	if (strcmp(g->word[0], "linux") == 0 || strcmp(g->word[0], "linuxefi") == 0 || strcmp(g->word[0], "linux16") == 0) {
		if (g->unknown[1])
			snprintf(e->broken, sizeof(e->broken), "its kernel is named by a variable that is not known");
		g->no_memory |= !entry_set(&e->kernel, without_device(g->word[1]), strlen(without_device(g->word[1]))) ||
				!entry_set(&e->cmdline, "", 0);
		for (i = 2; i < g->words; i++)
			add_argument(g, e, g->word[i]);
	} else if (strcmp(g->word[0], "initrd") == 0 || strcmp(g->word[0], "initrdefi") == 0 || strcmp(g->word[0], "initrd16") == 0) {
		for (i = 1; i < g->words; i++) {
			if (e->initrds == ENTRY_INITRDS) {
				snprintf(e->broken, sizeof(e->broken), "it has more than %u initrds", ENTRY_INITRDS);
				return;
			}
			if (g->unknown[i])
				snprintf(e->broken, sizeof(e->broken), "an initrd is named by a variable that is not known");
			g->no_memory |= !entry_set(&e->initrd[e->initrds], without_device(g->word[i]), strlen(without_device(g->word[i])));
			if (g->no_memory)
				return;
			e->initrds++;
		}
	} else if (strcmp(g->word[0], "devicetree") == 0) {
		g->no_memory |= !entry_set(&e->dtb, without_device(g->word[1]), strlen(without_device(g->word[1])));
	}
}

/* grub-mkconfig sets it twice: for a saved one-shot entry, and for always. Its text, before variables are put in. */
static void note_default(struct grub *g, const char *command)
{
	const char *value = strstr(command, "default=");
	size_t bytes = strcspn(command, "\n;");

	if (!value || value >= command + bytes)
		return;
	value += strlen("default=");
	bytes -= (size_t)(value - command);
	/* Only used where grubenv has none. */
	if (memmem(value, bytes, "next_entry", strlen("next_entry")))
		return;
	g->no_memory |= !entry_set(&g->dflt, value, bytes);
}

static void run(struct grub *g)
{
	for (;;) {
		const char *start = g->at + strspn(g->at, " \t\r");
		char end = take_command(g);
		bool menu = g->words > 1 && strcmp(g->word[0], "submenu") == 0, entry = g->words > 1 && strcmp(g->word[0], "menuentry") == 0;

		if (g->no_memory)
			return;
		if (end == '{') {
			g->depth++;
			if (entry && !g->in_entry)
				begin_entry(g);
			else if (menu && !g->in_entry)
				begin_menu(g);
		} else if (g->in_entry) {
			in_entry(g);
		}
		if (g->words > 1 && strcmp(g->word[0], "set") == 0 && !g->in_entry) {
			if (strncmp(g->word[1], "default=", 8) == 0)
				note_default(g, start);
			else
				set_variable(g, g->word[1]);
		}
		if (end == '}') {
			if (g->in_entry && g->depth == g->entry_depth)
				g->in_entry = false;
			else if (g->menus && g->depth == g->menu[g->menus].depth)
				g->menus--;
			g->depth -= g->depth > 0;
		}
		if (!end)
			return;
	}
}

/* A default is a number, an id or a title, or several of them for submenus, with ">" between. */
static size_t find_default(const struct grub *g, const char *name)
{
	const struct boot_entries *entries = g->entries;
	const char *last = strrchr(name, '>') ? strrchr(name, '>') + 1 : name;
	size_t i;

	for (i = 0; i < g->positions; i++)
		if (g->position[i] && strcmp(g->position[i], name) == 0)
			return i;
	for (i = 0; i < entries->count; i++)
		if (strcmp(entries->entry[i].id, last) == 0 || strcmp(entries->entry[i].title, last) == 0)
			return i;
	return entries->count;
}

static void choose(struct grub *g)
{
	char *next = NULL, word[WORD_CHARS] = "";
	bool unknown, quoted;

	g->no_memory |= !grubenv_get(g->grubenv, "next_entry", strlen("next_entry"), &next);
	if (next && next[0]) {
		g->entries->preferred = find_default(g, next);
	} else {
		g->at = g->dflt ? g->dflt : "";
		take_word(g, word, &unknown, &quoted);
		g->entries->preferred = find_default(g, word[0] ? word : "0");
	}
	free(next);
	/* GRUB starts its first entry where the default is none. */
	if (g->entries->preferred == g->entries->count && g->entries->count)
		g->entries->preferred = 0;
}

enum kx_err entries_parse_grub(struct boot_entries *entries, const char *text, const char *grubenv)
{
	struct grub *g = calloc(1, sizeof(*g));
	bool no_memory;
	size_t i;

	if (!g)
		return KX_NO_MEMORY;
	g->entries = entries;
	g->at = text;
	g->grubenv = grubenv;
	set_variable(g, "menuentry_id_option=--id");
	/* A device, and paths are taken without theirs. */
	set_variable(g, "root=device");
	run(g);
	choose(g);
	for (i = 0; i < entries->count; i++)
		if (!entries->entry[i].kernel && !entries->entry[i].broken[0])
			snprintf(entries->entry[i].broken, sizeof(entries->entry[i].broken), "it starts no kernel");
	for (i = 0; i < g->positions; i++)
		free(g->position[i]);
	free(g->position);
	for (i = 0; i < g->words; i++)
		free(g->word[i]);
	for (i = 0; i < g->variables; i++) {
		free(g->variable[i].name);
		free(g->variable[i].value);
	}
	free(g->dflt);
	no_memory = g->no_memory;
	free(g);
	return no_memory ? KX_NO_MEMORY : KX_OK;
}
