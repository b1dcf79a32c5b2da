/* SPDX-License-Identifier: GPL-2.0-only */
/* What --staged and --verify-staged say: facts made up here, text and JSON held against tests/golden/staged-*. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "golden.h"
#include "staged_report.h"

static struct staged_status example(void)
{
	return (struct staged_status){
		.staged = true, .loaded = true, .counted = true, .certain = true,
		.check = { .truth = STAGED_TRUE, .pages = 24, .ms = 3 },
		.made_at = 1700000000, .pid = 4711, .staged_bytes = MIB(48), .backend = "huge pages", .format = "uki, zstd",
		.cmdline = "root=/dev/vda2 quiet", .control_pa = 0x6e000000, .files = 2,
		.file = { { "/boot/vmlinuz-6.12", 12345678, false }, { "/boot/initrd.img-6.12", 23456789, true } },
	};
}

static void hold(const char *name, const struct staged_status *status)
{
	struct golden golden;
	FILE *out = golden_begin(&golden);

	staged_text(status, out);
	staged_check_text(&status->check, out);
	golden_end(&golden, "staged", name, "txt");
	staged_prometheus(status, golden_begin(&golden));
	golden_end(&golden, "staged", name, "prom");
	staged_json(status, golden_begin(&golden));
	golden_end(&golden, "staged", name, "json");
}

static void test_true(void **state)
{
	struct staged_status s = example();

	(void)state;
	hold("true", &s);
	s.certain = false;
	s.check.digested_bytes = 35802467;
	hold("uncertain", &s);
}

static void test_not_true(void **state)
{
	struct staged_status s = example();

	(void)state;
	s.check.truth = STAGED_MOVED;
	s.check.moved = 3;
	hold("moved", &s);
	s.check.moved = 0;
	s.at_work = true;
	hold("interrupted", &s);
	s.check.truth = STAGED_DAMAGED;
	strcpy(s.check.why, "the memory at 0x6e200000 has failed");
	hold("damaged", &s);
}

static void test_nothing(void **state)
{
	struct staged_status s = example();

	(void)state;
	s.counted = false;
	hold("anothers", &s);
	s.loaded = false;
	hold("unloaded", &s);
	s = (struct staged_status){ .check = { .truth = STAGED_NOTHING } };
	hold("nothing", &s);
	/* Taken away together with its ledger. */
	s = (struct staged_status){ .staged = true, .loaded = true, .counted = true, .check = { .truth = STAGED_DAMAGED } };
	strcpy(s.check.why, "the memory that was staged has been taken away");
	hold("lost", &s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_true),
		cmocka_unit_test(test_not_true),
		cmocka_unit_test(test_nothing),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
