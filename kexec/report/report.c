/* SPDX-License-Identifier: GPL-2.0-only */
#include "report.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <string.h>

void report_note(struct report *report, const char *format, ...)
{
	va_list args;

	if (report->notes == REPORT_NOTES)
		return;
	va_start(args, format);
	vsnprintf(report->note[report->notes++], sizeof(report->note[0]), format, args);
	va_end(args);
}

struct totals {
	uint32_t slots, in_place, moved, relocated;
	uint64_t payload_bytes;
};

static struct totals sum(const struct report *report)
{
	struct totals t = { 0 };
	unsigned int i;

	for (i = 0; i < report->objects; i++) {
		t.slots += report->object[i].slots;
		t.in_place += report->object[i].in_place;
		t.moved += report->object[i].moved;
		t.relocated += report->object[i].relocated;
		t.payload_bytes += report->object[i].file_bytes;
	}
	return t;
}

static const char *bytes_text(uint64_t bytes, char out[24])
{
	if (bytes >= MIB(1))
		snprintf(out, 24, "%llu.%llu MiB", (unsigned long long)(bytes >> 20),
			 (unsigned long long)((bytes & (MIB(1) - 1)) * 10 >> 20));
	else
		snprintf(out, 24, "%llu KiB", (unsigned long long)((bytes + 1023) >> 10));
	return out;
}

void report_notes(const struct report *report, FILE *out)
{
	unsigned int i;

	for (i = 0; i < report->notes; i++)
		fprintf(out, "kexec: note: %s.\n", report->note[i]);
}

static void print_row(FILE *out, const char *name, struct range place, const char *in_place, const char *moved,
		      const char *relocated)
{
	char size[24], where[48];

	snprintf(where, sizeof(where), "0x%010llx-0x%010llx", (unsigned long long)place.start,
		 (unsigned long long)(place.bytes ? range_end(place) - 1 : place.start));
	fprintf(out, "%-15s %-27s %10s %10s %10s %10s\n", name, where, bytes_text(place.bytes, size), in_place, moved,
		relocated);
}

void report_table(const struct report *report, FILE *out)
{
	char in_place[24], moved[24], relocated[24];
	const char *failure = "Should the check fail, purgatory";
	struct totals t = sum(report);
	unsigned int i;

	fprintf(out, "%-15s %-27s %10s %10s %10s %10s\n", "object", "where", "memory", "in place", "moved", "by kernel");
	for (i = 0; i < report->objects; i++) {
		const struct report_object *o = &report->object[i];

		print_row(out, o->name, o->place, bytes_text(o->in_place * report->slot_bytes, in_place),
			  bytes_text(o->moved * report->slot_bytes, moved), bytes_text(o->relocated * report->slot_bytes, relocated));
	}
	print_row(out, "device tree", report->dtb, "-", "-", bytes_text(report->dtb.bytes, relocated));
	print_row(out, "control segment", report->control, "-", "-", bytes_text(report->control.bytes, relocated));
	fprintf(out, "\n%u of %u %s in place, %u moved by purgatory, %u relocated by the kernel.\n", t.in_place, t.slots,
		report->in_crash_memory ? "pages of the crash kernel's memory" : "huge pages", t.moved, t.relocated);
	if (report->initrd_packed_bytes)
		fprintf(out, "The initrd is unpacked at load (%s): %s -> %s.\n", report->initrd_compression,
			bytes_text(report->initrd_packed_bytes, moved), bytes_text(report->initrd_unpacked_bytes, in_place));
	if (report->through_file_load)
		fprintf(out, "An Image of %s with the control segment for kexec_file_load(2)", bytes_text(report->segment_bytes, moved));
	else
		fprintf(out, "%u segments of %s in all for kexec_load(2)", report->segments, bytes_text(report->segment_bytes, moved));
	fprintf(out, "; page tables %s; check %s by %u CPU%s.\n", bytes_text(report->table_bytes, in_place), report->check, report->cpus,
		report->cpus == 1 ? "" : "s");
	if (strcmp(report->check, "none") == 0)
		failure = "Nothing is verified; should purgatory meet an exception, it";
	if (report->console[0])
		fprintf(out, "%s says so on %s and resets the machine.\n", failure, report->console);
	else
		fprintf(out, "%s resets the machine; it knows of no console to say so on.\n", failure);
}

void report_sentence(const struct report *report, FILE *out)
{
	char payload[24], segments[24], other[24];
	struct totals t = sum(report);

	fprintf(out, "Loaded %s%s%s%s%s%s: %s, ", report->boot_entry, report->boot_entry[0] ? ", " : "", report->kernel, report->format[0] ? " (" : "", report->format,
		report->format[0] ? ")" : "", bytes_text(t.payload_bytes, payload));
	if (t.in_place == t.slots)
		fprintf(out, "all of it already where it will be booted from");
	else if (t.in_place || t.moved)
		fprintf(out, "%u of %u huge pages in place, %s to be moved at boot", t.in_place, t.slots,
			bytes_text(t.moved * report->slot_bytes, other));
	else
		fprintf(out, "none of it staged");
	if (report->in_crash_memory)
		fprintf(out, ", in the crash kernel's memory: a panic leaves no dump until then");
	if (report->initrd_packed_bytes)
		fprintf(out, "; initrd unpacked at load (%s): %s -> %s", report->initrd_compression, bytes_text(report->initrd_packed_bytes, other),
			bytes_text(report->initrd_unpacked_bytes, payload));
	fprintf(out, "; the kernel relocates %s; check %s. Ready for kexec -e or systemctl kexec.\n",
		bytes_text(report->segment_bytes, segments), report->check);
}

static struct json_object *json_u64(uint64_t value)
{
	return json_object_new_uint64(value);
}

static struct json_object *json_range(struct range r)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "pa", json_u64(r.start));
	json_object_object_add(o, "bytes", json_u64(r.bytes));
	return o;
}

static void print_json(struct json_object *o, FILE *out)
{
	fprintf(out, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void report_json(const struct report *report, FILE *out)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array(), *notes = json_object_new_array();
	unsigned int i;

	for (i = 0; i < report->objects; i++) {
		const struct report_object *from = &report->object[i];
		struct json_object *to = json_range(from->place);

		json_object_object_add(to, "name", json_object_new_string(from->name));
		json_object_object_add(to, "file_bytes", json_u64(from->file_bytes));
		json_object_object_add(to, "huge_pages", json_u64(from->slots));
		json_object_object_add(to, "huge_pages_in_place", json_u64(from->in_place));
		json_object_object_add(to, "huge_pages_moved", json_u64(from->moved));
		json_object_object_add(to, "huge_pages_relocated", json_u64(from->relocated));
		json_object_array_add(list, to);
	}
	for (i = 0; i < report->notes; i++)
		json_object_array_add(notes, json_object_new_string(report->note[i]));

	json_object_object_add(o, "fast_reloc", json_object_new_boolean(report->fast));
	json_object_object_add(o, "loaded", json_object_new_boolean(report->loaded));
	json_object_object_add(o, "syscall", json_object_new_string(report->by_file || report->through_file_load ? "kexec_file_load" : "kexec_load"));
	json_object_object_add(o, "kernel", json_object_new_string(report->kernel));
	json_object_object_add(o, "boot_entry", report->boot_entry[0] ? json_object_new_string(report->boot_entry) : NULL);
	json_object_object_add(o, "format", json_object_new_string(report->format));
	json_object_object_add(o, "initrd_packed_bytes", report->initrd_packed_bytes ? json_u64(report->initrd_packed_bytes) : NULL);
	json_object_object_add(o, "initrd_unpacked_bytes", report->initrd_packed_bytes ? json_u64(report->initrd_unpacked_bytes) : NULL);
	json_object_object_add(o, "initrd_compression", report->initrd_packed_bytes ? json_object_new_string(report->initrd_compression) : NULL);
	json_object_object_add(o, "objects", list);
	json_object_object_add(o, "device_tree", json_range(report->dtb));
	json_object_object_add(o, "control_segment", json_range(report->control));
	json_object_object_add(o, "page_table_bytes", json_u64(report->table_bytes));
	json_object_object_add(o, "segments", json_u64(report->segments));
	json_object_object_add(o, "segment_bytes", json_u64(report->segment_bytes));
	json_object_object_add(o, "stage", json_object_new_string(report->in_crash_memory ? "crashkernel" : report->staged_bytes ? "hugepages" : "none"));
	json_object_object_add(o, "staged_bytes", json_u64(report->staged_bytes));
	json_object_object_add(o, "huge_pages_tried", json_u64(report->pages_tried));
	json_object_object_add(o, "check", json_object_new_string(report->check));
	json_object_object_add(o, "cpus", json_u64(report->cpus));
	json_object_object_add(o, "console", json_object_new_string(report->console));
	json_object_object_add(o, "load_ms", json_u64(report->load_ms));
	json_object_object_add(o, "notes", notes);
	print_json(o, out);
}
