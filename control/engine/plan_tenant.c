/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tenant objects of a request. They are put as the operations come, and looked at together when all
 * are known; then what is made of them is compiled, and becomes part of the same plan.
 */
#include "control/engine/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/engine/engine_private.h"

static const struct tn_wanted *kept(
	const struct tn_plan *p, enum tn_tenant_kind kind, const char *id)
{
	uint64_t number = tn_engine_tenant_id(p->e, kind, id);

	return number ? tn_index_get(&p->e->objects[tn_kind_of_tenant(kind)], number) : NULL;
}

/* One change at a time: what the next one may be depends on what becomes of it. */
static int open_change(struct tn_plan *p)
{
	if (p->tenants)
		return 0;
	if (p->e->tenants.changing)
		return -EAGAIN;
	p->e->tenants.changing = true;
	p->tenants = true;
	return 0;
}

static const char *scope_of(const struct tn_plan *p)
{
	return p->r->scope.tenant ? tn_names_string(p->e->names, p->r->scope.tenant) : NULL;
}

static struct tn_tenants_origin origin_of(const struct tn_plan *p)
{
	return (struct tn_tenants_origin){
		.pointer = p->op->pointer, .scope = scope_of(p), .tag = p->at};
}

/* The name is what paths tell the two by. */
static int check_port_name(struct tn_plan *p, const char *id)
{
	uint32_t number = tn_names_port_by_name(p->e->names, id);

	if (!number)
		return 0;
	return tn_plan_refuse(p, TN_CONFLICT, TN_OF_OK,
		"port %u of the switch is named \"%s\"; take another id", number, id);
}

int tn_plan_tenant_put(struct tn_plan *p, const struct tn_tenant_value *value)
{
	const struct tn_wanted *w = kept(p, value->kind, value->c.id);
	const struct tn_tenants_origin origin = origin_of(p);
	int rc = open_change(p);

	if (!rc)
		rc = tn_plan_check_condition(p, w);
	if (!rc && !w && value->kind == TN_TENANT_PORT)
		rc = check_port_name(p, value->c.id);
	if (!rc)
		tn_tenants_put(p->e->tenants.all, value, &origin);
	return rc;
}

int tn_plan_tenant_remove(struct tn_plan *p, enum tn_tenant_kind kind, const char *id)
{
	const struct tn_wanted *w = kept(p, kind, id);
	const struct tn_tenants_origin origin = origin_of(p);
	bool seen = tn_plan_sees(p, w);
	int rc = open_change(p);

	if (!rc)
		rc = tn_plan_check_condition(p, seen ? w : NULL);
	/* One that this request adds is forgotten again. */
	if (!rc && (seen || !w))
		tn_tenants_remove(p->e->tenants.all, kind, id, &origin);
	return rc;
}

static void look_at(struct tn_plan *p, size_t at)
{
	static const struct tn_operation none = {.pointer = ""};

	p->at = at;
	p->op = at < p->r->n ? &p->r->operations[at] : &none;
}

/* --- what is declared --- */

/* Who sees it: of a quota the tenant that it is for. */
static const char *owner_of(const struct tn_tenant_value *v)
{
	if (v->kind == TN_TENANT_QUOTA)
		return strcmp(v->c.id, "*") == 0 ? "" : v->c.id;
	return v->c.tenant_id;
}

static int take_change(struct tn_plan *p, const struct tn_tenants_change *change)
{
	struct tn_tenant_object *after = (struct tn_tenant_object *)(uintptr_t)change->after;
	const struct tn_tenant_object *o = after ? after : change->before;
	struct tn_wanted *w;
	struct tn_edit *edit;
	const char *owner;
	int rc;

	look_at(p, change->tag);
	if (after)
		after->number =
			change->before ? change->before->number : ++p->e->tenants.last_number;
	rc = tn_plan_edit(p, tn_kind_of_tenant(change->kind), o->number, &edit);
	if (rc)
		return rc;
	if (!after) {
		tn_edit_set(edit, NULL, p->at);
	} else {
		w = tn_wanted_tenant(after);
		tn_plan_put(p, edit, w, p->r->owner);
		owner = owner_of(&after->value);
		w->tenant = tn_names_intern(p->e->names, owner);
		if (*owner && !w->tenant)
			return tn_plan_refuse(p, TN_REFUSED, TN_OF_OK,
				"too many different names of tenants are in use");
	}
	tn_plan_tell(p, edit);
	return 0;
}

/* Of operations that change nothing, too. */
static void tell_ids(struct tn_plan *p)
{
	for (size_t i = 0; i < p->r->n; i++) {
		const struct tn_operation *op = &p->r->operations[i];
		const struct tn_tenant_object *o;

		if (op->kind != TN_OP_TENANT_PUT)
			continue;
		o = tn_tenants_get(p->e->tenants.all, op->tenants->kind, op->tenants->c.id);
		p->results[i].id = o ? o->number : 0; /* removed again */
	}
}

/* --- what is made of it --- */

static int derive_edit(struct tn_plan *p, enum tn_kind kind, uint64_t id, struct tn_edit **edit)
{
	static const char *const kinds[] = {[TN_KIND_FLOW] = "flow",
		[TN_KIND_GROUP] = "group",
		[TN_KIND_METER] = "meter",
		[TN_KIND_PORT] = "port"};
	int rc = tn_plan_edit(p, kind, id, edit);

	if (rc || !(*edit)->after || (*edit)->after->derived)
		return rc;
	return tn_plan_refuse(p, TN_CONFLICT, TN_OF_OK,
		"%s %llu of the switch is where one of tenant networks would be; remove it first",
		kinds[kind], (unsigned long long)id);
}

static void derive(struct tn_plan *p, struct tn_edit *edit, struct tn_wanted *w, uint64_t maker)
{
	if (edit->after && tn_wanted_same(edit->after, w) &&
		edit->after->state != TN_STATE_FAILED) {
		tn_wanted_put(w);
		return;
	}
	tn_plan_put(p, edit, w, p->e->tenants.owner);
	w->derived = true;
	w->maker = maker;
	w->tenant = 0;
}

static int derive_flow(struct tn_plan *p, const struct tn_flow_mod *fm, uint64_t maker)
{
	struct tn_wanted *w = tn_wanted_flow(p->e->dpid, fm);
	struct tn_edit *edit;
	struct tn_error err;
	int rc = derive_edit(p, TN_KIND_FLOW, w->id, &edit);

	if (rc || fm->command == TN_FLOW_DELETE_STRICT) {
		if (!rc)
			tn_edit_set(edit, NULL, p->at);
		tn_wanted_put(w);
		return rc;
	}
	derive(p, edit, w, maker);
	/* One that has no form is refused when it is delivered. */
	if (edit->after == w && !edit->before)
		edit->add = tn_engine_pack_flow(p->e, fm, &p->arena, &err);
	return 0;
}

static int derive_group(struct tn_plan *p, const struct tn_group_mod *gm, uint64_t maker)
{
	struct tn_edit *edit;
	int rc = derive_edit(p, TN_KIND_GROUP, gm->group_id, &edit);

	if (!rc && gm->command == TN_GROUP_DELETE)
		tn_edit_set(edit, NULL, p->at);
	else if (!rc)
		derive(p, edit, tn_wanted_group_of(gm), maker);
	return rc;
}

static int derive_meter(struct tn_plan *p, const struct tn_meter_mod *mm, uint64_t maker)
{
	struct tn_edit *edit;
	int rc = derive_edit(p, TN_KIND_METER, mm->meter_id, &edit);

	if (!rc && mm->command == TN_METER_DELETE)
		tn_edit_set(edit, NULL, p->at);
	else if (!rc)
		derive(p, edit, tn_wanted_meter_of(mm), maker);
	return rc;
}

static int derive_mod(struct tn_plan *p, const struct tn_mod *mod, uint64_t maker)
{
	switch (mod->kind) {
	case TN_MOD_FLOW:
		return derive_flow(p, mod->flow, maker);
	case TN_MOD_GROUP:
		return derive_group(p, mod->group, maker);
	case TN_MOD_METER:
		break;
	}
	return derive_meter(p, mod->meter, maker);
}

static int derive_port(struct tn_plan *p, const struct tn_api_port *port, uint64_t maker)
{
	struct tn_api_port_info info = {.port = *port, .state = TN_PORT_STATE_LINK_DOWN};
	uint32_t other = tn_names_port_by_name(p->e->names, port->name);
	struct tn_edit *edit;
	int rc = derive_edit(p, TN_KIND_PORT, port->number, &edit);

	if (rc)
		return rc;
	if (other && other != port->number && tn_plan_current(p, TN_KIND_PORT, other))
		return tn_plan_refuse(p, TN_CONFLICT, TN_OF_OK,
			"port %u of the switch has the name \"%s\", which a port of a tenant needs; "
			"rename or remove it",
			other, port->name);
	if (edit->before) {
		info.state = tn_wanted_as_port(edit->before)->state;
		info.rx = tn_wanted_as_port(edit->before)->rx;
		info.tx = tn_wanted_as_port(edit->before)->tx;
	}
	derive(p, edit, tn_wanted_port(&info), maker);
	return 0;
}

static int derive_all(struct tn_plan *p, const struct tn_compiled *c)
{
	struct tn_edit *edit;
	int rc = 0;

	for (size_t i = 0; i < c->n_ports && !rc; i++)
		rc = derive_port(p, &c->ports[i], c->port_makers[i]);
	for (size_t i = 0; i < c->n_mods && !rc; i++)
		rc = derive_mod(p, &c->mods[i], c->mod_makers[i]);
	for (size_t i = 0; i < c->n_gone_ports && !rc; i++) {
		rc = derive_edit(p, TN_KIND_PORT, c->gone_ports[i], &edit);
		if (!rc)
			tn_edit_set(edit, NULL, p->at);
	}
	return rc;
}

static int compile(struct tn_plan *p, const struct tn_tenants_change *changes, size_t n)
{
	struct tn_tenant_change *list = calloc(n + 1, sizeof(*list));
	struct tn_compiled compiled;
	int rc;

	if (!list)
		abort();
	for (size_t i = 0; i < n; i++) {
		const struct tn_tenant_object *after = changes[i].after;

		list[i] = (struct tn_tenant_change){
			.kind = changes[i].kind,
			.id = after ? after->value.c.id : changes[i].before->value.c.id,
			.object = after ? &after->value.c : NULL,
		};
	}
	tn_compiler_change(p->e->tenants.compiler, list, n, &compiled);
	free(list);
	rc = derive_all(p, &compiled);
	return rc;
}

/* Ports of the switch on which bare metal may be, as this plan leaves them. False: none changed. */
static bool set_devices(struct tn_plan *p)
{
	struct tn_compiler *c = p->e->tenants.compiler;
	bool any = false;

	for (size_t i = 0; i < p->edits.n; i++) {
		const struct tn_edit *edit = &p->edits.v[i];
		const char *before, *after;

		if (edit->kind != TN_KIND_PORT) /* others have no name to read */
			continue;
		before = edit->before ? tn_wanted_name(edit->before) : "";
		after = edit->after ? tn_wanted_name(edit->after) : "";
		if (strcmp(before, after) == 0 ||
			(edit->before ? edit->before : edit->after)->derived)
			continue;
		any = true;
		if (*before)
			tn_compiler_set_device(c, before, 0);
		if (*after)
			tn_compiler_set_device(c, after, (uint32_t)edit->id);
	}
	return any;
}

static bool touches_devices(const struct tn_plan *p)
{
	for (size_t i = 0; i < p->edits.n; i++)
		if (p->edits.v[i].kind == TN_KIND_PORT && tn_edit_changes(&p->edits.v[i]))
			return true;
	return false;
}

int tn_plan_tenants(struct tn_plan *p)
{
	const struct tn_tenants_change *changes = NULL;
	struct tn_tenants *all = p->e->tenants.all;
	size_t n = 0;
	int rc = 0;

	if (!p->tenants && (!p->e->tenants.compiler || !touches_devices(p)))
		return 0;
	rc = open_change(p);
	if (!rc && tn_tenants_complete(all, &p->diag)) {
		p->verdict = TN_CONFLICT;
		rc = -EINVAL;
	}
	if (rc)
		return rc;
	changes = tn_tenants_changes(all, &n);
	for (size_t i = 0; i < n && !rc; i++)
		rc = take_change(p, &changes[i]);
	tell_ids(p);
	if (rc || !p->e->tenants.compiler)
		return rc;
	if (set_devices(p) || n)
		rc = compile(p, changes, n);
	return rc;
}
