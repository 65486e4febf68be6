/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/engine_private.h"

#include <stdlib.h>

struct tn_trace_wait {
	struct tn_trace_wait *next, **pprev;
	tn_trace_fn fn; /* NULL: nobody waits any more */
	void *ctx;
};

static void on_reply(void *ctx, const struct tn_api_message *answer, const struct tn_error *err)
{
	struct tn_trace_wait *w = ctx;
	struct tn_error lost;

	(void)tn_error_set(&lost, TN_OF_OK, -1,
		"the data plane went away before it answered; try again when it is back");
	*w->pprev = w->next;
	if (w->next)
		w->next->pprev = w->pprev;
	if (w->fn)
		w->fn(w->ctx, err ? NULL : &answer->trace_reply, err && !answer ? &lost : err);
	free(w);
}

void tn_engine_trace(
	struct tn_engine *e, const struct tn_api_trace *trace, tn_trace_fn fn, void *ctx)
{
	const struct tn_api_message msg = {.type = TN_API_TRACE, .trace = *trace};
	struct tn_trace_wait *w;
	struct tn_error err;

	(void)tn_error_set(&err, TN_OF_OK, -1,
		"the data plane is away, and only it can tell; try again when it is back");
	w = calloc(1, sizeof(*w));
	if (!w)
		abort();
	w->fn = fn;
	w->ctx = ctx;
	if (!e->link.client || tn_api_async_send(e->link.client, &msg, on_reply, w, &err)) {
		free(w);
		fn(ctx, NULL, &err);
		return;
	}
	w->next = e->traces;
	w->pprev = &e->traces;
	if (w->next)
		w->next->pprev = &w->next;
	e->traces = w;
	tn_engine_wake(e);
}

void tn_trace_forget(struct tn_engine *e, const void *ctx)
{
	for (struct tn_trace_wait *w = e->traces; w; w = w->next) {
		if (w->ctx == ctx)
			w->fn = NULL;
	}
}
