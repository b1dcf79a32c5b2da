/* SPDX-License-Identifier: GPL-2.0-only */
/* What a load says about itself: facts made up here, text and JSON held against tests/golden/report-*. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden.h"
#include "report.h"

#define HUGE_PAGE	MIB(2)

static struct report r;

/* slots that nothing is said about are relocated by the kernel. */
static void add_object(const char *name, uint64_t pa, uint64_t file_bytes, uint32_t slots, uint32_t in_place, uint32_t moved)
{
	struct report_object *o = &r.object[r.objects++];

	snprintf(o->name, sizeof(o->name), "%s", name);
	o->place = (struct range){ pa, slots * HUGE_PAGE };
	o->file_bytes = file_bytes;
	o->slots = slots;
	o->in_place = in_place;
	o->moved = moved;
	o->relocated = slots - in_place - moved;
	r.staged_bytes += (in_place + moved) * HUGE_PAGE;
}

/* All but the objects. */
static void start(bool fast)
{
	memset(&r, 0, sizeof(r));
	r.fast = fast;
	r.loaded = true;
	r.slot_bytes = HUGE_PAGE;
	strcpy(r.kernel, "/boot/vmlinuz-6.12");
	strcpy(r.format, "vmlinuz, gzip");
	strcpy(r.check, "crc32c");
	strcpy(r.console, "ttyAMA0");
	r.control = (struct range){ 0x7fe00000, 0x2d000 };
	r.dtb = (struct range){ 0x48000000, 0x3400 };
	r.table_bytes = 0x6000;
	r.segments = 2;
	r.segment_bytes = 0x31000;
	r.cpus = 1;
	r.load_ms = 412;
}

/* The JSON, and the text: of a load by kexec_file_load(2) there are only notes to print, see do_load() in main.c. */
static void assert_report(const char *name)
{
	struct golden golden;
	FILE *out = golden_begin(&golden);

	if (!r.by_file) {
		report_table(&r, out);
		fprintf(out, "\n");
		report_sentence(&r, out);
		fprintf(out, "\n");
	}
	report_notes(&r, out);
	golden_end(&golden, "report", name, "txt");
	report_json(&r, golden_begin(&golden));
	golden_end(&golden, "report", name, "json");
}

static void test_all_in_place(void **state)
{
	(void)state;
	start(true);
	add_object("kernel", 0x40200000, 37654321, 19, 19, 0);
	add_object("initrd", 0x60000000, 104857600, 50, 50, 0);
	r.pages_tried = 138;
	assert_report("in-place");
}

static void test_some_moved(void **state)
{
	(void)state;
	start(true);
	add_object("kernel", 0x40200000, 37654321, 19, 12, 7);
	add_object("initrd", 0x60000000, 104857600, 50, 49, 1);
	r.pages_tried = 69;
	r.cpus = 8;
	assert_report("moved");
}

static void test_some_relocated(void **state)
{
	(void)state;
	start(true);
	add_object("kernel", 0x40200000, 37654321, 19, 17, 0);
	add_object("initrd", 0x60000000, 104857600, 50, 40, 6);
	r.pages_tried = 69;
	r.segments = 5;
	r.segment_bytes += 6 * HUGE_PAGE;
	strcpy(r.check, "sha256");
	assert_report("relocated");
}

/* Addresses that need more than ten digits, and less than a KiB. */
static void test_high(void **state)
{
	(void)state;
	start(true);
	add_object("kernel", 0xffffc0200000, 1023, 1, 1, 0);
	r.dtb = (struct range){ 0xffffc8000000, 1 };
	r.loaded = false;	/* --plan */
	assert_report("plan-high");
}

static void test_plain(void **state)
{
	(void)state;
	start(false);
	r.format[0] = '\0';
	add_object("kernel", 0x40200000, 37654321, 19, 0, 0);
	r.segments = 3;
	r.segment_bytes += 37654321;
	assert_report("plain");
}

static void test_file_load(void **state)
{
	(void)state;
	memset(&r, 0, sizeof(r));
	r.by_file = r.loaded = true;
	strcpy(r.kernel, "/boot/vmlinuz-6.12");
	strcpy(r.format, "vmlinuz, gzip");
	strcpy(r.check, "none");
	r.load_ms = 97;
	report_note(&r, "nothing is staged or verified: %s; so it was kexec_file_load", "the kernel's lockdown mode forbids kexec_load");
	assert_report("file-load");
}

static void test_crash(void **state)
{
	(void)state;
	start(false);
	add_object("kernel", 0xf0000000, 37654321, 19, 0, 0);
	add_object("initrd", 0xf4000000, 9437184, 5, 0, 0);
	r.control.start = 0xf7e00000;
	r.dtb.start = 0xf7c00000;
	r.segments = 5;		/* the ELF header, too */
	r.segment_bytes += 37654321 + 9437184 + 4096;
	assert_report("crash");
}

static void test_no_console(void **state)
{
	(void)state;
	start(true);
	add_object("kernel", 0x40200000, 37654321, 19, 19, 0);
	r.console[0] = '\0';
	strcpy(r.check, "none");
	assert_report("no-console");
}

/* As many as there is room for, cut where they are too long; in JSON what has to be escaped is. */
static void test_notes(void **state)
{
	char many[400];
	unsigned int i;

	(void)state;
	start(true);
	add_object("kernel", 0x40200000, 37654321, 19, 0, 0);
	r.segments = 3;
	r.segment_bytes += 37654321;
	report_note(&r, "staging was not possible: %s", "no 2 MiB huge pages to be had; free memory, or load earlier after boot");
	report_note(&r, "the file \"%s\" has an odd name", "a\\b\tc/\xc3\xa9");
	memset(many, 'x', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	report_note(&r, "%s", many);
	for (i = 0; i < REPORT_NOTES; i++)
		report_note(&r, "note %u", i);
	assert_int_equal(r.notes, REPORT_NOTES);
	assert_report("notes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_in_place),
		cmocka_unit_test(test_some_moved),
		cmocka_unit_test(test_some_relocated),
		cmocka_unit_test(test_high),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_file_load),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_no_console),
		cmocka_unit_test(test_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
