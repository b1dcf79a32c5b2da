/* SPDX-License-Identifier: GPL-2.0-only */
/* What is made of struct sys alone, whoever is behind it. */
#include "sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

struct listing {
	struct sys_names *to;
	bool (*wanted)(const char *name);
};

static int add_name(void *arg, const char *name, bool is_dir)
{
	struct listing *l = arg;
	struct sys_names *to = l->to;

	if (is_dir || !l->wanted(name))
		return 0;
	if (to->count == SYS_NAMES_MAX)
		return -E2BIG;
	to->name[to->count] = strdup(name);
	if (!to->name[to->count])
		return -ENOMEM;
	to->count++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int sys_list_files(struct sys *sys, const char *path, bool (*wanted)(const char *name), struct sys_names *names)
{
	struct listing l = { names, wanted };
	int err;

	names->count = 0;
	err = sys->list_dir(sys, path, add_name, &l);
	qsort(names->name, names->count, sizeof(*names->name), by_name);
	return err < 0 ? err : 0;
}

void sys_names_free(struct sys_names *names)
{
	while (names->count)
		free(names->name[--names->count]);
}
