/* SPDX-License-Identifier: BSD-3-Clause */
/* What answers calls: an engine and what is remembered between requests. Internal. */
#ifndef TN_NORTHBOUND_SERVICE_H
#define TN_NORTHBOUND_SERVICE_H

#include "control/northbound/call.h"
#include "control/northbound/delta.h"

struct tn_hub;
struct tn_memory;

struct tn_service {
	struct tn_engine *engine;
	struct tn_server_limits limits; /* without zeros */
	struct tn_hub *hub;		/* of watchers */
	struct tn_memory *memory;	/* of answers, by Idempotency-Key */
	struct tn_delta delta;
	uint64_t started_ns;
	uint64_t n_calls;
	unsigned documents; /* under way */
	/* Numbers given to meters that wanted none, until the engine has them. */
	struct tn_pick {
		const struct tn_call *call;
		uint32_t meter;
	} * picks;
	size_t n_picks, picks_room;
	struct tn_text openapi; /* made when it is first asked for */
	struct tn_call *calls;	/* that are not freed yet */
};

/* Limits of 0 get their defaults. */
void tn_server_limits_complete(struct tn_server_limits *limits);

struct tn_service *tn_service_new(struct tn_engine *engine, const struct tn_server_limits *limits);
/* All calls must have been released; those that the engine still works for are let go. */
void tn_service_free(struct tn_service *s);
/* Once a second: heartbeats, and what is too old to be remembered. */
void tn_service_tick(struct tn_service *s);

/* The lowest number that no meter has or is about to get. The call's until it is answered. */
uint32_t tn_service_pick_meter(struct tn_service *s, const struct tn_call *c);
void tn_service_unpick(struct tn_service *s, const struct tn_call *c);

/* Now, in nanoseconds since 1970, and of a clock that is never set. */
uint64_t tn_service_now(void);
uint64_t tn_service_monotonic(void);

#endif
