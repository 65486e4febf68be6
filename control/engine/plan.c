/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/engine/difference.h"
#include "control/engine/engine_private.h"
#include "control/tenant/pattern.h"

int tn_plan_refuse(
	struct tn_plan *p, enum tn_verdict verdict, enum tn_of_error of, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	p->verdict = verdict;
	p->failed = p->at;
	tn_diagnostics_add(&p->diag, p->op->pointer ? p->op->pointer : "", 0, 0, of, "%s", text);
	return -EINVAL;
}

int tn_plan_look_at_all(const struct tn_plan *p)
{
	return !p->alone && p->e->n_under_way ? -EAGAIN : 0;
}

struct tn_wanted *tn_plan_current(const struct tn_plan *p, enum tn_kind kind, uint64_t id)
{
	const struct tn_edit *edit = tn_edits_find(&p->edits, kind, id);

	return edit ? edit->after : tn_index_get(&p->e->objects[kind], id);
}

int tn_plan_edit(struct tn_plan *p, enum tn_kind kind, uint64_t id, struct tn_edit **edit)
{
	*edit = tn_edits_find(&p->edits, kind, id);
	if (*edit)
		return 0;
	if (!p->alone && tn_busy_has(&p->e->busy, kind, id))
		return -EAGAIN;
	*edit = tn_edits_add(&p->edits, kind, id, tn_index_get(&p->e->objects[kind], id));
	return 0;
}

bool tn_plan_sees(const struct tn_plan *p, const struct tn_wanted *w)
{
	return w && !w->derived && (!p->r->scope.tenant || p->r->scope.tenant == w->tenant);
}

static enum tn_of_error permission(enum tn_kind kind)
{
	switch (kind) {
	case TN_KIND_FLOW:
		return TN_OFPFMFC_EPERM;
	case TN_KIND_GROUP:
		return TN_OFPGMFC_EPERM;
	default:
		return TN_OFPBRC_EPERM;
	}
}

int tn_plan_check_condition(struct tn_plan *p, const struct tn_wanted *w)
{
	const struct tn_operation *op = p->op;

	if (w && w->derived)
		return tn_plan_refuse(p, TN_FORBIDDEN, permission((enum tn_kind)w->kind),
			"this one is made of tenant networks, and changes with them; change those");
	if (w && !tn_plan_sees(p, w))
		return tn_plan_refuse(p, TN_FORBIDDEN, permission((enum tn_kind)w->kind),
			"this identity is taken by another tenant; choose another");
	if (op->must_exist && !w)
		return tn_plan_refuse(p, TN_NOT_FOUND, TN_OF_OK,
			"there is no such object; add it, or look up its id again");
	if (op->create_only && w)
		return tn_plan_refuse(p, TN_PRECONDITION, TN_OF_OK,
			"the object exists, and only a new one was asked for");
	if (op->if_generation && (!w || w->generation != op->if_generation))
		return tn_plan_refuse(p, TN_PRECONDITION, TN_OF_OK,
			w ? "the object was changed since it was read; read it again"
			  : "the object is not there any more; read again");
	return 0;
}

void tn_plan_tell(struct tn_plan *p, const struct tn_edit *edit)
{
	struct tn_result *result = &p->results[p->at];

	result->kind = (enum tn_kind)edit->kind;
	result->id = edit->id;
	result->created = !edit->before && edit->after;
	result->changed = tn_edit_changes(edit);
}

void tn_plan_put(struct tn_plan *p, struct tn_edit *edit, struct tn_wanted *after, uint32_t owner)
{
	const struct tn_wanted *old = edit->after ? edit->after : edit->before;

	after->owner = owner;
	after->created_ns = p->now_ns;
	after->last_used_ns = p->now_ns;
	after->tenant = p->r->tenant;
	if (old) {
		after->created_ns = old->created_ns;
		if (!after->tenant)
			after->tenant = old->tenant;
	}
	if (edit->before)
		after->row = edit->before->row;
	if (old && !edit->reset) {
		after->counter = old->counter;
		after->last_used_ns = old->last_used_ns;
	}
	tn_wanted_sign(after);
	tn_edit_set(edit, after, p->at);
}

/* Flows by the groups and meters that they use, for removals of many. */
struct tn_plan_use {
	uint64_t key; /* kind << 32 | id */
	struct tn_wanted *flow;
};

static uint64_t use_key(enum tn_kind kind, uint32_t id)
{
	return (uint64_t)kind << 32 | id;
}

static int compare_use(const void *a, const void *b)
{
	uint64_t x = ((const struct tn_plan_use *)a)->key, y = ((const struct tn_plan_use *)b)->key;

	return (x > y) - (x < y);
}

struct collect {
	struct tn_plan *p;
	struct tn_wanted *flow;
};

static void add_use(struct tn_plan *p, enum tn_kind kind, uint32_t id, struct tn_wanted *flow)
{
	if (!(p->n_uses & (p->n_uses - 1))) {
		p->uses = realloc(p->uses, (p->n_uses ? 2 * p->n_uses : 1) * sizeof(*p->uses));
		if (!p->uses)
			abort();
	}
	p->uses[p->n_uses++] = (struct tn_plan_use){use_key(kind, id), flow};
}

static void add_group_use(void *ctx, uint32_t group_id)
{
	struct collect *c = ctx;

	add_use(c->p, TN_KIND_GROUP, group_id, c->flow);
}

static void collect_uses(struct tn_plan *p)
{
	const struct tn_index *flows = &p->e->objects[TN_KIND_FLOW];
	struct collect c = {.p = p};
	uint64_t key = 0;

	while ((c.flow = tn_index_from(flows, &key))) {
		uint32_t meter_id = tn_wanted_packed(c.flow)->meter_id;

		tn_wanted_group_uses(c.flow, add_group_use, &c);
		if (meter_id)
			add_use(p, TN_KIND_METER, meter_id, c.flow);
		if (!tn_index_step(&key))
			break;
	}
	if (p->n_uses)
		qsort(p->uses, p->n_uses, sizeof(*p->uses), compare_use);
	p->uses_known = true;
}

static bool uses(const struct tn_wanted *flow, enum tn_kind kind, uint32_t id)
{
	return kind == TN_KIND_GROUP ? tn_wanted_uses_group(flow, id)
				     : tn_wanted_packed(flow)->meter_id == id;
}

static void cascade(struct tn_plan *p, struct tn_edit *edit, enum tn_kind kind)
{
	tn_edit_set(edit, NULL, p->at);
	edit->reset = false;
	edit->again = false;
	edit->reason = kind == TN_KIND_GROUP ? TN_REMOVED_GROUP_DELETE : TN_REMOVED_METER_DELETE;
}

int tn_plan_remove_users(struct tn_plan *p, enum tn_kind kind, uint32_t id)
{
	struct tn_plan_use key = {.key = use_key(kind, id)};
	size_t low = 0, high, n_edits = p->edits.n;
	struct tn_edit *edit;
	int rc = 0;

	if (!p->uses_known)
		collect_uses(p);
	for (size_t i = 0; i < n_edits; i++) {
		edit = &p->edits.v[i];
		if (edit->kind == TN_KIND_FLOW && edit->after && uses(edit->after, kind, id))
			cascade(p, edit, kind);
	}
	for (high = p->n_uses; low < high;) {
		size_t middle = (low + high) / 2;

		if (p->uses[middle].key < key.key)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < p->n_uses && p->uses[low].key == key.key && !rc; low++) {
		struct tn_wanted *flow = p->uses[low].flow;

		if (tn_edits_find(&p->edits, TN_KIND_FLOW, flow->id))
			continue; /* was looked at above */
		rc = tn_plan_edit(p, TN_KIND_FLOW, flow->id, &edit);
		if (!rc)
			cascade(p, edit, kind);
	}
	return rc;
}

static int plan_mod(struct tn_plan *p, const struct tn_mod *mod)
{
	switch (mod->kind) {
	case TN_MOD_FLOW:
		return tn_plan_flow(p, mod->flow);
	case TN_MOD_GROUP:
		return tn_plan_group(p, mod->group);
	case TN_MOD_METER:
		return tn_plan_meter(p, mod->meter);
	}
	return tn_plan_refuse(p, TN_REFUSED, TN_OFPBRC_BAD_TYPE,
		"mod kind %u is not one of flow, group and meter", (unsigned)mod->kind);
}

static int plan_remove(struct tn_plan *p)
{
	uint64_t id = p->op->object.id;

	switch (p->op->object.kind) {
	case TN_KIND_FLOW:
		return tn_plan_remove_flow(p, id);
	case TN_KIND_GROUP:
		return tn_plan_remove_group(p, (uint32_t)id);
	case TN_KIND_METER:
		return tn_plan_remove_meter(p, (uint32_t)id);
	default:
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPBRC_BAD_TYPE,
			"only flows, groups and meters are removed by their id alone");
	}
}

static int plan_host(struct tn_plan *p, const struct tn_host *host)
{
	struct tn_edit *edit;
	struct tn_wanted *w;
	int rc = tn_plan_edit(p, TN_KIND_HOST, tn_host_id(host->mac, host->vlan), &edit);

	if (!rc)
		rc = tn_plan_check_condition(p, edit->after);
	if (rc)
		return rc;
	w = tn_wanted_host(host);
	if (edit->after && tn_wanted_same(edit->after, w))
		tn_wanted_put(w);
	else
		tn_plan_put(p, edit, w, p->r->owner);
	tn_plan_tell(p, edit);
	return 0;
}

static int plan_host_remove(struct tn_plan *p)
{
	struct tn_edit *edit;
	int rc =
		tn_plan_edit(p, TN_KIND_HOST, tn_host_id(p->op->host.mac, p->op->host.vlan), &edit);
	bool seen;

	if (rc)
		return rc;
	seen = tn_plan_sees(p, edit->after);
	rc = tn_plan_check_condition(p, seen ? edit->after : NULL);
	if (rc || !seen)
		return rc;
	tn_edit_set(edit, NULL, p->at);
	tn_plan_tell(p, edit);
	return 0;
}

/* All that an owner has of a kind is removed, and what is added again stays as it was. */
static int replace_kind(struct tn_plan *p, enum tn_kind kind)
{
	const struct tn_index *objects = &p->e->objects[kind];
	struct tn_edit *edit;
	struct tn_wanted *w;
	uint64_t key = 0;
	int rc = 0;

	while (!rc && (w = tn_index_from(objects, &key))) {
		if (tn_plan_sees(p, w) &&
			(p->op->replace.everybody || w->owner == p->op->replace.owner)) {
			rc = tn_plan_edit(p, kind, w->id, &edit);
			if (!rc)
				tn_edit_set(edit, NULL, p->at);
		}
		if (!tn_index_step(&key))
			break;
	}
	return rc;
}

static int plan_replace(struct tn_plan *p)
{
	enum tn_kind kind = p->op->replace.kind;
	int rc = tn_plan_look_at_all(p);

	if ((unsigned)kind >= TN_N_KINDS)
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPBRC_BAD_TYPE,
			"there is no kind %u of objects", (unsigned)kind);
	p->replacing = true;
	if (kind)
		return rc ? rc : replace_kind(p, kind);
	for (kind = TN_KIND_FLOW; kind <= TN_KIND_METER && !rc; kind++)
		rc = replace_kind(p, kind);
	return rc;
}

/* Beside tenant networks not every place is free. */
static bool has_pattern(const struct tn_plan *p)
{
	return !p->r->bypass_ttp && tn_engine_has_tenant_pipeline(p->e);
}

static int check_pattern(struct tn_plan *p, const struct tn_mod *mod)
{
	struct tn_error err;

	if (!has_pattern(p) || !tn_pattern_check(mod, &err))
		return 0;
	return tn_plan_refuse(p, TN_REFUSED, err.of, "%s", err.detail);
}

static int plan_flow_add(struct tn_plan *p, const struct tn_flow_add *add)
{
	struct tn_wanted *w;
	struct tn_arena arena;
	struct tn_mod mod;
	int rc;

	if (!has_pattern(p))
		return tn_plan_flow_add(p, add);
	w = tn_flow_add_wanted(add, p->e->dpid);
	tn_arena_init(&arena);
	tn_difference_add(w, &arena, &mod);
	rc = check_pattern(p, &mod);
	tn_arena_fini(&arena);
	tn_wanted_put(w);
	return rc ? rc : tn_plan_flow_add(p, add);
}

static int plan_operation(struct tn_plan *p)
{
	const struct tn_operation *op = p->op;
	int rc;

	switch (op->kind) {
	case TN_OP_MOD:
		rc = check_pattern(p, &op->mod);
		return rc ? rc : plan_mod(p, &op->mod);
	case TN_OP_FLOW_ADD:
		return plan_flow_add(p, op->flow);
	case TN_OP_PORT_ADD:
		return tn_plan_port_add(p, op->port);
	case TN_OP_PORT_REMOVE:
		return tn_plan_port_remove(p, op->port_number);
	case TN_OP_PORT_CONFIGURE:
		return tn_plan_port_configure(p, &op->port_configure);
	case TN_OP_TABLE:
		return tn_plan_table(p, &op->table);
	case TN_OP_HOST_ADD:
		return plan_host(p, &op->host);
	case TN_OP_HOST_REMOVE:
		return plan_host_remove(p);
	case TN_OP_PACKET_OUT:
		p->n_packet_outs++;
		return 0;
	case TN_OP_REMOVE:
		return plan_remove(p);
	case TN_OP_REPLACE:
		return plan_replace(p);
	case TN_OP_TENANT_PUT:
		return tn_plan_tenant_put(p, op->tenants);
	case TN_OP_TENANT_REMOVE:
		return tn_plan_tenant_remove(p, op->tenants_id.kind, op->tenants_id.id);
	}
	return tn_plan_refuse(
		p, TN_REFUSED, TN_OFPBRC_BAD_TYPE, "there is no operation %u", (unsigned)op->kind);
}

static void look_at(struct tn_plan *p, size_t at)
{
	p->at = at;
	p->op = &p->r->operations[at];
}

/* Groups and meters that a REPLACE leaves out take their flows along. */
static int remove_replaced(struct tn_plan *p)
{
	size_t n = p->edits.n;
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		const struct tn_edit *edit = &p->edits.v[i];

		if (edit->after || !edit->before ||
			p->r->operations[edit->op].kind != TN_OP_REPLACE)
			continue;
		look_at(p, edit->op);
		if (edit->kind == TN_KIND_GROUP || edit->kind == TN_KIND_METER)
			rc = tn_plan_remove_users(p, (enum tn_kind)edit->kind, (uint32_t)edit->id);
	}
	return rc;
}

/* A group or meter that a flow is to use: there, and one that its client may see. */
static int check_use(struct tn_plan *p, const struct tn_edit *edit, enum tn_kind kind, uint32_t id)
{
	const struct tn_wanted *w = tn_plan_current(p, kind, id);

	if (tn_plan_sees(p, w) || edit->after->derived)
		return 0;
	if (!p->alone && tn_busy_has(&p->e->busy, kind, id))
		return -EAGAIN;
	look_at(p, edit->op);
	if (kind == TN_KIND_METER)
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPBAC_BAD_METER,
			"meter %u does not exist: add the meter before the flow that uses it", id);
	return tn_plan_refuse(p, TN_REFUSED, TN_OFPBAC_BAD_OUT_GROUP,
		"group %u does not exist: add the group before the flow that uses it", id);
}

struct check_groups {
	struct tn_plan *p;
	const struct tn_edit *edit;
	int rc;
};

static void check_group_use(void *ctx, uint32_t group_id)
{
	struct check_groups *c = ctx;

	if (!c->rc)
		c->rc = check_use(c->p, c->edit, TN_KIND_GROUP, group_id);
}

/* Another's group; whether there is such a group at all is for the data plane to say. */
static bool is_hidden(const struct tn_plan *p, uint32_t group_id)
{
	const struct tn_wanted *w = tn_plan_current(p, TN_KIND_GROUP, group_id);

	return w && !tn_plan_sees(p, w);
}

/* Groups that lead on to another client's are refused as they are where there is none. */
static int check_chain(struct tn_plan *p, const struct tn_edit *edit)
{
	const struct tn_group_info *group = tn_wanted_as_group(edit->after);

	for (uint32_t i = 0; i < group->n_buckets; i++) {
		const struct tn_bucket *b = &group->buckets[i].bucket;

		look_at(p, edit->op);
		if (b->watch_group != TN_GROUP_ANY && is_hidden(p, b->watch_group))
			return tn_plan_refuse(p, TN_REFUSED, TN_OFPGMFC_BAD_WATCH,
				"watch_group %u does not exist: add that group first",
				b->watch_group);
		for (uint32_t j = 0; j < b->n_actions; j++) {
			const struct tn_action *a = &b->actions[j];

			if (a->type == TN_ACTION_GROUP && is_hidden(p, a->group_id))
				return tn_plan_refuse(p, TN_REFUSED, TN_OFPBAC_BAD_OUT_GROUP,
					"group %u does not exist: add the group before the group "
					"that uses it",
					a->group_id);
		}
	}
	return 0;
}

static int check_uses(struct tn_plan *p)
{
	struct check_groups c = {.p = p};

	for (size_t i = 0; i < p->edits.n && !c.rc; i++) {
		c.edit = &p->edits.v[i];
		if (c.edit->kind == TN_KIND_GROUP && c.edit->after && p->r->scope.tenant)
			c.rc = check_chain(p, c.edit);
		if (c.edit->kind != TN_KIND_FLOW || !c.edit->after || !tn_edit_changes(c.edit))
			continue;
		tn_wanted_group_uses(c.edit->after, check_group_use, &c);
		if (!c.rc && tn_wanted_packed(c.edit->after)->meter_id)
			c.rc = check_use(p, c.edit, TN_KIND_METER,
				tn_wanted_packed(c.edit->after)->meter_id);
	}
	return c.rc;
}

static void count_objects(struct tn_plan *p)
{
	for (size_t i = 0; i < p->edits.n; i++) {
		const struct tn_edit *edit = &p->edits.v[i];

		if (!(edit->after ? edit->after : edit->before)->derived)
			p->results[edit->op].n_objects++;
	}
}

int tn_plan_make(struct tn_plan *p, struct tn_engine *e, const struct tn_request *r, bool alone,
	uint64_t now_ns)
{
	int rc = 0;

	*p = (struct tn_plan){.e = e, .r = r, .alone = alone, .now_ns = now_ns};
	tn_diagnostics_init(&p->diag);
	tn_arena_init(&p->arena);
	p->results = calloc(r->n ? r->n : 1, sizeof(*p->results));
	if (!p->results)
		abort();
	for (size_t i = 0; i < r->n && !rc; i++) {
		look_at(p, i);
		rc = plan_operation(p);
	}
	if (!rc && p->replacing)
		rc = remove_replaced(p);
	if (!rc)
		rc = tn_plan_tenants(p);
	if (!rc)
		rc = check_uses(p);
	if (rc) {
		if (p->tenants)
			tn_engine_tenants_undo(e);
		p->tenants = false;
		return rc;
	}
	tn_edits_compact(&p->edits);
	count_objects(p);
	return 0;
}

void tn_plan_fini(struct tn_plan *p)
{
	tn_edits_fini(&p->edits);
	tn_arena_fini(&p->arena);
	tn_diagnostics_fini(&p->diag);
	free(p->results);
	free(p->uses);
}
