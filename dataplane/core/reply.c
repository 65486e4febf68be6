/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/reply.h"

#include <errno.h>

#include "dataplane/core/reply_private.h"
#include "dataplane/core/rewrite.h"

#define ROUTER_TAKES (TN_REPLY_TAKES_MAC | TN_REPLY_TAKES_IP)

const struct tn_reply_form tn_reply_forms[TN_REPLY_LAST + 1] = {
	[TN_REPLY_ARP] = {"ARP", TN_REPLY_TAKES_MAC},
	[TN_REPLY_ND] = {"ND", TN_REPLY_TAKES_MAC | TN_REPLY_TAKES_ROUTER},
	[TN_REPLY_ECHO] = {"ECHO", 0},
	[TN_REPLY_TIME_EXCEEDED] = {"TIME_EXCEEDED", ROUTER_TAKES},
	[TN_REPLY_UNREACHABLE] = {"UNREACHABLE", ROUTER_TAKES | TN_REPLY_TAKES_CODE},
	[TN_REPLY_TOO_BIG] = {"TOO_BIG", ROUTER_TAKES | TN_REPLY_TAKES_MTU},
	[TN_REPLY_DHCP4] = {"DHCP4",
		ROUTER_TAKES | TN_REPLY_TAKES_ADDRESS | TN_REPLY_TAKES_OPTIONS},
	[TN_REPLY_DHCP6] = {"DHCP6",
		ROUTER_TAKES | TN_REPLY_TAKES_ADDRESS | TN_REPLY_TAKES_LEASE |
			TN_REPLY_TAKES_OPTIONS},
	[TN_REPLY_RA] = {"RA", ROUTER_TAKES | TN_REPLY_TAKES_BODY},
};

/* --- data ------------------------------------------------------------------------------------- */

uint32_t tn_reply_data(const struct tn_action *a, uint8_t data[TN_REPLY_DATA_MAX])
{
	uint32_t n = 0;

	for (unsigned i = 1; i <= a->n_nested && n + a[i].note.len <= TN_REPLY_DATA_MAX; i++) {
		memcpy(data + n, a[i].note.data, a[i].note.len);
		n += a[i].note.len;
	}
	return n;
}

uint16_t tn_reply_data_notes(const uint8_t *data, uint32_t n, struct tn_action *notes)
{
	uint16_t i = 0;

	for (uint32_t done = 0; done < n; i++) {
		uint8_t len = n - done < TN_NOTE_MAX ? (uint8_t)(n - done) : TN_NOTE_MAX;

		notes[i] = (struct tn_action){.type = TN_ACTION_NOTE, .note.len = len};
		memcpy(notes[i].note.data, data + done, len);
		done += len;
	}
	return i;
}

/* --- checks ----------------------------------------------------------------------------------- */

/* All NOTEs, and whole but for the last: equal data is held in equal notes. */
static int check_notes(const struct tn_action *a, size_t n, int index, struct tn_error *err)
{
	if (a->n_nested > n)
		return tn_error_set(err, TN_OFPBAC_BAD_LEN, index,
			"reply holds %u actions but only %zu follow; correct the count",
			a->n_nested, n);
	if (a->n_nested > TN_REPLY_NOTES_MAX)
		return tn_error_set(err, TN_OFPBAC_BAD_LEN, index,
			"reply: too much data; give at most %u bytes", TN_REPLY_DATA_MAX);
	for (unsigned i = 1; i <= a->n_nested; i++) {
		if (a[i].type != TN_ACTION_NOTE || a[i].note.len > TN_NOTE_MAX ||
			(i == a->n_nested ? a[i].note.len == 0 : a[i].note.len != TN_NOTE_MAX))
			return tn_error_set(err, TN_OFPBAC_BAD_LEN, index,
				"reply holds its data in notes of %u bytes, the last of fewer; "
				"give those and nothing else",
				TN_NOTE_MAX);
	}
	return 0;
}

static int check_host(const struct tn_action *a, tn_u128 address, const char *what, int index,
	struct tn_error *err)
{
	struct tn_ip6 ip6 = tn_u128_to_ip6(address);
	uint32_t ip4;
	bool ok = tn_u128_is_ip4(address, &ip4) ? tn_rp_ip4_is_host(tn_htobe32(ip4))
						: tn_rp_ip6_is_host(&ip6);

	if (ok)
		return 0;
	return tn_error_set(err, TN_OFPBAC_BAD_ARGUMENT, index,
		"reply %s: %s is not the address of one host; give that",
		tn_reply_forms[a->reply.kind].name, what);
}

/* DHCP4 speaks IPv4; DHCP6 and RA IPv6; errors either. */
static int check_family(const struct tn_action *a, int index, struct tn_error *err)
{
	uint32_t unused;
	bool ip4 = tn_u128_is_ip4(a->reply.ip, &unused);
	bool want4 = a->reply.kind == TN_REPLY_DHCP4;
	bool address4 = tn_u128_is_ip4(a->reply.address, &unused);

	if (a->reply.kind < TN_REPLY_DHCP4)
		return 0;
	if (ip4 != want4 ||
		(tn_reply_forms[a->reply.kind].takes & TN_REPLY_TAKES_ADDRESS && address4 != want4))
		return tn_error_set(err, TN_OFPBAC_BAD_ARGUMENT, index,
			"reply %s speaks IPv%c; give addresses of that",
			tn_reply_forms[a->reply.kind].name, want4 ? '4' : '6');
	return 0;
}

static int check_addresses(const struct tn_action *a, int index, struct tn_error *err)
{
	uint16_t takes = tn_reply_forms[a->reply.kind].takes;

	if (takes & TN_REPLY_TAKES_MAC && tn_rp_is_group(a->reply.mac))
		return tn_error_set(err, TN_OFPBAC_BAD_ARGUMENT, index,
			"reply %s: mac is a group address; give that of one station",
			tn_reply_forms[a->reply.kind].name);
	if (check_family(a, index, err))
		return -EINVAL;
	if (takes & TN_REPLY_TAKES_IP && check_host(a, a->reply.ip, "ip", index, err))
		return -EINVAL;
	if (takes & TN_REPLY_TAKES_ADDRESS && (a->reply.address || a->reply.kind == TN_REPLY_DHCP4))
		return check_host(a, a->reply.address, "the client's address", index, err);
	return 0;
}

static int check_number(const struct tn_action *a, int index, struct tn_error *err)
{
	uint32_t unused;
	uint32_t least = tn_u128_is_ip4(a->reply.ip, &unused) ? 68 : 1280;

	if (a->reply.kind == TN_REPLY_TOO_BIG &&
		(a->reply.number < least || a->reply.number > UINT16_MAX))
		return tn_error_set(err, TN_OFPBAC_BAD_ARGUMENT, index,
			"reply TOO_BIG: %u is no MTU of that IP version; give %u to 65535",
			a->reply.number, least);
	return 0;
}

/* Length of the option at `at` with its head; 0: of none. */
static uint32_t option_len(enum tn_reply_kind kind, const uint8_t *at)
{
	switch (kind) {
	case TN_REPLY_DHCP4: /* padding and end have no length; the answer's own come by themselves
			      */
		return at[0] == 0 || at[0] == 53 || at[0] == 54 || at[0] == 255 ? 0 : at[1] + 2u;
	case TN_REPLY_DHCP6:
		return ((uint32_t)at[2] << 8 | at[3]) + 4u;
	default:
		return at[1] * 8u;
	}
}

/* Whole options alone: what is sent is always sound. */
static bool options_ok(enum tn_reply_kind kind, const uint8_t *data, uint32_t n)
{
	uint32_t head = kind == TN_REPLY_DHCP6 ? 4 : 2;

	for (uint32_t at = 0, len; at < n; at += len) {
		len = n - at < head ? 0 : option_len(kind, data + at);
		if (len == 0 || len > n - at)
			return false;
	}
	return true;
}

#define RA_BODY_MIN 12u /* hop limit, flags, lifetime, reachable time, retransmission timer */

static int check_data(const struct tn_action *a, int index, struct tn_error *err)
{
	uint8_t data[TN_REPLY_DATA_MAX];
	uint32_t n = tn_reply_data(a, data);
	const char *wanted = NULL;

	switch ((enum tn_reply_kind)a->reply.kind) {
	case TN_REPLY_DHCP4:
		if (!options_ok(TN_REPLY_DHCP4, data, n))
			wanted = "options of a byte type, a byte length and so many bytes, without "
				 "0, 53, 54 and 255";
		break;
	case TN_REPLY_DHCP6:
		if (!options_ok(TN_REPLY_DHCP6, data, n))
			wanted = "options of two bytes type, two bytes length and so many bytes";
		break;
	case TN_REPLY_RA:
		if (n < RA_BODY_MIN ||
			!options_ok(TN_REPLY_RA, data + RA_BODY_MIN, n - RA_BODY_MIN))
			wanted = "12 bytes from the hop limit on, then whole options";
		break;
	default:
		if (n)
			wanted = "no data";
		break;
	}
	if (!wanted)
		return 0;
	return tn_error_set(err, TN_OFPBAC_BAD_ARGUMENT, index,
		"reply %s: the data does not add up; give %s", tn_reply_forms[a->reply.kind].name,
		wanted);
}

int tn_reply_check(const struct tn_action *a, size_t n, int index, struct tn_error *err)
{
	if (a->reply.kind < TN_REPLY_ARP || a->reply.kind > TN_REPLY_LAST)
		return tn_error_set(err, TN_OFPBAC_BAD_ARGUMENT, index,
			"reply: %u is no kind of answer; give %u to %u", a->reply.kind,
			TN_REPLY_ARP, TN_REPLY_LAST);
	if (check_notes(a, n, index, err) || check_addresses(a, index, err) ||
		check_number(a, index, err))
		return -EINVAL;
	return check_data(a, index, err);
}

bool tn_reply_equal(const struct tn_action *a, const struct tn_action *b)
{
	uint16_t takes = tn_reply_forms[a->reply.kind].takes;

	return a->reply.kind == b->reply.kind &&
		(!(takes & TN_REPLY_TAKES_MAC) || tn_rp_mac_equal(a->reply.mac, b->reply.mac)) &&
		(!(takes & TN_REPLY_TAKES_IP) || a->reply.ip == b->reply.ip) &&
		(!(takes & TN_REPLY_TAKES_ADDRESS) || a->reply.address == b->reply.address) &&
		(!(takes & TN_REPLY_TAKES_CODE) || a->reply.code == b->reply.code) &&
		(!(takes & (TN_REPLY_TAKES_MTU | TN_REPLY_TAKES_LEASE)) ||
			a->reply.number == b->reply.number) &&
		(!(takes & TN_REPLY_TAKES_ROUTER) || a->reply.router == b->reply.router);
}

static enum tn_field_id field_needed(const struct tn_action *a)
{
	uint32_t unused;

	switch ((enum tn_reply_kind)a->reply.kind) {
	case TN_REPLY_ARP:
		return TN_FIELD_ARP_OP;
	case TN_REPLY_ND:
		return TN_FIELD_ND_SLL;
	case TN_REPLY_DHCP4:
	case TN_REPLY_DHCP6:
		return TN_FIELD_UDP_DST;
	case TN_REPLY_ECHO:
	case TN_REPLY_RA:
		return TN_FIELD_ICMPV6_TYPE;
	case TN_REPLY_TIME_EXCEEDED:
	case TN_REPLY_UNREACHABLE:
	case TN_REPLY_TOO_BIG:
		break;
	}
	return tn_u128_is_ip4(a->reply.ip, &unused) ? TN_FIELD_IPV4_SRC : TN_FIELD_IPV6_SRC;
}

int tn_reply_check_match(
	const struct tn_action *a, const struct tn_match *match, int index, struct tn_error *err)
{
	enum tn_field_id field = field_needed(a);
	bool ok = tn_match_prereq_ok(match, field);

	if (a->reply.kind == TN_REPLY_ECHO)
		ok |= tn_match_prereq_ok(match, TN_FIELD_ICMPV4_TYPE);
	if (a->reply.kind == TN_REPLY_DHCP4)
		ok &= tn_match_prereq_ok(match, TN_FIELD_IPV4_SRC);
	if (a->reply.kind == TN_REPLY_DHCP6)
		ok &= tn_match_prereq_ok(match, TN_FIELD_IPV6_SRC);
	if (ok)
		return 0;
	return tn_error_set(err, TN_OFPBAC_MATCH_INCONSISTENT, index,
		"reply %s needs %s%s in the flow's match", tn_reply_forms[a->reply.kind].name,
		tn_prereq_text(tn_fields[field].prereq),
		a->reply.kind == TN_REPLY_ECHO		  ? ", or the same of IPv4,"
			: a->reply.kind == TN_REPLY_DHCP4 ? " and eth_type 0x0800"
			: a->reply.kind == TN_REPLY_DHCP6 ? " and eth_type 0x86dd"
							  : "");
}

/* --- headers ---------------------------------------------------------------------------------- */

void tn_rp_ethernet(struct tn_reply_work *w, struct tn_mac dst, uint16_t type)
{
	const uint32_t macs = 2 * sizeof(struct tn_mac);

	w->out->len = 0;
	tn_rp_put(w, &dst, sizeof(dst));
	tn_rp_put(w, &w->a->reply.mac, sizeof(w->a->reply.mac));
	tn_rp_put(w, tn_rp_in(w, macs), w->h->n_tags * TN_VLAN_LEN);
	tn_rp_put16(w, type);
	w->l3 = w->out->len;
}

void tn_rp_ipv4(struct tn_reply_work *w, uint8_t tos, uint8_t proto, struct tn_be32 dst)
{
	struct tn_ipv4_hdr *ip = tn_rp_room(w, sizeof(*ip));

	*ip = (struct tn_ipv4_hdr){
		.version_ihl = 0x45,
		.tos = tos,
		.ttl = TN_REPLY_TTL,
		.proto = proto,
		.src = tn_rp_ip4(w->a->reply.ip),
		.dst = dst,
	};
	w->l4 = w->out->len;
}

void tn_rp_ipv6(struct tn_reply_work *w, uint8_t next, uint8_t hop_limit, const struct tn_ip6 *src,
	const struct tn_ip6 *dst)
{
	struct tn_ipv6_hdr *ip = tn_rp_room(w, sizeof(*ip));

	*ip = (struct tn_ipv6_hdr){
		.version_tc_flow = tn_htobe32(6u << 28),
		.next = next,
		.hop_limit = hop_limit,
		.src = *src,
		.dst = *dst,
	};
	w->l4 = w->out->len;
}

/* Of the pseudo header; ICMP has none. */
static uint64_t finish_ip(struct tn_reply_work *w, uint32_t l4_len)
{
	struct tn_ipv4_hdr *ip4 = tn_rp_at(w, w->l3);
	struct tn_ipv6_hdr *ip6 = tn_rp_at(w, w->l3);

	if (ip4->version_ihl >> 4 == 6) {
		ip6->payload_len = tn_htobe16((uint16_t)l4_len);
		return tn_csum_pseudo_ipv6(&ip6->src, &ip6->dst, ip6->next, l4_len);
	}
	ip4->total_len = tn_htobe16((uint16_t)(sizeof(*ip4) + l4_len));
	ip4->csum = tn_csum_fold(tn_csum_add(0, ip4, sizeof(*ip4)));
	if (ip4->proto == TN_IPPROTO_ICMP)
		return 0;
	return tn_csum_pseudo_ipv4(&ip4->src, &ip4->dst, ip4->proto, l4_len);
}

enum tn_drop tn_rp_finish(struct tn_reply_work *w, uint32_t csum_ofs)
{
	uint32_t l4_len = w->out->len - w->l4;
	struct tn_be16 csum;
	uint64_t sum;

	if (w->full)
		return TN_DROP_REPLY_UNFIT;
	sum = finish_ip(w, l4_len);
	csum = tn_csum_fold(tn_csum_add(sum, tn_rp_at(w, w->l4), l4_len));
	if (csum.raw == 0) /* UDP's zero says that there is none; to ICMP they are equal */
		csum.raw = 0xffff;
	memcpy(tn_rp_at(w, w->l4 + csum_ofs), &csum, sizeof(csum));
	return TN_DROP_NONE;
}

/* --- ARP, ND, RA ------------------------------------------------------------------------------ */

/* Who asks for its own address looks for others that have it: a proxy has not. */
enum tn_drop tn_reply_arp(struct tn_reply_work *w)
{
	struct tn_arp_hdr ask, *say;

	if (!(w->h->flags & TN_HDR_ARP) || w->h->eth_type != TN_ETH_TYPE_ARP)
		return TN_DROP_REPLY_UNFIT;
	memcpy(&ask, tn_rp_in(w, w->h->l3), sizeof(ask));
	if (tn_be16toh(ask.op) != 1)
		return TN_DROP_REPLY_UNFIT;
	if (ask.tpa.raw == ask.spa.raw || tn_rp_mac_equal(ask.sha, w->a->reply.mac))
		return TN_DROP_REPLY_NONE;
	tn_rp_ethernet(w, tn_rp_asker(w), TN_ETH_TYPE_ARP);
	say = tn_rp_room(w, sizeof(*say));
	*say = ask;
	say->op = tn_htobe16(2);
	say->sha = w->a->reply.mac;
	say->spa = ask.tpa;
	say->tha = ask.sha;
	say->tpa = ask.spa;
	return TN_DROP_NONE;
}

static const struct tn_ip6 all_nodes = {{0xff, 0x02, [15] = 1}};
static const struct tn_mac all_nodes_mac = {{0x33, 0x33, 0, 0, 0, 1}};

/*
 * ICMPv6 from src to who asked, all nodes where that has no address yet. For what RFC 4861 lets
 * come from neighbours alone.
 */
static bool start_nd(struct tn_reply_work *w, const struct tn_ip6 *src)
{
	const struct tn_ipv6_hdr *ip = (const void *)tn_rp_in(w, w->h->l3);
	struct tn_ip6 to = ip->src;
	bool known = tn_rp_ip6_is_host(&to);

	tn_rp_ethernet(w, known ? tn_rp_asker(w) : all_nodes_mac, TN_ETH_TYPE_IPV6);
	tn_rp_ipv6(w, TN_IPPROTO_ICMPV6, TN_ND_TTL, src, known ? &to : &all_nodes);
	return known;
}

/* Hop limit 255, code 0, one packet, from one host or nobody. */
static bool is_from_neighbour(const struct tn_reply_work *w, uint8_t type)
{
	const struct tn_ipv6_hdr *ip = (const void *)tn_rp_in(w, w->h->l3);
	const struct tn_icmp_hdr *icmp = (const void *)tn_rp_in(w, w->h->l4);

	return w->h->flags & TN_HDR_IPV6 && w->h->flags & TN_HDR_ICMPV6 &&
		!(w->h->ip_frag & TN_FRAG_ANY) && icmp->type == type && icmp->code == 0 &&
		ip->hop_limit == TN_ND_TTL && ip->src.b[0] != 0xff;
}

#define NA_ROUTER    0x80000000u
#define NA_SOLICITED 0x40000000u
#define NA_OVERRIDE  0x20000000u

enum tn_drop tn_reply_nd(struct tn_reply_work *w)
{
	const struct tn_nd_hdr *ask = (const void *)tn_rp_in(w, w->h->l4);
	struct tn_nd_option *option;
	struct tn_nd_hdr *say;
	struct tn_ip6 target;
	uint32_t flags;

	if (!(w->h->flags & TN_HDR_ND) || !is_from_neighbour(w, TN_ICMPV6_NS))
		return TN_DROP_REPLY_UNFIT;
	target = ask->target;
	if (!tn_rp_ip6_is_host(&target))
		return TN_DROP_REPLY_UNFIT;
	if (tn_rp_mac_equal(tn_rp_asker(w), w->a->reply.mac))
		return TN_DROP_REPLY_NONE;
	flags = NA_OVERRIDE | (w->a->reply.router ? NA_ROUTER : 0);
	if (start_nd(w, &target))
		flags |= NA_SOLICITED;
	say = tn_rp_room(w, sizeof(*say));
	say->icmp.type = TN_ICMPV6_NA;
	say->flags = tn_htobe32(flags);
	say->target = target;
	option = tn_rp_room(w, sizeof(*option));
	option->type = TN_ND_TLL;
	option->len = 1;
	option->mac = w->a->reply.mac;
	return tn_rp_finish(w, offsetof(struct tn_icmp_hdr, csum));
}

const uint8_t tn_reply_solicitation[TN_SOLICITATION_LEN] = {
	0x33, 0x33, 0, 0, 0, 2, 2, 0, 0, 0, 0, 0, 0x86, 0xdd, /* Ethernet */
	0x60, 0, 0, 0, 0, 8, TN_IPPROTO_ICMPV6, TN_ND_TTL,    /* IPv6: from :: */
	[38] = 0xff, 0x02, [53] = 2,			      /* to ff02::2 */
	[54] = TN_ICMPV6_RS, 0, 0x7b, 0xb8,		      /* and its checksum */
};

enum tn_drop tn_reply_ra(struct tn_reply_work *w)
{
	struct tn_ip6 src = tn_u128_to_ip6(w->a->reply.ip);
	uint8_t body[TN_REPLY_DATA_MAX];
	struct tn_icmp_hdr *say;

	if (!is_from_neighbour(w, TN_ICMPV6_RS))
		return TN_DROP_REPLY_UNFIT;
	(void)start_nd(w, &src);
	say = tn_rp_room(w, sizeof(*say));
	say->type = TN_ICMPV6_RA;
	tn_rp_put(w, body, tn_reply_data(w->a, body));
	return tn_rp_finish(w, offsetof(struct tn_icmp_hdr, csum));
}

/* --- echo ------------------------------------------------------------------------------------- */

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t was = a[i];

		a[i] = b[i];
		b[i] = was;
	}
}

/* Options of IPv4 may name a way that the answer cannot take. */
static bool is_echo4(const struct tn_view *view, const struct tn_headers *h)
{
	const struct tn_ipv4_hdr *ip = (const void *)(view->data + h->l3);
	const struct tn_icmp_hdr *icmp = (const void *)(view->data + h->l4);

	return h->flags & TN_HDR_ICMPV4 && icmp->type == 8 && icmp->code == 0 &&
		tn_ipv4_hdr_len(ip) == sizeof(*ip) && tn_rp_ip4_is_host(ip->src) &&
		tn_rp_ip4_is_host(ip->dst);
}

static bool is_echo6(const struct tn_view *view, const struct tn_headers *h)
{
	const struct tn_ipv6_hdr *ip = (const void *)(view->data + h->l3);
	const struct tn_icmp_hdr *icmp = (const void *)(view->data + h->l4);

	return h->flags & TN_HDR_ICMPV6 && icmp->type == 128 && icmp->code == 0 &&
		!(h->flags & TN_HDR_ROUTING) && tn_rp_ip6_is_host(&ip->src) &&
		tn_rp_ip6_is_host(&ip->dst);
}

enum tn_drop tn_reply_echo(struct tn_view *view, struct tn_headers *h)
{
	struct tn_eth_hdr *eth = (void *)view->data;
	struct tn_ipv4_hdr *ip4 = (void *)(view->data + h->l3);
	struct tn_ipv6_hdr *ip6 = (void *)(view->data + h->l3);
	bool four = h->flags & TN_HDR_ICMPV4;
	enum tn_drop drop;

	if (h->ip_frag & TN_FRAG_ANY || tn_rp_is_group(eth->dst) ||
		!(four ? is_echo4(view, h) : is_echo6(view, h)))
		return TN_DROP_REPLY_UNFIT;
	swap(eth->dst.b, eth->src.b, sizeof(eth->dst.b));
	if (four)
		swap((uint8_t *)&ip4->src, (uint8_t *)&ip4->dst, sizeof(ip4->src));
	else
		swap(ip6->src.b, ip6->dst.b, sizeof(ip6->src.b));
	drop = tn_rewrite_field(view, h, TN_FIELD_IP_TTL, TN_REPLY_TTL, UINT8_MAX);
	if (drop)
		return drop;
	if (four)
		return tn_rewrite_field(view, h, TN_FIELD_ICMPV4_TYPE, 0, UINT8_MAX);
	return tn_rewrite_field(view, h, TN_FIELD_ICMPV6_TYPE, 129, UINT8_MAX);
}

/* --- all -------------------------------------------------------------------------------------- */

enum tn_drop tn_reply(const struct tn_view *view, const struct tn_headers *h,
	const struct tn_action *a, struct tn_answer *out)
{
	struct tn_reply_work w = {.view = view, .h = h, .a = a, .out = out};

	out->len = 0;
	switch ((enum tn_reply_kind)a->reply.kind) {
	case TN_REPLY_ARP:
		return tn_reply_arp(&w);
	case TN_REPLY_ND:
		return tn_reply_nd(&w);
	case TN_REPLY_RA:
		return tn_reply_ra(&w);
	case TN_REPLY_TIME_EXCEEDED:
	case TN_REPLY_UNREACHABLE:
	case TN_REPLY_TOO_BIG:
		return tn_reply_icmp_error(&w);
	case TN_REPLY_DHCP4:
		return tn_reply_dhcp4(&w);
	case TN_REPLY_DHCP6:
		return tn_reply_dhcp6(&w);
	case TN_REPLY_ECHO: /* tn_reply_echo() */
		break;
	}
	return TN_DROP_REPLY_UNFIT;
}
