/* SPDX-License-Identifier: GPL-2.0-only */
/* Which item of the menu GRUB starts. */
#include "grub_state.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Whether an item is what the first part of a default says, where ">" separates parts and ">>" is ">" itself. *rest: behind that part. */
static bool is_named(const char *name, const char *spec, const char **rest)
{
	for (;;) {
		bool end = !*spec || (spec[0] == '>' && spec[1] != '>');

		if (end) {
			*rest = spec + (*spec == '>');
			return !*name;
		}
		spec += *spec == '>';
		if (*name++ != *spec++)
			return false;
	}
}

enum found { FOUND, FOUND_NOT, FOUND_UNKNOWN };

/* strtoul(3) of base 0 without what it asks of the system. */
static unsigned long number_of(const char *text, char **end)
{
	static const char digits[] = "0123456789abcdef";
	unsigned int base = 10;
	unsigned long value = 0;
	const char *digit;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && isxdigit((unsigned char)text[2])) {
		base = 16;
		text += 2;
	} else if (text[0] == '0' && isdigit((unsigned char)text[1])) {
		base = 8;
	}
	while (*text && (digit = memchr(digits, *text >= 'A' && *text <= 'F' ? *text | 0x20 : *text, base)) != NULL) {
		value = value > GRUB_ITEMS_MAX ? value : value * base + (unsigned long)(digit - digits);
		text++;
	}
	*end = (char *)(uintptr_t)text;
	return value;
}

/* As strtoul(3) with any base reads the beginning of spec; *rest is behind it and the spaces that follow. False: no number. */
static bool take_number(const char *spec, unsigned long *number, const char **rest)
{
	char *end;

	spec += strspn(spec, " \t");
	*number = number_of(spec, &end);
	*rest = end + strspn(end, " \t");
	return end > spec;
}

/*
 * The item of a menu that the first part of spec means: by number, or the first of that title or id. Whatever begins with digits is a number,
 * whatever follows them; but for Fedora's GRUB it is a number only where it is no name.
 */
static enum found find_item(const struct grub *g, size_t menu, const char *spec, size_t *item, const char **rest)
{
	const char *behind, *behind_name;
	unsigned long number;
	bool by_number = take_number(spec, &number, &behind);
	size_t i;

	for (i = 0; i < g->items && (!by_number || g->fedora); i++) {
		const struct grub_item *it = &g->item[i];

		if (it->menu != menu)
			continue;
		if (it->maybe && !it->id[0])
			return FOUND_UNKNOWN;
		if (is_named(it->id, spec, &behind_name) || is_named(it->title, spec, &behind_name)) {
			*item = i;
			*rest = behind_name;
			return it->maybe ? FOUND_UNKNOWN : FOUND;
		}
	}
	*rest = by_number ? behind + (*behind == '>') : "";
	for (i = 0; i < g->items && by_number; i++) {
		if (g->item[i].menu != menu)
			continue;
		if (g->item[i].maybe)
			return FOUND_UNKNOWN;
		if (!number--) {
			*item = i;
			return FOUND;
		}
	}
	*rest = "";
	return FOUND_NOT;
}

/* GRUB starts the first item where the default is none; and a submenu's first, where it names only the submenu. */
void grub_choose_default(struct grub *g)
{
	const struct grub_variable *dflt = grub_look_up(&g->variables, "default", strlen("default"));
	const char *spec = dflt && dflt->value && dflt->value[0] ? dflt->value : "0", *rest;
	enum found found;
	size_t menu = GRUB_TOP_MENU, item = 0;

	g->entries->preferred = g->entries->count;
	if (!g->items && !g->given_up)
		return;
	if (g->given_up || g->unsure || (dflt ? dflt->unknown : g->variables.unset_is_unknown)) {
		snprintf(g->entries->undecided, sizeof(g->entries->undecided), "which of GRUB's is the default, only GRUB can tell");
		return;
	}
	do {
		found = find_item(g, menu, spec, &item, &rest);
		if (found == FOUND_NOT)
			found = find_item(g, menu, "0", &item, &rest);
		if (found != FOUND)
			break;
		if (g->item[item].submenu && !*rest && g->item[item].sets_default) {
			found = FOUND_UNKNOWN;
			break;
		}
		spec = *rest ? rest : "0";
		menu = item;
	} while (g->item[item].submenu);
	if (found == FOUND)
		g->entries->preferred = g->item[item].entry;
	else
		snprintf(g->entries->undecided, sizeof(g->entries->undecided), "GRUB's default, %.60s, is not among what grub.cfg is known to hold",
			 dflt && dflt->value ? dflt->value : "the first");
}
