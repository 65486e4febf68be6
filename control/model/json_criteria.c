/* SPDX-License-Identifier: BSD-3-Clause */
/* Selectors: criteria to matches and back. One table says all that differs between types. */
#include "control/model/json_codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum shape {
	UNSUPPORTED, /* key: why */
	NUMBER,
	ETHERTYPE,
	PORT,
	MAC,
	PREFIX,	 /* "addr/len" */
	ADDRESS, /* "addr", mask only where there is one */
	VLAN,
	FRAG,
	REG,
};

struct criterion {
	const char *type;
	enum shape shape;
	int field;
	const char *key, *mask_key;
	bool masked; /* the spelling that always has a mask */
};

static const char optical[] = "optical layers are not part of this switch";
static const char p4[] = "match a field of the flow key by its own type";
static const char opaque[] = "an opaque extension cannot be matched; use one of the other types";
static const char mpls[] = "MPLS is not part of this switch; match ETH_TYPE 0x8847 instead";
static const char pbb[] = "PBB is not part of this switch";
static const char conntrack[] = "this switch does not track connections";
static const char egress[] = "there are no egress tables and only Ethernet packets";

#define F(id) TN_FIELD_##id
#define NUM(type, field, key)                                  \
	{                                                      \
		type, NUMBER, F(field), key, key "Mask", false \
	}
#define L4(type, field, proto)                                                \
	{                                                                     \
		type, NUMBER, F(field), proto "Port", proto "PortMask", false \
	}
#define L4M(type, field, proto)                                          \
	{                                                                \
		type, NUMBER, F(field), proto "Port", proto "Mask", true \
	}
#define MACC(type, field)                                    \
	{                                                    \
		type, MAC, F(field), "mac", "macMask", false \
	}
#define NOT(type, why)                                  \
	{                                               \
		type, UNSUPPORTED, -1, why, NULL, false \
	}

/* Sorted by type. */
static const struct criterion criteria[] = {
	NOT("ACTSET_OUTPUT", egress),
	NUM("ARP_OP", ARP_OP, "arpOp"),
	MACC("ARP_SHA", ARP_SHA),
	{"ARP_SPA", PREFIX, F(ARP_SPA), "ip", NULL, false},
	MACC("ARP_THA", ARP_THA),
	{"ARP_TPA", PREFIX, F(ARP_TPA), "ip", NULL, false},
	NOT("CT_LABEL", conntrack),
	NOT("CT_MARK", conntrack),
	NOT("CT_STATE", conntrack),
	NOT("CT_ZONE", conntrack),
	MACC("ETH_DST", ETH_DST),
	{"ETH_DST_MASKED", MAC, F(ETH_DST), "mac", "macMask", true},
	MACC("ETH_SRC", ETH_SRC),
	{"ETH_SRC_MASKED", MAC, F(ETH_SRC), "mac", "macMask", true},
	{"ETH_TYPE", ETHERTYPE, F(ETH_TYPE), "ethType", "ethTypeMask", false},
	NOT("EXTENSION", opaque),
	NUM("ICMPV4_CODE", ICMPV4_CODE, "icmpCode"),
	NUM("ICMPV4_TYPE", ICMPV4_TYPE, "icmpType"),
	NUM("ICMPV6_CODE", ICMPV6_CODE, "icmpv6Code"),
	NUM("ICMPV6_TYPE", ICMPV6_TYPE, "icmpv6Type"),
	NUM("INNER_VLAN_PCP", INNER_VLAN_PCP, "innerPriority"),
	{"INNER_VLAN_VID", VLAN, F(INNER_VLAN_VID), "innerVlanId", "innerVlanIdMask", false},
	{"IN_PHY_PORT", PORT, F(IN_PHY_PORT), "port", "portMask", false},
	{"IN_PORT", PORT, F(IN_PORT), "port", "portMask", false},
	{"IPV4_DST", PREFIX, F(IPV4_DST), "ip", NULL, false},
	{"IPV4_SRC", PREFIX, F(IPV4_SRC), "ip", NULL, false},
	{"IPV6_DST", PREFIX, F(IPV6_DST), "ip", NULL, false},
	NUM("IPV6_EXTHDR", IPV6_EXTHDR, "exthdrFlags"),
	NUM("IPV6_FLABEL", IPV6_FLABEL, "flowLabel"),
	MACC("IPV6_ND_SLL", ND_SLL),
	{"IPV6_ND_TARGET", ADDRESS, F(ND_TARGET), "targetAddress", NULL, false},
	MACC("IPV6_ND_TLL", ND_TLL),
	{"IPV6_SRC", PREFIX, F(IPV6_SRC), "ip", NULL, false},
	NUM("IP_DSCP", IP_DSCP, "ipDscp"),
	NUM("IP_ECN", IP_ECN, "ipEcn"),
	{"IP_FRAG", FRAG, F(IP_FRAG), "frag", "fragMask", false},
	NUM("IP_PROTO", IP_PROTO, "protocol"),
	NUM("IP_TTL", IP_TTL, "ttl"),
	NUM("METADATA", METADATA, "metadata"),
	NOT("MPLS_BOS", mpls),
	NOT("MPLS_LABEL", mpls),
	NOT("MPLS_TC", mpls),
	NOT("OCH_SIGID", optical),
	NOT("OCH_SIGTYPE", optical),
	NOT("ODU_SIGID", optical),
	NOT("ODU_SIGTYPE", optical),
	NOT("PACKET_TYPE", egress),
	NOT("PBB_ISID", pbb),
	NOT("PBB_UCA", pbb),
	NUM("PKT_MARK", PKT_MARK, "mark"),
	NOT("PROTOCOL_INDEPENDENT", p4),
	{"REG", REG, F(REG0), "value", "valueMask", false},
	L4("SCTP_DST", SCTP_DST, "sctp"),
	L4M("SCTP_DST_MASKED", SCTP_DST, "sctp"),
	L4("SCTP_SRC", SCTP_SRC, "sctp"),
	L4M("SCTP_SRC_MASKED", SCTP_SRC, "sctp"),
	L4("TCP_DST", TCP_DST, "tcp"),
	L4M("TCP_DST_MASKED", TCP_DST, "tcp"),
	NUM("TCP_FLAGS", TCP_FLAGS, "flags"),
	L4("TCP_SRC", TCP_SRC, "tcp"),
	L4M("TCP_SRC_MASKED", TCP_SRC, "tcp"),
	NUM("TUNNEL_ID", TUNNEL_ID, "tunnelId"),
	{"TUN_DST", PREFIX, F(TUN_DST), "ip", NULL, false},
	{"TUN_SRC", PREFIX, F(TUN_SRC), "ip", NULL, false},
	L4("UDP_DST", UDP_DST, "udp"),
	L4M("UDP_DST_MASKED", UDP_DST, "udp"),
	L4("UDP_SRC", UDP_SRC, "udp"),
	L4M("UDP_SRC_MASKED", UDP_SRC, "udp"),
	NUM("VLAN_PCP", VLAN_PCP, "priority"),
	{"VLAN_VID", VLAN, F(VLAN_VID), "vlanId", "vlanIdMask", false},
};

#define N_CRITERIA TN_ARRAY_SIZE(criteria)

static int compare_type(const void *key, const void *element)
{
	const struct tn_json_string *s = key;
	const struct criterion *c = element;
	size_t len = strlen(c->type);
	int order = memcmp(s->p, c->type, s->len < len ? s->len : len);

	return order ? order : (s->len > len) - (s->len < len);
}

static const struct criterion *find_criterion(struct tn_json_string type)
{
	return bsearch(&type, criteria, N_CRITERIA, sizeof(*criteria), compare_type);
}

static enum tn_json_family family(int field)
{
	if (field == TN_FIELD_TUN_SRC || field == TN_FIELD_TUN_DST)
		return TN_JSON_IP_ANY;
	return tn_fields[field].bits == 32 ? TN_JSON_IP4 : TN_JSON_IP6;
}

/* Reading. */

/* One criterion as it was read, before the match is put together. */
struct term {
	tn_json_ref at, mask_at;
	const struct criterion *c;
	enum tn_field_id field;
	tn_u128 value, mask;
};

static const struct {
	const char *word;
	uint8_t value, mask;
} frag_words[] = {
	{"no", 0, TN_FRAG_ANY | TN_FRAG_LATER},
	{"yes", TN_FRAG_ANY, TN_FRAG_ANY},
	{"first", TN_FRAG_ANY, TN_FRAG_ANY | TN_FRAG_LATER},
	{"later", TN_FRAG_ANY | TN_FRAG_LATER, TN_FRAG_ANY | TN_FRAG_LATER},
	{"not_later", 0, TN_FRAG_LATER},
};

static bool read_number(struct tn_json_reader *r, tn_json_ref v, uint64_t max, struct term *t)
{
	uint64_t u;

	if (!tn_json_unsigned(r, v, 0, max, TN_OFPBMC_BAD_VALUE, &u))
		return false;
	t->value = u;
	return true;
}

static bool read_mac(struct tn_json_reader *r, tn_json_ref v, tn_u128 *out)
{
	uint64_t mac;

	if (!tn_json_mac(r, v, &mac))
		return false;
	*out = mac;
	return true;
}

static bool read_in_port(struct tn_json_reader *r, tn_json_ref v, struct term *t)
{
	uint32_t port;
	char found[96];

	if (!tn_json_port(r, v, TN_OFPBMC_BAD_VALUE, &port))
		return false;
	if (port == TN_PORT_NONE_YET ||
		(port > TN_PORT_MAX && port != TN_PORT_LOCAL && port != TN_PORT_CONTROLLER))
		return tn_json_error(r, v, TN_OFPBMC_BAD_VALUE,
			"no packet comes in by port %s; give 1 to 4294967040, LOCAL or CONTROLLER",
			tn_json_describe(v, found, sizeof(found)));
	t->value = port;
	return true;
}

/* -1: untagged; 4096: any tag; else the VID of a tag. With a mask the 13 bits as they are. */
static bool read_vlan(struct tn_json_reader *r, tn_json_ref v, struct term *t)
{
	int64_t vid;

	if (t->mask_at)
		return read_number(r, v, 0x1fff, t);
	if (!tn_json_signed(r, v, -1, 4096, TN_OFPBMC_BAD_VALUE, &vid))
		return false;
	if (vid < 0) {
		t->value = 0;
	} else if (vid == 4096) {
		t->value = TN_VLAN_PRESENT;
		t->mask = TN_VLAN_PRESENT;
	} else {
		t->value = TN_VLAN_PRESENT | (uint64_t)vid;
	}
	return true;
}

static bool read_frag(struct tn_json_reader *r, tn_json_ref v, struct term *t)
{
	char found[96];
	size_t i;

	if (v->type != TN_JSON_STRING || t->mask_at)
		return read_number(r, v, 3, t);
	for (i = 0; i < TN_ARRAY_SIZE(frag_words); i++)
		if (tn_json_string_is(v->string, frag_words[i].word)) {
			t->value = frag_words[i].value;
			t->mask = frag_words[i].mask;
			return true;
		}
	return tn_json_error(r, v, TN_OFPBMC_BAD_VALUE,
		"\"frag\" is %s; give no, yes, first, later or not_later",
		tn_json_describe(v, found, sizeof(found)));
}

static bool read_value(struct tn_json_reader *r, tn_json_ref v, struct term *t)
{
	switch (t->c->shape) {
	case NUMBER:
	case ETHERTYPE:
	case REG:
		return read_number(r, v, (uint64_t)tn_field_ones(t->field), t);
	case PORT:
		return read_in_port(r, v, t);
	case MAC:
		return read_mac(r, v, &t->value);
	case PREFIX:
	case ADDRESS:
		return tn_json_prefix(r, v, family(t->c->field), &t->value, &t->mask);
	case VLAN:
		return read_vlan(r, v, t);
	case FRAG:
		return read_frag(r, v, t);
	case UNSUPPORTED:
		break;
	}
	return false;
}

static bool read_mask(struct tn_json_reader *r, struct term *t)
{
	tn_u128 ones = tn_field_ones(t->field);
	uint64_t u;

	if (!t->mask_at)
		return true;
	if (t->c->shape == MAC) {
		if (!read_mac(r, t->mask_at, &t->mask))
			return false;
	} else {
		if (!tn_json_unsigned(r, t->mask_at, 0, (uint64_t)ones, TN_OFPBMC_BAD_MASK, &u))
			return false;
		t->mask = u;
	}
	if (t->mask && t->mask != ones && !tn_fields[t->field].maskable)
		return tn_json_error(r, t->mask_at, TN_OFPBMC_BAD_MASK,
			"%s takes no mask; match its whole value or leave it out", t->c->type);
	return true;
}

/* REG names its register beside the value. */
static bool read_reg(struct tn_json_reader *r, tn_json_ref v, struct term *t)
{
	tn_json_ref reg = tn_json_needed(r, v, "criterion REG", "reg");
	uint64_t u;

	if (!reg || !tn_json_unsigned(r, reg, 0, TN_N_REGS - 1, TN_OFPBMC_BAD_FIELD, &u))
		return false;
	t->field = (enum tn_field_id)(TN_FIELD_REG0 + u);
	return true;
}

static bool unknown_criterion(struct tn_json_reader *r, tn_json_ref at, struct tn_json_string type)
{
	const char *words[N_CRITERIA + 1];
	char hint[96], quoted[96];
	size_t i, n = 0;

	for (i = 0; i < N_CRITERIA; i++)
		if (criteria[i].shape != UNSUPPORTED)
			words[n++] = criteria[i].type;
	words[n] = NULL;
	return tn_json_error(r, at, TN_OFPBMC_BAD_FIELD,
		"no criterion has the type %s%s; see the list of criteria",
		tn_json_quote(type, quoted, sizeof(quoted)),
		tn_json_suggest(type, words, hint, sizeof(hint)));
}

static bool read_criterion(struct tn_json_reader *r, tn_json_ref v, struct term *t)
{
	struct tn_json_string type;
	char what[64];
	tn_json_ref value;
	bool ok;

	if (!tn_json_read_type(r, v, "criterion", &type))
		return false;
	t->c = find_criterion(type);
	t->at = v;
	if (!t->c)
		return unknown_criterion(r, v, type);
	if (t->c->shape == UNSUPPORTED)
		return tn_json_error(r, v, TN_OFPBMC_BAD_FIELD, "criterion %s is not supported: %s",
			t->c->type, t->c->key);
	(void)tn_json_join(what, sizeof(what), "criterion ", t->c->type);
	t->field = (enum tn_field_id)t->c->field;
	ok = tn_json_only(r, v, what,
		(const char *const[]){"type", t->c->key, t->c->mask_key ? t->c->mask_key : "type",
			t->c->shape == REG ? "reg" : "type", NULL});
	if (t->c->shape == REG && !read_reg(r, v, t))
		return false;
	t->mask = tn_field_ones(t->field);
	t->mask_at = t->c->mask_key ? tn_json_member(r, v, t->c->mask_key) : NULL;
	if (t->c->masked && !t->mask_at)
		return tn_json_needed(r, v, what, t->c->mask_key) != NULL;
	value = tn_json_needed(r, v, what, t->c->key);
	return value && read_value(r, value, t) && read_mask(r, t) && ok;
}

/* In words of JSON, what a prerequisite wants of the selector. */
static const char *prereq_words(enum tn_prereq p)
{
	static const char *const words[] = {
		[TN_PREREQ_NONE] = "nothing",
		[TN_PREREQ_IN_PORT] = "IN_PORT",
		[TN_PREREQ_VLAN] = "VLAN_VID of a tag (a VID, or 4096 for any)",
		[TN_PREREQ_ARP] = "ETH_TYPE 0x806 or 0x8035",
		[TN_PREREQ_IP] = "ETH_TYPE 0x800 or 0x86dd",
		[TN_PREREQ_IPV4] = "ETH_TYPE 0x800",
		[TN_PREREQ_IPV6] = "ETH_TYPE 0x86dd",
		[TN_PREREQ_TCP] = "ETH_TYPE 0x800 or 0x86dd and IP_PROTO 6",
		[TN_PREREQ_UDP] = "ETH_TYPE 0x800 or 0x86dd and IP_PROTO 17",
		[TN_PREREQ_SCTP] = "ETH_TYPE 0x800 or 0x86dd and IP_PROTO 132",
		[TN_PREREQ_ICMPV4] = "ETH_TYPE 0x800 and IP_PROTO 1",
		[TN_PREREQ_ICMPV6] = "ETH_TYPE 0x86dd and IP_PROTO 58",
		[TN_PREREQ_ND] = "ETH_TYPE 0x86dd, IP_PROTO 58 and ICMPV6_TYPE 135 or 136",
		[TN_PREREQ_ND_NS] = "ETH_TYPE 0x86dd, IP_PROTO 58 and ICMPV6_TYPE 135",
		[TN_PREREQ_ND_NA] = "ETH_TYPE 0x86dd, IP_PROTO 58 and ICMPV6_TYPE 136",
	};

	return words[p];
}

/* How many prerequisites stand before a field's own: fields are set in this order. */
static unsigned prereq_rank(enum tn_prereq p)
{
	if (p == TN_PREREQ_NONE)
		return 0;
	if (p <= TN_PREREQ_IPV6)
		return 1;
	return p <= TN_PREREQ_ICMPV6 ? 2 : 3;
}

#define N_RANKS 4

#define BIT(field) (UINT64_C(1) << TN_FIELD_##field)
#define PREREQ_FIELDS \
	(BIT(IN_PORT) | BIT(VLAN_VID) | BIT(ETH_TYPE) | BIT(IP_PROTO) | BIT(ICMPV6_TYPE))

/* The fields that a prerequisite looks at. */
static uint64_t prereq_fields(enum tn_prereq p)
{
	static const uint64_t by_rank[] = {0, BIT(ETH_TYPE), BIT(ETH_TYPE) | BIT(IP_PROTO),
		BIT(ETH_TYPE) | BIT(IP_PROTO) | BIT(ICMPV6_TYPE)};

	if (p == TN_PREREQ_IN_PORT)
		return BIT(IN_PORT);
	return p == TN_PREREQ_VLAN ? BIT(VLAN_VID) : by_rank[prereq_rank(p)];
}

/* The criteria of one selector. */
struct terms {
	struct term list[TN_N_FIELDS];
	size_t n;
	uint64_t seen; /* fields */
	uint64_t lost; /* fields of criteria that were refused */
};

/* Sets one field, whose prerequisites are set if they are there at all. */
static bool set_term(struct tn_json_reader *r, const struct terms *terms, const struct term *t,
	struct tn_match *match)
{
	enum tn_prereq p = tn_fields[t->field].prereq;
	struct tn_error err;

	if (t->mask == 0)
		return true;
	/* What a criterion needs may be among those that are refused already. */
	if (!tn_match_prereq_ok(match, t->field))
		return !(prereq_fields(p) & terms->lost) &&
			tn_json_error(r, t->at, TN_OFPBMC_BAD_PREREQ, "%s needs %s in the selector",
				t->c->type, prereq_words(p));
	if (tn_match_set(match, t->field, t->value, t->mask, &err))
		return tn_json_error(r, t->at, err.of, "%s", err.detail);
	return true;
}

static bool build_match(struct tn_json_reader *r, const struct terms *terms, struct tn_match *match)
{
	const struct term *t;
	unsigned rank;
	bool ok = true;
	size_t i;

	for (rank = 0; rank < N_RANKS; rank++)
		for (i = 0; i < terms->n; i++) {
			t = &terms->list[i];
			if (prereq_rank(tn_fields[t->field].prereq) == rank)
				ok &= set_term(r, terms, t, match);
		}
	return ok;
}

static bool add_term(struct tn_json_reader *r, struct terms *terms, const struct term *t)
{
	uint64_t bit = UINT64_C(1) << t->field;

	if (terms->seen & bit)
		return tn_json_error(r, t->at, TN_OFPBMC_DUP_FIELD,
			"%s: its field is matched by an earlier criterion; keep one of the two",
			t->c->type);
	terms->seen |= bit;
	terms->list[terms->n++] = *t;
	return true;
}

static bool read_criteria(
	struct tn_json_reader *r, tn_json_ref array, struct tn_match *match, bool *sure)
{
	tn_json_ref v = tn_json_first(array);
	struct terms terms;
	bool ok = true;
	uint32_t i;

	terms.n = 0;
	terms.seen = terms.lost = 0;
	for (i = 0; i < array->n; i++, v = tn_json_next(r->tape, v)) {
		struct term t = {0};

		if (read_criterion(r, v, &t)) {
			ok &= add_term(r, &terms, &t);
		} else {
			ok = false;
			terms.lost |= t.c && t.c->shape != UNSUPPORTED ? UINT64_C(1) << t.c->field
								       : UINT64_MAX;
		}
	}
	*sure = !(terms.lost & PREREQ_FIELDS);
	return build_match(r, &terms, match) && ok;
}

bool tn_json_read_selector(
	struct tn_json_reader *r, tn_json_ref v, struct tn_match *match, bool *sure)
{
	static const struct tn_json_key keys[] = {TN_JSON_KEY("criteria")};
	tn_json_ref array;
	bool ok;

	*sure = false;
	if (!tn_json_is_object(r, v, "an object with \"criteria\""))
		return false;
	ok = tn_json_members(r, v, "selector", keys, TN_ARRAY_SIZE(keys), &array);
	*sure = ok;
	if (!array)
		return ok;
	return tn_json_is_array(r, array, "an array of criteria") &&
		read_criteria(r, array, match, sure) && ok;
}

/* Writing. */

static void write_vlan(json_t *o, const struct criterion *c, uint64_t value, uint64_t mask)
{
	if (mask == 0x1fff && (value & TN_VLAN_PRESENT)) {
		json_object_set_new(o, c->key, json_integer((json_int_t)(value & 0xfff)));
	} else if (mask == 0x1fff && value == 0) {
		json_object_set_new(o, c->key, json_integer(-1));
	} else if (mask == TN_VLAN_PRESENT && value == TN_VLAN_PRESENT) {
		json_object_set_new(o, c->key, json_integer(4096));
	} else {
		json_object_set_new(o, c->key, json_integer((json_int_t)value));
		json_object_set_new(o, c->mask_key, json_integer((json_int_t)mask));
	}
}

static void write_frag(json_t *o, const struct criterion *c, uint64_t value, uint64_t mask)
{
	size_t i;

	for (i = 0; i < TN_ARRAY_SIZE(frag_words); i++)
		if (frag_words[i].value == value && frag_words[i].mask == mask) {
			json_object_set_new(o, c->key, json_string(frag_words[i].word));
			return;
		}
	json_object_set_new(o, c->key, json_integer((json_int_t)value));
	json_object_set_new(o, c->mask_key, json_integer((json_int_t)mask));
}

static void write_ethertype(json_t *o, const struct criterion *c, uint64_t value)
{
	char s[16];

	snprintf(s, sizeof(s), "0x%x", (unsigned)value);
	json_object_set_new(o, c->key, json_string(s));
}

static void write_value(
	json_t *o, const struct criterion *c, enum tn_field_id field, tn_u128 value, tn_u128 mask)
{
	tn_u128 ones = tn_field_ones(field);

	switch (c->shape) {
	case ETHERTYPE:
		write_ethertype(o, c, (uint64_t)value);
		break;
	case VLAN:
		write_vlan(o, c, (uint64_t)value, (uint64_t)mask);
		return;
	case FRAG:
		write_frag(o, c, (uint64_t)value, (uint64_t)mask);
		return;
	case PREFIX:
		json_object_set_new(o, c->key, tn_json_from_prefix(value, mask, family(c->field)));
		return;
	case ADDRESS:
		json_object_set_new(o, c->key,
			mask == ones ? tn_json_from_address(value, family(c->field))
				     : tn_json_from_prefix(value, mask, family(c->field)));
		return;
	case PORT:
		json_object_set_new(o, c->key, tn_json_from_port_number((uint32_t)value));
		break;
	case MAC:
		json_object_set_new(o, c->key, tn_json_from_mac((uint64_t)value));
		if (mask != ones)
			json_object_set_new(o, c->mask_key, tn_json_from_mac((uint64_t)mask));
		return;
	case REG:
		json_object_set_new(o, "reg", json_integer(field - TN_FIELD_REG0));
		__attribute__((fallthrough));
	case NUMBER:
		json_object_set_new(o, c->key, tn_json_from_u64((uint64_t)value));
		break;
	case UNSUPPORTED:
		return;
	}
	if (mask != ones)
		json_object_set_new(o, c->mask_key, tn_json_from_u64((uint64_t)mask));
}

/* The type that prints a field: the masked spelling for a mask, where there is one. */
static const struct criterion *spelling(enum tn_field_id field, bool masked)
{
	const struct criterion *found = NULL;
	size_t i;

	if (field > TN_FIELD_REG0 && field <= TN_FIELD_REG15)
		field = TN_FIELD_REG0;
	for (i = 0; i < N_CRITERIA; i++) {
		if (criteria[i].field != (int)field || (criteria[i].masked && !masked))
			continue;
		found = &criteria[i];
		if (criteria[i].masked == masked)
			break;
	}
	return found;
}

json_t *tn_json_write_selector(const struct tn_match *match)
{
	json_t *selector = json_object(), *array = json_array(), *o;
	uint64_t fields = tn_match_fields(match);
	const struct criterion *c;
	enum tn_field_id field;
	tn_u128 mask;

	for (; fields; fields &= fields - 1) {
		field = (enum tn_field_id)__builtin_ctzll(fields);
		mask = tn_match_mask(match, field);
		c = spelling(field, mask != tn_field_ones(field));
		o = json_object();
		json_object_set_new(o, "type", json_string(c->type));
		write_value(o, c, field, tn_match_value(match, field), mask);
		json_array_append_new(array, o);
	}
	json_object_set_new(selector, "criteria", array);
	return selector;
}
