/* SPDX-License-Identifier: BSD-3-Clause */
/* A client for event loops at one end of a socket pair; the test is the server at the other. */
#include "dataplane/api/async_client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/api/encoded.h"

#define MANY 5000u

struct bed {
	struct tn_api_async *c;
	int server;
	struct tn_api_buffer in, out;
	struct tn_api_arena arena;
	unsigned ready, events;
	/* what requests came to */
	unsigned done, refused, lost, parts;
	uint64_t last;
};

static struct bed bed;

static void on_ready(void *ctx, const struct tn_api_hello_reply *server)
{
	struct bed *b = ctx;

	assert_int_equal(server->dpid, 7);
	b->ready++;
}

static void on_event(void *ctx, const struct tn_api_event *event)
{
	struct bed *b = ctx;

	assert_int_equal(event->kind, TN_API_RESUMED);
	b->events++;
}

static void on_answer(void *ctx, const struct tn_api_message *answer, const struct tn_error *err)
{
	struct bed *b = ctx;

	if (err) {
		assert_true(strlen(err->detail) > 3);
		*(answer ? &b->refused : &b->lost) += 1;
	} else if (answer->type == TN_API_PART || answer->flags & TN_API_MORE) {
		b->parts++;
	} else {
		b->done++;
		b->last = answer->type == TN_API_RECEIPT ? answer->receipt.version : 0;
	}
}

/* The next message that the client sent. */
static void hear(struct tn_api_message *m)
{
	struct tn_error err;
	size_t len = 0;

	tn_api_arena_reset(&bed.arena);
	for (;;) {
		ssize_t n;

		assert_int_equal(tn_api_message_length(bed.in.data, bed.in.len, &len, &err), 0);
		if (len)
			break;
		tn_api_async_flush(bed.c);
		assert_int_equal(tn_api_buffer_reserve(&bed.in, 65536), 0);
		n = recv(bed.server, bed.in.data + bed.in.len, 65536, MSG_DONTWAIT);
		assert_true(n > 0);
		bed.in.len += (size_t)n;
	}
	assert_int_equal(tn_api_decode(bed.in.data, len, &bed.arena, m, &err), 0);
	tn_api_buffer_consume(&bed.in, len);
}

static void put(uint64_t id, struct tn_api_message m)
{
	struct tn_error err;

	m.request_id = id;
	assert_int_equal(tn_api_encode(&bed.out, &m, &err), 0);
}

/* Everything that was put reaches the client, which gets `most` bytes at a time. */
static int deliver(size_t most)
{
	struct tn_error err;
	size_t at = 0;
	int rc = 0;

	while (!rc && at < bed.out.len) {
		size_t n = bed.out.len - at < most ? bed.out.len - at : most;

		assert_int_equal(send(bed.server, bed.out.data + at, n, MSG_DONTWAIT), (ssize_t)n);
		at += n;
		rc = tn_api_async_process(bed.c, EPOLLIN, &err);
		assert_true(!rc || strlen(err.detail) > 3);
	}
	bed.out.len = 0;
	return rc;
}

static int setup(void **state)
{
	const struct tn_api_async_events events = {&bed, on_ready, on_event};
	struct tn_api_message m;
	struct tn_error err;
	int pair[2];

	(void)state;
	memset(&bed, 0, sizeof(bed));
	tn_api_arena_init(&bed.arena, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	bed.server = pair[1];
	bed.c = tn_api_async_open(pair[0], "test", &events, &err);
	assert_non_null(bed.c);
	assert_int_equal(tn_api_async_fd(bed.c), pair[0]);
	assert_int_equal(tn_api_async_wanted(bed.c), EPOLLIN | EPOLLOUT);
	hear(&m);
	assert_int_equal(tn_api_async_wanted(bed.c), EPOLLIN);
	assert_int_equal(m.type, TN_API_HELLO);
	assert_string_equal(m.hello.name, "test");
	put(m.request_id,
		(struct tn_api_message){
			.type = TN_API_HELLO_REPLY, .hello_reply = {.dpid = 7, .version = "0.1"}});
	assert_int_equal(deliver(3), 0);
	assert_int_equal(bed.ready, 1);
	assert_int_equal(tn_api_async_in_flight(bed.c), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tn_api_async_free(bed.c);
	close(bed.server);
	tn_api_buffer_fini(&bed.in);
	tn_api_buffer_fini(&bed.out);
	tn_api_arena_fini(&bed.arena);
	return 0;
}

static void request(const struct tn_api_message *m)
{
	struct tn_error err;

	assert_int_equal(tn_api_async_send(bed.c, m, on_answer, &bed, &err), 0);
}

static const struct tn_api_message remove_port = {.type = TN_API_PORT_REMOVE, .port_remove = 4};
static const struct tn_api_message dump = {
	.type = TN_API_DUMP,
	.dump = {.kind = TN_API_TABLES,
		.table_id = TN_TABLE_ALL,
		.out_port = TN_PORT_ANY,
		.out_group = TN_GROUP_ANY},
};

static void receipt(uint64_t id, uint64_t version)
{
	put(id,
		(struct tn_api_message){.type = TN_API_RECEIPT,
			.receipt = {.version = version,
				.error = {TN_OFPBRC_BAD_PORT, -1, "no such port"}}});
}

/* Two receipts for who asked for them, and for nobody else. */
static void earlier_receipts(void **state)
{
	const struct tn_api_message in_force = {
		.type = TN_API_RECEIPT, .flags = TN_API_MORE, .receipt.version = 3};
	struct tn_api_message m;
	struct tn_error err;

	(void)state;
	assert_int_equal(tn_api_async_encoded(bed.c, NULL, 0, true, on_answer, &bed, &err), 0);
	hear(&m);
	assert_int_equal(m.flags, TN_API_EARLY);
	put(m.request_id, in_force);
	assert_int_equal(deliver(5), 0);
	assert_int_equal(bed.parts, 1);
	assert_int_equal(tn_api_async_in_flight(bed.c), 1);
	receipt(m.request_id, 3);
	assert_int_equal(deliver(5), 0);
	assert_int_equal(bed.done, 1);
	assert_int_equal(tn_api_async_in_flight(bed.c), 0);
	assert_int_equal(tn_api_async_encoded(bed.c, NULL, 0, false, on_answer, &bed, &err), 0);
	hear(&m);
	assert_int_equal(m.flags, 0);
	put(m.request_id, in_force);
	assert_int_equal(deliver(5), -EIO);
	assert_int_equal(bed.lost, 1);
}

/* Newest first, with a dump that stays open all the while. */
static void answers_in_any_order(void **state)
{
	static const struct tn_table_info table = {.template_name = "exact"};
	uint64_t first = 0, dump_id;
	struct tn_api_message m;

	(void)state;
	request(&dump);
	hear(&m);
	dump_id = m.request_id;
	for (unsigned i = 0; i < MANY; i++) {
		request(&remove_port);
		if (i % 50 == 49) {
			for (unsigned k = 0; k < 50; k++) {
				hear(&m);
				first = first ? first : m.request_id;
				assert_int_equal(m.type, TN_API_PORT_REMOVE);
			}
		}
	}
	assert_int_equal(tn_api_async_in_flight(bed.c), MANY + 1);
	for (unsigned i = MANY; i-- > 0;) {
		receipt(first + i, i % 3);
		if (i % 100 == 0) {
			put(dump_id,
				(struct tn_api_message){
					.type = TN_API_PART, .part = {TN_API_TABLES, 1, {&table}}});
			put(0,
				(struct tn_api_message){.type = TN_API_EVENT,
					.event = {.kind = TN_API_RESUMED, .lost = 1}});
			assert_int_equal(deliver(1 + i % 997), 0);
		}
	}
	assert_int_equal(bed.done + bed.refused, MANY);
	assert_int_equal(bed.refused, (MANY + 2) / 3);
	assert_int_equal(bed.parts, MANY / 100);
	assert_int_equal(bed.events, MANY / 100);
	put(dump_id,
		(struct tn_api_message){
			.type = TN_API_END, .end = {.kind = TN_API_TABLES, .total = MANY / 100}});
	assert_int_equal(deliver(1000), 0);
	assert_int_equal(tn_api_async_in_flight(bed.c), 0);
	assert_int_equal(bed.lost, 0);
}

static struct tn_mod *flow_mods(size_t n)
{
	struct tn_flow_mod *flows = calloc(n, sizeof(*flows));
	struct tn_mod *mods = calloc(n, sizeof(*mods));

	for (size_t i = 0; i < n; i++) {
		tn_flow_mod_init(&flows[i]);
		flows[i].cookie = i;
		mods[i] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &flows[i]};
	}
	return mods;
}

static void mods_free(struct tn_mod *mods)
{
	free((void *)(uintptr_t)mods[0].flow);
	free(mods);
}

/* More than the socket takes at once. */
static void bundle_in_parts(void **state)
{
	struct tn_mod *mods = flow_mods(MANY * 8);
	struct tn_api_buffer buffer = {0};
	struct tn_api_encoded *encoded = encoded_mods(&buffer, mods, MANY * 8);
	struct tn_api_message m;
	uint64_t n = 0, id = 0;
	struct tn_error err;

	(void)state;
	assert_int_equal(
		tn_api_async_encoded(bed.c, encoded, MANY * 8, false, on_answer, &bed, &err), 0);
	free(encoded);
	tn_api_buffer_fini(&buffer);
	tn_api_async_flush(bed.c);
	assert_int_equal(tn_api_async_wanted(bed.c), EPOLLIN | EPOLLOUT);
	assert_true(tn_api_async_queued(bed.c) > 0);
	do {
		hear(&m);
		assert_int_equal(m.type, TN_API_BUNDLE);
		assert_true(!id || id == m.request_id);
		id = m.request_id;
		for (uint32_t i = 0; i < m.bundle.n_mods; i++)
			assert_int_equal(m.bundle.mods[i].flow->cookie, n++);
	} while (m.flags & TN_API_MORE);
	assert_int_equal(n, MANY * 8);
	assert_int_equal(tn_api_async_queued(bed.c), 0);
	receipt(id, 99);
	assert_int_equal(deliver(7), 0);
	assert_int_equal(bed.done, 1);
	assert_int_equal(bed.last, 99);
	mods_free(mods);
}

/* Good ones, and one behind them that no message can hold. */
static int send_with_large(size_t n)
{
	struct tn_mod *mods = flow_mods(n + 1);
	struct tn_api_buffer buffer = {0};
	struct tn_api_encoded *encoded = encoded_mods(&buffer, mods, n + 1);
	uint8_t *large = calloc(1, TN_API_BODY_MAX);
	struct tn_error err;
	int rc;

	assert_non_null(large);
	encoded[n].bytes = large;
	encoded[n].size = TN_API_BODY_MAX;
	rc = tn_api_async_encoded(bed.c, encoded, n + 1, false, on_answer, &bed, &err);
	free(large);
	free(encoded);
	tn_api_buffer_fini(&buffer);
	mods_free(mods);
	return rc;
}

/* It is refused here, and nothing of it is sent. */
static void bad_bundle(void **state)
{
	struct tn_api_message m;

	(void)state;
	assert_int_equal(send_with_large(0), -EINVAL);
	assert_int_equal(tn_api_async_queued(bed.c), 0);
	assert_int_equal(tn_api_async_in_flight(bed.c), 0);
	request(&remove_port);
	hear(&m);
	assert_int_equal(m.type, TN_API_PORT_REMOVE);
}

/* Some of it is gone, and the rest cannot be: whoever else waited is told. */
static void half_a_bundle(void **state)
{
	struct tn_error err;

	(void)state;
	request(&remove_port);
	assert_int_equal(send_with_large(MANY), -EIO);
	assert_int_equal(bed.lost, 1);
	assert_int_equal(tn_api_async_in_flight(bed.c), 0);
	assert_int_equal(tn_api_async_process(bed.c, EPOLLIN, &err), -EIO);
	assert_non_null(strstr(err.detail, "by half"));
}

static void lost_connection(void **state)
{
	struct tn_error err;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		request(&remove_port);
	tn_api_async_forget(bed.c, NULL);
	assert_int_equal(shutdown(bed.server, SHUT_RDWR), 0);
	assert_int_equal(tn_api_async_process(bed.c, EPOLLIN | EPOLLHUP, &err), -EIO);
	assert_int_equal(bed.lost, 100);
	assert_int_equal(tn_api_async_send(bed.c, &remove_port, on_answer, &bed, &err), -EIO);
	assert_int_equal(tn_api_async_process(bed.c, EPOLLIN, &err), -EIO);
	assert_int_equal(bed.lost, 100);
}

static void forgotten(void **state)
{
	struct tn_api_message m;

	(void)state;
	request(&remove_port);
	hear(&m);
	tn_api_async_forget(bed.c, &bed);
	receipt(m.request_id, 3);
	assert_int_equal(deliver(1000), 0);
	assert_int_equal(bed.done, 0);
	assert_int_equal(tn_api_async_in_flight(bed.c), 0);
}

/* A server that errs loses the connection, and everyone hears of it once. */
static void nonsense(void **state)
{
	const struct tn_api_message nonsense[] = {
		{.type = TN_API_RECEIPT, .receipt.version = 3, .request_id = 77},
		{.type = TN_API_TRACE_REPLY, .request_id = 2},
		{.type = TN_API_END, .end = {TN_API_TABLES, 5}, .request_id = 3},
		{.type = TN_API_END, .end = {TN_API_FLOWS, 0}, .request_id = 3},
		{.type = TN_API_RECEIPT, .receipt.version = 3, .request_id = 3},
		{.type = TN_API_ERROR, .error = {TN_OFPBRC_BAD_TYPE, -1, "a lie"}},
		{.type = TN_API_HELLO, .hello = {0, "me too"}, .request_id = 2},
	};

	for (unsigned i = 0; i < TN_ARRAY_SIZE(nonsense); i++) {
		request(&remove_port);
		request(&dump);
		put(nonsense[i].request_id, nonsense[i]);
		assert_int_equal(deliver(1000), -EIO);
		assert_int_equal(bed.lost + bed.done, 2);
		teardown(state);
		setup(state);
	}
	request(&remove_port);
	assert_int_equal(send(bed.server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27, 0), 27);
	assert_int_equal(deliver(1), 0);
	assert_int_equal(tn_api_async_process(bed.c, EPOLLIN, &(struct tn_error){0}), -EIO);
	assert_int_equal(bed.lost, 1);
}

static void nobody_there(void **state)
{
	const struct tn_api_async_events events = {0};
	struct tn_error err;
	char path[200];

	(void)state;
	assert_null(tn_api_async_connect("/nonexistent/socket", "test", &events, &err));
	assert_non_null(strstr(err.detail, "tenon-dataplane"));
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	assert_null(tn_api_async_connect(path, "test", &events, &err));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(earlier_receipts),
		TEST(answers_in_any_order),
		TEST(bundle_in_parts),
		TEST(bad_bundle),
		TEST(half_a_bundle),
		TEST(lost_connection),
		TEST(forgotten),
		TEST(nonsense),
		cmocka_unit_test(nobody_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
