/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/agent/glance.h"
#include "dataplane/api/codec.h"
#include "dataplane/core/reply.h"
#include "dataplane/fastpath/tunnels.h"

#define ARENA_BYTES (64u << 20)
#define STEPS_MAX   (TN_N_TABLES + TN_RESUBMIT_MAX)

struct tn_tracer {
	struct tn_processor processor;
	struct tn_key keys[STEPS_MAX]; /* as each step saw it */
	struct tn_api_arena arena;
	bool no_memory;
	/* of the frame */
	const struct tn_agent *agent;
	const struct tn_forwarding *fwd;
	uint64_t now_ns;
	struct tn_api_trace_reply *reply;
	struct tn_meter *meter; /* a copy to run */
};

/* --- lists ------------------------------------------------------------------------------------ */

static void *take(struct tn_tracer *t, size_t n)
{
	void *room = tn_api_arena_take(&t->arena, n);

	t->no_memory |= !room;
	return room;
}

/* One more of *n in a list; it moves when it has to grow. NULL: no memory. */
static void *append(struct tn_tracer *t, const void **list, uint32_t *n, size_t size)
{
	uint8_t *items = (uint8_t *)(uintptr_t)*list;

	if (!(*n & (*n - 1))) {
		uint8_t *larger = take(t, (*n ? 2 * (size_t)*n : 1) * size);

		if (!larger)
			return NULL;
		if (*n)
			memcpy(larger, items, *n * size);
		*list = items = larger;
	}
	return items + (*n)++ * size;
}

#define APPEND(t, list, n) append(t, (const void **)&(list), &(n), sizeof(*(list)))

static const uint8_t *keep_frame(
	struct tn_tracer *t, const uint8_t *data, uint32_t len, uint32_t *kept)
{
	uint8_t *copy;

	*kept = 0;
	if (len > TN_API_FRAME_MAX)
		len = TN_API_FRAME_MAX;
	copy = take(t, len + 1);
	if (!copy)
		return NULL;
	memcpy(copy, data, len);
	*kept = len;
	return copy;
}

/* --- what decide() says ----------------------------------------------------------------------- */

static void on_begin(void *ctx)
{
	struct tn_tracer *t = ctx;

	t->reply->steps = NULL;
	t->reply->buckets = NULL;
	t->reply->n_steps = t->reply->n_buckets = 0;
}

static void fill_rule(struct tn_api_trace_rule *rule, const struct tn_flow_info *flow)
{
	*rule = (struct tn_api_trace_rule){
		.flow_id = flow->flow_id,
		.cookie = flow->cookie,
		.priority = flow->priority,
		.owner = flow->owner,
		.match = flow->match,
		.inst = flow->inst,
	};
}

/* Fields of the frame with any value; what was put beside it, where it is not 0. */
static void fill_packet(struct tn_match *match, const struct tn_key *key)
{
	tn_match_init(match);
	for (unsigned id = 0; id < TN_N_FIELDS; id++) {
		tn_u128 value = tn_field_get(key, (enum tn_field_id)id);

		if ((value || id >= TN_FIELD_ETH_DST) &&
			tn_field_present(key, (enum tn_field_id)id) &&
			tn_match_prereq_ok(match, (enum tn_field_id)id))
			tn_match_set_exact(match, (enum tn_field_id)id, value);
	}
}

static void on_table(
	void *ctx, uint8_t table_id, const struct tn_flow_info *flow, const struct tn_key *key)
{
	struct tn_tracer *t = ctx;
	struct tn_api_trace_step *step;

	if (t->reply->n_steps == STEPS_MAX)
		return;
	t->keys[t->reply->n_steps] = *key;
	step = APPEND(t, t->reply->steps, t->reply->n_steps);
	if (!step)
		return;
	step->table_id = table_id;
	fill_packet(&step->packet, key);
	step->matched = flow != NULL;
	if (flow)
		fill_rule(&step->rule, flow);
}

static void on_group(void *ctx, uint32_t group_id, uint32_t bucket_id)
{
	struct tn_tracer *t = ctx;
	struct tn_api_trace_bucket *b = APPEND(t, t->reply->buckets, t->reply->n_buckets);

	if (b)
		*b = (struct tn_api_trace_bucket){t->reply->n_steps, group_id, bucket_id};
}

/* --- why not another rule --------------------------------------------------------------------- */

struct nearest {
	struct tn_api_trace_step *step;
	const struct tn_key *key;
	unsigned fields; /* in which the best so far differs */
};

static uint64_t differing_fields(const struct tn_match *match, const struct tn_key *key)
{
	uint64_t differs = 0;

	for (uint64_t left = tn_match_fields(match); left; left &= left - 1) {
		enum tn_field_id id = (enum tn_field_id)__builtin_ctzll(left);
		tn_u128 wanted = tn_match_value(match, id);

		if ((tn_field_get(key, id) & tn_match_mask(match, id)) != wanted)
			differs |= UINT64_C(1) << id;
	}
	return differs;
}

/* Flows come by priority, high first: of equals the first one stays. */
static void consider(void *ctx, const struct tn_flow_info *flow)
{
	struct nearest *n = ctx;
	struct tn_api_trace_step *step = n->step;
	unsigned fields;
	uint64_t differs;

	if (step->matched &&
		(flow->priority < step->rule.priority || flow->flow_id == step->rule.flow_id))
		return;
	differs = differing_fields(&flow->match, n->key);
	fields = (unsigned)__builtin_popcountll(differs);
	if (step->has_next && fields >= n->fields)
		return;
	n->fields = fields;
	step->has_next = true;
	step->next_differs = differs;
	fill_rule(&step->next, flow);
}

static void explain(struct tn_tracer *t)
{
	struct tn_api_trace_step *steps = (struct tn_api_trace_step *)(uintptr_t)t->reply->steps;
	struct tn_flow_mod filter;

	tn_flow_mod_init(&filter);
	filter.out_port = TN_PORT_ANY;
	filter.out_group = TN_GROUP_ANY;
	for (uint32_t i = 0; i < t->reply->n_steps; i++) {
		struct nearest n = {.step = &steps[i], .key = &t->keys[i]};

		filter.table_id = steps[i].table_id;
		if (tn_switch_flows(t->agent->sw, &filter, consider, &n))
			t->no_memory = true;
	}
}

/* --- what the executor does ------------------------------------------------------------------- */

static void add_drop(
	struct tn_tracer *t, enum tn_drop reason, const struct tn_op *op, uint32_t port)
{
	struct tn_api_trace_drop *d = APPEND(t, t->reply->drops, t->reply->n_drops);

	if (!d)
		return;
	*d = (struct tn_api_trace_drop){
		.reason = (uint16_t)reason,
		.port = port,
		.flow_id = op ? op->flow_id : 0,
		.table_id = op ? op->table : TN_TABLE_ALL,
	};
}

static void on_drop(
	void *ctx, const struct tn_view *view, enum tn_drop reason, const struct tn_op *op)
{
	(void)view;
	add_drop(ctx, reason, op, op && op->type == TN_OP_DROP ? op->drop.port : 0);
}

static void add_output(
	struct tn_tracer *t, const struct tn_view *view, const struct tn_op *op, uint32_t uplink)
{
	struct tn_api_trace_output *o = APPEND(t, t->reply->outputs, t->reply->n_outputs);

	if (!o)
		return;
	*o = (struct tn_api_trace_output){
		.port = op->output.port,
		.uplink = uplink,
		.flow_id = op->flow_id,
		.table_id = op->table,
		.total_len = view->len,
	};
	o->frame = keep_frame(t, view->data, view->len, &o->frame_len);
}

/* A copy with room for outer headers, and for an answer in its place. */
static bool copy_view(struct tn_tracer *t, const struct tn_view *view, struct tn_view *copy)
{
	uint8_t *room = take(t, TN_HEADROOM_MIN + view->len + TN_ANSWER_MAX);

	if (!room)
		return false;
	memcpy(room + TN_HEADROOM_MIN, view->data, view->len);
	*copy = (struct tn_view){
		.data = room + TN_HEADROOM_MIN,
		.len = view->len,
		.wire_len = view->wire_len,
		.headroom = TN_HEADROOM_MIN,
		.tailroom = TN_ANSWER_MAX,
	};
	return true;
}

static enum tn_drop encapsulate(
	struct tn_tracer *t, struct tn_view *view, const struct tn_op *op, uint32_t *uplink)
{
	const struct tn_forwarding *fwd = t->fwd;
	struct tn_vxlan_encap encap;
	struct tn_headers h;
	struct tn_key key;
	uint32_t entropy, out;
	enum tn_drop reason = tn_parse(view, &h);

	if (reason)
		return reason;
	tn_key_extract(view, &h, &key);
	entropy = tn_key_entropy(&key);
	reason = tn_tunnels_encap(fwd->tunnels, fwd->underlay, op, entropy, &encap, uplink);
	if (!reason)
		reason = tn_vxlan_push(view, &encap, &h, entropy);
	if (reason)
		return reason;
	out = tn_forwarding_index(fwd, *uplink);
	if (out == TN_FORWARDING_NONE)
		return TN_DROP_NO_ROUTE;
	if (fwd->ports[out].closed)
		return (enum tn_drop)fwd->ports[out].closed;
	return tn_frame_fits(view->data, view->len, fwd->ports[out].max_frame) ? TN_DROP_NONE
									       : TN_DROP_MTU;
}

static void on_output(void *ctx, struct tn_view *view, const struct tn_headers *h,
	const struct tn_op *op, bool last)
{
	struct tn_tracer *t = ctx;
	uint32_t index = tn_forwarding_index(t->fwd, op->output.port), uplink = 0;
	enum tn_drop reason = TN_DROP_NONE;
	struct tn_view copy = *view;

	(void)h;
	(void)last;
	if (index == TN_FORWARDING_NONE)
		reason = TN_DROP_NO_SUCH_PORT;
	else if (!tn_frame_fits(view->data, view->len, t->fwd->ports[index].max_frame))
		reason = TN_DROP_MTU;
	else if (t->fwd->ports[index].kind == TN_FWD_TUNNEL && copy_view(t, view, &copy))
		reason = encapsulate(t, &copy, op, &uplink);
	if (reason)
		add_drop(t, reason, op, op->output.port);
	else
		add_output(t, &copy, op, uplink);
}

static void take_cookie(void *cookie, const struct tn_flow_info *flow)
{
	*(uint64_t *)cookie = flow->cookie;
}

static void on_controller(void *ctx, const struct tn_view *view, const struct tn_op *op,
	uint8_t reason, uint16_t max_len)
{
	struct tn_tracer *t = ctx;
	bool whole = max_len == TN_CONTROLLER_MAX_LEN_WHOLE;
	uint32_t len = !whole && max_len < view->len ? max_len : view->len;
	bool by_action = op->type == TN_OP_CONTROLLER;
	struct tn_api_packet_in *p = APPEND(t, t->reply->packet_ins, t->reply->n_packet_ins);

	if (!p)
		return;
	*p = (struct tn_api_packet_in){
		.reason = reason,
		.table_id = op->table,
		.in_port = by_action ? op->controller.in_port : t->reply->in_phy_port,
		.in_phy_port = t->reply->in_phy_port,
		.cookie = by_action ? op->controller.cookie : UINT64_MAX,
		.metadata = by_action ? op->controller.metadata : 0,
		.tunnel_id = by_action ? op->controller.tunnel_id : 0,
		.flow_id = op->flow_id,
		.total_len = view->wire_len,
	};
	p->frame = keep_frame(t, view->data, len, &p->frame_len);
	if (!by_action)
		(void)tn_switch_flow_by_id(t->agent->sw, op->flow_id, take_cookie, &p->cookie);
}

static bool on_clone(void *ctx, const struct tn_view *view, struct tn_view *copy)
{
	return copy_view(ctx, view, copy);
}

static void on_release(void *ctx, struct tn_view *copy)
{
	(void)ctx;
	(void)copy; /* with the arena */
}

/* What the meter would say now; its tokens stay. */
static enum tn_meter_verdict on_meter(
	void *ctx, struct tn_meter *meter, uint64_t now_ns, uint32_t bytes, uint8_t *prec_level)
{
	struct tn_tracer *t = ctx;

	tn_glance(t->meter, meter, tn_meter_size(meter->n_bands));
	return tn_meter_run(t->meter, now_ns, bytes, prec_level);
}

/* --- the way in ------------------------------------------------------------------------------- */

/*
 * As a worker receives it. What it came by is in *in; false: the tables do not see it, and the
 * reply says why.
 */
static bool receive_underlay(
	struct tn_tracer *t, uint32_t port, struct tn_view *view, struct tn_ingress *in, bool host)
{
	const struct tn_forwarding *fwd = t->fwd;
	struct tn_vxlan_outer outer;
	struct tn_headers h;
	enum tn_drop reason;

	if (tn_parse(view, &h) || !tn_tunnels_want(fwd->tunnels, fwd->underlay, view, &h)) {
		t->reply->to_host = host;
		return !host;
	}
	reason = tn_tunnels_receive(fwd->tunnels, fwd->underlay, 0, view, &h, in, &outer);
	if (reason) {
		add_drop(t, reason, NULL, 0);
		return false;
	}
	in->in_phy_port = port;
	return true;
}

static bool receive(struct tn_tracer *t, const struct tn_api_trace *request, struct tn_view *view,
	struct tn_ingress *in)
{
	uint32_t index = tn_forwarding_index(t->fwd, request->in_port);
	const struct tn_forwarding_port *port;
	enum tn_drop refuses = tn_ingress_refuses(t->fwd->snapshot, request->in_port);

	if (index == TN_FORWARDING_NONE)
		refuses = TN_DROP_NO_SUCH_PORT;
	if (refuses) {
		add_drop(t, refuses, NULL, 0);
		return false;
	}
	port = &t->fwd->ports[index];
	if (request->inner) {
		in->tunnel_id = request->tunnel_id;
		in->tun_src = request->tun_src;
		in->tun_dst = request->tun_dst;
	}
	return request->inner || !port->underlay ||
		receive_underlay(t, request->in_port, view, in, port->host);
}

static void run(struct tn_tracer *t, const struct tn_api_trace *request)
{
	const struct tn_decide_trace path = {
		.ctx = t, .begin = on_begin, .table = on_table, .group = on_group};
	const struct tn_exec_env env = {
		.ctx = t,
		.output = on_output,
		.controller = on_controller,
		.drop = on_drop,
		.clone = on_clone,
		.release = on_release,
		.meter = on_meter,
		.dry = true,
	};
	struct tn_view given = {.data = (uint8_t *)(uintptr_t)request->frame,
		.len = request->frame_len,
		.wire_len = request->frame_len};
	struct tn_ingress in = {.in_port = request->in_port};
	struct tn_view view;

	if (!copy_view(t, &given, &view))
		return;
	t->reply->in_port = t->reply->in_phy_port = request->in_port;
	if (!receive(t, request, &view, &in))
		return;
	t->reply->in_port = in.in_port;
	if (in.in_phy_port)
		t->reply->in_phy_port = in.in_phy_port;
	t->reply->tunnel_id = in.tunnel_id;
	(void)tn_process(&t->processor, t->fwd->snapshot, &view, &in, t->now_ns, &env, &path);
	if (request->explain)
		explain(t);
}

int tn_trace(struct tn_tracer *t, const struct tn_agent *agent, const struct tn_api_trace *request,
	struct tn_api_trace_reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	tn_api_arena_reset(&t->arena);
	t->no_memory = false;
	t->agent = agent;
	t->fwd = &agent->forwarding->fwd;
	t->now_ns = tn_agent_now(agent);
	t->reply = reply;
	run(t, request);
	return t->no_memory ? -ENOMEM : 0;
}

struct tn_tracer *tn_tracer_new(void)
{
	struct tn_tracer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	tn_api_arena_init(&t->arena, ARENA_BYTES);
	t->meter = malloc(tn_meter_size(TN_METER_BANDS_MAX));
	if (t->meter)
		return t;
	tn_tracer_free(t);
	return NULL;
}

void tn_tracer_free(struct tn_tracer *t)
{
	if (!t)
		return;
	tn_api_arena_fini(&t->arena);
	free(t->meter);
	free(t);
}
