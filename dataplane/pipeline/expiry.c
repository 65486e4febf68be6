/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

/*
 * The heap holds times that may be too early, because packets do not touch it: a flow that comes
 * up and was used since goes back with its true time. So each flow comes up at most once an idle
 * timeout.
 */
void tn_switch_expire(struct tn_switch *sw, uint64_t now_ns)
{
	enum tn_flow_removed_reason reason;
	struct tn_flow *flow;

	tn_fdb_age(sw->fdb, now_ns);
	tn_mcast_age(sw->mcast, now_ns);
	if (tn_switch_next_flow_expiry(sw) > now_ns || !tn_sw_reserve_snapshot(sw))
		return;
	while ((flow = tn_sw_heap_first(&sw->timers, now_ns))) {
		uint64_t due_ns = tn_sw_flow_due(flow, &reason);

		/* Without memory the rest waits for the next call. */
		if (tn_sw_flow_remove(sw, flow, (uint8_t)reason, due_ns, NULL))
			break;
		tn_sw_heap_remove(&sw->timers, flow);
	}
	tn_sw_commit_changes(sw, now_ns);
}

uint64_t tn_switch_next_flow_expiry(const struct tn_switch *sw)
{
	return sw->timers.n ? sw->timers.v[0].due_ns : UINT64_MAX;
}

uint64_t tn_switch_next_expiry(const struct tn_switch *sw)
{
	uint64_t due = tn_switch_next_flow_expiry(sw), member = tn_mcast_due(sw->mcast),
		 station = tn_fdb_due(sw->fdb);

	due = member < due ? member : due;
	return station < due ? station : due;
}
