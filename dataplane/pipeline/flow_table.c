/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN_UP(n) (((n) + 15u) & ~(size_t)15u) /* actions hold 128-bit integers */

/* One block: the flow, its action lists, its uses. */
static struct tn_action *flow_actions(struct tn_flow *flow)
{
	return (struct tn_action *)(void *)((char *)flow + ALIGN_UP(sizeof(*flow)));
}

static struct tn_use *flow_uses(struct tn_flow *flow)
{
	return (struct tn_use *)(void *)(flow_actions(flow) + flow->n_apply + flow->n_write);
}

static int list_refs(struct tn_switch *sw, const struct tn_action *list, size_t n,
	struct tn_sw_flow_refs *refs, struct tn_error *err)
{
	for (size_t i = 0; i < n; i++) {
		struct tn_group *group;

		if (list[i].type != TN_ACTION_GROUP)
			continue;
		group = tn_sw_group(sw, list[i].group_id);
		if (!group)
			return tn_error_set(err, TN_OFPBAC_BAD_OUT_GROUP, (int)i,
				"group %u does not exist: add the group before the flow that uses "
				"it",
				list[i].group_id);
		refs->of[refs->n++] = group->users;
	}
	return 0;
}

int tn_sw_flow_refs(struct tn_switch *sw, const struct tn_instructions *inst,
	struct tn_sw_flow_refs *refs, struct tn_error *err)
{
	struct tn_meter_version *meter;
	int rc;

	refs->n = 0;
	rc = list_refs(sw, inst->apply, inst->n_apply, refs, err);
	if (!rc)
		rc = list_refs(sw, inst->write, inst->n_write, refs, err);
	if (rc)
		return rc;
	refs->n = tn_sw_users_unique(refs->of, refs->n);
	if (!inst->meter_id)
		return 0;
	meter = tn_sw_meter(sw, inst->meter_id);
	if (!meter)
		return tn_error_set(err, TN_OFPBAC_BAD_METER, -1,
			"meter %u does not exist: add the meter before the flow that uses it",
			inst->meter_id);
	refs->of[refs->n++] = meter->users;
	return 0;
}

struct tn_flow *tn_sw_flow_new(struct tn_switch *sw, const struct tn_instructions *inst,
	const struct tn_sw_flow_refs *refs)
{
	size_t n_actions = (size_t)inst->n_apply + inst->n_write;
	struct tn_flow *flow;
	struct tn_action *a;

	flow = tn_sw_alloc(sw,
		ALIGN_UP(sizeof(*flow)) + n_actions * sizeof(*a) + refs->n * sizeof(struct tn_use));
	if (!flow)
		return NULL;
	a = flow_actions(flow);
	if (inst->n_apply)
		memcpy(a, inst->apply, inst->n_apply * sizeof(*a));
	if (inst->n_write)
		memcpy(a + inst->n_apply, inst->write, inst->n_write * sizeof(*a));
	flow->apply = a;
	flow->write = a + inst->n_apply;
	flow->n_apply = inst->n_apply;
	flow->n_write = inst->n_write;
	flow->clear_actions = inst->clear_actions;
	flow->metadata = inst->metadata & inst->metadata_mask;
	flow->metadata_mask = inst->metadata_mask;
	flow->meter_id = inst->meter_id;
	flow->goto_table = inst->goto_table;
	flow->n_uses = (uint16_t)refs->n;
	flow->timer_slot = flow->evict_slot = TN_SW_SLOT_NONE;
	return flow;
}

void tn_sw_flow_stats_new(struct tn_switch *sw, struct tn_flow *flow, uint64_t last_used_ns)
{
	flow->stats = tn_sw_stats_new(sw, last_used_ns);
	flow->stats_id = flow->stats ? flow->stats->id : 0;
}

void tn_sw_flow_stats_share(struct tn_flow *flow, const struct tn_flow *old)
{
	flow->stats = old->stats;
	flow->stats_id = old->stats_id;
	flow->stats->refs++;
}

void tn_sw_flow_free(struct tn_switch *sw, struct tn_flow *flow)
{
	tn_sw_stats_put(sw, flow->stats);
	tn_sw_free(sw, flow);
}

/* Flows by id. */

static void ids_grow(struct tn_switch *sw)
{
	uint32_t size = sw->ids ? (sw->ids_mask + 1) * 2 : 64;
	struct tn_flow **ids = calloc(size, sizeof(struct tn_flow *));

	if (!ids)
		return; /* chains get longer */
	for (uint32_t i = 0; sw->ids && i <= sw->ids_mask; i++) {
		for (struct tn_flow *f = sw->ids[i], *next; f; f = next) {
			struct tn_flow **head = &ids[f->flow_id & (size - 1)];

			next = f->id_next;
			f->id_next = *head;
			*head = f;
		}
	}
	free(sw->ids);
	sw->ids = ids;
	sw->ids_mask = size - 1;
}

static bool ids_reserve(struct tn_switch *sw)
{
	if (!sw->ids || sw->n_ids > sw->ids_mask)
		ids_grow(sw);
	return sw->ids;
}

static void ids_link(struct tn_switch *sw, struct tn_flow *flow)
{
	struct tn_flow **head = &sw->ids[flow->flow_id & sw->ids_mask];

	flow->id_next = *head;
	*head = flow;
	sw->n_ids++;
}

static void ids_unlink(struct tn_switch *sw, struct tn_flow *flow)
{
	struct tn_flow **p = &sw->ids[flow->flow_id & sw->ids_mask];

	while (*p != flow)
		p = &(*p)->id_next;
	*p = flow->id_next;
	sw->n_ids--;
}

/* Time. */

uint64_t tn_sw_flow_due(const struct tn_flow *flow, enum tn_flow_removed_reason *reason)
{
	uint64_t idle = UINT64_MAX, hard = UINT64_MAX;
	uint64_t used = __atomic_load_n(&flow->stats->last_used_ns, __ATOMIC_RELAXED);

	if (flow->hard_timeout)
		hard = tn_sw_add_sat(flow->created_ns, flow->hard_timeout * TN_SW_NS);
	if (flow->idle_timeout)
		idle = tn_sw_add_sat(used > flow->created_ns ? used : flow->created_ns,
			flow->idle_timeout * TN_SW_NS);
	if (reason)
		*reason = hard <= idle ? TN_REMOVED_HARD_TIMEOUT : TN_REMOVED_IDLE_TIMEOUT;
	return hard <= idle ? hard : idle;
}

static bool has_timer(const struct tn_flow *flow)
{
	return flow->idle_timeout || flow->hard_timeout;
}

/* A permanent flow that nobody called less important than others is not evicted. */
static bool evictable(const struct tn_flow *flow)
{
	return has_timer(flow) || flow->importance;
}

void tn_sw_flow_offer(struct tn_sw_table *state, struct tn_flow *flow)
{
	if (state->config.eviction && evictable(flow))
		tn_sw_heap_push(&state->evict, flow, tn_sw_flow_due(flow, NULL));
}

/* Adding and removing. */

static size_t flow_bytes(const struct tn_flow *flow)
{
	return tn_sw_bytes_of(flow) + tn_sw_bytes_of(flow->stats);
}

static int reserve_insert(struct tn_switch *sw, const struct tn_flow *flow)
{
	struct tn_flow_table *table = &sw->tables[flow->table_id];
	struct tn_sw_table *state = &sw->state[flow->table_id];

	if (!table->cls) {
		struct tn_classifier *cls = tn_classifier_new(sw->defer);

		if (!cls)
			return -ENOMEM;
		__atomic_store_n(&table->cls, cls, __ATOMIC_RELEASE);
	}
	if (!tn_sw_reserve_change(sw) || !ids_reserve(sw) || !tn_sw_adverts_reserve(sw, flow))
		return -ENOMEM;
	if (has_timer(flow) &&
		!tn_sw_heap_reserve(&sw->timers, (size_t)sw->timers.n + sw->n_pending + 1))
		return -ENOMEM;
	if (state->config.eviction &&
		!tn_sw_heap_reserve(&state->evict, (size_t)state->evict.n + 1))
		return -ENOMEM;
	return 0;
}

int tn_sw_flow_insert(struct tn_switch *sw, struct tn_flow *flow, const struct tn_match *match,
	const struct tn_sw_flow_refs *refs, struct tn_error *err)
{
	struct tn_sw_table *state = &sw->state[flow->table_id];
	int rc = flow->stats ? reserve_insert(sw, flow) : -ENOMEM;

	if (!rc) {
		flow->cls.add_version = tn_sw_next_version(sw);
		flow->cls.remove_version = TN_VERSION_NEVER;
		rc = tn_classifier_insert(sw->tables[flow->table_id].cls, &flow->cls, match);
	}
	if (rc) {
		tn_sw_flow_free(sw, flow);
		if (rc != -ENOSPC)
			return tn_sw_no_memory(err);
		return tn_error_set(err, TN_OFPFMFC_TABLE_FULL, -1,
			"table %u holds matches of too many different masks: use fewer kinds of "
			"mask in one table, or spread the flows over tables",
			flow->table_id);
	}
	ids_link(sw, flow);
	tn_sw_uses_link(flow_uses(flow), refs->n, refs->of, flow, TN_SW_USER_FLOW);
	tn_sw_flow_offer(state, flow);
	state->active++;
	state->flow_bytes += flow_bytes(flow);
	sw->n_flows++;
	sw->n_pending += has_timer(flow);
	tn_sw_log_change(
		sw, &(struct tn_sw_change){.object = TN_SW_FLOW, .added = true, .p = flow});
	return 0;
}

int tn_sw_flow_remove(struct tn_switch *sw, struct tn_flow *flow, uint8_t reason, uint64_t time_ns,
	struct tn_error *err)
{
	struct tn_sw_table *state = &sw->state[flow->table_id];

	if (!tn_sw_reserve_change(sw))
		return tn_sw_no_memory(err);
	__atomic_store_n(&flow->cls.remove_version, tn_sw_next_version(sw), __ATOMIC_RELAXED);
	tn_sw_heap_remove(&state->evict, flow);
	state->active--;
	sw->n_flows--;
	tn_sw_log_change(sw,
		&(struct tn_sw_change){
			.object = TN_SW_FLOW, .reason = reason, .time_ns = time_ns, .p = flow});
	return 0;
}

/* Out of the writer's indexes. */
static void unindex(struct tn_switch *sw, struct tn_flow *flow)
{
	struct tn_sw_table *state = &sw->state[flow->table_id];

	tn_sw_heap_remove(&state->evict, flow);
	tn_sw_heap_remove(&sw->timers, flow);
	tn_sw_uses_unlink(flow_uses(flow), flow->n_uses);
	ids_unlink(sw, flow);
	state->flow_bytes -= flow_bytes(flow);
}

/* No packet will ever see it again, but a reader may be walking over it. */
static void take_out(struct tn_switch *sw, struct tn_flow *flow)
{
	unindex(sw, flow);
	tn_classifier_remove(sw->tables[flow->table_id].cls, &flow->cls);
	flow->id_next = sw->unlinked_flows;
	sw->unlinked_flows = flow;
}

void tn_sw_flow_drop(struct tn_switch *sw, struct tn_flow *flow)
{
	flow->dropped = true;
	take_out(sw, flow);
}

void tn_sw_flow_undo(struct tn_switch *sw, const struct tn_sw_change *change)
{
	struct tn_flow *flow = change->p;
	struct tn_sw_table *state = &sw->state[flow->table_id];

	if (change->added) {
		state->active--;
		sw->n_flows--;
		sw->n_pending -= has_timer(flow);
		if (!flow->dropped)
			take_out(sw, flow);
		return;
	}
	state->active++;
	sw->n_flows++;
	if (flow->dropped)
		return;
	__atomic_store_n(&flow->cls.remove_version, TN_VERSION_NEVER, __ATOMIC_RELAXED);
	tn_sw_flow_offer(state, flow); /* there is room: it was in the heap before */
}

void tn_sw_flow_publish(struct tn_switch *sw, const struct tn_sw_change *change)
{
	struct tn_flow *flow = change->p;

	if (change->added)
		sw->n_pending -= has_timer(flow);
	if (flow->dropped)
		return;
	if (change->added) {
		if (has_timer(flow))
			tn_sw_heap_push(&sw->timers, flow, tn_sw_flow_due(flow, NULL));
		return;
	}
	unindex(sw, flow);
	flow->id_next = sw->removed_flows;
	sw->removed_flows = flow;
}
