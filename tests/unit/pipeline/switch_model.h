/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a switch does, told again as plainly as can be: flows in a list, every question answered by
 * looking at all of them, a bundle undone by a copy made before. For test_switch_model.c.
 */
#ifndef TN_TESTS_SWITCH_MODEL_H
#define TN_TESTS_SWITCH_MODEL_H

#include "tests/unit/pipeline/switch_fixture.h"

#define M_TABLES  3u
#define M_GROUPS  12u
#define M_METERS  4u
#define M_MATCHES 12u
#define M_FLOWS	  256u
#define M_NONE	  0xffu

/* Instructions, in the few forms that matter here. */
struct m_inst {
	uint8_t port;	      /* output, 0: none */
	uint8_t apply, write; /* groups, M_NONE: none */
	uint8_t meter;	      /* 0: none */
	uint8_t go;	      /* table, TN_GOTO_NONE: none */
};

struct m_flow {
	struct tn_match match;
	uint64_t id, cookie, created, used, packets;
	struct m_inst inst;
	uint32_t owner;
	uint16_t priority, idle, hard, importance, flags;
	uint8_t table;
};

struct m_event {
	uint64_t cookie, time;
	int reason;
};

struct model {
	struct m_flow flows[M_FLOWS];
	size_t n;
	struct {
		bool exists;
		uint8_t child; /* M_NONE: none */
	} groups[M_GROUPS];
	bool meters[M_METERS];
	uint32_t max[M_TABLES];
	bool eviction[M_TABLES];
	struct m_event events[4 * M_FLOWS];
	size_t n_events;
};

static inline uint64_t m_due(const struct m_flow *f, int *reason)
{
	uint64_t hard = f->hard ? f->created + f->hard * SECOND : UINT64_MAX;
	uint64_t used = f->used > f->created ? f->used : f->created;
	uint64_t idle = f->idle ? used + f->idle * SECOND : UINT64_MAX;

	if (reason)
		*reason = hard <= idle ? TN_REMOVED_HARD_TIMEOUT : TN_REMOVED_IDLE_TIMEOUT;
	return hard < idle ? hard : idle;
}

static inline bool m_before(const struct m_flow *a, const struct m_flow *b)
{
	if (a->table != b->table)
		return a->table < b->table;
	if (a->priority != b->priority)
		return a->priority > b->priority;
	return a->id < b->id;
}

/* The list stays sorted the way flows are shown. */
static inline void m_insert(struct model *m, const struct m_flow *flow)
{
	size_t i = m->n++;

	assert_true(m->n <= M_FLOWS);
	for (; i > 0 && m_before(flow, &m->flows[i - 1]); i--)
		m->flows[i] = m->flows[i - 1];
	m->flows[i] = *flow;
}

static inline void m_remove(struct model *m, size_t i, int reason, uint64_t time)
{
	const struct m_flow *f = &m->flows[i];

	if (f->flags & TN_FLOW_SEND_FLOW_REM) {
		assert_true(m->n_events < TN_ARRAY_SIZE(m->events));
		m->events[m->n_events++] = (struct m_event){f->cookie, time, reason};
	}
	memmove(&m->flows[i], &m->flows[i + 1], (--m->n - i) * sizeof(m->flows[0]));
}

static inline uint32_t m_count(const struct model *m, uint8_t table)
{
	uint32_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += m->flows[i].table == table;
	return n;
}

static inline enum tn_of_error m_check_inst(
	const struct model *m, const struct m_inst *inst, uint8_t table)
{
	if (inst->go != TN_GOTO_NONE && table != TN_TABLE_ALL && inst->go <= table)
		return TN_OFPBIC_BAD_TABLE_ID;
	if (inst->apply != M_NONE && !m->groups[inst->apply].exists)
		return TN_OFPBAC_BAD_OUT_GROUP;
	if (inst->write != M_NONE && !m->groups[inst->write].exists)
		return TN_OFPBAC_BAD_OUT_GROUP;
	if (inst->meter && !m->meters[inst->meter])
		return TN_OFPBAC_BAD_METER;
	return TN_OF_OK;
}

static inline bool m_evict(struct model *m, uint8_t table, uint64_t now)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < m->n; i++) {
		const struct m_flow *f = &m->flows[i], *b = &m->flows[best == SIZE_MAX ? 0 : best];

		if (f->table != table || !(f->importance || f->idle || f->hard))
			continue;
		if (best == SIZE_MAX || f->importance < b->importance ||
			(f->importance == b->importance && m_due(f, NULL) < m_due(b, NULL)) ||
			(f->importance == b->importance && m_due(f, NULL) == m_due(b, NULL) &&
				f->id < b->id))
			best = i;
	}
	if (best == SIZE_MAX)
		return false;
	m_remove(m, best, TN_REMOVED_EVICTION, now);
	return true;
}

static inline size_t m_find(
	const struct model *m, uint8_t table, uint16_t priority, const struct tn_match *match)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct m_flow *f = &m->flows[i];

		if (f->table == table && f->priority == priority &&
			tn_match_equal(&f->match, match))
			return i;
	}
	return SIZE_MAX;
}

static inline bool m_overlaps(const struct model *m, const struct tn_flow_mod *fm)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct m_flow *f = &m->flows[i];

		if (f->table == fm->table_id && f->priority == fm->priority &&
			tn_match_overlaps(&f->match, &fm->match))
			return true;
	}
	return false;
}

static inline enum tn_of_error m_add(
	struct model *m, const struct tn_flow_mod *fm, const struct m_inst *inst, uint64_t now)
{
	size_t old = m_find(m, fm->table_id, fm->priority, &fm->match);
	enum tn_of_error e = m_check_inst(m, inst, fm->table_id);
	struct m_flow flow = {
		.match = fm->match,
		.id = tn_flow_id(DPID, fm->table_id, fm->priority, &fm->match),
		.cookie = fm->cookie,
		.created = now,
		.used = now,
		.inst = *inst,
		.owner = fm->owner,
		.priority = fm->priority,
		.idle = fm->idle_timeout,
		.hard = fm->hard_timeout,
		.importance = fm->importance,
		.flags = fm->flags &
			(TN_FLOW_SEND_FLOW_REM | TN_FLOW_NO_PKT_COUNTS | TN_FLOW_NO_BYT_COUNTS),
		.table = fm->table_id,
	};

	if (e)
		return e;
	if (old != SIZE_MAX) {
		if (!(fm->flags & TN_FLOW_RESET_COUNTS))
			flow.packets = m->flows[old].packets;
		m->flows[old] = flow;
		return TN_OF_OK;
	}
	if (fm->flags & TN_FLOW_CHECK_OVERLAP && m_overlaps(m, fm))
		return TN_OFPFMFC_OVERLAP;
	while (m_count(m, fm->table_id) >= m->max[fm->table_id]) {
		if (!m->eviction[fm->table_id] || !m_evict(m, fm->table_id, now))
			return TN_OFPFMFC_TABLE_FULL;
	}
	m_insert(m, &flow);
	return TN_OF_OK;
}

static inline bool m_selects(const struct m_flow *f, const struct tn_flow_mod *fm)
{
	bool strict = fm->command == TN_FLOW_MODIFY_STRICT || fm->command == TN_FLOW_DELETE_STRICT;
	bool delete = fm->command == TN_FLOW_DELETE || fm->command == TN_FLOW_DELETE_STRICT;

	if (fm->table_id != TN_TABLE_ALL && fm->table_id != f->table)
		return false;
	if (strict && (fm->priority != f->priority || !tn_match_equal(&fm->match, &f->match)))
		return false;
	if (!strict && !tn_match_subsumes(&fm->match, &f->match))
		return false;
	if ((f->cookie & fm->cookie_mask) != (fm->cookie & fm->cookie_mask))
		return false;
	if (delete &&fm->out_port != TN_PORT_ANY && f->inst.port != fm->out_port)
		return false;
	return !delete || fm->out_group == TN_GROUP_ANY || f->inst.apply == fm->out_group ||
		f->inst.write == fm->out_group;
}

static inline enum tn_of_error m_modify(
	struct model *m, const struct tn_flow_mod *fm, const struct m_inst *inst)
{
	enum tn_of_error e = m_check_inst(m, inst, fm->table_id);

	for (size_t i = 0; i < m->n && !e; i++) {
		struct m_flow *f = &m->flows[i];

		if (!m_selects(f, fm))
			continue;
		e = m_check_inst(m, inst, f->table);
		f->inst = *inst;
		if (fm->set_cookie)
			f->cookie = fm->new_cookie;
		if (fm->flags & TN_FLOW_RESET_COUNTS)
			f->packets = 0;
	}
	return e;
}

static inline enum tn_of_error m_flow_mod(
	struct model *m, const struct tn_flow_mod *fm, const struct m_inst *inst, uint64_t now)
{
	if (fm->command == TN_FLOW_ADD)
		return fm->table_id == TN_TABLE_ALL ? TN_OFPFMFC_BAD_TABLE_ID
						    : m_add(m, fm, inst, now);
	if (fm->command == TN_FLOW_MODIFY || fm->command == TN_FLOW_MODIFY_STRICT)
		return m_modify(m, fm, inst);
	for (size_t i = 0; i < m->n;) {
		if (m_selects(&m->flows[i], fm))
			m_remove(m, i, TN_REMOVED_DELETE, now);
		else
			i++;
	}
	return TN_OF_OK;
}

/* Groups have at most one child here. */

static inline unsigned m_below(const struct model *m, uint8_t id)
{
	return id == M_NONE ? 0 : 1 + m_below(m, m->groups[id].child);
}

static inline unsigned m_above(const struct model *m, uint8_t id)
{
	unsigned most = 0;

	for (uint8_t i = 0; i < M_GROUPS; i++) {
		if (m->groups[i].exists && m->groups[i].child == id && 1 + m_above(m, i) > most)
			most = 1 + m_above(m, i);
	}
	return most;
}

static inline enum tn_of_error m_put_group(struct model *m, uint8_t id, uint8_t child)
{
	if (child == id)
		return TN_OFPGMFC_LOOP;
	if (child != M_NONE && !m->groups[child].exists)
		return TN_OFPBAC_BAD_OUT_GROUP;
	for (uint8_t i = child; i != M_NONE; i = m->groups[i].child) {
		if (i == id)
			return TN_OFPGMFC_LOOP;
	}
	if (child != M_NONE && m_above(m, id) + 1 + m_below(m, child) > TN_GROUP_DEPTH_MAX)
		return TN_OFPGMFC_CHAINING_UNSUPPORTED;
	m->groups[id].exists = true;
	m->groups[id].child = child;
	return TN_OF_OK;
}

static inline void m_delete_group(struct model *m, uint8_t id, uint64_t now)
{
	for (size_t i = 0; i < m->n;) {
		if (m->flows[i].inst.apply == id || m->flows[i].inst.write == id)
			m_remove(m, i, TN_REMOVED_GROUP_DELETE, now);
		else
			i++;
	}
	m->groups[id].exists = false;
	m->groups[id].child = M_NONE;
}

static inline enum tn_of_error m_group_mod(
	struct model *m, enum tn_group_command command, uint32_t id, uint8_t child, uint64_t now)
{
	if (command == TN_GROUP_DELETE && id == TN_GROUP_ALL) {
		for (uint8_t i = 0; i < M_GROUPS; i++)
			m_delete_group(m, i, now);
		return TN_OF_OK;
	}
	if (command == TN_GROUP_ADD)
		return m->groups[id].exists ? TN_OFPGMFC_GROUP_EXISTS
					    : m_put_group(m, (uint8_t)id, child);
	if (command == TN_GROUP_MODIFY)
		return m->groups[id].exists ? m_put_group(m, (uint8_t)id, child)
					    : TN_OFPGMFC_UNKNOWN_GROUP;
	if (m->groups[id].exists && m_above(m, (uint8_t)id))
		return TN_OFPGMFC_CHAINED_GROUP;
	m_delete_group(m, (uint8_t)id, now);
	return TN_OF_OK;
}

static inline enum tn_of_error m_meter_mod(
	struct model *m, enum tn_meter_command command, uint32_t id, uint64_t now)
{
	if (command == TN_METER_ADD && m->meters[id])
		return TN_OFPMMFC_METER_EXISTS;
	if (command == TN_METER_MODIFY && !m->meters[id])
		return TN_OFPMMFC_UNKNOWN_METER;
	m->meters[id] = command != TN_METER_DELETE;
	for (size_t i = 0; i < m->n && command == TN_METER_DELETE;) {
		if (m->flows[i].inst.meter == id)
			m_remove(m, i, TN_REMOVED_METER_DELETE, now);
		else
			i++;
	}
	return TN_OF_OK;
}

static inline void m_expire(struct model *m, uint64_t now)
{
	for (;;) {
		size_t best = SIZE_MAX;
		int reason;

		for (size_t i = 0; i < m->n; i++) {
			uint64_t due = m_due(&m->flows[i], NULL), least;

			least = best == SIZE_MAX ? UINT64_MAX : m_due(&m->flows[best], NULL);
			if (due <= now &&
				(due < least ||
					(due == least && best != SIZE_MAX &&
						m->flows[i].id < m->flows[best].id)))
				best = i;
		}
		if (best == SIZE_MAX)
			return;
		(void)m_due(&m->flows[best], &reason);
		m_remove(m, best, reason, m_due(&m->flows[best], NULL));
	}
}

#endif
