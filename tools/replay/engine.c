/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/core/reply.h"
#include "dataplane/core/wire.h"
#include "dataplane/pipeline/switch.h"
#include "tools/replay/buffers.h"
#include "tools/replay/memory.h"
#include "tools/replay/options.h"

static void count(struct tn_counter *c, uint32_t bytes)
{
	c->packets++;
	c->bytes += bytes;
}

struct tn_replay_port *tn_engine_port(const struct tn_engine *e, uint32_t number)
{
	size_t low = 0, high = e->n_ports;

	/* Mostly ports are numbered from 1. */
	if (number - 1 < high && e->ports[number - 1].number == number)
		return &e->ports[number - 1];
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (e->ports[mid].number == number)
			return &e->ports[mid];
		if (e->ports[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* The packet, or a copy of it, ends here. op NULL: the ingress refused it. */
static void end_in_drop(struct tn_engine *e, const struct tn_view *view, enum tn_drop reason,
	const struct tn_op *op, struct tn_replay_port *out)
{
	struct tn_drop_place place = {
		.reason = (uint8_t)reason,
		.in_port = e->in->number,
		.table = op ? op->table : TN_TABLE_ALL,
		.flow_id = op ? op->flow_id : 0,
		.network = tn_network_at(op, e->in_tunnel_id),
	};

	if (out)
		place.out_port = out->number;
	else if (op && op->type == TN_OP_DROP)
		place.out_port = op->drop.port;
	if (!out && place.out_port)
		out = tn_engine_port(e, place.out_port);
	count(out ? &out->tx_dropped : &e->in->rx_dropped, view->wire_len);
	tn_account_drop(&e->account, &place, view->wire_len);
	if (e->fate) {
		const struct tn_fate_end end = {
			.kind = TN_FATE_DROPPED,
			.port = out,
			.port_number = place.out_port,
			.len = view->len,
			.wire_len = view->wire_len,
			.table = place.table,
			.reason = place.reason,
			.flow_id = place.flow_id,
		};
		tn_fate_add_end(e->fate, &end, NULL);
	}
}

static void on_drop(
	void *ctx, const struct tn_view *view, enum tn_drop reason, const struct tn_op *op)
{
	end_in_drop(ctx, view, reason, op, NULL);
}

static void write_frame(struct tn_engine *e, struct tn_capture_writer *writer,
	const struct tn_view *view, uint32_t len)
{
	/* The writer keeps the reason for tn_outputs_close(). */
	if (writer && !e->failed &&
		tn_capture_write(writer, e->now_ns, view->data, len, view->wire_len, NULL))
		e->failed = true;
}

/* A frame is as long as the MTU lets its payload be, tags not counted (as Linux does it). */
static bool exceeds_mtu(
	const struct tn_replay_port *port, const struct tn_view *view, const struct tn_headers *h)
{
	return port->mtu &&
		view->wire_len > port->mtu + TN_ETH_LEN + (h ? h->n_tags * TN_VLAN_LEN : 0u);
}

static void sent(struct tn_engine *e, struct tn_replay_port *port, struct tn_replay_port *uplink,
	const struct tn_view *view, const struct tn_op *op, const struct tn_vxlan_encap *encap)
{
	e->account.sent++;
	count(&port->tx, view->wire_len);
	if (uplink)
		count(&uplink->tx, view->wire_len);
	write_frame(e, (uplink ? uplink : port)->writer, view, view->len);
	if (e->fate) {
		struct tn_fate_end end = {
			.kind = TN_FATE_SENT,
			.port = port,
			.uplink = uplink,
			.len = view->len,
			.wire_len = view->wire_len,
			.table = op->table,
			.flow_id = op->flow_id,
		};
		if (encap) {
			end.tunnelled = true;
			end.local = encap->src;
			end.remote = encap->dst;
			end.vni = encap->vni;
		}
		tn_fate_add_end(e->fate, &end, view->data);
	}
}

/* What the uplink says to an outer packet. */
static enum tn_drop uplink_refuses(const struct tn_replay_port *uplink, const struct tn_view *view)
{
	if (!uplink)
		return TN_DROP_NONE;
	if (!uplink->model->enabled)
		return TN_DROP_PORT_DOWN;
	if (uplink->model->config & TN_PORT_CONFIG_NO_FWD)
		return TN_DROP_PORT_NO_FWD;
	return exceeds_mtu(uplink, view, NULL) ? TN_DROP_MTU : TN_DROP_NONE;
}

/* Puts the outer headers before the frame. *uplink: that it leaves by, NULL: none is named. */
static enum tn_drop encapsulate(struct tn_engine *e, struct tn_view *view, const struct tn_op *op,
	struct tn_vxlan_encap *encap, struct tn_replay_port **uplink)
{
	struct tn_headers h;
	struct tn_key inner;
	uint32_t entropy, number = 0;
	enum tn_drop drop;

	/* The executor's headers are of the frame before it was cut to max_len. */
	drop = tn_parse(view, &h);
	if (drop)
		return drop;
	tn_key_extract(view, &h, &inner);
	entropy = tn_key_entropy(&inner);
	drop = tn_tunnels_encap(e->tunnels, e->underlay, op, entropy, encap, &number);
	if (drop)
		return drop;
	*uplink = tn_engine_port(e, number);
	return tn_vxlan_push(view, encap, &h, entropy);
}

/* view is ours to put headers before. */
static void send_tunnelled(struct tn_engine *e, struct tn_replay_port *port, struct tn_view *view,
	const struct tn_op *op)
{
	struct tn_replay_port *uplink = NULL;
	struct tn_vxlan_encap encap;
	enum tn_drop drop = encapsulate(e, view, op, &encap, &uplink);

	if (!drop)
		drop = uplink_refuses(uplink, view);
	if (drop)
		end_in_drop(e, view, drop, op, port);
	else
		sent(e, port, uplink, view, op, &encap);
}

static void on_output(void *ctx, struct tn_view *view, const struct tn_headers *h,
	const struct tn_op *op, bool last)
{
	struct tn_engine *e = ctx;
	struct tn_replay_port *port = tn_engine_port(e, op->output.port);
	struct tn_view copy;

	/* decide() outputs to ports of the switch alone, and those are the document's. */
	TN_ASSERT(port);
	if (!port) {
		end_in_drop(e, view, TN_DROP_NO_SUCH_PORT, op, NULL);
	} else if (exceeds_mtu(port, view, h)) {
		end_in_drop(e, view, TN_DROP_MTU, op, port);
	} else if (!port->vxlan) {
		sent(e, port, NULL, view, op, NULL);
	} else if (last) {
		send_tunnelled(e, port, view, op);
	} else if (!tn_buffers_take(e->buffers, view->data, view->len, view->wire_len, &copy)) {
		end_in_drop(e, view, TN_DROP_NO_BUFFER, op, port);
	} else {
		send_tunnelled(e, port, &copy, op);
		tn_buffers_give_back(e->buffers, &copy);
	}
}

static void take_cookie(void *cookie, const struct tn_flow_info *flow)
{
	*(uint64_t *)cookie = flow->cookie;
}

static void on_controller(void *ctx, const struct tn_view *view, const struct tn_op *op,
	uint8_t reason, uint16_t max_len)
{
	struct tn_engine *e = ctx;
	bool whole = max_len == TN_CONTROLLER_MAX_LEN_WHOLE;
	uint32_t len = !whole && max_len < view->len ? max_len : view->len;
	bool by_action = op->type == TN_OP_CONTROLLER;
	struct tn_packet_in p = {
		.packet = e->number,
		.time_ns = e->now_ns,
		.cookie = by_action ? op->controller.cookie : UINT64_MAX,
		.metadata = by_action ? op->controller.metadata : 0,
		.tunnel_id = by_action ? op->controller.tunnel_id : 0,
		.flow_id = op->flow_id,
		.in_port = by_action ? op->controller.in_port : e->in->number,
		.len = len,
		.total_len = view->wire_len,
		.reason = reason,
		.table = op->table,
	};

	/* INVALID_TTL: the op is not the controller's, but it says its flow. */
	if (!by_action)
		(void)tn_switch_flow_by_id(e->config->sw, op->flow_id, take_cookie, &p.cookie);
	e->account.consumed++;
	tn_notes_packet_in(&e->notes, &p);
	write_frame(e, e->controller, view, len);
	if (e->fate) {
		const struct tn_fate_end end = {
			.kind = TN_FATE_CONSUMED,
			.len = len,
			.wire_len = view->wire_len,
			.table = op->table,
			.reason = reason,
			.flow_id = op->flow_id,
			.cookie = p.cookie,
		};
		tn_fate_add_end(e->fate, &end, view->data);
	}
}

static bool on_clone(void *ctx, const struct tn_view *view, struct tn_view *copy)
{
	struct tn_engine *e = ctx;

	return tn_buffers_take(e->buffers, view->data, view->len, view->wire_len, copy);
}

static void on_release(void *ctx, struct tn_view *copy)
{
	struct tn_engine *e = ctx;

	tn_buffers_give_back(e->buffers, copy);
}

static enum tn_drop on_reply(void *ctx, struct tn_view *view)
{
	struct tn_engine *e = ctx;
	uint64_t *budget = &e->in->replies;

	(void)view;
	if (e->in_tunnel_id)
		budget = &e->network_replies[tn_reply_network(e->in_tunnel_id)];
	return tn_reply_budget_take(budget, e->now_ns) ? TN_DROP_NONE : TN_DROP_REPLY_BUDGET;
}

static void on_learn(void *ctx, const struct tn_op *op)
{
	struct tn_engine *e = ctx;

	tn_switch_learn(e->config->sw, &op->learn, e->now_ns);
}

static void on_snoop(void *ctx, const struct tn_snooped *snooped)
{
	struct tn_engine *e = ctx;

	tn_switch_snoop(e->config->sw, snooped, e->now_ns);
}

static void on_op(void *ctx, const struct tn_op *op)
{
	struct tn_engine *e = ctx;

	tn_fate_add_op(e->fate, op);
}

static void on_decide(void *ctx)
{
	struct tn_engine *e = ctx;

	tn_fate_restart(e->fate);
}

static void on_table(
	void *ctx, uint8_t table_id, const struct tn_flow_info *flow, const struct tn_key *key)
{
	struct tn_engine *e = ctx;
	struct tn_fate_step step = {.table = table_id};

	(void)key;
	if (flow) {
		step.flow_id = flow->flow_id;
		step.priority = flow->priority;
	}
	tn_fate_add_step(e->fate, &step);
}

static void on_group(void *ctx, uint32_t group_id, uint32_t bucket_id)
{
	struct tn_engine *e = ctx;

	tn_fate_add_bucket(e->fate, group_id, bucket_id);
}

static void on_event(void *ctx, const struct tn_event *event)
{
	struct tn_engine *e = ctx;
	struct tn_codec codec = {
		.dpid = e->config->doc.dpid,
		.names = e->config->doc.names,
		.with_stats = true,
		.now_ns = event->time_ns,
	};

	tn_notes_event(&e->notes, &codec, event);
}

static int compare_ports(const void *x, const void *y)
{
	const struct tn_replay_port *a = x, *b = y;

	return a->number < b->number ? -1 : a->number > b->number;
}

static void init_ports(struct tn_engine *e)
{
	const struct tn_document *doc = &e->config->doc;

	e->n_ports = doc->n_ports;
	e->ports = tn_alloc(e->n_ports * sizeof(*e->ports));
	for (size_t i = 0; i < e->n_ports; i++) {
		const struct tn_model_port *model = &doc->ports[i];
		struct tn_replay_port *port = &e->ports[i];

		port->number = model->number;
		port->name = model->name;
		port->mtu = model->mtu;
		port->model = model;
		port->vxlan = !strcmp(model->type, "vxlan");
		port->uplink = tn_underlay_is_uplink(e->underlay, model->number);
	}
	qsort(e->ports, e->n_ports, sizeof(*e->ports), compare_ports);
}

static int init_tunnels(struct tn_engine *e)
{
	const struct tn_document *doc = &e->config->doc;
	struct tn_tunnel_config *tunnels = tn_alloc(doc->n_ports * sizeof(*tunnels));
	size_t n = 0;
	uint32_t a, b;
	int rc;

	for (size_t i = 0; i < e->n_ports; i++) {
		if (e->ports[i].vxlan)
			tunnels[n++] = (struct tn_tunnel_config){
				e->ports[i].number, e->ports[i].model->vxlan};
	}
	rc = tn_tunnels_new(&e->tunnels, tunnels, n, &a, &b);
	free(tunnels);
	if (rc == -EEXIST)
		tn_complain("%s: ports %s and %s would take the same VXLAN packets: give them "
			    "different remote, vni, local or udpDestPort",
			e->config->path, tn_engine_port(e, a)->name, tn_engine_port(e, b)->name);
	else if (rc)
		tn_complain("%s: %s", e->config->path, strerror(-rc));
	return rc;
}

int tn_engine_init(struct tn_engine *e, struct tn_config *config, uint64_t now_ns)
{
	const struct tn_document *doc = &config->doc;
	const struct tn_underlay_config underlay = {
		.addresses = doc->addresses,
		.n_addresses = doc->n_addresses,
		.routes = doc->routes,
		.n_routes = doc->n_routes,
		.neighbours = doc->neighbours,
		.n_neighbours = doc->n_neighbours,
	};

	memset(e, 0, sizeof(*e));
	e->config = config;
	e->now_ns = now_ns;
	tn_account_init(&e->account);
	tn_notes_init(&e->notes);
	e->processor = tn_alloc(sizeof(*e->processor));
	e->buffers = tn_buffers_new();
	e->env = (struct tn_exec_env){
		.ctx = e,
		.output = on_output,
		.controller = on_controller,
		.drop = on_drop,
		.clone = on_clone,
		.release = on_release,
		.reply = on_reply,
		.learn = on_learn,
		.snoop = on_snoop,
	};
	tn_switch_set_event_fn(config->sw, on_event, e);
	e->underlay = tn_underlay_new(&underlay);
	if (!e->underlay) {
		tn_complain("%s: no memory for the underlay", config->path);
		return -1;
	}
	init_ports(e);
	e->self = (struct tn_replay_port){.number = TN_PORT_CONTROLLER, .name = "controller"};
	return init_tunnels(e) ? -1 : 0;
}

void tn_engine_fini(struct tn_engine *e)
{
	if (e->config && e->config->sw)
		tn_switch_set_event_fn(e->config->sw, NULL, NULL);
	for (size_t i = 0; i < e->n_ports; i++)
		(void)!tn_capture_finish(e->ports[i].writer, NULL);
	(void)!tn_capture_finish(e->controller, NULL);
	tn_tunnels_free(e->tunnels);
	tn_underlay_free(e->underlay);
	tn_account_fini(&e->account);
	tn_notes_fini(&e->notes);
	tn_buffers_free(e->buffers);
	free(e->processor);
	free(e->ports);
}

/* What flows say unasked: nobody's packet, so that no fate is told. */
static void advertise(struct tn_engine *e, const struct tn_advert *advert)
{
	const struct tn_ingress in = {.in_port = TN_PORT_CONTROLLER};
	struct tn_fate *fate = e->fate;
	struct tn_view view;

	if (!tn_buffers_take(e->buffers, tn_reply_solicitation, TN_SOLICITATION_LEN,
		    TN_SOLICITATION_LEN, &view))
		return;
	e->in = e->from = &e->self;
	e->in_tunnel_id = 0;
	e->fate = NULL;
	e->env.trace = NULL;
	e->account.generated++;
	e->account.copies += tn_process_actions(e->processor, tn_switch_snapshot(e->config->sw),
		&view, &in, advert->list, advert->n, e->now_ns, &e->env, NULL);
	e->fate = fate;
	tn_buffers_give_back(e->buffers, &view);
}

/* Flows go at the time that they were to go, not when the next packet comes. */
static void expire(struct tn_engine *e, uint64_t time_ns)
{
	struct tn_switch *sw = e->config->sw;
	uint64_t due = tn_switch_next_expiry(sw);

	if (due > time_ns)
		return;
	while (due <= time_ns) {
		uint64_t done = due;

		tn_switch_expire(sw, done);
		due = tn_switch_next_expiry(sw);
		if (due <= done)
			break; /* no memory to remove a flow: it stays for the next packet */
	}
	tn_switch_reclaim(sw);
}

static void advance_clock(struct tn_engine *e, uint64_t time_ns)
{
	struct tn_switch *sw = e->config->sw;
	struct tn_advert advert;
	uint64_t due;

	while ((due = tn_switch_next_advert(sw)) <= time_ns) {
		expire(e, due);
		e->now_ns = due;
		if (tn_switch_take_advert(sw, due, &advert))
			advertise(e, &advert);
	}
	expire(e, time_ns);
	e->now_ns = time_ns;
}

/* Also of a tunnel packet that nobody takes: whose it is explains why. */
static void note_tunnel(
	struct tn_engine *e, const struct tn_replay_port *port, const struct tn_vxlan_outer *outer)
{
	e->fate->tunnelled = true;
	e->fate->tunnel_port = port;
	e->fate->outer = *outer;
}

/*
 * Frames of the underlay: those of a vxlan port's own capture, and tunnel packets to this switch
 * on an uplink. All others enter as packets of the port whose capture they are from.
 */
static enum tn_drop receive_underlay(
	struct tn_engine *e, struct tn_view *view, struct tn_ingress *in)
{
	const struct tn_replay_port *from = e->from;
	struct tn_vxlan_outer outer = {.inner_ofs = 0};
	struct tn_headers h;
	enum tn_drop drop = tn_parse(view, &h);

	if (from->vxlan) {
		if (!drop)
			drop = tn_tunnels_receive(
				e->tunnels, e->underlay, from->number, view, &h, in, &outer);
	} else {
		if (drop || !tn_tunnels_want(e->tunnels, e->underlay, view, &h))
			return TN_DROP_NONE;
		if (!from->model->enabled)
			return TN_DROP_PORT_DOWN;
		if (from->model->config & TN_PORT_CONFIG_NO_RECV)
			return TN_DROP_PORT_NO_RECV;
		drop = tn_tunnels_receive(e->tunnels, e->underlay, 0, view, &h, in, &outer);
	}
	if (e->fate && outer.inner_ofs)
		note_tunnel(e, drop ? NULL : tn_engine_port(e, in->in_port), &outer);
	if (drop)
		return drop;
	e->in = tn_engine_port(e, in->in_port);
	if (e->in != from) {
		in->in_phy_port = from->number;
		count(&e->in->rx, e->in_bytes);
	}
	return TN_DROP_NONE;
}

static void process(struct tn_engine *e, struct tn_view *view)
{
	const struct tn_decide_trace path = {
		.ctx = e, .begin = on_decide, .table = on_table, .group = on_group};
	struct tn_ingress in = {.in_port = e->from->number};
	bool trace = e->fate && e->want_path;
	enum tn_drop drop = TN_DROP_NONE;

	if (e->from->vxlan || e->from->uplink)
		drop = receive_underlay(e, view, &in);
	if (drop) {
		end_in_drop(e, view, drop, NULL, NULL);
		return;
	}
	e->in_tunnel_id = in.tunnel_id;
	e->env.trace = trace ? on_op : NULL;
	e->account.copies += tn_process(e->processor, tn_switch_snapshot(e->config->sw), view, &in,
		e->now_ns, &e->env, trace ? &path : NULL);
}

void tn_engine_frame(
	struct tn_engine *e, struct tn_replay_port *port, const struct tn_capture_record *frame)
{
	struct tn_view view = {
		.len = frame->len > TN_FRAME_MAX ? 0 : frame->len, .wire_len = frame->wire_len};

	advance_clock(e, frame->time_ns);
	e->number++;
	e->from = e->in = port;
	e->in_tunnel_id = 0;
	e->in_bytes = frame->wire_len;
	e->account.received++;
	count(&port->from_capture, frame->wire_len);
	count(&port->rx, frame->wire_len);
	if (frame->len < frame->wire_len) {
		port->rx_cut++;
		e->cut++;
	}
	if (e->fate)
		tn_fate_clear(e->fate);
	if (frame->wire_len > TN_FRAME_MAX) {
		end_in_drop(e, &view, TN_DROP_TOO_LONG, NULL, NULL);
		return;
	}
	if (!tn_buffers_take(e->buffers, frame->data, frame->len, frame->wire_len, &view)) {
		end_in_drop(e, &view, TN_DROP_NO_BUFFER, NULL, NULL);
		return;
	}
	process(e, &view);
	tn_buffers_give_back(e->buffers, &view);
}
