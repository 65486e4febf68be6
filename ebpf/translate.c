/* SPDX-License-Identifier: BSD-3-Clause */
#include "ebpf/translate.h"

#include <string.h>

#include "dataplane/core/wire.h"

/* --- keys ------------------------------------------------------------------------------------- */

static bool is_tunnel6(const struct tn_key *key)
{
	tn_u128 src = tn_u128_from_ip6(&key->tun_src);

	return src && src >> 32 != 0xffff;
}

static uint32_t low32(const struct tn_ip6 *address)
{
	uint32_t v;

	memcpy(&v, address->b + 12, sizeof(v));
	return v;
}

static bool is_understood(const struct tn_key *key, uint16_t eth_type)
{
	bool is_ip = eth_type == TN_ETH_TYPE_IPV4 || eth_type == TN_ETH_TYPE_IPV6;

	if (key->eth_dst.b[0] & 1 || key->inner_vlan_tci.raw || eth_type < 0x600 ||
		eth_type == TN_ETH_TYPE_ARP || eth_type == TN_ETH_TYPE_RARP ||
		tn_be64toh(key->tunnel_id) >> 32)
		return false;
	if (!is_ip)
		return true;
	if (key->ip_frag || key->ipv6_exthdr.raw)
		return false;
	switch (key->ip_proto) {
	case TN_IPPROTO_TCP:
	case TN_IPPROTO_UDP:
		return true;
	case TN_IPPROTO_ICMP:
		return eth_type == TN_ETH_TYPE_IPV4;
	case TN_IPPROTO_ICMPV6: /* neighbour discovery has more to read */
		return eth_type == TN_ETH_TYPE_IPV6 && tn_be16toh(key->tp_src) < 133;
	default:
		return false;
	}
}

static void head_from(const struct tn_key *key, struct tn_ebpf_key_head *h)
{
	memcpy(h->eth_dst, &key->eth_dst, sizeof(h->eth_dst));
	memcpy(h->eth_src, &key->eth_src, sizeof(h->eth_src));
	h->eth_type = key->eth_type.raw;
	h->vlan_tci = key->vlan_tci.raw;
	h->in_port = tn_be32toh(key->in_port);
	h->tunnel_id = (uint32_t)tn_be64toh(key->tunnel_id);
	h->tp_src = key->tp_src.raw;
	h->tp_dst = key->tp_dst.raw;
	h->ip_tos = key->ip_tos;
	h->ip_ttl = key->ip_ttl;
	h->ip_proto = key->ip_proto;
}

static void map4(uint8_t to[16], uint32_t address)
{
	memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	memcpy(to + 12, &address, sizeof(address));
}

static void key6_from(const struct tn_key *key, uint16_t eth_type, struct tn_ebpf_key6 *k)
{
	head_from(key, &k->h);
	memcpy(k->tun_src, &key->tun_src, sizeof(k->tun_src));
	k->tcp_flags = key->tcp_flags.raw;
	if (eth_type == TN_ETH_TYPE_IPV6) {
		memcpy(k->ip_src, &key->ipv6_src, sizeof(k->ip_src));
		memcpy(k->ip_dst, &key->ipv6_dst, sizeof(k->ip_dst));
	} else if (eth_type == TN_ETH_TYPE_IPV4) {
		map4(k->ip_src, key->ipv4_src.raw);
		map4(k->ip_dst, key->ipv4_dst.raw);
	}
}

bool tn_ebpf_key_from(const struct tn_key *key, struct tn_ebpf_key *to)
{
	uint16_t eth_type = tn_be16toh(key->eth_type);

	TN_KEY_SEQ_ASSERT(1);
	memset(to, 0, sizeof(*to));
	if (!is_understood(key, eth_type))
		return false;
	to->is6 = eth_type == TN_ETH_TYPE_IPV6 || is_tunnel6(key);
	if (to->is6) {
		key6_from(key, eth_type, &to->k6);
		return true;
	}
	head_from(key, &to->k4.h);
	to->k4.tun_src = low32(&key->tun_src);
	to->k4.tcp_flags = key->tcp_flags.raw;
	if (eth_type == TN_ETH_TYPE_IPV4) {
		to->k4.ip_src = key->ipv4_src.raw;
		to->k4.ip_dst = key->ipv4_dst.raw;
	}
	return true;
}

static bool reads(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n > 0 && !*p) {
		p++;
		n--;
	}
	return n > 0;
}

#define READS(mask, member) reads(&(mask)->member, sizeof((mask)->member))

bool tn_ebpf_keys_of(const struct tn_key *key, const struct tn_read_set *read, uint32_t *keys)
{
	const struct tn_key *m = &read->mask;

	TN_KEY_SEQ_ASSERT(1);
	*keys = 0;
	/*
	 * Of the others: what came with no packet is zero in all; fragments, extension headers and
	 * second tags have no session, nor ARP and neighbour discovery; in_phy_port follows from
	 * in_port here.
	 */
	if (READS(m, ipv6_flabel) && tn_be16toh(key->eth_type) == TN_ETH_TYPE_IPV6)
		return false;
	if (READS(m, tun_dst) && READS(key, tun_dst))
		return false;
	if (READS(m, ip_ttl))
		*keys |= TN_EBPF_KEY_TTL;
	if (READS(m, ip_tos))
		*keys |= TN_EBPF_KEY_TOS;
	if (READS(m, tcp_flags))
		*keys |= TN_EBPF_KEY_TCP_FLAGS;
	if (READS(m, tp_src) || READS(m, tp_dst))
		*keys |= TN_EBPF_KEY_L4;
	if (READS(m, ipv4_src) || READS(m, ipv4_dst) || READS(m, ipv6_src) || READS(m, ipv6_dst) ||
		READS(m, ip_proto))
		*keys |= TN_EBPF_KEY_IP;
	return true;
}

void tn_ebpf_key_mask(struct tn_ebpf_key *key, uint32_t keys)
{
	struct tn_ebpf_key_head *h = &key->k4.h; /* first in both */

	if (!(keys & TN_EBPF_KEY_TTL))
		h->ip_ttl = 0;
	if (!(keys & TN_EBPF_KEY_TOS))
		h->ip_tos = 0;
	if (!(keys & TN_EBPF_KEY_L4))
		h->tp_src = h->tp_dst = 0;
	if (!(keys & TN_EBPF_KEY_TCP_FLAGS)) {
		if (key->is6)
			key->k6.tcp_flags = 0;
		else
			key->k4.tcp_flags = 0;
	}
	if (keys & TN_EBPF_KEY_IP)
		return;
	h->ip_proto = 0;
	if (key->is6) {
		memset(key->k6.ip_src, 0, sizeof(key->k6.ip_src));
		memset(key->k6.ip_dst, 0, sizeof(key->k6.ip_dst));
	} else {
		key->k4.ip_src = key->k4.ip_dst = 0;
	}
}

/* --- programs --------------------------------------------------------------------------------- */

static void to_mac(tn_u128 value, uint8_t mac[6])
{
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)(value >> (40 - 8 * i));
}

static bool set(const struct tn_op *op, struct tn_ebpf_session *s)
{
	const tn_u128 whole = ((tn_u128)1 << 48) - 1;
	uint8_t value, mask;

	switch (op->set.field) {
	case TN_FIELD_ETH_DST:
		if ((op->set.mask & whole) != whole)
			return false;
		to_mac(op->set.value, s->eth_dst);
		s->flags |= TN_EBPF_SET_DST;
		return true;
	case TN_FIELD_ETH_SRC:
		if ((op->set.mask & whole) != whole)
			return false;
		to_mac(op->set.value, s->eth_src);
		s->flags |= TN_EBPF_SET_SRC;
		return true;
	case TN_FIELD_IP_DSCP:
	case TN_FIELD_IP_ECN:
		value = (uint8_t)op->set.value;
		mask = (uint8_t)op->set.mask & (op->set.field == TN_FIELD_IP_DSCP ? 0x3f : 0x03);
		if (op->set.field == TN_FIELD_IP_DSCP) {
			value = (uint8_t)(value << 2);
			mask = (uint8_t)(mask << 2);
		}
		s->tos = (uint8_t)((s->tos & ~mask) | (value & mask));
		s->tos_mask |= mask;
		s->flags |= TN_EBPF_SET_TOS;
		return true;
	default:
		return false;
	}
}

static bool push(const struct tn_op *op, struct tn_ebpf_session *s)
{
	if (s->flags & TN_EBPF_PUSH_VLAN)
		return false;
	s->flags |= TN_EBPF_PUSH_VLAN;
	s->vlan_proto = tn_htobe16(op->push_vlan.ethertype).raw;
	s->vlan_tci = op->push_vlan.tci;
	return true;
}

static bool pop(struct tn_ebpf_session *s)
{
	if (s->flags & (TN_EBPF_POP_VLAN | TN_EBPF_PUSH_VLAN))
		return false;
	s->flags |= TN_EBPF_POP_VLAN;
	return true;
}

static bool is_ip4(tn_u128 address)
{
	return address >> 32 == 0xffff;
}

static void put_address(tn_u128 address, uint8_t to[16])
{
	struct tn_ip6 a = tn_u128_to_ip6(address);

	memset(to, 0, 16);
	if (is_ip4(address))
		memcpy(to, a.b + 12, 4);
	else
		memcpy(to, a.b, 16);
}

static void into_tunnel(const struct tn_vxlan_encap *e, struct tn_ebpf_session *s)
{
	s->flags |= TN_EBPF_TUNNEL | (is_ip4(e->dst) ? 0 : TN_EBPF_TUNNEL6);
	s->vni = e->vni;
	put_address(e->dst, s->remote);
	put_address(e->src, s->local);
	s->tun_ttl = e->ttl;
	s->tun_flags = (uint8_t)((e->dont_fragment ? TN_EBPF_TUN_DF : 0) |
		(e->udp_checksum ? TN_EBPF_TUN_CSUM : 0));
	/* RFC 6040: the congestion mark always goes along; the rest is the inner one or a fixed one
	 */
	s->tun_tos_mask = e->inherit_dscp ? 0xff : 0x03;
	s->tun_tos = e->inherit_dscp ? 0 : e->tos & 0xfc;
}

static void limit(struct tn_ebpf_session *s, uint32_t max_len)
{
	if (!s->max_len || max_len < s->max_len)
		s->max_len = max_len;
}

static bool output(
	const struct tn_op *op, const struct tn_ebpf_ways *ways, struct tn_ebpf_session *s)
{
	struct tn_ebpf_way way = {0};

	if (!op->last || op->output.max_len || op->output.has_queue ||
		!ways->output(ways->ctx, op, &way))
		return false;
	s->out = way.ifindex;
	if (way.max_frame > TN_ETH_LEN)
		limit(s, way.max_frame - TN_ETH_LEN);
	if (way.tunnel)
		into_tunnel(&way.encap, s);
	return true;
}

/* false: it cannot be done there. */
static bool step(const struct tn_op *op, const struct tn_ebpf_ways *ways, struct tn_ebpf_session *s)
{
	switch (op->type) {
	case TN_OP_COUNT:
	case TN_OP_LEARN: /* as long as packets are counted, their source is there */
		return true;
	case TN_OP_IF_LONGER: /* nothing that is done in the kernel changes how long it is */
		limit(s, op->max_len);
		return true;
	case TN_OP_METER:
		if (s->flags & TN_EBPF_METER || !ways->meter(ways->ctx, op->meter, &s->meter))
			return false;
		s->flags |= TN_EBPF_METER;
		return true;
	case TN_OP_SET:
		return set(op, s);
	case TN_OP_PUSH_VLAN:
		return push(op, s);
	case TN_OP_POP_VLAN:
		return pop(s);
	case TN_OP_DEC_TTL:
		if (s->flags & TN_EBPF_DEC_TTL)
			return false;
		s->flags |= TN_EBPF_DEC_TTL;
		return true;
	case TN_OP_OUTPUT:
		return output(op, ways, s);
	case TN_OP_DROP:
		s->flags |= TN_EBPF_DROP;
		s->drop = op->drop.reason;
		return true;
	default:
		return false;
	}
}

bool tn_ebpf_session_from(const struct tn_program *program, const struct tn_ebpf_ways *ways,
	struct tn_ebpf_session *session)
{
	memset(session, 0, sizeof(*session));
	for (uint32_t i = 0; i < program->n_ops; i++) {
		const struct tn_op *op = &program->ops[i];

		if (!step(op, ways, session))
			return false;
		if (op->type == TN_OP_DROP || op->type == TN_OP_OUTPUT)
			return op->last && i + 1 == program->n_ops;
	}
	return false;
}
