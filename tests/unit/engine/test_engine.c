/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/engine/engine_fixture.h"

static const struct tn_scope all; /* everybody's */

static void test_flow_is_installed_stored_and_read(void **state)
{
	struct bench *b = *state;
	uint64_t generation = tn_engine_generation(b->e, TN_KIND_FLOW);
	struct bench_seen seen;

	assert_int_equal(bench_add(b, 53, 2), TN_DONE);
	assert_int_equal(b->results[0].id, bench_id(53));
	assert_true(b->results[0].created);
	seen = bench_look(b, TN_KIND_FLOW, bench_id(53));
	assert_int_equal(seen.state, TN_STATE_ADDED);
	assert_int_equal(seen.generation, generation + 1);
	assert_int_equal(b->results[0].generation, generation + 1);
	bench_check_same(b);
	/* Once more: nothing to do. */
	assert_int_equal(bench_add(b, 53, 2), TN_DONE);
	assert_false(b->results[0].created || b->results[0].changed);
	assert_int_equal(b->fake.bundles, 1);
	bench_restart(b);
	assert_int_equal(bench_look(b, TN_KIND_FLOW, bench_id(53)).generation, generation + 1);
	bench_run(b, bench_in_step);
	bench_check_same(b);
	assert_int_equal(b->fake.bundles, 1);
}

static void test_refusal_says_where(void **state)
{
	struct bench *b = *state;
	struct tn_action group = {.type = TN_ACTION_OUTPUT, .output.port = TN_PORT_ANY};
	struct bench_flow f[2];
	struct tn_operation ops[2];

	bench_flow(&f[0], 53, 2);
	bench_flow(&f[1], 54, 2);
	f[1].fm.inst.apply = &group;
	ops[0] = bench_op(&f[0].fm);
	ops[1] = bench_op(&f[1].fm);
	ops[1].pointer = "/flows/1";
	assert_int_equal(bench_request(b, ops, 2, NULL), TN_REFUSED);
	assert_int_equal(b->failed, 1);
	assert_string_equal(b->pointer, "/flows/1");
	assert_int_equal(b->of, TN_OFPBAC_BAD_OUT_PORT);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 0);
	bench_check_same(b);
}

static void test_away_is_accepted_and_applied_later(void **state)
{
	struct bench *b = *state;
	struct bench_flow f;
	struct tn_operation op;

	assert_int_equal(bench_add(b, 53, 2), TN_DONE);
	fake_leave(&b->fake);
	bench_run(b, bench_away);
	assert_int_equal(bench_add(b, 54, 3), TN_ACCEPTED);
	assert_int_equal(bench_look(b, TN_KIND_FLOW, bench_id(54)).state, TN_STATE_PENDING_ADD);
	op = (struct tn_operation){.kind = TN_OP_REMOVE, .object = {TN_KIND_FLOW, bench_id(53)}};
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_ACCEPTED);
	/* What cannot be right is refused at once. */
	bench_flow(&f, 55, 1);
	f.fm.inst.goto_table = 0;
	op = bench_op(&f.fm);
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_REFUSED);
	assert_int_equal(b->of, TN_OFPBIC_BAD_TABLE_ID);
	bench_restart(b);
	assert_int_equal(bench_look(b, TN_KIND_FLOW, bench_id(54)).state, TN_STATE_PENDING_ADD);
	fake_listen(&b->fake);
	bench_run(b, bench_settled);
	bench_check_same(b);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 1);
}

static void test_away_is_refused_by_policy(void **state)
{
	struct bench *b = *state;

	b->options.refuse_when_away = true;
	bench_restart(b);
	bench_run(b, bench_in_step);
	fake_leave(&b->fake);
	bench_run(b, bench_away);
	assert_int_equal(bench_add(b, 54, 3), TN_UNAVAILABLE);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 0);
	assert_int_not_equal(b->detail[0], 0);
}

static void test_new_data_plane_gets_everything(void **state)
{
	struct bench *b = *state;

	for (uint16_t i = 0; i < 20; i++)
		assert_int_equal(bench_add(b, i, 1), TN_DONE);
	fake_die(&b->fake);
	bench_run(b, bench_away);
	fake_start(&b->fake);
	bench_run(b, bench_in_step);
	bench_check_same(b);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 20);
}

static void test_only_the_difference_is_sent(void **state)
{
	struct bench *b = *state;
	struct tn_error err;
	struct bench_flow f;
	struct tn_mod mod = {TN_MOD_FLOW, {.flow = &f.fm}};
	size_t failed, seen;

	for (uint16_t i = 0; i < 20; i++)
		assert_int_equal(bench_add(b, i, 1), TN_DONE);
	fake_leave(&b->fake);
	bench_run(b, bench_away);
	/* One too many, one too few, one of another kind. */
	bench_flow(&f, 100, 1);
	assert_return_code(tn_switch_commit(b->fake.sw, &mod, 1, 1, &failed, &err), 0);
	bench_flow(&f, 3, 1);
	f.fm.command = TN_FLOW_DELETE_STRICT;
	assert_return_code(tn_switch_commit(b->fake.sw, &mod, 1, 1, &failed, &err), 0);
	bench_flow(&f, 4, 9);
	assert_return_code(tn_switch_commit(b->fake.sw, &mod, 1, 1, &failed, &err), 0);
	seen = b->fake.mods_seen;
	fake_listen(&b->fake);
	bench_run(b, bench_in_step);
	bench_check_same(b);
	assert_int_equal(b->fake.mods_seen - seen, 3);
}

static void test_first_meeting_takes_over(void **state)
{
	struct bench *b = *state;
	struct tn_error err;
	struct bench_flow f;
	struct tn_mod mod = {TN_MOD_FLOW, {.flow = &f.fm}};
	size_t failed;

	bench_flow(&f, 100, 1);
	assert_return_code(tn_switch_commit(b->fake.sw, &mod, 1, 1, &failed, &err), 0);
	tn_engine_free(b->e);
	bench_unlink(b);
	bench_open(b);
	bench_run(b, bench_in_step);
	bench_check_same(b);
	bench_restart(b);
	bench_run(b, bench_in_step);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 1);
	assert_int_equal(b->fake.mods_seen, 0);
}

static bool one_flow(struct bench *b)
{
	return bench_count(b, TN_KIND_FLOW) == 1;
}

static void test_flows_run_out(void **state)
{
	struct bench *b = *state;
	struct bench_flow f;
	struct tn_operation op = bench_op(&f.fm);

	bench_flow(&f, 1, 1);
	f.fm.hard_timeout = 10;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	bench_flow(&f, 2, 1);
	f.fm.idle_timeout = 20;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	assert_int_equal(bench_add(b, 3, 1), TN_DONE);
	/* While we look. */
	fake_pass(&b->fake, 11000000000u);
	b->until = NULL;
	while (bench_count(b, TN_KIND_FLOW) > 2)
		bench_run(b, bench_settled);
	/* While nobody looks. */
	tn_engine_free(b->e);
	fake_pass(&b->fake, 11000000000u);
	bench_open(b);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 2);
	bench_run(b, one_flow);
	bench_run(b, bench_in_step);
	bench_check_same(b);
	assert_int_equal(b->fake.mods_seen, 3);
	bench_restart(b);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 1);
}

static void test_timeouts_begin_anew_with_a_new_data_plane(void **state)
{
	struct bench *b = *state;
	struct bench_flow f;
	struct tn_operation op = bench_op(&f.fm);

	bench_flow(&f, 1, 1);
	f.fm.idle_timeout = 20;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	fake_die(&b->fake);
	bench_run(b, bench_away);
	fake_start(&b->fake);
	bench_run(b, bench_in_step);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 1);
	bench_check_same(b);
}

static void test_group_takes_its_flows_along(void **state)
{
	struct bench *b = *state;
	struct tn_action out = {.type = TN_ACTION_OUTPUT, .output.port = 4};
	struct tn_bucket bucket = {.watch_port = TN_PORT_ANY,
		.watch_group = TN_GROUP_ANY,
		.actions = &out,
		.n_actions = 1};
	struct tn_group_mod gm = {
		.command = TN_GROUP_ADD, .group_id = 7, .buckets = &bucket, .n_buckets = 1};
	struct bench_flow f;
	struct tn_operation ops[2] = {bench_op(&f.fm), bench_group_op(&gm, "/groups/0")};

	bench_flow(&f, 1, 1);
	f.actions[0] = (struct tn_action){.type = TN_ACTION_GROUP, .group_id = 7};
	/* Flow before group: the order is ours. */
	assert_int_equal(bench_request(b, ops, 1, NULL), TN_REFUSED);
	assert_int_equal(b->of, TN_OFPBAC_BAD_OUT_GROUP);
	assert_int_equal(bench_request(b, ops, 2, NULL), TN_DONE);
	assert_int_equal(bench_add(b, 2, 1), TN_DONE);
	bench_check_same(b);
	gm.command = TN_GROUP_DELETE;
	assert_int_equal(bench_request(b, &ops[1], 1, NULL), TN_DONE);
	assert_int_equal(b->results[0].n_objects, 2);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 1);
	assert_int_equal(bench_count(b, TN_KIND_GROUP), 0);
	bench_check_same(b);
	bench_restart(b);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 1);
	bench_run(b, bench_in_step);
	bench_check_same(b);
}

static void test_replace_touches_the_difference(void **state)
{
	struct bench *b = *state;
	uint32_t mine = tn_names_intern(tn_engine_names(b->e), "mine");
	struct bench_flow f[6];
	struct tn_operation ops[7];
	struct tn_request how = {.owner = mine};
	size_t seen;

	for (uint16_t i = 0; i < 5; i++) {
		bench_flow(&f[i], i, 1);
		ops[i] = bench_op(&f[i].fm);
	}
	assert_int_equal(bench_request(b, ops, 5, &how), TN_DONE);
	assert_int_equal(bench_add(b, 100, 1), TN_DONE);
	/* 0 goes, 1 changes, 2 to 4 stay, 5 is new. */
	ops[0] = (struct tn_operation){
		.kind = TN_OP_REPLACE, .replace = {.kind = TN_KIND_FLOW, .owner = mine}};
	for (uint16_t i = 1; i < 6; i++) {
		bench_flow(&f[i], i, i == 1 ? 9 : 1);
		ops[i] = bench_op(&f[i].fm);
	}
	seen = b->fake.mods_seen;
	assert_int_equal(bench_request(b, ops, 6, &how), TN_DONE);
	assert_int_equal(b->fake.mods_seen - seen, 3);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 6);
	assert_int_equal(bench_look(b, TN_KIND_FLOW, bench_id(1)).out, 9);
	assert_false(bench_look(b, TN_KIND_FLOW, bench_id(0)).found);
	assert_true(bench_look(b, TN_KIND_FLOW, bench_id(100)).found);
	bench_check_same(b);
}

struct differences {
	unsigned added, changed, removed;
};

static void count_difference(
	void *ctx, const struct tn_object *before, const struct tn_object *after)
{
	struct differences *d = ctx;

	d->added += !before;
	d->removed += !after;
	d->changed += before && after;
}

static void test_dry_run_changes_nothing(void **state)
{
	struct bench *b = *state;
	struct bench_flow f[3];
	struct tn_operation ops[3];
	struct differences d = {0};
	struct tn_request r = {.operations = ops,
		.n = 3,
		.dry_run = true,
		.difference = count_difference,
		.done = bench_done,
		.ctx = &d};
	struct tn_request how = r;

	assert_int_equal(bench_add(b, 1, 1), TN_DONE);
	assert_int_equal(bench_add(b, 2, 1), TN_DONE);
	bench_flow(&f[0], 1, 5);
	bench_flow(&f[1], 2, 1);
	f[1].fm.command = TN_FLOW_DELETE_STRICT;
	bench_flow(&f[2], 3, 1);
	for (unsigned i = 0; i < 3; i++)
		ops[i] = bench_op(&f[i].fm);
	/* done and difference have one context: told apart by who calls. */
	how.done = NULL;
	tn_engine_submit(b->e, &how);
	assert_int_equal(d.added, 1);
	assert_int_equal(d.changed, 1);
	assert_int_equal(d.removed, 1);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 2);
	bench_check_same(b);
}

static void test_unconfirmed_is_undone(void **state)
{
	struct bench *b = *state;
	struct bench_flow f[2];
	struct tn_operation ops[2];
	const struct tn_request how = {.confirm_within_s = 3600};
	uint64_t transaction;

	assert_int_equal(bench_add(b, 1, 1), TN_DONE);
	bench_flow(&f[0], 1, 5);
	bench_flow(&f[1], 2, 1);
	ops[0] = bench_op(&f[0].fm);
	ops[1] = bench_op(&f[1].fm);
	assert_int_equal(bench_request(b, ops, 2, &how), TN_DONE);
	transaction = b->transaction;
	assert_int_not_equal(transaction, 0);
	assert_int_equal(tn_engine_confirm(b->e, transaction + 1, all, bench_done, b), -ENOENT);
	/* It is known after a restart, too. */
	bench_restart(b);
	bench_run(b, bench_in_step);
	b->n_done = 0;
	assert_int_equal(tn_engine_cancel(b->e, transaction, all, bench_done, b), 0);
	bench_run(b, bench_is_done);
	assert_int_equal(b->verdict, TN_DONE);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 1);
	assert_int_equal(bench_look(b, TN_KIND_FLOW, bench_id(1)).out, 1);
	bench_check_same(b);
	assert_int_equal(tn_engine_cancel(b->e, transaction, all, bench_done, b), -ENOENT);
	bench_restart(b);
	bench_run(b, bench_in_step);
	assert_int_equal(tn_engine_cancel(b->e, transaction, all, bench_done, b), -ENOENT);
	bench_check_same(b);
}

static void test_confirmed_stays(void **state)
{
	struct bench *b = *state;
	struct bench_flow f;
	struct tn_operation op = bench_op(&f.fm);
	const struct tn_request how = {.confirm_within_s = 1};

	bench_flow(&f, 1, 5);
	assert_int_equal(bench_request(b, &op, 1, &how), TN_DONE);
	b->n_done = 0;
	assert_int_equal(tn_engine_confirm(b->e, b->transaction, all, bench_done, b), 0);
	bench_run(b, bench_is_done);
	assert_int_equal(b->verdict, TN_DONE);
	bench_restart(b);
	bench_run(b, bench_in_step);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 1);
	assert_int_equal(tn_engine_cancel(b->e, b->transaction, all, bench_done, b), -ENOENT);
}

static bool no_flow(struct bench *b)
{
	return bench_count(b, TN_KIND_FLOW) == 0;
}

static void test_unconfirmed_runs_out(void **state)
{
	struct bench *b = *state;
	struct bench_flow f;
	struct tn_operation op = bench_op(&f.fm);
	const struct tn_request how = {.confirm_within_s = 1};

	bench_flow(&f, 1, 5);
	assert_int_equal(bench_request(b, &op, 1, &how), TN_DONE);
	bench_run(b, no_flow);
	bench_check_same(b);
}

static void test_tenants_see_their_own(void **state)
{
	struct bench *b = *state;
	struct tn_names *names = tn_engine_names(b->e);
	uint32_t red = tn_names_intern(names, "red"), blue = tn_names_intern(names, "blue");
	const struct tn_request as_red = {.scope = {red}, .tenant = red};
	const struct tn_request as_blue = {.scope = {blue}, .tenant = blue};
	struct bench_flow f, any;
	struct tn_operation op = bench_op(&f.fm), delete_all = bench_op(&any.fm);
	struct tn_operation remove = {.kind = TN_OP_REMOVE, .object = {TN_KIND_FLOW, bench_id(1)}};
	struct bench_seen seen = {0};

	bench_flow(&f, 1, 1);
	assert_int_equal(bench_request(b, &op, 1, &as_red), TN_DONE);
	bench_flow(&f, 2, 1);
	assert_int_equal(bench_request(b, &op, 1, &as_blue), TN_DONE);
	/* Nothing to see, nothing to remove. */
	assert_false(tn_engine_get(
		b->e, TN_KIND_FLOW, bench_id(1), (struct tn_scope){blue}, bench_see, &seen));
	assert_int_equal(bench_request(b, &remove, 1, &as_blue), TN_DONE);
	remove.must_exist = true;
	assert_int_equal(bench_request(b, &remove, 1, &as_blue), TN_NOT_FOUND);
	/* Nothing to take over. */
	bench_flow(&f, 1, 9);
	assert_int_equal(bench_request(b, &op, 1, &as_blue), TN_FORBIDDEN);
	/* All that there is, is one's own. */
	tn_flow_mod_init(&any.fm);
	any.fm.command = TN_FLOW_DELETE;
	any.fm.table_id = TN_TABLE_ALL;
	assert_int_equal(bench_request(b, &delete_all, 1, &as_blue), TN_DONE);
	assert_int_equal(b->results[0].n_objects, 1);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 1);
	assert_int_equal(tn_engine_count(b->e, TN_KIND_FLOW, (struct tn_scope){red}), 1);
	bench_check_same(b);
	bench_restart(b);
	assert_int_equal(tn_engine_count(b->e, TN_KIND_FLOW, (struct tn_scope){red}), 1);
	assert_string_equal(tn_names_string(tn_engine_names(b->e), red), "red");
}

static void test_tenants_chain_their_own_groups(void **state)
{
	struct bench *b = *state;
	struct tn_names *names = tn_engine_names(b->e);
	uint32_t red = tn_names_intern(names, "red"), blue = tn_names_intern(names, "blue");
	const struct tn_request as_red = {.scope = {red}, .tenant = red};
	const struct tn_request as_blue = {.scope = {blue}, .tenant = blue};
	struct tn_action out = {.type = TN_ACTION_OUTPUT, .output.port = 1};
	struct tn_action to_one = {.type = TN_ACTION_GROUP, .group_id = 1};
	struct tn_bucket end = {.watch_port = TN_PORT_ANY,
		.watch_group = TN_GROUP_ANY,
		.actions = &out,
		.n_actions = 1};
	struct tn_bucket middle = end, watching = end;
	struct tn_group_mod one = {.type = TN_GROUP_TYPE_ALL, .buckets = &end, .n_buckets = 1};
	struct tn_group_mod two = one, three = one;
	struct tn_operation op1 = bench_group_op(&one, "/1"), op2 = bench_group_op(&two, "/2"),
			    op3 = bench_group_op(&three, "/3");

	one.group_id = 1;
	middle.actions = &to_one;
	two.group_id = 2;
	two.buckets = &middle;
	watching.watch_group = 1;
	three.group_id = 3;
	three.type = TN_GROUP_TYPE_FF;
	three.buckets = &watching;
	assert_int_equal(bench_request(b, &op1, 1, &as_red), TN_DONE);
	/* As if it was not there; else it would be known, used, and kept from being removed. */
	assert_int_equal(bench_request(b, &op2, 1, &as_blue), TN_REFUSED);
	assert_int_equal(b->of, TN_OFPBAC_BAD_OUT_GROUP);
	assert_string_equal(b->pointer, "/2");
	assert_int_equal(bench_request(b, &op3, 1, &as_blue), TN_REFUSED);
	assert_int_equal(b->of, TN_OFPGMFC_BAD_WATCH);
	assert_int_equal(bench_request(b, &op2, 1, &as_red), TN_DONE);
	assert_int_equal(bench_request(b, &op3, 1, &as_red), TN_DONE);
	/* The same again is no error; another one is. */
	assert_int_equal(bench_request(b, &op2, 1, &as_red), TN_DONE);
	assert_false(b->results[0].changed);
	two.buckets = &end;
	assert_int_equal(bench_request(b, &op2, 1, &as_red), TN_REFUSED);
	assert_int_equal(b->of, TN_OFPGMFC_GROUP_EXISTS);
}

static void test_tenants_settle_their_own(void **state)
{
	struct bench *b = *state;
	struct tn_names *names = tn_engine_names(b->e);
	uint32_t red = tn_names_intern(names, "red"), blue = tn_names_intern(names, "blue");
	const struct tn_request as_red = {.scope = {red}, .tenant = red, .confirm_within_s = 3600};
	struct bench_flow f;
	struct tn_operation op = bench_op(&f.fm);
	const struct tn_scope of_blue = {blue}, of_red = {red};

	bench_flow(&f, 1, 1);
	assert_int_equal(bench_request(b, &op, 1, &as_red), TN_DONE);
	assert_int_equal(tn_engine_confirm(b->e, b->transaction, of_blue, bench_done, b), -ENOENT);
	assert_int_equal(tn_engine_cancel(b->e, b->transaction, of_blue, bench_done, b), -ENOENT);
	b->n_done = 0;
	assert_int_equal(tn_engine_cancel(b->e, b->transaction, of_red, bench_done, b), 0);
	bench_run(b, bench_is_done);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 0);
}

static struct tn_api_port memory_port(uint32_t number, const char *name)
{
	return (struct tn_api_port){
		.number = number, .name = name, .type = "memory", .enabled = true};
}

static struct tn_operation port_op(const struct tn_api_port *port)
{
	return (struct tn_operation){.kind = TN_OP_PORT_ADD, .pointer = "/ports/0", .port = port};
}

static bool take_port_state(void *ctx, const struct tn_object *object)
{
	*(uint32_t *)ctx = object->port->state;
	return false;
}

/* How its link is, as nobody asked the data plane for. */
static void test_links_are_known_at_once(void **state)
{
	struct bench *b = *state;
	struct tn_api_port port = memory_port(3, "three");
	const struct tn_operation op = port_op(&port);
	uint32_t link = TN_PORT_STATE_LINK_DOWN;

	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	assert_true(
		tn_engine_get(b->e, TN_KIND_PORT, 3, (struct tn_scope){0}, take_port_state, &link));
	assert_int_equal(link, TN_PORT_STATE_LIVE);
	/* Also of one that is in place of another. */
	port.mtu = 9000;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	assert_true(
		tn_engine_get(b->e, TN_KIND_PORT, 3, (struct tn_scope){0}, take_port_state, &link));
	assert_int_equal(link, TN_PORT_STATE_LIVE);
}

static void test_ports_and_flows_together(void **state)
{
	struct bench *b = *state;
	struct tn_api_port port = memory_port(3, "three"), other = memory_port(4, "three");
	struct bench_flow f;
	struct tn_operation ops[3] = {
		port_op(&port), bench_op(&f.fm), {.kind = TN_OP_PORT_REMOVE, .port_number = 3}};

	bench_flow(&f, 1, TN_PORT_ANY); /* refused */
	assert_int_equal(bench_request(b, ops, 2, NULL), TN_REFUSED);
	assert_int_equal(b->failed, 1);
	assert_int_equal(fake_port(&b->fake, 3)->len, 0);
	assert_int_equal(b->fake.port_messages, 2);
	bench_flow(&f, 1, 3);
	assert_int_equal(bench_request(b, ops, 2, NULL), TN_DONE);
	assert_int_equal(tn_names_port_by_name(tn_engine_names(b->e), "three"), 3);
	/* The same again: nothing. A name that is taken: refused. */
	assert_int_equal(bench_request(b, ops, 1, NULL), TN_DONE);
	assert_int_equal(b->fake.port_messages, 3);
	ops[0] = port_op(&other);
	assert_int_equal(bench_request(b, ops, 1, NULL), TN_REFUSED);
	ops[0] = port_op(&port);
	port.enabled = false;
	assert_int_equal(bench_request(b, ops, 1, NULL), TN_DONE);
	assert_int_equal(b->fake.port_messages, 4);
	bench_restart(b);
	bench_run(b, bench_in_step);
	assert_int_equal(b->fake.port_messages, 4);
	assert_int_equal(tn_names_port_by_name(tn_engine_names(b->e), "three"), 3);
	fake_die(&b->fake);
	bench_run(b, bench_away);
	fake_start(&b->fake);
	bench_run(b, bench_in_step);
	assert_int_not_equal(fake_port(&b->fake, 3)->len, 0);
	assert_int_equal(bench_request(b, &ops[2], 1, NULL), TN_DONE);
	assert_int_equal(fake_port(&b->fake, 3)->len, 0);
	assert_int_equal(tn_names_port_by_name(tn_engine_names(b->e), "three"), 0);
}

/* A vxlan port is never away for a moment: it is said again. Under another name it is another. */
static void test_tunnels_are_replaced(void **state)
{
	struct bench *b = *state;
	tn_u128 peers[2] = {7, 9};
	struct tn_api_port port = {.number = 3, .name = "vx", .type = "vxlan", .enabled = true};
	const struct tn_operation op = port_op(&port);

	port.has_vxlan = true;
	port.vxlan = (struct tn_vxlan_options){.remote_flow = true,
		.vni_flow = true,
		.udp_port = 4789,
		.ttl = 64,
		.dscp = -1,
		.peers = peers,
		.n_peers = 1};
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	assert_int_equal(b->fake.port_messages, 1);
	port.vxlan.n_peers = 2;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	assert_int_equal(b->fake.port_messages, 2);
	port.enabled = false;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	assert_int_equal(b->fake.port_messages, 3);
	port.name = "other";
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	assert_int_equal(b->fake.port_messages, 5);
}

static void test_connection_lost_before_and_after(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 2; i++) {
		b->fake.fault = i ? FAKE_HANG_UP_AFTER : FAKE_HANG_UP_BEFORE;
		assert_int_equal(bench_add(b, (uint16_t)(50 + i), 1), TN_ACCEPTED);
		bench_run(b, bench_settled);
		bench_check_same(b);
	}
	b->options.refuse_when_away = true;
	bench_restart(b);
	bench_run(b, bench_in_step);
	for (int i = 0; i < 2; i++) {
		b->fake.fault = i ? FAKE_HANG_UP_AFTER : FAKE_HANG_UP_BEFORE;
		assert_int_equal(bench_add(b, (uint16_t)(60 + i), 1), TN_UNAVAILABLE);
		bench_run(b, bench_settled);
		assert_int_equal(bench_count(b, TN_KIND_FLOW), 2);
		bench_check_same(b);
	}
}

static bool has_failed(struct bench *b)
{
	struct tn_engine_status status;

	tn_engine_status(b->e, &status);
	return status.failed > 0 && !status.pending;
}

static void test_not_waited_for_and_refused_later(void **state)
{
	struct bench *b = *state;
	const struct tn_request how = {.no_wait = true};
	struct bench_flow f[3];
	struct tn_operation ops[3];
	struct tn_action out = {.type = TN_ACTION_OUTPUT, .output.port = 1};
	struct tn_bucket bucket = {.bucket_id = 1,
		.watch_port = TN_PORT_ANY,
		.watch_group = TN_GROUP_ANY,
		.weight = 5,
		.actions = &out,
		.n_actions = 1};
	const struct tn_group_mod gm = {.group_id = 9, .buckets = &bucket, .n_buckets = 1};

	for (uint16_t i = 0; i < 2; i++) {
		bench_flow(&f[i], i, 1);
		ops[i] = bench_op(&f[i].fm);
	}
	ops[2] = bench_group_op(&gm, "/groups/0"); /* weight in a group of type all */
	assert_int_equal(bench_request(b, ops, 3, &how), TN_ACCEPTED);
	bench_run(b, has_failed);
	assert_int_equal(bench_look(b, TN_KIND_GROUP, 9).state, TN_STATE_FAILED);
	assert_int_not_equal(bench_look(b, TN_KIND_GROUP, 9).failure[0], 0);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 2);
	bench_check_same(b);
}

struct told {
	unsigned added, modified, removed;
	uint64_t last;
	char reason[32];
};

static void on_told(void *ctx, const struct tn_watch_event *event)
{
	struct told *t = ctx;

	assert_true(event->sequence > t->last);
	t->last = event->sequence;
	t->added += event->kind == TN_WATCH_ADDED;
	t->modified += event->kind == TN_WATCH_MODIFIED;
	t->removed += event->kind == TN_WATCH_REMOVED;
	if (event->reason)
		snprintf(t->reason, sizeof(t->reason), "%s", event->reason);
}

static void test_watchers_are_told(void **state)
{
	struct bench *b = *state;
	struct tn_operation op = {.kind = TN_OP_REMOVE, .object = {TN_KIND_FLOW, bench_id(1)}};
	struct told t = {0}, again = {0};
	uint64_t since = tn_engine_sequence(b->e);

	assert_int_equal(tn_engine_listen(b->e, on_told, &t), 0);
	assert_int_equal(bench_add(b, 1, 1), TN_DONE);
	assert_int_equal(bench_add(b, 1, 2), TN_DONE);
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	assert_int_equal(t.added, 1);
	assert_int_equal(t.modified, 1);
	assert_int_equal(t.removed, 1);
	assert_string_equal(t.reason, "DELETE");
	assert_int_equal(tn_engine_replay(b->e, since, on_told, &again), 0);
	assert_int_equal(again.added + again.modified + again.removed, 3);
	assert_int_equal(again.last, t.last);
	assert_int_equal(tn_engine_replay(b->e, t.last + 1, on_told, &again), -ERANGE);
	assert_int_equal(tn_engine_replay(b->e, 1, on_told, &again), -ERANGE);
	tn_engine_unlisten(b->e, &t);
	assert_int_equal(bench_add(b, 1, 1), TN_DONE);
	assert_int_equal(t.added, 1);
}

static void refreshed(void *ctx, int rc)
{
	struct bench *b = ctx;

	assert_int_equal(rc, 0);
	b->n_done++;
}

static void test_counters_are_read(void **state)
{
	struct bench *b = *state;
	size_t n;

	assert_int_equal(bench_add(b, 1, 1), TN_DONE);
	b->n_done = 0;
	tn_engine_refresh(b->e, 1u << TN_KIND_FLOW | 1u, refreshed, b);
	tn_engine_refresh(b->e, 1u << TN_KIND_FLOW, refreshed, b);
	while (b->n_done < 2)
		bench_run(b, bench_is_done);
	assert_int_equal(tn_engine_workers(b->e, &n)->sessions, 5);
	assert_int_equal(n, 1);
	assert_int_equal(tn_engine_tables(b->e, &n)->active, 1);
	assert_int_equal(n, 1);
}

static void test_preconditions(void **state)
{
	struct bench *b = *state;
	struct bench_flow f;
	struct tn_operation op = bench_op(&f.fm);
	uint64_t generation;

	bench_flow(&f, 1, 1);
	op.create_only = true;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	generation = b->results[0].generation;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_PRECONDITION);
	op.create_only = false;
	op.if_generation = generation + 1;
	f.actions[0].output.port = 7;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_PRECONDITION);
	op.if_generation = generation;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	f.fm.command = TN_FLOW_DELETE_STRICT;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_PRECONDITION);
	op.if_generation = b->results[0].generation;
	op = (struct tn_operation){
		.kind = TN_OP_REMOVE, .must_exist = true, .object = {TN_KIND_FLOW, 5}};
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_NOT_FOUND);
}

static void test_hosts_need_no_data_plane(void **state)
{
	struct bench *b = *state;
	const tn_u128 address = 77;
	struct tn_operation op = {.kind = TN_OP_HOST_ADD,
		.host = {.mac = {{2, 0, 0, 0, 0, 1}},
			.vlan = -1,
			.port = 3,
			.addresses = &address,
			.n_addresses = 1}};

	fake_leave(&b->fake);
	bench_run(b, bench_away);
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	bench_restart(b);
	assert_int_equal(bench_count(b, TN_KIND_HOST), 1);
	op.kind = TN_OP_HOST_REMOVE;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	assert_int_equal(bench_count(b, TN_KIND_HOST), 0);
}

static void test_packet_out(void **state)
{
	struct bench *b = *state;
	const struct tn_action out = {.type = TN_ACTION_OUTPUT, .output.port = 1};
	static const uint8_t frame[9001];
	struct bench_flow f;
	struct tn_operation ops[2] = {bench_op(&f.fm),
		{.kind = TN_OP_PACKET_OUT,
			.pointer = "/operations/1",
			.packet_out = {.in_port = TN_PORT_CONTROLLER,
				.actions = &out,
				.n_actions = 1,
				.frame = frame,
				.frame_len = 60}}};

	bench_flow(&f, 1, 1);
	assert_int_equal(bench_request(b, ops, 2, NULL), TN_DONE);
	assert_int_equal(b->fake.packet_outs, 1);
	ops[1].packet_out.frame_len = sizeof(frame);
	f.actions[0].output.port = 2;
	assert_int_equal(bench_request(b, ops, 2, NULL), TN_REFUSED);
	assert_int_equal(b->failed, 1);
	assert_int_equal(bench_look(b, TN_KIND_FLOW, bench_id(1)).out, 1);
	bench_check_same(b);
	fake_leave(&b->fake);
	bench_run(b, bench_away);
	assert_int_equal(bench_request(b, &ops[1], 1, NULL), TN_UNAVAILABLE);
}

/* Several at once: one write of the disk, each its own answer. */
static void test_requests_wait_for_each_other(void **state)
{
	struct bench *b = *state;
	struct bench_flow f[8];
	struct tn_operation ops[8];

	b->n_done = 0;
	for (uint16_t i = 0; i < 8; i++) {
		bench_flow(&f[i], i / 2, i); /* pairs of the same flow */
		ops[i] = bench_op(&f[i].fm);
		tn_engine_submit(b->e,
			&(struct tn_request){
				.operations = &ops[i], .n = 1, .done = bench_done, .ctx = b});
	}
	while (b->n_done < 8)
		bench_run(b, bench_is_done);
	for (uint16_t i = 0; i < 4; i++)
		assert_int_equal(bench_look(b, TN_KIND_FLOW, bench_id(i)).out, 2 * i + 1);
	bench_check_same(b);
}

static void test_forgotten_requests(void **state)
{
	struct bench *b = *state;
	struct bench_flow *f = calloc(1, sizeof(*f));
	struct tn_operation *op = calloc(1, sizeof(*op));

	b->n_done = 0;
	bench_flow(f, 1, 1);
	*op = bench_op(&f->fm);
	tn_engine_submit(
		b->e, &(struct tn_request){.operations = op, .n = 1, .done = bench_done, .ctx = f});
	tn_engine_forget(b->e, f);
	free(f);
	free(op);
	assert_int_equal(bench_add(b, 2, 2), TN_DONE);
	assert_int_equal(b->n_done, 1);
	bench_check_same(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_flow_is_installed_stored_and_read),
		TEST(test_refusal_says_where),
		TEST(test_away_is_accepted_and_applied_later),
		TEST(test_away_is_refused_by_policy),
		TEST(test_new_data_plane_gets_everything),
		TEST(test_only_the_difference_is_sent),
		TEST(test_first_meeting_takes_over),
		TEST(test_flows_run_out),
		TEST(test_timeouts_begin_anew_with_a_new_data_plane),
		TEST(test_group_takes_its_flows_along),
		TEST(test_replace_touches_the_difference),
		TEST(test_dry_run_changes_nothing),
		TEST(test_unconfirmed_is_undone),
		TEST(test_confirmed_stays),
		TEST(test_unconfirmed_runs_out),
		TEST(test_tenants_see_their_own),
		TEST(test_tenants_chain_their_own_groups),
		TEST(test_tenants_settle_their_own),
		TEST(test_links_are_known_at_once),
		TEST(test_ports_and_flows_together),
		TEST(test_tunnels_are_replaced),
		TEST(test_connection_lost_before_and_after),
		TEST(test_not_waited_for_and_refused_later),
		TEST(test_watchers_are_told),
		TEST(test_counters_are_read),
		TEST(test_preconditions),
		TEST(test_hosts_need_no_data_plane),
		TEST(test_packet_out),
		TEST(test_requests_wait_for_each_other),
		TEST(test_forgotten_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
