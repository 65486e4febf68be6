/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/trie.h"

#include "dataplane/table/rulelist.h"

#include <errno.h>
#include <string.h>

#define MAX_SLOTS (15 + 16)

static size_t node_size(const struct tn_trie_node *node)
{
	unsigned n = (unsigned)__builtin_popcount(node->inner) +
		(unsigned)__builtin_popcount(node->children);

	return sizeof(*node) + n * sizeof(node->slot[0]);
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

static uintptr_t leaf(struct tn_minimatch *mm)
{
	return (uintptr_t)mm | TN_TRIE_LEAF;
}

static struct tn_minimatch *match_of(uintptr_t leaf_or_inner)
{
	return (struct tn_minimatch *)(leaf_or_inner & ~TN_TRIE_LEAF);
}

/* Slots before the first child. */
static unsigned n_inner(const struct tn_trie_node *node)
{
	return (unsigned)__builtin_popcount(node->inner);
}

static unsigned n_slots(const struct tn_trie_node *node)
{
	return n_inner(node) + (unsigned)__builtin_popcount(node->children);
}

static void tree_clear(struct tn_cls_store *store, uintptr_t at)
{
	struct tn_trie_node *node = (struct tn_trie_node *)at;
	unsigned i;

	if (!at)
		return;
	if (at & TN_TRIE_LEAF) {
		tn_minimatch_free(store, match_of(at), false);
		return;
	}
	for (i = 0; i < n_slots(node); i++)
		tree_clear(store,
			i < n_inner(node) && node->slot[i] ? node->slot[i] | TN_TRIE_LEAF
							   : node->slot[i]);
	tn_cls_free(store, node, node_size(node));
}

void tn_trie_clear(struct tn_cls_store *store, struct tn_trie *trie)
{
	struct tn_trie_root *root;

	TN_HTABLE_FOR_ALL(root, trie->roots.array) {
		tree_clear(store, root->top);
		tn_cls_free(store, root, root_size(trie));
	}
}

bool tn_trie_would_take(const struct tn_shape *shape, const struct tn_shape *other)
{
	static const uint8_t zero[16],
		ones[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			0xff, 0xff, 0xff, 0xff};
	const struct tn_prefix_member *m = &tn_prefix_members[shape->prefix_member];
	uint32_t words = m->size > 8 ? 3u << m->offset / 8 : 1u << m->offset / 8;
	struct tn_key mask, other_mask;
	uint8_t *part = (uint8_t *)&other_mask + m->offset;

	if ((shape->map ^ other->map) & ~words)
		return false;
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
		return place_of(trie, match_of(at));
	return (struct place){{{node->prefix[0], node->prefix[1]}}, node->len};
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
	TN_HTABLE_FOR_HASH(root, trie->roots.array, *hash) {
		if (!memcmp(root->value, wanted, trie->base->n * sizeof(wanted[0])))
			return root;
	}
	return NULL;
}

/* Bit of `inner` for a prefix that ends in a node of length len, or 0: it goes further down. */
static unsigned inner_bit(const struct place *p, unsigned len)
{
	unsigned more = p->len - len;

	if (more >= TN_TRIE_STRIDE)
		return 0;
	return 1u << more | tn_prefix_nibble(&p->bits, len) >> (TN_TRIE_STRIDE - more);
}

struct tn_minimatch *tn_trie_find(const struct tn_cls_store *store, const struct tn_trie *trie,
	const struct tn_shape *shape, const struct tn_key *value)
{
	struct place wanted = {tn_prefix_load(value, trie->member), prefix_len(trie, shape)};
	const struct tn_trie_root *root;
	const struct tn_trie_node *node;
	struct tn_minimatch *mm;
	unsigned bit, nibble;
	uintptr_t at;
	uint64_t hash;

	root = root_find(store, trie, value, &hash);
	at = root ? root->top : 0;
	while (at && !(at & TN_TRIE_LEAF)) {
		node = (const struct tn_trie_node *)at;
		if (node->len > wanted.len || !tn_trie_on_path(node, &wanted.bits))
			return NULL;
		bit = inner_bit(&wanted, node->len);
		nibble = tn_prefix_nibble(&wanted.bits, node->len);
		if (bit && (node->inner >> bit & 1))
			return match_of(node->slot[tn_trie_rank(node->inner, bit)]);
		if (bit || !(node->children >> nibble & 1))
			return NULL;
		at = node->slot[tn_trie_child_slot(node, nibble)];
	}
	mm = match_of(at);
	return mm && mm->shape == shape && tn_minimatch_has_value(mm, value) ? mm : NULL;
}

/* What a node is made of, in a form that is easy to change. */
struct draft {
	struct tn_prefix_bits bits;
	unsigned len;
	uintptr_t inner[16]; /* by bit */
	uintptr_t child[16]; /* by nibble */
};

static void draft_from(struct draft *d, const struct tn_trie_node *node)
{
	unsigned i, at = 0;

	*d = (struct draft){.bits = {{node->prefix[0], node->prefix[1]}}, .len = node->len};
	for (i = 0; i < 16; i++) {
		if (node->inner >> i & 1)
			d->inner[i] = node->slot[at++];
	}
	for (i = 0; i < 16; i++) {
		if (node->children >> i & 1)
			d->child[i] = node->slot[at++];
	}
}

/* `at` is a node or a leaf; its prefix is p, which begins with the draft's. */
static void draft_put(struct draft *d, const struct place *p, uintptr_t at)
{
	unsigned bit = inner_bit(p, d->len);

	if (bit)
		d->inner[bit] = at & ~TN_TRIE_LEAF;
	else
		d->child[tn_prefix_nibble(&p->bits, d->len)] = at;
}

/* NULL: no memory. */
static struct tn_trie_node *node_from(struct tn_cls_store *store, const struct draft *d)
{
	struct tn_trie_node shape = {.prefix = {d->bits.word[0], d->bits.word[1]}}, *node;
	uintptr_t slots[MAX_SLOTS];
	unsigned i, n = 0;

	shape.len = (uint8_t)d->len;
	for (i = 0; i < 16; i++) {
		if (d->inner[i]) {
			shape.inner |= (uint16_t)(1u << i);
			slots[n++] = d->inner[i];
		}
	}
	for (i = 0; i < 16; i++) {
		if (d->child[i]) {
			shape.children |= (uint16_t)(1u << i);
			slots[n++] = d->child[i];
		}
	}
	node = tn_cls_alloc(store, node_size(&shape));
	if (!node)
		return NULL;
	*node = shape;
	memcpy(node->slot, slots, n * sizeof(slots[0]));
	return node;
}

/* A node for the bits that what is at *at and mm have in common takes the place of *at. */
static int tree_join(struct tn_cls_store *store, uintptr_t *at, const struct place *there,
	struct tn_minimatch *mm, const struct place *here)
{
	struct draft d = {
		.bits = here->bits,
		.len = common(here, there) & ~(TN_TRIE_STRIDE - 1),
	};
	struct tn_trie_node *node;

	draft_put(&d, there, *at);
	draft_put(&d, here, leaf(mm));
	node = node_from(store, &d);
	if (!node)
		return -ENOMEM;
	tn_publish(at, (uintptr_t)node);
	return 0;
}

/* The node at *at gets a slot more. */
static int tree_extend(struct tn_cls_store *store, uintptr_t *at, struct tn_minimatch *mm,
	const struct place *here)
{
	struct tn_trie_node *old = (struct tn_trie_node *)*at, *node;
	struct draft d;

	draft_from(&d, old);
	draft_put(&d, here, leaf(mm));
	node = node_from(store, &d);
	if (!node)
		return -ENOMEM;
	tn_publish(at, (uintptr_t)node);
	tn_cls_free_later(store, old, node_size(old));
	return 0;
}

/* The slot that a prefix has in this node, or of the child it is under; NULL: none. */
static uintptr_t *slot_for(struct tn_trie_node *node, const struct place *p)
{
	unsigned bit = inner_bit(p, node->len);
	unsigned nibble = tn_prefix_nibble(&p->bits, node->len);

	if (bit)
		return node->inner >> bit & 1 ? &node->slot[tn_trie_rank(node->inner, bit)] : NULL;
	if (!(node->children >> nibble & 1))
		return NULL;
	return &node->slot[tn_trie_child_slot(node, nibble)];
}

static int tree_insert(struct tn_cls_store *store, const struct tn_trie *trie, uintptr_t *at,
	struct tn_minimatch *mm)
{
	struct place here = place_of(trie, mm), there;
	struct tn_trie_node *node;
	uintptr_t *slot;

	while (*at) {
		there = place_at(trie, *at);
		node = (struct tn_trie_node *)*at;
		if ((*at & TN_TRIE_LEAF) || common(&here, &there) < node->len)
			return tree_join(store, at, &there, mm, &here);
		slot = slot_for(node, &here);
		if (!slot)
			return tree_extend(store, at, mm, &here);
		if (inner_bit(&here, node->len)) {
			TN_ASSERT(!*slot);
			tn_publish(slot, (uintptr_t)mm);
			return 0;
		}
		at = slot;
	}
	tn_publish(at, leaf(mm));
	return 0;
}

/*
 * The node at *at lost what was in a slot: it becomes a copy without the empty slots, or what is
 * left in it where that is one thing. Without memory it stays as it is, which is right as well.
 */
static void tree_tidy(struct tn_cls_store *store, uintptr_t *at)
{
	struct tn_trie_node *old = (struct tn_trie_node *)*at, *node;
	unsigned i, live = 0, last = 0;
	struct draft d;

	for (i = 0; i < n_slots(old); i++) {
		if (old->slot[i]) {
			live++;
			last = i;
		}
	}
	if (live <= 1) {
		tn_publish(at,
			!live			      ? (uintptr_t)0
				: last < n_inner(old) ? old->slot[last] | TN_TRIE_LEAF
						      : old->slot[last]);
		tn_cls_free_later(store, old, node_size(old));
		return;
	}
	draft_from(&d, old);
	node = node_from(store, &d);
	if (!node)
		return;
	tn_publish(at, (uintptr_t)node);
	tn_cls_free_later(store, old, node_size(old));
}

static void tree_remove(struct tn_cls_store *store, const struct tn_trie *trie, uintptr_t *at,
	const struct tn_minimatch *mm)
{
	struct place here = place_of(trie, mm);
	uintptr_t *above[128 / TN_TRIE_STRIDE + 1];
	unsigned depth = 0;

	while (match_of(*at) != mm) {
		above[depth++] = at;
		at = slot_for((struct tn_trie_node *)*at, &here);
	}
	tn_publish(at, (uintptr_t)0);
	/* A node that becomes empty leaves an empty slot above. */
	while (depth > 0 && !*at) {
		at = above[--depth];
		tree_tidy(store, at);
	}
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

/* Do the node's prefix and the search's match exclude each other? */
static bool tree_clash(const struct tn_trie_node *node, const struct search *search)
{
	unsigned i, len;
	uint64_t clash;

	for (i = 0; i < 2 && node->len > 64 * i; i++) {
		len = node->len - 64 * i;
		clash = (node->prefix[i] ^ search->bits.word[i]) & search->mask.word[i];
		if (len < 64)
			clash &= ~(~UINT64_C(0) >> len);
		if (clash)
			return true;
	}
	return false;
}

static struct tn_cls_rule *tree_overlap(uintptr_t at, const struct search *search)
{
	const struct tn_trie_node *node = (const struct tn_trie_node *)at;
	struct tn_cls_rule *rule = NULL;
	unsigned i;

	if (!at)
		return NULL;
	if (at & TN_TRIE_LEAF) {
		return tn_rulelist_overlap(search->store, match_of(at), search->match,
			search->priority, search->version);
	}
	if (tree_clash(node, search))
		return NULL;
	for (i = 0; i < n_slots(node) && !rule; i++) {
		rule = tree_overlap(i < n_inner(node) && node->slot[i]
				? node->slot[i] | TN_TRIE_LEAF
				: node->slot[i],
			search);
	}
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
		return root ? tree_overlap(root->top, &search) : NULL;
	}
	TN_HTABLE_FOR_ALL(root, trie->roots.array) {
		rule = tree_overlap(root->top, &search);
		if (rule)
			return rule;
	}
	return NULL;
}

/* fn may take the node itself away: what is read of it is read before. */
static void tree_foreach(uintptr_t at, tn_cls_rule_fn fn, void *ctx)
{
	const struct tn_trie_node *node = (const struct tn_trie_node *)at;
	uintptr_t slots[MAX_SLOTS];
	unsigned i, n, inner;

	if (!at)
		return;
	if (at & TN_TRIE_LEAF) {
		tn_rulelist_foreach(match_of(at), fn, ctx);
		return;
	}
	n = n_slots(node);
	inner = n_inner(node);
	memcpy(slots, node->slot, n * sizeof(slots[0]));
	for (i = 0; i < n; i++)
		tree_foreach(i < inner && slots[i] ? slots[i] | TN_TRIE_LEAF : slots[i], fn, ctx);
}

void tn_trie_foreach(const struct tn_trie *trie, tn_cls_rule_fn fn, void *ctx)
{
	const struct tn_harray *array = trie->roots.array;
	const struct tn_trie_root *root;

	TN_HTABLE_FOR_ALL(root, array)
		tree_foreach(root->top, fn, ctx);
}
