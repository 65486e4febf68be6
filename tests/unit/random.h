/* SPDX-License-Identifier: BSD-3-Clause */
/* The same numbers on every machine and in every run (splitmix64): a failure repeats. */
#ifndef TN_UNIT_RANDOM_H
#define TN_UNIT_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state; /* the seed */
};

static inline uint64_t random_u64(struct random *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* 0 to n - 1. */
static inline uint32_t random_below(struct random *r, uint32_t n)
{
	return (uint32_t)((random_u64(r) >> 32) * n >> 32);
}

#endif
