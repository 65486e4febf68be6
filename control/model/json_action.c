/* SPDX-License-Identifier: BSD-3-Clause */
/* Single actions in both directions. Tables hold what the many set-field spellings differ in. */
#include "control/model/json_codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char modification[][16] = {"L2MODIFICATION", "L3MODIFICATION", "L4MODIFICATION"};
static const char *const instruction_of[] = {"instruction L2MODIFICATION/",
	"instruction L3MODIFICATION/", "instruction L4MODIFICATION/"};

enum set_shape { NUMBER, MAC, ADDRESS };

/* A subtype of L2-, L3- or L4MODIFICATION that sets one field. */
struct set_kind {
	uint8_t layer; /* place in modification[] */
	uint8_t field;
	const char *subtype;
	enum set_shape shape;
	const char *key;
};

static const struct set_kind set_kinds[] = {
	{0, TN_FIELD_ETH_DST, "ETH_DST", MAC, "mac"},
	{0, TN_FIELD_ETH_SRC, "ETH_SRC", MAC, "mac"},
	{0, TN_FIELD_TUNNEL_ID, "TUNNEL_ID", NUMBER, "tunnelId"},
	{0, TN_FIELD_TUN_DST, "TUNNEL_DST", ADDRESS, "ip"},
	{0, TN_FIELD_TUN_SRC, "TUNNEL_SRC", ADDRESS, "ip"},
	{0, TN_FIELD_VLAN_PCP, "VLAN_PCP", NUMBER, "vlanPcp"},
	{1, TN_FIELD_IPV4_SRC, "IPV4_SRC", ADDRESS, "ip"},
	{1, TN_FIELD_IPV4_DST, "IPV4_DST", ADDRESS, "ip"},
	{1, TN_FIELD_IPV6_SRC, "IPV6_SRC", ADDRESS, "ip"},
	{1, TN_FIELD_IPV6_DST, "IPV6_DST", ADDRESS, "ip"},
	{1, TN_FIELD_IPV6_FLABEL, "IPV6_FLABEL", NUMBER, "flowLabel"},
	{1, TN_FIELD_IP_DSCP, "IP_DSCP", NUMBER, "ipDscp"},
	{1, TN_FIELD_IP_ECN, "IP_ECN", NUMBER, "ipEcn"},
	{1, TN_FIELD_IP_TTL, "SET_TTL", NUMBER, "ttl"},
	{1, TN_FIELD_ARP_OP, "ARP_OP", NUMBER, "arpOp"},
	{1, TN_FIELD_ARP_SPA, "ARP_SPA", ADDRESS, "ip"},
	{1, TN_FIELD_ARP_TPA, "ARP_TPA", ADDRESS, "ip"},
	{1, TN_FIELD_ARP_SHA, "ARP_SHA", MAC, "mac"},
	{1, TN_FIELD_ARP_THA, "ARP_THA", MAC, "mac"},
	{2, TN_FIELD_TCP_SRC, "TCP_SRC", NUMBER, "tcpPort"},
	{2, TN_FIELD_TCP_DST, "TCP_DST", NUMBER, "tcpPort"},
	{2, TN_FIELD_UDP_SRC, "UDP_SRC", NUMBER, "udpPort"},
	{2, TN_FIELD_UDP_DST, "UDP_DST", NUMBER, "udpPort"},
};

/* Subtypes that are not a set-field alone. */
enum other_kind { VLAN_ID, VLAN_PUSH, PLAIN, UNSUPPORTED_SET, UNSUPPORTED };

struct other {
	uint8_t layer;
	const char *subtype;
	enum other_kind kind;
	uint8_t action; /* PLAIN */
};

static const struct other others[] = {
	{0, "VLAN_ID", VLAN_ID, 0},
	{0, "VLAN_PUSH", VLAN_PUSH, 0},
	{0, "VLAN_POP", PLAIN, TN_ACTION_POP_VLAN},
	{0, "MPLS_LABEL", UNSUPPORTED_SET, 0},
	{0, "MPLS_BOS", UNSUPPORTED_SET, 0},
	{0, "MPLS_PUSH", UNSUPPORTED, 0},
	{0, "MPLS_POP", UNSUPPORTED, 0},
	{0, "DEC_MPLS_TTL", UNSUPPORTED, 0},
	{1, "DEC_TTL", PLAIN, TN_ACTION_DEC_TTL},
	{1, "TTL_IN", PLAIN, TN_ACTION_COPY_TTL_IN},
	{1, "TTL_OUT", PLAIN, TN_ACTION_COPY_TTL_OUT},
};

static const char *const reasons[] = {
	[TN_PACKET_IN_NO_MATCH] = "NO_MATCH",
	[TN_PACKET_IN_APPLY_ACTION] = "APPLY_ACTION",
	[TN_PACKET_IN_INVALID_TTL] = "INVALID_TTL",
	[TN_PACKET_IN_ACTION_SET] = "ACTION_SET",
	[TN_PACKET_IN_GROUP] = "GROUP",
	[TN_PACKET_IN_PACKET_OUT] = "PACKET_OUT",
};

/* The members of one instruction that a reader asks for. */
#define KEYS(...) ((const char *const[]){"type", __VA_ARGS__, NULL})

/* Reading. */

struct tn_action *tn_json_add_action(
	struct tn_json_reader *r, tn_json_ref at, struct tn_json_actions *l, uint8_t type)
{
	struct tn_action *a;

	if (l->n >= TN_ACTIONS_MAX) {
		if (!l->lost)
			tn_json_error(r, at, TN_OFPBAC_TOO_MANY,
				"more than %u actions in one list; use a group or several tables",
				TN_ACTIONS_MAX);
		l->lost = true;
		return NULL;
	}
	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 8;
		l->list = realloc(l->list, l->room * sizeof(*l->list));
		l->at = realloc(l->at, l->room * sizeof(*l->at));
		if (!l->list || !l->at)
			abort();
	}
	l->at[l->n] = at;
	a = &l->list[l->n++];
	memset(a, 0, sizeof(*a));
	a->type = type;
	return a;
}

/* Integer member `key` that must be there. */
static bool read_number(struct tn_json_reader *r, tn_json_ref v, const char *what, const char *key,
	uint64_t max, enum tn_of_error of, uint64_t *out)
{
	tn_json_ref m = tn_json_needed(r, v, what, key);

	return m && tn_json_unsigned(r, m, 0, max, of, out);
}

/* Integer member `key`, *out left alone when it is absent. */
static bool read_optional(struct tn_json_reader *r, tn_json_ref v, const char *key, uint64_t max,
	enum tn_of_error of, uint64_t *out)
{
	tn_json_ref m = tn_json_member(r, v, key);

	return !m || tn_json_unsigned(r, m, 0, max, of, out);
}

static bool read_reason(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	tn_json_ref m = tn_json_member(r, v, "reason");
	char found[96];
	uint8_t i;

	if (!m)
		return true;
	if (a->output.port != TN_PORT_CONTROLLER)
		return tn_json_error(r, m, TN_OFPBAC_BAD_ARGUMENT,
			"\"reason\" belongs to output to CONTROLLER; remove it");
	for (i = 0; i < TN_ARRAY_SIZE(reasons); i++)
		if (m->type == TN_JSON_STRING && tn_json_string_is(m->string, reasons[i])) {
			a->output.reason = i;
			return true;
		}
	return tn_json_error(r, m, TN_OFPBAC_BAD_ARGUMENT,
		"\"reason\" is %s; give NO_MATCH, APPLY_ACTION, INVALID_TTL, ACTION_SET, GROUP or "
		"PACKET_OUT",
		tn_json_describe(m, found, sizeof(found)));
}

static bool read_output(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	static const char what[] = "instruction OUTPUT";
	bool ok = tn_json_only(r, v, what, KEYS("port", "maxLen", "reason"));
	tn_json_ref port = tn_json_needed(r, v, what, "port");
	uint64_t max_len;

	if (!port || !tn_json_port(r, port, TN_OFPBAC_BAD_OUT_PORT, &a->output.port))
		return false;
	max_len = a->output.port == TN_PORT_CONTROLLER ? TN_CONTROLLER_MAX_LEN_WHOLE : 0;
	ok &= read_optional(r, v, "maxLen", UINT16_MAX, TN_OFPBAC_BAD_ARGUMENT, &max_len);
	a->output.max_len = (uint16_t)max_len;
	a->output.reason = TN_REASON_DEFAULT;
	return read_reason(r, v, a) && ok;
}

static bool read_group(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	static const char what[] = "instruction GROUP";
	bool ok = tn_json_only(r, v, what, KEYS("groupId"));
	uint64_t id;

	if (!read_number(r, v, what, "groupId", TN_GROUP_MAX, TN_OFPBAC_BAD_OUT_GROUP, &id))
		return false;
	a->group_id = (uint32_t)id;
	return ok;
}

/* ONOS may write a port beside the queue; the OUTPUT that follows says it. */
static bool read_queue(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	static const char what[] = "instruction QUEUE";
	bool ok = tn_json_only(r, v, what, KEYS("queueId", "port"));
	tn_json_ref port = tn_json_member(r, v, "port");
	uint32_t unused;
	uint64_t id;

	if (port && !tn_json_port(r, port, TN_OFPBAC_BAD_OUT_PORT, &unused))
		ok = false;
	if (!read_number(r, v, what, "queueId", UINT32_MAX, TN_OFPBAC_BAD_QUEUE, &id))
		return false;
	a->queue_id = (uint32_t)id;
	return ok;
}

static bool read_truncate(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	static const char what[] = "instruction TRUNCATE";
	bool ok = tn_json_only(r, v, what, KEYS("maxLen"));
	uint64_t n;

	if (!read_number(r, v, what, "maxLen", UINT32_MAX, TN_OFPBAC_BAD_ARGUMENT, &n))
		return false;
	a->max_len = (uint32_t)n;
	return ok;
}

static enum tn_json_family family(unsigned field)
{
	if (field == TN_FIELD_TUN_SRC || field == TN_FIELD_TUN_DST)
		return TN_JSON_IP_ANY;
	return tn_fields[field].bits == 32 ? TN_JSON_IP4 : TN_JSON_IP6;
}

static bool read_set_value(struct tn_json_reader *r, tn_json_ref v, unsigned field,
	enum set_shape shape, enum tn_of_error of, tn_u128 *out)
{
	uint64_t u;

	if (shape == ADDRESS)
		return tn_json_address(r, v, family(field), out);
	if (shape == MAC ? !tn_json_mac(r, v, &u)
			 : !tn_json_unsigned(r, v, 0,
				   (uint64_t)tn_field_ones((enum tn_field_id)field), of, &u))
		return false;
	*out = u;
	return true;
}

/* How generic SET_FIELD writes a field's value. */
static enum set_shape field_shape(unsigned field)
{
	switch (field) {
	case TN_FIELD_IPV4_SRC:
	case TN_FIELD_IPV4_DST:
	case TN_FIELD_ARP_SPA:
	case TN_FIELD_ARP_TPA:
		return ADDRESS;
	default:
		return tn_fields[field].bits == 128   ? ADDRESS
			: tn_fields[field].bits == 48 ? MAC
						      : NUMBER;
	}
}

/* The field that member `key` names. */
static bool read_field_name(
	struct tn_json_reader *r, tn_json_ref v, const char *what, const char *key, unsigned *field)
{
	tn_json_ref m = tn_json_needed(r, v, what, key);
	const char *words[TN_N_FIELDS + 1];
	char hint[96], found[96];
	unsigned i;

	if (!m)
		return false;
	if (m->type == TN_JSON_STRING)
		for (i = 0; i < TN_N_FIELDS; i++)
			if (tn_json_string_is(m->string, tn_fields[i].name)) {
				*field = i;
				return true;
			}
	for (i = 0; i < TN_N_FIELDS; i++)
		words[i] = tn_fields[i].name;
	words[i] = NULL;
	hint[0] = '\0';
	if (m->type == TN_JSON_STRING)
		tn_json_suggest(m->string, words, hint, sizeof(hint));
	return tn_json_error(r, m, TN_OFPBAC_BAD_SET_TYPE,
		"\"%s\" is %s; give the OXM name of a field, such as \"eth_dst\"%s", key,
		tn_json_describe(m, found, sizeof(found)), hint);
}

static bool read_set_field(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	static const char what[] = "instruction SET_FIELD";
	bool ok = tn_json_only(r, v, what, KEYS("field", "value", "mask"));
	tn_json_ref value = tn_json_needed(r, v, what, "value"), mask;
	enum set_shape shape;
	unsigned field;

	if (!read_field_name(r, v, what, "field", &field) || !value)
		return false;
	a->field = (uint8_t)field;
	shape = field_shape(field);
	a->set.mask = tn_field_ones((enum tn_field_id)field);
	mask = tn_json_member(r, v, "mask");
	if (mask && !read_set_value(r, mask, field, shape, TN_OFPBAC_BAD_SET_MASK, &a->set.mask))
		return false;
	if (!read_set_value(r, value, field, shape, TN_OFPBAC_BAD_SET_ARGUMENT, &a->set.value))
		return false;
	/* An IPv4 mask is no IPv4 address: the bits above it are all looked at. */
	if (mask && family(field) == TN_JSON_IP_ANY &&
		!memchr(mask->string.p, ':', mask->string.len))
		a->set.mask |= ~(tn_u128)UINT32_MAX;
	a->set.value &= a->set.mask;
	return ok;
}

static bool read_move(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	static const char what[] = "instruction MOVE";
	bool ok = tn_json_only(r, v, what, KEYS("src", "srcOffset", "dst", "dstOffset", "bits"));
	uint64_t src_ofs = 0, dst_ofs = 0, bits;
	unsigned src, dst;

	if (!read_field_name(r, v, what, "src", &src) || !read_field_name(r, v, what, "dst", &dst))
		return false;
	bits = tn_fields[src].bits;
	if (!read_optional(r, v, "srcOffset", 127, TN_OFPBAC_BAD_SET_LEN, &src_ofs) ||
		!read_optional(r, v, "dstOffset", 127, TN_OFPBAC_BAD_SET_LEN, &dst_ofs) ||
		!read_optional(r, v, "bits", 128, TN_OFPBAC_BAD_SET_LEN, &bits))
		return false;
	a->field = (uint8_t)dst;
	a->move.src = (uint8_t)src;
	a->move.src_ofs = (uint8_t)src_ofs;
	a->move.dst_ofs = (uint8_t)dst_ofs;
	a->move.n_bits = (uint8_t)bits;
	return ok;
}

/* "tableId" and "inPort"; in the EXTENSION spelling "table" and "inPort". */
static bool read_resubmit(struct tn_json_reader *r, tn_json_ref v, const char *what,
	const char *table_key, struct tn_action *a)
{
	bool ok = tn_json_only(r, v, what, KEYS(table_key, "inPort"));
	tn_json_ref table = tn_json_needed(r, v, what, table_key);
	tn_json_ref port = tn_json_member(r, v, "inPort");

	a->resubmit.in_port = TN_PORT_IN_PORT;
	if (port && !tn_json_port(r, port, TN_OFPBAC_BAD_ARGUMENT, &a->resubmit.in_port))
		return false;
	return table && tn_json_table(r, table, TN_OFPBAC_BAD_ARGUMENT, &a->resubmit.table) && ok;
}

static bool read_note(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	static const char what[] = "instruction NOTE";
	bool ok = tn_json_only(r, v, what, KEYS("hex"));
	tn_json_ref m = tn_json_needed(r, v, what, "hex");
	uint32_t n;

	if (!m || !tn_json_read_hex(r, m, "hex", a->note.data, TN_NOTE_MAX, &n))
		return false;
	a->note.len = (uint8_t)n;
	return ok;
}

/* Modifications. */

static bool read_set_kind(
	struct tn_json_reader *r, tn_json_ref v, const struct set_kind *k, struct tn_action *a)
{
	char what[64];
	tn_json_ref m;
	bool ok, push = false;

	(void)tn_json_join(what, sizeof(what), instruction_of[k->layer], k->subtype);
	ok = tn_json_only(r, v, what,
		KEYS("subtype", k->key, k->field == TN_FIELD_VLAN_PCP ? "pushIfNeeded" : "type"));
	m = tn_json_needed(r, v, what, k->key);
	a->field = k->field;
	a->set.mask = tn_field_ones((enum tn_field_id)k->field);
	if (!m ||
		!read_set_value(
			r, m, k->field, k->shape, TN_OFPBAC_BAD_SET_ARGUMENT, &a->set.value))
		return false;
	m = k->field == TN_FIELD_VLAN_PCP ? tn_json_member(r, v, "pushIfNeeded") : NULL;
	if (m && !tn_json_bool(r, m, &push))
		return false;
	if (push)
		*a = (struct tn_action){
			.type = TN_ACTION_MOD_VLAN_PCP, .vlan_pcp = (uint8_t)a->set.value};
	return ok;
}

static bool read_vlan_id(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	static const char what[] = "instruction L2MODIFICATION/VLAN_ID";
	bool ok = tn_json_only(r, v, what, KEYS("subtype", "vlanId", "pushIfNeeded"));
	tn_json_ref m = tn_json_member(r, v, "pushIfNeeded");
	bool push = false;
	uint64_t vid;

	if (m && !tn_json_bool(r, m, &push))
		return false;
	if (!read_number(r, v, what, "vlanId", 4095, TN_OFPBAC_BAD_SET_ARGUMENT, &vid))
		return false;
	if (push) {
		a->type = TN_ACTION_MOD_VLAN_VID;
		a->vlan_vid = (uint16_t)vid;
	} else {
		a->field = TN_FIELD_VLAN_VID;
		a->set.value = TN_VLAN_PRESENT | vid;
		a->set.mask = tn_field_ones(TN_FIELD_VLAN_VID);
	}
	return ok;
}

static bool read_vlan_push(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	static const char what[] = "instruction L2MODIFICATION/VLAN_PUSH";
	bool ok = tn_json_only(r, v, what, KEYS("subtype", "ethernetType"));
	tn_json_ref m = tn_json_member(r, v, "ethernetType");
	uint64_t type = 0x8100;

	a->type = TN_ACTION_PUSH_VLAN;
	if (m && m->type == TN_JSON_STRING &&
		(m->string.len != 6 || memcmp(m->string.p, "0x", 2) != 0))
		return tn_json_error(r, m, TN_OFPBAC_BAD_ARGUMENT,
			"\"ethernetType\" must be \"0x\" and four hex digits: \"0x8100\" or "
			"\"0x88a8\"");
	if (m && !tn_json_unsigned(r, m, 0, UINT16_MAX, TN_OFPBAC_BAD_ARGUMENT, &type))
		return false;
	a->ethertype = (uint16_t)type;
	return ok;
}

static bool unsupported(
	struct tn_json_reader *r, tn_json_ref v, enum tn_of_error of, const char *what)
{
	return tn_json_error(
		r, v, of, "instruction %s is not supported by this switch; remove it", what);
}

static bool read_other(
	struct tn_json_reader *r, tn_json_ref v, const struct other *o, struct tn_action *a)
{
	char what[64];

	(void)tn_json_join(
		what, sizeof(what), instruction_of[o->layer] + strlen("instruction "), o->subtype);
	switch (o->kind) {
	case VLAN_ID:
		return read_vlan_id(r, v, a);
	case VLAN_PUSH:
		return read_vlan_push(r, v, a);
	case PLAIN:
		a->type = o->action;
		return tn_json_only(r, v, what, KEYS("subtype"));
	case UNSUPPORTED_SET:
		return unsupported(r, v, TN_OFPBAC_BAD_SET_TYPE, what);
	case UNSUPPORTED:
		break;
	}
	return unsupported(r, v, TN_OFPBAC_BAD_TYPE, what);
}

static bool unknown_subtype(struct tn_json_reader *r, tn_json_ref m, unsigned layer)
{
	const char *words[TN_ARRAY_SIZE(set_kinds) + TN_ARRAY_SIZE(others) + 1];
	char hint[96], quoted[96];
	size_t i, n = 0;

	for (i = 0; i < TN_ARRAY_SIZE(set_kinds); i++)
		if (set_kinds[i].layer == layer)
			words[n++] = set_kinds[i].subtype;
	for (i = 0; i < TN_ARRAY_SIZE(others); i++)
		if (others[i].layer == layer && others[i].kind <= PLAIN)
			words[n++] = others[i].subtype;
	words[n] = NULL;
	return tn_json_error(r, m, TN_OFPBAC_BAD_TYPE,
		"%s has no subtype %s%s; see the list of instructions", modification[layer],
		tn_json_quote(m->string, quoted, sizeof(quoted)),
		tn_json_suggest(m->string, words, hint, sizeof(hint)));
}

static bool read_modification(
	struct tn_json_reader *r, tn_json_ref v, unsigned layer, struct tn_action *a)
{
	tn_json_ref m = tn_json_needed(r, v, modification[layer], "subtype");
	size_t i;

	if (!m)
		return false;
	if (m->type != TN_JSON_STRING)
		return tn_json_error(r, m, TN_OF_OK, "\"subtype\" must be a string");
	for (i = 0; i < TN_ARRAY_SIZE(set_kinds); i++)
		if (set_kinds[i].layer == layer &&
			tn_json_string_is(m->string, set_kinds[i].subtype))
			return read_set_kind(r, v, &set_kinds[i], a);
	for (i = 0; i < TN_ARRAY_SIZE(others); i++)
		if (others[i].layer == layer && tn_json_string_is(m->string, others[i].subtype))
			return read_other(r, v, &others[i], a);
	return unknown_subtype(r, m, layer);
}

/* Nicira extensions as ONOS writes them: 0 sets the tunnel's far end, 14 resubmits. */
static bool read_tunnel_dst(struct tn_json_reader *r, tn_json_ref e, struct tn_action *a)
{
	static const char what[] = "the extension";
	bool ok = tn_json_only(r, e, what, KEYS("tunnelDst"));
	tn_json_ref m = tn_json_needed(r, e, what, "tunnelDst");

	/* Printed by ONOS as {"tunnelDst":{"tunnelDst":"192.0.2.9"}}. */
	if (m && m->type == TN_JSON_OBJECT)
		m = tn_json_needed(r, m, what, "tunnelDst");
	a->type = TN_ACTION_SET_FIELD;
	a->field = TN_FIELD_TUN_DST;
	a->set.mask = ~(tn_u128)0;
	return m && tn_json_address(r, m, TN_JSON_IP_ANY, &a->set.value) && ok;
}

static bool read_extension(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	static const char what[] = "instruction EXTENSION";
	bool ok = tn_json_only(r, v, what, KEYS("deviceId", "extension"));
	tn_json_ref e = tn_json_needed(r, v, what, "extension"), type;
	uint64_t number = 0;

	ok &= tn_json_read_device(r, v);
	if (!e)
		return false;
	if (e->type != TN_JSON_OBJECT)
		return tn_json_error(r, e, TN_OFPBAC_BAD_TYPE,
			"opaque extensions are not supported; write {\"type\":0,\"tunnelDst\":..} "
			"or {\"type\":14,\"table\":..}");
	type = tn_json_member(r, e, "type");
	if (type && !tn_json_unsigned(r, type, 0, UINT32_MAX, TN_OFPBAC_BAD_TYPE, &number))
		return false;
	if (type ? number == 0 : tn_json_member(r, e, "tunnelDst") != NULL)
		return read_tunnel_dst(r, e, a) && ok;
	if (type && number == 14) {
		a->type = TN_ACTION_RESUBMIT;
		return read_resubmit(r, e, "the extension", "table", a) && ok;
	}
	return tn_json_error(r, e, TN_OFPBAC_BAD_TYPE,
		"this extension is not supported; 0 (tunnelDst) and 14 (resubmit) are");
}

static bool read_nested(
	struct tn_json_reader *r, tn_json_ref array, struct tn_json_actions *l, size_t at)
{
	tn_json_ref m;
	struct tn_json_string type;
	bool ok = true;
	uint32_t i;

	if (!array || !tn_json_is_array(r, array, "an array of instructions"))
		return false;
	m = tn_json_first(array);
	for (i = 0; i < array->n; i++, m = tn_json_next(r->tape, m)) {
		if (!tn_json_read_type(r, m, "instruction", &type) ||
			!tn_json_read_action(r, m, type, l)) {
			l->lost = true;
			ok = false;
		}
	}
	l->list[at].n_nested = (uint16_t)(l->n - at - 1);
	return ok;
}

static bool read_clone(struct tn_json_reader *r, tn_json_ref v, struct tn_json_actions *l)
{
	static const char what[] = "instruction CLONE";
	bool ok = tn_json_only(r, v, what, KEYS("instructions"));

	return read_nested(r, tn_json_needed(r, v, what, "instructions"), l, l->n - 1) && ok;
}

static bool read_if_longer(struct tn_json_reader *r, tn_json_ref v, struct tn_json_actions *l)
{
	static const char what[] = "instruction IF_LONGER";
	bool ok = tn_json_only(r, v, what, KEYS("maxLen", "instructions"));
	size_t at = l->n - 1;
	uint64_t n = 0;

	if (!read_number(r, v, what, "maxLen", UINT16_MAX, TN_OFPBAC_BAD_ARGUMENT, &n)) {
		n = UINT16_MAX; /* told once */
		ok = false;
	}
	l->list[at].max_len = (uint32_t)n;
	return read_nested(r, tn_json_needed(r, v, what, "instructions"), l, at) && ok;
}

/* By "type" alone. */
typedef bool (*read_fn)(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a);

static const struct simple {
	const char *type;
	uint8_t action;
	read_fn read; /* NULL: no member but the type */
} simples[] = {
	{"OUTPUT", TN_ACTION_OUTPUT, read_output},
	{"GROUP", TN_ACTION_GROUP, read_group},
	{"SET_FIELD", TN_ACTION_SET_FIELD, read_set_field},
	{"QUEUE", TN_ACTION_SET_QUEUE, read_queue},
	{"POP_QUEUE", TN_ACTION_POP_QUEUE, NULL},
	{"MOVE", TN_ACTION_MOVE, read_move},
	{"TRUNCATE", TN_ACTION_TRUNCATE, read_truncate},
	{"NOTE", TN_ACTION_NOTE, read_note},
	{"LEARN", TN_ACTION_LEARN, tn_json_read_learn},
	{"FDB", TN_ACTION_FDB, tn_json_read_fdb},
	{"SNOOP", TN_ACTION_SNOOP, NULL},
	{"MCAST", TN_ACTION_MCAST, tn_json_read_mcast},
	{"CIRCUIT", TN_ACTION_CIRCUIT, tn_json_read_circuit},
	{"ADVERTISE", TN_ACTION_ADVERTISE, tn_json_read_advertise},
	{"EXTENSION", TN_ACTION_SET_FIELD, read_extension},
};

static bool unknown_instruction(struct tn_json_reader *r, tn_json_ref v, struct tn_json_string type)
{
	static const char *const words[] = {"NOACTION", "OUTPUT", "TABLE", "GROUP", "METER",
		"QUEUE", "POP_QUEUE", "L2MODIFICATION", "L3MODIFICATION", "L4MODIFICATION",
		"METADATA", "SET_FIELD", "MOVE", "TRUNCATE", "RESUBMIT", "CLONE", "NOTE", "REPLY",
		"IF_LONGER", "LEARN", "FDB", "SNOOP", "MCAST", "CIRCUIT", "ADVERTISE", "EXTENSION",
		NULL};
	static const char *const flow_only[] = {"NOACTION", "TABLE", "METER", "METADATA"};
	char hint[96], quoted[96];
	size_t i;

	for (i = 0; i < TN_ARRAY_SIZE(flow_only); i++)
		if (tn_json_string_is(type, flow_only[i]))
			return tn_json_error(r, v, TN_OFPBAC_BAD_TYPE,
				"%s stands in the \"instructions\" of a flow only; not in "
				"\"deferred\", a bucket or a CLONE",
				flow_only[i]);
	if (tn_json_string_is(type, "STAT_TRIGGER"))
		return unsupported(r, v, TN_OFPBIC_UNSUP_INST, "STAT_TRIGGER");
	if (tn_json_string_is(type, "L0MODIFICATION") ||
		tn_json_string_is(type, "L1MODIFICATION") ||
		tn_json_string_is(type, "PROTOCOL_INDEPENDENT"))
		return unsupported(r, v, TN_OFPBAC_BAD_TYPE,
			tn_json_string_is(type, "PROTOCOL_INDEPENDENT")
				? "PROTOCOL_INDEPENDENT (P4)"
				: "of an optical layer");
	return tn_json_error(r, v, TN_OFPBAC_BAD_TYPE,
		"no instruction has the type %s%s; see the list of instructions",
		tn_json_quote(type, quoted, sizeof(quoted)),
		tn_json_suggest(type, words, hint, sizeof(hint)));
}

/* The reader of the type, with *action its number. False: no action has that type. */
static bool read_by_type(struct tn_json_reader *r, tn_json_ref v, struct tn_json_string type,
	struct tn_action *a, bool *known)
{
	size_t i;

	*known = true;
	for (i = 0; i < TN_ARRAY_SIZE(simples); i++)
		if (tn_json_string_is(type, simples[i].type)) {
			a->type = simples[i].action;
			return simples[i].read ? simples[i].read(r, v, a)
					       : tn_json_only(r, v, simples[i].type,
							 (const char *const[]){"type", NULL});
		}
	for (i = 0; i < TN_ARRAY_SIZE(modification); i++)
		if (tn_json_string_is(type, modification[i])) {
			a->type = TN_ACTION_SET_FIELD;
			return read_modification(r, v, (unsigned)i, a);
		}
	if (tn_json_string_is(type, "RESUBMIT")) {
		a->type = TN_ACTION_RESUBMIT;
		return read_resubmit(r, v, "instruction RESUBMIT", "tableId", a);
	}
	*known = false;
	return false;
}

/* Those that other actions follow. */
static const struct nesting {
	const char *type;
	uint8_t action;
	bool (*read)(struct tn_json_reader *r, tn_json_ref v, struct tn_json_actions *l);
} nestings[] = {
	{"CLONE", TN_ACTION_CLONE, read_clone},
	{"IF_LONGER", TN_ACTION_IF_LONGER, read_if_longer},
	{"REPLY", TN_ACTION_REPLY, tn_json_read_reply},
};

/* One that was refused is not in the list, nor what it held. */
static bool read_nesting(struct tn_json_reader *r, tn_json_ref v, const struct nesting *nesting,
	struct tn_json_actions *l)
{
	size_t at = l->n;

	if (!tn_json_add_action(r, v, l, nesting->action))
		return false;
	if (nesting->read(r, v, l))
		return true;
	if (nesting->action == TN_ACTION_REPLY) {
		l->n = at;
		l->lost = true;
	}
	return false;
}

bool tn_json_read_action(struct tn_json_reader *r, tn_json_ref v, struct tn_json_string type,
	struct tn_json_actions *l)
{
	struct tn_action *a;
	bool known, ok;
	size_t i;

	for (i = 0; i < TN_ARRAY_SIZE(nestings); i++)
		if (tn_json_string_is(type, nestings[i].type))
			return read_nesting(r, v, &nestings[i], l);
	a = tn_json_add_action(r, v, l, TN_ACTION_NOTE);
	if (!a)
		return false;
	ok = read_by_type(r, v, type, a, &known);
	if (ok)
		return true;
	l->n--;
	l->lost = true;
	return known ? false : unknown_instruction(r, v, type);
}

/* Writing. */

static json_t *instruction(const char *type)
{
	json_t *o = json_object();

	json_object_set_new(o, "type", json_string(type));
	return o;
}

static json_t *modify(unsigned layer, const char *subtype)
{
	json_t *o = instruction(modification[layer]);

	json_object_set_new(o, "subtype", json_string(subtype));
	return o;
}

static json_t *write_output(const struct tn_action *a)
{
	json_t *o = instruction("OUTPUT");
	bool controller = a->output.port == TN_PORT_CONTROLLER;

	json_object_set_new(o, "port", tn_json_from_port(a->output.port));
	if (a->output.max_len != (controller ? TN_CONTROLLER_MAX_LEN_WHOLE : 0))
		json_object_set_new(o, "maxLen", json_integer(a->output.max_len));
	if (controller && a->output.reason < TN_ARRAY_SIZE(reasons))
		json_object_set_new(o, "reason", json_string(reasons[a->output.reason]));
	return o;
}

static json_t *write_set_value(unsigned field, enum set_shape shape, tn_u128 value)
{
	if (shape == MAC)
		return tn_json_from_mac((uint64_t)value);
	if (shape == ADDRESS)
		return tn_json_from_address(value, family(field));
	return tn_json_from_u64((uint64_t)value);
}

static json_t *write_set_field(const struct tn_action *a)
{
	bool whole = a->set.mask == tn_field_ones((enum tn_field_id)a->field);
	enum set_shape shape = field_shape(a->field);
	json_t *o;
	size_t i;

	for (i = 0; i < TN_ARRAY_SIZE(set_kinds) && whole; i++)
		if (set_kinds[i].field == a->field) {
			o = modify(set_kinds[i].layer, set_kinds[i].subtype);
			json_object_set_new(o, set_kinds[i].key,
				write_set_value(a->field, set_kinds[i].shape, a->set.value));
			return o;
		}
	if (whole && a->field == TN_FIELD_VLAN_VID && (a->set.value & TN_VLAN_PRESENT)) {
		o = modify(0, "VLAN_ID");
		json_object_set_new(
			o, "vlanId", json_integer((json_int_t)(a->set.value & TN_VLAN_VID_MASK)));
		return o;
	}
	o = instruction("SET_FIELD");
	json_object_set_new(o, "field", json_string(tn_fields[a->field].name));
	json_object_set_new(o, "value", write_set_value(a->field, shape, a->set.value));
	if (!whole)
		json_object_set_new(o, "mask",
			shape == ADDRESS && family(a->field) == TN_JSON_IP_ANY
				? tn_json_from_address(a->set.mask, TN_JSON_IP6)
				: write_set_value(a->field, shape, a->set.mask));
	return o;
}

static json_t *write_move(const struct tn_action *a)
{
	json_t *o = instruction("MOVE");

	json_object_set_new(o, "src", json_string(tn_fields[a->move.src].name));
	json_object_set_new(o, "srcOffset", json_integer(a->move.src_ofs));
	json_object_set_new(o, "dst", json_string(tn_fields[a->field].name));
	json_object_set_new(o, "dstOffset", json_integer(a->move.dst_ofs));
	json_object_set_new(o, "bits", json_integer(a->move.n_bits));
	return o;
}

static json_t *write_push(const struct tn_action *a)
{
	json_t *o = modify(0, "VLAN_PUSH");
	char s[8];

	snprintf(s, sizeof(s), "0x%04x", a->ethertype);
	json_object_set_new(o, "ethernetType", json_string(s));
	return o;
}

static json_t *write_mod_vlan(const char *subtype, const char *key, unsigned value)
{
	json_t *o = modify(0, subtype);

	json_object_set_new(o, key, json_integer(value));
	json_object_set_new(o, "pushIfNeeded", json_true());
	return o;
}

static json_t *write_resubmit(const struct tn_action *a)
{
	json_t *o = instruction("RESUBMIT");

	json_object_set_new(o, "tableId", json_integer(a->resubmit.table));
	if (a->resubmit.in_port != TN_PORT_IN_PORT)
		json_object_set_new(o, "inPort", tn_json_from_port_number(a->resubmit.in_port));
	return o;
}

static json_t *write_note(const struct tn_action *a)
{
	json_t *o = instruction("NOTE");

	json_object_set_new(o, "hex",
		tn_json_from_hex(
			a->note.data, a->note.len < TN_NOTE_MAX ? a->note.len : TN_NOTE_MAX));
	return o;
}

static json_t *write_if_longer(const struct tn_action *a)
{
	json_t *o = instruction("IF_LONGER");

	json_object_set_new(o, "maxLen", json_integer(a->max_len));
	json_object_set_new(o, "instructions", tn_json_write_actions(a + 1, a->n_nested));
	return o;
}

static json_t *write_number(const char *type, const char *key, uint32_t value)
{
	json_t *o = instruction(type);

	json_object_set_new(o, key, json_integer(value));
	return o;
}

static json_t *write_plain(uint8_t action)
{
	size_t i;

	for (i = 0; i < TN_ARRAY_SIZE(others); i++)
		if (others[i].kind == PLAIN && others[i].action == action)
			return modify(others[i].layer, others[i].subtype);
	return instruction("POP_QUEUE");
}

json_t *tn_json_write_action(const struct tn_action *list, size_t *i)
{
	const struct tn_action *a = &list[*i];
	json_t *o;

	switch ((enum tn_action_type)a->type) {
	case TN_ACTION_OUTPUT:
		return write_output(a);
	case TN_ACTION_GROUP:
		return write_number("GROUP", "groupId", a->group_id);
	case TN_ACTION_SET_FIELD:
		return write_set_field(a);
	case TN_ACTION_MOVE:
		return write_move(a);
	case TN_ACTION_PUSH_VLAN:
		return write_push(a);
	case TN_ACTION_MOD_VLAN_VID:
		return write_mod_vlan("VLAN_ID", "vlanId", a->vlan_vid);
	case TN_ACTION_MOD_VLAN_PCP:
		return write_mod_vlan("VLAN_PCP", "vlanPcp", a->vlan_pcp);
	case TN_ACTION_SET_QUEUE:
		return write_number("QUEUE", "queueId", a->queue_id);
	case TN_ACTION_TRUNCATE:
		return write_number("TRUNCATE", "maxLen", a->max_len);
	case TN_ACTION_RESUBMIT:
		return write_resubmit(a);
	case TN_ACTION_CLONE:
		o = instruction("CLONE");
		json_object_set_new(o, "instructions", tn_json_write_actions(a + 1, a->n_nested));
		*i += a->n_nested;
		return o;
	case TN_ACTION_NOTE:
		return write_note(a);
	case TN_ACTION_IF_LONGER:
		*i += a->n_nested;
		return write_if_longer(a);
	case TN_ACTION_LEARN:
	case TN_ACTION_FDB:
	case TN_ACTION_MCAST:
	case TN_ACTION_CIRCUIT:
	case TN_ACTION_ADVERTISE:
		return tn_json_write_network_action(a);
	case TN_ACTION_SNOOP:
		return instruction("SNOOP");
	case TN_ACTION_REPLY:
		*i += a->n_nested;
		return tn_json_write_reply(a);
	case TN_ACTION_POP_VLAN:
	case TN_ACTION_DEC_TTL:
	case TN_ACTION_COPY_TTL_IN:
	case TN_ACTION_COPY_TTL_OUT:
	case TN_ACTION_POP_QUEUE:
		break;
	}
	return write_plain(a->type);
}

json_t *tn_json_write_actions(const struct tn_action *list, size_t n)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		json_array_append_new(array, tn_json_write_action(list, &i));
	return array;
}
