/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lookup against a slow list: random rules of many shapes come and go, some versions pass, and
 * every version still in use must see the same through both.
 */
#include "dataplane/table/classifier.h"

#include "tests/unit/table/random_rules.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define MAX_RULES 4000

struct model_rule {
	struct tn_cls_rule rule;
	struct tn_match match;
	struct model_rule *next;
};

struct model {
	struct tn_random random;
	enum rule_shape shape;
	uint32_t n_priorities;
	struct tn_defer *defer;
	struct tn_classifier *cls;
	struct model_rule *rules; /* not removed yet, newest first */
	uint32_t n_rules;
	uint64_t version; /* current */
	uint64_t oldest;  /* still in use */
};

static void setup(struct model *m, enum rule_shape shape, uint64_t seed, uint32_t n_priorities)
{
	*m = (struct model){.random = {seed}, .shape = shape, .n_priorities = n_priorities};
	m->defer = tn_defer_new();
	m->cls = tn_classifier_new_seeded(m->defer, seed);
	assert_non_null(m->cls);
}

static void teardown(struct model *m)
{
	struct model_rule *r, *next;

	tn_classifier_free(m->cls);
	tn_defer_free(m->defer);
	for (r = m->rules; r; r = next) {
		next = r->next;
		free(r);
	}
}

static bool visible(const struct model_rule *r, uint64_t version)
{
	return r->rule.add_version <= version && version < r->rule.remove_version;
}

static bool accepts(const struct tn_match *m, const struct tn_key *key)
{
	unsigned i;

	for (i = 0; i < TN_KEY_WORDS; i++) {
		if ((tn_key_cwords(key)[i] & tn_key_cwords(&m->mask)[i]) !=
			tn_key_cwords(&m->value)[i])
			return false;
	}
	return true;
}

static bool overlaps(const struct tn_match *a, const struct tn_match *b)
{
	unsigned i;

	for (i = 0; i < TN_KEY_WORDS; i++) {
		if ((tn_key_cwords(&a->value)[i] ^ tn_key_cwords(&b->value)[i]) &
			tn_key_cwords(&a->mask)[i] & tn_key_cwords(&b->mask)[i])
			return false;
	}
	return true;
}

static const struct model_rule *slow_lookup(
	const struct model *m, const struct tn_key *key, uint64_t version)
{
	const struct model_rule *r, *best = NULL;

	for (r = m->rules; r; r = r->next) {
		if (visible(r, version) && accepts(&r->match, key) &&
			(!best || r->rule.priority > best->rule.priority))
			best = r;
	}
	return best;
}

static struct model_rule *slow_find(
	const struct model *m, const struct tn_match *match, uint16_t priority, uint64_t version)
{
	struct model_rule *r;

	for (r = m->rules; r; r = r->next) {
		if (r->rule.priority == priority && visible(r, version) &&
			!memcmp(&r->match, match, sizeof(*match)))
			return r;
	}
	return NULL;
}

static bool slow_overlap(
	const struct model *m, const struct tn_match *match, uint16_t priority, uint64_t version)
{
	const struct model_rule *r;

	for (r = m->rules; r; r = r->next) {
		if (r->rule.priority == priority && visible(r, version) &&
			overlaps(&r->match, match))
			return true;
	}
	return false;
}

static uint16_t random_priority(struct model *m)
{
	return (uint16_t)(random_below(&m->random, m->n_priorities) * 7);
}

/* As a switch does: the same match and priority replaces the rule that is there. */
static int add(struct model *m)
{
	struct model_rule *r = calloc(1, sizeof(*r)), *old;
	int err;

	assert_non_null(r);
	random_match(&m->random, m->shape, &r->match);
	r->rule.priority = random_priority(m);
	r->rule.add_version = m->version + 1;
	r->rule.remove_version = TN_VERSION_NEVER;
	old = slow_find(m, &r->match, r->rule.priority, m->version + 1);
	err = tn_classifier_insert(m->cls, &r->rule, &r->match);
	if (err) {
		free(r);
		return err;
	}
	if (old)
		old->rule.remove_version = m->version + 1;
	r->next = m->rules;
	m->rules = r;
	m->n_rules++;
	return 0;
}

static void hide(struct model *m)
{
	uint32_t i = m->n_rules ? random_below(&m->random, m->n_rules) : 0;
	struct model_rule *r = m->rules;

	while (r && i--)
		r = r->next;
	if (r && r->rule.remove_version == TN_VERSION_NEVER && r->rule.add_version <= m->version)
		r->rule.remove_version = m->version + 1;
}

/* No reader of an older version is left: what none can see goes. */
static void reclaim(struct model *m)
{
	struct model_rule **at = &m->rules, *r;

	m->oldest = m->version;
	while ((r = *at)) {
		if (r->rule.remove_version > m->version) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		tn_classifier_remove(m->cls, &r->rule);
		tn_defer_add(m->defer, r, free);
		m->n_rules--;
	}
	tn_defer_run(m->defer);
}

static void check_lookups(struct model *m, int n)
{
	const struct model_rule *expected, *near;
	const struct tn_cls_rule *got;
	struct tn_key key;
	uint64_t version;
	uint32_t at;

	while (n-- && m->n_rules) {
		at = random_below(&m->random, m->n_rules < 50 ? m->n_rules : 50);
		for (near = m->rules; at--;)
			near = near->next;
		random_key(&m->random, m->shape, &near->match, &key);
		version = m->oldest +
			random_below(&m->random, (uint32_t)(m->version - m->oldest) + 1);
		expected = slow_lookup(m, &key, version);
		got = tn_classifier_lookup(m->cls, &key, version);
		if (!expected) {
			assert_null(got);
			continue;
		}
		assert_non_null(got);
		assert_int_equal(got->priority, expected->rule.priority);
		assert_true(visible((const struct model_rule *)got, version));
		assert_true(accepts(&((const struct model_rule *)got)->match, &key));
	}
}

static void check_finds(struct model *m, int n)
{
	const struct model_rule *near, *expected;
	const struct tn_cls_rule *got;
	struct tn_match match;
	uint16_t priority;
	uint32_t at;

	while (n-- && m->n_rules) {
		at = random_below(&m->random, m->n_rules);
		for (near = m->rules; at--;)
			near = near->next;
		tn_cls_rule_match(&near->rule, &match);
		assert_memory_equal(&match, &near->match, sizeof(match));
		priority = random_below(&m->random, 2) ? near->rule.priority : random_priority(m);
		if (random_below(&m->random, 3) == 0)
			random_match(&m->random, m->shape, &match);
		expected = slow_find(m, &match, priority, m->version);
		assert_ptr_equal(tn_classifier_find(m->cls, &match, priority, m->version),
			expected ? &expected->rule : NULL);
		got = tn_classifier_overlap(m->cls, &match, priority, m->version);
		assert_int_equal(got != NULL, slow_overlap(m, &match, priority, m->version));
		if (!got)
			continue;
		assert_int_equal(got->priority, priority);
		assert_true(overlaps(&((const struct model_rule *)got)->match, &match));
	}
}

static void count_rule(void *ctx, struct tn_cls_rule *rule)
{
	assert_non_null(rule->mm);
	(*(uint32_t *)ctx)++;
}

static void check_rest(struct model *m)
{
	struct tn_classifier_stats stats;
	const struct model_rule *r;
	struct tn_key mask, expected = {0};
	uint32_t n = 0;
	unsigned i;

	tn_classifier_foreach(m->cls, count_rule, &n);
	assert_int_equal(n, m->n_rules);
	tn_classifier_stats(m->cls, &stats);
	assert_int_equal(stats.n_rules, m->n_rules);
	assert_true(stats.n_tuples <= TN_TUPLES_MAX && stats.n_tries <= TN_TRIES_MAX);
	for (r = m->rules; r; r = r->next) {
		for (i = 0; i < TN_KEY_WORDS; i++)
			tn_key_words(&expected)[i] |= tn_key_cwords(&r->match.mask)[i];
	}
	tn_classifier_mask(m->cls, &mask);
	assert_memory_equal(&mask, &expected, sizeof(mask));
}

static void commit(struct model *m, uint32_t adds, uint32_t hides)
{
	while (adds--) {
		if (m->n_rules < MAX_RULES)
			(void)add(m);
	}
	while (hides--)
		hide(m);
	m->version++;
}

/* Growing, steady, shrinking, with a reclaim now and then; ends empty. */
static void life(enum rule_shape shape, uint64_t seed, uint32_t n_priorities, uint32_t rounds)
{
	struct tn_classifier_stats stats;
	struct model m;
	uint32_t i;

	setup(&m, shape, seed, n_priorities);
	for (i = 0; i < rounds; i++) {
		commit(&m, random_below(&m.random, i < rounds / 2 ? 12 : 5),
			random_below(&m.random, i < rounds / 2 ? 4 : 14));
		check_lookups(&m, 12);
		check_finds(&m, 2);
		if (random_below(&m.random, 4) == 0)
			reclaim(&m);
		if (i % 16 == 0)
			check_rest(&m);
	}
	while (m.n_rules) {
		commit(&m, 0, m.n_rules);
		reclaim(&m);
		check_lookups(&m, 5);
	}
	check_rest(&m);
	tn_classifier_stats(m.cls, &stats);
	assert_string_equal(stats.template_name, "linear");
	assert_int_equal(stats.n_tuples + stats.n_tries, 0);
	teardown(&m);
}

static void test_lives(void **state)
{
	uint64_t seed;
	int shape;

	(void)state;
	for (shape = 0; shape < N_RULE_SHAPES; shape++) {
		for (seed = 0; seed < 4; seed++) {
			life(shape, seed, 1, 60);
			life(shape, seed, 3, 200);
			life(shape, seed, 2000, 300);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
