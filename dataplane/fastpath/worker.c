/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/worker.h"

#include <stdlib.h>

#include "dataplane/core/wire.h"
#include "dataplane/fastpath/encap.h"
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
		/* A queue holds packets of all networks. */
		tn_network_drops_add(
			w->network_drops, TN_DROPS_NO_NETWORK, TN_DROP_TX_FULL, q->n - sent);
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

static inline bool can_encap(const struct tn_fast_program *prog, uint64_t extent, uint32_t overhead)
{
	return (uint32_t)(extent >> 32) - overhead <= UINT16_MAX - overhead &&
		(uint32_t)extent <= prog->max_frame;
}

/*
 * The way out that packets in a row take: an uplink's queue and the tunnel they go into, or a plain
 * port's queue. What they have in common is looked up when they turn to it and counted when they
 * leave it, which they do before anything else looks at the queue.
 */
struct way {
	uint32_t ports;	  /* of the programs that go this way; NO_PORTS: none */
	uint8_t overhead; /* theirs, too */
	struct tn_wk_tx *q;
	struct tn_packet *out; /* the next frame's place in the queue */
	uint64_t bytes;	       /* without what a tunnel adds */
};

#define NO_PORTS UINT32_MAX /* no port has the index 65535 */

static __attribute__((noinline)) void leave(struct tn_worker *w, struct way *way)
{
	unsigned out = way->ports & 0xffff, tunnel = way->ports >> 16, n;

	if (way->ports == NO_PORTS)
		return;
	n = (unsigned)(way->out - &way->q->packets[way->q->n]);
	way->q->n += n;
	w->stats[out].tx_bytes += way->bytes;
	if (tunnel != TN_FAST_NO_TUNNEL) {
		w->stats[out].tx_bytes += n * way->overhead;
		w->stats[tunnel].tx_packets += n;
		w->stats[tunnel].tx_bytes += way->bytes;
	}
	way->ports = NO_PORTS;
}

/* n packets at most will go it. */
static __attribute__((noinline)) void turn_to(
	struct tn_worker *w, struct way *way, const struct tn_fast_program *prog, unsigned n)
{
	leave(w, way);
	way->q = tn_wk_tx_reserve(w, prog->out, n);
	way->out = &way->q->packets[way->q->n];
	way->bytes = 0;
	way->ports = prog->ports;
	way->overhead = prog->overhead;
}

/* What the frames of one unfinished packet have in common. */
struct encap_frames {
	const struct tn_fast_program *prog;
	uint32_t entropy;
	uint8_t tos;
};

static void encap_finished(struct tn_worker *w, void *ctx, struct tn_packet *p)
{
	const struct encap_frames *f = ctx;
	struct way way = {.ports = NO_PORTS};
	enum tn_drop reason = tn_encap_refuses(w->fwd, f->prog, f->prog->out, f->prog->tunnel, p);

	if (reason) {
		tn_wk_drop(w, reason, p);
		return;
	}
	turn_to(w, &way, f->prog, 1);
	tn_encap_put(
		f->prog, p, way.out++, tn_encap_extent(p), f->prog->overhead, f->tos, f->entropy);
	way.bytes = p->len;
	leave(w, &way);
}

/* Packet i of the burst, which cannot go out as it is. */
static void encap_other(
	struct tn_worker *w, const struct tn_fast_program *prog, struct tn_packet *p, unsigned i)
{
	struct encap_frames frames = {.prog = prog};
	bool common = !(w->uncommon >> i & 1);

	frames.entropy = common ? tn_encap_entropy(p->data) : w->rare[i].entropy;
	frames.tos = common ? p->data[15] : w->rare[i].tos;
	if (p->offload)
		tn_wk_finish(w, p, encap_finished, &frames);
	else
		encap_finished(w, &frames, p);
}

/* Packet i of a run, which cannot go out as it is; up to n more may go the way after it. */
static __attribute__((noinline)) void act_other(struct tn_worker *w, struct way *way,
	const struct tn_wk_run *run, struct tn_packet *p, unsigned i, unsigned n)
{
	struct tn_fast_program *prog = run->program;

	leave(w, way);
	tn_wk_of_run(w, run);
	if (!tn_wk_run_longer(w, prog, run->in, p)) {
		if (prog->overhead)
			encap_other(w, prog, p, i);
		else if (p->offload)
			tn_wk_transmit_unfinished(w, prog->out, p);
		else if (tn_frame_fits(p->data, p->len, w->fwd->ports[prog->out].max_frame))
			tn_wk_transmit(w, prog->out, p);
		else
			tn_wk_drop(w, TN_DROP_MTU, p);
	}
	turn_to(w, way, prog, n);
}

/* The runs of a burst that are acted on together; the burst's packets end at n. */
struct todo {
	const struct tn_wk_run *run, *end;
	struct tn_packet *p;
	unsigned n;
};

static inline bool next_goes(const struct todo *t, const struct way *way)
{
	return t->run < t->end && t->run->program->ports == way->ports &&
		t->run->program->overhead == way->overhead;
}

/* The runs that go this way; overhead is a constant where it is used. */
static inline __attribute__((always_inline)) void act_encap(
	struct tn_worker *w, struct way *way, struct todo *t, uint32_t overhead)
{
	struct tn_packet *out = way->out, *p = t->p;
	uint64_t bytes = 0;

	do {
		const struct tn_fast_program *prog = t->run->program;
		unsigned i = t->run->first, end = i + t->run->n;

		do {
			const uint8_t *d = p[i].data;
			uint64_t extent = tn_encap_extent(&p[i]);

			if (tn_unlikely(!can_encap(prog, extent, overhead))) {
				way->out = out;
				act_other(w, way, t->run, &p[i], i, t->n - i - 1);
				out = way->out;
				continue;
			}
			if (tn_likely(!(w->uncommon >> i & 1)))
				tn_encap_put(prog, &p[i], out, extent, overhead, d[15],
					tn_encap_entropy(d));
			else
				tn_encap_put(prog, &p[i], out, extent, overhead, w->rare[i].tos,
					w->rare[i].entropy);
			out++;
			bytes += (uint32_t)extent;
		} while (++i < end);
		t->run++;
	} while (next_goes(t, way));
	way->out = out;
	way->bytes += bytes;
}

static __attribute__((noinline)) void act_encap_ip4(
	struct tn_worker *w, struct way *way, struct todo *t)
{
	act_encap(w, way, t, TN_VXLAN_OVERHEAD_IP4);
}

static __attribute__((noinline)) void act_encap_ip6(
	struct tn_worker *w, struct way *way, struct todo *t)
{
	act_encap(w, way, t, TN_VXLAN_OVERHEAD_IP6);
}

/* The same without a tunnel. */
static __attribute__((noinline)) void act_output(
	struct tn_worker *w, struct way *way, struct todo *t)
{
	struct tn_packet *out = way->out, *p = t->p;
	uint64_t bytes = 0;

	do {
		const struct tn_fast_program *prog = t->run->program;
		unsigned i = t->run->first, end = i + t->run->n;

		do {
			if (tn_unlikely(p[i].len > prog->max_frame || p[i].offload)) {
				way->out = out;
				act_other(w, way, t->run, &p[i], i, t->n - i - 1);
				out = way->out;
				continue;
			}
			bytes += p[i].len;
			*out++ = p[i];
		} while (++i < end);
		t->run++;
	} while (next_goes(t, way));
	way->out = out;
	way->bytes += bytes;
}

/* Does what is to be done, in the order of arrival. */
static void act(struct tn_worker *w, struct todo t)
{
	struct way way = {.ports = NO_PORTS};

	while (t.run < t.end) {
		const struct tn_wk_run *run = t.run;
		const struct tn_fast_program *prog = run->program;

		switch ((enum tn_fast_kind)prog->kind) {
		case TN_FAST_ENCAP:
			turn_to(w, &way, prog, t.n - run->first);
			act_encap_ip4(w, &way, &t);
			break;
		case TN_FAST_ENCAP6:
			turn_to(w, &way, prog, t.n - run->first);
			act_encap_ip6(w, &way, &t);
			break;
		case TN_FAST_OUTPUT:
			turn_to(w, &way, prog, t.n - run->first);
			act_output(w, &way, &t);
			break;
		case TN_FAST_DROP:
			tn_wk_of_run(w, run);
			tn_wk_count_drop(w, (enum tn_drop)prog->drop, run->n);
			tn_wk_free(w, &t.p[run->first], run->n);
			t.run++;
			break;
		case TN_FAST_SLOW:
			leave(w, &way);
			for (unsigned i = run->first; i < (unsigned)run->first + run->n; i++)
				tn_wk_run_slow(w, prog, run->in, &t.p[i]);
			t.run++;
			break;
		}
	}
	leave(w, &way);
}

/* --- bursts ----------------------------------------------------------------------------------- */

/* Stage two: the entries that the tags point at. */
static void fetch_entries(struct tn_worker *w, struct tn_session *guess[TN_BURST])
{
	for (unsigned r = 0; r < w->n_runs; r++) {
		const struct tn_wk_run *run = &w->runs[r];
		const struct tn_session_bucket *b =
			&w->sessions.buckets[tn_session_bucket_of(&w->sessions, run->hash)];
		uint32_t hits = tn_bucket_match(b, tn_session_tag(run->hash));
		uint32_t index;

		guess[r] = NULL;
		if (tn_unlikely(!hits))
			continue;
		index = b->index[(unsigned)__builtin_ctz(hits) / 2];
		guess[r] = &w->sessions.entries[index];
		__builtin_prefetch(guess[r]);
		if (tn_unlikely(run->has_ip6))
			__builtin_prefetch(&w->sessions.more[index]);
	}
}

static inline bool is_of(
	const struct tn_worker *w, const struct tn_session *s, const struct tn_wk_run *run)
{
	return tn_session_key_equal(&s->key, &run->key) &&
		(tn_likely(!run->has_ip6) ||
			tn_session_ip6_equal(
				&tn_session_more(&w->sessions, s)->ip6, &w->ip6[run->first]));
}

/* Its line is written rarely. */
static inline void touch(struct tn_session *s, uint32_t clock)
{
	if (tn_unlikely(s->used != clock))
		s->used = clock;
}

/* Stage three: is it the one? If so, its program is fetched. */
static void verify_entries(struct tn_worker *w, struct tn_session *guess[TN_BURST])
{
	for (unsigned r = 0; r < w->n_runs; r++) {
		struct tn_wk_run *run = &w->runs[r];
		struct tn_session *s = guess[r];

		run->program = NULL;
		if (tn_unlikely(!s || run->uncached || !is_of(w, s, run)))
			continue;
		if (tn_unlikely(s->valid != w->valid && !tn_wk_session_valid(w, s)))
			continue;
		touch(s, w->clock);
		run->program = s->program;
		__builtin_prefetch(run->program);
		__builtin_prefetch(run->program->template);
	}
}

/* A run that has its program. */
static inline void hit(struct tn_worker *w, const struct tn_wk_run *run)
{
	w->hits += run->n;
	tn_wk_count_program(w, run->program, run->n, run->bytes);
}

/* Its session as it is now; NULL: there is none, or *stale, whose decision does not hold. */
static struct tn_session *find_usable(
	struct tn_worker *w, const struct tn_wk_run *run, struct tn_session **stale)
{
	struct tn_session *s = run->uncached ? NULL : tn_wk_find(w, run);

	*stale = s;
	if (!s || (s->valid != w->valid && !tn_wk_session_valid(w, s)))
		return NULL;
	touch(s, w->clock);
	return s;
}

/*
 * A program for a run: its session's, or for its only packet what is decided. That may be given
 * back at once: nothing is freed within a burst. False: the packet is gone.
 */
static bool find_program(struct tn_worker *w, struct tn_wk_run *run, struct tn_session *s,
	struct tn_session *stale, struct tn_packet *p)
{
	if (s) {
		run->program = s->program;
		hit(w, run);
		return true;
	}
	w->stale += stale != NULL;
	w->misses++;
	run->program = tn_wk_decide(w, run, stale, &p[run->first], run->first);
	if (!run->program)
		return false;
	tn_wk_release(w, run->program);
	return true;
}

/*
 * A run of several packets whose session was not found: they are decided one after the other until
 * there is one. Stops where a decision made the mask wider; returns the packet after the last that
 * was handled.
 */
static unsigned act_apart(
	struct tn_worker *w, const struct tn_wk_run *run, struct tn_packet *p, unsigned n)
{
	struct tn_wk_run part = *run;
	unsigned end = run->first + run->n;
	uint32_t gen = w->mask_gen;

	for (unsigned next = run->first; next < end && gen == w->mask_gen; next += part.n) {
		struct tn_session *stale, *s;

		if (part.has_ip6)
			w->ip6[next] = w->ip6[run->first];
		part.first = (uint8_t)next;
		s = find_usable(w, &part, &stale);
		part.n = s ? (uint8_t)(end - next) : 1;
		part.bytes = (uint32_t)bytes_of(&p[next], part.n);
		if (find_program(w, &part, s, stale, p))
			act(w, (struct todo){.run = &part, .end = &part + 1, .p = p, .n = n});
	}
	return part.first + part.n;
}

static void tell_hits(struct tn_worker *w, const struct tn_packet *p)
{
	for (unsigned r = 0; r < w->n_runs; r++) {
		const struct tn_wk_run *run = &w->runs[r];
		const struct tn_session *s = run->program ? tn_wk_find(w, run) : NULL;

		if (s)
			tn_wk_tell_hit(w, run, s, &p[run->first]);
	}
}

/*
 * A run that stage three found no program for. Returns the packet after the last that was handled:
 * the run's last, if the mask did not become wider.
 */
static __attribute__((noinline)) unsigned run_missed(
	struct tn_worker *w, struct todo *todo, struct tn_wk_run *run)
{
	unsigned next = run->first + run->n;
	struct tn_session *stale, *s = find_usable(w, run, &stale);

	if ((s || run->n == 1) && find_program(w, run, s, stale, todo->p))
		return next;
	todo->end = run;
	act(w, *todo);
	todo->run = run + 1;
	return run->n == 1 ? next : act_apart(w, run, todo->p, todo->n);
}

/*
 * Stage four: programs for the runs without one, then all are acted on. A miss may evict what stage
 * three found, so after one every session of the burst is looked up again.
 */
static void forward(struct tn_worker *w, struct tn_packet *p, unsigned n)
{
	struct todo todo = {.run = w->runs, .p = p, .n = n};
	uint64_t misses = w->misses;

	if (tn_unlikely(tn_wk_tells(w)))
		tell_hits(w, p);
	for (unsigned r = 0; r < w->n_runs; r++) {
		struct tn_wk_run *run = &w->runs[r];
		uint32_t gen = w->mask_gen;
		unsigned next;

		if (tn_likely(run->program && w->misses == misses)) {
			hit(w, run);
			continue;
		}
		next = run_missed(w, &todo, run);
		if (gen != w->mask_gen)
			tn_wk_receive_again(w, p, next, n);
	}
	todo.end = &w->runs[w->n_runs];
	act(w, todo);
}

static inline void set_version(
	struct tn_worker *w, const struct tn_forwarding *fwd, unsigned port_index, uint64_t now_ns)
{
	if (fwd != w->seen_fwd || fwd->snapshot->version != w->seen_version) {
		tn_wk_note_changes(w, fwd->snapshot, w->seen_version);
		w->seen_fwd = fwd;
		w->seen_version = fwd->snapshot->version;
		w->generation++;
		tn_wk_doubt_sessions(w);
	}
	w->fwd = fwd;
	w->now_ns = now_ns;
	w->clock = tn_session_clock(now_ns);
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
	struct tn_session *guess[TN_BURST];
	enum tn_drop reason;

	set_version(w, fwd, port_index, now_ns);
	w->n_runs = 0;
	w->uncommon = 0;
	w->network = TN_DROPS_NO_NETWORK;
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
		w->ingress[port_index].in.in_port = port->number;
		tn_wk_ingress_key(&w->ingress[port_index]);
		tn_wk_receive(w, packets, 0, n);
	}
	fetch_entries(w, guess);
	verify_entries(w, guess);
	forward(w, packets, n);
	if (tn_unlikely(w->has_new_peer))
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
	w->mask_gen = w->valid = 1;
	w->stats = calloc(TN_WORKER_PORTS_MAX, sizeof(*w->stats));
	w->network_drops = calloc(1, sizeof(*w->network_drops));
	w->tx = calloc(TN_WORKER_PORTS_MAX, sizeof(*w->tx));
	w->ingress = calloc(TN_WORKER_PORTS_MAX, sizeof(*w->ingress));
	w->ends = tn_ends_new();
	w->replies = calloc(TN_WORKER_PORTS_MAX + TN_REPLY_NETWORKS, sizeof(*w->replies));
	w->processor = malloc(sizeof(*w->processor));
	w->programs = tn_program_cache_new();
	w->counts = tn_counts_new(config->events.count, config->events.ctx);
	if (!w->ends || !w->counts || !w->network_drops || !w->stats || !w->tx || !w->ingress ||
		!w->replies || !w->processor || !w->programs ||
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

	if (p->kind == TN_FAST_SLOW) /* what ran was counted and told as it ran */
		return true;
	if (p->learns)
		tn_wk_tell_sources(w, p, true);
	if (!e->count)
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
	tn_ends_free(w->ends);
	free(w->replies);
	free(w->ingress);
	free(w->tx);
	free(w->network_drops);
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

const struct tn_network_drops *tn_worker_network_drops(const struct tn_worker *w)
{
	return w->network_drops;
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
