/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/underlay/kernel.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 524288u

/* What the trees hold: one thing of the kernel's. Routes and nexthops have their lists behind. */
struct item {
	uint32_t seen; /* round of dumps that named it last */
	/* ROUTE: others of its prefix and metric stand behind it, and follow when it goes. */
	bool stacked;
	struct item *next; /* to be taken out */
	union {
		struct tn_kernel_link link;
		struct tn_kernel_address address;
		struct tn_kernel_route route;
		struct tn_kernel_nexthop nexthop;
		struct tn_kernel_neighbour neighbour;
	};
};

struct kind {
	void *root; /* of tsearch() */
	uint32_t n, round;
	bool dumping;
	uint64_t lost;
};

struct tn_kernel {
	struct kind kinds[TN_KERNEL_N_KINDS];
	uint32_t max;
	bool behind; /* events may be older than what was dumped */
};

/* --- keys --- */

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_links(const void *x, const void *y)
{
	const struct item *a = x, *b = y;

	return ORDER(a->link.index, b->link.index);
}

static int compare_nexthops(const void *x, const void *y)
{
	const struct item *a = x, *b = y;

	return ORDER(a->nexthop.id, b->nexthop.id);
}

static int compare_addresses(const void *x, const void *y)
{
	const struct tn_kernel_address *a = &((const struct item *)x)->address;
	const struct tn_kernel_address *b = &((const struct item *)y)->address;

	if (a->address != b->address)
		return ORDER(a->address, b->address);
	if (a->link != b->link)
		return ORDER(a->link, b->link);
	return ORDER(a->prefix_len, b->prefix_len);
}

static int compare_routes(const void *x, const void *y)
{
	const struct tn_kernel_route *a = &((const struct item *)x)->route;
	const struct tn_kernel_route *b = &((const struct item *)y)->route;

	if (a->is_ip4 != b->is_ip4)
		return ORDER(a->is_ip4, b->is_ip4);
	if (a->prefix != b->prefix)
		return ORDER(a->prefix, b->prefix);
	if (a->prefix_len != b->prefix_len)
		return ORDER(a->prefix_len, b->prefix_len);
	return ORDER(a->metric, b->metric);
}

static int compare_neighbours(const void *x, const void *y)
{
	const struct tn_kernel_neighbour *a = &((const struct item *)x)->neighbour;
	const struct tn_kernel_neighbour *b = &((const struct item *)y)->neighbour;

	return a->link != b->link ? ORDER(a->link, b->link) : ORDER(a->address, b->address);
}

static __compar_fn_t compare_of(enum tn_kernel_kind kind)
{
	static const __compar_fn_t functions[TN_KERNEL_N_KINDS] = {
		[TN_KERNEL_LINK] = compare_links,
		[TN_KERNEL_NEXTHOP] = compare_nexthops,
		[TN_KERNEL_ADDRESS] = compare_addresses,
		[TN_KERNEL_ROUTE] = compare_routes,
		[TN_KERNEL_NEIGHBOUR] = compare_neighbours,
	};

	return functions[kind];
}

/* --- items --- */

static bool same_hop(const struct tn_kernel_hop *a, const struct tn_kernel_hop *b)
{
	return a->via == b->via && a->link == b->link && a->weight == b->weight &&
		a->dead == b->dead;
}

static bool same_hops(const struct tn_kernel_route *a, const struct tn_kernel_route *b)
{
	if (a->nexthop != b->nexthop || a->n_hops != b->n_hops || a->refuses != b->refuses)
		return false;
	for (uint32_t i = 0; i < a->n_hops; i++) {
		if (!same_hop(&a->hops[i], &b->hops[i]))
			return false;
	}
	return true;
}

static bool same_nexthop(const struct tn_kernel_nexthop *a, const struct tn_kernel_nexthop *b)
{
	if (a->refuses != b->refuses || a->n_members != b->n_members ||
		(!a->n_members && !same_hop(&a->hop, &b->hop)))
		return false;
	for (uint32_t i = 0; i < a->n_members; i++) {
		if (a->members[i].id != b->members[i].id ||
			a->members[i].weight != b->members[i].weight)
			return false;
	}
	return true;
}

static bool same_mac(const struct tn_mac *a, const struct tn_mac *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* Two of one key. */
static bool same(enum tn_kernel_kind kind, const struct item *a, const struct item *b)
{
	switch (kind) {
	case TN_KERNEL_LINK:
		return !strcmp(a->link.name, b->link.name) &&
			same_mac(&a->link.mac, &b->link.mac) && a->link.up == b->link.up &&
			a->link.running == b->link.running;
	case TN_KERNEL_NEXTHOP:
		return same_nexthop(&a->nexthop, &b->nexthop);
	case TN_KERNEL_ADDRESS:
		return a->address.usable == b->address.usable;
	case TN_KERNEL_ROUTE:
		return same_hops(&a->route, &b->route);
	case TN_KERNEL_NEIGHBOUR:
		return same_mac(&a->neighbour.mac, &b->neighbour.mac) &&
			a->neighbour.usable == b->neighbour.usable &&
			a->neighbour.fresh == b->neighbour.fresh;
	case TN_KERNEL_N_KINDS:
		break;
	}
	return true;
}

/* An event as an item, for looking up and comparing. */
static struct item as_item(const struct tn_kernel_event *event)
{
	struct item item = {0};

	switch (event->kind) {
	case TN_KERNEL_LINK:
		item.link = event->link;
		break;
	case TN_KERNEL_NEXTHOP:
		item.nexthop = event->nexthop;
		break;
	case TN_KERNEL_ADDRESS:
		item.address = event->address;
		break;
	case TN_KERNEL_ROUTE:
		item.route = event->route;
		break;
	case TN_KERNEL_NEIGHBOUR:
		item.neighbour = event->neighbour;
		break;
	case TN_KERNEL_N_KINDS:
		break;
	}
	return item;
}

/* A copy that owns its list. NULL: no memory. */
static struct item *copy_item(enum tn_kernel_kind kind, const struct item *from)
{
	const void *list = NULL;
	struct item *item;
	size_t size = 0;

	if (kind == TN_KERNEL_ROUTE) {
		list = from->route.hops;
		size = from->route.n_hops * sizeof(*from->route.hops);
	} else if (kind == TN_KERNEL_NEXTHOP) {
		list = from->nexthop.members;
		size = from->nexthop.n_members * sizeof(*from->nexthop.members);
	}
	item = malloc(sizeof(*item) + size);
	if (!item)
		return NULL;
	*item = *from;
	if (size)
		memcpy(item + 1, list, size);
	if (kind == TN_KERNEL_ROUTE)
		item->route.hops = (const struct tn_kernel_hop *)(item + 1);
	else if (kind == TN_KERNEL_NEXTHOP)
		item->nexthop.members = (const struct tn_kernel_member *)(item + 1);
	return item;
}

/* --- trees --- */

/* Where the tree keeps the item of this key; NULL: it does not. */
static struct item **find(
	const struct tn_kernel *k, enum tn_kernel_kind kind, const struct item *key)
{
	return tfind(key, &k->kinds[kind].root, compare_of(kind));
}

static void insert(struct tn_kernel *k, enum tn_kernel_kind kind, const struct item *from)
{
	struct kind *t = &k->kinds[kind];
	struct item *item = t->n < k->max ? copy_item(kind, from) : NULL;

	if (item && tsearch(item, &t->root, compare_of(kind))) {
		item->seen = t->round;
		t->n++;
		return;
	}
	free(item);
	t->lost++;
}

/* The same key with something else to say. */
static void overwrite(
	struct tn_kernel *k, enum tn_kernel_kind kind, struct item **at, const struct item *from)
{
	struct item *item = copy_item(kind, from);

	if (!item) {
		k->kinds[kind].lost++;
		return;
	}
	item->seen = k->kinds[kind].round;
	item->stacked = (*at)->stacked;
	free(*at);
	*at = item;
}

static void take_out(struct tn_kernel *k, enum tn_kernel_kind kind, struct item *item)
{
	(void)tdelete(item, &k->kinds[kind].root, compare_of(kind));
	k->kinds[kind].n--;
	free(item);
}

struct tn_kernel *tn_kernel_new(uint32_t max)
{
	struct tn_kernel *k = calloc(1, sizeof(*k));

	if (k)
		k->max = max ? max : ITEMS_MAX;
	return k;
}

void tn_kernel_free(struct tn_kernel *k)
{
	if (!k)
		return;
	for (unsigned i = 0; i < TN_KERNEL_N_KINDS; i++)
		tdestroy(k->kinds[i].root, free);
	free(k);
}

/* --- changes --- */

/*
 * One more route of a prefix and metric that is there, unless it replaces that. False: what is
 * there still counts, or has to be dumped to know.
 */
static bool stack(const struct tn_kernel_event *event, struct item *first, unsigned *again)
{
	if (event->replaces)
		return true;
	/* An IPv6 route that got a further hop is told whole. */
	if (!event->route.is_ip4) {
		if (event->route.n_hops > first->route.n_hops)
			return true;
		*again = TN_KERNEL_BIT(TN_KERNEL_ROUTE);
		return false;
	}
	first->stacked = true;
	return !event->appends;
}

static unsigned apply_new(struct tn_kernel *k, const struct tn_kernel_event *event,
	const struct item *item, struct item **at, bool *changed)
{
	unsigned again = 0;

	/*
	 * Routes come back to life, die and go with their link, and none of it is told. An event
	 * older than the dump says so of routes that older events bring back.
	 */
	if (event->kind == TN_KERNEL_LINK && at &&
		(k->behind || (*at)->link.up != item->link.up ||
			(*at)->link.running != item->link.running))
		again = TN_KERNEL_BIT(TN_KERNEL_ROUTE);
	if (at && same(event->kind, *at, item))
		return again;
	if (event->kind == TN_KERNEL_ROUTE && at && !stack(event, *at, &again))
		return again;
	*changed = true;
	if (at)
		overwrite(k, event->kind, at, item);
	else
		insert(k, event->kind, item);
	return again;
}

/* What goes along with it, and is not told. */
static unsigned goes_along(const struct tn_kernel_event *event)
{
	if (event->kind == TN_KERNEL_LINK || event->kind == TN_KERNEL_NEXTHOP ||
		(event->kind == TN_KERNEL_ADDRESS && event->address.is_ip4))
		return TN_KERNEL_BIT(TN_KERNEL_ROUTE);
	return 0;
}

unsigned tn_kernel_apply(struct tn_kernel *k, const struct tn_kernel_event *event, bool *changed)
{
	struct item item = as_item(event), **at = find(k, event->kind, &item);
	bool unused;

	if (!changed)
		changed = &unused;
	TN_ASSERT(!k->kinds[event->kind].dumping);
	if (!event->gone)
		return apply_new(k, event, &item, at, changed);
	/* One of several routes went, or some hops of an IPv6 route; or it is old news. */
	if (event->kind == TN_KERNEL_ROUTE && at &&
		((*at)->stacked || !same_hops(&(*at)->route, &event->route)))
		return TN_KERNEL_BIT(TN_KERNEL_ROUTE);
	if (at) {
		*changed = true;
		take_out(k, event->kind, *at);
	}
	return goes_along(event);
}

void tn_kernel_caught_up(struct tn_kernel *k)
{
	k->behind = false;
}

void tn_kernel_dump_begin(struct tn_kernel *k, enum tn_kernel_kind kind)
{
	k->kinds[kind].round++;
	k->kinds[kind].lost = 0;
	k->kinds[kind].dumping = true;
}

void tn_kernel_dumped(struct tn_kernel *k, const struct tn_kernel_event *event)
{
	struct item item = as_item(event), **at = find(k, event->kind, &item);
	uint32_t round = k->kinds[event->kind].round;

	if (!at) {
		insert(k, event->kind, &item);
	} else if ((*at)->seen == round) {
		/* Of several routes the first one that is named counts. */
		(*at)->stacked = event->kind == TN_KERNEL_ROUTE;
	} else {
		(*at)->seen = round;
		(*at)->stacked = false;
		if (!same(event->kind, *at, &item))
			overwrite(k, event->kind, at, &item);
	}
}

/* --- walks --- */

struct walk {
	tn_kernel_fn fn;
	void *ctx;
};

static void visit(const void *node, VISIT which, void *ctx)
{
	const struct item *item = *(struct item *const *)node;
	const struct walk *w = ctx;

	/* Whatever its kind: the members of the union stand at one place. */
	if (which == postorder || which == leaf)
		w->fn(w->ctx, &item->link);
}

void tn_kernel_each(const struct tn_kernel *k, enum tn_kernel_kind kind, tn_kernel_fn fn, void *ctx)
{
	struct walk w = {fn, ctx};

	twalk_r(k->kinds[kind].root, visit, &w);
}

/* The tree may not change while it is walked. */
struct unseen {
	struct item *list;
	uint32_t round;
};

static void collect_unseen(const void *node, VISIT which, void *ctx)
{
	struct item *item = *(struct item *const *)node;
	struct unseen *u = ctx;

	if ((which != postorder && which != leaf) || item->seen == u->round)
		return;
	item->next = u->list;
	u->list = item;
}

void tn_kernel_dump_end(struct tn_kernel *k, enum tn_kernel_kind kind, bool whole)
{
	struct unseen u = {.round = k->kinds[kind].round};

	if (whole)
		twalk_r(k->kinds[kind].root, collect_unseen, &u);
	while (u.list) {
		struct item *item = u.list;

		u.list = item->next;
		take_out(k, kind, item);
	}
	k->kinds[kind].dumping = false;
	k->behind = true;
}

uint64_t tn_kernel_lost(const struct tn_kernel *k, enum tn_kernel_kind kind)
{
	return k->kinds[kind].lost;
}

uint32_t tn_kernel_count(const struct tn_kernel *k, enum tn_kernel_kind kind)
{
	return k->kinds[kind].n;
}

struct named {
	const char *name;
	const struct tn_kernel_link *found;
};

static void match_name(void *ctx, const void *item)
{
	const struct tn_kernel_link *link = item;
	struct named *n = ctx;

	if (!strcmp(link->name, n->name))
		n->found = link;
}

const struct tn_kernel_link *tn_kernel_link_by_name(const struct tn_kernel *k, const char *name)
{
	struct named n = {name, NULL};

	tn_kernel_each(k, TN_KERNEL_LINK, match_name, &n);
	return n.found;
}

const struct tn_kernel_link *tn_kernel_link(const struct tn_kernel *k, uint32_t index)
{
	const struct item key = {.link.index = index};
	struct item **at = find(k, TN_KERNEL_LINK, &key);

	return at ? &(*at)->link : NULL;
}

const struct tn_kernel_nexthop *tn_kernel_nexthop(const struct tn_kernel *k, uint32_t id)
{
	const struct item key = {.nexthop.id = id};
	struct item **at = find(k, TN_KERNEL_NEXTHOP, &key);

	return at ? &(*at)->nexthop : NULL;
}

const struct tn_kernel_neighbour *tn_kernel_neighbour(
	const struct tn_kernel *k, uint32_t link, tn_u128 address)
{
	const struct item key = {.neighbour = {.link = link, .address = address}};
	struct item **at = find(k, TN_KERNEL_NEIGHBOUR, &key);

	return at ? &(*at)->neighbour : NULL;
}
