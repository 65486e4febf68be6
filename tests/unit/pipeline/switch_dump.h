/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A switch as text, for tests that compare two moments of it, and a recount of everything the
 * writer keeps count of. For unit tests and fuzz targets.
 */
#ifndef TN_TESTS_SWITCH_DUMP_H
#define TN_TESTS_SWITCH_DUMP_H

#include "dataplane/pipeline/switch_private.h"

#include "dataplane/pipeline/decide.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not by fprintf: fuzzing spends its time here. */
static inline void dump_bytes(FILE *f, const char *name, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;

	fprintf(f, " %s=", name);
	for (size_t i = 0; i < n; i++) {
		putc_unlocked(digits[b[i] >> 4], f);
		putc_unlocked(digits[b[i] & 15], f);
	}
}

static inline void dump_actions(FILE *f, const char *name, const struct tn_action *list, size_t n)
{
	fprintf(f, " %s", name);
	for (size_t i = 0; i < n; i++)
		dump_bytes(f, "", &list[i], sizeof(list[i]));
}

static inline void dump_flow(void *ctx, const struct tn_flow_info *i)
{
	FILE *f = ctx;

	fprintf(f,
		"flow %016" PRIx64 " table=%u priority=%u cookie=%" PRIx64 " idle=%u hard=%u "
		"importance=%u flags=%u owner=%u created=%" PRIu64 " used=%" PRIu64
		" packets=%" PRIu64 " bytes=%" PRIu64 " meter=%u clear=%d metadata=%" PRIx64
		"/%" PRIx64 " goto=%u",
		i->flow_id, i->table_id, i->priority, i->cookie, i->idle_timeout, i->hard_timeout,
		i->importance, i->flags, i->owner, i->created_ns, i->last_used_ns,
		i->counter.packets, i->counter.bytes, i->inst.meter_id, i->inst.clear_actions,
		i->inst.metadata, i->inst.metadata_mask, i->inst.goto_table);
	dump_bytes(f, "match", &i->match, sizeof(i->match));
	dump_actions(f, "apply", i->inst.apply, i->inst.n_apply);
	dump_actions(f, "write", i->inst.write, i->inst.n_write);
	fprintf(f, "\n");
}

static inline void dump_group(void *ctx, const struct tn_group_info *g)
{
	FILE *f = ctx;

	fprintf(f,
		"group %u type=%d selection=%d/%" PRIx64 "/%" PRIx64 " owner=%u,%u refs=%u "
		"created=%" PRIu64 " packets=%" PRIu64 " bytes=%" PRIu64 "\n",
		g->group_id, g->type, g->selection, g->hash_fields, g->selection_param, g->owner,
		g->annotation, g->reference_count, g->created_ns, g->counter.packets,
		g->counter.bytes);
	for (uint32_t i = 0; i < g->n_buckets; i++) {
		const struct tn_bucket *b = &g->buckets[i].bucket;

		fprintf(f, "  bucket %u weight=%u watch=%u,%u packets=%" PRIu64 " bytes=%" PRIu64,
			b->bucket_id, b->weight, b->watch_port, b->watch_group,
			g->buckets[i].counter.packets, g->buckets[i].counter.bytes);
		dump_actions(f, "actions", b->actions, b->n_actions);
		fprintf(f, "\n");
	}
}

static inline void dump_meter(void *ctx, const struct tn_meter *m, uint32_t reference_count)
{
	FILE *f = ctx;

	fprintf(f, "meter %u flags=%x owner=%u refs=%u created=%" PRIu64 " packets=%" PRIu64,
		m->meter_id, m->flags, m->owner, reference_count, m->created_ns,
		m->counter.packets);
	for (unsigned i = 0; i < m->n_bands; i++)
		fprintf(f, " band=%d,%u,%u,%u tokens=%" PRIu64, m->bands[i].config.type,
			m->bands[i].config.rate, m->bands[i].config.burst,
			m->bands[i].config.prec_level, m->bands[i].tokens);
	fprintf(f, "\n");
}

static inline void dump_table(void *ctx, const struct tn_table_info *t)
{
	FILE *f = ctx;

	fprintf(f,
		"table %u max=%u eviction=%d vacancy=%u,%u active=%u lookups=%" PRIu64
		" matches=%" PRIu64 "\n",
		t->table_id, t->config.max_entries, t->config.eviction, t->config.vacancy_down,
		t->config.vacancy_up, t->active, t->lookups, t->matches);
}

static inline void dump_port(void *ctx, const struct tn_port_config_data *p)
{
	FILE *f = ctx;

	fprintf(f, "port %u type=%d config=%x state=%x\n", p->number, p->type, p->config, p->state);
}

/* To be freed by the caller. */
static inline char *switch_dump(const struct tn_switch *sw)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	fprintf(f, "switch %" PRIx64 " version=%" PRIu64 " flows=%u next_expiry=%" PRIu64 "\n",
		tn_switch_dpid(sw), tn_switch_snapshot(sw)->version, tn_switch_flow_count(sw),
		tn_switch_next_expiry(sw));
	if (tn_switch_flows(sw, NULL, dump_flow, f) || tn_switch_groups(sw, dump_group, f) ||
		tn_switch_meters(sw, dump_meter, f))
		abort();
	tn_switch_tables(sw, dump_table, f);
	tn_switch_ports(sw, dump_port, f);
	fclose(f);
	return text;
}

/* The recount. Each returns what is wrong, or NULL. */

#define VERIFY(c)                  \
	do {                       \
		if (!(c))          \
			return #c; \
	} while (0)

static inline const char *verify_heap(const struct tn_sw_heap *h)
{
	for (uint32_t i = 0; i < h->n; i++) {
		const struct tn_sw_heap_entry *e = &h->v[i], *parent = &h->v[(i - (i > 0)) / 2];

		VERIFY((h->evict ? e->flow->evict_slot : e->flow->timer_slot) == i);
		VERIFY(e->due_ns <= tn_sw_flow_due(e->flow, NULL));
		if (h->evict && parent->flow->importance != e->flow->importance)
			VERIFY(parent->flow->importance < e->flow->importance);
		else
			VERIFY(parent->due_ns <= e->due_ns);
	}
	return NULL;
}

static inline bool names_group(const struct tn_action *list, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].type == TN_ACTION_GROUP && list[i].group_id == id)
			return true;
	}
	return false;
}

static inline bool flow_names_group(const struct tn_flow *flow, uint32_t id)
{
	return names_group(flow->apply, flow->n_apply, id) ||
		names_group(flow->write, flow->n_write, id);
}

static inline bool group_names_group(const struct tn_group *group, uint32_t id)
{
	for (uint32_t i = 0; i < group->n_buckets; i++) {
		const struct tn_group_bucket *b = &group->buckets[i];

		if (b->watch_group == id || names_group(b->actions, b->n_actions, id))
			return true;
	}
	return false;
}

static inline const char *verify_flow(const struct tn_switch *sw, const struct tn_flow *flow)
{
	const struct tn_sw_table *state = &sw->state[flow->table_id];
	bool timer = flow->idle_timeout || flow->hard_timeout;
	struct tn_match match;

	VERIFY(tn_sw_flow_visible(flow, sw->version));
	tn_cls_rule_match(&flow->cls, &match);
	VERIFY(tn_classifier_find(sw->tables[flow->table_id].cls, &match, flow->cls.priority,
		       sw->version) == &flow->cls);
	VERIFY(flow->flow_id == tn_flow_id(sw->dpid, flow->table_id, flow->cls.priority, &match));
	VERIFY((flow->timer_slot != TN_SW_SLOT_NONE) == timer);
	VERIFY((flow->evict_slot != TN_SW_SLOT_NONE) ==
		(state->config.eviction && (timer || flow->importance)));
	VERIFY(!flow->meter_id || tn_snapshot_meter(sw->snapshot, flow->meter_id));
	for (size_t i = 0; i < (size_t)flow->n_apply + flow->n_write; i++) {
		const struct tn_action *a = &flow->apply[i];

		VERIFY(a->type != TN_ACTION_GROUP || tn_snapshot_group(sw->snapshot, a->group_id));
	}
	return NULL;
}

struct recount {
	uint32_t flows, timers;
	uint32_t active[TN_N_TABLES], offered[TN_N_TABLES];
	size_t bytes;
};

static inline const char *verify_flows(const struct tn_switch *sw, struct recount *r)
{
	for (uint32_t i = 0; sw->ids && i <= sw->ids_mask; i++) {
		for (const struct tn_flow *f = sw->ids[i]; f; f = f->id_next) {
			const char *wrong = verify_flow(sw, f);

			if (wrong)
				return wrong;
			r->flows++;
			r->active[f->table_id]++;
			r->timers += f->timer_slot != TN_SW_SLOT_NONE;
			r->offered[f->table_id] += f->evict_slot != TN_SW_SLOT_NONE;
			r->bytes += tn_sw_bytes_of(f) + tn_sw_bytes_of(f->stats);
		}
	}
	VERIFY(r->flows == sw->n_flows && r->flows == sw->n_ids);
	VERIFY(r->timers == sw->timers.n);
	for (unsigned t = 0; t < TN_N_TABLES; t++) {
		VERIFY(r->active[t] == sw->state[t].active);
		VERIFY(r->offered[t] == sw->state[t].evict.n);
		if (verify_heap(&sw->state[t].evict))
			return verify_heap(&sw->state[t].evict);
	}
	return verify_heap(&sw->timers);
}

/* Who names it, counted from the other side. */
static inline uint32_t count_users(const struct tn_switch *sw, uint32_t id, bool meter)
{
	uint32_t n = 0;

	for (uint32_t i = 0; sw->ids && i <= sw->ids_mask; i++) {
		for (const struct tn_flow *f = sw->ids[i]; f; f = f->id_next)
			n += meter ? f->meter_id == id : flow_names_group(f, id);
	}
	for (uint32_t i = 0; !meter && i <= sw->groups->mask; i++) {
		const struct tn_versioned *v = sw->groups->slots[i];

		if (v && tn_sw_versioned_visible(v, sw->version))
			n += group_names_group((const struct tn_group *)(const void *)v, id);
	}
	return n;
}

static inline uint32_t slot_of_group(const struct tn_switch *sw, uint32_t id)
{
	const struct tn_group *g = tn_snapshot_group(sw->snapshot, id);
	uint32_t i = tn_id_hash(id);

	if (!g)
		return UINT32_MAX;
	while (sw->groups->slots[i & sw->groups->mask] != &g->v)
		i++;
	return i & sw->groups->mask;
}

/* Groups in the longest chain from this one, as far as `height`, by slot, knows by now. */
static inline const char *chain_height(
	const struct tn_switch *sw, const struct tn_group *g, const uint32_t *height, uint32_t *out)
{
	*out = 1;
	for (uint32_t i = 0; i < g->n_buckets; i++) {
		const struct tn_group_bucket *b = &g->buckets[i];

		for (uint32_t j = 0; j <= b->n_actions; j++) {
			bool watch = j == b->n_actions;
			uint32_t slot;

			if (watch ? b->watch_group == TN_GROUP_ANY
				  : b->actions[j].type != TN_ACTION_GROUP)
				continue;
			slot = slot_of_group(sw, watch ? b->watch_group : b->actions[j].group_id);
			VERIFY(slot != UINT32_MAX);
			*out = height[slot] + 1 > *out ? height[slot] + 1 : *out;
		}
	}
	return NULL;
}

/* Heights settle after as many rounds as the longest chain is long; with a loop they never do. */
static inline const char *verify_chains(const struct tn_switch *sw)
{
	uint32_t *height = calloc(sw->groups->mask + 1, sizeof(*height));
	const char *wrong = NULL;
	bool changed = true;

	for (unsigned round = 0; changed && !wrong; round++) {
		changed = false;
		for (uint32_t i = 0; i <= sw->groups->mask && !wrong; i++) {
			const struct tn_versioned *v = sw->groups->slots[i];
			uint32_t h = 0;

			if (!v || !tn_sw_versioned_visible(v, sw->version))
				continue;
			wrong = chain_height(
				sw, (const struct tn_group *)(const void *)v, height, &h);
			changed |= h != height[i];
			height[i] = h;
			if (h > TN_GROUP_DEPTH_MAX)
				wrong = "a chain of groups is too long";
		}
		if (round > TN_GROUP_DEPTH_MAX)
			wrong = "groups in a loop";
	}
	free(height);
	return wrong;
}

static inline const char *verify_groups(const struct tn_switch *sw, struct recount *r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i <= sw->groups->mask; i++) {
		const struct tn_group *g = (const struct tn_group *)(void *)sw->groups->slots[i];

		if (!g || !tn_sw_versioned_visible(&g->v, sw->version))
			continue;
		n++;
		VERIFY(g->users->n == count_users(sw, g->v.id, false));
		r->bytes += tn_sw_bytes_of(g) + tn_sw_bytes_of(g->stats) + tn_sw_bytes_of(g->users);
		for (uint32_t b = 0; b < g->n_buckets; b++)
			r->bytes += tn_sw_bytes_of(g->buckets[b].stats);
	}
	VERIFY(n == sw->n_groups);
	return verify_chains(sw);
}

static inline const char *verify_meters(const struct tn_switch *sw, struct recount *r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i <= sw->meters->mask; i++) {
		const struct tn_meter_version *m =
			(const struct tn_meter_version *)(void *)sw->meters->slots[i];

		if (!m || !tn_sw_versioned_visible(&m->v, sw->version))
			continue;
		n++;
		VERIFY(m->users->n == count_users(sw, m->v.id, true));
		r->bytes += tn_sw_bytes_of(m) + tn_sw_bytes_of(m->users);
	}
	VERIFY(n == sw->n_meters);
	return NULL;
}

static inline void dump_by_ids(const struct tn_switch *sw, FILE *f)
{
	size_t n_flows, n_groups, n_meters;
	uint32_t *groups, *meters;
	uint64_t *flows;

	if (tn_switch_flow_ids(sw, NULL, &flows, &n_flows) ||
		tn_switch_group_ids(sw, &groups, &n_groups) ||
		tn_switch_meter_ids(sw, &meters, &n_meters))
		abort();
	for (size_t i = 0; i < n_flows; i++)
		(void)tn_switch_flow_by_id(sw, flows[i], dump_flow, f);
	for (size_t i = 0; i < n_groups; i++)
		(void)!tn_switch_group_by_id(sw, groups[i], dump_group, f);
	for (size_t i = 0; i < n_meters; i++)
		tn_switch_meter_by_id(sw, meters[i], dump_meter, f);
	free(flows);
	free(groups);
	free(meters);
}

/* Reading by id gives what reading all gives. */
static inline const char *verify_ids(const struct tn_switch *sw)
{
	char *text[2] = {NULL, NULL};
	size_t size[2];
	FILE *all = open_memstream(&text[0], &size[0]);
	FILE *by_ids = open_memstream(&text[1], &size[1]);
	bool same;

	if (!all || !by_ids || tn_switch_flows(sw, NULL, dump_flow, all) ||
		tn_switch_groups(sw, dump_group, all) || tn_switch_meters(sw, dump_meter, all))
		abort();
	dump_by_ids(sw, by_ids);
	fclose(all);
	fclose(by_ids);
	same = size[0] == size[1] && !memcmp(text[0], text[1], size[0]);
	free(text[0]);
	free(text[1]);
	VERIFY(same);
	return NULL;
}

/* Frees what waits to be freed on the way. Cost: flows times groups. */
static inline const char *switch_verify(struct tn_switch *sw)
{
	struct recount r = {0};
	const char *wrong;

	VERIFY(sw->n_changes == 0 && sw->n_pending == 0);
	VERIFY(sw->snapshot->version == sw->version);
	VERIFY(sw->snapshot->groups == sw->groups && sw->snapshot->meters == sw->meters);
	VERIFY(sw->snapshot->ports == sw->ports);
	tn_switch_reclaim(sw);
	tn_switch_reclaim(sw);
	VERIFY(!sw->removed_flows && !sw->removed_groups && !sw->removed_meters);
	VERIFY(!sw->unlinked_flows && !sw->unlinked_groups && !sw->unlinked_meters);
	wrong = verify_flows(sw, &r);
	if (!wrong)
		wrong = verify_groups(sw, &r);
	if (!wrong)
		wrong = verify_meters(sw, &r);
	if (!wrong)
		wrong = verify_ids(sw);
	if (wrong)
		return wrong;
	VERIFY(r.bytes == sw->bytes);
	return NULL;
}

#endif
