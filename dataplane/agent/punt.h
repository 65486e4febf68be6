/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet-ins from workers to the main thread: a budget a port at each worker, then a bounded ring.
 * Who floods the controller from one port takes nothing from the others.
 */
#ifndef TN_AGENT_PUNT_H
#define TN_AGENT_PUNT_H

#include "dataplane/agent/agent.h"

/* Of one port at one worker: packet-ins a second, and in one go. */
#define TN_PUNT_RATE  4096u
#define TN_PUNT_BURST 512u
/* What waits, a worker. */
#define TN_PUNT_BYTES (1u << 20)

/* struct tn_worker_events.packet_in; ctx: struct tn_worker_thread. */
bool tn_punt_packet_in(void *ctx, const struct tn_view *view, const struct tn_op *op,
	uint8_t reason, uint16_t max_len);

/* Main thread: hands what waits to agent->packet_in. */
void tn_punt_deliver(struct tn_agent *agent);

#endif
