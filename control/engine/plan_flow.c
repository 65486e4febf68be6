/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/plan.h"

#include <errno.h>

#include "control/engine/engine_private.h"

static bool is_delete(const struct tn_flow_mod *fm)
{
	return fm->command == TN_FLOW_DELETE || fm->command == TN_FLOW_DELETE_STRICT;
}

static bool is_strict(const struct tn_flow_mod *fm)
{
	return fm->command == TN_FLOW_MODIFY_STRICT || fm->command == TN_FLOW_DELETE_STRICT;
}

struct overlap {
	uint8_t table_id;
	uint16_t priority;
	struct tn_packed_match match;
};

static bool overlaps(const struct overlap *o, const struct tn_wanted *w)
{
	const struct tn_packed_flow *flow = tn_wanted_packed(w);

	return flow->table_id == o->table_id && flow->priority == o->priority &&
		tn_wanted_overlaps(w, &o->match);
}

/* Of all flows as the plan leaves them so far, the first for which fn is true; NULL: none. */
typedef bool (*flow_test_fn)(const void *ctx, const struct tn_wanted *w);

static struct tn_wanted *find_flow(const struct tn_plan *p, flow_test_fn fn, const void *ctx)
{
	const struct tn_index *flows = &p->e->objects[TN_KIND_FLOW];
	struct tn_wanted *w;
	uint64_t key = 0;

	for (size_t i = 0; i < p->edits.n; i++) {
		const struct tn_edit *edit = &p->edits.v[i];

		if (edit->kind == TN_KIND_FLOW && edit->after && fn(ctx, edit->after))
			return edit->after;
	}
	while ((w = tn_index_from(flows, &key))) {
		if (fn(ctx, w) && !tn_edits_find(&p->edits, TN_KIND_FLOW, w->id))
			return w;
		if (!tn_index_step(&key))
			break;
	}
	return NULL;
}

static bool test_overlap(const void *ctx, const struct tn_wanted *w)
{
	return overlaps(ctx, w);
}

static int check_overlap(struct tn_plan *p, const struct tn_wanted *new)
{
	struct overlap o = {tn_wanted_packed(new)->table_id, tn_wanted_packed(new)->priority, {0}};
	const struct tn_wanted *w;
	struct tn_match match;
	int rc = tn_plan_look_at_all(p);

	if (rc)
		return rc;
	tn_wanted_match(new, &match);
	tn_packed_match_init(&o.match, &match);
	w = find_flow(p, test_overlap, &o);
	if (!w)
		return 0;
	return tn_plan_refuse(p, TN_REFUSED, TN_OFPFMFC_OVERLAP,
		"flow 0x%016llx of table %u has the same priority %u and matches some of the same "
		"packets: give one of the two another priority, or leave out CHECK_OVERLAP",
		(unsigned long long)w->id, o.table_id, o.priority);
}

/* What an ADD of the same flow again would do is nothing, or to start its timeouts anew. */
static bool stays(const struct tn_plan *p, const struct tn_edit *edit, const struct tn_wanted *old,
	const struct tn_wanted *new, uint16_t flags)
{
	const struct tn_packed_flow *flow = tn_wanted_packed(new);

	if (!old || flags & TN_FLOW_RESET_COUNTS || old->state == TN_STATE_FAILED ||
		!tn_wanted_same(old, new))
		return false;
	return old == edit->after ? p->replacing || (!flow->idle_timeout && !flow->hard_timeout)
				  : p->replacing;
}

static bool is_another(const struct tn_wanted *old, const struct tn_wanted *new)
{
	struct tn_match match;

	tn_wanted_match(new, &match);
	return !tn_wanted_has_match(old, &match);
}

/* The edit of the flow, if it may be put. */
static int edit_of(
	struct tn_plan *p, const struct tn_wanted *w, uint16_t flags, struct tn_edit **edit)
{
	int rc = tn_plan_edit(p, TN_KIND_FLOW, w->id, edit);

	if (!rc)
		rc = tn_plan_check_condition(p, (*edit)->after);
	if (!rc && (*edit)->after && is_another((*edit)->after, w))
		rc = tn_plan_refuse(p, TN_REFUSED, TN_OFPFMFC_UNKNOWN,
			"another flow has the same id; give this one another priority");
	if (!rc && !(*edit)->after && flags & TN_FLOW_CHECK_OVERLAP)
		rc = check_overlap(p, w);
	return rc;
}

int tn_plan_flow_add(struct tn_plan *p, const struct tn_flow_add *add)
{
	uint32_t owner = add->owner ? add->owner : p->r->owner;
	struct tn_edit *edit;
	struct tn_wanted *w;
	bool was_there;
	int rc;

	if (add->flow.table_id > TN_TABLE_MAX)
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPFMFC_BAD_TABLE_ID,
			"a flow cannot be added to table %u: tables are 0 to %u",
			add->flow.table_id, TN_TABLE_MAX);
	w = tn_flow_add_wanted(add, p->e->dpid);
	rc = edit_of(p, w, add->flags, &edit);
	if (rc) {
		tn_wanted_put(w);
		return rc;
	}
	/* Removed before by a REPLACE: it may be the one that stays. */
	if (stays(p, edit, edit->after ? edit->after : edit->before, w, add->flags) &&
		(edit->after ? edit->after : edit->before)->owner == owner) {
		tn_wanted_put(w);
		if (!edit->after)
			tn_edit_set(edit, tn_wanted_get(edit->before), p->at);
		tn_plan_tell(p, edit);
		return 0;
	}
	was_there = edit->after;
	edit->reset |=
		add->flags & TN_FLOW_RESET_COUNTS || (edit->before && !was_there && !p->replacing);
	edit->again = edit->before;
	tn_plan_put(p, edit, w, owner);
	w->created_ns = p->now_ns;
	edit->add = edit->reset ? NULL : add;
	tn_plan_tell(p, edit);
	return 0;
}

static int plan_add(struct tn_plan *p, const struct tn_flow_mod *fm)
{
	struct tn_error err;
	const struct tn_flow_add *add = tn_engine_pack_flow(p->e, fm, &p->arena, &err);

	return add ? tn_plan_flow_add(p, add)
		   : tn_plan_refuse(p, TN_REFUSED, err.of, "%s", err.detail);
}

struct select {
	const struct tn_plan *p;
	const struct tn_flow_mod *fm;
	struct tn_packed_match match;
};

static bool selects(const struct select *s, const struct tn_wanted *w)
{
	const struct tn_packed_flow *flow = tn_wanted_packed(w);
	const struct tn_flow_mod *fm = s->fm;

	if (fm->table_id != TN_TABLE_ALL && fm->table_id != flow->table_id)
		return false;
	if ((flow->cookie ^ fm->cookie) & fm->cookie_mask || !tn_plan_sees(s->p, w))
		return false;
	if (is_strict(fm) ? flow->priority != fm->priority || !tn_wanted_has_match(w, &fm->match)
			  : !tn_wanted_is_within(w, &s->match))
		return false;
	if (!is_delete(fm))
		return true;
	return (fm->out_port == TN_PORT_ANY || tn_wanted_outputs_to(w, fm->out_port)) &&
		(fm->out_group == TN_GROUP_ANY || tn_wanted_uses_group(w, fm->out_group));
}

/* Instructions and, if asked for, the cookie; all else stays. */
static struct tn_wanted *modified(
	const struct tn_plan *p, const struct tn_wanted *old, const struct tn_flow_mod *fm)
{
	struct tn_unpacked_flow flow = {0};
	struct tn_flow_mod whole;
	struct tn_wanted *w;

	tn_wanted_unpack(old, &flow);
	tn_flow_mod_init(&whole);
	whole.table_id = flow.info.table_id;
	whole.priority = flow.info.priority;
	whole.idle_timeout = flow.info.idle_timeout;
	whole.hard_timeout = flow.info.hard_timeout;
	whole.importance = flow.info.importance;
	whole.flags = flow.info.flags;
	whole.cookie = fm->set_cookie ? fm->new_cookie : flow.info.cookie;
	whole.match = flow.info.match;
	whole.inst = fm->inst;
	w = tn_wanted_flow(p->e->dpid, &whole);
	tn_unpacked_flow_fini(&flow);
	return w;
}

static int change_one(struct tn_plan *p, const struct tn_flow_mod *fm, uint64_t id)
{
	const struct tn_wanted *old;
	struct tn_edit *edit;
	struct tn_wanted *w;
	uint32_t tenant;
	int rc = tn_plan_edit(p, TN_KIND_FLOW, id, &edit);

	if (rc)
		return rc;
	rc = p->op->if_generation ? tn_plan_check_condition(p, edit->after) : 0;
	if (rc)
		return rc;
	old = edit->after;
	if (is_delete(fm)) {
		tn_edit_set(edit, NULL, p->at);
		edit->reset = edit->again = false;
		tn_plan_tell(p, edit);
		return 0;
	}
	if (fm->table_id == TN_TABLE_ALL && fm->inst.goto_table != TN_GOTO_NONE &&
		fm->inst.goto_table <= tn_wanted_packed(old)->table_id)
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPBIC_BAD_TABLE_ID,
			"flow 0x%016llx in table %u may only go to a later table",
			(unsigned long long)id, tn_wanted_packed(old)->table_id);
	w = modified(p, old, fm);
	edit->reset |= fm->flags & TN_FLOW_RESET_COUNTS;
	if (!edit->reset && tn_wanted_same(old, w) && old->state != TN_STATE_FAILED) {
		tn_wanted_put(w);
	} else {
		tenant = old->tenant;
		tn_plan_put(p, edit, w, old->owner);
		w->tenant = tenant;
	}
	tn_plan_tell(p, edit);
	return 0;
}

static int change_strict(struct tn_plan *p, const struct select *s)
{
	const struct tn_flow_mod *fm = s->fm;
	uint64_t id = tn_flow_id(p->e->dpid, fm->table_id, fm->priority, &fm->match);
	const struct tn_wanted *w;

	if (!p->alone && tn_busy_has(&p->e->busy, TN_KIND_FLOW, id))
		return -EAGAIN;
	w = tn_plan_current(p, TN_KIND_FLOW, id);
	if (w && selects(s, w))
		return change_one(p, fm, id);
	if (p->op->must_exist || p->op->if_generation)
		return tn_plan_check_condition(p, NULL);
	return 0;
}

static int change_all(struct tn_plan *p, const struct select *s)
{
	const struct tn_index *flows = &p->e->objects[TN_KIND_FLOW];
	size_t n_edits = p->edits.n;
	const struct tn_wanted *w;
	uint64_t key = 0;
	int rc = tn_plan_look_at_all(p);

	for (size_t i = 0; i < n_edits && !rc; i++) {
		const struct tn_edit *edit = &p->edits.v[i];

		if (edit->kind == TN_KIND_FLOW && edit->after && selects(s, edit->after))
			rc = change_one(p, s->fm, edit->id);
	}
	while (!rc && (w = tn_index_from(flows, &key))) {
		if (selects(s, w) && !tn_edits_find(&p->edits, TN_KIND_FLOW, w->id))
			rc = change_one(p, s->fm, w->id);
		if (!tn_index_step(&key))
			break;
	}
	p->results[p->at].kind = 0;
	p->results[p->at].id = 0;
	return rc;
}

int tn_plan_flow(struct tn_plan *p, const struct tn_flow_mod *fm)
{
	struct select s = {.p = p, .fm = fm};

	if ((unsigned)fm->command > TN_FLOW_DELETE_STRICT)
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPFMFC_BAD_COMMAND,
			"flow command %u is not one of add, modify, modify_strict, delete and "
			"delete_strict",
			(unsigned)fm->command);
	if (fm->command == TN_FLOW_ADD)
		return plan_add(p, fm);
	tn_packed_match_init(&s.match, &fm->match);
	if (is_strict(fm) && fm->table_id != TN_TABLE_ALL)
		return change_strict(p, &s);
	return change_all(p, &s);
}

int tn_plan_remove_flow(struct tn_plan *p, uint64_t id)
{
	struct tn_edit *edit;
	int rc = tn_plan_edit(p, TN_KIND_FLOW, id, &edit);
	bool seen;

	if (rc)
		return rc;
	seen = tn_plan_sees(p, edit->after);
	rc = tn_plan_check_condition(
		p, seen || (edit->after && edit->after->derived) ? edit->after : NULL);
	if (rc || !seen)
		return rc;
	tn_edit_set(edit, NULL, p->at);
	edit->reset = edit->again = false;
	tn_plan_tell(p, edit);
	return 0;
}
