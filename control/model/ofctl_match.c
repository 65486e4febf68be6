/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/ofctl_match.h"

#include <errno.h>
#include <string.h>

/* Numbers of protocols that text calls by name. */
enum {
	ETH_IP4 = 0x0800,
	ETH_ARP = 0x0806,
	ETH_RARP = 0x8035,
	ETH_IP6 = 0x86dd,
	ETH_MPLS = 0x8847,
	ETH_MPLS_MULTICAST = 0x8848,
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ICMP6 = 58,
	PROTO_SCTP = 132,
};

#define PROTO_NONE 0u /* the word fixes no ip_proto */

/* The first of each pair of numbers is the word that is printed. */
static const struct protocol {
	const char *word;
	uint16_t eth_type;
	uint8_t ip_proto;
} protocols[] = {
	{"ip", ETH_IP4, PROTO_NONE},
	{"ipv4", ETH_IP4, PROTO_NONE},
	{"ip4", ETH_IP4, PROTO_NONE},
	{"icmp", ETH_IP4, PROTO_ICMP},
	{"tcp", ETH_IP4, PROTO_TCP},
	{"udp", ETH_IP4, PROTO_UDP},
	{"sctp", ETH_IP4, PROTO_SCTP},
	{"ipv6", ETH_IP6, PROTO_NONE},
	{"ip6", ETH_IP6, PROTO_NONE},
	{"icmp6", ETH_IP6, PROTO_ICMP6},
	{"tcp6", ETH_IP6, PROTO_TCP},
	{"udp6", ETH_IP6, PROTO_UDP},
	{"sctp6", ETH_IP6, PROTO_SCTP},
	{"arp", ETH_ARP, PROTO_NONE},
	{"rarp", ETH_RARP, PROTO_NONE},
	{"mpls", ETH_MPLS, PROTO_NONE},
	{"mplsm", ETH_MPLS_MULTICAST, PROTO_NONE},
};

static struct tn_ofctl_term *add_term(
	struct tn_ofctl_terms *terms, const struct tn_ofctl_item *item, enum tn_field_id field)
{
	struct tn_ofctl_term *t = &terms->term[terms->n++];

	*t = (struct tn_ofctl_term){
		.name = item->key,
		.value_at = item->value.p,
		.mask_at = item->value.p,
		.field = (uint8_t)field,
	};
	return t;
}

static void add_exact(struct tn_ofctl_terms *terms, const struct tn_ofctl_item *item,
	enum tn_field_id field, tn_u128 value)
{
	struct tn_ofctl_term *t = add_term(terms, item, field);

	t->value_at = item->key.p;
	t->value = value;
	t->mask = tn_field_ones(field);
}

static int take_word(
	struct tn_ofctl_line *l, const struct tn_ofctl_item *item, struct tn_ofctl_terms *terms)
{
	const struct protocol *p = NULL;

	for (size_t i = 0; i < TN_ARRAY_SIZE(protocols); i++)
		if (tn_ofctl_is(item->key, protocols[i].word))
			p = &protocols[i];
	if (!p && !tn_ofctl_is(item->key, "eth")) /* every packet is Ethernet */
		return 0;
	if (item->delimiter)
		return tn_ofctl_complain(l, item->value.p, TN_OF_OK,
			"%s takes no value; write it alone", tn_ofctl_show(item->key).s);
	if (p)
		add_exact(terms, item, TN_FIELD_ETH_TYPE, p->eth_type);
	if (p && p->ip_proto != PROTO_NONE)
		add_exact(terms, item, TN_FIELD_IP_PROTO, p->ip_proto);
	return 1;
}

/* dl_vlan=0xffff: no tag. */
static int take_no_tag(const struct tn_ofctl_item *item, struct tn_ofctl_terms *terms)
{
	add_exact(terms, item, TN_FIELD_VLAN_VID, 0);
	return 1;
}

/* A condition on a view becomes one on each of the fields that it shows. */
static void add_view(struct tn_ofctl_terms *terms, const struct tn_ofctl_item *item,
	const struct tn_ofctl_view *view, tn_u128 value, tn_u128 mask, const char *mask_at)
{
	bool untagged = view->n_pieces == 2 && mask & TN_VLAN_PRESENT && !(value & TN_VLAN_PRESENT);

	for (unsigned i = 0; i < view->n_pieces; i++) {
		const struct tn_ofctl_piece *p = &view->piece[i];
		tn_u128 ones = tn_ofctl_ones(p->n_bits), m = mask >> p->ofs & ones;
		struct tn_ofctl_term *t;

		if (m == 0)
			continue;
		/* vlan_tci=0: without a tag there is no priority to look at. */
		if (untagged && p->field == TN_FIELD_VLAN_PCP && !(value >> p->ofs & ones))
			continue;
		t = add_term(terms, item, (enum tn_field_id)p->field);
		t->value = (value >> p->ofs & ones) << p->field_ofs;
		t->mask = m << p->field_ofs;
		t->mask_at = mask_at;
	}
	if (view->with_mask && mask) {
		struct tn_ofctl_term *t = &terms->term[terms->n - 1];

		t->value |= view->with_value;
		t->mask |= view->with_mask;
	}
}

/* A priority can only be that of a tag. */
static void imply_tag(struct tn_ofctl_terms *terms, const struct tn_ofctl_item *item,
	const struct tn_ofctl_view *view)
{
	struct tn_ofctl_term *t;

	if (view->n_pieces != 1 || view->piece[0].field != TN_FIELD_VLAN_PCP)
		return;
	t = add_term(terms, item, TN_FIELD_VLAN_VID);
	t->value = t->mask = TN_VLAN_PRESENT;
	t->is_implied = true;
}

/* tp_src and tp_dst are those of whatever protocol the match fixes. */
static void mark_tp(struct tn_ofctl_terms *terms, size_t first, const struct tn_ofctl_view *view)
{
	bool is_tp = tn_ofctl_is(view->spelt, "tp_src") || tn_ofctl_is(view->spelt, "tp_dst");

	for (size_t i = first; i < terms->n; i++)
		terms->term[i].is_tp = is_tp;
}

static int take_bits(
	struct tn_ofctl_line *l, const struct tn_ofctl_item *item, struct tn_ofctl_terms *terms)
{
	struct tn_ofctl_subfield sub;
	size_t first = terms->n;
	tn_u128 value;

	if (tn_ofctl_parse_subfield(l, item->key, false, TN_OFPBMC_BAD_FIELD, &sub))
		return -EINVAL;
	if (tn_ofctl_scan_u128(item->value, &value))
		return tn_ofctl_complain(l, item->value.p, TN_OF_OK,
			"bits of a field take a number, decimal or 0x, without a mask");
	if (value & ~tn_ofctl_ones(sub.n_bits))
		return tn_ofctl_complain(l, item->value.p, TN_OFPBMC_BAD_VALUE,
			"%s does not fit into %u bits", tn_ofctl_show(item->value).s, sub.n_bits);
	add_view(terms, item, &sub.view, value << sub.ofs, tn_ofctl_ones(sub.n_bits) << sub.ofs,
		item->key.p);
	for (size_t i = first; i < terms->n; i++)
		terms->term[i].is_bits = true;
	mark_tp(terms, first, &sub.view);
	imply_tag(terms, item, &sub.view);
	return 1;
}

static bool is_nw_tos(const struct tn_ofctl_view *view)
{
	return view->piece[0].field == TN_FIELD_IP_DSCP && view->bits == 8;
}

static int take_field(
	struct tn_ofctl_line *l, const struct tn_ofctl_item *item, struct tn_ofctl_terms *terms)
{
	size_t first = terms->n;
	struct tn_ofctl_view view;
	const char *mask_at;
	tn_u128 value, mask;

	if (!tn_ofctl_view_by_name(item->key, false, &view)) {
		if (tn_ofctl_is_foreign_field(item->key))
			return tn_ofctl_no_field(l, item->key, TN_OFPBMC_BAD_FIELD);
		return 0;
	}
	if (tn_ofctl_is(item->key, "dl_vlan") && !tn_ofctl_scan_u128(item->value, &value) &&
		value == 0xffff)
		return take_no_tag(item, terms);
	if (tn_ofctl_parse_value(
		    l, &view, item->value, TN_OFPBMC_BAD_VALUE, &value, &mask, &mask_at))
		return -EINVAL;
	if (is_nw_tos(&view) && value & 3)
		return tn_ofctl_complain(l, item->value.p, TN_OFPBMC_BAD_VALUE,
			"%s: %s has ECN bits; write a multiple of 4, and nw_ecn for the rest",
			tn_ofctl_show(item->key).s, tn_ofctl_show(item->value).s);
	add_view(terms, item, &view, value, mask, mask_at);
	mark_tp(terms, first, &view);
	if (mask)
		imply_tag(terms, item, &view);
	return 1;
}

int tn_ofctl_match_item(
	struct tn_ofctl_line *l, const struct tn_ofctl_item *item, struct tn_ofctl_terms *terms)
{
	int rc;

	if (terms->n + 5 > TN_OFCTL_TERMS_MAX) /* xxreg and what it implies */
		return tn_ofctl_complain(l, item->key.p, TN_OF_OK,
			"more fields than a match can have; write each one once");
	rc = take_word(l, item, terms);
	if (rc)
		return rc;
	if (item->key.n && memchr(item->key.p, '[', item->key.n))
		return take_bits(l, item, terms);
	return take_field(l, item, terms);
}

void tn_ofctl_each_match_word(tn_ofctl_word_fn fn, void *ctx)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(protocols); i++)
		fn(ctx, protocols[i].word, false);
	tn_ofctl_each_field(fn, ctx);
}

/* The value that the terms fix a field at; -1: none. */
static int fixed_value(const struct tn_ofctl_terms *terms, enum tn_field_id field)
{
	for (size_t i = 0; i < terms->n; i++) {
		const struct tn_ofctl_term *t = &terms->term[i];

		if (t->field == field && t->mask == tn_field_ones(field))
			return (int)t->value;
	}
	return -1;
}

/* In ARP the names of IP fields mean those of ARP, as in OpenFlow 1.0. */
static void settle_arp(struct tn_ofctl_term *t)
{
	if (t->field == TN_FIELD_IPV4_SRC) {
		t->field = TN_FIELD_ARP_SPA;
	} else if (t->field == TN_FIELD_IPV4_DST) {
		t->field = TN_FIELD_ARP_TPA;
	} else if (t->field == TN_FIELD_IP_PROTO) {
		t->field = TN_FIELD_ARP_OP;
		t->mask = tn_field_ones(TN_FIELD_ARP_OP);
	}
}

static void settle_tp(struct tn_ofctl_term *t, int ip_proto, bool is_ip6)
{
	bool src = t->field == TN_FIELD_TCP_SRC;

	switch (ip_proto) {
	case PROTO_UDP:
		t->field = src ? TN_FIELD_UDP_SRC : TN_FIELD_UDP_DST;
		break;
	case PROTO_SCTP:
		t->field = src ? TN_FIELD_SCTP_SRC : TN_FIELD_SCTP_DST;
		break;
	case PROTO_ICMP:
		if (!is_ip6)
			t->field = src ? TN_FIELD_ICMPV4_TYPE : TN_FIELD_ICMPV4_CODE;
		break;
	case PROTO_ICMP6:
		if (is_ip6)
			t->field = src ? TN_FIELD_ICMPV6_TYPE : TN_FIELD_ICMPV6_CODE;
		break;
	default:
		break;
	}
}

/* Ports as wide as ICMP types and codes, where they turned out to be some. */
static void narrow(struct tn_ofctl_term *t)
{
	if (t->mask == 0xffff && tn_fields[t->field].bits == 8)
		t->mask = 0xff;
}

static void settle_names(struct tn_ofctl_terms *terms)
{
	int eth_type = fixed_value(terms, TN_FIELD_ETH_TYPE), ip_proto;

	if (eth_type == ETH_ARP || eth_type == ETH_RARP)
		for (size_t i = 0; i < terms->n; i++)
			settle_arp(&terms->term[i]);
	ip_proto = fixed_value(terms, TN_FIELD_IP_PROTO);
	for (size_t i = 0; i < terms->n; i++) {
		struct tn_ofctl_term *t = &terms->term[i];

		if (t->is_tp) {
			settle_tp(t, ip_proto, eth_type == ETH_IP6);
			narrow(t);
		}
		if (eth_type == ETH_IP6 && t->field == TN_FIELD_ICMPV4_TYPE)
			t->field = TN_FIELD_ICMPV6_TYPE;
		if (eth_type == ETH_IP6 && t->field == TN_FIELD_ICMPV4_CODE)
			t->field = TN_FIELD_ICMPV6_CODE;
	}
}

/* Joins t into the earlier term on the same field: 1; 0 when there is none. */
static int join(struct tn_ofctl_line *l, struct tn_ofctl_terms *terms, struct tn_ofctl_term *t)
{
	struct tn_ofctl_term *u = terms->term;

	while (u < t && (u->field != t->field || u->mask == 0))
		u++;
	if (u == t)
		return 0;
	if ((u->value ^ t->value) & u->mask & t->mask)
		return tn_ofctl_complain(l, t->value_at, TN_OFPBMC_DUP_FIELD,
			"%s contradicts the %s before it; keep one of the two",
			tn_ofctl_show(t->name).s, tn_ofctl_show(u->name).s);
	if (u->mask != t->mask && !t->is_bits && !u->is_bits && !t->is_implied && !u->is_implied)
		return tn_ofctl_complain(l, t->value_at, TN_OFPBMC_DUP_FIELD,
			"%s is the same field as the %s before it; keep one of the two",
			tn_ofctl_show(t->name).s, tn_ofctl_show(u->name).s);
	u->value |= t->value;
	u->mask |= t->mask;
	t->mask = 0;
	return 1;
}

/* An implied term gives way to one that is written and says something of the same bits. */
static void drop_implied(struct tn_ofctl_terms *terms)
{
	for (size_t i = 0; i < terms->n; i++) {
		if (!terms->term[i].is_implied)
			continue;
		for (size_t j = 0; j < terms->n; j++) {
			const struct tn_ofctl_term *t = &terms->term[j];

			if (j != i && t->field == terms->term[i].field &&
				t->mask & terms->term[i].mask)
				terms->term[i].mask = 0;
		}
	}
}

static void add_to_match(
	struct tn_ofctl_line *l, const struct tn_ofctl_term *t, struct tn_match *match)
{
	struct tn_error err;
	const char *at = t->value_at;

	if (t->mask == 0 ||
		!tn_match_set(match, (enum tn_field_id)t->field, t->value, t->mask, &err))
		return;
	if (err.of == TN_OFPBMC_BAD_MASK)
		at = t->mask_at;
	tn_ofctl_complain(l, at, err.of, "%s", err.detail);
}

static void check_prerequisite(
	struct tn_ofctl_line *l, const struct tn_ofctl_term *t, const struct tn_match *match)
{
	const struct tn_field *f = &tn_fields[t->field];

	if (t->mask == 0 || tn_match_prereq_ok(match, (enum tn_field_id)t->field))
		return;
	if (t->is_tp && f->prereq == TN_PREREQ_TCP)
		tn_ofctl_complain(l, t->name.p, TN_OFPBMC_BAD_PREREQ,
			"%s needs a protocol that has ports; add tcp, udp, sctp or tcp6, udp6, "
			"sctp6",
			tn_ofctl_show(t->name).s);
	else
		tn_ofctl_complain(l, t->name.p, TN_OFPBMC_BAD_PREREQ, "%s needs %s in the match",
			tn_ofctl_show(t->name).s, tn_prereq_text(f->prereq));
}

int tn_ofctl_match_settle(
	struct tn_ofctl_line *l, struct tn_ofctl_terms *terms, struct tn_match *match)
{
	unsigned before = l->n_errors;

	tn_match_init(match);
	settle_names(terms);
	drop_implied(terms);
	for (size_t i = 0; i < terms->n; i++)
		if (terms->term[i].mask && join(l, terms, &terms->term[i]) < 0)
			terms->term[i].mask = 0;
	for (size_t i = 0; i < terms->n; i++)
		add_to_match(l, &terms->term[i], match);
	if (l->n_errors != before)
		return -EINVAL;
	for (size_t i = 0; i < terms->n; i++)
		check_prerequisite(l, &terms->term[i], match);
	return l->n_errors == before ? 0 : -EINVAL;
}

static const char *protocol_word(unsigned eth_type, unsigned ip_proto)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(protocols); i++)
		if (protocols[i].eth_type == eth_type && protocols[i].ip_proto == ip_proto)
			return protocols[i].word;
	return NULL;
}

/* What is printed, and how far it is. */
struct printing {
	struct tn_ofctl_out *out;
	const struct tn_match *match;
	uint64_t fields; /* bitmap of enum tn_field_id */
};

static bool has(const struct printing *p, enum tn_field_id id)
{
	return p->fields >> id & 1;
}

static void put_hex(const struct printing *p, const char *name, enum tn_field_id id)
{
	tn_u128 mask = tn_match_mask(p->match, id);

	if (!has(p, id))
		return;
	tn_ofctl_put(p->out, "%s=%#llx", name, (unsigned long long)tn_match_value(p->match, id));
	if (mask != tn_field_ones(id))
		tn_ofctl_put(p->out, "/%#llx", (unsigned long long)mask);
	tn_ofctl_put(p->out, ",");
}

/* Decimal where exact, else both in hexadecimal. */
static void put_decimal(const struct printing *p, const char *name, enum tn_field_id id)
{
	tn_u128 mask = tn_match_mask(p->match, id), value = tn_match_value(p->match, id);

	if (!has(p, id))
		return;
	if (mask == tn_field_ones(id))
		tn_ofctl_put(p->out, "%s=%llu,", name, (unsigned long long)value);
	else
		tn_ofctl_put(p->out, "%s=0x%llx/0x%llx,", name, (unsigned long long)value,
			(unsigned long long)mask);
}

static void put_mac(const struct printing *p, const char *name, enum tn_field_id id)
{
	if (!has(p, id))
		return;
	tn_ofctl_put(p->out, "%s=", name);
	tn_ofctl_put_mac(p->out, (uint64_t)tn_match_value(p->match, id),
		(uint64_t)tn_match_mask(p->match, id));
	tn_ofctl_put(p->out, ",");
}

static void put_ip4(const struct printing *p, const char *name, enum tn_field_id id)
{
	if (!has(p, id))
		return;
	tn_ofctl_put(p->out, "%s=", name);
	tn_ofctl_put_ip4(p->out, (uint32_t)tn_match_value(p->match, id),
		(uint32_t)tn_match_mask(p->match, id));
	tn_ofctl_put(p->out, ",");
}

static void put_ip6(const struct printing *p, const char *name, enum tn_field_id id)
{
	if (!has(p, id))
		return;
	tn_ofctl_put(p->out, "%s=", name);
	tn_ofctl_put_ip6(p->out, tn_match_value(p->match, id), tn_match_mask(p->match, id));
	tn_ofctl_put(p->out, ",");
}

static void put_port(const struct printing *p, const char *name, enum tn_field_id id)
{
	if (!has(p, id))
		return;
	tn_ofctl_put(p->out, "%s=", name);
	tn_ofctl_put_port(p->out, (uint32_t)tn_match_value(p->match, id));
	tn_ofctl_put(p->out, ",");
}

static void put_tunnel(const struct printing *p)
{
	static const struct {
		enum tn_field_id id;
		const char *ip4, *ip6;
	} ends[] = {
		{TN_FIELD_TUN_SRC, "tun_src", "tun_ipv6_src"},
		{TN_FIELD_TUN_DST, "tun_dst", "tun_ipv6_dst"},
	};

	put_hex(p, "tun_id", TN_FIELD_TUNNEL_ID);
	for (int want_ip4 = 1; want_ip4 >= 0; want_ip4--) {
		for (size_t i = 0; i < TN_ARRAY_SIZE(ends); i++) {
			bool is_ip4 = tn_ofctl_is_mapped(tn_match_value(p->match, ends[i].id),
					      tn_match_mask(p->match, ends[i].id)) &&
				(uint32_t)tn_match_mask(p->match, ends[i].id) != 0;

			if (is_ip4 && want_ip4)
				put_ip4(p, ends[i].ip4, ends[i].id);
			else if (!is_ip4 && !want_ip4)
				put_ip6(p, ends[i].ip6, ends[i].id);
		}
	}
}

/* VID and priority of a tag that is present have names of their own; the rest is vlan_tci. */
static void put_vlan(const struct printing *p)
{
	unsigned vid = (unsigned)tn_match_value(p->match, TN_FIELD_VLAN_VID);
	unsigned vid_mask = (unsigned)tn_match_mask(p->match, TN_FIELD_VLAN_VID);
	unsigned pcp = (unsigned)tn_match_value(p->match, TN_FIELD_VLAN_PCP);
	unsigned pcp_mask = (unsigned)tn_match_mask(p->match, TN_FIELD_VLAN_PCP);
	unsigned id_mask = vid_mask & TN_VLAN_VID_MASK;

	if (!vid_mask && !pcp_mask)
		return;
	if (vid & TN_VLAN_PRESENT && (!id_mask || id_mask == TN_VLAN_VID_MASK) &&
		(id_mask || pcp_mask)) {
		if (id_mask)
			tn_ofctl_put(p->out, "dl_vlan=%u,", vid & TN_VLAN_VID_MASK);
		if (pcp_mask)
			tn_ofctl_put(p->out, "dl_vlan_pcp=%u,", pcp);
		return;
	}
	tn_ofctl_put(p->out, "vlan_tci=0x%04x", vid | pcp << 13);
	if ((vid_mask | pcp_mask << 13) != 0xffff)
		tn_ofctl_put(p->out, "/0x%04x", vid_mask | pcp_mask << 13);
	tn_ofctl_put(p->out, ",");
}

static void put_link(const struct printing *p, bool named_type)
{
	put_hex(p, "metadata", TN_FIELD_METADATA);
	put_port(p, "in_port", TN_FIELD_IN_PORT);
	put_port(p, "in_phy_port", TN_FIELD_IN_PHY_PORT);
	put_vlan(p);
	put_decimal(p, "inner_vlan_vid", TN_FIELD_INNER_VLAN_VID);
	put_decimal(p, "inner_vlan_pcp", TN_FIELD_INNER_VLAN_PCP);
	put_mac(p, "dl_src", TN_FIELD_ETH_SRC);
	put_mac(p, "dl_dst", TN_FIELD_ETH_DST);
	if (has(p, TN_FIELD_ETH_TYPE) && !named_type)
		tn_ofctl_put(p->out, "dl_type=0x%04x,",
			(unsigned)tn_match_value(p->match, TN_FIELD_ETH_TYPE));
}

static void put_network(const struct printing *p, bool named_proto)
{
	put_ip6(p, "ipv6_src", TN_FIELD_IPV6_SRC);
	put_ip6(p, "ipv6_dst", TN_FIELD_IPV6_DST);
	if (has(p, TN_FIELD_IPV6_FLABEL)) {
		unsigned mask = (unsigned)tn_match_mask(p->match, TN_FIELD_IPV6_FLABEL);

		tn_ofctl_put(p->out, mask == 0xfffff ? "ipv6_label=0x%05x," : "ipv6_label=0x%05x/",
			(unsigned)tn_match_value(p->match, TN_FIELD_IPV6_FLABEL));
		if (mask != 0xfffff)
			tn_ofctl_put(p->out, "0x%05x,", mask);
	}
	put_hex(p, "ipv6_exthdr", TN_FIELD_IPV6_EXTHDR);
	put_ip4(p, "nw_src", TN_FIELD_IPV4_SRC);
	put_ip4(p, "nw_dst", TN_FIELD_IPV4_DST);
	put_ip4(p, "arp_spa", TN_FIELD_ARP_SPA);
	put_ip4(p, "arp_tpa", TN_FIELD_ARP_TPA);
	if (!named_proto)
		put_decimal(p, "nw_proto", TN_FIELD_IP_PROTO);
	put_decimal(p, "arp_op", TN_FIELD_ARP_OP);
	put_mac(p, "arp_sha", TN_FIELD_ARP_SHA);
	put_mac(p, "arp_tha", TN_FIELD_ARP_THA);
	if (has(p, TN_FIELD_IP_DSCP))
		tn_ofctl_put(p->out, "nw_tos=%u,",
			(unsigned)tn_match_value(p->match, TN_FIELD_IP_DSCP) << 2);
	put_decimal(p, "nw_ecn", TN_FIELD_IP_ECN);
	put_decimal(p, "nw_ttl", TN_FIELD_IP_TTL);
	if (has(p, TN_FIELD_IP_FRAG)) {
		tn_ofctl_put(p->out, "nw_frag=");
		tn_ofctl_put_frag(p->out, (unsigned)tn_match_value(p->match, TN_FIELD_IP_FRAG),
			(unsigned)tn_match_mask(p->match, TN_FIELD_IP_FRAG));
		tn_ofctl_put(p->out, ",");
	}
}

static void put_transport(const struct printing *p)
{
	put_decimal(p, "icmp_type", TN_FIELD_ICMPV4_TYPE);
	put_decimal(p, "icmp_code", TN_FIELD_ICMPV4_CODE);
	put_decimal(p, "icmp_type", TN_FIELD_ICMPV6_TYPE);
	put_decimal(p, "icmp_code", TN_FIELD_ICMPV6_CODE);
	put_ip6(p, "nd_target", TN_FIELD_ND_TARGET);
	put_mac(p, "nd_sll", TN_FIELD_ND_SLL);
	put_mac(p, "nd_tll", TN_FIELD_ND_TLL);
	put_decimal(p, "tp_src", TN_FIELD_TCP_SRC);
	put_decimal(p, "tp_src", TN_FIELD_UDP_SRC);
	put_decimal(p, "tp_src", TN_FIELD_SCTP_SRC);
	put_decimal(p, "tp_dst", TN_FIELD_TCP_DST);
	put_decimal(p, "tp_dst", TN_FIELD_UDP_DST);
	put_decimal(p, "tp_dst", TN_FIELD_SCTP_DST);
	if (has(p, TN_FIELD_TCP_FLAGS)) {
		tn_ofctl_put(p->out, "tcp_flags=");
		tn_ofctl_put_tcp_flags(p->out,
			(unsigned)tn_match_value(p->match, TN_FIELD_TCP_FLAGS),
			(unsigned)tn_match_mask(p->match, TN_FIELD_TCP_FLAGS));
		tn_ofctl_put(p->out, ",");
	}
}

/* In the order of Open vSwitch; what it does not have follows what is nearest to it. */
void tn_ofctl_put_match(struct tn_ofctl_out *out, const struct tn_match *match)
{
	const struct printing p = {out, match, tn_match_fields(match)};
	unsigned eth_type = (unsigned)tn_match_value(match, TN_FIELD_ETH_TYPE);
	const char *type_word = NULL, *proto_word = NULL;

	if (has(&p, TN_FIELD_ETH_TYPE))
		type_word = protocol_word(eth_type, PROTO_NONE);
	if (type_word && has(&p, TN_FIELD_IP_PROTO) &&
		tn_match_value(match, TN_FIELD_IP_PROTO) != PROTO_NONE)
		proto_word =
			protocol_word(eth_type, (unsigned)tn_match_value(match, TN_FIELD_IP_PROTO));
	put_hex(&p, "pkt_mark", TN_FIELD_PKT_MARK);
	if (type_word)
		tn_ofctl_put(out, "%s,", proto_word ? proto_word : type_word);
	for (unsigned i = 0; i < TN_N_REGS; i++)
		put_hex(&p, tn_fields[TN_FIELD_REG0 + i].name,
			(enum tn_field_id)(TN_FIELD_REG0 + i));
	put_tunnel(&p);
	put_link(&p, type_word != NULL);
	put_network(&p, proto_word != NULL);
	put_transport(&p);
}
