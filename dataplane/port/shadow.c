/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/shadow.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/port/tap.h"

#define NS_PER_SECOND 1000000000u
#define NS_PER_FRAME  (NS_PER_SECOND / TN_SHADOW_RATE)

/* One worker's. */
struct budget {
	uint64_t paid_until_ns; /* the time up to which its frames were paid for */
} __attribute__((aligned(TN_CACHE_LINE)));

struct tn_shadow {
	struct tn_port *tap;
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;
	unsigned n_workers;
	struct budget *budgets;
};

struct tn_shadow *tn_shadow_new(const struct tn_shadow_config *config, struct tn_error *err)
{
	static const struct tn_mac none;
	const struct tn_tap_config tap = {
		.ifname = config->ifname,
		.netns = config->netns,
		.mac = memcmp(&config->mac, &none, sizeof(none)) ? &config->mac : NULL,
		.mtu = config->mtu,
		.n_tx_queues = (uint16_t)config->n_workers,
		.buffers = config->buffers,
		.buffers_ctx = config->buffers_ctx,
	};
	struct tn_shadow *s = calloc(1, sizeof(*s));

	if (s) {
		s->buffers = config->buffers;
		s->buffers_ctx = config->buffers_ctx;
		s->n_workers = config->n_workers;
		s->budgets = aligned_alloc(TN_CACHE_LINE, s->n_workers * sizeof(*s->budgets));
	}
	if (!s || !s->budgets) {
		tn_shadow_free(s);
		(void)tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "no memory for a shadow");
		return NULL;
	}
	memset(s->budgets, 0, s->n_workers * sizeof(*s->budgets));
	s->tap = tn_tap_port_new(&tap, err);
	if (s->tap)
		return s;
	tn_shadow_free(s);
	return NULL;
}

void tn_shadow_free(struct tn_shadow *s)
{
	if (!s)
		return;
	if (s->tap)
		s->tap->ops->destroy(s->tap);
	free(s->budgets);
	free(s);
}

/* A frame costs its share of a second; up to a burst may be owed. */
static bool pay(struct budget *b, uint64_t now_ns)
{
	const uint64_t burst = (uint64_t)TN_SHADOW_BURST * NS_PER_FRAME;

	if (b->paid_until_ns < now_ns)
		b->paid_until_ns = now_ns;
	if (b->paid_until_ns - now_ns + NS_PER_FRAME > burst)
		return false;
	b->paid_until_ns += NS_PER_FRAME;
	return true;
}

bool tn_shadow_deliver(
	struct tn_shadow *s, unsigned worker, struct tn_packet *packet, uint64_t now_ns)
{
	if (pay(&s->budgets[worker], now_ns) && s->tap->ops->tx(s->tap, worker, packet, 1))
		return true;
	s->buffers->free(s->buffers_ctx, packet, 1);
	return false;
}

unsigned tn_shadow_poll(
	struct tn_shadow *s, struct tn_port *uplink, unsigned tx_queue, uint64_t *dropped)
{
	struct tn_packet packets[TN_BURST];
	unsigned n = s->tap->ops->rx(s->tap, 0, packets, TN_BURST);
	unsigned sent = n ? uplink->ops->tx(uplink, tx_queue, packets, n) : 0;

	if (sent < n) {
		s->buffers->free(s->buffers_ctx, packets + sent, n - sent);
		*dropped += n - sent;
	}
	return n;
}

int tn_shadow_fd(const struct tn_shadow *s)
{
	return s->tap->ops->wait_fd(s->tap, 0);
}

struct tn_port *tn_shadow_tap(struct tn_shadow *s)
{
	return s->tap;
}
