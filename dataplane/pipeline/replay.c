/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

void tn_switch_set_lost_fn(struct tn_switch *sw, tn_lost_fn fn, void *ctx)
{
	sw->lost_fn = fn;
	sw->lost_ctx = ctx;
}

void tn_switch_replay_begin(struct tn_switch *sw, uint64_t used_ns)
{
	sw->replaying = true;
	sw->replay_used_ns = used_ns;
}

void tn_switch_replay_end(struct tn_switch *sw)
{
	sw->replaying = false;
}

int tn_switch_lose(struct tn_switch *sw, const uint64_t *flow_ids, size_t n, uint64_t now_ns,
	struct tn_error *err)
{
	int rc = tn_sw_reserve_snapshot(sw) ? 0 : tn_sw_no_memory(err);

	for (size_t i = 0; i < n && !rc; i++) {
		struct tn_flow *flow = tn_sw_flow_by_id(sw, flow_ids[i]);

		/* An id that is given twice: removed already. */
		if (flow && tn_sw_flow_visible(flow, tn_sw_next_version(sw)))
			rc = tn_sw_flow_remove(sw, flow, TN_SW_SILENT, now_ns, err);
	}
	if (rc)
		tn_sw_undo_changes(sw, 0);
	tn_sw_commit_changes(sw, now_ns);
	return rc;
}
