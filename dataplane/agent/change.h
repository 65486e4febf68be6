/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every change that a client is promised goes through here: it is made in the switch, published to
 * the workers, written to the journal, and only then answered.
 *
 * A round of the loop makes many changes and pays for publishing and for the disk once: callers
 * submit what has come, then flush. Main thread.
 */
#ifndef TN_AGENT_CHANGE_H
#define TN_AGENT_CHANGE_H

#include "dataplane/agent/agent.h"
#include "dataplane/api/messages.h"

struct tn_changes;

/*
 * receipt: good for the call. version 0: refused, and everything is as it was. NULL: made, and
 * forwarding, but the disk failed (tn_changes_failure) and a restart may not find it: neither a
 * receipt nor a refusal would be true, so the answer is an ERROR. Who gets it may submit, flush
 * and forget.
 */
typedef void (*tn_receipt_fn)(void *ctx, uint64_t request_id, const struct tn_api_receipt *receipt);

/*
 * state_dir NULL: nothing is kept, receipts wait for the workers alone. Otherwise what the folder
 * holds is made the agent's state first, before any worker forwards. NULL with err: the folder
 * cannot be used, which is not for what is damaged: that is said on standard error and the last
 * good state is used.
 */
struct tn_changes *tn_changes_new(
	struct tn_agent *agent, const char *state_dir, struct tn_error *err);
/* Finishes what was submitted: the last receipts are given from within. */
void tn_changes_free(struct tn_changes *c);

/* Did the state folder hold anything? Then a document of --load is not wanted. */
bool tn_changes_recovered(const struct tn_changes *c);

/* Why nothing is kept any more and all that is submitted is refused; NULL: all is well. */
const char *tn_changes_failure(const struct tn_changes *c);

/*
 * BUNDLE (whole: the mods of all its parts), PORT_ADD, PORT_REMOVE, PORT_CONFIGURE,
 * TABLE_CONFIGURE, UNDERLAY; borrowed for the call. fn gets one receipt: from within this call if
 * it was refused, otherwise from within a flush or later from the loop, in the order of submission.
 */
void tn_changes_submit(
	struct tn_changes *c, const struct tn_api_message *change, tn_receipt_fn fn, void *ctx);
/*
 * The same; in_force is called, with a receipt, when every worker forwards with the change, unless
 * fn is then, too. It may not call anything here. NULL: nobody wants to know.
 */
void tn_changes_submit_early(struct tn_changes *c, const struct tn_api_message *change,
	tn_receipt_fn in_force, tn_receipt_fn fn, void *ctx);
/*
 * What is submitted between the two is kept wholly or not at all: a crash finds none of it or all.
 * Only refusals are answered before the release; without it nothing of it is kept.
 */
void tn_changes_hold(struct tn_changes *c);
void tn_changes_release(struct tn_changes *c);
/* Workers get what was submitted since the last flush, and the disk. */
void tn_changes_flush(struct tn_changes *c);
/* Whoever ctx was is gone: its receipts go to nobody. */
void tn_changes_forget(struct tn_changes *c, const void *ctx);

#endif
