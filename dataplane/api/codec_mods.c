/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/api/io.h"

#include <errno.h>

#include "dataplane/core/reply.h"

/*
 * Fields are numbers of enum tn_field_id on the wire: who changes fields.def in any way but adding
 * at the end raises TN_API_VERSION.
 */
TN_BUILD_ASSERT(TN_API_VERSION == 1 && TN_FIELD_IN_PORT == 0 && TN_FIELD_REG0 == 7 &&
		TN_FIELD_ETH_DST == 23 && TN_FIELD_IP_DSCP == 30 && TN_FIELD_ND_TLL == 59,
	"fields moved: raise TN_API_VERSION");

#define BITS(first, last) ((UINT64_C(2) << (last)) - (UINT64_C(1) << (first)))

static unsigned field_bytes(enum tn_field_id id)
{
	return (tn_fields[id].bits + 7u) / 8u;
}

static uint8_t walk_field(struct tn_api_io *io, uint8_t id)
{
	return tn_io_choice(io, id, BITS(0, TN_N_FIELDS - 1), "field");
}

/* A value and its mask, which is left out where it is all ones. */
static void walk_masked(struct tn_api_io *io, enum tn_field_id id, tn_u128 *value, tn_u128 *mask)
{
	bool has_mask = *mask != tn_field_ones(id);

	tn_io_bool(io, &has_mask);
	tn_io_u128(io, value, field_bytes(id));
	if (has_mask)
		tn_io_u128(io, mask, field_bytes(id));
	else if (io->reading)
		*mask = tn_field_ones(id);
	if (io->rc)
		return;
	if ((*value | *mask) & ~tn_field_ones(id))
		tn_io_fail(io, TN_OFPBMC_BAD_VALUE, "%s has %u bits; clear those above",
			tn_fields[id].name, tn_fields[id].bits);
	else if (*mask == 0 || (has_mask && *mask == tn_field_ones(id)))
		tn_io_fail(io, TN_OFPBMC_BAD_MASK,
			"the mask of %s is all zeroes or all ones; leave the field or the mask out",
			tn_fields[id].name);
	else if (*value & ~*mask)
		tn_io_fail(io, TN_OFPBMC_BAD_WILDCARDS, "%s has bits outside its mask; clear them",
			tn_fields[id].name);
}

static void write_match(struct tn_api_io *io, const struct tn_match *m)
{
	uint64_t fields = tn_match_fields(m);
	uint8_t n = (uint8_t)__builtin_popcountll(fields);

	if (!io->rc && tn_match_check_fields(m, fields, io->err)) {
		io->rc = -EINVAL;
		return;
	}
	tn_io_u8(io, &n);
	for (; fields; fields &= fields - 1) {
		enum tn_field_id id = (enum tn_field_id)__builtin_ctzll(fields);
		tn_u128 value = tn_match_value(m, id), mask = tn_match_mask(m, id);

		walk_field(io, (uint8_t)id);
		walk_masked(io, id, &value, &mask);
	}
}

static void read_match(struct tn_api_io *io, struct tn_match *m)
{
	uint64_t fields = 0, known;
	uint8_t n;

	tn_match_init(m);
	tn_io_u8(io, &n);
	for (unsigned i = 0; i < n && !io->rc; i++) {
		enum tn_field_id id = (enum tn_field_id)walk_field(io, 0);
		tn_u128 value = 0, mask = 0;

		walk_masked(io, id, &value, &mask);
		if (fields >> id)
			tn_io_fail(io, TN_OFPBMC_DUP_FIELD,
				"%s comes twice or after a later field; give fields once, in order",
				tn_fields[id].name);
		if (!io->rc)
			io->rc = tn_match_set(m, id, value, mask, io->err);
		fields |= UINT64_C(1) << id;
	}
	known = tn_match_fields(m);
	if (!io->rc)
		io->rc = tn_match_check_fields(m, known, io->err);
	if (!io->rc && known != fields)
		tn_io_fail(io, TN_OFPBMC_BAD_PREREQ,
			"a field lacks what it needs in the match; add that or leave it out");
}

void tn_io_match(struct tn_api_io *io, struct tn_match *m)
{
	if (io->reading)
		read_match(io, m);
	else
		write_match(io, m);
}

static void walk_set_field(struct tn_api_io *io, struct tn_action *a)
{
	a->field = walk_field(io, a->field);
	walk_masked(io, (enum tn_field_id)a->field, &a->set.value, &a->set.mask);
}

static void walk_move(struct tn_api_io *io, struct tn_action *a)
{
	a->field = walk_field(io, a->field);
	a->move.src = walk_field(io, a->move.src);
	tn_io_u8(io, &a->move.src_ofs);
	tn_io_u8(io, &a->move.dst_ofs);
	tn_io_u8(io, &a->move.n_bits);
}

static void walk_note(struct tn_api_io *io, struct tn_action *a)
{
	tn_io_u8(io, &a->note.len);
	if (a->note.len > TN_NOTE_MAX)
		tn_io_fail(io, TN_OFPBAC_BAD_LEN, "a note of %u bytes; give at most %u",
			a->note.len, TN_NOTE_MAX);
	else
		tn_io_bytes(io, a->note.data, a->note.len);
}

static void walk_reply(struct tn_api_io *io, struct tn_action *a)
{
	uint16_t takes;

	a->reply.kind = tn_io_choice(io, a->reply.kind, BITS(TN_REPLY_ARP, TN_REPLY_LAST), "reply");
	if (io->rc)
		return;
	takes = tn_reply_forms[a->reply.kind].takes;
	tn_io_u16(io, &a->n_nested);
	if (takes & TN_REPLY_TAKES_MAC)
		tn_io_bytes(io, a->reply.mac.b, sizeof(a->reply.mac.b));
	if (takes & TN_REPLY_TAKES_IP)
		tn_io_u128(io, &a->reply.ip, sizeof(a->reply.ip));
	if (takes & TN_REPLY_TAKES_ADDRESS)
		tn_io_u128(io, &a->reply.address, sizeof(a->reply.address));
	if (takes & TN_REPLY_TAKES_CODE)
		tn_io_u8(io, &a->reply.code);
	if (takes & (TN_REPLY_TAKES_MTU | TN_REPLY_TAKES_LEASE))
		tn_io_u32(io, &a->reply.number);
	if (takes & TN_REPLY_TAKES_ROUTER)
		tn_io_bool(io, &a->reply.router);
}

static void walk_arguments(struct tn_api_io *io, struct tn_action *a)
{
	switch ((enum tn_action_type)a->type) {
	case TN_ACTION_OUTPUT:
		tn_io_u32(io, &a->output.port);
		tn_io_u16(io, &a->output.max_len);
		tn_io_u8(io, &a->output.reason);
		break;
	case TN_ACTION_GROUP:
		tn_io_u32(io, &a->group_id);
		break;
	case TN_ACTION_SET_FIELD:
		walk_set_field(io, a);
		break;
	case TN_ACTION_MOVE:
		walk_move(io, a);
		break;
	case TN_ACTION_PUSH_VLAN:
		tn_io_u16(io, &a->ethertype);
		break;
	case TN_ACTION_MOD_VLAN_VID:
		tn_io_u16(io, &a->vlan_vid);
		break;
	case TN_ACTION_MOD_VLAN_PCP:
		tn_io_u8(io, &a->vlan_pcp);
		break;
	case TN_ACTION_SET_QUEUE:
		tn_io_u32(io, &a->queue_id);
		break;
	case TN_ACTION_TRUNCATE:
		tn_io_u32(io, &a->max_len);
		break;
	case TN_ACTION_RESUBMIT:
		tn_io_u32(io, &a->resubmit.in_port);
		tn_io_u8(io, &a->resubmit.table);
		break;
	case TN_ACTION_CLONE:
		tn_io_u16(io, &a->n_nested);
		break;
	case TN_ACTION_NOTE:
		walk_note(io, a);
		break;
	case TN_ACTION_IF_LONGER:
		tn_io_u32(io, &a->max_len);
		tn_io_u16(io, &a->n_nested);
		break;
	case TN_ACTION_REPLY:
		walk_reply(io, a);
		break;
	case TN_ACTION_LEARN:
		tn_io_u32(io, &a->limit);
		break;
	case TN_ACTION_FDB:
		tn_io_bool(io, &a->known.local);
		break;
	case TN_ACTION_MCAST:
		tn_io_bool(io, &a->known.local);
		tn_io_bool(io, &a->known.routers);
		break;
	case TN_ACTION_ADVERTISE:
		tn_io_u16(io, &a->advertise.least);
		tn_io_u16(io, &a->advertise.most);
		break;
	case TN_ACTION_CIRCUIT:
		tn_io_u32(io, &a->circuit.number);
		tn_io_u8(io, &a->circuit.table);
		a->field = walk_field(io, a->field);
		break;
	case TN_ACTION_POP_VLAN:
	case TN_ACTION_DEC_TTL:
	case TN_ACTION_COPY_TTL_IN:
	case TN_ACTION_COPY_TTL_OUT:
	case TN_ACTION_POP_QUEUE:
	case TN_ACTION_SNOOP:
		break;
	}
}

static void walk_action(struct tn_api_io *io, void *item)
{
	struct tn_action *a = item;

	a->type = tn_io_choice(io, a->type, BITS(TN_ACTION_OUTPUT, TN_ACTION_LAST), "action");
	if (!io->rc)
		walk_arguments(io, a);
}

void tn_io_actions(struct tn_api_io *io, const struct tn_action **list, uint16_t *n)
{
	const struct tn_action *l = *list;
	uint16_t count = *n;

	TN_IO_ARRAY(io, l, count, 1, TN_ACTIONS_MAX, walk_action);
	for (uint32_t i = 0; i < count && !io->rc; i++) {
		if (tn_action_nests(l[i].type) && l[i].n_nested >= count - i)
			tn_io_fail(io, TN_OFPBAC_BAD_LEN,
				"an action holds %u others where %u follow; give those it holds",
				l[i].n_nested, count - i - 1);
	}
	*list = l;
	*n = count;
}

void tn_io_instructions(struct tn_api_io *io, struct tn_instructions *inst)
{
	tn_io_u32(io, &inst->meter_id);
	tn_io_bool(io, &inst->clear_actions);
	tn_io_u64(io, &inst->metadata);
	tn_io_u64(io, &inst->metadata_mask);
	tn_io_u8(io, &inst->goto_table);
	tn_io_actions(io, &inst->apply, &inst->n_apply);
	tn_io_actions(io, &inst->write, &inst->n_write);
}

static void walk_flow_mod(struct tn_api_io *io, struct tn_flow_mod *fm)
{
	io->what = "a flow mod";
	TN_IO_ENUM(io, fm->command, BITS(TN_FLOW_ADD, TN_FLOW_DELETE_STRICT), "flow command");
	tn_io_u8(io, &fm->table_id);
	tn_io_u16(io, &fm->priority);
	tn_io_u16(io, &fm->idle_timeout);
	tn_io_u16(io, &fm->hard_timeout);
	tn_io_u16(io, &fm->importance);
	tn_io_u16(io, &fm->flags);
	tn_io_u64(io, &fm->cookie);
	tn_io_u64(io, &fm->cookie_mask);
	tn_io_bool(io, &fm->set_cookie);
	tn_io_u64(io, &fm->new_cookie);
	tn_io_u32(io, &fm->out_port);
	tn_io_u32(io, &fm->out_group);
	tn_io_u32(io, &fm->owner);
	tn_io_match(io, &fm->match);
	tn_io_instructions(io, &fm->inst);
}

void tn_io_bucket(struct tn_api_io *io, struct tn_bucket *b)
{
	tn_io_u32(io, &b->bucket_id);
	tn_io_u16(io, &b->weight);
	tn_io_u32(io, &b->watch_port);
	tn_io_u32(io, &b->watch_group);
	tn_io_actions(io, &b->actions, &b->n_actions);
}

static void walk_bucket(struct tn_api_io *io, void *item)
{
	tn_io_bucket(io, item);
}

void tn_io_group_kind(struct tn_api_io *io, enum tn_group_type *type,
	enum tn_selection_method *selection, uint64_t *hash_fields, uint64_t *param)
{
	TN_IO_ENUM(io, *type, BITS(TN_GROUP_TYPE_ALL, TN_GROUP_TYPE_FF), "group type");
	TN_IO_ENUM(io, *selection, BITS(TN_SELECT_DEFAULT, TN_SELECT_DP_HASH), "selection method");
	tn_io_u64(io, hash_fields);
	tn_io_u64(io, param);
	if (*hash_fields & ~BITS(0, TN_N_FIELDS - 1))
		tn_io_fail(io, TN_OFPBMC_BAD_FIELD, "hash_fields names a field that there is not");
}

#define GROUP_COMMANDS \
	(BITS(TN_GROUP_ADD, TN_GROUP_INSERT_BUCKET) | UINT64_C(1) << TN_GROUP_REMOVE_BUCKET)

static void walk_group_mod(struct tn_api_io *io, struct tn_group_mod *gm)
{
	io->what = "a group mod";
	TN_IO_ENUM(io, gm->command, GROUP_COMMANDS, "group command");
	tn_io_u32(io, &gm->group_id);
	tn_io_u32(io, &gm->command_bucket_id);
	tn_io_group_kind(io, &gm->type, &gm->selection, &gm->hash_fields, &gm->selection_param);
	tn_io_u32(io, &gm->owner);
	tn_io_u32(io, &gm->annotation);
	TN_IO_ARRAY(io, gm->buckets, gm->n_buckets, 18, UINT32_MAX, walk_bucket);
}

void tn_io_band(struct tn_api_io *io, struct tn_band *b)
{
	TN_IO_ENUM(io, b->type, BITS(TN_BAND_DROP, TN_BAND_DSCP_REMARK), "band type");
	tn_io_u32(io, &b->rate);
	tn_io_u32(io, &b->burst);
	tn_io_u8(io, &b->prec_level);
}

static void walk_band(struct tn_api_io *io, void *item)
{
	tn_io_band(io, item);
}

static void walk_meter_mod(struct tn_api_io *io, struct tn_meter_mod *mm)
{
	io->what = "a meter mod";
	TN_IO_ENUM(io, mm->command, BITS(TN_METER_ADD, TN_METER_DELETE), "meter command");
	tn_io_u32(io, &mm->meter_id);
	tn_io_u32(io, &mm->flags);
	tn_io_u32(io, &mm->owner);
	TN_IO_ARRAY(io, mm->bands, mm->n_bands, 10, UINT16_MAX, walk_band);
}

void tn_io_mod(struct tn_api_io *io, struct tn_mod *mod)
{
	io->what = "a mod";
	TN_IO_ENUM(io, mod->kind, BITS(TN_MOD_FLOW, TN_MOD_METER), "kind of mod");
	if (io->rc)
		return;
	if (mod->kind == TN_MOD_FLOW) {
		struct tn_flow_mod copy, *fm = &copy;

		if (io->reading)
			mod->flow = fm = tn_api_arena_take(io->arena, sizeof(*fm));
		else
			copy = *mod->flow;
		if (fm)
			walk_flow_mod(io, fm);
		else
			tn_io_no_memory(io);
	} else if (mod->kind == TN_MOD_GROUP) {
		struct tn_group_mod copy, *gm = &copy;

		if (io->reading)
			mod->group = gm = tn_api_arena_take(io->arena, sizeof(*gm));
		else
			copy = *mod->group;
		if (gm)
			walk_group_mod(io, gm);
		else
			tn_io_no_memory(io);
	} else {
		struct tn_meter_mod copy, *mm = &copy;

		if (io->reading)
			mod->meter = mm = tn_api_arena_take(io->arena, sizeof(*mm));
		else
			copy = *mod->meter;
		if (mm)
			walk_meter_mod(io, mm);
		else
			tn_io_no_memory(io);
	}
}

static void walk_mod(struct tn_api_io *io, void *item)
{
	tn_io_mod(io, item);
}

void tn_io_mods(struct tn_api_io *io, const struct tn_mod **mods, uint32_t *n)
{
	TN_IO_ARRAY(io, *mods, *n, 18, UINT32_MAX, walk_mod);
}
