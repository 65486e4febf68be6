/* SPDX-License-Identifier: BSD-3-Clause */
/* Many changes, all or none of them. */
#include <inttypes.h>
#include <stdio.h>

#include "control/model/operation.h"
#include "control/northbound/answer.h"
#include "control/northbound/body.h"
#include "control/northbound/handlers.h"
#include "control/northbound/port.h"
#include "control/northbound/service.h"
#include "control/northbound/tenant.h"

#define CONFIRM_MAX 86400u

/* Ports are beside what a bundle of OpenFlow holds. */
static bool add_port(
	struct tn_call *c, struct tn_json_reader *r, tn_json_ref v, const char *pointer)
{
	static const char *const keys[] = {"op", "port", NULL};
	tn_json_ref port = tn_json_member(r, v, "port"), number;
	tn_json_ref name = tn_json_needed(r, v, "an operation", "op");
	struct tn_operation *op;

	if (!name || !tn_json_only(r, v, "an operation on a port", keys) ||
		!tn_json_is_object(r, port, "an object"))
		return false;
	if (c->who.role < TN_ROLE_ADMIN)
		return tn_json_error(r, v, TN_OFPBRC_EPERM, "ports are changed by administrators");
	if (name->type == TN_JSON_STRING && tn_json_string_is(name->string, "add"))
		return tn_port_read(r, port, pointer, tn_port_operation(c, pointer));
	number = tn_json_needed(r, port, "the port of this operation", "number");
	if (!number)
		return false;
	if (name->type == TN_JSON_STRING && tn_json_string_is(name->string, "remove")) {
		op = tn_call_operation(c, TN_OP_PORT_REMOVE, pointer);
		return tn_json_port(r, number, TN_OFPPMFC_BAD_PORT, &op->port_number);
	}
	if (name->type == TN_JSON_STRING && tn_json_string_is(name->string, "configure")) {
		op = tn_call_operation(c, TN_OP_PORT_CONFIGURE, pointer);
		op->port_configure.enabled = true;
		return tn_json_port(r, number, TN_OFPPMFC_BAD_PORT, &op->port_configure.number) &&
			tn_port_read_settings(r, port, &op->port_configure);
	}
	return tn_json_error(
		r, name, TN_OFPBRC_BAD_TYPE, "\"op\" of a port is add, remove or configure");
}

static bool is_flow_add(const struct tn_model_operation *m)
{
	return !m->is_packet_out && m->mod.kind == TN_MOD_FLOW && m->flow.command == TN_FLOW_ADD;
}

static struct tn_model_operation *keep_operation(
	struct tn_call *c, const struct tn_model_operation *read)
{
	struct tn_model_operation *m = tn_arena_dup(&c->arena, read, sizeof(*m));

	if (m->is_packet_out)
		return m;
	if (m->mod.kind == TN_MOD_FLOW)
		m->mod.flow = &m->flow;
	else if (m->mod.kind == TN_MOD_GROUP)
		m->mod.group = &m->group;
	else
		m->mod.meter = &m->meter;
	return m;
}

static bool add_element(
	struct tn_call *c, struct tn_json_reader *r, tn_json_ref v, const char *pointer)
{
	struct tn_model_operation read, *m;
	struct tn_arena_mark mark = tn_arena_mark(&c->arena);
	struct tn_meter_mod *meter;
	struct tn_operation *op;

	if (!tn_json_member(r, v, "flow") && tn_tenant_is_operation(r, v))
		return tn_tenant_read_operation(c, r, v, pointer);
	/* A flow matches what it likes, whosever packets those are. */
	if (c->who.tenant)
		return tn_json_error(r, v, TN_OFPBRC_EPERM,
			"a client of one tenant changes networks, subnets, ports, routers, "
			"qos_policies and address_groups; what is of the switch belongs to its "
			"operators");
	if (v->type == TN_JSON_OBJECT && tn_json_member(r, v, "port"))
		return add_port(c, r, v, pointer);
	if (!tn_json_read_operation(r, v, &read))
		return false;
	if (is_flow_add(&read))
		return tn_call_add_flow(c, r, v, mark, &read.flow, pointer);
	m = keep_operation(c, &read);
	if (m->is_packet_out) {
		op = tn_call_operation(c, TN_OP_PACKET_OUT, pointer);
		op->packet_out = (struct tn_api_packet_out){.in_port = m->packet_out.in_port,
			.actions = m->packet_out.actions,
			.n_actions = m->packet_out.n_actions,
			.frame = m->packet_out.frame,
			.frame_len = m->packet_out.frame_len};
		return true;
	}
	meter = m->mod.kind == TN_MOD_METER ? &m->meter : NULL;
	if (meter && meter->command == TN_METER_ADD && !meter->meter_id)
		meter->meter_id = tn_service_pick_meter(c->service, c);
	tn_call_operation(c, TN_OP_MOD, pointer)->mod = m->mod;
	return true;
}

static bool add_member(
	struct tn_call *c, struct tn_json_reader *r, struct tn_json_string key, tn_json_ref v)
{
	uint64_t seconds;
	bool flag;

	if (tn_json_string_is(key, "confirmWithin")) {
		if (!tn_json_unsigned(r, v, 1, CONFIRM_MAX, TN_OF_OK, &seconds))
			return false;
		c->confirm_within = (uint32_t)seconds;
		return true;
	}
	if (tn_json_string_is(key, "ordered"))
		return tn_json_bool(r, v, &flag);
	if (!tn_json_string_is(key, "atomic"))
		return false;
	return tn_json_bool(r, v, &flag) &&
		(flag ||
			tn_json_error(r, v, TN_OFPBFC_BAD_FLAGS,
				"a transaction is all or nothing; leave \"atomic\" out"));
}

static const char *result_kind(const struct tn_operation *op)
{
	if (op->kind == TN_OP_TENANT_PUT)
		return tn_tenant_kind_name(op->tenants->kind);
	if (op->kind == TN_OP_TENANT_REMOVE)
		return tn_tenant_kind_name(op->tenants_id.kind);
	if (op->kind == TN_OP_FLOW_ADD)
		return "flow";
	if (op->kind != TN_OP_MOD)
		return op->kind == TN_OP_PACKET_OUT ? "packet-out" : "port";
	return op->mod.kind == TN_MOD_FLOW     ? "flow"
		: op->mod.kind == TN_MOD_GROUP ? "group"
					       : "meter";
}

static void put_result(struct tn_call *c, const struct tn_operation *op, const struct tn_result *r)
{
	bool is_flow = op->kind == TN_OP_FLOW_ADD ||
		(op->kind == TN_OP_MOD && op->mod.kind == TN_MOD_FLOW);
	bool is_tenants = op->kind == TN_OP_TENANT_PUT || op->kind == TN_OP_TENANT_REMOVE;
	struct tn_text *t = &c->text;

	tn_text_puts(t, "{\"kind\":\"");
	tn_text_puts(t, result_kind(op));
	if (r->id || is_tenants)
		tn_text_puts(t, "\",\"id\":\"");
	if (op->kind == TN_OP_TENANT_PUT)
		tn_text_puts(t, op->tenants->c.id);
	else if (is_tenants)
		tn_text_puts(t, r->id ? op->tenants_id.id : "");
	else if (r->id && is_flow)
		tn_text_signed(t, (int64_t)r->id);
	else if (r->id)
		tn_text_unsigned(t, r->id);
	tn_text_puts(t, r->created ? "\",\"created\":true" : "\",\"created\":false");
	tn_text_puts(t, r->changed ? ",\"changed\":true" : ",\"changed\":false");
	tn_text_puts(t, ",\"objects\":");
	tn_text_unsigned(t, r->n_objects);
	tn_text_puts(t, "}");
}

static void done(struct tn_call *c, const struct tn_outcome *o)
{
	tn_text_printf(&c->text, "{\"generation\":%" PRIu64, o->generation);
	if (o->transaction)
		tn_text_printf(&c->text, ",\"transaction\":\"%" PRIu64 "\"", o->transaction);
	tn_text_puts(&c->text, ",\"results\":[");
	for (size_t i = 0; i < o->n_results; i++) {
		if (i)
			tn_text_add(&c->text, ",", 1);
		put_result(c, &c->ops[i], &o->results[i]);
	}
	tn_text_puts(&c->text, "]}");
	tn_answer_text(c, tn_answer_status(c, o, 200), TN_TYPE_JSON);
}

void tn_transactions_post(struct tn_call *c)
{
	if (tn_body_array(c, "operations", add_element, add_member))
		tn_call_submit(c, done);
}

/* Confirming. */

static void settled(struct tn_call *c, const struct tn_outcome *o)
{
	(void)o;
	tn_answer_empty(c, 204);
}

typedef int (*settle_fn)(struct tn_engine *e, uint64_t transaction, struct tn_scope scope,
	tn_done_fn done, void *ctx);

static void settle(struct tn_call *c, settle_fn fn)
{
	uint64_t id;

	if (!tn_param_number(c, "a transaction", c->params[0], UINT64_MAX, &id))
		return;
	if (tn_call_settle(c, id, fn, settled))
		tn_answer_of_error(c, 404, TN_OFPBFC_BAD_ID,
			"no transaction %" PRIu64 " waits to be confirmed", id);
}

void tn_transaction_confirm(struct tn_call *c)
{
	settle(c, tn_engine_confirm);
}

void tn_transaction_cancel(struct tn_call *c)
{
	settle(c, tn_engine_cancel);
}
