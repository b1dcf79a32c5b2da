/* SPDX-License-Identifier: GPL-2.0-only */
#include "config.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG		"/etc/kexec.conf"
#define CONFIG_DIR	"/etc/kexec.conf.d"
#define CONFIG_BYTES	65536

/* Later files win, and the command line wins over all: so they are read into a request of their own. */
struct reading {
	struct load_request request;
	bool fast, stage, check, cpus, unpack;	/* said by some file */
	const char *path;
	const char *problem;
	char detail[96];
};

static int bad(struct reading *r, const char *problem, const char *what)
{
	if (r->problem)
		return 0;	/* the line that is told is that of the first */
	r->problem = problem;
	snprintf(r->detail, sizeof(r->detail), "%s", what);
	return 0;
}

/* inih's: 1 goes on, 0 is an error in this line. */
static int take(void *arg, const char *section, const char *name, const char *value)
{
	struct reading *r = arg;

	if (strcmp(section, "load") != 0)
		return bad(r, "there is no such section; it is [load]", section);
	if (strcmp(name, "fast-reloc") == 0) {
		r->fast = options_parse_fast(&r->request.fast, value);
		return r->fast ? 1 : bad(r, "fast-reloc is yes, no or require", value);
	}
	if (strcmp(name, "stage") == 0) {
		r->stage = options_parse_stage(&r->request.stage, value);
		return r->stage ? 1 : bad(r, "stage is auto, hugepages, crashkernel or none", value);
	}
	if (strcmp(name, "check") == 0) {
		r->check = options_parse_check(&r->request.check, value);
		return r->check ? 1 : bad(r, "check is crc32c, sha256 or none", value);
	}
	if (strcmp(name, "cpus") == 0) {
		r->cpus = options_parse_cpus(&r->request.cpus, value);
		return r->cpus ? 1 : bad(r, "cpus is a number or auto", value);
	}
	if (strcmp(name, "unpack-initrd") == 0) {
		r->unpack = options_parse_unpack(&r->request.unpack_initrd, value);
		return r->unpack ? 1 : bad(r, "unpack-initrd is auto, yes or no", value);
	}
	if (strcmp(name, "staging-extra") == 0)
		return options_parse_extra(&r->request, value) ? 1 : bad(r, "staging-extra is a number of percent, 0 to 1000", value);
	return bad(r, "there is no such setting; there are fast-reloc, stage, check, cpus, unpack-initrd and staging-extra", name);
}

/* inih cuts lines at 200 bytes and takes what follows for another one: the end of a comment would be a setting. */
#define LINE_MAX_CHARS	190

static int too_long_line(const char *text)
{
	int line = 1;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n', line++)
		if (strcspn(text, "\n") > LINE_MAX_CHARS)
			return line;
	return 0;
}

static bool read_one(struct sys *sys, struct reading *r, const char *path, FILE *err)
{
	char *text;
	size_t bytes;
	int line = sys->read_file(sys, path, CONFIG_BYTES, &text, &bytes);

	if (line == -ENOENT)
		return true;
	if (line < 0) {
		fprintf(err, "kexec: %s: %s\n", path, strerror(-line));
		return false;
	}
	r->problem = NULL;
	line = too_long_line(text);
	if (line)
		bad(r, "a line may have 190 characters", "too long");
	else
		line = ini_parse_string(text, take, r);
	free(text);
	if (line == 0)
		return true;
	if (r->problem)
		fprintf(err, "kexec: %s:%d: %s: %s\n", path, line, r->detail, r->problem);
	else
		fprintf(err, "kexec: %s:%d: this is neither a [section] nor name = value\n", path, line);
	return false;
}

/* Editors and packages leave other files beside. */
static bool is_setting(const char *name)
{
	size_t bytes = strlen(name);

	return name[0] != '.' && bytes >= 6 && strcmp(name + bytes - 5, ".conf") == 0;
}

static bool read_all(struct sys *sys, struct reading *r, FILE *err)
{
	struct sys_names names;
	char path[512];
	bool ok = read_one(sys, r, CONFIG, err);
	int listed;
	size_t i;

	listed = sys_list_files(sys, CONFIG_DIR, is_setting, &names);
	if (listed < 0 && listed != -ENOENT) {
		fprintf(err, "kexec: " CONFIG_DIR ": %s\n", strerror(-listed));
		ok = false;
	}
	for (i = 0; i < names.count; i++) {
		snprintf(path, sizeof(path), CONFIG_DIR "/%s", names.name[i]);
		ok = ok && read_one(sys, r, path, err);
	}
	sys_names_free(&names);
	return ok;
}

/*
 * Settings must not add up to a staged load that nothing verifies, neither with each other nor with an option. The one that makes it so is
 * left out, and not the load: old scripts say -i, and a load that fails is a reboot through the firmware.
 */
static void leave_unsafe(struct options *options, bool fast_is_ours, FILE *err)
{
	struct load_request *request = &options->request;

	if (!options_are_unsafe(options))
		return;
	if (fast_is_ours && options->check_given) {
		request->fast = FAST_NO;
		fprintf(err, "kexec: note: nothing is staged though " CONFIG " asks for fast-reloc, since --check=none or -i is given: "
			     "staged memory could have been taken away since the load, and then the jump goes into random memory; "
			     "leave that out, or add --force-unchecked.\n");
		return;
	}
	request->check = CHECK_DEFAULT;
	request->check_is_preference = false;
	fprintf(err, "kexec: note: what is loaded is verified though " CONFIG " asks for check = none, since it is staged: staged memory "
		     "could have been taken away since the load, and then the jump goes into random memory; leave that out, or add "
		     "--force-unchecked.\n");
}

bool config_apply(struct sys *sys, struct options *options, FILE *err)
{
	struct load_request *to = &options->request;
	struct reading r = { .path = CONFIG };
	/* Options that do not go with these settings were given for this load; the settings for all of them. */
	bool by_load = to->syscall != SYSCALL_FILE;
	bool fast_is_ours, may_stage = by_load && !to->crash && !to->entry && !to->mem_min && !to->mem_max;

	/* A crash kernel is loaded all the same: without it the next crash leaves nothing behind. */
	if (!read_all(sys, &r, err)) {
		if (to->crash)
			fprintf(err, "kexec: the settings in " CONFIG " are not used for this crash kernel\n");
		return to->crash;
	}
	fast_is_ours = r.fast && !options->fast_given && may_stage;
	if (fast_is_ours)
		to->fast = r.request.fast;
	/* It says where, and not whether. */
	if (r.stage && !options->stage_given && may_stage && (r.request.stage != STAGE_NONE || !options->fast_given))
		to->stage = r.request.stage;
	if (to->stage == STAGE_NONE && to->fast == FAST_REQUIRE) {
		fprintf(err, "kexec: " CONFIG ": stage = none does not go with fast-reloc = require\n");
		return false;
	}
	if (r.request.extra_given && !to->extra_given)
		to->extra_given = true, to->extra_percent = r.request.extra_percent;
	if (r.check && !options->check_given && by_load)
		to->check = r.request.check, to->check_is_preference = true;
	if (r.cpus && !options->cpus_given && by_load && !to->crash)
		to->cpus = r.request.cpus, to->cpus_is_preference = true;
	if (r.unpack && !options->unpack_given && by_load && !to->crash)
		to->unpack_initrd = r.request.unpack_initrd, to->unpack_is_preference = true;
	leave_unsafe(options, fast_is_ours, err);
	return true;
}
