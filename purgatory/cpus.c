/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Other CPUs: called by PSCI, given a CPU state, and gone again before the jump. Their own way in and out is entry.S's. PSCI:
 * Arm Power State Coordination Interface, DEN0022.
 */
#include "cpus.h"

#include "arm64_regs.h"
#include "cpu.h"
#include "work.h"

#define MPIDR_AFFINITY		0x000000ff00ffffffull	/* Aff3 and Aff2 to Aff0 (Arm ARM, MPIDR_EL1) */
#define PATIENCE_SECONDS	10

static uint64_t read_own_mpidr(void)
{
	uint64_t value;

	__asm__ volatile("mrs %0, mpidr_el1" : "=r"(value));
	return value & MPIDR_AFFINITY;
}

/* DEN0022, "Conduit": callers at EL2 use SMC. */
static uint64_t conduit(const struct purg_params *params, uint64_t el)
{
	return (el & PURG_EL_MASK) == 2 ? PURG_CONDUIT_SMC : params->conduit;
}

/*
 * What a CPU that comes from reset may not be able to do. TCR2 and SCTLR2 are UNKNOWN then, and purg_other_cpu zeroes them; firmware that
 * knows nothing of them traps that. If the old kernel wrote them it may be done. GCSCR_ELx may be UNKNOWN too (Arm ARM, GCSCR_EL1), and
 * with a Guarded Control Stack that nobody set up the first BL or RET faults; firmware may trap that register as well, and there is
 * no asking the old kernel. The first CPU has run C code at this exception level all the time.
 */
static int may_call(const struct purg_params *params)
{
	uint64_t pfr1, mmfr3;

	__asm__ volatile("mrs %0, id_aa64pfr1_el1" : "=r"(pfr1));
	__asm__ volatile("mrs %0, S3_0_C0_C7_3" : "=r"(mmfr3));	/* ID_AA64MMFR3_EL1 */
	if (pfr1 & ID_AA64PFR1_GCS_MASK)
		return 0;
	return !(mmfr3 & (ID_AA64MMFR3_TCRX_MASK | ID_AA64MMFR3_SCTLRX_MASK)) || params->flags & PURG_FLAG_MMFR3;
}

/* Desks are given in the order of the list, to those that could be called. */
unsigned int cpus_call(const struct purg_params *params, uint64_t el)
{
	struct purg_shared *shared = purg_shared(params);
	unsigned int cpus = 1, i;
	int64_t result;

	if (!may_call(params))
		return cpus;
	for (i = 0; i < params->mpidr_count && cpus < params->cpus; i++) {
		if (params->mpidr[i] == read_own_mpidr())
			continue;
		shared->cpu[cpus].mpidr = params->mpidr[i];
		/* The shared state is wiped and the CPU state labelled before the other CPU can see it. A call to firmware orders nothing. */
		data_sync();
		result = (int64_t)psci_call(PSCI_CPU_ON, params->mpidr[i], (uintptr_t)purg_other_cpu, cpus,
					    conduit(params, el));
		if (result == PSCI_SUCCESS)
			cpus++;
		else if (result == PSCI_ALREADY_ON || result == PSCI_ON_PENDING)
			/* The old kernel was to turn it off. Whatever it runs must not meet the next one. */
			purg_fatal(PURG_FATAL_CPU, params->mpidr[i], 0, 0, 0);
		/* Else it was unplugged since the load, or firmware does not want to: it is off, and stays so. */
	}
	return cpus;
}

/* Came, finished, and is off. */
static int is_gone(const struct purg_params *params, uint64_t el, const struct purg_cpu *other)
{
	return __atomic_load_n(&other->state, __ATOMIC_ACQUIRE) >= PURG_CPU_STATE_DONE &&
	       psci_call(PSCI_AFFINITY_INFO, other->mpidr, 0, 0, conduit(params, el)) == PSCI_AFFINITY_OFF;
}

static void raise(const struct purg_cpu *other)
{
	if (other->state == PURG_CPU_STATE_FAILED)
		purg_fatal(other->reason, other->detail[0], other->detail[1], other->detail[2], other->detail[3]);
}

void cpus_wait(const struct purg_params *params, uint64_t el, unsigned int cpus)
{
	const struct purg_shared *shared = purg_shared(params);
	uint64_t deadline = read_counter() + PATIENCE_SECONDS * counter_hz_for_waits();
	unsigned int cpu;

	for (cpu = 1; cpu < cpus; cpu++) {
		const struct purg_cpu *other = &shared->cpu[cpu];

		while (!is_gone(params, el, other)) {
			if (read_counter() <= deadline)
				continue;
			raise(other);	/* why it failed tells more than that it did not go */
			purg_fatal(PURG_FATAL_CPU, other->mpidr, 0, 0, 0);
		}
		raise(other);
	}
}

void purg_help(const struct purg_params *params, unsigned int cpu)
{
	struct purg_cpu *own = &purg_shared(params)->cpu[cpu];

	__atomic_store_n(&own->state, PURG_CPU_STATE_WORKING, __ATOMIC_RELAXED);
	work(params, cpu, 1);
	__atomic_store_n(&own->state, PURG_CPU_STATE_DONE, __ATOMIC_RELEASE);
}

void purg_give_up(const struct purg_params *params, unsigned int cpu, uint64_t reason, uint64_t a, uint64_t b, uint64_t c,
		  uint64_t d)
{
	struct purg_cpu *own = &purg_shared(params)->cpu[cpu];

	own->reason = reason;
	own->detail[0] = a;
	own->detail[1] = b;
	own->detail[2] = c;
	own->detail[3] = d;
	__atomic_store_n(&own->state, PURG_CPU_STATE_FAILED, __ATOMIC_RELEASE);
}
