/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/worker.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/core/wire.h"
#include "dataplane/fastpath/compile.h"
#include "dataplane/fastpath/shape.h"
#include "dataplane/pipeline/snapshot.h"

/* How far ahead of the packet that is read its bytes are fetched. */
#define PREFETCH_AHEAD 6u

struct tx_queue {
	unsigned n;
	struct tn_packet packets[TN_BURST];
};

/* What stage one found out about a packet of the burst. */
struct slot {
	struct tn_session_key key; /* masked */
	struct tn_session_ip6 ip6;
	const struct tn_ingress *in;
	struct tn_session *guess; /* that the tag points at */
	uint32_t hash;
	uint32_t entropy; /* of packets that are not of the common shape */
	uint8_t state;	  /* enum slot_state */
	uint8_t tos;	  /* the same */
	bool has_ip6;
	bool common;
};

enum slot_state {
	SLOT_GONE, /* handled already */
	SLOT_SAME, /* the key of the packet before it */
	SLOT_LOOKUP,
	SLOT_UNCACHED, /* decided each time */
};

#define PEERS 256u

/* Outer headers that a tunnel took lately: the checks of tn_tunnel_receive() remembered. */
struct peer {
	uint64_t version;	/* of the snapshot; 0: none */
	uint32_t src, dst, vni; /* as in the frame; vni with its reserved byte zeroed */
	uint32_t port_index;	/* the uplink */
	uint16_t udp_dst;
	uint32_t tunnel_index;
	struct tn_ingress in;
};

struct tn_worker {
	/* read and written for every packet */
	struct tn_sessions sessions;
	struct tn_session_key mask; /* of session keys */
	uint32_t mask_gen;
	bool mask_ip6;
	const struct tn_forwarding *fwd; /* of the burst */
	uint64_t now_ns;
	uint64_t hits, misses, stale, uncached, copies;
	struct slot slots[TN_BURST];
	struct peer peers[PEERS];
	/* by port */
	struct tn_worker_port_stats *stats;
	struct tn_ingress *ingress; /* of plain packets */
	struct tx_queue *tx;
	uint16_t n_pending;
	uint16_t pending[TN_WORKER_PORTS_MAX]; /* indexes with frames in tx */
	/* misses */
	struct tn_key flow_mask; /* the same as mask, as decide() speaks of it */
	struct tn_key rest;	 /* bits that decisions read and session keys cannot hold */
	struct tn_program_cache *programs;
	uint32_t swept; /* session bucket where the next sweep goes on */
	struct tn_processor *processor;
	struct tn_read_set read;
	struct tn_worker_config config;
};

/* --- transmit --------------------------------------------------------------------------------- */

static void count_drop(struct tn_worker *w, unsigned port_index, enum tn_drop reason, unsigned n)
{
	w->stats[port_index].dropped[reason] += n;
}

static void free_packets(struct tn_worker *w, const struct tn_packet *p, unsigned n)
{
	w->config.buffers->free(w->config.buffers_ctx, p, n);
}

static void flush_port(struct tn_worker *w, const struct tn_forwarding *fwd, unsigned index)
{
	const struct tn_forwarding_port *fp = &fwd->ports[index];
	struct tx_queue *q = &w->tx[index];
	unsigned sent = 0;

	if (fp->kind == TN_FWD_PLAIN && q->n)
		sent = fp->port->ops->tx(fp->port, w->config.tx_queue, q->packets, q->n);
	if (sent < q->n) {
		count_drop(w, index, TN_DROP_TX_FULL, q->n - sent);
		free_packets(w, q->packets + sent, q->n - sent);
	}
	w->stats[index].tx_packets += sent;
	q->n = 0;
}

void tn_worker_flush(struct tn_worker *w, const struct tn_forwarding *fwd)
{
	for (unsigned i = 0; i < w->n_pending; i++)
		flush_port(w, fwd, w->pending[i]);
	w->n_pending = 0;
}

static inline void transmit(struct tn_worker *w, unsigned index, const struct tn_packet *p)
{
	struct tx_queue *q = &w->tx[index];

	if (q->n == 0)
		w->pending[w->n_pending++] = (uint16_t)index;
	q->packets[q->n++] = *p;
	w->stats[index].tx_bytes += p->len;
	if (tn_unlikely(q->n == TN_BURST)) {
		flush_port(w, w->fwd, index);
		w->n_pending--;
		for (unsigned i = 0; i < w->n_pending; i++) {
			if (w->pending[i] == index)
				w->pending[i] = w->pending[w->n_pending];
		}
	}
}

/* --- hits ------------------------------------------------------------------------------------- */

static inline uint32_t entropy_of(const struct slot *slot, const uint8_t *data)
{
	if (tn_unlikely(!slot->common))
		return slot->entropy;
	return tn_entropy_ip4(tn_load32(data + 26), tn_load32(data + 30), tn_load16(data + 34),
		tn_load16(data + 36), data[23]);
}

static inline void store16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

/*
 * Puts the header template before the frame and fills in what differs from packet to packet: TOS,
 * two lengths, the IPv4 checksum and the source port.
 */
static inline void encapsulate(
	const struct tn_fast_program *prog, const struct slot *slot, struct tn_packet *p)
{
	uint16_t sport = (uint16_t)(TN_VXLAN_SPORT_MIN | (entropy_of(slot, p->data) & 0x3fff));
	uint8_t inner_tos = slot->common ? p->data[15] : slot->tos;
	uint8_t tos = (uint8_t)((inner_tos & prog->tos_mask) | prog->tos);
	uint16_t total = __builtin_bswap16((uint16_t)(p->len + TN_VXLAN_OVERHEAD_IP4 - TN_ETH_LEN));
	uint32_t sum = prog->ip_sum + total + ((uint32_t)tos << 8);
	const __m128i *t = (const __m128i *)(const void *)prog->template;
	uint8_t *d = p->data - TN_VXLAN_OVERHEAD_IP4;

	_mm_storeu_si128((__m128i *)(void *)d, _mm_loadu_si128(t));
	_mm_storeu_si128((__m128i *)(void *)(d + 16), _mm_loadu_si128(t + 1));
	_mm_storeu_si128((__m128i *)(void *)(d + 32), _mm_loadu_si128(t + 2));
	store16(d + 48, tn_load16(prog->template + 48));
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	d[15] = tos;
	store16(d + 16, total);
	store16(d + 24, (uint16_t)~sum);
	store16(d + 34, __builtin_bswap16(sport));
	store16(d + 38, __builtin_bswap16((uint16_t)(p->len + TN_VXLAN_OVERHEAD_IP4 - 34)));
	p->data = d;
	p->len += TN_VXLAN_OVERHEAD_IP4;
	p->headroom = (uint16_t)(p->headroom - TN_VXLAN_OVERHEAD_IP4);
}

static void drop_packet(
	struct tn_worker *w, unsigned port_index, enum tn_drop reason, const struct tn_packet *p)
{
	count_drop(w, port_index, reason, 1);
	free_packets(w, p, 1);
}

static void run_slow(struct tn_worker *w, unsigned port_index, struct tn_fast_program *prog,
	const struct slot *slot, struct tn_packet *p);

/* Does the program with n packets in a row that have the same session. */
static inline void act(struct tn_worker *w, unsigned port_index, struct tn_fast_program *prog,
	const struct slot *slot, struct tn_packet *p, unsigned n)
{
	switch ((enum tn_fast_kind)prog->kind) {
	case TN_FAST_ENCAP:
		for (unsigned i = 0; i < n; i++) {
			if (tn_unlikely(p[i].headroom < TN_VXLAN_OVERHEAD_IP4)) {
				drop_packet(w, port_index, TN_DROP_NO_HEADROOM, &p[i]);
			} else if (tn_unlikely(p[i].len > prog->max_frame)) {
				drop_packet(w, port_index, TN_DROP_MTU, &p[i]);
			} else {
				w->stats[prog->tunnel].tx_packets++;
				w->stats[prog->tunnel].tx_bytes += p[i].len;
				encapsulate(prog, &slot[i], &p[i]);
				transmit(w, prog->out, &p[i]);
			}
		}
		break;
	case TN_FAST_OUTPUT:
		for (unsigned i = 0; i < n; i++) {
			if (tn_unlikely(p[i].len > prog->max_frame))
				drop_packet(w, port_index, TN_DROP_MTU, &p[i]);
			else
				transmit(w, prog->out, &p[i]);
		}
		break;
	case TN_FAST_DROP:
		count_drop(w, port_index, (enum tn_drop)prog->drop, n);
		free_packets(w, p, n);
		break;
	case TN_FAST_SLOW:
		for (unsigned i = 0; i < n; i++)
			run_slow(w, port_index, prog, &slot[i], &p[i]);
		break;
	}
}

/* --- slow actions ----------------------------------------------------------------------------- */

/* The buffers of a packet and of the clones in it; the executor nests them. */
struct slow_packet {
	struct tn_packet packet;
	bool taken; /* sent: no longer ours */
};

struct slow_run {
	struct tn_worker *w;
	unsigned port_index;
	unsigned depth;
	struct slow_packet stack[TN_CLONE_DEPTH_MAX + 1];
};

static bool clone_packet(struct tn_worker *w, const struct tn_packet *p, const struct tn_view *view,
	struct tn_packet *copy)
{
	struct tn_packet now = *p;

	tn_packet_update(&now, view);
	return w->config.buffers->clone(w->config.buffers_ctx, &now, copy);
}

static void slow_drop(
	void *ctx, const struct tn_view *view, enum tn_drop reason, const struct tn_op *op)
{
	struct slow_run *r = ctx;

	(void)view;
	(void)op;
	count_drop(r->w, r->port_index, reason, 1);
}

/* Sends a packet that is the worker's own from here on. */
static void send_plain(struct slow_run *r, unsigned index, struct tn_packet *p)
{
	const struct tn_forwarding_port *fp = &r->w->fwd->ports[index];

	if (p->len > fp->max_frame) {
		drop_packet(r->w, r->port_index, TN_DROP_MTU, p);
		return;
	}
	transmit(r->w, index, p);
}

static void send_tunnel(
	struct slow_run *r, unsigned index, struct tn_packet *p, const struct tn_op *op)
{
	const struct tn_forwarding *fwd = r->w->fwd;
	struct tn_view view = tn_packet_view(p);
	struct tn_vxlan_encap encap;
	struct tn_headers h;
	struct tn_key key;
	uint32_t uplink = 0, entropy, out;
	enum tn_drop reason = tn_parse(&view, &h);

	if (!reason) {
		tn_key_extract(&view, &h, &key);
		entropy = tn_key_entropy(&key);
		reason =
			tn_tunnels_encap(fwd->tunnels, fwd->underlay, op, entropy, &encap, &uplink);
	}
	if (!reason)
		reason = tn_vxlan_push(&view, &encap, &h, entropy);
	out = tn_forwarding_index(fwd, uplink);
	if (!reason && out == TN_FORWARDING_NONE)
		reason = TN_DROP_NO_ROUTE;
	if (reason) {
		drop_packet(r->w, r->port_index, reason, p);
		return;
	}
	r->w->stats[index].tx_packets++;
	r->w->stats[index].tx_bytes += p->len;
	tn_packet_update(p, &view);
	send_plain(r, out, p);
}

static void slow_output(void *ctx, struct tn_view *view, const struct tn_headers *h,
	const struct tn_op *op, bool last)
{
	struct slow_run *r = ctx;
	struct slow_packet *top = &r->stack[r->depth];
	unsigned index = tn_forwarding_index(r->w->fwd, op->output.port);
	struct tn_packet p = top->packet;

	(void)h;
	if (last) {
		tn_packet_update(&p, view);
		top->taken = true;
	} else if (!clone_packet(r->w, &top->packet, view, &p)) {
		count_drop(r->w, r->port_index, TN_DROP_NO_BUFFER, 1);
		return;
	}
	if (index == TN_FORWARDING_NONE)
		drop_packet(r->w, r->port_index, TN_DROP_NO_SUCH_PORT, &p);
	else if (r->w->fwd->ports[index].kind == TN_FWD_TUNNEL)
		send_tunnel(r, index, &p, op);
	else
		send_plain(r, index, &p);
}

static void slow_controller(void *ctx, const struct tn_view *view, const struct tn_op *op,
	uint8_t reason, uint16_t max_len)
{
	struct slow_run *r = ctx;
	const struct tn_worker_events *e = &r->w->config.events;

	if (!e->packet_in || !e->packet_in(e->ctx, view, op, reason, max_len))
		count_drop(r->w, r->port_index, TN_DROP_PUNT_FULL, 1);
}

static bool slow_clone(void *ctx, const struct tn_view *view, struct tn_view *copy)
{
	struct slow_run *r = ctx;
	struct slow_packet *next = &r->stack[r->depth + 1];

	if (!clone_packet(r->w, &r->stack[r->depth].packet, view, &next->packet))
		return false;
	next->taken = false;
	r->depth++;
	*copy = tn_packet_view(&next->packet);
	return true;
}

static void slow_release(void *ctx, struct tn_view *copy)
{
	struct slow_run *r = ctx;
	struct slow_packet *top = &r->stack[r->depth];

	(void)copy;
	if (!top->taken)
		free_packets(r->w, &top->packet, 1);
	r->depth--;
}

static void slow_learn(void *ctx, const struct tn_op *op)
{
	struct slow_run *r = ctx;
	const struct tn_worker_events *e = &r->w->config.events;

	if (e->learn)
		e->learn(e->ctx, op);
}

static const struct tn_exec_env slow_env = {
	.output = slow_output,
	.controller = slow_controller,
	.drop = slow_drop,
	.clone = slow_clone,
	.release = slow_release,
	.learn = slow_learn,
};

/* decide_again: the packet as it came in, by the key of its slot. */
struct again {
	const struct tn_worker *w;
	struct tn_key key;
};

static void decide_again(void *ctx, const struct tn_facts *facts, struct tn_program *program)
{
	const struct again *a = ctx;

	tn_decide(a->w->fwd->snapshot, &a->key, a->w->now_ns, facts, program, NULL, NULL);
	tn_program_without_counters(program, 0);
}

static void key_of(const struct tn_view *view, const struct tn_headers *h, const struct slot *slot,
	struct tn_key *key)
{
	tn_key_extract(view, h, key);
	key->in_port = tn_htobe32(slot->in->in_port);
	key->in_phy_port = tn_htobe32(slot->in->in_phy_port);
	key->tunnel_id = tn_htobe64(slot->in->tunnel_id);
	key->tun_src = tn_u128_to_ip6(slot->in->tun_src);
	key->tun_dst = tn_u128_to_ip6(slot->in->tun_dst);
}

static void execute(struct tn_worker *w, unsigned port_index, struct tn_program *program,
	const struct slot *slot, struct tn_packet *p)
{
	struct slow_run run = {.w = w, .port_index = port_index};
	struct tn_exec_env env = slow_env;
	struct tn_view view = tn_packet_view(p);
	struct again again = {.w = w};
	struct tn_headers h;

	run.stack[0].packet = *p;
	if (tn_parse(&view, &h)) {
		drop_packet(w, port_index, TN_DROP_RUNT, p);
		return;
	}
	key_of(&view, &h, slot, &again.key);
	env.ctx = &run;
	env.decide_again = decide_again;
	env.decide_ctx = &again;
	w->processor->facts.n = 0;
	w->copies += tn_execute(program, &view, &h, w->now_ns, p->len, &w->processor->facts, &env);
	if (!run.stack[0].taken)
		free_packets(w, &run.stack[0].packet, 1);
}

/*
 * The executor may ask for a new program in place, so what may is run from the scratch program.
 */
static void run_slow(struct tn_worker *w, unsigned port_index, struct tn_fast_program *prog,
	const struct slot *slot, struct tn_packet *p)
{
	struct tn_program *program = (struct tn_program *)(void *)&prog->head;

	if (prog->asks_again) {
		program = &w->processor->program;
		program->n_ops = prog->head.n_ops;
		memcpy(program->ops, prog->ops, prog->head.n_ops * sizeof(prog->ops[0]));
	}
	execute(w, port_index, program, slot, p);
}

/* --- misses ----------------------------------------------------------------------------------- */

/* Decisions read more than session keys hold so far: from here on they hold it. */
static void widen_mask(struct tn_worker *w)
{
	uint64_t *mine = tn_key_words(&w->flow_mask);
	const uint64_t *read = tn_key_cwords(&w->read.mask);
	bool wider = false;

	for (size_t i = 0; i < TN_KEY_WORDS; i++) {
		wider |= (read[i] & ~mine[i]) != 0;
		mine[i] |= read[i];
	}
	if (!wider)
		return;
	tn_session_mask(&w->flow_mask, &w->mask, &w->mask_ip6, &w->rest);
	w->mask_gen++;
}

/*
 * Is the decision of a session still right, though it was made in an older version? Looked at once
 * a commit and session: the answer moves the stamp.
 */
static bool session_valid(const struct tn_worker *w, struct tn_session *s)
{
	const struct tn_snapshot *snapshot = w->fwd->snapshot;

	for (uint64_t left = s->classes; left; left &= left - 1) {
		/* versions wrap: compare by difference */
		if ((int32_t)(snapshot->epoch[__builtin_ctzll(left)] - s->stamp) > 0)
			return false;
	}
	s->stamp = (uint32_t)snapshot->version;
	return true;
}

static uint64_t epoch_classes(const struct tn_read_set *read)
{
	uint64_t classes = UINT64_C(1) << TN_EPOCH_SHARED;

	for (unsigned word = 0; word < TN_ARRAY_SIZE(read->tables); word++) {
		for (uint64_t left = read->tables[word]; left; left &= left - 1)
			classes |= UINT64_C(1)
				<< tn_epoch_class(word * 64 + (unsigned)__builtin_ctzll(left));
	}
	return classes;
}

static struct tn_fast_program *compile(struct tn_worker *w, const struct slot *slot)
{
	struct tn_fast_program shape;

	tn_compile(w->fwd, &w->processor->program, slot->entropy, &shape);
	return tn_program_cache_get(w->programs, &shape, &w->processor->program);
}

static void count_program(
	struct tn_fast_program *prog, uint64_t packets, uint64_t bytes, uint64_t now_ns)
{
	prog->packets += packets;
	prog->bytes += bytes;
	if (now_ns > prog->last_used_ns)
		prog->last_used_ns = now_ns;
}

/* What a session counted goes to its program. */
static void flush_session(struct tn_session *s)
{
	if (!s->packets)
		return;
	count_program(s->program, s->packets, s->bytes, s->last_used_ns);
	s->packets = s->bytes = 0;
}

static void remember(
	struct tn_worker *w, struct slot *slot, struct tn_session *s, struct tn_fast_program *prog)
{
	if (s) {
		flush_session(s);
		tn_program_cache_put(w->programs, s->program);
	} else {
		s = tn_sessions_insert(
			&w->sessions, &slot->key, slot->has_ip6 ? &slot->ip6 : NULL, slot->hash);
	}
	s->program = prog;
	s->stamp = (uint32_t)w->fwd->snapshot->version;
	s->mask_gen = w->mask_gen;
	s->classes = epoch_classes(&w->read);
	s->last_used_ns = w->now_ns;
}

/* Key, mask and hash anew, after the mask became wider. */
static bool rekey(struct tn_worker *w, struct slot *slot, const struct tn_key *key)
{
	bool fits = tn_session_key_from(key, &w->rest, &slot->key, &slot->ip6, &slot->has_ip6);

	slot->has_ip6 &= w->mask_ip6;
	slot->key.kind = slot->has_ip6 ? TN_SESSION_IP6 : 0;
	for (unsigned i = 0; i < 3; i++)
		slot->key.v[i] = _mm_and_si128(slot->key.v[i], w->mask.v[i]);
	slot->hash = tn_session_hash(&slot->key, w->sessions.seed);
	if (slot->has_ip6)
		slot->hash = tn_session_hash_ip6(slot->hash, &slot->ip6);
	return fits;
}

/*
 * No session, or one that is stale (s): decides, acts, and keeps what it decided unless the session
 * key cannot tell this packet from others that would be decided otherwise.
 */
static void miss(struct tn_worker *w, unsigned port_index, struct slot *slot, struct tn_session *s,
	struct tn_packet *p)
{
	struct tn_view view = tn_packet_view(p);
	struct tn_fast_program *prog;
	uint32_t gen = w->mask_gen;
	struct tn_headers h;
	struct tn_key key;
	bool fits = slot->state != SLOT_UNCACHED;

	if (tn_parse(&view, &h)) {
		drop_packet(w, port_index, TN_DROP_RUNT, p);
		return;
	}
	key_of(&view, &h, slot, &key);
	if (slot->common)
		slot->entropy = tn_key_entropy(&key);
	tn_decide(w->fwd->snapshot, &key, w->now_ns, NULL, &w->processor->program, &w->read, NULL);
	prog = compile(w, slot);
	if (!prog) {
		drop_packet(w, port_index, TN_DROP_NO_BUFFER, p);
		return;
	}
	count_program(prog, 1, p->len, w->now_ns);
	if (w->config.sessions) {
		widen_mask(w);
		if (gen != w->mask_gen) {
			fits = rekey(w, slot, &key);
			s = fits ? tn_sessions_find(&w->sessions, &slot->key,
					   slot->has_ip6 ? &slot->ip6 : NULL, slot->hash)
				 : NULL;
		}
	}
	if (fits && w->config.sessions) {
		remember(w, slot, s, prog);
		act(w, port_index, prog, slot, p, 1);
	} else {
		w->uncached++;
		act(w, port_index, prog, slot, p, 1);
		tn_program_cache_put(w->programs, prog);
	}
}

/* --- receive ---------------------------------------------------------------------------------- */

static inline uint16_t fold16(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static inline bool outer_checksum_ok(const uint8_t *ip)
{
	uint64_t sum = (uint64_t)tn_load32(ip) + tn_load32(ip + 4) + tn_load32(ip + 8) +
		tn_load32(ip + 12) + tn_load32(ip + 16);

	return fold16(sum) == 0xffff;
}

/*
 * An outer header that tn_tunnel_receive() would take as it took the last one of this peer: IPv4
 * without options, whole, checksums right (UDP zero), no congestion mark to carry inside.
 */
static inline bool peer_receive(
	struct tn_worker *w, unsigned port_index, struct tn_packet *p, struct slot *slot)
{
	const uint8_t *d = p->data;
	uint32_t vni, total, udp_len;
	const struct peer *peer;

	if (p->len < TN_VXLAN_OVERHEAD_IP4 + TN_ETH_LEN ||
		(tn_load32(d + 12) & 0x00ffffffu) != 0x00450008u)
		return false;
	total = __builtin_bswap16(tn_load16(d + 16));
	udp_len = __builtin_bswap16(tn_load16(d + 38));
	vni = tn_load32(d + 46) & 0x00ffffffu;
	peer = &w->peers[(tn_load32(d + 26) * 0x9e3779b1u ^ vni * 0x85ebca6bu) >> 24];
	if ((tn_load16(d + 20) & 0xff3fu) != 0 || d[23] != 17 || d[15] & 3 ||
		tn_load16(d + 40) != 0 || !(d[42] & 0x08) || total + 14 > p->len ||
		udp_len + 20 != total || udp_len < 16 + TN_ETH_LEN)
		return false;
	if (peer->version != w->fwd->snapshot->version || peer->src != tn_load32(d + 26) ||
		peer->dst != tn_load32(d + 30) || peer->vni != vni ||
		peer->port_index != port_index || peer->udp_dst != tn_load16(d + 36) ||
		!outer_checksum_ok(d + 14))
		return false;
	slot->in = &peer->in;
	w->stats[peer->tunnel_index].rx_packets++;
	w->stats[peer->tunnel_index].rx_bytes += udp_len - 16;
	p->data += TN_VXLAN_OVERHEAD_IP4;
	p->headroom = (uint16_t)(p->headroom + TN_VXLAN_OVERHEAD_IP4);
	p->len = udp_len - 16;
	return true;
}

static void remember_peer(struct tn_worker *w, unsigned port_index, const uint8_t *d,
	unsigned tunnel_index, const struct tn_ingress *in)
{
	uint32_t vni = tn_load32(d + 46) & 0x00ffffffu;
	struct peer *peer;

	/* Only a first-shape header is looked up by peer_receive(). */
	if ((tn_load32(d + 12) & 0x00ffffffu) != 0x00450008u)
		return;
	peer = &w->peers[(tn_load32(d + 26) * 0x9e3779b1u ^ vni * 0x85ebca6bu) >> 24];
	peer->version = w->fwd->snapshot->version;
	peer->src = tn_load32(d + 26);
	peer->dst = tn_load32(d + 30);
	peer->vni = vni;
	peer->udp_dst = tn_load16(d + 36);
	peer->port_index = port_index;
	peer->tunnel_index = tunnel_index;
	peer->in = *in;
}

/* Generic reception on a port with underlay addresses. False: the packet is gone. */
static bool underlay_receive(struct tn_worker *w, unsigned port_index, struct tn_packet *p,
	struct slot *slot, struct tn_ingress *in)
{
	const struct tn_worker_events *e = &w->config.events;
	const struct tn_forwarding *fwd = w->fwd;
	struct tn_view view = tn_packet_view(p);
	const uint8_t *outer = p->data;
	struct tn_vxlan_outer headers_out;
	struct tn_headers h;
	enum tn_drop reason = tn_parse(&view, &h);

	if (!reason)
		reason = tn_tunnels_receive(
			fwd->tunnels, fwd->underlay, 0, &view, &h, in, &headers_out);
	in->in_phy_port = fwd->ports[port_index].number;
	if (reason == TN_DROP_NOT_TUNNELLED && e->host) {
		e->host(e->ctx, port_index, p);
		return false;
	}
	if (reason) {
		drop_packet(w, port_index, reason, p);
		return false;
	}
	remember_peer(w, port_index, outer, tn_forwarding_index(fwd, in->in_port), in);
	tn_packet_update(p, &view);
	slot->in = in;
	return true;
}

static void classify_rare(
	struct tn_worker *w, unsigned port_index, struct tn_packet *p, struct slot *slot)
{
	struct tn_view view = tn_packet_view(p);
	struct tn_headers h;
	struct tn_key key;

	slot->common = false;
	if (tn_parse(&view, &h)) {
		drop_packet(w, port_index, TN_DROP_RUNT, p);
		slot->state = SLOT_GONE;
		return;
	}
	key_of(&view, &h, slot, &key);
	slot->tos = key.ip_tos;
	slot->entropy = tn_key_entropy(&key);
	slot->state = tn_session_key_from(&key, &w->rest, &slot->key, &slot->ip6, &slot->has_ip6)
		? SLOT_LOOKUP
		: SLOT_UNCACHED;
	slot->has_ip6 &= w->mask_ip6;
	slot->key.kind = slot->has_ip6 ? TN_SESSION_IP6 : 0;
}

static inline void mask_key(struct tn_session_key *k, const struct tn_session_key *mask)
{
	for (unsigned i = 0; i < 3; i++)
		k->v[i] = _mm_and_si128(k->v[i], mask->v[i]);
}

/* The key of one packet into its slot. v2: in_port and tunnel id. */
static inline void classify(struct tn_worker *w, unsigned port_index, struct tn_packet *p,
	__m128i v2, struct slot *slot)
{
	if (tn_likely(tn_shape_common(p->data, p->len))) {
		tn_shape_key(p->data, v2, &slot->key);
		slot->state = SLOT_LOOKUP;
		slot->common = true;
		slot->has_ip6 = false;
	} else {
		classify_rare(w, port_index, p, slot);
	}
	mask_key(&slot->key, &w->mask);
}

/* Where the session may be; or that it is the one of the packet before. */
static inline void hash_slot(struct tn_worker *w, struct slot *slot, const struct slot *before)
{
	if (tn_unlikely(slot->state != SLOT_LOOKUP))
		return;
	if (before && (before->state == SLOT_LOOKUP || before->state == SLOT_SAME) &&
		tn_session_key_equal(&slot->key, &before->key) && !slot->has_ip6) {
		slot->hash = before->hash;
		slot->state = SLOT_SAME;
		return;
	}
	slot->hash = tn_session_hash(&slot->key, w->sessions.seed);
	if (tn_unlikely(slot->has_ip6))
		slot->hash = tn_session_hash_ip6(slot->hash, &slot->ip6);
	__builtin_prefetch(&w->sessions.buckets[slot->hash & w->sessions.bucket_mask]);
}

static inline __m128i ingress_vector(const struct tn_ingress *in)
{
	return _mm_set_epi64x(0, (long long)((uint64_t)in->tunnel_id << 32 | in->in_port));
}

/* Stage one: headers, keys, hashes. Returns the bytes that came. */
static uint64_t receive_plain(
	struct tn_worker *w, unsigned port_index, struct tn_packet *p, unsigned n)
{
	const struct tn_ingress *in = &w->ingress[port_index];
	__m128i v2 = ingress_vector(in);
	uint64_t bytes = 0;

	for (unsigned i = 0; i < n; i++) {
		struct slot *slot = &w->slots[i];

		if (i + PREFETCH_AHEAD < n)
			__builtin_prefetch(p[i + PREFETCH_AHEAD].data);
		bytes += p[i].len;
		slot->in = in;
		classify(w, port_index, &p[i], v2, slot);
		hash_slot(w, slot, i ? slot - 1 : NULL);
	}
	return bytes;
}

static uint64_t receive_underlay(struct tn_worker *w, unsigned port_index, struct tn_packet *p,
	unsigned n, struct tn_ingress *tunnelled)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < n; i++) {
		struct slot *slot = &w->slots[i];

		if (i + PREFETCH_AHEAD < n) {
			__builtin_prefetch(p[i + PREFETCH_AHEAD].data);
			__builtin_prefetch(p[i + PREFETCH_AHEAD].data + 64);
		}
		bytes += p[i].len;
		if (!peer_receive(w, port_index, &p[i], slot) &&
			!underlay_receive(w, port_index, &p[i], slot, &tunnelled[i])) {
			slot->state = SLOT_GONE;
			continue;
		}
		classify(w, port_index, &p[i], ingress_vector(slot->in), slot);
		hash_slot(w, slot, i ? slot - 1 : NULL);
	}
	return bytes;
}

/* Stage two: the entries that the tags point at. */
static void fetch_entries(struct tn_worker *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct slot *slot = &w->slots[i];
		const struct tn_session_bucket *b;
		uint32_t hits;

		slot->guess = NULL;
		if (slot->state != SLOT_LOOKUP)
			continue;
		b = &w->sessions.buckets[slot->hash & w->sessions.bucket_mask];
		hits = tn_bucket_match(b, tn_session_tag(slot->hash));
		if (tn_unlikely(!hits))
			continue;
		slot->guess = &w->sessions.entries[b->index[(unsigned)__builtin_ctz(hits) / 2]];
		__builtin_prefetch(slot->guess);
		__builtin_prefetch(&slot->guess->packets, 1);
	}
}

/* Stage three: is it the one? If so, its program is fetched. */
static void verify_entries(struct tn_worker *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct slot *slot = &w->slots[i];

		if (!slot->guess)
			continue;
		if (tn_unlikely(slot->has_ip6 ||
			    !tn_session_key_equal(&slot->guess->key, &slot->key))) {
			slot->guess = NULL;
			continue;
		}
		__builtin_prefetch(slot->guess->program);
		__builtin_prefetch((const uint8_t *)slot->guess->program + 64);
	}
}

static struct tn_session *find(struct tn_worker *w, const struct slot *slot)
{
	return tn_sessions_find(
		&w->sessions, &slot->key, slot->has_ip6 ? &slot->ip6 : NULL, slot->hash);
}

static inline bool usable(const struct tn_worker *w, struct tn_session *s)
{
	return s->mask_gen == w->mask_gen &&
		(s->stamp == (uint32_t)w->fwd->snapshot->version || session_valid(w, s));
}

/* Packets from i on that go by one session, and their bytes. */
static inline unsigned run_length(const struct tn_worker *w, const struct tn_packet *p, unsigned i,
	unsigned n, uint64_t *bytes)
{
	unsigned end = i + 1;

	*bytes = p[i].len;
	while (end < n && w->slots[end].state == SLOT_SAME)
		*bytes += p[end++].len;
	return end - i;
}

/* The mask became wider in the middle of a burst: keys made under the old one say too little. */
static void reclassify(
	struct tn_worker *w, unsigned port_index, struct tn_packet *p, unsigned from, unsigned n)
{
	for (unsigned i = from; i < n; i++) {
		struct slot *slot = &w->slots[i];

		if (slot->state == SLOT_GONE)
			continue;
		classify(w, port_index, &p[i], ingress_vector(slot->in), slot);
		hash_slot(w, slot, i > from ? slot - 1 : NULL);
	}
}

/*
 * Stage four: act, in the order of arrival. A miss in the burst may evict what stage three found,
 * so after one every session is looked up again.
 */
static void forward(struct tn_worker *w, unsigned port_index, struct tn_packet *p, unsigned n)
{
	uint64_t misses = w->misses;
	uint32_t mask_gen = w->mask_gen;
	uint64_t bytes;
	unsigned run;

	for (unsigned i = 0; i < n; i += run) {
		struct slot *slot = &w->slots[i];
		struct tn_session *s = slot->guess;

		run = 1;
		if (tn_unlikely(slot->state == SLOT_GONE))
			continue;
		if (tn_unlikely(!s || w->misses != misses))
			s = slot->state == SLOT_UNCACHED ? NULL : find(w, slot);
		if (tn_unlikely(!s || !usable(w, s))) {
			w->stale += s != NULL;
			w->misses++;
			miss(w, port_index, slot, s, &p[i]);
			if (mask_gen != w->mask_gen)
				reclassify(w, port_index, p, i + 1, n);
			mask_gen = w->mask_gen;
			continue;
		}
		run = run_length(w, p, i, n, &bytes);
		w->hits += run;
		s->packets += run;
		s->bytes += bytes;
		s->last_used_ns = w->now_ns;
		act(w, port_index, s->program, slot, &p[i], run);
	}
}

void tn_worker_burst(struct tn_worker *w, const struct tn_forwarding *fwd, unsigned port_index,
	struct tn_packet *packets, unsigned n, uint64_t now_ns)
{
	struct tn_worker_port_stats *stats = &w->stats[port_index];
	struct tn_ingress tunnelled[TN_BURST];
	enum tn_drop reason;

	w->fwd = fwd;
	w->now_ns = now_ns;
	stats->rx_packets += n;
	reason = tn_ingress_refuses(fwd->snapshot, fwd->ports[port_index].number);
	if (tn_unlikely(reason)) {
		count_drop(w, port_index, reason, n);
		free_packets(w, packets, n);
		return;
	}
	w->ingress[port_index].in_port = fwd->ports[port_index].number;
	if (fwd->ports[port_index].underlay)
		stats->rx_bytes += receive_underlay(w, port_index, packets, n, tunnelled);
	else
		stats->rx_bytes += receive_plain(w, port_index, packets, n);
	fetch_entries(w, n);
	verify_entries(w, n);
	forward(w, port_index, packets, n);
}

/* --- life ------------------------------------------------------------------------------------- */

static void release_session(void *ctx, struct tn_session *s)
{
	struct tn_worker *w = ctx;

	flush_session(s);
	tn_program_cache_put(w->programs, s->program);
}

uint32_t tn_forwarding_index(const struct tn_forwarding *fwd, uint32_t number)
{
	for (uint32_t i = 0; i < fwd->n_ports; i++) {
		if (fwd->ports[i].kind != TN_FWD_NONE && fwd->ports[i].number == number)
			return i;
	}
	return TN_FORWARDING_NONE;
}

struct tn_worker *tn_worker_new(const struct tn_worker_config *config)
{
	struct tn_worker *w = aligned_alloc(64, (sizeof(*w) + 63) & ~(size_t)63);

	if (!w)
		return NULL;
	memset(w, 0, sizeof(*w));
	w->config = *config;
	w->mask_gen = 1;
	w->stats = calloc(TN_WORKER_PORTS_MAX, sizeof(*w->stats));
	w->tx = calloc(TN_WORKER_PORTS_MAX, sizeof(*w->tx));
	w->ingress = calloc(TN_WORKER_PORTS_MAX, sizeof(*w->ingress));
	w->processor = malloc(sizeof(*w->processor));
	w->programs = tn_program_cache_new();
	if (!w->stats || !w->tx || !w->ingress || !w->processor || !w->programs ||
		tn_sessions_init(&w->sessions, config->sessions ? config->sessions : 1,
			config->seed, release_session, w)) {
		tn_worker_free(w);
		return NULL;
	}
	return w;
}

void tn_worker_free(struct tn_worker *w)
{
	if (!w)
		return;
	if (w->programs) {
		tn_sessions_fini(&w->sessions);
		tn_program_cache_sweep(
			w->programs, UINT32_MAX, w->config.events.report, w->config.events.ctx);
	}
	tn_program_cache_free(w->programs);
	free(w->processor);
	free(w->ingress);
	free(w->tx);
	free(w->stats);
	free(w);
}

void tn_worker_sweep(struct tn_worker *w, uint32_t budget)
{
	uint32_t buckets = w->sessions.bucket_mask + 1;

	for (uint32_t i = 0; i < budget && i < buckets; i++)
		tn_sessions_visit(&w->sessions, w->swept++, flush_session);
	tn_program_cache_sweep(w->programs, budget, w->config.events.report, w->config.events.ctx);
}

const struct tn_worker_port_stats *tn_worker_port_stats(const struct tn_worker *w, unsigned index)
{
	return &w->stats[index];
}

void tn_worker_stats(const struct tn_worker *w, struct tn_worker_stats *stats)
{
	*stats = (struct tn_worker_stats){
		.hits = w->hits,
		.misses = w->misses,
		.stale = w->stale,
		.uncached = w->uncached,
		.evicted = w->sessions.evicted,
		.copies = w->copies,
		.sessions = w->sessions.used,
		.programs = tn_program_cache_count(w->programs),
		.session_bytes = w->sessions.memory_bytes / w->sessions.capacity,
	};
}
