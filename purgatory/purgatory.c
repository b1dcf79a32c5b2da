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

void purg_check_seal(const struct purg_header *header, uint64_t regime)
{
	const struct purg_params *params = (const void *)((uintptr_t)header + PURG_PARAMS_OFFSET);
	uint64_t base_pa = (uintptr_t)header, bytes = header->sealed_bytes;
	uint8_t found[PURG_CRC_BYTES];

	if (bytes % PURG_UNIT_BYTES || bytes <= PURG_PARAMS_OFFSET || bytes > PURG_HIDEOUT_BYTES_MAX - PURG_WORK_BYTES)
		purg_fatal(PURG_FATAL_SEAL, base_pa, (uintptr_t)header->seal, 0, 0);
	digest_crc32c(found, params, bytes - PURG_PARAMS_OFFSET, crc32c_lanes());
	if (digests_differ(found, header->seal, sizeof(found)))
		purg_fatal(PURG_FATAL_SEAL, base_pa, (uintptr_t)header->seal, digest_word(found), digest_word(found + 8));

	if (params->flags & PURG_FLAG_VERBOSE)
		console_text(params, "kexec-fast: in purgatory\n");
	if (!map_holds_code(params, regime, base_pa) || !map_holds_code(params, regime, base_pa + bytes - 1))
		purg_fatal(PURG_FATAL_MAP, base_pa, params->regime[regime].ttbr0_pa, 0, 0);
	if (params->kernel_page_shift && !cpu_has_granule(params->kernel_page_shift))
		purg_fatal(PURG_FATAL_PAGE_SIZE, 1ull << params->kernel_page_shift, 0, 0, 0);
}

static uint64_t do_moves(const struct purg_params *params, uint64_t mmu)
{
	const struct purg_move *move = (const void *)(uintptr_t)params->moves.pa;
	uint64_t i, bytes = 0;

	for (i = 0; i < params->moves.count; i++, move++) {
		/* Uncached loads must see what was stored through the cache; uncached stores must not be overwritten later
		   by a dirty line of the destination's last owner. */
		if (!mmu) {
			cache_clean_inval_poc(move->src_pa, move->bytes);
			cache_clean_inval_poc(move->dst_pa, move->bytes);
		}
		mmu_copy((void *)(uintptr_t)move->dst_pa, (const void *)(uintptr_t)move->src_pa, move->bytes);
		bytes += move->bytes;
	}
	return bytes;
}

/* The chunk at pa against its digest: no way on if it is not what it was. */
static void judge(uint64_t pa, const uint8_t *found, const uint8_t *expected, size_t digest_bytes)
{
	if (digests_differ(found, expected, digest_bytes))
		purg_fatal(PURG_FATAL_CHECK, pa, (uintptr_t)expected, digest_word(found), digest_word(found + 8));
}

/* Verify the run's next chunk, or with the SHA2 instructions its next two; returns how many bytes that was. */
static uint64_t verify_next(const struct purg_params *params, uint64_t pa, uint64_t left, const uint8_t *expected)
{
	const void *chunk = (const void *)(uintptr_t)pa;
	uint64_t bytes = left < PURG_CHUNK_BYTES ? left : PURG_CHUNK_BYTES;
	uint8_t found[2 * PURG_SHA_BYTES];

	if (params->check == PURG_CHECK_CRC32C) {
		digest_crc32c(found, chunk, bytes, crc32c_lanes());
		judge(pa, found, expected, PURG_CRC_BYTES);
	} else if (left >= 2 * PURG_CHUNK_BYTES && cpu_has(ID_AA64ISAR0_SHA2_SHIFT)) {
		digest_sha256_2x(found, chunk, (const void *)(uintptr_t)(pa + PURG_CHUNK_BYTES), PURG_CHUNK_BYTES,
				 sha256_blocks_2x_insn);
		judge(pa, found, expected, PURG_SHA_BYTES);
		judge(pa + PURG_CHUNK_BYTES, found + PURG_SHA_BYTES, expected + PURG_SHA_BYTES, PURG_SHA_BYTES);
		bytes = 2 * PURG_CHUNK_BYTES;
	} else {
		digest_sha256(found, chunk, bytes, sha256_blocks());
		judge(pa, found, expected, PURG_SHA_BYTES);
	}
	return bytes;
}

static uint64_t verify_runs(const struct purg_params *params, uint64_t mmu)
{
	const struct purg_run *run = (const void *)(uintptr_t)params->checks.pa;
	const uint8_t *expected = (const void *)(uintptr_t)params->digests_pa;
	size_t digest_bytes = params->check == PURG_CHECK_CRC32C ? PURG_CRC_BYTES : PURG_SHA_BYTES;
	uint64_t i, done, bytes, total = 0;

	for (i = 0; i < params->checks.count; i++, run++) {
		/* A stray store of the old kernel may still be a dirty line that memory does not show. */
		if (!mmu)
			cache_clean_inval_poc(run->pa, run->bytes);
		for (done = 0; done < run->bytes; done += bytes) {
			bytes = verify_next(params, run->pa + done, run->bytes - done, expected);
			expected += (bytes + PURG_CHUNK_BYTES - 1) / PURG_CHUNK_BYTES * digest_bytes;
		}
		total += run->bytes;
	}
	if (!total)
		purg_fatal(PURG_FATAL_UNCHECKED, 0, 0, 0, 0);
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
		verified = verify_runs(params, mmu);
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
	console_flush(params);
}

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
	console_text(params, elr - base_pa < PURG_HIDEOUT_BYTES_MAX ? "exception in purgatory, ESR " :
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
		console_text(params, "there is nothing to verify, though verification was asked for");
		break;
	default:
		console_text(params, "unknown failure ");
		console_hex(params, reason);
		break;
	}
	console_text(params, "; resetting the machine\n");
	console_flush(params);
}
