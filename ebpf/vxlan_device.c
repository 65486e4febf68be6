/* SPDX-License-Identifier: BSD-3-Clause */
#include "ebpf/vxlan_device.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

/* Sends the message, takes the kernel's answer. -errno. */
static int ask(struct nl_msg *msg)
{
	struct nl_sock *sock = nl_socket_alloc();
	int rc = sock ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;

	if (rc >= 0) {
		errno = 0;
		rc = nl_send_sync(sock, msg); /* frees msg */
		msg = NULL;
	}
	if (msg)
		nlmsg_free(msg);
	nl_socket_free(sock);
	switch (rc < 0 ? -rc : 0) {
	case 0:
		return 0;
	case NLE_EXIST:
		return -EEXIST;
	case NLE_PERM:
		return -EPERM;
	case NLE_OPNOTSUPP:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

static struct nl_msg *begin(int type, int flags, uint32_t ifindex, unsigned change)
{
	const struct ifinfomsg info = {
		.ifi_index = (int)ifindex, .ifi_flags = change, .ifi_change = change};
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_ACK | flags);

	if (msg && nlmsg_append(msg, (void *)(uintptr_t)&info, sizeof(info), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

static struct nl_msg *new_device(const char *name, uint16_t udp_port, bool ip6)
{
	struct nl_msg *msg = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, IFF_UP);
	struct nlattr *info, *data;
	uint16_t port = tn_htobe16(udp_port).raw;
	int rc;

	if (!msg)
		return NULL;
	rc = nla_put_string(msg, IFLA_IFNAME, name) | nla_put_u32(msg, IFLA_MTU, 65465);
	info = nla_nest_start(msg, IFLA_LINKINFO);
	rc |= nla_put_string(msg, IFLA_INFO_KIND, "vxlan");
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	if (!info || !data || rc)
		goto failed;
	rc = nla_put_u8(msg, IFLA_VXLAN_COLLECT_METADATA, 1) |
		nla_put_u8(msg, IFLA_VXLAN_LEARNING, 0) |
		nla_put(msg, IFLA_VXLAN_PORT, sizeof(port), &port);
	if (ip6)
		rc |= nla_put_u8(msg, IFLA_VXLAN_UDP_ZERO_CSUM6_RX, 1) |
			nla_put_u8(msg, IFLA_VXLAN_UDP_ZERO_CSUM6_TX, 1);
	if (rc)
		goto failed;
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return msg;
failed:
	nlmsg_free(msg);
	return NULL;
}

void tn_vxlan_device_free(uint32_t ifindex)
{
	struct nl_msg *msg = ifindex ? begin(RTM_DELLINK, 0, ifindex, 0) : NULL;

	if (msg)
		(void)ask(msg);
}

int tn_vxlan_device_new(
	const char *name, uint16_t udp_port, bool ip6, uint32_t *ifindex, struct tn_error *err)
{
	struct nl_msg *msg;
	int rc;

	tn_vxlan_device_free(if_nametoindex(name));
	msg = new_device(name, udp_port, ip6);
	rc = msg ? ask(msg) : -ENOMEM;
	*ifindex = rc ? 0 : if_nametoindex(name);
	if (*ifindex)
		return 0;
	rc = rc ? rc : -ENODEV;
	tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "cannot make the VXLAN device '%.16s': %s; %s",
		name, strerror(-rc),
		rc == -EEXIST ? "another VXLAN device of this host has that UDP port"
			      : "it takes CAP_NET_ADMIN and a kernel with VXLAN");
	return rc;
}
