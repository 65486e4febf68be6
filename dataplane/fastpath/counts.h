/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What programs that the executor runs counted, by identity, until it is reported. One worker's
 * own. Bounded: a table that is full reports the entry that is in the way.
 */
#ifndef TN_FASTPATH_COUNTS_H
#define TN_FASTPATH_COUNTS_H

#include "dataplane/core/program.h"

struct tn_counts;

#define TN_COUNTS_MAX 4096u /* identities that wait */

/* Takes the count, or false: later. */
typedef bool (*tn_count_fn)(void *ctx, const struct tn_count *count);

struct tn_counts *tn_counts_new(tn_count_fn report, void *ctx);
/* Reports what is left. */
void tn_counts_free(struct tn_counts *c);

/* A COUNT op was executed. Not counted only where the table is full and the report refused. */
void tn_counts_add(struct tn_counts *c, const struct tn_op *op, uint32_t bytes, uint64_t now_ns);

/*
 * Reports up to `budget` entries, going round. True: all that were there at tn_counts_sweep_begin()
 * were.
 */
bool tn_counts_sweep(struct tn_counts *c, uint32_t budget);
void tn_counts_sweep_begin(struct tn_counts *c);

#endif
