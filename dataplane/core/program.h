/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An action program: what decide() found out must happen to a packet, in order, with every table
 * lookup, group choice and action set already resolved. Plain data that borrows counters and meters
 * from the snapshot it was decided on.
 */
#ifndef TN_CORE_PROGRAM_H
#define TN_CORE_PROGRAM_H

#include "dataplane/core/drop.h"
#include "dataplane/core/field.h"
#include "dataplane/core/meter.h"
#include "dataplane/core/types.h"

struct tn_action;

/* On one packet, all branches together. A longer one ends in a drop PROGRAM_TOO_LONG. */
#define TN_PROGRAM_OPS_MAX 4096u
/* CLONE in CLONE; a copy that would be deeper ends in the same drop. */
#define TN_CLONE_DEPTH_MAX 64u

enum tn_op_type {
	TN_OP_COUNT = 1, /* add the packet to *counter, or report it by identity */
	TN_OP_METER,	 /* meter: pass, drop or remark */
	TN_OP_SET,	 /* field = (field & ~mask) | (value & mask), checksums kept */
	TN_OP_PUSH_VLAN, /* new outer tag with ethertype and tci */
	TN_OP_POP_VLAN,
	TN_OP_DEC_TTL, /* TTL_EXPIRED drops and sends a packet-in INVALID_TTL */
	TN_OP_COPY_TTL_IN,
	TN_OP_COPY_TTL_OUT,
	TN_OP_TRUNCATE,	  /* frames sent from here on carry at most max_len bytes */
	TN_OP_OUTPUT,	  /* a copy, or with `last` the packet itself, to a port */
	TN_OP_CONTROLLER, /* the same, as packet-in */
	TN_OP_CLONE,	  /* the next n_nested ops work on a copy, which ends after them */
	TN_OP_DROP,	  /* the packet, or the clone, ends here */
	TN_OP_LEARN,	  /* the packet's source is there */
	TN_OP_REPARSE,	  /* stop: decide must see the packet's headers again (third VLAN tag) */
	TN_OP_REPLY,	  /* the packet becomes its answer; stop, as REPARSE */
	TN_OP_SNOOP,	  /* what the packet says of multicast groups is told; `learn` is where */
	TN_OP_IF_LONGER,  /* an IP packet of more than max_len: stop, other ops follow */
};

/*
 * What COUNT ops add up to, for engines that report counts to the one writer in place of writing
 * through the pointers: tn_switch_count().
 */
struct tn_count {
	uint64_t id; /* of a flow's, group's or bucket's counter; 0: none */
	uint64_t packets, bytes, last_used_ns;
	uint64_t lookups, matches; /* of the flow table */
	uint8_t table;
};

/*
 * An attachment circuit (RFC 4664): what is behind it is sent to by the flows of a table, which say
 * its tag, its limits and its port, and not by the port alone.
 */
struct tn_circuit {
	uint32_t number; /* 0: none */
	uint8_t table;
	uint8_t field; /* enum tn_field_id: of the register that holds the number there */
};

/* Where a source address was seen. Networks by the numbers of dataplane/table/place.h. */
struct tn_learnt {
	tn_u128 tunnel; /* the far end; 0: in_port is no tunnel */
	struct tn_mac mac;
	bool late; /* it was a while ago: where it was seen since counts more */
	uint32_t network;
	uint32_t in_port;
	uint32_t limit; /* addresses there; 0: the switch's own */
	struct tn_circuit circuit;
	uint32_t circuit_flow; /* low bits of the id of the flow that named the circuit */
};

/* What somebody there said of a multicast group; see snoop.h. */
struct tn_snooped {
	tn_u128 group;	/* IPv4 as ::ffff:a.b.c.d; 0: none */
	tn_u128 tunnel; /* as in struct tn_learnt */
	struct tn_mac host;
	uint8_t kind; /* enum tn_snooped_kind */
	uint32_t network;
	uint32_t in_port;
	struct tn_circuit circuit; /* and circuit_flow: as in struct tn_learnt */
	uint32_t circuit_flow;
};

#define TN_OP_NETWORK_MAX 0xffffffu

/* Whose packet it is, for what is counted by network: its tunnel id. */
enum tn_op_network {
	TN_OP_NETWORK_CAME,  /* as it came in: no flow wrote it */
	TN_OP_NETWORK_GIVEN, /* by a flow: `network` */
	TN_OP_NETWORK_WIDE,  /* the same, and no VNI: over 24 bits */
};

struct tn_op {
	uint8_t type; /* enum tn_op_type */
	union {
		struct {
			/* OUTPUT, CONTROLLER, CLONE, DROP: the branch ends with this one */
			uint8_t last : 1;
			uint8_t network_of : 2; /* enum tn_op_network */
		};
		uint8_t first; /* both, LAST at bit 0 */
	};
	uint16_t n_nested;
	union {
		struct {
			uint32_t table : 8;    /* whose lookup or flow it comes from; TN_TABLE_ALL:
						  none */
			uint32_t network : 24; /* GIVEN: the packet's at this point; else 0 */
		};
		uint32_t where; /* both, the table in the low bits */
	};
	uint64_t flow_id; /* of the flow that it comes from; 0: none */
	union {
		struct {
			struct tn_counter *counter; /* NULL: only the two below */
			uint64_t *last_used; /* flows: time of the last packet, ns; else NULL */
			uint64_t *lookups, *matches;  /* of the flow table; else NULL */
			uint64_t id;		      /* of the counter; 0: none */
			uint8_t no_packets, no_bytes; /* flags NO_PKT_COUNTS, NO_BYT_COUNTS */
			uint8_t lookup;		      /* in `table`, which matched if id */
		} count;
		struct tn_meter *meter;
		struct {
			tn_u128 value, mask;
			uint8_t field; /* enum tn_field_id, a packet field */
		} set;
		struct {
			uint16_t ethertype, tci; /* host order; tci without TN_VLAN_PRESENT */
		} push_vlan;
		uint32_t max_len;
		const struct tn_action *reply; /* with the notes that it holds; the flow's */
		struct {
			/* Of the key at this point; zero where the port is no tunnel. */
			tn_u128 tun_src, tun_dst;
			uint32_t port;	    /* an ordinary port or LOCAL */
			uint32_t tunnel_id; /* low 32 bits; see wide_tunnel_id */
			uint16_t max_len;   /* 0: whole */
			uint16_t queue;
			uint8_t wide_tunnel_id; /* the key's has bits above 31 */
			uint8_t has_queue;
		} output;
		struct {
			uint64_t cookie, metadata, tunnel_id;
			uint32_t in_port;
			uint16_t max_len;
			uint8_t reason;
		} controller;
		struct {
			uint32_t port;	/* that it was to leave by; 0: none */
			uint8_t reason; /* enum tn_drop */
		} drop;
		struct tn_learnt learn;
	};
};

TN_BUILD_ASSERT(sizeof(struct tn_op) == 64, "struct tn_op grew");

struct tn_program {
	uint32_t n_ops;
	struct tn_op ops[TN_PROGRAM_OPS_MAX];
};

/*
 * What execution found out that decide() could not know from the key. decide() gets them again, in
 * order, and gives a program with the same ops up to there and the right ones after it.
 */
enum tn_fact_kind {
	TN_FACT_REMARKED, /* the METER op at `op` remarked DSCP: the key's ip_dscp is now `dscp` */
	TN_FACT_REPARSED, /* the REPARSE or REPLY op at `op`: the headers now read as *key */
	TN_FACT_LONGER,	  /* the IF_LONGER op at `op` found it so: its branch follows, to the end */
};

#define TN_FACTS_MAX 16u

struct tn_fact {
	enum tn_fact_kind kind;
	uint32_t op;
	uint8_t dscp;
	struct tn_key key;
};

struct tn_facts {
	uint32_t n;
	struct tn_fact fact[TN_FACTS_MAX];
};

#endif
