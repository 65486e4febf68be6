/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "control/northbound/answer.h"
#include "control/northbound/body.h"
#include "control/northbound/handlers.h"
#include "control/northbound/list.h"

/* Reading. */

void tn_flows_get(struct tn_call *c)
{
	struct tn_filter *f = tn_filter_read(c);

	if (f)
		tn_list_answer(c, TN_KIND_FLOW, "flows", tn_filter_keeps, f);
}

void tn_flows_get_pending(struct tn_call *c)
{
	struct tn_filter *f = tn_filter_read(c);

	if (!f)
		return;
	f->pending = true;
	tn_list_answer(c, TN_KIND_FLOW, "flows", tn_filter_keeps, f);
}

void tn_flows_get_table(struct tn_call *c)
{
	struct tn_filter *f = tn_filter_read(c);
	uint8_t table;

	if (!f || !tn_param_table(c, c->params[0], &table))
		return;
	f->table = table;
	tn_list_answer(c, TN_KIND_FLOW, "flows", tn_filter_keeps, f);
}

void tn_flows_get_application(struct tn_call *c)
{
	struct tn_filter *f = tn_filter_read(c);

	if (!f)
		return;
	f->app = c->params[0];
	tn_list_answer(c, TN_KIND_FLOW, "flows", tn_filter_keeps, f);
}

void tn_flow_get(struct tn_call *c)
{
	uint64_t id;

	/* ONOS answers with an empty array what is not there. */
	if (tn_param_flow(c, c->params[1], &id))
		tn_object_answer(
			c, TN_KIND_FLOW, id, "flows", true, c->onos ? NULL : "no flow has this id");
}

/* Adding. */

static bool add_flow(
	struct tn_call *c, struct tn_json_reader *r, tn_json_ref v, const char *pointer)
{
	struct tn_arena_mark mark = tn_arena_mark(&c->arena);
	struct tn_flow_mod fm;

	if (!tn_json_read_flow(r, v, &fm))
		return false;
	if (c->owner)
		fm.owner = c->owner;
	return tn_call_add_flow(c, r, v, mark, &fm, pointer);
}

/* POST /flows has flows of any device, each with its own. */
static bool add_flow_of_device(
	struct tn_call *c, struct tn_json_reader *r, tn_json_ref v, const char *pointer)
{
	if (v->type == TN_JSON_OBJECT && !tn_json_member(r, v, "deviceId"))
		return tn_json_error(r, v, TN_OF_OK, "a flow needs \"deviceId\" here");
	return add_flow(c, r, v, pointer);
}

static void put_flow_id(struct tn_call *c, const char *before, uint64_t id)
{
	tn_text_printf(&c->text,
		"%s{\"deviceId\":\"of:%016" PRIx64 "\",\"flowId\":\"%" PRId64 "\"}", before,
		tn_engine_dpid(tn_call_engine(c)), (int64_t)id);
}

static void flows_added(struct tn_call *c, const struct tn_outcome *o)
{
	tn_text_puts(&c->text, "{\"flows\":[");
	for (size_t i = 0; i < o->n_results; i++)
		put_flow_id(c, i ? "," : "", o->results[i].id);
	tn_text_puts(&c->text, "]}");
	tn_answer_text(c, tn_answer_status(c, o, 200), TN_TYPE_JSON);
}

void tn_flows_post(struct tn_call *c)
{
	if (tn_call_read_app(c) &&
		tn_body_array(c, "flows", c->onos ? add_flow_of_device : add_flow, NULL))
		tn_call_submit(c, flows_added);
}

static void flow_added(struct tn_call *c, const struct tn_outcome *o)
{
	const struct tn_result *r = &o->results[0];

	if (tn_answer_location(c, o, "flows"))
		return;
	put_flow_id(c, "", r->id);
	tn_answer_text(c, tn_answer_status(c, o, r->created ? 201 : 200), TN_TYPE_JSON);
}

static bool read_one(struct tn_call *c)
{
	struct tn_body b;
	bool ok = tn_body_read(c, &b) && add_flow(c, &b.reader, b.tape.v, "");

	return tn_body_end(c, &b, ok);
}

void tn_flows_post_device(struct tn_call *c)
{
	if (tn_call_read_app(c) && read_one(c))
		tn_call_submit(c, flow_added);
}

/* The flow of the path is replaced, or made, by one of the same table, priority and match. */
void tn_flow_put(struct tn_call *c)
{
	uint64_t id, generation;

	if (!tn_param_flow(c, c->params[1], &id) || !tn_call_read_app(c))
		return;
	generation = tn_object_generation(c, TN_KIND_FLOW, id);
	if (!tn_call_check_conditions(c, generation) || !read_one(c))
		return;
	if (tn_flow_add_id(c->ops[0].flow) != id) {
		tn_answer_error(c, 422,
			"the flow has another table, priority or match than the id in the path; "
			"these make the id: add it as a new flow, with POST");
		return;
	}
	c->ops[0].if_generation = c->if_match ? generation : 0;
	c->ops[0].create_only = c->if_none_match && !generation;
	tn_call_submit(c, flow_added);
}

/* Replacing all of an owner. */

static void flows_replaced(struct tn_call *c, const struct tn_outcome *o)
{
	size_t added = 0, changed = 0, kept = 0;

	/* Result 0 is that of the replacement itself: what it removed. */
	for (size_t i = 1; i < o->n_results; i++) {
		added += o->results[i].created;
		changed += !o->results[i].created && o->results[i].changed;
		kept += !o->results[i].created && !o->results[i].changed;
	}
	c->etag = tn_list_generation(c, TN_KIND_FLOW);
	tn_text_printf(&c->text, "{\"added\":%zu,\"changed\":%zu,\"removed\":%u,\"unchanged\":%zu",
		added, changed, o->n_results ? o->results[0].n_objects : 0, kept);
	if (o->transaction)
		tn_text_printf(&c->text, ",\"transaction\":\"%" PRIu64 "\"", o->transaction);
	tn_text_puts(&c->text, "}");
	tn_answer_text(c, tn_answer_status(c, o, 200), TN_TYPE_JSON);
}

void tn_flows_put_device(struct tn_call *c)
{
	struct tn_operation *op;

	if (!tn_call_query(c, "appId")) {
		tn_answer_error(c, 400,
			"say whose flows are replaced: ?appId=<name>; all others stay as they are");
		return;
	}
	if (!tn_call_read_app(c) ||
		!tn_call_check_conditions(c, tn_list_generation(c, TN_KIND_FLOW)))
		return;
	op = tn_call_operation(c, TN_OP_REPLACE, "");
	op->replace.kind = TN_KIND_FLOW;
	op->replace.owner = c->owner;
	if (tn_body_array(c, "flows", add_flow, NULL))
		tn_call_submit(c, flows_replaced);
}

/* Removing. */

static bool remove_element(
	struct tn_call *c, struct tn_json_reader *r, tn_json_ref v, const char *pointer)
{
	static const char *const keys[] = {"deviceId", "flowId", NULL};
	tn_json_ref id;
	struct tn_operation *op;
	int64_t number;
	uint64_t big;

	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(
			r, v, TN_OF_OK, "an element is {\"deviceId\":..,\"flowId\":..}");
	if (!tn_json_only(r, v, "a flow to remove", keys) || !tn_json_read_device(r, v))
		return false;
	id = tn_json_needed(r, v, "a flow to remove", "flowId");
	if (!id)
		return false;
	if (id->type == TN_JSON_STRING && id->string.len && id->string.p[0] != '-') {
		if (!tn_json_unsigned(r, id, 0, UINT64_MAX, TN_OF_OK, &big))
			return false;
	} else {
		if (!tn_json_signed(r, id, INT64_MIN, INT64_MAX, TN_OF_OK, &number))
			return false;
		big = (uint64_t)number;
	}
	op = tn_call_operation(c, TN_OP_REMOVE, pointer);
	op->object.kind = TN_KIND_FLOW;
	op->object.id = big;
	return true;
}

void tn_flows_delete(struct tn_call *c)
{
	if (tn_body_array(c, "flows", remove_element, NULL))
		tn_call_submit(c, tn_answer_done);
}

void tn_flow_delete(struct tn_call *c)
{
	uint64_t id, generation;

	if (!tn_param_flow(c, c->params[1], &id))
		return;
	generation = tn_object_generation(c, TN_KIND_FLOW, id);
	if (!tn_call_check_conditions(c, generation))
		return;
	c->etag = 0;
	tn_call_remove(c, TN_KIND_FLOW, id, generation);
	tn_call_submit(c, tn_answer_done);
}

/* Of an owner that has none nothing is removed; its name is not remembered for that. */
static bool owned(void *ctx, const struct tn_object *o)
{
	struct tn_call *c = ctx;

	if (strcmp(tn_names_string(tn_engine_names(tn_call_engine(c)), o->owner), c->params[0]))
		return true;
	c->owner = o->owner;
	return false;
}

void tn_flows_delete_application(struct tn_call *c)
{
	struct tn_operation *op;

	tn_engine_scan(tn_call_engine(c), TN_KIND_FLOW, tn_call_scope(c), 0, true, owned, c);
	if (c->owner) {
		op = tn_call_operation(c, TN_OP_REPLACE, "");
		op->replace.kind = TN_KIND_FLOW;
		op->replace.owner = c->owner;
	}
	tn_call_submit(c, tn_answer_done);
}
