/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/kernel_tap.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/if_tun.h>

#define MTU_MAX 65521u

/*
 * The programs let nothing pass to the stack; this keeps the stack from sending of its own, which
 * would be taken for the container's. -errno.
 */
static int keep_host_off(const char *ifname)
{
	char path[64 + IFNAMSIZ];
	int fd, rc = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", ifname);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno; /* none: a kernel without IPv6 */
	if (write(fd, "1", 1) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static int refuse(const char *name, int error, struct tn_error *err)
{
	tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
		"cannot make the TAP '%.16s': %s; it takes CAP_NET_ADMIN and /dev/net/tun", name,
		strerror(error));
	return -error;
}

int tn_kernel_tap_open(
	struct tn_kernel_tap *tap, const char *name, bool whole, struct tn_error *err)
{
	const unsigned long offloads =
		whole ? 0 : TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int rc;

	tap->dev = TN_NETDEV_NONE;
	tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap->fd < 0)
		return refuse(name, errno, err);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(tap->fd, TUNSETIFF, &ifr) || ioctl(tap->fd, TUNSETOFFLOAD, offloads))
		return refuse(name, errno, err);
	rc = keep_host_off(name);
	if (rc)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"cannot keep the host's IPv6 off the TAP '%.16s': %s; the process must be "
			"able to write to /proc/sys/net",
			name, strerror(-rc));
	rc = tn_netdev_open(&tap->dev, name);
	if (!rc)
		rc = tn_netdev_set_mtu(&tap->dev, MTU_MAX);
	if (!rc)
		rc = tn_netdev_set_up(&tap->dev);
	return rc ? refuse(name, -rc, err) : 0;
}

void tn_kernel_tap_close(struct tn_kernel_tap *tap)
{
	if (tap->fd >= 0)
		close(tap->fd);
	tn_netdev_close(&tap->dev);
	tap->fd = -1;
}
