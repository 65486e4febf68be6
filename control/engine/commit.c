/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/engine_private.h"

#include <errno.h>
#include <stdlib.h>

#define EARLY_MIN   1024u /* edits of a request from which on it is worth while */
#define EARLY_SLICE 512u  /* edits until something else has its turn */

static void put_staged(struct tn_engine *e, uint64_t from, uint64_t to)
{
	tn_store_put_number(e->store, TN_STORE_STAGED_FROM, from);
	tn_store_put_number(e->store, TN_STORE_STAGED_TO, to);
}

/* --- reading what there is --- */

static int read_number(void *ctx, enum tn_store_number number, uint64_t value)
{
	struct tn_engine *e = ctx;

	switch (number) {
	case TN_STORE_DPID:
		e->dpid = value;
		break;
	case TN_STORE_GENERATION:
		e->generation = value;
		break;
	case TN_STORE_DATAPLANE_STARTED:
		e->last_started_ns = value;
		break;
	case TN_STORE_SYNCED:
		e->synced = value;
		break;
	case TN_STORE_STAGED_FROM:
		e->staged.from = value;
		break;
	case TN_STORE_STAGED_TO:
		e->staged.to = value;
		break;
	}
	return 0;
}

/* Numbers of strings have no holes, so that they are given out as they were. */
static int read_string(void *ctx, uint32_t number, const char *s)
{
	struct tn_engine *e = ctx;

	if (tn_names_intern(e->names, s) != number)
		return -EINVAL;
	e->n_stored_strings = number + 1;
	return 0;
}

static int read_given(void *ctx, uint32_t space, const char *name, uint32_t number)
{
	struct tn_engine *e = ctx;

	if (space >= TN_N_NUMBER_SPACES)
		return -EINVAL;
	return tn_numbers_restore(e->tenants.numbers, (enum tn_number_space)space, name, number);
}

static int read_base(void *ctx, const struct tn_store_base *base)
{
	return tn_reset_restore(ctx, base);
}

static int read_object(void *ctx, const struct tn_store_object *object, struct tn_error *err)
{
	struct tn_engine *e = ctx;
	struct tn_wanted *w;

	if (object->row >= e->next_row)
		e->next_row = object->row + 1;
	if (object->row >= e->staged.from && object->row <= e->staged.to)
		return 0;
	if (!object->kind || object->kind >= TN_N_KINDS)
		return tn_error_set(err, TN_OF_OK, -1, "kind %u", object->kind);
	w = tn_persist_decode(e->dpid, object, err);
	if (w && tn_kind_is_tenant((enum tn_kind)w->kind))
		w = tn_engine_tenants_restore(e, w);
	if (!w)
		return -EINVAL;
	if (tn_index_get(&e->objects[w->kind], w->id)) {
		tn_wanted_put(w);
		return tn_error_set(err, TN_OF_OK, -1, "an object that came before");
	}
	tn_engine_place(e, w);
	tn_wanted_put(w);
	if (object->generation > e->kind_generation[object->kind])
		e->kind_generation[object->kind] = object->generation;
	return 0;
}

static void check_undo(void *ctx, const struct tn_undo *undo)
{
	(void)ctx;
	tn_wanted_put(undo->before);
}

static int read_unconfirmed(void *ctx, const struct tn_store_unconfirmed *u, struct tn_error *err)
{
	struct tn_engine *e = ctx;

	if (tn_persist_read_undo(e->dpid, u->body, u->size, check_undo, NULL, err))
		return -EINVAL;
	tn_unconfirmed_add(e, u->id, u->due_ns, u->body, u->size);
	return 0;
}

/* In place of rows that do not count: nothing. */
static void clear_staged(struct tn_engine *e)
{
	struct tn_error err;

	if (!e->staged.to)
		return;
	tn_store_begin(e->store);
	for (uint64_t row = e->staged.from; row <= e->staged.to; row++)
		tn_store_delete(e->store, row);
	put_staged(e, 0, 0);
	e->staged = (struct tn_staged){.stuck = tn_store_end(e->store, &err) != 0};
}

int tn_commit_open(struct tn_engine *e, const char *path, struct tn_error *err)
{
	const struct tn_store_reader reader = {
		.ctx = e,
		.number = read_number,
		.string = read_string,
		.object = read_object,
		.unconfirmed = read_unconfirmed,
		.given = read_given,
		.base = read_base,
	};

	e->next_row = 1;
	e->n_stored_strings = 1; /* "" */
	e->store = tn_store_open(path, &reader, err);
	if (!e->store)
		return -EINVAL;
	clear_staged(e);
	for (unsigned kind = 0; kind < TN_N_KINDS; kind++)
		e->kind_generation[kind] = e->generation;
	tn_engine_tenants_restored(e);
	return 0;
}

/* --- writing --- */

static void put_strings(struct tn_engine *e, uint32_t n)
{
	for (uint32_t i = e->n_stored_strings; i < n; i++)
		tn_store_put_string(e->store, i, tn_names_string(e->names, i));
}

static int put_object(struct tn_engine *e, struct tn_wanted *w, const struct tn_flow_add *add,
	struct tn_error *err)
{
	struct tn_store_object object;
	int rc = tn_persist_row(w, add, &e->row, &object, err);

	if (!rc)
		tn_store_put(e->store, &object);
	return rc;
}

/* Hosts are nothing to the data plane; tenant objects wait for what is made of them. */
static bool is_pending(const struct tn_edit *edit, bool waits)
{
	return waits && (edit->kind < TN_KIND_HOST || tn_kind_is_tenant((enum tn_kind)edit->kind));
}

/* waits: for the data plane, in which it is not yet. */
static int put_edit(struct tn_engine *e, struct tn_job *job, struct tn_edit *edit, bool waits,
	struct tn_error *err)
{
	struct tn_wanted *w = edit->after;

	if (!w || edit->reset)
		tn_reset_delete_object(e, (enum tn_kind)edit->kind, edit->id);
	if (!w) {
		if (edit->before->row)
			tn_store_delete(e->store, edit->before->row);
		return 0;
	}
	w->generation = job->generation;
	w->state = is_pending(edit, waits) ? TN_STATE_PENDING_ADD : TN_STATE_ADDED;
	if (w->derived)
		return 0;
	if (!w->row)
		w->row = e->next_row++;
	return put_object(e, w, edit->add, err);
}

static int put_unconfirmed(struct tn_engine *e, struct tn_job *job, struct tn_error *err)
{
	struct tn_api_buffer undo = {0};
	struct tn_store_unconfirmed u = {
		.id = job->generation,
		.due_ns = tn_engine_now() + job->r.confirm_within_s * (uint64_t)TN_ENGINE_SECOND,
	};
	int rc = tn_persist_undo(&job->plan.edits, &undo, err);

	u.body = undo.data;
	u.size = (uint32_t)undo.len;
	if (!rc) {
		tn_store_put_unconfirmed(e->store, &u);
		tn_unconfirmed_add(e, u.id, u.due_ns, u.body, u.size);
	}
	tn_api_buffer_fini(&undo);
	return rc;
}

static int put_edits(
	struct tn_engine *e, struct tn_job *job, size_t from, size_t to, struct tn_error *err)
{
	bool waits = job->accepted && tn_job_needs_data_plane(job);
	int rc = 0;

	for (size_t i = from; i < to && !rc; i++)
		rc = put_edit(e, job, &job->plan.edits.v[i], waits, err);
	return rc;
}

/* from: the edit that is to be written first. */
static int put_job(struct tn_engine *e, struct tn_job *job, size_t from, struct tn_error *err)
{
	int rc = put_edits(e, job, from, job->plan.edits.n, err);

	if (!rc && job->plan.tenants)
		tn_engine_tenants_store(e);
	if (!rc && job->r.confirm_within_s && job->plan.edits.n)
		rc = put_unconfirmed(e, job, err);
	if (job->undoes)
		tn_store_delete_unconfirmed(e->store, job->undoes);
	if (e->staged.job == job)
		put_staged(e, 0, 0);
	return rc;
}

static void placed(struct tn_engine *e, struct tn_job *job)
{
	if (job->plan.edits.n)
		e->generation = job->generation;
	if (e->staged.job == job)
		e->staged = (struct tn_staged){0};
	if (job->undoes)
		tn_unconfirmed_remove(e, job->undoes);
	if (job->plan.tenants)
		tn_engine_tenants_keep(e);
	tn_engine_apply(e, &job->plan.edits);
	if (job->plan.tenants)
		tn_announce_edits(e, &job->plan.edits);
	job->plan.tenants = false;
	tn_job_stored(job);
}

static void not_placed(struct tn_engine *e, struct tn_job *job, const struct tn_error *err)
{
	if (job->r.confirm_within_s)
		tn_unconfirmed_remove(e, job->generation);
	tn_job_not_stored(job, err);
}

/* --- rows that are written before the data plane has answered --- */

static bool replaces_nothing(const struct tn_edits *edits)
{
	for (size_t i = 0; i < edits->n; i++) {
		if (edits->v[i].before || edits->v[i].after->derived)
			return false;
	}
	return true;
}

void tn_commit_begin_early(struct tn_engine *e, struct tn_job *job)
{
	if (e->early.job || job->plan.edits.n < EARLY_MIN || job->plan.tenants)
		return;
	e->early = (struct tn_early){
		.job = job,
		.fresh = !e->staged.job && !e->staged.stuck && replaces_nothing(&job->plan.edits),
	};
	job->generation = e->generation + 1;
	tn_store_begin(e->store);
	tn_engine_wake(e);
}

/* The rows were numbered one after another. */
static void stage(struct tn_engine *e)
{
	struct tn_job *job = e->early.job;
	const struct tn_edits *edits = &job->plan.edits;
	uint64_t from = edits->v[0].after->row, to = edits->v[edits->n - 1].after->row;
	struct tn_error err;

	put_staged(e, from, to);
	if (tn_store_end(e->store, &err))
		e->early.job = NULL;
	else
		e->staged = (struct tn_staged){.job = job, .from = from, .to = to};
}

void tn_commit_go_on_early(struct tn_engine *e)
{
	struct tn_early *early = &e->early;
	size_t to = early->next + EARLY_SLICE;
	struct tn_error err;

	if (!early->job || early->next == early->job->plan.edits.n)
		return;
	if (to > early->job->plan.edits.n)
		to = early->job->plan.edits.n;
	if (put_edits(e, early->job, early->next, to, &err)) {
		tn_commit_drop_early(e);
		return;
	}
	early->next = to;
	if (to < early->job->plan.edits.n)
		tn_engine_wake(e);
	else if (early->fresh)
		stage(e);
}

void tn_commit_drop_early(struct tn_engine *e)
{
	if (!e->early.job)
		return;
	if (e->staged.job != e->early.job)
		tn_store_abort(e->store);
	e->early.job = NULL;
}

void tn_commit_unstage(struct tn_engine *e, struct tn_job *job)
{
	if (e->staged.job != job)
		return;
	tn_commit_drop_early(e);
	clear_staged(e);
}

/* The job whose rows are there already, first in the list; NULL: nobody's are. */
static struct tn_job *begin(struct tn_engine *e, struct tn_job_list *list)
{
	struct tn_job *job = e->early.job;

	if (job && job->stage == TN_JOB_READY) {
		TAILQ_REMOVE(list, job, ready_link);
		TAILQ_INSERT_HEAD(list, job, ready_link);
		if (e->staged.job == job)
			tn_store_begin(e->store);
		e->early.job = NULL;
		return job;
	}
	tn_commit_drop_early(e);
	tn_store_begin(e->store);
	return NULL;
}

/* --- a commit --- */

/* These jobs in one commit. Those that are not in it stay, where there are several. */
static void commit(struct tn_engine *e, struct tn_job_list *list)
{
	uint32_t n_strings = tn_names_n_strings(e->names);
	uint64_t generation = e->generation;
	struct tn_job_list done;
	struct tn_error err = {.of = TN_OF_OK};
	struct tn_job *job, *early = begin(e, list);
	int rc = 0, stored;

	put_strings(e, n_strings);
	TAILQ_FOREACH(job, list, ready_link)
	{
		job->generation = job->plan.edits.n ? ++generation : generation;
		rc = put_job(e, job, job == early ? e->early.next : 0, &err);
		if (rc)
			break;
	}
	tn_store_put_number(e->store, TN_STORE_GENERATION, generation);
	stored = rc ? tn_store_abort(e->store), rc : tn_store_end(e->store, &err);
	TAILQ_INIT(&done);
	TAILQ_CONCAT(&done, list, ready_link);
	if (!stored)
		e->n_stored_strings = n_strings;
	/* One that is at fault, or too large, takes no others with it. */
	if (stored && TAILQ_NEXT(TAILQ_FIRST(&done), ready_link)) {
		while ((job = TAILQ_FIRST(&done))) {
			struct tn_job_list one;

			TAILQ_REMOVE(&done, job, ready_link);
			TAILQ_INIT(&one);
			TAILQ_INSERT_TAIL(&one, job, ready_link);
			if (job->r.confirm_within_s)
				tn_unconfirmed_remove(e, job->generation);
			commit(e, &one);
		}
		return;
	}
	while ((job = TAILQ_FIRST(&done))) {
		TAILQ_REMOVE(&done, job, ready_link);
		if (stored)
			not_placed(e, job, &err);
		else
			placed(e, job);
	}
}

void tn_commit_ready(struct tn_engine *e)
{
	struct tn_job_list list;

	if (TAILQ_EMPTY(&e->ready))
		return;
	TAILQ_INIT(&list);
	TAILQ_CONCAT(&list, &e->ready, ready_link);
	commit(e, &list);
}

static bool has_timeout(const struct tn_wanted *w)
{
	return w->kind == TN_KIND_FLOW &&
		(tn_wanted_packed(w)->idle_timeout || tn_wanted_packed(w)->hard_timeout);
}

/*
 * Only of flows with a timeout does it matter after a restart: one that the data plane had and has
 * no more ran out, one that it never had is still to be added.
 */
void tn_commit_settled(struct tn_engine *e, const struct tn_edits *edits)
{
	struct tn_error err;
	bool any = false;

	for (size_t i = 0; i < edits->n; i++) {
		struct tn_wanted *w = edits->v[i].after;

		if (!w || w->state != TN_STATE_ADDED || !has_timeout(w) ||
			tn_index_get(&e->objects[w->kind], w->id) != w)
			continue;
		if (!any) {
			tn_commit_drop_early(e);
			tn_store_begin(e->store);
		}
		any = true;
		(void)put_object(e, w, NULL, &err);
	}
	/* Not written: it may be added once more after a restart. */
	if (any && tn_store_end(e->store, &err))
		return;
}

bool tn_commit_knows_data_plane(const struct tn_engine *e)
{
	return e->synced && e->last_started_ns == e->link.started_ns;
}

int tn_commit_end_in_step(struct tn_engine *e, struct tn_error *err)
{
	int rc;

	tn_store_put_number(e->store, TN_STORE_SYNCED, 1);
	tn_store_put_number(e->store, TN_STORE_DATAPLANE_STARTED, e->link.started_ns);
	tn_store_put_number(e->store, TN_STORE_DPID, e->dpid);
	rc = tn_store_end(e->store, err);
	if (rc)
		return rc;
	e->synced = true;
	e->last_started_ns = e->link.started_ns;
	return 0;
}

void tn_commit_in_step(struct tn_engine *e)
{
	struct tn_error err;

	if (tn_commit_knows_data_plane(e))
		return;
	tn_commit_drop_early(e);
	tn_store_begin(e->store);
	tn_store_clear_bases(e->store);
	/* Not written: a restart of this process looks at the data plane as at a new one. */
	if (tn_commit_end_in_step(e, &err))
		return;
}
