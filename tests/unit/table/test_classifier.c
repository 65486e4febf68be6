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

/* While it counts down to 0, that allocation fails. */
static int fail_at = -1;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	if (fail_at >= 0 && fail_at-- == 0)
		return NULL;
	return __real_calloc(n, size);
}

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
	bool starved;	  /* memory fails */
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

/*
 * Where the model says so, every allocation on the way fails once before it succeeds; each time
 * nothing must have changed.
 */
static int insert(struct model *m, struct model_rule *r)
{
	struct tn_classifier_stats before, after;
	int err, i;

	for (i = 0; m->starved; i++) {
		tn_classifier_stats(m->cls, &before);
		fail_at = i;
		err = tn_classifier_insert(m->cls, &r->rule, &r->match);
		if (fail_at >= 0) {
			fail_at = -1;
			return err;
		}
		/* Where it can do without, it does: slower but right. */
		if (err == 0)
			return 0;
		assert_int_equal(err, -ENOMEM);
		tn_classifier_stats(m->cls, &after);
		assert_int_equal(after.n_rules, before.n_rules);
		if (strcmp(before.template_name, "linear") != 0) {
			assert_int_equal(after.n_tuples, before.n_tuples);
			assert_int_equal(after.n_tries, before.n_tries);
		}
		check_lookups(m, 3);
	}
	return tn_classifier_insert(m->cls, &r->rule, &r->match);
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
	err = insert(m, r);
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
	struct tn_key mask = {0}, expected = {0};
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
	tn_classifier_add_mask(m->cls, &mask);
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
static void life(
	enum rule_shape shape, uint64_t seed, uint32_t n_priorities, uint32_t rounds, bool starved)
{
	struct tn_classifier_stats stats;
	struct model m;
	uint32_t i;

	setup(&m, shape, seed, n_priorities);
	m.starved = starved;
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
			life(shape, seed, 1, 60, false);
			life(shape, seed, 3, 200, false);
			life(shape, seed, 2000, 300, false);
		}
	}
}

static void test_without_memory(void **state)
{
	int shape;

	(void)state;
	for (shape = 0; shape < N_RULE_SHAPES; shape++) {
		life(shape, 7, 3, 40, true);
		life(shape, 8, 2000, 120, true);
	}
}

static void test_new_without_memory(void **state)
{
	struct tn_defer *defer = tn_defer_new();
	struct tn_classifier *cls;
	int i, failures = 0;

	(void)state;
	for (i = 0;; i++) {
		fail_at = i;
		cls = tn_classifier_new(defer);
		if (fail_at >= 0)
			break;
		assert_null(cls);
		failures++;
	}
	fail_at = -1;
	assert_non_null(cls);
	assert_true(failures > 1);
	tn_classifier_free(cls);
	tn_classifier_free(NULL);
	tn_defer_free(defer);
}

static void remove_starved(struct model *m, struct model_rule *r)
{
	fail_at = 0;
	tn_classifier_remove(m->cls, &r->rule);
	fail_at = -1;
}

/*
 * Removing never fails, nor does what is left become wrong, when there is no memory for tidying
 * up; and what comes back finds its place.
 */
static void test_remove_without_memory(void **state)
{
	struct model_rule *r;
	struct model m;
	uint32_t i, n;

	(void)state;
	for (i = 0; i < N_RULE_SHAPES; i++) {
		setup(&m, i, 3, 50);
		commit(&m, 600, 0);
		for (r = m.rules, n = 0; r; r = r->next, n++) {
			if (n % 3 == 0 || r->rule.remove_version != TN_VERSION_NEVER)
				continue;
			remove_starved(&m, r);
			r->rule.remove_version = 0;
			if (n % 8 == 1)
				check_lookups(&m, 2);
			if (n % 16 == 0) {
				fail_at = 0;
				tn_defer_run(m.defer);
				fail_at = -1;
			}
		}
		for (r = m.rules; r; r = r->next) {
			if (r->rule.remove_version != 0)
				continue;
			r->rule.remove_version = TN_VERSION_NEVER;
			assert_int_equal(tn_classifier_insert(m.cls, &r->rule, &r->match), 0);
		}
		check_lookups(&m, 200);
		check_finds(&m, 30);
		check_rest(&m);
		teardown(&m);
	}
}

static void insert_rule(struct model *m, struct model_rule *r, uint16_t priority)
{
	r->rule.priority = priority;
	r->rule.remove_version = TN_VERSION_NEVER;
	assert_int_equal(tn_classifier_insert(m->cls, &r->rule, &r->match), 0);
}

static struct tn_classifier_stats stats_of(const struct model *m)
{
	struct tn_classifier_stats stats;

	tn_classifier_stats(m->cls, &stats);
	return stats;
}

static void test_templates(void **state)
{
	static struct model_rule rules[40];
	struct tn_classifier_stats stats;
	struct model m;
	uint32_t i;

	(void)state;
	setup(&m, RULES_EXACT, 1, 1);
	assert_string_equal(stats_of(&m).template_name, "linear");
	for (i = 0; i < 40; i++) {
		set_ipv4(&rules[i].match);
		rules[i].match.value.ipv4_dst = tn_htobe32(i << 24);
		rules[i].match.mask.ipv4_dst = tn_htobe32(0xff000000);
		insert_rule(&m, &rules[i], (uint16_t)i);
		assert_string_equal(stats_of(&m).template_name, i < 8 ? "linear" : "exact");
	}
	for (i = 0; i < 40; i++)
		tn_classifier_remove(m.cls, &rules[i].rule);
	assert_string_equal(stats_of(&m).template_name, "linear");
	tn_defer_run(m.defer);

	for (i = 0; i < 33; i++) {
		rules[i].match.mask.ipv4_dst = tn_htobe32(i ? ~0u << (32 - i) : 0);
		rules[i].match.value.ipv4_dst.raw &= rules[i].match.mask.ipv4_dst.raw;
		insert_rule(&m, &rules[i], 5);
	}
	stats = stats_of(&m);
	assert_string_equal(stats.template_name, "prefix");
	assert_int_equal(stats.n_tries, 1);
	rules[33].match.mask.tp_dst.raw = 0xffff;
	insert_rule(&m, &rules[33], 6);
	assert_string_equal(stats_of(&m).template_name, "tuples");
	teardown(&m);
}

/* A trie is made for the third length, though the others are all or nothing of the member. */
static void test_third_length(void **state)
{
	static const unsigned lens[][3] = {
		{0, 24, 32}, {32, 24, 0}, {24, 0, 32}, {24, 32, 0}, {16, 24, 32}, {24, 16, 0}};
	struct tn_be32 dst;
	struct model m;
	static struct model_rule rules[60];
	uint32_t i, j;

	(void)state;
	for (i = 0; i < TN_ARRAY_SIZE(lens); i++) {
		memset(rules, 0, sizeof(rules));
		setup(&m, RULES_PREFIX4, 1, 1);
		for (j = 0; j < 60; j++) {
			dst = tn_htobe32((j + 1) << 8);
			set_ipv4(&rules[j].match);
			/* The zero length once only: it is one match. */
			SET_PREFIX(&rules[j].match, ipv4_dst, dst, j % 20 ? 24 : lens[i][j / 20]);
			insert_rule(&m, &rules[j], 1);
			assert_int_equal(stats_of(&m).n_tries, j >= 40);
		}
		for (j = 0; j < 60; j++) {
			assert_ptr_equal(
				tn_classifier_find(m.cls, &rules[j].match, 1, 0), &rules[j].rule);
		}
		teardown(&m);
	}
}

/* Few masks at first, many later. */
static void test_more_masks_come(void **state)
{
	struct tn_classifier_stats stats;
	struct model m;
	int i;

	(void)state;
	setup(&m, RULES_EXACT, 1, 100);
	for (i = 0; i < 20; i++)
		assert_int_equal(add(&m), 0);
	m.version++;
	assert_string_equal(stats_of(&m).template_name, "exact");
	for (m.shape = RULES_EXACT; m.shape < RULES_ANY_BITS; m.shape++) {
		commit(&m, 200, 0);
		check_lookups(&m, 300);
	}
	stats = stats_of(&m);
	assert_string_equal(stats.template_name, "tuples");
	assert_true(stats.n_tuples > 4 && stats.n_tries > 0);
	m.shape = RULES_MIXED;
	check_finds(&m, 100);
	check_rest(&m);
	teardown(&m);
}

/* However odd the masks, tuples are bounded, and what was taken is found. */
static void test_too_many_tuples(void **state)
{
	struct tn_classifier_stats stats;
	uint32_t i, refused = 0;
	struct model m;
	int err;

	(void)state;
	setup(&m, RULES_ANY_BITS, 1, 10);
	for (i = 0; i < MAX_RULES; i++) {
		err = add(&m);
		assert_true(err == 0 || err == -ENOSPC);
		refused += err != 0;
	}
	m.version++;
	stats = stats_of(&m);
	assert_true(refused > 0);
	assert_int_equal(stats.n_tuples + stats.n_tries, TN_TUPLES_MAX);
	check_lookups(&m, 2000);
	check_finds(&m, 200);
	check_rest(&m);
	teardown(&m);
}

/* Access rules of many lengths need few tuples. */
static void test_few_tuples(void **state)
{
	struct model m;
	uint32_t i;

	(void)state;
	setup(&m, RULES_ACL, 1, 60000);
	for (i = 0; i < MAX_RULES; i++)
		assert_int_equal(add(&m), 0);
	assert_true(stats_of(&m).n_tuples < 200);
	teardown(&m);
}

static void check_same_match(
	struct model *m, const struct model_rule *rules, const bool *there, uint32_t n, int step)
{
	const struct tn_cls_rule *got;
	struct tn_key key;
	uint32_t highest;

	memcpy(&key, &rules[0].match.value, sizeof(key));
	for (highest = n; highest > 0 && !there[highest - 1]; highest--)
		;
	got = tn_classifier_lookup(m->cls, &key, 0);
	assert_ptr_equal(got, highest ? &rules[highest - 1].rule : NULL);
	got = tn_classifier_find(m->cls, &rules[0].match, (uint16_t)step, 0);
	assert_ptr_equal(got, there[step] ? &rules[step].rule : NULL);
}

/* One match at very many priorities: no change may walk all of them, and none gets lost. */
static void test_same_match(void **state)
{
	enum { N = 65536, STRIDE = 40503 };
	struct model_rule *rules = calloc(N, sizeof(*rules));
	bool *there = calloc(N, sizeof(*there));
	struct model m;
	uint32_t i, at;
	int order;

	(void)state;
	assert_non_null(rules);
	assert_non_null(there);
	setup(&m, RULES_EXACT, 1, 1);
	for (i = 0; i < N; i++)
		set_ipv4(&rules[i].match);
	for (order = 0; order < 3; order++) {
		for (i = 0; i < N; i++) {
			/* Without memory for an index it walks, which is why only now and then. */
			fail_at = i % 1000 == 130 || i == 40 ? 1 : -1;
			at = order == 0 ? i : order == 1 ? N - 1 - i : i * STRIDE % N;
			insert_rule(&m, &rules[at], (uint16_t)at);
			fail_at = -1;
			there[at] = true;
			if (i % 997 == 0)
				check_same_match(&m, rules, there, N, (int)at);
		}
		for (i = 0; i < N; i++) {
			at = order == 0 ? i * STRIDE % N : order == 1 ? N - 1 - i : i;
			tn_classifier_remove(m.cls, &rules[at].rule);
			there[at] = false;
			if (i % 997 == 0)
				check_same_match(&m, rules, there, N, (int)at);
		}
		tn_defer_run(m.defer);
	}
	teardown(&m);
	free(rules);
	free(there);
}

/* The classifier goes with all its rules in it. */
static void test_free_with_rules(void **state)
{
	static struct model_rule rules[1000];
	struct model m;
	uint32_t i, n;

	(void)state;
	for (n = 1; n <= 1000; n *= 5) {
		memset(rules, 0, sizeof(rules));
		setup(&m, RULES_EXACT, 1, 1);
		for (i = 0; i < n; i++) {
			set_ipv4(&rules[i].match);
			insert_rule(&m, &rules[i], (uint16_t)(1000 - i));
		}
		teardown(&m);
	}
}

/* Many versions of one rule wait to be taken out. */
static void test_same_rule_again(void **state)
{
	enum { N = 20000 };
	struct model_rule *rules = calloc(N, sizeof(*rules));
	struct model m;
	struct tn_key key;
	uint32_t i;

	(void)state;
	assert_non_null(rules);
	setup(&m, RULES_EXACT, 1, 1);
	for (i = 0; i < N; i++) {
		rules[i].rule.priority = 9;
		rules[i].rule.add_version = i;
		rules[i].rule.remove_version = i + 1;
		set_ipv4(&rules[i].match);
		assert_int_equal(tn_classifier_insert(m.cls, &rules[i].rule, &rules[i].match), 0);
	}
	memcpy(&key, &rules[0].match.value, sizeof(key));
	for (i = 0; i < N; i += 501)
		assert_ptr_equal(tn_classifier_lookup(m.cls, &key, i), &rules[i].rule);
	for (i = 0; i < N; i++)
		tn_classifier_remove(m.cls, &rules[i].rule);
	assert_int_equal(stats_of(&m).n_rules, 0);
	teardown(&m);
	free(rules);
}

/* 100,000 rules of one shape: little memory each, and it comes back. */
static void test_memory(void **state)
{
	enum { N = 100000 };
	struct model_rule *rules = calloc(N, sizeof(*rules));
	struct model m;
	size_t empty;
	uint32_t i;

	(void)state;
	assert_non_null(rules);
	setup(&m, RULES_EXACT, 1, 1);
	empty = stats_of(&m).memory_bytes;
	for (i = 0; i < N; i++) {
		random_exact(&m.random, &rules[i].match);
		rules[i].match.value.tp_src = tn_htobe16((uint16_t)i);
		rules[i].match.mask.tp_src = tn_htobe16(0xffff);
		rules[i].match.value.ipv4_dst = tn_htobe32(i);
		insert_rule(&m, &rules[i], (uint16_t)(i % 3));
	}
	assert_true(stats_of(&m).memory_bytes / N + sizeof(struct tn_cls_rule) < 200);
	for (i = 0; i < N; i += 7) {
		assert_ptr_equal(
			tn_classifier_find(m.cls, &rules[i].match, i % 3, 0), &rules[i].rule);
	}
	for (i = 0; i < N - 10; i++)
		tn_classifier_remove(m.cls, &rules[i].rule);
	tn_defer_run(m.defer);
	assert_true(stats_of(&m).memory_bytes < empty + 10000);
	for (; i < N; i++) {
		assert_ptr_equal(
			tn_classifier_find(m.cls, &rules[i].match, i % 3, 0), &rules[i].rule);
		tn_classifier_remove(m.cls, &rules[i].rule);
	}
	tn_defer_run(m.defer);
	assert_true(stats_of(&m).memory_bytes <= empty + 2000);
	teardown(&m);
	free(rules);
}

static void remove_rule(void *ctx, struct tn_cls_rule *rule)
{
	struct model *m = ctx;

	tn_classifier_remove(m->cls, rule);
	m->n_rules--;
}

static void test_remove_in_foreach(void **state)
{
	struct model m;
	int shape;

	(void)state;
	for (shape = 0; shape < N_RULE_SHAPES; shape++) {
		setup(&m, shape, 11, 30);
		commit(&m, 700, 0);
		assert_true(m.n_rules > 0);
		tn_classifier_foreach(m.cls, remove_rule, &m);
		assert_int_equal(m.n_rules, 0);
		assert_int_equal(stats_of(&m).n_rules, 0);
		teardown(&m);
	}
}

/* A walk ends early also after priorities rose in the wrong order: seen by the array's order. */
static void test_bundle_is_sorted_in_the_end(void **state)
{
	struct model m;
	struct model_rule *r;
	struct tn_key key;
	uint32_t i;

	(void)state;
	setup(&m, RULES_ACL, 1, 1);
	for (i = 0; i < 3000; i++) {
		r = calloc(1, sizeof(*r));
		assert_non_null(r);
		random_match(&m.random, RULES_ACL, &r->match);
		insert_rule(&m, r, (uint16_t)i);
		r->next = m.rules;
		m.rules = r;
		m.n_rules++;
		if (i % 500 == 0) {
			random_key(&m.random, RULES_ACL, &r->match, &key);
			check_lookups(&m, 20);
		}
	}
	/* Arrays that wait are few, though the order changed with every rule. */
	assert_true(tn_defer_pending(m.defer) < 1500);
	while (tn_defer_pending(m.defer))
		tn_defer_run(m.defer);
	check_lookups(&m, 300);
	teardown(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lives),
		cmocka_unit_test(test_without_memory),
		cmocka_unit_test(test_new_without_memory),
		cmocka_unit_test(test_remove_without_memory),
		cmocka_unit_test(test_templates),
		cmocka_unit_test(test_third_length),
		cmocka_unit_test(test_more_masks_come),
		cmocka_unit_test(test_too_many_tuples),
		cmocka_unit_test(test_few_tuples),
		cmocka_unit_test(test_same_match),
		cmocka_unit_test(test_free_with_rules),
		cmocka_unit_test(test_same_rule_again),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_remove_in_foreach),
		cmocka_unit_test(test_bundle_is_sorted_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
