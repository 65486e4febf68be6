/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold of ports: addresses, what they are allowed, where they are attached. */
#include <stdio.h>
#include <string.h>

#include "control/model/prefix.h"
#include "control/model/tenant_json.h"
#include "control/model/tenants_private.h"

/* Names the other object in a client's own tenant; others' are nobody's business. */
static const char *name_of(
	const struct tn_tenant_check *c, const struct tn_tenant_object *o, char *buf, size_t size)
{
	if (c->draft->origin.scope && strcmp(c->draft->origin.scope, o->value.c.tenant_id) != 0)
		return "another port";
	snprintf(buf, size, "%s \"%s\"", tn_tenant_kind_name(o->value.kind), o->value.c.id);
	return buf;
}

static void check_mac(const struct tn_tenant_check *c, const struct tn_tenant_port *p)
{
	const struct tn_tenant_object *rival = tn_tenant_rival(c,
		tn_claims_find(&c->t->claims, TN_CLAIM_MAC, p->network_id,
			TN_CLAIM_NUMBER(p->mac_address)));
	char name[96];

	if (rival)
		tn_tenant_complain(c, "/mac_address",
			"%02x:%02x:%02x:%02x:%02x:%02x is the address of %s on the same network; "
			"take another or none",
			p->mac_address.b[0], p->mac_address.b[1], p->mac_address.b[2],
			p->mac_address.b[3], p->mac_address.b[4], p->mac_address.b[5],
			name_of(c, rival, name, sizeof(name)));
}

static void check_taken(const struct tn_tenant_check *c, const struct tn_tenant_port *p,
	tn_u128 address, const char *path)
{
	const struct tn_claim *claim = tn_claims_find(
		&c->t->claims, TN_CLAIM_ADDRESS, p->network_id, TN_CLAIM_HALVES(address));
	const struct tn_tenant_object *rival = tn_tenant_rival(c, claim);
	char text[TN_ADDRESS_TEXT], name[96];

	if (!rival)
		return;
	if (rival->value.kind == TN_TENANT_SUBNET)
		tn_tenant_complain(c, path, "%s is the gateway of %s; take another",
			tn_address_text(address, text), name_of(c, rival, name, sizeof(name)));
	else
		tn_tenant_complain(c, path,
			"%s is an address of %s on the same network; take another",
			tn_address_text(address, text), name_of(c, rival, name, sizeof(name)));
}

static void check_fixed_ip(
	const struct tn_tenant_check *c, const struct tn_tenant_port *p, uint32_t i)
{
	const struct tn_fixed_ip *ip = &p->fixed_ips[i];
	const struct tn_tenant_object *subnet;
	char path[48], text[TN_ADDRESS_TEXT], cidr[TN_ADDRESS_TEXT + 4];

	snprintf(path, sizeof(path), "/fixed_ips/%u", i);
	if (!ip->subnet_id[0]) {
		tn_tenant_complain(c, path,
			"%s is in no subnet of network \"%s\"; take an address of one, or add it",
			tn_address_text(ip->ip_address, text), p->network_id);
		return;
	}
	subnet = tn_tenant_check_reference(c, TN_TENANT_SUBNET, ip->subnet_id, path, false);
	if (!subnet)
		return;
	if (strcmp(subnet->value.subnet.network_id, p->network_id) != 0)
		tn_tenant_complain(c, path,
			"subnet \"%s\" is of network \"%s\", and the port on \"%s\"; name a subnet "
			"of that one",
			ip->subnet_id, subnet->value.subnet.network_id, p->network_id);
	else if (!tn_prefix_holds_station(&subnet->value.subnet.cidr, ip->ip_address))
		tn_tenant_complain(c, path,
			"%s is no station's address of %s, subnet \"%s\"; take another",
			tn_address_text(ip->ip_address, text),
			tn_prefix_text(&subnet->value.subnet.cidr, cidr), ip->subnet_id);
	check_taken(c, p, ip->ip_address, path);
}

/* Bindings. */

static bool same_vlan(const struct tn_binding *a, const struct tn_binding *b)
{
	return a->has_vlan == b->has_vlan && (!a->has_vlan || a->vlan == b->vlan);
}

static void check_device(const struct tn_tenant_check *c, const struct tn_binding *b)
{
	const struct tn_claim *claim =
		tn_claims_find(&c->t->claims, TN_CLAIM_DEVICE, b->host, b->device);

	for (uint32_t i = 0; claim && i < claim->n; i++) {
		const struct tn_tenant_object *o = claim->holders[i];
		const struct tn_binding *other = &o->value.port.binding;

		if (o == c->o)
			continue;
		if (b->kind != TN_BINDING_BAREMETAL || other->kind != TN_BINDING_BAREMETAL)
			tn_tenant_complain(c, "/binding/device",
				"\"%s\" of host \"%s\" has port \"%s\" already; name another device",
				b->device, b->host, o->value.c.id);
		else if (same_vlan(b, other) && b->has_vlan)
			tn_tenant_complain(c, "/binding/vlan",
				"VLAN %u on \"%s\" of host \"%s\" is of port \"%s\" already; take "
				"another",
				b->vlan, b->device, b->host, o->value.c.id);
		else if (same_vlan(b, other))
			tn_tenant_complain(c, "/binding/device",
				"untagged frames on \"%s\" of host \"%s\" are of port \"%s\" "
				"already; give a \"vlan\"",
				b->device, b->host, o->value.c.id);
		else if (strcmp(b->datapath, other->datapath) != 0)
			tn_tenant_complain(c, "/binding/datapath",
				"port \"%s\" on the same device has datapath \"%s\"; a device has "
				"one",
				o->value.c.id, other->datapath);
	}
}

static void check_socket(const struct tn_tenant_check *c, const struct tn_binding *b)
{
	const struct tn_tenant_object *rival = tn_tenant_rival(
		c, tn_claims_find(&c->t->claims, TN_CLAIM_SOCKET, b->host, b->vhost_socket));

	if (b->vhost_socket[0] && rival)
		tn_tenant_complain(c, "/binding/vhost_socket",
			"%s on host \"%s\" is the socket of port \"%s\" already; take another",
			b->vhost_socket, b->host, rival->value.c.id);
}

static void check_remote(const struct tn_tenant_check *c, const struct tn_tenant_port *p)
{
	const struct tn_claim *claim =
		tn_claims_find(&c->t->claims, TN_CLAIM_VTEP, TN_CLAIM_HALVES(p->binding.vtep));
	const struct tn_tenant_object *network =
		tn_tenants_get(c->t, TN_TENANT_NETWORK, p->network_id);
	uint32_t max = tn_tenants_mtu_max(c->t, p->network_id);
	char text[TN_ADDRESS_TEXT];

	if (claim)
		tn_tenant_complain(c, "/binding/vtep",
			"%s is host \"%s\"; bind the port to that host, as \"vm\", \"container\" "
			"or \"baremetal\"",
			tn_address_text(p->binding.vtep, text), claim->holders[0]->value.c.id);
	if (network && network->value.network.mtu > max)
		tn_tenant_complain(c, "/binding/vtep",
			"the network's MTU is %u, and a tunnel there leaves %u; lower the former",
			network->value.network.mtu, max);
}

static void check_binding(const struct tn_tenant_check *c, const struct tn_tenant_port *p)
{
	const struct tn_binding *b = &p->binding;

	if (b->host[0])
		(void)tn_tenant_check_reference(c, TN_TENANT_HOST, b->host, "/binding/host", true);
	switch (b->kind) {
	case TN_BINDING_VM:
		check_socket(c, b);
		break;
	case TN_BINDING_CONTAINER:
	case TN_BINDING_BAREMETAL:
		check_device(c, b);
		break;
	case TN_BINDING_REMOTE:
		check_remote(c, p);
		break;
	case TN_BINDING_NONE:
		break;
	}
}

static bool same_binding(const struct tn_binding *a, const struct tn_binding *b)
{
	return a->kind == b->kind && strcmp(a->host, b->host) == 0 &&
		strcmp(a->vhost_socket, b->vhost_socket) == 0 &&
		a->vhost_server == b->vhost_server && strcmp(a->device, b->device) == 0 &&
		strcmp(a->datapath, b->datapath) == 0 && same_vlan(a, b) && a->vtep == b->vtep;
}

/* What a tenant's own client cannot choose: devices of hosts, and what its provider put on it. */
static void check_provider(const struct tn_tenant_check *c, const struct tn_tenant_port *p)
{
	static const struct tn_binding none = {
		.host = "", .vhost_socket = "", .device = "", .datapath = ""};
	const struct tn_tenant_object *before = c->draft->before, *policy;
	const char *old = before ? before->value.port.qos_policy_id : "";

	if (!c->draft->origin.scope || c->is_user)
		return;
	if (!same_binding(&p->binding, before ? &before->value.port.binding : &none))
		tn_tenant_complain(c, "/binding",
			"where a port is attached is the provider's to say; leave \"binding\" out");
	policy = old[0] ? tn_tenants_get(c->t, TN_TENANT_QOS_POLICY, old) : NULL;
	if (policy && !policy->value.c.tenant_id[0] && strcmp(old, p->qos_policy_id) != 0)
		tn_tenant_complain(c, "/qos_policy_id",
			"the provider put policy \"%s\" on this port; leave it", old);
}

void tn_tenant_check_port(const struct tn_tenant_check *c)
{
	const struct tn_tenant_port *p = &c->o->value.port;

	if (p->mac_learning_enabled && p->port_security_enabled)
		tn_tenant_complain(c, "/mac_learning_enabled",
			"port security lets no other MAC address in, so that none can be learnt; "
			"set \"port_security_enabled\" to false");
	if (p->qos_policy_id[0])
		(void)tn_tenant_check_reference(
			c, TN_TENANT_QOS_POLICY, p->qos_policy_id, "/qos_policy_id", true);
	check_provider(c, p);
	check_binding(c, p);
	if (!tn_tenant_check_reference(c, TN_TENANT_NETWORK, p->network_id, "/network_id", false))
		return;
	check_mac(c, p);
	for (uint32_t i = 0; i < p->n_fixed_ips; i++)
		check_fixed_ip(c, p, i);
}
