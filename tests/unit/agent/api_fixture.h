/* SPDX-License-Identifier: BSD-3-Clause */
/* The API's server on a real agent, and clients of it on the same loop. */
#ifndef TESTS_API_FIXTURE_H
#define TESTS_API_FIXTURE_H

#include "tests/unit/agent/agent_fixture.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/agent/api_private.h"
#include "dataplane/agent/api_server.h"
#include "dataplane/api/async_client.h"
#include "tests/unit/api/encoded.h"

/* A client and what it was told. */
struct api_client {
	struct tn_api_async *c;
	uint32_t watched;
	bool ready, lost;
	struct tn_error why; /* lost */
	struct tn_api_hello_reply server;
	unsigned done, refused, parts;
	uint64_t items, version, total;
	struct tn_api_receipt receipt; /* the last one */
	struct tn_error error;	       /* the last refusal */
	/* events, by kind */
	unsigned events[TN_API_N_EVENTS];
	uint64_t lost_events;
	void (*on_part)(struct api_client *client, const struct tn_api_part *part);
	void (*on_event)(struct api_client *client, const struct tn_api_event *event);
	void (*on_trace)(struct api_client *client, const struct tn_api_trace_reply *reply);
	void *ctx;
};

static struct tn_api_server *server;
static struct tn_changes *changes;
static struct api_client *waited_for;

static inline void on_answer(
	void *ctx, const struct tn_api_message *answer, const struct tn_error *err)
{
	struct api_client *client = ctx;

	if (err) {
		client->error = *err;
		client->refused++;
		if (answer && answer->type == TN_API_RECEIPT)
			client->receipt = answer->receipt;
	} else if (answer->type == TN_API_PART) {
		client->parts++;
		client->items += answer->part.n;
		if (client->on_part)
			client->on_part(client, &answer->part);
	} else {
		client->done++;
		if (answer->type == TN_API_RECEIPT) {
			/* Versions never go back. */
			assert_true(answer->receipt.version >= client->version);
			client->version = answer->receipt.version;
		} else if (answer->type == TN_API_END) {
			client->total = answer->end.total;
		} else if (client->on_trace) {
			client->on_trace(client, &answer->trace_reply);
		}
	}
}

static inline void on_client_ready(void *ctx, const struct tn_api_hello_reply *reply)
{
	struct api_client *client = ctx;

	client->ready = true;
	client->server = *reply;
}

static inline void on_client_event(void *ctx, const struct tn_api_event *event)
{
	struct api_client *client = ctx;

	client->events[event->kind]++;
	if (event->kind == TN_API_RESUMED)
		client->lost_events += event->lost;
	if (client->on_event)
		client->on_event(client, event);
}

static inline void client_watch(struct api_client *client)
{
	uint32_t wanted;

	tn_api_async_flush(client->c);
	wanted = tn_api_async_wanted(client->c);
	if (wanted != client->watched)
		assert_int_equal(tn_loop_modify(bed.loop, tn_api_async_fd(client->c), wanted), 0);
	client->watched = wanted;
}

static inline void on_client_ready_fd(void *ctx, uint32_t events)
{
	struct api_client *client = ctx;

	if (tn_api_async_process(client->c, events, &client->why)) {
		client->lost = true;
		tn_loop_remove(bed.loop, tn_api_async_fd(client->c));
		return;
	}
	client_watch(client);
}

/* Connected to the server by a pair; the other end. */
static inline int pair_with_server(void)
{
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(tn_api_server_adopt(server, pair[0]), 0);
	return pair[1];
}

static inline void client_init(struct api_client *client)
{
	const struct tn_api_async_events events = {client, on_client_ready, on_client_event};
	struct tn_error err;

	memset(client, 0, sizeof(*client));
	client->c = tn_api_async_open(pair_with_server(), "test", &events, &err);
	assert_non_null(client->c);
	client->watched = EPOLLIN;
	assert_int_equal(tn_loop_add(bed.loop, tn_api_async_fd(client->c), EPOLLIN,
				 on_client_ready_fd, client),
		0);
	client_watch(client);
}

static inline void client_fini(struct api_client *client)
{
	if (!client->lost)
		tn_loop_remove(bed.loop, tn_api_async_fd(client->c));
	tn_api_async_free(client->c);
}

static inline void client_send(struct api_client *client, const struct tn_api_message *m)
{
	struct tn_error err;

	if (tn_api_async_send(client->c, m, on_answer, client, &err))
		fail_msg("%s", err.detail);
	client_watch(client);
}

static inline void client_bundle(struct api_client *client, const struct tn_mod *mods, size_t n)
{
	struct tn_api_buffer buffer = {0};
	struct tn_api_encoded *encoded = encoded_mods(&buffer, mods, n);
	struct tn_error err;

	if (tn_api_async_encoded(client->c, encoded, n, false, on_answer, client, &err))
		fail_msg("%s", err.detail);
	free(encoded);
	tn_api_buffer_fini(&buffer);
	client_watch(client);
}

static inline void client_flow(struct api_client *client, const struct tn_flow_mod *fm)
{
	client_bundle(client, &(struct tn_mod){.kind = TN_MOD_FLOW, .flow = fm}, 1);
}

static inline bool all_answered(struct bed *b)
{
	(void)b;
	return waited_for->lost || !tn_api_async_in_flight(waited_for->c);
}

static inline void client_wait(struct api_client *client)
{
	waited_for = client;
	run_until(all_answered);
}

static inline void client_dump(struct api_client *client, enum tn_api_dump_kind kind)
{
	const struct tn_api_message m = {.type = TN_API_DUMP,
		.dump = {.kind = kind,
			.table_id = TN_TABLE_ALL,
			.out_port = TN_PORT_ANY,
			.out_group = TN_GROUP_ANY}};

	client->items = 0;
	client->parts = 0;
	client_send(client, &m);
}

/* n flows of priority 10 and more in table 1, for any packet; to be freed. */
static inline struct tn_mod *many_flows(size_t n, const struct tn_action *out)
{
	struct tn_flow_mod *flows = calloc(n, sizeof(*flows));
	struct tn_mod *mods = calloc(n, sizeof(*mods));

	assert_non_null(flows);
	assert_non_null(mods);
	for (size_t i = 0; i < n; i++) {
		tn_flow_mod_init(&flows[i]);
		flows[i].table_id = 1;
		flows[i].priority = 10;
		flows[i].cookie = i;
		tn_match_set_exact(&flows[i].match, TN_FIELD_ETH_DST, UINT64_C(0x020000000000) + i);
		flows[i].inst.apply = out;
		flows[i].inst.n_apply = 1;
		mods[i] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &flows[i]};
	}
	return mods;
}

static inline void many_flows_free(struct tn_mod *mods)
{
	free((void *)(uintptr_t)mods[0].flow);
	free(mods);
}

static inline int api_group_setup(void **state)
{
	struct tn_error err;

	if (group_setup(state))
		return -1;
	changes = tn_changes_new(bed.agent, NULL, &err);
	assert_non_null(changes);
	server = tn_api_server_new(bed.agent, changes, -1, &err);
	assert_non_null(server);
	return 0;
}

static inline int api_group_teardown(void **state)
{
	assert_int_equal(tn_api_server_clients(server), 0);
	tn_api_server_stop(server);
	tn_changes_free(changes);
	tn_api_server_free(server);
	return group_teardown(state);
}

static inline bool nobody_left(struct bed *b)
{
	(void)b;
	return !tn_api_server_clients(server);
}

/* Every client was freed by its test; the server sees them go. */
static inline int api_teardown(void **state)
{
	run_until(nobody_left);
	return teardown(state);
}

#define API_TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, api_teardown)

#endif
