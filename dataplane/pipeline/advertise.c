/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What flows do by themselves: the schedule of RFC 4861, 6.2.4. The first three come within 16 s of
 * each other, then one at a random moment between the flow's least and most seconds. The first one
 * of each flow has its own moment, so that many that come at once do not speak at once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/pipeline/switch_private.h"

#define INITIAL_ADVERTS	 3u
#define INITIAL_INTERVAL 16u /* seconds */

struct tn_sw_advert {
	uint64_t flow_id;
	uint64_t due_ns;
	uint64_t sent;
};

static const struct tn_action *advertises(const struct tn_flow *flow)
{
	return flow->n_apply && flow->apply->type == TN_ACTION_ADVERTISE ? flow->apply : NULL;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	a = (a ^ b) * UINT64_C(0x9fb21c651e98df25);
	a ^= a >> 35;
	a *= UINT64_C(0xd6e8feb86659fd93);
	return a ^ a >> 32;
}

/* Uniform in [least, most) seconds, as nanoseconds. */
static uint64_t between(const struct tn_switch *sw, const struct tn_sw_advert *advert,
	uint64_t least, uint64_t most)
{
	uint64_t random = mix(mix(sw->adverts.seed, advert->flow_id), advert->sent);

	return least * TN_SW_NS + (uint64_t)((tn_u128)random * ((most - least) * TN_SW_NS) >> 64);
}

static uint64_t first_delay(
	const struct tn_switch *sw, const struct tn_sw_advert *advert, const struct tn_action *a)
{
	return between(sw, advert, 0,
		a->advertise.most < INITIAL_INTERVAL ? a->advertise.most : INITIAL_INTERVAL);
}

static uint64_t next_delay(
	const struct tn_switch *sw, const struct tn_sw_advert *advert, const struct tn_action *a)
{
	uint64_t delay = between(sw, advert, a->advertise.least, a->advertise.most);

	if (advert->sent < INITIAL_ADVERTS && delay > INITIAL_INTERVAL * TN_SW_NS)
		return INITIAL_INTERVAL * TN_SW_NS;
	return delay;
}

static void find_next(struct tn_switch *sw)
{
	sw->adverts.next_ns = UINT64_MAX;
	for (size_t i = 0; i < sw->adverts.n; i++) {
		if (sw->adverts.v[i].due_ns < sw->adverts.next_ns)
			sw->adverts.next_ns = sw->adverts.v[i].due_ns;
	}
}

bool tn_sw_adverts_reserve(struct tn_switch *sw, const struct tn_flow *flow)
{
	struct tn_sw_adverts *adverts = &sw->adverts;
	size_t size = (adverts->n + sw->n_changes + 1) * 2;
	struct tn_sw_advert *v;

	if (!advertises(flow) || adverts->n + sw->n_changes < adverts->size)
		return true;
	v = realloc(adverts->v, size * sizeof(*v));
	if (!v)
		return false;
	adverts->v = v;
	adverts->size = size;
	return true;
}

static struct tn_sw_advert *find(const struct tn_switch *sw, uint64_t flow_id)
{
	for (size_t i = 0; i < sw->adverts.n; i++) {
		if (sw->adverts.v[i].flow_id == flow_id)
			return &sw->adverts.v[i];
	}
	return NULL;
}

/* What says something else begins anew; what says the same goes on. */
static void forget(struct tn_switch *sw, const struct tn_flow *flow)
{
	const struct tn_flow *now = tn_sw_flow_by_id(sw, flow->flow_id);
	struct tn_sw_advert *advert = find(sw, flow->flow_id);

	if (!advert ||
		(now && tn_actions_equal(now->apply, now->n_apply, flow->apply, flow->n_apply)))
		return;
	*advert = sw->adverts.v[--sw->adverts.n];
}

static void begin(struct tn_switch *sw, const struct tn_flow *flow, uint64_t now_ns)
{
	struct tn_sw_advert *advert;

	if (find(sw, flow->flow_id) || tn_sw_flow_by_id(sw, flow->flow_id) != flow)
		return;
	TN_ASSERT(sw->adverts.n < sw->adverts.size);
	advert = &sw->adverts.v[sw->adverts.n++];
	*advert = (struct tn_sw_advert){.flow_id = flow->flow_id};
	advert->due_ns = now_ns + first_delay(sw, advert, flow->apply);
}

void tn_sw_adverts_commit(struct tn_switch *sw, uint64_t now_ns)
{
	bool any = false;

	/* A journal's times are those of another run. */
	if (sw->replaying)
		now_ns = sw->replay_used_ns;
	for (size_t i = 0; i < sw->n_changes; i++) {
		const struct tn_sw_change *change = &sw->changes[i];

		if (change->object != TN_SW_FLOW || !advertises(change->p))
			continue;
		if (change->added)
			begin(sw, change->p, now_ns);
		else
			forget(sw, change->p);
		any = true;
	}
	if (any)
		find_next(sw);
}

uint64_t tn_switch_next_advert(const struct tn_switch *sw)
{
	return sw->adverts.next_ns;
}

static struct tn_sw_advert *first(const struct tn_switch *sw)
{
	struct tn_sw_advert *best = NULL;

	for (size_t i = 0; i < sw->adverts.n; i++) {
		if (!best || sw->adverts.v[i].due_ns < best->due_ns)
			best = &sw->adverts.v[i];
	}
	return best;
}

bool tn_switch_take_advert(struct tn_switch *sw, uint64_t now_ns, struct tn_advert *advert)
{
	struct tn_sw_advert *due = first(sw);
	const struct tn_flow *flow;

	if (!due || due->due_ns > now_ns)
		return false;
	flow = tn_sw_flow_by_id(sw, due->flow_id);
	due->sent++;
	*advert = (struct tn_advert){
		.due_ns = due->due_ns, .list = flow->apply + 1, .n = flow->n_apply - 1u};
	due->due_ns = now_ns + next_delay(sw, due, flow->apply);
	find_next(sw);
	return true;
}

void tn_switch_seed_adverts(struct tn_switch *sw, uint64_t seed)
{
	sw->adverts.seed = seed;
}
