/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool tn_sw_reserve_change(struct tn_switch *sw)
{
	size_t size = sw->changes_size ? sw->changes_size * 2 : 16;
	struct tn_sw_change *v;

	if (sw->n_changes < sw->changes_size)
		return true;
	v = realloc(sw->changes, size * sizeof(*v));
	if (!v)
		return false;
	sw->changes = v;
	sw->changes_size = size;
	return true;
}

void tn_sw_log_change(struct tn_switch *sw, const struct tn_sw_change *change)
{
	TN_ASSERT(sw->n_changes < sw->changes_size);
	sw->changes[sw->n_changes++] = *change;
}

/* A large bundle's log is not kept for the small ones that follow. */
static void clear_changes(struct tn_switch *sw)
{
	sw->n_changes = 0;
	if (sw->changes_size <= 1024)
		return;
	free(sw->changes);
	sw->changes = NULL;
	sw->changes_size = 0;
}

void tn_sw_undo_changes(struct tn_switch *sw, size_t from)
{
	while (sw->n_changes > from) {
		const struct tn_sw_change *change = &sw->changes[--sw->n_changes];

		switch ((enum tn_sw_object)change->object) {
		case TN_SW_FLOW:
			tn_sw_flow_undo(sw, change);
			break;
		case TN_SW_GROUP:
			tn_sw_group_undo(sw, change);
			break;
		case TN_SW_METER:
			tn_sw_meter_undo(sw, change);
			break;
		}
	}
}

/* A new version of a meter goes on counting where the old one is now. */
static void carry_meter_counters(struct tn_switch *sw)
{
	for (size_t i = 0; i < sw->n_changes; i++) {
		const struct tn_sw_change *change = &sw->changes[i];
		struct tn_meter_version *m = change->p;

		if (change->object == TN_SW_METER && change->added && change->continues)
			m->meter->counter = change->continues->meter->counter;
	}
}

static void publish_changes(struct tn_switch *sw)
{
	for (size_t i = 0; i < sw->n_changes; i++) {
		const struct tn_sw_change *change = &sw->changes[i];

		switch ((enum tn_sw_object)change->object) {
		case TN_SW_FLOW:
			tn_sw_flow_publish(sw, change);
			break;
		case TN_SW_GROUP:
			tn_sw_group_publish(sw, change);
			break;
		case TN_SW_METER:
			tn_sw_meter_publish(sw, change);
			break;
		}
	}
}

static bool is_lost(uint8_t reason)
{
	return reason == TN_REMOVED_IDLE_TIMEOUT || reason == TN_REMOVED_HARD_TIMEOUT ||
		reason == TN_REMOVED_EVICTION;
}

static void tell_removed(struct tn_switch *sw, const struct tn_sw_change *change)
{
	struct tn_flow *flow = change->p;

	/* A bundle may evict a flow and add it again. */
	if (sw->lost_fn && is_lost(change->reason) && !tn_sw_flow_by_id(sw, flow->flow_id))
		sw->lost_fn(sw->lost_ctx, flow->flow_id);
	if (change->reason != TN_SW_SILENT && flow->flags & TN_FLOW_SEND_FLOW_REM)
		tn_sw_emit_removed(sw, flow, change->reason, change->time_ns);
}

/*
 * OpenFlow 1.5, 7.3.4.1: "down" once free space falls to vacancy_down percent, then "up" once it
 * rises to vacancy_up, and so on in turns.
 */
static void tell_vacancy(struct tn_switch *sw, uint8_t table, uint64_t now_ns)
{
	struct tn_sw_table *state = &sw->state[table];
	const struct tn_table_config *config = &state->config;
	uint64_t max = config->max_entries;
	uint64_t vacant = (state->active < max ? max - state->active : 0) * 100;
	bool turns = state->vacancy_low ? vacant >= config->vacancy_up * max
					: vacant <= config->vacancy_down * max;

	if (!config->vacancy_up || !turns)
		return;
	state->vacancy_low = !state->vacancy_low;
	tn_sw_emit(sw,
		&(struct tn_event){
			.kind = TN_EVENT_TABLE_STATUS,
			.time_ns = now_ns,
			.table_id = table,
			.vacancy_up = !state->vacancy_low,
		});
}

static void tell_changes(struct tn_switch *sw, uint64_t now_ns)
{
	bool touched[TN_N_TABLES] = {false};

	for (size_t i = 0; i < sw->n_changes; i++) {
		const struct tn_sw_change *change = &sw->changes[i];

		if (change->object != TN_SW_FLOW)
			continue;
		touched[((const struct tn_flow *)change->p)->table_id] = true;
		if (!change->added)
			tell_removed(sw, change);
	}
	for (unsigned t = 0; t < TN_N_TABLES; t++) {
		if (touched[t])
			tell_vacancy(sw, (uint8_t)t, now_ns);
	}
}

/* Decisions that read what changed are no longer good. */
static void raise_epochs(struct tn_switch *sw)
{
	for (size_t i = 0; i < sw->n_changes; i++) {
		const struct tn_sw_change *change = &sw->changes[i];
		unsigned class = TN_EPOCH_SHARED;

		if (change->object == TN_SW_FLOW)
			class = tn_epoch_class(((const struct tn_flow *)change->p)->table_id);
		sw->epoch[class] = (uint32_t)sw->version;
	}
}

/* The oldest version is forgotten. */
static void forget_oldest(struct tn_recent *recent)
{
	uint32_t oldest = recent->change[0].version, n = 0;

	while (n < recent->n && recent->change[n].version == oldest)
		n++;
	recent->since += (uint32_t)(oldest - (uint32_t)recent->since);
	recent->n -= n;
	memmove(recent->change, recent->change + n, recent->n * sizeof(recent->change[0]));
}

/* The flow of a change that packets can notice; NULL: it is about something else. */
static const struct tn_flow *noticeable_flow(const struct tn_sw_change *change)
{
	const struct tn_flow *flow = change->object == TN_SW_FLOW ? change->p : NULL;

	return flow && !flow->dropped ? flow : NULL;
}

/* This version's changes of flows. Removed ones keep their matches until they are reclaimed. */
static void note_recent(struct tn_switch *sw)
{
	struct tn_recent *recent = &sw->recent;
	uint32_t n = 0;

	for (size_t i = 0; i < sw->n_changes && n <= TN_RECENT_MAX; i++)
		n += noticeable_flow(&sw->changes[i]) != NULL;
	if (n > TN_RECENT_MAX) {
		recent->since = sw->version;
		recent->n = 0;
		return;
	}
	while (recent->n + n > TN_RECENT_MAX)
		forget_oldest(recent);
	for (size_t i = 0; n && i < sw->n_changes; i++) {
		const struct tn_flow *flow = noticeable_flow(&sw->changes[i]);
		struct tn_recent_change *to = &recent->change[recent->n];

		if (!flow)
			continue;
		to->version = (uint32_t)sw->version;
		to->table_id = flow->table_id;
		tn_cls_rule_match(&flow->cls, &to->match);
		recent->n++;
	}
}

/* A removed flow's circuit, unless another version of the flow does the same. */
static void forget_circuit(struct tn_switch *sw, const struct tn_flow *flow)
{
	const struct tn_action *circuit = tn_sw_flow_circuit(flow);
	const struct tn_flow *now = circuit ? tn_sw_flow_by_id(sw, flow->flow_id) : NULL;

	if (!circuit ||
		(now && tn_actions_equal(now->apply, now->n_apply, flow->apply, flow->n_apply)))
		return;
	tn_fdb_flush_circuit(sw->fdb, circuit->circuit.number);
	tn_mcast_flush_circuit(sw->mcast, circuit->circuit.number);
}

static void forget_circuits(struct tn_switch *sw)
{
	for (size_t i = 0; i < sw->n_changes; i++) {
		const struct tn_sw_change *change = &sw->changes[i];

		if (change->object == TN_SW_FLOW && !change->added)
			forget_circuit(sw, change->p);
	}
	tn_sw_raise_network_epochs(sw);
}

void tn_sw_commit_changes(struct tn_switch *sw, uint64_t now_ns)
{
	if (sw->n_changes) {
		carry_meter_counters(sw);
		sw->version++;
		raise_epochs(sw);
		forget_circuits(sw);
		note_recent(sw);
		tn_sw_publish(sw);
		publish_changes(sw);
		tn_sw_adverts_commit(sw, now_ns);
		tell_changes(sw, now_ns);
	}
	clear_changes(sw);
}

/* Lookups of the published version may still go by tables that were outgrown on the way. */
static void undo_all(struct tn_switch *sw)
{
	tn_sw_undo_changes(sw, 0);
	clear_changes(sw);
	if (sw->snapshot->groups != sw->groups || sw->snapshot->meters != sw->meters)
		tn_sw_publish(sw);
}

static int apply_one(
	struct tn_switch *sw, const struct tn_mod *mod, uint64_t now_ns, struct tn_error *err)
{
	switch (mod->kind) {
	case TN_MOD_FLOW:
		return tn_sw_flow_mod(sw, mod->flow, now_ns, err);
	case TN_MOD_GROUP:
		return tn_sw_group_mod(sw, mod->group, now_ns, err);
	case TN_MOD_METER:
		return tn_sw_meter_mod(sw, mod->meter, now_ns, err);
	}
	return tn_error_set(err, TN_OFPBRC_BAD_TYPE, -1,
		"message kind %u is not one of flow, group and meter", (unsigned)mod->kind);
}

static void drop(struct tn_switch *sw, const struct tn_sw_change *change)
{
	switch ((enum tn_sw_object)change->object) {
	case TN_SW_FLOW:
		tn_sw_flow_drop(sw, change->p);
		break;
	case TN_SW_GROUP:
		tn_sw_group_drop(sw, change->p);
		break;
	case TN_SW_METER:
		tn_sw_meter_drop(sw, change->p);
		break;
	}
}

static uint64_t added_in(const struct tn_sw_change *change)
{
	if (change->object == TN_SW_FLOW)
		return ((const struct tn_flow *)change->p)->cls.add_version;
	return ((const struct tn_versioned *)change->p)->add_version;
}

/*
 * One message, wholly: what it did is taken back alone if it is refused. What it removed of what
 * the bundle added is needed no more, because from here on the messages are undone all together.
 */
static int apply(
	struct tn_switch *sw, const struct tn_mod *mod, uint64_t now_ns, struct tn_error *err)
{
	size_t before = sw->n_changes;
	int rc = apply_one(sw, mod, now_ns, err);

	if (rc) {
		tn_sw_undo_changes(sw, before);
		return rc;
	}
	for (size_t i = before; i < sw->n_changes; i++) {
		const struct tn_sw_change *change = &sw->changes[i];

		if (!change->added && added_in(change) == tn_sw_next_version(sw))
			drop(sw, change);
	}
	return 0;
}

int tn_switch_commit(struct tn_switch *sw, const struct tn_mod *mods, size_t n, uint64_t now_ns,
	size_t *failed, struct tn_error *err)
{
	size_t i = 0;
	int rc = tn_sw_reserve_snapshot(sw) ? 0 : tn_sw_no_memory(err);

	for (; i < n && !rc; i++)
		rc = apply(sw, &mods[i], now_ns, err);
	if (!rc) {
		tn_sw_commit_changes(sw, now_ns);
		return 0;
	}
	undo_all(sw);
	if (failed)
		*failed = i ? i - 1 : 0;
	return rc;
}

size_t tn_switch_check_all(struct tn_switch *sw, const struct tn_mod *mods, size_t n,
	uint64_t now_ns, tn_refused_fn refused, void *ctx)
{
	size_t n_refused = 0;
	struct tn_error err;

	if (!tn_sw_reserve_snapshot(sw)) {
		tn_sw_no_memory(&err);
		if (refused)
			refused(ctx, 0, &err);
		return 1;
	}
	for (size_t i = 0; i < n; i++) {
		if (!apply(sw, &mods[i], now_ns, &err))
			continue;
		n_refused++;
		if (refused)
			refused(ctx, i, &err);
	}
	undo_all(sw);
	return n_refused;
}
