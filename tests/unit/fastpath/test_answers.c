/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker does for tenant networks beside forwarding: answers and their budget, another way
 * for longer packets, telling where stations are.
 */
#include "dataplane/fastpath/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/core/reply_budget.h"
#include "tests/unit/core/packets.h"
#include "tests/unit/fastpath/heap_buffers.h"

#define N_PORTS	  4u
#define VXLAN	  10u
#define UPLINK	  1u /* index */
#define LOCAL_IP  0xc6336401u
#define REMOTE_IP 0xc6336402u
#define SECOND	  UINT64_C(1000000000)

struct bed {
	struct tn_switch *sw;
	struct tn_forwarding *fwd;
	struct tn_tunnels *tunnels;
	struct tn_underlay *underlay;
	struct tn_port ports[N_PORTS];
	struct tn_worker *worker;
	unsigned sent[N_PORTS];
	uint64_t lookups[TN_N_TABLES];
	unsigned told, told_late;
	struct tn_learnt learnt; /* told last */
};

static struct bed *bed_now;

static unsigned port_tx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	(void)queue;
	bed_now->sent[port - bed_now->ports] += n;
	buffer_free(NULL, packets, n);
	return n;
}

static const struct tn_port_ops port_ops = {.kind = "memory", .tx = port_tx};

static bool on_count(void *ctx, const struct tn_count *count)
{
	(void)ctx;
	bed_now->lookups[count->table] += count->lookups;
	return true;
}

static void on_learn(void *ctx, const struct tn_learnt *learnt)
{
	(void)ctx;
	bed_now->told += !learnt->late;
	bed_now->told_late += learnt->late;
	bed_now->learnt = *learnt;
}

static void add_ports(struct bed *b)
{
	struct tn_port_config_data port = {.number = 1};
	struct tn_error err;

	for (unsigned i = 0; i < N_PORTS; i++) {
		port.number = i + 1;
		assert_int_equal(tn_switch_port_add(b->sw, &port, 0, &err), 0);
		b->ports[i].ops = &port_ops;
		b->fwd->ports[i] = (struct tn_forwarding_port){.kind = TN_FWD_PLAIN,
			.number = i + 1,
			.port = &b->ports[i],
			.underlay = i == UPLINK,
			.max_frame = TN_FRAME_MAX};
	}
	port.number = VXLAN;
	port.type = TN_PORT_VXLAN;
	assert_int_equal(tn_switch_port_add(b->sw, &port, 0, &err), 0);
	b->fwd->ports[N_PORTS] = (struct tn_forwarding_port){
		.kind = TN_FWD_TUNNEL, .number = VXLAN, .max_frame = TN_FRAME_MAX};
	b->fwd->n_ports = N_PORTS + 1;
}

static int setup(void **state)
{
	const struct tn_underlay_address address = {.address = tn_u128_from_ip4(LOCAL_IP),
		.prefix_len = 24,
		.mac = {{2, 0xaa, 0, 0, 0, 1}},
		.port = UPLINK + 1};
	const struct tn_underlay_neighbour neighbour = {.address = tn_u128_from_ip4(REMOTE_IP),
		.mac = {{2, 0xaa, 0, 0, 0, 2}},
		.port = UPLINK + 1};
	const struct tn_underlay_config underlay = {.addresses = &address,
		.n_addresses = 1,
		.neighbours = &neighbour,
		.n_neighbours = 1};
	const tn_u128 peers[] = {tn_u128_from_ip4(REMOTE_IP), tn_u128_from_ip4(REMOTE_IP + 1)};
	const struct tn_tunnel_config tunnel = {.number = VXLAN,
		.options = {.remote_flow = true,
			.vni_flow = true,
			.udp_port = 4789,
			.ttl = 64,
			.dscp = -1,
			.dont_fragment = true,
			.peers = peers,
			.n_peers = 2}};
	const struct tn_worker_config config = {.sessions = 128,
		.seed = 7,
		.buffers = &buffer_ops,
		.events = {.count = on_count, .learn = on_learn}};
	struct bed *b = calloc(1, sizeof(*b));
	uint32_t x, y;

	bed_now = b;
	b->sw = tn_switch_new(1);
	b->fwd = calloc(1, sizeof(*b->fwd));
	b->underlay = tn_underlay_new(&underlay);
	assert_int_equal(tn_tunnels_new(&b->tunnels, &tunnel, 1, &x, &y), 0);
	add_ports(b);
	b->fwd->tunnels = b->tunnels;
	b->fwd->underlay = b->underlay;
	b->fwd->snapshot = tn_switch_snapshot(b->sw);
	b->worker = tn_worker_new(&config);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	tn_worker_free(b->worker);
	assert_int_equal(buffers_live, 0);
	tn_switch_free(b->sw);
	tn_tunnels_free(b->tunnels);
	tn_underlay_free(b->underlay);
	free(b->fwd);
	free(b);
	return 0;
}

static struct tn_action set(enum tn_field_id id, tn_u128 value)
{
	return (struct tn_action){.type = TN_ACTION_SET_FIELD,
		.field = (uint8_t)id,
		.set = {.value = value, .mask = tn_field_ones(id)}};
}

static struct tn_action output(uint32_t port)
{
	return (struct tn_action){
		.type = TN_ACTION_OUTPUT, .output = {.port = port, .reason = TN_REASON_DEFAULT}};
}

/* Of IPv4 packets. */
static void flow(
	struct bed *b, uint8_t table, const struct tn_action *list, unsigned n, uint8_t goto_table)
{
	struct tn_flow_mod fm;
	const struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = &fm};
	struct tn_error err = {0};
	size_t failed;

	tn_flow_mod_init(&fm);
	fm.table_id = table;
	tn_match_set_exact(&fm.match, TN_FIELD_ETH_TYPE, 0x0800);
	fm.inst.apply = list;
	fm.inst.n_apply = (uint16_t)n;
	fm.inst.goto_table = goto_table;
	if (tn_switch_commit(b->sw, &mod, 1, 0, &failed, &err))
		fail_msg("%s: %s", tn_of_error_name(err.of), err.detail);
	b->fwd->snapshot = tn_switch_snapshot(b->sw);
}

static void make(unsigned payload, struct frame *f)
{
	struct packet p;

	packet_init(&p);
	p.dst = 0x0a000002;
	p.payload = payload;
	packet_build(&p, f);
}

static void wrap_from(uint32_t vni, uint32_t remote, struct frame *f)
{
	const struct tn_vxlan_encap encap = {.src = tn_u128_from_ip4(remote),
		.dst = tn_u128_from_ip4(LOCAL_IP),
		.eth_src = {{2, 0xaa, 0, 0, 0, 2}},
		.eth_dst = {{2, 0xaa, 0, 0, 0, 1}},
		.vni = vni,
		.udp_dst = 4789,
		.ttl = 64};
	struct tn_headers h;

	assert_int_equal(tn_parse(&f->view, &h), TN_DROP_NONE);
	assert_int_equal(tn_vxlan_push(&f->view, &encap, &h, 0), TN_DROP_NONE);
}

static void wrap(uint32_t vni, struct frame *f)
{
	wrap_from(vni, REMOTE_IP, f);
}

/* n times that frame, in bursts. */
static void run(struct bed *b, unsigned index, const struct frame *f, unsigned n, uint64_t now_ns)
{
	struct tn_packet burst[TN_BURST];

	for (unsigned left = n, now; left; left -= now) {
		now = left < TN_BURST ? left : TN_BURST;
		for (unsigned i = 0; i < now; i++) {
			(void)buffer_alloc(NULL, f->view.len, &burst[i]);
			memcpy(burst[i].data, f->view.data, f->view.len);
		}
		tn_worker_burst(b->worker, b->fwd, index, burst, now, now_ns);
		tn_worker_flush(b->worker, b->fwd);
	}
}

static uint64_t dropped(const struct bed *b, unsigned index, enum tn_drop reason)
{
	return tn_worker_port_stats(b->worker, index)->dropped[reason];
}

static void tell_and_send_back(struct bed *b)
{
	const struct tn_action list[] = {
		{.type = TN_ACTION_REPLY,
			.reply = {.kind = TN_REPLY_TIME_EXCEEDED,
				.ip = tn_u128_from_ip4(0x0a0000fe)}},
		output(TN_PORT_IN_PORT),
	};

	flow(b, 0, list, 2, TN_GOTO_NONE);
}

/* So many in one go, then so many a second; each port has its own. */
static void test_answers_have_a_budget(void **state)
{
	struct bed *b = *state;
	static struct frame f;

	make(20, &f);
	tell_and_send_back(b);
	run(b, 0, &f, 2 * TN_REPLY_BURST, SECOND);
	assert_int_equal(b->sent[0], TN_REPLY_BURST);
	assert_int_equal(dropped(b, 0, TN_DROP_REPLY_BUDGET), TN_REPLY_BURST);
	run(b, 2, &f, TN_BURST, SECOND);
	assert_int_equal(b->sent[2], TN_BURST);
	run(b, 0, &f, TN_BURST, SECOND + SECOND / TN_REPLY_RATE * 5);
	assert_int_equal(b->sent[0], TN_REPLY_BURST + 5);
}

/* Networks behind one tunnel port take nothing from each other. */
static void test_networks_have_their_own_budget(void **state)
{
	struct bed *b = *state;
	static struct frame f;

	tell_and_send_back(b);
	make(20, &f);
	wrap(5, &f);
	run(b, UPLINK, &f, 2 * TN_REPLY_BURST, SECOND);
	assert_int_equal(b->sent[UPLINK], TN_REPLY_BURST);
	make(20, &f);
	wrap(6, &f);
	run(b, UPLINK, &f, TN_BURST, SECOND);
	assert_int_equal(b->sent[UPLINK], TN_REPLY_BURST + TN_BURST);
	/* What the uplink's host asks for is another matter. */
	make(20, &f);
	run(b, UPLINK, &f, TN_BURST, SECOND);
	assert_int_equal(b->sent[UPLINK], TN_REPLY_BURST + 2 * TN_BURST);
}

/* What is longer takes another way through the tables, and is counted there alone. */
static void test_longer_packets_are_counted_on_their_way(void **state)
{
	struct bed *b = *state;
	const struct tn_action first[] = {
		{.type = TN_ACTION_IF_LONGER, .max_len = 100, .n_nested = 1},
		{.type = TN_ACTION_RESUBMIT, .resubmit = {.in_port = TN_PORT_IN_PORT, .table = 2}},
	};
	const struct tn_action tunnel[] = {
		set(TN_FIELD_TUN_DST, tn_u128_from_ip4(REMOTE_IP)), output(VXLAN)};
	const struct tn_action rewrite[] = {set(TN_FIELD_ETH_SRC, 0x020000000099), output(3)};
	const struct tn_action plain = output(3), out = output(4);
	static struct frame fits, longer;
	struct tn_worker_stats stats;

	make(72, &fits);
	make(73, &longer);
	flow(b, 0, first, 2, 1);
	flow(b, 2, &out, 1, TN_GOTO_NONE);
	for (unsigned way = 0; way < 3; way++) {
		/* To a port, into a tunnel, through the executor. */
		if (way == 0)
			flow(b, 1, &plain, 1, TN_GOTO_NONE);
		else
			flow(b, 1, way == 1 ? tunnel : rewrite, 2, TN_GOTO_NONE);
		for (unsigned i = 0; i < 2; i++) {
			run(b, 0, &fits, 3 * TN_BURST, SECOND);
			run(b, 0, &longer, TN_BURST, SECOND);
		}
		tn_worker_sweep(b->worker, UINT32_MAX);
		assert_int_equal(b->lookups[0], (way + 1) * 8 * TN_BURST);
		assert_int_equal(b->lookups[1], (way + 1) * 6 * TN_BURST);
		assert_int_equal(b->lookups[2], (way + 1) * 2 * TN_BURST);
	}
	assert_int_equal(b->sent[2], 12 * TN_BURST);
	assert_int_equal(b->sent[UPLINK], 6 * TN_BURST);
	assert_int_equal(b->sent[3], 6 * TN_BURST);
	tn_worker_stats(b->worker, &stats);
	assert_int_equal(stats.misses, 3); /* one session for both lengths */
}

/* Learning costs a hit nothing: what ran since is told when counts are. */
static void test_sources_are_told(void **state)
{
	struct bed *b = *state;
	const struct tn_action list[] = {
		set(TN_FIELD_TUNNEL_ID, 7), {.type = TN_ACTION_LEARN, .limit = 9}, output(3)};
	static struct frame f;
	struct tn_worker_stats stats;

	make(20, &f);
	flow(b, 0, list, 3, TN_GOTO_NONE);
	run(b, 0, &f, 5 * TN_BURST, SECOND);
	assert_int_equal(b->sent[2], 5 * TN_BURST);
	assert_int_equal(b->told, 1);
	assert_int_equal(b->learnt.in_port, 1);
	assert_int_equal(b->learnt.limit, 9);
	tn_worker_stats(b->worker, &stats);
	assert_int_equal(stats.misses, 1);
	tn_worker_sweep(b->worker, UINT32_MAX);
	assert_int_equal(b->told_late, 1);
	tn_worker_sweep(b->worker, UINT32_MAX); /* nothing came since */
	assert_int_equal(b->told_late, 1);
	/* Once something changed in the network, what comes next is told at once. */
	tn_switch_learn(b->sw, &b->learnt, SECOND);
	assert_int_equal(tn_switch_publish_addresses(b->sw), 1);
	b->fwd->snapshot = tn_switch_snapshot(b->sw);
	run(b, 0, &f, TN_BURST, SECOND);
	assert_int_equal(b->told, 2);
}

/* The same packet through two tunnels, where it matters which: a session each. */
static void test_ends_of_tunnels_are_told_apart(void **state)
{
	struct bed *b = *state;
	const struct tn_action list[] = {{.type = TN_ACTION_LEARN}, output(3)};
	static struct frame one, other;
	struct tn_worker_stats stats;

	make(20, &one);
	make(20, &other);
	wrap_from(5, REMOTE_IP, &one);
	wrap_from(5, REMOTE_IP + 1, &other);
	flow(b, 0, list, 2, TN_GOTO_NONE);
	run(b, UPLINK, &one, 1, SECOND); /* that the ends matter is found out by this one */
	for (unsigned round = 0; round < 3; round++) {
		run(b, UPLINK, &one, TN_BURST, SECOND);
		if (!round)
			assert_true(b->learnt.tunnel == tn_u128_from_ip4(REMOTE_IP));
		run(b, UPLINK, &other, TN_BURST, SECOND);
		assert_true(b->learnt.tunnel == tn_u128_from_ip4(REMOTE_IP + 1));
	}
	assert_int_equal(b->told, 3);
	assert_int_equal(b->sent[2], 6 * TN_BURST + 1);
	tn_worker_stats(b->worker, &stats);
	assert_int_equal(stats.uncached, 1);
	assert_int_equal(stats.misses, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_have_a_budget),
		TEST(networks_have_their_own_budget),
		TEST(longer_packets_are_counted_on_their_way),
		TEST(sources_are_told),
		TEST(ends_of_tunnels_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
