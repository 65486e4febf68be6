/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The underlay as workers have it: what a client said, and what ports of the kernel's own uplinks
 * bring along. Main thread.
 */
#ifndef TN_AGENT_OWN_UNDERLAY_H
#define TN_AGENT_OWN_UNDERLAY_H

#include "dataplane/agent/agent.h"

/* A copy in one piece, to free(). NULL: no memory. */
struct tn_underlay_config *tn_underlay_config_copy(const struct tn_underlay_config *config);

/* config and what the ports bring. NULL: no memory. */
struct tn_underlay *tn_agent_own_underlay(
	const struct tn_agent *agent, const struct tn_underlay_config *config);

#endif
