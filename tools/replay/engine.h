/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One configuration at work: frames go in, and what the switch does with them is counted, written
 * and noted. The clock is the time of the frames.
 */
#ifndef TN_REPLAY_ENGINE_H
#define TN_REPLAY_ENGINE_H

#include "dataplane/core/reply_budget.h"
#include "dataplane/fastpath/tunnels.h"
#include "dataplane/fastpath/underlay.h"
#include "dataplane/pipeline/process.h"
#include "dataplane/port/capture.h"
#include "tools/replay/accounting.h"
#include "tools/replay/apply.h"
#include "tools/replay/fate.h"
#include "tools/replay/notes.h"

struct tn_replay_port {
	uint32_t number;
	uint32_t mtu; /* 0: no limit */
	const char *name;
	const struct tn_model_port *model;
	bool vxlan;
	bool uplink;			/* an underlay address names it */
	struct tn_counter from_capture; /* the frames of its inputs */
	struct tn_counter rx, tx;
	struct tn_counter rx_dropped;	  /* came in here and ended before any output */
	struct tn_counter tx_dropped;	  /* were to leave here */
	uint64_t replies;		  /* the budget of its answers */
	uint64_t rx_cut;		  /* frames of which the capture holds a part */
	struct tn_capture_writer *writer; /* NULL: nothing is written */
};

struct tn_buffers; /* memory that copies of packets are in */

struct tn_engine {
	struct tn_config *config;
	struct tn_replay_port *ports; /* sorted by number */
	size_t n_ports;
	struct tn_underlay *underlay;
	struct tn_tunnels *tunnels;
	struct tn_processor *processor;
	struct tn_exec_env env;
	struct tn_buffers *buffers;
	struct tn_account account;
	struct tn_notes notes;
	struct tn_fate *fate; /* NULL: nobody asks */
	bool want_path;	      /* fate gets steps, buckets and ops too */
	struct tn_capture_writer *controller;
	uint64_t now_ns;
	uint64_t number;	     /* of the packet being handled */
	uint64_t cut;		     /* frames of which the capture holds a part */
	struct tn_replay_port *in;   /* the packet's port: the tunnel port once it is known */
	struct tn_replay_port self;  /* of packets that the switch makes by itself */
	struct tn_replay_port *from; /* the port whose capture it is from */
	uint32_t in_bytes;	     /* of the frame as it came in */
	uint64_t in_tunnel_id;
	uint64_t network_replies[TN_REPLY_NETWORKS]; /* as those of ports */
	bool failed;				     /* an output cannot be written */
};

/* After tn_config_apply(). config is borrowed. -1: says why on standard error. */
int tn_engine_init(struct tn_engine *e, struct tn_config *config, uint64_t now_ns) TN_MUST_CHECK;
void tn_engine_fini(struct tn_engine *e);

/* NULL: there is none. */
struct tn_replay_port *tn_engine_port(const struct tn_engine *e, uint32_t number);

/* One frame of a port's capture; its time must not be before the last one's. */
void tn_engine_frame(
	struct tn_engine *e, struct tn_replay_port *port, const struct tn_capture_record *frame);

#endif
