/* SPDX-License-Identifier: GPL-2.0-only */
/* Parse, act, report, exit code. */
#include "boot_entries.h"
#include "config.h"
#include "crash_kernel.h"
#include "doctor.h"
#include "load.h"
#include "manage.h"
#include "options.h"
#include "probe.h"
#include "progress.h"
#include "report.h"
#include "staged_report.h"
#include "this_boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* As in kexec-tools: what it dies of is 1, what a system call or a file refuses is 255. */
#define EXIT_DIED	1
#define EXIT_FAILED	255
#define EXIT_NO_FILE_LOAD	253

static int exit_code(enum kx_err err)
{
	switch (err) {
	case KX_OPEN:
	case KX_READ:
	case KX_CHANGED:
	case KX_EMPTY:
		return EXIT_DIED;
	default:
		return EXIT_FAILED;
	}
}

static int complain(const struct fail *fail)
{
	char sentence[FAIL_SENTENCE_CHARS];

	switch (fail->err) {
	case KX_NOTHING_LOADED:
	case KX_NO_CRASH_MEMORY:
	case KX_NO_RETAINED_INITRD:
		fprintf(stderr, "%s\n", err_text(fail->err));
		return EXIT_DIED;
	case KX_UNKNOWN_TYPE:
		fprintf(stderr, "%s %s\n", err_text(fail->err), fail->detail);
		return EXIT_FAILED;
	case KX_FILE_UNAVAILABLE:
		fprintf(stderr, "%s: %s\n%s\n", err_text(KX_FILE_LOAD), fail->detail, err_text(fail->err));
		return EXIT_NO_FILE_LOAD;
	case KX_FILE_LOAD:
	case KX_KEXEC_LOAD:
	case KX_UNLOAD:
	case KX_REBOOT:
		/* As kexec-tools words them; people search for these. */
		fprintf(stderr, "%s: %s\n", err_text(fail->err), fail->detail);
		return EXIT_FAILED;
	default:
		fail_sentence(fail, sentence, sizeof(sentence));
		fprintf(stderr, "kexec: %s.\n", sentence);
		return exit_code(fail->err);
	}
}

static enum kx_err write_svg(const struct reboot *reboot, const char *path, struct fail *fail)
{
	FILE *out = fopen(path, "w");

	if (out)
		reboot_svg(reboot, out);
	if (!out || fclose(out) != 0)
		return fail_set(fail, KX_WRITE, "%s (%s)", path, strerror(errno));
	return KX_OK;
}

static int do_last(struct sys *sys, const struct options *options)
{
	struct reboot_now now;
	struct reboot reboot;
	struct fail fail;
	enum kx_err err;
	char *record;
	size_t bytes;
	bool timed;

	err = last_timeline(sys, &record, &bytes, &fail);
	if (err)
		return complain(&fail);
	this_boot_read(&now, sys);
	timed = reboot_make(&reboot, record, bytes, &now);
	if (options->svg && write_svg(&reboot, options->svg, &fail)) {
		free(record);
		return complain(&fail);
	}
	if (timed && !options->json)
		reboot_text(&reboot, stdout);
	err = options->json ? timeline_json(record, bytes, timed ? &reboot : NULL, stdout) : timeline_text(record, bytes, stdout);
	free(record);
	if (err) {
		fail_with(&fail, err);
		return complain(&fail);
	}
	return EXIT_SUCCESS;
}

/* That there is no record says that this kernel came through the firmware. */
static int do_metrics(struct sys *sys)
{
	char *record = NULL;
	size_t bytes = 0;
	struct reboot_now now;
	struct reboot reboot;
	struct fail fail;
	enum kx_err err = last_timeline(sys, &record, &bytes, &fail);

	if (err && err != KX_NO_TIMELINE && err != KX_NO_TIMELINE_TREE)
		return complain(&fail);
	timeline_prometheus(record, bytes, stdout);
	if (record) {
		this_boot_read(&now, sys);
		if (reboot_make(&reboot, record, bytes, &now))
			reboot_prometheus(&reboot, stdout);
	}
	free(record);
	return EXIT_SUCCESS;
}

static int do_status(struct sys *sys, bool crash)
{
	int loaded = kernel_is_loaded(sys, crash);

	return loaded < 0 ? EXIT_FAILED : loaded;
}

static enum kx_err check_machine(struct sys *sys, const struct options *options, struct fail *fail)
{
	enum kx_err err = options->request.crash || options->reuse_initrd ? check_proc(sys, fail) : KX_OK;

	if (err)
		return err;
	if (options->request.crash && !crash_kernel_bytes(sys))
		return fail_with(fail, KX_NO_CRASH_MEMORY);
	if (options->reuse_initrd && !initrd_is_retained(sys))
		return fail_with(fail, KX_NO_RETAINED_INITRD);
	return KX_OK;
}

static bool has_output(const struct options *options)
{
	const struct load_request *request = &options->request;

	return options->json || request->plan_only || (request->fast != FAST_NO && !options->quiet);
}

static bool output_is_written(void)
{
	return fflush(stdout) != EOF && !ferror(stdout);
}

/* A write may fail that looked possible before: a disk is full. */
static int finish_output(const struct report *report)
{
	struct fail fail;

	if (output_is_written())
		return EXIT_SUCCESS;
	if (!report->loaded) {
		perror("kexec: standard output");
		return EXIT_FAILED;
	}
	fail_set(&fail, KX_REPORT_LOST, "standard output: %s", strerror(errno));
	return complain(&fail);
}

/* What was staged in the crash kernel's memory is gone, or could not be: the crash kernel comes back. */
static void restore_crash_kernel(struct sys *sys)
{
	struct report report;
	char kernel[256];
	struct fail fail;

	if (!crash_kernel_restore(sys, kernel, sizeof(kernel), &report, &fail))
		return;
	report_notes(&report, stderr);
	if (fail.err)
		complain(&fail);
	else
		fprintf(stderr, "kexec: note: the crash kernel is loaded again: %s.\n", kernel);
}

static int do_load(struct sys *sys, struct options *options)
{
	struct report report;
	struct fail fail;
	enum kx_err err;

	if (has_output(options) && !sys->can_print(sys)) {
		fail_with(&fail, KX_NO_STDOUT);
		return complain(&fail);
	}
	if (!options->quiet)
		progress_attach(&options->request);
	err = load_kernel(sys, &options->request, &report, &fail);
	progress_end();
	if (!options->request.crash && !options->request.plan_only)
		restore_crash_kernel(sys);
	if (err) {
		report_notes(&report, stderr);
		if (err == KX_INTERRUPTED && options->unload)
			fail.err = KX_INTERRUPTED_UNLOADED;
		return complain(&fail);
	}
	if (options->json)
		report_json(&report, stdout);
	else if (options->request.plan_only)
		report_table(&report, stdout);
	else if (report.fast && !options->quiet)
		report_sentence(&report, stdout);
	if (options->debug && report.by_file)
		fprintf(stderr, "kexec: loaded by kexec_file_load\n");
	else if (options->debug)
		report_table(&report, stderr);
	/* On stderr, and with -q too: no fallback is silent. */
	report_notes(&report, stderr);
	return finish_output(&report);
}

static int do_list_entries(struct sys *sys, bool json)
{
	struct boot_entries entries;
	struct fail fail;

	if (boot_entries_read(&entries, sys, &fail))
		return complain(&fail);
	if (json)
		entries_json(&entries, stdout);
	else
		entries_text(&entries, stdout);
	entries_free(&entries);
	return EXIT_SUCCESS;
}

/* A load of a boot entry is one of its files. */
static int do_load_entry(struct sys *sys, struct options *options)
{
	const struct load_request asked = options->request;
	struct boot_entries entries;
	char *cmdline = NULL;
	struct fail fail;
	enum kx_err err = boot_entries_read(&entries, sys, &fail);
	int status;

	if (!err)
		err = boot_entry_request(&entries, options->entry_name, &options->request, &cmdline, &fail);
	status = err ? complain(&fail) : do_load(sys, options);
	/* It points into what is freed here. */
	options->request = asked;
	free(cmdline);
	entries_free(&entries);
	return status;
}

static enum kx_err do_unload(struct sys *sys, const struct options *options, struct fail *fail)
{
	const char *note;
	enum kx_err err = unload_kernel(sys, options->request.crash, options->request.syscall, &note, fail);

	if (!err && note)
		fprintf(stderr, "kexec: %s\n", note);
	if (!options->request.crash)
		restore_crash_kernel(sys);
	return err;
}

/* Of --verify-staged and --heal-staged, as kexec(8) has them. */
#define EXIT_NOT_STAGED	1
#define EXIT_MOVED	2
#define EXIT_DAMAGED	3

static int truth_code(enum staged_truth truth)
{
	switch (truth) {
	case STAGED_TRUE:
		return EXIT_SUCCESS;
	case STAGED_MOVED:
		return EXIT_MOVED;
	case STAGED_DAMAGED:
		return EXIT_DAMAGED;
	default:
		return EXIT_NOT_STAGED;
	}
}

/* Neither yes nor no: 1 means something else here. */
static int could_not(const struct fail *fail)
{
	complain(fail);
	return EXIT_FAILED;
}

static int do_staged(struct sys *sys, const struct options *options)
{
	struct staged_status status;
	struct fail fail;

	if (staged_status(sys, &status, &fail))
		return could_not(&fail);
	if (options->prometheus) {
		staged_prometheus(&status, stdout);
		return EXIT_SUCCESS;
	}
	if (options->json)
		staged_json(&status, stdout);
	else
		staged_text(&status, stdout);
	return status.staged ? EXIT_SUCCESS : EXIT_NOT_STAGED;
}

static int do_verify(struct sys *sys, const struct options *options)
{
	struct staged_check check;
	struct fail fail;

	if (staged_look(sys, options->verify_staged == VERIFY_ALL, &check, &fail))
		return could_not(&fail);
	if (!options->quiet)
		staged_check_text(&check, stdout);
	return truth_code(check.truth);
}

/* Before the jump, on stderr: nothing that was done to what was loaded is silent. */
static void tell_heal(const struct heal *heal)
{
	report_notes(&heal->report, stderr);
	if (heal->healed)
		fprintf(stderr, "kexec: note: the kernel had moved %u of the %u pages that hold the next one; it was planned and loaded anew, in "
			"%llu ms.\n", heal->check.moved, heal->check.pages, (unsigned long long)heal->ms);
}

/*
 * When file systems are unmounted nobody reads standard error any more. The kernel log is on the console, and in pstore where there is one
 * for the console or for what user space says (pmsg). As an error, so that a quiet console shows it too.
 */
static void tell_kernel_log(struct sys *sys, const char *sentence)
{
	char line[FAIL_SENTENCE_CHARS + 32];

	snprintf(line, sizeof(line), "<3>kexec-fast: %s\n", sentence);
	(void)sys->write_file(sys, "/dev/kmsg", line);
	(void)sys->write_file(sys, "/dev/pmsg0", line + strlen("<3>"));
}

static void tell_shutdown(struct sys *sys, const struct heal *heal, enum kx_err err, const struct fail *fail)
{
	char sentence[FAIL_SENTENCE_CHARS];

	if (err) {
		fail_sentence(fail, sentence, sizeof(sentence));
	} else if (heal->healed) {
		snprintf(sentence, sizeof(sentence), "the kernel had moved %u of the %u pages that hold the next one; planned and loaded anew",
			 heal->check.moved, heal->check.pages);
	} else {
		return;
	}
	tell_kernel_log(sys, sentence);
}

static int do_heal(struct sys *sys, const struct options *options)
{
	struct heal heal;
	struct fail fail;
	enum kx_err err;

	if (options->heal_staged == HEAL_SHUTDOWN)
		staged_stamp(sys, LEDGER_STAMP_STOPPED);
	err = staged_heal(sys, &heal, &fail);
	if (options->heal_staged == HEAL_SHUTDOWN) {
		/* systemd-shutdown calls reboot(2) next. */
		if (!err)
			staged_stamp(sys, LEDGER_STAMP_JUMP);
		tell_shutdown(sys, &heal, err, &fail);
	} else {
		restore_crash_kernel(sys);
	}
	if (err) {
		complain(&fail);
		return err == KX_UNDONE ? EXIT_DAMAGED : EXIT_FAILED;
	}
	tell_heal(&heal);
	if (!options->quiet && !heal.healed)
		staged_check_text(&heal.check, stdout);
	return heal.check.truth == STAGED_NOTHING ? EXIT_NOT_STAGED : EXIT_SUCCESS;
}

static int do_doctor(struct sys *sys, struct options *options)
{
	struct doctor doctor;
	struct fail fail;

	if (!config_apply(sys, options, stderr))
		return EXIT_FAILED;
	if (doctor_examine(&doctor, sys, &options->request, &fail))
		return could_not(&fail);
	if (options->json)
		doctor_json(&doctor, stdout);
	else
		doctor_text(&doctor, stdout);
	/* Scripts go by the status, and what they then read must be whole. */
	if (!output_is_written()) {
		perror("kexec: standard output");
		return EXIT_FAILED;
	}
	return doctor_exit_status(&doctor);
}

int main(int argc, char **argv)
{
	struct options options;
	struct sys sys;
	struct fail fail;
	int status = EXIT_SUCCESS;

	switch (options_parse(&options, argc, argv, stdout, stderr)) {
	case OPTIONS_DONE:
		return EXIT_SUCCESS;
	case OPTIONS_BAD:
		return EXIT_DIED;
	case OPTIONS_RUN:
		break;
	}
	sys_linux(&sys);

	if (options.doctor)
		return do_doctor(&sys, &options);
	if (options.staged)
		return do_staged(&sys, &options);
	if (options.verify_staged != VERIFY_NONE)
		return do_verify(&sys, &options);
	if (options.heal_staged != HEAL_NONE)
		return do_heal(&sys, &options);
	if (options.stamp_asked) {
		staged_stamp(&sys, LEDGER_STAMP_ASKED);
		return EXIT_SUCCESS;
	}
	if (options.list_entries)
		return do_list_entries(&sys, options.json);
	if (options.last)
		return options.prometheus ? do_metrics(&sys) : do_last(&sys, &options);
	if (options.status)
		return do_status(&sys, options.crash_status);
	if (options.print_ckr_size) {
		printf("%llu\n", (unsigned long long)crash_kernel_bytes(&sys));
		return EXIT_SUCCESS;
	}
	/* What kexec-tools looks at before it does anything. */
	if (options.load) {
		enum kx_err err = check_machine(&sys, &options, &fail);

		if (err)
			return complain(&fail);
	}
	if (options.unload && do_unload(&sys, &options, &fail))
		return complain(&fail);
	if (options.load && !options.request.kernel && !options.boot_entry) {
		options_no_kernel(stdout, stderr);
		return EXIT_FAILED;
	}
	if (options.load && !config_apply(&sys, &options, stderr))
		return EXIT_DIED;
	if (options.load)
		status = options.boot_entry ? do_load_entry(&sys, &options) : do_load(&sys, &options);
	if (status || options.request.plan_only)
		return status;
	if (options.exec) {
		exec_kernel(&sys, options.sync, options.ifdown, tell_heal, &fail);
		restore_crash_kernel(&sys);
		return complain(&fail);
	}
	if (options.shutdown && sys.interrupted(&sys)) {
		fail_with(&fail, KX_NOT_STARTED);
		return complain(&fail);
	}
	if (options.shutdown) {
		fail_set(&fail, KX_SHUTDOWN, "%s", strerror(-sys.shutdown(&sys)));
		return complain(&fail);
	}
	if (options.load && options.sync)
		sys.sync(&sys);
	return EXIT_SUCCESS;
}
