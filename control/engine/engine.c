/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "control/engine/engine_private.h"

uint64_t tn_engine_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct tn_engine *tn_engine_new(
	struct tn_loop *loop, const struct tn_engine_options *options, struct tn_error *err)
{
	struct tn_engine *e = calloc(1, sizeof(*e));

	(void)err;
	if (!e)
		abort();
	e->loop = loop;
	e->refuse_when_away = options->refuse_when_away;
	e->dpid = options->dpid;
	e->generation = 1;
	for (unsigned kind = 0; kind < TN_N_KINDS; kind++)
		e->kind_generation[kind] = e->generation;
	e->names = tn_names_new();
	tn_names_limit(e->names, TN_ENGINE_STRINGS_MAX, TN_ENGINE_STRING_BYTES_MAX);
	tn_watch_init(&e->watch, tn_engine_now());
	return e;
}

static void free_objects(struct tn_index *objects)
{
	struct tn_wanted *w;
	uint64_t key = 0;

	while ((w = tn_index_from(objects, &key))) {
		tn_wanted_put(w);
		if (!tn_index_step(&key))
			break;
	}
	tn_index_fini(objects);
}

void tn_engine_free(struct tn_engine *e)
{
	if (!e)
		return;
	for (unsigned kind = 0; kind < TN_N_KINDS; kind++)
		free_objects(&e->objects[kind]);
	tn_watch_fini(&e->watch);
	tn_busy_fini(&e->busy);
	tn_unpacked_flow_fini(&e->scratch);
	tn_names_free(e->names);
	free(e);
}

void tn_engine_submit(struct tn_engine *e, const struct tn_request *request)
{
	struct tn_outcome outcome = {.verdict = TN_DONE, .generation = e->generation};
	struct tn_plan plan;
	int rc = tn_plan_make(&plan, e, request, request->dry_run, tn_engine_now());

	if (rc) {
		outcome.verdict = plan.verdict;
		outcome.failed = plan.failed;
		outcome.errors = &plan.diag;
	} else {
		if (!request->dry_run && plan.edits.n) {
			e->generation++;
			tn_engine_apply(e, &plan.edits, TN_STATE_ADDED);
		}
		for (size_t i = 0; i < request->n; i++)
			plan.results[i].generation = e->generation;
		outcome.results = plan.results;
		outcome.n_results = request->n;
		outcome.generation = e->generation;
	}
	if (request->done)
		request->done(request->ctx, &outcome);
	tn_plan_fini(&plan);
}

void tn_engine_forget(struct tn_engine *e, const void *ctx)
{
	(void)e;
	(void)ctx;
}

int tn_engine_confirm(struct tn_engine *e, uint64_t transaction, tn_done_fn done, void *ctx)
{
	(void)e;
	(void)transaction;
	(void)done;
	(void)ctx;
	return -ENOENT;
}

int tn_engine_cancel(struct tn_engine *e, uint64_t transaction, tn_done_fn done, void *ctx)
{
	return tn_engine_confirm(e, transaction, done, ctx);
}

void tn_engine_refresh(struct tn_engine *e, unsigned kinds, tn_refreshed_fn fn, void *ctx)
{
	(void)e;
	(void)kinds;
	fn(ctx, -ENOTCONN);
}

const struct tn_table_info *tn_engine_tables(const struct tn_engine *e, size_t *n)
{
	(void)e;
	*n = 0;
	return NULL;
}

const struct tn_api_worker_info *tn_engine_workers(const struct tn_engine *e, size_t *n)
{
	(void)e;
	*n = 0;
	return NULL;
}

void tn_engine_status(const struct tn_engine *e, struct tn_engine_status *status)
{
	*status = (struct tn_engine_status){
		.version = "",
		.dpid = e->dpid,
		.pending = e->n_pending,
		.failed = e->n_failed,
		.memory_bytes = e->object_bytes,
	};
	for (unsigned kind = 0; kind < TN_N_KINDS; kind++)
		status->memory_bytes += tn_index_bytes(&e->objects[kind]);
}

void tn_engine_trace(
	struct tn_engine *e, const struct tn_api_trace *trace, tn_trace_fn fn, void *ctx)
{
	struct tn_error err;

	(void)e;
	(void)trace;
	(void)tn_error_set(&err, TN_OFPBRC_BAD_TYPE, -1,
		"the data plane is away; start it, or look at its socket's path");
	fn(ctx, NULL, &err);
}

void tn_engine_set_underlay(struct tn_engine *e, const struct tn_underlay_config *config)
{
	(void)e;
	(void)config;
}
