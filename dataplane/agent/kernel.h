/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's sessions, from the side of the agent: what workers decided for packets of kernel
 * ports is put into the kernel, told when it is no longer right, and counted back.
 *
 * Workers call tn_kernel_decided(); all else is the main thread's.
 */
#ifndef TN_AGENT_KERNEL_H
#define TN_AGENT_KERNEL_H

#include "dataplane/agent/agent.h"

struct tn_kernel;

/* Loads the programs when the first port asks for them. NULL with err. */
struct tn_ebpf *tn_agent_ebpf(struct tn_agent *agent, struct tn_error *err);
/*
 * All ports of the start are there, workers begin: what a process before this one left ends, but
 * for what they took over.
 */
void tn_kernel_start(struct tn_agent *agent);
/* No worker runs any more. With a state folder, what the kernel has stays, for the next process. */
void tn_kernel_leave(struct tn_agent *agent);
void tn_kernel_free(struct tn_kernel *k);
/* Takes all of it off the machine that processes with that state folder left. -errno with err. */
int tn_kernel_detach(const char *state_dir, struct tn_error *err) TN_MUST_CHECK;

/*
 * Workers have left what was before this version: from the return of this on, no packet is handled
 * by an older decision in the kernel either.
 */
void tn_kernel_publish(struct tn_agent *agent);

/*
 * A worker's: a session for packets like the one that it has just decided on. false: the kernel
 * cannot do what was decided, whatever the packet.
 */
bool tn_kernel_decided(void *ctx, unsigned port_index, const struct tn_decision *decision);

/* What workers decided since, into the kernel. */
void tn_kernel_drain(struct tn_agent *agent);
/* Counts of the kernel's sessions, to flows and ports; those that rest or are stale go. */
void tn_kernel_sweep(struct tn_agent *agent);
/* Is there anything that is to be swept once a second? */
bool tn_kernel_wants_sweep(const struct tn_agent *agent);
struct tn_kernel_stats {
	uint64_t sessions; /* there are */
	uint64_t no_room;  /* found the kernel's table full: their packets go by the workers */
	uint64_t hits, misses, unusual, to_workers; /* packets, as enum tn_ebpf_counter tells */
};

/* Since this process began. false: no port is the kernel's. */
bool tn_kernel_stats(const struct tn_agent *agent, struct tn_kernel_stats *stats);
/* Adds what the kernel counted for a port. */
void tn_kernel_port_stats(
	const struct tn_agent *agent, unsigned index, struct tn_worker_port_stats *stats);
/* What it dropped, by network; NULL: there is no kernel. */
const struct tn_network_drops *tn_kernel_network_drops(const struct tn_agent *agent);

#endif
