/* SPDX-License-Identifier: GPL-2.0-only */
#include "entry.h"

#include <json-c/json.h>

void entries_text(const struct boot_entries *entries, FILE *out)
{
	size_t i;

	for (i = 0; i < entries->count; i++) {
		const struct boot_entry *e = &entries->entry[i];

		fprintf(out, "%s %-13s %s\n", i == entries->preferred ? "*" : " ", entry_source_name(e->source), e->id);
		fprintf(out, "    %s%s%s\n", e->title, e->version ? ", " : "", e->version ? e->version : "");
		if (e->broken[0])
			fprintf(out, "    cannot be loaded: %s\n", e->broken);
		else
			fprintf(out, "    %s\n", e->kernel);
	}
	if (entries->count && entries->preferred < entries->count)
		fprintf(out, "\n* is the default.\n");
	else if (entries->count)
		fprintf(out, "\nThere is no default%s%s.\n", entries->undecided[0] ? ": " : "", entries->undecided);
	else
		fprintf(out, "There are no boot entries.\n");
}

static struct json_object *text_or_null(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

void entries_json(const struct boot_entries *entries, FILE *out)
{
	struct json_object *list = json_object_new_array();
	unsigned int k;
	size_t i;

	for (i = 0; i < entries->count; i++) {
		const struct boot_entry *e = &entries->entry[i];
		struct json_object *o = json_object_new_object(), *initrds = json_object_new_array();

		for (k = 0; k < e->initrds; k++)
			json_object_array_add(initrds, json_object_new_string(e->initrd[k]));
		json_object_object_add(o, "id", json_object_new_string(e->id));
		json_object_object_add(o, "title", json_object_new_string(e->title));
		json_object_object_add(o, "version", text_or_null(e->version));
		json_object_object_add(o, "source", json_object_new_string(entry_source_name(e->source)));
		json_object_object_add(o, "default", json_object_new_boolean(i == entries->preferred));
		json_object_object_add(o, "kernel", text_or_null(e->kernel));
		json_object_object_add(o, "initrds", initrds);
		json_object_object_add(o, "cmdline", text_or_null(e->cmdline));
		json_object_object_add(o, "devicetree", text_or_null(e->dtb));
		json_object_object_add(o, "broken", e->broken[0] ? json_object_new_string(e->broken) : NULL);
		json_object_array_add(list, o);
	}
	fprintf(out, "%s\n", json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(list);
}
