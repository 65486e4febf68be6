/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Compact matches. A mask is stored once however many rules have it: its shape. A match is a
 * pointer to its shape and the packed values of the words that the mask looks at; the rules with
 * one match and different priorities or versions hang on it in one list.
 *
 * Shapes and matches do not change once readers can see them, but for the fields marked "read"
 * below, which readers load and the writer stores one by one.
 */
#ifndef TN_TABLE_MINIMATCH_H
#define TN_TABLE_MINIMATCH_H

#include "dataplane/core/match.h"
#include "dataplane/table/classifier.h"
#include "dataplane/table/coarse.h"
#include "dataplane/table/htable.h"

struct tn_tuple;

struct tn_shape {
	struct tn_hentry entry; /* in the table of shapes */
	uint32_t refs;
	uint32_t n_matches; /* that have the shape */
	uint8_t prefix_member, prefix_len;
	uint32_t telling;		      /* which of tn_telling_bytes it looks at, as bits */
	struct tn_tuple *tuple;		      /* whose keys are of this shape, or NULL */
	struct tn_shape *coarse[TN_N_COARSE]; /* NULL: not asked for yet; may be itself */
	struct tn_shape *base;		      /* without prefix_member; NULL: not asked for yet */
	uint32_t map;			      /* of the key's words that have a mask */
	uint8_t n;			      /* how many those are */
	uint8_t index[TN_KEY_WORDS];	      /* which */
	uint64_t mask[];
};

struct tn_minimatch {
	struct tn_hentry entry; /* user: read: priority of the first rule */
	struct tn_shape *shape;
	struct tn_minimatch *next; /* read: other value under the same coarse key */
	struct tn_cls_rule *rules; /* read: highest priority first */
	void *home;		   /* struct tn_sub of the tuple or trie; NULL: the linear list */
	uint64_t value[];
};

/* The shapes of one classifier, and how many of them look at each bit. Writer only. */
struct tn_shapes {
	struct tn_htable table;
	uint32_t *bit_users[TN_KEY_WORDS];
	uint64_t mask[TN_KEY_WORDS]; /* read: bits with users */
	uint32_t map;		     /* read: of the words that have such bits */
};

int tn_shapes_init(struct tn_cls_store *store) TN_MUST_CHECK;
void tn_shapes_fini(struct tn_cls_store *store);

/* The shape of a mask, with a reference for the caller; NULL: no memory. */
struct tn_shape *tn_shape_get(struct tn_cls_store *store, const struct tn_key *mask);
void tn_shape_put(struct tn_cls_store *store, struct tn_shape *shape);
/* NULL: no rule has that mask, nor does anything else. No reference. */
struct tn_shape *tn_shape_find(const struct tn_cls_store *store, const struct tn_key *mask);
void tn_shape_mask(const struct tn_shape *shape, struct tn_key *mask);
/* Every bit of `coarse` is in `fine`. */
bool tn_shape_within_mask(const struct tn_shape *coarse, const struct tn_key *fine);

/* Shapes derived from one; they live as long as it does. NULL: no memory. */
struct tn_shape *tn_shape_coarse(
	struct tn_cls_store *store, struct tn_shape *shape, enum tn_coarseness level);
struct tn_shape *tn_shape_base(struct tn_cls_store *store, struct tn_shape *shape);

/* Masks the key's words by the shape into `masked` and hashes them. */
static inline uint64_t tn_shape_hash(const struct tn_shape *shape, const uint64_t *key,
	const uint64_t *hash_key, uint64_t masked[TN_KEY_WORDS])
{
	unsigned i;

	for (i = 0; i < shape->n; i++)
		masked[i] = key[shape->index[i]] & shape->mask[i];
	return tn_cls_hash(masked, shape->n, hash_key);
}

/* No rules yet. Takes its own reference of the shape. NULL: no memory. */
struct tn_minimatch *tn_minimatch_new(
	struct tn_cls_store *store, struct tn_shape *shape, const struct tn_key *value);
/* published: readers may hold it. */
void tn_minimatch_free(struct tn_cls_store *store, struct tn_minimatch *mm, bool published);
void tn_minimatch_value(const struct tn_minimatch *mm, struct tn_key *value);
/* Same shape is the caller's promise. */
bool tn_minimatch_has_value(const struct tn_minimatch *mm, const struct tn_key *value);
/* Some packet can match both. */
bool tn_minimatch_overlaps(const struct tn_minimatch *mm, const struct tn_match *match);

static inline bool tn_minimatch_matches(const struct tn_minimatch *mm, const uint64_t *key)
{
	const struct tn_shape *shape = mm->shape;
	unsigned i;

	for (i = 0; i < shape->n; i++) {
		if ((key[shape->index[i]] & shape->mask[i]) != mm->value[i])
			return false;
	}
	return true;
}

static inline bool tn_cls_rule_visible(const struct tn_cls_rule *rule, uint64_t version)
{
	return rule->add_version <= version && version < tn_read_number(&rule->remove_version);
}

/* The highest visible rule of one match, or NULL. */
static inline struct tn_cls_rule *tn_minimatch_first(
	const struct tn_minimatch *mm, uint64_t version)
{
	struct tn_cls_rule *rule = tn_read(&mm->rules);

	while (rule && !tn_cls_rule_visible(rule, version))
		rule = tn_read(&rule->next);
	return rule;
}

static inline int tn_minimatch_priority(const struct tn_minimatch *mm)
{
	return tn_read_number(&mm->entry.user);
}

#endif
