/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_KNOWN                                                            \
	(TN_PORT_CONFIG_DOWN | TN_PORT_CONFIG_NO_RECV | TN_PORT_CONFIG_NO_FWD | \
		TN_PORT_CONFIG_NO_PACKET_IN)
#define STATE_KNOWN (TN_PORT_STATE_LINK_DOWN | TN_PORT_STATE_BLOCKED | TN_PORT_STATE_LIVE)

static int check_port(const struct tn_port_config_data *port, struct tn_error *err)
{
	if ((port->number < 1 || port->number > TN_PORT_MAX) && port->number != TN_PORT_LOCAL)
		return tn_error_set(err, TN_OFPPMFC_BAD_PORT, -1,
			"port number 0x%x is not one a port can have: numbers are 1 to 0x%x, and "
			"LOCAL",
			port->number, TN_PORT_MAX);
	if (port->config & ~CONFIG_KNOWN || port->state & ~STATE_KNOWN)
		return tn_error_set(err, TN_OFPPMFC_BAD_CONFIG, -1,
			"port %u has config 0x%x and state 0x%x: known bits are 0x%x and 0x%x",
			port->number, port->config, port->state, CONFIG_KNOWN, STATE_KNOWN);
	if ((unsigned)port->type > TN_PORT_VXLAN)
		return tn_error_set(err, TN_OFPPMFC_BAD_CONFIG, -1, "port %u has unknown type %u",
			port->number, (unsigned)port->type);
	return 0;
}

/* LIVE is what the other bits say: up, and nothing in the way. */
static struct tn_port_config_data derive_live(struct tn_port_config_data port)
{
	bool down = port.config & TN_PORT_CONFIG_DOWN ||
		port.state & (TN_PORT_STATE_LINK_DOWN | TN_PORT_STATE_BLOCKED);

	port.state &= ~(uint32_t)TN_PORT_STATE_LIVE;
	if (!down)
		port.state |= TN_PORT_STATE_LIVE;
	return port;
}

/* Where the number is or would be. */
static uint32_t position(const struct tn_port_table *t, uint32_t number)
{
	uint32_t i = 0;

	while (i < t->n && t->ports[i].number < number)
		i++;
	return i;
}

static bool has(const struct tn_port_table *t, uint32_t number)
{
	uint32_t i = position(t, number);

	return i < t->n && t->ports[i].number == number;
}

/* Publishes the ports with old[at..at + n_out) replaced by `in` (NULL: by nothing). */
static int replace(struct tn_switch *sw, uint32_t at, uint32_t n_out,
	const struct tn_port_config_data *in, struct tn_error *err)
{
	const struct tn_port_table *old = sw->ports;
	uint32_t n = old->n - n_out + !!in;
	struct tn_port_table *t = malloc(sizeof(*t) + n * sizeof(t->ports[0]));

	if (!t || !tn_sw_reserve_snapshot(sw)) {
		free(t);
		return tn_sw_no_memory(err);
	}
	t->n = n;
	memcpy(t->ports, old->ports, at * sizeof(t->ports[0]));
	if (in)
		t->ports[at] = *in;
	memcpy(&t->ports[at + !!in], &old->ports[at + n_out],
		(old->n - at - n_out) * sizeof(t->ports[0]));
	tn_defer_add(sw->defer, sw->ports, free);
	sw->ports = t;
	sw->epoch[TN_EPOCH_SHARED] = (uint32_t)++sw->version;
	tn_sw_publish(sw);
	return 0;
}

static void tell(struct tn_switch *sw, enum tn_port_status_reason reason,
	const struct tn_port_config_data *port, uint64_t now_ns)
{
	tn_sw_emit(sw,
		&(struct tn_event){
			.kind = TN_EVENT_PORT_STATUS,
			.time_ns = now_ns,
			.port_reason = reason,
			.port = port,
		});
}

static void forget_stations(struct tn_switch *sw, uint32_t number)
{
	tn_fdb_flush_port(sw->fdb, number);
	tn_mcast_flush_port(sw->mcast, number);
}

int tn_switch_port_add(struct tn_switch *sw, const struct tn_port_config_data *port,
	uint64_t now_ns, struct tn_error *err)
{
	struct tn_port_config_data live = derive_live(*port);
	int rc = check_port(port, err);

	if (rc)
		return rc;
	if (has(sw->ports, port->number)) {
		tn_error_set(err, TN_OFPPMFC_BAD_CONFIG, -1,
			"port %u exists: modify it, or give this one another number", port->number);
		return -EEXIST;
	}
	rc = replace(sw, position(sw->ports, port->number), 0, &live, err);
	if (!rc)
		tell(sw, TN_PORT_ADDED, &live, now_ns);
	return rc;
}

static int unknown_port(uint32_t number, struct tn_error *err)
{
	tn_error_set(err, TN_OFPPMFC_BAD_PORT, -1, "port %u does not exist: add it", number);
	return -ENOENT;
}

int tn_switch_port_modify(struct tn_switch *sw, const struct tn_port_config_data *port,
	uint64_t now_ns, struct tn_error *err)
{
	struct tn_port_config_data live = derive_live(*port), old;
	uint32_t at = position(sw->ports, port->number);
	int rc = check_port(port, err);

	if (rc)
		return rc;
	if (!has(sw->ports, port->number))
		return unknown_port(port->number, err);
	old = sw->ports->ports[at];
	if (old.type != live.type)
		return tn_error_set(err, TN_OFPPMFC_BAD_CONFIG, -1,
			"port %u cannot change its type: remove it and add it anew", port->number);
	if (old.config == live.config && old.state == live.state)
		return 0;
	rc = replace(sw, at, 1, &live, err);
	if (rc)
		return rc;
	/* What was behind a port that went down is to be flooded, not sent into the void. */
	if (old.state & TN_PORT_STATE_LIVE && !(live.state & TN_PORT_STATE_LIVE))
		forget_stations(sw, live.number);
	tell(sw, TN_PORT_MODIFIED, &live, now_ns);
	return 0;
}

int tn_switch_port_remove(
	struct tn_switch *sw, uint32_t number, uint64_t now_ns, struct tn_error *err)
{
	uint32_t at = position(sw->ports, number);
	struct tn_port_config_data old;
	int rc;

	if (!has(sw->ports, number))
		return unknown_port(number, err);
	old = sw->ports->ports[at];
	rc = replace(sw, at, 1, NULL, err);
	if (rc)
		return rc;
	forget_stations(sw, number);
	tell(sw, TN_PORT_DELETED, &old, now_ns);
	return 0;
}
