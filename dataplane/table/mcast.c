/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/mcast.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_MEMBERS	    16384u
#define DEFAULT_PER_NETWORK 2048u
#define DEFAULT_PER_PLACE   256u

#define SECOND	  UINT64_C(1000000000)
#define MEMBER_NS (260 * SECOND) /* RFC 3376, 8.4; RFC 3810, 9.4 */
#define ROUTER_NS (255 * SECOND) /* RFC 3376, 8.5 */
#define LEAVE_NS  (2 * SECOND)	 /* last member query: RFC 3376, 8.8 */
#define STAYS	  UINT64_MAX

/* What readers see of a group: immutable. */
struct node {
	struct node *next; /* in the hash chain; changes, atomic */
	uint32_t network;
	tn_u128 group;
	uint32_t n;
	struct tn_place places[];
};

struct member {
	struct tn_place place;
	struct tn_mac host;
	uint64_t until_ns; /* STAYS: for ever */
};

/* The writer's. */
struct group {
	struct group *next;
	uint32_t network;
	uint32_t n, room;
	tn_u128 group;
	struct member *members;
	struct node *node; /* NULL: nothing is published */
};

/* How much a network has, or a place of it. */
struct tally {
	struct tally *next;
	uint32_t network;
	uint32_t count;
	struct tn_place place;	 /* port 0: the network */
	uint64_t asked_until_ns; /* of a network: a router asks */
};

struct tn_mcast {
	struct tn_mcast_config config;
	struct tn_defer *defer;
	uint32_t mask;
	struct node **nodes;
	struct group **groups;
	struct tally **tallies;
	uint32_t changes;
	uint64_t due_ns; /* no member goes before */
	struct tn_mcast_stats stats;
};

#define load(p)	    __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)

static uint32_t hash(const struct tn_mcast *m, uint32_t network, tn_u128 a, uint32_t b)
{
	tn_u128 product = ((tn_u128)((uint64_t)a ^ (uint64_t)(a >> 64) * 31) +
				  (m->config.hash_seed ^ UINT64_C(0x9e3779b97f4a7c15))) *
		(((uint64_t)network << 32 | b) ^ UINT64_C(0xd6e8feb86659fd93));

	return (uint32_t)((uint64_t)product ^ (uint64_t)(product >> 64)) & m->mask;
}

struct tn_mcast *tn_mcast_new(const struct tn_mcast_config *config, struct tn_defer *defer)
{
	struct tn_mcast *m = calloc(1, sizeof(*m));
	uint32_t buckets = 1;

	if (!m)
		return NULL;
	m->config = *config;
	m->defer = defer;
	m->due_ns = STAYS;
	if (!m->config.max_members)
		m->config.max_members = DEFAULT_MEMBERS;
	if (!m->config.max_per_network)
		m->config.max_per_network = DEFAULT_PER_NETWORK;
	if (!m->config.max_per_place)
		m->config.max_per_place = DEFAULT_PER_PLACE;
	while (buckets < m->config.max_members)
		buckets *= 2;
	m->mask = buckets - 1;
	m->nodes = calloc(buckets, sizeof(struct node *));
	m->groups = calloc(buckets, sizeof(struct group *));
	m->tallies = calloc(buckets, sizeof(struct tally *));
	if (!m->nodes || !m->groups || !m->tallies) {
		tn_mcast_free(m);
		return NULL;
	}
	return m;
}

static void free_chains(struct tn_mcast *m, uint32_t i)
{
	while (m->groups[i]) {
		struct group *g = m->groups[i];

		m->groups[i] = g->next;
		free(g->node);
		free(g->members);
		free(g);
	}
	while (m->tallies[i]) {
		struct tally *t = m->tallies[i];

		m->tallies[i] = t->next;
		free(t);
	}
}

void tn_mcast_free(struct tn_mcast *m)
{
	if (!m)
		return;
	for (uint32_t i = 0; m->groups && m->tallies && i <= m->mask; i++)
		free_chains(m, i);
	free(m->nodes);
	free(m->groups);
	free(m->tallies);
	free(m);
}

struct tn_mcast_places tn_mcast_lookup(const struct tn_mcast *m, uint32_t network, tn_u128 group)
{
	const struct node *n = load(&m->nodes[hash(m, network, group, 0)]);

	while (n && (n->network != network || n->group != group))
		n = load(&n->next);
	return n ? (struct tn_mcast_places){n->n, n->places} : (struct tn_mcast_places){0};
}

/* --- tallies ---------------------------------------------------------------------------------- */

static struct tally **tally_at(
	const struct tn_mcast *m, uint32_t network, const struct tn_place *place)
{
	struct tally **at = &m->tallies[hash(m, network, place->tunnel, place->port)];

	while (*at && ((*at)->network != network || !tn_place_equal(&(*at)->place, place)))
		at = &(*at)->next;
	return at;
}

/* NULL: no memory. */
static struct tally *tally_get(struct tn_mcast *m, uint32_t network, const struct tn_place *place)
{
	struct tally **at = tally_at(m, network, place);

	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (*at) {
			(*at)->network = network;
			(*at)->place = *place;
		}
	}
	return *at;
}

static void tally_put(struct tn_mcast *m, uint32_t network, const struct tn_place *place)
{
	struct tally **at = tally_at(m, network, place), *t = *at;

	if (!t || t->count)
		return;
	*at = t->next;
	free(t);
}

static const struct tn_place whole_network;

static bool somebody_asks(const struct tn_mcast *m, uint32_t network, uint64_t now_ns)
{
	const struct tally *t = *tally_at(m, network, &whole_network);

	return t && now_ns < t->asked_until_ns;
}

/* One more for both; false: it is over a limit, or there is no memory. */
static bool count_in(struct tn_mcast *m, uint32_t network, const struct tn_place *place)
{
	struct tally *all = tally_get(m, network, &whole_network);
	struct tally *here = tally_get(m, network, place);
	bool fits = all && here && m->stats.members < m->config.max_members &&
		all->count < m->config.max_per_network && here->count < m->config.max_per_place;

	if (fits) {
		all->count++;
		here->count++;
		m->stats.members++;
		return true;
	}
	tally_put(m, network, place);
	tally_put(m, network, &whole_network);
	return false;
}

static void count_out(struct tn_mcast *m, uint32_t network, const struct tn_place *place)
{
	(*tally_at(m, network, place))->count--;
	(*tally_at(m, network, &whole_network))->count--;
	m->stats.members--;
	tally_put(m, network, place);
	tally_put(m, network, &whole_network);
}

/* --- groups ----------------------------------------------------------------------------------- */

static struct group **group_at(const struct tn_mcast *m, uint32_t network, tn_u128 group)
{
	struct group **at = &m->groups[hash(m, network, group, 0)];

	while (*at && ((*at)->network != network || (*at)->group != group))
		at = &(*at)->next;
	return at;
}

/* The places of the members, each once. NULL: no memory. */
static struct node *new_node(const struct group *g)
{
	struct node *node = malloc(sizeof(*node) + g->n * sizeof(node->places[0]));

	if (!node)
		return NULL;
	node->network = g->network;
	node->group = g->group;
	node->n = 0;
	for (uint32_t i = 0; i < g->n; i++) {
		uint32_t k = 0;

		while (k < node->n && !tn_place_equal(&node->places[k], &g->members[i].place))
			k++;
		if (k == node->n)
			node->places[node->n++] = g->members[i].place;
	}
	return node;
}

static bool same_places(const struct node *a, const struct node *b)
{
	if (!a || a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++) {
		if (!tn_place_equal(&a->places[i], &b->places[i]))
			return false;
	}
	return true;
}

static void unpublish(struct tn_mcast *m, struct group *g)
{
	struct node **at = &m->nodes[hash(m, g->network, g->group, 0)];

	if (!g->node)
		return;
	while (*at != g->node)
		at = &(*at)->next;
	store(at, g->node->next);
	tn_defer_add(m->defer, g->node, free);
	g->node = NULL;
	m->changes |= 1u << tn_network_class(g->network);
}

/* Readers see either node, never none: the new one stands before the old one in the chain. */
static void publish(struct tn_mcast *m, struct group *g)
{
	struct node **head = &m->nodes[hash(m, g->network, g->group, 0)];
	struct node *node, *old = g->node;

	if (!g->n) {
		unpublish(m, g);
		return;
	}
	node = new_node(g);
	if (!node) /* without memory readers go on with what there was */
		return;
	if (same_places(old, node)) {
		free(node);
		return;
	}
	node->next = *head;
	store(head, node);
	unpublish(m, g);
	g->node = node;
	m->changes |= 1u << tn_network_class(g->network);
}

static struct group *group_get(struct tn_mcast *m, uint32_t network, tn_u128 group)
{
	struct group **at = group_at(m, network, group);

	if (*at)
		return *at;
	*at = calloc(1, sizeof(**at));
	if (*at) {
		(*at)->network = network;
		(*at)->group = group;
		m->stats.groups++;
	}
	return *at;
}

static void group_put(struct tn_mcast *m, struct group *g)
{
	struct group **at = group_at(m, g->network, g->group);

	if (g->n)
		return;
	unpublish(m, g);
	*at = g->next;
	m->stats.groups--;
	free(g->members);
	free(g);
}

static struct member *find_member(
	const struct group *g, const struct tn_place *place, struct tn_mac host)
{
	for (uint32_t i = 0; i < g->n; i++) {
		if (tn_place_equal(&g->members[i].place, place) &&
			!memcmp(&g->members[i].host, &host, sizeof(host)))
			return &g->members[i];
	}
	return NULL;
}

static void set_until(struct tn_mcast *m, struct member *member, uint64_t until_ns)
{
	member->until_ns = until_ns;
	if (until_ns < m->due_ns)
		m->due_ns = until_ns;
}

static bool reserve(struct group *g)
{
	uint32_t room = g->room ? 2 * g->room : 2;
	struct member *larger;

	if (g->n < g->room)
		return true;
	larger = realloc(g->members, room * sizeof(*larger));
	if (!larger)
		return false;
	g->members = larger;
	g->room = room;
	return true;
}

/* In the order in which they came, so that places keep theirs. */
static void remove_member(struct tn_mcast *m, struct group *g, uint32_t i)
{
	count_out(m, g->network, &g->members[i].place);
	memmove(&g->members[i], &g->members[i + 1], (g->n - i - 1) * sizeof(g->members[0]));
	g->n--;
}

static void add_member(struct tn_mcast *m, uint32_t network, tn_u128 group,
	const struct tn_place *place, struct tn_mac host, uint64_t until_ns)
{
	struct group *g = group_get(m, network, group);
	struct member *member = g ? find_member(g, place, host) : NULL;

	if (member) {
		set_until(m, member, until_ns);
		return;
	}
	if (!g || !reserve(g) || !count_in(m, network, place)) {
		m->stats.refused++;
		if (g)
			group_put(m, g);
		return;
	}
	member = &g->members[g->n++];
	*member = (struct member){.place = *place, .host = host};
	set_until(m, member, until_ns);
	m->stats.joined++;
	publish(m, g);
}

void tn_mcast_join(struct tn_mcast *m, uint32_t network, tn_u128 group,
	const struct tn_place *place, struct tn_mac host, uint64_t now_ns)
{
	if (network == TN_NETWORK_NONE || !place->port || !group)
		return;
	add_member(m, network, group, place, host,
		somebody_asks(m, network, now_ns) ? now_ns + MEMBER_NS : STAYS);
}

void tn_mcast_leave(struct tn_mcast *m, uint32_t network, tn_u128 group,
	const struct tn_place *place, struct tn_mac host, uint64_t now_ns)
{
	struct group *g = *group_at(m, network, group);
	struct member *member = g && group ? find_member(g, place, host) : NULL;

	if (!member)
		return;
	if (somebody_asks(m, network, now_ns)) {
		if (member->until_ns > now_ns + LEAVE_NS)
			set_until(m, member, now_ns + LEAVE_NS);
		return;
	}
	m->stats.left++;
	remove_member(m, g, (uint32_t)(member - g->members));
	publish(m, g);
	group_put(m, g);
}

/* Hosts will be asked from now on: those who do not answer are gone. */
static void begin_asking(struct tn_mcast *m, uint32_t network, uint64_t now_ns)
{
	for (uint32_t i = 0; i <= m->mask; i++) {
		for (struct group *g = m->groups[i]; g; g = g->next) {
			for (uint32_t k = 0; g->network == network && k < g->n; k++) {
				if (g->members[k].until_ns == STAYS)
					set_until(m, &g->members[k], now_ns + MEMBER_NS);
			}
		}
	}
}

void tn_mcast_router(struct tn_mcast *m, uint32_t network, const struct tn_place *place,
	struct tn_mac host, uint64_t now_ns)
{
	bool asked = somebody_asks(m, network, now_ns);
	struct tally *t;

	if (network == TN_NETWORK_NONE || !place->port)
		return;
	add_member(m, network, 0, place, host, now_ns + ROUTER_NS);
	t = *tally_at(m, network, &whole_network);
	if (!t)
		return;
	t->asked_until_ns = now_ns + ROUTER_NS;
	if (!asked)
		begin_asking(m, network, now_ns);
}

/* Removes those that `gone` says are. */
static void sweep(struct tn_mcast *m, bool (*gone)(const struct member *member, uint64_t value),
	uint64_t value, uint64_t *count)
{
	for (uint32_t i = 0; i <= m->mask; i++) {
		struct group *g = m->groups[i], *next;

		for (; g; g = next) {
			uint32_t before = g->n;

			next = g->next;
			for (uint32_t k = g->n; k > 0; k--) {
				if (gone(&g->members[k - 1], value))
					remove_member(m, g, k - 1);
			}
			if (g->n == before)
				continue;
			*count += before - g->n;
			publish(m, g);
			group_put(m, g);
		}
	}
}

static bool is_behind(const struct member *member, uint64_t port)
{
	return member->place.port == port;
}

static bool is_behind_circuit(const struct member *member, uint64_t number)
{
	return member->place.circuit.number == number;
}

static bool is_over(const struct member *member, uint64_t now_ns)
{
	return member->until_ns <= now_ns;
}

void tn_mcast_flush_port(struct tn_mcast *m, uint32_t port)
{
	if (m->stats.members)
		sweep(m, is_behind, port, &m->stats.left);
}

void tn_mcast_flush_circuit(struct tn_mcast *m, uint32_t number)
{
	if (m->stats.members)
		sweep(m, is_behind_circuit, number, &m->stats.left);
}

/* Those that were heard of since do not go when they were to go. */
static void find_due(struct tn_mcast *m)
{
	m->due_ns = STAYS;
	for (uint32_t i = 0; i <= m->mask; i++) {
		for (struct group *g = m->groups[i]; g; g = g->next) {
			for (uint32_t k = 0; k < g->n; k++)
				set_until(m, &g->members[k], g->members[k].until_ns);
		}
	}
}

void tn_mcast_age(struct tn_mcast *m, uint64_t now_ns)
{
	if (now_ns < m->due_ns)
		return;
	sweep(m, is_over, now_ns, &m->stats.aged);
	find_due(m);
}

uint64_t tn_mcast_due(const struct tn_mcast *m)
{
	return m->due_ns;
}

uint32_t tn_mcast_take_changes(struct tn_mcast *m)
{
	uint32_t changes = m->changes;

	m->changes = 0;
	return changes;
}

void tn_mcast_stats(const struct tn_mcast *m, struct tn_mcast_stats *stats)
{
	*stats = m->stats;
}
