/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/rewrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/core/checksum.h"
#include "tests/unit/core/packets.h"

/* A frame as the code under test has it: bytes, view and headers. */
struct subject {
	struct frame f;
	struct tn_headers h;
};

static void subject_build(struct subject *s, const struct packet *p)
{
	packet_build(p, &s->f);
	assert_int_equal(tn_parse(&s->f.view, &s->h), TN_DROP_NONE);
}

/* Headers are what the parser says of the bytes as they are now. */
static void assert_in_step(const struct subject *s)
{
	struct tn_headers fresh;

	assert_int_equal(tn_parse(&s->f.view, &fresh), TN_DROP_NONE);
	assert_memory_equal(&s->h, &fresh, sizeof(fresh));
}

static enum tn_drop set_field(struct subject *s, enum tn_field_id id, tn_u128 value)
{
	return tn_rewrite_field(&s->f.view, &s->h, id, value, tn_field_ones(id));
}

/* What the model does with one field: where it is in the description, and when it is there. */
struct slot {
	void *member;
	unsigned bytes, shift;
	bool there;	  /* the packet has it */
	bool known;	  /* whole frame or cut: the parser can know that it has it */
	unsigned need;	  /* bytes of the frame that hold its header */
	bool pseudo, sum; /* in L4's pseudo header, in L4's own sum */
};

static struct slot slot_ip(struct packet *p, const struct frame *f, enum tn_field_id id)
{
	bool v4 = p->l3 == L3_IPV4, v6 = p->l3 == L3_IPV6;
	struct slot s = {.known = true, .need = f->l3_end};

	switch (id) {
	case TN_FIELD_IP_DSCP:
		return (s.member = &p->tos, s.bytes = 1, s.shift = 2, s.there = v4 || v6, s);
	case TN_FIELD_IP_ECN:
		return (s.member = &p->tos, s.bytes = 1, s.there = v4 || v6, s);
	case TN_FIELD_IP_TTL:
		return (s.member = &p->ttl, s.bytes = 1, s.there = v4 || v6, s);
	case TN_FIELD_IPV4_SRC:
		return (s.member = &p->src, s.bytes = 16, s.there = v4, s.pseudo = true, s);
	case TN_FIELD_IPV4_DST:
		return (s.member = &p->dst, s.bytes = 16, s.there = v4, s.pseudo = true, s);
	case TN_FIELD_IPV6_SRC:
		return (s.member = &p->src, s.bytes = 16, s.there = v6, s.pseudo = true, s);
	case TN_FIELD_IPV6_DST:
		return (s.member = &p->dst, s.bytes = 16, s.there = v6,
			s.pseudo = !p->segments_left, s);
	default:
		return (s.member = &p->flabel, s.bytes = 4, s.there = v6, s);
	}
}

static struct slot slot_arp(struct packet *p, const struct frame *f, enum tn_field_id id)
{
	struct slot s = {.there = p->l3 == L3_ARP, .known = true, .bytes = 16, .need = f->l3 + 28};

	if (id == TN_FIELD_ARP_OP)
		return (s.member = &p->arp_op, s.bytes = 2, s);
	s.member = id == TN_FIELD_ARP_SPA ? &p->arp_spa
		: id == TN_FIELD_ARP_TPA  ? &p->arp_tpa
		: id == TN_FIELD_ARP_SHA  ? &p->arp_sha
					  : &p->arp_tha;
	return s;
}

static struct slot slot_nd(struct packet *p, const struct frame *f, enum tn_field_id id)
{
	struct slot s = {.bytes = 16, .need = f->l4_end, .sum = true};
	bool ns = p->icmp_type == TN_ICMPV6_NS;
	bool nd = packet_is_nd(p) && f->view.len >= f->l4 + 4; /* the type can be seen */

	s.there = s.known = nd;
	if (id == TN_FIELD_ND_TARGET)
		return (s.member = &p->nd_target, s);
	s.member = &p->nd_mac;
	s.known = nd && ns == (id == TN_FIELD_ND_SLL);
	s.there = s.known && p->nd_option == (ns ? TN_ND_SLL : TN_ND_TLL);
	return s;
}

static struct slot slot_l4(struct packet *p, const struct frame *f, enum tn_field_id id)
{
	static const struct {
		enum tn_field_id src, dst;
		uint8_t proto;
	} kinds[] = {
		{TN_FIELD_TCP_SRC, TN_FIELD_TCP_DST, TN_IPPROTO_TCP},
		{TN_FIELD_UDP_SRC, TN_FIELD_UDP_DST, TN_IPPROTO_UDP},
		{TN_FIELD_SCTP_SRC, TN_FIELD_SCTP_DST, TN_IPPROTO_SCTP},
		{TN_FIELD_ICMPV4_TYPE, TN_FIELD_ICMPV4_CODE, TN_IPPROTO_ICMP},
		{TN_FIELD_ICMPV6_TYPE, TN_FIELD_ICMPV6_CODE, TN_IPPROTO_ICMPV6},
	};
	struct slot s = {.bytes = 2, .need = f->l4_end, .sum = true};

	for (unsigned i = 0; i < TN_ARRAY_SIZE(kinds); i++) {
		if (kinds[i].src != id && kinds[i].dst != id)
			continue;
		s.there = s.known = packet_l4(p) == kinds[i].proto;
		s.member = kinds[i].src == id ? &p->sport : &p->dport;
		if (i < 3)
			break;
		s.bytes = 1;
		s.need = f->l4 + 4;
		s.member = kinds[i].src == id ? &p->icmp_type : &p->icmp_code;
	}
	return s;
}

static bool is_nd_field(enum tn_field_id id)
{
	return id == TN_FIELD_ND_TARGET || id == TN_FIELD_ND_SLL || id == TN_FIELD_ND_TLL;
}

static struct slot find_slot(struct packet *p, const struct frame *f, enum tn_field_id id)
{
	struct slot s = {.known = true, .there = true, .need = 14, .bytes = 16};
	enum tn_prereq pre = tn_fields[id].prereq;
	bool hidden = p->n_tags > 2; /* a third tag hides L3 */

	if (id == TN_FIELD_ETH_DST || id == TN_FIELD_ETH_SRC)
		return (s.member = id == TN_FIELD_ETH_DST ? &p->eth_dst : &p->eth_src, s);
	if (id == TN_FIELD_VLAN_VID || id == TN_FIELD_VLAN_PCP)
		return (s.member = &p->tci[0], s.bytes = 2, s.there = p->n_tags > 0, s.need = 18,
			s.shift = id == TN_FIELD_VLAN_PCP ? 13 : 0, s);
	if (pre == TN_PREREQ_ARP)
		s = slot_arp(p, f, id);
	else if (pre == TN_PREREQ_IP || pre == TN_PREREQ_IPV4 || pre == TN_PREREQ_IPV6)
		s = slot_ip(p, f, id);
	else
		s = is_nd_field(id) ? slot_nd(p, f, id) : slot_l4(p, f, id);
	s.there &= !hidden && f->view.len >= f->l3 && !(s.sum && !f->l4);
	/* Where even IP was cut off nobody knows that there is L4; where a tag was, none of it. */
	s.known &=
		!hidden && f->view.len >= f->l3 && !(s.sum && (!f->l4 || f->view.len < f->l3_end));
	return s;
}

static bool l4_sum_cut(const struct packet *p, const struct frame *f)
{
	uint8_t proto = packet_l4(p);
	unsigned need = proto == TN_IPPROTO_ICMPV6 ? f->l4 + 4 : f->l4_end;

	return f->l4 && f->view.len < need &&
		(proto == TN_IPPROTO_TCP || proto == TN_IPPROTO_UDP || proto == TN_IPPROTO_ICMPV6);
}

/* Changes the description as the field's change would, or says why that cannot be. */
static enum tn_drop model_set(
	struct packet *p, const struct frame *f, enum tn_field_id id, tn_u128 value, tn_u128 mask)
{
	struct slot s = find_slot(p, f, id);
	tn_u128 old = 0, new;

	if (id == TN_FIELD_VLAN_VID)
		mask &= 0xfff;
	if (s.known && f->view.len < s.need && (s.there || is_nd_field(id)))
		return TN_DROP_TRUNCATED_HEADER;
	if (!s.there || f->view.len < s.need)
		return TN_DROP_NONE;
	memcpy(&old, s.member, s.bytes);
	mask = (mask & tn_field_ones(id)) << s.shift;
	new = (old & ~mask) | ((value << s.shift) & mask);
	if (new == old)
		return TN_DROP_NONE;
	if (s.pseudo && l4_sum_cut(p, f))
		return TN_DROP_TRUNCATED_HEADER;
	if (s.sum && p->proto == TN_IPPROTO_SCTP && p->fragment)
		return TN_DROP_SCTP_FRAGMENT;
	memcpy(s.member, &new, s.bytes);
	return TN_DROP_NONE;
}

static enum tn_field_id random_field(struct rng *r)
{
	for (;;) {
		enum tn_field_id id = (enum tn_field_id)(
			TN_FIELD_ETH_DST + rng_below(r, TN_N_FIELDS - TN_FIELD_ETH_DST));

		if (tn_fields[id].writable)
			return id;
	}
}

/* Types that change what ND options mean are in a test of their own: the model has no such. */
static bool changes_layout(enum tn_field_id id)
{
	return id == TN_FIELD_ICMPV6_TYPE;
}

/*
 * Random packets, some cut, some with wrong checksums, each changed a few times. The bytes must be
 * those that the changed description gives when everything is computed from scratch.
 */
static void test_fields_against_model(void **state)
{
	static struct subject s;
	static struct frame expected;
	struct rng r = {11};
	unsigned drops[TN_DROP_COUNT] = {0};

	(void)state;
	for (unsigned round = 0; round < 100000; round++) {
		struct packet p;

		packet_random(&p, &r);
		if (rng_below(&r, 3) == 0)
			p.cut = 14 + rng_below(&r, 140);
		subject_build(&s, &p);
		for (unsigned n = rng_below(&r, 6); n < 6; n++) {
			enum tn_field_id id = random_field(&r);
			tn_u128 value = (tn_u128)rng_next(&r) << 64 | rng_next(&r);
			tn_u128 mask = rng_below(&r, 2) ? ~(tn_u128)0 : value * 0x10001;
			enum tn_drop want, got;

			if (changes_layout(id))
				continue;
			want = model_set(&p, &s.f, id, value, mask);
			got = tn_rewrite_field(&s.f.view, &s.h, id, value, mask);
			drops[got]++;
			if (got != want)
				fail_msg("round %u: %s: drop %u, not %u", round, tn_fields[id].name,
					got, want);
			packet_build(&p, &expected);
			if (!frame_equal(&expected, &s.f.view))
				fail_msg("round %u: %s: the frame differs", round,
					tn_fields[id].name);
			assert_in_step(&s);
			if (got)
				break;
		}
	}
	assert_true(drops[TN_DROP_NONE] > 100000);
	assert_true(drops[TN_DROP_TRUNCATED_HEADER] > 100);
	assert_true(drops[TN_DROP_SCTP_FRAGMENT] > 20);
}

/* With the payload cut off, sums follow all the same: the wire's frame is right. */
static void test_cut_payload(void **state)
{
	static const uint8_t protos[] = {TN_IPPROTO_TCP, TN_IPPROTO_UDP, TN_IPPROTO_SCTP};
	static const enum tn_field_id dst[] = {
		TN_FIELD_TCP_DST, TN_FIELD_UDP_DST, TN_FIELD_SCTP_DST};
	static struct subject s;
	static struct frame expected;
	struct packet p;

	(void)state;
	for (unsigned i = 0; i < TN_ARRAY_SIZE(protos); i++) {
		packet_init(&p);
		p.proto = protos[i];
		p.payload = 1001;
		p.cut = 60;
		subject_build(&s, &p);
		assert_int_equal(set_field(&s, dst[i], 4242), TN_DROP_NONE);
		assert_int_equal(set_field(&s, TN_FIELD_IPV4_SRC, 0x0a636363), TN_DROP_NONE);
		p.dport = 4242;
		p.src = 0x0a636363;
		packet_build(&p, &expected);
		assert_true(frame_equal(&expected, &s.f.view));
	}
}

static void test_udp_zero_checksum(void **state)
{
	static struct subject s;
	struct packet p;
	uint8_t *csum;

	(void)state;
	/* None given: none after, on both IP versions. */
	for (unsigned v6 = 0; v6 < 2; v6++) {
		packet_init(&p);
		p.l3 = v6 ? L3_IPV6 : L3_IPV4;
		p.no_csum = true;
		subject_build(&s, &p);
		assert_int_equal(set_field(&s, v6 ? TN_FIELD_IPV6_DST : TN_FIELD_IPV4_DST, 77),
			TN_DROP_NONE);
		assert_int_equal(set_field(&s, TN_FIELD_UDP_SRC, 77), TN_DROP_NONE);
		csum = s.f.view.data + s.f.l4_csum;
		assert_int_equal(csum[0] | csum[1], 0);
	}
	/* One that comes out as zero is sent as all ones. */
	packet_init(&p);
	for (unsigned port = 0; port < 65536; port++) {
		p.sport = (uint16_t)port;
		packet_build(&p, &s.f);
		csum = s.f.view.data + s.f.l4_csum;
		if (csum[0] == 0xff && csum[1] == 0xff)
			break;
	}
	p.sport ^= 0x5555;
	subject_build(&s, &p);
	csum = s.f.view.data + s.f.l4_csum;
	assert_true(csum[0] != 0xff || csum[1] != 0xff);
	assert_int_equal(set_field(&s, TN_FIELD_UDP_SRC, p.sport ^ 0x5555), TN_DROP_NONE);
	assert_int_equal(csum[0] & csum[1], 0xff);
}

static void test_wrong_checksum_stays_wrong(void **state)
{
	static struct subject s;
	static struct frame expected;
	struct packet p;

	(void)state;
	packet_init(&p);
	p.ip_err = 1;
	p.l4_err = 2;
	subject_build(&s, &p);
	assert_int_equal(set_field(&s, TN_FIELD_IPV4_DST, 0x0a090909), TN_DROP_NONE);
	assert_int_equal(tn_rewrite_dec_ttl(&s.f.view, &s.h), TN_DROP_NONE);
	assert_false(tn_csum_ipv4_ok(s.f.view.data + 14, 20));
	p.dst = 0x0a090909;
	p.ttl--;
	packet_build(&p, &expected);
	assert_true(frame_equal(&expected, &s.f.view));
}

static void test_routing_header(void **state)
{
	static struct subject s;
	static struct frame expected;
	struct packet p;

	(void)state;
	packet_init(&p);
	p.l3 = L3_IPV6;
	p.routing = true;
	p.segments_left = 1;
	p.final_dst = 99;
	subject_build(&s, &p);
	assert_int_equal(set_field(&s, TN_FIELD_IPV6_DST, 5), TN_DROP_NONE);
	assert_int_equal(set_field(&s, TN_FIELD_IPV6_SRC, 6), TN_DROP_NONE);
	p.dst = 5;
	p.src = 6;
	packet_build(&p, &expected);
	assert_true(frame_equal(&expected, &s.f.view));
}

/* The same number again is no change: nothing to sum up, so nothing can stand against it. */
static void test_no_change(void **state)
{
	static struct subject s;
	static struct frame expected;
	struct packet p;

	(void)state;
	packet_init(&p);
	p.proto = TN_IPPROTO_SCTP;
	p.payload = 200;
	p.fragment = p.more = true;
	p.frag_len = 96;
	subject_build(&s, &p);
	packet_build(&p, &expected);
	assert_int_equal(set_field(&s, TN_FIELD_SCTP_SRC, p.sport), TN_DROP_NONE);
	assert_int_equal(set_field(&s, TN_FIELD_SCTP_SRC, p.sport + 1), TN_DROP_SCTP_FRAGMENT);
	/* Addresses are not under SCTP's sum. */
	assert_int_equal(set_field(&s, TN_FIELD_IPV4_SRC, 1), TN_DROP_NONE);
	p.src = 1;
	packet_build(&p, &expected);
	assert_true(frame_equal(&expected, &s.f.view));
}

static void test_read_only_and_pipeline_fields(void **state)
{
	static struct subject s;
	static struct frame expected;
	struct packet p;

	(void)state;
	packet_init(&p);
	p.n_tags = 2;
	p.tpid[0] = p.tpid[1] = TN_ETH_TYPE_VLAN;
	subject_build(&s, &p);
	packet_build(&p, &expected);
	for (unsigned id = 0; id < TN_N_FIELDS; id++)
		if (!tn_fields[id].writable ||
			tn_fields[id].offset < offsetof(struct tn_key, eth_dst))
			assert_int_equal(
				set_field(&s, (enum tn_field_id)id, ~(tn_u128)0), TN_DROP_NONE);
	assert_int_equal(set_field(&s, TN_FIELD_REG3, 1), TN_DROP_NONE);
	assert_int_equal(set_field(&s, TN_FIELD_TUN_DST, 1), TN_DROP_NONE);
	assert_true(frame_equal(&expected, &s.f.view));
}

/* What an advertisement's option is depends on the type in front of it. */
static void test_icmpv6_type_changes_layout(void **state)
{
	static struct subject s;
	static struct frame expected;
	struct packet p;

	(void)state;
	packet_init(&p);
	p.l3 = L3_IPV6;
	p.proto = TN_IPPROTO_ICMPV6;
	p.icmp_type = TN_ICMPV6_NS;
	p.nd_option = TN_ND_TLL;
	subject_build(&s, &p);
	assert_int_equal(s.h.nd_tll, 0);
	assert_int_equal(set_field(&s, TN_FIELD_ICMPV6_TYPE, TN_ICMPV6_NA), TN_DROP_NONE);
	assert_in_step(&s);
	assert_int_not_equal(s.h.nd_tll, 0);
	assert_int_equal(set_field(&s, TN_FIELD_ND_TLL, 0x0a0b0c0d0e0f), TN_DROP_NONE);
	p.icmp_type = TN_ICMPV6_NA;
	p.nd_mac = 0x0a0b0c0d0e0f;
	packet_build(&p, &expected);
	assert_true(frame_equal(&expected, &s.f.view));
	assert_int_equal(set_field(&s, TN_FIELD_ICMPV6_TYPE, 128), TN_DROP_NONE);
	assert_in_step(&s);
	assert_int_equal(set_field(&s, TN_FIELD_ND_TARGET, 1), TN_DROP_NONE);
	assert_int_equal(set_field(&s, TN_FIELD_ICMPV6_TYPE, TN_ICMPV6_NA), TN_DROP_NONE);
	assert_true(frame_equal(&expected, &s.f.view));
}

static void test_dei_is_kept(void **state)
{
	static struct subject s;
	struct packet p;

	(void)state;
	packet_init(&p);
	p.n_tags = 1;
	p.tpid[0] = TN_ETH_TYPE_QINQ;
	p.tci[0] = 0x1000;
	subject_build(&s, &p);
	assert_int_equal(set_field(&s, TN_FIELD_VLAN_VID, 0x1000 | 5), TN_DROP_NONE);
	assert_int_equal(set_field(&s, TN_FIELD_VLAN_PCP, 7), TN_DROP_NONE);
	assert_int_equal(s.f.view.data[14] << 8 | s.f.view.data[15], 0xf005);
	p.tci[0] = 0;
	subject_build(&s, &p);
	assert_int_equal(set_field(&s, TN_FIELD_VLAN_VID, 0x1000 | 5), TN_DROP_NONE);
	assert_int_equal(s.f.view.data[14] << 8 | s.f.view.data[15], 0x0005);
}

/* Tags on and off, random packets: the frame is what a description with those tags gives. */
static void test_tags_against_model(void **state)
{
	static struct subject s;
	static struct frame expected;
	struct rng r = {12};

	(void)state;
	for (unsigned round = 0; round < 50000; round++) {
		struct packet p;
		bool cut;

		packet_random(&p, &r);
		cut = rng_below(&r, 3) == 0;
		if (cut)
			p.cut = 14 + rng_below(&r, 100);
		subject_build(&s, &p);
		for (unsigned n = 0; n < 8; n++) {
			bool push = p.n_tags < 3 && rng_below(&r, 2);
			uint16_t tci = (uint16_t)rng_next(&r);
			enum tn_drop got;

			if (push) {
				memmove(p.tpid + 1, p.tpid, 4);
				memmove(p.tci + 1, p.tci, 4);
				p.n_tags++;
				p.tpid[0] = TN_ETH_TYPE_VLAN;
				p.tci[0] = tci;
				p.cut += cut ? 4 : 0;
				got = tn_rewrite_push_vlan(&s.f.view, &s.h, TN_ETH_TYPE_VLAN, tci);
			} else {
				got = tn_rewrite_pop_vlan(&s.f.view, &s.h);
				if (p.n_tags && s.f.view.len < 18 && got) {
					assert_int_equal(got, TN_DROP_TRUNCATED_HEADER);
					break;
				}
				if (p.n_tags) {
					memmove(p.tpid, p.tpid + 1, 4);
					memmove(p.tci, p.tci + 1, 4);
					p.n_tags--;
					p.cut -= cut ? 4 : 0;
				}
			}
			assert_int_equal(got, TN_DROP_NONE);
			packet_build(&p, &expected);
			assert_true(frame_equal(&expected, &s.f.view));
			assert_in_step(&s);
			assert_ptr_equal(s.f.view.data - s.f.view.headroom, s.f.buf);
		}
	}
}

static void test_push_needs_headroom(void **state)
{
	static struct subject s;
	static struct frame expected;
	struct packet p;

	(void)state;
	packet_init(&p);
	packet_build(&p, &expected);
	subject_build(&s, &p);
	s.f.view.headroom = 3;
	assert_int_equal(tn_rewrite_push_vlan(&s.f.view, &s.h, 0x8100, 1), TN_DROP_NO_HEADROOM);
	assert_true(frame_equal(&expected, &s.f.view));
	s.f.view.headroom = 4;
	assert_int_equal(tn_rewrite_push_vlan(&s.f.view, &s.h, 0x8100, 1), TN_DROP_NONE);
	assert_int_equal(s.f.view.headroom, 0);
	s.f.view.len = 13;
	s.f.view.headroom = 4;
	assert_int_equal(tn_rewrite_push_vlan(&s.f.view, &s.h, 0x8100, 1), TN_DROP_RUNT);
}

static void test_dec_ttl(void **state)
{
	static struct subject s;
	static struct frame expected;
	struct packet p;

	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		packet_init(&p);
		p.l3 = v6 ? L3_IPV6 : L3_IPV4;
		for (unsigned ttl = 0; ttl < 256; ttl++) {
			p.ttl = (uint8_t)ttl;
			subject_build(&s, &p);
			assert_int_equal(tn_rewrite_dec_ttl(&s.f.view, &s.h),
				ttl <= 1 ? TN_DROP_TTL_EXPIRED : TN_DROP_NONE);
			p.ttl -= ttl > 1;
			packet_build(&p, &expected);
			assert_true(frame_equal(&expected, &s.f.view));
		}
	}
	p.l3 = L3_ARP;
	subject_build(&s, &p);
	assert_int_equal(tn_rewrite_dec_ttl(&s.f.view, &s.h), TN_DROP_NONE);
	p.l3 = L3_IPV4;
	p.cut = 33;
	subject_build(&s, &p);
	assert_int_equal(tn_rewrite_dec_ttl(&s.f.view, &s.h), TN_DROP_TRUNCATED_HEADER);
}

/* An IP packet as payload: the inner description's bytes from its IP header on. */
static void nest(struct subject *s, const struct packet *outer, const struct packet *inner)
{
	static struct frame in;
	struct packet p = *outer;

	packet_build(inner, &in);
	p.proto = inner->l3 == L3_IPV6 ? TN_IPPROTO_IPV6 : TN_IPPROTO_IPIP;
	p.payload = in.view.wire_len - in.l3 - 8; /* the builder puts 8 bytes before it */
	packet_build(&p, &s->f);
	memcpy(s->f.view.data + s->f.l3_end, in.view.data + in.l3, in.view.wire_len - in.l3);
	assert_int_equal(tn_parse(&s->f.view, &s->h), TN_DROP_NONE);
}

static void test_copy_ttl(void **state)
{
	static struct subject s, expected;
	struct packet outer, inner;

	(void)state;
	for (unsigned kinds = 0; kinds < 4; kinds++) {
		for (unsigned in = 0; in < 2; in++) {
			packet_init(&outer);
			packet_init(&inner);
			outer.l3 = kinds & 1 ? L3_IPV6 : L3_IPV4;
			inner.l3 = kinds & 2 ? L3_IPV6 : L3_IPV4;
			outer.ip_options = 8;
			outer.ttl = 10;
			inner.ttl = 20;
			nest(&s, &outer, &inner);
			assert_int_equal(in ? tn_rewrite_copy_ttl_in(&s.f.view, &s.h)
					    : tn_rewrite_copy_ttl_out(&s.f.view, &s.h),
				TN_DROP_NONE);
			outer.ttl = inner.ttl = in ? 10 : 20;
			nest(&expected, &outer, &inner);
			assert_true(frame_equal(&expected.f, &s.f.view));
		}
	}
}

static void test_copy_ttl_nothing_to_do(void **state)
{
	static struct subject s;
	static struct frame before;
	struct packet outer, inner;

	(void)state;
	packet_init(&outer);
	packet_init(&inner);
	outer.ttl = 9;
	/* UDP inside. */
	subject_build(&s, &outer);
	before = s.f;
	assert_int_equal(tn_rewrite_copy_ttl_in(&s.f.view, &s.h), TN_DROP_NONE);
	assert_memory_equal(before.buf, s.f.buf, sizeof(before.buf));
	/* Version that is not what the protocol says, header length below 20, header not whole. */
	for (unsigned i = 0; i < 3; i++) {
		nest(&s, &outer, &inner);
		if (i < 2)
			s.f.view.data[s.f.l3_end] = i ? 0x44 : 0x65;
		else
			s.h.l3_len = 20 + 19;
		before = s.f;
		assert_int_equal(tn_rewrite_copy_ttl_out(&s.f.view, &s.h), TN_DROP_NONE);
		assert_memory_equal(before.buf, s.f.buf, sizeof(before.buf));
	}
	/* Cut off. */
	outer.cut = 14 + 20 + 19;
	nest(&s, &outer, &inner);
	assert_int_equal(tn_rewrite_copy_ttl_in(&s.f.view, &s.h), TN_DROP_TRUNCATED_HEADER);
	outer.cut = 14 + 19;
	nest(&s, &outer, &inner);
	assert_int_equal(tn_rewrite_copy_ttl_out(&s.f.view, &s.h), TN_DROP_TRUNCATED_HEADER);
	/* No IP at all. */
	outer.cut = 0;
	outer.l3 = L3_ARP;
	subject_build(&s, &outer);
	assert_int_equal(tn_rewrite_copy_ttl_in(&s.f.view, &s.h), TN_DROP_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_against_model),
		cmocka_unit_test(test_cut_payload),
		cmocka_unit_test(test_udp_zero_checksum),
		cmocka_unit_test(test_wrong_checksum_stays_wrong),
		cmocka_unit_test(test_routing_header),
		cmocka_unit_test(test_no_change),
		cmocka_unit_test(test_read_only_and_pipeline_fields),
		cmocka_unit_test(test_icmpv6_type_changes_layout),
		cmocka_unit_test(test_dei_is_kept),
		cmocka_unit_test(test_tags_against_model),
		cmocka_unit_test(test_push_needs_headroom),
		cmocka_unit_test(test_dec_ttl),
		cmocka_unit_test(test_copy_ttl),
		cmocka_unit_test(test_copy_ttl_nothing_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
