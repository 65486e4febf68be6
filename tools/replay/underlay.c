/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/underlay.h"

#include <stdlib.h>
#include <string.h>

#include "tools/replay/memory.h"

#define CACHE_SLOTS 256u

struct tn_underlay_path {
	tn_u128 prefix, mask;
	tn_u128 via; /* 0: on link */
	uint32_t port;
	uint32_t order; /* of the document: the first of equals wins */
	uint8_t bits;	/* of 128 */
};

struct tn_next_hop_entry {
	bool used;
	enum tn_drop drop;
	tn_u128 dst, src;
	struct tn_next_hop hop;
};

static bool is_ip4(tn_u128 a)
{
	return tn_u128_is_ip4(a, &(uint32_t){0});
}

static tn_u128 mask_of(unsigned bits)
{
	return bits ? ~(tn_u128)0 << (128 - bits) : 0;
}

static int compare_u128(tn_u128 a, tn_u128 b)
{
	return a < b ? -1 : a > b;
}

static int compare_addresses(const void *x, const void *y)
{
	const struct tn_underlay_address *a = *(const struct tn_underlay_address *const *)x;
	const struct tn_underlay_address *b = *(const struct tn_underlay_address *const *)y;

	return compare_u128(a->address, b->address);
}

static int compare_neighbours(const void *x, const void *y)
{
	const struct tn_underlay_neighbour *a = *(const struct tn_underlay_neighbour *const *)x;
	const struct tn_underlay_neighbour *b = *(const struct tn_underlay_neighbour *const *)y;
	int order = compare_u128(a->address, b->address);

	return order ? order : (a->port > b->port) - (a->port < b->port);
}

static int compare_paths(const void *x, const void *y)
{
	const struct tn_underlay_path *a = x, *b = y;

	if (a->bits != b->bits)
		return a->bits > b->bits ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void add_path(
	struct tn_underlay *u, tn_u128 prefix, unsigned bits, bool ip4, tn_u128 via, uint32_t port)
{
	struct tn_underlay_path *p = &u->paths[u->n_paths];

	p->bits = (uint8_t)(bits + (ip4 ? 96 : 0));
	p->mask = mask_of(p->bits);
	p->prefix = prefix & p->mask;
	p->via = via;
	p->port = port;
	p->order = (uint32_t)u->n_paths++;
}

void tn_underlay_init(struct tn_underlay *u, const struct tn_document *doc)
{
	memset(u, 0, sizeof(*u));
	u->doc = doc;
	u->addresses = tn_alloc(doc->n_addresses * sizeof(void *));
	u->neighbours = tn_alloc(doc->n_neighbours * sizeof(void *));
	u->paths = tn_alloc((doc->n_routes + doc->n_addresses) * sizeof(*u->paths));
	u->cache = tn_alloc(CACHE_SLOTS * sizeof(*u->cache));
	for (size_t i = 0; i < doc->n_routes; i++) {
		const struct tn_underlay_route *r = &doc->routes[i];

		add_path(u, r->prefix, r->prefix_len, r->is_ip4, r->via, r->port);
	}
	for (size_t i = 0; i < doc->n_addresses; i++) {
		const struct tn_underlay_address *a = &doc->addresses[i];

		u->addresses[i] = a;
		add_path(u, a->address, a->prefix_len, is_ip4(a->address), 0, a->port);
	}
	for (size_t i = 0; i < doc->n_neighbours; i++)
		u->neighbours[i] = &doc->neighbours[i];
	qsort(u->addresses, doc->n_addresses, sizeof(void *), compare_addresses);
	qsort(u->neighbours, doc->n_neighbours, sizeof(void *), compare_neighbours);
	qsort(u->paths, u->n_paths, sizeof(*u->paths), compare_paths);
}

void tn_underlay_fini(struct tn_underlay *u)
{
	free(u->addresses);
	free(u->neighbours);
	free(u->paths);
	free(u->cache);
}

const struct tn_underlay_address *tn_underlay_address(const struct tn_underlay *u, tn_u128 address)
{
	size_t low = 0, high = u->doc->n_addresses;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = compare_u128(u->addresses[mid]->address, address);

		if (!order)
			return u->addresses[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

bool tn_underlay_is_uplink(const struct tn_underlay *u, uint32_t port)
{
	for (size_t i = 0; i < u->doc->n_addresses; i++) {
		if (port && u->doc->addresses[i].port == port)
			return true;
	}
	return false;
}

/* The first neighbour with this address, on this port where one is named on both sides. */
static const struct tn_underlay_neighbour *find_neighbour(
	const struct tn_underlay *u, tn_u128 address, uint32_t port)
{
	size_t low = 0, high = u->doc->n_neighbours;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (u->neighbours[mid]->address < address)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < u->doc->n_neighbours && u->neighbours[low]->address == address; low++) {
		const struct tn_underlay_neighbour *n = u->neighbours[low];

		if (!port || !n->port || n->port == port)
			return n;
	}
	return NULL;
}

static const struct tn_underlay_path *find_path(const struct tn_underlay *u, tn_u128 dst)
{
	for (size_t i = 0; i < u->n_paths; i++) {
		const struct tn_underlay_path *p = &u->paths[i];

		if ((dst & p->mask) == p->prefix && (p->bits >= 96 || !is_ip4(dst)))
			return p;
	}
	return NULL;
}

/* Best first: on the network of the next hop, on the uplink, of the family. */
static const struct tn_underlay_address *source_address(
	const struct tn_underlay *u, tn_u128 next, uint32_t port)
{
	const struct tn_underlay_address *best = NULL;
	unsigned best_rank = 0;

	for (size_t i = 0; i < u->doc->n_addresses; i++) {
		const struct tn_underlay_address *a = &u->doc->addresses[i];
		tn_u128 mask = mask_of(a->prefix_len + (is_ip4(a->address) ? 96u : 0u));
		unsigned rank = 1;

		if (is_ip4(a->address) != is_ip4(next))
			continue;
		if (port && a->port == port)
			rank += 1;
		if ((a->address & mask) == (next & mask))
			rank += 2;
		if (rank > best_rank) {
			best = a;
			best_rank = rank;
		}
	}
	return best;
}

static enum tn_drop resolve(
	const struct tn_underlay *u, tn_u128 dst, tn_u128 src, struct tn_next_hop *hop)
{
	const struct tn_underlay_neighbour *neighbour;
	const struct tn_underlay_address *from;
	const struct tn_underlay_path *path;
	tn_u128 next;

	/* A packet to ourselves has no way out. */
	path = tn_underlay_address(u, dst) ? NULL : find_path(u, dst);
	if (!path)
		return TN_DROP_NO_ROUTE;
	next = path->via ? path->via : dst;
	neighbour = find_neighbour(u, next, path->port);
	if (!neighbour)
		return TN_DROP_NO_NEIGHBOUR;
	hop->port = path->port ? path->port : neighbour->port;
	from = src ? tn_underlay_address(u, src) : NULL;
	if (!from)
		from = source_address(u, next, hop->port);
	if (!from || is_ip4(dst) != is_ip4(src ? src : from->address))
		return TN_DROP_NO_ROUTE;
	if (!hop->port)
		hop->port = from->port;
	hop->src = src ? src : from->address;
	hop->eth_src = from->mac;
	hop->eth_dst = neighbour->mac;
	return TN_DROP_NONE;
}

enum tn_drop tn_underlay_resolve(
	struct tn_underlay *u, tn_u128 dst, tn_u128 src, struct tn_next_hop *hop)
{
	uint64_t h = (uint64_t)dst ^ (uint64_t)(dst >> 64) ^ (uint64_t)src * 31;
	struct tn_next_hop_entry *e =
		&u->cache[(h * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & (CACHE_SLOTS - 1)];

	if (!e->used || e->dst != dst || e->src != src) {
		e->used = true;
		e->dst = dst;
		e->src = src;
		e->drop = resolve(u, dst, src, &e->hop);
	}
	*hop = e->hop;
	return e->drop;
}
