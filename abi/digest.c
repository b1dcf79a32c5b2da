/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Digests of whole chunks, and the portable forms of their inner loops. Runs in purgatory too, also with the MMU off:
 * no unaligned access, no library, nothing that would need a relocation.
 */
#include "digest.h"
#include "purgatory_abi.h"

/*
 * CRC32C four bytes at a time: entry b of table k is what byte b does to the CRC when k zero bytes follow it. That is linear
 * in the bits of b (polynomial 0x82f63b78), so eight constants make a table, and the compiler computes it.
 */
#define CRC32C_BIT(n, bit, value)	((n) >> (bit) & 1 ? (value) : 0u)
#define CRC32C_XOR(n, b0, b1, b2, b3, b4, b5, b6, b7) \
	(CRC32C_BIT(n, 0, b0) ^ CRC32C_BIT(n, 1, b1) ^ CRC32C_BIT(n, 2, b2) ^ CRC32C_BIT(n, 3, b3) ^ \
	 CRC32C_BIT(n, 4, b4) ^ CRC32C_BIT(n, 5, b5) ^ CRC32C_BIT(n, 6, b6) ^ CRC32C_BIT(n, 7, b7))
#define CRC32C_TABLE_0(n)	CRC32C_XOR(n, 0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78)
#define CRC32C_TABLE_1(n)	CRC32C_XOR(n, 0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9)
#define CRC32C_TABLE_2(n)	CRC32C_XOR(n, 0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743)
#define CRC32C_TABLE_3(n)	CRC32C_XOR(n, 0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f)
#define ENTRIES_4(table, n)	table(n), table((n) + 1), table((n) + 2), table((n) + 3)
#define ENTRIES_16(table, n) \
	ENTRIES_4(table, n), ENTRIES_4(table, (n) + 4), ENTRIES_4(table, (n) + 8), ENTRIES_4(table, (n) + 12)
#define ENTRIES_64(table, n) \
	ENTRIES_16(table, n), ENTRIES_16(table, (n) + 16), ENTRIES_16(table, (n) + 32), ENTRIES_16(table, (n) + 48)
#define ENTRIES_256(table) \
	ENTRIES_64(table, 0), ENTRIES_64(table, 64), ENTRIES_64(table, 128), ENTRIES_64(table, 192)

static const uint32_t crc32c_table[4][256] = {
	{ ENTRIES_256(CRC32C_TABLE_0) }, { ENTRIES_256(CRC32C_TABLE_1) },
	{ ENTRIES_256(CRC32C_TABLE_2) }, { ENTRIES_256(CRC32C_TABLE_3) },
};

static inline uint32_t crc32c_4_bytes(uint32_t crc, uint32_t value)
{
	crc ^= value;
	return crc32c_table[3][crc & 0xff] ^ crc32c_table[2][crc >> 8 & 0xff] ^ crc32c_table[1][crc >> 16 & 0xff] ^
	       crc32c_table[0][crc >> 24];
}

static inline uint32_t crc32c_8_bytes(uint32_t crc, uint64_t value)
{
	return crc32c_4_bytes(crc32c_4_bytes(crc, (uint32_t)value), (uint32_t)(value >> 32));
}

/* The lanes do not wait for one another here either: a core that looks ahead works on several at a time. */
void crc32c_lanes_c(uint32_t lane[CRC_LANES], const void *data, size_t bytes)
{
	const uint64_t *word = data, *end = word + bytes / sizeof(*word);
	uint32_t a = lane[0], b = lane[1], c = lane[2], d = lane[3];

	for (; word < end; word += CRC_LANES) {
		a = crc32c_8_bytes(a, word[0]);
		b = crc32c_8_bytes(b, word[1]);
		c = crc32c_8_bytes(c, word[2]);
		d = crc32c_8_bytes(d, word[3]);
	}
	lane[0] = a;
	lane[1] = b;
	lane[2] = c;
	lane[3] = d;
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

void crc32c_start(uint32_t lane[CRC_LANES])
{
	size_t i;

	for (i = 0; i < CRC_LANES; i++)
		lane[i] = 0xffffffff;
}

void crc32c_finish(uint8_t *out, const uint32_t lane[CRC_LANES])
{
	size_t i;

	for (i = 0; i < CRC_LANES; i++)
		store_le32(out + 4 * i, ~lane[i]);
}

void digest_crc32c(uint8_t *out, const void *data, size_t bytes, crc32c_lanes_fn *lanes)
{
	uint32_t lane[CRC_LANES];

	crc32c_start(lane);
	lanes(lane, data, bytes);
	crc32c_finish(out, lane);
}

static uint32_t rotate_right(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

void sha256_blocks_c(uint32_t state[SHA256_WORDS], const void *data, size_t blocks)
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

void sha256_start(uint32_t state[SHA256_WORDS])
{
	static const uint32_t start[SHA256_WORDS] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};
	size_t i;

	for (i = 0; i < SHA256_WORDS; i++)
		state[i] = start[i];
}

/* A message is a multiple of the block, so the padding of FIPS 180-4, 5.1.1 is one block of its own. */
void sha256_finish(uint8_t *out, uint32_t state[SHA256_WORDS], uint64_t bytes, sha256_blocks_fn *blocks)
{
	uint32_t last[SHA256_BLOCK_BYTES / sizeof(uint32_t)];
	uint64_t bits = bytes * 8;
	size_t i;

	for (i = 0; i < SHA256_BLOCK_BYTES / sizeof(uint32_t); i++)
		last[i] = 0;
	last[0] = 0x80;
	last[14] = __builtin_bswap32((uint32_t)(bits >> 32));
	last[15] = __builtin_bswap32((uint32_t)bits);
	blocks(state, last, 1);
	for (i = 0; i < SHA256_WORDS; i++)
		store_be32(out + 4 * i, state[i]);
}

void digest_sha256(uint8_t *out, const void *data, size_t bytes, sha256_blocks_fn *blocks)
{
	uint32_t state[SHA256_WORDS];

	sha256_start(state);
	blocks(state, data, bytes / SHA256_BLOCK_BYTES);
	sha256_finish(out, state, bytes, blocks);
}

void digest_sha256_2x(uint8_t *out_a, const void *a, uint8_t *out_b, const void *b, size_t bytes,
		      sha256_blocks_2x_fn *blocks_2x, sha256_blocks_fn *blocks)
{
	uint32_t state_a[SHA256_WORDS], state_b[SHA256_WORDS];

	sha256_start(state_a);
	sha256_start(state_b);
	blocks_2x(state_a, a, state_b, b, bytes / SHA256_BLOCK_BYTES);
	sha256_finish(out_a, state_a, bytes, blocks);
	sha256_finish(out_b, state_b, bytes, blocks);
}
