/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/walk.h"

void tn_action_set_clear(struct tn_action_set *set)
{
	set->any = false;
}

static void begin(struct tn_action_set *set)
{
	set->any = true;
	/* set[] is read only where set_fields says so. */
	set->set_fields = 0;
	set->copy_ttl_in = set->pop_vlan = set->push_vlan = NULL;
	set->copy_ttl_out = set->dec_ttl = NULL;
	set->mod_vid = set->mod_pcp = NULL;
	set->truncate = set->queue = set->group = set->output = set->resubmit = NULL;
	set->output_flow = NULL;
}

/* A later action of a kind replaces the earlier one (OpenFlow 1.5, 5.6). */
static void action_set_write_one(
	struct tn_action_set *set, const struct tn_action *a, const struct tn_flow *flow)
{
	switch ((enum tn_action_type)a->type) {
	case TN_ACTION_OUTPUT:
		set->output = a;
		set->output_flow = flow;
		break;
	case TN_ACTION_GROUP:
		set->group = a;
		break;
	case TN_ACTION_SET_FIELD:
		set->set[a->field] = a;
		set->set_fields |= UINT64_C(1) << a->field;
		break;
	case TN_ACTION_PUSH_VLAN:
		set->push_vlan = a;
		break;
	case TN_ACTION_POP_VLAN:
		set->pop_vlan = a;
		break;
	case TN_ACTION_MOD_VLAN_VID:
		set->mod_vid = a;
		break;
	case TN_ACTION_MOD_VLAN_PCP:
		set->mod_pcp = a;
		break;
	case TN_ACTION_DEC_TTL:
		set->dec_ttl = a;
		break;
	case TN_ACTION_COPY_TTL_IN:
		set->copy_ttl_in = a;
		break;
	case TN_ACTION_COPY_TTL_OUT:
		set->copy_ttl_out = a;
		break;
	case TN_ACTION_SET_QUEUE:
	case TN_ACTION_POP_QUEUE:
		set->queue = a;
		break;
	case TN_ACTION_TRUNCATE:
		set->truncate = a;
		break;
	case TN_ACTION_RESUBMIT:
		set->resubmit = a;
		break;
	case TN_ACTION_MOVE:
	case TN_ACTION_CLONE:
	case TN_ACTION_NOTE:
	case TN_ACTION_REPLY:
	case TN_ACTION_IF_LONGER:
	case TN_ACTION_LEARN:
	case TN_ACTION_FDB:
	case TN_ACTION_SNOOP:
	case TN_ACTION_MCAST:
	case TN_ACTION_CIRCUIT:
	case TN_ACTION_ADVERTISE:
		/* tn_actions_check() keeps them out of sets. */
		break;
	}
}

void tn_action_set_write(struct tn_action_set *set, const struct tn_action *list, size_t n,
	const struct tn_flow *flow)
{
	if (n && !set->any)
		begin(set);
	for (size_t i = 0; i < n; i++)
		action_set_write_one(set, &list[i], flow);
}

static void run(struct tn_walk *w, const struct tn_action *a)
{
	if (a && !w->b.ended)
		tn_decide_one(w, a);
}

void tn_decide_action_set(struct tn_walk *w, const struct tn_action_set *set, unsigned depth)
{
	const struct tn_flow *flow = w->flow;

	if (!set->any)
		return;
	run(w, set->copy_ttl_in);
	run(w, set->pop_vlan);
	run(w, set->push_vlan);
	run(w, set->copy_ttl_out);
	run(w, set->dec_ttl);
	/* The tag itself before its members: SET_FIELD vlan_pcp may stand beside MOD_VLAN_VID. */
	run(w, set->mod_vid);
	run(w, set->mod_pcp);
	for (uint64_t left = set->set_fields; left; left &= left - 1)
		run(w, set->set[__builtin_ctzll(left)]);
	run(w, set->queue);
	run(w, set->truncate);
	if (set->group) {
		if (!w->b.ended)
			tn_decide_group(w, set->group->group_id, depth);
	} else if (set->output) {
		if (set->output_flow)
			w->flow = set->output_flow;
		run(w, set->output);
		w->flow = flow;
	} else {
		run(w, set->resubmit);
	}
}
