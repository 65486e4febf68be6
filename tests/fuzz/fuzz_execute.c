/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes -> a program and a frame -> their execution. Every packet and copy is accounted for,
 * buffers are of just their size, headers stay what the parser says of the bytes.
 */
#include "dataplane/core/execute.h"

#include "dataplane/core/openflow.h"
#include "dataplane/core/reply.h"
#include "dataplane/core/wire.h"

#include "tests/fuzz/fuzz.h"

#define OPS_MAX	   48u
#define CLONES_MAX 12u

struct run {
	struct fuzz_input in;
	struct tn_meter *meter;
	uint64_t ends;
	unsigned clones, open, decided;
	bool truncates; /* views may be shorter than what their headers were found in */
};

static void require_view(const struct tn_view *v)
{
	volatile uint8_t sink = 0;

	fuzz_require(v->len <= v->wire_len);
	/* A sanitizer looks at both ends. */
	if (v->len)
		sink = v->data[0] ^ v->data[v->len - 1];
	if (v->headroom)
		sink = *(v->data - v->headroom);
	(void)sink;
}

static void require_in_step(const struct tn_view *v, const struct tn_headers *h)
{
	struct tn_headers fresh;

	fuzz_require(tn_parse(v, &fresh) == TN_DROP_NONE);
	fuzz_require(memcmp(h, &fresh, sizeof(fresh)) == 0);
}

static void on_output(void *ctx, struct tn_view *view, const struct tn_headers *h,
	const struct tn_op *op, bool last)
{
	struct run *run = ctx;

	run->ends++;
	require_view(view);
	fuzz_require(op->type == TN_OP_OUTPUT && last == !!op->last);
	fuzz_require(!op->output.max_len || view->wire_len <= op->output.max_len);
	if (!run->truncates && !op->output.max_len)
		require_in_step(view, h);
	if (last) /* it is the callee's to write */
		memset(view->data, 0xee, view->len);
}

static void on_controller(void *ctx, const struct tn_view *view, const struct tn_op *op,
	uint8_t reason, uint16_t max_len)
{
	struct run *run = ctx;

	(void)max_len;
	run->ends++;
	require_view(view);
	fuzz_require((op->type == TN_OP_DEC_TTL) == (reason == TN_PACKET_IN_INVALID_TTL));
}

static void on_drop(
	void *ctx, const struct tn_view *view, enum tn_drop reason, const struct tn_op *op)
{
	struct run *run = ctx;

	run->ends++;
	require_view(view);
	fuzz_require(op && reason != TN_DROP_NONE && reason < TN_DROP_COUNT);
}

static bool on_clone(void *ctx, const struct tn_view *view, struct tn_view *copy)
{
	struct run *run = ctx;
	uint8_t *room;

	if (run->clones == CLONES_MAX)
		return false;
	room = malloc(TN_HEADROOM_MIN + view->len);
	if (!room)
		return false;
	run->clones++;
	run->open++;
	memcpy(room + TN_HEADROOM_MIN, view->data, view->len);
	*copy = (struct tn_view){.data = room + TN_HEADROOM_MIN,
		.len = view->len,
		.wire_len = view->wire_len,
		.headroom = TN_HEADROOM_MIN};
	return true;
}

static void on_release(void *ctx, struct tn_view *copy)
{
	struct run *run = ctx;

	run->open--;
	free(copy->data - copy->headroom);
}

static const uint8_t op_types[] = {TN_OP_COUNT, TN_OP_METER, TN_OP_SET, TN_OP_SET, TN_OP_SET,
	TN_OP_SET, TN_OP_PUSH_VLAN, TN_OP_POP_VLAN, TN_OP_DEC_TTL, TN_OP_COPY_TTL_IN,
	TN_OP_COPY_TTL_OUT, TN_OP_TRUNCATE, TN_OP_OUTPUT, TN_OP_CONTROLLER, TN_OP_CLONE, TN_OP_DROP,
	TN_OP_LEARN, TN_OP_REPARSE, TN_OP_REPLY, TN_OP_IF_LONGER, TN_OP_SNOOP};

#define ROUTER .mac = {{2, 0, 0x5e, 0, 1, 1}}, .ip = (tn_u128)0xffff0a0000fe, .number = 1400

static const struct tn_action replies[] = {
	{.type = TN_ACTION_REPLY, .reply = {.kind = TN_REPLY_ARP, ROUTER}},
	{.type = TN_ACTION_REPLY, .reply = {.kind = TN_REPLY_ND, ROUTER}},
	{.type = TN_ACTION_REPLY, .reply = {.kind = TN_REPLY_ECHO, ROUTER}},
	{.type = TN_ACTION_REPLY, .reply = {.kind = TN_REPLY_TOO_BIG, ROUTER}},
};

static void take_op(struct run *run, struct tn_op *op, unsigned left)
{
	struct fuzz_input *in = &run->in;
	uint8_t type = fuzz_take8(in);

	memset(op, 0, sizeof(*op));
	op->type = op_types[(type & 0x7f) % sizeof(op_types)];
	op->last = type >> 7;
	switch (op->type) {
	case TN_OP_METER:
		op->meter = run->meter;
		break;
	case TN_OP_SET:
		op->set.field = fuzz_take8(in) % TN_N_FIELDS;
		fuzz_take(in, &op->set.value, (tn_fields[op->set.field].bits + 7u) / 8u);
		op->set.mask = op->last ? op->set.value >> 1 | 1
					: tn_field_ones((enum tn_field_id)op->set.field);
		break;
	case TN_OP_PUSH_VLAN:
		op->push_vlan.ethertype = fuzz_take8(in) & 1 ? TN_ETH_TYPE_VLAN : TN_ETH_TYPE_QINQ;
		op->push_vlan.tci = fuzz_take16(in);
		break;
	case TN_OP_TRUNCATE:
		op->max_len = 14u + fuzz_take8(in);
		run->truncates = true;
		break;
	case TN_OP_OUTPUT:
		op->output.max_len = fuzz_take8(in);
		break;
	case TN_OP_CLONE:
		op->n_nested = (uint16_t)(fuzz_take8(in) % (left + 1));
		break;
	case TN_OP_DROP:
		op->drop.reason = TN_DROP_TABLE_MISS;
		break;
	case TN_OP_REPLY:
		op->reply = &replies[fuzz_take8(in) % TN_ARRAY_SIZE(replies)];
		break;
	case TN_OP_IF_LONGER:
		op->max_len = fuzz_take8(in);
		break;
	default:
		break;
	}
}

/* Fills [from, to), nested ops inside what holds them. */
static void take_ops(struct run *run, struct tn_program *program, uint32_t from, uint32_t to)
{
	uint32_t ends[OPS_MAX + 1], depth = 0;

	ends[0] = to;
	for (uint32_t i = from; i < to; i++) {
		struct tn_op *op = &program->ops[i];

		while (depth && ends[depth] <= i)
			depth--;
		take_op(run, op, ends[depth] - i - 1);
		if (op->type == TN_OP_CLONE)
			ends[++depth] = i + 1 + op->n_nested;
	}
	program->n_ops = to;
}

/* As decide() does: what ran stays, what comes is new, and clones around it end where they like. */
static void on_decide_again(void *ctx, const struct tn_facts *facts, struct tn_program *program)
{
	struct run *run = ctx;
	uint32_t from, to;

	fuzz_require(facts->n > 0 && facts->n <= TN_FACTS_MAX);
	run->decided++;
	from = facts->fact[facts->n - 1].op + 1;
	fuzz_require(from <= program->n_ops);
	to = from + fuzz_take8(&run->in) % (OPS_MAX + 1);
	if (to > OPS_MAX)
		to = from > OPS_MAX ? from : OPS_MAX;
	for (uint32_t i = 0; i < from; i++) {
		struct tn_op *op = &program->ops[i];

		if (op->type == TN_OP_CLONE && i + 1 + op->n_nested >= from)
			op->n_nested = (uint16_t)(to - i - 1);
	}
	take_ops(run, program, from, to);
}

static struct tn_meter *make_meter(void)
{
	static const struct tn_band band = {
		.type = TN_BAND_DSCP_REMARK, .rate = 1, .burst = 1, .prec_level = 1};
	struct tn_meter_mod mod = {.meter_id = 1,
		.flags = TN_METER_PKTPS | TN_METER_BURST,
		.bands = &band,
		.n_bands = 1};
	struct tn_meter *m = malloc(tn_meter_size(1));

	if (m)
		tn_meter_init(m, &mod, 0);
	return m;
}

/* The last of the input, behind a headroom that it chooses. */
static bool take_frame(struct fuzz_input *in, struct tn_view *view)
{
	uint8_t headroom = fuzz_take8(in) & 15, cut = fuzz_take8(in);
	uint8_t *room;

	if (in->left < TN_ETH_LEN)
		return false;
	room = malloc(headroom + in->left);
	if (!room)
		return false;
	*view = (struct tn_view){.data = room + headroom,
		.len = (uint32_t)in->left,
		.wire_len = (uint32_t)in->left + cut,
		.headroom = headroom};
	fuzz_take(in, view->data, in->left);
	return true;
}

static void execute(struct run *run, struct tn_program *program, struct tn_view *view)
{
	static struct tn_facts facts;
	struct tn_exec_env env = {
		.ctx = run,
		.output = on_output,
		.controller = on_controller,
		.drop = on_drop,
		.clone = on_clone,
		.release = on_release,
		.decide_ctx = run,
		.decide_again = on_decide_again,
	};
	struct tn_headers h;
	uint64_t copies;

	if (tn_parse(view, &h))
		return;
	facts.n = 0;
	copies = tn_execute(program, view, &h, 1, view->wire_len, &facts, &env);
	fuzz_require(1 + copies == run->ends);
	fuzz_require(run->open == 0);
	fuzz_require(run->decided == facts.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tn_program program;
	struct run run = {.in = {data, size}, .meter = make_meter()};
	struct fuzz_input rest;
	struct tn_view view;
	uint32_t n = fuzz_take8(&run.in) % (OPS_MAX + 1);
	uint8_t *room;

	if (!run.meter)
		return 0;
	take_ops(&run, &program, 0, n);
	rest = run.in;
	if (take_frame(&rest, &view)) {
		room = view.data - view.headroom;
		execute(&run, &program, &view);
		free(room);
	}
	free(run.meter);
	return 0;
}
