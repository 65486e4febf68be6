/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "dataplane/agent/compact.h"
#include "dataplane/agent/restore.h"

#define TICK_NS	      UINT64_C(200000000)
#define JOURNAL_BYTES (16u << 20)

struct tn_keeper {
	struct tn_agent *agent;
	struct tn_keeper_config config;
	struct tn_disk *disk;
	struct tn_journal *journal; /* NULL: there is none, see failure */
	struct tn_compaction *compaction;
	int timer;
	bool recovered;
	bool may_evict; /* a table may evict flows */
	char failure[256];
	/* The draft: where this change begins in it. */
	size_t draft_at, draft_lost;
	uint64_t now_ns;
	bool holding;
	uint64_t sequence;
	/* Flows that went by themselves and are not in a sealed record yet. */
	uint64_t *lost;
	size_t n_lost, lost_size, n_drafted; /* drafted: those in the draft */
	/* For making the journal short. */
	uint64_t snapshot_bytes, closed_bytes, limit;
	/* For marks. */
	uint64_t tick_sequence, marked;
};

static void __attribute__((format(printf, 2, 3))) fail(struct tn_keeper *k, const char *fmt, ...)
{
	va_list ap;

	if (*k->failure)
		return;
	va_start(ap, fmt);
	vsnprintf(k->failure, sizeof(k->failure), fmt, ap);
	va_end(ap);
	tn_agent_say("THE STATE IS NOT KEPT ANY MORE: %s. Forwarding goes on, changes are refused; "
		     "see to the disk of %s and restart",
		k->failure, k->config.state_dir);
}

/* --- flows that go by themselves -------------------------------------------------------------- */

static void on_lost(void *ctx, uint64_t flow_id)
{
	struct tn_keeper *k = ctx;
	size_t size = k->lost_size ? k->lost_size * 2 : 256;

	if (*k->failure)
		return;
	if (k->n_lost == k->lost_size) {
		uint64_t *lost = reallocarray(k->lost, size, sizeof(*lost));

		if (!lost) {
			fail(k, "no memory to note flows that timed out");
			return;
		}
		k->lost = lost;
		k->lost_size = size;
	}
	k->lost[k->n_lost++] = flow_id;
}

static int draft_lost(struct tn_keeper *k, struct tn_api_buffer *draft)
{
	int rc = tn_state_put_lost(
		draft, k->lost + k->n_drafted, k->n_lost - k->n_drafted, k->now_ns);

	if (!rc)
		k->n_drafted = k->n_lost;
	return rc;
}

static void add_overfull(void *ctx, const struct tn_table_info *t)
{
	uint64_t *flows = ctx;

	if (t->config.eviction && t->active > t->config.max_entries)
		*flows += t->active - t->config.max_entries;
}

/* Bytes for the flows that a change may evict, at most. */
static uint64_t room_for_evicted(const struct tn_keeper *k, const struct tn_api_message *change)
{
	uint64_t flows = change->bundle.n_mods;

	if (change->type != TN_API_BUNDLE || !k->may_evict)
		return 0;
	tn_switch_tables(k->agent->sw, add_overfull, &flows);
	return (flows + 1) * sizeof(uint64_t) +
		(flows / 65536 + 1) * sizeof(struct tn_record_header);
}

static void note_eviction(void *ctx, const struct tn_table_info *t)
{
	*(bool *)ctx |= t->config.eviction;
}

/* --- keeping ---------------------------------------------------------------------------------- */

static int refuse(const struct tn_keeper *k, struct tn_error *err)
{
	tn_error_set(err, TN_OFPBRC_EPERM, -1,
		"nothing was changed, because it could not be kept: %.150s; see to the disk and "
		"restart the data plane",
		k->failure);
	return -EIO;
}

int tn_keeper_draft(struct tn_keeper *k, const struct tn_api_message *change, uint64_t now_ns,
	struct tn_error *err)
{
	struct tn_api_buffer *draft;
	size_t start;
	int rc;

	if (*k->failure)
		return refuse(k, err);
	draft = tn_journal_draft(k->journal, &start);
	k->draft_at = draft->len;
	k->draft_lost = k->n_drafted;
	k->now_ns = now_ns;
	if (change->type == TN_API_TABLE_CONFIGURE && change->table_configure.config.eviction)
		k->may_evict = true;
	rc = draft_lost(k, draft);
	if (rc)
		tn_error_set(err, TN_OFPBRC_EPERM, -1,
			"out of memory: nothing was changed; free memory and try again");
	else
		rc = tn_state_put_change(draft, change, now_ns, err);
	if (!rc)
		rc = tn_journal_reserve(k->journal, room_for_evicted(k, change), err);
	if (rc)
		tn_keeper_drop(k);
	return rc;
}

void tn_keeper_drop(struct tn_keeper *k)
{
	size_t start;

	tn_journal_draft(k->journal, &start)->len = k->draft_at;
	k->n_drafted = k->draft_lost;
}

static void seal(struct tn_keeper *k)
{
	size_t start, len = tn_journal_draft(k->journal, &start)->len;

	if (len > start)
		k->sequence = tn_journal_seal(k->journal);
	k->n_lost = k->n_drafted = 0;
}

void tn_keeper_keep(struct tn_keeper *k)
{
	size_t start;

	/* What the change evicted. */
	if (k->n_lost > k->n_drafted && draft_lost(k, tn_journal_draft(k->journal, &start)))
		fail(k, "no memory to note flows that were evicted");
	k->sequence = UINT64_MAX;
	if (!k->holding && !*k->failure)
		seal(k);
}

void tn_keeper_hold(struct tn_keeper *k)
{
	k->holding = true;
}

void tn_keeper_release(struct tn_keeper *k)
{
	k->holding = false;
	if (!*k->failure)
		seal(k);
}

void tn_keeper_flush(struct tn_keeper *k)
{
	if (k->journal)
		tn_journal_flush(k->journal);
}

uint64_t tn_keeper_sequence(const struct tn_keeper *k)
{
	return k->sequence;
}

uint64_t tn_keeper_durable(const struct tn_keeper *k)
{
	return k->journal ? tn_journal_durable(k->journal) : 0;
}

void tn_keeper_wait(struct tn_keeper *k)
{
	if (k->journal)
		(void)tn_journal_wait_durable(k->journal, tn_journal_sequence(k->journal), NULL);
}

bool tn_keeper_recovered(const struct tn_keeper *k)
{
	return k->recovered;
}

const char *tn_keeper_failure(const struct tn_keeper *k)
{
	return *k->failure ? k->failure : NULL;
}

/* --- from the loop ---------------------------------------------------------------------------- */

static void on_durable(void *ctx, uint32_t events)
{
	struct tn_keeper *k = ctx;
	int rc;

	(void)events;
	tn_journal_ack(k->journal);
	rc = tn_journal_failure(k->journal);
	if (rc)
		fail(k, "the journal in %.150s cannot be written: %s", k->config.state_dir,
			strerror(-rc));
	k->config.moved(k->config.ctx);
}

static void stop_compaction(struct tn_keeper *k)
{
	if (!k->compaction)
		return;
	tn_loop_remove(k->agent->loop, tn_compaction_fd(k->compaction));
	tn_compaction_free(k->compaction);
	k->compaction = NULL;
}

static void set_limit(struct tn_keeper *k)
{
	uint64_t least = k->config.journal_bytes ? k->config.journal_bytes : JOURNAL_BYTES;

	k->limit = 2 * k->snapshot_bytes > least ? 2 * k->snapshot_bytes : least;
}

static void on_compaction(void *ctx, uint32_t events)
{
	struct tn_keeper *k = ctx;
	uint64_t generation = tn_journal_generation(k->journal);
	uint64_t bytes = tn_journal_bytes(k->journal);
	struct tn_error err;

	(void)events;
	switch (tn_compaction_step(k->compaction, tn_agent_now(k->agent), &err)) {
	case TN_COMPACTION_DONE:
		k->snapshot_bytes = tn_compaction_bytes(k->compaction);
		k->closed_bytes = 0;
		set_limit(k);
		stop_compaction(k);
		break;
	case TN_COMPACTION_FAILED:
		tn_agent_say("the journal stays long: %s", err.detail);
		set_limit(k);
		k->limit += k->closed_bytes + tn_journal_bytes(k->journal);
		stop_compaction(k);
		break;
	case TN_COMPACTION_BUSY:
		if (tn_journal_generation(k->journal) != generation)
			k->closed_bytes += bytes;
		break;
	}
}

static void compact_if_long(struct tn_keeper *k)
{
	if (k->compaction || *k->failure || k->holding ||
		k->closed_bytes + tn_journal_bytes(k->journal) <= k->limit)
		return;
	k->compaction = tn_compaction_start(k->disk, k->journal, tn_switch_dpid(k->agent->sw));
	if (k->compaction &&
		tn_loop_add(k->agent->loop, tn_compaction_fd(k->compaction), EPOLLIN, on_compaction,
			k)) {
		tn_compaction_free(k->compaction);
		k->compaction = NULL;
	}
}

/*
 * Flows that went meanwhile, not acknowledged to anyone. Without room they wait: the next change
 * takes them along, or is refused.
 */
static void note_lost(struct tn_keeper *k)
{
	struct tn_api_buffer *draft;
	struct tn_error err;

	if (!k->n_lost || k->holding)
		return;
	draft = tn_journal_draft(k->journal, &k->draft_at);
	k->now_ns = tn_agent_now(k->agent);
	k->draft_lost = 0;
	if (draft_lost(k, draft) || tn_journal_reserve(k->journal, 0, &err))
		tn_keeper_drop(k);
	else
		seal(k);
}

/* That the last records were on the disk is known only by a record behind them. */
static void mark(struct tn_keeper *k)
{
	struct tn_api_buffer *draft;
	struct tn_error err;
	size_t at;

	if (k->holding || tn_keeper_durable(k) != tn_journal_sequence(k->journal) ||
		tn_journal_sequence(k->journal) == k->marked)
		return;
	draft = tn_journal_draft(k->journal, &k->draft_at);
	k->draft_lost = 0;
	if (tn_record_begin(draft, TN_RECORD_MARK, tn_agent_now(k->agent), &at) ||
		tn_record_end(draft, at) || tn_journal_reserve(k->journal, 0, &err)) {
		tn_keeper_drop(k);
		return;
	}
	k->marked = tn_journal_seal(k->journal);
}

static void on_tick(void *ctx, uint32_t events)
{
	struct tn_keeper *k = ctx;
	bool idle;
	uint64_t times;

	(void)events;
	(void)!read(k->timer, &times, sizeof(times));
	if (!*k->failure) {
		note_lost(k);
		idle = tn_journal_sequence(k->journal) == k->tick_sequence;
		if (idle)
			mark(k);
		tn_journal_flush(k->journal);
		k->tick_sequence = tn_journal_sequence(k->journal);
		compact_if_long(k);
	}
	k->config.moved(k->config.ctx);
}

/* --- the folder at the start ------------------------------------------------------------------ */

static void say_damage(void *ctx, const char *sentence)
{
	(void)ctx;
	tn_agent_say("%s", sentence);
}

/* What was recovered as a new beginning; the bad files are put aside then. */
static int begin_anew(struct tn_keeper *k, const struct tn_state *s, const struct tn_recovery *r,
	struct tn_journal_place *place, struct tn_error *err)
{
	struct tn_state_header header;
	int rc = 0;

	place->generation = r->newest + 1;
	place->end = 0;
	tn_state_header_init(&header, TN_STATE_SNAPSHOT, place->generation, r->sequence,
		place->dpid, place->time_ns);
	if (r->newest)
		rc = tn_snapshot_save(k->disk, s, &header, NULL, &k->snapshot_bytes, err);
	if (rc)
		return rc;
	k->journal = tn_journal_open(k->disk, place, err);
	if (!k->journal)
		return -EIO;
	rc = tn_recovery_set_aside(k->disk, r);
	if (rc)
		return tn_error_set(err, TN_OFPBRC_EPERM, -1,
			"%.150s: bad files cannot be renamed: %s", k->config.state_dir,
			strerror(-rc));
	if (!r->found)
		tn_state_remove_before(k->disk, place->generation);
	if (r->n_bad)
		tn_agent_say("%s: %zu bad file%s kept with names that end in .damaged",
			k->config.state_dir, r->n_bad, r->n_bad > 1 ? "s are" : " is");
	return 0;
}

static int open_journal(struct tn_keeper *k, const struct tn_state *s, const struct tn_recovery *r,
	struct tn_error *err)
{
	struct tn_journal_place place = {
		.generation = r->journal,
		.end = r->end,
		.sequence = r->sequence,
		.dpid = tn_switch_dpid(k->agent->sw),
		.time_ns = tn_agent_now(k->agent),
	};

	k->snapshot_bytes = r->snapshot_bytes;
	/* A file without a change may be of another switch. */
	if (!r->journal || (!r->found && r->dpid != place.dpid))
		return begin_anew(k, s, r, &place, err);
	k->journal = tn_journal_open(k->disk, &place, err);
	k->closed_bytes = r->journal_bytes - r->end;
	return k->journal ? 0 : -EIO;
}

static void say_recovered(const struct tn_keeper *k, const struct tn_state *s, uint64_t start_ns)
{
	if (s->clock_went_back)
		tn_agent_say("%s: the clock was set back since the last change: hard timeouts of "
			     "what was made later count from now",
			k->config.state_dir);
	tn_agent_say("%s: %u flows and %zu ports are as they were, after %llu ms",
		k->config.state_dir, tn_switch_flow_count(k->agent->sw), s->n_ports,
		(unsigned long long)((tn_agent_now(k->agent) - start_ns) / 1000000));
}

static int recover(
	struct tn_keeper *k, struct tn_state *s, struct tn_recovery *r, struct tn_error *err)
{
	uint64_t now = s->now_ns;
	int rc;

	tn_switch_replay_begin(k->agent->sw, now);
	rc = tn_recover(k->disk, s, r, err);
	tn_switch_replay_end(k->agent->sw);
	if (rc)
		return rc;
	if (r->found && r->dpid != tn_switch_dpid(k->agent->sw))
		return tn_error_set(err, TN_OFPBRC_EPERM, -1,
			"%.150s is the state of switch 0x%llx, not of 0x%llx", k->config.state_dir,
			(unsigned long long)r->dpid,
			(unsigned long long)tn_switch_dpid(k->agent->sw));
	k->recovered = r->found;
	tn_switch_tables(k->agent->sw, note_eviction, &k->may_evict);
	tn_switch_set_lost_fn(k->agent->sw, on_lost, k);
	tn_restore_agent(k->agent, s);
	/* What timed out while nobody ran. */
	tn_switch_expire(k->agent->sw, now);
	rc = tn_agent_publish(k->agent, err);
	if (!rc && r->found)
		say_recovered(k, s, now);
	return rc;
}

static int begin(struct tn_keeper *k, struct tn_error *err)
{
	struct tn_recovery r = {.say = say_damage, .until = TN_STATE_GENERATION_MAX};
	struct tn_state s;
	int rc;

	tn_state_init(&s, k->agent->sw, tn_agent_now(k->agent));
	rc = recover(k, &s, &r, err);
	if (!rc && open_journal(k, &s, &r, err)) {
		/* Forwarding what there is matters more. */
		if (k->recovered)
			fail(k, "%.230s", err->detail);
		else
			rc = -EIO;
	}
	tn_recovery_fini(&r);
	tn_state_fini(&s);
	return rc;
}

/* --- life ------------------------------------------------------------------------------------- */

static int watch(struct tn_keeper *k)
{
	const struct timespec period = {.tv_nsec = (long)TICK_NS};
	const struct itimerspec spec = {.it_interval = period, .it_value = period};
	int rc;

	k->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (k->timer < 0 || timerfd_settime(k->timer, 0, &spec, NULL))
		return -errno;
	rc = tn_loop_add(k->agent->loop, k->timer, EPOLLIN, on_tick, k);
	if (!rc && k->journal)
		rc = tn_loop_add(k->agent->loop, tn_journal_fd(k->journal), EPOLLIN, on_durable, k);
	return rc;
}

struct tn_keeper *tn_keeper_new(
	struct tn_agent *agent, const struct tn_keeper_config *config, struct tn_error *err)
{
	struct tn_keeper *k = calloc(1, sizeof(*k));
	int rc;

	if (!k) {
		tn_error_set(err, TN_OFPBRC_EPERM, -1, "out of memory");
		return NULL;
	}
	*k = (struct tn_keeper){.agent = agent, .config = *config, .timer = -1};
	k->disk = tn_disk_open(config->state_dir);
	if (!k->disk) {
		tn_error_set(err, TN_OFPBRC_EPERM, -1, "%.150s: cannot be opened: %s",
			config->state_dir, strerror(errno));
		tn_keeper_free(k);
		return NULL;
	}
	rc = begin(k, err);
	if (!rc) {
		set_limit(k);
		rc = watch(k);
		if (rc)
			tn_error_set(err, TN_OFPBRC_EPERM, -1, "no descriptors: %s", strerror(-rc));
	}
	if (!rc)
		return k;
	tn_keeper_free(k);
	return NULL;
}

void tn_keeper_free(struct tn_keeper *k)
{
	if (!k)
		return;
	if (k->agent->sw)
		tn_switch_set_lost_fn(k->agent->sw, NULL, NULL);
	stop_compaction(k);
	if (k->journal) {
		tn_loop_remove(k->agent->loop, tn_journal_fd(k->journal));
		if (!*k->failure && !k->holding) {
			note_lost(k);
			tn_journal_flush(k->journal);
			tn_keeper_wait(k);
			mark(k);
		}
		tn_journal_close(k->journal);
	}
	if (k->timer >= 0) {
		tn_loop_remove(k->agent->loop, k->timer);
		close(k->timer);
	}
	tn_disk_free(k->disk);
	free(k->lost);
	free(k);
}

void tn_keeper_peek(const char *state_dir, struct tn_keeper_peek *peek)
{
	struct tn_recovery r = {.until = TN_STATE_GENERATION_MAX};
	struct tn_disk *disk = tn_disk_open(state_dir);
	struct tn_error err;
	struct tn_state s;

	*peek = (struct tn_keeper_peek){0};
	if (!disk)
		return;
	tn_state_init(&s, NULL, UINT64_MAX);
	if (!tn_recover(disk, &s, &r, &err) && r.found) {
		peek->found = true;
		peek->dpid = r.dpid;
		tn_restore_wants(&s, &peek->wants_pci, &peek->wants_namespaces);
	}
	tn_recovery_fini(&r);
	tn_state_fini(&s);
	tn_disk_free(disk);
}
