/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A trie: matches that have one base mask and, beyond it, a prefix of one member. A hash table
 * finds the tree of the base's values. The tree goes four bits at a time and leaves out nodes with
 * one child only: at most one node for every four bits of the member, in practice a few.
 *
 * A lookup meets every prefix of its key on one way down, so lengths and priorities may be in any
 * relation. Readers follow pointers that the writer changes one at a time; a node that gets or
 * loses a slot is replaced by a copy.
 */
#ifndef TN_TABLE_TRIE_H
#define TN_TABLE_TRIE_H

#include "dataplane/table/walk.h"

/* A leaf is a match itself. */
#define TN_TRIE_LEAF   ((uintptr_t)1)
#define TN_TRIE_STRIDE 4u

/*
 * Prefixes of len to len + 3 bits that begin with this node's are in `inner`: bit 1 << n | v for n
 * bits more with value v. Longer ones are below, by their next four bits. The slots of `inner`, in
 * order of its bits, are matches; those of `children` after them are nodes, or leaves.
 */
struct tn_trie_node {
	uint64_t prefix[2];
	uint16_t inner;
	uint16_t children;
	uint8_t len;	  /* a multiple of the stride */
	uintptr_t slot[]; /* read; 0: nothing */
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

/* The four bits after the first len. */
static inline unsigned tn_prefix_nibble(const struct tn_prefix_bits *p, unsigned len)
{
	return p->word[len / 64] >> (60 - len % 64) & 15;
}

static inline unsigned tn_trie_rank(unsigned bitmap, unsigned bit)
{
	return (unsigned)__builtin_popcount(bitmap & ((1u << bit) - 1));
}

static inline unsigned tn_trie_child_slot(const struct tn_trie_node *node, unsigned nibble)
{
	return (unsigned)__builtin_popcount(node->inner) + tn_trie_rank(node->children, nibble);
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
	unsigned nibble, inner;

	while (at && !(at & TN_TRIE_LEAF)) {
		node = (const struct tn_trie_node *)at;
		if (!tn_trie_on_path(node, bits))
			return best;
		nibble = tn_prefix_nibble(bits, node->len);
		inner = node->inner &
			(1u << 1 | 1u << (2 | nibble >> 3) | 1u << (4 | nibble >> 2) |
				1u << (8 | nibble >> 1));
		for (; inner; inner &= inner - 1) {
			mm = (const struct tn_minimatch *)tn_read(&node->slot[tn_trie_rank(
				node->inner, (unsigned)__builtin_ctz(inner))]);
			if (mm)
				best = tn_trie_better(mm, version, best);
		}
		if (!(node->children >> nibble & 1))
			return best;
		at = tn_read(&node->slot[tn_trie_child_slot(node, nibble)]);
	}
	mm = (const struct tn_minimatch *)(at & ~TN_TRIE_LEAF);
	if (mm && tn_minimatch_matches(mm, key))
		best = tn_trie_better(mm, version, best);
	return best;
}

/* best, or a visible rule of higher priority that matches. */
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

	TN_HTABLE_FOR_HASH(root, array, hash) {
		for (i = 0, differ = 0; i < trie->base->n; i++)
			differ |= root->value[i] ^ masked[i];
		if (!differ)
			return tn_trie_descend(tn_read(&root->top), &bits, words, version, best);
	}
	return best;
}

#endif
