/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/summary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/ofctl.h"
#include "dataplane/pipeline/switch.h"
#include "tools/replay/text.h"

#define TOP_FLOWS    10u
#define PLACES_SHOWN 5u
#define PORTS_ALWAYS 32u /* with more of them, those without packets are left out */

static void print_head(FILE *f, const struct tn_report *r)
{
	const struct tn_engine *e = r->engine;
	char packets[TN_NUMBER_TEXT], time[TN_TIME_TEXT];

	tn_text_number(packets, e->account.received);
	tn_text_time(time, e->now_ns - r->start_ns);
	fprintf(f, "%s packets in %s s of capture time", packets, time);
	if (r->loops > 1)
		fprintf(f, ", %" PRIu64 " loops", r->loops);
	fputs(r->complete ? "\n" : ", stopped before the end of the inputs\n", f);
	if (e->cut) {
		tn_text_number(packets, e->cut);
		fprintf(f, "%s of them were cut by the capture: only their first bytes are known\n",
			packets);
	}
	if (r->late) {
		tn_text_number(packets, r->late);
		fprintf(f,
			"%s of them had a time stamp before that of the frame before; they entered "
			"at its time\n",
			packets);
	}
}

static bool is_idle(const struct tn_replay_port *port)
{
	return !port->rx.packets && !port->tx.packets && !port->rx_dropped.packets &&
		!port->tx_dropped.packets;
}

static void print_padded_name(FILE *f, const char *name, int width)
{
	tn_text_print_name(f, name);
	fprintf(f, "%*s", width - (int)strlen(name) > 0 ? width - (int)strlen(name) : 0, "");
}

static void print_ports(FILE *f, const struct tn_engine *e)
{
	char in[TN_NUMBER_TEXT], out[TN_NUMBER_TEXT], dropped[TN_NUMBER_TEXT];
	size_t idle = 0;
	int width = 4;

	for (size_t i = 0; i < e->n_ports; i++) {
		int len = (int)strlen(e->ports[i].name);

		if (len > width && len < 40)
			width = len;
	}
	fprintf(f, "\n%10s  %-*s  %-10s %13s %13s %13s\n", "number", width, "port", "type", "in",
		"out", "dropped");
	for (size_t i = 0; i < e->n_ports; i++) {
		const struct tn_replay_port *p = &e->ports[i];

		if (e->n_ports > PORTS_ALWAYS && is_idle(p)) {
			idle++;
			continue;
		}
		tn_text_number(in, p->rx.packets);
		tn_text_number(out, p->tx.packets);
		tn_text_number(dropped, p->rx_dropped.packets + p->tx_dropped.packets);
		fprintf(f, "%10u  ", p->number);
		print_padded_name(f, p->name, width);
		fprintf(f, "  %-10s %13s %13s %13s\n", p->model->type, in, out, dropped);
	}
	if (idle)
		fprintf(f, "%10s  and %zu ports without packets\n", "", idle);
}

static void print_port(FILE *f, const struct tn_engine *e, const char *word, uint32_t number)
{
	const struct tn_replay_port *port = tn_engine_port(e, number);

	if (!number)
		return;
	fprintf(f, "  %s ", word);
	if (port)
		tn_text_print_name(f, port->name);
	else
		fprintf(f, "port %u", number);
}

static void print_place(FILE *f, const struct tn_engine *e, const struct tn_drop_row *row)
{
	char packets[TN_NUMBER_TEXT];

	tn_text_number(packets, row->counter.packets);
	fprintf(f, "%26s", packets);
	print_port(f, e, "in", row->place.in_port);
	print_port(f, e, "out", row->place.out_port);
	if (row->place.table != TN_TABLE_ALL)
		fprintf(f, "  table %u", row->place.table);
	if (row->place.flow_id)
		fprintf(f, "  flow %" PRId64, (int64_t)row->place.flow_id);
	if (row->place.network && row->place.network != TN_DROPS_OTHER_NETWORKS)
		fprintf(f, "  network %u", row->place.network);
	fputc('\n', f);
}

static void print_drops(FILE *f, const struct tn_engine *e)
{
	const struct tn_account *a = &e->account;
	char packets[TN_NUMBER_TEXT];
	uint32_t row = 1;

	if (!a->dropped)
		return;
	tn_text_number(packets, a->dropped);
	fprintf(f, "\nDropped: %s\n", packets);
	for (unsigned reason = 0; reason < TN_DROP_COUNT; reason++) {
		uint32_t shown = 0, more = 0;

		if (!a->reasons[reason].packets)
			continue;
		tn_text_number(packets, a->reasons[reason].packets);
		fprintf(f, "%13s  %s: %s\n", packets, tn_drop_name((enum tn_drop)reason),
			tn_drop_text((enum tn_drop)reason));
		for (; row < a->n_rows && a->rows[row].place.reason == reason; row++) {
			if (shown < PLACES_SHOWN)
				print_place(f, e, &a->rows[row]);
			else
				more++;
			shown++;
		}
		if (more)
			fprintf(f, "%26s  and %u more places, see --report\n", "", more);
	}
}

static void print_packet_ins(FILE *f, const struct tn_notes *n)
{
	char packets[TN_NUMBER_TEXT];

	if (!n->all_packet_ins)
		return;
	tn_text_number(packets, n->all_packet_ins);
	fprintf(f, "\nTo the controller: %s\n", packets);
	for (size_t i = 0; i < n->n_rows && i < TOP_FLOWS; i++) {
		tn_text_number(packets, n->rows[i].packets);
		fprintf(f, "%13s  %s", packets, tn_packet_in_reason_name(n->rows[i].reason));
		if (n->rows[i].table != TN_TABLE_ALL)
			fprintf(f, "  table %u", n->rows[i].table);
		if (n->rows[i].cookie != UINT64_MAX)
			fprintf(f, "  cookie 0x%" PRIx64, n->rows[i].cookie);
		fputc('\n', f);
	}
}

/* The busiest flows, found in one pass. */
struct top {
	uint64_t flow_id[TOP_FLOWS];
	uint64_t packets[TOP_FLOWS];
	unsigned n;
	uint64_t used, all;
};

static void consider(void *ctx, const struct tn_flow_info *flow)
{
	struct top *top = ctx;
	unsigned i;

	top->all++;
	if (!flow->counter.packets)
		return;
	top->used++;
	if (top->n < TOP_FLOWS)
		top->n++;
	else if (flow->counter.packets <= top->packets[TOP_FLOWS - 1])
		return;
	for (i = top->n - 1; i > 0 && top->packets[i - 1] < flow->counter.packets; i--) {
		top->packets[i] = top->packets[i - 1];
		top->flow_id[i] = top->flow_id[i - 1];
	}
	top->packets[i] = flow->counter.packets;
	top->flow_id[i] = flow->flow_id;
}

struct flow_line {
	FILE *f;
	const struct tn_engine *e;
};

static void print_flow(void *ctx, const struct tn_flow_info *flow)
{
	const struct flow_line *l = ctx;
	char packets[TN_NUMBER_TEXT];
	char *text = tn_ofctl_print_flow(flow, l->e->config->doc.names, false, l->e->now_ns);

	tn_text_number(packets, flow->counter.packets);
	fprintf(l->f, "%13s  ", packets);
	if (text)
		tn_text_print_name(l->f, text);
	fputc('\n', l->f);
	free(text);
}

static void print_flows(FILE *f, const struct tn_engine *e)
{
	struct flow_line line = {.f = f, .e = e};
	struct top top = {.n = 0};
	char used[TN_NUMBER_TEXT], all[TN_NUMBER_TEXT];

	tn_switch_flows(e->config->sw, NULL, consider, &top);
	if (!top.all)
		return;
	tn_text_number(used, top.used);
	tn_text_number(all, top.all);
	fprintf(f, "\nFlows: %s of %s matched a packet%s\n", used, all,
		top.used > top.n ? "; the busiest:" : "");
	for (unsigned i = 0; i < top.n; i++)
		(void)tn_switch_flow_by_id(e->config->sw, top.flow_id[i], print_flow, &line);
}

static void print_events(FILE *f, const struct tn_notes *n)
{
	char number[TN_NUMBER_TEXT];

	for (unsigned i = 0; i < TN_ARRAY_SIZE(n->removed); i++) {
		if (!n->removed[i])
			continue;
		tn_text_number(number, n->removed[i]);
		fprintf(f, "\nFlow-removed: %s, %s\n", number, tn_removed_reason_name((uint8_t)i));
	}
}

void tn_summary_print(FILE *f, const struct tn_report *r)
{
	struct tn_engine *e = r->engine;

	tn_account_sort(&e->account);
	tn_notes_sort(&e->notes);
	print_head(f, r);
	print_ports(f, e);
	print_drops(f, e);
	print_packet_ins(f, &e->notes);
	print_flows(f, e);
	print_events(f, &e->notes);
}
