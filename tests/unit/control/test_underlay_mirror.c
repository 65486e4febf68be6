/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's network as it is pieced together from events, against the same network dumped at
 * once, and against a plain walk over its routes.
 */
#include "control/underlay/compose.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/random.h"

#define LINKS	   6u /* 1 and 2 are uplinks */
#define ROUTES_MAX 64u
#define OTHERS_MAX 24u
#define EVENTS_MAX 4096u

static const struct tn_uplink uplinks[] = {{11, "up1"}, {12, "up2"}};

/* --- a kernel --- */

struct route {
	struct tn_kernel_route r;
	struct tn_kernel_hop hops[4];
};

struct world {
	struct random random;
	struct tn_kernel_link links[LINKS + 1]; /* index 0: not there */
	struct tn_kernel_address addresses[OTHERS_MAX];
	struct route routes[ROUTES_MAX]; /* those of one prefix and metric: the first counts */
	struct tn_kernel_neighbour neighbours[OTHERS_MAX];
	struct tn_kernel_nexthop nexthops[4]; /* id 0: not there */
	struct tn_kernel_member members[2];
	unsigned n_addresses, n_routes, n_neighbours;
	/* What netlink told and nobody read yet. */
	struct tn_kernel_event events[EVENTS_MAX];
	struct route event_routes[EVENTS_MAX];
	unsigned n_events;
	bool routes_only; /* nothing that has routes dumped hides what is not told of them */
};

static tn_u128 ip(const char *text)
{
	struct tn_ip6 ip6;
	uint32_t ip4;

	if (inet_pton(AF_INET, text, &ip4) == 1)
		return tn_u128_from_ip4(ntohl(ip4));
	assert_int_equal(inet_pton(AF_INET6, text, ip6.b), 1);
	return tn_u128_from_ip6(&ip6);
}

static unsigned below(struct world *w, unsigned n)
{
	return random_below(&w->random, n);
}

static struct tn_kernel_event *tell(struct world *w, enum tn_kernel_kind kind, bool gone)
{
	struct tn_kernel_event *e = &w->events[w->n_events];

	assert_true(w->n_events < EVENTS_MAX);
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	e->gone = gone;
	w->n_events++;
	return e;
}

static void tell_route(struct world *w, const struct route *route, bool gone, char how)
{
	struct route *copy = &w->event_routes[w->n_events];
	struct tn_kernel_event *e = tell(w, TN_KERNEL_ROUTE, gone);

	*copy = *route;
	copy->r.hops = copy->hops;
	e->route = copy->r;
	e->replaces = how == 'r';
	e->appends = how == 'a';
}

static void tell_link(struct world *w, unsigned index)
{
	tell(w, TN_KERNEL_LINK, !w->links[index].index)->link =
		w->links[index].index ? w->links[index] : (struct tn_kernel_link){.index = index};
}

static void take_route(struct world *w, unsigned i)
{
	w->n_routes--;
	memmove(&w->routes[i], &w->routes[i + 1], (w->n_routes - i) * sizeof(w->routes[0]));
	for (; i < w->n_routes; i++)
		w->routes[i].r.hops = w->routes[i].hops;
}

/* A route that lost its link: those of IPv4 without a word. */
static void flush_routes(struct world *w, unsigned link)
{
	for (unsigned i = w->n_routes; i-- > 0;) {
		struct route *r = &w->routes[i];
		bool lost = false;

		for (unsigned h = 0; h < r->r.n_hops; h++)
			lost |= r->hops[h].link == link;
		if (!lost)
			continue;
		if (!r->r.is_ip4)
			tell_route(w, r, true, 0);
		take_route(w, i);
	}
}

static void change_link(struct world *w)
{
	unsigned index = 1 + below(w, LINKS);
	struct tn_kernel_link *l = &w->links[index];

	if (!l->index) {
		*l = (struct tn_kernel_link){.index = index, .up = true, .running = true};
		snprintf(l->name, sizeof(l->name), "up%u", index);
		l->mac.b[5] = (uint8_t)index;
	} else if (!below(w, 3)) {
		l->index = 0;
		flush_routes(w, index);
	} else if (!below(w, 3)) {
		snprintf(l->name, sizeof(l->name), "%s%u", below(w, 2) ? "up" : "x", index);
	} else if (l->up) {
		l->up = l->running = false;
		flush_routes(w, index);
	} else {
		l->up = l->running = true;
	}
	tell_link(w, index);
}

/* In a small space, so that prefixes meet: 10.0.0.0/8 and 2001:db8::/32 in steps. */
static void random_prefix(struct world *w, struct tn_kernel_route *r)
{
	static const uint8_t lengths[2][5] = {{0, 32, 48, 64, 128}, {0, 8, 16, 24, 32}};

	r->is_ip4 = below(w, 2);
	r->prefix_len = lengths[r->is_ip4][below(w, 5)];
	r->prefix = r->is_ip4 ? ip("10.0.0.0") | below(w, 3) << 16 | below(w, 2) << 8 | below(w, 2)
			      : ip("2001:db8::") | (tn_u128)below(w, 3) << 80 |
			(tn_u128)below(w, 2) << 64 | below(w, 2);
	r->prefix &= tn_kernel_mask(r->prefix_len, r->is_ip4);
	if (r->is_ip4)
		r->prefix |= (tn_u128)0xffff << 32;
}

static tn_u128 random_via(struct world *w, bool is_ip4)
{
	if (!below(w, 3))
		return 0;
	return (is_ip4 ? ip("198.51.100.0") : ip("2001:db8:ffff::")) + 1 + below(w, 3);
}

/* False: no link is there for it. */
static bool random_route(struct world *w, struct route *r)
{
	memset(r, 0, sizeof(*r));
	random_prefix(w, &r->r);
	r->r.metric = below(w, 2) * 100;
	r->r.hops = r->hops;
	if (!below(w, 8)) {
		r->r.refuses = true;
		return true;
	}
	if (!below(w, 6)) {
		r->r.nexthop = 1 + below(w, 4);
		return w->nexthops[r->r.nexthop - 1].id != 0;
	}
	r->r.n_hops = 1 + below(w, 3);
	for (unsigned h = 0; h < r->r.n_hops; h++) {
		unsigned link = 1 + below(w, LINKS);

		if (!w->links[link].up || !w->links[link].index)
			return false;
		r->hops[h] = (struct tn_kernel_hop){.via = random_via(w, r->r.is_ip4),
			.link = link,
			.weight = (uint16_t)(1 + below(w, 3))};
	}
	return true;
}

static bool same_key(const struct route *a, const struct route *b)
{
	return a->r.is_ip4 == b->r.is_ip4 && a->r.prefix == b->r.prefix &&
		a->r.prefix_len == b->r.prefix_len && a->r.metric == b->r.metric;
}

static bool same_way(const struct route *a, const struct route *b)
{
	bool same = a->r.refuses == b->r.refuses && a->r.nexthop == b->r.nexthop &&
		a->r.n_hops == b->r.n_hops;

	for (unsigned h = 0; same && h < a->r.n_hops; h++)
		same = a->hops[h].via == b->hops[h].via && a->hops[h].link == b->hops[h].link &&
			a->hops[h].weight == b->hops[h].weight;
	return same;
}

static void insert_route(struct world *w, unsigned at, const struct route *r)
{
	memmove(&w->routes[at + 1], &w->routes[at], (w->n_routes - at) * sizeof(w->routes[0]));
	w->routes[at] = *r;
	w->n_routes++;
	for (; at < w->n_routes; at++)
		w->routes[at].r.hops = w->routes[at].hops;
}

/* Add, replace, append or prepend. */
static void change_route(struct world *w)
{
	unsigned first = 0, behind;
	struct route r;

	if (below(w, 3) == 0 && w->n_routes) {
		unsigned i = below(w, w->n_routes);

		tell_route(w, &w->routes[i], true, 0);
		take_route(w, i);
		return;
	}
	if (w->n_routes == ROUTES_MAX || !random_route(w, &r))
		return;
	while (first < w->n_routes && !same_key(&w->routes[first], &r))
		first++;
	for (behind = first; behind < w->n_routes && same_key(&w->routes[behind], &r); behind++) {
		if (same_way(&w->routes[behind], &r))
			return; /* no kernel takes one twice */
	}
	if (first == w->n_routes) {
		insert_route(w, first, &r);
		tell_route(w, &r, false, 0);
	} else if (!r.r.is_ip4 || below(w, 2)) {
		w->routes[first] = r;
		w->routes[first].r.hops = w->routes[first].hops;
		tell_route(w, &r, false, 'r');
	} else if (below(w, 2)) {
		insert_route(w, behind, &r);
		tell_route(w, &r, false, 'a');
	} else {
		insert_route(w, first, &r);
		tell_route(w, &r, false, 0);
	}
}

/* Of an IPv6 route with several hops one may go, and come. */
static void change_hop(struct world *w)
{
	for (unsigned i = 0; i < w->n_routes; i++) {
		struct route *r = &w->routes[i], gone = *r;

		if (r->r.is_ip4 || r->r.n_hops < 2 || r->r.nexthop)
			continue;
		r->r.n_hops--;
		gone.hops[0] = gone.hops[r->r.n_hops];
		gone.r.n_hops = 1;
		tell_route(w, &gone, true, 0);
		return;
	}
}

static void change_address(struct world *w)
{
	unsigned i = below(w, OTHERS_MAX);
	struct tn_kernel_address *a = &w->addresses[i];

	if (i < w->n_addresses) {
		if (below(w, 2)) {
			a->usable = !a->usable;
			tell(w, TN_KERNEL_ADDRESS, false)->address = *a;
			return;
		}
		tell(w, TN_KERNEL_ADDRESS, true)->address = *a;
		*a = w->addresses[--w->n_addresses];
		return;
	}
	a = &w->addresses[w->n_addresses];
	*a = (struct tn_kernel_address){
		.link = 1 + below(w, LINKS), .is_ip4 = below(w, 2), .usable = true};
	a->prefix_len = a->is_ip4 ? 16 : 64;
	a->address = (a->is_ip4 ? ip("10.0.0.0") | below(w, 3) << 16
				: ip("2001:db8::") | (tn_u128)below(w, 3) << 80) +
		1 + w->n_addresses;
	for (unsigned k = 0; k < w->n_addresses; k++) {
		if (w->addresses[k].address == a->address)
			return;
	}
	w->n_addresses++;
	tell(w, TN_KERNEL_ADDRESS, false)->address = *a;
}

static void change_neighbour(struct world *w)
{
	unsigned i = below(w, OTHERS_MAX);
	struct tn_kernel_neighbour *n = &w->neighbours[i];
	bool gone = i < w->n_neighbours && below(w, 2);

	if (gone) {
		tell(w, TN_KERNEL_NEIGHBOUR, true)->neighbour = *n;
		*n = w->neighbours[--w->n_neighbours];
		return;
	}
	if (i >= w->n_neighbours) {
		n = &w->neighbours[w->n_neighbours];
		n->link = 1 + below(w, LINKS);
		n->address = ip("198.51.100.0") + below(w, 200);
		for (unsigned k = 0; k < w->n_neighbours; k++) {
			if (w->neighbours[k].link == n->link &&
				w->neighbours[k].address == n->address)
				return;
		}
		w->n_neighbours++;
	}
	n->mac.b[4] = (uint8_t)below(w, 255);
	n->usable = below(w, 4);
	n->fresh = below(w, 2);
	tell(w, TN_KERNEL_NEIGHBOUR, false)->neighbour = *n;
}

static bool nexthop_in_use(const struct world *w, uint32_t id)
{
	for (unsigned i = 0; i < w->n_routes; i++) {
		if (w->routes[i].r.nexthop == id)
			return true;
	}
	return false;
}

/* 1 to 3 are ways, 4 is a group of two of them. */
static void change_nexthop(struct world *w)
{
	unsigned i = below(w, 4);
	struct tn_kernel_nexthop *n = &w->nexthops[i];

	if (n->id && below(w, 2)) {
		if (nexthop_in_use(w, n->id))
			return;
		tell(w, TN_KERNEL_NEXTHOP, true)->nexthop = *n;
		n->id = 0;
		return;
	}
	*n = (struct tn_kernel_nexthop){.id = i + 1};
	if (i < 3) {
		n->refuses = !below(w, 4);
		n->hop = (struct tn_kernel_hop){
			ip("198.51.100.1") + i, 1 + below(w, LINKS), 1, false};
	} else {
		w->members[0] = (struct tn_kernel_member){1, 1};
		w->members[1] = (struct tn_kernel_member){2, 1};
		n->members = w->members;
		n->n_members = 2;
	}
	tell(w, TN_KERNEL_NEXTHOP, false)->nexthop = *n;
}

static void change(struct world *w)
{
	static void (*const changes[])(struct world *) = {change_route, change_route, change_route,
		change_address, change_neighbour, change_hop};
	unsigned i = below(w, 40);

	if (w->routes_only)
		change_route(w);
	else if (i < 2)
		change_link(w);
	else if (i < 5)
		change_nexthop(w);
	else
		changes[i % TN_ARRAY_SIZE(changes)](w);
}

/* --- reading it --- */

static void dump_one(const struct world *w, struct tn_kernel *k, enum tn_kernel_kind kind)
{
	struct tn_kernel_event e = {.kind = kind};
	unsigned i;

	tn_kernel_dump_begin(k, kind);
	for (i = 1; kind == TN_KERNEL_LINK && i <= LINKS; i++) {
		e.link = w->links[i];
		if (e.link.index)
			tn_kernel_dumped(k, &e);
	}
	for (i = 0; kind == TN_KERNEL_ADDRESS && i < w->n_addresses; i++) {
		e.address = w->addresses[i];
		tn_kernel_dumped(k, &e);
	}
	for (i = 0; kind == TN_KERNEL_ROUTE && i < w->n_routes; i++) {
		e.route = w->routes[i].r;
		tn_kernel_dumped(k, &e);
	}
	for (i = 0; kind == TN_KERNEL_NEXTHOP && i < 4; i++) {
		e.nexthop = w->nexthops[i];
		if (e.nexthop.id)
			tn_kernel_dumped(k, &e);
	}
	for (i = 0; kind == TN_KERNEL_NEIGHBOUR && i < w->n_neighbours; i++) {
		e.neighbour = w->neighbours[i];
		tn_kernel_dumped(k, &e);
	}
	tn_kernel_dump_end(k, kind, true);
}

/* A dump of nothing that broke off changes nothing. */
static void break_off(struct tn_kernel *k)
{
	for (unsigned i = 0; i < TN_KERNEL_N_KINDS; i++) {
		tn_kernel_dump_begin(k, i);
		tn_kernel_dump_end(k, i, false);
	}
}

static void dump(const struct world *w, struct tn_kernel *k, unsigned kinds)
{
	for (unsigned i = 0; i < TN_KERNEL_N_KINDS; i++) {
		if (kinds & TN_KERNEL_BIT(i))
			dump_one(w, k, i);
	}
}

static unsigned apply_all(struct world *w, struct tn_kernel *k)
{
	unsigned again = 0;

	for (unsigned i = 0; i < w->n_events; i++)
		again |= tn_kernel_apply(k, &w->events[i], NULL);
	w->n_events = 0;
	tn_kernel_caught_up(k);
	return again;
}

/* --- a plain walk --- */

struct expected {
	unsigned n; /* bits: link << 8 | last byte of the next hop */
	struct {
		uint32_t link;
		tn_u128 next;
	} list[16];
};

static bool is_uplink(const struct world *w, unsigned link)
{
	const struct tn_kernel_link *l = &w->links[link];

	return l->index && l->up && (!strcmp(l->name, "up1") || !strcmp(l->name, "up2"));
}

static void expect_hop(const struct world *w, struct expected *e, const struct tn_kernel_hop *hop,
	tn_u128 dst, bool *any)
{
	const struct tn_kernel_link *l = &w->links[hop->link];

	if (!l->index || !l->up)
		return;
	*any = true;
	if (!is_uplink(w, hop->link))
		return;
	e->list[e->n].link = hop->link;
	e->list[e->n++].next = hop->via ? hop->via : dst;
}

static bool expect_route(
	const struct world *w, const struct tn_kernel_route *r, tn_u128 dst, struct expected *e)
{
	const struct tn_kernel_nexthop *n = r->nexthop ? &w->nexthops[r->nexthop - 1] : NULL;
	bool any = false;

	e->n = 0;
	if (r->refuses || (n && n->refuses))
		return true;
	for (unsigned i = 0; !n && i < r->n_hops; i++)
		expect_hop(w, e, &r->hops[i], dst, &any);
	if (n && !n->n_members)
		expect_hop(w, e, &n->hop, dst, &any);
	for (unsigned i = 0; n && i < n->n_members; i++) {
		const struct tn_kernel_nexthop *m = &w->nexthops[n->members[i].id - 1];

		if (m->id && !m->refuses)
			expect_hop(w, e, &m->hop, dst, &any);
	}
	return any;
}

static void expect(const struct world *w, tn_u128 dst, bool is_ip4, struct expected *e)
{
	int longest = 129;

	e->n = 0;
	/* From the longest prefix and the lowest metric on, the first that is alive. */
	for (;;) {
		const struct tn_kernel_route *best = NULL;
		int next = -1;

		for (unsigned i = 0; i < w->n_routes; i++) {
			const struct tn_kernel_route *r = &w->routes[i].r;

			if (r->is_ip4 == is_ip4 && r->prefix_len < longest &&
				r->prefix_len > next &&
				(dst & tn_kernel_mask(r->prefix_len, is_ip4)) == r->prefix)
				next = r->prefix_len;
		}
		if (next < 0)
			return;
		for (uint32_t metric = 0; metric <= 100; metric += 100) {
			best = NULL;
			for (unsigned i = 0; i < w->n_routes && !best; i++) {
				const struct tn_kernel_route *r = &w->routes[i].r;

				if (r->is_ip4 == is_ip4 && r->prefix_len == next &&
					r->metric == metric &&
					(dst & tn_kernel_mask(r->prefix_len, is_ip4)) == r->prefix)
					best = r;
			}
			if (best && expect_route(w, best, dst, e))
				return;
		}
		longest = next;
	}
}

struct seen {
	const struct expected *expected;
	unsigned found, calls;
};

static void on_next_hop(void *ctx, uint32_t link, tn_u128 next)
{
	struct seen *s = ctx;

	s->calls++;
	for (unsigned i = 0; i < s->expected->n; i++) {
		if (s->expected->list[i].link == link && s->expected->list[i].next == next)
			s->found |= 1u << i;
	}
}

static void check_ways(struct world *w, const struct tn_composed *c)
{
	for (unsigned i = 0; i < 40; i++) {
		bool is_ip4 = below(w, 2);
		tn_u128 dst = is_ip4
			? ip("10.0.0.0") | below(w, 4) << 16 | below(w, 2) << 8 | below(w, 3)
			: ip("2001:db8::") | (tn_u128)below(w, 4) << 80 |
				(tn_u128)below(w, 2) << 64 | below(w, 3);
		struct expected e;
		struct seen s = {&e, 0, 0};

		expect(w, dst, is_ip4, &e);
		tn_composed_next_hops(c, dst, on_next_hop, &s);
		assert_int_equal(s.calls > 0, e.n > 0);
		assert_int_equal(s.found, (1u << e.n) - 1);
	}
}

/* A new reader's view, and that every mirrored thing is of an uplink. */
static void check(struct world *w, const struct tn_kernel *k)
{
	const tn_u128 local = w->n_addresses ? w->addresses[0].address : 0;
	struct tn_kernel *fresh = tn_kernel_new(0);
	struct tn_composed *a = tn_composed_new(), *b = tn_composed_new();
	const struct tn_underlay_config *c;

	dump(w, fresh, UINT32_MAX);
	assert_int_equal(tn_compose(a, k, uplinks, 2, &local, 1), 0);
	assert_int_equal(tn_compose(b, fresh, uplinks, 2, &local, 1), 0);
	assert_true(tn_composed_equal(a, b));
	check_ways(w, a);
	c = tn_composed_config(a);
	for (size_t i = 0; i < c->n_addresses; i++)
		assert_true(c->addresses[i].address == local || c->addresses[i].port == 11 ||
			c->addresses[i].port == 12);
	for (size_t i = 0; i < c->n_neighbours; i++)
		assert_true(c->neighbours[i].port == 11 || c->neighbours[i].port == 12);
	tn_composed_free(a);
	tn_composed_free(b);
	tn_kernel_free(fresh);
}

static struct world *new_world(uint64_t seed)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	w.random.state = seed;
	w.routes_only = seed & 1;
	for (unsigned i = 1; i <= LINKS; i++) {
		w.links[i] = (struct tn_kernel_link){.index = i, .up = true, .running = true};
		snprintf(w.links[i].name, sizeof(w.links[i].name), "up%u", i);
		w.links[i].mac.b[5] = (uint8_t)i;
	}
	return &w;
}

/* Events in their order; what they leave unclear is dumped, sooner or later. */
static void test_events(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct world *w = new_world(seed);
		struct tn_kernel *k = tn_kernel_new(0);

		dump(w, k, UINT32_MAX);
		for (unsigned round = 0; round < 40; round++) {
			unsigned n = below(w, 30), again;

			while (n-- > 0)
				change(w);
			again = apply_all(w, k);
			break_off(k);
			dump(w, k, again);
			tn_kernel_caught_up(k);
			check(w, k);
		}
		tn_kernel_free(k);
	}
}

/* A dump overtakes events that are still to be read: they come again, and older than it. */
static void test_events_older_than_a_dump(void **state)
{
	(void)state;
	for (uint64_t seed = 100; seed < 160; seed++) {
		struct world *w = new_world(seed);
		struct tn_kernel *k = tn_kernel_new(0);

		for (unsigned round = 0; round < 40; round++) {
			unsigned n = below(w, 30), again;

			while (n-- > 0)
				change(w);
			dump(w, k, 1u + below(w, 31));
			again = apply_all(w, k);
			if (round == 0)
				again = UINT32_MAX;
			dump(w, k, again);
			check(w, k);
		}
		tn_kernel_free(k);
	}
}

/* --- single cases --- */

struct bed {
	struct tn_kernel *k;
	struct tn_composed *c;
};

static void add_link(struct tn_kernel *k, uint32_t index, const char *name)
{
	struct tn_kernel_event e = {.kind = TN_KERNEL_LINK};

	e.link = (struct tn_kernel_link){.index = index, .up = true, .running = true};
	e.link.mac.b[5] = (uint8_t)index;
	snprintf(e.link.name, sizeof(e.link.name), "%s", name);
	(void)tn_kernel_apply(k, &e, NULL);
}

static void add_address(struct tn_kernel *k, uint32_t link, const char *address, uint8_t length)
{
	struct tn_kernel_event e = {.kind = TN_KERNEL_ADDRESS};
	uint32_t unused;

	e.address = (struct tn_kernel_address){.link = link,
		.address = ip(address),
		.prefix_len = length,
		.usable = true,
		.is_ip4 = tn_u128_is_ip4(ip(address), &unused)};
	(void)tn_kernel_apply(k, &e, NULL);
}

static void add_route(struct tn_kernel *k, const char *prefix, uint8_t length,
	const struct tn_kernel_hop *hops, uint32_t n)
{
	struct tn_kernel_event e = {.kind = TN_KERNEL_ROUTE};
	uint32_t unused;

	e.route = (struct tn_kernel_route){.prefix = ip(prefix),
		.prefix_len = length,
		.hops = hops,
		.n_hops = n,
		.is_ip4 = tn_u128_is_ip4(ip(prefix), &unused)};
	(void)tn_kernel_apply(k, &e, NULL);
}

static int setup(void **state)
{
	static struct bed b;

	b = (struct bed){tn_kernel_new(0), tn_composed_new()};
	add_link(b.k, 1, "lo");
	add_link(b.k, 2, "up1");
	add_link(b.k, 3, "up2");
	add_link(b.k, 4, "eth0");
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	tn_composed_free(b->c);
	tn_kernel_free(b->k);
	return 0;
}

static const struct tn_underlay_config *compose(struct bed *b, const char *local)
{
	const tn_u128 address = local ? ip(local) : 0;

	assert_int_equal(tn_compose(b->c, b->k, uplinks, 2, &address, local != NULL), 0);
	return tn_composed_config(b->c);
}

/* A full table through one way out is one route. */
static void test_routes_that_say_nothing(void **state)
{
	const struct tn_kernel_hop out = {ip("198.51.100.1"), 2, 1, false}, link = {0, 2, 1, false};
	const struct tn_kernel_hop other = {ip("192.0.2.1"), 4, 1, false};
	const struct tn_underlay_config *u;
	struct bed *b = *state;
	char prefix[32];

	add_route(b->k, "0.0.0.0", 0, &out, 1);
	add_route(b->k, "198.51.100.0", 24, &link, 1);
	for (unsigned i = 0; i < 250; i++) {
		snprintf(prefix, sizeof(prefix), "203.0.%u.0", i);
		add_route(b->k, prefix, 24, &out, 1);
		snprintf(prefix, sizeof(prefix), "203.1.%u.0", i);
		add_route(b->k, prefix, 24, &other, 1);
	}
	u = compose(b, NULL);
	assert_int_equal(u->n_routes, 2 + 250);
	assert_true(!u->routes[0].prefix_len && u->routes[0].via == out.via);
	assert_int_equal(u->routes[0].port, 11);
	assert_int_equal(u->routes[251].port, TN_UNDERLAY_ELSEWHERE);
}

static void test_weights(void **state)
{
	struct tn_kernel_hop hops[] = {
		{ip("198.51.100.1"), 2, 10, false}, {ip("203.0.113.1"), 3, 30, false},
		{ip("192.0.2.1"), 4, 200, false}, /* past the uplinks: others share its part */
		{ip("203.0.113.9"), 3, 50, true}, /* dead */
	};
	const struct tn_underlay_config *u;
	struct bed *b = *state;

	add_route(b->k, "10.0.0.0", 8, hops, 4);
	u = compose(b, NULL);
	assert_int_equal(u->n_routes, 4);
	assert_int_equal(u->routes[0].port, 11);
	for (unsigned i = 1; i < 4; i++)
		assert_true(u->routes[i].port == 12 && u->routes[i].via == hops[1].via);
	hops[0].weight = 1;
	hops[1].weight = 65535;
	add_route(b->k, "10.0.0.0", 9, hops, 2);
	u = compose(b, NULL);
	assert_int_equal(u->n_routes, 4 + 1 + 255);
}

static void test_loopback_address(void **state)
{
	const struct tn_kernel_hop hops[] = {
		{ip("fe80::1"), 2, 1, false}, {ip("fe80::1"), 3, 1, false}};
	const struct tn_underlay_config *u;
	struct bed *b = *state;

	add_address(b->k, 1, "192.0.2.77", 32);
	add_address(b->k, 1, "127.0.0.1", 8);
	add_address(b->k, 2, "fe80::2", 64);
	add_address(b->k, 3, "fe80::3", 64);
	add_route(b->k, "0.0.0.0", 0, hops, 2);
	u = compose(b, "192.0.2.77");
	assert_int_equal(u->n_addresses, 3);
	assert_true(u->addresses[0].address == ip("192.0.2.77") ||
		u->addresses[2].address == ip("192.0.2.77"));
	assert_int_equal(u->n_routes, 2);
	u = compose(b, NULL);
	assert_int_equal(u->n_addresses, 2);
}

/* A network whose route was taken away is not on the link. */
static void test_network_without_route(void **state)
{
	const struct tn_kernel_hop link = {0, 2, 1, false};
	const struct tn_underlay_config *u;
	struct bed *b = *state;

	add_address(b->k, 2, "198.51.100.7", 24);
	u = compose(b, NULL);
	assert_int_equal(u->addresses[0].prefix_len, 32);
	assert_int_equal(u->addresses[0].mac.b[5], 2);
	add_route(b->k, "198.51.100.0", 24, &link, 1);
	u = compose(b, NULL);
	assert_int_equal(u->addresses[0].prefix_len, 24);
}

static void test_bounds(void **state)
{
	const struct tn_kernel_hop out = {ip("198.51.100.1"), 2, 1, false};
	struct tn_kernel *k = tn_kernel_new(10);
	char prefix[32];

	(void)state;
	for (unsigned i = 0; i < 15; i++) {
		snprintf(prefix, sizeof(prefix), "10.%u.0.0", i);
		add_route(k, prefix, 16, &out, 1);
	}
	assert_int_equal(tn_kernel_count(k, TN_KERNEL_ROUTE), 10);
	assert_int_equal(tn_kernel_lost(k, TN_KERNEL_ROUTE), 5);
	tn_kernel_dump_begin(k, TN_KERNEL_ROUTE);
	tn_kernel_dump_end(k, TN_KERNEL_ROUTE, true);
	assert_int_equal(tn_kernel_count(k, TN_KERNEL_ROUTE), 0);
	assert_int_equal(tn_kernel_lost(k, TN_KERNEL_ROUTE), 0);
	tn_kernel_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_events_older_than_a_dump),
		cmocka_unit_test_setup_teardown(test_routes_that_say_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_weights, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loopback_address, setup, teardown),
		cmocka_unit_test_setup_teardown(test_network_without_route, setup, teardown),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
