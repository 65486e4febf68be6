/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What happened to one packet, kept for a trace or a comparison and forgotten when the next one
 * comes. Filled by the engine only where somebody wants it.
 */
#ifndef TN_REPLAY_FATE_H
#define TN_REPLAY_FATE_H

#include "dataplane/core/drop.h"
#include "dataplane/core/program.h"
#include "dataplane/core/vxlan.h"

struct tn_replay_port;

struct tn_fate_step {	  /* one lookup */
	uint64_t flow_id; /* 0: no flow matched */
	uint16_t priority;
	uint8_t table;
};

struct tn_fate_bucket {
	uint32_t group_id, bucket_id;
};

enum tn_fate_kind { TN_FATE_SENT, TN_FATE_CONSUMED, TN_FATE_DROPPED };

/* The packet or a copy of it at its end. */
struct tn_fate_end {
	enum tn_fate_kind kind;
	const struct tn_replay_port *port; /* SENT: that the flow named; DROPPED: NULL or such */
	uint32_t len, wire_len;
	size_t bytes;	      /* SENT, CONSUMED: place in fate->bytes */
	uint32_t port_number; /* DROPPED: that it was to leave by, also where there is none */
	uint8_t table;
	uint8_t reason; /* of the packet-in or the drop */
	uint64_t flow_id, cookie;
	bool tunnelled;
	tn_u128 local, remote; /* of the tunnel */
	uint32_t vni;
	const struct tn_replay_port *uplink; /* that the outer packet left by, NULL: none */
};

struct tn_fate {
	struct tn_fate_step *steps;
	size_t n_steps, room_steps;
	struct tn_fate_bucket *buckets;
	size_t n_buckets, room_buckets;
	struct tn_op *ops; /* as executed */
	size_t n_ops, room_ops;
	struct tn_fate_end *ends;
	size_t n_ends, room_ends;
	uint8_t *bytes;
	size_t n_bytes, room_bytes;
	bool tunnelled; /* it came with outer headers, which `outer` tells of */
	const struct tn_replay_port *tunnel_port; /* that took it; NULL: none did */
	struct tn_vxlan_outer outer;
};

void tn_fate_init(struct tn_fate *f);
void tn_fate_fini(struct tn_fate *f);
void tn_fate_clear(struct tn_fate *f);

/* The decision starts again. */
void tn_fate_restart(struct tn_fate *f);
void tn_fate_add_step(struct tn_fate *f, const struct tn_fate_step *step);
void tn_fate_add_bucket(struct tn_fate *f, uint32_t group_id, uint32_t bucket_id);
void tn_fate_add_op(struct tn_fate *f, const struct tn_op *op);
/* data: the frame that end->len bytes of are kept; NULL: none. */
void tn_fate_add_end(struct tn_fate *f, const struct tn_fate_end *end, const uint8_t *data);

/* SENT if a copy left by a port, else CONSUMED if one went to the controller, else DROPPED. */
enum tn_fate_kind tn_fate_verdict(const struct tn_fate *f);
/* "sent" */
const char *tn_fate_kind_name(enum tn_fate_kind kind);

/*
 * Is it the same for who looks from outside: the same bytes in the same order by each port (by
 * name) and to the controller, and the same drops? Flows and tables are not looked at, nor is the
 * order among ports. Sorts the ends of both.
 */
bool tn_fate_equal(struct tn_fate *a, struct tn_fate *b);

#endif
