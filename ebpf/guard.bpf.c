/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The guard of an uplink, by XDP: VXLAN of an endpoint or a network that is not declared ends
 * before the kernel has made a packet of it. Everything else passes: it is the host's, or somebody
 * else's port.
 *
 * Where workers share the uplink it also shares out what VXLAN is left: frames to a station of the
 * kernel's pass, to its VXLAN device and its sessions, all others go to the worker whose socket is
 * on the queue. Without a socket (no worker runs, or none has that queue) they pass, too.
 *
 * IPv4 options, extension headers and fragments pass, for the kernel's IP stack to sort out: what
 * comes out of the VXLAN device in the end has a session or is decided, and is checked again there.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include "ebpf/session.h"

#define INLINE static __attribute__((always_inline)) inline

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, uint32_t);
} tenon_guard_port SEC(".maps"); /* UDP port of VXLAN; host order, 0: none */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TN_EBPF_PEERS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct tn_ebpf_peer);
	__type(value, uint8_t);
} tenon_peers SEC(".maps");

/* Networks that are declared: an endpoint that is not named with one may send for these alone. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TN_EBPF_PEERS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, uint32_t);
	__type(value, uint8_t);
} tenon_vnis SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TN_EBPF_N_COUNTERS);
	__type(key, uint32_t);
	__type(value, uint64_t);
} tenon_guard_counters SEC(".maps");

/* The last endpoints that were refused, for people to see: a sample, written over. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, struct tn_ebpf_peer);
	__type(value, uint64_t);
} tenon_refused SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct tn_ebpf_share);
} tenon_share SEC(".maps");

/* By how many sessions each is there, which is nothing to the program. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TN_EBPF_STATIONS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct tn_ebpf_station);
	__type(value, uint32_t);
} tenon_stations SEC(".maps");

/* Workers' sockets by receive queue: each goes with its process. */
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, TN_EBPF_QUEUES_MAX);
	__type(key, uint32_t);
	__type(value, uint32_t);
} tenon_sockets SEC(".maps");

typedef uint16_t word16 __attribute__((may_alias));

/* Of the outer headers of a frame. */
struct outer {
	struct tn_ebpf_peer who;
	uint8_t dst[16]; /* IPv4 as ::ffff:a.b.c.d */
	struct udphdr *udp;
};

INLINE void count(uint32_t counter)
{
	uint64_t *n = bpf_map_lookup_elem(&tenon_guard_counters, &counter);

	if (n)
		(*n)++;
}

INLINE int refuse(uint32_t counter, const struct tn_ebpf_peer *who)
{
	uint64_t *times, one = 1;

	count(counter);
	if (!who)
		return XDP_DROP;
	times = bpf_map_lookup_elem(&tenon_refused, who);
	if (times)
		__sync_fetch_and_add(times, 1);
	else
		bpf_map_update_elem(&tenon_refused, who, &one, BPF_ANY);
	return XDP_DROP;
}

INLINE bool is_vxlan(const struct udphdr *udp)
{
	uint32_t zero = 0;
	const uint32_t *port = bpf_map_lookup_elem(&tenon_guard_port, &zero);

	return port && *port && udp->dest == bpf_htons(*port);
}

/* It, or everybody. */
INLINE bool has_peer(const struct tn_ebpf_peer *who, uint32_t vni)
{
	struct tn_ebpf_peer any = *who;

	any.vni = vni;
	if (bpf_map_lookup_elem(&tenon_peers, &any))
		return true;
	__builtin_memset(any.address, 0, sizeof(any.address));
	return bpf_map_lookup_elem(&tenon_peers, &any);
}

INLINE bool is_network(uint32_t vni)
{
	uint32_t any = TN_EBPF_ANY_VNI;

	return bpf_map_lookup_elem(&tenon_vnis, &vni) || bpf_map_lookup_elem(&tenon_vnis, &any);
}

INLINE void map4(uint8_t to[16], uint32_t address)
{
	__builtin_memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	__builtin_memcpy(to + 12, &address, 4);
}

/* XDP_PASS: it may come in. */
INLINE int check(struct outer *o, void *end)
{
	struct tn_ebpf_peer *who = &o->who;
	uint32_t *vxlan = (void *)(o->udp + 1);
	uint8_t flags;

	if ((void *)(vxlan + 2) > end)
		return refuse(TN_EBPF_GUARD_SHORT, NULL);
	flags = *(uint8_t *)vxlan;
	who->vni = bpf_ntohl(vxlan[1]) >> 8;
	if (flags & 0x08 && bpf_map_lookup_elem(&tenon_peers, who))
		return XDP_PASS;
	if (!has_peer(who, TN_EBPF_ANY_VNI))
		return refuse(
			has_peer(who, TN_EBPF_SOME_VNI) ? TN_EBPF_GUARD_VNI : TN_EBPF_GUARD_PEER,
			who);
	if (!(flags & 0x08) || !is_network(who->vni))
		return refuse(TN_EBPF_GUARD_VNI, who);
	return XDP_PASS;
}

/* Is its destination, by MAC or behind a routing hop, one of the kernel's? */
INLINE bool is_station(uint8_t *inner, void *end, uint32_t vni)
{
	struct tn_ebpf_station to = {.vni = vni};
	struct ethhdr *eth = (void *)inner;

	if ((void *)(eth + 1) > end || eth->h_dest[0] & 1)
		return false;
	__builtin_memcpy(to.mac, eth->h_dest, sizeof(to.mac));
	if (bpf_map_lookup_elem(&tenon_stations, &to))
		return true;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = (void *)(eth + 1);

		if ((void *)(ip + 1) > end)
			return false;
		map4(to.ip, ip->daddr);
	} else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(eth + 1);

		if ((void *)(ip + 1) > end)
			return false;
		__builtin_memcpy(to.ip, &ip->daddr, sizeof(to.ip));
	} else {
		return false;
	}
	return bpf_map_lookup_elem(&tenon_stations, &to);
}

INLINE bool is_same(const uint8_t *a, const uint8_t *b, unsigned n)
{
	bool same = true;

	for (unsigned i = 0; i < n; i += 2)
		same &= *(const word16 *)(a + i) == *(const word16 *)(b + i);
	return same;
}

/* Is the frame to who shares the uplink? */
INLINE bool is_shared(
	const struct tn_ebpf_share *s, const struct ethhdr *eth, const uint8_t dst[16])
{
	return s && s->on && is_same(s->mac, eth->h_dest, sizeof(s->mac)) &&
		(is_same(s->local[0], dst, 16) || is_same(s->local[1], dst, 16));
}

INLINE int share_out(struct xdp_md *xdp, const struct ethhdr *eth, struct outer *o, void *end)
{
	uint32_t zero = 0;
	int verdict;

	if (!is_shared(bpf_map_lookup_elem(&tenon_share, &zero), eth, o->dst) ||
		is_station((uint8_t *)(o->udp + 1) + 8, end, o->who.vni))
		return XDP_PASS;
	verdict = bpf_redirect_map(&tenon_sockets, xdp->rx_queue_index, XDP_PASS);
	if (verdict == XDP_REDIRECT)
		count(TN_EBPF_TO_WORKERS);
	return verdict;
}

/* The outer headers of a frame of the common shape. false: not UDP, or for the stack to look at. */
INLINE bool read_outer(struct ethhdr *eth, void *end, struct outer *o)
{
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = (void *)(eth + 1);

		if ((void *)(ip + 1) > end || ip->protocol != IPPROTO_UDP || ip->ihl != 5 ||
			(ip->frag_off & bpf_htons(0x3fff)))
			return false;
		map4(o->who.address, ip->saddr);
		map4(o->dst, ip->daddr);
		o->udp = (void *)(ip + 1);
	} else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(eth + 1);

		if ((void *)(ip + 1) > end || ip->nexthdr != IPPROTO_UDP)
			return false;
		__builtin_memcpy(o->who.address, &ip->saddr, 16);
		__builtin_memcpy(o->dst, &ip->daddr, 16);
		o->udp = (void *)(ip + 1);
	} else {
		return false;
	}
	return (void *)(o->udp + 1) <= end;
}

SEC("xdp")
int tn_ebpf_guard(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	struct outer o = {0};
	struct ethhdr *eth = data;
	int verdict;

	if ((void *)(eth + 1) > end || !read_outer(eth, end, &o) || !is_vxlan(o.udp))
		return XDP_PASS;
	verdict = check(&o, end);
	return verdict == XDP_PASS ? share_out(xdp, eth, &o, end) : verdict;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
