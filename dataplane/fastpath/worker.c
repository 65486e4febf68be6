/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/worker.h"

#include <stdlib.h>

#include "dataplane/core/wire.h"
#include "dataplane/fastpath/shape.h"
#include "dataplane/fastpath/worker_private.h"
#include "dataplane/pipeline/snapshot.h"

/* --- transmit --------------------------------------------------------------------------------- */

static uint64_t bytes_of(const struct tn_packet *p, unsigned n)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < n; i++)
		bytes += p[i].len;
	return bytes;
}

static void flush_port(struct tn_worker *w, unsigned index)
{
	const struct tn_forwarding_port *fp = &w->fwd->ports[index];
	struct tn_worker_port_stats *stats = &w->stats[index];
	struct tn_wk_tx *q = &w->tx[index];
	unsigned sent = 0;

	if (fp->port && q->n)
		sent = fp->port->ops->tx(fp->port, w->config.tx_queue, q->packets, q->n);
	if (tn_unlikely(sent < q->n)) {
		stats->dropped[TN_DROP_TX_FULL] += q->n - sent;
		stats->tx_bytes -= bytes_of(q->packets + sent, q->n - sent);
		tn_wk_free(w, q->packets + sent, q->n - sent);
	}
	stats->tx_packets += sent;
	q->n = 0;
}

void tn_worker_flush(struct tn_worker *w, const struct tn_forwarding *fwd)
{
	w->fwd = fwd;
	for (unsigned i = 0; i < w->n_pending; i++) {
		flush_port(w, w->pending[i]);
		w->tx[w->pending[i]].pending = false;
	}
	w->n_pending = 0;
}

void tn_wk_tx_full(struct tn_worker *w, unsigned index, unsigned n)
{
	struct tn_wk_tx *q = &w->tx[index];

	if (q->n + n > TN_BURST)
		flush_port(w, index);
	if (!q->pending) {
		q->pending = true;
		w->pending[w->n_pending++] = (uint16_t)index;
	}
}

/* --- hits ------------------------------------------------------------------------------------- */

static inline void store16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline uint32_t entropy_common(const uint8_t *d)
{
	return tn_entropy_ip4(
		tn_load32(d + 26), tn_load32(d + 30), tn_load16(d + 34), tn_load16(d + 36), d[23]);
}

/*
 * Puts the header template before the frame at d + its length and fills in what differs from packet
 * to packet: TOS, two lengths, the IPv4 checksum and the source port. len: of the inner frame.
 */
static inline void encapsulate(const struct tn_fast_program *prog, uint8_t *d, uint32_t len,
	uint8_t inner_tos, uint32_t entropy)
{
	const __m128i *t = (const __m128i *)(const void *)prog->template;
	uint16_t sport = (uint16_t)(TN_VXLAN_SPORT_MIN | (entropy & 0x3fff));
	uint8_t tos = (uint8_t)((inner_tos & prog->tos_mask) | prog->tos);
	uint16_t total = __builtin_bswap16((uint16_t)(len + TN_VXLAN_OVERHEAD_IP4 - TN_ETH_LEN));
	uint32_t sum = prog->ip_sum + total + ((uint32_t)tos << 8);

	_mm_storeu_si128((__m128i *)(void *)d, _mm_loadu_si128(t));
	_mm_storeu_si128((__m128i *)(void *)(d + 16), _mm_loadu_si128(t + 1));
	_mm_storeu_si128((__m128i *)(void *)(d + 32), _mm_loadu_si128(t + 2));
	store16(d + 48, tn_load16(prog->template + 48));
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	d[15] = tos;
	store16(d + 16, total);
	store16(d + 24, (uint16_t)~sum);
	store16(d + 34, __builtin_bswap16(sport));
	store16(d + 38, __builtin_bswap16((uint16_t)(len + TN_VXLAN_OVERHEAD_IP4 - 34)));
}

/*
 * Headroom and offload as one number, so that one compare asks both "is there room?" and "is
 * nothing left to be done?".
 */
TN_BUILD_ASSERT(offsetof(struct tn_packet, headroom) + 2 == offsetof(struct tn_packet, offload),
	"headroom is the low half");

static inline bool can_encap(const struct tn_fast_program *prog, uint32_t room, uint32_t len)
{
	return room - TN_VXLAN_OVERHEAD_IP4 <= UINT16_MAX - TN_VXLAN_OVERHEAD_IP4 &&
		len <= prog->max_frame;
}

/* One that can_encap(), with its headroom and offload; those of out are written so, too. */
static inline void put_encap(const struct tn_fast_program *prog, const struct tn_packet *p,
	struct tn_packet *out, uint32_t room, uint32_t len, uint8_t tos, uint32_t entropy)
{
	uint8_t *d = p->data - TN_VXLAN_OVERHEAD_IP4;

	room -= TN_VXLAN_OVERHEAD_IP4;
	out->buf = p->buf;
	out->data = d;
	out->len = len + TN_VXLAN_OVERHEAD_IP4;
	memcpy(&out->headroom, &room, sizeof(room));
	encapsulate(prog, d, len, tos, entropy);
}

/* What was put into the queue's room up to `out` counts. */
static void close_encap(struct tn_worker *w, const struct tn_fast_program *prog,
	const struct tn_packet *out, uint64_t bytes)
{
	struct tn_wk_tx *q = &w->tx[prog->out];
	unsigned n = (unsigned)(out - &q->packets[q->n]);

	q->n += n;
	w->stats[prog->tunnel].tx_packets += n;
	w->stats[prog->tunnel].tx_bytes += bytes;
	w->stats[prog->out].tx_bytes += bytes + n * TN_VXLAN_OVERHEAD_IP4;
}

/* What the frames of one unfinished packet have in common. */
struct encap_way {
	const struct tn_fast_program *prog;
	uint32_t entropy;
	uint8_t tos;
};

static void encap_finished(struct tn_worker *w, void *ctx, struct tn_packet *p)
{
	const struct encap_way *way = ctx;
	uint32_t room = tn_load32(&p->headroom);
	struct tn_wk_tx *q;

	if (!can_encap(way->prog, room, p->len)) {
		tn_wk_drop(w, p->len > way->prog->max_frame ? TN_DROP_MTU : TN_DROP_NO_HEADROOM, p);
		return;
	}
	q = tn_wk_tx_reserve(w, way->prog->out, 1);
	put_encap(way->prog, p, &q->packets[q->n], room, p->len, way->tos, way->entropy);
	close_encap(w, way->prog, &q->packets[q->n + 1], p->len);
}

/*
 * Packet i of the burst, which cannot go out as it is; more are to come after it, for which there
 * is room where it returns.
 */
static __attribute__((noinline)) struct tn_packet *encap_other(struct tn_worker *w,
	struct tn_fast_program *prog, const struct tn_ingress *in, struct tn_packet *p, unsigned i,
	unsigned more)
{
	struct encap_way way = {.prog = prog};
	bool common = w->common >> i & 1;
	struct tn_wk_tx *q;

	if (tn_wk_run_longer(w, prog, in, p)) {
		q = tn_wk_tx_reserve(w, prog->out, more);
		return &q->packets[q->n];
	}
	way.entropy = common ? entropy_common(p->data) : w->rare[i].entropy;
	way.tos = common ? p->data[15] : w->rare[i].tos;
	if (p->offload)
		tn_wk_finish(w, p, encap_finished, &way);
	else
		encap_finished(w, &way, p);
	q = tn_wk_tx_reserve(w, prog->out, more);
	return &q->packets[q->n];
}

static inline __attribute__((always_inline)) void act_encap(struct tn_worker *w,
	struct tn_fast_program *prog, const struct tn_wk_run *run, struct tn_packet *p,
	unsigned first, unsigned n)
{
	struct tn_wk_tx *q = tn_wk_tx_reserve(w, prog->out, n);
	struct tn_packet *out = &q->packets[q->n];
	uint64_t bytes = 0;

	for (unsigned i = first; i < first + n; i++) {
		const uint8_t *d = p[i].data;
		uint32_t len = p[i].len, room = tn_load32(&p[i].headroom);

		if (tn_unlikely(!can_encap(prog, room, len))) {
			close_encap(w, prog, out, bytes);
			out = encap_other(w, prog, run->in, &p[i], i, first + n - i - 1);
			bytes = 0;
			continue;
		}
		if (tn_likely(w->common >> i & 1))
			put_encap(prog, &p[i], out, room, len, d[15], entropy_common(d));
		else
			put_encap(prog, &p[i], out, room, len, w->rare[i].tos, w->rare[i].entropy);
		out++;
		bytes += len;
	}
	close_encap(w, prog, out, bytes);
}

/* A frame that may not go out as it is; it goes some other way. */
static __attribute__((noinline)) void output_other(struct tn_worker *w,
	struct tn_fast_program *prog, const struct tn_ingress *in, struct tn_packet *p)
{
	if (tn_wk_run_longer(w, prog, in, p))
		return;
	if (p->offload)
		tn_wk_transmit_unfinished(w, prog->out, p);
	else
		tn_wk_drop(w, TN_DROP_MTU, p);
}

static void act_output(struct tn_worker *w, struct tn_fast_program *prog,
	const struct tn_wk_run *run, struct tn_packet *p, unsigned first, unsigned n)
{
	struct tn_wk_tx *q = tn_wk_tx_reserve(w, prog->out, n);
	uint64_t bytes = 0;

	for (unsigned i = first; i < first + n; i++) {
		if (tn_unlikely(p[i].len > prog->max_frame || p[i].offload)) {
			output_other(w, prog, run->in, &p[i]);
			(void)tn_wk_tx_reserve(w, prog->out, first + n - i - 1);
			continue;
		}
		bytes += p[i].len;
		q->packets[q->n++] = p[i];
	}
	w->stats[prog->out].tx_bytes += bytes;
}

/* Does the program with n packets of a run, from `first` on. */
static void act(struct tn_worker *w, struct tn_fast_program *prog, const struct tn_wk_run *run,
	struct tn_packet *p, unsigned first, unsigned n)
{
	switch ((enum tn_fast_kind)prog->kind) {
	case TN_FAST_ENCAP:
		act_encap(w, prog, run, p, first, n);
		break;
	case TN_FAST_OUTPUT:
		act_output(w, prog, run, p, first, n);
		break;
	case TN_FAST_DROP:
		tn_wk_count_drop(w, (enum tn_drop)prog->drop, n);
		tn_wk_free(w, &p[first], n);
		break;
	case TN_FAST_SLOW:
		for (unsigned i = first; i < first + n; i++)
			tn_wk_run_slow(w, prog, run->in, &p[i]);
		break;
	}
}

/* --- bursts ----------------------------------------------------------------------------------- */

/* Stage two: the entries that the tags point at. */
static void fetch_entries(struct tn_worker *w)
{
	for (unsigned r = 0; r < w->n_runs; r++) {
		struct tn_wk_run *run = &w->runs[r];
		const struct tn_session_bucket *b =
			&w->sessions.buckets[run->hash & w->sessions.bucket_mask];
		uint32_t hits = tn_bucket_match(b, tn_session_tag(run->hash));

		run->guess = NULL;
		if (tn_unlikely(!hits))
			continue;
		run->guess = &w->sessions.entries[b->index[(unsigned)__builtin_ctz(hits) / 2]];
		__builtin_prefetch(run->guess);
		__builtin_prefetch(&run->guess->last_used_ns, 1);
	}
}

/* Stage three: is it the one? If so, its program is fetched. */
static void verify_entries(struct tn_worker *w)
{
	for (unsigned r = 0; r < w->n_runs; r++) {
		struct tn_wk_run *run = &w->runs[r];

		if (!run->guess)
			continue;
		if (tn_unlikely(run->has_ip6 || run->uncached ||
			    !tn_session_key_equal(&run->guess->key, &run->key))) {
			run->guess = NULL;
			continue;
		}
		__builtin_prefetch(run->guess->program);
		__builtin_prefetch((const uint8_t *)run->guess->program + 64);
	}
}

static inline bool usable(const struct tn_worker *w, struct tn_session *s)
{
	return s->mask_gen == w->mask_gen &&
		(s->stamp == (uint32_t)w->fwd->snapshot->version || tn_wk_session_valid(w, s));
}

static inline void hit(struct tn_worker *w, struct tn_session *s, const struct tn_wk_run *run,
	struct tn_packet *p, unsigned first, unsigned n, uint64_t bytes)
{
	w->hits += n;
	s->last_used_ns = w->now_ns;
	tn_wk_count_program(w, s->program, n, bytes);
	act(w, s->program, run, p, first, n);
}

/*
 * A run without a usable session: its first packet is decided. The rest goes by the session that
 * came of it, or each is decided for itself. Stops where a decision made the mask wider; returns
 * the packet after the last that was handled.
 */
static unsigned run_missed(
	struct tn_worker *w, struct tn_wk_run *run, struct tn_session *s, struct tn_packet *p)
{
	uint32_t gen = w->mask_gen;

	for (unsigned i = run->first; i < run->first + run->n; i++) {
		struct tn_fast_program *prog;

		if (i > run->first)
			s = run->uncached ? NULL : tn_wk_find(w, run);
		if (s && usable(w, s)) {
			hit(w, s, run, p, i, 1, p[i].len);
			continue;
		}
		w->stale += s != NULL;
		w->misses++;
		prog = tn_wk_decide(w, run, s, &p[i], i);
		if (!prog)
			continue;
		act(w, prog, run, p, i, 1);
		tn_wk_release(w, prog);
		if (gen != w->mask_gen)
			return i + 1;
	}
	return run->first + run->n;
}

/*
 * Stage four: act, in the order of arrival. A miss may evict what stage three found, so after one
 * every session of the burst is looked up again.
 */
static void forward(struct tn_worker *w, struct tn_packet *p, unsigned n)
{
	uint64_t misses = w->misses;

	for (unsigned r = 0; r < w->n_runs; r++) {
		struct tn_wk_run *run = &w->runs[r];
		struct tn_session *s = run->guess;
		uint32_t gen = w->mask_gen;
		unsigned next;

		if (tn_unlikely(!s || w->misses != misses))
			s = run->uncached ? NULL : tn_wk_find(w, run);
		if (tn_likely(s && usable(w, s))) {
			hit(w, s, run, p, run->first, run->n, run->bytes);
			continue;
		}
		next = run_missed(w, run, s, p);
		if (gen != w->mask_gen)
			tn_wk_receive_again(w, p, next, n);
	}
}

static inline void set_version(
	struct tn_worker *w, const struct tn_forwarding *fwd, unsigned port_index, uint64_t now_ns)
{
	if (fwd != w->seen_fwd || fwd->snapshot->version != w->seen_version) {
		w->seen_fwd = fwd;
		w->seen_version = fwd->snapshot->version;
		w->generation++;
	}
	w->fwd = fwd;
	w->now_ns = now_ns;
	w->port_index = port_index;
}

void tn_worker_packet_out(struct tn_worker *w, const struct tn_forwarding *fwd,
	struct tn_packet *packet, uint32_t in_port, const struct tn_action *list, size_t n,
	uint64_t now_ns)
{
	uint32_t index = tn_forwarding_index(fwd, in_port);

	set_version(w, fwd, index == TN_FORWARDING_NONE ? TN_WORKER_CONTROLLER : index, now_ns);
	tn_wk_run_list(w, list, n, in_port, packet);
}

void tn_worker_burst(struct tn_worker *w, const struct tn_forwarding *fwd, unsigned port_index,
	struct tn_packet *packets, unsigned n, uint64_t now_ns)
{
	const struct tn_forwarding_port *port = &fwd->ports[port_index];
	struct tn_worker_port_stats *stats = &w->stats[port_index];
	enum tn_drop reason;

	set_version(w, fwd, port_index, now_ns);
	w->n_runs = 0;
	w->common = 0;
	stats->rx_packets += n;
	stats->rx_bytes += bytes_of(packets, n);
	reason = tn_ingress_refuses(fwd->snapshot, port->number);
	if (tn_unlikely(reason)) {
		tn_wk_count_drop(w, reason, n);
		tn_wk_free(w, packets, n);
		return;
	}
	if (port->underlay) {
		tn_wk_receive_underlay(w, packets, n);
	} else {
		w->ingress[port_index].in_port = port->number;
		tn_wk_receive(w, packets, 0, n);
	}
	fetch_entries(w);
	verify_entries(w);
	forward(w, packets, n);
	if (tn_unlikely(w->new_peer.version))
		tn_wk_keep_peer(w);
}

/* --- life ------------------------------------------------------------------------------------- */

static void release_session(void *ctx, struct tn_session *s)
{
	tn_wk_release(ctx, s->program);
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
	w->replies = calloc(TN_WORKER_PORTS_MAX + TN_REPLY_NETWORKS, sizeof(*w->replies));
	w->processor = malloc(sizeof(*w->processor));
	w->programs = tn_program_cache_new();
	w->counts = tn_counts_new(config->events.count, config->events.ctx);
	if (!w->counts || !w->stats || !w->tx || !w->ingress || !w->replies || !w->processor ||
		!w->programs ||
		tn_sessions_init(&w->sessions, config->sessions ? config->sessions : 1,
			config->seed, release_session, w)) {
		tn_worker_free(w);
		return NULL;
	}
	return w;
}

/* All of a program's counts or, for want of room, none. */
static bool report_program(void *ctx, const struct tn_fast_program *p)
{
	const struct tn_worker *w = ctx;
	const struct tn_worker_events *e = &w->config.events;

	if (p->kind == TN_FAST_SLOW || !e->count) /* SLOW: what ran was counted as it ran */
		return true;
	if (e->count_room && e->count_room(e->ctx) < tn_program_n_counts(p))
		return false;
	for (uint32_t i = 0; i < p->head.n_ops; i++) {
		struct tn_count count;

		if (tn_program_count(p, i, &count))
			(void)e->count(e->ctx, &count);
	}
	return true;
}

void tn_worker_free(struct tn_worker *w)
{
	if (!w)
		return;
	if (w->programs) {
		tn_sessions_fini(&w->sessions);
		tn_program_cache_sweep(w->programs, UINT32_MAX, report_program, w);
	}
	tn_program_cache_free(w->programs);
	tn_counts_free(w->counts);
	free(w->processor);
	free(w->replies);
	free(w->ingress);
	free(w->tx);
	free(w->stats);
	free(w);
}

bool tn_worker_sweep(struct tn_worker *w, uint32_t budget)
{
	bool programs = tn_program_cache_sweep(w->programs, budget, report_program, w);

	return tn_counts_sweep(w->counts, budget) && programs;
}

void tn_worker_sweep_begin(struct tn_worker *w)
{
	tn_program_cache_sweep_begin(w->programs);
	tn_counts_sweep_begin(w->counts);
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
		.segments = w->segments,
		.sessions = w->sessions.used,
		.programs = tn_program_cache_count(w->programs),
		.session_bytes = w->sessions.memory_bytes / w->sessions.capacity,
	};
}
