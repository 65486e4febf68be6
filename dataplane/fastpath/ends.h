/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two ends of a tunnel as one small number, for session keys, which have no room for outer
 * addresses. One table a worker. Numbers stay: there are as many as endpoints that are declared.
 */
#ifndef TN_FASTPATH_ENDS_H
#define TN_FASTPATH_ENDS_H

#include "dataplane/core/field.h"

#define TN_ENDS_MAX 6144u

struct tn_ends;

struct tn_ends *tn_ends_new(void);
void tn_ends_free(struct tn_ends *e);

/* 1 to TN_ENDS_MAX; 0: there are no more numbers. */
uint16_t tn_ends_number(struct tn_ends *e, tn_u128 src, tn_u128 dst);

#endif
