/* SPDX-License-Identifier: GPL-2.0-only */
/* Digests on the loader's side, by the instructions that this CPU has. */
#include "stages.h"

#include "digest.h"

#ifdef __aarch64__
#define CRC32C_LANES_BEST	crc32c_lanes_insn
#define SHA256_BLOCKS_BEST	sha256_blocks_insn
#define SHA256_2X_BEST(...)	digest_sha256_2x(__VA_ARGS__, sha256_blocks_2x_insn, sha256_blocks_insn)
#else
#define CRC32C_LANES_BEST	crc32c_lanes_c
#define SHA256_BLOCKS_BEST	sha256_blocks_c
/* For the tests: two messages one after the other. */
static void digest_pair_c(uint8_t *out_a, const void *a, uint8_t *out_b, const void *b, size_t bytes)
{
	digest_sha256(out_a, a, bytes, sha256_blocks_c);
	digest_sha256(out_b, b, bytes, sha256_blocks_c);
}
#define SHA256_2X_BEST		digest_pair_c
#endif

void digest_make(const struct sys *sys, uint32_t digest, uint8_t *out, const void *bytes, size_t count)
{
	if (digest == PURG_CHECK_SHA256)
		digest_sha256(out, bytes, count, sys->cpu_features & CPU_SHA2 ? SHA256_BLOCKS_BEST : sha256_blocks_c);
	else
		digest_crc32c(out, bytes, count, sys->cpu_features & CPU_CRC32 ? CRC32C_LANES_BEST : crc32c_lanes_c);
}

void digest_make_2(const struct sys *sys, uint32_t digest, uint8_t *out_a, const void *a, uint8_t *out_b, const void *b, size_t count)
{
	if (digest == PURG_CHECK_SHA256 && sys->cpu_features & CPU_SHA2) {
		SHA256_2X_BEST(out_a, a, out_b, b, count);
		return;
	}
	digest_make(sys, digest, out_a, a, count);
	digest_make(sys, digest, out_b, b, count);
}
