/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The guard of an uplink, by XDP: VXLAN of an endpoint or a network that is not declared ends
 * before the kernel has made a packet of it. Everything else passes: it is the host's, or somebody
 * else's port.
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

INLINE int refuse(uint32_t counter, const struct tn_ebpf_peer *who)
{
	uint64_t *n = bpf_map_lookup_elem(&tenon_guard_counters, &counter), *times, one = 1;

	if (n)
		(*n)++;
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

/* udp: the outer UDP header, somewhere in the frame; who->address is set. */
INLINE int check(struct udphdr *udp, void *end, struct tn_ebpf_peer *who)
{
	uint32_t *vxlan = (void *)(udp + 1), vni;
	uint8_t flags;

	if ((void *)(udp + 1) > end || !is_vxlan(udp))
		return XDP_PASS;
	if ((void *)(vxlan + 2) > end)
		return refuse(TN_EBPF_GUARD_SHORT, NULL);
	flags = *(uint8_t *)vxlan;
	vni = bpf_ntohl(vxlan[1]) >> 8;
	who->vni = vni;
	if (flags & 0x08 && bpf_map_lookup_elem(&tenon_peers, who))
		return XDP_PASS;
	if (!has_peer(who, TN_EBPF_ANY_VNI))
		return refuse(
			has_peer(who, TN_EBPF_SOME_VNI) ? TN_EBPF_GUARD_VNI : TN_EBPF_GUARD_PEER,
			who);
	if (!(flags & 0x08) || !is_network(vni))
		return refuse(TN_EBPF_GUARD_VNI, who);
	return XDP_PASS;
}

SEC("xdp")
int tn_ebpf_guard(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	struct tn_ebpf_peer who = {0};
	struct ethhdr *eth = data;

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = (void *)(eth + 1);

		if ((void *)(ip + 1) > end || ip->protocol != IPPROTO_UDP || ip->ihl != 5 ||
			(ip->frag_off & bpf_htons(0x3fff)))
			return XDP_PASS;
		who.address[10] = who.address[11] = 0xff;
		__builtin_memcpy(who.address + 12, &ip->saddr, 4);
		return check((void *)(ip + 1), end, &who);
	}
	if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(eth + 1);

		if ((void *)(ip + 1) > end || ip->nexthdr != IPPROTO_UDP)
			return XDP_PASS;
		__builtin_memcpy(who.address, &ip->saddr, 16);
		return check((void *)(ip + 1), end, &who);
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
