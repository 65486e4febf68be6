/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/punt.h"

#include <string.h>
#include <unistd.h>

#define NS_PER_PUNT (1000000000u / TN_PUNT_RATE)
#define BURST_NS    ((uint64_t)TN_PUNT_BURST * NS_PER_PUNT)
/* Of one worker in one go, so that the main thread does other work too. */
#define A_GO 256u

/* A packet-in costs its share of a second; up to a burst may be owed. */
static bool pay(struct tn_punt_budget *b, uint64_t now_ns)
{
	if (b->paid_until_ns < now_ns)
		b->paid_until_ns = now_ns;
	if (b->paid_until_ns - now_ns + NS_PER_PUNT > BURST_NS)
		return false;
	b->paid_until_ns += NS_PER_PUNT;
	return true;
}

static void ring_bell(const struct tn_agent *agent)
{
	const uint64_t one = 1;

	(void)!write(agent->punt_fd, &one, sizeof(one));
}

bool tn_punt_packet_in(void *ctx, const struct tn_view *view, const struct tn_op *op,
	uint8_t reason, uint16_t max_len)
{
	struct tn_worker_thread *t = ctx;
	bool whole = max_len == TN_CONTROLLER_MAX_LEN_WHOLE;
	uint32_t len = !whole && max_len < view->len ? max_len : view->len;
	bool by_action = op->type == TN_OP_CONTROLLER;
	uint32_t phy_port = t->rx_index == TN_WORKER_CONTROLLER
		? TN_PORT_CONTROLLER
		: t->forwarding->fwd.ports[t->rx_index].number;
	struct tn_punt *p;

	if (!__atomic_load_n(&t->agent->punts_wanted, __ATOMIC_RELAXED)) {
		t->packet_ins++;
		return true;
	}
	if (!pay(&t->budgets[t->rx_index], t->now_ns))
		return false;
	p = tn_byte_ring_reserve(t->punts, (uint32_t)sizeof(*p) + len);
	if (!p)
		return false;
	*p = (struct tn_punt){
		.time_ns = t->now_ns,
		.cookie = by_action ? op->controller.cookie : UINT64_MAX,
		.metadata = by_action ? op->controller.metadata : 0,
		.tunnel_id = by_action ? op->controller.tunnel_id : 0,
		.flow_id = op->flow_id,
		.in_port = by_action ? op->controller.in_port : phy_port,
		.in_phy_port = phy_port,
		.len = len,
		.total_len = view->wire_len,
		.reason = reason,
		.table = op->table,
	};
	memcpy(p->frame, view->data, len);
	tn_byte_ring_commit(t->punts);
	t->packet_ins++;
	if (!__atomic_exchange_n(&t->agent->bell_rung, true, __ATOMIC_SEQ_CST))
		ring_bell(t->agent);
	return true;
}

void tn_punt_deliver(struct tn_agent *agent)
{
	bool more = false;

	__atomic_store_n(&agent->bell_rung, false, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < agent->n_workers; i++) {
		struct tn_byte_ring *ring = agent->workers[i].punts;
		const struct tn_punt *p;
		unsigned n = 0;
		uint32_t len;

		while (n < A_GO && (p = tn_byte_ring_peek(ring, &len))) {
			if (agent->packet_in)
				agent->packet_in(agent->packet_in_ctx, p);
			tn_byte_ring_pop(ring);
			n++;
		}
		more |= n == A_GO;
	}
	if (more && !__atomic_exchange_n(&agent->bell_rung, true, __ATOMIC_SEQ_CST))
		ring_bell(agent);
}
