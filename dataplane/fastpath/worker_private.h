/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker's inside. Private to worker.c (bursts, hits, life), receive.c (headers to keys), miss.c
 * (deciding and remembering), changes.c (what commits leave of that), slow.c (the action executor's
 * environment) and offload.c (frames that their sender left unfinished).
 */
#ifndef TN_FASTPATH_WORKER_PRIVATE_H
#define TN_FASTPATH_WORKER_PRIVATE_H

#include <string.h>

#include "dataplane/core/reply_budget.h"
#include "dataplane/fastpath/ends.h"
#include "dataplane/fastpath/session.h"
#include "dataplane/fastpath/worker.h"

/* How packets come in, as decisions and as session keys know it. */
struct tn_wk_ingress {
	struct tn_ingress in; /* first: runs point at it */
	__m128i key;	      /* its members of the third vector, not masked */
	uint16_t ends;	      /* number of the tunnel's; 0: none */
};

static inline void tn_wk_ingress_key(struct tn_wk_ingress *in)
{
	uint64_t kind = (uint64_t)in->ends << TN_SESSION_ENDS;

	in->key = _mm_set_epi64x(
		(long long)(kind << 48), (long long)(in->in.tunnel_id << 32 | in->in.in_port));
}

/*
 * Packets in a row that have the same masked key, and so the same session: what the stages after
 * the first work on.
 */
struct tn_wk_run {
	struct tn_session_key key; /* masked */
	const struct tn_ingress *in;
	struct tn_fast_program *program; /* what is to be done, NULL: not known yet */
	uint32_t hash;
	uint32_t bytes;
	uint8_t first, n; /* packets of the burst */
	bool uncached;	  /* the session key cannot hold what decisions read of it */
	bool has_ip6;	  /* tn_worker.ip6 of its first packet belongs to the key */
};

/* What an encapsulation needs of a packet that is not of the common shape. */
struct tn_wk_rare {
	uint32_t entropy;
	uint8_t tos;
};

#define TN_WK_PEERS 256u

/* Outer headers that a tunnel took lately: the answers of tn_tunnels_receive() remembered. */
struct tn_wk_peer {
	uint64_t version;	/* of the snapshot, of an IPv4 header; 0: it is none */
	uint32_t src, dst, vni; /* as in the frame; vni with its reserved byte zeroed */
	uint32_t port_index;	/* the uplink */
	uint32_t tunnel_index;
	uint16_t udp_dst;
	struct tn_wk_ingress in;
	uint64_t version6; /* the same of an IPv6 header, with these addresses */
	__m128i src6, dst6;
};

#define TN_WK_CHANGES 64u

/* A flow that came or went, as session keys speak of it: struct tn_recent_change. */
struct tn_wk_change {
	struct tn_session_key value, mask;
	struct tn_session_ip6 ip6_value, ip6_mask;
	uint64_t class; /* bit of the table's epoch class */
	uint32_t version;
};

/* The latest, in a ring: all of every version after `since`. */
struct tn_wk_changes {
	struct tn_wk_change ring[TN_WK_CHANGES];
	uint64_t n; /* ever noted: the next one's place, modulo */
	uint32_t since;
};

struct tn_wk_tx {
	unsigned n;
	bool pending; /* listed in tn_worker.pending */
	struct tn_packet packets[TN_BURST];
};

struct tn_worker {
	/* the burst */
	const struct tn_forwarding *fwd;
	uint64_t now_ns;
	uint32_t clock; /* of sessions, the same time */
	unsigned port_index;
	unsigned n_runs;
	uint32_t uncommon; /* bitmap of packets that are not of the common shape */
	struct tn_wk_run runs[TN_BURST];
	struct tn_session_ip6 ip6[TN_BURST];
	struct tn_wk_rare rare[TN_BURST];
	struct tn_wk_ingress tunnelled[TN_BURST]; /* of packets that no peer entry knew */
	/* sessions */
	struct tn_sessions sessions;
	struct tn_session_key mask;
	uint32_t mask_gen;
	uint32_t valid; /* raised by whatever may make sessions invalid; never 0 */
	bool mask_ip6;
	struct tn_wk_changes changes;
	uint64_t hits, misses, stale, uncached, copies, segments;
	struct tn_wk_peer peers[TN_WK_PEERS];
	struct tn_wk_peer new_peer; /* of this burst, */
	bool has_new_peer;	    /* if there is one */
	uint32_t network; /* of the packets whose end is near, for what is dropped of them */
	struct tn_network_drops *network_drops;
	/* by port */
	struct tn_worker_port_stats *stats;
	struct tn_wk_ingress *ingress; /* of plain packets */
	uint64_t *replies;	       /* budgets: of ports, then of networks */
	struct tn_wk_tx *tx;
	uint16_t n_pending;
	uint16_t pending[TN_WORKER_PORTS_MAX]; /* indexes with frames in tx */
	/* misses */
	struct tn_key flow_mask; /* the same as mask, as decide() speaks of it */
	struct tn_key rest;	 /* bits that decisions read and session keys cannot hold */
	bool rest_phy;		 /* in_phy_port is among them */
	bool rest_tunnel;	 /* tun_src or tun_dst is read: keys need their number */
	struct tn_ends *ends;
	struct tn_program_cache *programs;
	const struct tn_forwarding *seen_fwd; /* what generation stands for */
	uint64_t seen_version;
	uint32_t generation;
	struct tn_counts *counts; /* of programs that the executor ran */
	struct tn_processor *processor;
	struct tn_read_set read;
	struct tn_worker_config config;
};

/* w->network is whose they are. */
static inline void tn_wk_count_drop(struct tn_worker *w, enum tn_drop reason, unsigned n)
{
	w->stats[w->port_index].dropped[reason] += n;
	tn_network_drops_add(w->network_drops, w->network, reason, n);
}

/* Of what is about to be done with packets of a run by a program that is not SLOW. */
static inline void tn_wk_of_run(struct tn_worker *w, const struct tn_wk_run *run)
{
	const struct tn_op op = {.network_of = run->program->network_of,
		.network = run->program->network & 0xffffff};

	w->network = tn_network_at(&op, run->in->tunnel_id);
}

static inline void tn_wk_free(struct tn_worker *w, const struct tn_packet *p, unsigned n)
{
	w->config.buffers->free(w->config.buffers_ctx, p, n);
}

static inline void tn_wk_drop(struct tn_worker *w, enum tn_drop reason, const struct tn_packet *p)
{
	tn_wk_count_drop(w, reason, 1);
	tn_wk_free(w, p, 1);
}

/* The queue of a port is full, or has nothing in it yet. */
void tn_wk_tx_full(struct tn_worker *w, unsigned index, unsigned n);

/* Room for n more frames in the queue of a port. */
static inline struct tn_wk_tx *tn_wk_tx_reserve(struct tn_worker *w, unsigned index, unsigned n)
{
	struct tn_wk_tx *q = &w->tx[index];

	if (tn_unlikely(q->n + n > TN_BURST || !q->pending))
		tn_wk_tx_full(w, index, n);
	return q;
}

static inline void tn_wk_transmit(struct tn_worker *w, unsigned index, const struct tn_packet *p)
{
	struct tn_wk_tx *q = tn_wk_tx_reserve(w, index, 1);

	q->packets[q->n++] = *p;
	w->stats[index].tx_bytes += p->len;
}

/*
 * Frames with something in tn_packet.offload. They go through sessions and rewrites like others;
 * what takes none of them gets finished ones.
 */
typedef void (*tn_wk_finished_fn)(struct tn_worker *w, void *ctx, struct tn_packet *p);

/*
 * Takes a packet with offload and calls fn for each finished frame that it makes, in order, which
 * takes that. Segments beyond the first count as copies.
 */
void tn_wk_finish(struct tn_worker *w, struct tn_packet *p, tn_wk_finished_fn fn, void *ctx);
/* Only its first frame, as a copy; the packet stays as it is. False: no buffer, or it has none. */
bool tn_wk_finish_first(struct tn_worker *w, const struct tn_packet *p, struct tn_packet *first);
/* Out by a plain port: as it is where that takes it, else finished. Takes the packet. */
void tn_wk_transmit_unfinished(struct tn_worker *w, unsigned index, struct tn_packet *p);

/* Stage one, from packet `from` on: runs with their keys and hashes. */
void tn_wk_receive(struct tn_worker *w, struct tn_packet *p, unsigned from, unsigned n);
/* The outer headers come off first; on ports with underlay addresses. */
void tn_wk_receive_underlay(struct tn_worker *w, struct tn_packet *p, unsigned n);
/* Afterwards: new_peer is known to later bursts. */
void tn_wk_keep_peer(struct tn_worker *w);
/* The same packets again, after the mask became wider: keys said too little. */
void tn_wk_receive_again(struct tn_worker *w, struct tn_packet *p, unsigned from, unsigned n);

/* The flow key of a packet as it came in. */
void tn_wk_flow_key(const struct tn_view *view, const struct tn_headers *h,
	const struct tn_ingress *in, struct tn_key *key);

/* The same of packet `i` of the burst that tn_wk_receive() saw. False: it has no whole header. */
bool tn_wk_packet_key(const struct tn_worker *w, const struct tn_packet *p, unsigned i,
	const struct tn_ingress *in, struct tn_key *key);

/* The action executor on one packet; takes it. */
void tn_wk_run_slow(struct tn_worker *w, const struct tn_fast_program *prog,
	const struct tn_ingress *in, struct tn_packet *p);

/*
 * Of OUTPUT and ENCAP: is the packet one that an IF_LONGER may mean? Then the executor takes it,
 * and what was counted for it is counted by that.
 */
bool tn_wk_run_longer(struct tn_worker *w, struct tn_fast_program *prog,
	const struct tn_ingress *in, struct tn_packet *p);

/*
 * Of a program that runs without the executor: tells of its LEARN ops. late: packets ran it some
 * time ago.
 */
void tn_wk_tell_sources(const struct tn_worker *w, const struct tn_fast_program *prog, bool late);

/* A list of actions on one packet; takes it. */
void tn_wk_run_list(struct tn_worker *w, const struct tn_action *list, size_t n, uint32_t in_port,
	struct tn_packet *p);

/*
 * Decides packet `i` of the burst, of a run that has no session, or a stale one (s), and remembers
 * it where the key allows. Returns the program with a reference that the caller gives back by
 * tn_wk_release(); NULL: the packet was dropped.
 */
struct tn_fast_program *tn_wk_decide(struct tn_worker *w, struct tn_wk_run *run,
	struct tn_session *s, struct tn_packet *p, unsigned i);
void tn_wk_release(struct tn_worker *w, struct tn_fast_program *prog);

/* From here on every session is asked once whether it is still right. */
static inline void tn_wk_doubt_sessions(struct tn_worker *w)
{
	w->valid += w->valid == UINT32_MAX ? 2 : 1;
}

/* changes.c: what changed between the version that was seen last and this one. */
void tn_wk_note_changes(struct tn_worker *w, const struct tn_snapshot *s, uint64_t seen_version);
/* Has one of these classes' flows come or gone, after this version, that the session may meet? */
bool tn_wk_changes_concern(
	const struct tn_worker *w, const struct tn_session *s, uint64_t classes, uint32_t version);

/* Is the decision of a session still right, though it was made in another state of things? */
bool tn_wk_session_valid(const struct tn_worker *w, struct tn_session *s);

/* Are decisions on packets of the burst's port told (tn_worker_events.decided)? */
static inline bool tn_wk_tells(const struct tn_worker *w)
{
	return w->fwd->ports[w->port_index].tells && w->config.events.decided;
}

/* Tells of a session that the run's packets are handled by; p is the first of them. */
void tn_wk_tell_hit(struct tn_worker *w, const struct tn_wk_run *run, const struct tn_session *s,
	const struct tn_packet *p);

static inline void tn_wk_count_program(
	const struct tn_worker *w, struct tn_fast_program *prog, uint64_t packets, uint64_t bytes)
{
	prog->packets += packets;
	prog->bytes += bytes;
	prog->last_used_ns = w->now_ns;
}

static inline struct tn_session *tn_wk_find(const struct tn_worker *w, const struct tn_wk_run *run)
{
	return tn_sessions_find(
		&w->sessions, &run->key, run->has_ip6 ? &w->ip6[run->first] : NULL, run->hash);
}

/* By what a run holds. */
static inline const struct tn_wk_ingress *tn_wk_ingress_of(const struct tn_ingress *in)
{
	return (const struct tn_wk_ingress *)(const void *)in;
}

static inline uint16_t tn_wk_kind(const struct tn_ingress *in, bool has_ip6)
{
	return (uint16_t)(tn_wk_ingress_of(in)->ends << TN_SESSION_ENDS |
		(has_ip6 ? TN_SESSION_IP6 : 0));
}

/* Decisions read something of how it came in that session keys cannot hold. */
static inline bool tn_wk_unkeyed(const struct tn_worker *w, const struct tn_ingress *in)
{
	return w->rest_phy || (w->rest_tunnel && in->in_phy_port && !tn_wk_ingress_of(in)->ends);
}

static inline void tn_wk_mask_key(const struct tn_worker *w, struct tn_session_key *k)
{
	for (unsigned i = 0; i < 3; i++)
		k->v[i] = _mm_and_si128(k->v[i], w->mask.v[i]);
}

static inline void tn_wk_hash_run(struct tn_worker *w, struct tn_wk_run *run)
{
	run->hash = tn_session_hash(&run->key, w->sessions.seed);
	if (tn_unlikely(run->has_ip6))
		run->hash = tn_session_hash_ip6(run->hash, &w->ip6[run->first]);
	__builtin_prefetch(&w->sessions.buckets[tn_session_bucket_of(&w->sessions, run->hash)]);
}

#endif
