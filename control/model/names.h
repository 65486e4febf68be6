/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the model keeps beside the switch so that what was read can be written back: strings of
 * clients (appId, appCookie) by number, and port names. Not thread-safe.
 */
#ifndef TN_MODEL_NAMES_H
#define TN_MODEL_NAMES_H

#include "dataplane/core/types.h"

struct tn_names; /* strings <-> small numbers, and port names <-> port numbers */

struct tn_names *tn_names_new(void);
void tn_names_free(struct tn_names *n);

/* Number of a string, the same one for the same string; 0 is the empty string. */
uint32_t tn_names_intern(struct tn_names *n, const char *s);
const char *tn_names_string(const struct tn_names *n, uint32_t number);

/* -EEXIST: name or number taken by another. */
int tn_names_add_port(struct tn_names *n, const char *name, uint32_t number) TN_MUST_CHECK;
/* 0 when there is none. Exact spelling. */
uint32_t tn_names_port_by_name(const struct tn_names *n, const char *name);
const char *tn_names_port_name(const struct tn_names *n, uint32_t number); /* NULL: none */

#endif
