/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading a state folder: the newest whole snapshot and the journals behind it.
 *
 * Files are named by their generation, 16 hexadecimal digits: snapshot-G is what was before
 * journal-G; journal-G is followed by journal-(G+1). What is left of a change that was being
 * written is cut without a loss. Anything else that does not fit (a checksum, a number in the
 * sequence, a file that is missing) is damage: it is said with file and offset, and what is before
 * it is used.
 */
#ifndef TN_AGENT_RECOVER_H
#define TN_AGENT_RECOVER_H

#include "dataplane/agent/disk.h"
#include "dataplane/agent/state.h"

#define TN_STATE_NAME_MAX	48u
#define TN_STATE_GENERATION_MAX UINT64_MAX

void tn_state_file_name(char name[TN_STATE_NAME_MAX], enum tn_state_kind kind, uint64_t generation);

typedef void (*tn_recover_say_fn)(void *ctx, const char *sentence);

struct tn_recovery {
	/* set before */
	tn_recover_say_fn say; /* NULL: silent */
	void *say_ctx;
	const bool *stop; /* atomic, by another thread: give up with -ECANCELED; NULL: never */
	uint64_t until;	  /* files before this generation only; TN_STATE_GENERATION_MAX: all */
	/* found */
	bool found;    /* any change at all */
	bool damaged;  /* something that was acknowledged is lost, or a bad file was passed over */
	uint64_t dpid; /* of the files */
	uint64_t sequence; /* of the last record that counts */
	uint64_t base;	   /* generation of the snapshot that was used; 0: from the beginning */
	uint64_t newest;   /* generation of any file there is; 0: none */
	uint64_t snapshot_bytes, journal_bytes; /* of what was used */
	/* The journal to go on with. 0: none, begin another one with a snapshot before it. */
	uint64_t journal;
	uint64_t end; /* offset in it behind the last record that counts */
	/* Generations of files that are bad or could not be used any more; to be set aside. */
	struct tn_bad_file {
		enum tn_state_kind kind;
		uint64_t generation;
	} * bad;
	size_t n_bad;
};

/*
 * Applies to s, in replay, everything that counts. -EINVAL: this program must not use the folder (a
 * newer format, files of two switches); -ENOMEM and what the disk said to a listing. Otherwise 0,
 * whatever is damaged. Nothing is written.
 */
int tn_recover(struct tn_disk *d, struct tn_state *s, struct tn_recovery *r,
	struct tn_error *err) TN_MUST_CHECK;
void tn_recovery_fini(struct tn_recovery *r);

/* Renames the bad files to NAME.damaged. */
int tn_recovery_set_aside(struct tn_disk *d, const struct tn_recovery *r) TN_MUST_CHECK;

#endif
