/* SPDX-License-Identifier: GPL-2.0-only */
/* Words and variables of GRUB's script language. */
#include "grub.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLES_MAX	4096

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

const struct grub_variable *grub_look_up(const struct grub_variables *variables, const char *name, size_t name_bytes)
{
	size_t i;

	for (i = variables->count; i; i--) {
		const struct grub_variable *v = &variables->v[i - 1];

		if (i <= variables->menu_base && !v->exported)
			continue;
		if (strncmp(v->name, name, name_bytes) == 0 && !v->name[name_bytes])
			return v;
	}
	return NULL;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool push(struct grub_variables *variables, const char *name, size_t name_bytes, const char *value, bool unknown)
{
	struct grub_variable v = { .unknown = unknown }, *grown;

	if (variables->count == VARIABLES_MAX) {
		variables->unset_is_unknown = true;
		return true;
	}
	if (variables->count == variables->room) {
		grown = realloc(variables->v, (2 * variables->room + 64) * sizeof(*grown));
		if (!grown)
			return false;
		variables->v = grown;
		variables->room = 2 * variables->room + 64;
	}
	if (!entry_set(&v.name, name, name_bytes) || !entry_set(&v.value, value, value ? strlen(value) : 0)) {
		free(v.name);
		return false;
	}
	variables->v[variables->count++] = v;
	return true;
}

bool grub_set(struct grub_variables *variables, enum grub_mode mode, const char *name, size_t name_bytes, const char *value, bool unknown)
{
	const struct grub_variable *had = grub_look_up(variables, name, name_bytes);
	bool exported = had && had->exported;
	size_t count = variables->count;

	unknown |= mode == GRUB_MAYBE && !same(had ? had->value : NULL, value);
	if (had && (size_t)(had - variables->v) >= variables->scope_base) {
		variables->v[had - variables->v].unknown = unknown;
		return entry_set(&variables->v[had - variables->v].value, value, value ? strlen(value) : 0);
	}
	if (!push(variables, name, name_bytes, value, unknown))
		return false;
	if (variables->count > count)
		variables->v[count].exported = exported;
	return true;
}

bool grub_export(struct grub_variables *variables, const char *name)
{
	const struct grub_variable *v = grub_look_up(variables, name, strlen(name));

	if (!v && !grub_set(variables, GRUB_RUN, name, strlen(name), NULL, false))
		return false;
	v = grub_look_up(variables, name, strlen(name));
	/* Of an outer scope it is only so in this one. */
	if (v && (size_t)(v - variables->v) < variables->scope_base) {
		char *value = NULL;
		bool unknown = v->unknown, ok = entry_set(&value, v->value, v->value ? strlen(v->value) : 0);

		ok = ok && push(variables, name, strlen(name), value, unknown);
		free(value);
		if (!ok)
			return false;
		v = grub_look_up(variables, name, strlen(name));
	}
	if (v)
		variables->v[v - variables->v].exported = true;
	return true;
}

void grub_forget(struct grub_variables *variables, size_t count)
{
	while (variables->count > count) {
		struct grub_variable *v = &variables->v[--variables->count];

		free(v->name);
		free(v->value);
	}
}

void grub_clear_words(struct grub_text *t)
{
	while (t->words)
		free(t->word[--t->words].text);
}

void grub_free_words(struct grub_text *t)
{
	grub_clear_words(t);
	free(t->word);
	t->word = NULL;
	t->room = 0;
}

/* The word in the making: buffer, used so far. */
struct making {
	struct grub_word word;
	size_t used;
	bool any;		/* there is one, though it may be empty */
};

static void put(struct grub_text *t, struct making *m, char c)
{
	m->any = true;
	if (m->used + 1 < sizeof(t->buffer))
		t->buffer[m->used++] = c;
	else
		m->word.unknown = true;
}

static void finish_word(struct grub_text *t, struct making *m)
{
	struct grub_word *grown;

	t->buffer[m->used] = '\0';
	if (m->any && t->words == GRUB_WORDS_MAX) {
		t->word[t->words - 1].unknown = true;
	} else if (m->any) {
		if (t->words == t->room) {
			grown = realloc(t->word, (2 * t->room + 32) * sizeof(*grown));
			t->no_memory |= !grown;
			if (!grown)
				return;
			t->word = grown;
			t->room = 2 * t->room + 32;
		}
		t->no_memory |= !entry_set(&m->word.text, t->buffer, m->used);
		if (t->no_memory)
			return;
		t->word[t->words++] = m->word;
	}
	*m = (struct making){ 0 };
}

/* "$name" or "${name}" at t->at; put in as one text, or outside quotes split at its spaces. */
static void take_variable(struct grub_text *t, struct making *m, bool split)
{
	bool braces = t->at[1] == '{';
	const char *name = t->at + 1 + braces, *value;
	const struct grub_variable *v;
	size_t bytes = strspn(name, "?*@#");

	if (bytes)
		bytes = 1;
	while (!strchr("?*@#", *name) && is_name_char(name[bytes]))
		bytes++;
	t->at = name + bytes + (braces && name[bytes] == '}');
	if (t->skipping)
		return;
	v = grub_look_up(t->variables, name, bytes);
	t->variables->work += t->variables->count / 8;
	if (v ? v->unknown : t->variables->unset_is_unknown || strchr("?*@#", *name)) {
		/* A word of its own, even if it should turn out empty: nothing is concluded from an unknown one. */
		m->word.unknown = m->any = true;
		return;
	}
	m->word.unset |= !v || !v->value;
	m->word.device |= v && v->device;
	for (value = v && v->value ? v->value : ""; *value; value++) {
		if (split && isspace((unsigned char)*value))
			finish_word(t, m);
		else
			put(t, m, *value);
	}
}

static bool is_variable(const char *at)
{
	return at[0] == '$' && (is_name_char(at[1]) || (at[1] && strchr("{?*@#", at[1])));
}

static void skip_blanks(struct grub_text *t)
{
	for (;;) {
		if (t->at[0] == '\\' && t->at[1] == '\n')
			t->at += 2;
		else if (*t->at == ' ' || *t->at == '\t' || *t->at == '\r')
			t->at++;
		else
			break;
	}
	if (*t->at == '#')
		t->at += strcspn(t->at, "\n");
}

void grub_skip_separators(struct grub_text *t)
{
	for (skip_blanks(t); *t->at == '\n' || *t->at == ';'; skip_blanks(t))
		t->at++;
}

bool grub_take_word(struct grub_text *t)
{
	struct making m = { .word.bare = true };
	const char *start = t->at;
	char quote = 0;

	skip_blanks(t);
	if (!*t->at || strchr("\n;{}", *t->at))
		return false;
	while (*t->at && (quote || !strchr(" \t\r\n;{}", *t->at))) {
		if (*t->at == quote) {
			quote = 0;
			t->at++;
		} else if (!quote && (*t->at == '"' || *t->at == '\'')) {
			quote = *t->at++;
			m.any = true;
			m.word.bare = false;
		} else if (quote != '\'' && is_variable(t->at)) {
			m.word.bare = false;
			take_variable(t, &m, !quote);
		} else if (quote != '\'' && t->at[0] == '\\' && t->at[1] == '\n') {
			t->at += 2;
		} else {
			if (quote != '\'' && t->at[0] == '\\' && t->at[1] && (!quote || strchr("$\"\\", t->at[1]))) {
				m.word.bare = false;
				t->at++;
			}
			put(t, &m, *t->at++);
		}
	}
	finish_word(t, &m);
	t->variables->work += (size_t)(t->at - start);
	return true;
}

void grub_expand(struct grub_text *t, char **to, bool *unknown)
{
	struct making m = { 0 };
	const char *at = t->at;

	if (!*to || !strchr(*to, '$'))
		return;
	for (t->at = *to; *t->at;)
		if (is_variable(t->at))
			take_variable(t, &m, false);
		else
			put(t, &m, *t->at++);
	t->buffer[m.used] = '\0';
	*unknown |= m.word.unknown;
	t->no_memory |= !entry_set(to, t->buffer, m.used);
	t->at = at;
}
