/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory of a tool: there is some, or the program ends with a message. */
#ifndef TN_REPLAY_MEMORY_H
#define TN_REPLAY_MEMORY_H

#include "dataplane/core/types.h"

/* Zeroed. */
void *tn_alloc(size_t size);
void *tn_realloc(void *p, size_t size);

/* A growing array: room for one more element of `size` bytes in p with n of *room used. */
void *tn_grow(void *p, size_t n, size_t *room, size_t size);

#endif
