/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/agent.h"

#include "tests/unit/agent/agent_fixture.h"

#define SECOND UINT64_C(1000000000)

/* --- forwarding and counters ------------------------------------------------------------------ */

static bool all_came(struct bed *b)
{
	(void)collect(2);
	return b->wanted <= b->collected[2];
}

static void send_frames(uint32_t port, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_true(inject(driver(port), 2, 1, i));
}

static void take_flow(void *ctx, const struct tn_flow_info *flow)
{
	*(struct tn_flow_info *)ctx = *flow;
}

static void take_port(void *ctx, const struct tn_agent_port_info *port)
{
	*(struct tn_agent_port_info *)ctx = *port;
}

static bool counts_came(struct bed *b)
{
	return tn_agent_counts_came(b->agent, (uint32_t)b->wanted);
}

static void test_forwards_and_counts(void **state)
{
	struct tn_action out = output(2);
	struct tn_flow_mod fm = flow_to(1, &out);
	struct tn_agent_port_info port;
	struct tn_flow_info flow = {0};

	(void)state;
	commit(&fm);
	for (unsigned round = 1; round <= 3; round++) {
		send_frames(1, 100);
		bed.wanted = 100ull * round;
		run_until(all_came);
		bed.wanted = tn_agent_ask_counts(bed.agent);
		run_until(counts_came);
		assert_int_equal(tn_switch_flows(bed.agent->sw, NULL, take_flow, &flow), 0);
		assert_int_equal(flow.counter.packets, 100 * round);
		assert_int_equal(flow.counter.bytes, 100 * round * FRAME);
		assert_true(flow.last_used_ns > flow.created_ns);
	}
	assert_int_equal(bed.collected[2], 300);
	assert_true(tn_agent_port(bed.agent, 1, take_port, &port));
	assert_int_equal(port.stats.rx_packets, 300);
	assert_int_equal(port.stats.rx_bytes, 300 * FRAME);
	assert_true(tn_agent_port(bed.agent, 2, take_port, &port));
	assert_int_equal(port.stats.tx_packets, 300);
	assert_false(tn_agent_port(bed.agent, 77, take_port, &port));
}

/* A port that has an index which another one had counts from zero. */
static void test_counters_of_a_new_port(void **state)
{
	struct tn_action out = output(2);
	struct tn_flow_mod fm = flow_to(1, &out);
	struct tn_agent_port_info port;

	(void)state;
	commit(&fm);
	send_frames(1, 10);
	bed.wanted = 10;
	run_until(all_came);
	remove_port(1);
	add_port(1);
	assert_true(tn_agent_port(bed.agent, 1, take_port, &port));
	assert_int_equal(port.stats.rx_packets, 0);
}

static bool worker_sleeps(struct bed *b)
{
	return __atomic_load_n(&b->agent->workers[0].sleeping, __ATOMIC_RELAXED) &&
		__atomic_load_n(&b->agent->workers[1].sleeping, __ATOMIC_RELAXED);
}

/*
 * How long the first packet waits for a worker that sleeps, on a port without a descriptor. What is
 * promised is a millisecond; a busy test machine makes it longer, so only the number is told.
 */
static void test_first_packet(void **state)
{
	struct tn_action out = output(2);
	struct tn_flow_mod fm = flow_to(1, &out);
	uint64_t sum = 0, most = 0;

	(void)state;
	commit(&fm);
	for (unsigned i = 0; i < 50; i++) {
		uint64_t start, wait;

		run_until(worker_sleeps);
		start = tn_agent_now(bed.agent);
		assert_true(inject(driver(1), 2, 1, i));
		do
			wait = tn_agent_now(bed.agent) - start;
		while (!collect(2) && wait < DEADLINE_NS);
		assert_true(wait < DEADLINE_NS);
		sum += wait;
		most = wait > most ? wait : most;
	}
	print_message("first packet after idle: %lu us on average, %lu us at most\n",
		(unsigned long)(sum / 50 / 1000), (unsigned long)(most / 1000));
}

/* --- time ------------------------------------------------------------------------------------- */

static bool no_flows(struct bed *b)
{
	return tn_switch_flow_count(b->agent->sw) == 0;
}

/* When a frame was sent last, and one came last; the longest time in which none came. */
static struct {
	uint64_t sent_ns, came_ns, pause_ns;
} use;

/* In use for longer than its idle time; the frames go all by its session. */
static bool used_for_long(struct bed *b)
{
	use.sent_ns = tn_agent_now(b->agent);
	if (use.sent_ns - use.came_ns > use.pause_ns)
		use.pause_ns = use.sent_ns - use.came_ns;
	(void)inject(driver(1), 2, 1, 7);
	if (collect(2))
		use.came_ns = use.sent_ns;
	return no_flows(b) || use.sent_ns >= b->wanted;
}

/* On a busy machine this process, or a worker, may not run for so long that the flow is idle. */
static bool was_in_use(const struct tn_flow_mod *fm)
{
	commit(fm);
	use.came_ns = tn_agent_now(bed.agent);
	use.pause_ns = 0;
	bed.wanted = use.came_ns + 2 * SECOND;
	run_until(used_for_long);
	return !no_flows(&bed) || use.pause_ns < SECOND / 2;
}

static void test_idle_timeout(void **state)
{
	struct tn_action out = output(2);
	struct tn_flow_mod fm = flow_to(1, &out);
	unsigned tries = 1;

	(void)state;
	fm.idle_timeout = 1;
	while (!was_in_use(&fm) && tries < 20)
		tries++;
	assert_int_equal(tn_switch_flow_count(bed.agent->sw), 1);
	run_until(no_flows);
	assert_true(tn_agent_now(bed.agent) >= use.sent_ns + SECOND - SECOND / 10);
}

/* --- addresses -------------------------------------------------------------------------------- */

static bool flooded(struct bed *b)
{
	(void)collect(2);
	(void)collect(3);
	return b->collected[2] && b->collected[3];
}

static bool answered(struct bed *b)
{
	(void)collect(1);
	return b->collected[1];
}

/* Until what host 1 sends to host 2 goes by port 2 alone. */
static bool known(struct bed *b)
{
	uint64_t on_3;

	(void)collect(2);
	on_3 = collect(3);
	if (b->collected[2] > 20 && !on_3)
		return true;
	(void)inject(driver(1), 2, 1, 9);
	return false;
}

static void test_learns(void **state)
{
	struct tn_action normal = output(TN_PORT_NORMAL);
	struct tn_flow_mod fm;

	(void)state;
	tn_flow_mod_init(&fm);
	fm.inst.apply = &normal;
	fm.inst.n_apply = 1;
	commit(&fm);
	assert_true(inject(driver(1), 2, 1, 1));
	run_until(flooded);
	assert_true(inject(driver(2), 1, 2, 2));
	run_until(answered);
	forget_collected();
	run_until(known);
	/* Host 2 moves. */
	assert_true(inject(driver(4), 1, 2, 3));
	bed.collected[1] = 0;
	run_until(answered);
}

/* --- packet-ins and packet-outs --------------------------------------------------------------- */

static void on_punt(void *ctx, const struct tn_punt *punt)
{
	struct bed *b = ctx;

	b->punts++;
	b->last_punt = *punt;
	memcpy(b->punt_frame, punt->frame, punt->len < FRAME ? punt->len : FRAME);
}

static bool punted(struct bed *b)
{
	return b->punts >= b->wanted;
}

static uint64_t drops_at(uint32_t number, enum tn_drop reason)
{
	struct tn_agent_port_info port = {0};

	(void)tn_agent_port(bed.agent, number, take_port, &port);
	return port.stats.dropped[reason];
}

static bool all_punted_or_dropped(struct bed *b)
{
	return b->punts + drops_at(1, TN_DROP_PUNT_FULL) == b->wanted;
}

static void test_packet_ins(void **state)
{
	struct tn_action out = output(TN_PORT_CONTROLLER);
	struct tn_flow_mod fm = flow_to(1, &out);
	uint8_t frame[FRAME];
	unsigned injected = 1;

	(void)state;
	bed.punts = 0;
	fm.cookie = 42;
	commit(&fm);
	tn_agent_set_packet_in(bed.agent, on_punt, &bed);
	make_frame(frame, 2, 1, 5);
	assert_true(inject(driver(1), 2, 1, 5));
	bed.wanted = 1;
	run_until(punted);
	assert_int_equal(bed.last_punt.in_port, 1);
	assert_int_equal(bed.last_punt.in_phy_port, 1);
	assert_int_equal(bed.last_punt.cookie, 42);
	assert_int_equal(bed.last_punt.len, FRAME);
	assert_int_equal(bed.last_punt.total_len, FRAME);
	assert_memory_equal(bed.punt_frame, frame, FRAME);
	/* More than the port's budget allows: the rest is dropped and counted. */
	while (injected < 20000)
		injected += inject(driver(1), 2, 1, injected);
	bed.wanted = injected;
	run_until(all_punted_or_dropped);
	assert_true(drops_at(1, TN_DROP_PUNT_FULL) > 0);
	assert_true(bed.punts >= 500);
}

/* --- tunnels ---------------------------------------------------------------------------------- */

static void no_underlay(void)
{
	const struct tn_underlay_config nothing = {0};
	struct tn_error err;

	assert_int_equal(tn_agent_set_underlay(bed.agent, &nothing, &err), 0);
}

/* Port 5, by the uplink 4. */
static void say_tunnel(const tn_u128 *peers, size_t n_peers, uint32_t vni)
{
	const struct tn_port_request request = {.number = 5,
		.name = "vx",
		.type = "vxlan",
		.enabled = true,
		.vxlan = {.remote_flow = true,
			.vni_flow = true,
			.vnis = &vni,
			.n_vnis = 1,
			.udp_port = 4789,
			.ttl = 64,
			.dscp = -1,
			.peers = peers,
			.n_peers = n_peers}};
	struct tn_error err;

	if (tn_agent_port_add(bed.agent, &request, &err))
		fail_msg("%s", err.detail);
}

static void into_tunnel(void)
{
	static struct tn_action to[3] = {
		{.type = TN_ACTION_SET_FIELD, .field = TN_FIELD_TUNNEL_ID, .set = {.value = 7}},
		{.type = TN_ACTION_SET_FIELD, .field = TN_FIELD_TUN_DST},
	};
	struct tn_flow_mod fm = flow_to(1, to);

	to[0].set.mask = tn_field_ones(TN_FIELD_TUNNEL_ID);
	to[1].set.mask = tn_field_ones(TN_FIELD_TUN_DST);
	to[1].set.value = there;
	to[2] = output(5);
	fm.inst.n_apply = 3;
	commit(&fm);
}

/* Frames of the tunnel, as the other end sends them; what port 4 sends is one, ends exchanged. */
static void from_tunnel(uint8_t *frame, size_t *len)
{
	uint8_t sent[256];
	int n;

	while ((n = tn_memory_port_collect(driver(4), sent, sizeof(sent))) <= 0)
		assert_true(tn_agent_now(bed.agent) < bed.deadline_ns);
	memcpy(frame, sent, (size_t)n);
	memcpy(frame, sent + 6, 6);
	memcpy(frame + 6, sent, 6);
	memcpy(frame + 26, sent + 30, 4);
	memcpy(frame + 30, sent + 26, 4);
	*len = (size_t)n;
}

static bool all_out_and_in(struct bed *b)
{
	(void)collect(2);
	(void)collect(4);
	return b->collected[2] + b->collected[4] >= b->wanted;
}

/* One frame each way; fewer are under way than a queue of a port holds. */
static void talk(const uint8_t *frame, size_t len, uint32_t number)
{
	bed.wanted += inject(driver(1), 2, 1, number);
	bed.wanted += !tn_memory_port_inject(driver(4), 0, frame, (uint32_t)len);
	while (!all_out_and_in(&bed) && bed.wanted - bed.collected[2] - bed.collected[4] > 100)
		assert_true(tn_agent_now(bed.agent) < bed.deadline_ns);
}

/*
 * Said again and again while frames go through it both ways, each time with more that it takes:
 * none is lost, and what it counted stays.
 */
static void test_tunnel_is_replaced_under_traffic(void **state)
{
	struct tn_action out = output(2);
	struct tn_flow_mod fm = flow_to(5, &out);
	tn_u128 peers[64] = {there};
	struct tn_agent_port_info port;
	uint8_t frame[256];
	size_t len;

	(void)state;
	set_underlay();
	say_tunnel(peers, 1, 7);
	into_tunnel();
	commit(&fm);
	bed.deadline_ns = tn_agent_now(bed.agent) + DEADLINE_NS;
	assert_true(inject(driver(1), 2, 1, 0));
	from_tunnel(frame, &len);
	bed.wanted = 0;
	for (unsigned round = 1; round < 64; round++) {
		for (unsigned i = 0; i < 100; i++)
			talk(frame, len, i);
		peers[round] = there + round;
		say_tunnel(peers, round + 1, 7);
	}
	run_until(all_out_and_in);
	assert_int_equal(bed.collected[2] + bed.collected[4], bed.wanted);
	assert_true(tn_agent_port(bed.agent, 5, take_port, &port));
	assert_int_equal(port.stats.rx_packets, bed.collected[2]);
	assert_int_equal(port.stats.tx_packets, bed.collected[4] + 1);
	remove_port(5);
	no_underlay();
}

static bool vni_refused(struct bed *b)
{
	(void)b;
	return drops_at(4, TN_DROP_VXLAN_UNKNOWN_VNI) == 1;
}

static bool peer_refused(struct bed *b)
{
	(void)b;
	return drops_at(4, TN_DROP_VXLAN_UNKNOWN_PEER) == 1;
}

static bool one_came(struct bed *b)
{
	(void)collect(2);
	return b->collected[2] == 1;
}

/* What a replaced port takes no more it refuses from then on, though it took the same before. */
static void test_replaced_tunnel_refuses(void **state)
{
	struct tn_action out = output(2);
	struct tn_flow_mod fm = flow_to(5, &out);
	const tn_u128 other = there + 1;
	uint8_t frame[256];
	size_t len;

	(void)state;
	set_underlay();
	say_tunnel(&there, 1, 7);
	into_tunnel();
	commit(&fm);
	bed.deadline_ns = tn_agent_now(bed.agent) + DEADLINE_NS;
	assert_true(inject(driver(1), 2, 1, 0));
	from_tunnel(frame, &len);
	assert_int_equal(tn_memory_port_inject(driver(4), 0, frame, (uint32_t)len), 0);
	run_until(one_came);
	say_tunnel(&there, 1, 8);
	assert_int_equal(tn_memory_port_inject(driver(4), 0, frame, (uint32_t)len), 0);
	run_until(vni_refused);
	say_tunnel(&other, 1, 7);
	assert_int_equal(tn_memory_port_inject(driver(4), 0, frame, (uint32_t)len), 0);
	run_until(peer_refused);
	assert_int_equal(collect(2), 0);
	remove_port(5);
	no_underlay();
}

static bool came_by_3(struct bed *b)
{
	(void)collect(3);
	return b->collected[3] >= b->wanted;
}

static void test_packet_outs(void **state)
{
	struct tn_action out = output(3), table = output(TN_PORT_TABLE);
	struct tn_flow_mod fm = flow_to(1, &out);
	uint8_t frame[FRAME];
	struct tn_error err;

	(void)state;
	commit(&fm);
	make_frame(frame, 2, 1, 5);
	assert_int_equal(
		tn_agent_packet_out(bed.agent, TN_PORT_CONTROLLER, &out, 1, frame, FRAME, &err), 0);
	bed.wanted = 1;
	run_until(came_by_3);
	assert_int_equal(tn_agent_packet_out(bed.agent, 1, &table, 1, frame, FRAME, &err), 0);
	bed.wanted = 2;
	run_until(came_by_3);
	assert_true(tn_agent_packet_out(bed.agent, 1, &table, 1, frame, UINT32_MAX, &err) < 0);
}

/* --- ports come, go and lose their link ------------------------------------------------------- */

static bool came_by_4(struct bed *b)
{
	(void)inject(driver(1), 2, 1, 1);
	(void)collect(3);
	(void)collect(4);
	return b->collected[4] >= b->wanted;
}

static bool only_by_3(struct bed *b)
{
	uint64_t on_4;

	(void)inject(driver(1), 2, 1, 1);
	on_4 = collect(4);
	(void)collect(3);
	return b->collected[3] > 20 && !on_4;
}

/* A fast failover group goes to the first bucket whose port lives. */
static void test_links(void **state)
{
	struct tn_action outs[] = {output(3), output(4)};
	struct tn_action to_group = {.type = TN_ACTION_GROUP, .group_id = 1};
	struct tn_bucket buckets[] = {
		{.bucket_id = 0,
			.watch_port = 3,
			.watch_group = TN_GROUP_ANY,
			.actions = &outs[0],
			.n_actions = 1},
		{.bucket_id = 1,
			.watch_port = 4,
			.watch_group = TN_GROUP_ANY,
			.actions = &outs[1],
			.n_actions = 1},
	};
	struct tn_group_mod gm = {.command = TN_GROUP_ADD,
		.group_id = 1,
		.type = TN_GROUP_TYPE_FF,
		.command_bucket_id = TN_BUCKET_ALL,
		.buckets = buckets,
		.n_buckets = 2};
	struct tn_flow_mod fm = flow_to(1, &to_group);
	const struct tn_mod mods[] = {
		{.kind = TN_MOD_GROUP, .group = &gm}, {.kind = TN_MOD_FLOW, .flow = &fm}};
	struct tn_error err;
	size_t failed;

	(void)state;
	assert_int_equal(tn_agent_commit(bed.agent, mods, 2, &failed, &err), 0);
	bed.wanted = 1;
	run_until(only_by_3);
	tn_memory_port_set_link(driver(3), false);
	run_until(came_by_4);
	tn_memory_port_set_link(driver(3), true);
	bed.collected[3] = 0;
	run_until(only_by_3);
	gm.command = TN_GROUP_DELETE;
	assert_int_equal(tn_agent_commit(bed.agent, mods, 1, &failed, &err), 0);
}

static void test_refused_ports(void **state)
{
	const struct tn_port_option bad = {.key = "nonsense", .type = TN_OPTION_BOOL};
	struct tn_port_request r = {
		.number = 1, .name = "other", .type = "memory", .enabled = true};
	struct tn_error err = {0};

	(void)state;
	assert_true(tn_agent_port_add(bed.agent, &r, &err) < 0);
	r.number = 9;
	r.name = "m1";
	assert_true(tn_agent_port_add(bed.agent, &r, &err) < 0);
	r.name = "other";
	r.options = &bad;
	r.n_options = 1;
	assert_true(tn_agent_port_add(bed.agent, &r, &err) < 0);
	r.n_options = 0;
	r.number = 0;
	assert_true(tn_agent_port_add(bed.agent, &r, &err) < 0);
	assert_true(strlen(err.detail) > 10);
	assert_true(tn_agent_port_remove(bed.agent, 9, &err) < 0);
	assert_true(tn_agent_port_configure(bed.agent, 9, true, 0, &err) < 0);
}

static bool refused_at_1(struct bed *b)
{
	(void)inject(driver(1), 2, 1, 1);
	(void)b;
	return drops_at(1, TN_DROP_PORT_DOWN) > 10;
}

static void test_disabled_port(void **state)
{
	struct tn_action out = output(2);
	struct tn_flow_mod fm = flow_to(1, &out);
	struct tn_error err;

	(void)state;
	commit(&fm);
	assert_int_equal(tn_agent_port_configure(bed.agent, 1, false, 0, &err), 0);
	run_until(refused_at_1);
	assert_int_equal(tn_agent_port_configure(bed.agent, 1, true, 0, &err), 0);
	(void)collect(2);
	bed.collected[2] = 0;
	assert_true(inject(driver(1), 2, 1, 1));
	bed.wanted = 1;
	run_until(all_came);
}

/* --- events ----------------------------------------------------------------------------------- */

static void count_event(void *ctx, const struct tn_event *event)
{
	if (event->kind == TN_EVENT_PORT_STATUS && event->port->number == 2)
		++*(unsigned *)ctx;
}

static void switch_port_2(bool enabled)
{
	struct tn_error err;

	assert_int_equal(tn_agent_port_configure(bed.agent, 2, enabled, 0, &err), 0);
}

static void test_listeners(void **state)
{
	unsigned first = 0, second = 0;

	(void)state;
	tn_agent_listen(bed.agent, count_event, &first);
	tn_agent_listen(bed.agent, count_event, &second);
	switch_port_2(false);
	assert_int_equal(first, 1);
	assert_int_equal(second, 1);
	tn_agent_unlisten(bed.agent, count_event, &first);
	switch_port_2(true);
	assert_int_equal(first, 1);
	assert_int_equal(second, 2);
	tn_agent_unlisten(bed.agent, count_event, &second);
	switch_port_2(false);
	switch_port_2(true);
	assert_int_equal(second, 2);
}

/* --- what a removed flow counted ---------------------------------------------------------------
 */

struct removed {
	unsigned n;
	uint64_t packets, bytes;
	enum tn_flow_removed_reason reason;
};

static struct removed removed;

static void note_removed(void *ctx, const struct tn_event *event)
{
	struct removed *r = ctx;

	if (event->kind != TN_EVENT_FLOW_REMOVED)
		return;
	r->n++;
	r->packets = event->flow->counter.packets;
	r->bytes = event->flow->counter.bytes;
	r->reason = event->removed_reason;
}

static bool told_removed(struct bed *b)
{
	(void)collect(2);
	return removed.n >= b->wanted;
}

static void removed_once(enum tn_flow_removed_reason reason)
{
	bed.wanted = 1;
	run_until(told_removed);
	(void)collect(2); /* whatever was counted was sent before it was told */
	assert_int_equal(removed.n, 1);
	assert_int_equal(removed.reason, reason);
	assert_int_equal(removed.packets, bed.collected[2]);
	assert_int_equal(removed.bytes, bed.collected[2] * FRAME);
}

static bool some_came(struct bed *b)
{
	(void)collect(2);
	return b->collected[2] > 0;
}

static void begin_removal(unsigned round)
{
	memset(&removed, 0, sizeof(removed));
	memset(bed.collected, 0, sizeof(bed.collected));
	send_frames(1, 40);
	if (round % 2)
		run_until(some_came);
}

/*
 * A flow is deleted while a worker forwards by it: its event has every packet that left by it. With
 * a rewrite the executor runs, which counts elsewhere.
 */
static void test_removed_counts(void **state)
{
	struct tn_action list[] = {
		{.type = TN_ACTION_SET_FIELD,
			.field = TN_FIELD_ETH_SRC,
			.set = {.value = 0x020000000009, .mask = tn_field_ones(TN_FIELD_ETH_SRC)}},
		output(2)};
	struct tn_action out = output(2);

	(void)state;
	tn_agent_listen(bed.agent, note_removed, &removed);
	for (unsigned round = 0; round < 40; round++) {
		struct tn_flow_mod fm = flow_to(1, round & 2 ? list : &out);

		fm.inst.n_apply = round & 2 ? 2 : 1;
		fm.flags = TN_FLOW_SEND_FLOW_REM;
		commit(&fm);
		begin_removal(round);
		delete_all();
		removed_once(TN_REMOVED_DELETE);
	}
	tn_agent_unlisten(bed.agent, note_removed, &removed);
}

/* The same for a flow that goes with its group, and one that times out. */
static void test_removed_otherwise(void **state)
{
	struct tn_action out = output(2);
	struct tn_action to_group = {.type = TN_ACTION_GROUP, .group_id = 1};
	struct tn_bucket bucket = {.watch_port = TN_PORT_ANY,
		.watch_group = TN_GROUP_ANY,
		.actions = &out,
		.n_actions = 1};
	struct tn_group_mod gm = {.group_id = 1,
		.type = TN_GROUP_TYPE_INDIRECT,
		.command_bucket_id = TN_BUCKET_ALL,
		.buckets = &bucket,
		.n_buckets = 1};
	const struct tn_mod mod = {.kind = TN_MOD_GROUP, .group = &gm};
	struct tn_flow_mod fm = flow_to(1, &to_group);
	struct tn_error err;
	size_t failed;

	(void)state;
	tn_agent_listen(bed.agent, note_removed, &removed);
	fm.flags = TN_FLOW_SEND_FLOW_REM;
	for (unsigned round = 0; round < 10; round++) {
		gm.command = TN_GROUP_ADD;
		assert_int_equal(tn_agent_commit(bed.agent, &mod, 1, &failed, &err), 0);
		commit(&fm);
		begin_removal(round);
		gm.command = TN_GROUP_DELETE;
		assert_int_equal(tn_agent_commit(bed.agent, &mod, 1, &failed, &err), 0);
		removed_once(TN_REMOVED_GROUP_DELETE);
	}
	fm = flow_to(1, &out);
	fm.flags = TN_FLOW_SEND_FLOW_REM;
	fm.hard_timeout = 1;
	commit(&fm);
	begin_removal(0);
	removed_once(TN_REMOVED_HARD_TIMEOUT);
	tn_agent_unlisten(bed.agent, note_removed, &removed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(forwards_and_counts),
		TEST(counters_of_a_new_port),
		TEST(first_packet),
		TEST(idle_timeout),
		TEST(learns),
		TEST(packet_ins),
		TEST(packet_outs),
		TEST(links),
		TEST(tunnel_is_replaced_under_traffic),
		TEST(replaced_tunnel_refuses),
		TEST(refused_ports),
		TEST(disabled_port),
		TEST(listeners),
		TEST(removed_counts),
		TEST(removed_otherwise),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
