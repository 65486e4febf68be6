/* SPDX-License-Identifier: BSD-3-Clause */
/* A network on this host: frames from other hosts, flooding. */
#include <stdlib.h>
#include <string.h>

#include "control/tenant/state.h"

static uint32_t vni_of(const struct tn_net *net)
{
	return tn_net_object(net)->vni;
}

/* --- from other hosts ------------------------------------------------------------------------ */

/* Of a port on another host further addresses are behind it. */
static bool learns_elsewhere(const struct tn_net *net)
{
	const struct tn_vport *port;

	TN_LIST_EACH(port, &net->ports, struct tn_vport, net_link) {
		if (port->host && !port->here_link.next && tn_vport_is_up(port) &&
			tn_vport_learns(port))
			return true;
	}
	return false;
}

/* routed: what comes from a gateway, which is everywhere. */
static void from_hosts_of(
	struct tn_emit *e, const struct tn_net *net, uint32_t tunnel, bool learn, bool routed)
{
	tn_emit_flow(e, TN_TABLE_INGRESS, 20000u + routed, TN_ROLE_INGRESS_HOST);
	tn_emit_match(e, TN_FIELD_IN_PORT, tunnel);
	tn_emit_net(e, net);
	if (routed)
		tn_emit_match(e, TN_FIELD_ETH_SRC, TN_GATEWAY_MAC);
	if (learn)
		tn_emit_learn(e, 0);
	tn_emit_set(e, TN_REG_FLAGS, TN_FLAG_TUNNEL | TN_FLAG_HOST);
	tn_emit_goto(e, TN_TABLE_SERVICES);
	tn_emit_end(e);
}

static void from_hosts(struct tn_emit *e, const struct tn_net *net, uint32_t tunnel)
{
	bool learn = learns_elsewhere(net);

	from_hosts_of(e, net, tunnel, learn, false);
	if (learn)
		from_hosts_of(e, net, tunnel, false, true);
}

/* --- groups ---------------------------------------------------------------------------------- */

/* Where copies go beside the ports of this host. */
struct ways {
	struct tn_tunnel_to *v;
	size_t n;
};

static int compare_ways(const void *x, const void *y)
{
	const struct tn_tunnel_to *a = x, *b = y;

	return a->vtep < b->vtep ? -1 : a->vtep > b->vtep;
}

/* Of every port elsewhere that is up, or of those that learn, once each. */
static void find_ways(
	const struct tn_compiler *c, const struct tn_net *net, bool learners, struct ways *ways)
{
	struct tn_vport *port;
	size_t n = 0;

	TN_LIST_EACH(port, &net->ports, struct tn_vport, net_link)
		n++;
	ways->v = malloc((n + 1) * sizeof(*ways->v));
	if (!ways->v)
		abort();
	ways->n = 0;
	TN_LIST_EACH(port, &net->ports, struct tn_vport, net_link) {
		struct tn_tunnel_to to = {0};

		if (!tn_vport_is_up(port) || port->here_link.next ||
			(learners && !tn_vport_learns(port)))
			continue;
		if (port->place && tn_place_is_active(c, port->place))
			to = tn_tunnel_to_place(c, port->place);
		else if (port->host && !port->place)
			to = tn_tunnel_to_host(c, port->host);
		if (to.port)
			ways->v[ways->n++] = to;
	}
	if (ways->n)
		qsort(ways->v, ways->n, sizeof(*ways->v), compare_ways);
	n = 0;
	for (size_t i = 0; i < ways->n; i++) {
		if (!n || ways->v[n - 1].vtep != ways->v[i].vtep)
			ways->v[n++] = ways->v[i];
	}
	ways->n = n;
}

static void find_ways_to_served(
	const struct tn_compiler *c, const struct tn_net *net, struct ways *ways)
{
	const struct tn_place *place;
	size_t n = 0;

	TN_LIST_EACH(place, &net->places, const struct tn_place, net_link)
		n++;
	ways->v = malloc((n + 1) * sizeof(*ways->v));
	if (!ways->v)
		abort();
	ways->n = 0;
	TN_LIST_EACH(place, &net->places, const struct tn_place, net_link) {
		if (tn_place_is_active(c, place) && tn_place_is_served_here(c, place))
			ways->v[ways->n++] = tn_tunnel_to_place(c, place);
	}
	if (ways->n)
		qsort(ways->v, ways->n, sizeof(*ways->v), compare_ways);
}

static int compare_ports(const void *x, const void *y)
{
	const struct tn_vport *const *a = x, *const *b = y;

	return strcmp((*a)->t.named.name, (*b)->t.named.name);
}

/* The ports of this host that can be sent to, in the order of their ids. */
struct here {
	struct tn_vport **v;
	size_t n;
};

static void find_here(struct tn_compiler *c, const struct tn_net *net, struct here *here)
{
	struct tn_vport *port;

	here->n = 0;
	here->v = malloc((net->n_here + 1) * sizeof(struct tn_vport *));
	if (!here->v)
		abort();
	TN_LIST_EACH(port, &net->ports, struct tn_vport, net_link) {
		if (port->counted && tn_vport_is_up(port) && tn_vport_switch_port(c, port))
			here->v[here->n++] = port;
	}
	if (here->n)
		qsort(here->v, here->n, sizeof(struct tn_vport *), compare_ports);
}

/* Group number `base` | id to ports, but one, and ways (NULL: none). false: to nobody. */
static bool group_to(struct tn_emit *e, uint32_t group_id, const struct here *here, bool learners,
	const struct tn_vport *but, const struct ways *ways)
{
	tn_emit_group(e, group_id, TN_GROUP_TYPE_ALL);
	for (size_t i = 0; i < here->n; i++) {
		if (here->v[i] == but || (learners && !tn_vport_learns(here->v[i])))
			continue;
		tn_emit_copy_to_port(e, here->v[i], but != NULL);
		tn_emit_bucket(e);
	}
	for (size_t i = 0; ways && i < ways->n; i++) {
		tn_emit_tunnel(e, &ways->v[i]);
		tn_emit_bucket(e);
	}
	return tn_emit_end_group(e);
}

static void group_action(struct tn_emit *e, uint32_t group_id)
{
	tn_emit_action(e, TN_ACTION_GROUP)->group_id = group_id;
}

/* --- multicast -------------------------------------------------------------------------------- */

static void snoop(
	struct tn_emit *e, const struct tn_net *net, bool ip4, uint8_t proto, uint8_t type)
{
	tn_emit_flow(e, TN_TABLE_SERVICES, 49500, TN_ROLE_SNOOP);
	tn_emit_net(e, net);
	tn_emit_match_ip(e, ip4, proto);
	if (type)
		tn_emit_match(e, TN_FIELD_ICMPV6_TYPE, type);
	tn_emit_action(e, TN_ACTION_SNOOP);
	tn_emit_goto(e, TN_TABLE_BRIDGE);
	tn_emit_end(e);
}

/* IGMP, MLD, PIM: of this host's ports and of other hosts'. */
static void snooping(struct tn_emit *e, const struct tn_net *net)
{
	static const uint8_t mld[] = {130, 131, 132, 143};

	if (!tn_net_object(net)->multicast_snooping)
		return;
	snoop(e, net, true, 2, 0);
	snoop(e, net, true, 103, 0);
	snoop(e, net, false, 103, 0);
	for (unsigned i = 0; i < TN_ARRAY_SIZE(mld); i++)
		snoop(e, net, false, 58, mld[i]);
}

/* --- flooding -------------------------------------------------------------------------------- */

static void match_multicast(struct tn_emit *e)
{
	tn_emit_match_masked(e, TN_FIELD_ETH_DST, UINT64_C(1) << 40, UINT64_C(1) << 40);
}

/* From inside (no tunnel) or out of a tunnel; group 0: nobody. */
static void flood_rule(struct tn_emit *e, const struct tn_net *net, bool tunnel, uint32_t group_id)
{
	tn_emit_flow(e, TN_TABLE_BRIDGE, 20000, TN_ROLE_FLOOD);
	tn_emit_net(e, net);
	tn_emit_flags(e, tunnel ? TN_FLAG_TUNNEL : 0, TN_FLAG_TUNNEL);
	match_multicast(e);
	if (tn_net_object(net)->multicast_snooping)
		tn_emit_action(e, TN_ACTION_MCAST)->known.local = tunnel;
	if (group_id)
		group_action(e, group_id);
	tn_emit_end(e);
}

static void unknown_rule(
	struct tn_emit *e, const struct tn_net *net, bool tunnel, uint32_t group_id)
{
	tn_emit_flow(e, TN_TABLE_BRIDGE, 11000, TN_ROLE_UNKNOWN);
	tn_emit_net(e, net);
	tn_emit_flags(e, tunnel ? TN_FLAG_TUNNEL : 0, TN_FLAG_TUNNEL);
	if (tn_net_learns(net))
		tn_emit_fdb(e, tunnel);
	if (group_id)
		group_action(e, group_id);
	tn_emit_end(e);
}

/* Two ports of a network on one device: the switch alone cannot tell a frame's way back. */
static bool has_neighbour(const struct here *here, const struct tn_vport *port)
{
	for (size_t i = 0; i < here->n; i++) {
		if (here->v[i] != port && here->v[i]->device == port->device)
			return true;
	}
	return false;
}

static void flood_of_port(struct tn_emit *e, const struct tn_net *net, struct tn_vport *port,
	const struct here *here, const struct ways *ways)
{
	uint32_t number = tn_vport_number(e->c, port);
	bool some = group_to(e, TN_GROUP_FLOOD_BUT | number, here, false, port, ways);

	for (unsigned unknown = 0; unknown < 2; unknown++) {
		if (unknown && tn_net_object(net)->unknown_unicast != TN_UNKNOWN_FLOOD)
			return;
		tn_emit_flow(e, TN_TABLE_BRIDGE, unknown ? 12000 : 21000,
			unknown ? TN_ROLE_UNKNOWN : TN_ROLE_FLOOD);
		tn_emit_net(e, net);
		tn_emit_flags(e, 0, TN_FLAG_TUNNEL);
		tn_emit_source(e, number);
		if (!unknown)
			match_multicast(e);
		if (!unknown && tn_net_object(net)->multicast_snooping)
			tn_emit_action(e, TN_ACTION_MCAST);
		if (unknown && tn_net_learns(net))
			tn_emit_fdb(e, false);
		if (some)
			group_action(e, TN_GROUP_FLOOD_BUT | number);
		tn_emit_end(e);
	}
}

/* Returns the group of the network's ports here; 0: there are none. */
static uint32_t flooding(struct tn_emit *e, const struct tn_net *net)
{
	bool all = tn_net_object(net)->unknown_unicast == TN_UNKNOWN_FLOOD;
	uint32_t vni = vni_of(net), group, ports;
	struct ways ways, learners;
	struct here here;

	find_here(e->c, net, &here);
	find_ways(e->c, net, false, &ways);
	find_ways(e->c, net, true, &learners);
	group = TN_GROUP_FLOOD | vni;
	group = group_to(e, group, &here, false, NULL, &ways) ? group : 0;
	flood_rule(e, net, false, group);
	if (all)
		unknown_rule(e, net, false, group);
	ports = TN_GROUP_FLOOD_LOCAL | vni;
	ports = group_to(e, ports, &here, false, NULL, NULL) ? ports : 0;
	flood_rule(e, net, true, ports);
	if (all)
		unknown_rule(e, net, true, ports);
	if (!all) {
		group = TN_GROUP_UNKNOWN | vni;
		group = group_to(e, group, &here, true, NULL, &learners) ? group : 0;
		unknown_rule(e, net, false, group);
		group = TN_GROUP_UNKNOWN_LOCAL | vni;
		group = group_to(e, group, &here, true, NULL, NULL) ? group : 0;
		unknown_rule(e, net, true, group);
	}
	for (size_t i = 0; i < here.n; i++) {
		if (here.v[i]->device && has_neighbour(&here, here.v[i]))
			flood_of_port(e, net, here.v[i], &here, &ways);
	}
	free(here.v);
	free(ways.v);
	free(learners.v);
	return ports;
}

/*
 * The group of the endpoints that are no hosts and that this host answers for all; 0: there are
 * none. It is there whatever is advertised: what is advertised no more is told off by it.
 */
static uint32_t served(struct tn_emit *e, const struct tn_net *net)
{
	uint32_t group = TN_GROUP_SERVED | vni_of(net);
	const struct here nobody = {0};
	struct ways ways;

	find_ways_to_served(e->c, net, &ways);
	group = group_to(e, group, &nobody, false, NULL, &ways) ? group : 0;
	free(ways.v);
	return group;
}

void tn_unit_network(struct tn_emit *e, struct tn_net *net)
{
	uint32_t ports = 0;

	if (!net->needed)
		return;
	if (net->local) {
		if (e->c->vtep4)
			from_hosts(e, net, TN_TENANT_VXLAN4_PORT);
		if (e->c->vtep6)
			from_hosts(e, net, TN_TENANT_VXLAN6_PORT);
		ports = flooding(e, net);
		snooping(e, net);
	}
	tn_emit_advertise(e, net, ports, served(e, net));
	tn_unit_network_services(e, net);
}
