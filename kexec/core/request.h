/* SPDX-License-Identifier: GPL-2.0-only */
/* What was asked for: pure data, made of the command line and the configuration files, read-only afterwards. */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stdint.h>

enum fast_mode { FAST_NO, FAST_AUTO, FAST_REQUIRE };
enum stage_choice { STAGE_AUTO, STAGE_HUGE_PAGES, STAGE_CRASH_KERNEL, STAGE_NONE };	/* auto: huge pages */
enum syscall_choice { SYSCALL_AUTO, SYSCALL_LOAD, SYSCALL_FILE };	/* kexec_file_load(2) if it works; kexec_load(2); kexec_file_load(2) */
enum load_phase { PHASE_UNPACKING, PHASE_READING };	/* the initrd; all files, into their places */
enum unpack_mode { UNPACK_DEFAULT, UNPACK_NO, UNPACK_AUTO, UNPACK_YES };	/* default: auto where something is staged, else no */
enum check_kind { CHECK_DEFAULT, CHECK_NONE, CHECK_CRC32C, CHECK_SHA256 };

#define INITRDS_MAX	16

/* cpus: as many as pay, for payloads for which that is more than one */
#define CPUS_AUTO	((unsigned int)-1)

struct load_request {
	const char *kernel;
	const char *boot_entry;	/* null, or the ID of the boot entry that all this came from */
	const char *initrd[INITRDS_MAX];	/* put one behind another */
	unsigned int initrds;
	enum unpack_mode unpack_initrd;
	const char *type;	/* null: any; else the kernel file must be this, by kexec-tools' names */
	const char *cmdline;	/* null: see reuse_cmdline; else this, behind the reused one */
	bool reuse_cmdline;
	bool boot_loader_cmdline;	/* as a boot loader hands it over: cmdline comes behind the kernel's own, where it brings one (UKI), and
					   nothing stays nothing; else cmdline takes the place of that, and without any the tree's is kept */
	const char *dtb;	/* null: this machine's */
	bool dtb_is_complete;	/* a heal's, which the load has made of what was given */
	const char *serial;	/* null: the console that the kernel uses, for bad news only */
	enum syscall_choice syscall;
	enum fast_mode fast;
	enum stage_choice stage;	/* where, if fast is not FAST_NO */
	enum check_kind check;
	bool check_is_preference, cpus_is_preference, unpack_is_preference;	/* kexec.conf's: where only kexec_file_load(2) is to be had they are left, and it is said */
	bool force_unchecked;	/* check may be CHECK_NONE though fast is not FAST_NO */
	bool drop_live_update;	/* load though somebody's live update loses its state */
	unsigned int cpus;	/* how many purgatory may use; 0 is 1 */
	bool extra_given;	/* else it is 100: */
	uint32_t extra_percent;	/* huge pages taken for a moment beyond those needed, at most, to find a better place */
	bool crash;		/* a crash kernel */
	bool no_cma;		/* kexec_file_load(2): do not use CMA areas */
	uint64_t mem_min, mem_max;	/* legal memory; mem_max 0: no limit */
	uint64_t entry;		/* not 0: where to jump instead of purgatory */
	bool plan_only;
	bool through_file_load;	/* what is staged is handed over by kexec_file_load(2): set by the load itself */
	bool no_mmu;		/* purgatory keeps the MMU off: for machines and tests that need it */

	/* Called now and then with what the load is at, and how far; may be null. */
	void (*progress)(enum load_phase phase, uint64_t done_bytes, uint64_t total_bytes);
};

static inline bool request_stages_in_crash_memory(const struct load_request *request)
{
	return request->fast != FAST_NO && request->stage == STAGE_CRASH_KERNEL;
}

/*
 * The option of this request that kexec_file_load(2) cannot heed, with the reason, for the detail of KX_FILE_OPTION; null: it can do all of
 * it. That call knows no check, no staging and no other device tree, and jumps without purgatory. Which options: option_list.h.
 */
const char *request_excludes_file_load(const struct load_request *request);

#endif
