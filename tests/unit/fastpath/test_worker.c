/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worker against the slow walk: the same random frames through tn_process(), packet by packet,
 * and through bursts with sessions, while rules come and go. Every frame that leaves, its port and
 * every drop must be the same.
 */
#include "dataplane/fastpath/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/fastpath/shape.h"
#include "tests/unit/core/packets.h"
#include "tests/unit/fastpath/random_rules.h"

#define BUF_ROOM 256u
#define BUF_SIZE (BUF_ROOM + PACKET_MAX + 64u)
#define POOL	 60u

/* What became of a burst: frames by port, in order, and drops by reason. */
struct result {
	uint64_t hash[N_PORTS];
	unsigned frames[N_PORTS];
	uint64_t dropped[TN_DROP_COUNT];
	unsigned packet_ins;
};

#define IDS 4096u

/* Reported by a worker. */
struct counted {
	uint64_t lookups[TN_N_TABLES], matches[TN_N_TABLES];
	uint64_t packets[IDS]; /* by slot of the counter */
	uint64_t flow_packets, flow_bytes;
};

struct bed {
	struct tn_switch *sw;
	struct tn_forwarding *fwd;
	struct tn_tunnels *tunnels;
	struct tn_underlay *underlay;
	struct tn_port ports[N_PORTS];
	struct tn_worker *worker, *cacheless;
	struct tn_processor *processor;
	struct result *result; /* where the ports and callbacks put things now */
	unsigned live;	       /* buffers */
	struct counted counted, counted_cacheless;
	unsigned tx_room; /* packets a transmit takes */
	bool punts_full;
	unsigned host_frames;
	struct tn_packet pool[N_PORTS][POOL];
	struct rng rng, lengths; /* lengths: of what IF_LONGER compares with */
};

static struct bed *bed_now;

static void put_frame(struct result *r, unsigned index, const uint8_t *data, uint32_t len)
{
	uint64_t h = r->hash[index] ^ len;

	for (uint32_t i = 0; i < len; i++)
		h = (h ^ data[i]) * UINT64_C(0x100000001b3);
	r->hash[index] = h;
	r->frames[index]++;
}

static void buffer_new(struct tn_packet *p, const uint8_t *data, uint32_t len)
{
	uint8_t *buf = malloc(BUF_SIZE);

	memcpy(buf + BUF_ROOM, data, len);
	*p = (struct tn_packet){
		.buf = buf, .data = buf + BUF_ROOM, .len = len, .headroom = BUF_ROOM};
	bed_now->live++;
}

static bool buffer_clone(void *ctx, const struct tn_packet *p, struct tn_packet *copy)
{
	(void)ctx;
	buffer_new(copy, p->data, p->len);
	return true;
}

static bool buffer_alloc(void *ctx, uint32_t len, struct tn_packet *p)
{
	static const uint8_t nothing[BUF_SIZE];

	(void)ctx;
	buffer_new(p, nothing, len);
	return true;
}

static void buffer_free(void *ctx, const struct tn_packet *p, unsigned n)
{
	(void)ctx;
	for (unsigned i = 0; i < n; i++)
		free(p[i].buf);
	bed_now->live -= n;
}

static const struct tn_buffer_ops buffer_ops = {
	.clone = buffer_clone, .alloc = buffer_alloc, .free = buffer_free};

static unsigned port_tx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	(void)queue;
	if (n > bed_now->tx_room)
		n = bed_now->tx_room;
	for (unsigned i = 0; i < n; i++) {
		put_frame(bed_now->result, (unsigned)(port - bed_now->ports), packets[i].data,
			packets[i].len);
		buffer_free(NULL, &packets[i], 1);
	}
	return n;
}

static const struct tn_port_ops port_ops = {.kind = "memory", .tx = port_tx};

static bool on_packet_in(void *ctx, const struct tn_view *view, const struct tn_op *op,
	uint8_t reason, uint16_t max_len)
{
	(void)ctx;
	(void)view;
	(void)op;
	(void)reason;
	(void)max_len;
	if (bed_now->punts_full)
		return false;
	bed_now->result->packet_ins++;
	return true;
}

static bool on_host(void *ctx, unsigned port_index, struct tn_packet *packet)
{
	(void)ctx;
	assert_int_equal(port_index, UPLINK);
	buffer_free(NULL, packet, 1);
	bed_now->host_frames += !bed_now->punts_full;
	return !bed_now->punts_full;
}

/* ctx: which worker's counts these are. */
static bool on_count(void *ctx, const struct tn_count *count)
{
	struct counted *c = ctx;

	if (count->id)
		c->packets[(uint32_t)count->id % IDS] += count->packets;
	if (count->lookups) {
		c->lookups[count->table] += count->lookups;
		c->matches[count->table] += count->matches;
	}
	if (count->id && count->lookups) {
		c->flow_packets += count->packets;
		c->flow_bytes += count->bytes;
	}
	return true;
}

/* --- the slow walk ---------------------------------------------------------------------------- */

static void slow_drop(
	void *ctx, const struct tn_view *view, enum tn_drop reason, const struct tn_op *op)
{
	(void)ctx;
	(void)view;
	(void)op;
	bed_now->result->dropped[reason]++;
}

static void slow_output(void *ctx, struct tn_view *view, const struct tn_headers *h,
	const struct tn_op *op, bool last)
{
	static uint8_t room[BUF_SIZE];
	struct tn_view copy = {.data = room + BUF_ROOM,
		.len = view->len,
		.wire_len = view->len,
		.headroom = BUF_ROOM};
	struct tn_vxlan_encap encap;
	struct tn_headers inner;
	struct tn_key key;
	uint32_t uplink;
	enum tn_drop reason;

	(void)ctx;
	(void)h;
	(void)last;
	memcpy(copy.data, view->data, view->len);
	if (op->output.port != VXLAN) {
		put_frame(bed_now->result, op->output.port - 1, copy.data, copy.len);
		return;
	}
	assert_int_equal(tn_parse(&copy, &inner), TN_DROP_NONE);
	tn_key_extract(&copy, &inner, &key);
	reason = tn_tunnels_encap(
		bed_now->tunnels, bed_now->underlay, op, tn_key_entropy(&key), &encap, &uplink);
	if (!reason)
		reason = tn_vxlan_push(&copy, &encap, &inner, tn_key_entropy(&key));
	if (reason)
		bed_now->result->dropped[reason]++;
	else
		put_frame(bed_now->result, uplink - 1, copy.data, copy.len);
}

static void slow_controller(void *ctx, const struct tn_view *view, const struct tn_op *op,
	uint8_t reason, uint16_t max_len)
{
	(void)on_packet_in(ctx, view, op, reason, max_len);
}

static bool slow_clone(void *ctx, const struct tn_view *view, struct tn_view *copy)
{
	uint8_t *buf = malloc(BUF_SIZE);

	(void)ctx;
	memcpy(buf + BUF_ROOM, view->data, view->len);
	*copy = (struct tn_view){.data = buf + BUF_ROOM,
		.len = view->len,
		.wire_len = view->wire_len,
		.headroom = BUF_ROOM};
	return true;
}

static void slow_release(void *ctx, struct tn_view *copy)
{
	(void)ctx;
	free(copy->data - copy->headroom);
}

static const struct tn_exec_env slow_env = {
	.output = slow_output,
	.controller = slow_controller,
	.drop = slow_drop,
	.clone = slow_clone,
	.release = slow_release,
};

static void run_slow(struct bed *b, unsigned index, const struct tn_packet *p, uint64_t now_ns)
{
	struct tn_ingress in = {.in_port = index + 1};
	struct tn_view view = {.wire_len = p->len, .len = p->len, .headroom = BUF_ROOM};
	static uint8_t room[BUF_SIZE];
	struct tn_vxlan_outer outer;
	struct tn_headers h;
	enum tn_drop reason;

	memcpy(room + BUF_ROOM, p->data, p->len);
	view.data = room + BUF_ROOM;
	reason = tn_parse(&view, &h);
	if (!reason && index == UPLINK && tn_tunnels_want(b->tunnels, b->underlay, &view, &h)) {
		reason = tn_tunnels_receive(b->tunnels, b->underlay, 0, &view, &h, &in, &outer);
		in.in_phy_port = index + 1;
	}
	if (reason) {
		b->result->dropped[reason]++;
		return;
	}
	tn_process(b->processor, b->fwd->snapshot, &view, &in, now_ns, &slow_env, NULL);
	/* tails of runs: the flows' own counters are not what is compared here */
}

/* --- the bed ---------------------------------------------------------------------------------- */

static void commit_flow(struct bed *b, const struct tn_flow_mod *fm)
{
	struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = fm};
	struct tn_error err = {0};
	size_t failed;

	if (tn_switch_commit(b->sw, &mod, 1, 0, &failed, &err))
		fail_msg("%s: %s", tn_of_error_name(err.of), err.detail);
	b->fwd->snapshot = tn_switch_snapshot(b->sw);
}

static struct tn_worker *new_worker(uint32_t sessions, struct counted *counted)
{
	struct tn_worker_config config = {
		.sessions = sessions,
		.seed = 7,
		.buffers = &buffer_ops,
		.events = {.ctx = counted,
			.packet_in = on_packet_in,
			.count = on_count,
			.host = on_host},
	};

	return tn_worker_new(&config);
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
	const struct tn_underlay_address addresses[] = {
		{.address = tn_u128_from_ip4(LOCAL_IP),
			.prefix_len = 24,
			.mac = {{2, 0xaa, 0, 0, 0, 1}},
			.port = UPLINK + 1},
		{.address = LOCAL_IP6,
			.prefix_len = 64,
			.mac = {{2, 0xaa, 0, 0, 0, 1}},
			.port = UPLINK + 1},
	};
	struct tn_underlay_neighbour neighbours[N_PEERS];
	const struct tn_underlay_config underlay = {.addresses = addresses,
		.n_addresses = TN_ARRAY_SIZE(addresses),
		.neighbours = neighbours,
		.n_neighbours = N_PEERS};
	const struct tn_tunnel_config tunnel = {.number = VXLAN,
		.options = {.remote_flow = true,
			.vni_flow = true,
			.udp_port = 4789,
			.ttl = 64,
			.dscp = -1,
			.dont_fragment = true}};
	struct bed *b = calloc(1, sizeof(*b));
	uint32_t x, y;

	for (unsigned i = 0; i < N_PEERS; i++)
		neighbours[i] = (struct tn_underlay_neighbour){.address = peer_address(i),
			.mac = {{2, 0xaa, 0, 0, 0, (uint8_t)(2 + i)}},
			.port = UPLINK + 1};
	bed_now = b;
	b->sw = tn_switch_new(1);
	b->fwd = calloc(1, sizeof(*b->fwd));
	b->processor = malloc(sizeof(*b->processor));
	b->underlay = tn_underlay_new(&underlay);
	assert_int_equal(tn_tunnels_new(&b->tunnels, &tunnel, 1, &x, &y), 0);
	add_ports(b);
	b->fwd->tunnels = b->tunnels;
	b->fwd->underlay = b->underlay;
	b->fwd->snapshot = tn_switch_snapshot(b->sw);
	b->worker = new_worker(128, &b->counted);
	b->cacheless = new_worker(0, &b->counted_cacheless);
	b->tx_room = TN_BURST;
	b->rng.state = 42;
	b->lengths.state = 43;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	tn_worker_free(b->worker);
	tn_worker_free(b->cacheless);
	for (unsigned i = 0; i < N_PORTS * POOL; i++) {
		if (b->pool[i / POOL][i % POOL].buf)
			buffer_free(NULL, &b->pool[i / POOL][i % POOL], 1);
	}
	assert_int_equal(b->live, 0);
	tn_switch_free(b->sw);
	tn_tunnels_free(b->tunnels);
	tn_underlay_free(b->underlay);
	free(b->processor);
	free(b->fwd);
	free(b);
	return 0;
}

/* Few values a member, so that flows come back and rules hit. */
static void small_packet(struct rng *r, struct packet *p)
{
	if (rng_below(r, 4) == 0) {
		packet_random(p, r);
		p->cut = 0;
		return;
	}
	packet_init(p);
	p->eth_dst = 0x020000000000 + rng_below(r, 4);
	p->eth_src = 0x020000000010 + rng_below(r, 4);
	p->n_tags = rng_below(r, 4) == 0;
	p->tpid[0] = 0x8100;
	p->tci[0] = (uint16_t)rng_below(r, 3);
	p->tos = (uint8_t)rng_below(r, 8);
	p->ttl = (uint8_t)(1 + rng_below(r, 3));
	p->proto = rng_below(r, 3) ? 17 : 6;
	if (rng_below(r, 4) == 0) {
		p->l3 = L3_IPV6;
		p->src = (tn_u128)0x20010db8 << 96 | rng_below(r, 4);
		p->dst = (tn_u128)0x20010db8 << 96 | rng_below(r, 4);
	} else {
		p->src = 0x0a000000 + rng_below(r, 8);
		p->dst = 0x0a000100 + rng_below(r, 8);
	}
	p->sport = (uint16_t)(1000 + rng_below(r, 4));
	p->dport = (uint16_t)(80 + rng_below(r, 4));
	p->payload = rng_below(r, 32);
}

/* The frame of a peer, mostly sound. */
static void encapsulate(struct rng *r, struct tn_view *view)
{
	unsigned peer = rng_below(r, N_PEERS);
	const struct tn_vxlan_encap encap = {
		.src = peer_address(peer),
		.dst = (peer < 2 ? tn_u128_from_ip4(LOCAL_IP) : LOCAL_IP6) +
			(rng_below(r, 16) ? 0 : 7),
		.eth_src = {{2, 0xaa, 0, 0, 0, 2}},
		.eth_dst = {{2, 0xaa, 0, 0, 0, 1}},
		.vni = 100 + rng_below(r, rng_below(r, 4) ? 3 : 2000),
		.udp_dst = 4789,
		.ttl = 64,
		.inherit_dscp = rng_below(r, 2),
		.udp_checksum = rng_below(r, 4) == 0,
	};
	struct tn_headers h;

	assert_int_equal(tn_parse(view, &h), TN_DROP_NONE);
	assert_int_equal(tn_vxlan_push(view, &encap, &h, (uint32_t)rng_next(r)), TN_DROP_NONE);
	if (rng_below(r, 16) == 0) /* a damaged outer header */
		view->data[14 + rng_below(r, peer < 2 ? 36 : 56)] ^=
			(uint8_t)(1u << rng_below(r, 8));
}

static void random_frame(struct bed *b, unsigned index, struct tn_packet *p)
{
	/* Out of tunnels the same frame comes from several peers: one of eight, or any. */
	struct rng few = {.state = 1 + rng_below(&b->rng, 8)};
	bool again = index == UPLINK && rng_below(&b->rng, 2);
	static struct frame f;
	struct packet desc;

	small_packet(again ? &few : &b->rng, &desc);
	packet_build(&desc, &f);
	if (f.view.len > 1600)
		f.view.len = f.view.wire_len = 1600;
	if (index == UPLINK)
		encapsulate(&b->rng, &f.view);
	buffer_new(p, f.view.data, f.view.len);
}

/* Mostly flows that came before: a pool of frames a port. */
static void next_frame(struct bed *b, unsigned index, struct tn_packet *p)
{
	struct tn_packet *old = &b->pool[index][rng_below(&b->rng, POOL)];

	if (!old->buf || rng_below(&b->rng, 100) == 0) {
		if (old->buf)
			buffer_free(NULL, old, 1);
		random_frame(b, index, old);
	}
	buffer_new(p, old->data, old->len);
}

static void random_change(struct bed *b)
{
	struct tn_action list[12];
	struct tn_flow_mod fm;
	unsigned n;

	tn_flow_mod_init(&fm);
	fm.table_id = (uint8_t)rng_below(&b->rng, 3);
	fm.priority = (uint16_t)rng_below(&b->rng, 8);
	random_match(&b->rng, &fm.match);
	if (rng_below(&b->rng, 4) == 0)
		fm.command = TN_FLOW_DELETE;
	n = random_actions(&b->rng, &b->lengths, &fm.match, list);
	fm.inst.apply = list;
	fm.inst.n_apply = (uint16_t)n;
	if (fm.table_id < 2 && rng_below(&b->rng, 2))
		fm.inst.goto_table = (uint8_t)(fm.table_id + 1);
	commit_flow(b, &fm);
}

static void add_drops(struct result *r, const struct tn_worker *w, const uint64_t *before)
{
	for (unsigned d = 0; d < TN_DROP_COUNT; d++) {
		for (unsigned i = 0; i <= N_PORTS; i++)
			r->dropped[d] += tn_worker_port_stats(w, i)->dropped[d];
		r->dropped[d] -= before[d];
	}
}

static void run_worker(struct bed *b, struct tn_worker *w, unsigned index,
	const struct tn_packet *packets, unsigned n, uint64_t now_ns, struct result *r)
{
	struct tn_packet burst[TN_BURST];
	struct result before = {0};

	for (unsigned i = 0; i < n; i++)
		buffer_new(&burst[i], packets[i].data, packets[i].len);
	add_drops(&before, w, (const uint64_t[TN_DROP_COUNT]){0});
	b->result = r;
	tn_worker_burst(w, b->fwd, index, burst, n, now_ns);
	tn_worker_flush(w, b->fwd);
	add_drops(r, w, before.dropped);
}

static void compare(
	const struct result *want, const struct result *got, unsigned round, const char *who)
{
	for (unsigned i = 0; i < N_PORTS; i++) {
		if (want->frames[i] != got->frames[i] || want->hash[i] != got->hash[i])
			fail_msg(
				"%s, burst %u: port %u sent %u frames, not the %u of the slow walk, "
				"or others",
				who, round, i + 1, got->frames[i], want->frames[i]);
	}
	for (unsigned d = 0; d < TN_DROP_COUNT; d++) {
		if (want->dropped[d] != got->dropped[d])
			fail_msg("%s, burst %u: %lu drops %s, not %lu", who, round,
				(unsigned long)got->dropped[d], tn_drop_name((enum tn_drop)d),
				(unsigned long)want->dropped[d]);
	}
	assert_int_equal(want->packet_ins, got->packet_ins);
}

static void check_table(void *ctx, const struct tn_table_info *table)
{
	const struct counted *c = ctx;

	assert_int_equal(c->lookups[table->table_id], table->lookups);
	assert_int_equal(c->matches[table->table_id], table->matches);
}

/* What the workers reported is what the slow walk, which writes by pointers, counted. */
static void compare_counts(struct bed *b)
{
	tn_worker_sweep(b->worker, UINT32_MAX);
	tn_worker_sweep(b->cacheless, UINT32_MAX);
	tn_switch_tables(b->sw, check_table, &b->counted);
	tn_switch_tables(b->sw, check_table, &b->counted_cacheless);
	assert_int_equal(b->counted.flow_packets, b->counted_cacheless.flow_packets);
	assert_int_equal(b->counted.flow_bytes, b->counted_cacheless.flow_bytes);
	assert_memory_equal(
		b->counted.packets, b->counted_cacheless.packets, sizeof(b->counted.packets));
	assert_true(b->counted.flow_packets > 10000);
}

static void test_sessions_equal_slow_walk(void **state)
{
	struct bed *b = *state;
	struct tn_worker_stats stats;

	for (unsigned i = 0; i < 20; i++)
		random_change(b);
	for (unsigned round = 0; round < 4000; round++) {
		unsigned index = rng_below(&b->rng, N_PORTS), n = 1 + rng_below(&b->rng, TN_BURST);
		struct tn_packet packets[TN_BURST];
		struct result slow = {0}, fast = {0}, cacheless = {0};

		if (rng_below(&b->rng, 10) == 0)
			random_change(b);
		for (unsigned i = 0; i < n; i++)
			next_frame(b, index, &packets[i]);
		b->result = &slow;
		for (unsigned i = 0; i < n; i++)
			run_slow(b, index, &packets[i], round);
		run_worker(b, b->worker, index, packets, n, round, &fast);
		run_worker(b, b->cacheless, index, packets, n, round, &cacheless);
		compare(&slow, &fast, round, "with sessions");
		compare(&slow, &cacheless, round, "without sessions");
		buffer_free(NULL, packets, n);
		tn_switch_reclaim(b->sw);
	}
	compare_counts(b);
	tn_worker_stats(b->worker, &stats);
	print_message("%lu hits, %lu misses, %lu stale, %lu uncached, %lu evicted\n",
		(unsigned long)stats.hits, (unsigned long)stats.misses, (unsigned long)stats.stale,
		(unsigned long)stats.uncached, (unsigned long)stats.evicted);
	/* the test is worth something only if sessions were used, went stale and were evicted */
	assert_true(stats.hits > 10000);
	assert_true(stats.stale > 1000);
	assert_true(stats.evicted > 100);
}

/* A few loads give the key that the parser and its conversion give. */
static void test_common_shape_equals_parser(void **state)
{
	struct bed *b = *state;
	static const struct tn_key no_rest;
	struct tn_session_key all;
	struct tn_shape_mask mask;
	unsigned common[2] = {0};

	memset(&all, 0xff, sizeof(all));
	mask = tn_shape_mask_of(&all);

	for (unsigned i = 0; i < 200000; i++) {
		struct tn_session_key quick, slow;
		struct tn_session_ip6 ip6, quick6;
		static struct frame f;
		struct tn_headers h;
		struct packet desc;
		struct tn_key key;
		bool has_ip6, is_ip6;

		small_packet(&b->rng, &desc);
		packet_build(&desc, &f);
		if (rng_below(&b->rng, 4) == 0)
			f.view.data[12 + rng_below(&b->rng, 40)] ^=
				(uint8_t)(1u << rng_below(&b->rng, 8));
		is_ip6 = tn_shape_ip6(f.view.data, f.view.len);
		if (!is_ip6 && !tn_shape_common(f.view.data, f.view.len))
			continue;
		common[is_ip6]++;
		if (is_ip6)
			tn_shape_ip6_key(
				f.view.data, &mask, _mm_setzero_si128(), false, &quick, &quick6);
		else
			tn_shape_key(f.view.data, &mask, _mm_setzero_si128(), &quick);
		assert_int_equal(tn_parse(&f.view, &h), TN_DROP_NONE);
		assert_true((h.flags & ~(TN_HDR_UDP | TN_HDR_TCP)) ==
			(is_ip6 ? TN_HDR_IPV6 : TN_HDR_IPV4));
		assert_true(h.l4 && !h.ip_frag && !h.exthdr);
		tn_key_extract(&f.view, &h, &key);
		assert_true(tn_session_key_from(&key, &no_rest, &slow, &ip6, &has_ip6));
		assert_true(has_ip6 == is_ip6);
		assert_memory_equal(&quick, &slow, sizeof(quick));
		if (is_ip6)
			assert_memory_equal(&quick6, &ip6, sizeof(ip6));
	}
	assert_true(common[0] > 10000 && common[1] > 10000);
}

/* What programs count is what packets came. */
static void test_counts_are_reported(void **state)
{
	struct bed *b = *state;
	struct tn_flow_mod fm;
	struct tn_action out = {
		.type = TN_ACTION_OUTPUT, .output = {.port = 3, .reason = TN_REASON_DEFAULT}};
	struct tn_packet packets[TN_BURST];
	struct result r = {0};

	tn_flow_mod_init(&fm);
	fm.inst.apply = &out;
	fm.inst.n_apply = 1;
	commit_flow(b, &fm);
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < TN_BURST; i++)
			random_frame(b, 0, &packets[i]);
		run_worker(b, b->worker, 0, packets, TN_BURST, round, &r);
		buffer_free(NULL, packets, TN_BURST);
	}
	tn_worker_sweep(b->worker, UINT32_MAX);
	assert_int_equal(b->counted.flow_packets,
		10 * TN_BURST - tn_worker_port_stats(b->worker, 0)->dropped[TN_DROP_RUNT]);
	assert_int_equal(r.frames[2], b->counted.flow_packets);
}

static void flow_to(struct bed *b, uint32_t port)
{
	struct tn_action out = {.type = TN_ACTION_OUTPUT,
		.output = {.port = port,
			.reason = TN_REASON_DEFAULT,
			.max_len = port == TN_PORT_CONTROLLER ? TN_CONTROLLER_MAX_LEN_WHOLE : 0}};
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	fm.inst.apply = &out;
	fm.inst.n_apply = 1;
	commit_flow(b, &fm);
}

/* A full queue and a full way to the controller cost their packets, counted, and nothing else. */
static void test_full_ways_out_are_counted(void **state)
{
	struct bed *b = *state;
	struct tn_packet packets[TN_BURST];
	struct result r = {0};

	for (unsigned i = 0; i < TN_BURST; i++)
		next_frame(b, 0, &packets[i]);
	flow_to(b, 3);
	b->tx_room = 5;
	run_worker(b, b->worker, 0, packets, TN_BURST, 1, &r);
	assert_int_equal(r.frames[2], 5);
	assert_int_equal(r.dropped[TN_DROP_TX_FULL], TN_BURST - 5);
	flow_to(b, TN_PORT_CONTROLLER);
	b->punts_full = true;
	run_worker(b, b->worker, 0, packets, TN_BURST, 2, &r);
	assert_int_equal(r.dropped[TN_DROP_PUNT_FULL], TN_BURST);
	buffer_free(NULL, packets, TN_BURST);
}

static void packet_out(struct bed *b, uint32_t in_port, uint32_t port, struct result *r)
{
	const struct tn_action out = {
		.type = TN_ACTION_OUTPUT, .output = {.port = port, .reason = TN_REASON_DEFAULT}};
	struct tn_packet p;

	next_frame(b, 0, &p);
	b->result = r;
	tn_worker_packet_out(b->worker, b->fwd, &p, in_port, &out, 1, 1);
	tn_worker_flush(b->worker, b->fwd);
}

/* A list of actions out of a port, into the tables, and one that ends in a drop. */
static void test_packet_out(void **state)
{
	struct bed *b = *state;
	struct result r = {0};

	flow_to(b, 4);
	packet_out(b, TN_PORT_CONTROLLER, 3, &r);
	assert_int_equal(r.frames[2], 1);
	packet_out(b, 1, TN_PORT_TABLE, &r);
	assert_int_equal(r.frames[3], 1);
	packet_out(b, 1, 1, &r);
	assert_int_equal(tn_worker_port_stats(b->worker, 0)->dropped[TN_DROP_TO_INGRESS], 1);
	packet_out(b, TN_PORT_CONTROLLER, VXLAN, &r);
	assert_int_equal(tn_worker_port_stats(b->worker, TN_WORKER_CONTROLLER)
				 ->dropped[TN_DROP_VXLAN_NO_REMOTE],
		1);
}

/* What comes by an uplink and is for no tunnel: the host's where it has a way there. */
static void test_host_frames(void **state)
{
	struct bed *b = *state;
	struct tn_packet packets[2];
	struct result r = {0};

	flow_to(b, 3);
	next_frame(b, 0, &packets[0]);
	next_frame(b, 0, &packets[1]);
	run_worker(b, b->worker, UPLINK, packets, 2, 1, &r);
	assert_int_equal(r.frames[2], 2);
	b->fwd->ports[UPLINK].host = true;
	run_worker(b, b->worker, UPLINK, packets, 2, 2, &r);
	assert_int_equal(r.frames[2], 2);
	assert_int_equal(b->host_frames, 2);
	b->punts_full = true;
	run_worker(b, b->worker, UPLINK, packets, 2, 3, &r);
	assert_int_equal(r.dropped[TN_DROP_PUNT_FULL], 2);
	buffer_free(NULL, packets, 2);
}

/* Frame `number` of a tenant, by its source address, in a network. */
static void tunnel_frame(struct tn_packet *p, uint32_t vni, uint32_t number)
{
	const struct tn_vxlan_encap encap = {.src = tn_u128_from_ip4(REMOTE_IP),
		.dst = tn_u128_from_ip4(LOCAL_IP),
		.vni = vni,
		.udp_dst = 4789,
		.ttl = 64};
	static struct frame f;
	struct packet desc;
	struct tn_headers h;

	packet_init(&desc);
	desc.eth_src = 0x020000000000 + number;
	packet_build(&desc, &f);
	assert_int_equal(tn_parse(&f.view, &h), TN_DROP_NONE);
	assert_int_equal(tn_vxlan_push(&f.view, &encap, &h, 0), TN_DROP_NONE);
	buffer_new(p, f.view.data, f.view.len);
}

/*
 * Of the outer headers that the worker remembers, each new one takes the place of another sooner or
 * later: not while packets of that one are still to be decided.
 */
static void test_remembered_peers(void **state)
{
	struct bed *b = *state;
	struct tn_action out = {
		.type = TN_ACTION_OUTPUT, .output = {.port = 3, .reason = TN_REASON_DEFAULT}};
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	tn_match_set_exact(&fm.match, TN_FIELD_TUNNEL_ID, 100);
	tn_match_set_exact(&fm.match, TN_FIELD_ETH_SRC, 0x020000000000);
	commit_flow(b, &fm); /* so that each source is a session */
	tn_flow_mod_init(&fm);
	tn_match_set_exact(&fm.match, TN_FIELD_TUNNEL_ID, 100);
	fm.priority = 1;
	fm.inst.apply = &out;
	fm.inst.n_apply = 1;
	commit_flow(b, &fm);
	for (uint32_t i = 1; i <= 2000; i++) {
		struct tn_packet packets[2];
		struct result r = {0};

		tunnel_frame(&packets[0], 100, 0x10000 + i);
		tunnel_frame(&packets[1], 200 + i, i);
		run_worker(b, b->worker, UPLINK, packets, 1, i, &r);
		buffer_free(NULL, packets, 1);
		tunnel_frame(&packets[0], 100, 0x20000 + i);
		run_worker(b, b->worker, UPLINK, packets, 2, i, &r);
		assert_int_equal(r.frames[2], 2);
		assert_int_equal(r.dropped[TN_DROP_TABLE_MISS], 1);
		buffer_free(NULL, packets, 2);
	}
}

static void flow_to_tunnel(struct bed *b)
{
	struct tn_action list[] = {
		{.type = TN_ACTION_SET_FIELD,
			.field = TN_FIELD_TUNNEL_ID,
			.set = {.value = 7, .mask = UINT64_MAX}},
		{.type = TN_ACTION_SET_FIELD,
			.field = TN_FIELD_TUN_DST,
			.set = {.value = tn_u128_from_ip4(REMOTE_IP), .mask = ~(tn_u128)0}},
		{.type = TN_ACTION_OUTPUT, .output = {.port = VXLAN, .reason = TN_REASON_DEFAULT}},
	};
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	fm.inst.apply = list;
	fm.inst.n_apply = 3;
	commit_flow(b, &fm);
}

/* What goes into tunnels does not cost what comes out of them its sessions, nor back into them. */
static void test_both_ways(void **state)
{
	struct bed *b = *state;
	struct tn_action out = {
		.type = TN_ACTION_OUTPUT, .output = {.port = 3, .reason = TN_REASON_DEFAULT}};
	struct tn_worker_stats stats;
	struct tn_flow_mod fm;

	flow_to_tunnel(b);
	tn_flow_mod_init(&fm);
	tn_match_set_exact(&fm.match, TN_FIELD_TUNNEL_ID, 100);
	fm.priority = TN_PRIORITY_DEFAULT + 1;
	fm.inst.apply = &out;
	fm.inst.n_apply = 1;
	commit_flow(b, &fm);
	for (uint32_t i = 1; i <= 100; i++) {
		struct tn_packet packets[2];
		struct result r = {0};

		next_frame(b, 0, &packets[0]);
		run_worker(b, b->worker, 0, packets, 1, i, &r);
		assert_int_equal(r.frames[UPLINK], 1);
		buffer_free(NULL, packets, 1);
		tunnel_frame(&packets[0], 100, 1);
		tunnel_frame(&packets[1], 200, 1); /* and back */
		run_worker(b, b->worker, UPLINK, packets, 2, i, &r);
		assert_int_equal(r.frames[2], 1);
		buffer_free(NULL, packets, 2);
	}
	tn_worker_stats(b->worker, &stats);
	assert_int_equal(stats.uncached, 0);
	assert_true(stats.hits >= 190);
}

/* Nothing is tunnelled out of an uplink that is down. */
static void test_closed_uplink(void **state)
{
	struct bed *b = *state;
	struct tn_packet packets[2];
	struct result r = {0};

	next_frame(b, 0, &packets[0]);
	next_frame(b, 0, &packets[1]);
	flow_to_tunnel(b);
	run_worker(b, b->worker, 0, packets, 2, 1, &r);
	assert_int_equal(r.frames[UPLINK], 2);
	b->fwd->ports[UPLINK].closed = TN_DROP_PORT_DOWN;
	flow_to_tunnel(b);
	run_worker(b, b->worker, 0, packets, 2, 2, &r);
	assert_int_equal(r.frames[UPLINK], 2);
	assert_int_equal(r.dropped[TN_DROP_PORT_DOWN], 2);
	buffer_free(NULL, packets, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sessions_equal_slow_walk),
		TEST(common_shape_equals_parser),
		TEST(counts_are_reported),
		TEST(full_ways_out_are_counted),
		TEST(packet_out),
		TEST(both_ways),
		TEST(closed_uplink),
		TEST(host_frames),
		TEST(remembered_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
