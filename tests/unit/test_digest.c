/* SPDX-License-Identifier: GPL-2.0-only */
/* The portable digests, against published values, values of Python's hashlib, and slow second implementations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest.h"
#include "purgatory_abi.h"
#include "seed.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static void assert_hex(const uint8_t *digest, size_t bytes, const char *want)
{
	char text[2 * PURG_SHA_BYTES + 1];
	size_t i;

	for (i = 0; i < bytes; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(text, want);
}

static void sha256(uint8_t *out, const void *data, size_t bytes)
{
	digest_sha256(out, data, bytes, sha256_blocks_c);
}

/* FIPS 180-4 as it is written: the constants from the primes, the whole message schedule, padding byte by byte. */
static uint32_t root_fraction(uint32_t prime, unsigned int degree)
{
	/* The largest x with x^degree <= prime << 32 * degree; its low 32 bits are the fraction. */
	uint64_t low = 0, high = 32ull << 32;

	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;
		unsigned __int128 power = (unsigned __int128)middle * middle;
		bool above;

		if (degree == 2)
			above = power > (unsigned __int128)prime << 64;
		else	/* power is below 2^74; cut both sides, then decide exactly on the high part */
			above = power / ((unsigned __int128)1 << 32) * middle +
				((power & 0xffffffff) * middle >> 32) >= (unsigned __int128)prime << 64;
		*(above ? &high : &low) = middle;
	}
	return (uint32_t)low;
}

static uint32_t rotr(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

static void slow_sha256(uint8_t *out, const uint8_t *data, size_t bytes)
{
	size_t padded = (bytes + 9 + 63) / 64 * 64, at, t;
	uint8_t *message = calloc(1, padded);
	uint32_t k[64], h[8], primes = 0, candidate, divisor;

	for (candidate = 2; primes < 64; candidate++) {
		for (divisor = 2; candidate % divisor; divisor++)
			;
		if (divisor != candidate)
			continue;
		if (primes < 8)
			h[primes] = root_fraction(candidate, 2);
		k[primes++] = root_fraction(candidate, 3);
	}
	memcpy(message, data, bytes);
	message[bytes] = 0x80;
	for (t = 0; t < 8; t++)
		message[padded - 1 - t] = (uint8_t)((uint64_t)bytes * 8 >> (8 * t));
	for (at = 0; at < padded; at += 64) {
		uint32_t w[64], v[8];

		for (t = 0; t < 16; t++)
			w[t] = (uint32_t)message[at + 4 * t] << 24 | (uint32_t)message[at + 4 * t + 1] << 16 |
			       (uint32_t)message[at + 4 * t + 2] << 8 | message[at + 4 * t + 3];
		for (; t < 64; t++)
			w[t] = (rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ w[t - 2] >> 10) + w[t - 7] +
			       (rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ w[t - 15] >> 3) + w[t - 16];
		memcpy(v, h, sizeof(v));
		for (t = 0; t < 64; t++) {
			uint32_t t1 = v[7] + (rotr(v[4], 6) ^ rotr(v[4], 11) ^ rotr(v[4], 25)) +
				      ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[t] + w[t];
			uint32_t t2 = (rotr(v[0], 2) ^ rotr(v[0], 13) ^ rotr(v[0], 22)) +
				      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

			memmove(v + 1, v, 7 * sizeof(*v));
			v[4] += t1;
			v[0] = t1 + t2;
		}
		for (t = 0; t < 8; t++)
			h[t] += v[t];
	}
	free(message);
	for (t = 0; t < 32; t++)
		out[t] = (uint8_t)(h[t / 4] >> (24 - 8 * (t % 4)));
}

/* Bit by bit, from RFC 3720's definition. */
static uint32_t slow_crc32c(const uint8_t *data, size_t bytes)
{
	uint32_t crc = ~0u;
	unsigned int bit;

	for (; bytes--; data++)
		for (bit = 0; bit < 8; bit++) {
			uint32_t out = (crc ^ (uint32_t)*data >> bit) & 1;

			crc = crc >> 1 ^ (out ? 0x82f63b78u : 0);
		}
	return ~crc;
}

/* What the lanes should give: each the CRC32C of its own 8 bytes of every 32, little-endian. */
static void slow_lanes(uint8_t *out, const uint8_t *data, size_t bytes)
{
	uint8_t *own = malloc(bytes / 4 + 1);
	size_t lane, i;

	for (lane = 0; lane < CRC_LANES; lane++) {
		uint32_t crc;

		for (i = 0; i < bytes / 4; i++)
			own[i] = data[i / 8 * 32 + lane * 8 + i % 8];
		crc = slow_crc32c(own, bytes / 4);
		for (i = 0; i < 4; i++)
			out[4 * lane + i] = (uint8_t)(crc >> (8 * i));
	}
	free(own);
}

static void formula(uint8_t *out, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		out[i] = (uint8_t)(i * i * 7 + i * 3);
}

static void test_sha256_of_nothing(void **state)
{
	uint64_t none[1] = { 0 };
	uint8_t out[PURG_SHA_BYTES];

	(void)state;
	sha256(out, none, 0);
	assert_hex(out, sizeof(out), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* NIST's "one million times a": 1000000 = 15625 * 64, whole blocks. */
static void test_sha256_million_a(void **state)
{
	uint8_t out[PURG_SHA_BYTES], *data = malloc(1000000);

	(void)state;
	memset(data, 'a', 1000000);
	sha256(out, data, 1000000);
	free(data);
	assert_hex(out, sizeof(out), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Values of Python's hashlib. */
static void test_sha256_of_hashlib(void **state)
{
	static const struct { size_t bytes; const char *want; } v[] = {
		{ 128, "1168bbf7f1cb932b1dc3e6a02a0457c46457146463c3b30a59b9fbd3ce798e92" },
		{ 256, "9255aed8b9f9ba6e653702b00898ba4879075b0037c763118a5490cb3d15ef89" },
		{ 384, "c1cdf8cf55e5032e7d6d2bb4b9667166067a5f5e8ad549d2e5e7b6f38d2d3f1d" },
		{ 4096, "b5881d505dbf9033031988d1226fa037d842aa4f5975cf1404b7329524375b61" },
		{ 2097024, "14b203883da9fb3e7649e57136fe8d15e8e41822feceebdcf5d81d4b9a9f4434" },
		{ 2097152, "fc9c445403284a4d66ac0aad7535d3cda3eeb3b5fc9e51bea6e9d2d5b00be00e" },
	};
	uint8_t out[PURG_SHA_BYTES], *data = malloc(PURG_CHUNK_BYTES);
	size_t i;

	(void)state;
	formula(data, PURG_CHUNK_BYTES);
	for (i = 0; i < COUNT(v); i++) {
		sha256(out, data, v[i].bytes);
		assert_hex(out, sizeof(out), v[i].want);
	}
	free(data);
}

/* The slow ones know their own published values, so that they may judge. */
static void test_slow_ones(void **state)
{
	uint8_t out[PURG_SHA_BYTES], ascending[32];
	size_t i;

	(void)state;
	/* FIPS 180-4 examples: "abc", and two blocks */
	slow_sha256(out, (const uint8_t *)"abc", 3);
	assert_hex(out, sizeof(out), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	slow_sha256(out, (const uint8_t *)"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56);
	assert_hex(out, sizeof(out), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	/* RFC 3720, B.4 */
	for (i = 0; i < 32; i++)
		ascending[i] = (uint8_t)i;
	assert_int_equal(slow_crc32c(ascending, 32), 0x46dd794e);
	assert_int_equal(slow_crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
}

/* RFC 3720's 32 bytes, in each lane on its own: 128 bytes in all. */
static void test_crc32c_published(void **state)
{
	static const struct { int kind; const char *want; } v[] = {
		{ 0, "aa36918a" }, { 1, "43aba862" }, { 2, "4e79dd46" }, { 3, "5cdb3f11" },	/* as B.4 has them */
	};
	_Alignas(8) uint8_t data[128];
	uint8_t out[PURG_CRC_BYTES];
	char want[2 * PURG_CRC_BYTES + 1];
	size_t i, k;

	(void)state;
	for (k = 0; k < COUNT(v); k++) {
		for (i = 0; i < sizeof(data); i++) {
			size_t nth = i / 32 * 8 + i % 8;	/* in its lane */

			data[i] = (uint8_t)(v[k].kind == 0 ? 0 : v[k].kind == 1 ? 0xff : v[k].kind == 2 ? nth
													: 31 - nth);
		}
		digest_crc32c(out, data, sizeof(data), crc32c_lanes_c);
		snprintf(want, sizeof(want), "%s%s%s%s", v[k].want, v[k].want, v[k].want, v[k].want);
		assert_hex(out, sizeof(out), want);
	}
}

static void test_against_slow_ones(void **state)
{
	static const size_t units[] = { 1, 2, 3, 4, 7, 8, 31, 32, 33, 255, 1000 };
	uint64_t rng = seed_get("test_against_slow_ones");
	uint8_t got[PURG_SHA_BYTES], want[PURG_SHA_BYTES];
	size_t i, k;

	(void)state;
	for (k = 0; k < COUNT(units); k++) {
		size_t bytes = units[k] * PURG_UNIT_BYTES;
		uint8_t *data = malloc(bytes);

		for (i = 0; i < bytes; i++)
			data[i] = (uint8_t)seed_next(&rng);
		sha256(got, data, bytes);
		slow_sha256(want, data, bytes);
		assert_memory_equal(got, want, PURG_SHA_BYTES);
		digest_crc32c(got, data, bytes, crc32c_lanes_c);
		slow_lanes(want, data, bytes);
		assert_memory_equal(got, want, PURG_CRC_BYTES);
		free(data);
	}
}

/* The inner loops go on where they stopped. */
static void test_in_pieces(void **state)
{
	_Alignas(8) uint8_t data[1024];
	uint32_t whole[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, pieces[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	size_t at;

	(void)state;
	formula(data, sizeof(data));
	crc32c_lanes_c(whole, data, sizeof(data));
	for (at = 0; at < sizeof(data); at += 32)
		crc32c_lanes_c(pieces, data + at, 32);
	assert_memory_equal(whole, pieces, sizeof(whole));
	sha256_blocks_c(whole, data, sizeof(data) / 64);
	for (at = 0; at < sizeof(data); at += 64)
		sha256_blocks_c(pieces, data + at, 1);
	assert_memory_equal(whole, pieces, sizeof(whole));
}

static void test_every_bit_counts(void **state)
{
	_Alignas(8) uint8_t data[512];
	uint8_t crc[PURG_CRC_BYTES], sha[PURG_SHA_BYTES], other[PURG_SHA_BYTES];
	size_t bit;

	(void)state;
	formula(data, sizeof(data));
	digest_crc32c(crc, data, sizeof(data), crc32c_lanes_c);
	sha256(sha, data, sizeof(data));
	for (bit = 0; bit < 8 * sizeof(data); bit++) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		digest_crc32c(other, data, sizeof(data), crc32c_lanes_c);
		assert_memory_not_equal(other, crc, PURG_CRC_BYTES);
		sha256(other, data, sizeof(data));
		assert_memory_not_equal(other, sha, PURG_SHA_BYTES);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* Zeros added or taken away count as well. */
	memset(data, 0, sizeof(data));
	digest_crc32c(crc, data, 128, crc32c_lanes_c);
	digest_crc32c(other, data, 256, crc32c_lanes_c);
	assert_memory_not_equal(other, crc, PURG_CRC_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256_of_nothing),
		cmocka_unit_test(test_sha256_million_a),
		cmocka_unit_test(test_sha256_of_hashlib),
		cmocka_unit_test(test_slow_ones),
		cmocka_unit_test(test_crc32c_published),
		cmocka_unit_test(test_against_slow_ones),
		cmocka_unit_test(test_in_pieces),
		cmocka_unit_test(test_every_bit_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
