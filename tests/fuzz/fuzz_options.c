/* SPDX-License-Identifier: GPL-2.0-only */
/* Command lines and kexec.conf: the input's words are arguments, its lines a file. Whatever comes of it is within bounds. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define WORDS	32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static int read_input(struct sys *sys, const char *path, size_t max, char **text, size_t *bytes)
{
	(void)path;
	*bytes = strlen(sys->ctx);
	*text = strdup(sys->ctx);
	return *bytes > max ? -EFBIG : *text ? 0 : -ENOMEM;
}

static int no_names(struct sys *sys, const char *path, int (*each)(void *arg, const char *name, bool is_dir), void *arg)
{
	(void)sys;
	(void)path;
	(void)each;
	(void)arg;
	return -ENOENT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static FILE *nowhere;
	char *text = calloc(1, bytes + 1), *words = calloc(1, bytes + 1), *argv[WORDS + 2] = { (char *)(uintptr_t)"kexec" };
	char *save, *word;
	struct sys sys = { .ctx = text, .read_file = read_input, .list_dir = no_names };
	struct options options;
	int argc = 1;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	opterr = 0;	/* getopt_long(3) writes to stderr by itself */
	memcpy(text, data, bytes);
	memcpy(words, data, bytes);
	for (word = strtok_r(words, " \n", &save); word && argc <= WORDS; word = strtok_r(NULL, " \n", &save))
		argv[argc++] = word;
	if (options_parse(&options, argc, argv, nowhere, nowhere) == OPTIONS_RUN) {
		if (options.request.initrds > INITRDS_MAX)
			abort();
		/* -S, --last and --print-ckr-size are answered, and nothing is loaded. */
		if (options.status || options.last || options.print_ckr_size)
			options.load = false;
		if (options.load && options.request.crash && options.request.fast != FAST_NO)
			abort();
		if (options_are_unsafe(&options))
			abort();
		config_apply(&sys, &options, nowhere);
		if (options_are_unsafe(&options))
			abort();
		if (options.load && options.request.crash && options.request.fast != FAST_NO)
			abort();
	}
	free(text);
	free(words);
	return 0;
}
