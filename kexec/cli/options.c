/* SPDX-License-Identifier: GPL-2.0-only */
#include "options.h"

#include "build_config.h"
#include "version.h"

#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What an option does is told these. */
struct parse {
	struct options *options;
	const struct option_line *line;
	char *argument;		/* null if there is none */
	FILE *out, *err;
};

typedef enum options_result (*apply_fn)(const struct parse *p);

/* An entry of core/option_list.h. */
struct option_line {
	int key;
	const char *name, *argument, *help;
	bool ours;
	apply_fn apply;
	size_t member;		/* of struct options, for those that only set one */
};

/* 1 to what is surely more than any machine has. */
#define CPUS_ARGUMENT_MAX	65536

#define EXTRA_ARGUMENT_MAX	1000

bool options_parse_extra(struct load_request *request, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value > EXTRA_ARGUMENT_MAX)
		return false;
	request->extra_given = true;
	request->extra_percent = (uint32_t)value;
	return true;
}

bool options_parse_cpus(unsigned int *cpus, const char *text)
{
	char *end;
	unsigned long value;

	if (strcmp(text, "auto") == 0) {
		*cpus = CPUS_AUTO;
		return true;
	}
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || value < 1 || value > CPUS_ARGUMENT_MAX)
		return false;
	*cpus = (unsigned int)value;
	return true;
}

/* Which of the names it is, count of them; count: none. */
static unsigned int find_name(const char *const *names, unsigned int count, const char *text)
{
	unsigned int i;

	for (i = 0; i < count && (!names[i] || strcmp(text, names[i]) != 0); i++)
		;
	return i;
}

bool options_parse_fast(enum fast_mode *fast, const char *text)
{
	static const char *const names[] = { [FAST_NO] = "no", [FAST_AUTO] = "yes", [FAST_REQUIRE] = "require" };
	unsigned int i = find_name(names, FAST_REQUIRE + 1, text);

	if (i > FAST_REQUIRE)
		return false;
	*fast = (enum fast_mode)i;
	return true;
}

bool options_parse_stage(enum stage_choice *stage, const char *text)
{
	static const char *const names[] = {
		[STAGE_AUTO] = "auto", [STAGE_HUGE_PAGES] = "hugepages", [STAGE_CRASH_KERNEL] = "crashkernel", [STAGE_NONE] = "none",
	};
	unsigned int i = find_name(names, STAGE_NONE + 1, text);

	if (i > STAGE_NONE)
		return false;
	*stage = (enum stage_choice)i;
	return true;
}

bool options_parse_unpack(enum unpack_mode *unpack, const char *text)
{
	static const char *const names[] = { [UNPACK_NO] = "no", [UNPACK_AUTO] = "auto", [UNPACK_YES] = "yes" };
	unsigned int i = find_name(names, UNPACK_YES + 1, text);

	if (i > UNPACK_YES)
		return false;
	*unpack = (enum unpack_mode)i;
	return true;
}

bool options_parse_check(enum check_kind *check, const char *text)
{
	static const char *const names[] = { [CHECK_NONE] = "none", [CHECK_CRC32C] = "crc32c", [CHECK_SHA256] = "sha256" };
	unsigned int i = find_name(names, CHECK_SHA256 + 1, text);

	if (i > CHECK_SHA256)
		return false;
	*check = (enum check_kind)i;
	return true;
}

static void print_help(FILE *out);

static enum options_result set_flag(const struct parse *p)
{
	*(bool *)((char *)p->options + p->line->member) = true;
	return OPTIONS_RUN;
}

static enum options_result set_text(const struct parse *p)
{
	*(const char **)((char *)p->options + p->line->member) = p->argument;
	return OPTIONS_RUN;
}

static enum options_result print_usage(const struct parse *p)
{
	print_help(p->out);
	return OPTIONS_DONE;
}

static enum options_result print_version(const struct parse *p)
{
	fprintf(p->out, "kexec-tools %s\n", KEXEC_VERSION);
	if (KEXEC_LEFT_OUT[0])
		fprintf(p->out, "built without %s\n", KEXEC_LEFT_OUT);
	return OPTIONS_DONE;
}

static enum options_result take_json(const struct parse *p)
{
#ifdef WITH_JSON
	p->options->json = true;
	return OPTIONS_RUN;
#else
	fprintf(p->err, "kexec: --json: this kexec was built without it (--without-json); leave that out, or build kexec with it\n");
	return OPTIONS_BAD;
#endif
}

static enum options_result not_here(const struct parse *p)
{
	fprintf(p->err, "kexec: --%s is nothing that arm64 has\n", p->line->name);
	return OPTIONS_BAD;
}

/* As in kexec-tools, actions are changes of state in the order given: "-l -e" jumps and does not load. */
static enum options_result act_load(const struct parse *p)
{
	struct options *o = p->options;

	o->load = true, o->exec = false, o->shutdown = false, o->crash_status = false;
	return OPTIONS_RUN;
}

static enum options_result act_unload(const struct parse *p)
{
	struct options *o = p->options;

	o->load = false, o->shutdown = false, o->sync = false, o->unload = true;
	return OPTIONS_RUN;
}

static enum options_result act_exec(const struct parse *p)
{
	struct options *o = p->options;

	o->load = false, o->exec = true, o->shutdown = false, o->sync = true, o->ifdown = true;
	return OPTIONS_RUN;
}

static enum options_result act_force(const struct parse *p)
{
	struct options *o = p->options;

	o->load = true, o->exec = true, o->shutdown = false, o->sync = true, o->ifdown = true;
	return OPTIONS_RUN;
}

static enum options_result act_load_panic(const struct parse *p)
{
	struct options *o = p->options;

	o->load = true, o->exec = false, o->shutdown = false, o->sync = false, o->request.crash = true;
	return OPTIONS_RUN;
}

static enum options_result use_file_load(const struct parse *p)
{
	p->options->request.syscall = SYSCALL_FILE;
	return OPTIONS_RUN;
}

static enum options_result use_load(const struct parse *p)
{
	p->options->request.syscall = SYSCALL_LOAD;
	return OPTIONS_RUN;
}

static enum options_result use_either(const struct parse *p)
{
	p->options->request.syscall = SYSCALL_AUTO;
	return OPTIONS_RUN;
}

static enum options_result take_fast(const struct parse *p)
{
	p->options->fast_given = true;
	if (options_parse_fast(&p->options->request.fast, p->argument ? p->argument : "yes"))
		return OPTIONS_RUN;
	fprintf(p->err, "kexec: --fast-reloc=%s is unknown; it is --fast-reloc, --fast-reloc=require or --fast-reloc=no\n", p->argument);
	return OPTIONS_BAD;
}

static enum options_result take_stage(const struct parse *p)
{
	p->options->stage_given = true;
	if (options_parse_stage(&p->options->request.stage, p->argument))
		return OPTIONS_RUN;
	fprintf(p->err, "kexec: --stage=%s is unknown; it is auto, hugepages, crashkernel or none\n", p->argument);
	return OPTIONS_BAD;
}

static enum options_result take_unpack(const struct parse *p)
{
	p->options->unpack_given = true;
	if (options_parse_unpack(&p->options->request.unpack_initrd, p->argument ? p->argument : "yes"))
		return OPTIONS_RUN;
	fprintf(p->err, "kexec: --unpack-initrd=%s is unknown; it is --unpack-initrd, --unpack-initrd=auto or --unpack-initrd=no\n", p->argument);
	return OPTIONS_BAD;
}

static enum options_result take_check(const struct parse *p)
{
	p->options->check_given = true;
	if (options_parse_check(&p->options->request.check, p->argument))
		return OPTIONS_RUN;
	fprintf(p->err, "kexec: --check=%s is unknown; it is crc32c, sha256 or none\n", p->argument);
	return OPTIONS_BAD;
}

static enum options_result no_checks(const struct parse *p)
{
	p->options->check_given = true;
	p->options->request.check = CHECK_NONE;
	return OPTIONS_RUN;
}

static enum options_result take_cpus(const struct parse *p)
{
	p->options->cpus_given = true;
	if (options_parse_cpus(&p->options->request.cpus, p->argument))
		return OPTIONS_RUN;
	fprintf(p->err, "kexec: --cpus=%s is unknown; it is a number or auto\n", p->argument);
	return OPTIONS_BAD;
}

static enum options_result take_extra(const struct parse *p)
{
	if (options_parse_extra(&p->options->request, p->argument))
		return OPTIONS_RUN;
	fprintf(p->err, "kexec: --staging-extra=%s is unknown; it is a number of percent, 0 to 1000\n", p->argument);
	return OPTIONS_BAD;
}

static enum options_result take_boot_entry(const struct parse *p)
{
	p->options->boot_entry = true;
	p->options->entry_name = p->argument && p->argument[0] ? p->argument : NULL;
	return OPTIONS_RUN;
}

/* A word of these, counted from 1, the first of which is meant where none is given. 0: it is none, and that was said. */
static unsigned int take_mode(const struct parse *p, const char *option, const char *const *names, unsigned int count)
{
	unsigned int i = find_name(names, count, p->argument ? p->argument : names[1]);

	if (i < count)
		return i;
	fprintf(p->err, "kexec: --%s=%s is unknown; it is --%s, --%s=%s or --%s=%s\n", option, p->argument, option, option, names[1], option,
		names[2]);
	return 0;
}

/* For kexec-reboot: from here on the machine is on its way. */
static enum options_result take_stamp(const struct parse *p)
{
	if (strcmp(p->argument, "asked") != 0) {
		fprintf(p->err, "kexec: --stamp=%s is unknown; it is --stamp=asked\n", p->argument);
		return OPTIONS_BAD;
	}
	p->options->stamp_asked = true;
	return OPTIONS_RUN;
}

static enum options_result take_heal(const struct parse *p)
{
	static const char *const names[] = { [HEAL_NOW] = "now", [HEAL_SHUTDOWN] = "shutdown" };

	p->options->heal_staged = (enum heal_staged)take_mode(p, "heal-staged", names, HEAL_SHUTDOWN + 1);
	return p->options->heal_staged == HEAL_NONE ? OPTIONS_BAD : OPTIONS_RUN;
}

static enum options_result take_verify(const struct parse *p)
{
	static const char *const names[] = { [VERIFY_ALL] = "all", [VERIFY_QUICK] = "quick" };

	p->options->verify_staged = (enum verify_staged)take_mode(p, "verify-staged", names, VERIFY_QUICK + 1);
	return p->options->verify_staged == VERIFY_NONE ? OPTIONS_BAD : OPTIONS_RUN;
}

static enum options_result take_initrd(const struct parse *p)
{
	struct load_request *request = &p->options->request;

	if (request->initrds < INITRDS_MAX) {
		request->initrd[request->initrds++] = p->argument;
		return OPTIONS_RUN;
	}
	fprintf(p->err, "kexec: more than %d initrds; put some together with cat\n", INITRDS_MAX);
	return OPTIONS_BAD;
}

static enum options_result take_address(const struct parse *p, uint64_t *address)
{
	char *end;

	*address = strtoull(p->argument, &end, 0);
	if (!*end)
		return OPTIONS_RUN;
	fprintf(p->err, "Bad option value in --%s=%s\n", p->line->name, p->argument);
	print_help(p->out);
	return OPTIONS_BAD;
}

static enum options_result take_mem_min(const struct parse *p)
{
	return take_address(p, &p->options->request.mem_min);
}

static enum options_result take_mem_max(const struct parse *p)
{
	uint64_t *max = &p->options->request.mem_max;
	enum options_result result = take_address(p, max);

	if (!*max)
		*max = 1;	/* 0 is no limit, in a request */
	return result;
}

static enum options_result take_entry(const struct parse *p)
{
	return take_address(p, &p->options->request.entry);
}

#define THEIRS	false
#define OURS	true
#define FLAG(field)	set_flag, .member = offsetof(struct options, field)
#define TEXT(field)	set_text, .member = offsetof(struct options, field)
#define OPTION(k, n, a, h, origin, ...) \
	{ .key = k, .name = n, .argument = a, .help = h, .ours = origin, .apply = __VA_ARGS__ },
#define OPTION_BY_LOAD(k, n, a, h, origin, how, when, why)	OPTION(k, n, a, h, origin, how)

static const struct option_line lines[] = {
#include "option_list.h"
};

#define LINES	(sizeof(lines) / sizeof(lines[0]))

static void print_help(FILE *out)
{
	size_t i;

	fprintf(out, "Usage: kexec [OPTION]... [KERNEL]\n"
		     "Start another arm64 Linux kernel from the running one.\n\n");
	for (i = 0; i < LINES; i++) {
		char left[64], key[8] = "    ";
		const char *argument = lines[i].argument;

		if (!lines[i].help)
			continue;
		if (lines[i].key)
			snprintf(key, sizeof(key), "-%c, ", lines[i].key);
		snprintf(left, sizeof(left), "%s--%s%s%s", key, lines[i].name, argument && argument[0] != '[' ? "=" : "",
			 argument ? argument : "");
		fprintf(out, "  %-30s %s\n", left, lines[i].help);
	}
	fprintf(out, "\nWithout -l, -p, -e, -f or -u: load KERNEL, then shutdown -r now.\n"
		     "Exit status: 0 done, 1 wrong usage, no such file, or nothing loaded, 255 failed; see kexec(8).\n");
}

/* The one option of kexec-tools that this is short for, though one of ours begins so, too; null: there is no such. */
static const struct option_line *kept_abbreviation(const char *start, size_t length)
{
	const struct option_line *theirs = NULL;
	bool ours = false;
	size_t i;

	for (i = 0; i < LINES; i++) {
		if (strncmp(lines[i].name, start, length) != 0)
			continue;
		if (lines[i].name[length] == '\0')
			return NULL;	/* a name, and not short for any */
		if (lines[i].ours)
			ours = true;
		else if (theirs)
			return NULL;
		else
			theirs = &lines[i];
	}
	return ours ? theirs : NULL;
}

#define ABBREVIATIONS_MAX	64
#define NAME_MAX_CHARS		32
/* What getopt_long(3) returns for a long name: this and the index of its line. */
#define LONG_OPTION		256

struct getopt_tables {
	struct option longs[LINES + ABBREVIATIONS_MAX + 1];
	char shorts[2 * LINES + 2];
	char abbreviation[ABBREVIATIONS_MAX][NAME_MAX_CHARS];
};

/* An abbreviation that works with kexec-tools works here, whatever else we have: getopt_long(3) takes a name that is there. */
static void keep_abbreviations(struct getopt_tables *tables)
{
	const struct option_line *theirs;
	size_t i, length, count = 0;

	for (i = 0; i < LINES; i++)
		for (length = 1; length < strlen(lines[i].name); length++) {
			theirs = kept_abbreviation(lines[i].name, length);
			if (theirs != &lines[i] || count == ABBREVIATIONS_MAX)
				continue;
			snprintf(tables->abbreviation[count], NAME_MAX_CHARS, "%.*s", (int)length, lines[i].name);
			tables->longs[LINES + count] = tables->longs[i];
			tables->longs[LINES + count].name = tables->abbreviation[count];
			count++;
		}
	tables->longs[LINES + count] = (struct option){ 0 };
}

static void make_getopt_tables(struct getopt_tables *tables)
{
	struct option *longs = tables->longs;
	char *shorts = tables->shorts;
	size_t i;

	for (i = 0; i < LINES; i++) {
		const char *argument = lines[i].argument;

		longs[i] = (struct option){
			.name = lines[i].name,
			.has_arg = !argument ? no_argument : argument[0] == '[' ? optional_argument : required_argument,
			.val = LONG_OPTION + (int)i,
		};
		if (lines[i].key)
			*shorts++ = (char)lines[i].key;
		if (lines[i].key && argument)
			*shorts++ = ':';
	}
	keep_abbreviations(tables);
	strcpy(shorts, "?");	/* kexec-tools takes it for a question, and answers with its usage and 1 */
}

/* The line of what getopt_long(3) returned; null: that was nothing it knows. */
static const struct option_line *find_line(int found)
{
	size_t i;

	if (found >= LONG_OPTION)
		return &lines[found - LONG_OPTION];
	for (i = 0; i < LINES; i++)
		if (lines[i].key == found)
			return &lines[i];
	return NULL;
}

bool options_are_unsafe(const struct options *options)
{
	const struct load_request *request = &options->request;

	return options->load && !request->crash && request->fast != FAST_NO && request->check == CHECK_NONE && !request->force_unchecked;
}

static bool asks_about_staged(const struct options *options)
{
	return options->staged || options->heal_staged != HEAL_NONE || options->verify_staged != VERIFY_NONE || options->stamp_asked;
}

/* kernel: one was named. Every action that kexec-tools has ends the shutdown that is there without any. */
static bool is_alone(const struct options *options, bool kernel)
{
	int others = options->doctor + options->staged + (options->heal_staged != HEAL_NONE) + (options->verify_staged != VERIFY_NONE) +
		     options->last + options->status + options->print_ckr_size + options->list_entries + options->stamp_asked + options->request.plan_only;

	return others == 1 && options->shutdown && !kernel;
}

enum options_result options_parse(struct options *options, int argc, char **argv, FILE *out, FILE *err)
{
	struct getopt_tables tables;
	struct parse p = { .options = options, .out = out, .err = err };
	enum options_result result;
	int found;

	*options = (struct options){ .load = true, .shutdown = true, .sync = true, .crash_status = true };
	make_getopt_tables(&tables);
	optind = 0;	/* start afresh, also when a test calls us again */
	while ((found = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1) {
		p.line = find_line(found);
		p.argument = optarg;
		if (!p.line) {
			print_help(out);
			return OPTIONS_BAD;
		}
		result = p.line->apply(&p);
		if (result != OPTIONS_RUN)
			return result;
	}
	options->sync &= !options->no_sync;
	options->ifdown &= !options->no_ifdown;
	options->crash_status |= options->request.crash;
	if (options->prometheus && (options->json || !(options->last || options->staged))) {
		fprintf(err, "kexec: --prometheus goes with --last or --staged, and not with --json\n");
		return OPTIONS_BAD;
	}
	if (options->svg && !options->last) {
		fprintf(err, "kexec: --svg goes with --last\n");
		return OPTIONS_BAD;
	}
	if (asks_about_staged(options)) {
		if (!is_alone(options, argv[optind])) {
			fprintf(err, "kexec: --staged, --verify-staged, --heal-staged and --stamp are about what was loaded before; each goes with "
				     "no other action and with no kernel\n");
			return OPTIONS_BAD;
		}
		options->load = options->shutdown = options->sync = false;
		return OPTIONS_RUN;
	}
	if (options->doctor && !is_alone(options, false)) {
		fprintf(err, "kexec: --doctor looks and loads nothing; it goes with no other action\n");
		return OPTIONS_BAD;
	}
	/* It is about a load that stages. */
	if (options->doctor && !options->fast_given)
		options->fast_given = true, options->request.fast = FAST_AUTO;
	if (options->last || options->status || options->print_ckr_size || options->list_entries)
		return OPTIONS_RUN;
	if (options->request.plan_only && (!options->load || options->unload)) {
		fprintf(err, "kexec: --plan shows what a load would do; it goes with -l, and with neither -e nor -u\n");
		return OPTIONS_BAD;
	}
	if (!options->load)
		return OPTIONS_RUN;
	/* To say where is to ask for it. */
	if (options->request.stage != STAGE_AUTO && options->request.stage != STAGE_NONE && !options->fast_given)
		options->fast_given = true, options->request.fast = FAST_AUTO;
	if (options->fast_given && ((options->request.stage == STAGE_NONE && options->request.fast == FAST_REQUIRE) ||
				    (options->request.stage > STAGE_AUTO && options->request.stage < STAGE_NONE && options->request.fast == FAST_NO))) {
		fprintf(err, "kexec: --stage=none does not go with --fast-reloc=require, nor any other place with --fast-reloc=no\n");
		return OPTIONS_BAD;
	}
	if (options->request.fast != FAST_NO && (options->request.mem_min || options->request.mem_max || options->request.crash ||
						 options->request.entry)) {
		fprintf(err, "kexec: --fast-reloc does not go with -p, --entry, --mem-min or --mem-max%s\n",
			options->request.crash ? ": a crash kernel is never relocated" : "");
		return OPTIONS_BAD;
	}
	if (options_are_unsafe(options)) {
		fprintf(err, "kexec: --fast-reloc does not go with --check=none or -i: staged memory could have been taken away since the "
			     "load, and then the jump goes into random memory; leave out --check=none, or add --force-unchecked, or "
			     "--fast-reloc=no\n");
		return OPTIONS_BAD;
	}
	/* The kernel shows what retain_initrd keeps (init/initramfs.c). */
	if (options->reuse_initrd && !options->request.initrds)
		options->request.initrd[options->request.initrds++] = "/sys/firmware/initrd";
	options->request.kernel = argv[optind];
	if (options->boot_entry && argv[optind]) {
		fprintf(err, "kexec: --boot-entry names the kernel already; leave out %s, or write --boot-entry=NAME\n", argv[optind]);
		return OPTIONS_BAD;
	}
	return OPTIONS_RUN;
}

void options_no_kernel(FILE *out, FILE *err)
{
	fprintf(err, "No kernel specified\n");
	print_help(out);
}
