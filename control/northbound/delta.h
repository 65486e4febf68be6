/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters of ports as they were some seconds ago: what statistics/delta/ports counts from. */
#ifndef TN_NORTHBOUND_DELTA_H
#define TN_NORTHBOUND_DELTA_H

#include "dataplane/api/messages.h"

struct tn_delta_port {
	uint32_t number;
	struct tn_counter rx, tx;
	uint64_t rx_dropped, tx_dropped, rx_errors, tx_errors;
};

struct tn_delta {
	struct tn_delta_port *ports; /* by number */
	size_t n;
	uint64_t taken_ns; /* 0: never */
};

void tn_delta_fini(struct tn_delta *d);
/* NULL: the port was not there. */
const struct tn_delta_port *tn_delta_find(const struct tn_delta *d, uint32_t number);
/* As it is now, summed up the way ONOS has it. */
struct tn_delta_port tn_delta_port_of(const struct tn_api_port_info *port);
/* Takes over an array in order of the numbers. */
void tn_delta_take(struct tn_delta *d, struct tn_delta_port *ports, size_t n, uint64_t now_ns);

#endif
