/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Digests of whole chunks, and the portable forms of their inner loops. Runs in purgatory too, also with the MMU off:
 * no unaligned access, no library, no table in memory that would need a relocation.
 */
#include "digest.h"
#include "purgatory_abi.h"

#define CRC32C_POLY	0x82f63b78u

void crc32c_lanes_c(uint32_t lane[CRC_LANES], const void *data, size_t bytes)
{
	const uint64_t *word = data;
	uint32_t table[256];
	size_t i, bit;

	for (i = 0; i < 256; i++) {
		uint32_t crc = (uint32_t)i;

		for (bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? CRC32C_POLY : 0);
		table[i] = crc;
	}

	for (i = 0; i < bytes / sizeof(*word); i++) {
		uint64_t value = word[i];
		uint32_t crc = lane[i % CRC_LANES];

		for (bit = 0; bit < 64; bit += 8)
			crc = (crc >> 8) ^ table[(crc ^ (uint32_t)(value >> bit)) & 0xff];
		lane[i % CRC_LANES] = crc;
	}
}

static void store_le32(uint8_t *out, uint32_t value)
{
	out[0] = (uint8_t)value;
	out[1] = (uint8_t)(value >> 8);
	out[2] = (uint8_t)(value >> 16);
	out[3] = (uint8_t)(value >> 24);
}

static void store_be32(uint8_t *out, uint32_t value)
{
	out[0] = (uint8_t)(value >> 24);
	out[1] = (uint8_t)(value >> 16);
	out[2] = (uint8_t)(value >> 8);
	out[3] = (uint8_t)value;
}

void digest_crc32c(uint8_t *out, const void *data, size_t bytes, crc32c_lanes_fn *lanes)
{
	uint32_t lane[CRC_LANES];
	size_t i;

	for (i = 0; i < CRC_LANES; i++)
		lane[i] = 0xffffffff;
	lanes(lane, data, bytes);
	for (i = 0; i < CRC_LANES; i++)
		store_le32(out + 4 * i, ~lane[i]);
}

static uint32_t rotate_right(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

void sha256_blocks_c(uint32_t state[8], const void *data, size_t blocks)
{
	static const uint32_t k[64] = {
		0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
		0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
		0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
		0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
		0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
		0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
		0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
		0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
	};
	const uint32_t *word = data;

	for (; blocks > 0; blocks--, word += 16) {
		uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
		uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
		uint32_t w[16];
		size_t i;

		for (i = 0; i < 64; i++) {
			uint32_t t1, t2;

			if (i < 16) {
				w[i] = __builtin_bswap32(word[i]);
			} else {
				uint32_t w15 = w[(i + 1) % 16], w2 = w[(i + 14) % 16];

				w[i % 16] += (rotate_right(w15, 7) ^ rotate_right(w15, 18) ^ w15 >> 3) + w[(i + 9) % 16] +
					     (rotate_right(w2, 17) ^ rotate_right(w2, 19) ^ w2 >> 10);
			}
			t1 = h + (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) + ((e & f) ^ (~e & g)) +
			     k[i] + w[i % 16];
			t2 = (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) +
			     ((a & b) ^ (a & c) ^ (b & c));
			h = g;
			g = f;
			f = e;
			e = d + t1;
			d = c;
			c = b;
			b = a;
			a = t1 + t2;
		}
		state[0] += a;
		state[1] += b;
		state[2] += c;
		state[3] += d;
		state[4] += e;
		state[5] += f;
		state[6] += g;
		state[7] += h;
	}
}

static const uint32_t sha256_start[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* A message is a multiple of the block, so the padding of FIPS 180-4, 5.1.1 is one block of its own. */
static void sha256_pad(uint32_t last[SHA256_BLOCK_BYTES / sizeof(uint32_t)], size_t bytes)
{
	uint64_t bits = (uint64_t)bytes * 8;
	size_t i;

	for (i = 0; i < SHA256_BLOCK_BYTES / sizeof(uint32_t); i++)
		last[i] = 0;
	last[0] = 0x80;
	last[14] = __builtin_bswap32((uint32_t)(bits >> 32));
	last[15] = __builtin_bswap32((uint32_t)bits);
}

void digest_sha256(uint8_t *out, const void *data, size_t bytes, sha256_blocks_fn *blocks)
{
	uint32_t last[SHA256_BLOCK_BYTES / sizeof(uint32_t)], state[8];
	size_t i;

	for (i = 0; i < 8; i++)
		state[i] = sha256_start[i];
	sha256_pad(last, bytes);
	blocks(state, data, bytes / SHA256_BLOCK_BYTES);
	blocks(state, last, 1);
	for (i = 0; i < 8; i++)
		store_be32(out + 4 * i, state[i]);
}

void digest_sha256_2x(uint8_t *out, const void *a, const void *b, size_t bytes, sha256_blocks_2x_fn *blocks)
{
	uint32_t last[SHA256_BLOCK_BYTES / sizeof(uint32_t)], state_a[8], state_b[8];
	size_t i;

	for (i = 0; i < 8; i++)
		state_a[i] = state_b[i] = sha256_start[i];
	sha256_pad(last, bytes);
	blocks(state_a, a, state_b, b, bytes / SHA256_BLOCK_BYTES);
	blocks(state_a, last, state_b, last, 1);
	for (i = 0; i < 8; i++) {
		store_be32(out + 4 * i, state_a[i]);
		store_be32(out + PURG_SHA_BYTES + 4 * i, state_b[i]);
	}
}
