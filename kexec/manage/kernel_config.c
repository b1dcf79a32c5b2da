/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel_config.h"

#include "bytes.h"
#include "codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Some 300 KiB of a distribution's kernel. */
#define CONFIG_BYTES_MAX	MIB(4)

static char *read_text(struct sys *sys, const char *path)
{
	char *text;
	size_t bytes;

	return sys->read_file(sys, path, CONFIG_BYTES_MAX, &text, &bytes) < 0 ? NULL : text;
}

/* All of it or nothing: an option that is missing from a part is not one that is off. */
static char *unpack(const char *packed, size_t packed_bytes)
{
	struct decoder *decoder = decoder_open(CODEC_GZIP);
	char *text = malloc(CONFIG_BYTES_MAX + 1);
	size_t text_bytes = CONFIG_BYTES_MAX;
	bool end = false;

	if (!decoder || !text || decoder_run(decoder, (const unsigned char *)packed, &packed_bytes, (unsigned char *)text, &text_bytes, &end) ||
	    !end) {
		free(text);
		text = NULL;
	} else {
		text[text_bytes] = '\0';
	}
	decoder_close(decoder);
	return text;
}

static char *read_own(struct sys *sys)
{
	char *packed, *text;
	size_t bytes;

	if (sys->read_file(sys, "/proc/config.gz", CONFIG_BYTES_MAX, &packed, &bytes) < 0)
		return NULL;
	text = unpack(packed, bytes);
	free(packed);
	return text;
}

char *kernel_config_read(struct sys *sys)
{
	char *text = read_own(sys), *release, path[192];
	size_t bytes;
	int chars;

	if (text || sys->read_file(sys, "/proc/sys/kernel/osrelease", 128, &release, &bytes) < 0)
		return text;
	chars = (int)strcspn(release, "\n");
	snprintf(path, sizeof(path), "/boot/config-%.*s", chars, release);
	text = read_text(sys, path);
	if (!text) {
		snprintf(path, sizeof(path), "/lib/modules/%.*s/config", chars, release);
		text = read_text(sys, path);
	}
	free(release);
	return text;
}

bool kernel_config_has(const char *config, const char *option)
{
	const char *at;
	char line[64];

	snprintf(line, sizeof(line), "CONFIG_%s=y\n", option);
	for (at = strstr(config, line); at; at = strstr(at + 1, line))
		if (at == config || at[-1] == '\n')
			return true;
	return false;
}
