/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/core/snoop.h"
#include "dataplane/pipeline/snapshot.h"

/* A switch with ports 1-4 and LOCAL, and a short way to write flows. */
struct fixture {
	struct tn_switch *sw;
	struct tn_program program;
	struct tn_read_set read;
};

static struct tn_action output(uint32_t port)
{
	return (struct tn_action){.type = TN_ACTION_OUTPUT,
		.output = {.port = port,
			.reason = TN_REASON_DEFAULT,
			.max_len = port == TN_PORT_CONTROLLER ? TN_CONTROLLER_MAX_LEN_WHOLE : 0}};
}

static struct tn_action set_field(enum tn_field_id id, tn_u128 value)
{
	return (struct tn_action){.type = TN_ACTION_SET_FIELD,
		.field = (uint8_t)id,
		.set = {.value = value, .mask = tn_field_ones(id)}};
}

static struct tn_action simple(enum tn_action_type type)
{
	return (struct tn_action){.type = (uint8_t)type};
}

static void commit(struct fixture *f, const struct tn_mod *mod)
{
	struct tn_error err = {0};
	size_t failed;

	if (tn_switch_commit(f->sw, mod, 1, 0, &failed, &err))
		fail_msg("%s: %s", tn_of_error_name(err.of), err.detail);
}

static void add_flow(struct fixture *f, const struct tn_flow_mod *fm)
{
	commit(f, &(struct tn_mod){.kind = TN_MOD_FLOW, .flow = fm});
}

/* table, priority 10, in_port 1, apply list, goto */
static void add_apply(struct fixture *f, uint8_t table, const struct tn_action *list, size_t n,
	uint8_t goto_table)
{
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	fm.table_id = table;
	fm.priority = 10;
	tn_match_set_exact(&fm.match, TN_FIELD_IN_PORT, 1);
	tn_match_set_exact(&fm.match, TN_FIELD_ETH_TYPE, 0x0800);
	tn_match_set_exact(&fm.match, TN_FIELD_IP_PROTO, 6);
	fm.inst.apply = list;
	fm.inst.n_apply = (uint16_t)n;
	fm.inst.goto_table = goto_table;
	add_flow(f, &fm);
}

static void add_group(struct fixture *f, uint32_t id, enum tn_group_type type,
	const struct tn_bucket *buckets, uint32_t n)
{
	struct tn_group_mod gm = {
		.command = TN_GROUP_ADD,
		.type = type,
		.group_id = id,
		.buckets = buckets,
		.n_buckets = n,
	};

	commit(f, &(struct tn_mod){.kind = TN_MOD_GROUP, .group = &gm});
}

static struct tn_bucket bucket(uint32_t id, const struct tn_action *list, uint16_t n)
{
	return (struct tn_bucket){
		.bucket_id = id,
		.weight = 1,
		.watch_port = TN_PORT_ANY,
		.watch_group = TN_GROUP_ANY,
		.actions = list,
		.n_actions = n,
	};
}

static struct tn_key tcp_key(uint32_t in_port)
{
	struct tn_key key;

	memset(&key, 0, sizeof(key));
	tn_field_set(&key, TN_FIELD_IN_PORT, in_port);
	tn_field_set(&key, TN_FIELD_IN_PHY_PORT, in_port);
	tn_field_set(&key, TN_FIELD_ETH_DST, 0x020000000002);
	tn_field_set(&key, TN_FIELD_ETH_SRC, 0x020000000001);
	tn_field_set(&key, TN_FIELD_ETH_TYPE, 0x0800);
	tn_field_set(&key, TN_FIELD_IP_PROTO, 6);
	tn_field_set(&key, TN_FIELD_IP_TTL, 64);
	tn_field_set(&key, TN_FIELD_IPV4_SRC, 0x0a000001);
	tn_field_set(&key, TN_FIELD_IPV4_DST, 0x0a000002);
	tn_field_set(&key, TN_FIELD_TCP_SRC, 1000);
	tn_field_set(&key, TN_FIELD_TCP_DST, 80);
	return key;
}

static void decide(struct fixture *f, const struct tn_key *key, const struct tn_facts *facts)
{
	tn_decide(tn_switch_snapshot(f->sw), key, 0, facts, &f->program, &f->read, NULL);
}

/* The ops without COUNT, as text: "OUT2* " with a star for `last`, "CLONE( ... )". */
static const char *text(const struct fixture *f)
{
	static char s[4096];
	size_t at = 0;
	uint32_t ends[16];
	unsigned depth = 0;

	s[0] = 0;
	for (uint32_t i = 0; i <= f->program.n_ops; i++) {
		const struct tn_op *op = &f->program.ops[i];

		while (depth && ends[depth - 1] == i) {
			at += (size_t)snprintf(s + at, sizeof(s) - at, ")");
			depth--;
		}
		if (i == f->program.n_ops || op->type == TN_OP_COUNT)
			continue;
		if (at && s[at - 1] != '(')
			at += (size_t)snprintf(s + at, sizeof(s) - at, " ");
		switch (op->type) {
		case TN_OP_OUTPUT:
			at += (size_t)snprintf(s + at, sizeof(s) - at, "OUT%u", op->output.port);
			break;
		case TN_OP_CONTROLLER:
			at += (size_t)snprintf(
				s + at, sizeof(s) - at, "CTRL%u", op->controller.reason);
			break;
		case TN_OP_DROP:
			at += (size_t)snprintf(s + at, sizeof(s) - at, "DROP:%s",
				tn_drop_name((enum tn_drop)op->drop.reason));
			break;
		case TN_OP_SET:
			at += (size_t)snprintf(s + at, sizeof(s) - at, "SET:%s=%llx",
				tn_fields[op->set.field].name, (unsigned long long)op->set.value);
			break;
		case TN_OP_CLONE:
			at += (size_t)snprintf(
				s + at, sizeof(s) - at, "CLONE%s(", op->last ? "*" : "");
			ends[depth++] = i + 1 + op->n_nested;
			continue;
		case TN_OP_LEARN:
			at += (size_t)snprintf(s + at, sizeof(s) - at, "LEARN");
			break;
		case TN_OP_REPLY:
			at += (size_t)snprintf(s + at, sizeof(s) - at, "REPLY");
			break;
		case TN_OP_IF_LONGER:
			at += (size_t)snprintf(s + at, sizeof(s) - at, "LONGER%u", op->max_len);
			break;
		default:
			at += (size_t)snprintf(s + at, sizeof(s) - at, "op%u", op->type);
			break;
		}
		if (op->last)
			at += (size_t)snprintf(s + at, sizeof(s) - at, "*");
	}
	return s;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct tn_error err;

	f->sw = tn_switch_new(1);
	for (uint32_t number = 1; number <= 4; number++) {
		struct tn_port_config_data port = {.number = number};

		assert_int_equal(tn_switch_port_add(f->sw, &port, 0, &err), 0);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tn_switch_free(f->sw);
	free(f);
	return 0;
}

static void test_empty_table_drops(void **state)
{
	struct fixture *f = *state;
	struct tn_key key = tcp_key(1);

	decide(f, &key, NULL);
	assert_string_equal(text(f), "DROP:table_miss*");
	assert_int_equal(f->read.tables[0], 1);
}

static void test_output_takes_the_packet(void **state)
{
	struct fixture *f = *state;
	struct tn_action list[] = {output(2), output(3)};
	struct tn_key key = tcp_key(1);

	add_apply(f, 0, list, 2, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "OUT2 OUT3*");
}

static void test_no_output_is_an_explicit_drop(void **state)
{
	struct fixture *f = *state;
	struct tn_key key = tcp_key(1);

	add_apply(f, 0, NULL, 0, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "DROP:no_action*");
	assert_true(f->program.ops[f->program.n_ops - 1].flow_id != 0);
}

static void test_output_to_ingress_is_dropped_unless_in_port(void **state)
{
	struct fixture *f = *state;
	struct tn_action list[] = {output(1), output(TN_PORT_IN_PORT)};
	struct tn_key key = tcp_key(1);

	add_apply(f, 0, list, 2, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "DROP:to_ingress OUT1*");
}

static void test_unknown_port(void **state)
{
	struct fixture *f = *state;
	struct tn_action list[] = {output(77)};
	struct tn_key key = tcp_key(1);

	add_apply(f, 0, list, 1, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "DROP:no_such_port*");
}

static void test_rewrite_is_seen_by_later_tables(void **state)
{
	struct fixture *f = *state;
	struct tn_action first[] = {set_field(TN_FIELD_TCP_DST, 8080)};
	struct tn_action then[] = {output(2)};
	struct tn_key key = tcp_key(1);
	struct tn_flow_mod fm;

	add_apply(f, 0, first, 1, 5);
	tn_flow_mod_init(&fm);
	fm.table_id = 5;
	tn_match_set_exact(&fm.match, TN_FIELD_ETH_TYPE, 0x0800);
	tn_match_set_exact(&fm.match, TN_FIELD_IP_PROTO, 6);
	tn_match_set_exact(&fm.match, TN_FIELD_TCP_DST, 8080);
	fm.inst.apply = then;
	fm.inst.n_apply = 1;
	add_flow(f, &fm);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "SET:tcp_dst=1f90 OUT2*");
	assert_int_equal(f->read.tables[0], 1 | 1 << 5);
}

static void test_action_set_order(void **state)
{
	struct fixture *f = *state;
	/* written in the opposite of the standard's order */
	struct tn_action write[] = {
		output(3), set_field(TN_FIELD_TCP_DST, 1), simple(TN_ACTION_DEC_TTL)};
	struct tn_key key = tcp_key(1);
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	tn_match_set_exact(&fm.match, TN_FIELD_ETH_TYPE, 0x0800);
	tn_match_set_exact(&fm.match, TN_FIELD_IP_PROTO, 6);
	fm.inst.write = write;
	fm.inst.n_write = 3;
	add_flow(f, &fm);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "op6 SET:tcp_dst=1 OUT3*");
	assert_int_equal(TN_OP_DEC_TTL, 6);
}

static void test_clear_actions_and_metadata(void **state)
{
	struct fixture *f = *state;
	struct tn_action write[] = {output(3)};
	struct tn_action last[] = {output(4)};
	struct tn_key key = tcp_key(1);
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	fm.inst.write = write;
	fm.inst.n_write = 1;
	fm.inst.metadata = 0xa5;
	fm.inst.metadata_mask = 0xff;
	fm.inst.goto_table = 1;
	add_flow(f, &fm);
	tn_flow_mod_init(&fm);
	fm.table_id = 1;
	tn_match_set_exact(&fm.match, TN_FIELD_METADATA, 0xa5);
	fm.inst.clear_actions = true;
	fm.inst.write = last;
	fm.inst.n_write = 1;
	add_flow(f, &fm);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "OUT4*");
}

static void test_group_all_copies(void **state)
{
	struct fixture *f = *state;
	struct tn_action a[] = {set_field(TN_FIELD_ETH_DST, 5), output(2)}, b[] = {output(3)};
	struct tn_bucket buckets[] = {bucket(0, a, 2), bucket(1, b, 1)};
	struct tn_action list[] = {{.type = TN_ACTION_GROUP, .group_id = 9}};
	struct tn_key key = tcp_key(1);

	add_group(f, 9, TN_GROUP_TYPE_ALL, buckets, 2);
	add_apply(f, 0, list, 1, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "CLONE(SET:eth_dst=5 OUT2*) CLONE*(OUT3*)");
}

/* What a bucket is for is said by a table: its own copy goes there, and may come back to the group.
 */
static void test_a_bucket_resubmits(void **state)
{
	struct fixture *f = *state;
	struct tn_action a[] = {set_field(TN_FIELD_REG2, 7),
		{.type = TN_ACTION_RESUBMIT, .resubmit = {.in_port = TN_PORT_IN_PORT, .table = 6}}};
	struct tn_action b[] = {output(3)}, out[] = {output(2)};
	struct tn_bucket buckets[] = {bucket(0, a, 2), bucket(1, b, 1)};
	struct tn_action list[] = {{.type = TN_ACTION_GROUP, .group_id = 9}};
	struct tn_key key = tcp_key(1);
	struct tn_flow_mod fm;
	unsigned n_drops = 0;

	add_group(f, 9, TN_GROUP_TYPE_ALL, buckets, 2);
	add_apply(f, 0, list, 1, TN_GOTO_NONE);
	tn_flow_mod_init(&fm);
	fm.table_id = 6;
	tn_match_set_exact(&fm.match, TN_FIELD_REG2, 7);
	fm.inst.apply = out;
	fm.inst.n_apply = 1;
	add_flow(f, &fm);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "CLONE(OUT2*) CLONE*(OUT3*)");
	/* Round and round: it ends. */
	fm.inst.apply = list;
	add_flow(f, &fm);
	decide(f, &key, NULL);
	for (uint32_t i = 0; i < f->program.n_ops; i++)
		n_drops += f->program.ops[i].type == TN_OP_DROP &&
			f->program.ops[i].drop.reason == TN_DROP_PROGRAM_TOO_LONG;
	assert_int_equal(n_drops, 1);
}

static void test_fast_failover_follows_liveness(void **state)
{
	struct fixture *f = *state;
	struct tn_action a[] = {output(2)}, b[] = {output(3)};
	struct tn_bucket buckets[] = {bucket(0, a, 1), bucket(1, b, 1)};
	struct tn_action list[] = {{.type = TN_ACTION_GROUP, .group_id = 9}};
	struct tn_port_config_data port = {.number = 2};
	struct tn_key key = tcp_key(1);
	struct tn_error err;

	buckets[0].watch_port = 2;
	buckets[1].watch_port = 3;
	add_group(f, 9, TN_GROUP_TYPE_FF, buckets, 2);
	add_apply(f, 0, list, 1, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "CLONE*(OUT2*)");
	port.state = TN_PORT_STATE_LINK_DOWN;
	assert_int_equal(tn_switch_port_modify(f->sw, &port, 0, &err), 0);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "CLONE*(OUT3*)");
	port.number = 3;
	assert_int_equal(tn_switch_port_modify(f->sw, &port, 0, &err), 0);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "DROP:group_no_live*");
}

/* Shares of a SELECT group follow the weights, and taking a bucket away moves only its flows. */
static void test_select_weights(void **state)
{
	enum { N = 20000 };
	struct fixture *f = *state;
	struct tn_action a[] = {output(2)}, b[] = {output(3)}, c[] = {output(4)};
	struct tn_bucket buckets[] = {bucket(0, a, 1), bucket(1, b, 1), bucket(2, c, 1)};
	struct tn_action list[] = {{.type = TN_ACTION_GROUP, .group_id = 9}};
	struct tn_group_mod gm = {.command = TN_GROUP_MODIFY,
		.type = TN_GROUP_TYPE_SELECT,
		.group_id = 9,
		.buckets = buckets,
		.n_buckets = 2};
	static uint8_t chosen[N];
	unsigned share[5] = {0}, moved = 0;

	buckets[0].weight = 3;
	buckets[1].weight = 2;
	buckets[2].weight = 1;
	add_group(f, 9, TN_GROUP_TYPE_SELECT, buckets, 3);
	add_apply(f, 0, list, 1, TN_GOTO_NONE);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < N; i++) {
			struct tn_key key = tcp_key(1);
			uint32_t port;

			tn_field_set(&key, TN_FIELD_TCP_SRC, i & 0xffff);
			tn_field_set(&key, TN_FIELD_IPV4_SRC, 0x0a000000 + i * 7);
			decide(f, &key, NULL);
			port = f->program.ops[f->program.n_ops - 1].output.port;
			if (round)
				moved += chosen[i] != 4 && chosen[i] != port;
			else
				share[port]++;
			chosen[i] = (uint8_t)port;
		}
		commit(f, &(struct tn_mod){.kind = TN_MOD_GROUP, .group = &gm});
	}
	/* 1/2, 1/3, 1/6 within two percent of all */
	assert_in_range(share[2], N / 2 - N / 50, N / 2 + N / 50);
	assert_in_range(share[3], N / 3 - N / 50, N / 3 + N / 50);
	assert_in_range(share[4], N / 6 - N / 50, N / 6 + N / 50);
	assert_int_equal(moved, 0);
}

static void test_clone_leaves_the_packet(void **state)
{
	struct fixture *f = *state;
	struct tn_action list[] = {
		{.type = TN_ACTION_CLONE, .n_nested = 2},
		set_field(TN_FIELD_TCP_DST, 1),
		output(2),
		output(3),
	};
	struct tn_key key = tcp_key(1);

	add_apply(f, 0, list, 4, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "CLONE(SET:tcp_dst=1 OUT2*) OUT3*");
}

static void test_a_reply_stops_until_it_is_there(void **state)
{
	struct fixture *f = *state;
	struct tn_action list[] = {
		set_field(TN_FIELD_TUN_SRC, 1),
		set_field(TN_FIELD_TUN_DST, 2),
		{.type = TN_ACTION_REPLY,
			.reply = {.kind = TN_REPLY_TIME_EXCEEDED,
				.ip = tn_u128_from_ip4(0x0a0000fe)}},
		{.type = TN_ACTION_RESUBMIT, .resubmit = {.in_port = TN_PORT_IN_PORT, .table = 3}},
		output(TN_PORT_IN_PORT),
	};
	struct tn_action inner[] = {output(2)};
	struct tn_key key = tcp_key(1);
	struct tn_facts facts = {.n = 1, .fact[0] = {.kind = TN_FACT_REPARSED, .key = tcp_key(1)}};
	struct tn_flow_mod fm;

	add_apply(f, 0, list, 5, TN_GOTO_NONE);
	tn_flow_mod_init(&fm);
	fm.table_id = 3;
	tn_match_set_exact(&fm.match, TN_FIELD_TUN_SRC, 2);
	tn_match_set_exact(&fm.match, TN_FIELD_TUN_DST, 1);
	tn_match_set_exact(&fm.match, TN_FIELD_ETH_TYPE, 0x0800);
	tn_match_set_exact(&fm.match, TN_FIELD_IP_TTL, 7);
	fm.inst.apply = inner;
	fm.inst.n_apply = 1;
	add_flow(f, &fm);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "REPLY");
	/* The answer's headers, and a tunnel's ends exchanged. */
	facts.fact[0].op = f->program.n_ops - 1;
	tn_field_set(&facts.fact[0].key, TN_FIELD_IP_TTL, 7);
	decide(f, &key, &facts);
	assert_string_equal(text(f), "REPLY OUT2 OUT1*");
}

static void test_what_is_longer_leaves_the_list(void **state)
{
	struct fixture *f = *state;
	struct tn_action list[] = {
		{.type = TN_ACTION_IF_LONGER, .max_len = 1000, .n_nested = 2},
		set_field(TN_FIELD_TCP_DST, 1),
		output(2),
		output(3),
	};
	struct tn_action set[] = {output(4)};
	struct tn_facts facts = {.n = 1, .fact[0] = {.kind = TN_FACT_LONGER}};
	struct tn_key key = tcp_key(1);
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	tn_match_set_exact(&fm.match, TN_FIELD_ETH_TYPE, 0x0800);
	tn_match_set_exact(&fm.match, TN_FIELD_IP_PROTO, 6);
	fm.inst.apply = list;
	fm.inst.n_apply = 4;
	fm.inst.write = set;
	fm.inst.n_write = 1;
	add_flow(f, &fm);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "LONGER1000 OUT3 OUT4*");
	facts.fact[0].op = 1;
	decide(f, &key, &facts);
	assert_string_equal(text(f), "LONGER1000 SET:tcp_dst=1 OUT2*");
}

static void learn(struct fixture *f, const struct tn_key *key, uint32_t port, tn_u128 tunnel)
{
	const struct tn_learnt learnt = {.mac = key->eth_dst,
		.network = tn_network_of_tunnel(7),
		.in_port = port,
		.tunnel = tunnel};

	tn_switch_learn(f->sw, &learnt, 0);
}

static void test_networks_learn_and_find(void **state)
{
	struct fixture *f = *state;
	const struct tn_port_config_data tunnel = {.number = 9, .type = TN_PORT_VXLAN};
	struct tn_action list[] = {
		set_field(TN_FIELD_TUNNEL_ID, 7),
		{.type = TN_ACTION_LEARN, .limit = 5},
		output(3),
		{.type = TN_ACTION_FDB},
		output(2),
	};
	struct tn_key key = tcp_key(1);
	const struct tn_op *op;
	struct tn_error err;

	assert_int_equal(tn_switch_port_add(f->sw, &tunnel, 0, &err), 0);
	add_apply(f, 0, list, 5, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "LEARN OUT3 OUT2*");
	op = &f->program.ops[1];
	assert_int_equal(op->learn.network, tn_network_of_tunnel(7));
	assert_int_equal(op->learn.in_port, 1);
	assert_int_equal(op->learn.limit, 5);
	assert_true(op->learn.tunnel == 0);
	assert_int_equal(f->read.networks, 1u << tn_network_class(tn_network_of_tunnel(7)));
	assert_true(tn_field_get(&f->read.mask, TN_FIELD_ETH_SRC) == 0xffffffffffff);
	assert_true(tn_field_get(&f->read.mask, TN_FIELD_ETH_DST) == 0xffffffffffff);
	/* Known: there, and no further. Behind the ingress: not at all. Beyond a tunnel: its end.
	 */
	learn(f, &key, 4, 0);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "LEARN OUT3 OUT4*");
	learn(f, &key, 1, 0);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "LEARN OUT3 DROP:to_ingress*");
	tn_field_set(&key, TN_FIELD_TUN_SRC, 55);
	learn(f, &key, 9, 66);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "LEARN OUT3 OUT9*");
	op = &f->program.ops[f->program.n_ops - 1];
	assert_true(op->output.tun_dst == 66 && op->output.tun_src == 0);
	assert_int_equal(op->output.tunnel_id, 7);
	/* Its own end is where it came from, another end of the same port is not. */
	tn_field_set(&key, TN_FIELD_TUN_SRC, 66);
	list[1] = (struct tn_action){.type = TN_ACTION_SET_FIELD,
		.field = TN_FIELD_IN_PORT,
		.set = {.value = 9, .mask = UINT32_MAX}};
	add_apply(f, 0, list, 5, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "OUT3 DROP:to_ingress*");
	tn_field_set(&key, TN_FIELD_TUN_SRC, 77);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "OUT3 OUT9*");
	/* Where only ports count, what is beyond a tunnel is unknown; groups always are. */
	list[3].known.local = true;
	add_apply(f, 0, list, 5, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "OUT3 OUT2*");
	learn(f, &key, 4, 0);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "OUT3 OUT4*");
	key.eth_dst.b[0] |= 1;
	decide(f, &key, NULL);
	assert_string_equal(text(f), "OUT3 OUT2*");
}

/* What was learnt behind a circuit is sent to by its table, whatever else is behind the port. */
static void test_circuits(void **state)
{
	struct fixture *f = *state;
	struct tn_action list[] = {
		set_field(TN_FIELD_TUNNEL_ID, 7),
		{.type = TN_ACTION_CIRCUIT, .field = TN_FIELD_REG2, .circuit = {5, 6}},
		{.type = TN_ACTION_LEARN},
		{.type = TN_ACTION_FDB},
		output(2),
	};
	struct tn_action push[] = {{.type = TN_ACTION_PUSH_VLAN, .ethertype = 0x8100}, output(4)};
	struct tn_key key = tcp_key(1);
	struct tn_learnt learnt = {.mac = key.eth_dst,
		.network = tn_network_of_tunnel(7),
		.in_port = 4,
		.circuit = {5, 6, TN_FIELD_REG2}};
	const struct tn_op *op;

	add_apply(f, 0, list, 5, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "LEARN OUT2*");
	op = &f->program.ops[1];
	assert_int_equal(op->learn.circuit.number, 5);
	assert_int_equal(op->learn.circuit.table, 6);
	assert_int_equal(op->learn.circuit.field, TN_FIELD_REG2);
	/* Not of a flow that names it: not learnt. */
	learnt.circuit_flow = op->learn.circuit_flow + 1;
	tn_switch_learn(f->sw, &learnt, 0);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "LEARN OUT2*");
	learnt.circuit_flow = op->learn.circuit_flow;
	tn_switch_learn(f->sw, &learnt, 0);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "LEARN DROP:no_action*");
	add_apply(f, 6, push, 2, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "LEARN op4 OUT4*");
	/* It is what the packet came by, only if the port is, too. */
	learnt.in_port = 1;
	tn_switch_learn(f->sw, &learnt, 0);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "LEARN DROP:to_ingress*");
	learnt.in_port = 4;
	tn_switch_learn(f->sw, &learnt, 0);
	/* The same flow again: nothing is forgotten. One that does something else: it is. */
	add_apply(f, 0, list, 5, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "LEARN op4 OUT4*");
	list[4] = output(3);
	add_apply(f, 0, list, 5, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "LEARN OUT3*");
}

static void test_groups_of_circuits(void **state)
{
	struct fixture *f = *state;
	struct tn_action list[] = {
		set_field(TN_FIELD_TUNNEL_ID, 7),
		{.type = TN_ACTION_CIRCUIT, .field = TN_FIELD_REG2, .circuit = {5, 6}},
		{.type = TN_ACTION_MCAST},
		output(2),
	};
	struct tn_action push[] = {{.type = TN_ACTION_PUSH_VLAN, .ethertype = 0x8100}, output(4)};
	struct tn_key key = tcp_key(1);
	struct tn_snooped joins = {.group = tn_u128_from_ip4(0xef010101),
		.kind = TN_SNOOPED_JOIN,
		.network = tn_network_of_tunnel(7),
		.in_port = 4,
		.circuit = {5, 6, TN_FIELD_REG2}};

	key.eth_dst.b[0] |= 1;
	tn_field_set(&key, TN_FIELD_IPV4_DST, 0xef010101);
	add_apply(f, 0, list, 4, TN_GOTO_NONE);
	add_apply(f, 6, push, 2, TN_GOTO_NONE);
	joins.circuit_flow = (uint32_t)f->program.ops[0].flow_id;
	decide(f, &key, NULL);
	assert_string_equal(text(f), "OUT2*");
	joins.circuit_flow = (uint32_t)f->program.ops[0].flow_id;
	tn_switch_snoop(f->sw, &joins, 0);
	joins.in_port = 1; /* what the packet came by */
	tn_switch_snoop(f->sw, &joins, 0);
	joins.in_port = 3;
	joins.circuit = (struct tn_circuit){0};
	tn_switch_snoop(f->sw, &joins, 0);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "CLONE(op4 OUT4*) OUT3*");
	list[3] = output(1);
	add_apply(f, 0, list, 4, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "OUT3*");
}

static void test_resubmit_comes_back(void **state)
{
	struct fixture *f = *state;
	struct tn_action list[] = {
		{.type = TN_ACTION_RESUBMIT, .resubmit = {.in_port = TN_PORT_IN_PORT, .table = 3}},
		{.type = TN_ACTION_RESUBMIT, .resubmit = {.in_port = TN_PORT_IN_PORT, .table = 4}},
		output(3),
	};
	struct tn_action inner[] = {output(2)};
	struct tn_key key = tcp_key(1);

	add_apply(f, 0, list, 3, TN_GOTO_NONE);
	add_apply(f, 3, inner, 1, TN_GOTO_NONE);
	decide(f, &key, NULL);
	/* table 4 is empty: a resubmit that finds nothing is no drop */
	assert_string_equal(text(f), "OUT2 OUT3*");
}

static void test_move_copies_bits(void **state)
{
	struct fixture *f = *state;
	struct tn_action list[] = {
		{.type = TN_ACTION_MOVE,
			.field = TN_FIELD_TCP_DST,
			.move = {.src = TN_FIELD_IPV4_DST,
				.src_ofs = 0,
				.dst_ofs = 8,
				.n_bits = 8}},
		output(2),
	};
	struct tn_key key = tcp_key(1);

	add_apply(f, 0, list, 2, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "SET:tcp_dst=200 OUT2*");
	assert_true(tn_field_get(&f->read.mask, TN_FIELD_IPV4_DST) == UINT32_MAX);
}

static void test_packet_in_reasons(void **state)
{
	struct fixture *f = *state;
	struct tn_action list[] = {output(TN_PORT_CONTROLLER)};
	struct tn_bucket one = bucket(0, list, 1);
	struct tn_action group[] = {{.type = TN_ACTION_GROUP, .group_id = 1}};
	struct tn_key key = tcp_key(1);
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	fm.priority = 0;
	fm.inst.apply = list;
	fm.inst.n_apply = 1;
	add_flow(f, &fm);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "CTRL0*");
	fm.priority = 1;
	add_flow(f, &fm);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "CTRL1*");
	fm.priority = 2;
	fm.inst.n_apply = 0;
	fm.inst.write = list;
	fm.inst.n_write = 1;
	add_flow(f, &fm);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "CTRL3*");
	add_group(f, 1, TN_GROUP_TYPE_INDIRECT, &one, 1);
	fm.priority = 3;
	fm.inst.write = group;
	add_flow(f, &fm);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "CLONE*(CTRL4*)");
}

static void test_normal_learns_and_floods(void **state)
{
	struct fixture *f = *state;
	struct tn_action list[] = {output(TN_PORT_NORMAL)};
	struct tn_mac dst = {{2, 0, 0, 0, 0, 2}};
	struct tn_key key = tcp_key(1);

	add_apply(f, 0, list, 1, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_int_equal(f->program.ops[1].type, TN_OP_LEARN);
	assert_string_equal(text(f), "LEARN OUT2 OUT3 OUT4*");
	tn_switch_learn(f->sw, &(struct tn_learnt){.mac = dst, .in_port = 3}, 0);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "LEARN OUT3*");
}

static void test_vlan_pop_of_third_tag_asks_for_the_frame(void **state)
{
	struct fixture *f = *state;
	struct tn_action list[] = {simple(TN_ACTION_POP_VLAN), output(2)};
	struct tn_key key = tcp_key(1);
	struct tn_facts *facts = calloc(1, sizeof(*facts));
	struct tn_flow_mod fm;

	tn_field_set(&key, TN_FIELD_VLAN_VID, 0x1001);
	tn_field_set(&key, TN_FIELD_INNER_VLAN_VID, 0x1002);
	tn_field_set(&key, TN_FIELD_ETH_TYPE, 0x8100);
	tn_flow_mod_init(&fm);
	tn_match_set_exact(&fm.match, TN_FIELD_VLAN_VID, 0x1001);
	fm.inst.apply = list;
	fm.inst.n_apply = 2;
	add_flow(f, &fm);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "op5 op15");
	facts->n = 1;
	facts->fact[0] = (struct tn_fact){
		.kind = TN_FACT_REPARSED, .op = f->program.n_ops - 1, .key = tcp_key(0)};
	decide(f, &key, facts);
	assert_string_equal(text(f), "op5 op15 OUT2*");
	free(facts);
}

/* What an op writes from bytes that are not in the key is read back before tables match it. */
static void test_copied_ttl_and_changed_type_are_read_back(void **state)
{
	struct fixture *f = *state;
	struct tn_action copy[] = {simple(TN_ACTION_COPY_TTL_OUT), output(2)};
	struct tn_action type[] = {set_field(TN_FIELD_ICMPV6_TYPE, 136), output(3)};
	struct tn_key key = tcp_key(1);
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	tn_match_set_exact(&fm.match, TN_FIELD_ETH_TYPE, 0x0800);
	fm.inst.apply = copy;
	fm.inst.n_apply = 2;
	add_flow(f, &fm);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "OUT2*");
	tn_field_set(&key, TN_FIELD_IP_PROTO, 4);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "op8 op15");
	tn_flow_mod_init(&fm);
	tn_match_set_exact(&fm.match, TN_FIELD_ETH_TYPE, 0x86dd);
	tn_match_set_exact(&fm.match, TN_FIELD_IP_PROTO, 58);
	fm.inst.apply = type;
	fm.inst.n_apply = 2;
	add_flow(f, &fm);
	tn_field_set(&key, TN_FIELD_ETH_TYPE, 0x86dd);
	tn_field_set(&key, TN_FIELD_IP_PROTO, 58);
	decide(f, &key, NULL);
	assert_string_equal(text(f), "SET:icmpv6_type=88 op15");
}

/* After a remark later tables match the new DSCP. */
static void test_meter_remark_fact(void **state)
{
	struct fixture *f = *state;
	struct tn_band band = {.type = TN_BAND_DSCP_REMARK, .rate = 1, .prec_level = 1};
	struct tn_meter_mod mm = {.command = TN_METER_ADD,
		.meter_id = 1,
		.flags = TN_METER_PKTPS,
		.bands = &band,
		.n_bands = 1};
	struct tn_action low[] = {output(2)}, high[] = {output(3)};
	struct tn_facts *facts = calloc(1, sizeof(*facts));
	struct tn_key key = tcp_key(1);
	struct tn_flow_mod fm;

	commit(f, &(struct tn_mod){.kind = TN_MOD_METER, .meter = &mm});
	tn_field_set(&key, TN_FIELD_IP_DSCP, 10);
	tn_flow_mod_init(&fm);
	fm.inst.meter_id = 1;
	fm.inst.goto_table = 1;
	add_flow(f, &fm);
	for (unsigned dscp = 10; dscp <= 12; dscp += 2) {
		tn_flow_mod_init(&fm);
		fm.table_id = 1;
		tn_match_set_exact(&fm.match, TN_FIELD_ETH_TYPE, 0x0800);
		tn_match_set_exact(&fm.match, TN_FIELD_IP_DSCP, dscp);
		fm.inst.apply = dscp == 10 ? low : high;
		fm.inst.n_apply = 1;
		add_flow(f, &fm);
	}
	decide(f, &key, NULL);
	assert_string_equal(text(f), "op2 OUT2*");
	facts->n = 1;
	facts->fact[0] = (struct tn_fact){.kind = TN_FACT_REMARKED, .op = 1, .dscp = 12};
	decide(f, &key, facts);
	assert_string_equal(text(f), "op2 OUT3*");
	free(facts);
}

static void test_packet_out_through_the_tables(void **state)
{
	struct fixture *f = *state;
	struct tn_action flow_list[] = {output(2)};
	struct tn_action list[] = {output(3), output(TN_PORT_TABLE), output(TN_PORT_CONTROLLER)};
	struct tn_key key = tcp_key(1);

	add_apply(f, 0, flow_list, 1, TN_GOTO_NONE);
	tn_decide_actions(
		tn_switch_snapshot(f->sw), &key, list, 3, 0, NULL, &f->program, &f->read, NULL);
	assert_string_equal(text(f), "OUT3 OUT2 CTRL5*");
}

/* An endless fan-out ends in a counted drop, and no op is written past the program. */
static void test_program_too_long(void **state)
{
	struct fixture *f = *state;
	static struct tn_action many[512];
	struct tn_bucket buckets[16];
	struct tn_action group[] = {{.type = TN_ACTION_GROUP, .group_id = 2}};
	struct tn_action top[] = {{.type = TN_ACTION_GROUP, .group_id = 1}};
	struct tn_action out[] = {output(2)};
	struct tn_key key = tcp_key(1);
	const struct tn_op *last;

	for (unsigned i = 0; i < 512; i++)
		many[i] = top[0];
	for (uint32_t i = 0; i < 16; i++)
		buckets[i] = bucket(i, out, 1);
	add_group(f, 2, TN_GROUP_TYPE_ALL, buckets, 16);
	for (uint32_t i = 0; i < 16; i++)
		buckets[i] = bucket(i, group, 1);
	add_group(f, 1, TN_GROUP_TYPE_ALL, buckets, 16);
	add_apply(f, 0, many, 512, TN_GOTO_NONE);
	decide(f, &key, NULL);
	assert_int_equal(f->program.n_ops, TN_PROGRAM_OPS_MAX);
	last = &f->program.ops[TN_PROGRAM_OPS_MAX - 1];
	assert_int_equal(last->type, TN_OP_DROP);
	assert_int_equal(last->drop.reason, TN_DROP_PROGRAM_TOO_LONG);
}

static void test_same_input_same_program(void **state)
{
	struct fixture *f = *state;
	struct tn_action list[] = {
		set_field(TN_FIELD_TCP_DST, 1), output(2), output(TN_PORT_FLOOD)};
	struct tn_program *first = malloc(sizeof(*first));
	struct tn_key key = tcp_key(1);

	add_apply(f, 0, list, 3, TN_GOTO_NONE);
	decide(f, &key, NULL);
	memcpy(first, &f->program, sizeof(*first));
	memset(&f->program, 0xa5, sizeof(f->program));
	decide(f, &key, NULL);
	assert_int_equal(first->n_ops, f->program.n_ops);
	assert_memory_equal(first->ops, f->program.ops, first->n_ops * sizeof(first->ops[0]));
	free(first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty_table_drops),
		TEST(output_takes_the_packet),
		TEST(no_output_is_an_explicit_drop),
		TEST(output_to_ingress_is_dropped_unless_in_port),
		TEST(unknown_port),
		TEST(rewrite_is_seen_by_later_tables),
		TEST(action_set_order),
		TEST(clear_actions_and_metadata),
		TEST(group_all_copies),
		TEST(a_bucket_resubmits),
		TEST(fast_failover_follows_liveness),
		TEST(select_weights),
		TEST(clone_leaves_the_packet),
		TEST(a_reply_stops_until_it_is_there),
		TEST(what_is_longer_leaves_the_list),
		TEST(networks_learn_and_find),
		TEST(circuits),
		TEST(groups_of_circuits),
		TEST(resubmit_comes_back),
		TEST(move_copies_bits),
		TEST(packet_in_reasons),
		TEST(normal_learns_and_floods),
		TEST(vlan_pop_of_third_tag_asks_for_the_frame),
		TEST(copied_ttl_and_changed_type_are_read_back),
		TEST(meter_remark_fact),
		TEST(packet_out_through_the_tables),
		TEST(program_too_long),
		TEST(same_input_same_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
