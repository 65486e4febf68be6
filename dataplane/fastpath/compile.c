/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/compile.h"

#include <string.h>

#include "dataplane/core/wire.h"
#include "dataplane/fastpath/shape.h"

/* Ops that a hit does nothing for: they are counted, told or compared with apart from it. */
static bool is_aside(const struct tn_op *op)
{
	return op->type == TN_OP_COUNT || op->type == TN_OP_IF_LONGER || op->type == TN_OP_LEARN;
}

/* The one op of a program beside those; NULL: there are more. */
static const struct tn_op *only_op(const struct tn_program *program)
{
	const struct tn_op *only = NULL;

	for (uint32_t i = 0; i < program->n_ops; i++) {
		if (is_aside(&program->ops[i]))
			continue;
		if (only)
			return NULL;
		only = &program->ops[i];
	}
	return only;
}

/* No frame of this length is longer than an IF_LONGER says; 0: there is none. */
static uint32_t longest(const struct tn_program *program)
{
	uint32_t least = 0;

	for (uint32_t i = 0; i < program->n_ops; i++) {
		const struct tn_op *op = &program->ops[i];

		if (op->type == TN_OP_IF_LONGER && (!least || op->max_len + TN_ETH_LEN < least))
			least = op->max_len + TN_ETH_LEN;
	}
	return least;
}

static bool learns(const struct tn_program *program)
{
	for (uint32_t i = 0; i < program->n_ops; i++) {
		if (program->ops[i].type == TN_OP_LEARN)
			return true;
	}
	return false;
}

static bool asks_again(const struct tn_program *program)
{
	for (uint32_t i = 0; i < program->n_ops; i++) {
		switch (program->ops[i].type) {
		case TN_OP_METER:
		case TN_OP_REPARSE:
		case TN_OP_REPLY:
		case TN_OP_IF_LONGER:
			return true;
		default:
			break;
		}
	}
	return false;
}

/*
 * A meter counts what goes on a wire, a packet-in and a cut copy are read by someone, and a new
 * decision is made from what is there.
 */
static bool needs_finished(const struct tn_program *program)
{
	for (uint32_t i = 0; i < program->n_ops; i++) {
		const struct tn_op *op = &program->ops[i];

		switch ((enum tn_op_type)op->type) {
		case TN_OP_METER:
		case TN_OP_REPARSE:
		case TN_OP_CONTROLLER:
		case TN_OP_TRUNCATE:
			return true;
		case TN_OP_OUTPUT:
			if (op->output.max_len)
				return true;
			break;
		default:
			break;
		}
	}
	return false;
}

/* Without what is filled in for each packet: TOS, two lengths, checksum and source port. */
static void clear_ip4(struct tn_fast_program *shape)
{
	uint32_t sum = 0;

	memset(shape->template + 15, 0, 3);
	memset(shape->template + 24, 0, 2);
	for (unsigned i = 14; i < 34; i += 2)
		sum += tn_load16(shape->template + i);
	sum = (sum & 0xffff) + (sum >> 16);
	shape->ip_sum = (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* An empty inner frame through the one encoder gives the header. */
static bool make_template(const struct tn_vxlan_encap *encap, struct tn_fast_program *shape)
{
	uint8_t room[TN_HEADROOM_MIN + TN_ETH_LEN] = {0};
	struct tn_view view = {
		.data = room + TN_HEADROOM_MIN,
		.len = TN_ETH_LEN,
		.wire_len = TN_ETH_LEN,
		.headroom = TN_HEADROOM_MIN,
	};
	struct tn_headers h = {0};

	if (tn_vxlan_push(&view, encap, &h, 0))
		return false;
	shape->overhead = (uint8_t)(view.len - TN_ETH_LEN);
	shape->kind = shape->overhead == TN_VXLAN_OVERHEAD_IP4 ? TN_FAST_ENCAP : TN_FAST_ENCAP6;
	memcpy(shape->template, view.data, shape->overhead);
	if (shape->kind == TN_FAST_ENCAP)
		clear_ip4(shape);
	shape->tos = encap->inherit_dscp ? 0 : encap->tos & 0xfc;
	shape->tos_mask = encap->inherit_dscp ? 0xff : 0x03;
	return true;
}

static void compile_encap(const struct tn_forwarding *fwd, const struct tn_op *op, uint32_t tunnel,
	uint32_t entropy, struct tn_fast_program *shape)
{
	struct tn_vxlan_encap encap;
	uint32_t uplink, out, ip4;

	if (tn_tunnels_encap(fwd->tunnels, fwd->underlay, op, entropy, &encap, &uplink))
		return; /* the executor drops with the reason */
	out = tn_forwarding_index(fwd, uplink);
	if (out == TN_FORWARDING_NONE || fwd->ports[out].closed)
		return;
	/* A template has one checksum and, over IPv4, one identification. */
	if (encap.udp_checksum || (!encap.dont_fragment && tn_u128_is_ip4(encap.dst, &ip4)) ||
		!make_template(&encap, shape))
		return;
	shape->by_entropy = tn_underlay_multipath(fwd->underlay, encap.dst);
	shape->out = (uint16_t)out;
	shape->tunnel = (uint16_t)tunnel;
	shape->max_frame = fwd->ports[out].max_frame - shape->overhead;
	if (fwd->ports[tunnel].max_frame < shape->max_frame)
		shape->max_frame = fwd->ports[tunnel].max_frame;
}

static void compile_output(const struct tn_forwarding *fwd, const struct tn_op *op,
	uint32_t entropy, struct tn_fast_program *shape)
{
	uint32_t index = tn_forwarding_index(fwd, op->output.port);

	if (!op->last || op->output.max_len || index == TN_FORWARDING_NONE)
		return;
	if (fwd->ports[index].kind == TN_FWD_TUNNEL) {
		compile_encap(fwd, op, index, entropy, shape);
		return;
	}
	shape->kind = TN_FAST_OUTPUT;
	shape->out = (uint16_t)index;
	shape->tunnel = TN_FAST_NO_TUNNEL;
	shape->max_frame = fwd->ports[index].max_frame;
}

/* The one output into a tunnel; NULL: there are several, or none. */
static const struct tn_op *only_encap(
	const struct tn_forwarding *fwd, const struct tn_program *program, uint32_t *tunnel)
{
	const struct tn_op *only = NULL;

	for (uint32_t i = 0; i < program->n_ops; i++) {
		const struct tn_op *op = &program->ops[i];
		uint32_t index = TN_FORWARDING_NONE;

		if (op->type == TN_OP_OUTPUT)
			index = tn_forwarding_index(fwd, op->output.port);
		if (index == TN_FORWARDING_NONE || fwd->ports[index].kind != TN_FWD_TUNNEL)
			continue;
		if (only)
			return NULL;
		only = op;
		*tunnel = index;
	}
	return only;
}

/*
 * The executor's frames go into the tunnel by a template, too, where all that go there go the same
 * way: which of several that is, it tells by what it made of a frame.
 */
static void compile_slow(const struct tn_forwarding *fwd, const struct tn_program *program,
	uint32_t entropy, struct tn_fast_program *shape)
{
	uint32_t tunnel;
	const struct tn_op *op = only_encap(fwd, program, &tunnel);

	if (!op)
		return;
	compile_encap(fwd, op, tunnel, entropy, shape);
	if (shape->by_entropy)
		shape->overhead = 0;
	shape->slow_out = shape->out;
	shape->slow_tunnel = shape->tunnel;
	shape->ports = UINT32_MAX;
	shape->max_frame = 0;
	shape->by_entropy = false;
	shape->kind = TN_FAST_SLOW;
}

void tn_program_without_counters(struct tn_program *program, uint32_t from)
{
	for (uint32_t i = from; i < program->n_ops; i++) {
		struct tn_op *op = &program->ops[i];

		if (op->type != TN_OP_COUNT)
			continue;
		op->count.counter = NULL;
		op->count.last_used = NULL;
		op->count.lookups = NULL;
		op->count.matches = NULL;
	}
}

void tn_compile(const struct tn_forwarding *fwd, const struct tn_program *program, uint32_t entropy,
	struct tn_fast_program *shape)
{
	const struct tn_op *op = only_op(program);

	memset(shape, 0, sizeof(*shape));
	shape->kind = TN_FAST_SLOW;
	shape->ports = UINT32_MAX;
	if (op && op->type == TN_OP_OUTPUT)
		compile_output(fwd, op, entropy, shape);
	shape->longer = longest(program);
	if (shape->longer && shape->longer < shape->max_frame)
		shape->max_frame = shape->longer;
	if (op && op->type == TN_OP_DROP && op->last && !shape->longer) {
		shape->kind = TN_FAST_DROP;
		shape->drop = op->drop.reason;
	}
	if (op && shape->kind != TN_FAST_SLOW) {
		shape->network_of = op->network_of;
		shape->network = op->network;
	}
	shape->learns = shape->kind != TN_FAST_SLOW && learns(program);
	shape->asks_again = asks_again(program);
	if (shape->kind == TN_FAST_SLOW && !shape->asks_again)
		compile_slow(fwd, program, entropy, shape);
	shape->whole = needs_finished(program);
}
