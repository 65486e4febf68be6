/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Things by kind and name: a balanced tree, so that nobody slows it down by the names he chooses.
 * Aborts when the machine has no memory left. One thread.
 */
#ifndef TN_TENANT_NAMED_H
#define TN_TENANT_NAMED_H

#include "dataplane/core/types.h"

/* First member of what is kept. Never changes while it is. */
struct tn_named {
	const char *name;
	unsigned kind;
};

/* All zero: empty. */
struct tn_named_tree {
	void *root;
};

/* NULL: there is none. */
struct tn_named *tn_named_find(const struct tn_named_tree *tree, unsigned kind, const char *name);
/* One of this kind and name is not there yet. */
void tn_named_add(struct tn_named_tree *tree, struct tn_named *thing);
void tn_named_remove(struct tn_named_tree *tree, struct tn_named *thing);
/* In the order of kinds and names; fn changes nothing of the tree. */
typedef void (*tn_named_fn)(void *ctx, struct tn_named *thing);
void tn_named_each(const struct tn_named_tree *tree, tn_named_fn fn, void *ctx);
/* fn may free what it gets. */
void tn_named_fini(struct tn_named_tree *tree, tn_named_fn fn, void *ctx);

#endif
