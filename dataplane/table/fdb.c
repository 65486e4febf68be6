/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/fdb.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAX_ENTRIES 8192u
#define DEFAULT_AGE_NS	    (300 * UINT64_C(1000000000))
#define LIMIT_MAX_ENTRIES   (1u << 24)
#define NONE		    0u /* index 0 of both pools is never given out */

/*
 * Readers look at mac, vid, next, port and seen_ns; the writer changes those with atomic stores.
 * Everything else is the writer's.
 */
struct entry {
	uint64_t mac;
	uint64_t seen_ns;
	uint32_t vid;
	uint32_t port;
	uint32_t next; /* in the hash chain; in the free list */
	uint32_t owner;
	uint32_t age_prev, age_next;   /* of all entries, oldest first */
	uint32_t port_prev, port_next; /* of its port's entries, oldest first */
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

/* A port that has entries. */
struct owner {
	uint32_t number;
	uint32_t count;
	uint32_t oldest, newest;
	uint32_t next; /* in the hash chain; in the free list */
};

struct tn_fdb {
	uint32_t mask; /* buckets - 1 */
	uint32_t max_entries, max_per_port;
	uint64_t age_ns, seed;
	struct bucket *buckets;
	struct entry *entries;
	struct owner *owners;
	uint32_t *owner_buckets;
	uint32_t count;
	uint32_t free_entry, free_owner;
	uint32_t oldest, newest;
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

static struct bucket *bucket_of(const struct tn_fdb *fdb, uint64_t mac, uint32_t vid)
{
	return &fdb->buckets[mix(fdb->seed, mac, (uint64_t)vid << 20) & fdb->mask];
}

static bool expired(const struct tn_fdb *fdb, uint64_t seen_ns, uint64_t now_ns)
{
	return now_ns > seen_ns && now_ns - seen_ns >= fdb->age_ns;
}

static void init_pools(struct tn_fdb *fdb)
{
	uint32_t i;

	for (i = 1; i <= fdb->max_entries; i++) {
		fdb->entries[i].next = i < fdb->max_entries ? i + 1 : NONE;
		fdb->owners[i].next = i < fdb->max_entries ? i + 1 : NONE;
	}
	fdb->free_entry = 1;
	fdb->free_owner = 1;
}

struct tn_fdb *tn_fdb_new(const struct tn_fdb_config *config)
{
	struct tn_fdb *fdb = calloc(1, sizeof(*fdb));
	uint32_t n = config->max_entries ? config->max_entries : DEFAULT_MAX_ENTRIES;
	uint32_t buckets = 1;

	if (!fdb)
		return NULL;
	if (n > LIMIT_MAX_ENTRIES)
		n = LIMIT_MAX_ENTRIES;
	while (buckets < n)
		buckets *= 2;
	fdb->mask = buckets - 1;
	fdb->max_entries = n;
	fdb->max_per_port = config->max_per_port ? config->max_per_port : n;
	fdb->age_ns = config->age_ns ? config->age_ns : DEFAULT_AGE_NS;
	fdb->seed = config->hash_seed;
	fdb->buckets = calloc(buckets, sizeof(*fdb->buckets));
	fdb->owner_buckets = calloc(buckets, sizeof(*fdb->owner_buckets));
	fdb->entries = calloc(n + 1, sizeof(*fdb->entries));
	fdb->owners = calloc(n + 1, sizeof(*fdb->owners));
	if (!fdb->buckets || !fdb->owner_buckets || !fdb->entries || !fdb->owners) {
		tn_fdb_free(fdb);
		return NULL;
	}
	init_pools(fdb);
	return fdb;
}

void tn_fdb_free(struct tn_fdb *fdb)
{
	if (!fdb)
		return;
	free(fdb->buckets);
	free(fdb->owner_buckets);
	free(fdb->entries);
	free(fdb->owners);
	free(fdb);
}

/*
 * One try of a reader: -1 when an entry left the chain under it. Every load is an acquire, so that
 * the count is read after what it vouches for; that an entry has left shows in the count before
 * anything else shows in the entry.
 */
static int64_t try_lookup(const struct tn_fdb *fdb, const struct bucket *b, uint64_t mac,
	uint32_t vid, uint64_t now_ns)
{
	uint32_t left = load(&b->left), port = 0, i;
	uint64_t seen_ns = 0;
	bool found = false;

	for (i = load(&b->first); i != NONE && !found; i = load(&fdb->entries[i].next)) {
		const struct entry *e = &fdb->entries[i];

		if (load(&b->left) != left)
			return -1;
		if (load(&e->mac) == mac && load(&e->vid) == vid) {
			port = load(&e->port);
			seen_ns = load(&e->seen_ns);
			found = true;
		}
	}
	if (load(&b->left) != left)
		return -1;
	return found && !expired(fdb, seen_ns, now_ns) ? port : 0;
}

uint32_t tn_fdb_lookup(const struct tn_fdb *fdb, struct tn_mac mac, uint32_t vid, uint64_t now_ns)
{
	uint64_t number = mac_number(mac);
	const struct bucket *b = bucket_of(fdb, number, vid);
	int64_t port;
	int i;

	for (i = 0; i < TN_FDB_RETRIES; i++) {
		port = try_lookup(fdb, b, number, vid, now_ns);
		if (port >= 0)
			return (uint32_t)port;
		__builtin_ia32_pause();
	}
	return 0;
}

static uint32_t find(const struct tn_fdb *fdb, uint64_t mac, uint32_t vid)
{
	uint32_t i = bucket_of(fdb, mac, vid)->first;

	while (i != NONE && (fdb->entries[i].mac != mac || fdb->entries[i].vid != vid))
		i = fdb->entries[i].next;
	return i;
}

static uint32_t *owner_bucket(const struct tn_fdb *fdb, uint32_t number)
{
	return &fdb->owner_buckets[mix(fdb->seed, number, 0) & fdb->mask];
}

static struct owner *owner_find(const struct tn_fdb *fdb, uint32_t number)
{
	uint32_t i = *owner_bucket(fdb, number);

	while (i != NONE && fdb->owners[i].number != number)
		i = fdb->owners[i].next;
	return i != NONE ? &fdb->owners[i] : NULL;
}

/* Never fails: there are as many owners as entries, and no owner is without entry. */
static struct owner *owner_get(struct tn_fdb *fdb, uint32_t number)
{
	struct owner *o = owner_find(fdb, number);
	uint32_t *head = owner_bucket(fdb, number);
	uint32_t i = fdb->free_owner;

	if (o)
		return o;
	TN_ASSERT(i != NONE);
	o = &fdb->owners[i];
	fdb->free_owner = o->next;
	*o = (struct owner){.number = number, .next = *head};
	*head = i;
	return o;
}

static void owner_put(struct tn_fdb *fdb, struct owner *o)
{
	uint32_t *at = owner_bucket(fdb, o->number);
	uint32_t i = (uint32_t)(o - fdb->owners);

	if (o->count)
		return;
	while (*at != i)
		at = &fdb->owners[*at].next;
	*at = o->next;
	o->next = fdb->free_owner;
	fdb->free_owner = i;
}

static void age_append(struct tn_fdb *fdb, uint32_t i)
{
	fdb->entries[i].age_prev = fdb->newest;
	fdb->entries[i].age_next = NONE;
	if (fdb->newest != NONE)
		fdb->entries[fdb->newest].age_next = i;
	else
		fdb->oldest = i;
	fdb->newest = i;
}

static void age_unlink(struct tn_fdb *fdb, uint32_t i)
{
	struct entry *e = &fdb->entries[i];

	if (e->age_prev != NONE)
		fdb->entries[e->age_prev].age_next = e->age_next;
	else
		fdb->oldest = e->age_next;
	if (e->age_next != NONE)
		fdb->entries[e->age_next].age_prev = e->age_prev;
	else
		fdb->newest = e->age_prev;
}

static void port_append(struct tn_fdb *fdb, struct owner *o, uint32_t i)
{
	struct entry *e = &fdb->entries[i];

	e->owner = (uint32_t)(o - fdb->owners);
	e->port_prev = o->newest;
	e->port_next = NONE;
	if (o->newest != NONE)
		fdb->entries[o->newest].port_next = i;
	else
		o->oldest = i;
	o->newest = i;
	o->count++;
}

static struct owner *port_unlink(struct tn_fdb *fdb, uint32_t i)
{
	struct entry *e = &fdb->entries[i];
	struct owner *o = &fdb->owners[e->owner];

	if (e->port_prev != NONE)
		fdb->entries[e->port_prev].port_next = e->port_next;
	else
		o->oldest = e->port_next;
	if (e->port_next != NONE)
		fdb->entries[e->port_next].port_prev = e->port_prev;
	else
		o->newest = e->port_prev;
	o->count--;
	return o;
}

/* The owner stays, though it may be without entry now: see owner_put(). */
static struct owner *forget_entry(struct tn_fdb *fdb, uint32_t i)
{
	struct entry *e = &fdb->entries[i];
	struct bucket *b = bucket_of(fdb, e->mac, e->vid);
	uint32_t *at = &b->first;

	while (*at != i)
		at = &fdb->entries[*at].next;
	store(at, e->next);
	store(&b->left, b->left + 1);
	store(&e->next, fdb->free_entry);
	fdb->free_entry = i;
	fdb->count--;
	age_unlink(fdb, i);
	return port_unlink(fdb, i);
}

static void forget(struct tn_fdb *fdb, uint32_t i)
{
	owner_put(fdb, forget_entry(fdb, i));
}

static bool make_room(struct tn_fdb *fdb, uint32_t port, uint64_t now_ns)
{
	const struct owner *o = owner_find(fdb, port);

	if (o && o->count >= fdb->max_per_port) {
		forget(fdb, o->oldest);
		return true;
	}
	if (fdb->count < fdb->max_entries)
		return true;
	if (expired(fdb, fdb->entries[fdb->oldest].seen_ns, now_ns))
		forget(fdb, fdb->oldest);
	else if (o)
		forget(fdb, o->oldest);
	else
		return false;
	return true;
}

static void add_entry(
	struct tn_fdb *fdb, uint64_t mac, uint32_t vid, uint32_t port, uint64_t now_ns)
{
	struct bucket *b = bucket_of(fdb, mac, vid);
	uint32_t i = fdb->free_entry;
	struct entry *e = &fdb->entries[i];

	fdb->free_entry = e->next;
	store(&e->mac, mac);
	store(&e->vid, vid);
	store(&e->port, port);
	store(&e->seen_ns, now_ns);
	store(&e->next, b->first);
	store(&b->first, i);
	fdb->count++;
	age_append(fdb, i);
	port_append(fdb, owner_get(fdb, port), i);
}

static void move_entry(struct tn_fdb *fdb, uint32_t i, uint32_t port)
{
	struct owner *to = owner_find(fdb, port);

	if (to && to->count >= fdb->max_per_port)
		forget(fdb, to->oldest);
	owner_put(fdb, port_unlink(fdb, i));
	port_append(fdb, owner_get(fdb, port), i);
	store(&fdb->entries[i].port, port);
}

bool tn_fdb_learn(
	struct tn_fdb *fdb, struct tn_mac mac, uint32_t vid, uint32_t port, uint64_t now_ns)
{
	uint64_t number = mac_number(mac);
	struct entry *e;
	uint32_t i;
	bool news;

	if (!number || (mac.b[0] & 1) || !port)
		return false;
	i = find(fdb, number, vid);
	if (i == NONE) {
		if (!make_room(fdb, port, now_ns))
			return false;
		add_entry(fdb, number, vid, port, now_ns);
		return true;
	}
	e = &fdb->entries[i];
	news = e->port != port || expired(fdb, e->seen_ns, now_ns);
	if (e->port != port) {
		move_entry(fdb, i, port);
	} else if (e->port_next != NONE) {
		struct owner *o = port_unlink(fdb, i);

		port_append(fdb, o, i);
	}
	if (e->seen_ns < now_ns)
		store(&e->seen_ns, now_ns);
	age_unlink(fdb, i);
	age_append(fdb, i);
	return news;
}

void tn_fdb_flush_port(struct tn_fdb *fdb, uint32_t port)
{
	struct owner *o = owner_find(fdb, port);

	if (!o)
		return;
	while (o->count)
		forget_entry(fdb, o->oldest);
	owner_put(fdb, o);
}

void tn_fdb_age(struct tn_fdb *fdb, uint64_t now_ns)
{
	while (fdb->oldest != NONE && expired(fdb, fdb->entries[fdb->oldest].seen_ns, now_ns))
		forget(fdb, fdb->oldest);
}

uint32_t tn_fdb_count(const struct tn_fdb *fdb)
{
	return fdb->count;
}
