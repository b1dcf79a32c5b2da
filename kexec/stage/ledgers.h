/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where ledgers are kept, and what is done with those of others. Each is a System V segment of ordinary memory beside the staging that it
 * names: so it is there before anything is staged or any limit is raised, and a killed load can be undone to the last bit.
 */
#ifndef LEDGERS_H
#define LEDGERS_H

#include "ledger.h"
#include "staging.h"

#define LEDGER_KEY	0x4b584c00	/* "KXL", and the number */

/* An attached ledger. */
struct ledger_store {
	struct sys *sys;		/* null: not attached */
	int number, id;
	struct ledger_header *header;	/* at the beginning of bytes of memory */
	size_t bytes;
};

/* A new one for staging of this kind (STAGING_*), with a number that no staging has either; its state is LEDGER_STAGING. Under the lock.
 * Errors: KX_SHM, KX_NO_MEMORY */
enum kx_err ledger_create(struct ledger_store *store, struct sys *sys, uint32_t kind, size_t bytes, struct fail *fail);

/* One that is there. Errors: KX_NOT_STAGED: it is not; KX_SHM */
enum kx_err ledger_attach(struct ledger_store *store, struct sys *sys, int number, struct fail *fail);

/* Everything that was written so far is there for a later run before the state is. */
void ledger_set_state(struct ledger_store *store, enum ledger_state state);

/* The stamp into the header: now, by the counter that purgatory stamps by. */
void ledger_put_stamp(struct ledger_store *store, enum ledger_stamp stamp);

/* Detach; with discard it is removed. */
void ledger_close(struct ledger_store *store, bool discard);

/* Where staging writes down what it changes. */
struct staging_journal ledger_journal(struct ledger_store *store);

/*
 * Put right what runs have left behind that were killed: limits are put back, what was being staged is removed. So is what no kernel counts
 * on any more: nothing is loaded, or another load has replaced it. Never touches what a living process is at work on. Under the lock.
 *
 * entry_pa: the entry point of the image that the kernel holds; 0: not known. loaded: as kernel_is_loaded() says. What the kernel may
 * count on stays.
 */
void ledgers_tidy(struct sys *sys, int loaded, pa_t entry_pa);

/* Remove all staging but that of the ledger number keep (negative: none), and all other ledgers. Under the lock. in_doubt: empty the crash
 * kernel's memory also where the kernel does not show whose image it holds; otherwise that ledger stays. Returns how many stagings still take
 * memory, because a process is attached to them. */
unsigned int ledgers_remove(struct sys *sys, int keep, bool in_doubt);

/* Whether the crash kernel's memory holds what a ledger names, or may do so, for all that can be told: whatever state the ledger is in; what a
 * later run counts on; and for certain. */
bool ledgers_use_crash_memory(struct sys *sys);
bool ledgers_count_on_crash_memory(struct sys *sys);
bool ledgers_hold_crash_memory(struct sys *sys);

/* Remove all ledgers of what was staged in the crash kernel's memory but number except (negative: none), and not what they name: something else is
 * there by now. Under the lock. */
void ledgers_leave_crash_memory(struct sys *sys, int except);

/*
 * Staging and ledger can be taken away at one stroke: kernel.shm_rmid_forced removes all segments that no process is attached to. So the
 * entry point of a load that stages is written into the lock's file as well, and 0 once another load has replaced it. Where there is no
 * such file nothing is written: reading gives 0 then.
 */
void staging_claim(struct sys *sys, pa_t entry_pa);
pa_t staging_claimed(struct sys *sys);

/* What a later run finds. */
struct ledgers_found {
	int newest;		/* number of the ledger that the kernel counts on, as far as can be told; negative: none */
	unsigned int count;	/* of ledgers of loads that were made, or nearly */
	unsigned int doubtful;	/* of them, that were interrupted while the kernel was told; whether it was is not known */
	unsigned int unread;	/* that could not be looked at */
	bool at_work;		/* a living process is staging, committing or healing */
};

/* entry_pa: as for ledgers_tidy(): then only ledgers of that image are the newest. */
struct ledgers_found ledgers_find(struct sys *sys, pa_t entry_pa);

#endif
