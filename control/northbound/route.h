/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can be asked for, as tables. Dispatch, the Allow of a 405, checks of parameters and bodies,
 * and the OpenAPI document are made from them. README.md says how a resource is added.
 */
#ifndef TN_NORTHBOUND_ROUTE_H
#define TN_NORTHBOUND_ROUTE_H

#include "control/northbound/call.h"
#include "control/northbound/schemas.h"

/* What a route does beyond the others. */
enum tn_route_flags {
	TN_ROUTE_CHANGES = 1 << 0,    /* submits: takes wait, dryRun and confirmWithin */
	TN_ROUTE_LISTS = 1 << 1,      /* takes limit, after and stats */
	TN_ROUTE_FILTERS = 1 << 2,    /* takes the filters of flows */
	TN_ROUTE_COUNTS = 1 << 3,     /* takes stats */
	TN_ROUTE_NO_TENANTS = 1 << 4, /* not for clients that are bound to a tenant */
	TN_ROUTE_OPTIONAL_BODY = 1 << 5,
	TN_ROUTE_BAD_DEVICE = 1 << 6, /* an unknown device is a 400 under /onos/v1 */
	/* What it names has an ETag: it checks If-Match and If-None-Match. */
	TN_ROUTE_TAGGED = 1 << 7,
	TN_ROUTE_CREATES = 1 << 8, /* answers 201 where nothing was */
	TN_ROUTE_AT_ONCE = 1 << 9, /* the data plane has no part in it: never 202 */
	/* Of the switch as of tenants: what is of the switch is for administrators. */
	TN_ROUTE_SHARED = 1 << 10,
};

struct tn_route {
	enum tn_method method;
	const char *path; /* below /v1 and /onos/v1; {deviceId} is checked before the handler */
	enum tn_role role;
	void (*handle)(struct tn_call *c);
	unsigned flags;
	/* For the OpenAPI document. */
	const char *id, *summary;
	unsigned status;     /* of success under /v1 */
	const char *answer;  /* schema; NULL: no content */
	const char *request; /* schema; NULL: no body */
	const char *query;   /* further parameters, with spaces between */
};

/* A part of the interface. Of two paths of one area that fit a request the first stands. */
struct tn_area {
	const struct tn_route *routes;
	size_t n_routes;
	const struct tn_schema *schemas;	      /* ends with a name that is NULL */
	const struct tn_schema_parameter *parameters; /* the same */
};

/* Ends with NULL. */
extern const struct tn_area *const tn_areas[];

extern const struct tn_area tn_switch_area; /* routes.c */
extern const struct tn_area tn_tenant_area; /* tenant_routes.c */

/* False: no route has such a path. *methods: what may be done with it (enum tn_method). */
bool tn_route_find(struct tn_call *c, const char *path, unsigned *methods);
/* ` (did you mean "/flows"?)` for the beginning of a path that none has, or "". */
const char *tn_route_near(struct tn_call *c, const char *path);
/* "GET, HEAD, POST, OPTIONS" */
const char *tn_route_allow(struct tn_arena *arena, unsigned methods);
const char *tn_method_name(enum tn_method method);
/* May this parameter stand in a route's query? */
bool tn_route_takes(const struct tn_route *r, const char *key);
/* Parameter i of those it takes; NULL past the last. */
const char *tn_route_parameter(const struct tn_route *r, size_t i, char *buf, size_t size);

#endif
