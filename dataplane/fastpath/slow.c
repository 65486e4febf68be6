/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/worker_private.h"

#include "dataplane/core/rewrite.h"
#include "dataplane/fastpath/compile.h"
#include "dataplane/fastpath/encap.h"

/* The buffers of a packet and of the clones in it; the executor nests them. */
struct slow_packet {
	struct tn_packet packet;
	bool taken; /* sent: no longer ours */
};

struct slow_run {
	struct tn_worker *w;
	const struct tn_fast_program *prog; /* that runs as it is; NULL: none does */
	const struct tn_ingress *in;
	unsigned depth;
	struct slow_packet stack[TN_CLONE_DEPTH_MAX + 1];
};

static bool clone_packet(struct tn_worker *w, const struct tn_packet *p, const struct tn_view *view,
	struct tn_packet *copy)
{
	struct tn_packet now = *p;

	tn_packet_update(&now, view);
	return w->config.buffers->clone(w->config.buffers_ctx, &now, copy);
}

/* Whose the packet is that meets an op. */
static void of_op(struct slow_run *r, const struct tn_op *op)
{
	r->w->network = tn_network_at(op, r->in->tunnel_id);
}

static void slow_drop(
	void *ctx, const struct tn_view *view, enum tn_drop reason, const struct tn_op *op)
{
	struct slow_run *r = ctx;

	(void)view;
	of_op(r, op);
	tn_wk_count_drop(r->w, reason, 1);
}

/* Sends a packet that is the worker's own from here on. */
static void send_plain(struct slow_run *r, unsigned index, struct tn_packet *p)
{
	const struct tn_forwarding_port *fp = &r->w->fwd->ports[index];

	if (p->offload)
		tn_wk_transmit_unfinished(r->w, index, p);
	else if (!tn_frame_fits(p->data, p->len, fp->max_frame))
		tn_wk_drop(r->w, TN_DROP_MTU, p);
	else
		tn_wk_transmit(r->w, index, p);
}

static void send_tunnel(
	struct slow_run *r, unsigned index, struct tn_packet *p, const struct tn_op *op)
{
	const struct tn_forwarding *fwd = r->w->fwd;
	struct tn_view view = tn_packet_view(p);
	struct tn_vxlan_encap encap;
	struct tn_headers h;
	struct tn_key key;
	uint32_t uplink = 0, entropy, out;
	enum tn_drop reason = tn_parse(&view, &h);

	if (!reason && !tn_frame_fits(p->data, p->len, fwd->ports[index].max_frame))
		reason = TN_DROP_MTU;
	if (!reason) {
		tn_key_extract(&view, &h, &key);
		entropy = tn_key_entropy(&key);
		reason =
			tn_tunnels_encap(fwd->tunnels, fwd->underlay, op, entropy, &encap, &uplink);
	}
	if (!reason)
		reason = tn_vxlan_push(&view, &encap, &h, entropy);
	out = tn_forwarding_index(fwd, uplink);
	if (!reason)
		reason = out == TN_FORWARDING_NONE ? TN_DROP_NO_ROUTE
						   : (enum tn_drop)fwd->ports[out].closed;
	if (reason) {
		tn_wk_drop(r->w, reason, p);
		return;
	}
	r->w->stats[index].tx_packets++;
	r->w->stats[index].tx_bytes += p->len;
	tn_packet_update(p, &view);
	send_plain(r, out, p);
}

struct tunnel_way {
	struct slow_run *run;
	unsigned index;
	const struct tn_op *op;
};

static void tunnel_finished(struct tn_worker *w, void *ctx, struct tn_packet *p)
{
	const struct tunnel_way *way = ctx;

	(void)w;
	send_tunnel(way->run, way->index, p, way->op);
}

static void send_tunnel_finished(
	struct slow_run *r, unsigned index, struct tn_packet *p, const struct tn_op *op)
{
	struct tunnel_way way = {.run = r, .index = index, .op = op};

	if (p->offload)
		tn_wk_finish(r->w, p, tunnel_finished, &way);
	else
		send_tunnel(r, index, p, op);
}

/* By the program's template. False: it has none for this frame. */
static bool send_by_template(struct slow_run *r, unsigned index, struct tn_packet *p)
{
	const struct tn_fast_program *prog = r->prog;
	struct tn_worker *w = r->w;
	struct tn_wk_tx *q;
	enum tn_drop reason;

	if (!prog || !prog->overhead || prog->slow_tunnel != index || p->offload ||
		!tn_shape_common(p->data, p->len))
		return false;
	reason = tn_encap_refuses(w->fwd, prog, prog->slow_out, index, p);
	if (reason) {
		tn_wk_drop(w, reason, p);
		return true;
	}
	q = tn_wk_tx_reserve(w, prog->slow_out, 1);
	w->stats[index].tx_packets++;
	w->stats[index].tx_bytes += p->len;
	w->stats[prog->slow_out].tx_bytes += p->len + prog->overhead;
	tn_encap_put(prog, p, &q->packets[q->n++], tn_encap_extent(p), prog->overhead, p->data[15],
		tn_encap_entropy(p->data));
	return true;
}

static void slow_output(void *ctx, struct tn_view *view, const struct tn_headers *h,
	const struct tn_op *op, bool last)
{
	struct slow_run *r = ctx;
	struct slow_packet *top = &r->stack[r->depth];
	unsigned index = tn_forwarding_index(r->w->fwd, op->output.port);
	struct tn_packet p = top->packet;

	(void)h;
	of_op(r, op);
	if (last) {
		tn_packet_update(&p, view);
		top->taken = true;
	} else if (!clone_packet(r->w, &top->packet, view, &p)) {
		tn_wk_count_drop(r->w, TN_DROP_NO_BUFFER, 1);
		return;
	}
	if (index == TN_FORWARDING_NONE)
		tn_wk_drop(r->w, TN_DROP_NO_SUCH_PORT, &p);
	else if (r->w->fwd->ports[index].kind != TN_FWD_TUNNEL)
		send_plain(r, index, &p);
	else if (!send_by_template(r, index, &p))
		send_tunnel_finished(r, index, &p, op);
}

static void slow_controller(void *ctx, const struct tn_view *view, const struct tn_op *op,
	uint8_t reason, uint16_t max_len)
{
	struct slow_run *r = ctx;
	const struct tn_worker_events *e = &r->w->config.events;
	struct tn_packet now = r->stack[r->depth].packet, first;
	bool unfinished = now.offload != TN_OFFLOAD_NONE;
	struct tn_view finished;

	of_op(r, op);

	/* A TTL that ran out: whoever is told of it reads the first of the frames. */
	if (unfinished) {
		tn_packet_update(&now, view);
		if (!tn_wk_finish_first(r->w, &now, &first)) {
			tn_wk_count_drop(r->w, TN_DROP_BAD_OFFLOAD, 1);
			return;
		}
		finished = tn_packet_view(&first);
		view = &finished;
	}
	if (!e->packet_in || !e->packet_in(e->ctx, view, op, reason, max_len))
		tn_wk_count_drop(r->w, TN_DROP_PUNT_FULL, 1);
	if (unfinished)
		tn_wk_free(r->w, &first, 1);
}

static bool slow_clone(void *ctx, const struct tn_view *view, struct tn_view *copy)
{
	struct slow_run *r = ctx;
	struct slow_packet *next = &r->stack[r->depth + 1];

	if (!clone_packet(r->w, &r->stack[r->depth].packet, view, &next->packet))
		return false;
	next->taken = false;
	r->depth++;
	*copy = tn_packet_view(&next->packet);
	return true;
}

static void slow_release(void *ctx, struct tn_view *copy)
{
	struct slow_run *r = ctx;
	struct slow_packet *top = &r->stack[r->depth];

	(void)copy;
	if (!top->taken)
		tn_wk_free(r->w, &top->packet, 1);
	r->depth--;
}

/* --- answers ---------------------------------------------------------------------------------- */

static bool within_budget(const struct slow_run *r)
{
	unsigned i = r->w->port_index;

	if (r->in->tunnel_id)
		i = TN_WORKER_PORTS_MAX + tn_reply_network(r->in->tunnel_id);
	return tn_reply_budget_take(&r->w->replies[i], r->w->now_ns);
}

/* Of a frame that is to be cut the first segment stands for it; the rest is nobody's. */
static enum tn_drop slow_reply(void *ctx, struct tn_view *view)
{
	struct slow_run *r = ctx;
	struct slow_packet *top = &r->stack[r->depth];
	struct tn_packet first;

	if (!within_budget(r))
		return TN_DROP_REPLY_BUDGET;
	if (!top->packet.offload)
		return TN_DROP_NONE;
	tn_packet_update(&top->packet, view);
	if (!tn_wk_finish_first(r->w, &top->packet, &first))
		return TN_DROP_BAD_OFFLOAD;
	tn_wk_free(r->w, &top->packet, 1);
	top->packet = first;
	*view = tn_packet_view(&first);
	return TN_DROP_NONE;
}

static bool slow_room(void *ctx, struct tn_view *view, uint32_t len)
{
	struct slow_run *r = ctx;
	struct slow_packet *top = &r->stack[r->depth];
	const struct tn_buffer_ops *b = r->w->config.buffers;
	struct tn_packet room;

	if (!b->alloc || !b->alloc(r->w->config.buffers_ctx, len, &room))
		return false;
	tn_wk_free(r->w, &top->packet, 1);
	top->packet = room;
	*view = tn_packet_view(&room);
	return true;
}

static uint32_t first_len(const struct tn_packet *p)
{
	struct tn_offload o;

	if (!tn_offload_cuts(p->offload) || !tn_offload_find(p->data, p->len, p->offload, &o))
		return p->len;
	return tn_offload_segment_len(&o, 0);
}

static uint32_t slow_wire_len(void *ctx, const struct tn_view *view)
{
	const struct slow_run *r = ctx;
	struct tn_packet now = r->stack[r->depth].packet;

	tn_packet_update(&now, view);
	return first_len(&now);
}

static void slow_learn(void *ctx, const struct tn_op *op)
{
	struct slow_run *r = ctx;
	const struct tn_worker_events *e = &r->w->config.events;

	if (e->learn)
		e->learn(e->ctx, &op->learn);
}

static void slow_snoop(void *ctx, const struct tn_snooped *snooped)
{
	struct slow_run *r = ctx;
	const struct tn_worker_events *e = &r->w->config.events;

	if (e->snoop)
		e->snoop(e->ctx, snooped);
}

void tn_wk_tell_sources(const struct tn_worker *w, const struct tn_fast_program *prog, bool late)
{
	const struct tn_worker_events *e = &w->config.events;

	for (uint32_t i = 0; e->learn && i < prog->head.n_ops; i++) {
		struct tn_learnt learnt = prog->ops[i].learn;

		if (prog->ops[i].type != TN_OP_LEARN)
			continue;
		learnt.late = late;
		e->learn(e->ctx, &learnt);
	}
}

/* A meter is what several workers share by its nature: they take turns, some nanoseconds each. */
static enum tn_meter_verdict slow_meter(
	void *ctx, struct tn_meter *meter, uint64_t now_ns, uint32_t bytes, uint8_t *prec_level)
{
	enum tn_meter_verdict verdict;

	(void)ctx;
	while (__atomic_exchange_n(&meter->busy, 1, __ATOMIC_ACQUIRE))
		_mm_pause();
	verdict = tn_meter_run(meter, now_ns, bytes, prec_level);
	__atomic_store_n(&meter->busy, 0, __ATOMIC_RELEASE);
	return verdict;
}

static void slow_count(void *ctx, const struct tn_op *op, uint32_t bytes)
{
	struct slow_run *r = ctx;

	tn_counts_add(r->w->counts, op, bytes, r->w->now_ns);
}

static const struct tn_exec_env slow_env = {
	.output = slow_output,
	.controller = slow_controller,
	.drop = slow_drop,
	.clone = slow_clone,
	.release = slow_release,
	.reply = slow_reply,
	.room = slow_room,
	.wire_len = slow_wire_len,
	.learn = slow_learn,
	.snoop = slow_snoop,
	.count = slow_count,
	.meter = slow_meter,
};

/* decide_again: the packet as it came in, by the key of its slot. */
struct again {
	const struct tn_worker *w;
	struct tn_key key;
	const struct tn_action *list; /* of a packet-out; NULL: the tables */
	size_t n;
};

static void decide_again(void *ctx, const struct tn_facts *facts, struct tn_program *program)
{
	const struct again *a = ctx;
	const struct tn_snapshot *s = a->w->fwd->snapshot;

	if (a->list)
		tn_decide_actions(
			s, &a->key, a->list, a->n, a->w->now_ns, facts, program, NULL, NULL);
	else
		tn_decide(s, &a->key, a->w->now_ns, facts, program, NULL, NULL);
	tn_program_without_counters(program, 0);
}

/*
 * again NULL: prog has no op that asks for another one. program NULL: again says what is to be
 * decided first.
 */
static void execute(struct tn_worker *w, const struct tn_fast_program *prog,
	struct tn_program *program, struct again *again, const struct tn_ingress *in,
	struct tn_packet *p)
{
	struct tn_exec_env env = slow_env;
	struct tn_view view = tn_packet_view(p);
	struct tn_headers h;
	struct slow_run run; /* of its stack only what is in use has values */

	w->network = tn_network_at(NULL, in->tunnel_id);
	run.w = w;
	run.prog = again ? NULL : prog;
	run.in = in;
	run.depth = 0;
	run.stack[0] = (struct slow_packet){.packet = *p};
	if (tn_parse(&view, &h)) {
		tn_wk_drop(w, TN_DROP_RUNT, p);
		return;
	}
	env.ctx = &run;
	w->processor->facts.n = 0;
	if (again) {
		tn_wk_flow_key(&view, &h, in, &again->key);
		env.decide_again = decide_again;
		env.decide_ctx = again;
	}
	if (!program) {
		program = &w->processor->program;
		decide_again(again, &w->processor->facts, program);
	}
	w->copies += tn_execute(program, &view, &h, w->now_ns, p->len, &w->processor->facts, &env);
	if (!run.stack[0].taken)
		tn_wk_free(w, &run.stack[0].packet, 1);
}

struct slow_way {
	const struct tn_fast_program *prog;
	const struct tn_ingress *in;
};

static void run_finished(struct tn_worker *w, void *ctx, struct tn_packet *p)
{
	const struct slow_way *way = ctx;

	tn_wk_run_slow(w, way->prog, way->in, p);
}

/*
 * The executor may ask for a new program in place, so what may is run from the scratch program.
 */
void tn_wk_run_slow(struct tn_worker *w, const struct tn_fast_program *prog,
	const struct tn_ingress *in, struct tn_packet *p)
{
	struct tn_program *program = &w->processor->program;
	struct slow_way way = {.prog = prog, .in = in};
	struct again again;

	if (tn_unlikely(p->offload && prog->whole)) {
		w->network = tn_network_at(NULL, in->tunnel_id);
		tn_wk_finish(w, p, run_finished, &way);
		return;
	}
	if (!prog->asks_again) {
		execute(w, prog, tn_fast_program_ops(prog), NULL, in, p);
		return;
	}
	program->n_ops = prog->head.n_ops;
	memcpy(program->ops, prog->ops, prog->head.n_ops * sizeof(prog->ops[0]));
	again.w = w;
	again.list = NULL;
	execute(w, prog, program, &again, in, p);
}

bool tn_wk_run_longer(struct tn_worker *w, struct tn_fast_program *prog,
	const struct tn_ingress *in, struct tn_packet *p)
{
	if (!prog->longer || first_len(p) <= prog->longer)
		return false;
	prog->packets--;
	prog->bytes -= p->len;
	tn_wk_run_slow(w, prog, in, p);
	return true;
}

void tn_wk_run_list(struct tn_worker *w, const struct tn_action *list, size_t n, uint32_t in_port,
	struct tn_packet *p)
{
	static const struct tn_action nothing;
	const struct tn_ingress in = {.in_port = in_port};
	struct again again = {.w = w, .list = list ? list : &nothing, .n = n};

	execute(w, NULL, NULL, &again, &in, p);
}
