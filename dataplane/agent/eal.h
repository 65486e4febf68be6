/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's environment: memory, cores, buses. Once a process. */
#ifndef TN_AGENT_EAL_H
#define TN_AGENT_EAL_H

#include "dataplane/agent/options.h"
#include "dataplane/core/error.h"
#include "dataplane/port/dpdk_buffer.h"

/*
 * Starts it: the main thread on the cores that no worker has, hugepages where they are free.
 * pci: look for devices of that bus. -1: said why.
 */
int tn_eal_start(const struct tn_agent_options *options, bool pci) TN_MUST_CHECK;
void tn_eal_stop(void);

/* Packet buffers in the memory that the options give; the caller frees the pools. -1 with err. */
int tn_eal_buffers(const struct tn_agent_options *options, struct tn_dpdk_buffers *buffers,
	struct tn_error *err) TN_MUST_CHECK;

#endif
