/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The assembly routines that the loader and purgatory share, at EL0: on an arm64 machine or under qemu-aarch64. Against
 * plain models written here, never against their own C twins alone. Prints TAP.
 */
#include "digest.h"
#include "purgatory_abi.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mmu_copy(void *dst, const void *src, size_t bytes);
void mmu_copy_zva(void *dst, const void *src, size_t bytes);
void crc32c_lanes_clean_insn(uint32_t lane[CRC_LANES], const void *data, size_t bytes);
void cache_clean_inval_poc(uint64_t pa, uint64_t bytes, uint64_t line_bytes);
uint64_t take_ticket(uint64_t *next, uint64_t count);

#define ROOM	(64 << 10)
#define GUARD	4096

static unsigned char *from, *to;	/* ROOM and a guard on either side, 4 KiB aligned */
static uint64_t random_state = 88172645463325252;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static unsigned char *make_buffer(void)
{
	unsigned char *buf = aligned_alloc(4096, ROOM + 2 * GUARD);
	size_t i;

	for (i = 0; i < ROOM + 2 * GUARD; i++)
		buf[i] = (unsigned char)next_random();
	return buf;
}

/* CRC32C bit by bit, over the bytes of one lane. */
static uint32_t crc_of_lane(const unsigned char *data, size_t bytes, unsigned int lane)
{
	uint32_t crc = 0xffffffff;
	size_t i;
	int bit;

	for (i = 0; i < bytes; i++) {
		if (i / 8 % CRC_LANES != lane)
			continue;
		crc ^= data[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static bool test_crc32c(crc32c_lanes_fn *lanes)
{
	/* RFC 3720, B.4: 32 bytes of zeros, 0x8a9136aa. As one lane's share of 128 bytes. */
	static const unsigned char zeros[128] __attribute__((aligned(16)));
	unsigned char digest[PURG_CRC_BYTES];
	size_t bytes;
	unsigned int lane;

	digest_crc32c(digest, zeros, sizeof(zeros), lanes);
	if (memcmp(digest, "\xaa\x36\x91\x8a", 4) != 0)
		return false;
	for (bytes = 0; bytes <= 2048; bytes += 32) {
		digest_crc32c(digest, from, bytes, lanes);
		for (lane = 0; lane < CRC_LANES; lane++) {
			uint32_t crc = crc_of_lane(from, bytes, lane);

			if (memcmp(digest + 4 * lane, &crc, 4) != 0)
				return false;
		}
	}
	return true;
}

/* FIPS 180-4: one block by hand ("abc", padded), and as many "a" as whole units of 128 bytes give out of a million, whose
 * digest was made with coreutils' sha256sum. */
static bool test_sha256(sha256_blocks_fn *blocks)
{
	uint32_t state[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	static const uint32_t abc[8] = { 0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
					 0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad };
	static unsigned char block[64] __attribute__((aligned(16))) = { 'a', 'b', 'c', 0x80 };
	unsigned char digest[PURG_SHA_BYTES];
	static const unsigned char many[PURG_SHA_BYTES] = {
		0x02, 0xa6, 0x74, 0xb2, 0x8d, 0x33, 0x1e, 0x53, 0x33, 0xff, 0xb4, 0xb5, 0x03, 0x3b, 0x00, 0x26,
		0x00, 0xdd, 0x08, 0xc6, 0x34, 0x85, 0x51, 0x35, 0xc3, 0xfc, 0xbc, 0x36, 0xb5, 0x0c, 0xb3, 0x28,
	};
	unsigned char *a = aligned_alloc(128, 999936);

	block[63] = 24;
	blocks(state, block, 1);
	if (memcmp(state, abc, sizeof(abc)) != 0)
		return false;
	memset(a, 'a', 999936);
	digest_sha256(digest, a, 999936, blocks);
	free(a);
	return memcmp(digest, many, sizeof(many)) == 0;
}

/* Two routines that must agree on everything, on random lengths. */
static bool test_sha256_twins(void)
{
	unsigned char a[PURG_SHA_BYTES], b[PURG_SHA_BYTES];
	size_t bytes;

	for (bytes = 0; bytes <= 4096; bytes += PURG_UNIT_BYTES) {
		digest_sha256(a, from, bytes, sha256_blocks_c);
		digest_sha256(b, from, bytes, sha256_blocks_insn);
		if (memcmp(a, b, sizeof(a)) != 0)
			return false;
	}
	return true;
}

static bool test_sha256_pairs(void)
{
	unsigned char a[PURG_SHA_BYTES], pair[2 * PURG_SHA_BYTES];
	size_t bytes;

	for (bytes = 0; bytes <= 4096; bytes += PURG_UNIT_BYTES) {
		digest_sha256_2x(pair, from, pair + PURG_SHA_BYTES, from + 8192 + 64, bytes, sha256_blocks_2x_insn,
				 sha256_blocks_insn);
		digest_sha256(a, from, bytes, sha256_blocks_c);
		if (memcmp(a, pair, sizeof(a)) != 0)
			return false;
		digest_sha256(a, from + 8192 + 64, bytes, sha256_blocks_c);
		if (memcmp(a, pair + PURG_SHA_BYTES, sizeof(a)) != 0)
			return false;
	}
	return true;
}

static bool test_flipped_bit(crc32c_lanes_fn *lanes)
{
	unsigned char before[PURG_CRC_BYTES], after[PURG_CRC_BYTES];
	int i;

	digest_crc32c(before, from, ROOM, lanes);
	for (i = 0; i < 200; i++) {
		size_t bit = next_random() % (ROOM * 8);

		from[bit / 8] ^= (unsigned char)(1 << bit % 8);
		digest_crc32c(after, from, ROOM, lanes);
		from[bit / 8] ^= (unsigned char)(1 << bit % 8);
		if (memcmp(before, after, sizeof(before)) == 0)
			return false;
	}
	return true;
}

static bool test_copy(void (*copy)(void *dst, const void *src, size_t bytes), size_t dst_align)
{
	unsigned char *wanted = malloc(ROOM + 2 * GUARD);
	unsigned int round;
	bool ok = true;

	for (round = 0; ok && round < 300; round++) {
		size_t bytes = round < 40 ? round * PURG_UNIT_BYTES : next_random() % (ROOM / 2) / PURG_UNIT_BYTES * PURG_UNIT_BYTES;
		size_t src_at = next_random() % 2048 / 16 * 16, dst_at = next_random() % 2048 / dst_align * dst_align;

		memset(to, (int)round, ROOM + 2 * GUARD);
		memcpy(wanted, to, ROOM + 2 * GUARD);
		memcpy(wanted + GUARD + dst_at, from + GUARD + src_at, bytes);
		copy(to + GUARD + dst_at, from + GUARD + src_at, bytes);
		ok = memcmp(to, wanted, ROOM + 2 * GUARD) == 0;
	}
	free(wanted);
	return ok;
}

/* Nothing may change, whatever the alignment; that lines really are cleaned only a machine with caches can show. */
static bool test_clean(void)
{
	unsigned char *before = malloc(ROOM + 2 * GUARD);
	unsigned int round;
	bool ok;

	memcpy(before, from, ROOM + 2 * GUARD);
	for (round = 0; round < 200; round++)
		cache_clean_inval_poc((uintptr_t)from + next_random() % ROOM, next_random() % GUARD, 64);
	cache_clean_inval_poc((uintptr_t)from, 0, 64);
	ok = memcmp(before, from, ROOM + 2 * GUARD) == 0;
	free(before);
	return ok;
}

/* The lanes of the routine that is proven above, of any number of units; and memory stays what it was. */
static bool test_check_and_clean(void)
{
	unsigned char *before = malloc(ROOM + 2 * GUARD);
	size_t units;
	bool ok = true;

	memcpy(before, from, ROOM + 2 * GUARD);
	for (units = 0; ok && units < 100; units++) {
		uint32_t wanted[CRC_LANES] = { 1, 2, 3, (uint32_t)units }, got[CRC_LANES] = { 1, 2, 3, (uint32_t)units };
		const unsigned char *data = from + next_random() % 64 * PURG_UNIT_BYTES;

		crc32c_lanes_insn(wanted, data, units * PURG_UNIT_BYTES);
		crc32c_lanes_clean_insn(got, data, units * PURG_UNIT_BYTES);
		ok = memcmp(wanted, got, sizeof(got)) == 0;
	}
	ok = ok && memcmp(before, from, ROOM + 2 * GUARD) == 0;
	free(before);
	return ok;
}

/* What purgatory asks before it uses mmu_copy_zva(): DC ZVA is allowed, for blocks of 64 bytes. */
static bool has_zva_of_64(void)
{
	uint64_t dczid;

	__asm__ volatile("mrs %0, dczid_el0" : "=r"(dczid));
	return (dczid & 0x1f) == 4;
}

/* AAPCS64: x19 to x28 and the lower halves of v8 to v15 belong to the caller. */
#define KEEPS(call) ({ \
	register uint64_t x19 __asm__("x19") = 0x1919; \
	register uint64_t x28 __asm__("x28") = 0x2828; \
	register double d8 __asm__("d8") = 8.5; \
	register double d15 __asm__("d15") = 15.5; \
	__asm__ volatile("" : "+r"(x19), "+r"(x28), "+w"(d8), "+w"(d15)); \
	call; \
	__asm__ volatile("" : "+r"(x19), "+r"(x28), "+w"(d8), "+w"(d15)); \
	x19 == 0x1919 && x28 == 0x2828 && d8 == 8.5 && d15 == 15.5; \
})

static bool test_ticket(void)
{
	uint64_t next = ~0ull - 1;

	return take_ticket(&next, 2) == ~0ull - 1 && take_ticket(&next, 3) == 0 && next == 3;
}

static bool test_registers(void)
{
	uint32_t lane[CRC_LANES] = { 0 }, state[8] = { 0 }, other[8] = { 0 };

	return KEEPS(mmu_copy(to, from, 4096)) && (!has_zva_of_64() || KEEPS(mmu_copy_zva(to, from, 4096))) &&
	       KEEPS(cache_clean_inval_poc((uintptr_t)from, 4096, 64)) && KEEPS(crc32c_lanes_insn(lane, from, 4096)) &&
	       KEEPS(crc32c_lanes_clean_insn(lane, from, 4096)) && KEEPS(sha256_blocks_insn(state, from, 64)) &&
	       KEEPS(sha256_blocks_2x_insn(state, from, other, to, 64));
}

static int count, failed;

static void report(bool ok, const char *name)
{
	printf("%s %d - %s\n", ok ? "ok" : "not ok", ++count, name);
	failed += !ok;
}

int main(void)
{
	from = make_buffer();
	to = make_buffer();
	report(test_crc32c(crc32c_lanes_c), "CRC32C lanes in C");
	report(test_crc32c(crc32c_lanes_insn), "CRC32C lanes by instruction");
	report(test_sha256(sha256_blocks_c), "SHA-256 in C");
	report(test_sha256(sha256_blocks_insn), "SHA-256 by instruction");
	report(test_sha256_twins(), "SHA-256 by instruction and in C agree");
	report(test_sha256_pairs(), "SHA-256 of two messages at once is that of each");
	report(test_flipped_bit(crc32c_lanes_insn), "a flipped bit is seen by instruction");
	report(test_flipped_bit(crc32c_lanes_c), "a flipped bit is seen in C");
	report(test_copy(mmu_copy, 16), "copies exactly what it is told to");
	if (has_zva_of_64())
		report(test_copy(mmu_copy_zva, PURG_UNIT_BYTES), "the same with DC ZVA");
	else
		report(true, "the same with DC ZVA # SKIP this CPU has none of 64 bytes");
	report(test_check_and_clean(), "verifying and cleaning is verifying");
	report(test_clean(), "cleaning changes no memory");
	report(test_ticket(), "a ticket is what was there before");
	report(test_registers(), "callee-saved registers are kept");
	printf("1..%d\n", count);
	return failed != 0;
}
