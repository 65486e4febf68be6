/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/underlay/mirror.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "control/underlay/compose.h"
#include "control/underlay/endpoints.h"
#include "control/underlay/netlink.h"

#define MS UINT64_C(1000000)
/* From a change to its update: others of the same moment come along. */
#define GATHER_NS (5 * MS)
/* Between updates, each of which costs the data plane its sessions' freshness; and of our time. */
#define UPDATE_EVERY_NS (100 * MS)
#define REST_FACTOR	10u
/* How often neighbours in use are looked at: the kernel's DELAY and PROBE take longer. */
#define KEEP_NS (2000 * MS)
/* Requests to the kernel at a time. */
#define ASKS_MAX 512u

#define UPLINKS_MAX 256u
#define LOCALS_MAX  1024u

struct next_hop {
	uint32_t link;
	tn_u128 address;
};

struct tn_mirror {
	struct tn_loop *loop;
	struct tn_engine *engine;
	tn_mirror_say_fn say;
	struct tn_netlink *netlink;
	struct tn_composed *told, *next;
	bool has_told;
	struct tn_endpoints *endpoints;
	struct tn_uplink uplinks[UPLINKS_MAX];
	tn_u128 locals[LOCALS_MAX];
	size_t n_uplinks, n_locals;
	bool ports_changed;    /* read them again */
	bool endpoints_unsure; /* some may not be in use any more */
	int timer;
	uint64_t armed_for_ns;	/* 0: not armed */
	uint64_t not_before_ns; /* the next update */
	/* Next hops on the ways to the endpoints; room for them. */
	struct next_hop *hops;
	size_t n_hops, room_hops;
	/* What was said, once each. */
	bool said_too_many, said_refused, said_overrun, said_netns, said_lost;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void arm(struct tn_mirror *m, uint64_t at_ns)
{
	const struct itimerspec spec = {.it_value = {
						.tv_sec = (time_t)(at_ns / 1000000000u),
						.tv_nsec = (long)(at_ns % 1000000000u),
					}};

	if (m->armed_for_ns && m->armed_for_ns <= at_ns)
		return;
	if (!timerfd_settime(m->timer, TFD_TIMER_ABSTIME, &spec, NULL))
		m->armed_for_ns = at_ns;
}

/* Something changed: an update soon. */
static void schedule(struct tn_mirror *m)
{
	uint64_t at = now_ns() + GATHER_NS;

	arm(m, at > m->not_before_ns ? at : m->not_before_ns);
}

/* --- what the engine has --- */

static const char *string_option(const struct tn_api_port *port, const char *key)
{
	for (uint32_t i = 0; i < port->n_options; i++) {
		if (port->options[i].type == TN_API_STRING && !strcmp(port->options[i].key, key))
			return port->options[i].string;
	}
	return NULL;
}

static bool is_shared(const struct tn_api_port *port)
{
	for (uint32_t i = 0; i < port->n_options; i++) {
		if (port->options[i].type == TN_API_BOOL && port->options[i].integer &&
			!strcmp(port->options[i].key, "shared"))
			return true;
	}
	return false;
}

static void add_uplink(struct tn_mirror *m, const struct tn_api_port *port)
{
	const char *name = string_option(port, is_shared(port) ? "uplink" : "shadow"),
		   *netns = string_option(port, "shadowNetns");
	struct tn_uplink *u = &m->uplinks[m->n_uplinks];

	if (!name || strlen(name) >= sizeof(u->name) || m->n_uplinks == UPLINKS_MAX)
		return;
	if (netns) {
		if (!m->said_netns)
			m->say("port %" PRIu32 ": its shadow is in the network namespace %s, of "
			       "which this tenond sees nothing; run tenond there, or give the "
			       "underlay by other means",
				port->number, netns);
		m->said_netns = true;
		return;
	}
	u->port = port->number;
	snprintf(u->name, sizeof(u->name), "%s", name);
	m->n_uplinks++;
}

static bool read_port(void *ctx, const struct tn_object *object)
{
	const struct tn_api_port *port = &object->port->port;
	struct tn_mirror *m = ctx;

	add_uplink(m, port);
	if (port->has_vxlan && port->vxlan.has_local && m->n_locals < LOCALS_MAX)
		m->locals[m->n_locals++] = port->vxlan.local;
	return true;
}

static bool read_endpoints(void *ctx, const struct tn_object *object)
{
	struct tn_mirror *m = ctx;

	(void)tn_endpoints_add(m->endpoints, object);
	return true;
}

static void scan(struct tn_mirror *m, enum tn_kind kind, tn_object_fn fn)
{
	const struct tn_scope everybody = {0};

	tn_engine_scan(m->engine, kind, everybody, 0, true, fn, m);
}

static void read_engine(struct tn_mirror *m)
{
	if (m->ports_changed) {
		m->n_uplinks = m->n_locals = 0;
		scan(m, TN_KIND_PORT, read_port);
		m->ports_changed = false;
	}
	if (!m->endpoints_unsure || !m->n_uplinks)
		return;
	tn_endpoints_begin(m->endpoints);
	scan(m, TN_KIND_PORT, read_endpoints);
	scan(m, TN_KIND_GROUP, read_endpoints);
	scan(m, TN_KIND_FLOW, read_endpoints);
	tn_endpoints_end(m->endpoints);
	m->endpoints_unsure = false;
}

static void on_watch(void *ctx, const struct tn_watch_event *event)
{
	const struct tn_object *object = event->object;
	struct tn_mirror *m = ctx;

	if (!object)
		return;
	if (object->kind == TN_KIND_PORT) {
		m->ports_changed = m->endpoints_unsure = true;
		schedule(m);
	} else if (!m->n_uplinks) {
		m->endpoints_unsure = true;
	} else if (event->kind != TN_WATCH_REMOVED && tn_endpoints_add(m->endpoints, object)) {
		schedule(m);
	}
	/* What it was before is not told; all of them are read before neighbours are kept. */
	if (event->kind != TN_WATCH_ADDED)
		m->endpoints_unsure |=
			event->kind == TN_WATCH_MODIFIED || tn_endpoints_concern(object);
}

/* --- neighbours --- */

static void collect_hop(void *ctx, uint32_t link, tn_u128 address)
{
	struct tn_mirror *m = ctx;

	if (m->n_hops == m->room_hops) {
		size_t room = m->room_hops ? m->room_hops * 2 : 64;
		struct next_hop *more = realloc(m->hops, room * sizeof(*more));

		if (!more)
			return;
		m->hops = more;
		m->room_hops = room;
	}
	m->hops[m->n_hops++] = (struct next_hop){link, address};
}

static void collect_hops(void *ctx, tn_u128 endpoint)
{
	struct tn_mirror *m = ctx;

	tn_composed_next_hops(m->told, endpoint, collect_hop, m);
}

static int compare_hops(const void *x, const void *y)
{
	const struct next_hop *a = x, *b = y;

	if (a->link != b->link)
		return a->link < b->link ? -1 : 1;
	return (a->address > b->address) - (a->address < b->address);
}

/* Unknown ones are looked for, known ones confirmed before they are forgotten. */
static void ask(struct tn_mirror *m)
{
	const struct tn_kernel *k = tn_netlink_kernel(m->netlink);
	unsigned asked = 0;

	m->n_hops = 0;
	tn_endpoints_each(m->endpoints, collect_hops, m);
	if (m->n_hops)
		qsort(m->hops, m->n_hops, sizeof(*m->hops), compare_hops);
	for (size_t i = 0; i < m->n_hops && asked < ASKS_MAX; i++) {
		const struct next_hop *h = &m->hops[i];
		const struct tn_kernel_neighbour *n;

		if (i && !compare_hops(h, h - 1))
			continue;
		n = tn_kernel_neighbour(k, h->link, h->address);
		if ((!n || !n->fresh) && !tn_netlink_resolve(m->netlink, h->link, h->address))
			asked++;
	}
}

/* --- updates --- */

static void say_troubles(struct tn_mirror *m)
{
	const struct tn_kernel *k = tn_netlink_kernel(m->netlink);
	struct tn_netlink_counts counts = tn_netlink_counts(m->netlink);

	if (counts.refused && !m->said_refused) {
		m->say("the kernel does not look for next hops on our request: %s; tunnels reach "
		       "those that it knows by other traffic",
			strerror(counts.refused_errno));
		m->said_refused = true;
	}
	if (counts.overruns && !m->said_overrun) {
		m->say("the kernel's network changes faster than it can be told; it is read whole");
		m->said_overrun = true;
	}
	if (!m->said_lost &&
		(tn_kernel_lost(k, TN_KERNEL_ROUTE) || tn_endpoints_lost(m->endpoints))) {
		m->say("more routes or tunnel ends than there is room for: some are not mirrored");
		m->said_lost = true;
	}
}

static void tell(struct tn_mirror *m)
{
	int rc = tn_compose(m->next, tn_netlink_kernel(m->netlink), m->uplinks, m->n_uplinks,
		m->locals, m->n_locals);
	struct tn_composed *told = m->told;

	if (rc == -E2BIG && !m->said_too_many) {
		m->say("more than %u routes lead through the uplinks: the data plane keeps what it "
		       "was told last; summarise them",
			TN_COMPOSED_ROUTES_MAX);
		m->said_too_many = true;
	}
	if (rc || (m->has_told ? tn_composed_equal(m->told, m->next) : !tn_composed_links(m->next)))
		return;
	tn_engine_set_underlay(m->engine, tn_composed_config(m->next));
	m->told = m->next;
	m->next = told;
	m->has_told = true;
}

static void update(struct tn_mirror *m)
{
	uint64_t start = now_ns(), took;

	if (!tn_netlink_settled(m->netlink))
		return; /* comes again when it is */
	read_engine(m);
	tell(m);
	ask(m);
	say_troubles(m);
	took = now_ns() - start;
	m->not_before_ns = start + took +
		(took * REST_FACTOR > UPDATE_EVERY_NS ? took * REST_FACTOR : UPDATE_EVERY_NS);
	if (m->n_uplinks)
		arm(m, m->not_before_ns + KEEP_NS);
}

static void on_timer(void *ctx, uint32_t events)
{
	struct tn_mirror *m = ctx;
	uint64_t times;

	(void)events;
	if (read(m->timer, &times, sizeof(times)) != (ssize_t)sizeof(times))
		return;
	m->armed_for_ns = 0;
	update(m);
}

static void on_kernel(void *ctx)
{
	schedule(ctx);
}

/* --- life --- */

static int start(struct tn_mirror *m)
{
	int rc = tn_loop_add(m->loop, m->timer, EPOLLIN, on_timer, m);

	return rc ? rc : tn_engine_listen(m->engine, on_watch, m);
}

struct tn_mirror *tn_mirror_new(
	struct tn_loop *loop, struct tn_engine *engine, tn_mirror_say_fn say, struct tn_error *err)
{
	struct tn_mirror *m = calloc(1, sizeof(*m));

	(void)tn_error_set(err, TN_OF_OK, -1, "no memory or descriptors for the underlay's mirror");
	if (!m)
		return NULL;
	m->loop = loop;
	m->engine = engine;
	m->say = say;
	m->ports_changed = m->endpoints_unsure = true;
	m->told = tn_composed_new();
	m->next = tn_composed_new();
	m->endpoints = tn_endpoints_new();
	m->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (!m->told || !m->next || !m->endpoints || m->timer < 0 || start(m)) {
		tn_mirror_free(m);
		return NULL;
	}
	m->netlink = tn_netlink_new(loop, on_kernel, m, err);
	if (m->netlink)
		return m;
	tn_mirror_free(m);
	return NULL;
}

void tn_mirror_free(struct tn_mirror *m)
{
	if (!m)
		return;
	tn_engine_unlisten(m->engine, m);
	tn_netlink_free(m->netlink);
	if (m->timer >= 0) {
		tn_loop_remove(m->loop, m->timer);
		close(m->timer);
	}
	tn_composed_free(m->told);
	tn_composed_free(m->next);
	tn_endpoints_free(m->endpoints);
	free(m->hops);
	free(m);
}
