/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a list may hold, beyond what the standard says in so many words:
 *
 * - An action set (a flow's write list, a bucket) takes every action that has a place in the order
 *   of OpenFlow 1.5, 5.6, plus MOD_VLAN_VID, MOD_VLAN_PCP, POP_QUEUE and TRUNCATE. It takes one of
 * a kind: two outputs in a set would be one output, which is never what the writer meant. Only
 *   SET_FIELD may come again, also for the same field, the last one wins.
 * - A set runs when the pipeline ends, in its own order, with what other tables wrote into it. So
 *   its SET_FIELDs are checked in that order, and whether there is a VLAN tag is left to run time.
 * - A prerequisite that only actions could fulfil is tracked through the list: tags pushed and
 *   popped, ICMPv6 types set. What a RESUBMIT's tables do to the packet is not.
 */
#include "dataplane/core/action.h"

#include <errno.h>
#include <string.h>

#include "dataplane/core/reply.h"
#include "dataplane/core/wire.h"

TN_KEY_SEQ_ASSERT(1);

#define CLONE_DEPTH_MAX 4u /* so that JSON of 16 levels can hold what the switch holds */
#define FRAME_MIN	14u
#define QUEUE_MAX	0xffffu
#define IP_LEN_MIN	68u /* that every link takes (RFC 791) */

/* All that a step of a check needs. */
struct check {
	const struct tn_action *list;
	enum tn_action_place place;
	uint8_t table;
	bool known_packet; /* a match was given: prerequisites are checked */
	struct tn_error *err;
};

static const char *action_name(uint8_t type)
{
	static const char *const names[] = {
		[TN_ACTION_OUTPUT] = "output",
		[TN_ACTION_GROUP] = "group",
		[TN_ACTION_SET_FIELD] = "set_field",
		[TN_ACTION_MOVE] = "move",
		[TN_ACTION_PUSH_VLAN] = "push_vlan",
		[TN_ACTION_POP_VLAN] = "pop_vlan",
		[TN_ACTION_MOD_VLAN_VID] = "mod_vlan_vid",
		[TN_ACTION_MOD_VLAN_PCP] = "mod_vlan_pcp",
		[TN_ACTION_DEC_TTL] = "dec_ttl",
		[TN_ACTION_COPY_TTL_IN] = "copy_ttl_in",
		[TN_ACTION_COPY_TTL_OUT] = "copy_ttl_out",
		[TN_ACTION_SET_QUEUE] = "set_queue",
		[TN_ACTION_POP_QUEUE] = "pop_queue",
		[TN_ACTION_TRUNCATE] = "truncate",
		[TN_ACTION_RESUBMIT] = "resubmit",
		[TN_ACTION_CLONE] = "clone",
		[TN_ACTION_NOTE] = "note",
		[TN_ACTION_REPLY] = "reply",
		[TN_ACTION_IF_LONGER] = "if_longer",
		[TN_ACTION_LEARN] = "learn",
		[TN_ACTION_FDB] = "fdb",
		[TN_ACTION_SNOOP] = "snoop",
		[TN_ACTION_MCAST] = "mcast",
		[TN_ACTION_CIRCUIT] = "circuit",
		[TN_ACTION_ADVERTISE] = "advertise",
	};

	return type < TN_ARRAY_SIZE(names) && names[type] ? names[type] : "unknown";
}

void tn_instructions_init(struct tn_instructions *inst)
{
	memset(inst, 0, sizeof(*inst));
	inst->goto_table = TN_GOTO_NONE;
}

/*
 * What is sure about the packet at a point of the list, as a match: it starts as the flow's match
 * and follows each action.
 */
static void learn_bits(
	struct tn_match *known, enum tn_field_id id, tn_u128 value, tn_u128 mask, tn_u128 sure)
{
	tn_field_set_masked(&known->mask, id, sure, mask);
	tn_field_set_masked(&known->value, id, value & sure, mask);
}

static bool has_tag(const struct tn_match *known)
{
	return tn_match_value(known, TN_FIELD_VLAN_VID) & TN_VLAN_PRESENT;
}

/* The new tag takes VID and priority from the one there was. */
static void learn_outer_tag(struct tn_match *known)
{
	known->value.vlan_tci.raw |= tn_htobe16(TN_VLAN_PRESENT).raw;
	known->mask.vlan_tci.raw |= tn_htobe16(TN_VLAN_PRESENT).raw;
}

static void learn_push(struct tn_match *known)
{
	known->value.inner_vlan_tci = known->value.vlan_tci;
	known->mask.inner_vlan_tci = known->mask.vlan_tci;
	learn_outer_tag(known);
}

/* Below the inner tag may be a third one that the key does not show. */
static void learn_pop(struct tn_match *known)
{
	known->value.vlan_tci = known->value.inner_vlan_tci;
	known->mask.vlan_tci = known->mask.inner_vlan_tci;
	known->value.inner_vlan_tci = (struct tn_be16){0};
	known->mask.inner_vlan_tci = (struct tn_be16){0};
}

static void learn_move(struct tn_match *known, const struct tn_action *a)
{
	enum tn_field_id src = (enum tn_field_id)a->move.src, dst = (enum tn_field_id)a->field;
	tn_u128 ones = a->move.n_bits == 128 ? ~(tn_u128)0 : ((tn_u128)1 << a->move.n_bits) - 1;
	tn_u128 value = tn_match_value(known, src) >> a->move.src_ofs & ones;
	tn_u128 sure = tn_match_mask(known, src) >> a->move.src_ofs & ones;

	learn_bits(known, dst, value << a->move.dst_ofs, ones << a->move.dst_ofs,
		sure << a->move.dst_ofs);
}

static uint8_t reply_protocol(const struct tn_action *a)
{
	uint32_t unused;

	switch ((enum tn_reply_kind)a->reply.kind) {
	case TN_REPLY_DHCP4:
	case TN_REPLY_DHCP6:
		return TN_IPPROTO_UDP;
	case TN_REPLY_ND:
	case TN_REPLY_RA:
		return TN_IPPROTO_ICMPV6;
	case TN_REPLY_TIME_EXCEEDED:
	case TN_REPLY_UNREACHABLE:
	case TN_REPLY_TOO_BIG:
		return tn_u128_is_ip4(a->reply.ip, &unused) ? TN_IPPROTO_ICMP : TN_IPPROTO_ICMPV6;
	default:
		return 0; /* ECHO: as it was; ARP has none */
	}
}

/* Of what was in the packet, its tags and its type are in the answer. */
static void learn_reply(struct tn_match *known, const struct tn_action *a)
{
	const struct tn_match was = *known;
	uint8_t proto = reply_protocol(a);

	for (unsigned id = TN_FIELD_ETH_DST; id <= TN_FIELD_ND_TLL; id++)
		learn_bits(known, (enum tn_field_id)id, 0, tn_field_ones((enum tn_field_id)id), 0);
	known->value.eth_type = was.value.eth_type;
	known->mask.eth_type = was.mask.eth_type;
	known->value.vlan_tci = was.value.vlan_tci;
	known->mask.vlan_tci = was.mask.vlan_tci;
	known->value.inner_vlan_tci = was.value.inner_vlan_tci;
	known->mask.inner_vlan_tci = was.mask.inner_vlan_tci;
	known->value.ip_proto = proto ? proto : was.value.ip_proto;
	known->mask.ip_proto = proto ? UINT8_MAX : was.mask.ip_proto;
}

/* Takes an action that is correct. */
static void learn_action(struct tn_match *known, const struct tn_action *a)
{
	switch ((enum tn_action_type)a->type) {
	case TN_ACTION_SET_FIELD:
		learn_bits(
			known, (enum tn_field_id)a->field, a->set.value, a->set.mask, a->set.mask);
		break;
	case TN_ACTION_MOVE:
		learn_move(known, a);
		break;
	case TN_ACTION_PUSH_VLAN:
		learn_push(known);
		break;
	case TN_ACTION_POP_VLAN:
		learn_pop(known);
		break;
	case TN_ACTION_MOD_VLAN_VID:
		learn_outer_tag(known);
		learn_bits(
			known, TN_FIELD_VLAN_VID, a->vlan_vid, TN_VLAN_VID_MASK, TN_VLAN_VID_MASK);
		break;
	case TN_ACTION_MOD_VLAN_PCP:
		learn_outer_tag(known);
		learn_bits(known, TN_FIELD_VLAN_PCP, a->vlan_pcp, 7, 7);
		break;
	case TN_ACTION_DEC_TTL:
	case TN_ACTION_COPY_TTL_IN:
	case TN_ACTION_COPY_TTL_OUT:
		learn_bits(known, TN_FIELD_IP_TTL, 0, 0xff, 0);
		break;
	case TN_ACTION_REPLY:
		learn_reply(known, a);
		break;
	default:
		break;
	}
}

static bool in_set(const struct check *c)
{
	return c->place == TN_PLACE_WRITE || c->place == TN_PLACE_BUCKET;
}

static int check_output(const struct check *c, int i)
{
	const struct tn_action *a = &c->list[i];
	uint32_t port = a->output.port;

	if (port == TN_PORT_TABLE && c->place != TN_PLACE_PACKET_OUT)
		return tn_error_set(c->err, TN_OFPBAC_BAD_OUT_PORT, i,
			"output to TABLE is for packet-out only; use goto_table or resubmit");
	if (port == TN_PORT_NONE_YET || port == TN_PORT_ANY ||
		(port > TN_PORT_MAX && port < TN_PORT_IN_PORT))
		return tn_error_set(c->err, TN_OFPBAC_BAD_OUT_PORT, i,
			"output: 0x%x is no port to send to; give 1 to 0x%x, or IN_PORT, NORMAL, "
			"FLOOD, ALL, CONTROLLER or LOCAL",
			port, TN_PORT_MAX);
	if (port == TN_PORT_CONTROLLER) {
		if (a->output.reason > TN_PACKET_IN_PACKET_OUT &&
			a->output.reason != TN_REASON_DEFAULT)
			return tn_error_set(c->err, TN_OFPBAC_BAD_ARGUMENT, i,
				"output to CONTROLLER: %u is no packet-in reason; give 0 to %u",
				a->output.reason, TN_PACKET_IN_PACKET_OUT);
	} else if (a->output.max_len != 0 && a->output.max_len < FRAME_MIN) {
		return tn_error_set(c->err, TN_OFPBAC_BAD_ARGUMENT, i,
			"output: max_len %u is less than an Ethernet header; give %u or more, or "
			"0 for the whole frame",
			a->output.max_len, FRAME_MIN);
	}
	return 0;
}

static int check_writable(const struct check *c, int i)
{
	const struct tn_action *a = &c->list[i];

	if (a->field >= TN_N_FIELDS)
		return tn_error_set(c->err, TN_OFPBAC_BAD_SET_TYPE, i, "%s: no field has number %u",
			action_name(a->type), a->field);
	if (!tn_fields[a->field].writable)
		return tn_error_set(c->err, TN_OFPBAC_BAD_SET_TYPE, i,
			"%s: %s is read-only; match on it instead", action_name(a->type),
			tn_fields[a->field].name);
	return 0;
}

static int check_set_field(const struct check *c, int i)
{
	const struct tn_action *a = &c->list[i];
	const struct tn_field *f;
	tn_u128 ones;

	if (check_writable(c, i))
		return -EINVAL;
	f = &tn_fields[a->field];
	ones = tn_field_ones((enum tn_field_id)a->field);
	if (a->set.value & ~ones)
		return tn_error_set(c->err, TN_OFPBAC_BAD_SET_ARGUMENT, i,
			"set_field: value of %s does not fit the field; give at most %u bits",
			f->name, f->bits);
	if (a->set.mask & ~ones)
		return tn_error_set(c->err, TN_OFPBAC_BAD_SET_MASK, i,
			"set_field: mask of %s does not fit the field; give at most %u bits",
			f->name, f->bits);
	if (a->set.mask == 0)
		return tn_error_set(c->err, TN_OFPBAC_BAD_SET_MASK, i,
			"set_field: mask 0 of %s would set nothing; set a bit or leave the "
			"action out",
			f->name);
	if (a->set.mask != ones && !f->maskable)
		return tn_error_set(c->err, TN_OFPBAC_BAD_SET_MASK, i,
			"set_field: %s takes no mask; set its whole value", f->name);
	if (a->field == TN_FIELD_VLAN_VID && a->set.mask & ~a->set.value & TN_VLAN_PRESENT)
		return tn_error_set(c->err, TN_OFPBAC_BAD_SET_ARGUMENT, i,
			"set_field: vlan_vid must keep bit 0x1000, a tag is present; add 0x1000 to "
			"the value, or use pop_vlan to remove the tag");
	return 0;
}

static int check_move(const struct check *c, int i)
{
	const struct tn_action *a = &c->list[i];
	const struct tn_field *src, *dst;

	if (check_writable(c, i))
		return -EINVAL;
	if (a->move.src >= TN_N_FIELDS)
		return tn_error_set(c->err, TN_OFPBAC_BAD_SET_TYPE, i,
			"move: no field has number %u", a->move.src);
	src = &tn_fields[a->move.src];
	dst = &tn_fields[a->field];
	if (a->move.n_bits == 0)
		return tn_error_set(c->err, TN_OFPBAC_BAD_SET_LEN, i,
			"move: 0 bits of %s to %s would change nothing; give 1 or more", src->name,
			dst->name);
	if (a->move.src_ofs + a->move.n_bits > src->bits)
		return tn_error_set(c->err, TN_OFPBAC_BAD_SET_LEN, i,
			"move: %u bits from bit %u on go beyond %s, which has %u", a->move.n_bits,
			a->move.src_ofs, src->name, src->bits);
	if (a->move.dst_ofs + a->move.n_bits > dst->bits)
		return tn_error_set(c->err, TN_OFPBAC_BAD_SET_LEN, i,
			"move: %u bits from bit %u on go beyond %s, which has %u", a->move.n_bits,
			a->move.dst_ofs, dst->name, dst->bits);
	if (a->field == TN_FIELD_VLAN_VID && a->move.dst_ofs + a->move.n_bits > 12)
		return tn_error_set(c->err, TN_OFPBAC_BAD_SET_ARGUMENT, i,
			"move: bit 12 of vlan_vid says that a tag is present; move to bits 0 to 11 "
			"and use push_vlan or pop_vlan for the tag");
	return 0;
}

/* The table is looked up from others, which are before it. */
static int check_circuit(const struct check *c, int i)
{
	const struct tn_action *a = &c->list[i];

	if (!a->circuit.number)
		return tn_error_set(c->err, TN_OFPBAC_BAD_ARGUMENT, i,
			"circuit: 0 is no number of one; give 1 or more");
	if (a->field < TN_FIELD_REG0 || a->field > TN_FIELD_REG15)
		return tn_error_set(c->err, TN_OFPBAC_BAD_ARGUMENT, i,
			"circuit: its number goes into a register; give reg0 to reg15");
	if (a->circuit.table > TN_TABLE_MAX ||
		(c->table != TN_TABLE_ALL && a->circuit.table <= c->table))
		return tn_error_set(c->err, TN_OFPBAC_BAD_ARGUMENT, i,
			"circuit: table %u does not come after this one; give a later one",
			a->circuit.table);
	return 0;
}

/* A flow is found by what it begins with. */
static int check_advertise(const struct check *c, int i)
{
	const struct tn_action *a = &c->list[i];

	if (i || c->place != TN_PLACE_APPLY)
		return tn_error_set(c->err, TN_OFPBAC_BAD_TYPE, i,
			"advertise is the first action that a flow applies; put it there");
	if (a->advertise.most < 4 || a->advertise.most > TN_ADVERTISE_MOST)
		return tn_error_set(c->err, TN_OFPBAC_BAD_ARGUMENT, i,
			"advertise: at most every %u seconds; give 4 to %u", a->advertise.most,
			TN_ADVERTISE_MOST);
	if (a->advertise.least < TN_ADVERTISE_LEAST ||
		a->advertise.least * 4u > a->advertise.most * 3u)
		return tn_error_set(c->err, TN_OFPBAC_BAD_ARGUMENT, i,
			"advertise: at least every %u seconds; give %u to three quarters of the most",
			a->advertise.least, TN_ADVERTISE_LEAST);
	return 0;
}

static int check_resubmit(const struct check *c, int i)
{
	const struct tn_action *a = &c->list[i];
	uint32_t port = a->resubmit.in_port;
	uint8_t table = a->resubmit.table;

	if (table > TN_TABLE_MAX)
		return tn_error_set(c->err, TN_OFPBAC_BAD_ARGUMENT, i,
			"resubmit: %u is no flow table; give one up to %u", table, TN_TABLE_MAX);
	if (c->place != TN_PLACE_PACKET_OUT && c->table != TN_TABLE_ALL && table <= c->table)
		return tn_error_set(c->err, TN_OFPBAC_BAD_ARGUMENT, i,
			"resubmit: tables only go forward; give one above the flow's own table %u "
			"instead of %u",
			c->table, table);
	if (port == TN_PORT_NONE_YET ||
		(port > TN_PORT_MAX && port != TN_PORT_IN_PORT && port != TN_PORT_LOCAL &&
			port != TN_PORT_CONTROLLER))
		return tn_error_set(c->err, TN_OFPBAC_BAD_ARGUMENT, i,
			"resubmit: 0x%x is no ingress port; give a port, LOCAL, or IN_PORT to keep "
			"it",
			port);
	return 0;
}

/* Everything about one action that does not depend on the packet. */
static int check_arguments(const struct check *c, int i)
{
	const struct tn_action *a = &c->list[i];

	switch ((enum tn_action_type)a->type) {
	case TN_ACTION_OUTPUT:
		return check_output(c, i);
	case TN_ACTION_GROUP:
		if (a->group_id > TN_GROUP_MAX)
			return tn_error_set(c->err, TN_OFPBAC_BAD_OUT_GROUP, i,
				"group: 0x%x is no group; give 0 to 0x%x", a->group_id,
				TN_GROUP_MAX);
		return 0;
	case TN_ACTION_SET_FIELD:
		return check_set_field(c, i);
	case TN_ACTION_MOVE:
		return check_move(c, i);
	case TN_ACTION_PUSH_VLAN:
		if (a->ethertype != 0x8100 && a->ethertype != 0x88a8)
			return tn_error_set(c->err, TN_OFPBAC_BAD_ARGUMENT, i,
				"push_vlan: 0x%04x is no tag's Ethernet type; give 0x8100 or "
				"0x88a8",
				a->ethertype);
		return 0;
	case TN_ACTION_MOD_VLAN_VID:
		if (a->vlan_vid > TN_VLAN_VID_MASK)
			return tn_error_set(c->err, TN_OFPBAC_BAD_ARGUMENT, i,
				"mod_vlan_vid: %u is out of range; give 0 to 4095", a->vlan_vid);
		return 0;
	case TN_ACTION_MOD_VLAN_PCP:
		if (a->vlan_pcp > 7)
			return tn_error_set(c->err, TN_OFPBAC_BAD_ARGUMENT, i,
				"mod_vlan_pcp: %u is out of range; give 0 to 7", a->vlan_pcp);
		return 0;
	case TN_ACTION_SET_QUEUE:
		if (a->queue_id > QUEUE_MAX)
			return tn_error_set(c->err, TN_OFPBAC_BAD_QUEUE, i,
				"set_queue: 0x%x is no queue; give 0 to %u", a->queue_id,
				QUEUE_MAX);
		return 0;
	case TN_ACTION_TRUNCATE:
		if (a->max_len < FRAME_MIN)
			return tn_error_set(c->err, TN_OFPBAC_BAD_ARGUMENT, i,
				"truncate: %u is less than an Ethernet header; give %u or more",
				a->max_len, FRAME_MIN);
		return 0;
	case TN_ACTION_RESUBMIT:
		return check_resubmit(c, i);
	case TN_ACTION_NOTE:
		if (a->note.len > TN_NOTE_MAX)
			return tn_error_set(c->err, TN_OFPBAC_BAD_LEN, i,
				"note: %u bytes are too many; give at most %u", a->note.len,
				TN_NOTE_MAX);
		return 0;
	case TN_ACTION_IF_LONGER:
		if (a->max_len < IP_LEN_MIN || a->max_len > UINT16_MAX)
			return tn_error_set(c->err, TN_OFPBAC_BAD_ARGUMENT, i,
				"if_longer: %u is no length to compare with; give %u to 65535",
				a->max_len, IP_LEN_MIN);
		return 0;
	case TN_ACTION_POP_VLAN:
	case TN_ACTION_DEC_TTL:
	case TN_ACTION_COPY_TTL_IN:
	case TN_ACTION_COPY_TTL_OUT:
	case TN_ACTION_POP_QUEUE:
	case TN_ACTION_CLONE:
	case TN_ACTION_REPLY: /* check_nested() */
	case TN_ACTION_LEARN:
	case TN_ACTION_FDB:
	case TN_ACTION_SNOOP:
	case TN_ACTION_MCAST:
		return 0;
	case TN_ACTION_CIRCUIT:
		return check_circuit(c, i);
	case TN_ACTION_ADVERTISE:
		return check_advertise(c, i);
	}
	return tn_error_set(c->err, TN_OFPBAC_BAD_TYPE, i, "no action has type %u", a->type);
}

/* A set runs after other tables had their say: only there may a tag come from elsewhere. */
static bool field_ok(const struct check *c, const struct tn_match *known, enum tn_field_id id)
{
	if (id == TN_FIELD_VLAN_VID || tn_fields[id].prereq == TN_PREREQ_VLAN)
		return in_set(c) || has_tag(known);
	return tn_match_prereq_ok(known, id);
}

static int check_field_ok(
	const struct check *c, int i, const struct tn_match *known, enum tn_field_id id)
{
	const struct tn_field *f = &tn_fields[id];

	if (field_ok(c, known, id))
		return 0;
	if (id == TN_FIELD_VLAN_VID || f->prereq == TN_PREREQ_VLAN)
		return tn_error_set(c->err, TN_OFPBAC_MATCH_INCONSISTENT, i,
			"%s: %s needs a VLAN tag; match vlan_vid with a tag present (0x1000) or "
			"push_vlan first",
			action_name(c->list[i].type), f->name);
	return tn_error_set(c->err, TN_OFPBAC_MATCH_INCONSISTENT, i,
		"%s: %s needs %s in the flow's match", action_name(c->list[i].type), f->name,
		tn_prereq_text(f->prereq));
}

/* Can the action apply to every packet that the flow matches? */
static int check_prereqs(const struct check *c, int i, const struct tn_match *known)
{
	const struct tn_action *a = &c->list[i];

	if (!c->known_packet)
		return 0;
	switch ((enum tn_action_type)a->type) {
	case TN_ACTION_SET_FIELD:
		return check_field_ok(c, i, known, (enum tn_field_id)a->field);
	case TN_ACTION_MOVE:
		if (check_field_ok(c, i, known, (enum tn_field_id)a->move.src))
			return -EINVAL;
		return check_field_ok(c, i, known, (enum tn_field_id)a->field);
	case TN_ACTION_POP_VLAN:
		if (!in_set(c) && !has_tag(known))
			return tn_error_set(c->err, TN_OFPBAC_MATCH_INCONSISTENT, i,
				"pop_vlan needs a VLAN tag; match vlan_vid with a tag present "
				"(0x1000) or push_vlan first");
		return 0;
	case TN_ACTION_DEC_TTL:
		if (!tn_match_prereq_ok(known, TN_FIELD_IP_TTL))
			return tn_error_set(c->err, TN_OFPBAC_MATCH_INCONSISTENT, i,
				"dec_ttl needs %s in the flow's match",
				tn_prereq_text(TN_PREREQ_IP));
		return 0;
	case TN_ACTION_REPLY:
		return tn_reply_check_match(a, known, i, c->err);
	default:
		return 0;
	}
}

static int check_list(
	const struct check *c, size_t begin, size_t end, struct tn_match *known, unsigned depth);

/* What list[i] holds, before `end`: actions of a branch of their own, or data. */
static int check_nested(
	const struct check *c, size_t i, size_t end, const struct tn_match *known, unsigned depth)
{
	const struct tn_action *a = &c->list[i];
	struct tn_match copy = *known;

	if (a->type == TN_ACTION_REPLY)
		return tn_reply_check(a, end - i - 1, (int)i, c->err);
	if (a->n_nested > end - i - 1)
		return tn_error_set(c->err, TN_OFPBAC_BAD_LEN, (int)i,
			"%s holds %u actions but only %zu follow; correct the count",
			action_name(a->type), a->n_nested, end - i - 1);
	if (depth == CLONE_DEPTH_MAX)
		return tn_error_set(c->err, TN_OFPBAC_TOO_MANY, (int)i,
			"%s is nested deeper than %u; put inner ones side by side",
			action_name(a->type), CLONE_DEPTH_MAX);
	return check_list(c, i + 1, i + 1 + a->n_nested, &copy, depth + 1);
}

/* The actions of list[begin, end), in order. */
static int check_list(
	const struct check *c, size_t begin, size_t end, struct tn_match *known, unsigned depth)
{
	for (size_t i = begin; i < end; i++) {
		const struct tn_action *a = &c->list[i];

		if (check_arguments(c, (int)i))
			return -EINVAL;
		if (tn_action_nests(a->type) && check_nested(c, i, end, known, depth))
			return -EINVAL;
		if (check_prereqs(c, (int)i, known))
			return -EINVAL;
		learn_action(known, a);
		if (tn_action_nests(a->type))
			i += a->n_nested;
	}
	return 0;
}

/* Where a bucket's copy goes may be said by a table, too. */
static bool set_takes(uint8_t type, enum tn_action_place place)
{
	switch ((enum tn_action_type)type) {
	case TN_ACTION_RESUBMIT:
		return place == TN_PLACE_BUCKET;
	case TN_ACTION_MOVE:
	case TN_ACTION_CLONE:
	case TN_ACTION_NOTE:
	case TN_ACTION_REPLY:
	case TN_ACTION_IF_LONGER:
	case TN_ACTION_LEARN:
	case TN_ACTION_FDB:
	case TN_ACTION_SNOOP:
	case TN_ACTION_MCAST:
	case TN_ACTION_CIRCUIT:
	case TN_ACTION_ADVERTISE:
		return false;
	default:
		return true;
	}
}

/* The place of an action in the set's order; members of one place exclude each other. */
static unsigned set_kind(uint8_t type)
{
	return type == TN_ACTION_POP_QUEUE ? TN_ACTION_SET_QUEUE : type;
}

static int check_set_members(const struct check *c, size_t n)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t type = c->list[i].type;

		if (check_arguments(c, (int)i))
			return -EINVAL;
		if (!set_takes(type, c->place))
			return tn_error_set(c->err, TN_OFPBAC_BAD_TYPE, (int)i,
				"%s cannot be in an action set; apply it instead",
				action_name(type));
		if (type == TN_ACTION_SET_FIELD)
			continue;
		if (seen >> set_kind(type) & 1)
			return tn_error_set(c->err, TN_OFPBAC_UNSUPPORTED_ORDER, (int)i,
				"an action set holds one %s; remove this one, or apply the actions "
				"as a list",
				action_name(type));
		seen |= 1u << set_kind(type);
	}
	return 0;
}

/* SET_FIELDs run by number of the field: icmpv6_type before the ND fields it makes possible. */
static int check_set_fields(const struct check *c, size_t n, struct tn_match *known)
{
	for (uint8_t field = 0; field < TN_N_FIELDS; field++) {
		for (size_t i = 0; i < n; i++) {
			const struct tn_action *a = &c->list[i];

			if (a->type != TN_ACTION_SET_FIELD || a->field != field)
				continue;
			if (check_prereqs(c, (int)i, known))
				return -EINVAL;
			learn_action(known, a);
		}
	}
	return 0;
}

static int check_set(const struct check *c, size_t n, struct tn_match *known)
{
	if (check_set_members(c, n))
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (c->list[i].type != TN_ACTION_SET_FIELD && check_prereqs(c, (int)i, known))
			return -EINVAL;
	}
	return check_set_fields(c, n, known);
}

static int check_actions(const struct check *c, size_t n, struct tn_match *known)
{
	if (n > TN_ACTIONS_MAX)
		return tn_error_set(c->err, TN_OFPBAC_TOO_MANY, -1,
			"%zu actions in one list are too many; give at most %u", n, TN_ACTIONS_MAX);
	return in_set(c) ? check_set(c, n, known) : check_list(c, 0, n, known, 0);
}

static void start_known(struct tn_match *known, const struct tn_match *match)
{
	if (match)
		*known = *match;
	else
		tn_match_init(known);
}

int tn_actions_check(const struct tn_action *list, size_t n, enum tn_action_place place,
	const struct tn_match *match, uint8_t table, struct tn_error *err)
{
	const struct check c = {list, place, table, match != NULL, err};
	struct tn_match known;

	start_known(&known, match);
	return check_actions(&c, n, &known);
}

int tn_instructions_check(const struct tn_instructions *inst, const struct tn_match *match,
	uint8_t table, struct tn_error *err)
{
	const struct check apply = {inst->apply, TN_PLACE_APPLY, table, match != NULL, err};
	const struct check write = {inst->write, TN_PLACE_WRITE, table, match != NULL, err};
	struct tn_match known;

	if (inst->meter_id > TN_METER_MAX)
		return tn_error_set(err, TN_OFPBAC_BAD_METER, -1,
			"meter: 0x%x is no meter; give 1 to 0x%x", inst->meter_id, TN_METER_MAX);
	start_known(&known, match);
	if (check_actions(&apply, inst->n_apply, &known) ||
		check_actions(&write, inst->n_write, &known))
		return -EINVAL;
	if (inst->goto_table != TN_GOTO_NONE && table != TN_TABLE_ALL && inst->goto_table <= table)
		return tn_error_set(err, TN_OFPBIC_BAD_TABLE_ID, -1,
			"goto_table: tables only go forward; give one above the flow's own table "
			"%u instead of %u",
			table, inst->goto_table);
	return 0;
}

static bool arguments_equal(const struct tn_action *a, const struct tn_action *b)
{
	switch ((enum tn_action_type)a->type) {
	case TN_ACTION_OUTPUT:
		return a->output.port == b->output.port && a->output.max_len == b->output.max_len &&
			(a->output.port != TN_PORT_CONTROLLER ||
				a->output.reason == b->output.reason);
	case TN_ACTION_GROUP:
		return a->group_id == b->group_id;
	case TN_ACTION_SET_FIELD:
		return a->field == b->field && a->set.mask == b->set.mask &&
			((a->set.value ^ b->set.value) & a->set.mask) == 0;
	case TN_ACTION_MOVE:
		return a->field == b->field && a->move.src == b->move.src &&
			a->move.src_ofs == b->move.src_ofs && a->move.dst_ofs == b->move.dst_ofs &&
			a->move.n_bits == b->move.n_bits;
	case TN_ACTION_PUSH_VLAN:
		return a->ethertype == b->ethertype;
	case TN_ACTION_MOD_VLAN_VID:
		return a->vlan_vid == b->vlan_vid;
	case TN_ACTION_MOD_VLAN_PCP:
		return a->vlan_pcp == b->vlan_pcp;
	case TN_ACTION_SET_QUEUE:
		return a->queue_id == b->queue_id;
	case TN_ACTION_TRUNCATE:
		return a->max_len == b->max_len;
	case TN_ACTION_IF_LONGER:
		return a->max_len == b->max_len && a->n_nested == b->n_nested;
	case TN_ACTION_REPLY:
		return a->n_nested == b->n_nested && tn_reply_equal(a, b);
	case TN_ACTION_LEARN:
		return a->limit == b->limit;
	case TN_ACTION_FDB:
		return a->known.local == b->known.local;
	case TN_ACTION_MCAST:
		return a->known.local == b->known.local && a->known.routers == b->known.routers;
	case TN_ACTION_CIRCUIT:
		return a->circuit.number == b->circuit.number &&
			a->circuit.table == b->circuit.table && a->field == b->field;
	case TN_ACTION_ADVERTISE:
		return a->advertise.least == b->advertise.least &&
			a->advertise.most == b->advertise.most;
	case TN_ACTION_RESUBMIT:
		return a->resubmit.in_port == b->resubmit.in_port &&
			a->resubmit.table == b->resubmit.table;
	case TN_ACTION_CLONE:
		return a->n_nested == b->n_nested;
	case TN_ACTION_NOTE:
		return a->note.len == b->note.len &&
			memcmp(a->note.data, b->note.data, a->note.len) == 0;
	case TN_ACTION_POP_VLAN:
	case TN_ACTION_DEC_TTL:
	case TN_ACTION_COPY_TTL_IN:
	case TN_ACTION_COPY_TTL_OUT:
	case TN_ACTION_POP_QUEUE:
	case TN_ACTION_SNOOP:
		return true;
	}
	return false;
}

bool tn_actions_equal(const struct tn_action *a, size_t na, const struct tn_action *b, size_t nb)
{
	if (na != nb)
		return false;
	for (size_t i = 0; i < na; i++) {
		if (a[i].type != b[i].type || !arguments_equal(&a[i], &b[i]))
			return false;
	}
	return true;
}
