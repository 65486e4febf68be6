/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state of one decision as it walks the tables. Private to decide.c, action_set.c,
 * group_walk.c and station_walk.c.
 */
#ifndef TN_PIPELINE_WALK_H
#define TN_PIPELINE_WALK_H

#include "dataplane/pipeline/decide.h"
#include "dataplane/pipeline/snapshot.h"

#define TN_OP_NONE UINT32_MAX

/* OpenFlow's action set: at most one action of a kind, one SET_FIELD a field. */
struct tn_action_set {
	bool any;	     /* false: nothing was written, and no other member is valid */
	uint64_t set_fields; /* bitmap of enum tn_field_id in set[] */
	const struct tn_action *set[TN_N_FIELDS];
	const struct tn_action *copy_ttl_in, *pop_vlan, *push_vlan, *copy_ttl_out, *dec_ttl;
	const struct tn_action *mod_vid, *mod_pcp, *truncate, *queue, *group, *output, *resubmit;
	const struct tn_flow *output_flow; /* that wrote output: names the packet-in */
};

/*
 * The packet, or one copy of it: what a CLONE saves and what its end gives back. `sent` and
 * `last_op` are about the ops of this branch alone, not of the clones in it.
 */
struct tn_branch {
	struct tn_key key;
	uint16_t queue;
	bool has_queue;
	bool sent;  /* made at least one copy: an output, packet-in or clone */
	bool ended; /* nothing can follow: dropped, or the walk stopped */
	/* What an output to a tunnel goes by: said by a flow, else it is what the packet came by.
	 */
	bool said_tun_src, said_tun_dst;
	const struct tn_action *circuit; /* that it came by, as a flow said; or NULL */
	uint32_t circuit_flow;		 /* low bits of that flow's id */
	/* Whose it is, as an op says it; it ends with none and is of no table. */
	uint8_t first;
	uint32_t where;
	uint32_t last_op; /* index of the op that made the latest copy, TN_OP_NONE */
};

struct tn_walk {
	const struct tn_snapshot *s;
	uint64_t now_ns;
	const struct tn_facts *facts;
	uint32_t next_fact;
	struct tn_program *program;
	struct tn_read_set *read;
	const struct tn_key *came; /* the key as it came in; NULL: a packet-out's */
	const struct tn_decide_trace *trace;
	uint32_t resubmits, nested; /* so far; those that are not done */
	bool stopped;		    /* a fact is missing or the program is full: no op may follow */
	const struct tn_flow *flow; /* whose actions run; NULL: packet-out */
	uint8_t reason;		    /* packet-in reason of where the actions stand */
	struct tn_branch b;
	struct tn_action_set set;
};

/* Space for one op, zeroed; NULL when the walk stopped. The last place is kept for a drop. */
struct tn_op *tn_decide_emit(struct tn_walk *w, enum tn_op_type type);
/* The branch ends here with a reason. */
void tn_decide_drop(struct tn_walk *w, enum tn_drop reason);
/* A copy that would have been sent is not, for a reason; the branch goes on. */
void tn_decide_drop_copy(struct tn_walk *w, enum tn_drop reason);
/* The bits of these fields decided something. */
void tn_decide_read_fields(struct tn_walk *w, uint64_t fields);

/*
 * Which headers the packet has decided whether or how an action applies: the same program is right
 * only for packets that agree in these.
 */
void tn_decide_read_layout(struct tn_walk *w);
/* A copy that would have left by a port, which may not exist. */
void tn_decide_drop_at_port(struct tn_walk *w, enum tn_drop reason, uint32_t port);
/* A copy to a port that exists, or the drop that its state asks for. */
void tn_decide_output_port(
	struct tn_walk *w, const struct tn_port_config_data *port, uint16_t max_len);

static inline bool tn_decide_is_group(struct tn_mac mac)
{
	return mac.b[0] & 1;
}

/* What was learnt in a network: see station_walk.c. */
void tn_decide_learn(
	struct tn_walk *w, uint32_t network, const struct tn_place *from, uint32_t limit);
/* Where the destination is: a port that exists, or NULL. */
const struct tn_port_config_data *tn_decide_station(
	struct tn_walk *w, uint32_t network, struct tn_place *place);
/* CIRCUIT, LEARN, FDB, SNOOP, MCAST. */
void tn_decide_circuit(struct tn_walk *w, const struct tn_action *a);
void tn_decide_learn_source(struct tn_walk *w, uint32_t limit);
void tn_decide_fdb(struct tn_walk *w, bool local);
void tn_decide_snoop(struct tn_walk *w);
void tn_decide_mcast(struct tn_walk *w, const struct tn_action *a);

/* One action on the branch, now. */
void tn_decide_one(struct tn_walk *w, const struct tn_action *a);
void tn_decide_list(struct tn_walk *w, const struct tn_action *list, size_t n);

/* Everything between begin and end is on a copy. */
struct tn_clone {
	uint32_t op; /* the CLONE; TN_OP_NONE when the walk had stopped */
	struct tn_branch outside;
};

void tn_decide_clone_begin(struct tn_walk *w, struct tn_clone *clone);
void tn_decide_clone_end(struct tn_walk *w, const struct tn_clone *clone);
/* The branch has no more actions: its latest copy, if it is the last thing, takes the packet. */
void tn_decide_branch_end(struct tn_walk *w);

void tn_action_set_clear(struct tn_action_set *set);
void tn_action_set_write(struct tn_action_set *set, const struct tn_action *list, size_t n,
	const struct tn_flow *flow);
/* Executes in OpenFlow's order. depth: groups around it. Does not end the branch. */
void tn_decide_action_set(struct tn_walk *w, const struct tn_action_set *set, unsigned depth);

void tn_decide_group(struct tn_walk *w, uint32_t group_id, unsigned depth);

/* The bucket of a SELECT group for the walk's key, or NULL: none usable. */
const struct tn_group_bucket *tn_decide_select(struct tn_walk *w, const struct tn_group *group);
bool tn_decide_bucket_live(
	const struct tn_snapshot *s, const struct tn_group_bucket *bucket, unsigned depth);

#endif
