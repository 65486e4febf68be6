/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way a lookup takes through a table: an array of matches (linear) or of tuples and tries,
 * highest priority first. Readers start from a single pointer to it.
 *
 * An array is replaced when its order changes. Within one, the writer raises and lowers the
 * priorities in place: `bound` is never less than the highest priority of this entry and all
 * after it, so a walk that ends early misses nothing even where the order is out of date. That
 * lets a bundle of changes sort a few times instead of once for each, without piling up arrays.
 */
#ifndef TN_TABLE_WALK_H
#define TN_TABLE_WALK_H

#include "dataplane/table/columns.h"
#include "dataplane/table/minimatch.h"
#include "dataplane/table/priorities.h"

/* First member of tuples and tries. */
struct tn_sub {
	struct tn_priorities priorities;
	uint32_t position; /* in the current walk */
	uint32_t slot;	   /* in the columns */
	uint32_t wild;	   /* columns in which it takes every value */
	uint32_t n_gone;   /* matches that left since the columns were exact */
	uint32_t n_matches;
	bool is_trie;
};

#define TN_WALK_TRIE ((uintptr_t)1)

struct tn_walk_entry {
	uintptr_t what; /* match, tuple, or trie | TN_WALK_TRIE; 0: gone */
	int32_t bound;
	int32_t highest; /* of this entry */
	uint32_t slot;
};

struct tn_walk {
	uint32_t n;
	bool linear;
	struct tn_columns *columns; /* read; NULL: every entry is worth a look */
	struct tn_walks *walks;
	struct tn_walk_entry entry[];
};

/* The writer's side. It outlives its classifier while replaced arrays wait to be freed. */
struct tn_walks {
	struct tn_cls_store *store; /* NULL: the classifier is gone */
	struct tn_walk **root;	    /* where readers start */
	struct tn_walk *current;    /* the same, but while hidden */
	bool hidden;
	uint32_t waiting; /* replaced arrays not freed yet */
	uint32_t dirty;	  /* changes of order since the last sorting */
	struct tn_columns *columns;
	uint64_t slots[TN_SLOT_WORDS]; /* in use */
};

/* *root becomes an empty linear walk. NULL: no memory. */
struct tn_walks *tn_walks_new(struct tn_cls_store *store, struct tn_walk **root);
/* Tuples and tries are the caller's. */
void tn_walks_free(struct tn_walks *walks);

/* Linear: publishes these matches instead of what was there. -ENOMEM. */
int tn_walk_set_linear(
	struct tn_walks *walks, struct tn_minimatch *const *mm, uint32_t n) TN_MUST_CHECK;

/* A match of the linear walk has another highest priority, or no rules any more. */
void tn_walk_update_linear(struct tn_walks *walks, const struct tn_minimatch *mm);

/*
 * From linear to tuples: what is added between begin and end is not seen by readers before end;
 * abort goes back to the linear walk.
 */
int tn_walk_begin(struct tn_walks *walks, bool with_columns) TN_MUST_CHECK;
void tn_walk_end(struct tn_walks *walks);
void tn_walk_abort(struct tn_walks *walks);

int tn_walk_add(struct tn_walks *walks, struct tn_sub *sub) TN_MUST_CHECK;
void tn_walk_drop(struct tn_walks *walks, struct tn_sub *sub);
/*
 * A match goes into a tuple or trie: call it before it is published there, so that readers look.
 */
void tn_walk_expect(struct tn_walks *walks, struct tn_sub *sub, const struct tn_minimatch *mm);
/* The highest priority changed: call it before a rule is published, after one is taken out. */
void tn_walk_update(struct tn_walks *walks, struct tn_sub *sub);

/* Tuples and tries, in no order that means anything. */
#define TN_WALK_FOR_SUBS(s, walk)                   \
	for (uint32_t w_ = 0; w_ < (walk)->n; w_++) \
		if (((s) = (struct tn_sub *)((walk)->entry[w_].what & ~TN_WALK_TRIE)) != NULL)

#endif
