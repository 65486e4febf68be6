/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/worker_private.h"

#include "dataplane/fastpath/compile.h"
#include "dataplane/fastpath/shape.h"
#include "dataplane/pipeline/snapshot.h"

/* Decisions read more than session keys hold so far: from here on they hold it. */
static void widen_mask(struct tn_worker *w)
{
	uint64_t *mine = tn_key_words(&w->flow_mask);
	const uint64_t *read = tn_key_cwords(&w->read.mask);
	bool knew;

	if (tn_likely(!tn_key_beyond(read, mine)))
		return;
	for (size_t i = 0; i < TN_KEY_WORDS; i++)
		mine[i] |= read[i];
	knew = w->rest_tunnel;
	tn_session_mask(&w->flow_mask, &w->mask, &w->mask_ip6, &w->rest);
	w->rest_phy = w->rest.in_phy_port.raw != 0;
	w->rest_tunnel = tn_u128_from_ip6(&w->rest.tun_src) || tn_u128_from_ip6(&w->rest.tun_dst);
	w->rest.tun_src = w->rest.tun_dst = tn_u128_to_ip6(0); /* their number stands for them */
	/* Peers were remembered without their number as long as nobody asked for it. */
	if (w->rest_tunnel && !knew) {
		w->has_new_peer = false;
		for (unsigned i = 0; i < TN_WK_PEERS; i++)
			w->peers[i].version = w->peers[i].version6 = 0;
	}
	w->mask_gen++;
	tn_wk_doubt_sessions(w);
}

#define ENTROPY_FIELDS                                                                \
	(UINT64_C(1) << TN_FIELD_ETH_SRC | UINT64_C(1) << TN_FIELD_ETH_DST |          \
		UINT64_C(1) << TN_FIELD_ETH_TYPE | UINT64_C(1) << TN_FIELD_IP_PROTO | \
		UINT64_C(1) << TN_FIELD_IP_FRAG | UINT64_C(1) << TN_FIELD_IPV4_SRC |  \
		UINT64_C(1) << TN_FIELD_IPV4_DST | UINT64_C(1) << TN_FIELD_IPV6_SRC | \
		UINT64_C(1) << TN_FIELD_IPV6_DST | UINT64_C(1) << TN_FIELD_UDP_SRC |  \
		UINT64_C(1) << TN_FIELD_UDP_DST)

/* What tn_key_entropy() reads decided which next hop it is: a session for each flow. */
static void read_entropy(struct tn_worker *w)
{
	for (uint64_t left = ENTROPY_FIELDS; left; left &= left - 1) {
		enum tn_field_id id = (enum tn_field_id)__builtin_ctzll(left);

		tn_field_set(&w->read.mask, id, tn_field_ones(id));
	}
}

/* Looked at once a commit and session: the answer moves the stamp. */
bool tn_wk_session_valid(const struct tn_worker *w, struct tn_session *s)
{
	const struct tn_snapshot *snapshot = w->fwd->snapshot;
	struct tn_session_more *more = tn_session_more(&w->sessions, s);
	uint64_t raised = 0;

	if (more->mask_gen != w->mask_gen)
		return false;
	for (uint64_t left = more->classes; left; left &= left - 1) {
		unsigned class = (unsigned)__builtin_ctzll(left);

		/* versions wrap: compare by difference */
		if ((int32_t)(snapshot->epoch[class] - more->stamp) > 0)
			raised |= UINT64_C(1) << class;
	}
	if (raised & ~more->by_key || (raised && tn_wk_changes_concern(w, s, raised, more->stamp)))
		return false;
	more->stamp = (uint32_t)snapshot->version;
	s->valid = w->valid;
	return true;
}

#define TABLE_CLASSES ((UINT64_C(1) << TN_EPOCH_NETWORKS) - 1)

static uint64_t table_classes(const uint64_t tables[4])
{
	uint64_t classes = 0;

	for (unsigned word = 0; word < 4; word++) {
		for (uint64_t left = tables[word]; left; left &= left - 1)
			classes |= UINT64_C(1)
				<< tn_epoch_class(word * 64 + (unsigned)__builtin_ctzll(left));
	}
	return classes;
}

/* What a decision depends on. */
static uint64_t epoch_classes(const struct tn_read_set *read)
{
	return table_classes(read->tables) | UINT64_C(1) << TN_EPOCH_SHARED |
		(uint64_t)read->networks << TN_EPOCH_NETWORKS;
}

void tn_wk_release(struct tn_worker *w, struct tn_fast_program *prog)
{
	tn_program_cache_put(w->programs, prog);
}

/* What was told in vain is not told again so soon: 67 ms. */
#define TELL_CLOCKS 64u

static void remember(struct tn_worker *w, const struct tn_wk_run *run, struct tn_session *s,
	struct tn_fast_program *prog)
{
	struct tn_session_more *more;

	if (s) {
		tn_wk_release(w, s->program);
	} else {
		s = tn_sessions_insert(&w->sessions, &run->key,
			run->has_ip6 ? &w->ip6[run->first] : NULL, run->hash);
	}
	prog->refs++;
	s->program = prog;
	s->valid = w->valid;
	s->used = tn_session_clock(w->now_ns);
	more = tn_session_more(&w->sessions, s);
	more->stamp = (uint32_t)w->fwd->snapshot->version;
	more->mask_gen = w->mask_gen;
	more->told = w->clock - TELL_CLOCKS;
	more->classes = epoch_classes(&w->read);
	more->by_key = more->classes & TABLE_CLASSES & ~table_classes(w->read.altered);
}

/* Key and hash anew, after the mask became wider. */
static void rekey(struct tn_worker *w, struct tn_wk_run *run, const struct tn_key *key)
{
	run->uncached =
		!tn_session_key_from(key, &w->rest, &run->key, &w->ip6[run->first], &run->has_ip6);
	run->has_ip6 &= w->mask_ip6;
	run->uncached |= tn_wk_unkeyed(w, run->in);
	run->key.kind = tn_wk_kind(run->in, run->has_ip6);
	tn_wk_mask_key(w, &run->key);
	tn_wk_hash_run(w, run);
}

/* For ports whose packets somebody else may handle from now on. false: nobody else does. */
static bool tell(const struct tn_worker *w, const struct tn_decision *decision)
{
	const struct tn_worker_events *e = &w->config.events;

	return e->decided(e->ctx, w->port_index, decision);
}

/* s is valid. That packets come here at all says that nobody else has a session for them. */
void tn_wk_tell_hit(struct tn_worker *w, const struct tn_wk_run *run, const struct tn_session *s,
	const struct tn_packet *p)
{
	struct tn_session_more *more = tn_session_more(&w->sessions, s);
	const struct tn_fast_program *program = s->program;
	struct tn_key key;

	if (w->clock - more->told < TELL_CLOCKS)
		return;
	if (!tn_wk_packet_key(w, p, run->first, run->in, &key))
		return;
	/* What this one read is not kept: it was no more than everything that any one reads. */
	w->read = (struct tn_read_set){.mask = w->flow_mask};
	if (!tell(w,
		    &(struct tn_decision){
			    .key = &key,
			    .program = tn_fast_program_ops(program),
			    .read = &w->read,
			    .classes = more->classes,
			    .version = (uint32_t)w->fwd->snapshot->version,
		    }))
		more->told = w->clock;
}

struct compiler {
	const struct tn_forwarding *fwd;
	const struct tn_key *key;
};

static void compile(void *ctx, const struct tn_program *program, struct tn_fast_program *shape)
{
	const struct compiler *c = ctx;

	tn_compile(c->fwd, program, tn_key_entropy(c->key), shape);
}

struct tn_fast_program *tn_wk_decide(struct tn_worker *w, struct tn_wk_run *run,
	struct tn_session *s, struct tn_packet *p, unsigned i)
{
	struct tn_fast_program *prog;
	struct tn_program *program = &w->processor->program;
	uint32_t gen = w->mask_gen;
	struct tn_key key;
	struct compiler compiler = {.fwd = w->fwd, .key = &key};

	if (!tn_wk_packet_key(w, p, i, run->in, &key)) {
		w->network = tn_network_at(NULL, run->in->tunnel_id);
		tn_wk_drop(w, TN_DROP_RUNT, p);
		return NULL;
	}
	tn_decide(w->fwd->snapshot, &key, w->now_ns, NULL, program, &w->read, NULL);
	tn_program_without_counters(program, 0);
	prog = tn_program_cache_get(w->programs, program, w->generation, compile, &compiler);
	if (!prog) {
		w->network = tn_network_at(NULL, run->in->tunnel_id);
		tn_wk_drop(w, TN_DROP_NO_BUFFER, p);
		return NULL;
	}
	if (prog->learns)
		tn_wk_tell_sources(w, prog, false);
	tn_wk_count_program(w, prog, 1, p->len);
	if (!w->config.sessions) {
		w->uncached++;
		return prog;
	}
	if (tn_unlikely(prog->by_entropy))
		read_entropy(w);
	widen_mask(w);
	if (gen != w->mask_gen) {
		rekey(w, run, &key);
		s = run->uncached ? NULL : tn_wk_find(w, run);
	}
	if (run->uncached)
		w->uncached++;
	else
		remember(w, run, s, prog);
	if (tn_unlikely(tn_wk_tells(w)))
		(void)tell(w,
			&(struct tn_decision){
				.key = &key,
				.program = program,
				.read = &w->read,
				.classes = epoch_classes(&w->read),
				.version = (uint32_t)w->fwd->snapshot->version,
			});
	return prog;
}
