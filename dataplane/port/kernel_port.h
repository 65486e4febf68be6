/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel ports: an interface of the kernel (the host's end of a container's veth, a NIC) whose
 * known sessions the kernel handles itself, by the programs of ebpf/. Everything else comes up by a
 * TAP of the port's own and goes back down by it; frames stay as large and as unfinished as they
 * are.
 *
 * The interface keeps its programs when the process leaves them (tn_ebpf_leave): sessions go on.
 * Frames without one are lost then, until a port takes the interface over again.
 */
#ifndef TN_PORT_KERNEL_PORT_H
#define TN_PORT_KERNEL_PORT_H

#include "dataplane/core/error.h"
#include "dataplane/fastpath/port.h"
#include "dataplane/port/port_factory.h"
#include "ebpf/loader.h"

struct tn_kernel_port_config {
	uint32_t number;
	const char *ifname;
	bool is_pair; /* a veth: sessions end behind it, not at it, where that can be */
	uint16_t n_tx_queues;
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;
	struct tn_ebpf *ebpf;
};

/* NULL with err. */
struct tn_port *tn_kernel_port_new(
	const struct tn_kernel_port_config *config, struct tn_error *err);

/* Does it need the kernel's programs? "datapath": "ebpf"; a NIC and a kernel's underlay always. */
bool tn_kernel_port_wanted(const struct tn_port_spec *spec);
/* From options, for the kinds that may have that datapath. NULL with err. */
struct tn_port *tn_kernel_port_make(const struct tn_port_spec *spec,
	const struct tn_port_resources *resources, struct tn_error *err);
/* "nic": an interface of the kernel that is no veth. */
extern const struct tn_port_kind tn_nic_port_kind;

/* Is it one? Then where the kernel's sessions send to: its interface. Any thread. */
bool tn_kernel_port_way(const struct tn_port *port, uint32_t *ifindex);
/* Of one: to the other end of it, which is in a namespace of its own. Main thread. */
bool tn_kernel_port_has_peer(const struct tn_port *port);

#endif
