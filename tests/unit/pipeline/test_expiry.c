/* SPDX-License-Identifier: BSD-3-Clause */
/* Timeouts: to the nanosecond, in order, at a cost of those that are due. */
#include "dataplane/pipeline/switch.h"

#include "tests/unit/pipeline/switch_fixture.h"

static int add_timed(struct fixture *f, uint32_t number, uint16_t idle, uint16_t hard)
{
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, 10, 0x0a000000 + number, 32);

	fm.cookie = number;
	fm.idle_timeout = idle;
	fm.hard_timeout = hard;
	fm.flags = TN_FLOW_SEND_FLOW_REM;
	return send_flow(f, &fm);
}

static struct tn_flow *numbered(const struct fixture *f, uint32_t number)
{
	return find_flow(f, 0, 10, 0x0a000000 + number, 32);
}

static void test_hard(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(tn_switch_next_expiry(f->sw), UINT64_MAX);
	assert_done(add_timed(f, 1, 0, 3));
	assert_int_equal(tn_switch_next_expiry(f->sw), 4 * SECOND);
	packet(numbered(f, 1), 3 * SECOND);
	tn_switch_expire(f->sw, 4 * SECOND - 1);
	assert_non_null(numbered(f, 1));
	assert_events(f, "");
	tn_switch_expire(f->sw, 4 * SECOND);
	assert_null(numbered(f, 1));
	assert_events(f, "removed cookie=1 reason=1 at=4000000000\n");
	assert_int_equal(tn_switch_next_expiry(f->sw), UINT64_MAX);
	assert_int_equal(tn_switch_flow_count(f->sw), 0);
}

static void test_idle(void **state)
{
	struct fixture *f = *state;

	assert_done(add_timed(f, 1, 2, 0));
	packet(numbered(f, 1), 2 * SECOND + 7);
	tn_switch_expire(f->sw, 3 * SECOND);
	assert_non_null(numbered(f, 1));
	assert_int_equal(tn_switch_next_expiry(f->sw), 4 * SECOND + 7);
	tn_switch_expire(f->sw, 4 * SECOND + 6);
	assert_non_null(numbered(f, 1));
	tn_switch_expire(f->sw, 4 * SECOND + 7);
	assert_null(numbered(f, 1));
	assert_events(f, "removed cookie=1 reason=0 at=4000000007\n");
}

static void test_both(void **state)
{
	struct fixture *f = *state;

	assert_done(add_timed(f, 1, 5, 3));
	assert_done(add_timed(f, 2, 3, 5));
	assert_done(add_timed(f, 3, 4, 4));
	packet(numbered(f, 2), 4 * SECOND - 1);
	tn_switch_expire(f->sw, 100 * SECOND);
	/* In the order in which they were due, each with the time at which it was. */
	assert_events(f,
		"removed cookie=1 reason=1 at=4000000000\n"
		"removed cookie=3 reason=1 at=5000000000\n"
		"removed cookie=2 reason=1 at=6000000000\n");
}

static void test_silent_and_permanent(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, 1, 0, 0);

	fm.hard_timeout = 1;
	assert_done(send_flow(f, &fm));
	assert_done(add_timed(f, 1, 0, 0));
	tn_switch_expire(f->sw, 1000000 * SECOND);
	assert_int_equal(tn_switch_flow_count(f->sw), 1);
	assert_events(f, "");
}

/* A replaced flow starts its time anew; a modified one does not. */
static void test_replace_and_modify(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_MODIFY, 0, 0, 0, 0);

	assert_done(add_timed(f, 1, 0, 3));
	assert_done(add_timed(f, 2, 3, 0));
	assert_done(add_timed(f, 3, 3, 0));
	f->now = 3 * SECOND;
	assert_done(add_timed(f, 1, 0, 3));
	assert_done(add_timed(f, 2, 3, 0));
	assert_done(send_flow(f, &fm));
	tn_switch_expire(f->sw, 4 * SECOND);
	assert_events(f, "removed cookie=3 reason=0 at=4000000000\n");
	tn_switch_expire(f->sw, 6 * SECOND - 1);
	assert_events(f, "");
	tn_switch_expire(f->sw, 6 * SECOND);
	assert_int_equal(f->n_events, 2);
}

static void test_modify_with_reset_keeps_idle_time(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_MODIFY, 0, 0, 0, 0);

	assert_done(add_timed(f, 1, 3, 0));
	packet(numbered(f, 1), 2 * SECOND);
	fm.flags = TN_FLOW_RESET_COUNTS;
	assert_done(send_flow(f, &fm));
	assert_int_equal(numbered(f, 1)->stats->counter.packets, 0);
	tn_switch_expire(f->sw, 5 * SECOND - 1);
	assert_non_null(numbered(f, 1));
	tn_switch_expire(f->sw, 5 * SECOND);
	assert_null(numbered(f, 1));
}

/* Times near the end of the clock saturate instead of wrapping round. */
static void test_end_of_time(void **state)
{
	struct fixture *f = *state;

	f->now = UINT64_MAX - SECOND;
	assert_done(add_timed(f, 1, 65535, 65535));
	tn_switch_expire(f->sw, f->now);
	assert_non_null(numbered(f, 1));
}

static void test_expiry_is_one_version(void **state)
{
	struct fixture *f = *state;
	uint64_t version;

	for (uint32_t i = 1; i <= 20; i++)
		assert_done(add_timed(f, i, 0, 1));
	version = tn_switch_snapshot(f->sw)->version;
	tn_switch_expire(f->sw, SECOND);
	assert_int_equal(tn_switch_snapshot(f->sw)->version, version);
	tn_switch_expire(f->sw, 2 * SECOND);
	assert_int_equal(tn_switch_snapshot(f->sw)->version, version + 1);
}

/* A hundred flows that are used all the time: none is asked about more often than once a timeout.
 */
static void test_cost(void **state)
{
	struct fixture *f = *state;
	uint64_t due = 0, calls = 0;
	struct tn_flow *flows[100];

	for (uint32_t i = 0; i < 100; i++) {
		assert_done(add_timed(f, i, 10, 0));
		flows[i] = numbered(f, i);
	}
	for (uint64_t now = f->now; now < f->now + 100 * SECOND; now += SECOND / 4) {
		for (uint32_t i = 0; i < 100; i++)
			packet(flows[i], now);
		if (tn_switch_next_expiry(f->sw) > now)
			continue;
		calls++;
		due = tn_switch_next_expiry(f->sw);
		tn_switch_expire(f->sw, now);
		assert_true(tn_switch_next_expiry(f->sw) >= due + 9 * SECOND);
	}
	assert_true(calls <= 11);
	assert_int_equal(tn_switch_flow_count(f->sw), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hard, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_both, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silent_and_permanent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replace_and_modify, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_modify_with_reset_keeps_idle_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_of_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_expiry_is_one_version, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cost, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
