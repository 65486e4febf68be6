/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups: commands, types and buckets, chains, what happens to the flows that use one. */
#include "dataplane/pipeline/switch.h"

#include "tests/unit/pipeline/switch_fixture.h"

static const struct tn_group *find_group(const struct fixture *f, uint32_t id)
{
	return tn_snapshot_group(tn_switch_snapshot(f->sw), id);
}

/* A group whose one bucket names another group. */
static int chain(struct fixture *f, enum tn_group_command command, uint32_t id, uint32_t to)
{
	struct tn_action action = to_group(to);
	struct tn_bucket b = bucket(0, &action);
	struct tn_group_mod gm = group_mod(command, id, TN_GROUP_TYPE_ALL, &b, 1);

	return send_group(f, &gm);
}

static int delete_group(struct fixture *f, uint32_t id)
{
	struct tn_group_mod gm = group_mod(TN_GROUP_DELETE, id, TN_GROUP_TYPE_ALL, NULL, 0);

	return send_group(f, &gm);
}

static void count_reference(void *ctx, const struct tn_group_info *info)
{
	uint32_t *refs = ctx;

	if (info->group_id == refs[0])
		refs[1] = info->reference_count;
}

static uint32_t references(const struct fixture *f, uint32_t id)
{
	uint32_t refs[2] = {id, UINT32_MAX};

	assert_int_equal(tn_switch_groups(f->sw, count_reference, refs), 0);
	return refs[1];
}

static void test_add(void **state)
{
	struct fixture *f = *state;
	struct tn_action list[2] = {output(3), output(4)};
	struct tn_bucket b[2] = {bucket(7, &list[0]), bucket(2, &list[1])};
	struct tn_group_mod gm = group_mod(TN_GROUP_ADD, 12, TN_GROUP_TYPE_SELECT, b, 2);
	const struct tn_group *group;

	b[0].weight = 2;
	b[1].weight = 1;
	gm.selection = TN_SELECT_HASH;
	gm.hash_fields = UINT64_C(1) << TN_FIELD_ETH_SRC;
	gm.selection_param = 5;
	gm.owner = 8;
	gm.annotation = 9;
	assert_done(send_group(f, &gm));
	group = find_group(f, 12);
	assert_non_null(group);
	assert_int_equal(group->n_buckets, 2);
	assert_int_equal(group->total_weight, 3);
	assert_int_equal(group->buckets[0].bucket_id, 7);
	assert_int_equal(group->buckets[1].actions->output.port, 4);
	assert_int_equal(group->selection_param, 5);
	assert_int_equal(group->annotation, 9);
	assert_null(find_group(f, 13));
	assert_refused(f, send_group(f, &gm), OFPGMFC_GROUP_EXISTS);
}

static void test_ids_and_commands(void **state)
{
	struct fixture *f = *state;
	struct tn_group_mod gm = group_mod(TN_GROUP_ADD, 0, TN_GROUP_TYPE_ALL, NULL, 0);

	assert_done(send_group(f, &gm));
	gm.group_id = TN_GROUP_MAX;
	assert_done(send_group(f, &gm));
	gm.group_id = TN_GROUP_MAX + 1;
	assert_refused(f, send_group(f, &gm), OFPGMFC_INVALID_GROUP);
	gm.group_id = TN_GROUP_ALL;
	assert_refused(f, send_group(f, &gm), OFPGMFC_INVALID_GROUP);
	gm.group_id = 5;
	gm.command = (enum tn_group_command)4;
	assert_int_equal(send_group(f, &gm), -EINVAL);
	gm.group_id = 0;
	assert_refused(f, send_group(f, &gm), OFPGMFC_BAD_COMMAND);
	gm.group_id = 5;
	for (unsigned i = 0; i < 3; i++) {
		static const enum tn_group_command commands[] = {
			TN_GROUP_MODIFY, TN_GROUP_INSERT_BUCKET, TN_GROUP_REMOVE_BUCKET};

		gm.command = commands[i];
		assert_refused(f, send_group(f, &gm), OFPGMFC_UNKNOWN_GROUP);
	}
	/* Deleting what is not there is done already. */
	assert_done(delete_group(f, 5));
}

static void test_types(void **state)
{
	struct fixture *f = *state;
	struct tn_bucket b[2] = {bucket(1, &output_1), bucket(2, &output_1)};
	struct tn_group_mod gm = group_mod(TN_GROUP_ADD, 1, (enum tn_group_type)4, b, 2);

	assert_refused(f, send_group(f, &gm), OFPGMFC_BAD_TYPE);
	gm.type = TN_GROUP_TYPE_INDIRECT;
	assert_refused(f, send_group(f, &gm), OFPGMFC_INVALID_GROUP);
	gm.n_buckets = 0;
	assert_refused(f, send_group(f, &gm), OFPGMFC_INVALID_GROUP);
	gm.n_buckets = 1;
	assert_done(send_group(f, &gm));
	gm = group_mod(TN_GROUP_ADD, 2, TN_GROUP_TYPE_SELECT, b, 2);
	gm.selection = (enum tn_selection_method)3;
	assert_refused(f, send_group(f, &gm), OFPGMFC_INVALID_GROUP);
	gm.selection = TN_SELECT_HASH;
	gm.hash_fields = TN_N_FIELDS < 64 ? UINT64_C(1) << (TN_N_FIELDS & 63) : 0;
	assert_refused(f, send_group(f, &gm), OFPGMFC_INVALID_GROUP);
}

static void test_weights(void **state)
{
	struct fixture *f = *state;
	struct tn_bucket b[2] = {bucket(1, &output_1), bucket(2, &output_1)};
	struct tn_group_mod gm = group_mod(TN_GROUP_ADD, 1, TN_GROUP_TYPE_ALL, b, 2);

	b[1].weight = 2;
	assert_refused(f, send_group(f, &gm), OFPGMFC_WEIGHT_UNSUPPORTED);
	assert_int_equal(f->err.index, 1);
	b[1].weight = 1;
	assert_done(send_group(f, &gm));
	gm.group_id = 2;
	gm.type = TN_GROUP_TYPE_SELECT;
	b[0].weight = 0;
	b[1].weight = 65535;
	assert_done(send_group(f, &gm));
	assert_int_equal(find_group(f, 2)->total_weight, 65535);
}

static void test_watches(void **state)
{
	struct fixture *f = *state;
	struct tn_bucket b[2] = {bucket(1, &output_1), bucket(2, &output_1)};
	struct tn_group_mod gm = group_mod(TN_GROUP_ADD, 1, TN_GROUP_TYPE_FF, b, 2);

	b[0].watch_port = 1;
	assert_refused(f, send_group(f, &gm), OFPGMFC_BAD_WATCH);
	assert_int_equal(f->err.index, 1);
	b[1].watch_port = TN_PORT_CONTROLLER;
	assert_refused(f, send_group(f, &gm), OFPGMFC_BAD_WATCH);
	b[1].watch_port = 0;
	assert_refused(f, send_group(f, &gm), OFPGMFC_BAD_WATCH);
	b[1].watch_port = TN_PORT_ANY;
	b[1].watch_group = 9;
	assert_refused(f, send_group(f, &gm), OFPGMFC_BAD_WATCH);
	b[1].watch_group = 1;
	assert_refused(f, send_group(f, &gm), OFPGMFC_LOOP);
	gm.type = TN_GROUP_TYPE_ALL;
	assert_refused(f, send_group(f, &gm), OFPGMFC_WATCH_UNSUPPORTED);
	gm.type = TN_GROUP_TYPE_FF;
	assert_done(add_group_to(f, 9, &output_1));
	b[1].watch_group = 9;
	assert_done(send_group(f, &gm));
	assert_int_equal(references(f, 9), 1);
	assert_refused(f, delete_group(f, 9), OFPGMFC_CHAINED_GROUP);
}

static void test_bucket_errors(void **state)
{
	struct fixture *f = *state;
	struct tn_action bad = {.type = TN_ACTION_RESUBMIT};
	struct tn_bucket b[3] = {
		bucket(1, &output_1), bucket(TN_BUCKET_MAX + 1, &output_1), bucket(1, &output_1)};
	struct tn_group_mod gm = group_mod(TN_GROUP_ADD, 1, TN_GROUP_TYPE_ALL, b, 3);
	struct tn_action unknown = to_group(77);

	assert_refused(f, send_group(f, &gm), OFPGMFC_BAD_BUCKET);
	assert_int_equal(f->err.index, 1);
	b[1].bucket_id = TN_BUCKET_MAX;
	assert_refused(f, send_group(f, &gm), OFPGMFC_BUCKET_EXISTS);
	assert_int_equal(f->err.index, 2);
	b[2].bucket_id = 2;
	b[2].actions = &bad;
	assert_int_equal(send_group(f, &gm), -EINVAL);
	assert_int_equal(f->err.index, 2);
	assert_non_null(strstr(f->err.detail, "bucket 2, action 1: "));
	b[2].actions = &unknown;
	assert_refused(f, send_group(f, &gm), OFPBAC_BAD_OUT_GROUP);
	assert_int_equal(f->err.index, 2);
	gm.n_buckets = TN_SW_BUCKETS_MAX + 1;
	assert_refused(f, send_group(f, &gm), OFPGMFC_OUT_OF_BUCKETS);
}

static void test_modify_keeps_counters(void **state)
{
	struct fixture *f = *state;
	struct tn_action two = output(2);
	struct tn_bucket b[2] = {bucket(1, &output_1), bucket(2, &output_1)};
	struct tn_bucket c[2] = {bucket(2, &two), bucket(3, &two)};
	struct tn_group_mod gm = group_mod(TN_GROUP_ADD, 1, TN_GROUP_TYPE_ALL, b, 2);
	const struct tn_group *group;

	assert_done(send_group(f, &gm));
	group = find_group(f, 1);
	group->stats->counter.packets = 5;
	group->buckets[0].stats->counter.packets = 6;
	group->buckets[1].stats->counter.packets = 7;
	f->now += SECOND;
	gm = group_mod(TN_GROUP_MODIFY, 1, TN_GROUP_TYPE_SELECT, c, 2);
	assert_done(send_group(f, &gm));
	group = find_group(f, 1);
	assert_int_equal(group->type, TN_GROUP_TYPE_SELECT);
	assert_int_equal(group->created_ns, f->now - SECOND);
	assert_int_equal(group->stats->counter.packets, 5);
	assert_int_equal(group->buckets[0].stats->counter.packets, 7);
	assert_int_equal(group->buckets[0].actions->output.port, 2);
	assert_int_equal(group->buckets[1].stats->counter.packets, 0);
}

static void assert_buckets(const struct fixture *f, uint32_t id, const char *want)
{
	const struct tn_group *group = find_group(f, id);
	char have[64] = "";

	for (uint32_t i = 0; i < group->n_buckets; i++)
		snprintf(have + strlen(have), sizeof(have) - strlen(have), "%u ",
			group->buckets[i].bucket_id);
	assert_string_equal(have, want);
}

static void test_insert_bucket(void **state)
{
	struct fixture *f = *state;
	struct tn_bucket b = bucket(1, &output_1), c[2] = {bucket(2, &output_1)};
	struct tn_group_mod gm = group_mod(TN_GROUP_ADD, 1, TN_GROUP_TYPE_SELECT, &b, 1);

	c[1] = bucket(3, &output_1);
	gm.owner = 4;
	assert_done(send_group(f, &gm));
	find_group(f, 1)->buckets[0].stats->counter.packets = 3;
	gm = group_mod(TN_GROUP_INSERT_BUCKET, 1, TN_GROUP_TYPE_ALL, c, 2);
	gm.command_bucket_id = TN_BUCKET_FIRST;
	assert_done(send_group(f, &gm));
	assert_buckets(f, 1, "2 3 1 ");
	assert_int_equal(find_group(f, 1)->type, TN_GROUP_TYPE_SELECT);
	assert_int_equal(find_group(f, 1)->owner, 4);
	assert_int_equal(find_group(f, 1)->buckets[2].stats->counter.packets, 3);
	gm.n_buckets = 1;
	c[0].bucket_id = 4;
	gm.command_bucket_id = TN_BUCKET_LAST;
	assert_done(send_group(f, &gm));
	c[0].bucket_id = 5;
	gm.command_bucket_id = 3;
	assert_done(send_group(f, &gm));
	assert_buckets(f, 1, "2 3 5 1 4 ");
	gm.command_bucket_id = 77;
	c[0].bucket_id = 6;
	assert_refused(f, send_group(f, &gm), OFPGMFC_UNKNOWN_BUCKET);
	gm.command_bucket_id = TN_BUCKET_ALL;
	assert_refused(f, send_group(f, &gm), OFPGMFC_UNKNOWN_BUCKET);
	gm.command_bucket_id = TN_BUCKET_LAST;
	c[0].bucket_id = 5;
	assert_refused(f, send_group(f, &gm), OFPGMFC_BUCKET_EXISTS);
	assert_int_equal(f->err.index, 0);
}

/* The position in an error is the request's, not the group's. */
static void test_insert_bucket_error_position(void **state)
{
	struct fixture *f = *state;
	struct tn_action unknown = to_group(9);
	struct tn_bucket b[2] = {bucket(1, &output_1), bucket(2, &output_1)};
	struct tn_bucket c[2] = {bucket(3, &output_1), bucket(4, &unknown)};
	struct tn_group_mod gm = group_mod(TN_GROUP_ADD, 1, TN_GROUP_TYPE_ALL, b, 2);

	assert_done(send_group(f, &gm));
	gm = group_mod(TN_GROUP_INSERT_BUCKET, 1, TN_GROUP_TYPE_ALL, c, 2);
	gm.command_bucket_id = TN_BUCKET_LAST;
	assert_refused(f, send_group(f, &gm), OFPBAC_BAD_OUT_GROUP);
	assert_int_equal(f->err.index, 1);
}

static void test_remove_bucket(void **state)
{
	struct fixture *f = *state;
	struct tn_bucket b[4];
	struct tn_group_mod gm = group_mod(TN_GROUP_ADD, 1, TN_GROUP_TYPE_ALL, b, 4);

	for (uint32_t i = 0; i < 4; i++)
		b[i] = bucket(i + 1, &output_1);
	assert_done(send_group(f, &gm));
	gm.command = TN_GROUP_REMOVE_BUCKET;
	assert_refused(f, send_group(f, &gm), OFPGMFC_BAD_BUCKET);
	gm.n_buckets = 0;
	gm.command_bucket_id = 3;
	assert_done(send_group(f, &gm));
	assert_buckets(f, 1, "1 2 4 ");
	assert_refused(f, send_group(f, &gm), OFPGMFC_UNKNOWN_BUCKET);
	gm.command_bucket_id = TN_BUCKET_FIRST;
	assert_done(send_group(f, &gm));
	gm.command_bucket_id = TN_BUCKET_LAST;
	assert_done(send_group(f, &gm));
	assert_buckets(f, 1, "2 ");
	gm.command_bucket_id = TN_BUCKET_ALL;
	assert_done(send_group(f, &gm));
	assert_buckets(f, 1, "");
	assert_done(send_group(f, &gm));
	gm.command_bucket_id = TN_BUCKET_FIRST;
	assert_refused(f, send_group(f, &gm), OFPGMFC_UNKNOWN_BUCKET);
}

static void test_indirect_keeps_one_bucket(void **state)
{
	struct fixture *f = *state;
	struct tn_bucket b = bucket(1, &output_1), c = bucket(2, &output_1);
	struct tn_group_mod gm = group_mod(TN_GROUP_ADD, 1, TN_GROUP_TYPE_INDIRECT, &b, 1);

	assert_done(send_group(f, &gm));
	gm = group_mod(TN_GROUP_INSERT_BUCKET, 1, TN_GROUP_TYPE_INDIRECT, &c, 1);
	gm.command_bucket_id = TN_BUCKET_LAST;
	assert_refused(f, send_group(f, &gm), OFPGMFC_INVALID_GROUP);
	gm = group_mod(TN_GROUP_REMOVE_BUCKET, 1, TN_GROUP_TYPE_INDIRECT, NULL, 0);
	assert_refused(f, send_group(f, &gm), OFPGMFC_INVALID_GROUP);
}

static void test_chains(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, chain(f, TN_GROUP_ADD, 1, 1), OFPGMFC_LOOP);
	assert_refused(f, chain(f, TN_GROUP_ADD, 1, 2), OFPBAC_BAD_OUT_GROUP);
	assert_done(add_group_to(f, 1, &output_1));
	assert_done(chain(f, TN_GROUP_ADD, 2, 1));
	assert_done(chain(f, TN_GROUP_ADD, 3, 2));
	assert_refused(f, chain(f, TN_GROUP_MODIFY, 1, 3), OFPGMFC_LOOP);
	assert_refused(f, chain(f, TN_GROUP_MODIFY, 2, 2), OFPGMFC_LOOP);
	assert_int_equal(references(f, 2), 1);
	assert_refused(f, delete_group(f, 2), OFPGMFC_CHAINED_GROUP);
	/* The other way round once the chain is cut. */
	assert_done(chain(f, TN_GROUP_MODIFY, 3, 1));
	assert_int_equal(references(f, 2), 0);
	assert_int_equal(references(f, 1), 2);
	assert_done(chain(f, TN_GROUP_MODIFY, 2, 3));
	assert_done(delete_group(f, 2));
	assert_done(delete_group(f, 3));
	assert_done(delete_group(f, 1));
}

static void test_chain_depth(void **state)
{
	struct fixture *f = *state;

	/* 8 -> ... -> 1, and 20 -> 19 -> 18 beside it. */
	assert_done(add_group_to(f, 1, &output_1));
	for (uint32_t id = 2; id <= TN_GROUP_DEPTH_MAX; id++)
		assert_done(chain(f, TN_GROUP_ADD, id, id - 1));
	assert_refused(f, chain(f, TN_GROUP_ADD, 9, 8), OFPGMFC_CHAINING_UNSUPPORTED);
	assert_done(add_group_to(f, 18, &output_1));
	assert_done(chain(f, TN_GROUP_ADD, 19, 18));
	assert_done(chain(f, TN_GROUP_ADD, 20, 19));
	/* Above 18 are two, so that it may reach five down but not six. */
	assert_refused(f, chain(f, TN_GROUP_MODIFY, 18, 6), OFPGMFC_CHAINING_UNSUPPORTED);
	assert_done(chain(f, TN_GROUP_MODIFY, 18, 5));
	assert_refused(f, chain(f, TN_GROUP_MODIFY, 1, 18), OFPGMFC_LOOP);
}

/* A lattice has very many ways through it, and each group is still looked at once. */
static void test_wide_chains_are_cheap(void **state)
{
	struct fixture *f = *state;
	static struct tn_action actions[40];
	static struct tn_bucket b[40];

	for (uint32_t layer = 0; layer < TN_GROUP_DEPTH_MAX; layer++) {
		for (uint32_t i = 0; i < 40; i++) {
			struct tn_group_mod gm = group_mod(
				TN_GROUP_ADD, layer * 40 + i, TN_GROUP_TYPE_ALL, b, layer ? 40 : 0);

			assert_done(send_group(f, &gm));
		}
		for (uint32_t i = 0; i < 40; i++) {
			actions[i] = to_group(layer * 40 + i);
			b[i] = bucket(i, &actions[i]);
		}
	}
	assert_int_equal(references(f, 0), 40);
	assert_refused(f, chain(f, TN_GROUP_MODIFY, 0, 7 * 40 + 39), OFPGMFC_LOOP);
}

static void add_flow_to(struct fixture *f, uint64_t cookie, uint32_t g1, uint32_t g2)
{
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, (uint16_t)cookie, 0, 0);
	struct tn_action list[2] = {to_group(g1), to_group(g2)};

	fm.cookie = cookie;
	fm.flags = TN_FLOW_SEND_FLOW_REM;
	fm.inst.apply = list;
	fm.inst.n_apply = 2;
	fm.inst.write = list;
	fm.inst.n_write = 1;
	assert_done(send_flow(f, &fm));
}

static void test_delete_takes_flows_along(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, 50, 0, 0);

	assert_done(add_group_to(f, 1, &output_1));
	assert_done(add_group_to(f, 2, &output_1));
	assert_done(send_flow(f, &fm));
	add_flow_to(f, 1, 1, 1);
	add_flow_to(f, 2, 1, 2);
	add_flow_to(f, 3, 2, 2);
	assert_int_equal(references(f, 1), 2);
	assert_int_equal(references(f, 2), 2);
	assert_done(delete_group(f, 1));
	assert_events(f,
		"removed cookie=2 reason=3 at=1000000000\n"
		"removed cookie=1 reason=3 at=1000000000\n");
	assert_int_equal(references(f, 2), 1);
	assert_int_equal(tn_switch_flow_count(f->sw), 2);
	/* The same id again starts anew. */
	assert_done(add_group_to(f, 1, &output_1));
	assert_int_equal(references(f, 1), 0);
}

static void test_delete_all(void **state)
{
	struct fixture *f = *state;

	assert_done(add_group_to(f, 1, &output_1));
	assert_done(chain(f, TN_GROUP_ADD, 2, 1));
	add_flow_to(f, 1, 1, 2);
	add_flow_to(f, 2, 2, 2);
	assert_done(delete_group(f, TN_GROUP_ALL));
	assert_events(f,
		"removed cookie=1 reason=3 at=1000000000\n"
		"removed cookie=2 reason=3 at=1000000000\n");
	assert_null(find_group(f, 1));
	assert_null(find_group(f, 2));
	assert_done(delete_group(f, TN_GROUP_ALL));
}

static void test_flow_changes_move_references(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_MODIFY, 0, 0, 0, 0);

	assert_done(add_group_to(f, 1, &output_1));
	add_flow_to(f, 1, 1, 1);
	assert_int_equal(references(f, 1), 1);
	assert_done(send_flow(f, &fm));
	assert_int_equal(references(f, 1), 0);
	add_flow_to(f, 1, 1, 1);
	assert_int_equal(references(f, 1), 1);
	fm.command = TN_FLOW_DELETE;
	fm.out_group = 1;
	assert_done(send_flow(f, &fm));
	assert_int_equal(references(f, 1), 0);
	assert_done(delete_group(f, 1));
}

static void test_out_of_groups(void **state)
{
	struct fixture *f = *state;
	uint32_t n = f->sw->n_groups;

	f->sw->n_groups = TN_SW_GROUPS_MAX;
	assert_refused(f, add_group_to(f, 1, &output_1), OFPGMFC_OUT_OF_GROUPS);
	f->sw->n_groups = n;
}

/* The id table grows, shrinks and stays right; ids that share a hash bucket do not mix. */
static void test_many_groups(void **state)
{
	struct fixture *f = *state;

	for (unsigned round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 3000; i++)
			assert_done(add_group_to(f, i * 4096, &output_1));
		for (uint32_t i = 0; i < 3000; i++)
			assert_non_null(find_group(f, i * 4096));
		for (uint32_t i = 0; i < 3000; i += 2)
			assert_done(delete_group(f, i * 4096));
		for (uint32_t i = 0; i < 3000; i++)
			assert_int_equal(find_group(f, i * 4096) != NULL, i & 1);
		tn_switch_reclaim(f->sw);
		assert_done(delete_group(f, TN_GROUP_ALL));
	}
	assert_true(f->sw->groups->n_live <= 3000 * 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_add, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ids_and_commands, setup, teardown),
		cmocka_unit_test_setup_teardown(test_types, setup, teardown),
		cmocka_unit_test_setup_teardown(test_weights, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watches, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bucket_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modify_keeps_counters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_insert_bucket, setup, teardown),
		cmocka_unit_test_setup_teardown(test_insert_bucket_error_position, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove_bucket, setup, teardown),
		cmocka_unit_test_setup_teardown(test_indirect_keeps_one_bucket, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chains, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chain_depth, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wide_chains_are_cheap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete_takes_flows_along, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flow_changes_move_references, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_groups, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
