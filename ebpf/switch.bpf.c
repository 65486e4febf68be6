/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The kernel's half of kernel ports, as tc programs (direct action).
 *
 *   tn_ebpf_from_port    ingress of a port's interface: a container's veth, a NIC
 *   tn_ebpf_from_tunnel  ingress of the VXLAN device that is in external mode
 *   tn_ebpf_from_uplink  ingress of an uplink: what has a session need not go by that device
 *   tn_ebpf_to_port      ingress of a port's TAP: frames of the data plane go out by the interface
 *   tn_ebpf_to_tunnel    ingress of the tunnel's TAP: the same by the VXLAN device
 *
 * The first two look for a session; without one the frame goes up by the TAP, whole and unchanged.
 * All frames keep what their sender left to be done: checksums, and cutting of large ones.
 *
 * Only frames of the common shape are looked at: at most one VLAN tag that the kernel holds beside
 * the frame, IPv4 without options or IPv6 without extension headers, no fragment, TCP, UDP or ICMP
 * with its header whole, or a frame that is neither IP nor ARP. The parser of the data plane reads
 * them the same way; a test holds the two against each other.
 *
 * Frames are read where they lie and written by helpers alone: a program that stores into a frame
 * itself makes the kernel copy the head of every frame that TCP keeps a clone of, before it runs.
 */
#include "ebpf/common.bpf.h"

#include <linux/errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#define TOS_OFFSET4 (ETH_HLEN + offsetof(struct iphdr, tos))
#define TTL_OFFSET4 (ETH_HLEN + offsetof(struct iphdr, ttl))
#define TTL_OFFSET6 (ETH_HLEN + offsetof(struct ipv6hdr, hop_limit))

/* Of what is read of a frame: TCP's options are not. */
#define HEADERS_MAX4 (ETH_HLEN + sizeof(struct iphdr) + sizeof(struct tcphdr))
#define HEADERS_MAX6 (ETH_HLEN + sizeof(struct ipv6hdr) + sizeof(struct tcphdr))

/* Beside the verdicts of tc. */
#define GOES_UP (-100) /* not of the common shape, or the session cannot do it */
#define MISSED	(-101) /* no session */

struct meter {
	struct bpf_spin_lock lock;
	uint32_t in_packets;
	uint64_t rate, burst;
	int64_t tokens;
	uint64_t last_ns, packets, bytes, dropped_packets, dropped_bytes;
};

_Static_assert(sizeof(struct meter) == sizeof(struct tn_ebpf_meter), "one layout");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TN_EBPF_METERS_MAX);
	__type(key, uint32_t);
	__type(value, struct meter);
} tenon_meters SEC(".maps");

/* What lies in keys as in frames is copied a word at a time, not a byte. */
typedef uint64_t word64 __attribute__((may_alias));
typedef uint32_t word32 __attribute__((may_alias));
typedef uint16_t word16 __attribute__((may_alias));

/* What is known of a frame beside its key. */
struct frame {
	struct tn_ebpf_key_head *h;
	void *data, *end;
	uint32_t ip_len;  /* of the IP packet; of what is not IP, behind the Ethernet header */
	uint32_t headers; /* of it, and TCP or UDP */
	uint32_t len;	  /* of the frame, also where `end` is before it */
	uint16_t first;	  /* two bytes of the IP header; network order */
	uint16_t check;	  /* IPv4 */
	uint8_t tos, ttl, proto;
	bool is_ip6;
};

INLINE void map4(uint8_t to[16], uint32_t address)
{
	__builtin_memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	__builtin_memcpy(to + 12, &address, 4);
}

INLINE uint16_t vlan_of(const struct __sk_buff *skb)
{
	if (!skb->vlan_present)
		return 0;
	/* PCP and VID as they are, DEI's place says that there is a tag */
	return bpf_htons((skb->vlan_tci & 0xefff) | 0x1000);
}

/* Ports, or ICMP type and code. false: not whole, or not understood. */
INLINE bool read_l4(struct tn_ebpf_key_head *h, uint16_t *tcp_flags, void *l4, struct frame *f)
{
	void *end = f->end;

	switch (h->ip_proto) {
	case IPPROTO_TCP: {
		struct tcphdr *tcp = l4;

		if ((void *)(tcp + 1) > end || tcp->doff < 5 ||
			ETH_HLEN + f->headers + tcp->doff * 4 > f->len)
			return false;
		*(word32 *)&h->tp_src = *(word32 *)tcp;
		*tcp_flags = ((uint16_t *)l4)[6] & bpf_htons(0x0fff);
		f->headers += tcp->doff * 4;
		return true;
	}
	case IPPROTO_UDP: {
		struct udphdr *udp = l4;

		if ((void *)(udp + 1) > end)
			return false;
		*(word32 *)&h->tp_src = *(word32 *)udp;
		f->headers += sizeof(*udp);
		return true;
	}
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: {
		uint8_t *icmp = l4;

		/* Neighbour discovery has more to read. */
		if ((void *)(icmp + 8) > end || (icmp[0] >= 133 && h->ip_proto == IPPROTO_ICMPV6))
			return false;
		h->tp_src = bpf_htons(icmp[0]);
		h->tp_dst = bpf_htons(icmp[1]);
		return true;
	}
	}
	return false;
}

/* The head of a key. false: too short. */
INLINE bool read_eth(const struct __sk_buff *skb, struct tn_ebpf_key_head *h, struct frame *f)
{
	if (f->data + ETH_HLEN > f->end)
		return false;
	f->ip_len = f->len - ETH_HLEN;
	((word64 *)h)[0] = ((word64 *)f->data)[0];
	((word32 *)h)[2] = ((word32 *)f->data)[2];
	h->eth_type = ((word16 *)f->data)[6];
	h->vlan_tci = vlan_of(skb);
	return true;
}

/* addresses: source and destination, one after the other. */
INLINE bool read_ip4(
	struct tn_ebpf_key_head *h, word64 *addresses, uint16_t *tcp_flags, struct frame *f)
{
	struct iphdr *ip = f->data + ETH_HLEN;
	uint8_t *start = (uint8_t *)ip; /* version 4, five words */

	if ((void *)(ip + 1) > f->end || start[0] != 0x45 || (ip->frag_off & bpf_htons(0x3fff)))
		return false;
	h->ip_tos = f->tos = ip->tos;
	h->ip_ttl = f->ttl = ip->ttl;
	h->ip_proto = f->proto = ip->protocol;
	f->first = *(uint16_t *)ip;
	f->check = ip->check;
	*addresses = *(word64 *)&ip->saddr;
	f->ip_len = bpf_ntohs(ip->tot_len);
	f->headers = sizeof(*ip);
	return h->ip_proto != IPPROTO_ICMPV6 && read_l4(h, tcp_flags, ip + 1, f);
}

INLINE bool read_ip6(struct tn_ebpf_key6 *k, struct frame *f)
{
	struct ipv6hdr *ip = f->data + ETH_HLEN;

	if ((void *)(ip + 1) > f->end || ip->version != 6)
		return false;
	f->first = *(uint16_t *)ip;
	k->h.ip_tos = f->tos = (uint8_t)(bpf_ntohs(f->first) >> 4);
	k->h.ip_ttl = f->ttl = ip->hop_limit;
	k->h.ip_proto = ip->nexthdr;
	for (int i = 0; i < 4; i++)
		((word64 *)k->ip_src)[i] = ((word64 *)&ip->saddr)[i];
	f->ip_len = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	f->headers = sizeof(*ip);
	f->is_ip6 = true;
	return k->h.ip_proto != IPPROTO_ICMP && read_l4(&k->h, &k->tcp_flags, ip + 1, f);
}

/* Takes out of the head what no table reads. */
INLINE void forget(struct tn_ebpf_key_head *h, uint16_t *tcp_flags, uint32_t keys)
{
	if (!(keys & TN_EBPF_KEY_TTL))
		h->ip_ttl = 0;
	if (!(keys & TN_EBPF_KEY_TCP_FLAGS))
		*tcp_flags = 0;
	if (!(keys & TN_EBPF_KEY_TOS))
		h->ip_tos = 0;
	if (!(keys & TN_EBPF_KEY_L4)) {
		h->tp_src = 0;
		h->tp_dst = 0;
	}
	if (!(keys & TN_EBPF_KEY_IP))
		h->ip_proto = 0;
}

/* Is what was decided still right? Looked at once a commit and session. */
INLINE bool is_valid(struct tn_ebpf_session *s, const struct tn_ebpf_config *c)
{
	uint32_t now = *(volatile const uint32_t *)&c->version;
	uint32_t stamp = *(volatile uint32_t *)&s->version;
	uint64_t classes = s->classes;

	if (s->keys != c->keys || !now)
		return false;
	if (stamp == now)
		return true;
	for (uint32_t i = 0; i < TN_EBPF_EPOCHS; i++) {
		if (classes >> i & 1 &&
			(int32_t)(*(volatile const uint32_t *)&c->epoch[i] - stamp) > 0)
			return false;
	}
	/* An older version that is found right must not hide what was raised meanwhile. */
	if ((int32_t)(now - stamp) > 0)
		__sync_val_compare_and_swap(&s->version, stamp, now);
	return true;
}

/* Longest IP packet that leaves: of a large frame, a piece. */
INLINE uint32_t longest(const struct __sk_buff *skb, const struct frame *f)
{
	return skb->gso_size ? skb->gso_size + f->headers : f->ip_len;
}

#define TOKEN 1000000000ll

/* What came into the bucket; of a long time whole seconds, and not more than fill it from any debt.
 */
INLINE int64_t gained(const struct meter *m, uint64_t ns)
{
	uint64_t seconds = ns / TOKEN, most = 2 * m->burst + UINT16_MAX;

	if (seconds < 5)
		return ns * m->rate;
	seconds *= m->rate;
	return (seconds < most ? seconds : most) * TOKEN;
}

/*
 * A frame longer than the burst passes when the bucket is full, and what it took is missing to
 * those after it: a meter of small bursts does not starve who sends large frames.
 */
INLINE bool over_rate(uint32_t index, uint32_t packets, uint32_t bytes)
{
	struct meter *m = bpf_map_lookup_elem(&tenon_meters, &index);
	int64_t full, cost;
	uint64_t now;
	bool over;

	if (!m)
		return false;
	now = bpf_ktime_get_ns();
	full = m->burst * TOKEN;
	cost = (m->in_packets ? packets : bytes) * TOKEN;
	bpf_spin_lock(&m->lock);
	if (!m->last_ns)
		m->tokens = full;
	else
		m->tokens += gained(m, now - m->last_ns);
	if (m->tokens > full)
		m->tokens = full;
	m->last_ns = now;
	m->packets += packets;
	m->bytes += bytes;
	over = m->tokens < (cost < full ? cost : full);
	if (over) {
		m->dropped_packets += packets;
		m->dropped_bytes += bytes;
	} else {
		m->tokens -= cost;
	}
	bpf_spin_unlock(&m->lock);
	return over;
}

/* Does its meter drop it? */
INLINE bool metered(struct __sk_buff *skb, struct tn_ebpf_session *s)
{
	if (!(s->flags & TN_EBPF_METER) ||
		!over_rate(s->meter, skb->gso_segs > 1 ? skb->gso_segs : 1, skb->len))
		return false;
	__sync_fetch_and_add(&s->metered_packets, 1);
	__sync_fetch_and_add(&s->metered_bytes, skb->len);
	count(TN_EBPF_METERED);
	return true;
}

INLINE void used(
	struct tn_ebpf_session *s, const struct __sk_buff *skb, const struct tn_ebpf_config *c)
{
	uint64_t now = *(volatile const uint64_t *)&c->now_ns;

	__sync_fetch_and_add(&s->packets, 1);
	__sync_fetch_and_add(&s->bytes, skb->len);
	if (s->last_used_ns != now)
		s->last_used_ns = now;
}

/* RFC 1624, of one 16-bit word. */
INLINE uint16_t changed_sum(uint16_t check, uint16_t old, uint16_t new)
{
	uint32_t sum = (uint16_t)~check + (uint16_t)~old + new;

	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

INLINE uint8_t new_tos(const struct tn_ebpf_session *s, const struct frame *f)
{
	return s->flags & TN_EBPF_SET_TOS ? (f->tos & ~s->tos_mask) | (s->tos & s->tos_mask)
					  : f->tos;
}

/* TTL and TOS, in one go with their checksum. 0 or what went wrong. */
INLINE long set_ip4(struct __sk_buff *skb, const struct tn_ebpf_session *s, const struct frame *f)
{
	uint8_t tos = new_tos(s, f);
	struct {
		uint8_t ttl, proto;
		uint16_t check;
	} new = {f->ttl, f->proto, f->check};
	long rc = 0;

	if (s->flags & TN_EBPF_DEC_TTL) {
		new.ttl--;
		new.check = changed_sum(new.check, bpf_htons(f->ttl << 8), bpf_htons(new.ttl << 8));
	}
	if (s->flags & TN_EBPF_SET_TOS) {
		new.check = changed_sum(new.check, bpf_htons(f->tos), bpf_htons(tos));
		rc = bpf_skb_store_bytes(skb, TOS_OFFSET4, &tos, sizeof(tos), 0);
	}
	return rc ? rc : bpf_skb_store_bytes(skb, TTL_OFFSET4, &new, sizeof(new), 0);
}

/* There is no sum in the header, but devices may have made one of all. */
INLINE long set_ip6(struct __sk_buff *skb, const struct tn_ebpf_session *s, const struct frame *f)
{
	uint16_t first = bpf_ntohs(f->first);
	uint8_t ttl = f->ttl - 1;
	long rc = 0;

	if (s->flags & TN_EBPF_DEC_TTL)
		rc = bpf_skb_store_bytes(skb, TTL_OFFSET6, &ttl, sizeof(ttl), BPF_F_RECOMPUTE_CSUM);
	if (rc || !(s->flags & TN_EBPF_SET_TOS))
		return rc;
	first = (first & ~(s->tos_mask << 4)) | (s->tos & s->tos_mask) << 4;
	first = bpf_htons(first);
	return bpf_skb_store_bytes(skb, ETH_HLEN, &first, sizeof(first), BPF_F_RECOMPUTE_CSUM);
}

INLINE long set_ip(struct __sk_buff *skb, const struct tn_ebpf_session *s, const struct frame *f)
{
	return f->is_ip6 ? set_ip6(skb, s, f) : set_ip4(skb, s, f);
}

INLINE long set_macs(struct __sk_buff *skb, const struct tn_ebpf_session *s)
{
	long rc = 0;

	if ((s->flags & TN_EBPF_SET_DST) && (s->flags & TN_EBPF_SET_SRC))
		return bpf_skb_store_bytes(skb, 0, s->eth_dst, 2 * ETH_ALEN, 0);
	if (s->flags & TN_EBPF_SET_DST)
		rc = bpf_skb_store_bytes(skb, 0, s->eth_dst, ETH_ALEN, 0);
	if (!rc && s->flags & TN_EBPF_SET_SRC)
		rc = bpf_skb_store_bytes(skb, ETH_ALEN, s->eth_src, ETH_ALEN, 0);
	return rc;
}

/* Before Linux 6.0 the kernel knows no local address: it sends from the one that its route has. */
#define KEY_WITHOUT_LOCAL offsetof(struct bpf_tunnel_key, local_ipv4)

INLINE long set_tunnel_key(struct __sk_buff *skb, struct bpf_tunnel_key *key, uint64_t flags)
{
	long rc = bpf_skb_set_tunnel_key(skb, key, sizeof(*key), flags);

	return rc == -EINVAL ? bpf_skb_set_tunnel_key(skb, key, KEY_WITHOUT_LOCAL, flags) : rc;
}

INLINE long get_tunnel_key(struct __sk_buff *skb, struct bpf_tunnel_key *key, uint64_t flags)
{
	long rc = bpf_skb_get_tunnel_key(skb, key, sizeof(*key), flags);

	return rc == -EINVAL ? bpf_skb_get_tunnel_key(skb, key, KEY_WITHOUT_LOCAL, flags) : rc;
}

INLINE int into_tunnel(struct __sk_buff *skb, const struct tn_ebpf_session *s, uint8_t inner_tos)
{
	struct bpf_tunnel_key key = {.tunnel_id = s->vni};
	uint64_t flags = 0;

	key.tunnel_tos = (inner_tos & s->tun_tos_mask) | s->tun_tos;
	key.tunnel_ttl = s->tun_ttl;
	if (s->flags & TN_EBPF_TUNNEL6) {
		__builtin_memcpy(key.remote_ipv6, s->remote, 16);
		__builtin_memcpy(key.local_ipv6, s->local, 16);
		flags |= BPF_F_TUNINFO_IPV6;
	} else {
		key.remote_ipv4 = bpf_ntohl(*(const uint32_t *)s->remote);
		key.local_ipv4 = bpf_ntohl(*(const uint32_t *)s->local);
	}
	if (s->tun_flags & TN_EBPF_TUN_DF)
		flags |= BPF_F_DONT_FRAGMENT;
	if (!(s->tun_flags & TN_EBPF_TUN_CSUM))
		flags |= BPF_F_ZERO_CSUM_TX;
	if (set_tunnel_key(skb, &key, flags))
		return TC_ACT_SHOT;
	return bpf_redirect(s->out, 0);
}

/* To the port's end of the link its frames are none of its own, and before Linux 6.15 they stay
 * that on the way to the other end, which would not take them. */
INLINE int into_peer(struct __sk_buff *skb, uint32_t out)
{
	(void)bpf_skb_change_type(skb, PACKET_HOST);
	return bpf_redirect_peer(out, 0);
}

/* false: such a frame goes up. */
INLINE bool can_act(
	const struct __sk_buff *skb, const struct tn_ebpf_session *s, const struct frame *f)
{
	return !(s->max_len && longest(skb, f) > s->max_len) &&
		!(s->flags & TN_EBPF_DEC_TTL && f->ttl <= 1);
}

/* What the session says. */
INLINE int act(struct __sk_buff *skb, struct tn_ebpf_session *s, const struct frame *f,
	const struct tn_ebpf_config *c)
{
	used(s, skb, c);
	if (metered(skb, s))
		return TC_ACT_SHOT;
	if (s->flags & TN_EBPF_DROP) {
		count(TN_EBPF_DROPPED);
		return TC_ACT_SHOT;
	}
	count(TN_EBPF_HITS);
	if (s->flags & (TN_EBPF_SET_DST | TN_EBPF_SET_SRC) && set_macs(skb, s))
		return TC_ACT_SHOT;
	if (s->flags & (TN_EBPF_SET_TOS | TN_EBPF_DEC_TTL) && set_ip(skb, s, f))
		return TC_ACT_SHOT;
	if (s->flags & TN_EBPF_POP_VLAN && bpf_skb_vlan_pop(skb))
		return TC_ACT_SHOT;
	if (s->flags & TN_EBPF_PUSH_VLAN && bpf_skb_vlan_push(skb, s->vlan_proto, s->vlan_tci))
		return TC_ACT_SHOT;
	if (s->flags & TN_EBPF_TUNNEL)
		return into_tunnel(skb, s, new_tos(s, f));
	if (s->flags & TN_EBPF_PEER)
		return into_peer(skb, s->out);
	return bpf_redirect(s->out, 0);
}

/* Headers into the part of the buffer that can be read, where they are not; their place. */
INLINE void look(struct __sk_buff *skb, struct frame *f)
{
	uint32_t most = skb->protocol == bpf_htons(ETH_P_IPV6) ? HEADERS_MAX6 : HEADERS_MAX4;

	f->len = skb->len;
	f->data = (void *)(long)skb->data;
	f->end = (void *)(long)skb->data_end;
	if (f->data + most <= f->end || f->end - f->data >= f->len)
		return;
	bpf_skb_pull_data(skb, f->len < most ? f->len : most);
	f->data = (void *)(long)skb->data;
	f->end = (void *)(long)skb->data_end;
}

struct ingress {
	uint32_t in_port, vni;
	uint32_t tun4; /* 0: none over IPv4 */
	bool has_tun6;
	uint8_t tun6[16];
};

INLINE struct tn_ebpf_session *found(struct tn_ebpf_session *s, const struct tn_ebpf_config *c)
{
	return s && is_valid(s, c) ? s : NULL;
}

INLINE int by_found(struct __sk_buff *skb, struct tn_ebpf_session *s, const struct frame *f,
	const struct tn_ebpf_config *c)
{
	s = found(s, c);
	if (!s)
		return MISSED;
	return can_act(skb, s, f) ? act(skb, s, f, c) : GOES_UP;
}

/* Of a frame of IPv4 or no IP, out of no tunnel or one over IPv4. false: not understood. */
INLINE bool read_key4(const struct __sk_buff *skb, struct frame *f, const struct ingress *in,
	const struct tn_ebpf_config *c, struct tn_ebpf_key4 *k)
{
	k->h.in_port = in->in_port;
	k->h.tunnel_id = in->vni;
	k->tun_src = in->tun4;
	if (!read_eth(skb, &k->h, f))
		return false;
	if (k->h.eth_type != bpf_htons(ETH_P_IP))
		return true;
	if (!read_ip4(&k->h, (word64 *)&k->ip_src, &k->tcp_flags, f))
		return false;
	forget(&k->h, &k->tcp_flags, c->keys);
	if (!(c->keys & TN_EBPF_KEY_IP))
		k->ip_src = k->ip_dst = 0;
	return true;
}

INLINE int by_key4(struct __sk_buff *skb, struct frame *f, const struct ingress *in,
	const struct tn_ebpf_config *c)
{
	struct tn_ebpf_key4 k __attribute__((aligned(8))) = {0};

	if (!read_key4(skb, f, in, c, &k))
		return GOES_UP;
	return by_found(skb, bpf_map_lookup_elem(&tenon_session4, &k), f, c);
}

INLINE int by_key6(struct __sk_buff *skb, struct frame *f, const struct ingress *in,
	const struct tn_ebpf_config *c)
{
	struct tn_ebpf_key6 k
		__attribute__((aligned(8))) = {.h = {.in_port = in->in_port, .tunnel_id = in->vni}};

	if (in->has_tun6)
		__builtin_memcpy(k.tun_src, in->tun6, 16);
	else if (in->tun4)
		map4(k.tun_src, in->tun4);
	if (!read_eth(skb, &k.h, f))
		return GOES_UP;
	if (k.h.eth_type == bpf_htons(ETH_P_IPV6)) {
		if (!read_ip6(&k, f))
			return GOES_UP;
	} else if (k.h.eth_type == bpf_htons(ETH_P_IP)) {
		union {
			word64 both;
			uint32_t each[2];
		} addresses;

		if (!read_ip4(&k.h, &addresses.both, &k.tcp_flags, f))
			return GOES_UP;
		map4(k.ip_src, addresses.each[0]);
		map4(k.ip_dst, addresses.each[1]);
	}
	forget(&k.h, &k.tcp_flags, c->keys);
	if (!(c->keys & TN_EBPF_KEY_IP)) {
		__builtin_memset(k.ip_src, 0, 16);
		__builtin_memset(k.ip_dst, 0, 16);
	}
	return by_found(skb, bpf_map_lookup_elem(&tenon_session6, &k), f, c);
}

/* ARP has members that no session has. Group addresses go to many. */
INLINE bool is_for_sessions(const struct frame *f)
{
	const struct ethhdr *eth = f->data;

	return (void *)(eth + 1) <= f->end && !(eth->h_dest[0] & 1) &&
		eth->h_proto != bpf_htons(ETH_P_ARP) && eth->h_proto != bpf_htons(ETH_P_RARP) &&
		eth->h_proto != bpf_htons(ETH_P_8021Q) && eth->h_proto != bpf_htons(ETH_P_8021AD) &&
		bpf_ntohs(eth->h_proto) >= 0x600;
}

/* A verdict of tc, GOES_UP or MISSED. */
INLINE int by_session(struct __sk_buff *skb, const struct ingress *in)
{
	const struct tn_ebpf_config *c = config();
	struct frame f = {0};
	bool ip6;

	if (!c || c->abi != TN_EBPF_ABI)
		return GOES_UP;
	look(skb, &f);
	if (!is_for_sessions(&f))
		return GOES_UP;
	ip6 = skb->protocol == bpf_htons(ETH_P_IPV6) || in->has_tun6;
	return ip6 ? by_key6(skb, &f, in, c) : by_key4(skb, &f, in, c);
}

INLINE bool goes_up(int verdict)
{
	if (verdict != GOES_UP && verdict != MISSED)
		return false;
	count(verdict == MISSED ? TN_EBPF_MISSES : TN_EBPF_UNUSUAL);
	return true;
}

SEC("tc")
int tn_ebpf_from_port(struct __sk_buff *skb)
{
	const struct tn_ebpf_port *port = port_of(skb->ifindex);
	struct ingress in = {0};
	int verdict;

	if (!port)
		return TC_ACT_SHOT; /* the port is going or coming: nothing of it may pass by */
	in.in_port = port->number;
	verdict = by_session(skb, &in);
	return goes_up(verdict) ? bpf_redirect(port->to, 0) : verdict;
}

/* What the VXLAN device knew of the packet: false: nothing. */
INLINE bool outer(struct __sk_buff *skb, struct ingress *in, struct tn_ebpf_tunnel_head *head)
{
	struct bpf_tunnel_key key = {0};

	if (!get_tunnel_key(skb, &key, 0)) {
		in->tun4 = bpf_htonl(key.remote_ipv4);
		map4(head->remote, in->tun4);
		map4(head->local, bpf_htonl(key.local_ipv4));
	} else if (!get_tunnel_key(skb, &key, BPF_F_TUNINFO_IPV6)) {
		in->has_tun6 = true;
		__builtin_memcpy(in->tun6, key.remote_ipv6, 16);
		__builtin_memcpy(head->remote, key.remote_ipv6, 16);
		__builtin_memcpy(head->local, key.local_ipv6, 16);
	} else {
		return false;
	}
	in->vni = head->vni = key.tunnel_id;
	head->tos = key.tunnel_tos;
	head->ttl = key.tunnel_ttl;
	return true;
}

SEC("tc")
int tn_ebpf_from_tunnel(struct __sk_buff *skb)
{
	const struct tn_ebpf_port *port = port_of(skb->ifindex);
	struct tn_ebpf_tunnel_head head = {0};
	struct ingress in = {0};
	int verdict;

	if (!port || !outer(skb, &in, &head))
		return TC_ACT_SHOT;
	in.in_port = port->number;
	verdict = by_session(skb, &in);
	if (!goes_up(verdict))
		return verdict;
	if (bpf_skb_change_head(skb, sizeof(head), 0) ||
		bpf_skb_store_bytes(skb, 0, &head, sizeof(head), 0))
		return TC_ACT_SHOT;
	return bpf_redirect(port->to, 0);
}

/*
 * --- the short way out of a tunnel ---
 *
 * What has a session needs neither the kernel's IP, UDP and VXLAN nor another round of its queues:
 * the outer headers come off as soon as the uplink has the packet. Only what leaves nothing to
 * decide is taken: IPv4 as the kernel's own VXLAN sends it, within it IPv4, no large frame (the
 * kernel knows how to take a tunnel off these). All else goes on to the device.
 */
#define OUTER4	 (sizeof(struct iphdr) + sizeof(struct udphdr) + 8)
#define ORDER_NS 100000000ull /* what went to the device by then has arrived */

struct outer4 {
	uint16_t first, tot_len, id, frag_off;
	uint8_t ttl, proto;
	uint16_t check;
	uint16_t src[2], dst[2];
	uint16_t udp_src, udp_dst, udp_len, udp_check;
	uint16_t vxlan[4];
};

_Static_assert(sizeof(struct outer4) == OUTER4, "as on the wire");

INLINE bool is_right_sum(const struct outer4 *o)
{
	const uint16_t *words = &o->first;
	uint32_t sum = 0;

	for (int i = 0; i < 10; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff || sum == 0x1fffe;
}

/* The VNI; TN_EBPF_ANY_VNI: not for the short way. A congestion mark is the device's to copy. */
INLINE uint32_t short_vni(const struct outer4 *o, const struct tn_ebpf_port *port, uint32_t len)
{
	bool fits = (o->first & bpf_htons(0xff01)) == bpf_htons(0x4500) &&
		!(o->frag_off & bpf_htons(0x3fff)) && o->proto == IPPROTO_UDP &&
		*(word32 *)o->dst == port->local4 && o->udp_dst == bpf_htons(port->udp_port) &&
		bpf_ntohs(o->tot_len) == len &&
		bpf_ntohs(o->udp_len) == len - sizeof(struct iphdr) &&
		*(word32 *)o->vxlan == bpf_htonl(0x08000000) &&
		!(o->vxlan[3] & bpf_htons(0x00ff)) && is_right_sum(o);

	return fits ? bpf_ntohl(*(word32 *)(o->vxlan + 2)) >> 8 : TN_EBPF_ANY_VNI;
}

/* false: the frame is as it came. */
INLINE bool take_off(struct __sk_buff *skb)
{
	return !bpf_skb_adjust_room(skb, -(int)(OUTER4 + ETH_HLEN), BPF_ADJ_ROOM_MAC, 0);
}

INLINE int short_way(struct __sk_buff *skb, struct frame *f, const struct ingress *in)
{
	struct tn_ebpf_key4 k __attribute__((aligned(8))) = {0};
	const struct tn_ebpf_config *c = config();
	struct tn_ebpf_session *s;
	uint64_t now;

	if (!c || c->abi != TN_EBPF_ABI || !is_for_sessions(f) || !read_key4(skb, f, in, c, &k) ||
		k.h.eth_type != bpf_htons(ETH_P_IP))
		return TC_ACT_UNSPEC;
	s = found(bpf_map_lookup_elem(&tenon_session4, &k), c);
	if (!s)
		return TC_ACT_UNSPEC;
	now = bpf_ktime_get_coarse_ns(); /* what the data plane told may be a second old */
	/* None overtakes another of its session. */
	if (skb->gso_size || !can_act(skb, s, f))
		s->long_way_ns = now;
	if (now - s->long_way_ns < ORDER_NS || !take_off(skb))
		return TC_ACT_UNSPEC;
	if (bpf_skb_store_bytes(skb, 0, &k, ETH_HLEN, 0))
		return TC_ACT_SHOT;
	return act(skb, s, f, c);
}

SEC("tc")
int tn_ebpf_from_uplink(struct __sk_buff *skb)
{
	const uint32_t most = ETH_HLEN + OUTER4 + HEADERS_MAX4;
	const struct tn_ebpf_port *port = port_of(skb->ifindex);
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct frame f = {0};
	struct ingress in = {0};
	const struct outer4 *o;

	o = data + ETH_HLEN;
	if (!port || skb->protocol != bpf_htons(ETH_P_IP) || skb->vlan_present ||
		(void *)&o->udp_len > end || o->proto != IPPROTO_UDP ||
		o->udp_dst != bpf_htons(port->udp_port))
		return TC_ACT_UNSPEC;
	if (data + most > end && end - data < skb->len) {
		if (bpf_skb_pull_data(skb, skb->len < most ? skb->len : most))
			return TC_ACT_UNSPEC;
		data = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
	}
	o = data + ETH_HLEN;
	if ((void *)(o + 1) > end)
		return TC_ACT_UNSPEC;
	in.vni = short_vni(o, port, skb->len - ETH_HLEN);
	/* A checksum that no device has looked at is the kernel's to look at. */
	if (in.vni == TN_EBPF_ANY_VNI ||
		(o->udp_check && bpf_csum_level(skb, BPF_CSUM_LEVEL_QUERY) < 0))
		return TC_ACT_UNSPEC;
	in.in_port = port->number;
	in.tun4 = *(word32 *)o->src;
	f.data = (void *)(o + 1);
	f.end = end;
	f.len = skb->len - ETH_HLEN - OUTER4;
	return short_way(skb, &f, &in);
}

SEC("tc")
int tn_ebpf_to_port(struct __sk_buff *skb)
{
	const struct tn_ebpf_port *port = port_of(skb->ifindex);

	return port ? bpf_redirect(port->to, 0) : TC_ACT_SHOT;
}

/* The data plane's frame, where it is to go behind it. */
SEC("tc")
int tn_ebpf_to_tunnel(struct __sk_buff *skb)
{
	const struct tn_ebpf_port *port = port_of(skb->ifindex);
	struct tn_ebpf_session s = {.flags = TN_EBPF_TUNNEL};
	struct tn_ebpf_tunnel_head head;
	uint32_t len = skb->len;

	if (!port || len <= sizeof(head) + ETH_HLEN ||
		bpf_skb_load_bytes(skb, len - sizeof(head), &head, sizeof(head)) ||
		bpf_skb_change_tail(skb, len - sizeof(head), 0))
		return TC_ACT_SHOT;
	s.out = port->to;
	s.vni = head.vni;
	s.tun_tos = head.tos;
	s.tun_ttl = head.ttl;
	s.tun_flags = head.flags;
	if (*(uint64_t *)head.remote || *(uint32_t *)(head.remote + 8) != 0xffff0000) {
		s.flags |= TN_EBPF_TUNNEL6;
		__builtin_memcpy(s.remote, head.remote, 16);
		__builtin_memcpy(s.local, head.local, 16);
	} else {
		__builtin_memcpy(s.remote, head.remote + 12, 4);
		__builtin_memcpy(s.local, head.local + 12, 4);
	}
	return into_tunnel(skb, &s, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
