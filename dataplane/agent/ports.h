/* SPDX-License-Identifier: BSD-3-Clause */
/* The process's ports: what was asked for, their drivers, their place in the forwarding. */
#ifndef TN_AGENT_PORTS_H
#define TN_AGENT_PORTS_H

#include "dataplane/agent/agent.h"

struct tn_agent_port {
	struct tn_agent *agent;
	struct tn_port_request request;	  /* its pointers are the port's own */
	struct tn_port *driver;		  /* NULL: a tunnel */
	struct tn_shadow *shadow;	  /* NULL: none */
	bool absent;			  /* wanted, and its driver cannot be made now */
	bool told;			  /* its descriptors tell workers of all that comes */
	int link_fd;			  /* in the agent's loop; -1: nothing tells of its link */
	uint64_t retry_ns, retry_wait_ns; /* absent: when to try next, how long after that */
	uint32_t state;			  /* enum tn_port_state as the switch was told */
	/* Counts that workers had at this index before it was this port's. */
	struct tn_worker_port_stats base;
};

/*
 * A port whose driver cannot be made now keeps its number and name, with its link down, and is
 * tried again from time to time. As tn_agent_port_add().
 */
int tn_agent_port_add_absent(struct tn_agent *agent, const struct tn_port_request *request,
	struct tn_error *err) TN_MUST_CHECK;

/* No worker runs any more. */
void tn_agent_ports_free(struct tn_agent *agent);

/* The vxlan ports as tunnels; -errno with err: two would take the same packets. */
int tn_agent_ports_tunnels(
	const struct tn_agent *agent, struct tn_tunnels **tunnels, struct tn_error *err);

/*
 * Absent ports, drivers' calls and the state of links. True: the switch has a new version. Links
 * that tell of their changes are looked at when they do; due: when the others, or drivers, want
 * this call next, UINT64_MAX: never.
 */
bool tn_agent_ports_maintain(struct tn_agent *agent);
uint64_t tn_agent_ports_due(const struct tn_agent *agent);

/* Fills the ports of a forwarding and spreads their queues. -ENOMEM. */
int tn_agent_ports_forwarding(const struct tn_agent *agent, struct tn_agent_forwarding *f);

#endif
