/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/engine/engine_private.h"

#define OWNER "tenant" /* of flows, groups, meters and ports that are made of tenant objects */

void tn_engine_tenants_init(struct tn_engine *e, const char *host)
{
	struct tn_engine_tenants *t = &e->tenants;

	t->all = tn_tenants_new();
	t->numbers = tn_numbers_new();
	t->host = strdup(host ? host : "");
	if (!t->host)
		abort();
}

void tn_engine_tenants_fini(struct tn_engine *e)
{
	struct tn_engine_tenants *t = &e->tenants;

	tn_compiler_free(t->compiler);
	tn_tenants_free(t->all);
	tn_numbers_free(t->numbers);
	tn_arena_fini(&t->arena);
	free(t->host);
}

bool tn_engine_has_tenant_pipeline(const struct tn_engine *e)
{
	struct tn_compiler_stats stats = {0};

	if (e->tenants.compiler)
		tn_compiler_stats(e->tenants.compiler, &stats);
	return stats.rules != 0;
}

/* --- after a start --- */

struct tn_wanted *tn_engine_tenants_restore(struct tn_engine *e, struct tn_wanted *w)
{
	struct tn_tenant_object *o = (struct tn_tenant_object *)(uintptr_t)tn_wanted_as_tenant(w);

	o->number = ++e->tenants.last_number;
	w->id = o->number;
	tn_tenants_restore(e->tenants.all, o);
	return w;
}

static void place(struct tn_engine *e, struct tn_wanted *w, uint64_t maker)
{
	w->derived = true;
	w->maker = maker;
	w->owner = e->tenants.owner;
	w->generation = e->generation;
	w->created_ns = tn_engine_now();
	w->last_used_ns = w->created_ns;
	w->state = TN_STATE_ADDED;
	tn_wanted_sign(w);
	/* What an operator put there meanwhile stays: the next change says so. */
	if (!tn_index_get(&e->objects[w->kind], w->id))
		tn_engine_place(e, w);
	tn_wanted_put(w);
}

static void place_compiled(struct tn_engine *e, const struct tn_compiled *c)
{
	for (size_t i = 0; i < c->n_ports; i++) {
		const struct tn_api_port_info info = {
			.port = c->ports[i], .state = TN_PORT_STATE_LINK_DOWN};

		place(e, tn_wanted_port(&info), c->port_makers[i]);
	}
	for (size_t i = 0; i < c->n_mods; i++) {
		const struct tn_mod *mod = &c->mods[i];

		switch (mod->kind) {
		case TN_MOD_FLOW:
			place(e, tn_wanted_flow(e->dpid, mod->flow), c->mod_makers[i]);
			break;
		case TN_MOD_GROUP:
			place(e, tn_wanted_group_of(mod->group), c->mod_makers[i]);
			break;
		case TN_MOD_METER:
			place(e, tn_wanted_meter_of(mod->meter), c->mod_makers[i]);
			break;
		}
	}
}

struct listing {
	struct tn_tenant_change *list;
	size_t n;
};

static void add_change(void *ctx, const struct tn_tenant_object *o)
{
	struct listing *l = ctx;

	l->list[l->n++] = (struct tn_tenant_change){
		.kind = o->value.kind, .id = o->value.c.id, .object = &o->value.c};
}

static void store_number(void *ctx, enum tn_number_space space, const char *name, uint32_t number)
{
	struct tn_engine *e = ctx;

	tn_store_put_given(e->store, (uint32_t)space, name, number);
}

void tn_engine_tenants_store(struct tn_engine *e)
{
	tn_numbers_changes(e->tenants.numbers, store_number, e);
}

/* What another host or release made needs other numbers. */
static void store_numbers_now(struct tn_engine *e)
{
	struct tn_error err;

	tn_store_begin(e->store);
	tn_engine_tenants_store(e);
	/* Not written: they are given again, after a restart as now. */
	if (tn_store_end(e->store, &err))
		return;
}

static void compile_all(struct tn_engine *e)
{
	struct tn_engine_tenants *t = &e->tenants;
	struct tn_compiled compiled;
	struct listing l = {0};
	size_t n = 0;

	for (unsigned kind = 0; kind < TN_TENANT_N_KINDS; kind++)
		n += tn_tenants_count(t->all, (enum tn_tenant_kind)kind);
	l.list = calloc(n + 1, sizeof(*l.list));
	if (!l.list)
		abort();
	for (unsigned kind = 0; kind < TN_TENANT_N_KINDS; kind++)
		tn_tenants_each(t->all, (enum tn_tenant_kind)kind, add_change, &l);
	tn_compiler_change(t->compiler, l.list, l.n, &compiled);
	place_compiled(e, &compiled);
	store_numbers_now(e);
	tn_compiler_accept(t->compiler);
	free(l.list);
}

void tn_engine_tenants_restored(struct tn_engine *e)
{
	struct tn_engine_tenants *t = &e->tenants;
	struct tn_wanted *w;
	uint64_t key = 0;

	if (!t->host[0])
		return;
	t->owner = tn_names_intern(e->names, OWNER);
	t->compiler = tn_compiler_new(t->host, t->owner, t->numbers);
	while ((w = tn_index_from(&e->objects[TN_KIND_PORT], &key))) {
		tn_compiler_set_device(t->compiler, tn_wanted_name(w), (uint32_t)w->id);
		if (!tn_index_step(&key))
			break;
	}
	compile_all(e);
}

/* --- changes --- */

void tn_engine_tenants_keep(struct tn_engine *e)
{
	/* The compiler lets go of what was there before. */
	if (e->tenants.compiler)
		tn_compiler_accept(e->tenants.compiler);
	tn_tenants_keep(e->tenants.all);
	tn_arena_fini(&e->tenants.arena);
	e->tenants.changing = false;
}

void tn_engine_tenants_undo(struct tn_engine *e)
{
	if (e->tenants.compiler)
		tn_compiler_undo(e->tenants.compiler);
	tn_tenants_undo(e->tenants.all);
	tn_arena_fini(&e->tenants.arena);
	e->tenants.changing = false;
}

/* --- reading --- */

const struct tn_tenants *tn_engine_tenants(const struct tn_engine *e)
{
	return e->tenants.all;
}

uint64_t tn_engine_tenant_id(const struct tn_engine *e, enum tn_tenant_kind kind, const char *id)
{
	const struct tn_tenant_object *o = tn_tenants_kept(e->tenants.all, kind, id);

	return o ? o->number : 0;
}

const char *tn_engine_host(const struct tn_engine *e)
{
	return e->tenants.host;
}

enum tn_attachment tn_engine_attachment(
	const struct tn_engine *e, const struct tn_tenant_port *port, uint32_t *number)
{
	const struct tn_binding *b = &port->binding;
	struct tn_wanted *w;

	*number = 0;
	if (b->kind == TN_BINDING_NONE || !port->admin_state_up)
		return TN_ATTACHED_NOWHERE;
	if (b->kind == TN_BINDING_REMOTE || strcmp(b->host, e->tenants.host) != 0 ||
		!e->tenants.compiler)
		return TN_ATTACHED_ELSEWHERE;
	*number = tn_compiler_switch_port(e->tenants.compiler, port->c.id);
	w = *number ? tn_index_get(&e->objects[TN_KIND_PORT], *number) : NULL;
	if (!w)
		return TN_ATTACHED_PENDING;
	if (w->state == TN_STATE_FAILED)
		return TN_ATTACHED_FAILED;
	if (w->state != TN_STATE_ADDED || !e->link.connected)
		return TN_ATTACHED_PENDING;
	return tn_wanted_as_port(w)->state & TN_PORT_STATE_LINK_DOWN ? TN_ATTACHED_DOWN
								     : TN_ATTACHED_UP;
}

const struct tn_error *tn_engine_attachment_failure(const struct tn_engine *e, uint32_t number)
{
	const struct tn_wanted *w = number ? tn_index_get(&e->objects[TN_KIND_PORT], number) : NULL;

	return w ? w->failure : NULL;
}

bool tn_engine_explain(const struct tn_engine *e, uint64_t cookie, const struct tn_match *match,
	struct tn_explanation *explanation)
{
	return e->tenants.compiler &&
		tn_compiler_explain(e->tenants.compiler, cookie, match, explanation);
}
