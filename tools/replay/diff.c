/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/diff.h"

#include <string.h>

#include "tools/replay/text.h"

void tn_diff_init(struct tn_diff *d, struct tn_engine *a, struct tn_engine *b)
{
	memset(d, 0, sizeof(*d));
	d->engines[0] = a;
	d->engines[1] = b;
	d->first = json_array();
	for (unsigned i = 0; i < 2; i++) {
		tn_fate_init(&d->fates[i]);
		d->engines[i]->fate = &d->fates[i];
	}
}

void tn_diff_fini(struct tn_diff *d)
{
	for (unsigned i = 0; i < 2; i++) {
		if (d->engines[i])
			d->engines[i]->fate = NULL;
		tn_fate_fini(&d->fates[i]);
	}
	json_decref(d->first);
}

/* Where two frames differ first; the shorter one's end where it does not before. */
static uint32_t first_difference(const struct tn_fate *a, const struct tn_fate_end *x,
	const struct tn_fate *b, const struct tn_fate_end *y)
{
	uint32_t n = x->len < y->len ? x->len : y->len;
	uint32_t i = 0;

	while (i < n && a->bytes[x->bytes + i] == b->bytes[y->bytes + i])
		i++;
	return i;
}

static void print_end(FILE *f, const struct tn_fate_end *end)
{
	char address[TN_ADDRESS_TEXT];

	switch (end->kind) {
	case TN_FATE_SENT:
		fputs("sent ", f);
		tn_text_print_name(f, end->port->name);
		fprintf(f, " (%u bytes", end->wire_len);
		if (end->tunnelled) {
			tn_text_address(address, end->remote);
			fprintf(f, ", VNI %u to %s", end->vni, address);
		}
		fputc(')', f);
		return;
	case TN_FATE_CONSUMED:
		fprintf(f, "packet-in %s (%u bytes)", tn_packet_in_reason_name(end->reason),
			end->wire_len);
		return;
	case TN_FATE_DROPPED:
		fprintf(f, "dropped %s", tn_drop_name((enum tn_drop)end->reason));
		if (end->table != TN_TABLE_ALL)
			fprintf(f, " (table %u)", end->table);
		if (end->port) {
			fputs(" at ", f);
			tn_text_print_name(f, end->port->name);
		}
		return;
	}
}

static void print_fate(FILE *f, const struct tn_engine *e, const struct tn_fate *fate)
{
	fputs("  ", f);
	tn_text_print_name(f, e->config->path);
	fputs(": ", f);
	for (size_t i = 0; i < fate->n_ends; i++) {
		if (i)
			fputs(", ", f);
		print_end(f, &fate->ends[i]);
	}
	fputc('\n', f);
}

static void print_difference(struct tn_diff *d, const struct tn_trace_frame *frame)
{
	const struct tn_fate *a = &d->fates[0], *b = &d->fates[1];
	char time[TN_TIME_TEXT];
	FILE *f = d->list;

	tn_text_time(time, frame->time_ns);
	fprintf(f, "packet %llu at %s in ", (unsigned long long)frame->number, time);
	tn_text_print_name(f, frame->port->name);
	fprintf(f, " (%u bytes)\n", frame->wire_len);
	for (unsigned i = 0; i < 2; i++)
		print_fate(f, d->engines[i], &d->fates[i]);
	/* The lines above can look the same when only bytes inside a frame differ. */
	if (a->n_ends == 1 && b->n_ends == 1 && a->ends[0].kind == TN_FATE_SENT &&
		b->ends[0].kind == TN_FATE_SENT &&
		!strcmp(a->ends[0].port->name, b->ends[0].port->name))
		fprintf(f, "  the frames differ from byte %u on\n",
			first_difference(a, &a->ends[0], b, &b->ends[0]));
}

static json_t *difference_to_json(struct tn_diff *d, const struct tn_trace_frame *frame)
{
	static const char *const keys[] = {"config", "other"};
	json_t *j = tn_trace_frame_to_json(frame);

	for (unsigned i = 0; i < 2; i++) {
		json_t *side = json_object();

		tn_trace_fate_to_json(d->engines[i], &d->fates[i], side);
		json_object_set_new(j, keys[i], side);
	}
	return j;
}

bool tn_diff_packet(struct tn_diff *d, const struct tn_trace_frame *frame)
{
	bool ok = true;
	json_t *j;

	d->packets++;
	if (tn_fate_equal(&d->fates[0], &d->fates[1]))
		return true;
	d->differing++;
	if (d->list) {
		print_difference(d, frame);
		ok = !ferror(d->list);
	}
	if (!d->lines && json_array_size(d->first) >= TN_DIFF_MAX)
		return ok;
	j = difference_to_json(d, frame);
	if (d->lines)
		ok = tn_trace_print(d->lines, j) && ok;
	if (json_array_size(d->first) < TN_DIFF_MAX)
		json_array_append(d->first, j);
	json_decref(j);
	return ok;
}
