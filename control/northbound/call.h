/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request on its way and its answer. Whoever speaks HTTP fills the request, runs it and sends the
 * answer when it is there, at once or when it is woken; handlers know nothing of sockets.
 *
 *	c = tn_call_new(service);
 *	... method, path, query, headers, who ...
 *	tn_call_begin(c);		the route is found, the client may use it, or c->answered
 *	... body ...
 *	tn_call_run(c);			the handler; c->answered, or c->wake() follows
 *	... status, headers, body, produce() ...
 *	tn_call_release(c);
 *
 * Strings of the request are of the call's arena. Internal to the northbound.
 */
#ifndef TN_NORTHBOUND_CALL_H
#define TN_NORTHBOUND_CALL_H

#include "control/engine/engine.h"
#include "control/model/flow_json.h"
#include "control/northbound/access.h"
#include "control/northbound/text.h"

struct tn_service;
struct tn_route;
struct tn_call;

#define TN_CALL_PARAMS_MAX  4u
#define TN_CALL_QUERIES_MAX 32u

enum tn_method {
	TN_NO_METHOD = 0,
	TN_GET = 1 << 0,
	TN_POST = 1 << 1,
	TN_PUT = 1 << 2,
	TN_PATCH = 1 << 3,
	TN_DELETE = 1 << 4,
	TN_OPTIONS = 1 << 5,
};

/* What a part of a streamed answer was. */
enum tn_produced {
	TN_PRODUCED_MORE, /* text was added, call again */
	TN_PRODUCED_WAIT, /* nothing now; c->wake() when there is */
	TN_PRODUCED_END,  /* that was all */
};

struct tn_call_query {
	const char *key, *value;
};

struct tn_call {
	struct tn_service *service; /* NULL: it ended before the engine was done with us */
	struct tn_call *next, **at; /* among the service's */
	uint64_t number;

	/* The request. */
	enum tn_method method;
	bool onos; /* under /onos/v1: its statuses and shapes */
	const char *path;
	const struct tn_route *route;
	const char *params[TN_CALL_PARAMS_MAX]; /* of the route's path, in its order */
	struct tn_principal who;
	struct tn_call_query query[TN_CALL_QUERIES_MAX];
	size_t n_query;
	bool too_many_queries;
	const char *if_match, *if_none_match, *idempotency_key, *last_event_id, *accept,
		*content_type;
	struct tn_text body;

	/* While it is handled. */
	struct tn_arena arena;
	struct tn_diagnostics diag;
	struct tn_operation *ops;
	size_t n_ops, ops_room;
	uint32_t owner;		 /* of new objects, from ?appId=; 0: as each says */
	uint32_t confirm_within; /* seconds, from the body; 0: as the query says */
	void (*finish)(struct tn_call *c, const struct tn_outcome *outcome);
	void (*refreshed)(struct tn_call *c);
	void *state;			/* of the handler; in the arena */
	void (*end)(struct tn_call *c); /* frees what the state holds beside; may be NULL */
	struct tn_text differences;	/* of a dry run */
	size_t n_differences;
	bool submitted; /* the engine borrows our operations */
	bool released;	/* nobody waits for the answer any more */

	/* The answer. */
	bool answered;
	unsigned status;
	const char *type; /* of the content; NULL: no content */
	uint64_t etag;	  /* 0: none */
	const char *location, *link, *allow;
	unsigned retry_after;  /* seconds; 0: none */
	const char *challenge; /* WWW-Authenticate */
	struct tn_text text;
	enum tn_produced (*produce)(struct tn_call *c, struct tn_text *out); /* after text */
	void (*wake)(struct tn_call *c);
	void *transport;
};

struct tn_call *tn_call_new(struct tn_service *s);
/* key and value are copied. */
void tn_call_add_query(struct tn_call *c, const char *key, const char *value);
/* NULL: there is none. */
const char *tn_call_query(const struct tn_call *c, const char *key);
/* The value is "true", or the key stands alone. */
bool tn_call_flag(const struct tn_call *c, const char *key);

void tn_call_begin(struct tn_call *c);
void tn_call_run(struct tn_call *c);
/* The client is gone or has its answer. What the engine does for it goes on. */
void tn_call_release(struct tn_call *c);

/* A codec for what the call reads and prints. */
struct tn_codec tn_call_codec(struct tn_call *c, bool with_stats);
struct tn_scope tn_call_scope(const struct tn_call *c);
struct tn_engine *tn_call_engine(const struct tn_call *c);

/* One more operation, at a place in the client's request. */
struct tn_operation *tn_call_operation(
	struct tn_call *c, enum tn_operation_kind kind, const char *pointer);
/* What the path names is removed; with If-Match, as it was in this generation. */
void tn_call_remove(struct tn_call *c, enum tn_kind kind, uint64_t id, uint64_t generation);
/*
 * What may go with any change is taken from the query: wait, dryRun, confirmWithin. finish is
 * called when it was done; everything else is answered here.
 */
void tn_call_submit(
	struct tn_call *c, void (*finish)(struct tn_call *c, const struct tn_outcome *outcome));
/* The same for a transaction that waits to be confirmed: -ENOENT if there is none. */
int tn_call_settle(struct tn_call *c, uint64_t transaction,
	int (*fn)(struct tn_engine *e, uint64_t transaction, struct tn_scope scope, tn_done_fn done,
		void *ctx),
	void (*finish)(struct tn_call *c, const struct tn_outcome *outcome)) TN_MUST_CHECK;
/* fn when counters are as new as can be (with none in kinds, or ?stats=false: at once). */
void tn_call_refresh(struct tn_call *c, unsigned kinds, void (*fn)(struct tn_call *c));

/*
 * The client's conditions against the generation of what the path names; 0: it is not there.
 * Answers (304, 412) and returns false when they fail. Sets the answer's ETag.
 */
bool tn_call_check_conditions(struct tn_call *c, uint64_t generation);

#endif
