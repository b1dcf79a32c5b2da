/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What purgatory does between the kernels: check the seal, move, verify, clean, leave the timeline. Freestanding, no
 * writable data, no library. entry.S calls in here with a stack and decides nothing else.
 *
 * It must never return from a failure: purg_fatal() does not.
 */
#include "arm64_regs.h"
#include "digest.h"
#include "purgatory.h"

static uint64_t read_isar0(void)
{
	uint64_t value;

	__asm__ volatile("mrs %0, id_aa64isar0_el1" : "=r"(value));
	return value;
}

static uint64_t read_counter(void)
{
	uint64_t value;

	/* The ISB keeps the read from moving up before the work that it ends. */
	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(value) : : "memory");
	return value;
}

static uint64_t read_counter_hz(void)
{
	uint64_t value;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(value));
	return value;
}

static int cpu_has(unsigned int isar0_shift)
{
	return (read_isar0() >> isar0_shift & 0xf) != 0;
}

/* Asked on the CPU that runs purgatory: on big.LITTLE it need not be the one that loaded. */
static crc32c_lanes_fn *crc32c_lanes(void)
{
	return cpu_has(ID_AA64ISAR0_CRC32_SHIFT) ? crc32c_lanes_insn : crc32c_lanes_c;
}

static sha256_blocks_fn *sha256_blocks(void)
{
	return cpu_has(ID_AA64ISAR0_SHA2_SHIFT) ? sha256_blocks_insn : sha256_blocks_c;
}

static int digests_differ(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	unsigned int differ = 0;
	size_t i;

	for (i = 0; i < bytes; i++)
		differ |= a[i] ^ b[i];
	return differ != 0;
}

/* The first 16 bytes of a digest as two registers: what was found lies on the warm stack, and the console runs cold. */
static uint64_t digest_word(const uint8_t *digest)
{
	uint64_t word = 0;
	size_t i;

	for (i = 0; i < 8; i++)
		word = word << 8 | digest[i];
	return word;
}

void purg_check_seal(const struct purg_header *header)
{
	const struct purg_params *params = (const void *)((uintptr_t)header + PURG_PARAMS_OFFSET);
	uint8_t found[PURG_CRC_BYTES];
	uint64_t bytes = header->sealed_bytes;

	if (params->flags & PURG_FLAG_VERBOSE)
		console_text(params, "kexec-fast: in purgatory\n");

	if (bytes % PURG_UNIT_BYTES || bytes <= PURG_PARAMS_OFFSET || bytes > PURG_CHUNK_BYTES)
		purg_fatal(PURG_FATAL_SEAL, (uintptr_t)header, bytes, 0, 0);
	digest_crc32c(found, params, bytes - PURG_PARAMS_OFFSET, crc32c_lanes());
	if (digests_differ(found, header->seal, sizeof(found)))
		purg_fatal(PURG_FATAL_SEAL, (uintptr_t)header, bytes, digest_word(found), digest_word(found + 8));
}

static uint64_t do_moves(const struct purg_params *params, uint64_t mmu)
{
	const struct purg_move *move = (const void *)(uintptr_t)params->moves.pa;
	uint64_t i, bytes = 0;

	for (i = 0; i < params->moves.count; i++, move++) {
		/* Uncached stores must not be overwritten later by a dirty line of the destination's last owner. */
		if (!mmu)
			cache_clean_inval_poc(move->dst_pa, move->bytes);
		mmu_copy((void *)(uintptr_t)move->dst_pa, (const void *)(uintptr_t)move->src_pa, move->bytes);
		bytes += move->bytes;
	}
	return bytes;
}

static uint64_t verify_runs(const struct purg_params *params)
{
	const struct purg_run *run = (const void *)(uintptr_t)params->checks.pa;
	const uint8_t *expected = (const void *)(uintptr_t)params->digests_pa;
	crc32c_lanes_fn *lanes = crc32c_lanes();
	sha256_blocks_fn *blocks = sha256_blocks();
	int crc = params->check == PURG_CHECK_CRC32C;
	size_t digest_bytes = crc ? PURG_CRC_BYTES : PURG_SHA_BYTES;
	uint64_t i, total = 0;

	for (i = 0; i < params->checks.count; i++, run++) {
		uint64_t done, bytes;

		for (done = 0; done < run->bytes; done += bytes, expected += digest_bytes) {
			const void *chunk = (const void *)(uintptr_t)(run->pa + done);
			uint8_t found[PURG_SHA_BYTES];

			bytes = run->bytes - done;
			if (bytes > PURG_CHUNK_BYTES)
				bytes = PURG_CHUNK_BYTES;
			if (crc)
				digest_crc32c(found, chunk, bytes, lanes);
			else
				digest_sha256(found, chunk, bytes, blocks);
			if (digests_differ(found, expected, digest_bytes))
				purg_fatal(PURG_FATAL_CHECK, (uintptr_t)chunk, (uintptr_t)expected, digest_word(found),
					   digest_word(found + 8));
		}
		total += run->bytes;
	}
	return total;
}

static uint64_t clean_runs(const struct purg_params *params)
{
	const struct purg_run *run = (const void *)(uintptr_t)params->cleans.pa;
	uint64_t i, bytes = 0;

	for (i = 0; i < params->cleans.count; i++, run++) {
		cache_clean_inval_poc(run->pa, run->bytes);
		bytes += run->bytes;
	}
	return bytes;
}

static uint64_t method(const struct purg_params *params)
{
	switch (params->check) {
	case PURG_CHECK_CRC32C:
		return cpu_has(ID_AA64ISAR0_CRC32_SHIFT) ? PURG_METHOD_CRC32C : PURG_METHOD_CRC32C_C;
	case PURG_CHECK_SHA256:
		return cpu_has(ID_AA64ISAR0_SHA2_SHIFT) ? PURG_METHOD_SHA256 : PURG_METHOD_SHA256_C;
	default:
		return PURG_METHOD_NONE;
	}
}

/* A device tree property is only 4-byte aligned (Devicetree Specification 5.4.1), and with the MMU off that matters. */
static void store_cell(const struct purg_params *params, enum purg_timeline_cell cell, uint64_t value)
{
	volatile uint32_t *be32 = (volatile uint32_t *)(uintptr_t)params->timeline_pa + 2 * cell;

	be32[0] = __builtin_bswap32((uint32_t)(value >> 32));
	be32[1] = __builtin_bswap32((uint32_t)value);
}

void purg_payload(const struct purg_params *params, uint64_t entry_stamp, uint64_t el, uint64_t mmu)
{
	uint64_t mmu_on_stamp, moved_stamp, verified_stamp, cleaned_stamp, moved, cleaned, verified = 0;

	mmu_on_stamp = read_counter();
	moved = do_moves(params, mmu);
	moved_stamp = read_counter();
	if (params->check != PURG_CHECK_NONE)
		verified = verify_runs(params);
	verified_stamp = read_counter();
	cleaned = clean_runs(params);
	cleaned_stamp = read_counter();

	if (!params->timeline_pa)
		return;
	store_cell(params, PURG_T_RESULT,
		   params->check == PURG_CHECK_NONE ? PURG_RESULT_UNCHECKED : PURG_RESULT_VERIFIED);
	store_cell(params, PURG_T_HZ, read_counter_hz());
	store_cell(params, PURG_T_ENTRY, entry_stamp);
	store_cell(params, PURG_T_MMU_ON, mmu_on_stamp);
	store_cell(params, PURG_T_MOVED, moved_stamp);
	store_cell(params, PURG_T_VERIFIED, verified_stamp);
	store_cell(params, PURG_T_CLEANED, cleaned_stamp);
	store_cell(params, PURG_T_MOVED_BYTES, moved);
	store_cell(params, PURG_T_VERIFIED_BYTES, verified);
	store_cell(params, PURG_T_CLEANED_BYTES, cleaned);
	store_cell(params, PURG_T_EL, el);
	store_cell(params, PURG_T_MMU, mmu);
	store_cell(params, PURG_T_METHOD, method(params));

	/* The next kernel reads its device tree through the cache, so this is for readers that do not: debuggers,
	   boot stages that look at it with the MMU off. */
	cache_clean_inval_poc(params->timeline_pa, PURG_T_CELLS * sizeof(uint64_t));
}

void purg_say_jump(const struct purg_params *params)
{
	console_text(params, "kexec-fast: entering the kernel at ");
	console_hex(params, params->kernel_pa);
	console_text(params, "\n");
}

static void digest_words(uint8_t *out, uint64_t high, uint64_t low)
{
	int i;

	for (i = 7; i >= 0; i--, high >>= 8, low >>= 8) {
		out[i] = (uint8_t)high;
		out[8 + i] = (uint8_t)low;
	}
}

/* Runs cold. a to d mean what the caller of purg_fatal() passed for this reason. */
void purg_report(const struct purg_params *params, uint64_t reason, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	uint8_t found[PURG_CRC_BYTES];

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
		console_text(params, "parameters or page tables changed since the load, at ");
		console_hex(params, a);
		break;
	case PURG_FATAL_CHECK:
		digest_words(found, c, d);
		console_text(params, "the payload changed since the load: 2 MiB at ");
		console_hex(params, a);
		console_text(params, " expected ");
		console_digest(params, (const uint8_t *)(uintptr_t)b, sizeof(found));
		console_text(params, " found ");
		console_digest(params, found, sizeof(found));
		break;
	case PURG_FATAL_EXCEPTION:
		console_text(params, "exception in purgatory, ESR ");
		console_hex(params, a);
		console_text(params, " ELR ");
		console_hex(params, b);
		console_text(params, " FAR ");
		console_hex(params, c);
		break;
	default:
		console_text(params, "unknown failure ");
		console_hex(params, reason);
		break;
	}
	console_text(params, "; resetting the machine\n");
}
