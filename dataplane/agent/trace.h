/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a frame would meet: the same decision, executor, tunnels and underlay as a worker's, on the
 * main thread, and nothing is counted, learnt, metered or sent.
 */
#ifndef TN_AGENT_TRACE_H
#define TN_AGENT_TRACE_H

#include "dataplane/agent/agent.h"
#include "dataplane/api/messages.h"

struct tn_tracer;

/* About 400 KB. NULL: no memory. */
struct tn_tracer *tn_tracer_new(void);
void tn_tracer_free(struct tn_tracer *t);

/* What reply points to is the tracer's, until the next call. -ENOMEM. */
int tn_trace(struct tn_tracer *t, const struct tn_agent *agent, const struct tn_api_trace *request,
	struct tn_api_trace_reply *reply) TN_MUST_CHECK;

#endif
