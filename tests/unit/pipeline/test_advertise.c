/* SPDX-License-Identifier: BSD-3-Clause */
/* What flows do by themselves: when, how often, and what a change makes of it. */
#include "dataplane/pipeline/switch.h"

#include "tests/unit/pipeline/switch_fixture.h"

#define MINUTE (60 * SECOND)

static int add(struct fixture *f, uint32_t number, uint16_t least, uint16_t most, uint32_t port)
{
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 3, 10, 0x0a000000 + number, 32);
	const struct tn_action list[] = {
		{.type = TN_ACTION_ADVERTISE, .advertise = {least, most}},
		{.type = TN_ACTION_OUTPUT, .output.port = port},
	};

	fm.inst.apply = list;
	fm.inst.n_apply = 2;
	return send_flow(f, &fm);
}

static int del(struct fixture *f, uint32_t number)
{
	struct tn_flow_mod fm = flow_mod(TN_FLOW_DELETE_STRICT, 3, 10, 0x0a000000 + number, 32);

	return send_flow(f, &fm);
}

/* The clock goes to the next one; its actions are those after ADVERTISE. */
static uint64_t take(struct fixture *f, uint32_t port)
{
	uint64_t due = tn_switch_next_advert(f->sw);
	struct tn_advert advert;

	assert_true(due != UINT64_MAX);
	assert_false(tn_switch_take_advert(f->sw, due - 1, &advert));
	assert_true(tn_switch_take_advert(f->sw, due, &advert));
	assert_int_equal(advert.due_ns, due);
	assert_int_equal(advert.n, 1);
	assert_int_equal(advert.list->type, TN_ACTION_OUTPUT);
	assert_int_equal(advert.list->output.port, port);
	assert_false(tn_switch_take_advert(f->sw, due, &advert));
	f->now = due;
	return due;
}

static void assert_between(uint64_t value, uint64_t least, uint64_t most)
{
	assert_true(value >= least);
	assert_true(value < most);
}

/* RFC 4861, 6.2.4: three within 16 s of each other, then at random between least and most. */
static void test_schedule(void **state)
{
	struct fixture *f = *state;
	uint64_t last, now, shortest = UINT64_MAX, longest = 0;

	assert_int_equal(tn_switch_next_advert(f->sw), UINT64_MAX);
	now = f->now;
	assert_done(add(f, 1, 200, 600, 2));
	last = take(f, 2);
	assert_between(last - now, 0, 16 * SECOND);
	for (unsigned i = 1; i < 3; i++) {
		now = take(f, 2);
		assert_int_equal(now - last, 16 * SECOND);
		last = now;
	}
	for (unsigned i = 0; i < 200; i++) {
		now = take(f, 2);
		assert_between(now - last, 200 * SECOND, 600 * SECOND);
		shortest = now - last < shortest ? now - last : shortest;
		longest = now - last > longest ? now - last : longest;
		last = now;
	}
	assert_true(shortest < 220 * SECOND && longest > 580 * SECOND);
	assert_done(del(f, 1));
	assert_int_equal(tn_switch_next_advert(f->sw), UINT64_MAX);
}

static void test_short_intervals(void **state)
{
	struct fixture *f = *state;
	uint64_t last = f->now, now;

	assert_done(add(f, 1, 3, 4, 2));
	now = take(f, 2);
	assert_between(now - last, 0, 4 * SECOND);
	for (last = now; now < 10 * MINUTE; last = now) {
		now = take(f, 2);
		assert_between(now - last, 3 * SECOND, 4 * SECOND);
	}
}

/* The same flow again goes on; what says something else is said soon. */
static void test_changes(void **state)
{
	struct fixture *f = *state;
	uint64_t due;

	assert_done(add(f, 1, 200, 600, 2));
	for (unsigned i = 0; i < 4; i++)
		(void)take(f, 2);
	due = tn_switch_next_advert(f->sw);
	assert_true(due - f->now >= 200 * SECOND);
	assert_done(add(f, 1, 200, 600, 2));
	assert_int_equal(tn_switch_next_advert(f->sw), due);
	assert_done(add(f, 1, 200, 600, 3));
	assert_between(tn_switch_next_advert(f->sw) - f->now, 0, 16 * SECOND);
	(void)take(f, 3);
	/* One that came and went in between leaves nothing. */
	assert_done(add(f, 2, 200, 600, 3));
	assert_done(del(f, 2));
	assert_done(del(f, 1));
	assert_int_equal(tn_switch_next_advert(f->sw), UINT64_MAX);
	assert_done(del(f, 1));
}

/* A thousand that come at once: spread over 16 s, and over their intervals later. */
static void test_many_are_spread(void **state)
{
	enum { MANY = 1000, SECONDS = 600 };
	struct fixture *f = *state;
	uint32_t first[16] = {0}, later[SECONDS] = {0};
	uint64_t began = f->now, due;
	struct tn_advert advert;

	for (uint32_t i = 0; i < MANY; i++)
		assert_done(add(f, i, 200, 600, 2));
	while ((due = tn_switch_next_advert(f->sw)) < began + 16 * SECOND) {
		assert_true(tn_switch_take_advert(f->sw, due, &advert));
		first[(due - began) / SECOND]++;
	}
	for (unsigned i = 0; i < 16; i++)
		assert_between(first[i], 30, 100); /* 63 */
	while ((due = tn_switch_next_advert(f->sw)) < began + 3600 * SECOND)
		assert_true(tn_switch_take_advert(f->sw, due, &advert));
	while ((due = tn_switch_next_advert(f->sw)) < began + (3600 + SECONDS) * SECOND) {
		assert_true(tn_switch_take_advert(f->sw, due, &advert));
		later[(due - began) / SECOND - 3600]++;
	}
	for (unsigned i = 0; i < SECONDS; i++)
		assert_true(later[i] < 16); /* 2.5 */
}

/* A journal's times are of another run: what it makes again speaks soon, not all at once. */
static void test_made_again(void **state)
{
	struct fixture *f = *state;
	uint64_t now = 1000 * SECOND;

	tn_switch_seed_adverts(f->sw, 7);
	tn_switch_replay_begin(f->sw, now);
	assert_done(add(f, 1, 200, 600, 2));
	assert_done(add(f, 2, 200, 600, 2));
	tn_switch_replay_end(f->sw);
	assert_between(tn_switch_next_advert(f->sw), now, now + 16 * SECOND);
	assert_true(take(f, 2) != take(f, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_schedule, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_intervals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_are_spread, setup, teardown),
		cmocka_unit_test_setup_teardown(test_made_again, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
