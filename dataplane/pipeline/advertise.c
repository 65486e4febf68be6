/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What flows do by themselves: the schedule of RFC 4861, 6.2.4. The first three come within 16 s of
 * each other, then one at a random moment between the flow's least and most seconds. The first one
 * of each flow has its own moment, so that many that come at once do not speak at once.
 *
 * What says something else, or goes, says so at once: three times, as close to each other as
 * MIN_DELAY_BETWEEN_RAS lets it. These take back what was told and is so no more (6.2.5); whoever
 * changed the flow has not to know what it said before, nor to be there any more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/core/ra.h"
#include "dataplane/core/reply.h"
#include "dataplane/pipeline/switch_private.h"

#define INITIAL_ADVERTS	 3u
#define INITIAL_INTERVAL (16 * TN_SW_NS)
#define CHANGED_SPREAD	 (TN_SW_NS / 2) /* MAX_RA_DELAY_TIME */
#define CHANGED_INTERVAL (3 * TN_SW_NS) /* MIN_DELAY_BETWEEN_RAS */

/* What a flow does after ADVERTISE, or what is done in its place. */
struct deed {
	const struct tn_action *list;
	size_t n;
};

struct tn_sw_advert {
	uint64_t flow_id;
	uint64_t due_ns;
	uint64_t last_ns; /* 0: not done yet */
	uint64_t sent;	  /* since it began, or changed */
	bool changed;
	bool gone; /* the flow */
	/*
	 * Done the first times after a change, in place of what the flow says; NULL: nothing is to
	 * be taken back. Owned; stays until the time after the last, for whoever took that.
	 */
	struct tn_action *instead;
	size_t n_instead;
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

/* Uniform in [least, most), of nanoseconds. */
static uint64_t between(const struct tn_switch *sw, const struct tn_sw_advert *advert,
	uint64_t least, uint64_t most)
{
	uint64_t random = mix(mix(sw->adverts.seed, advert->flow_id), advert->sent);

	return least + (uint64_t)((tn_u128)random * (most - least) >> 64);
}

static uint64_t at_most(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t first_delay(
	const struct tn_switch *sw, const struct tn_sw_advert *advert, const struct tn_action *a)
{
	return between(sw, advert, 0, at_most(a->advertise.most * TN_SW_NS, INITIAL_INTERVAL));
}

/* a: the flow's ADVERTISE; NULL: it is gone. */
static uint64_t next_delay(
	const struct tn_switch *sw, const struct tn_sw_advert *advert, const struct tn_action *a)
{
	uint64_t delay = !a
		? CHANGED_INTERVAL
		: between(sw, advert, a->advertise.least * TN_SW_NS, a->advertise.most * TN_SW_NS);

	if (advert->sent < INITIAL_ADVERTS)
		delay = at_most(delay, advert->changed ? CHANGED_INTERVAL : INITIAL_INTERVAL);
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

static void free_instead(struct tn_sw_advert *advert)
{
	free(advert->instead);
	advert->instead = NULL;
}

static void forget(struct tn_switch *sw, struct tn_sw_advert *advert)
{
	free_instead(advert);
	*advert = sw->adverts.v[--sw->adverts.n];
}

void tn_sw_adverts_fini(struct tn_switch *sw)
{
	for (size_t i = 0; i < sw->adverts.n; i++)
		free(sw->adverts.v[i].instead);
	free(sw->adverts.v);
}

/* --- what is taken back ----------------------------------------------------------------------- */

static struct deed deed_of(const struct tn_flow *flow)
{
	return flow && advertises(flow) ? (struct deed){flow->apply + 1, flow->n_apply - 1u}
					: (struct deed){0};
}

/* Where the router advertisement is in it; deed->n: there is none. */
static size_t find_reply(const struct deed *deed)
{
	size_t i = 0;

	while (i < deed->n &&
		(deed->list[i].type != TN_ACTION_REPLY || deed->list[i].reply.kind != TN_REPLY_RA))
		i += 1u + (tn_action_nests(deed->list[i].type) ? deed->list[i].n_nested : 0u);
	return i < deed->n ? i : deed->n;
}

static struct tn_ra_body body_of(const struct deed *deed, uint8_t data[TN_REPLY_DATA_MAX])
{
	size_t i = find_reply(deed);

	return (struct tn_ra_body){data, i < deed->n ? tn_reply_data(&deed->list[i], data) : 0};
}

/* `like` with another body. Without memory there is none: then guests hear of what is new alone. */
static void say_instead(
	struct tn_sw_advert *advert, const struct deed *like, const uint8_t *body, uint32_t n)
{
	const size_t at = find_reply(like), rest = at + 1 + like->list[at].n_nested;
	struct tn_action *list = malloc((like->n + TN_REPLY_NOTES_MAX) * sizeof(*list));
	uint16_t notes;

	if (!list)
		return;
	memcpy(list, like->list, (at + 1) * sizeof(*list));
	notes = tn_reply_data_notes(body, n, list + at + 1);
	list[at].n_nested = notes;
	memcpy(list + at + 1 + notes, like->list + rest, (like->n - rest) * sizeof(*list));
	advert->instead = list;
	advert->n_instead = at + 1 + notes + like->n - rest;
}

/* From what was told last to what is to be told now. */
static void take_back(struct tn_sw_advert *advert, const struct deed *told, const struct deed *now)
{
	uint8_t told_data[TN_REPLY_DATA_MAX], next_data[TN_REPLY_DATA_MAX];
	const struct tn_ra_body before = body_of(told, told_data);
	const struct tn_ra_body next = body_of(now, next_data);
	uint8_t body[TN_REPLY_DATA_MAX];
	uint32_t n = tn_ra_take_back(&before, &next, body);
	struct tn_action *old = advert->instead;

	advert->instead = NULL;
	if (n && (next.n || !now->list))
		say_instead(advert, next.n ? now : told, body, n);
	free(old); /* which may be what was told */
}

static bool says_instead(const struct tn_sw_advert *advert)
{
	return advert->instead && advert->sent < INITIAL_ADVERTS;
}

/* What follows is said at once, whatever was to come when. */
static void hurry(const struct tn_switch *sw, struct tn_sw_advert *advert, uint64_t now_ns)
{
	uint64_t soon;

	advert->sent = 0;
	advert->changed = true;
	soon = now_ns + between(sw, advert, 0, CHANGED_SPREAD);
	if (advert->last_ns && soon < advert->last_ns + CHANGED_INTERVAL)
		soon = advert->last_ns + CHANGED_INTERVAL;
	advert->due_ns = at_most(advert->due_ns, soon);
}

/* --- changes ---------------------------------------------------------------------------------- */

/* was: the flow before the commit. What says the same goes on. */
static void end(struct tn_switch *sw, const struct tn_flow *was, uint64_t now_ns)
{
	const struct tn_flow *flow = tn_sw_flow_by_id(sw, was->flow_id);
	struct tn_sw_advert *advert = find(sw, was->flow_id);
	const struct deed now = deed_of(flow);
	struct deed told = deed_of(was);

	if (!advert || was->dropped ||
		(flow && tn_actions_equal(flow->apply, flow->n_apply, was->apply, was->n_apply)))
		return;
	if (says_instead(advert))
		told = (struct deed){advert->instead, advert->n_instead};
	/* In a journal the change is of another run, which said so. */
	if (!sw->replaying)
		take_back(advert, &told, &now);
	advert->gone = !now.list;
	if (sw->replaying || (advert->gone && !advert->instead))
		forget(sw, advert);
	else
		hurry(sw, advert, now_ns);
}

/* One that went a moment ago: what it is about to take back may be so again. */
static void come_back(
	struct tn_switch *sw, struct tn_sw_advert *advert, const struct deed *now, uint64_t now_ns)
{
	const struct deed told = {advert->instead, says_instead(advert) ? advert->n_instead : 0};

	take_back(advert, &told, now);
	advert->gone = false;
	hurry(sw, advert, now_ns);
}

static void begin(struct tn_switch *sw, const struct tn_flow *flow, uint64_t now_ns)
{
	struct tn_sw_advert *advert = find(sw, flow->flow_id);
	const struct deed now = deed_of(flow);

	if (tn_sw_flow_by_id(sw, flow->flow_id) != flow)
		return;
	if (advert) {
		if (advert->gone)
			come_back(sw, advert, &now, now_ns);
		return;
	}
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
			end(sw, change->p, now_ns);
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

/* One of the groups that it is sent to is there still, or it is sent to none. */
static bool has_hearers(const struct tn_switch *sw, const struct tn_sw_advert *advert)
{
	bool any = false;

	for (size_t i = 0; i < advert->n_instead; i++) {
		if (advert->instead[i].type != TN_ACTION_GROUP)
			continue;
		if (tn_sw_group(sw, advert->instead[i].group_id))
			return true;
		any = true;
	}
	return !any;
}

/* Of a flow that is gone: it has said so, or there is nobody to say it to. */
static bool is_over(const struct tn_switch *sw, const struct tn_sw_advert *advert)
{
	return !says_instead(advert) || !has_hearers(sw, advert);
}

bool tn_switch_take_advert(struct tn_switch *sw, uint64_t now_ns, struct tn_advert *advert)
{
	struct tn_sw_advert *due = first(sw);
	const struct tn_flow *flow;
	struct deed deed;

	while (due && due->due_ns <= now_ns && due->gone && is_over(sw, due)) {
		forget(sw, due);
		due = first(sw);
	}
	if (!due || due->due_ns > now_ns) {
		find_next(sw);
		return false;
	}
	flow = due->gone ? NULL : tn_sw_flow_by_id(sw, due->flow_id);
	deed = says_instead(due) ? (struct deed){due->instead, due->n_instead} : deed_of(flow);
	if (!says_instead(due))
		free_instead(due);
	due->sent++;
	due->last_ns = now_ns;
	*advert = (struct tn_advert){.due_ns = due->due_ns, .list = deed.list, .n = deed.n};
	due->due_ns = now_ns + next_delay(sw, due, flow ? flow->apply : NULL);
	find_next(sw);
	return true;
}

void tn_switch_seed_adverts(struct tn_switch *sw, uint64_t seed)
{
	sw->adverts.seed = seed;
}
