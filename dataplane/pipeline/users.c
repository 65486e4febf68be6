/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

#include <stdlib.h>

struct tn_users *tn_sw_users_new(struct tn_switch *sw, uint32_t id)
{
	struct tn_users *users = tn_sw_alloc(sw, sizeof(*users));

	if (users) {
		users->id = id;
		users->refs = 1;
	}
	return users;
}

void tn_sw_users_put(struct tn_switch *sw, struct tn_users *users)
{
	if (users && --users->refs == 0)
		tn_sw_free(sw, users);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = (*(const struct tn_users *const *)a)->id;
	uint32_t y = (*(const struct tn_users *const *)b)->id;

	return (x > y) - (x < y);
}

size_t tn_sw_users_unique(struct tn_users **of, size_t n)
{
	size_t kept = 1;

	if (n < 2)
		return n;
	qsort(of, n, sizeof(*of), compare);
	for (size_t i = 1; i < n; i++) {
		if (of[i] != of[kept - 1])
			of[kept++] = of[i];
	}
	return kept;
}

void tn_sw_uses_link(
	struct tn_use *uses, size_t n, struct tn_users *const *of, void *user, enum tn_sw_user kind)
{
	for (size_t i = 0; i < n; i++) {
		struct tn_use *use = &uses[i];

		use->of = of[i];
		use->user = user;
		use->pprev = &of[i]->head[kind];
		use->next = *use->pprev;
		if (use->next)
			use->next->pprev = &use->next;
		*use->pprev = use;
		of[i]->n++;
	}
}

void tn_sw_uses_unlink(struct tn_use *uses, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct tn_use *use = &uses[i];

		*use->pprev = use->next;
		if (use->next)
			use->next->pprev = use->pprev;
		use->of->n--;
	}
}

int tn_sw_users_remove_flows(struct tn_switch *sw, const struct tn_users *users,
	enum tn_flow_removed_reason reason, uint64_t now_ns, struct tn_error *err)
{
	struct tn_sw_flow_list list = {0};
	int rc = 0;

	for (const struct tn_use *use = users->head[TN_SW_USER_FLOW]; use; use = use->next) {
		struct tn_flow *flow = use->user;

		if (tn_sw_flow_visible(flow, tn_sw_next_version(sw)))
			tn_sw_flow_list_add(&list, flow);
	}
	tn_sw_flow_list_sort(&list);
	if (list.no_memory)
		rc = tn_sw_no_memory(err);
	for (size_t i = 0; i < list.n && !rc; i++)
		rc = tn_sw_flow_remove(sw, list.v[i].flow, (uint8_t)reason, now_ns, err);
	tn_sw_flow_list_free(&list);
	return rc;
}
