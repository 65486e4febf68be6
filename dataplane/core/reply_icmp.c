/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/reply_private.h"

#define QUOTING4_MAX 576u  /* of an ICMP error as a whole (RFC 1812, 4.3.2.3) */
#define QUOTING6_MAX 1280u /* RFC 4443, 2.4 (c) */

#define TOS_INTERNETWORK_CONTROL 0xc0u /* RFC 1812, 4.3.2.5 */

/* Type, code, checksum and the word that depends on them. */
struct error_hdr {
	struct tn_icmp_hdr icmp;
	struct tn_be32 word;
} TN_PACKED;

static void set_error4(const struct tn_action *a, struct error_hdr *say)
{
	if (a->reply.kind == TN_REPLY_TIME_EXCEEDED) {
		say->icmp.type = 11;
		return;
	}
	say->icmp.type = 3;
	say->icmp.code = a->reply.code;
	if (a->reply.kind == TN_REPLY_TOO_BIG) {
		say->icmp.code = 4;
		say->word = tn_htobe32(a->reply.number); /* the low 16 bits (RFC 1191, 4) */
	}
}

static void set_error6(const struct tn_action *a, struct error_hdr *say)
{
	switch (a->reply.kind) {
	case TN_REPLY_TIME_EXCEEDED:
		say->icmp.type = 3;
		break;
	case TN_REPLY_TOO_BIG:
		say->icmp.type = 2;
		say->word = tn_htobe32(a->reply.number);
		break;
	default:
		say->icmp.type = 1;
		say->icmp.code = a->reply.code;
		break;
	}
}

static bool is_icmp4_error(const struct tn_reply_work *w)
{
	const struct tn_icmp_hdr *icmp = (const void *)tn_rp_in(w, w->h->l4);

	if (w->h->ip_proto != TN_IPPROTO_ICMP)
		return false;
	if (!w->h->l4) /* it cannot be told */
		return true;
	return icmp->type == 3 || icmp->type == 4 || icmp->type == 5 || icmp->type == 11 ||
		icmp->type == 12;
}

/* RFC 4443, 2.4 (e); redirects are informational by their number but no question either. */
static bool is_icmp6_error(const struct tn_reply_work *w)
{
	const struct tn_icmp_hdr *icmp = (const void *)tn_rp_in(w, w->h->l4);

	if (w->h->ip_proto != TN_IPPROTO_ICMPV6)
		return false;
	return !w->h->l4 || icmp->type < 128 || icmp->type == 137;
}

/* RFC 1812, 4.3.2.7. */
static bool may_tell4(const struct tn_reply_work *w)
{
	const struct tn_ipv4_hdr *ip = (const void *)tn_rp_in(w, w->h->l3);

	return !is_icmp4_error(w) && !(w->h->ip_frag & TN_FRAG_LATER) &&
		tn_rp_ip4_is_host(ip->src) && tn_rp_ip4_is_host(ip->dst);
}

/* Of a packet to a group, a sender has to learn the path MTU all the same. */
static bool may_tell6(const struct tn_reply_work *w, bool to_group)
{
	const struct tn_ipv6_hdr *ip = (const void *)tn_rp_in(w, w->h->l3);
	bool any = w->a->reply.kind == TN_REPLY_TOO_BIG;

	return !is_icmp6_error(w) && tn_rp_ip6_is_host(&ip->src) &&
		(any || (!to_group && tn_rp_ip6_is_host(&ip->dst)));
}

/* What is there of the packet, from its IP header on, as far as the error may be long. */
static void quote(struct tn_reply_work *w, uint32_t max)
{
	uint32_t n = w->h->l3_len, there = w->view->len - w->h->l3;
	uint32_t room = max - (w->out->len - w->l3);

	if (n > there)
		n = there;
	tn_rp_put(w, tn_rp_in(w, w->h->l3), n < room ? n : room);
}

static enum tn_drop error4(struct tn_reply_work *w, bool to_group)
{
	struct error_hdr *say;
	struct tn_be32 to;

	if (to_group || !may_tell4(w))
		return TN_DROP_NO_ICMP_ERROR;
	to = ((const struct tn_ipv4_hdr *)(const void *)tn_rp_in(w, w->h->l3))->src;
	tn_rp_ethernet(w, tn_rp_asker(w), TN_ETH_TYPE_IPV4);
	tn_rp_ipv4(w, TOS_INTERNETWORK_CONTROL, TN_IPPROTO_ICMP, to);
	say = tn_rp_room(w, sizeof(*say));
	set_error4(w->a, say);
	quote(w, QUOTING4_MAX);
	return tn_rp_finish(w, offsetof(struct tn_icmp_hdr, csum));
}

static enum tn_drop error6(struct tn_reply_work *w, bool to_group)
{
	struct tn_ip6 from = tn_u128_to_ip6(w->a->reply.ip), to;
	struct error_hdr *say;

	if (!may_tell6(w, to_group))
		return TN_DROP_NO_ICMP_ERROR;
	to = ((const struct tn_ipv6_hdr *)(const void *)tn_rp_in(w, w->h->l3))->src;
	tn_rp_ethernet(w, tn_rp_asker(w), TN_ETH_TYPE_IPV6);
	tn_rp_ipv6(w, TN_IPPROTO_ICMPV6, TN_REPLY_TTL, &from, &to);
	say = tn_rp_room(w, sizeof(*say));
	set_error6(w->a, say);
	quote(w, QUOTING6_MAX);
	return tn_rp_finish(w, offsetof(struct tn_icmp_hdr, csum));
}

/*
 * TOO_BIG is told of IPv4 packets without DF, too: nobody fragments here, and a sender that knows
 * the path MTU does it itself.
 */
enum tn_drop tn_reply_icmp_error(struct tn_reply_work *w)
{
	const struct tn_eth_hdr *eth = (const void *)w->view->data;
	bool to_group = tn_rp_is_group(eth->dst);
	uint32_t unused;

	if (tn_u128_is_ip4(w->a->reply.ip, &unused))
		return w->h->flags & TN_HDR_IPV4 ? error4(w, to_group) : TN_DROP_REPLY_UNFIT;
	return w->h->flags & TN_HDR_IPV6 ? error6(w, to_group) : TN_DROP_REPLY_UNFIT;
}
