/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of one classifier share: where its memory comes from and goes to, how much of it
 * is in use, and the keys of its hash. The writer's, except for hash_key, which never changes.
 */
#ifndef TN_TABLE_STORE_H
#define TN_TABLE_STORE_H

#include "dataplane/core/key.h"
#include "dataplane/table/defer.h"

struct tn_shapes;
struct tn_rulelists;

struct tn_cls_store {
	struct tn_defer *defer;
	size_t bytes; /* in use, with the allocator's overhead; not what waits to be freed */
	struct tn_shapes *shapes;
	struct tn_rulelists *lists;
	bool closing; /* no readers any more: nothing is freed later */
	uint64_t hash_key[TN_KEY_WORDS + 1];
};

void tn_cls_store_init(struct tn_cls_store *store, struct tn_defer *defer, uint64_t seed);

/* Zeroed; NULL: no memory. Whoever frees it says the size again. */
void *tn_cls_alloc(struct tn_cls_store *store, size_t size);
/* No reader can have seen it. */
void tn_cls_free(struct tn_cls_store *store, void *p, size_t size);
/* Readers may still hold it. */
void tn_cls_free_later(struct tn_cls_store *store, void *p, size_t size);
/* For memory with a callback of its own: take it off the books. */
void tn_cls_uncount(struct tn_cls_store *store, size_t size);

/*
 * Hash of n words: a sum of 64 x 64-bit products under secret keys (as in NH of UMAC), so that
 * nobody who chooses the words without the keys can make them collide.
 */
static inline uint64_t tn_cls_hash(const uint64_t *words, unsigned n, const uint64_t *key)
{
	unsigned __int128 sum = 0;
	unsigned i;

	for (i = 0; i + 1 < n; i += 2)
		sum += (unsigned __int128)(words[i] + key[i]) * (words[i + 1] + key[i + 1]);
	if (i < n)
		sum += (unsigned __int128)(words[i] + key[i]) * key[i + 1];
	return (uint64_t)sum ^ (uint64_t)(sum >> 64);
}

/* One writer, many readers: what a reader may see is loaded and stored with these. */
#define tn_read(p)	  __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define tn_publish(p, v)  __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define tn_read_number(p) __atomic_load_n(p, __ATOMIC_RELAXED)

#endif
