/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * What the kernel's programs and the data plane share: the layout of every map. BPF-safe.
 *
 * The data plane decides; the programs only repeat what it decided for a packet with the same key.
 * A packet that has no session, or one the programs do not understand, goes up to the data plane.
 *
 * A session says in which version of the switch it was decided and on which epochs that depended,
 * as the sessions of workers do. The data plane raises `version` and the epochs in struct
 * tn_ebpf_config before a receipt; a session that is older than an epoch it depends on is no
 * session any more.
 *
 * Layouts are an interface between processes, since maps outlive the one that made them: whoever
 * changes one raises TN_EBPF_ABI.
 */
#ifndef TN_EBPF_SESSION_H
#define TN_EBPF_SESSION_H

#include "dataplane/core/types.h"

#define TN_EBPF_ABI 5u

#define TN_EBPF_EPOCHS	     64u
#define TN_EBPF_SESSIONS_MAX 65536u
#define TN_EBPF_PORTS_MAX    4096u
#define TN_EBPF_SLOTS	     4096u /* a power of two */
#define TN_EBPF_PEERS_MAX    65536u
#define TN_EBPF_STATIONS_MAX 65536u
#define TN_EBPF_QUEUES_MAX   64u /* of a shared uplink */

/*
 * What tells packets apart: everything of an ordinary packet that a flow table can read. Packet
 * members are as they lie in the frame, in_port and tunnel_id in host order. Members that the
 * tables do not read (struct tn_ebpf_config) and those that do not apply are zero.
 */
struct tn_ebpf_key_head {
	uint8_t eth_dst[6], eth_src[6];
	uint16_t eth_type;
	uint16_t vlan_tci; /* as in the flow key: TN_VLAN_PRESENT, no DEI; network order */
	uint32_t in_port, tunnel_id;
	uint16_t tp_src, tp_dst; /* ICMP: type and code */
	uint8_t ip_tos, ip_ttl, ip_proto, pad;
};

/* IPv4, ARP-less and other frames; not out of a tunnel over IPv6. 48 bytes. */
struct tn_ebpf_key4 {
	struct tn_ebpf_key_head h;
	uint32_t ip_src, ip_dst; /* zero in frames that are not IPv4 */
	uint32_t tun_src;
	uint16_t tcp_flags, pad;
};

/* IPv6, and everything out of a tunnel over IPv6 (IPv4 addresses as ::ffff:a.b.c.d). 88 bytes. */
struct tn_ebpf_key6 {
	struct tn_ebpf_key_head h;
	uint8_t ip_src[16], ip_dst[16];
	uint8_t tun_src[16];
	uint16_t tcp_flags, pad;
	uint32_t pad2;
};

_Static_assert(sizeof(struct tn_ebpf_key_head) == 32, "no hole: keys are hashed as bytes");
_Static_assert(sizeof(struct tn_ebpf_key4) == 48, "no hole: keys are hashed as bytes");
_Static_assert(sizeof(struct tn_ebpf_key6) == 88, "no hole: keys are hashed as bytes");

enum tn_ebpf_flags {
	TN_EBPF_SET_DST = 1u << 0,  /* eth_dst */
	TN_EBPF_SET_SRC = 1u << 1,  /* eth_src */
	TN_EBPF_DEC_TTL = 1u << 2,  /* IPv4 and IPv6; one that would expire goes up */
	TN_EBPF_SET_TOS = 1u << 3,  /* tos under tos_mask */
	TN_EBPF_POP_VLAN = 1u << 4, /* before a push */
	TN_EBPF_PUSH_VLAN = 1u << 5,
	TN_EBPF_METER = 1u << 6,   /* meter: index into the meters */
	TN_EBPF_TUNNEL = 1u << 7,  /* out is the VXLAN device, by the tunnel members */
	TN_EBPF_TUNNEL6 = 1u << 8, /* their addresses are IPv6 */
	TN_EBPF_PEER = 1u << 9,	   /* out is a veth: straight into what is behind it */
	TN_EBPF_DROP = 1u << 10,   /* `drop` says why */
};

/* What becomes of such a packet. Written whole by the data plane but for the counters. */
struct tn_ebpf_session {
	uint64_t classes; /* bitmap of the epochs it depends on */
	uint32_t version; /* it was decided in, or found to be still right in */
	uint32_t keys;	  /* config.keys it was keyed under */
	uint32_t flags;	  /* enum tn_ebpf_flags */
	uint32_t out;	  /* ifindex */
	/* Longest IP packet, of a large frame each piece; of other frames all behind the Ethernet
	 * header. Longer ones go up. 0: any. */
	uint32_t max_len;
	uint32_t meter;
	uint8_t eth_dst[6], eth_src[6];
	uint16_t vlan_tci, vlan_proto; /* PUSH_VLAN: PCP and VID in host order; network order */
	/* TUNNEL */
	uint32_t vni;
	uint8_t remote[16], local[16]; /* IPv4: the first four bytes, network order */
	uint8_t tun_tos, tun_tos_mask; /* outer TOS = (inner & mask) | tos */
	uint8_t tun_ttl;
	uint8_t tun_flags; /* TN_EBPF_TUN_* */
	uint8_t tos, tos_mask;
	uint8_t drop; /* enum tn_drop */
	uint8_t pad;
	uint32_t slot; /* the data plane's: of what it counts for */
	/* written by the programs */
	uint64_t packets, bytes; /* added up, of large frames as the wire has them */
	uint64_t last_used_ns;	 /* config.now_ns of that moment */
	uint64_t metered_packets, metered_bytes; /* of these, what a meter dropped */
	uint64_t long_way_ns; /* coarse CLOCK_MONOTONIC of a frame left to the VXLAN device */
};

#define TN_EBPF_TUN_DF	 0x01u
#define TN_EBPF_TUN_CSUM 0x02u /* UDP checksum */

/* Which optional members keys have: bits of tn_ebpf_config.keys. */
#define TN_EBPF_KEY_TTL	      0x1u
#define TN_EBPF_KEY_TCP_FLAGS 0x2u
#define TN_EBPF_KEY_TOS	      0x4u
#define TN_EBPF_KEY_L4	      0x8u  /* ports, ICMP type and code */
#define TN_EBPF_KEY_IP	      0x10u /* addresses, protocol */
#define TN_EBPF_KEY_GEN_SHIFT 8u    /* above: a number that changes with every change of them */

/* One, in an array that the data plane maps into its memory. */
struct tn_ebpf_config {
	uint32_t abi;
	uint32_t version; /* of the switch; 0: no session is right */
	uint32_t keys;
	uint32_t pad;
	uint64_t now_ns;		/* CLOCK_MONOTONIC, as the data plane last wrote it */
	uint32_t epoch[TN_EBPF_EPOCHS]; /* version in which each was last raised */
};

enum tn_ebpf_interface {
	TN_EBPF_IS_PORT = 1, /* a container's veth, a NIC */
	TN_EBPF_IS_TUNNEL,   /* the VXLAN device */
	TN_EBPF_IS_TAP,	     /* of the data plane, for one of these */
	TN_EBPF_IS_UPLINK,   /* what VXLAN packets come in by */
};

/* Of the interface that a packet comes in by. */
struct tn_ebpf_port {
	uint32_t number; /* of the switch */
	uint32_t to;	 /* ifindex: the TAP that leads up; of a TAP, where its frames go out */
	uint16_t kind;	 /* enum tn_ebpf_interface */
	/* IS_UPLINK: this host's tunnel endpoint; IS_TUNNEL: of the device, ip6 by sockets of IPv6
	 */
	uint16_t udp_port; /* host order */
	uint32_t local4;   /* network order; 0: none */
	uint32_t ip6;
	uint32_t ifindex; /* its own. Last: written last */
};

_Static_assert(sizeof(struct tn_ebpf_port) % 8 == 0, "the kernel writes words, the last one last");

/* Counted by the programs, by CPU. */
enum tn_ebpf_counter {
	TN_EBPF_HITS,	     /* done in the kernel */
	TN_EBPF_MISSES,	     /* no session, or a stale one: up */
	TN_EBPF_UNUSUAL,     /* not of the common shape: up */
	TN_EBPF_GUARD_PEER,  /* dropped: VXLAN from an endpoint that is not declared */
	TN_EBPF_GUARD_VNI,   /* dropped: a network that is not declared */
	TN_EBPF_GUARD_SHORT, /* dropped: not a whole VXLAN header */
	TN_EBPF_METERED,     /* dropped by a meter */
	TN_EBPF_DROPPED,     /* dropped as the session says */
	TN_EBPF_TO_WORKERS,  /* VXLAN of a shared uplink: to a worker's socket */
	TN_EBPF_N_COUNTERS
};

/*
 * Who may send VXLAN, and for which network. vni TN_EBPF_ANY_VNI: for each that is declared, which
 * are all when that is one of them. Address zero, for any network alone: everybody.
 */
#define TN_EBPF_ANY_VNI	 0xffffffffu
#define TN_EBPF_SOME_VNI 0xfffffffeu /* allows none; says that the endpoint is known for some */

struct tn_ebpf_peer {
	uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint32_t vni;
};

/*
 * An uplink that workers share with the kernel. VXLAN to one of these addresses in frames to this
 * MAC is shared out; all else is the kernel's.
 */
struct tn_ebpf_share {
	uint8_t mac[6];
	uint16_t on;	      /* 0: the kernel has it for itself */
	uint8_t local[2][16]; /* IPv4 as ::ffff:a.b.c.d, IPv6; zero: none */
};

/*
 * Who behind a shared uplink's tunnels is at a port of the kernel's: a destination that sessions
 * lead to. It says which way a frame goes up, not what becomes of it: either way decides that.
 */
struct tn_ebpf_station {
	uint32_t vni;
	uint8_t mac[6];
	uint16_t pad;
	uint8_t ip[16]; /* of who is behind a routing hop, IPv4 as ::ffff:a.b.c.d; zero: any */
};

_Static_assert(sizeof(struct tn_ebpf_station) == 28, "no hole: keys are hashed as bytes");

/*
 * What goes with a frame over the tunnel's TAP: up, before it, where it came from; down, behind it
 * (the kernel gives no way to take something off the front), where it is to go.
 */
struct tn_ebpf_tunnel_head {
	uint8_t remote[16], local[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint32_t vni;		       /* host order */
	uint8_t tos, ttl, flags, pad;
};

_Static_assert(sizeof(struct tn_ebpf_tunnel_head) == 40, "on the wire of the TAP");

/* A token bucket, in bytes or packets, neither rate nor burst above 9 * 10^8. The lock is the
 * kernel's (struct bpf_spin_lock). */
struct tn_ebpf_meter {
	uint32_t lock;
	uint32_t in_packets; /* 1: rate and burst count packets */
	uint64_t rate;	     /* a second */
	uint64_t burst;
	int64_t tokens; /* in billionths; below 0: a frame longer than the burst has taken more */
	uint64_t last_ns;
	/* Of frames as they are, large ones with the pieces that they become. */
	uint64_t packets, bytes, dropped_packets, dropped_bytes;
};

#define TN_EBPF_METERS_MAX 1024u

#endif
