/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One packet from reception to its end: parse, decide, execute, decide again where execution found
 * a fact. The slow, exact walk that replay, traces and every engine's miss path share.
 */
#ifndef TN_PIPELINE_PROCESS_H
#define TN_PIPELINE_PROCESS_H

#include "dataplane/core/execute.h"
#include "dataplane/pipeline/decide.h"

/* How the packet came in. The pipeline members of the key. */
struct tn_ingress {
	uint32_t in_port, in_phy_port; /* in_phy_port 0: same */
	uint64_t tunnel_id;
	tn_u128 tun_src, tun_dst;
};

/* What the ingress port itself refuses: down, NO_RECV, not there. TN_DROP_NONE: nothing. */
enum tn_drop tn_ingress_refuses(const struct tn_snapshot *snapshot, uint32_t in_port);

/* Caller storage, reused from packet to packet; about 300 KB. One per thread. */
struct tn_processor {
	struct tn_program program;
	struct tn_facts facts;
};

/*
 * Handles one frame. The ingress port's own rules (down, NO_RECV) are the first thing looked at.
 * env->decide_again is set by this function; leave it NULL. Returns copies made, as tn_execute().
 */
uint64_t tn_process(struct tn_processor *p, const struct tn_snapshot *snapshot,
	struct tn_view *view, const struct tn_ingress *in, uint64_t now_ns,
	const struct tn_exec_env *env, const struct tn_decide_trace *trace);

/* The same with a given action list in place of table 0 (packet-out). */
uint64_t tn_process_actions(struct tn_processor *p, const struct tn_snapshot *snapshot,
	struct tn_view *view, const struct tn_ingress *in, const struct tn_action *list, size_t n,
	uint64_t now_ns, const struct tn_exec_env *env, const struct tn_decide_trace *trace);

#endif
