/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The messages of the data plane's socket as C sees them; README.md has the protocol, codec.h the
 * way to bytes and back. Plain data: a decoded message borrows from the bytes' arena, one to be
 * encoded borrows from its caller. Strings end with NUL and are never NULL after decoding; NULL is
 * written as "". IP addresses as tn_u128: IPv4 is ::ffff:a.b.c.d.
 */
#ifndef TN_API_MESSAGES_H
#define TN_API_MESSAGES_H

#include "dataplane/core/drop.h"
#include "dataplane/core/info.h"
#include "dataplane/core/meter.h"
#include "dataplane/core/mods.h"
#include "dataplane/core/underlay_config.h"

#define TN_API_MAGIC	  0x50414e54u /* the bytes "TNAP" */
#define TN_API_VERSION	  1u
#define TN_API_BODY_MAX	  (16u << 20) /* bytes of one message after its header */
#define TN_API_STRING_MAX 4096u
#define TN_API_FRAME_MAX  65535u

/* What starts every message, little-endian, as it lies on the wire. */
struct tn_api_header {
	uint32_t magic;
	uint16_t version;
	uint16_t type;	     /* enum tn_api_type */
	uint32_t flags;	     /* enum tn_api_flags */
	uint32_t length;     /* of the body, which follows */
	uint64_t request_id; /* the client's; answers carry it, events carry 0 */
};

TN_BUILD_ASSERT(sizeof(struct tn_api_header) == 24, "the header is 24 bytes on the wire");
TN_BUILD_ASSERT(offsetof(struct tn_api_header, length) == 12, "the header's length moved");
TN_BUILD_ASSERT(offsetof(struct tn_api_header, request_id) == 16, "the header's id moved");

enum tn_api_flags {
	/* BUNDLE: further parts with this request id follow. RECEIPT: another one does, when what
	   is in force now is kept, too. */
	TN_API_MORE = 1u << 0,
	/* BUNDLE, its last part: a RECEIPT with MORE is wanted, if there is anything to wait for.
	 */
	TN_API_EARLY = 1u << 1,
};

enum tn_api_type {
	TN_API_HELLO = 1,   /* client, first */
	TN_API_HELLO_REPLY, /* answers HELLO */
	TN_API_BUNDLE,	    /* client, answered by RECEIPT */
	TN_API_RECEIPT,
	TN_API_PORT_ADD,	/* client, RECEIPT */
	TN_API_PORT_REMOVE,	/* client, RECEIPT */
	TN_API_PORT_CONFIGURE,	/* client, RECEIPT */
	TN_API_TABLE_CONFIGURE, /* client, RECEIPT */
	TN_API_UNDERLAY,	/* client, the whole of it, RECEIPT */
	TN_API_DUMP,		/* client, answered by PARTs and an END */
	TN_API_PART,
	TN_API_END,
	TN_API_SUBSCRIBE, /* client, RECEIPT; EVENTs follow */
	TN_API_EVENT,
	TN_API_TRACE, /* client, TRACE_REPLY */
	TN_API_TRACE_REPLY,
	TN_API_PACKET_OUT, /* client, RECEIPT */
	TN_API_ERROR,	   /* instead of any answer; with id 0 the connection ends after it */
	TN_API_N_TYPES
};

/* Bits of HELLO and HELLO_REPLY: what a side can do beyond version 1's bundles and dumps. */
enum tn_api_capability {
	TN_API_CAN_EVENTS = 1u << 0,
	TN_API_CAN_TRACE = 1u << 1,
	TN_API_CAN_PACKET_OUT = 1u << 2,
	TN_API_CAN_JOURNAL = 1u << 3, /* receipts mean: on disk */
	TN_API_CAN_EARLY = 1u << 4,   /* and an earlier one: in force */
};

struct tn_api_hello {
	uint64_t capabilities;
	const char *name; /* of the program, for logs */
};

struct tn_api_hello_reply {
	uint64_t capabilities;
	uint64_t dpid;
	uint64_t started_ns;	/* when the server's process did: tells it from one before it */
	uint32_t pid, uid, gid; /* of the client, as the kernel told the server */
	const char *version;	/* of the server's program */
};

/* Mods as they stand in a BUNDLE, one after another; borrowed. */
struct tn_api_encoded {
	const uint8_t *bytes;
	uint32_t size, n_mods;
};

/* One part: the mods of all parts with one request id are one bundle. */
struct tn_api_bundle {
	const struct tn_mod *mods;
	uint32_t n_mods;
	/* The same mods as they came, for who keeps them; NULL: not at hand. No codec looks. */
	const struct tn_api_encoded *encoded;
	uint32_t n_encoded;
};

struct tn_api_receipt {
	uint64_t version; /* of the switch, from which on all workers forward; 0: refused */
	/* Refused: what was asked for left no trace. */
	uint64_t position; /* BUNDLE: the mod at fault, counted over all parts */
	struct tn_error error;
};

enum tn_api_option_type { TN_API_STRING = 1, TN_API_INTEGER, TN_API_BOOL };

struct tn_api_option {
	const char *key;
	enum tn_api_option_type type;
	const char *string; /* STRING */
	int64_t integer;    /* INTEGER; BOOL: 0 or 1 */
};

struct tn_api_port {
	uint32_t number;
	const char *name, *type;
	bool enabled;
	uint32_t config; /* enum tn_port_config */
	uint32_t mtu;	 /* 0: no limit of its own */
	const struct tn_api_option *options;
	uint32_t n_options;
	bool has_vxlan; /* type "vxlan": */
	struct tn_vxlan_options vxlan;
};

struct tn_api_port_configure {
	uint32_t number;
	bool enabled;
	uint32_t config;
};

struct tn_api_table_configure {
	uint8_t table_id; /* TN_TABLE_ALL: every table */
	struct tn_table_config config;
};

enum tn_api_dump_kind {
	TN_API_FLOWS = 1,
	TN_API_COUNTERS, /* of flows, and nothing else of them */
	TN_API_GROUPS,
	TN_API_METERS,
	TN_API_PORTS,
	TN_API_TABLES,
	TN_API_SESSIONS, /* a line a worker */
	TN_API_NETWORKS, /* what was dropped, by network and reason */
	TN_API_N_DUMPS
};

/* FLOWS and COUNTERS: those that a DELETE with these would take. */
struct tn_api_dump {
	enum tn_api_dump_kind kind;
	uint8_t table_id;
	uint64_t cookie, cookie_mask;
	uint32_t out_port, out_group;
	struct tn_match match;
};

struct tn_api_flow_counter {
	uint64_t flow_id, last_used_ns;
	struct tn_counter counter;
};

struct tn_api_band_info {
	struct tn_band band;
	struct tn_counter counter;
};

struct tn_api_meter_info {
	uint32_t meter_id, flags, owner, reference_count;
	uint64_t created_ns;
	struct tn_counter counter;
	const struct tn_api_band_info *bands;
	uint32_t n_bands;
};

struct tn_api_port_drop {
	uint16_t reason; /* enum tn_drop */
	uint64_t packets;
};

struct tn_api_port_info {
	struct tn_api_port port;
	uint32_t state; /* enum tn_port_state */
	struct tn_counter rx, tx;
	uint64_t wire_rx_dropped, wire_rx_errors, wire_tx_errors; /* of the device */
	const struct tn_api_port_drop *drops;
	uint32_t n_drops;
};

/* Networks by their tunnel ids of up to 24 bits. */
struct tn_api_network_drop {
	uint32_t network; /* 0: none; TN_API_OTHER_NETWORKS: those that none is counted for */
	uint16_t reason;  /* enum tn_drop */
	uint64_t packets;
};

#define TN_API_OTHER_NETWORKS UINT32_MAX

struct tn_api_worker_info {
	uint32_t worker, core;
	uint32_t sessions, programs;
	uint64_t hits, misses, stale, uncached, evicted;
};

/* Some of what was asked for; `kind` says which array. */
struct tn_api_part {
	enum tn_api_dump_kind kind;
	uint32_t n;
	union {
		const void *items;
		const struct tn_flow_info *flows;
		const struct tn_api_flow_counter *counters;
		const struct tn_group_info *groups;
		const struct tn_api_meter_info *meters;
		const struct tn_api_port_info *ports;
		const struct tn_table_info *tables;
		const struct tn_api_worker_info *workers;
		const struct tn_api_network_drop *networks;
	};
};

struct tn_api_end {
	enum tn_api_dump_kind kind;
	uint64_t total;
};

enum tn_api_event_kind {
	TN_API_FLOW_REMOVED = 0,
	TN_API_PORT_STATUS,
	TN_API_TABLE_STATUS,
	TN_API_PACKET_IN,
	/* To every subscriber: events are not kept for it from here, and how many were lost. */
	TN_API_PAUSED,
	TN_API_RESUMED,
	TN_API_N_EVENTS
};

struct tn_api_packet_in {
	uint8_t reason; /* enum tn_packet_in_reason */
	uint8_t table_id;
	uint32_t in_port, in_phy_port;
	uint64_t cookie, metadata, tunnel_id, flow_id;
	uint32_t total_len; /* of the frame, of which the message may hold less */
	const uint8_t *frame;
	uint32_t frame_len;
};

struct tn_api_event {
	enum tn_api_event_kind kind;
	uint64_t time_ns;
	union {
		struct {
			enum tn_flow_removed_reason reason;
			struct tn_flow_info flow;
		} removed;
		struct {
			enum tn_port_status_reason reason;
			struct tn_port_config_data port;
		} port;
		struct {
			uint8_t table_id;
			bool vacancy_up;
		} table;
		struct tn_api_packet_in packet_in;
		uint64_t lost; /* RESUMED */
	};
};

struct tn_api_trace {
	uint32_t in_port;
	/* Also the next-best rule of every table, for which all of its rules are looked at. */
	bool explain;
	/* The frame came out of the tunnel that in_port is, with this: */
	bool inner;
	uint64_t tunnel_id;
	tn_u128 tun_src, tun_dst;
	const uint8_t *frame;
	uint32_t frame_len;
};

/* A rule that a packet met, or failed to meet. */
struct tn_api_trace_rule {
	uint64_t flow_id, cookie;
	uint16_t priority;
	uint32_t owner;
	struct tn_match match;
	struct tn_instructions inst;
};

/* A table the packet went through, in order. */
struct tn_api_trace_step {
	uint8_t table_id;
	struct tn_match packet; /* what it had there: every field that it has, exact */
	bool matched;
	struct tn_api_trace_rule rule; /* matched */
	/*
	 * `explain`: of the rules that would have had precedence over what matched, the one that
	 * fits best. 0: it is outranked in spite of that (equal priority).
	 */
	bool has_next;
	struct tn_api_trace_rule next;
	uint64_t next_differs; /* bits of enum tn_field_id: fields in which the packet differs */
};

/* A group's bucket that was chosen while the packet was in the table of a step. */
struct tn_api_trace_bucket {
	uint32_t step; /* number of the step, from 1; 0: before the first */
	uint32_t group_id, bucket_id;
};

/* What became of the packet and its copies. */
struct tn_api_trace_output {
	uint32_t port;	  /* of the switch */
	uint32_t uplink;  /* of a tunnel: the port that the frame leaves by; else 0 */
	uint64_t flow_id; /* that said so; 0: none */
	uint8_t table_id; /* TN_TABLE_ALL: none */
	uint32_t total_len;
	const uint8_t *frame; /* as it leaves, outer headers included */
	uint32_t frame_len;
};

struct tn_api_trace_drop {
	uint16_t reason; /* enum tn_drop */
	uint32_t port;	 /* that it was to leave by; 0: none */
	uint64_t flow_id;
	uint8_t table_id;
};

struct tn_api_trace_reply {
	/* How the packet came to the tables, out of a tunnel for instance. */
	uint32_t in_port, in_phy_port;
	uint64_t tunnel_id;
	bool to_host; /* an uplink's frame for the host: no table sees it */
	const struct tn_api_trace_step *steps;
	uint32_t n_steps;
	const struct tn_api_trace_bucket *buckets;
	uint32_t n_buckets;
	const struct tn_api_trace_output *outputs;
	uint32_t n_outputs;
	const struct tn_api_packet_in *packet_ins;
	uint32_t n_packet_ins;
	const struct tn_api_trace_drop *drops;
	uint32_t n_drops;
};

struct tn_api_packet_out {
	uint32_t in_port;
	const struct tn_action *actions;
	uint16_t n_actions;
	const uint8_t *frame;
	uint32_t frame_len;
};

struct tn_api_message {
	enum tn_api_type type;
	uint32_t flags;
	uint64_t request_id;
	union {
		struct tn_api_hello hello;
		struct tn_api_hello_reply hello_reply;
		struct tn_api_bundle bundle;
		struct tn_api_receipt receipt;
		struct tn_api_port port_add;
		uint32_t port_remove;
		struct tn_api_port_configure port_configure;
		struct tn_api_table_configure table_configure;
		struct tn_underlay_config underlay;
		struct tn_api_dump dump;
		struct tn_api_part part;
		struct tn_api_end end;
		uint32_t subscribe; /* bits 1 << enum tn_api_event_kind */
		struct tn_api_event event;
		struct tn_api_trace trace;
		struct tn_api_trace_reply trace_reply;
		struct tn_api_packet_out packet_out;
		struct tn_error error;
	};
};

/* "BUNDLE"; "?" for an unknown one. */
const char *tn_api_type_name(unsigned type);

#endif
