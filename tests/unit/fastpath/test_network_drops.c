/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/network_drops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define VNIS 2000u

struct seen {
	uint64_t packets[VNIS], none, others, sum;
	unsigned rows;
};

static bool see(void *ctx, uint32_t network, enum tn_drop reason, uint64_t packets)
{
	struct seen *s = ctx;

	assert_int_not_equal(reason, TN_DROP_NONE);
	assert_int_not_equal(packets, 0);
	s->rows++;
	s->sum += packets;
	if (network == TN_DROPS_NO_NETWORK)
		s->none += packets;
	else if (network == TN_DROPS_OTHER_NETWORKS)
		s->others += packets;
	else
		s->packets[network % VNIS] += packets;
	return true;
}

static struct tn_network_drops *fresh(void)
{
	struct tn_network_drops *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	return d;
}

static void test_each_by_itself(void **state)
{
	struct tn_network_drops *d = fresh();
	struct seen s = {0};

	(void)state;
	for (uint32_t vni = 1; vni < 100; vni++) {
		tn_network_drops_add(d, vni, TN_DROP_MTU, vni);
		tn_network_drops_add(d, vni, TN_DROP_MTU, 1);
		tn_network_drops_add(d, vni, TN_DROP_METER, 1);
	}
	tn_network_drops_add(d, 0xffffff, TN_DROP_METER, 7);
	tn_network_drops_add(d, TN_DROPS_NO_NETWORK, TN_DROP_TX_FULL, 5);
	tn_network_drops_add(d, TN_DROPS_OTHER_NETWORKS, TN_DROP_TX_FULL, 3);
	tn_network_drops_each(d, see, &s);
	assert_int_equal(s.rows, 99 * 2 + 3);
	for (uint32_t vni = 1; vni < 100; vni++)
		assert_int_equal(s.packets[vni], vni + 2);
	assert_int_equal(s.packets[0xffffff % VNIS], 7);
	assert_int_equal(s.none, 5);
	assert_int_equal(s.others, 3);
	free(d);
}

/* More networks than there is room for: the first keep theirs, no packet is lost. */
static void test_room_is_bounded(void **state)
{
	struct tn_network_drops *d = fresh();
	struct seen first = {0}, then = {0};
	uint64_t added = 0;

	(void)state;
	for (uint32_t vni = 1; vni <= 100; vni++, added++)
		tn_network_drops_add(d, vni, TN_DROP_MTU, 1);
	tn_network_drops_each(d, see, &first);
	for (uint32_t vni = 101; vni < 100000; vni++, added++)
		tn_network_drops_add(d, vni, (enum tn_drop)(1 + vni % (TN_DROP_COUNT - 1)), 1);
	for (uint32_t vni = 1; vni <= 100; vni++, added++)
		tn_network_drops_add(d, vni, TN_DROP_MTU, 1);
	tn_network_drops_each(d, see, &then);
	assert_int_equal(first.others, 0);
	assert_int_equal(then.sum, added);
	assert_true(then.others > 90000);
	for (uint32_t vni = 1; vni <= 100; vni++) {
		assert_int_equal(first.packets[vni], 1);
		assert_true(then.packets[vni] >= 2);
	}
	assert_true(then.rows <= TN_NETWORK_DROPS_N + TN_DROP_COUNT);
	free(d);
}

static bool stop(void *ctx, uint32_t network, enum tn_drop reason, uint64_t packets)
{
	(void)network, (void)reason, (void)packets;
	++*(unsigned *)ctx;
	return false;
}

static void test_whoever_has_enough_is_told_no_more(void **state)
{
	struct tn_network_drops *d = fresh();
	unsigned calls = 0;

	(void)state;
	tn_network_drops_add(d, TN_DROPS_NO_NETWORK, TN_DROP_MTU, 1);
	tn_network_drops_add(d, TN_DROPS_NO_NETWORK, TN_DROP_METER, 1);
	tn_network_drops_add(d, 9, TN_DROP_MTU, 1);
	tn_network_drops_each(d, stop, &calls);
	assert_int_equal(calls, 1);
	free(d);
}

static void test_whose_a_packet_is(void **state)
{
	const struct tn_op came = {.network_of = TN_OP_NETWORK_CAME};
	const struct tn_op given = {.network_of = TN_OP_NETWORK_GIVEN, .network = 0xffffff};
	const struct tn_op nobody = {.network_of = TN_OP_NETWORK_GIVEN};
	const struct tn_op wide = {.network_of = TN_OP_NETWORK_WIDE};

	(void)state;
	assert_int_equal(tn_network_at(NULL, 7), 7);
	assert_int_equal(tn_network_at(NULL, 0x1000000), TN_DROPS_OTHER_NETWORKS);
	assert_int_equal(tn_network_at(&came, 7), 7);
	assert_int_equal(tn_network_at(&given, 7), 0xffffff);
	assert_int_equal(tn_network_at(&nobody, 7), TN_DROPS_NO_NETWORK);
	assert_int_equal(tn_network_at(&wide, 7), TN_DROPS_OTHER_NETWORKS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_by_itself),
		cmocka_unit_test(test_room_is_bounded),
		cmocka_unit_test(test_whoever_has_enough_is_told_no_more),
		cmocka_unit_test(test_whose_a_packet_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
