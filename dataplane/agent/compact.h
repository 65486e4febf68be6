/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A journal that grew long is made short: what it holds becomes a snapshot, and a next journal goes
 * on. A thread of its own reads the files back into a switch of its own and writes that: workers
 * and the main loop are not stopped for it, whatever its size, and what it writes is what a restart
 * would have read. The snapshot before and its journals are kept until the next time, for the case
 * that the new one turns out damaged.
 */
#ifndef TN_AGENT_COMPACT_H
#define TN_AGENT_COMPACT_H

#include "dataplane/agent/journal.h"
#include "dataplane/agent/recover.h"

/*
 * Writes a state as snapshot-`generation`, beside, and puts it in its place once it is on the disk.
 * *bytes: its length. stop as in struct tn_recovery.
 */
int tn_snapshot_save(struct tn_disk *d, const struct tn_state *s,
	const struct tn_state_header *header, const bool *stop, uint64_t *bytes,
	struct tn_error *err) TN_MUST_CHECK;

/* Removes the files of generations before this one, and what was left half written. */
void tn_state_remove_before(struct tn_disk *d, uint64_t generation);

struct tn_compaction;

/* Begins; step() is due whenever fd() is readable. NULL: no thread or memory; try again later. */
struct tn_compaction *tn_compaction_start(struct tn_disk *d, struct tn_journal *j, uint64_t dpid);
int tn_compaction_fd(const struct tn_compaction *c);

enum tn_compaction_state { TN_COMPACTION_BUSY, TN_COMPACTION_DONE, TN_COMPACTION_FAILED };

/*
 * Main thread, with no draft in the journal: goes over to the next journal when it is ready. FAILED
 * with err: the journal goes on, nothing is lost.
 */
enum tn_compaction_state tn_compaction_step(
	struct tn_compaction *c, uint64_t now_ns, struct tn_error *err);
uint64_t tn_compaction_bytes(const struct tn_compaction *c); /* of the snapshot, when DONE */
/* Breaks it off if it is busy. NULL is fine. */
void tn_compaction_free(struct tn_compaction *c);

#endif
