/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tenant pipeline: its tables, registers, priorities and numbers. README.md has the picture;
 * pattern.h publishes it and holds other flows to it.
 */
#ifndef TN_TENANT_LAYOUT_H
#define TN_TENANT_LAYOUT_H

#include "dataplane/core/field.h"
#include "dataplane/core/openflow.h"

enum tn_tenant_table {
	TN_TABLE_INGRESS,    /* port and VLAN, or endpoint and VNI -> network and source */
	TN_TABLE_SECURITY,   /* may the source send this? */
	TN_TABLE_POLICY_OUT, /* limits and DSCP of what a port sends; learning */
	TN_TABLE_SERVICES,   /* ARP, ND, DHCP, RA answered; what goes to the gateway */
	TN_TABLE_ROUTING,    /* by router and address -> network and next hop */
	TN_TABLE_BRIDGE,     /* by network and MAC -> destination; flooding */
	TN_TABLE_POLICY_IN,  /* limits of what a port gets */
	TN_TABLE_OUTPUT,     /* destination -> port of the switch */
	TN_TENANT_N_TABLES
};
/* Tables up to here are the pipeline's or kept for it; from the next on they are operators'. */
#define TN_TENANT_TABLE_LAST 31u

/* "ingress", ... */
extern const char *const tn_tenant_table_names[TN_TENANT_N_TABLES];

/*
 * The network is TUNNEL_ID, its VNI. Sources and destinations are numbers of tn_numbers: a local
 * port, or an endpoint that is no Tenon host with a network of its own.
 */
#define TN_REG_FLAGS	   TN_FIELD_REG0
#define TN_REG_SOURCE	   TN_FIELD_REG1 /* 0: another Tenon host, or the packet was routed */
#define TN_REG_DESTINATION TN_FIELD_REG2
#define TN_REG_ROUTER	   TN_FIELD_REG3
/* reg4 to reg7 are kept; reg8 to reg15, metadata and pkt_mark are operators'. */
#define TN_REG_KEPT_LAST TN_FIELD_REG7

#define TN_FLAG_TUNNEL	0x1u /* out of a tunnel and not routed since: no tunnel again */
#define TN_FLAG_HOST	0x2u /* from another Tenon host, which checked and served it */
#define TN_FLAG_SECURED 0x4u /* its source has port security */

/* Priorities of the pipeline; others may use those above and below. */
#define TN_TENANT_PRIORITY_MIN 10000u
#define TN_TENANT_PRIORITY_MAX 49999u

/* Groups and meters of the pipeline. */
#define TN_TENANT_GROUP_MIN 0x40000000u
#define TN_TENANT_GROUP_MAX 0x4fffffffu
#define TN_TENANT_METER_MIN 0x40000000u
#define TN_TENANT_METER_MAX 0x4fffffffu
/* The high byte of a group's number says what it is, the rest whose. */
#define TN_GROUP_FLOOD	       0x41000000u /* of a VNI: to ports and endpoints */
#define TN_GROUP_FLOOD_LOCAL   0x42000000u /* of a VNI: to ports */
#define TN_GROUP_UNKNOWN       0x43000000u /* of a VNI: where unknown addresses may be */
#define TN_GROUP_UNKNOWN_LOCAL 0x44000000u
#define TN_GROUP_FLOOD_BUT     0x45000000u /* of a source: its network without it */
#define TN_GROUP_ROUTE	       0x46000000u /* of a route with several next hops */
#define TN_GROUP_SERVED	       0x47000000u /* of a VNI: endpoints that this host answers */

/* Of a port: what it sends and what it gets, each by bits and by packets. */
enum tn_tenant_meter {
	TN_METER_OUT_BITS,
	TN_METER_OUT_PACKETS,
	TN_METER_IN_BITS,
	TN_METER_IN_PACKETS,
	TN_TENANT_N_METERS
};
static inline uint32_t tn_meter_id(uint32_t number, enum tn_tenant_meter meter)
{
	return TN_TENANT_METER_MIN + number * TN_TENANT_N_METERS + (uint32_t)meter;
}

/* Ports of the switch. */
#define TN_TENANT_PORT_BASE   1000000u /* and the number of the tenant's port */
#define TN_TENANT_VXLAN4_PORT 999994u
#define TN_TENANT_VXLAN6_PORT 999996u
#define TN_TENANT_NUMBER_MAX  0xffffffu

/*
 * The gateway of every subnet on every host: one locally administered address, so that a machine
 * that moves finds it where it goes, and the link-local address that follows from it.
 */
#define TN_GATEWAY_MAC UINT64_C(0x02005e000101)
#define TN_GATEWAY_LINK_LOCAL \
	((tn_u128)UINT64_C(0xfe80000000000000) << 64 | UINT64_C(0x00005efffe000101))

/* Router advertisements that nobody asked for: RFC 4861's MinRtrAdvInterval, MaxRtrAdvInterval. */
#define TN_ADVERTISE_MIN_SECONDS 200u
#define TN_ADVERTISE_MAX_SECONDS 600u
/* The source of what no packet has: flows that do by themselves what they do. */
#define TN_SOURCE_NOBODY UINT32_MAX

/* Cookies of the pipeline's flows. */
#define TN_TENANT_COOKIE      (UINT64_C(0x74) << 56)
#define TN_TENANT_COOKIE_MASK (UINT64_C(0xff) << 56)

#endif
