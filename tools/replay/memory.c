/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/memory.h"

#include <stdio.h>
#include <stdlib.h>

static void *must(void *p)
{
	if (!p) {
		fputs("tenon-replay: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *tn_alloc(size_t size)
{
	return must(calloc(1, size ? size : 1));
}

void *tn_realloc(void *p, size_t size)
{
	return must(realloc(p, size ? size : 1));
}

void *tn_grow(void *p, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return p;
	*room = *room ? *room * 2 : 16;
	return must(reallocarray(p, *room, size));
}
