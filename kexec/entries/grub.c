/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * grub.cfg is a script, and the menu is what it leaves behind. It is run here with all that can be known: its own variables, GRUB's
 * features, the environment block. What only GRUB knows stays unknown, and an entry or a default that depends on it is not guessed.
 *
 * As GRUB does it: the script first, which collects the items of the top menu; then, for an entry that is started, the commands in its
 * braces, with the variables as the script left them; a submenu's commands collect items of its own, and see exported variables only.
 */
#include "grub_state.h"

#include <stdlib.h>
#include <string.h>

void grub_let(struct grub *g, enum grub_mode mode, const char *name, const char *value, bool unknown)
{
	g->t.no_memory |= !grub_set(&g->variables, mode, name, strlen(name), value, unknown);
}

static void run_entry(struct grub *g, size_t item)
{
	size_t count = g->variables.count, base = g->variables.scope_base, functions = g->functions;
	char name[2] = "1";
	struct boot_entry *e = entries_add(g->entries, ENTRY_GRUB, g->item[item].id, g->item[item].title);

	g->t.no_memory |= !e;
	if (!e)
		return;
	g->item[item].entry = g->entries->count - 1;
	g->variables.scope_base = count;
	g->entry = e;
	for (; name[0] <= '9'; name[0]++)
		grub_let(g, GRUB_RUN, name, "", true);	/* its title, and what follows */
	grub_run_body(g, g->item[item].body);
	g->entry = NULL;
	grub_take_root(g, e);
	while (g->functions > functions)
		free(g->function[--g->functions].name);
	if (!e->kernel && !e->broken[0])
		entry_break(e, "it starts no kernel");
	if (strncmp(e->id, "osprober-", strlen("osprober-")) == 0)
		entry_break(e, "it is another system's, whose files are not here");
	grub_forget(&g->variables, count);
	g->variables.scope_base = base;
}

/* Entries come in the order in which a person meets them, those of a submenu where it stands. */
static void run_menu(struct grub *g, size_t menu)
{
	size_t i, items = g->items;

	for (i = 0; i < items && !g->t.no_memory && !g->given_up; i++) {
		size_t count = g->variables.count, menu_base = g->variables.menu_base, base = g->variables.scope_base;
		const struct grub_variable *dflt;

		if (g->item[i].menu != menu || !g->item[i].body)
			continue;
		if (!g->item[i].submenu) {
			run_entry(g, i);
			continue;
		}
		if (g->depth == GRUB_DEPTH_MAX) {
			g->given_up = true;
			return;
		}
		g->variables.scope_base = g->variables.menu_base = count;
		g->menu = i;
		g->depth++;
		grub_run_body(g, g->item[i].body);
		dflt = grub_look_up(&g->variables, "default", strlen("default"));
		g->item[i].sets_default = dflt && (size_t)(dflt - g->variables.v) >= count;
		run_menu(g, i);
		g->depth--;
		grub_forget(&g->variables, count);
		g->variables.menu_base = menu_base;
		g->variables.scope_base = base;
	}
}

/* What GRUB's own modules set on arm64 with EFI. */
static void set_features(struct grub *g)
{
	static const char *const features[] = {
		"feature_chainloader_bpb", "feature_ntldr", "feature_platform_search_hint", "feature_default_font_path", "feature_all_video_module",
		"feature_menuentry_id", "feature_menuentry_options", "feature_200_final", "feature_nativedisk_cmd", "feature_timeout_style",
	};
	static const struct { const char *name, *value; } known[] = {
		{ "grub_cpu", "arm64" }, { "grub_platform", "efi" }, { "root", GRUB_ROOT }, { "prefix", GRUB_DIRECTORY },
		{ "config_directory", GRUB_DIRECTORY },
	};
	static const char *const only_grub[] = {
		"cmdpath", "config_file", "chosen", "lockdown", "shim_lock", "secure_boot",
	};
	size_t i;

	for (i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		grub_let(g, GRUB_RUN, features[i], "y", false);
		g->t.no_memory |= !grub_export(&g->variables, features[i]);
	}
	for (i = 0; i < sizeof(only_grub) / sizeof(only_grub[0]); i++) {
		grub_let(g, GRUB_RUN, only_grub[i], "", true);
		g->t.no_memory |= !grub_export(&g->variables, only_grub[i]);
	}
	grub_let(g, GRUB_RUN, GRUB_ROOT_IS, "", false);
	g->t.no_memory |= !grub_export(&g->variables, GRUB_ROOT_IS);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		grub_let(g, GRUB_RUN, known[i].name, known[i].value, false);
		g->t.no_memory |= !grub_export(&g->variables, known[i].name);
		if ((known[i].value[0] == '(' || known[i].value[0] == '?') && g->variables.count)
			g->variables.v[g->variables.count - 1].device = true;
	}
}

enum kx_err entries_parse_grub(struct boot_entries *entries, const char *text, const struct grub_files *files, struct boot_entries *bls)
{
	struct grub *g = calloc(1, sizeof(*g));
	bool no_memory;
	size_t i;

	if (!g)
		return KX_NO_MEMORY;
	g->entries = entries;
	g->bls = bls;
	g->files = files;
	g->menu = GRUB_TOP_MENU;
	g->t.variables = &g->variables;
	set_features(g);
	grub_run(g, text);
	run_menu(g, GRUB_TOP_MENU);
	grub_choose_default(g);
	for (i = 0; i < g->items; i++) {
		free(g->item[i].id);
		free(g->item[i].title);
	}
	for (i = 0; i < g->functions; i++)
		free(g->function[i].name);
	for (i = 0; i < g->texts; i++)
		free(g->text[i]);
	free(g->text);
	free(g->item);
	free(g->function);
	grub_free_words(&g->t);
	grub_forget(&g->variables, 0);
	free(g->variables.v);
	no_memory = g->t.no_memory;
	free(g);
	return no_memory ? KX_NO_MEMORY : KX_OK;
}
