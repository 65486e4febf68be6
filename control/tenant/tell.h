/* SPDX-License-Identifier: BSD-3-Clause */
/* What a machine is told of its network: DHCP options, the body of a router advertisement. */
#ifndef TN_TENANT_TELL_H
#define TN_TENANT_TELL_H

#include "control/tenant/state.h"
#include "dataplane/core/reply.h"

#define TN_LEASE_SECONDS 86400u
/* Who answers DHCP where no gateway does. */
#define TN_DHCP_SERVER UINT32_C(0xa9fea9fe) /* 169.254.169.254 */

/* Bytes for REPLY; at most TN_REPLY_DATA_MAX. */
struct tn_told {
	uint8_t data[TN_REPLY_DATA_MAX];
	uint32_t n;
};

/* DHCPv4 options for a port with an address of a subnet. */
void tn_tell_dhcp4(const struct tn_compiler *c, const struct tn_vport *port,
	const struct tn_sub *sub, struct tn_told *told);
void tn_tell_dhcp6(const struct tn_vport *port, const struct tn_sub *sub, struct tn_told *told);
/* Of a network. false: none of its subnets says that there are router advertisements. */
bool tn_tell_ra(const struct tn_compiler *c, const struct tn_net *net, struct tn_told *told);

#endif
