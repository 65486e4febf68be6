/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/notes.h"

#include <stdlib.h>
#include <string.h>

#include "tools/replay/memory.h"
#include "tools/replay/text.h"

#define SLOTS 32768u

TN_BUILD_ASSERT(SLOTS > 2 * TN_NOTES_ROWS_MAX, "searches end soon");

void tn_notes_init(struct tn_notes *n)
{
	memset(n, 0, sizeof(*n));
	n->events = json_array();
	n->rows = tn_alloc(TN_NOTES_ROWS_MAX * sizeof(*n->rows));
	n->slots = tn_alloc(SLOTS * sizeof(*n->slots));
}

void tn_notes_fini(struct tn_notes *n)
{
	free(n->packet_ins);
	free(n->rows);
	free(n->slots);
	json_decref(n->events);
}

static bool row_is(const struct tn_packet_in_row *row, const struct tn_packet_in *p)
{
	return row->reason == p->reason && row->table == p->table && row->cookie == p->cookie;
}

static uint32_t row_hash(const struct tn_packet_in *p)
{
	uint64_t h = p->cookie ^ ((uint64_t)p->reason << 8 | p->table) << 40;

	return (uint32_t)((h ^ h >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static void count_row(struct tn_notes *n, const struct tn_packet_in *p)
{
	uint32_t i = row_hash(p) & (SLOTS - 1);

	while (n->slots[i] && !row_is(&n->rows[n->slots[i] - 1], p))
		i = (i + 1) & (SLOTS - 1);
	if (!n->slots[i]) {
		if (n->n_rows == TN_NOTES_ROWS_MAX)
			return;
		n->rows[n->n_rows++] = (struct tn_packet_in_row){
			.cookie = p->cookie, .reason = p->reason, .table = p->table};
		n->slots[i] = (uint32_t)n->n_rows;
	}
	n->rows[n->slots[i] - 1].packets++;
}

void tn_notes_packet_in(struct tn_notes *n, const struct tn_packet_in *p)
{
	n->all_packet_ins++;
	count_row(n, p);
	if (n->n_packet_ins == TN_NOTES_MAX)
		return;
	n->packet_ins = tn_grow(
		n->packet_ins, n->n_packet_ins, &n->room_packet_ins, sizeof(*n->packet_ins));
	n->packet_ins[n->n_packet_ins++] = *p;
}

static json_t *port_event(const struct tn_codec *codec, const struct tn_event *event)
{
	static const char *const names[] = {"ADD", "DELETE", "MODIFY"};
	const char *name = tn_names_port_name(codec->names, event->port->number);

	return json_pack("{s:s, s:s, s:I, s:s?}", "event", "PORT_STATUS", "reason",
		names[event->port_reason], "port", (json_int_t)event->port->number, "name", name);
}

static json_t *event_to_json(const struct tn_codec *codec, const struct tn_event *event)
{
	switch (event->kind) {
	case TN_EVENT_FLOW_REMOVED:
		return json_pack("{s:s, s:s, s:o}", "event", "FLOW_REMOVED", "reason",
			tn_removed_reason_name((uint8_t)event->removed_reason), "flow",
			tn_flow_to_json(codec, event->flow));
	case TN_EVENT_PORT_STATUS:
		return port_event(codec, event);
	case TN_EVENT_TABLE_STATUS:
		break;
	}
	return json_pack("{s:s, s:s, s:i}", "event", "TABLE_STATUS", "reason",
		event->vacancy_up ? "VACANCY_UP" : "VACANCY_DOWN", "tableId", event->table_id);
}

void tn_notes_event(struct tn_notes *n, const struct tn_codec *codec, const struct tn_event *event)
{
	char time[TN_TIME_TEXT];
	json_t *j;

	n->all_events++;
	if (event->kind == TN_EVENT_FLOW_REMOVED)
		n->removed[event->removed_reason]++;
	if (json_array_size(n->events) >= TN_NOTES_MAX)
		return;
	j = event_to_json(codec, event);
	tn_text_time(time, event->time_ns);
	json_object_set_new(j, "time", json_string(time));
	json_array_append_new(n->events, j);
}

static int compare_rows(const void *x, const void *y)
{
	const struct tn_packet_in_row *a = x, *b = y;

	if (a->reason != b->reason)
		return a->reason < b->reason ? -1 : 1;
	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	return a->cookie < b->cookie ? -1 : a->cookie > b->cookie;
}

void tn_notes_sort(struct tn_notes *n)
{
	qsort(n->rows, n->n_rows, sizeof(*n->rows), compare_rows);
}

static const char *name_of(const char *const *names, size_t n, uint8_t number)
{
	return number < n ? names[number] : "UNKNOWN";
}

const char *tn_packet_in_reason_name(uint8_t reason)
{
	static const char *const names[] = {
		"NO_MATCH", "APPLY_ACTION", "INVALID_TTL", "ACTION_SET", "GROUP", "PACKET_OUT"};

	return name_of(names, TN_ARRAY_SIZE(names), reason);
}

const char *tn_removed_reason_name(uint8_t reason)
{
	static const char *const names[] = {"IDLE_TIMEOUT", "HARD_TIMEOUT", "DELETE",
		"GROUP_DELETE", "METER_DELETE", "EVICTION"};

	return name_of(names, TN_ARRAY_SIZE(names), reason);
}
