/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One writer, two readers without locks: whoever takes a snapshot sees one bundle wholly, whatever
 * is being committed, refused, grown and freed meanwhile.
 */
#include "dataplane/pipeline/switch.h"

#include "tests/unit/pipeline/switch_fixture.h"

#include <pthread.h>
#include <sched.h>

#define N_READERS 2
#define ROUNDS	  500u
#define CROWD	  128u /* flows and groups that come and go */

struct shared {
	struct tn_switch *sw;
	bool stop;
	struct reader {
		struct shared *shared;
		pthread_t thread;
		uint64_t quiescent; /* times it held no snapshot */
		uint64_t looked, wrong;
	} readers[N_READERS];
};

static uint64_t cookie_seen(const struct tn_snapshot *s, uint8_t table, const struct tn_key *key)
{
	const struct tn_cls_rule *rule =
		tn_classifier_lookup(s->tables[table].cls, key, s->version);

	return rule ? ((const struct tn_flow *)(const void *)rule)->cookie : 0;
}

static void *read_all_the_time(void *arg)
{
	struct reader *r = arg;
	struct tn_match m;

	match_ip(&m, 0x0a000001, 32);
	while (!__atomic_load_n(&r->shared->stop, __ATOMIC_ACQUIRE)) {
		const struct tn_snapshot *s = tn_switch_snapshot(r->shared->sw);
		uint64_t first = cookie_seen(s, 0, &m.value), second = cookie_seen(s, 1, &m.value);
		const struct tn_group *group = tn_snapshot_group(s, 1);
		const struct tn_meter *meter = tn_snapshot_meter(s, 1);

		r->looked++;
		r->wrong += !first || first != second || !group || group->annotation != first ||
			!meter || meter->owner != first;
		__atomic_add_fetch(&r->quiescent, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Until each reader has let go of what it may hold now. */
static void wait_for_readers(struct shared *shared)
{
	for (unsigned i = 0; i < N_READERS; i++) {
		uint64_t *quiescent = &shared->readers[i].quiescent;
		uint64_t now = __atomic_load_n(quiescent, __ATOMIC_ACQUIRE);

		while (__atomic_load_n(quiescent, __ATOMIC_ACQUIRE) == now)
			sched_yield();
	}
}

/* Cookie, annotation and owner of the round; and one of the crowd comes, another goes. */
static void send_round(struct fixture *f, uint32_t round)
{
	struct tn_flow_mod first = flow_mod(TN_FLOW_ADD, 0, 10, 0x0a000001, 32), second = first;
	struct tn_flow_mod more = flow_mod(TN_FLOW_ADD, 0, 9, round % CROWD << 12, 20), less = more;
	struct tn_flow_mod bad = flow_mod(TN_FLOW_ADD, TN_TABLE_ALL, 0, 0, 0);
	struct tn_bucket b = bucket(0, &output_1);
	struct tn_group_mod group = group_mod(TN_GROUP_MODIFY, 1, TN_GROUP_TYPE_ALL, &b, 1);
	struct tn_group_mod come = group, go = group;
	struct tn_meter_mod meter = meter_mod(TN_METER_MODIFY, 1);
	struct tn_mod mods[] = {{.kind = TN_MOD_FLOW, .flow = &first},
		{.kind = TN_MOD_GROUP, .group = &group}, {.kind = TN_MOD_FLOW, .flow = &more},
		{.kind = TN_MOD_GROUP, .group = &go}, {.kind = TN_MOD_FLOW, .flow = &less},
		{.kind = TN_MOD_GROUP, .group = &come}, {.kind = TN_MOD_METER, .meter = &meter},
		{.kind = TN_MOD_FLOW, .flow = &second}, {.kind = TN_MOD_FLOW, .flow = &bad}};

	first.cookie = second.cookie = group.annotation = meter.owner = round;
	second.table_id = 1;
	match_ip(&less.match, (round + CROWD / 2) % CROWD << 12, 20);
	less.command = TN_FLOW_DELETE_STRICT;
	go.command = TN_GROUP_DELETE;
	go.group_id = come.group_id = 2 + round % CROWD;
	come.command = TN_GROUP_ADD;
	if (round == 1) {
		group.command = TN_GROUP_ADD;
		meter.command = TN_METER_ADD;
	}
	if (round % 3 == 2)
		assert_int_equal(send_mods(f, mods, TN_ARRAY_SIZE(mods)), -EINVAL);
	assert_done(send_mods(f, mods, TN_ARRAY_SIZE(mods) - 1));
}

static void test_snapshots_are_whole(void **state)
{
	struct fixture *f = *state;
	struct shared shared = {.sw = f->sw};

	send_round(f, 1);
	for (unsigned i = 0; i < N_READERS; i++) {
		shared.readers[i].shared = &shared;
		assert_int_equal(pthread_create(&shared.readers[i].thread, NULL, read_all_the_time,
					 &shared.readers[i]),
			0);
	}
	for (uint32_t round = 2; round <= ROUNDS; round++) {
		send_round(f, round);
		if (round % 8)
			continue;
		wait_for_readers(&shared);
		tn_switch_reclaim(f->sw);
	}
	__atomic_store_n(&shared.stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < N_READERS; i++) {
		pthread_join(shared.readers[i].thread, NULL);
		assert_true(shared.readers[i].looked > 0);
		assert_int_equal(shared.readers[i].wrong, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_snapshots_are_whole, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
