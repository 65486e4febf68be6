/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the matches of a classifier are: in the linear list, in a tuple, in a trie. What is chosen
 * follows from the masks alone and from what is there already, and no match is moved once it is
 * in a tuple or trie, so that no change costs more than a few hash operations.
 *
 *   1. a tuple of the match's own mask, or a trie that takes the mask, if there is one
 *   2. a new one, as long as there are few: a tuple of its own, or for the third prefix length of
 *      a member a trie
 *   3. a tuple of a coarser mask, one of two, as long as no more than TN_CHAIN_MAX values share a
 *      key there; it is made if need be
 *   4. where those are full for this key, a trie or a tuple of its own mask after all
 *
 * A table whose first rules have many masks begins with 3. Writer only.
 */
#ifndef TN_TABLE_PLACEMENT_H
#define TN_TABLE_PLACEMENT_H

#include "dataplane/table/rulelist.h"
#include "dataplane/table/trie.h"
#include "dataplane/table/tuple.h"

struct tn_classifier {
	struct tn_walk *root; /* read */
	struct tn_walks *walks;
	struct tn_cls_store store;
	struct tn_shapes shapes;
	struct tn_rulelists lists;
	uint32_t n_rules, n_tuples, n_tries;
	uint32_t n_strays; /* matches in a tuple that is neither their own nor of a coarser self */
	bool coarse;	   /* many masks from the start: no tuples of their own */
	struct tn_trie *tries[TN_TRIES_MAX];
};

static inline struct tn_tuple *tn_sub_tuple(struct tn_sub *sub)
{
	return sub->is_trie ? NULL : (struct tn_tuple *)sub;
}

static inline struct tn_trie *tn_sub_trie(struct tn_sub *sub)
{
	return sub->is_trie ? (struct tn_trie *)sub : NULL;
}

struct tn_minimatch *tn_placement_find(
	const struct tn_classifier *cls, const struct tn_shape *shape, const struct tn_key *value);

/* Publishes a match, with its rules, in a tuple or trie. -ENOMEM, -ENOSPC. */
int tn_placement_put(struct tn_classifier *cls, struct tn_minimatch *mm) TN_MUST_CHECK;
/* The match's rules are counted out by the caller, who then calls drop_if_empty. */
void tn_placement_take(struct tn_classifier *cls, struct tn_minimatch *mm);
void tn_placement_drop_if_empty(struct tn_classifier *cls, struct tn_sub *sub);

/* The matches of the linear list; how many. */
uint32_t tn_placement_linear(
	const struct tn_classifier *cls, struct tn_minimatch *mm[TN_LINEAR_MAX]);
/* Publishes a match more, with its rules, in the linear list. -ENOMEM. */
int tn_placement_put_linear(struct tn_classifier *cls, struct tn_minimatch *mm) TN_MUST_CHECK;
/* From the linear list to tuples and tries, as a rule of the shape `more` comes. -ENOMEM. */
int tn_placement_leave_linear(struct tn_classifier *cls, struct tn_shape *more) TN_MUST_CHECK;

#endif
