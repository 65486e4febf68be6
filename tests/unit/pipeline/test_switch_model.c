/* SPDX-License-Identifier: BSD-3-Clause */
/* Random bundles, packets and time on a switch and on its model: the same state, errors, events. */
#include "dataplane/pipeline/switch.h"

#include "tests/unit/pipeline/switch_model.h"

#define STEPS	 6000
#define MODS_MAX 6

/* One message with everything it points to. */
struct message {
	struct tn_flow_mod flow;
	struct tn_group_mod group;
	struct tn_meter_mod meter;
	struct m_inst inst;
	uint8_t child;
	struct tn_action actions[4];
	struct tn_bucket bucket;
};

struct run {
	struct fixture *f;
	struct model *m, *before;
	struct tn_match matches[M_MATCHES];
	uint64_t random;
	struct m_event events[4 * M_FLOWS];
	size_t n_events;
};

static uint32_t pick(struct run *r, uint32_t n)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return (uint32_t)(r->random >> 11) % n;
}

/* Nested prefixes, and ports across them. */
static void make_matches(struct run *r)
{
	static const struct {
		uint32_t address;
		uint8_t prefix;
		uint16_t port;
	} of[M_MATCHES] = {{0, 0, 0}, {0x0a000000, 8, 0}, {0x0a010000, 16, 0}, {0x0a010100, 24, 0},
		{0x0a010101, 32, 0}, {0x0a020000, 16, 0}, {0x0a000000, 8, 80}, {0x0a010000, 16, 80},
		{0x0a010101, 32, 80}, {0x0a010101, 32, 443}, {0x0b000000, 8, 0}, {0, 1, 80}};
	struct tn_error err;

	for (size_t i = 0; i < M_MATCHES; i++) {
		struct tn_match *m = &r->matches[i];

		match_ip(m, of[i].address, of[i].prefix);
		if (!of[i].port)
			continue;
		assert_int_equal(tn_match_set(m, TN_FIELD_IP_PROTO, 6, 0xff, &err), 0);
		assert_int_equal(tn_match_set(m, TN_FIELD_TCP_DST, of[i].port, 0xffff, &err), 0);
	}
}

static void make_instructions(struct run *r, struct message *msg)
{
	struct tn_instructions *inst = &msg->flow.inst;
	struct tn_action *a = msg->actions;

	msg->inst = (struct m_inst){
		.port = (uint8_t)pick(r, 4),
		.apply = pick(r, 9) ? M_NONE : (uint8_t)pick(r, M_GROUPS),
		.write = pick(r, 15) ? M_NONE : (uint8_t)pick(r, M_GROUPS),
		.meter = pick(r, 12) ? 0 : (uint8_t)(1 + pick(r, M_METERS - 1)),
		.go = pick(r, 12) ? TN_GOTO_NONE : (uint8_t)pick(r, 4),
	};
	inst->apply = a;
	if (msg->inst.port)
		*a++ = output(msg->inst.port);
	if (msg->inst.apply != M_NONE && pick(r, 2))
		*a++ = (struct tn_action){.type = TN_ACTION_CLONE, .n_nested = 1};
	if (msg->inst.apply != M_NONE)
		*a++ = to_group(msg->inst.apply);
	inst->n_apply = (uint16_t)(a - inst->apply);
	inst->write = a;
	if (msg->inst.write != M_NONE)
		*a++ = to_group(msg->inst.write);
	inst->n_write = (uint16_t)(a - inst->write);
	inst->meter_id = msg->inst.meter;
	inst->goto_table = msg->inst.go;
}

static void make_flow_mod(struct run *r, struct message *msg)
{
	static const enum tn_flow_command commands[] = {TN_FLOW_ADD, TN_FLOW_ADD, TN_FLOW_ADD,
		TN_FLOW_ADD, TN_FLOW_ADD, TN_FLOW_ADD, TN_FLOW_MODIFY, TN_FLOW_MODIFY_STRICT,
		TN_FLOW_DELETE, TN_FLOW_DELETE_STRICT};
	struct tn_flow_mod *fm = &msg->flow;

	tn_flow_mod_init(fm);
	fm->command = commands[pick(r, TN_ARRAY_SIZE(commands))];
	fm->table_id = pick(r, fm->command == TN_FLOW_ADD ? 40 : 4) ? (uint8_t)pick(r, M_TABLES)
								    : TN_TABLE_ALL;
	fm->priority = (uint16_t)pick(r, 3);
	fm->match = r->matches[pick(r, M_MATCHES)];
	fm->cookie = pick(r, 8);
	fm->owner = pick(r, 3);
	fm->flags = TN_FLOW_SEND_FLOW_REM * (pick(r, 4) > 0) +
		TN_FLOW_CHECK_OVERLAP * (pick(r, 12) == 0) +
		TN_FLOW_RESET_COUNTS * (pick(r, 4) == 0) +
		TN_FLOW_NO_PKT_COUNTS * (pick(r, 4) == 0);
	make_instructions(r, msg);
	if (fm->command == TN_FLOW_ADD) {
		fm->idle_timeout = pick(r, 3) ? 0 : (uint16_t)(1 + pick(r, 5));
		fm->hard_timeout = pick(r, 3) ? 0 : (uint16_t)(1 + pick(r, 9));
		fm->importance = (uint16_t)pick(r, 3);
		return;
	}
	fm->cookie_mask = pick(r, 2) ? 0 : pick(r, 8);
	fm->set_cookie = pick(r, 2);
	fm->new_cookie = pick(r, 8);
	if (pick(r, 4) == 0)
		fm->out_port = 1 + pick(r, 3);
	if (pick(r, 4) == 0)
		fm->out_group = pick(r, M_GROUPS);
}

static void make_group_mod(struct run *r, struct message *msg)
{
	static const enum tn_group_command commands[] = {TN_GROUP_ADD, TN_GROUP_ADD, TN_GROUP_ADD,
		TN_GROUP_MODIFY, TN_GROUP_MODIFY, TN_GROUP_DELETE};
	struct tn_group_mod *gm = &msg->group;

	msg->child = pick(r, 2) ? (uint8_t)pick(r, M_GROUPS) : M_NONE;
	msg->actions[0] = msg->child == M_NONE ? output(1) : to_group(msg->child);
	msg->bucket = bucket(pick(r, 2), &msg->actions[0]);
	*gm = group_mod(commands[pick(r, TN_ARRAY_SIZE(commands))], pick(r, M_GROUPS),
		TN_GROUP_TYPE_ALL, &msg->bucket, 1);
	if (gm->command == TN_GROUP_DELETE && pick(r, 20) == 0)
		gm->group_id = TN_GROUP_ALL;
}

static struct tn_mod make_message(struct run *r, struct message *msg)
{
	uint32_t kind = pick(r, 12);

	if (kind < 10) {
		make_flow_mod(r, msg);
		return (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &msg->flow};
	}
	if (kind < 11) {
		make_group_mod(r, msg);
		return (struct tn_mod){.kind = TN_MOD_GROUP, .group = &msg->group};
	}
	msg->meter = meter_mod((enum tn_meter_command)pick(r, 3), 1 + pick(r, M_METERS - 1));
	return (struct tn_mod){.kind = TN_MOD_METER, .meter = &msg->meter};
}

static enum tn_of_error model_apply(
	struct run *r, const struct tn_mod *mod, const struct message *msg)
{
	switch (mod->kind) {
	case TN_MOD_FLOW:
		return m_flow_mod(r->m, mod->flow, &msg->inst, r->f->now);
	case TN_MOD_GROUP:
		return m_group_mod(
			r->m, mod->group->command, mod->group->group_id, msg->child, r->f->now);
	case TN_MOD_METER:
		return m_meter_mod(r->m, mod->meter->command, mod->meter->meter_id, r->f->now);
	}
	return TN_OFPBRC_BAD_TYPE;
}

static void commit(struct run *r)
{
	struct message messages[MODS_MAX];
	struct tn_mod mods[MODS_MAX];
	size_t n = 1 + pick(r, MODS_MAX), i = 0;
	enum tn_of_error want = TN_OF_OK;

	*r->before = *r->m;
	for (; i < n; i++)
		mods[i] = make_message(r, &messages[i]);
	for (i = 0; i < n && !want; i++)
		want = model_apply(r, &mods[i], &messages[i]);
	if (!want) {
		assert_done(send_mods(r->f, mods, n));
		return;
	}
	*r->m = *r->before;
	assert_int_equal(send_mods(r->f, mods, n), -EINVAL);
	assert_string_equal(tn_of_error_name(r->f->err.of), tn_of_error_name(want));
	assert_int_equal(r->f->failed, i - 1);
}

static void packets(struct run *r)
{
	for (unsigned i = 0; i < 3 && r->m->n; i++) {
		struct m_flow *f = &r->m->flows[pick(r, (uint32_t)r->m->n)];
		const struct tn_snapshot *s = tn_switch_snapshot(r->f->sw);
		struct tn_cls_rule *rule = tn_classifier_find(
			s->tables[f->table].cls, &f->match, f->priority, s->version);

		assert_non_null(rule);
		packet((struct tn_flow *)(void *)rule, r->f->now);
		f->packets++;
		f->used = r->f->now;
	}
}

static void take_event(void *ctx, const struct tn_event *e)
{
	struct run *r = ctx;

	assert_int_equal(e->kind, TN_EVENT_FLOW_REMOVED);
	assert_true(r->n_events < TN_ARRAY_SIZE(r->events));
	r->events[r->n_events++] =
		(struct m_event){e->flow->cookie, e->time_ns, (int)e->removed_reason};
}

struct compare {
	const struct model *m;
	size_t at;
};

static void compare_flow(void *ctx, const struct tn_flow_info *i)
{
	struct compare *c = ctx;
	const struct m_flow *f = &c->m->flows[c->at++];

	assert_true(c->at <= c->m->n);
	assert_int_equal(i->flow_id, f->id);
	assert_int_equal(i->table_id, f->table);
	assert_int_equal(i->priority, f->priority);
	assert_int_equal(i->cookie, f->cookie);
	assert_int_equal(i->owner, f->owner);
	assert_int_equal(i->created_ns, f->created);
	assert_int_equal(i->last_used_ns, f->used > f->created ? f->used : f->created);
	assert_int_equal(i->counter.packets, f->packets);
	assert_int_equal(i->idle_timeout, f->idle);
	assert_int_equal(i->hard_timeout, f->hard);
	assert_int_equal(i->importance, f->importance);
	assert_int_equal(i->flags, f->flags);
	assert_int_equal(i->inst.meter_id, f->inst.meter);
	assert_int_equal(i->inst.goto_table, f->inst.go);
	assert_int_equal(i->inst.n_write, f->inst.write != M_NONE);
	assert_true(tn_match_equal(&i->match, &f->match));
}

static void compare(struct run *r)
{
	struct compare c = {.m = r->m};

	assert_int_equal(tn_switch_flows(r->f->sw, NULL, compare_flow, &c), 0);
	assert_int_equal(c.at, r->m->n);
	assert_int_equal(r->n_events, r->m->n_events);
	for (size_t i = 0; i < r->n_events; i++) {
		assert_int_equal(r->events[i].cookie, r->m->events[i].cookie);
		assert_int_equal(r->events[i].reason, r->m->events[i].reason);
		assert_int_equal(r->events[i].time, r->m->events[i].time);
	}
	r->n_events = r->m->n_events = 0;
	for (uint32_t i = 0; i < M_GROUPS; i++)
		assert_int_equal(tn_snapshot_group(tn_switch_snapshot(r->f->sw), i) != NULL,
			r->m->groups[i].exists);
	for (uint32_t i = 1; i < M_METERS; i++)
		assert_int_equal(tn_snapshot_meter(tn_switch_snapshot(r->f->sw), i) != NULL,
			r->m->meters[i]);
}

static void configure_tables(struct run *r)
{
	for (uint8_t t = 0; t < M_TABLES; t++) {
		struct tn_table_config config = {
			.max_entries = 4 + 4 * pick(r, 4),
			.eviction = pick(r, 2),
		};

		assert_done(tn_switch_table_configure(r->f->sw, t, &config, &r->f->err));
		r->m->max[t] = config.max_entries;
		r->m->eviction[t] = config.eviction;
	}
}

static void step(struct run *r, unsigned i)
{
	if (i % 500 == 0)
		configure_tables(r);
	commit(r);
	packets(r);
	if (pick(r, 3) == 0) {
		r->f->now += pick(r, 2) ? pick(r, 1000) : pick(r, 2000000000);
		tn_switch_expire(r->f->sw, r->f->now);
		m_expire(r->m, r->f->now);
	}
	if (pick(r, 10) == 0)
		tn_switch_reclaim(r->f->sw);
	compare(r);
	if (i % 100 == 0) {
		const char *wrong = switch_verify(r->f->sw);

		if (wrong)
			fail_msg("recount at step %u: %s", i, wrong);
	}
}

static void run_seed(struct fixture *f, uint64_t seed)
{
	struct run *r = calloc(1, sizeof(*r));

	r->f = f;
	r->m = calloc(1, sizeof(*r->m));
	r->before = calloc(1, sizeof(*r->before));
	r->random = seed * 0x9e3779b97f4a7c15ull;
	for (size_t i = 0; i < M_GROUPS; i++)
		r->m->groups[i].child = M_NONE;
	tn_switch_set_event_fn(f->sw, take_event, r);
	make_matches(r);
	for (unsigned i = 0; i < STEPS; i++)
		step(r, i);
	free(r->before);
	free(r->m);
	free(r);
}

static void test_seed_1(void **state)
{
	run_seed(*state, 1);
}

static void test_seed_2(void **state)
{
	run_seed(*state, 2);
}

static void test_seed_3(void **state)
{
	run_seed(*state, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_seed_1, setup, teardown),
		cmocka_unit_test_setup_teardown(test_seed_2, setup, teardown),
		cmocka_unit_test_setup_teardown(test_seed_3, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
