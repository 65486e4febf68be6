/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tenant pipeline as a Table Type Pattern (ONF TS-017): which flows, groups and meters it is
 * made of, and what of those of others may stand beside it. Pure.
 */
#ifndef TN_TENANT_PATTERN_H
#define TN_TENANT_PATTERN_H

#include <jansson.h>

#include "dataplane/core/mods.h"

/* A new reference. */
json_t *tn_pattern_json(void);

/*
 * May somebody else than the compiler add this while there are tenant networks? 0; -EINVAL with
 * err, which says why not and what to do. A flow that is changed or deleted is looked at as far as
 * it says itself; whose the flows are that it means is for the caller to see to.
 */
int tn_pattern_check(const struct tn_mod *mod, struct tn_error *err) TN_MUST_CHECK;
/* Is it of the pipeline itself? */
bool tn_pattern_fits(const struct tn_mod *mod);

#endif
