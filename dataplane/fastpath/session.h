/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The session table: what was decided for a flow, found again by exact match. One table a worker,
 * touched by that worker alone.
 *
 * A lookup reads at most two 64-byte buckets and verifies only the entries whose 16-bit tag equals,
 * whatever traffic comes: there are no masks and no chains, so no packet can make another one
 * dearer. Where both are full, the first gives up the entry of its eight that was not used for
 * longest, so the table is bounded in memory and in time.
 *
 * What a hit reads of an entry is one line; the rest of it, by the same index, is another one that
 * only IPv6 sessions and decisions touch.
 *
 * The table reads no more memory than its sessions need: buckets come one by one as sessions do
 * (linear hashing: each splits the one that is next in turn), so that few sessions of a large table
 * lie close together in the caches.
 *
 * Worst case of a lookup: 2 buckets + 16 entries (with distinct random tags: 1.0004 entries).
 * Nothing here allocates after tn_sessions_init().
 */
#ifndef TN_FASTPATH_SESSION_H
#define TN_FASTPATH_SESSION_H

#include <nmmintrin.h>

#include "dataplane/core/types.h"

/*
 * The session key: the members of the flow key that ordinary packets have, under the mask of what
 * the tables can read. Three vectors, laid out so that three loads of an untagged IPv4 frame fill
 * them. Packet members are in network byte order; members that do not apply are zero.
 */
struct tn_session_key {
	union {
		__m128i v[3];
		struct {
			/* v[0] */
			struct tn_mac eth_dst, eth_src;
			struct tn_be16 eth_type;
			struct tn_be16 vlan_tci; /* as in the flow key */
			/* v[1] */
			struct tn_be32 ipv4_src, ipv4_dst; /* ARP: protocol addresses */
			struct tn_be16 tp_src, tp_dst;
			uint8_t ip_tos, ip_frag, ip_ttl, ip_proto;
			/* v[2] */
			uint32_t in_port, tunnel_id; /* host order */
			struct tn_be16 inner_vlan_tci, tcp_flags, arp_op;
			uint16_t kind; /* TN_SESSION_IP6, ends of a tunnel; never masked */
		};
	};
};

TN_BUILD_ASSERT(sizeof(struct tn_session_key) == 48, "three vectors");

/* The rest of the key where the tables read IPv6 addresses. */
struct tn_session_ip6 {
	__m128i src, dst;
};

#define TN_SESSION_IP6	1u /* kind: the entry's struct tn_session_ip6 belongs to the key */
#define TN_SESSION_ENDS 1u /* kind: bits to shift the number of a tunnel's ends (ends.h) */

struct tn_session {
	struct tn_session_key key;
	uint32_t valid; /* the worker's number of what is valid, when the session last was */
	uint32_t used;	/* clock of tn_session_clock(), when it was last hit */
	void *program;	/* struct tn_fast_program of the worker */
} __attribute__((aligned(64)));

TN_BUILD_ASSERT(sizeof(struct tn_session) == 64, "one cache line");

struct tn_session_more {
	struct tn_session_ip6 ip6;
	uint64_t classes;  /* bitmap of the epoch classes it depends on */
	uint64_t by_key;   /* of those: what was looked up is what the key says */
	uint32_t stamp;	   /* version it was decided in, or last found to be still right in */
	uint32_t mask_gen; /* generation of the key mask it was keyed under */
	uint32_t hash;
	union {
		uint32_t told; /* clock of tn_session_clock(), when it was told of in vain */
		uint32_t next_free;
	};
} __attribute__((aligned(64)));

TN_BUILD_ASSERT(sizeof(struct tn_session_more) == 64, "one cache line");

/* So coarse that most hits need not write it. It wraps after 50 days: compare by difference. */
static inline uint32_t tn_session_clock(uint64_t now_ns)
{
	return (uint32_t)(now_ns >> 20);
}

#define TN_BUCKET_SLOTS 8u
#define TN_SESSION_NONE UINT32_MAX

struct tn_session_bucket {
	uint16_t tag[TN_BUCKET_SLOTS]; /* 0: free */
	uint32_t index[TN_BUCKET_SLOTS];
	uint32_t pad[4];
} __attribute__((aligned(64)));

TN_BUILD_ASSERT(sizeof(struct tn_session_bucket) == 64, "one cache line");

struct tn_sessions {
	struct tn_session_bucket *buckets;
	struct tn_session *entries;
	struct tn_session_more *more; /* by entry */
	/* Buckets: those up to the last power of two and, of the next one, some. */
	uint32_t n_buckets, max_buckets;
	uint32_t low_mask, high_mask;
	uint32_t capacity;
	uint32_t used;
	uint32_t free_head;
	uint32_t seed; /* of the hash; random at every start */
	uint64_t evicted;
	/* An entry leaves: its owner takes what it holds. */
	void (*release)(void *ctx, struct tn_session *s);
	void *ctx;
	size_t memory_bytes;
};

/*
 * Room for capacity sessions (rounded up so that buckets are at most 80 % full). -ENOMEM. release
 * is called for every session that is evicted or left at the end.
 */
int tn_sessions_init(struct tn_sessions *t, uint32_t capacity, uint32_t seed,
	void (*release)(void *ctx, struct tn_session *s), void *ctx) TN_MUST_CHECK;
void tn_sessions_fini(struct tn_sessions *t);

static inline uint32_t tn_session_hash(const struct tn_session_key *k, uint32_t seed)
{
	uint64_t a = seed, b = ~(uint64_t)seed;

	a = _mm_crc32_u64(a, (uint64_t)_mm_cvtsi128_si64(k->v[0]));
	b = _mm_crc32_u64(b, (uint64_t)_mm_extract_epi64(k->v[0], 1));
	a = _mm_crc32_u64(a, (uint64_t)_mm_cvtsi128_si64(k->v[1]));
	b = _mm_crc32_u64(b, (uint64_t)_mm_extract_epi64(k->v[1], 1));
	a = _mm_crc32_u64(a, (uint64_t)_mm_cvtsi128_si64(k->v[2]));
	b = _mm_crc32_u64(b, (uint64_t)_mm_extract_epi64(k->v[2], 1));
	/* CRC is linear: without a multiplication, tag and bucket could be steered together. */
	return (uint32_t)((a << 32 | b) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static inline uint32_t tn_session_hash_ip6(uint32_t hash, const struct tn_session_ip6 *a)
{
	uint64_t x = hash, y = ~(uint64_t)hash;

	x = _mm_crc32_u64(x, (uint64_t)_mm_cvtsi128_si64(a->src));
	y = _mm_crc32_u64(y, (uint64_t)_mm_extract_epi64(a->src, 1));
	x = _mm_crc32_u64(x, (uint64_t)_mm_cvtsi128_si64(a->dst));
	y = _mm_crc32_u64(y, (uint64_t)_mm_extract_epi64(a->dst, 1));
	return (uint32_t)((x << 32 | y) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static inline uint16_t tn_session_tag(uint32_t hash)
{
	return (uint16_t)(hash >> 16 | 1);
}

static inline uint32_t tn_session_bucket_of(const struct tn_sessions *t, uint32_t hash)
{
	uint32_t bucket = hash & t->high_mask;

	return bucket < t->n_buckets ? bucket : bucket & t->low_mask;
}

static inline uint32_t tn_session_other_bucket(const struct tn_sessions *t, uint32_t hash)
{
	return tn_session_bucket_of(t, hash ^ (uint32_t)tn_session_tag(hash) * 0x5bd1e995u);
}

static inline bool tn_session_key_equal(
	const struct tn_session_key *a, const struct tn_session_key *b)
{
	__m128i d = _mm_or_si128(
		_mm_or_si128(_mm_xor_si128(a->v[0], b->v[0]), _mm_xor_si128(a->v[1], b->v[1])),
		_mm_xor_si128(a->v[2], b->v[2]));

	return _mm_testz_si128(d, d);
}

static inline bool tn_session_ip6_equal(
	const struct tn_session_ip6 *a, const struct tn_session_ip6 *b)
{
	__m128i d = _mm_or_si128(_mm_xor_si128(a->src, b->src), _mm_xor_si128(a->dst, b->dst));

	return _mm_testz_si128(d, d);
}

/* Bitmap of slots whose tag equals: two bits a slot. */
static inline uint32_t tn_bucket_match(const struct tn_session_bucket *b, uint16_t tag)
{
	__m128i tags = _mm_load_si128((const __m128i *)(const void *)b->tag);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi16(tags, _mm_set1_epi16((short)tag)));
}

static inline struct tn_session_more *tn_session_more(
	const struct tn_sessions *t, const struct tn_session *s)
{
	return &t->more[s - t->entries];
}

/* ip6 NULL: not part of the key. NULL: no such session. Does not ask if it is valid. */
struct tn_session *tn_sessions_find(const struct tn_sessions *t, const struct tn_session_key *key,
	const struct tn_session_ip6 *ip6, uint32_t hash);

/*
 * A fresh entry for a key that is not in the table: key and ip6 set, the rest zero.
 * May evict. Never fails.
 */
struct tn_session *tn_sessions_insert(struct tn_sessions *t, const struct tn_session_key *key,
	const struct tn_session_ip6 *ip6, uint32_t hash);

#endif
