/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/trace.h"

#include <inttypes.h>

#include "tools/replay/text.h"

json_t *tn_trace_flow_id(uint64_t flow_id)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, (int64_t)flow_id);
	return json_string(text);
}

json_t *tn_trace_cookie(uint64_t cookie)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, cookie);
	return json_string(text);
}

static void set(json_t *j, const char *key, json_t *value)
{
	json_object_set_new(j, key, value);
}

static void set_integer(json_t *j, const char *key, uint64_t value)
{
	set(j, key, json_integer((json_int_t)value));
}

static void set_lengths(json_t *j, uint32_t len, uint32_t wire_len)
{
	set_integer(j, "bytes", wire_len);
	if (len < wire_len)
		set_integer(j, "captured", len);
}

json_t *tn_trace_frame_to_json(const struct tn_trace_frame *frame)
{
	char time[TN_TIME_TEXT];
	json_t *j = json_object();

	tn_text_time(time, frame->time_ns);
	set_integer(j, "number", frame->number);
	set(j, "time", json_string(time));
	set(j, "port", json_string(frame->port->name));
	set_lengths(j, frame->len, frame->wire_len);
	return j;
}

static json_t *tunnel_to_json(uint32_t vni, tn_u128 local, tn_u128 remote)
{
	char local_text[TN_ADDRESS_TEXT], remote_text[TN_ADDRESS_TEXT];

	tn_text_address(local_text, local);
	tn_text_address(remote_text, remote);
	return json_pack("{s:I, s:s, s:s}", "vni", (json_int_t)vni, "local", local_text, "remote",
		remote_text);
}

static json_t *path_to_json(const struct tn_fate *f)
{
	json_t *path = json_array();

	for (size_t i = 0; i < f->n_steps; i++) {
		json_t *step = json_object();

		set_integer(step, "table", f->steps[i].table);
		if (f->steps[i].flow_id) {
			set(step, "flowId", tn_trace_flow_id(f->steps[i].flow_id));
			set_integer(step, "priority", f->steps[i].priority);
		} else {
			set(step, "flowId", json_null());
		}
		json_array_append_new(path, step);
	}
	return path;
}

static json_t *groups_to_json(const struct tn_fate *f)
{
	json_t *groups = json_array();

	for (size_t i = 0; i < f->n_buckets; i++)
		json_array_append_new(groups,
			json_pack("{s:I, s:I}", "groupId", (json_int_t)f->buckets[i].group_id,
				"bucketId", (json_int_t)f->buckets[i].bucket_id));
	return groups;
}

/* The action that an op carries out; false: it is not one that changes or sends the packet. */
static bool op_to_action(const struct tn_op *op, struct tn_action *a)
{
	switch ((enum tn_op_type)op->type) {
	case TN_OP_SET:
		a->type = TN_ACTION_SET_FIELD;
		a->field = op->set.field;
		a->set.value = op->set.value;
		a->set.mask = op->set.mask;
		return true;
	case TN_OP_PUSH_VLAN:
		a->type = TN_ACTION_PUSH_VLAN;
		a->ethertype = op->push_vlan.ethertype;
		return true;
	case TN_OP_POP_VLAN:
		a->type = TN_ACTION_POP_VLAN;
		return true;
	case TN_OP_DEC_TTL:
		a->type = TN_ACTION_DEC_TTL;
		return true;
	case TN_OP_COPY_TTL_IN:
		a->type = TN_ACTION_COPY_TTL_IN;
		return true;
	case TN_OP_COPY_TTL_OUT:
		a->type = TN_ACTION_COPY_TTL_OUT;
		return true;
	case TN_OP_TRUNCATE:
		a->type = TN_ACTION_TRUNCATE;
		a->max_len = op->max_len;
		return true;
	case TN_OP_IF_LONGER:
		a->type = TN_ACTION_IF_LONGER;
		a->max_len = op->max_len;
		return true;
	case TN_OP_OUTPUT:
		a->type = TN_ACTION_OUTPUT;
		a->output.port = op->output.port;
		a->output.max_len = op->output.max_len;
		a->output.reason = TN_REASON_DEFAULT;
		return true;
	case TN_OP_CONTROLLER:
		a->type = TN_ACTION_OUTPUT;
		a->output.port = TN_PORT_CONTROLLER;
		a->output.max_len = op->controller.max_len;
		a->output.reason = TN_REASON_DEFAULT;
		return true;
	default:
		return false;
	}
}

static json_t *actions_to_json(const struct tn_engine *e, const struct tn_fate *f)
{
	struct tn_codec codec = {.dpid = e->config->doc.dpid, .names = e->config->doc.names};
	json_t *actions = json_array();

	for (size_t i = 0; i < f->n_ops; i++) {
		const struct tn_action *list;
		struct tn_action action = {0};
		json_t *one;

		if (f->ops[i].type == TN_OP_METER) {
			json_array_append_new(actions,
				json_pack("{s:s, s:I}", "type", "METER", "meterId",
					(json_int_t)f->ops[i].meter->meter_id));
			continue;
		}
		list = f->ops[i].type == TN_OP_REPLY ? f->ops[i].reply : &action;
		if (list == &action && !op_to_action(&f->ops[i], &action))
			continue;
		one = tn_actions_to_json(&codec, list, 1u + list->n_nested);
		json_array_extend(actions, one);
		json_decref(one);
	}
	return actions;
}

static json_t *sent_to_json(const struct tn_fate_end *end)
{
	json_t *j = json_object();

	set(j, "port", json_string(end->port->name));
	set_lengths(j, end->len, end->wire_len);
	if (end->tunnelled)
		set(j, "tunnel", tunnel_to_json(end->vni, end->local, end->remote));
	if (end->uplink)
		set(j, "uplink", json_string(end->uplink->name));
	return j;
}

static void set_place(json_t *j, const struct tn_fate_end *end)
{
	if (end->table != TN_TABLE_ALL)
		set_integer(j, "table", end->table);
	if (end->flow_id)
		set(j, "flowId", tn_trace_flow_id(end->flow_id));
}

static json_t *consumed_to_json(const struct tn_fate_end *end)
{
	json_t *j = json_object();

	set(j, "reason", json_string(tn_packet_in_reason_name(end->reason)));
	set_place(j, end);
	if (end->cookie != UINT64_MAX)
		set(j, "cookie", tn_trace_cookie(end->cookie));
	set_lengths(j, end->len, end->wire_len);
	return j;
}

static json_t *dropped_to_json(const struct tn_fate_end *end)
{
	json_t *j = json_object();

	set(j, "reason", json_string(tn_drop_name((enum tn_drop)end->reason)));
	set_place(j, end);
	if (end->port)
		set(j, "port", json_string(end->port->name));
	else if (end->port_number)
		set_integer(j, "portNumber", end->port_number);
	return j;
}

void tn_trace_fate_to_json(const struct tn_engine *e, const struct tn_fate *fate, json_t *j)
{
	json_t *outputs = json_array(), *packet_ins = json_array(), *drops = json_array();
	json_t *reason = json_null();

	if (fate->tunnelled) {
		json_t *tunnel = tunnel_to_json(fate->outer.vni, fate->outer.dst, fate->outer.src);

		if (fate->tunnel_port)
			set(tunnel, "port", json_string(fate->tunnel_port->name));
		set(j, "tunnel", tunnel);
	}
	set(j, "path", path_to_json(fate));
	if (fate->n_buckets)
		set(j, "groups", groups_to_json(fate));
	set(j, "actions", actions_to_json(e, fate));
	for (size_t i = 0; i < fate->n_ends; i++) {
		const struct tn_fate_end *end = &fate->ends[i];

		if (end->kind == TN_FATE_SENT)
			json_array_append_new(outputs, sent_to_json(end));
		else if (end->kind == TN_FATE_CONSUMED)
			json_array_append_new(packet_ins, consumed_to_json(end));
		else
			json_array_append_new(drops, dropped_to_json(end));
		if (end->kind == TN_FATE_DROPPED && json_is_null(reason))
			reason = json_string(tn_drop_name((enum tn_drop)end->reason));
	}
	set(j, "outputs", outputs);
	set(j, "packetIns", packet_ins);
	set(j, "drops", drops);
	set(j, "verdict", json_string(tn_fate_kind_name(tn_fate_verdict(fate))));
	set(j, "dropReason", reason);
}

bool tn_trace_print(FILE *f, json_t *line)
{
	return !json_dumpf(line, f, JSON_COMPACT) && fputc('\n', f) != EOF;
}
