/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/journal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dataplane/agent/recover.h"

#define BUFFER_KEPT (1u << 20)

/* Bytes on their way to one file, one after another. */
struct batch {
	struct batch *next;
	int file;
	bool last; /* of its file, which is closed then */
	uint64_t at, sequence;
	struct tn_api_buffer bytes;
};

struct tn_journal {
	struct tn_disk *disk;
	uint64_t dpid;
	int event; /* eventfd */
	/* main */
	int file;
	uint64_t generation;
	uint64_t handed;    /* offset up to which bytes were handed over */
	uint64_t allocated; /* offset up to which the disk has room */
	uint64_t sequence;
	struct tn_api_buffer pending; /* sealed up to `sealed`, then the draft */
	size_t sealed;
	/* under lock */
	pthread_mutex_t lock;
	pthread_cond_t work;	 /* for the thread */
	pthread_cond_t progress; /* for who waits for it */
	struct batch *queue, **tail;
	struct tn_api_buffer spare; /* a buffer that was written, to be used again */
	bool stop;
	/* atomic; the thread writes */
	uint64_t durable;
	int failure;
	pthread_t thread;
};

/* --- the thread ------------------------------------------------------------------------------- */

static void ring(struct tn_journal *j)
{
	const uint64_t one = 1;

	(void)!write(j->event, &one, sizeof(one));
}

static struct batch *take(struct tn_journal *j)
{
	struct batch *b;

	pthread_mutex_lock(&j->lock);
	while (!j->queue && !j->stop)
		pthread_cond_wait(&j->work, &j->lock);
	b = j->queue;
	if (b) {
		j->queue = b->next;
		if (!j->queue)
			j->tail = &j->queue;
	}
	pthread_mutex_unlock(&j->lock);
	return b;
}

/* Its buffer is kept for the next one. */
static void batch_free(struct tn_journal *j, struct batch *b)
{
	pthread_mutex_lock(&j->lock);
	if (!j->spare.data && b->bytes.size <= BUFFER_KEPT) {
		j->spare = b->bytes;
		j->spare.len = 0;
		b->bytes = (struct tn_api_buffer){0};
	}
	pthread_mutex_unlock(&j->lock);
	tn_api_buffer_fini(&b->bytes);
	free(b);
}

static void write_batch(struct tn_journal *j, struct batch *b)
{
	int rc = __atomic_load_n(&j->failure, __ATOMIC_RELAXED);
	bool failed_before = rc;

	if (!rc)
		rc = j->disk->ops->write(j->disk, b->file, b->bytes.data, b->bytes.len, b->at);
	if (!rc)
		rc = j->disk->ops->sync(j->disk, b->file);
	if (b->last)
		j->disk->ops->close(j->disk, b->file);
	pthread_mutex_lock(&j->lock);
	if (rc)
		__atomic_store_n(&j->failure, rc, __ATOMIC_RELEASE);
	else
		__atomic_store_n(&j->durable, b->sequence, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&j->progress);
	pthread_mutex_unlock(&j->lock);
	if (!failed_before)
		ring(j);
}

static void *thread_main(void *arg)
{
	struct tn_journal *j = arg;
	struct batch *b;

	while ((b = take(j))) {
		write_batch(j, b);
		batch_free(j, b);
	}
	return NULL;
}

/* --- handing over ----------------------------------------------------------------------------- */

/* The newest batch that waits takes the bytes too, if it can. */
static bool join_last(struct tn_journal *j)
{
	struct batch *last;

	if (!j->queue)
		return false;
	last = (struct batch *)(void *)((char *)j->tail - offsetof(struct batch, next));
	if (last->last || tn_record_append(&last->bytes, j->pending.data, j->sealed))
		return false;
	last->sequence = j->sequence;
	return true;
}

static struct batch *new_batch(struct tn_journal *j, bool last)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	*b = (struct batch){.file = j->file,
		.last = last,
		.at = j->handed,
		.sequence = j->sequence,
		.bytes = j->pending};
	b->bytes.len = j->sealed;
	return b;
}

/* What is sealed goes; a draft behind it stays. False: no memory, it waits for the next call. */
static bool hand_over(struct tn_journal *j, bool last)
{
	size_t draft = j->pending.len - j->sealed;
	struct batch *b = NULL;
	bool done;

	pthread_mutex_lock(&j->lock);
	done = !last && !draft && join_last(j);
	if (done) {
		j->pending.len = 0;
	} else {
		struct tn_api_buffer fresh = j->spare;

		if (!draft || !tn_record_append(&fresh, j->pending.data + j->sealed, draft))
			b = new_batch(j, last);
		done = b != NULL;
		if (done) {
			j->spare = (struct tn_api_buffer){0};
			j->pending = fresh;
			*j->tail = b;
			j->tail = &b->next;
		} else {
			j->spare = fresh;
			j->spare.len = 0;
		}
	}
	pthread_cond_signal(&j->work);
	pthread_mutex_unlock(&j->lock);
	if (done) {
		j->handed += j->sealed;
		j->sealed = 0;
	}
	return done;
}

void tn_journal_flush(struct tn_journal *j)
{
	if (j->sealed)
		(void)hand_over(j, false);
}

/* --- groups ----------------------------------------------------------------------------------- */

struct tn_api_buffer *tn_journal_draft(struct tn_journal *j, size_t *start)
{
	*start = j->sealed;
	return &j->pending;
}

static int no_room(const struct tn_journal *j, int rc, uint64_t need, struct tn_error *err)
{
	tn_error_set(err, TN_OFPBRC_EPERM, -1,
		"nothing was changed: the journal in %.100s has no room for it (%s): free %llu KB "
		"there and try again",
		j->disk->path, strerror(-rc), (unsigned long long)(need >> 10) + 1);
	return rc;
}

int tn_journal_reserve(struct tn_journal *j, uint64_t more, struct tn_error *err)
{
	uint64_t end = j->handed + j->pending.len + more, need;
	int rc;

	if (end <= j->allocated)
		return 0;
	need = end - j->allocated;
	rc = j->disk->ops->allocate(
		j->disk, j->file, j->allocated, need > TN_JOURNAL_CHUNK ? need : TN_JOURNAL_CHUNK);
	if (!rc) {
		j->allocated += need > TN_JOURNAL_CHUNK ? need : TN_JOURNAL_CHUNK;
		return 0;
	}
	/* The last of the disk is used up, too. */
	if (need < TN_JOURNAL_CHUNK)
		rc = j->disk->ops->allocate(j->disk, j->file, j->allocated, need);
	if (rc)
		return no_room(j, rc, need, err);
	j->allocated += need;
	return 0;
}

uint64_t tn_journal_seal(struct tn_journal *j)
{
	uint64_t next = j->sequence + 1;

	tn_records_seal(j->pending.data + j->sealed, j->pending.len - j->sealed, true, &next,
		tn_journal_durable(j));
	j->sequence = next - 1;
	j->sealed = j->pending.len;
	return j->sequence;
}

/* --- looking ---------------------------------------------------------------------------------- */

int tn_journal_fd(const struct tn_journal *j)
{
	return j->event;
}

void tn_journal_ack(struct tn_journal *j)
{
	uint64_t times;

	(void)!read(j->event, &times, sizeof(times));
}

uint64_t tn_journal_sequence(const struct tn_journal *j)
{
	return j->sequence;
}

uint64_t tn_journal_durable(const struct tn_journal *j)
{
	return __atomic_load_n(&j->durable, __ATOMIC_ACQUIRE);
}

int tn_journal_failure(const struct tn_journal *j)
{
	return __atomic_load_n(&j->failure, __ATOMIC_ACQUIRE);
}

uint64_t tn_journal_generation(const struct tn_journal *j)
{
	return j->generation;
}

uint64_t tn_journal_bytes(const struct tn_journal *j)
{
	return j->handed + j->sealed;
}

/* --- files ------------------------------------------------------------------------------------ */

int tn_journal_prepare(struct tn_disk *d, uint64_t generation)
{
	char name[TN_STATE_NAME_MAX];
	int file, rc;

	tn_state_file_name(name, TN_STATE_JOURNAL, generation);
	file = d->ops->open(d, name, true);
	if (file < 0)
		return file;
	rc = d->ops->allocate(d, file, 0, TN_JOURNAL_CHUNK);
	if (!rc)
		rc = d->ops->sync(d, file);
	if (!rc)
		rc = d->ops->sync_folder(d);
	if (!rc)
		return file;
	d->ops->close(d, file);
	(void)d->ops->remove(d, name);
	return rc;
}

/* The header goes with what is handed over first. */
static int begin_file(struct tn_journal *j, int file, uint64_t generation, uint64_t time_ns)
{
	struct tn_state_header h;

	j->file = file;
	j->generation = generation;
	j->handed = 0;
	j->allocated = TN_JOURNAL_CHUNK;
	tn_state_header_init(&h, TN_STATE_JOURNAL, generation, j->sequence + 1, j->dpid, time_ns);
	if (tn_record_append(&j->pending, &h, sizeof(h)))
		return -ENOMEM;
	j->sealed = j->pending.len;
	return 0;
}

int tn_journal_rotate(struct tn_journal *j, int file, uint64_t time_ns)
{
	int rc;

	TN_ASSERT(j->pending.len == j->sealed);
	if (!hand_over(j, true)) {
		j->disk->ops->close(j->disk, file);
		return -ENOMEM;
	}
	rc = begin_file(j, file, j->generation + 1, time_ns);
	if (rc) {
		__atomic_store_n(&j->failure, rc, __ATOMIC_RELEASE);
		ring(j);
		return rc;
	}
	tn_journal_flush(j);
	return 0;
}

bool tn_journal_wait_durable(struct tn_journal *j, uint64_t sequence, const bool *stop)
{
	bool done;

	pthread_mutex_lock(&j->lock);
	while (tn_journal_durable(j) < sequence && !tn_journal_failure(j) &&
		!(stop && __atomic_load_n(stop, __ATOMIC_RELAXED)))
		pthread_cond_wait(&j->progress, &j->lock);
	done = tn_journal_durable(j) >= sequence;
	pthread_mutex_unlock(&j->lock);
	return done;
}

void tn_journal_wake(struct tn_journal *j)
{
	pthread_mutex_lock(&j->lock);
	pthread_cond_broadcast(&j->progress);
	pthread_mutex_unlock(&j->lock);
}

/* --- life ------------------------------------------------------------------------------------- */

/* What is behind the end was never acknowledged, and is not to be taken for a record one day. */
static int open_file(struct tn_journal *j, const struct tn_journal_place *place)
{
	char name[TN_STATE_NAME_MAX];
	int rc;

	tn_state_file_name(name, TN_STATE_JOURNAL, place->generation);
	j->file = j->disk->ops->open(j->disk, name, false);
	if (j->file < 0)
		return j->file;
	rc = j->disk->ops->truncate(j->disk, j->file, place->end);
	if (!rc)
		rc = j->disk->ops->sync(j->disk, j->file);
	j->generation = place->generation;
	j->handed = j->allocated = place->end;
	return rc;
}

static int make_file(struct tn_journal *j, const struct tn_journal_place *place)
{
	int rc;

	j->file = tn_journal_prepare(j->disk, place->generation);
	if (j->file < 0)
		return j->file;
	rc = begin_file(j, j->file, place->generation, place->time_ns);
	if (!rc)
		rc = j->disk->ops->write(j->disk, j->file, j->pending.data, j->pending.len, 0);
	if (!rc)
		rc = j->disk->ops->sync(j->disk, j->file);
	j->handed = j->pending.len;
	j->pending.len = j->sealed = 0;
	return rc;
}

static void journal_free(struct tn_journal *j)
{
	if (j->file >= 0)
		j->disk->ops->close(j->disk, j->file);
	if (j->event >= 0)
		close(j->event);
	tn_api_buffer_fini(&j->pending);
	tn_api_buffer_fini(&j->spare);
	pthread_cond_destroy(&j->progress);
	pthread_cond_destroy(&j->work);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

static int start(struct tn_journal *j, const struct tn_journal_place *place)
{
	int rc = place->end ? open_file(j, place) : make_file(j, place);

	if (rc)
		return rc;
	j->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (j->event < 0)
		return -errno;
	return -pthread_create(&j->thread, NULL, thread_main, j);
}

struct tn_journal *tn_journal_open(
	struct tn_disk *d, const struct tn_journal_place *place, struct tn_error *err)
{
	struct tn_journal *j = calloc(1, sizeof(*j));
	int rc = -ENOMEM;

	if (j) {
		*j = (struct tn_journal){.disk = d,
			.dpid = place->dpid,
			.file = -1,
			.event = -1,
			.sequence = place->sequence,
			.durable = place->sequence};
		j->tail = &j->queue;
		pthread_mutex_init(&j->lock, NULL);
		pthread_cond_init(&j->work, NULL);
		pthread_cond_init(&j->progress, NULL);
		rc = start(j, place);
		if (!rc)
			return j;
		journal_free(j);
	}
	tn_error_set(err, TN_OFPBRC_EPERM, -1,
		"%.150s: cannot write a journal: %s; make it writable and free some megabytes",
		d->path, strerror(-rc));
	return NULL;
}

void tn_journal_close(struct tn_journal *j)
{
	if (!j)
		return;
	tn_journal_flush(j);
	pthread_mutex_lock(&j->lock);
	j->stop = true;
	pthread_cond_signal(&j->work);
	pthread_mutex_unlock(&j->lock);
	(void)pthread_join(j->thread, NULL);
	journal_free(j);
}
