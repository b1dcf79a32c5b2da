/* SPDX-License-Identifier: GPL-2.0-only */
/* In place of config.c in a build that cannot read settings: where there are some, a load that went on without them would be another one. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG		"/etc/kexec.conf"
#define CONFIG_DIR	"/etc/kexec.conf.d"
#define CONFIG_BYTES	65536

/* 1: there is one; what editors and packages leave beside is none, as in config.c. */
static int is_setting(void *arg, const char *name, bool is_dir)
{
	size_t chars = strlen(name);

	(void)arg;
	return !is_dir && name[0] != '.' && chars >= 6 && strcmp(name + chars - 5, ".conf") == 0;
}

static const char *settings(struct sys *sys)
{
	char *text = NULL;
	size_t bytes;
	int read = sys->read_file(sys, CONFIG, CONFIG_BYTES, &text, &bytes), listed;

	free(text);
	if (read != -ENOENT)
		return CONFIG;
	listed = sys->list_dir(sys, CONFIG_DIR, is_setting, NULL);
	return listed && listed != -ENOENT ? CONFIG_DIR : NULL;
}

bool config_apply(struct sys *sys, struct options *options, FILE *err)
{
	const char *there = settings(sys);

	if (!there)
		return true;
	fprintf(err, "kexec: %s: this kexec was built without the reader of settings (--without-config); take that away, or build kexec with it\n",
		there);
	if (options->request.crash)
		fprintf(err, "kexec: the settings in " CONFIG " are not used for this crash kernel\n");
	return options->request.crash;
}
