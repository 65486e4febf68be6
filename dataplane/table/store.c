/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/store.h"

#include <stdlib.h>

static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void tn_cls_store_init(struct tn_cls_store *store, struct tn_defer *defer, uint64_t seed)
{
	unsigned i;

	*store = (struct tn_cls_store){.defer = defer};
	for (i = 0; i < TN_ARRAY_SIZE(store->hash_key); i++)
		store->hash_key[i] = splitmix(&seed) | 1;
}

/* What malloc takes for it: a size word in front, 16-byte steps. */
static size_t footprint(size_t size)
{
	size_t n = (size + 8 + 15) & ~(size_t)15;

	return n < 32 ? 32 : n;
}

void *tn_cls_alloc(struct tn_cls_store *store, size_t size)
{
	void *p = calloc(1, size);

	if (p)
		store->bytes += footprint(size);
	return p;
}

void tn_cls_free(struct tn_cls_store *store, void *p, size_t size)
{
	if (!p)
		return;
	tn_cls_uncount(store, size);
	free(p);
}

void tn_cls_free_later(struct tn_cls_store *store, void *p, size_t size)
{
	if (!p)
		return;
	tn_cls_uncount(store, size);
	if (store->closing)
		free(p);
	else
		tn_defer_add(store->defer, p, free);
}

void tn_cls_uncount(struct tn_cls_store *store, size_t size)
{
	store->bytes -= footprint(size);
}
