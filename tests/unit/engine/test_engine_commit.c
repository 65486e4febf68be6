/* SPDX-License-Identifier: BSD-3-Clause */
/* The store and the data plane at the same time: large requests, and receipts before all is kept.
 */
#include "control/engine/engine_private.h"
#include "tests/unit/engine/engine_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#define LARGE 3000u

struct large {
	struct bench_flow *flows;
	struct tn_operation *ops;
};

static struct large large_new(void)
{
	struct large l = {calloc(LARGE, sizeof(*l.flows)), calloc(LARGE, sizeof(*l.ops))};

	assert_true(l.flows && l.ops);
	for (uint16_t i = 0; i < LARGE; i++) {
		bench_flow(&l.flows[i], i, 1);
		l.ops[i] = bench_op(&l.flows[i].fm);
	}
	return l;
}

static void large_free(struct large *l)
{
	free(l->flows);
	free(l->ops);
}

static bool all_came(struct bench *b)
{
	return b->fake.mods_seen == LARGE;
}

static void check_kept(struct bench *b, uint32_t n)
{
	bench_check_same(b);
	bench_restart(b);
	bench_run(b, bench_in_step);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), n);
	assert_int_equal(b->fake.mods_seen, LARGE);
	bench_check_same(b);
}

static void submit_large(struct bench *b, const struct large *l)
{
	b->n_done = 0;
	b->fake.mods_seen = 0;
	tn_engine_submit(b->e,
		&(struct tn_request){
			.operations = l->ops, .n = LARGE, .done = bench_done, .ctx = b});
}

/* Rows are written while the data plane works, and count when it is done. */
static void test_a_large_request(void **state)
{
	struct bench *b = *state;
	struct large l = large_new();

	submit_large(b, &l);
	bench_run(b, bench_is_done);
	assert_int_equal(b->verdict, TN_DONE);
	large_free(&l);
	check_kept(b, LARGE);
}

/* The data plane is another one, which says nothing before all is done. */
static void without_early_receipts(struct bench *b)
{
	fake_leave(&b->fake);
	bench_run(b, bench_away);
	b->fake.late = true;
	fake_listen(&b->fake);
	bench_run(b, bench_in_step);
}

/* The data plane has it and does not answer yet. */
static void hold_large(struct bench *b, const struct large *l, bool (*until)(struct bench *b))
{
	without_early_receipts(b);
	b->fake.fault = FAKE_HOLD;
	submit_large(b, l);
	bench_run(b, until);
	assert_int_equal(b->n_done, 0);
}

static void release_large(struct bench *b, struct large *l)
{
	b->n_done = 0;
	fake_release(&b->fake);
	bench_run(b, bench_is_done);
	large_free(l);
}

/* Others are not kept waiting by it, nor lost with it. */
static void test_a_large_request_and_others(void **state)
{
	struct bench *b = *state;
	struct large l = large_new();
	struct tn_operation op = {
		.kind = TN_OP_HOST_ADD, .host = {.mac = {{2, 0, 0, 0, 0, 1}}, .vlan = -1}};

	hold_large(b, &l, all_came);
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 0);
	release_large(b, &l);
	assert_int_equal(b->verdict, TN_DONE);
	check_kept(b, LARGE);
	assert_int_equal(bench_count(b, TN_KIND_HOST), 1);
}

static bool is_staged(struct bench *b)
{
	return b->e->staged.job != NULL;
}

/* As a file is found after this process was killed. */
static void copy_of(const struct bench *b, const char *suffix, const char *to)
{
	char from[128], path[160], bytes[65536];
	FILE *in, *out;
	size_t n;

	snprintf(from, sizeof(from), "%s%s", b->store, suffix);
	snprintf(path, sizeof(path), "%s%s", to, suffix);
	in = fopen(from, "rb");
	out = fopen(path, "wb");
	assert_true(in && out);
	while ((n = fread(bytes, 1, sizeof(bytes), in)))
		assert_int_equal(fwrite(bytes, 1, n, out), n);
	assert_int_equal(fclose(in) | fclose(out), 0);
}

/* Killed while the data plane has not answered: rows on the disk do not count. */
static void test_staged_and_killed(void **state)
{
	struct bench *b = *state, again = {.loop = b->loop};
	struct large l = large_new();

	assert_int_equal(bench_add(b, LARGE, 1), TN_DONE);
	hold_large(b, &l, is_staged);
	assert_true(b->e->staged.to == b->e->staged.from + LARGE - 1);
	snprintf(again.folder, sizeof(again.folder), "%s", b->folder);
	snprintf(again.store, sizeof(again.store), "%s/killed.db", b->folder);
	copy_of(b, "", again.store);
	copy_of(b, "-wal", again.store);
	again.options = (struct tn_engine_options){.store_path = again.store, .dpid = FAKE_DPID};
	for (unsigned i = 0; i < 2; i++) {
		bench_open(&again);
		assert_int_equal(bench_count(&again, TN_KIND_FLOW), 1);
		assert_int_equal(again.e->staged.to, 0);
		tn_engine_free(again.e);
	}
	bench_unlink(&again);
	release_large(b, &l);
	check_kept(b, LARGE + 1);
}

/* Somebody else has something to store while rows wait to count. */
static void test_staged_and_others(void **state)
{
	struct bench *b = *state;
	struct large l = large_new();
	struct tn_operation op = {
		.kind = TN_OP_HOST_ADD, .host = {.mac = {{2, 0, 0, 0, 0, 1}}, .vlan = -1}};

	hold_large(b, &l, is_staged);
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	assert_true(is_staged(b));
	release_large(b, &l);
	assert_int_equal(b->verdict, TN_DONE);
	assert_false(is_staged(b));
	check_kept(b, LARGE);
	assert_int_equal(bench_count(b, TN_KIND_HOST), 1);
}

static void test_staged_and_refused(void **state)
{
	struct bench *b = *state;
	struct large l = large_new();

	l.flows[LARGE - 1].fm.inst.goto_table = 0; /* the data plane sees it */
	hold_large(b, &l, is_staged);
	release_large(b, &l);
	assert_int_equal(b->verdict, TN_REFUSED);
	assert_false(is_staged(b));
	b->fake.mods_seen = LARGE;
	check_kept(b, 0);
}

static void test_a_large_request_is_refused(void **state)
{
	struct bench *b = *state;
	struct large l = large_new();

	l.flows[LARGE - 1].fm.inst.goto_table = 0; /* the data plane sees it */
	submit_large(b, &l);
	bench_run(b, bench_is_done);
	assert_int_equal(b->verdict, TN_REFUSED);
	assert_int_equal(b->failed, LARGE - 1);
	large_free(&l);
	b->fake.mods_seen = LARGE;
	check_kept(b, 0);
}

/* It hangs up, before or after it did it. */
static void test_a_large_request_and_no_answer(void **state)
{
	struct bench *b = *state;
	struct large l = large_new();

	hold_large(b, &l, all_came);
	fake_leave(&b->fake);
	bench_run(b, bench_is_done);
	assert_int_equal(b->verdict, TN_ACCEPTED);
	large_free(&l);
	b->fake.fault = FAKE_NO_FAULT;
	fake_listen(&b->fake);
	bench_run(b, bench_settled);
	check_kept(b, LARGE);
}

/* In force is not kept: the answer waits for both disks. */
static void test_in_force_and_kept(void **state)
{
	struct bench *b = *state;
	struct bench_flow f;
	struct tn_operation op = bench_op(&f.fm);

	bench_flow(&f, 1, 1);
	b->fake.fault = FAKE_HOLD;
	b->n_done = 0;
	tn_engine_submit(b->e,
		&(struct tn_request){.operations = &op, .n = 1, .done = bench_done, .ctx = b});
	while (bench_count(b, TN_KIND_FLOW) != 1)
		bench_run(b, bench_in_step);
	assert_int_equal(b->n_done, 0);
	fake_release(&b->fake);
	bench_run(b, bench_is_done);
	assert_int_equal(b->verdict, TN_DONE);
	bench_check_same(b);
}

/* It may be lost there, and is stored here. */
static void test_in_force_and_not_kept(void **state)
{
	static const enum fake_fault faults[] = {FAKE_HANG_UP_EARLY, FAKE_NOT_KEPT};
	struct bench *b = *state;

	for (uint16_t i = 0; i < TN_ARRAY_SIZE(faults); i++) {
		b->fake.fault = faults[i];
		assert_int_equal(bench_add(b, i, 1), TN_ACCEPTED);
		bench_run(b, bench_settled);
		bench_check_same(b);
		bench_restart(b);
		bench_run(b, bench_in_step);
		assert_int_equal(bench_count(b, TN_KIND_FLOW), i + 1u);
	}
}

/* Files may have so many bytes. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_return_code(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_return_code(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What the store does not take is taken out of the data plane again. */
static void test_in_force_and_not_stored(void **state)
{
	struct bench *b = *state;

	(void)signal(SIGXFSZ, SIG_IGN);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(bench_add(b, 1, 1), TN_DONE);
		limit_files(1);
		assert_int_equal(bench_add(b, 2, 1), TN_STORE_FAILED);
		assert_int_equal(bench_add(b, 1, 2), TN_STORE_FAILED);
		limit_files(RLIM_INFINITY);
		assert_int_equal(bench_count(b, TN_KIND_FLOW), 1);
		assert_int_equal(bench_look(b, TN_KIND_FLOW, bench_id(1)).out, 1);
		bench_check_same(b);
		if (i == 0)
			without_early_receipts(b);
	}
	bench_restart(b);
	bench_run(b, bench_in_step);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 1);
	bench_check_same(b);
}

static void test_a_data_plane_without_early_receipts(void **state)
{
	struct bench *b = *state;

	without_early_receipts(b);
	assert_int_equal(bench_add(b, 1, 1), TN_DONE);
	bench_check_same(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_large_request),
		TEST(test_a_large_request_and_others),
		TEST(test_staged_and_killed),
		TEST(test_staged_and_others),
		TEST(test_staged_and_refused),
		TEST(test_a_large_request_is_refused),
		TEST(test_a_large_request_and_no_answer),
		TEST(test_in_force_and_kept),
		TEST(test_in_force_and_not_kept),
		TEST(test_in_force_and_not_stored),
		TEST(test_a_data_plane_without_early_receipts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
