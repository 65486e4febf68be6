/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of the OpenFlow 1.3-1.5 switch specification that the pipeline, the model and the tools
 * share. Host byte order everywhere; no wire format of OpenFlow is spoken.
 */
#ifndef TN_CORE_OPENFLOW_H
#define TN_CORE_OPENFLOW_H

#include <stdint.h>

/* Port numbers (OpenFlow 1.5, 7.2.1). */
enum tn_ofpp {
	TN_PORT_NONE_YET = 0u,	       /* never a port */
	TN_PORT_MAX = 0xffffff00u,     /* highest ordinary port */
	TN_PORT_UNSET = 0xfffffff7u,   /* output port not set in the action set */
	TN_PORT_IN_PORT = 0xfffffff8u, /* back out of the port the packet came in by */
	TN_PORT_TABLE = 0xfffffff9u,   /* packet-out only: through table 0 */
	TN_PORT_NORMAL = 0xfffffffau,  /* learning L2 switch */
	TN_PORT_FLOOD = 0xfffffffbu,   /* every port but the ingress port */
	TN_PORT_ALL = 0xfffffffcu,     /* every port but the ingress port */
	TN_PORT_CONTROLLER = 0xfffffffdu,
	TN_PORT_LOCAL = 0xfffffffeu,
	TN_PORT_ANY = 0xffffffffu, /* no filter; never an output */
};

/* Port config and state bits. */
enum tn_port_config {
	TN_PORT_CONFIG_DOWN = 1u << 0,
	TN_PORT_CONFIG_NO_RECV = 1u << 2,
	TN_PORT_CONFIG_NO_FWD = 1u << 5,
	TN_PORT_CONFIG_NO_PACKET_IN = 1u << 6,
};

enum tn_port_state {
	TN_PORT_STATE_LINK_DOWN = 1u << 0,
	TN_PORT_STATE_BLOCKED = 1u << 1,
	TN_PORT_STATE_LIVE = 1u << 2,
};

enum tn_port_status_reason { TN_PORT_ADDED = 0, TN_PORT_DELETED = 1, TN_PORT_MODIFIED = 2 };

/* Tables. */
#define TN_TABLE_MAX 254u /* highest flow table */
#define TN_TABLE_ALL 255u /* every table: delete, modify and statistics only */
#define TN_N_TABLES  255u

#define TN_PRIORITY_DEFAULT 32768u /* where a flow names none (ovs-ofctl) */

/* Groups (7.3.4.3). */
#define TN_GROUP_MAX	0xffffff00u
#define TN_GROUP_ALL	0xfffffffcu
#define TN_GROUP_ANY	0xffffffffu
#define TN_BUCKET_MAX	0xffffff00u
#define TN_BUCKET_FIRST 0xfffffffdu
#define TN_BUCKET_LAST	0xfffffffeu
#define TN_BUCKET_ALL	0xffffffffu
#define TN_BUCKET_UNSET 0xffffffffu /* of a client's new bucket: any that is free */

enum tn_group_type {
	TN_GROUP_TYPE_ALL = 0,
	TN_GROUP_TYPE_SELECT = 1,
	TN_GROUP_TYPE_INDIRECT = 2,
	TN_GROUP_TYPE_FF = 3,
};

enum tn_group_command {
	TN_GROUP_ADD = 0,
	TN_GROUP_MODIFY = 1,
	TN_GROUP_DELETE = 2,
	TN_GROUP_INSERT_BUCKET = 3,
	TN_GROUP_REMOVE_BUCKET = 5,
};

/* Meters (7.3.4.4). */
#define TN_METER_MAX	    0xffff0000u
#define TN_METER_SLOWPATH   0xfffffffdu
#define TN_METER_CONTROLLER 0xfffffffeu
#define TN_METER_ALL	    0xffffffffu

enum tn_meter_command { TN_METER_ADD = 0, TN_METER_MODIFY = 1, TN_METER_DELETE = 2 };

enum tn_meter_flags {
	TN_METER_KBPS = 1u << 0, /* rate in kilobit (1,000 bit) a second */
	TN_METER_PKTPS = 1u << 1,
	TN_METER_BURST = 1u << 2,
	TN_METER_STATS = 1u << 3,
	TN_METER_BYTEPS = 1u << 16, /* ours, for ONOS BYTES_PER_SEC; rate in byte a second */
};

enum tn_band_type { TN_BAND_DROP = 1, TN_BAND_DSCP_REMARK = 2 };

/* Flow entries (7.3.4.2). */
enum tn_flow_command {
	TN_FLOW_ADD = 0,
	TN_FLOW_MODIFY = 1,
	TN_FLOW_MODIFY_STRICT = 2,
	TN_FLOW_DELETE = 3,
	TN_FLOW_DELETE_STRICT = 4,
};

enum tn_flow_flags {
	TN_FLOW_SEND_FLOW_REM = 1u << 0,
	TN_FLOW_CHECK_OVERLAP = 1u << 1,
	TN_FLOW_RESET_COUNTS = 1u << 2,
	TN_FLOW_NO_PKT_COUNTS = 1u << 3,
	TN_FLOW_NO_BYT_COUNTS = 1u << 4,
};

enum tn_flow_removed_reason {
	TN_REMOVED_IDLE_TIMEOUT = 0,
	TN_REMOVED_HARD_TIMEOUT = 1,
	TN_REMOVED_DELETE = 2,
	TN_REMOVED_GROUP_DELETE = 3,
	TN_REMOVED_METER_DELETE = 4,
	TN_REMOVED_EVICTION = 5,
};

enum tn_packet_in_reason {
	TN_PACKET_IN_NO_MATCH = 0,
	TN_PACKET_IN_APPLY_ACTION = 1,
	TN_PACKET_IN_INVALID_TTL = 2,
	TN_PACKET_IN_ACTION_SET = 3,
	TN_PACKET_IN_GROUP = 4,
	TN_PACKET_IN_PACKET_OUT = 5,
};

#define TN_CONTROLLER_MAX_LEN_WHOLE 0xffffu /* max_len: the whole packet */

#endif
