/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of things that have names: of ports, endpoints, routers, routes. The caller keeps them
 * across runs, so that a port of the switch, a group or a meter stays what it was. A number is the
 * lowest that is free. What is taken and given back counts only once it is settled; until then all
 * of it can be reverted. Aborts when the machine has no memory left. One thread.
 */
#ifndef TN_TENANT_NUMBERS_H
#define TN_TENANT_NUMBERS_H

#include "dataplane/core/types.h"

enum tn_number_space {
	TN_NUMBER_PORT, /* sources and destinations: "port/ID", "endpoint/NETWORK/ADDRESS" */
	TN_NUMBER_ROUTER,
	TN_NUMBER_ROUTE, /* "ROUTER/PREFIX" */
	TN_N_NUMBER_SPACES
};

struct tn_numbers;

struct tn_numbers *tn_numbers_new(void);
void tn_numbers_free(struct tn_numbers *n);

/* What was kept: settled. -EEXIST: the name or the number is there; -EINVAL: 0 or too large. */
int tn_numbers_restore(struct tn_numbers *n, enum tn_number_space space, const char *name,
	uint32_t number) TN_MUST_CHECK;
/* The number of a name, a new one if need be; 0: there is none left. */
uint32_t tn_numbers_take(struct tn_numbers *n, enum tn_number_space space, const char *name);
/* 0: it has none. */
uint32_t tn_numbers_find(const struct tn_numbers *n, enum tn_number_space space, const char *name);
/* Free from when it is settled on. One that nobody has is fine. */
void tn_numbers_give_back(struct tn_numbers *n, enum tn_number_space space, uint32_t number);

/* What is to be written down: number 0: the name has none any more. */
typedef void (*tn_number_fn)(
	void *ctx, enum tn_number_space space, const char *name, uint32_t number);
void tn_numbers_changes(const struct tn_numbers *n, tn_number_fn fn, void *ctx);
void tn_numbers_settle(struct tn_numbers *n);
void tn_numbers_revert(struct tn_numbers *n);
/* All that have one, in the order of their names. */
void tn_numbers_all(const struct tn_numbers *n, tn_number_fn fn, void *ctx);

#endif
