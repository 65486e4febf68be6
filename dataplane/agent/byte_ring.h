/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of any length from one thread to another, through a fixed piece of memory: what a worker
 * hands to the main thread. One writer, one reader, no locks; full is an answer, not a wait.
 */
#ifndef TN_AGENT_BYTE_RING_H
#define TN_AGENT_BYTE_RING_H

#include "dataplane/core/types.h"

struct tn_byte_ring;

/* size: a power of two. NULL: no memory. */
struct tn_byte_ring *tn_byte_ring_new(uint32_t size);
void tn_byte_ring_free(struct tn_byte_ring *r);

/* Writer: room for a record of len bytes, 16-byte aligned, in one piece; NULL: full. */
void *tn_byte_ring_reserve(struct tn_byte_ring *r, uint32_t len);
/* Records of that length that certainly find room now. */
uint32_t tn_byte_ring_room(struct tn_byte_ring *r, uint32_t len);
/* Makes what was reserved last the reader's. */
void tn_byte_ring_commit(struct tn_byte_ring *r);

/* Reader: is there none? */
bool tn_byte_ring_empty(struct tn_byte_ring *r);
/* The oldest record; NULL: none. Valid until tn_byte_ring_pop(). */
const void *tn_byte_ring_peek(struct tn_byte_ring *r, uint32_t *len);
void tn_byte_ring_pop(struct tn_byte_ring *r);

#endif
