/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers to pointers, in the order of the numbers: a B+ tree. Look-ups and changes take O(log n)
 * whatever the numbers are. Aborts when the machine has no memory left. One thread.
 */
#ifndef TN_ENGINE_INDEX_H
#define TN_ENGINE_INDEX_H

#include "dataplane/core/types.h"

struct tn_index_node;

/* All zero: empty. Values are the caller's and not NULL. */
struct tn_index {
	struct tn_index_node *root;
	unsigned height; /* levels of inner nodes above the leaves */
	size_t n, n_nodes;
};

void tn_index_fini(struct tn_index *x);

/* NULL: none. */
void *tn_index_get(const struct tn_index *x, uint64_t key);
/* The value there was; NULL: none. */
void *tn_index_put(struct tn_index *x, uint64_t key, void *value);
void *tn_index_remove(struct tn_index *x, uint64_t key);

/*
 * The value of the least key that is not below *key, which becomes that key; NULL: there is none.
 * For walks that survive any change between two steps.
 */
void *tn_index_from(const struct tn_index *x, uint64_t *key);

/* for (key = 0; (v = tn_index_from(x, &key)); ) { ...; if (!tn_index_step(&key)) break; } */
static inline bool tn_index_step(uint64_t *key)
{
	return ++*key != 0;
}

size_t tn_index_bytes(const struct tn_index *x);

#endif
