/* SPDX-License-Identifier: GPL-2.0-only */
/* The whole reboot on one clock: the files in tests/golden, by name; UPDATE_GOLDEN=1 writes them anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"
#include "golden.h"
#include "purgatory_abi.h"
#include "report.h"
#include "sys_fake.h"
#include "this_boot.h"

#define HZ	62500000
#define MS(n)	((n) * (uint64_t)(HZ / 1000))

static unsigned char record[PURG_T_CELLS * 8];
static size_t record_bytes;
static struct reboot reboot;

static void set(enum purg_timeline_cell cell, uint64_t value)
{
	store_be(record + cell * 8, value, 8);
}

/* A machine that had been up for long. */
#define ORIGIN	MS(86400000ull)

static void begin(void)
{
	memset(record, 0, sizeof(record));
	set(PURG_T_MAGIC, (uint64_t)PURG_TIMELINE_MAGIC << 32 | PURG_TIMELINE_VERSION);
	set(PURG_T_RESULT, PURG_RESULT_VERIFIED);
	set(PURG_T_HZ, HZ);
	set(PURG_T_ASKED, ORIGIN);
	set(PURG_T_STOPPED, ORIGIN + MS(2500));
	set(PURG_T_JUMP, ORIGIN + MS(2750));
	set(PURG_T_ENTRY, ORIGIN + MS(3250));
	set(PURG_T_MMU_ON, ORIGIN + MS(3251));
	set(PURG_T_DONE, ORIGIN + MS(3300));
}

/* 30 seconds after this kernel's clock started, which was 40 ms after purgatory's end. */
static struct reboot_now now(void)
{
	return (struct reboot_now){
		.counter = ORIGIN + MS(3340 + 30000), .boot_ns = 30000000000, .init_us = 800000, .root_us = 2100000, .target_us = 6600000,
	};
}

static void print_json_of(const struct reboot *what, FILE *out)
{
	timeline_json(record, record_bytes, what, out);
}

static void assert_told(const char *name, const struct reboot_now *at, size_t bytes)
{
	static const struct { const char *ending; void (*print)(const struct reboot *what, FILE *out); } ways[] = {
		{ "txt", reboot_text }, { "prom", reboot_prometheus }, { "json", print_json_of },
	};
	size_t i;

	record_bytes = bytes;
	assert_true(reboot_make(&reboot, record, bytes, at));
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct golden golden;

		ways[i].print(&reboot, golden_begin(&golden));
		golden_end(&golden, "reboot", name, ways[i].ending);
	}
}

static void test_all_known(void **state)
{
	struct reboot_now at = now();
	struct golden golden;

	(void)state;
	begin();
	assert_told("whole", &at, sizeof(record));
	reboot_svg(&reboot, golden_begin(&golden));
	golden_end(&golden, "reboot", "whole", "svg");
}

/* No systemd; the log is gone; a record of an older version; nothing but purgatory. */
static void test_parts(void **state)
{
	struct reboot_now at = now();

	(void)state;
	begin();
	at.root_us = at.target_us = 0;
	assert_told("no-systemd", &at, sizeof(record));
	at = now();
	at.init_us = 0;
	assert_told("no-log", &at, sizeof(record));
	at = now();
	assert_told("version-4", &at, PURG_T_ASKED * 8);
	at = (struct reboot_now){ 0 };
	assert_told("purgatory-alone", &at, PURG_T_ASKED * 8);
	set(PURG_T_STOPPED, 0);
	at = now();
	assert_told("no-hook", &at, sizeof(record));
}

/* CLOCK_BOOTTIME has lost two seconds of ticks; the log's clock has not. */
static void test_lost_ticks(void **state)
{
	struct reboot_now at = now();

	(void)state;
	begin();
	at.boot_ns -= 2000000000;
	at.init_us = 2800000;
	at.root_us = 2100000;
	at.log_counter = at.counter;
	at.log_ns = 30000000000;
	assert_told("lost-ticks", &at, sizeof(record));
	at.log_ns = 0;
	at.boot_ns = 1000000000;
	at.root_us = at.target_us = 0;
	assert_told("lost-ticks-unknown", &at, sizeof(record));
}

/* Counters that do not go on, and stamps of something else. */
static void test_other_clocks(void **state)
{
	struct reboot_now at = now();

	(void)state;
	begin();
	at.counter = MS(30000 + 12);
	assert_told("counter-reset", &at, sizeof(record));
	at = now();
	at.counter += MS(3600000);
	assert_told("counter-moved", &at, sizeof(record));
	at = now();
	/* The request came after the jump: of another load. Userspace before /init: nonsense. */
	set(PURG_T_ASKED, ORIGIN + MS(5000));
	at.root_us = 1000;
	assert_told("disorder", &at, sizeof(record));
	at.counter = UINT64_MAX;
	at.boot_ns = UINT64_MAX;
	at.init_us = at.root_us = at.target_us = UINT64_MAX;
	(void)reboot_make(&reboot, record, sizeof(record), &at);
	set(PURG_T_HZ, 0);
	assert_false(reboot_make(&reboot, record, sizeof(record), &at));
	begin();
	set(PURG_T_DONE, 1);
	assert_false(reboot_make(&reboot, record, sizeof(record), &at));
	assert_false(reboot_make(&reboot, record, 16, &at));
	assert_false(reboot_make(&reboot, NULL, 0, &at));
}

static void test_this_boot(void **state)
{
	struct fake *f = fake_new(NULL, 0);
	struct reboot_now at;

	(void)state;
	f->counter = 1000000;
	f->boot_ns = 5000;
	f->init_us = 123;
	f->systemctl = "UserspaceTimestampMonotonic=456\nFinishTimestampMonotonic=0\n";
	this_boot_read(&at, &f->sys);
	assert_int_equal(at.counter, 1001000);
	assert_int_equal(at.boot_ns, 5000);
	assert_int_equal(at.init_us, 123);
	assert_int_equal(at.root_us, 456);
	assert_int_equal(at.target_us, 0);
	assert_int_equal(at.log_ns, 0);
	f->log_ns = 77;
	this_boot_read(&at, &f->sys);
	assert_int_equal(at.log_ns, 77);
	assert_int_equal(at.log_counter, 1001000);
	f->systemctl = NULL;
	f->init_us = 0;
	this_boot_read(&at, &f->sys);
	assert_int_equal(at.init_us | at.root_us | at.target_us, 0);
	fake_free(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_known),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_lost_ticks),
		cmocka_unit_test(test_other_clocks),
		cmocka_unit_test(test_this_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
