/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/mcast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SECOND UINT64_C(1000000000)
#define NET    7u
#define GROUP  tn_u128_from_ip4(0xef010101)

struct bed {
	struct tn_defer *defer;
	struct tn_mcast *m;
};

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	const struct tn_mcast_config config = {
		.max_members = 64, .max_per_network = 20, .max_per_place = 8};

	b->defer = tn_defer_new();
	b->m = tn_mcast_new(&config, b->defer);
	*state = b;
	return b->m ? 0 : -1;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	tn_mcast_free(b->m);
	tn_defer_free(b->defer);
	free(b);
	return 0;
}

static struct tn_place port(uint32_t number)
{
	return (struct tn_place){.port = number};
}

static struct tn_mac host(uint8_t n)
{
	return (struct tn_mac){{2, 0, 0, 0, 0, n}};
}

static void join(
	struct bed *b, uint32_t network, tn_u128 group, uint32_t number, uint8_t n, uint64_t now)
{
	const struct tn_place at = port(number);

	tn_mcast_join(b->m, network, group, &at, host(n), now);
}

static void leave(struct bed *b, tn_u128 group, uint32_t number, uint8_t n, uint64_t now)
{
	const struct tn_place at = port(number);

	tn_mcast_leave(b->m, NET, group, &at, host(n), now);
}

static void router(struct bed *b, uint32_t number, uint64_t now)
{
	const struct tn_place at = port(number);

	tn_mcast_router(b->m, NET, &at, host(99), now);
}

/* Their ports as decimal digits, in order. */
static unsigned ports(const struct bed *b, uint32_t network, tn_u128 group)
{
	struct tn_mcast_places p = tn_mcast_lookup(b->m, network, group);
	unsigned digits = 0;

	for (uint32_t i = 0; i < p.n; i++)
		digits = digits * 10 + p.places[i].port;
	return digits;
}

static void test_places_of_members(void **state)
{
	struct bed *b = *state;
	const struct tn_place far = {.port = 5, .tunnel = 1}, other = {.port = 5, .tunnel = 2};
	struct tn_mcast_stats stats;

	assert_int_equal(ports(b, NET, GROUP), 0);
	join(b, NET, GROUP, 1, 1, 0);
	join(b, NET, GROUP, 2, 2, 0);
	join(b, NET, GROUP, 2, 3, 0);
	join(b, NET + 1, GROUP, 4, 1, 0);
	join(b, NET, GROUP + 1, 6, 1, 0);
	assert_int_equal(ports(b, NET, GROUP), 12);
	assert_int_equal(ports(b, NET + 1, GROUP), 4);
	/* A place goes with its last host. */
	leave(b, GROUP, 2, 3, 1);
	leave(b, GROUP, 2, 9, 1);
	assert_int_equal(ports(b, NET, GROUP), 12);
	leave(b, GROUP, 2, 2, 1);
	assert_int_equal(ports(b, NET, GROUP), 1);
	tn_mcast_join(b->m, NET, GROUP, &far, host(4), 1);
	tn_mcast_join(b->m, NET, GROUP, &other, host(4), 1);
	assert_int_equal(ports(b, NET, GROUP), 155);
	tn_mcast_flush_port(b->m, 5);
	assert_int_equal(ports(b, NET, GROUP), 1);
	leave(b, GROUP, 1, 1, 1);
	assert_int_equal(ports(b, NET, GROUP), 0);
	tn_mcast_stats(b->m, &stats);
	assert_int_equal(stats.groups, 2);
	assert_int_equal(stats.members, 2);
	assert_int_equal(stats.joined, 7);
	assert_int_equal(stats.left, 5);
}

/* Where nobody asks nobody answers: hosts stay until they leave. */
static void test_without_a_router(void **state)
{
	struct bed *b = *state;

	join(b, NET, GROUP, 1, 1, 0);
	tn_mcast_age(b->m, 100000 * SECOND);
	assert_int_equal(ports(b, NET, GROUP), 1);
	leave(b, GROUP, 1, 1, 100000 * SECOND);
	assert_int_equal(ports(b, NET, GROUP), 0);
}

static void test_with_a_router(void **state)
{
	struct bed *b = *state;

	join(b, NET, GROUP, 1, 1, 0);
	join(b, NET, GROUP, 2, 2, 0);
	router(b, 3, 10 * SECOND);
	assert_int_equal(ports(b, NET, 0), 3);
	assert_int_equal(ports(b, NET + 1, 0), 0);
	/* Who answers stays; who left may still be another's group behind that port. */
	join(b, NET, GROUP, 2, 2, 100 * SECOND);
	router(b, 3, 135 * SECOND);
	tn_mcast_age(b->m, 269 * SECOND);
	assert_int_equal(ports(b, NET, GROUP), 12);
	tn_mcast_age(b->m, 270 * SECOND);
	assert_int_equal(ports(b, NET, GROUP), 2);
	leave(b, GROUP, 2, 2, 271 * SECOND);
	tn_mcast_age(b->m, 272 * SECOND);
	assert_int_equal(ports(b, NET, GROUP), 2);
	join(b, NET, GROUP, 2, 2, 272 * SECOND);
	tn_mcast_age(b->m, 274 * SECOND);
	assert_int_equal(ports(b, NET, GROUP), 2);
	leave(b, GROUP, 2, 2, 275 * SECOND);
	tn_mcast_age(b->m, 277 * SECOND);
	assert_int_equal(ports(b, NET, GROUP), 0);
	/* The router falls silent. */
	tn_mcast_age(b->m, 389 * SECOND);
	assert_int_equal(ports(b, NET, 0), 3);
	tn_mcast_age(b->m, 390 * SECOND);
	assert_int_equal(ports(b, NET, 0), 0);
}

static void test_limits(void **state)
{
	struct bed *b = *state;
	struct tn_mcast_stats stats;

	for (unsigned i = 0; i < 100; i++)
		join(b, NET, GROUP + i, 1, 1, 0);
	tn_mcast_stats(b->m, &stats);
	assert_int_equal(stats.members, 8); /* of a place */
	assert_int_equal(stats.groups, 8);
	for (unsigned i = 0; i < 100; i++)
		join(b, NET, GROUP + i, 2 + i / 10, 1, 0);
	tn_mcast_stats(b->m, &stats);
	assert_int_equal(stats.members, 20); /* of a network */
	for (unsigned i = 0; i < 1000; i++)
		join(b, NET + 1 + i / 10, GROUP, i % 10 + 1, 1, 0);
	tn_mcast_stats(b->m, &stats);
	assert_int_equal(stats.members, 64); /* in all */
	assert_int_equal(stats.joined + stats.refused, 1200);
	for (uint32_t n = 1; n <= 20; n++)
		tn_mcast_flush_port(b->m, n);
	tn_mcast_stats(b->m, &stats);
	assert_int_equal(stats.members, 0);
	assert_int_equal(stats.groups, 0);
	join(b, NET, GROUP, 1, 1, 0);
	assert_int_equal(ports(b, NET, GROUP), 1);
}

/* What readers have is told by class; hosts that change no place are nobody's news. */
static void test_changes(void **state)
{
	struct bed *b = *state;
	const uint32_t seven = 1u << tn_network_class(NET);
	struct tn_mcast_places before, after;

	join(b, NET, GROUP, 1, 1, 0);
	assert_int_equal(tn_mcast_take_changes(b->m), seven);
	before = tn_mcast_lookup(b->m, NET, GROUP);
	join(b, NET, GROUP, 1, 1, 0);
	join(b, NET, GROUP, 1, 2, 0);
	leave(b, GROUP, 1, 1, 0);
	assert_int_equal(tn_mcast_take_changes(b->m), 0);
	join(b, NET, GROUP, 2, 2, 0);
	assert_int_equal(tn_mcast_take_changes(b->m), seven);
	/* What a reader holds stays as it was until nobody can hold it. */
	after = tn_mcast_lookup(b->m, NET, GROUP);
	assert_int_equal(before.n, 1);
	assert_int_equal(before.places[0].port, 1);
	assert_int_equal(after.n, 2);
	tn_defer_run(b->defer);
	assert_int_equal(ports(b, NET, GROUP), 12);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(places_of_members),
		TEST(without_a_router),
		TEST(with_a_router),
		TEST(limits),
		TEST(changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
