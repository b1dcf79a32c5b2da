/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running a script: commands in a row, conditions, loops, functions. What is done on a condition that only GRUB can judge is run as
 * something that may have happened.
 */
#include "grub_state.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS_MAX	64		/* of conditions, loops and braces in one another */
#define COMMANDS_MAX	1000000		/* that are run, functions' and skipped ones included */
#define WORK_MAX	(256u << 20)	/* bytes of words and variables looked at: some seconds */

enum keyword { K_COMMAND, K_IF, K_LOOP, K_FOR, K_FUNCTION, K_THEN, K_ELIF, K_ELSE, K_FI, K_DO, K_DONE, K_OPEN, K_CLOSE, K_END };

static enum keyword run_list(struct grub *g, enum grub_mode mode);

/* The text of a block, whose opening brace is at t->at; run_list stops behind its end. */
static void skip_block(struct grub *g)
{
	g->t.at++;
	run_list(g, GRUB_SKIP);
}

/* Commands of another place, after which it goes on here. */
void grub_run_there(struct grub *g, enum grub_mode mode, const char *body)
{
	const char *at = g->t.at;

	if (g->depth == GRUB_DEPTH_MAX) {
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
		grub_let(g, mode, name, g->t.word[i].text, g->t.word[i].unknown);
	grub_run_there(g, mode, body);
	/* Those of whoever called this one are gone. */
	for (name[0] = '1'; name[0] <= '9'; name[0]++)
		grub_let(g, GRUB_RUN, name, "", true);
}

static const char *find_function(const struct grub *g, const char *name)
{
	size_t i;

	for (i = g->functions; i; i--)
		if (strcmp(g->function[i - 1].name, name) == 0)
			return g->function[i - 1].body;
	return NULL;
}

/* The words of the command are read. */
static void run_command(struct grub *g, enum grub_mode mode)
{
	bool block = *g->t.at == '{';
	const char *body;

	if (block) {
		bool submenu = g->t.words && grub_is_command(g, "submenu");

		if (mode != GRUB_SKIP && !g->entry && g->t.words && (submenu || grub_is_command(g, "menuentry")))
			grub_define_item(g, mode, submenu);
		skip_block(g);
	} else if (mode != GRUB_SKIP && g->t.words) {
		body = grub_is_builtin(g->t.word[0].text) ? NULL : find_function(g, g->t.word[0].text);
		if (body)
			call(g, mode, body);
		else
			grub_run_builtin(g, mode);
	}
}

static void define_function(struct grub *g, enum grub_mode mode)
{
	struct grub_function *grown;

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
		grown[g->functions] = (struct grub_function){ .body = g->t.at + 1 };
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
		grub_let(g, GRUB_RUN, g->t.word[0].text, "", true);
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

void grub_run_body(struct grub *g, const char *at)
{
	g->t.at = at;
	run_list(g, GRUB_RUN);
}

void grub_run(struct grub *g, const char *text)
{
	for (g->t.at = text; *g->t.at && !g->given_up;)
		run_list(g, GRUB_RUN);	/* a brace or a reserved word too many stops it early */
}
