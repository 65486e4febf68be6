/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters in the shapes of ONOS. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/model/json_reader.h"
#include "control/northbound/answer.h"
#include "control/northbound/body.h"
#include "control/northbound/handlers.h"
#include "control/northbound/list.h"
#include "control/northbound/service.h"
#include "control/northbound/tenant.h"
#include "dataplane/core/drop.h"

#define NS_PER_S	UINT64_C(1000000000)
#define DELTA_PERIOD_NS (5 * NS_PER_S)

/* {"statistics":[x]}: x is the one device's. */
static void answer_statistics(struct tn_call *c, json_t *of_device)
{
	json_t *array = json_array();

	json_array_append_new(array, of_device);
	tn_answer_json(c, 200, json_pack("{s:o}", "statistics", array));
}

static json_t *device_name(struct tn_call *c)
{
	return tn_json_from_dpid(tn_engine_dpid(tn_call_engine(c)));
}

/* Ports. */

struct ports {
	json_t *array;
	uint32_t number;	      /* 0: all of them */
	const struct tn_delta *since; /* NULL: since ever */
	uint64_t seconds;
	/* All of them as they are now, for the next delta. */
	struct tn_delta_port *now;
	size_t n, room;
};

static void put(json_t *o, const char *key, uint64_t now, uint64_t before)
{
	json_object_set_new(o, key, tn_json_from_u64(now > before ? now - before : 0));
}

static json_t *counters(const struct ports *ports, const struct tn_delta_port *now)
{
	static const struct tn_delta_port zero;
	const struct tn_delta_port *before =
		ports->since ? tn_delta_find(ports->since, now->number) : NULL;
	json_t *o = json_object();

	if (!before)
		before = ports->since && ports->since->taken_ns ? &zero
			: ports->since				? now
								: &zero;
	json_object_set_new(o, "port", tn_json_from_port_number(now->number));
	put(o, "packetsReceived", now->rx.packets, before->rx.packets);
	put(o, "packetsSent", now->tx.packets, before->tx.packets);
	put(o, "bytesReceived", now->rx.bytes, before->rx.bytes);
	put(o, "bytesSent", now->tx.bytes, before->tx.bytes);
	put(o, "packetsRxDropped", now->rx_dropped, before->rx_dropped);
	put(o, "packetsTxDropped", now->tx_dropped, before->tx_dropped);
	put(o, "packetsRxErrors", now->rx_errors, before->rx_errors);
	put(o, "packetsTxErrors", now->tx_errors, before->tx_errors);
	json_object_set_new(o, "durationSec", tn_json_from_u64(ports->seconds));
	return o;
}

static bool add_port(void *ctx, const struct tn_object *o)
{
	struct tn_delta_port now = tn_delta_port_of(o->port);
	struct ports *ports = ctx;

	if (ports->since) {
		if (ports->n == ports->room) {
			ports->room = ports->room ? 2 * ports->room : 16;
			ports->now = realloc(ports->now, ports->room * sizeof(now));
			if (!ports->now)
				abort();
		}
		ports->now[ports->n++] = now;
	}
	if (!ports->number || ports->number == now.number)
		json_array_append_new(ports->array, counters(ports, &now));
	return true;
}

static bool scan_ports(struct tn_call *c, struct ports *ports)
{
	ports->array = json_array();
	if (c->params[0] && c->params[1] && !tn_param_port(c, c->params[1], &ports->number)) {
		json_decref(ports->array);
		return false;
	}
	/* A tenant's scan has its ports alone, which is no base for others' deltas. */
	tn_engine_scan(tn_call_engine(c), TN_KIND_PORT, tn_call_scope(c), 0, true, add_port, ports);
	if (!ports->number || json_array_size(ports->array))
		return true;
	json_decref(ports->array);
	tn_answer_error(c, 404, "no port is \"%.60s\"", c->params[1]);
	return false;
}

static void answer_ports(struct tn_call *c)
{
	struct tn_engine_status status;
	struct ports ports = {0};

	tn_engine_status(tn_call_engine(c), &status);
	ports.seconds = (tn_service_now() - status.since_ns) / NS_PER_S;
	if (scan_ports(c, &ports))
		answer_statistics(
			c, json_pack("{s:o,s:o}", "device", device_name(c), "ports", ports.array));
}

void tn_statistics_get_ports(struct tn_call *c)
{
	tn_call_refresh(c, 1u << TN_KIND_PORT, answer_ports);
}

/* Since the last time that was asked for, but no less than a period ago. */
static void answer_delta(struct tn_call *c)
{
	struct tn_delta *delta = &c->service->delta;
	uint64_t now = tn_service_monotonic(), age = delta->taken_ns ? now - delta->taken_ns : 0;
	struct ports ports = {.since = delta, .seconds = age / NS_PER_S};

	if (scan_ports(c, &ports))
		answer_statistics(
			c, json_pack("{s:o,s:o}", "device", device_name(c), "ports", ports.array));
	if (!c->who.tenant && (!delta->taken_ns || age >= DELTA_PERIOD_NS))
		tn_delta_take(delta, ports.now, ports.n, now);
	else
		free(ports.now);
}

void tn_statistics_get_delta(struct tn_call *c)
{
	tn_call_refresh(c, 1u << TN_KIND_PORT, answer_delta);
}

/* Tables. */

static void answer_tables(struct tn_call *c)
{
	json_t *array = json_array(), *o;
	const struct tn_table_info *t;
	char id[8];
	size_t n;

	t = tn_engine_tables(tn_call_engine(c), &n);
	for (size_t i = 0; i < n; i++) {
		o = json_object();
		snprintf(id, sizeof(id), "%u", t[i].table_id);
		json_object_set_new(o, "tableId", json_string(id));
		json_object_set_new(o, "deviceId", device_name(c));
		json_object_set_new(o, "activeEntries", json_integer(t[i].active));
		json_object_set_new(o, "packetsLookedUp", tn_json_from_u64(t[i].lookups));
		json_object_set_new(o, "packetsMatched", tn_json_from_u64(t[i].matches));
		json_array_append_new(array, o);
	}
	answer_statistics(c, json_pack("{s:o,s:o}", "device", device_name(c), "table", array));
}

void tn_statistics_get_tables(struct tn_call *c)
{
	tn_call_refresh(c, 1, answer_tables);
}

/* What was dropped, by network. */

struct network {
	uint32_t vni;
	const char *id;
};

struct networks {
	struct network *list; /* by VNI, those that the client may see */
	size_t n, room;
};

static bool add_network(void *ctx, const struct tn_object *o)
{
	struct networks *all = ctx;

	if (all->n == all->room) {
		all->room = all->room ? 2 * all->room : 64;
		all->list = realloc(all->list, all->room * sizeof(*all->list));
		if (!all->list)
			abort();
	}
	all->list[all->n++] =
		(struct network){o->tenants->value.network.vni, o->tenants->value.c.id};
	return true;
}

static int by_vni(const void *a, const void *b)
{
	uint32_t x = ((const struct network *)a)->vni, y = ((const struct network *)b)->vni;

	return (x > y) - (x < y);
}

static int by_network(const void *a, const void *b)
{
	const struct tn_api_network_drop *x = a, *y = b;

	if (x->network != y->network)
		return x->network < y->network ? -1 : 1;
	return (x->reason > y->reason) - (x->reason < y->reason);
}

/* NULL: it is nobody's, or not this client's. */
static const struct network *find_network(const struct networks *all, uint32_t vni)
{
	const struct network key = {.vni = vni};

	return all->n ? bsearch(&key, all->list, all->n, sizeof(key), by_vni) : NULL;
}

static json_t *network_json(uint32_t number, const struct network *known)
{
	json_t *o = json_object();
	char text[16];

	snprintf(text, sizeof(text), "%" PRIu32, number);
	json_object_set_new(o, "network",
		json_string(number == 0				  ? "none"
				: number == TN_API_OTHER_NETWORKS ? "other"
								  : text));
	if (known)
		json_object_set_new(o, "network_id", json_string(known->id));
	json_object_set_new(o, "dropped", json_object());
	return o;
}

/* Of n rows of one network. */
static json_t *drops_of_network(
	const struct tn_api_network_drop *rows, size_t n, const struct network *known)
{
	json_t *o = network_json(rows->network, known), *dropped = json_object_get(o, "dropped");
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		sum += rows[i].packets;
		json_object_set_new(dropped, tn_drop_name((enum tn_drop)rows[i].reason),
			tn_json_from_u64(rows[i].packets));
	}
	json_object_set_new(o, "packetsDropped", tn_json_from_u64(sum));
	return o;
}

static json_t *drops_json(struct tn_call *c, const struct networks *all)
{
	const struct tn_api_network_drop *rows;
	struct tn_api_network_drop *sorted;
	json_t *array = json_array();
	size_t n, end;

	rows = tn_engine_networks(tn_call_engine(c), &n);
	sorted = tn_arena_alloc(&c->arena, (n + 1) * sizeof(*sorted));
	if (n) {
		memcpy(sorted, rows, n * sizeof(*sorted));
		qsort(sorted, n, sizeof(*sorted), by_network);
	}
	for (size_t i = 0; i < n; i = end) {
		const struct network *known = find_network(all, sorted[i].network);

		for (end = i; end < n && sorted[end].network == sorted[i].network;)
			end++;
		if (known || !c->who.tenant)
			json_array_append_new(array, drops_of_network(&sorted[i], end - i, known));
	}
	return array;
}

static void answer_networks(struct tn_call *c)
{
	struct networks all = {0};

	tn_engine_scan(tn_call_engine(c), tn_kind_of_tenant(TN_TENANT_NETWORK), tn_call_scope(c), 0,
		true, add_network, &all);
	if (all.n)
		qsort(all.list, all.n, sizeof(*all.list), by_vni);
	answer_statistics(c,
		json_pack("{s:o,s:o}", "device", device_name(c), "networks", drops_json(c, &all)));
	free(all.list);
}

void tn_statistics_get_networks(struct tn_call *c)
{
	tn_call_refresh(c, TN_REFRESH_NETWORKS, answer_networks);
}

static void counters_reset(void *ctx, int rc, const struct tn_error *err)
{
	struct tn_call *c = ctx;

	if (rc == -ENOTCONN)
		tn_answer_error(c, 503, "the data plane is away; try again when it is back");
	else if (rc)
		tn_answer_error(c, 507, "%s", err->detail);
	else
		tn_answer_empty(c, 204);
}

void tn_stats_reset(struct tn_call *c)
{
	tn_engine_reset_counters(tn_call_engine(c), counters_reset, c);
}

void tn_statistics_get_active(struct tn_call *c)
{
	uint32_t n = tn_engine_count(tn_call_engine(c), TN_KIND_FLOW, tn_call_scope(c));

	answer_statistics(c,
		json_pack("{s:o,s:I}", "device", device_name(c), "activeEntries", (json_int_t)n));
}

/* A port's load: bytes, and bytes a second since the last delta was taken. */

struct link {
	uint32_t port;
	struct tn_delta_port now;
	bool found;
};

static bool take_port(void *ctx, const struct tn_object *o)
{
	struct link *l = ctx;

	l->now = tn_delta_port_of(o->port);
	l->found = true;
	return false;
}

static void answer_link(struct tn_call *c)
{
	const struct tn_delta *delta = &c->service->delta;
	const struct tn_delta_port *before;
	uint64_t age = tn_service_monotonic() - delta->taken_ns;
	struct link *l = c->state;
	uint64_t rate = 0;
	json_t *o;

	(void)tn_engine_get(
		tn_call_engine(c), TN_KIND_PORT, l->port, tn_call_scope(c), take_port, l);
	if (!l->found) {
		tn_answer_error(c, 404, "no port is \"%.60s\"", tn_call_query(c, "port"));
		return;
	}
	before = tn_delta_find(delta, l->port);
	if (before && age >= NS_PER_S && l->now.tx.bytes > before->tx.bytes)
		rate = (l->now.tx.bytes - before->tx.bytes) / (age / NS_PER_S);
	o = json_object();
	json_object_set_new(o, "rate", tn_json_from_u64(rate));
	json_object_set_new(o, "latest", tn_json_from_u64(l->now.tx.bytes));
	json_object_set_new(o, "valid", json_true());
	json_object_set_new(o, "time", tn_json_from_u64(tn_service_now() / 1000000u));
	json_object_set_new(o, "link",
		json_pack(
			"{s:o,s:o}", "device", device_name(c), "port", tn_json_from_port(l->port)));
	tn_answer_json(c, 200, json_pack("{s:[o]}", "loads", o));
}

void tn_statistics_get_link(struct tn_call *c)
{
	const char *device = tn_call_query(c, "device"), *port = tn_call_query(c, "port");
	struct link *l = tn_arena_alloc(&c->arena, sizeof(*l));
	char own[24];

	snprintf(own, sizeof(own), "of:%016" PRIx64, tn_engine_dpid(tn_call_engine(c)));
	if (!port || (device && strcasecmp(device, own) != 0)) {
		tn_answer_error(c, port ? 404 : 400,
			port ? "Device is not found" : "say which port: ?device=..&port=..");
		return;
	}
	if (!tn_param_port(c, port, &l->port))
		return;
	c->state = l;
	tn_call_refresh(c, 1u << TN_KIND_PORT, answer_link);
}
