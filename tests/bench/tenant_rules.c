/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/tenant_rules.h"

#include <stdlib.h>

#define NAMED(name)               \
	{                         \
		name, "", "t", "" \
	}
#define BOUND(kind_, host_, device_)                                                 \
	{                                                                            \
		.kind = kind_, .host = host_, .vhost_socket = "", .device = device_, \
		.datapath = ""                                                       \
	}

static const struct tn_prefix all_ten = {(tn_u128)0xffff << 32 | 0x0a000000, 8, true};
static const struct tn_address_pair pairs[] = {{.ip_address = all_ten}};
static const struct tn_fixed_ip ip_here[] = {{"", (tn_u128)0xffff << 32 | 0x0a000001}};
static const struct tn_fixed_ip ip_there[] = {{"", (tn_u128)0xffff << 32 | 0x0a010002}};
static const struct tn_router_interface interfaces[] = {{"sub"}};

static const struct tn_network network = {
	.c = NAMED("net"), .vni = 100, .admin_state_up = true, .qos_policy_id = ""};
static const struct tn_subnet subnet = {.c = NAMED("sub"),
	.network_id = "net",
	.cidr = all_ten,
	.has_gateway = true,
	.gateway_ip = (tn_u128)0xffff << 32 | 0x0afffffe,
	.enable_dhcp = true};
static const struct tn_router router = {
	.c = NAMED("r"), .admin_state_up = true, .interfaces = interfaces, .n_interfaces = 1};
static const struct tn_tenant_port here = {.c = NAMED("here"),
	.network_id = "net",
	.mac_address = {{2, 0, 0, 0, 0, 1}},
	.fixed_ips = ip_here,
	.n_fixed_ips = 1,
	.allowed_address_pairs = pairs,
	.n_allowed_address_pairs = 1,
	.admin_state_up = true,
	.port_security_enabled = true,
	.qos_policy_id = "",
	.binding = BOUND(TN_BINDING_BAREMETAL, "h1", "nic")};
static const struct tn_tenant_port there = {.c = NAMED("there"),
	.network_id = "net",
	.mac_address = {{2, 0, 0, 0, 0, 2}},
	.fixed_ips = ip_there,
	.n_fixed_ips = 1,
	.admin_state_up = true,
	.port_security_enabled = true,
	.qos_policy_id = "",
	.binding = BOUND(TN_BINDING_VM, "h2", "")};

void tenant_rules(uint32_t in_port, tn_u128 local, tn_u128 remote, struct tn_compiled *compiled)
{
	static tn_u128 vteps[2];
	static struct tn_tenant_host hosts[2] = {{.c = NAMED("h1")}, {.c = NAMED("h2")}};
	const struct tn_tenant_change changes[] = {{TN_TENANT_HOST, "h1", &hosts[0]},
		{TN_TENANT_HOST, "h2", &hosts[1]}, {TN_TENANT_NETWORK, "net", &network},
		{TN_TENANT_SUBNET, "sub", &subnet}, {TN_TENANT_ROUTER, "r", &router},
		{TN_TENANT_PORT, "here", &here}, {TN_TENANT_PORT, "there", &there}};
	struct tn_compiler *c = tn_compiler_new("h1", 1, tn_numbers_new());

	vteps[0] = local;
	vteps[1] = remote;
	for (unsigned i = 0; i < 2; i++) {
		hosts[i].vtep_addresses = &vteps[i];
		hosts[i].n_vtep_addresses = 1;
	}
	tn_compiler_set_device(c, "nic", in_port);
	tn_compiler_change(c, changes, TN_ARRAY_SIZE(changes), compiled);
}
