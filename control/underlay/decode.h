/* SPDX-License-Identifier: BSD-3-Clause */
/* A message of rtnetlink as an event of the kernel's network. Pure. */
#ifndef TN_UNDERLAY_DECODE_H
#define TN_UNDERLAY_DECODE_H

#include <linux/netlink.h>

#include "control/underlay/kernel.h"

/* The event points into here. */
struct tn_decoded {
	struct tn_kernel_event event;
	struct tn_kernel_hop hops[TN_KERNEL_HOPS_MAX];
	struct tn_kernel_member members[TN_KERNEL_HOPS_MAX];
};

/*
 * False: not of our matter (another table, multicast, a type of message that is not asked for) or
 * malformed. message: of nlmsg_len bytes. Routes of the main table alone, without those that ask
 * for a type of service or a source network.
 */
bool tn_netlink_decode(struct nlmsghdr *message, struct tn_decoded *out);

#endif
