/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/difference.h"

#include <stdlib.h>
#include <string.h>

void tn_steps_add(struct tn_steps *steps, enum tn_step_kind kind, size_t edit, bool deletion)
{
	if (steps->n == steps->size) {
		steps->size = steps->size ? steps->size * 2 : 4;
		steps->v = realloc(steps->v, steps->size * sizeof(*steps->v));
		if (!steps->v)
			abort();
	}
	steps->v[steps->n++] = (struct tn_step){
		.edit = (uint32_t)edit, .kind = (uint16_t)kind, .deletion = deletion};
}

void tn_steps_fini(struct tn_steps *steps)
{
	free(steps->v);
	*steps = (struct tn_steps){0};
}

/* Said again, a vxlan port is replaced without a gap; of others the device is another one. */
static bool is_replaced(const struct tn_api_port *from, const struct tn_api_port *to)
{
	return from->has_vxlan && to->has_vxlan && strcmp(from->name, to->name) == 0;
}

static void port_steps(struct tn_steps *steps, const struct tn_edit *edit, size_t i)
{
	const struct tn_api_port *from, *to;

	if (!edit->after)
		return; /* at the end */
	to = &tn_wanted_as_port(edit->after)->port;
	if (!edit->before) {
		tn_steps_add(steps, TN_STEP_PORT_ADD, i, false);
		return;
	}
	from = &tn_wanted_as_port(edit->before)->port;
	if (tn_port_same_device(from, to)) {
		if (from->enabled != to->enabled || from->config != to->config)
			tn_steps_add(steps, TN_STEP_PORT_CONFIGURE, i, false);
		return;
	}
	if (!is_replaced(from, to))
		tn_steps_add(steps, TN_STEP_PORT_REMOVE, i, false);
	tn_steps_add(steps, TN_STEP_PORT_ADD, i, false);
}

static void table_step(struct tn_steps *steps, const struct tn_edit *edit, size_t i)
{
	static const struct tn_table_config none;
	const struct tn_table_config *from = &none, *to = &none;

	if (edit->before)
		from = &tn_wanted_as_table(edit->before)->config;
	if (edit->after)
		to = &tn_wanted_as_table(edit->after)->config;
	if (!tn_table_same_config(from, to))
		tn_steps_add(steps, TN_STEP_TABLE, i, false);
}

/* Groups by dependency: Kahn's order, from those that use none of the others. */

struct order {
	const struct tn_edits *edits;
	bool before;	     /* of the state before; else of the one after */
	uint32_t *sorted;    /* positions of edits */
	uint32_t *missing;   /* by position: groups it uses that are not sorted yet */
	uint32_t *first_use; /* by position: head of its users, index into uses + 1 */
	struct {
		uint32_t user, next;
	} * uses;
	size_t n, n_sorted, n_uses, size_uses;
};

static struct tn_wanted *state_of(const struct order *o, size_t i)
{
	const struct tn_edit *edit = &o->edits->v[i];

	return edit->kind != TN_KIND_GROUP ? NULL : o->before ? edit->before : edit->after;
}

static void *zeroed(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		abort();
	return p;
}

static void add_use(struct order *o, uint32_t user, uint32_t group_id)
{
	const struct tn_edit *used = tn_edits_find(o->edits, TN_KIND_GROUP, group_id);
	size_t at = used ? (size_t)(used - o->edits->v) : 0;

	if (!used || at == user || !state_of(o, at))
		return;
	if (o->n_uses == o->size_uses) {
		o->size_uses = o->size_uses ? 2 * o->size_uses : 16;
		o->uses = realloc(o->uses, o->size_uses * sizeof(*o->uses));
		if (!o->uses)
			abort();
	}
	o->uses[o->n_uses].user = user;
	o->uses[o->n_uses].next = o->first_use[at];
	o->first_use[at] = (uint32_t)++o->n_uses;
	o->missing[user]++;
}

static void add_uses(struct order *o, uint32_t user)
{
	const struct tn_group_info *group = tn_wanted_as_group(state_of(o, user));

	for (uint32_t i = 0; i < group->n_buckets; i++) {
		const struct tn_bucket *b = &group->buckets[i].bucket;

		if (b->watch_group != TN_GROUP_ANY)
			add_use(o, user, b->watch_group);
		for (uint32_t j = 0; j < b->n_actions; j++) {
			if (b->actions[j].type == TN_ACTION_GROUP)
				add_use(o, user, b->actions[j].group_id);
		}
	}
}

/* Those that lead back to themselves come last: the data plane says what is wrong with them. */
static void sort_groups(struct order *o, const struct tn_edits *edits, bool before)
{
	*o = (struct order){.edits = edits, .before = before, .n = edits->n};
	o->sorted = zeroed(o->n, sizeof(*o->sorted));
	o->missing = zeroed(o->n, sizeof(*o->missing));
	o->first_use = zeroed(o->n, sizeof(*o->first_use));
	for (uint32_t i = 0; i < o->n; i++) {
		if (state_of(o, i))
			add_uses(o, i);
	}
	for (uint32_t i = 0; i < o->n; i++) {
		if (state_of(o, i) && !o->missing[i])
			o->sorted[o->n_sorted++] = i;
	}
	for (size_t i = 0; i < o->n_sorted; i++) {
		for (uint32_t u = o->first_use[o->sorted[i]]; u; u = o->uses[u - 1].next) {
			if (!--o->missing[o->uses[u - 1].user])
				o->sorted[o->n_sorted++] = o->uses[u - 1].user;
		}
	}
	for (uint32_t i = 0; i < o->n; i++) {
		if (state_of(o, i) && o->missing[i])
			o->sorted[o->n_sorted++] = i;
	}
}

static void free_order(struct order *o)
{
	free(o->sorted);
	free(o->missing);
	free(o->first_use);
	free(o->uses);
}

static void group_puts(struct tn_steps *steps, const struct tn_edits *edits)
{
	struct order o;

	sort_groups(&o, edits, false);
	for (size_t i = 0; i < o.n_sorted; i++) {
		const struct tn_edit *edit = &edits->v[o.sorted[i]];

		if (!edit->before || !tn_wanted_same(edit->before, edit->after))
			tn_steps_add(steps, TN_STEP_MOD, o.sorted[i], false);
	}
	free_order(&o);
}

static void group_deletes(struct tn_steps *steps, const struct tn_edits *edits)
{
	struct order o;

	sort_groups(&o, edits, true);
	for (size_t i = o.n_sorted; i--;) {
		if (!edits->v[o.sorted[i]].after)
			tn_steps_add(steps, TN_STEP_MOD, o.sorted[i], true);
	}
	free_order(&o);
}

static bool flow_differs(const struct tn_edit *edit)
{
	return !edit->before || edit->again || edit->reset ||
		!tn_wanted_same(edit->before, edit->after);
}

/* Of one kind: what is put, or what goes. */
static void mods(
	struct tn_steps *steps, const struct tn_edits *edits, enum tn_kind kind, bool deletion)
{
	for (size_t i = 0; i < edits->n; i++) {
		const struct tn_edit *edit = &edits->v[i];

		if (edit->kind != kind || deletion != !edit->after)
			continue;
		if (deletion ? !edit->before
				: kind == TN_KIND_FLOW
				? !flow_differs(edit)
				: edit->before && tn_wanted_same(edit->before, edit->after))
			continue;
		tn_steps_add(steps, TN_STEP_MOD, i, deletion);
	}
}

void tn_steps_make(struct tn_steps *steps, const struct tn_edits *edits)
{
	size_t n_of[TN_N_KINDS] = {0};

	for (size_t i = 0; i < edits->n; i++) {
		n_of[edits->v[i].kind]++;
		if (edits->v[i].kind == TN_KIND_PORT)
			port_steps(steps, &edits->v[i], i);
		else if (edits->v[i].kind == TN_KIND_TABLE)
			table_step(steps, &edits->v[i], i);
	}
	mods(steps, edits, TN_KIND_FLOW, true);
	if (n_of[TN_KIND_METER])
		mods(steps, edits, TN_KIND_METER, false);
	if (n_of[TN_KIND_GROUP])
		group_puts(steps, edits);
	mods(steps, edits, TN_KIND_FLOW, false);
	if (n_of[TN_KIND_GROUP])
		group_deletes(steps, edits);
	if (n_of[TN_KIND_METER])
		mods(steps, edits, TN_KIND_METER, true);
	for (size_t i = 0; i < edits->n && n_of[TN_KIND_PORT]; i++) {
		if (edits->v[i].kind == TN_KIND_PORT && !edits->v[i].after && edits->v[i].before)
			tn_steps_add(steps, TN_STEP_PORT_REMOVE, i, true);
	}
}

uint16_t tn_difference_flags(
	uint16_t flags, uint16_t idle_timeout, uint16_t hard_timeout, uint16_t importance)
{
	if (idle_timeout || hard_timeout || importance)
		flags |= TN_FLOW_SEND_FLOW_REM;
	return flags;
}

/* Timeouts, importance and flags are only given with ADD. */
static bool same_life(const struct tn_packed_flow *a, const struct tn_packed_flow *b)
{
	return a->idle_timeout == b->idle_timeout && a->hard_timeout == b->hard_timeout &&
		a->importance == b->importance && a->flags == b->flags;
}

static void add_flow(struct tn_wanted *w, struct tn_arena *arena, struct tn_flow_mod *fm)
{
	struct tn_unpacked_flow flow = {0};
	const struct tn_flow_info *info = &flow.info;
	size_t n;
	struct tn_action *actions;

	tn_wanted_unpack(w, &flow);
	n = (size_t)info->inst.n_apply + info->inst.n_write;
	actions = tn_arena_dup(arena, flow.actions, n * sizeof(*actions));
	tn_unpacked_flow_fini(&flow);
	tn_flow_mod_init(fm);
	fm->table_id = info->table_id;
	fm->priority = info->priority;
	fm->idle_timeout = info->idle_timeout;
	fm->hard_timeout = info->hard_timeout;
	fm->importance = info->importance;
	fm->flags = info->flags;
	fm->cookie = info->cookie;
	fm->owner = info->owner;
	fm->match = info->match;
	fm->inst = info->inst;
	fm->inst.apply = actions;
	fm->inst.write = actions + info->inst.n_apply;
}

static const struct tn_flow_mod *flow_mod(const struct tn_edit *edit, struct tn_arena *arena)
{
	const struct tn_packed_flow *to = edit->after ? tn_wanted_packed(edit->after) : NULL;
	struct tn_flow_mod *fm;

	fm = tn_arena_alloc(arena, sizeof(*fm));
	add_flow(edit->after ? edit->after : edit->before, arena, fm);
	fm->flags =
		tn_difference_flags(fm->flags, fm->idle_timeout, fm->hard_timeout, fm->importance);
	if (!to) {
		fm->command = TN_FLOW_DELETE_STRICT;
		fm->cookie = 0;
		fm->flags = 0;
	} else if (edit->before && !edit->again && same_life(tn_wanted_packed(edit->before), to)) {
		fm->command = TN_FLOW_MODIFY_STRICT;
		fm->new_cookie = fm->cookie;
		fm->set_cookie = true;
		fm->cookie = 0;
		fm->flags = 0;
	}
	if (to && edit->reset)
		fm->flags |= TN_FLOW_RESET_COUNTS;
	return fm;
}

static struct tn_group_mod *group_mod(struct tn_wanted *w, struct tn_arena *arena)
{
	const struct tn_group_info *group = tn_wanted_as_group(w);
	struct tn_group_mod *gm = tn_arena_alloc(arena, sizeof(*gm));
	struct tn_bucket *buckets = tn_arena_alloc(arena, group->n_buckets * sizeof(*buckets));

	for (uint32_t i = 0; i < group->n_buckets; i++)
		buckets[i] = group->buckets[i].bucket;
	*gm = (struct tn_group_mod){
		.command = TN_GROUP_ADD,
		.type = group->type,
		.group_id = group->group_id,
		.selection = group->selection,
		.hash_fields = group->hash_fields,
		.selection_param = group->selection_param,
		.owner = w->owner,
		.annotation = group->annotation,
		.buckets = buckets,
		.n_buckets = group->n_buckets,
	};
	return gm;
}

static struct tn_meter_mod *meter_mod(struct tn_wanted *w, struct tn_arena *arena)
{
	const struct tn_api_meter_info *meter = tn_wanted_as_meter(w);
	struct tn_meter_mod *mm = tn_arena_alloc(arena, sizeof(*mm));
	struct tn_band *bands = tn_arena_alloc(arena, meter->n_bands * sizeof(*bands));

	for (uint32_t i = 0; i < meter->n_bands; i++)
		bands[i] = meter->bands[i].band;
	*mm = (struct tn_meter_mod){
		.command = TN_METER_ADD,
		.meter_id = meter->meter_id,
		.flags = meter->flags,
		.owner = w->owner,
		.bands = bands,
		.n_bands = (uint16_t)meter->n_bands,
	};
	return mm;
}

static void make_mod(
	const struct tn_edit *edit, bool deletion, struct tn_arena *arena, struct tn_mod *mod)
{
	struct tn_wanted *w = deletion ? edit->before : edit->after;

	if (edit->kind == TN_KIND_FLOW) {
		mod->kind = TN_MOD_FLOW;
		mod->flow = flow_mod(edit, arena);
	} else if (edit->kind == TN_KIND_GROUP) {
		struct tn_group_mod *gm = group_mod(w, arena);

		gm->command = deletion ? TN_GROUP_DELETE
			: edit->before ? TN_GROUP_MODIFY
				       : TN_GROUP_ADD;
		if (deletion)
			gm->n_buckets = 0;
		mod->kind = TN_MOD_GROUP;
		mod->group = gm;
	} else {
		struct tn_meter_mod *mm = meter_mod(w, arena);

		mm->command = deletion ? TN_METER_DELETE
			: edit->before ? TN_METER_MODIFY
				       : TN_METER_ADD;
		mod->kind = TN_MOD_METER;
		mod->meter = mm;
	}
}

const struct tn_flow_add *tn_step_add(const struct tn_edit *edit)
{
	const struct tn_flow_add *add = edit->add;

	if (!add ||
		add->flags !=
			tn_difference_flags(add->flags, add->flow.idle_timeout,
				add->flow.hard_timeout, add->flow.importance))
		return NULL;
	return add;
}

void tn_step_mod(const struct tn_step *step, const struct tn_edits *edits, struct tn_arena *arena,
	struct tn_mod *mod)
{
	make_mod(&edits->v[step->edit], step->deletion, arena, mod);
}

void tn_difference_add(struct tn_wanted *w, struct tn_arena *arena, struct tn_mod *mod)
{
	const struct tn_edit edit = {.after = w, .kind = w->kind, .id = w->id};
	struct tn_flow_mod *fm;

	if (w->kind != TN_KIND_FLOW) {
		make_mod(&edit, false, arena, mod);
		return;
	}
	fm = tn_arena_alloc(arena, sizeof(*fm));
	add_flow(w, arena, fm);
	mod->kind = TN_MOD_FLOW;
	mod->flow = fm;
}
