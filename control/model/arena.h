/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that is freed all at once: holds the arrays that decoded mods point to. Aborts when the
 * machine has no memory left. One thread.
 */
#ifndef TN_MODEL_ARENA_H
#define TN_MODEL_ARENA_H

#include "dataplane/core/types.h"

struct tn_arena_chunk;

struct tn_arena {
	struct tn_arena_chunk *chunks;
};

void tn_arena_init(struct tn_arena *a);
void tn_arena_fini(struct tn_arena *a);
/* Zeroed, aligned to 16. */
void *tn_arena_alloc(struct tn_arena *a, size_t size);
void *tn_arena_dup(struct tn_arena *a, const void *p, size_t size);
char *tn_arena_strdup(struct tn_arena *a, const char *s);

/* Where it ends now. */
struct tn_arena_mark {
	struct tn_arena_chunk *chunk;
	size_t used;
};

struct tn_arena_mark tn_arena_mark(const struct tn_arena *a);
/*
 * What was allocated after the mark is gone and its memory used again, but for the last of it, p
 * with its size, which moves to where the mark is: returned.
 */
void *tn_arena_keep(struct tn_arena *a, struct tn_arena_mark mark, const void *p, size_t size);

#endif
