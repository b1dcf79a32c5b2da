/* SPDX-License-Identifier: GPL-2.0-only */
#include "entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void clear(struct boot_entry *e)
{
	unsigned int i;

	for (i = 0; i < e->initrds; i++)
		free(e->initrd[i]);
	free(e->id);
	free(e->title);
	free(e->version);
	free(e->sort_key);
	free(e->machine_id);
	free(e->kernel);
	free(e->cmdline);
	free(e->dtb);
	free(e->fs_uuid);
}

void entries_free(struct boot_entries *entries)
{
	size_t i;

	for (i = 0; i < entries->count; i++)
		clear(&entries->entry[i]);
	free(entries->entry);
	*entries = (struct boot_entries){ 0 };
}

void entries_drop_last(struct boot_entries *entries)
{
	clear(&entries->entry[--entries->count]);
}

bool entries_take(struct boot_entries *to, struct boot_entries *from, enum entry_source source)
{
	struct boot_entry *grown;
	size_t i, left = 0, count = 0;

	for (i = 0; i < from->count; i++)
		count += source == ENTRY_SOURCES || from->entry[i].source == source;
	if (!count)
		return true;
	if (to->count + count > ENTRIES_MAX)
		return false;
	grown = realloc(to->entry, (to->count + count) * sizeof(*grown));
	if (!grown)
		return false;
	to->entry = grown;
	for (i = 0; i < from->count; i++) {
		if (source == ENTRY_SOURCES || from->entry[i].source == source)
			to->entry[to->count++] = from->entry[i];
		else
			from->entry[left++] = from->entry[i];
	}
	from->count = left;
	return true;
}

void entry_drop_empty_initrds(struct boot_entry *e)
{
	unsigned int i, left = 0;

	for (i = 0; i < e->initrds; i++) {
		if (e->initrd[i][0])
			e->initrd[left++] = e->initrd[i];
		else
			free(e->initrd[i]);
	}
	e->initrds = left;
}

bool entry_set(char **to, const char *text, size_t bytes)
{
	char *copy = text ? malloc(bytes + 1) : NULL;

	if (text && !copy)
		return false;
	if (copy) {
		memcpy(copy, text, bytes);
		copy[bytes] = '\0';
	}
	free(*to);
	*to = copy;
	return true;
}

void entry_break(struct boot_entry *e, const char *why)
{
	snprintf(e->broken, sizeof(e->broken), "%s", why);
}

bool entry_append(char **to, const char *text)
{
	size_t had = *to ? strlen(*to) : 0, more = strlen(text);
	char *joined = realloc(*to, had + more + 2);

	if (!joined)
		return false;
	*to = joined;
	if (had && more)
		joined[had++] = ' ';
	memcpy(joined + had, text, more + 1);
	return true;
}

struct boot_entry *entries_add(struct boot_entries *entries, enum entry_source source, const char *id, const char *title)
{
	struct boot_entry *grown, *e;

	if (entries->count == ENTRIES_MAX)
		return NULL;
	grown = realloc(entries->entry, (entries->count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	entries->entry = grown;
	e = &grown[entries->count];
	*e = (struct boot_entry){ .source = source };
	if (!entry_set(&e->id, id, strlen(id)) || !entry_set(&e->title, title, strlen(title))) {
		clear(e);
		return NULL;
	}
	entries->count++;
	return e;
}

const char *entry_source_name(enum entry_source source)
{
	static const char *const names[] = {
		[ENTRY_BLS] = "bls", [ENTRY_UKI] = "uki", [ENTRY_GRUB] = "grub", [ENTRY_DEFAULT_KEXEC] = "default-kexec",
	};

	return names[source];
}

/* Without ".conf" or ".efi". */
static bool is_stem(const char *id, const char *name)
{
	size_t bytes = strlen(name);

	return strncmp(id, name, bytes) == 0 && (strcmp(id + bytes, ".conf") == 0 || strcmp(id + bytes, ".efi") == 0);
}

size_t entries_find(const struct boot_entries *entries, const char *name, bool *ambiguous)
{
	size_t i, found = entries->count;

	*ambiguous = false;
	for (i = 0; i < entries->count; i++)
		if (strcmp(entries->entry[i].id, name) == 0 || is_stem(entries->entry[i].id, name))
			return i;
	for (i = 0; i < entries->count; i++) {
		const struct boot_entry *e = &entries->entry[i];

		if (strcmp(e->title, name) != 0 && (!e->version || strcmp(e->version, name) != 0))
			continue;
		if (found < entries->count) {
			*ambiguous = true;
			return entries->count;
		}
		found = i;
	}
	return found;
}
