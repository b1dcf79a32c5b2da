/* SPDX-License-Identifier: GPL-2.0-only */
#include "options.h"

#include "version.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_APPEND = 256, OPT_REUSE_CMDLINE, OPT_INITRD, OPT_DTB, OPT_SERIAL, OPT_FAST, OPT_PLAN, OPT_CHECK, OPT_LAST,
	OPT_JSON, OPT_CPUS, OPT_EXTRA, OPT_NO_MMU, OPT_MEM_MIN, OPT_MEM_MAX, OPT_ENTRY, OPT_CKR_SIZE, OPT_NO_CMA, OPT_REUSE_INITRD,
	OPT_NOT_HERE,
};

/* One line an option; help, getopt's tables and the shell completion are made of it. */
static const struct option_line {
	int key;		/* short option, or one of the above */
	const char *name;
	const char *argument;	/* null: takes none; in brackets: may take one */
	const char *help;	/* null: an alias, left out of the help */
} lines[] = {
	{ 'h', "help", NULL, "Print this help." },
	{ 'v', "version", NULL, "Print the version." },
	{ 'd', "debug", NULL, "Say more about the load, on stderr." },
	{ 'q', "quiet", NULL, "Say nothing but errors, and what is not as asked for." },
	{ 'l', "load", NULL, "Load the kernel." },
	{ 'u', "unload", NULL, "Unload the kernel and give its memory back." },
	{ 'e', "exec", NULL, "Start the kernel that was loaded." },
	{ 'f', "force", NULL, "Load, then start at once without shutting down." },
	{ 'x', "no-ifdown", NULL, "Do not take network interfaces down before the start." },
	{ 'y', "no-sync", NULL, "Do not write out disks before the start." },
	{ 'S', "status", NULL, "Exit with 1 if a kernel is loaded (with -l; else a crash kernel), 0 if not." },
	{ 'p', "load-panic", NULL, "Load the kernel that is started when this one panics." },
	{ 's', "kexec-file-syscall", NULL, "Use kexec_file_load(2) only." },
	{ 'c', "kexec-syscall", NULL, "Use kexec_load(2) only." },
	{ 'a', "kexec-syscall-auto", NULL, "Use kexec_file_load(2), else kexec_load(2): the default." },
	{ 'i', "no-checks", NULL, "The same as --check=none." },
	{ OPT_FAST, "fast-reloc", "[=require]", "Stage the kernel where it will be booted from. With =require, fail if "
						"that is not possible; =no: do not." },
	{ OPT_PLAN, "plan", NULL, "Show what a load would do, and do not load." },
	{ OPT_CHECK, "check", "KIND", "How the payload is verified: crc32c, sha256 or none." },
	{ OPT_CPUS, "cpus", "N|auto", "How many CPUs verify; auto: more than one for large payloads." },
	{ OPT_EXTRA, "staging-extra", "PERCENT", "How many huge pages more may be looked at for a better place: 0 to 1000." },
	{ OPT_LAST, "last", NULL, "Show how the jump to this kernel went." },
	{ OPT_JSON, "json", NULL, "With --plan, --last or -l: print JSON." },
	{ OPT_APPEND, "append", "STRING", "Command line for the new kernel." },
	{ OPT_APPEND, "command-line", "STRING", "The same." },
	{ OPT_REUSE_CMDLINE, "reuse-cmdline", NULL, "Use this kernel's command line; --append comes behind it." },
	{ OPT_INITRD, "initrd", "FILE", "Initial ramdisk; may be given several times." },
	{ OPT_INITRD, "ramdisk", "FILE", "The same." },
	{ 't', "type", "TYPE", "What KERNEL is: Image, vmlinux, uImage, vmlinuz, uki. It is found out anyway." },
	{ OPT_DTB, "dtb", "FILE", "Device tree, instead of this machine's." },
	{ OPT_REUSE_INITRD, "reuseinitrd", NULL, "Use this kernel's initrd, which retain_initrd has kept." },
	{ OPT_MEM_MIN, "mem-min", "ADDRESS", "Use no memory below." },
	{ OPT_MEM_MAX, "mem-max", "ADDRESS", "Use no memory above." },
	{ OPT_ENTRY, "entry", "ADDRESS", "Jump there instead of to purgatory." },
	{ OPT_NO_CMA, "no-cma", NULL, "kexec_file_load(2): do not use CMA areas." },
	{ OPT_CKR_SIZE, "print-ckr-size", NULL, "Print the size of the memory for crash kernels." },
	{ OPT_NOT_HERE, "hotplug", NULL, NULL },
	{ OPT_NOT_HERE, "force-dtb", NULL, NULL },
	{ OPT_NOT_HERE, "load-preserve-context", NULL, NULL },
	{ OPT_NOT_HERE, "load-jump-back-helper", NULL, NULL },
	{ OPT_NOT_HERE, "load-live-update", NULL, NULL },
	{ OPT_NOT_HERE, "exec-live-update", NULL, NULL },
	{ OPT_SERIAL, "serial", "TTY", "Where purgatory says what it does, e.g. ttyAMA0." },
	{ OPT_NO_MMU, "purgatory-no-mmu", NULL, NULL },
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
		if (lines[i].key < 256)
			snprintf(key, sizeof(key), "-%c, ", lines[i].key);
		snprintf(left, sizeof(left), "%s--%s%s%s", key, lines[i].name, argument && argument[0] != '[' ? "=" : "",
			 argument ? argument : "");
		fprintf(out, "  %-30s %s\n", left, lines[i].help);
	}
	fprintf(out, "\nWithout -l, -p, -e, -f or -u: load KERNEL, then shutdown -r now.\n"
		     "Exit status: 0 done, 1 wrong usage, no such file, or nothing loaded, 255 failed; see kexec(8).\n");
}

/* Those that Debian's kexec-tools have not. */
static bool is_own(const struct option_line *line)
{
	int key = line->key;

	return key == OPT_FAST || key == OPT_PLAN || key == OPT_CHECK || key == OPT_CPUS || key == OPT_EXTRA || key == OPT_LAST || key == OPT_JSON ||
	       key == 'q' || key == OPT_NO_MMU || key == OPT_NO_CMA || strcmp(line->name, "force-dtb") == 0;
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
		if (is_own(&lines[i]))
			ours = true;
		else if (theirs && (theirs->key != lines[i].key || theirs->key == OPT_NOT_HERE))
			return NULL;
		else
			theirs = &lines[i];
	}
	return ours ? theirs : NULL;
}

#define ABBREVIATIONS_MAX	32
#define NAME_MAX_CHARS		32

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
			.val = lines[i].key,
		};
		if (lines[i].key < 256)
			*shorts++ = (char)lines[i].key;
		if (lines[i].key < 256 && argument)
			*shorts++ = ':';
	}
	keep_abbreviations(tables);
	strcpy(shorts, "?");	/* kexec-tools takes it for a question, and answers with its usage and 1 */
}

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

bool options_parse_check(enum check_kind *check, const char *text)
{
	static const char *const names[] = { [CHECK_NONE] = "none", [CHECK_CRC32C] = "crc32c", [CHECK_SHA256] = "sha256" };
	unsigned int i = find_name(names, CHECK_SHA256 + 1, text);

	if (i > CHECK_SHA256)
		return false;
	*check = (enum check_kind)i;
	return true;
}

static bool parse_address(uint64_t *address, const char *name, const char *text, FILE *out, FILE *err)
{
	char *end;

	*address = strtoull(text, &end, 0);
	if (!*end)
		return true;
	fprintf(err, "Bad option value in --%s=%s\n", name, text);
	print_help(out);
	return false;
}

/* As in kexec-tools, actions are changes of state in the order given: "-l -e" jumps and does not load. */
static bool apply(struct options *o, int key, char *argument, FILE *out, FILE *err)
{
	switch (key) {
	case 'd': o->debug = true; return true;
	case 'q': o->quiet = true; return true;
	case 'l': o->load = true; o->exec = false; o->shutdown = false; o->crash_status = false; return true;
	case 'u': o->load = false; o->shutdown = false; o->sync = false; o->unload = true; return true;
	case 'e': o->load = false; o->exec = true; o->shutdown = false; o->sync = true; o->ifdown = true; return true;
	case 'f': o->load = true; o->exec = true; o->shutdown = false; o->sync = true; o->ifdown = true; return true;
	case 'S': o->status = true; return true;
	case 'p': o->load = true; o->exec = false; o->shutdown = false; o->sync = false; o->request.crash = true; return true;
	case 's': o->request.syscall = SYSCALL_FILE; return true;
	case 'c': o->request.syscall = SYSCALL_LOAD; return true;
	case 'a': o->request.syscall = SYSCALL_AUTO; return true;
	case 'x': case 'y': return true;
	case OPT_CKR_SIZE: o->print_ckr_size = true; return true;
	case OPT_NO_CMA: o->request.no_cma = true; return true;
	case OPT_REUSE_INITRD: o->reuse_initrd = true; return true;
	case OPT_MEM_MIN: return parse_address(&o->request.mem_min, "mem-min", argument, out, err);
	case OPT_MEM_MAX:
		if (!parse_address(&o->request.mem_max, "mem-max", argument, out, err))
			return false;
		if (!o->request.mem_max)
			o->request.mem_max = 1;		/* 0 is no limit, in a request */
		return true;
	case OPT_ENTRY: return parse_address(&o->request.entry, "entry", argument, out, err);
	case 'i': o->request.check = CHECK_NONE; o->check_given = true; return true;
	case OPT_PLAN: o->request.plan_only = true; return true;
	case OPT_LAST: o->last = true; return true;
	case OPT_JSON: o->json = true; return true;
	case OPT_APPEND: o->request.cmdline = argument; return true;
	case OPT_REUSE_CMDLINE: o->request.reuse_cmdline = true; return true;
	case OPT_INITRD:
		if (o->request.initrds < INITRDS_MAX) {
			o->request.initrd[o->request.initrds++] = argument;
			return true;
		}
		fprintf(err, "kexec: more than %d initrds; put some together with cat\n", INITRDS_MAX);
		return false;
	case 't': o->request.type = argument; return true;
	case OPT_DTB: o->request.dtb = argument; return true;
	case OPT_SERIAL: o->request.serial = argument; return true;
	case OPT_NO_MMU: o->request.no_mmu = true; return true;
	case OPT_FAST:
		o->fast_given = true;
		if (options_parse_fast(&o->request.fast, argument ? argument : "yes"))
			return true;
		fprintf(err, "kexec: --fast-reloc=%s is unknown; it is --fast-reloc, --fast-reloc=require or --fast-reloc=no\n", argument);
		return false;
	case OPT_CPUS:
		o->cpus_given = true;
		if (options_parse_cpus(&o->request.cpus, argument))
			return true;
		fprintf(err, "kexec: --cpus=%s is unknown; it is a number or auto\n", argument);
		return false;
	case OPT_EXTRA:
		if (options_parse_extra(&o->request, argument))
			return true;
		fprintf(err, "kexec: --staging-extra=%s is unknown; it is a number of percent, 0 to 1000\n", argument);
		return false;
	case OPT_CHECK:
		o->check_given = true;
		if (options_parse_check(&o->request.check, argument))
			return true;
		fprintf(err, "kexec: --check=%s is unknown; it is crc32c, sha256 or none\n", argument);
		return false;
	default:
		return false;
	}
}

enum options_result options_parse(struct options *options, int argc, char **argv, FILE *out, FILE *err)
{
	struct getopt_tables tables;
	bool no_sync = false, no_ifdown = false;
	int key;

	*options = (struct options){ .load = true, .shutdown = true, .sync = true, .crash_status = true };
	make_getopt_tables(&tables);
	optind = 0;	/* start afresh, also when a test calls us again */
	while ((key = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1) {
		if (key == 'h') {
			print_help(out);
			return OPTIONS_DONE;
		}
		if (key == 'v') {
			fprintf(out, "kexec-tools %s\n", KEXEC_VERSION);
			return OPTIONS_DONE;
		}
		if (key == OPT_NOT_HERE) {
			fprintf(err, "kexec: %s is nothing that arm64 has\n", argv[optind - 1]);
			return OPTIONS_BAD;
		}
		if (!apply(options, key, optarg, out, err)) {
			if (key == '?')
				print_help(out);
			return OPTIONS_BAD;
		}
		no_sync |= key == 'y';
		no_ifdown |= key == 'x';
	}
	options->sync &= !no_sync;
	options->ifdown &= !no_ifdown;
	options->crash_status |= options->request.crash;
	if (options->last || options->status || options->print_ckr_size)
		return OPTIONS_RUN;
	if (options->request.plan_only && (!options->load || options->unload)) {
		fprintf(err, "kexec: --plan shows what a load would do; it goes with -l, and with neither -e nor -u\n");
		return OPTIONS_BAD;
	}
	if (!options->load)
		return OPTIONS_RUN;
	if (options->request.fast != FAST_NO && (options->request.mem_min || options->request.mem_max || options->request.crash ||
						 options->request.entry)) {
		fprintf(err, "kexec: --fast-reloc does not go with -p, --entry, --mem-min or --mem-max%s\n",
			options->request.crash ? ": a crash kernel is never relocated" : "");
		return OPTIONS_BAD;
	}
	/* The kernel shows what retain_initrd keeps (init/initramfs.c). */
	if (options->reuse_initrd && !options->request.initrds)
		options->request.initrd[options->request.initrds++] = "/sys/firmware/initrd";
	options->request.kernel = argv[optind];
	return OPTIONS_RUN;
}

void options_no_kernel(FILE *out, FILE *err)
{
	fprintf(err, "No kernel specified\n");
	print_help(out);
}
