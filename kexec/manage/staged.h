/* SPDX-License-Identifier: GPL-2.0-only */
/* What is staged, by its ledger. */
#ifndef STAGED_H
#define STAGED_H

#include "err.h"
#include "ledgers.h"
#include "report.h"
#include "sys.h"

enum staged_truth {
	STAGED_NOTHING,		/* nothing is staged, or the kernel counts on none of it */
	STAGED_TRUE,
	STAGED_MOVED,		/* some pages lie elsewhere: a heal puts that right */
	STAGED_DAMAGED,		/* something is gone or changed: only undoing it helps */
};

struct staged {
	struct sys *sys;
	struct ledger_store store;
	void *copy;			/* of the ledger's bytes, for: */
	struct ledger ledger;
	struct ledger_header header;	/* as it was read */
	bool ledger_good;		/* else the rest is empty */
	struct staging staging;		/* .ops null: it is gone */
};

/* Open what the kernel counts on, as far as can be told. entry_pa: of the image that it holds; 0: not known.
 * Errors: KX_NOT_STAGED, KX_SHM, KX_NO_MEMORY, KX_LEDGER_VERSION, KX_NO_PFN */
enum kx_err staged_open(struct staged *staged, struct sys *sys, pa_t entry_pa, struct fail *fail);
void staged_close(struct staged *staged);

/* What was found. */
struct staged_check {
	enum staged_truth truth;
	uint32_t pages, moved;
	uint64_t digested_bytes;	/* that were held against their digests */
	uint64_t ms;
	char why[320];			/* it is damaged; else empty */
};

/* Hold it against what is true: addresses, memory errors, and with digests every byte, on all CPUs. Errors: KX_NO_MEMORY, KX_INTERRUPTED */
enum kx_err staged_verify(struct staged *staged, bool digests, struct staged_check *check, struct fail *fail);

/* Whether the kernel holds another image than this, for certain: a stock kexec's, one that was loaded plainly, or none. Takes a while. */
bool loaded_is_anothers(const struct staged *staged);

/* Whether something was staged, and is gone together with its ledger, while the kernel still counts on it, as far as can be told. *check
 * says so. */
bool staged_is_lost(struct sys *sys, struct staged_check *check);

/* Whether this process may look at what is staged at all. Errors: KX_STAGE_NOT_ROOT, KX_OTHER_IPC_NS */
enum kx_err staged_preflight(struct sys *sys, struct fail *fail);

/* The whole of it for --verify-staged: what the kernel counts on, or STAGED_NOTHING. Changes nothing. Errors: KX_STAGE_NOT_ROOT,
 * KX_OTHER_IPC_NS, KX_LOCKED: another kexec is at work on it; and those above */
enum kx_err staged_look(struct sys *sys, bool digests, struct staged_check *check, struct fail *fail);

/* Write down when that happened, in the ledger of what is staged; where nothing is, nowhere. */
void staged_stamp(struct sys *sys, enum ledger_stamp stamp);

/* What is shown of it. */
struct staged_status {
	bool staged;
	bool loaded;			/* a kernel is */
	bool counted;			/* the kernel counts on it, as far as can be told ... */
	bool certain;			/* ... which is for certain */
	bool at_work;			/* another kexec is staging something */
	struct staged_check check;	/* without digests */
	uint64_t made_at;		/* seconds since 1970 */
	uint32_t pid;
	uint64_t staged_bytes;
	char backend[48], format[64];
	char cmdline[2048];
	struct {
		char path[256];
		uint64_t bytes;
		bool changed;		/* it is not the file any more that was loaded */
	} file[LEDGER_FILES];
	uint32_t files;
	pa_t control_pa;
};

/* Errors: KX_STAGE_NOT_ROOT, KX_OTHER_IPC_NS and those of staged_open(), but for KX_NOT_STAGED */
enum kx_err staged_status(struct sys *sys, struct staged_status *status, struct fail *fail);

/* What a heal did. */
struct heal {
	struct staged_check check;	/* as it was found */
	bool healed, undone;
	uint64_t ms;
	struct report report;		/* notes of planning anew */
};

/*
 * Make it true again. What has moved is planned anew from the staged memory itself, without the files, and loaded again; where that is
 * impossible the load is undone, so that a reboot goes through the firmware instead of into a reset. Under the lock, which it takes.
 *
 * Errors: KX_LOCKED, KX_INTERRUPTED: what is staged can still be healed; KX_UNDONE; KX_NOT_UNDONE; KX_STAGE_NOT_ROOT, KX_OTHER_IPC_NS,
 * KX_SHM, KX_NO_MEMORY, KX_NO_PFN: nothing was done
 */
enum kx_err staged_heal(struct sys *sys, struct heal *heal, struct fail *fail);

#endif
