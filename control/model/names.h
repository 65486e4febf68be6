/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the model keeps beside the switch so that what was read can be written back: strings of
 * clients (appId, appCookie) by number, and names of ports and tables. Look-ups take O(log n)
 * whatever the names are. Aborts when the machine has no memory left. Not thread-safe.
 */
#ifndef TN_MODEL_NAMES_H
#define TN_MODEL_NAMES_H

#include "dataplane/core/types.h"

struct tn_names; /* strings <-> small numbers, names <-> port numbers, names <-> tables */

struct tn_names *tn_names_new(void);
void tn_names_free(struct tn_names *n);

/* From now on no more than this many strings, and bytes of them. */
void tn_names_limit(struct tn_names *n, uint32_t strings, size_t bytes);
/* Number of a string, the same one for the same string; 0 is the empty string, and also what a
 * new one over the limit gets. */
uint32_t tn_names_intern(struct tn_names *n, const char *s);
/* How many there are: numbers are below it. */
uint32_t tn_names_n_strings(const struct tn_names *n);
/* "" for a number that was never given out. */
const char *tn_names_string(const struct tn_names *n, uint32_t number);

/* -EEXIST: name or number taken by another. */
int tn_names_add_port(struct tn_names *n, const char *name, uint32_t number) TN_MUST_CHECK;
/* No such port is fine. */
void tn_names_remove_port(struct tn_names *n, uint32_t number);
/* 0 when there is none. Exact spelling. */
uint32_t tn_names_port_by_name(const struct tn_names *n, const char *name);
const char *tn_names_port_name(const struct tn_names *n, uint32_t number); /* NULL: none */
/* The declared name nearest to a misspelt one, at most two edits away; NULL: none. */
const char *tn_names_nearest_port(const struct tn_names *n, const char *name);

/* -EEXIST: name or table taken by another. */
int tn_names_add_table(struct tn_names *n, const char *name, uint8_t table_id) TN_MUST_CHECK;
void tn_names_remove_table(struct tn_names *n, uint8_t table_id);
int tn_names_table_by_name(const struct tn_names *n, const char *name);		/* -1: none */
const char *tn_names_nearest_table(const struct tn_names *n, const char *name); /* as of ports */
const char *tn_names_table_name(const struct tn_names *n, uint8_t table_id);	/* NULL: none */

/*
 * Edits (insert, delete, replace a byte, swap two neighbours; case counts half) that make b of a,
 * doubled; more than 2 * max: any number over 2 * max. For suggestions in error sentences.
 */
unsigned tn_names_distance(const char *a, const char *b, unsigned max);

#endif
