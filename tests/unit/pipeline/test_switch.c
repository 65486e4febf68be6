/* SPDX-License-Identifier: BSD-3-Clause */
/* Flow tables: every flow_mod, its filters, flags and errors; limits, eviction, vacancy. */
#include "dataplane/pipeline/switch.h"

#include "tests/unit/pipeline/switch_fixture.h"

static void test_add_and_read(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 3, 100, 0x0a000000, 8);
	const struct tn_flow *flow;

	fm.cookie = 7;
	fm.owner = 9;
	fm.idle_timeout = 5;
	fm.importance = 4;
	fm.inst.goto_table = 4;
	fm.inst.metadata = 0xff;
	fm.inst.metadata_mask = 0x0f;
	assert_done(send_flow(f, &fm));
	assert_int_equal(tn_switch_flow_count(f->sw), 1);
	flow = find_flow(f, 3, 100, 0x0a000000, 8);
	assert_non_null(flow);
	assert_int_equal(flow->cookie, 7);
	assert_int_equal(flow->metadata, 0x0f);
	assert_int_equal(flow->goto_table, 4);
	assert_int_equal(flow->n_apply, 1);
	assert_int_equal(flow->apply[0].output.port, 1);
	assert_int_equal(flow->flow_id, tn_flow_id(DPID, 3, 100, &fm.match));
	assert_null(find_flow(f, 3, 101, 0x0a000000, 8));
	assert_null(find_flow(f, 3, 100, 0x0a000000, 9));
}

static void test_add_replaces(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, 10, 0x0a000001, 32);
	struct tn_action two = output(2);
	struct tn_flow *flow;
	uint64_t id;

	fm.cookie = 1;
	fm.hard_timeout = 100;
	fm.flags = TN_FLOW_SEND_FLOW_REM;
	assert_done(send_flow(f, &fm));
	flow = find_flow(f, 0, 10, 0x0a000001, 32);
	id = flow->flow_id;
	packet(flow, f->now + 1);

	f->now += SECOND;
	fm.cookie = 2;
	fm.hard_timeout = 0;
	fm.importance = 3;
	fm.flags = TN_FLOW_CHECK_OVERLAP;
	fm.inst.apply = &two;
	assert_done(send_flow(f, &fm));
	flow = find_flow(f, 0, 10, 0x0a000001, 32);
	assert_int_equal(tn_switch_flow_count(f->sw), 1);
	assert_int_equal(flow->flow_id, id);
	assert_int_equal(flow->cookie, 2);
	assert_int_equal(flow->hard_timeout, 0);
	assert_int_equal(flow->importance, 3);
	assert_int_equal(flow->flags, 0);
	assert_int_equal(flow->created_ns, f->now);
	assert_int_equal(flow->apply[0].output.port, 2);
	assert_int_equal(flow->stats->counter.packets, 1);
	assert_events(f, "");
	assert_int_equal(tn_switch_next_expiry(f->sw), UINT64_MAX);

	fm.flags = TN_FLOW_RESET_COUNTS;
	assert_done(send_flow(f, &fm));
	assert_int_equal(find_flow(f, 0, 10, 0x0a000001, 32)->stats->counter.packets, 0);
}

static void test_add_errors(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, TN_TABLE_ALL, 10, 0x0a000000, 8);
	struct tn_action list[2] = {output(1), to_group(5)};

	assert_refused(f, send_flow(f, &fm), OFPFMFC_BAD_TABLE_ID);
	fm.table_id = 0;
	fm.flags = 0x20;
	assert_refused(f, send_flow(f, &fm), OFPFMFC_BAD_FLAGS);
	fm.flags = 0;
	fm.command = (enum tn_flow_command)5;
	assert_refused(f, send_flow(f, &fm), OFPFMFC_BAD_COMMAND);
	fm.command = TN_FLOW_ADD;
	fm.inst.goto_table = 0;
	assert_refused(f, send_flow(f, &fm), OFPBIC_BAD_TABLE_ID);
	fm.inst.goto_table = TN_GOTO_NONE;
	fm.inst.meter_id = 3;
	assert_refused(f, send_flow(f, &fm), OFPBAC_BAD_METER);
	fm.inst.meter_id = 0;
	fm.inst.apply = list;
	fm.inst.n_apply = 2;
	assert_refused(f, send_flow(f, &fm), OFPBAC_BAD_OUT_GROUP);
	assert_int_equal(f->err.index, 1);
	fm.inst.n_apply = 0;
	fm.inst.write = list;
	fm.inst.n_write = 2;
	assert_refused(f, send_flow(f, &fm), OFPBAC_BAD_OUT_GROUP);
	assert_int_equal(f->err.index, 1);
	fm.inst.n_write = 0;
	/* A value outside its mask, and a field without what it needs. */
	fm.match.value.ipv4_src = tn_htobe32(1);
	assert_int_equal(send_flow(f, &fm), -EINVAL);
	fm = flow_mod(TN_FLOW_ADD, 0, 10, 0, 0);
	fm.match.mask.tp_dst = (struct tn_be16){0xffff};
	assert_int_equal(send_flow(f, &fm), -EINVAL);
	assert_int_equal(tn_switch_flow_count(f->sw), 0);
	assert_int_equal(send_mods(f, &(struct tn_mod){.kind = (enum tn_mod_kind)3}, 1), -EINVAL);
	assert_int_equal(f->err.of, TN_OFPBRC_BAD_TYPE);
}

/* A group inside a CLONE is named as well. */
static void test_unknown_group_in_clone(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, 10, 0, 0);
	struct tn_action list[3] = {
		{.type = TN_ACTION_CLONE, .n_nested = 1}, to_group(5), output(1)};

	fm.inst.apply = list;
	fm.inst.n_apply = 3;
	assert_refused(f, send_flow(f, &fm), OFPBAC_BAD_OUT_GROUP);
	assert_int_equal(f->err.index, 1);
	assert_done(add_group_to(f, 5, &output_1));
	assert_done(send_flow(f, &fm));
}

static void test_check_overlap(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 1, 10, 0x0a000000, 8);

	assert_done(send_flow(f, &fm));
	fm = flow_mod(TN_FLOW_ADD, 1, 10, 0x0a010000, 16);
	fm.flags = TN_FLOW_CHECK_OVERLAP;
	assert_refused(f, send_flow(f, &fm), OFPFMFC_OVERLAP);
	/* The same match is a replacement; another priority, table or address is apart. */
	fm = flow_mod(TN_FLOW_ADD, 1, 10, 0x0a000000, 8);
	fm.flags = TN_FLOW_CHECK_OVERLAP;
	assert_done(send_flow(f, &fm));
	fm = flow_mod(TN_FLOW_ADD, 1, 11, 0x0a010000, 16);
	fm.flags = TN_FLOW_CHECK_OVERLAP;
	assert_done(send_flow(f, &fm));
	fm = flow_mod(TN_FLOW_ADD, 2, 10, 0x0a010000, 16);
	fm.flags = TN_FLOW_CHECK_OVERLAP;
	assert_done(send_flow(f, &fm));
	fm = flow_mod(TN_FLOW_ADD, 1, 10, 0x0b000000, 8);
	fm.flags = TN_FLOW_CHECK_OVERLAP;
	assert_done(send_flow(f, &fm));
	/* Without the flag nobody asks. */
	fm = flow_mod(TN_FLOW_ADD, 1, 10, 0x0a010000, 16);
	assert_done(send_flow(f, &fm));
	assert_int_equal(tn_switch_flow_count(f->sw), 5);
}

/* 10/8, 10.1/16, 10.1.1/24 of rising priority, cookies 1 to 3; all but the last in two tables. */
static void add_nest(struct fixture *f)
{
	struct tn_flow_mod fm;

	for (unsigned i = 0; i < 5; i++) {
		unsigned prefix = 8 * (1 + i % 3);

		fm = flow_mod(TN_FLOW_ADD, (uint8_t)(i / 3), (uint16_t)(10 * (1 + i % 3)),
			0x0a010100 & (uint32_t)(0xffffffffu << (32 - prefix)), prefix);
		fm.cookie = 1 + i % 3;
		fm.flags = TN_FLOW_SEND_FLOW_REM;
		assert_done(send_flow(f, &fm));
	}
}

static void test_modify(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_MODIFY, 0, 77, 0x0a010000, 16);
	struct tn_action two = output(2);
	struct tn_flow *flow;

	add_nest(f);
	packet(find_flow(f, 0, 20, 0x0a010000, 16), f->now);
	f->now += SECOND;
	fm.inst.apply = &two;
	assert_done(send_flow(f, &fm));
	assert_int_equal(find_flow(f, 0, 10, 0x0a000000, 8)->apply->output.port, 1);
	flow = find_flow(f, 0, 20, 0x0a010000, 16);
	assert_int_equal(flow->apply->output.port, 2);
	assert_int_equal(flow->stats->counter.packets, 1);
	assert_int_equal(flow->created_ns, f->now - SECOND);
	assert_int_equal(flow->cookie, 2);
	assert_int_equal(flow->flags, TN_FLOW_SEND_FLOW_REM);
	assert_int_equal(find_flow(f, 0, 30, 0x0a010100, 24)->apply->output.port, 2);
	assert_int_equal(find_flow(f, 1, 20, 0x0a010000, 16)->apply->output.port, 1);
	assert_events(f, "");
	/* Nothing there: no error and no flow. */
	fm = flow_mod(TN_FLOW_MODIFY, 0, 10, 0x0b000000, 8);
	assert_done(send_flow(f, &fm));
	assert_int_equal(tn_switch_flow_count(f->sw), 5);
}

static void test_modify_strict(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_MODIFY_STRICT, TN_TABLE_ALL, 20, 0x0a010000, 16);
	struct tn_action two = output(2);

	add_nest(f);
	packet(find_flow(f, 0, 20, 0x0a010000, 16), f->now + 5);
	fm.inst.apply = &two;
	fm.set_cookie = true;
	fm.new_cookie = 99;
	fm.flags = TN_FLOW_RESET_COUNTS;
	assert_done(send_flow(f, &fm));
	assert_int_equal(find_flow(f, 0, 20, 0x0a010000, 16)->cookie, 99);
	assert_int_equal(find_flow(f, 1, 20, 0x0a010000, 16)->cookie, 99);
	assert_int_equal(find_flow(f, 0, 20, 0x0a010000, 16)->stats->counter.packets, 0);
	assert_int_equal(find_flow(f, 0, 20, 0x0a010000, 16)->stats->last_used_ns, f->now + 5);
	assert_int_equal(find_flow(f, 0, 30, 0x0a010100, 24)->cookie, 3);
	/* Another priority is another flow. */
	fm.priority = 21;
	fm.new_cookie = 100;
	assert_done(send_flow(f, &fm));
	assert_int_equal(find_flow(f, 0, 20, 0x0a010000, 16)->cookie, 99);
}

static void test_modify_errors(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_MODIFY, TN_TABLE_ALL, 0, 0, 0);
	struct tn_action group = to_group(5);

	add_nest(f);
	/* Forward for table 0, not for table 1; and half of it is taken back. */
	fm.inst.goto_table = 1;
	assert_refused(f, send_flow(f, &fm), OFPBIC_BAD_TABLE_ID);
	fm.inst.goto_table = 2;
	fm.inst.apply = &group;
	assert_refused(f, send_flow(f, &fm), OFPBAC_BAD_OUT_GROUP);
	fm.inst.apply = &output_1;
	assert_done(send_flow(f, &fm));
}

static void test_delete(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_DELETE, 0, 0, 0x0a010000, 16);

	add_nest(f);
	assert_done(send_flow(f, &fm));
	/* In the order in which flows are shown: high priority first. */
	assert_events(f,
		"removed cookie=3 reason=2 at=1000000000\n"
		"removed cookie=2 reason=2 at=1000000000\n");
	assert_int_equal(tn_switch_flow_count(f->sw), 3);
	assert_done(send_flow(f, &fm));
	assert_events(f, "");
	/* Deleting looks at no instruction. */
	fm = flow_mod(TN_FLOW_DELETE, TN_TABLE_ALL, 0, 0, 0);
	fm.inst.meter_id = 12;
	assert_done(send_flow(f, &fm));
	assert_int_equal(tn_switch_flow_count(f->sw), 0);
	assert_int_equal(f->n_events, 3);
}

static void test_delete_strict(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_DELETE_STRICT, 0, 10, 0x0a000000, 8);

	add_nest(f);
	assert_done(send_flow(f, &fm));
	assert_int_equal(tn_switch_flow_count(f->sw), 4);
	fm.priority = 20;
	assert_done(send_flow(f, &fm));
	assert_int_equal(tn_switch_flow_count(f->sw), 4);
	fm = flow_mod(TN_FLOW_DELETE_STRICT, TN_TABLE_ALL, 20, 0x0a010000, 16);
	assert_done(send_flow(f, &fm));
	assert_int_equal(tn_switch_flow_count(f->sw), 2);
}

static void test_filters(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 5, 1, 0, 0);
	struct tn_action list[3] = {{.type = TN_ACTION_CLONE, .n_nested = 1}, output(8), output(9)};
	struct tn_action group = to_group(4);

	add_nest(f);
	assert_done(add_group_to(f, 4, &output_1));
	fm.cookie = 0x105;
	fm.inst.apply = list;
	fm.inst.n_apply = 3;
	fm.inst.write = &group;
	fm.inst.n_write = 1;
	assert_done(send_flow(f, &fm));

	fm = flow_mod(TN_FLOW_DELETE, TN_TABLE_ALL, 0, 0, 0);
	fm.out_port = 7;
	assert_done(send_flow(f, &fm));
	assert_int_equal(tn_switch_flow_count(f->sw), 6);
	fm.out_port = 8;
	fm.out_group = 1;
	assert_done(send_flow(f, &fm));
	assert_int_equal(tn_switch_flow_count(f->sw), 6);
	fm.out_group = 4;
	fm.cookie = 0x204;
	fm.cookie_mask = 0xff;
	assert_done(send_flow(f, &fm));
	assert_int_equal(tn_switch_flow_count(f->sw), 6);
	fm.cookie = 0x205;
	assert_done(send_flow(f, &fm));
	assert_int_equal(tn_switch_flow_count(f->sw), 5);
	assert_null(find_flow(f, 5, 1, 0, 0));
	/* MODIFY takes the cookie filter and leaves the other two alone. */
	fm = flow_mod(TN_FLOW_MODIFY, 0, 0, 0, 0);
	fm.cookie = 2;
	fm.cookie_mask = UINT64_MAX;
	fm.out_port = 1000;
	fm.inst.n_apply = 0;
	assert_done(send_flow(f, &fm));
	assert_int_equal(find_flow(f, 0, 20, 0x0a010000, 16)->n_apply, 0);
	assert_int_equal(find_flow(f, 0, 30, 0x0a010100, 24)->n_apply, 1);
}

static void test_only_asked_for_removals_are_told(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, 1, 0, 0);

	assert_done(send_flow(f, &fm));
	fm = flow_mod(TN_FLOW_DELETE, 0, 0, 0, 0);
	fm.flags = TN_FLOW_SEND_FLOW_REM;
	assert_done(send_flow(f, &fm));
	assert_int_equal(tn_switch_flow_count(f->sw), 0);
	assert_events(f, "");
}

/* Reading. */

struct seen {
	unsigned n;
	uint64_t order[8];
};

static void see_flow(void *ctx, const struct tn_flow_info *info)
{
	struct seen *seen = ctx;

	assert_true(seen->n < 8);
	seen->order[seen->n++] = info->table_id * 1000u + info->priority;
}

static void test_flows_are_sorted_and_filtered(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod filter = flow_mod(TN_FLOW_DELETE, 0, 0, 0x0a010000, 16);
	struct seen seen = {0};

	add_nest(f);
	assert_int_equal(tn_switch_flows(f->sw, NULL, see_flow, &seen), 0);
	assert_int_equal(seen.n, 5);
	assert_int_equal(seen.order[0], 30);
	assert_int_equal(seen.order[1], 20);
	assert_int_equal(seen.order[2], 10);
	assert_int_equal(seen.order[3], 1020);
	assert_int_equal(seen.order[4], 1010);
	seen.n = 0;
	assert_int_equal(tn_switch_flows(f->sw, &filter, see_flow, &seen), 0);
	assert_int_equal(seen.n, 2);
	seen.n = 0;
	assert_true(tn_switch_flow_by_id(
		f->sw, find_flow(f, 1, 20, 0x0a010000, 16)->flow_id, see_flow, &seen));
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.order[0], 1020);
	assert_false(tn_switch_flow_by_id(f->sw, 1, see_flow, &seen));
}

/* Limits. */

static int configure(struct fixture *f, uint8_t table, uint32_t max, bool eviction)
{
	struct tn_table_config config = {.max_entries = max, .eviction = eviction};

	return tn_switch_table_configure(f->sw, table, &config, &f->err);
}

static int add_numbered(struct fixture *f, uint32_t number, uint16_t importance, uint16_t idle)
{
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, 10, 0x0a000000 + number, 32);

	fm.cookie = number;
	fm.importance = importance;
	fm.idle_timeout = idle;
	fm.flags = TN_FLOW_SEND_FLOW_REM;
	return send_flow(f, &fm);
}

static void test_table_full(void **state)
{
	struct fixture *f = *state;

	assert_done(configure(f, 0, 2, false));
	assert_done(add_numbered(f, 1, 0, 0));
	assert_done(add_numbered(f, 2, 5, 5));
	assert_refused(f, add_numbered(f, 3, 0, 0), OFPFMFC_TABLE_FULL);
	/* A replacement needs no room. */
	assert_done(add_numbered(f, 2, 0, 0));
	assert_done(configure(f, 0, 0, false));
	assert_done(add_numbered(f, 3, 0, 0));
}

static void test_eviction_order(void **state)
{
	struct fixture *f = *state;

	assert_done(add_numbered(f, 1, 0, 0)); /* permanent, no importance: stays */
	assert_done(add_numbered(f, 2, 7, 0));
	assert_done(add_numbered(f, 3, 2, 50));
	assert_done(configure(f, 0, 5, true)); /* what was there before counts too */
	assert_done(add_numbered(f, 4, 2, 9));
	assert_done(add_numbered(f, 5, 0, 90));
	assert_events(f, "");
	assert_done(add_numbered(f, 6, 8, 0));
	assert_events(f, "removed cookie=5 reason=5 at=1000000000\n");
	/* 4 has been used since, so that 3 goes first. */
	packet(find_flow(f, 0, 10, 0x0a000004, 32), f->now + 60 * SECOND);
	assert_done(add_numbered(f, 7, 8, 0));
	assert_events(f, "removed cookie=3 reason=5 at=1000000000\n");
	assert_done(add_numbered(f, 8, 8, 0));
	assert_done(add_numbered(f, 9, 8, 0));
	assert_events(f,
		"removed cookie=4 reason=5 at=1000000000\n"
		"removed cookie=2 reason=5 at=1000000000\n");
	assert_int_equal(tn_switch_flow_count(f->sw), 5);
	assert_non_null(find_flow(f, 0, 10, 0x0a000001, 32));
}

static void test_nothing_to_evict(void **state)
{
	struct fixture *f = *state;

	assert_done(configure(f, 0, 1, true));
	assert_done(add_numbered(f, 1, 0, 0));
	assert_refused(f, add_numbered(f, 2, 9, 9), OFPFMFC_TABLE_FULL);
	/* A lowered limit is reached by evicting more than one. */
	assert_done(configure(f, 0, 4, true));
	for (uint32_t i = 2; i <= 4; i++)
		assert_done(add_numbered(f, i, (uint16_t)i, 0));
	assert_done(configure(f, 0, 2, true));
	assert_done(add_numbered(f, 5, 1, 0));
	assert_int_equal(tn_switch_flow_count(f->sw), 2);
	assert_int_equal(f->n_events, 3);
	/* Off again: nobody is evicted. */
	assert_done(configure(f, 0, 2, false));
	assert_refused(f, add_numbered(f, 6, 9, 9), OFPFMFC_TABLE_FULL);
}

static void test_vacancy(void **state)
{
	struct fixture *f = *state;
	struct tn_table_config config = {.max_entries = 10, .vacancy_down = 20, .vacancy_up = 50};
	struct tn_flow_mod fm = flow_mod(TN_FLOW_DELETE_STRICT, 0, 10, 0, 32);

	assert_done(tn_switch_table_configure(f->sw, 0, &config, &f->err));
	for (uint32_t i = 1; i <= 7; i++)
		assert_done(add_numbered(f, i, 0, 0));
	assert_events(f, "");
	assert_done(add_numbered(f, 8, 0, 0));
	assert_events(f, "table 0 vacancy down\n");
	assert_done(add_numbered(f, 9, 0, 0));
	assert_events(f, "");
	for (uint32_t i = 1; i <= 4; i++) {
		match_ip(&fm.match, 0x0a000000 + i, 32);
		assert_done(send_flow(f, &fm));
	}
	assert_events(f,
		"removed cookie=1 reason=2 at=1000000000\n"
		"removed cookie=2 reason=2 at=1000000000\n"
		"removed cookie=3 reason=2 at=1000000000\n"
		"removed cookie=4 reason=2 at=1000000000\n"
		"table 0 vacancy up\n");
	for (uint32_t i = 1; i <= 3; i++)
		assert_done(add_numbered(f, i, 0, 0));
	assert_events(f, "table 0 vacancy down\n");
}

static void test_table_config_errors(void **state)
{
	static const struct tn_table_config bad[] = {
		{.vacancy_down = 10, .vacancy_up = 101},
		{.vacancy_down = 10, .vacancy_up = 10},
		{.vacancy_down = 10, .vacancy_up = 5},
		{.vacancy_down = 10, .vacancy_up = 0},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < TN_ARRAY_SIZE(bad); i++)
		assert_refused(f, tn_switch_table_configure(f->sw, 0, &bad[i], &f->err),
			OFPTMFC_BAD_CONFIG);
	assert_done(configure(f, TN_TABLE_ALL, 3, false));
	for (uint32_t i = 1; i <= 3; i++)
		assert_done(add_numbered(f, i, 0, 0));
	assert_refused(f, add_numbered(f, 4, 0, 0), OFPFMFC_TABLE_FULL);
}

static void see_table(void *ctx, const struct tn_table_info *t)
{
	struct seen *seen = ctx;

	seen->order[seen->n++] = t->table_id * 1000u + t->active;
	assert_true(t->memory_bytes >= t->active * 100);
	assert_non_null(t->template_name);
}

static void test_tables(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {0};

	tn_switch_tables(f->sw, see_table, &seen);
	assert_int_equal(seen.n, 0);
	add_nest(f);
	assert_done(configure(f, 9, 5, false));
	tn_switch_tables(f->sw, see_table, &seen);
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.order[0], 3);
	assert_int_equal(seen.order[1], 1002);
	assert_int_equal(seen.order[2], 9000);
}

/* A snapshot shows what it showed until the reader lets go of it. */
static void test_old_snapshot_stays_whole(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, 10, 0x0a000001, 32);
	struct tn_action two = output(2);
	const struct tn_snapshot *old;
	const struct tn_cls_rule *rule;
	uint64_t version;

	assert_done(send_flow(f, &fm));
	old = tn_switch_snapshot(f->sw);
	version = old->version;
	fm.inst.apply = &two;
	assert_done(send_flow(f, &fm));
	fm = flow_mod(TN_FLOW_DELETE, TN_TABLE_ALL, 0, 0, 0);
	assert_done(send_flow(f, &fm));
	match_ip(&fm.match, 0x0a000001, 32);
	rule = tn_classifier_lookup(old->tables[0].cls, &fm.match.value, old->version);
	assert_non_null(rule);
	assert_int_equal(((const struct tn_flow *)(const void *)rule)->apply->output.port, 1);
	assert_int_equal(tn_switch_snapshot(f->sw)->version, version + 2);
	assert_null(tn_classifier_lookup(
		tn_switch_snapshot(f->sw)->tables[0].cls, &fm.match.value, version + 2));
}

static void test_mac_addresses(void **state)
{
	struct fixture *f = *state;
	const struct tn_mac mac = {{2, 0, 0, 0, 0, 1}};
	struct tn_learning_stats stats;
	struct tn_place place;

	tn_switch_learn(f->sw, &(struct tn_learnt){.mac = mac, .network = 5, .in_port = 3}, f->now);
	assert_true(tn_fdb_lookup(tn_switch_snapshot(f->sw)->fdb, mac, 5, f->now, &place));
	assert_int_equal(place.port, 3);
	tn_switch_learning_stats(f->sw, &stats);
	assert_int_equal(stats.addresses, 1);
	assert_int_equal(stats.learnt, 1);
	tn_switch_expire(f->sw, f->now + 301 * SECOND);
	assert_int_equal(tn_fdb_count(tn_switch_snapshot(f->sw)->fdb), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_add_and_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_add_replaces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_add_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_group_in_clone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check_overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modify, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modify_strict, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modify_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete_strict, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filters, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_only_asked_for_removals_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_flows_are_sorted_and_filtered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_table_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_eviction_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_to_evict, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vacancy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_table_config_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_snapshot_stays_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mac_addresses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
