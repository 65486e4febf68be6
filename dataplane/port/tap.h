/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TAP ports: an interface of the kernel whose other end is the switch.
 *
 * Offloads are off (TUNSETOFFLOAD 0, no IFF_VNET_HDR): the kernel hands over whole frames with
 * their checksums in them and no longer than the MTU, which may go out of any port, and checks
 * those it gets. Carrying offloads across would save the kernel work on a path that two system
 * calls a frame make slow anyway.
 *
 * The interface goes with the process, however that ends, unless someone made it persistent before.
 *
 * Options: "interface" (default: the port's name), "netns", "mac", "queues".
 */
#ifndef TN_PORT_TAP_H
#define TN_PORT_TAP_H

#include "dataplane/core/error.h"
#include "dataplane/fastpath/port.h"
#include "dataplane/port/port_factory.h"

struct tn_tap_config {
	const char *ifname;
	const char *netns;	  /* NULL: this one; see netns.h */
	const struct tn_mac *mac; /* of the kernel's side; NULL: its own */
	uint32_t mtu;		  /* 0: leave it */
	uint16_t n_rx_queues;	  /* 0: 1 */
	uint16_t n_tx_queues;	  /* any number: they share the descriptors */
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;
};

/* Makes the interface and takes it up. NULL with err. */
struct tn_port *tn_tap_port_new(const struct tn_tap_config *config, struct tn_error *err);

extern const struct tn_port_kind tn_tap_port_kind;

#endif
