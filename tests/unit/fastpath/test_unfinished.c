/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames that their sender left unfinished: through the worker they must come to the same as the
 * frames that they stand for, whatever the tables do with them. So each runs twice: as it is, and
 * finished before, with the checksum in it and cut. What leaves by each port must be equal, byte by
 * byte; a port that takes unfinished frames finishes them here.
 */
#include "dataplane/fastpath/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core/packets.h"

#define N_PORTS	  5u
#define VXLAN	  10u
#define UPLINK	  1u /* indexes */
#define PLAIN	  2u
#define TAKES_ALL 3u
#define TAKES_SUM 4u
#define ROOM	  256u
#define LOCAL_IP  0xc6336401u
#define REMOTE_IP 0xc6336402u
#define METER	  1u
#define MANY	  4096u

/* What leaves by a port, or goes to the host or the controller. */
struct trail {
	uint64_t hash;
	unsigned frames;
};

struct bed {
	struct tn_switch *sw;
	struct tn_forwarding *fwd;
	struct tn_tunnels *tunnels;
	struct tn_underlay *underlay;
	struct tn_port ports[N_PORTS];
	struct tn_worker *worker;
	struct trail ports_out[N_PORTS], host, controller;
	unsigned passed_on;  /* frames that a port got unfinished */
	unsigned live, room; /* buffers in use, buffers left */
	struct rng rng;
};

static struct bed *bed_now;

/* --- buffers and ports ------------------------------------------------------------------------ */

static void follow(struct trail *t, const uint8_t *data, uint32_t len)
{
	uint64_t h = t->hash ^ len;

	for (uint32_t i = 0; i < len; i++)
		h = (h ^ data[i]) * UINT64_C(0x100000001b3);
	t->hash = h;
	t->frames++;
}

static bool buffer_alloc(void *ctx, uint32_t len, struct tn_packet *p)
{
	uint8_t *buf;

	(void)ctx;
	if (!bed_now->room)
		return false;
	buf = malloc(ROOM + len);
	bed_now->room--;
	bed_now->live++;
	*p = (struct tn_packet){.buf = buf, .data = buf + ROOM, .len = len, .headroom = ROOM};
	return true;
}

static bool buffer_clone(void *ctx, const struct tn_packet *p, struct tn_packet *copy)
{
	if (!buffer_alloc(ctx, p->len, copy))
		return false;
	memcpy(copy->data, p->data, p->len);
	copy->offload = p->offload;
	return true;
}

static void buffer_free(void *ctx, const struct tn_packet *p, unsigned n)
{
	(void)ctx;
	for (unsigned i = 0; i < n; i++)
		free(p[i].buf);
	bed_now->live -= n;
	bed_now->room += n;
}

static const struct tn_buffer_ops buffer_ops = {
	.clone = buffer_clone, .alloc = buffer_alloc, .free = buffer_free};

/* The frames that a packet stands for. */
static unsigned finish(const struct tn_packet *p, struct tn_packet *frames)
{
	struct tn_offload o;

	assert_true(tn_offload_find(p->data, p->len, p->offload, &o));
	if (o.n == 1) {
		assert_true(buffer_clone(NULL, p, &frames[0]));
		tn_offload_complete(frames[0].data, &o);
		frames[0].offload = TN_OFFLOAD_NONE;
		return 1;
	}
	for (uint32_t i = 0; i < o.n; i++) {
		assert_true(buffer_alloc(NULL, tn_offload_segment_len(&o, i), &frames[i]));
		tn_offload_write_segment(p->data, &o, i, frames[i].data);
	}
	return o.n;
}

static void send_unfinished(struct trail *t, const struct tn_packet *p)
{
	struct tn_packet frames[TN_OFFLOAD_SEGMENTS_MAX];
	unsigned n = finish(p, frames);

	bed_now->passed_on++;
	for (unsigned i = 0; i < n; i++)
		follow(t, frames[i].data, frames[i].len);
	buffer_free(NULL, frames, n);
}

static unsigned port_tx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct trail *t = &bed_now->ports_out[port - bed_now->ports];

	(void)queue;
	for (unsigned i = 0; i < n; i++) {
		bool takes = tn_offload_cuts(packets[i].offload) ? port->takes & TN_PORT_TAKES_TSO4
								 : port->takes & TN_PORT_TAKES_CSUM;

		if (!packets[i].offload) {
			follow(t, packets[i].data, packets[i].len);
			continue;
		}
		assert_true(takes);
		send_unfinished(t, &packets[i]);
	}
	buffer_free(NULL, packets, n);
	return n;
}

static const struct tn_port_ops port_ops = {.kind = "memory", .tx = port_tx};

static bool on_packet_in(void *ctx, const struct tn_view *view, const struct tn_op *op,
	uint8_t reason, uint16_t max_len)
{
	(void)ctx;
	(void)op;
	(void)reason;
	(void)max_len;
	follow(&bed_now->controller, view->data, view->len);
	return true;
}

static bool on_host(void *ctx, unsigned port_index, struct tn_packet *packet)
{
	(void)ctx;
	assert_int_equal(port_index, UPLINK);
	assert_int_equal(packet->offload, TN_OFFLOAD_NONE);
	follow(&bed_now->host, packet->data, packet->len);
	buffer_free(NULL, packet, 1);
	return true;
}

/* --- the bed ---------------------------------------------------------------------------------- */

static void commit(struct bed *b, struct tn_mod mod)
{
	struct tn_error err = {0};
	size_t failed;

	if (tn_switch_commit(b->sw, &mod, 1, 0, &failed, &err))
		fail_msg("%s: %s", tn_of_error_name(err.of), err.detail);
	b->fwd->snapshot = tn_switch_snapshot(b->sw);
	tn_switch_reclaim(b->sw);
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
	b->ports[TAKES_ALL].takes = TN_PORT_TAKES_CSUM | TN_PORT_TAKES_TSO4 | TN_PORT_TAKES_TSO6;
	b->ports[TAKES_SUM].takes = TN_PORT_TAKES_CSUM;
	port.number = VXLAN;
	port.type = TN_PORT_VXLAN;
	assert_int_equal(tn_switch_port_add(b->sw, &port, 0, &err), 0);
	b->fwd->ports[N_PORTS] = (struct tn_forwarding_port){
		.kind = TN_FWD_TUNNEL, .number = VXLAN, .max_frame = TN_FRAME_MAX};
	b->fwd->n_ports = N_PORTS + 1;
}

static void add_meter(struct bed *b, enum tn_meter_command command, uint32_t rate, uint32_t burst)
{
	const struct tn_band band = {.type = TN_BAND_DROP, .rate = rate, .burst = burst};
	const struct tn_meter_mod meter = {.command = command,
		.meter_id = METER,
		.flags = TN_METER_PKTPS | TN_METER_BURST,
		.bands = &band,
		.n_bands = 1};

	commit(b, (struct tn_mod){.kind = TN_MOD_METER, .meter = &meter});
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
	const struct tn_tunnel_config tunnel = {.number = VXLAN,
		.options = {.remote_flow = true,
			.vni_flow = true,
			.udp_port = 4789,
			.ttl = 64,
			.dscp = -1,
			.dont_fragment = true}};
	const struct tn_worker_config config = {
		.sessions = 128,
		.seed = 7,
		.buffers = &buffer_ops,
		.events = {.packet_in = on_packet_in, .host = on_host},
	};
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
	b->room = MANY;
	b->rng.state = 42;
	add_meter(b, TN_METER_ADD, 1000000, 1000000);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	tn_worker_free(b->worker);
	assert_int_equal(b->live, 0);
	tn_switch_free(b->sw);
	tn_tunnels_free(b->tunnels);
	tn_underlay_free(b->underlay);
	free(b->fwd);
	free(b);
	return 0;
}

/* --- frames and rules ------------------------------------------------------------------------- */

/* A whole TCP or UDP packet of some kind, with a TTL that lasts. */
static void random_packet(struct rng *r, bool ip6, bool tcp, struct packet *p)
{
	packet_init(p);
	p->eth_dst = 0x020000000000 + rng_below(r, 4);
	p->n_tags = rng_below(r, 4) == 0 ? 1 + rng_below(r, 2) : 0;
	for (unsigned i = 0; i < 2; i++) {
		p->tpid[i] = 0x8100;
		p->tci[i] = (uint16_t)(1 + rng_below(r, 3));
	}
	p->proto = tcp ? TN_IPPROTO_TCP : TN_IPPROTO_UDP;
	p->tos = (uint8_t)rng_next(r);
	p->ttl = (uint8_t)(8 + rng_below(r, 60));
	p->l3 = ip6 ? L3_IPV6 : L3_IPV4;
	p->src = ip6 ? (tn_u128)0x20010db8 << 96 | rng_below(r, 4) : 0x0a000000 + rng_below(r, 4);
	p->dst = ip6 ? (tn_u128)0x20010db8 << 96 | 9 : 0x0a000100 + rng_below(r, 4);
	p->hop = ip6 && rng_below(r, 8) == 0;
	p->ip_options = !ip6 && rng_below(r, 8) == 0 ? 8 : 0;
	p->tcp_options = tcp && rng_below(r, 2) ? 12 : 0;
	p->tcp_flags = (uint16_t)(0x10 | (rng_next(r) & 0x89));
	p->sport = (uint16_t)(1000 + rng_below(r, 4));
	p->dport = 80;
	p->payload = rng_below(r, 2600);
	p->seed = (uint32_t)rng_next(r);
	p->pad = rng_below(r, 8) == 0 ? 6 : 0;
}

static void unfinished(struct rng *r, const struct packet *p, uint16_t offload, struct tn_packet *u)
{
	static struct frame f;
	struct tn_packet whole;

	packet_build(p, &f);
	memset(f.view.data + f.l4_csum, (int)(rng_next(r) & 0xff), 2);
	whole = (struct tn_packet){.data = f.view.data, .len = f.view.len, .offload = offload};
	assert_true(buffer_clone(NULL, &whole, u));
}

static struct tn_action set(enum tn_field_id id, tn_u128 value)
{
	return (struct tn_action){.type = TN_ACTION_SET_FIELD,
		.field = (uint8_t)id,
		.set = {.value = value, .mask = tn_field_ones(id)}};
}

static struct tn_action output(uint32_t port)
{
	return (struct tn_action){.type = TN_ACTION_OUTPUT,
		.output = {.port = port,
			.reason = TN_REASON_DEFAULT,
			.max_len = port == TN_PORT_CONTROLLER ? TN_CONTROLLER_MAX_LEN_WHOLE : 0}};
}

static unsigned to_tunnel(struct tn_action *list, unsigned n)
{
	list[n++] = set(TN_FIELD_TUNNEL_ID, 7);
	list[n++] = set(TN_FIELD_TUN_DST, tn_u128_from_ip4(REMOTE_IP));
	list[n++] = output(VXLAN);
	return n;
}

static struct tn_action random_rewrite(struct rng *r, bool ip6, bool tcp)
{
	switch (rng_below(r, 8)) {
	case 0:
		return ip6 ? set(TN_FIELD_IPV6_SRC, rng_next(r))
			   : set(TN_FIELD_IPV4_SRC, 0x0a010101);
	case 1:
		return ip6 ? set(TN_FIELD_IPV6_DST, rng_next(r))
			   : set(TN_FIELD_IPV4_DST, 0x0a010102);
	case 2:
		return set(tcp ? TN_FIELD_TCP_SRC : TN_FIELD_UDP_SRC, rng_below(r, 65536));
	case 3:
		return set(tcp ? TN_FIELD_TCP_DST : TN_FIELD_UDP_DST, rng_below(r, 65536));
	case 4:
		return (struct tn_action){.type = TN_ACTION_DEC_TTL};
	case 5:
		return set(TN_FIELD_IP_DSCP, rng_below(r, 64));
	case 6:
		return (struct tn_action){.type = TN_ACTION_PUSH_VLAN, .ethertype = 0x8100};
	default:
		return set(TN_FIELD_ETH_SRC, 0x020000000099);
	}
}

/* Each port once at most: two copies of a large frame do not take turns by the piece. */
static unsigned random_list(struct rng *r, bool ip6, bool tcp, struct tn_action *list)
{
	unsigned n = 0, ports = rng_below(r, 8);

	for (unsigned k = rng_below(r, 4); k; k--)
		list[n++] = random_rewrite(r, ip6, tcp);
	if (rng_below(r, 8) == 0)
		list[n++] = (struct tn_action){
			.type = TN_ACTION_TRUNCATE, .max_len = 60 + rng_below(r, 2000)};
	for (unsigned k = 1; k < 3; k++) {
		if (ports >> k & 1)
			list[n++] = output(1 + PLAIN + k);
	}
	if (rng_below(r, 2))
		n = to_tunnel(list, n);
	if (rng_below(r, 8) == 0)
		list[n++] = output(TN_PORT_CONTROLLER);
	if (ports & 1) {
		list[n++] = random_rewrite(r, ip6, tcp);
		list[n++] = output(1 + PLAIN);
	}
	return n;
}

static void flow(struct bed *b, const struct packet *p, const struct tn_action *list, unsigned n,
	bool metered)
{
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	if (p) {
		tn_match_set_exact(&fm.match, TN_FIELD_ETH_TYPE,
			p->l3 == L3_IPV6 ? TN_ETH_TYPE_IPV6 : TN_ETH_TYPE_IPV4);
		tn_match_set_exact(&fm.match, TN_FIELD_IP_PROTO, p->proto);
	}
	fm.inst.apply = list;
	fm.inst.n_apply = (uint16_t)n;
	fm.inst.meter_id = metered ? METER : 0;
	commit(b, (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &fm});
}

/* --- both ways -------------------------------------------------------------------------------- */

struct outcome {
	struct trail ports_out[N_PORTS], host, controller;
	uint64_t dropped[TN_DROP_COUNT];
};

static uint64_t drops_of(const struct bed *b, enum tn_drop reason)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < N_PORTS; i++)
		n += tn_worker_port_stats(b->worker, i)->dropped[reason];
	return n;
}

/* n packets by a port; received + copies = sent + consumed + dropped. */
static struct outcome run(struct bed *b, unsigned index, struct tn_packet *packets, unsigned n)
{
	struct outcome out = {0};
	struct tn_worker_stats before, after;
	uint64_t ended = 0;

	memset(b->ports_out, 0, sizeof(b->ports_out));
	b->host = b->controller = (struct trail){0};
	b->passed_on = 0;
	tn_worker_stats(b->worker, &before);
	for (unsigned d = 0; d < TN_DROP_COUNT; d++)
		out.dropped[d] = drops_of(b, (enum tn_drop)d);
	for (unsigned i = 0; i < n; i += TN_BURST)
		tn_worker_burst(b->worker, b->fwd, index, packets + i,
			n - i < TN_BURST ? n - i : TN_BURST, 1);
	tn_worker_flush(b->worker, b->fwd);
	tn_worker_stats(b->worker, &after);
	for (unsigned d = 0; d < TN_DROP_COUNT; d++) {
		out.dropped[d] = drops_of(b, (enum tn_drop)d) - out.dropped[d];
		ended += out.dropped[d];
	}
	memcpy(out.ports_out, b->ports_out, sizeof(out.ports_out));
	out.host = b->host;
	out.controller = b->controller;
	for (unsigned i = 0; i < N_PORTS; i++)
		ended += out.ports_out[i].frames;
	ended += out.host.frames + out.controller.frames;
	if (!b->passed_on)
		assert_int_equal(n + after.copies - before.copies, ended);
	return out;
}

static void assert_same_outcome(const struct outcome *a, const struct outcome *b)
{
	for (unsigned i = 0; i < N_PORTS; i++) {
		assert_int_equal(a->ports_out[i].frames, b->ports_out[i].frames);
		assert_true(a->ports_out[i].hash == b->ports_out[i].hash);
	}
	assert_int_equal(a->host.frames, b->host.frames);
	assert_true(a->host.hash == b->host.hash);
	assert_int_equal(a->controller.frames, b->controller.frames);
	assert_true(a->controller.hash == b->controller.hash);
	assert_memory_equal(a->dropped, b->dropped, sizeof(a->dropped));
}

static struct outcome run_both_ways(struct bed *b, unsigned index, struct tn_packet *u, unsigned n)
{
	static struct tn_packet frames[TN_BURST * TN_OFFLOAD_SEGMENTS_MAX];
	struct outcome as_it_is, finished;
	unsigned n_frames = 0;

	for (unsigned i = 0; i < n; i++)
		n_frames += finish(&u[i], &frames[n_frames]);
	as_it_is = run(b, index, u, n);
	finished = run(b, index, frames, n_frames);
	/* Nobody cuts what goes nowhere. */
	as_it_is.dropped[TN_DROP_NO_ACTION] = finished.dropped[TN_DROP_NO_ACTION] = 0;
	assert_same_outcome(&as_it_is, &finished);
	return as_it_is;
}

static void test_random_rules(void **state)
{
	struct bed *b = *state;
	unsigned passed_on = 0, tunnelled = 0;

	for (unsigned round = 0; round < 3000; round++) {
		bool ip6 = rng_below(&b->rng, 2), tcp = rng_below(&b->rng, 4) != 0;
		struct tn_action list[24];
		struct tn_packet u[4];
		struct outcome out;
		struct packet p;
		unsigned n = random_list(&b->rng, ip6, tcp, list);

		random_packet(&b->rng, ip6, tcp, &p);
		flow(b, &p, list, n, rng_below(&b->rng, 8) == 0);
		for (unsigned i = 0; i < 4; i++) {
			uint16_t size = (uint16_t)(200 + rng_below(&b->rng, 1300));

			random_packet(&b->rng, ip6, tcp, &p);
			unfinished(&b->rng, &p,
				tcp && rng_below(&b->rng, 2) ? size : TN_OFFLOAD_CSUM, &u[i]);
		}
		out = run_both_ways(b, 0, u, 4);
		passed_on += out.ports_out[TAKES_ALL].frames;
		tunnelled += out.ports_out[UPLINK].frames;
	}
	/* Worth something only if they went all ways. */
	assert_true(passed_on > 1000);
	assert_true(tunnelled > 1000);
}

static void large_tcp(struct bed *b, unsigned payload, uint16_t size, struct tn_packet *u)
{
	struct packet p;

	random_packet(&b->rng, false, true, &p);
	p.payload = payload;
	p.tcp_options = 0;
	p.ip_options = p.n_tags = p.pad = 0;
	unfinished(&b->rng, &p, size, u);
}

/* One frame, as large as it came, where the port takes that; only cut where it does not. */
static void test_stays_large(void **state)
{
	struct bed *b = *state;
	struct tn_worker_stats stats;
	struct tn_packet u;
	struct tn_action out;

	out = output(1 + TAKES_ALL);
	flow(b, NULL, &out, 1, false);
	large_tcp(b, 2000, 500, &u);
	assert_int_equal(run(b, 0, &u, 1).ports_out[TAKES_ALL].frames, 4);
	assert_int_equal(b->passed_on, 1);
	tn_worker_stats(b->worker, &stats);
	assert_int_equal(stats.segments, 0);
	out = output(1 + TAKES_SUM);
	flow(b, NULL, &out, 1, false);
	large_tcp(b, 2000, 500, &u);
	assert_int_equal(run(b, 0, &u, 1).ports_out[TAKES_SUM].frames, 4);
	assert_int_equal(b->passed_on, 0);
	tn_worker_stats(b->worker, &stats);
	assert_int_equal(stats.segments, 4);
}

/* The MTU is one of segments: of 554 bytes here, of 604 in the tunnel. */
static void test_mtu_is_of_segments(void **state)
{
	static const struct {
		unsigned port;
		uint32_t max_frame;
		unsigned sent, dropped;
	} cases[] = {
		{TAKES_ALL, 554, 4, 0},
		{TAKES_ALL, 553, 0, 1}, /* nobody cut it */
		{PLAIN, 554, 4, 0},
		{PLAIN, 553, 0, 4},
		{UPLINK, 604, 4, 0},
		{UPLINK, 603, 0, 4},
	};
	struct bed *b = *state;

	for (unsigned i = 0; i < TN_ARRAY_SIZE(cases); i++) {
		struct tn_action list[3];
		struct outcome out;
		struct tn_packet u;
		unsigned n = 1;

		list[0] = output(1 + cases[i].port);
		if (cases[i].port == UPLINK)
			n = to_tunnel(list, 0);
		b->fwd->ports[cases[i].port].max_frame = cases[i].max_frame;
		assert_int_equal(tn_switch_touch(b->sw, &(struct tn_error){0}), 0);
		flow(b, NULL, list, n, false);
		large_tcp(b, 2000, 500, &u);
		out = run(b, 0, &u, 1);
		assert_int_equal(out.ports_out[cases[i].port].frames, cases[i].sent);
		assert_int_equal(out.dropped[TN_DROP_MTU], cases[i].dropped);
	}
}

/* A meter that lets three packets through sees packets, not one large one. */
static void test_meter_counts_segments(void **state)
{
	struct bed *b = *state;
	struct tn_action out = output(1 + TAKES_ALL);
	struct outcome o;
	struct tn_packet u;

	add_meter(b, TN_METER_MODIFY, 1, 3);
	flow(b, NULL, &out, 1, true);
	large_tcp(b, 2000, 500, &u);
	o = run(b, 0, &u, 1);
	assert_int_equal(o.ports_out[TAKES_ALL].frames, 3);
	assert_int_equal(o.dropped[TN_DROP_METER], 1);
}

/* The controller reads of a TTL that ran out in the first frame of those, which is finished. */
static void test_ttl_runs_out(void **state)
{
	struct tn_action list[2] = {{.type = TN_ACTION_DEC_TTL}, output(1 + PLAIN)};
	struct bed *b = *state;
	struct tn_packet u, first, frames[8];
	struct trail want = {0};
	struct outcome out;
	struct packet p;
	unsigned n;

	random_packet(&b->rng, false, true, &p);
	p.ttl = 1;
	p.n_tags = 0;
	p.payload = 1000;
	flow(b, &p, list, 2, false);
	unfinished(&b->rng, &p, 500, &u);
	n = finish(&u, frames);
	first = frames[0];
	follow(&want, first.data, first.len);
	buffer_free(NULL, frames, n);
	out = run(b, 0, &u, 1);
	assert_int_equal(out.controller.frames, 1);
	assert_true(out.controller.hash == want.hash);
	assert_int_equal(out.dropped[TN_DROP_TTL_EXPIRED], 1);
}

/* A large frame is as long as its segments; of one that is too long one answer tells. */
static void test_too_big_is_told_once(void **state)
{
	struct tn_action list[6] = {
		{.type = TN_ACTION_IF_LONGER, .max_len = 540, .n_nested = 2},
		{.type = TN_ACTION_REPLY,
			.reply = {.kind = TN_REPLY_TOO_BIG,
				.ip = tn_u128_from_ip4(0x0a0000fe),
				.number = 540}},
		output(TN_PORT_IN_PORT),
		output(1 + TAKES_ALL),
	};
	struct bed *b = *state;
	struct packet p;

	packet_init(&p);
	p.proto = TN_IPPROTO_TCP;
	p.dst = 0x0a000102;
	p.payload = 2000;
	for (unsigned way = 0; way < 3; way++) {
		unsigned n = 4;

		/* Out as it is, through the executor, into a tunnel. */
		if (way == 1) {
			list[3] = set(TN_FIELD_ETH_SRC, 0x020000000099);
			list[4] = output(1 + TAKES_ALL);
			n = 5;
		} else if (way == 2) {
			n = to_tunnel(list, 3);
		}
		flow(b, &p, list, n, false);
		for (uint16_t size = 500; size <= 501; size++) {
			struct tn_packet u;
			struct outcome out;

			unfinished(&b->rng, &p, size, &u);
			out = run(b, 0, &u, 1);
			assert_int_equal(out.ports_out[0].frames, size > 500);
			assert_int_equal(
				out.ports_out[TAKES_ALL].frames, size > 500 || way == 2 ? 0 : 4);
			assert_int_equal(
				out.ports_out[UPLINK].frames, size > 500 || way != 2 ? 0 : 4);
			assert_int_equal(b->passed_on, size == 500 && way != 2);
		}
	}
}

/* What cannot be done is a counted drop, on every way out. */
static void test_bad_offload(void **state)
{
	struct bed *b = *state;

	for (unsigned way = 0; way < 4; way++) {
		struct tn_action list[4];
		struct tn_packet u[2];
		struct packet p;
		unsigned n = 1;

		list[0] = output(1 + (way ? TAKES_ALL : PLAIN));
		if (way == 2)
			n = to_tunnel(list, 0);
		if (way == 3)
			list[0] = output(TN_PORT_CONTROLLER);
		random_packet(&b->rng, false, false, &p);
		flow(b, NULL, list, n, false);
		unfinished(&b->rng, &p, 500, &u[0]); /* UDP is not cut */
		random_packet(&b->rng, false, true, &p);
		p.payload = 2000;
		unfinished(&b->rng, &p, 7, &u[1]); /* too many */
		assert_int_equal(run(b, 0, u, 2).dropped[TN_DROP_BAD_OFFLOAD], 2);
	}
}

/* Without buffers for all segments those that are missing are counted, and the rest goes. */
static void test_no_buffers(void **state)
{
	struct bed *b = *state;
	struct tn_action out = output(1 + PLAIN);
	struct outcome o;
	struct tn_packet u;

	flow(b, NULL, &out, 1, false);
	large_tcp(b, 2000, 500, &u);
	b->room = 1;
	o = run(b, 0, &u, 1);
	b->room = MANY;
	assert_int_equal(o.ports_out[PLAIN].frames, 1);
	assert_int_equal(o.dropped[TN_DROP_NO_BUFFER], 3);
}

/* A machine may be an uplink, too: the host gets finished frames and tunnels sound checksums. */
static void test_by_an_uplink(void **state)
{
	struct bed *b = *state;
	struct tn_action out = output(1 + PLAIN);
	struct tn_packet u[2];
	struct packet p;

	b->fwd->ports[UPLINK].host = true;
	flow(b, NULL, &out, 1, false);
	large_tcp(b, 2000, 500, &u[0]);
	large_tcp(b, 100, TN_OFFLOAD_CSUM, &u[1]);
	assert_int_equal(run_both_ways(b, UPLINK, u, 2).host.frames, 5);
	/* To a port of a tunnel, but nothing that one takes. */
	random_packet(&b->rng, false, false, &p);
	p.n_tags = p.ip_options = 0;
	p.dst = LOCAL_IP;
	p.src = REMOTE_IP;
	p.dport = 4789;
	p.payload = 100;
	unfinished(&b->rng, &p, TN_OFFLOAD_CSUM, &u[0]);
	assert_int_equal(run_both_ways(b, UPLINK, u, 1).dropped[TN_DROP_VXLAN_BAD_CHECKSUM], 0);
	unfinished(&b->rng, &p, 500, &u[0]);
	assert_int_equal(run(b, UPLINK, u, 1).dropped[TN_DROP_BAD_OFFLOAD], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(random_rules),
		TEST(stays_large),
		TEST(mtu_is_of_segments),
		TEST(meter_counts_segments),
		TEST(ttl_runs_out),
		TEST(too_big_is_told_once),
		TEST(bad_offload),
		TEST(no_buffers),
		TEST(by_an_uplink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
