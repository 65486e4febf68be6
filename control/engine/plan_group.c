/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Groups and meters. What a bucket may hold is for the data plane to judge; here is what must be
 * known to say what the objects will be.
 */
#include "control/engine/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/engine/engine_private.h"
#include "dataplane/core/meter.h"

#define BUCKETS_MAX 65536u /* of one group */

static struct tn_wanted *group_of(const struct tn_group_mod *gm, const struct tn_group_info *keep,
	const struct tn_bucket_info *buckets, size_t n)
{
	struct tn_group_info info = {
		.group_id = gm->group_id,
		.type = gm->type,
		.selection = gm->selection,
		.hash_fields = gm->hash_fields,
		.selection_param = gm->selection_param,
		.annotation = gm->annotation,
	};

	if (keep) {
		info = *keep;
		memset(&info.counter, 0, sizeof(info.counter));
	}
	info.buckets = buckets;
	info.n_buckets = (uint32_t)n;
	return tn_wanted_group(&info);
}

static struct tn_bucket_info *new_buckets(size_t n)
{
	struct tn_bucket_info *v = calloc(n ? n : 1, sizeof(*v));

	if (!v)
		abort();
	return v;
}

static struct tn_wanted *whole_group(const struct tn_group_mod *gm)
{
	struct tn_bucket_info *buckets = new_buckets(gm->n_buckets);
	struct tn_wanted *w;

	for (uint32_t i = 0; i < gm->n_buckets; i++)
		buckets[i].bucket = gm->buckets[i];
	w = group_of(gm, NULL, buckets, gm->n_buckets);
	free(buckets);
	return w;
}

static int put_group(struct tn_plan *p, struct tn_edit *edit, struct tn_wanted *w, uint32_t owner)
{
	const struct tn_wanted *old = edit->after ? edit->after : edit->before;

	if (old && (edit->after || p->replacing) && tn_wanted_same(old, w) && old->owner == owner &&
		old->state != TN_STATE_FAILED) {
		tn_wanted_put(w);
		if (!edit->after)
			tn_edit_set(edit, tn_wanted_get(edit->before), p->at);
		tn_plan_tell(p, edit);
		return 0;
	}
	tn_plan_put(p, edit, w, owner);
	tn_plan_tell(p, edit);
	return 0;
}

static int plan_group_add(struct tn_plan *p, const struct tn_group_mod *gm, struct tn_edit *edit)
{
	uint32_t owner = gm->owner ? gm->owner : p->r->owner;

	struct tn_wanted *w = whole_group(gm);

	/* The same one again is no error: a client that lost the answer may ask once more. */
	if (edit->after && (!tn_wanted_same(edit->after, w) || edit->after->owner != owner)) {
		tn_wanted_put(w);
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPGMFC_GROUP_EXISTS,
			"group %u exists, and is another one: modify it, or delete it first",
			gm->group_id);
	}
	return put_group(p, edit, w, owner);
}

static uint32_t bucket_position(const struct tn_group_info *group, uint32_t bucket_id)
{
	if (bucket_id == TN_BUCKET_FIRST && group->n_buckets)
		return 0;
	if (bucket_id == TN_BUCKET_LAST && group->n_buckets)
		return group->n_buckets - 1;
	for (uint32_t i = 0; i < group->n_buckets; i++) {
		if (group->buckets[i].bucket.bucket_id == bucket_id)
			return i;
	}
	return UINT32_MAX;
}

/* Buckets that came without a number get those after the highest. */
static int number_buckets(
	struct tn_plan *p, const struct tn_group_mod *gm, struct tn_bucket_info *v, size_t n)
{
	uint32_t next = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i].bucket.bucket_id != TN_BUCKET_UNSET && v[i].bucket.bucket_id >= next)
			next = v[i].bucket.bucket_id + 1;
	}
	for (size_t i = 0; i < n; i++) {
		if (v[i].bucket.bucket_id != TN_BUCKET_UNSET)
			continue;
		if (next > TN_BUCKET_MAX)
			return tn_plan_refuse(p, TN_REFUSED, TN_OFPGMFC_BAD_BUCKET,
				"no bucket id is left above those of group %u: give the new "
				"buckets their ids",
				gm->group_id);
		v[i].bucket.bucket_id = next++;
	}
	return 0;
}

/* The group with its buckets from..to taken out and those of the mod put in their place. */
static int splice(struct tn_plan *p, struct tn_edit *edit, const struct tn_group_mod *gm,
	uint32_t from, uint32_t to, uint32_t n_in)
{
	const struct tn_group_info *old = tn_wanted_as_group(edit->after);
	size_t n = (size_t)old->n_buckets - (to - from) + n_in;
	struct tn_bucket_info *buckets, *b;
	struct tn_wanted *w;
	int rc;

	if (n > BUCKETS_MAX)
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPGMFC_OUT_OF_BUCKETS,
			"group %u would have %zu buckets: %u is the most", gm->group_id, n,
			BUCKETS_MAX);
	if (old->type == TN_GROUP_TYPE_INDIRECT && n != 1)
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPGMFC_INVALID_GROUP,
			"group %u would have %zu buckets: an indirect group has exactly one",
			gm->group_id, n);
	b = buckets = new_buckets(n);
	for (uint32_t i = 0; i < from; i++)
		*b++ = old->buckets[i];
	for (uint32_t i = 0; i < n_in; i++)
		(b++)->bucket = gm->buckets[i];
	for (uint32_t i = to; i < old->n_buckets; i++)
		*b++ = old->buckets[i];
	rc = number_buckets(p, gm, buckets, n);
	w = rc ? NULL : group_of(gm, old, buckets, n);
	free(buckets);
	return rc ? rc : put_group(p, edit, w, edit->after->owner);
}

static int unknown_bucket(struct tn_plan *p, const struct tn_group_mod *gm)
{
	return tn_plan_refuse(p, TN_NOT_FOUND, TN_OFPGMFC_UNKNOWN_BUCKET,
		"group %u has no bucket 0x%x: name one that it has, first or last", gm->group_id,
		gm->command_bucket_id);
}

static bool has_bucket(const struct tn_group_info *group, uint32_t bucket_id)
{
	for (uint32_t i = 0; i < group->n_buckets; i++) {
		if (group->buckets[i].bucket.bucket_id == bucket_id)
			return true;
	}
	return false;
}

static int plan_insert(struct tn_plan *p, const struct tn_group_mod *gm, struct tn_edit *edit)
{
	const struct tn_group_info *old = tn_wanted_as_group(edit->after);
	uint32_t at = 0;

	for (uint32_t i = 0; i < gm->n_buckets; i++) {
		if (gm->buckets[i].bucket_id != TN_BUCKET_UNSET &&
			has_bucket(old, gm->buckets[i].bucket_id))
			return tn_plan_refuse(p, TN_REFUSED, TN_OFPGMFC_BUCKET_EXISTS,
				"bucket id %u is taken by another bucket of the group: give each "
				"its own",
				gm->buckets[i].bucket_id);
	}
	if (gm->command_bucket_id == TN_BUCKET_LAST) {
		at = old->n_buckets;
	} else if (gm->command_bucket_id != TN_BUCKET_FIRST) {
		at = bucket_position(old, gm->command_bucket_id);
		if (at == UINT32_MAX)
			return unknown_bucket(p, gm);
		at++;
	}
	return splice(p, edit, gm, at, at, gm->n_buckets);
}

static int plan_take_bucket(struct tn_plan *p, const struct tn_group_mod *gm, struct tn_edit *edit)
{
	const struct tn_group_info *old = tn_wanted_as_group(edit->after);
	uint32_t at;

	if (gm->n_buckets)
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPGMFC_BAD_BUCKET,
			"remove_bucket names the bucket by its id and takes no buckets: leave them "
			"out");
	if (gm->command_bucket_id == TN_BUCKET_ALL)
		return splice(p, edit, gm, 0, old->n_buckets, 0);
	at = bucket_position(old, gm->command_bucket_id);
	if (at == UINT32_MAX)
		return unknown_bucket(p, gm);
	return splice(p, edit, gm, at, at + 1, 0);
}

static bool group_uses(const struct tn_group_info *group, uint32_t id)
{
	for (uint32_t i = 0; i < group->n_buckets; i++) {
		const struct tn_bucket *b = &group->buckets[i].bucket;

		if (b->watch_group == id)
			return true;
		for (uint32_t j = 0; j < b->n_actions; j++) {
			if (b->actions[j].type == TN_ACTION_GROUP && b->actions[j].group_id == id)
				return true;
		}
	}
	return false;
}

/* A group that leads to this one, as the plan leaves them so far; NULL: none. */
static struct tn_wanted *group_above(const struct tn_plan *p, uint32_t id)
{
	struct tn_wanted *w, *current;
	uint64_t key = 0;

	for (size_t i = 0; i < p->edits.n; i++) {
		const struct tn_edit *edit = &p->edits.v[i];

		if (edit->kind == TN_KIND_GROUP && edit->after &&
			group_uses(tn_wanted_as_group(edit->after), id))
			return edit->after;
	}
	while ((w = tn_index_from(&p->e->objects[TN_KIND_GROUP], &key))) {
		current = tn_plan_current(p, TN_KIND_GROUP, w->id);
		if (current == w && group_uses(tn_wanted_as_group(w), id))
			return w;
		if (!tn_index_step(&key))
			break;
	}
	return NULL;
}

/* A group or a meter, with the flows that use it. */
static int delete_one(struct tn_plan *p, enum tn_kind kind, uint32_t id)
{
	struct tn_edit *edit;
	int rc = tn_plan_edit(p, kind, id, &edit);

	if (rc)
		return rc;
	tn_edit_set(edit, NULL, p->at);
	tn_plan_tell(p, edit);
	return tn_plan_remove_users(p, kind, id);
}

int tn_plan_remove_group(struct tn_plan *p, uint32_t id)
{
	struct tn_wanted *w = tn_plan_current(p, TN_KIND_GROUP, id), *above;
	int rc = tn_plan_look_at_all(p);

	if (rc)
		return rc;
	rc = tn_plan_check_condition(p, tn_plan_sees(p, w) || (w && w->derived) ? w : NULL);
	if (rc || !tn_plan_sees(p, w))
		return rc;
	above = group_above(p, id);
	if (above)
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPGMFC_CHAINED_GROUP,
			"group %u is used by group %u: change or delete that one first", id,
			(uint32_t)above->id);
	return delete_one(p, TN_KIND_GROUP, id);
}

/* Every object of the kind that the client sees, as the plan leaves it so far. */
static int delete_all(struct tn_plan *p, enum tn_kind kind)
{
	size_t n_edits = p->edits.n;
	const struct tn_wanted *w;
	uint64_t key = 0;
	int rc = tn_plan_look_at_all(p);

	for (size_t i = 0; i < n_edits && !rc; i++) {
		if (p->edits.v[i].kind == kind && tn_plan_sees(p, p->edits.v[i].after))
			rc = delete_one(p, kind, (uint32_t)p->edits.v[i].id);
	}
	while (!rc && (w = tn_index_from(&p->e->objects[kind], &key))) {
		if (tn_plan_sees(p, w) && tn_plan_current(p, kind, w->id) == w)
			rc = delete_one(p, kind, (uint32_t)w->id);
		if (!tn_index_step(&key))
			break;
	}
	p->results[p->at].kind = 0;
	p->results[p->at].id = 0;
	return rc;
}

int tn_plan_group(struct tn_plan *p, const struct tn_group_mod *gm)
{
	struct tn_edit *edit;
	int rc;

	if (gm->command == TN_GROUP_DELETE && gm->group_id == TN_GROUP_ALL)
		return delete_all(p, TN_KIND_GROUP);
	if (gm->group_id > TN_GROUP_MAX)
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPGMFC_INVALID_GROUP,
			"group id 0x%x is reserved: ids are 0 to 0x%x", gm->group_id, TN_GROUP_MAX);
	if (gm->command == TN_GROUP_DELETE)
		return tn_plan_remove_group(p, gm->group_id);
	rc = tn_plan_edit(p, TN_KIND_GROUP, gm->group_id, &edit);
	if (!rc)
		rc = tn_plan_check_condition(p, edit->after);
	if (rc)
		return rc;
	if (!edit->after && gm->command != TN_GROUP_ADD)
		return tn_plan_refuse(p, TN_NOT_FOUND, TN_OFPGMFC_UNKNOWN_GROUP,
			"group %u does not exist: add it", gm->group_id);
	switch (gm->command) {
	case TN_GROUP_ADD:
		return plan_group_add(p, gm, edit);
	case TN_GROUP_MODIFY:
		return put_group(
			p, edit, whole_group(gm), gm->owner ? gm->owner : edit->after->owner);
	case TN_GROUP_INSERT_BUCKET:
		return plan_insert(p, gm, edit);
	case TN_GROUP_REMOVE_BUCKET:
		return plan_take_bucket(p, gm, edit);
	case TN_GROUP_DELETE:
		break;
	}
	return tn_plan_refuse(p, TN_REFUSED, TN_OFPGMFC_BAD_COMMAND,
		"group command %u is not one of add, modify, delete, insert_bucket and "
		"remove_bucket",
		(unsigned)gm->command);
}

int tn_plan_remove_meter(struct tn_plan *p, uint32_t id)
{
	struct tn_wanted *w = tn_plan_current(p, TN_KIND_METER, id);
	int rc = tn_plan_look_at_all(p);

	if (rc)
		return rc;
	rc = tn_plan_check_condition(p, tn_plan_sees(p, w) || (w && w->derived) ? w : NULL);
	if (rc || !tn_plan_sees(p, w))
		return rc;
	return delete_one(p, TN_KIND_METER, id);
}

static struct tn_wanted *whole_meter(const struct tn_meter_mod *mm)
{
	struct tn_api_band_info bands[TN_METER_BANDS_MAX] = {{.band.rate = 0}};
	struct tn_api_meter_info info = {
		.meter_id = mm->meter_id,
		.flags = mm->flags,
		.bands = bands,
		.n_bands = mm->n_bands,
	};

	for (uint32_t i = 0; i < mm->n_bands; i++)
		bands[i].band = mm->bands[i];
	return tn_wanted_meter(&info);
}

static int put_meter(struct tn_plan *p, const struct tn_meter_mod *mm, struct tn_edit *edit)
{
	const struct tn_wanted *old = edit->after ? edit->after : edit->before;
	uint32_t owner = mm->owner ? mm->owner : old ? old->owner : p->r->owner;
	struct tn_wanted *w = whole_meter(mm);

	if (mm->command == TN_METER_ADD && edit->after &&
		(!tn_wanted_same(edit->after, w) || edit->after->owner != owner)) {
		tn_wanted_put(w);
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPMMFC_METER_EXISTS,
			"meter %u exists, and is another one: modify it, or delete it first",
			mm->meter_id);
	}
	if (old && (edit->after || p->replacing) && tn_wanted_same(old, w) && old->owner == owner &&
		old->state != TN_STATE_FAILED) {
		tn_wanted_put(w);
		if (!edit->after)
			tn_edit_set(edit, tn_wanted_get(edit->before), p->at);
	} else {
		tn_plan_put(p, edit, w, owner);
	}
	tn_plan_tell(p, edit);
	return 0;
}

int tn_plan_meter(struct tn_plan *p, const struct tn_meter_mod *mm)
{
	struct tn_edit *edit;
	struct tn_error err;
	int rc;

	if (tn_meter_check(mm, &err))
		return tn_plan_refuse(p, TN_REFUSED, err.of, "%s", err.detail);
	if (mm->command == TN_METER_DELETE && mm->meter_id == TN_METER_ALL)
		return delete_all(p, TN_KIND_METER);
	if (mm->command == TN_METER_DELETE)
		return tn_plan_remove_meter(p, mm->meter_id);
	rc = tn_plan_edit(p, TN_KIND_METER, mm->meter_id, &edit);
	if (!rc)
		rc = tn_plan_check_condition(p, edit->after);
	if (rc)
		return rc;
	if (mm->command == TN_METER_MODIFY && !edit->after)
		return tn_plan_refuse(p, TN_NOT_FOUND, TN_OFPMMFC_UNKNOWN_METER,
			"meter %u does not exist: add it", mm->meter_id);
	return put_meter(p, mm, edit);
}
