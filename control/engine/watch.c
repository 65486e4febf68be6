/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/engine/engine_private.h"

void tn_watch_init(struct tn_watch *w, uint64_t now_ns)
{
	*w = (struct tn_watch){.sequence = now_ns / 1000};
	w->dropped = w->sequence;
	w->kept = malloc(TN_WATCH_KEPT * sizeof(*w->kept));
	if (!w->kept)
		abort();
}

void tn_watch_fini(struct tn_watch *w)
{
	for (size_t i = 0; i < w->n_kept; i++)
		tn_wanted_put(w->kept[(w->first + i) % TN_WATCH_KEPT].object);
	free(w->kept);
	free(w->listeners);
	tn_unpacked_flow_fini(&w->scratch);
}

static void keep(struct tn_watch *w, const struct tn_watch_event *event, struct tn_wanted *object)
{
	struct tn_watch_kept *k;

	if (w->n_kept == TN_WATCH_KEPT) {
		k = &w->kept[w->first];
		w->dropped = k->sequence;
		tn_wanted_put(k->object);
		w->first = (w->first + 1) % TN_WATCH_KEPT;
		w->n_kept--;
	}
	k = &w->kept[(w->first + w->n_kept++) % TN_WATCH_KEPT];
	*k = (struct tn_watch_kept){
		.sequence = event->sequence,
		.time_ns = event->time_ns,
		.object = object ? tn_wanted_get(object) : NULL,
		.reason = event->reason,
		.kind = (uint8_t)event->kind,
		.connected = event->connected,
	};
}

static void drop_left(struct tn_watch *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_listeners; i++) {
		if (w->listeners[i].fn)
			w->listeners[n++] = w->listeners[i];
	}
	w->n_listeners = n;
}

void tn_watch_tell(struct tn_watch *w, const struct tn_watch_event *event, struct tn_wanted *object)
{
	struct tn_watch_event e = *event;
	struct tn_object o;
	size_t n = w->n_listeners;

	e.sequence = ++w->sequence;
	if (e.kind != TN_WATCH_PACKET_IN)
		keep(w, &e, object);
	if (!n)
		return;
	if (object) {
		tn_wanted_object(object, &w->scratch, &o);
		e.object = &o;
	}
	w->telling++;
	for (size_t i = 0; i < n; i++) {
		if (w->listeners[i].fn)
			w->listeners[i].fn(w->listeners[i].ctx, &e);
	}
	if (!--w->telling)
		drop_left(w);
}

int tn_engine_listen(struct tn_engine *e, tn_watch_fn fn, void *ctx)
{
	struct tn_watch *w = &e->watch;
	struct tn_watch_listener *v =
		realloc(w->listeners, (w->n_listeners + 1) * sizeof(*w->listeners));

	if (!v)
		return -ENOMEM;
	w->listeners = v;
	v[w->n_listeners++] = (struct tn_watch_listener){fn, ctx};
	return 0;
}

void tn_engine_unlisten(struct tn_engine *e, const void *ctx)
{
	struct tn_watch *w = &e->watch;

	for (size_t i = 0; i < w->n_listeners; i++) {
		if (w->listeners[i].ctx == ctx)
			w->listeners[i].fn = NULL;
	}
	if (!w->telling)
		drop_left(w);
}

uint64_t tn_engine_sequence(const struct tn_engine *e)
{
	return e->watch.sequence;
}

int tn_engine_replay(struct tn_engine *e, uint64_t since, tn_watch_fn fn, void *ctx)
{
	struct tn_unpacked_flow flow = {0};
	struct tn_watch *w = &e->watch;

	if (since < w->dropped || since > w->sequence)
		return -ERANGE;
	for (size_t i = 0; i < w->n_kept; i++) {
		const struct tn_watch_kept *k = &w->kept[(w->first + i) % TN_WATCH_KEPT];
		struct tn_watch_event event = {
			.sequence = k->sequence,
			.time_ns = k->time_ns,
			.kind = (enum tn_watch_event_kind)k->kind,
			.reason = k->reason,
			.connected = k->connected,
		};
		struct tn_object o;

		if (k->sequence <= since)
			continue;
		if (k->object) {
			tn_wanted_object(k->object, &flow, &o);
			event.object = &o;
		}
		fn(ctx, &event);
	}
	tn_unpacked_flow_fini(&flow);
	return 0;
}
