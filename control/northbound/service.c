/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/service.h"

#include <stdlib.h>
#include <time.h>

#include "control/northbound/hub.h"
#include "control/northbound/memory.h"

static uint64_t read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t tn_service_now(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t tn_service_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static void default32(uint32_t *value, uint32_t standard)
{
	if (!*value)
		*value = standard;
}

void tn_server_limits_complete(struct tn_server_limits *l)
{
	default32(&l->connections, 2048);
	default32(&l->connections_per_client, 1024);
	default32(&l->body_bytes, 64u << 20);
	default32(&l->elements, 262144);
	default32(&l->header_seconds, 60);
	default32(&l->body_seconds, 60);
	default32(&l->stall_seconds, 60);
	default32(&l->watchers, 1024);
	default32(&l->heartbeat_seconds, 15);
	if (!l->bodies_bytes)
		l->bodies_bytes = 256u << 20;
	if (!l->watch_bytes)
		l->watch_bytes = 16u << 20;
}

struct tn_service *tn_service_new(struct tn_engine *engine, const struct tn_server_limits *limits)
{
	struct tn_service *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->engine = engine;
	s->limits = *limits;
	tn_server_limits_complete(&s->limits);
	s->started_ns = tn_service_now();
	s->memory = tn_memory_new();
	s->hub = tn_hub_new(s);
	return s;
}

void tn_service_free(struct tn_service *s)
{
	if (!s)
		return;
	for (struct tn_call *c = s->calls; c; c = c->next)
		c->service = NULL;
	tn_text_fini(&s->openapi);
	tn_hub_free(s->hub);
	tn_memory_free(s->memory);
	tn_delta_fini(&s->delta);
	free(s->picks);
	free(s);
}

void tn_service_tick(struct tn_service *s)
{
	tn_hub_tick(s->hub);
	tn_memory_tick(s->memory, tn_service_monotonic());
}

/* Numbers of meters. */

static bool past_gap(void *ctx, const struct tn_object *o)
{
	uint32_t *candidate = ctx;

	if (o->id != *candidate)
		return false;
	++*candidate;
	return true;
}

static bool is_picked(const struct tn_service *s, uint32_t meter)
{
	for (size_t i = 0; i < s->n_picks; i++)
		if (s->picks[i].meter == meter)
			return true;
	return false;
}

uint32_t tn_service_pick_meter(struct tn_service *s, const struct tn_call *c)
{
	uint32_t meter = 1, before;

	do {
		before = meter;
		tn_engine_scan(s->engine, TN_KIND_METER, (struct tn_scope){0}, meter - 1, false,
			past_gap, &meter);
		while (is_picked(s, meter))
			meter++;
	} while (meter != before);
	if (s->n_picks == s->picks_room) {
		s->picks_room = s->picks_room ? 2 * s->picks_room : 8;
		s->picks = realloc(s->picks, s->picks_room * sizeof(*s->picks));
		if (!s->picks)
			abort();
	}
	s->picks[s->n_picks++] = (struct tn_pick){c, meter};
	return meter;
}

void tn_service_unpick(struct tn_service *s, const struct tn_call *c)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_picks; i++)
		if (s->picks[i].call != c)
			s->picks[n++] = s->picks[i];
	s->n_picks = n;
}
