/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Wanted and installed are compared, and what differs is sent. What the data plane has and nobody
 * wants is removed, except at the very first meeting: a switch that ran without tenond is taken
 * over as it is.
 *
 * A flow with a timeout that the data plane has no more ran out, if it is the same process that had
 * it; after a new start of the data plane it did if its hard timeout passed, and is added again if
 * not.
 */
#include "control/engine/engine_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const enum tn_api_dump_kind dumps[] = {
	TN_API_TABLES, TN_API_PORTS, TN_API_METERS, TN_API_GROUPS, TN_API_FLOWS};

struct tn_sync {
	struct tn_engine *e;
	uint16_t number; /* of the dump */
	unsigned n_left; /* dumps that did not end */
	bool adopt, delivering;
	struct tn_edits edits;	 /* to be delivered */
	struct tn_edits adopted; /* what is taken over */
	struct tn_edits expired; /* what ran out */
	struct tn_delivery delivery;
};

void tn_engine_resync(struct tn_engine *e)
{
	e->resync = true;
	tn_engine_wake(e);
}

bool tn_sync_concerns(const struct tn_engine *e, uint64_t flow_id)
{
	return e->sync && tn_edits_find(&e->sync->edits, TN_KIND_FLOW, flow_id);
}

static void free_sync(struct tn_engine *e)
{
	struct tn_sync *s = e->sync;

	e->sync = NULL;
	tn_delivery_fini(&s->delivery);
	tn_edits_fini(&s->edits);
	tn_edits_fini(&s->adopted);
	tn_edits_fini(&s->expired);
	free(s);
}

/* installed is taken over. */
static void compare(struct tn_sync *s, struct tn_wanted *installed)
{
	enum tn_kind kind = (enum tn_kind)installed->kind;
	struct tn_wanted *w = tn_index_get(&s->e->objects[kind], installed->id);
	struct tn_edit *edit;

	if (w)
		w->seen = s->number;
	if (w && tn_wanted_same(w, installed)) {
		tn_wanted_put(installed);
		return;
	}
	if (!w && s->adopt) {
		edit = tn_edits_find(&s->adopted, kind, installed->id);
		if (!edit)
			edit = tn_edits_add(&s->adopted, kind, installed->id, NULL);
		tn_edit_set(edit, installed, 0);
		return;
	}
	edit = tn_edits_find(&s->edits, kind, installed->id);
	if (!edit) {
		edit = tn_edits_add(&s->edits, kind, installed->id, installed);
		tn_edit_set(edit, w ? tn_wanted_get(w) : NULL, 0);
	}
	tn_wanted_put(installed);
}

static void compare_flow(struct tn_sync *s, const struct tn_flow_info *info)
{
	struct tn_wanted *w = tn_index_get(&s->e->objects[TN_KIND_FLOW], info->flow_id);
	struct tn_counter counter =
		tn_baseline_since(&s->e->baseline, TN_COUNTED_FLOW, info->flow_id, info->counter);
	struct tn_wanted *installed;
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	fm.table_id = info->table_id;
	fm.priority = info->priority;
	fm.idle_timeout = info->idle_timeout;
	fm.hard_timeout = info->hard_timeout;
	fm.importance = info->importance;
	fm.flags = info->flags;
	fm.cookie = info->cookie;
	fm.match = info->match;
	fm.inst = info->inst;
	if (w) {
		const struct tn_packed_flow *flow = tn_wanted_packed(w);

		/* As it was sent? */
		if (info->flags ==
			tn_difference_flags(flow->flags, flow->idle_timeout, flow->hard_timeout,
				flow->importance))
			fm.flags = flow->flags;
		w->counter = counter;
		w->last_used_ns = info->last_used_ns;
		w->created_ns = info->created_ns;
	}
	installed = tn_wanted_flow(s->e->dpid, &fm);
	installed->created_ns = info->created_ns;
	installed->last_used_ns = info->last_used_ns;
	installed->counter = counter;
	compare(s, installed);
}

static void compare_port(struct tn_sync *s, const struct tn_api_port_info *info)
{
	struct tn_wanted *installed = tn_wanted_port(info);

	installed->created_ns = tn_engine_now();
	compare(s, installed);
	tn_refresh_port(s->e, info);
}

static void compare_table(struct tn_sync *s, const struct tn_table_info *info)
{
	static const struct tn_table_config none;
	struct tn_wanted *w = tn_index_get(&s->e->objects[TN_KIND_TABLE], info->table_id);
	const struct tn_table_setting setting = {
		.table_id = info->table_id,
		.name = w ? tn_wanted_as_table(w)->name : NULL,
		.config = info->config,
	};

	if (w || !tn_table_same_config(&info->config, &none))
		compare(s, tn_wanted_table(&setting));
}

static void compare_group(struct tn_sync *s, const struct tn_group_info *info)
{
	struct tn_wanted *w = tn_index_get(&s->e->objects[TN_KIND_GROUP], info->group_id);
	struct tn_group_info group = *info;
	struct tn_wanted *installed;

	/* Numbers of strings are ours; what another client gave means nothing here. */
	group.owner = 0;
	group.annotation = w ? tn_wanted_as_group(w)->annotation : 0;
	installed = tn_wanted_group(&group);
	installed->created_ns = info->created_ns;
	compare(s, installed);
	tn_refresh_group(s->e, info);
}

static void compare_meter(struct tn_sync *s, const struct tn_api_meter_info *info)
{
	struct tn_api_meter_info meter = *info;
	struct tn_wanted *installed;

	meter.owner = 0;
	installed = tn_wanted_meter(&meter);
	installed->created_ns = info->created_ns;
	compare(s, installed);
	tn_refresh_meter(s->e, info);
}

static void compare_part(struct tn_sync *s, const struct tn_api_part *part)
{
	for (uint32_t i = 0; i < part->n; i++) {
		switch (part->kind) {
		case TN_API_FLOWS:
			compare_flow(s, &part->flows[i]);
			break;
		case TN_API_PORTS:
			compare_port(s, &part->ports[i]);
			break;
		case TN_API_TABLES:
			compare_table(s, &part->tables[i]);
			break;
		case TN_API_GROUPS:
			compare_group(s, &part->groups[i]);
			break;
		case TN_API_METERS:
			compare_meter(s, &part->meters[i]);
			break;
		default:
			return;
		}
	}
}

static bool ran_out(const struct tn_engine *e, const struct tn_wanted *w, uint64_t now_ns)
{
	const struct tn_packed_flow *flow = tn_wanted_packed(w);
	uint64_t hard_ns = flow->hard_timeout * (uint64_t)TN_ENGINE_SECOND;

	if (w->kind != TN_KIND_FLOW || w->state != TN_STATE_ADDED ||
		(!flow->idle_timeout && !flow->hard_timeout && !flow->importance))
		return false;
	if (e->link.started_ns && e->link.started_ns == e->last_started_ns)
		return true;
	return hard_ns && now_ns > w->created_ns && now_ns - w->created_ns >= hard_ns;
}

/* What is wanted and was in no dump. */
static void find_missing(struct tn_sync *s)
{
	static const struct tn_table_config none;
	uint64_t now_ns = tn_engine_now();

	for (unsigned kind = TN_KIND_FLOW; kind <= TN_KIND_TABLE; kind++) {
		struct tn_wanted *w;
		uint64_t key = 0;

		for (; (w = tn_index_from(&s->e->objects[kind], &key)); key++) {
			bool gone = w->seen != s->number;
			struct tn_edit *edit;

			if (kind == TN_KIND_TABLE &&
				tn_table_same_config(&tn_wanted_as_table(w)->config, &none))
				gone = false; /* nothing to say of it */
			if (gone && ran_out(s->e, w, now_ns)) {
				edit = tn_edits_add(&s->expired, TN_KIND_FLOW, w->id, w);
				tn_edit_set(edit, NULL, 0);
				edit->reason = tn_wanted_packed(w)->hard_timeout
					? TN_REMOVED_HARD_TIMEOUT
					: TN_REMOVED_IDLE_TIMEOUT;
			} else if (gone) {
				edit = tn_edits_add(&s->edits, (enum tn_kind)kind, w->id, NULL);
				tn_edit_set(edit, tn_wanted_get(w), 0);
			}
			if (key == UINT64_MAX)
				break;
		}
	}
}

/* What failed before has another chance. */
static void try_again(struct tn_sync *s)
{
	for (size_t i = 0; i < s->edits.n; i++) {
		struct tn_wanted *w = s->edits.v[i].after;

		if (w && w->state == TN_STATE_FAILED)
			tn_engine_set_state(s->e, w, TN_STATE_PENDING_ADD, NULL);
	}
}

/* All of it is in the data plane, but for what it refused just now. */
static void settle(struct tn_sync *s)
{
	struct tn_engine *e = s->e;

	for (unsigned kind = TN_KIND_FLOW; kind < TN_N_KINDS && e->n_pending; kind++) {
		struct tn_wanted *w;
		uint64_t key = 0;

		for (; (w = tn_index_from(&e->objects[kind], &key)); key++) {
			if (w->state == TN_STATE_PENDING_ADD)
				tn_engine_set_state(e, w, TN_STATE_ADDED, NULL);
			if (key == UINT64_MAX)
				break;
		}
	}
}

static void begin_internal(struct tn_engine *e, struct tn_edits *edits)
{
	struct tn_job *job;

	if (!edits->n)
		return;
	job = tn_job_internal(e, edits);
	job->installed = true;
	tn_job_begin(job);
}

static void on_refused(void *ctx, const struct tn_edit *edit, const struct tn_error *err)
{
	struct tn_sync *s = ctx;

	tn_engine_refused(s->e, edit, err);
}

static void on_delivered(void *ctx, int rc)
{
	struct tn_sync *s = ctx;
	struct tn_engine *e = s->e;

	if (rc) {
		free_sync(e);
		return;
	}
	settle(s);
	begin_internal(e, &s->adopted);
	begin_internal(e, &s->expired);
	tn_commit_ready(e);
	tn_commit_settled(e, &s->edits);
	tn_commit_in_step(e);
	free_sync(e);
	tn_link_set_state(e, TN_LINK_IN_STEP);
	tn_made_tell(e);
}

static void on_part(void *ctx, const struct tn_api_message *answer, const struct tn_error *err)
{
	struct tn_engine *e = ctx;
	struct tn_sync *s = e->sync;

	if (err || !s) {
		/* A data plane that cannot be asked cannot be led. */
		if (s && answer)
			e->link.broken = true;
		return;
	}
	if (answer->type == TN_API_PART) {
		compare_part(s, &answer->part);
		return;
	}
	if (--s->n_left)
		return;
	find_missing(s);
	try_again(s);
	s->delivering = true;
	s->delivery = (struct tn_delivery){
		.e = e,
		.edits = &s->edits,
		.piecemeal = true,
		.ctx = s,
		.refused = on_refused,
		.done = on_delivered,
	};
	tn_delivery_start(&s->delivery);
}

static void on_subscribed(
	void *ctx, const struct tn_api_message *answer, const struct tn_error *err)
{
	struct tn_engine *e = ctx;

	if (err && answer)
		e->link.broken = true;
}

static int ask(struct tn_engine *e)
{
	const struct tn_api_message subscribe = {
		.type = TN_API_SUBSCRIBE,
		.subscribe = 1u << TN_API_FLOW_REMOVED | 1u << TN_API_PORT_STATUS |
			1u << TN_API_TABLE_STATUS | 1u << TN_API_PACKET_IN,
	};
	struct tn_error err;
	int rc = tn_api_async_send(e->link.client, &subscribe, on_subscribed, e, &err);

	for (size_t i = 0; i < TN_ARRAY_SIZE(dumps) && !rc; i++) {
		const struct tn_api_message dump = {
			.type = TN_API_DUMP,
			.dump = {.kind = dumps[i],
				.table_id = TN_TABLE_ALL,
				.out_port = TN_PORT_ANY,
				.out_group = TN_GROUP_ANY},
		};

		rc = tn_api_async_send(e->link.client, &dump, on_part, e, &err);
	}
	return rc;
}

void tn_sync_start_if_due(struct tn_engine *e)
{
	struct tn_sync *s;

	if (!e->resync || e->sync || e->n_under_way || !e->link.client)
		return;
	e->resync = false;
	e->resync_at_ns = 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->e = e;
	s->number = ++e->sync_number ? e->sync_number : ++e->sync_number;
	s->n_left = TN_ARRAY_SIZE(dumps);
	s->adopt = !e->synced;
	e->sync = s;
	tn_link_set_state(e, TN_LINK_SYNCING);
	if (ask(e))
		e->link.broken = true;
	tn_engine_wake(e);
}

void tn_sync_stop(struct tn_engine *e)
{
	e->resync = false;
	e->resync_at_ns = 0;
	/* A delivery ends with the connection, which is freed next, and uses the edits until then.
	 */
	if (e->sync && !e->sync->delivering)
		free_sync(e);
}
