/* SPDX-License-Identifier: GPL-2.0-only */
/* The Boot Loader Specification (uapi-group.org), type #1, and how versions compare there. */
#include "entry.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* What the specification lets a version be made of; all else only separates. */
static bool is_version_char(char c)
{
	return isalnum((unsigned char)c) || c == '~' || c == '-' || c == '^' || c == '.';
}

static int sign(long difference)
{
	return difference < 0 ? -1 : difference > 0;
}

/* A run of digits by its value, which may be as long as it likes. */
static int compare_digits(const char **a, const char **b)
{
	size_t a_bytes, b_bytes;
	int order;

	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	a_bytes = strspn(*a, "0123456789");
	b_bytes = strspn(*b, "0123456789");
	order = a_bytes != b_bytes ? (a_bytes < b_bytes ? -1 : 1) : strncmp(*a, *b, a_bytes);
	*a += a_bytes;
	*b += b_bytes;
	return sign(order);
}

/* Capital letters are less than small ones, and a longer run is more than its beginning. */
static int compare_letters(const char **a, const char **b)
{
	while (isalpha((unsigned char)**a) && **a == **b)
		(*a)++, (*b)++;
	if (isalpha((unsigned char)**a) && isalpha((unsigned char)**b))
		return sign((unsigned char)**a - (unsigned char)**b);
	return isalpha((unsigned char)**a) ? 1 : isalpha((unsigned char)**b) ? -1 : 0;
}

/* One of the separators that count: whoever has it is less. 0: both have it; 2: neither. */
static int compare_separator(const char **a, const char **b, char c)
{
	if (**a == c && **b == c) {
		(*a)++, (*b)++;
		return 0;
	}
	return **a == c ? -1 : **b == c ? 1 : 2;
}

int entry_version_compare(const char *a, const char *b)
{
	for (;;) {
		int order;

		while (*a && !is_version_char(*a))
			a++;
		while (*b && !is_version_char(*b))
			b++;
		/* "~" is before the end itself: 1.0~rc1 is before 1.0. */
		order = compare_separator(&a, &b, '~');
		if (order == 0)
			continue;
		if (order != 2)
			return order;
		if (!*a || !*b)
			return (*a != '\0') - (*b != '\0');
		order = compare_separator(&a, &b, '-');
		if (order == 2)
			order = compare_separator(&a, &b, '^');
		if (order == 2)
			order = compare_separator(&a, &b, '.');
		if (order == 0)
			continue;
		if (order != 2)
			return order;
		order = isdigit((unsigned char)*a) || isdigit((unsigned char)*b) ? compare_digits(&a, &b) : compare_letters(&a, &b);
		if (order)
			return order;
	}
}

static bool add_bytes(char **to, const char *text, size_t bytes)
{
	size_t had = strlen(*to);
	char *grown = realloc(*to, had + bytes + 1);

	if (!grown)
		return false;
	memcpy(grown + had, text, bytes);
	grown[had + bytes] = '\0';
	*to = grown;
	return true;
}

/* Replaces GRUB's variables, as Fedora's entries have them. */
static bool expand(const char *text, const char *grubenv, char **to)
{
	char *value = NULL;
	bool ok = entry_set(to, "", 0);

	while (ok && *text) {
		size_t bytes = strcspn(text, "$");

		ok = add_bytes(to, text, bytes);
		text += bytes;
		if (!ok || !*text)
			break;
		text++;
		bytes = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		ok = grubenv_get(grubenv, text, bytes, &value) && (!value || add_bytes(to, value, strlen(value)));
		text += bytes;
	}
	free(value);
	return ok;
}

static bool take_key(struct boot_entry *e, const char *key, const char *value, size_t bytes, const char *grubenv)
{
	static const struct { const char *name; size_t at; } texts[] = {
		{ "title", offsetof(struct boot_entry, title) }, { "version", offsetof(struct boot_entry, version) },
		{ "sort-key", offsetof(struct boot_entry, sort_key) }, { "machine-id", offsetof(struct boot_entry, machine_id) },
		{ "linux", offsetof(struct boot_entry, kernel) }, { "uki", offsetof(struct boot_entry, kernel) },
		{ "efi", offsetof(struct boot_entry, kernel) }, { "devicetree", offsetof(struct boot_entry, dtb) },
	};
	char *line = NULL, *expanded = NULL;
	bool ok = true;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(key, texts[i].name) == 0)
			return entry_set((char **)((char *)e + texts[i].at), value, bytes);
	if (strcmp(key, "options") == 0) {
		ok = entry_set(&line, value, bytes) && expand(line, grubenv, &expanded) && entry_append(&e->cmdline, expanded);
	} else if (strcmp(key, "initrd") == 0) {
		/* Fedora: "initrd /initramfs.img $tuned_initrd" */
		ok = entry_set(&line, value, bytes) && expand(line, grubenv, &expanded);
		for (value = ok ? expanded + strspn(expanded, " \t") : ""; *value && ok; value += bytes, value += strspn(value, " \t")) {
			bytes = strcspn(value, " \t");
			if (e->initrds == ENTRY_INITRDS) {
				snprintf(e->broken, sizeof(e->broken), "it has more than %u initrds", ENTRY_INITRDS);
				break;
			}
			ok = entry_set(&e->initrd[e->initrds], value, bytes);
			e->initrds += ok;
		}
	}
	free(line);
	free(expanded);
	return ok;
}

/* "name+2-1.conf": two tries are left. "+0": none. */
static bool is_given_up(const char *name)
{
	const char *plus = strrchr(name, '+');

	return plus && strspn(plus + 1, "0") && !isdigit((unsigned char)plus[1 + strspn(plus + 1, "0")]);
}

static bool is_ours(const char *architecture, size_t bytes)
{
	return (bytes == 4 && strncasecmp(architecture, "aa64", bytes) == 0) || (bytes == 5 && strncasecmp(architecture, "arm64", bytes) == 0) ||
	       (bytes == 7 && strncasecmp(architecture, "aarch64", bytes) == 0);
}

enum kx_err entry_parse_bls(struct boot_entries *entries, const char *name, const char *text, const char *grubenv)
{
	struct boot_entry *e = entries_add(entries, ENTRY_BLS, name, name);
	bool ours = true;

	if (!e)
		return KX_NO_MEMORY;
	while (*text) {
		const char *line = text + strspn(text, " \t"), *value;
		size_t key_bytes = strcspn(line, " \t\r\n"), bytes;
		char key[24];

		text += strcspn(text, "\n");
		text += *text == '\n';
		if (*line == '#' || key_bytes >= sizeof(key))
			continue;
		memcpy(key, line, key_bytes);
		key[key_bytes] = '\0';
		value = line + key_bytes + strspn(line + key_bytes, " \t");
		bytes = strcspn(value, "\r\n");
		while (bytes && (value[bytes - 1] == ' ' || value[bytes - 1] == '\t'))
			bytes--;
		if (strcmp(key, "architecture") == 0)
			ours &= is_ours(value, bytes);
		else if (!take_key(e, key, value, bytes, grubenv))
			return KX_NO_MEMORY;
	}
	e->bad = is_given_up(name);
	if (!ours)
		entries_drop_last(entries);
	else if (!e->kernel)
		snprintf(e->broken, sizeof(e->broken), "it names no kernel");
	return KX_OK;
}

static int compare_keys(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int in_order(const void *one, const void *other)
{
	const struct boot_entry *a = one, *b = other;
	int order = a->bad - b->bad;

	if (!order)
		order = !a->sort_key - !b->sort_key;
	if (!order && a->sort_key) {
		order = compare_keys(a->sort_key, b->sort_key);
		if (!order)
			order = compare_keys(a->machine_id, b->machine_id);
		if (!order)
			order = -entry_version_compare(a->version ? a->version : "", b->version ? b->version : "");
	}
	return order ? order : -entry_version_compare(a->id, b->id);
}

void entries_sort_bls(struct boot_entries *entries)
{
	if (entries->count)
		qsort(entries->entry, entries->count, sizeof(*entries->entry), in_order);
}

size_t entries_match(const struct boot_entries *entries, const char *pattern)
{
	char stem[256];
	size_t i;

	for (i = 0; i < entries->count; i++) {
		snprintf(stem, sizeof(stem), "%s", entries->entry[i].id);
		if (fnmatch(pattern, stem, FNM_CASEFOLD) == 0)
			return i;
		if (strrchr(stem, '.'))
			*strrchr(stem, '.') = '\0';
		if (fnmatch(pattern, stem, FNM_CASEFOLD) == 0)
			return i;
	}
	return i;
}

bool loader_conf_default(const char *text, char **to)
{
	*to = NULL;
	while (*text) {
		const char *line = text + strspn(text, " \t"), *value;

		text += strcspn(text, "\n");
		text += *text == '\n';
		if (strncmp(line, "default", 7) != 0 || !strspn(line + 7, " \t"))
			continue;
		value = line + 7 + strspn(line + 7, " \t");
		if (!entry_set(to, value, strcspn(value, " \t\r\n")))
			return false;
	}
	return true;
}
