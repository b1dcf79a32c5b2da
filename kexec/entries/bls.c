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

static bool take_initrds(struct boot_entry *e, const char *value, size_t bytes)
{
	const char *end = value + bytes;
	bool ok = true;

	/* One to a line; but Fedora writes "initrd /initramfs.img $tuned_initrd". */
	for (; value < end && ok; value += bytes, value += strspn(value, " \t")) {
		bytes = strcspn(value, " \t\r\n");
		if (e->initrds == ENTRY_INITRDS) {
			snprintf(e->broken, sizeof(e->broken), "it has more than %u initrds", ENTRY_INITRDS);
			break;
		}
		ok = entry_set(&e->initrd[e->initrds], value, bytes);
		e->initrds += ok;
	}
	return ok;
}

static bool take_key(struct boot_entry *e, const char *key, const char *value, size_t bytes)
{
	static const struct { const char *name; size_t at; } texts[] = {
		{ "title", offsetof(struct boot_entry, title) }, { "version", offsetof(struct boot_entry, version) },
		{ "sort-key", offsetof(struct boot_entry, sort_key) }, { "machine-id", offsetof(struct boot_entry, machine_id) },
		{ "linux", offsetof(struct boot_entry, kernel) }, { "uki", offsetof(struct boot_entry, kernel) },
		{ "efi", offsetof(struct boot_entry, kernel) }, { "devicetree", offsetof(struct boot_entry, dtb) },
	};
	char *line = NULL;
	bool ok = true;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(key, texts[i].name) == 0)
			ok = entry_set((char **)((char *)e + texts[i].at), value, bytes);
	if (strcmp(key, "linux") == 0 && !e->cmdline) {
		/* Without options it has an empty command line; what is in an EFI program may have one of its own. */
		ok = ok && entry_append(&e->cmdline, "");
	} else if (strcmp(key, "options") == 0) {
		ok = entry_set(&line, value, bytes) && entry_append(&e->cmdline, line);
	} else if (strcmp(key, "initrd") == 0) {
		ok = take_initrds(e, value, bytes);
	} else if (strcmp(key, "devicetree-overlay") == 0) {
		entry_break(e, "its device tree has overlays, which only the boot loader can put in");
	}
	free(line);
	return ok;
}

bool entry_name_id(const char *name, char **id, bool *given_up)
{
	const char *suffix = strrchr(name, '.'), *plus, *at;

	*given_up = false;
	suffix = suffix ? suffix : name + strlen(name);
	for (plus = suffix; plus > name && *plus != '+';)
		plus--;
	if (*plus != '+' || !isdigit((unsigned char)plus[1]))
		return entry_set(id, name, strlen(name));
	at = plus + 1 + strspn(plus + 1, "0123456789");
	if (*at == '-' && isdigit((unsigned char)at[1]))
		at += 1 + strspn(at + 1, "0123456789");
	if (at != suffix)
		return entry_set(id, name, strlen(name));
	*given_up = plus[1 + strspn(plus + 1, "0")] == '-' || plus + 1 + strspn(plus + 1, "0") == suffix;
	if (!entry_set(id, name, strlen(name)))
		return false;
	memmove(*id + (plus - name), suffix, strlen(suffix) + 1);
	return true;
}

void entries_reject_variables(struct boot_entries *entries)
{
	static const char *const variables[] = { "$kernelopts", "$tuned_params", "$tuned_initrd" };
	size_t i, v;
	unsigned int k;

	for (i = 0; i < entries->count; i++)
		for (v = 0; v < sizeof(variables) / sizeof(variables[0]); v++) {
			struct boot_entry *e = &entries->entry[i];
			bool has = e->cmdline && strstr(e->cmdline, variables[v]);

			for (k = 0; k < e->initrds; k++)
				has |= strstr(e->initrd[k], variables[v]) != NULL;
			if (has)
				snprintf(e->broken, sizeof(e->broken), "it has %s in it, and no grub.cfg says what that is", variables[v]);
		}
}

static bool is_ours(const char *architecture, size_t bytes)
{
	return (bytes == 4 && strncasecmp(architecture, "aa64", bytes) == 0) || (bytes == 5 && strncasecmp(architecture, "arm64", bytes) == 0) ||
	       (bytes == 7 && strncasecmp(architecture, "aarch64", bytes) == 0);
}

/* systemd-boot takes quotes off that are around all of a value. */
static void unquote(const char **value, size_t *bytes)
{
	if (*bytes < 2 || (*value)[0] != '"' || (*value)[*bytes - 1] != '"')
		return;
	(*value)++;
	*bytes -= 2;
}

enum kx_err entry_parse_bls(struct boot_entries *entries, const char *name, const char *text)
{
	struct boot_entry *e = entries_add(entries, ENTRY_BLS, name, name);
	bool ours = true;

	if (!e || !entry_name_id(name, &e->id, &e->bad))
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
		unquote(&value, &bytes);
		if (strcmp(key, "architecture") == 0)
			ours &= is_ours(value, bytes);
		else if (!take_key(e, key, value, bytes))
			return KX_NO_MEMORY;
	}
	if (!ours)
		entries_drop_last(entries);
	else if (!e->kernel)
		entry_break(e, "it names no kernel");
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

static int by_id(const void *one, const void *other)
{
	const struct boot_entry *a = one, *b = other;

	return -entry_version_compare(a->id, b->id);
}

void entries_sort_by_id(struct boot_entries *entries)
{
	if (entries->count)
		qsort(entries->entry, entries->count, sizeof(*entries->entry), by_id);
}

size_t entries_match(const struct boot_entries *entries, const char *pattern)
{
	char *id = NULL;
	bool given_up;
	size_t i;

	/* One that was named while it had tries is the same without. */
	if (entry_name_id(pattern, &id, &given_up) && strcmp(id, pattern) != 0) {
		i = entries_match(entries, id);
		free(id);
		return i;
	}
	free(id);
	for (i = 0; i < entries->count && fnmatch(pattern, entries->entry[i].id, FNM_CASEFOLD) != 0; i++)
		;
	return i;
}

bool loader_conf_default(const char *text, char **to)
{
	*to = NULL;
	while (*text) {
		const char *line = text + strspn(text, " \t"), *value;
		size_t bytes;

		text += strcspn(text, "\n");
		text += *text == '\n';
		if (strncmp(line, "default", 7) != 0 || !strspn(line + 7, " \t"))
			continue;
		value = line + 7 + strspn(line + 7, " \t");
		bytes = strcspn(value, " \t\r\n");
		unquote(&value, &bytes);
		/* "@" begins what is no pattern; of those it knows one. */
		if (value[0] == '@' && (bytes != 6 || strncmp(value, "@saved", 6) != 0))
			continue;
		if (!entry_set(to, value, bytes))
			return false;
	}
	return true;
}
