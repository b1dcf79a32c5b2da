/* SPDX-License-Identifier: GPL-2.0-only */
/* grub.cfg, run: which entries there are, which one is the default, and what it starts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "entries_machine.h"

static void test_grub(void **state)
{
	(void)state;
	grub("0", NULL);
	assert_int_equal(all.count, 5);
	is_default("gnulinux-simple-1234");
	assert_string_equal(all.entry[3].broken, "it starts no kernel");
	assert_string_equal(all.entry[4].broken, "there is no /boot/memtest");
	assert_int_equal(ask(NULL), KX_OK);
	assert_string_equal(request.kernel, "/boot/vmlinuz-6.12");
	assert_string_equal(request.cmdline, "root=UUID=1234 ro quiet");
	assert_int_equal(request.initrds, 2);
	assert_string_equal(request.initrd[0], "/boot/early.img");
	assert_string_equal(request.initrd[1], "/boot/initrd.img-6.12");
	assert_string_equal(request.boot_entry, "gnulinux-simple-1234");
	/* By title; what was typed goes before, and the command line behind. */
	request = (struct load_request){ .cmdline = "more", .initrds = 1, .initrd = { "mine" } };
	assert_int_equal(ask("Debian GNU/Linux, with Linux 6.1 (recovery mode)"), KX_OK);
	assert_string_equal(request.cmdline, "root=UUID=1234 ro single \"dyndbg=file a.c +p\" more");
	assert_string_equal(request.initrd[0], "mine");
	assert_int_equal(request.initrds, 1);
	request = (struct load_request){ .cmdline = "more", .reuse_cmdline = true };
	assert_int_equal(ask("gnulinux-6.12-advanced-1234"), KX_OK);
	assert_string_equal(request.cmdline, "more");
	assert_true(request.reuse_cmdline);
	assert_int_equal(ask("nonsense"), KX_ENTRY_UNKNOWN);
	assert_non_null(strstr(fail.detail, "gnulinux-simple-1234, gnulinux-6.12-advanced-1234"));
	assert_int_equal(ask("uefi-firmware"), KX_ENTRY_BROKEN);
	end();
}

static void test_grub_default(void **state)
{
	static const struct { const char *dflt, *grubenv, *id; } v[] = {
		{ "1>0", NULL, "gnulinux-6.12-advanced-1234" },
		{ "1>1", NULL, "gnulinux-6.1-recovery-1234" },
		{ "gnulinux-advanced-1234>gnulinux-6.1-recovery-1234", NULL, "gnulinux-6.1-recovery-1234" },
		{ "Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 6.12", NULL, "gnulinux-6.12-advanced-1234" },
		{ "gnulinux-6.1-recovery-1234", NULL, "gnulinux-simple-1234" },	/* GRUB looks for it in the top menu, too */
		{ "${saved_entry}", "saved_entry=1>1\n", "gnulinux-6.1-recovery-1234" },
		{ "${saved_entry}", NULL, "gnulinux-simple-1234" },
		{ "0", "next_entry=1>gnulinux-6.1-recovery-1234\n", "gnulinux-6.1-recovery-1234" },
		{ "0", "next_entry=\n", "gnulinux-simple-1234" },
		{ "nothing of the kind", NULL, "gnulinux-simple-1234" },
		{ "0", "prev_saved_entry=gnulinux-6.1-recovery-1234\nsaved_entry=0\n", "gnulinux-simple-1234" },
		{ "${saved_entry}", "saved_entry=gnulinux-advanced-1234>gnulinux-6.1-recovery-1234\n", "gnulinux-6.1-recovery-1234" },
		{ "gnulinux-advanced-1234>1", NULL, "gnulinux-6.1-recovery-1234" },
		{ "1>gnulinux-6.1-recovery-1234", NULL, "gnulinux-6.1-recovery-1234" },
		{ "gnulinux-advanced-1234", NULL, "gnulinux-6.12-advanced-1234" },
		{ "gnulinux-6.1-recovery-1234>0", NULL, "gnulinux-simple-1234" },	/* not in the top menu */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		grub(v[i].dflt, v[i].grubenv);
		is_default(v[i].id);
		end();
	}
}

/* /boot is a file system of its own; or the root is a subvolume. */
static void test_grub_paths(void **state)
{
	(void)state;
	begin();
	fake_text(f, "/boot/grub/grub.cfg", "menuentry a {\n linux /vmlinuz-1 x\n initrd /initrd-1\n}\nmenuentry b { linux /@/boot/vmlinuz-2; }\n"
					    "menuentry c { linux /vmlinuz-3 }\nmenuentry d { linux $where/vmlinuz-1\n}\n");
	file("/boot/vmlinuz-1");
	file("/boot/initrd-1");
	file("/boot/vmlinuz-2");
	read_all();
	assert_int_equal(all.count, 4);
	assert_string_equal(all.entry[0].kernel, "/boot/vmlinuz-1");
	assert_string_equal(all.entry[0].initrd[0], "/boot/initrd-1");
	assert_string_equal(all.entry[1].kernel, "/boot/vmlinuz-2");
	assert_string_equal(all.entry[2].broken, "there is no /vmlinuz-3");
	assert_non_null(strstr(all.entry[3].broken, "variable"));
	end();
}

/* Which one GRUB starts by itself; null: only GRUB knows. */
static void test_grub_script_default(void **state)
{
	static const struct { const char *text, *grubenv, *custom, *id; } v[] = {
		{ TWO, NULL, NULL, "a" },
		{ "set default=1\n" TWO, NULL, NULL, "b" },
		{ "default=b\n" TWO, NULL, NULL, "b" },
		{ "set default='B'\n" TWO, NULL, NULL, "b" },
		{ "if false; then set default=1; fi\n" TWO, NULL, NULL, "a" },
		{ "if true; then set default=1; else set default=0; fi\n" TWO, NULL, NULL, "b" },
		{ "if test x = y; then true\nelif [ a -a ! '' -o b ]; then default=1; fi\n" TWO, NULL, NULL, "b" },
		{ "if keystatus --shift; then set default=1; fi\n" TWO, NULL, NULL, NULL },
		{ "set default=1; if keystatus --shift; then set default=1; fi\n" TWO, NULL, NULL, "b" },
		{ "if keystatus --shift; then set timeout=1; fi\n" TWO, NULL, NULL, "a" },
		{ "search --set=default --file /x\n" TWO, NULL, NULL, NULL },
		{ "while keystatus; do default=1; done\n" TWO, NULL, NULL, NULL },
		{ "for x in 1 2; do default=$x; done\n" TWO, NULL, NULL, NULL },
		{ "function f { default=$1; }\nf 1\n" TWO, NULL, NULL, "b" },
		{ "function f { f; f; }\nf\n" TWO, NULL, NULL, NULL },
		/* Nothing is loaded that the script does not load; a later assignment goes before what was loaded. */
		{ "set default=$saved_entry\n" TWO, "saved_entry=1\n", NULL, "a" },
		{ "load_env\nset default=$saved_entry\n" TWO, "saved_entry=1\n", NULL, "b" },
		{ "load_env --file=$prefix/grubenv saved_entry\nset default=$saved_entry\n" TWO, "default=0\nsaved_entry=1\n", NULL, "b" },
		{ "load_env -f (hd1)/grubenv\nset default=$saved_entry\n" TWO, "saved_entry=1\n", NULL, NULL },
		{ "load_env\nset saved_entry=0\nset default=$saved_entry\n" TWO, "saved_entry=1\n", NULL, "a" },
		/* Fedora's boot counting. */
		{ "load_env\nset default=0\nif [ -n \"${boot_counter}\" -a \"${boot_success}\" = \"0\" ]; then\n"
		  " if [ \"${boot_counter}\" = \"0\" -o \"${boot_counter}\" = \"-1\" ]; then\n  set default=1\n set boot_counter=-1\n"
		  " else\n  decrement boot_counter\n fi\nfi\n" TWO, "boot_success=0\nboot_counter=2\n", NULL, "a" },
		{ "load_env\nset default=0\nif [ -n \"${boot_counter}\" -a \"${boot_success}\" = \"0\" ]; then\n"
		  " if [ \"${boot_counter}\" = \"0\" -o \"${boot_counter}\" = \"-1\" ]; then\n  set default=1\n set boot_counter=-1\n"
		  " else\n  decrement boot_counter\n fi\nfi\n" TWO, "boot_success=0\nboot_counter=0\n", NULL, "b" },
		/* Numbers count what is there: another file's, and what nobody knows the number of. */
		{ "source $prefix/custom.cfg\n" TWO, NULL, "menuentry C --id c { linux /a; }\n", "c" },
		{ "source $prefix/custom.cfg\nset default=1\n" TWO, NULL, "menuentry C --id c { linux /a; }\n", "a" },
		{ "source $prefix/custom.cfg\n" TWO, NULL, NULL, "a" },
		{ "source ($drive)/x.cfg\nset default=1\n" TWO, NULL, NULL, NULL },
		{ TWO "source (hd0)/x.cfg\nset default=1\n", NULL, NULL, "b" },
		{ TWO "source (hd0)/x.cfg\nset default=c\n", NULL, NULL, NULL },
		{ TWO "set default=c\n", NULL, NULL, "a" },
		{ "if keystatus; then menuentry C { linux /a; }; fi\n" TWO "set default=1\n", NULL, NULL, NULL },
		{ "if keystatus; then menuentry C { linux /a; }; fi\n" TWO "set default=b\n", NULL, NULL, "b" },
		/* Any file of GRUB's directory may be asked for. */
		{ "if [ -e ${prefix}/custom.cfg ]; then set default=1; fi\n" TWO, NULL, "#\n", "b" },
		{ "if [ -e ${prefix}/fonts/unicode.pf2 ]; then set default=1; fi\n" TWO, NULL, NULL, "a" },
		{ "if [ -e ($drive)/x ]; then set default=1; fi\n" TWO, NULL, NULL, NULL },
		/* A title that begins with a number, one with ">" in it. */
		{ TWO "menuentry '1st' { linux /a; }\nmenuentry 'x>y' --id=c { linux /b; }\nset default='1st'\n", NULL, NULL, "b" },
		{ "set default='1> 1'\n" TWO, NULL, NULL, "b" },
		{ "set default=' 0x1 '\n" TWO, NULL, NULL, "b" },
		{ "set default=01\n" TWO, NULL, NULL, "b" },
		/* What changes the order of commands is not followed. */
		{ "function f { if true; then default=1; return; fi; default=0; }\nf\n" TWO, NULL, NULL, NULL },
		{ "set default=1; exit; set default=0\n" TWO, NULL, NULL, NULL },
		{ "function set { true; }\nset default=1\n" TWO, NULL, NULL, "b" },
		{ "if [ $nothing ]; then default=1; fi\n" TWO, NULL, NULL, "b" },
		{ "if [ 010 -eq 8 ]; then default=1; fi\n" TWO, NULL, NULL, NULL },
		{ "if [ \"$root\" = device ]; then default=1; fi\n" TWO, NULL, NULL, NULL },
		{ "submenu S { set default=1\n" TWO "}\n", NULL, NULL, NULL },
		{ "submenu S { set default=1\n" TWO "}\nset default='0>a'\n", NULL, NULL, "a" },
		{ "menuentry Z --source 'linux /a'\n" TWO "set default=1\n", NULL, NULL, NULL },
		{ TWO "menuentry 'x>y' --id=c { linux /b; }\nset default='x>>y'\n", NULL, NULL, "c" },
		/* Only what is exported is seen in a submenu. */
		{ "set x=1\nset y=1\nexport y\nsubmenu S { menuentry A$x --id a { linux /a; }\n menuentry B$y --id b { linux /b; }\n}\nset default='S>B1'\n",
		  NULL, NULL, "b" },
		{ "set x=1\nsubmenu S { menuentry B --id b { linux /b; }\n menuentry A$x --id a { linux /a; }\n}\nset default='S>A1'\n", NULL, NULL, "b" },
		/* An escaped value of the environment block. */
		{ "load_env\nset default=$saved_entry\n" TWO "menuentry 'a\\b' --id c { linux /a; }\n", "saved_entry=a\\\\b\n", NULL, "c" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		const char *id;

		script(v[i].text, v[i].grubenv, v[i].custom);
		id = all.preferred < all.count ? all.entry[all.preferred].id : NULL;
		if (!id != !v[i].id || (id && strcmp(id, v[i].id) != 0))
			fail_msg("%zu: %s", i, id ? id : "none");
		if (!id)
			assert_int_equal(ask(NULL), KX_ENTRY_UNDECIDED);
		end();
	}
}

/* Ubuntu's, shortened: what a graphical console adds to the command line goes through a function and a list of graphics cards. */
static void test_ubuntu(void **state)
{
	static const char cfg[] =
		"if [ -s $prefix/grubenv ]; then\n  set have_grubenv=true\n  load_env\nfi\n"
		"if [ \"${initrdfail}\" = 2 ]; then\n   set initrdfail=\nelif [ \"${initrdfail}\" = 1 ]; then\n   set next_entry=\"${prev_entry}\"\n"
		"   set prev_entry=\n   save_env prev_entry\n   if [ \"${next_entry}\" ]; then\n      set initrdfail=2\n   fi\nfi\n"
		"if [ \"${next_entry}\" ] ; then\n   set default=\"${next_entry}\"\n   set next_entry=\n   save_env next_entry\n   set boot_once=true\n"
		"else\n   set default=\"0\"\nfi\n"
		"function recordfail {\n  set recordfail=1\n  if [ -n \"${have_grubenv}\" ]; then if [ -z \"${boot_once}\" ]; then save_env recordfail; fi; fi\n}\n"
		"function initrdfail {\n    if [ -n \"${have_grubenv}\" ]; then if [ -n \"${partuuid}\" ]; then\n      if [ -z \"${initrdfail}\" ]; then\n"
		"        set initrdfail=1\n      fi\n      save_env initrdfail\n    fi; fi\n}\n"
		"if [ \"${recordfail}\" = 1 ] ; then\n  set timeout=30\nelse\n  if [ x$feature_timeout_style = xy ] ; then\n    set timeout_style=hidden\n  fi\nfi\n"
		"function gfxmode {\n\tset gfxpayload=\"${1}\"\n\tif [ \"${1}\" = \"keep\" ]; then\n\t\tset vt_handoff=vt.handoff=7\n\telse\n\t\tset vt_handoff=\n\tfi\n}\n"
		"if [ \"${recordfail}\" != 1 ]; then\n  if [ -e ${prefix}/gfxblacklist.txt ]; then\n    if [ ${grub_platform} != pc ]; then\n"
		"      set linux_gfx_mode=keep\n    elif hwmatch ${prefix}/gfxblacklist.txt 3; then\n      if [ ${match} = 0 ]; then\n        set linux_gfx_mode=keep\n"
		"      else\n        set linux_gfx_mode=text\n      fi\n    else\n      set linux_gfx_mode=text\n    fi\n  else\n    set linux_gfx_mode=keep\n  fi\n"
		"else\n  set linux_gfx_mode=text\nfi\nexport linux_gfx_mode\n"
		"menuentry 'Ubuntu' --class ubuntu $menuentry_id_option 'gnulinux-simple-1' {\n\trecordfail\n\tload_video\n\tgfxmode $linux_gfx_mode\n\tinsmod gzio\n"
		"\tif [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi\n\tinsmod part_gpt\n\tinsmod ext2\n"
		"\tsearch --no-floppy --fs-uuid --set=root 1\n\tif [ \"${initrdfail}\" = 1 ]; then\n\t  linux /a root=PARTUUID=1 ro quiet splash $vt_handoff panic=-1\n"
		"\telse\n\t  linux\t/a root=UUID=1 ro  quiet splash $vt_handoff\n\t  initrd\t/i\n\tfi\n\tinitrdfail\n}\n";
	static const struct { const char *grubenv, *cmdline; unsigned int initrds; } v[] = {
		{ NULL, "root=UUID=1 ro quiet splash vt.handoff=7", 1 },
		{ "recordfail=1\n", "root=UUID=1 ro quiet splash", 1 },
		{ "initrdfail=1\n", "root=PARTUUID=1 ro quiet splash vt.handoff=7 panic=-1", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		script(cfg, v[i].grubenv, NULL);
		fake_text(f, "/boot/grub/gfxblacklist.txt", "v1002d6719sv*\n");
		entries_free(&all);
		read_all();
		request = (struct load_request){ 0 };
		assert_int_equal(ask(NULL), KX_OK);
		assert_string_equal(request.cmdline, v[i].cmdline);
		assert_int_equal(request.initrds, v[i].initrds);
		end();
	}
}

/* What an entry starts; broken: a part of the reason why it does not. */
static void test_grub_entry(void **state)
{
	static const struct { const char *text, *kernel, *initrd, *cmdline, *broken; } v[] = {
		{ "menuentry A {\nif true; then linux /a x; initrd /i\nelse\nlinux /b y; initrd /j\nfi\n}\n", "/boot/a", "/boot/i", "x", NULL },
		{ "menuentry A {\nlinux /b y\ninitrd /j\nlinux /a x\ninitrd /i\n}\n", "/boot/a", "/boot/i", "x", NULL },
		{ "menuentry A {\nif search --file /x; then linux /a x; else linux /b; fi\n}\n", NULL, NULL, NULL, "condition" },
		{ "menuentry A {\nset o='x y'\nlinux /a $o \"$o\"\ninitrd /i\n}\n", "/boot/a", "/boot/i", "x y \"x y\"", NULL },
		{ "set o=z\nmenuentry A {\nlinux /a $o\n}\nset o=x\n", "/boot/a", NULL, "x", NULL },
		{ "menuentry A {\nlinux /a a\\\nb c=\\\"d\\\" \\x20\n}\n", "/boot/a", NULL, "ab c=\\\"d\\\" x20", NULL },
		{ "menuentry A {\nlinux /a '\\x20' 'a\\b'\n}\n", "/boot/a", NULL, "\\x20 a\\\\b", NULL },
		{ "menuentry A {\nprobe --set=u -u $root\nlinux /a root=UUID=$u\n}\n", NULL, NULL, NULL, "only GRUB knows" },
		{ "menuentry A {\nregexp --set 1:u x y\nlinux /$u\n}\n", NULL, NULL, NULL, "variable" },
		{ "function go { linux /$1 $2; initrd /i; }\nmenuentry A { go a x; }\n", "/boot/a", "/boot/i", "x", NULL },
		{ "menuentry A --class x --users '' --unrestricted --hotkey=y { linux /a; }\n", "/boot/a", NULL, "", NULL },
		{ "menuentry A --id osprober-gnulinux-1 { linux /a; }\n", NULL, NULL, NULL, "another system" },
		{ "menuentry A { chainloader /x.efi; }\n", NULL, NULL, NULL, "no kernel" },
		{ "menuentry A { linux $prefix/../a; }\n", NULL, NULL, NULL, "device that only GRUB knows" },
		{ "menuentry A { linux ($root)/a; initrd ($root)/i /j; }\n", "/boot/a", "/boot/i", "", NULL },
		{ "menuentry A { linux (hd0,gpt2)/a; }\n", NULL, NULL, NULL, "device that only GRUB knows" },
		{ "menuentry A { linux /a; initrd (hd0,gpt2)/i; }\n", NULL, NULL, NULL, "device that only GRUB knows" },
		{ "menuentry A { set root='hd1,gpt2'; linux /a; }\n", NULL, NULL, NULL, "device that only GRUB knows" },
		{ "menuentry A { search --label OTHER --set=root; linux /a; }\n", NULL, NULL, NULL, "device that only GRUB knows" },
		{ "search --fs-uuid --set=root there\nmenuentry A { linux /a; }\n", NULL, NULL, NULL, "another file system, there" },
		{ "menuentry A { search -n --set=root --fs-uuid there --hint hd1; linux /a; }\n", NULL, NULL, NULL, "another file system, there" },
		{ "menuentry A { search --fs-uuid --set=root here; linux /a root=$root; }\n", NULL, NULL, NULL, "only GRUB knows" },
		{ "menuentry A { linux /a x=$1; }\n", NULL, NULL, NULL, "only GRUB knows" },
		{ "menuentry A { linux /a; boot; linux /b; }\n", NULL, NULL, NULL, "order of commands" },
		{ "menuentry A { linux /a; devicetree /d.dtb; }\n", NULL, NULL, NULL, "d.dtb" },
		/* Another file system of the same names. */
		{ "menuentry A { search --no-floppy --fs-uuid --set=root --hint=hd0 here; linux /a; }\n", "/boot/a", NULL, "", NULL },
		{ "menuentry A { search --no-floppy --fs-uuid --set=root there; linux /a; }\n", NULL, NULL, NULL, "another file system, there" },
		{ "menuentry A { search.fs_uuid there root hd0; linux /a; }\n", NULL, NULL, NULL, "another file system, there" },
		{ "menuentry A { search --fs-uuid --set=root nowhere; linux /a; }\n", "/boot/a", NULL, "", NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		script(v[i].text, NULL, NULL);
		fake_text(f, "/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /boot rw shared:1 - ext4 /dev/mapper/boot rw\n");
		fake_link(f, "/dev/mapper/boot", "../dm-2");
		fake_link(f, "/dev/disk/by-uuid/here", "../../dm-2");
		fake_link(f, "/dev/disk/by-uuid/there", "../../sda1");
		entries_free(&all);
		read_all();
		assert_int_equal(all.count, 1);
		if (!v[i].broken != !all.entry[0].broken[0] || (v[i].broken && !strstr(all.entry[0].broken, v[i].broken)))
			fail_msg("%zu: %s", i, all.entry[0].broken);
		request = (struct load_request){ 0 };
		if (!v[i].broken) {
			assert_int_equal(ask(NULL), KX_OK);
			assert_string_equal(request.kernel, v[i].kernel);
			assert_string_equal(request.cmdline, v[i].cmdline);
			assert_int_equal(!v[i].initrd, !request.initrds);
			if (v[i].initrd)
				assert_string_equal(request.initrd[0], v[i].initrd);
		} else {
			/* What the boot loader would start, and no other that could be loaded instead. */
			assert_int_equal(ask(NULL), KX_ENTRY_BROKEN);
		}
		end();
	}
}

/* By what is mounted where: a subvolume's name may come first, but not another one's; and a path is the root's where /boot is only a directory. */
static void test_mounts(void **state)
{
	(void)state;
	begin();
	fake_text(f, "/boot/grub/grub.cfg", "menuentry a { linux /@/boot/a; }\nmenuentry b { linux /@arch/boot/a; }\nmenuentry c { linux /vmlinuz; }\n");
	fake_text(f, "/proc/self/mountinfo", "1 0 0:30 /@ / rw - btrfs /dev/sda1 rw\n2 1 0:5 / /proc rw - proc proc rw\n");
	file("/boot/a");
	file("/vmlinuz");
	file("/boot/vmlinuz");
	read_all();
	assert_string_equal(all.entry[0].kernel, "/boot/a");
	assert_string_equal(all.entry[1].broken, "there is no /@arch/boot/a");
	assert_string_equal(all.entry[2].kernel, "/vmlinuz");
	end();
}

/* Fedora: GRUB takes the entries, and their variables are its own. */
static void test_blscfg(void **state)
{
	static const char cfg[] = "load_env\nif [ \"${next_entry}\" ]; then\nset default=\"${next_entry}\"\nelse\nset default=\"${saved_entry}\"\nfi\n"
				  "if [ -z \"${kernelopts}\" ]; then\n  set kernelopts=\"root=/dev/vdb ro\"\nfi\nset tuned_params=\"\"\nblscfg\n"
				  "menuentry 'Other' --id other { linux /k; }\n";
	static const struct { const char *grubenv, *id, *cmdline; } v[] = {
		{ "kernelopts=root=/dev/vda ro\n", "fedora-6.10.conf", "root=/dev/vda ro quiet" },
		{ NULL, "fedora-6.10.conf", "root=/dev/vdb ro quiet" },
		{ "saved_entry=fedora-6.9\n", "fedora-6.9.conf", "root=/dev/vdb ro quiet" },
		{ "saved_entry=1\n", "fedora-6.9.conf", "root=/dev/vdb ro quiet" },
		{ "saved_entry=Fedora (6.9)\n", "fedora-6.9.conf", "root=/dev/vdb ro quiet" },
		{ "saved_entry=2\n", "other", "" },
		{ "saved_entry=fedora-6.9\nnext_entry=other\n", "other", "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i <= sizeof(v) / sizeof(v[0]); i++) {
		begin();
		fake_text(f, "/boot/loader/entries/fedora-6.9.conf", "title Fedora (6.9)\nversion 6.9\nlinux /k\ninitrd /i $tuned_initrd\n"
								      "options $kernelopts quiet $tuned_params\n");
		fake_text(f, "/boot/loader/entries/fedora-6.10.conf", "title Fedora (6.10)\nversion 6.10\nlinux /k\ninitrd /i $tuned_initrd\n"
								       "options $kernelopts quiet $tuned_params\n");
		file("/boot/k");
		file("/boot/i");
		if (i == sizeof(v) / sizeof(v[0])) {
			/* Nothing says what its variables are. */
			read_all();
			assert_int_equal(ask("fedora-6.9"), KX_ENTRY_BROKEN);
			end();
			break;
		}
		fake_text(f, "/boot/grub2/grub.cfg", cfg);
		if (v[i].grubenv)
			block("/boot/grub2/grubenv", v[i].grubenv);
		read_all();
		assert_int_equal(all.count, 3);
		is_default(v[i].id);
		assert_int_equal(ask(NULL), KX_OK);
		if (strcmp(v[i].id, "other") != 0) {
			assert_int_equal(request.initrds, 1);
			assert_string_equal(request.initrd[0], "/boot/i");
		}
		assert_int_equal(strncmp(request.cmdline, v[i].cmdline, strlen(v[i].cmdline)), 0);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grub),
		cmocka_unit_test(test_grub_default),
		cmocka_unit_test(test_grub_paths),
		cmocka_unit_test(test_grub_script_default),
		cmocka_unit_test(test_ubuntu),
		cmocka_unit_test(test_grub_entry),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_blscfg),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
