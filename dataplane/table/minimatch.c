/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/minimatch.h"

#include <errno.h>
#include <string.h>

static size_t shape_size(unsigned n)
{
	return sizeof(struct tn_shape) + n * sizeof(uint64_t);
}

static size_t minimatch_size(const struct tn_shape *shape)
{
	return sizeof(struct tn_minimatch) + shape->n * sizeof(uint64_t);
}

int tn_shapes_init(struct tn_cls_store *store)
{
	return tn_htable_init(store, &store->shapes->table);
}

void tn_shapes_fini(struct tn_cls_store *store)
{
	unsigned i;

	TN_ASSERT(store->shapes->table.count == 0);
	tn_htable_fini(store, &store->shapes->table);
	for (i = 0; i < TN_KEY_WORDS; i++)
		tn_cls_free(store, store->shapes->bit_users[i], 64 * sizeof(uint32_t));
}

static uint64_t hash_mask(const struct tn_cls_store *store, const struct tn_key *mask)
{
	return tn_cls_hash(tn_key_cwords(mask), TN_KEY_WORDS, store->hash_key);
}

struct tn_shape *tn_shape_find(const struct tn_cls_store *store, const struct tn_key *mask)
{
	uint64_t hash = hash_mask(store, mask);
	struct tn_shape *shape;
	struct tn_key has;

	TN_HTABLE_FOR_HASH(shape, store->shapes->table.array, hash) {
		tn_shape_mask(shape, &has);
		if (!memcmp(&has, mask, sizeof(has)))
			return shape;
	}
	return NULL;
}

static void shape_fill(struct tn_shape *shape, const struct tn_key *mask)
{
	const uint64_t *words = tn_key_cwords(mask);
	unsigned i;

	shape->refs = 1;
	for (i = 0; i < TN_KEY_WORDS; i++) {
		if (!words[i])
			continue;
		shape->map |= 1u << i;
		shape->index[shape->n] = (uint8_t)i;
		shape->mask[shape->n++] = words[i];
	}
	for (i = 0; i < TN_N_TELLING_BYTES; i++) {
		if (((const uint8_t *)mask)[tn_telling_bytes[i]])
			shape->telling |= 1u << i;
	}
	shape->prefix_member = tn_prefix_shape(mask, &shape->prefix_len);
}

static unsigned words_of(const struct tn_key *mask)
{
	unsigned i, n = 0;

	for (i = 0; i < TN_KEY_WORDS; i++)
		n += tn_key_cwords(mask)[i] != 0;
	return n;
}

struct tn_shape *tn_shape_get(struct tn_cls_store *store, const struct tn_key *mask)
{
	struct tn_shape *shape = tn_shape_find(store, mask);
	unsigned n = words_of(mask);

	if (shape) {
		shape->refs++;
		return shape;
	}
	shape = tn_cls_alloc(store, shape_size(n));
	if (!shape)
		return NULL;
	shape_fill(shape, mask);
	tn_hentry_set_hash(&shape->entry, hash_mask(store, mask));
	if (tn_htable_insert(store, &store->shapes->table, &shape->entry) != 0) {
		tn_cls_free(store, shape, shape_size(n));
		return NULL;
	}
	return shape;
}

void tn_shape_put(struct tn_cls_store *store, struct tn_shape *shape)
{
	unsigned i;

	if (!shape || --shape->refs)
		return;
	for (i = 0; i < TN_N_COARSE; i++) {
		if (shape->coarse[i] != shape)
			tn_shape_put(store, shape->coarse[i]);
	}
	tn_shape_put(store, shape->base);
	tn_htable_remove(store, &store->shapes->table, &shape->entry);
	tn_cls_free_later(store, shape, shape_size(shape->n));
}

void tn_shape_mask(const struct tn_shape *shape, struct tn_key *mask)
{
	unsigned i;

	memset(mask, 0, sizeof(*mask));
	for (i = 0; i < shape->n; i++)
		tn_key_words(mask)[shape->index[i]] = shape->mask[i];
}

bool tn_shape_within_mask(const struct tn_shape *coarse, const struct tn_key *fine)
{
	unsigned i;

	for (i = 0; i < coarse->n; i++) {
		if (coarse->mask[i] & ~tn_key_cwords(fine)[coarse->index[i]])
			return false;
	}
	return true;
}

struct tn_shape *tn_shape_coarse(
	struct tn_cls_store *store, struct tn_shape *shape, enum tn_coarseness level)
{
	struct tn_key mask, coarse;

	if (shape->coarse[level])
		return shape->coarse[level];
	tn_shape_mask(shape, &mask);
	tn_coarsen(&mask, level, &coarse);
	if (!memcmp(&mask, &coarse, sizeof(mask)))
		shape->coarse[level] = shape;
	else
		shape->coarse[level] = tn_shape_get(store, &coarse);
	return shape->coarse[level];
}

struct tn_shape *tn_shape_base(struct tn_cls_store *store, struct tn_shape *shape)
{
	const struct tn_prefix_member *m = &tn_prefix_members[shape->prefix_member];
	struct tn_key mask;

	if (shape->base)
		return shape->base;
	tn_shape_mask(shape, &mask);
	memset((uint8_t *)&mask + m->offset, 0, m->size);
	shape->base = tn_shape_get(store, &mask);
	return shape->base;
}

/* A first match has the shape: its bits are looked at now. */
static int shape_use(struct tn_cls_store *store, const struct tn_shape *shape)
{
	struct tn_shapes *shapes = store->shapes;
	unsigned i, bit, word;

	for (i = 0; i < shape->n; i++) {
		word = shape->index[i];
		if (!shapes->bit_users[word])
			shapes->bit_users[word] = tn_cls_alloc(store, 64 * sizeof(uint32_t));
		if (!shapes->bit_users[word])
			return -ENOMEM;
	}
	for (i = 0; i < shape->n; i++) {
		word = shape->index[i];
		for (bit = 0; bit < 64; bit++)
			shapes->bit_users[word][bit] += shape->mask[i] >> bit & 1;
		tn_publish(&shapes->mask[word], shapes->mask[word] | shape->mask[i]);
		tn_publish(&shapes->map, shapes->map | 1u << word);
	}
	return 0;
}

static void shape_unuse(struct tn_cls_store *store, const struct tn_shape *shape)
{
	struct tn_shapes *shapes = store->shapes;
	unsigned i, bit, word;
	uint64_t left;

	for (i = 0; i < shape->n; i++) {
		word = shape->index[i];
		left = shapes->mask[word];
		for (bit = 0; bit < 64; bit++) {
			if ((shape->mask[i] >> bit & 1) && --shapes->bit_users[word][bit] == 0)
				left &= ~(UINT64_C(1) << bit);
		}
		tn_publish(&shapes->mask[word], left);
		if (!left)
			tn_publish(&shapes->map, shapes->map & ~(1u << word));
	}
}

struct tn_minimatch *tn_minimatch_new(
	struct tn_cls_store *store, struct tn_shape *shape, const struct tn_key *value)
{
	struct tn_minimatch *mm = tn_cls_alloc(store, minimatch_size(shape));
	unsigned i;

	if (!mm)
		return NULL;
	if (shape->n_matches == 0 && shape_use(store, shape) != 0) {
		tn_cls_free(store, mm, minimatch_size(shape));
		return NULL;
	}
	mm->shape = shape;
	shape->n_matches++;
	shape->refs++;
	for (i = 0; i < shape->n; i++)
		mm->value[i] = tn_key_cwords(value)[shape->index[i]] & shape->mask[i];
	return mm;
}

void tn_minimatch_free(struct tn_cls_store *store, struct tn_minimatch *mm, bool published)
{
	struct tn_shape *shape = mm->shape;
	size_t size = minimatch_size(shape);

	if (--shape->n_matches == 0)
		shape_unuse(store, shape);
	if (published)
		tn_cls_free_later(store, mm, size);
	else
		tn_cls_free(store, mm, size);
	tn_shape_put(store, shape);
}

void tn_minimatch_value(const struct tn_minimatch *mm, struct tn_key *value)
{
	unsigned i;

	memset(value, 0, sizeof(*value));
	for (i = 0; i < mm->shape->n; i++)
		tn_key_words(value)[mm->shape->index[i]] = mm->value[i];
}

bool tn_minimatch_has_value(const struct tn_minimatch *mm, const struct tn_key *value)
{
	return tn_minimatch_matches(mm, tn_key_cwords(value));
}

bool tn_minimatch_overlaps(const struct tn_minimatch *mm, const struct tn_match *match)
{
	const uint64_t *value = tn_key_cwords(&match->value);
	const uint64_t *mask = tn_key_cwords(&match->mask);
	const struct tn_shape *shape = mm->shape;
	unsigned i;

	for (i = 0; i < shape->n; i++) {
		if ((mm->value[i] ^ value[shape->index[i]]) & shape->mask[i] &
			mask[shape->index[i]])
			return false;
	}
	return true;
}
