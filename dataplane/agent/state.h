/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What records amount to: the tables of a switch, the ports that are wanted, the underlay. Made by
 * applying groups of records in their order, and written as records again: that is a snapshot.
 *
 * No devices and no files here; one thread at a time.
 */
#ifndef TN_AGENT_STATE_H
#define TN_AGENT_STATE_H

#include "dataplane/agent/record.h"
#include "dataplane/pipeline/switch.h"

/* A port as it was asked for, with its configuration of now: a PORT_ADD as bytes. */
struct tn_state_port {
	uint32_t number;
	struct tn_api_buffer message;
};

struct tn_state {
	struct tn_switch *sw;	     /* borrowed; NULL: ports and underlay alone */
	uint64_t now_ns;	     /* times of records are not later than this */
	bool clock_went_back;	     /* one was */
	struct tn_state_port *ports; /* in the order in which they came */
	size_t n_ports;
	struct tn_api_buffer underlay; /* UNDERLAY as bytes; empty: never given */
	uint64_t n_changes;
	uint64_t last_change_ns;
	/* Parts of the bundle that is under way. */
	struct tn_api_arena arena;
	struct tn_mod *mods;
	size_t n_mods, mods_size;
};

void tn_state_init(struct tn_state *s, struct tn_switch *sw, uint64_t now_ns);
/* The switch stays. */
void tn_state_fini(struct tn_state *s);

/*
 * A whole group of records, in replay (tn_switch_replay_begin). -EINVAL: one of its changes cannot
 * be made, err says which and why; those before it are made. -ENOMEM.
 */
int tn_state_apply(struct tn_state *s, const struct tn_record *records, size_t n,
	struct tn_error *err) TN_MUST_CHECK;

/* Gets the snapshot piece by piece: whole records, not sealed. Not 0: stop, it is returned. */
typedef int (*tn_state_sink_fn)(void *ctx, struct tn_api_buffer *records);

/*
 * All of it as records, the times at which things were made with them. The sink takes the bytes out
 * of its buffer.
 */
int tn_state_write(const struct tn_state *s, tn_state_sink_fn sink, void *ctx,
	struct tn_error *err) TN_MUST_CHECK;

/* A message as a record at the end of b, bundles in as many parts as they need. */
int tn_state_put_change(struct tn_api_buffer *b, const struct tn_api_message *change,
	uint64_t time_ns, struct tn_error *err) TN_MUST_CHECK;
int tn_state_put_lost(struct tn_api_buffer *b, const uint64_t *flow_ids, size_t n,
	uint64_t time_ns) TN_MUST_CHECK;

#endif
