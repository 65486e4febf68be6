/* SPDX-License-Identifier: BSD-3-Clause */
/* What a switch accepted, made again in another one: the same flows, whatever went since. */
#include "dataplane/pipeline/switch.h"

#include "tests/unit/pipeline/switch_fixture.h"

#define LOST_MAX 16u

static struct {
	uint64_t id[LOST_MAX];
	size_t n;
} lost;

static void on_lost(void *ctx, uint64_t flow_id)
{
	(void)ctx;
	assert_true(lost.n < LOST_MAX);
	lost.id[lost.n++] = flow_id;
}

static struct tn_flow_mod timed(uint32_t number, uint16_t idle, uint16_t hard)
{
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, 10, 0x0a000000 + number, 32);

	fm.idle_timeout = idle;
	fm.hard_timeout = hard;
	return fm;
}

static struct tn_flow *numbered(struct fixture *f, uint32_t number)
{
	return find_flow(f, 0, 10, 0x0a000000 + number, 32);
}

static void start(struct fixture *f)
{
	memset(&lost, 0, sizeof(lost));
	tn_switch_set_lost_fn(f->sw, on_lost, NULL);
}

static void add(struct fixture *f, uint32_t number, uint16_t idle, uint16_t hard)
{
	struct tn_flow_mod fm = timed(number, idle, hard);

	assert_done(send_flow(f, &fm));
}

/* Timed out and evicted ones are told, though nobody asked for events; deleted ones are not. */
static void test_lost(void **state)
{
	struct fixture *f = *state;
	const struct tn_table_config config = {.max_entries = 2, .eviction = true};
	struct tn_flow_mod fm = flow_mod(TN_FLOW_DELETE, 0, 0, 0, 0);
	uint64_t first;

	start(f);
	add(f, 1, 0, 1);
	add(f, 2, 1, 0);
	first = numbered(f, 1)->flow_id;
	tn_switch_expire(f->sw, 10 * SECOND);
	assert_int_equal(lost.n, 2);
	assert_true(lost.id[0] == first || lost.id[1] == first);
	assert_done(tn_switch_table_configure(f->sw, 0, &config, &f->err));
	add(f, 3, 0, 10);
	add(f, 4, 0, 20);
	first = numbered(f, 3)->flow_id;
	add(f, 5, 0, 30);
	assert_int_equal(lost.n, 3);
	assert_int_equal(lost.id[2], first);
	assert_done(send_flow(f, &fm));
	assert_int_equal(lost.n, 3);
	assert_string_equal(f->events, "");
}

/* Evicted and added again by one bundle: it is there. */
static void test_evicted_and_back(void **state)
{
	struct fixture *f = *state;
	const struct tn_table_config config = {.max_entries = 1, .eviction = true};
	struct tn_flow_mod one = timed(1, 0, 10), two = timed(2, 0, 10);
	const struct tn_mod mods[] = {
		{.kind = TN_MOD_FLOW, .flow = &two}, {.kind = TN_MOD_FLOW, .flow = &one}};

	start(f);
	assert_done(tn_switch_table_configure(f->sw, 0, &config, &f->err));
	add(f, 1, 0, 10);
	assert_done(send_mods(f, mods, 2));
	assert_non_null(numbered(f, 1));
	assert_int_equal(lost.n, 1);
	assert_true(lost.id[0] != numbered(f, 1)->flow_id);
}

/* Limits and overlaps were looked at then; hard timeouts go on, idle ones begin anew. */
static void test_replay(void **state)
{
	struct fixture *f = *state;
	const struct tn_table_config config = {.max_entries = 1};
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, 10, 0x0a000000, 24);
	uint64_t ids[2];

	start(f);
	assert_done(tn_switch_table_configure(f->sw, 0, &config, &f->err));
	tn_switch_replay_begin(f->sw, 100 * SECOND);
	add(f, 1, 0, 200);
	add(f, 2, 50, 0);
	fm.flags = TN_FLOW_CHECK_OVERLAP;
	assert_done(send_flow(f, &fm));
	assert_int_equal(tn_switch_flow_count(f->sw), 3);
	ids[0] = ids[1] = find_flow(f, 0, 10, 0x0a000000, 24)->flow_id;
	assert_done(tn_switch_lose(f->sw, ids, 2, f->now, &f->err));
	assert_done(tn_switch_lose(f->sw, ids, 2, f->now, &f->err));
	assert_int_equal(tn_switch_flow_count(f->sw), 2);
	assert_int_equal(lost.n, 0);
	tn_switch_replay_end(f->sw);
	assert_int_equal(numbered(f, 1)->created_ns, SECOND);
	assert_refused(f, send_flow(f, &fm), OFPFMFC_OVERLAP);
	fm.flags = 0;
	assert_refused(f, send_flow(f, &fm), OFPFMFC_TABLE_FULL);
	tn_switch_expire(f->sw, 150 * SECOND - 1);
	assert_non_null(numbered(f, 2));
	tn_switch_expire(f->sw, 150 * SECOND);
	assert_null(numbered(f, 2));
	tn_switch_expire(f->sw, 201 * SECOND);
	assert_null(numbered(f, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_evicted_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replay, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
