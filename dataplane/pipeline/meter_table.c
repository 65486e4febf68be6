/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

#include <stdlib.h>

struct tn_meter_version *tn_sw_meter(const struct tn_switch *sw, uint32_t meter_id)
{
	return (struct tn_meter_version *)(void *)tn_id_table_lookup(
		sw->meters, meter_id, tn_sw_next_version(sw));
}

void tn_sw_meter_free(struct tn_switch *sw, struct tn_meter_version *m)
{
	tn_sw_users_put(sw, m->users);
	tn_sw_free(sw, m);
}

static struct tn_meter_version *meter_new(struct tn_switch *sw, const struct tn_meter_mod *mm,
	const struct tn_meter_version *old, uint64_t now_ns)
{
	struct tn_meter_version *m = tn_sw_alloc(sw, sizeof(*m) + tn_meter_size(mm->n_bands));

	if (!m)
		return NULL;
	m->v.id = mm->meter_id;
	m->v.add_version = tn_sw_next_version(sw);
	m->v.remove_version = TN_VERSION_NEVER;
	m->meter = (struct tn_meter *)(void *)(m + 1);
	tn_meter_init(m->meter, mm, now_ns);
	if (old) {
		m->meter->created_ns = old->meter->created_ns;
		m->users = old->users;
		m->users->refs++;
	} else {
		m->users = tn_sw_users_new(sw, mm->meter_id);
	}
	if (!m->users) {
		tn_sw_meter_free(sw, m);
		return NULL;
	}
	return m;
}

static int meter_remove(struct tn_switch *sw, struct tn_meter_version *m, struct tn_error *err)
{
	if (!tn_sw_reserve_change(sw))
		return tn_sw_no_memory(err);
	__atomic_store_n(&m->v.remove_version, tn_sw_next_version(sw), __ATOMIC_RELAXED);
	sw->n_meters--;
	tn_sw_log_change(sw, &(struct tn_sw_change){.object = TN_SW_METER, .p = m});
	return 0;
}

/* Adds the meter, in place of its old version if it has one. */
static int meter_put(struct tn_switch *sw, const struct tn_meter_mod *mm,
	struct tn_meter_version *old, uint64_t now_ns, struct tn_error *err)
{
	struct tn_meter_version *m;
	int rc = old ? meter_remove(sw, old, err) : 0;

	if (rc)
		return rc;
	if (!tn_sw_reserve_change(sw) || !tn_sw_id_table_reserve(sw, &sw->meters))
		return tn_sw_no_memory(err);
	m = meter_new(sw, mm, old, now_ns);
	if (!m)
		return tn_sw_no_memory(err);
	tn_sw_id_table_insert(sw->meters, &m->v);
	sw->n_meters++;
	tn_sw_log_change(sw,
		&(struct tn_sw_change){
			.object = TN_SW_METER, .added = true, .p = m, .continues = old});
	return 0;
}

static int meter_delete(
	struct tn_switch *sw, struct tn_meter_version *m, uint64_t now_ns, struct tn_error *err)
{
	int rc = tn_sw_users_remove_flows(sw, m->users, TN_REMOVED_METER_DELETE, now_ns, err);

	return rc ? rc : meter_remove(sw, m, err);
}

static int delete_all(struct tn_switch *sw, uint64_t now_ns, struct tn_error *err)
{
	struct tn_versioned **v;
	size_t n;
	int rc = 0;

	if (!tn_sw_id_table_sorted(sw->meters, tn_sw_next_version(sw), &v, &n))
		return tn_sw_no_memory(err);
	for (size_t i = 0; i < n && !rc; i++)
		rc = meter_delete(sw, (struct tn_meter_version *)(void *)v[i], now_ns, err);
	free(v);
	return rc;
}

static int add_meter(struct tn_switch *sw, const struct tn_meter_mod *mm,
	const struct tn_meter_version *old, uint64_t now_ns, struct tn_error *err)
{
	if (old)
		return tn_error_set(err, TN_OFPMMFC_METER_EXISTS, -1,
			"meter %u exists: modify it, or delete it first", mm->meter_id);
	if (sw->n_meters >= TN_SW_METERS_MAX)
		return tn_error_set(err, TN_OFPMMFC_OUT_OF_METERS, -1,
			"the switch holds %u meters, which is the most: delete some", sw->n_meters);
	return meter_put(sw, mm, NULL, now_ns, err);
}

int tn_sw_meter_mod(
	struct tn_switch *sw, const struct tn_meter_mod *mm, uint64_t now_ns, struct tn_error *err)
{
	struct tn_meter_version *old;
	int rc = tn_meter_check(mm, err);

	if (rc)
		return rc;
	if (mm->command == TN_METER_DELETE && mm->meter_id == TN_METER_ALL)
		return delete_all(sw, now_ns, err);
	old = tn_sw_meter(sw, mm->meter_id);
	if (mm->command == TN_METER_DELETE)
		return old ? meter_delete(sw, old, now_ns, err) : 0;
	if (mm->command == TN_METER_ADD)
		return add_meter(sw, mm, old, now_ns, err);
	if (!old)
		return tn_error_set(err, TN_OFPMMFC_UNKNOWN_METER, -1,
			"meter %u does not exist: add it", mm->meter_id);
	return meter_put(sw, mm, old, now_ns, err);
}

/* No packet will ever see it again, but a reader may be walking over it. */
static void take_out(struct tn_switch *sw, struct tn_meter_version *m)
{
	tn_sw_id_table_remove(sw->meters, &m->v);
	m->v.next = sw->unlinked_meters;
	sw->unlinked_meters = &m->v;
}

void tn_sw_meter_drop(struct tn_switch *sw, struct tn_meter_version *m)
{
	m->v.dropped = true;
	take_out(sw, m);
}

void tn_sw_meter_undo(struct tn_switch *sw, const struct tn_sw_change *change)
{
	struct tn_meter_version *m = change->p;

	if (change->added) {
		sw->n_meters--;
		if (!m->v.dropped)
			take_out(sw, m);
		return;
	}
	sw->n_meters++;
	if (!m->v.dropped)
		__atomic_store_n(&m->v.remove_version, TN_VERSION_NEVER, __ATOMIC_RELAXED);
}

void tn_sw_meter_publish(struct tn_switch *sw, const struct tn_sw_change *change)
{
	struct tn_meter_version *m = change->p;

	if (change->added || m->v.dropped)
		return;
	m->v.next = sw->removed_meters;
	sw->removed_meters = &m->v;
}
