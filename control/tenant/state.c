/* SPDX-License-Identifier: BSD-3-Clause */
/* Things, their links, and who is touched by a change. */
#include "control/tenant/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MTU_DEFAULT  1500u
#define OVERHEAD_IP4 50u
#define OVERHEAD_IP6 70u
#define MTU_MIN	     68u

static const size_t thing_sizes[] = {
	[TN_TENANT_NETWORK] = sizeof(struct tn_net),
	[TN_TENANT_SUBNET] = sizeof(struct tn_sub),
	[TN_TENANT_PORT] = sizeof(struct tn_vport),
	[TN_TENANT_ROUTER] = sizeof(struct tn_rtr),
	[TN_TENANT_HOST] = sizeof(struct tn_vhost),
	[TN_TENANT_QOS_POLICY] = sizeof(struct tn_thing),
	[TN_THING_DEVICE] = sizeof(struct tn_device),
	[TN_THING_PLACE] = sizeof(struct tn_place),
};

static void *checked(void *p)
{
	if (!p)
		abort();
	return p;
}

struct tn_thing *tn_state_find(const struct tn_compiler *c, unsigned kind, const char *name)
{
	return (struct tn_thing *)(void *)tn_named_find(&c->things, kind, name);
}

static void init_lists(struct tn_compiler *c, struct tn_thing *t)
{
	struct tn_vhost *host;
	struct tn_net *net;

	switch (t->named.kind) {
	case TN_TENANT_NETWORK:
		net = (struct tn_net *)(void *)t;
		tn_list_init(&net->subnets);
		tn_list_init(&net->ports);
		tn_list_init(&net->places);
		break;
	case TN_TENANT_SUBNET:
		tn_list_init(&((struct tn_sub *)(void *)t)->interfaces);
		break;
	case TN_TENANT_HOST:
		host = (struct tn_vhost *)(void *)t;
		tn_list_init(&host->ports);
		tn_list_add(&c->hosts, &host->link);
		break;
	case TN_THING_DEVICE:
		tn_list_init(&((struct tn_device *)(void *)t)->ports);
		break;
	default:
		break;
	}
}

/* Made if it is not there. */
static struct tn_thing *get(struct tn_compiler *c, unsigned kind, const char *name)
{
	struct tn_thing *t = tn_state_find(c, kind, name);
	size_t size = thing_sizes[kind], len = strlen(name) + 1;
	char *copy;

	if (t)
		return t;
	t = checked(calloc(1, size + len));
	copy = (char *)t + size;
	memcpy(copy, name, len);
	t->named = (struct tn_named){.name = copy, .kind = kind};
	init_lists(c, t);
	tn_named_add(&c->things, &t->named);
	c->thing_bytes += size + len;
	return t;
}

static void may_go(struct tn_compiler *c, struct tn_thing *t)
{
	if (t->swept)
		return;
	t->swept = true;
	t->next_swept = c->swept;
	c->swept = t;
}

static struct tn_thing *refer(struct tn_compiler *c, unsigned kind, const char *name)
{
	struct tn_thing *t = get(c, kind, name);

	t->refs++;
	return t;
}

void tn_state_release(struct tn_compiler *c, struct tn_thing *t)
{
	t->refs--;
	may_go(c, t);
}

static void free_thing(struct tn_compiler *c, struct tn_thing *t)
{
	c->thing_bytes -= thing_sizes[t->named.kind] + strlen(t->named.name) + 1;
	if (t->named.kind == TN_TENANT_ROUTER)
		free(((struct tn_rtr *)(void *)t)->interfaces);
	free(t);
}

void tn_state_sweep(struct tn_compiler *c)
{
	while (c->swept) {
		struct tn_thing *t = c->swept;

		c->swept = t->next_swept;
		t->swept = false;
		if (t->object || t->refs)
			continue;
		if (t->named.kind == TN_THING_DEVICE && ((struct tn_device *)(void *)t)->number)
			continue;
		if (t->named.kind == TN_TENANT_HOST)
			tn_list_remove(&((struct tn_vhost *)(void *)t)->link);
		tn_named_remove(&c->things, &t->named);
		free_thing(c, t);
	}
}

/* --- marking --------------------------------------------------------------------------------- */

static void mark_network_unit(struct tn_compiler *c, struct tn_net *net)
{
	if (net->unit || net->needed)
		tn_unit_mark(c, TN_UNIT_NETWORK, &net->t, &net->unit);
}

static void mark_place(struct tn_compiler *c, struct tn_place *place)
{
	if (place->unit || place->net->needed)
		tn_unit_mark(c, TN_UNIT_PLACE, &place->t, &place->unit);
}

static void mark_router(struct tn_compiler *c, struct tn_rtr *router)
{
	if (router->unit || router->local)
		tn_unit_mark(c, TN_UNIT_ROUTER, &router->t, &router->unit);
}

static void mark_port(struct tn_compiler *c, struct tn_vport *port)
{
	bool needed = port->net && port->net->needed;

	if (port->unit || port->here_link.next || (port->place && needed))
		tn_unit_mark(c, TN_UNIT_PORT, &port->t, &port->unit);
	if (port->bridge || needed)
		tn_unit_mark(c, TN_UNIT_BRIDGE, &port->t, &port->bridge);
}

static void mark_global(struct tn_compiler *c)
{
	tn_unit_mark(c, TN_UNIT_GLOBAL, NULL, &c->global);
}

void tn_mark_net(struct tn_compiler *c, struct tn_net *net)
{
	struct tn_interface *interface;
	struct tn_place *place;
	struct tn_vport *port;
	struct tn_sub *sub;

	mark_network_unit(c, net);
	TN_LIST_EACH(port, &net->ports, struct tn_vport, net_link)
		mark_port(c, port);
	TN_LIST_EACH(place, &net->places, struct tn_place, net_link)
		mark_place(c, place);
	TN_LIST_EACH(sub, &net->subnets, struct tn_sub, link) {
		TN_LIST_EACH(interface, &sub->interfaces, struct tn_interface, link)
			mark_router(c, interface->router);
	}
}

static void check_net(struct tn_compiler *c, struct tn_net *net)
{
	if (net->checked)
		return;
	net->checked = true;
	net->next_checked = c->nets_to_check;
	c->nets_to_check = net;
}

static void check_router(struct tn_compiler *c, struct tn_rtr *router)
{
	if (router->checked)
		return;
	router->checked = true;
	router->next_checked = c->routers_to_check;
	c->routers_to_check = router;
}

/* For each router of the network, whatever it is worth. */
typedef void (*router_fn)(struct tn_compiler *c, struct tn_rtr *router);

static void each_router(struct tn_compiler *c, const struct tn_net *net, router_fn fn)
{
	struct tn_interface *interface;
	struct tn_sub *sub;

	TN_LIST_EACH(sub, &net->subnets, struct tn_sub, link) {
		TN_LIST_EACH(interface, &sub->interfaces, struct tn_interface, link)
			fn(c, interface->router);
	}
}

static void mark_places(struct tn_compiler *c, struct tn_net *net)
{
	struct tn_place *place;
	struct tn_vport *port;

	if (tn_list_is_empty(&net->places))
		return;
	mark_network_unit(c, net);
	TN_LIST_EACH(port, &net->ports, struct tn_vport, net_link) {
		if (port->place)
			mark_port(c, port);
	}
	TN_LIST_EACH(place, &net->places, struct tn_place, net_link)
		mark_place(c, place);
}

static void mark_places_of(struct tn_compiler *c, struct tn_rtr *router)
{
	for (uint32_t i = 0; i < router->n_interfaces; i++) {
		if (router->interfaces[i].sub->net)
			mark_places(c, router->interfaces[i].sub->net);
	}
}

static bool routes_by(const struct tn_router *router, const struct tn_tenant_port *port)
{
	for (uint32_t i = 0; i < router->n_routes; i++) {
		for (uint32_t j = 0; j < port->n_fixed_ips; j++) {
			if (router->routes[i].next_hop == port->fixed_ips[j].ip_address)
				return true;
		}
	}
	return false;
}

static void touch_port(struct tn_compiler *c, struct tn_vport *port)
{
	const struct tn_tenant_port *p = tn_vport_object(port);
	struct tn_interface *interface;
	struct tn_sub *sub;

	mark_port(c, port);
	if (!p || !port->net)
		return;
	mark_network_unit(c, port->net);
	check_net(c, port->net);
	TN_LIST_EACH(sub, &port->net->subnets, struct tn_sub, link) {
		TN_LIST_EACH(interface, &sub->interfaces, struct tn_interface, link) {
			if (interface->router->t.object &&
				routes_by(tn_rtr_object(interface->router), p))
				mark_router(c, interface->router);
		}
	}
	if (tn_list_is_empty(&c->places))
		return;
	/* Who serves an endpoint depends on who has the network. */
	mark_places(c, port->net);
	each_router(c, port->net, mark_places_of);
}

static void touch_net(struct tn_compiler *c, struct tn_net *net)
{
	tn_mark_net(c, net);
	check_net(c, net);
	each_router(c, net, check_router);
}

static void touch_router(struct tn_compiler *c, struct tn_rtr *router)
{
	mark_router(c, router);
	check_router(c, router);
	for (uint32_t i = 0; i < router->n_interfaces; i++) {
		if (router->interfaces[i].sub->net)
			touch_net(c, router->interfaces[i].sub->net);
	}
}

/* Of a router's networks the longest packets matter to all of them. */
static void touch_subnet(struct tn_compiler *c, struct tn_sub *sub)
{
	struct tn_interface *interface;

	if (sub->net)
		touch_net(c, sub->net);
	TN_LIST_EACH(interface, &sub->interfaces, struct tn_interface, link)
		touch_router(c, interface->router);
}

static void touch_host(struct tn_compiler *c, struct tn_vhost *host)
{
	struct tn_vport *port;

	if (strcmp(host->t.named.name, c->host) == 0)
		c->everything = true;
	mark_global(c);
	TN_LIST_EACH(port, &host->ports, struct tn_vport, host_link)
		touch_port(c, port);
}

static void touch_qos(struct tn_compiler *c, const struct tn_thing *qos)
{
	struct tn_vport *port;

	TN_LIST_EACH(port, &c->here, struct tn_vport, here_link) {
		const char *id = port->t.object ? tn_vport_object(port)->qos_policy_id : "";

		if (!*id && port->net && port->net->t.object)
			id = tn_net_object(port->net)->qos_policy_id;
		if (strcmp(id, qos->named.name) == 0)
			touch_port(c, port);
	}
}

static void touch(struct tn_compiler *c, struct tn_thing *t)
{
	switch (t->named.kind) {
	case TN_TENANT_NETWORK:
		touch_net(c, (struct tn_net *)(void *)t);
		mark_global(c); /* tunnels know VNIs */
		each_router(c, (struct tn_net *)(void *)t, touch_router);
		break;
	case TN_TENANT_SUBNET:
		touch_subnet(c, (struct tn_sub *)(void *)t);
		break;
	case TN_TENANT_PORT:
		touch_port(c, (struct tn_vport *)(void *)t);
		break;
	case TN_TENANT_ROUTER:
		touch_router(c, (struct tn_rtr *)(void *)t);
		break;
	case TN_TENANT_HOST:
		touch_host(c, (struct tn_vhost *)(void *)t);
		break;
	case TN_TENANT_QOS_POLICY:
		touch_qos(c, t);
		break;
	default:
		break;
	}
}

/* --- links ----------------------------------------------------------------------------------- */

static struct tn_place *get_place(struct tn_compiler *c, struct tn_net *net, tn_u128 vtep)
{
	char name[TN_TENANT_ID_MAX + 64];
	struct tn_place *place;

	snprintf(name, sizeof(name), "endpoint/%.*s/%016llx%016llx", (int)TN_TENANT_ID_MAX,
		net->t.named.name, (unsigned long long)(vtep >> 64), (unsigned long long)vtep);
	place = (struct tn_place *)(void *)get(c, TN_THING_PLACE, name);
	if (!place->net) {
		place->net = net;
		place->vtep = vtep;
		net->t.refs++;
		tn_list_add(&net->places, &place->net_link);
		tn_list_add(&c->places, &place->link);
		mark_global(c);
	}
	place->t.refs++;
	return place;
}

static void put_place(struct tn_compiler *c, struct tn_place *place)
{
	if (--place->t.refs > (place->unit != NULL))
		return;
	/* Its unit finds nothing any more. */
	tn_list_remove(&place->net_link);
	tn_list_remove(&place->link);
	tn_state_release(c, &place->net->t);
	place->net = NULL;
	if (place->unit)
		tn_unit_mark(c, TN_UNIT_PLACE, &place->t, &place->unit);
	may_go(c, &place->t);
	mark_global(c);
}

static void link_port(struct tn_compiler *c, struct tn_vport *port)
{
	const struct tn_tenant_port *p = tn_vport_object(port);

	port->net = (struct tn_net *)(void *)refer(c, TN_TENANT_NETWORK, p->network_id);
	tn_list_add(&port->net->ports, &port->net_link);
	if (*p->binding.host) {
		port->host = (struct tn_vhost *)(void *)refer(c, TN_TENANT_HOST, p->binding.host);
		tn_list_add(&port->host->ports, &port->host_link);
	}
	if (tn_vport_is_here(c, port)) {
		tn_list_add(&c->here, &port->here_link);
		port->counted = p->admin_state_up;
		port->net->n_here += port->counted;
		if (p->binding.kind == TN_BINDING_BAREMETAL) {
			port->device = (struct tn_device *)(void *)refer(
				c, TN_THING_DEVICE, p->binding.device);
			tn_list_add(&port->device->ports, &port->device_link);
		}
	}
	if (tn_vport_is_remote(port))
		port->place = get_place(c, port->net, p->binding.vtep);
}

static void unlink_port(struct tn_compiler *c, struct tn_vport *port)
{
	if (port->place)
		put_place(c, port->place);
	port->place = NULL;
	if (port->device)
		tn_state_release(c, &port->device->t);
	port->device = NULL;
	tn_list_remove(&port->device_link);
	tn_list_remove(&port->here_link);
	if (port->host)
		tn_state_release(c, &port->host->t);
	port->host = NULL;
	tn_list_remove(&port->host_link);
	if (port->net) {
		port->net->n_here -= port->counted;
		tn_state_release(c, &port->net->t);
	}
	port->counted = false;
	tn_list_remove(&port->net_link);
	port->net = NULL;
}

static void link_router(struct tn_compiler *c, struct tn_rtr *router)
{
	const struct tn_router *r = tn_rtr_object(router);

	router->n_interfaces = r->n_interfaces;
	router->interfaces =
		checked(calloc((size_t)r->n_interfaces + 1, sizeof(*router->interfaces)));
	for (uint32_t i = 0; i < r->n_interfaces; i++) {
		struct tn_interface *interface = &router->interfaces[i];

		interface->router = router;
		interface->sub = (struct tn_sub *)(void *)refer(
			c, TN_TENANT_SUBNET, r->interfaces[i].subnet_id);
		tn_list_add(&interface->sub->interfaces, &interface->link);
	}
}

static void unlink_router(struct tn_compiler *c, struct tn_rtr *router)
{
	for (uint32_t i = 0; i < router->n_interfaces; i++) {
		tn_list_remove(&router->interfaces[i].link);
		tn_state_release(c, &router->interfaces[i].sub->t);
	}
	free(router->interfaces);
	router->interfaces = NULL;
	router->n_interfaces = 0;
}

static void unlink_thing(struct tn_compiler *c, struct tn_thing *t)
{
	struct tn_sub *sub = (struct tn_sub *)(void *)t;

	switch (t->named.kind) {
	case TN_TENANT_SUBNET:
		if (sub->net)
			tn_state_release(c, &sub->net->t);
		sub->net = NULL;
		tn_list_remove(&sub->link);
		break;
	case TN_TENANT_PORT:
		unlink_port(c, (struct tn_vport *)(void *)t);
		break;
	case TN_TENANT_ROUTER:
		unlink_router(c, (struct tn_rtr *)(void *)t);
		break;
	default:
		break;
	}
}

static void link_thing(struct tn_compiler *c, struct tn_thing *t)
{
	struct tn_sub *sub = (struct tn_sub *)(void *)t;

	switch (t->named.kind) {
	case TN_TENANT_SUBNET:
		sub->net = (struct tn_net *)(void *)refer(
			c, TN_TENANT_NETWORK, tn_sub_object(sub)->network_id);
		tn_list_add(&sub->net->subnets, &sub->link);
		break;
	case TN_TENANT_PORT:
		link_port(c, (struct tn_vport *)(void *)t);
		break;
	case TN_TENANT_ROUTER:
		link_router(c, (struct tn_rtr *)(void *)t);
		break;
	default:
		break;
	}
}

/* The first address of each family that a host has. */
static void vteps_of(const struct tn_tenant_host *host, tn_u128 *ip4, tn_u128 *ip6)
{
	*ip4 = *ip6 = 0;
	for (uint32_t i = 0; host && i < host->n_vtep_addresses; i++) {
		tn_u128 *to = tn_address_is_ip4(host->vtep_addresses[i]) ? ip4 : ip6;

		if (!*to)
			*to = host->vtep_addresses[i];
	}
}

/* What all hosts can carry to each other. */
static void recompute_hosts(struct tn_compiler *c)
{
	uint32_t mtu = UINT32_MAX, least, overhead = OVERHEAD_IP4;
	struct tn_vhost *host;
	tn_u128 ip4, ip6;

	c->vtep4 = c->vtep6 = 0;
	TN_LIST_EACH(host, &c->hosts, struct tn_vhost, link) {
		const struct tn_tenant_host *h = host->t.object;

		if (!h)
			continue;
		vteps_of(h, &ip4, &ip6);
		if (strcmp(host->t.named.name, c->host) == 0) {
			c->vtep4 = ip4;
			c->vtep6 = ip6;
		}
		if (!ip4 && ip6)
			overhead = OVERHEAD_IP6;
		least = h->underlay_mtu ? h->underlay_mtu : MTU_DEFAULT;
		if (least < mtu)
			mtu = least;
	}
	if (mtu == UINT32_MAX)
		mtu = MTU_DEFAULT;
	mtu = mtu > overhead + MTU_MIN ? mtu - overhead : MTU_MIN;
	c->everything |= mtu != c->mtu;
	c->mtu = mtu;
}

/* --- changes --------------------------------------------------------------------------------- */

static void log_undo(struct tn_compiler *c, struct tn_thing *t)
{
	struct tn_undo *u;

	if (c->n_undo == c->undo_size) {
		c->undo_size = c->undo_size ? c->undo_size * 2 : 16;
		c->undo = checked(realloc(c->undo, c->undo_size * sizeof(*c->undo)));
	}
	u = &c->undo[c->n_undo++];
	*u = (struct tn_undo){.thing = t, .object = t->object};
	if (t->named.kind == TN_THING_DEVICE)
		u->number = ((struct tn_device *)(void *)t)->number;
}

static bool same_interfaces(const struct tn_router *a, const struct tn_router *b)
{
	if (!a || !b || a->n_interfaces != b->n_interfaces ||
		a->admin_state_up != b->admin_state_up)
		return false;
	for (uint32_t i = 0; i < a->n_interfaces; i++) {
		if (strcmp(a->interfaces[i].subnet_id, b->interfaces[i].subnet_id) != 0)
			return false;
	}
	return true;
}

static void put(struct tn_compiler *c, struct tn_thing *t, const void *object)
{
	c->n_objects += (size_t)(object != NULL) - (size_t)(t->object != NULL);
	if (t->named.kind == TN_TENANT_ROUTER && same_interfaces(t->object, object)) {
		/* Routes alone concern nobody else. */
		t->object = object;
		mark_router(c, (struct tn_rtr *)(void *)t);
		return;
	}
	touch(c, t);
	if (t->object)
		unlink_thing(c, t);
	t->object = object;
	if (object)
		link_thing(c, t);
	else
		may_go(c, t);
	if (t->named.kind == TN_TENANT_HOST)
		recompute_hosts(c);
	touch(c, t);
}

void tn_state_put(
	struct tn_compiler *c, enum tn_tenant_kind kind, const char *id, const void *object)
{
	struct tn_thing *t;

	if ((size_t)kind >= TN_ARRAY_SIZE(thing_sizes) || !thing_sizes[kind])
		return; /* concerns no switch */
	t = object ? get(c, kind, id) : tn_state_find(c, kind, id);
	if (!t || (!t->object && !object))
		return;
	log_undo(c, t);
	put(c, t, object);
}

static void set_device(struct tn_compiler *c, struct tn_device *device, uint32_t number)
{
	struct tn_vport *port;

	device->number = number;
	may_go(c, &device->t);
	TN_LIST_EACH(port, &device->ports, struct tn_vport, device_link)
		touch_port(c, port);
}

void tn_state_set_device(struct tn_compiler *c, const char *name, uint32_t number)
{
	struct tn_thing *t = tn_state_find(c, TN_THING_DEVICE, name);

	if (!t && !number)
		return;
	if (!t)
		t = get(c, TN_THING_DEVICE, name);
	if (((struct tn_device *)(void *)t)->number == number)
		return;
	log_undo(c, t);
	set_device(c, (struct tn_device *)(void *)t, number);
}

void tn_state_undo(struct tn_compiler *c)
{
	while (c->n_undo) {
		const struct tn_undo *u = &c->undo[--c->n_undo];

		if (u->thing->named.kind == TN_THING_DEVICE)
			set_device(c, (struct tn_device *)(void *)u->thing, u->number);
		else
			put(c, u->thing, u->object);
	}
}

/* --- who is needed --------------------------------------------------------------------------- */

static void recheck_local(struct tn_compiler *c, struct tn_net *net)
{
	bool local = net->n_here && tn_net_is_up(net);

	if (local == net->local)
		return;
	net->local = local;
	each_router(c, net, check_router);
	mark_global(c);
	tn_mark_net(c, net);
}

static void recheck_router(struct tn_compiler *c, struct tn_rtr *router)
{
	bool local = false;

	for (uint32_t i = 0; i < router->n_interfaces && tn_rtr_is_up(router); i++) {
		const struct tn_net *net = router->interfaces[i].sub->net;

		local |= net && net->local;
	}
	if (local == router->local)
		return;
	router->local = local;
	mark_router(c, router);
	for (uint32_t i = 0; i < router->n_interfaces; i++) {
		struct tn_net *net = router->interfaces[i].sub->net;

		if (!net)
			continue;
		check_net(c, net);
		tn_mark_net(c, net);
	}
}

static bool is_routed(const struct tn_net *net)
{
	struct tn_interface *interface;
	struct tn_sub *sub;

	TN_LIST_EACH(sub, &net->subnets, struct tn_sub, link) {
		TN_LIST_EACH(interface, &sub->interfaces, struct tn_interface, link) {
			if (interface->router->local)
				return true;
		}
	}
	return false;
}

static void recheck_needed(struct tn_compiler *c, struct tn_net *net)
{
	bool needed = net->local || (tn_net_is_up(net) && is_routed(net));

	if (needed == net->needed)
		return;
	net->needed = needed;
	if (needed)
		tn_list_add(&c->needed, &net->needed_link);
	else
		tn_list_remove(&net->needed_link);
	mark_global(c);
	tn_mark_net(c, net);
}

/* Bound to be short: a list that grows while it is worked through is worked through again. */
static void mark_everything(void *ctx, struct tn_named *thing)
{
	struct tn_compiler *c = ctx;

	if (thing->kind == TN_TENANT_NETWORK)
		tn_mark_net(c, (struct tn_net *)(void *)thing);
	else if (thing->kind == TN_TENANT_ROUTER)
		mark_router(c, (struct tn_rtr *)(void *)thing);
}

void tn_state_recheck(struct tn_compiler *c)
{
	struct tn_net *nets, *net;

	for (net = c->nets_to_check; net; net = net->next_checked)
		recheck_local(c, net);
	while (c->routers_to_check) {
		struct tn_rtr *router = c->routers_to_check;

		c->routers_to_check = router->next_checked;
		router->checked = false;
		recheck_router(c, router);
	}
	nets = c->nets_to_check;
	c->nets_to_check = NULL;
	for (net = nets; net; net = net->next_checked) {
		net->checked = false;
		recheck_needed(c, net);
	}
	if (!c->everything)
		return;
	c->everything = false;
	mark_global(c);
	tn_named_each(&c->things, mark_everything, c);
}

void tn_compiler_state_init(struct tn_compiler *c)
{
	tn_list_init(&c->hosts);
	tn_list_init(&c->places);
	tn_list_init(&c->here);
	tn_list_init(&c->needed);
	recompute_hosts(c);
	mark_global(c);
}

static void free_any(void *ctx, struct tn_named *thing)
{
	free_thing(ctx, (struct tn_thing *)(void *)thing);
}

void tn_compiler_state_fini(struct tn_compiler *c)
{
	tn_named_fini(&c->things, free_any, c);
	free(c->undo);
}
