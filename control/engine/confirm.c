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
	bool busy, tenants;
	/* What tenant objects were, until the compiler has them. */
	struct tn_wanted **before;
	size_t n_before;
};

static struct tn_wanted *now_of(const struct tn_engine *e, const struct tn_undo *undo)
{
	uint64_t id = undo->id;

	if (undo->name)
		id = tn_engine_tenant_id(
			e, (enum tn_tenant_kind)(undo->kind - TN_KIND_TENANT), undo->name);
	return tn_index_get(&e->objects[undo->kind], id);
}

static void undo_tenant(struct undoing *u, const struct tn_undo *undo)
{
	static const struct tn_tenants_origin origin;
	struct tn_tenants *all = u->e->tenants.all;

	if (!u->tenants) {
		u->busy |= u->e->tenants.changing;
		if (u->busy) {
			tn_wanted_put(undo->before);
			return;
		}
		u->e->tenants.changing = true;
		u->tenants = true;
	}
	if (!undo->before) {
		tn_tenants_remove(all, (enum tn_tenant_kind)(undo->kind - TN_KIND_TENANT),
			tn_arena_strdup(&u->e->tenants.arena, undo->name), &origin);
		return;
	}
	u->before = realloc(u->before, (u->n_before + 1) * sizeof(struct tn_wanted *));
	if (!u->before)
		abort();
	u->before[u->n_before++] = undo->before;
	tn_tenants_put(all, &tn_wanted_as_tenant(undo->before)->value, &origin);
}

/* What was changed again since is left as it is. */
static void undo_one(void *ctx, const struct tn_undo *undo)
{
	struct undoing *u = ctx;
	struct tn_wanted *now = now_of(u->e, undo), *before = undo->before;
	struct tn_edit *edit;

	u->busy |= now && tn_busy_has(&u->e->busy, undo->kind, now->id);
	u->busy |= !undo->name && tn_busy_has(&u->e->busy, undo->kind, undo->id);
	if ((now ? now->generation : 0) != undo->generation || (!now && !before)) {
		tn_wanted_put(before);
		return;
	}
	if (undo->name) {
		undo_tenant(u, undo);
		return;
	}
	edit = tn_edits_add(&u->edits, undo->kind, undo->id, now);
	if (before && now) {
		before->row = now->row;
		before->counter = now->counter;
		before->last_used_ns = now->last_used_ns;
	}
	tn_edit_set(edit, before, 0);
}

/* What tenant objects were is looked at as a whole, and what is made of them made again. */
static int plan_tenants(struct undoing *u, struct tn_job *job)
{
	struct tn_plan *p = &job->plan;
	int rc;

	if (!u->tenants)
		return 0;
	p->r = &job->r;
	p->tenants = true;
	p->now_ns = tn_engine_now();
	p->results = calloc(1, sizeof(*p->results));
	if (!p->results)
		abort();
	rc = tn_plan_tenants(p);
	tn_edits_compact(&p->edits);
	return rc;
}

static void free_before(struct undoing *u)
{
	for (size_t i = 0; i < u->n_before; i++)
		tn_wanted_put(u->before[i]);
	free(u->before);
}

static bool has_tenants(const struct tn_plan *p)
{
	for (size_t i = 0; i < p->edits.n; i++)
		if (tn_kind_is_tenant((enum tn_kind)p->edits.v[i].kind))
			return true;
	return false;
}

/* -EAGAIN: something of it is under way. */
static int undo(struct tn_engine *e, struct tn_unconfirmed *u, tn_done_fn done, void *ctx)
{
	struct undoing undoing = {.e = e};
	struct tn_error err;
	struct tn_job *job;
	int rc;

	if (e->link.state == TN_LINK_SYNCING || e->resync)
		return -EAGAIN;
	/* It was read before, when it was made or loaded. */
	rc = tn_persist_read_undo(e->dpid, u->undo.data, u->undo.len, undo_one, &undoing, &err);
	if (rc || undoing.busy) {
		if (undoing.tenants)
			tn_engine_tenants_undo(e);
		free_before(&undoing);
		tn_edits_fini(&undoing.edits);
		return -EAGAIN;
	}
	job = tn_job_internal(e, &undoing.edits);
	rc = plan_tenants(&undoing, job);
	free_before(&undoing);
	/* What contradicts what was declared since stays as it is; the rest is undone. */
	if (rc == -EINVAL && !has_tenants(&job->plan)) {
		tn_engine_tenants_undo(e);
		job->plan.tenants = false;
		rc = 0;
	}
	if (rc) {
		tn_job_forget(job);
		return -EAGAIN;
	}
	u->ending = true;
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

static void look_at_one(void *ctx, const struct tn_undo *undo)
{
	struct looking *l = ctx;
	const struct tn_wanted *now = now_of(l->e, undo);

	if ((undo->before && undo->before->tenant != l->scope.tenant) ||
		(now && now->tenant != l->scope.tenant))
		l->foreign = true;
	tn_wanted_put(undo->before);
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
