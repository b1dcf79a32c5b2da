/* SPDX-License-Identifier: GPL-2.0-only */
#include "verify.h"

#include "arm64_regs.h"

static int cpu_has(unsigned int isar0_shift)
{
	uint64_t isar0;

	__asm__ volatile("mrs %0, id_aa64isar0_el1" : "=r"(isar0));
	return (isar0 >> isar0_shift & 0xf) != 0;
}

crc32c_lanes_fn *best_crc32c_lanes(void)
{
	return cpu_has(ID_AA64ISAR0_CRC32_SHIFT) ? crc32c_lanes_insn : crc32c_lanes_c;
}

sha256_blocks_fn *best_sha256_blocks(void)
{
	return cpu_has(ID_AA64ISAR0_SHA2_SHIFT) ? sha256_blocks_insn : sha256_blocks_c;
}

uint64_t check_method(const struct purg_params *params)
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

int digests_differ(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	unsigned int differ = 0;
	size_t i;

	for (i = 0; i < bytes; i++)
		differ |= a[i] ^ b[i];
	return differ != 0;
}

uint64_t digest_word(const uint8_t *digest)
{
	uint64_t word = 0;
	size_t i;

	for (i = 0; i < 8; i++)
		word = word << 8 | digest[i];
	return word;
}
