/* SPDX-License-Identifier: GPL-2.0-only */
/* How the payload is verified, and by how many CPUs. */
#include "stages.h"

static void choose_check(struct choices *to, const struct sys *sys, const struct load_request *request, struct report *report)
{
	unsigned int cpu = sys->cpu_features;

	switch (request->check) {
	case CHECK_NONE:
		to->check = PURG_CHECK_NONE;
		break;
	case CHECK_SHA256:
		to->check = PURG_CHECK_SHA256;
		break;
	case CHECK_CRC32C:
		to->check = PURG_CHECK_CRC32C;
		break;
	default:
		to->check = cpu & CPU_CRC32 || !(cpu & CPU_SHA2) ? PURG_CHECK_CRC32C : PURG_CHECK_SHA256;
		break;
	}
	if ((to->check == PURG_CHECK_CRC32C && !(cpu & CPU_CRC32)) || (to->check == PURG_CHECK_SHA256 && !(cpu & CPU_SHA2)))
		report_note(report, "this CPU has no instructions for the check, so it is done in C and takes longer");
}

/* Calling a CPU takes as long as verifying a few MiB. Reading for a CRC soon waits for the memory; SHA-256 waits for the CPU. */
#define AUTO_CPUS_CRC32C	4
#define AUTO_CPUS_SHA256	PURG_CPUS_MAX

static void choose_cpus(struct choices *to, const struct sys *sys, const struct load_request *request, const struct machine *m,
			uint64_t payload_bytes, struct report *report)
{
	unsigned int wanted = request->cpus ? request->cpus : 1, most = m->cpus_online;
	const char *why = NULL;

	if (wanted == CPUS_AUTO) {
		wanted = 1;
		if (to->check != PURG_CHECK_NONE && !request->crash && payload_bytes >= CHOICES_AUTO_FROM_BYTES)
			wanted = to->check == PURG_CHECK_SHA256 ? AUTO_CPUS_SHA256 : AUTO_CPUS_CRC32C;
		if (wanted > most && most)
			wanted = most;
	}
	to->cpus = 1;
	if (wanted == 1)
		return;
	if (request->crash)
		/* Purgatory resets the machine when one that it called does not come, and then there is no dump. */
		why = "after a panic another one may be stuck";
	else if (!m->psci)
		why = "there is no PSCI 0.2 firmware to call others with";
	else if (!m->mpidr_count)
		why = "it is not known how firmware numbers the others";
	else if (sys->cpu_features & CPU_GCS)
		/* purgatory/cpus.c knows it too, also where this kernel hides it. */
		why = "other CPUs cannot be called where there are guarded control stacks (FEAT_GCS)";
	else if (request->no_mmu)
		why = "with the MMU off CPUs cannot share work";
	if (why) {
		report_note(report, "purgatory uses one CPU: %s", why);
		return;
	}
	to->cpus = wanted;
	if (wanted > most && most <= PURG_CPUS_MAX) {
		to->cpus = most;
		report_note(report, "purgatory uses %u CPU%s: there are no more", most, most == 1 ? "" : "s");
	} else if (wanted > PURG_CPUS_MAX) {
		to->cpus = PURG_CPUS_MAX;
		report_note(report, "purgatory uses %u CPUs: more would only wait for the memory", PURG_CPUS_MAX);
	}
}

/* Bad news that nobody would see: then at least that. */
static void note_console(const struct machine *m, struct report *report)
{
	if (m->uart.kind == PURG_UART_NONE && m->unknown_console[0])
		report_note(report, "purgatory is silent: it does not know the console %s", m->unknown_console);
}

void choices_make(struct choices *choices, const struct sys *sys, const struct load_request *request, const struct machine *machine,
		  uint64_t payload_bytes, struct report *report)
{
	choose_check(choices, sys, request, report);
	choose_cpus(choices, sys, request, machine, payload_bytes, report);
	note_console(machine, report);
	choices->digest = choices->check == PURG_CHECK_NONE ? PURG_CHECK_CRC32C : choices->check;
}
