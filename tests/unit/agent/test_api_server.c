/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/api_server.h"

#include "dataplane/pipeline/snapshot.h"

#include "tests/unit/agent/api_fixture.h"

#define MANY 20000u

static uint64_t switch_version(void)
{
	return tn_switch_snapshot(bed.agent->sw)->version;
}

static void test_hello(void **state)
{
	struct api_client client;

	(void)state;
	client_init(&client);
	client_wait(&client);
	assert_true(client.ready);
	assert_int_equal(client.server.pid, getpid());
	assert_int_equal(client.server.uid, getuid());
	assert_int_equal(client.server.dpid, 1);
	assert_int_equal(client.server.capabilities,
		TN_API_CAN_EVENTS | TN_API_CAN_TRACE | TN_API_CAN_PACKET_OUT);
	client_fini(&client);
}

/* --- bundles ---------------------------------------------------------------------------------- */

static bool came_by_2(struct bed *b)
{
	(void)collect(2);
	return b->collected[2] >= b->wanted;
}

static void test_bundle(void **state)
{
	struct tn_action out = output(2);
	struct tn_flow_mod fm = flow_to(1, &out);
	struct api_client client;

	(void)state;
	client_init(&client);
	client_flow(&client, &fm);
	client_wait(&client);
	assert_int_equal(client.done, 1);
	assert_int_equal(client.version, switch_version());
	/* From the receipt on every worker forwards. */
	for (unsigned i = 0; i < 10; i++)
		assert_true(inject(driver(1), 2, 1, i));
	bed.wanted = 10;
	run_until(came_by_2);
	client_fini(&client);
}

static void test_refused_bundle(void **state)
{
	struct tn_action out = output(2), to_nowhere = {.type = TN_ACTION_GROUP, .group_id = 77};
	struct tn_mod *mods = many_flows(MANY, &out);
	uint64_t version = switch_version();
	struct api_client client;

	(void)state;
	((struct tn_flow_mod *)(uintptr_t)mods[MANY - 3].flow)->inst.apply = &to_nowhere;
	client_init(&client);
	client_bundle(&client, mods, MANY);
	client_wait(&client);
	assert_int_equal(client.refused, 1);
	assert_int_equal(client.receipt.version, 0);
	assert_int_equal(client.receipt.position, MANY - 3);
	assert_true(strlen(client.error.detail) > 10);
	assert_int_equal(switch_version(), version);
	assert_int_equal(tn_switch_flow_count(bed.agent->sw), 0);
	many_flows_free(mods);
	client_fini(&client);
}

/* Pipelined: receipts come in order and each says its own version. */
static void test_many_bundles(void **state)
{
	struct tn_action out = output(2);
	struct tn_mod *mods = many_flows(MANY, &out);
	struct api_client client;
	uint64_t version;

	(void)state;
	client_init(&client);
	version = switch_version();
	for (size_t i = 0; i < MANY; i++)
		client_bundle(&client, &mods[i], 1);
	client_wait(&client);
	assert_int_equal(client.done, MANY);
	assert_true(client.version >= version + MANY);
	assert_int_equal(tn_switch_flow_count(bed.agent->sw), MANY);
	many_flows_free(mods);
	client_fini(&client);
}

/* A client that says no more still gets what it asked for. */
static void test_half_closed(void **state)
{
	struct tn_action out = output(2);
	struct tn_mod *mods = many_flows(100, &out);
	struct api_client client;

	(void)state;
	client_init(&client);
	for (size_t i = 0; i < 100; i++)
		client_bundle(&client, &mods[i], 1);
	client_dump(&client, TN_API_FLOWS);
	assert_int_equal(tn_api_async_queued(client.c), 0);
	assert_int_equal(shutdown(tn_api_async_fd(client.c), SHUT_WR), 0);
	client_wait(&client);
	assert_int_equal(client.done, 101);
	assert_int_equal(client.total, 100);
	many_flows_free(mods);
	client_fini(&client);
}

/* --- ports and tables ------------------------------------------------------------------------- */

static struct api_client *watching;

/* Events may wait for what the workers count. */
static bool events_came(struct bed *b)
{
	unsigned n = 0;

	for (unsigned kind = 0; kind < TN_API_N_EVENTS; kind++)
		n += watching->events[kind];
	return n >= b->wanted;
}

static void wait_for_events(struct api_client *client, unsigned n)
{
	watching = client;
	bed.wanted = n;
	run_until(events_came);
}

static void test_ports(void **state)
{
	const struct tn_api_message add = {.type = TN_API_PORT_ADD,
		.port_add = {.number = 9, .name = "nine", .type = "memory", .enabled = true}};
	struct tn_api_message bad = add;
	const struct tn_api_message configure = {
		.type = TN_API_PORT_CONFIGURE, .port_configure = {.number = 9, .enabled = false}};
	const struct tn_api_message remove = {.type = TN_API_PORT_REMOVE, .port_remove = 9};
	struct api_client watcher, client;

	(void)state;
	client_init(&watcher);
	client_send(&watcher,
		&(struct tn_api_message){
			.type = TN_API_SUBSCRIBE, .subscribe = 1u << TN_API_PORT_STATUS});
	client_wait(&watcher);
	client_init(&client);
	client_send(&client, &add);
	client_send(&client, &configure);
	client_send(&client, &remove);
	client_wait(&client);
	assert_int_equal(client.done, 3);
	/* Refused, each with a sentence. */
	client_send(&client, &remove);
	bad.port_add.number = 1;
	client_send(&client, &bad);
	bad.port_add = (struct tn_api_port){.number = 8, .name = "t", .type = "vxlan"};
	client_send(&client, &bad);
	bad.port_add.has_vxlan = true;
	client_send(&client, &bad);
	bad.port_add.vxlan = (struct tn_vxlan_options){
		.remote_flow = true, .udp_port = 4789, .ttl = 64, .vni = 1u << 24};
	client_send(&client, &bad);
	bad.port_add = (struct tn_api_port){.number = 8, .name = "", .type = "memory"};
	client_send(&client, &bad);
	client_wait(&client);
	assert_int_equal(client.refused, 6);
	assert_true(strlen(client.error.detail) > 10);
	client_fini(&client);
	wait_for_events(&watcher, 3);
	assert_int_equal(watcher.events[TN_API_PORT_STATUS], 3);
	client_fini(&watcher);
}

static void test_tables_and_underlay(void **state)
{
	const struct tn_underlay_address address = {
		.address = (tn_u128)0xffff << 32 | 0xc6336401u, .prefix_len = 24, .port = 4};
	const struct tn_underlay_address bad_address = {
		.address = (tn_u128)0xffff << 32 | 0xc6336401u, .prefix_len = 33};
	const struct tn_underlay_route bad_route = {.is_ip4 = true, .prefix_len = 99};
	struct tn_api_message m = {
		.type = TN_API_UNDERLAY, .underlay = {.addresses = &address, .n_addresses = 1}};
	struct api_client client;

	(void)state;
	client_init(&client);
	client_send(&client, &m);
	m.underlay = (struct tn_underlay_config){0};
	client_send(&client, &m);
	m = (struct tn_api_message){.type = TN_API_TABLE_CONFIGURE,
		.table_configure = {.table_id = 3, .config = {.max_entries = 7}}};
	client_send(&client, &m);
	client_wait(&client);
	assert_int_equal(client.done, 3);
	client_dump(&client, TN_API_TABLES);
	client_wait(&client);
	assert_int_equal(client.total, 1);
	m.table_configure.config.max_entries = 0;
	client_send(&client, &m);
	m.type = TN_API_UNDERLAY;
	m.underlay = (struct tn_underlay_config){.addresses = &bad_address, .n_addresses = 1};
	client_send(&client, &m);
	m.underlay = (struct tn_underlay_config){.routes = &bad_route, .n_routes = 1};
	client_send(&client, &m);
	client_wait(&client);
	assert_int_equal(client.refused, 2);
	client_fini(&client);
}

/* --- dumps ------------------------------------------------------------------------------------ */

struct seen {
	bool cookie[2 * MANY];
	uint64_t order;
	struct tn_api_flow_counter counter;
};

static void see_flows(struct api_client *client, const struct tn_api_part *part)
{
	struct seen *seen = client->ctx;

	for (uint32_t i = 0; i < part->n; i++) {
		const struct tn_flow_info *flow = &part->flows[i];

		assert_int_equal(part->kind, TN_API_FLOWS);
		assert_true(flow->cookie < 2 * MANY && !seen->cookie[flow->cookie]);
		seen->cookie[flow->cookie] = true;
		/* All of one table and priority: by id. */
		assert_true(flow->flow_id > seen->order);
		seen->order = flow->flow_id;
	}
}

static void test_dump_of_flows(void **state)
{
	struct tn_action out = output(2);
	struct tn_mod *mods = many_flows(MANY, &out);
	struct api_client client;
	struct seen *seen = calloc(1, sizeof(*seen));

	(void)state;
	client_init(&client);
	client.on_part = see_flows;
	client.ctx = seen;
	client_bundle(&client, mods, MANY);
	client_dump(&client, TN_API_FLOWS);
	client_wait(&client);
	assert_int_equal(client.items, MANY);
	assert_int_equal(client.total, MANY);
	assert_true(client.parts >= MANY / 1000);
	client.on_part = NULL;
	client_dump(&client, TN_API_COUNTERS);
	client_wait(&client);
	assert_int_equal(client.total, MANY);
	/* Filtered. */
	client_send(&client,
		&(struct tn_api_message){.type = TN_API_DUMP,
			.dump = {.kind = TN_API_FLOWS,
				.table_id = TN_TABLE_ALL,
				.cookie = 17,
				.cookie_mask = 0xff,
				.out_port = 2,
				.out_group = TN_GROUP_ANY}});
	client_wait(&client);
	assert_int_equal(client.total, (MANY + 255 - 17) / 256);
	many_flows_free(mods);
	free(seen);
	client_fini(&client);
}

/* Another client takes flows away and adds others all the while: what stays is seen once. */
static void test_dump_of_what_changes(void **state)
{
	struct tn_action out = output(2);
	struct tn_mod *mods = many_flows(2 * MANY, &out);
	struct api_client reader, writer;
	struct seen *seen = calloc(1, sizeof(*seen));

	(void)state;
	client_init(&writer);
	client_bundle(&writer, mods, MANY);
	client_wait(&writer);
	for (size_t i = 0; i < MANY; i += 2)
		((struct tn_flow_mod *)(uintptr_t)mods[i].flow)->command = TN_FLOW_DELETE_STRICT;
	client_init(&reader);
	reader.on_part = see_flows;
	reader.ctx = seen;
	client_dump(&reader, TN_API_FLOWS);
	for (size_t i = 0; i < 2 * MANY; i += i < MANY ? 2 : 1)
		client_bundle(&writer, &mods[i], 1);
	client_wait(&reader);
	client_wait(&writer);
	for (size_t i = 1; i < MANY; i += 2)
		assert_true(seen->cookie[i]);
	assert_int_equal(writer.refused, 0);
	many_flows_free(mods);
	free(seen);
	client_fini(&reader);
	client_fini(&writer);
}

static void see_counter(struct api_client *client, const struct tn_api_part *part)
{
	struct seen *seen = client->ctx;

	assert_int_equal(part->n, 1);
	seen->counter = part->counters[0];
}

/* Everything that a packet counted before the dump was asked for is in it. */
static void test_counters(void **state)
{
	struct tn_action out = output(2);
	struct tn_flow_mod fm = flow_to(1, &out);
	struct api_client client;
	struct seen *seen = calloc(1, sizeof(*seen));

	(void)state;
	client_init(&client);
	client.on_part = see_counter;
	client.ctx = seen;
	client_flow(&client, &fm);
	client_wait(&client);
	for (unsigned round = 1; round <= 20; round++) {
		for (unsigned i = 0; i < 50; i++)
			assert_true(inject(driver(1), 2, 1, i));
		bed.wanted = 50ull * round;
		run_until(came_by_2);
		client_dump(&client, TN_API_COUNTERS);
		client_wait(&client);
		assert_int_equal(seen->counter.counter.packets, bed.wanted);
		assert_int_equal(seen->counter.counter.bytes, bed.wanted * FRAME);
	}
	free(seen);
	client_fini(&client);
}

struct things {
	struct tn_api_port_info port1;
	struct tn_api_port_drop drops[4];
	struct tn_api_network_drop network;
	uint32_t meter_bands, group_buckets;
};

static void see_things(struct api_client *client, const struct tn_api_part *part)
{
	struct things *t = client->ctx;

	if (part->kind == TN_API_PORTS) {
		t->port1 = part->ports[0];
		assert_true(t->port1.n_drops <= 4);
		memcpy(t->drops, t->port1.drops, t->port1.n_drops * sizeof(t->drops[0]));
		assert_string_equal(t->port1.port.name, "m1");
		assert_string_equal(t->port1.port.type, "memory");
	} else if (part->kind == TN_API_NETWORKS) {
		assert_int_equal(part->n, 1);
		t->network = part->networks[0];
	} else if (part->kind == TN_API_METERS) {
		t->meter_bands += part->meters[0].n_bands;
	} else if (part->kind == TN_API_GROUPS) {
		t->group_buckets += part->groups[0].n_buckets;
	}
}

static bool dropped_at_1(struct bed *b)
{
	uint64_t sum = 0;

	for (unsigned w = 0; w < b->agent->n_workers; w++)
		sum += tn_worker_port_stats(b->agent->workers[w].worker, 0)
			       ->dropped[TN_DROP_TABLE_MISS];
	return sum - b->agent->ports[0]->base.dropped[TN_DROP_TABLE_MISS] >= 7;
}

static void add_group_and_meter(struct api_client *client, int command)
{
	static const struct tn_action out = {.type = TN_ACTION_OUTPUT, .output.port = 2};
	const struct tn_bucket bucket = {.watch_port = TN_PORT_ANY,
		.watch_group = TN_GROUP_ANY,
		.actions = &out,
		.n_actions = 1};
	const struct tn_band band = {.type = TN_BAND_DROP, .rate = 1000};
	const struct tn_group_mod gm = {.command = (enum tn_group_command)command,
		.type = TN_GROUP_TYPE_ALL,
		.group_id = 5,
		.command_bucket_id = TN_BUCKET_ALL,
		.buckets = &bucket,
		.n_buckets = command == TN_GROUP_ADD};
	const struct tn_meter_mod mm = {.command = (enum tn_meter_command)command,
		.meter_id = 6,
		.flags = TN_METER_PKTPS,
		.bands = &band,
		.n_bands = command == TN_GROUP_ADD};
	const struct tn_mod mods[] = {
		{.kind = TN_MOD_GROUP, .group = &gm}, {.kind = TN_MOD_METER, .meter = &mm}};

	client_bundle(client, mods, 2);
}

static void test_dump_of_the_others(void **state)
{
	struct things things = {0};
	struct api_client client;

	(void)state;
	client_init(&client);
	client.on_part = see_things;
	client.ctx = &things;
	add_group_and_meter(&client, TN_GROUP_ADD);
	for (unsigned i = 0; i < 7; i++)
		assert_true(inject(driver(1), 2, 1, i));
	run_until(dropped_at_1);
	client_dump(&client, TN_API_PORTS);
	client_wait(&client);
	assert_int_equal(client.total, 4);
	assert_int_equal(things.port1.rx.packets, 7);
	assert_int_equal(things.port1.state, TN_PORT_STATE_LIVE);
	assert_int_equal(things.port1.n_drops, 1);
	assert_int_equal(things.drops[0].reason, TN_DROP_TABLE_MISS);
	assert_int_equal(things.drops[0].packets, 7);
	client_dump(&client, TN_API_NETWORKS);
	client_wait(&client);
	assert_int_equal(things.network.network, 0);
	assert_int_equal(things.network.reason, TN_DROP_TABLE_MISS);
	assert_int_equal(things.network.packets, 7);
	/* Several at once are told one after another. */
	client_dump(&client, TN_API_GROUPS);
	client_dump(&client, TN_API_METERS);
	client_dump(&client, TN_API_SESSIONS);
	client_wait(&client);
	assert_int_equal(client.refused, 0);
	assert_int_equal(things.group_buckets, 1);
	assert_int_equal(things.meter_bands, 1);
	assert_int_equal(client.total, bed.agent->n_workers);
	add_group_and_meter(&client, TN_GROUP_DELETE);
	client_wait(&client);
	assert_int_equal(client.refused, 0);
	client_fini(&client);
}

/* --- events ----------------------------------------------------------------------------------- */

static void subscribe(struct api_client *client, uint32_t kinds)
{
	client_send(client, &(struct tn_api_message){.type = TN_API_SUBSCRIBE, .subscribe = kinds});
	client_wait(client);
}

static void see_removed(struct api_client *client, const struct tn_api_event *event)
{
	if (event->kind == TN_API_FLOW_REMOVED)
		assert_int_equal(
			event->removed.flow.cookie, client->events[TN_API_FLOW_REMOVED] - 1);
}

static void test_flow_removed(void **state)
{
	struct tn_action out = output(2);
	struct tn_mod *mods = many_flows(100, &out);
	struct api_client watcher, other, client;

	(void)state;
	client_init(&watcher);
	client_init(&other);
	client_init(&client);
	watcher.on_event = see_removed;
	subscribe(&watcher, 1u << TN_API_FLOW_REMOVED);
	subscribe(&other, 1u << TN_API_PORT_STATUS);
	for (size_t i = 0; i < 100; i++)
		((struct tn_flow_mod *)(uintptr_t)mods[i].flow)->flags = TN_FLOW_SEND_FLOW_REM;
	client_bundle(&client, mods, 100);
	for (size_t i = 0; i < 100; i++)
		((struct tn_flow_mod *)(uintptr_t)mods[i].flow)->command = TN_FLOW_DELETE_STRICT;
	for (size_t i = 0; i < 100; i++)
		client_bundle(&client, &mods[i], 1);
	client_wait(&client);
	wait_for_events(&watcher, 100);
	subscribe(&watcher, 0);
	subscribe(&other, 0);
	assert_int_equal(watcher.events[TN_API_FLOW_REMOVED], 100);
	assert_int_equal(other.events[TN_API_FLOW_REMOVED], 0);
	many_flows_free(mods);
	client_fini(&watcher);
	client_fini(&other);
	client_fini(&client);
}

static void see_packet_in(struct api_client *client, const struct tn_api_event *event)
{
	uint8_t frame[FRAME];

	(void)client;
	make_frame(frame, 2, 1, 4);
	assert_int_equal(event->kind, TN_API_PACKET_IN);
	assert_int_equal(event->packet_in.in_port, 1);
	assert_int_equal(event->packet_in.cookie, 42);
	assert_int_equal(event->packet_in.total_len, FRAME);
	assert_int_equal(event->packet_in.frame_len, FRAME);
	assert_memory_equal(event->packet_in.frame, frame, FRAME);
}

static void test_packet_in_and_out(void **state)
{
	struct tn_action out = output(TN_PORT_CONTROLLER), to_2 = output(2);
	struct tn_flow_mod fm = flow_to(1, &out);
	struct tn_api_message m = {.type = TN_API_PACKET_OUT,
		.packet_out = {.in_port = TN_PORT_CONTROLLER,
			.actions = &to_2,
			.n_actions = 1,
			.frame_len = FRAME}};
	struct tn_action bad = {.type = TN_ACTION_MOD_VLAN_VID, .vlan_vid = 9999};
	struct api_client client;
	uint8_t frame[FRAME];

	(void)state;
	client_init(&client);
	client.on_event = see_packet_in;
	fm.cookie = 42;
	client_flow(&client, &fm);
	subscribe(&client, 1u << TN_API_PACKET_IN);
	assert_true(inject(driver(1), 2, 1, 4));
	wait_for_events(&client, 1);
	subscribe(&client, 0);
	assert_null(bed.agent->packet_in);
	make_frame(frame, 2, 1, 4);
	m.packet_out.frame = frame;
	client_send(&client, &m);
	client_wait(&client);
	assert_int_equal(client.refused, 0);
	bed.wanted = 1;
	run_until(came_by_2);
	m.packet_out.actions = &bad;
	client_send(&client, &m);
	client_wait(&client);
	assert_int_equal(client.refused, 1);
	client_fini(&client);
}

#define TEST API_TEST

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hello),
		TEST(bundle),
		TEST(refused_bundle),
		TEST(many_bundles),
		TEST(half_closed),
		TEST(ports),
		TEST(tables_and_underlay),
		TEST(dump_of_flows),
		TEST(dump_of_what_changes),
		TEST(counters),
		TEST(dump_of_the_others),
		TEST(flow_removed),
		TEST(packet_in_and_out),
	};

	return cmocka_run_group_tests(tests, api_group_setup, api_group_teardown);
}
