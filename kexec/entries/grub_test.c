/* SPDX-License-Identifier: GPL-2.0-only */
/* GRUB's command "test" (its manual, "test"), where any part of an expression may be unknown. */
#include "grub.h"

#include <stdlib.h>
#include <string.h>

#define NESTED_MAX	16

struct test {
	const struct grub_word *word;
	size_t words, at;
	const struct grub_files *files;
	unsigned int nested;
};

/* How two texts or numbers may stand to each other, as bits. */
enum { LESS = 1, EQUAL = 2, MORE = 4 };

static const struct { const char *name; unsigned int holds; bool numbers; } operators[] = {
	{ "=", EQUAL, false }, { "==", EQUAL, false }, { "!=", LESS | MORE, false },
	{ "<", LESS, false }, { "<=", LESS | EQUAL, false }, { ">", MORE, false }, { ">=", MORE | EQUAL, false },
	{ "-eq", EQUAL, true }, { "-ne", LESS | MORE, true },
	{ "-lt", LESS, true }, { "-le", LESS | EQUAL, true }, { "-gt", MORE, true }, { "-ge", MORE | EQUAL, true },
	/* Of files' times, and of numbers behind a prefix: not known here. */
	{ "-nt", 0, false }, { "-ot", 0, false }, { "-ef", 0, false }, { "-pgt", 0, false }, { "-plt", 0, false },
};

static enum grub_truth truth(bool yes)
{
	return yes ? GRUB_TRUE : GRUB_FALSE;
}

static enum grub_truth negate(enum grub_truth a)
{
	return a == GRUB_UNKNOWN ? a : truth(a == GRUB_FALSE);
}

static enum grub_truth both(enum grub_truth a, enum grub_truth b)
{
	return a == GRUB_FALSE || b == GRUB_FALSE ? GRUB_FALSE : a == GRUB_TRUE && b == GRUB_TRUE ? GRUB_TRUE : GRUB_UNKNOWN;
}

static bool is_word(const struct test *t, size_t at, const char *text)
{
	return at < t->words && !t->word[at].unknown && strcmp(t->word[at].text, text) == 0;
}

static unsigned int relation(long long a, long long b)
{
	return a < b ? LESS : a > b ? MORE : EQUAL;
}

/* A decimal number of up to 18 digits, which is all that scripts compare. */
static bool is_number(const char *text, long long *value)
{
	bool negative = *text == '-';
	size_t digits = strspn(text + negative, "0123456789"), i;

	*value = 0;
	for (i = 0; i < digits && digits <= 18; i++)
		*value = *value * 10 + (text[negative + i] - '0');
	if (negative)
		*value = -*value;
	/* GRUB takes one that begins with a zero for octal. */
	return digits && digits <= 18 && !text[negative + digits] && (digits == 1 || text[negative] != '0');
}

static enum grub_truth compare(const struct grub_word *a, const struct grub_word *b, unsigned int holds, bool numbers)
{
	long long x, y;

	if (a->unknown || b->unknown || a->device || b->device || !holds)
		return GRUB_UNKNOWN;
	if (!numbers)
		return truth(holds & relation(strcmp(a->text, b->text), 0));
	return is_number(a->text, &x) && is_number(b->text, &y) ? truth(holds & relation(x, y)) : GRUB_UNKNOWN;
}

static bool take_comparison(struct test *t, enum grub_truth *result)
{
	size_t i;

	for (i = 0; i < sizeof(operators) / sizeof(operators[0]) && t->at + 2 < t->words; i++)
		if (is_word(t, t->at + 1, operators[i].name)) {
			*result = compare(&t->word[t->at], &t->word[t->at + 2], operators[i].holds, operators[i].numbers);
			t->at += 3;
			return true;
		}
	return false;
}

/* The name of a file of GRUB's directory; null: it is another's. */
static const char *name_in_directory(const struct grub_word *path)
{
	static const char directory[] = GRUB_DIRECTORY "/";

	return !path->unknown && strncmp(path->text, directory, sizeof(directory) - 1) == 0 ? path->text + sizeof(directory) - 1 : NULL;
}

char *grub_read(const struct grub_files *files, const struct grub_word *path, bool *known)
{
	const char *name = name_in_directory(path);

	*known = name != NULL;
	return name ? files->read(files->arg, name) : NULL;
}

static enum grub_truth is_there(const struct grub_files *files, const struct grub_word *path)
{
	const char *name = name_in_directory(path);

	return name ? truth(files->is_there(files->arg, name)) : GRUB_UNKNOWN;
}

static enum grub_truth take_unary(struct test *t)
{
	const struct grub_word *operator = &t->word[t->at], *word = operator + 1;
	bool wants_file = is_word(t, t->at, "-s") || is_word(t, t->at, "-f") || is_word(t, t->at, "-e");

	t->at += 2;
	if (wants_file)
		return is_there(t->files, word);
	if (word->unknown)
		return GRUB_UNKNOWN;
	if (strcmp(operator->text, "-n") == 0)
		return truth(word->text[0]);
	if (strcmp(operator->text, "-z") == 0)
		return truth(!word->text[0]);
	return GRUB_UNKNOWN;
}

static enum grub_truth take_or(struct test *t);

static enum grub_truth take_one(struct test *t)
{
	static const char *const unary[] = { "-n", "-z", "-s", "-f", "-e", "-d" };
	enum grub_truth result;
	size_t i;

	if (t->at >= t->words || t->nested > NESTED_MAX)
		return GRUB_UNKNOWN;
	if (is_word(t, t->at, "!")) {
		t->at++;
		t->nested++;
		result = negate(take_one(t));
		t->nested--;
		return result;
	}
	if (take_comparison(t, &result))
		return result;
	if (is_word(t, t->at, "(")) {
		t->at++;
		t->nested++;
		result = take_or(t);
		t->nested--;
		t->at += is_word(t, t->at, ")");
		return result;
	}
	for (i = 0; i < sizeof(unary) / sizeof(unary[0]) && t->at + 1 < t->words; i++)
		if (is_word(t, t->at, unary[i]))
			return take_unary(t);
	result = t->word[t->at].unknown ? GRUB_UNKNOWN : truth(t->word[t->at].text[0]);
	t->at++;
	return result;
}

static enum grub_truth take_and(struct test *t)
{
	enum grub_truth result = take_one(t);

	while (is_word(t, t->at, "-a")) {
		t->at++;
		result = both(result, take_one(t));
	}
	return result;
}

static enum grub_truth take_or(struct test *t)
{
	enum grub_truth result = take_and(t);

	while (is_word(t, t->at, "-o")) {
		t->at++;
		result = negate(both(negate(result), negate(take_and(t))));
	}
	return result;
}

enum grub_truth grub_test(const struct grub_word *word, size_t words, const struct grub_files *files)
{
	struct test t = { .word = word, .words = words, .files = files };
	enum grub_truth result;

	if (!words)
		return GRUB_TRUE;	/* as GRUB has it */
	result = take_or(&t);
	/* Something that is none of the above is left over. */
	return t.at == words ? result : GRUB_UNKNOWN;
}
