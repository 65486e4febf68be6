/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that clients send, and what would become of one. */
#include <inttypes.h>
#include <stdio.h>

#include "control/model/operation.h"
#include "control/northbound/answer.h"
#include "control/northbound/body.h"
#include "control/northbound/handlers.h"
#include "control/northbound/object.h"
#include "dataplane/core/drop.h"

static void sent(struct tn_call *c, const struct tn_outcome *o)
{
	(void)o;
	tn_answer_empty(c, 204);
}

void tn_packet_out_post(struct tn_call *c)
{
	struct tn_operation *op = tn_call_operation(c, TN_OP_PACKET_OUT, "");
	struct tn_model_packet_out p;
	struct tn_body b;
	bool ok = tn_body_read(c, &b) && tn_json_read_packet_out(&b.reader, b.tape.v, &p);

	if (!tn_body_end(c, &b, ok))
		return;
	op->packet_out = (struct tn_api_packet_out){.in_port = p.in_port,
		.actions = p.actions,
		.n_actions = p.n_actions,
		.frame = p.frame,
		.frame_len = p.frame_len};
	tn_call_submit(c, sent);
}

/* Traces. */

static json_t *hex(const uint8_t *p, uint32_t n)
{
	static const char digits[] = "0123456789abcdef";
	struct tn_text t = {0};
	char *at = tn_text_reserve(&t, 2u * n + 1);
	json_t *j;

	for (uint32_t i = 0; i < n; i++) {
		*at++ = digits[p[i] >> 4];
		*at++ = digits[p[i] & 15];
	}
	j = json_stringn(t.p, 2u * n);
	tn_text_fini(&t);
	return j;
}

static void put_flow_id(json_t *o, const char *key, uint64_t id)
{
	char s[24];

	if (!id)
		return;
	snprintf(s, sizeof(s), "%" PRId64, (int64_t)id);
	json_object_set_new(o, key, json_string(s));
}

static void put_u64(json_t *o, const char *key, uint64_t v)
{
	if (v)
		json_object_set_new(o, key, tn_json_from_u64(v));
}

/* The tenants' objects that a flow is made of. */
static void put_explanation(struct tn_call *c, json_t *o, const struct tn_api_trace_rule *rule)
{
	struct tn_explanation e;
	json_t *objects;

	if (!tn_engine_explain(tn_call_engine(c), rule->cookie, &rule->match, &e))
		return;
	objects = json_array();
	for (size_t i = 0; i < e.n_objects; i++)
		json_array_append_new(objects,
			json_pack("{s:s,s:s,s:s}", "kind", tn_tenant_kind_name(e.objects[i].kind),
				"id", e.objects[i].id, "name", e.objects[i].name));
	json_object_set_new(o, "purpose", json_string(e.what));
	json_object_set_new(o, "objects", objects);
}

static json_t *rule_json(struct tn_call *c, const struct tn_api_trace_rule *rule)
{
	const struct tn_codec codec = {.names = tn_engine_names(tn_call_engine(c))};
	json_t *o = json_object();

	put_flow_id(o, "flowId", rule->flow_id);
	json_object_set_new(o, "priority", json_integer(rule->priority));
	put_u64(o, "cookie", rule->cookie);
	json_object_set_new(o, "appId", tn_json_write_app(&codec, rule->owner));
	json_object_set_new(o, "selector", tn_json_write_selector(&rule->match));
	json_object_set_new(o, "treatment", tn_json_write_treatment(&rule->inst));
	put_explanation(c, o, rule);
	return o;
}

static json_t *differences(uint64_t fields)
{
	json_t *array = json_array();

	for (; fields; fields &= fields - 1)
		json_array_append_new(array, json_string(tn_fields[__builtin_ctzll(fields)].name));
	return array;
}

static json_t *steps_json(struct tn_call *c, const struct tn_api_trace_reply *r)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < r->n_steps; i++) {
		const struct tn_api_trace_step *s = &r->steps[i];
		json_t *o = json_object(), *next;

		json_object_set_new(o, "tableId", json_integer(s->table_id));
		json_object_set_new(o, "packet", tn_json_write_selector(&s->packet));
		json_object_set_new(o, "matched", json_boolean(s->matched));
		if (s->matched) {
			json_object_set_new(o, "rule", rule_json(c, &s->rule));
			put_flow_id(o, "flowId", s->rule.flow_id);
		}
		if (s->has_next) {
			next = rule_json(c, &s->next);
			json_object_set_new(next, "differs", differences(s->next_differs));
			json_object_set_new(o, "next", next);
		}
		json_array_append_new(array, o);
	}
	return array;
}

static json_t *buckets_json(const struct tn_api_trace_reply *r)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < r->n_buckets; i++)
		json_array_append_new(array,
			json_pack("{s:I,s:I,s:I}", "step", (json_int_t)r->buckets[i].step,
				"groupId", (json_int_t)r->buckets[i].group_id, "bucketId",
				(json_int_t)r->buckets[i].bucket_id));
	return array;
}

static json_t *outputs_json(const struct tn_api_trace_reply *r)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < r->n_outputs; i++) {
		const struct tn_api_trace_output *out = &r->outputs[i];
		json_t *o = json_object();

		json_object_set_new(o, "port", tn_json_from_port(out->port));
		if (out->uplink)
			json_object_set_new(o, "uplink", tn_json_from_port(out->uplink));
		if (out->table_id != TN_TABLE_ALL)
			json_object_set_new(o, "tableId", json_integer(out->table_id));
		put_flow_id(o, "flowId", out->flow_id);
		json_object_set_new(o, "totalLen", json_integer(out->total_len));
		json_object_set_new(o, "frame", hex(out->frame, out->frame_len));
		json_array_append_new(array, o);
	}
	return array;
}

static json_t *packet_ins_json(const struct tn_api_trace_reply *r)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < r->n_packet_ins; i++) {
		const struct tn_api_packet_in *p = &r->packet_ins[i];
		json_t *o = json_object();

		json_object_set_new(o, "inPort", tn_json_from_port_number(p->in_port));
		json_object_set_new(o, "tableId", json_integer(p->table_id));
		put_flow_id(o, "flowId", p->flow_id);
		put_u64(o, "cookie", p->cookie);
		json_object_set_new(o, "totalLen", json_integer(p->total_len));
		json_object_set_new(o, "frame", hex(p->frame, p->frame_len));
		json_array_append_new(array, o);
	}
	return array;
}

static json_t *drops_json(const struct tn_api_trace_reply *r)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < r->n_drops; i++) {
		const struct tn_api_trace_drop *d = &r->drops[i];
		json_t *o = json_object();

		json_object_set_new(
			o, "reason", json_string(tn_drop_name((enum tn_drop)d->reason)));
		json_object_set_new(o, "text", json_string(tn_drop_text((enum tn_drop)d->reason)));
		if (d->port)
			json_object_set_new(o, "port", tn_json_from_port(d->port));
		if (d->table_id != TN_TABLE_ALL)
			json_object_set_new(o, "tableId", json_integer(d->table_id));
		put_flow_id(o, "flowId", d->flow_id);
		json_array_append_new(array, o);
	}
	return array;
}

static void on_traced(void *ctx, const struct tn_api_trace_reply *r, const struct tn_error *err)
{
	struct tn_call *c = ctx;
	json_t *o;

	if (!r) {
		if (err && err->of != TN_OF_OK)
			tn_answer_of_error(c, 0, err->of, "%s", err->detail);
		else
			tn_answer_error(c, 503, "%s",
				err && *err->detail ? err->detail : "the data plane is away");
		return;
	}
	o = json_object();
	json_object_set_new(o, "inPort", tn_json_from_port_number(r->in_port));
	if (r->in_phy_port != r->in_port && r->in_phy_port)
		json_object_set_new(o, "inPhyPort", tn_json_from_port_number(r->in_phy_port));
	put_u64(o, "tunnelId", r->tunnel_id);
	json_object_set_new(o, "toHost", json_boolean(r->to_host));
	json_object_set_new(o, "steps", steps_json(c, r));
	json_object_set_new(o, "buckets", buckets_json(r));
	json_object_set_new(o, "outputs", outputs_json(r));
	json_object_set_new(o, "packetIns", packet_ins_json(r));
	json_object_set_new(o, "drops", drops_json(r));
	tn_answer_json(c, 200, o);
}

/* A frame that came out of the tunnel that inPort is, with these. */
static bool read_tunnel(struct tn_json_reader *r, tn_json_ref v, struct tn_api_trace *trace)
{
	tn_json_ref id = tn_json_member(r, v, "tunnelId");
	tn_json_ref src = tn_json_member(r, v, "tunSrc"), dst = tn_json_member(r, v, "tunDst");

	trace->inner = id || src || dst;
	return (!id || tn_json_unsigned(r, id, 0, UINT64_MAX, TN_OF_OK, &trace->tunnel_id)) &&
		(!src || tn_json_address(r, src, TN_JSON_IP_ANY, &trace->tun_src)) &&
		(!dst || tn_json_address(r, dst, TN_JSON_IP_ANY, &trace->tun_dst));
}

void tn_trace_post(struct tn_call *c)
{
	static const char *const keys[] = {
		"inPort", "frame", "explain", "tunnelId", "tunSrc", "tunDst", NULL};
	struct tn_api_trace *trace = tn_arena_alloc(&c->arena, sizeof(*trace));
	tn_json_ref port, frame, explain;
	struct tn_body b;
	bool ok = tn_body_read(c, &b);

	if (ok && b.tape.v->type != TN_JSON_OBJECT)
		ok = tn_json_error(&b.reader, b.tape.v, TN_OF_OK, "a trace must be an object");
	if (ok) {
		ok = tn_json_only(&b.reader, b.tape.v, "a trace", keys);
		port = tn_json_needed(&b.reader, b.tape.v, "a trace", "inPort");
		frame = tn_json_needed(&b.reader, b.tape.v, "a trace", "frame");
		explain = tn_json_member(&b.reader, b.tape.v, "explain");
		ok &= port && tn_json_port(&b.reader, port, TN_OFPBRC_BAD_PORT, &trace->in_port);
		ok &= frame &&
			tn_json_read_frame(&b.reader, frame, &trace->frame, &trace->frame_len);
		ok &= !explain || tn_json_bool(&b.reader, explain, &trace->explain);
		ok &= read_tunnel(&b.reader, b.tape.v, trace);
	}
	if (tn_body_end(c, &b, ok))
		tn_engine_trace(tn_call_engine(c), trace, on_traced, c);
}
