/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Actions and instructions as a client writes them (OpenFlow 1.5, 5.6-5.12), before the pipeline
 * compiles them. A list is a flat array; CLONE is followed by the actions it holds. Plain data; the
 * caller owns the arrays. Pure; safe from any thread.
 *
 * REPLY and IF_LONGER hold actions as CLONE does. What an answer carries beside its arguments (DHCP
 * options, the body of a router advertisement) are the bytes of the NOTEs that REPLY holds.
 */
#ifndef TN_CORE_ACTION_H
#define TN_CORE_ACTION_H

#include "dataplane/core/error.h"
#include "dataplane/core/field.h"
#include "dataplane/core/match.h"
#include "dataplane/core/openflow.h"

enum tn_action_type {
	TN_ACTION_OUTPUT = 1,
	TN_ACTION_GROUP,
	TN_ACTION_SET_FIELD,
	TN_ACTION_MOVE, /* copy bits of a field to another (OpenFlow 1.5 COPY_FIELD) */
	TN_ACTION_PUSH_VLAN,
	TN_ACTION_POP_VLAN,
	TN_ACTION_MOD_VLAN_VID, /* set the VID; push a tag first where there is none */
	TN_ACTION_MOD_VLAN_PCP,
	TN_ACTION_DEC_TTL,
	TN_ACTION_COPY_TTL_IN,	/* outer IP header to the IP header right inside (IP in IP) */
	TN_ACTION_COPY_TTL_OUT, /* and back; nothing to do where there is one IP header */
	TN_ACTION_SET_QUEUE,
	TN_ACTION_POP_QUEUE,
	TN_ACTION_TRUNCATE,  /* frames sent from here on carry at most this many bytes */
	TN_ACTION_RESUBMIT,  /* look up in a later table now, do what it says, come back */
	TN_ACTION_CLONE,     /* the next n_nested actions work on a copy */
	TN_ACTION_NOTE,	     /* no effect */
	TN_ACTION_REPLY,     /* the packet becomes its answer; what follows works on that */
	TN_ACTION_IF_LONGER, /* an IP packet of more than max_len: the nested actions alone */
	TN_ACTION_LEARN,     /* the source is here, in the network tunnel_id */
	TN_ACTION_FDB,	     /* where the destination was learnt, and no more; else go on */
	TN_ACTION_SNOOP,     /* what it says of multicast groups of the network tunnel_id */
	TN_ACTION_MCAST,     /* where its group is wanted, and no more; else go on */
	TN_ACTION_CIRCUIT, /* it came by this one of several behind its port; see struct tn_circuit
			    */
	TN_ACTION_ADVERTISE, /* every so often, by itself: what follows, on a router solicitation */
};

#define TN_ACTION_LAST TN_ACTION_ADVERTISE

/* Actions right after this one belong to it. */
static inline bool tn_action_nests(uint8_t type)
{
	return type == TN_ACTION_CLONE || type == TN_ACTION_REPLY || type == TN_ACTION_IF_LONGER;
}

/* What REPLY makes of a packet; see reply.h. */
enum tn_reply_kind {
	TN_REPLY_ARP = 1,	/* the answer to a request: its target is at `mac` */
	TN_REPLY_ND,		/* advertisement for a solicitation: the same */
	TN_REPLY_ECHO,		/* echo reply for an echo request, both IP versions */
	TN_REPLY_TIME_EXCEEDED, /* ICMP errors from the router `ip` at `mac`, by the version of ip
				 */
	TN_REPLY_UNREACHABLE,
	TN_REPLY_TOO_BIG,
	TN_REPLY_DHCP4, /* the server `ip` at `mac` leases `address` */
	TN_REPLY_DHCP6,
	TN_REPLY_RA, /* router advertisement for a solicitation, from `ip` at `mac` */
};
#define TN_REPLY_LAST TN_REPLY_RA

/* Of ADVERTISE: RFC 4861, 6.2.1, MinRtrAdvInterval and MaxRtrAdvInterval. */
#define TN_ADVERTISE_LEAST 3u
#define TN_ADVERTISE_MOST  1800u

#define TN_REASON_DEFAULT 0xffu /* packet-in reason follows from where the output stands */
#define TN_NOTE_MAX	  40u
#define TN_ACTIONS_MAX	  1024u /* in one list, nested ones counted */
#define TN_REPLY_DATA_MAX 1000u /* bytes that a REPLY holds */

struct tn_action {
	uint8_t type;	   /* enum tn_action_type */
	uint8_t field;	   /* SET_FIELD, MOVE, CIRCUIT: enum tn_field_id of the destination */
	uint16_t n_nested; /* actions right after this one that it holds; see tn_action_nests() */
	uint32_t pad;
	union {
		struct {
			uint32_t port;	  /* ordinary or TN_PORT_* */
			uint16_t max_len; /* CONTROLLER: bytes of the frame; other ports: 0 = all,
					     else truncated to this for this output alone */
			uint8_t reason;	  /* CONTROLLER: tn_packet_in_reason or TN_REASON_DEFAULT */
		} output;
		uint32_t group_id;
		struct {
			tn_u128 value;
			tn_u128 mask; /* never 0; all ones of the field: whole field */
		} set;
		struct {
			uint8_t src; /* enum tn_field_id */
			uint8_t src_ofs, dst_ofs, n_bits;
		} move;
		uint16_t ethertype; /* PUSH_VLAN: 0x8100 or 0x88a8 */
		uint16_t vlan_vid;  /* MOD_VLAN_VID: 0-4095 */
		uint8_t vlan_pcp;   /* MOD_VLAN_PCP: 0-7 */
		uint32_t queue_id;
		uint32_t max_len; /* TRUNCATE: bytes, 14 or more; IF_LONGER: of the IP packet */
		uint32_t limit;	  /* LEARN: addresses here; 0: the switch's own */
		struct {
			bool local;   /* FDB, MCAST: not what is behind a tunnel */
			bool routers; /* MCAST: where routers are, whatever the group */
		} known;
		struct {
			uint32_t number; /* 1 to 2^32 - 1 */
			uint8_t table;	 /* that sends to it, its number being in `field` */
		} circuit;
		struct {
			uint16_t least, most; /* seconds */
		} advertise;
		struct {
			uint32_t in_port; /* TN_PORT_IN_PORT: keep */
			uint8_t table;
		} resubmit;
		struct {
			uint8_t len;
			uint8_t data[TN_NOTE_MAX];
		} note;
		struct {
			tn_u128 ip;	 /* who answers: server, router; IPv4 as ::ffff:a.b.c.d */
			tn_u128 address; /* DHCP: the client's; DHCP6: 0: none */
			uint32_t number; /* TOO_BIG: the MTU; DHCP6: seconds of the lease */
			struct tn_mac mac;
			uint8_t kind; /* enum tn_reply_kind */
			uint8_t code; /* UNREACHABLE */
			bool router;  /* ND: the answer says so */
		} reply;
	};
};

TN_BUILD_ASSERT(sizeof(struct tn_action) == 64, "struct tn_action grew");

#define TN_GOTO_NONE TN_TABLE_ALL

/* Executed in the order of the members; absent ones are zero, goto_table TN_GOTO_NONE. */
struct tn_instructions {
	uint32_t meter_id; /* 0: none */
	const struct tn_action *apply;
	uint16_t n_apply;
	bool clear_actions;
	const struct tn_action *write; /* the action set's new members */
	uint16_t n_write;
	uint64_t metadata, metadata_mask; /* mask 0: no WRITE_METADATA */
	uint8_t goto_table;
};

void tn_instructions_init(struct tn_instructions *inst);

/* What surrounds a list that is checked. */
enum tn_action_place {
	TN_PLACE_APPLY,	 /* action list of a flow */
	TN_PLACE_WRITE,	 /* action set of a flow: no RESUBMIT, CLONE, MOVE, NOTE, one of a kind but
			    for SET_FIELD; see action.c */
	TN_PLACE_BUCKET, /* action set of a group bucket: RESUBMIT, too, to any table */
	TN_PLACE_PACKET_OUT,
};

/*
 * Checks one list: types, arguments in range, fields writable, masks, prerequisites of each
 * SET_FIELD given the match and the actions before it (OFPBAC_MATCH_INCONSISTENT), nesting,
 * tables that go forward. match is NULL where nothing is known of the packet (buckets,
 * packet-out): prerequisites are then left to run time. table: the flow's own, for RESUBMIT;
 * TN_TABLE_ALL where it is not one: that tables go forward is then the caller's to see to.
 * On refusal err->index is the action's position in the array. Existence of ports, groups and
 * meters is not looked at: the pipeline knows those.
 */
int tn_actions_check(const struct tn_action *list, size_t n, enum tn_action_place place,
	const struct tn_match *match, uint8_t table, struct tn_error *err) TN_MUST_CHECK;

/* Both lists, metadata, goto_table > table. err->index as above; -1: not about an action. */
int tn_instructions_check(const struct tn_instructions *inst, const struct tn_match *match,
	uint8_t table, struct tn_error *err) TN_MUST_CHECK;

/* The same meaning, of two lists that passed their checks. */
bool tn_actions_equal(const struct tn_action *a, size_t na, const struct tn_action *b, size_t nb);

#endif
