/* SPDX-License-Identifier: GPL-2.0-only */
/* Debian's settings for its kexec-load-kernel. */
#include "entry.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void default_kexec_free(struct default_kexec *d)
{
	free(d->kernel);
	free(d->initrd);
	free(d->append);
	*d = (struct default_kexec){ 0 };
}

/* The value of an assignment, quoted or not, as far as it is text that no shell would change; null: it is more than that, or something follows. */
static const char *plain_value(const char *at, char *out, size_t room)
{
	size_t used = 0;
	char quote = 0;

	for (; *at && *at != '\n' && used + 1 < room; at++) {
		/* A "#" within a word is one of its letters. */
		if (!quote && isspace((unsigned char)*at))
			break;
		if (*at == quote)
			quote = 0;
		else if (!quote && (*at == '"' || *at == '\''))
			quote = *at;
		else if (quote != '\'' && strchr("$`\\", *at))
			return NULL;
		else if (!quote && strchr("();&|<>*?[", *at))
			return NULL;
		else
			out[used++] = *at;
	}
	if (*at && *at != '\n' && used + 1 == room)
		return NULL;
	out[used] = '\0';
	at += strspn(at, " \t\r");
	return quote || (*at && *at != '\n' && *at != '#') ? NULL : at;
}

enum kx_err default_kexec_parse(struct default_kexec *d, const char *text)
{
	char value[4096];
	int number = 0;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		const char *line = text + strspn(text, " \t\r");
		size_t name_bytes = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
		char **to = NULL;

		number++;
		if (!*line || *line == '\n' || *line == '#')
			continue;
		if (!name_bytes || line[name_bytes] != '=' || !plain_value(line + name_bytes + 1, value, sizeof(value))) {
			if (!d->bad_line)
				d->bad_line = number;
			continue;
		}
		if (strncmp(line, "KERNEL_IMAGE=", 13) == 0)
			to = &d->kernel;
		else if (strncmp(line, "INITRD=", 7) == 0)
			to = &d->initrd;
		else if (strncmp(line, "APPEND=", 7) == 0)
			to = &d->append;
		else if (strncmp(line, "USE_GRUB_CONFIG=", 16) == 0)
			d->use_grub = strcmp(value, "true") == 0;
		if (to && !entry_set(to, value, strlen(value)))
			return KX_NO_MEMORY;
	}
	return KX_OK;
}
