/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/fdb.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAX_ENTRIES 8192u
#define SECOND		    UINT64_C(1000000000)
#define DEFAULT_AGE_NS	    (300 * SECOND)
#define DEFAULT_MOVES	    5u
#define DEFAULT_WINDOW_NS   (10 * SECOND)
#define DEFAULT_HOLD_NS	    (30 * SECOND)
#define LIMIT_MAX_ENTRIES   (1u << 24)
#define NONE		    0u /* index 0 of every pool is never given out */

/* Places in a list. Entries are in three: all, of their network, of their place there. */
enum list_kind { LIST_ALL, LIST_NETWORK, LIST_OWNER, N_LISTS };

struct links {
	uint32_t prev, next;
};

/* Oldest first. */
struct list {
	uint32_t count, oldest, newest;
};

/*
 * Readers look at mac, network, place, next and seen_ns. While an entry is in a chain the writer
 * changes next and seen_ns of these alone, with atomic stores: an address that moves gets another
 * entry. Everything else is the writer's.
 */
struct entry {
	uint64_t mac;
	uint64_t seen_ns;
	uint64_t tunnel[2];
	uint64_t circuit; /* packed */
	uint32_t network;
	uint32_t port;
	uint32_t next; /* in the hash chain; in the free list */
	uint32_t owner;
	uint64_t window_ns; /* when its moves began to be counted; while held, when that ends */
	uint32_t moves;
	bool held;
	struct links links[N_LISTS];
};

/*
 * An entry that leaves the chain may be used again in another while readers stand on it. left
 * counts those who left, before they are used again: a reader who finds it unchanged has walked
 * this chain and no other. A writer that is interrupted halfway keeps no reader waiting.
 */
struct bucket {
	uint32_t left;
	uint32_t first;
};

/* A place that has entries in a network. */
struct owner {
	struct list list;
	struct tn_place place;
	uint32_t network; /* index */
	uint32_t next;	  /* in the hash chain; in the free list */
};

/* A network that has entries. */
struct network {
	struct list list;
	uint32_t number;
	uint32_t top;		  /* its owner with most entries, as far as known; or NONE */
	uint32_t next;		  /* in the hash chain; in the free list */
	uint32_t prev, rank_next; /* of those with the same count */
};

/* Indexes of one kind of thing: those that came back, then those that were never used. */
struct pool {
	uint32_t free, used, max;
};

struct tn_fdb {
	uint32_t mask; /* buckets - 1 */
	struct tn_fdb_config config;
	struct bucket *buckets;
	struct entry *entries;
	struct owner *owners;
	struct network *networks;
	uint32_t *owner_buckets, *network_buckets;
	struct pool entry_pool, owner_pool, network_pool;
	struct list all;
	uint32_t *by_count; /* networks with so many entries: the first */
	uint32_t most;	    /* the highest count */
	uint32_t changes;
	/* By class of networks: when an address that was held there may move again; 0: none is. */
	uint64_t hold_ends_ns[TN_NETWORK_CLASSES];
	uint64_t next_end_ns; /* the first of those */
	struct tn_fdb_stats stats;
};

#define load(p)	    __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)

static uint64_t mac_number(struct tn_mac mac)
{
	uint64_t v = 0;

	memcpy(&v, mac.b, sizeof(mac.b));
	return v;
}

static uint32_t mix(uint64_t seed, uint64_t a, uint64_t b)
{
	unsigned __int128 product;

	product = (unsigned __int128)(a + (seed ^ UINT64_C(0x9e3779b97f4a7c15))) *
		(b + (seed ^ UINT64_C(0xd6e8feb86659fd93)));
	return (uint32_t)((uint64_t)product ^ (uint64_t)(product >> 64));
}

static struct bucket *bucket_of(const struct tn_fdb *fdb, uint64_t mac, uint32_t network)
{
	return &fdb->buckets[mix(fdb->config.hash_seed, mac, (uint64_t)network << 20) & fdb->mask];
}

/* In one word, so that readers get it whole. */
static uint64_t pack_circuit(const struct tn_circuit *c)
{
	return (uint64_t)c->number << 32 | (uint32_t)c->table << 8 | c->field;
}

static struct tn_circuit unpack_circuit(uint64_t packed)
{
	return (struct tn_circuit){
		.number = (uint32_t)(packed >> 32),
		.table = (uint8_t)(packed >> 8),
		.field = (uint8_t)packed,
	};
}

static bool expired(const struct tn_fdb *fdb, uint64_t seen_ns, uint64_t now_ns)
{
	return now_ns > seen_ns && now_ns - seen_ns >= fdb->config.age_ns;
}

/* --- life ------------------------------------------------------------------------------------- */

static void set_defaults(struct tn_fdb_config *c)
{
	if (!c->max_entries)
		c->max_entries = DEFAULT_MAX_ENTRIES;
	if (c->max_entries > LIMIT_MAX_ENTRIES)
		c->max_entries = LIMIT_MAX_ENTRIES;
	if (!c->max_per_network || c->max_per_network > c->max_entries)
		c->max_per_network = c->max_entries;
	if (!c->max_per_place || c->max_per_place > c->max_per_network)
		c->max_per_place = c->max_per_network;
	if (!c->age_ns)
		c->age_ns = DEFAULT_AGE_NS;
	if (!c->max_moves)
		c->max_moves = DEFAULT_MOVES;
	if (!c->window_ns)
		c->window_ns = DEFAULT_WINDOW_NS;
	if (!c->hold_ns)
		c->hold_ns = DEFAULT_HOLD_NS;
}

/* An address that moves has two entries for a moment. */
static uint32_t pool_size(const struct tn_fdb *fdb)
{
	return fdb->config.max_entries + 1;
}

struct tn_fdb *tn_fdb_new(const struct tn_fdb_config *config)
{
	struct tn_fdb *fdb = calloc(1, sizeof(*fdb));
	uint32_t buckets = 1, n;

	if (!fdb)
		return NULL;
	fdb->config = *config;
	set_defaults(&fdb->config);
	n = pool_size(fdb);
	while (buckets < n)
		buckets *= 2;
	fdb->mask = buckets - 1;
	fdb->entry_pool.max = fdb->owner_pool.max = fdb->network_pool.max = n;
	fdb->buckets = calloc(buckets, sizeof(*fdb->buckets));
	fdb->owner_buckets = calloc(buckets, sizeof(*fdb->owner_buckets));
	fdb->network_buckets = calloc(buckets, sizeof(*fdb->network_buckets));
	fdb->entries = calloc(n + 1, sizeof(*fdb->entries));
	fdb->owners = calloc(n + 1, sizeof(*fdb->owners));
	fdb->networks = calloc(n + 1, sizeof(*fdb->networks));
	fdb->by_count = calloc(fdb->config.max_per_network + 2, sizeof(*fdb->by_count));
	if (!fdb->by_count || !fdb->buckets || !fdb->owner_buckets || !fdb->network_buckets ||
		!fdb->entries || !fdb->owners || !fdb->networks) {
		tn_fdb_free(fdb);
		return NULL;
	}
	return fdb;
}

void tn_fdb_free(struct tn_fdb *fdb)
{
	if (!fdb)
		return;
	free(fdb->buckets);
	free(fdb->owner_buckets);
	free(fdb->network_buckets);
	free(fdb->entries);
	free(fdb->owners);
	free(fdb->networks);
	free(fdb->by_count);
	free(fdb);
}

/* --- readers ---------------------------------------------------------------------------------- */

/*
 * One try of a reader: -1 when an entry left the chain under it. Every load is an acquire, so that
 * the count is read after what it vouches for; that an entry has left shows in the count before
 * anything else shows in the entry.
 */
static int try_lookup(const struct tn_fdb *fdb, const struct bucket *b, uint64_t mac,
	uint32_t network, uint64_t now_ns, struct tn_place *place)
{
	uint32_t left = load(&b->left), i;
	uint64_t seen_ns = 0;
	bool found = false;

	for (i = load(&b->first); i != NONE && !found; i = load(&fdb->entries[i].next)) {
		const struct entry *e = &fdb->entries[i];

		if (load(&b->left) != left)
			return -1;
		if (load(&e->mac) == mac && load(&e->network) == network) {
			place->port = load(&e->port);
			place->circuit = unpack_circuit(load(&e->circuit));
			place->tunnel = (tn_u128)load(&e->tunnel[1]) << 64 | load(&e->tunnel[0]);
			seen_ns = load(&e->seen_ns);
			found = true;
		}
	}
	if (load(&b->left) != left)
		return -1;
	return found && !expired(fdb, seen_ns, now_ns);
}

bool tn_fdb_lookup(const struct tn_fdb *fdb, struct tn_mac mac, uint32_t network, uint64_t now_ns,
	struct tn_place *place)
{
	uint64_t number = mac_number(mac);
	const struct bucket *b = bucket_of(fdb, number, network);

	for (int i = 0; i < TN_FDB_RETRIES; i++) {
		int found = try_lookup(fdb, b, number, network, now_ns, place);

		if (found >= 0)
			return found;
		__builtin_ia32_pause();
	}
	return false;
}

/* --- pools and lists -------------------------------------------------------------------------- */

/* next: of the thing that pool->free names. Never fails where the pool is as large as it must be.
 */
static uint32_t pool_take(struct pool *pool, const uint32_t *next)
{
	uint32_t i = pool->free;

	if (i != NONE) {
		pool->free = *next;
		return i;
	}
	TN_ASSERT(pool->used < pool->max);
	return ++pool->used;
}

static void append(struct tn_fdb *fdb, struct list *list, enum list_kind kind, uint32_t i)
{
	fdb->entries[i].links[kind] = (struct links){.prev = list->newest};
	if (list->newest != NONE)
		fdb->entries[list->newest].links[kind].next = i;
	else
		list->oldest = i;
	list->newest = i;
	list->count++;
}

static void take_out(struct tn_fdb *fdb, struct list *list, enum list_kind kind, uint32_t i)
{
	struct links l = fdb->entries[i].links[kind];

	if (l.prev != NONE)
		fdb->entries[l.prev].links[kind].next = l.next;
	else
		list->oldest = l.next;
	if (l.next != NONE)
		fdb->entries[l.next].links[kind].prev = l.prev;
	else
		list->newest = l.prev;
	list->count--;
}

static struct list *list_of(struct tn_fdb *fdb, enum list_kind kind, uint32_t i)
{
	struct owner *o = &fdb->owners[fdb->entries[i].owner];

	if (kind == LIST_ALL)
		return &fdb->all;
	return kind == LIST_OWNER ? &o->list : &fdb->networks[o->network].list;
}

/* Seen again: the newest everywhere. */
static void renew(struct tn_fdb *fdb, uint32_t i)
{
	for (enum list_kind kind = LIST_ALL; kind < N_LISTS; kind++) {
		struct list *list = list_of(fdb, kind, i);

		if (list->newest == i)
			continue;
		take_out(fdb, list, kind, i);
		append(fdb, list, kind, i);
	}
}

/* --- networks and places ---------------------------------------------------------------------- */

static uint32_t *network_bucket(const struct tn_fdb *fdb, uint32_t number)
{
	return &fdb->network_buckets[mix(fdb->config.hash_seed, number, 1) & fdb->mask];
}

static uint32_t network_find(const struct tn_fdb *fdb, uint32_t number)
{
	uint32_t i = *network_bucket(fdb, number);

	while (i != NONE && fdb->networks[i].number != number)
		i = fdb->networks[i].next;
	return i;
}

/* By their count, so that one with most is known at any time. */
static void rank_out(struct tn_fdb *fdb, uint32_t i)
{
	struct network *n = &fdb->networks[i];

	if (n->prev != NONE)
		fdb->networks[n->prev].rank_next = n->rank_next;
	else
		fdb->by_count[n->list.count] = n->rank_next;
	if (n->rank_next != NONE)
		fdb->networks[n->rank_next].prev = n->prev;
}

static void rank_in(struct tn_fdb *fdb, uint32_t i)
{
	struct network *n = &fdb->networks[i];
	uint32_t *head = &fdb->by_count[n->list.count];

	n->prev = NONE;
	n->rank_next = *head;
	if (*head != NONE)
		fdb->networks[*head].prev = i;
	*head = i;
	if (n->list.count > fdb->most)
		fdb->most = n->list.count;
	/* Counts change by one: whoever left the top is right below. */
	if (fdb->by_count[fdb->most] == NONE)
		fdb->most--;
}

static uint32_t network_get(struct tn_fdb *fdb, uint32_t number)
{
	uint32_t i = network_find(fdb, number), *head = network_bucket(fdb, number);

	if (i != NONE)
		return i;
	i = pool_take(&fdb->network_pool, &fdb->networks[fdb->network_pool.free].next);
	fdb->networks[i] = (struct network){.number = number, .next = *head};
	*head = i;
	fdb->stats.networks++;
	rank_in(fdb, i);
	return i;
}

static void network_put(struct tn_fdb *fdb, uint32_t i)
{
	struct network *n = &fdb->networks[i];
	uint32_t *at = network_bucket(fdb, n->number);

	if (n->list.count)
		return;
	rank_out(fdb, i);
	while (*at != i)
		at = &fdb->networks[*at].next;
	*at = n->next;
	n->next = fdb->network_pool.free;
	fdb->network_pool.free = i;
	fdb->stats.networks--;
}

static uint32_t *owner_bucket(
	const struct tn_fdb *fdb, const struct tn_place *place, uint32_t network)
{
	uint64_t tunnel = (uint64_t)place->tunnel ^ (uint64_t)(place->tunnel >> 64) * 31 ^
		place->circuit.number;

	return &fdb->owner_buckets[mix(fdb->config.hash_seed, (uint64_t)network << 32 | place->port,
					   tunnel) &
		fdb->mask];
}

static uint32_t owner_find(const struct tn_fdb *fdb, const struct tn_place *place, uint32_t network)
{
	uint32_t i = *owner_bucket(fdb, place, network);

	while (i != NONE &&
		(fdb->networks[fdb->owners[i].network].number != network ||
			!tn_place_equal(&fdb->owners[i].place, place)))
		i = fdb->owners[i].next;
	return i;
}

/* Never fails: there are as many owners as entries, and no owner is without entry for long. */
static uint32_t owner_get(struct tn_fdb *fdb, const struct tn_place *place, uint32_t network)
{
	uint32_t i = owner_find(fdb, place, network), *head;

	if (i != NONE)
		return i;
	i = pool_take(&fdb->owner_pool, &fdb->owners[fdb->owner_pool.free].next);
	head = owner_bucket(fdb, place, network);
	fdb->owners[i] = (struct owner){
		.place = *place, .network = network_get(fdb, network), .next = *head};
	*head = i;
	return i;
}

static void owner_put(struct tn_fdb *fdb, uint32_t i)
{
	struct owner *o = &fdb->owners[i];
	uint32_t *at = owner_bucket(fdb, &o->place, fdb->networks[o->network].number);

	if (o->list.count)
		return;
	while (*at != i)
		at = &fdb->owners[*at].next;
	*at = o->next;
	network_put(fdb, o->network);
	o->next = fdb->owner_pool.free;
	fdb->owner_pool.free = i;
}

/* --- entries ---------------------------------------------------------------------------------- */

static uint32_t find(const struct tn_fdb *fdb, uint64_t mac, uint32_t network)
{
	uint32_t i = bucket_of(fdb, mac, network)->first;

	while (i != NONE && (fdb->entries[i].mac != mac || fdb->entries[i].network != network))
		i = fdb->entries[i].next;
	return i;
}

static void changed(struct tn_fdb *fdb, uint32_t network)
{
	fdb->changes |= 1u << tn_network_class(network);
}

static void forget(struct tn_fdb *fdb, uint32_t i)
{
	struct entry *e = &fdb->entries[i];
	struct bucket *b = bucket_of(fdb, e->mac, e->network);
	uint32_t *at = &b->first, network = fdb->owners[e->owner].network;

	changed(fdb, e->network);
	while (*at != i)
		at = &fdb->entries[*at].next;
	store(at, e->next);
	store(&b->left, b->left + 1);
	rank_out(fdb, network);
	for (enum list_kind kind = LIST_ALL; kind < N_LISTS; kind++)
		take_out(fdb, list_of(fdb, kind, i), kind, i);
	rank_in(fdb, network);
	if (!fdb->owners[e->owner].list.count && fdb->networks[network].top == e->owner)
		fdb->networks[network].top = NONE;
	owner_put(fdb, e->owner);
	store(&e->next, fdb->entry_pool.free);
	fdb->entry_pool.free = i;
}

/* Those with most keep adding: the mark comes back to them when it stood on another. */
static void note_top(const struct tn_fdb *fdb, struct network *n, uint32_t owner)
{
	if (n->top == NONE || fdb->owners[owner].list.count > fdb->owners[n->top].list.count)
		n->top = owner;
}

static uint32_t add_entry(struct tn_fdb *fdb, uint64_t mac, uint32_t network,
	const struct tn_place *place, uint64_t now_ns)
{
	struct bucket *b = bucket_of(fdb, mac, network);
	uint32_t i = pool_take(&fdb->entry_pool, &fdb->entries[fdb->entry_pool.free].next);
	struct entry *e = &fdb->entries[i];
	uint32_t rank;

	changed(fdb, network);
	store(&e->mac, mac);
	store(&e->network, network);
	store(&e->port, place->port);
	store(&e->circuit, pack_circuit(&place->circuit));
	store(&e->tunnel[0], (uint64_t)place->tunnel);
	store(&e->tunnel[1], (uint64_t)(place->tunnel >> 64));
	store(&e->seen_ns, now_ns);
	e->moves = 0;
	e->held = false;
	e->owner = owner_get(fdb, place, network);
	rank = fdb->owners[e->owner].network;
	rank_out(fdb, rank);
	for (enum list_kind kind = LIST_ALL; kind < N_LISTS; kind++)
		append(fdb, list_of(fdb, kind, i), kind, i);
	rank_in(fdb, rank);
	note_top(fdb, &fdb->networks[rank], e->owner);
	store(&e->next, b->first);
	store(&b->first, i);
	return i;
}

/* --- room ------------------------------------------------------------------------------------- */

static bool evict(struct tn_fdb *fdb, uint32_t i)
{
	fdb->stats.evicted++;
	forget(fdb, i);
	return true;
}

/*
 * Of a network: from the place that has most, as far as that is known, if it has more than the one
 * that asks (NULL: another network's), whose own oldest gives way otherwise.
 */
static bool evict_from(struct tn_fdb *fdb, uint32_t network, const struct owner *o)
{
	const struct network *n = &fdb->networks[network];
	const struct owner *top = n->top != NONE ? &fdb->owners[n->top] : NULL;

	if (top && top->list.count > (o ? o->list.count : 0) + 1)
		return evict(fdb, top->list.oldest);
	return evict(fdb, o ? o->list.oldest : n->list.oldest);
}

static bool make_room_in_all(
	struct tn_fdb *fdb, const struct owner *o, uint32_t network, uint64_t now_ns)
{
	if (fdb->all.count < fdb->config.max_entries)
		return true;
	if (expired(fdb, fdb->entries[fdb->all.oldest].seen_ns, now_ns)) {
		fdb->stats.aged++;
		forget(fdb, fdb->all.oldest);
		return true;
	}
	if (network != NONE && fdb->networks[network].list.count + 1 >= fdb->most)
		return evict_from(fdb, network, o);
	return fdb->most > 1 && evict_from(fdb, fdb->by_count[fdb->most], NULL);
}

static bool make_room(struct tn_fdb *fdb, const struct tn_place *place, uint32_t number,
	uint32_t limit, uint64_t now_ns)
{
	uint32_t owner = owner_find(fdb, place, number), network = network_find(fdb, number);
	const struct owner *o = owner != NONE ? &fdb->owners[owner] : NULL;

	if (o && o->list.count >= limit)
		return evict(fdb, o->list.oldest);
	if (network != NONE && fdb->networks[network].list.count >= fdb->config.max_per_network)
		return evict_from(fdb, network, o);
	return make_room_in_all(fdb, o, network, now_ns);
}

/* --- learning --------------------------------------------------------------------------------- */

/* May it move now? Counts the move. */
static bool may_move(const struct tn_fdb *fdb, struct entry *e, uint64_t now_ns)
{
	if (e->held && now_ns < e->window_ns)
		return false;
	if (e->held || !e->moves || now_ns - e->window_ns >= fdb->config.window_ns) {
		e->held = false;
		e->moves = 0;
		e->window_ns = now_ns;
	}
	if (++e->moves <= fdb->config.max_moves)
		return true;
	e->held = true;
	e->window_ns = now_ns + fdb->config.hold_ns;
	return false;
}

/* Whoever was told that it stays is told to ask again when it may move. */
static void note_hold(struct tn_fdb *fdb, const struct entry *e)
{
	uint64_t *end = &fdb->hold_ends_ns[tn_network_class(e->network)];

	if (!*end || e->window_ns < *end)
		*end = e->window_ns;
	if (!fdb->next_end_ns || *end < fdb->next_end_ns)
		fdb->next_end_ns = *end;
}

static void end_holds(struct tn_fdb *fdb, uint64_t now_ns)
{
	uint64_t next = 0;

	if (!fdb->next_end_ns || now_ns < fdb->next_end_ns)
		return;
	for (unsigned i = 0; i < TN_NETWORK_CLASSES; i++) {
		uint64_t *end = &fdb->hold_ends_ns[i];

		if (*end && now_ns >= *end) {
			fdb->changes |= 1u << i;
			*end = 0;
		}
		if (*end && (!next || *end < next))
			next = *end;
	}
	fdb->next_end_ns = next;
}

/* What readers stand on stays as it is: the address gets another entry. */
static enum tn_fdb_result move(struct tn_fdb *fdb, uint32_t i, const struct tn_place *place,
	uint32_t limit, uint64_t now_ns)
{
	struct entry *e = &fdb->entries[i], *other;
	uint32_t owner = owner_find(fdb, place, e->network);

	if (!may_move(fdb, e, now_ns)) {
		fdb->stats.held++;
		note_hold(fdb, e);
		return TN_FDB_HELD;
	}
	if (owner != NONE && fdb->owners[owner].list.count >= limit)
		(void)evict(fdb, fdb->owners[owner].list.oldest);
	other = &fdb->entries[add_entry(
		fdb, e->mac, e->network, place, now_ns > e->seen_ns ? now_ns : e->seen_ns)];
	other->moves = e->moves;
	other->window_ns = e->window_ns;
	forget(fdb, i);
	fdb->stats.moved++;
	return TN_FDB_NEWS;
}

static enum tn_fdb_result see_again(struct tn_fdb *fdb, uint32_t i, uint64_t now_ns)
{
	struct entry *e = &fdb->entries[i];
	bool news = expired(fdb, e->seen_ns, now_ns);

	if (e->seen_ns < now_ns)
		store(&e->seen_ns, now_ns);
	renew(fdb, i);
	if (!news)
		return TN_FDB_KNOWN;
	changed(fdb, e->network);
	fdb->stats.learnt++;
	return TN_FDB_NEWS;
}

enum tn_fdb_result tn_fdb_learn(struct tn_fdb *fdb, struct tn_mac mac, uint32_t network,
	const struct tn_place *place, uint32_t limit, bool late, uint64_t now_ns)
{
	uint64_t number = mac_number(mac);
	uint32_t i;

	if (!number || (mac.b[0] & 1) || !place->port || network == TN_NETWORK_NONE)
		return TN_FDB_REFUSED;
	if (!limit || limit > fdb->config.max_per_place)
		limit = fdb->config.max_per_place;
	i = find(fdb, number, network);
	if (i != NONE && tn_place_equal(&fdb->owners[fdb->entries[i].owner].place, place))
		return see_again(fdb, i, now_ns);
	if (i != NONE && late && now_ns < fdb->entries[i].seen_ns + TN_FDB_LATE_NS)
		return TN_FDB_KNOWN;
	if (i != NONE)
		return move(fdb, i, place, limit, now_ns);
	if (!make_room(fdb, place, network, limit, now_ns)) {
		fdb->stats.refused++;
		return TN_FDB_REFUSED;
	}
	(void)add_entry(fdb, number, network, place, now_ns);
	fdb->stats.learnt++;
	return TN_FDB_NEWS;
}

/* An owner whose last entry goes is gone, too. */
static void flush_owner(struct tn_fdb *fdb, uint32_t i)
{
	for (uint32_t n = fdb->owners[i].list.count; n; n--)
		forget(fdb, fdb->owners[i].list.oldest);
}

void tn_fdb_flush_port(struct tn_fdb *fdb, uint32_t port)
{
	for (uint32_t i = 1; i <= fdb->owner_pool.used; i++) {
		if (fdb->owners[i].list.count && fdb->owners[i].place.port == port)
			flush_owner(fdb, i);
	}
}

void tn_fdb_flush_circuit(struct tn_fdb *fdb, uint32_t number)
{
	for (uint32_t i = 1; i <= fdb->owner_pool.used; i++) {
		if (fdb->owners[i].list.count && fdb->owners[i].place.circuit.number == number)
			flush_owner(fdb, i);
	}
}

void tn_fdb_age(struct tn_fdb *fdb, uint64_t now_ns)
{
	end_holds(fdb, now_ns);
	while (fdb->all.oldest != NONE &&
		expired(fdb, fdb->entries[fdb->all.oldest].seen_ns, now_ns)) {
		fdb->stats.aged++;
		forget(fdb, fdb->all.oldest);
	}
}

uint64_t tn_fdb_due(const struct tn_fdb *fdb)
{
	uint64_t due = fdb->next_end_ns ? fdb->next_end_ns : UINT64_MAX, aged;

	if (fdb->all.oldest == NONE)
		return due;
	aged = fdb->entries[fdb->all.oldest].seen_ns + fdb->config.age_ns;
	return aged < due ? aged : due;
}

uint32_t tn_fdb_count(const struct tn_fdb *fdb)
{
	return fdb->all.count;
}

uint32_t tn_fdb_take_changes(struct tn_fdb *fdb)
{
	uint32_t changes = fdb->changes;

	fdb->changes = 0;
	return changes;
}

void tn_fdb_stats(const struct tn_fdb *fdb, struct tn_fdb_stats *stats)
{
	*stats = fdb->stats;
	stats->entries = fdb->all.count;
}

void tn_fdb_each(const struct tn_fdb *fdb, uint64_t now_ns, tn_fdb_fn fn, void *ctx)
{
	for (uint32_t i = fdb->all.oldest; i != NONE; i = fdb->entries[i].links[LIST_ALL].next) {
		const struct entry *e = &fdb->entries[i];
		struct tn_mac mac;

		if (expired(fdb, e->seen_ns, now_ns))
			continue;
		memcpy(mac.b, &e->mac, sizeof(mac.b));
		fn(ctx, mac, e->network, &fdb->owners[e->owner].place, e->seen_ns,
			e->held && now_ns < e->window_ns);
	}
}
