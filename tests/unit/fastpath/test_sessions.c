/* SPDX-License-Identifier: BSD-3-Clause */
/* The session table against a plain list of what must be in it. */
#include "dataplane/fastpath/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N 100000u

struct model {
	struct tn_sessions table;
	bool *there; /* by number of the key */
	uint32_t n;
	uint64_t released;
};

/* Every third key is one of IPv6: the addresses alone tell those apart. */
static struct tn_session_key key_of(uint32_t i, struct tn_session_ip6 *ip6)
{
	struct tn_session_key k;

	memset(&k, 0, sizeof(k));
	*ip6 = (struct tn_session_ip6){_mm_setzero_si128(), _mm_setzero_si128()};
	if (i % 3) {
		k.ipv4_src.raw = i;
		return k;
	}
	k.kind = TN_SESSION_IP6;
	ip6->dst = _mm_set1_epi32((int)i);
	return k;
}

static uint32_t hash_of(
	const struct model *m, const struct tn_session_key *k, const struct tn_session_ip6 *ip6)
{
	uint32_t hash = tn_session_hash(k, m->table.seed);

	return k->kind ? tn_session_hash_ip6(hash, ip6) : hash;
}

static struct tn_session *find(const struct model *m, uint32_t i)
{
	struct tn_session_ip6 ip6;
	struct tn_session_key k = key_of(i, &ip6);

	return tn_sessions_find(&m->table, &k, k.kind ? &ip6 : NULL, hash_of(m, &k, &ip6));
}

/* used: the time it is said to be used at. */
static void insert(struct model *m, uint32_t i, uint32_t used)
{
	struct tn_session_ip6 ip6;
	struct tn_session_key k = key_of(i, &ip6);
	struct tn_session *s =
		tn_sessions_insert(&m->table, &k, k.kind ? &ip6 : NULL, hash_of(m, &k, &ip6));

	assert_true(tn_session_key_equal(&s->key, &k));
	s->program = (void *)(uintptr_t)(i + 1);
	s->used = used;
	m->there[i] = true;
	m->n++;
}

static void on_release(void *ctx, struct tn_session *s)
{
	struct model *m = ctx;
	uintptr_t i = (uintptr_t)s->program - 1;

	assert_true(m->there[i]);
	m->there[i] = false;
	m->n--;
	m->released++;
}

static void start(struct model *m, uint32_t capacity)
{
	memset(m, 0, sizeof(*m));
	m->there = calloc(N, sizeof(*m->there));
	assert_int_equal(tn_sessions_init(&m->table, capacity, 0x5eed, on_release, m), 0);
}

static void end(struct model *m)
{
	tn_sessions_fini(&m->table);
	assert_int_equal(m->n, 0);
	free(m->there);
}

static void check(const struct model *m, uint32_t n)
{
	assert_int_equal(m->table.used, m->n);
	for (uint32_t i = 0; i < n; i++) {
		const struct tn_session *s = find(m, i);

		assert_int_equal(s != NULL, m->there[i]);
		if (s)
			assert_int_equal((uintptr_t)s->program, i + 1);
	}
}

/* All are found while buckets come to it, and none gives way as long as there is room. */
static void test_grows(void **state)
{
	struct model m;

	(void)state;
	start(&m, N);
	for (uint32_t i = 0; i < N; i++) {
		insert(&m, i, i);
		if (i == 10 || i == 100 || i == 1000 || i == 50000)
			check(&m, i + 1);
	}
	check(&m, N);
	assert_int_equal(m.released, 0);
	assert_int_equal(m.table.evicted, 0);
	end(&m);
}

/* Few sessions of a large table take few buckets. */
static void test_small_in_large(void **state)
{
	struct model m;

	(void)state;
	start(&m, 1u << 20);
	for (uint32_t i = 0; i < 1000; i++)
		insert(&m, i, i);
	assert_in_range(m.table.n_buckets, 128, 256);
	check(&m, 1000);
	end(&m);
}

/* A full table takes in all that come, and stays as large as it may be. */
static void test_evicts(void **state)
{
	static const uint32_t capacities[] = {1, 7, 100, 1000, 4096};
	struct model m;

	(void)state;
	for (unsigned c = 0; c < TN_ARRAY_SIZE(capacities); c++) {
		uint32_t n = capacities[c] * 5;

		start(&m, capacities[c]);
		for (uint32_t i = 0; i < n; i++) {
			insert(&m, i, i);
			assert_non_null(find(&m, i));
			assert_true(m.table.used <= capacities[c]);
		}
		check(&m, n);
		assert_int_equal(m.table.evicted, m.released);
		assert_int_equal(m.n + m.released, n);
		end(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_small_in_large),
		cmocka_unit_test(test_evicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
