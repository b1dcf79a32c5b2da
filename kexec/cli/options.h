/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line: a table of options, names and order semantics as in kexec-tools. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "request.h"

#include <stdio.h>

enum verify_staged { VERIFY_NONE, VERIFY_ALL, VERIFY_QUICK };

/* HEAL_SHUTDOWN: for the hook that systemd-shutdown runs last, when only the kernel log is left to tell anybody */
enum heal_staged { HEAL_NONE, HEAL_NOW, HEAL_SHUTDOWN };

struct options {
	bool load, exec, unload, status, last, crash_status;
	bool print_ckr_size, reuse_initrd;
	bool staged;		/* at most one of these three, and no load then */
	enum verify_staged verify_staged;
	enum heal_staged heal_staged;
	bool boot_entry, list_entries;	/* the kernel is a boot entry's; show them all, and no load then */
	const char *entry_name;		/* null: the default */
	bool doctor;		/* the request is the load that it is about; kernel null: any */
	bool fast_given, stage_given, check_given, cpus_given, unpack_given;	/* on the command line */
	bool shutdown;		/* kexec KERNEL, and nothing else: load it and shut down */
	bool sync, ifdown;
	bool no_sync, no_ifdown;	/* given, wherever: they count in the end */
	bool json, quiet, debug;
	bool prometheus;	/* goes with last or staged */
	const char *svg;	/* so does this: a file to write to; null: not asked for */
	bool stamp_asked;	/* write down that somebody asks for a reboot, and no load then */
	struct load_request request;
};

enum options_result {
	OPTIONS_RUN,	/* do what *options says */
	OPTIONS_DONE,	/* help or version was printed: exit 0 */
	OPTIONS_BAD,	/* a complaint was printed: exit 1 */
};

/* The values that these take, on the command line and in files; false: none of them. */
bool options_parse_fast(enum fast_mode *fast, const char *text);
bool options_parse_stage(enum stage_choice *stage, const char *text);
bool options_parse_unpack(enum unpack_mode *unpack, const char *text);
bool options_parse_check(enum check_kind *check, const char *text);
bool options_parse_extra(struct load_request *request, const char *text);
bool options_parse_cpus(unsigned int *cpus, const char *text);

/* What is to be loaded would be staged and verified by nobody, which --force-unchecked does not allow. */
bool options_are_unsafe(const struct options *options);

/* A load, and no kernel: request.kernel is null. The complaint, for when it is the load's turn; kexec-tools exits with 255. */
void options_no_kernel(FILE *out, FILE *err);

/* Prints to out (help, version, usage) and err (complaints). argv is permuted and must outlive *options. */
enum options_result options_parse(struct options *options, int argc, char **argv, FILE *out, FILE *err);

#endif
