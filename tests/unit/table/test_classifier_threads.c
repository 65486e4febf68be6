/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readers look up without pause while one writer adds and removes rules, grows and shrinks tables
 * and frees what readers have left behind. Rules that are always there must always be found, and
 * no reader may see a rule outside its versions. Meant to be run under the thread sanitizer too.
 *
 * Readers say between lookups which version they use; a grace period is over when all have said
 * so again. The end is a number of commits, not a time.
 */
#include "dataplane/table/classifier.h"

#include "tests/unit/table/random_rules.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define N_READERS   2
#define N_PERMANENT 64
#define TOP	    UINT16_MAX

struct flow {
	struct tn_cls_rule rule;
	struct tn_match match;
};

struct reader {
	struct world *world;
	pthread_t thread;
	uint64_t version; /* used now; atomic */
	uint64_t turns;	  /* quiescent points passed; atomic */
	uint64_t found, wrong;
};

struct world {
	enum rule_shape shape;
	struct tn_defer *defer;
	struct tn_classifier *cls;
	struct flow permanent[N_PERMANENT];
	uint64_t version; /* atomic */
	bool stop;	  /* atomic */
	struct reader readers[N_READERS];
};

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

/* A permanent rule has the highest priority: its key must find it, or an equal one. */
static void look_up_permanent(struct reader *r, struct tn_random *random, uint64_t version)
{
	const struct flow *flow = &r->world->permanent[random_below(random, N_PERMANENT)];
	const struct tn_cls_rule *rule;
	struct tn_key key;

	memset(&key, 0, sizeof(key));
	memcpy(&key, &flow->match.value, sizeof(key));
	rule = tn_classifier_lookup(r->world->cls, &key, version);
	if (!rule || rule->priority != TOP)
		r->wrong++;
	else
		r->found++;
}

static void look_up_any(struct reader *r, struct tn_random *random, uint64_t version)
{
	const struct flow *flow;
	struct tn_match match;
	struct tn_key key;

	random_match(random, r->world->shape, &match);
	random_key(random, r->world->shape, &match, &key);
	flow = (const struct flow *)tn_classifier_lookup(r->world->cls, &key, version);
	if (!flow)
		return;
	r->found++;
	if (flow->rule.add_version > version || !accepts(&flow->match, &key) ||
		__atomic_load_n(&flow->rule.remove_version, __ATOMIC_RELAXED) <= version)
		r->wrong++;
}

static void *read_on(void *arg)
{
	struct reader *r = arg;
	struct tn_random random = {(uintptr_t)arg};
	struct tn_key mask = {0};
	uint64_t version;
	int i;

	while (!__atomic_load_n(&r->world->stop, __ATOMIC_ACQUIRE)) {
		version = __atomic_load_n(&r->world->version, __ATOMIC_ACQUIRE);
		__atomic_store_n(&r->version, version, __ATOMIC_RELEASE);
		for (i = 0; i < 16; i++) {
			look_up_permanent(r, &random, version);
			look_up_any(r, &random, version);
		}
		tn_classifier_add_mask(r->world->cls, &mask);
		__atomic_store_n(&r->turns, r->turns + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Every reader has passed a quiescent point twice: what it holds it took after now. */
static void wait_for_readers(struct world *w)
{
	uint64_t seen[N_READERS];
	int i;

	for (i = 0; i < N_READERS; i++)
		seen[i] = __atomic_load_n(&w->readers[i].turns, __ATOMIC_ACQUIRE);
	for (i = 0; i < N_READERS; i++) {
		while (__atomic_load_n(&w->readers[i].turns, __ATOMIC_ACQUIRE) < seen[i] + 2)
			sched_yield();
	}
}

static struct flow *add(struct world *w, struct tn_random *random)
{
	struct flow *flow = calloc(1, sizeof(*flow));

	assert_non_null(flow);
	random_match(random, w->shape, &flow->match);
	flow->rule.priority = (uint16_t)random_below(random, 500);
	flow->rule.add_version = w->version + 1;
	flow->rule.remove_version = TN_VERSION_NEVER;
	if (tn_classifier_insert(w->cls, &flow->rule, &flow->match) == 0)
		return flow;
	free(flow);
	return NULL;
}

static void publish(struct world *w)
{
	__atomic_store_n(&w->version, w->version + 1, __ATOMIC_RELEASE);
}

/* Adds rules in a few commits, hides them all in one more, takes them out, frees them. */
static void one_wave(struct world *w, struct tn_random *random, uint32_t size)
{
	struct flow **flows = calloc(size, sizeof(*flows));
	uint32_t i;

	assert_non_null(flows);
	for (i = 0; i < size; i++) {
		flows[i] = add(w, random);
		if (i % 64 == 63)
			publish(w);
	}
	publish(w);
	for (i = 0; i < size; i++) {
		if (flows[i]) {
			__atomic_store_n(
				&flows[i]->rule.remove_version, w->version + 1, __ATOMIC_RELAXED);
		}
	}
	publish(w);
	wait_for_readers(w);
	tn_defer_run(w->defer);
	for (i = 0; i < size; i++) {
		if (flows[i]) {
			tn_classifier_remove(w->cls, &flows[i]->rule);
			tn_defer_add(w->defer, flows[i], free);
		}
	}
	wait_for_readers(w);
	tn_defer_run(w->defer);
	free(flows);
}

/* few: one permanent rule, which matches everything. */
static void start(struct world *w, enum rule_shape shape, bool few)
{
	struct tn_random random = {99};
	int i;

	memset(w, 0, sizeof(*w));
	w->shape = shape;
	w->defer = tn_defer_new();
	w->cls = tn_classifier_new(w->defer);
	assert_non_null(w->cls);
	for (i = 0; i < N_PERMANENT; i++) {
		if (!few)
			random_match(&random, shape, &w->permanent[i].match);
		w->permanent[i].rule.priority = TOP;
		w->permanent[i].rule.remove_version = TN_VERSION_NEVER;
	}
	for (i = 0; i < N_PERMANENT && (i == 0 || !few); i++) {
		assert_int_equal(
			tn_classifier_insert(w->cls, &w->permanent[i].rule, &w->permanent[i].match),
			0);
	}
	for (i = 0; i < N_READERS; i++) {
		w->readers[i].world = w;
		assert_int_equal(
			pthread_create(&w->readers[i].thread, NULL, read_on, &w->readers[i]), 0);
	}
}

static void finish(struct world *w)
{
	uint64_t found = 0, wrong = 0;
	int i;

	__atomic_store_n(&w->stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < N_READERS; i++) {
		assert_int_equal(pthread_join(w->readers[i].thread, NULL), 0);
		found += w->readers[i].found;
		wrong += w->readers[i].wrong;
	}
	tn_classifier_free(w->cls);
	tn_defer_free(w->defer);
	assert_true(found > 0);
	assert_int_equal(wrong, 0);
}

static void run(enum rule_shape shape)
{
	static const uint32_t sizes[] = {3, 400, 20, 1500};
	static struct world world;
	struct tn_random random = {shape};
	uint32_t i;

	start(&world, shape, false);
	for (i = 0; i < 8; i++)
		one_wave(&world, &random, sizes[i % TN_ARRAY_SIZE(sizes)]);
	finish(&world);
}

static void test_exact(void **state)
{
	(void)state;
	run(RULES_EXACT);
}

static void test_prefixes(void **state)
{
	(void)state;
	run(RULES_PREFIX4);
	run(RULES_PREFIX6);
}

static void test_access_rules(void **state)
{
	(void)state;
	run(RULES_ACL);
}

static void test_mixed(void **state)
{
	(void)state;
	run(RULES_MIXED);
}

/* The linear list, and the way from it to tuples and back, with readers inside. */
static void test_few_rules(void **state)
{
	static struct world world;
	struct tn_random random = {5};
	uint32_t i;

	(void)state;
	start(&world, RULES_MIXED, true);
	for (i = 0; i < 40; i++)
		one_wave(&world, &random, 1 + i % 20);
	finish(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_access_rules),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_few_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
