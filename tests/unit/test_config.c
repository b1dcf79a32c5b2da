/* SPDX-License-Identifier: GPL-2.0-only */
/* kexec.conf: what it fills in, what wins, and what is wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"
#include "build_config.h"
#include "sys_fake.h"

static struct options o;
static char complaint[512];

/* The options of a line of two words at most, and the files. */
static bool apply(const char *one, const char *two, const char *conf, const char *first, const char *second)
{
	char words[4][64] = { "kexec", "-l" };
	char *argv[6] = { words[0], words[1], (char *)(uintptr_t)"K", NULL };
	struct fake *f = fake_new(NULL, 0);
	FILE *err = fmemopen(complaint, sizeof(complaint), "w");
	int argc = 3;
	bool ok;

	memset(complaint, 0, sizeof(complaint));
	if (one)
		argv[argc++] = strcpy(words[2], one);
	if (two)
		argv[argc++] = strcpy(words[3], two);
	argv[argc] = NULL;
	assert_int_equal(options_parse(&o, argc, argv, err, err), OPTIONS_RUN);
	if (conf)
		fake_text(f, "/etc/kexec.conf", conf);
	/* Not in order, and beside files that are none of ours. */
	if (second)
		fake_text(f, "/etc/kexec.conf.d/20-second.conf", second);
	fake_text(f, "/etc/kexec.conf.d/15-old.conf~", "nonsense");
	fake_text(f, "/etc/kexec.conf.d/README", "nonsense");
	if (first)
		fake_text(f, "/etc/kexec.conf.d/10-first.conf", first);
	ok = config_apply(&f->sys, &o, err);
	fclose(err);
	fake_free(f);
	return ok;
}

static void test_fills_in(void **state)
{
	(void)state;
	assert_true(apply(NULL, NULL, NULL, NULL, NULL));
	assert_int_equal(o.request.fast, FAST_NO);
	assert_true(apply(NULL, NULL, "# a comment\n[load]\nfast-reloc = yes\ncheck=sha256\n; another\ncpus = auto\n", NULL, NULL));
	assert_int_equal(o.request.fast, FAST_AUTO);
	assert_int_equal(o.request.check, CHECK_SHA256);
	assert_int_equal(o.request.cpus, CPUS_AUTO);
	assert_true(apply(NULL, NULL, "[load]\nfast-reloc=yes\n", "[load]\nfast-reloc=no\ncpus=2\n", "[load]\nfast-reloc=require\n"));
	assert_int_equal(o.request.fast, FAST_REQUIRE);
	assert_int_equal(o.request.cpus, 2);
	assert_string_equal(complaint, "");
}

static void test_options_win(void **state)
{
	static const char conf[] = "[load]\nfast-reloc = require\ncheck = sha256\ncpus = 4\n";

	(void)state;
	assert_true(apply("--fast-reloc=no", "--cpus=1", conf, NULL, NULL));
	assert_int_equal(o.request.fast, FAST_NO);
	assert_int_equal(o.request.cpus, 1);
	assert_int_equal(o.request.check, CHECK_SHA256);
	assert_true(apply("--check=crc32c", "--fast-reloc", conf, NULL, NULL));
	assert_int_equal(o.request.check, CHECK_CRC32C);
	assert_int_equal(o.request.fast, FAST_AUTO);
	/* What does not go together with the options. */
	assert_true(apply("-s", NULL, conf, NULL, NULL));
	assert_int_equal(o.request.fast, FAST_NO);
	assert_int_equal(o.request.check, CHECK_DEFAULT);
	assert_int_equal(o.request.cpus, 0);
	assert_true(apply("-p", NULL, conf, NULL, NULL));
	assert_int_equal(o.request.fast, FAST_NO);
	assert_int_equal(o.request.check, CHECK_SHA256);
	assert_int_equal(o.request.cpus, 0);
	assert_true(apply("--mem-max=0x100000000", NULL, conf, NULL, NULL));
	assert_int_equal(o.request.fast, FAST_NO);
}

/* Settings never make a staged load that nothing verifies: one of them is left out, and it is said. */
static void test_unchecked(void **state)
{
	static const char fast[] = "[load]\nfast-reloc = yes\n", require[] = "[load]\nfast-reloc = require\n",
			  none[] = "[load]\ncheck = none\n", both[] = "[load]\nfast-reloc = yes\ncheck = none\n";
	static const struct {
		const char *one, *two, *conf;
		enum fast_mode fast;
		enum check_kind check;
		const char *says;	/* null: nothing */
	} cases[] = {
		{ "-i", NULL, fast, FAST_NO, CHECK_NONE, "kexec: note: nothing is staged though /etc/kexec.conf asks for fast-reloc" },
		{ "--check=none", NULL, require, FAST_NO, CHECK_NONE, "nothing is staged" },
		{ "-i", NULL, both, FAST_NO, CHECK_NONE, "nothing is staged" },
		{ "-i", "--force-unchecked", fast, FAST_AUTO, CHECK_NONE, NULL },
		{ "-i", "--fast-reloc=no", fast, FAST_NO, CHECK_NONE, NULL },
		{ "-i", "-s", fast, FAST_NO, CHECK_NONE, NULL },
		{ "-i", "-p", fast, FAST_NO, CHECK_NONE, NULL },
		{ "-i", "--mem-min=1", fast, FAST_NO, CHECK_NONE, NULL },
		{ NULL, NULL, both, FAST_AUTO, CHECK_DEFAULT,
		  "kexec: note: what is loaded is verified though /etc/kexec.conf asks for check = none" },
		{ "--fast-reloc", NULL, none, FAST_AUTO, CHECK_DEFAULT, "is verified though" },
		{ "--fast-reloc=require", NULL, both, FAST_REQUIRE, CHECK_DEFAULT, "is verified though" },
		{ "--check=sha256", NULL, both, FAST_AUTO, CHECK_SHA256, NULL },
		{ "--force-unchecked", NULL, both, FAST_AUTO, CHECK_NONE, NULL },
		{ "--fast-reloc=no", NULL, both, FAST_NO, CHECK_NONE, NULL },
		{ NULL, NULL, none, FAST_NO, CHECK_NONE, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(apply(cases[i].one, cases[i].two, cases[i].conf, NULL, NULL));
		assert_int_equal(o.request.fast, cases[i].fast);
		assert_int_equal(o.request.check, cases[i].check);
		assert_false(options_are_unsafe(&o));
		if (cases[i].says)
			assert_non_null(strstr(complaint, cases[i].says));
		else
			assert_string_equal(complaint, "");
	}
	/* What the file did not say in the end is no preference of it either. */
	assert_true(apply(NULL, NULL, both, NULL, NULL));
	assert_false(o.request.check_is_preference);
}

static void test_wrong(void **state)
{
	char line[256];

	(void)state;
	assert_false(apply(NULL, NULL, "[load]\nfast-reloc = maybe\n", NULL, NULL));
	assert_string_equal(complaint, "kexec: /etc/kexec.conf:2: maybe: fast-reloc is yes, no or require\n");
	assert_false(apply(NULL, NULL, "[load]\n\nspeed = high\n", NULL, NULL));
	assert_non_null(strstr(complaint, "kexec.conf:3: speed: there is no such setting"));
	assert_false(apply(NULL, NULL, "fast-reloc = yes\n", NULL, NULL));
	assert_non_null(strstr(complaint, "there is no such section"));
	assert_false(apply(NULL, NULL, NULL, "[load]\njust words\n", NULL));
	assert_non_null(strstr(complaint, "10-first.conf:2: "));
	/* A crash kernel is loaded all the same. */
	assert_true(apply("-p", NULL, "[load]\ncheck = sha256\nspeed = high\n", NULL, NULL));
	assert_non_null(strstr(complaint, "kexec.conf:3: speed: there is no such setting"));
	assert_non_null(strstr(complaint, "are not used for this crash kernel"));
	assert_int_equal(o.request.check, CHECK_DEFAULT);
	/* Of two, the first. */
	assert_false(apply(NULL, NULL, "[load]\ncpus = x\n\nspeed = high\n", NULL, NULL));
	assert_string_equal(complaint, "kexec: /etc/kexec.conf:2: x: cpus is a number or auto\n");
	/* The parser would take the end of a long comment for a setting. */
	memset(line, 'x', sizeof(line));
	memcpy(line, "[load]\n# ", 9);
	strcpy(line + 7 + 199, "check = none\n");
	assert_false(apply(NULL, NULL, line, NULL, NULL));
	assert_non_null(strstr(complaint, "kexec.conf:2: too long"));
	assert_int_equal(o.request.check, CHECK_DEFAULT);
	assert_false(apply(NULL, NULL, "[load]\nstaging-extra = lots\n", NULL, NULL));
	assert_non_null(strstr(complaint, "lots: staging-extra is a number of percent"));
	assert_true(apply("--staging-extra=7", NULL, "[load]\nstaging-extra = 50\n", NULL, NULL));
	assert_int_equal(o.request.extra_percent, 7);
	assert_true(apply(NULL, NULL, "[load]\nstaging-extra = 50\n", NULL, NULL));
	assert_int_equal(o.request.extra_percent, 50);
	assert_true(apply(NULL, NULL, "[load]\nunpack-initrd = no\n", NULL, NULL));
	assert_int_equal(o.request.unpack_initrd, UNPACK_NO);
	assert_true(apply("--unpack-initrd=auto", NULL, "[load]\nunpack-initrd = yes\n", NULL, NULL));
	assert_int_equal(o.request.unpack_initrd, UNPACK_AUTO);
	assert_true(apply(NULL, NULL, "[load]\nstage = crashkernel\n", NULL, NULL));
	assert_true(o.request.stage == STAGE_CRASH_KERNEL && o.request.fast == FAST_NO);
	assert_true(apply("--stage=hugepages", NULL, "[load]\nfast-reloc = no\nstage = crashkernel\n", NULL, NULL));
	assert_true(o.request.stage == STAGE_HUGE_PAGES && o.request.fast == FAST_AUTO);
	assert_false(apply(NULL, NULL, "[load]\nstage = here\n", NULL, NULL));
	assert_non_null(strstr(complaint, "here: stage is auto, hugepages, crashkernel or none"));
	assert_false(apply(NULL, NULL, "[load]\nunpack-initrd = maybe\n", NULL, NULL));
	assert_non_null(strstr(complaint, "maybe: unpack-initrd is auto, yes or no"));
	assert_false(apply(NULL, NULL, "[load]\ncpus = 0\n", NULL, NULL));
	assert_false(apply(NULL, NULL, "[load]\ncheck =\n", NULL, NULL));
}

/* A build that does not read settings does not load as if there were none. */
static void test_left_out(void **state)
{
	(void)state;
	assert_true(apply(NULL, NULL, NULL, NULL, NULL));
	assert_string_equal(complaint, "");
	assert_false(apply(NULL, NULL, "[load]\n", NULL, NULL));
	assert_non_null(strstr(complaint, "/etc/kexec.conf: this kexec was built without"));
	assert_false(apply(NULL, NULL, NULL, "[load]\n", NULL));
	assert_non_null(strstr(complaint, "/etc/kexec.conf.d: this kexec was built without"));
	assert_true(apply("-p", NULL, "[load]\n", NULL, NULL));
	assert_non_null(strstr(complaint, "not used for this crash kernel"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fills_in),
		cmocka_unit_test(test_options_win),
		cmocka_unit_test(test_unchecked),
		cmocka_unit_test(test_wrong),
	};
	const struct CMUnitTest left_out[] = {
		cmocka_unit_test(test_left_out),
	};

#ifdef WITH_CONFIG
	(void)left_out;
	return cmocka_run_group_tests(tests, NULL, NULL);
#else
	(void)tests;
	print_message("settings were left out: only the complaint is tested\n");
	return cmocka_run_group_tests(left_out, NULL, NULL);
#endif
}
