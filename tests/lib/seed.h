/* SPDX-License-Identifier: GPL-2.0-only */
/* Randomness of tests. A failure can be had again: the seed is printed, and taken back from the environment, SEED. */
#ifndef SEED_H
#define SEED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t seed_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static inline uint64_t seed_get(const char *test)
{
	struct timespec now;
	uint64_t seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = seed_number("SEED", (uint64_t)now.tv_sec << 20 ^ (uint64_t)now.tv_nsec);
	printf("%s: SEED=%#llx\n", test, (unsigned long long)seed);
	return seed;
}

/* A multiplicative generator with its high half folded in: plenty for test inputs. */
static inline uint64_t seed_next(uint64_t *state)
{
	uint64_t x;

	*state = *state * 0xd1342543de82ef95 + 0x9e3779b97f4a7c15;
	x = *state;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93;
	return x ^ x >> 32;
}

static inline uint64_t seed_below(uint64_t *state, uint64_t limit)
{
	return seed_next(state) % limit;
}

#endif
