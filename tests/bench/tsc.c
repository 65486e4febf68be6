/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints the frequency of the time stamp counter in MHz: cycles of peers that only tell packets. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int main(void)
{
	uint64_t start = now_ns(), tsc = __rdtsc(), end;

	do {
		end = now_ns();
	} while (end - start < 200000000u);
	printf("%.3f\n", (double)(__rdtsc() - tsc) * 1e3 / (double)(end - start));
	return 0;
}
