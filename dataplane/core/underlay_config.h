/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a client says about tunnels and the network below them: options of vxlan ports, addresses,
 * routes and neighbours. Plain data; pointers are borrowed. Addresses as tn_u128: IPv4 is
 * ::ffff:a.b.c.d.
 */
#ifndef TN_CORE_UNDERLAY_CONFIG_H
#define TN_CORE_UNDERLAY_CONFIG_H

#include "dataplane/core/field.h"
#include "dataplane/core/types.h"

/* "remote" and "vni" of a vxlan port may be the word "flow": taken from each packet's flow. */
struct tn_vxlan_options {
	bool has_local;
	tn_u128 local; /* outer source; IPv4-mapped or IPv6 */
	bool remote_flow;
	tn_u128 remote;
	bool vni_flow;
	uint32_t vni;
	uint16_t udp_port;  /* default 4789 */
	bool udp_checksum;  /* default false */
	uint8_t ttl;	    /* default 64 */
	int16_t dscp;	    /* 0-63; -1 (default): the inner one */
	bool dont_fragment; /* default true */
	/* Who may send to us, beside `remote` and every tunnel destination: further endpoints (with
	 * remote "flow") and networks (with vni "flow"). Empty: with "flow", any. */
	const tn_u128 *peers;
	size_t n_peers;
	const uint32_t *vnis;
	size_t n_vnis;
};

struct tn_underlay_address {
	tn_u128 address;
	uint8_t prefix_len; /* of the IPv4 or IPv6 address */
	struct tn_mac mac;
	/*
	 * Uplink; 0: any that has an address of its own (this one may be a loopback's), and in a
	 * replay frames use the vxlan port's own capture.
	 */
	uint32_t port;
};

/* A route's port: the host reaches the prefix past the uplinks, so no tunnel does. */
#define TN_UNDERLAY_ELSEWHERE 0xffffffffu

struct tn_underlay_route {
	tn_u128 prefix;
	uint8_t prefix_len; /* 0-32 for IPv4-mapped, 0-128 for IPv6 */
	bool is_ip4;
	tn_u128 via;   /* next hop; 0: on link */
	uint32_t port; /* 0: the neighbour's; TN_UNDERLAY_ELSEWHERE */
};

/* A neighbour's address: stands for each that no other one has, on its port. */
#define TN_UNDERLAY_ANY_NEIGHBOUR ((tn_u128)0)

struct tn_underlay_neighbour {
	tn_u128 address;
	struct tn_mac mac;
	uint32_t port;
};

/* The whole of it. Several routes of one prefix are next hops of equal cost. */
struct tn_underlay_config {
	const struct tn_underlay_address *addresses;
	size_t n_addresses;
	const struct tn_underlay_route *routes;
	size_t n_routes;
	const struct tn_underlay_neighbour *neighbours;
	size_t n_neighbours;
};

/* One vxlan port. */
struct tn_tunnel_config {
	uint32_t number; /* OpenFlow port */
	struct tn_vxlan_options options;
};

#endif
