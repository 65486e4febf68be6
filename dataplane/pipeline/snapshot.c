/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/snapshot.h"

struct tn_versioned *tn_id_table_lookup(const struct tn_id_table *t, uint32_t id, uint64_t version)
{
	for (uint32_t i = tn_id_hash(id);; i++) {
		struct tn_versioned *v = __atomic_load_n(&t->slots[i & t->mask], __ATOMIC_ACQUIRE);

		if (!v)
			return NULL;
		if (v->id == id && tn_visible(v->add_version, &v->remove_version, version))
			return v;
	}
}

const struct tn_group *tn_snapshot_group(const struct tn_snapshot *s, uint32_t group_id)
{
	return (const struct tn_group *)(const void *)tn_id_table_lookup(
		s->groups, group_id, s->version);
}

struct tn_meter *tn_snapshot_meter(const struct tn_snapshot *s, uint32_t meter_id)
{
	const struct tn_meter_version *m =
		(const struct tn_meter_version *)(const void *)tn_id_table_lookup(
			s->meters, meter_id, s->version);

	return m ? m->meter : NULL;
}

const struct tn_port_config_data *tn_snapshot_port(const struct tn_snapshot *s, uint32_t number)
{
	const struct tn_port_table *t = s->ports;
	uint32_t low = 0, high = t->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (t->ports[middle].number == number)
			return &t->ports[middle];
		if (t->ports[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

void tn_flow_describe(const struct tn_flow *flow, struct tn_flow_info *info)
{
	uint64_t used = flow->stats->last_used_ns;

	*info = (struct tn_flow_info){
		.flow_id = flow->flow_id,
		.table_id = flow->table_id,
		.priority = flow->cls.priority,
		.cookie = flow->cookie,
		.idle_timeout = flow->idle_timeout,
		.hard_timeout = flow->hard_timeout,
		.importance = flow->importance,
		.flags = flow->flags,
		.owner = flow->owner,
		.created_ns = flow->created_ns,
		/* A replaced flow's statistics may be older than the flow. */
		.last_used_ns = used > flow->created_ns ? used : flow->created_ns,
		.counter = flow->stats->counter,
		.inst =
			{
				.meter_id = flow->meter_id,
				.apply = flow->apply,
				.n_apply = flow->n_apply,
				.clear_actions = flow->clear_actions,
				.write = flow->write,
				.n_write = flow->n_write,
				.metadata = flow->metadata,
				.metadata_mask = flow->metadata_mask,
				.goto_table = flow->goto_table,
			},
	};
	tn_cls_rule_match(&flow->cls, &info->match);
}
