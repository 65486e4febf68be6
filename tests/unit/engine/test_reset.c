/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters from zero again, and what keeps it so: restarts here and there, what comes and goes. */
#include "control/engine/engine_private.h"
#include "tests/unit/engine/engine_fixture.h"

#include <signal.h>
#include <sys/resource.h>

struct resets {
	struct bench *b;
	unsigned n;
	int rc;
	char detail[256];
};

static void on_reset(void *ctx, int rc, const struct tn_error *err)
{
	struct resets *r = ctx;

	r->n++;
	r->rc = rc;
	snprintf(r->detail, sizeof(r->detail), "%s", err ? err->detail : "");
	r->b->n_done++;
}

static int reset(struct bench *b)
{
	struct resets r = {.b = b};

	b->n_done = 0;
	tn_engine_reset_counters(b->e, on_reset, &r);
	if (!r.n)
		bench_run(b, bench_is_done);
	assert_int_equal(r.n, 1);
	return r.rc;
}

static void refreshed(void *ctx, int rc)
{
	struct bench *b = ctx;

	assert_int_equal(rc, 0);
	b->n_done++;
}

/* Packets of the flow with this UDP port, when the switch says that each flow had so many. */
static uint64_t packets(struct bench *b, uint16_t udp, uint64_t counted)
{
	b->fake.counted = counted;
	b->n_done = 0;
	tn_refresh_spoil(b->e);
	tn_engine_refresh(b->e, 1u << TN_KIND_FLOW, refreshed, b);
	if (!b->n_done)
		bench_run(b, bench_is_done);
	return bench_look(b, TN_KIND_FLOW, bench_id(udp)).packets;
}

static void restart(struct bench *b)
{
	bench_restart(b);
	bench_run(b, bench_in_step);
}

static void remove_flow(struct bench *b, uint16_t udp)
{
	struct tn_operation op = {
		.kind = TN_OP_REMOVE, .object = {.kind = TN_KIND_FLOW, .id = bench_id(udp)}};

	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
}

static void test_kept_over_a_restart(void **state)
{
	struct bench *b = *state;

	assert_int_equal(bench_add(b, 1, 1), TN_DONE);
	assert_int_equal(packets(b, 1, 10), 10);
	assert_int_equal(reset(b), 0);
	assert_int_equal(bench_look(b, TN_KIND_FLOW, bench_id(1)).packets, 0);
	assert_int_equal(packets(b, 1, 13), 3);
	restart(b);
	assert_int_equal(bench_look(b, TN_KIND_FLOW, bench_id(1)).packets, 3);
	assert_int_equal(packets(b, 1, 14), 4);
	/* The last one counts. */
	assert_int_equal(reset(b), 0);
	restart(b);
	assert_int_equal(packets(b, 1, 15), 1);
}

/* What comes later has counted nothing before. */
static void test_what_went_and_came(void **state)
{
	struct bench *b = *state;

	assert_int_equal(bench_add(b, 1, 1), TN_DONE);
	assert_int_equal(bench_add(b, 2, 1), TN_DONE);
	assert_int_equal(packets(b, 1, 10), 10);
	assert_int_equal(reset(b), 0);
	remove_flow(b, 1);
	restart(b);
	assert_int_equal(bench_add(b, 1, 1), TN_DONE);
	assert_int_equal(packets(b, 1, 12), 12);
	assert_int_equal(packets(b, 2, 12), 2);
	restart(b);
	assert_int_equal(packets(b, 1, 12), 12);
}

static void new_data_plane(struct bench *b)
{
	fake_die(&b->fake);
	bench_run(b, bench_away);
	fake_start(&b->fake);
	bench_run(b, bench_in_step);
}

/* However much it has counted by then. */
static void test_another_data_plane(void **state)
{
	struct bench *b = *state;

	assert_int_equal(bench_add(b, 1, 1), TN_DONE);
	assert_int_equal(packets(b, 1, 10), 10);
	assert_int_equal(reset(b), 0);
	b->fake.counted = 12;
	new_data_plane(b);
	assert_int_equal(bench_look(b, TN_KIND_FLOW, bench_id(1)).packets, 0); /* was not read */
	assert_int_equal(packets(b, 1, 12), 12);
	restart(b);
	assert_int_equal(packets(b, 1, 12), 12);
	/* And while this process was away. */
	assert_int_equal(reset(b), 0);
	tn_engine_free(b->e);
	fake_die(&b->fake);
	fake_start(&b->fake);
	bench_open(b);
	bench_run(b, bench_in_step);
	assert_int_equal(packets(b, 1, 14), 14);
	restart(b);
	assert_int_equal(packets(b, 1, 14), 14);
}

static bool anew_is_stored(struct bench *b)
{
	return !b->e->baseline.anew;
}

/* A counter of the same switch that went back: what it says is shown, then and after a restart. */
static void test_what_began_anew(void **state)
{
	struct bench *b = *state;

	assert_int_equal(bench_add(b, 1, 1), TN_DONE);
	assert_int_equal(packets(b, 1, 10), 10);
	assert_int_equal(reset(b), 0);
	assert_int_equal(packets(b, 1, 4), 4);
	assert_int_equal(packets(b, 1, 14), 14);
	bench_run(b, anew_is_stored);
	restart(b);
	assert_int_equal(packets(b, 1, 14), 14);
}

/* Files may have so many bytes. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_return_code(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_return_code(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_not_stored(void **state)
{
	struct bench *b = *state;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(bench_add(b, 1, 1), TN_DONE);
	assert_int_equal(packets(b, 1, 10), 10);
	assert_int_equal(reset(b), 0);
	assert_int_equal(packets(b, 1, 15), 5);
	limit_files(1);
	assert_int_not_equal(reset(b), 0);
	limit_files(RLIM_INFINITY);
	assert_int_equal(packets(b, 1, 15), 5);
	restart(b);
	assert_int_equal(packets(b, 1, 15), 5);
}

static void test_away(void **state)
{
	struct bench *b = *state;

	assert_int_equal(bench_add(b, 1, 1), TN_DONE);
	assert_int_equal(packets(b, 1, 10), 10);
	fake_leave(&b->fake);
	bench_run(b, bench_away);
	assert_int_equal(reset(b), -ENOTCONN);
	fake_listen(&b->fake);
	bench_run(b, bench_in_step);
	assert_int_equal(packets(b, 1, 10), 10);
}

/* It is lost on the way: nobody waits for ever, and the one before still counts. */
static void test_lost_on_the_way(void **state)
{
	struct bench *b = *state;
	struct resets r = {.b = b}, forgotten = {.b = b};

	assert_int_equal(bench_add(b, 1, 1), TN_DONE);
	assert_int_equal(packets(b, 1, 10), 10);
	assert_int_equal(reset(b), 0);
	b->fake.counted = 11;
	tn_engine_reset_counters(b->e, on_reset, &r);
	tn_engine_reset_counters(b->e, on_reset, &forgotten);
	tn_engine_forget(b->e, &forgotten);
	fake_leave(&b->fake);
	bench_run(b, bench_away);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.rc, -ENOTCONN);
	assert_int_equal(forgotten.n, 0);
	fake_listen(&b->fake);
	bench_run(b, bench_in_step);
	assert_int_equal(packets(b, 1, 12), 2);
	restart(b);
	assert_int_equal(packets(b, 1, 12), 2);
}

static bool both_are_done(struct bench *b)
{
	return b->n_done == 2;
}

/* Each of them is told when what it wanted is kept. */
static void test_two_at_a_time(void **state)
{
	struct bench *b = *state;
	struct resets r = {.b = b};

	assert_int_equal(bench_add(b, 1, 1), TN_DONE);
	b->fake.counted = 10;
	b->n_done = 0;
	tn_engine_reset_counters(b->e, on_reset, &r);
	tn_engine_reset_counters(b->e, on_reset, &r);
	bench_run(b, both_are_done);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.rc, 0);
	assert_int_equal(packets(b, 1, 10), 0);
	restart(b);
	assert_int_equal(packets(b, 1, 11), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kept_over_a_restart),
		TEST(test_what_went_and_came),
		TEST(test_another_data_plane),
		TEST(test_what_began_anew),
		TEST(test_not_stored),
		TEST(test_away),
		TEST(test_lost_on_the_way),
		TEST(test_two_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
