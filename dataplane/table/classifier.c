/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/classifier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tn_minimatch {
	struct tn_match match;
};

struct tn_classifier {
	struct tn_defer *defer;
	struct tn_cls_rule *first; /* highest priority first */
	uint32_t n_rules;
};

static bool visible(const struct tn_cls_rule *rule, uint64_t version)
{
	return rule->add_version <= version &&
		version < __atomic_load_n(&rule->remove_version, __ATOMIC_RELAXED);
}

static struct tn_cls_rule *load(struct tn_cls_rule *const *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(struct tn_cls_rule **p, struct tn_cls_rule *rule)
{
	__atomic_store_n(p, rule, __ATOMIC_RELEASE);
}

struct tn_classifier *tn_classifier_new(struct tn_defer *defer)
{
	struct tn_classifier *cls = calloc(1, sizeof(*cls));

	if (cls)
		cls->defer = defer;
	return cls;
}

void tn_classifier_free(struct tn_classifier *cls)
{
	struct tn_cls_rule *rule;

	if (!cls)
		return;
	for (rule = cls->first; rule; rule = rule->next)
		free(rule->mm);
	free(cls);
}

int tn_classifier_insert(
	struct tn_classifier *cls, struct tn_cls_rule *rule, const struct tn_match *match)
{
	struct tn_cls_rule **at = &cls->first;

	rule->mm = malloc(sizeof(*rule->mm));
	if (!rule->mm)
		return -ENOMEM;
	rule->mm->match = *match;
	rule->private_home = cls;
	while (*at && (*at)->priority > rule->priority)
		at = &(*at)->next;
	rule->next = *at;
	store(at, rule);
	cls->n_rules++;
	return 0;
}

void tn_classifier_remove(struct tn_classifier *cls, struct tn_cls_rule *rule)
{
	struct tn_cls_rule **at = &cls->first;

	while (*at != rule)
		at = &(*at)->next;
	store(at, rule->next);
	cls->n_rules--;
	tn_defer_add(cls->defer, rule->mm, free);
}

static bool matches(const struct tn_minimatch *mm, const struct tn_key *key)
{
	const uint64_t *value = tn_key_cwords(&mm->match.value);
	const uint64_t *mask = tn_key_cwords(&mm->match.mask);
	const uint64_t *k = tn_key_cwords(key);
	unsigned i;

	for (i = 0; i < TN_KEY_WORDS; i++) {
		if ((k[i] & mask[i]) != value[i])
			return false;
	}
	return true;
}

struct tn_cls_rule *tn_classifier_lookup(
	const struct tn_classifier *cls, const struct tn_key *key, uint64_t version)
{
	struct tn_cls_rule *rule;

	for (rule = load(&cls->first); rule; rule = load(&rule->next)) {
		if (visible(rule, version) && matches(rule->mm, key))
			return rule;
	}
	return NULL;
}

struct tn_cls_rule *tn_classifier_find(const struct tn_classifier *cls,
	const struct tn_match *match, uint16_t priority, uint64_t version)
{
	struct tn_cls_rule *rule;

	for (rule = load(&cls->first); rule; rule = load(&rule->next)) {
		if (rule->priority == priority && visible(rule, version) &&
			!memcmp(&rule->mm->match, match, sizeof(*match)))
			return rule;
	}
	return NULL;
}

static bool overlaps(const struct tn_match *a, const struct tn_match *b)
{
	const uint64_t *av = tn_key_cwords(&a->value), *am = tn_key_cwords(&a->mask);
	const uint64_t *bv = tn_key_cwords(&b->value), *bm = tn_key_cwords(&b->mask);
	unsigned i;

	for (i = 0; i < TN_KEY_WORDS; i++) {
		if ((av[i] ^ bv[i]) & am[i] & bm[i])
			return false;
	}
	return true;
}

struct tn_cls_rule *tn_classifier_overlap(const struct tn_classifier *cls,
	const struct tn_match *match, uint16_t priority, uint64_t version)
{
	struct tn_cls_rule *rule;

	for (rule = cls->first; rule; rule = rule->next) {
		if (rule->priority == priority && visible(rule, version) &&
			overlaps(&rule->mm->match, match))
			return rule;
	}
	return NULL;
}

void tn_classifier_mask(const struct tn_classifier *cls, struct tn_key *mask)
{
	struct tn_cls_rule *rule;
	unsigned i;

	memset(mask, 0, sizeof(*mask));
	for (rule = load(&cls->first); rule; rule = load(&rule->next)) {
		for (i = 0; i < TN_KEY_WORDS; i++)
			tn_key_words(mask)[i] |= tn_key_cwords(&rule->mm->match.mask)[i];
	}
}

void tn_classifier_foreach(struct tn_classifier *cls, tn_cls_rule_fn fn, void *ctx)
{
	struct tn_cls_rule *rule, *next;

	for (rule = cls->first; rule; rule = next) {
		next = rule->next;
		fn(ctx, rule);
	}
}

void tn_cls_rule_match(const struct tn_cls_rule *rule, struct tn_match *match)
{
	*match = rule->mm->match;
}

void tn_classifier_stats(const struct tn_classifier *cls, struct tn_classifier_stats *stats)
{
	*stats = (struct tn_classifier_stats){
		.template_name = "linear",
		.n_rules = cls->n_rules,
		.memory_bytes = sizeof(*cls) + cls->n_rules * sizeof(struct tn_minimatch),
	};
}
