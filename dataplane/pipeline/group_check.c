/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

#include <stdlib.h>

static int check_weight(
	enum tn_group_type type, const struct tn_bucket *b, uint32_t i, struct tn_error *err)
{
	/* 1 is what many clients write where a weight means nothing. */
	if (type == TN_GROUP_TYPE_SELECT || b->weight <= 1)
		return 0;
	return tn_error_set(err, TN_OFPGMFC_WEIGHT_UNSUPPORTED, (int)i,
		"bucket %u has weight %u: only buckets of select groups have weights", b->bucket_id,
		b->weight);
}

static bool port_can_be_watched(uint32_t port)
{
	return (port >= 1 && port <= TN_PORT_MAX) || port == TN_PORT_LOCAL || port == TN_PORT_ANY;
}

static int check_watch(
	enum tn_group_type type, const struct tn_bucket *b, uint32_t i, struct tn_error *err)
{
	bool watches = b->watch_port != TN_PORT_ANY || b->watch_group != TN_GROUP_ANY;

	if (type == TN_GROUP_TYPE_FF && !watches)
		return tn_error_set(err, TN_OFPGMFC_BAD_WATCH, (int)i,
			"bucket %u watches nothing: in a fast failover group give it a watch_port "
			"or a watch_group",
			b->bucket_id);
	if ((type == TN_GROUP_TYPE_ALL || type == TN_GROUP_TYPE_INDIRECT) && watches)
		return tn_error_set(err, TN_OFPGMFC_WATCH_UNSUPPORTED, (int)i,
			"bucket %u has a watch_port or watch_group: only buckets of select and "
			"fast failover groups are chosen by liveness",
			b->bucket_id);
	if (!port_can_be_watched(b->watch_port))
		return tn_error_set(err, TN_OFPGMFC_BAD_WATCH, (int)i,
			"bucket %u watches port 0x%x, which is not an ordinary port or LOCAL",
			b->bucket_id, b->watch_port);
	return 0;
}

static int check_bucket(
	enum tn_group_type type, const struct tn_bucket *b, uint32_t i, struct tn_error *err)
{
	struct tn_error action;
	int rc;

	if (b->bucket_id > TN_BUCKET_MAX)
		return tn_error_set(err, TN_OFPGMFC_BAD_BUCKET, (int)i,
			"bucket id 0x%x is reserved: ids are 0 to 0x%x", b->bucket_id,
			TN_BUCKET_MAX);
	rc = check_weight(type, b, i, err);
	if (!rc)
		rc = check_watch(type, b, i, err);
	if (rc)
		return rc;
	if (!tn_actions_check(b->actions, b->n_actions, TN_PLACE_BUCKET, NULL, 0, &action))
		return 0;
	return tn_error_set(err, action.of, (int)i, "bucket %u, action %d: %s", b->bucket_id,
		action.index + 1, action.detail);
}

struct bucket_id {
	uint32_t id;
	int position; /* in the request; -1: the group has it already */
};

static int compare(const void *a, const void *b)
{
	const struct bucket_id *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->position > y->position) - (x->position < y->position);
}

/* old: the group whose buckets stay; NULL: none do. */
static int check_unique(
	const struct tn_group_mod *gm, const struct tn_group *old, struct tn_error *err)
{
	uint32_t n_old = old ? old->n_buckets : 0, n = 0;
	struct bucket_id *ids;
	int rc = 0;

	if (gm->n_buckets + n_old < 2)
		return 0;
	ids = malloc(((size_t)gm->n_buckets + n_old) * sizeof(*ids));
	if (!ids)
		return tn_sw_no_memory(err);
	for (uint32_t i = 0; i < n_old; i++)
		ids[n++] = (struct bucket_id){old->buckets[i].bucket_id, -1};
	for (uint32_t i = 0; i < gm->n_buckets; i++)
		ids[n++] = (struct bucket_id){gm->buckets[i].bucket_id, (int)i};
	qsort(ids, n, sizeof(*ids), compare);
	for (uint32_t i = 1; i < n && !rc; i++) {
		if (ids[i].id == ids[i - 1].id)
			rc = tn_error_set(err, TN_OFPGMFC_BUCKET_EXISTS, ids[i].position,
				"bucket id %u is taken by another bucket of the group: give each "
				"its own",
				ids[i].id);
	}
	free(ids);
	return rc;
}

static int check_kind(const struct tn_group_mod *gm, struct tn_error *err)
{
	if ((unsigned)gm->type > TN_GROUP_TYPE_FF)
		return tn_error_set(err, TN_OFPGMFC_BAD_TYPE, -1,
			"group type %u is not one of all, select, indirect and fast failover",
			(unsigned)gm->type);
	if ((unsigned)gm->selection > TN_SELECT_DP_HASH ||
		(gm->hash_fields & ~((UINT64_C(2) << (TN_N_FIELDS - 1)) - 1)))
		return tn_error_set(err, TN_OFPGMFC_INVALID_GROUP, -1,
			"selection method %u with fields 0x%llx is not one the switch knows",
			(unsigned)gm->selection, (unsigned long long)gm->hash_fields);
	if (gm->type == TN_GROUP_TYPE_INDIRECT && gm->n_buckets != 1)
		return tn_error_set(err, TN_OFPGMFC_INVALID_GROUP, -1,
			"group %u has %u buckets: an indirect group has exactly one", gm->group_id,
			gm->n_buckets);
	return 0;
}

int tn_sw_group_check(
	const struct tn_group_mod *gm, const struct tn_group *old, struct tn_error *err)
{
	bool whole = gm->command == TN_GROUP_ADD || gm->command == TN_GROUP_MODIFY;
	enum tn_group_type type;
	int rc = 0;

	if (!whole && gm->command != TN_GROUP_INSERT_BUCKET &&
		gm->command != TN_GROUP_REMOVE_BUCKET)
		return tn_error_set(err, TN_OFPGMFC_BAD_COMMAND, -1,
			"group command %u is not one of add, modify, delete, insert_bucket and "
			"remove_bucket",
			(unsigned)gm->command);
	if (gm->command == TN_GROUP_REMOVE_BUCKET)
		return 0;
	if (gm->n_buckets > TN_SW_BUCKETS_MAX)
		return tn_error_set(err, TN_OFPGMFC_OUT_OF_BUCKETS, -1,
			"group %u has %u buckets: %u is the most", gm->group_id, gm->n_buckets,
			TN_SW_BUCKETS_MAX);
	if (whole)
		rc = check_kind(gm, err);
	type = whole ? gm->type : old->type;
	for (uint32_t i = 0; i < gm->n_buckets && !rc; i++)
		rc = check_bucket(type, &gm->buckets[i], i, err);
	return rc ? rc : check_unique(gm, whole ? NULL : old, err);
}
