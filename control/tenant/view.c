/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions about the declaration. */
#include "control/tenant/state.h"

#include <stdio.h>
#include <string.h>

bool tn_net_is_up(const struct tn_net *net)
{
	const struct tn_network *n = tn_net_object(net);

	return n && n->admin_state_up && n->vni && n->vni < 1u << 24;
}

bool tn_rtr_is_up(const struct tn_rtr *router)
{
	return router->t.object && tn_rtr_object(router)->admin_state_up;
}

/* An address of one station, and not the gateways'. */
static bool mac_is_sound(uint64_t mac)
{
	return mac && !(mac >> 40 & 1) && mac != TN_GATEWAY_MAC;
}

bool tn_vport_is_up(const struct tn_vport *port)
{
	return port->t.object && tn_vport_object(port)->admin_state_up && port->net &&
		tn_net_is_up(port->net) && mac_is_sound(tn_vport_mac(port));
}

bool tn_vport_is_here(const struct tn_compiler *c, const struct tn_vport *port)
{
	const struct tn_binding *b = &tn_vport_object(port)->binding;

	return (b->kind == TN_BINDING_VM || b->kind == TN_BINDING_CONTAINER ||
		       b->kind == TN_BINDING_BAREMETAL) &&
		*c->host && strcmp(b->host, c->host) == 0;
}

bool tn_vport_is_remote(const struct tn_vport *port)
{
	const struct tn_binding *b = &tn_vport_object(port)->binding;

	return b->kind == TN_BINDING_REMOTE && b->vtep;
}

bool tn_vport_learns(const struct tn_vport *port)
{
	return tn_vport_object(port)->mac_learning_enabled &&
		!tn_vport_object(port)->port_security_enabled;
}

bool tn_vport_is_secured(const struct tn_vport *port)
{
	return tn_vport_object(port)->port_security_enabled;
}

uint32_t tn_net_mtu(const struct tn_compiler *c, const struct tn_net *net)
{
	uint32_t mtu = tn_net_object(net)->mtu;

	return mtu ? mtu : c->mtu;
}

const struct tn_sub *tn_net_subnet(const struct tn_net *net, const char *subnet_id, tn_u128 address)
{
	const struct tn_sub *sub;

	TN_LIST_EACH(sub, &net->subnets, const struct tn_sub, link) {
		if (!sub->t.object)
			continue;
		if (*subnet_id ? strcmp(sub->t.named.name, subnet_id) == 0
			       : tn_prefix_holds(&tn_sub_object(sub)->cidr, address))
			return sub;
	}
	return NULL;
}

/* Of one station: what the switch takes for the sender of an answer. */
static bool is_station(tn_u128 address)
{
	uint32_t ip4;

	if (!tn_u128_is_ip4(address, &ip4))
		return address > 1 && (uint8_t)(address >> 120) != 0xff;
	return ip4 >> 24 && ip4 >> 24 != 127 && ip4 < 0xe0000000;
}

bool tn_sub_holds(const struct tn_sub *sub, tn_u128 address)
{
	return is_station(address) && tn_prefix_holds(&tn_sub_object(sub)->cidr, address);
}

struct tn_rtr *tn_sub_router(const struct tn_sub *sub)
{
	const struct tn_interface *interface;
	struct tn_rtr *first = NULL;

	if (!sub->t.object || !tn_sub_object(sub)->has_gateway ||
		!tn_sub_holds(sub, tn_sub_object(sub)->gateway_ip))
		return NULL;
	/* One in a sound declaration; else the first by name, in whatever order they came. */
	TN_LIST_EACH(interface, &sub->interfaces, const struct tn_interface, link) {
		struct tn_rtr *router = interface->router;

		if (tn_rtr_is_up(router) &&
			(!first || strcmp(router->t.named.name, first->t.named.name) < 0))
			first = router;
	}
	return first;
}

struct tn_vport *tn_net_holder(const struct tn_net *net, tn_u128 address)
{
	struct tn_vport *port, *first = NULL;

	TN_LIST_EACH(port, &net->ports, struct tn_vport, net_link) {
		const struct tn_tenant_port *p = tn_vport_object(port);

		for (uint32_t i = 0; p && i < p->n_fixed_ips; i++) {
			if (p->fixed_ips[i].ip_address == address && tn_vport_is_up(port) &&
				(!first || strcmp(port->t.named.name, first->t.named.name) < 0))
				first = port;
		}
	}
	return first;
}

const struct tn_qos_policy *tn_vport_qos(const struct tn_compiler *c, const struct tn_vport *port)
{
	const char *id = tn_vport_object(port)->qos_policy_id;
	const struct tn_thing *t;

	if (!*id)
		id = tn_net_object(port->net)->qos_policy_id;
	t = *id ? tn_state_find(c, TN_TENANT_QOS_POLICY, id) : NULL;
	return t ? t->object : NULL;
}

bool tn_vport_is_limited(const struct tn_compiler *c, const struct tn_vport *port)
{
	const struct tn_qos_policy *qos = tn_vport_qos(c, port);

	return qos && qos->ingress.there && (qos->ingress.max_kbps || qos->ingress.max_kpps);
}

/* --- numbers --- */

uint32_t tn_place_number(struct tn_compiler *c, const struct tn_place *place)
{
	return tn_numbers_take(c->numbers, TN_NUMBER_PORT, place->t.named.name);
}

uint32_t tn_vport_number(struct tn_compiler *c, const struct tn_vport *port)
{
	char name[TN_TENANT_ID_MAX + 8];

	if (port->place)
		return tn_place_number(c, port->place);
	snprintf(name, sizeof(name), "port/%s", port->t.named.name);
	return tn_numbers_take(c->numbers, TN_NUMBER_PORT, name);
}

uint32_t tn_rtr_number(struct tn_compiler *c, const struct tn_rtr *router)
{
	return tn_numbers_take(c->numbers, TN_NUMBER_ROUTER, router->t.named.name);
}

uint32_t tn_vport_switch_port(struct tn_compiler *c, const struct tn_vport *port)
{
	uint32_t number;

	if (port->device)
		return port->device->number;
	number = tn_vport_number(c, port);
	return number ? TN_TENANT_PORT_BASE + number : 0;
}

bool tn_vport_shares_device(const struct tn_vport *port)
{
	return port->device != NULL;
}

/* --- ways --- */

struct tn_tunnel_to tn_tunnel_to_host(const struct tn_compiler *c, const struct tn_vhost *host)
{
	const struct tn_tenant_host *h = host ? host->t.object : NULL;
	struct tn_tunnel_to none = {0};
	bool want4 = c->vtep4 != 0;

	for (unsigned pass = 0; h && pass < 2; pass++, want4 = false) {
		if (!want4 && !c->vtep6)
			continue;
		for (uint32_t i = 0; i < h->n_vtep_addresses; i++) {
			if (tn_address_is_ip4(h->vtep_addresses[i]) == want4)
				return (struct tn_tunnel_to){
					want4 ? TN_TENANT_VXLAN4_PORT : TN_TENANT_VXLAN6_PORT,
					h->vtep_addresses[i]};
		}
	}
	return none;
}

struct tn_tunnel_to tn_tunnel_to_place(const struct tn_compiler *c, const struct tn_place *place)
{
	bool ip4 = tn_address_is_ip4(place->vtep);
	struct tn_tunnel_to none = {0};

	if (!(ip4 ? c->vtep4 : c->vtep6))
		return none;
	return (struct tn_tunnel_to){
		ip4 ? TN_TENANT_VXLAN4_PORT : TN_TENANT_VXLAN6_PORT, place->vtep};
}

/* An endpoint of a Tenon host is no place for remote ports: its frames are not to be served. */
static bool is_host(const struct tn_compiler *c, tn_u128 vtep)
{
	const struct tn_vhost *host;

	TN_LIST_EACH(host, &c->hosts, const struct tn_vhost, link) {
		const struct tn_tenant_host *h = host->t.object;

		for (uint32_t i = 0; h && i < h->n_vtep_addresses; i++) {
			if (h->vtep_addresses[i] == vtep)
				return true;
		}
	}
	return false;
}

bool tn_place_is_active(const struct tn_compiler *c, const struct tn_place *place)
{
	const struct tn_vport *port;

	if (!place->net || !place->net->needed || !tn_tunnel_to_place(c, place).port ||
		is_host(c, place->vtep))
		return false;
	TN_LIST_EACH(port, &place->net->ports, const struct tn_vport, net_link) {
		if (port->place == place && tn_vport_is_up(port))
			return true;
	}
	return false;
}

bool tn_place_is_secured(const struct tn_place *place)
{
	const struct tn_vport *port;

	TN_LIST_EACH(port, &place->net->ports, const struct tn_vport, net_link) {
		if (port->place == place && tn_vport_is_up(port) && !tn_vport_is_secured(port))
			return false;
	}
	return true;
}

bool tn_place_learns(const struct tn_place *place)
{
	const struct tn_vport *port;

	TN_LIST_EACH(port, &place->net->ports, const struct tn_vport, net_link) {
		if (port->place == place && tn_vport_is_up(port) && tn_vport_learns(port))
			return true;
	}
	return false;
}

/* Of a network, the host that is first by name and has a port of it; NULL: none. */
static const struct tn_vhost *first_host(const struct tn_net *net)
{
	const struct tn_vhost *first = NULL;
	const struct tn_vport *port;

	TN_LIST_EACH(port, &net->ports, const struct tn_vport, net_link) {
		if (!port->host || !port->host->t.object || !tn_vport_is_up(port))
			continue;
		if (!first || strcmp(port->host->t.named.name, first->t.named.name) < 0)
			first = port->host;
	}
	return first;
}

/* A network without a host of its own is served by one from which a router leads there. */
static const struct tn_vhost *first_routed_host(const struct tn_net *net)
{
	const struct tn_vhost *first = NULL;
	const struct tn_sub *sub;

	TN_LIST_EACH(sub, &net->subnets, const struct tn_sub, link) {
		const struct tn_rtr *router = tn_sub_router(sub);

		for (uint32_t i = 0; router && i < router->n_interfaces; i++) {
			const struct tn_net *other = router->interfaces[i].sub->net;
			const struct tn_vhost *host = other ? first_host(other) : NULL;

			if (host && (!first || strcmp(host->t.named.name, first->t.named.name) < 0))
				first = host;
		}
	}
	return first;
}

bool tn_place_is_served_here(const struct tn_compiler *c, const struct tn_place *place)
{
	const struct tn_vhost *host = first_host(place->net);

	if (!host)
		host = first_routed_host(place->net);
	return host && strcmp(host->t.named.name, c->host) == 0;
}

bool tn_net_learns(const struct tn_net *net)
{
	const struct tn_vport *port;

	TN_LIST_EACH(port, &net->ports, const struct tn_vport, net_link) {
		if (tn_vport_is_up(port) && tn_vport_learns(port))
			return true;
	}
	return false;
}
