/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes -> a sequence of bundles, ports, table limits and time on one switch. A refused bundle
 * changes nothing, a check agrees with the commit after it, and what the switch counts is what is
 * there.
 */
#include "dataplane/pipeline/switch.h"

#include <errno.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/pipeline/switch_dump.h"

#define STEPS_MAX   48u
#define MODS_MAX    6u
#define ACTIONS_MAX 6u
#define BUCKETS_MAX 4u
#define N_IDS	    11u /* more than a chain of groups may be long */
#define SECOND	    1000000000ull

/* One message with everything that it points to. */
struct message {
	struct tn_mod mod;
	struct tn_flow_mod flow;
	struct tn_group_mod group;
	struct tn_meter_mod meter;
	struct tn_action actions[BUCKETS_MAX][ACTIONS_MAX];
	struct tn_bucket buckets[BUCKETS_MAX];
	struct tn_band bands[3];
};

struct run {
	struct fuzz_input in;
	struct tn_switch *sw;
	uint64_t now;
	size_t n_events;
};

static void count_event(void *ctx, const struct tn_event *e)
{
	struct run *r = ctx;

	r->n_events++;
	fuzz_require(e->kind != TN_EVENT_FLOW_REMOVED ||
		(e->flow->flags & TN_FLOW_SEND_FLOW_REM && e->time_ns <= r->now));
}

static void count_refused(void *ctx, size_t position, const struct tn_error *err)
{
	(void)position;
	fuzz_require(err->of != TN_OF_OK && err->detail[0]);
	++*(size_t *)ctx;
}

/* Small numbers, so that messages meet, and now and then any. */
static uint32_t take_id(struct fuzz_input *in)
{
	uint8_t v = fuzz_take8(in);

	return v < 250 ? v % N_IDS : fuzz_take32(in) | 0xffffff00u;
}

static void take_match(struct fuzz_input *in, struct tn_match *m)
{
	uint8_t shape = fuzz_take8(in);
	struct tn_error err;

	tn_match_init(m);
	if (shape >= 250) { /* not by the codecs' way */
		fuzz_take(in, &m->value.ipv4_src, 8);
		fuzz_take(in, &m->mask.ipv4_src, 8);
		return;
	}
	if (shape & 1)
		fuzz_require(!tn_match_set(m, TN_FIELD_IN_PORT, shape >> 6, ~0u, &err));
	if (shape & 2) {
		unsigned prefix = 8u * (shape >> 2 & 3);
		uint32_t mask = prefix ? ~0u << (32 - prefix) : 0;

		fuzz_require(!tn_match_set(m, TN_FIELD_ETH_TYPE, 0x0800, 0xffff, &err));
		fuzz_require(!tn_match_set(
			m, TN_FIELD_IPV4_DST, 0x0a010000u | (shape & 16) << 4, mask, &err));
	}
}

static uint16_t take_actions(struct fuzz_input *in, struct tn_action *list)
{
	uint8_t n = fuzz_take8(in) % ACTIONS_MAX;

	memset(list, 0, ACTIONS_MAX * sizeof(*list));
	for (unsigned i = 0; i < n; i++) {
		uint8_t type = fuzz_take8(in);

		switch (type & 7) {
		case 0:
			list[i].type = TN_ACTION_GROUP;
			list[i].group_id = take_id(in);
			break;
		case 1:
			list[i].type = TN_ACTION_CLONE;
			list[i].n_nested = type >> 3 & 3;
			break;
		case 2:
			list[i].type = TN_ACTION_RESUBMIT;
			list[i].resubmit.table = type >> 5;
			list[i].resubmit.in_port = TN_PORT_IN_PORT;
			break;
		case 3:
			list[i].type = fuzz_take8(in);
			list[i].field = fuzz_take8(in);
			break;
		default:
			list[i].type = TN_ACTION_OUTPUT;
			list[i].output.port = take_id(in);
			list[i].output.reason = TN_REASON_DEFAULT;
			break;
		}
	}
	return n;
}

static void take_flow_mod(struct fuzz_input *in, struct message *msg)
{
	struct tn_flow_mod *fm = &msg->flow;
	uint8_t how = fuzz_take8(in);

	tn_flow_mod_init(fm);
	fm->command = how & 0x80 ? (enum tn_flow_command)(how & 7) : TN_FLOW_ADD;
	fm->table_id = how & 0x40 ? TN_TABLE_ALL : how >> 3 & 3;
	fm->priority = fuzz_take8(in) & 3;
	fm->cookie = fuzz_take8(in) & 7;
	fm->flags = fuzz_take8(in);
	if (fm->flags < 0xf0)
		fm->flags &= 0x1f;
	take_match(in, &fm->match);
	fm->inst.apply = msg->actions[0];
	fm->inst.n_apply = take_actions(in, msg->actions[0]);
	if (how & 0x20) {
		fm->inst.write = msg->actions[1];
		fm->inst.n_write = take_actions(in, msg->actions[1]);
		fm->inst.meter_id = take_id(in);
		fm->inst.goto_table = fuzz_take8(in) & 7;
	}
	if (fm->command == TN_FLOW_ADD) {
		fm->idle_timeout = fuzz_take8(in) & 3;
		fm->hard_timeout = fuzz_take8(in) & 7;
		fm->importance = fuzz_take8(in) & 3;
		return;
	}
	fm->cookie_mask = fuzz_take8(in) & 7;
	fm->set_cookie = how & 0x10;
	if (how & 0x08) {
		fm->out_port = take_id(in);
		fm->out_group = fm->out_port & 1 ? TN_GROUP_ANY : take_id(in);
	}
}

static enum tn_group_command take_group_command(struct run *r, uint32_t group_id)
{
	uint8_t v = fuzz_take8(&r->in);
	bool exists = tn_snapshot_group(tn_switch_snapshot(r->sw), group_id);

	switch (v & 7) {
	case 0:
		return TN_GROUP_DELETE;
	case 1:
		return TN_GROUP_INSERT_BUCKET;
	case 2:
		return TN_GROUP_REMOVE_BUCKET;
	case 3:
		return (enum tn_group_command)(v >> 3);
	default:
		return exists ? TN_GROUP_MODIFY : TN_GROUP_ADD;
	}
}

static uint32_t take_bucket_id(struct fuzz_input *in)
{
	static const uint32_t special[] = {TN_BUCKET_FIRST, TN_BUCKET_LAST, TN_BUCKET_ALL};
	uint8_t v = fuzz_take8(in);

	return v < 6 ? special[v % 3] : v % 8;
}

static void take_bucket(struct fuzz_input *in, struct message *msg, uint32_t i)
{
	struct tn_bucket *b = &msg->buckets[i];
	uint8_t shape = fuzz_take8(in);

	*b = (struct tn_bucket){
		.bucket_id = shape & 0x80 ? take_bucket_id(in) : i,
		.weight = shape & 1,
		.watch_port = TN_PORT_ANY,
		.watch_group = TN_GROUP_ANY,
		.actions = msg->actions[i],
	};
	/* What suits the type, or what does not. */
	if ((msg->group.type == TN_GROUP_TYPE_FF) != ((shape & 0x70) == 0)) {
		b->watch_port = shape & 2 ? 1 + take_id(in) : TN_PORT_ANY;
		b->watch_group = shape & 4 ? take_id(in) : TN_GROUP_ANY;
	}
	b->n_actions = take_actions(in, msg->actions[i]);
	if (shape & 8 && b->n_actions) /* an action set that links groups */
		msg->actions[i][0] = (struct tn_action){
			.type = TN_ACTION_GROUP, .group_id = fuzz_take8(in) % N_IDS};
}

static void take_group_mod(struct run *r, struct message *msg)
{
	struct tn_group_mod *gm = &msg->group;
	uint32_t id = take_id(&r->in);

	*gm = (struct tn_group_mod){.group_id = id, .buckets = msg->buckets};
	gm->command = take_group_command(r, id);
	gm->type = (enum tn_group_type)(fuzz_take8(&r->in) & 3);
	if (gm->command == TN_GROUP_DELETE && gm->type == TN_GROUP_TYPE_INDIRECT)
		gm->group_id = TN_GROUP_ALL;
	if (gm->command == TN_GROUP_INSERT_BUCKET || gm->command == TN_GROUP_REMOVE_BUCKET)
		gm->command_bucket_id = take_bucket_id(&r->in);
	if (gm->command != TN_GROUP_REMOVE_BUCKET)
		gm->n_buckets = fuzz_take8(&r->in) % (BUCKETS_MAX + 1);
	for (uint32_t i = 0; i < gm->n_buckets; i++)
		take_bucket(&r->in, msg, i);
}

static void take_meter_mod(struct fuzz_input *in, struct message *msg)
{
	uint8_t how = fuzz_take8(in);

	msg->meter = (struct tn_meter_mod){
		.command = (enum tn_meter_command)(how & 3),
		.meter_id = how & 0x80 ? TN_METER_ALL : take_id(in),
		.flags = how & 0x40 ? fuzz_take8(in) : TN_METER_KBPS,
		.bands = msg->bands,
		.n_bands = how >> 2 & 3,
	};
	for (unsigned i = 0; i < msg->meter.n_bands; i++)
		msg->bands[i] = (struct tn_band){
			.type = TN_BAND_DROP, .rate = fuzz_take8(in), .burst = fuzz_take8(in)};
}

static void take_message(struct run *r, struct message *msg)
{
	struct fuzz_input *in = &r->in;
	uint8_t kind = fuzz_take8(in) % 10;

	if (kind < 6) {
		take_flow_mod(in, msg);
		msg->mod = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &msg->flow};
	} else if (kind < 9) {
		take_group_mod(r, msg);
		msg->mod = (struct tn_mod){.kind = TN_MOD_GROUP, .group = &msg->group};
	} else {
		take_meter_mod(in, msg);
		msg->mod = (struct tn_mod){.kind = TN_MOD_METER, .meter = &msg->meter};
	}
}

/* Checked, committed; what is refused leaves everything as it was. */
static void commit(struct run *r)
{
	struct message messages[MODS_MAX];
	struct tn_mod mods[MODS_MAX];
	uint8_t how = fuzz_take8(&r->in);
	size_t n = how & 3 ? 1 : 1 + how % MODS_MAX, n_refused = 0, failed = n, said;
	size_t n_events = r->n_events;
	struct tn_error err = {0};
	char *before, *after;
	int rc;

	for (size_t i = 0; i < n; i++) {
		take_message(r, &messages[i]);
		mods[i] = messages[i].mod;
	}
	before = switch_dump(r->sw);
	said = tn_switch_check_all(r->sw, mods, n, r->now, count_refused, &n_refused);
	fuzz_require(said == n_refused);
	after = switch_dump(r->sw);
	fuzz_require(!strcmp(before, after) && r->n_events == n_events);
	free(after);
	rc = tn_switch_commit(r->sw, mods, n, r->now, &failed, &err);
	fuzz_require((rc == 0) == (n_refused == 0));
	if (rc) {
		fuzz_require(rc == -EINVAL && failed < n && err.of != TN_OF_OK && err.detail[0]);
		after = switch_dump(r->sw);
		fuzz_require(!strcmp(before, after) && r->n_events == n_events);
		free(after);
	}
	free(before);
}

static void change_port(struct run *r)
{
	uint8_t how = fuzz_take8(&r->in);
	struct tn_port_config_data port = {
		.number = take_id(&r->in),
		.config = how & 0x20 ? fuzz_take8(&r->in) : how & 1,
		.state = how >> 1 & 3,
	};
	struct tn_error err = {0};
	int rc;

	if (how & 0x80)
		rc = tn_switch_port_remove(r->sw, port.number, r->now, &err);
	else if (how & 0x40)
		rc = tn_switch_port_modify(r->sw, &port, r->now, &err);
	else
		rc = tn_switch_port_add(r->sw, &port, r->now, &err);
	fuzz_require(!rc || (err.of != TN_OF_OK && err.detail[0]));
}

static void configure(struct run *r)
{
	uint8_t how = fuzz_take8(&r->in);
	struct tn_table_config config = {
		.max_entries = how & 7,
		.eviction = how & 8,
		.vacancy_down = how & 0x10 ? 25 : 0,
		.vacancy_up = how & 0x20 ? 60 : 0,
	};
	struct tn_error err = {0};

	if (tn_switch_table_configure(r->sw, how >> 6, &config, &err))
		fuzz_require(err.of == TN_OFPTMFC_BAD_CONFIG && err.detail[0]);
}

/* Packets hit one flow of each chain of the id hash. */
static void use_flows(struct run *r)
{
	for (uint32_t i = 0; r->sw->ids && i <= r->sw->ids_mask; i++) {
		struct tn_flow *flow = r->sw->ids[i];

		if (!flow)
			continue;
		flow->stats->counter.packets++;
		flow->stats->last_used_ns = r->now;
	}
}

static void step(struct run *r)
{
	switch (fuzz_take8(&r->in) & 15) {
	case 0:
		change_port(r);
		break;
	case 1:
		configure(r);
		break;
	case 2:
	case 3:
		r->now += fuzz_take16(&r->in) * (SECOND / 8192);
		tn_switch_expire(r->sw, r->now);
		fuzz_require(tn_switch_next_expiry(r->sw) > r->now);
		break;
	case 4:
		use_flows(r);
		break;
	case 5:
		tn_switch_reclaim(r->sw);
		break;
	default:
		commit(r);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = {.in = {data, size}, .now = SECOND};

	r.sw = tn_switch_new(1);
	fuzz_require(r.sw);
	tn_switch_set_event_fn(r.sw, count_event, &r);
	for (unsigned i = 0; i < STEPS_MAX && r.in.left; i++)
		step(&r);
	fuzz_require(!switch_verify(r.sw));
	tn_switch_free(r.sw);
	return 0;
}
