/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts that engines report by identity. */
#include "dataplane/pipeline/switch.h"

#include "tests/unit/pipeline/switch_fixture.h"

static void count_packets(struct fixture *f, uint64_t id, uint64_t n, uint64_t last_used_ns)
{
	const struct tn_count count = {
		.id = id, .packets = n, .bytes = 60 * n, .last_used_ns = last_used_ns};

	tn_switch_count(f->sw, &count);
}

static int add(struct fixture *f, uint32_t address, uint16_t idle)
{
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, 10, address, 32);

	fm.idle_timeout = idle;
	return send_flow(f, &fm);
}

static void test_flow(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_MODIFY, 0, 10, 1, 32);
	const struct tn_flow *flow;
	uint64_t id;

	assert_done(add(f, 1, 0));
	assert_done(add(f, 2, 0));
	id = find_flow(f, 0, 10, 1, 32)->stats->id;
	assert_int_not_equal(id, 0);
	assert_int_not_equal(id, find_flow(f, 0, 10, 2, 32)->stats->id);
	count_packets(f, id, 3, 5 * SECOND);
	count_packets(f, id, 4, 4 * SECOND); /* another worker's, later told */
	flow = find_flow(f, 0, 10, 1, 32);
	assert_int_equal(flow->stats->counter.packets, 7);
	assert_int_equal(flow->stats->counter.bytes, 420);
	assert_int_equal(flow->stats->last_used_ns, 5 * SECOND);
	assert_int_equal(find_flow(f, 0, 10, 2, 32)->stats->counter.packets, 0);
	/* What it is modified to goes on counting under the same identity. */
	assert_done(send_flow(f, &fm));
	assert_int_equal(find_flow(f, 0, 10, 1, 32)->stats->id, id);
}

/* What was counted for a flow that is gone is not the next one's, though ids of flows come back. */
static void test_late_counts_are_nobodys(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_DELETE, 0, 0, 0, 0);
	uint64_t id;

	assert_done(add(f, 1, 0));
	id = find_flow(f, 0, 10, 1, 32)->stats->id;
	assert_done(send_flow(f, &fm));
	tn_switch_reclaim(f->sw);
	tn_switch_reclaim(f->sw);
	assert_done(add(f, 1, 0));
	count_packets(f, id, 3, SECOND);
	count_packets(f, 0, 3, SECOND);
	count_packets(f, UINT64_MAX, 3, SECOND);
	assert_int_equal(find_flow(f, 0, 10, 1, 32)->stats->counter.packets, 0);
	count_packets(f, find_flow(f, 0, 10, 1, 32)->stats->id, 3, SECOND);
	assert_int_equal(find_flow(f, 0, 10, 1, 32)->stats->counter.packets, 3);
}

static void test_idle_time(void **state)
{
	struct fixture *f = *state;

	assert_done(add(f, 1, 2));
	count_packets(f, find_flow(f, 0, 10, 1, 32)->stats->id, 1, 2 * SECOND + 7);
	tn_switch_expire(f->sw, 4 * SECOND + 6);
	assert_non_null(find_flow(f, 0, 10, 1, 32));
	tn_switch_expire(f->sw, 4 * SECOND + 7);
	assert_null(find_flow(f, 0, 10, 1, 32));
}

static void test_group_and_buckets(void **state)
{
	struct fixture *f = *state;
	struct tn_bucket buckets[] = {bucket(0, &output_1), bucket(1, &output_1)};
	struct tn_group_mod gm = group_mod(TN_GROUP_ADD, 7, TN_GROUP_TYPE_ALL, buckets, 2);
	const struct tn_group *group;

	assert_done(send_group(f, &gm));
	group = tn_snapshot_group(tn_switch_snapshot(f->sw), 7);
	count_packets(f, group->stats->id, 5, SECOND);
	count_packets(f, group->buckets[1].stats->id, 2, SECOND);
	assert_int_equal(group->stats->counter.packets, 5);
	assert_int_equal(group->buckets[0].stats->counter.packets, 0);
	assert_int_equal(group->buckets[1].stats->counter.packets, 2);
}

static void test_tables(void **state)
{
	struct fixture *f = *state;
	struct tn_count count = {.lookups = 5, .matches = 3, .table = 2};

	tn_switch_count(f->sw, &count);
	count.table = TN_TABLE_ALL;
	tn_switch_count(f->sw, &count);
	assert_int_equal(tn_switch_snapshot(f->sw)->tables[2].lookups, 5);
	assert_int_equal(tn_switch_snapshot(f->sw)->tables[2].matches, 3);
}

/* Slots are taken again, identities are not. */
static void test_many(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod all = flow_mod(TN_FLOW_DELETE, 0, 0, 0, 0);
	uint64_t first = 0;

	for (unsigned round = 0; round < 3; round++) {
		for (uint32_t i = 1; i <= 1000; i++)
			assert_done(add(f, i, 0));
		if (!round)
			first = find_flow(f, 0, 10, 1, 32)->stats->id;
		for (uint32_t i = 1; i <= 1000; i++) {
			const struct tn_stats *stats = find_flow(f, 0, 10, i, 32)->stats;

			assert_true(round == 0 || stats->id != first);
			count_packets(f, stats->id, i, SECOND);
			assert_int_equal(stats->counter.packets, i);
		}
		assert_done(send_flow(f, &all));
		tn_switch_reclaim(f->sw);
		tn_switch_reclaim(f->sw);
	}
	assert_true(f->sw->stats_size <= 2048);
}

static void learn(struct fixture *f, struct tn_mac mac, uint32_t port, uint64_t now_ns)
{
	const struct tn_learnt learnt = {.mac = mac, .network = 5, .in_port = port};

	tn_switch_learn(f->sw, &learnt, now_ns);
}

/* Decisions that engines keep hear of addresses once, whatever came, and of their network alone. */
static void test_addresses(void **state)
{
	struct fixture *f = *state;
	const struct tn_mac mac = {{2, 0, 0, 0, 0, 1}};
	uint64_t version = tn_switch_snapshot(f->sw)->version;
	const struct tn_snapshot *s;

	assert_int_equal(tn_switch_publish_addresses(f->sw), 0);
	learn(f, mac, 3, f->now);
	learn(f, mac, 3, f->now + 1);
	assert_int_equal(tn_switch_publish_addresses(f->sw), 1);
	assert_int_equal(tn_switch_publish_addresses(f->sw), 0);
	s = tn_switch_snapshot(f->sw);
	assert_int_equal(s->version, version + 1);
	for (unsigned i = 0; i < TN_EPOCH_CLASSES; i++) {
		if (i == TN_EPOCH_NETWORKS + tn_network_class(5))
			assert_int_equal(s->epoch[i], (uint32_t)s->version);
		else
			assert_int_not_equal(s->epoch[i], (uint32_t)s->version);
	}
	learn(f, mac, 3, f->now + 2);
	assert_int_equal(tn_switch_publish_addresses(f->sw), 0);
	learn(f, mac, 4, f->now + 3);
	assert_int_equal(tn_switch_publish_addresses(f->sw), 1);
	tn_switch_expire(f->sw, f->now + 400 * SECOND);
	assert_int_equal(tn_switch_publish_addresses(f->sw), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flow),
		TEST(late_counts_are_nobodys),
		TEST(idle_time),
		TEST(group_and_buckets),
		TEST(tables),
		TEST(many),
		TEST(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
