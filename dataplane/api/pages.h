/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory in large pages where the kernel has some: what is read once and thrown away costs a fault
 * every 2 MiB in place of every 4 KiB. Safe from any thread.
 */
#ifndef TN_API_PAGES_H
#define TN_API_PAGES_H

#include <sys/mman.h>

#include "dataplane/core/types.h"

#define TN_PAGES_LARGE ((size_t)2 << 20)

/* Zeroed and aligned to TN_PAGES_LARGE, of which size is a multiple; NULL: no memory. */
static inline void *tn_pages_new(size_t size)
{
	size_t whole = size + TN_PAGES_LARGE, before;
	uint8_t *p = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)p % TN_PAGES_LARGE;
	if (before)
		(void)munmap(p, before);
	if (before < TN_PAGES_LARGE)
		(void)munmap(p + before + size, TN_PAGES_LARGE - before);
	/* Refused: in small ones then. */
	(void)madvise(p + before, size, MADV_HUGEPAGE);
	return p + before;
}

static inline void tn_pages_free(void *p, size_t size)
{
	(void)munmap(p, size);
}

#endif
