/* SPDX-License-Identifier: BSD-3-Clause */
/* Actions and instructions as Open vSwitch prints them. */
#include "control/model/ofctl_action.h"

const char *const tn_ofctl_reasons[TN_OFCTL_N_REASONS] = {
	[TN_PACKET_IN_NO_MATCH] = "no_match",
	[TN_PACKET_IN_APPLY_ACTION] = "action",
	[TN_PACKET_IN_INVALID_TTL] = "invalid_ttl",
	[TN_PACKET_IN_ACTION_SET] = "action_set",
	[TN_PACKET_IN_GROUP] = "group",
	[TN_PACKET_IN_PACKET_OUT] = "packet_out",
};

static void put_controller(struct tn_ofctl_out *out, const struct tn_action *a)
{
	if (a->output.reason >= TN_OFCTL_N_REASONS) {
		tn_ofctl_put(out, "CONTROLLER:%u", a->output.max_len);
		return;
	}
	tn_ofctl_put(out, "controller(reason=%s", tn_ofctl_reasons[a->output.reason]);
	if (a->output.max_len != TN_CONTROLLER_MAX_LEN_WHOLE)
		tn_ofctl_put(out, ",max_len=%u", a->output.max_len);
	tn_ofctl_put(out, ")");
}

static void put_output(struct tn_ofctl_out *out, const struct tn_action *a)
{
	if (a->output.port == TN_PORT_CONTROLLER) {
		put_controller(out, a);
	} else if (a->output.max_len) {
		tn_ofctl_put(out, "output(port=");
		tn_ofctl_put_port(out, a->output.port);
		tn_ofctl_put(out, ",max_len=%u)", a->output.max_len);
	} else {
		if (!tn_ofctl_port_is_reserved(a->output.port))
			tn_ofctl_put(out, "output:");
		tn_ofctl_put_port(out, a->output.port);
	}
}

static void put_set_field(struct tn_ofctl_out *out, const struct tn_action *a)
{
	enum tn_field_id id = (enum tn_field_id)a->field;
	struct tn_ofctl_view view;

	tn_ofctl_view_of(id, &view);
	if ((id == TN_FIELD_TUN_SRC || id == TN_FIELD_TUN_DST) && (uint32_t)a->set.mask &&
		tn_ofctl_is_mapped(a->set.value, a->set.mask)) {
		view.name = id == TN_FIELD_TUN_SRC ? "tun_src" : "tun_dst";
		view.format = TN_OFCTL_IP4;
		view.bits = 32;
	}
	tn_ofctl_put(out, "set_field:");
	tn_ofctl_put_value(out, &view, a->set.value & tn_ofctl_ones(view.bits),
		a->set.mask & tn_ofctl_ones(view.bits));
	tn_ofctl_put(out, "->%s", view.name);
}

static void put_move(struct tn_ofctl_out *out, const struct tn_action *a)
{
	tn_ofctl_put(out, "move:");
	tn_ofctl_put_subfield(
		out, (enum tn_field_id)a->move.src, a->move.src_ofs, a->move.n_bits, true);
	tn_ofctl_put(out, "->");
	tn_ofctl_put_subfield(
		out, (enum tn_field_id)a->field, a->move.dst_ofs, a->move.n_bits, false);
}

static void put_resubmit(struct tn_ofctl_out *out, const struct tn_action *a)
{
	tn_ofctl_put(out, "resubmit(");
	if (a->resubmit.in_port != TN_PORT_IN_PORT)
		tn_ofctl_put_port(out, a->resubmit.in_port);
	tn_ofctl_put(out, ",");
	tn_ofctl_put_table(out, a->resubmit.table);
	tn_ofctl_put(out, ")");
}

static void put_note(struct tn_ofctl_out *out, const struct tn_action *a)
{
	tn_ofctl_put(out, "note:");
	for (unsigned i = 0; i < a->note.len && i < TN_NOTE_MAX; i++)
		tn_ofctl_put(out, i ? ".%02x" : "%02x", a->note.data[i]);
}

static void put_clone(struct tn_ofctl_out *out, const struct tn_action *a)
{
	tn_ofctl_put(out, "clone(");
	tn_ofctl_put_actions(out, a + 1, a->n_nested);
	tn_ofctl_put(out, ")");
}

static void put_if_longer(struct tn_ofctl_out *out, const struct tn_action *a)
{
	tn_ofctl_put(out, "if_longer(%u,", a->max_len);
	tn_ofctl_put_actions(out, a + 1, a->n_nested);
	tn_ofctl_put(out, ")");
}

static void put_mcast(struct tn_ofctl_out *out, const struct tn_action *a)
{
	tn_ofctl_put(out, "mcast");
	if (a->known.local && a->known.routers)
		tn_ofctl_put(out, "(local,routers)");
	else if (a->known.local || a->known.routers)
		tn_ofctl_put(out, "(%s)", a->known.local ? "local" : "routers");
}

static void put_action(struct tn_ofctl_out *out, const struct tn_action *a)
{
	switch ((enum tn_action_type)a->type) {
	case TN_ACTION_OUTPUT:
		put_output(out, a);
		break;
	case TN_ACTION_GROUP:
		tn_ofctl_put(out, "group:%u", a->group_id);
		break;
	case TN_ACTION_SET_FIELD:
		put_set_field(out, a);
		break;
	case TN_ACTION_MOVE:
		put_move(out, a);
		break;
	case TN_ACTION_PUSH_VLAN:
		tn_ofctl_put(out, "push_vlan:0x%04x", a->ethertype);
		break;
	case TN_ACTION_POP_VLAN:
		tn_ofctl_put(out, "pop_vlan");
		break;
	case TN_ACTION_MOD_VLAN_VID:
		tn_ofctl_put(out, "mod_vlan_vid:%u", a->vlan_vid);
		break;
	case TN_ACTION_MOD_VLAN_PCP:
		tn_ofctl_put(out, "mod_vlan_pcp:%u", a->vlan_pcp);
		break;
	case TN_ACTION_DEC_TTL:
		tn_ofctl_put(out, "dec_ttl");
		break;
	case TN_ACTION_COPY_TTL_IN:
		tn_ofctl_put(out, "copy_ttl_in");
		break;
	case TN_ACTION_COPY_TTL_OUT:
		tn_ofctl_put(out, "copy_ttl_out");
		break;
	case TN_ACTION_SET_QUEUE:
		tn_ofctl_put(out, "set_queue:%u", a->queue_id);
		break;
	case TN_ACTION_POP_QUEUE:
		tn_ofctl_put(out, "pop_queue");
		break;
	case TN_ACTION_TRUNCATE:
		tn_ofctl_put(out, "truncate:%u", a->max_len);
		break;
	case TN_ACTION_RESUBMIT:
		put_resubmit(out, a);
		break;
	case TN_ACTION_CLONE:
		put_clone(out, a);
		break;
	case TN_ACTION_NOTE:
		put_note(out, a);
		break;
	case TN_ACTION_REPLY:
		tn_ofctl_put_reply(out, a);
		break;
	case TN_ACTION_IF_LONGER:
		put_if_longer(out, a);
		break;
	case TN_ACTION_LEARN:
		tn_ofctl_put(out, "learn_mac");
		if (a->limit)
			tn_ofctl_put(out, "(limit=%u)", a->limit);
		break;
	case TN_ACTION_FDB:
		tn_ofctl_put(out, a->known.local ? "fdb(local)" : "fdb");
		break;
	case TN_ACTION_SNOOP:
		tn_ofctl_put(out, "snoop");
		break;
	case TN_ACTION_MCAST:
		put_mcast(out, a);
		break;
	case TN_ACTION_ADVERTISE:
		tn_ofctl_put(
			out, "advertise(least=%u,most=%u)", a->advertise.least, a->advertise.most);
		break;
	case TN_ACTION_CIRCUIT:
		tn_ofctl_put(out, "circuit(number=%u,field=%s,table=%u)", a->circuit.number,
			tn_fields[a->field].name, a->circuit.table);
		break;
	}
	tn_ofctl_put(out, ",");
}

void tn_ofctl_put_actions(struct tn_ofctl_out *out, const struct tn_action *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		put_action(out, &list[i]);
		if (tn_action_nests(list[i].type))
			i += list[i].n_nested;
	}
	if (n)
		tn_ofctl_chomp(out, ',');
	else
		tn_ofctl_put(out, "drop");
}

static bool is_drop(const struct tn_instructions *inst)
{
	return inst->meter_id == 0 && inst->n_apply == 0 && !inst->clear_actions &&
		inst->n_write == 0 && inst->metadata_mask == 0 && inst->goto_table == TN_GOTO_NONE;
}

void tn_ofctl_put_instructions(struct tn_ofctl_out *out, const struct tn_instructions *inst)
{
	if (is_drop(inst)) {
		tn_ofctl_put(out, "drop");
		return;
	}
	if (inst->meter_id)
		tn_ofctl_put(out, "meter:%u,", inst->meter_id);
	if (inst->n_apply) {
		tn_ofctl_put_actions(out, inst->apply, inst->n_apply);
		tn_ofctl_put(out, ",");
	}
	if (inst->clear_actions)
		tn_ofctl_put(out, "clear_actions,");
	if (inst->n_write) {
		tn_ofctl_put(out, "write_actions(");
		tn_ofctl_put_actions(out, inst->write, inst->n_write);
		tn_ofctl_put(out, "),");
	}
	if (inst->metadata_mask) {
		tn_ofctl_put(out, "write_metadata:%#llx", (unsigned long long)inst->metadata);
		if (inst->metadata_mask != UINT64_MAX)
			tn_ofctl_put(out, "/%#llx", (unsigned long long)inst->metadata_mask);
		tn_ofctl_put(out, ",");
	}
	if (inst->goto_table != TN_GOTO_NONE) {
		tn_ofctl_put(out, "goto_table:");
		tn_ofctl_put_table(out, inst->goto_table);
	}
	tn_ofctl_chomp(out, ',');
}
