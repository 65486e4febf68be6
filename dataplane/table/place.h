/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a station of a network is, and networks by number. Plain data.
 *
 * A network is a VLAN of NORMAL or a tunnel id of LEARN and SNOOP: each has numbers of its own.
 */
#ifndef TN_TABLE_PLACE_H
#define TN_TABLE_PLACE_H

#include "dataplane/core/field.h"
#include "dataplane/core/program.h"
#include "dataplane/core/types.h"

struct tn_place {
	uint32_t port;
	struct tn_circuit circuit; /* behind the port */
	tn_u128 tunnel;		   /* the far end behind a tunnel port; 0: the port is no tunnel */
};

static inline bool tn_circuit_equal(const struct tn_circuit *a, const struct tn_circuit *b)
{
	return a->number == b->number && a->table == b->table && a->field == b->field;
}

static inline bool tn_place_equal(const struct tn_place *a, const struct tn_place *b)
{
	return a->port == b->port && a->tunnel == b->tunnel &&
		tn_circuit_equal(&a->circuit, &b->circuit);
}

#define TN_NETWORK_NONE UINT32_MAX

static inline uint32_t tn_network_of_vlan(uint16_t vid)
{
	return vid;
}

/* NONE: a tunnel id over 24 bits. */
static inline uint32_t tn_network_of_tunnel(uint64_t tunnel_id)
{
	return tunnel_id >> 24 ? TN_NETWORK_NONE : 1u << 31 | (uint32_t)tunnel_id;
}

/*
 * What is learnt in a network concerns those who share its class: few of the others, so that one
 * network cannot make all decisions be made again.
 */
#define TN_NETWORK_CLASSES 23u

static inline unsigned tn_network_class(uint32_t network)
{
	return (unsigned)(network * UINT64_C(0x9e3779b97f4a7c15) >> 40) % TN_NETWORK_CLASSES;
}

#endif
