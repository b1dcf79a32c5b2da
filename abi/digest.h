/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The digests that the loader makes and purgatory verifies; the same code on both sides, freestanding.
 *
 * CRC32C lanes: four CRC32C (Castagnoli, reflected, polynomial 0x82f63b78) side by side. Of every 32 bytes, lane k
 * takes the 8 bytes at 8 * k. Each lane starts as all ones and is stored inverted, little-endian, so that a lane is the
 * ordinary CRC32C of its own bytes. Lanes are never merged: 128 bits per chunk.
 *
 * SHA-256: FIPS 180-4.
 *
 * All lengths are multiples of 64 and all addresses 8-byte aligned.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* Hidden: so that taking a function's address needs no global offset table, which purgatory has not. */
#pragma GCC visibility push(hidden)

#define CRC_LANES	4
#define SHA256_WORDS		8
#define SHA256_BLOCK_BYTES	64

/* Continue the four lanes over bytes (a multiple of 32). The _insn form needs the CRC32 instructions. */
void crc32c_lanes_c(uint32_t lane[CRC_LANES], const void *data, size_t bytes);
void crc32c_lanes_insn(uint32_t lane[CRC_LANES], const void *data, size_t bytes);

/* Continue a SHA-256 state over whole blocks. The _insn form needs the SHA2 instructions and SIMD. */
void sha256_blocks_c(uint32_t state[SHA256_WORDS], const void *data, size_t blocks);
void sha256_blocks_insn(uint32_t state[SHA256_WORDS], const void *data, size_t blocks);

/* The same for two messages side by side: the SHA2 instructions wait for one another, and the second message fills the
 * gaps. As many blocks of each. */
void sha256_blocks_2x_insn(uint32_t state_a[SHA256_WORDS], const void *a, uint32_t state_b[SHA256_WORDS], const void *b, size_t blocks);

typedef void crc32c_lanes_fn(uint32_t lane[CRC_LANES], const void *data, size_t bytes);
typedef void sha256_blocks_fn(uint32_t state[SHA256_WORDS], const void *data, size_t blocks);
typedef void sha256_blocks_2x_fn(uint32_t state_a[SHA256_WORDS], const void *a, uint32_t state_b[SHA256_WORDS], const void *b, size_t blocks);

/* What comes before and after the above; bytes is the length of the whole message. */
void crc32c_start(uint32_t lane[CRC_LANES]);
void crc32c_finish(uint8_t *out, const uint32_t lane[CRC_LANES]);
void sha256_start(uint32_t state[SHA256_WORDS]);
void sha256_finish(uint8_t *out, uint32_t state[SHA256_WORDS], uint64_t bytes, sha256_blocks_fn *blocks);

/* The digest of one chunk, or of two that are equally long. Writes PURG_CRC_BYTES or PURG_SHA_BYTES. */
void digest_crc32c(uint8_t *out, const void *data, size_t bytes, crc32c_lanes_fn *lanes);
void digest_sha256(uint8_t *out, const void *data, size_t bytes, sha256_blocks_fn *blocks);
void digest_sha256_2x(uint8_t *out_a, const void *a, uint8_t *out_b, const void *b, size_t bytes,
		      sha256_blocks_2x_fn *blocks_2x, sha256_blocks_fn *blocks);

#pragma GCC visibility pop

#endif
