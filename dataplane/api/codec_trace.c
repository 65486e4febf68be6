/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/api/io.h"

void tn_io_packet_in(struct tn_api_io *io, struct tn_api_packet_in *p)
{
	tn_io_u8(io, &p->reason);
	tn_io_u8(io, &p->table_id);
	tn_io_u32(io, &p->in_port);
	tn_io_u32(io, &p->in_phy_port);
	tn_io_u64(io, &p->cookie);
	tn_io_u64(io, &p->metadata);
	tn_io_u64(io, &p->tunnel_id);
	tn_io_u64(io, &p->flow_id);
	tn_io_u32(io, &p->total_len);
	tn_io_blob(io, &p->frame, &p->frame_len, TN_API_FRAME_MAX);
}

static void walk_rule(struct tn_api_io *io, struct tn_api_trace_rule *r)
{
	tn_io_u64(io, &r->flow_id);
	tn_io_u64(io, &r->cookie);
	tn_io_u16(io, &r->priority);
	tn_io_u32(io, &r->owner);
	tn_io_match(io, &r->match);
	tn_io_instructions(io, &r->inst);
}

static void walk_step(struct tn_api_io *io, void *item)
{
	struct tn_api_trace_step *s = item;

	tn_io_u8(io, &s->table_id);
	tn_io_match(io, &s->packet);
	tn_io_bool(io, &s->matched);
	if (s->matched)
		walk_rule(io, &s->rule);
	tn_io_bool(io, &s->has_next);
	if (!s->has_next)
		return;
	walk_rule(io, &s->next);
	tn_io_u64(io, &s->next_differs);
}

static void walk_bucket(struct tn_api_io *io, void *item)
{
	struct tn_api_trace_bucket *b = item;

	tn_io_u32(io, &b->step);
	tn_io_u32(io, &b->group_id);
	tn_io_u32(io, &b->bucket_id);
}

static void walk_output(struct tn_api_io *io, void *item)
{
	struct tn_api_trace_output *o = item;

	tn_io_u32(io, &o->port);
	tn_io_u32(io, &o->uplink);
	tn_io_u64(io, &o->flow_id);
	tn_io_u8(io, &o->table_id);
	tn_io_u32(io, &o->total_len);
	tn_io_blob(io, &o->frame, &o->frame_len, TN_API_FRAME_MAX);
}

static void walk_packet_in(struct tn_api_io *io, void *item)
{
	tn_io_packet_in(io, item);
}

static void walk_drop(struct tn_api_io *io, void *item)
{
	struct tn_api_trace_drop *d = item;

	tn_io_u16(io, &d->reason);
	tn_io_u32(io, &d->port);
	tn_io_u64(io, &d->flow_id);
	tn_io_u8(io, &d->table_id);
}

void tn_io_trace_reply(struct tn_api_io *io, struct tn_api_trace_reply *t)
{
	tn_io_u32(io, &t->in_port);
	tn_io_u32(io, &t->in_phy_port);
	tn_io_u64(io, &t->tunnel_id);
	tn_io_bool(io, &t->to_host);
	TN_IO_ARRAY(io, t->steps, t->n_steps, 3, UINT32_MAX, walk_step);
	TN_IO_ARRAY(io, t->buckets, t->n_buckets, 12, UINT32_MAX, walk_bucket);
	TN_IO_ARRAY(io, t->outputs, t->n_outputs, 25, UINT32_MAX, walk_output);
	TN_IO_ARRAY(io, t->packet_ins, t->n_packet_ins, 50, UINT32_MAX, walk_packet_in);
	TN_IO_ARRAY(io, t->drops, t->n_drops, 15, UINT32_MAX, walk_drop);
}
