/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a host answers in place of gateways, DHCP servers and known neighbours. A frame is served by
 * the host whose port it comes from; of an endpoint that is no host, by one host for all.
 */
#include "control/tenant/tell.h"

#include <string.h>

#define UDP	   17u
#define ICMPV6	   58u
#define DHCP4_PORT 67u
#define DHCP6_PORT 547u

enum { RS = 133, NS = 135 };

static const struct tn_mac gateway_mac = {{0x02, 0x00, 0x5e, 0x00, 0x01, 0x01}};

struct tn_action *tn_emit_reply(struct tn_emit *e, enum tn_reply_kind kind, tn_u128 ip)
{
	struct tn_action *a = tn_emit_action(e, TN_ACTION_REPLY);

	a->reply.kind = (uint8_t)kind;
	if (tn_reply_forms[kind].takes & TN_REPLY_TAKES_MAC)
		a->reply.mac = gateway_mac;
	if (tn_reply_forms[kind].takes & TN_REPLY_TAKES_IP)
		a->reply.ip = ip;
	return a;
}

/* The data of the answer that was begun last. */
static void reply_data(struct tn_emit *e, struct tn_action *reply, const struct tn_told *told)
{
	struct tn_action notes[TN_REPLY_NOTES_MAX];
	uint16_t n = tn_reply_data_notes(told->data, told->n, notes);

	for (uint16_t i = 0; i < n; i++)
		*tn_emit_action(e, TN_ACTION_NOTE) = notes[i];
	reply->n_nested = n;
}

static void answer(struct tn_emit *e)
{
	tn_emit_back(e);
	tn_emit_end(e);
}

static void service(struct tn_emit *e, unsigned priority, enum tn_rule_role role)
{
	tn_emit_flow(e, TN_TABLE_SERVICES, priority, role);
}

static void match_arp(struct tn_emit *e, tn_u128 target)
{
	tn_emit_match(e, TN_FIELD_ETH_TYPE, 0x0806);
	tn_emit_match(e, TN_FIELD_ARP_OP, 1);
	tn_emit_match(e, TN_FIELD_ARP_TPA, target & UINT32_MAX);
}

static void match_solicitation(struct tn_emit *e, tn_u128 target)
{
	tn_emit_match_ip(e, false, ICMPV6);
	tn_emit_match(e, TN_FIELD_ICMPV6_TYPE, NS);
	tn_emit_match(e, TN_FIELD_ND_TARGET, target);
}

/* --- a network's ------------------------------------------------------------------------------ */

/* whose: of the network's own sources, or (not 0) of one alone, which overrides. */
static void answer_gateway(
	struct tn_emit *e, const struct tn_net *net, uint32_t whose, tn_u128 address)
{
	bool ip4 = tn_address_is_ip4(address);
	struct tn_action *reply;

	service(e, whose ? 48500 : 30000, ip4 ? TN_ROLE_ANSWER_ARP : TN_ROLE_ANSWER_ND);
	tn_emit_net(e, net);
	if (whose)
		tn_emit_source(e, whose);
	if (ip4) {
		match_arp(e, address);
		tn_emit_reply(e, TN_REPLY_ARP, 0);
	} else {
		match_solicitation(e, address);
		reply = tn_emit_reply(e, TN_REPLY_ND, 0);
		reply->reply.router = true;
	}
	answer(e);
}

/* The router of a subnet, if this host does its work. */
static const struct tn_rtr *here_router(const struct tn_sub *sub)
{
	const struct tn_rtr *router = tn_sub_router(sub);

	return router && router->local ? router : NULL;
}

void tn_emit_gateways(struct tn_emit *e, const struct tn_net *net, uint32_t whose)
{
	const struct tn_sub *sub;
	bool ip6 = false;

	TN_LIST_EACH(sub, &net->subnets, struct tn_sub, link) {
		if (!here_router(sub))
			continue;
		answer_gateway(e, net, whose, tn_sub_object(sub)->gateway_ip);
		ip6 |= !tn_sub_object(sub)->cidr.is_ip4;
	}
	if (ip6)
		answer_gateway(e, net, whose, TN_GATEWAY_LINK_LOCAL);
}

static void answer_router_solicitation(struct tn_emit *e, const struct tn_net *net)
{
	struct tn_told told;

	if (!tn_tell_ra(e->c, net, &told))
		return;
	service(e, 30000, TN_ROLE_ANSWER_RA);
	tn_emit_net(e, net);
	tn_emit_match_ip(e, false, ICMPV6);
	tn_emit_match(e, TN_FIELD_ICMPV6_TYPE, RS);
	reply_data(e, tn_emit_reply(e, TN_REPLY_RA, TN_GATEWAY_LINK_LOCAL), &told);
	answer(e);
}

void tn_emit_advertise(
	struct tn_emit *e, const struct tn_net *net, uint32_t ports, uint32_t endpoints)
{
	struct tn_action *reply;
	struct tn_told told;

	if ((!ports && !endpoints) || !tn_tell_ra(e->c, net, &told))
		return;
	service(e, 30000, TN_ROLE_ADVERTISE);
	tn_emit_net(e, net);
	tn_emit_source(e, TN_SOURCE_NOBODY);
	tn_emit_match_ip(e, false, ICMPV6);
	tn_emit_match(e, TN_FIELD_ICMPV6_TYPE, RS);
	tn_emit_action(e, TN_ACTION_ADVERTISE)->advertise.least = TN_ADVERTISE_MIN_SECONDS;
	e->actions[e->n_actions - 1].advertise.most = TN_ADVERTISE_MAX_SECONDS;
	tn_emit_set(e, TN_FIELD_TUNNEL_ID, tn_net_object(net)->vni);
	reply = tn_emit_reply(e, TN_REPLY_RA, TN_GATEWAY_LINK_LOCAL);
	reply_data(e, reply, &told);
	if (ports)
		tn_emit_action(e, TN_ACTION_GROUP)->group_id = ports;
	if (endpoints)
		tn_emit_action(e, TN_ACTION_GROUP)->group_id = endpoints;
	tn_emit_end(e);
}

/* The subnet's sources, if it is not NULL, else all of the network's. */
static void to_router(struct tn_emit *e, const struct tn_net *net, const struct tn_rtr *router,
	const struct tn_sub *sub, bool ip4)
{
	uint32_t number = tn_rtr_number(e->c, router);

	if (!number)
		return;
	service(e, sub ? 21000 : 20000, TN_ROLE_TO_ROUTER);
	tn_emit_net(e, net);
	tn_emit_match(e, TN_FIELD_ETH_DST, TN_GATEWAY_MAC);
	tn_emit_match_ip(e, ip4, 0);
	if (sub)
		tn_emit_match_prefix(
			e, TN_FIELD_IPV4_SRC, TN_FIELD_IPV6_SRC, &tn_sub_object(sub)->cidr);
	tn_emit_set(e, TN_REG_ROUTER, number);
	tn_emit_goto(e, TN_TABLE_ROUTING);
	tn_emit_end(e);
}

/* Where several routers have subnets of a network, the source's subnet says which one is meant. */
static void to_routers(struct tn_emit *e, const struct tn_net *net)
{
	const struct tn_rtr *first = NULL, *router;
	const struct tn_sub *sub;
	bool several = false;

	TN_LIST_EACH(sub, &net->subnets, struct tn_sub, link) {
		router = here_router(sub);
		if (!router)
			continue;
		several |= first && first != router;
		if (!first || strcmp(router->t.named.name, first->t.named.name) < 0)
			first = router;
	}
	if (!first)
		return;
	to_router(e, net, first, NULL, true);
	to_router(e, net, first, NULL, false);
	TN_LIST_EACH(sub, &net->subnets, struct tn_sub, link) {
		router = here_router(sub);
		if (several && router)
			to_router(e, net, router, sub, tn_sub_object(sub)->cidr.is_ip4);
	}
}

void tn_unit_network_services(struct tn_emit *e, const struct tn_net *net)
{
	tn_emit_gateways(e, net, 0);
	answer_router_solicitation(e, net);
	to_routers(e, net);
}

/* --- a port's --------------------------------------------------------------------------------- */

/* It looks whether somebody else has its address, or says that it has it: nobody answers. */
static void announce(struct tn_emit *e, uint32_t number, tn_u128 address)
{
	service(e, 36000, TN_ROLE_ANNOUNCE);
	tn_emit_source(e, number);
	if (tn_address_is_ip4(address))
		match_arp(e, address);
	else
		match_solicitation(e, address);
	tn_emit_goto(e, TN_TABLE_BRIDGE);
	tn_emit_end(e);
}

/* The first address of the port in a subnet whose machines ask for it. */
static const struct tn_sub *leased(const struct tn_vport *port, bool ip4, tn_u128 *address)
{
	const struct tn_tenant_port *p = tn_vport_object(port);

	for (uint32_t i = 0; i < p->n_fixed_ips; i++) {
		const struct tn_fixed_ip *ip = &p->fixed_ips[i];
		const struct tn_sub *sub = tn_net_subnet(port->net, ip->subnet_id, ip->ip_address);
		const struct tn_subnet *s = sub ? tn_sub_object(sub) : NULL;

		*address = ip->ip_address;
		if (s && s->enable_dhcp && s->cidr.is_ip4 == ip4 && tn_sub_holds(sub, *address) &&
			(ip4 || s->ipv6_mode == TN_IPV6_STATEFUL ||
				s->ipv6_mode == TN_IPV6_STATELESS))
			return sub;
	}
	return NULL;
}

static void match_dhcp(struct tn_emit *e, const struct tn_vport *port, uint32_t number, bool ip4)
{
	service(e, 48700, TN_ROLE_ANSWER_DHCP);
	tn_emit_source(e, number);
	tn_emit_match(e, TN_FIELD_ETH_SRC, tn_vport_mac(port));
	tn_emit_match_ip(e, ip4, UDP);
	tn_emit_match(e, TN_FIELD_UDP_DST, ip4 ? DHCP4_PORT : DHCP6_PORT);
}

void tn_emit_dhcp(struct tn_emit *e, const struct tn_vport *port, uint32_t number)
{
	const struct tn_sub *sub;
	struct tn_action *reply;
	struct tn_told told;
	tn_u128 address;

	sub = leased(port, true, &address);
	if (sub) {
		tn_tell_dhcp4(e->c, port, sub, &told);
		match_dhcp(e, port, number, true);
		reply = tn_emit_reply(e, TN_REPLY_DHCP4,
			tn_sub_object(sub)->has_gateway &&
					tn_sub_holds(sub, tn_sub_object(sub)->gateway_ip)
				? tn_sub_object(sub)->gateway_ip
				: tn_u128_from_ip4(TN_DHCP_SERVER));
		reply->reply.address = address;
		reply_data(e, reply, &told);
		answer(e);
	}
	sub = leased(port, false, &address);
	if (!sub)
		return;
	tn_tell_dhcp6(port, sub, &told);
	match_dhcp(e, port, number, false);
	reply = tn_emit_reply(e, TN_REPLY_DHCP6, TN_GATEWAY_LINK_LOCAL);
	if (tn_sub_object(sub)->ipv6_mode == TN_IPV6_STATEFUL)
		reply->reply.address = address;
	reply->reply.number = TN_LEASE_SECONDS;
	reply_data(e, reply, &told);
	answer(e);
}

void tn_unit_port_services(struct tn_emit *e, const struct tn_vport *port, uint32_t number)
{
	const struct tn_tenant_port *p = tn_vport_object(port);

	for (uint32_t i = 0; i < p->n_fixed_ips; i++) {
		if (p->fixed_ips[i].ip_address)
			announce(e, number, p->fixed_ips[i].ip_address);
	}
	tn_emit_dhcp(e, port, number);
}

/* Who asks for a port's address is told where it is, without asking the port. */
void tn_emit_neighbour(struct tn_emit *e, const struct tn_vport *port, tn_u128 address)
{
	bool ip4 = tn_address_is_ip4(address);
	struct tn_action *reply;

	service(e, 25000, ip4 ? TN_ROLE_ANSWER_ARP : TN_ROLE_ANSWER_ND);
	tn_emit_net(e, port->net);
	if (ip4)
		match_arp(e, address);
	else
		match_solicitation(e, address);
	reply = tn_emit_reply(e, ip4 ? TN_REPLY_ARP : TN_REPLY_ND, 0);
	reply->reply.mac = tn_vport_object(port)->mac_address;
	answer(e);
}

/* --- an endpoint's -----------------------------------------------------------------------------
 */

static void not_served(struct tn_emit *e, uint32_t number, uint8_t icmp_type)
{
	service(e, 48000, TN_ROLE_SERVED);
	tn_emit_source(e, number);
	if (icmp_type) {
		tn_emit_match_ip(e, false, ICMPV6);
		tn_emit_match(e, TN_FIELD_ICMPV6_TYPE, icmp_type);
	} else {
		tn_emit_match(e, TN_FIELD_ETH_TYPE, 0x0806);
	}
	tn_emit_goto(e, TN_TABLE_BRIDGE);
	tn_emit_end(e);
}

/*
 * Its broadcasts come to every host: ports answer for themselves, and of the gateway's hosts one.
 */
void tn_unit_place_services(struct tn_emit *e, const struct tn_place *place, uint32_t number)
{
	bool here = tn_place_is_served_here(e->c, place);

	not_served(e, number, 0);
	not_served(e, number, NS);
	if (here)
		tn_emit_gateways(e, place->net, number);
	else
		not_served(e, number, RS);
}
