/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Groups that name groups, by a bucket's action or by watch_group. The graph never has a loop and
 * no chain in it is longer than TN_GROUP_DEPTH_MAX, so the recursion here is no deeper. Each group
 * is visited once a walk.
 */
#include "dataplane/pipeline/switch_private.h"

#include "dataplane/pipeline/decide.h"

struct chain_walk {
	struct tn_switch *sw;
	const struct tn_users *self;
	bool loop;
};

/* Groups in the longest chain that starts at this one. */
static uint32_t height_below(struct chain_walk *w, struct tn_users *users)
{
	struct tn_group *group = tn_sw_group(w->sw, users->id);
	struct tn_use *uses;
	uint32_t height = 0;

	if (users == w->self) {
		w->loop = true;
		return 0;
	}
	if (users->walk == w->sw->walk)
		return users->height;
	uses = tn_sw_group_uses(group);
	for (uint32_t i = 0; i < group->v.n_uses; i++) {
		uint32_t h = height_below(w, uses[i].of);

		height = h > height ? h : height;
	}
	users->walk = w->sw->walk;
	return users->height = height + 1;
}

/* Groups in the longest chain that ends right before this one. */
static uint32_t height_above(struct tn_switch *sw, struct tn_users *users)
{
	uint32_t height = 0;

	if (users->walk == sw->walk)
		return users->height;
	for (struct tn_use *use = users->head[TN_SW_USER_GROUP]; use; use = use->next) {
		struct tn_group *group = use->user;
		uint32_t h;

		if (!tn_sw_versioned_visible(&group->v, tn_sw_next_version(sw)))
			continue;
		h = 1 + height_above(sw, group->users);
		height = h > height ? h : height;
	}
	users->walk = sw->walk;
	return users->height = height;
}

int tn_sw_group_check_chain(struct tn_switch *sw, uint32_t group_id, struct tn_users *users,
	struct tn_users *const *names, size_t n, struct tn_error *err)
{
	struct chain_walk w = {.sw = sw, .self = users};
	uint32_t below = 0, above = 0;

	sw->walk++;
	for (size_t i = 0; i < n; i++) {
		uint32_t h = height_below(&w, names[i]);

		if (w.loop)
			return tn_error_set(err, TN_OFPGMFC_LOOP, -1,
				"group %u would come back to itself by group %u: a group may not "
				"lead to itself",
				group_id, names[i]->id);
		below = h > below ? h : below;
	}
	sw->walk++;
	if (users && n)
		above = height_above(sw, users);
	if (above + 1 + below > TN_GROUP_DEPTH_MAX && n)
		return tn_error_set(err, TN_OFPGMFC_CHAINING_UNSUPPORTED, -1,
			"group %u would make a chain of %u groups: the switch follows %u", group_id,
			above + 1 + below, TN_GROUP_DEPTH_MAX);
	return 0;
}
