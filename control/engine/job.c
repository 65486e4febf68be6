/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/engine_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the store refused to know of is looked at again then. */
#define RETRY_NS (10 * (uint64_t)TN_ENGINE_SECOND)

static struct tn_job *new_job(struct tn_engine *e)
{
	struct tn_job *job = calloc(1, sizeof(*job));

	if (!job)
		abort();
	job->e = e;
	tn_diagnostics_init(&job->errors);
	return job;
}

static void free_job(struct tn_job *job)
{
	tn_delivery_fini(&job->delivery);
	tn_plan_fini(&job->plan);
	tn_diagnostics_fini(&job->errors);
	free(job);
}

/* Tells whoever asked; the job goes on if there is something left of it. */
static void answer(struct tn_job *job, enum tn_verdict verdict)
{
	struct tn_engine *e = job->e;
	tn_done_fn done = job->r.done;
	struct tn_outcome outcome = {
		.verdict = verdict,
		.failed = job->plan.failed,
		.errors = job->errors.n ? &job->errors : &job->plan.diag,
		.generation = job->stored_generation ? job->stored_generation : e->generation,
	};

	if (verdict == TN_DONE || verdict == TN_ACCEPTED) {
		outcome.results = job->plan.results;
		outcome.n_results = job->r.n;
		if (job->r.confirm_within_s && job->plan.edits.n)
			outcome.transaction = job->generation;
	}
	job->r.done = NULL;
	if (done)
		done(job->r.ctx, &outcome);
}

/* Of a job that is in no list any more, or in jobs. */
static void end(struct tn_job *job, enum tn_verdict verdict)
{
	struct tn_engine *e = job->e;

	if (e->early.job == job)
		tn_commit_drop_early(e);
	tn_commit_unstage(e, job);
	if (job->undoes && verdict != TN_DONE && verdict != TN_ACCEPTED)
		tn_unconfirmed_retry(e, job->undoes);
	if (job->plan.tenants)
		tn_engine_tenants_undo(e);
	job->plan.tenants = false;
	if (job->stage != TN_JOB_QUEUED) {
		TAILQ_REMOVE(&e->jobs, job, link);
		tn_busy_remove(&e->busy, &job->plan.edits);
		e->n_under_way--;
		tn_refresh_spoil(e);
		tn_engine_wake(e);
	}
	answer(job, verdict);
	free_job(job);
}

static void say(struct tn_job *job, size_t operation, const struct tn_error *err)
{
	const char *pointer = NULL;

	/* Operations are there as long as somebody is to be told. */
	if (job->r.done && operation < job->r.n)
		pointer = job->r.operations[operation].pointer;
	job->plan.failed = operation;
	tn_diagnostics_add(&job->errors, pointer ? pointer : "", 0, 0, err->of, "%s", err->detail);
}

static void set_generations(struct tn_job *job)
{
	struct tn_engine *e = job->e;

	for (size_t i = 0; i < job->r.n; i++) {
		struct tn_result *result = &job->plan.results[i];
		const struct tn_wanted *w = NULL;

		if (result->kind && !result->changed)
			w = tn_index_get(&e->objects[result->kind], result->id);
		result->generation = w ? w->generation : e->generation;
	}
}

static void refuse_away(struct tn_job *job)
{
	struct tn_error err = {.of = TN_OF_OK};

	(void)tn_error_set(&err, TN_OF_OK, -1,
		"the data plane is away, and this cannot be done without it; try again when it is "
		"back");
	say(job, 0, &err);
	end(job, TN_UNAVAILABLE);
}

/* The connection was lost: what became of it in the data plane is found out when it is back. */
static void without_data_plane(struct tn_job *job)
{
	struct tn_engine *e = job->e;

	if (e->early.job == job)
		tn_commit_drop_early(e);
	if (e->refuse_when_away || e->freeing || job->plan.n_packet_outs) {
		refuse_away(job);
		return;
	}
	job->accepted = true;
	tn_job_ready(job);
}

static void refused(struct tn_job *job)
{
	const struct tn_delivery *d = &job->delivery;
	size_t operation = d->failed;

	if (!d->failed_packet_out)
		operation = job->plan.edits.v[d->failed].op;
	say(job, operation, &d->error);
	end(job, TN_REFUSED);
}

static void not_stored_undone(void *ctx, int rc)
{
	struct tn_job *job = ctx;

	(void)rc;
	end(job, TN_STORE_FAILED);
}

static void not_stored_refused(void *ctx, const struct tn_edit *edit, const struct tn_error *err)
{
	struct tn_job *job = ctx;

	(void)edit;
	(void)err;
	tn_engine_resync(job->e);
}

/* The data plane has it, and shall not. */
static void undo(struct tn_job *job)
{
	struct tn_edits *edits = &job->plan.edits;

	for (size_t i = 0; i < edits->n; i++) {
		struct tn_wanted *after = edits->v[i].after;

		edits->v[i].after = edits->v[i].before;
		edits->v[i].before = after;
		edits->v[i].add = NULL;
	}
	job->stage = TN_JOB_UNDOING;
	tn_delivery_fini(&job->delivery);
	job->delivery = (struct tn_delivery){
		.e = job->e,
		.edits = edits,
		.piecemeal = true,
		.ctx = job,
		.refused = not_stored_refused,
		.done = not_stored_undone,
	};
	tn_delivery_start(&job->delivery);
}

/* It is in force, and the data plane keeps it now, or (rc) it is not known that it does. */
static void kept(struct tn_job *job, int rc)
{
	job->keeping = false;
	if (job->stage == TN_JOB_READY) {
		if (!rc)
			return;
		TAILQ_REMOVE(&job->e->ready, job, ready_link);
		without_data_plane(job);
	} else if (job->not_stored) {
		undo(job);
	} else {
		end(job, rc ? TN_ACCEPTED : TN_DONE);
	}
}

/* It is stored while the data plane keeps it. */
static void on_in_force(void *ctx)
{
	struct tn_job *job = ctx;

	job->keeping = true;
	tn_job_ready(job);
}

static void on_delivered(void *ctx, int rc)
{
	struct tn_job *job = ctx;

	if (job->keeping)
		kept(job, rc);
	else if (rc == -EINVAL)
		refused(job);
	else if (rc)
		without_data_plane(job);
	else
		tn_job_ready(job);
}

static void deliver(struct tn_job *job)
{
	job->stage = TN_JOB_DELIVERING;
	job->delivery = (struct tn_delivery){
		.e = job->e,
		.edits = &job->plan.edits,
		.operations = job->r.operations,
		.n_operations = job->r.n,
		.ctx = job,
		.done = on_delivered,
		.in_force = on_in_force,
	};
	tn_delivery_start(&job->delivery);
}

bool tn_job_needs_data_plane(const struct tn_job *job)
{
	for (size_t i = 0; i < job->plan.edits.n; i++) {
		if (job->plan.edits.v[i].kind < TN_KIND_HOST)
			return true;
	}
	return job->plan.n_packet_outs > 0;
}

void tn_job_begin(struct tn_job *job)
{
	bool at_once = job->installed || !tn_job_needs_data_plane(job);
	struct tn_engine *e = job->e;

	TAILQ_INSERT_TAIL(&e->jobs, job, link);
	tn_busy_add(&e->busy, &job->plan.edits);
	e->n_under_way++;

	if (at_once && !(job->r.no_wait && job->plan.tenants)) {
		tn_job_ready(job);
	} else if (e->link.state == TN_LINK_AWAY) {
		job->stage = TN_JOB_DELIVERING;
		without_data_plane(job);
	} else if (job->r.no_wait && !job->plan.n_packet_outs) {
		job->accepted = true;
		tn_job_ready(job);
	} else {
		tn_commit_begin_early(e, job);
		deliver(job);
	}
}

void tn_job_ready(struct tn_job *job)
{
	job->stage = TN_JOB_READY;
	TAILQ_INSERT_TAIL(&job->e->ready, job, ready_link);
	tn_engine_wake(job->e);
}

/* Nothing of the request is needed from here on. */
static void forget_request(struct tn_job *job)
{
	for (size_t i = 0; i < job->plan.edits.n; i++)
		job->plan.edits.v[i].add = NULL;
	if (job->delivery.operations)
		tn_delivery_forget_operations(&job->delivery);
	job->r.operations = NULL;
	job->r.done = NULL;
}

static void push_refused(void *ctx, const struct tn_edit *edit, const struct tn_error *err)
{
	struct tn_job *job = ctx;

	tn_engine_refused(job->e, edit, err);
}

static void push_done(void *ctx, int rc)
{
	struct tn_job *job = ctx;
	struct tn_engine *e = job->e;

	for (size_t i = 0; i < job->plan.edits.n && !rc; i++) {
		struct tn_wanted *w = job->plan.edits.v[i].after;

		if (w && w->state == TN_STATE_PENDING_ADD &&
			tn_index_get(&e->objects[w->kind], w->id) == w)
			tn_engine_set_state(e, w, TN_STATE_ADDED, NULL);
	}
	if (!rc)
		tn_commit_settled(e, &job->plan.edits);
	tn_made_tell(e);
	end(job, TN_ACCEPTED);
}

/* It is stored; if the data plane is there, it gets it now, otherwise when it is back. */
static void push(struct tn_job *job)
{
	answer(job, TN_ACCEPTED);
	forget_request(job);
	if (job->e->link.state != TN_LINK_IN_STEP) {
		end(job, TN_ACCEPTED);
		return;
	}
	job->stage = TN_JOB_PUSHING;
	tn_delivery_fini(&job->delivery);
	job->delivery = (struct tn_delivery){
		.e = job->e,
		.edits = &job->plan.edits,
		.piecemeal = true,
		.ctx = job,
		.refused = push_refused,
		.done = push_done,
	};
	tn_delivery_start(&job->delivery);
}

void tn_job_stored(struct tn_job *job)
{
	set_generations(job);
	job->stored_generation = job->e->generation;
	if (job->accepted)
		push(job);
	else if (job->keeping)
		job->stage = TN_JOB_KEEPING;
	else
		end(job, TN_DONE);
}

void tn_job_not_stored(struct tn_job *job, const struct tn_error *err)
{
	say(job, 0, err);
	if (job->installed)
		job->e->resync_at_ns = tn_engine_now() + RETRY_NS;
	if (job->installed || job->accepted || job->e->link.state == TN_LINK_AWAY) {
		end(job, TN_STORE_FAILED);
	} else if (job->keeping) {
		job->not_stored = true;
		job->stage = TN_JOB_KEEPING;
	} else {
		undo(job);
	}
}

void tn_job_forget(struct tn_job *job)
{
	if (job->plan.tenants)
		tn_engine_tenants_undo(job->e);
	free_job(job);
}

struct tn_job *tn_job_internal(struct tn_engine *e, struct tn_edits *edits)
{
	struct tn_job *job = new_job(e);

	job->plan.e = e;
	job->plan.edits = *edits;
	*edits = (struct tn_edits){0};
	tn_diagnostics_init(&job->plan.diag);
	job->stage = TN_JOB_DELIVERING;
	return job;
}

/* What the data plane would say of flows, while it cannot. */
static int check_alone(struct tn_job *job)
{
	for (size_t i = 0; i < job->plan.edits.n; i++) {
		const struct tn_edit *edit = &job->plan.edits.v[i];
		struct tn_unpacked_flow flow = {0};
		struct tn_error err;
		int rc;

		if (edit->kind != TN_KIND_FLOW || !edit->after)
			continue;
		tn_wanted_unpack(edit->after, &flow);
		rc = tn_match_check(&flow.info.match, &err);
		if (!rc)
			rc = tn_instructions_check(
				&flow.info.inst, &flow.info.match, flow.info.table_id, &err);
		tn_unpacked_flow_fini(&flow);
		if (rc) {
			say(job, edit->op, &err);
			return rc;
		}
	}
	return 0;
}

static void tell_difference(struct tn_engine *e, struct tn_job *job)
{
	struct tn_unpacked_flow before_flow = {0}, after_flow = {0};
	struct tn_object before, after;

	for (size_t i = 0; i < job->plan.edits.n; i++) {
		const struct tn_edit *edit = &job->plan.edits.v[i];

		if (edit->before)
			tn_wanted_object(edit->before, &before_flow, &before);
		if (edit->after) {
			edit->after->generation = e->generation;
			tn_wanted_object(edit->after, &after_flow, &after);
		}
		job->r.difference(
			job->r.ctx, edit->before ? &before : NULL, edit->after ? &after : NULL);
	}
	tn_unpacked_flow_fini(&before_flow);
	tn_unpacked_flow_fini(&after_flow);
}

/* -EAGAIN: tenant objects are under way, on which it depends. Otherwise it is answered. */
static int dry_run(struct tn_job *job)
{
	int rc = tn_plan_make(&job->plan, job->e, &job->r, true, tn_engine_now());

	if (rc == -EAGAIN) {
		tn_plan_fini(&job->plan);
		job->plan = (struct tn_plan){0};
		return rc;
	}
	if (rc) {
		end(job, job->plan.verdict);
		return 0;
	}
	if (check_alone(job)) {
		end(job, TN_REFUSED);
		return 0;
	}
	if (job->r.difference)
		tell_difference(job->e, job);
	set_generations(job);
	job->r.confirm_within_s = 0;
	end(job, TN_DONE);
	return 0;
}

/* -EAGAIN: not yet. Otherwise the job has left the queue. */
static int start(struct tn_job *job)
{
	struct tn_engine *e = job->e;
	int rc;

	if (job->r.dry_run) {
		if (e->tenants.changing)
			return -EAGAIN;
		TAILQ_REMOVE(&e->queue, job, link);
		return dry_run(job);
	}
	rc = tn_plan_make(&job->plan, e, &job->r, false, tn_engine_now());
	if (rc == -EAGAIN) {
		tn_plan_fini(&job->plan);
		job->plan = (struct tn_plan){0};
		return rc;
	}
	TAILQ_REMOVE(&e->queue, job, link);
	if (!rc && (e->link.state == TN_LINK_AWAY || job->r.no_wait) && check_alone(job)) {
		end(job, TN_REFUSED);
		return 0;
	}
	if (rc) {
		end(job, job->plan.verdict);
	} else if (!job->plan.edits.n && !job->plan.n_packet_outs) {
		set_generations(job);
		end(job, TN_DONE);
	} else {
		tn_job_begin(job);
	}
	return 0;
}

void tn_jobs_start(struct tn_engine *e)
{
	struct tn_job *job;

	while (e->link.state != TN_LINK_SYNCING && !e->resync) {
		job = TAILQ_FIRST(&e->queue);
		if (!job || start(job) == -EAGAIN)
			break;
	}
}

void tn_jobs_end(struct tn_engine *e)
{
	struct tn_job *job;

	while ((job = TAILQ_FIRST(&e->ready))) {
		TAILQ_REMOVE(&e->ready, job, ready_link);
		refuse_away(job);
	}
	while ((job = TAILQ_FIRST(&e->queue))) {
		TAILQ_REMOVE(&e->queue, job, link);
		refuse_away(job);
	}
}

void tn_engine_submit(struct tn_engine *e, const struct tn_request *request)
{
	struct tn_job *job = new_job(e);

	job->r = *request;
	if (request->dry_run && dry_run(job) != -EAGAIN)
		return;
	TAILQ_INSERT_TAIL(&e->queue, job, link);
	tn_engine_wake(e);
}

void tn_jobs_forget(struct tn_engine *e, const void *ctx)
{
	struct tn_job *job, *next;

	for (job = TAILQ_FIRST(&e->queue); job; job = next) {
		next = TAILQ_NEXT(job, link);
		if (job->r.ctx != ctx)
			continue;
		TAILQ_REMOVE(&e->queue, job, link);
		free_job(job);
	}
	TAILQ_FOREACH(job, &e->jobs, link)
	{
		if (job->r.ctx == ctx && job->r.done)
			forget_request(job);
	}
}
