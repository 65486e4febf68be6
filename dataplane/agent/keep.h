/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state folder of a running agent: what it holds is made the agent's, and what changes is kept
 * in it. Between change.h, which makes changes, and the journal. Main thread.
 */
#ifndef TN_AGENT_KEEP_H
#define TN_AGENT_KEEP_H

#include "dataplane/agent/agent.h"
#include "dataplane/agent/state.h"

struct tn_keeper;

struct tn_keeper_config {
	const char *state_dir;
	/* Called from the loop when more is durable, or nothing ever will be again. */
	void (*moved)(void *ctx);
	void *ctx;
	/* A journal is made short beyond this and twice the snapshot; 0: a good number. */
	uint64_t journal_bytes;
};

/*
 * Recovers into the agent, whose workers do not run yet and whose switch has the dpid that
 * tn_keeper_peek() told. What is damaged is said on standard error. NULL with err: as
 * tn_changes_new().
 */
struct tn_keeper *tn_keeper_new(
	struct tn_agent *agent, const struct tn_keeper_config *config, struct tn_error *err);
/* What was kept is on the disk after it, if the disk does its work. NULL is fine. */
void tn_keeper_free(struct tn_keeper *k);

bool tn_keeper_recovered(const struct tn_keeper *k);
/* Why nothing is kept any more; NULL: all is well. */
const char *tn_keeper_failure(const struct tn_keeper *k);

/*
 * A change is about to be made: its record is drafted and has room on the disk. Then it is made,
 * and kept, or it is refused, and dropped. -errno with err: it must not be made.
 */
int tn_keeper_draft(struct tn_keeper *k, const struct tn_api_message *change, uint64_t now_ns,
	struct tn_error *err) TN_MUST_CHECK;
void tn_keeper_keep(struct tn_keeper *k);
void tn_keeper_drop(struct tn_keeper *k);
/* What is kept from hold to release counts wholly or not at all. */
void tn_keeper_hold(struct tn_keeper *k);
void tn_keeper_release(struct tn_keeper *k);
void tn_keeper_flush(struct tn_keeper *k);

/* Number of what was kept last (UINT64_MAX: it is held, or lost), and what is durable up to now. */
uint64_t tn_keeper_sequence(const struct tn_keeper *k);
uint64_t tn_keeper_durable(const struct tn_keeper *k);
/* Until all that was flushed is durable, or has failed. */
void tn_keeper_wait(struct tn_keeper *k);

/* What must be known of a folder before there is an agent. */
struct tn_keeper_peek {
	bool found;
	uint64_t dpid;
	bool wants_pci, wants_namespaces;
};

/* As far as it can be read; the rest is tn_keeper_new()'s to say. */
void tn_keeper_peek(const char *state_dir, struct tn_keeper_peek *peek);

#endif
