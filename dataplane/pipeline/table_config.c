/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

#include <errno.h>

static int check_config(
	uint8_t table_id, const struct tn_table_config *config, struct tn_error *err)
{
	if (config->vacancy_up > 100 ||
		(config->vacancy_up && config->vacancy_down >= config->vacancy_up) ||
		(!config->vacancy_up && config->vacancy_down))
		return tn_error_set(err, TN_OFPTMFC_BAD_CONFIG, -1,
			"table %u: vacancy_down %u and vacancy_up %u must be percentages, down "
			"less than up, or both 0 for no vacancy events",
			table_id, config->vacancy_down, config->vacancy_up);
	return 0;
}

struct offer {
	struct tn_sw_table *state;
	uint64_t version;
};

static void offer_rule(void *ctx, struct tn_cls_rule *rule)
{
	struct offer *offer = ctx;
	struct tn_flow *flow = (struct tn_flow *)(void *)rule;

	if (tn_sw_flow_visible(flow, offer->version))
		tn_sw_flow_offer(offer->state, flow);
}

static int set_eviction(struct tn_switch *sw, unsigned table, bool eviction)
{
	struct tn_sw_table *state = &sw->state[table];
	struct offer offer = {.state = state, .version = sw->version};

	if (state->config.eviction == eviction)
		return 0;
	if (eviction && !tn_sw_heap_reserve(&state->evict, state->active))
		return -ENOMEM;
	state->config.eviction = eviction;
	while (!eviction && state->evict.n)
		tn_sw_heap_remove(&state->evict, state->evict.v[0].flow);
	if (eviction && sw->tables[table].cls)
		tn_classifier_foreach(sw->tables[table].cls, offer_rule, &offer);
	return 0;
}

int tn_switch_table_configure(struct tn_switch *sw, uint8_t table_id,
	const struct tn_table_config *config, struct tn_error *err)
{
	int rc = check_config(table_id, config, err);

	for (unsigned t = 0; t < TN_N_TABLES && !rc; t++) {
		struct tn_sw_table *state = &sw->state[t];

		if (table_id != TN_TABLE_ALL && table_id != t)
			continue;
		if (set_eviction(sw, t, config->eviction))
			return tn_sw_no_memory(err);
		state->config = *config;
		if (!config->max_entries)
			state->config.max_entries = TN_TABLE_ENTRIES_DEFAULT;
		state->configured = true;
		state->vacancy_low = false;
	}
	return rc;
}
