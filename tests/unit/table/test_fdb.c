/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/fdb.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

static struct tn_mac mac(uint32_t n)
{
	return (struct tn_mac){
		{2, 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static void test_learns_and_finds(void **state)
{
	struct tn_fdb *fdb = tn_fdb_new(&(struct tn_fdb_config){0});

	(void)state;
	assert_int_equal(tn_fdb_lookup(fdb, mac(1), 10, 0), 0);
	assert_true(tn_fdb_learn(fdb, mac(1), 10, 5, 0));
	assert_false(tn_fdb_learn(fdb, mac(1), 10, 5, 1));
	assert_int_equal(tn_fdb_lookup(fdb, mac(1), 10, 1), 5);
	assert_int_equal(tn_fdb_lookup(fdb, mac(1), 11, 1), 0);
	assert_int_equal(tn_fdb_lookup(fdb, mac(2), 10, 1), 0);
	assert_true(tn_fdb_learn(fdb, mac(1), 11, 6, 1));
	assert_int_equal(tn_fdb_lookup(fdb, mac(1), 11, 1), 6);
	assert_int_equal(tn_fdb_count(fdb), 2);
	tn_fdb_free(fdb);
	tn_fdb_free(NULL);
}

static void test_moves(void **state)
{
	struct tn_fdb *fdb = tn_fdb_new(&(struct tn_fdb_config){0});

	(void)state;
	tn_fdb_learn(fdb, mac(1), 10, 5, 0);
	assert_true(tn_fdb_learn(fdb, mac(1), 10, 7, 0));
	assert_int_equal(tn_fdb_lookup(fdb, mac(1), 10, 0), 7);
	assert_int_equal(tn_fdb_count(fdb), 1);
	tn_fdb_flush_port(fdb, 5);
	assert_int_equal(tn_fdb_count(fdb), 1);
	tn_fdb_flush_port(fdb, 7);
	assert_int_equal(tn_fdb_count(fdb), 0);
	assert_int_equal(tn_fdb_lookup(fdb, mac(1), 10, 0), 0);
	tn_fdb_free(fdb);
}

static void test_what_is_not_learnt(void **state)
{
	struct tn_fdb *fdb = tn_fdb_new(&(struct tn_fdb_config){0});

	(void)state;
	assert_false(tn_fdb_learn(fdb, (struct tn_mac){{0}}, 1, 5, 0));
	assert_false(tn_fdb_learn(fdb, (struct tn_mac){{1, 0, 0x5e, 0, 0, 1}}, 1, 5, 0));
	assert_false(
		tn_fdb_learn(fdb, (struct tn_mac){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, 1, 5, 0));
	assert_false(tn_fdb_learn(fdb, mac(1), 1, 0, 0));
	assert_int_equal(tn_fdb_count(fdb), 0);
	tn_fdb_free(fdb);
}

static void test_ages(void **state)
{
	struct tn_fdb *fdb = tn_fdb_new(&(struct tn_fdb_config){.age_ns = 10 * SECOND});

	(void)state;
	tn_fdb_learn(fdb, mac(1), 1, 5, 100 * SECOND);
	tn_fdb_learn(fdb, mac(2), 1, 5, 105 * SECOND);
	assert_int_equal(tn_fdb_lookup(fdb, mac(1), 1, 110 * SECOND - 1), 5);
	assert_int_equal(tn_fdb_lookup(fdb, mac(1), 1, 110 * SECOND), 0);
	/* Gone for readers, there until aged or seen again; then it is news. */
	assert_int_equal(tn_fdb_count(fdb), 2);
	assert_true(tn_fdb_learn(fdb, mac(1), 1, 5, 111 * SECOND));
	assert_int_equal(tn_fdb_lookup(fdb, mac(1), 1, 112 * SECOND), 5);
	tn_fdb_age(fdb, 116 * SECOND);
	assert_int_equal(tn_fdb_count(fdb), 1);
	/* A clock that goes back makes nothing older. */
	assert_false(tn_fdb_learn(fdb, mac(1), 1, 5, 90 * SECOND));
	assert_int_equal(tn_fdb_lookup(fdb, mac(1), 1, 90 * SECOND), 5);
	assert_int_equal(tn_fdb_lookup(fdb, mac(1), 1, 120 * SECOND), 5);
	tn_fdb_age(fdb, 121 * SECOND);
	assert_int_equal(tn_fdb_count(fdb), 0);
	tn_fdb_free(fdb);
}

static void test_quota_of_a_port(void **state)
{
	struct tn_fdb *fdb =
		tn_fdb_new(&(struct tn_fdb_config){.max_entries = 8, .max_per_port = 3});
	uint32_t i;

	(void)state;
	tn_fdb_learn(fdb, mac(100), 1, 6, 0);
	for (i = 0; i < 50; i++) {
		assert_true(tn_fdb_learn(fdb, mac(i), 1, 5, i));
		assert_int_equal(tn_fdb_count(fdb), i < 3 ? i + 2 : 4);
		/* Seen again: the other one is the oldest now. */
		assert_false(tn_fdb_learn(fdb, mac(0), 1, 5, i));
	}
	assert_int_equal(tn_fdb_lookup(fdb, mac(0), 1, 50), 5);
	assert_int_equal(tn_fdb_lookup(fdb, mac(49), 1, 50), 5);
	assert_int_equal(tn_fdb_lookup(fdb, mac(47), 1, 50), 0);
	assert_int_equal(tn_fdb_lookup(fdb, mac(100), 1, 50), 6);
	/* Also by moving. */
	assert_true(tn_fdb_learn(fdb, mac(100), 1, 5, 60));
	assert_int_equal(tn_fdb_count(fdb), 3);
	assert_int_equal(tn_fdb_lookup(fdb, mac(100), 1, 60), 5);
	tn_fdb_free(fdb);
}

static void test_full(void **state)
{
	struct tn_fdb *fdb = tn_fdb_new(&(struct tn_fdb_config){.max_entries = 4, .age_ns = 100});
	uint32_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		tn_fdb_learn(fdb, mac(i), 1, 5 + i / 3, i);
	/* A port that has entries gives up its oldest, one without gets nothing. */
	assert_true(tn_fdb_learn(fdb, mac(10), 1, 5, 20));
	assert_int_equal(tn_fdb_lookup(fdb, mac(0), 1, 20), 0);
	assert_false(tn_fdb_learn(fdb, mac(11), 1, 7, 20));
	assert_int_equal(tn_fdb_lookup(fdb, mac(11), 1, 20), 0);
	assert_int_equal(tn_fdb_count(fdb), 4);
	/* What aged out makes room for anyone. */
	assert_true(tn_fdb_learn(fdb, mac(11), 1, 7, 101));
	assert_int_equal(tn_fdb_lookup(fdb, mac(11), 1, 101), 7);
	assert_int_equal(tn_fdb_count(fdb), 4);
	tn_fdb_free(fdb);
}

/* Random use against arrays. */

#define N_MACS	300
#define N_PORTS 6

struct model_entry {
	uint32_t port; /* 0: none */
	uint64_t seen, order;
};

struct model {
	struct model_entry entries[N_MACS];
	uint64_t order;
	uint32_t max, max_per_port;
	uint64_t age;
};

static uint32_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

static uint32_t model_count(const struct model *m, uint32_t port)
{
	uint32_t i, n = 0;

	for (i = 0; i < N_MACS; i++)
		n += port ? m->entries[i].port == port : m->entries[i].port != 0;
	return n;
}

static struct model_entry *model_oldest(struct model *m, uint32_t port)
{
	struct model_entry *oldest = NULL;
	uint32_t i;

	for (i = 0; i < N_MACS; i++) {
		if (m->entries[i].port && (!port || m->entries[i].port == port) &&
			(!oldest || m->entries[i].order < oldest->order))
			oldest = &m->entries[i];
	}
	return oldest;
}

static bool model_learn(struct model *m, uint32_t n, uint32_t port, uint64_t now)
{
	struct model_entry *e = &m->entries[n], *oldest;
	bool news = e->port != port || now - e->seen >= m->age;

	if (e->port != port && model_count(m, port) >= m->max_per_port) {
		model_oldest(m, port)->port = 0;
	} else if (!e->port && model_count(m, 0) >= m->max) {
		oldest = model_oldest(m, 0);
		if (now - oldest->seen < m->age)
			oldest = model_oldest(m, port);
		if (!oldest)
			return false;
		oldest->port = 0;
	}
	*e = (struct model_entry){port, now, ++m->order};
	return news;
}

static void check_all(const struct tn_fdb *fdb, const struct model *m, uint64_t now)
{
	uint32_t i, expected;

	assert_int_equal(tn_fdb_count(fdb), model_count(m, 0));
	for (i = 0; i < N_MACS; i++) {
		expected = now - m->entries[i].seen < m->age ? m->entries[i].port : 0;
		assert_int_equal(tn_fdb_lookup(fdb, mac(i), i % 3, now), expected);
	}
}

static void random_step(struct tn_fdb *fdb, struct model *m, uint64_t *random, uint64_t now)
{
	uint32_t n = next_random(random) % N_MACS, port = 1 + next_random(random) % N_PORTS, i;

	switch (next_random(random) % 200) {
	case 0:
		tn_fdb_flush_port(fdb, port);
		for (i = 0; i < N_MACS; i++) {
			if (m->entries[i].port == port)
				m->entries[i].port = 0;
		}
		break;
	case 1:
		tn_fdb_age(fdb, now);
		for (i = 0; i < N_MACS; i++) {
			if (now - m->entries[i].seen >= m->age)
				m->entries[i].port = 0;
		}
		break;
	default:
		assert_int_equal(
			tn_fdb_learn(fdb, mac(n), n % 3, port, now), model_learn(m, n, port, now));
		break;
	}
}

static void test_like_a_model(void **state)
{
	static const uint32_t limits[][3] = {
		{300, 300, 100000}, {100, 40, 500}, {64, 64, 300}, {1, 1, 50}, {128, 5, 60000}};
	uint64_t random = 1, now;
	size_t i;

	(void)state;
	for (i = 0; i < TN_ARRAY_SIZE(limits); i++) {
		struct tn_fdb_config config = {.max_entries = limits[i][0],
			.max_per_port = limits[i][1],
			.age_ns = limits[i][2],
			.hash_seed = i};
		struct model m = {
			.max = limits[i][0], .max_per_port = limits[i][1], .age = limits[i][2]};
		struct tn_fdb *fdb = tn_fdb_new(&config);

		for (now = 1; now < 20000; now++) {
			random_step(fdb, &m, &random, now);
			if (now % 53 == 0)
				check_all(fdb, &m, now);
		}
		tn_fdb_free(fdb);
	}
}

/* Readers see an address behind a port it was learnt from, or nowhere, whatever the writer does. */

#define N_STAYING 16

struct readers {
	struct tn_fdb *fdb;
	bool stop; /* atomic */
};

struct reading {
	uint64_t found, missed, wrong;
};

static void *read_on(void *arg)
{
	struct readers *r = arg;
	struct reading *reading = calloc(1, sizeof(*reading));
	uint32_t i, port;

	if (!reading)
		return NULL;
	while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
		for (i = 0; i < N_STAYING; i++) {
			port = tn_fdb_lookup(r->fdb, mac(i), 1, 5);
			reading->found += port == 1000 + i;
			reading->missed += port == 0;
			reading->wrong += port != 0 && port != 1000 + i;
		}
		for (i = N_STAYING; i < 200; i++) {
			port = tn_fdb_lookup(r->fdb, mac(i), 1, 5);
			reading->wrong += port != 0 && port != 1 + i % 2 && port != 3 + i % 2;
		}
	}
	return reading;
}

static void test_readers(void **state)
{
	struct readers r = {
		.fdb = tn_fdb_new(&(struct tn_fdb_config){.max_entries = 64, .max_per_port = 20})};
	pthread_t threads[2];
	uint64_t random = 3;
	void *result;
	uint32_t i, n;

	(void)state;
	for (i = 0; i < N_STAYING; i++)
		assert_true(tn_fdb_learn(r.fdb, mac(i), 1, 1000 + i, 1));
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, &r), 0);
	for (i = 0; i < 200000; i++) {
		n = N_STAYING + next_random(&random) % (200 - N_STAYING);
		tn_fdb_learn(r.fdb, mac(n), 1, 1 + n % 2 + 2 * (next_random(&random) % 2), i);
		if (i % 5000 == 0)
			tn_fdb_flush_port(r.fdb, 1 + i / 5000 % 4);
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_non_null(result);
		assert_int_equal(((struct reading *)result)->wrong, 0);
		/* Unknown is allowed after many tries only: hardly ever. */
		assert_true(((struct reading *)result)->missed <=
			((struct reading *)result)->found / 100 + 1);
		free(result);
	}
	tn_fdb_free(r.fdb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learns_and_finds),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_what_is_not_learnt),
		cmocka_unit_test(test_ages),
		cmocka_unit_test(test_quota_of_a_port),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_like_a_model),
		cmocka_unit_test(test_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
