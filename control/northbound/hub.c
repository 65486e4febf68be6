/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/hub.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "control/model/json_reader.h"
#include "control/northbound/object.h"
#include "control/northbound/service.h"

#define PART_BYTES 32768u /* of a watcher's answer, made at a time */
#define LINES_MIN  256u

/* Classes of events that watchers choose among: kinds of objects, and two more. */
#define CLASS_PACKET_IN 0u
#define CLASS_DATAPLANE TN_N_KINDS
#define N_CLASSES	(TN_N_KINDS + 1u)

struct line {
	uint64_t sequence;
	uint32_t tenant, n;
	int16_t table; /* of a flow; -1 */
	uint8_t class;
	char *text; /* without newline */
};

struct tn_watcher {
	struct tn_watcher *next, *next_waiting;
	bool waits;
	struct tn_call *call;
	struct tn_hub_choice choice;
	uint64_t at;		  /* position in the log */
	uint64_t seen[N_CLASSES]; /* lines before `at`, by class */
	uint64_t heard_ns;	  /* when something was last added for it */
	bool beats;		  /* a heartbeat is due */
	struct tn_text replay;	  /* what it missed before it came back */
	/* What there is, kind by kind. */
	enum tn_kind initial; /* TN_N_KINDS: done */
	uint64_t after;
	bool from_start, synced;
	uint64_t synced_at; /* sequence that INITIAL lines are at least as new as */
	struct tn_text *out;
	bool full;
};

struct tn_hub {
	struct tn_service *service;
	struct tn_watcher *watchers, *waiting;
	size_t n_watchers;
	struct line *lines; /* a ring; position p is lines[p % room] */
	uint64_t first, end;
	size_t room;
	uint64_t bytes;
	uint64_t dropped[N_CLASSES]; /* lines before `first`, by class */
	bool listens;
};

struct tn_hub *tn_hub_new(struct tn_service *s)
{
	struct tn_hub *hub = calloc(1, sizeof(*hub));

	if (!hub)
		abort();
	hub->service = s;
	return hub;
}

static void drop_first(struct tn_hub *hub)
{
	struct line *l = &hub->lines[hub->first++ % hub->room];

	hub->bytes -= l->n;
	hub->dropped[l->class]++;
	free(l->text);
}

static void stop_listening(struct tn_hub *hub)
{
	if (hub->listens)
		tn_engine_unlisten(hub->service->engine, hub);
	hub->listens = false;
	while (hub->first < hub->end)
		drop_first(hub);
	free(hub->lines);
	hub->lines = NULL;
	hub->room = 0;
}

void tn_hub_free(struct tn_hub *hub)
{
	if (!hub)
		return;
	stop_listening(hub);
	free(hub);
}

size_t tn_hub_watchers(const struct tn_hub *hub)
{
	return hub->n_watchers;
}

/* Lines. */

static void put_time(struct tn_text *t, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	tn_text_printf(t, "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		(unsigned)(ns % 1000000000u / 1000000u));
}

static const char *class_name(unsigned class)
{
	if (class == CLASS_PACKET_IN)
		return "packet-in";
	return class == CLASS_DATAPLANE ? "dataplane" : tn_kind_name((enum tn_kind) class);
}

static const char *reason_name(unsigned reason)
{
	static const char *const names[] = {
		[TN_PACKET_IN_NO_MATCH] = "NO_MATCH",
		[TN_PACKET_IN_APPLY_ACTION] = "APPLY_ACTION",
		[TN_PACKET_IN_INVALID_TTL] = "INVALID_TTL",
		[TN_PACKET_IN_ACTION_SET] = "ACTION_SET",
		[TN_PACKET_IN_GROUP] = "GROUP",
		[TN_PACKET_IN_PACKET_OUT] = "PACKET_OUT",
	};

	return reason < TN_ARRAY_SIZE(names) ? names[reason] : "UNKNOWN";
}

static void put_packet_in(struct tn_text *t, const struct tn_api_packet_in *p)
{
	static const char digits[] = "0123456789abcdef";
	json_t *o = json_object();
	char id[24];
	char *at;

	json_object_set_new(o, "reason", json_string(reason_name(p->reason)));
	json_object_set_new(o, "inPort", tn_json_from_port_number(p->in_port));
	if (p->in_phy_port && p->in_phy_port != p->in_port)
		json_object_set_new(o, "inPhyPort", tn_json_from_port_number(p->in_phy_port));
	json_object_set_new(o, "tableId", json_integer(p->table_id));
	json_object_set_new(o, "cookie", tn_json_from_u64(p->cookie));
	snprintf(id, sizeof(id), "%" PRId64, (int64_t)p->flow_id);
	json_object_set_new(o, "flowId", json_string(id));
	if (p->metadata)
		json_object_set_new(o, "metadata", tn_json_from_u64(p->metadata));
	if (p->tunnel_id)
		json_object_set_new(o, "tunnelId", tn_json_from_u64(p->tunnel_id));
	json_object_set_new(o, "totalLen", json_integer(p->total_len));
	tn_text_json(t, o);
	t->n--; /* the closing brace */
	tn_text_puts(t, ",\"frame\":\"");
	at = tn_text_reserve(t, 2u * p->frame_len);
	for (uint32_t i = 0; i < p->frame_len; i++) {
		*at++ = digits[p->frame[i] >> 4];
		*at++ = digits[p->frame[i] & 15];
	}
	t->n += 2u * p->frame_len;
	tn_text_puts(t, "\"}");
}

static const char *event_name(const struct tn_watch_event *e)
{
	switch (e->kind) {
	case TN_WATCH_ADDED:
		return "ADDED";
	case TN_WATCH_MODIFIED:
		return "MODIFIED";
	case TN_WATCH_REMOVED:
		return "REMOVED";
	case TN_WATCH_PACKET_IN:
		return "PACKET_IN";
	case TN_WATCH_DATAPLANE:
		break;
	}
	return e->connected ? "CONNECTED" : "DISCONNECTED";
}

static unsigned class_of(const struct tn_watch_event *e)
{
	if (e->kind == TN_WATCH_PACKET_IN)
		return CLASS_PACKET_IN;
	if (e->kind == TN_WATCH_DATAPLANE || !e->object)
		return CLASS_DATAPLANE;
	return e->object->kind < TN_N_KINDS ? e->object->kind : CLASS_DATAPLANE;
}

static struct tn_codec codec_of(const struct tn_hub *hub)
{
	return (struct tn_codec){
		.dpid = tn_engine_dpid(hub->service->engine),
		.names = tn_engine_names(hub->service->engine),
		.now_ns = tn_service_now(),
	};
}

static void put_event(const struct tn_hub *hub, struct tn_text *t, const struct tn_watch_event *e)
{
	struct tn_codec codec = codec_of(hub);

	tn_text_printf(t, "{\"seq\":%" PRIu64 ",\"time\":\"", e->sequence);
	put_time(t, e->time_ns);
	tn_text_printf(
		t, "\",\"kind\":\"%s\",\"event\":\"%s\"", class_name(class_of(e)), event_name(e));
	if (e->reason)
		tn_text_printf(t, ",\"reason\":\"%s\"", e->reason);
	if (e->object) {
		tn_text_puts(t, ",\"object\":");
		tn_object_print(t, &codec, hub->service->engine, e->object, TN_OBJECT_WHOLE);
	} else if (e->packet_in) {
		tn_text_puts(t, ",\"object\":");
		put_packet_in(t, e->packet_in);
	}
	tn_text_puts(t, "}");
}

static bool take_tenant(void *ctx, const struct tn_object *o)
{
	*(uint32_t *)ctx = o->tenant;
	return false;
}

/* Everything of an event but its text. A packet-in is of the tenant whose flow sent it. */
static struct line line_of(const struct tn_hub *hub, const struct tn_watch_event *e)
{
	struct line l = {.sequence = e->sequence, .table = -1, .class = (uint8_t)class_of(e)};

	if (e->object) {
		l.tenant = e->object->tenant;
		if (e->object->kind == TN_KIND_FLOW)
			l.table = e->object->flow->table_id;
	} else if (e->packet_in) {
		(void)tn_engine_get(hub->service->engine, TN_KIND_FLOW, e->packet_in->flow_id,
			(struct tn_scope){0}, take_tenant, &l.tenant);
		l.table = e->packet_in->table_id;
	}
	return l;
}

static bool wants(const struct tn_hub_choice *c, const struct line *l)
{
	if (l->class == CLASS_DATAPLANE)
		return c->dataplane;
	if (c->tenant && c->tenant != l->tenant)
		return false;
	if (l->class == CLASS_PACKET_IN)
		return c->packet_in;
	return c->kinds >> l->class & 1 &&
		(c->table < 0 || l->class != TN_KIND_FLOW || c->table == l->table);
}

/* sequence 0: none to go on from. */
static void put_line(struct tn_text *out, const struct tn_hub_choice *c, uint64_t sequence,
	unsigned class, const char *text, size_t n)
{
	if (c->sse && sequence)
		tn_text_printf(out, "id: %" PRIu64 "\n", sequence);
	if (c->sse)
		tn_text_printf(out, "event: %s\ndata: ", class_name(class));
	tn_text_add(out, text, n);
	tn_text_puts(out, c->sse ? "\n\n" : "\n");
}

/* A line that stands for no event of the engine; with "seq" a client can go on from there. */
static void put_note(struct tn_text *out, const struct tn_hub_choice *c, const char *event,
	const char *member, uint64_t value)
{
	if (c->sse && strcmp(member, "seq") == 0)
		tn_text_printf(out, "id: %" PRIu64 "\n", value);
	if (c->sse)
		tn_text_printf(out, "event: %s\ndata: ", event);
	tn_text_printf(out, "{\"event\":\"%s\",\"%s\":%" PRIu64 "}%s", event, member, value,
		c->sse ? "\n\n" : "\n");
}

/* The log. */

static void grow(struct tn_hub *hub)
{
	size_t room = hub->room ? 2 * hub->room : LINES_MIN;
	struct line *lines = malloc(room * sizeof(*lines));

	if (!lines)
		abort();
	for (uint64_t p = hub->first; p < hub->end; p++)
		lines[p % room] = hub->lines[p % hub->room];
	free(hub->lines);
	hub->lines = lines;
	hub->room = room;
}

static void wake(struct tn_watcher *w)
{
	if (w->call->wake)
		w->call->wake(w->call);
}

/* Those that wait have read all before this line: they want it, or have read it as well. */
static void tell_waiting(struct tn_hub *hub, const struct line *l)
{
	struct tn_watcher **at = &hub->waiting, *w;

	while ((w = *at)) {
		if (wants(&w->choice, l)) {
			*at = w->next_waiting;
			w->waits = false;
			wake(w);
			continue;
		}
		w->at = hub->end;
		w->seen[l->class]++;
		w->synced_at = l->sequence;
		at = &w->next_waiting;
	}
}

static void on_event(void *ctx, const struct tn_watch_event *e)
{
	struct tn_text text = {0};
	struct tn_hub *hub = ctx;
	struct line l = line_of(hub, e);

	put_event(hub, &text, e);
	l.text = text.p;
	l.n = (uint32_t)text.n;
	if (hub->end - hub->first == hub->room)
		grow(hub);
	hub->lines[hub->end++ % hub->room] = l;
	hub->bytes += l.n;
	while (hub->bytes > hub->service->limits.watch_bytes && hub->first + 1 < hub->end)
		drop_first(hub);
	tell_waiting(hub, &l);
}

/* Watchers. */

static bool listen_if_first(struct tn_hub *hub)
{
	if (!hub->listens && tn_engine_listen(hub->service->engine, on_event, hub))
		return false;
	hub->listens = true;
	return true;
}

struct replay {
	struct tn_hub *hub;
	struct tn_watcher *watcher;
};

static void on_replayed(void *ctx, const struct tn_watch_event *e)
{
	struct replay *r = ctx;
	struct line l = line_of(r->hub, e);
	struct tn_text text = {0};

	if (!wants(&r->watcher->choice, &l))
		return;
	put_event(r->hub, &text, e);
	put_line(&r->watcher->replay, &r->watcher->choice, l.sequence, l.class, text.p, text.n);
	tn_text_fini(&text);
}

static void free_watcher(struct tn_watcher *w)
{
	tn_text_fini(&w->replay);
	free(w);
}

struct tn_watcher *tn_hub_join(
	struct tn_hub *hub, struct tn_call *c, const struct tn_hub_choice *choice, int *rc)
{
	struct tn_watcher *w = calloc(1, sizeof(*w));
	struct replay replay = {hub, w};

	*rc = -EBUSY;
	if (!w)
		abort();
	if (hub->n_watchers >= hub->service->limits.watchers || !listen_if_first(hub))
		goto refused;
	w->call = c;
	w->choice = *choice;
	w->initial = choice->initial ? TN_KIND_FLOW : TN_N_KINDS;
	w->from_start = true;
	w->synced_at = tn_engine_sequence(hub->service->engine);
	w->at = hub->end;
	w->heard_ns = tn_service_monotonic();
	for (uint64_t p = hub->first; p < hub->end; p++)
		w->seen[hub->lines[p % hub->room].class]++;
	for (unsigned i = 0; i < N_CLASSES; i++)
		w->seen[i] += hub->dropped[i];
	if (choice->resumes) {
		*rc = tn_engine_replay(hub->service->engine, choice->since, on_replayed, &replay);
		if (*rc)
			goto refused;
	}
	w->next = hub->watchers;
	hub->watchers = w;
	hub->n_watchers++;
	*rc = 0;
	return w;
refused:
	free_watcher(w);
	if (!hub->n_watchers)
		stop_listening(hub);
	return NULL;
}

void tn_hub_leave(struct tn_hub *hub, struct tn_watcher *w)
{
	struct tn_watcher **at = &hub->watchers;

	while (*at && *at != w)
		at = &(*at)->next;
	if (*at)
		*at = w->next;
	for (at = &hub->waiting; *at && *at != w;)
		at = &(*at)->next_waiting;
	if (*at)
		*at = w->next_waiting;
	free_watcher(w);
	if (!--hub->n_watchers)
		stop_listening(hub);
}

void tn_hub_tick(struct tn_hub *hub)
{
	uint64_t now = tn_service_monotonic();
	uint64_t pause = hub->service->limits.heartbeat_seconds * UINT64_C(1000000000);
	struct tn_watcher **at = &hub->waiting, *w;

	while ((w = *at)) {
		if (now - w->heard_ns < pause) {
			at = &w->next_waiting;
			continue;
		}
		*at = w->next_waiting;
		w->waits = false;
		w->beats = true;
		wake(w);
	}
}

/* What there is. */

static bool put_initial(void *ctx, const struct tn_object *o)
{
	struct tn_watcher *w = ctx;
	struct tn_hub *hub = w->call->service->hub;
	struct tn_codec codec;
	struct tn_text t = {0};

	if (w->out->n > PART_BYTES) {
		w->full = true;
		return false;
	}
	w->after = o->id;
	w->from_start = false;
	if (o->kind == TN_KIND_FLOW && w->choice.table >= 0 && o->flow->table_id != w->choice.table)
		return true;
	codec = codec_of(hub);
	tn_text_printf(&t, "{\"seq\":%" PRIu64 ",\"time\":\"", w->synced_at);
	put_time(&t, codec.now_ns);
	tn_text_printf(
		&t, "\",\"kind\":\"%s\",\"event\":\"INITIAL\",\"object\":", tn_kind_name(o->kind));
	tn_object_print(&t, &codec, hub->service->engine, o, TN_OBJECT_WHOLE);
	tn_text_puts(&t, "}");
	/* Who comes back in the middle of these has to read them again. */
	put_line(w->out, &w->choice, 0, o->kind, t.p, t.n);
	tn_text_fini(&t);
	return true;
}

static void put_initials(struct tn_watcher *w, struct tn_text *out)
{
	w->out = out;
	while (w->initial < TN_N_KINDS && out->n <= PART_BYTES) {
		w->full = false;
		if (w->choice.kinds >> w->initial & 1)
			tn_engine_scan(w->call->service->engine, w->initial,
				(struct tn_scope){w->choice.tenant}, w->after, w->from_start,
				put_initial, w);
		if (w->full)
			return;
		w->initial++;
		w->after = 0;
		w->from_start = true;
	}
}

/* What came since. */

static void put_lost(struct tn_hub *hub, struct tn_watcher *w, struct tn_text *out)
{
	uint64_t lost = 0;

	for (unsigned i = 0; i < N_CLASSES; i++) {
		bool chosen = i == CLASS_PACKET_IN ? w->choice.packet_in
			: i == CLASS_DATAPLANE	   ? w->choice.dataplane
						   : w->choice.kinds >> i & 1;

		lost += chosen ? hub->dropped[i] - w->seen[i] : 0;
		w->seen[i] = hub->dropped[i];
	}
	w->at = hub->first;
	if (!lost)
		return;
	put_note(out, &w->choice, "PAUSED", "seq", w->synced_at);
	put_note(out, &w->choice, "RESUMED", "lost", lost);
}

static void put_lines(struct tn_hub *hub, struct tn_watcher *w, struct tn_text *out)
{
	if (w->at < hub->first)
		put_lost(hub, w, out);
	for (; w->at < hub->end && out->n <= PART_BYTES; w->at++) {
		const struct line *l = &hub->lines[w->at % hub->room];

		w->seen[l->class]++;
		w->synced_at = l->sequence;
		if (wants(&w->choice, l))
			put_line(out, &w->choice, l->sequence, l->class, l->text, l->n);
	}
}

static void wait_for_more(struct tn_hub *hub, struct tn_watcher *w)
{
	if (w->waits)
		return;
	w->waits = true;
	w->next_waiting = hub->waiting;
	hub->waiting = w;
}

enum tn_produced tn_hub_produce(struct tn_watcher *w, struct tn_text *out)
{
	struct tn_hub *hub = w->call->service->hub;

	if (w->replay.n) {
		tn_text_add(out, w->replay.p, w->replay.n);
		tn_text_fini(&w->replay);
	}
	put_initials(w, out);
	if (w->initial == TN_N_KINDS && !w->synced && out->n <= PART_BYTES) {
		put_note(out, &w->choice, "SYNCED", "seq", w->synced_at);
		w->synced = true;
	}
	if (w->synced)
		put_lines(hub, w, out);
	if (!out->n && w->beats)
		put_note(out, &w->choice, "HEARTBEAT", "seq", w->synced_at);
	w->beats = false;
	if (out->n) {
		w->heard_ns = tn_service_monotonic();
		return TN_PRODUCED_MORE;
	}
	wait_for_more(hub, w);
	return TN_PRODUCED_WAIT;
}
