/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tenant networks as their owners declare them, with the names of OpenStack Networking (Neutron):
 * networks, subnets, ports, routers, hosts, QoS policies and address groups. Plain data; what
 * pointers lead to lives in the arena or with the caller. Addresses as tn_u128: IPv4 is
 * ::ffff:a.b.c.d. Ids are strings that the client chose or was given (a UUID), unique by kind.
 */
#ifndef TN_MODEL_TENANT_H
#define TN_MODEL_TENANT_H

#include "dataplane/core/field.h"
#include "dataplane/core/types.h"

#define TN_TENANT_ID_MAX 64u /* bytes of an id, of a tenant's name, of a host's name */

enum tn_tenant_kind {
	TN_TENANT_NETWORK,
	TN_TENANT_SUBNET,
	TN_TENANT_PORT,
	TN_TENANT_ROUTER,
	TN_TENANT_HOST,
	TN_TENANT_QOS_POLICY,
	TN_TENANT_ADDRESS_GROUP,
	TN_TENANT_QUOTA,
	TN_TENANT_N_KINDS
};

/* What every object has. */
struct tn_tenant_common {
	const char *id;
	const char *name;      /* "": none; for people, need not be unique */
	const char *tenant_id; /* owner; "" of hosts, which nobody owns */
	const char *description;
};

struct tn_prefix {
	tn_u128 address;
	uint8_t len; /* 0-32 for IPv4-mapped, 0-128 for IPv6 */
	bool is_ip4;
};

struct tn_host_route {
	struct tn_prefix destination;
	tn_u128 next_hop;
};

enum tn_unknown_unicast { TN_UNKNOWN_DROP, TN_UNKNOWN_FLOOD };

struct tn_network {
	struct tn_tenant_common c;
	uint32_t
		vni; /* "vni" (Neutron: provider:segmentation_id), 1-16777215; 0: to be allocated */
	uint32_t mtu; /* of the tenants' IP packets; 0: computed from the underlay's */
	bool admin_state_up;
	bool port_security_enabled;		 /* default of its ports */
	enum tn_unknown_unicast unknown_unicast; /* "unknown_unicast": "drop" (default) | "flood" */
	bool multicast_snooping;		 /* default true */
	const char *qos_policy_id;		 /* "": none; default of its ports */
};

struct tn_pool {
	tn_u128 start, end;
};

enum tn_ipv6_mode { TN_IPV6_NONE, TN_IPV6_SLAAC, TN_IPV6_STATEFUL, TN_IPV6_STATELESS };

struct tn_subnet {
	struct tn_tenant_common c;
	const char *network_id;
	struct tn_prefix cidr; /* ip_version follows from it */
	bool has_gateway;      /* "gateway_ip": null: none; absent: the first address */
	tn_u128 gateway_ip;
	bool enable_dhcp;	     /* DHCPv4, or for IPv6 what ipv6_mode says */
	enum tn_ipv6_mode ipv6_mode; /* "ipv6_address_mode"; router advertisements go with it */
	const struct tn_pool *allocation_pools;
	uint32_t n_allocation_pools;
	const tn_u128 *dns_nameservers;
	uint32_t n_dns_nameservers;
	const struct tn_host_route *host_routes;
	uint32_t n_host_routes;
};

enum tn_binding_kind {
	TN_BINDING_NONE, /* declared, attached nowhere yet */
	TN_BINDING_VM,
	TN_BINDING_CONTAINER,
	TN_BINDING_BAREMETAL,
	TN_BINDING_REMOTE, /* behind a VTEP that is no Tenon: a switch, a Linux kernel */
};

struct tn_binding {
	enum tn_binding_kind kind;
	const char *host;	  /* id of the host; of "remote": "" */
	const char *vhost_socket; /* VM: path; "": made of the port's id */
	bool vhost_server;	  /* VM: the switch listens and the guest connects */
	const char *device;	  /* container: veth; bare metal: name of a switch port (a NIC) */
	const char *datapath;	  /* container, bare metal NIC: "afxdp" (default), "ebpf" */
	bool has_vlan;		  /* bare metal: trunk port; else access */
	uint16_t vlan;		  /* 1-4094 */
	tn_u128 vtep;		  /* remote: its tunnel endpoint */
};

struct tn_fixed_ip {
	const char *subnet_id; /* "": the one that holds the address */
	tn_u128 ip_address;    /* 0: to be allocated from the subnet's pools */
};

struct tn_address_pair {
	struct tn_prefix ip_address;
	bool has_mac;
	struct tn_mac mac_address;
};

struct tn_dhcp_option {
	const char *name; /* "opt_name": "tftp-server", "bootfile-name", ..., or a number */
	const char *value;
	uint8_t ip_version; /* 4 or 6 */
};

struct tn_tenant_port {
	struct tn_tenant_common c;
	const char *network_id;
	struct tn_mac mac_address; /* all zero: to be made (02:...) */
	const struct tn_fixed_ip *fixed_ips;
	uint32_t n_fixed_ips;
	const struct tn_address_pair *allowed_address_pairs;
	uint32_t n_allowed_address_pairs;
	bool admin_state_up;
	bool port_security_enabled;
	bool mac_learning_enabled; /* further MAC addresses are learnt behind it; needs no security
				    */
	uint32_t mac_learning_limit;
	const char *qos_policy_id; /* "": the network's */
	const struct tn_dhcp_option *extra_dhcp_opts;
	uint32_t n_extra_dhcp_opts;
	const char *device_id, *device_owner; /* of the orchestrator, kept for it; "": none */
	struct tn_binding binding;
};

struct tn_router_interface {
	const char *subnet_id; /* its gateway_ip is the router's address there */
};

struct tn_router_route {
	struct tn_prefix destination;
	tn_u128 next_hop; /* several of one destination: equal cost */
};

struct tn_router {
	struct tn_tenant_common c;
	bool admin_state_up;
	const struct tn_router_interface *interfaces;
	uint32_t n_interfaces;
	const struct tn_router_route *routes;
	uint32_t n_routes;
};

struct tn_tenant_host {
	struct tn_tenant_common c;     /* id: the host's name */
	const tn_u128 *vtep_addresses; /* IPv4 and IPv6; the first of a family counts */
	uint32_t n_vtep_addresses;
	uint32_t underlay_mtu; /* 0: 1500 */
};

struct tn_rate_limit {
	bool there;
	uint32_t max_kbps, max_burst_kbps; /* burst 0: a tenth of a second */
	uint32_t max_kpps;		   /* 0: none */
};

struct tn_qos_policy {
	struct tn_tenant_common c;
	struct tn_rate_limit egress, ingress; /* as Neutron: egress is what the port sends */
	int16_t dscp_mark;		      /* 0-63; -1: as it comes */
};

struct tn_address_group {
	struct tn_tenant_common c;
	const struct tn_prefix *addresses;
	uint32_t n_addresses;
};

struct tn_tenant_quota {
	struct tn_tenant_common
		c; /* id: the tenant's; "*": of tenants that have none of their own */
	int32_t networks, subnets, ports, routers, qos_policies, address_groups; /* -1: no limit */
};

/* A whole declaration; arrays in any order. What validation and the compiler read. */
struct tn_tenancy {
	const struct tn_network *networks;
	uint32_t n_networks;
	const struct tn_subnet *subnets;
	uint32_t n_subnets;
	const struct tn_tenant_port *ports;
	uint32_t n_ports;
	const struct tn_router *routers;
	uint32_t n_routers;
	const struct tn_tenant_host *hosts;
	uint32_t n_hosts;
	const struct tn_qos_policy *qos_policies;
	uint32_t n_qos_policies;
	const struct tn_address_group *address_groups;
	uint32_t n_address_groups;
};

#endif
