/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/ofctl_action.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16u /* of clone(); what actions may nest is for their check to say */

/* One action that is read. */
struct reading {
	struct tn_ofctl_line *line;
	const struct tn_match *match; /* NULL: nothing is known of the packet */
	struct tn_ofctl_list *list;
	struct tn_ofctl_span name, arg;
	uint8_t type;  /* enum tn_action_type that the word means */
	uint8_t field; /* enum tn_field_id that the word means */
};

void tn_ofctl_list_fini(struct tn_ofctl_list *list)
{
	free(list->action);
	free(list->at);
}

struct tn_action *tn_ofctl_list_add(
	struct tn_ofctl_list *l, const char *at, enum tn_action_type type)
{
	struct tn_action *a;

	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 8;
		l->action = realloc(l->action, l->room * sizeof(*l->action));
		l->at = realloc(l->at, l->room * sizeof(*l->at));
		if (!l->action || !l->at)
			abort();
	}
	l->at[l->n] = at;
	a = &l->action[l->n++];
	memset(a, 0, sizeof(*a));
	a->type = (uint8_t)type;
	return a;
}

static struct tn_action *add(const struct reading *r, enum tn_action_type type)
{
	return tn_ofctl_list_add(r->list, r->name.p, type);
}

static int number(const struct reading *r, uint64_t max, uint64_t *value)
{
	return tn_ofctl_number(
		r->line, r->arg, tn_ofctl_show(r->name).s, TN_OFPBAC_BAD_ARGUMENT, 0, max, value);
}

/* Words without argument: their type is all there is to them. */
static int parse_plain(const struct reading *r)
{
	if (r->arg.n)
		return tn_ofctl_complain(r->line, r->arg.p, TN_OFPBAC_BAD_ARGUMENT,
			"%s takes no argument here; write it alone", tn_ofctl_show(r->name).s);
	add(r, (enum tn_action_type)r->type);
	return 0;
}

static void add_output(const struct reading *r, uint32_t port)
{
	struct tn_action *a = add(r, TN_ACTION_OUTPUT);

	a->output.port = port;
	a->output.reason = TN_REASON_DEFAULT;
	if (port == TN_PORT_CONTROLLER)
		a->output.max_len = TN_CONTROLLER_MAX_LEN_WHOLE;
}

/* output(port=P,max_len=N) */
static int parse_output_truncated(const struct reading *r)
{
	struct tn_ofctl_span rest = r->arg;
	struct tn_ofctl_item item;
	uint32_t port = TN_PORT_NONE_YET;
	uint64_t max_len = 0;
	int rc;

	while ((rc = tn_ofctl_next(r->line, &rest, &item)) > 0) {
		if (tn_ofctl_is(item.key, "port"))
			rc = tn_ofctl_port(r->line, item.value, TN_OFPBAC_BAD_OUT_PORT, &port);
		else if (tn_ofctl_is(item.key, "max_len"))
			rc = tn_ofctl_number(r->line, item.value, "max_len", TN_OFPBAC_BAD_ARGUMENT,
				14, UINT16_MAX, &max_len);
		else
			rc = tn_ofctl_complain(r->line, item.key.p, TN_OF_OK,
				"output takes port= and max_len=, not \"%s\"",
				tn_ofctl_show(item.key).s);
		if (rc)
			break;
	}
	if (rc)
		return -EINVAL;
	if (port == TN_PORT_NONE_YET || max_len == 0)
		return tn_ofctl_complain(r->line, r->arg.p, TN_OF_OK,
			"output(...) needs both port= and max_len=; without a length write "
			"output:PORT");
	if (port == TN_PORT_CONTROLLER)
		return tn_ofctl_complain(r->line, r->arg.p, TN_OFPBAC_BAD_OUT_PORT,
			"output(port=,max_len=) does not send to the controller; write "
			"controller:MAX_LEN");
	add_output(r, port);
	r->list->action[r->list->n - 1].output.max_len = (uint16_t)max_len;
	return 0;
}

static int parse_output(const struct reading *r)
{
	struct tn_ofctl_view view;
	struct tn_ofctl_span name, rest;
	uint32_t port;

	if (tn_ofctl_split(r->arg, "=", &name, &rest))
		return parse_output_truncated(r);
	name = r->arg;
	if (!tn_ofctl_scan_port(r->line->o, r->arg, &port)) {
		tn_ofctl_split(r->arg, "[", &name, &rest);
		if (tn_ofctl_view_by_name(name, true, &view))
			return tn_ofctl_complain(r->line, r->arg.p, TN_OFPBAC_BAD_TYPE,
				"output to the port that a field names is not supported by this "
				"switch; write a port");
	}
	if (tn_ofctl_port(r->line, r->arg, TN_OFPBAC_BAD_OUT_PORT, &port))
		return -EINVAL;
	add_output(r, port);
	return 0;
}

static int parse_reason(const struct reading *r, struct tn_ofctl_span s, uint8_t *reason)
{
	struct tn_ofctl_near near;

	tn_ofctl_near_init(&near, s);
	for (uint8_t i = 0; i < TN_OFCTL_N_REASONS; i++) {
		if (tn_ofctl_is(s, tn_ofctl_reasons[i])) {
			*reason = i;
			return 0;
		}
		tn_ofctl_near_try(&near, tn_ofctl_reasons[i]);
	}
	return tn_ofctl_unknown(r->line, s, "reason", &near,
		"write no_match, action, invalid_ttl, action_set, group or packet_out");
}

static int parse_controller_key(
	const struct reading *r, const struct tn_ofctl_item *item, uint8_t *reason, uint16_t *max)
{
	uint64_t v;

	if (tn_ofctl_is(item->key, "reason"))
		return parse_reason(r, item->value, reason);
	if (tn_ofctl_is(item->key, "max_len")) {
		if (tn_ofctl_number(r->line, item->value, "max_len", TN_OFPBAC_BAD_ARGUMENT, 0,
			    UINT16_MAX, &v))
			return -EINVAL;
		*max = (uint16_t)v;
		return 0;
	}
	if (tn_ofctl_is(item->key, "id") || tn_ofctl_is(item->key, "userdata") ||
		tn_ofctl_is(item->key, "pause") || tn_ofctl_is(item->key, "meter_id"))
		return tn_ofctl_complain(r->line, item->key.p, TN_OFPBAC_BAD_ARGUMENT,
			"controller: %s is not supported by this switch; leave it out",
			tn_ofctl_show(item->key).s);
	return tn_ofctl_complain(r->line, item->key.p, TN_OF_OK,
		"controller takes max_len= and reason=, not \"%s\"", tn_ofctl_show(item->key).s);
}

/* controller, controller:N or controller(reason=R,max_len=N) */
static int parse_controller(const struct reading *r)
{
	uint16_t max = TN_CONTROLLER_MAX_LEN_WHOLE;
	struct tn_ofctl_span rest = r->arg;
	uint8_t reason = TN_REASON_DEFAULT;
	struct tn_ofctl_item item;
	int rc = 0;
	uint64_t v;

	if (r->arg.n && !memchr(r->arg.p, '=', r->arg.n) && r->arg.p[0] >= '0' &&
		r->arg.p[0] <= '9') {
		if (tn_ofctl_number(
			    r->line, r->arg, "max_len", TN_OFPBAC_BAD_ARGUMENT, 0, UINT16_MAX, &v))
			return -EINVAL;
		max = (uint16_t)v;
		rest.n = 0;
	}
	while (rc == 0 && (rc = tn_ofctl_next(r->line, &rest, &item)) > 0)
		rc = parse_controller_key(r, &item, &reason, &max);
	if (rc)
		return -EINVAL;
	add_output(r, TN_PORT_CONTROLLER);
	r->list->action[r->list->n - 1].output.max_len = max;
	r->list->action[r->list->n - 1].output.reason = reason;
	return 0;
}

/* enqueue:PORT:QUEUE is what OpenFlow 1.3 has three actions for. */
static int parse_enqueue(const struct reading *r)
{
	struct tn_ofctl_span port_s, queue_s;
	uint32_t port;
	uint64_t queue;

	if (!tn_ofctl_split(r->arg, ":", &port_s, &queue_s) &&
		!tn_ofctl_split(r->arg, ",", &port_s, &queue_s) &&
		!tn_ofctl_split(r->arg, "q", &port_s, &queue_s))
		return tn_ofctl_complain(r->line, r->arg.p, TN_OF_OK,
			"enqueue is written enqueue:PORT:QUEUE or enqueue(PORT,QUEUE)");
	if (tn_ofctl_port(r->line, port_s, TN_OFPBAC_BAD_OUT_PORT, &port) ||
		tn_ofctl_number(
			r->line, queue_s, "queue", TN_OFPBAC_BAD_QUEUE, 0, UINT32_MAX, &queue))
		return -EINVAL;
	add(r, TN_ACTION_SET_QUEUE)->queue_id = (uint32_t)queue;
	add_output(r, port);
	add(r, TN_ACTION_POP_QUEUE);
	return 0;
}

static int parse_group(const struct reading *r)
{
	uint64_t v;

	if (tn_ofctl_number(r->line, r->arg, "group", TN_OFPBAC_BAD_OUT_GROUP, 0, TN_GROUP_MAX, &v))
		return -EINVAL;
	add(r, TN_ACTION_GROUP)->group_id = (uint32_t)v;
	return 0;
}

static int parse_queue(const struct reading *r)
{
	uint64_t v;

	if (tn_ofctl_number(r->line, r->arg, "queue", TN_OFPBAC_BAD_QUEUE, 0, UINT32_MAX, &v))
		return -EINVAL;
	add(r, TN_ACTION_SET_QUEUE)->queue_id = (uint32_t)v;
	return 0;
}

static int parse_truncate(const struct reading *r)
{
	uint64_t v;

	if (tn_ofctl_number(
		    r->line, r->arg, "truncate", TN_OFPBAC_BAD_ARGUMENT, 14, UINT32_MAX, &v))
		return -EINVAL;
	add(r, TN_ACTION_TRUNCATE)->max_len = (uint32_t)v;
	return 0;
}

static int parse_push_vlan(const struct reading *r)
{
	uint64_t v;

	if (number(r, UINT16_MAX, &v))
		return -EINVAL;
	if (v != 0x8100 && v != 0x88a8)
		return tn_ofctl_complain(r->line, r->arg.p, TN_OFPBAC_BAD_ARGUMENT,
			"push_vlan: %s is not the type of a VLAN tag; write 0x8100 or 0x88a8",
			tn_ofctl_show(r->arg).s);
	add(r, TN_ACTION_PUSH_VLAN)->ethertype = (uint16_t)v;
	return 0;
}

static int parse_mod_vlan_vid(const struct reading *r)
{
	uint64_t v;

	if (number(r, TN_VLAN_VID_MASK, &v))
		return -EINVAL;
	add(r, TN_ACTION_MOD_VLAN_VID)->vlan_vid = (uint16_t)v;
	return 0;
}

static int parse_mod_vlan_pcp(const struct reading *r)
{
	uint64_t v;

	if (number(r, 7, &v))
		return -EINVAL;
	add(r, TN_ACTION_MOD_VLAN_PCP)->vlan_pcp = (uint8_t)v;
	return 0;
}

static void add_set(const struct reading *r, enum tn_field_id field, tn_u128 value, tn_u128 mask)
{
	struct tn_action *a = add(r, TN_ACTION_SET_FIELD);

	a->field = (uint8_t)field;
	a->set.value = value & mask;
	a->set.mask = mask;
}

/* Sets the bits of a view: one action for each field that it shows, that of the top bits first. */
static void add_set_view(
	const struct reading *r, const struct tn_ofctl_view *view, tn_u128 value, tn_u128 mask)
{
	for (unsigned i = view->n_pieces; i-- > 0;) {
		const struct tn_ofctl_piece *p = &view->piece[i];
		tn_u128 ones = tn_ofctl_ones(p->n_bits);
		tn_u128 v = (value >> p->ofs & ones) << p->field_ofs;
		tn_u128 m = (mask >> p->ofs & ones) << p->field_ofs;

		if (m == 0)
			continue;
		if (view->with_mask) {
			v |= view->with_value;
			m |= view->with_mask;
		}
		add_set(r, (enum tn_field_id)p->field, v, m);
	}
}

/* VALUE[/MASK]->FIELD */
static int parse_set_field(const struct reading *r)
{
	struct tn_ofctl_span value_s, field_s;
	struct tn_ofctl_view view;
	const char *mask_at;
	tn_u128 value, mask;
	size_t before = r->list->n;

	if (!tn_ofctl_split(r->arg, "->", &value_s, &field_s))
		return tn_ofctl_complain(r->line, r->arg.p, TN_OF_OK,
			"set_field is written set_field:VALUE->FIELD or set_field:VALUE/MASK->FIELD");
	if (!tn_ofctl_view_by_name(field_s, false, &view))
		return tn_ofctl_no_field(r->line, field_s, TN_OFPBAC_BAD_SET_TYPE);
	for (unsigned i = 0; i < view.n_pieces; i++)
		if (!tn_fields[view.piece[i].field].writable)
			return tn_ofctl_complain(r->line, field_s.p, TN_OFPBAC_BAD_SET_TYPE,
				"%s is read-only; match on it instead", tn_ofctl_show(field_s).s);
	if (tn_ofctl_parse_value(
		    r->line, &view, value_s, TN_OFPBAC_BAD_SET_ARGUMENT, &value, &mask, &mask_at))
		return -EINVAL;
	add_set_view(r, &view, value, mask);
	if (r->list->n == before)
		return tn_ofctl_complain(r->line, mask_at, TN_OFPBAC_BAD_SET_MASK,
			"set_field: a mask of 0 would set nothing; set a bit or leave the action "
			"out");
	return 0;
}

/* VALUE->FIELD[a..b] */
static int parse_load(const struct reading *r)
{
	struct tn_ofctl_span value_s, field_s;
	struct tn_ofctl_subfield sub;
	size_t before = r->list->n;
	tn_u128 value;

	if (!tn_ofctl_split(r->arg, "->", &value_s, &field_s))
		return tn_ofctl_complain(
			r->line, r->arg.p, TN_OF_OK, "load is written load:VALUE->FIELD[A..B]");
	if (tn_ofctl_parse_subfield(r->line, field_s, true, TN_OFPBAC_BAD_SET_TYPE, &sub))
		return -EINVAL;
	if (tn_ofctl_scan_u128(value_s, &value))
		return tn_ofctl_complain(r->line, value_s.p, TN_OF_OK,
			"load: \"%s\" is not a number, decimal or 0x", tn_ofctl_show(value_s).s);
	if (value & ~tn_ofctl_ones(sub.n_bits))
		return tn_ofctl_complain(r->line, value_s.p, TN_OFPBAC_BAD_SET_ARGUMENT,
			"load: %s does not fit into %u bits", tn_ofctl_show(value_s).s, sub.n_bits);
	add_set_view(r, &sub.view, value << sub.ofs, tn_ofctl_ones(sub.n_bits) << sub.ofs);
	if (r->list->n == before)
		return tn_ofctl_complain(r->line, field_s.p, TN_OFPBAC_BAD_SET_MASK,
			"load: these bits of %s cannot be set", tn_ofctl_show(sub.view.spelt).s);
	return 0;
}

/* The piece of a view that bit `ofs` is in; NULL: in none. */
static const struct tn_ofctl_piece *piece_at(const struct tn_ofctl_view *view, unsigned ofs)
{
	for (unsigned i = 0; i < view->n_pieces; i++) {
		const struct tn_ofctl_piece *p = &view->piece[i];

		if (ofs >= p->ofs && ofs < (unsigned)p->ofs + p->n_bits)
			return p;
	}
	return NULL;
}

static unsigned min_of(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

#define MOVES_MAX 8u /* runs of bits of two views of up to four fields each */

/* The runs of bits that stay within one field on both sides, from the lowest; 0: not all have one.
 */
static unsigned split_move(const struct tn_ofctl_subfield *src, const struct tn_ofctl_subfield *dst,
	struct tn_action moves[MOVES_MAX])
{
	unsigned n_moves = 0;

	for (unsigned done = 0, n; done < src->n_bits; done += n) {
		unsigned s_ofs = src->ofs + done, d_ofs = dst->ofs + done;
		const struct tn_ofctl_piece *s = piece_at(&src->view, s_ofs);
		const struct tn_ofctl_piece *d = piece_at(&dst->view, d_ofs);
		struct tn_action *a = &moves[n_moves++];

		if (!s || !d)
			return 0;
		n = min_of(src->n_bits - done,
			min_of((unsigned)s->ofs + s->n_bits - s_ofs,
				(unsigned)d->ofs + d->n_bits - d_ofs));
		memset(a, 0, sizeof(*a));
		a->field = d->field;
		a->move.src = s->field;
		a->move.src_ofs = (uint8_t)(s->field_ofs + s_ofs - s->ofs);
		a->move.dst_ofs = (uint8_t)(d->field_ofs + d_ofs - d->ofs);
		a->move.n_bits = (uint8_t)n;
	}
	return n_moves;
}

/* Does `first` write bits that `second` is still to read? */
static bool clobbers(const struct tn_action *first, const struct tn_action *second)
{
	return first->field == second->move.src &&
		first->move.dst_ofs < second->move.src_ofs + second->move.n_bits &&
		second->move.src_ofs < first->move.dst_ofs + first->move.n_bits;
}

static bool is_safe_upwards(const struct tn_action *moves, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = i + 1; j < n; j++)
			if (clobbers(&moves[i], &moves[j]))
				return false;
	return true;
}

/* Bits that overlap, as of xxreg0 to xxreg0, are moved from the end that is safe. */
static int add_moves(const struct reading *r, const struct tn_ofctl_subfield *src,
	const struct tn_ofctl_subfield *dst)
{
	struct tn_action moves[MOVES_MAX];
	unsigned n = split_move(src, dst, moves);
	bool upwards = is_safe_upwards(moves, n);

	if (n == 0)
		return tn_ofctl_complain(r->line, r->arg.p, TN_OFPBAC_BAD_ARGUMENT,
			"move: the ECN bits of nw_tos are the field nw_ecn; move them apart");
	for (unsigned i = 0; i < n; i++) {
		const struct tn_action *m = &moves[upwards ? i : n - 1 - i];
		struct tn_action *a = add(r, TN_ACTION_MOVE);

		a->field = m->field;
		a->move = m->move;
	}
	return 0;
}

/* SRC[a..b]->DST[c..d] */
static int parse_move(const struct reading *r)
{
	struct tn_ofctl_span src_s, dst_s;
	struct tn_ofctl_subfield src, dst;

	if (!tn_ofctl_split(r->arg, "->", &src_s, &dst_s))
		return tn_ofctl_complain(
			r->line, r->arg.p, TN_OF_OK, "move is written move:SRC[A..B]->DST[C..D]");
	if (tn_ofctl_parse_subfield(r->line, src_s, true, TN_OFPBAC_BAD_ARGUMENT, &src) ||
		tn_ofctl_parse_subfield(r->line, dst_s, true, TN_OFPBAC_BAD_SET_TYPE, &dst))
		return -EINVAL;
	if (src.n_bits != dst.n_bits)
		return tn_ofctl_complain(r->line, r->arg.p, TN_OFPBAC_BAD_SET_LEN,
			"move: the source has %u bits, the destination %u; make them as many",
			src.n_bits, dst.n_bits);
	if (dst.view.with_mask)
		add_set(r, (enum tn_field_id)dst.view.with_field, dst.view.with_value,
			dst.view.with_mask);
	return add_moves(r, &src, &dst);
}

/* Old names for SET_FIELD of the whole of r->field. */
static int parse_mod_field(const struct reading *r)
{
	struct tn_ofctl_view view;
	tn_u128 value, mask;
	const char *mask_at;

	tn_ofctl_view_of((enum tn_field_id)r->field, &view);
	view.spelt = r->name;
	if (tn_ofctl_parse_value(
		    r->line, &view, r->arg, TN_OFPBAC_BAD_SET_ARGUMENT, &value, &mask, &mask_at))
		return -EINVAL;
	if (mask != tn_ofctl_ones(view.bits))
		return tn_ofctl_complain(r->line, mask_at, TN_OFPBAC_BAD_SET_MASK,
			"%s takes no mask; write set_field:VALUE/MASK->%s",
			tn_ofctl_show(r->name).s, view.name);
	add_set(r, (enum tn_field_id)r->field, value, mask);
	return 0;
}

static int parse_set_vlan_vid(const struct reading *r)
{
	uint64_t v;

	if (number(r, TN_VLAN_VID_MASK, &v))
		return -EINVAL;
	add_set(r, TN_FIELD_VLAN_VID, v | TN_VLAN_PRESENT, tn_field_ones(TN_FIELD_VLAN_VID));
	return 0;
}

static int parse_mod_nw_tos(const struct reading *r)
{
	uint64_t v;

	if (number(r, 255, &v))
		return -EINVAL;
	if (v & 3)
		return tn_ofctl_complain(r->line, r->arg.p, TN_OFPBAC_BAD_SET_ARGUMENT,
			"mod_nw_tos: %s has ECN bits; write a multiple of 4, and mod_nw_ecn for "
			"the rest",
			tn_ofctl_show(r->arg).s);
	add_set(r, TN_FIELD_IP_DSCP, v >> 2, tn_field_ones(TN_FIELD_IP_DSCP));
	return 0;
}

/* r->field is the TCP one of a row of three. */
static int parse_mod_tp(const struct reading *r)
{
	static const enum tn_field_id fields[][2] = {
		{TN_FIELD_TCP_SRC, TN_FIELD_TCP_DST},
		{TN_FIELD_UDP_SRC, TN_FIELD_UDP_DST},
		{TN_FIELD_SCTP_SRC, TN_FIELD_SCTP_DST},
	};
	bool dst = r->field == TN_FIELD_TCP_DST;
	uint64_t v;

	if (number(r, UINT16_MAX, &v))
		return -EINVAL;
	for (size_t i = 0; i < TN_ARRAY_SIZE(fields); i++) {
		if (r->list->any_match ||
			(r->match && tn_match_prereq_ok(r->match, fields[i][dst]))) {
			add_set(r, fields[i][dst], v, UINT16_MAX);
			return 0;
		}
	}
	return tn_ofctl_complain(r->line, r->name.p, TN_OFPBAC_MATCH_INCONSISTENT,
		"%s needs a match on a protocol that has ports; match tcp, udp or sctp, or write "
		"set_field:PORT->tcp_%s and the like",
		tn_ofctl_show(r->name).s, dst ? "dst" : "src");
}

/* Hexadecimal digits, in pairs, with dots between the bytes where one likes. */
static int parse_note(const struct reading *r)
{
	struct tn_ofctl_span s = r->arg;
	struct tn_action note;
	uint8_t n = 0;

	memset(&note, 0, sizeof(note));
	while (s.n) {
		char digits[5] = "0x";
		tn_u128 byte;

		if (s.p[0] == '.') {
			s.p++;
			s.n--;
			continue;
		}
		if (n == TN_NOTE_MAX)
			return tn_ofctl_complain(r->line, s.p, TN_OFPBAC_BAD_LEN,
				"note is too long; it holds %u bytes", TN_NOTE_MAX);
		memcpy(digits + 2, s.p, s.n < 2 ? s.n : 2);
		if (s.n < 2 || tn_ofctl_scan_u128((struct tn_ofctl_span){digits, 4}, &byte))
			return tn_ofctl_complain(r->line, s.p, TN_OF_OK,
				"note takes bytes of two hexadecimal digits, like 00.1f.a0");
		note.note.data[n++] = (uint8_t)byte;
		s.p += 2;
		s.n -= 2;
	}
	note.note.len = n;
	add(r, TN_ACTION_NOTE)->note = note.note;
	return 0;
}

static int no_table(const struct reading *r)
{
	return tn_ofctl_complain(r->line, r->name.p, TN_OFPBAC_BAD_ARGUMENT,
		"resubmit to the flow's own table would not end: tables only go forward; name a "
		"later table, as in resubmit(,TABLE)");
}

/* resubmit:PORT, resubmit(PORT,TABLE), resubmit(,TABLE) */
static int parse_resubmit(const struct reading *r)
{
	struct tn_ofctl_span port_s = r->arg, table_s = {r->arg.p + r->arg.n, 0}, more;
	uint32_t port = TN_PORT_IN_PORT;
	struct tn_action *a;
	uint8_t table;

	tn_ofctl_split(r->arg, ",", &port_s, &table_s);
	if (tn_ofctl_split(table_s, ",", &table_s, &more) && more.n)
		return tn_ofctl_complain(r->line, more.p, TN_OFPBAC_BAD_ARGUMENT,
			"resubmit: \"%s\" is not supported by this switch; leave it out",
			tn_ofctl_show(more).s);
	if (port_s.n && tn_ofctl_port(r->line, port_s, TN_OFPBAC_BAD_ARGUMENT, &port))
		return -EINVAL;
	if (table_s.n == 0)
		return no_table(r);
	if (tn_ofctl_table(r->line, table_s, TN_OFPBAC_BAD_ARGUMENT, (uint8_t)TN_TABLE_MAX, &table))
		return -EINVAL;
	a = add(r, TN_ACTION_RESUBMIT);
	a->resubmit.in_port = port;
	a->resubmit.table = table;
	return 0;
}

/* Complains when `drop` stands beside actions from position `from` on. */
static int check_drop(struct tn_ofctl_line *l, const struct tn_ofctl_list *list, size_t from)
{
	if (!list->drop_at || list->n == from)
		return 0;
	return tn_ofctl_complain(l, list->drop_at, TN_OF_OK,
		"drop is an empty list and cannot stand beside other actions; leave it or them "
		"out");
}

/* The actions of s, in the one that was added last. */
static int parse_nested(const struct reading *r, struct tn_ofctl_span s)
{
	struct tn_ofctl_list *l = r->list;
	const char *drop_at = l->drop_at;
	size_t at = l->n - 1;
	int rc;

	if (l->depth == DEPTH_MAX)
		return tn_ofctl_complain(r->line, r->name.p, TN_OFPBAC_TOO_MANY,
			"%s is nested too deep; put inner ones side by side",
			tn_ofctl_show(r->name).s);
	l->depth++;
	l->drop_at = NULL;
	rc = tn_ofctl_action_items(r->line, s, r->match, l);
	if (!rc)
		rc = check_drop(r->line, l, at + 1);
	l->drop_at = drop_at;
	l->depth--;
	l->action[at].n_nested = (uint16_t)(l->n - at - 1);
	return rc;
}

static int parse_clone(const struct reading *r)
{
	add(r, TN_ACTION_CLONE);
	return parse_nested(r, r->arg);
}

/* if_longer(N,ACTIONS) */
static int parse_if_longer(const struct reading *r)
{
	struct tn_ofctl_span len = r->arg, rest = {r->arg.p + r->arg.n, 0};
	uint64_t v;

	tn_ofctl_split(r->arg, ",", &len, &rest);
	if (tn_ofctl_number(r->line, len, "if_longer", TN_OFPBAC_BAD_ARGUMENT, 0, UINT16_MAX, &v))
		return -EINVAL;
	add(r, TN_ACTION_IF_LONGER)->max_len = (uint32_t)v;
	return parse_nested(r, rest);
}

/* learn_mac or learn_mac(limit=N); Open vSwitch's learn is another action. */
static int parse_learn_mac(const struct reading *r)
{
	struct tn_ofctl_span rest = r->arg;
	struct tn_ofctl_item item;
	uint64_t limit = 0;
	int rc;

	while ((rc = tn_ofctl_next(r->line, &rest, &item)) > 0) {
		if (!tn_ofctl_is(item.key, "limit"))
			return tn_ofctl_complain(r->line, item.key.p, TN_OF_OK,
				"learn_mac takes limit=, not \"%s\"", tn_ofctl_show(item.key).s);
		if (tn_ofctl_number(r->line, item.value, "limit", TN_OFPBAC_BAD_ARGUMENT, 0,
			    UINT32_MAX, &limit))
			return -EINVAL;
	}
	if (!rc)
		add(r, TN_ACTION_LEARN)->limit = (uint32_t)limit;
	return rc;
}

/* fdb or fdb(local) */
static int parse_fdb(const struct reading *r)
{
	if (r->arg.n && !tn_ofctl_is(r->arg, "local"))
		return tn_ofctl_complain(
			r->line, r->arg.p, TN_OF_OK, "fdb is written fdb or fdb(local)");
	add(r, TN_ACTION_FDB)->known.local = r->arg.n > 0;
	return 0;
}

/* mcast, mcast(local), mcast(routers), mcast(local,routers) */
static int parse_mcast(const struct reading *r)
{
	struct tn_ofctl_span rest = r->arg;
	bool local = false, routers = false;
	struct tn_ofctl_item item;
	struct tn_action *a;
	int rc;

	while ((rc = tn_ofctl_next(r->line, &rest, &item)) > 0) {
		if (tn_ofctl_is(item.key, "local"))
			local = true;
		else if (tn_ofctl_is(item.key, "routers"))
			routers = true;
		else
			return tn_ofctl_complain(r->line, item.key.p, TN_OF_OK,
				"mcast takes local and routers, not \"%s\"",
				tn_ofctl_show(item.key).s);
	}
	if (rc)
		return rc;
	a = add(r, TN_ACTION_MCAST);
	a->known.local = local;
	a->known.routers = routers;
	return 0;
}

static int parse_register(const struct reading *r, struct tn_ofctl_span value, struct tn_action *a)
{
	for (uint8_t field = TN_FIELD_REG0; field <= TN_FIELD_REG15; field++) {
		if (tn_ofctl_is(value, tn_fields[field].name)) {
			a->field = field;
			return 0;
		}
	}
	return tn_ofctl_complain(r->line, value.p, TN_OFPBAC_BAD_ARGUMENT,
		"circuit: \"%s\" is no register; give reg0 to reg15", tn_ofctl_show(value).s);
}

/* circuit(number=N,field=REG,table=T) */
static int parse_circuit(const struct reading *r)
{
	struct tn_ofctl_span rest = r->arg;
	struct tn_action a = {.type = TN_ACTION_CIRCUIT};
	struct tn_ofctl_item item;
	uint64_t number = 0, table = 0;
	unsigned told = 0;
	int rc;

	while ((rc = tn_ofctl_next(r->line, &rest, &item)) > 0) {
		if (tn_ofctl_is(item.key, "number"))
			rc = tn_ofctl_number(r->line, item.value, "number", TN_OFPBAC_BAD_ARGUMENT,
				1, UINT32_MAX, &number);
		else if (tn_ofctl_is(item.key, "table"))
			rc = tn_ofctl_number(r->line, item.value, "table", TN_OFPBAC_BAD_ARGUMENT,
				0, TN_TABLE_MAX, &table);
		else if (tn_ofctl_is(item.key, "field"))
			rc = parse_register(r, item.value, &a);
		else
			break;
		if (rc)
			return -EINVAL;
		told++;
	}
	if (rc > 0 || (!rc && told != 3))
		return tn_ofctl_complain(r->line, r->arg.p, TN_OF_OK,
			"circuit is written circuit(number=N,field=REG,table=T)");
	if (rc)
		return rc;
	a.circuit.number = (uint32_t)number;
	a.circuit.table = (uint8_t)table;
	*add(r, TN_ACTION_CIRCUIT) = a;
	return 0;
}

/* advertise(least=S,most=S) */
static int parse_advertise(const struct reading *r)
{
	struct tn_ofctl_span rest = r->arg;
	struct tn_ofctl_item item;
	uint64_t least = 0, most = 0;
	int rc;

	while ((rc = tn_ofctl_next(r->line, &rest, &item)) > 0) {
		bool is_least = tn_ofctl_is(item.key, "least");

		if (!is_least && !tn_ofctl_is(item.key, "most"))
			return tn_ofctl_complain(r->line, item.key.p, TN_OF_OK,
				"advertise is written advertise(least=SECONDS,most=SECONDS)");
		if (tn_ofctl_number(r->line, item.value, is_least ? "least" : "most",
			    TN_OFPBAC_BAD_ARGUMENT, TN_ADVERTISE_LEAST, TN_ADVERTISE_MOST,
			    is_least ? &least : &most))
			return -EINVAL;
	}
	if (rc)
		return rc;
	*add(r, TN_ACTION_ADVERTISE) = (struct tn_action){
		.type = TN_ACTION_ADVERTISE, .advertise = {(uint16_t)least, (uint16_t)most}};
	return 0;
}

static int parse_reply(const struct reading *r)
{
	return tn_ofctl_parse_reply(r->line, r->name, r->arg, r->list);
}

static int parse_drop(const struct reading *r)
{
	if (r->arg.n)
		return tn_ofctl_complain(r->line, r->arg.p, TN_OFPBAC_BAD_ARGUMENT,
			"drop takes no argument; write it alone");
	r->list->drop_at = r->name.p;
	return 0;
}

static int parse_apply_actions(const struct reading *r)
{
	return tn_ofctl_complain(r->line, r->name.p, TN_OF_OK,
		"actions are applied unless they stand in write_actions(); leave apply_actions "
		"out");
}

static int parse_misplaced(const struct reading *r)
{
	return tn_ofctl_complain(r->line, r->name.p, TN_OFPBIC_UNSUP_INST,
		"%s is an instruction and cannot stand in a list of actions; put it at the top "
		"level of a flow",
		tn_ofctl_show(r->name).s);
}

static int parse_unsupported(const struct reading *r)
{
	return tn_ofctl_complain(r->line, r->name.p, TN_OFPBAC_BAD_TYPE,
		"action %s is not supported by this switch; leave it out",
		tn_ofctl_show(r->name).s);
}

#define PLAIN(word, id)                              \
	{                                            \
		word, parse_plain, TN_ACTION_##id, 0 \
	}
#define MOD(word, id)                                   \
	{                                               \
		word, parse_mod_field, 0, TN_FIELD_##id \
	}
#define WORD(word, fn)         \
	{                      \
		word, fn, 0, 0 \
	}

/* Every action's word, in any case. */
static const struct action_word {
	const char *word;
	int (*parse)(const struct reading *r);
	uint8_t type, field;
} action_words[] = {
	WORD("output", parse_output),
	WORD("controller", parse_controller),
	WORD("enqueue", parse_enqueue),
	WORD("group", parse_group),
	WORD("set_queue", parse_queue),
	PLAIN("pop_queue", POP_QUEUE),
	WORD("push_vlan", parse_push_vlan),
	PLAIN("pop_vlan", POP_VLAN),
	PLAIN("strip_vlan", POP_VLAN),
	WORD("mod_vlan_vid", parse_mod_vlan_vid),
	WORD("mod_vlan_pcp", parse_mod_vlan_pcp),
	WORD("set_vlan_vid", parse_set_vlan_vid),
	MOD("set_vlan_pcp", VLAN_PCP),
	MOD("mod_dl_src", ETH_SRC),
	MOD("mod_dl_dst", ETH_DST),
	MOD("mod_nw_src", IPV4_SRC),
	MOD("mod_nw_dst", IPV4_DST),
	WORD("mod_nw_tos", parse_mod_nw_tos),
	MOD("mod_nw_ecn", IP_ECN),
	MOD("mod_nw_ttl", IP_TTL),
	MOD("set_nw_ttl", IP_TTL),
	{"mod_tp_src", parse_mod_tp, 0, TN_FIELD_TCP_SRC},
	{"mod_tp_dst", parse_mod_tp, 0, TN_FIELD_TCP_DST},
	MOD("set_tunnel", TUNNEL_ID),
	MOD("set_tunnel64", TUNNEL_ID),
	PLAIN("dec_ttl", DEC_TTL),
	PLAIN("copy_ttl_in", COPY_TTL_IN),
	PLAIN("copy_ttl_out", COPY_TTL_OUT),
	WORD("set_field", parse_set_field),
	WORD("load", parse_load),
	WORD("move", parse_move),
	WORD("resubmit", parse_resubmit),
	WORD("clone", parse_clone),
	WORD("truncate", parse_truncate),
	WORD("note", parse_note),
	WORD("reply", parse_reply),
	WORD("if_longer", parse_if_longer),
	WORD("learn_mac", parse_learn_mac),
	WORD("fdb", parse_fdb),
	PLAIN("snoop", SNOOP),
	WORD("mcast", parse_mcast),
	WORD("circuit", parse_circuit),
	WORD("advertise", parse_advertise),
	WORD("drop", parse_drop),
	WORD("apply_actions", parse_apply_actions),
	WORD("meter", parse_misplaced),
	WORD("clear_actions", parse_misplaced),
	WORD("write_actions", parse_misplaced),
	WORD("write_metadata", parse_misplaced),
	WORD("goto_table", parse_misplaced),
};

static const char *const unsupported_words[] = {"bundle", "bundle_load", "check_pkt_larger",
	"conjunction", "ct", "ct_clear", "debug_recirc", "debug_slow", "dec_mpls_ttl",
	"dec_nsh_ttl", "decap", "delete_field", "encap", "exit", "fin_timeout", "learn",
	"multipath", "nat", "output_reg", "pop", "pop_mpls", "push", "push_mpls", "sample",
	"set_mpls_label", "set_mpls_tc", "set_mpls_ttl", "unroll_xlate"};

static const struct action_word *find_word(struct tn_ofctl_span s)
{
	static const struct action_word unsupported = {"", parse_unsupported, 0, 0};

	for (size_t i = 0; i < TN_ARRAY_SIZE(action_words); i++)
		if (tn_ofctl_is_nocase(s, action_words[i].word))
			return &action_words[i];
	for (size_t i = 0; i < TN_ARRAY_SIZE(unsupported_words); i++)
		if (tn_ofctl_is_nocase(s, unsupported_words[i]))
			return &unsupported;
	return NULL;
}

void tn_ofctl_each_action(tn_ofctl_word_fn fn, void *ctx)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(action_words); i++) {
		const struct action_word *w = &action_words[i];
		bool alone = w->parse == parse_plain || w->parse == parse_drop ||
			strcmp(w->word, "clear_actions") == 0;

		fn(ctx, w->word, !alone);
	}
}

static int unknown_action(struct tn_ofctl_line *l, struct tn_ofctl_span s)
{
	struct tn_ofctl_near near;

	tn_ofctl_near_init(&near, s);
	for (size_t i = 0; i < TN_ARRAY_SIZE(action_words); i++)
		tn_ofctl_near_try(&near, action_words[i].word);
	return tn_ofctl_unknown(l, s, "action or port", &near, "ovs-actions(7) has the words");
}

int tn_ofctl_action_item(struct tn_ofctl_line *l, const struct tn_ofctl_item *item,
	const struct tn_match *match, struct tn_ofctl_list *list)
{
	struct reading r = {
		.line = l, .match = match, .list = list, .name = item->key, .arg = item->value};
	const struct action_word *word = find_word(item->key);
	uint32_t port;

	if (list->n > TN_ACTIONS_MAX)
		return tn_ofctl_complain(l, item->key.p, TN_OFPBAC_TOO_MANY,
			"too many actions in one list; give at most %u", TN_ACTIONS_MAX);
	if (word) {
		r.type = word->type;
		r.field = word->field;
		return word->parse(&r);
	}
	if (!tn_ofctl_scan_port(l->o, item->key, &port))
		return unknown_action(l, item->key);
	if (item->delimiter)
		return tn_ofctl_complain(
			l, item->value.p, TN_OF_OK, "a port takes no argument; write it alone");
	add_output(&r, port);
	return 0;
}

int tn_ofctl_action_items(struct tn_ofctl_line *l, struct tn_ofctl_span s,
	const struct tn_match *match, struct tn_ofctl_list *list)
{
	unsigned before = l->n_errors;
	struct tn_ofctl_item item;

	while (tn_ofctl_next(l, &s, &item) > 0) {
		bool full = list->n > TN_ACTIONS_MAX;

		if (tn_ofctl_action_item(l, &item, match, list) && full)
			break;
	}
	return l->n_errors == before ? 0 : -EINVAL;
}

int tn_ofctl_check_drop(struct tn_ofctl_line *l, const struct tn_ofctl_list *list)
{
	return check_drop(l, list, 0);
}
