/* SPDX-License-Identifier: GPL-2.0-only */
/* A command line as one string, parsed into o, and what was printed. For the tests that include it, which have included cmocka. */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include "options.h"

#include <stdio.h>
#include <string.h>

#define WORDS_MAX	16

static struct options o;
static char out_text[8192], err_text_of[1024];
static char words[WORDS_MAX][128];

/* Words are separated by one space; "~" stands for an empty word. */
static enum options_result parse(const char *line)
{
	char copy[512], *argv[WORDS_MAX + 2], *word, *save;
	FILE *out = fmemopen(out_text, sizeof(out_text), "w"), *err = fmemopen(err_text_of, sizeof(err_text_of), "w");
	enum options_result result;
	int argc = 0;

	memset(out_text, 0, sizeof(out_text));
	memset(err_text_of, 0, sizeof(err_text_of));
	memset(&o, 0xa5, sizeof(o));
	snprintf(copy, sizeof(copy), "kexec %s", line);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		snprintf(words[argc], sizeof(words[0]), "%s", strcmp(word, "~") == 0 ? "" : word);
		argv[argc] = words[argc];
		argc++;
	}
	argv[argc] = NULL;
	result = options_parse(&o, argc, argv, out, err);
	fclose(out);
	fclose(err);
	return result;
}

static void runs(const char *line)
{
	assert_int_equal(parse(line), OPTIONS_RUN);
	assert_string_equal(out_text, "");
	assert_string_equal(err_text_of, "");
}

static void refuses(const char *line)
{
	enum options_result result = parse(line);

	assert_int_equal(result, OPTIONS_BAD);
}

#endif
