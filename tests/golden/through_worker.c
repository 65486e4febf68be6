/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenon-replay with the worker of the data plane in place of its own engine: same command line,
 * same clock, same reports. What the sessions, templates and counters of a worker make of the
 * golden cases is compared with what the slow, exact walk makes of them.
 *
 * TENON_SESSIONS says how many sessions the worker has; 0: it decides every packet.
 */
#define tn_engine_init	exact_engine_init
#define tn_engine_fini	exact_engine_fini
#define tn_engine_frame exact_engine_frame
/* Its ports, clock, notes and captures serve here too. */
#include "tools/replay/engine.c" /* NOLINT */
#undef tn_engine_init
#undef tn_engine_fini
#undef tn_engine_frame

#include "dataplane/fastpath/worker.h"
#include "dataplane/pipeline/snapshot.h"

int tn_engine_init(struct tn_engine *e, struct tn_config *config, uint64_t now_ns) TN_MUST_CHECK;
void tn_engine_fini(struct tn_engine *e);
void tn_engine_frame(
	struct tn_engine *e, struct tn_replay_port *port, const struct tn_capture_record *frame);

#define ENGINES 2u
#define ROOM	256u
/*
 * Underlay addresses without a port belong to the tunnel port's own capture. A worker knows uplinks
 * only, so there is one for them, which takes no part in flooding.
 */
#define OWN_PORT 0xfffe00u

struct wire {
	struct tn_port port; /* first */
	struct through *through;
	struct tn_replay_port *replay; /* whose capture is written */
};

struct through {
	struct tn_engine *e;
	struct tn_worker *worker;
	struct tn_forwarding fwd;
	struct wire wires[TN_WORKER_PORTS_MAX];
	unsigned own;		       /* index of the uplink that is not in the document */
	struct tn_network_drops drops; /* as they were */
	uint64_t copies, at_host;      /* drops of the host's, which are no worker's */
};

static struct through *engines[ENGINES];

static struct through *through_of(const struct tn_engine *e)
{
	for (unsigned i = 0; i < ENGINES; i++) {
		if (engines[i] && engines[i]->e == e)
			return engines[i];
	}
	return NULL;
}

/* --- buffers ---------------------------------------------------------------------------------- */

static bool buffer_alloc(void *ctx, uint32_t len, struct tn_packet *p)
{
	uint8_t *buf = calloc(1, ROOM + len + ROOM);

	(void)ctx;
	if (!buf)
		abort();
	*p = (struct tn_packet){.buf = buf, .data = buf + ROOM, .len = len, .headroom = ROOM};
	return true;
}

static void buffer_new(struct tn_packet *p, const uint8_t *data, uint32_t len)
{
	(void)buffer_alloc(NULL, len, p);
	memcpy(p->data, data, len);
}

static bool buffer_clone(void *ctx, const struct tn_packet *p, struct tn_packet *copy)
{
	(void)ctx;
	buffer_new(copy, p->data, p->len);
	return true;
}

static void buffer_free(void *ctx, const struct tn_packet *p, unsigned n)
{
	(void)ctx;
	for (unsigned i = 0; i < n; i++)
		free(p[i].buf);
}

static const struct tn_buffer_ops buffer_ops = {
	.clone = buffer_clone, .alloc = buffer_alloc, .free = buffer_free};

/* --- ports ------------------------------------------------------------------------------------ */

static unsigned wire_tx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct wire *wire = (struct wire *)(void *)port;
	struct tn_engine *e = wire->through->e;

	(void)queue;
	for (unsigned i = 0; i < n; i++) {
		struct tn_view view = tn_packet_view(&packets[i]);

		e->account.sent++;
		count(&wire->replay->tx, view.len);
		write_frame(e, wire->replay->writer, &view, view.len);
	}
	buffer_free(NULL, packets, n);
	return n;
}

static const struct tn_port_ops wire_ops = {.kind = "capture", .tx = wire_tx};

static void add_wire(struct through *t, unsigned index, struct tn_replay_port *replay,
	uint32_t number, bool underlay, bool tunnel)
{
	struct tn_forwarding_port *fp = &t->fwd.ports[index];

	t->wires[index] = (struct wire){.port.ops = &wire_ops, .through = t, .replay = replay};
	*fp = (struct tn_forwarding_port){
		.kind = tunnel ? TN_FWD_TUNNEL : TN_FWD_PLAIN,
		.number = number,
		.port = tunnel ? NULL : &t->wires[index].port,
		.underlay = underlay,
		.max_frame = replay->mtu ? replay->mtu + TN_ETH_LEN : TN_FRAME_MAX,
	};
	t->fwd.n_ports = index + 1;
}

/* The ports of the document and, where a tunnel has its own capture, the uplink that stands for it.
 */
static void add_wires(struct through *t, struct tn_engine *e)
{
	struct tn_replay_port *own = NULL;

	for (size_t i = 0; i < e->n_ports; i++) {
		struct tn_replay_port *p = &e->ports[i];

		add_wire(t, (unsigned)i, p, p->number, p->uplink, p->vxlan);
		if (p->vxlan)
			own = p;
	}
	t->own = (unsigned)e->n_ports;
	if (!own)
		return;
	add_wire(t, t->own, own, OWN_PORT, true, false);
	t->fwd.ports[t->own].max_frame = TN_FRAME_MAX;
	t->fwd.ports[t->own].host = true;
}

/* Addresses, routes and neighbours without a port get the one that stands for the tunnel's. */
static int own_underlay(struct tn_engine *e)
{
	struct tn_document *doc = &e->config->doc;
	const struct tn_underlay_config config = {
		.addresses = doc->addresses,
		.n_addresses = doc->n_addresses,
		.routes = doc->routes,
		.n_routes = doc->n_routes,
		.neighbours = doc->neighbours,
		.n_neighbours = doc->n_neighbours,
	};
	bool any = false;

	for (size_t i = 0; i < doc->n_addresses; i++)
		any |= doc->addresses[i].port != 0;
	if (any)
		return 0;
	for (size_t i = 0; i < doc->n_addresses; i++)
		doc->addresses[i].port = OWN_PORT;
	for (size_t i = 0; i < doc->n_routes; i++)
		doc->routes[i].port = OWN_PORT;
	for (size_t i = 0; i < doc->n_neighbours; i++)
		doc->neighbours[i].port = OWN_PORT;
	tn_underlay_free(e->underlay);
	e->underlay = tn_underlay_new(&config);
	return e->underlay ? 0 : -1;
}

/* --- what the worker tells -------------------------------------------------------------------- */

static bool on_packet_in(void *ctx, const struct tn_view *view, const struct tn_op *op,
	uint8_t reason, uint16_t max_len)
{
	struct through *t = ctx;

	on_controller(t->e, view, op, reason, max_len);
	return true;
}

static void learn(void *ctx, const struct tn_learnt *learnt)
{
	struct through *t = ctx;

	tn_switch_learn(t->e->config->sw, learnt, t->e->now_ns);
}

static void snoop(void *ctx, const struct tn_snooped *snooped)
{
	struct through *t = ctx;

	on_snoop(t->e, snooped);
}

static bool take_count(void *ctx, const struct tn_count *c)
{
	struct through *t = ctx;

	tn_switch_count(t->e->config->sw, c);
	return true;
}

/* A replay has no host: what a tunnel's own capture has for one ends as that tunnel says. */
static bool to_host(void *ctx, unsigned port_index, struct tn_packet *packet)
{
	struct through *t = ctx;
	struct tn_view view = tn_packet_view(packet);
	enum tn_drop reason = TN_DROP_NOT_TUNNELLED;
	struct tn_vxlan_outer outer;
	struct tn_ingress in = {0};
	struct tn_headers h;

	if (port_index == t->own && !tn_parse(&view, &h))
		reason = tn_tunnels_receive(
			t->fwd.tunnels, t->fwd.underlay, t->e->in->number, &view, &h, &in, &outer);
	end_in_drop(t->e, &view, reason, NULL, NULL);
	t->at_host++;
	buffer_free(NULL, packet, 1);
	return true;
}

/* --- the engine ------------------------------------------------------------------------------- */

static struct tn_worker *new_worker(struct through *t)
{
	const char *sessions = getenv("TENON_SESSIONS");
	const struct tn_worker_config config = {
		.sessions = sessions ? (uint32_t)strtoul(sessions, NULL, 10) : 1024,
		.seed = 1,
		.buffers = &buffer_ops,
		.events = {.ctx = t,
			.packet_in = on_packet_in,
			.learn = learn,
			.snoop = snoop,
			.count = take_count,
			.host = to_host},
	};

	return tn_worker_new(&config);
}

int tn_engine_init(struct tn_engine *e, struct tn_config *config, uint64_t now_ns)
{
	const struct tn_port_config_data own = {
		.number = OWN_PORT, .config = TN_PORT_CONFIG_NO_FWD};
	struct through *t = calloc(1, sizeof(*t));
	struct tn_error err;
	unsigned slot = 0;

	while (slot < ENGINES && engines[slot])
		slot++;
	if (!t || slot == ENGINES || exact_engine_init(e, config, now_ns) || own_underlay(e) ||
		tn_switch_port_add(config->sw, &own, now_ns, &err)) {
		free(t);
		return -1;
	}
	t->e = e;
	engines[slot] = t;
	add_wires(t, e);
	t->fwd.tunnels = e->tunnels;
	t->fwd.underlay = e->underlay;
	t->fwd.snapshot = tn_switch_snapshot(config->sw);
	t->worker = new_worker(t);
	return t->worker ? 0 : -1;
}

void tn_engine_fini(struct tn_engine *e)
{
	struct through *t = through_of(e);

	for (unsigned i = 0; i < ENGINES; i++) {
		if (engines[i] == t)
			engines[i] = NULL;
	}
	if (t)
		tn_worker_free(t->worker);
	free(t);
	exact_engine_fini(e);
}

static bool take_drop(void *ctx, uint32_t network, enum tn_drop reason, uint64_t packets)
{
	struct through *t = ctx;
	const struct tn_drop_place place = {
		.reason = (uint8_t)reason,
		.in_port = t->e->in->number,
		.table = TN_TABLE_ALL,
		.network = network,
	};

	while (packets--)
		tn_account_drop(&t->e->account, &place, 0);
	return true;
}

static uint64_t by_ports(const struct through *t)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < t->fwd.n_ports; i++)
		for (unsigned d = 1; d < TN_DROP_COUNT; d++)
			n += tn_worker_port_stats(t->worker, i)->dropped[d];
	return n;
}

/* Drops that the worker counted by network, into the account; those of its ports are as many. */
static void take_drops(struct through *t)
{
	const struct tn_network_drops *now = tn_worker_network_drops(t->worker);
	struct tn_network_drops *new = malloc(sizeof(*new));
	struct tn_worker_stats stats;

	if (!new)
		abort();
	*new = *now;
	for (uint32_t i = 0; i < TN_NETWORK_DROPS_N; i++)
		new->slots[i].packets -= t->drops.slots[i].packets;
	for (unsigned d = 0; d < TN_DROP_COUNT; d++) {
		new->none[d] -= t->drops.none[d];
		new->others[d] -= t->drops.others[d];
	}
	t->drops = *now;
	tn_network_drops_each(new, take_drop, t);
	free(new);
	if (t->e->account.dropped - t->at_host != by_ports(t))
		abort();
	tn_worker_stats(t->worker, &stats);
	t->e->account.copies += stats.copies - t->copies;
	t->copies = stats.copies;
}

/* Flows see what was counted, kept decisions see what was learnt. */
static void settle(struct through *t)
{
	struct tn_switch *sw = t->e->config->sw;

	(void)tn_worker_sweep(t->worker, UINT32_MAX);
	take_drops(t);
	if (tn_switch_publish_addresses(sw) < 0)
		abort();
}

void tn_engine_frame(
	struct tn_engine *e, struct tn_replay_port *port, const struct tn_capture_record *frame)
{
	struct through *t = through_of(e);
	struct tn_packet packet;

	advance_clock(e, frame->time_ns);
	if (tn_switch_publish_addresses(e->config->sw) < 0)
		abort();
	t->fwd.snapshot = tn_switch_snapshot(e->config->sw);
	e->number++;
	e->from = e->in = port;
	e->in_bytes = frame->wire_len;
	e->account.received++;
	count(&port->from_capture, frame->wire_len);
	count(&port->rx, frame->wire_len);
	buffer_new(&packet, frame->data, frame->len);
	tn_worker_burst(t->worker, &t->fwd, port->vxlan ? t->own : (unsigned)(port - e->ports),
		&packet, 1, e->now_ns);
	tn_worker_flush(t->worker, &t->fwd);
	settle(t);
}
