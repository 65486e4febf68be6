/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/report.h"

#include <inttypes.h>
#include <string.h>

#include "dataplane/pipeline/switch.h"
#include "tools/replay/text.h"
#include "tools/replay/trace.h"

/*
 * The report is written as it is made, an element of an array a line: a switch may have more flows
 * than anyone wants twice in memory.
 */
struct printer {
	FILE *f;
	const struct tn_engine *engine;
	struct tn_codec codec;
	bool first; /* of an array */
	bool failed;
};

static void print_key(struct printer *p, const char *key, const char *open)
{
	fprintf(p->f, ",\n \"%s\":%s", key, open);
	p->first = true;
}

static void print_element(struct printer *p, json_t *j)
{
	fputs(p->first ? "\n  " : ",\n  ", p->f);
	p->first = false;
	if (!j || json_dumpf(j, p->f, JSON_COMPACT))
		p->failed = true;
	json_decref(j);
}

static void print_member(struct printer *p, const char *key, json_t *j)
{
	print_key(p, key, " ");
	if (!j || json_dumpf(j, p->f, JSON_COMPACT | JSON_ENCODE_ANY))
		p->failed = true;
	json_decref(j);
}

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static void set(json_t *j, const char *key, uint64_t n)
{
	json_object_set_new(j, key, integer(n));
}

static void set_time(json_t *j, const char *key, uint64_t ns)
{
	char text[TN_TIME_TEXT];

	tn_text_time(text, ns);
	json_object_set_new(j, key, json_string(text));
}

static void set_port(json_t *j, const char *key, const struct tn_engine *e, uint32_t number)
{
	const struct tn_replay_port *port = tn_engine_port(e, number);

	if (port)
		json_object_set_new(j, key, json_string(port->name));
	else if (number)
		set(j, key, number);
}

static json_t *summary(const struct tn_report *r)
{
	const struct tn_engine *e = r->engine;
	const struct tn_account *a = &e->account;
	uint64_t bytes = 0;
	json_t *j = json_object();

	for (size_t i = 0; i < e->n_ports; i++)
		bytes += e->ports[i].from_capture.bytes;
	json_object_set_new(j, "complete", json_boolean(r->complete));
	set_time(j, "start", r->start_ns);
	set_time(j, "end", e->now_ns);
	set_time(j, "duration", e->now_ns - r->start_ns);
	set(j, "loops", r->loops);
	set(j, "received", a->received);
	set(j, "bytes", bytes);
	set(j, "generated", a->generated);
	set(j, "copies", a->copies);
	set(j, "sent", a->sent);
	set(j, "consumed", a->consumed);
	set(j, "dropped", a->dropped);
	set(j, "cut", e->cut);
	set(j, "late", r->late);
	return j;
}

static void print_ports(struct printer *p)
{
	print_key(p, "ports", "[");
	for (size_t i = 0; i < p->engine->n_ports; i++) {
		const struct tn_replay_port *port = &p->engine->ports[i];
		json_t *j = json_object();

		set(j, "port", port->number);
		json_object_set_new(j, "name", json_string(port->name));
		json_object_set_new(j, "type", json_string(port->model->type));
		set(j, "packetsReceived", port->rx.packets);
		set(j, "packetsSent", port->tx.packets);
		set(j, "bytesReceived", port->rx.bytes);
		set(j, "bytesSent", port->tx.bytes);
		set(j, "packetsRxDropped", port->rx_dropped.packets);
		set(j, "packetsTxDropped", port->tx_dropped.packets);
		set(j, "packetsCut", port->rx_cut);
		print_element(p, j);
	}
	fputc(']', p->f);
}

static json_t *place(const struct tn_engine *e, const struct tn_drop_row *row)
{
	json_t *j = json_object();

	set_port(j, "port", e, row->place.in_port);
	set_port(j, "outPort", e, row->place.out_port);
	if (row->place.table != TN_TABLE_ALL)
		set(j, "table", row->place.table);
	if (row->place.flow_id)
		json_object_set_new(j, "flowId", tn_trace_flow_id(row->place.flow_id));
	if (row->place.network == TN_DROPS_OTHER_NETWORKS)
		json_object_set_new(j, "network", json_string("other"));
	else if (row->place.network)
		set(j, "network", row->place.network);
	set(j, "packets", row->counter.packets);
	set(j, "bytes", row->counter.bytes);
	return j;
}

static void print_drops(struct printer *p)
{
	const struct tn_account *a = &p->engine->account;
	uint32_t row = 1;

	print_key(p, "drops", "[");
	for (unsigned reason = 0; reason < TN_DROP_COUNT; reason++) {
		json_t *places = json_array(), *j;

		for (; row < a->n_rows && a->rows[row].place.reason == reason; row++)
			json_array_append_new(places, place(p->engine, &a->rows[row]));
		if (!a->reasons[reason].packets) {
			json_decref(places);
			continue;
		}
		j = json_object();
		json_object_set_new(j, "reason", json_string(tn_drop_name((enum tn_drop)reason)));
		json_object_set_new(j, "text", json_string(tn_drop_text((enum tn_drop)reason)));
		set(j, "packets", a->reasons[reason].packets);
		set(j, "bytes", a->reasons[reason].bytes);
		json_object_set_new(j, "places", places);
		print_element(p, j);
	}
	fputc(']', p->f);
}

static void print_flow(void *ctx, const struct tn_flow_info *flow)
{
	struct printer *p = ctx;

	print_element(p, tn_flow_to_json(&p->codec, flow));
}

static void print_group(void *ctx, const struct tn_group_info *group)
{
	struct printer *p = ctx;

	print_element(p, tn_group_to_json(&p->codec, group));
}

static void print_meter(void *ctx, const struct tn_meter *meter, uint32_t reference_count)
{
	struct printer *p = ctx;

	print_element(p, tn_meter_to_json(&p->codec, meter, reference_count));
}

static void print_table(void *ctx, const struct tn_table_info *table)
{
	struct printer *p = ctx;
	char id[8];
	json_t *j = json_object();

	snprintf(id, sizeof(id), "%u", table->table_id);
	json_object_set_new(j, "tableId", json_string(id));
	set(j, "activeEntries", table->active);
	set(j, "packetsLookedUp", table->lookups);
	set(j, "packetsMatched", table->matches);
	json_object_set_new(j, "lookup", json_string(table->template_name));
	set(j, "subtables", table->n_subtables);
	print_element(p, j);
}

static void print_objects(struct printer *p)
{
	const struct tn_switch *sw = p->engine->config->sw;

	print_key(p, "tables", "[");
	tn_switch_tables(sw, print_table, p);
	fputc(']', p->f);
	print_key(p, "flows", "[");
	tn_switch_flows(sw, NULL, print_flow, p);
	fputc(']', p->f);
	print_key(p, "groups", "[");
	tn_switch_groups(sw, print_group, p);
	fputc(']', p->f);
	print_key(p, "meters", "[");
	tn_switch_meters(sw, print_meter, p);
	fputc(']', p->f);
}

static json_t *packet_in(const struct tn_engine *e, const struct tn_packet_in *p, size_t record)
{
	json_t *j = json_object();

	set(j, "record", record);
	set(j, "packet", p->packet);
	set_time(j, "time", p->time_ns);
	json_object_set_new(j, "reason", json_string(tn_packet_in_reason_name(p->reason)));
	if (p->table != TN_TABLE_ALL)
		set(j, "table", p->table);
	if (p->cookie != UINT64_MAX)
		json_object_set_new(j, "cookie", tn_trace_cookie(p->cookie));
	if (p->flow_id)
		json_object_set_new(j, "flowId", tn_trace_flow_id(p->flow_id));
	set_port(j, "inPort", e, p->in_port);
	if (p->tunnel_id)
		json_object_set_new(j, "tunnelId", tn_trace_cookie(p->tunnel_id));
	if (p->metadata)
		json_object_set_new(j, "metadata", tn_trace_cookie(p->metadata));
	set(j, "totalLen", p->total_len);
	set(j, "captured", p->len);
	return j;
}

static json_t *packet_in_count(const struct tn_packet_in_row *row)
{
	json_t *j = json_object();

	json_object_set_new(j, "reason", json_string(tn_packet_in_reason_name(row->reason)));
	if (row->table != TN_TABLE_ALL)
		set(j, "table", row->table);
	if (row->cookie != UINT64_MAX)
		json_object_set_new(j, "cookie", tn_trace_cookie(row->cookie));
	set(j, "packets", row->packets);
	return j;
}

static json_t *packet_ins(const struct tn_engine *e)
{
	const struct tn_notes *n = &e->notes;
	json_t *j = json_object(), *counts = json_array(), *first = json_array();

	for (size_t i = 0; i < n->n_rows; i++)
		json_array_append_new(counts, packet_in_count(&n->rows[i]));
	for (size_t i = 0; i < n->n_packet_ins; i++)
		json_array_append_new(first, packet_in(e, &n->packet_ins[i], i + 1));
	set(j, "total", n->all_packet_ins);
	json_object_set_new(j, "counts", counts);
	json_object_set_new(j, "first", first);
	return j;
}

static json_t *events(const struct tn_notes *n)
{
	json_t *j = json_object(), *removed = json_object();

	for (unsigned i = 0; i < TN_ARRAY_SIZE(n->removed); i++) {
		if (n->removed[i])
			set(removed, tn_removed_reason_name((uint8_t)i), n->removed[i]);
	}
	set(j, "total", n->all_events);
	json_object_set_new(j, "flowRemoved", removed);
	json_object_set(j, "first", n->events);
	return j;
}

static json_t *difference(const struct tn_diff *d)
{
	json_t *j = json_object();

	json_object_set_new(j, "config", json_string(d->engines[0]->config->path));
	json_object_set_new(j, "other", json_string(d->engines[1]->config->path));
	set(j, "packets", d->packets);
	set(j, "differing", d->differing);
	json_object_set(j, "first", d->first);
	return j;
}

bool tn_report_print(FILE *f, const struct tn_report *r)
{
	struct tn_engine *e = r->engine;
	struct printer p = {
		.f = f,
		.engine = e,
		.codec = {.dpid = e->config->doc.dpid,
			.names = e->config->doc.names,
			.with_stats = true,
			.now_ns = e->now_ns},
	};

	tn_account_sort(&e->account);
	tn_notes_sort(&e->notes);
	fprintf(f, "{\"device\": \"of:%016" PRIx64 "\"", e->config->doc.dpid);
	print_member(&p, "summary", summary(r));
	print_ports(&p);
	print_drops(&p);
	print_objects(&p);
	print_member(&p, "packetIns", packet_ins(e));
	print_member(&p, "events", events(&e->notes));
	if (r->diff)
		print_member(&p, "diff", difference(r->diff));
	fputs("}\n", f);
	return !p.failed && !ferror(f);
}
