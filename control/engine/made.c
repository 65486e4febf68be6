/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tenant objects by what is made of them. What a maker of the compiler has in the data plane is
 * counted where it is not as it should be; everything else costs nothing.
 */
#include "control/engine/engine_private.h"

#include <stdlib.h>

struct tn_maker {
	uint64_t id;
	uint32_t pending, failed;
	enum tn_object_state told; /* to watchers */
	bool changed;		   /* in the list */
	struct tn_maker *next;
	struct tn_error failure; /* the last one's */
};

static enum tn_object_state state_of(const struct tn_maker *m)
{
	if (m->failed)
		return TN_STATE_FAILED;
	return m->pending ? TN_STATE_PENDING_ADD : TN_STATE_ADDED;
}

/* Objects come by maker. */
static struct tn_maker *maker_of(struct tn_engine_made *made, uint64_t id)
{
	struct tn_maker *m = made->last;

	if (m && m->id == id)
		return m;
	m = tn_index_get(&made->makers, id);
	if (!m) {
		m = calloc(1, sizeof(*m));
		if (!m)
			abort();
		m->id = id;
		m->told = TN_STATE_ADDED;
		(void)tn_index_put(&made->makers, id, m);
	}
	made->last = m;
	return m;
}

void tn_made_count(struct tn_engine *e, const struct tn_wanted *w, int by)
{
	struct tn_maker *m;

	if (!w->maker || w->state == TN_STATE_ADDED)
		return;
	m = maker_of(&e->made, w->maker);
	if (w->state == TN_STATE_FAILED) {
		m->failed += (uint32_t)by;
		if (w->failure)
			m->failure = *w->failure;
	} else {
		m->pending += (uint32_t)by;
	}
	if (m->changed)
		return;
	m->changed = true;
	m->next = e->made.changed;
	e->made.changed = m;
}

/* --- watchers --- */

static void add_number(struct tn_engine *e, enum tn_tenant_kind kind, uint64_t number)
{
	if (number)
		(void)tn_index_put(&e->made.to_tell, number, &e->objects[tn_kind_of_tenant(kind)]);
}

void tn_made_object(struct tn_engine *e, const struct tn_wanted *w)
{
	add_number(e, (enum tn_tenant_kind)(w->kind - TN_KIND_TENANT), w->id);
}

static void add_subnet(void *ctx, const struct tn_tenant_object *o)
{
	add_number(ctx, TN_TENANT_SUBNET, o->number);
}

/* Nobody is told of an object that is gone with what was made of it. */
static void add_object(struct tn_engine *e, uint64_t maker)
{
	struct tn_explanation x;

	if (!tn_compiler_explain(e->tenants.compiler, maker, NULL, &x) || !x.n_objects)
		return;
	add_number(
		e, x.objects[0].kind, tn_engine_tenant_id(e, x.objects[0].kind, x.objects[0].id));
	if (x.objects[0].kind == TN_TENANT_NETWORK)
		tn_tenants_users(e->tenants.all, TN_TENANT_NETWORK, x.objects[0].id,
			TN_TENANT_SUBNET, add_subnet, e);
}

static void look_at(struct tn_engine *e, struct tn_maker *m)
{
	enum tn_object_state state = state_of(m);

	m->changed = false;
	if (state != m->told)
		add_object(e, m->id);
	m->told = state;
	if (m->pending || m->failed)
		return;
	(void)tn_index_remove(&e->made.makers, m->id);
	free(m);
}

/* Who is to be told, as everything is now. */
static void look(struct tn_engine *e)
{
	struct tn_maker *m;

	e->made.last = NULL;
	while ((m = e->made.changed)) {
		e->made.changed = m->next;
		look_at(e, m);
	}
}

void tn_made_told(struct tn_engine *e, const struct tn_wanted *w)
{
	look(e);
	(void)tn_index_remove(&e->made.to_tell, w->id);
}

void tn_made_tell(struct tn_engine *e)
{
	struct tn_index *objects;
	struct tn_wanted *w;
	uint64_t number = 0;

	/* What they are is known when the data plane is in step. */
	if (e->link.state == TN_LINK_SYNCING && !e->link.connected)
		return;
	look(e);
	while ((objects = tn_index_from(&e->made.to_tell, &number))) {
		(void)tn_index_remove(&e->made.to_tell, number);
		w = tn_index_get(objects, number);
		if (w)
			tn_engine_tell(e, TN_WATCH_MODIFIED, w, NULL);
	}
}

void tn_made_fini(struct tn_engine *e)
{
	struct tn_maker *m;
	uint64_t id = 0;

	while ((m = tn_index_from(&e->made.makers, &id))) {
		(void)tn_index_remove(&e->made.makers, id);
		free(m);
	}
	tn_index_fini(&e->made.makers);
	tn_index_fini(&e->made.to_tell);
}

/* --- reading --- */

struct reading {
	const struct tn_engine *e;
	bool pending;
	const struct tn_maker *failed;
};

static bool read_maker(void *ctx, uint64_t id)
{
	struct reading *r = ctx;
	const struct tn_maker *m = tn_index_get(&r->e->made.makers, id);

	if (m && m->failed)
		r->failed = m;
	r->pending |= m && m->pending;
	return r->e->made.makers.n && !r->failed;
}

enum tn_object_state tn_engine_tenant_state(
	const struct tn_engine *e, const struct tn_object *o, const struct tn_error **failure)
{
	const struct tn_tenant_value *v = &o->tenants->value;
	bool subnet = v->kind == TN_TENANT_SUBNET, made;
	struct reading r = {.e = e};

	*failure = NULL;
	if (!e->tenants.compiler || (e->link.connected && !e->made.makers.n))
		return o->state;
	made = tn_compiler_makers(e->tenants.compiler, subnet ? TN_TENANT_NETWORK : v->kind,
		subnet ? v->subnet.network_id : v->c.id, read_maker, &r);
	if (r.failed) {
		*failure = &r.failed->failure;
		return TN_STATE_FAILED;
	}
	return r.pending || (made && !e->link.connected) ? TN_STATE_PENDING_ADD : o->state;
}
