/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/worker_private.h"

static void complete(struct tn_worker *w, struct tn_packet *p, const struct tn_offload *o,
	tn_wk_finished_fn fn, void *ctx)
{
	tn_offload_complete(p->data, o);
	p->offload = TN_OFFLOAD_NONE;
	fn(w, ctx, p);
}

static bool new_segment(struct tn_worker *w, const struct tn_packet *p, const struct tn_offload *o,
	uint32_t i, struct tn_packet *segment)
{
	const struct tn_buffer_ops *b = w->config.buffers;

	if (!b->alloc || !b->alloc(w->config.buffers_ctx, tn_offload_segment_len(o, i), segment))
		return false;
	tn_offload_write_segment(p->data, o, i, segment->data);
	return true;
}

void tn_wk_finish(struct tn_worker *w, struct tn_packet *p, tn_wk_finished_fn fn, void *ctx)
{
	struct tn_packet segment;
	struct tn_offload o;

	if (!tn_offload_find(p->data, p->len, p->offload, &o)) {
		tn_wk_drop(w, TN_DROP_BAD_OFFLOAD, p);
		return;
	}
	if (o.n == 1) {
		complete(w, p, &o, fn, ctx);
		return;
	}
	w->copies += o.n - 1;
	w->segments += o.n;
	for (uint32_t i = 0; i < o.n; i++) {
		if (new_segment(w, p, &o, i, &segment))
			fn(w, ctx, &segment);
		else
			tn_wk_count_drop(w, TN_DROP_NO_BUFFER, 1);
	}
	tn_wk_free(w, p, 1);
}

bool tn_wk_finish_first(struct tn_worker *w, const struct tn_packet *p, struct tn_packet *first)
{
	struct tn_offload o;

	return tn_offload_find(p->data, p->len, p->offload, &o) && new_segment(w, p, &o, 0, first);
}

static void transmit_finished(struct tn_worker *w, void *ctx, struct tn_packet *p)
{
	unsigned index = *(const unsigned *)ctx;

	if (!tn_frame_fits(p->data, p->len, w->fwd->ports[index].max_frame))
		tn_wk_drop(w, TN_DROP_MTU, p);
	else
		tn_wk_transmit(w, index, p);
}

static bool takes(const struct tn_port *port, uint16_t offload, const struct tn_offload *o)
{
	uint16_t what = port ? __atomic_load_n(&port->takes, __ATOMIC_RELAXED) : 0;

	if (o->ip6_extension) /* a guest's side finds L4 right behind IP */
		return false;
	if (!tn_offload_cuts(offload))
		return what & TN_PORT_TAKES_CSUM;
	return what & (o->ip6 ? TN_PORT_TAKES_TSO6 : TN_PORT_TAKES_TSO4);
}

void tn_wk_transmit_unfinished(struct tn_worker *w, unsigned index, struct tn_packet *p)
{
	const struct tn_forwarding_port *fp = &w->fwd->ports[index];
	struct tn_offload o;

	if (!tn_offload_find(p->data, p->len, p->offload, &o))
		tn_wk_drop(w, TN_DROP_BAD_OFFLOAD, p);
	else if (!takes(fp->port, p->offload, &o))
		tn_wk_finish(w, p, transmit_finished, &index);
	else if (!tn_frame_fits(p->data, tn_offload_segment_len(&o, 0), fp->max_frame))
		tn_wk_drop(w, TN_DROP_MTU, p);
	else
		tn_wk_transmit(w, index, p);
}
