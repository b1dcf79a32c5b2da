/* SPDX-License-Identifier: GPL-2.0-only */
#include "bytes.h"
#include "purgatory_abi.h"
#include "report.h"

#include <json-c/json.h>
#include <time.h>

/* A record may have fewer cells than are known here, or more. */
struct timeline {
	const unsigned char *record;
	size_t cells;
};

/* Cells are only ever added at the end: where one is, all in front of it are. */
static bool has(const struct timeline *t, enum purg_timeline_cell which)
{
	return which < t->cells;
}

static uint64_t cell(const struct timeline *t, enum purg_timeline_cell which)
{
	return has(t, which) ? load_be(t->record + which * sizeof(uint64_t), sizeof(uint64_t)) : 0;
}

/* A stamp or a number of ticks that can be told in seconds: some firmware leaves CNTFRQ_EL0 at 0. */
static bool has_time(const struct timeline *t, enum purg_timeline_cell which)
{
	return has(t, which) && cell(t, PURG_T_HZ);
}

/* What was done with the pieces. Time is the sum over all CPUs, so that a rate is that of one. */
static const struct {
	const char *name, *json;
} tallies[PURG_TALLIES] = {
	[PURG_TALLY_MOVE] = { "move", "move_ns" },
	[PURG_TALLY_CHECK] = { "verify", "verify_ns" },
	[PURG_TALLY_CLEAN] = { "clean", "clean_ns" },
};

static const char *const methods[] = {
	[PURG_METHOD_NONE] = "none",
	[PURG_METHOD_CRC32C] = "crc32c by instruction",
	[PURG_METHOD_CRC32C_C] = "crc32c in C",
	[PURG_METHOD_SHA256] = "sha256 by instruction",
	[PURG_METHOD_SHA256_C] = "sha256 in C",
};

static const char *const results[] = {
	[PURG_RESULT_NONE] = "incomplete", [PURG_RESULT_VERIFIED] = "verified", [PURG_RESULT_UNCHECKED] = "not checked",
};

#define NAME_OF(table, index)	((index) < sizeof(table) / sizeof((table)[0]) ? (table)[index] : "unknown")

/* By any version of this program, finished by purgatory, and long enough to say something. */
static bool is_ours(struct timeline *t, const void *record, size_t bytes)
{
	*t = (struct timeline){ record, bytes / sizeof(uint64_t) };
	return bytes % sizeof(uint64_t) == 0 && cell(t, PURG_T_MAGIC) >> 32 == PURG_TIMELINE_MAGIC &&
	       (uint32_t)cell(t, PURG_T_MAGIC) >= PURG_TIMELINE_VERSION_OLDEST && cell(t, PURG_T_RESULT) != PURG_RESULT_NONE;
}

static uint64_t nanoseconds(const struct timeline *t, uint64_t ticks)
{
	double ns = (double)ticks * 1e9 / (double)cell(t, PURG_T_HZ);

	/* A record that is not honest may claim more time than there is. */
	return ns < 1e18 ? (uint64_t)ns : (uint64_t)1e18;
}

/* From stamp to stamp; one that runs backwards (a record that is not honest) is 0. */
static uint64_t between(const struct timeline *t, enum purg_timeline_cell from, enum purg_timeline_cell to)
{
	uint64_t first = cell(t, from), last = cell(t, to);

	return last < first ? 0 : nanoseconds(t, last - first);
}

static void print_phase(FILE *out, const char *name, uint64_t ns, uint64_t bytes, bool has_rate)
{
	fprintf(out, "%-9s %11.3f ms", name, (double)ns / 1e6);
	if (bytes && ns)
		fprintf(out, " %14llu", (unsigned long long)bytes);
	if (bytes && ns && has_rate)
		fprintf(out, " %7.0f MB/s", (double)bytes * 1e3 / (double)ns);
	fprintf(out, "\n");
}

static void print_phases(FILE *out, const struct timeline *t)
{
	unsigned int i;

	if (!has_time(t, PURG_T_MMU_ON))
		return;
	fprintf(out, "%-9s %14s %14s %12s\n", "phase", "time", "bytes", "rate");
	print_phase(out, "prepare", between(t, PURG_T_ENTRY, PURG_T_MMU_ON), 0, false);
	if (has_time(t, PURG_T_DONE))
		print_phase(out, "payload", between(t, PURG_T_MMU_ON, PURG_T_DONE), cell(t, PURG_T_CHECK_BYTES), true);
	for (i = 0; i < PURG_TALLIES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "  %s", tallies[i].name);
		if (has_time(t, PURG_T_MOVE_TICKS + i))
			/* What was cleaned while it was verified has its time there. */
			print_phase(out, name, nanoseconds(t, cell(t, PURG_T_MOVE_TICKS + i)), cell(t, PURG_T_MOVE_BYTES + i),
				    i != PURG_TALLY_CLEAN);
	}
	if (has_time(t, PURG_T_DONE))
		print_phase(out, "all", between(t, PURG_T_ENTRY, PURG_T_DONE), 0, false);
	fprintf(out, "\n");
}

/* "Payload of 20 bytes verified (crc32c in C) by 2 CPUs, not 4: firmware could not start the others." */
static void print_payload(FILE *out, const struct timeline *t)
{
	uint64_t cpus = cell(t, PURG_T_CPUS);

	fprintf(out, "Payload ");
	if (has(t, PURG_T_PAYLOAD_BYTES))
		fprintf(out, "of %llu bytes ", (unsigned long long)cell(t, PURG_T_PAYLOAD_BYTES));
	fprintf(out, "%s", NAME_OF(results, cell(t, PURG_T_RESULT)));
	if (has(t, PURG_T_METHOD))
		fprintf(out, " (%s)", NAME_OF(methods, cell(t, PURG_T_METHOD)));
	if (has(t, PURG_T_CPUS))
		fprintf(out, " by %llu CPU%s", (unsigned long long)cpus, cpus == 1 ? "" : "s");
	if (cpus < cell(t, PURG_T_CPUS_WANTED) && cell(t, PURG_T_MMU))
		fprintf(out, ", not %llu: firmware could not start the others",
			(unsigned long long)cell(t, PURG_T_CPUS_WANTED));
	fprintf(out, ".");
}

enum kx_err timeline_text(const void *record, size_t bytes, FILE *out)
{
	struct timeline t;
	uint64_t el;

	if (!is_ours(&t, record, bytes))
		return KX_TIMELINE_FOREIGN;
	print_phases(out, &t);
	if (has(&t, PURG_T_PAGES_IN_PLACE))
		fprintf(out, "%llu of %llu huge pages were in place; the kernel relocated %llu bytes of the payload.\n",
			(unsigned long long)cell(&t, PURG_T_PAGES_IN_PLACE), (unsigned long long)cell(&t, PURG_T_PAGES),
			(unsigned long long)cell(&t, PURG_T_RELOCATED_BYTES));
	print_payload(out, &t);
	el = cell(&t, PURG_T_EL);
	if (has(&t, PURG_T_EL))
		fprintf(out, " EL%llu%s", (unsigned long long)(el & PURG_EL_MASK), el & PURG_EL_E2H ? " with VHE" : "");
	if (has(&t, PURG_T_MMU))
		fprintf(out, ", MMU %s", cell(&t, PURG_T_MMU) ? "on" : "off");
	fprintf(out, "%s\n", has(&t, PURG_T_EL) ? "." : "");
	return KX_OK;
}

static void add_cell(struct json_object *o, const char *name, const struct timeline *t, enum purg_timeline_cell which)
{
	if (has(t, which))
		json_object_object_add(o, name, json_object_new_uint64(cell(t, which)));
}

/* last: the later of the two stamps. */
static void add_between(struct json_object *o, const char *name, const struct timeline *t, enum purg_timeline_cell first,
			enum purg_timeline_cell last)
{
	if (has_time(t, last))
		json_object_object_add(o, name, json_object_new_uint64(between(t, first, last)));
}

/* Every phase of the reboot, in order. */
static struct json_object *json_reboot(const struct reboot *reboot)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	char name[160], key[160];
	uint64_t start_ns, ns, end_ns = 0;
	unsigned int i;

	for (i = 0; i < REBOOT_POINTS; i++) {
		struct json_object *phase;

		if (!reboot_phase(reboot, i, name, key, sizeof(name), &start_ns, &ns))
			continue;
		phase = json_object_new_object();
		json_object_object_add(phase, "phase", json_object_new_string(key));
		json_object_object_add(phase, "start_ns", json_object_new_uint64(start_ns));
		json_object_object_add(phase, "ns", json_object_new_uint64(ns));
		json_object_array_add(list, phase);
		end_ns = start_ns + ns;
	}
	json_object_object_add(o, "ns", json_object_new_uint64(end_ns));
	json_object_object_add(o, "phases", list);
	json_object_object_add(o, "note", reboot->note ? json_object_new_string(reboot->note) : NULL);
	return o;
}

enum kx_err timeline_json(const void *record, size_t bytes, const struct reboot *reboot, FILE *out)
{
	struct json_object *o;
	struct timeline t;
	unsigned int i;
	uint64_t el;

	if (!is_ours(&t, record, bytes))
		return KX_TIMELINE_FOREIGN;
	el = cell(&t, PURG_T_EL);
	o = json_object_new_object();
	json_object_object_add(o, "result", json_object_new_string(NAME_OF(results, cell(&t, PURG_T_RESULT))));
	if (has(&t, PURG_T_METHOD))
		json_object_object_add(o, "check", json_object_new_string(NAME_OF(methods, cell(&t, PURG_T_METHOD))));
	add_between(o, "prepare_ns", &t, PURG_T_ENTRY, PURG_T_MMU_ON);
	add_between(o, "payload_ns", &t, PURG_T_MMU_ON, PURG_T_DONE);
	add_between(o, "total_ns", &t, PURG_T_ENTRY, PURG_T_DONE);
	for (i = 0; i < PURG_TALLIES; i++)
		if (has_time(&t, PURG_T_MOVE_TICKS + i))
			json_object_object_add(o, tallies[i].json,
					       json_object_new_uint64(nanoseconds(&t, cell(&t, PURG_T_MOVE_TICKS + i))));
	add_cell(o, "moved_bytes", &t, PURG_T_MOVE_BYTES);
	add_cell(o, "verified_bytes", &t, PURG_T_CHECK_BYTES);
	add_cell(o, "cleaned_bytes", &t, PURG_T_CLEAN_BYTES);
	add_cell(o, "relocated_bytes", &t, PURG_T_RELOCATED_BYTES);
	add_cell(o, "payload_bytes", &t, PURG_T_PAYLOAD_BYTES);
	add_cell(o, "huge_pages", &t, PURG_T_PAGES);
	add_cell(o, "huge_pages_in_place", &t, PURG_T_PAGES_IN_PLACE);
	if (has(&t, PURG_T_EL)) {
		json_object_object_add(o, "exception_level", json_object_new_uint64(el & PURG_EL_MASK));
		json_object_object_add(o, "e2h", json_object_new_boolean((el & PURG_EL_E2H) != 0));
	}
	if (has(&t, PURG_T_MMU))
		json_object_object_add(o, "mmu", json_object_new_boolean(cell(&t, PURG_T_MMU) != 0));
	add_cell(o, "cpus", &t, PURG_T_CPUS);
	add_cell(o, "cpus_wanted", &t, PURG_T_CPUS_WANTED);
	add_cell(o, "counter_hz", &t, PURG_T_HZ);
	add_cell(o, "counter_at_entry", &t, PURG_T_ENTRY);
	add_cell(o, "counter_at_exit", &t, PURG_T_DONE);
	add_cell(o, "loaded_at", &t, PURG_T_LOADED_AT);
	if (reboot)
		json_object_object_add(o, "reboot", json_reboot(reboot));
	fprintf(out, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED));
	json_object_put(o);
	return KX_OK;
}

/* Prometheus' text format: HELP, TYPE and a value for each. Base units, as it wants them. */
static void print_metric(FILE *out, const char *name, const char *help)
{
	fprintf(out, "# HELP kexec_last_%s %s\n# TYPE kexec_last_%s gauge\n", name, help, name);
}

static void print_seconds(FILE *out, const char *name, const char *help, uint64_t ns)
{
	print_metric(out, name, help);
	fprintf(out, "kexec_last_%s %llu.%09llu\n", name, (unsigned long long)(ns / 1000000000), (unsigned long long)(ns % 1000000000));
}

static void print_number(FILE *out, const char *name, const char *help, uint64_t number)
{
	print_metric(out, name, help);
	fprintf(out, "kexec_last_%s %llu\n", name, (unsigned long long)number);
}

static const struct {
	enum purg_timeline_cell cell;
	const char *name, *help;
} gauges[] = {
	{ PURG_T_MOVE_BYTES, "moved_bytes", "Bytes that purgatory moved." },
	{ PURG_T_CHECK_BYTES, "verified_bytes", "Bytes that purgatory verified." },
	{ PURG_T_CLEAN_BYTES, "cleaned_bytes", "Bytes that purgatory cleaned from caches." },
	{ PURG_T_RELOCATED_BYTES, "relocated_bytes", "Bytes of the payload that the kernel copied." },
	{ PURG_T_PAYLOAD_BYTES, "payload_bytes", "Bytes of kernel and initrd." },
	{ PURG_T_PAGES, "huge_pages", "Huge pages of the payload." },
	{ PURG_T_PAGES_IN_PLACE, "huge_pages_in_place", "Huge pages that were where they were booted from." },
	{ PURG_T_CPUS, "cpus", "CPUs that verified." },
	{ PURG_T_CPUS_WANTED, "cpus_wanted", "CPUs that were to verify." },
	{ PURG_T_LOADED_AT, "loaded_timestamp_seconds", "When the kernel was loaded, in seconds since 1970." },
};

void timeline_prometheus(const void *record, size_t bytes, FILE *out)
{
	struct timeline t;
	bool ours = record && is_ours(&t, record, bytes);
	unsigned int i;

	print_number(out, "booted_by_kexec", "1 if kexec-fast started this kernel, 0 if it came through the firmware or by another kexec.", ours);
	if (!ours)
		return;
	print_number(out, "verified", "1 if the payload was verified before it was started.", cell(&t, PURG_T_RESULT) == PURG_RESULT_VERIFIED);
	if (has_time(&t, PURG_T_MMU_ON))
		print_seconds(out, "prepare_seconds", "Time in purgatory until caches were on.", between(&t, PURG_T_ENTRY, PURG_T_MMU_ON));
	if (has_time(&t, PURG_T_DONE)) {
		print_seconds(out, "payload_seconds", "Time in purgatory for the payload.", between(&t, PURG_T_MMU_ON, PURG_T_DONE));
		print_seconds(out, "total_seconds", "Time in purgatory.", between(&t, PURG_T_ENTRY, PURG_T_DONE));
	}
	for (i = 0; i < PURG_TALLIES; i++)
		if (has_time(&t, PURG_T_MOVE_TICKS + i)) {
			char name[24];

			snprintf(name, sizeof(name), "%s_cpu_seconds", tallies[i].name);
			print_seconds(out, name, "Time for this part of the payload, summed up over all CPUs.", nanoseconds(&t, cell(&t, PURG_T_MOVE_TICKS + i)));
		}
	for (i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		if (has(&t, gauges[i].cell))
			print_number(out, gauges[i].name, gauges[i].help, cell(&t, gauges[i].cell));
	print_metric(out, "info", "How the payload was started.");
	fprintf(out, "kexec_last_info{result=\"%s\"", NAME_OF(results, cell(&t, PURG_T_RESULT)));
	if (has(&t, PURG_T_METHOD))
		fprintf(out, ",check=\"%s\"", NAME_OF(methods, cell(&t, PURG_T_METHOD)));
	if (has(&t, PURG_T_EL))
		fprintf(out, ",exception_level=\"%llu\"", (unsigned long long)(cell(&t, PURG_T_EL) & PURG_EL_MASK));
	if (has(&t, PURG_T_MMU))
		fprintf(out, ",mmu=\"%s\"", cell(&t, PURG_T_MMU) ? "on" : "off");
	fprintf(out, "} 1\n");
}
