/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answers by Idempotency-Key, for ten minutes: a client that asks again with the key of a request
 * that was lost on its way gets the answer of the first one. Bounded: the oldest go first.
 */
#ifndef TN_NORTHBOUND_MEMORY_H
#define TN_NORTHBOUND_MEMORY_H

#include "control/northbound/call.h"

#define TN_MEMORY_NS	  (UINT64_C(600) * 1000000000u)
#define TN_MEMORY_ENTRIES 4096u
#define TN_MEMORY_BYTES	  (16u << 20) /* of answers */
#define TN_MEMORY_KEY_MAX 255u

struct tn_memory;

struct tn_memory *tn_memory_new(void);
void tn_memory_free(struct tn_memory *m);

/*
 * Looks up the call's key. False: it was answered here (the remembered answer, 422 for another
 * request, 409 while the first one is under way). True: go on, and tn_memory_keep() it.
 */
bool tn_memory_begin(struct tn_memory *m, struct tn_call *c, uint64_t now_ns);
/* The call is answered. Errors of the server (5xx) are forgotten: the next try is a new one. */
void tn_memory_keep(struct tn_memory *m, const struct tn_call *c);
/* It never will be. */
void tn_memory_forget(struct tn_memory *m, const struct tn_call *c);
/* Drops what is too old. */
void tn_memory_tick(struct tn_memory *m, uint64_t now_ns);
size_t tn_memory_count(const struct tn_memory *m);

#endif
