/* SPDX-License-Identifier: BSD-3-Clause */
/* A switch under test: messages in a line of code, events as text. */
#ifndef TN_TESTS_SWITCH_FIXTURE_H
#define TN_TESTS_SWITCH_FIXTURE_H

#include "tests/unit/pipeline/switch_dump.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define DPID	    0xa1ull
#define SECOND	    1000000000ull
#define EVENTS_SIZE 65536u

struct fixture {
	struct tn_switch *sw;
	struct tn_error err;
	size_t failed;
	uint64_t now;
	size_t n_events;
	char events[EVENTS_SIZE]; /* "removed cookie=1 reason=2 at=5\n" ... */
};

static inline void write_event(void *ctx, const struct tn_event *e)
{
	struct fixture *f = ctx;
	char *to = f->events + strlen(f->events);
	size_t left = EVENTS_SIZE - strlen(f->events);

	f->n_events++;
	switch (e->kind) {
	case TN_EVENT_FLOW_REMOVED:
		snprintf(to, left, "removed cookie=%" PRIu64 " reason=%d at=%" PRIu64 "\n",
			e->flow->cookie, e->removed_reason, e->time_ns);
		break;
	case TN_EVENT_PORT_STATUS:
		snprintf(to, left, "port %u reason=%d config=%x state=%x\n", e->port->number,
			e->port_reason, e->port->config, e->port->state);
		break;
	case TN_EVENT_TABLE_STATUS:
		snprintf(to, left, "table %u vacancy %s\n", e->table_id,
			e->vacancy_up ? "up" : "down");
		break;
	}
}

static inline void clear_events(struct fixture *f)
{
	f->n_events = 0;
	f->events[0] = '\0';
}

#define assert_events(f, text)                          \
	do {                                            \
		assert_string_equal((f)->events, text); \
		clear_events(f);                        \
	} while (0)

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->now = SECOND;
	f->sw = tn_switch_new(DPID);
	assert_non_null(f->sw);
	tn_switch_set_event_fn(f->sw, write_event, f);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	const char *wrong = switch_verify(f->sw);

	if (wrong)
		fail_msg("recount: %s", wrong);
	tn_switch_free(f->sw);
	free(f);
	return 0;
}

/* Actions. */

static inline struct tn_action output(uint32_t port)
{
	struct tn_action a = {.type = TN_ACTION_OUTPUT};

	a.output.port = port;
	a.output.reason = TN_REASON_DEFAULT;
	return a;
}

static inline struct tn_action to_group(uint32_t group_id)
{
	struct tn_action a = {.type = TN_ACTION_GROUP};

	a.group_id = group_id;
	return a;
}

/* Flows: an ADD of a match on IPv4 destination (prefix 0: everything), one output. */

static const struct tn_action output_1 = {
	.type = TN_ACTION_OUTPUT, .output = {.port = 1, .reason = TN_REASON_DEFAULT}};

static inline void match_ip(struct tn_match *m, uint32_t address, unsigned prefix)
{
	tn_u128 mask = prefix ? (uint32_t)(0xffffffffu << (32 - prefix)) : 0;
	struct tn_error err;

	tn_match_init(m);
	if (!prefix)
		return;
	assert_int_equal(tn_match_set(m, TN_FIELD_ETH_TYPE, 0x0800, 0xffff, &err), 0);
	assert_int_equal(tn_match_set(m, TN_FIELD_IPV4_DST, address, mask, &err), 0);
}

static inline struct tn_flow_mod flow_mod(enum tn_flow_command command, uint8_t table,
	uint16_t priority, uint32_t address, unsigned prefix)
{
	struct tn_flow_mod fm;

	tn_flow_mod_init(&fm);
	fm.command = command;
	fm.table_id = table;
	fm.priority = priority;
	match_ip(&fm.match, address, prefix);
	fm.inst.apply = &output_1;
	fm.inst.n_apply = 1;
	return fm;
}

static inline int send_mods(struct fixture *f, const struct tn_mod *mods, size_t n)
{
	f->failed = SIZE_MAX;
	memset(&f->err, 0, sizeof(f->err));
	return tn_switch_commit(f->sw, mods, n, f->now, &f->failed, &f->err);
}

static inline int send_flow(struct fixture *f, const struct tn_flow_mod *fm)
{
	return send_mods(f, &(struct tn_mod){.kind = TN_MOD_FLOW, .flow = fm}, 1);
}

static inline int send_group(struct fixture *f, const struct tn_group_mod *gm)
{
	return send_mods(f, &(struct tn_mod){.kind = TN_MOD_GROUP, .group = gm}, 1);
}

static inline int send_meter(struct fixture *f, const struct tn_meter_mod *mm)
{
	return send_mods(f, &(struct tn_mod){.kind = TN_MOD_METER, .meter = mm}, 1);
}

#define assert_done(call) assert_int_equal(call, 0)

/* Refused with that error, with a sentence, and with nothing changed. */
#define assert_refused(f, call, error)                                      \
	do {                                                                \
		char *before_ = switch_dump((f)->sw), *after_;              \
		size_t events_ = (f)->n_events;                             \
		assert_int_equal(call, -EINVAL);                            \
		assert_string_equal(tn_of_error_name((f)->err.of), #error); \
		assert_true(strlen((f)->err.detail) > 10);                  \
		after_ = switch_dump((f)->sw);                              \
		assert_string_equal(after_, before_);                       \
		assert_int_equal((f)->n_events, events_);                   \
		free(before_);                                              \
		free(after_);                                               \
	} while (0)

/* Groups and meters. */

static inline struct tn_bucket bucket(uint32_t id, const struct tn_action *action)
{
	return (struct tn_bucket){
		.bucket_id = id,
		.watch_port = TN_PORT_ANY,
		.watch_group = TN_GROUP_ANY,
		.actions = action,
		.n_actions = action ? 1 : 0,
	};
}

static inline struct tn_group_mod group_mod(enum tn_group_command command, uint32_t id,
	enum tn_group_type type, const struct tn_bucket *buckets, uint32_t n)
{
	return (struct tn_group_mod){
		.command = command,
		.group_id = id,
		.type = type,
		.command_bucket_id = TN_BUCKET_ALL,
		.buckets = buckets,
		.n_buckets = n,
	};
}

static inline int add_group_to(struct fixture *f, uint32_t id, const struct tn_action *action)
{
	struct tn_bucket b = bucket(0, action);
	struct tn_group_mod gm = group_mod(TN_GROUP_ADD, id, TN_GROUP_TYPE_ALL, &b, 1);

	return send_group(f, &gm);
}

static const struct tn_band drop_band = {.type = TN_BAND_DROP, .rate = 100};

static inline struct tn_meter_mod meter_mod(enum tn_meter_command command, uint32_t id)
{
	return (struct tn_meter_mod){
		.command = command,
		.meter_id = id,
		.flags = TN_METER_KBPS,
		.bands = &drop_band,
		.n_bands = 1,
	};
}

/* Looking in. */

/* The flow with this identity as packets see it. */
static inline struct tn_flow *find_flow(const struct fixture *f, uint8_t table, uint16_t priority,
	uint32_t address, unsigned prefix)
{
	const struct tn_snapshot *s = tn_switch_snapshot(f->sw);
	struct tn_match m;

	match_ip(&m, address, prefix);
	if (!s->tables[table].cls)
		return NULL;
	return (struct tn_flow *)(void *)tn_classifier_find(
		s->tables[table].cls, &m, priority, s->version);
}

static inline void packet(struct tn_flow *flow, uint64_t now_ns)
{
	flow->stats->counter.packets++;
	flow->stats->counter.bytes += 60;
	flow->stats->last_used_ns = now_ns;
}

#endif
