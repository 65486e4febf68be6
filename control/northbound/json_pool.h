/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory for trees of jansson's that are made, printed and dropped one after another, as those of a
 * list are: a block that is begun anew for each, in place of some sixty malloc() and free() a flow.
 * What does not fit, and all that is made outside, comes from malloc() as ever. One thread.
 * Internal to the northbound.
 */
#ifndef TN_NORTHBOUND_JSON_POOL_H
#define TN_NORTHBOUND_JSON_POOL_H

/* Trees are made in the block until end(), and must be gone by then. */
void tn_json_pool_begin(void);
void tn_json_pool_end(void);

#endif
