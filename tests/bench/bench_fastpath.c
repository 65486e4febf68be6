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

#include "dataplane/fastpath/worker.h"

#define IN	1u
#define OUT	2u
#define VXLAN	10u
#define FRAME	60u
#define ROOM	128u
#define BUF	256u
#define LOCAL	0xc6336401u /* 198.51.100.1 */
#define REMOTE	0xc6336402u
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

struct bench {
	const char *scenario;
	uint32_t flows;
	uint64_t packets;
	unsigned rounds;
	uint32_t sessions;
	struct tn_switch *sw;
	struct tn_forwarding *fwd;
	struct tn_worker *worker;
	uint8_t *frames;
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

static void put_inner(const struct bench *b, uint8_t *d, uint32_t i)
{
	static const uint8_t macs[14] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};
	uint32_t src = 0x0a000001 + i % 254, dst = 0x0a010002;

	memcpy(d, macs, sizeof(macs));
	if (!strcmp(b->scenario, "mesh")) {
		d[2] = 1;
		d[3] = (uint8_t)(i >> 16);
		put16(d + 4, i & 0xffff);
		dst = 0x0a010000 + (i & 0xffff);
	}
	if (!strcmp(b->scenario, "acl")) {
		uint32_t r = i * 2654435761u;

		src = 0x0a000001 + (r & 0xffff);
		dst = 0x0a010001 + (r >> 16);
	}
	memset(d + 42, 'x', FRAME - 42);
	put_udp(d + 14, src, dst, 1024 + i % 60000, 2000 + i / 60000, FRAME - 42);
}

static void put_outer(uint8_t *d, uint32_t i)
{
	static const uint8_t macs[14] = {2, 0xaa, 0, 0, 0, 1, 2, 0xaa, 0, 0, 0, 2, 8, 0};
	static const uint8_t vxlan[8] = {8, 0, 0, 0, 0, 0, 100, 0};

	memcpy(d, macs, sizeof(macs));
	put_udp(d + 14, REMOTE, LOCAL, 49152 + i % 16384, 4789, 8 + FRAME);
	memcpy(d + 42, vxlan, sizeof(vxlan));
}

static void make_frames(struct bench *b)
{
	bool outer = !strcmp(b->scenario, "decap");
	size_t size = ((size_t)b->flows * BUF + (2u << 20)) & ~(size_t)((2u << 20) - 1);

	b->frames = aligned_alloc(2u << 20, size);
	if (!b->frames)
		die("out of memory");
	b->frame_len = FRAME + (outer ? TN_VXLAN_OVERHEAD_IP4 : 0);
	for (uint32_t i = 0; i < b->flows; i++) {
		uint8_t *d = b->frames + (size_t)i * BUF + ROOM;

		put_inner(b, d + (outer ? TN_VXLAN_OVERHEAD_IP4 : 0), i);
		if (outer)
			put_outer(d, i);
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

static void make_rules(struct bench *b)
{
	if (!strcmp(b->scenario, "plain"))
		add_default(b, IN, OUT, 1);
	else if (!strcmp(b->scenario, "encap"))
		add_default(b, IN, VXLAN, 1);
	else if (!strcmp(b->scenario, "decap"))
		add_default(b, VXLAN, IN, 1);
	else if (!strcmp(b->scenario, "mesh"))
		rules_mesh(b);
	else if (!strcmp(b->scenario, "l2"))
		rules_l2(b);
	else if (!strcmp(b->scenario, "acl"))
		rules_acl(b);
	else
		die("scenarios: plain encap decap mesh l2 acl");
}

/* --- the switch around the worker ------------------------------------------------------------- */

static struct tn_underlay *make_underlay(void)
{
	const struct tn_underlay_address address = {
		.address = tn_u128_from_ip4(LOCAL), .prefix_len = 24, .mac = MAC(1), .port = OUT};
	struct tn_underlay_neighbour n[1 + ENDPOINTS] = {
		{.address = tn_u128_from_ip4(REMOTE), .mac = MAC(2), .port = OUT}};
	const struct tn_underlay_config config = {.addresses = &address,
		.n_addresses = 1,
		.neighbours = n,
		.n_neighbours = TN_ARRAY_SIZE(n)};

	for (uint32_t i = 0; i < ENDPOINTS; i++)
		n[1 + i] =
			(struct tn_underlay_neighbour){.address = tn_u128_from_ip4(REMOTE + 98 + i),
				.mac = MAC((uint8_t)(3 + i)),
				.port = OUT};
	return tn_underlay_new(&config);
}

static struct tn_tunnels *make_tunnels(const struct bench *b)
{
	bool mesh = !strcmp(b->scenario, "mesh");
	const struct tn_tunnel_config config = {.number = VXLAN,
		.options = {.remote_flow = mesh,
			.remote = tn_u128_from_ip4(REMOTE),
			.vni_flow = mesh,
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

	b->sw = tn_switch_new(1, 0);
	b->fwd = calloc(1, sizeof(*b->fwd));
	if (!b->sw || !b->fwd)
		die("out of memory");
	for (unsigned i = 0; i < 3; i++) {
		port.number = i == 2 ? VXLAN : i + 1;
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
	b->fwd->tunnels = make_tunnels(b);
	make_rules(b);
	b->fwd->snapshot = tn_switch_snapshot(b->sw);
}

static double run(struct bench *b)
{
	unsigned port = !strcmp(b->scenario, "decap") ? 1 : 0;
	uint64_t cycles = 0;
	uint32_t next = 0;

	for (uint64_t done = 0; done < b->packets; done += TN_BURST) {
		struct tn_packet burst[TN_BURST];
		uint64_t start;

		for (unsigned k = 0; k < TN_BURST; k++) {
			uint8_t *d = b->frames + (size_t)next * BUF + ROOM;

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
			b->scenario, b->flows, cycles, (unsigned long)n_sent, (unsigned long)s.hits,
			(unsigned long)s.misses, s.sessions, s.session_bytes);
	else
		printf("%-6s %7u flows  %6.1f cycles a packet  %u sessions, %lu misses, frames "
		       "of %u bytes sent\n",
			b->scenario, b->flows, cycles, s.sessions, (unsigned long)s.misses,
			len_sent);
}

static const char help[] =
	"usage: bench_fastpath [--packets N] [--rounds N] [--sessions N] [--json] SCENARIO [FLOWS]\n"
	"scenarios: plain encap decap mesh l2 acl; --sessions 0 decides every packet\n";

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
	b.scenario = argv[optind];
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
