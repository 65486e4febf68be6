/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routing between the networks of a router, on every host that has one of them. The packet goes
 * from here into the network of its next hop, to be bridged there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/tenant/state.h"
#include "control/tenant/tell.h"

#define ICMPV4 1u
#define ICMPV6 58u

/* Codes of "unreachable" (RFC 792, RFC 4443). */
static uint8_t no_route(bool ip4)
{
	(void)ip4;
	return 0;
}

static uint8_t no_host(bool ip4)
{
	return ip4 ? 1 : 3;
}

static uint8_t no_port(bool ip4)
{
	return ip4 ? 3 : 4;
}

static const struct tn_subnet *subnet_of(const struct tn_interface *interface)
{
	return tn_sub_object(interface->sub);
}

/* One whose network is up and whose gateway this router is. */
static bool is_active(const struct tn_rtr *router, const struct tn_interface *interface)
{
	return tn_sub_router(interface->sub) == router && interface->sub->net &&
		tn_net_is_up(interface->sub->net);
}

static void begin(struct tn_emit *e, const struct tn_rtr *router, unsigned priority,
	enum tn_rule_role role, bool ip4, uint8_t proto)
{
	tn_emit_flow(e, TN_TABLE_ROUTING, priority, role);
	tn_emit_match(e, TN_REG_ROUTER, tn_rtr_number(e->c, router));
	tn_emit_match_ip(e, ip4, proto);
}

static void match_destination(struct tn_emit *e, const struct tn_prefix *p)
{
	tn_emit_match_prefix(e, TN_FIELD_IPV4_DST, TN_FIELD_IPV6_DST, p);
}

/* The answer goes to where the packet came from. */
static void unreachable(struct tn_emit *e, tn_u128 speaker, uint8_t code)
{
	tn_emit_reply(e, TN_REPLY_UNREACHABLE, speaker)->reply.code = code;
	tn_emit_back(e);
	tn_emit_end(e);
}

/* --- the gateway itself ------------------------------------------------------------------------
 */

static void answer_echo(struct tn_emit *e, const struct tn_rtr *router, tn_u128 address)
{
	const struct tn_prefix p = tn_prefix_of_host(address);

	begin(e, router, 45000, TN_ROLE_ANSWER_ECHO, p.is_ip4, p.is_ip4 ? ICMPV4 : ICMPV6);
	if (p.is_ip4)
		tn_emit_match(e, TN_FIELD_ICMPV4_TYPE, 8);
	else
		tn_emit_match(e, TN_FIELD_ICMPV6_TYPE, 128);
	match_destination(e, &p);
	tn_emit_reply(e, TN_REPLY_ECHO, 0);
	tn_emit_back(e);
	tn_emit_end(e);
}

static void gateway(struct tn_emit *e, const struct tn_rtr *router, tn_u128 address)
{
	const struct tn_prefix p = tn_prefix_of_host(address);

	answer_echo(e, router, address);
	begin(e, router, 44000, TN_ROLE_ROUTE_GATEWAY, p.is_ip4, 0);
	match_destination(e, &p);
	unreachable(e, address, no_port(p.is_ip4));
}

/* --- errors ------------------------------------------------------------------------------------
 */

/* What comes from a network, of one IP version; the first subnet of it by address speaks. */
static void errors_of(
	struct tn_emit *e, const struct tn_rtr *router, const struct tn_net *net, tn_u128 speaker)
{
	bool ip4 = tn_address_is_ip4(speaker);

	for (unsigned ttl = 0; ttl < 2; ttl++) {
		begin(e, router, 43000, TN_ROLE_ROUTE_EXPIRED, ip4, 0);
		tn_emit_net(e, net);
		tn_emit_match(e, TN_FIELD_IP_TTL, ttl);
		tn_emit_reply(e, TN_REPLY_TIME_EXCEEDED, speaker);
		tn_emit_back(e);
		tn_emit_end(e);
	}
	begin(e, router, 15000, TN_ROLE_ROUTE_NONE, ip4, 0);
	tn_emit_net(e, net);
	unreachable(e, speaker, no_route(ip4));
}

static void errors(struct tn_emit *e, const struct tn_rtr *router)
{
	for (uint32_t i = 0; i < router->n_interfaces; i++) {
		const struct tn_interface *x = &router->interfaces[i];
		bool first = is_active(router, x);

		for (uint32_t j = 0; j < router->n_interfaces && first; j++) {
			const struct tn_interface *y = &router->interfaces[j];

			first = !is_active(router, y) || y->sub->net != x->sub->net ||
				subnet_of(y)->cidr.is_ip4 != subnet_of(x)->cidr.is_ip4 ||
				subnet_of(y)->gateway_ip >= subnet_of(x)->gateway_ip;
		}
		if (first)
			errors_of(e, router, x->sub->net, subnet_of(x)->gateway_ip);
	}
}

/* --- forwarding --------------------------------------------------------------------------------
 */

static uint32_t largest_mtu(const struct tn_compiler *c, const struct tn_rtr *router)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < router->n_interfaces; i++) {
		const struct tn_interface *x = &router->interfaces[i];
		uint32_t mtu = is_active(router, x) ? tn_net_mtu(c, x->sub->net) : 0;

		if (mtu > most)
			most = mtu;
	}
	return most;
}

/* From a network with longer packets: the sender is told, instead of anything that follows. */
static void check_length(struct tn_emit *e, const struct tn_rtr *router, const struct tn_sub *sub)
{
	uint32_t mtu = tn_net_mtu(e->c, sub->net),
		 least = tn_sub_object(sub)->cidr.is_ip4 ? 68 : 1280;
	struct tn_action *longer;
	uint16_t at;

	if (mtu < least)
		mtu = least;
	if (mtu >= largest_mtu(e->c, router) || mtu > UINT16_MAX)
		return;
	longer = tn_emit_action(e, TN_ACTION_IF_LONGER);
	longer->max_len = mtu;
	at = e->n_actions;
	tn_emit_reply(e, TN_REPLY_TOO_BIG, tn_sub_object(sub)->gateway_ip)->reply.number = mtu;
	tn_emit_back(e);
	/* In a list there is no table to go to but by RESUBMIT. */
	tn_emit_goto(e, TN_GOTO_NONE);
	tn_emit_resubmit(e, TN_TABLE_POLICY_IN);
	longer->n_nested = (uint16_t)(e->n_actions - at);
}

/* It is in another network from here on, and came from nowhere. */
static void leave_network(struct tn_emit *e)
{
	tn_emit_action(e, TN_ACTION_DEC_TTL);
	tn_emit_set(e, TN_FIELD_ETH_SRC, TN_GATEWAY_MAC);
	tn_emit_set(e, TN_REG_FLAGS, 0);
	tn_emit_set(e, TN_REG_SOURCE, 0);
	tn_emit_set(e, TN_FIELD_IN_PORT, TN_PORT_NONE_YET);
}

static void enter_network(struct tn_emit *e, const struct tn_vport *port)
{
	tn_emit_set(e, TN_FIELD_ETH_DST, tn_vport_mac(port));
	tn_emit_set(e, TN_FIELD_TUNNEL_ID, tn_net_object(port->net)->vni);
}

void tn_emit_route_to(struct tn_emit *e, const struct tn_rtr *router, const struct tn_sub *sub,
	const struct tn_vport *port, tn_u128 address)
{
	const struct tn_prefix p = tn_prefix_of_host(address);

	begin(e, router, 40000, TN_ROLE_ROUTE_NEIGHBOUR, p.is_ip4, 0);
	match_destination(e, &p);
	check_length(e, router, sub);
	leave_network(e);
	enter_network(e, port);
	tn_emit_goto(e, TN_TABLE_BRIDGE);
	tn_emit_end(e);
}

/* --- routes ------------------------------------------------------------------------------------
 */

/* A longer prefix goes before a shorter one, a connected network before a route to the same. */
static unsigned route_priority(const struct tn_prefix *p, bool connected)
{
	return 20000 + 2u * p->len + connected;
}

struct next_hop {
	struct tn_vport *port;
	const struct tn_sub *sub;
};

static struct next_hop find_next_hop(struct tn_emit *e, const struct tn_rtr *router, tn_u128 ip)
{
	for (uint32_t i = 0; i < router->n_interfaces; i++) {
		const struct tn_interface *x = &router->interfaces[i];
		struct tn_vport *port;

		if (!is_active(router, x) || !tn_prefix_holds(&subnet_of(x)->cidr, ip))
			continue;
		port = tn_net_holder(x->sub->net, ip);
		if (port && tn_vport_is_somewhere(e->c, port))
			return (struct next_hop){port, x->sub};
	}
	return (struct next_hop){0};
}

static int compare_prefixes(const struct tn_prefix *a, const struct tn_prefix *b)
{
	if (a->is_ip4 != b->is_ip4)
		return a->is_ip4 ? -1 : 1;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return a->address < b->address ? -1 : a->address > b->address;
}

static int compare_routes(const void *x, const void *y)
{
	const struct tn_router_route *a = x, *b = y;
	int r = compare_prefixes(&a->destination, &b->destination);

	return r ? r : a->next_hop < b->next_hop ? -1 : a->next_hop > b->next_hop;
}

static uint32_t route_number(
	struct tn_emit *e, const struct tn_rtr *router, const struct tn_prefix *p)
{
	char name[TN_TENANT_ID_MAX + 48];

	snprintf(name, sizeof(name), "%s/%016llx%016llx/%u", router->t.named.name,
		(unsigned long long)(p->address >> 64), (unsigned long long)p->address,
		tn_prefix_bits(p));
	return tn_numbers_take(e->c->numbers, TN_NUMBER_ROUTE, name);
}

static void route_begin(struct tn_emit *e, const struct tn_rtr *router, const struct tn_prefix *p,
	enum tn_rule_role role)
{
	begin(e, router, route_priority(p, false), role, p->is_ip4, 0);
	match_destination(e, p);
}

static void route_one(struct tn_emit *e, const struct tn_rtr *router, const struct tn_prefix *p,
	const struct next_hop *hop)
{
	route_begin(e, router, p, TN_ROLE_ROUTE);
	check_length(e, router, hop->sub);
	leave_network(e);
	enter_network(e, hop->port);
	tn_emit_goto(e, TN_TABLE_BRIDGE);
	tn_emit_end(e);
}

/* The connection chooses; a bucket is the whole way from here. */
static void route_several(struct tn_emit *e, const struct tn_rtr *router, const struct tn_prefix *p,
	const struct next_hop *hops, uint32_t n)
{
	uint32_t number = route_number(e, router, p);
	const struct tn_sub *least = hops[0].sub;

	if (!number)
		return;
	tn_emit_group(e, TN_GROUP_ROUTE | number, TN_GROUP_TYPE_SELECT);
	for (uint32_t i = 0; i < n; i++) {
		enter_network(e, hops[i].port);
		tn_emit_to_vport(e, hops[i].port);
		tn_emit_bucket(e);
		if (tn_net_mtu(e->c, hops[i].sub->net) < tn_net_mtu(e->c, least->net))
			least = hops[i].sub;
	}
	(void)tn_emit_end_group(e);
	route_begin(e, router, p, TN_ROLE_ROUTE);
	check_length(e, router, least);
	leave_network(e);
	tn_emit_action(e, TN_ACTION_GROUP)->group_id = TN_GROUP_ROUTE | number;
	tn_emit_end(e);
}

/* n routes of one destination. */
static void route_to(struct tn_emit *e, const struct tn_rtr *router,
	const struct tn_router_route *routes, uint32_t n)
{
	const struct tn_prefix *p = &routes->destination;
	struct next_hop *hops = calloc(n, sizeof(*hops));
	uint32_t n_hops = 0;

	if (!hops)
		abort();
	for (uint32_t i = 0; i < n; i++) {
		hops[n_hops] = find_next_hop(e, router, routes[i].next_hop);
		n_hops += hops[n_hops].port && (!i || routes[i].next_hop != routes[i - 1].next_hop);
	}
	if (n_hops > 1)
		route_several(e, router, p, hops, n_hops);
	else if (n_hops)
		route_one(e, router, p, hops);
	else
		route_begin(e, router, p, TN_ROLE_ROUTE_NOBODY);
	free(hops);
	if (!n_hops)
		unreachable(e, tn_rtr_speaker(router, p->is_ip4), no_host(p->is_ip4));
}

static void routes(struct tn_emit *e, const struct tn_rtr *router)
{
	const struct tn_router *r = tn_rtr_object(router);
	struct tn_router_route *sorted = malloc((r->n_routes + 1) * sizeof(*sorted));
	uint32_t n;

	if (!sorted)
		abort();
	if (r->n_routes) {
		memcpy(sorted, r->routes, r->n_routes * sizeof(*sorted));
		qsort(sorted, r->n_routes, sizeof(*sorted), compare_routes);
	}
	for (uint32_t i = 0; i < r->n_routes; i += n) {
		for (n = 1; i + n < r->n_routes &&
			compare_prefixes(&sorted[i].destination, &sorted[i + n].destination) == 0;)
			n++;
		if (tn_rtr_speaker(router, sorted[i].destination.is_ip4))
			route_to(e, router, &sorted[i], n);
	}
	free(sorted);
}

tn_u128 tn_rtr_speaker(const struct tn_rtr *router, bool ip4)
{
	tn_u128 least = 0;

	for (uint32_t i = 0; i < router->n_interfaces; i++) {
		const struct tn_interface *x = &router->interfaces[i];

		if (!is_active(router, x) || subnet_of(x)->cidr.is_ip4 != ip4)
			continue;
		if (!least || subnet_of(x)->gateway_ip < least)
			least = subnet_of(x)->gateway_ip;
	}
	return least;
}

static void connected(struct tn_emit *e, const struct tn_rtr *router, const struct tn_subnet *s)
{
	begin(e, router, route_priority(&s->cidr, true), TN_ROLE_ROUTE_NOBODY, s->cidr.is_ip4, 0);
	match_destination(e, &s->cidr);
	unreachable(e, s->gateway_ip, no_host(s->cidr.is_ip4));
}

void tn_unit_router(struct tn_emit *e, struct tn_rtr *router)
{
	bool ip6 = false;

	if (!router->local || !router->t.object || !tn_rtr_number(e->c, router)) {
		tn_numbers_give_back(e->c->numbers, TN_NUMBER_ROUTER,
			tn_numbers_find(e->c->numbers, TN_NUMBER_ROUTER, router->t.named.name));
		return;
	}
	for (uint32_t i = 0; i < router->n_interfaces; i++) {
		const struct tn_interface *x = &router->interfaces[i];

		if (!is_active(router, x))
			continue;
		gateway(e, router, subnet_of(x)->gateway_ip);
		connected(e, router, subnet_of(x));
		ip6 |= !subnet_of(x)->cidr.is_ip4;
	}
	if (ip6)
		answer_echo(e, router, TN_GATEWAY_LINK_LOCAL);
	errors(e, router);
	routes(e, router);
}
