/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters since they were reset: what the data plane had counted then, their base, is taken off
 * what it has counted now. It counts on by itself, nothing is written there. Those that had counted
 * nothing have no base. All zero: none was reset. Aborts when the machine has no memory left. One
 * thread.
 */
#ifndef TN_ENGINE_BASELINE_H
#define TN_ENGINE_BASELINE_H

#include "control/engine/index.h"
#include "dataplane/core/info.h"

/* The numbers are in stores. */
enum tn_counted {
	TN_COUNTED_FLOW,    /* by flow id */
	TN_COUNTED_GROUP,   /* by group id */
	TN_COUNTED_BUCKET,  /* by group and position, see tn_counted_part() */
	TN_COUNTED_METER,   /* by meter id */
	TN_COUNTED_BAND,    /* by meter and position */
	TN_COUNTED_PORT,    /* by port, and which of its counters */
	TN_COUNTED_DROP,    /* by port and reason */
	TN_COUNTED_TABLE,   /* by table id: lookups and matches */
	TN_COUNTED_WORKER,  /* by worker, and which of its counters */
	TN_COUNTED_NETWORK, /* by network and reason */
	TN_N_COUNTED
};

struct tn_baseline {
	struct tn_index by[TN_N_COUNTED];
	struct tn_baseline *next; /* not NULL: what is looked at is the base there */
	bool anew;		  /* something began anew there: its base is 0 */
};

static inline uint64_t tn_counted_part(uint64_t of, unsigned part)
{
	return of << 20 | part;
}

/* Zero: no base. */
void tn_baseline_set(
	struct tn_baseline *b, enum tn_counted what, uint64_t id, struct tn_counter base);
/* What was counted since the reset; now: what the data plane says. */
struct tn_counter tn_baseline_since(
	struct tn_baseline *b, enum tn_counted what, uint64_t id, struct tn_counter now);
uint64_t tn_baseline_since_one(
	struct tn_baseline *b, enum tn_counted what, uint64_t id, uint64_t now);
/* Those from one id to another: what they were of is gone, and the next one begins at 0. */
void tn_baseline_forget(struct tn_baseline *b, enum tn_counted what, uint64_t from, uint64_t to);
void tn_baseline_clear(struct tn_baseline *b);

typedef void (*tn_base_fn)(void *ctx, enum tn_counted what, uint64_t id, struct tn_counter base);
/* Those from one id to another; fn may forget the one that it is called with. */
void tn_baseline_scan(const struct tn_baseline *b, enum tn_counted what, uint64_t from, uint64_t to,
	tn_base_fn fn, void *ctx);
void tn_baseline_scan_all(const struct tn_baseline *b, tn_base_fn fn, void *ctx);

#endif
