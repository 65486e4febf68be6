/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/underlay/decode.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

static bool is_multicast(tn_u128 a)
{
	uint32_t ip4;

	return tn_u128_is_ip4(a, &ip4) ? ip4 >> 28 == 0xe || ip4 == UINT32_MAX : a >> 120 == 0xff;
}

/* fe80::/10: of each link on its own, in the one table of all. */
static bool is_link_local(tn_u128 a)
{
	return a >> 118 == 0x3fa;
}

/* By its length. False: of no family that we know. */
static bool get_address(struct nlattr *attr, tn_u128 *out)
{
	struct tn_ip6 ip6;
	uint32_t ip4;

	if (attr && nla_len(attr) == (int)sizeof(ip4)) {
		memcpy(&ip4, nla_data(attr), sizeof(ip4));
		*out = tn_u128_from_ip4(ntohl(ip4));
		return true;
	}
	if (attr && nla_len(attr) == (int)sizeof(ip6)) {
		memcpy(&ip6, nla_data(attr), sizeof(ip6));
		*out = tn_u128_from_ip6(&ip6);
		return true;
	}
	return false;
}

/* Not all zeros, not a group's. */
static bool get_mac(struct nlattr *attr, struct tn_mac *mac)
{
	static const struct tn_mac none;

	if (!attr || nla_len(attr) != (int)sizeof(*mac))
		return false;
	memcpy(mac, nla_data(attr), sizeof(*mac));
	return !(mac->b[0] & 1) && memcmp(mac, &none, sizeof(none)) != 0;
}

static bool decode_link(struct nlmsghdr *message, struct tn_kernel_link *link)
{
	static struct nla_policy policy[IFLA_MAX + 1] = {
		[IFLA_IFNAME] = {.type = NLA_STRING, .maxlen = IFNAMSIZ}};
	struct nlattr *a[IFLA_MAX + 1];
	struct ifinfomsg *head;

	if (nlmsg_parse(message, sizeof(*head), a, IFLA_MAX, policy) < 0)
		return false;
	head = nlmsg_data(message);
	/* Bridges tell of their ports in messages of the same type. */
	if (head->ifi_family != AF_UNSPEC || !a[IFLA_IFNAME])
		return false;
	link->index = (uint32_t)head->ifi_index;
	nla_strlcpy(link->name, a[IFLA_IFNAME], sizeof(link->name));
	(void)get_mac(a[IFLA_ADDRESS], &link->mac);
	link->up = head->ifi_flags & IFF_UP;
	link->running = head->ifi_flags & IFF_RUNNING;
	return true;
}

static bool decode_address(struct nlmsghdr *message, struct tn_kernel_address *address)
{
	static struct nla_policy policy[IFA_MAX + 1] = {[IFA_FLAGS] = {.type = NLA_U32}};
	struct nlattr *a[IFA_MAX + 1];
	struct ifaddrmsg *head;
	uint32_t flags, unused;
	tn_u128 peer;

	if (nlmsg_parse(message, sizeof(*head), a, IFA_MAX, policy) < 0)
		return false;
	head = nlmsg_data(message);
	if (!get_address(a[IFA_LOCAL] ? a[IFA_LOCAL] : a[IFA_ADDRESS], &address->address))
		return false;
	flags = a[IFA_FLAGS] ? nla_get_u32(a[IFA_FLAGS]) : head->ifa_flags;
	address->link = head->ifa_index;
	address->is_ip4 = tn_u128_is_ip4(address->address, &unused);
	address->prefix_len = head->ifa_prefixlen;
	if (address->prefix_len > (address->is_ip4 ? 32 : 128))
		return false;
	/* The network is that of the other end then. */
	if (get_address(a[IFA_ADDRESS], &peer) && peer != address->address)
		address->prefix_len = address->is_ip4 ? 32 : 128;
	address->usable = !(flags & IFA_F_DADFAILED) &&
		(!(flags & IFA_F_TENTATIVE) || flags & IFA_F_OPTIMISTIC);
	return true;
}

/* RTA_GATEWAY, or RTA_VIA for one of another family. False: malformed. */
static bool get_via(struct nlattr *gateway, struct nlattr *via, tn_u128 *out)
{
	const struct rtvia *v;

	*out = 0;
	if (gateway)
		return get_address(gateway, out);
	if (!via)
		return true;
	v = nla_data(via);
	if (nla_len(via) != (int)(sizeof(*v) + sizeof(struct tn_ip6)) ||
		v->rtvia_family != AF_INET6)
		return false;
	*out = tn_u128_from_ip6((const struct tn_ip6 *)v->rtvia_addr);
	return true;
}

static struct nla_policy route_policy[RTA_MAX + 1] = {
	[RTA_OIF] = {.type = NLA_U32},
	[RTA_PRIORITY] = {.type = NLA_U32},
	[RTA_TABLE] = {.type = NLA_U32},
	[RTA_NH_ID] = {.type = NLA_U32},
	[RTA_VIA] = {.minlen = sizeof(struct rtvia)},
};

/* What is put into another encapsulation on its way is not ours to send. */
static bool is_dead(unsigned flags, struct nlattr *encap)
{
	return flags & RTNH_F_DEAD || encap;
}

static bool decode_multipath(struct nlattr *list, struct tn_decoded *out)
{
	struct tn_kernel_route *route = &out->event.route;
	struct rtnexthop *nh = nla_data(list);
	int left = nla_len(list);

	for (; left >= (int)sizeof(*nh) && nh->rtnh_len >= sizeof(*nh) && nh->rtnh_len <= left;
		left -= (int)RTNH_ALIGN(nh->rtnh_len), nh = RTNH_NEXT(nh)) {
		struct tn_kernel_hop *hop = &out->hops[route->n_hops];
		struct nlattr *a[RTA_MAX + 1];

		if (route->n_hops == TN_KERNEL_HOPS_MAX)
			break;
		if (nla_parse(a, RTA_MAX, (struct nlattr *)RTNH_DATA(nh),
			    nh->rtnh_len - (int)sizeof(*nh), route_policy) < 0)
			return false;
		*hop = (struct tn_kernel_hop){
			.link = (uint32_t)nh->rtnh_ifindex,
			.weight = (uint16_t)(nh->rtnh_hops + 1),
			.dead = is_dead(nh->rtnh_flags, a[RTA_ENCAP]),
		};
		if (!get_via(a[RTA_GATEWAY], a[RTA_VIA], &hop->via))
			return false;
		route->n_hops++;
	}
	return true;
}

static bool decode_hops(struct nlattr **a, unsigned flags, struct tn_decoded *out)
{
	struct tn_kernel_route *route = &out->event.route;

	route->hops = out->hops;
	route->nexthop = a[RTA_NH_ID] ? nla_get_u32(a[RTA_NH_ID]) : 0;
	if (a[RTA_MULTIPATH])
		return decode_multipath(a[RTA_MULTIPATH], out);
	if (!a[RTA_OIF])
		return true;
	out->hops[0] = (struct tn_kernel_hop){
		.link = nla_get_u32(a[RTA_OIF]),
		.weight = 1,
		.dead = is_dead(flags, a[RTA_ENCAP]),
	};
	route->n_hops = 1;
	return get_via(a[RTA_GATEWAY], a[RTA_VIA], &out->hops[0].via);
}

static bool refuses(uint8_t type)
{
	return type == RTN_BLACKHOLE || type == RTN_UNREACHABLE || type == RTN_PROHIBIT ||
		type == RTN_THROW;
}

static bool decode_route(struct nlmsghdr *message, struct tn_decoded *out)
{
	struct tn_kernel_route *route = &out->event.route;
	struct nlattr *a[RTA_MAX + 1];
	struct rtmsg *head;

	if (nlmsg_parse(message, sizeof(*head), a, RTA_MAX, route_policy) < 0)
		return false;
	head = nlmsg_data(message);
	if ((a[RTA_TABLE] ? nla_get_u32(a[RTA_TABLE]) : head->rtm_table) != RT_TABLE_MAIN ||
		(head->rtm_type != RTN_UNICAST && !refuses(head->rtm_type)) || head->rtm_tos ||
		head->rtm_src_len || head->rtm_flags & RTM_F_CLONED)
		return false;
	route->is_ip4 = head->rtm_family == AF_INET;
	if (!route->is_ip4 && head->rtm_family != AF_INET6)
		return false;
	route->prefix = route->is_ip4 ? tn_u128_from_ip4(0) : 0;
	route->prefix_len = head->rtm_dst_len;
	if (route->prefix_len > (route->is_ip4 ? 32 : 128) ||
		(route->prefix_len &&
			(!a[RTA_DST] || nla_len(a[RTA_DST]) != (route->is_ip4 ? 4 : 16) ||
				!get_address(a[RTA_DST], &route->prefix))))
		return false;
	route->prefix &= tn_kernel_mask(route->prefix_len, route->is_ip4);
	if (is_multicast(route->prefix) || is_link_local(route->prefix))
		return false;
	route->metric = a[RTA_PRIORITY] ? nla_get_u32(a[RTA_PRIORITY]) : 0;
	route->refuses = refuses(head->rtm_type);
	out->event.replaces = message->nlmsg_flags & NLM_F_REPLACE;
	out->event.appends = message->nlmsg_flags & NLM_F_APPEND;
	/* The loopback that IPv6 names for refusing routes is no way. */
	return route->refuses || decode_hops(a, head->rtm_flags, out);
}

static void decode_group(struct nlattr *list, struct tn_decoded *out)
{
	const struct nexthop_grp *members = nla_data(list);
	struct tn_kernel_nexthop *n = &out->event.nexthop;
	uint32_t count = (uint32_t)nla_len(list) / sizeof(*members);

	n->members = out->members;
	n->n_members = count < TN_KERNEL_HOPS_MAX ? count : TN_KERNEL_HOPS_MAX;
	for (uint32_t i = 0; i < n->n_members; i++)
		out->members[i] =
			(struct tn_kernel_member){members[i].id, (uint16_t)(members[i].weight + 1)};
}

static bool decode_nexthop(struct nlmsghdr *message, struct tn_decoded *out)
{
	static struct nla_policy policy[NHA_MAX + 1] = {
		[NHA_ID] = {.type = NLA_U32},
		[NHA_OIF] = {.type = NLA_U32},
	};
	struct tn_kernel_nexthop *n = &out->event.nexthop;
	struct nlattr *a[NHA_MAX + 1];
	struct nhmsg *head;

	if (nlmsg_parse(message, sizeof(*head), a, NHA_MAX, policy) < 0 || !a[NHA_ID] || a[NHA_FDB])
		return false;
	head = nlmsg_data(message);
	n->id = nla_get_u32(a[NHA_ID]);
	n->refuses = a[NHA_BLACKHOLE] != NULL;
	n->hop.weight = 1;
	n->hop.link = a[NHA_OIF] ? nla_get_u32(a[NHA_OIF]) : 0;
	n->hop.dead = is_dead(head->nh_flags, a[NHA_ENCAP]);
	if (a[NHA_GROUP])
		decode_group(a[NHA_GROUP], out);
	return !a[NHA_GATEWAY] || get_address(a[NHA_GATEWAY], &n->hop.via);
}

static bool decode_neighbour(struct nlmsghdr *message, struct tn_kernel_neighbour *n)
{
	const unsigned fresh = NUD_REACHABLE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;
	struct nlattr *a[NDA_MAX + 1];
	struct ndmsg *head;

	if (nlmsg_parse(message, sizeof(*head), a, NDA_MAX, NULL) < 0)
		return false;
	head = nlmsg_data(message);
	if ((head->ndm_family != AF_INET && head->ndm_family != AF_INET6) ||
		head->ndm_flags & NTF_PROXY || !get_address(a[NDA_DST], &n->address) ||
		is_multicast(n->address))
		return false;
	n->link = (uint32_t)head->ndm_ifindex;
	n->usable = get_mac(a[NDA_LLADDR], &n->mac) && head->ndm_state & (fresh | NUD_STALE);
	n->fresh = n->usable && head->ndm_state & fresh;
	if (!n->usable)
		memset(&n->mac, 0, sizeof(n->mac));
	return true;
}

bool tn_netlink_decode(struct nlmsghdr *message, struct tn_decoded *out)
{
	struct tn_kernel_event *e = &out->event;

	memset(e, 0, sizeof(*e));
	switch (message->nlmsg_type) {
	case RTM_DELLINK:
		e->gone = true;
		__attribute__((fallthrough));
	case RTM_NEWLINK:
		e->kind = TN_KERNEL_LINK;
		return decode_link(message, &e->link);
	case RTM_DELADDR:
		e->gone = true;
		__attribute__((fallthrough));
	case RTM_NEWADDR:
		e->kind = TN_KERNEL_ADDRESS;
		return decode_address(message, &e->address);
	case RTM_DELROUTE:
		e->gone = true;
		__attribute__((fallthrough));
	case RTM_NEWROUTE:
		e->kind = TN_KERNEL_ROUTE;
		return decode_route(message, out);
	case RTM_DELNEXTHOP:
		e->gone = true;
		__attribute__((fallthrough));
	case RTM_NEWNEXTHOP:
		e->kind = TN_KERNEL_NEXTHOP;
		return decode_nexthop(message, out);
	case RTM_DELNEIGH:
		e->gone = true;
		__attribute__((fallthrough));
	case RTM_NEWNEIGH:
		e->kind = TN_KERNEL_NEIGHBOUR;
		return decode_neighbour(message, &e->neighbour);
	default:
		return false;
	}
}
