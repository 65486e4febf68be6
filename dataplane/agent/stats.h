/* SPDX-License-Identifier: BSD-3-Clause */
/* What workers and ports did, as JSON. */
#ifndef TN_AGENT_STATS_H
#define TN_AGENT_STATS_H

#include "dataplane/agent/agent.h"

/* To options.stats_file; -1: cannot be written, said why. */
int tn_stats_write(const struct tn_agent *agent, double seconds) TN_MUST_CHECK;

#endif
