/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/core/packets.h"

#include <assert.h>
#include <string.h>

uint64_t rng_next(struct rng *r)
{
	r->state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t v = r->state;

	v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
	return v ^ (v >> 31);
}

unsigned rng_below(struct rng *r, unsigned n)
{
	return (unsigned)(rng_next(r) % n);
}

static bool one_in(struct rng *r, unsigned n)
{
	return rng_below(r, n) == 0;
}

uint16_t slow_csum(const uint8_t *data, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++) {
		sum += i & 1 ? data[i] : (uint32_t)data[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

uint32_t slow_crc32c(const uint8_t *data, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* Writes big-endian numbers one after the other. */
struct writer {
	uint8_t *data;
	unsigned len;
};

static void put(struct writer *w, unsigned bytes, tn_u128 v)
{
	for (unsigned i = 0; i < bytes; i++)
		w->data[w->len++] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}

static void put_zeros(struct writer *w, unsigned n)
{
	memset(w->data + w->len, 0, n);
	w->len += n;
}

static void put16_at(struct writer *w, unsigned ofs, uint16_t v)
{
	w->data[ofs] = (uint8_t)(v >> 8);
	w->data[ofs + 1] = (uint8_t)v;
}

static uint16_t add_err(uint16_t csum, uint16_t err)
{
	uint32_t sum = (uint32_t)csum + err;

	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

void packet_init(struct packet *p)
{
	memset(p, 0, sizeof(*p));
	p->eth_dst = 0x020000000002;
	p->eth_src = 0x020000000001;
	p->l3 = L3_IPV4;
	p->ttl = 64;
	p->proto = TN_IPPROTO_UDP;
	p->src = 0x0a000001;
	p->dst = 0x0a000002;
	p->sport = 1000;
	p->dport = 2000;
	p->payload = 18;
	p->seed = 1;
}

static void random_ipv6(struct packet *p, struct rng *r)
{
	p->src = (tn_u128)0x20010db8 << 96 | rng_next(r);
	p->dst = (tn_u128)0x20010db8 << 96 | rng_next(r);
	p->final_dst = (tn_u128)0x20010db8 << 96 | rng_next(r);
	p->flabel = (uint32_t)rng_below(r, 1 << 20);
	p->hop = one_in(r, 4);
	p->dest = one_in(r, 4);
	p->routing = one_in(r, 4);
	p->segments_left = p->routing ? (uint8_t)rng_below(r, 2) : 0;
	p->frag_hdr = one_in(r, 8);
}

static void random_l4(struct packet *p, struct rng *r)
{
	static const uint8_t protos[] = {TN_IPPROTO_TCP, TN_IPPROTO_UDP, TN_IPPROTO_SCTP,
		TN_IPPROTO_ICMP, TN_IPPROTO_ICMPV6, 47};

	p->proto = protos[rng_below(r, sizeof(protos))];
	p->sport = (uint16_t)rng_next(r);
	p->dport = (uint16_t)rng_next(r);
	p->tcp_flags = rng_next(r) & 0xfff;
	p->tcp_options = (uint8_t)(4 * rng_below(r, 11));
	p->icmp_type = (uint8_t)rng_next(r);
	p->icmp_code = (uint8_t)rng_next(r);
	if (p->l3 == L3_IPV6 && one_in(r, 2))
		p->icmp_type = (uint8_t)(TN_ICMPV6_NS + rng_below(r, 2));
	p->nd_target = (tn_u128)rng_next(r) << 64 | rng_next(r);
	p->nd_mac = rng_next(r) >> 16;
	p->nd_option = (uint8_t)rng_below(r, 3);
	p->no_csum = one_in(r, 4);
	p->payload = one_in(r, 4) ? 0 : rng_below(r, 1200);
	p->seed = (uint32_t)rng_next(r);
}

uint8_t packet_l4(const struct packet *p)
{
	if (p->l3 != L3_IPV4 && p->l3 != L3_IPV6)
		return 0;
	switch (p->proto) {
	case TN_IPPROTO_TCP:
	case TN_IPPROTO_UDP:
	case TN_IPPROTO_SCTP:
		return p->proto;
	case TN_IPPROTO_ICMP:
		return p->l3 == L3_IPV4 ? p->proto : 0;
	case TN_IPPROTO_ICMPV6:
		return p->l3 == L3_IPV6 ? p->proto : 0;
	default:
		return 0;
	}
}

bool packet_is_nd(const struct packet *p)
{
	return packet_l4(p) == TN_IPPROTO_ICMPV6 &&
		(p->icmp_type == TN_ICMPV6_NS || p->icmp_type == TN_ICMPV6_NA);
}

void packet_random(struct packet *p, struct rng *r)
{
	packet_init(p);
	p->eth_dst = rng_next(r) >> 16;
	p->eth_src = rng_next(r) >> 16;
	p->n_tags = one_in(r, 2) ? 0 : rng_below(r, 4);
	for (unsigned i = 0; i < p->n_tags; i++) {
		p->tpid[i] = one_in(r, 2) ? TN_ETH_TYPE_VLAN : TN_ETH_TYPE_QINQ;
		p->tci[i] = (uint16_t)rng_next(r);
	}
	p->snap = one_in(r, 8);
	p->l3 = (enum packet_l3)(one_in(r, 8) ? rng_below(r, 2) : 2 + rng_below(r, 2));
	p->eth_type = 0x88cc;
	p->arp_op = (uint16_t)rng_next(r);
	p->arp_sha = rng_next(r) >> 16;
	p->arp_tha = rng_next(r) >> 16;
	p->arp_spa = (uint32_t)rng_next(r);
	p->arp_tpa = (uint32_t)rng_next(r);
	p->tos = (uint8_t)rng_next(r);
	p->ttl = (uint8_t)rng_next(r);
	p->src = (uint32_t)rng_next(r);
	p->dst = (uint32_t)rng_next(r);
	p->ip_options = 4 * (one_in(r, 2) ? 0 : rng_below(r, 11));
	if (p->l3 == L3_IPV6)
		random_ipv6(p, r);
	random_l4(p, r);
	p->pad = one_in(r, 2) ? 0 : rng_below(r, 40);
	if (one_in(r, 5)) {
		p->fragment = true;
		if (packet_is_nd(p))
			p->proto = TN_IPPROTO_UDP;
		p->frag_hdr = true;
		p->payload += 200;
		p->frag_ofs = one_in(r, 2) ? 0 : 8 * (3 + rng_below(r, 10)); /* behind checksums */
		p->more = p->frag_ofs == 0 || one_in(r, 2);
		p->frag_len = 8 * (9 + rng_below(r, 4)); /* any L4 header fits in 72 */
	}
	if (one_in(r, 6))
		p->ip_err = (uint16_t)rng_next(r);
	if (one_in(r, 6))
		p->l4_err = (uint16_t)rng_next(r);
}

static void put_payload(struct writer *w, const struct packet *p)
{
	struct rng r = {p->seed};

	for (unsigned i = 0; i < p->payload; i++)
		put(w, 1, rng_next(&r) & 0xff);
}

/* Returns the bytes that the parser must see for the header to count. */
static unsigned put_nd(struct writer *w, const struct packet *p)
{
	put(w, 1, p->icmp_type);
	put(w, 1, p->icmp_code);
	put(w, 2, 0);
	put(w, 4, 0);
	put(w, 16, p->nd_target);
	if (p->nd_option) {
		put(w, 1, p->nd_option);
		put(w, 1, 1);
		put(w, 6, p->nd_mac);
	}
	put(w, 2, 14 << 8 | 1); /* a nonce */
	put(w, 6, p->seed);
	return w->len;
}

/* The whole segment, checksum zero. *csum: its offset, 0 for none. Returns as put_nd(). */
static unsigned put_l4(struct writer *w, const struct packet *p, unsigned *csum)
{
	unsigned header;

	*csum = 0;
	switch (p->proto) {
	case TN_IPPROTO_TCP:
		put(w, 4, (uint32_t)p->sport << 16 | p->dport);
		put(w, 8, p->seed);
		put(w, 2, (uint32_t)(5 + p->tcp_options / 4) << 12 | p->tcp_flags);
		put(w, 6, (tn_u128)0xffff << 32);
		*csum = 16;
		header = w->len;
		put_zeros(w, p->tcp_options);
		break;
	case TN_IPPROTO_UDP:
		put(w, 4, (uint32_t)p->sport << 16 | p->dport);
		put(w, 4, (8 + p->payload) << 16);
		*csum = 6;
		header = w->len;
		break;
	case TN_IPPROTO_SCTP:
		put(w, 4, (uint32_t)p->sport << 16 | p->dport);
		put(w, 8, (tn_u128)p->seed << 32);
		*csum = 8;
		header = w->len;
		break;
	case TN_IPPROTO_ICMP:
	case TN_IPPROTO_ICMPV6:
		*csum = packet_l4(p) ? 2 : 0;
		if (packet_is_nd(p))
			return put_nd(w, p);
		put(w, 4, (uint32_t)p->icmp_type << 24 | (uint32_t)p->icmp_code << 16);
		header = w->len;
		break;
	default:
		put(w, 8, p->seed);
		header = 0;
		break;
	}
	put_payload(w, p);
	return header;
}

static uint32_t pseudo_sum(const struct packet *p, unsigned len)
{
	uint8_t buf[40];
	struct writer w = {buf, 0};
	tn_u128 dst = p->segments_left ? p->final_dst : p->dst;

	put(&w, p->l3 == L3_IPV6 ? 16 : 4, p->src);
	put(&w, p->l3 == L3_IPV6 ? 16 : 4, dst);
	put(&w, 4, p->proto);
	put(&w, 4, len);
	return (uint16_t)~slow_csum(buf, w.len, 0);
}

static void sum_l4(struct writer *w, const struct packet *p, unsigned ofs)
{
	uint32_t pseudo = p->proto == TN_IPPROTO_ICMP ? 0 : pseudo_sum(p, w->len);
	uint16_t csum;

	if (!ofs || (p->proto == TN_IPPROTO_UDP && p->no_csum))
		return;
	if (p->proto == TN_IPPROTO_SCTP) {
		uint32_t crc = slow_crc32c(w->data, w->len) ^ p->l4_err;

		memcpy(w->data + ofs, &crc, sizeof(crc));
		return;
	}
	csum = add_err(slow_csum(w->data, w->len, pseudo), p->l4_err);
	if (csum == 0 && p->proto == TN_IPPROTO_UDP)
		csum = 0xffff;
	put16_at(w, ofs, csum);
}

static void put_ipv4(struct writer *w, const struct packet *p, unsigned payload, struct frame *f)
{
	unsigned start = w->len;
	uint32_t frag = p->fragment ? (p->more ? TN_IPV4_MF : 0) | p->frag_ofs / 8 : TN_IPV4_DF;

	put(w, 1, 0x40 | (5 + p->ip_options / 4));
	put(w, 1, p->tos);
	put(w, 2, 20 + p->ip_options + payload);
	put(w, 4, (p->seed & 0xffff) << 16 | frag);
	put(w, 4, (uint32_t)p->ttl << 24 | (uint32_t)p->proto << 16);
	put(w, 4, p->src);
	put(w, 4, p->dst);
	for (unsigned i = 0; i < p->ip_options; i++)
		put(w, 1, 1); /* no operation */
	f->ip_csum = start + 10;
	put16_at(w, f->ip_csum, add_err(slow_csum(w->data + start, w->len - start, 0), p->ip_err));
}

/* Each header names the next one. */
static void put_exthdrs(struct writer *w, const struct packet *p, unsigned next_at)
{
	const struct {
		bool there;
		uint8_t type;
	} chain[] = {{p->hop, 0}, {p->routing, 43}, {p->frag_hdr, 44}, {p->dest, 60}};

	for (unsigned i = 0; i < TN_ARRAY_SIZE(chain); i++) {
		if (!chain[i].there || (p->frag_ofs && chain[i].type == 60))
			continue;
		w->data[next_at] = chain[i].type;
		next_at = w->len;
		if (chain[i].type == 44) {
			put(w, 2, 0);
			put(w, 2, p->fragment ? p->frag_ofs | p->more : 0);
			put(w, 4, p->seed);
		} else if (chain[i].type == 43) {
			put(w, 4, 2 << 16 | 4 << 8 | p->segments_left);
			put(w, 4, 0);
			put(w, 16, p->final_dst);
		} else {
			put(w, 8, 0x0104); /* PadN */
		}
	}
	w->data[next_at] = p->proto;
}

static void put_ipv6(struct writer *w, const struct packet *p, unsigned payload)
{
	unsigned start = w->len;

	put(w, 4, 6u << 28 | (uint32_t)p->tos << 20 | p->flabel);
	put(w, 4, p->ttl);
	put(w, 16, p->src);
	put(w, 16, p->dst);
	put_exthdrs(w, p, start + 6);
	put16_at(w, start + 4, (uint16_t)(w->len - start - 40 + payload));
}

static void put_ip(struct writer *w, const struct packet *p, struct frame *f)
{
	uint8_t buf[PACKET_MAX];
	struct writer l4 = {buf, 0};
	unsigned csum, header = put_l4(&l4, p, &csum);
	unsigned from = p->fragment ? p->frag_ofs : 0;
	unsigned len = p->fragment ? p->frag_len : l4.len;

	sum_l4(&l4, p, csum);
	if (len > l4.len - from)
		len = l4.len - from;
	if (p->l3 == L3_IPV4)
		put_ipv4(w, p, len, f);
	else
		put_ipv6(w, p, len);
	f->l3_end = w->len;
	if (from == 0) {
		f->l4 = w->len;
		f->l4_end = w->len + header;
		f->l4_csum = csum ? w->len + csum : 0;
	}
	memcpy(w->data + w->len, buf + from, len);
	w->len += len;
}

static void put_arp(struct writer *w, const struct packet *p)
{
	put(w, 8, (tn_u128)0x000108000604 << 16 | p->arp_op);
	put(w, 6, p->arp_sha);
	put(w, 4, p->arp_spa);
	put(w, 6, p->arp_tha);
	put(w, 4, p->arp_tpa);
}

static uint16_t ether_type(const struct packet *p)
{
	switch (p->l3) {
	case L3_ARP:
		return TN_ETH_TYPE_ARP;
	case L3_IPV4:
		return TN_ETH_TYPE_IPV4;
	case L3_IPV6:
		return TN_ETH_TYPE_IPV6;
	case L3_OTHER:
		break;
	}
	return p->eth_type;
}

void packet_build(const struct packet *p, struct frame *f)
{
	struct writer w = {f->buf + PACKET_ROOM, 0};
	unsigned type_at;

	memset(f, 0, sizeof(*f));
	put(&w, 6, p->eth_dst);
	put(&w, 6, p->eth_src);
	for (unsigned i = 0; i < p->n_tags; i++)
		put(&w, 4, (uint32_t)p->tpid[i] << 16 | p->tci[i]);
	type_at = w.len;
	put(&w, 2, ether_type(p));
	if (p->snap) {
		put(&w, 6, 0xaaaa03000000);
		put(&w, 2, ether_type(p));
	}
	f->l3 = w.len;
	if (p->l3 == L3_ARP)
		put_arp(&w, p);
	else if (p->l3 == L3_OTHER)
		put_payload(&w, p);
	else
		put_ip(&w, p, f);
	f->end = w.len;
	f->udp = p->proto == TN_IPPROTO_UDP;
	if (p->snap)
		put16_at(&w, type_at, (uint16_t)(w.len - type_at - 2));
	put_zeros(&w, p->pad);
	assert(w.len <= PACKET_MAX);
	f->view.data = w.data;
	f->view.len = p->cut && p->cut < w.len ? p->cut : w.len;
	f->view.wire_len = w.len;
	f->view.headroom = PACKET_ROOM;
	f->view.tailroom = PACKET_MAX - f->view.len;
}

static bool is_zero_sum(const uint8_t *p)
{
	return (p[0] == 0 && p[1] == 0) || (p[0] == 0xff && p[1] == 0xff);
}

bool frame_equal(const struct frame *a, const struct tn_view *b)
{
	if (a->view.len != b->len || a->view.wire_len != b->wire_len)
		return false;
	for (unsigned i = 0; i < b->len; i++) {
		const uint8_t *x = a->view.data + i, *y = b->data + i;

		if (*x == *y)
			continue;
		if (i == 0 || (i != a->ip_csum && (i != a->l4_csum || a->udp)) || i + 1 >= b->len)
			return false;
		if (!is_zero_sum(x) || !is_zero_sum(y))
			return false;
		i++;
	}
	return true;
}
