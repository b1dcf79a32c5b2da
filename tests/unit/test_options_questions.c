/* SPDX-License-Identifier: GPL-2.0-only */
/* Options of our own that ask or name something: the doctor, what is staged, boot entries, metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "build_config.h"
#include "command_line.h"
#include "err.h"

/* Of a load that stages, whether or not a kernel is named; what such a load refuses is refused here. */
static void test_doctor(void **state)
{
	static const char *const refused[] = { "--doctor -l K", "-e --doctor", "--doctor -u", "-f --doctor K", "--doctor --plan K", "--doctor --last" };
	size_t i;

	(void)state;
	runs("--doctor");
	assert_true(o.doctor && !o.request.kernel && o.request.fast == FAST_AUTO && o.fast_given);
	runs("--doctor K --initrd=I --fast-reloc=require");
	assert_true(o.doctor && o.request.initrds == 1 && o.request.fast == FAST_REQUIRE);
	assert_string_equal(o.request.kernel, "K");
#ifdef WITH_JSON
	runs("--doctor --json");
	assert_true(o.doctor && o.json);
#endif
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		refuses(refused[i]);
		assert_non_null(strstr(err_text_of, "no other action"));
	}
	refuses("--doctor -i K");
	refuses("--doctor --staged");
	runs("-l K");
	assert_true(!o.doctor && o.request.fast == FAST_NO);
}

static void asks(const char *line, bool staged, enum verify_staged verify, enum heal_staged heal)
{
	runs(line);
	assert_int_equal(o.staged, staged);
	assert_int_equal(o.verify_staged, verify);
	assert_int_equal(o.heal_staged, heal);
	assert_false(o.load || o.exec || o.unload || o.shutdown || o.sync);
}

/* Questions about what was loaded before, and nothing besides. */
static void test_staged(void **state)
{
	static const char *const refused[] = {
		"--staged -l K", "--staged K", "-f K --staged", "-e --staged", "--staged -u", "-p K --staged", "--staged --last",
		"-S --staged", "--staged --print-ckr-size", "--staged --plan", "--staged --verify-staged", "--staged --heal-staged",
		"--verify-staged --heal-staged", "--verify-staged -l K", "--verify-staged -e", "--heal-staged -l K", "--heal-staged -e",
	};
	size_t i;

	(void)state;
	asks("--staged", true, VERIFY_NONE, HEAL_NONE);
	asks("--staged -d", true, VERIFY_NONE, HEAL_NONE);
	assert_true(!o.json && o.debug);
	asks("--verify-staged", false, VERIFY_ALL, HEAL_NONE);
	asks("--verify-staged=all", false, VERIFY_ALL, HEAL_NONE);
	asks("--verify-staged=quick -q", false, VERIFY_QUICK, HEAL_NONE);
	asks("--heal-staged", false, VERIFY_NONE, HEAL_NOW);
	asks("--heal-staged=now", false, VERIFY_NONE, HEAL_NOW);
	asks("--heal-staged=shutdown -q", false, VERIFY_NONE, HEAL_SHUTDOWN);
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		refuses(refused[i]);
		assert_non_null(strstr(err_text_of, "no other action"));
	}
	refuses("--verify-staged=slow");
	assert_string_equal(err_text_of, "kexec: --verify-staged=slow is unknown; it is --verify-staged, --verify-staged=all or "
					 "--verify-staged=quick\n");
	refuses("--verify-staged=");
	refuses("--heal-staged=reboot");
	assert_string_equal(err_text_of, "kexec: --heal-staged=reboot is unknown; it is --heal-staged, --heal-staged=now or "
					 "--heal-staged=shutdown\n");
	refuses("--heal-staged=");
	runs("-l K");
	assert_false(o.staged || o.heal_staged != HEAL_NONE || o.verify_staged != VERIFY_NONE);
	/* What was short for an option of kexec-tools still is. */
	runs("--sta");
	assert_true(o.status);
	assert_int_equal(parse("--ver"), OPTIONS_DONE);
	assert_int_equal(parse("--he"), OPTIONS_DONE);
}

/* The kernel is a boot entry's, or it is named: not both. */
static void test_boot_entry(void **state)
{
	(void)state;
	runs("-l --boot-entry");
	assert_true(o.boot_entry && o.load && !o.shutdown);
	assert_null(o.entry_name);
	runs("--fast-reloc --load --boot-entry=debian");
	assert_true(o.boot_entry);
	assert_string_equal(o.entry_name, "debian");
	runs("-l --boot-entry=");
	assert_null(o.entry_name);
	refuses("-l --boot-entry K");
	assert_string_equal(err_text_of, "kexec: --boot-entry names the kernel already; leave out K, or write --boot-entry=NAME\n");
	runs("--list-boot-entries");
	assert_true(o.list_entries && !o.json);
	refuses("--staged --list-boot-entries");
}

static void test_prometheus(void **state)
{
	(void)state;
	runs("--last --prometheus");
	assert_true(o.last && o.prometheus);
	runs("--staged --prometheus");
	assert_true(o.staged && o.prometheus);
	refuses("--verify-staged --prometheus");
	refuses("--staged --prometheus --json");
	runs("--last --svg=x");
	assert_string_equal(o.svg, "x");
	refuses("--svg=x");
	refuses("--svg=x -l K");
	runs("--stamp=asked");
	assert_true(o.stamp_asked && !o.load);
	refuses("--stamp=other");
	refuses("--stamp=asked -l K");
	refuses("--prometheus");
	refuses("--prometheus -l K");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doctor),
		cmocka_unit_test(test_staged),
		cmocka_unit_test(test_boot_entry),
		cmocka_unit_test(test_prometheus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
