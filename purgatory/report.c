/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What purgatory says on the console, and what went wrong above all. purg_fatal() calls in here from anywhere, so nothing is used but the
 * console, and nothing is trusted but the parameters.
 */
#include "console.h"
#include "purgatory.h"

void purg_say_jump(const struct purg_params *params)
{
	console_text(params, "kexec-fast: entering the kernel at ");
	console_hex(params, params->kernel_pa);
	console_text(params, "\n");
	console_flush(params);
}

/* The reverse of digest_word(), of two. */
static void digest_words(uint8_t *out, uint64_t high, uint64_t low)
{
	int i;

	for (i = 7; i >= 0; i--, high >>= 8, low >>= 8) {
		out[i] = (uint8_t)high;
		out[8 + i] = (uint8_t)low;
	}
}

/* What a digest was to be and what it is: the expected one from memory, the other from the registers it came in. */
static void report_digests(const struct purg_params *params, uint64_t expected_pa, uint64_t high, uint64_t low)
{
	uint8_t found[PURG_CRC_BYTES];

	digest_words(found, high, low);
	console_text(params, " expected ");
	console_digest(params, (const uint8_t *)(uintptr_t)expected_pa, sizeof(found));
	console_text(params, " found ");
	console_digest(params, found, sizeof(found));
}

static void report_exception(const struct purg_params *params, uint64_t esr, uint64_t elr, uint64_t far)
{
	uint64_t base_pa = params->base_pa;

	/* Our vectors stay until the new kernel sets its own. */
	console_text(params, elr - base_pa < PURG_CONTROL_BYTES_MAX ? "exception in purgatory, ESR " :
								       "exception before the new kernel took over, ESR ");
	console_hex(params, esr);
	console_text(params, " ELR ");
	console_hex(params, elr);
	console_text(params, " FAR ");
	console_hex(params, far);
}

/* Runs cold. a to d mean what the caller of purg_fatal() passed for this reason. */
void purg_report(const struct purg_params *params, uint64_t reason, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	console_text(params, "\nkexec-fast: ");
	switch (reason) {
	case PURG_FATAL_HEADER:
		console_text(params, "the parameter block is damaged or of another version");
		break;
	case PURG_FATAL_PLACE:
		console_text(params, "purgatory is not where it was planned to be, ");
		console_hex(params, params->base_pa);
		break;
	case PURG_FATAL_SEAL:
		console_text(params, "parameters, lists or page tables changed since the load: at ");
		console_hex(params, a);
		report_digests(params, b, c, d);
		break;
	case PURG_FATAL_CHECK:
		console_text(params, "the payload changed since the load: at ");
		console_hex(params, a);
		report_digests(params, b, c, d);
		break;
	case PURG_FATAL_EXCEPTION:
		report_exception(params, a, b, c);
		break;
	case PURG_FATAL_MAP:
		console_text(params, "the page tables do not map purgatory itself, at ");
		console_hex(params, a);
		break;
	case PURG_FATAL_PAGE_SIZE:
		console_text(params, "this CPU has no pages of the size that the kernel uses, ");
		console_hex(params, a);
		break;
	case PURG_FATAL_UNCHECKED:
		console_text(params, "not all of the payload was verified: ");
		console_hex(params, a);
		console_text(params, " bytes instead of ");
		console_hex(params, b);
		break;
	case PURG_FATAL_CPU:
		console_text(params, "another CPU did not come, or does not go: MPIDR ");
		console_hex(params, a);
		break;
	case PURG_FATAL_PANIC:
		console_text(params, "the kernel panicked while its crash kernel's memory held the kernel for the next reboot, so there is no dump");
		break;
	default:
		console_text(params, "unknown failure ");
		console_hex(params, reason);
		break;
	}
	console_text(params, "; resetting the machine\n");
	console_flush(params);
}
