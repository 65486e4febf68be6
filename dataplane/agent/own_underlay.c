/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/own_underlay.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/agent/ports.h"
#include "dataplane/port/kernel_tunnel.h"

/* With room for `more` of each kind behind what there is. */
static struct tn_underlay_config *copy(const struct tn_underlay_config *c, size_t more)
{
	size_t n_addresses = c->n_addresses + more, n_routes = c->n_routes + more;
	size_t n_neighbours = c->n_neighbours + more;
	struct tn_underlay_address *addresses;
	struct tn_underlay_neighbour *neighbours;
	struct tn_underlay_route *routes;
	struct tn_underlay_config *to;

	/* Members with 128-bit addresses first: malloc() aligns for them. */
	to = malloc(sizeof(*to) + 16 + n_addresses * sizeof(*addresses) +
		n_routes * sizeof(*routes) + n_neighbours * sizeof(*neighbours));
	if (!to)
		return NULL;
	addresses = (void *)((char *)to + (sizeof(*to) + 15) / 16 * 16);
	routes = (void *)(addresses + n_addresses);
	neighbours = (void *)(routes + n_routes);
	*to = *c;
	to->addresses = addresses;
	to->routes = routes;
	to->neighbours = neighbours;
	if (c->n_addresses)
		memcpy(addresses, c->addresses, c->n_addresses * sizeof(*addresses));
	if (c->n_routes)
		memcpy(routes, c->routes, c->n_routes * sizeof(*routes));
	if (c->n_neighbours)
		memcpy(neighbours, c->neighbours, c->n_neighbours * sizeof(*neighbours));
	return to;
}

TN_BUILD_ASSERT(sizeof(struct tn_underlay_address) % 16 == 0, "arrays follow each other aligned");
TN_BUILD_ASSERT(sizeof(struct tn_underlay_route) % 16 == 0, "arrays follow each other aligned");

struct tn_underlay_config *tn_underlay_config_copy(const struct tn_underlay_config *config)
{
	return copy(config, 0);
}

static bool has_address(const struct tn_underlay_config *c, const struct tn_underlay_address *a)
{
	for (size_t i = 0; i < c->n_addresses; i++) {
		if (c->addresses[i].address == a->address && c->addresses[i].port == a->port)
			return true;
	}
	return false;
}

/* Where the kernel leads past the uplinks, it is the kernel that leads there. */
static void lead_elsewhere(struct tn_underlay_config *c, const struct tn_underlay_route *own)
{
	struct tn_underlay_route *routes = (void *)(uintptr_t)c->routes;

	for (size_t i = 0; i < c->n_routes; i++) {
		if (routes[i].port != TN_UNDERLAY_ELSEWHERE || routes[i].is_ip4 != own->is_ip4)
			continue;
		routes[i].via = own->via;
		routes[i].port = own->port;
	}
}

/* Behind what there is: a client's own route to a place is the longer one, or as good. */
static void append(struct tn_underlay_config *c, const struct tn_kernel_tunnel_underlay *u)
{
	struct tn_underlay_address *addresses = (void *)(uintptr_t)c->addresses;
	struct tn_underlay_neighbour *neighbours = (void *)(uintptr_t)c->neighbours;
	struct tn_underlay_route *routes = (void *)(uintptr_t)c->routes;

	for (unsigned i = 0; i < u->n; i++) {
		lead_elsewhere(c, &u->routes[i]);
		if (!has_address(c, &u->addresses[i]))
			addresses[c->n_addresses++] = u->addresses[i];
		routes[c->n_routes++] = u->routes[i];
		neighbours[c->n_neighbours++] = u->neighbours[i];
	}
	neighbours[c->n_neighbours++] = u->neighbours[u->n];
}

struct tn_underlay *tn_agent_own_underlay(
	const struct tn_agent *agent, const struct tn_underlay_config *config)
{
	struct tn_kernel_tunnel_underlay u;
	struct tn_underlay_config *all;
	struct tn_underlay *made;
	size_t n = 0;

	for (unsigned i = 0; i < TN_WORKER_PORTS_MAX; i++)
		n += agent->ports[i] && agent->ports[i]->driver ? TN_KERNEL_TUNNEL_ITEMS : 0;
	all = copy(config, n);
	if (!all)
		return NULL;
	for (unsigned i = 0; i < TN_WORKER_PORTS_MAX; i++) {
		const struct tn_agent_port *p = agent->ports[i];

		if (p && p->driver && tn_kernel_tunnel_underlay(p->driver, &u))
			append(all, &u);
	}
	made = tn_underlay_new(all);
	free(all);
	return made;
}
