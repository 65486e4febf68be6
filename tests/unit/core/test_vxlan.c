/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/vxlan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/core/checksum.h"
#include "dataplane/core/rewrite.h"
#include "tests/unit/core/packets.h"

static const struct tn_vxlan_encap encap_ip4 = {
	.src = (tn_u128)0xffff << 32 | 0xc6336401,
	.dst = (tn_u128)0xffff << 32 | 0xc6336402,
	.eth_src = {{2, 0, 0, 0, 1, 1}},
	.eth_dst = {{2, 0, 0, 0, 1, 2}},
	.vni = 0xabcdef,
	.udp_dst = TN_VXLAN_PORT,
	.ttl = 64,
	.tos = 0x28 | TN_ECN_CE,
	.dont_fragment = true,
	.udp_checksum = true,
};

static struct tn_vxlan_encap encap_ip6(void)
{
	struct tn_vxlan_encap e = encap_ip4;

	e.src = (tn_u128)0x20010db8 << 96 | 1;
	e.dst = (tn_u128)0x20010db8 << 96 | 2;
	return e;
}

static struct tn_headers parse(const struct tn_view *view)
{
	struct tn_headers h;

	assert_int_equal(tn_parse(view, &h), TN_DROP_NONE);
	return h;
}

static void push(struct frame *f, const struct tn_vxlan_encap *encap, uint32_t entropy)
{
	struct tn_headers inner = parse(&f->view);

	assert_int_equal(tn_vxlan_push(&f->view, encap, &inner, entropy), TN_DROP_NONE);
}

/* The UDP checksum of an outer frame, computed from scratch: right when this is 0. */
static uint16_t outer_udp_sum(const struct tn_view *view)
{
	bool v6 = view->data[12] == 0x86;
	const uint8_t *ip = view->data + 14, *udp = ip + (v6 ? 40 : 20);
	uint16_t len = (uint16_t)(udp[4] << 8 | udp[5]);
	uint32_t sum = (uint16_t)~slow_csum(ip + (v6 ? 8 : 12), v6 ? 32 : 8, 17u + len);

	return slow_csum(udp, len, sum);
}

static void test_push_ip4(void **state)
{
	static const uint8_t outer[] = {2, 0, 0, 0, 1, 2, 2, 0, 0, 0, 1, 1, 8, 0, /* Ethernet */
		0x45, 0x28, 0, 96, 0, 0, 0x40, 0, 64, 17, 0, 0, 198, 51, 100, 1, 198, 51, 100, 2,
		0xc0 + 0x35, 0x67, 0x12, 0xb5, 0, 76, 0, 0, /* UDP */
		0x08, 0, 0, 0, 0xab, 0xcd, 0xef, 0};
	static struct frame f, inner;
	struct packet p;
	uint8_t got[sizeof(outer)];

	(void)state;
	packet_init(&p);
	packet_build(&p, &f);
	packet_build(&p, &inner);
	push(&f, &encap_ip4, 0xfff73567);
	assert_int_equal(f.view.len, inner.view.len + TN_VXLAN_OVERHEAD_IP4);
	assert_int_equal(f.view.wire_len, f.view.len);
	assert_int_equal(f.view.headroom, PACKET_ROOM - TN_VXLAN_OVERHEAD_IP4);
	assert_ptr_equal(f.view.data - f.view.headroom, f.buf);
	memcpy(got, f.view.data, sizeof(got));
	assert_true(tn_csum_ipv4_ok(got + 14, 20));
	assert_int_equal(outer_udp_sum(&f.view), 0);
	memset(got + 24, 0, 2); /* both sums have been judged */
	memset(got + 40, 0, 2);
	assert_memory_equal(got, outer, sizeof(outer));
	assert_memory_equal(f.view.data + sizeof(outer), inner.view.data, inner.view.len);
}

static void test_push_ip6(void **state)
{
	static struct frame f;
	struct tn_vxlan_encap e = encap_ip6();
	struct packet p;
	struct tn_headers h;
	struct tn_key key;

	(void)state;
	packet_init(&p);
	packet_build(&p, &f);
	push(&f, &e, 0x12345678);
	h = parse(&f.view);
	tn_key_extract(&f.view, &h, &key);
	assert_int_equal(h.flags, TN_HDR_IPV6 | TN_HDR_UDP);
	assert_int_equal(h.l3_len, f.view.len - 14);
	assert_true(tn_u128_from_ip6(&key.ipv6_src) == e.src);
	assert_true(tn_u128_from_ip6(&key.ipv6_dst) == e.dst);
	assert_int_equal(tn_be32toh(key.ipv6_flabel), 0x12345);
	assert_int_equal(tn_be16toh(key.tp_src), 0xc000 + 0x1678);
	assert_int_equal(key.ip_tos, 0x28);
	assert_int_equal(key.ip_ttl, 64);
	assert_int_equal(outer_udp_sum(&f.view), 0);
}

static void test_no_udp_checksum(void **state)
{
	static struct frame f;
	struct tn_vxlan_encap e = encap_ip6();
	struct tn_vxlan_outer outer;
	struct tn_headers h;
	struct packet p;

	(void)state;
	packet_init(&p);
	packet_build(&p, &f);
	e.udp_checksum = false;
	push(&f, &e, 1);
	assert_int_equal(f.view.data[60] | f.view.data[61], 0);
	h = parse(&f.view);
	assert_int_equal(tn_vxlan_decode(&f.view, &h, &outer), TN_DROP_NONE);
	/* What was cut off cannot be summed up. */
	p.cut = 50;
	packet_build(&p, &f);
	push(&f, &encap_ip4, 1);
	assert_int_equal(f.view.data[40] | f.view.data[41], 0);
	assert_int_equal(f.view.len, 100);
	assert_int_equal(f.view.wire_len, 110);
	assert_int_equal(f.view.data[38] << 8 | f.view.data[39], 76);
}

static void test_udp_checksum_is_never_zero(void **state)
{
	static struct frame f;
	struct packet p;
	unsigned ones = 0;

	(void)state;
	packet_init(&p);
	for (unsigned i = 0; i < 65536 && !ones; i++) {
		p.l3 = L3_OTHER;
		p.eth_type = 0x88b5;
		p.eth_dst = i;
		packet_build(&p, &f);
		push(&f, &encap_ip4, 0);
		assert_int_not_equal(f.view.data[40] | f.view.data[41], 0);
		ones += (f.view.data[40] & f.view.data[41]) == 0xff;
	}
	assert_int_equal(ones, 1);
}

static void test_push_bounds(void **state)
{
	static uint8_t big[200 + 66000];
	struct tn_vxlan_encap e6 = encap_ip6();
	struct tn_headers h = {0};
	static struct frame f, before;
	struct packet p;

	(void)state;
	packet_init(&p);
	packet_build(&p, &f);
	f.view.headroom = 49;
	before = f;
	assert_int_equal(tn_vxlan_push(&f.view, &encap_ip4, &h, 0), TN_DROP_NO_HEADROOM);
	f.view.headroom = 69;
	before.view.headroom = 69;
	assert_int_equal(tn_vxlan_push(&f.view, &e6, &h, 0), TN_DROP_NO_HEADROOM);
	assert_memory_equal(&f.view, &before.view, sizeof(f.view));
	assert_memory_equal(f.buf, before.buf, sizeof(f.buf));
	/* The longest inner frames. */
	for (unsigned v6 = 0; v6 < 2; v6++) {
		uint32_t most = 65535 - 16 - (v6 ? 0 : 20);
		struct tn_view v = {.data = big + 200, .headroom = 200};

		v.len = v.wire_len = most + 1;
		assert_int_equal(tn_vxlan_push(&v, v6 ? &e6 : &encap_ip4, &h, 0), TN_DROP_TOO_LONG);
		v.len = v.wire_len = most;
		assert_int_equal(tn_vxlan_push(&v, v6 ? &e6 : &encap_ip4, &h, 0), TN_DROP_NONE);
		assert_int_equal(parse(&v).flags, (v6 ? TN_HDR_IPV6 : TN_HDR_IPV4) | TN_HDR_UDP);
		assert_int_equal(outer_udp_sum(&v), 0);
	}
}

static uint8_t outer_tos(const struct tn_view *view)
{
	struct tn_headers h = parse(view);

	return tn_header_tos(view, &h);
}

/* RFC 6040, normal mode; RFC 2983, uniform and pipe. */
static void test_push_tos(void **state)
{
	struct tn_vxlan_encap e[2] = {encap_ip4, encap_ip6()};
	static struct frame f;
	struct packet p;
	struct tn_headers h;

	(void)state;
	for (unsigned i = 0; i < 8 * 4; i++) {
		struct tn_vxlan_encap *encap = &e[i & 1];

		packet_init(&p);
		p.l3 = i & 2 ? L3_IPV6 : L3_IPV4;
		p.tos = (uint8_t)(0xb8 | i >> 3);
		encap->inherit_dscp = i & 4;
		packet_build(&p, &f);
		push(&f, encap, 0);
		assert_int_equal(outer_tos(&f.view), (i & 4 ? 0xb8 : 0x28) | i >> 3);
	}
	p.l3 = L3_ARP;
	packet_build(&p, &f);
	push(&f, &encap_ip4, 0);
	assert_int_equal(outer_tos(&f.view), 0x28);
	/* Shortened after it was parsed: nothing is read where nothing is. */
	packet_init(&p);
	p.tos = 0xff;
	packet_build(&p, &f);
	h = parse(&f.view);
	f.view.len = f.view.wire_len = 33;
	assert_int_equal(tn_vxlan_push(&f.view, &encap_ip4, &h, 0), TN_DROP_NONE);
	assert_int_equal(outer_tos(&f.view), 0x28);
}

static void test_ipv4_id(void **state)
{
	struct tn_vxlan_encap e = encap_ip4;
	static struct frame f;
	struct packet p;
	unsigned first;

	(void)state;
	e.dont_fragment = false;
	packet_init(&p);
	packet_build(&p, &f);
	push(&f, &e, 7);
	first = f.view.data[18] << 8 | f.view.data[19];
	assert_int_equal(f.view.data[20] << 8 | f.view.data[21], 0);
	/* The next packet of the flow has another, the same packet the same. */
	packet_build(&p, &f);
	push(&f, &e, 7);
	assert_int_equal(f.view.data[18] << 8 | f.view.data[19], first);
	p.seed++;
	packet_build(&p, &f);
	push(&f, &e, 7);
	assert_int_not_equal(f.view.data[18] << 8 | f.view.data[19], first);
}

/* Every kind of packet through push, match, decode and strip comes out as it went in. */
static void test_round_trip(void **state)
{
	static struct frame f, before;
	struct rng r = {21};

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct tn_vxlan_encap e = rng_below(&r, 2) ? encap_ip4 : encap_ip6();
		struct tn_vxlan_outer outer;
		struct tn_headers h;
		struct packet p;
		uint32_t entropy = (uint32_t)rng_next(&r);

		packet_random(&p, &r);
		if (rng_below(&r, 4) == 0)
			p.cut = 14 + rng_below(&r, 100);
		packet_build(&p, &f);
		before = f;
		e.vni = rng_below(&r, TN_VXLAN_VNI_MAX + 1);
		e.udp_checksum = rng_below(&r, 2);
		push(&f, &e, entropy);
		h = parse(&f.view);
		assert_true(tn_vxlan_match(&f.view, &h, TN_VXLAN_PORT));
		assert_false(tn_vxlan_match(&f.view, &h, TN_VXLAN_PORT + 1));
		assert_int_equal(tn_vxlan_decode(&f.view, &h, &outer), TN_DROP_NONE);
		assert_int_equal(outer.vni, e.vni);
		assert_true(outer.src == e.src && outer.dst == e.dst);
		assert_int_equal(outer.ttl, 64);
		assert_int_equal(outer.tos & ~TN_ECN_MASK, 0x28);
		assert_int_equal(outer.udp_dst, TN_VXLAN_PORT);
		assert_int_equal(outer.udp_src, 49152 + (entropy & 16383));
		assert_int_equal(tn_vxlan_strip(&f.view, &outer), TN_DROP_NONE);
		assert_true(frame_equal(&before, &f.view));
		assert_int_equal(f.view.headroom, before.view.headroom);
		assert_int_equal(f.view.tailroom, before.view.tailroom);
	}
}

/* A VXLAN packet for the tests that break it. */
static void build_outer(struct frame *f, struct tn_headers *h)
{
	struct packet p;

	packet_init(&p);
	packet_build(&p, f);
	push(f, &encap_ip4, 0);
	*h = parse(&f->view);
}

static void set_no_udp_csum(struct frame *f)
{
	memset(f->view.data + 40, 0, 2);
}

static void test_match(void **state)
{
	static struct frame f;
	struct tn_headers h;
	struct packet p;

	(void)state;
	packet_init(&p);
	p.dport = TN_VXLAN_PORT;
	packet_build(&p, &f);
	h = parse(&f.view);
	assert_true(tn_vxlan_match(&f.view, &h, TN_VXLAN_PORT));
	p.proto = TN_IPPROTO_TCP;
	packet_build(&p, &f);
	h = parse(&f.view);
	assert_false(tn_vxlan_match(&f.view, &h, TN_VXLAN_PORT));
	p.proto = TN_IPPROTO_UDP;
	p.payload = 100;
	p.fragment = p.more = true;
	p.frag_len = 64;
	packet_build(&p, &f);
	h = parse(&f.view);
	assert_int_equal(h.flags, TN_HDR_IPV4 | TN_HDR_UDP);
	assert_false(tn_vxlan_match(&f.view, &h, TN_VXLAN_PORT));
}

static void test_reserved_bits_are_ignored(void **state)
{
	static struct frame f;
	struct tn_vxlan_outer outer;
	struct tn_headers h;

	(void)state;
	build_outer(&f, &h);
	set_no_udp_csum(&f);
	memcpy(f.view.data + 42, "\xff\xff\xff\xff", 4);
	f.view.data[49] = 0xff;
	assert_int_equal(tn_vxlan_decode(&f.view, &h, &outer), TN_DROP_NONE);
	assert_int_equal(outer.vni, 0xabcdef);
	f.view.data[42] = 0xf7;
	assert_int_equal(tn_vxlan_decode(&f.view, &h, &outer), TN_DROP_VXLAN_MALFORMED);
}

static void test_checksums_are_checked(void **state)
{
	struct tn_vxlan_encap e6 = encap_ip6();
	static struct frame f;
	struct tn_vxlan_outer outer;
	struct tn_headers h;
	struct packet p;

	(void)state;
	build_outer(&f, &h);
	f.view.data[22]--; /* TTL */
	assert_int_equal(tn_vxlan_decode(&f.view, &h, &outer), TN_DROP_VXLAN_BAD_CHECKSUM);
	for (unsigned v6 = 0; v6 < 2; v6++) {
		packet_init(&p);
		p.cut = 0;
		packet_build(&p, &f);
		push(&f, v6 ? &e6 : &encap_ip4, 0);
		h = parse(&f.view);
		assert_int_equal(tn_vxlan_decode(&f.view, &h, &outer), TN_DROP_NONE);
		f.view.data[f.view.len - 1] ^= 1;
		assert_int_equal(tn_vxlan_decode(&f.view, &h, &outer), TN_DROP_VXLAN_BAD_CHECKSUM);
		/* With the last byte cut off nobody can tell. */
		f.view.len--;
		assert_int_equal(tn_vxlan_decode(&f.view, &h, &outer), TN_DROP_NONE);
	}
}

static void test_decode_lengths(void **state)
{
	static struct frame f;
	struct tn_vxlan_outer outer;
	struct tn_headers h;
	struct packet p;

	(void)state;
	/* UDP with room for VXLAN and 13 bytes; with 14. */
	for (unsigned inner = 13; inner <= 14; inner++) {
		packet_init(&p);
		p.dport = TN_VXLAN_PORT;
		p.no_csum = true;
		p.payload = 8 + inner;
		packet_build(&p, &f);
		memcpy(f.view.data + 42, "\x08\0\0\0\0\0\x01\0", 8);
		h = parse(&f.view);
		assert_int_equal(tn_vxlan_decode(&f.view, &h, &outer),
			inner == 14 ? TN_DROP_NONE : TN_DROP_VXLAN_MALFORMED);
	}
	f.view.len = 63;
	assert_int_equal(tn_vxlan_decode(&f.view, &h, &outer), TN_DROP_TRUNCATED_HEADER);
	packet_init(&p);
	p.proto = TN_IPPROTO_TCP;
	packet_build(&p, &f);
	h = parse(&f.view);
	assert_int_equal(tn_vxlan_decode(&f.view, &h, &outer), TN_DROP_VXLAN_MALFORMED);
}

/* Ethernet padding and bytes between UDP's and IP's end do not belong to the inner frame. */
static void test_strip_cuts_trailers(void **state)
{
	static struct frame f, inner;
	struct tn_vxlan_outer outer;
	struct tn_headers h;
	struct packet p;

	(void)state;
	packet_init(&p);
	packet_build(&p, &inner);
	build_outer(&f, &h);
	f.view.len += 10;
	f.view.wire_len += 10;
	f.view.tailroom -= 10;
	h = parse(&f.view);
	assert_int_equal(tn_vxlan_decode(&f.view, &h, &outer), TN_DROP_NONE);
	assert_int_equal(tn_vxlan_strip(&f.view, &outer), TN_DROP_NONE);
	assert_true(frame_equal(&inner, &f.view));
	assert_int_equal(f.view.tailroom, inner.view.tailroom);
}

/* RFC 6040, figure 4: rows inner, columns outer, in the order of the code points. */
static void test_ecn_merge(void **state)
{
	static const int expected[4][4] = {{0, 0, 0, -1}, {1, 1, 1, 3}, {2, 1, 2, 3}, {3, 3, 3, 3}};
	struct tn_vxlan_outer outer;
	struct tn_headers h;
	static struct frame f, before, want;

	(void)state;
	for (unsigned i = 0; i < 32; i++) {
		unsigned in = i >> 1 & 3, out = i >> 3;
		struct packet p;

		packet_init(&p);
		p.l3 = i & 1 ? L3_IPV6 : L3_IPV4;
		p.tos = (uint8_t)(0x48 | in);
		packet_build(&p, &f);
		push(&f, &encap_ip4, 0);
		h = parse(&f.view);
		assert_int_equal(
			tn_rewrite_field(&f.view, &h, TN_FIELD_IP_ECN, out, 3), TN_DROP_NONE);
		assert_int_equal(tn_vxlan_decode(&f.view, &h, &outer), TN_DROP_NONE);
		before = f;
		if (expected[in][out] < 0) {
			assert_int_equal(tn_vxlan_strip(&f.view, &outer), TN_DROP_VXLAN_MALFORMED);
			assert_memory_equal(&before.view, &f.view, sizeof(f.view));
			assert_memory_equal(before.buf, f.buf, sizeof(f.buf));
			continue;
		}
		assert_int_equal(tn_vxlan_strip(&f.view, &outer), TN_DROP_NONE);
		p.tos = (uint8_t)(0x48 | expected[in][out]);
		packet_build(&p, &want);
		assert_true(frame_equal(&want, &f.view));
	}
}

/* What has no ECN field takes none, and is not dropped for it. */
static void test_ecn_merge_without_ip(void **state)
{
	static struct frame f, inner;
	struct tn_vxlan_outer outer;
	struct tn_headers h;
	struct packet p;

	(void)state;
	packet_init(&p);
	p.l3 = L3_ARP;
	packet_build(&p, &f);
	inner = f;
	push(&f, &encap_ip4, 0);
	h = parse(&f.view);
	assert_int_equal(tn_rewrite_field(&f.view, &h, TN_FIELD_IP_ECN, 3, 3), TN_DROP_NONE);
	assert_int_equal(tn_vxlan_decode(&f.view, &h, &outer), TN_DROP_NONE);
	assert_int_equal(tn_vxlan_strip(&f.view, &outer), TN_DROP_NONE);
	assert_memory_equal(f.view.data, inner.view.data, inner.view.len);
}

static uint32_t entropy_of(const struct packet *p)
{
	static struct frame f;
	struct tn_headers h;
	struct tn_key key;

	packet_build(p, &f);
	h = parse(&f.view);
	tn_key_extract(&f.view, &h, &key);
	return tn_key_entropy(&key);
}

static struct packet reversed(const struct packet *p)
{
	struct packet q = *p;

	q.src = p->dst;
	q.dst = p->src;
	q.sport = p->dport;
	q.dport = p->sport;
	q.eth_src = p->eth_dst;
	q.eth_dst = p->eth_src;
	return q;
}

static void test_entropy_is_symmetric(void **state)
{
	struct rng r = {31};

	(void)state;
	for (unsigned round = 0; round < 5000; round++) {
		struct packet p, q;

		packet_random(&p, &r);
		p.l3 = round & 1 ? L3_IPV4 : round & 2 ? L3_IPV6 : L3_OTHER;
		q = reversed(&p);
		assert_int_equal(entropy_of(&p), entropy_of(&q));
	}
}

static void test_entropy_is_of_the_flow(void **state)
{
	struct packet p, q;

	(void)state;
	packet_init(&p);
	p.payload = 400;
	/* All fragments of a datagram go one way, and both directions of a ping. */
	p.fragment = p.more = true;
	p.frag_len = 200;
	q = p;
	q.frag_ofs = 200;
	assert_int_equal(entropy_of(&p), entropy_of(&q));
	p.fragment = false;
	p.proto = TN_IPPROTO_ICMP;
	p.icmp_type = 8;
	q = p;
	q.icmp_type = 0;
	assert_int_equal(entropy_of(&p), entropy_of(&q));
	/* Neither TTL nor MAC address of routed packets matter. */
	q.ttl--;
	q.eth_src++;
	assert_int_equal(entropy_of(&p), entropy_of(&q));
	q.src++;
	assert_int_not_equal(entropy_of(&p), entropy_of(&q));
}

/* Flows that differ in one number spread over the source ports. */
static void test_entropy_spreads(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 6; kind++) {
		unsigned used = 0, bucket[64] = {0};
		struct packet p;

		packet_init(&p);
		p.l3 = kind == 5 ? L3_OTHER : kind & 1 ? L3_IPV6 : L3_IPV4;
		for (unsigned i = 0; i < 64 * 64; i++) {
			if (kind < 2)
				p.sport = (uint16_t)(i + 1024);
			else if (kind < 4)
				p.src = (p.src & ~(tn_u128)0xffff) | i;
			else if (kind == 4)
				p.dst = (p.dst & 0xffff) | i << 16;
			else
				p.eth_src = i;
			bucket[entropy_of(&p) & 63]++;
		}
		for (unsigned i = 0; i < 64; i++)
			used += bucket[i] > 16 && bucket[i] < 256;
		if (used < 60)
			fail_msg("kind %u: %u of 64 buckets are of fair size", kind, used);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_push_ip4),
		cmocka_unit_test(test_push_ip6),
		cmocka_unit_test(test_no_udp_checksum),
		cmocka_unit_test(test_udp_checksum_is_never_zero),
		cmocka_unit_test(test_push_bounds),
		cmocka_unit_test(test_push_tos),
		cmocka_unit_test(test_ipv4_id),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_reserved_bits_are_ignored),
		cmocka_unit_test(test_checksums_are_checked),
		cmocka_unit_test(test_decode_lengths),
		cmocka_unit_test(test_strip_cuts_trailers),
		cmocka_unit_test(test_ecn_merge),
		cmocka_unit_test(test_ecn_merge_without_ip),
		cmocka_unit_test(test_entropy_is_symmetric),
		cmocka_unit_test(test_entropy_is_of_the_flow),
		cmocka_unit_test(test_entropy_spreads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
