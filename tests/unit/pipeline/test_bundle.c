/* SPDX-License-Identifier: BSD-3-Clause */
/* Bundles: all or nothing over flows, groups and meters, later messages see earlier ones. */
#include "dataplane/pipeline/switch.h"

#include "tests/unit/pipeline/switch_fixture.h"

#define FLOW(fm)                                   \
	{                                          \
		.kind = TN_MOD_FLOW, .flow = &(fm) \
	}
#define GROUP(gm)                                    \
	{                                            \
		.kind = TN_MOD_GROUP, .group = &(gm) \
	}
#define METER(mm)                                    \
	{                                            \
		.kind = TN_MOD_METER, .meter = &(mm) \
	}

static struct tn_flow_mod flow_to(uint64_t cookie, const struct tn_action *action)
{
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, (uint16_t)cookie, 0, 0);

	fm.cookie = cookie;
	fm.flags = TN_FLOW_SEND_FLOW_REM;
	fm.inst.apply = action;
	return fm;
}

static void test_empty(void **state)
{
	struct fixture *f = *state;
	uint64_t version = tn_switch_snapshot(f->sw)->version;

	assert_done(send_mods(f, NULL, 0));
	assert_int_equal(tn_switch_snapshot(f->sw)->version, version);
}

static void test_later_sees_earlier(void **state)
{
	struct fixture *f = *state;
	struct tn_action group = to_group(1);
	struct tn_bucket b = bucket(0, &output_1);
	struct tn_group_mod gm = group_mod(TN_GROUP_ADD, 1, TN_GROUP_TYPE_ALL, &b, 1);
	struct tn_meter_mod mm = meter_mod(TN_METER_ADD, 4);
	struct tn_flow_mod fm = flow_to(1, &group);
	struct tn_mod mods[] = {GROUP(gm), METER(mm), FLOW(fm)};
	struct tn_mod wrong[] = {METER(mm), FLOW(fm), GROUP(gm)};
	uint64_t version = tn_switch_snapshot(f->sw)->version;

	fm.inst.meter_id = 4;
	assert_refused(f, send_mods(f, wrong, 3), OFPBAC_BAD_OUT_GROUP);
	assert_int_equal(f->failed, 1);
	assert_done(send_mods(f, mods, 3));
	assert_int_equal(tn_switch_snapshot(f->sw)->version, version + 1);
	assert_int_equal(tn_switch_flow_count(f->sw), 1);
}

static void test_added_and_removed_within(void **state)
{
	struct fixture *f = *state;
	struct tn_action group = to_group(1);
	struct tn_bucket b = bucket(0, &output_1);
	struct tn_group_mod add = group_mod(TN_GROUP_ADD, 1, TN_GROUP_TYPE_ALL, &b, 1);
	struct tn_group_mod del = group_mod(TN_GROUP_DELETE, 1, TN_GROUP_TYPE_ALL, NULL, 0);
	struct tn_meter_mod add_m = meter_mod(TN_METER_ADD, 1);
	struct tn_meter_mod del_m = meter_mod(TN_METER_DELETE, 1);
	struct tn_flow_mod fm = flow_to(1, &group), gone = flow_mod(TN_FLOW_DELETE, 0, 0, 0, 0);
	struct tn_mod mods[] = {GROUP(add), METER(add_m), FLOW(fm), GROUP(del), METER(del_m),
		GROUP(add), METER(add_m), FLOW(fm), FLOW(fm), FLOW(gone), GROUP(del)};

	fm.inst.meter_id = 1;
	fm.hard_timeout = 9;
	assert_done(send_mods(f, mods, TN_ARRAY_SIZE(mods)));
	assert_int_equal(tn_switch_flow_count(f->sw), 0);
	assert_null(tn_snapshot_group(tn_switch_snapshot(f->sw), 1));
	assert_non_null(tn_snapshot_meter(tn_switch_snapshot(f->sw), 1));
	assert_events(f,
		"removed cookie=1 reason=3 at=1000000000\n"
		"removed cookie=1 reason=2 at=1000000000\n");
	assert_int_equal(tn_switch_next_expiry(f->sw), UINT64_MAX);
}

/* Everything that a bundle can touch, and then a message that fails. */
static void test_failure_restores_everything(void **state)
{
	struct fixture *f = *state;
	struct tn_table_config full = {.max_entries = 4, .eviction = true};
	struct tn_action to1 = to_group(1), to2 = to_group(2);
	struct tn_bucket b[2] = {bucket(0, &output_1), bucket(1, &to1)};
	struct tn_group_mod g1 = group_mod(TN_GROUP_ADD, 1, TN_GROUP_TYPE_ALL, b, 1);
	struct tn_group_mod g2 = group_mod(TN_GROUP_ADD, 2, TN_GROUP_TYPE_ALL, b, 2);
	struct tn_group_mod all = group_mod(TN_GROUP_DELETE, TN_GROUP_ALL, 0, NULL, 0);
	struct tn_group_mod insert = group_mod(TN_GROUP_INSERT_BUCKET, 1, 0, b, 1);
	struct tn_group_mod again = group_mod(TN_GROUP_ADD, 900, TN_GROUP_TYPE_ALL, b, 1);
	struct tn_meter_mod m = meter_mod(TN_METER_ADD, 1);
	struct tn_meter_mod change = meter_mod(TN_METER_MODIFY, 1);
	struct tn_meter_mod no_meters = meter_mod(TN_METER_DELETE, TN_METER_ALL);
	struct tn_flow_mod f1 = flow_to(1, &to1), f2 = flow_to(2, &to2), f3 = flow_to(3, &output_1);
	struct tn_flow_mod f4 = flow_to(4, &output_1), f5 = flow_to(5, &output_1);
	struct tn_flow_mod modify = flow_mod(TN_FLOW_MODIFY, 0, 0, 0, 0);
	struct tn_flow_mod none = flow_mod(TN_FLOW_DELETE, TN_TABLE_ALL, 0, 0, 0);
	struct tn_mod start[] = {GROUP(g1), GROUP(g2), METER(m), FLOW(f1), FLOW(f2), FLOW(f3)};
	struct tn_mod bundle[] = {FLOW(f4), FLOW(f5), FLOW(modify), METER(change), METER(no_meters),
		GROUP(insert), GROUP(all), GROUP(again), FLOW(f4), FLOW(none), FLOW(f5), FLOW(f1)};

	f1.idle_timeout = 5;
	f2.hard_timeout = 7;
	f3.importance = 2;
	f3.inst.meter_id = 1;
	f4.idle_timeout = 1;
	f5.importance = 9;
	modify.inst.apply = &to1;
	modify.flags = TN_FLOW_RESET_COUNTS;
	insert.command_bucket_id = TN_BUCKET_LAST;
	b[0].bucket_id = 7;
	assert_done(tn_switch_table_configure(f->sw, 0, &full, &f->err));
	assert_done(send_mods(f, start, TN_ARRAY_SIZE(start)));
	packet(find_flow(f, 0, 1, 0, 0), f->now + 3);
	b[0].bucket_id = 8;
	/* Whatever the length of what came before the failure. */
	for (size_t n = 0; n + 1 < TN_ARRAY_SIZE(bundle); n++) {
		struct tn_flow_mod bad = flow_mod(TN_FLOW_ADD, TN_TABLE_ALL, 0, 0, 0);
		struct tn_mod last = bundle[n];
		const char *wrong;

		bundle[n] = (struct tn_mod)FLOW(bad);
		assert_refused(f, send_mods(f, bundle, n + 1), OFPFMFC_BAD_TABLE_ID);
		assert_int_equal(f->failed, n);
		bundle[n] = last;
		wrong = switch_verify(f->sw);
		if (wrong)
			fail_msg("recount: %s", wrong);
	}
	/* The last message names a group that is gone by then. */
	assert_refused(f, send_mods(f, bundle, TN_ARRAY_SIZE(bundle)), OFPBAC_BAD_OUT_GROUP);
	assert_int_equal(f->failed, TN_ARRAY_SIZE(bundle) - 1);
	assert_events(f, "");
	/* And without it all is well. */
	assert_done(send_mods(f, bundle, TN_ARRAY_SIZE(bundle) - 1));
	assert_int_equal(tn_switch_flow_count(f->sw), 1);
}

/* Flow, group and meter come and go again and again; nothing of it waits for anyone. */
static void test_one_thing_often(void **state)
{
	static struct tn_mod mods[7 * 500];
	struct fixture *f = *state;
	struct tn_action to1 = to_group(1);
	struct tn_bucket b = bucket(0, &output_1);
	struct tn_group_mod add = group_mod(TN_GROUP_ADD, 1, TN_GROUP_TYPE_ALL, &b, 1);
	struct tn_group_mod del = group_mod(TN_GROUP_DELETE, 1, TN_GROUP_TYPE_ALL, NULL, 0);
	struct tn_meter_mod add_m = meter_mod(TN_METER_ADD, 1);
	struct tn_meter_mod del_m = meter_mod(TN_METER_DELETE, 1);
	struct tn_flow_mod fm = flow_to(1, &to1), modify = fm, bad = fm;
	const struct tn_mod round[] = {GROUP(add), METER(add_m), FLOW(fm), FLOW(modify), FLOW(fm),
		METER(del_m), GROUP(del)};

	fm.idle_timeout = 1;
	fm.inst.meter_id = 1;
	modify.command = TN_FLOW_MODIFY;
	bad.table_id = TN_TABLE_ALL;
	for (size_t i = 0; i < TN_ARRAY_SIZE(mods); i++)
		mods[i] = round[i % 7];
	assert_done(send_mods(f, mods, TN_ARRAY_SIZE(mods) - 2));
	assert_int_equal(tn_switch_flow_count(f->sw), 1);
	/* Every meter went with the flow of its round, but for the last. */
	assert_int_equal(f->n_events, 499);
	clear_events(f);
	for (size_t i = 0; i < TN_ARRAY_SIZE(mods); i++)
		mods[i] = round[(i + 5) % 7];
	mods[TN_ARRAY_SIZE(mods) - 1] = (struct tn_mod)FLOW(bad);
	assert_refused(f, send_mods(f, mods, TN_ARRAY_SIZE(mods)), OFPFMFC_BAD_TABLE_ID);
}

/* A bundle that fails after the id tables were outgrown. */
static void test_failure_after_growth(void **state)
{
	static struct tn_group_mod groups[200];
	static struct tn_mod mods[201];
	struct fixture *f = *state;
	struct tn_bucket b = bucket(0, &output_1);
	struct tn_flow_mod bad = flow_mod(TN_FLOW_ADD, TN_TABLE_ALL, 0, 0, 0);

	assert_done(add_group_to(f, 1000, &output_1));
	for (uint32_t i = 0; i < 200; i++) {
		groups[i] = group_mod(TN_GROUP_ADD, i, TN_GROUP_TYPE_ALL, &b, 1);
		mods[i] = (struct tn_mod)GROUP(groups[i]);
	}
	mods[200] = (struct tn_mod)FLOW(bad);
	assert_refused(f, send_mods(f, mods, 201), OFPFMFC_BAD_TABLE_ID);
	tn_switch_reclaim(f->sw);
	tn_switch_reclaim(f->sw);
	assert_non_null(tn_snapshot_group(tn_switch_snapshot(f->sw), 1000));
	assert_null(tn_snapshot_group(tn_switch_snapshot(f->sw), 0));
	assert_done(send_mods(f, mods, 200));
	assert_non_null(tn_snapshot_group(tn_switch_snapshot(f->sw), 199));
}

static void test_table_full_within(void **state)
{
	struct fixture *f = *state;
	struct tn_table_config two = {.max_entries = 2};
	struct tn_flow_mod f1 = flow_to(1, &output_1), f2 = flow_to(2, &output_1);
	struct tn_flow_mod f3 = flow_to(3, &output_1);
	struct tn_flow_mod del = flow_mod(TN_FLOW_DELETE_STRICT, 0, 1, 0, 0);
	struct tn_mod mods[] = {FLOW(f1), FLOW(f2), FLOW(f3)};
	struct tn_mod room[] = {FLOW(f1), FLOW(f2), FLOW(del), FLOW(f3)};

	assert_done(tn_switch_table_configure(f->sw, 0, &two, &f->err));
	assert_refused(f, send_mods(f, mods, 3), OFPFMFC_TABLE_FULL);
	assert_int_equal(f->failed, 2);
	assert_done(send_mods(f, room, 4));
}

/* Readers between a refused bundle and the next one see nothing of it. */
static void test_readers_see_nothing_of_a_refused_one(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod f1 = flow_to(1, &output_1);
	struct tn_flow_mod bad = flow_mod(TN_FLOW_ADD, TN_TABLE_ALL, 0, 0, 0);
	struct tn_mod mods[] = {FLOW(f1), FLOW(bad)};
	const struct tn_snapshot *s = tn_switch_snapshot(f->sw);

	assert_refused(f, send_mods(f, mods, 2), OFPFMFC_BAD_TABLE_ID);
	assert_ptr_equal(tn_switch_snapshot(f->sw), s);
	assert_null(find_flow(f, 0, 1, 0, 0));
}

struct refusals {
	size_t n;
	size_t position[8];
	enum tn_of_error of[8];
};

static void refused(void *ctx, size_t position, const struct tn_error *err)
{
	struct refusals *r = ctx;

	assert_true(r->n < 8);
	r->position[r->n] = position;
	r->of[r->n++] = err->of;
}

static void test_check_all(void **state)
{
	struct fixture *f = *state;
	struct tn_action to1 = to_group(1), to2 = to_group(2);
	struct tn_bucket b = bucket(0, &output_1);
	struct tn_group_mod g1 = group_mod(TN_GROUP_ADD, 1, TN_GROUP_TYPE_ALL, &b, 1);
	struct tn_flow_mod f0 = flow_to(9, &output_1), f1 = flow_to(1, &to1), f2 = flow_to(2, &to2);
	struct tn_flow_mod bad = flow_mod(TN_FLOW_MODIFY, TN_TABLE_ALL, 0, 0, 0);
	struct tn_mod mods[] = {FLOW(f2), GROUP(g1), FLOW(f1), GROUP(g1), FLOW(bad), FLOW(f2)};
	struct refusals r = {0};
	char *before, *after;

	f0.table_id = 7;
	assert_done(send_flow(f, &f0));
	/* Half of the modification works before the flow of table 7 refuses it. */
	bad.inst.goto_table = 7;
	before = switch_dump(f->sw);
	assert_int_equal(tn_switch_check_all(f->sw, mods, 6, f->now, refused, &r), 4);
	after = switch_dump(f->sw);
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_events(f, "");
	assert_int_equal(r.n, 4);
	assert_int_equal(r.position[0], 0);
	assert_int_equal(r.of[0], TN_OFPBAC_BAD_OUT_GROUP);
	assert_int_equal(r.position[1], 3);
	assert_int_equal(r.of[1], TN_OFPGMFC_GROUP_EXISTS);
	assert_int_equal(r.position[2], 4);
	assert_int_equal(r.of[2], TN_OFPBIC_BAD_TABLE_ID);
	assert_int_equal(r.position[3], 5);
	assert_int_equal(tn_switch_check_all(f->sw, &mods[1], 2, f->now, refused, &r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_later_sees_earlier, setup, teardown),
		cmocka_unit_test_setup_teardown(test_added_and_removed_within, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failure_restores_everything, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_thing_often, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failure_after_growth, setup, teardown),
		cmocka_unit_test_setup_teardown(test_table_full_within, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_readers_see_nothing_of_a_refused_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check_all, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
