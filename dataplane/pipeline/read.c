/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

#include <errno.h>
#include <stdlib.h>

int tn_switch_flows(
	const struct tn_switch *sw, const struct tn_flow_mod *filter, tn_flow_fn fn, void *ctx)
{
	struct tn_sw_flow_list list = {0};
	struct tn_flow_info info;
	int rc = tn_sw_flow_select(sw, filter, false, true, sw->version, &list);

	for (size_t i = 0; i < list.n && !rc; i++) {
		tn_flow_describe(list.v[i].flow, &info);
		fn(ctx, &info);
	}
	tn_sw_flow_list_free(&list);
	return rc;
}

struct tn_flow *tn_sw_flow_by_id(const struct tn_switch *sw, uint64_t flow_id)
{
	struct tn_flow *flow = sw->ids ? sw->ids[flow_id & sw->ids_mask] : NULL;

	while (flow && (flow->flow_id != flow_id || !tn_sw_flow_visible(flow, sw->version)))
		flow = flow->id_next;
	return flow;
}

const struct tn_action *tn_sw_flow_circuit(const struct tn_flow *flow)
{
	for (uint16_t i = 0; i < flow->n_apply; i++) {
		if (flow->apply[i].type == TN_ACTION_CIRCUIT)
			return &flow->apply[i];
	}
	return NULL;
}

static bool names(const struct tn_flow *flow, const struct tn_circuit *circuit)
{
	const struct tn_action *a = tn_sw_flow_circuit(flow);

	return a && a->circuit.number == circuit->number && a->circuit.table == circuit->table &&
		a->field == circuit->field;
}

bool tn_sw_circuit_is_there(
	const struct tn_switch *sw, const struct tn_circuit *circuit, uint32_t named_by)
{
	const struct tn_flow *flow = sw->ids ? sw->ids[named_by & sw->ids_mask] : NULL;

	if (!circuit->number)
		return true;
	for (; flow; flow = flow->id_next) {
		if ((uint32_t)flow->flow_id == named_by && tn_sw_flow_visible(flow, sw->version) &&
			names(flow, circuit))
			return true;
	}
	return false;
}

bool tn_switch_flow_by_id(const struct tn_switch *sw, uint64_t flow_id, tn_flow_fn fn, void *ctx)
{
	struct tn_flow *flow = tn_sw_flow_by_id(sw, flow_id);
	struct tn_flow_info info;

	if (!flow)
		return false;
	tn_flow_describe(flow, &info);
	fn(ctx, &info);
	return true;
}

int tn_switch_flow_ids(
	const struct tn_switch *sw, const struct tn_flow_mod *filter, uint64_t **ids, size_t *n)
{
	struct tn_sw_flow_list list = {0};
	int rc = tn_sw_flow_select(sw, filter, false, true, sw->version, &list);

	*ids = rc ? NULL : malloc((list.n + 1) * sizeof(**ids));
	*n = *ids ? list.n : 0;
	for (size_t i = 0; i < *n; i++)
		(*ids)[i] = list.v[i].flow_id;
	tn_sw_flow_list_free(&list);
	return *ids ? 0 : -ENOMEM;
}

static int show_group(const struct tn_group *group, tn_group_fn fn, void *ctx)
{
	struct tn_bucket_info *buckets = malloc((group->n_buckets + 1) * sizeof(*buckets));

	if (!buckets)
		return -ENOMEM;
	for (uint32_t i = 0; i < group->n_buckets; i++) {
		const struct tn_group_bucket *b = &group->buckets[i];

		buckets[i] = (struct tn_bucket_info){
			.bucket =
				{
					.bucket_id = b->bucket_id,
					.weight = b->weight,
					.watch_port = b->watch_port,
					.watch_group = b->watch_group,
					.actions = b->actions,
					.n_actions = b->n_actions,
				},
			.counter = b->stats->counter,
		};
	}
	fn(ctx,
		&(struct tn_group_info){
			.group_id = group->v.id,
			.type = group->type,
			.selection = group->selection,
			.hash_fields = group->hash_fields,
			.selection_param = group->selection_param,
			.owner = group->owner,
			.annotation = group->annotation,
			.reference_count = group->users->n,
			.created_ns = group->created_ns,
			.counter = group->stats->counter,
			.buckets = buckets,
			.n_buckets = group->n_buckets,
		});
	free(buckets);
	return 0;
}

int tn_switch_groups(const struct tn_switch *sw, tn_group_fn fn, void *ctx)
{
	struct tn_versioned **v;
	size_t n;
	int rc = 0;

	if (!tn_sw_id_table_sorted(sw->groups, sw->version, &v, &n))
		return -ENOMEM;
	for (size_t i = 0; i < n && !rc; i++)
		rc = show_group((const struct tn_group *)(const void *)v[i], fn, ctx);
	free(v);
	return rc;
}

int tn_switch_meters(const struct tn_switch *sw, tn_meter_fn fn, void *ctx)
{
	struct tn_versioned **v;
	size_t n;

	if (!tn_sw_id_table_sorted(sw->meters, sw->version, &v, &n))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct tn_meter_version *m =
			(const struct tn_meter_version *)(const void *)v[i];

		fn(ctx, m->meter, m->users->n);
	}
	free(v);
	return 0;
}

static int list_ids(
	const struct tn_switch *sw, const struct tn_id_table *table, uint32_t **ids, size_t *n)
{
	struct tn_versioned **v;

	*ids = NULL;
	if (!tn_sw_id_table_sorted(table, sw->version, &v, n))
		return -ENOMEM;
	*ids = malloc((*n + 1) * sizeof(**ids));
	for (size_t i = 0; *ids && i < *n; i++)
		(*ids)[i] = v[i]->id;
	free(v);
	return *ids ? 0 : -ENOMEM;
}

int tn_switch_group_ids(const struct tn_switch *sw, uint32_t **ids, size_t *n)
{
	return list_ids(sw, sw->groups, ids, n);
}

int tn_switch_meter_ids(const struct tn_switch *sw, uint32_t **ids, size_t *n)
{
	return list_ids(sw, sw->meters, ids, n);
}

/* Between two bundles the prepared version is the published one. */
int tn_switch_group_by_id(const struct tn_switch *sw, uint32_t group_id, tn_group_fn fn, void *ctx)
{
	const struct tn_group *group = tn_sw_group(sw, group_id);

	return group ? show_group(group, fn, ctx) : 0;
}

void tn_switch_meter_by_id(const struct tn_switch *sw, uint32_t meter_id, tn_meter_fn fn, void *ctx)
{
	const struct tn_meter_version *m = tn_sw_meter(sw, meter_id);

	if (m)
		fn(ctx, m->meter, m->users->n);
}

static struct tn_classifier_stats lookup_stats(const struct tn_switch *sw, unsigned table)
{
	struct tn_classifier_stats stats = {.template_name = "linear"};

	if (sw->tables[table].cls)
		tn_classifier_stats(sw->tables[table].cls, &stats);
	return stats;
}

void tn_switch_tables(const struct tn_switch *sw, tn_table_fn fn, void *ctx)
{
	for (unsigned t = 0; t < TN_N_TABLES; t++) {
		const struct tn_sw_table *state = &sw->state[t];
		struct tn_classifier_stats stats;

		if (!state->active && !state->configured)
			continue;
		stats = lookup_stats(sw, t);
		fn(ctx,
			&(struct tn_table_info){
				.table_id = (uint8_t)t,
				.config = state->config,
				.active = state->active,
				.lookups = sw->tables[t].lookups,
				.matches = sw->tables[t].matches,
				.template_name = stats.template_name,
				.n_subtables = stats.n_tuples + stats.n_tries,
				.memory_bytes = stats.memory_bytes + state->flow_bytes,
			});
	}
}

void tn_switch_ports(const struct tn_switch *sw, tn_port_fn fn, void *ctx)
{
	for (uint32_t i = 0; i < sw->ports->n; i++)
		fn(ctx, &sw->ports->ports[i]);
}

uint32_t tn_switch_flow_count(const struct tn_switch *sw)
{
	return sw->n_flows;
}

size_t tn_switch_memory(const struct tn_switch *sw)
{
	size_t bytes = sw->bytes + tn_sw_bytes_of(sw) + tn_sw_bytes_of(sw->ids) +
		tn_sw_bytes_of(sw->timers.v) + tn_sw_bytes_of(sw->changes) +
		tn_sw_bytes_of(sw->groups) + tn_sw_bytes_of(sw->meters) +
		tn_sw_bytes_of(sw->ports) + tn_sw_bytes_of(sw->snapshot) +
		tn_sw_bytes_of(sw->spare) + tn_sw_bytes_of(sw->stats) +
		tn_sw_bytes_of(sw->free_stats);

	for (unsigned t = 0; t < TN_N_TABLES; t++)
		bytes += lookup_stats(sw, t).memory_bytes + tn_sw_bytes_of(sw->state[t].evict.v);
	return bytes;
}
