/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * decide(): the one place where the meaning of the tables is. From a key it walks the tables of a
 * snapshot and writes the action program. It sees no packet and changes nothing; the same snapshot,
 * key and facts give the same program, byte for byte.
 *
 * Worst case: TN_RESUBMIT_MAX + TN_N_TABLES lookups (each bounded by the table's template, see
 * dataplane/table/classifier.h) and TN_PROGRAM_OPS_MAX ops.
 */
#ifndef TN_PIPELINE_DECIDE_H
#define TN_PIPELINE_DECIDE_H

#include "dataplane/core/program.h"
#include "dataplane/pipeline/switch.h"

#define TN_RESUBMIT_MAX	      1024u /* lookups by RESUBMIT for one packet: one a copy */
#define TN_RESUBMIT_DEPTH_MAX 64u   /* in each other, which only buckets can lead to */
#define TN_GROUP_DEPTH_MAX    8u    /* groups chained in groups */

/* For traces: called as decide() goes. Any member may be NULL. */
struct tn_decide_trace {
	void *ctx;
	/* A decision starts, or starts again after a new fact: what was reported before is void. */
	void (*begin)(void *ctx);
	/* flow NULL: table miss */
	void (*table)(void *ctx, uint8_t table_id, const struct tn_flow_info *flow,
		const struct tn_key *key);
	void (*group)(void *ctx, uint32_t group_id, uint32_t bucket_id);
};

/* What a decision depended on; an engine that keeps decisions asks for it. */
struct tn_read_set {
	uint64_t tables[4]; /* bitmap of tables looked up */
	uint64_t
		altered[4]; /* of those, where members of the packet were no longer as it came in */
	uint32_t networks;  /* classes of networks of which it mattered what was learnt */
	struct tn_key mask; /* bits of the key that lookups and selects looked at */
};

/* facts, read and trace may be NULL. */
void tn_decide(const struct tn_snapshot *snapshot, const struct tn_key *key, uint64_t now_ns,
	const struct tn_facts *facts, struct tn_program *program, struct tn_read_set *read,
	const struct tn_decide_trace *trace);

/*
 * The same for a packet-out: executes a list that tn_actions_check() passed (TN_PLACE_PACKET_OUT),
 * where OUTPUT:TABLE enters the tables at 0 with key->in_port.
 */
void tn_decide_actions(const struct tn_snapshot *snapshot, const struct tn_key *key,
	const struct tn_action *list, size_t n, uint64_t now_ns, const struct tn_facts *facts,
	struct tn_program *program, struct tn_read_set *read, const struct tn_decide_trace *trace);

#endif
