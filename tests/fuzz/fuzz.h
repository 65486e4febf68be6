/* SPDX-License-Identifier: BSD-3-Clause */
/* What every fuzz target needs: its entry, bytes taken one after another, conditions that hold. */
#ifndef TN_FUZZ_FUZZ_H
#define TN_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_input {
	const uint8_t *p;
	size_t left;
};

/* Short input reads as zeroes: every input means something. */
static inline void fuzz_take(struct fuzz_input *in, void *to, size_t n)
{
	size_t have = n < in->left ? n : in->left;

	memset(to, 0, n);
	if (have == 0)
		return;
	memcpy(to, in->p, have);
	in->p += have;
	in->left -= have;
}

static inline uint8_t fuzz_take8(struct fuzz_input *in)
{
	uint8_t v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

static inline uint16_t fuzz_take16(struct fuzz_input *in)
{
	uint16_t v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

static inline uint32_t fuzz_take32(struct fuzz_input *in)
{
	uint32_t v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

static inline uint64_t fuzz_take64(struct fuzz_input *in)
{
	uint64_t v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

/* What must hold for every input; also in builds without assertions. */
#define fuzz_require(condition) fuzz_judge((condition), #condition, __FILE__, __LINE__)

static inline void fuzz_judge(bool holds, const char *condition, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

#endif
