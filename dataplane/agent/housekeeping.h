/* SPDX-License-Identifier: BSD-3-Clause */
/* The main thread's regular work: what workers tell, timeouts, links, packet-ins, memory. */
#ifndef TN_AGENT_HOUSEKEEPING_H
#define TN_AGENT_HOUSEKEEPING_H

#include "dataplane/agent/agent.h"

/* Timers and descriptors into the agent's loop. -errno. */
int tn_housekeeping_start(struct tn_agent *agent) TN_MUST_CHECK;
/* Before the loop goes on without the agent. */
void tn_housekeeping_stop(struct tn_agent *agent);

/* What waits in the workers' event rings goes to the switch. */
void tn_housekeeping_drain(struct tn_agent *agent);

#endif
