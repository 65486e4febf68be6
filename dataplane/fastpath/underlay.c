/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/underlay.h"

#include <stdlib.h>
#include <string.h>

/* Nothing changes after tn_underlay_new(). */
struct tn_underlay {
	struct tn_underlay_address *addresses;	  /* sorted by address */
	struct tn_underlay_neighbour *neighbours; /* sorted by address, port */
	struct tn_underlay_path *paths;		  /* longest prefix first, on link first */
	size_t n_addresses, n_neighbours, n_paths;
	/* Paths of one length lie together: where each begins; one more at the end. */
	struct {
		uint8_t bits;
		uint32_t first;
	} lengths[129 + 1];
	unsigned n_lengths;
};

struct tn_underlay_path {
	tn_u128 prefix, mask;
	tn_u128 via; /* 0: on link */
	uint32_t port;
	uint32_t order; /* as given */
	uint8_t bits;	/* of 128 */
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
	const struct tn_underlay_address *a = x;
	const struct tn_underlay_address *b = y;

	return compare_u128(a->address, b->address);
}

static int compare_neighbours(const void *x, const void *y)
{
	const struct tn_underlay_neighbour *a = x;
	const struct tn_underlay_neighbour *b = y;
	int order = compare_u128(a->address, b->address);

	return order ? order : (a->port > b->port) - (a->port < b->port);
}

static int compare_paths(const void *x, const void *y)
{
	const struct tn_underlay_path *a = x, *b = y;

	if (a->bits != b->bits)
		return a->bits > b->bits ? -1 : 1;
	if (a->prefix != b->prefix)
		return compare_u128(a->prefix, b->prefix);
	if (!a->via != !b->via)
		return a->via ? 1 : -1;
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

static void *copy_of(const void *p, size_t size)
{
	void *copy = malloc(size ? size : 1);

	if (copy && size)
		memcpy(copy, p, size);
	return copy;
}

static void sort_paths(struct tn_underlay *u)
{
	qsort(u->paths, u->n_paths, sizeof(*u->paths), compare_paths);
	for (size_t i = 0; i < u->n_paths; i++) {
		if (i && u->paths[i].bits == u->paths[i - 1].bits)
			continue;
		u->lengths[u->n_lengths].bits = u->paths[i].bits;
		u->lengths[u->n_lengths++].first = (uint32_t)i;
	}
	u->lengths[u->n_lengths].first = (uint32_t)u->n_paths;
}

struct tn_underlay *tn_underlay_new(const struct tn_underlay_config *c)
{
	struct tn_underlay *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->addresses = copy_of(c->addresses, c->n_addresses * sizeof(*u->addresses));
	u->neighbours = copy_of(c->neighbours, c->n_neighbours * sizeof(*u->neighbours));
	u->paths = calloc(c->n_routes + c->n_addresses + 1, sizeof(*u->paths));
	if (!u->addresses || !u->neighbours || !u->paths) {
		tn_underlay_free(u);
		return NULL;
	}
	u->n_addresses = c->n_addresses;
	u->n_neighbours = c->n_neighbours;
	for (size_t i = 0; i < c->n_routes; i++) {
		const struct tn_underlay_route *r = &c->routes[i];

		add_path(u, r->prefix, r->prefix_len, r->is_ip4, r->via, r->port);
	}
	for (size_t i = 0; i < c->n_addresses; i++) {
		const struct tn_underlay_address *a = &c->addresses[i];

		add_path(u, a->address, a->prefix_len, is_ip4(a->address), 0, a->port);
	}
	qsort(u->addresses, u->n_addresses, sizeof(*u->addresses), compare_addresses);
	qsort(u->neighbours, u->n_neighbours, sizeof(*u->neighbours), compare_neighbours);
	sort_paths(u);
	return u;
}

void tn_underlay_free(struct tn_underlay *u)
{
	if (!u)
		return;
	free(u->addresses);
	free(u->neighbours);
	free(u->paths);
	free(u);
}

const struct tn_underlay_address *tn_underlay_address(const struct tn_underlay *u, tn_u128 address)
{
	size_t low = 0, high = u->n_addresses;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = compare_u128(u->addresses[mid].address, address);

		if (!order)
			return &u->addresses[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

bool tn_underlay_is_uplink(const struct tn_underlay *u, uint32_t port)
{
	for (size_t i = 0; i < u->n_addresses; i++) {
		if (port && u->addresses[i].port == port)
			return true;
	}
	return false;
}

/* The first neighbour with this address, on this port where one is named on both sides. */
static const struct tn_underlay_neighbour *find_neighbour(
	const struct tn_underlay *u, tn_u128 address, uint32_t port)
{
	size_t low = 0, high = u->n_neighbours;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (u->neighbours[mid].address < address)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < u->n_neighbours && u->neighbours[low].address == address; low++) {
		const struct tn_underlay_neighbour *n = &u->neighbours[low];

		if (!port || !n->port || n->port == port)
			return n;
	}
	return NULL;
}

/* The first path of a prefix among paths[low..high), which are of one length; high: there is none.
 */
static size_t find_prefix(const struct tn_underlay *u, size_t low, size_t high, tn_u128 prefix)
{
	size_t end = high;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (u->paths[mid].prefix < prefix)
			low = mid + 1;
		else
			high = mid;
	}
	return low < end && u->paths[low].prefix == prefix ? low : end;
}

/*
 * The longest prefix. Of several routes of it each gets its share of the flows; a network of our
 * own (no via) comes before given routes of the same prefix.
 */
static const struct tn_underlay_path *find_path(
	const struct tn_underlay *u, tn_u128 dst, uint32_t entropy)
{
	bool ip4 = is_ip4(dst);

	for (unsigned l = 0; l < u->n_lengths && (u->lengths[l].bits >= 96 || !ip4); l++) {
		size_t end = u->lengths[l + 1].first, n = 1;
		tn_u128 prefix = dst & mask_of(u->lengths[l].bits);
		size_t i = find_prefix(u, u->lengths[l].first, end, prefix);

		if (i == end)
			continue;
		while (i + n < end && u->paths[i].via && u->paths[i + n].prefix == prefix)
			n++;
		return &u->paths[i + ((uint64_t)entropy * n >> 32)];
	}
	return NULL;
}

bool tn_underlay_multipath(const struct tn_underlay *u, tn_u128 dst)
{
	return find_path(u, dst, 0) != find_path(u, dst, UINT32_MAX);
}

/* fe80::/10 */
static bool is_link_local(tn_u128 a)
{
	return a >> 118 == 0x3fa;
}

/*
 * Best first: on the network of the next hop, on the uplink, of dst's family. Addresses of the link
 * are for those of the link.
 */
static const struct tn_underlay_address *source_address(
	const struct tn_underlay *u, tn_u128 dst, tn_u128 next, uint32_t port)
{
	const struct tn_underlay_address *best = NULL;
	unsigned best_rank = 0;

	for (size_t i = 0; i < u->n_addresses; i++) {
		const struct tn_underlay_address *a = &u->addresses[i];
		tn_u128 mask = mask_of(a->prefix_len + (is_ip4(a->address) ? 96u : 0u));
		unsigned rank = 1;

		if (is_ip4(a->address) != is_ip4(dst) ||
			is_link_local(a->address) != is_link_local(dst))
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

/* Of the uplink, where we know it: an address may be of a loopback or of another uplink. */
static struct tn_mac source_mac(
	const struct tn_underlay *u, const struct tn_underlay_address *from, uint32_t port)
{
	for (size_t i = 0; port && from->port != port && i < u->n_addresses; i++) {
		if (u->addresses[i].port == port)
			return u->addresses[i].mac;
	}
	return from->mac;
}

enum tn_drop tn_underlay_resolve(const struct tn_underlay *u, tn_u128 dst, tn_u128 src,
	uint32_t entropy, struct tn_next_hop *hop)
{
	const struct tn_underlay_neighbour *neighbour;
	const struct tn_underlay_address *from;
	const struct tn_underlay_path *path;
	tn_u128 next;

	/* A packet to ourselves has no way out. */
	path = tn_underlay_address(u, dst) ? NULL : find_path(u, dst, entropy);
	if (!path || path->port == TN_UNDERLAY_ELSEWHERE)
		return TN_DROP_NO_ROUTE;
	next = path->via ? path->via : dst;
	neighbour = find_neighbour(u, next, path->port);
	if (!neighbour)
		neighbour = find_neighbour(u, TN_UNDERLAY_ANY_NEIGHBOUR, path->port);
	if (!neighbour)
		return TN_DROP_NO_NEIGHBOUR;
	hop->port = path->port ? path->port : neighbour->port;
	from = src ? tn_underlay_address(u, src) : NULL;
	if (!from)
		from = source_address(u, dst, next, hop->port);
	if (!from || is_ip4(dst) != is_ip4(src ? src : from->address))
		return TN_DROP_NO_ROUTE;
	if (!hop->port)
		hop->port = from->port;
	hop->src = src ? src : from->address;
	hop->eth_src = source_mac(u, from, hop->port);
	hop->eth_dst = neighbour->mac;
	return TN_DROP_NONE;
}
