/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Staging in the memory that is reserved for a crash kernel (crashkernel=): contiguous, nobody else's, and nothing ever moves in it. What is
 * staged goes there by kexec_load(2) with KEXEC_ON_CRASH, as the segments of an image; so no process can write to it or read it afterwards,
 * and the kernel takes its own mapping of it away (arch/arm64/kernel/machine_kexec.c, arch_kexec_protect_crashkres()).
 *
 * The image that the kernel starts should it panic meanwhile says so and resets the machine: there is no dump as long as this is staged. It
 * lies in the last 2 MiB.
 */
#ifndef CRASH_MEMORY_H
#define CRASH_MEMORY_H

#include "ledger.h"
#include "staging.h"

extern const struct staging_ops crash_memory_staging;

/* What may be staged in, of the memory that is reserved: whole pages of 2 MiB, and the one behind them, for the panic image. bytes 0: there
 * is not enough. */
struct range crash_memory_area(struct range reserved, pa_t *panic_pa);

/*
 * Whether the crash kernel's memory holds what this header is about: 1, 0, or -1 where the kernel does not show whose image it is
 * (loaded_crash_entry_pa()).
 */
int crash_memory_holds(struct sys *sys, const struct ledger_header *header);

/* Empty it, if it holds that; in doubt only with in_doubt. Returns whether it does not hold that any more. */
bool crash_memory_remove(struct sys *sys, const struct ledger_header *header, bool in_doubt);

#endif
