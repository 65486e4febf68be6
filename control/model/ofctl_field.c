/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/ofctl_field.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Every field, in the order in which Open vSwitch lists them, with the name that is printed. */
struct named_field {
	const char *name;
	const char *alias; /* NULL: none */
	const char *nxm;   /* NXM name; NULL: OXM_OF_ and the OXM name */
	uint8_t format;
	uint8_t field;
};

#define NAMED(name, alias, nxm, format, field)                        \
	{                                                             \
		name, alias, nxm, TN_OFCTL_##format, TN_FIELD_##field \
	}
#define REGISTER(n) NAMED("reg" #n, NULL, "NXM_NX_REG" #n, HEX, REG##n)

static const struct named_field named_fields[] = {
	NAMED("tun_id", "tunnel_id", "NXM_NX_TUN_ID", HEX, TUNNEL_ID),
	NAMED("tun_ipv6_src", NULL, "NXM_NX_TUN_IPV6_SRC", IP6, TUN_SRC),
	NAMED("tun_ipv6_dst", NULL, "NXM_NX_TUN_IPV6_DST", IP6, TUN_DST),
	NAMED("metadata", NULL, NULL, HEX, METADATA),
	NAMED("in_port", "in_port_oxm", NULL, PORT, IN_PORT),
	NAMED("in_phy_port", NULL, NULL, PORT, IN_PHY_PORT),
	NAMED("pkt_mark", NULL, "NXM_NX_PKT_MARK", HEX, PKT_MARK),
	REGISTER(0),
	REGISTER(1),
	REGISTER(2),
	REGISTER(3),
	REGISTER(4),
	REGISTER(5),
	REGISTER(6),
	REGISTER(7),
	REGISTER(8),
	REGISTER(9),
	REGISTER(10),
	REGISTER(11),
	REGISTER(12),
	REGISTER(13),
	REGISTER(14),
	REGISTER(15),
	NAMED("eth_src", "dl_src", "NXM_OF_ETH_SRC", MAC, ETH_SRC),
	NAMED("eth_dst", "dl_dst", "NXM_OF_ETH_DST", MAC, ETH_DST),
	NAMED("eth_type", "dl_type", "NXM_OF_ETH_TYPE", HEX, ETH_TYPE),
	NAMED("vlan_vid", NULL, NULL, DECIMAL, VLAN_VID),
	NAMED("vlan_pcp", NULL, NULL, DECIMAL, VLAN_PCP),
	NAMED("inner_vlan_vid", NULL, "inner_vlan_vid", DECIMAL, INNER_VLAN_VID),
	NAMED("inner_vlan_pcp", NULL, "inner_vlan_pcp", DECIMAL, INNER_VLAN_PCP),
	NAMED("ip_src", "nw_src", "NXM_OF_IP_SRC", IP4, IPV4_SRC),
	NAMED("ip_dst", "nw_dst", "NXM_OF_IP_DST", IP4, IPV4_DST),
	NAMED("ipv6_src", NULL, "NXM_NX_IPV6_SRC", IP6, IPV6_SRC),
	NAMED("ipv6_dst", NULL, "NXM_NX_IPV6_DST", IP6, IPV6_DST),
	NAMED("ipv6_label", NULL, "NXM_NX_IPV6_LABEL", HEX, IPV6_FLABEL),
	NAMED("ipv6_exthdr", NULL, NULL, HEX, IPV6_EXTHDR),
	NAMED("nw_proto", "ip_proto", "NXM_OF_IP_PROTO", DECIMAL, IP_PROTO),
	NAMED("ip_dscp", NULL, NULL, DECIMAL, IP_DSCP),
	NAMED("nw_ecn", "ip_ecn", "NXM_NX_IP_ECN", DECIMAL, IP_ECN),
	NAMED("nw_ttl", NULL, "NXM_NX_IP_TTL", DECIMAL, IP_TTL),
	NAMED("ip_frag", "nw_frag", "NXM_NX_IP_FRAG", FRAG, IP_FRAG),
	NAMED("arp_op", NULL, "NXM_OF_ARP_OP", DECIMAL, ARP_OP),
	NAMED("arp_spa", NULL, "NXM_OF_ARP_SPA", IP4, ARP_SPA),
	NAMED("arp_tpa", NULL, "NXM_OF_ARP_TPA", IP4, ARP_TPA),
	NAMED("arp_sha", NULL, "NXM_NX_ARP_SHA", MAC, ARP_SHA),
	NAMED("arp_tha", NULL, "NXM_NX_ARP_THA", MAC, ARP_THA),
	NAMED("tcp_src", "tp_src", "NXM_OF_TCP_SRC", DECIMAL, TCP_SRC),
	NAMED("tcp_dst", "tp_dst", "NXM_OF_TCP_DST", DECIMAL, TCP_DST),
	NAMED("tcp_flags", NULL, "NXM_NX_TCP_FLAGS", TCP_FLAGS, TCP_FLAGS),
	NAMED("udp_src", NULL, "NXM_OF_UDP_SRC", DECIMAL, UDP_SRC),
	NAMED("udp_dst", NULL, "NXM_OF_UDP_DST", DECIMAL, UDP_DST),
	NAMED("sctp_src", NULL, NULL, DECIMAL, SCTP_SRC),
	NAMED("sctp_dst", NULL, NULL, DECIMAL, SCTP_DST),
	NAMED("icmp_type", NULL, "NXM_OF_ICMP_TYPE", DECIMAL, ICMPV4_TYPE),
	NAMED("icmp_code", NULL, "NXM_OF_ICMP_CODE", DECIMAL, ICMPV4_CODE),
	NAMED("icmpv6_type", NULL, "NXM_NX_ICMPV6_TYPE", DECIMAL, ICMPV6_TYPE),
	NAMED("icmpv6_code", NULL, "NXM_NX_ICMPV6_CODE", DECIMAL, ICMPV6_CODE),
	NAMED("nd_target", NULL, "NXM_NX_ND_TARGET", IP6, ND_TARGET),
	NAMED("nd_sll", NULL, "NXM_NX_ND_SLL", MAC, ND_SLL),
	NAMED("nd_tll", NULL, "NXM_NX_ND_TLL", MAC, ND_TLL),
};

TN_BUILD_ASSERT(TN_ARRAY_SIZE(named_fields) == TN_N_FIELDS, "a field has no name in text");

/* Views that are not one whole field. */
#define VIEW(view_name, view_format, view_bits) \
	.name = view_name, .format = TN_OFCTL_##view_format, .bits = view_bits
#define ONE_PIECE(id, id_ofs, view_ofs, bits) \
	.n_pieces = 1, .piece = {{TN_FIELD_##id, id_ofs, view_ofs, bits}}
#define WITH(id, value, mask) .with_field = TN_FIELD_##id, .with_value = value, .with_mask = mask
#define MAPPED		      ((tn_u128)0xffff << 32)
#define MAPPED_MASK	      (~(tn_u128)0 << 32)

static const struct special_view {
	const char *nxm; /* NULL: none */
	struct tn_ofctl_view view;
} special_views[] = {
	{"NXM_NX_TUN_IPV4_SRC",
		{VIEW("tun_src", IP4, 32), ONE_PIECE(TUN_SRC, 0, 0, 32),
			WITH(TUN_SRC, MAPPED, MAPPED_MASK)}},
	{"NXM_NX_TUN_IPV4_DST",
		{VIEW("tun_dst", IP4, 32), ONE_PIECE(TUN_DST, 0, 0, 32),
			WITH(TUN_DST, MAPPED, MAPPED_MASK)}},
	{"NXM_OF_IN_PORT",
		{VIEW(NULL, DECIMAL, 16), ONE_PIECE(IN_PORT, 0, 0, 16),
			WITH(IN_PORT, 0, 0xffff0000u)}},
	{"NXM_OF_VLAN_TCI",
		{VIEW("vlan_tci", HEX, 16), .n_pieces = 2,
			.piece = {{TN_FIELD_VLAN_VID, 0, 0, 13}, {TN_FIELD_VLAN_PCP, 0, 13, 3}}}},
	{NULL,
		{VIEW("dl_vlan", DECIMAL, 12), .exact_only = true, ONE_PIECE(VLAN_VID, 0, 0, 12),
			WITH(VLAN_VID, TN_VLAN_PRESENT, TN_VLAN_PRESENT)}},
	{NULL, {VIEW("dl_vlan_pcp", DECIMAL, 3), ONE_PIECE(VLAN_PCP, 0, 0, 3)}},
	{"NXM_OF_IP_TOS", {VIEW("nw_tos", DECIMAL, 8), ONE_PIECE(IP_DSCP, 0, 2, 6)}},
};

/* Fields of Open vSwitch that Tenon does not have; those that end in '*' by what they begin with.
 */
static const char *const foreign_fields[] = {
	"actset_output",
	"conj_id",
	"ct_*",
	"dp_hash",
	"mpls_*",
	"nd_options_type",
	"nd_reserved",
	"nsh_*",
	"nshc*",
	"nsi",
	"nsp",
	"packet_type",
	"recirc_id",
	"skb_priority",
	"tun_erspan_*",
	"tun_flags",
	"tun_gbp_*",
	"tun_gtpu_*",
	"tun_metadata*",
	"tun_tos",
	"tun_ttl",
};

/* Registers of more than 32 bits, by the words in front of their number. */
static const struct {
	const char *name, *nxm;
	uint8_t n_regs; /* that one of them spans */
} registers[] = {
	{"xreg", "OXM_OF_PKT_REG", 2},
	{"xxreg", "NXM_NX_XXREG", 4},
};

static void whole_field(const char *name, uint8_t format, uint8_t field, struct tn_ofctl_view *view)
{
	*view = (struct tn_ofctl_view){
		.name = name,
		.format = (enum tn_ofctl_format)format,
		.bits = tn_fields[field].bits,
		.n_pieces = 1,
		.piece = {{field, 0, 0, tn_fields[field].bits}},
	};
}

/* "reg12" after its prefix: the number, or -1. */
static int register_number(struct tn_ofctl_span name, const char *prefix, unsigned n)
{
	size_t len = strlen(prefix);
	tn_u128 number;

	if (name.n <= len || name.n > len + 2 || memcmp(name.p, prefix, len) != 0)
		return -1;
	if (name.n == len + 2 && name.p[len] == '0')
		return -1;
	if (tn_ofctl_scan_u128((struct tn_ofctl_span){name.p + len, name.n - len}, &number))
		return -1;
	return number < n ? (int)number : -1;
}

static bool register_view(struct tn_ofctl_span name, bool nxm, struct tn_ofctl_view *view)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(registers); i++) {
		unsigned n = registers[i].n_regs;
		int number = register_number(name, registers[i].name, TN_N_REGS / n);

		if (number < 0 && nxm)
			number = register_number(name, registers[i].nxm, TN_N_REGS / n);
		if (number < 0)
			continue;
		*view = (struct tn_ofctl_view){
			.format = TN_OFCTL_HEX,
			.bits = (uint8_t)(32 * n),
			.n_pieces = (uint8_t)n,
		};
		for (unsigned j = 0; j < n; j++) /* the last register has the lowest bits */
			view->piece[j] = (struct tn_ofctl_piece){
				(uint8_t)(TN_FIELD_REG0 + (unsigned)number * n + n - 1 - j), 0,
				(uint8_t)(32 * j), 32};
		return true;
	}
	return false;
}

/* OXM_OF_ETH_SRC and the like, for fields of OpenFlow's basic class. */
static bool is_oxm_name(struct tn_ofctl_span s, uint8_t field)
{
	static const char prefix[] = "OXM_OF_";
	const char *name = tn_fields[field].name;
	size_t len = sizeof(prefix) - 1;

	if (tn_fields[field].oxm < 0 || s.n != len + strlen(name) || memcmp(s.p, prefix, len) != 0)
		return false;
	for (size_t i = len; i < s.n; i++)
		if (s.p[i] != toupper((unsigned char)name[i - len]))
			return false;
	return true;
}

static bool has_name(const struct named_field *f, struct tn_ofctl_span s, bool nxm)
{
	if (tn_ofctl_is(s, f->name) || (f->alias && tn_ofctl_is(s, f->alias)))
		return true;
	return nxm && ((f->nxm && tn_ofctl_is(s, f->nxm)) || is_oxm_name(s, f->field));
}

static bool find_view(struct tn_ofctl_span name, bool nxm, struct tn_ofctl_view *view)
{
	if (register_view(name, nxm, view))
		return true;
	for (size_t i = 0; i < TN_ARRAY_SIZE(special_views); i++) {
		const struct special_view *s = &special_views[i];

		if ((s->view.name && tn_ofctl_is(name, s->view.name)) ||
			(nxm && s->nxm && tn_ofctl_is(name, s->nxm))) {
			*view = s->view;
			return true;
		}
	}
	for (size_t i = 0; i < TN_ARRAY_SIZE(named_fields); i++) {
		const struct named_field *f = &named_fields[i];

		if (has_name(f, name, nxm)) {
			whole_field(f->name, f->format, f->field, view);
			return true;
		}
	}
	return false;
}

bool tn_ofctl_view_by_name(struct tn_ofctl_span name, bool nxm, struct tn_ofctl_view *view)
{
	if (!find_view(name, nxm, view))
		return false;
	view->spelt = name;
	return true;
}

bool tn_ofctl_is_foreign_field(struct tn_ofctl_span name)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(foreign_fields); i++) {
		const char *f = foreign_fields[i];
		size_t n = strlen(f) - 1;

		if (f[n] == '*' ? name.n > n && memcmp(name.p, f, n) == 0 : tn_ofctl_is(name, f))
			return true;
	}
	return false;
}

static const struct named_field *named(enum tn_field_id id)
{
	const struct named_field *f = named_fields;

	while (f->field != id)
		f++;
	return f;
}

enum tn_field_id tn_ofctl_field_in_order(unsigned i)
{
	return (enum tn_field_id)named_fields[i].field;
}

void tn_ofctl_view_of(enum tn_field_id id, struct tn_ofctl_view *view)
{
	whole_field(tn_fields[id].name, TN_OFCTL_HEX, (uint8_t)id, view);
	for (size_t i = 0; i < TN_ARRAY_SIZE(named_fields); i++)
		if (named_fields[i].field == id)
			whole_field(
				named_fields[i].name, named_fields[i].format, (uint8_t)id, view);
}

void tn_ofctl_each_field(tn_ofctl_word_fn fn, void *ctx)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(named_fields); i++) {
		fn(ctx, named_fields[i].name, true);
		if (named_fields[i].alias)
			fn(ctx, named_fields[i].alias, true);
	}
	for (size_t i = 0; i < TN_ARRAY_SIZE(special_views); i++)
		if (special_views[i].view.name)
			fn(ctx, special_views[i].view.name, true);
}

static void try_field(void *near, const char *word, bool takes_value)
{
	(void)takes_value;
	tn_ofctl_near_try(near, word);
}

int tn_ofctl_no_field(struct tn_ofctl_line *l, struct tn_ofctl_span name, enum tn_of_error of)
{
	struct tn_ofctl_near near;

	if (tn_ofctl_is_foreign_field(name))
		return tn_ofctl_complain(l, name.p, of,
			"field %s is not supported by this switch; leave it out",
			tn_ofctl_show(name).s);
	tn_ofctl_near_init(&near, name);
	tn_ofctl_each_field(try_field, &near);
	return tn_ofctl_unknown(l, name, "field", &near, "ovs-fields(7) has the names");
}

/* "3..5" or "3" between the brackets. */
static bool scan_bits(struct tn_ofctl_span s, tn_u128 *first, tn_u128 *last)
{
	struct tn_ofctl_span a, b;

	if (tn_ofctl_split(s, "..", &a, &b))
		return !tn_ofctl_scan_u128(a, first) && !tn_ofctl_scan_u128(b, last);
	if (tn_ofctl_scan_u128(s, first))
		return false;
	*last = *first;
	return true;
}

/* vlan_vid without bits is the identifier; that a tag is present is a bit of its own. */
static unsigned whole_bits(const struct tn_ofctl_view *view)
{
	return view->piece[0].field == TN_FIELD_VLAN_VID && view->bits == 13 ? 12 : view->bits;
}

int tn_ofctl_parse_subfield(struct tn_ofctl_line *l, struct tn_ofctl_span s, bool nxm,
	enum tn_of_error of, struct tn_ofctl_subfield *sub)
{
	struct tn_ofctl_span name = s, bits = {NULL, 0};
	tn_u128 first = 0, last;

	if (tn_ofctl_split(s, "[", &name, &bits)) {
		if (bits.n == 0 || bits.p[bits.n - 1] != ']')
			return tn_ofctl_complain(l, bits.p, TN_OF_OK,
				"bits of a field end in ']'; write [], [3] or [0..15]");
		bits.n--;
	}
	if (!tn_ofctl_view_by_name(name, nxm, &sub->view))
		return tn_ofctl_no_field(l, name, of);
	last = whole_bits(&sub->view) - 1u;
	if (bits.n && !scan_bits(bits, &first, &last))
		return tn_ofctl_complain(l, bits.p, TN_OF_OK,
			"\"%s\" are no bits of a field; write [], [3] or [0..15]",
			tn_ofctl_show(bits).s);
	if (first > last)
		return tn_ofctl_complain(l, bits.p, of, "bits of %s go from low to high; swap them",
			tn_ofctl_show(name).s);
	if (last >= sub->view.bits)
		return tn_ofctl_complain(l, bits.p, of, "%s has bits 0 to %u only",
			tn_ofctl_show(name).s, sub->view.bits - 1u);
	sub->ofs = (uint8_t)first;
	sub->n_bits = (uint8_t)(last - first + 1);
	return 0;
}

static void put_nxm_name(struct tn_ofctl_out *out, enum tn_field_id id)
{
	const struct named_field *f = named(id);

	if (f->nxm) {
		tn_ofctl_put(out, "%s", f->nxm);
		return;
	}
	tn_ofctl_put(out, "OXM_OF_");
	for (const char *p = tn_fields[id].name; *p; p++)
		tn_ofctl_put(out, "%c", toupper((unsigned char)*p));
}

void tn_ofctl_put_subfield(struct tn_ofctl_out *out, enum tn_field_id id, unsigned ofs,
	unsigned n_bits, bool is_source)
{
	unsigned bits = tn_fields[id].bits, end = ofs + n_bits;

	if (id == TN_FIELD_IN_PORT && is_source && end <= 16) {
		tn_ofctl_put(out, "NXM_OF_IN_PORT");
		bits = 16;
	} else if ((id == TN_FIELD_TUN_SRC || id == TN_FIELD_TUN_DST) && is_source && end <= 32) {
		tn_ofctl_put(out, "NXM_NX_TUN_IPV4_%s", id == TN_FIELD_TUN_SRC ? "SRC" : "DST");
		bits = 32;
	} else {
		put_nxm_name(out, id);
		if (id == TN_FIELD_VLAN_VID)
			bits = 12;
	}
	if (ofs == 0 && n_bits == bits)
		tn_ofctl_put(out, "[]");
	else if (n_bits == 1)
		tn_ofctl_put(out, "[%u]", ofs);
	else
		tn_ofctl_put(out, "[%u..%u]", ofs, end - 1);
}
