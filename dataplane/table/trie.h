/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A trie: matches that have one base mask and, beyond it, a prefix of one member. A hash table
 * finds the tree of the base's values; the tree is path-compressed, one node for each bit where
 * prefixes part or one ends above others, at most one node deep for each bit of the member.
 *
 * A lookup meets every prefix of its key on one way down, so lengths and priorities may be in any
 * relation. Readers follow pointers that the writer changes one at a time.
 */
#ifndef TN_TABLE_TRIE_H
#define TN_TABLE_TRIE_H

#include "dataplane/table/walk.h"

/* A leaf is a match itself. */
#define TN_TRIE_LEAF ((uintptr_t)1)

struct tn_trie_node {
	uintptr_t child[2]; /* read: node, or match | TN_TRIE_LEAF; by the bit after the prefix */
	struct tn_minimatch *mm; /* read: whose prefix is this node's, or NULL */
	uint8_t len;		 /* of the prefix, less than the member's bits */
	uint64_t prefix[];	 /* one word, two for members over 64 bits */
};

struct tn_trie_root {
	struct tn_hentry entry;
	uintptr_t top; /* read: as child */
	uint64_t value[];
};

struct tn_trie {
	struct tn_sub sub;
	uint8_t member;		       /* of tn_prefix_members */
	uint8_t bits;		       /* of the member */
	uint8_t words;		       /* of a prefix */
	struct tn_shape *base, *whole; /* without the member; with all of it */
	struct tn_htable roots;
};

/* For matches like those of this shape, which has a prefix member. NULL: no memory. */
struct tn_trie *tn_trie_new(struct tn_cls_store *store, struct tn_shape *shape);
/* Frees its matches too; no reader is left for those. */
void tn_trie_clear(struct tn_cls_store *store, struct tn_trie *trie);
void tn_trie_free(struct tn_cls_store *store, struct tn_trie *trie);

/* Would a trie for matches of `shape`, which has a prefix member, take those of `other` as well? */
bool tn_trie_would_take(const struct tn_shape *shape, const struct tn_shape *other);
/* Do matches of this shape belong here? Also those with nothing or all of the member. */
bool tn_trie_takes(const struct tn_trie *trie, const struct tn_shape *shape);
struct tn_minimatch *tn_trie_find(const struct tn_cls_store *store, const struct tn_trie *trie,
	const struct tn_shape *shape, const struct tn_key *value);
/* Publishes the match, whose prefix is not there yet. -ENOMEM. */
int tn_trie_insert(
	struct tn_cls_store *store, struct tn_trie *trie, struct tn_minimatch *mm) TN_MUST_CHECK;
void tn_trie_remove(struct tn_cls_store *store, struct tn_trie *trie, struct tn_minimatch *mm);

struct tn_cls_rule *tn_trie_overlap(const struct tn_cls_store *store, const struct tn_trie *trie,
	const struct tn_match *match, uint16_t priority, uint64_t version);
void tn_trie_foreach(const struct tn_trie *trie, tn_cls_rule_fn fn, void *ctx);

static inline unsigned tn_prefix_bit(const struct tn_prefix_bits *p, unsigned i)
{
	return p->word[i / 64] >> (63 - i % 64) & 1;
}

/* The first len bits are the same. */
static inline bool tn_trie_on_path(
	const struct tn_trie_node *node, const struct tn_prefix_bits *bits)
{
	unsigned len = node->len;

	if (len <= 64)
		return len == 0 || (node->prefix[0] ^ bits->word[0]) >> (64 - len) == 0;
	return node->prefix[0] == bits->word[0] &&
		(node->prefix[1] ^ bits->word[1]) >> (128 - len) == 0;
}

static inline struct tn_cls_rule *tn_trie_better(
	const struct tn_minimatch *mm, uint64_t version, struct tn_cls_rule *best)
{
	struct tn_cls_rule *rule;

	if (best && tn_minimatch_priority(mm) <= best->priority)
		return best;
	rule = tn_minimatch_first(mm, version);
	return rule && (!best || rule->priority > best->priority) ? rule : best;
}

/* best, or a visible rule of higher priority that matches. */
static inline struct tn_cls_rule *tn_trie_descend(uintptr_t at, const struct tn_prefix_bits *bits,
	const uint64_t *key, uint64_t version, struct tn_cls_rule *best)
{
	const struct tn_trie_node *node;
	const struct tn_minimatch *mm;

	while (at && !(at & TN_TRIE_LEAF)) {
		node = (const struct tn_trie_node *)at;
		if (!tn_trie_on_path(node, bits))
			return best;
		mm = tn_read(&node->mm);
		if (mm)
			best = tn_trie_better(mm, version, best);
		at = tn_read(&node->child[tn_prefix_bit(bits, node->len)]);
	}
	mm = (const struct tn_minimatch *)(at & ~TN_TRIE_LEAF);
	if (mm && tn_minimatch_matches(mm, key))
		best = tn_trie_better(mm, version, best);
	return best;
}

static inline struct tn_cls_rule *tn_trie_lookup(const struct tn_trie *trie,
	const struct tn_key *key, const uint64_t *hash_key, uint64_t version,
	struct tn_cls_rule *best)
{
	const uint64_t *words = tn_key_cwords(key);
	uint64_t masked[TN_KEY_WORDS], differ;
	uint64_t hash = tn_shape_hash(trie->base, words, hash_key, masked);
	const struct tn_harray *array = tn_read(&trie->roots.array);
	struct tn_prefix_bits bits = tn_prefix_load(key, trie->member);
	const struct tn_trie_root *root;
	unsigned i;

	TN_HTABLE_FOR_HASH(root, array, hash)
	{
		for (i = 0, differ = 0; i < trie->base->n; i++)
			differ |= root->value[i] ^ masked[i];
		if (!differ)
			return tn_trie_descend(tn_read(&root->top), &bits, words, version, best);
	}
	return best;
}

#endif
