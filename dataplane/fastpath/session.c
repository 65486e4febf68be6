/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/session.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Anonymous memory in 2 MiB steps: the kernel backs it with huge pages where it may, and pages that
 * were never used cost nothing.
 */
static void *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, size, MADV_HUGEPAGE);
	return p;
}

static void unmap(void *p, size_t size)
{
	if (p)
		(void)munmap(p, size);
}

#define BUCKETS_MIN 8u /* a power of two */
/* Half full: a session in its second bucket, or a bucket that is full, is rare. */
#define BUCKET_LOAD (TN_BUCKET_SLOTS / 2)

static uint32_t bucket_count(uint32_t capacity)
{
	uint64_t slots = (uint64_t)capacity * 5 / 4;
	uint32_t n = BUCKETS_MIN;

	while ((uint64_t)n * TN_BUCKET_SLOTS < slots)
		n *= 2;
	return n;
}

int tn_sessions_init(struct tn_sessions *t, uint32_t capacity, uint32_t seed,
	void (*release)(void *ctx, struct tn_session *s), void *ctx)
{
	memset(t, 0, sizeof(*t));
	t->max_buckets = bucket_count(capacity);
	t->n_buckets = BUCKETS_MIN;
	t->low_mask = BUCKETS_MIN - 1;
	t->high_mask = 2 * BUCKETS_MIN - 1;
	t->buckets = map(t->max_buckets * sizeof(*t->buckets));
	t->entries = map(capacity * sizeof(*t->entries));
	t->more = map(capacity * sizeof(*t->more));
	t->capacity = capacity;
	t->free_head = TN_SESSION_NONE;
	t->seed = seed;
	t->release = release;
	t->ctx = ctx;
	if (!t->buckets || !t->entries || !t->more) {
		tn_sessions_fini(t);
		return -ENOMEM;
	}
	t->memory_bytes = t->max_buckets * sizeof(*t->buckets) +
		(size_t)capacity * (sizeof(*t->entries) + sizeof(*t->more));
	return 0;
}

void tn_sessions_fini(struct tn_sessions *t)
{
	if (t->buckets && t->entries && t->more) {
		for (uint32_t b = 0; b < t->n_buckets; b++) {
			for (unsigned i = 0; i < TN_BUCKET_SLOTS; i++) {
				if (t->buckets[b].tag[i])
					t->release(t->ctx, &t->entries[t->buckets[b].index[i]]);
			}
		}
	}
	unmap(t->buckets, t->max_buckets * sizeof(*t->buckets));
	unmap(t->entries, t->capacity * sizeof(*t->entries));
	unmap(t->more, t->capacity * sizeof(*t->more));
	memset(t, 0, sizeof(*t));
}

static struct tn_session *find_in(const struct tn_sessions *t, uint32_t bucket, uint16_t tag,
	const struct tn_session_key *key, const struct tn_session_ip6 *ip6)
{
	const struct tn_session_bucket *b = &t->buckets[bucket];

	for (uint32_t hits = tn_bucket_match(b, tag); hits; hits &= hits - 1, hits &= hits - 1) {
		uint32_t index = b->index[(unsigned)__builtin_ctz(hits) / 2];
		struct tn_session *s = &t->entries[index];

		if (!tn_session_key_equal(&s->key, key))
			continue;
		if (!ip6 || tn_session_ip6_equal(&t->more[index].ip6, ip6))
			return s;
	}
	return NULL;
}

struct tn_session *tn_sessions_find(const struct tn_sessions *t, const struct tn_session_key *key,
	const struct tn_session_ip6 *ip6, uint32_t hash)
{
	uint16_t tag = tn_session_tag(hash);
	struct tn_session *s = find_in(t, tn_session_bucket_of(t, hash), tag, key, ip6);

	return s ? s : find_in(t, tn_session_other_bucket(t, hash), tag, key, ip6);
}

/* One bucket more, with what the one before it in turn holds for it. */
static void split(struct tn_sessions *t)
{
	uint32_t from = t->n_buckets & t->low_mask, to = t->n_buckets;
	struct tn_session_bucket *a = &t->buckets[from], *b = &t->buckets[to];
	bool second[TN_BUCKET_SLOTS];

	for (unsigned i = 0; i < TN_BUCKET_SLOTS; i++)
		second[i] = a->tag[i] && tn_session_bucket_of(t, t->more[a->index[i]].hash) != from;
	t->n_buckets++;
	for (unsigned i = 0; i < TN_BUCKET_SLOTS; i++) {
		uint32_t hash = t->more[a->index[i]].hash;

		if (!a->tag[i] ||
			(second[i] ? tn_session_other_bucket(t, hash)
				   : tn_session_bucket_of(t, hash)) != to)
			continue;
		b->tag[i] = a->tag[i];
		b->index[i] = a->index[i];
		a->tag[i] = 0;
	}
	if (t->n_buckets > t->high_mask) {
		t->low_mask = t->high_mask;
		t->high_mask = 2 * t->high_mask + 1;
	}
}

static int free_slot(const struct tn_session_bucket *b)
{
	uint32_t hits = tn_bucket_match(b, 0);

	return hits ? __builtin_ctz(hits) / 2 : -1;
}

/*
 * The slot that was not used for longest; of several each in its turn. TN_BUCKET_SLOTS: the bucket
 * is empty.
 */
static unsigned victim_slot(const struct tn_sessions *t, const struct tn_session_bucket *b)
{
	unsigned victim = TN_BUCKET_SLOTS;
	uint32_t oldest = 0;

	for (unsigned i = 0; i < TN_BUCKET_SLOTS; i++) {
		unsigned slot = (i + (unsigned)t->evicted) % TN_BUCKET_SLOTS;
		uint32_t used = t->entries[b->index[slot]].used;

		if (!b->tag[slot] || (victim < TN_BUCKET_SLOTS && (int32_t)(used - oldest) >= 0))
			continue;
		oldest = used;
		victim = slot;
	}
	return victim;
}

static void take_out(struct tn_sessions *t, struct tn_session_bucket *b, unsigned slot)
{
	uint32_t index = b->index[slot];

	t->release(t->ctx, &t->entries[index]);
	b->tag[slot] = 0;
	t->more[index].next_free = t->free_head;
	t->free_head = index;
	t->used--;
}

static uint32_t take_entry(struct tn_sessions *t)
{
	uint32_t index = t->free_head;

	if (index == TN_SESSION_NONE)
		return t->used; /* entries 0..used-1 have all been given out and none came back */
	t->free_head = t->more[index].next_free;
	return index;
}

/*
 * Moves one of a full bucket's sessions to the other bucket where it may be: with every one of its
 * eight asked, a table that has room gives up none. The slot that is free now, or -1.
 */
static int make_way(struct tn_sessions *t, uint32_t bucket)
{
	struct tn_session_bucket *from = &t->buckets[bucket];

	for (int i = 0; i < (int)TN_BUCKET_SLOTS; i++) {
		uint32_t hash = t->more[from->index[i]].hash;
		uint32_t to = tn_session_bucket_of(t, hash);
		int slot;

		if (to == bucket)
			to = tn_session_other_bucket(t, hash);
		slot = free_slot(&t->buckets[to]);
		if (slot < 0)
			continue;
		t->buckets[to].tag[slot] = from->tag[i];
		t->buckets[to].index[slot] = from->index[i];
		from->tag[i] = 0;
		return i;
	}
	return -1;
}

/* A free slot in one of the two buckets of a hash, or -1 with *bucket the first. */
static int find_slot(struct tn_sessions *t, uint32_t hash, uint32_t *bucket)
{
	uint32_t first = tn_session_bucket_of(t, hash), other = tn_session_other_bucket(t, hash);
	int slot = free_slot(&t->buckets[first]);

	*bucket = first;
	if (slot >= 0)
		return slot;
	slot = free_slot(&t->buckets[other]);
	if (slot >= 0)
		*bucket = other;
	return slot >= 0 ? slot : make_way(t, first);
}

struct tn_session *tn_sessions_insert(struct tn_sessions *t, const struct tn_session_key *key,
	const struct tn_session_ip6 *ip6, uint32_t hash)
{
	uint32_t bucket, index;
	struct tn_session *s;
	int slot;

	if (t->used >= t->n_buckets * BUCKET_LOAD && t->n_buckets < t->max_buckets)
		split(t);
	slot = find_slot(t, hash, &bucket);
	/* No slot, or no entry though a slot is free: the bucket, or the next that has one, gives.
	 */
	if (slot < 0 || (t->used >= t->capacity && t->free_head == TN_SESSION_NONE)) {
		uint32_t from = bucket;
		unsigned victim;

		while ((victim = victim_slot(t, &t->buckets[from])) == TN_BUCKET_SLOTS)
			from = from + 1 < t->n_buckets ? from + 1 : 0;
		take_out(t, &t->buckets[from], victim);
		t->evicted++;
		return tn_sessions_insert(t, key, ip6, hash);
	}
	index = take_entry(t);
	t->used++;
	s = &t->entries[index];
	memset(s, 0, sizeof(*s));
	memset(&t->more[index], 0, sizeof(t->more[index]));
	s->key = *key;
	if (ip6)
		t->more[index].ip6 = *ip6;
	t->more[index].hash = hash;
	t->buckets[bucket].tag[slot] = tn_session_tag(hash);
	t->buckets[bucket].index[slot] = index;
	return s;
}
