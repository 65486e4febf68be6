/* SPDX-License-Identifier: BSD-3-Clause */
/* What flows do by themselves: when, how often, and what a change makes of it. */
#include "dataplane/pipeline/switch.h"

#include "dataplane/core/reply.h"
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

/* --- what is taken back ----------------------------------------------------------------------- */

enum { PREFIX_A = 1, PREFIX_B = 2, ROUTER = 4, GROUP = 7 };

static uint32_t put_prefix(uint8_t *at, uint8_t net)
{
	const uint8_t prefix[32] = {3, 4, 64, 0xc0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, [16] = 0xfd, [17] = net};

	memcpy(at, prefix, sizeof(prefix));
	return sizeof(prefix);
}

/* A change to what is told of a network; 0: nothing any more. */
struct saying {
	struct tn_flow_mod fm;
	struct tn_action list[3 + TN_REPLY_NOTES_MAX];
};

static void say(struct saying *s, uint32_t network, unsigned says)
{
	struct tn_action *reply = &s->list[1];
	uint8_t body[100] = {64, 0, says & ROUTER ? 0xff : 0};
	uint32_t n = 12;

	s->fm = flow_mod(says ? TN_FLOW_ADD : TN_FLOW_DELETE_STRICT, 3, 10, 0, 0);
	assert_done(tn_match_set(&s->fm.match, TN_FIELD_ETH_TYPE, 0x86dd, 0xffff, NULL));
	assert_done(tn_match_set(&s->fm.match, TN_FIELD_IP_PROTO, 58, 0xff, NULL));
	assert_done(tn_match_set(&s->fm.match, TN_FIELD_ICMPV6_TYPE, 133, 0xff, NULL));
	assert_done(tn_match_set(&s->fm.match, TN_FIELD_TUNNEL_ID, network, UINT64_MAX, NULL));
	for (unsigned prefix = PREFIX_A; prefix <= PREFIX_B; prefix++) {
		if (says & prefix)
			n += put_prefix(body + n, (uint8_t)prefix);
	}
	s->list[0] = (struct tn_action){.type = TN_ACTION_ADVERTISE, .advertise = {200, 600}};
	*reply = (struct tn_action){.type = TN_ACTION_REPLY,
		.reply = {.kind = TN_REPLY_RA,
			.mac = {{2, 0, 0, 0, 0, 1}},
			.ip = (tn_u128)0xfe80 << 112 | 1}};
	reply->n_nested = tn_reply_data_notes(body, n, reply + 1);
	s->list[2 + reply->n_nested] = to_group(GROUP);
	s->fm.inst.apply = s->list;
	s->fm.inst.n_apply = says ? (uint16_t)(3u + reply->n_nested) : 0;
}

static int tell(struct fixture *f, uint32_t network, unsigned says)
{
	struct saying s;

	say(&s, network, says);
	return send_flow(f, &s.fm);
}

/* In one bundle. */
static int tell_twice(struct fixture *f, uint32_t network, unsigned first, unsigned second)
{
	struct saying s[2];
	const struct tn_mod mods[] = {
		{.kind = TN_MOD_FLOW, .flow = &s[0].fm}, {.kind = TN_MOD_FLOW, .flow = &s[1].fm}};

	say(&s[0], network, first);
	say(&s[1], network, second);
	return send_mods(f, mods, 2);
}

/* What the next one says: prefixes and router with a lifetime, and (times 16) with none. */
static unsigned hear(struct fixture *f)
{
	uint64_t due = tn_switch_next_advert(f->sw);
	uint8_t body[TN_REPLY_DATA_MAX];
	struct tn_advert advert;
	unsigned says;
	uint32_t n;

	assert_true(due != UINT64_MAX);
	assert_true(tn_switch_take_advert(f->sw, due, &advert));
	f->now = due;
	assert_int_equal(advert.list[0].type, TN_ACTION_REPLY);
	assert_int_equal(advert.n, 2u + advert.list[0].n_nested);
	assert_int_equal(advert.list[advert.n - 1].group_id, GROUP);
	assert_int_equal(advert.list[0].reply.ip & 0xffff, 1);
	n = tn_reply_data(&advert.list[0], body);
	says = body[2] ? ROUTER : ROUTER << 4;
	for (uint32_t at = 12; at < n; at += body[at + 1] * 8u)
		says |= (unsigned)body[at + 17] << (body[at + 4] ? 0 : 4);
	return says;
}

static void settle(struct fixture *f, unsigned says)
{
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(hear(f), says);
	f->now += 10 * SECOND;
}

/* Three times, the first at once, then as soon as may be, and then no more. */
static void hear_thrice(struct fixture *f, unsigned says)
{
	uint64_t changed = f->now, last;

	assert_int_equal(hear(f), says);
	assert_between(f->now - changed, 0, SECOND / 2);
	for (unsigned i = 1; i < 3; i++) {
		last = f->now;
		assert_int_equal(hear(f), says);
		assert_int_equal(f->now - last, 3 * SECOND);
	}
}

static void assert_silent(struct fixture *f)
{
	struct tn_advert advert;

	assert_false(tn_switch_take_advert(f->sw, f->now + 3600 * SECOND, &advert));
	assert_int_equal(tn_switch_next_advert(f->sw), UINT64_MAX);
}

static int setup_group(void **state)
{
	int rc = setup(state);

	assert_done(add_group_to(*state, GROUP, &output_1));
	return rc;
}

static void test_takes_back(void **state)
{
	struct fixture *f = *state;

	assert_done(tell(f, 1, ROUTER | PREFIX_A | PREFIX_B));
	settle(f, ROUTER | PREFIX_A | PREFIX_B);
	assert_done(tell(f, 1, ROUTER | PREFIX_B));
	hear_thrice(f, ROUTER | PREFIX_B | PREFIX_A << 4);
	settle(f, ROUTER | PREFIX_B);
	/* The router alone is gone: its lifetime is in every advertisement. */
	assert_done(tell(f, 1, PREFIX_B));
	hear_thrice(f, PREFIX_B | ROUTER << 4);
	settle(f, PREFIX_B | ROUTER << 4);
	assert_done(tell(f, 1, ROUTER | PREFIX_B));
	settle(f, ROUTER | PREFIX_B);
	assert_done(tell(f, 1, 0));
	hear_thrice(f, (ROUTER | PREFIX_B) << 4);
	assert_silent(f);
}

/* What was to be taken back goes along with what is now, but for what is told again. */
static void test_takes_back_what_was_taken_back(void **state)
{
	struct fixture *f = *state;

	assert_done(tell(f, 1, ROUTER | PREFIX_A | PREFIX_B));
	settle(f, ROUTER | PREFIX_A | PREFIX_B);
	assert_done(tell(f, 1, ROUTER | PREFIX_B));
	assert_done(tell(f, 1, ROUTER));
	assert_int_equal(hear(f), ROUTER | (PREFIX_A | PREFIX_B) << 4);
	/* No closer than three seconds to the last. */
	assert_done(tell(f, 1, 0));
	assert_int_equal(tn_switch_next_advert(f->sw) - f->now, 3 * SECOND);
	assert_int_equal(hear(f), (ROUTER | PREFIX_A | PREFIX_B) << 4);
	assert_done(tell(f, 1, ROUTER | PREFIX_A));
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(hear(f), ROUTER | PREFIX_A | PREFIX_B << 4);
	settle(f, ROUTER | PREFIX_A);
	/* Long ago: somebody else may have it by now. */
	assert_done(tell(f, 1, 0));
	hear_thrice(f, (ROUTER | PREFIX_A) << 4);
	assert_done(tell(f, 1, PREFIX_B));
	assert_int_equal(hear(f), PREFIX_B | ROUTER << 4);
}

/* In one change that ends where it began, nothing was. */
static void test_between_is_never_told(void **state)
{
	struct fixture *f = *state;
	uint64_t due;

	assert_done(tell(f, 1, ROUTER | PREFIX_A));
	settle(f, ROUTER | PREFIX_A);
	due = tn_switch_next_advert(f->sw);
	assert_done(tell_twice(f, 1, ROUTER | PREFIX_B, ROUTER | PREFIX_A));
	assert_int_equal(tn_switch_next_advert(f->sw), due);
	assert_done(tell_twice(f, 1, 0, ROUTER | PREFIX_A));
	assert_int_equal(tn_switch_next_advert(f->sw), due);
	assert_done(tell_twice(f, 1, ROUTER | PREFIX_B, 0));
	hear_thrice(f, (ROUTER | PREFIX_A) << 4);
	assert_silent(f);
}

/* Changes that never stop do not put off the first. */
static void test_many_changes(void **state)
{
	struct fixture *f = *state;
	unsigned heard = 0;

	assert_done(tell(f, 1, ROUTER | PREFIX_A));
	settle(f, ROUTER | PREFIX_A);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t now = f->now;

		assert_done(tell(f, 1, i & 1 ? ROUTER | PREFIX_A : ROUTER | PREFIX_B));
		while (tn_switch_next_advert(f->sw) < now + SECOND / 10) {
			(void)hear(f);
			heard++;
		}
		f->now = now + SECOND / 10;
	}
	assert_between(heard, 30, 35);
}

/* Whoever it was told to is gone, too. */
static void test_nobody_to_tell(void **state)
{
	struct tn_group_mod gm = group_mod(TN_GROUP_DELETE, GROUP, TN_GROUP_TYPE_ALL, NULL, 0);
	struct fixture *f = *state;

	assert_done(tell(f, 1, ROUTER | PREFIX_A));
	settle(f, ROUTER | PREFIX_A);
	assert_done(send_group(f, &gm));
	assert_silent(f);
}

/* Another run told it, and took it back. */
static void test_replayed_changes(void **state)
{
	struct fixture *f = *state;

	tn_switch_replay_begin(f->sw, f->now);
	assert_done(tell(f, 1, ROUTER | PREFIX_A));
	assert_done(tell(f, 2, ROUTER | PREFIX_A));
	assert_done(tell(f, 1, ROUTER | PREFIX_B));
	assert_done(tell(f, 2, 0));
	tn_switch_replay_end(f->sw);
	settle(f, ROUTER | PREFIX_B);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_schedule, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_intervals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_are_spread, setup, teardown),
		cmocka_unit_test_setup_teardown(test_made_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_takes_back, setup_group, teardown),
		cmocka_unit_test_setup_teardown(
			test_takes_back_what_was_taken_back, setup_group, teardown),
		cmocka_unit_test_setup_teardown(test_between_is_never_told, setup_group, teardown),
		cmocka_unit_test_setup_teardown(test_many_changes, setup_group, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_to_tell, setup_group, teardown),
		cmocka_unit_test_setup_teardown(test_replayed_changes, setup_group, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
