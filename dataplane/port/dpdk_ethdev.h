/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports on DPDK ethdevs: NICs by PCI address and virtual devices by devargs. Debian's DPDK holds 32
 * of them in a process; ports of virtual machines use librte_vhost instead.
 *
 * Options: "devargs" ("0000:03:00.0", "net_pcap0,rx_pcap=FILE,infinite_rx=1"), "queues" (receive
 * queues, spread over the workers by RSS; default: one a worker where the device has as many) and
 * "descriptors" (of each queue).
 */
#ifndef TN_PORT_DPDK_ETHDEV_H
#define TN_PORT_DPDK_ETHDEV_H

#include "dataplane/port/port_factory.h"

extern const struct tn_port_kind tn_dpdk_port_kind;

/* Does it name a device of the PCI bus? EAL must look for those when it starts. */
bool tn_dpdk_is_pci(const char *devargs);

#endif
