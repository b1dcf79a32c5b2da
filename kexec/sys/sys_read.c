/* SPDX-License-Identifier: GPL-2.0-only */
/* What is made of struct sys alone, whoever is behind it. */
#include "sys.h"

#include <stdlib.h>

bool sys_read_u64(struct sys *sys, const char *path, int base, uint64_t *value)
{
	char *text, *end;
	size_t bytes;
	bool ok;

	if (sys->read_file(sys, path, 4096, &text, &bytes) < 0)
		return false;
	*value = strtoull(text, &end, base);
	ok = end != text;
	free(text);
	return ok;
}
