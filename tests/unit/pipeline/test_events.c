/* SPDX-License-Identifier: BSD-3-Clause */
/* Events that wait for counts: their order, their counts, and what they keep from being freed. */
#include "dataplane/pipeline/switch.h"

#include "tests/unit/pipeline/switch_fixture.h"

static uint64_t told_packets, told_bytes;

static void note_counts(void *ctx, const struct tn_event *e)
{
	if (e->kind == TN_EVENT_FLOW_REMOVED) {
		told_packets = e->flow->counter.packets;
		told_bytes = e->flow->counter.bytes;
		assert_int_equal(e->flow->inst.n_apply, 1);
		assert_int_equal(e->flow->inst.apply[0].output.port, 1);
		assert_int_not_equal(tn_match_fields(&e->flow->match), 0);
	}
	write_event(ctx, e);
}

static struct tn_flow_mod numbered(enum tn_flow_command command, uint32_t number)
{
	struct tn_flow_mod fm = flow_mod(command, 0, 10, 0x0a000000 + number, 32);

	fm.cookie = number;
	fm.flags = TN_FLOW_SEND_FLOW_REM;
	return fm;
}

static void send_numbered(struct fixture *f, enum tn_flow_command command, uint32_t number)
{
	struct tn_flow_mod fm = numbered(command, number);

	assert_done(send_flow(f, &fm));
}

static void add_port_number(struct fixture *f, uint32_t number)
{
	const struct tn_port_config_data port = {.number = number};

	assert_done(tn_switch_port_add(f->sw, &port, f->now, &f->err));
}

static int setup_held(void **state)
{
	int rc = setup(state);
	struct fixture *f = *state;

	tn_switch_set_event_fn(f->sw, note_counts, f);
	tn_switch_hold_events(f->sw, true);
	return rc;
}

static void test_wait_for_counts(void **state)
{
	struct fixture *f = *state;
	uint64_t id;

	send_numbered(f, TN_FLOW_ADD, 1);
	id = find_flow(f, 0, 10, 0x0a000001, 32)->stats->id;
	send_numbered(f, TN_FLOW_DELETE, 1);
	assert_events(f, "");
	assert_int_not_equal(tn_switch_held_events(f->sw), 0);
	/* However often memory is reclaimed: what is counted now is still the flow's. */
	for (unsigned i = 0; i < 3; i++)
		tn_switch_reclaim(f->sw);
	tn_switch_count(f->sw, &(struct tn_count){.id = id, .packets = 3, .bytes = 180});
	tn_switch_release_events(f->sw, tn_switch_held_events(f->sw));
	assert_events(f, "removed cookie=1 reason=2 at=1000000000\n");
	assert_int_equal(told_packets, 3);
	assert_int_equal(told_bytes, 180);
	assert_int_equal(tn_switch_held_events(f->sw), 0);
	/* It is free to go, and counts that are too late are nobody's. */
	for (unsigned i = 0; i < 3; i++)
		tn_switch_reclaim(f->sw);
	tn_switch_count(f->sw, &(struct tn_count){.id = id, .packets = 3, .bytes = 180});
}

static void test_order(void **state)
{
	struct fixture *f = *state;
	uint64_t first;

	add_port_number(f, 1); /* nothing waits: told at once */
	assert_events(f, "port 1 reason=0 config=0 state=4\n");
	send_numbered(f, TN_FLOW_ADD, 1);
	send_numbered(f, TN_FLOW_ADD, 2);
	send_numbered(f, TN_FLOW_DELETE, 1);
	first = tn_switch_held_events(f->sw);
	add_port_number(f, 2);
	send_numbered(f, TN_FLOW_DELETE, 2);
	assert_true(tn_switch_held_events(f->sw) > first);
	assert_events(f, "");
	tn_switch_release_events(f->sw, first - 1);
	assert_events(f, "");
	tn_switch_release_events(f->sw, first);
	assert_events(f, "removed cookie=1 reason=2 at=1000000000\n");
	tn_switch_hold_events(f->sw, false);
	assert_events(f,
		"port 2 reason=0 config=0 state=4\n"
		"removed cookie=2 reason=2 at=1000000000\n");
	/* And from here on nothing waits. */
	send_numbered(f, TN_FLOW_ADD, 1);
	send_numbered(f, TN_FLOW_DELETE, 1);
	assert_events(f, "removed cookie=1 reason=2 at=1000000000\n");
}

/* Added and removed by one bundle: gone from the lookup before anybody is told. */
static void test_dropped(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod add = numbered(TN_FLOW_ADD, 1), del = numbered(TN_FLOW_DELETE, 1);
	const struct tn_mod mods[] = {
		{.kind = TN_MOD_FLOW, .flow = &add}, {.kind = TN_MOD_FLOW, .flow = &del}};

	assert_done(send_mods(f, mods, 2));
	for (unsigned i = 0; i < 3; i++)
		tn_switch_reclaim(f->sw);
	tn_switch_release_events(f->sw, UINT64_MAX);
	assert_events(f, "removed cookie=1 reason=2 at=1000000000\n");
}

/* The same match again, while the old flow is kept for its event. */
static void test_added_again(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 10; i++) {
		send_numbered(f, TN_FLOW_ADD, 1);
		tn_switch_count(f->sw,
			&(struct tn_count){.id = find_flow(f, 0, 10, 0x0a000001, 32)->stats->id,
				.packets = 1});
		tn_switch_reclaim(f->sw);
		send_numbered(f, TN_FLOW_DELETE, 1);
		tn_switch_reclaim(f->sw);
		assert_null(find_flow(f, 0, 10, 0x0a000001, 32));
	}
	tn_switch_release_events(f->sw, UINT64_MAX);
	assert_int_equal(f->n_events, 10);
	assert_int_equal(told_packets, 1);
}

static void test_freed_while_held(void **state)
{
	struct fixture *f = *state;

	send_numbered(f, TN_FLOW_ADD, 1);
	send_numbered(f, TN_FLOW_DELETE, 1);
	tn_switch_reclaim(f->sw);
	assert_int_not_equal(tn_switch_held_events(f->sw), 0);
}

/* Without a recount, which knows no flow that is kept. */
static int teardown_held(void **state)
{
	struct fixture *f = *state;

	tn_switch_free(f->sw);
	free(f);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup_held, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wait_for_counts),
		TEST(order),
		TEST(dropped),
		TEST(added_again),
		cmocka_unit_test_setup_teardown(test_freed_while_held, setup_held, teardown_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
