/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is wanted now: objects in their places, and how they are read.
 */
#include "control/engine/engine_private.h"

#include <errno.h>
#include <string.h>

static void count(struct tn_engine *e, const struct tn_wanted *w, int by)
{
	e->n_pending += (uint32_t)(w->state == TN_STATE_PENDING_ADD ? by : 0);
	e->n_failed += (uint32_t)(w->state == TN_STATE_FAILED ? by : 0);
	tn_made_count(e, w, by);
}

void tn_engine_set_state(struct tn_engine *e, struct tn_wanted *w, enum tn_object_state state,
	const struct tn_error *failure)
{
	if (w->state == (uint8_t)state && !failure)
		return;
	count(e, w, -1);
	w->state = (uint8_t)state;
	tn_wanted_fail(w, failure);
	count(e, w, 1);
	if (tn_kind_is_tenant((enum tn_kind)w->kind))
		tn_made_object(e, w);
	else
		tn_engine_tell(e, TN_WATCH_MODIFIED, w, NULL);
}

void tn_engine_refused(struct tn_engine *e, const struct tn_edit *edit, const struct tn_error *err)
{
	if (edit->after && tn_index_get(&e->objects[edit->kind], edit->id) == edit->after)
		tn_engine_set_state(e, edit->after, TN_STATE_FAILED, err);
}

void tn_engine_tell(
	struct tn_engine *e, enum tn_watch_event_kind kind, struct tn_wanted *w, const char *reason)
{
	const struct tn_watch_event event = {
		.time_ns = tn_engine_now(),
		.kind = kind,
		.reason = reason,
	};

	tn_watch_tell(&e->watch, &event, w);
}

static const char *reason_of(const struct tn_edit *edit)
{
	static const char *const names[] = {
		[TN_REMOVED_IDLE_TIMEOUT] = "IDLE_TIMEOUT",
		[TN_REMOVED_HARD_TIMEOUT] = "HARD_TIMEOUT",
		[TN_REMOVED_DELETE] = "DELETE",
		[TN_REMOVED_GROUP_DELETE] = "GROUP_DELETE",
		[TN_REMOVED_METER_DELETE] = "METER_DELETE",
		[TN_REMOVED_EVICTION] = "EVICTION",
	};

	return edit->kind == TN_KIND_FLOW && edit->reason < TN_ARRAY_SIZE(names)
		? names[edit->reason]
		: NULL;
}

static void unname(struct tn_engine *e, const struct tn_wanted *w)
{
	if (w->kind == TN_KIND_PORT)
		tn_names_remove_port(e->names, (uint32_t)w->id);
	else if (w->kind == TN_KIND_TABLE)
		tn_names_remove_table(e->names, (uint8_t)w->id);
}

/* Plans see to it that names are not taken. */
static void name(struct tn_engine *e, const struct tn_wanted *w)
{
	const char *s =
		w->kind == TN_KIND_PORT || w->kind == TN_KIND_TABLE ? tn_wanted_name(w) : "";

	if (*s &&
		(w->kind == TN_KIND_PORT ? tn_names_add_port(e->names, s, (uint32_t)w->id)
					 : tn_names_add_table(e->names, s, (uint8_t)w->id)))
		return;
}

static void take_out(struct tn_engine *e, struct tn_wanted *w)
{
	(void)tn_index_remove(&e->objects[w->kind], w->id);
	count(e, w, -1);
	e->object_bytes -= tn_wanted_bytes(w);
	unname(e, w);
	tn_wanted_put(w);
}

static void put_in(struct tn_engine *e, struct tn_wanted *w)
{
	(void)tn_index_put(&e->objects[w->kind], w->id, tn_wanted_get(w));
	count(e, w, 1);
	e->object_bytes += tn_wanted_bytes(w);
	name(e, w);
}

void tn_engine_place(struct tn_engine *e, struct tn_wanted *w)
{
	put_in(e, w);
}

static void tell_edit(struct tn_engine *e, const struct tn_edit *edit)
{
	struct tn_wanted *w = edit->after ? edit->after : edit->before;

	if (tn_kind_is_tenant((enum tn_kind)edit->kind))
		tn_made_told(e, w);
	if (!edit->after)
		tn_engine_tell(e, TN_WATCH_REMOVED, w, reason_of(edit));
	else
		tn_engine_tell(e, edit->before ? TN_WATCH_MODIFIED : TN_WATCH_ADDED, w, NULL);
}

/* What is told of a tenant object is true when what is made of it is in its place, too. */
void tn_engine_apply(struct tn_engine *e, const struct tn_edits *edits)
{
	for (size_t i = 0; i < edits->n; i++) {
		const struct tn_edit *edit = &edits->v[i];

		e->kind_generation[edit->kind] = e->generation;
		if (edit->before)
			take_out(e, edit->before);
		if (!edit->after || edit->reset)
			tn_reset_forget_object(e, (enum tn_kind)edit->kind, edit->id);
	}
	for (size_t i = 0; i < edits->n; i++) {
		if (edits->v[i].after)
			put_in(e, edits->v[i].after);
	}
	for (size_t i = 0; i < edits->n; i++)
		tell_edit(e, &edits->v[i]);
	tn_made_tell(e);
}

/* The ids of flows are of the device; rows of the store stay. */
void tn_engine_set_dpid(struct tn_engine *e, uint64_t dpid)
{
	struct tn_index old = e->objects[TN_KIND_FLOW];
	struct tn_wanted *w;
	struct tn_match match;
	uint64_t key = 0;

	if (dpid == e->dpid)
		return;
	e->dpid = dpid;
	tn_baseline_clear(&e->baseline);
	e->objects[TN_KIND_FLOW] = (struct tn_index){0};
	while ((w = tn_index_from(&old, &key))) {
		const struct tn_packed_flow *flow = tn_wanted_packed(w);

		tn_wanted_match(w, &match);
		w->id = tn_flow_id(dpid, flow->table_id, flow->priority, &match);
		(void)tn_index_put(&e->objects[TN_KIND_FLOW], w->id, w);
		if (!tn_index_step(&key))
			break;
	}
	tn_index_fini(&old);
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

void tn_engine_free_objects(struct tn_engine *e)
{
	for (unsigned kind = 0; kind < TN_N_KINDS; kind++)
		free_objects(&e->objects[kind]);
}

static bool sees(struct tn_scope scope, const struct tn_wanted *w)
{
	return !scope.tenant || scope.tenant == w->tenant;
}

static void hand_out(struct tn_engine *e, struct tn_wanted *w, struct tn_object *object)
{
	tn_wanted_object(w, &e->scratch, object);
}

void tn_engine_scan(struct tn_engine *e, enum tn_kind kind, struct tn_scope scope, uint64_t after,
	bool from_start, tn_object_fn fn, void *ctx)
{
	struct tn_unpacked_flow flow = {0};
	struct tn_object object;
	struct tn_wanted *w;
	bool more = true;

	if (!from_start && !tn_index_step(&after))
		return;
	if (from_start)
		after = 0;
	while (more && (w = tn_index_from(&e->objects[kind], &after))) {
		if (sees(scope, w)) {
			tn_wanted_object(w, &flow, &object);
			more = fn(ctx, &object);
		}
		if (!tn_index_step(&after))
			break;
	}
	tn_unpacked_flow_fini(&flow);
}

bool tn_engine_get(struct tn_engine *e, enum tn_kind kind, uint64_t id, struct tn_scope scope,
	tn_object_fn fn, void *ctx)
{
	struct tn_wanted *w = tn_index_get(&e->objects[kind], id);
	struct tn_object object;

	if (!w || !sees(scope, w))
		return false;
	hand_out(e, w, &object);
	(void)fn(ctx, &object);
	return true;
}

uint32_t tn_engine_count(const struct tn_engine *e, enum tn_kind kind, struct tn_scope scope)
{
	const struct tn_wanted *w;
	uint64_t key = 0;
	uint32_t n = 0;

	if (!scope.tenant)
		return (uint32_t)e->objects[kind].n;
	while ((w = tn_index_from(&e->objects[kind], &key))) {
		n += w->tenant == scope.tenant;
		if (!tn_index_step(&key))
			break;
	}
	return n;
}

uint64_t tn_engine_generation(const struct tn_engine *e, enum tn_kind kind)
{
	return e->kind_generation[kind];
}

struct tn_names *tn_engine_names(struct tn_engine *e)
{
	return e->names;
}

uint64_t tn_engine_dpid(const struct tn_engine *e)
{
	return e->dpid;
}
