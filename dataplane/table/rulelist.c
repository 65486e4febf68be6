/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/rulelist.h"

#include <string.h>

#define LONG  128 /* steps after which a list gets an index */
#define SHORT 16  /* rules below which it loses it */

#define PAGE  64
#define PAGES (65536 / PAGE)

struct page {
	struct tn_cls_rule *last[PAGE]; /* oldest rule of each priority */
};

struct index {
	struct tn_hentry entry;
	const struct tn_minimatch *mm;
	uint32_t n_rules;
	uint64_t used[PAGES]; /* one bit a priority */
	struct page *pages[PAGES];
};

int tn_rulelists_init(struct tn_cls_store *store)
{
	return tn_htable_init(store, &store->lists->indexes);
}

static void index_free(struct tn_cls_store *store, struct index *index)
{
	unsigned i;

	for (i = 0; i < PAGES; i++)
		tn_cls_free(store, index->pages[i], sizeof(struct page));
	tn_cls_free(store, index, sizeof(*index));
}

static void index_drop(struct tn_cls_store *store, struct index *index)
{
	tn_htable_remove(store, &store->lists->indexes, &index->entry);
	index_free(store, index);
}

void tn_rulelists_fini(struct tn_cls_store *store)
{
	struct index *index;

	if (!store->lists->indexes.array)
		return;
	TN_HTABLE_FOR_ALL(index, store->lists->indexes.array)
		index_free(store, index);
	tn_htable_fini(store, &store->lists->indexes);
}

static uint64_t hash_of(const struct tn_cls_store *store, const struct tn_minimatch *mm)
{
	uint64_t word = (uintptr_t)mm;

	return tn_cls_hash(&word, 1, store->hash_key);
}

static struct index *index_find(const struct tn_cls_store *store, const struct tn_minimatch *mm)
{
	struct index *index;
	uint64_t hash;

	if (!store->lists->indexes.count)
		return NULL;
	hash = hash_of(store, mm);
	TN_HTABLE_FOR_HASH(index, store->lists->indexes.array, hash) {
		if (index->mm == mm)
			return index;
	}
	return NULL;
}

static bool index_set(struct tn_cls_store *store, struct index *index, uint16_t priority,
	struct tn_cls_rule *last)
{
	struct page **page = &index->pages[priority / PAGE];

	if (!*page)
		*page = tn_cls_alloc(store, sizeof(**page));
	if (!*page)
		return false;
	(*page)->last[priority % PAGE] = last;
	if (last)
		index->used[priority / PAGE] |= UINT64_C(1) << priority % PAGE;
	else
		index->used[priority / PAGE] &= ~(UINT64_C(1) << priority % PAGE);
	return true;
}

/* NULL: no memory. */
static struct index *index_build(struct tn_cls_store *store, const struct tn_minimatch *mm)
{
	struct index *index = tn_cls_alloc(store, sizeof(*index));
	struct tn_cls_rule *rule;

	if (!index)
		return NULL;
	index->mm = mm;
	tn_hentry_set_hash(&index->entry, hash_of(store, mm));
	for (rule = mm->rules; rule; rule = rule->next) {
		if (!index_set(store, index, rule->priority, rule))
			goto fail;
		index->n_rules++;
	}
	if (tn_htable_insert(store, &store->lists->indexes, &index->entry) == 0)
		return index;
fail:
	index_free(store, index);
	return NULL;
}

/* The rule before the first one of this priority or lower, or NULL. */
static struct tn_cls_rule *index_before(const struct index *index, uint16_t priority)
{
	uint32_t from = priority + 1u, word = from / PAGE;
	uint64_t bits;

	if (from > UINT16_MAX)
		return NULL;
	bits = index->used[word] & (~UINT64_C(0) << from % PAGE);
	while (!bits && ++word < PAGES)
		bits = index->used[word];
	return bits ? index->pages[word]->last[__builtin_ctzll(bits)] : NULL;
}

/* Readers may pass the match over by this, so it is never less than a published rule's. */
static void set_priority(struct tn_minimatch *mm, uint16_t priority)
{
	__atomic_store_n(&mm->entry.user, priority, __ATOMIC_RELEASE);
}

/* As index_before(); makes an index on the way when the way is long. */
static struct tn_cls_rule *find_before(
	struct tn_cls_store *store, struct tn_minimatch *mm, uint16_t priority)
{
	const struct index *index = index_find(store, mm);
	struct tn_cls_rule *before = NULL, *rule = mm->rules;
	unsigned steps = 0;

	while (!index && rule && rule->priority > priority) {
		before = rule;
		rule = rule->next;
		if (++steps == LONG)
			index = index_build(store, mm);
	}
	return index ? index_before(index, priority) : before;
}

static void index_added(struct tn_cls_store *store, struct tn_cls_rule *rule)
{
	struct index *index = index_find(store, rule->mm);
	bool last = !rule->next || rule->next->priority != rule->priority;

	if (!index)
		return;
	index->n_rules++;
	if (last && !index_set(store, index, rule->priority, rule))
		index_drop(store, index);
}

void tn_rulelist_add(struct tn_cls_store *store, struct tn_minimatch *mm, struct tn_cls_rule *rule)
{
	struct tn_cls_rule *before = find_before(store, mm, rule->priority);
	struct tn_cls_rule **at = before ? &before->next : &mm->rules;

	rule->mm = mm;
	rule->prev = before;
	rule->next = *at;
	if (rule->next)
		rule->next->prev = rule;
	if (!before)
		set_priority(mm, rule->priority);
	tn_publish(at, rule);
	index_added(store, rule);
}

static void index_removed(struct tn_cls_store *store, const struct tn_cls_rule *rule)
{
	struct index *index = index_find(store, rule->mm);
	struct tn_cls_rule *last = rule->prev;

	if (!index)
		return;
	if (last && last->priority != rule->priority)
		last = NULL;
	/* Never fails: the page is there. */
	if (index->pages[rule->priority / PAGE]->last[rule->priority % PAGE] == rule)
		(void)index_set(store, index, rule->priority, last);
	if (--index->n_rules < SHORT)
		index_drop(store, index);
}

void tn_rulelist_remove(
	struct tn_cls_store *store, struct tn_minimatch *mm, struct tn_cls_rule *rule)
{
	tn_publish(rule->prev ? &rule->prev->next : &mm->rules, rule->next);
	if (rule->next)
		rule->next->prev = rule->prev;
	if (!rule->prev)
		set_priority(mm, mm->rules ? mm->rules->priority : 0);
	index_removed(store, rule);
}

/* Where the newest rule that the version knows is not visible any more, no older one is. */
struct tn_cls_rule *tn_rulelist_find(const struct tn_cls_store *store,
	const struct tn_minimatch *mm, uint16_t priority, uint64_t version)
{
	const struct index *index = index_find(store, mm);
	struct tn_cls_rule *before = index ? index_before(index, priority) : NULL;
	struct tn_cls_rule *rule = before ? before->next : mm->rules;

	while (rule && rule->priority > priority)
		rule = rule->next;
	while (rule && rule->priority == priority && rule->add_version > version)
		rule = rule->next;
	if (!rule || rule->priority != priority || !tn_cls_rule_visible(rule, version))
		return NULL;
	return rule;
}

struct tn_cls_rule *tn_rulelist_overlap(const struct tn_cls_store *store,
	const struct tn_minimatch *mm, const struct tn_match *match, uint16_t priority,
	uint64_t version)
{
	return tn_minimatch_overlaps(mm, match) ? tn_rulelist_find(store, mm, priority, version)
						: NULL;
}

void tn_rulelist_foreach(const struct tn_minimatch *mm, tn_cls_rule_fn fn, void *ctx)
{
	struct tn_cls_rule *rule, *next;

	for (rule = mm->rules; rule; rule = next) {
		next = rule->next;
		fn(ctx, rule);
	}
}
