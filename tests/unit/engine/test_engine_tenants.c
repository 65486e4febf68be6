/* SPDX-License-Identifier: BSD-3-Clause */
/* Tenant objects in the engine: stored with what they were given, and what is made of them. */
#include "tests/unit/engine/engine_fixture.h"

#include "control/model/tenant_json.h"
#include "control/tenant/layout.h"

#define NETWORK TN_TENANT_NETWORK
#define SUBNET	TN_TENANT_SUBNET
#define PORT	TN_TENANT_PORT
#define HOST	TN_TENANT_HOST
#define QUOTA	TN_TENANT_QUOTA

#define OPS_MAX 16u

/* Operations of one request, with what they point to. */
struct asking {
	struct bench *b;
	struct tn_arena arena;
	struct tn_operation ops[OPS_MAX];
	struct tn_tenant_value values[OPS_MAX];
	char pointers[OPS_MAX][16];
	size_t n;
	struct tn_request how;
};

static struct tn_operation *next(struct asking *a, enum tn_operation_kind kind)
{
	struct tn_operation *op = &a->ops[a->n];

	snprintf(a->pointers[a->n], sizeof(a->pointers[0]), "/%zu", a->n);
	*op = (struct tn_operation){.kind = kind, .pointer = a->pointers[a->n]};
	a->n++;
	return op;
}

static void put(struct asking *a, enum tn_tenant_kind kind, const char *json)
{
	struct tn_tenant_value *value = &a->values[a->n];
	char *text = strdup(json), *p;
	struct tn_diagnostics diag;

	tn_diagnostics_init(&diag);
	for (p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	if (tn_tenant_parse(kind, text, strlen(text), &a->arena, &diag, value))
		fail_msg("%s: %s", text, diag.list[0].detail);
	tn_diagnostics_fini(&diag);
	free(text);
	next(a, TN_OP_TENANT_PUT)->tenants = value;
}

static void drop(struct asking *a, enum tn_tenant_kind kind, const char *id)
{
	struct tn_operation *op = next(a, TN_OP_TENANT_REMOVE);

	op->tenants_id.kind = kind;
	op->tenants_id.id = id;
}

static enum tn_verdict ask(struct asking *a)
{
	enum tn_verdict verdict = bench_request(a->b, a->ops, a->n, &a->how);

	tn_arena_fini(&a->arena);
	a->n = 0;
	return verdict;
}

static enum tn_verdict put_one(struct bench *b, enum tn_tenant_kind kind, const char *json)
{
	struct asking a = {.b = b};

	put(&a, kind, json);
	return ask(&a);
}

static enum tn_verdict drop_one(struct bench *b, enum tn_tenant_kind kind, const char *id)
{
	struct asking a = {.b = b};

	drop(&a, kind, id);
	return ask(&a);
}

/* Two ports on this host, one on another. */
static void put_town(struct asking *a)
{
	put(a, HOST, "{'id':'h1','vtep_addresses':['192.0.2.1']}");
	put(a, HOST, "{'id':'h2','vtep_addresses':['192.0.2.2']}");
	put(a, NETWORK, "{'id':'n','tenant_id':'red'}");
	put(a, SUBNET, "{'id':'s','network_id':'n','cidr':'10.0.0.0/24'}");
	put(a, PORT, "{'id':'a','network_id':'n','binding':{'kind':'vm','host':'h1'}}");
	put(a, PORT,
		"{'id':'b','network_id':'n','binding':{'kind':'container','host':'h1','device':"
		"'veth0'}}");
	put(a, PORT, "{'id':'c','network_id':'n','binding':{'kind':'vm','host':'h2'}}");
}

static int setup(void **state)
{
	struct bench *b;

	assert_int_equal(bench_setup(state), 0);
	b = *state;
	b->options.host = "h1";
	bench_restart(b);
	bench_run(b, bench_in_step);
	return 0;
}

static void build_town(struct bench *b)
{
	struct asking a = {.b = b};

	put_town(&a);
	if (ask(&a) != TN_DONE)
		fail_msg("%s: %s", b->pointer, b->detail);
}

static bool take_text(void *ctx, const struct tn_object *o)
{
	snprintf(ctx, 600, "%s", o->tenants->text);
	return false;
}

static const char *text_of(
	struct bench *b, enum tn_tenant_kind kind, const char *id, char text[600])
{
	uint64_t number = tn_engine_tenant_id(b->e, kind, id);

	text[0] = '\0';
	if (number)
		assert_true(tn_engine_get(b->e, tn_kind_of_tenant(kind), number,
			(struct tn_scope){0}, take_text, text));
	return text;
}

static const struct tn_tenant_port *port(struct bench *b, const char *id)
{
	const struct tn_tenant_object *o = tn_tenants_get(tn_engine_tenants(b->e), PORT, id);

	assert_non_null(o);
	return &o->value.port;
}

static uint32_t switch_port(struct bench *b, const char *id)
{
	uint32_t number;

	(void)tn_engine_attachment(b->e, port(b, id), &number);
	return number;
}

static void test_one_request_is_one_network(void **state)
{
	struct bench *b = *state;
	uint32_t number;

	build_town(b);
	assert_int_equal(b->fake.bundles, 1);
	assert_int_equal(bench_count(b, tn_kind_of_tenant(PORT)), 3);
	assert_int_equal(bench_count(b, tn_kind_of_tenant(HOST)), 2);
	assert_true(bench_count(b, TN_KIND_FLOW) > 10);
	bench_check_same(b);
	/* A port each, and one of tunnels. */
	assert_int_equal(bench_count(b, TN_KIND_PORT), 3);
	assert_int_equal(tn_engine_attachment(b->e, port(b, "a"), &number), TN_ATTACHED_UP);
	assert_int_not_equal(number, 0);
	assert_int_equal(tn_engine_attachment(b->e, port(b, "c"), &number), TN_ATTACHED_ELSEWHERE);
	/* Results name the objects of the operations. */
	assert_true(b->results[0].created && b->results[0].changed);
	assert_int_equal(b->results[0].n_objects, 1);
	assert_int_equal(b->results[4].id, tn_engine_tenant_id(b->e, PORT, "a"));
	/* Both ports here were announced. */
	while (b->fake.packet_outs < 2)
		bench_run(b, bench_settled);
	/* Said again: nothing to do. */
	build_town(b);
	assert_false(b->results[4].created || b->results[4].changed);
	assert_int_equal(b->results[4].id, tn_engine_tenant_id(b->e, PORT, "a"));
	assert_int_equal(b->fake.bundles, 1);
}

static void test_restart_sends_nothing(void **state)
{
	struct bench *b = *state;
	char before[600], after[600];
	uint32_t number;
	size_t flows;

	build_town(b);
	text_of(b, PORT, "a", before);
	number = switch_port(b, "a");
	flows = bench_count(b, TN_KIND_FLOW);
	bench_restart(b);
	bench_run(b, bench_in_step);
	assert_string_equal(text_of(b, PORT, "a", after), before);
	assert_int_equal(switch_port(b, "a"), number);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), flows);
	assert_int_equal(b->fake.bundles, 1);
	assert_int_equal(b->fake.port_messages, 3);
	bench_check_same(b);
	/* A data plane without memory gets all of it. */
	fake_die(&b->fake);
	bench_run(b, bench_away);
	fake_start(&b->fake);
	bench_run(b, bench_in_step);
	bench_check_same(b);
	assert_int_equal(b->fake.port_messages, 6);
}

/* Numbers outlive the ports beside them, and a restart. */
static void test_numbers_stay(void **state)
{
	struct bench *b = *state;
	uint32_t number;

	build_town(b);
	number = switch_port(b, "b");
	assert_int_equal(drop_one(b, PORT, "a"), TN_DONE);
	bench_restart(b);
	bench_run(b, bench_in_step);
	assert_int_equal(switch_port(b, "b"), number);
	assert_int_equal(b->fake.bundles, 2);
	bench_check_same(b);
}

static void test_little_for_little(void **state)
{
	struct bench *b = *state;
	size_t mods;

	build_town(b);
	mods = b->fake.mods_seen;
	assert_int_equal(
		put_one(b, PORT, "{'id':'d','network_id':'n','binding':{'kind':'vm','host':'h1'}}"),
		TN_DONE);
	assert_true(b->fake.mods_seen - mods < 60);
	mods = b->fake.mods_seen;
	assert_int_equal(put_one(b, NETWORK, "{'id':'n','tenant_id':'red','name':'N'}"), TN_DONE);
	assert_int_equal(b->fake.mods_seen, mods);
	assert_int_equal(drop_one(b, PORT, "d"), TN_DONE);
	bench_check_same(b);
}

static void test_contradiction(void **state)
{
	struct bench *b = *state;
	struct asking a = {.b = b};
	char text[600];

	build_town(b);
	put(&a, PORT, "{'id':'d','network_id':'n'}");
	put(&a, PORT, "{'id':'e','network_id':'none'}");
	drop(&a, SUBNET, "s");
	assert_int_equal(ask(&a), TN_CONFLICT);
	assert_string_equal(b->pointer, "/1/network_id");
	assert_string_equal(text_of(b, PORT, "d", text), "");
	assert_int_equal(bench_count(b, tn_kind_of_tenant(PORT)), 3);
	assert_int_equal(drop_one(b, HOST, "h2"), TN_CONFLICT);
	assert_non_null(strstr(b->detail, "in use by port \"c\""));
	assert_int_equal(b->fake.bundles, 1);
	bench_check_same(b);
}

/* Refused by the data plane: nothing of it is left, and it can be said again. */
static void test_data_plane_refuses(void **state)
{
	struct bench *b = *state;
	struct asking a = {.b = b};

	b->fake.refuse_port_adds = TN_OFPPMFC_BAD_CONFIG;
	put_town(&a);
	assert_int_equal(ask(&a), TN_REFUSED);
	assert_non_null(strstr(b->detail, "no such device"));
	assert_int_equal(bench_count(b, tn_kind_of_tenant(NETWORK)), 0);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 0);
	assert_int_equal(tn_engine_tenant_id(b->e, NETWORK, "n"), 0);
	bench_check_same(b);
	b->fake.refuse_port_adds = TN_OF_OK;
	build_town(b);
	bench_check_same(b);
}

static void test_away(void **state)
{
	struct bench *b = *state;
	struct asking a = {.b = b};
	uint32_t number;

	fake_leave(&b->fake);
	bench_run(b, bench_away);
	put_town(&a);
	assert_int_equal(ask(&a), TN_ACCEPTED);
	assert_int_equal(tn_engine_attachment(b->e, port(b, "a"), &number), TN_ATTACHED_PENDING);
	bench_restart(b);
	fake_listen(&b->fake);
	bench_run(b, bench_settled);
	bench_check_same(b);
	assert_int_equal(bench_count(b, TN_KIND_PORT), 3);
}

static bool find_derived(void *ctx, const struct tn_object *o)
{
	if (o->derived)
		*(uint64_t *)ctx = o->id;
	return !o->derived;
}

/* What is made of tenant objects is changed with them alone. */
static void test_derived_is_protected(void **state)
{
	struct bench *b = *state;
	struct bench_flow own;
	struct tn_flow_mod all;
	struct tn_operation op = bench_op(&all);
	uint64_t flow = 0, port_id = 0;
	size_t flows;

	build_town(b);
	/* An operator's, before those of the networks. */
	bench_flow(&own, 53, 2);
	own.fm.priority = 60000;
	op = bench_op(&own.fm);
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	op = bench_op(&all);
	flows = bench_count(b, TN_KIND_FLOW);
	/* Everything, but not these. */
	tn_flow_mod_init(&all);
	all.command = TN_FLOW_DELETE;
	all.table_id = TN_TABLE_ALL;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), flows - 1);
	op = (struct tn_operation){.kind = TN_OP_REPLACE, .replace.everybody = true};
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), flows - 1);
	tn_engine_scan(b->e, TN_KIND_FLOW, (struct tn_scope){0}, 0, true, find_derived, &flow);
	tn_engine_scan(b->e, TN_KIND_PORT, (struct tn_scope){0}, 0, true, find_derived, &port_id);
	assert_true(flow && port_id);
	op = (struct tn_operation){.kind = TN_OP_REMOVE};
	op.object.kind = TN_KIND_FLOW;
	op.object.id = flow;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_FORBIDDEN);
	assert_non_null(strstr(b->detail, "made of tenant networks"));
	op = (struct tn_operation){.kind = TN_OP_PORT_REMOVE, .port_number = (uint32_t)port_id};
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_FORBIDDEN);
	op = (struct tn_operation){
		.kind = TN_OP_PORT_CONFIGURE, .port_configure.number = (uint32_t)port_id};
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_FORBIDDEN);
	bench_check_same(b);
}

/* Flows of others stand beside the pipeline where its pattern says so; before it, anywhere. */
static void test_pattern(void **state)
{
	struct bench *b = *state;
	struct tn_flow_mod fm;
	struct tn_operation op = bench_op(&fm);
	const struct tn_request bypass = {.bypass_ttp = true};

	tn_flow_mod_init(&fm);
	fm.table_id = 0;
	fm.priority = 32768;
	assert_false(tn_engine_has_tenant_pipeline(b->e));
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	build_town(b);
	assert_true(tn_engine_has_tenant_pipeline(b->e));
	fm.priority = 32767;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_REFUSED);
	assert_non_null(strstr(b->detail, "are the tenant pipeline's"));
	assert_int_equal(bench_request(b, &op, 1, &bypass), TN_DONE);
	fm.priority = 60000;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	fm.priority = 32767;
	fm.table_id = 40;
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	bench_check_same(b);
}

static void test_conditions(void **state)
{
	struct bench *b = *state;
	struct asking a = {.b = b};
	uint64_t number;

	build_town(b);
	number = tn_engine_tenant_id(b->e, NETWORK, "n");
	put(&a, NETWORK, "{'id':'n','tenant_id':'red'}");
	a.ops[0].create_only = true;
	assert_int_equal(ask(&a), TN_PRECONDITION);
	put(&a, NETWORK, "{'id':'n','tenant_id':'red','name':'N'}");
	a.ops[0].if_generation = 1;
	assert_int_equal(ask(&a), TN_PRECONDITION);
	put(&a, NETWORK, "{'id':'n','tenant_id':'red','name':'N'}");
	a.ops[0].if_generation = bench_look(b, tn_kind_of_tenant(NETWORK), number).generation;
	assert_int_equal(ask(&a), TN_DONE);
	assert_int_equal(tn_engine_tenant_id(b->e, NETWORK, "n"), number);
	/* The last word of one object counts. */
	put(&a, NETWORK, "{'id':'brief'}");
	drop(&a, NETWORK, "brief");
	put(&a, NETWORK, "{'id':'n','tenant_id':'red','name':'N'}");
	put(&a, PORT, "{'id':'x','network_id':'n'}");
	assert_int_equal(ask(&a), TN_DONE);
	assert_int_equal(b->results[0].id, 0);
	assert_int_equal(b->results[2].id, number);
	assert_int_equal(bench_count(b, tn_kind_of_tenant(NETWORK)), 1);
	assert_int_equal(tn_engine_tenant_id(b->e, NETWORK, "n"), number);
	drop(&a, NETWORK, "nothing");
	a.ops[0].must_exist = true;
	assert_int_equal(ask(&a), TN_NOT_FOUND);
	assert_int_equal(drop_one(b, NETWORK, "nothing"), TN_DONE);
}

static void test_dry_run(void **state)
{
	struct bench *b = *state;
	struct asking a = {.b = b, .how = {.dry_run = true}};

	put_town(&a);
	assert_int_equal(ask(&a), TN_DONE);
	assert_int_equal(bench_count(b, tn_kind_of_tenant(NETWORK)), 0);
	assert_int_equal(b->fake.bundles, 0);
	put(&a, PORT, "{'id':'e','network_id':'none'}");
	assert_int_equal(ask(&a), TN_CONFLICT);
	build_town(b);
}

static void test_scope(void **state)
{
	struct bench *b = *state;
	uint32_t red = tn_names_intern(tn_engine_names(b->e), "red");
	uint32_t blue = tn_names_intern(tn_engine_names(b->e), "blue");
	struct asking a = {.b = b, .how = {.scope = {blue}, .tenant = blue}};

	build_town(b);
	put(&a, NETWORK, "{'id':'n'}");
	assert_int_equal(ask(&a), TN_FORBIDDEN);
	put(&a, PORT, "{'id':'x','network_id':'n'}");
	assert_int_equal(ask(&a), TN_CONFLICT);
	assert_non_null(strstr(b->detail, "there is no network"));
	drop(&a, NETWORK, "n");
	assert_int_equal(ask(&a), TN_DONE);
	assert_int_equal(
		tn_engine_count(b->e, tn_kind_of_tenant(NETWORK), (struct tn_scope){red}), 1);
	assert_int_equal(
		tn_engine_count(b->e, tn_kind_of_tenant(NETWORK), (struct tn_scope){blue}), 0);
	put(&a, NETWORK, "{'id':'m'}");
	assert_int_equal(ask(&a), TN_DONE);
	assert_int_equal(
		tn_engine_count(b->e, tn_kind_of_tenant(NETWORK), (struct tn_scope){blue}), 1);
	/* Nothing of how it is made is theirs to see. */
	assert_int_equal(tn_engine_count(b->e, TN_KIND_FLOW, (struct tn_scope){red}), 0);
}

static bool town_is_gone(struct bench *b)
{
	return bench_count(b, tn_kind_of_tenant(NETWORK)) == 0;
}

static void test_unconfirmed(void **state)
{
	struct bench *b = *state;
	struct asking a = {.b = b, .how = {.confirm_within_s = 3600}};
	char text[600];

	put_town(&a);
	assert_int_equal(ask(&a), TN_DONE);
	assert_true(b->transaction != 0);
	bench_restart(b);
	bench_run(b, bench_in_step);
	b->n_done = 0;
	assert_int_equal(
		tn_engine_cancel(b->e, b->transaction, (struct tn_scope){0}, bench_done, b), 0);
	bench_run(b, town_is_gone);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 0);
	assert_int_equal(bench_count(b, TN_KIND_PORT), 0);
	bench_check_same(b);
	/* What was changed is as it was. */
	build_town(b);
	put(&a, NETWORK, "{'id':'n','tenant_id':'red','name':'N'}");
	drop(&a, PORT, "a");
	assert_int_equal(ask(&a), TN_DONE);
	b->n_done = 0;
	assert_int_equal(
		tn_engine_cancel(b->e, b->transaction, (struct tn_scope){0}, bench_done, b), 0);
	bench_run(b, bench_is_done);
	assert_non_null(strstr(text_of(b, NETWORK, "n", text), "\"name\":\"\""));
	assert_int_equal(bench_count(b, tn_kind_of_tenant(PORT)), 3);
	bench_check_same(b);
}

static void count_done(void *ctx, const struct tn_outcome *outcome)
{
	unsigned *done = ctx;

	assert_int_equal(outcome->verdict, TN_DONE);
	++*done;
}

/* Two that come together are done one after the other. */
static void test_one_after_another(void **state)
{
	struct bench *b = *state;
	struct asking a = {.b = b}, c = {.b = b};
	unsigned done = 0;

	build_town(b);
	put(&a, PORT, "{'id':'d','network_id':'n','binding':{'kind':'vm','host':'h1'}}");
	put(&c, PORT, "{'id':'e','network_id':'n','binding':{'kind':'vm','host':'h1'}}");
	a.how = (struct tn_request){.operations = a.ops, .n = 1, .done = count_done, .ctx = &done};
	c.how = (struct tn_request){.operations = c.ops, .n = 1, .done = count_done, .ctx = &done};
	tn_engine_submit(b->e, &a.how);
	tn_engine_submit(b->e, &c.how);
	while (done < 2)
		bench_run(b, bench_settled);
	tn_arena_fini(&a.arena);
	tn_arena_fini(&c.arena);
	assert_int_equal(bench_count(b, tn_kind_of_tenant(PORT)), 5);
	assert_true(port(b, "d")->fixed_ips[0].ip_address != port(b, "e")->fixed_ips[0].ip_address);
	bench_check_same(b);
}

/* A NIC that comes later is found by the port that is bound to it. */
static void test_device(void **state)
{
	static const struct tn_api_port nic = {
		.number = 7, .name = "eth2", .type = "memory", .enabled = true};
	const struct tn_operation op = {.kind = TN_OP_PORT_ADD, .pointer = "", .port = &nic};
	const struct tn_operation gone = {
		.kind = TN_OP_PORT_REMOVE, .pointer = "", .port_number = 7};
	struct bench *b = *state;
	size_t flows;

	build_town(b);
	assert_int_equal(put_one(b, PORT,
				 "{'id':'metal','network_id':'n','binding':{'kind':'baremetal',"
				 "'host':'h1','device':'eth2','vlan':5}}"),
		TN_DONE);
	assert_int_equal(switch_port(b, "metal"), 0);
	flows = bench_count(b, TN_KIND_FLOW);
	assert_int_equal(bench_request(b, &op, 1, NULL), TN_DONE);
	assert_int_equal(switch_port(b, "metal"), 7);
	assert_true(bench_count(b, TN_KIND_FLOW) > flows);
	bench_check_same(b);
	bench_restart(b);
	bench_run(b, bench_in_step);
	assert_int_equal(switch_port(b, "metal"), 7);
	assert_int_equal(bench_request(b, &gone, 1, NULL), TN_DONE);
	assert_int_equal(switch_port(b, "metal"), 0);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), flows);
	bench_check_same(b);
}

/* Without a host, objects are kept and nothing is made of them. */
static void test_no_host(void **state)
{
	struct bench *b = *state;

	build_town(b);
	b->options.host = NULL;
	bench_restart(b);
	bench_run(b, bench_in_step);
	assert_int_equal(bench_count(b, tn_kind_of_tenant(PORT)), 3);
	assert_int_equal(bench_count(b, TN_KIND_FLOW), 0);
	bench_check_same(b);
	b->options.host = "h2";
	bench_restart(b);
	bench_run(b, bench_in_step);
	assert_int_not_equal(switch_port(b, "c"), 0);
	bench_check_same(b);
}

/* --- what has become of them --- */

/* What watchers hear of tenant objects: "idle ADDED; " */
struct heard {
	struct bench *b;
	char text[600];
};

static const char *state_name(enum tn_object_state state)
{
	static const char *const names[] = {[TN_STATE_PENDING_ADD] = "PENDING",
		[TN_STATE_ADDED] = "ADDED",
		[TN_STATE_PENDING_REMOVE] = "REMOVING",
		[TN_STATE_FAILED] = "FAILED"};

	return names[state];
}

static void hear(void *ctx, const struct tn_watch_event *event)
{
	const struct tn_object *o = event->object;
	const struct tn_error *failure;
	struct heard *h = ctx;
	size_t n = strlen(h->text);

	if (!o || !tn_kind_is_tenant(o->kind))
		return;
	snprintf(h->text + n, sizeof(h->text) - n, "%s %s; ", o->tenants->value.c.id,
		state_name(tn_engine_tenant_state(h->b->e, o, &failure)));
}

/* The text begins anew. */
static void check_heard(struct heard *h, const char *text)
{
	assert_string_equal(h->text, text);
	h->text[0] = '\0';
}

struct now {
	struct bench *b;
	enum tn_object_state state;
	bool failure;
};

static bool take_state(void *ctx, const struct tn_object *o)
{
	const struct tn_error *failure;
	struct now *now = ctx;

	now->state = tn_engine_tenant_state(now->b->e, o, &failure);
	now->failure = failure != NULL;
	return false;
}

/* Each of these has this state. */
static void check_states(struct bench *b, enum tn_object_state state, const char *objects)
{
	char copy[100], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", objects);
	while ((word = strsep(&rest, " "))) {
		struct now now = {.b = b};
		uint64_t number = 0;
		unsigned kind = 0;

		while (kind < TN_TENANT_N_KINDS && !number)
			number = tn_engine_tenant_id(b->e, (enum tn_tenant_kind)kind++, word);
		assert_true(tn_engine_get(b->e, tn_kind_of_tenant((enum tn_tenant_kind)(kind - 1)),
			number, (struct tn_scope){0}, take_state, &now));
		if (now.state != state)
			fail_msg("%s is %s", word, state_name(now.state));
		assert_int_equal(now.failure, state == TN_STATE_FAILED);
	}
}

/* The town, and a network with nothing on this host. */
static void build_two(struct bench *b)
{
	struct asking a = {.b = b};

	build_town(b);
	put(&a, NETWORK, "{'id':'idle','tenant_id':'red'}");
	put(&a, SUBNET, "{'id':'idles','network_id':'idle','cidr':'10.0.9.0/24'}");
	assert_int_equal(ask(&a), TN_DONE);
	check_states(b, TN_STATE_ADDED, "n s a b c h1 idle idles");
}

#define PORT_D "{'id':'d','network_id':'idle','binding':{'kind':'vm','host':'h1'}}"

static void begin_to_hear(struct heard *h, struct bench *b)
{
	*h = (struct heard){.b = b};
	assert_int_equal(tn_engine_listen(b->e, hear, h), 0);
}

/* A network that is not said again is pending with what is made of it for a port. */
static void test_states_while_away(void **state)
{
	struct bench *b = *state;
	struct heard h;

	build_two(b);
	fake_leave(&b->fake);
	bench_run(b, bench_away);
	check_states(b, TN_STATE_PENDING_ADD, "n s a b c");
	check_states(b, TN_STATE_ADDED, "idle idles h1");
	begin_to_hear(&h, b);
	assert_int_equal(put_one(b, NETWORK, "{'id':'later','tenant_id':'red'}"), TN_DONE);
	check_heard(&h, "later ADDED; ");
	assert_int_equal(put_one(b, PORT, PORT_D), TN_ACCEPTED);
	check_heard(&h, "d PENDING; idle PENDING; idles PENDING; ");
	check_states(b, TN_STATE_PENDING_ADD, "d idle idles");
	fake_listen(&b->fake);
	bench_run(b, bench_settled);
	check_heard(&h, "idle ADDED; idles ADDED; d ADDED; ");
	check_states(b, TN_STATE_ADDED, "n s a b c d idle idles later");
	bench_check_same(b);
	tn_engine_unlisten(b->e, &h);
}

/* So it is after a restart. */
static void test_states_after_a_restart(void **state)
{
	struct bench *b = *state;

	build_two(b);
	fake_leave(&b->fake);
	bench_run(b, bench_away);
	assert_int_equal(put_one(b, SUBNET,
				 "{'id':'s','network_id':'n','cidr':'10.0.0.0/24',"
				 "'dns_nameservers':['10.0.0.9']}"),
		TN_ACCEPTED);
	assert_int_equal(put_one(b, PORT, PORT_D), TN_ACCEPTED);
	bench_restart(b);
	check_states(b, TN_STATE_PENDING_ADD, "n s a b c d idle idles");
	fake_listen(&b->fake);
	bench_run(b, bench_settled);
	check_states(b, TN_STATE_ADDED, "n s a b c d idle idles");
	bench_check_same(b);
}

/* Nobody waited for it, and the data plane takes its time. */
static void test_states_not_waited_for(void **state)
{
	struct asking a = {.b = *state, .how = {.no_wait = true}};
	struct bench *b = *state;
	struct heard h;

	build_two(b);
	begin_to_hear(&h, b);
	b->fake.fault = FAKE_HOLD;
	put(&a, PORT, PORT_D);
	assert_int_equal(ask(&a), TN_ACCEPTED);
	check_heard(&h, "d PENDING; idle PENDING; idles PENDING; ");
	check_states(b, TN_STATE_PENDING_ADD, "d idle idles");
	check_states(b, TN_STATE_ADDED, "n s a b c");
	while (!b->fake.held.len)
		bench_run(b, bench_in_step);
	fake_release(&b->fake);
	bench_run(b, bench_settled);
	check_heard(&h, "idle ADDED; idles ADDED; d ADDED; ");
	check_states(b, TN_STATE_ADDED, "n s a b c d idle idles");
	/* Gone before it was there. */
	assert_int_equal(drop_one(b, PORT, "d"), TN_DONE);
	check_heard(&h, "d ADDED; ");
	bench_check_same(b);
	tn_engine_unlisten(b->e, &h);
}

static enum tn_verdict limit_bridge(struct bench *b, uint32_t max)
{
	struct tn_operation op = {.kind = TN_OP_TABLE,
		.pointer = "",
		.table = {.table_id = TN_TABLE_BRIDGE, .config = {.max_entries = max}}};

	return bench_request(b, &op, 1, NULL);
}

static bool is_refused(struct bench *b)
{
	struct tn_engine_status status;

	tn_engine_status(b->e, &status);
	return status.connected && status.failed;
}

static bool is_mended(struct bench *b)
{
	struct tn_engine_status status;

	tn_engine_status(b->e, &status);
	return status.connected && !status.failed && !status.pending;
}

/* What was stored, and is refused when the data plane is back: by its table, and then by nothing.
 */
static void test_states_refused(void **state)
{
	struct bench *b = *state;
	struct heard h;

	build_two(b);
	assert_int_equal(limit_bridge(b, 1), TN_DONE);
	begin_to_hear(&h, b);
	fake_leave(&b->fake);
	bench_run(b, bench_away);
	assert_int_equal(put_one(b, PORT, PORT_D), TN_ACCEPTED);
	check_heard(&h, "d PENDING; idle PENDING; idles PENDING; ");
	fake_listen(&b->fake);
	bench_run(b, is_refused);
	check_heard(&h, "idle FAILED; idles FAILED; d FAILED; ");
	check_states(b, TN_STATE_FAILED, "d idle idles");
	check_states(b, TN_STATE_ADDED, "n s a b c");
	assert_int_equal(limit_bridge(b, 0), TN_DONE);
	tn_engine_resync(b->e);
	bench_run(b, is_mended);
	check_heard(&h, "idle ADDED; idles ADDED; d ADDED; ");
	check_states(b, TN_STATE_ADDED, "n s a b c d idle idles");
	tn_engine_unlisten(b->e, &h);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_request_is_one_network),
		TEST(test_restart_sends_nothing),
		TEST(test_numbers_stay),
		TEST(test_little_for_little),
		TEST(test_contradiction),
		TEST(test_data_plane_refuses),
		TEST(test_away),
		TEST(test_derived_is_protected),
		TEST(test_pattern),
		TEST(test_conditions),
		TEST(test_dry_run),
		TEST(test_scope),
		TEST(test_unconfirmed),
		TEST(test_one_after_another),
		TEST(test_device),
		TEST(test_no_host),
		TEST(test_states_while_away),
		TEST(test_states_after_a_restart),
		TEST(test_states_not_waited_for),
		TEST(test_states_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
