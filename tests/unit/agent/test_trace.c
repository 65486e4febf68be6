/* SPDX-License-Identifier: BSD-3-Clause */
/* What a trace says is what becomes of the frame: random rules, random frames, both ways. */
#include "dataplane/agent/trace.h"

#include "tests/unit/agent/agent_fixture.h"

#define ROUNDS	   25u
#define FRAMES	   40u
#define RULES	   30u
#define LENGTH_MAX 256u
#define SENT_MAX   256u

static uint64_t random_state = 88172645463325252u;

static uint32_t below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 32) % n);
}

/* --- what a frame became ---------------------------------------------------------------------- */

struct sent {
	uint32_t port; /* TN_PORT_CONTROLLER: a packet-in */
	uint32_t len;
	uint8_t frame[2 * LENGTH_MAX];
};

struct fate {
	struct sent sent[SENT_MAX];
	unsigned n;
	uint64_t drops[TN_DROP_COUNT];
};

static void add_sent(struct fate *f, uint32_t port, const uint8_t *frame, uint32_t len)
{
	struct sent *s = &f->sent[f->n++];

	assert_true(f->n < SENT_MAX && len <= sizeof(s->frame));
	memset(s, 0, sizeof(*s));
	s->port = port;
	s->len = len;
	memcpy(s->frame, frame, len);
}

static int compare_sent(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct sent));
}

static void assert_same_fate(struct fate *said, struct fate *was)
{
	qsort(said->sent, said->n, sizeof(said->sent[0]), compare_sent);
	qsort(was->sent, was->n, sizeof(was->sent[0]), compare_sent);
	assert_int_equal(said->n, was->n);
	for (unsigned i = 0; i < was->n; i++) {
		assert_int_equal(said->sent[i].port, was->sent[i].port);
		assert_int_equal(said->sent[i].len, was->sent[i].len);
		assert_memory_equal(said->sent[i].frame, was->sent[i].frame, was->sent[i].len);
	}
	for (unsigned d = 0; d < TN_DROP_COUNT; d++) {
		if (said->drops[d] != was->drops[d])
			fail_msg("%s: %lu said, %lu counted", tn_drop_name((enum tn_drop)d),
				(unsigned long)said->drops[d], (unsigned long)was->drops[d]);
	}
}

static void from_trace(const struct tn_api_trace_reply *r, struct fate *f)
{
	memset(f, 0, sizeof(*f));
	for (uint32_t i = 0; i < r->n_outputs; i++) {
		const struct tn_api_trace_output *o = &r->outputs[i];

		assert_int_equal(o->frame_len, o->total_len);
		add_sent(f, o->uplink ? o->uplink : o->port, o->frame, o->frame_len);
	}
	for (uint32_t i = 0; i < r->n_packet_ins; i++)
		add_sent(f, TN_PORT_CONTROLLER, r->packet_ins[i].frame, r->packet_ins[i].frame_len);
	for (uint32_t i = 0; i < r->n_drops; i++)
		f->drops[r->drops[i].reason]++;
}

/* --- what happens ----------------------------------------------------------------------------- */

static struct fate was;

static void on_punt(void *ctx, const struct tn_punt *punt)
{
	(void)ctx;
	add_sent(&was, TN_PORT_CONTROLLER, punt->frame, punt->len);
}

static void take_info(void *ctx, const struct tn_agent_port_info *port)
{
	*(struct tn_agent_port_info *)ctx = *port;
}

static struct tn_agent_port_info info_of(uint32_t number)
{
	struct tn_agent_port_info info;

	assert_true(tn_agent_port(bed.agent, number, take_info, &info));
	return info;
}

static void collect_sent(void)
{
	uint8_t frame[2048];

	for (uint32_t number = 1; number <= 4; number++) {
		struct tn_port *port = driver(number);
		int len;

		while ((len = tn_memory_port_collect(port, frame, sizeof(frame))) > 0)
			add_sent(&was, number, frame, (uint32_t)len);
	}
}

static bool received(struct bed *b)
{
	struct tn_error err;

	if (info_of((uint32_t)b->collected[0]).stats.rx_packets < b->wanted)
		return false;
	/* The round that took it in has ended, packet-ins and all. */
	assert_int_equal(tn_agent_publish(b->agent, &err), 0);
	return true;
}

static bool punts_came(struct bed *b)
{
	(void)b;
	collect_sent();
	return was.n >= bed.wanted;
}

static void send_frame(uint32_t port, const uint8_t *frame, uint32_t len, unsigned expected)
{
	struct tn_worker_port_stats before = info_of(port).stats, after;

	was.n = 0;
	assert_int_equal(tn_memory_port_inject(driver(port), 0, frame, len), 0);
	bed.collected[0] = port;
	bed.wanted = before.rx_packets + 1;
	run_until(received);
	bed.wanted = expected;
	run_until(punts_came);
	after = info_of(port).stats;
	for (unsigned d = 0; d < TN_DROP_COUNT; d++)
		was.drops[d] = after.dropped[d] - before.dropped[d];
}

/* --- rules and frames ------------------------------------------------------------------------- */

static struct tn_action random_action(unsigned table)
{
	struct tn_action a = output(1 + below(4));

	switch (below(10)) {
	case 0:
		a = output(TN_PORT_IN_PORT);
		break;
	case 1:
		a = output(TN_PORT_FLOOD);
		break;
	case 2:
		a = output(TN_PORT_CONTROLLER);
		break;
	case 3:
		a = (struct tn_action){.type = TN_ACTION_GROUP, .group_id = 1 + below(2)};
		break;
	case 4:
		a = (struct tn_action){.type = TN_ACTION_PUSH_VLAN, .ethertype = 0x8100};
		break;
	case 5:
		a = (struct tn_action){.type = TN_ACTION_SET_FIELD,
			.field = TN_FIELD_ETH_DST,
			.set = {0x020000000000 + below(8), tn_field_ones(TN_FIELD_ETH_DST)}};
		break;
	case 6:
		a = table < 3 ? (struct tn_action){.type = TN_ACTION_RESUBMIT,
					.resubmit = {TN_PORT_IN_PORT, (uint8_t)(table + 1)}}
			      : a;
		break;
	case 7:
		a = output(5); /* the tunnel */
		break;
	default:
		break;
	}
	return a;
}

struct rules {
	struct tn_flow_mod flows[RULES];
	struct tn_action actions[RULES][4];
	struct tn_mod mods[RULES];
};

static void random_rule(struct rules *r, unsigned i)
{
	struct tn_flow_mod *fm = &r->flows[i];
	unsigned table = below(4);

	tn_flow_mod_init(fm);
	fm->table_id = (uint8_t)table;
	fm->priority = (uint16_t)i; /* of equals that overlap any may win */
	fm->cookie = i;
	if (below(2))
		tn_match_set_exact(&fm->match, TN_FIELD_ETH_DST, 0x020000000000 + below(8));
	if (below(3) == 0)
		tn_match_set_exact(&fm->match, TN_FIELD_IN_PORT, 1 + below(3));
	if (below(4) == 0)
		tn_match_set_exact(&fm->match, TN_FIELD_ETH_TYPE, 0x0800);
	fm->inst.n_apply = (uint16_t)below(5);
	fm->inst.apply = r->actions[i];
	for (unsigned k = 0; k < fm->inst.n_apply; k++)
		r->actions[i][k] = random_action(table);
	if (table < 3 && below(2))
		fm->inst.goto_table = (uint8_t)(table + 1 + below(3 - table));
	r->mods[i] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = fm};
}

static void add_groups(void)
{
	struct tn_action outs[] = {output(2), output(3)};
	struct tn_bucket buckets[2];
	struct tn_group_mod gm = {.command = TN_GROUP_ADD,
		.command_bucket_id = TN_BUCKET_ALL,
		.buckets = buckets,
		.n_buckets = 2};
	const struct tn_mod mod = {.kind = TN_MOD_GROUP, .group = &gm};
	struct tn_error err;
	size_t failed;

	for (uint32_t i = 0; i < 2; i++)
		buckets[i] = (struct tn_bucket){.bucket_id = i,
			.weight = 1,
			.watch_port = TN_PORT_ANY,
			.watch_group = TN_GROUP_ANY,
			.actions = &outs[i],
			.n_actions = 1};
	gm.group_id = 1;
	gm.type = TN_GROUP_TYPE_SELECT;
	assert_int_equal(tn_agent_commit(bed.agent, &mod, 1, &failed, &err), 0);
	buckets[0].weight = buckets[1].weight = 0;
	gm.group_id = 2;
	gm.type = TN_GROUP_TYPE_ALL;
	assert_int_equal(tn_agent_commit(bed.agent, &mod, 1, &failed, &err), 0);
}

/* Port 5 is a tunnel by the uplink 4. */
static void add_tunnel(void)
{
	const struct tn_port_request request = {.number = 5,
		.name = "vx",
		.type = "vxlan",
		.enabled = true,
		.vxlan = {.remote = there, .vni = 100, .udp_port = 4789, .ttl = 64, .dscp = -1}};
	struct tn_error err;

	set_underlay();
	if (tn_agent_port_add(bed.agent, &request, &err))
		fail_msg("%s", err.detail);
}

static uint32_t random_frame(uint8_t *frame)
{
	static const uint8_t ip[] = {0x08, 0, 0x45, 0, 0, 40, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1,
		10, 0, 0, 2, 0x12, 0x34, 0, 53, 0, 20, 0, 0};
	uint32_t len = 60 + below(100);

	memset(frame, 0, LENGTH_MAX);
	frame[0] = frame[6] = 2;
	frame[5] = (uint8_t)below(8);
	frame[11] = (uint8_t)below(8);
	if (below(3))
		memcpy(frame + 12, ip, sizeof(ip));
	else
		frame[12] = 0x88;
	for (uint32_t i = 48; i < len; i++)
		frame[i] = (uint8_t)below(256);
	return below(20) ? len : below(14);
}

static int trace_setup(void **state)
{
	(void)setup(state);
	add_groups();
	add_tunnel();
	tn_agent_set_packet_in(bed.agent, on_punt, NULL);
	return 0;
}

static int trace_teardown(void **state)
{
	const struct tn_group_mod gm = {.command = TN_GROUP_DELETE, .group_id = TN_GROUP_ALL};
	const struct tn_mod mod = {.kind = TN_MOD_GROUP, .group = &gm};
	const struct tn_underlay_config nothing = {0};
	struct tn_error err;
	size_t failed;

	tn_agent_set_packet_in(bed.agent, NULL, NULL);
	remove_port(5);
	assert_int_equal(tn_agent_set_underlay(bed.agent, &nothing, &err), 0);
	assert_int_equal(tn_agent_commit(bed.agent, &mod, 1, &failed, &err), 0);
	return teardown(state);
}

/* --- tests ------------------------------------------------------------------------------------ */

static struct tn_api_trace_reply trace(struct tn_tracer *t, struct tn_api_trace request)
{
	struct tn_api_trace_reply reply;

	assert_int_equal(tn_trace(t, bed.agent, &request, &reply), 0);
	return reply;
}

static void count_flow(void *ctx, const struct tn_flow_info *flow)
{
	*(uint64_t *)ctx += flow->counter.packets;
}

static uint64_t counted(void)
{
	uint64_t n = 0;

	collect_counts();
	assert_int_equal(tn_switch_flows(bed.agent->sw, NULL, count_flow, &n), 0);
	return n;
}

static void test_says_what_happens(void **state)
{
	struct tn_tracer *t = tn_tracer_new();
	static struct rules rules;
	static struct fate said;
	unsigned sent = 0, dropped = 0;

	(void)state;
	assert_non_null(t);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct tn_error err;
		size_t failed;

		for (unsigned i = 0; i < RULES; i++)
			random_rule(&rules, i);
		delete_all();
		for (unsigned i = 0; i < RULES; i++)
			(void)!tn_agent_commit(bed.agent, &rules.mods[i], 1, &failed, &err);
		for (unsigned i = 0; i < FRAMES; i++) {
			uint8_t frame[LENGTH_MAX];
			uint32_t len = random_frame(frame), port = 1 + below(3);
			struct tn_api_trace_reply reply = trace(t,
				(struct tn_api_trace){
					.in_port = port, .frame = frame, .frame_len = len});

			from_trace(&reply, &said);
			send_frame(port, frame, len, said.n);
			assert_same_fate(&said, &was);
			sent += said.n;
			dropped += reply.n_drops;
		}
	}
	print_message("%u sent, %u dropped\n", sent, dropped);
	assert_true(sent > 500 && dropped > 100);
	tn_tracer_free(t);
}

static void test_changes_nothing(void **state)
{
	static const struct tn_band band = {.type = TN_BAND_DROP, .rate = 1, .burst = 1};
	const struct tn_meter_mod mm = {.command = TN_METER_ADD,
		.meter_id = 1,
		.flags = TN_METER_PKTPS | TN_METER_BURST,
		.bands = &band,
		.n_bands = 1};
	const struct tn_mod meter = {.kind = TN_MOD_METER, .meter = &mm};
	struct tn_action normal = output(TN_PORT_NORMAL);
	struct tn_flow_mod fm = flow_to(1, &normal);
	struct tn_tracer *t = tn_tracer_new();
	uint8_t frame[FRAME];
	struct tn_error err;
	size_t failed;

	(void)state;
	assert_int_equal(tn_agent_commit(bed.agent, &meter, 1, &failed, &err), 0);
	fm.inst.meter_id = 1;
	commit(&fm);
	make_frame(frame, 2, 1, 1);
	/* The meter lets one through, and another, and another. */
	for (unsigned i = 0; i < 20; i++) {
		struct tn_api_trace_reply r = trace(
			t, (struct tn_api_trace){.in_port = 1, .frame = frame, .frame_len = FRAME});

		assert_int_equal(r.n_outputs, 4); /* flooded, for nothing was learnt */
		assert_int_equal(r.n_drops, 0);
		/* From where 2 would be, 1 is not known. */
		r = trace(
			t, (struct tn_api_trace){.in_port = 7, .frame = frame, .frame_len = FRAME});
		assert_int_equal(r.drops[0].reason, TN_DROP_NO_SUCH_PORT);
	}
	assert_int_equal(counted(), 0);
	assert_int_equal(info_of(1).stats.rx_packets, 0);
	assert_int_equal(info_of(1).stats.dropped[TN_DROP_NO_SUCH_PORT], 0);
	tn_tracer_free(t);
	delete_all();
	((struct tn_meter_mod *)(uintptr_t)&mm)->command = TN_METER_DELETE;
	assert_int_equal(tn_agent_commit(bed.agent, &meter, 1, &failed, &err), 0);
}

static void rule(uint16_t priority, uint32_t in_port, uint64_t eth_dst, uint16_t eth_type,
	const struct tn_action *out)
{
	struct tn_flow_mod fm = flow_to(in_port, out);

	fm.priority = priority;
	fm.cookie = priority;
	tn_match_set_exact(&fm.match, TN_FIELD_ETH_DST, eth_dst);
	if (eth_type)
		tn_match_set_exact(&fm.match, TN_FIELD_ETH_TYPE, eth_type);
	commit(&fm);
}

static void test_explains(void **state)
{
	struct tn_action out = output(2);
	struct tn_tracer *t = tn_tracer_new();
	const struct tn_api_trace_step *s;
	struct tn_api_trace_reply r;
	uint8_t frame[FRAME];
	struct tn_api_trace request = {
		.in_port = 1, .explain = true, .frame = frame, .frame_len = FRAME};

	(void)state;
	rule(40, 2, 0x020000000009, 0x0800, &out); /* differs in all three */
	rule(30, 1, 0x020000000002, 0x0800, &out); /* in the type */
	rule(20, 1, 0x020000000009, 0x0800, &out); /* in two */
	rule(10, 1, 0x020000000002, 0, &out);	   /* matches */
	rule(5, 2, 0x020000000002, 0, &out);	   /* would not matter */
	make_frame(frame, 2, 1, 1);
	r = trace(t, request);
	assert_int_equal(r.n_steps, 1);
	s = &r.steps[0];
	assert_true(s->matched);
	assert_int_equal(s->rule.cookie, 10);
	assert_int_equal(s->rule.inst.n_apply, 1);
	assert_true(s->has_next);
	assert_int_equal(s->next.cookie, 30);
	assert_int_equal(s->next_differs, UINT64_C(1) << TN_FIELD_ETH_TYPE);
	/* What the packet has is said, too. */
	assert_true(tn_match_fields(&s->packet) >> TN_FIELD_ETH_TYPE & 1);
	assert_false(tn_match_fields(&s->packet) >> TN_FIELD_IPV4_DST & 1);
	assert_int_equal((uint32_t)tn_match_value(&s->packet, TN_FIELD_IN_PORT), 1);
	assert_true(tn_match_value(&s->packet, TN_FIELD_ETH_DST) == 0x020000000002);
	/* A miss: of all rules the one that fits best, of equals the higher. */
	request.in_port = 3;
	r = trace(t, request);
	s = &r.steps[0];
	assert_false(s->matched);
	assert_int_equal(s->next.cookie, 10);
	assert_int_equal(s->next_differs, UINT64_C(1) << TN_FIELD_IN_PORT);
	assert_int_equal(r.n_drops, 1);
	assert_int_equal(r.drops[0].reason, TN_DROP_TABLE_MISS);
	assert_int_equal(r.drops[0].table_id, 0);
	request.explain = false;
	r = trace(t, request);
	assert_false(r.steps[0].has_next);
	tn_tracer_free(t);
}

/* Out of the tunnel: by its outer frame at the uplink, and by the inner one alone. */
static void test_tunnel(void **state)
{
	struct tn_action to_tunnel = output(5), out = output(2);
	struct tn_flow_mod fm = flow_to(1, &to_tunnel);
	struct tn_tracer *t = tn_tracer_new();
	struct tn_api_trace_reply r;
	uint8_t frame[FRAME], outer[FRAME + 50];

	(void)state;
	commit(&fm);
	fm = flow_to(5, &out);
	tn_match_set_exact(&fm.match, TN_FIELD_TUNNEL_ID, 100);
	commit(&fm);
	make_frame(frame, 2, 1, 1);
	r = trace(t, (struct tn_api_trace){.in_port = 1, .frame = frame, .frame_len = FRAME});
	assert_int_equal(r.n_outputs, 1);
	assert_int_equal(r.outputs[0].port, 5);
	assert_int_equal(r.outputs[0].uplink, 4);
	assert_int_equal(r.outputs[0].frame_len, sizeof(outer));
	/* Back: addresses the other way round, which leaves the checksum right. */
	memcpy(outer, r.outputs[0].frame, sizeof(outer));
	memcpy(outer + 26, r.outputs[0].frame + 30, 4);
	memcpy(outer + 30, r.outputs[0].frame + 26, 4);
	r = trace(
		t, (struct tn_api_trace){.in_port = 4, .frame = outer, .frame_len = sizeof(outer)});
	assert_int_equal(r.n_outputs, 1);
	assert_int_equal(r.in_port, 5);
	assert_int_equal(r.in_phy_port, 4);
	assert_int_equal(r.tunnel_id, 100);
	assert_memory_equal(r.outputs[0].frame, frame, FRAME);
	r = trace(t,
		(struct tn_api_trace){.in_port = 5,
			.inner = true,
			.tunnel_id = 100,
			.tun_src = there,
			.tun_dst = here,
			.frame = frame,
			.frame_len = FRAME});
	assert_int_equal(r.n_outputs, 1);
	r = trace(t,
		(struct tn_api_trace){.in_port = 5,
			.inner = true,
			.tunnel_id = 101,
			.frame = frame,
			.frame_len = FRAME});
	assert_int_equal(r.n_outputs, 0);
	/* A network that nobody declared. */
	outer[46 + 2] = 101;
	r = trace(
		t, (struct tn_api_trace){.in_port = 4, .frame = outer, .frame_len = sizeof(outer)});
	assert_int_equal(r.drops[0].reason, TN_DROP_VXLAN_UNKNOWN_VNI);
	tn_tracer_free(t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, trace_setup, trace_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_what_happens),
		TEST(changes_nothing),
		TEST(explains),
		TEST(tunnel),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
