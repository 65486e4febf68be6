/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/delta.h"

#include <stdlib.h>

void tn_delta_fini(struct tn_delta *d)
{
	free(d->ports);
	*d = (struct tn_delta){0};
}

const struct tn_delta_port *tn_delta_find(const struct tn_delta *d, uint32_t number)
{
	size_t low = 0, high = d->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (d->ports[middle].number == number)
			return &d->ports[middle];
		if (d->ports[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct tn_delta_port tn_delta_port_of(const struct tn_api_port_info *p)
{
	struct tn_delta_port out = {
		.number = p->port.number,
		.rx = p->rx,
		.tx = p->tx,
		.rx_dropped = p->wire_rx_dropped,
		.rx_errors = p->wire_rx_errors,
		.tx_errors = p->wire_tx_errors,
	};

	/* What the switch dropped came in by this port. */
	for (uint32_t i = 0; i < p->n_drops; i++)
		out.rx_dropped += p->drops[i].packets;
	return out;
}

void tn_delta_take(struct tn_delta *d, struct tn_delta_port *ports, size_t n, uint64_t now_ns)
{
	free(d->ports);
	*d = (struct tn_delta){.ports = ports, .n = n, .taken_ns = now_ns};
}
