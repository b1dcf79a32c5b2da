/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that a boot loader's menu is read from. The first byte chooses the format, a NUL ends the file, and what is behind it is grubenv. */
#include "entry.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void look(const struct boot_entries *entries)
{
	size_t i;
	bool ambiguous;

	demand(entries->count <= ENTRIES_MAX);
	for (i = 0; i < entries->count; i++) {
		const struct boot_entry *e = &entries->entry[i];

		demand(e->id && e->title && e->initrds <= ENTRY_INITRDS);
		/* What cannot be loaded says why. */
		demand(e->kernel || e->broken[0]);
		demand(entries_find(entries, e->id, &ambiguous) < entries->count);
	}
}

/* Every file of GRUB's directory has that text. */
static char *read_file(void *arg, const char *name)
{
	const char *text = arg;

	demand(name != NULL);
	return text ? strdup(text) : NULL;
}

static bool has_file(void *arg, const char *name)
{
	return arg && name;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes)
{
	struct boot_entries entries = { 0 }, bls = { 0 };
	struct grub_files files = { .read = read_file, .is_there = has_file };
	struct default_kexec d = { 0 };
	char *text = malloc(bytes + 2), *value = NULL;
	const char *grubenv;

	if (!text)
		return 0;
	memcpy(text, data, bytes);
	text[bytes] = text[bytes + 1] = '\0';
	grubenv = bytes && strlen(text + 1) + 1 < bytes ? text + strlen(text + 1) + 2 : NULL;
	switch (bytes ? text[0] % 4 : 4) {
	case 0:
		files.arg = (void *)(uintptr_t)grubenv;
		demand(entry_parse_bls(&bls, "b.conf", "linux /l\noptions $kernelopts\ninitrd /i $tuned_initrd\n") == KX_OK);
		demand(entries_parse_grub(&entries, text + 1, &files, &bls) != KX_OK || entries.preferred < entries.count || entries.undecided[0] ||
		       !entries.count);
		entries_free(&bls);
		look(&entries);
		break;
	case 1:
		demand(entry_parse_bls(&entries, "a+2.conf", text + 1) != KX_INTERNAL);
		demand(entry_parse_bls(&entries, "b.conf", text + 1) != KX_INTERNAL);
		entries_sort_bls(&entries);
		look(&entries);
		demand(loader_conf_default(text + 1, &value));
		if (value)
			demand(entries_match(&entries, value) <= entries.count);
		break;
	case 2:
		demand(default_kexec_parse(&d, text + 1) == KX_OK);
		break;
	default:
		/* A total order. */
		if (grubenv)
			demand(entry_version_compare(text + 1, grubenv) == -entry_version_compare(grubenv, text + 1));
		demand(entry_version_compare(text + 1, text + 1) == 0);
		break;
	}
	free(value);
	default_kexec_free(&d);
	entries_free(&entries);
	free(text);
	return 0;
}
