/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port on capture files: what comes in by it is read from one, what goes out is written to
 * another. For tests and for showing what a configuration does; a benchmark uses DPDK's net_pcap.
 * Reads the file as it goes, so memory does not grow with it.
 *
 * Options: "in", "out" (files), "loop", "paced".
 */
#ifndef TN_PORT_PCAP_PORT_H
#define TN_PORT_PCAP_PORT_H

#include "dataplane/core/error.h"
#include "dataplane/fastpath/port.h"
#include "dataplane/port/port_factory.h"

struct tn_pcap_config {
	const char *in;	 /* capture to read; NULL: nothing comes in */
	const char *out; /* capture to write; NULL: what goes out is thrown away */
	bool loop;	 /* from the start again at its end */
	bool paced;	 /* a frame no sooner after the first one than in the capture */
	uint16_t n_tx_queues;
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;
};

/*
 * NULL with err: a file cannot be opened or is no capture. A capture that turns out broken further
 * on counts as one rx_error and ends there; a frame that it holds only in part is an rx_error too.
 * The link is always up: frames may go out long after the last one came in.
 */
struct tn_port *tn_pcap_port_new(const struct tn_pcap_config *config, struct tn_error *err);

extern const struct tn_port_kind tn_pcap_port_kind;

#endif
