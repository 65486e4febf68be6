/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/tenonctl/probe.h"

#include <string.h>

#include "dataplane/core/checksum.h"
#include "dataplane/core/wire.h"

#define ECHO_BYTES 64u /* header and data */
#define TTL	   64u

#define ICMP4_ECHO_REPLY 0u
#define ICMP4_ECHO	 8u
#define ICMP6_ECHO	 128u
#define ICMP6_ECHO_REPLY 129u

/* --- writing ---------------------------------------------------------------------------------- */

static void put(struct tn_ctl_packet *k, const void *bytes, size_t n)
{
	memcpy(k->bytes + k->len, bytes, n);
	k->len += (uint32_t)n;
}

/* The low n bytes of a number, the highest first. */
static void put_number(struct tn_ctl_packet *k, tn_u128 number, unsigned n)
{
	while (n--)
		k->bytes[k->len++] = (uint8_t)(number >> (8 * n));
}

static void put_csum(struct tn_ctl_packet *k, uint32_t at, uint64_t sum)
{
	const struct tn_be16 csum = tn_csum_fold(sum);

	memcpy(k->bytes + at, &csum, sizeof(csum));
}

bool tn_ctl_probe_is_ip4(const struct tn_ctl_probe *p)
{
	return p->destination >> 32 == 0xffff;
}

static void put_ethernet(
	const struct tn_ctl_probe *p, struct tn_ctl_packet *k, const uint8_t *to, unsigned type)
{
	k->len = 0;
	put(k, to, 6);
	put(k, p->mac, 6);
	if (p->vlan >= 0) {
		put_number(k, TN_ETH_TYPE_VLAN, 2);
		put_number(k, (tn_u128)p->vlan, 2);
	}
	put_number(k, type, 2);
}

static void put_arp(const struct tn_ctl_probe *p, struct tn_ctl_packet *k)
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	put_ethernet(p, k, everybody, TN_ETH_TYPE_ARP);
	put_number(k, 1, 2); /* Ethernet */
	put_number(k, TN_ETH_TYPE_IPV4, 2);
	put_number(k, 6 << 8 | 4, 2);
	put_number(k, 1, 2); /* a request */
	put(k, p->mac, 6);
	put_number(k, p->source, 4);
	put_number(k, 0, 6);
	put_number(k, p->next_hop, 4);
}

static uint32_t put_ip6(const struct tn_ctl_probe *p, struct tn_ctl_packet *k, tn_u128 to,
	unsigned hops, unsigned payload)
{
	uint32_t at = k->len;

	put_number(k, 6u << 28, 4);
	put_number(k, payload, 2);
	put_number(k, TN_IPPROTO_ICMPV6, 1);
	put_number(k, hops, 1);
	put_number(k, p->source, 16);
	put_number(k, to, 16);
	return at;
}

static void finish_icmp6(struct tn_ctl_packet *k, uint32_t ip)
{
	uint32_t icmp = ip + 40, len = k->len - icmp;

	put_csum(k, icmp + 2,
		tn_csum_add(tn_csum_pseudo_ipv6(
				    k->bytes + ip + 8, k->bytes + ip + 24, TN_IPPROTO_ICMPV6, len),
			k->bytes + icmp, len));
}

static void put_solicitation(const struct tn_ctl_probe *p, struct tn_ctl_packet *k)
{
	const tn_u128 group = (tn_u128)0xff02 << 112 | (tn_u128)0x1ff << 24 |
		(p->next_hop & 0xffffff); /* solicited-node (RFC 4291, 2.7.1) */
	uint8_t mac[6] = {0x33, 0x33};
	uint32_t ip;

	for (unsigned i = 0; i < 4; i++)
		mac[2 + i] = (uint8_t)(group >> (24 - 8 * i));
	put_ethernet(p, k, mac, TN_ETH_TYPE_IPV6);
	ip = put_ip6(p, k, group, 255, 32);
	put_number(k, TN_ICMPV6_NS << 8, 2);
	put_number(k, 0, 6);
	put_number(k, p->next_hop, 16);
	put_number(k, TN_ND_SLL << 8 | 1, 2);
	put(k, p->mac, 6);
	finish_icmp6(k, ip);
}

void tn_ctl_probe_solicit(const struct tn_ctl_probe *p, struct tn_ctl_packet *packet)
{
	if (tn_ctl_probe_is_ip4(p))
		put_arp(p, packet);
	else
		put_solicitation(p, packet);
}

/* Header and data of an echo request; returns where it begins. */
static uint32_t put_echo(
	const struct tn_ctl_probe *p, struct tn_ctl_packet *k, unsigned type, uint16_t sequence)
{
	uint32_t at = k->len;

	put_number(k, type << 8, 2);
	put_number(k, 0, 2);
	put_number(k, p->id, 2);
	put_number(k, sequence, 2);
	for (unsigned i = 8; i < ECHO_BYTES; i++)
		put_number(k, i, 1);
	return at;
}

void tn_ctl_probe_echo(
	const struct tn_ctl_probe *p, uint16_t sequence, struct tn_ctl_packet *packet)
{
	struct tn_ctl_packet *k = packet;
	uint32_t ip, icmp;

	if (!tn_ctl_probe_is_ip4(p)) {
		put_ethernet(p, k, p->hop_mac, TN_ETH_TYPE_IPV6);
		ip = put_ip6(p, k, p->destination, TTL, ECHO_BYTES);
		(void)put_echo(p, k, ICMP6_ECHO, sequence);
		finish_icmp6(k, ip);
		return;
	}
	put_ethernet(p, k, p->hop_mac, TN_ETH_TYPE_IPV4);
	ip = k->len;
	put_number(k, 0x4500, 2);
	put_number(k, 20 + ECHO_BYTES, 2);
	put_number(k, 0, 2);
	put_number(k, TN_IPV4_DF, 2);
	put_number(k, TTL, 1);
	put_number(k, TN_IPPROTO_ICMP, 1);
	put_number(k, 0, 2);
	put_number(k, p->source, 4);
	put_number(k, p->destination, 4);
	put_csum(k, ip + 10, tn_csum_add(0, k->bytes + ip, 20));
	icmp = put_echo(p, k, ICMP4_ECHO, sequence);
	put_csum(k, icmp + 2, tn_csum_add(0, k->bytes + icmp, ECHO_BYTES));
}

/* --- reading ---------------------------------------------------------------------------------- */

/* What is left of a frame. */
struct rest {
	const uint8_t *at;
	size_t n;
};

/* The next n bytes; NULL: there are not so many. */
static const uint8_t *take(struct rest *r, size_t n)
{
	const uint8_t *at = r->at;

	if (r->n < n)
		return NULL;
	r->at += n;
	r->n -= n;
	return at;
}

static tn_u128 number_at(const uint8_t *at, unsigned n)
{
	tn_u128 v = 0;

	while (n--)
		v = v << 8 | *at++;
	return v;
}

static tn_u128 ip4_at(const uint8_t *at)
{
	return (tn_u128)0xffff << 32 | number_at(at, 4);
}

static void read_arp(const struct tn_ctl_probe *p, struct rest r, struct tn_ctl_probed *a)
{
	const uint8_t *arp = take(&r, 28);

	if (!arp || number_at(arp + 6, 2) != 2 || ip4_at(arp + 14) != p->next_hop)
		return;
	a->kind = TN_CTL_NEIGHBOUR;
	memcpy(a->mac, arp + 8, 6);
}

static void read_advertisement(
	const struct tn_ctl_probe *p, struct rest r, const uint8_t *from, struct tn_ctl_probed *a)
{
	const uint8_t *target, *option;

	if (!take(&r, 8) || !(target = take(&r, 16)) || number_at(target, 16) != p->next_hop)
		return;
	a->kind = TN_CTL_NEIGHBOUR;
	memcpy(a->mac, from, 6);
	option = take(&r, 8);
	if (option && option[0] == TN_ND_TLL && option[1] == 1)
		memcpy(a->mac, option + 2, 6);
}

/* An echo, whole or within an error: is it one of ours? */
static bool is_our_echo(const struct tn_ctl_probe *p, const uint8_t *icmp)
{
	return number_at(icmp + 4, 2) == p->id;
}

static bool is_error(bool is_ip4, unsigned type)
{
	return is_ip4 ? type == 3 || type == 11 || type == 12 : type >= 1 && type <= 4;
}

/* The packet within an error, which has an echo of ours after its header. */
static bool read_cause(const struct tn_ctl_probe *p, struct rest r, struct tn_ctl_probed *a)
{
	bool is_ip4 = tn_ctl_probe_is_ip4(p);
	const uint8_t *ip, *icmp;
	size_t more;

	ip = take(&r, is_ip4 ? 20 : 40);
	if (!ip || ip[is_ip4 ? 9 : 6] != (is_ip4 ? TN_IPPROTO_ICMP : TN_IPPROTO_ICMPV6))
		return false;
	more = is_ip4 && (ip[0] & 15) > 5 ? 4 * ((ip[0] & 15) - 5u) : 0;
	if (!take(&r, more) || !(icmp = take(&r, 8)) || !is_our_echo(p, icmp))
		return false;
	a->sequence = (uint16_t)number_at(icmp + 6, 2);
	return true;
}

static void read_icmp(
	const struct tn_ctl_probe *p, struct rest r, const uint8_t *mac, struct tn_ctl_probed *a)
{
	bool is_ip4 = tn_ctl_probe_is_ip4(p);
	struct rest whole = r;
	const uint8_t *icmp = take(&r, 8);

	if (!icmp)
		return;
	a->type = icmp[0];
	a->code = icmp[1];
	if (!is_ip4 && icmp[0] == TN_ICMPV6_NA) {
		read_advertisement(p, whole, mac, a);
	} else if (icmp[0] == (is_ip4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY)) {
		if (!is_our_echo(p, icmp) || a->from != p->destination)
			return;
		a->kind = TN_CTL_ECHO;
		a->sequence = (uint16_t)number_at(icmp + 6, 2);
	} else if (is_error(is_ip4, icmp[0]) && read_cause(p, r, a)) {
		a->kind = TN_CTL_ERROR;
	}
}

static void read_ip4(
	const struct tn_ctl_probe *p, struct rest r, const uint8_t *mac, struct tn_ctl_probed *a)
{
	const uint8_t *ip = take(&r, 20);
	size_t header = ip ? 4 * (ip[0] & 15u) : 0;

	if (!ip || header < 20 || ip[9] != TN_IPPROTO_ICMP || ip4_at(ip + 16) != p->source ||
		!take(&r, header - 20))
		return;
	a->ttl = ip[8];
	a->from = ip4_at(ip + 12);
	read_icmp(p, r, mac, a);
}

static void read_ip6(
	const struct tn_ctl_probe *p, struct rest r, const uint8_t *mac, struct tn_ctl_probed *a)
{
	const uint8_t *ip = take(&r, 40);

	if (!ip || ip[6] != TN_IPPROTO_ICMPV6 || number_at(ip + 24, 16) != p->source)
		return;
	a->ttl = ip[7];
	a->from = number_at(ip + 8, 16);
	read_icmp(p, r, mac, a);
}

struct tn_ctl_probed tn_ctl_probe_read(
	const struct tn_ctl_probe *p, const uint8_t *bytes, uint32_t len)
{
	struct tn_ctl_probed a = {.kind = TN_CTL_NO_ANSWER};
	struct rest r = {bytes, len};
	const uint8_t *ethernet = take(&r, 14), *tag;
	unsigned type;

	if (!ethernet)
		return a;
	type = (unsigned)number_at(ethernet + 12, 2);
	if (type == TN_ETH_TYPE_VLAN && (tag = take(&r, 4)))
		type = (unsigned)number_at(tag + 2, 2);
	if (type == TN_ETH_TYPE_ARP && tn_ctl_probe_is_ip4(p))
		read_arp(p, r, &a);
	else if (type == TN_ETH_TYPE_IPV4 && tn_ctl_probe_is_ip4(p))
		read_ip4(p, r, ethernet + 6, &a);
	else if (type == TN_ETH_TYPE_IPV6 && !tn_ctl_probe_is_ip4(p))
		read_ip6(p, r, ethernet + 6, &a);
	return a;
}
