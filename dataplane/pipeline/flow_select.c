/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void tn_sw_flow_list_add(struct tn_sw_flow_list *list, struct tn_flow *flow)
{
	if (list->n == list->size) {
		size_t size = list->size ? list->size * 2 : 16;
		struct tn_sw_flow_ref *v = realloc(list->v, size * sizeof(*v));

		if (!v) {
			list->no_memory = true;
			return;
		}
		list->v = v;
		list->size = size;
	}
	list->v[list->n++] = (struct tn_sw_flow_ref){
		.order = (uint64_t)flow->table_id << 16 | (uint16_t)~flow->cls.priority,
		.flow_id = flow->flow_id,
		.flow = flow,
	};
}

static int compare(const void *a, const void *b)
{
	const struct tn_sw_flow_ref *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return (x->flow_id > y->flow_id) - (x->flow_id < y->flow_id);
}

void tn_sw_flow_list_sort(struct tn_sw_flow_list *list)
{
	if (list->n > 1)
		qsort(list->v, list->n, sizeof(list->v[0]), compare);
}

void tn_sw_flow_list_free(struct tn_sw_flow_list *list)
{
	free(list->v);
	*list = (struct tn_sw_flow_list){0};
}

struct select {
	const struct tn_flow_mod *fm;
	bool any;     /* the match is empty: every flow is more specific */
	bool outputs; /* look at out_port and out_group */
	uint64_t version;
	struct tn_sw_flow_list *list;
};

static bool outputs_to(const struct tn_action *list, size_t n, uint32_t port)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].type == TN_ACTION_OUTPUT && list[i].output.port == port)
			return true;
	}
	return false;
}

static bool goes_to_group(const struct tn_action *list, size_t n, uint32_t group_id)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].type == TN_ACTION_GROUP && list[i].group_id == group_id)
			return true;
	}
	return false;
}

/* Everything but table, match and priority. */
static bool passes_filters(const struct select *s, const struct tn_flow *flow)
{
	const struct tn_flow_mod *fm = s->fm;

	if (!fm)
		return true;
	if ((flow->cookie ^ fm->cookie) & fm->cookie_mask)
		return false;
	if (!s->outputs)
		return true;
	if (fm->out_port != TN_PORT_ANY && !outputs_to(flow->apply, flow->n_apply, fm->out_port) &&
		!outputs_to(flow->write, flow->n_write, fm->out_port))
		return false;
	return fm->out_group == TN_GROUP_ANY ||
		goes_to_group(flow->apply, flow->n_apply, fm->out_group) ||
		goes_to_group(flow->write, flow->n_write, fm->out_group);
}

static void select_rule(void *ctx, struct tn_cls_rule *rule)
{
	struct select *s = ctx;
	struct tn_flow *flow = (struct tn_flow *)(void *)rule;
	struct tn_match match;

	if (!tn_sw_flow_visible(flow, s->version) || !passes_filters(s, flow))
		return;
	if (!s->any) {
		tn_cls_rule_match(rule, &match);
		if (!tn_match_subsumes(&s->fm->match, &match))
			return;
	}
	tn_sw_flow_list_add(s->list, flow);
}

static void select_strict(const struct select *s, struct tn_classifier *cls)
{
	struct tn_cls_rule *rule =
		tn_classifier_find(cls, &s->fm->match, s->fm->priority, s->version);

	if (rule && passes_filters(s, (struct tn_flow *)(void *)rule))
		tn_sw_flow_list_add(s->list, (struct tn_flow *)(void *)rule);
}

static bool match_is_empty(const struct tn_match *match)
{
	const uint64_t *words = tn_key_cwords(&match->mask);

	for (size_t i = 0; i < TN_KEY_WORDS; i++) {
		if (words[i])
			return false;
	}
	return true;
}

int tn_sw_flow_select(const struct tn_switch *sw, const struct tn_flow_mod *fm, bool strict,
	bool outputs, uint64_t version, struct tn_sw_flow_list *list)
{
	struct select s = {.fm = fm, .outputs = outputs, .version = version, .list = list};

	s.any = !fm || match_is_empty(&fm->match);
	for (unsigned t = 0; t < TN_N_TABLES; t++) {
		struct tn_classifier *cls = sw->tables[t].cls;

		if (!cls || (fm && fm->table_id != TN_TABLE_ALL && fm->table_id != t))
			continue;
		if (strict)
			select_strict(&s, cls);
		else
			tn_classifier_foreach(cls, select_rule, &s);
	}
	if (list->no_memory)
		return -ENOMEM;
	tn_sw_flow_list_sort(list);
	return 0;
}
