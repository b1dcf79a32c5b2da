/* SPDX-License-Identifier: GPL-2.0-only */
/* What is staged, for a person or a program. */
#include "staged_report.h"

#include "json_add.h"

#include <time.h>

static const char *const truths[] = {
	[STAGED_NOTHING] = "nothing", [STAGED_TRUE] = "true", [STAGED_MOVED] = "moved", [STAGED_DAMAGED] = "damaged",
};

static double mib(uint64_t bytes)
{
	return (double)bytes / (double)MIB(1);
}

void staged_check_text(const struct staged_check *check, FILE *out)
{
	switch (check->truth) {
	case STAGED_NOTHING:
		fprintf(out, "Nothing is staged.\n");
		break;
	case STAGED_TRUE:
		fprintf(out, "What is staged is true: %u pages where they were", check->pages);
		if (check->digested_bytes)
			fprintf(out, ", %.1f MiB as loaded", mib(check->digested_bytes));
		fprintf(out, " (%llu ms).\n", (unsigned long long)check->ms);
		break;
	case STAGED_MOVED:
		if (check->moved)
			fprintf(out, "The kernel has moved %u of %u pages; kexec -e and kexec --heal-staged put that right.\n", check->moved,
				check->pages);
		else
			fprintf(out, "kexec was killed in the middle of its work; kexec -e and kexec --heal-staged put that right.\n");
		break;
	default:
		fprintf(out, "What is staged is damaged: %s. Load again; kexec --heal-staged undoes the load.\n", check->why);
		break;
	}
}

void staged_text(const struct staged_status *status, FILE *out)
{
	time_t made_at = (time_t)status->made_at;
	char when[64] = "";
	struct tm tm;
	uint32_t i;

	if (status->at_work)
		fprintf(out, "Another kexec is staging something.\n");
	if (!status->staged) {
		fprintf(out, "Nothing is staged%s.\n", status->loaded ? ", though a kernel is loaded" : "");
		return;
	}
	if (!status->made_at) {
		staged_check_text(&status->check, out);
		return;
	}
	if (localtime_r(&made_at, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(out, "Staged %s by process %u: %.0f MiB in %u %s.\n", when, status->pid, mib(status->staged_bytes), status->check.pages,
		status->backend);
	for (i = 0; i < status->files; i++)
		fprintf(out, "  %s, %.1f MiB%s\n", status->file[i].path, mib(status->file[i].bytes),
			status->file[i].changed ? "; it is another file by now" : "");
	if (status->cmdline[0])
		fprintf(out, "  command line: %s\n", status->cmdline);
	if (!status->counted)
		fprintf(out, "The kernel does not count on it: %s.\n",
			status->loaded ? "something else was loaded since" : "nothing is loaded");
	else if (!status->certain)
		fprintf(out, "The kernel counts on it, if no other program has loaded something since.\n");
	else
		fprintf(out, "The kernel counts on it.\n");
	if (status->counted)
		staged_check_text(&status->check, out);
}

void staged_json(const struct staged_status *status, FILE *out)
{
	struct json_object *o = json_object_new_object(), *files = json_object_new_array();
	uint32_t i;

	for (i = 0; i < status->files; i++) {
		struct json_object *file = json_object_new_object();

		add_text(file, "path", status->file[i].path);
		add_u64(file, "bytes", status->file[i].bytes);
		add_bool(file, "changed", status->file[i].changed);
		json_object_array_add(files, file);
	}
	add_bool(o, "staged", status->staged);
	add_bool(o, "loaded", status->loaded);
	add_bool(o, "counted_on", status->counted);
	add_bool(o, "certain", status->certain);
	add_bool(o, "at_work", status->at_work);
	add_text(o, "truth", truths[status->check.truth]);
	add_text(o, "why", status->check.why);
	add_u64(o, "huge_pages", status->check.pages);
	add_u64(o, "huge_pages_moved", status->check.moved);
	add_u64(o, "staged_bytes", status->staged_bytes);
	add_u64(o, "made_at", status->made_at);
	add_u64(o, "pid", status->pid);
	add_text(o, "backend", status->backend);
	add_text(o, "format", status->format);
	add_text(o, "cmdline", status->cmdline);
	add_u64(o, "control_segment_pa", status->control_pa);
	json_object_object_add(o, "files", files);
	print_json(o, out);
}

static void print_metric(FILE *out, const char *name, const char *help, uint64_t value)
{
	fprintf(out, "# HELP kexec_%s %s\n# TYPE kexec_%s gauge\nkexec_%s %llu\n", name, help, name, name, (unsigned long long)value);
}

void staged_prometheus(const struct staged_status *status, FILE *out)
{
	const struct staged_check *check = &status->check;
	uint64_t changed = 0;
	uint32_t i;

	print_metric(out, "loaded", "1 if a kernel is loaded, which the next reboot may start.", status->loaded);
	print_metric(out, "staged", "1 if kexec-fast has staged something.", status->staged);
	if (!status->staged)
		return;
	for (i = 0; i < status->files; i++)
		changed += status->file[i].changed;
	print_metric(out, "staged_counted_on", "1 if the kernel counts on what is staged.", status->counted);
	print_metric(out, "staged_sound", "1 if nothing of it is gone and no memory under it has failed.",
		     check->truth == STAGED_TRUE || check->truth == STAGED_MOVED);
	print_metric(out, "staged_huge_pages", "Huge pages that it takes.", check->pages);
	print_metric(out, "staged_moved_huge_pages", "Huge pages that the kernel has moved since, which a heal puts right.", check->moved);
	print_metric(out, "staged_bytes", "Memory that it takes.", status->staged_bytes);
	print_metric(out, "staged_changed_files", "Files of it that are others by now.", changed);
	print_metric(out, "staged_timestamp_seconds", "When it was staged, in seconds since 1970.", status->made_at);
}
