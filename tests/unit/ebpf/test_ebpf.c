/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's programs by BPF_PROG_TEST_RUN: which frames have a session, what it does to them,
 * and when it is no session any more. Needs a kernel that loads them.
 */
#include "ebpf/loader.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <cmocka.h>

#include "tests/unit/ebpf/ebpf_fixture.h"

#include "dataplane/core/checksum.h"
#include "tests/unit/core/packets.h"

#define LOOP	1u /* the loopback device: a test run has it by itself */
#define TAP	7u
#define VERSION 10u
#define ALL_KEYS                                                               \
	(TN_EBPF_KEY_IP | TN_EBPF_KEY_L4 | TN_EBPF_KEY_TOS | TN_EBPF_KEY_TTL | \
		TN_EBPF_KEY_TCP_FLAGS)

static struct tn_ebpf *ebpf;
static uint8_t out[PACKET_MAX];

static void put_session(const struct tn_ebpf_key *key, const struct tn_ebpf_session *s)
{
	assert_int_equal(tn_ebpf_put_session(ebpf, key, s), 0);
}

static bool forget_it(void *ctx, const struct tn_ebpf_key *key, const struct tn_ebpf_session *s)
{
	(void)ctx;
	(void)key;
	(void)s;
	return false;
}

static int fresh(void **state)
{
	const struct tn_ebpf_port port = {.number = 5, .to = TAP};
	struct tn_ebpf_config *c = tn_ebpf_config_of(ebpf);
	struct tn_error err;

	(void)state;
	tn_ebpf_sessions(ebpf, forget_it, NULL);
	memset(c->epoch, 0, sizeof(c->epoch));
	c->version = VERSION;
	c->now_ns = UINT64_C(1000000000);
	c->keys = ALL_KEYS;
	assert_int_equal(tn_ebpf_set_port(ebpf, LOOP, &port, &err), 0);
	return 0;
}

static int run_with(
	enum tn_ebpf_program program, const uint8_t *frame, uint32_t len, struct tn_ebpf_run *run)
{
	*run = (struct tn_ebpf_run){.in = frame,
		.in_len = len,
		.out = out,
		.out_size = sizeof(out),
		.ifindex = program == TN_EBPF_GUARD ? 0 : LOOP};
	return tn_ebpf_test_run(ebpf, program, run);
}

static uint64_t counter(enum tn_ebpf_counter which)
{
	uint64_t counters[TN_EBPF_N_COUNTERS];

	tn_ebpf_counters(ebpf, counters);
	return counters[which];
}

static struct packet udp_packet(bool v6)
{
	struct packet p;

	packet_init(&p);
	if (v6) {
		p.l3 = L3_IPV6;
		p.src = (tn_u128)0xfd << 120 | 1;
		p.dst = (tn_u128)0xfd << 120 | 2;
	}
	return p;
}

/* The key that the data plane makes of the same packet. */
static struct tn_ebpf_key key_of(const struct packet *p, const struct frame *f)
{
	struct tn_ebpf_key k = {.is6 = p->l3 == L3_IPV6};
	struct tn_ebpf_key_head *h = &k.k4.h;
	const uint8_t *d = f->view.data;

	memcpy(h->eth_dst, d, 6);
	memcpy(h->eth_src, d + 6, 6);
	memcpy(&h->eth_type, d + 12, 2);
	h->in_port = 5;
	h->ip_tos = p->tos;
	h->ip_ttl = p->ttl;
	h->ip_proto = p->proto;
	h->tp_src = __builtin_bswap16(p->sport);
	h->tp_dst = __builtin_bswap16(p->dport);
	if (k.is6) {
		memcpy(k.k6.ip_src, d + 22, 16);
		memcpy(k.k6.ip_dst, d + 38, 16);
	} else {
		memcpy(&k.k4.ip_src, d + 26, 4);
		memcpy(&k.k4.ip_dst, d + 30, 4);
	}
	return k;
}

static const struct tn_ebpf_session plain = {
	.classes = 1, .version = VERSION, .keys = ALL_KEYS, .out = LOOP};

/* What went through `session`, as it was and as it came out. */
static int through(const struct packet *p, const struct tn_ebpf_session *session, struct frame *in,
	struct tn_ebpf_run *run)
{
	struct tn_ebpf_key key;

	packet_build(p, in);
	key = key_of(p, in);
	put_session(&key, session);
	return run_with(TN_EBPF_FROM_PORT, in->view.data, in->view.len, run);
}

/* Every checksum and header as a packet that was built with the change has them. */
static void expect(const struct packet *p, const struct tn_ebpf_run *run)
{
	struct frame want;
	struct tn_view got = {.data = out, .len = run->out_len, .wire_len = run->out_len};

	packet_build(p, &want);
	assert_int_equal(run->out_len, want.view.len);
	assert_true(frame_equal(&want, &got));
}

static void test_goes_up_without_a_session(void **state)
{
	struct packet p = udp_packet(false);
	uint64_t misses = counter(TN_EBPF_MISSES);
	struct tn_ebpf_run run;
	struct frame f;

	(void)state;
	packet_build(&p, &f);
	assert_int_equal(
		run_with(TN_EBPF_FROM_PORT, f.view.data, f.view.len, &run), TC_ACT_REDIRECT);
	assert_int_equal(counter(TN_EBPF_MISSES), misses + 1);
	expect(&p, &run);
}

static void test_no_port_no_passage(void **state)
{
	struct packet p = udp_packet(false);
	struct tn_ebpf_run run;
	struct frame f;

	(void)state;
	tn_ebpf_clear_port(ebpf, LOOP);
	packet_build(&p, &f);
	assert_int_equal(run_with(TN_EBPF_FROM_PORT, f.view.data, f.view.len, &run), TC_ACT_SHOT);
}

static void test_hit(void **state)
{
	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		struct packet p = udp_packet(v6);
		uint64_t hits = counter(TN_EBPF_HITS);
		struct tn_ebpf_run run;
		struct frame f;

		assert_int_equal(through(&p, &plain, &f, &run), TC_ACT_REDIRECT);
		assert_int_equal(counter(TN_EBPF_HITS), hits + 1);
		expect(&p, &run);
	}
}

static void test_routed(void **state)
{
	struct tn_ebpf_session s = plain;

	(void)state;
	s.flags = TN_EBPF_SET_DST | TN_EBPF_SET_SRC | TN_EBPF_DEC_TTL | TN_EBPF_SET_TOS;
	memcpy(s.eth_dst, "\x02\x00\x00\x00\x00\x77", 6);
	memcpy(s.eth_src, "\x02\x00\x00\x00\x00\x88", 6);
	s.tos = 0xb8;
	s.tos_mask = 0xfc;
	for (int v6 = 0; v6 < 2; v6++) {
		for (unsigned ttl = 2; ttl < 256; ttl++) {
			struct packet p = udp_packet(v6);
			struct tn_ebpf_run run;
			struct frame f;

			p.ttl = (uint8_t)ttl;
			p.tos = (uint8_t)(ttl * 7);
			assert_int_equal(through(&p, &s, &f, &run), TC_ACT_REDIRECT);
			p.ttl--;
			p.tos = (uint8_t)((p.tos & 0x03) | 0xb8);
			p.eth_dst = 0x020000000077;
			p.eth_src = 0x020000000088;
			expect(&p, &run);
		}
	}
}

/* What would expire is the data plane's: it owes an answer. */
static void test_ttl_ends(void **state)
{
	struct tn_ebpf_session s = plain;

	(void)state;
	s.flags = TN_EBPF_DEC_TTL;
	for (int v6 = 0; v6 < 2; v6++) {
		struct packet p = udp_packet(v6);
		uint64_t up = counter(TN_EBPF_UNUSUAL);
		struct tn_ebpf_run run;
		struct frame f;

		p.ttl = 1;
		assert_int_equal(through(&p, &s, &f, &run), TC_ACT_REDIRECT);
		assert_int_equal(counter(TN_EBPF_UNUSUAL), up + 1);
		expect(&p, &run);
	}
}

static void test_too_long(void **state)
{
	struct tn_ebpf_session s = plain;
	struct packet p = udp_packet(false);
	uint64_t up = counter(TN_EBPF_UNUSUAL);
	struct tn_ebpf_run run;
	struct frame f;

	(void)state;
	p.payload = 500;
	s.max_len = 528;
	assert_int_equal(through(&p, &s, &f, &run), TC_ACT_REDIRECT);
	assert_int_equal(counter(TN_EBPF_UNUSUAL), up);
	s.max_len = 527;
	assert_int_equal(through(&p, &s, &f, &run), TC_ACT_REDIRECT);
	assert_int_equal(counter(TN_EBPF_UNUSUAL), up + 1);
}

/* Of a large frame each piece is to fit. */
static void test_too_long_in_pieces(void **state)
{
	static const struct {
		bool v6;
		uint8_t proto;
		uint32_t headers;
	} kinds[] = {{false, 17, 28}, {true, 17, 48}, {false, 6, 40}, {true, 6, 60}};

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(kinds); i++) {
		struct packet p = udp_packet(kinds[i].v6);
		struct tn_ebpf_session s = plain;
		struct tn_ebpf_run run;
		struct frame f;

		p.proto = kinds[i].proto;
		p.payload = 600;
		s.max_len = 200 + kinds[i].headers;
		for (int fits = 1; fits >= 0; fits--, s.max_len--) {
			uint64_t hits;

			(void)through(&p, &s, &f, &run);
			hits = counter(TN_EBPF_HITS);
			run.gso_size = 200;
			assert_int_equal(
				tn_ebpf_test_run(ebpf, TN_EBPF_FROM_PORT, &run), TC_ACT_REDIRECT);
			assert_int_equal(counter(TN_EBPF_HITS) - hits, fits);
		}
	}
}

static void test_drops(void **state)
{
	struct tn_ebpf_session s = plain;
	struct packet p = udp_packet(false);
	uint64_t dropped = counter(TN_EBPF_DROPPED);
	struct tn_ebpf_run run;
	struct frame f;

	(void)state;
	s.flags = TN_EBPF_DROP;
	assert_int_equal(through(&p, &s, &f, &run), TC_ACT_SHOT);
	assert_int_equal(counter(TN_EBPF_DROPPED), dropped + 1);
}

static bool see(void *ctx, const struct tn_ebpf_key *key, const struct tn_ebpf_session *s)
{
	(void)key;
	*(struct tn_ebpf_session *)ctx = *s;
	return true;
}

static void test_counts(void **state)
{
	struct packet p = udp_packet(false);
	struct tn_ebpf_session s;
	struct tn_ebpf_run run;
	struct frame f;

	(void)state;
	through(&p, &plain, &f, &run);
	run_with(TN_EBPF_FROM_PORT, f.view.data, f.view.len, &run);
	tn_ebpf_sessions(ebpf, see, &s);
	assert_int_equal(s.packets, 2);
	assert_int_equal(s.bytes, 2 * f.view.len);
	assert_true(s.last_used_ns);
}

static bool hits(const struct frame *f)
{
	uint64_t before = counter(TN_EBPF_HITS);
	struct tn_ebpf_run run;

	run_with(TN_EBPF_FROM_PORT, f->view.data, f->view.len, &run);
	return counter(TN_EBPF_HITS) != before;
}

static void test_epochs(void **state)
{
	struct tn_ebpf_config *c = tn_ebpf_config_of(ebpf);
	struct tn_ebpf_session s = plain;
	struct packet p = udp_packet(false);
	struct tn_ebpf_run run;
	struct frame f;

	(void)state;
	s.classes = UINT64_C(1) << 63 | 1u << 3;
	through(&p, &s, &f, &run);
	assert_true(hits(&f));
	c->epoch[5] = ++c->version; /* not one of its own */
	assert_true(hits(&f));
	tn_ebpf_sessions(ebpf, see, &s);
	assert_int_equal(s.version, c->version);
	c->epoch[63] = ++c->version;
	assert_false(hits(&f));
	assert_false(hits(&f));
	/* decided again */
	s.version = c->version;
	through(&p, &s, &f, &run);
	assert_true(hits(&f));
	/* versions wrap */
	c->epoch[3] = c->version = 0x80000000u;
	assert_false(hits(&f));
	/* none is right until the data plane says which version is in force */
	s.version = c->version;
	through(&p, &s, &f, &run);
	c->version = 0;
	assert_false(hits(&f));
}

/* What no table reads tells no packets apart. */
static void test_key_members(void **state)
{
	static const struct {
		uint32_t key;
		size_t at;
		uint8_t size;
	} members[] = {
		{TN_EBPF_KEY_TTL, 22, 1},
		{TN_EBPF_KEY_TOS, 15, 1},
		{TN_EBPF_KEY_L4, 34, 2},
	};
	struct tn_ebpf_config *c = tn_ebpf_config_of(ebpf);

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(members); i++) {
		struct tn_ebpf_session s = plain;
		struct packet p = udp_packet(false);
		struct tn_ebpf_key key;
		struct frame f;

		packet_build(&p, &f);
		key = key_of(&p, &f);
		if (members[i].key == TN_EBPF_KEY_TTL)
			key.k4.h.ip_ttl = 0;
		if (members[i].key == TN_EBPF_KEY_TOS)
			key.k4.h.ip_tos = 0;
		if (members[i].key == TN_EBPF_KEY_L4)
			key.k4.h.tp_src = key.k4.h.tp_dst = 0;
		s.keys = c->keys = ALL_KEYS & ~members[i].key;
		put_session(&key, &s);
		assert_true(hits(&f));
		f.view.data[members[i].at] ^= 0x10;
		assert_true(hits(&f));
		/* a generation later it is another key */
		c->keys |= 1u << TN_EBPF_KEY_GEN_SHIFT;
		assert_false(hits(&f));
	}
}

/* Frames that the programs leave to the parser. */
static void test_unusual(void **state)
{
	struct packet odd[6];

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(odd); i++)
		odd[i] = udp_packet(false);
	odd[0].ip_options = 8;
	odd[1].fragment = odd[1].more = true;
	odd[1].frag_len = 16;
	odd[2].l3 = L3_ARP;
	odd[3].eth_dst = 0xffffffffffff;
	odd[4].proto = 132;
	odd[5] = udp_packet(true);
	odd[5].hop = true;
	for (size_t i = 0; i < TN_ARRAY_SIZE(odd); i++) {
		uint64_t up = counter(TN_EBPF_UNUSUAL);
		struct tn_ebpf_run run;
		struct frame f;

		packet_build(&odd[i], &f);
		assert_int_equal(run_with(TN_EBPF_FROM_PORT, f.view.data, f.view.len, &run),
			TC_ACT_REDIRECT);
		assert_int_equal(counter(TN_EBPF_UNUSUAL), up + 1);
		expect(&odd[i], &run);
	}
}

static void test_meter(void **state)
{
	const struct tn_ebpf_meter meter = {.in_packets = 1, .rate = 1, .burst = 3};
	const struct tn_ebpf_meter small = {.rate = 1, .burst = 10};
	struct tn_ebpf_meter now;
	struct tn_ebpf_session s = plain;
	struct packet p = udp_packet(false);
	struct tn_ebpf_run run;
	struct tn_error err;
	struct frame f;

	(void)state;
	assert_int_equal(tn_ebpf_set_meter(ebpf, 4, &meter, &err), 0);
	s.flags = TN_EBPF_METER;
	s.meter = 4;
	assert_int_equal(through(&p, &s, &f, &run), TC_ACT_REDIRECT);
	for (int i = 0; i < 2; i++)
		assert_true(hits(&f));
	for (int i = 0; i < 5; i++)
		assert_false(hits(&f));
	assert_int_equal(tn_ebpf_get_meter(ebpf, 4, &now), 0);
	assert_int_equal(now.packets, 8);
	assert_int_equal(now.dropped_packets, 5);
	assert_int_equal(now.dropped_bytes, 5 * f.view.len);
	tn_ebpf_sessions(ebpf, see, &s);
	assert_int_equal(s.packets, 8);
	assert_int_equal(s.metered_packets, 5);
	/* a frame longer than the burst passes a full bucket, and none after it */
	assert_int_equal(tn_ebpf_set_meter(ebpf, 4, &small, &err), 0);
	assert_true(hits(&f));
	assert_false(hits(&f));
}

/* --- the short way out of a tunnel --- */

#define OUTER  50u
#define VNI    100u
#define LOCAL  UINT32_C(0xc6336402) /* 198.51.100.2 */
#define REMOTE UINT32_C(0xc6336401)
#define VXLAN  4789u

static void uplink(void)
{
	const struct tn_ebpf_port port = {.number = 5,
		.kind = TN_EBPF_IS_UPLINK,
		.udp_port = VXLAN,
		.local4 = __builtin_bswap32(LOCAL)};
	struct tn_error err;

	assert_int_equal(tn_ebpf_set_port(ebpf, LOOP, &port, &err), 0);
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static void seal(uint8_t *b)
{
	struct tn_be16 sum;

	put16(b + 24, 0);
	sum = tn_csum_fold(tn_csum_add(0, b + 14, 20));
	memcpy(b + 24, &sum, sizeof(sum));
}

/* As the kernel's VXLAN device sends it. */
static uint32_t wrapped(uint8_t *b, const struct frame *inner)
{
	static const uint8_t head[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};
	uint32_t len = OUTER + inner->view.len;

	memset(b, 0, OUTER);
	memcpy(b, head, sizeof(head));
	put16(b + 16, len - 14);
	b[20] = 0x40;
	b[22] = 64;
	b[23] = 17;
	put32(b + 26, REMOTE);
	put32(b + 30, LOCAL);
	put16(b + 34, 50000);
	put16(b + 36, VXLAN);
	put16(b + 38, len - 34);
	b[42] = 8;
	put32(b + 46, VNI << 8);
	memcpy(b + OUTER, inner->view.data, inner->view.len);
	seal(b);
	return len;
}

static struct tn_ebpf_key tunnel_key(const struct packet *p, const struct frame *f)
{
	struct tn_ebpf_key key = key_of(p, f);

	key.k4.h.tunnel_id = VNI;
	key.k4.tun_src = __builtin_bswap32(REMOTE);
	return key;
}

static void test_short_way(void **state)
{
	struct packet p = udp_packet(false);
	struct tn_ebpf_session s = plain;
	uint8_t b[PACKET_MAX];
	struct tn_ebpf_run run;
	struct tn_ebpf_key key;
	uint32_t len;
	struct frame f;

	(void)state;
	uplink();
	packet_build(&p, &f);
	len = wrapped(b, &f);
	/* no session: the kernel's */
	assert_int_equal(run_with(TN_EBPF_FROM_UPLINK, b, len, &run), TC_ACT_UNSPEC);
	assert_int_equal(run.out_len, len);
	key = tunnel_key(&p, &f);
	put_session(&key, &s);
	assert_int_equal(run_with(TN_EBPF_FROM_UPLINK, b, len, &run), TC_ACT_REDIRECT);
	expect(&p, &run);
	/* and with what the session does to it */
	s.flags = TN_EBPF_SET_DST | TN_EBPF_SET_SRC | TN_EBPF_DEC_TTL;
	memcpy(s.eth_dst, "\x02\x00\x00\x00\x00\x77", 6);
	memcpy(s.eth_src, "\x02\x00\x00\x00\x00\x88", 6);
	put_session(&key, &s);
	assert_int_equal(run_with(TN_EBPF_FROM_UPLINK, b, len, &run), TC_ACT_REDIRECT);
	p.eth_dst = 0x020000000077;
	p.eth_src = 0x020000000088;
	p.ttl--;
	expect(&p, &run);
}

/* One thing is other than the kernel's VXLAN sends to this host: it stays the kernel's. */
static void test_not_the_short_way(void **state)
{
	static const struct {
		uint8_t at, value;
		bool seal;
	} odd[] = {
		{14, 0x46, true},		  /* options */
		{15, 0x03, true},		  /* congestion */
		{20, 0x20, true},		  /* a fragment */
		{23, 6, true}, {24, 0xaa, false}, /* a wrong sum */
		{33, 9, true},			  /* not to this endpoint */
		{29, 9, true},			  /* not from one with a session */
		{37, 0, true}, {40, 1, true},	  /* a UDP checksum */
		{42, 0x0c, true}, {48, 7, true},  /* another network */
		{49, 1, true}, {17, 40, true},	  /* shorter than the frame */
		{50, 0x03, true},		  /* to a group */
	};
	struct packet p = udp_packet(false);
	uint8_t b[PACKET_MAX];
	struct tn_ebpf_key key;
	struct frame f;

	(void)state;
	uplink();
	packet_build(&p, &f);
	key = tunnel_key(&p, &f);
	put_session(&key, &plain);
	for (size_t i = 0; i < TN_ARRAY_SIZE(odd); i++) {
		uint32_t len = wrapped(b, &f);
		struct tn_ebpf_run run;

		b[odd[i].at] = odd[i].value;
		if (odd[i].seal)
			seal(b);
		assert_int_equal(run_with(TN_EBPF_FROM_UPLINK, b, len, &run), TC_ACT_UNSPEC);
		assert_int_equal(run.out_len, len);
		assert_memory_equal(out, b, len);
	}
	for (uint32_t len = 34; len < wrapped(b, &f); len++) {
		struct tn_ebpf_run run;

		assert_int_equal(run_with(TN_EBPF_FROM_UPLINK, b, len, &run), TC_ACT_UNSPEC);
	}
}

/* What goes by the device is not overtaken by what comes after it. */
static void test_keeps_order(void **state)
{
	const time_t limit = time(NULL) + 30;
	struct packet p = udp_packet(false);
	struct tn_ebpf_session s = plain;
	uint8_t b[PACKET_MAX];
	struct tn_ebpf_run run;
	struct tn_ebpf_key key;
	struct frame f;
	uint32_t len;

	(void)state;
	uplink();
	p.payload = 200;
	packet_build(&p, &f);
	key = tunnel_key(&p, &f);
	s.max_len = 100;
	put_session(&key, &s);
	len = wrapped(b, &f);
	assert_int_equal(run_with(TN_EBPF_FROM_UPLINK, b, len, &run), TC_ACT_UNSPEC);
	p.payload = 20;
	packet_build(&p, &f);
	len = wrapped(b, &f);
	assert_int_equal(run_with(TN_EBPF_FROM_UPLINK, b, len, &run), TC_ACT_UNSPEC);
	/* a tenth of a second later it may */
	while (run_with(TN_EBPF_FROM_UPLINK, b, len, &run) == TC_ACT_UNSPEC && time(NULL) < limit)
		;
	assert_int_equal(run_with(TN_EBPF_FROM_UPLINK, b, len, &run), TC_ACT_REDIRECT);
}

static uint32_t vxlan_frame(uint8_t *b, uint8_t last, uint32_t vni)
{
	static const uint8_t head[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 50, 0,
		0, 0, 0, 64, 17, 0, 0, 198, 51, 100, 0, 198, 51, 100, 2, 0xc0, 0, 0x12, 0xb5, 0, 30,
		0, 0, 8, 0, 0, 0, 0, 0, 0, 0};

	memset(b, 0, 64);
	memcpy(b, head, sizeof(head));
	b[29] = last;
	b[46] = (uint8_t)(vni >> 16);
	b[47] = (uint8_t)(vni >> 8);
	b[48] = (uint8_t)vni;
	return 64;
}

static int guard(uint8_t last, uint32_t vni)
{
	struct tn_ebpf_run run;
	uint8_t b[64];
	uint32_t len = vxlan_frame(b, last, vni);

	return run_with(TN_EBPF_GUARD, b, len, &run);
}

static void test_guard(void **state)
{
	const struct tn_ebpf_peer peers[] = {
		{.address = {[10] = 0xff, 0xff, 198, 51, 100, 1}, .vni = TN_EBPF_ANY_VNI},
		{.address = {[10] = 0xff, 0xff, 198, 51, 100, 7}, .vni = 300},
	};
	const uint32_t vnis[] = {100, 200};
	struct packet p = udp_packet(false);
	struct tn_ebpf_run run;
	struct tn_error err;
	struct frame f;
	uint8_t b[64];

	(void)state;
	assert_int_equal(tn_ebpf_set_peers(ebpf, VXLAN, peers, 2, vnis, 2, &err), 0);
	assert_int_equal(guard(1, 100), XDP_PASS);
	assert_int_equal(guard(1, 200), XDP_PASS);
	assert_int_equal(guard(1, 300), XDP_DROP);
	assert_int_equal(guard(7, 300), XDP_PASS);
	assert_int_equal(guard(7, 100), XDP_DROP);
	assert_int_equal(guard(9, 100), XDP_DROP);
	/* what is no VXLAN is not its business */
	packet_build(&p, &f);
	assert_int_equal(run_with(TN_EBPF_GUARD, f.view.data, f.view.len, &run), XDP_PASS);
	assert_int_equal(run_with(TN_EBPF_GUARD, b, vxlan_frame(b, 1, 100) - 20, &run), XDP_DROP);
	/* taken back */
	assert_int_equal(tn_ebpf_set_peers(ebpf, VXLAN, peers + 1, 1, vnis, 1, &err), 0);
	assert_int_equal(guard(1, 100), XDP_DROP);
	assert_int_equal(guard(7, 300), XDP_PASS);
}

/* Everybody for a network, one for all of them. */
static void test_guard_of_any(void **state)
{
	const struct tn_ebpf_peer peers[] = {{.vni = TN_EBPF_ANY_VNI}};
	const struct tn_ebpf_peer some[] = {
		{.address = {[10] = 0xff, 0xff, 198, 51, 100, 7}, .vni = 300},
		{.address = {[10] = 0xff, 0xff, 198, 51, 100, 7}, .vni = TN_EBPF_SOME_VNI},
	};
	const uint32_t vnis[] = {100}, any[] = {TN_EBPF_ANY_VNI};
	uint64_t unknown;
	struct tn_ebpf_peer who;
	struct tn_error err;
	uint64_t times;

	(void)state;
	assert_int_equal(tn_ebpf_set_peers(ebpf, VXLAN, peers, 1, vnis, 1, &err), 0);
	(void)tn_ebpf_refused(ebpf, &who, &times);
	assert_int_equal(guard(1, 100), XDP_PASS);
	assert_int_equal(guard(9, 100), XDP_PASS);
	assert_false(tn_ebpf_refused(ebpf, &who, &times));
	assert_int_equal(guard(9, 200), XDP_DROP);
	assert_int_equal(guard(9, 200), XDP_DROP);
	assert_int_equal(guard(9, 201), XDP_DROP);
	assert_true(tn_ebpf_refused(ebpf, &who, &times));
	assert_int_equal(times, 2);
	assert_int_equal(who.vni, 200);
	assert_int_equal(who.address[15], 9);
	assert_int_equal(tn_ebpf_set_peers(ebpf, VXLAN, peers, 1, any, 1, &err), 0);
	assert_int_equal(guard(9, 200), XDP_PASS);
	/* known for other networks, or not at all */
	assert_int_equal(tn_ebpf_set_peers(ebpf, VXLAN, some, 2, NULL, 0, &err), 0);
	unknown = counter(TN_EBPF_GUARD_PEER);
	assert_int_equal(guard(7, 300), XDP_PASS);
	assert_int_equal(guard(7, 200), XDP_DROP);
	assert_int_equal(counter(TN_EBPF_GUARD_PEER), unknown);
	assert_int_equal(guard(9, 300), XDP_DROP);
	assert_int_equal(counter(TN_EBPF_GUARD_PEER), unknown + 1);
	/* another UDP port is not its business */
	assert_int_equal(tn_ebpf_set_peers(ebpf, VXLAN + 1, NULL, 0, NULL, 0, &err), 0);
	assert_int_equal(guard(9, 200), XDP_PASS);
}

/* More than fit: nobody is refused for that. */
static void test_guard_is_full(void **state)
{
	const size_t n = TN_EBPF_PEERS_MAX + 1;
	struct tn_ebpf_peer *peers = calloc(n, sizeof(*peers));
	const uint32_t vnis[] = {100};
	struct tn_error err;

	(void)state;
	assert_non_null(peers);
	for (uint32_t i = 0; i < n; i++) {
		peers[i].vni = 5;
		memcpy(peers[i].address, &i, sizeof(i));
	}
	assert_int_not_equal(tn_ebpf_set_peers(ebpf, VXLAN, peers, n, vnis, 1, &err), 0);
	assert_non_null(strstr(err.detail, "lets everything pass"));
	assert_int_equal(guard(9, 200), XDP_PASS);
	assert_int_equal(tn_ebpf_set_peers(ebpf, VXLAN, peers, 1, vnis, 1, &err), 0);
	assert_int_equal(guard(9, 200), XDP_DROP);
	free(peers);
}

/* A session more than there is room for; the packets go up. */
static void test_sessions_are_full(void **state)
{
	struct packet p = udp_packet(false);
	struct tn_ebpf_key key;
	struct tn_ebpf_run run;
	struct frame f;
	int rc = 0;

	(void)state;
	packet_build(&p, &f);
	key = key_of(&p, &f);
	for (uint32_t i = 1; !rc && i <= TN_EBPF_SESSIONS_MAX; i++) {
		key.k4.tun_src = i;
		rc = tn_ebpf_put_session(ebpf, &key, &plain);
	}
	assert_int_equal(rc, 0);
	key.k4.tun_src = 0;
	assert_int_equal(tn_ebpf_put_session(ebpf, &key, &plain), -E2BIG);
	assert_false(hits(&f));
	assert_int_equal(
		run_with(TN_EBPF_FROM_PORT, f.view.data, f.view.len, &run), TC_ACT_REDIRECT);
	key.k4.tun_src = 1;
	tn_ebpf_delete_session(ebpf, &key);
	key.k4.tun_src = 0;
	put_session(&key, &plain);
	assert_true(hits(&f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_goes_up_without_a_session, fresh),
		cmocka_unit_test_setup(test_no_port_no_passage, fresh),
		cmocka_unit_test_setup(test_hit, fresh),
		cmocka_unit_test_setup(test_routed, fresh),
		cmocka_unit_test_setup(test_ttl_ends, fresh),
		cmocka_unit_test_setup(test_too_long, fresh),
		cmocka_unit_test_setup(test_too_long_in_pieces, fresh),
		cmocka_unit_test_setup(test_drops, fresh),
		cmocka_unit_test_setup(test_counts, fresh),
		cmocka_unit_test_setup(test_epochs, fresh),
		cmocka_unit_test_setup(test_key_members, fresh),
		cmocka_unit_test_setup(test_unusual, fresh),
		cmocka_unit_test_setup(test_meter, fresh),
		cmocka_unit_test_setup(test_short_way, fresh),
		cmocka_unit_test_setup(test_not_the_short_way, fresh),
		cmocka_unit_test_setup(test_keeps_order, fresh),
		cmocka_unit_test_setup(test_guard, fresh),
		cmocka_unit_test_setup(test_guard_of_any, fresh),
		cmocka_unit_test_setup(test_guard_is_full, fresh),
		cmocka_unit_test_setup(test_sessions_are_full, fresh),
	};

	return ebpf_run(&ebpf, tests, TN_ARRAY_SIZE(tests));
}
