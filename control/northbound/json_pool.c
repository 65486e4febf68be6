/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/json_pool.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define BLOCK (64u << 10)
#define ALIGN 16u

static struct {
	_Alignas(ALIGN) uint8_t block[BLOCK];
	size_t used;
	bool open, known; /* known: jansson asks us */
} pool;

static void *allocate(size_t size)
{
	size_t room = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	void *p;

	if (!pool.open || size > BLOCK || room > BLOCK - pool.used)
		return malloc(size);
	p = pool.block + pool.used;
	pool.used += room;
	return p;
}

static void release(void *p)
{
	uintptr_t at = (uintptr_t)p, block = (uintptr_t)pool.block;

	if (at < block || at >= block + BLOCK)
		free(p);
}

void tn_json_pool_begin(void)
{
	if (!pool.known)
		json_set_alloc_funcs(allocate, release);
	pool.known = true;
	pool.used = 0;
	pool.open = true;
}

void tn_json_pool_end(void)
{
	pool.open = false;
}
