/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/compact.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define NICE	    10
#define NAME_BEHIND ".new"

/* --- a snapshot's file ------------------------------------------------------------------------ */

struct saving {
	struct tn_disk *disk;
	int file;
	uint64_t at, sequence;
	const bool *stop;
};

static int save_bytes(struct saving *s, const void *bytes, size_t len)
{
	int rc = s->disk->ops->write(s->disk, s->file, bytes, len, s->at);

	s->at += len;
	return rc;
}

static int save_records(void *ctx, struct tn_api_buffer *records)
{
	struct saving *s = ctx;
	int rc;

	if (s->stop && __atomic_load_n(s->stop, __ATOMIC_RELAXED))
		return -ECANCELED;
	tn_records_seal(records->data, records->len, false, &s->sequence, 0);
	rc = save_bytes(s, records->data, records->len);
	records->len = 0;
	return rc;
}

static int save_end(struct saving *s)
{
	struct tn_api_buffer b = {0};
	size_t at;
	int rc = tn_record_begin(&b, TN_RECORD_END, 0, &at);

	if (!rc)
		rc = tn_record_end(&b, at);
	if (!rc)
		rc = save_records(s, &b);
	tn_api_buffer_fini(&b);
	return rc;
}

static int save_all(struct saving *s, const struct tn_state *state,
	const struct tn_state_header *header, struct tn_error *err)
{
	int rc = save_bytes(s, header, sizeof(*header));

	if (!rc)
		rc = tn_state_write(state, save_records, s, err);
	if (!rc)
		rc = save_end(s);
	if (!rc)
		rc = s->disk->ops->sync(s->disk, s->file);
	return rc;
}

int tn_snapshot_save(struct tn_disk *d, const struct tn_state *s,
	const struct tn_state_header *header, const bool *stop, uint64_t *bytes,
	struct tn_error *err)
{
	char name[TN_STATE_NAME_MAX], beside[TN_STATE_NAME_MAX + sizeof(NAME_BEHIND)];
	struct saving saving = {.disk = d, .sequence = 1, .stop = stop};
	int rc;

	tn_state_file_name(name, TN_STATE_SNAPSHOT, header->generation);
	snprintf(beside, sizeof(beside), "%s" NAME_BEHIND, name);
	saving.file = d->ops->open(d, beside, true);
	rc = saving.file < 0 ? saving.file : save_all(&saving, s, header, err);
	if (saving.file >= 0)
		d->ops->close(d, saving.file);
	if (!rc)
		rc = d->ops->rename(d, beside, name);
	if (!rc)
		rc = d->ops->sync_folder(d);
	*bytes = saving.at;
	if (!rc)
		return 0;
	if (saving.file >= 0)
		(void)d->ops->remove(d, beside);
	tn_error_set(err, TN_OFPBRC_EPERM, -1, "%.150s: a snapshot cannot be written: %s", d->path,
		strerror(-rc));
	return rc;
}

struct removing {
	struct tn_disk *disk;
	uint64_t generation;
	char name[64][TN_STATE_NAME_MAX + 8]; /* not while they are listed */
	unsigned n;
};

static bool is_old(const char *name, uint64_t before)
{
	for (unsigned kind = TN_STATE_JOURNAL; kind <= TN_STATE_SNAPSHOT; kind++) {
		char again[TN_STATE_NAME_MAX];
		const char *dash = strchr(name, '-');
		uint64_t generation = dash ? strtoull(dash + 1, NULL, 16) : 0;
		size_t len;

		tn_state_file_name(again, (enum tn_state_kind)kind, generation);
		len = strlen(again);
		if (strncmp(name, again, len) != 0)
			continue;
		if (!strcmp(name + len, NAME_BEHIND))
			return true;
		return !name[len] && generation < before;
	}
	return false;
}

static void note_old(void *ctx, const char *name)
{
	struct removing *r = ctx;

	if (r->n == sizeof(r->name) / sizeof(r->name[0]) || !is_old(name, r->generation))
		return; /* the rest the next time */
	snprintf(r->name[r->n++], sizeof(r->name[0]), "%s", name);
}

void tn_state_remove_before(struct tn_disk *d, uint64_t generation)
{
	struct removing r = {.disk = d, .generation = generation};

	(void)d->ops->list(d, note_old, &r);
	for (unsigned i = 0; i < r.n; i++)
		(void)d->ops->remove(d, r.name[i]);
}

/* --- in the background ------------------------------------------------------------------------ */

struct tn_compaction {
	struct tn_disk *disk;
	struct tn_journal *journal;
	uint64_t dpid, generation; /* of the next journal */
	int event;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t go;
	bool stop; /* atomic */
	/* under lock */
	int file; /* the next journal, ready; -1: not yet, or taken over */
	bool ready, rotated, done;
	uint64_t sequence; /* the last one before it */
	uint64_t time_ns;
	int rc;
	uint64_t bytes;
	struct tn_error err;
};

static void ring(struct tn_compaction *c)
{
	const uint64_t one = 1;

	(void)!write(c->event, &one, sizeof(one));
}

static void keep_first(void *ctx, const char *sentence)
{
	struct tn_compaction *c = ctx;

	if (!c->err.of)
		tn_error_set(&c->err, TN_OFPBRC_EPERM, -1, "%.230s", sentence);
}

/* What the files hold up to the next journal, as a snapshot. */
static int read_and_save(struct tn_compaction *c, struct tn_state *s)
{
	struct tn_recovery r = {.until = c->generation, .stop = &c->stop, .say = keep_first};
	struct tn_state_header header;
	struct tn_error err;
	int rc;

	r.say_ctx = c;
	rc = tn_recover(c->disk, s, &r, &err);
	if (!rc && (r.n_bad || r.sequence != c->sequence)) {
		keep_first(c, "the journal does not read back as it was written");
		rc = -EIO;
	} else if (rc) {
		keep_first(c, err.detail);
	}
	if (!rc) {
		tn_state_header_init(&header, TN_STATE_SNAPSHOT, c->generation, c->sequence,
			c->dpid, c->time_ns);
		rc = tn_snapshot_save(c->disk, s, &header, &c->stop, &c->bytes, &c->err);
	}
	if (!rc)
		tn_state_remove_before(c->disk, r.base);
	tn_recovery_fini(&r);
	return rc;
}

static int compact(struct tn_compaction *c)
{
	struct tn_switch *sw = tn_switch_new(c->dpid);
	struct tn_state s;
	int rc;

	if (!sw)
		return -ENOMEM;
	tn_switch_replay_begin(sw, 0);
	tn_state_init(&s, sw, UINT64_MAX);
	rc = read_and_save(c, &s);
	tn_state_fini(&s);
	tn_switch_free(sw);
	return rc;
}

/* The next journal is ready; until main went over to it. False: it will not. */
static bool wait_rotated(struct tn_compaction *c, int file)
{
	bool rotated;

	pthread_mutex_lock(&c->lock);
	c->file = file;
	c->ready = true;
	ring(c);
	while (!c->rotated && !c->stop)
		pthread_cond_wait(&c->go, &c->lock);
	rotated = c->rotated;
	pthread_mutex_unlock(&c->lock);
	return rotated;
}

static void *thread_main(void *arg)
{
	struct tn_compaction *c = arg;
	int file, rc;

	/* On Linux this is about the thread. */
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	file = tn_journal_prepare(c->disk, c->generation);
	if (file < 0)
		rc = file;
	else if (!wait_rotated(c, file) ||
		!tn_journal_wait_durable(c->journal, c->sequence, &c->stop))
		rc = -ECANCELED;
	else
		rc = compact(c);
	pthread_mutex_lock(&c->lock);
	c->rc = rc;
	c->done = true;
	pthread_mutex_unlock(&c->lock);
	ring(c);
	return NULL;
}

struct tn_compaction *tn_compaction_start(struct tn_disk *d, struct tn_journal *j, uint64_t dpid)
{
	struct tn_compaction *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct tn_compaction){.disk = d,
		.journal = j,
		.dpid = dpid,
		.generation = tn_journal_generation(j) + 1,
		.file = -1};
	c->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->go, NULL);
	if (c->event >= 0 && !pthread_create(&c->thread, NULL, thread_main, c))
		return c;
	if (c->event >= 0)
		close(c->event);
	free(c);
	return NULL;
}

int tn_compaction_fd(const struct tn_compaction *c)
{
	return c->event;
}

static void rotate(struct tn_compaction *c, uint64_t now_ns)
{
	c->sequence = tn_journal_sequence(c->journal);
	c->time_ns = now_ns;
	if (tn_journal_rotate(c->journal, c->file, now_ns))
		__atomic_store_n(&c->stop, true, __ATOMIC_RELAXED);
	else
		c->rotated = true;
	c->file = -1;
	c->ready = false;
	pthread_cond_signal(&c->go);
}

enum tn_compaction_state tn_compaction_step(
	struct tn_compaction *c, uint64_t now_ns, struct tn_error *err)
{
	enum tn_compaction_state state = TN_COMPACTION_BUSY;
	uint64_t times;

	(void)!read(c->event, &times, sizeof(times));
	pthread_mutex_lock(&c->lock);
	if (c->ready)
		rotate(c, now_ns);
	if (c->done)
		state = c->rc ? TN_COMPACTION_FAILED : TN_COMPACTION_DONE;
	pthread_mutex_unlock(&c->lock);
	if (state == TN_COMPACTION_FAILED) {
		*err = c->err;
		if (!err->of)
			tn_error_set(err, TN_OFPBRC_EPERM, -1, "%.150s: no snapshot was made: %s",
				c->disk->path, strerror(-c->rc));
	}
	return state;
}

uint64_t tn_compaction_bytes(const struct tn_compaction *c)
{
	return c->bytes;
}

void tn_compaction_free(struct tn_compaction *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	__atomic_store_n(&c->stop, true, __ATOMIC_RELAXED);
	pthread_cond_signal(&c->go);
	pthread_mutex_unlock(&c->lock);
	tn_journal_wake(c->journal);
	(void)pthread_join(c->thread, NULL);
	if (c->file >= 0)
		c->disk->ops->close(c->disk, c->file);
	close(c->event);
	pthread_cond_destroy(&c->go);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
