/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN_UP(n) (((n) + 15u) & ~(size_t)15u) /* actions hold 128-bit integers */

struct tn_group *tn_sw_group(const struct tn_switch *sw, uint32_t group_id)
{
	return (struct tn_group *)(void *)tn_id_table_lookup(
		sw->groups, group_id, tn_sw_next_version(sw));
}

/* The group as it is to be. Buckets are borrowed. */
struct group_spec {
	const struct tn_group_mod *gm; /* type, selection, owner, annotation */
	const struct tn_bucket *buckets;
	uint32_t n_buckets;
	struct tn_users **names; /* groups that its buckets name */
	size_t n_names;
};

void tn_sw_group_free(struct tn_switch *sw, struct tn_group *group)
{
	for (uint32_t i = 0; i < group->n_buckets; i++)
		tn_sw_stats_put(sw, group->buckets[i].stats);
	tn_sw_stats_put(sw, group->stats);
	tn_sw_users_put(sw, group->users);
	tn_sw_free(sw, group);
}

/* Old buckets by id, to hand their statistics on. */

static int compare_buckets(const void *a, const void *b)
{
	uint32_t x = (*(const struct tn_group_bucket *const *)a)->bucket_id;
	uint32_t y = (*(const struct tn_group_bucket *const *)b)->bucket_id;

	return (x > y) - (x < y);
}

static struct tn_group_bucket **buckets_by_id(const struct tn_group *group)
{
	struct tn_group_bucket **v = malloc((group->n_buckets + 1) * sizeof(*v));

	for (uint32_t i = 0; v && i < group->n_buckets; i++)
		v[i] = &group->buckets[i];
	if (v)
		qsort(v, group->n_buckets, sizeof(*v), compare_buckets);
	return v;
}

static bool share_bucket_stats(
	struct tn_switch *sw, struct tn_group *group, const struct tn_group *old)
{
	struct tn_group_bucket **by_id = old ? buckets_by_id(old) : NULL;

	if (old && !by_id)
		return false;
	for (uint32_t i = 0; i < group->n_buckets; i++) {
		struct tn_group_bucket *b = &group->buckets[i], **same = NULL;

		if (old)
			same = bsearch(&b, by_id, old->n_buckets, sizeof(struct tn_group_bucket *),
				compare_buckets);
		if (same) {
			b->stats = (*same)->stats;
			b->stats->refs++;
			continue;
		}
		b->stats = tn_sw_stats_new(sw, 0);
		if (!b->stats)
			break;
	}
	free(by_id);
	return !group->n_buckets || group->buckets[group->n_buckets - 1].stats;
}

/* One block: the group, its uses, its buckets, their actions. */
static struct tn_group *group_alloc(struct tn_switch *sw, const struct group_spec *spec)
{
	size_t uses = spec->n_names * sizeof(struct tn_use);
	size_t buckets = spec->n_buckets * sizeof(struct tn_group_bucket);
	size_t head = ALIGN_UP(sizeof(struct tn_group) + uses + buckets);
	size_t n_actions = 0;
	struct tn_group *group;
	struct tn_action *a;

	for (uint32_t i = 0; i < spec->n_buckets; i++)
		n_actions += spec->buckets[i].n_actions;
	group = tn_sw_alloc(sw, head + n_actions * sizeof(*a));
	if (!group)
		return NULL;
	a = (struct tn_action *)(void *)((char *)group + head);
	group->buckets = (struct tn_group_bucket *)(void *)((char *)(group + 1) + uses);
	group->n_buckets = spec->n_buckets;
	for (uint32_t i = 0; i < spec->n_buckets; i++) {
		const struct tn_bucket *from = &spec->buckets[i];
		struct tn_group_bucket *to = &group->buckets[i];

		to->bucket_id = from->bucket_id;
		to->weight = from->weight;
		to->watch_port = from->watch_port;
		to->watch_group = from->watch_group;
		to->n_actions = from->n_actions;
		to->actions = a;
		if (from->n_actions)
			memcpy(a, from->actions, from->n_actions * sizeof(*a));
		a += from->n_actions;
		group->total_weight += from->weight;
	}
	return group;
}

static struct tn_group *group_new(
	struct tn_switch *sw, const struct group_spec *spec, struct tn_group *old, uint64_t now_ns)
{
	struct tn_group *group = group_alloc(sw, spec);

	if (!group)
		return NULL;
	group->v.id = spec->gm->group_id;
	group->v.n_uses = (uint32_t)spec->n_names;
	group->v.add_version = tn_sw_next_version(sw);
	group->v.remove_version = TN_VERSION_NEVER;
	group->type = spec->gm->type;
	group->selection = spec->gm->selection;
	group->hash_fields = spec->gm->hash_fields;
	group->selection_param = spec->gm->selection_param;
	group->owner = spec->gm->owner;
	group->annotation = spec->gm->annotation;
	group->created_ns = old ? old->created_ns : now_ns;
	if (old) {
		group->stats = old->stats;
		group->stats->refs++;
		group->users = old->users;
		group->users->refs++;
	} else {
		group->stats = tn_sw_stats_new(sw, 0);
		group->users = tn_sw_users_new(sw, group->v.id);
	}
	if (!group->stats || !group->users || !share_bucket_stats(sw, group, old)) {
		tn_sw_group_free(sw, group);
		return NULL;
	}
	return group;
}

/* Prepares removing; reason is not told to anyone. */
static int group_remove(struct tn_switch *sw, struct tn_group *group, struct tn_error *err)
{
	if (!tn_sw_reserve_change(sw))
		return tn_sw_no_memory(err);
	__atomic_store_n(&group->v.remove_version, tn_sw_next_version(sw), __ATOMIC_RELAXED);
	sw->n_groups--;
	tn_sw_log_change(sw, &(struct tn_sw_change){.object = TN_SW_GROUP, .p = group});
	return 0;
}

/* Prepares adding the group, in place of its old version if it has one. */
static int group_put(struct tn_switch *sw, const struct group_spec *spec, struct tn_group *old,
	uint64_t now_ns, struct tn_error *err)
{
	struct tn_group *group;
	int rc;

	rc = tn_sw_group_check_chain(
		sw, spec->gm->group_id, old ? old->users : NULL, spec->names, spec->n_names, err);
	if (!rc && old)
		rc = group_remove(sw, old, err);
	if (rc)
		return rc;
	if (!tn_sw_reserve_change(sw) || !tn_sw_id_table_reserve(sw, &sw->groups))
		return tn_sw_no_memory(err);
	group = group_new(sw, spec, old, now_ns);
	if (!group)
		return tn_sw_no_memory(err);
	tn_sw_id_table_insert(sw->groups, &group->v);
	tn_sw_uses_link(
		tn_sw_group_uses(group), spec->n_names, spec->names, group, TN_SW_USER_GROUP);
	sw->n_groups++;
	tn_sw_log_change(
		sw, &(struct tn_sw_change){.object = TN_SW_GROUP, .added = true, .p = group});
	return 0;
}

static size_t count_names(const struct tn_bucket *buckets, uint32_t n)
{
	size_t names = 0;

	for (uint32_t i = 0; i < n; i++) {
		names += buckets[i].watch_group != TN_GROUP_ANY;
		for (uint32_t j = 0; j < buckets[i].n_actions; j++)
			names += buckets[i].actions[j].type == TN_ACTION_GROUP;
	}
	return names;
}

/* Adds a group that a bucket names; itself is a loop, found where it is named. */
static int add_name(struct tn_switch *sw, struct group_spec *spec, uint32_t id, uint32_t bucket,
	bool watched, struct tn_error *err)
{
	struct tn_group *group = tn_sw_group(sw, id);

	if (id == spec->gm->group_id)
		return tn_error_set(err, TN_OFPGMFC_LOOP, (int)bucket,
			"group %u %s itself: a group may not lead to itself", id,
			watched ? "watches" : "outputs to");
	if (!group && watched)
		return tn_error_set(err, TN_OFPGMFC_BAD_WATCH, (int)bucket,
			"watch_group %u does not exist: add that group first", id);
	if (!group)
		return tn_error_set(err, TN_OFPBAC_BAD_OUT_GROUP, (int)bucket,
			"group %u does not exist: add the group before the group that uses it", id);
	spec->names[spec->n_names++] = group->users;
	return 0;
}

/* Fills spec->names, an array to free(). */
static int find_names(struct tn_switch *sw, struct group_spec *spec, struct tn_error *err)
{
	size_t n = count_names(spec->buckets, spec->n_buckets);
	int rc = 0;

	if (!n)
		return 0;
	spec->names = malloc(n * sizeof(struct tn_users *));
	if (!spec->names)
		return tn_sw_no_memory(err);
	for (uint32_t i = 0; i < spec->n_buckets && !rc; i++) {
		const struct tn_bucket *b = &spec->buckets[i];

		if (b->watch_group != TN_GROUP_ANY)
			rc = add_name(sw, spec, b->watch_group, i, true, err);
		for (uint32_t j = 0; j < b->n_actions && !rc; j++) {
			if (b->actions[j].type == TN_ACTION_GROUP)
				rc = add_name(sw, spec, b->actions[j].group_id, i, false, err);
		}
	}
	spec->n_names = tn_sw_users_unique(spec->names, spec->n_names);
	return rc;
}

static int put_spec(struct tn_switch *sw, struct group_spec *spec, struct tn_group *old,
	uint64_t now_ns, struct tn_error *err)
{
	int rc = find_names(sw, spec, err);

	if (!rc)
		rc = group_put(sw, spec, old, now_ns, err);
	free(spec->names);
	return rc;
}

static int add_group(struct tn_switch *sw, const struct tn_group_mod *gm, struct tn_group *old,
	uint64_t now_ns, struct tn_error *err)
{
	struct group_spec spec = {.gm = gm, .buckets = gm->buckets, .n_buckets = gm->n_buckets};

	if (old)
		return tn_error_set(err, TN_OFPGMFC_GROUP_EXISTS, -1,
			"group %u exists: modify it, or delete it first", gm->group_id);
	if (sw->n_groups >= TN_SW_GROUPS_MAX)
		return tn_error_set(err, TN_OFPGMFC_OUT_OF_GROUPS, -1,
			"the switch holds %u groups, which is the most: delete some", sw->n_groups);
	return put_spec(sw, &spec, NULL, now_ns, err);
}

static int modify_group(struct tn_switch *sw, const struct tn_group_mod *gm, struct tn_group *old,
	uint64_t now_ns, struct tn_error *err)
{
	struct group_spec spec = {.gm = gm, .buckets = gm->buckets, .n_buckets = gm->n_buckets};

	return put_spec(sw, &spec, old, now_ns, err);
}

static int delete_group(
	struct tn_switch *sw, struct tn_group *group, uint64_t now_ns, struct tn_error *err)
{
	int rc = tn_sw_users_remove_flows(sw, group->users, TN_REMOVED_GROUP_DELETE, now_ns, err);

	return rc ? rc : group_remove(sw, group, err);
}

static int delete_one(
	struct tn_switch *sw, struct tn_group *group, uint64_t now_ns, struct tn_error *err)
{
	for (struct tn_use *use = group->users->head[TN_SW_USER_GROUP]; use; use = use->next) {
		const struct tn_group *user = use->user;

		if (tn_sw_versioned_visible(&user->v, tn_sw_next_version(sw)))
			return tn_error_set(err, TN_OFPGMFC_CHAINED_GROUP, -1,
				"group %u is used by group %u: change or delete that one first",
				group->v.id, user->v.id);
	}
	return delete_group(sw, group, now_ns, err);
}

static int delete_all(struct tn_switch *sw, uint64_t now_ns, struct tn_error *err)
{
	struct tn_versioned **v;
	size_t n;
	int rc = 0;

	if (!tn_sw_id_table_sorted(sw->groups, tn_sw_next_version(sw), &v, &n))
		return tn_sw_no_memory(err);
	for (size_t i = 0; i < n && !rc; i++)
		rc = delete_group(sw, (struct tn_group *)(void *)v[i], now_ns, err);
	free(v);
	return rc;
}

/* INSERT_BUCKET and REMOVE_BUCKET: the old buckets with a part cut out or put in. */

static void borrow_bucket(struct tn_bucket *to, const struct tn_group_bucket *from)
{
	*to = (struct tn_bucket){
		.bucket_id = from->bucket_id,
		.weight = from->weight,
		.watch_port = from->watch_port,
		.watch_group = from->watch_group,
		.actions = from->actions,
		.n_actions = from->n_actions,
	};
}

/* Position of the bucket a command names; UINT32_MAX: none. */
static uint32_t bucket_position(const struct tn_group *group, uint32_t bucket_id)
{
	if (bucket_id == TN_BUCKET_FIRST && group->n_buckets)
		return 0;
	if (bucket_id == TN_BUCKET_LAST && group->n_buckets)
		return group->n_buckets - 1;
	for (uint32_t i = 0; i < group->n_buckets; i++) {
		if (group->buckets[i].bucket_id == bucket_id)
			return i;
	}
	return UINT32_MAX;
}

static int unknown_bucket(const struct tn_group_mod *gm, struct tn_error *err)
{
	return tn_error_set(err, TN_OFPGMFC_UNKNOWN_BUCKET, -1,
		"group %u has no bucket 0x%x: name one that it has, first or last", gm->group_id,
		gm->command_bucket_id);
}

/* The group's own configuration with other buckets: cut out old[from..to), put `in` there. */
static int splice(struct tn_switch *sw, struct tn_group *old, uint32_t from, uint32_t to,
	const struct tn_group_mod *in, uint64_t now_ns, struct tn_error *err)
{
	struct tn_group_mod gm = {
		.group_id = old->v.id,
		.type = old->type,
		.selection = old->selection,
		.hash_fields = old->hash_fields,
		.selection_param = old->selection_param,
		.owner = old->owner,
		.annotation = old->annotation,
	};
	struct group_spec spec = {.gm = &gm};
	size_t n = (size_t)old->n_buckets - (to - from) + in->n_buckets;
	struct tn_bucket *buckets, *b;
	int rc;

	if (n > TN_SW_BUCKETS_MAX)
		return tn_error_set(err, TN_OFPGMFC_OUT_OF_BUCKETS, -1,
			"group %u would have %zu buckets: %u is the most", gm.group_id, n,
			TN_SW_BUCKETS_MAX);
	if (gm.type == TN_GROUP_TYPE_INDIRECT && n != 1)
		return tn_error_set(err, TN_OFPGMFC_INVALID_GROUP, -1,
			"group %u would have %zu buckets: an indirect group has exactly one",
			gm.group_id, n);
	b = buckets = malloc((n + 1) * sizeof(*b));
	if (!buckets)
		return tn_sw_no_memory(err);
	for (uint32_t i = 0; i < from; i++)
		borrow_bucket(b++, &old->buckets[i]);
	for (uint32_t i = 0; i < in->n_buckets; i++)
		*b++ = in->buckets[i];
	for (uint32_t i = to; i < old->n_buckets; i++)
		borrow_bucket(b++, &old->buckets[i]);
	spec.buckets = buckets;
	spec.n_buckets = (uint32_t)n;
	rc = put_spec(sw, &spec, old, now_ns, err);
	/* A refusal is about a bucket of the request, whose others passed before. */
	if (rc && err && err->index >= (int)from)
		err->index -= (int)from;
	free(buckets);
	return rc;
}

static int insert_buckets(struct tn_switch *sw, const struct tn_group_mod *gm, struct tn_group *old,
	uint64_t now_ns, struct tn_error *err)
{
	uint32_t at = 0;

	if (gm->command_bucket_id == TN_BUCKET_LAST) {
		at = old->n_buckets;
	} else if (gm->command_bucket_id != TN_BUCKET_FIRST) {
		at = bucket_position(old, gm->command_bucket_id);
		if (at == UINT32_MAX)
			return unknown_bucket(gm, err);
		at++;
	}
	return splice(sw, old, at, at, gm, now_ns, err);
}

static int remove_buckets(struct tn_switch *sw, const struct tn_group_mod *gm, struct tn_group *old,
	uint64_t now_ns, struct tn_error *err)
{
	static const struct tn_group_mod nothing;
	uint32_t at;

	if (gm->n_buckets)
		return tn_error_set(err, TN_OFPGMFC_BAD_BUCKET, 0,
			"remove_bucket names the bucket by its id and takes no buckets: leave them "
			"out");
	if (gm->command_bucket_id == TN_BUCKET_ALL)
		return splice(sw, old, 0, old->n_buckets, &nothing, now_ns, err);
	at = bucket_position(old, gm->command_bucket_id);
	if (at == UINT32_MAX)
		return unknown_bucket(gm, err);
	return splice(sw, old, at, at + 1, &nothing, now_ns, err);
}

int tn_sw_group_mod(
	struct tn_switch *sw, const struct tn_group_mod *gm, uint64_t now_ns, struct tn_error *err)
{
	struct tn_group *old;
	int rc;

	if (gm->command == TN_GROUP_DELETE && gm->group_id == TN_GROUP_ALL)
		return delete_all(sw, now_ns, err);
	if (gm->group_id > TN_GROUP_MAX)
		return tn_error_set(err, TN_OFPGMFC_INVALID_GROUP, -1,
			"group id 0x%x is reserved: ids are 0 to 0x%x", gm->group_id, TN_GROUP_MAX);
	old = tn_sw_group(sw, gm->group_id);
	if (gm->command == TN_GROUP_DELETE)
		return old ? delete_one(sw, old, now_ns, err) : 0;
	if (!old && gm->command != TN_GROUP_ADD)
		return tn_error_set(err, TN_OFPGMFC_UNKNOWN_GROUP, -1,
			"group %u does not exist: add it", gm->group_id);
	rc = tn_sw_group_check(gm, old, err);
	if (rc)
		return rc;
	switch (gm->command) {
	case TN_GROUP_ADD:
		return add_group(sw, gm, old, now_ns, err);
	case TN_GROUP_MODIFY:
		return modify_group(sw, gm, old, now_ns, err);
	case TN_GROUP_INSERT_BUCKET:
		return insert_buckets(sw, gm, old, now_ns, err);
	default:
		return remove_buckets(sw, gm, old, now_ns, err);
	}
}

/* Out of the writer's indexes. */
static void unindex(struct tn_group *group)
{
	tn_sw_uses_unlink(tn_sw_group_uses(group), group->v.n_uses);
}

/* No packet will ever see it again, but a reader may be walking over it. */
static void take_out(struct tn_switch *sw, struct tn_group *group)
{
	unindex(group);
	tn_sw_id_table_remove(sw->groups, &group->v);
	group->v.next = sw->unlinked_groups;
	sw->unlinked_groups = &group->v;
}

void tn_sw_group_drop(struct tn_switch *sw, struct tn_group *group)
{
	group->v.dropped = true;
	take_out(sw, group);
}

void tn_sw_group_undo(struct tn_switch *sw, const struct tn_sw_change *change)
{
	struct tn_group *group = change->p;

	if (change->added) {
		sw->n_groups--;
		if (!group->v.dropped)
			take_out(sw, group);
		return;
	}
	sw->n_groups++;
	if (!group->v.dropped)
		__atomic_store_n(&group->v.remove_version, TN_VERSION_NEVER, __ATOMIC_RELAXED);
}

void tn_sw_group_publish(struct tn_switch *sw, const struct tn_sw_change *change)
{
	struct tn_group *group = change->p;

	if (change->added || group->v.dropped)
		return;
	unindex(group);
	group->v.next = sw->removed_groups;
	sw->removed_groups = &group->v;
}
