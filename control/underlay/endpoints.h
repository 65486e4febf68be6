/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The far ends of tunnels that are in use: remotes and peers of vxlan ports, and what flows and
 * groups set as tunnel destination. Pure. One thread.
 */
#ifndef TN_UNDERLAY_ENDPOINTS_H
#define TN_UNDERLAY_ENDPOINTS_H

#include "control/engine/engine.h"

#define TN_ENDPOINTS_MAX 65536u

struct tn_endpoints;

/* NULL: no memory. */
struct tn_endpoints *tn_endpoints_new(void);
void tn_endpoints_free(struct tn_endpoints *e);

/* Those that an object names; true: some are new. */
bool tn_endpoints_add(struct tn_endpoints *e, const struct tn_object *object);
/* Does the object name any? */
bool tn_endpoints_concern(const struct tn_object *object);

/* All that are in use are added anew between these two; others go. */
void tn_endpoints_begin(struct tn_endpoints *e);
void tn_endpoints_end(struct tn_endpoints *e);

uint32_t tn_endpoints_count(const struct tn_endpoints *e);
/* Those that there was no room for. */
uint64_t tn_endpoints_lost(const struct tn_endpoints *e);

/* In the order of their addresses. */
typedef void (*tn_endpoint_fn)(void *ctx, tn_u128 address);
void tn_endpoints_each(const struct tn_endpoints *e, tn_endpoint_fn fn, void *ctx);

#endif
