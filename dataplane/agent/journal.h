/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The journal that is being written. The main thread puts groups of records together and hands them
 * over; a thread of the journal writes and syncs them, and one sync covers all that was handed over
 * meanwhile. Room on the disk is taken before a change is made, so that a full disk refuses changes
 * and never breaks one off.
 *
 * After a write or a sync that failed nothing more is written and nothing more becomes durable:
 * what the disk holds then is not known, and another sync could say yes to what is lost.
 *
 * Main thread, but for tn_journal_wait_durable().
 */
#ifndef TN_AGENT_JOURNAL_H
#define TN_AGENT_JOURNAL_H

#include "dataplane/agent/disk.h"
#include "dataplane/agent/record.h"

#define TN_JOURNAL_CHUNK (4u << 20) /* bytes that are taken from the disk at once */

struct tn_journal;

/* Where it goes on. */
struct tn_journal_place {
	uint64_t generation;
	uint64_t end;	   /* offset in a journal that is there; 0: it is made */
	uint64_t sequence; /* of the last record that counts, here or in files before */
	uint64_t dpid;
	uint64_t time_ns; /* now */
};

/* The disk stays the caller's. NULL with err. */
struct tn_journal *tn_journal_open(
	struct tn_disk *d, const struct tn_journal_place *place, struct tn_error *err);
/* Waits until all that was handed over is on the disk, or has failed. NULL is fine. */
void tn_journal_close(struct tn_journal *j);

/*
 * The group that is being put together: whole records are appended to the buffer, from offset
 * `start` on. It may be cut there to take records back.
 */
struct tn_api_buffer *tn_journal_draft(struct tn_journal *j, size_t *start);
/* Room for the draft and `more` bytes. Refused: -ENOSPC and the like, what to do in err. */
int tn_journal_reserve(struct tn_journal *j, uint64_t more, struct tn_error *err) TN_MUST_CHECK;
/* The draft counts: its last record's number. Room was reserved. */
uint64_t tn_journal_seal(struct tn_journal *j);
/* To the thread with what was sealed. */
void tn_journal_flush(struct tn_journal *j);

/* Becomes readable when more is durable, or with the failure. tn_journal_ack() reads it. */
int tn_journal_fd(const struct tn_journal *j);
void tn_journal_ack(struct tn_journal *j);
uint64_t tn_journal_sequence(const struct tn_journal *j); /* of the last sealed record */
uint64_t tn_journal_durable(const struct tn_journal *j);
int tn_journal_failure(const struct tn_journal *j); /* 0, or -errno */
uint64_t tn_journal_generation(const struct tn_journal *j);
uint64_t tn_journal_bytes(const struct tn_journal *j); /* in this file */

/*
 * A next file, made ready by any thread (a handle, or -errno), then gone on with by main: what is
 * sealed from then on is in it. There is no draft then. The journal takes the handle over; -ENOMEM:
 * it goes on with the old file, or has failed.
 */
int tn_journal_prepare(struct tn_disk *d, uint64_t generation);
int tn_journal_rotate(struct tn_journal *j, int file, uint64_t time_ns) TN_MUST_CHECK;
/* Any thread: until that record is durable. False: that will not be, or *stop was set. */
bool tn_journal_wait_durable(struct tn_journal *j, uint64_t sequence, const bool *stop);
/* Lets that wait look at *stop. */
void tn_journal_wake(struct tn_journal *j);

#endif
