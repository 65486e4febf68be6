/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/engine_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An undo that was refused, or could not be stored. */
#define RETRY_NS (10 * (uint64_t)TN_ENGINE_SECOND)

void tn_unconfirmed_add(
	struct tn_engine *e, uint64_t id, uint64_t due_ns, const void *undo, size_t size)
{
	struct tn_unconfirmed *u = calloc(1, sizeof(*u));

	if (!u || tn_api_buffer_reserve(&u->undo, size))
		abort();
	u->id = id;
	u->due_ns = due_ns;
	memcpy(u->undo.data, undo, size);
	u->undo.len = size;
	u->next = e->unconfirmed;
	e->unconfirmed = u;
}

static struct tn_unconfirmed *find(const struct tn_engine *e, uint64_t id)
{
	struct tn_unconfirmed *u = e->unconfirmed;

	while (u && u->id != id)
		u = u->next;
	return u;
}

void tn_unconfirmed_remove(struct tn_engine *e, uint64_t id)
{
	struct tn_unconfirmed **at = &e->unconfirmed, *u;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	u = *at;
	if (!u)
		return;
	*at = u->next;
	tn_api_buffer_fini(&u->undo);
	free(u);
}

struct undoing {
	struct tn_engine *e;
	struct tn_edits edits;
	bool busy;
};

/* What was changed again since is left as it is. */
static void undo_one(
	void *ctx, enum tn_kind kind, uint64_t id, uint64_t generation, struct tn_wanted *before)
{
	struct undoing *u = ctx;
	struct tn_wanted *now = tn_index_get(&u->e->objects[kind], id);
	struct tn_edit *edit;

	u->busy |= tn_busy_has(&u->e->busy, kind, id);
	if ((now ? now->generation : 0) != generation || (!now && !before)) {
		tn_wanted_put(before);
		return;
	}
	edit = tn_edits_add(&u->edits, kind, id, now);
	if (before && now) {
		before->row = now->row;
		before->counter = now->counter;
		before->last_used_ns = now->last_used_ns;
	}
	tn_edit_set(edit, before, 0);
}

/* -EAGAIN: something of it is under way. */
static int undo(struct tn_engine *e, struct tn_unconfirmed *u, tn_done_fn done, void *ctx)
{
	struct undoing undoing = {.e = e};
	struct tn_error err;
	struct tn_job *job;

	if (e->link.state == TN_LINK_SYNCING || e->resync)
		return -EAGAIN;
	/* It was read before, when it was made or loaded. */
	if (tn_persist_read_undo(e->dpid, u->undo.data, u->undo.len, undo_one, &undoing, &err) ||
		undoing.busy) {
		tn_edits_fini(&undoing.edits);
		return -EAGAIN;
	}
	u->ending = true;
	job = tn_job_internal(e, &undoing.edits);
	job->undoes = u->id;
	job->r.done = done;
	job->r.ctx = ctx;
	tn_job_begin(job);
	return 0;
}

struct looking {
	struct tn_engine *e;
	struct tn_scope scope;
	bool foreign;
};

static void look_at_one(
	void *ctx, enum tn_kind kind, uint64_t id, uint64_t generation, struct tn_wanted *before)
{
	struct looking *l = ctx;
	const struct tn_wanted *now = tn_index_get(&l->e->objects[kind], id);

	(void)generation;
	if ((before && before->tenant != l->scope.tenant) ||
		(now && now->tenant != l->scope.tenant))
		l->foreign = true;
	tn_wanted_put(before);
}

/* One that waits, and whose objects are all in the scope; NULL: none. */
static struct tn_unconfirmed *find_in(
	struct tn_engine *e, uint64_t transaction, struct tn_scope scope)
{
	struct tn_unconfirmed *u = find(e, transaction);
	struct looking l = {.e = e, .scope = scope};
	struct tn_error err;

	if (!u || u->ending || !scope.tenant)
		return u && !u->ending ? u : NULL;
	if (tn_persist_read_undo(e->dpid, u->undo.data, u->undo.len, look_at_one, &l, &err))
		return NULL;
	return l.foreign ? NULL : u;
}

int tn_engine_confirm(struct tn_engine *e, uint64_t transaction, struct tn_scope scope,
	tn_done_fn done, void *ctx)
{
	struct tn_unconfirmed *u = find_in(e, transaction, scope);
	struct tn_edits none = {0};
	struct tn_job *job;

	if (!u)
		return -ENOENT;
	u->ending = true;
	job = tn_job_internal(e, &none);
	job->undoes = u->id;
	job->installed = true;
	job->r.done = done;
	job->r.ctx = ctx;
	tn_job_begin(job);
	return 0;
}

int tn_engine_cancel(struct tn_engine *e, uint64_t transaction, struct tn_scope scope,
	tn_done_fn done, void *ctx)
{
	struct tn_unconfirmed *u = find_in(e, transaction, scope);

	if (!u)
		return -ENOENT;
	if (undo(e, u, done, ctx)) {
		u->due_ns = 0; /* as soon as it can be */
		u->done = done;
		u->ctx = ctx;
	}
	return 0;
}

void tn_unconfirmed_tick(struct tn_engine *e, uint64_t now_ns)
{
	struct tn_unconfirmed *next;

	for (struct tn_unconfirmed *u = e->unconfirmed; u; u = next) {
		next = u->next;
		if (!u->ending && u->due_ns <= now_ns)
			(void)undo(e, u, u->done, u->ctx);
	}
}

void tn_unconfirmed_retry(struct tn_engine *e, uint64_t id)
{
	struct tn_unconfirmed *u = find(e, id);

	if (!u)
		return;
	u->ending = false;
	if (u->due_ns < tn_engine_now())
		u->due_ns = tn_engine_now() + RETRY_NS;
}

void tn_unconfirmed_forget(struct tn_engine *e, const void *ctx)
{
	for (struct tn_unconfirmed *u = e->unconfirmed; u; u = u->next) {
		if (u->ctx == ctx)
			u->done = NULL;
	}
}

void tn_unconfirmed_free(struct tn_engine *e)
{
	while (e->unconfirmed)
		tn_unconfirmed_remove(e, e->unconfirmed->id);
}
