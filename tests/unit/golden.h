/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole outputs, held against files in tests/golden. With UPDATE_GOLDEN=1 in the environment the files are written anew: look at what git
 * then says. Include it behind cmocka.h.
 */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "build_config.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN_BYTES_MAX	65536

/* Releases of json-c break lines in empty lists differently. So of JSON, white space outside of strings does not count. */
static void squeeze_json(char *json)
{
	bool in_string = false;
	char *to = json;

	for (; *json; json++) {
		if (!in_string && strchr(" \t\n", *json))
			continue;
		if (*json == '"')
			in_string = !in_string;
		*to++ = *json;
		if (in_string && *json == '\\' && json[1])
			*to++ = *++json;
	}
	*to = '\0';
}

/* text is what the file of this name should hold; one that ends in .json is compared as JSON. */
static void assert_golden(const char *name, const char *text)
{
	static char golden[GOLDEN_BYTES_MAX], expected[GOLDEN_BYTES_MAX], actual[GOLDEN_BYTES_MAX];
	const char *update = getenv("UPDATE_GOLDEN"), *ending = strrchr(name, '.');
	char path[512];
	size_t bytes;
	FILE *file;

#ifndef WITH_JSON
	if (ending && strcmp(ending, ".json") == 0) {
		print_message("%s is skipped: JSON was left out\n", name);
		return;
	}
#endif
	snprintf(path, sizeof(path), "%s/%s", GOLDEN_DIR, name);
	if (update && strcmp(update, "1") == 0) {
		file = fopen(path, "w");
		if (!file || fputs(text, file) == EOF || fclose(file) == EOF)
			fail_msg("%s cannot be written", path);
		return;
	}
	file = fopen(path, "r");
	if (!file)
		fail_msg("%s is not there; UPDATE_GOLDEN=1 makes it", path);
	bytes = fread(golden, 1, sizeof(golden) - 1, file);
	golden[bytes] = '\0';
	fclose(file);
	snprintf(expected, sizeof(expected), "%s", golden);
	snprintf(actual, sizeof(actual), "%s", text);
	if (ending && strcmp(ending, ".json") == 0) {
		squeeze_json(expected);
		squeeze_json(actual);
	}
	if (strcmp(expected, actual) == 0)
		return;
	print_error("%s should be:\n%s\nand is:\n%s\nIf that is right, UPDATE_GOLDEN=1 takes it over.\n", path, golden, text);
	fail();
}

/* A stream whose text golden_end() holds against the file. */
struct golden {
	char *text;
	size_t bytes;
	FILE *out;
};

static inline FILE *golden_begin(struct golden *golden)
{
	golden->out = open_memstream(&golden->text, &golden->bytes);
	return golden->out;
}

/* "STEM-NAME.ENDING" */
static inline void golden_end(struct golden *golden, const char *stem, const char *name, const char *ending)
{
	char file[96];

	fclose(golden->out);
	snprintf(file, sizeof(file), "%s-%s.%s", stem, name, ending);
	assert_golden(file, golden->text);
	free(golden->text);
}

#endif
