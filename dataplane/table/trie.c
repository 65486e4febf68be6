/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/trie.h"

#include "dataplane/table/rulelist.h"

#include <errno.h>
#include <string.h>

static size_t node_size(const struct tn_trie *trie)
{
	return sizeof(struct tn_trie_node) + trie->words * sizeof(uint64_t);
}

static size_t root_size(const struct tn_trie *trie)
{
	return sizeof(struct tn_trie_root) + trie->base->n * sizeof(uint64_t);
}

static struct tn_shape *whole_shape(struct tn_cls_store *store, const struct tn_shape *shape)
{
	const struct tn_prefix_member *m = &tn_prefix_members[shape->prefix_member];
	struct tn_key mask;

	tn_shape_mask(shape, &mask);
	memset((uint8_t *)&mask + m->offset, 0xff, m->size);
	return tn_shape_get(store, &mask);
}

struct tn_trie *tn_trie_new(struct tn_cls_store *store, struct tn_shape *shape)
{
	struct tn_shape *base = tn_shape_base(store, shape), *whole = NULL;
	struct tn_trie *trie = NULL;

	if (!base)
		return NULL;
	whole = whole_shape(store, shape);
	trie = tn_cls_alloc(store, sizeof(*trie));
	if (!whole || !trie || tn_htable_init(store, &trie->roots) != 0) {
		tn_shape_put(store, whole);
		tn_cls_free(store, trie, sizeof(*trie));
		return NULL;
	}
	tn_priorities_init(&trie->sub.priorities);
	trie->sub.is_trie = true;
	trie->member = shape->prefix_member;
	trie->bits = (uint8_t)(8 * tn_prefix_members[trie->member].size);
	trie->words = trie->bits > 64 ? 2 : 1;
	trie->base = base;
	trie->whole = whole;
	base->refs++;
	return trie;
}

void tn_trie_free(struct tn_cls_store *store, struct tn_trie *trie)
{
	tn_priorities_fini(store, &trie->sub.priorities);
	tn_htable_fini(store, &trie->roots);
	tn_shape_put(store, trie->base);
	tn_shape_put(store, trie->whole);
	tn_cls_free_later(store, trie, sizeof(*trie));
}

static void tree_clear(struct tn_cls_store *store, const struct tn_trie *trie, uintptr_t at)
{
	struct tn_trie_node *node = (struct tn_trie_node *)at;

	if (!at)
		return;
	if (at & TN_TRIE_LEAF) {
		tn_minimatch_free(store, (struct tn_minimatch *)(at & ~TN_TRIE_LEAF), false);
		return;
	}
	if (node->mm)
		tn_minimatch_free(store, node->mm, false);
	tree_clear(store, trie, node->child[0]);
	tree_clear(store, trie, node->child[1]);
	tn_cls_free(store, node, node_size(trie));
}

void tn_trie_clear(struct tn_cls_store *store, struct tn_trie *trie)
{
	struct tn_trie_root *root;

	TN_HTABLE_FOR_ALL(root, trie->roots.array)
	{
		tree_clear(store, trie, root->top);
		tn_cls_free(store, root, root_size(trie));
	}
}

bool tn_trie_would_take(const struct tn_shape *shape, const struct tn_shape *other)
{
	static const uint8_t zero[16],
		ones[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			0xff, 0xff, 0xff, 0xff};
	const struct tn_prefix_member *m = &tn_prefix_members[shape->prefix_member];
	struct tn_key mask, other_mask;
	uint8_t *part = (uint8_t *)&other_mask + m->offset;

	tn_shape_mask(shape, &mask);
	tn_shape_mask(other, &other_mask);
	if (other->prefix_member != shape->prefix_member && memcmp(part, zero, m->size) != 0 &&
		memcmp(part, ones, m->size) != 0)
		return false;
	memset((uint8_t *)&mask + m->offset, 0, m->size);
	memset(part, 0, m->size);
	return !memcmp(&mask, &other_mask, sizeof(mask));
}

bool tn_trie_takes(const struct tn_trie *trie, const struct tn_shape *shape)
{
	if (shape == trie->base || shape == trie->whole)
		return true;
	return shape->prefix_member == trie->member && shape->base == trie->base;
}

static unsigned prefix_len(const struct tn_trie *trie, const struct tn_shape *shape)
{
	if (shape == trie->base)
		return 0;
	return shape == trie->whole ? trie->bits : shape->prefix_len;
}

struct place {
	struct tn_prefix_bits bits;
	unsigned len;
};

static struct place place_of(const struct tn_trie *trie, const struct tn_minimatch *mm)
{
	struct tn_key value;

	tn_minimatch_value(mm, &value);
	return (struct place){tn_prefix_load(&value, trie->member), prefix_len(trie, mm->shape)};
}

static struct place place_at(const struct tn_trie *trie, uintptr_t at)
{
	const struct tn_trie_node *node = (const struct tn_trie_node *)at;

	if (at & TN_TRIE_LEAF)
		return place_of(trie, (const struct tn_minimatch *)(at & ~TN_TRIE_LEAF));
	return (struct place){
		{{node->prefix[0], trie->words > 1 ? node->prefix[1] : 0}}, node->len};
}

/* Bits that both begin with. */
static unsigned common(const struct place *a, const struct place *b)
{
	unsigned most = a->len < b->len ? a->len : b->len, n = 128;

	if (a->bits.word[0] != b->bits.word[0])
		n = (unsigned)__builtin_clzll(a->bits.word[0] ^ b->bits.word[0]);
	else if (a->bits.word[1] != b->bits.word[1])
		n = 64 + (unsigned)__builtin_clzll(a->bits.word[1] ^ b->bits.word[1]);
	return n < most ? n : most;
}

static struct tn_trie_root *root_find(const struct tn_cls_store *store, const struct tn_trie *trie,
	const struct tn_key *value, uint64_t *hash)
{
	uint64_t wanted[TN_KEY_WORDS];
	struct tn_trie_root *root;

	*hash = tn_shape_hash(trie->base, tn_key_cwords(value), store->hash_key, wanted);
	TN_HTABLE_FOR_HASH(root, trie->roots.array, *hash)
	{
		if (!memcmp(root->value, wanted, trie->base->n * sizeof(wanted[0])))
			return root;
	}
	return NULL;
}

struct tn_minimatch *tn_trie_find(const struct tn_cls_store *store, const struct tn_trie *trie,
	const struct tn_shape *shape, const struct tn_key *value)
{
	struct place wanted = {tn_prefix_load(value, trie->member), prefix_len(trie, shape)};
	const struct tn_trie_root *root;
	const struct tn_trie_node *node;
	struct tn_minimatch *mm;
	uintptr_t at;
	uint64_t hash;

	root = root_find(store, trie, value, &hash);
	at = root ? root->top : 0;
	while (at && !(at & TN_TRIE_LEAF)) {
		node = (const struct tn_trie_node *)at;
		if (node->len > wanted.len || !tn_trie_on_path(node, &wanted.bits))
			return NULL;
		if (node->len == wanted.len)
			return node->mm;
		at = node->child[tn_prefix_bit(&wanted.bits, node->len)];
	}
	mm = (struct tn_minimatch *)(at & ~TN_TRIE_LEAF);
	return mm && mm->shape == shape && tn_minimatch_has_value(mm, value) ? mm : NULL;
}

static uintptr_t leaf(struct tn_minimatch *mm)
{
	return (uintptr_t)mm | TN_TRIE_LEAF;
}

/* A node above `at`, where prefix and what is at `at` part, or where the shorter one ends. */
static uintptr_t join(struct tn_cls_store *store, const struct tn_trie *trie, uintptr_t at,
	const struct place *there, struct tn_minimatch *mm, const struct place *here, unsigned len)
{
	struct tn_trie_node *node = tn_cls_alloc(store, node_size(trie));

	if (!node)
		return 0;
	node->len = (uint8_t)len;
	node->prefix[0] = here->bits.word[0];
	if (trie->words > 1)
		node->prefix[1] = here->bits.word[1];
	if (there->len == len)
		node->mm = (struct tn_minimatch *)(at & ~TN_TRIE_LEAF);
	else
		node->child[tn_prefix_bit(&there->bits, len)] = at;
	if (here->len == len)
		node->mm = mm;
	else
		node->child[tn_prefix_bit(&here->bits, len)] = leaf(mm);
	return (uintptr_t)node;
}

static int tree_insert(struct tn_cls_store *store, const struct tn_trie *trie, uintptr_t *at,
	struct tn_minimatch *mm)
{
	struct place here = place_of(trie, mm), there;
	struct tn_trie_node *node;
	uintptr_t joined;
	unsigned len;

	for (; *at; at = &node->child[tn_prefix_bit(&here.bits, node->len)]) {
		there = place_at(trie, *at);
		len = common(&here, &there);
		node = (struct tn_trie_node *)*at;
		if (!(*at & TN_TRIE_LEAF) && len == node->len && len < here.len)
			continue;
		if (!(*at & TN_TRIE_LEAF) && len == node->len) {
			TN_ASSERT(!node->mm);
			tn_publish(&node->mm, mm);
			return 0;
		}
		joined = join(store, trie, *at, &there, mm, &here, len);
		if (!joined)
			return -ENOMEM;
		tn_publish(at, joined);
		return 0;
	}
	tn_publish(at, leaf(mm));
	return 0;
}

static void tree_remove(struct tn_cls_store *store, const struct tn_trie *trie, uintptr_t *at,
	const struct tn_minimatch *mm)
{
	struct tn_prefix_bits bits = place_of(trie, mm).bits;
	struct tn_trie_node *node = NULL, *parent = NULL;
	uintptr_t *above = NULL, rest;

	while (!(*at & TN_TRIE_LEAF)) {
		node = (struct tn_trie_node *)*at;
		if (node->mm == mm)
			break;
		parent = node;
		above = at;
		at = &node->child[tn_prefix_bit(&bits, node->len)];
	}
	if (!(*at & TN_TRIE_LEAF)) {
		/* A node without match of its own and with one child is not needed. */
		tn_publish(&node->mm, NULL);
		if (node->child[0] && node->child[1])
			return;
		tn_publish(at, node->child[0] ? node->child[0] : node->child[1]);
		tn_cls_free_later(store, node, node_size(trie));
		return;
	}
	if (!parent) {
		tn_publish(at, (uintptr_t)0);
		return;
	}
	rest = parent->child[at == &parent->child[0]];
	if (rest && parent->mm) {
		tn_publish(at, (uintptr_t)0);
		return;
	}
	/* The parent goes with its leaf: what is left of it moves up. */
	tn_publish(above, rest ? rest : leaf(parent->mm));
	tn_cls_free_later(store, parent, node_size(trie));
}

static struct tn_trie_root *root_new(
	struct tn_cls_store *store, struct tn_trie *trie, const struct tn_key *value, uint64_t hash)
{
	struct tn_trie_root *root = tn_cls_alloc(store, root_size(trie));

	if (!root)
		return NULL;
	tn_hentry_set_hash(&root->entry, hash);
	tn_shape_hash(trie->base, tn_key_cwords(value), store->hash_key, root->value);
	return root;
}

int tn_trie_insert(struct tn_cls_store *store, struct tn_trie *trie, struct tn_minimatch *mm)
{
	struct tn_trie_root *root;
	struct tn_key value;
	uint64_t hash;
	int err;

	tn_minimatch_value(mm, &value);
	root = root_find(store, trie, &value, &hash);
	mm->home = trie;
	if (root) {
		err = tree_insert(store, trie, &root->top, mm);
		if (err)
			return err;
	} else {
		root = root_new(store, trie, &value, hash);
		if (!root)
			return -ENOMEM;
		root->top = leaf(mm);
		err = tn_htable_insert(store, &trie->roots, &root->entry);
		if (err) {
			tn_cls_free(store, root, root_size(trie));
			return err;
		}
	}
	trie->sub.n_matches++;
	return 0;
}

void tn_trie_remove(struct tn_cls_store *store, struct tn_trie *trie, struct tn_minimatch *mm)
{
	struct tn_trie_root *root;
	struct tn_key value;
	uint64_t hash;

	tn_minimatch_value(mm, &value);
	root = root_find(store, trie, &value, &hash);
	tree_remove(store, trie, &root->top, mm);
	if (!root->top) {
		tn_htable_remove(store, &trie->roots, &root->entry);
		tn_cls_free_later(store, root, root_size(trie));
	}
	trie->sub.n_matches--;
}

struct search {
	const struct tn_cls_store *store;
	const struct tn_match *match;
	struct tn_prefix_bits bits, mask;
	uint16_t priority;
	uint64_t version;
};

/* Below the node or leaf, where the first len bits are already known to overlap. */
static struct tn_cls_rule *tree_overlap(
	const struct tn_trie *trie, uintptr_t at, const struct search *search)
{
	const struct tn_trie_node *node = (const struct tn_trie_node *)at;
	struct tn_cls_rule *rule = NULL;
	uint64_t clash;

	if (!at)
		return NULL;
	if (at & TN_TRIE_LEAF) {
		return tn_rulelist_overlap(search->store,
			(const struct tn_minimatch *)(at & ~TN_TRIE_LEAF), search->match,
			search->priority, search->version);
	}
	clash = (node->prefix[0] ^ search->bits.word[0]) & search->mask.word[0] &
		~(node->len < 64 ? ~UINT64_C(0) >> node->len : 0);
	if (!clash && trie->words > 1 && node->len > 64)
		clash = (node->prefix[1] ^ search->bits.word[1]) & search->mask.word[1] &
			~(node->len < 128 ? ~UINT64_C(0) >> (node->len - 64) : 0);
	if (clash)
		return NULL;
	if (node->mm) {
		rule = tn_rulelist_overlap(
			search->store, node->mm, search->match, search->priority, search->version);
	}
	if (!rule)
		rule = tree_overlap(trie, node->child[0], search);
	if (!rule)
		rule = tree_overlap(trie, node->child[1], search);
	return rule;
}

struct tn_cls_rule *tn_trie_overlap(const struct tn_cls_store *store, const struct tn_trie *trie,
	const struct tn_match *match, uint16_t priority, uint64_t version)
{
	struct search search = {
		.store = store,
		.match = match,
		.bits = tn_prefix_load(&match->value, trie->member),
		.mask = tn_prefix_load(&match->mask, trie->member),
		.priority = priority,
		.version = version,
	};
	const struct tn_trie_root *root;
	struct tn_cls_rule *rule;
	uint64_t hash;

	if (tn_shape_within_mask(trie->base, &match->mask)) {
		root = root_find(store, trie, &match->value, &hash);
		return root ? tree_overlap(trie, root->top, &search) : NULL;
	}
	TN_HTABLE_FOR_ALL(root, trie->roots.array)
	{
		rule = tree_overlap(trie, root->top, &search);
		if (rule)
			return rule;
	}
	return NULL;
}

static void tree_foreach(uintptr_t at, tn_cls_rule_fn fn, void *ctx)
{
	const struct tn_trie_node *node = (const struct tn_trie_node *)at;
	uintptr_t left, right;

	if (!at)
		return;
	if (at & TN_TRIE_LEAF) {
		tn_rulelist_foreach((const struct tn_minimatch *)(at & ~TN_TRIE_LEAF), fn, ctx);
		return;
	}
	/* fn may take the node itself away: what is read of it is read before. */
	left = node->child[0];
	right = node->child[1];
	if (node->mm)
		tn_rulelist_foreach(node->mm, fn, ctx);
	tree_foreach(left, fn, ctx);
	tree_foreach(right, fn, ctx);
}

void tn_trie_foreach(const struct tn_trie *trie, tn_cls_rule_fn fn, void *ctx)
{
	const struct tn_harray *array = trie->roots.array;
	const struct tn_trie_root *root;

	TN_HTABLE_FOR_ALL(root, array)
	tree_foreach(root->top, fn, ctx);
}
