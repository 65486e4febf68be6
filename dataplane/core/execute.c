/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/execute.h"

#include <string.h>

#include "dataplane/core/openflow.h"
#include "dataplane/core/reply.h"
#include "dataplane/core/rewrite.h"
#include "dataplane/core/snoop.h"

#define WHOLE_FRAME UINT32_MAX
#define THE_PACKET  UINT32_MAX

struct exec {
	struct tn_program *program;
	struct tn_facts *facts;
	const struct tn_exec_env *env;
	uint64_t now_ns;
	uint32_t original_len;
	uint64_t copies;
};

/* The packet, or one copy of it, on its way through its ops. */
struct branch {
	struct tn_view *view;
	struct tn_headers *h;
	uint32_t clone;	  /* the CLONE op that holds the ops; THE_PACKET: all ops */
	uint32_t max_len; /* of frames sent from here on; headers behind it can still change */
	unsigned depth;
	bool copied; /* ops without `last` took copies */
	bool ended;
};

static void run_branch(struct exec *x, struct branch *b);

static void drop(struct exec *x, struct branch *b, enum tn_drop reason, const struct tn_op *op)
{
	x->env->drop(x->env->ctx, b->view, reason, op);
	b->ended = true;
}

/* The op took the packet, or a copy where more is to come. */
static void take(struct exec *x, struct branch *b, bool last)
{
	if (last) {
		b->ended = true;
	} else {
		b->copied = true;
		x->copies++;
	}
}

static void count(const struct exec *x, const struct tn_op *op)
{
	if (x->env->dry)
		return;
	if (op->count.counter) {
		op->count.counter->packets += !op->count.no_packets;
		op->count.counter->bytes += op->count.no_bytes ? 0 : x->original_len;
	}
	if (op->count.last_used)
		*op->count.last_used = x->now_ns;
	if (op->count.lookups)
		++*op->count.lookups;
	if (op->count.matches)
		++*op->count.matches;
	if (x->env->count)
		x->env->count(x->env->ctx, op, x->original_len);
}

/* The next fact, for the caller to fill and then call decide_again(); NULL: too many. */
static struct tn_fact *add_fact(
	struct exec *x, struct branch *b, enum tn_fact_kind kind, uint32_t index)
{
	struct tn_fact *fact;

	if (x->facts->n == TN_FACTS_MAX) {
		drop(x, b, TN_DROP_PROGRAM_TOO_LONG, &x->program->ops[index]);
		return NULL;
	}
	fact = &x->facts->fact[x->facts->n++];
	memset(fact, 0, sizeof(*fact));
	fact->kind = kind;
	fact->op = index;
	return fact;
}

static void decide_again(struct exec *x)
{
	x->env->decide_again(x->env->decide_ctx, x->facts, x->program);
	TN_ASSERT(x->program->n_ops <= TN_PROGRAM_OPS_MAX);
}

static void remark(struct exec *x, struct branch *b, uint32_t index, uint8_t prec_level)
{
	uint8_t old = tn_header_tos(b->view, b->h) >> 2;
	uint8_t new = tn_dscp_remark(old, prec_level);
	struct tn_fact *fact;
	enum tn_drop reason;

	reason = tn_rewrite_field(b->view, b->h, TN_FIELD_IP_DSCP, new, UINT8_MAX);
	if (reason) {
		drop(x, b, reason, &x->program->ops[index]);
		return;
	}
	if (tn_header_tos(b->view, b->h) >> 2 == old)
		return;
	fact = add_fact(x, b, TN_FACT_REMARKED, index);
	if (!fact)
		return;
	fact->dscp = new;
	decide_again(x);
}

static enum tn_meter_verdict run_meter(const struct exec *x, struct tn_meter *m, uint8_t *level)
{
	if (x->env->meter)
		return x->env->meter(x->env->ctx, m, x->now_ns, x->original_len, level);
	return tn_meter_run(m, x->now_ns, x->original_len, level);
}

static void meter(struct exec *x, struct branch *b, uint32_t index)
{
	const struct tn_op *op = &x->program->ops[index];
	uint8_t prec_level = 0;

	switch (run_meter(x, op->meter, &prec_level)) {
	case TN_METER_PASS:
		break;
	case TN_METER_DROP:
		drop(x, b, TN_DROP_METER, op);
		break;
	case TN_METER_REMARK:
		remark(x, b, index, prec_level);
		break;
	}
}

static void reparse(struct exec *x, struct branch *b, uint32_t index)
{
	enum tn_drop reason = tn_parse(b->view, b->h);
	struct tn_fact *fact;

	if (reason) {
		drop(x, b, reason, &x->program->ops[index]);
		return;
	}
	fact = add_fact(x, b, TN_FACT_REPARSED, index);
	if (!fact)
		return;
	tn_key_extract(b->view, b->h, &fact->key);
	decide_again(x);
}

/* The frame is to be of len bytes: where it is if it fits, else where the environment has room. */
static bool make_room(const struct exec *x, struct tn_view *view, uint32_t len)
{
	uint32_t keep = view->headroom < TN_HEADROOM_MIN ? view->headroom : TN_HEADROOM_MIN;
	uint32_t room = view->headroom + view->len + view->tailroom;

	if (len > room - keep) {
		if (!x->env->room || !x->env->room(x->env->ctx, view, len))
			return false;
		keep = view->headroom;
		room = view->headroom + view->len + view->tailroom;
	}
	view->data = view->data - view->headroom + keep;
	view->headroom = keep;
	view->len = view->wire_len = len;
	view->tailroom = room - keep - len;
	return true;
}

static enum tn_drop answer(const struct exec *x, struct branch *b, const struct tn_action *a)
{
	struct tn_answer out;
	enum tn_drop reason;

	if (a->reply.kind == TN_REPLY_ECHO)
		return tn_reply_echo(b->view, b->h);
	reason = tn_reply(b->view, b->h, a, &out);
	if (reason)
		return reason;
	if (!make_room(x, b->view, out.len))
		return TN_DROP_NO_BUFFER;
	memcpy(b->view->data, out.data, out.len);
	return TN_DROP_NONE;
}

static void reply(struct exec *x, struct branch *b, uint32_t index)
{
	const struct tn_op *op = &x->program->ops[index];
	enum tn_drop reason = TN_DROP_NONE;

	if (x->env->reply) {
		reason = x->env->reply(x->env->ctx, b->view);
		if (!reason)
			reason = tn_parse(b->view, b->h);
	}
	if (!reason)
		reason = answer(x, b, op->reply);
	if (reason)
		drop(x, b, reason, op);
	else
		reparse(x, b, index);
}

/* By its IP header, where that is sound and speaks of this frame alone. */
static bool is_longer(const struct exec *x, const struct branch *b, const struct tn_op *op)
{
	const struct tn_headers *h = b->h;
	uint32_t len = b->view->wire_len;

	if (x->env->wire_len)
		len = x->env->wire_len(x->env->ctx, b->view);
	if (h->flags & (TN_HDR_IPV4 | TN_HDR_IPV6) && len == b->view->wire_len)
		return h->l3_len > op->max_len;
	return len - h->type_ofs - sizeof(struct tn_be16) > op->max_len;
}

static void if_longer(struct exec *x, struct branch *b, uint32_t index)
{
	if (!is_longer(x, b, &x->program->ops[index]))
		return;
	if (add_fact(x, b, TN_FACT_LONGER, index))
		decide_again(x);
}

static void shorten(struct tn_view *view, uint32_t max_len)
{
	if (view->len > max_len) {
		view->tailroom += view->len - max_len;
		view->len = max_len;
	}
	if (view->wire_len > max_len)
		view->wire_len = max_len;
}

static void output(struct exec *x, struct branch *b, const struct tn_op *op)
{
	uint32_t max_len = op->output.max_len ? op->output.max_len : WHOLE_FRAME;
	struct tn_view part, *view = b->view;

	if (!op->last) {
		part = *b->view;
		view = &part;
	}
	shorten(view, max_len < b->max_len ? max_len : b->max_len);
	x->env->output(x->env->ctx, view, b->h, op, op->last);
	take(x, b, op->last);
}

static void controller(
	struct exec *x, struct branch *b, const struct tn_op *op, uint8_t reason, uint16_t max_len)
{
	struct tn_view part = *b->view;

	shorten(&part, b->max_len);
	x->env->controller(x->env->ctx, &part, op, reason, max_len);
}

static void dec_ttl(struct exec *x, struct branch *b, const struct tn_op *op)
{
	enum tn_drop reason = tn_rewrite_dec_ttl(b->view, b->h);

	if (!reason)
		return;
	if (reason == TN_DROP_TTL_EXPIRED) {
		controller(x, b, op, TN_PACKET_IN_INVALID_TTL, TN_CONTROLLER_MAX_LEN_WHOLE);
		x->copies++;
	}
	drop(x, b, reason, op);
}

static enum tn_drop rewrite(const struct branch *b, const struct tn_op *op)
{
	switch (op->type) {
	case TN_OP_SET:
		return tn_rewrite_field(b->view, b->h, (enum tn_field_id)op->set.field,
			op->set.value, op->set.mask);
	case TN_OP_PUSH_VLAN:
		return tn_rewrite_push_vlan(
			b->view, b->h, op->push_vlan.ethertype, op->push_vlan.tci);
	case TN_OP_POP_VLAN:
		return tn_rewrite_pop_vlan(b->view, b->h);
	case TN_OP_COPY_TTL_IN:
		return tn_rewrite_copy_ttl_in(b->view, b->h);
	default:
		return tn_rewrite_copy_ttl_out(b->view, b->h);
	}
}

/* With `last` the nested ops get the packet itself. */
static void clone(struct exec *x, struct branch *b, uint32_t index)
{
	const struct tn_op *op = &x->program->ops[index];
	struct tn_view copy, *view = b->view;
	struct tn_headers h = *b->h;
	struct branch nested = {.clone = index, .max_len = b->max_len, .depth = b->depth + 1};
	bool last = op->last;
	enum tn_drop reason = TN_DROP_NONE;

	if (nested.depth > TN_CLONE_DEPTH_MAX)
		reason = TN_DROP_PROGRAM_TOO_LONG;
	else if (!last && !x->env->clone(x->env->ctx, b->view, &copy))
		reason = TN_DROP_NO_BUFFER;
	take(x, b, last);
	if (reason) {
		x->env->drop(x->env->ctx, b->view, reason, op);
		return;
	}
	if (!last)
		view = &copy;
	nested.view = view;
	nested.h = &h;
	run_branch(x, &nested);
	if (!last)
		x->env->release(x->env->ctx, &copy);
}

struct snooping {
	const struct exec *x;
	const struct tn_learnt *at;
};

static void tell_snooped(void *ctx, enum tn_snooped_kind kind, tn_u128 group)
{
	const struct snooping *s = ctx;
	const struct tn_snooped snooped = {
		.group = group,
		.tunnel = s->at->tunnel,
		.host = s->at->mac,
		.kind = (uint8_t)kind,
		.network = s->at->network,
		.in_port = s->at->in_port,
		.circuit = s->at->circuit,
		.circuit_flow = s->at->circuit_flow,
	};

	s->x->env->snoop(s->x->env->ctx, &snooped);
}

/* What is not sound says nothing; it goes on as it is. */
static void snoop(const struct exec *x, const struct branch *b, const struct tn_op *op)
{
	struct snooping s = {x, &op->learn};

	if (x->env->snoop)
		(void)tn_snoop(b->view, b->h, tell_snooped, &s);
}

static void run_op(struct exec *x, struct branch *b, uint32_t index)
{
	const struct tn_op *op = &x->program->ops[index];
	enum tn_drop reason;

	switch ((enum tn_op_type)op->type) {
	case TN_OP_COUNT:
		count(x, op);
		break;
	case TN_OP_METER:
		meter(x, b, index);
		break;
	case TN_OP_SET:
	case TN_OP_PUSH_VLAN:
	case TN_OP_POP_VLAN:
	case TN_OP_COPY_TTL_IN:
	case TN_OP_COPY_TTL_OUT:
		reason = rewrite(b, op);
		if (reason)
			drop(x, b, reason, op);
		break;
	case TN_OP_DEC_TTL:
		dec_ttl(x, b, op);
		break;
	case TN_OP_TRUNCATE:
		if (op->max_len < b->max_len)
			b->max_len = op->max_len;
		break;
	case TN_OP_OUTPUT:
		output(x, b, op);
		break;
	case TN_OP_CONTROLLER:
		controller(x, b, op, op->controller.reason, op->controller.max_len);
		take(x, b, op->last);
		break;
	case TN_OP_CLONE:
		clone(x, b, index);
		break;
	case TN_OP_DROP:
		x->env->drop(x->env->ctx, b->view, (enum tn_drop)op->drop.reason, op);
		take(x, b, op->last);
		break;
	case TN_OP_LEARN:
		if (x->env->learn)
			x->env->learn(x->env->ctx, op);
		break;
	case TN_OP_REPARSE:
		reparse(x, b, index);
		break;
	case TN_OP_REPLY:
		reply(x, b, index);
		break;
	case TN_OP_SNOOP:
		snoop(x, b, op);
		break;
	case TN_OP_IF_LONGER:
		if_longer(x, b, index);
		break;
	}
}

/*
 * Read anew before each op: a fact found by an op in the middle changes what comes after it, also
 * how much of that is inside a CLONE around it.
 */
static uint32_t ops_end(const struct exec *x, uint32_t clone_index)
{
	uint32_t end = clone_index + 1;

	if (clone_index == THE_PACKET)
		return x->program->n_ops;
	end += x->program->ops[clone_index].n_nested;
	return end < x->program->n_ops ? end : x->program->n_ops;
}

static void run_branch(struct exec *x, struct branch *b)
{
	static const struct tn_op nothing_left = {
		.type = TN_OP_DROP,
		.last = 1,
		.table = TN_TABLE_ALL,
		.drop.reason = TN_DROP_NO_ACTION,
	};
	uint32_t i = b->clone == THE_PACKET ? 0 : b->clone + 1;

	while (!b->ended && i < ops_end(x, b->clone)) {
		bool nests = x->program->ops[i].type == TN_OP_CLONE;

		if (x->env->trace)
			x->env->trace(x->env->ctx, &x->program->ops[i]);
		run_op(x, b, i);
		i = nests ? ops_end(x, i) : i + 1;
	}
	if (b->ended)
		return;
	if (b->copied)
		x->copies--; /* the last of them was the packet itself */
	else
		drop(x, b, TN_DROP_NO_ACTION, &nothing_left);
}

uint64_t tn_execute(struct tn_program *program, struct tn_view *view, struct tn_headers *h,
	uint64_t now_ns, uint32_t original_len, struct tn_facts *facts,
	const struct tn_exec_env *env)
{
	struct exec x = {.program = program,
		.facts = facts,
		.env = env,
		.now_ns = now_ns,
		.original_len = original_len};
	struct branch packet = {.view = view, .h = h, .clone = THE_PACKET, .max_len = WHOLE_FRAME};

	run_branch(&x, &packet);
	return x.copies;
}
