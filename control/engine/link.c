/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/engine_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/* A data plane that owes an answer and says nothing for so long has no future. */
#define SILENCE_NS (30 * (uint64_t)TN_ENGINE_SECOND)

struct tn_underlay_copy {
	struct tn_underlay_config config; /* with arrays of its own */
	bool under_way, changed;
};

/* Another comparison is no news to those who watch. */
void tn_link_set_state(struct tn_engine *e, enum tn_link_state state)
{
	struct tn_link *link = &e->link;
	const struct tn_watch_event event = {
		.time_ns = tn_engine_now(),
		.kind = TN_WATCH_DATAPLANE,
		.connected = state == TN_LINK_IN_STEP,
	};
	bool other_tick = (link->state == TN_LINK_AWAY) != (state == TN_LINK_AWAY);

	link->state = state;
	if (other_tick)
		(void)tn_engine_set_tick(e);
	tn_engine_wake(e);
	if (state == TN_LINK_SYNCING || link->connected == event.connected)
		return;
	link->connected = event.connected;
	link->since_ns = event.time_ns;
	tn_watch_tell(&e->watch, &event, NULL);
}

void tn_link_drop(struct tn_engine *e)
{
	struct tn_api_async *client = e->link.client;

	if (!client)
		return;
	tn_loop_remove(e->loop, tn_api_async_fd(client));
	/* Those who wait are told now, and find nobody to send anything to. */
	e->link.client = NULL;
	e->link.broken = false;
	tn_link_set_state(e, TN_LINK_AWAY);
	tn_sync_stop(e);
	tn_api_async_free(client);
	tn_refresh_stop(e);
}

static void on_ready(void *ctx, const struct tn_api_hello_reply *server)
{
	struct tn_engine *e = ctx;

	free(e->link.version);
	e->link.version = strdup(server->version);
	e->link.started_ns = server->started_ns;
	e->link.can_early = server->capabilities & TN_API_CAN_EARLY;
	tn_engine_set_dpid(e, server->dpid);
	if (!tn_commit_knows_data_plane(e))
		tn_baseline_clear(&e->baseline);
	if (e->underlay)
		tn_link_send_underlay(e);
	tn_engine_resync(e);
}

static void remove_flow(struct tn_engine *e, struct tn_wanted *w, unsigned reason)
{
	struct tn_edits edits = {0};
	struct tn_edit *edit = tn_edits_add(&edits, TN_KIND_FLOW, w->id, w);
	struct tn_job *job;

	tn_edit_set(edit, NULL, 0);
	edit->reason = (uint8_t)reason;
	job = tn_job_internal(e, &edits);
	job->installed = true;
	tn_job_begin(job);
}

/* Removals by request are known; those that only time or want of room brought about are news. */
static void on_flow_removed(struct tn_engine *e, const struct tn_api_event *event)
{
	uint64_t id = event->removed.flow.flow_id;
	unsigned reason = event->removed.reason;
	struct tn_wanted *w = tn_index_get(&e->objects[TN_KIND_FLOW], id);

	if (reason != TN_REMOVED_IDLE_TIMEOUT && reason != TN_REMOVED_HARD_TIMEOUT &&
		reason != TN_REMOVED_EVICTION)
		return;
	/* Whether it went before or after what is under way is not known. */
	if (tn_busy_has(&e->busy, TN_KIND_FLOW, id) || tn_sync_concerns(e, id)) {
		tn_engine_resync(e);
		return;
	}
	if (!w)
		return;
	w->counter =
		tn_baseline_since(&e->baseline, TN_COUNTED_FLOW, id, event->removed.flow.counter);
	w->last_used_ns = event->removed.flow.last_used_ns;
	remove_flow(e, w, reason);
}

/*
 * A port that a request adds or replaces is in the data plane, and its state is told, before it is
 * stored and in its place here.
 */
static void keep_state_of_next(struct tn_engine *e, const struct tn_port_config_data *port)
{
	struct tn_edit *edit;
	struct tn_job *job;

	if (!tn_busy_has(&e->busy, TN_KIND_PORT, port->number))
		return;
	TAILQ_FOREACH(job, &e->jobs, link)
	{
		edit = tn_edits_find(&job->plan.edits, TN_KIND_PORT, port->number);
		if (edit && edit->after)
			tn_wanted_as_port(edit->after)->state = port->state;
	}
}

static void on_port_status(struct tn_engine *e, const struct tn_api_event *event)
{
	struct tn_wanted *w = tn_index_get(&e->objects[TN_KIND_PORT], event->port.port.number);
	bool came_up;

	keep_state_of_next(e, &event->port.port);
	if (!w || tn_wanted_as_port(w)->state == event->port.port.state)
		return;
	came_up = tn_wanted_as_port(w)->state & TN_PORT_STATE_LINK_DOWN &&
		!(event->port.port.state & TN_PORT_STATE_LINK_DOWN);
	tn_wanted_as_port(w)->state = event->port.port.state;
	tn_engine_tell(e, TN_WATCH_MODIFIED, w, NULL);
	if (came_up)
		tn_announce_port(e, w);
}

static void on_packet_in(struct tn_engine *e, const struct tn_api_event *event)
{
	const struct tn_watch_event packet_in = {
		.time_ns = event->time_ns,
		.kind = TN_WATCH_PACKET_IN,
		.packet_in = &event->packet_in,
	};

	tn_watch_tell(&e->watch, &packet_in, NULL);
}

static void on_event(void *ctx, const struct tn_api_event *event)
{
	struct tn_engine *e = ctx;

	switch (event->kind) {
	case TN_API_FLOW_REMOVED:
		on_flow_removed(e, event);
		break;
	case TN_API_PORT_STATUS:
		on_port_status(e, event);
		break;
	case TN_API_PACKET_IN:
		on_packet_in(e, event);
		break;
	case TN_API_RESUMED:
		if (event->lost)
			tn_engine_resync(e);
		break;
	case TN_API_TABLE_STATUS:
	case TN_API_PAUSED:
	case TN_API_N_EVENTS:
		break;
	}
}

static void on_socket(void *ctx, uint32_t epoll_events)
{
	struct tn_engine *e = ctx;
	struct tn_error err;

	e->link.heard_ns = tn_engine_now();
	if (tn_api_async_process(e->link.client, epoll_events, &err)) {
		tn_link_drop(e);
		return;
	}
	tn_engine_wake(e);
}

void tn_link_connect(struct tn_engine *e)
{
	const struct tn_api_async_events events = {.ctx = e, .ready = on_ready, .event = on_event};
	struct tn_api_async *client;
	struct tn_error err;

	if (!e->dataplane_path)
		return;
	client = tn_api_async_connect(e->dataplane_path, "tenond", &events, &err);
	if (!client)
		return;
	e->link.watched = EPOLLIN | EPOLLOUT;
	if (tn_loop_add(e->loop, tn_api_async_fd(client), e->link.watched, on_socket, e)) {
		tn_api_async_free(client);
		return;
	}
	e->link.client = client;
	e->link.heard_ns = tn_engine_now();
	tn_link_set_state(e, TN_LINK_SYNCING);
}

void tn_link_flush(struct tn_engine *e)
{
	uint32_t wanted;

	if (!e->link.client)
		return;
	tn_api_async_flush(e->link.client);
	wanted = tn_api_async_wanted(e->link.client);
	if (wanted == e->link.watched)
		return;
	e->link.watched = wanted;
	if (tn_loop_modify(e->loop, tn_api_async_fd(e->link.client), wanted))
		tn_link_drop(e);
}

void tn_link_tick(struct tn_engine *e, uint64_t now_ns)
{
	if (!e->link.client) {
		tn_link_connect(e);
		return;
	}
	if (!tn_api_async_in_flight(e->link.client) && e->link.state == TN_LINK_IN_STEP)
		e->link.heard_ns = now_ns;
	if (now_ns > e->link.heard_ns && now_ns - e->link.heard_ns > SILENCE_NS)
		tn_link_drop(e);
}

/* --- the underlay --- */

void tn_link_free_underlay(struct tn_engine *e)
{
	struct tn_underlay_copy *copy = e->underlay;

	if (!copy)
		return;
	free((void *)(uintptr_t)copy->config.addresses);
	free((void *)(uintptr_t)copy->config.routes);
	free((void *)(uintptr_t)copy->config.neighbours);
	free(copy);
	e->underlay = NULL;
}

static void on_underlay(void *ctx, const struct tn_api_message *answer, const struct tn_error *err)
{
	struct tn_engine *e = ctx;

	(void)answer;
	(void)err;
	e->underlay->under_way = false;
	if (e->underlay->changed && e->link.client)
		tn_link_send_underlay(e);
}

/* One at a time: of several that come meanwhile the last one is sent. */
void tn_link_send_underlay(struct tn_engine *e)
{
	const struct tn_api_message msg = {
		.type = TN_API_UNDERLAY, .underlay = e->underlay->config};
	struct tn_error err;

	e->underlay->changed = false;
	if (!tn_api_async_send(e->link.client, &msg, on_underlay, e, &err))
		e->underlay->under_way = true;
	tn_engine_wake(e);
}

static const void *copy_of(const void *from, size_t n, size_t size)
{
	void *to = malloc(n ? n * size : 1);

	if (!to)
		abort();
	if (n)
		memcpy(to, from, n * size);
	return to;
}

void tn_engine_set_underlay(struct tn_engine *e, const struct tn_underlay_config *config)
{
	bool under_way = e->underlay && e->underlay->under_way;
	struct tn_underlay_copy *copy = calloc(1, sizeof(*copy));

	if (!copy)
		abort();
	copy->config = (struct tn_underlay_config){
		.addresses =
			copy_of(config->addresses, config->n_addresses, sizeof(*config->addresses)),
		.n_addresses = config->n_addresses,
		.routes = copy_of(config->routes, config->n_routes, sizeof(*config->routes)),
		.n_routes = config->n_routes,
		.neighbours = copy_of(
			config->neighbours, config->n_neighbours, sizeof(*config->neighbours)),
		.n_neighbours = config->n_neighbours,
	};
	copy->under_way = under_way;
	copy->changed = true;
	tn_link_free_underlay(e);
	e->underlay = copy;
	if (!under_way && e->link.client)
		tn_link_send_underlay(e);
}
