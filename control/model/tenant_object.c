/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/tenant_object.h"

#include <stdlib.h>
#include <string.h>

#include "control/model/tenant_json.h"

/* All that an object points to goes into one block; a pass without memory measures it. */
struct packer {
	uint8_t *at; /* NULL: measure */
	size_t used;
};

static void *pack(struct packer *p, const void *from, size_t size, size_t align)
{
	size_t start = (p->used + align - 1) & ~(align - 1);

	p->used = start + size;
	if (!p->at)
		return NULL;
	if (size)
		memcpy(p->at + start, from, size);
	return p->at + start;
}

static const char *packed_string(struct packer *p, const char *s)
{
	const char *copy = pack(p, s, strlen(s) + 1, 1);

	return copy ? copy : s;
}

static void pack_string(struct packer *p, const char **s)
{
	*s = packed_string(p, *s);
}

/* An array without pointers in it. */
static const void *pack_array(struct packer *p, const void *from, uint32_t n, size_t size)
{
	const void *copy = pack(p, from, n * size, 16);

	return copy ? copy : from;
}

static void pack_subnet(struct packer *p, struct tn_subnet *s)
{
	pack_string(p, &s->network_id);
	s->allocation_pools = pack_array(
		p, s->allocation_pools, s->n_allocation_pools, sizeof(*s->allocation_pools));
	s->dns_nameservers = pack_array(
		p, s->dns_nameservers, s->n_dns_nameservers, sizeof(*s->dns_nameservers));
	s->host_routes = pack_array(p, s->host_routes, s->n_host_routes, sizeof(*s->host_routes));
}

static void pack_fixed_ips(struct packer *p, struct tn_tenant_port *port)
{
	struct tn_fixed_ip *list = pack(p, port->fixed_ips, port->n_fixed_ips * sizeof(*list), 16);

	for (uint32_t i = 0; i < port->n_fixed_ips; i++) {
		const char *id = packed_string(p, port->fixed_ips[i].subnet_id);

		if (list)
			list[i].subnet_id = id;
	}
	if (list)
		port->fixed_ips = list;
}

static void pack_options(struct packer *p, struct tn_tenant_port *port)
{
	struct tn_dhcp_option *list =
		pack(p, port->extra_dhcp_opts, port->n_extra_dhcp_opts * sizeof(*list), 16);

	for (uint32_t i = 0; i < port->n_extra_dhcp_opts; i++) {
		const char *name = packed_string(p, port->extra_dhcp_opts[i].name);
		const char *value = packed_string(p, port->extra_dhcp_opts[i].value);

		if (!list)
			continue;
		list[i].name = name;
		list[i].value = value;
	}
	if (list)
		port->extra_dhcp_opts = list;
}

static void pack_port(struct packer *p, struct tn_tenant_port *port)
{
	pack_string(p, &port->network_id);
	pack_fixed_ips(p, port);
	port->allowed_address_pairs = pack_array(p, port->allowed_address_pairs,
		port->n_allowed_address_pairs, sizeof(*port->allowed_address_pairs));
	pack_string(p, &port->qos_policy_id);
	pack_options(p, port);
	pack_string(p, &port->device_id);
	pack_string(p, &port->device_owner);
	pack_string(p, &port->binding.host);
	pack_string(p, &port->binding.vhost_socket);
	pack_string(p, &port->binding.device);
	pack_string(p, &port->binding.datapath);
}

static void pack_router(struct packer *p, struct tn_router *router)
{
	struct tn_router_interface *list =
		pack(p, router->interfaces, router->n_interfaces * sizeof(*list), 16);

	for (uint32_t i = 0; i < router->n_interfaces; i++) {
		const char *id = packed_string(p, router->interfaces[i].subnet_id);

		if (list)
			list[i].subnet_id = id;
	}
	if (list)
		router->interfaces = list;
	router->routes = pack_array(p, router->routes, router->n_routes, sizeof(*router->routes));
}

static void pack_value(struct packer *p, struct tn_tenant_value *value)
{
	pack_string(p, &value->c.id);
	pack_string(p, &value->c.name);
	pack_string(p, &value->c.tenant_id);
	pack_string(p, &value->c.description);
	switch (value->kind) {
	case TN_TENANT_NETWORK:
		pack_string(p, &value->network.qos_policy_id);
		break;
	case TN_TENANT_SUBNET:
		pack_subnet(p, &value->subnet);
		break;
	case TN_TENANT_PORT:
		pack_port(p, &value->port);
		break;
	case TN_TENANT_ROUTER:
		pack_router(p, &value->router);
		break;
	case TN_TENANT_HOST:
		value->host.vtep_addresses = pack_array(p, value->host.vtep_addresses,
			value->host.n_vtep_addresses, sizeof(*value->host.vtep_addresses));
		break;
	case TN_TENANT_ADDRESS_GROUP:
		value->address_group.addresses = pack_array(p, value->address_group.addresses,
			value->address_group.n_addresses, sizeof(*value->address_group.addresses));
		break;
	case TN_TENANT_QOS_POLICY:
	case TN_TENANT_QUOTA:
	case TN_TENANT_N_KINDS:
		break;
	}
}

static char *print(const struct tn_tenant_value *value)
{
	json_t *j = tn_tenant_to_json(value);
	char *text = json_dumps(j, JSON_COMPACT);

	if (!text)
		abort();
	json_decref(j);
	return text;
}

struct tn_tenant_object *tn_tenant_object_new(const struct tn_tenant_value *value)
{
	struct tn_tenant_value copy = *value;
	struct packer p = {0};
	struct tn_tenant_object *o;
	char *text;
	size_t len;

	copy.unset = 0;
	text = print(&copy);
	len = strlen(text);
	pack_value(&p, &copy);
	o = aligned_alloc(16, (sizeof(*o) + p.used + len + 1 + 15) & ~(size_t)15);
	if (!o)
		abort();
	*o = (struct tn_tenant_object){.refs = 1, .value = copy};
	o->bytes = (uint32_t)(sizeof(*o) + p.used + len + 1);
	p = (struct packer){.at = (uint8_t *)(o + 1)};
	pack_value(&p, &o->value);
	o->text = pack(&p, text, len + 1, 1);
	o->text_len = (uint32_t)len;
	free(text);
	return o;
}

struct tn_tenant_object *tn_tenant_object_get(const struct tn_tenant_object *o)
{
	struct tn_tenant_object *own = (struct tn_tenant_object *)(uintptr_t)o;

	own->refs++;
	return own;
}

void tn_tenant_object_put(const struct tn_tenant_object *o)
{
	struct tn_tenant_object *own = (struct tn_tenant_object *)(uintptr_t)o;

	if (own && !--own->refs)
		free(own);
}

bool tn_tenant_object_same(const struct tn_tenant_object *a, const struct tn_tenant_object *b)
{
	return a == b ||
		(a->value.kind == b->value.kind && a->text_len == b->text_len &&
			memcmp(a->text, b->text, a->text_len) == 0);
}
