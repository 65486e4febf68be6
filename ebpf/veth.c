/* SPDX-License-Identifier: BSD-3-Clause */
#include "ebpf/veth.h"

#include <string.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

static bool is_pair(struct nlattr *linkinfo)
{
	struct nlattr *info[IFLA_INFO_MAX + 1];
	const char *kind;

	if (!linkinfo || nla_parse_nested(info, IFLA_INFO_MAX, linkinfo, NULL) < 0 ||
		!info[IFLA_INFO_KIND])
		return false;
	kind = nla_get_string(info[IFLA_INFO_KIND]);
	return !strcmp(kind, "veth") || !strcmp(kind, "netkit");
}

/* The kernel names the namespace of the other end where it is not this one. */
static int take(struct nl_msg *msg, void *ctx)
{
	struct nlattr *attrs[IFLA_MAX + 1];
	bool *elsewhere = ctx;

	if (nlmsg_parse(nlmsg_hdr(msg), sizeof(struct ifinfomsg), attrs, IFLA_MAX, NULL) >= 0)
		*elsewhere = attrs[IFLA_LINK_NETNSID] && is_pair(attrs[IFLA_LINKINFO]);
	return NL_OK;
}

static int ask(struct nl_sock *sock, uint32_t ifindex)
{
	struct ifinfomsg info = {.ifi_index = (int)ifindex};
	int rc = nl_connect(sock, NETLINK_ROUTE);

	if (rc >= 0)
		rc = nl_send_simple(sock, RTM_GETLINK, 0, &info, sizeof(info));
	return rc < 0 ? rc : nl_recvmsgs_default(sock);
}

bool tn_veth_peer_is_elsewhere(uint32_t ifindex)
{
	struct nl_sock *sock = nl_socket_alloc();
	bool elsewhere = false;

	if (!sock)
		return false;
	nl_socket_disable_auto_ack(sock);
	if (nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, take, &elsewhere) < 0 ||
		ask(sock, ifindex) < 0)
		elsewhere = false;
	nl_socket_free(sock);
	return elsewhere;
}
