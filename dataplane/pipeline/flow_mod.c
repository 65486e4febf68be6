/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

#define FLAGS_KNOWN                                                             \
	(TN_FLOW_SEND_FLOW_REM | TN_FLOW_CHECK_OVERLAP | TN_FLOW_RESET_COUNTS | \
		TN_FLOW_NO_PKT_COUNTS | TN_FLOW_NO_BYT_COUNTS)
/* Those that stay with the flow; the others are about the request. */
#define FLAGS_KEPT (TN_FLOW_SEND_FLOW_REM | TN_FLOW_NO_PKT_COUNTS | TN_FLOW_NO_BYT_COUNTS)

static bool is_strict(const struct tn_flow_mod *fm)
{
	return fm->command == TN_FLOW_MODIFY_STRICT || fm->command == TN_FLOW_DELETE_STRICT;
}

static bool is_delete(const struct tn_flow_mod *fm)
{
	return fm->command == TN_FLOW_DELETE || fm->command == TN_FLOW_DELETE_STRICT;
}

static int check_flow_mod(const struct tn_flow_mod *fm, struct tn_error *err)
{
	int rc;

	if ((unsigned)fm->command > TN_FLOW_DELETE_STRICT)
		return tn_error_set(err, TN_OFPFMFC_BAD_COMMAND, -1,
			"flow command %u is not one of add, modify, modify_strict, delete and "
			"delete_strict",
			(unsigned)fm->command);
	if (fm->command == TN_FLOW_ADD && fm->table_id > TN_TABLE_MAX)
		return tn_error_set(err, TN_OFPFMFC_BAD_TABLE_ID, -1,
			"a flow cannot be added to table %u: tables are 0 to %u", fm->table_id,
			TN_TABLE_MAX);
	if (fm->flags & ~FLAGS_KNOWN)
		return tn_error_set(err, TN_OFPFMFC_BAD_FLAGS, -1,
			"flow flags 0x%x have bits that mean nothing: known are 0x%x", fm->flags,
			FLAGS_KNOWN);
	rc = tn_match_check(&fm->match, err);
	if (rc || is_delete(fm))
		return rc;
	return tn_instructions_check(&fm->inst, &fm->match, fm->table_id, err);
}

static struct tn_flow *flow_find(
	const struct tn_switch *sw, uint8_t table, const struct tn_match *match, uint16_t priority)
{
	struct tn_classifier *cls = sw->tables[table].cls;

	if (!cls)
		return NULL;
	return (struct tn_flow *)(void *)tn_classifier_find(
		cls, match, priority, tn_sw_next_version(sw));
}

static int check_overlap(
	const struct tn_switch *sw, const struct tn_flow_mod *fm, struct tn_error *err)
{
	struct tn_classifier *cls = sw->tables[fm->table_id].cls;
	struct tn_cls_rule *rule;

	if (!(fm->flags & TN_FLOW_CHECK_OVERLAP) || !cls)
		return 0;
	rule = tn_classifier_overlap(cls, &fm->match, fm->priority, tn_sw_next_version(sw));
	if (!rule)
		return 0;
	return tn_error_set(err, TN_OFPFMFC_OVERLAP, -1,
		"flow 0x%016llx of table %u has the same priority %u and matches some of the same "
		"packets: give one of the two another priority, or leave out CHECK_OVERLAP",
		(unsigned long long)((struct tn_flow *)(void *)rule)->flow_id, fm->table_id,
		fm->priority);
}

/*
 * Room for one more flow in a table, by eviction if the table allows it: of more than one flow
 * where the limit was lowered.
 */
static int make_room(struct tn_switch *sw, uint8_t table, uint64_t now_ns, struct tn_error *err)
{
	struct tn_sw_table *state = &sw->state[table];
	uint32_t max = state->config.max_entries;
	struct tn_flow *victim;
	int rc;

	while (state->active >= max) {
		victim = tn_sw_heap_first(&state->evict, UINT64_MAX);
		if (!victim)
			break;
		rc = tn_sw_flow_remove(sw, victim, TN_REMOVED_EVICTION, now_ns, err);
		if (rc)
			return rc;
	}
	if (state->active < max)
		return 0;
	return tn_error_set(err, TN_OFPFMFC_TABLE_FULL, -1,
		"table %u holds %u flows and may hold %u: %s", table, state->active, max,
		state->config.eviction ? "none of them has a timeout or an importance, so none may "
					 "be evicted; delete flows"
				       : "delete flows, allow more, or turn eviction on");
}

static int add_flow(
	struct tn_switch *sw, const struct tn_flow_mod *fm, uint64_t now_ns, struct tn_error *err)
{
	struct tn_flow *old, *flow;
	struct tn_sw_flow_refs refs;
	int rc = tn_sw_flow_refs(sw, &fm->inst, &refs, err);

	if (rc)
		return rc;
	old = flow_find(sw, fm->table_id, &fm->match, fm->priority);
	if (old) {
		rc = tn_sw_flow_remove(sw, old, TN_SW_SILENT, now_ns, err);
	} else if (!sw->replaying) {
		rc = check_overlap(sw, fm, err);
		if (!rc)
			rc = make_room(sw, fm->table_id, now_ns, err);
	}
	if (rc)
		return rc;
	flow = tn_sw_flow_new(sw, &fm->inst, &refs);
	if (!flow)
		return tn_sw_no_memory(err);
	flow->cls.priority = fm->priority;
	flow->table_id = fm->table_id;
	flow->flow_id = tn_flow_id(sw->dpid, fm->table_id, fm->priority, &fm->match);
	flow->cookie = fm->cookie;
	flow->created_ns = now_ns;
	flow->owner = fm->owner;
	flow->idle_timeout = fm->idle_timeout;
	flow->hard_timeout = fm->hard_timeout;
	flow->importance = fm->importance;
	flow->flags = fm->flags & FLAGS_KEPT;
	if (old && !(fm->flags & TN_FLOW_RESET_COUNTS))
		tn_sw_flow_stats_share(flow, old);
	else
		tn_sw_flow_stats_new(sw, flow, sw->replaying ? sw->replay_used_ns : now_ns);
	return tn_sw_flow_insert(sw, flow, &fm->match, &refs, err);
}

static int modify_flow(struct tn_switch *sw, const struct tn_flow_mod *fm,
	const struct tn_sw_flow_refs *refs, struct tn_flow *old, uint64_t now_ns,
	struct tn_error *err)
{
	struct tn_match match;
	struct tn_flow *flow;
	int rc = 0;

	if (fm->table_id == TN_TABLE_ALL)
		rc = tn_instructions_check(&fm->inst, &fm->match, old->table_id, err);
	if (!rc)
		rc = tn_sw_flow_remove(sw, old, TN_SW_SILENT, now_ns, err);
	if (rc)
		return rc;
	flow = tn_sw_flow_new(sw, &fm->inst, refs);
	if (!flow)
		return tn_sw_no_memory(err);
	flow->cls.priority = old->cls.priority;
	flow->table_id = old->table_id;
	flow->flow_id = old->flow_id;
	flow->cookie = fm->set_cookie ? fm->new_cookie : old->cookie;
	flow->created_ns = old->created_ns;
	flow->owner = old->owner;
	flow->idle_timeout = old->idle_timeout;
	flow->hard_timeout = old->hard_timeout;
	flow->importance = old->importance;
	flow->flags = old->flags;
	if (fm->flags & TN_FLOW_RESET_COUNTS)
		tn_sw_flow_stats_new(sw, flow, old->stats->last_used_ns);
	else
		tn_sw_flow_stats_share(flow, old);
	tn_cls_rule_match(&old->cls, &match);
	return tn_sw_flow_insert(sw, flow, &match, refs, err);
}

static int modify_flows(
	struct tn_switch *sw, const struct tn_flow_mod *fm, uint64_t now_ns, struct tn_error *err)
{
	struct tn_sw_flow_list list = {0};
	struct tn_sw_flow_refs refs;
	int rc = tn_sw_flow_refs(sw, &fm->inst, &refs, err);

	if (!rc && tn_sw_flow_select(sw, fm, is_strict(fm), false, tn_sw_next_version(sw), &list))
		rc = tn_sw_no_memory(err);
	for (size_t i = 0; i < list.n && !rc; i++)
		rc = modify_flow(sw, fm, &refs, list.v[i].flow, now_ns, err);
	tn_sw_flow_list_free(&list);
	return rc;
}

static int delete_flows(
	struct tn_switch *sw, const struct tn_flow_mod *fm, uint64_t now_ns, struct tn_error *err)
{
	struct tn_sw_flow_list list = {0};
	int rc = 0;

	if (tn_sw_flow_select(sw, fm, is_strict(fm), true, tn_sw_next_version(sw), &list))
		rc = tn_sw_no_memory(err);
	for (size_t i = 0; i < list.n && !rc; i++)
		rc = tn_sw_flow_remove(sw, list.v[i].flow, TN_REMOVED_DELETE, now_ns, err);
	tn_sw_flow_list_free(&list);
	return rc;
}

int tn_sw_flow_mod(
	struct tn_switch *sw, const struct tn_flow_mod *fm, uint64_t now_ns, struct tn_error *err)
{
	int rc = check_flow_mod(fm, err);

	if (rc)
		return rc;
	if (fm->command == TN_FLOW_ADD)
		return add_flow(sw, fm, now_ns, err);
	return is_delete(fm) ? delete_flows(sw, fm, now_ns, err)
			     : modify_flows(sw, fm, now_ns, err);
}
