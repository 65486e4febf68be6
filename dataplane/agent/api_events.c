/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/api_private.h"

#include <string.h>

#define BIT(kind) (1u << (kind))

/* Whoever reads too slowly is told that it loses events, then for how long it did. */
static void pause_events(struct tn_api_connection *c, uint64_t time_ns)
{
	c->paused = true;
	c->lost = 0;
	tn_api_answer(c,
		&(struct tn_api_message){.type = TN_API_EVENT,
			.event = {.kind = TN_API_PAUSED, .time_ns = time_ns}});
}

void tn_api_events_resume(struct tn_api_connection *c)
{
	if (!c->paused || tn_api_waiting_bytes(c) >= TN_API_OUT_RESUME)
		return;
	c->paused = false;
	tn_api_answer(c,
		&(struct tn_api_message){.type = TN_API_EVENT,
			.event = {.kind = TN_API_RESUMED,
				.time_ns = tn_agent_now(c->server->agent),
				.lost = c->lost}});
}

static void send_event(
	struct tn_api_connection *c, const struct tn_api_buffer *bytes, uint64_t time_ns)
{
	if (!c->paused && tn_api_waiting_bytes(c) > TN_API_OUT_EVENTS)
		pause_events(c, time_ns);
	if (c->paused || c->dismissed || tn_api_buffer_reserve(&c->out, bytes->len)) {
		c->lost++;
		return;
	}
	memcpy(c->out.data + c->out.len, bytes->data, bytes->len);
	c->out.len += bytes->len;
	tn_api_touch(c);
}

/* To all who want it; put into bytes once. */
static void spread(struct tn_api_server *s, const struct tn_api_event *event)
{
	const struct tn_api_message m = {.type = TN_API_EVENT, .event = *event};
	struct tn_api_connection *c, *next;

	s->event.len = 0;
	if (tn_api_encode(&s->event, &m, NULL))
		return;
	for (c = s->connections; c; c = next) {
		next = c->next;
		if (c->subscribed & BIT(event->kind))
			send_event(c, &s->event, event->time_ns);
	}
}

static void on_switch_event(void *ctx, const struct tn_event *e)
{
	struct tn_api_server *s = ctx;
	struct tn_api_event event = {.time_ns = e->time_ns};

	switch (e->kind) {
	case TN_EVENT_FLOW_REMOVED:
		event.kind = TN_API_FLOW_REMOVED;
		event.removed.reason = e->removed_reason;
		event.removed.flow = *e->flow;
		break;
	case TN_EVENT_PORT_STATUS:
		event.kind = TN_API_PORT_STATUS;
		event.port.reason = e->port_reason;
		event.port.port = *e->port;
		break;
	case TN_EVENT_TABLE_STATUS:
		event.kind = TN_API_TABLE_STATUS;
		event.table.table_id = e->table_id;
		event.table.vacancy_up = e->vacancy_up;
		break;
	}
	if (s->subscribed & BIT(event.kind))
		spread(s, &event);
}

static void take_cookie(void *cookie, const struct tn_flow_info *flow)
{
	*(uint64_t *)cookie = flow->cookie;
}

static void on_punt(void *ctx, const struct tn_punt *p)
{
	struct tn_api_server *s = ctx;
	struct tn_api_event event = {
		.kind = TN_API_PACKET_IN,
		.time_ns = p->time_ns,
		.packet_in = {.reason = p->reason,
			.table_id = p->table,
			.in_port = p->in_port,
			.in_phy_port = p->in_phy_port,
			.cookie = p->cookie,
			.metadata = p->metadata,
			.tunnel_id = p->tunnel_id,
			.flow_id = p->flow_id,
			.total_len = p->total_len,
			.frame = p->frame,
			.frame_len = p->len < TN_API_FRAME_MAX ? p->len : TN_API_FRAME_MAX},
	};

	/* An expired TTL says its flow and no more. */
	if (p->reason == TN_PACKET_IN_INVALID_TTL)
		(void)tn_switch_flow_by_id(
			s->agent->sw, p->flow_id, take_cookie, &event.packet_in.cookie);
	spread(s, &event);
}

void tn_api_subscriptions_changed(struct tn_api_server *s)
{
	uint32_t before = s->subscribed;
	bool wanted;

	s->subscribed = 0;
	for (const struct tn_api_connection *c = s->connections; c; c = c->next)
		s->subscribed |= c->subscribed;
	wanted = s->subscribed & BIT(TN_API_PACKET_IN);
	if (wanted != !!(before & BIT(TN_API_PACKET_IN)))
		tn_agent_set_packet_in(s->agent, wanted ? on_punt : NULL, s);
}

/* PAUSED and RESUMED come to every subscriber. */
void tn_api_subscribe(struct tn_api_connection *c, uint32_t kinds)
{
	c->subscribed = kinds & ~(BIT(TN_API_PAUSED) | BIT(TN_API_RESUMED));
	if (!c->subscribed)
		c->paused = false;
	tn_api_subscriptions_changed(c->server);
}

void tn_api_events_start(struct tn_api_server *s)
{
	tn_agent_listen(s->agent, on_switch_event, s);
}

void tn_api_events_stop(struct tn_api_server *s)
{
	tn_agent_unlisten(s->agent, on_switch_event, s);
	if (s->subscribed & BIT(TN_API_PACKET_IN))
		tn_agent_set_packet_in(s->agent, NULL, NULL);
	s->subscribed = 0;
}
