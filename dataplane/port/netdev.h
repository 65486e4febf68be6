/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What drivers ask of a kernel network interface. The handle keeps to the namespace it was opened
 * in (tn_netns_run()) and to the interface, also when that is renamed. Main thread.
 */
#ifndef TN_PORT_NETDEV_H
#define TN_PORT_NETDEV_H

#include "dataplane/core/types.h"

struct tn_netdev {
	int fd; /* of a socket in the interface's namespace; -1: closed */
	int ifindex;
	int watch_fd; /* netlink: readable when the interface changed; -1: not watched */
};

#define TN_NETDEV_NONE ((struct tn_netdev){.fd = -1, .watch_fd = -1})

/* -errno; -ENODEV: no interface has that name here. */
int tn_netdev_open(struct tn_netdev *dev, const char *name) TN_MUST_CHECK;
void tn_netdev_close(struct tn_netdev *dev);

/* -errno each. */
int tn_netdev_mac(const struct tn_netdev *dev, struct tn_mac *mac) TN_MUST_CHECK;
int tn_netdev_set_mac(const struct tn_netdev *dev, const struct tn_mac *mac) TN_MUST_CHECK;
int tn_netdev_mtu(const struct tn_netdev *dev, uint32_t *mtu) TN_MUST_CHECK;
int tn_netdev_set_mtu(const struct tn_netdev *dev, uint32_t mtu) TN_MUST_CHECK;
int tn_netdev_set_up(const struct tn_netdev *dev) TN_MUST_CHECK;
/* Receive queues in use; an interface that does not say has one. */
unsigned tn_netdev_rx_queues(const struct tn_netdev *dev);
/* Up and with a carrier; false also when the interface is gone. */
bool tn_netdev_running(const struct tn_netdev *dev);

/*
 * From here on changes of the interface are told by watch_fd (RTM_NEWLINK and RTM_DELLINK of
 * rtnetlink(7), of this interface alone). Call it in the interface's namespace. Without it the
 * interface has to be looked at; -errno says why.
 */
int tn_netdev_watch(struct tn_netdev *dev);
/*
 * Takes off watch_fd what it told: before the interface is looked at, so that a later change is
 * told again. Was there anything? Where nothing is told there may always be.
 */
bool tn_netdev_told(const struct tn_netdev *dev);
/* As struct tn_port_ops.maintain_due of a port on this interface. */
uint64_t tn_netdev_due(const struct tn_netdev *dev);

#endif
