/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line, held against what kexec-tools does with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command_line.h"
#include "golden.h"

static void assert_actions(const char *line, bool load, bool exec, bool unload)
{
	runs(line);
	assert_int_equal(o.load, load);
	assert_int_equal(o.exec, exec);
	assert_int_equal(o.unload, unload);
}

/* Actions are changes of state in the order given; the last one wins. */
static void test_order_of_actions(void **state)
{
	(void)state;
	assert_actions("-l K", true, false, false);
	assert_actions("-e", false, true, false);
	assert_actions("-u", false, false, true);
	assert_actions("-f K", true, true, false);
	assert_actions("-l -e", false, true, false);
	assert_actions("-l K -e", false, true, false);
	assert_actions("-e -l K", true, false, false);
	assert_actions("-f -l K", true, false, false);
	assert_actions("-l -u", false, false, true);
	assert_actions("-u -l K", true, false, true);
	/* As upstream: -u undoes neither -e nor -f, which then find nothing loaded. */
	assert_actions("-e -u", false, true, true);
	assert_actions("-f -u", false, true, true);
	assert_actions("-u -e", false, true, true);
	assert_actions("-le", false, true, false);
	assert_actions("-el K", true, false, false);
	assert_actions("--load K", true, false, false);
	assert_actions("--exec", false, true, false);
	assert_actions("--unload", false, false, true);
	assert_actions("--force K", true, true, false);
	assert_actions("K", true, false, false);
}

static void assert_shutdown(const char *line, bool sync, bool ifdown)
{
	runs(line);
	assert_int_equal(o.sync, sync);
	assert_int_equal(o.ifdown, ifdown);
}

static void test_sync_and_ifdown(void **state)
{
	(void)state;
	assert_shutdown("-l K", true, false);
	assert_shutdown("-e", true, true);
	assert_shutdown("-f K", true, true);
	assert_shutdown("-u", false, false);
	assert_shutdown("-e -x", true, false);
	assert_shutdown("-x -e", true, false);
	assert_shutdown("-y -e", false, true);
	assert_shutdown("-e -y -x", false, false);
	assert_shutdown("-u -e", true, true);
	assert_shutdown("-f -u", false, true);
	assert_shutdown("--exec --no-ifdown --no-sync", false, false);
	/* As upstream: what -f said about interfaces stays. */
	assert_shutdown("-f -l K", true, true);
}

static void test_status(void **state)
{
	(void)state;
	runs("-S");
	assert_true(o.status && o.crash_status);
	runs("-l -S");
	assert_true(o.status && !o.crash_status);
	runs("-S -l");
	assert_true(o.status && !o.crash_status);
	runs("--status");
	assert_true(o.status && o.crash_status);
	runs("-S -l -p");
	assert_true(o.crash_status);
	runs("-p -S -l");
	assert_true(o.crash_status);
}

/* systemd: kexec --load K --append O [--initrd I] */
static void test_as_systemd_calls(void **state)
{
	(void)state;
	runs("--load /boot/Image --append root=/dev/vda2 --initrd /boot/initrd.img");
	assert_true(o.load && !o.exec);
	assert_string_equal(o.request.kernel, "/boot/Image");
	assert_string_equal(o.request.cmdline, "root=/dev/vda2");
	assert_string_equal(o.request.initrd[0], "/boot/initrd.img");
	assert_int_equal(o.request.fast, FAST_NO);
	assert_int_equal(o.request.check, CHECK_DEFAULT);
	assert_false(o.request.plan_only || o.request.reuse_cmdline || o.request.no_mmu);
	assert_null(o.request.dtb);
	assert_null(o.request.serial);
	runs("--load /boot/Image --append ~");
	assert_string_equal(o.request.cmdline, "");
	assert_int_equal(o.request.initrds, 0);
}

static void test_positional_anywhere(void **state)
{
	(void)state;
	runs("/boot/Image -l --append=x");
	assert_string_equal(o.request.kernel, "/boot/Image");
	runs("-l --append x /boot/Image --initrd i");
	assert_string_equal(o.request.kernel, "/boot/Image");
	assert_string_equal(o.request.initrd[0], "i");
	runs("-l --append=x -- -e");
	assert_string_equal(o.request.kernel, "-e");
	runs("-l first second");
	assert_string_equal(o.request.kernel, "first");
}

static void test_values(void **state)
{
	(void)state;
	runs("-l K --command-line=a=b --ramdisk=r --dtb=d --serial=ttyAMA0 --reuse-cmdline");
	assert_string_equal(o.request.cmdline, "a=b");
	assert_string_equal(o.request.initrd[0], "r");
	assert_string_equal(o.request.dtb, "d");
	assert_string_equal(o.request.serial, "ttyAMA0");
	assert_true(o.request.reuse_cmdline);
	runs("-l K --append=one --append=two");
	assert_string_equal(o.request.cmdline, "two");
	runs("-l K -d -q --plan --purgatory-no-mmu");
	assert_true(o.debug && o.quiet && !o.json && o.request.plan_only && o.request.no_mmu);
	/* Nothing is done without a word, and nothing undone. */
	refuses("-e --plan");
	refuses("-u --plan");
	refuses("-u -l K --plan");
	runs("-f K --plan");
	runs("-l -c K");
	runs("-l -a K");
	runs("--last");
	assert_true(o.last && !o.json);
}

/* A build without JSON says so, and does not print something else. */
static void test_json(void **state)
{
	(void)state;
#ifdef WITH_JSON
	runs("-l K -d -q --json --plan");
	assert_true(o.json && o.request.plan_only);
	runs("--last --json");
	assert_true(o.last && o.json);
	runs("--staged --json -d");
	assert_true(o.staged && o.json && o.debug);
	runs("--fast-reloc --load --json --boot-entry=debian");
	assert_true(o.boot_entry && o.json);
	runs("--list-boot-entries --json");
	assert_true(o.list_entries && o.json);
#else
	refuses("--last --json");
	assert_non_null(strstr(err_text_of, "--json: this kexec was built without it"));
#endif
}

static void test_abbreviations(void **state)
{
	(void)state;
	runs("--load K --app x --init i --reuse-c --dt d --mem-ma 0x1000");
	assert_true(o.load && o.request.reuse_cmdline);
	assert_string_equal(o.request.cmdline, "x");
	assert_string_equal(o.request.initrd[0], "i");
	runs("-l K --fast");
	assert_int_equal(o.request.fast, FAST_AUTO);
	runs("--unl");
	assert_true(o.unload);
	refuses("--lo K");	/* --load, --load-panic, ... */
	/* What only kexec-tools' options begin with in kexec-tools, though ours begin so, too. */
	runs("-l K --c=x --no-c");
	assert_string_equal(o.request.cmdline, "x");
	assert_int_equal(o.request.check, CHECK_NONE);
	runs("--p");
	assert_true(o.print_ckr_size);
	runs("--f K");
	assert_true(o.load && o.exec);
	runs("--forc K");
	assert_true(o.load && o.exec);
	runs("-l K --check=none --chec=sha256");
	assert_int_equal(o.request.check, CHECK_SHA256);
	refuses("-l K --no");
}

static void test_fast_reloc(void **state)
{
	(void)state;
	runs("-l K --fast-reloc");
	assert_int_equal(o.request.fast, FAST_AUTO);
	runs("--fast-reloc -l K");
	assert_string_equal(o.request.kernel, "K");
	runs("--fast-reloc=require -l K");
	assert_int_equal(o.request.fast, FAST_REQUIRE);
	runs("--fast-reloc=no -l K");
	assert_int_equal(o.request.fast, FAST_NO);
	refuses("--fast-reloc=maybe -l K");
	assert_non_null(strstr(err_text_of, "maybe"));
	refuses("--fast-reloc= -l K");
	refuses("--fast-reloc=required -l K");
}

static void test_extra(void **state)
{
	(void)state;
	runs("-l K");
	assert_false(o.request.extra_given);
	runs("-l K --staging-extra=0");
	assert_true(o.request.extra_given);
	assert_int_equal(o.request.extra_percent, 0);
	runs("-l K --staging-extra 1000");
	assert_int_equal(o.request.extra_percent, 1000);
	refuses("-l K --staging-extra=1001");
	refuses("-l K --staging-extra=-1");
	refuses("-l K --staging-extra=50%");
	refuses("-l K --staging-extra=");
	refuses("-l K --staging-extra");
}

static void test_stage(void **state)
{
	(void)state;
	runs("-l K");
	assert_int_equal(o.request.stage, STAGE_AUTO);
	/* To say where is to ask for it. */
	runs("-l K --stage=crashkernel");
	assert_true(o.request.stage == STAGE_CRASH_KERNEL && o.request.fast == FAST_AUTO);
	runs("-l K --stage hugepages --fast-reloc=require");
	assert_true(o.request.stage == STAGE_HUGE_PAGES && o.request.fast == FAST_REQUIRE);
	refuses("-l K --stage=crashkernel --fast-reloc=no");
	runs("-l K --stage=auto --fast-reloc=no");
	runs("-l K --stage=none");
	assert_true(o.request.stage == STAGE_NONE && o.request.fast == FAST_NO);
	refuses("-l K --stage=none --fast-reloc=require");
	refuses("-p K --stage=crashkernel");
	refuses("-l K --stage=crashkernel --mem-min=4096");
	refuses("-l K --stage=memory");
	assert_non_null(strstr(err_text_of, "auto, hugepages, crashkernel or none"));
	refuses("-l K --stage");
}

static void test_cpus(void **state)
{
	(void)state;
	runs("-l K");
	assert_int_equal(o.request.cpus, 0);
	runs("-l K --cpus=1");
	assert_int_equal(o.request.cpus, 1);
	runs("-l K --cpus 16");
	assert_int_equal(o.request.cpus, 16);
	runs("-l K --cpus=4 --cpus=auto");
	assert_int_equal(o.request.cpus, CPUS_AUTO);
	refuses("-l K --cpus=0");
	refuses("-l K --cpus=-1");
	refuses("-l K --cpus= 2");
	refuses("-l K --cpus=2x");
	refuses("-l K --cpus=");
	refuses("-l K --cpus=99999999999999999999");
	refuses("-l K --cpus=automatic");
	refuses("-l K --cpus");
}

static void test_actions_of_kexec_tools(void **state)
{
	(void)state;
	/* The last one wins, and each leaves something behind. */
	runs("-p K");
	assert_true(o.load && o.request.crash && !o.exec && !o.shutdown && !o.sync);
	runs("-p -u");
	assert_true(o.unload && !o.load && o.request.crash);
	runs("-u -p K");
	assert_true(o.unload && o.load && o.request.crash);
	runs("-l -e");
	assert_true(o.exec && !o.load);
	runs("-e -l K");
	assert_true(o.load && !o.exec);
	runs("-f -x -y K");
	assert_true(o.load && o.exec && !o.sync && !o.ifdown);
	runs("-S -p");
	assert_true(o.status && o.crash_status);
	runs("-l K");
	assert_int_equal(o.request.syscall, SYSCALL_AUTO);
	runs("-s -l K");
	assert_int_equal(o.request.syscall, SYSCALL_FILE);
	runs("-s -c -l K");
	assert_int_equal(o.request.syscall, SYSCALL_LOAD);
	runs("-c -a -l K --no-cma");
	assert_int_equal(o.request.syscall, SYSCALL_AUTO);
	assert_true(o.request.no_cma);
	runs("-l K --mem-min=0x40000000 --mem-max 1073741825 --entry=010");
	assert_int_equal(o.request.mem_min, 0x40000000);
	assert_int_equal(o.request.mem_max, 1073741825);
	assert_int_equal(o.request.entry, 8);
	refuses("-l K --mem-min=12x");
	assert_string_equal(err_text_of, "Bad option value in --mem-min=12x\n");
	runs("-l K --mem-max=");
	runs("-l K --mem-min=5 --mem-max=5");	/* the load finds no room there */
	runs("-l K --mem-max=0");
	assert_int_equal(o.request.mem_max, 1);
	runs("--print-ckr-size");
	assert_true(o.print_ckr_size);
	runs("-t uImage -l K");
	assert_string_equal(o.request.type, "uImage");
	runs("--type=zImage -l K");	/* judged when the kernel is loaded */
	runs("-l K --initrd=a --ramdisk b");
	assert_int_equal(o.request.initrds, 2);
	assert_string_equal(o.request.initrd[1], "b");
	runs("-l K --reuseinitrd");
	assert_string_equal(o.request.initrd[0], "/sys/firmware/initrd");
	/* What arm64 has not, and what does not go together. */
	refuses("--load-preserve-context K");
	assert_string_equal(err_text_of, "kexec: --load-preserve-context is nothing that arm64 has\n");
	refuses("--hotplug K");
	refuses("-p --fast-reloc K");
	assert_non_null(strstr(err_text_of, "never relocated"));
	refuses("-l --fast-reloc --mem-max=0x100000000 K");
}

static void test_check(void **state)
{
	(void)state;
	runs("-l K --check=none");
	assert_int_equal(o.request.check, CHECK_NONE);
	runs("-l K --check crc32c");
	assert_int_equal(o.request.check, CHECK_CRC32C);
	runs("-l K --check=sha256");
	assert_int_equal(o.request.check, CHECK_SHA256);
	runs("-l K -i");
	assert_int_equal(o.request.check, CHECK_NONE);
	runs("-l K --no-checks --check=sha256");
	assert_int_equal(o.request.check, CHECK_SHA256);
	refuses("-l K --check=md5");
	assert_non_null(strstr(err_text_of, "md5"));
	refuses("-l K --check=");
	refuses("-l K --check");
}

/* What is staged must be verified, unless somebody insists. */
static void test_unchecked(void **state)
{
	static const char *const refused[] = {
		"-l K --fast-reloc --check=none", "-i -l --fast-reloc=require K", "-f K -i --fast-reloc", "K -i --fast-reloc",
		"-l K --plan --fast-reloc -i",
	};
	static const char *const fine[] = {
		"-l K -i", "-l K --check=none --fast-reloc=no", "-p K -i", "-l K --fast-reloc --no-checks --check=crc32c",
		"-e -i --fast-reloc",
		"-l K --fast-reloc=require --check=none --force-unchecked", "-l K --force-unchecked",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		refuses(refused[i]);
		assert_string_equal(out_text, "");
		assert_string_equal(err_text_of,
				    "kexec: --fast-reloc does not go with --check=none or -i: staged memory could have been taken away "
				    "since the load, and then the jump goes into random memory; leave out --check=none, or add "
				    "--force-unchecked, or --fast-reloc=no\n");
	}
	for (i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		runs(fine[i]);
		assert_false(options_are_unsafe(&o));
	}
	runs("-l K --force-unchecked");
	assert_true(o.request.force_unchecked);
	runs("-l K");
	assert_false(o.request.force_unchecked);
}

/* The option is named as it was written, with the reason; whatever else is said makes no difference. */
static void test_what_file_load_cannot(void **state)
{
	static const struct {
		const char *line, *says;	/* null: it can */
	} cases[] = {
		{ "-l K", NULL },
		{ "-l K -i --append=x --initrd=i --no-cma -t Image --reuse-cmdline", NULL },
		{ "-l K --check=none --fast-reloc=no --staging-extra=5", NULL },
		{ "-l K --fast-reloc", "--fast-reloc (that call stages nothing)" },
		{ "-l K --plan", "--plan (there the kernel chooses the places)" },
		{ "-l K --check=crc32c", "--check (it starts the kernel without purgatory, which verifies)" },
		{ "-l K --check=sha256", "--check (it starts the kernel without purgatory, which verifies)" },
		{ "-l K --unpack-initrd=auto", NULL },
		{ "-l K --unpack-initrd", "--unpack-initrd (it takes the files as they are)" },
		{ "-l K --cpus=1", "--cpus (it starts the kernel without purgatory, which verifies)" },
		{ "-l K --dtb=d", "--dtb (it takes no device tree)" },
		{ "-l K --mem-min=1", "--mem-min (there the kernel chooses the places)" },
		{ "-l K --mem-max=0", "--mem-max (there the kernel chooses the places)" },
		{ "-l K --entry=1", "--entry (there the kernel chooses where to jump)" },
		{ "-l K --serial=ttyS0", "--serial (it starts the kernel without purgatory, which would write there)" },
		{ "-l K --purgatory-no-mmu", "--purgatory-no-mmu (it starts the kernel without purgatory)" },
	};
	const char *says;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		runs(cases[i].line);
		says = request_excludes_file_load(&o.request);
		assert_string_equal(says ? says : "", cases[i].says ? cases[i].says : "");
	}
}

/* Usage goes to stdout, as upstream has it. */
static void test_unknown_options(void **state)
{
	static const char *const lines[] = {
		"--frobnicate", "-l K --frobnicate", "-Z", "-l --append", "--no-c=1 K", "--no", "--load=K",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		refuses(lines[i]);
		assert_non_null(strstr(out_text, "Usage: kexec"));
	}
}

static void test_no_kernel(void **state)
{
	static const char *const lines[] = { "", "-l", "-e -l", "-f", "-e" };
	size_t i;

	(void)state;
	/* A matter of the load, which may come after something else. */
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		runs(lines[i]);
		assert_null(o.request.kernel);
	}
}

static void test_version_and_help(void **state)
{
	(void)state;
	assert_int_equal(parse("-v"), OPTIONS_DONE);
	assert_int_equal(strncmp(out_text, "kexec-tools ", 12), 0);
	assert_int_equal(out_text[strlen(out_text) - 1], '\n');
	assert_int_equal(parse("--version"), OPTIONS_DONE);
	assert_int_equal(parse("-l -v"), OPTIONS_DONE);
	assert_int_equal(parse("-h"), OPTIONS_DONE);
	assert_int_equal(strncmp(out_text, "Usage: kexec", 12), 0);
	assert_non_null(strstr(out_text, "--fast-reloc"));
	assert_string_equal(err_text_of, "");
	assert_null(strstr(out_text, "purgatory-no-mmu"));
	assert_null(strstr(out_text, "(null)"));
	assert_golden("help.txt", out_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_of_actions),
		cmocka_unit_test(test_sync_and_ifdown),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_as_systemd_calls),
		cmocka_unit_test(test_positional_anywhere),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_abbreviations),
		cmocka_unit_test(test_fast_reloc),
		cmocka_unit_test(test_actions_of_kexec_tools),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_extra),
		cmocka_unit_test(test_stage), cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_unchecked),
		cmocka_unit_test(test_what_file_load_cannot),
		cmocka_unit_test(test_unknown_options),
		cmocka_unit_test(test_no_kernel),
		cmocka_unit_test(test_version_and_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
