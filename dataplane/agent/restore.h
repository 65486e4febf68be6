/* SPDX-License-Identifier: BSD-3-Clause */
/* From what a state folder holds to an agent: flows are in its switch already, devices are not. */
#ifndef TN_AGENT_RESTORE_H
#define TN_AGENT_RESTORE_H

#include "dataplane/agent/agent.h"
#include "dataplane/agent/state.h"

/* A PORT_ADD as the agent takes it. */
int tn_restore_port_add(struct tn_agent *agent, const struct tn_api_port *port, bool absent,
	struct tn_error *err) TN_MUST_CHECK;

/*
 * Underlay and ports. A port that cannot be made now is kept as absent, and said. What cannot be
 * done at all is said, too.
 */
void tn_restore_agent(struct tn_agent *agent, const struct tn_state *s);

/* Does a port need a device of the PCI bus, or another network namespace? */
void tn_restore_wants(const struct tn_state *s, bool *pci, bool *namespaces);

#endif
