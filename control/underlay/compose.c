/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/underlay/compose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
/* Next hops of a prefix, repeated by weight: finer shares are rounded. */
#define SHARES_MAX 256u

/* An uplink whose interface is there and up. */
struct link {
	uint32_t index, port;
	struct tn_mac mac;
};

struct tn_composed {
	struct tn_underlay_config config;
	struct tn_underlay_address *addresses;
	struct tn_underlay_route
		*routes; /* by family, prefix, length; those of one prefix together */
	struct tn_underlay_neighbour *neighbours;
	/* Of each route: the first one of its prefix, and of the prefix that covers it. */
	uint32_t *groups, *parents;
	struct link *links;
	size_t n_addresses, n_routes, n_neighbours, n_links;
	size_t room_addresses, room_routes, room_neighbours, room_links;
};

/* Where a prefix leads. */
struct way {
	tn_u128 via;
	uint32_t port;
};

struct ways {
	uint32_t n; /* 0: not through an uplink */
	struct way list[SHARES_MAX + TN_KERNEL_HOPS_MAX];
};

/* A walk over the kernel's routes. */
struct composer {
	struct tn_composed *c;
	const struct tn_kernel *k;
	const tn_u128 *locals;
	size_t n_locals;
	int error;
	uint32_t covering; /* group of the last route that was taken; NONE: none */
	/* The prefix that is decided already: routes of higher metrics follow. */
	bool decided;
	bool is_ip4;
	uint8_t prefix_len;
	tn_u128 prefix;
	struct ways ways;
};

struct tn_composed *tn_composed_new(void)
{
	return calloc(1, sizeof(struct tn_composed));
}

void tn_composed_free(struct tn_composed *c)
{
	if (!c)
		return;
	free(c->addresses);
	free(c->routes);
	free(c->neighbours);
	free(c->groups);
	free(c->parents);
	free(c->links);
	free(c);
}

/* Room for one more element. */
static int grow(void **list, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 16;
	void *bigger;

	if (n < *room)
		return 0;
	bigger = realloc(*list, more * size);
	if (!bigger)
		return -ENOMEM;
	memset((char *)bigger + *room * size, 0, (more - *room) * size);
	*list = bigger;
	*room = more;
	return 0;
}

/* --- links --- */

static const struct link *find_link(const struct tn_composed *c, uint32_t index)
{
	for (size_t i = 0; i < c->n_links; i++) {
		if (c->links[i].index == index)
			return &c->links[i];
	}
	return NULL;
}

static int add_links(
	struct tn_composed *c, const struct tn_kernel *k, const struct tn_uplink *uplinks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct tn_kernel_link *link = tn_kernel_link_by_name(k, uplinks[i].name);

		if (!link || !link->up || find_link(c, link->index))
			continue;
		if (grow((void **)&c->links, c->n_links, &c->room_links, sizeof(*c->links)))
			return -ENOMEM;
		c->links[c->n_links++] = (struct link){link->index, uplinks[i].port, link->mac};
	}
	return 0;
}

/* --- routes --- */

/* What stands for the hops of a route. */
struct hops {
	uint32_t n;
	bool refuses;
	const struct tn_kernel_hop *list;
	struct tn_kernel_hop resolved[TN_KERNEL_HOPS_MAX];
};

static void resolve_members(
	const struct tn_kernel *k, const struct tn_kernel_nexthop *group, struct hops *hops)
{
	for (uint32_t i = 0; i < group->n_members && hops->n < TN_KERNEL_HOPS_MAX; i++) {
		const struct tn_kernel_nexthop *m = tn_kernel_nexthop(k, group->members[i].id);

		if (!m || m->refuses || m->n_members)
			continue;
		hops->resolved[hops->n] = m->hop;
		hops->resolved[hops->n++].weight = group->members[i].weight;
	}
}

static void resolve_hops(
	const struct tn_kernel *k, const struct tn_kernel_route *route, struct hops *hops)
{
	const struct tn_kernel_nexthop *object =
		route->nexthop ? tn_kernel_nexthop(k, route->nexthop) : NULL;

	hops->refuses = object ? object->refuses : route->refuses;
	hops->n = object ? 0 : route->n_hops;
	hops->list = object ? hops->resolved : route->hops;
	if (!object)
		return;
	if (object->n_members)
		resolve_members(k, object, hops);
	else
		hops->resolved[hops->n++] = object->hop;
}

static bool alive(const struct tn_kernel *k, const struct tn_kernel_hop *hop)
{
	const struct tn_kernel_link *link = hop->dead ? NULL : tn_kernel_link(k, hop->link);

	return link && link->up;
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Ways through uplinks. False: no hop is alive, and the next metric counts. */
static bool find_ways(struct composer *p, const struct tn_kernel_route *route)
{
	static const struct tn_kernel_hop none;
	uint32_t total = 0, divisor = 0;
	bool any = false;
	struct hops hops;

	p->ways.n = 0;
	resolve_hops(p->k, route, &hops);
	if (hops.refuses)
		return true;
	for (uint32_t i = 0; i < hops.n; i++) {
		const struct tn_kernel_hop *hop = &hops.list[i];

		if (!alive(p->k, hop)) {
			hops.resolved[i] = none;
			continue;
		}
		any = true;
		hops.resolved[i] = *hop;
		if (!find_link(p->c, hop->link))
			hops.resolved[i] = none;
		total += hops.resolved[i].weight;
		divisor = gcd(divisor, hops.resolved[i].weight);
	}
	total = divisor ? total / divisor : 0;
	for (uint32_t i = 0; i < hops.n; i++) {
		const struct tn_kernel_hop *hop = &hops.resolved[i];
		uint32_t share = hop->weight ? hop->weight / divisor : 0;

		if (total > SHARES_MAX && share)
			share = share * SHARES_MAX / total ?: 1;
		for (; share; share--)
			p->ways.list[p->ways.n++] =
				(struct way){hop->via, find_link(p->c, hop->link)->port};
	}
	return any;
}

static bool covers(
	const struct tn_underlay_route *r, tn_u128 address, uint8_t prefix_len, bool is_ip4)
{
	return r->is_ip4 == is_ip4 && r->prefix_len <= prefix_len &&
		(address & tn_kernel_mask(r->prefix_len, r->is_ip4)) == r->prefix;
}

static bool same_ways(const struct tn_composed *c, uint32_t group, const struct ways *ways)
{
	uint32_t n = ways->n ? ways->n : 1;

	if (group == NONE)
		return !ways->n;
	if (!ways->n)
		return c->routes[group].port == TN_UNDERLAY_ELSEWHERE;
	for (uint32_t i = 0; i < n; i++) {
		const struct tn_underlay_route *r = &c->routes[group + i];

		if (group + i >= c->n_routes || c->groups[group + i] != group ||
			r->via != ways->list[i].via || r->port != ways->list[i].port)
			return false;
	}
	return group + n == c->n_routes || c->groups[group + n] != group;
}

static int add_route(struct composer *p, uint32_t group, tn_u128 via, uint32_t port)
{
	struct tn_composed *c = p->c;
	size_t room = c->room_routes, room_of_lists = room;
	struct tn_underlay_route *r;

	if (c->n_routes == TN_COMPOSED_ROUTES_MAX)
		return -E2BIG;
	if (grow((void **)&c->groups, c->n_routes, &room_of_lists, sizeof(*c->groups)))
		return -ENOMEM;
	room_of_lists = room;
	if (grow((void **)&c->parents, c->n_routes, &room_of_lists, sizeof(*c->parents)) ||
		grow((void **)&c->routes, c->n_routes, &c->room_routes, sizeof(*c->routes)))
		return -ENOMEM;
	r = &c->routes[c->n_routes];
	memset(r, 0, sizeof(*r));
	r->prefix = p->prefix;
	r->prefix_len = p->prefix_len;
	r->is_ip4 = p->is_ip4;
	r->via = via;
	r->port = port;
	c->groups[c->n_routes] = group;
	c->parents[c->n_routes++] = p->covering;
	return 0;
}

/* The prefix with its ways, unless they are those of what covers it. */
static int add_prefix(struct composer *p)
{
	struct tn_composed *c = p->c;
	uint32_t group = (uint32_t)c->n_routes;
	int rc = 0;

	while (p->covering != NONE &&
		!covers(&c->routes[p->covering], p->prefix, p->prefix_len, p->is_ip4))
		p->covering = c->parents[p->covering];
	if (same_ways(c, p->covering, &p->ways))
		return 0;
	if (!p->ways.n)
		rc = add_route(p, group, 0, TN_UNDERLAY_ELSEWHERE);
	for (uint32_t i = 0; i < p->ways.n && !rc; i++)
		rc = add_route(p, group, p->ways.list[i].via, p->ways.list[i].port);
	p->covering = group;
	return rc;
}

static void compose_route(void *ctx, const void *item)
{
	const struct tn_kernel_route *route = item;
	struct composer *p = ctx;

	if (p->error)
		return;
	if (p->decided && route->is_ip4 == p->is_ip4 && route->prefix == p->prefix &&
		route->prefix_len == p->prefix_len)
		return;
	p->decided = find_ways(p, route);
	p->is_ip4 = route->is_ip4;
	p->prefix = route->prefix;
	p->prefix_len = route->prefix_len;
	if (p->decided)
		p->error = add_prefix(p);
}

/* The first route of the longest prefix, no longer than prefix_len, that covers address; NONE. */
static uint32_t look_up(
	const struct tn_composed *c, tn_u128 address, uint8_t prefix_len, bool is_ip4)
{
	size_t low = 0, high = c->n_routes;
	uint32_t at;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct tn_underlay_route *r = &c->routes[mid];

		if (r->is_ip4 != is_ip4 ? !r->is_ip4 : r->prefix <= address)
			low = mid + 1;
		else
			high = mid;
	}
	for (at = low ? c->groups[low - 1] : NONE; at != NONE; at = c->parents[at]) {
		if (covers(&c->routes[at], address, prefix_len, is_ip4))
			return at;
	}
	return NONE;
}

/* --- addresses and neighbours --- */

static bool is_local(const struct composer *p, tn_u128 address)
{
	for (size_t i = 0; i < p->n_locals; i++) {
		if (p->locals[i] == address)
			return true;
	}
	return false;
}

/* Is the address's network on the link, as the kernel has it? Its route may have been removed. */
static bool on_link(const struct tn_composed *c, const struct tn_kernel_address *a, uint32_t port)
{
	tn_u128 network = a->address & tn_kernel_mask(a->prefix_len, a->is_ip4);
	uint32_t at = look_up(c, network, a->prefix_len, a->is_ip4);

	return at != NONE && !c->routes[at].via && c->routes[at].port == port;
}

static void compose_address(void *ctx, const void *item)
{
	const struct tn_kernel_address *a = item;
	struct composer *p = ctx;
	struct tn_composed *c = p->c;
	const struct link *link = find_link(c, a->link);
	const struct tn_kernel_link *any = tn_kernel_link(p->k, a->link);
	struct tn_underlay_address *to;

	if (p->error || !a->usable || (!link && (!any || !any->up || !is_local(p, a->address))))
		return;
	p->error = grow(
		(void **)&c->addresses, c->n_addresses, &c->room_addresses, sizeof(*c->addresses));
	if (p->error)
		return;
	to = &c->addresses[c->n_addresses++];
	memset(to, 0, sizeof(*to));
	to->address = a->address;
	to->prefix_len = a->is_ip4 ? 32 : 128;
	if (!link)
		return;
	to->mac = link->mac;
	to->port = link->port;
	if (on_link(c, a, link->port))
		to->prefix_len = a->prefix_len;
}

static void compose_neighbour(void *ctx, const void *item)
{
	const struct tn_kernel_neighbour *n = item;
	struct composer *p = ctx;
	struct tn_composed *c = p->c;
	const struct link *link = n->usable ? find_link(c, n->link) : NULL;
	struct tn_underlay_neighbour *to;

	if (p->error || !link)
		return;
	p->error = grow((void **)&c->neighbours, c->n_neighbours, &c->room_neighbours,
		sizeof(*c->neighbours));
	if (p->error)
		return;
	to = &c->neighbours[c->n_neighbours++];
	memset(to, 0, sizeof(*to));
	to->address = n->address;
	to->mac = n->mac;
	to->port = link->port;
}

int tn_compose(struct tn_composed *c, const struct tn_kernel *k, const struct tn_uplink *uplinks,
	size_t n_uplinks, const tn_u128 *locals, size_t n_locals)
{
	struct composer p = {
		.c = c, .k = k, .locals = locals, .n_locals = n_locals, .covering = NONE};

	c->n_addresses = c->n_routes = c->n_neighbours = c->n_links = 0;
	p.error = add_links(c, k, uplinks, n_uplinks);
	if (c->n_links)
		tn_kernel_each(k, TN_KERNEL_ROUTE, compose_route, &p);
	tn_kernel_each(k, TN_KERNEL_ADDRESS, compose_address, &p);
	tn_kernel_each(k, TN_KERNEL_NEIGHBOUR, compose_neighbour, &p);
	c->config = (struct tn_underlay_config){
		.addresses = c->addresses,
		.n_addresses = c->n_addresses,
		.routes = c->routes,
		.n_routes = c->n_routes,
		.neighbours = c->neighbours,
		.n_neighbours = c->n_neighbours,
	};
	return p.error;
}

const struct tn_underlay_config *tn_composed_config(const struct tn_composed *c)
{
	return &c->config;
}

/* All bytes of the elements were set, also between members. */
static bool equal_lists(const void *a, size_t na, const void *b, size_t nb, size_t size)
{
	return na == nb && (!na || !memcmp(a, b, na * size));
}

bool tn_composed_equal(const struct tn_composed *a, const struct tn_composed *b)
{
	return equal_lists(a->addresses, a->n_addresses, b->addresses, b->n_addresses,
		       sizeof(*a->addresses)) &&
		equal_lists(a->routes, a->n_routes, b->routes, b->n_routes, sizeof(*a->routes)) &&
		equal_lists(a->neighbours, a->n_neighbours, b->neighbours, b->n_neighbours,
			sizeof(*a->neighbours));
}

uint32_t tn_composed_links(const struct tn_composed *c)
{
	return (uint32_t)c->n_links;
}

void tn_composed_next_hops(const struct tn_composed *c, tn_u128 dst, tn_next_hop_fn fn, void *ctx)
{
	uint32_t unused;
	bool is_ip4 = tn_u128_is_ip4(dst, &unused);
	uint32_t group = look_up(c, dst, is_ip4 ? 32 : 128, is_ip4);

	for (uint32_t i = group; group != NONE && i < c->n_routes && c->groups[i] == group; i++) {
		const struct tn_underlay_route *r = &c->routes[i];

		for (size_t l = 0; l < c->n_links; l++) {
			if (c->links[l].port == r->port)
				fn(ctx, c->links[l].index, r->via ? r->via : dst);
		}
	}
}
