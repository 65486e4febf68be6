/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The main thread's other work: what workers tell, timeouts, links, packet-ins, memory. Each is
 * done when it is due, and not looked for: a process in which nothing happens does nothing. Main
 * thread.
 */
#ifndef TN_AGENT_HOUSEKEEPING_H
#define TN_AGENT_HOUSEKEEPING_H

#include "dataplane/agent/agent.h"

struct tn_housekeeping;

/* agent->housekeeping, which workers tell already and does nothing yet. -errno; free in any case.
 */
int tn_housekeeping_new(struct tn_agent *agent) TN_MUST_CHECK;
/* Into the agent's loop. -errno. */
int tn_housekeeping_start(struct tn_agent *agent) TN_MUST_CHECK;
/* Before the loop goes on without the agent. */
void tn_housekeeping_stop(struct tn_agent *agent);
void tn_housekeeping_free(struct tn_agent *agent);

/* What waits in the workers' event rings goes to the switch. */
void tn_housekeeping_drain(struct tn_agent *agent);

/* The same and all that hangs on it, within some 20 ms: there is something for it. */
void tn_housekeeping_soon(struct tn_agent *agent);
/* The switch has a new version, which is published when this round of the loop ends. */
void tn_housekeeping_publish_soon(struct tn_agent *agent);

/* Any thread: there is something for the main thread in a ring. At most once for each drain. */
void tn_housekeeping_tell(struct tn_agent *agent);

#endif
