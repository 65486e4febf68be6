/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/netdev.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
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

	dev->fd = -1;
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
	dev->fd = -1;
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
