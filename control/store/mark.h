/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Beside the database: how many of its commits were acknowledged, at least. SQLite takes whatever
 * of its log it cannot read for a commit that the power cut off, and goes on without it; with this
 * number a log whose bits turned over is told from one that ends.
 *
 * It is written after a commit is on the disk, and not synced: what a cut of the power leaves of it
 * is an older number, which is true as well. Internal to the store.
 */
#ifndef TN_STORE_MARK_H
#define TN_STORE_MARK_H

#include <stdint.h>

/* The file of the database at this path, made if need be; -1: it cannot be kept, which only costs
 * the check. *commits: what it says; 0: nothing. */
int tn_mark_open(const char *path, uint64_t *commits);
void tn_mark_write(int mark, uint64_t commits);

#endif
