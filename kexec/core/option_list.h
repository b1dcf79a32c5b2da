/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every option, one entry each, in the order of the help: whoever needs something of it defines the two macros, and takes the columns that
 * it needs. cli/options.c makes the help and getopt's tables of it, core/request.c says what keeps a load from kexec_file_load(2).
 *
 * OPTION(key, name, argument, help, origin, how)
 *	key		the short option, 0: there is none
 *	argument	null: takes none; in brackets: may take one
 *	help		null: left out of the help
 *	origin		THEIRS, or OURS: Debian's kexec-tools have it not, so that abbreviations of theirs win
 *	how		what it does: one of cli/options.c's functions, or FLAG(member) or TEXT(member) of struct options
 *
 * OPTION_BY_LOAD(..., when, why)
 *	The same for what kexec_file_load(2) cannot heed. when: is it so for the request r? why: a phrase for the person.
 *
 * No include guard: this is included where the entries are wanted.
 */
OPTION('h', "help", NULL, "Print this help.", THEIRS, print_usage)
OPTION('v', "version", NULL, "Print the version.", THEIRS, print_version)
OPTION('d', "debug", NULL, "Say more about the load, on stderr.", THEIRS, FLAG(debug))
OPTION('q', "quiet", NULL, "Say nothing but errors, and what is not as asked for.", OURS, FLAG(quiet))
OPTION('l', "load", NULL, "Load the kernel.", THEIRS, act_load)
OPTION('u', "unload", NULL, "Unload the kernel and give its memory back.", THEIRS, act_unload)
OPTION('e', "exec", NULL, "Start the kernel that was loaded.", THEIRS, act_exec)
OPTION('f', "force", NULL, "Load, then start at once without shutting down.", THEIRS, act_force)
OPTION('x', "no-ifdown", NULL, "Do not take network interfaces down before the start.", THEIRS, FLAG(no_ifdown))
OPTION('y', "no-sync", NULL, "Do not write out disks before the start.", THEIRS, FLAG(no_sync))
OPTION('S', "status", NULL, "Exit with 1 if a kernel is loaded (with -l; else a crash kernel), 0 if not.", THEIRS, FLAG(status))
OPTION('p', "load-panic", NULL, "Load the kernel that is started when this one panics.", THEIRS, act_load_panic)
OPTION('s', "kexec-file-syscall", NULL, "Use kexec_file_load(2) only.", THEIRS, use_file_load)
OPTION('c', "kexec-syscall", NULL, "Use kexec_load(2) only.", THEIRS, use_load)
OPTION('a', "kexec-syscall-auto", NULL, "Use kexec_file_load(2), else kexec_load(2): the default.", THEIRS, use_either)
OPTION('i', "no-checks", NULL, "The same as --check=none.", THEIRS, no_checks)
OPTION(0, "force-unchecked", NULL, "Stage with --check=none, though staged memory could be taken away unnoticed.", OURS,
       FLAG(request.force_unchecked))
OPTION(0, "drop-live-update", NULL, "Load though state that is preserved for a live update would be lost.", OURS,
       FLAG(request.drop_live_update))
OPTION_BY_LOAD(0, "fast-reloc", "[=require]", "Stage the kernel where it will be booted from. With =require, fail if that is not possible; "
	       "=no: do not.", OURS, take_fast, r->fast != FAST_NO, "that call stages nothing")
OPTION_BY_LOAD(0, "stage", "WHERE", "Where --fast-reloc stages: hugepages (auto, the default), crashkernel or none.", OURS, take_stage,
	       r->stage != STAGE_AUTO, "that call stages nothing")
OPTION_BY_LOAD(0, "plan", NULL, "Show what a load would do, and do not load.", OURS, FLAG(request.plan_only), r->plan_only,
	       "there the kernel chooses the places")
OPTION_BY_LOAD(0, "check", "KIND", "How the payload is verified: crc32c, sha256 or none.", OURS, take_check,
	       r->check == CHECK_CRC32C || r->check == CHECK_SHA256, "it starts the kernel without purgatory, which verifies")
OPTION_BY_LOAD(0, "cpus", "N|auto", "How many CPUs verify; auto: more than one for large payloads.", OURS, take_cpus, r->cpus,
	       "it starts the kernel without purgatory, which verifies")
OPTION(0, "staging-extra", "PERCENT", "How many huge pages more may be looked at for a better place: 0 to 1000.", OURS, take_extra)
OPTION(0, "doctor", NULL, "Say whether this machine can stage, with KERNEL that one, and what to type where something is in the way.",
       OURS, FLAG(doctor))
OPTION(0, "last", NULL, "Show how the jump to this kernel went.", OURS, FLAG(last))
OPTION(0, "prometheus", NULL, "With --last or --staged: print metrics for Prometheus.", OURS, FLAG(prometheus))
OPTION(0, "svg", "FILE", "With --last: write a picture of it, too.", OURS, TEXT(svg))
OPTION(0, "stamp", "asked", NULL, OURS, take_stamp)
OPTION(0, "staged", NULL, "Show what is staged.", OURS, FLAG(staged))
OPTION(0, "verify-staged", "[=quick]", "Verify what is staged. With =quick, only that it is there, and where.", OURS, take_verify)
OPTION(0, "heal-staged", "[=shutdown]", "Put right what is staged, or undo the load. With =shutdown, tell the kernel log as well.", OURS, take_heal)
OPTION(0, "json", NULL, "With --plan, --doctor, --last, --staged, --list-boot-entries or -l: print JSON.", OURS, take_json)
OPTION(0, "append", "STRING", "Command line for the new kernel.", THEIRS, TEXT(request.cmdline))
OPTION(0, "command-line", "STRING", "The same.", THEIRS, TEXT(request.cmdline))
OPTION(0, "reuse-cmdline", NULL, "Use this kernel's command line; --append comes behind it.", THEIRS, FLAG(request.reuse_cmdline))
OPTION(0, "initrd", "FILE", "Initial ramdisk; may be given several times.", THEIRS, take_initrd)
OPTION(0, "ramdisk", "FILE", "The same.", THEIRS, take_initrd)
OPTION_BY_LOAD(0, "unpack-initrd", "[=auto]", "Decompress the initrd now, so that the next kernel need not. With =auto, where it can and has room: the "
	       "default with --fast-reloc; =no: do not.", OURS, take_unpack, r->unpack_initrd == UNPACK_YES, "it takes the files as they are")
OPTION(0, "boot-entry", "[=NAME]", "Instead of KERNEL: what the boot loader would start, or its entry of that name.", OURS, take_boot_entry)
OPTION(0, "list-boot-entries", NULL, "Show the boot loader's entries.", OURS, FLAG(list_entries))
OPTION('t', "type", "TYPE", "What KERNEL is: Image, vmlinux, uImage, vmlinuz, uki. It is found out anyway.", THEIRS, TEXT(request.type))
OPTION_BY_LOAD(0, "dtb", "FILE", "Device tree, instead of this machine's.", THEIRS, TEXT(request.dtb), r->dtb, "it takes no device tree")
OPTION(0, "reuseinitrd", NULL, "Use this kernel's initrd, which retain_initrd has kept.", THEIRS, FLAG(reuse_initrd))
OPTION_BY_LOAD(0, "mem-min", "ADDRESS", "Use no memory below.", THEIRS, take_mem_min, r->mem_min, "there the kernel chooses the places")
OPTION_BY_LOAD(0, "mem-max", "ADDRESS", "Use no memory above.", THEIRS, take_mem_max, r->mem_max, "there the kernel chooses the places")
OPTION_BY_LOAD(0, "entry", "ADDRESS", "Jump there instead of to purgatory.", THEIRS, take_entry, r->entry,
	       "there the kernel chooses where to jump")
OPTION(0, "no-cma", NULL, "kexec_file_load(2): do not use CMA areas.", OURS, FLAG(request.no_cma))
OPTION(0, "print-ckr-size", NULL, "Print the size of the memory for crash kernels.", THEIRS, FLAG(print_ckr_size))
OPTION(0, "hotplug", NULL, NULL, THEIRS, not_here)
OPTION(0, "force-dtb", NULL, NULL, OURS, not_here)
OPTION(0, "load-preserve-context", NULL, NULL, THEIRS, not_here)
OPTION(0, "load-jump-back-helper", NULL, NULL, THEIRS, not_here)
OPTION(0, "load-live-update", NULL, NULL, THEIRS, not_here)
OPTION(0, "exec-live-update", NULL, NULL, THEIRS, not_here)
OPTION_BY_LOAD(0, "serial", "TTY", "Where purgatory says what it does, e.g. ttyAMA0.", THEIRS, TEXT(request.serial), r->serial,
	       "it starts the kernel without purgatory, which would write there")
OPTION_BY_LOAD(0, "purgatory-no-mmu", NULL, NULL, OURS, FLAG(request.no_mmu), r->no_mmu, "it starts the kernel without purgatory")
