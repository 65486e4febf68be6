/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deferred free: memory that readers may still hold waits here until the writer knows that none
 * does (a grace period, as in RCU). One writer; readers never touch it.
 */
#ifndef TN_TABLE_DEFER_H
#define TN_TABLE_DEFER_H

#include "dataplane/core/types.h"

struct tn_defer;

struct tn_defer *tn_defer_new(void);
/* Frees everything that still waits; only when no reader is left. */
void tn_defer_free(struct tn_defer *d);

typedef void (*tn_defer_fn)(void *p);

/* fn(p) will be called after the grace period. Never fails: with no memory it aborts loudly. */
void tn_defer_add(struct tn_defer *d, void *p, tn_defer_fn fn);

/* The grace period is over for everything added so far: call it all. */
void tn_defer_run(struct tn_defer *d);

/* Entries waiting. */
size_t tn_defer_pending(const struct tn_defer *d);

#endif
