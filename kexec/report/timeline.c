/* SPDX-License-Identifier: GPL-2.0-only */
#include "bytes.h"
#include "purgatory_abi.h"
#include "report.h"

#include <json-c/json.h>
#include <time.h>

static uint64_t cell(const unsigned char *record, enum purg_timeline_cell which)
{
	return load_be(record + which * sizeof(uint64_t), sizeof(uint64_t));
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

static bool is_ours(const void *record, size_t bytes)
{
	return bytes == PURG_T_CELLS * sizeof(uint64_t) &&
	       cell(record, PURG_T_MAGIC) == ((uint64_t)PURG_TIMELINE_MAGIC << 32 | PURG_ABI_VERSION) &&
	       cell(record, PURG_T_RESULT) != PURG_RESULT_NONE && cell(record, PURG_T_HZ) != 0;
}

static uint64_t nanoseconds(const void *record, uint64_t ticks)
{
	double ns = (double)ticks * 1e9 / (double)cell(record, PURG_T_HZ);

	/* A record that is not honest may claim more time than there is. */
	return ns < 1e18 ? (uint64_t)ns : (uint64_t)1e18;
}

/* From stamp to stamp; one that runs backwards (a record that is not honest) is 0. */
static uint64_t between(const void *record, enum purg_timeline_cell from, enum purg_timeline_cell to)
{
	uint64_t first = cell(record, from), last = cell(record, to);

	return last < first ? 0 : nanoseconds(record, last - first);
}

static void print_phase(FILE *out, const char *name, uint64_t ns, uint64_t bytes)
{
	fprintf(out, "%-9s %11.3f ms", name, (double)ns / 1e6);
	if (bytes && ns)
		fprintf(out, " %14llu %7.0f MB/s", (unsigned long long)bytes, (double)bytes * 1e3 / (double)ns);
	fprintf(out, "\n");
}

enum kx_err timeline_text(const void *record, size_t bytes, FILE *out)
{
	uint64_t el, cpus;
	unsigned int i;

	if (!is_ours(record, bytes))
		return KX_NO_TIMELINE;
	cpus = cell(record, PURG_T_CPUS);
	fprintf(out, "%-9s %14s %14s %12s\n", "phase", "time", "bytes", "rate");
	print_phase(out, "prepare", between(record, PURG_T_ENTRY, PURG_T_MMU_ON), 0);
	print_phase(out, "payload", between(record, PURG_T_MMU_ON, PURG_T_DONE), cell(record, PURG_T_CHECK_BYTES));
	for (i = 0; i < PURG_TALLIES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "  %s", tallies[i].name);
		print_phase(out, name, nanoseconds(record, cell(record, PURG_T_MOVE_TICKS + i)),
			    cell(record, PURG_T_MOVE_BYTES + i));
	}
	print_phase(out, "all", between(record, PURG_T_ENTRY, PURG_T_DONE), 0);
	el = cell(record, PURG_T_EL);
	fprintf(out, "\n%llu of %llu huge pages were in place; the kernel relocated %llu bytes of the payload.\n",
		(unsigned long long)cell(record, PURG_T_PAGES_IN_PLACE), (unsigned long long)cell(record, PURG_T_PAGES),
		(unsigned long long)cell(record, PURG_T_RELOCATED_BYTES));
	fprintf(out, "Payload of %llu bytes %s (%s) by %llu CPU%s", (unsigned long long)cell(record, PURG_T_PAYLOAD_BYTES),
		NAME_OF(results, cell(record, PURG_T_RESULT)), NAME_OF(methods, cell(record, PURG_T_METHOD)),
		(unsigned long long)cpus, cpus == 1 ? "" : "s");
	if (cpus < cell(record, PURG_T_CPUS_WANTED) && cell(record, PURG_T_MMU))
		fprintf(out, ", not %llu: firmware could not start the others",
			(unsigned long long)cell(record, PURG_T_CPUS_WANTED));
	fprintf(out, ". EL%llu%s, MMU %s.\n", (unsigned long long)(el & 3), el & 0x100 ? " with VHE" : "",
		cell(record, PURG_T_MMU) ? "on" : "off");
	return KX_OK;
}

static void add_u64(struct json_object *o, const char *name, uint64_t value)
{
	json_object_object_add(o, name, json_object_new_uint64(value));
}

enum kx_err timeline_json(const void *record, size_t bytes, FILE *out)
{
	struct json_object *o;
	unsigned int i;

	if (!is_ours(record, bytes))
		return KX_NO_TIMELINE;
	o = json_object_new_object();
	json_object_object_add(o, "result", json_object_new_string(NAME_OF(results, cell(record, PURG_T_RESULT))));
	json_object_object_add(o, "check", json_object_new_string(NAME_OF(methods, cell(record, PURG_T_METHOD))));
	add_u64(o, "prepare_ns", between(record, PURG_T_ENTRY, PURG_T_MMU_ON));
	add_u64(o, "payload_ns", between(record, PURG_T_MMU_ON, PURG_T_DONE));
	add_u64(o, "total_ns", between(record, PURG_T_ENTRY, PURG_T_DONE));
	for (i = 0; i < PURG_TALLIES; i++)
		add_u64(o, tallies[i].json, nanoseconds(record, cell(record, PURG_T_MOVE_TICKS + i)));
	add_u64(o, "moved_bytes", cell(record, PURG_T_MOVE_BYTES));
	add_u64(o, "verified_bytes", cell(record, PURG_T_CHECK_BYTES));
	add_u64(o, "cleaned_bytes", cell(record, PURG_T_CLEAN_BYTES));
	add_u64(o, "relocated_bytes", cell(record, PURG_T_RELOCATED_BYTES));
	add_u64(o, "payload_bytes", cell(record, PURG_T_PAYLOAD_BYTES));
	add_u64(o, "huge_pages", cell(record, PURG_T_PAGES));
	add_u64(o, "huge_pages_in_place", cell(record, PURG_T_PAGES_IN_PLACE));
	add_u64(o, "exception_level", cell(record, PURG_T_EL) & 3);
	json_object_object_add(o, "e2h", json_object_new_boolean((cell(record, PURG_T_EL) & 0x100) != 0));
	json_object_object_add(o, "mmu", json_object_new_boolean(cell(record, PURG_T_MMU) != 0));
	add_u64(o, "cpus", cell(record, PURG_T_CPUS));
	add_u64(o, "cpus_wanted", cell(record, PURG_T_CPUS_WANTED));
	add_u64(o, "counter_hz", cell(record, PURG_T_HZ));
	add_u64(o, "counter_at_entry", cell(record, PURG_T_ENTRY));
	add_u64(o, "counter_at_exit", cell(record, PURG_T_DONE));
	add_u64(o, "loaded_at", cell(record, PURG_T_LOADED_AT));
	fprintf(out, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED));
	json_object_put(o);
	return KX_OK;
}
