/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worker alone, without devices: bursts of frames from memory through session lookup, decision,
 * action and transmit into nothing. Cycles are of the time stamp counter, and of
 * tn_worker_burst() and tn_worker_flush() alone. Under callgrind, with those two as the functions
 * to collect, it gives instructions a packet: tests/bench/instructions.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "control/tenant/layout.h"
#include "dataplane/fastpath/worker.h"
#include "tests/bench/tenant_rules.h"

#define IN	1u
#define OUT	2u
#define VXLAN	10u
#define PAYLOAD 18u
#define HEADERS 64u
#define VID	5u
#define ROOM	128u
#define BUF	384u
#define LOCAL	0xc6336401u /* 198.51.100.1 */
#define REMOTE	0xc6336402u
#define LOCAL6	((tn_u128)0x20010db8 << 96 | 1)
#define REMOTE6 (LOCAL6 + 1)
#define PACKETS 4000000u
#define ROUNDS	5u
#define MAC(x)                              \
	{                                   \
		{                           \
			2, 0xaa, 0, 0, 0, x \
		}                           \
	}
#define ENDPOINTS 64u
#define NETWORKS  250u

struct bench;

struct scenario {
	const char *name;
	void (*rules)(struct bench *b);
	void (*addresses)(uint32_t i, uint8_t *macs, uint32_t *src, uint32_t *dst); /* or NULL */
	bool decap;	/* frames come in VXLAN */
	bool outer6;	/* the underlay is IPv6 */
	bool inner6;	/* so is what is inside */
	bool tagged;	/* frames have a VLAN tag */
	bool altered;	/* they are sent with other headers, so each is written anew */
	bool per_flow;	/* flows choose the tunnel's far end and network */
	uint32_t vxlan; /* number of the tunnel's port; 0: VXLAN */
};

struct bench {
	const struct scenario *s;
	uint32_t flows;
	uint64_t packets;
	unsigned rounds;
	uint32_t sessions;
	struct tn_switch *sw;
	struct tn_forwarding *fwd;
	struct tn_worker *worker;
	uint8_t *frames;
	uint8_t (*headers)[HEADERS]; /* of altered frames, as they were */
	uint32_t frame_len;
};

static uint64_t n_sent;
static uint32_t len_sent;

static unsigned sink(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	(void)port;
	(void)queue;
	n_sent += n;
	len_sent = packets[n - 1].len;
	return n;
}

static bool no_clone(void *ctx, const struct tn_packet *p, struct tn_packet *copy)
{
	(void)ctx;
	(void)p;
	(void)copy;
	return false;
}

static void no_free(void *ctx, const struct tn_packet *p, unsigned n)
{
	(void)ctx;
	(void)p;
	(void)n;
}

static bool no_report(void *ctx, const struct tn_count *count)
{
	(void)ctx;
	(void)count;
	return true;
}

static const struct tn_port_ops sink_ops = {.kind = "memory", .tx = sink};
static const struct tn_buffer_ops buffer_ops = {.clone = no_clone, .free = no_free};

static void die(const char *what)
{
	fprintf(stderr, "bench_fastpath: %s\n", what);
	exit(2);
}

/* --- frames: those of peers/mkpcap ------------------------------------------------------------ */

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static void put_checksum(uint8_t *ip)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
}

static void put_udp(
	uint8_t *d, uint32_t src, uint32_t dst, unsigned sport, unsigned dport, unsigned payload)
{
	memset(d, 0, 28);
	d[0] = 0x45;
	put16(d + 2, 28 + payload);
	d[8] = 64;
	d[9] = 17;
	put32(d + 12, src);
	put32(d + 16, dst);
	put_checksum(d);
	put16(d + 20, sport);
	put16(d + 22, dport);
	put16(d + 24, 8 + payload);
}

static void put_ip6(uint8_t *d, tn_u128 src, tn_u128 dst, unsigned payload)
{
	const struct tn_ip6 from = tn_u128_to_ip6(src), to = tn_u128_to_ip6(dst);

	memset(d, 0, 8);
	d[0] = 0x60;
	put16(d + 4, payload);
	d[6] = 17;
	d[7] = 64;
	memcpy(d + 8, &from, 16);
	memcpy(d + 24, &to, 16);
}

static void put_udp6(uint8_t *d, unsigned sport, unsigned dport, unsigned payload)
{
	put16(d, sport);
	put16(d + 2, dport);
	put16(d + 4, 8 + payload);
	put16(d + 6, 0);
}

static void mesh_addresses(uint32_t i, uint8_t *macs, uint32_t *src, uint32_t *dst)
{
	(void)src;
	macs[2] = 1;
	macs[3] = (uint8_t)(i >> 16);
	put16(macs + 4, i & 0xffff);
	*dst = 0x0a010000 + (i & 0xffff);
}

static void spread_addresses(uint32_t i, uint8_t *macs, uint32_t *src, uint32_t *dst)
{
	uint32_t r = i * 2654435761u;

	(void)macs;
	*src = 0x0a000001 + (r & 0xffff);
	*dst = 0x0a010001 + (r >> 16);
}

/* Returns its length. */
static uint32_t put_inner(const struct scenario *s, uint8_t *d, uint32_t i)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
	uint32_t src = 0x0a000001 + i % 254, dst = 0x0a010002;
	uint8_t *const start = d;

	memcpy(d, macs, sizeof(macs));
	if (s->addresses)
		s->addresses(i, d, &src, &dst);
	d += sizeof(macs);
	if (s->tagged) {
		put32(d, 0x81000000 | VID);
		d += 4;
	}
	put16(d, s->inner6 ? 0x86dd : 0x0800);
	d += 2;
	if (s->inner6) {
		put_ip6(d, LOCAL6 + src, LOCAL6 + dst, 8 + PAYLOAD);
		put_udp6(d + 40, 1024 + i % 60000, 2000 + i / 60000, PAYLOAD);
		d += 48;
	} else {
		put_udp(d, src, dst, 1024 + i % 60000, 2000 + i / 60000, PAYLOAD);
		d += 28;
	}
	memset(d, 'x', PAYLOAD);
	return (uint32_t)(d + PAYLOAD - start);
}

static void put_outer(const struct scenario *s, uint8_t *d, uint32_t len, uint32_t i)
{
	static const uint8_t macs[12] = {2, 0xaa, 0, 0, 0, 1, 2, 0xaa, 0, 0, 0, 2};
	static const uint8_t vxlan[8] = {8, 0, 0, 0, 0, 0, 100, 0};
	unsigned sport = 49152 + i % 16384;

	memcpy(d, macs, sizeof(macs));
	put16(d + 12, s->outer6 ? 0x86dd : 0x0800);
	d += 14;
	if (s->outer6) {
		put_ip6(d, REMOTE6, LOCAL6, 16 + len);
		put_udp6(d + 40, sport, 4789, 8 + len);
		d += 48;
	} else {
		put_udp(d, REMOTE, LOCAL, sport, 4789, 8 + len);
		d += 28;
	}
	memcpy(d, vxlan, sizeof(vxlan));
}

static void make_frames(struct bench *b)
{
	const struct scenario *s = b->s;
	size_t size = ((size_t)b->flows * BUF + (2u << 20)) & ~(size_t)((2u << 20) - 1);
	uint32_t outer = s->outer6 ? TN_VXLAN_OVERHEAD_IP6 : TN_VXLAN_OVERHEAD_IP4;

	if (!s->decap)
		outer = 0;
	b->frames = aligned_alloc(2u << 20, size);
	b->headers = calloc(b->flows, sizeof(*b->headers));
	if (!b->frames || !b->headers)
		die("out of memory");
	for (uint32_t i = 0; i < b->flows; i++) {
		uint8_t *d = b->frames + (size_t)i * BUF + ROOM;
		uint32_t len = put_inner(s, d + outer, i);

		if (outer)
			put_outer(s, d, len, i);
		memcpy(b->headers[i], d, HEADERS);
		b->frame_len = outer + len;
	}
}

/* --- rules: those of peers/ovs-dpdk ----------------------------------------------------------- */

static void add(struct bench *b, struct tn_flow_mod *fm, struct tn_action *list, uint16_t n)
{
	struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = fm};
	struct tn_error err = {0};
	size_t failed;

	fm->inst.apply = list;
	fm->inst.n_apply = n;
	if (tn_switch_commit(b->sw, &mod, 1, 0, &failed, &err))
		die(err.detail);
}

static struct tn_action output(uint32_t port)
{
	return (struct tn_action){
		.type = TN_ACTION_OUTPUT, .output = {.port = port, .reason = TN_REASON_DEFAULT}};
}

static struct tn_action set(enum tn_field_id id, tn_u128 value)
{
	return (struct tn_action){.type = TN_ACTION_SET_FIELD,
		.field = (uint8_t)id,
		.set = {.value = value, .mask = tn_field_ones(id)}};
}

static void from(struct tn_flow_mod *fm, uint32_t in_port, uint16_t priority)
{
	tn_flow_mod_init(fm);
	fm->priority = priority;
	tn_match_set_exact(&fm->match, TN_FIELD_IN_PORT, in_port);
}

static void add_default(struct bench *b, uint32_t in_port, uint32_t port, uint16_t priority)
{
	struct tn_action list[] = {output(port)};
	struct tn_flow_mod fm;

	from(&fm, in_port, priority);
	add(b, &fm, list, 1);
}

static void rules_plain(struct bench *b)
{
	add_default(b, IN, OUT, 1);
}

static void rules_encap(struct bench *b)
{
	add_default(b, IN, VXLAN, 1);
}

static void rules_decap(struct bench *b)
{
	add_default(b, VXLAN, IN, 1);
}

/* One that reads IPv6 addresses and ports and takes nothing, so that every flow has a session. */
static void rules_flows6(struct bench *b)
{
	struct tn_flow_mod fm;

	from(&fm, IN, 20);
	tn_match_set_exact(&fm.match, TN_FIELD_ETH_TYPE, 0x86dd);
	tn_match_set_exact(&fm.match, TN_FIELD_IP_PROTO, 17);
	tn_match_set_exact(&fm.match, TN_FIELD_IPV6_SRC, 1);
	tn_match_set_exact(&fm.match, TN_FIELD_IPV6_DST, 1);
	tn_match_set_exact(&fm.match, TN_FIELD_UDP_SRC, 1);
	add(b, &fm, NULL, 0);
	add_default(b, IN, VXLAN, 1);
}

/* A router's work, then into the tunnel. */
static void rules_route(struct bench *b)
{
	struct tn_action list[] = {set(TN_FIELD_ETH_SRC, UINT64_C(0x020000000011)),
		set(TN_FIELD_ETH_DST, UINT64_C(0x020000000012)), {.type = TN_ACTION_DEC_TTL},
		output(VXLAN)};
	struct tn_flow_mod fm;

	from(&fm, IN, 10);
	tn_match_set_exact(&fm.match, TN_FIELD_ETH_TYPE, 0x0800);
	add(b, &fm, list, TN_ARRAY_SIZE(list));
}

/* A trunk's network. */
static void rules_vlan(struct bench *b)
{
	struct tn_action list[] = {{.type = TN_ACTION_POP_VLAN}, output(VXLAN)};
	struct tn_flow_mod fm;

	from(&fm, IN, 10);
	tn_match_set_exact(&fm.match, TN_FIELD_VLAN_VID, 0x1000 | VID);
	add(b, &fm, list, TN_ARRAY_SIZE(list));
}

static void rules_mesh(struct bench *b)
{
	for (uint32_t i = 0; i < b->flows; i++) {
		struct tn_action list[] = {set(TN_FIELD_TUNNEL_ID, 1000 + i % NETWORKS),
			set(TN_FIELD_TUN_DST, tn_u128_from_ip4(REMOTE + 98 + i % ENDPOINTS)),
			output(VXLAN)};
		struct tn_flow_mod fm;

		from(&fm, IN, 10);
		tn_match_set_exact(&fm.match, TN_FIELD_ETH_DST, UINT64_C(0x020001000000) | i);
		add(b, &fm, list, 3);
	}
}

static void rules_l2(struct bench *b)
{
	struct tn_action list[] = {output(VXLAN)};
	struct tn_flow_mod fm;

	for (uint32_t i = 0; i < 1000; i++) {
		from(&fm, IN, 10);
		tn_match_set_exact(
			&fm.match, TN_FIELD_ETH_DST, UINT64_C(0x020000000100) | (i & 255));
		tn_match_set_exact(&fm.match, TN_FIELD_VLAN_VID, 0x1000 | (1 + i / 256));
		add(b, &fm, list, 1);
	}
	from(&fm, IN, 10);
	tn_match_set_exact(&fm.match, TN_FIELD_ETH_DST, UINT64_C(0x020000000002));
	add(b, &fm, list, 1);
}

/* The shape of peers/acl-rules: prefixes of sources that the traffic never has. */
static void rules_acl(struct bench *b)
{
	static const unsigned lengths[] = {8, 16, 20, 24, 28, 32};
	uint64_t r = 7;

	for (uint32_t i = 0; i < 1000; i++) {
		struct tn_flow_mod fm;
		unsigned src, dst;

		r = r * UINT64_C(6364136223846793005) + 1442695040888963407u;
		src = lengths[(r >> 33) % 6];
		dst = lengths[(r >> 41) % 6];
		from(&fm, IN, (uint16_t)(1010 - i));
		tn_match_set_exact(&fm.match, TN_FIELD_ETH_TYPE, 0x0800);
		tn_match_set_exact(&fm.match, TN_FIELD_IP_PROTO, r >> 20 & 1 ? 6 : 17);
		if (tn_match_set(&fm.match, TN_FIELD_IPV4_SRC, 0xc0000000 | (r >> 30 & 0xffffff),
			    (uint32_t)(UINT64_C(0xffffffff) << (32 - src)), NULL) ||
			tn_match_set(&fm.match, TN_FIELD_IPV4_DST, 0x0a010000 | (r >> 36 & 0x3ffff),
				(uint32_t)(UINT64_C(0xffffffff) << (32 - dst)), NULL))
			die("bad rule");
		if (r % 10 < 7)
			tn_match_set_exact(&fm.match,
				r >> 20 & 1 ? TN_FIELD_TCP_DST : TN_FIELD_UDP_DST, r >> 48);
		add(b, &fm, NULL, 0);
	}
	add_default(b, IN, VXLAN, 1);
}

/* All tables of a tenant's network: port security, gateway, bridge, and by VXLAN to its machine. */
static void rules_tenant(struct bench *b)
{
	struct tn_compiled compiled;
	struct tn_error err = {0};
	size_t failed;

	tenant_rules(IN, tn_u128_from_ip4(LOCAL), tn_u128_from_ip4(REMOTE), &compiled);
	if (tn_switch_commit(b->sw, compiled.mods, compiled.n_mods, 0, &failed, &err))
		die(err.detail);
}

static const struct scenario scenarios[] = {
	{.name = "plain", .rules = rules_plain},
	{.name = "encap", .rules = rules_encap},
	{.name = "decap", .rules = rules_decap, .decap = true},
	{.name = "mesh", .rules = rules_mesh, .addresses = mesh_addresses, .per_flow = true},
	{.name = "l2", .rules = rules_l2},
	{.name = "acl", .rules = rules_acl, .addresses = spread_addresses},
	{.name = "encap-v6", .rules = rules_encap, .inner6 = true},
	{.name = "flows-v6", .rules = rules_flows6, .inner6 = true},
	{.name = "encap-u6", .rules = rules_encap, .outer6 = true},
	{.name = "decap-u6", .rules = rules_decap, .decap = true, .outer6 = true},
	{.name = "vlan", .rules = rules_vlan, .tagged = true, .altered = true},
	{.name = "route", .rules = rules_route, .altered = true},
	{.name = "tenant", .rules = rules_tenant, .per_flow = true, .vxlan = TN_TENANT_VXLAN4_PORT},
};

static const struct scenario *find_scenario(const char *name)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(scenarios); i++) {
		if (!strcmp(name, scenarios[i].name))
			return &scenarios[i];
	}
	return NULL;
}

/* --- the switch around the worker ------------------------------------------------------------- */

static struct tn_underlay *make_underlay(void)
{
	const struct tn_underlay_address addresses[] = {
		{.address = tn_u128_from_ip4(LOCAL), .prefix_len = 24, .mac = MAC(1), .port = OUT},
		{.address = LOCAL6, .prefix_len = 64, .mac = MAC(1), .port = OUT}};
	struct tn_underlay_neighbour n[2 + ENDPOINTS] = {
		{.address = tn_u128_from_ip4(REMOTE), .mac = MAC(2), .port = OUT},
		{.address = REMOTE6, .mac = MAC(2), .port = OUT}};
	const struct tn_underlay_config config = {.addresses = addresses,
		.n_addresses = TN_ARRAY_SIZE(addresses),
		.neighbours = n,
		.n_neighbours = TN_ARRAY_SIZE(n)};

	for (uint32_t i = 0; i < ENDPOINTS; i++)
		n[2 + i] =
			(struct tn_underlay_neighbour){.address = tn_u128_from_ip4(REMOTE + 98 + i),
				.mac = MAC((uint8_t)(3 + i)),
				.port = OUT};
	return tn_underlay_new(&config);
}

static struct tn_tunnels *make_tunnels(const struct scenario *s)
{
	const struct tn_tunnel_config config = {.number = s->vxlan ? s->vxlan : VXLAN,
		.options = {.remote_flow = s->per_flow,
			.remote = s->outer6 ? REMOTE6 : tn_u128_from_ip4(REMOTE),
			.vni_flow = s->per_flow,
			.vni = 100,
			.udp_port = 4789,
			.ttl = 64,
			.dscp = -1,
			.dont_fragment = true}};
	struct tn_tunnels *tunnels;
	uint32_t x, y;

	if (tn_tunnels_new(&tunnels, &config, 1, &x, &y))
		die("out of memory");
	return tunnels;
}

static void make_switch(struct bench *b)
{
	static struct tn_port ports[2] = {{.ops = &sink_ops}, {.ops = &sink_ops}};
	struct tn_port_config_data port = {0};
	struct tn_error err = {0};

	b->sw = tn_switch_new(1);
	b->fwd = calloc(1, sizeof(*b->fwd));
	if (!b->sw || !b->fwd)
		die("out of memory");
	for (unsigned i = 0; i < 3; i++) {
		port.number = i == 2 ? (b->s->vxlan ? b->s->vxlan : VXLAN) : i + 1;
		port.type = i == 2 ? TN_PORT_VXLAN : TN_PORT_PLAIN;
		if (tn_switch_port_add(b->sw, &port, 0, &err))
			die(err.detail);
		b->fwd->ports[i] =
			(struct tn_forwarding_port){.kind = i == 2 ? TN_FWD_TUNNEL : TN_FWD_PLAIN,
				.number = port.number,
				.port = i == 2 ? NULL : &ports[i],
				.underlay = i == 1,
				.max_frame = 9000};
	}
	b->fwd->n_ports = 3;
	b->fwd->underlay = make_underlay();
	b->fwd->tunnels = make_tunnels(b->s);
	b->s->rules(b);
	b->fwd->snapshot = tn_switch_snapshot(b->sw);
}

static double run(struct bench *b)
{
	unsigned port = b->s->decap ? 1 : 0;
	uint64_t cycles = 0;
	uint32_t next = 0;

	for (uint64_t done = 0; done < b->packets; done += TN_BURST) {
		struct tn_packet burst[TN_BURST];
		uint64_t start;

		for (unsigned k = 0; k < TN_BURST; k++) {
			uint8_t *d = b->frames + (size_t)next * BUF + ROOM;

			if (b->s->altered)
				memcpy(d, b->headers[next], HEADERS);
			burst[k] = (struct tn_packet){
				.buf = d, .data = d, .len = b->frame_len, .headroom = ROOM};
			next = next + 1 == b->flows ? 0 : next + 1;
		}
		start = __rdtsc();
		tn_worker_burst(b->worker, b->fwd, port, burst, TN_BURST, done);
		tn_worker_flush(b->worker, b->fwd);
		cycles += __rdtsc() - start;
	}
	return (double)cycles / (double)b->packets;
}

static void report(const struct bench *b, double cycles, bool json)
{
	struct tn_worker_stats s;

	tn_worker_stats(b->worker, &s);
	if (json)
		printf("{\"scenario\":\"%s\",\"flows\":%u,\"cycles_per_packet\":%.1f,"
		       "\"sent\":%lu,\"hits\":%lu,\"misses\":%lu,\"sessions\":%u,"
		       "\"bytes_per_session\":%zu}\n",
			b->s->name, b->flows, cycles, (unsigned long)n_sent, (unsigned long)s.hits,
			(unsigned long)s.misses, s.sessions, s.session_bytes);
	else
		printf("%-8s %7u flows  %6.1f cycles a packet  %u sessions, %lu misses, frames "
		       "of %u bytes sent\n",
			b->s->name, b->flows, cycles, s.sessions, (unsigned long)s.misses,
			len_sent);
}

static const char help[] =
	"usage: bench_fastpath [--packets N] [--rounds N] [--sessions N] [--json] SCENARIO [FLOWS]\n"
	"scenarios: plain encap decap mesh l2 acl encap-v6 flows-v6 encap-u6 decap-u6 vlan route\n"
	"tenant; "
	"--sessions 0 decides every packet\n";

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"packets", required_argument, NULL, 'p'},
		{"rounds", required_argument, NULL, 'r'},
		{"sessions", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct bench b = {.packets = PACKETS, .rounds = ROUNDS, .sessions = 1u << 20};
	double best = 1e18;
	bool json = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (opt == 'p')
			b.packets = strtoull(optarg, NULL, 10);
		else if (opt == 'r')
			b.rounds = (unsigned)strtoul(optarg, NULL, 10);
		else if (opt == 's')
			b.sessions = (uint32_t)strtoul(optarg, NULL, 10);
		else if (opt == 'j')
			json = true;
		else
			die(help);
	}
	if (optind >= argc)
		die(help);
	b.s = find_scenario(argv[optind]);
	if (!b.s)
		die(help);
	b.flows = optind + 1 < argc ? (uint32_t)strtoul(argv[optind + 1], NULL, 10) : 1000;
	make_frames(&b);
	make_switch(&b);
	b.worker = tn_worker_new(&(struct tn_worker_config){.sessions = b.sessions,
		.seed = 1,
		.buffers = &buffer_ops,
		.events = {.count = no_report}});
	if (!b.worker)
		die("out of memory");
	for (unsigned r = 0; r < b.rounds; r++) {
		double cycles = run(&b);

		best = cycles < best ? cycles : best;
	}
	report(&b, best, json);
	if (n_sent != b.packets * b.rounds)
		die("not every packet was sent");
	return 0;
}
