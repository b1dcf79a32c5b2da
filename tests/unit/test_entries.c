/* SPDX-License-Identifier: GPL-2.0-only */
/* Boot entries of the Boot Loader Specification, UKIs and /etc/default/kexec: which one is the default, and what a load of one asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "entries_machine.h"

/* In ascending order, by the rules of the specification's version format: where one has a number and the other a letter, the letter counts
   as 0. */
static void test_versions(void **state)
{
	static const char *const order[] = {
		"~", "", "0", "A", "B", "a", "ab", "b", "1~rc1", "1", "1-1", "1^1", "1.0~1", "1.0", "1.0-1", "1.0^a", "1.0.1", "1.0a", "1.1", "1.9", "1.10", "6.1.0-9-arm64",
		"6.1.0-10-arm64", "6.12.48+deb13-arm64", "6.12.107+deb13-arm64", "10", "123456789012345678901234567890",
		"123456789012345678901234567891",
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		for (j = 0; j < sizeof(order) / sizeof(order[0]); j++) {
			int want = i < j ? -1 : i > j, got = entry_version_compare(order[i], order[j]);

			if (got != want)
				fail_msg("%s against %s: %d, not %d", order[i], order[j], got, want);
		}
	/* Leading zeros and what only separates. */
	assert_int_equal(entry_version_compare("1.001", "1.1"), 0);
	assert_int_equal(entry_version_compare("1_2", "1+2"), 0);
}

static void test_bls(void **state)
{
	(void)state;
	begin();
	fake_text(f, "/efi/loader/entries/m-6.1.conf", "title Debian\nversion 6.1\nsort-key debian\nmachine-id m\nlinux /m/6.1/linux\n"
						      "initrd /m/6.1/initrd\noptions root=/dev/vda2\noptions   quiet  \n");
	fake_text(f, "/efi/loader/entries/m-6.12.conf", "# comment\ntitle Debian\nversion 6.12\nsort-key debian\nmachine-id m\nlinux m/6.12/linux\n"
						       "initrd /m/ucode\ninitrd /m/6.12/initrd\noptions root=/dev/vda2\nunknown key\n");
	fake_text(f, "/efi/loader/entries/m-7.0+0-3.conf", "title Debian\nversion 7.0\nsort-key debian\nlinux /m/6.1/linux\n");
	fake_text(f, "/efi/loader/entries/x86.conf", "title x\narchitecture x64\nlinux /m/6.1/linux\n");
	fake_text(f, "/efi/loader/entries/gone.conf", "title gone\nsort-key a\nlinux /m/none\n");
	fake_text(f, "/efi/EFI/Linux/big.efi", "MZ");
	file("/efi/m/6.1/linux");
	file("/efi/m/6.1/initrd");
	file("/efi/m/6.12/linux");
	file("/efi/m/6.12/initrd");
	file("/efi/m/ucode");
	read_all();
	assert_int_equal(all.count, 5);
	is_default("gone.conf");
	assert_string_equal(all.entry[0].broken, "there is no /m/none");
	assert_int_equal(ask(NULL), KX_ENTRY_BROKEN);
	assert_string_equal(all.entry[1].id, "m-6.12.conf");
	assert_string_equal(all.entry[4].id, "m-7.0.conf");
	assert_int_equal(ask("m-6.12"), KX_OK);
	assert_string_equal(request.kernel, "/efi/m/6.12/linux");
	assert_string_equal(request.initrd[1], "/efi/m/6.12/initrd");
	request = (struct load_request){ 0 };
	assert_int_equal(ask("m-6.1"), KX_OK);
	assert_string_equal(request.cmdline, "root=/dev/vda2 quiet");
	assert_int_equal(ask("Debian"), KX_ENTRY_AMBIGUOUS);
	request = (struct load_request){ 0 };
	assert_int_equal(ask("6.12"), KX_OK);
	/* A UKI brings its own command line. */
	request = (struct load_request){ 0 };
	assert_int_equal(ask("big"), KX_OK);
	assert_string_equal(request.kernel, "/efi/EFI/Linux/big.efi");
	assert_null(request.cmdline);
	assert_false(request.reuse_cmdline);
	end();
}

static void add_two(void)
{
	begin();
	fake_text(f, "/boot/loader/entries/a.conf", "title A\nlinux /k\n");
	fake_text(f, "/boot/loader/entries/b+3.conf", "title B\nlinux /boot/k\ninitrd /i\noptions tail $x\n");
	file("/boot/k");
	file("/boot/i");
}

static void efi_variable(const char *name, const char *text)
{
	char path[128], value[128] = { 7 };
	size_t i;

	for (i = 0; i <= strlen(text); i++)
		value[4 + 2 * i] = text[i];
	snprintf(path, sizeof(path), "/sys/firmware/efi/efivars/%s-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", name);
	fake_file(f, path, value, 4 + 2 * i);
}

static void test_bls_default(void **state)
{
	(void)state;
	add_two();
	read_all();
	is_default("b.conf");
	assert_int_equal(ask(NULL), KX_OK);
	/* Without boot as a file system of its own; and no variable outside GRUB. */
	assert_string_equal(request.kernel, "/boot/k");
	assert_string_equal(request.cmdline, "tail $x");
	request = (struct load_request){ .cmdline = "more" };
	assert_int_equal(ask("a"), KX_OK);
	assert_string_equal(request.cmdline, "more");
	end();
	add_two();
	fake_text(f, "/boot/loader/loader.conf", "timeout 3\ndefault a*\n");
	read_all();
	is_default("a.conf");
	end();
	add_two();
	fake_text(f, "/boot/loader/loader.conf", "default @saved\n");
	efi_variable("LoaderEntryLastBooted", "a.conf");
	read_all();
	is_default("a.conf");
	end();
	/* A one-shot entry, as systemctl reboot --boot-loader-entry= sets it; boot counting goes on meanwhile. */
	add_two();
	fake_text(f, "/boot/loader/loader.conf", "default a.conf\n");
	efi_variable("LoaderEntryOneShot", "b+4.conf");
	read_all();
	is_default("b.conf");
	end();
	/* The last one that was started, by whatever way that is said; what is in no file; and what names none. */
	add_two();
	efi_variable("LoaderEntryDefault", "@saved");
	efi_variable("LoaderEntryLastBooted", "a.conf");
	read_all();
	is_default("a.conf");
	end();
	add_two();
	fake_text(f, "/boot/loader/loader.conf", "default auto-windows\n");
	read_all();
	assert_int_equal(ask(NULL), KX_ENTRY_UNDECIDED);
	end();
	add_two();
	efi_variable("LoaderEntryOneShot", "auto-reboot-to-firmware-setup");
	read_all();
	assert_int_equal(ask(NULL), KX_ENTRY_UNDECIDED);
	end();
	add_two();
	fake_text(f, "/boot/loader/loader.conf", "default \"a.conf\"\ndefault @nope\n");
	read_all();
	is_default("a.conf");
	end();
	add_two();
	fake_text(f, "/boot/loader/loader.conf", "default a\n");
	read_all();
	is_default("b.conf");
	end();
	/* What was chosen and cannot be loaded is not replaced by what can. */
	add_two();
	fake_text(f, "/boot/loader/entries/c.conf", "linux /gone\n");
	efi_variable("LoaderEntryOneShot", "c.conf");
	read_all();
	is_default("c.conf");
	assert_int_equal(ask(NULL), KX_ENTRY_BROKEN);
	end();
	/* If none can be loaded they are leftovers. */
	script(TWO, NULL, NULL);
	fake_text(f, "/boot/loader/entries/c.conf", "linux /gone\n");
	efi_variable("LoaderInfo", "systemd-boot 257.8");
	entries_free(&all);
	read_all();
	is_default("a");
	end();
	/* Both boot loaders' files are there: it is GRUB's menu, unless another one says that it was it. */
	script(TWO, NULL, NULL);
	fake_text(f, "/boot/loader/entries/c.conf", "linux /a\n");
	entries_free(&all);
	read_all();
	is_default("a");
	efi_variable("LoaderInfo", "GRUB 2.12");
	entries_free(&all);
	read_all();
	is_default("a");
	end();
	script(TWO, NULL, NULL);
	fake_text(f, "/boot/loader/entries/c.conf", "linux /a\n");
	efi_variable("LoaderInfo", "systemd-boot 257.8");
	entries_free(&all);
	read_all();
	is_default("c.conf");
	end();
}

/* EFI programs with a command line of their own, boot counting in their names too. */
static void test_uki(void **state)
{
	(void)state;
	begin();
	file("/efi/EFI/Linux/d-6.9+3-1.efi");
	file("/efi/EFI/Linux/d-6.10+0-3.efi");
	file("/efi/EFI/Linux/d-6.6+0ubuntu1.efi");
	file("/efi/u.efi");
	fake_text(f, "/efi/loader/entries/u.conf", "sort-key z\nuki /u.efi\n");
	fake_text(f, "/efi/loader/entries/v.conf", "sort-key z\nuki /u.efi\noptions x\n");
	fake_text(f, "/efi/loader/entries/w.conf", "sort-key z\nlinux /u.efi\ndevicetree-overlay /o.dtbo\n");
	read_all();
	assert_int_equal(all.count, 6);
	assert_string_equal(all.entry[3].id, "d-6.9.efi");
	assert_string_equal(all.entry[4].id, "d-6.6+0ubuntu1.efi");
	assert_string_equal(all.entry[5].id, "d-6.10.efi");
	assert_true(all.entry[5].bad);
	request = (struct load_request){ .cmdline = "more" };
	assert_int_equal(ask("d-6.9"), KX_OK);
	assert_string_equal(request.kernel, "/efi/EFI/Linux/d-6.9+3-1.efi");
	assert_string_equal(request.cmdline, "more");
	assert_true(request.boot_loader_cmdline);
	assert_false(request.reuse_cmdline);
	request = (struct load_request){ 0 };
	assert_int_equal(ask("u"), KX_OK);
	assert_true(request.boot_loader_cmdline);
	assert_null(request.cmdline);
	request = (struct load_request){ 0 };
	assert_int_equal(ask("v"), KX_OK);
	assert_string_equal(request.cmdline, "x");
	assert_int_equal(ask("w"), KX_ENTRY_BROKEN);
	end();
	/* Where /boot is no file system of its own, though paths in a boot loader's files begin at the root of theirs. */
	begin();
	fake_text(f, "/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
	file("/boot/EFI/Linux/x.efi");
	read_all();
	assert_int_equal(ask("x"), KX_OK);
	assert_string_equal(request.kernel, "/boot/EFI/Linux/x.efi");
	end();
}

static void test_default_kexec(void **state)
{
	static const struct { const char *text, *kernel, *broken; } v[] = {
		{ "KERNEL_IMAGE=\"/vmlinuz\"\nINITRD='/initrd.img'\n\n# x\nAPPEND=\"\"\nUSE_GRUB_CONFIG=false\nLOAD_KEXEC=true\n", "/vmlinuz", NULL },
		{ "KERNEL_IMAGE=/opt/k\nAPPEND=a#b # c\n", "/opt/k", NULL },
		{ "KERNEL_IMAGE=/opt/k # mine\nAPPEND=\"root=/dev/sda1 x='y'\"\n", "/opt/k", NULL },
		{ "KERNEL_IMAGE=$(ls /boot/vmlinuz*)\nKERNEL_IMAGE=/vmlinuz\n", "/vmlinuz", "/etc/default/kexec:1 is more than NAME=text" },
		{ "KERNEL_IMAGE=/vmlinuz\nif true; then\n", "/vmlinuz", "/etc/default/kexec:2 is more than NAME=text" },
		{ "KERNEL_IMAGE=/vmlinuz\nUSE_GRUB_CONFIG=true\n", NULL, NULL },
		{ "KERNEL_IMAGE=\"/vmlinuz\n", NULL, NULL },
		{ "", NULL, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		begin();
		fake_text(f, "/etc/default/kexec", v[i].text);
		file("/vmlinuz");
		file("/initrd.img");
		file("/opt/k");
		read_all();
		assert_int_equal(all.count, v[i].kernel ? 1 : 0);
		if (v[i].kernel)
			assert_string_equal(all.entry[0].kernel, v[i].kernel);
		if (v[i].broken)
			assert_string_equal(all.entry[0].broken, v[i].broken);
		is_default(v[i].kernel ? "default-kexec" : NULL);
		assert_int_equal(ask(NULL), !v[i].kernel ? KX_NO_ENTRY : v[i].broken ? KX_ENTRY_BROKEN : KX_OK);
		end();
	}
	/* Fragments come behind, by name; others are none. */
	begin();
	fake_text(f, "/etc/default/kexec", "KERNEL_IMAGE=/vmlinuz\nINITRD=/initrd.img\n");
	fake_text(f, "/etc/default/kexec.d/20-b", "KERNEL_IMAGE=/opt/k\n");
	fake_text(f, "/etc/default/kexec.d/10-a", "KERNEL_IMAGE=/opt/other\nAPPEND=a\n");
	fake_text(f, "/etc/default/kexec.d/30-c.dpkg-old", "KERNEL_IMAGE=/opt/old\n");
	file("/initrd.img");
	file("/opt/k");
	read_all();
	assert_int_equal(ask(NULL), KX_OK);
	assert_string_equal(request.kernel, "/opt/k");
	assert_string_equal(request.initrd[0], "/initrd.img");
	assert_string_equal(request.cmdline, "a");
	end();
	/* The preset stands behind GRUB, another kernel before it. */
	grub("0", NULL);
	fake_text(f, "/etc/default/kexec", "KERNEL_IMAGE=/vmlinuz\n");
	file("/vmlinuz");
	entries_free(&all);
	read_all();
	is_default("gnulinux-simple-1234");
	fake_text(f, "/etc/default/kexec", "KERNEL_IMAGE=/boot/vmlinuz-6.1\n");
	entries_free(&all);
	read_all();
	is_default("default-kexec");
	end();
}

/* One that is there and cannot be read is not one that is not there. */
static void test_unreadable(void **state)
{
	static char large[ENTRY_FILE_BYTES + 2];

	(void)state;
	memset(large, '#', sizeof(large) - 1);
	script(TWO, NULL, NULL);
	fake_text(f, "/boot/loader/entries/z.conf", large);
	entries_free(&all);
	read_all();
	assert_int_equal(ask(NULL), KX_ENTRY_UNDECIDED);
	assert_int_equal(ask("b"), KX_OK);
	end();
}

static char *read_nothing(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return NULL;
}

static bool has_nothing(void *arg, const char *name)
{
	(void)arg;
	return !name;
}

/* Whatever a file holds: no more than it is worth, and no crash. Under the sanitizers. */
static void test_hostile(void **state)
{
	static const char *const texts[] = {
		"menuentry", "menuentry {", "menuentry a {", "menuentry 'a", "submenu a { submenu b { submenu c {", "}}}}", "linux x", "set", "set default",
		"set default=", "menuentry a { linux }", "menuentry a { initrd a b c d e f g h i j k l m n o p q r s t }", "\\", "$", "${", "menuentry $x {linux $y}",
		"menuentry a { } }", "if if if", "if true; then", "else", "function", "function {", "function f { f; }\nf", "for", "for x", "while", "blscfg",
		"source", "[ ( ( ( ]", "[ ! ! ! ]", "[ -a -o ]", "]", "load_env -f", "search", "search.fs_uuid", "menuentry --id", "x {", "x { {", "$x {",
		"menuentry a --id { linux /x }", "submenu { menuentry a { linux /b } }", "\"", "set a=$a$a$a", "menuentry \"\\",
		"submenu 1 {submenu 2 {submenu 3 {submenu 4 {submenu 5 {submenu 6 {submenu 7 {submenu 8 {submenu 9 {submenu 10 {submenu 11 {"
		"submenu 12 {submenu 13 {submenu 14 {submenu 15 {submenu 16 {submenu 17 {menuentry a {linux /x}}}}}}}}}}}}}}}}}}}",
	};
	static const struct grub_files no_files = { .read = read_nothing, .is_there = has_nothing };
	char *long_text = calloc(1, 200001);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct boot_entries entries = { 0 };

		assert_int_equal(entries_parse_grub(&entries, texts[i], &no_files, NULL), KX_OK);
		entries_free(&entries);
		assert_int_equal(entry_parse_bls(&entries, "a.conf", texts[i]), KX_OK);
		entries_free(&entries);
	}
	for (i = 0; i < 4; i++) {
		struct boot_entries entries = { 0 };

		memset(long_text, "a$ {"[i], 200000);
		memcpy(long_text, "menuentry ", 10);
		assert_int_equal(entries_parse_grub(&entries, long_text, &no_files, NULL), KX_OK);
		entries_free(&entries);
	}
	free(long_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_bls),
		cmocka_unit_test(test_bls_default),
		cmocka_unit_test(test_uki),
		cmocka_unit_test(test_default_kexec),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
