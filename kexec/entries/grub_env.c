/* SPDX-License-Identifier: GPL-2.0-only */
/* GRUB's environment block: lines of name=value in a file of a fixed length (grub-editenv). */
#include "grub.h"

#include <stdlib.h>
#include <string.h>

/* The next character of a value in the environment block, where a backslash stands before what is meant as it is; -1: its line ends. */
static int next_char(const char **at)
{
	if (**at == '\\' && (*at)[1])
		(*at)++;
	else if (!**at || **at == '\n')
		return -1;
	return (unsigned char)*(*at)++;
}

bool grub_env_is_block(const char *text)
{
	static const char signature[] = "# GRUB Environment Block\n";

	if (strncmp(text, signature, sizeof(signature) - 1) != 0)
		return false;
	for (text += strcspn(text, "\n"); *text == '\n'; text += strcspn(text, "\n")) {
		text++;
		if (*text && *text != '#' && (!strchr(text, '\n') || !memchr(text, '=', strcspn(text, "\n"))))
			return false;
	}
	return true;
}

bool grub_env_next(const char **at, const char **name, size_t *name_bytes, char **value, bool *no_memory)
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
