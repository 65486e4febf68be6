/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events on their way out: at once, or kept in order until what their flows counted is known.
 */
#include "dataplane/pipeline/switch_private.h"

#include <stdlib.h>
#include <string.h>

struct tn_sw_held {
	struct tn_event event;		 /* its pointers are set when it is told */
	struct tn_flow *flow;		 /* FLOW_REMOVED */
	struct tn_flow_info *info;	 /* of a flow that has left the lookup; else NULL */
	struct tn_port_config_data port; /* PORT_STATUS */
};

void tn_switch_set_event_fn(struct tn_switch *sw, tn_event_fn fn, void *ctx)
{
	sw->event_fn = fn;
	sw->event_ctx = ctx;
}

void tn_switch_hold_events(struct tn_switch *sw, bool hold)
{
	sw->hold = hold;
	if (!hold)
		tn_switch_release_events(sw, UINT64_MAX);
}

uint64_t tn_switch_held_events(const struct tn_switch *sw)
{
	return sw->n_held ? sw->first_held + sw->n_held - 1 : 0;
}

static void tell(const struct tn_switch *sw, const struct tn_event *event)
{
	if (sw->event_fn)
		sw->event_fn(sw->event_ctx, event);
}

static void tell_held(const struct tn_switch *sw, struct tn_sw_held *held)
{
	struct tn_event *event = &held->event;
	struct tn_flow_info info;

	if (event->kind == TN_EVENT_PORT_STATUS)
		event->port = &held->port;
	if (event->kind == TN_EVENT_FLOW_REMOVED) {
		if (!held->info)
			tn_flow_describe(held->flow, &info);
		event->flow = held->info ? held->info : &info;
	}
	tell(sw, event);
	if (held->flow)
		held->flow->held = false;
	free(held->info);
}

void tn_switch_release_events(struct tn_switch *sw, uint64_t up_to)
{
	size_t n = 0;

	for (; n < sw->n_held && sw->first_held + n <= up_to; n++)
		tell_held(sw, &sw->held[n]);
	if (!n)
		return;
	sw->first_held += n;
	sw->n_held -= n;
	memmove(sw->held, sw->held + n, sw->n_held * sizeof(*sw->held));
	if (sw->n_held)
		return;
	free(sw->held);
	sw->held = NULL;
	sw->held_size = 0;
}

/* NULL: no memory. */
static struct tn_sw_held *new_held(struct tn_switch *sw, const struct tn_event *event)
{
	size_t size = sw->held_size ? sw->held_size * 2 : 16;
	struct tn_sw_held *v;

	if (sw->n_held == sw->held_size) {
		v = reallocarray(sw->held, size, sizeof(*v));
		if (!v)
			return NULL;
		sw->held = v;
		sw->held_size = size;
	}
	v = &sw->held[sw->n_held++];
	*v = (struct tn_sw_held){.event = *event};
	return v;
}

/* Nothing can be kept: what waits goes first, so that the order stays. */
static void tell_now(struct tn_switch *sw, const struct tn_event *event)
{
	tn_switch_release_events(sw, UINT64_MAX);
	tell(sw, event);
}

void tn_sw_emit(struct tn_switch *sw, const struct tn_event *event)
{
	struct tn_sw_held *held = sw->n_held ? new_held(sw, event) : NULL;

	if (!held)
		tell_now(sw, event);
	else if (event->kind == TN_EVENT_PORT_STATUS)
		held->port = *event->port;
}

/* A flow that was dropped leaves its match behind soon, and no packet ever saw it. */
static bool keep_removed(struct tn_switch *sw, struct tn_flow *flow, const struct tn_event *event)
{
	struct tn_flow_info *info = flow->dropped ? malloc(sizeof(*info)) : NULL;
	struct tn_sw_held *held;

	if (flow->dropped && !info)
		return false;
	held = new_held(sw, event);
	if (!held) {
		free(info);
		return false;
	}
	if (info)
		tn_flow_describe(flow, info);
	held->info = info;
	held->flow = flow;
	flow->held = true;
	return true;
}

void tn_sw_emit_removed(
	struct tn_switch *sw, struct tn_flow *flow, uint8_t reason, uint64_t time_ns)
{
	struct tn_event event = {
		.kind = TN_EVENT_FLOW_REMOVED,
		.time_ns = time_ns,
		.removed_reason = (enum tn_flow_removed_reason)reason,
		.table_id = flow->table_id,
	};
	struct tn_flow_info info;

	if (!sw->event_fn || (sw->hold && keep_removed(sw, flow, &event)))
		return;
	tn_flow_describe(flow, &info);
	event.flow = &info;
	tell_now(sw, &event);
}

void tn_sw_free_events(struct tn_switch *sw)
{
	for (size_t i = 0; i < sw->n_held; i++)
		free(sw->held[i].info);
	free(sw->held);
}
