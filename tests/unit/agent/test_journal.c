/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is acknowledged is found again: journals cut and damaged at every byte, power that goes off
 * at every operation of the disk, disks that fail or are full. Without devices and without EAL.
 */
#include "dataplane/agent/journal.h"

#include "dataplane/agent/compact.h"
#include "dataplane/agent/recover.h"
#include "dataplane/core/checksum.h"
#include "tests/unit/agent/fake_disk.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define DPID	UINT64_C(0xd1)
#define SECOND	UINT64_C(1000000000)
#define CHANGES 40u
/* Of every kind, where each byte of what they left is tried. */
#define FEW_CHANGES 24u

/* --- a history of changes --------------------------------------------------------------------- */

/* A state as bytes, to compare: times of what has none of its own are left out. */
static int dump_sink(void *ctx, struct tn_api_buffer *records)
{
	struct tn_api_buffer *dump = ctx;

	assert_int_equal(tn_record_append(dump, records->data, records->len), 0);
	records->len = 0;
	return 0;
}

static struct tn_api_buffer dump_of(const struct tn_state *state)
{
	struct tn_state s = *state;
	struct tn_api_buffer dump = {0};
	struct tn_error err;

	s.last_change_ns = 0;
	assert_int_equal(tn_state_write(&s, dump_sink, &dump, &err), 0);
	return dump;
}

static bool same(const struct tn_api_buffer *a, const struct tn_api_buffer *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

/* A switch that goes on living, with its journal. */
struct life {
	struct tn_disk *disk;
	struct tn_switch *sw;
	struct tn_state state;
	struct tn_journal *journal;
	struct tn_compaction *compaction;
	uint64_t now;
	uint64_t lost[64];
	size_t n_lost;
	/* dump after the record with this number, from 0 on */
	struct tn_api_buffer *history;
	size_t n_history;
	uint64_t acked; /* record */
	unsigned n_refused;
};

static void note_history(struct life *l, uint64_t sequence)
{
	l->history = reallocarray(l->history, sequence + 1, sizeof(*l->history));
	assert_non_null(l->history);
	for (; l->n_history <= sequence; l->n_history++)
		l->history[l->n_history] = (struct tn_api_buffer){0};
	tn_api_buffer_fini(&l->history[sequence]);
	l->history[sequence] = dump_of(&l->state);
}

static void on_lost(void *ctx, uint64_t id)
{
	struct life *l = ctx;

	assert_true(l->n_lost < 64);
	l->lost[l->n_lost++] = id;
}

/* What a folder holds, into l; its recovery. */
static struct tn_recovery recover_into(struct life *l, struct tn_disk *disk)
{
	struct tn_recovery r = {.until = TN_STATE_GENERATION_MAX};
	struct tn_error err;

	*l = (struct life){.disk = disk, .now = SECOND};
	l->sw = tn_switch_new(DPID);
	assert_non_null(l->sw);
	tn_state_init(&l->state, l->sw, UINT64_MAX);
	tn_switch_replay_begin(l->sw, 0);
	if (tn_recover(disk, &l->state, &r, &err))
		fail_msg("%s", err.detail);
	tn_switch_replay_end(l->sw);
	tn_switch_set_lost_fn(l->sw, on_lost, l);
	if (l->state.last_change_ns > l->now)
		l->now = l->state.last_change_ns;
	return r;
}

static int open_journal(struct life *l, const struct tn_recovery *r)
{
	struct tn_journal_place place = {.generation = r->journal,
		.end = r->end,
		.sequence = r->sequence,
		.dpid = DPID,
		.time_ns = l->now};
	struct tn_state_header header;
	struct tn_error err;
	uint64_t bytes;

	if (!r->journal) {
		place.generation = r->newest + 1;
		place.end = 0;
		tn_state_header_init(
			&header, TN_STATE_SNAPSHOT, place.generation, r->sequence, DPID, l->now);
		if (r->newest && tn_snapshot_save(l->disk, &l->state, &header, NULL, &bytes, &err))
			return -1;
	}
	l->journal = tn_journal_open(l->disk, &place, &err);
	if (!l->journal)
		return -1;
	return tn_recovery_set_aside(l->disk, r);
}

static void end(struct life *l)
{
	tn_compaction_free(l->compaction);
	tn_journal_close(l->journal);
	tn_state_fini(&l->state);
	tn_switch_free(l->sw);
}

static void free_history(struct life *l)
{
	for (size_t i = 0; i < l->n_history; i++)
		tn_api_buffer_fini(&l->history[i]);
	free(l->history);
	l->history = NULL;
	l->n_history = 0;
}

/* --- changes ---------------------------------------------------------------------------------- */

static int apply(struct life *l, const struct tn_api_message *m, const uint8_t *record, size_t len)
{
	struct tn_error err;
	struct tn_record r;
	uint8_t *copy;
	uint64_t sequence = 1;
	size_t failed;
	int rc;

	if (m->type == TN_API_BUNDLE)
		return tn_switch_commit(
			l->sw, m->bundle.mods, m->bundle.n_mods, l->now, &failed, &err);
	copy = malloc(len);
	assert_non_null(copy);
	memcpy(copy, record, len);
	tn_records_seal(copy, len, true, &sequence, 0);
	assert_int_equal(tn_record_read(copy, len, 0, &r), TN_READ_GOOD);
	rc = tn_state_apply(&l->state, &r, 1, &err);
	free(copy);
	return rc;
}

/* As tn_changes does it. False: refused or the disk is gone. */
static bool submit(struct life *l, const struct tn_api_message *m)
{
	struct tn_api_buffer *draft;
	struct tn_error err = {0};
	uint64_t sequence;
	size_t start, change;

	if (tn_journal_failure(l->journal))
		return false;
	draft = tn_journal_draft(l->journal, &start);
	assert_int_equal(tn_state_put_lost(draft, l->lost, l->n_lost, l->now), 0);
	change = draft->len;
	assert_int_equal(tn_state_put_change(draft, m, l->now, &err), 0);
	if (tn_journal_reserve(l->journal, 256, &err)) {
		assert_true(strlen(err.detail) > 20);
		draft->len = start;
		l->n_refused++;
		return false;
	}
	l->n_lost = 0;
	if (apply(l, m, draft->data + change, draft->len - change))
		fail_msg("a change of the history is refused");
	assert_int_equal(tn_state_put_lost(draft, l->lost, l->n_lost, l->now), 0);
	l->n_lost = 0;
	sequence = tn_journal_seal(l->journal);
	note_history(l, sequence);
	tn_journal_flush(l->journal);
	if (!tn_journal_wait_durable(l->journal, sequence, NULL))
		return false;
	l->acked = sequence;
	return true;
}

static bool submit_flows(struct life *l, const struct tn_flow_mod *flows, uint32_t n)
{
	struct tn_mod mods[64];
	const struct tn_api_message m = {
		.type = TN_API_BUNDLE, .bundle = {.mods = mods, .n_mods = n}};

	for (uint32_t i = 0; i < n; i++)
		mods[i] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &flows[i]};
	return submit(l, &m);
}

static const struct tn_action to_1 = {
	.type = TN_ACTION_OUTPUT, .output = {.port = 1, .reason = TN_REASON_DEFAULT}};

static struct tn_flow_mod flow(uint16_t priority, uint32_t in_port)
{
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	fm.priority = priority;
	fm.cookie = in_port;
	tn_match_set_exact(&fm.match, TN_FIELD_IN_PORT, in_port);
	fm.inst.apply = &to_1;
	fm.inst.n_apply = 1;
	return fm;
}

static bool submit_group(struct life *l, unsigned step)
{
	const struct tn_action to_other = {.type = TN_ACTION_GROUP, .group_id = 2};
	const struct tn_bucket buckets[] = {
		{.bucket_id = 1,
			.watch_port = TN_PORT_ANY,
			.watch_group = TN_GROUP_ANY,
			.actions = step < 30 ? &to_1 : &to_other,
			.n_actions = 1},
	};
	const struct tn_group_mod gm = {.command = step < 30 ? TN_GROUP_ADD : TN_GROUP_MODIFY,
		.type = TN_GROUP_TYPE_INDIRECT,
		.group_id = step < 20 || step >= 30 ? 1 : 2,
		.command_bucket_id = TN_BUCKET_ALL,
		.owner = step,
		.buckets = buckets,
		.n_buckets = 1};
	const struct tn_mod mod = {.kind = TN_MOD_GROUP, .group = &gm};
	const struct tn_api_message m = {
		.type = TN_API_BUNDLE, .bundle = {.mods = &mod, .n_mods = 1}};

	return submit(l, &m);
}

static bool submit_meter(struct life *l)
{
	const struct tn_band band = {.type = TN_BAND_DROP, .rate = 1000};
	const struct tn_meter_mod mm = {.command = TN_METER_ADD,
		.meter_id = 7,
		.flags = TN_METER_KBPS,
		.bands = &band,
		.n_bands = 1};
	const struct tn_mod mod = {.kind = TN_MOD_METER, .meter = &mm};
	const struct tn_api_message m = {
		.type = TN_API_BUNDLE, .bundle = {.mods = &mod, .n_mods = 1}};

	return submit(l, &m);
}

static bool submit_bundle(struct life *l, unsigned step)
{
	struct tn_flow_mod flows[3];

	for (unsigned i = 0; i < 3; i++)
		flows[i] = flow(100, step * 8 + i);
	flows[1].hard_timeout = 15;
	flows[2].idle_timeout = 60;
	flows[2].command = step % 3 ? TN_FLOW_ADD : TN_FLOW_DELETE;
	return submit_flows(l, flows, 3);
}

/* Table 3 holds two flows and evicts. */
static bool submit_evicting(struct life *l, unsigned step)
{
	const struct tn_api_message m = {.type = TN_API_TABLE_CONFIGURE,
		.table_configure = {.table_id = 3, .config = {.max_entries = 2, .eviction = true}}};
	struct tn_flow_mod fm = flow(5, step);

	if (step < 10)
		return submit(l, &m);
	fm.table_id = 3;
	fm.importance = (uint16_t)(1000 - step);
	return submit_flows(l, &fm, 1);
}

/* Port 7, said once and again: it is replaced. */
static bool submit_tunnel(struct life *l, unsigned step)
{
	const tn_u128 peer = step;
	const struct tn_api_message m = {.type = TN_API_PORT_ADD,
		.port_add = {.number = 7,
			.name = "p",
			.type = "vxlan",
			.enabled = true,
			.has_vxlan = true,
			.vxlan = {.remote_flow = true,
				.vni_flow = true,
				.udp_port = 4789,
				.ttl = 64,
				.dscp = -1,
				.peers = &peer,
				.n_peers = 1}}};

	return submit(l, &m);
}

static bool submit_port(struct life *l, unsigned step)
{
	const struct tn_api_option option = {
		.key = "socket", .type = TN_API_STRING, .string = "/run/vm.sock"};
	const struct tn_api_message m[] = {
		{.type = TN_API_PORT_ADD,
			.port_add = {.number = step,
				.name = "q",
				.type = "vhost-user",
				.options = &option,
				.n_options = 1}},
		{.type = TN_API_PORT_CONFIGURE,
			.port_configure = {.number = 7, .enabled = true, .config = 1}},
		{.type = TN_API_PORT_REMOVE, .port_remove = 15},
		{.type = TN_API_UNDERLAY},
	};

	return submit(l, &m[step / 8 - 1]); /* steps 15, 23, 31, 39 */
}

/* Each step is a change; those that time out meanwhile are lost on the way. */
static bool submit_step(struct life *l, unsigned step)
{
	l->now += SECOND;
	tn_switch_expire(l->sw, l->now);
	if (step == 7 || step == 20)
		return submit_tunnel(l, step);
	if (step % 8 == 7)
		return submit_port(l, step);
	if (step % 8 == 3)
		return submit_evicting(l, step);
	if (step == 12)
		return submit_meter(l);
	if (step == 14 || step == 22 || step == 30)
		return submit_group(l, step);
	return submit_bundle(l, step);
}

static void submit_mark(struct life *l)
{
	struct tn_error err;
	size_t start, at;
	struct tn_api_buffer *draft = tn_journal_draft(l->journal, &start);

	assert_int_equal(tn_record_begin(draft, TN_RECORD_MARK, l->now, &at), 0);
	assert_int_equal(tn_record_end(draft, at), 0);
	assert_int_equal(tn_journal_reserve(l->journal, 0, &err), 0);
	note_history(l, tn_journal_seal(l->journal));
	tn_journal_flush(l->journal);
	assert_true(tn_journal_wait_durable(l->journal, tn_journal_sequence(l->journal), NULL));
}

/* False: it failed, which it may where the disk does. */
static bool compact(struct life *l)
{
	enum tn_compaction_state state = TN_COMPACTION_BUSY;
	struct tn_error err;

	l->compaction = tn_compaction_start(l->disk, l->journal, DPID);
	assert_non_null(l->compaction);
	while (state == TN_COMPACTION_BUSY) {
		struct pollfd fd = {.fd = tn_compaction_fd(l->compaction), .events = POLLIN};

		assert_int_equal(poll(&fd, 1, 20000), 1);
		state = tn_compaction_step(l->compaction, l->now, &err);
	}
	tn_compaction_free(l->compaction);
	l->compaction = NULL;
	return state == TN_COMPACTION_DONE;
}

/* A first life of so many steps, with its journal made short after `compact_after` of them. */
static struct fake_disk *live(struct life *l, unsigned steps, unsigned compact_after)
{
	struct fake_disk *f = fake_disk_new();
	struct tn_recovery r = recover_into(l, &f->disk);

	assert_false(r.found);
	assert_int_equal(open_journal(l, &r), 0);
	note_history(l, 0);
	for (unsigned i = 0; i < steps; i++) {
		assert_true(submit_step(l, i));
		if (i + 1 == compact_after)
			assert_true(compact(l));
	}
	submit_mark(l);
	return f;
}

static struct fake_file *file_of(struct fake_disk *f, const char *name)
{
	struct fake_name *at = fake_find(f->now, name);

	assert_non_null(at);
	return &f->files[at->file];
}

static void assert_history(const struct life *found, const struct life *was, uint64_t sequence)
{
	struct tn_api_buffer dump = dump_of(&found->state);

	assert_true(sequence < was->n_history);
	if (!same(&dump, &was->history[sequence]))
		fail_msg("the state after record %lu is another one", (unsigned long)sequence);
	tn_api_buffer_fini(&dump);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_found_again(void **state)
{
	struct life l, again;
	struct fake_disk *f = live(&l, CHANGES, 0);
	struct tn_recovery r;

	(void)state;
	r = recover_into(&again, &f->disk);
	assert_true(r.found);
	assert_int_equal(r.n_bad, 0);
	assert_int_equal(r.dpid, DPID);
	assert_int_equal(r.sequence, l.n_history - 1);
	assert_int_equal(r.journal, 1);
	assert_history(&again, &l, r.sequence);
	end(&again);
	end(&l);
	free_history(&l);
	tn_disk_free(&f->disk);
}

/* Through several generations, over and over; old files go. */
static void test_generations(void **state)
{
	struct fake_disk *f = fake_disk_new();
	uint64_t sequence = 0;
	struct life l = {0}, again;

	(void)state;
	for (unsigned i = 0; i < CHANGES; i++) {
		struct tn_recovery r = recover_into(&again, &f->disk);

		assert_int_equal(r.sequence, sequence);
		assert_int_equal(r.n_bad, 0);
		if (i)
			assert_history(&again, &l, sequence);
		free_history(&l);
		l = again;
		tn_switch_set_lost_fn(l.sw, on_lost, &l);
		l.now = SECOND * (i + 1);
		assert_int_equal(open_journal(&l, &r), 0);
		assert_true(submit_step(&l, i));
		if (i % 3 == 1)
			assert_true(compact(&l));
		if (i % 4 == 1)
			assert_true(compact(&l));
		sequence = tn_journal_sequence(l.journal);
		end(&l);
	}
	free_history(&l);
	tn_disk_free(&f->disk);
}

static unsigned count_files(struct fake_disk *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FAKE_FILES; i++)
		n += f->now[i].file >= 0;
	return n;
}

static void test_old_files_go(void **state)
{
	struct life l;
	struct fake_disk *f = live(&l, 8, 4);

	(void)state;
	assert_int_equal(count_files(f), 3); /* journal 1, snapshot 2, journal 2 */
	for (unsigned i = 0; i < 5; i++)
		assert_true(compact(&l));
	assert_int_equal(count_files(f), 4); /* two generations of both */
	end(&l);
	free_history(&l);
	tn_disk_free(&f->disk);
}

/* A journal cut anywhere: what was whole before it, and no damage is claimed. */
static void test_cut_at_every_byte(void **state)
{
	struct life l;
	struct fake_disk *f = live(&l, FEW_CHANGES, 0);
	struct fake_file *journal = file_of(f, "journal-0000000000000001");
	size_t whole = journal->now_len;
	uint64_t last = 0;

	(void)state;
	for (size_t len = 0; len <= whole; len++) {
		struct life again;
		struct tn_recovery r;

		journal->now_len = len;
		r = recover_into(&again, &f->disk);
		assert_int_equal(r.n_bad, 0);
		assert_true(r.sequence >= last);
		if (r.sequence > last || len % 16 == 0)
			assert_history(&again, &l, r.sequence);
		last = r.sequence;
		end(&again);
	}
	assert_int_equal(last, l.n_history - 1);
	journal->now_len = whole;
	end(&l);
	free_history(&l);
	tn_disk_free(&f->disk);
}

/* One bit of any byte: it is told, and what is before it is used. */
static void test_damage_at_every_byte(void **state)
{
	struct life l;
	struct fake_disk *f = live(&l, FEW_CHANGES, 0);
	struct fake_file *journal = file_of(f, "journal-0000000000000001");
	size_t mark = 0, end_of_all;

	(void)state;
	for (struct tn_record r = {.next = sizeof(struct tn_state_header)};
		tn_record_read(journal->now, journal->now_len, r.next, &r) == TN_READ_GOOD;)
		mark = r.at;
	end_of_all = mark + sizeof(struct tn_record_header);
	for (size_t at = 0; at < end_of_all; at++) {
		struct life again;
		struct tn_recovery r;

		journal->now[at] ^= (uint8_t)(1u << at % 8);
		r = recover_into(&again, &f->disk);
		/* The mark itself was never promised to anyone. */
		assert_int_equal(r.n_bad, at < mark);
		assert_true(r.sequence < l.n_history - 1);
		if (at % 8 == 0)
			assert_history(&again, &l, r.sequence);
		if (r.n_bad) {
			assert_int_equal(r.bad[0].kind, TN_STATE_JOURNAL);
			assert_int_equal(r.journal, 0);
		}
		tn_recovery_fini(&r);
		end(&again);
		journal->now[at] ^= (uint8_t)(1u << at % 8);
	}
	end(&l);
	free_history(&l);
	tn_disk_free(&f->disk);
}

/* The snapshot before and its journal say what the damaged one said. */
static void test_damaged_snapshot(void **state)
{
	struct life l;
	struct fake_disk *f = live(&l, CHANGES, 25);
	struct fake_file *snapshot = file_of(f, "snapshot-0000000000000002");

	(void)state;
	for (size_t at = 0; at < snapshot->now_len; at++) {
		struct life again;
		struct tn_recovery r;

		snapshot->now[at] ^= (uint8_t)(1u << at % 8);
		r = recover_into(&again, &f->disk);
		assert_int_equal(r.n_bad, 1);
		assert_int_equal(r.bad[0].kind, TN_STATE_SNAPSHOT);
		assert_int_equal(r.sequence, l.n_history - 1);
		if (at % 8 == 0)
			assert_history(&again, &l, r.sequence);
		tn_recovery_fini(&r);
		end(&again);
		snapshot->now[at] ^= (uint8_t)(1u << at % 8);
	}
	end(&l);
	free_history(&l);
	tn_disk_free(&f->disk);
}

/* After damage a new beginning, with the bad file beside it. */
static void test_life_after_damage(void **state)
{
	struct life l, again;
	struct fake_disk *f = live(&l, 20, 10);
	struct fake_file *journal = file_of(f, "journal-0000000000000002");
	struct tn_recovery r;
	uint64_t sequence;

	(void)state;
	journal->now[journal->now_len / 2] ^= 1;
	end(&l);
	r = recover_into(&again, &f->disk);
	assert_int_equal(r.n_bad, 1);
	assert_history(&again, &l, r.sequence);
	free_history(&l);
	assert_int_equal(open_journal(&again, &r), 0);
	tn_recovery_fini(&r);
	assert_non_null(fake_find(f->now, "journal-0000000000000002.damaged"));
	assert_null(fake_find(f->now, "journal-0000000000000002"));
	assert_true(submit_bundle(&again, 50));
	sequence = tn_journal_sequence(again.journal);
	end(&again);
	r = recover_into(&l, &f->disk);
	assert_int_equal(r.n_bad, 0);
	assert_int_equal(r.sequence, sequence);
	assert_history(&l, &again, sequence);
	end(&l);
	free_history(&again);
	tn_disk_free(&f->disk);
}

/* Without the end of a journal that another one follows, and without one in the middle. */
static void test_missing_files(void **state)
{
	struct life l, again;
	struct fake_disk *f = live(&l, CHANGES, 20);
	struct tn_recovery r;

	(void)state;
	fake_find(f->now, "snapshot-0000000000000002")->file = -1;
	file_of(f, "journal-0000000000000001")->now_len -= 300;
	r = recover_into(&again, &f->disk);
	assert_int_equal(r.n_bad, 2); /* both: one is cut, the other cannot be used */
	assert_history(&again, &l, r.sequence);
	tn_recovery_fini(&r);
	end(&again);
	fake_find(f->now, "journal-0000000000000001")->file = -1;
	r = recover_into(&again, &f->disk);
	assert_false(r.found);
	assert_int_equal(r.n_bad, 1);
	assert_int_equal(tn_switch_flow_count(again.sw), 0);
	tn_recovery_fini(&r);
	end(&again);
	end(&l);
	free_history(&l);
	tn_disk_free(&f->disk);
}

/* What came is kept as it came, and is what would have been made of it. */
static void test_kept_as_it_came(void **state)
{
	struct tn_api_buffer made = {0}, came = {0}, message = {0};
	struct tn_flow_mod flows[50];
	struct tn_mod mods[TN_ARRAY_SIZE(flows)];
	struct tn_api_message m = {.type = TN_API_BUNDLE,
		.request_id = 7,
		.flags = TN_API_EARLY,
		.bundle = {.mods = mods, .n_mods = TN_ARRAY_SIZE(mods)}};
	struct tn_api_encoded encoded[2];
	struct tn_error err = {0};

	(void)state;
	for (unsigned i = 0; i < TN_ARRAY_SIZE(flows); i++) {
		flows[i] = flow(7, 10000 + i);
		mods[i] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &flows[i]};
	}
	assert_int_equal(tn_state_put_change(&made, &m, 99, &err), 0);
	assert_int_equal(tn_api_encode(&message, &m, &err), 0);
	encoded[0] = encoded[1] = tn_api_encoded_mods(message.data, message.len);
	m.bundle.encoded = encoded;
	m.bundle.n_encoded = 1;
	assert_int_equal(tn_state_put_change(&came, &m, 99, &err), 0);
	assert_int_equal(came.len, made.len);
	assert_memory_equal(came.data, made.data, made.len);
	/* Each part a record. */
	m.bundle.n_encoded = 2;
	assert_int_equal(tn_state_put_change(&came, &m, 99, &err), 0);
	assert_int_equal(came.len, 3 * made.len);
	tn_api_buffer_fini(&made);
	tn_api_buffer_fini(&came);
	tn_api_buffer_fini(&message);
}

/* A bundle of many parts without its last ones is not there at all. */
static void test_no_half_bundle(void **state)
{
	enum { FLOWS = 10000 };
	struct tn_flow_mod *flows = calloc(FLOWS, sizeof(*flows));
	struct tn_mod *mods = calloc(FLOWS, sizeof(*mods));
	const struct tn_api_message m = {
		.type = TN_API_BUNDLE, .bundle = {.mods = mods, .n_mods = FLOWS}};
	struct life l;
	struct fake_disk *f = live(&l, 3, 0);
	struct fake_file *journal = file_of(f, "journal-0000000000000001");
	uint64_t before = tn_journal_sequence(l.journal);
	struct tn_record rec = {.next = sizeof(struct tn_state_header)};

	(void)state;
	for (unsigned i = 0; i < FLOWS; i++) {
		flows[i] = flow(7, 10000 + i);
		mods[i] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &flows[i]};
	}
	assert_true(submit(&l, &m));
	assert_true(tn_journal_sequence(l.journal) > before + 2);
	while (tn_record_read(journal->now, journal->now_len, rec.next, &rec) == TN_READ_GOOD) {
		struct life again;
		struct tn_recovery r;
		size_t whole = journal->now_len;
		bool all = rec.head.sequence == tn_journal_sequence(l.journal);

		if (rec.head.sequence <= before)
			continue;
		journal->now_len = rec.next;
		r = recover_into(&again, &f->disk);
		journal->now_len = whole;
		assert_int_equal(r.n_bad, 0);
		assert_int_equal(r.sequence, all ? rec.head.sequence : before);
		assert_history(&again, &l, r.sequence);
		end(&again);
	}
	end(&l);
	free_history(&l);
	tn_disk_free(&f->disk);
	free(flows);
	free(mods);
}

/* A life that is cut off by its disk; what is found after must be what was promised. */
static unsigned live_until(
	struct fake_disk *f, struct life *l, enum fake_crash how, struct random *dice)
{
	struct tn_recovery r = recover_into(l, &f->disk);
	struct fake_disk *after;
	struct life again;
	unsigned i = 0;

	note_history(l, 0);
	if (!open_journal(l, &r)) {
		for (; i < CHANGES; i++) {
			(void)!submit_step(l, i);
			/* A refused step has nothing to show for those that build on it. */
			if (l->n_refused || tn_journal_failure(l->journal))
				break;
			if (i == 10 || i == 25)
				(void)compact(l);
		}
	}
	tn_compaction_free(l->compaction);
	l->compaction = NULL;
	tn_journal_close(l->journal);
	l->journal = NULL;
	after = fake_disk_crash(f, how, dice);
	r = recover_into(&again, &after->disk);
	if (r.n_bad)
		fail_msg("damage is claimed");
	if (r.sequence < l->acked)
		fail_msg("acknowledged and lost");
	assert_history(&again, l, r.sequence);
	/* And life goes on. */
	assert_int_equal(open_journal(&again, &r), 0);
	assert_true(submit_bundle(&again, 60));
	end(&again);
	free_history(&again);
	tn_disk_free(&after->disk);
	end(l);
	free_history(l);
	return i;
}

static void test_power_off_at_every_operation(void **state)
{
	struct random dice = {.state = 1};
	struct life l;

	(void)state;
	for (unsigned how = FAKE_LOSES_ALL; how <= FAKE_KEEPS_SOME; how++) {
		unsigned steps = 0;

		for (uint64_t op = 0; steps < CHANGES; op++) {
			struct fake_disk *f = fake_disk_new();

			f->power_off_at = op;
			steps = live_until(f, &l, (enum fake_crash)how, &dice);
			tn_disk_free(&f->disk);
		}
	}
}

/* Each operation fails once, as a broken disk does and as a full one does. */
static void test_errors_at_every_operation(void **state)
{
	static const int errors[] = {-EIO, -ENOSPC};
	struct random dice = {.state = 2};
	struct life l;

	(void)state;
	for (unsigned e = 0; e < 2; e++) {
		/* Without a failure there are fewer operations than in some life with one. */
		uint64_t ops = 1;

		for (uint64_t op = 0; op < ops; op++) {
			struct fake_disk *f = fake_disk_new();

			f->fail_at = op ? op - 1 : FAKE_NEVER;
			f->fail_with = errors[e];
			(void)live_until(f, &l, FAKE_LOSES_ALL, &dice);
			ops = f->n_ops > ops ? f->n_ops : ops;
			tn_disk_free(&f->disk);
		}
	}
}

/* No room: a sentence, nothing is made, nothing is broken off; with room again it goes on. */
static void test_full_disk(void **state)
{
	struct fake_disk *f = fake_disk_new();
	struct life l, again;
	struct tn_recovery r = recover_into(&l, &f->disk);
	struct tn_flow_mod *flows = calloc(50000, sizeof(*flows));
	struct tn_mod *mods = calloc(50000, sizeof(*mods));
	const struct tn_api_message m = {
		.type = TN_API_BUNDLE, .bundle = {.mods = mods, .n_mods = 50000}};
	struct tn_api_buffer before, now;

	(void)state;
	note_history(&l, 0);
	assert_int_equal(open_journal(&l, &r), 0);
	for (unsigned i = 0; i < 50000; i++) {
		flows[i] = flow(1, i);
		mods[i] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &flows[i]};
	}
	f->space = 100000;
	before = dump_of(&l.state);
	assert_false(submit(&l, &m));
	assert_int_equal(l.n_refused, 1);
	now = dump_of(&l.state);
	assert_true(same(&now, &before));
	assert_true(submit_step(&l, 0)); /* a small one finds room */
	f->space = UINT64_MAX / 2;
	assert_true(submit(&l, &m));
	r = recover_into(&again, &f->disk);
	assert_history(&again, &l, l.acked);
	tn_api_buffer_fini(&before);
	tn_api_buffer_fini(&now);
	end(&again);
	end(&l);
	free_history(&l);
	tn_disk_free(&f->disk);
	free(flows);
	free(mods);
}

/* After a sync that failed nothing is durable any more, whatever the disk says then. */
static void test_failed_sync_is_final(void **state)
{
	struct life l;
	struct fake_disk *f = live(&l, 5, 0);
	uint64_t acked = l.acked;

	(void)state;
	f->fail_at = f->n_ops + 1; /* write, sync */
	f->fail_with = -EIO;
	assert_false(submit_bundle(&l, 5));
	assert_int_equal(tn_journal_failure(l.journal), -EIO);
	assert_false(submit_bundle(&l, 6));
	assert_true(tn_journal_durable(l.journal) >= acked);
	assert_true(tn_journal_durable(l.journal) < tn_journal_sequence(l.journal));
	end(&l);
	free_history(&l);
	tn_disk_free(&f->disk);
}

/* Many changes, few syncs. */
static void test_group_commit(void **state)
{
	struct life l;
	struct fake_disk *f = live(&l, 1, 0);
	uint64_t syncs = f->n_syncs;
	struct tn_error err;
	size_t start;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct tn_flow_mod fm = flow(1, i);
		const struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = &fm};
		const struct tn_api_message m = {
			.type = TN_API_BUNDLE, .bundle = {.mods = &mod, .n_mods = 1}};

		assert_int_equal(
			tn_state_put_change(tn_journal_draft(l.journal, &start), &m, 1, &err), 0);
		assert_int_equal(tn_journal_reserve(l.journal, 0, &err), 0);
		(void)tn_journal_seal(l.journal);
	}
	tn_journal_flush(l.journal);
	assert_true(tn_journal_wait_durable(l.journal, tn_journal_sequence(l.journal), NULL));
	assert_int_equal(f->n_syncs, syncs + 1);
	end(&l);
	free_history(&l);
	tn_disk_free(&f->disk);
}

static void expect_refused(struct fake_disk *f, const char *word)
{
	struct tn_recovery r = {.until = TN_STATE_GENERATION_MAX};
	struct tn_switch *sw = tn_switch_new(DPID);
	struct tn_state s;
	struct tn_error err = {0};

	tn_state_init(&s, sw, UINT64_MAX);
	assert_int_equal(tn_recover(&f->disk, &s, &r, &err), -EINVAL);
	assert_non_null(strstr(err.detail, word));
	tn_recovery_fini(&r);
	tn_state_fini(&s);
	tn_switch_free(sw);
}

static void rewrite_header(struct fake_disk *f, const char *name, uint32_t format, uint64_t dpid)
{
	struct fake_file *file = file_of(f, name);
	struct tn_state_header h;

	memcpy(&h, file->now, sizeof(h));
	tn_state_header_init(
		&h, (enum tn_state_kind)h.kind, h.generation, h.sequence, dpid, h.time_ns);
	h.format = format;
	h.crc = tn_crc32c(0, &h, offsetof(struct tn_state_header, crc));
	memcpy(file->now, &h, sizeof(h));
}

static void test_newer_format_and_other_switch(void **state)
{
	struct life l;
	struct fake_disk *f = live(&l, 6, 3);

	(void)state;
	rewrite_header(f, "journal-0000000000000002", 2, DPID);
	expect_refused(f, "format 2");
	rewrite_header(f, "journal-0000000000000002", 1, DPID + 1);
	expect_refused(f, "0xd2");
	rewrite_header(f, "journal-0000000000000002", 1, DPID);
	rewrite_header(f, "snapshot-0000000000000002", 7, DPID);
	expect_refused(f, "format 7");
	end(&l);
	free_history(&l);
	tn_disk_free(&f->disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_again),
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_old_files_go),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_damage_at_every_byte),
		cmocka_unit_test(test_damaged_snapshot),
		cmocka_unit_test(test_life_after_damage),
		cmocka_unit_test(test_missing_files),
		cmocka_unit_test(test_kept_as_it_came),
		cmocka_unit_test(test_no_half_bundle),
		cmocka_unit_test(test_power_off_at_every_operation),
		cmocka_unit_test(test_errors_at_every_operation),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_failed_sync_is_final),
		cmocka_unit_test(test_group_commit),
		cmocka_unit_test(test_newer_format_and_other_switch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
