/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/netdev.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

/* The interface's name of today: ioctls go by name, we hold on to the index. */
static int name_request(const struct tn_netdev *dev, struct ifreq *ifr)
{
	memset(ifr, 0, sizeof(*ifr));
	ifr->ifr_ifindex = dev->ifindex;
	return ioctl(dev->fd, SIOCGIFNAME, ifr) ? -errno : 0;
}

/* name_request(), then the request itself. */
static int request(const struct tn_netdev *dev, unsigned long what, struct ifreq *ifr)
{
	int r = name_request(dev, ifr);

	if (r)
		return r;
	return ioctl(dev->fd, what, ifr) ? -errno : 0;
}

int tn_netdev_open(struct tn_netdev *dev, const char *name)
{
	struct ifreq ifr = {0};
	size_t n = strlen(name);
	int r;

	*dev = TN_NETDEV_NONE;
	if (!n || n >= sizeof(ifr.ifr_name))
		return -ENODEV;
	dev->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (dev->fd < 0)
		return -errno;
	memcpy(ifr.ifr_name, name, n);
	if (!ioctl(dev->fd, SIOCGIFINDEX, &ifr)) {
		dev->ifindex = ifr.ifr_ifindex;
		return 0;
	}
	r = -errno;
	tn_netdev_close(dev);
	return r;
}

void tn_netdev_close(struct tn_netdev *dev)
{
	if (dev->fd >= 0)
		close(dev->fd);
	if (dev->watch_fd >= 0)
		close(dev->watch_fd);
	*dev = TN_NETDEV_NONE;
}

int tn_netdev_mac(const struct tn_netdev *dev, struct tn_mac *mac)
{
	struct ifreq ifr;
	int r = request(dev, SIOCGIFHWADDR, &ifr);

	if (!r)
		memcpy(mac->b, ifr.ifr_hwaddr.sa_data, sizeof(mac->b));
	return r;
}

int tn_netdev_set_mac(const struct tn_netdev *dev, const struct tn_mac *mac)
{
	struct ifreq ifr;
	int r = name_request(dev, &ifr);

	if (r)
		return r;
	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr.ifr_hwaddr.sa_data, mac->b, sizeof(mac->b));
	return ioctl(dev->fd, SIOCSIFHWADDR, &ifr) ? -errno : 0;
}

int tn_netdev_mtu(const struct tn_netdev *dev, uint32_t *mtu)
{
	struct ifreq ifr;
	int r = request(dev, SIOCGIFMTU, &ifr);

	if (!r)
		*mtu = (uint32_t)ifr.ifr_mtu;
	return r;
}

int tn_netdev_set_mtu(const struct tn_netdev *dev, uint32_t mtu)
{
	struct ifreq ifr;
	int r = name_request(dev, &ifr);

	if (r)
		return r;
	ifr.ifr_mtu = (int)mtu;
	return ioctl(dev->fd, SIOCSIFMTU, &ifr) ? -errno : 0;
}

int tn_netdev_set_up(const struct tn_netdev *dev)
{
	struct ifreq ifr;
	int r = request(dev, SIOCGIFFLAGS, &ifr);

	if (r || ifr.ifr_flags & IFF_UP)
		return r;
	ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_UP);
	return ioctl(dev->fd, SIOCSIFFLAGS, &ifr) ? -errno : 0;
}

unsigned tn_netdev_rx_queues(const struct tn_netdev *dev)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq ifr;
	unsigned n;

	if (name_request(dev, &ifr))
		return 1;
	ifr.ifr_data = (void *)&channels;
	if (ioctl(dev->fd, SIOCETHTOOL, &ifr))
		return 1;
	n = channels.rx_count + channels.combined_count;
	return n ? n : 1;
}

/* --- what is told ----------------------------------------------------------------------------- */

/* Messages of one interface alone: others never wake the process. */
static int filter_interface(int fd, int ifindex)
{
	const uint32_t at = NLMSG_HDRLEN + offsetof(struct ifinfomsg, ifi_index);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at), /* which turns it to host order */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl((uint32_t)ifindex), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {.len = TN_ARRAY_SIZE(code), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int tn_netdev_watch(struct tn_netdev *dev)
{
	const struct sockaddr_nl links = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	int r;

	dev->watch_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (dev->watch_fd < 0)
		return -errno;
	if (!filter_interface(dev->watch_fd, dev->ifindex) &&
		!bind(dev->watch_fd, (const struct sockaddr *)&links, sizeof(links)))
		return 0;
	r = -errno;
	close(dev->watch_fd);
	dev->watch_fd = -1;
	return r;
}

/* That something changed is all that matters, so also when some of it was lost (ENOBUFS). */
bool tn_netdev_told(const struct tn_netdev *dev)
{
	bool told = dev->watch_fd < 0;
	char byte;

	while (dev->watch_fd >= 0 &&
		(recv(dev->watch_fd, &byte, sizeof(byte), MSG_TRUNC) >= 0 || errno == ENOBUFS))
		told = true;
	return told;
}

uint64_t tn_netdev_due(const struct tn_netdev *dev)
{
	return dev->watch_fd >= 0 ? UINT64_MAX : 0;
}

/* The carrier itself: IFF_RUNNING follows it up to a second later. */
static bool has_carrier(const struct tn_netdev *dev)
{
	struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
	struct ifreq ifr;

	if (name_request(dev, &ifr))
		return false;
	ifr.ifr_data = (void *)&link;
	if (!ioctl(dev->fd, SIOCETHTOOL, &ifr))
		return link.data;
	return !request(dev, SIOCGIFFLAGS, &ifr) && ifr.ifr_flags & IFF_RUNNING;
}

bool tn_netdev_running(const struct tn_netdev *dev)
{
	struct ifreq ifr;

	return !request(dev, SIOCGIFFLAGS, &ifr) && ifr.ifr_flags & IFF_UP && has_carrier(dev);
}
